import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from seentwice.commands.main import main
from seentwice.compare.report import FILES

QUICK = [
    "data=folder",
    "training.epochs=2",
    "training.batches_per_epoch=2",
    "training.places_per_batch=6",
    "bootstrap_resamples=20",
    "workers=1",
]
TIMES = {"seconds", "looking_seconds", "photos_decoded", "command"}
DETECTORS = {
    "l1",
    "l2",
    "concat",
    "cosine",
    "whitened_cosine",
    "knn",
    "histogram",
    "average",
    "difference",
    "perception",
    "wavelet",
}


def compare(folder: Path, *arguments: str) -> dict:
    assert main(["compare", *QUICK, f"hydra.run.dir={folder}", *arguments]) == 0
    return json.loads((folder / "results.json").read_text())


def without_time(results: dict) -> dict:
    kept = {k: v for k, v in results.items() if k not in TIMES}
    kept["detectors"] = [
        {k: v for k, v in detector.items() if k not in ("fit_seconds", "pairs_per_second")}
        for detector in results["detectors"]
    ]
    return kept


@pytest.fixture(scope="module")
def spoiled_rooms(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The few rooms, with a text file among them that calls itself a photo."""
    root = tmp_path_factory.mktemp("spoiled") / "rooms"
    for path in few_rooms.rglob("*.jpg"):
        copy = root / path.relative_to(few_rooms)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (root / "Training Data" / "kitchen" / "rome_12_1.jpg").write_text("<script>alert(1)</script>")
    return root


@pytest.fixture(scope="module")
def run_folder(spoiled_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    compare(folder, f"data.root={spoiled_rooms}", f"bank.folder={folder / 'bank'}")
    return folder


@pytest.fixture(scope="module")
def results(run_folder: Path) -> dict:
    return json.loads((run_folder / "results.json").read_text())


def test_what_to_know_of_the_split_is_in_the_results(results: dict) -> None:
    (remark, *_) = results["split_remarks"]
    assert remark.startswith("No home is known, so places are split")
    assert results["held_out"] == "places"


def test_every_detector_is_measured_with_intervals(results: dict) -> None:
    assert {detector["name"] for detector in results["detectors"]} == DETECTORS
    for detector in results["detectors"]:
        for name in ("average_precision", "roc_auc", "f1", "bce", "ece", "accuracy_at_half"):
            interval = detector["metrics"][name]
            assert interval["low"] <= interval["high"], (detector, name)
    assert results["cluster"] == "place"
    assert results["retrieval"]["queries"] > 0


def test_every_detector_searches_the_same_photos(results: dict) -> None:
    searches = results["searches"]
    views = results["counts"][-1]["views"]
    assert searches == {
        "queries": views,
        "matched": views,
        "pairs": views * (views - 1),
        "gallery": views,
    }
    for detector in results["detectors"]:
        found = {name: interval["value"] for name, interval in detector["retrieval"].items()}
        assert found["recall_at_1"] <= found["recall_at_10"]
        assert 0 < found["mean_average_precision"] <= 1
        assert 0 < found["micro_average_precision"] <= 1


def test_every_detector_is_compared_with_cosine_pair_by_pair(results: dict) -> None:
    for detector in results["detectors"]:
        if detector["name"] == "cosine":
            assert (detector["over_baseline"], detector["mcnemar"]) == ({}, None)
        else:
            assert detector["over_baseline"].keys() == detector["metrics"].keys()
            assert 0 < detector["mcnemar"]["p_value"] <= 1


def test_the_best_comes_first(results: dict) -> None:
    values = [d["metrics"]["average_precision"]["value"] for d in results["detectors"]]
    assert values == sorted(values, reverse=True)


def test_each_kind_of_pair_is_measured(results: dict) -> None:
    kinds = results["detectors"][0]["slices"]
    assert "same_place" in kinds
    assert kinds["same_place"]["pairs"] == results["counts"][-1]["pairs"]["same_place"]


def test_a_file_that_is_no_photo_is_listed_and_the_run_goes_on(
    results: dict, run_folder: Path
) -> None:
    (file,) = results["unreadable"]
    assert file["file"].endswith("rome_12_1.jpg")
    assert file["reason"] == "not an image"
    assert "rome_12_1.jpg" in (run_folder / "report.html").read_text()


def test_the_same_seed_gives_the_same_numbers_and_decodes_no_photo_again(
    results: dict,
    run_folder: Path,
    spoiled_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [f"data.root={spoiled_rooms}", f"bank.folder={run_folder / 'bank'}", "workers=2"]
    again = compare(tmp_path, *words)
    assert without_time(again) == without_time(results)
    assert (results["photos_decoded"], again["photos_decoded"]) == (60, 0)
    others = "the bank, or a file of the same bytes, had the rows of the others"
    assert f"Decoded 0 of 60 photos; {others}" in capsys.readouterr().out


def test_one_parent_run_with_a_child_a_detector(run_folder: Path) -> None:
    client = MlflowClient()
    experiment = client.get_experiment_by_name("compare")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [
        run
        for run in runs
        if run.data.tags.get("seentwice.folder") == str(run_folder)
        and "mlflow.parentRunId" not in run.data.tags
    ]
    children = {
        run.data.params["detector"]: run
        for run in runs
        if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id
    }
    assert set(children) == DETECTORS
    assert all(run.info.status == "FINISHED" for run in [parent, *children.values()])
    assert {"config.yaml", *FILES} == {
        artifact.path for artifact in client.list_artifacts(parent.info.run_id)
    }
    assert {"data_fingerprint", "git_commit", "seed"} <= set(parent.data.params)
    logged = {"test/average_precision", "test/ece", "test/recall_at_1", "test/recall_at_1_low"}
    assert logged <= set(children["wavelet"].data.metrics)
    history = client.get_metric_history(children["l2"].info.run_id, "validation/average_precision")
    assert len(history) == 2  # one an epoch


def test_folds_test_every_place_once(few_rooms: Path, tmp_path: Path) -> None:
    results = compare(
        tmp_path,
        f"data.root={few_rooms}",
        "folds=4",
        "head=[l2]",
        "baselines=[cosine]",
        "training.epochs=1",
        "retrieval_pairs=300",
    )
    searches = results["searches"]
    assert 0 < searches["pairs"] <= 300
    assert searches["pairs"] <= searches["queries"] * (searches["gallery"] - 1)
    assert searches["queries"] < 60
    test = results["counts"][-1]
    assert (test["split"], test["places"], test["views"]) == ("test", 20, 60)
    assert all(len(detector["thresholds"]) == 4 for detector in results["detectors"])


def test_all_pairs_are_tested_once_across_folds_too(few_rooms: Path, tmp_path: Path) -> None:
    words = ["folds=4", "split.all_pairs=true", "head=[]", "baselines=[average,knn]"]
    results = compare(tmp_path, f"data.root={few_rooms}", *words)
    photos = results["photos"]
    assert sum(results["counts"][-1]["pairs"].values()) == photos * (photos - 1) // 2
    assert results["folds"] == 6
    assert results["searches"] is None
    assert results["retrieval"]["gallery"] == photos
    within = results["detectors"][0]["fold_average_precisions"]
    assert [value is None for value in within].count(True) == 2


def test_all_pairs_without_folds_say_what_is_missing(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", f"data.root={few_rooms}", "split.all_pairs=true"]) == 2
    assert (
        "split.all_pairs=true: needs the folds of compare, such as folds=5"
        in capsys.readouterr().err
    )


def test_edits_make_duplicates_of_photos_that_have_none(
    few_rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    houses = tmp_path / "houses"
    houses.mkdir()
    for number, path in enumerate(sorted(few_rooms.rglob("*.jpg"))[:24]):
        room_type = ("bathroom", "bedroom", "frontal", "kitchen")[number % 4]
        (houses / f"{number // 4 + 1}_{room_type}.jpg").write_bytes(path.read_bytes())
    arguments = [f"data.root={houses}", "head=[]", "baselines=[wavelet]", "retrieval_pairs=0"]
    folder = tmp_path / "out"
    assert main(["compare", "data=houses", f"hydra.run.dir={folder}", *arguments]) == 0
    results = json.loads((folder / "results.json").read_text())
    test = results["counts"][-1]["pairs"]
    assert test["edited"] > 0
    assert test["same_place"] == 0
    assert results["cluster"] == "property"
    assert results["searches"] is None
    assert results["detectors"][0]["retrieval"] == {}


def test_multirun_runs_every_choice(few_rooms: Path, tmp_path: Path) -> None:
    words = ["head=[]", "baselines=[average]", "seed=1,2", f"hydra.sweep.dir={tmp_path}"]
    assert main(["compare", "--multirun", *QUICK, f"data.root={few_rooms}", *words]) == 0
    seeds = [json.loads(path.read_text())["seed"] for path in tmp_path.rglob("results.json")]
    assert sorted(seeds) == [1, 2]


def test_a_wrong_job_of_a_multirun_does_not_end_the_others(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["head=[]", "baselines=[surf],[average]", f"hydra.sweep.dir={tmp_path}"]
    assert main(["compare", "--multirun", *QUICK, f"data.root={few_rooms}", *words]) == 2
    assert "no 'surf'" in capsys.readouterr().err
    assert len(list(tmp_path.rglob("results.json"))) == 1


def test_local_features_and_a_combination_are_baselines(few_rooms: Path, tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="needs the extra opencv")
    words = ["head=[]", "baselines=[combined,sift,wavelet,orb,histogram]", "folds=4"]
    words.append("combine=[sift,wavelet,histogram]")
    results = compare(tmp_path, f"data.root={few_rooms}", *words)
    names = {detector["name"] for detector in results["detectors"]}
    assert names == {"combined", "sift", "wavelet", "orb", "histogram"}
    combination = results["combination"]
    assert set(combination["weights"]) == names - {"combined", "orb"}
    for weights in combination["weights"].values():
        assert len(weights) == 4
        assert min(weights) >= 0
    told = f"combined against {combination['best']} (the best of the others on validation pairs)"
    page = (tmp_path / "report.html").read_text()
    assert told in page
    assert "What combined weighs" in page


def test_regions_need_a_backbone_with_a_map(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("timm", reason="needs the extra timm")
    words = [f"data.root={few_rooms}", "head=[]", "baselines=[regions]", "backbone=timm"]
    words += ["backbone.name=test_vit", "backbone.weights=none", f"hydra.run.dir={tmp_path}"]
    assert main(["compare", *QUICK, *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "timm/test_vit has none; choose one such as mobilenet_v2 or resnet50, or leave" in line
