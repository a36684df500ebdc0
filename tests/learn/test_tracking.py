import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Timer

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from seentwice.errors import UserError
from seentwice.learn.tracking import (
    FOLDER_TAG,
    SHORT_ID,
    check_store,
    end_run,
    find_run_folder,
    track_run,
)


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
    stored = MlflowClient().get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.data.params["none"] == "None"
    assert stored.data.metrics == {"test/roc_auc": 0.5}
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
    with track_run("tracking", "parent", {}) as parent:
        parent_id = parent.run_id
        with track_run("x", "child", {}, parent_id) as run:
            pass
    tags = MlflowClient().get_run(run.run_id).data.tags
    assert tags["mlflow.parentRunId"] == parent_id


def test_a_resumed_run_goes_on_where_the_store_knows_it() -> None:
    with track_run("tracking", "first", {}) as first:
        pass
    with track_run("tracking", "again", {}, resumed_id=first.run_id) as again:
        assert again.run_id == first.run_id
        assert status_of(first.run_id) == "RUNNING"
    with track_run("tracking", "new", {}, resumed_id="0" * 32) as new:
        assert new.run_id != "0" * 32


def test_a_resumed_run_keeps_the_settings_that_it_has() -> None:
    with track_run("tracking", "first", {}) as first:
        first.log_missing_parameters({"seed": 0, "git_commit": "old"})
    with track_run("tracking", "again", {}, resumed_id=first.run_id) as again:
        again.log_missing_parameters({"git_commit": "new", "best": 1})
    params = MlflowClient().get_run(first.run_id).data.params
    assert params == {"seed": "0", "git_commit": "old", "best": "1"}


def test_a_closed_run_is_tagged_and_an_unknown_one_passed_over() -> None:
    with track_run("tracking", "closed", {"kept": "as it was"}) as run:
        pass
    for _ in range(2):
        end_run(run.run_id, {"ended": "well"})
    end_run("0" * 32, {"ended": "well"})
    tags = MlflowClient().get_run(run.run_id).data.tags
    assert (tags["kept"], tags["ended"]) == ("as it was", "well")
    assert status_of(run.run_id) == "FINISHED"


@pytest.mark.parametrize("name", ["0" * 32, "../etc", "not a run"])
def test_an_unknown_run_has_no_folder(name: str) -> None:
    assert find_run_folder(name) is None


def test_the_beginning_of_an_id_names_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with track_run("tracking", "first", {FOLDER_TAG: str(tmp_path)}) as run:
        pass
    assert find_run_folder(run.run_id[:SHORT_ID]) == tmp_path
    assert find_run_folder(run.run_id[: SHORT_ID - 1]) is None
    assert find_run_folder(f"{run.run_id[:SHORT_ID]}%") is None
    with track_run("tracking", "second", {}) as other:
        pass
    ids = [run.run_id, other.run_id]
    found = [MlflowClient().get_run(one) for one in ids]
    monkeypatch.setattr(MlflowClient, "search_runs", lambda *_, **__: found)
    with pytest.raises(UserError, match=f"{ids[0]} and {ids[1]} begin so; give more of the id"):
        find_run_folder("0" * SHORT_ID)


BROKEN = ["foo://x", "http://127.0.0.1:9", "http://"]


def track_nothing() -> None:
    with track_run("tracking", "lost", {}, resumed_id="0" * 32):
        pass


USES = {"check": check_store, "find": lambda: find_run_folder("0" * 32), "track": track_nothing}


@pytest.mark.parametrize("uri", BROKEN)
@pytest.mark.parametrize("use", sorted(USES))
def test_a_store_that_cannot_be_used_is_told(
    uri: str, use: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError, match=f"MLflow store {uri}: .*set MLFLOW_TRACKING_U") as error:
        USES[use]()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://me:s3cret@127.0.0.1:9", "http://me:***@127.0.0.1:9: "),
        ("http://:s3cret@127.0.0.1:9", "http://:***@127.0.0.1:9: "),
        ("nosql://me:s3c@r/s3cret@host/runs", "nosql://me:***@host/runs: "),
        ("http://me@127.0.0.1:9", "http://me@127.0.0.1:9: "),
        ("nosql://me@host/runs?password=s3c@ret", "nosql://me@host/runs?password=***: "),
        ("nosql://me:s3c?r@host/x?port=1&token=s3c", "nosql://me:***@host/x?port=1&token=***: "),
    ],
)
def test_no_password_is_told(uri: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError) as error:
        check_store()
    assert str(error.value).startswith(f"MLflow store {shown}")
    assert "s3c" not in str(error.value)


