"""What a service takes on, so that no request can ask for too much of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """The most of each."""

    body_bytes: int = 64_000_000  # of a request
    max_pixels: int = 100_000_000  # of a photo
    results: int = 1_000
    candidates: int = 10_000  # ids that are named in a request
    photos: int = 50  # files in a request
    field_bytes: int = 1_000_000  # of a field of a form that is no file
    columns: int = 200  # of all listings together; each costs memory for every listing
    seconds: float = 20.0  # from the head of a request to its answer; for a head; for sending
    waiting: int = 64  # requests that are answered or wait at a time
    connections: int = 1_000  # fewer where the process may not open so many files
