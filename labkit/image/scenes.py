"""A seeded renderer of 28x28 RGB scenes of one or two things, with the facts behind each, and held-out combinations.

What is drawn can be told from the picture, since every attribute has a margin: the half-width of a small thing is
3.1 to 3.7 pixels and that of a large one 5.4 to 6.2; the centres of neighbouring places are at least 3.5 pixels
apart in a row or column; things of a pair are 1.5 pixels or more apart, within 20 degrees of the axis of their
relation. Free are: position and size within these bounds, a tilt of up to 6 degrees, the shade of a colour, and
brightness, tint and gradient of the light background. Where the things of a pair lie in the picture is free too:
their facts have no place, only a relation.

Held out from training, to test composition:
one thing: 14 of the 70 combinations of shape, colour and size (``is_held_out``). Every shape is held out in every
    size and every colour at least once, and the other size of the same shape and colour is always in training, so
    that each pair of attributes is seen.
two things: a scene with one of these, or one of about a seventh of the 630 pairs "colour shape + colour shape".
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import permutations, product

import numpy as np

from labkit.common import MAX_SEED, LabkitError

PICTURE_SIZE = 28  # pixels
SHAPES = ("circle", "square", "triangle", "cross", "ring")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "black")
SIZES = ("small", "large")
ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "middle", "right")
PLACES = ("top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right")
RELATIONS = ("left of", "above", "right of", "below")
CONVERSE = {"left of": "right of", "above": "below", "right of": "left of", "below": "above"}
SPLITS = ("train", "test", "held_out")
ATTRIBUTES = {"shape": SHAPES, "colour": COLOURS, "size": SIZES, "place": PLACES}
HELD_OUT_PAIRS_PER_MILLE = 143

RADIUS = {"small": (3.1, 3.7), "large": (5.4, 6.2)}  # half the width of a thing, in pixels
PLACE_CENTRES = np.array([7.3, 14.0, 20.7])  # of the three columns and rows
PLACE_JITTER = {"small": 1.5, "large": 1.0}
GAP = (1.8, 4.0)  # pixels between the things of a pair
SLOPE = 0.35  # of the line between the centres of a pair, against the axis of the relation: 19 degrees
TILT = np.deg2rad(6)
BORDER = 0.3  # pixels between a thing and the edge
RGB = {
    "red": (0.86, 0.13, 0.13),
    "orange": (0.96, 0.52, 0.08),
    "yellow": (0.95, 0.84, 0.12),
    "green": (0.16, 0.62, 0.24),
    "blue": (0.14, 0.34, 0.86),
    "purple": (0.56, 0.20, 0.68),
    "black": (0.12, 0.12, 0.12),
}
SHADE = 0.05  # how much lighter or darker a colour may be, and how much each channel may differ
BACKGROUND = (0.84, 0.97)
TINT = 0.015
GRADIENT = 0.03  # from the middle of the picture to its edge


@dataclass(frozen=True)
class Thing:
    """One thing of a scene. None means that nothing is said of an attribute (a caption may leave it out).

    Raises LabkitError for a value that is not in ``ATTRIBUTES``.
    """

    shape: str | None = None
    colour: str | None = None
    size: str | None = None
    place: str | None = None

    def __post_init__(self) -> None:
        for name, values in ATTRIBUTES.items():
            _check_value(f"Thing.{name}", getattr(self, name), values)

    @property
    def row(self) -> str | None:
        """top, middle or bottom."""
        return None if self.place is None else ROWS[PLACES.index(self.place) // 3]

    @property
    def column(self) -> str | None:
        """left, middle or right."""
        return None if self.place is None else COLUMNS[PLACES.index(self.place) % 3]

    @property
    def kind(self) -> tuple[str | None, str | None, str | None]:
        """Shape, colour and size."""
        return (self.shape, self.colour, self.size)


@dataclass(frozen=True)
class Scene:
    """One thing, or two with the relation of the first to the second ("left of": the first is on the left).

    A scene to be drawn is complete: one thing with every attribute, or two with shape, colour and size, without
    places, and a relation. What a caption says may be less (None). Raises LabkitError for what cannot be.
    """

    objects: tuple[Thing, ...]
    relation: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.objects) <= 2:
            raise LabkitError(f"Scene.objects has {len(self.objects)} things. Give one or two.")
        _check_value("Scene.relation", self.relation, RELATIONS)
        if len(self.objects) == 1 and self.relation is not None:
            raise LabkitError("Scene.relation needs two objects. Give a second one, or leave it out.")
        if len(self.objects) == 2 and any(thing.place for thing in self.objects):
            raise LabkitError(
                "Of two objects a scene says the relation, not the places. Leave Thing.place out."
            )

    @property
    def is_complete(self) -> bool:
        """Whether everything is said that drawing needs."""
        kinds = all(None not in thing.kind for thing in self.objects)
        return kinds and (self.relation if len(self.objects) == 2 else self.objects[0].place) is not None

    def canonical(self) -> Scene:
        """The one way of saying these facts that equality compares: with "left of" or "above"; two things
        without a relation in the order of their names."""
        if len(self.objects) == 1:
            return self
        first, second = self.objects
        if self.relation is None:
            return replace(self, objects=tuple(sorted(self.objects, key=_names)))
        if self.relation in ("left of", "above"):
            return self
        return Scene((second, first), CONVERSE[self.relation])


def is_held_out(scene: Scene) -> bool:
    """Whether training never has the combination of a complete scene, wherever its one thing is."""
    if any(_kind_held_out(thing) for thing in scene.objects):
        return True
    return len(scene.objects) == 2 and _pair_held_out(*scene.objects)


def sample_scenes(count: int, seed: int, split: str = "train", objects: int | None = None) -> list[Scene]:
    """``count`` complete scenes in canonical form, every possible one being equally likely.

    ``split``: "train" and "test" have the same combinations, drawn with other random numbers; "held_out" has those
    that the two others never have. ``objects``: 1 or 2 things, or either in half of the scenes (None).
    """
    if objects not in (1, 2, None):
        raise LabkitError(f"objects is {objects!r}. Give 1, 2, or None for both.")
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
        raise LabkitError(f"count is {count!r}. Give a whole number from 0.")
    rng = split_generator(seed, split, "scenes")
    possible = [_possible(number, split == "held_out") for number in ((objects,) if objects else (1, 2))]
    which = rng.integers(len(possible), size=count)
    position = rng.random(count)
    return [possible[w][int(p * len(possible[w]))] for w, p in zip(which, position, strict=True)]


def split_generator(seed: int, split: str, purpose: str) -> np.random.Generator:
    """Random numbers that no other split, and no other purpose, has: an equal seed gives other drawings."""
    if split not in SPLITS:
        raise LabkitError(f"split is {split!r}. Set it to one of: {', '.join(SPLITS)}.")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MAX_SEED:
        raise LabkitError(f"seed is {seed!r}. Give an integer from 0 to {MAX_SEED}.")
    return np.random.default_rng([int(seed), SPLITS.index(split), zlib.crc32(purpose.encode())])


def complete(said: Scene, rng: np.random.Generator) -> Scene:
    """A complete scene that agrees with what was said; what was not said is drawn at random."""

    def fill(thing: Thing, names: Sequence[str]) -> Thing:
        missing = {
            name: rng.choice(ATTRIBUTES[name]).item() for name in names if getattr(thing, name) is None
        }
        return replace(thing, **missing)

    if len(said.objects) == 1:
        return Scene((fill(said.objects[0], tuple(ATTRIBUTES)),))
    relation = said.relation or rng.choice(RELATIONS[:2]).item()
    return Scene(tuple(fill(thing, ("shape", "colour", "size")) for thing in said.objects), relation)


def render(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """One drawing of a complete scene: uint8 (28, 28, 3), rows from the top."""
    return render_scenes([scene], rng)[0]


def render_scenes(scenes: Sequence[Scene], rng: np.random.Generator) -> np.ndarray:
    """One drawing of each scene: uint8 (N, 28, 28, 3). Raises LabkitError for a scene that is not complete."""
    for scene in scenes:
        if not scene.is_complete:
            raise LabkitError(
                f"{scene} is not complete: nothing to draw it by. scenes.complete(...) fills it."
            )
    count = len(scenes)
    canvas = _background(count, rng)  # (N, 28, 28, 3)
    scenes = [scene.canonical() for scene in scenes]
    first = [scene.objects[0] for scene in scenes]
    paired = np.array([i for i, scene in enumerate(scenes) if len(scene.objects) == 2], dtype=np.int64)
    second = [scenes[i].objects[1] for i in paired]
    radius = _radii(first, rng)
    centre = _single_centres(first, rng)  # (N, 2) as x, y
    if len(paired):
        second_radius = _radii(second, rng)
        upright = np.array([scenes[i].relation == "above" for i in paired])
        centre[paired], second_centre = _pair_centres(radius[paired], second_radius, upright, rng)
        canvas[paired] = _paint(canvas[paired], second, second_centre, second_radius, rng)
    canvas = _paint(canvas, first, centre, radius, rng)
    return np.rint(canvas.clip(0, 1) * 255).astype(np.uint8)


# Facts


def _check_value(name: str, value: str | None, values: Sequence[str]) -> None:
    if value is not None and value not in values:
        raise LabkitError(f"{name} is {value!r}. Set it to one of: {', '.join(values)}; or leave it out.")


def _names(thing: Thing) -> tuple[str, ...]:
    return tuple(getattr(thing, field.name) or "" for field in fields(thing))


def _kind_held_out(thing: Thing) -> bool:
    """Of each colour two shapes, one in each size, shifted from colour to colour (a Latin square)."""
    shape, colour = SHAPES.index(thing.shape), COLOURS.index(thing.colour)
    return (shape - 2 * colour) % len(SHAPES) == (0 if thing.size == "small" else 3)


def _pair_held_out(first: Thing, second: Thing) -> bool:
    """By a checksum of the names: fixed, and without a pattern that a model could learn."""
    names = sorted(f"{thing.colour} {thing.shape}" for thing in (first, second))
    return zlib.crc32(" + ".join(names).encode()) % 1000 < HELD_OUT_PAIRS_PER_MILLE


@lru_cache
def _possible(objects: int, held_out: bool) -> tuple[Scene, ...]:
    kinds = [Thing(shape, colour, size) for shape, colour, size in product(SHAPES, COLOURS, SIZES)]
    if objects == 1:
        every = [Scene((replace(kind, place=place),)) for kind, place in product(kinds, PLACES)]
    else:
        every = [Scene(pair, relation) for pair in permutations(kinds, 2) for relation in RELATIONS[:2]]
    return tuple(scene for scene in every if is_held_out(scene) == held_out)


# Geometry, in pixels: the picture is [0, 28] x [0, 28], y goes down


def _radii(things: Sequence[Thing], rng: np.random.Generator) -> np.ndarray:
    bounds = np.array([RADIUS[thing.size] for thing in things]).reshape(-1, 2)
    return rng.uniform(bounds[:, 0], bounds[:, 1])  # (N,)


def _single_centres(things: Sequence[Thing], rng: np.random.Generator) -> np.ndarray:
    place = np.array([PLACES.index(thing.place) if thing.place else 4 for thing in things], dtype=np.int64)
    jitter = np.array([PLACE_JITTER[thing.size] for thing in things])[:, None]
    centre = np.stack([PLACE_CENTRES[place % 3], PLACE_CENTRES[place // 3]], axis=1)
    return centre + jitter * rng.uniform(-1, 1, size=centre.shape)


def _pair_centres(
    first_radius: np.ndarray, second_radius: np.ndarray, upright: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N, 2) of things that lie along x, or along y where ``upright``, and nearly level across it."""
    count = len(upright)
    low, high = BORDER + first_radius, PICTURE_SIZE - BORDER - second_radius
    touching = first_radius + second_radius
    gap = rng.uniform(GAP[0], np.minimum(GAP[1], high - low - touching))
    first_along = rng.uniform(low, high - touching - gap)
    second_along = first_along + touching + gap
    middle = rng.uniform(-1, 1, count)
    step = rng.uniform(-0.5, 0.5, count) * SLOPE * (touching + gap)
    room = PICTURE_SIZE / 2 - BORDER - np.maximum(first_radius, second_radius) - np.abs(step)
    across = PICTURE_SIZE / 2 + middle * room
    first = np.stack([first_along, across - step], axis=1)
    second = np.stack([second_along, across + step], axis=1)
    first[upright], second[upright] = first[upright, ::-1], second[upright, ::-1]
    return first, second


