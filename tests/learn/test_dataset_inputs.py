import json
from pathlib import Path

from mlflow import MlflowClient
from mlflow.data import get_source

from seentwice.learn.dataset_inputs import DatasetFacts, log_dataset
from seentwice.learn.tracking import RUN_FILE, track_run
from seentwice.models.checkpoint import CHECKPOINT_FILE, read_record


def inputs_of(run_id: str) -> list:
    return MlflowClient().get_run(run_id).inputs.dataset_inputs


def test_a_training_names_its_data_by_fingerprint_and_counts(
    registered_training: Path, few_rooms: Path
) -> None:
    (found,) = inputs_of((registered_training / RUN_FILE).read_text().strip())
    record = read_record(registered_training / CHECKPOINT_FILE)
    assert found.dataset.name == "rooms"
    assert found.dataset.digest == record.data_fingerprint[:32]
    counts = json.loads(found.dataset.profile)
    assert (counts["photos"], counts["places"]) == (60, 20)
    assert all(counts[f"{part}_pairs"] > 0 for part in ("train", "validation", "test"))
    assert {tag.key: tag.value for tag in found.tags} == {"mlflow.data.context": "training"}
    assert str(few_rooms.parent) not in json.dumps(found.dataset.to_dictionary())
    assert get_source(found.dataset).to_dict()["tags"] == {
        "mlflow.source.name": "photos of the user's own"
    }


def test_public_data_have_their_address_and_are_logged_once() -> None:
    facts = DatasetFacts("h\x1b", "f" * 64, "https://example.org/photos", {"photos": 2})
    with track_run("inputs", "one", {}) as run:
        log_dataset(run, facts)
        log_dataset(run, facts)
    (found,) = inputs_of(run.run_id)
    assert found.dataset.name == r"h\x1b"
    assert get_source(found.dataset).url == "https://example.org/photos"
