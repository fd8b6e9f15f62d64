"""labkit.image.scenes: a reader that knows only pixels finds the facts; held-out combinations are never trained on."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from labkit.common import LabkitError
from labkit.image import scenes
from labkit.image.scenes import COLOURS, PLACES, SHAPES, SIZES, Scene, Thing

KINDS = ("shape", "colour", "size")
PROPERTY = settings(max_examples=50, deadline=None, derandomize=True, database=None)


def things(place: bool = False) -> st.SearchStrategy[Thing]:
    """Things with every attribute."""
    return st.builds(
        Thing,
        shape=st.sampled_from(SHAPES),
        colour=st.sampled_from(COLOURS),
        size=st.sampled_from(SIZES),
        place=st.sampled_from(PLACES) if place else st.none(),
    )


def complete_scenes() -> st.SearchStrategy[Scene]:
    single = things(place=True).map(lambda thing: Scene((thing,)))
    pair = st.builds(Scene, st.tuples(things(), things()), st.sampled_from(scenes.RELATIONS))
    return single | pair


# A reader of pictures: components, their mean colour and their mass, compared with shapes drawn by supersampling

AREAS = {  # of a thing with the radius 1
    "circle": np.pi * 0.96**2,
    "ring": np.pi * (0.99**2 - 0.49**2),
    "square": 4 * 0.86**2,
    "cross": 4 * (2 * 0.96 * 0.32 - 0.32**2),
    "triangle": 0.75 * np.sqrt(3) * 1.12**2,
}
GRID = (np.arange(28 * 4) + 0.5) / 4  # four points a pixel along each side


def inside(shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether points lie in a shape of radius 1 about its centre of mass."""
    if shape == "circle":
        return x**2 + y**2 < 0.96**2
    if shape == "ring":
        return (x**2 + y**2 < 0.99**2) & (x**2 + y**2 > 0.49**2)
    if shape == "square":
        return (abs(x) < 0.86) & (abs(y) < 0.86)
    if shape == "cross":
        return ((abs(x) < 0.96) & (abs(y) < 0.32)) | ((abs(y) < 0.96) & (abs(x) < 0.32))
    return (y < 0.56) & (y > -1.12 + np.sqrt(3) * abs(x))


def read(picture: np.ndarray) -> Scene:
    """The facts of a picture."""
    pixels = picture / 255
    solid = (pixels.max(-1) - pixels.min(-1) > 0.2) | (pixels.max(-1) < 0.5)
    parts, count = ndimage.label(solid, structure=np.ones((3, 3)))
    background = np.median(pixels[~ndimage.binary_dilation(solid, iterations=2)], axis=0)
    found = [read_thing(pixels, parts == number, background) for number in range(1, count + 1)]
    if count == 1:
        thing, centre = found[0]
        row, column = (int(c > 10.65) + int(c > 17.35) for c in centre)
        return Scene((Thing(*thing, PLACES[3 * row + column]),))
    (first, a), (second, b) = found
    down, right = b - a
    if abs(right) > abs(down):
        relation = "left of" if right > 0 else "right of"
    else:
        relation = "above" if down > 0 else "below"
    return Scene((Thing(*first), Thing(*second)), relation).canonical()


def read_thing(pixels: np.ndarray, part: np.ndarray, background: np.ndarray) -> tuple[tuple, np.ndarray]:
    """Shape, colour and size, and the middle (row, column)."""
    depth = np.linalg.norm(pixels - background, axis=-1) * ndimage.binary_dilation(part)
    core = depth > 0.85 * depth.max()
    shade = np.median(pixels[core], axis=0)
    colour = min(COLOURS, key=lambda name: np.linalg.norm(shade - scenes.RGB[name]))
    cover = (depth / np.median(depth[core])).clip(0, 1)
    cover[cover < 0.12] = 0  # the gradient of the background
    y, x = np.array(ndimage.center_of_mass(cover)) + 0.5
    errors = {}
    for shape, area in AREAS.items():
        radius = np.sqrt(cover.sum() / area)
        drawn = inside(shape, (GRID - x) / radius, (GRID[:, None] - y) / radius)
        errors[shape] = np.square(cover - drawn.reshape(28, 4, 28, 4).mean(axis=(1, 3))).sum()
    shape = min(errors, key=errors.get)
    radius = np.sqrt(cover.sum() / AREAS[shape])
    lift = 0.28 * radius if shape == "triangle" else 0  # from the centre of mass to half of the height
    return (shape, colour, "small" if radius < 4.5 else "large"), np.array([y - lift, x])


