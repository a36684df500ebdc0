import errno
import json
import os
import resource
from pathlib import Path

import pytest
from moved_photos import GROUP, OLD_NS, find_duplicates, ignore, list_names, read_tree

from seentwice.dedupe.moving import applying, placing
from seentwice.dedupe.moving.applying import apply_plan
from seentwice.dedupe.moving.plan import Staying, plan_moves
from seentwice.dedupe.moving.undoing import undo_moves
from seentwice.errors import UserError


def test_photos_move_and_come_back(root: Path, away: Path, tmp_path: Path) -> None:
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, GROUP), away)
    progress: list[tuple[int, int]] = []
    done = apply_plan(plan, tmp_path / "undo.jsonl", lambda *at: progress.append(at))
    assert (done.moved, done.staying) == (plan.moves, ())
    assert progress == [(1, 2), (2, 2)]
    assert read_tree(away) == {name: before[name] for name in GROUP[1:]}
    assert read_tree(root) == {name: before[name] for name in ("a.jpg", "d.jpg")}
    undone = undo_moves(tmp_path / "undo.jsonl", ignore)
    assert (undone.back, undone.in_place, undone.staying) == (2, 0, ())
    assert read_tree(root) == before
    assert list(away.iterdir()) == []
    again = undo_moves(tmp_path / "undo.jsonl", ignore)
    assert (again.back, again.in_place, again.staying) == (0, 2, ())
    assert read_tree(root) == before


def test_the_undo_file_tells_every_move(root: Path, tmp_path: Path) -> None:
    plan = plan_moves(find_duplicates(root, ["a.jpg", "b.jpg"]), tmp_path / "away")
    apply_plan(plan, tmp_path / "undo.jsonl", ignore)
    header, move = map(json.loads, (tmp_path / "undo.jsonl").read_text().splitlines())
    partial = header.pop("partial")
    assert header == {"version": 1, "root": str(root), "to": str(tmp_path / "away")}
    assert partial.endswith(".partial")
    assert move == {
        "path": "b.jpg",
        "kept": "a.jpg",
        "size_bytes": 5000,
        "modified_ns": OLD_NS + 5000,
        "mode": 0o640,
        "sha256": plan.moves[0].sha256,
        "kept_sha256": plan.moves[0].kept_sha256,
    }
    assert list_names(tmp_path) == ["away", "root", "undo.jsonl"]


def test_the_undo_file_may_lie_in_the_folder_that_is_made(root: Path, tmp_path: Path) -> None:
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, GROUP), tmp_path / "new" / "away")
    apply_plan(plan, plan.to / "undo.jsonl", ignore)
    undo_moves(plan.to / "undo.jsonl", ignore)
    assert read_tree(root) == before
    assert list_names(plan.to) == ["undo.jsonl"]


def test_an_earlier_undo_file_is_never_replaced(root: Path, tmp_path: Path) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), tmp_path / "away")
    (tmp_path / "undo.jsonl").write_text("precious")
    with pytest.raises(UserError, match=r"undo.jsonl is there already .*; name another file$"):
        apply_plan(plan, tmp_path / "undo.jsonl", ignore)
    assert (tmp_path / "undo.jsonl").read_text() == "precious"
    assert read_tree(plan.to) == {}
    assert list_names(tmp_path) == ["away", "root", "undo.jsonl"]


def test_nothing_moves_where_the_undo_file_cannot_be_written(root: Path, tmp_path: Path) -> None:
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, GROUP), tmp_path / "away")
    with pytest.raises(UserError, match="make that folder"):
        apply_plan(plan, tmp_path / "no" / "undo.jsonl", ignore)
    assert read_tree(root) == before


def test_an_empty_plan_writes_nothing(root: Path, tmp_path: Path) -> None:
    plan = plan_moves(find_duplicates(root), tmp_path / "away")
    assert apply_plan(plan, tmp_path / "undo.jsonl", ignore).moved == ()
    assert list_names(tmp_path) == ["root"]


def test_a_folder_that_cannot_be_made_is_told(root: Path, tmp_path: Path) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), root.parent / "file" / "away")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be made .*; name another folder to move to$"):
        apply_plan(plan, tmp_path / "undo.jsonl", ignore)


@pytest.mark.parametrize(
    ("change", "moved", "reason"),
    [
        (lambda root: (root / "b.jpg").write_bytes(b"b.jpg" * 1001), ["sub/c.jpg"], "changed"),
        (lambda root: os.utime(root / "b.jpg"), ["sub/c.jpg"], "changed since it was found"),
        (lambda root: (root / "b.jpg").unlink(), ["sub/c.jpg"], "No such file"),
        (
            lambda root: ((root / "b.jpg").unlink(), (root / "b.jpg").hardlink_to(root / "a.jpg")),
            ["sub/c.jpg"],
            "is the same file as a.jpg now",
        ),
        (
            lambda root: ((root / "b.jpg").unlink(), (root / "b.jpg").symlink_to("d.jpg")),
            ["sub/c.jpg"],
            "changed since it was found",
        ),
        (lambda root: (root / "a.jpg").unlink(), [], "a.jpg, which was to be kept: No such file"),
        (
            lambda root: (root / "a.jpg").write_bytes(b"A.jpg" * 1000),
            [],
            "a.jpg, which was to be kept: changed since it was found",
        ),
    ],
)
def test_what_changed_since_the_plan_stays(root: Path, away: Path, change, moved, reason) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), away)
    change(root)
    before = read_tree(root)
    done = apply_plan(plan, root.parent / "undo.jsonl", ignore)
    assert [move.path for move in done.moved] == moved
    assert all(reason in photo.reason for photo in done.staying)
    assert len(done.staying) == 2 - len(moved)
    assert read_tree(root) == {path: before[path] for path in before if path not in moved}
    undo_moves(root.parent / "undo.jsonl", ignore)
    assert read_tree(root) == before


