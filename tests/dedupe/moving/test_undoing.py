import os
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moved_photos import GROUP, find_duplicates, ignore, read_tree, write_file

from seentwice.dedupe.moving.applying import apply_plan
from seentwice.dedupe.moving.plan import plan_moves
from seentwice.dedupe.moving.undoing import undo_moves
from seentwice.errors import UserError


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda root, away: (away / "b.jpg").unlink(), "is neither there nor at "),
        (lambda root, away: (away / "b.jpg").write_bytes(b"new"), "changed since it was moved: "),
        (
            lambda root, away: ((away / "b.jpg").unlink(), (away / "b.jpg").symlink_to("nowhere")),
            "changed since it was moved: ",
        ),
        (lambda root, away: (root / "b.jpg").write_bytes(b"new"), "its name is taken; what is at "),
        (
            # The same bytes, but nobody knows whose they are.
            lambda root, away: (root / "b.jpg").write_bytes(b"b.jpg" * 1000),
            "its name is taken; what is at ",
        ),
    ],
)
def test_what_cannot_be_put_back_is_told(root: Path, away: Path, change, reason: str) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), away)
    apply_plan(plan, root.parent / "undo.jsonl", ignore)
    change(root, away)
    after = read_tree(root), read_tree(away)
    undone = undo_moves(root.parent / "undo.jsonl", ignore)
    assert (undone.back, undone.in_place) == (1, 0)
    assert [photo.path for photo in undone.staying] == ["b.jpg"]
    assert reason in undone.staying[0].reason
    assert {path: file for path, file in read_tree(root).items() if path != "sub/c.jpg"} == after[0]
    assert read_tree(away) == {k: v for k, v in after[1].items() if k == "b.jpg"}


def test_folders_that_were_taken_away_are_made_again(root: Path, away: Path) -> None:
    before = read_tree(root)
    plan = plan_moves(find_duplicates(root, GROUP), away)
    apply_plan(plan, root.parent / "undo.jsonl", ignore)
    (root / "sub").rmdir()
    assert undo_moves(root.parent / "undo.jsonl", ignore).back == 2
    assert read_tree(root) == before


def test_some_lines_of_the_undo_file_put_some_photos_back(root: Path, away: Path) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), away)
    apply_plan(plan, root.parent / "undo.jsonl", ignore)
    lines = (root.parent / "undo.jsonl").read_text().splitlines(keepends=True)
    (root.parent / "some.jsonl").write_text(lines[0] + lines[2])
    assert undo_moves(root.parent / "some.jsonl", ignore).back == 1
    assert (root / "sub/c.jpg").exists()
    assert (away / "b.jpg").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [], "line 1: does not tell of moves of this version"),
        (lambda lines: lines[1:], "line 1: does not tell of moves of this version"),
        (lambda lines: [lines[0], lines[1][:20]], "line 2: no JSON object; restore it"),
        (lambda lines: [lines[0], "[]\n"], "line 2: no JSON object; restore it"),
        (lambda lines: [lines[0], "{}\n"], "line 2: tells no move; restore it"),
        (lambda lines: [lines[0], lines[1].replace("b.jpg", "../b.jpg")], "line 2: tells no move"),
        (lambda lines: [lines[0], lines[1].replace("b.jpg", "/b.jpg")], "line 2: tells no move"),
        (lambda lines: [lines[0], lines[1].replace("5000,", "true,")], "line 2: tells no move"),
        (lambda lines: [lines[0].replace(".partial", ""), lines[1]], "line 1: was changed"),
        (lambda lines: ["é\n"], "cannot be read (not a text); name the file that was written"),
    ],
)
def test_a_damaged_undo_file_moves_nothing(root: Path, tmp_path: Path, change, message) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), tmp_path / "away")
    apply_plan(plan, tmp_path / "undo.jsonl", ignore)
    lines = (tmp_path / "undo.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "undo.jsonl").write_text("".join(change(lines)))
    with pytest.raises(UserError) as caught:
        undo_moves(tmp_path / "undo.jsonl", ignore)
    assert message in str(caught.value)
    assert not (root / "b.jpg").exists()


def test_photos_are_not_put_back_where_a_disk_is_away(root: Path, away: Path) -> None:
    plan = plan_moves(find_duplicates(root, GROUP), away)
    apply_plan(plan, root.parent / "undo.jsonl", ignore)
    root.rename(root.parent / "elsewhere")
    with pytest.raises(UserError, match=r"root: no such folder, .* let its disk be there"):
        undo_moves(root.parent / "undo.jsonl", ignore)
    assert not root.exists()
    (root.parent / "elsewhere").rename(root)
    assert undo_moves(root.parent / "undo.jsonl", ignore).back == 2


def test_a_missing_undo_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"cannot be read \(No such file.*when the photos were moved"
    ):
        undo_moves(tmp_path / "undo.jsonl", ignore)


NAMES = st.sampled_from(
    [
        *(b"a.jpg", b"sub/a.jpg", b"sub/sub/b.jpg", b"c\xe9.jpg", b"new\nline.jpg", b"-rf.jpg"),
        *("ж.jpg".encode(), b"x" * 251 + b".jpg", b"sub/" + b"y" * 251 + b".jpg", b'q"uo,te.jpg'),
    ]
)
CONTENTS = st.sampled_from([b"", b"a", b"b", b"a" * 5000])


@settings(max_examples=30, deadline=None)
@given(
    files=st.dictionaries(NAMES, CONTENTS, min_size=2),
    cuts=st.sets(st.integers(1, 9)),
    data=st.data(),
)
def test_whatever_was_moved_comes_back_byte_for_byte(files, cuts, data) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, away = Path(folder, "root"), Path(folder, "away")
        for name, content in files.items():
            write_file(root / os.fsdecode(name), content)
        keys = data.draw(st.permutations([os.fsdecode(name) for name in files]))
        edges = [0, *sorted(cut for cut in cuts if cut < len(keys)), len(keys)]
        groups = [keys[low:high] for low, high in pairwise(edges)]
        before = read_tree(root)
        plan = plan_moves(find_duplicates(root, *groups), away)
        done = apply_plan(plan, Path(folder, "undo"), ignore)
        assert len(done.moved) == len(keys) - len(groups)
        assert sorted(read_tree(root)) == sorted(group[0] for group in groups)
        assert read_tree(root) | read_tree(away) == before
        if plan.moves:
            undo_moves(Path(folder, "undo"), ignore)
            assert list(away.iterdir()) == []
        assert read_tree(root) == before
