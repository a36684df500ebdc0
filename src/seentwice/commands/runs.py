"""Compare the runs of an MLflow store as a table."""

import csv
import json
import math
import re
import sys
from collections.abc import Sequence

from rich.console import Console

from seentwice.commands.options import OptionParser, whole_number
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.run_table import KEY_METRICS, LEAST_WIDTH, RunRow, gather_rows, make_table
from seentwice.display import name_count

ON_STOP = "nothing was changed"

_METRIC = "test/average_precision"
_LOSS = re.compile(r"(loss|error|seconds)$")
_MOST = 100_000
_EXAMPLES = f"""\
  seentwice runs                                 the best by {_METRIC}
  seentwice runs --metric test/f1 --limit 10
  seentwice runs --experiment sweep --csv > runs.csv
  seentwice runs --store sqlite:///elsewhere/mlflow.db
"""


def run(arguments: Sequence[str]) -> None:
    """Print the best runs, each below the comparison or sweep that it is a part of."""
    parser = OptionParser(
        "runs",
        "Compares the runs of an MLflow store: what was trained, on what, how well, how long, by\n"
        "which commit. The store is read, never changed.",
        _EXAMPLES,
    )
    parser.add_argument(
        "--store",
        metavar="URI",
        help="default: MLFLOW_TRACKING_URI, or else sqlite:///mlflow.db in the working folder",
    )
    parser.add_argument("--experiment", metavar="NAME", help="compare, train or sweep alone")
    parser.add_argument("--metric", metavar="NAME", help=f"to sort by; default: {_METRIC}")
    parser.add_argument(
        "--limit", type=whole_number(1, _MOST), default=50, metavar="N", help="runs; default: 50"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON array, every metric")
    form.add_argument("--csv", action="store_true", help="print CSV, a column for every metric")
    options = parser.parse(arguments)
    # Imported here: MLflow takes seconds, and no --help should wait for it.
    from seentwice.learn.stored_runs import Ranking, find_runs

    metric = options.metric or _METRIC
    ranking = Ranking(
        metric,
        smaller_is_better=is_smaller_better(metric),
        must_exist=options.metric is not None,
    )
    # Beside the table, which may be sent to a file.
    with show_progress("Reading runs", Console(stderr=True)) as progress:
        found = find_runs(options.store, options.experiment, ranking, options.limit, progress)
    rows = gather_rows(found)
    left_out = (
        f"The best {name_count(len(found.runs), 'run', 'runs')} by {metric}; there are more: "
        f"--limit N, up to {_MOST:,}"
    )
    if options.json or options.csv:
        _write(rows, options.json)
        if found.are_more:
            print(left_out, file=sys.stderr)
        return
    console = open_console()
    if not rows:
        print_plainly("No runs yet: run seentwice compare first", console)
        return
    others = [name for name in KEY_METRICS if name != metric and console.width >= LEAST_WIDTH]
    console.print(make_table(rows, [metric, *others], console))
    if found.are_more:
        print_plainly(left_out, console)


def is_smaller_better(metric: str) -> bool:
    """Say whether a metric, or an end of its interval, is the better the less it is."""
    from seentwice.metrics import LOWER_IS_BETTER

    name = metric.rpartition("/")[2].removesuffix("_low").removesuffix("_high")
    return name in LOWER_IS_BETTER or _LOSS.search(name) is not None


def _write(rows: Sequence[RunRow], as_json: bool) -> None:
    if as_json:
        # JSON has no word for what is undefined but null.
        listed = [
            {
                **row.cells(),
                "metrics": {
                    name: value if math.isfinite(value) else None
                    for name, value in row.metrics.items()
                },
            }
            for row in rows
        ]
        print(json.dumps(listed, indent=1))
        return
    metrics = sorted({name for row in rows for name in row.metrics})
    names = [*RunRow.NAMES, *metrics]
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row.cells(), **row.metrics} for row in rows)
