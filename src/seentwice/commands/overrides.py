"""What an override of the command line sets."""


def key_of(override: str) -> str:
    """Return the key, or the group, that an override sets."""
    return override.lstrip("+~").partition("=")[0]
