"""What lies in a folder and is no file of its own: links, folders, pipes, sockets, devices."""

import os
import socket
from pathlib import Path

from encoding import draw, encode
from zoo_words import ALONE, HIDDEN, LINKED, Put, Zoo

from seentwice.records import Reason

_LONGEST_PATH = 4096  # bytes that Linux lets a path have, with the zero at its end


def put_kinds(root: Path, zoo: Zoo, put: Put) -> None:
    """What is no file, or a file by another name."""
    folder = root / "kinds"
    photo = put("kinds/photo.png", encode(draw(24), "PNG"), ALONE)
    (folder / "hard.png").hardlink_to(photo)
    (folder / "a link.png").symlink_to("photo.png")  # sorts before the file that it leads to
    (folder / "link to link.png").symlink_to("a link.png")
    outside = root.parent / f"{root.name} outside.png"
    outside.write_bytes(encode(draw(25), "PNG"))
    (folder / "outside.png").symlink_to(outside)
    (folder / "outside too.png").symlink_to(outside)
    (folder / "loop").symlink_to("../kinds")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "album.jpg").symlink_to("../names")
    (folder / "broken.jpg").symlink_to("nothing")
    (folder / "null.jpg").symlink_to("/dev/null")
    (folder / "endless.jpg").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo.jpg")
    os.mkfifo(folder / "fifo")
    (folder / "empty.jpg").mkdir()
    _bind_socket(folder / "socket.jpg")
    with (folder / "sparse.jpg").open("wb") as file:
        file.truncate(1 << 40)
    zoo[_dig(root / "deep")] = Reason.MISSING
    # Of several names the first in order is read, but no link where there is a file.
    zoo |= {
        "kinds/photo.png": LINKED,
        "kinds/hard.png": ALONE,
        "kinds/a link.png": LINKED,
        "kinds/link to link.png": LINKED,
        "kinds/outside.png": LINKED,
        "kinds/outside too.png": ALONE,
        "kinds/loop": HIDDEN,
        "kinds/loop.jpg": Reason.MISSING,
        "kinds/album.jpg": Reason.NOT_A_FILE,
        "kinds/broken.jpg": Reason.MISSING,
        "kinds/null.jpg": Reason.NOT_A_FILE,
        "kinds/endless.jpg": Reason.NOT_A_FILE,
        "kinds/fifo.jpg": Reason.NOT_A_FILE,
        "kinds/fifo": HIDDEN,
        "kinds/empty.jpg": Reason.NOT_A_FILE,
        "kinds/socket.jpg": Reason.NOT_A_FILE,
        "kinds/sparse.jpg": Reason.NOT_AN_IMAGE,
        "names/folder.jpg": Reason.NOT_A_FILE,
    }


def _dig(folder: Path) -> str:
    """Make folders in folders until their path is too long; return the first that has none."""
    folder.mkdir()
    path, at = folder, os.open(folder, os.O_RDONLY)
    while len(os.fsencode(path)) < _LONGEST_PATH:
        path /= "d" * 250
        os.mkdir(path.name, dir_fd=at)
        below = os.open(path.name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    return path.relative_to(folder.parent).as_posix()


def _bind_socket(path: Path) -> None:
    """Leave a socket behind; its path may have 107 bytes only, so it is bound from its folder."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)
