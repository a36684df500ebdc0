"""The table of the page, out of what was measured.

python -m experiments.visual_embeddings.table
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.plan import FOLDER
from experiments.tables import spell_interval
from seentwice.files import write_atomically
from seentwice.records import Interval

OWN = FOLDER / "visual_embeddings"
METRICS = OWN / "metrics.json"
PAGE = OWN / "README.md"
BASELINE = "mobilenet_v2: features, 1,280 floats"
NOT_MEASURED = "not measured"
HEADER = ("network", "embedding", "kept", "other photo", "over features", "copies", "bytes", "ms")
_TABLE = re.compile(r"(<!-- triplets -->\n).*?(<!-- end -->)", re.S)
_NONE = "\N{EN DASH}"


def renew_page(page: Path = PAGE, metrics: Path = METRICS) -> None:
    """Write the table of the page anew."""
    text = page.read_text(encoding="utf-8")
    write_atomically(page, fill_page(text, json.loads(metrics.read_text(encoding="utf-8"))))


def fill_page(text: str, measured: Mapping[str, Any]) -> str:
    """Return a page with its table as it was measured."""
    return _TABLE.sub(lambda found: found[1] + write_table(measured) + found[2], text)


def write_table(measured: Mapping[str, Any]) -> str:
    """Return the table in Markdown: the highest share first, then what was not measured.

    Args:
        measured: as metrics.json holds it.
    """
    rows = sorted(measured["rows"], key=lambda row: -_share(row))
    lines = [
        HEADER,
        ("---", "---", "---", *["---:"] * (len(HEADER) - 3)),
        *map(_spell_row, rows),
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _share(row: Mapping[str, Any]) -> float:
    return float(row["other_photo"]["value"]) if row["other_photo"] else -1.0


def _spell_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    shares = (NOT_MEASURED, _NONE, NOT_MEASURED)
    if row["other_photo"]:
        gain = row["over_baseline"]
        shares = (
            spell_interval(Interval(**row["other_photo"])),
            f"{gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]" if gain else _NONE,
            spell_interval(Interval(**row["copies"])),
        )
    network = row["network"] or _NONE
    speed = f"{row['query_ms']:,.2f}" if row["query_ms"] < 10 else f"{row['query_ms']:,.0f}"
    return (network, row["name"], row["kept"], *shares, f"{row['bytes']:,}", speed)


if __name__ == "__main__":
    renew_page()
