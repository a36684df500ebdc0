"""Which style and how many storeys: from rendered house fronts, and from the Houses-dataset's.

    python benchmarks/house_styles.py data/raw/houses checkpoints/mobilenet_v2_imagenet.safetensors

Two cores, beside other work: 3 minutes to render 3,200 fronts into data/raw/fronts, 8 for the rest;
features are kept in data/prepared/bank. Logistic regression on pooled features of a frozen
MobileNetV2, and on colour histograms; every label counts alike. Expected accuracy: on rendered
fronts 0.96 of style and 0.91 of storeys, of histograms 0.31 and 0.35; on 382 real fronts 0.85 of
storeys in 5 folds of homes.

Writes results.json, confusion.png and fronts.jpg of experiments/house_styles, and the table of its
page.
"""

import json
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from seentwice.bank.bank import open_bank
from seentwice.bootstrap import bootstrap_share
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.data.fronts import FrontsSource
from seentwice.data.house_fronts import STOREYS, STYLES
from seentwice.data.labelled_fronts import LabelledFrontsSource
from seentwice.data.source import PhotoSet
from seentwice.detectors.describe import describe_views
from seentwice.detectors.histogram import HistogramDescriptor
from seentwice.detectors.trunk import FEATURES, TrunkDescriptor
from seentwice.files import digest_file, write_atomically
from seentwice.models.backbones import build_trunk
from seentwice.plots import INK, make_figure, to_png
from seentwice.records import Interval, View
from seentwice.rendering.fronts.photo import render_front
from seentwice.rendering.fronts.sides import Side

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "experiments" / "house_styles"
PAGE = FOLDER / "README.md"
CONFIG = ROOT / "configs" / "data" / "fronts.yaml"
BANK = ROOT / "data" / "prepared" / "bank"
BANK_GB = 20
MAX_PIXELS = 100_000_000
WORKERS = 2
HEADS: Mapping[str, tuple[str, ...]] = {"storeys": STOREYS, "style": STYLES}
REGULARISATION = (1e-4, 1e-3, 1e-2, 1e-1)
FOLDS = 5
INNER_FOLDS = 4
RESAMPLES = 1000
SEED = 0
DETECTORS = {FEATURES: "features", HistogramDescriptor.name: "histogram"}
HEADER = (
    "| trained to tested | head | rows | photos | accuracy | balanced accuracy | largest |\n"
    "| --- | --- | --- | ---: | ---: | ---: | ---: |"
)


@dataclass(frozen=True, slots=True, eq=False)
class Tagged:
    """Photos whose label of one head is known."""

    rows: NDArray[np.float64]  # (n, d)
    label: NDArray[np.int64]  # (n,) number in the head's labels
    home: NDArray[np.int64]  # (n,)
    tested: NDArray[np.bool_]  # (n,) of the data set's own test split


@dataclass(frozen=True, slots=True)
class Answers:
    """How one head answered on photos that it had not learned from."""

    data: str
    head: str
    detector: str
    photos: int
    accuracy: Interval
    balanced_accuracy: Interval
    largest_share: float
    """Accuracy of always answering the most frequent label."""
    confusion: tuple[tuple[int, ...], ...]
    """Photos by label, then by answer."""


def main() -> None:
    """Measure, print and write."""
    houses, weights = Path(sys.argv[1]), sys.argv[2]
    source: FrontsSource = instantiate(OmegaConf.load(CONFIG))
    source.prepare(lambda done, total: None)
    rendered = source.read()
    real = LabelledFrontsSource(houses).read()
    rows = {photo_set.name: describe(photo_set, weights) for photo_set in (rendered, real)}
    found = []
    for head, labels in HEADS.items():
        for detector in DETECTORS:
            drawn = select(rendered, rows[rendered.name][detector], head, labels)
            photographed = select(real, rows[real.name][detector], head, labels)
            found += measure_head(head, labels, detector, drawn, photographed)
            print(*(row_of(answers) for answers in found[-3:]), sep="\n", flush=True)
    write_results(found)
    write_atomically(PAGE, fill_page(PAGE.read_text(), [row_of(answers) for answers in found]))
    write_atomically(FOLDER / "confusion.png", plot_confusions(found))
    draw_examples().save(FOLDER / "fronts.jpg", quality=85)


