import csv
import os
from pathlib import Path

import pytest
from moved_photos import OLD_NS, find_duplicates, match, write_file

from seentwice.dedupe.findings import Duplicates
from seentwice.dedupe.moving.plan import Move, Staying, plan_moves
from seentwice.dedupe.moving.plan_files import COLUMNS, describe_plan, write_plan_csv
from seentwice.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg", "sub/c.jpg", "d.jpg"):
        write_file(tmp_path / "root" / name, name.encode())
    return tmp_path / "root"


def reasons(plan):
    return {photo.path: photo.reason for photo in plan.staying}


def test_all_but_the_first_photo_of_a_group_move_to_their_paths(root: Path, tmp_path: Path) -> None:
    found = find_duplicates(root, ["b.jpg", "a.jpg", "sub/c.jpg"])
    plan = plan_moves(found, tmp_path / "away")
    kept, first, second = found.groups[0].photos
    assert (plan.root, plan.to, plan.staying) == (root, tmp_path / "away", ())
    assert plan.moves == (
        Move("a.jpg", "b.jpg", 5, OLD_NS + 5, 0o640, first.sha256, kept.sha256),
        Move("sub/c.jpg", "b.jpg", 9, OLD_NS + 9, 0o640, second.sha256, kept.sha256),
    )
    assert not plan.to.exists()


def test_a_chain_of_matches_moves_nothing(root: Path, tmp_path: Path) -> None:
    matches = (match("a.jpg", "b.jpg"), match("b.jpg", "sub/c.jpg"), match("d.jpg", "a.jpg"))
    found = find_duplicates(root, ["a.jpg", "b.jpg", "d.jpg", "sub/c.jpg"], matches=matches)
    plan = plan_moves(found, tmp_path / "away")
    assert [move.path for move in plan.moves] == ["b.jpg", "d.jpg"]
    assert plan.staying == (Staying("sub/c.jpg", "does not match a.jpg itself"),)


def test_other_names_of_the_kept_file_stay(root: Path, tmp_path: Path) -> None:
    (root / "hard.jpg").hardlink_to(root / "a.jpg")
    (root / "soft.jpg").symlink_to("a.jpg")
    found = find_duplicates(root, ["a.jpg", "hard.jpg", "soft.jpg"])
    plan = plan_moves(found, tmp_path / "away")
    same = "is the same file as a.jpg, under another name"
    assert plan.moves == ()
    assert reasons(plan) == {"hard.jpg": same, "soft.jpg": same}


def test_what_a_kept_link_leads_to_stays(root: Path, tmp_path: Path) -> None:
    (root / "soft.jpg").symlink_to("b.jpg")
    plan = plan_moves(find_duplicates(root, ["soft.jpg", "a.jpg", "b.jpg"]), tmp_path / "away")
    assert [move.path for move in plan.moves] == ["a.jpg"]
    assert reasons(plan) == {"b.jpg": "is the same file as soft.jpg, under another name"}


def test_links_and_what_they_lead_to_stay(root: Path, tmp_path: Path) -> None:
    (root / "soft.jpg").symlink_to("b.jpg")
    (root / "out.jpg").symlink_to(write_file(tmp_path / "elsewhere.jpg"))
    found = find_duplicates(root, ["a.jpg", "b.jpg", "out.jpg", "soft.jpg"])
    plan = plan_moves(found, tmp_path / "away")
    assert plan.moves == ()
    assert reasons(plan) == {
        "b.jpg": "soft.jpg is a link to it",
        "out.jpg": "is a link",
        "soft.jpg": "is a link",
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.unlink(), "cannot be looked at any more (No such file or directory)"),
        (lambda path: path.write_bytes(b"B.jpg"), "changed since it was found"),
        (lambda path: path.write_bytes(b"more bytes"), "changed since it was found"),
    ],
)
def test_a_photo_that_changed_stays(root: Path, tmp_path: Path, change, reason) -> None:
    found = find_duplicates(root, ["a.jpg", "b.jpg"])
    change(root / "b.jpg")
    assert reasons(plan_moves(found, tmp_path / "away")) == {"b.jpg": reason}


