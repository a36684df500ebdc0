"""What ends the processes that read: files, as a decoder that crashes does, or their very begin."""

import os
from multiprocessing import parent_process
from pathlib import Path, PosixPath


class DeadlyRoot(PosixPath):
    """Ends a process, but not the first, that wants a file named deadly.jpg; once.jpg, but once."""

    def __truediv__(self, key: str) -> Path:  # type: ignore[override]
        path = Path(self, key)
        if parent_process() is not None:
            if key.startswith("deadly"):
                os._exit(1)
            if key == "once.jpg" and not (mark := Path(self, "marked")).exists():
                mark.touch()
                os._exit(1)
        return path


def end_process() -> None:
    """Stand for a process that cannot begin, such as for want of memory."""
    os._exit(1)
