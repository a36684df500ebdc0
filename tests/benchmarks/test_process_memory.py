import subprocess
import sys

import pytest
from process_memory import run_sampled

HOLD = """
import subprocess, sys, time
held = bytearray(b"x") * (48 << 20)
if len(sys.argv) < 2:
    subprocess.run([sys.executable, *sys.orig_argv[1:], "inner"], check=True)
    print("done", __import__("os").environ["ASKED"])
else:
    time.sleep(1)
"""


def test_memory_of_a_program_counts_what_it_starts(tmp_path):
    ran = run_sampled([sys.executable, "-c", HOLD], tmp_path, {"ASKED": "yes"})

    assert ran.output == "done yes\n"
    assert 96 < ran.peak_mib < 250
    assert ran.seconds > 1


def test_a_program_that_fails_is_told(tmp_path):
    with pytest.raises(subprocess.CalledProcessError, match="3"):
        run_sampled([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, {})
