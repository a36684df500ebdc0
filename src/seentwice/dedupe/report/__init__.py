"""What was found, as files: JSON for programs, CSV for spreadsheets, a page for people."""

from seentwice.dedupe.report.csv_file import write_csv
from seentwice.dedupe.report.json_file import write_json
from seentwice.dedupe.report.limits import PageLimits
from seentwice.dedupe.report.page import write_page
from seentwice.dedupe.report.thumbnails import choose_side_px, thumbnail_maker

__all__ = [
    "PageLimits",
    "choose_side_px",
    "thumbnail_maker",
    "write_csv",
    "write_json",
    "write_page",
]
