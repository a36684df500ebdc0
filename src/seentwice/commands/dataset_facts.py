"""What MLflow is told of the data of a run."""

from seentwice.commands.workbench import Workbench
from seentwice.learn.dataset_inputs import DatasetFacts


def describe_dataset(bench: Workbench) -> DatasetFacts:
    """Return the data set's name, fingerprint and counts; pairs are those of all folds."""
    photos = bench.readable_photos
    tables = {
        "train_pairs": [fold.train for fold in bench.folds],
        "validation_pairs": [fold.validation for fold in bench.folds],
        "test_pairs": [fold.test for fold in bench.folds],
    }
    return DatasetFacts(
        name=bench.photo_set.name,
        fingerprint=bench.fingerprint,
        origin=bench.photo_set.origin,
        counts={
            "photos": len(photos),
            "places": len({photo.place for photo in photos}),
            **{name: sum(len(table.label) for table in some) for name, some in tables.items()},
        },
    )
