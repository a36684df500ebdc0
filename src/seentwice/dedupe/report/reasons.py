"""Why each photo of a group is in it."""

from collections.abc import Mapping

from seentwice.dedupe.findings import Group, Match


def find_reasons(group: Group) -> Mapping[str, Match]:
    """Return the match that tells best why each photo but the kept one is a duplicate.

    That is the surest match with the kept photo, and where there is none the surest of all.

    Returns:
        Matches by the key of the photo; one that nothing matches has none.
    """
    kept = group.photos[0].key
    direct: dict[str, Match] = {}
    any_other: dict[str, Match] = {}
    for match in group.matches:
        for key, other in ((match.left, match.right), (match.right, match.left)):
            (direct if other == kept else any_other).setdefault(key, match)
    surest = any_other | direct
    return {photo.key: surest[photo.key] for photo in group.photos[1:] if photo.key in surest}


def other_of(match: Match, key: str) -> str:
    """Return the key of the photo that a match brings together with this one."""
    return match.right if match.left == key else match.left
