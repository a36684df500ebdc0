import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from numba import njit

import seentwice.hamming
from seentwice.hamming import compiled


def test_bits_are_counted_by_what_llvm_makes_the_processors_own_instruction() -> None:
    count_bits = njit("uint64(uint64)")(lambda word: compiled._count_bits(word))
    assert [count_bits(word) for word in (0, 5, 2**63, 2**64 - 1)] == [0, 2, 1, 64]
    assert all("@llvm.ctpop.i64" in text for text in count_bits.inspect_llvm().values())


def test_a_scan_goes_on_where_its_output_was_full() -> None:
    words = np.zeros(100, np.uint64)
    cursor = np.zeros(3, np.int64)
    found = 0
    while cursor[0] < len(words):
        left, right = np.empty((2, 64), np.uint64)
        found += compiled.scan_buckets(
            words, np.uint64(63), np.uint64(0), np.empty(0, np.uint64), cursor, left, right
        )
    assert found == 100 * 99 // 2


def test_a_package_that_nothing_can_be_written_beside_still_compiles(tmp_path: Path) -> None:
    folder = tmp_path / "hamming"
    folder.mkdir()
    shutil.copy(Path(seentwice.hamming.__file__).with_name("compiled.py"), folder)
    # Files where numba would make its folders: refused to root, too.
    (folder / "__pycache__").touch()
    (tmp_path / ".cache").touch()
    program = (
        "import numpy as np, compiled\n"
        "byte = np.arange(256, dtype=np.uint64)\n"
        "identity = byte << np.arange(0, 64, 8, dtype=np.uint64)[:, None]\n"
        "assert compiled.move_bits(np.array([9], np.uint64), identity)[0] == 9\n"
    )
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NUMBA_", "XDG_CACHE"))
    }
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=folder,
        env=environment | {"HOME": str(tmp_path)},
    )
