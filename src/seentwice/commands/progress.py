"""Progress bars on the terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from seentwice.data.tabular.rejects import RejectSummary
from seentwice.display import show_text
from seentwice.records import Unreadable

# Tables need this; a pipe or a log file has no width of its own.
LOG_WIDTH = 120


def open_console() -> Console:
    """Return the terminal, or what its output was sent to."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, LOG_WIDTH))


def print_plainly(text: str, console: Console) -> None:
    """Print a line as it is: no markup, no colours, no wrapping, nothing that steers a terminal."""
    console.print(show_text(text), markup=False, highlight=False, soft_wrap=True)


def describe_unreadable(file: Unreadable) -> str:
    """Return the line that lists a file or URL that gave no photo."""
    return f"  no photo: {file.name}: {file.reason.value} ({file.detail})"


def describe_rejects(rejected: RejectSummary | None) -> list[str]:
    """Return the lines that tell of rows that gave no record and of what was odd in the others."""
    if rejected is None:
        return []
    lines: list[str] = []
    if rejected.count:
        rows = "1 row was" if rejected.count == 1 else f"{rejected.count:,} rows were"
        lines.append(f"{rows} rejected, see {rejected.path}; the first:")
        lines += [f"  {reject.file}, {reject}" for reject in rejected.first]
    if rejected.cells:
        cells = "1 cell is" if rejected.cells == 1 else f"{rejected.cells:,} cells are"
        lines.append(f"{cells} odd in rows that were kept, see {rejected.path}; the first:")
        lines += [f"  {reject.file}, {reject}" for reject in rejected.first_cells]
    return [*lines, *rejected.hints]


@contextmanager
def show_progress(what: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the block runs; the block calls what it is given with (done, total).

    Nothing is shown for work that never calls, because there was nothing to do. A total of 0 is
    one that is not known.
    """
    progress = Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    task = progress.add_task(what, total=None)

    def update(done: int, total: int) -> None:
        progress.start()
        progress.update(task, completed=done, total=total or None)

    try:
        yield update
    finally:
        if progress.live.is_started:  # otherwise it would still print an empty line
            progress.stop()


@dataclass(slots=True)
class Remembered:
    """A progress callback that knows how far it came."""

    on_progress: Callable[[int, int], None]
    done: int = 0
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        """Remember, and pass on."""
        self.done, self.total = done, total
        self.on_progress(done, total)
