"""Whole checkpoints as programs of other formats: ONNX, and what torch.export writes.

A program is loaded again and compared with the net before its file takes its name.
"""

import io
import json
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.files import open_atomically
from seentwice.models.pair_scorer import PairScorer

TOLERANCE = 1e-4
"""Of a probability, between the net and a program: of another order of float32's additions."""
ROUNDINGS = 20
"""How many times float32's own error a program may be away where that is more: of noise, which is
no photo, some nets make numbers of which float32 keeps little."""
METADATA = "seentwice"
"""The name under which a program holds JSON about itself."""

_ONNX_BYTES = 2_000_000_000  # a little below what protobuf holds in one file
_ONNX_WORDS = "left, right: n photos each; score: n probabilities that a pair is of one place"
_COUNTS = (1, 2, 5)  # pairs at once, of which a program must take any number
_SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)

Score = Callable[[Tensor, Tensor], Tensor]
"""A program: photos (n, 3, h, w), (n, 3, h, w) -> probabilities (n,)."""


@dataclass(frozen=True, slots=True)
class Program:
    """What was written and checked."""

    largest_difference: float  # of a probability from the net's
    pairs: int  # that were compared
    lowest: float  # of their probabilities
    highest: float


def write_program(
    scorer: PairScorer, height_px: int, width_px: int, about: Mapping[str, object], path: Path
) -> Program:
    """Write a scorer as a program `score(left, right)`, and check what was written.

    Args:
        scorer: of a checkpoint.
        height_px: of the photos that it takes.
        width_px: likewise.
        about: what the file says of itself, as JSON.
        path: ends in a key of `SUFFIXES`; what it held is replaced, but not after an error.

    Raises:
        UserError: another suffix, packages that are not installed, a part that cannot be exported,
            or a program that gives other numbers than the net.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: choose a name that ends in {' or '.join(SUFFIXES)}")
    write, read = SUFFIXES[path.suffix]
    pairs = _pairs_to_try(height_px, width_px)
    expected = _expect(scorer, pairs)
    data = write(scorer, (height_px, width_px), json.dumps(about, ensure_ascii=True))
    with open_atomically(path) as file:
        file.write(data)
        file.flush()
        # What is on the disk now, under the name that it has until it is checked.
        return _compare(read(Path(file.name).read_bytes()), pairs, expected, path)


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a program should give for some pairs."""

    score: Tensor  # (n,) the net's
    limit: float  # how far off it may be


def _expect(scorer: PairScorer, pairs: Sequence[tuple[Tensor, Tensor]]) -> list[_Expected]:
    exact = deepcopy(scorer).double()
    expected = []
    with torch.no_grad():
        for left, right in pairs:
            score = scorer(left, right)
            if not score.isfinite().all():
                raise UserError(
                    "the checkpoint gives scores that are no numbers, so it is not exported"
                )
            rounded = float((score - exact(left.double(), right.double())).abs().max())
            expected.append(_Expected(score, max(TOLERANCE, ROUNDINGS * rounded)))
    return expected


def _pairs_to_try(height_px: int, width_px: int) -> list[tuple[Tensor, Tensor]]:
    """Return pairs of photos: smooth, black, white and grey ones, noise, and from one to another.

    Of a trained net, unrelated photos give 0 and one photo twice gives 1, where a fault hardly
    shows: those that are blended by more and more of another photo come through all between.
    """
    generator = torch.Generator().manual_seed(0)
    size = 3, height_px, width_px
    noise = [torch.randn(2, count, *size, generator=generator) for count in (*_COUNTS, 1)]
    pairs = [(_smooth(left), _smooth(right)) for left, right in noise]
    one, other = pairs.pop()
    blended = torch.cat([one + share * (other - one) for share in _SHARES])
    flat = torch.cat([torch.full((1, *size), value) for value in (-2.0, 0.0, 2.0)])
    left, right = noise[-2]
    return [
        *pairs,
        (one.repeat(len(blended), 1, 1, 1), blended),
        (flat, flat.flip(0)),
        (left, right),
    ]


def _smooth(photos: Tensor) -> Tensor:
    blocks = nn.functional.avg_pool2d(photos, 8, ceil_mode=True)
    return 8 * nn.functional.interpolate(blocks, photos.shape[-2:], mode="bilinear")


