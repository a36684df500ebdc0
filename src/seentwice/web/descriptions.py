"""Bodies of requests as the service's own document describes them."""

from typing import Any

from seentwice.web.limits import ServiceLimits
from seentwice.web.questions import LONGEST_ID, RecommendQuestion

Description = dict[str, Any]
_FILE: Description = {"type": "string", "format": "binary", "description": "A photo."}


def describe_question(limits: ServiceLimits) -> Description:
    """Return the body of POST /recommend."""
    asked = RecommendQuestion.model_json_schema()
    asked.pop("title")
    properties = asked["properties"]
    properties["k"]["maximum"] = limits.results
    properties["candidates"]["anyOf"][0]["maxItems"] = limits.candidates
    fields = {name: properties[name] for name in ("id", "k", "where", "title")}
    ids = {**properties["candidates"]["anyOf"][0], "description": "Ids to choose from."}
    photos = {"type": "array", "items": _FILE, "maxItems": limits.photos}
    form = _describe_form({"photo": _FILE, **fields, "candidates": ids, "candidate_photos": photos})
    form["description"] = "Either a photo or an id; candidates by id or as photos."
    by_id = {"id": "4711", "k": 20, "where": ["city=Paris", "price<=500000"]}
    return _describe_body(
        {
            "application/json": {"schema": asked, "examples": {"a listing": {"value": by_id}}},
            "multipart/form-data": {"schema": form},
        }
    )


def describe_photo() -> Description:
    """Return the body of POST /check."""
    form = _describe_form({"photo": _FILE}, "photo")
    return _describe_body({"multipart/form-data": {"schema": form}})


def describe_listing(limits: ServiceLimits) -> Description:
    """Return the body of POST /listings."""
    form = _describe_form(
        {
            "id": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_ID,
                "description": "Of characters that can be printed.",
                "examples": ["4711"],
            },
            "photos": {
                "type": "array",
                "items": _FILE,
                "minItems": 1,
                "maxItems": limits.photos,
                "description": "The title photo first.",
            },
            "fields": {
                "type": "string",
                "description": "A JSON object of names and values to filter by.",
                "examples": ['{"city": "Paris", "price": 500000}'],
            },
        },
        "id",
        "photos",
    )
    return _describe_body({"multipart/form-data": {"schema": form}})


def _describe_form(properties: Description, *required: str) -> Description:
    form: Description = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if required:
        form["required"] = list(required)
    return form


def _describe_body(content: Description) -> Description:
    return {"required": True, "content": content}