def describe(photo_set: PhotoSet, weights: str) -> Mapping[str, NDArray[np.float64]]:
    """Return the rows of all photos by detector, from the bank where it has them."""
    trunk = build_trunk("mobilenet_v2", weights, "average", 0, "eval", SEED)
    views = tuple(View(photo) for photo in photo_set.photos)
    described = describe_views(
        views,
        [digest_file(view.photo.path) for view in views],
        [TrunkDescriptor(trunk, "float32"), HistogramDescriptor()],
        open_bank(BANK, BANK_GB),
        photo_set.name,
        WORKERS,
        MAX_PIXELS,
        lambda done, total: None,
    )
    if not described.readable.all():
        sys.exit(f"{len(described.unreadable)} photos of {photo_set.name} could not be read")
    # Square roots of shares: differences of rare colours count, too.
    histograms = np.sqrt(described.rows[HistogramDescriptor.name].astype(np.float64))
    return {
        FEATURES: described.rows[FEATURES].astype(np.float64),
        HistogramDescriptor.name: histograms,
    }


def select(
    photo_set: PhotoSet, rows: NDArray[np.float64], head: str, labels: Sequence[str]
) -> Tagged:
    """Return the photos whose label is known."""
    known = [dict(photo.tags).get(head) for photo in photo_set.photos]
    which = np.array([label is not None for label in known])
    _, home = np.unique([str(photo.property) for photo in photo_set.photos], return_inverse=True)
    return Tagged(
        rows=rows[which],
        label=np.array([labels.index(label) for label in known if label is not None]),
        home=home[which],
        tested=np.array([photo.split == "test" for photo in photo_set.photos])[which],
    )


def measure_head(
    head: str, labels: Sequence[str], detector: str, drawn: Tagged, real: Tagged
) -> Iterator[Answers]:
    """Yield rendered to rendered, real to real in folds of homes, and rendered to real."""
    trained, tested = take(drawn, ~drawn.tested), take(drawn, drawn.tested)
    model = fit(trained)
    name = DETECTORS[detector]
    yield judge("rendered", head, name, labels, tested, model.predict(tested.rows))
    answer = np.empty_like(real.label)
    for own, other in fold_homes(real, FOLDS):
        answer[other] = fit(take(real, own)).predict(real.rows[other])
    yield judge("real", head, name, labels, real, answer)
    yield judge("rendered_to_real", head, name, labels, real, model.predict(real.rows))


def take(tagged: Tagged, which: NDArray[np.integer] | NDArray[np.bool_]) -> Tagged:
    """Return some of the photos."""
    return Tagged(tagged.rows[which], tagged.label[which], tagged.home[which], tagged.tested[which])


def fold_homes(tagged: Tagged, folds: int) -> list[tuple[NDArray[np.integer], NDArray[np.integer]]]:
    """Return training and test photos of each fold; a home is in one, labels in all alike."""
    dealt = StratifiedGroupKFold(folds, shuffle=True, random_state=SEED)
    with warnings.catch_warnings():
        # Of three or more storeys there are four real photos: some folds have none, as told.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(dealt.split(tagged.rows, tagged.label, tagged.home))


def fit(tagged: Tagged) -> Pipeline:
    """Fit with the strength that answers best in folds of the training photos alone."""
    splits = fold_homes(tagged, INNER_FOLDS)
    scores = []
    for strength in REGULARISATION:
        answer = np.empty_like(tagged.label)
        for own, other in splits:
            model = make_model(strength).fit(tagged.rows[own], tagged.label[own])
            answer[other] = model.predict(tagged.rows[other])
        scores.append(balanced_accuracy_score(tagged.label, answer))
    best = REGULARISATION[int(np.argmax(scores))]
    return make_model(best).fit(tagged.rows, tagged.label)


def make_model(strength: float) -> Pipeline:
    """Return logistic regression on standardised columns; every label counts alike."""
    regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000, tol=1e-3)
    return make_pipeline(StandardScaler(), regression)