# Painting


def _background(count: int, rng: np.random.Generator) -> np.ndarray:
    level = rng.uniform(*BACKGROUND, size=(count, 1)) + rng.uniform(-TINT, TINT, size=(count, 3))
    slope = rng.uniform(-GRADIENT, GRADIENT, size=(count, 2))
    ramp = np.linspace(-1, 1, PICTURE_SIZE)
    shade = slope[:, 0, None, None] * ramp + slope[:, 1, None, None] * ramp[:, None]  # (N, 28, 28)
    return (level[:, None, None, :] + shade[..., None]).astype(np.float32)


def _paint(
    canvas: np.ndarray,
    things: Sequence[Thing],
    centre: np.ndarray,
    radius: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """``canvas`` with one thing on each picture. A pixel is covered as far as its centre lies inside the outline:
    half on it, wholly half a pixel within, which is what anti-aliasing is for edges that are nearly straight."""
    base = np.array([RGB[thing.colour] for thing in things]).reshape(-1, 3)
    colour = base + rng.uniform(-SHADE, SHADE, (len(base), 1)) + rng.uniform(-SHADE, SHADE, base.shape) / 2
    tilt = rng.uniform(-TILT, TILT, len(base))
    axis = np.arange(PICTURE_SIZE, dtype=np.float32) + 0.5
    x = axis - centre[:, 0, None, None].astype(np.float32)  # (N, 1, 28)
    y = axis[:, None] - centre[:, 1, None, None].astype(np.float32)  # (N, 28, 1)
    cos, sin = (f(tilt)[:, None, None].astype(np.float32) for f in (np.cos, np.sin))
    x, y = cos * x + sin * y, cos * y - sin * x  # (N, 28, 28)
    distance = np.empty_like(x)
    names = np.array([thing.shape for thing in things])
    for shape in SHAPES:
        chosen = names == shape
        if chosen.any():
            size = radius[chosen, None, None].astype(np.float32)
            distance[chosen] = _outline(shape, x[chosen], y[chosen], size)
    covered = (0.5 - distance).clip(0, 1)[..., None]
    return canvas + covered * (colour[:, None, None, :].astype(np.float32) - canvas)


def _outline(shape: str, x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Signed distance to the outline in pixels, negative inside; before its tilt nothing reaches beyond
    ``radius`` to the sides."""
    if shape == "circle":
        return np.hypot(x, y) - 0.96 * radius
    if shape == "ring":
        return np.abs(np.hypot(x, y) - 0.74 * radius) - 0.25 * radius
    if shape == "square":
        return np.maximum(np.abs(x), np.abs(y)) - 0.86 * radius
    if shape == "cross":
        far, near = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
        return np.maximum(far - 0.96 * radius, near - 0.32 * radius)
    circumradius = 1.12 * radius  # of a triangle, point upwards; its middle lies between point and base
    down = y - 0.25 * circumradius
    sides = np.float32(np.sqrt(0.75)) * np.abs(x) - 0.5 * down
    return np.maximum(sides, down) - 0.5 * circumradius