@pytest.mark.parametrize("objects", [1, 2])
@pytest.mark.parametrize("split", ["train", "held_out"])
def test_a_reader_of_pixels_finds_every_fact(objects: int, split: str) -> None:
    asked = scenes.sample_scenes(200, 5, split, objects)
    pictures = scenes.render_scenes(asked, np.random.default_rng(6))
    found = [read(picture) for picture in pictures]
    wrong = [pair for pair in zip(asked, found, strict=True) if pair[0] != pair[1]]
    assert wrong == []


def test_the_reader_notices_facts_that_are_not_drawn() -> None:
    asked = scenes.sample_scenes(100, 5, "train", 2)
    pictures = scenes.render_scenes(asked, np.random.default_rng(6))
    assert not any(
        read(picture[:, ::-1]) == scene
        for picture, scene in zip(pictures, asked, strict=True)
        if scene.relation == "left of"
    )
    assert not any(
        read(picture[..., ::-1]).objects == scene.objects
        for picture, scene in zip(pictures, asked, strict=True)
        if "red" in {thing.colour for thing in scene.objects}
    )  # red and blue exchanged


# Held-out combinations


def kinds_of(possible: list[Scene]) -> set[tuple]:
    return {thing.kind for scene in possible for thing in scene.objects}


def test_held_out_things_are_never_trained_on_and_each_pair_of_their_attributes_is() -> None:
    trained, held_out = (set(scenes._possible(1, out)) for out in (False, True))
    assert len(trained) + len(held_out) == 5 * 7 * 2 * 9
    assert len(kinds_of(held_out)) == 14
    assert not kinds_of(trained) & kinds_of(held_out)
    assert {scene.objects[0].place for scene in trained} == set(PLACES)
    for (i, first), (j, second) in combinations(enumerate((SHAPES, COLOURS, SIZES)), 2):
        assert {(kind[i], kind[j]) for kind in kinds_of(trained)} == set(product(first, second))
    assert {(kind[0], kind[2]) for kind in kinds_of(held_out)} == set(product(SHAPES, SIZES))
    assert {kind[1] for kind in kinds_of(held_out)} == set(COLOURS)


def looks(scene: Scene) -> list[tuple]:
    return [(thing.colour, thing.shape) for thing in scene.objects]


def test_held_out_pairs_are_never_trained_on_and_their_halves_are() -> None:
    trained, held_out = (scenes._possible(2, out) for out in (False, True))
    trained_pairs = {frozenset(looks(scene)) for scene in trained}
    held_out_kinds = kinds_of(scenes._possible(1, True))
    new_pairs = [scene for scene in held_out if not kinds_of([scene]) & held_out_kinds]
    assert not kinds_of(trained) & held_out_kinds
    assert new_pairs
    assert not {frozenset(looks(scene)) for scene in new_pairs} & trained_pairs
    for side in (0, 1):  # every coloured shape stands on either side of either relation
        seen = {(looks(scene)[side], scene.relation) for scene in trained}
        assert seen == set(product(product(COLOURS, SHAPES), ("left of", "above")))
    assert 0.5 < len(trained) / (len(trained) + len(held_out)) < 0.7


# Sampling


@pytest.mark.parametrize("split", scenes.SPLITS)
@pytest.mark.parametrize("objects", [1, 2, None])
def test_samples_are_complete_canonical_seeded_and_of_their_split(split: str, objects: int | None) -> None:
    drawn = scenes.sample_scenes(200, 3, split, objects)
    assert drawn == scenes.sample_scenes(200, 3, split, objects)
    assert drawn != scenes.sample_scenes(200, 4, split, objects)
    for scene in drawn:
        assert scene.is_complete
        assert scene == scene.canonical()
        assert scenes.is_held_out(scene) == (split == "held_out")
    counts = {len(scene.objects) for scene in drawn}
    assert counts == ({objects} if objects else {1, 2})


def test_train_and_test_have_other_random_numbers() -> None:
    assert scenes.sample_scenes(50, 0, "train") != scenes.sample_scenes(50, 0, "test")
    assert scenes.sample_scenes(0, 0) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "dev"}, "split is 'dev'.*train, test, held_out"),
        ({"objects": 3}, "objects is 3"),
        ({"count": -1}, "count is -1"),
        ({"count": 1.5}, "count is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": True}, "seed is True"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(LabkitError, match=message):
        scenes.sample_scenes(**{"count": 1, "seed": 0} | arguments)