def judge(
    data: str,
    head: str,
    detector: str,
    labels: Sequence[str],
    tagged: Tagged,
    answer: NDArray[np.int64],
) -> Answers:
    """Compare answers with labels; homes are what the intervals resample."""
    right = answer == tagged.label
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (tagged.label, answer), 1)
    return Answers(
        data=data,
        head=head,
        detector=detector,
        photos=len(right),
        accuracy=bootstrap_share(right, tagged.home, tagged.home, resamples=RESAMPLES),
        balanced_accuracy=resample_balance(tagged, right),
        largest_share=float(confusion.sum(axis=1).max() / len(right)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def resample_balance(tagged: Tagged, right: NDArray[np.bool_]) -> Interval:
    """Return the mean recall of the labels; of a resample, of those that it holds."""
    homes, group = np.unique(tagged.home, return_inverse=True)
    labels = np.unique(tagged.label)
    shape = len(labels), len(homes)
    photos, hits = np.zeros(shape), np.zeros(shape)
    row = np.searchsorted(labels, tagged.label)
    np.add.at(photos, (row, group), 1)
    np.add.at(hits, (row, group), right)
    rng = np.random.default_rng(SEED)
    times = rng.multinomial(len(homes), np.full(len(homes), 1 / len(homes)), RESAMPLES).T
    with np.errstate(invalid="ignore"):
        draws = np.nanmean((hits @ times) / (photos @ times), axis=0)
    value = float((hits.sum(axis=1) / photos.sum(axis=1)).mean())
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(value, float(low), float(high))


def row_of(answers: Answers | Mapping[str, object]) -> str:
    """Return a row of the page's table."""
    cells = answers if isinstance(answers, Mapping) else to_json(answers)
    accuracy, balanced = (
        "{value:.3f} [{low:.3f}, {high:.3f}]".format_map(cells[name])
        for name in ("accuracy", "balanced_accuracy")
    )
    return (
        f"| {str(cells['data']).replace('_', ' ')} | {cells['head']} | {cells['detector']} | "
        f"{cells['photos']} | {accuracy} | {balanced} | {cells['largest_share']:.3f} |"
    )


def fill_page(page: str, rows: Sequence[str]) -> str:
    """Return the page with these rows in its table."""
    table = "\n".join((HEADER, *rows))
    return re.sub(
        r"(<!-- results .*? -->\n).*?\n(<!-- end -->)",
        lambda found: f"{found[1]}{table}\n{found[2]}",
        page,
        flags=re.DOTALL,
    )


def to_json(answers: Answers) -> dict[str, object]:
    """Return the answers as JSON holds them."""
    intervals = {
        name: {part: round(getattr(interval, part), 4) for part in ("value", "low", "high")}
        for name, interval in (
            ("accuracy", answers.accuracy),
            ("balanced_accuracy", answers.balanced_accuracy),
        )
    }
    return {
        "data": answers.data,
        "head": answers.head,
        "detector": answers.detector,
        "photos": answers.photos,
        **intervals,
        "largest_share": round(answers.largest_share, 4),
        "labels": list(HEADS[answers.head]),
        "confusion": [list(row) for row in answers.confusion],
    }


def write_results(found: Sequence[Answers]) -> None:
    """Write results.json."""
    result = {
        "command": "python benchmarks/house_styles.py data/raw/houses "
        "checkpoints/mobilenet_v2_imagenet.safetensors",
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "answers": [to_json(answers) for answers in found],
    }
    write_atomically(FOLDER / "results.json", json.dumps(result, indent=2) + "\n")


def plot_confusions(found: Sequence[Answers]) -> bytes:
    """Draw the confusion matrices of the features: a PNG, coloured by share of a label."""
    shown = [answers for answers in found if answers.detector == "features"]
    figure = make_figure(11.0, 7.0)
    for number, answers in enumerate(shown, 1):
        counts = np.array(answers.confusion)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes = figure.add_subplot(2, 3, number)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(counts.shape):
            colour = "white" if share[row, column] >= 0.5 else INK
            axes.text(
                column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour
            )
        names = [label.replace("_", " ") for label in HEADS[answers.head]]
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
        axes.set_yticks(range(len(names)), names)
        title = f"{answers.head}, {answers.data.replace('_', ' ')}: {answers.accuracy.value:.1%}"
        axes.set_title(title, color=INK, fontsize=11)
        axes.set_ylabel("Label")
        axes.set_xlabel("Answer")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelcolor=INK)
    return to_png(figure)


def draw_examples() -> Image.Image:
    """Draw a row of fronts a style: three of the training's ranges, three of the test's."""
    sides: tuple[Side, ...] = ("train", "test")
    rows = []
    for number, style in enumerate(STYLES):
        storeys = ("one", "two", "two" if style == "ranch" else "three_or_more")
        rows.append(
            np.hstack(
                [
                    render_front(100 * number + 10 * at + place, style, name, side, (240, 180))
                    for at, side in enumerate(sides)
                    for place, name in enumerate(storeys)
                ]
            )
        )
    return Image.fromarray(np.vstack(rows))


if __name__ == "__main__":
    main()
