"""The data set of a run, as MLflow's pages show it beside the run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from seentwice.display import show_text
from seentwice.learn.tracking import TrackedRun

_DIGEST_LENGTH = 32  # stores take 36 characters


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What tells a data set from others. Nothing of where it lies on this machine."""

    name: str
    fingerprint: str  # sha256 of labels and photos
    origin: str  # where everybody finds it, an address or words; "" for photos of a user's own
    counts: Mapping[str, int]  # such as train_pairs


def log_dataset(run: TrackedRun, facts: DatasetFacts) -> None:
    """Log the data set as the input of a run; a second time changes nothing."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source: dict[str, object]
    # As MLflow writes its own HTTPDatasetSource and CodeDatasetSource, so that its pages know them.
    if facts.origin.startswith("https://"):
        kind = "http"
        source = {"url": facts.origin}
    else:
        words = facts.origin or "photos of the user's own"
        kind = "code"
        source = {"tags": {"mlflow.source.name": words}}
    dataset = Dataset(
        show_text(facts.name),
        facts.fingerprint[:_DIGEST_LENGTH],
        kind,
        json.dumps(source),
        profile=json.dumps(dict(facts.counts)),
    )
    tags = [InputTag("mlflow.data.context", "training")]
    run.client.log_inputs(run.run_id, [DatasetInput(dataset, tags)])
