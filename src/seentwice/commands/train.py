"""Train one Siamese network and write its checkpoint."""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from yaml import YAMLError

from seentwice.commands.next_steps import (
    NEXT,
    evaluation_overrides,
    spell_value,
    write_command,
)
from seentwice.commands.objectives import tell_distance
from seentwice.commands.overrides import key_of
from seentwice.commands.progress import open_console, print_plainly
from seentwice.commands.tracking_settings import read_tracking
from seentwice.commands.training_job import (
    CONFIG_FILE,
    STATE_FILE,
    Job,
    Trained,
    check_settings,
    gather_material,
    train_net,
    with_absolute_paths,
)
from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.learn.registration import RegisteredModel
from seentwice.learn.resume_files import LAST
from seentwice.learn.tensorboard_files import FOLDER as BOARD_FOLDER
from seentwice.learn.tracking import RUN_FILE, find_run_folder, shown_uri
from seentwice.learn.training import check_resumable
from seentwice.models.checkpoint import CHECKPOINT_FILE


def run(config: DictConfig) -> None:
    """Train, choose the threshold on validation pairs, measure the test pairs, write it all."""
    console = open_console()
    job = _choose_job(config)
    with _tell_how_to_resume(job.folder, console):
        if job.resumed:
            check_resumable(job.folder)
        settings = check_settings(job.config, HydraConfig.get().overrides.task)
        if job.resumed:
            _tell_of_resumed(job.folder, console)
        material = gather_material(job, settings, console)
        trained = train_net(job, settings, material, console)
    _tell_of_trained(trained, job.config, console)


def _tell_of_trained(trained: Trained, config: DictConfig, console: Console) -> None:
    tell_distance(trained.net.head, trained.calibration, trained.threshold, console)
    for name, value in trained.test_metrics.items():
        print_plainly(f"  test/{name:<24}{value:.4f}", console)
    print_plainly(f"  {'threshold':<29}{trained.threshold:.4f}", console)
    path = str(trained.checkpoint.absolute())
    words = [f"checkpoint={spell_value(path)}", *evaluation_overrides(config)]
    print_plainly(NEXT + write_command("evaluate", words), console)
    if read_tracking(config).tensorboard:
        board = str(trained.checkpoint.absolute().parent / BOARD_FOLDER)
        print_plainly(f"Epochs: {shlex.join(['tensorboard', '--logdir', board])}", console)
    if trained.registered is not None:
        print_plainly(f"Registered: {trained.registered.uri}; it answers pairs of photos:", console)
        print_plainly(f"  {_write_serving(trained.registered)}", console)


def _write_serving(registered: RegisteredModel) -> str:
    """Return the line that answers pairs of photos over HTTP, on this machine alone."""
    store = shlex.quote(f"MLFLOW_TRACKING_URI={shown_uri()}")
    return f"env {store} mlflow models serve --env-manager local -m {registered.uri}"


@contextmanager
def _tell_how_to_resume(folder: Path, console: Console) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if (folder / LAST).is_file():
            going_on = write_command("train", [f"resume={spell_value(str(folder.absolute()))}"])
            print_plainly(f"Stopped; go on with: {going_on}", console)
        else:
            print_plainly(
                "Stopped before the end of an epoch: nothing was kept to resume; give the same "
                "command again",
                console,
            )
        raise


def _tell_of_resumed(folder: Path, console: Console) -> None:
    if (folder / CHECKPOINT_FILE).is_file():
        told = f"already finished: it is not trained any further, {CHECKPOINT_FILE} is written anew"
    elif (folder / LAST).is_file():
        return
    else:
        told = f"no {LAST}: starts from the first epoch"
    print_plainly(f"{folder}: {told}", console)


def _choose_job(config: DictConfig) -> Job:
    """Return this run, or the interrupted one that `resume` names with the config it had.

    Raises:
        UserError: nothing to resume, or other overrides beside `resume`.
    """
    if config.resume is None:
        folder = Path(HydraConfig.get().runtime.output_dir)
        own = with_absolute_paths(config)
        return Job(own, folder, resumed=False)
    beside = [word for word in HydraConfig.get().overrides.task if key_of(word) != "resume"]
    if beside:
        raise UserError(
            f"resume goes on with the configuration that the training had: leave out {beside[0]}"
        )
    name = str(config.resume)
    found = Path(name) if Path(name).is_dir() else find_run_folder(name)
    if found is None or not (found / CONFIG_FILE).is_file() or not (found / STATE_FILE).is_file():
        raise UserError(
            f"resume={name}: neither the folder of a training nor an MLflow run of train in "
            f"{shown_uri()}"
        )
    try:
        stored = OmegaConf.load(found / CONFIG_FILE)
    except (YAMLError, UnicodeDecodeError) as error:
        raise _damaged(found, CONFIG_FILE, one_line(error)) from error
    if not isinstance(stored, DictConfig):
        raise _damaged(found, CONFIG_FILE, "it holds no keys")
    lacking = [str(key) for key in config if key not in stored]
    if lacking:
        raise _damaged(found, CONFIG_FILE, f"it lacks {', '.join(lacking)}")
    OmegaConf.set_struct(stored, True)
    run_id = read_interrupted_run(found)
    return Job(stored, found, resumed=True, run_id=run_id, started_with=read_state(found))


def read_interrupted_run(folder: Path) -> str | None:
    """Return the id of the MLflow run of a training, if it had come to that."""
    run_file = folder / RUN_FILE
    return run_file.read_text().strip() if run_file.is_file() else None


def _damaged(folder: Path, file: str, what: str) -> UserError:
    return UserError(
        f"resume={folder}: {file} is damaged ({what}), so the training cannot go on; start a new "
        "one, without resume"
    )


def read_state(folder: Path) -> str:
    """Return the fingerprint of the photos that a training was started with.

    Raises:
        UserError: the folder's file of it is damaged.
    """
    try:
        return str(json.loads((folder / STATE_FILE).read_text())["data_fingerprint"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, STATE_FILE, "it names no photos") from error


if __name__ == "__main__":  # the entrypoint of experiments
    from seentwice.commands.cluster import run_entrypoint

    sys.exit(run_entrypoint(sys.argv[1:]))
