"""Write a checkpoint as one program for other software: ONNX, or torch.export."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seentwice.commands.options import OptionParser
from seentwice.commands.progress import open_console, print_plainly
from seentwice.display import name_bytes, name_count
from seentwice.errors import UserError

if TYPE_CHECKING:
    from seentwice.models.checkpoint import CheckpointRecord

ON_STOP = "nothing was written"
SUFFIXES = (".onnx", ".pt2")

_EXAMPLES = """\
  seentwice export outputs/train/RUN net.onnx      for ONNX Runtime and others: [export]
  seentwice export checkpoint.safetensors net.pt2  for torch.export.load
  seentwice export FILE net.onnx --weights trunk.safetensors
"""


def run(arguments: Sequence[str]) -> None:
    """Write the program, and say how far it is from the checkpoint."""
    parser = OptionParser(
        "export",
        "The program is score(left, right): two batches of preprocessed photos, float32\n"
        "(n, 3, height, width), to the calibrated probabilities (n,) that each pair shows one\n"
        "place. It holds the whole backbone. What is written is loaded again and compared with\n"
        "the checkpoint; where it differs, no file is left. Its metadata, JSON under the name\n"
        "seentwice, says how photos are preprocessed, and the threshold.",
        _EXAMPLES,
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="the file, or folder")
    parser.add_argument("out", type=Path, metavar="OUT", help="OUT.onnx or OUT.pt2; replaced")
    parser.add_argument(
        "--weights", metavar="FILE", help="of a frozen backbone that came from a file"
    )
    options = parser.parse(arguments)
    out: Path = options.out
    if out.suffix not in SUFFIXES:
        raise UserError(f"{out}: choose a name that ends in {' or '.join(SUFFIXES)}")
    if not out.parent.is_dir():
        raise UserError(f"{out}: {str(out.parent)!r} is no folder; make it")
    # Only now, because they bring torch, and no --help should wait for it.
    from seentwice.files import digest_file
    from seentwice.models.opened_checkpoint import open_checkpoint
    from seentwice.models.pair_scorer import PairScorer
    from seentwice.models.program_files import METADATA, ROUNDINGS, TOLERANCE, write_program

    console = open_console()
    opened = open_checkpoint(options.checkpoint, options.weights, "--weights ")
    record = opened.record
    scorer = PairScorer(
        opened.trunk, opened.net, record.calibration_slope, record.calibration_offset
    )
    about = describe_program(record, digest_file(opened.path).hex())
    size = record.preprocessing
    written = write_program(scorer, size.height_px, size.width_px, about, out)
    for line in (
        f"{out}: {name_bytes(out.stat().st_size)}, score(left, right) of float32 "
        f"(n, 3, {size.height_px}, {size.width_px}); threshold {record.threshold:.4f}",
        f"Checked: {name_count(written.pairs, 'pair', 'pairs')} with scores from "
        f"{written.lowest:.3f} to {written.highest:.3f} differ by at most "
        f"{written.largest_difference:.1g} from the checkpoint's (tolerance {TOLERANCE:g}, or "
        f"{ROUNDINGS} times the error of float32)",
        f"How photos are preprocessed is in its metadata {METADATA!r}",
        *_tell_of_passing(record),
    ):
        print_plainly(line, console)


def describe_program(record: "CheckpointRecord", sha256: str) -> dict[str, object]:
    """Return what a program says of itself: all that is needed to use it.

    Args:
        record: of the checkpoint.
        sha256: of the checkpoint's file.
    """
    photos = record.preprocessing
    samespace = photos.normalisation == "samespace"
    return {
        "format": "seentwice-program-1",
        "checkpoint_sha256": sha256,
        "preprocessing": {
            "orientation": "upright, turned as EXIF says",
            "colour": "RGB, transparent pixels on white",
            "height_px": photos.height_px,
            "width_px": photos.width_px,
            "resize": "bicubic, without keeping the proportions (Pillow)",
            "mean": list(photos.mean),
            "std": list(photos.std),
            "values": (
                "(pixel - mean) / std / 255, pixels 0 to 255"
                if samespace
                else "(pixel / 255 - mean) / std, pixels 0 to 255"
            ),
        },
        "score": "probability that both photos show one place",
        "threshold": record.threshold,
        "labels": {"below threshold": "different places", "otherwise": "the same place"},
        "backbone": record.architecture.backbone,
        "tower": record.architecture.tower,
        "head": record.architecture.head,
        "data_name": record.data_name,
        "data_fingerprint": record.data_fingerprint,
        "test_metrics": {
            name: value if value == value else None for name, value in record.test_metrics.items()
        },
        "versions": record.versions,
        "git_commit": record.git_commit,
    }


def _tell_of_passing(record: "CheckpointRecord") -> list[str]:
    """Say where the checkpoint was measured on features that were computed otherwise."""
    passing = record.passing
    exact = passing.engine == "torch" and passing.precision == record.row_type == "float32"
    if exact or not record.trunk_fingerprint:
        return []
    return [
        f"The checkpoint was measured on features by {passing.engine} in {passing.precision}, "
        f"kept as {record.row_type}; the program computes in float32"
    ]
