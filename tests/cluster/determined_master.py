"""A stand-in for Determined's master on the loopback interface: it answers, and decides nothing.

It takes what the real client of 0.38.1 sends, refuses what the real master refuses of metrics, and
says of an allocation that it is to stop where the test has said so.
"""

import base64
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER = {"active": True, "admin": True, "username": "determined"}
DIRECTORY = ord("5")  # tar's type


@dataclass
class Report:
    """Metrics of one group."""

    group: str
    run: int  # of the trial, from 1
    steps: int
    metrics: dict[str, float]


@dataclass
class TrialRecord:
    """What a trial has told."""

    reports: list[Report] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)
    early_exits: list[str] = field(default_factory=list)

    def of(self, group: str) -> list[Report]:
        """Return the reports of a group, in their order."""
        return [report for report in self.reports if report.group == group]


@dataclass
class DeterminedMaster:
    """What was asked, and what is to be answered."""

    url: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    experiments: list[dict[str, Any]] = field(default_factory=list)  # as they were posted
    refusal: str | None = None  # of experiments
    trials: dict[int, TrialRecord] = field(default_factory=dict)
    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # allocations
    to_stop: set[str] = field(default_factory=set)  # likewise
    changed: Condition = field(default_factory=Condition)
    is_closed: bool = False
    on_report: Callable[[int, Report], None] = lambda trial, report: None
    faults: list[BaseException | None] = field(default_factory=list)  # of this stand-in

    def stop(self, allocation: str) -> None:
        """Tell an allocation to stop."""
        with self.changed:
            self.to_stop.add(allocation)
            self.changed.notify_all()

    def answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON of the answer to a request."""
        url = urlsplit(path)
        self.requests.append((method, url.path))
        words = url.path.strip("/").split("/")
        match [method, *words]:
            case ["GET", "info"]:
                return 200, {"version": "0.38.1", "cluster_id": "cluster", "master_id": "master"}
            case ["POST", "api", "v1", "auth", "login"]:
                return 200, {"token": "token", "user": USER}
            case ["GET", "api", "v1", "me"]:
                return 200, {"user": USER}
            case ["POST", "api", "v1", "experiments"]:
                return self._create(body)
            case ["POST", "api", "v1", "runs", "start"]:
                return 200, {"storageId": 1}
            case ["GET", "api", "v1", "allocations", allocation, "signals", "preemption"]:
                seconds = float(parse_qs(url.query)["timeout_seconds"][0])
                return 200, {"preempt": self._wait_for_stop(allocation, seconds)}
            case ["POST", "api", "v1", "allocations", allocation, "signals", "ack_preemption"]:
                self.acknowledged.append(allocation)
                return 200, {}
            case ["POST", "api", "v1", "trials", trial, "metrics"]:
                return self._take_metrics(int(trial), body)
            case ["POST", "api", "v1", "trials", trial, "progress"]:
                self._trial(int(trial)).progress.append(body["progress"])
                return 200, {}
            case ["POST", "api", "v1", "trials", trial, "early_exit"]:
                self._trial(int(trial)).early_exits.append(body["reason"])
                return 200, {}
            case ["POST", "api", "v1", "checkpoints"]:
                self.checkpoints.append(body)
                return 200, {}
        return 404, {"message": f"no answer to {method} {path}"}

    def _trial(self, number: int) -> TrialRecord:
        return self.trials.setdefault(number, TrialRecord())

    def _create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.experiments.append(body)
        if self.refusal is not None:
            return _refuse(self.refusal)
        created = {
            **{"archived": False, "config": {}, "id": len(self.experiments), "jobId": "job"},
            **{"name": "", "numTrials": 0, "originalConfig": "", "projectId": 1},
            **{"projectOwnerId": 1, "searcherType": "", "startTime": "2025-01-01T00:00:00Z"},
            **{"state": "STATE_ACTIVE", "username": "determined"},
        }
        return 200, {"config": {}, "experiment": created}

    def _wait_for_stop(self, allocation: str, seconds: float) -> bool:
        with self.changed:
            self.changed.wait_for(
                lambda: allocation in self.to_stop or self.is_closed, timeout=seconds
            )
            return allocation in self.to_stop

    def _take_metrics(self, trial: int, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        group, told = body["group"], body["metrics"]
        report = Report(
            group, told["trialRunId"], told["stepsCompleted"], told["metrics"]["avgMetrics"]
        )
        bad = [name for name, value in report.metrics.items() if not _is_number(value)]
        if bad:
            return _refuse(f"{bad} of {report} are no finite numbers")
        record = self._trial(trial)
        for before in record.of(group):
            if (before.run, before.steps) == (report.run, report.steps):
                return _refuse(f"{report} comes after {before}")
        record.reports.append(report)
        self.on_report(trial, report)
        return 200, {}


def _refuse(reason: str) -> tuple[int, dict[str, Any]]:
    return 400, {"error": {"code": 400, "reason": "Bad Request", "error": reason}}


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def unpack(model_definition: list[dict[str, Any]], folder: Path) -> None:
    """Write what an experiment was created with, as an agent does."""
    for entry in model_definition:
        path = folder / entry["path"]
        if entry["type"] == DIRECTORY:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.write_bytes(base64.b64decode(entry["content"]))
            path.chmod(entry["mode"] & 0o777)


def trial_environment(
    master: DeterminedMaster,
    storage: Path,
    hyperparameters: Mapping[str, object],
    trial: int = 1,
    run: int = 1,
    checkpoint: str | None = None,
) -> dict[str, str]:
    """Return the variables by which an agent tells a process what trial it is.

    Args:
        master: where it reports.
        storage: the folder of all checkpoints.
        hyperparameters: nested.
        trial: its number.
        run: its allocation's, from 1; that is named TRIAL.RUN.
        checkpoint: where it goes on.
    """
    config = {"checkpoint_storage": {"type": "directory", "container_path": str(storage)}}
    latest = {} if checkpoint is None else {"DET_LATEST_CHECKPOINT": checkpoint}
    return {
        "DET_MASTER": master.url,
        "DET_CLUSTER_ID": "cluster",
        "DET_AGENT_ID": "agent",
        "DET_SLOT_IDS": "[0]",
        "DET_TASK_ID": f"task-{trial}",
        "DET_ALLOCATION_ID": f"{trial}.{run}",
        "DET_SESSION_TOKEN": "token",
        "DET_TASK_TYPE": "TRIAL",
        "DET_TRIAL_ID": str(trial),
        "DET_EXPERIMENT_ID": "7",
        "DET_TRIAL_SEED": "0",
        "DET_HPARAMS": json.dumps(hyperparameters),
        "DET_EXPERIMENT_CONFIG": json.dumps(config),
        "DET_STEPS_COMPLETED": "0",
        "DET_TRIAL_RUN_ID": str(run),
        "DET_USER": "determined",
        "NO_PROXY": "127.0.0.1",
        **latest,
    }


@contextmanager
def open_master() -> Iterator[DeterminedMaster]:
    """Answer on a free port of this machine while the block runs."""
    master = DeterminedMaster()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = master.answer(method, self.path, json.loads(content or "null"))
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            # A process that has ended does not wait for the answer to its long poll.
            if not isinstance(sys.exception(), ConnectionError):
                master.faults.append(sys.exception())

    server = Server(("127.0.0.1", 0), Handler)
    master.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield master
    finally:
        with master.changed:
            master.is_closed = True
            master.changed.notify_all()
        server.shutdown()
        server.server_close()
    assert not master.faults
