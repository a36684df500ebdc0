import os
import signal
import subprocess
import sys
from pathlib import Path

from moved_photos import find_duplicates, ignore, read_tree

from seentwice.dedupe.moving.applying import apply_plan
from seentwice.dedupe.moving.plan import plan_moves
from seentwice.dedupe.moving.undoing import undo_moves

# Stops before its n-th step that changes a file, and says so, to be killed there.
STOPPING = """
import os, sys
from pathlib import Path
from seentwice.dedupe.moving.plan import plan_moves
from seentwice.dedupe.moving.applying import apply_plan
from seentwice.dedupe.moving.undoing import undo_moves
from moved_photos import find_duplicates

what, root, away, undo, step = sys.argv[1:]
left = int(step)

def stop(event, arguments):
    global left
    changes = event in ("os.link", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.utime")
    if not changes and not (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        return
    left -= 1
    if left == 0:
        os.write(1, b".")
        os.read(0, 1)

if what == "apply":
    plan = plan_moves(find_duplicates(Path(root), ["a.jpg", "b.jpg", "sub/c.jpg"]), Path(away))
    sys.addaudithook(stop)
    apply_plan(plan, Path(undo), lambda done, total: None)
else:
    sys.addaudithook(stop)
    undo_moves(Path(undo), lambda done, total: None)
"""


def kill_at(step: int, what: str, *paths: Path) -> bool:
    """Kill a real process before its n-th change; say whether it had that many."""
    with subprocess.Popen(
        [sys.executable, "-c", STOPPING, what, *map(str, paths), str(step)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        assert process.stdout is not None
        stopped = process.stdout.read(1) == b"."
        process.send_signal(signal.SIGKILL)
    assert stopped or process.returncode in (0, -signal.SIGKILL)
    return stopped


def test_moving_that_was_killed_anywhere_can_be_undone(root: Path, away: Path) -> None:
    before = read_tree(root)
    step = 0
    while True:
        step += 1
        undo = root.parent / f"undo{step}"
        stopped = kill_at(step, "apply", root, away, undo)
        seen = {path: file[0] for path, file in (read_tree(away) | read_tree(root)).items()}
        assert {path: file[0] for path, file in before.items()}.items() <= seen.items()
        if undo.exists():
            assert undo_moves(undo, ignore).staying == ()
        assert read_tree(root) == before
        assert not away.exists() or list(away.iterdir()) == []
        if not stopped:
            break
    assert step > 10


def test_undoing_that_was_killed_anywhere_can_go_on(root: Path, away: Path) -> None:
    before = read_tree(root)
    step = 0
    while True:
        step += 1
        undo = root.parent / f"undo{step}"
        plan = plan_moves(find_duplicates(root, ["a.jpg", "sub/c.jpg"]), away)
        assert apply_plan(plan, undo, ignore).staying == ()
        stopped = kill_at(step, "undo", root, away, undo)
        seen = {path: file[0] for path, file in (read_tree(away) | read_tree(root)).items()}
        assert {path: file[0] for path, file in before.items()}.items() <= seen.items()
        assert undo_moves(undo, ignore).staying == ()
        assert read_tree(root) == before
        assert list(away.iterdir()) == []
        if not stopped:
            break
    assert step > 4
