"""A registered net: what is in it, and that it scores as its checkpoint does."""

import base64
import csv
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from urllib.request import Request, urlopen

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

import seentwice
from seentwice.commands.main import main
from seentwice.detectors.photo_scorer import open_scorer
from seentwice.errors import UserError
from seentwice.learn.pair_rows import CONTENTS, PATHS, ROOT_VARIABLE
from seentwice.learn.registration import MODEL_NAME, check_registry, register_model
from seentwice.learn.tracking import RUN_FILE, track_run
from seentwice.metrics import pair_metrics
from seentwice.models.checkpoint import CHECKPOINT_FILE, read_record
from seentwice.models.opened_checkpoint import open_checkpoint

REGISTERED = "rooms-l2"  # by `registered_training`
URI = f"models:/{REGISTERED}/1"


@pytest.fixture(scope="module")
def model_folder(registered_training: Path) -> Path:
    (logged,) = registered_models(registered_training)
    return Path(logged.artifact_location.removeprefix("file://"))


@pytest.fixture
def loaded(registered_training: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    monkeypatch.setattr(sys, "path", [*sys.path])  # the model's code is put before it
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    return mlflow.pyfunc.load_model(URI)


def registered_models(training: Path) -> list:
    run = MlflowClient().get_run((training / RUN_FILE).read_text().strip())
    outputs = [output.model_id for output in run.outputs.model_outputs]
    return [MlflowClient().get_logged_model(number) for number in outputs]


def encode(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def test_a_version_names_its_run(registered_training: Path) -> None:
    version = MlflowClient().get_model_version(REGISTERED, "1")
    (logged,) = registered_models(registered_training)
    assert version.run_id == (registered_training / RUN_FILE).read_text().strip()
    assert version.source == logged.artifact_location
    assert (logged.name, logged.status) == (MODEL_NAME, "READY")
    versions = json.loads(logged.tags["mlflow.modelVersions"])
    assert [(one["name"], str(one["version"])) for one in versions] == [(REGISTERED, "1")]


def test_nothing_in_a_model_is_a_pickle(model_folder: Path) -> None:
    files = [path for path in model_folder.rglob("*") if path.is_file()]
    own = [path for path in files if not path.is_relative_to(model_folder / "code")]
    assert {path.suffix for path in own} == {"", ".py", ".json", ".safetensors", ".txt", ".yaml"}
    for path in files:
        head = path.read_bytes()[:2]
        # Protocols 2 to 5 of pickle, and zips, in which torch keeps one.
        assert not re.match(rb"\x80[\x02-\x05]|PK", head), path
    text = (model_folder / "MLmodel").read_text()
    assert "model_code_path" in text
    assert "python_model:" not in text


def test_a_model_holds_what_it_needs_and_says_nothing_of_this_machine(
    model_folder: Path, registered_training: Path, few_rooms: Path
) -> None:
    names = {path.name for path in (model_folder / "artifacts").iterdir()}
    assert names == {CHECKPOINT_FILE}
    assert (model_folder / "code" / "seentwice" / "models" / "nets.py").is_file()
    assert not list(model_folder.rglob("__pycache__"))
    required = (model_folder / "requirements.txt").read_text()
    assert {"torch", "torchvision", "mlflow"} <= set(re.findall(r"^([a-z-]+)==", required, re.M))
    here = (few_rooms, registered_training, Path(seentwice.__file__).parents[1])
    for path in model_folder.glob("*"):
        if path.is_file():
            assert not any(str(folder) in path.read_text() for folder in here), path


def test_the_signature_takes_base64_or_paths(loaded) -> None:
    schema = loaded.metadata.signature
    assert schema.inputs.input_names() == [*CONTENTS, *PATHS]
    assert schema.inputs.required_input_names() == []
    assert schema.outputs.input_names() == ["score", "duplicate", "error"]


def test_a_loaded_model_measures_what_training_claimed(
    loaded, registered_training: Path, few_rooms: Path, tmp_path: Path
) -> None:
    words = ["data=folder", f"data.root={few_rooms}", "workers=1", "triplets=0"]
    assert main(["pairs", *words, f"hydra.run.dir={tmp_path}"]) == 0
    with (tmp_path / "test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    sides = {side: [encode(few_rooms / row[side]) for row in rows] for side in CONTENTS}
    found = loaded.predict(pd.DataFrame(sides))
    label = [row["label"] == "1" for row in rows]
    measured = pair_metrics(label, found["score"].astype(float), found["duplicate"].astype(bool))
    claimed = read_record(registered_training / CHECKPOINT_FILE).test_metrics
    assert measured == pytest.approx(claimed, abs=1e-6, nan_ok=True)


def test_a_loaded_model_answers_as_the_scorer_does(
    loaded, registered_training: Path, few_rooms: Path
) -> None:
    photos = sorted(few_rooms.rglob("*.jpg"))[:4]
    pairs = list(combinations(photos, 2))
    found = open_scorer(registered_training).score(pairs)
    asked = pd.DataFrame(
        {
            "left": [left.read_bytes() for left, _ in pairs],
            "right": [encode(right) for _, right in pairs],
        }
    )
    answers = loaded.predict(asked)
    assert list(answers.columns) == ["score", "duplicate", "error"]
    assert answers["score"].tolist() == pytest.approx([pair.score for pair in found], abs=1e-6)
    assert answers["duplicate"].tolist() == [pair.is_duplicate for pair in found]
    assert answers["error"].tolist() == [None] * len(pairs)
    misspelt = asked.head(2).rename(columns={"left": "lefft", "right": "rihgt"})
    with pytest.raises(UserError, match="no known column: give left or right or left_path or"):
        loaded.predict(misspelt)


def test_paths_are_read_where_the_server_was_given_a_folder(
    registered_training: Path, few_rooms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv(ROOT_VARIABLE, str(few_rooms))
    model = mlflow.pyfunc.load_model(URI)
    left, right = sorted(few_rooms.rglob("*.jpg"))[:2]
    row = {"left_path": str(left.relative_to(few_rooms)), "right": encode(right)}
    (answer,) = model.predict(
        pd.DataFrame(
            [
                row,
            ]
        )
    ).to_dict("records")
    (expected,) = open_scorer(registered_training).score([(left, right)])
    assert answer["score"] == pytest.approx(expected.score, abs=1e-6)
    monkeypatch.setenv(ROOT_VARIABLE, str(left))
    with pytest.raises(UserError, match=f"{ROOT_VARIABLE}=.*: no such folder; name that of the"):
        mlflow.pyfunc.load_model(URI)


@pytest.mark.parametrize("name", ["", "a/b", "a:b", ".a", "-m", "a b", "x" * 101, "ä", "a\n"])
def test_a_name_that_does_not_do_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"tracking\.register=.*: give a name of 1 to 100 letters"):
        check_registry(name)


def test_a_model_that_did_not_come_about_is_marked_so(
    registered_training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise MlflowException("no space")

    def fail() -> str:
        opened = open_checkpoint(registered_training, None, "weights=")
        monkeypatch.setattr(MlflowClient, "log_model_artifacts", refuse)
        with track_run("registering", "lost", {}) as run:
            runs.append(run.run_id)
            register_model(run, "lost", opened.net, opened.record, opened.trunk)
        return run.run_id

    runs: list[str] = []
    with pytest.raises(UserError, match=r"MLflow store .*: no space"):
        fail()
    run = MlflowClient().get_run(runs[0])
    (output,) = run.outputs.model_outputs
    assert run.info.status == "FAILED"
    assert MlflowClient().get_logged_model(output.model_id).status == "FAILED"
    with pytest.raises(MlflowException, match="lost"):
        MlflowClient().get_registered_model("lost")


@pytest.mark.slow
def test_a_model_is_served_over_http(
    registered_training: Path, few_rooms: Path, tmp_path: Path, tracking_store: str
) -> None:
    """As a user starts it, on a free port of this machine; the code is the model's own."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"),
            *("-m", URI, "--host", "127.0.0.1", "--port", str(port)),
        ],
        cwd=tmp_path,
        env={**environment, "MLFLOW_TRACKING_URI": tracking_store, ROOT_VARIABLE: str(few_rooms)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            pytest.fail("".join(said))
        left, right = sorted(few_rooms.rglob("*.jpg"))[:2]
        rows = [
            {"left": encode(left), "right": encode(right)},
            {"left_path": left.relative_to(few_rooms).as_posix(), "right": encode(right)},
            {"left_path": "../../etc/hostname", "right": encode(right)},
        ]
        answers = ask(found[1], {"dataframe_records": rows})
        (expected,) = open_scorer(registered_training).score([(left, right)])
        assert answers[0]["score"] == pytest.approx(expected.score, abs=1e-6)
        assert answers[1] == pytest.approx(answers[0])
        assert answers[2]["score"] is None
        assert answers[2]["error"] == f"left: not a path below {ROOT_VARIABLE}"
        (again,) = ask(found[1], {"instances": rows[:1]})
        assert again["score"] == pytest.approx(expected.score, abs=1e-6)
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.slow
def test_a_model_runs_on_its_own_code_and_few_packages(
    registered_training: Path, model_folder: Path, tracking_store: str
) -> None:
    code = (
        f"import sys, mlflow; mlflow.pyfunc.load_model({URI!r}); import seentwice;"
        "print(seentwice.__file__);"
        "print({'hydra', 'pytorch_lightning', 'optuna', 'faiss', 'timm'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MLFLOW_TRACKING_URI": tracking_store},
        capture_output=True,
        text=True,
        check=True,
    )
    file, packages = done.stdout.splitlines()[-2:]
    assert Path(file).is_relative_to(model_folder / "code")
    assert packages == "set()"


def ask(address: str, question: dict) -> list[dict]:
    body = json.dumps(question).encode()
    request = Request(f"{address}/invocations", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as response:
        return json.loads(response.read())["predictions"]
