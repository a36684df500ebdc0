"""A root whose files end the process that opens them, as a decoder that crashes does."""

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
