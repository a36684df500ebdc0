"""Run a program, and sample the memory of it and of all processes that it starts."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

import psutil

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program took."""

    seconds: float
    peak_mib: float  # of all its processes at once; pages that they share count once
    output: str


def run_sampled(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> Ran:
    """Run a program to its end.

    Args:
        command: its words.
        folder: to run it in.
        settings: variables of its environment, beside those of this process.

    Raises:
        CalledProcessError: it ended with another code than 0.
    """
    start = perf_counter()
    peak = 0
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | settings, stdout=subprocess.PIPE, text=True
    ) as process:
        top = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, sum_memory(top))
            sleep(SAMPLE_SECONDS)
        seconds = perf_counter() - start
        output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Ran(seconds, peak / 2**20, output)


def sum_memory(top: psutil.Process) -> int:
    """Return the bytes of a process and its descendants: each page's share (PSS)."""
    total = 0
    try:
        processes = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):  # ended since
            continue
    return total
