"""What a service answers: the shapes that its description promises."""

from pydantic import BaseModel, ConfigDict, Field

_SHA256 = "^[0-9a-f]{64}$"


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Weights(_Answer):
    """The most that each part of a score can give."""

    class_points: float = Field(ge=0, examples=[1.0])
    tag_points: float = Field(ge=0, examples=[0.3])
    visual_similarity: float = Field(ge=0, examples=[1.0])


class Result(_Answer):
    """A listing, or a photo that was sent as a candidate; its three parts add up to the score."""

    rank: int = Field(ge=1, description="From 1, the best.", examples=[1])
    listing: str | None = Field(description="Its id; null of a photo sent.", examples=["4711"])
    photo: str | None = Field(
        description="Of the listing, that was compared; null of a photo sent.",
        examples=["paris/4711_front.jpg"],
    )
    candidate: int | None = Field(
        ge=0, description="Which of the photos sent, from 0; null of a listing.", examples=[None]
    )
    sha256: str = Field(pattern=_SHA256, description="Of the photo: GET /photos/{sha256}.")
    class_points: float = Field(ge=0, description="Both photos show house fronts.", examples=[1.0])
    tag_points: float = Field(ge=0, description="Share of the other tags.", examples=[0.15])
    visual_similarity: float = Field(ge=0, description="Of the embeddings.", examples=[0.913])
    score: float = Field(ge=0, description="The sum of the three.", examples=[2.063])


class RecommendAnswer(_Answer):
    """What looks most alike, the best first."""

    weights: Weights
    results: list[Result]


class Copy(_Answer):
    """A photo of the index that shows the same picture."""

    photo: str = Field(description="Its name in the index.", examples=["paris/4711_front.jpg"])
    sha256: str | None = Field(description="Of its file; null if it cannot be shown.")
    score: float = Field(ge=0, le=1, description="Probability of a copy.", examples=[0.998])
    evidence: list[str] = Field(description="Why, the surest first.", examples=[["near hashes"]])
    hash_bits: int | None = Field(description="Between their hashes, of 64.", examples=[2])
    listings: list[str] = Field(description="That show it.", examples=[["4711"]])


class CheckAnswer(_Answer):
    """Whether a photo is here already."""

    is_here: bool
    copies: list[Copy] = Field(description="The surest first.")


class ListedPhoto(_Answer):
    """A photo of a listing."""

    photo: str = Field(description="Its name in the index.", examples=["paris/4711_front.jpg"])
    sha256: str = Field(pattern=_SHA256)


class ListingAnswer(_Answer):
    """A listing as the index holds it."""

    id: str = Field(examples=["4711"])
    photos: list[ListedPhoto] = Field(description="The title photo first.")
    fields: dict[str, str] = Field(examples=[{"city": "Paris", "price": "500000"}])


class HealthAnswer(_Answer):
    """That the service answers."""

    status: str = Field(examples=["ok"])
