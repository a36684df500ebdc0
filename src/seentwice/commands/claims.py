"""What a checkpoint claims of itself, beside what was measured again."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.display import name_count
from seentwice.models.checkpoint import CheckpointRecord
from seentwice.models.tagger_checkpoint import TaggerRecord

_ROUNDING = 1e-9
"""Differences below this are shown as 0: they are of the order in which numbers were added."""


@dataclass(frozen=True, slots=True)
class ToleranceSettings:
    """How far a number may be from the claimed one."""

    tolerance: Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Claim:
    """One metric, claimed and measured again; NaN is undefined, None is not there."""

    name: str
    claimed: float | None
    measured: float | None

    @property
    def difference(self) -> float:
        """Measured less claimed; 0 where both are undefined, NaN where one is or is not there."""
        if self.claimed is None or self.measured is None:
            return math.nan
        if math.isnan(self.claimed) and math.isnan(self.measured):
            return 0.0
        return self.measured - self.claimed

    def holds(self, tolerance: float) -> bool:
        """Say whether it was reproduced; what was not claimed always is."""
        return self.claimed is None or abs(self.difference) <= tolerance


def compare_claims(claimed: Mapping[str, float], measured: Mapping[str, float]) -> list[Claim]:
    """Put both side by side: what was measured in its order, then what is claimed alone."""
    names = dict.fromkeys((*measured, *claimed))
    return [Claim(name, claimed.get(name), measured.get(name)) for name in names]


def is_reproduced(claims: Sequence[Claim], tolerance: float) -> bool | None:
    """Say whether every number that was claimed was measured again; None where none was."""
    if all(claim.claimed is None for claim in claims):
        return None
    return all(claim.holds(tolerance) for claim in claims)


def describe_verdict(claims: Sequence[Claim], tolerance: float) -> str:
    """Say that everything was reproduced, or which numbers were not and by how much."""
    missed = [claim for claim in claims if not claim.holds(tolerance)]
    if missed:
        found = "; ".join(map(_describe_miss, missed))
        return f"Not reproduced (tolerance={tolerance:g}): {found}"
    made = [claim for claim in claims if claim.claimed is not None]
    if not made:
        return "Nothing is claimed, so nothing is reproduced"
    worst = max(made, key=lambda claim: abs(claim.difference))
    return (
        f"Reproduced: {name_count(len(made), 'number', 'numbers')} to within {tolerance:g}; the "
        f"largest difference is {_shown_size(worst):.2g} ({worst.name})"
    )


def _shown_size(claim: Claim) -> float:
    size = abs(claim.difference)
    return 0.0 if size < _ROUNDING else size


def _describe_miss(claim: Claim) -> str:
    claimed, measured = format_metric(claim.claimed), format_metric(claim.measured)
    if math.isnan(claim.difference):
        return f"{claim.name} is {measured} instead of {claimed}"
    return f"{claim.name} is {measured} instead of {claimed} ({format_difference(claim)})"


def format_metric(value: float | None) -> str:
    """Return four decimals; a dash for what is not there."""
    return "–" if value is None else f"{value:.4f}"


def format_difference(claim: Claim) -> str:
    """Return a difference with its sign; a dash for what has none, 0 for one of rounding."""
    difference = claim.difference
    if math.isnan(difference):
        return "–"
    if _shown_size(claim) == 0:
        return "0"
    return f"{difference:+.4f}" if abs(difference) >= 5e-5 else f"{difference:+.0e}"


def list_changes(record: CheckpointRecord | TaggerRecord) -> list[str]:
    """Name what differs between the training and now, of what can change a number."""
    now = library_versions()
    names = dict.fromkeys((*record.versions, *now))
    pairs = {name: (record.versions.get(name), now.get(name)) for name in names}
    pairs["machine"] = record.machine, describe_machine()
    pairs["commit"] = record.git_commit, git_commit()
    return [
        f"{name} {before or 'unknown'}, now {after or 'unknown'}"
        for name, (before, after) in pairs.items()
        if before != after
    ]


def describe_changes(record: CheckpointRecord | TaggerRecord) -> str:
    """Say where a difference may come from."""
    changes = list_changes(record)
    passing = record.passing
    how = f"features by {passing.engine} in {passing.precision}, kept as {record.row_type}"
    if not record.trunk_fingerprint:
        how = "nothing of the backbone is frozen"
    if not changes:
        return f"Versions, machine and commit are those of the training; {how}"
    return f"Since the training changed: {'; '.join(changes)}; {how}"