def test_nothing_moves_in_favour_of_a_photo_that_is_gone(root: Path, tmp_path: Path) -> None:
    found = find_duplicates(root, ["a.jpg", "b.jpg"])
    (root / "a.jpg").unlink()
    plan = plan_moves(found, tmp_path / "away")
    assert reasons(plan) == {"b.jpg": "a.jpg, which was to be kept, is gone"}


def test_a_photo_whose_name_is_taken_stays(root: Path, tmp_path: Path) -> None:
    taken = tmp_path / "away" / "b.jpg"
    taken.parent.mkdir()
    taken.symlink_to("nowhere")
    plan = plan_moves(find_duplicates(root, ["a.jpg", "b.jpg"]), tmp_path / "away")
    assert reasons(plan) == {"b.jpg": f"its name is taken: {taken}"}


def test_a_photo_outside_the_root_stays(root: Path, tmp_path: Path) -> None:
    write_file(tmp_path / "e.jpg")
    plan = plan_moves(find_duplicates(root, ["a.jpg", "../e.jpg"]), tmp_path / "away")
    assert reasons(plan) == {"../e.jpg": f"../e.jpg is not below {root}"}
    plan = plan_moves(find_duplicates(root, ["../e.jpg", "a.jpg"]), tmp_path / "away")
    assert reasons(plan) == {"a.jpg": f"../e.jpg is not below {root}"}


@pytest.mark.parametrize("to", ["root", "root/sub", "root/new/folder", ".", "link/new"])
def test_a_folder_in_the_root_or_around_it_is_refused(root: Path, tmp_path: Path, to: str) -> None:
    (tmp_path / "link").symlink_to("root/sub")
    with pytest.raises(UserError, match=r"^\S+ is in \S+ or around it.*name a folder beside it$"):
        plan_moves(find_duplicates(root, ["a.jpg", "b.jpg"]), tmp_path / to)


def test_a_file_is_no_folder_to_move_to(root: Path) -> None:
    with pytest.raises(UserError, match=r"d.jpg is no folder; name another one to move to$"):
        plan_moves(find_duplicates(root, ["a.jpg", "b.jpg"]), root / "d.jpg")


def test_a_relative_root_is_planned_as_an_absolute_one(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = plan_moves(find_duplicates(Path("root"), ["a.jpg", "sub/c.jpg"]), Path("away"))
    assert (plan.root, plan.to) == (root, tmp_path / "away")
    assert [move.path for move in plan.moves] == ["sub/c.jpg"]


def test_a_plan_is_shown_as_lines_and_as_a_table(root: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(b"od\xe9\n\r,.jpg")
    write_file(root / odd, b"an odd one")
    (root / "soft.jpg").symlink_to("b.jpg")
    found = find_duplicates(root, ["a.jpg", odd, "soft.jpg"])
    plan = plan_moves(found, tmp_path / "away")
    shown = r"od\udce9\n\r,.jpg"
    assert list(describe_plan(plan)) == [
        f"{shown} -> {tmp_path}/away/{shown} (kept: a.jpg)",
        "soft.jpg stays: is a link",
        "1 photo to move (10 bytes), 1 to stay",
    ]
    write_plan_csv(tmp_path / "plan.csv", plan)
    spelled = odd.replace("\udce9", r"\udce9")
    with (tmp_path / "plan.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert rows == [
        list(COLUMNS),
        ["yes", spelled, "a.jpg", f"{tmp_path}/away/{spelled}", "10", ""],
        ["no", "soft.jpg", "", "", "", "is a link"],
    ]


def test_no_group_gives_an_empty_plan(root: Path, tmp_path: Path) -> None:
    plan = plan_moves(Duplicates(root, (), (), 4, 0, ()), tmp_path / "away")
    assert (plan.moves, plan.staying) == ((), ())
    assert list(describe_plan(plan)) == ["0 photos to move (0 bytes), 0 to stay"]
