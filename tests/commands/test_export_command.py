import json
import shutil
from pathlib import Path

import onnxruntime
import pytest
import torch

from seentwice.commands.export import SUFFIXES
from seentwice.commands.main import main
from seentwice.models import program_files
from seentwice.models.checkpoint import CHECKPOINT_FILE, read_record


@pytest.fixture(scope="module")
def trained(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    words = ["data=folder", f"data.root={few_rooms}", "training.epochs=1", "workers=1"]
    quick = ["training.batches_per_epoch=1", "training.places_per_batch=6"]
    assert main(["train", *words, *quick, f"hydra.run.dir={folder}"]) == 0
    return folder


def test_both_formats_give_one_score(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = read_record(trained / CHECKPOINT_FILE)
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(3, 3, 72, 96, generator=generator) for _ in range(2))
    scores, abouts = [], []
    for name in ("net.onnx", "net.pt2"):
        assert main(["export", str(trained), str(tmp_path / name)]) == 0
        said = capsys.readouterr().out
        assert f"{tmp_path / name}: " in said
        assert "score(left, right) of float32 (n, 3, 72, 96); threshold" in said
        assert "(tolerance 0.0001, or 20 times the error of float32)" in said
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    scores.append(session.run(None, {"left": left.numpy(), "right": right.numpy()})[0])
    abouts.append(session.get_modelmeta().custom_metadata_map["seentwice"])
    extra = {"seentwice": ""}
    program = torch.export.load(tmp_path / "net.pt2", extra_files=extra).module()
    scores.append(program(left, right).numpy())
    abouts.append(extra["seentwice"])
    assert abs(scores[0] - scores[1]).max() < 2e-4
    assert abouts[0] == abouts[1]
    about = json.loads(abouts[0])
    assert about["threshold"] == record.threshold
    assert about["preprocessing"]["height_px"] == 72
    assert about["preprocessing"]["mean"] == [0.5, 0.5, 0.5]
    assert "learned_photos" not in abouts[0]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["gone", "net.onnx"], "checkpoint gone: no such file; give the checkpoint.safetensors"),
        (["F", "net.pt"], "net.pt: choose a name that ends in .onnx or .pt2"),
        (["F", "no/net.pt2"], "no/net.pt2: 'no' is no folder; make it"),
        (["F"], "the following arguments are required: OUT"),
        (["F", "net.pt2", "weights=x"], "weights=x: no such argument; give --weights x"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str],
    complaint: str,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(trained / CHECKPOINT_FILE, tmp_path / "F")
    assert main(["export", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"seentwice export: {complaint}")
    assert [file.name for file in tmp_path.iterdir()] == ["F"]


def test_the_command_knows_the_formats() -> None:
    assert set(SUFFIXES) == set(program_files.SUFFIXES)