@pytest.mark.parametrize("length", range(200, 300, 7))
def test_no_piece_of_a_password_is_told_at_the_end_of_a_line(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:{'s3cret' * 9}@host")

    def lose() -> None:
        raise MlflowException(f"{'x' * length} gone: http://me:{'s3cret' * 9}@host/api")

    monkeypatch.setattr(MlflowClient, "search_experiments", lambda *_, **__: lose())
    with pytest.raises(UserError, match="xxx") as error:
        check_store()
    assert "s3c" not in str(error.value)


def test_a_store_that_can_be_used_is_not_complained_of() -> None:
    check_store()


def test_a_store_that_is_lost_in_the_middle_is_told() -> None:
    def lose() -> None:
        with track_run("tracking", "lost", {}):
            raise MlflowException("gone")

    with pytest.raises(UserError, match=r"MLflow store .*: gone; set MLFLOW_TRACKING_URI"):
        lose()


def test_a_store_that_is_lost_does_not_hide_what_ended_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise MlflowException("gone")

    def fail() -> None:
        with track_run("tracking", "lost", {}):
            monkeypatch.setattr(MlflowClient, "set_terminated", refuse)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()


def test_a_deleted_experiment_is_told_with_the_way_back() -> None:
    client = MlflowClient()
    number = client.create_experiment("thrown away")
    client.delete_experiment(number)
    with (
        pytest.raises(UserError, match=f"'thrown away' is deleted: .*--experiment-id {number}"),
        track_run("thrown away", "one", {}),
    ):
        pass


def test_a_deleted_run_is_not_gone_on_with() -> None:
    with track_run("tracking", "first", {}) as first:
        pass
    MlflowClient().delete_run(first.run_id)
    with track_run("tracking", "again", {}, resumed_id=first.run_id) as again:
        assert again.run_id != first.run_id


def test_a_deleted_run_is_not_tagged() -> None:
    with track_run("tracking", "deleted", {}) as run:
        pass
    MlflowClient().delete_run(run.run_id)
    end_run(run.run_id, {"ended": "well"})
    assert "ended" not in MlflowClient().get_run(run.run_id).data.tags


def test_a_run_that_was_left_open_is_closed() -> None:
    with track_run("tracking", "open", {}) as run:
        MlflowClient().set_tag(run.run_id, "ended", "not yet")
        end_run(run.run_id, {"ended": "badly"})
        assert status_of(run.run_id) == "FAILED"
    assert MlflowClient().get_run(run.run_id).data.tags["ended"] == "badly"


def test_an_experiment_that_another_run_just_made_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    number = MlflowClient().create_experiment("contested")
    answers = iter([None, MlflowClient().get_experiment(number)])
    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", lambda *_: next(answers))
    with track_run("contested", "second", {}) as run:
        pass
    assert MlflowClient().get_run(run.run_id).info.experiment_id == number


def test_names_that_are_not_utf_8_are_stored_with_question_marks() -> None:
    with track_run("tracking", "caf\udce9", {FOLDER_TAG: "/data/caf\udce9"}) as run:
        run.log_parameters({"data": "caf\udce9"})
    stored = MlflowClient().get_run(run.run_id)
    assert stored.info.run_name == "caf?"
    assert stored.data.tags[FOLDER_TAG] == "/data/caf?"
    assert stored.data.params == {"data": "caf?"}
    assert find_run_folder("caf\udce9") is None


def test_values_are_logged_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    log_batch = MlflowClient.log_batch

    def counted(client: MlflowClient, *words: object, **named: object) -> object:
        calls.append(words)
        return log_batch(client, *words, **named)

    monkeypatch.setattr(MlflowClient, "log_batch", counted)
    with track_run("tracking", "batch", {}) as run:
        run.log_metrics({f"test/{number}": float(number) for number in range(9)})
        run.log_parameters({f"{number}": number for number in range(9)})
    assert len(calls) == 2
    stored = MlflowClient().get_run(run.run_id).data
    assert len(stored.metrics) == len(stored.params) == 9


def test_two_first_runs_in_one_folder_make_one_store(tmp_path: Path) -> None:
    code = "from seentwice.learn.tracking import check_store; check_store()"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
    together = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    complaints = [process.communicate()[1] for process in together]
    assert [process.returncode for process in together] == [0, 0], complaints


@contextmanager
def locked(file: Path, seconds: float) -> Iterator[None]:
    """Let nobody else read or write a store in the block, or in its first seconds."""
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = Timer(seconds, lambda: other.execute("ROLLBACK"))
    release.start()
    try:
        yield
    finally:
        release.cancel()
        release.join()
        other.close()


def test_a_store_that_another_process_writes_is_waited_for(tracking_store: str) -> None:
    file = Path(tracking_store.removeprefix("sqlite:///"))
    with track_run("tracking", "waits", {}) as run:
        with locked(file, 0.3):
            run.log_metrics({"test/loss": 0.25})
        assert MlflowClient().get_run(run.run_id).data.metrics == {"test/loss": 0.25}


def test_a_store_that_stays_locked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}?timeout=0.01"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with (
        locked(tmp_path / "mlflow.db", 60),
        pytest.raises(UserError, match=r"MLflow store .*database is locked"),
    ):
        find_run_folder("0" * 32)


def test_of_a_fault_in_a_database_nothing_is_told_but_one_line(
    tracking_store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    check_store()
    file = shutil.copy(tracking_store.removeprefix("sqlite:///"), tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")

    def lose() -> None:
        with track_run("tracking", "lost", {}) as run:
            with closing(sqlite3.connect(file)) as other:
                other.execute("DROP TABLE metrics")
            run.log_metrics({"test/loss": 0.25})

    with pytest.raises(UserError, match="no such table: metrics") as error:
        lose()
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_store_below_a_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")
    with pytest.raises(UserError, match=r"MLflow store .*file: File exists; work in a folder"):
        check_store()


def test_an_address_may_say_how_long_to_wait(
    tracking_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_store()
    shutil.copy(tracking_store.removeprefix("sqlite:///"), tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}?timeout=60")
    check_store()
    assert {file.name for file in tmp_path.iterdir()} <= {"mlflow.db", "mlflow.db.lock"}


def test_a_store_in_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UserError, match="it cannot be written; work in a folder"):
        check_store()
