"""Every command that is suggested is one that composes, and it means the same photos."""

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig

from seentwice.commands import compare
from seentwice.commands.application import find_configs
from seentwice.commands.main import main
from seentwice.commands.next_steps import head_overrides, spell_value
from seentwice.commands.place_batches import check_batches, check_own_table, overrides_of_one
from seentwice.data.folder import read_folder
from seentwice.models.checkpoint import CHECKPOINT_FILE

QUICK = ("training.epochs=1", "training.batches_per_epoch=1", "workers=1")


def suggested(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """The words of each command that was suggested, by the command's name."""
    lines = capsys.readouterr().out.splitlines()
    commands = [line.removeprefix("Next: ") for line in lines if line.startswith("Next: ")]
    words = [shlex.split(command) for command in commands]
    assert words
    assert all(program == "seentwice" for program, *_ in words)
    return {command: rest for _, command, *rest in words}


def composed(command: str, words: list[str]) -> DictConfig:
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        return compose(command, words)


@pytest.fixture
def own_rooms(few_rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with photos in `own rooms`, whose name must be quoted."""
    shutil.copytree(few_rooms, tmp_path / "own rooms")
    monkeypatch.chdir(tmp_path)
    return tmp_path


DATA = ("data=folder", "data.root='own rooms'")


def test_after_prepare_and_pairs(own_rooms: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", *DATA, "edits=mls"]) == 0
    config = composed("compare", suggested(capsys)["compare"])
    assert config.data.root == "own rooms"
    assert list(config.edits.train) == ["mls"]

    words = ("sampling.train.max_negatives=9", "folds=3", "triplets=0")
    assert main(["pairs", *DATA, *words]) == 0
    config = composed("train", suggested(capsys)["train"])
    assert config.sampling.train.max_negatives == 9
    assert config.training.batches == "table"
    assert "folds" not in config


def test_what_prepare_alone_writes_is_not_carried_on(
    own_rooms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = own_rooms / "own rooms"
    photos = sorted(str(path.relative_to(root)) for path in root.rglob("*.jpg"))
    labels = {"category": "room", "productFamily": "", "seller": ""}
    rows = [{"id": n, "photos": photos[3 * n : 3 * n + 3], **labels} for n in range(8)]
    Path("products.json").write_text(json.dumps(rows))
    words = ("data=catalogue", "data.file=products.json", "data.photo_root=own rooms")
    assert main(["prepare", *words, "data.json=out.json"]) == 0
    assert suggested(capsys)["compare"] == list(words)
    assert Path("out.json").is_file()
    assert main(["compare", *words, "data.json=out.json"]) == 2
    refusal = "data.json=out.json: seentwice prepare alone writes it, so it has no effect here"
    assert refusal in capsys.readouterr().err


def test_after_a_comparison(own_rooms: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("head=[l1,l2]", "head.l1.start_scale=5", "head.l2.start_scale=5", "baselines=[]")
    assert main(["compare", *DATA, *QUICK, *words, "bootstrap_resamples=5"]) == 0
    following = suggested(capsys)
    assert composed("compare", following["compare"]).folds == 5
    config = composed("train", following["train"])
    # Settings of the head that lost are left out.
    assert list(config.head.values()) == [{"start_scale": 5}]
    assert config.data.root == "own rooms"


def test_after_a_comparison_that_an_objective_of_embeddings_wins(
    own_rooms: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        compare,
        "best_head",
        lambda comparison: next(one for one in comparison.detectors if one.name == "triplet"),
    )
    words = ("head=[l2,triplet]", "training.batch_size=64", "baselines=[]", "bootstrap_resamples=5")
    assert main(["compare", *DATA, *QUICK, *words]) == 0
    assert suggested(capsys)["train"] == ["head=triplet", *DATA, *QUICK]


@pytest.mark.parametrize(
    ("head", "kept", "dropped"),
    [
        ("triplet", ["seed=3"], ["training.batch_size=64", "training.loss=mean"]),
        ("triplet", ["training.views_per_place=3"], ["training.monitor=loss"]),
        ("triplet", [], ["sampling.train.max_negatives=9", "mining.neighbours=9"]),
        ("contrastive", ["sampling.train.max_negatives=9", "training.batch_size=64"], []),
        ("l2", ["training.monitor=loss", "training.loss=mean", "training.batch_size=64"], []),
        ("l2", ["training=places"], ["sampling.train.max_negatives=9"]),
        ("l2", ["training=table", "sampling=samespace"], []),
        ("contrastive", ["experiment=samespace", "training.batch_size=32"], []),
    ],
)
def test_a_training_of_one_head_takes_what_has_an_effect_on_it(
    head: str, kept: list[str], dropped: list[str]
) -> None:
    given = ["head=[l2,triplet,contrastive]", "head.l2.start_scale=5", *kept, *dropped]
    words = overrides_of_one(composed("compare", given), head, given)
    assert words == kept
    assert_trains(head, words)


@pytest.mark.parametrize(
    "given",
    [
        ["experiment=samespace"],
        ["head=[samespace,l2]"],
        ["head=[concat,l2]", "head.concat.hidden=[5]", "head.concat.symmetric=true"],
        ["head=concat"],
    ],
)
def test_a_head_keeps_the_settings_of_whatever_chose_it(given: list[str]) -> None:
    config = composed("compare", given)
    name = next(iter(config.head))
    head = composed("train", head_overrides(config, name)).head
    assert head == {name: config.head[name]}
    assert len(head_overrides(composed("compare", ["head=concat"]), "concat")) == 1


@pytest.mark.parametrize("word", ["sampling=samespace", "experiment=samespace"])
def test_a_head_that_takes_no_training_table_keeps_the_test_table_of_samespace(word: str) -> None:
    given = ["head=[concat,triplet]", word, "data=folder", "data.root=R"]
    words = overrides_of_one(composed("compare", given), "triplet", given)
    assert_trains("triplet", words)
    assert composed("train", ["head=triplet", *words]).sampling.evaluation is None


def assert_trains(head: str, words: list[str]) -> None:
    """No word is refused for having no effect."""
    config = composed("train", [f"head={head}", *words])
    check_own_table(config, [head])
    check_batches(config, [head], (), words)


@pytest.mark.parametrize(
    ("words", "has_folds"),
    [
        (["split.by=city", "split.assign=balanced"], False),
        (["split.by=place", "folds=3"], False),
        (["split.assign=own"], False),
        (["split.by=place"], True),
    ],
)
def test_folds_are_suggested_where_they_run(
    words: list[str],
    has_folds: bool,
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """20 places in four cities; the data set names test photos of its own."""
    found = read_folder(few_rooms)
    keeps_split = "split.assign=own" in words
    photos = tuple(
        replace(photo, city=str(n // 3 % 4), split=photo.split if keeps_split else None)
        for n, photo in enumerate(sorted(found.photos, key=lambda photo: photo.place))
    )
    photo_set = replace(found, name="flats", photos=photos)
    monkeypatch.setattr(compare, "load_photos", lambda config, console: photo_set)
    arguments = [
        *DATA,
        *words,
        "head=[]",
        "baselines=[average]",
        "edits=mls",
        "bootstrap_resamples=5",
    ]
    assert main(["compare", *arguments, "workers=1", f"hydra.run.dir={tmp_path}"]) == 0
    assert ("folds=5" in capsys.readouterr().out) == has_folds


@pytest.mark.parametrize("is_resumed", [False, True])
def test_after_training_whoever_chose_the_data(
    is_resumed: bool,
    own_rooms: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = own_rooms / "run"
    words = ("experiment=same_place", "data.root='own rooms'", "backbone=compact")
    words += ("split.assign=name", "max_pixels=99999", f"hydra.run.dir={folder}")
    assert main(["train", *words, *QUICK]) == 0
    monkeypatch.chdir(own_rooms / "own rooms")
    if is_resumed:
        capsys.readouterr()
        assert main(["train", f"resume={folder}", f"hydra.run.dir={own_rooms / 'other'}"]) == 0
    following = suggested(capsys)["evaluate"]
    assert following == [
        f"checkpoint={folder / CHECKPOINT_FILE}",
        "data=folder",
        f"data.root='{own_rooms / 'own rooms'}'",
        "max_pixels=99999",
    ]
    assert main(["evaluate", *following, f"hydra.run.dir={own_rooms / 'evaluation'}"]) == 0
    assert "Other data" not in capsys.readouterr().out


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="ascii", exclude_categories=["Cc"]))
    | st.sampled_from(["null", "True", "nan", "0", "1e3", "a/b", "${x}", "a=b", "'", "\\", "\\'"]),
    lambda held: st.lists(held, max_size=3),
    max_leaves=5,
)


@given(VALUES)
def test_a_value_that_is_spelt_is_read_as_the_same(value: object) -> None:
    (override,) = OverridesParser.create().parse_overrides([f"key={spell_value(value)}"])
    assert override.value() == value
    assert type(override.value()) is type(value)