def _compare(
    program: Score,
    pairs: Sequence[tuple[Tensor, Tensor]],
    expected: Sequence[_Expected],
    path: Path,
) -> Program:
    largest = 0.0
    for (left, right), wanted in zip(pairs, expected, strict=True):
        score = wanted.score
        try:
            with torch.no_grad():
                given = program(left, right)
        except Exception as error:  # whatever another runtime raises
            raise UserError(
                f"{path}: the program does not run ({one_line(error)}), so it was not kept"
            ) from error
        if given.shape != score.shape or given.dtype != score.dtype:
            raise UserError(
                f"{path}: the program gives {given.dtype} {tuple(given.shape)} instead of "
                f"{score.dtype} {tuple(score.shape)}, so it was not kept"
            )
        apart = float((given - score).abs().nan_to_num(math.inf).max())
        if apart > wanted.limit:
            raise UserError(
                f"{path}: the program differs from the checkpoint by {apart:.2g} of a probability, "
                f"more than {wanted.limit:.2g}, so it was not kept"
            )
        largest = max(largest, apart)
    scores = torch.cat([one.score for one in expected])
    return Program(largest, len(scores), float(scores.min()), float(scores.max()))


def _trace(module: nn.Module, example: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    """Record what a module computes of any number of rows.

    Args:
        module: is run once.
        example: its inputs, each a tensor of its own: one that is given twice is taken for one.
    """
    count = torch.export.Dim("n")
    return torch.export.export(
        module, example, dynamic_shapes=tuple({0: count} for _ in example), strict=False
    )


def _write_pt2(scorer: PairScorer, size: tuple[int, int], about: str) -> bytes:
    photos = torch.zeros(2, 3, *size)
    with _explain(scorer, photos, _trace):
        program = _trace(scorer, (photos, photos.clone()))
        buffer = io.BytesIO()
        torch.export.save(program, buffer, extra_files={METADATA: about})
    return buffer.getvalue()


def _read_pt2(data: bytes) -> Score:
    loaded = torch.export.load(io.BytesIO(data))
    run: Score = loaded.module()
    return run


def _write_onnx(scorer: PairScorer, size: tuple[int, int], about: str) -> bytes:
    try:
        import onnx
        import onnxruntime  # noqa: F401  # before the work, not after it
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(
            "ONNX is not installed: pip install 'seentwice[export]', or write a .pt2 file"
        ) from error
    weights = sum(tensor.nbytes for tensor in scorer.state_dict().values())
    if weights > _ONNX_BYTES:
        raise UserError(
            f"{weights:,} bytes of weights are more than one ONNX file holds; write a .pt2 file"
        )
    photos = torch.zeros(2, 3, *size)
    with _explain(scorer, photos, _to_onnx):
        proto = _to_onnx(scorer, (photos, photos.clone())).model_proto
    onnx.helper.set_model_props(proto, {METADATA: about})
    proto.producer_name, proto.model_version = "seentwice", 1
    proto.doc_string = f"{_ONNX_WORDS}; how photos are preprocessed: metadata {METADATA}"
    _name_first_axis(proto.graph)
    data: bytes = proto.SerializeToString()
    return data


def _name_first_axis(graph: Any) -> None:
    """Give the number of pairs, in the inputs and whatever has it, the name n: torch numbers it."""
    given = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*graph.input, *graph.output, *graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param == given:
                axis.dim_param = "n"


def _to_onnx(module: nn.Module, example: tuple[Tensor, ...]) -> torch.onnx.ONNXProgram:
    names = ["left", "right"][: len(example)]
    program = torch.onnx.export(
        _trace(module, example),
        input_names=names,
        output_names=["score"],
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    assert program is not None
    return program


def _read_onnx(data: bytes) -> Score:
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

    def run(left: Tensor, right: Tensor) -> Tensor:
        (score,) = session.run(["score"], {"left": left.numpy(), "right": right.numpy()})
        return torch.from_numpy(np.asarray(score))

    return run


@contextmanager
def _explain(
    scorer: PairScorer, photos: Tensor, convert: Callable[[nn.Module, Any], object]
) -> Iterator[None]:
    """Name the part that cannot be exported.

    Raises:
        UserError: the block failed.
    """
    try:
        # Theirs, of what the exporter itself uses.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        part = _find_part(scorer, photos, convert)
        raise UserError(f"{part} cannot be exported: {one_line(error)}") from error


def _find_part(
    scorer: PairScorer, photos: Tensor, convert: Callable[[nn.Module, Any], object]
) -> str:
    with torch.no_grad():
        features = scorer.trunk(scorer.frozen(photos))
        embeddings = scorer.tower(features)
    parts: tuple[tuple[str, nn.Module, tuple[Tensor, ...]], ...] = (
        ("the backbone", nn.Sequential(scorer.frozen, scorer.trunk), (photos,)),
        (f"the tower ({type(scorer.tower).__name__})", scorer.tower, (features,)),
        (f"the head ({type(scorer.head).__name__})", scorer.head, (embeddings, embeddings.clone())),
    )
    for name, module, example in parts:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                convert(module, example)
        except Exception:
            return name
    return "the net"


SUFFIXES: Mapping[
    str,
    tuple[Callable[[PairScorer, tuple[int, int], str], bytes], Callable[[bytes], Score]],
] = {".onnx": (_write_onnx, _read_onnx), ".pt2": (_write_pt2, _read_pt2)}
