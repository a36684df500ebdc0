"""Arranges furniture into rooms, one arrangement for each room type."""

from numpy.random import PCG64, Generator

from seentwice.rendering import furniture as make
from seentwice.rendering.draft import WALLS, Draft
from seentwice.rendering.fittings import (
    add_ceiling_lamp,
    add_door,
    add_pictures,
    add_rug,
    add_window,
)
from seentwice.rendering.palettes import (
    PAINTS,
    ROOM_TYPES,
    Style,
    between,
    choose,
    draw_floor,
    draw_style,
    draw_wallpaper,
)
from seentwice.rendering.scene import Material, Scene


def _furnish_bedroom(draft: Draft, style: Style) -> None:
    rng = draft.rng
    bed = make.make_bed(rng, style)
    at = between(rng, 0.55, max(0.56, draft.size_m[0] - bed.width_m - 0.55))
    draft.stand(bed, "back", at=at)
    for side in (at - 0.52, at + bed.width_m + 0.03):
        stand = make.make_nightstand(rng, style)
        if side > 0.02 and side + stand.width_m < draft.size_m[0] and rng.random() < 0.85:
            draft.stand(stand, "back", at=side)
    width, height = choose(rng, ((1.2, 2.05), (1.2, 0.85), (1.6, 2.05)))
    wardrobe = make.make_cabinet(rng, style, width, 0.5, height)
    draft.stand(wardrobe, choose(rng, ("left", "right")), tall=height > 1.3)


def _furnish_living_room(draft: Draft, style: Style) -> None:
    rng = draft.rng
    draft.stand(make.make_sofa(rng, style), "back")
    table = make.make_table(rng, style, between(rng, 0.7, 1.1), between(rng, 0.5, 0.65), 0.42)
    x = draft.size_m[0] * between(rng, 0.3, 0.6) - table.width_m / 2
    draft.place_free(table, x, 1.2)
    side = choose(rng, ("left", "right"))
    draft.stand(make.make_screen(rng, style), side)
    draft.stand(make.make_shelves(rng, style), choose(rng, WALLS), tall=True)
    draft.stand(make.make_floor_lamp(rng, style), choose(rng, WALLS))


def _furnish_dining_room(draft: Draft, style: Style) -> None:
    rng = draft.rng
    table = make.make_dining_set(rng, style)
    x = draft.size_m[0] * between(rng, 0.4, 0.6) - table.width_m / 2
    draft.place_free(table, x, between(rng, 0.9, 1.3))
    board = make.make_cabinet(rng, style, between(rng, 1.2, 1.8), 0.42, between(rng, 0.8, 0.95))
    draft.stand(board, choose(rng, WALLS))
    draft.stand(make.make_shelves(rng, style), choose(rng, WALLS), tall=True)
    draft.stand(make.make_floor_lamp(rng, style), choose(rng, WALLS))


def _furnish_kitchen(draft: Draft, style: Style) -> None:
    rng = draft.rng
    width = min(between(rng, 2.0, 3.2), draft.size_m[0] - 0.7)
    at = between(rng, 0.0, draft.size_m[0] - width)
    draft.stand(make.make_counter(rng, style, width), "back", tall=True, at=at)
    draft.stand(make.make_fridge(rng, style), choose(rng, WALLS), tall=True)
    if rng.random() < 0.6:
        table = make.make_table(rng, style, between(rng, 0.8, 1.2), between(rng, 0.6, 0.8), 0.8)
        draft.place_free(table, between(rng, 0.2, draft.size_m[0] - 1.4), 1.6)
    cabinet = make.make_cabinet(rng, style, between(rng, 0.9, 1.4), 0.45, choose(rng, (0.9, 2.0)))
    draft.stand(cabinet, choose(rng, ("left", "right")), tall=True)


def _furnish_bathroom(draft: Draft, style: Style) -> None:
    rng = draft.rng
    draft.stand(make.make_bathtub(rng, style), choose(rng, WALLS), tall=True)
    for _ in range(4):
        if draft.stand(make.make_vanity(rng, style), choose(rng, WALLS), tall=True):
            break
    draft.stand(make.make_toilet(rng, style), choose(rng, WALLS))
    draft.hang(make.make_towels(rng, style), choose(rng, WALLS), 0.0)
    cabinet = make.make_cabinet(rng, style, between(rng, 0.5, 0.8), 0.35, choose(rng, (0.8, 1.7)))
    draft.stand(cabinet, choose(rng, WALLS), tall=True)


_FURNISH = {
    "bedroom": _furnish_bedroom,
    "living-room": _furnish_living_room,
    "dining-room": _furnish_dining_room,
    "kitchen": _furnish_kitchen,
    "bathroom": _furnish_bathroom,
}


def draw_scene(seed: int, room_type: str) -> Scene:
    """Draw a furnished room.

    Args:
        seed: The same seed gives the same room on every machine.
        room_type: One of `ROOM_TYPES`.
    """
    if room_type not in ROOM_TYPES:
        raise ValueError(f"no room type {room_type!r}; choose from {', '.join(ROOM_TYPES)}")
    rng = Generator(PCG64(seed))
    small = room_type == "bathroom"
    size_m = (
        between(rng, 2.8, 3.6) if small else between(rng, 3.5, 5.0),
        between(rng, 3.0, 3.8) if small else between(rng, 3.8, 5.0),
        between(rng, 2.4, 2.8),
    )
    style = draw_style(rng)
    draft = Draft(rng, room_type, size_m)
    _FURNISH[room_type](draft, style)
    add_window(draft, choose(rng, WALLS), style)
    if rng.random() < 0.5:
        add_window(draft, choose(rng, ("left", "right")), style)
    add_door(draft, style)
    add_pictures(draft, style)
    if rng.random() < 0.8:
        add_rug(draft, style)
    add_ceiling_lamp(draft, style)
    if rng.random() < 0.6:
        draft.stand(make.make_plant(rng, style), choose(rng, WALLS))
    wall = draw_wallpaper(rng)
    accent = draw_wallpaper(rng) if rng.random() < 0.5 else wall
    return Scene(
        room_type=room_type,
        size_m=size_m,
        wall=wall,
        accent=accent,
        floor=draw_floor(rng, room_type),
        ceiling=Material("plain", (PAINTS[0],)),
        boxes=tuple(draft.boxes),
        lamps=tuple(draft.lamps),
        windows=tuple(draft.windows),
    )