# Facts


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Thing(shape="star"), "Thing.shape is 'star'.*circle, square"),
        (lambda: Thing(place="middle"), "Thing.place is 'middle'"),
        (lambda: Scene(()), "has 0 things"),
        (lambda: Scene((Thing(),) * 3), "has 3 things"),
        (lambda: Scene((Thing(), Thing()), "inside"), "Scene.relation is 'inside'"),
        (lambda: Scene((Thing(),), "above"), "needs two objects"),
        (lambda: Scene((Thing(place="left"), Thing())), "not the places"),
    ],
)
def test_facts_that_cannot_be_are_refused(make, message: str) -> None:
    with pytest.raises(LabkitError, match=message):
        make()


def test_rows_and_columns_of_places() -> None:
    assert [
        (Thing(place=place).row, Thing(place=place).column) for place in ("top left", "centre", "right")
    ] == [
        ("top", "left"),
        ("middle", "middle"),
        ("middle", "right"),
    ]
    assert Thing().row is None


@PROPERTY
@given(scene=complete_scenes())
def test_the_converse_is_the_same_scene(scene: Scene) -> None:
    assert scene.canonical() == scene.canonical().canonical()
    if len(scene.objects) == 2:
        converse = Scene(scene.objects[::-1], scenes.CONVERSE[scene.relation])
        assert converse.canonical() == scene.canonical()
        assert (Scene(scene.objects[::-1], scene.relation).canonical() == scene.canonical()) == (
            scene.objects[0] == scene.objects[1]
        )
        without = Scene(scene.objects), Scene(scene.objects[::-1])
        assert without[0].canonical() == without[1].canonical()


@PROPERTY
@given(scene=complete_scenes(), gone=st.sets(st.sampled_from((*KINDS, "place"))), seed=st.integers(0, 99))
def test_completing_keeps_what_was_said(scene: Scene, gone: set, seed: int) -> None:
    said = Scene(
        tuple(Thing(**{k: v for k, v in vars(t).items() if k not in gone}) for t in scene.objects),
        scene.relation,
    )
    filled = scenes.complete(said, np.random.default_rng(seed))
    assert filled.is_complete
    for thing, told in zip(filled.objects, said.objects, strict=True):
        assert all(getattr(thing, name) == value for name, value in vars(told).items() if value)


# Drawing


@PROPERTY
@given(scene=complete_scenes(), seed=st.integers(0, 2**32 - 1))
def test_any_complete_scene_can_be_drawn(scene: Scene, seed: int) -> None:
    picture = scenes.render(scene, np.random.default_rng(seed))
    assert picture.shape == (28, 28, 3)
    assert picture.dtype == np.uint8
    again = scenes.render(scene.canonical(), np.random.default_rng(seed))
    np.testing.assert_array_equal(picture, again)
    assert read(picture).objects == scene.canonical().objects


@pytest.mark.parametrize("shape", SHAPES)
def test_coverage_adds_up_to_the_area(shape: str) -> None:
    x, y = np.meshgrid(np.arange(28) + 0.5 - 14.2, np.arange(28) + 0.5 - 13.7)
    distance = scenes._outline(shape, x[None], y[None], np.array([[[6.0]]]))
    assert (0.5 - distance).clip(0, 1).sum() == pytest.approx(36 * AREAS[shape], rel=0.03)


def test_shades_sizes_and_places_vary() -> None:
    scene = Scene((Thing("circle", "red", "large", "centre"),))
    pictures = scenes.render_scenes([scene] * 50, np.random.default_rng(0))
    assert len({picture.tobytes() for picture in pictures}) == 50
    centre = pictures[:, 14, 14].astype(int)
    assert np.ptp(centre, axis=0).min() > 10


def test_a_scene_that_is_not_complete_is_refused() -> None:
    for scene in (Scene((Thing("circle", "red", "large"),)), Scene((Thing("circle", "red", "large"),) * 2)):
        assert not scene.is_complete
        with pytest.raises(LabkitError, match="not complete"):
            scenes.render(scene, np.random.default_rng(0))
    assert scenes.render_scenes([], np.random.default_rng(0)).shape == (0, 28, 28, 3)
