"""The keys that open a service, and where it may listen without one."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from fastapi import Security
from fastapi.params import Depends
from fastapi.security import APIKeyHeader

from seentwice.display import show_text
from seentwice.errors import UserError

SHORTEST = 16
"""Characters of a key; a shorter one can be guessed."""

_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="One of the service's keys.")


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Keys by their digests: none stays in memory as it is written."""

    digests: tuple[bytes, ...]

    def has(self, key: bytes) -> bool:
        """Say whether a key is one of these, in a time that tells nothing of them."""
        digest = hashlib.sha256(key).digest()
        return sum(hmac.compare_digest(digest, known) for known in self.digests) > 0


def read_keys(path: Path) -> ApiKeys:
    """Read a file of keys, one a line; with several, one can be replaced while others work.

    Raises:
        UserError: the file cannot be read, or holds no key or a short one.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UserError(f"{show_text(str(path))}: {error.strerror}; give a file of keys") from error
    keys = [line.strip() for line in lines]
    for number, key in enumerate(keys, 1):
        if key and len(key) < SHORTEST:
            raise UserError(
                f"{show_text(str(path))}, line {number}: {len(key)} characters; give {SHORTEST} or "
                "more, such as those of: openssl rand -hex 32"
            )
    if not any(keys):
        raise UserError(f"{show_text(str(path))} holds no key; write one a line")
    return ApiKeys(tuple(hashlib.sha256(key).digest() for key in keys if key))


def is_loopback(host: str) -> bool:
    """Say whether a name or address is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(host: str, keys: ApiKeys | None) -> None:
    """Refuse to listen where others can ask without a key.

    Raises:
        UserError: the host is not of this machine alone, and there is no key.
    """
    if keys is None and not is_loopback(host):
        raise UserError(
            f"--host {host}: whoever reaches it could ask and add; give --api-key-file FILE, or "
            "--host 127.0.0.1"
        )


def describe_key(keys: ApiKeys | None) -> list[Depends]:
    """Return what an operation depends on, so that the document says whether it needs a key.

    It is asked for before any operation; see `Guard`.
    """
    return [] if keys is None else [Security(_HEADER)]
