from pathlib import Path

import pytest
from mlflow import MlflowClient

from seentwice.learn.tracking import FOLDER_TAG, find_run_folder, track_run


def status_of(run_id: str) -> str:
    return MlflowClient().get_run(run_id).info.status


def test_a_run_keeps_what_is_logged_and_ends_as_finished(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("kept")
    with track_run("tracking", "one", {FOLDER_TAG: str(tmp_path)}) as run:
        assert status_of(run.run_id) == "RUNNING"
        run.log_parameters({"long": "x" * 9000, "none": None})
        run.log_metrics({"test/roc_auc": 0.5})
        run.log_file(file)
        run.tag("colour", "blue")
    stored = MlflowClient().get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.data.params["none"] == "None"
    assert stored.data.metrics == {"test/roc_auc": 0.5}
    assert stored.data.tags["colour"] == "blue"
    assert [a.path for a in MlflowClient().list_artifacts(run.run_id)] == ["note.txt"]
    assert find_run_folder(run.run_id) == tmp_path


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_an_interrupted_run_says_how_it_ended(error: type[BaseException], status: str) -> None:
    runs = []

    def stop() -> None:
        with track_run("tracking", "stopped", {}) as run:
            runs.append(run)
            raise error

    with pytest.raises(error):
        stop()
    assert status_of(runs[0].run_id) == status


def test_a_child_names_its_parent() -> None:
    with track_run("tracking", "parent", {}) as parent, track_run("x", "child", {}, parent) as run:
        pass
    tags = MlflowClient().get_run(run.run_id).data.tags
    assert tags["mlflow.parentRunId"] == parent.run_id


def test_a_resumed_run_goes_on_where_the_store_knows_it() -> None:
    with track_run("tracking", "first", {}) as first:
        pass
    with track_run("tracking", "again", {}, resumed_id=first.run_id) as again:
        assert again.run_id == first.run_id
        assert status_of(first.run_id) == "RUNNING"
    with track_run("tracking", "new", {}, resumed_id="0" * 32) as new:
        assert new.run_id != "0" * 32


@pytest.mark.parametrize("name", ["0" * 32, "../etc", "not a run"])
def test_an_unknown_run_has_no_folder(name: str) -> None:
    assert find_run_folder(name) is None
