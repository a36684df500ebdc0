"""Whatever a file holds: one line says what is wrong, nothing runs, and no memory is taken."""

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save
from small_checkpoints import small_record

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.checkpoint import (
    FORMAT,
    load_checkpoint,
    read_record,
    save_checkpoint,
)
from seentwice.models.checkpoint_file import LONGEST_HEADER
from seentwice.models.nets import build_siamese
from seentwice.models.trunk import Trunk


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    return build_trunk("compact", "none", "average", 0, "eval", 3)


@pytest.fixture(scope="module")
def whole(trunk: Trunk, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small checkpoint."""
    record = small_record(trunk)
    path = tmp_path_factory.mktemp("whole") / "a.safetensors"
    save_checkpoint(path, build_siamese(record.architecture, trunk, 9), record)
    return path.read_bytes()


@pytest.fixture(scope="module")
def open_bytes(trunk: Trunk, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], None]:
    """Load a checkpoint of these bytes."""
    path = tmp_path_factory.mktemp("opened") / "a.safetensors"

    def open_one(data: bytes) -> None:
        path.write_bytes(data)
        load_checkpoint(path, read_record(path), trunk)

    return open_one


def complaint(open_bytes: Callable[[bytes], None], data: bytes) -> str:
    with pytest.raises(UserError) as raised:
        open_bytes(data)
    said = str(raised.value)
    assert "\n" not in said
    assert "a.safetensors: " in said
    return said


def header_end(data: bytes) -> int:
    return 8 + int.from_bytes(data[:8], "little")


def parts(data: bytes) -> tuple[dict, bytes]:
    end = header_end(data)
    return json.loads(data[8:end]), data[end:]


def joined(header: dict | bytes, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def test_the_whole_file_opens(whole: bytes, open_bytes: Callable[[bytes], None]) -> None:
    open_bytes(whole)
    open_bytes(joined(*parts(whole)))


def test_a_file_that_is_cut_at_any_boundary_is_told(
    whole: bytes, open_bytes: Callable[[bytes], None]
) -> None:
    header, _ = parts(whole)
    end = header_end(whole)
    ends = {
        end + offset
        for name in header
        if name != "__metadata__"
        for offset in header[name]["data_offsets"]
    }
    cuts = {0, 1, 7, 8, 9, 10, end - 1, end, end + 1, len(whole) - 1, *ends} - {len(whole)}
    for cut in sorted(cuts):
        complaint(open_bytes, whole[:cut])
    complaint(open_bytes, whole + b"\0")


def test_any_flipped_bit_is_told(whole: bytes, open_bytes: Callable[[bytes], None]) -> None:
    # Each seventh byte of the header, each time another bit of it; and some of the weights.
    places = [*range(0, header_end(whole), 7), *range(header_end(whole), len(whole), 97)]
    for step, place in enumerate(places):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (step % 8)
        complaint(open_bytes, bytes(flipped))


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_told(open_bytes: Callable[[bytes], None], data: bytes) -> None:
    complaint(open_bytes, data)


@settings(max_examples=30, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=8,
    )
)
def test_any_json_for_a_header_or_a_record_is_told(
    open_bytes: Callable[[bytes], None], value: object
) -> None:
    text = json.dumps(value).encode()
    complaint(open_bytes, joined(text, b""))
    metadata = {"format": FORMAT, "seentwice": text.decode()}
    complaint(open_bytes, joined({"__metadata__": metadata}, b""))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04" + bytes(60), "it looks like a zip archive, such as torch.save writes"),
        (b"\x80\x04\x95" + bytes(60), "it looks like a pickle"),
        (b"<!DOCTYPE html><title>Sign in</title>", "it looks like a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "it looks like a pointer of Git LFS"),
        (b"", "it ends after 0 bytes"),
        (b"hello", "it is no safetensors file at all"),
        (b"a text that is longer than a header's length\n" * 9, "it is no safetensors file at all"),
        (struct.pack("<Q", 100 * 10**9) + b"{}", "its header claims 100,000,000,000 bytes"),
        (struct.pack("<Q", 2**64 - 1) + b"{}", "its header claims 18,446,744,073,709,551,615"),
        (struct.pack("<Q", LONGEST_HEADER) + b"{}", "it ends after 10 bytes, in its header"),
    ],
)
def test_another_kind_of_file_is_named(
    data: bytes, what: str, open_bytes: Callable[[bytes], None]
) -> None:
    said = complaint(open_bytes, data)
    assert f"not a whole safetensors file ({what}" in said
    assert said.endswith(
        "copy it again, or give the checkpoint.safetensors that seentwice train wrote"
    )


def test_a_tensor_that_claims_more_than_the_file_has_is_told(
    whole: bytes, open_bytes: Callable[[bytes], None]
) -> None:
    header, body = parts(whole)
    for elements in (10**11, 2**62):
        large = {"dtype": "F32", "shape": [elements], "data_offsets": [0, 4 * elements]}
        complaint(open_bytes, joined(header | {"head.bias": large}, body))


HUGE = {
    "embedding_size": ("architecture", 2**40),
    "height_px": ("preprocessing", 10**9),
    "trunk_seed": (None, 10**400),
    "calibration_slope": (None, 10**400),
    "threshold": (None, float("inf")),
    "std": ("preprocessing", [0.0, 1.0, 1.0]),
}


@pytest.mark.parametrize("key", sorted(HUGE))
def test_a_huge_number_is_told_before_a_net_is_built(
    key: str, whole: bytes, open_bytes: Callable[[bytes], None]
) -> None:
    section, value = HUGE[key]
    header, body = parts(whole)
    metadata = header["__metadata__"]
    record = json.loads(metadata["seentwice"])
    (record if section is None else record[section])[key] = value
    metadata["seentwice"] = json.dumps(record)
    start, end = header["learned_photos"]["data_offsets"]
    signed = hashlib.sha256(metadata["seentwice"].encode() + body[start:end])
    metadata["record_sha256"] = signed.hexdigest()
    said = complaint(open_bytes, joined(header, body))
    assert "its record is damaged" in said
    assert key in said


def test_a_changed_number_is_told_by_its_sha256(
    whole: bytes, open_bytes: Callable[[bytes], None]
) -> None:
    header, body = parts(whole)
    changed = header["__metadata__"]["seentwice"].replace('"threshold": 0.5', '"threshold": 0.4')
    assert changed != header["__metadata__"]["seentwice"]
    header["__metadata__"]["seentwice"] = changed
    said = complaint(open_bytes, joined(header, body))
    assert "its record is damaged (it is not the one that was written)" in said


def test_many_learned_photos_make_no_longer_header(
    whole: bytes, trunk: Trunk, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    names = tuple(f"{number:016x}" for number in range(2**64 - 50_000, 2**64))
    record = replace(small_record(trunk), learned_photos=names)
    save_checkpoint(path, build_siamese(record.architecture, trunk, 9), record)
    assert header_end(path.read_bytes()) < header_end(whole) + 50
    assert read_record(path).learned_photos == names


def test_learned_photos_of_another_shape_are_told(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(whole)
    state = load_file(path) | {"learned_photos": torch.zeros(2, 2, dtype=torch.int64)}
    header, _ = parts(whole)
    path.write_bytes(save(state, metadata=header["__metadata__"]))
    with pytest.raises(UserError, match=r"learned_photos has the shape \[2, 2\]"):
        read_record(path)
