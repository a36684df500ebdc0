"""The folder of a sweep's files: its own, and no other command's."""

from pathlib import Path

from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import write_atomically

DATABASE = "study.db"  # unless another storage is given
_MARK_FILE = "sweep_id.txt"  # says whose files a folder holds


def require_own_folder(folder: Path, database: str) -> None:
    """Refuse a folder that holds other things than a sweep's, or whose own database is gone.

    Nothing is made, and none need be there.

    Args:
        folder: of the sweep's files.
        database: the name of its own in it; "" where the sweep is kept elsewhere.

    Raises:
        UserError: it is such, or no folder.
    """
    shown = show_text(str(folder))
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"{shown}: {error.strerror}; give folder=ANOTHER") from error
    if _MARK_FILE not in names:
        # A sweep that was killed before it marked its folder has made a database alone.
        others = [name for name in names if not name.startswith(DATABASE)]
        if others:
            raise UserError(
                f"{shown}: it holds {show_text(others[0])!r} and is no sweep's; give "
                "folder=ANOTHER, one that is new or empty"
            )
    elif database and database not in names:
        raise UserError(
            f"{shown}: its {database} is gone, which tells what its trials came to; bring it "
            "back, give folder=ANOTHER, or remove the folder"
        )


def make_folder(folder: Path) -> None:
    """Make the folder where there is none.

    Raises:
        UserError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        shown = show_text(str(folder))
        raise UserError(f"{shown}: {error.strerror}; give folder=ANOTHER") from error


def mark_folder(folder: Path, sweep: str) -> None:
    """Refuse a folder with the files of another sweep, which trials would go on from.

    Raises:
        UserError: it is such.
    """
    mark = folder / _MARK_FILE
    if not mark.is_file():
        write_atomically(mark, f"{sweep}\n")
    elif mark.read_text(encoding="utf-8").strip() != sweep:
        raise UserError(
            f"{folder}: it holds the files of another sweep, or of one whose database is gone; "
            "give folder=ANOTHER, or remove it"
        )
