"""The duplicates of every product as JSON, as `schema/products.schema.json` describes it."""

import json
from pathlib import Path

from seentwice.dedupe.product_matches import PhotoMatch, ProductDuplicate, ProductMatches
from seentwice.files import open_atomically


def write_products_json(path: Path, found: ProductMatches) -> None:
    r"""Write an object with every product's id and its duplicates, one product a line.

    Products are in the table's order; of one without duplicates the list is empty. Characters that
    UTF-8 cannot hold, such as bytes of names that are not UTF-8, are written as `\udce9`.

    Args:
        path: takes its name when all are written; its folder must exist.
        found: written as it is described, so that memory does not grow with the text.

    Raises:
        UnwritableError: see `open_atomically`.
    """
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    with open_atomically(path) as file:
        between = "{\n"
        for key, duplicates in found.list_duplicates():
            values = encode([_to_object(one) for one in duplicates])
            line = f"{between}{encode(key)}: {values}"
            file.write(line.encode("utf-8", "backslashreplace"))
            between = ",\n"
        file.write(b"{}\n" if between == "{\n" else b"\n}\n")


def _to_object(duplicate: ProductDuplicate) -> dict[str, object]:
    return {
        "id": duplicate.key,
        "score": duplicate.score,
        "share": duplicate.share,
        "relation": duplicate.relation,
        "photos": [_to_photos(photos) for photos in duplicate.photos],
    }


def _to_photos(photos: PhotoMatch) -> dict[str, object]:
    match = photos.match
    edited = "right" if photos.right == match.right else "left"
    return {
        "left": photos.left,
        "right": photos.right,
        "score": match.score,
        "evidence": list(match.evidence),
        "hash_bits": match.hash_bits,
        "similarity": match.similarity,
        "edit": match.edit,
        "edited": edited if match.edit else None,
    }