def test_bytes_that_changed_under_an_old_time_are_seen(root: Path, away: Path) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), away)
    (root / "b.jpg").write_bytes(b"B.jpg" * 1000)
    os.utime(root / "b.jpg", ns=(OLD_NS, OLD_NS + 5000))
    done = apply_plan(plan, root.parent / "undo.jsonl", ignore)
    assert done.staying == (Staying("b.jpg", "changed since it was found"),)


def test_the_kept_photo_is_looked_at_before_every_move(root: Path, away: Path) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), away)

    def lose(done: int, total: int) -> None:
        (root / "a.jpg").unlink(missing_ok=True)

    done = apply_plan(plan, root.parent / "undo.jsonl", lose)
    assert [move.path for move in done.moved] == ["b.jpg"]
    assert [photo.path for photo in done.staying] == ["sub/c.jpg"]
    assert (root / "sub/c.jpg").exists()


@pytest.mark.parametrize("links", [True, False])
def test_a_name_that_is_taken_at_the_last_moment_is_not_overwritten(
    root: Path, away: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, GROUP), away)
    real, real_copy = os.link, placing._copy

    def take(target: Path) -> None:
        if target.name == "b.jpg" and not target.exists():
            target.write_text("another's")

    def link(source, target, **options):
        if links:
            take(Path(target))
            return real(source, target, **options)
        raise OSError(errno.EPERM, "no links here")

    def copy(source, beside, move):
        real_copy(source, beside, move)
        take(beside.with_name(Path(move.path).name))

    monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(placing, "_copy", copy)
    done = apply_plan(plan, root.parent / "undo.jsonl", ignore)
    assert done.staying == (Staying("b.jpg", f"its name is taken: {away / 'b.jpg'}"),)
    assert (away / "b.jpg").read_text() == "another's"
    undone = undo_moves(root.parent / "undo.jsonl", ignore)
    assert [photo.path for photo in undone.staying] == ["b.jpg"]
    assert "its name is taken" in undone.staying[0].reason
    assert read_tree(root) == before
    assert (away / "b.jpg").read_text() == "another's"


def test_a_file_system_without_links_moves_too(
    root: Path, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(source, target, **options):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, GROUP), away)
    assert apply_plan(plan, root.parent / "undo.jsonl", ignore).staying == ()
    assert read_tree(away) == {name: before[name] for name in GROUP[1:]}
    assert undo_moves(root.parent / "undo.jsonl", ignore).back == 2
    assert read_tree(root) == before


@pytest.mark.parametrize("what", ["source", "content"])
def test_a_photo_that_changes_while_it_moves_stays(
    root: Path, away: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    plan = plan_moves(find_duplicates(root, ["a.jpg", "b.jpg"]), away)
    real = applying.move_file

    def change(source, target, partial, seen, move):
        if what == "source":
            source.unlink()
        source.write_bytes(b"new")
        real(source, target, partial, seen, move)

    monkeypatch.setattr(applying, "move_file", change)
    done = apply_plan(plan, root.parent / "undo.jsonl", ignore)
    assert done.moved == ()
    assert done.staying[0].reason in ("changed while it was moved", "its copy is not the same")
    assert (root / "b.jpg").read_bytes() == b"new"
    assert list(away.rglob("*")) == []


def test_a_copy_that_went_wrong_takes_no_photos_place(
    root: Path, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source, target, **options):
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("shutil.copyfileobj", lambda stream, copy: copy.write(b"half"))
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, ["a.jpg", "b.jpg"]), away)
    done = apply_plan(plan, root.parent / "undo.jsonl", ignore)
    assert done.staying == (Staying("b.jpg", "its copy is not the same"),)
    assert read_tree(root) == before
    assert read_tree(away) == {}


def test_a_folder_that_keeps_its_files_keeps_them(
    root: Path, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, GROUP), away)
    real = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == root / "b.jpg":  # as in a read-only folder, which does not stop root
            raise PermissionError(errno.EACCES, "Permission denied")
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    done = apply_plan(plan, root.parent / "undo.jsonl", ignore)
    assert done.staying == (Staying("b.jpg", "Permission denied"),)
    assert list(read_tree(away)) == ["sub/c.jpg"]
    monkeypatch.undo()
    undo_moves(root.parent / "undo.jsonl", ignore)
    assert read_tree(root) == before


def test_a_full_disk_leaves_photos_where_they_are(root: Path, away: Path) -> None:
    if away.parent.stat().st_dev == root.stat().st_dev:
        pytest.skip("a link takes no room")
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, GROUP), away)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, limits[1]))
    try:
        done = apply_plan(plan, root.parent / "undo.jsonl", ignore)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [move.path for move in done.moved] == ["b.jpg"]
    assert done.staying == (Staying("sub/c.jpg", "File too large"),)
    assert list(read_tree(away)) == ["b.jpg"]
    undo_moves(root.parent / "undo.jsonl", ignore)
    assert read_tree(root) == before
