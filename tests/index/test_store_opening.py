import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from photo_rows import META, make_row, read_all

from seentwice.errors import UserError
from seentwice.index.database import FILE, SCHEMA
from seentwice.index.store import PhotoStore

KEYS = [f"{number:03d}.jpg" for number in range(200)]


def tell_nobody():
    pass


def open_store(folder, meta=META):
    return PhotoStore.open(folder, meta, tell_nobody)


def fill(folder):
    with open_store(folder) as store:
        store.write([make_row(key) for key in KEYS])
        digests = store.read_columns(["sha256"])["sha256"]
        store.write_embeddings("a", digests, digests[:, :8])


def execute(folder, statement, *values):
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(statement, values)


def read_every_way(folder):
    with PhotoStore.open_to_read(folder, tell_nobody) as store:
        read_all(store)
        digests = store.read_columns(["sha256"])["sha256"]
        for fingerprint in store.list_fingerprints():
            store.read_embeddings(fingerprint, digests)


def read_or_be_told(folder):
    """The error of an index that cannot be read, or its rows."""
    try:
        with PhotoStore.open_to_read(folder, tell_nobody) as store:
            return "", read_all(store)
    except UserError as error:
        return str(error), None


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        (replace(META, root="/ot\nher"), r"has root /photos, this run /ot\\nher; choose another"),
        (replace(META, hash_names=("dhash",)), r"has hash_names \('dhash', 'phash'\), this run"),
        (replace(META, decoding="full"), "has decoding blocks, this run full; .* or delete this"),
        (replace(META, signature_bytes=9), "has signature_bytes 4, this run 9"),
    ],
)
def test_a_table_of_other_photos_or_ways_is_told_by_both_values(tmp_path, meta, told):
    fill(tmp_path)
    with pytest.raises(UserError, match=told):
        open_store(tmp_path, meta)
    with open_store(tmp_path) as store:
        assert len(read_all(store)) == len(KEYS)


def test_whoever_reads_learns_the_meta_from_the_table(tmp_path):
    root = os.fsdecode(b"/caf\xe9\n")
    open_store(tmp_path, replace(META, root=root)).close()
    with PhotoStore.open_to_read(tmp_path, tell_nobody) as store:
        assert store.meta == replace(META, root=root)


def test_a_table_of_a_later_version_is_told_with_what_to_do(tmp_path):
    fill(tmp_path)
    execute(tmp_path, f"PRAGMA user_version={SCHEMA + 1}")
    for opened in (open_store, read_every_way):
        with pytest.raises(UserError, match=r"another version .* delete this folder and run again"):
            opened(tmp_path)


def test_a_file_of_another_program_is_left_alone(tmp_path):
    execute(tmp_path, "CREATE TABLE theirs (name TEXT)")
    before = (tmp_path / FILE).read_bytes()
    for opened in (open_store, read_every_way):
        with pytest.raises(UserError, match=r"photos\.sqlite is another program's; choose another"):
            opened(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to be looked at" * 100)
    before = (tmp_path / FILE).read_bytes()
    for opened in (open_store, read_every_way):
        with pytest.raises(UserError, match=r"the index is damaged .*; delete this folder and run"):
            opened(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_an_index_that_is_not_there_is_told_to_whoever_reads(tmp_path):
    with pytest.raises(UserError, match=r"holds no index of photos .*seentwice dedupe"):
        PhotoStore.open_to_read(tmp_path / "none", tell_nobody)
    (tmp_path / FILE).touch()
    with pytest.raises(UserError, match="the index is empty; run seentwice dedupe"):
        PhotoStore.open_to_read(tmp_path, tell_nobody)
    with open_store(tmp_path) as store:  # as a run left it that was killed as it began
        assert read_all(store) == {}


def test_a_damaged_file_is_told_or_gives_what_was_written(tmp_path):
    fill(tmp_path)
    _, expected = read_or_be_told(tmp_path)
    path = tmp_path / FILE
    whole = path.read_bytes()
    outcomes = set()
    for seed in range(60):
        data = bytearray(whole)
        place = (seed * 2_654_435_761) % len(data)
        data[place : place + 64] = bytes(byte ^ 0xA5 for byte in data[place : place + 64])
        path.write_bytes(data)
        told, found = read_or_be_told(tmp_path)
        assert found == expected or told.startswith(f"{tmp_path}: ")
        assert "\n" not in told
        outcomes.add(found is None)
    assert outcomes == {True, False}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_file_that_was_cut_is_told(tmp_path, share):
    fill(tmp_path)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UserError, match=r"damaged|empty"):
        read_every_way(tmp_path)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE column_hash_dhash SET sum = sum + 1", "hash_dhash of batch 1"),
        ("UPDATE column_key SET data = x'00'", "key of batch 1"),
        ("DELETE FROM column_reason", "reason of batch 1"),
        ("UPDATE batch SET bits = x'00'", "batch 1"),
        ("UPDATE batch SET live = 100", "batch 1"),
        ("UPDATE batch SET rows = 100, live = 100", "of batch 1"),
        ("UPDATE batch SET rows = 1 << 60, live = 1 << 60", "batch 1"),
        ("UPDATE vectors SET value_sum = 0", "vectors 1"),
        ("UPDATE vectors SET digest_sum = 0", "digests of vectors 1"),
        ("UPDATE vectors SET rows = 3", "vectors 1"),
        ("DROP TABLE column_width", "no such table: column_width"),
        ("DELETE FROM about", "its description"),
        ("UPDATE about SET meta = '{'", "its description"),
        ("UPDATE about SET meta = '{}'", "its description"),
    ],
)
def test_what_is_not_what_was_written_is_told_with_its_place(tmp_path, statement, what):
    fill(tmp_path)
    execute(tmp_path, statement)
    with pytest.raises(UserError, match=f"the index is damaged .*{what}.*; delete this folder"):
        read_every_way(tmp_path)


def test_a_place_that_is_wrong_is_told_to_whoever_writes(tmp_path):
    fill(tmp_path)
    execute(tmp_path, "UPDATE place SET place = place + (7 << 32)")
    with open_store(tmp_path) as store:
        with pytest.raises(UserError, match=r"damaged \(batch 8\); delete this folder"):
            store.write([make_row(KEYS[0], 1)])
        assert len(read_all(store)) == len(KEYS)


@pytest.mark.parametrize("address", ["s3://bucket/index", "gs://bucket/index", "https://a/b"])
def test_an_address_is_refused_before_a_folder_is_made(tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    for opened in (open_store, read_every_way):
        with pytest.raises(UserError, match="an index is a folder of this machine; give the path"):
            opened(Path(address))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_name_is_odd_is_one_like_any_other(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9 ?mode=ro&#%25\n")
    fill(folder)
    read_every_way(folder)
    assert (folder / FILE).is_file()


def test_a_file_where_the_folder_should_be_is_told(tmp_path):
    (tmp_path / "index").touch()
    with pytest.raises(UserError, match=r"index cannot be written .*choose another folder"):
        open_store(tmp_path / "index")


@pytest.fixture
def locked_folder(tmp_path):
    """A full index in a folder that this account cannot write."""
    fill(tmp_path)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(tmp_path, os.W_OK):
        tmp_path.chmod(stat.S_IRWXU)
        pytest.skip("this account writes everywhere")
    yield tmp_path
    tmp_path.chmod(stat.S_IRWXU)


def test_an_index_that_is_not_ours_to_write_is_read(locked_folder):
    read_every_way(locked_folder)
    with pytest.raises(UserError, match="let your account write there"):
        open_store(locked_folder)
