"""The data card as a page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from seentwice.data.card.counts import (
    WHOLE,
    DataCard,
    ExamplePair,
    PhotoMeasures,
)
from seentwice.data.card.plots import plot_hamming, plot_sizes
from seentwice.data.lookalikes import (
    MOST_BITS,
    Lookalike,
    Lookalikes,
    describe_leaks,
    describe_suspects,
)
from seentwice.data.pairs import KINDS
from seentwice.data.thumbnails import LoadView, name_of, show_view
from seentwice.display import name_count, show_text
from seentwice.pages import (
    Cell,
    Code,
    Column,
    Facts,
    Gallery,
    PhotoPair,
    Picture,
    Section,
    Table,
    render_page,
)
from seentwice.records import Photo, View

SHOWN_LOOKALIKES = 24
SHOWN_ROWS = 100  # of unreadable files and of room types; card.json has all

SAME_LOOK = f"the same bytes, the same pixels, or perceptual hashes at most {MOST_BITS} bits apart"
COUNTED = ("photos", "places", "properties", "cities")  # the last two where they are known
MEASURES: Mapping[str, tuple[str, str]] = {
    "width_px": ("Width, px", ",.0f"),
    "height_px": ("Height, px", ",.0f"),
    "megapixels": ("Megapixels", ",.2f"),
    "kilobytes": ("File, kB", ",.0f"),
}


def render_card(
    card: DataCard,
    measures: PhotoMeasures,
    photos: Sequence[Photo],
    examples: Sequence[ExamplePair],
    command: str,
    config: str,
    load_view: LoadView,
) -> str:
    """Return the card as one HTML document.

    Args:
        card: the numbers.
        measures: of the photos, for the plots.
        photos: all of the data set, to find those that look the same by their key.
        examples: pairs of each kind, those of one kind side by side.
        command: that made the card.
        config: the resolved configuration as YAML.
        load_view: opens the photos that are shown.
    """
    by_key = {photo.key: photo for photo in photos}
    sections = [
        _photos_section(card),
        _pairs_section(card),
        _examples_section(examples, card.folds, load_view),
        _sizes_section(card, measures),
        _leaks_section(card.leaks, by_key, load_view),
        _suspects_section(card.suspects, by_key, load_view),
        _unreadable_section(card),
        Section(
            "How it was made", "", (_origin(card), Code(command), Code(config, "Configuration"))
        ),
    ]
    return render_page(f"Data card: {card.data}", describe_card(card), sections)


def describe_card(card: DataCard) -> str:
    """Say in a sentence or two what is there."""
    whole = card.parts[0]
    photos, places = (
        name_count(whole.photos, "photo", "photos"),
        name_count(whole.places, "place", "places"),
    )
    counts = [f"{photos} of {places}"]
    if whole.properties:
        counts.append(name_count(whole.properties, "property", "properties"))
    if whole.cities:
        counts.append(name_count(whole.cities, "city", "cities"))
    return (
        f"{', '.join(counts)}. Files that gave no photo: {len(card.unreadable):,}. "
        f"Leaks: {describe_leaks(card.leaks)}. Suspects: {describe_suspects(card.suspects)}."
    )


def _photos_section(card: DataCard) -> Section:
    told = [name for name in COUNTED if getattr(card.parts[0], name)]
    parts = Table(
        "What each split holds"
        if card.folds == 1
        else f"What each of {card.folds} folds tests; it trains and validates on the others",
        (Column("split"), *(Column(name, True) for name in told)),
        tuple(
            (Cell(part.part), *(_count(getattr(part, name)) for name in told))
            for part in card.parts
        ),
    )
    most = sorted(card.room_types.items(), key=lambda item: -item[1][WHOLE])[:SHOWN_ROWS]
    room_types = Table(
        f"Photos by room type{_first_of(most, len(card.room_types))}",
        (Column("room type"), *(Column(part.part, True) for part in card.parts)),
        tuple(
            (Cell(room_type), *(_count(counts[part.part]) for part in card.parts))
            for room_type, counts in most
        ),
    )
    places = Table(
        "Places by their number of photos",
        (Column("photos of the place"), Column("places", True)),
        tuple(
            (Cell(f"{photos:,}"), _count(places))
            for photos, places in card.places_by_photos.items()
        ),
    )
    return Section("Photos", "", (parts, room_types, places))


def _pairs_section(card: DataCard) -> Section:
    kinds = [kind.value for kind in KINDS if any(table.pairs[kind.value] for table in card.tables)]
    counts = Table(
        "Pairs by kind" + ("" if card.folds == 1 else f", summed over {card.folds} folds"),
        tuple(
            Column(name.replace("_", " "), number > 0)
            for number, name in enumerate(["pairs", "views", *kinds])
        ),
        tuple(
            (
                Cell(table.split),
                _count(table.views),
                *(_count(table.pairs[kind]) for kind in kinds),
            )
            for table in card.tables
        ),
    )
    plot = Picture(
        plot_hamming(card.hamming["test"], card.hamming["train"]),
        "Shares of duplicates and of other pairs over the Hamming distance of four hashes",
    )
    return Section(
        "Pairs",
        "Where duplicates and other pairs lie apart, a perceptual hash alone tells them from each "
        "other; where they overlap it cannot.",
        (counts, plot),
    )


def _examples_section(examples: Sequence[ExamplePair], folds: int, load_view: LoadView) -> Section:
    galleries = tuple(
        Gallery(
            kind.value.replace("_", " "),
            tuple(_show_pair(pair.left, pair.right, (pair.table,), load_view) for pair in of_kind),
        )
        for kind, of_kind in groupby(examples, lambda pair: pair.kind)
    )
    where = ", in the first fold" if folds > 1 else ""
    return Section("Example pairs", f"Drawn at random from each kind{where}.", galleries)


def _sizes_section(card: DataCard, measures: PhotoMeasures) -> Section:
    sizes = Table(
        "Upright, as they are decoded",
        (Column("measure"), *(Column(name, True) for name in ("min", "median", "max"))),
        tuple(
            (
                Cell(title),
                *(
                    Cell(format(value, form), value=value)
                    for value in (spread.min, spread.median, spread.max)
                ),
            )
            for (title, form), spread in (
                (MEASURES[name], spread) for name, spread in card.sizes.items()
            )
        ),
    )
    formats = Table(
        "Formats, by what the files hold",
        (Column("format"), Column("photos", True)),
        tuple((Cell(name), _count(number)) for name, number in card.formats.items()),
    )
    plot = Picture(plot_sizes(measures), "Height of photos over their width, and file sizes")
    return Section("Sizes and formats", "", (sizes, plot, formats))


def _leaks_section(leaks: Lookalikes, by_key: Mapping[str, Photo], load_view: LoadView) -> Section:
    title = "Leaks: photos in two splits"
    if not leaks.total:
        return Section(title, f"None: no two photos of different splits have {SAME_LOOK}.")
    text = f"{describe_leaks(leaks)}: what is learned from one is tested on the other"
    return _lookalikes_section(title, text, "leaks", leaks, by_key, load_view)


def _suspects_section(
    suspects: Lookalikes, by_key: Mapping[str, Photo], load_view: LoadView
) -> Section:
    title = "Suspects: photos in two places"
    if not suspects.total:
        return Section(
            title, f"None: no two photos of different places, zones aside, have {SAME_LOOK}."
        )
    text = (
        f"{describe_suspects(suspects)}, in one split or in two. If they show one place, they and "
        "the other photos of both may be negative pairs that are duplicates: name them as one "
        "place, or give them one zone"
    )
    return _lookalikes_section(title, text, "suspects", suspects, by_key, load_view)


def _lookalikes_section(
    title: str,
    text: str,
    name: str,
    found: Lookalikes,
    by_key: Mapping[str, Photo],
    load_view: LoadView,
) -> Section:
    shown = found.listed[:SHOWN_LOOKALIKES]

    def show(pair: Lookalike) -> PhotoPair:
        left, right = (View(by_key[key]) for key in (pair.left, pair.right))
        splits = " and ".join(dict.fromkeys((pair.left_split, pair.right_split)))
        return _show_pair(left, right, (f"{pair.how.value}, {splits}",), load_view)

    counts = Table(
        f"{name.capitalize()}, each under the surest of its reasons",
        (Column("seen by"), Column("pairs", True)),
        tuple((Cell(how.value), _count(number)) for how, number in found.counts.items()),
    )
    listed = (
        f"{name}.csv lists them all"
        if len(found.listed) == found.total
        else f"{name}.csv lists the surest {len(found.listed):,}"
    )
    gallery = Gallery(f"The surest {len(shown)}", tuple(map(show, shown)))
    return Section(title, f"{text}. {listed}.", (counts, gallery))


def _unreadable_section(card: DataCard) -> Section:
    title = "Files that gave no photo"
    if not card.unreadable:
        return Section(title, "None.")
    shown = card.unreadable[:SHOWN_ROWS]
    table = Table(
        f"Files and reasons{_first_of(shown, len(card.unreadable))}",
        (Column("file"), Column("reason"), Column("detail")),
        tuple(
            (Cell(show_text(file.name)), Cell(file.reason.value), Cell(file.detail))
            for file in shown
        ),
    )
    return Section(title, "", (table,))


def _origin(card: DataCard) -> Facts:
    return Facts(
        (
            ("Data", card.data),
            ("Read by", ", ".join(f"{key}={value}" for key, value in card.source.items())),
            ("Fingerprint of photos and labels (sha256)", card.fingerprint),
            ("Seed", str(card.seed)),
        )
    )


def _show_pair(left: View, right: View, lines: tuple[str, ...], load_view: LoadView) -> PhotoPair:
    return PhotoPair(
        show_view(left, load_view),
        show_view(right, load_view),
        (*lines, show_text(name_of(left)), show_text(name_of(right))),
    )


def _count(number: int) -> Cell:
    return Cell(f"{number:,}", value=number)


def _first_of(shown: Sequence[object], total: int) -> str:
    return (
        "" if len(shown) == total else f", the first {len(shown):,} of {total:,}; card.json has all"
    )
