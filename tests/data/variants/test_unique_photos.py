import tracemalloc
from pathlib import Path

import pytest

from seentwice.data.variants.unique import find_unique
from seentwice.errors import UserError


def ignore(done: int, total: int) -> None:
    pass


def test_each_content_comes_once_and_the_others_are_named(tmp_path: Path) -> None:
    for name, content in {
        "b/1.jpg": b"one",
        "a/2.jpg": b"one",
        "a/3.png": b"two",
        "c/4.jpg": b"one",
        "c/5.jpg": b"longer",
        "c/6.jpg": b"",
        "c/7.jpg": b"",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "d.jpg").symlink_to("nowhere")
    calls = []
    found = find_unique(tmp_path, lambda done, total: calls.append((done, total)))
    assert found.keys == ("a/2.jpg", "a/3.png", "c/5.jpg", "c/6.jpg", "c/7.jpg")
    assert found.repeated == (("b/1.jpg", "a/2.jpg"), ("c/4.jpg", "a/2.jpg"))
    assert [file.path.name for file in found.unreadable] == ["d.jpg"]
    assert calls == [(n, 4) for n in range(1, 5)]  # a/3.png is as long as the others


def test_the_fingerprint_follows_names_and_sizes(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"one")
    seen = [find_unique(tmp_path, ignore).fingerprint for _ in range(2)]
    (tmp_path / "2.jpg").write_bytes(b"two")
    seen.append(find_unique(tmp_path, ignore).fingerprint)
    (tmp_path / "2.jpg").write_bytes(b"three")
    seen.append(find_unique(tmp_path, ignore).fingerprint)
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3


def test_the_first_in_the_order_of_keys_is_kept_whatever_the_sizes(tmp_path: Path) -> None:
    for name, content in {"1": b"bbb", "2": b"a", "3": b"bbb", "4": b"a", "5": b"cc"}.items():
        (tmp_path / f"{name}.png").write_bytes(content)
    found = find_unique(tmp_path, ignore)
    assert found.keys == ("1.png", "2.png", "5.png")
    assert found.repeated == (("3.png", "1.png"), ("4.png", "2.png"))


def test_memory_holds_names_alone(tmp_path: Path) -> None:
    photos = 2000
    for number in range(photos):
        (tmp_path / f"home_{number:04}_1.jpg").write_bytes(f"{number:04}".encode())
    find_unique(tmp_path, ignore)  # what is made once
    tracemalloc.start()
    try:
        found = find_unique(tmp_path, ignore)
        held_bytes, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.keys) == photos
    letters = sum(map(len, found.keys))
    assert held_bytes - letters < 90 * photos
    assert peak_bytes - letters < 700 * photos


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no photo"):
        find_unique(tmp_path, ignore)
