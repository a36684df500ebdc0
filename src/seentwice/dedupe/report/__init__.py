"""What was found, as files: JSON for programs, CSV for spreadsheets."""

from seentwice.dedupe.report.csv_file import write_csv
from seentwice.dedupe.report.json_file import write_json

__all__ = ["write_csv", "write_json"]
