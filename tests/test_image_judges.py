"""The judges of pictures: what they know, what they bear, what they refuse, and that generators never meet them."""

import ast
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import labkit.image
from labkit import weights
from labkit.common import LabkitError
from labkit.image import judge_training, judges, wear
from labkit.image import scenes as drawing
from labkit.image.datasets import digit_pictures, scene_pictures, to_tensor
from labkit.image.judge_training import Budget
from labkit.image.judges import Verdict, judge_digits, judge_scenes
from labkit.image.scenes import COLUMNS, CONVERSE, PLACE_CENTRES, PLACES, ROWS, Scene, Thing

SEED = 4321  # of pictures that no judge was trained or tried on
MAY_SEE_A_JUDGE = {"judges", "judge_training", "measures", "classification_score", "shipped"}


@pytest.fixture(scope="module")
def scene_judge():
    return judges.load_scene_judge()


@pytest.fixture(scope="module")
def digit_judge():
    return judges.load_digit_judge()


def share_right(pictures, facts, judge):
    return np.mean([v.scene == f for v, f in zip(judge_scenes(pictures, judge), facts, strict=True)])


def share_refused(pictures, judge):
    return np.mean([v.scene is None for v in judge_scenes(pictures, judge)])


# Kept apart from the generators


def imported(path):
    """The names of all modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_generator_imports_a_judge():
    files = sorted(Path(labkit.image.__path__[0]).glob("*.py"))
    assert {"cgan", "flow", "judges"} <= {path.stem for path in files}
    judging = {f"labkit.image.{name}" for name in MAY_SEE_A_JUDGE}
    for path in files:
        if path.stem not in MAY_SEE_A_JUDGE:
            assert not judging & set(imported(path)), path.name


def test_a_judge_imports_no_generator():
    for name in MAY_SEE_A_JUDGE - {"shipped"}:
        found = set(imported(Path(labkit.image.__path__[0]) / f"{name}.py"))
        assert not {f"labkit.image.{one}" for one in ("cgan", "flow", "unet", "recipes", "tasks")} & found


def as_bytes(pictures):
    return {picture.tobytes() for picture in pictures}


def test_the_judge_has_pictures_of_its_own():
    """With the same seed, and although both draw from the same combinations."""
    own = as_bytes(judge_training.scene_material(300, seed=0).pictures)
    for split in drawing.SPLITS:
        assert not own & as_bytes(scene_pictures(300, 0, split).pictures)
    assert not as_bytes(digit_pictures("train").pictures) & as_bytes(digit_pictures("test").pictures)


# What they learn from


@pytest.fixture(scope="module")
def material():
    return judge_training.scene_material(1_200, seed=3)


def test_the_judge_of_scenes_is_shown_every_kind_of_thing(material):
    seen = material.cells[material.cells[..., 0] == 1][:, 1:]
    assert len({tuple(kind) for kind in seen.tolist()}) == 5 * 7 * 2


def test_every_thing_is_seen_from_a_cell(material):
    """That of its middle, and only from near it."""
    there = material.cells[..., 0] == 1  # (N, 49)
    things = torch.where(material.layouts < len(PLACES), 1, 2)
    assert (there.sum(dim=1) >= things).all()
    pixels = material.offsets[there] * judges.CELL_SIZE
    assert pixels.norm(dim=-1).max() <= judge_training.NEAR + 1e-4


def test_middles_are_where_the_facts_put_them():
    facts = [Scene((Thing("ring", "black", "small", place),)) for place in PLACES for _ in range(4)]
    _, middles = judge_training.draw_with_middles(facts, np.random.default_rng(0), chunk=10)
    for scene, (x, y) in zip(facts, middles[:, 0], strict=True):
        thing = scene.objects[0]
        wanted = PLACE_CENTRES[[COLUMNS.index(thing.column), ROWS.index(thing.row)]]
        assert np.abs(np.array([x, y]) - wanted).max() < drawing.PLACE_JITTER["small"] + 0.6


@pytest.mark.parametrize("relation", ["left of", "above"])
def test_middles_of_two_come_in_the_order_of_the_facts(relation):
    facts = [Scene((Thing("cross", "red", "large"), Thing("circle", "red", "small")), relation)] * 20
    _, middles = judge_training.draw_with_middles(facts, np.random.default_rng(1))
    right, down = (middles[:, 1] - middles[:, 0]).T
    along, across = (right, down) if relation == "left of" else (down, right)
    assert (along > 7).all()
    assert (np.abs(across) < along / 2).all()


def test_a_training_is_repeatable_and_goes_by_its_seed():
    budget = Budget(pictures=40, steps=3, batch_size=8)
    first, again, other = (judge_training.train_digit_judge(seed, budget) for seed in (0, 0, 1))
    left, right = (torch.cat([p.flatten() for p in judge.parameters()]) for judge in (first, again))
    assert torch.equal(left, right)
    assert not torch.equal(left, torch.cat([p.flatten() for p in other.parameters()]))


def test_a_few_steps_lower_the_loss_of_a_scene_judge(material):
    """The loss is that of the targets: with the answers of other pictures it stays higher."""
    torch.manual_seed(0)
    judge = judges.SceneJudge()
    optimizer = torch.optim.AdamW(judge.parameters(), 3e-3)
    pictures = to_tensor(material.pictures[:32])
    targets = [column[:32] for column in (material.cells, material.offsets, material.layouts)]
    losses = []
    for _ in range(25):
        loss = judge_training.scene_loss(judge(pictures), (*targets, torch.ones(32)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    shuffled = (*(column.roll(5, dims=0) for column in targets), torch.ones(32))
    with torch.no_grad():
        assert judge_training.scene_loss(judge(pictures), shuffled).item() > 1.5 * losses[-1]


@pytest.mark.parametrize("field", ["pictures", "steps", "batch_size"])
def test_a_budget_refuses_nonsense(field):
    values = {"pictures": 10, "steps": 10, "batch_size": 10}
    for wrong in (0, 2.5, True):
        with pytest.raises(LabkitError, match=f"Budget.{field} is"):
            Budget(**values | {field: wrong})


# What the judge of scenes knows


@pytest.mark.parametrize("split", ["test", "held_out"])
@pytest.mark.parametrize("objects", [1, 2])
def test_all_facts_are_right_on_fresh_drawings(split, objects, scene_judge):
    """At least 99.5 % is on the card, of 2,000; a smaller sample may fall a little lower."""
    pictures = scene_pictures(600, SEED, split, objects=objects)
    assert share_right(pictures.tensor(), pictures.facts, scene_judge) >= 0.99


def test_the_cards_keep_their_promises():
    scenes, digits = (weights.read_card(weights.shipped_path(name)) for name in judges.NAMES)
    assert len(scenes.metrics) == 4
    assert min(scenes.metrics.values()) >= 0.995
    assert digits.metrics["right"] >= 0.98
    for name in judges.NAMES:
        assert weights.shipped_path(name).stat().st_size < 350_000


def mirrored(scene):
    if len(scene.objects) == 2:
        relation = scene.relation
        return Scene(scene.objects, CONVERSE[relation] if "left" in relation else relation).canonical()
    [thing] = scene.objects
    number = PLACES.index(thing.place)
    return Scene((dataclasses.replace(thing, place=PLACES[number - number % 3 + 2 - number % 3]),))


def test_a_mirrored_picture_shows_the_mirrored_facts(scene_judge):
    """The order of two things plays no role."""
    pictures = scene_pictures(300, SEED, "test")
    facts = [mirrored(scene) for scene in pictures.facts]
    assert share_right(pictures.tensor().flip(-1), facts, scene_judge) >= 0.98


def test_wear_is_borne(scene_judge):
    """A little soft, noisy, bent, too light or too dark."""
    pictures = scene_pictures(400, SEED, "test")
    worn = wear.wear(pictures.tensor(), torch.Generator().manual_seed(0))
    assert share_right(worn, pictures.facts, scene_judge) >= 0.97


@pytest.mark.parametrize("fault", [wear.ghost, wear.mush, wear.haze, wear.storm, wear.melt, wear.fade])
def test_spoilt_pictures_are_refused(fault, scene_judge):
    pictures = scene_pictures(200, SEED, "test").tensor()
    spoilt = fault(pictures, torch.arange(200), torch.Generator().manual_seed(1)).clamp(-1, 1)
    assert share_refused(spoilt, scene_judge) >= 0.95
    assert share_refused(pictures, scene_judge) <= 0.02


def test_an_empty_picture_shows_nothing(scene_judge):
    for level in (-1.0, 0.0, 0.8):
        [verdict] = judge_scenes(torch.full((1, 3, 28, 28), level), scene_judge)
        assert verdict.scene is None


def pasted(*scenes):
    """Dark things of several drawings on one ground."""
    rng = np.random.default_rng(5)
    return to_tensor(np.min([drawing.render(scene, rng) for scene in scenes], axis=0)[None])


def small(place, shape="circle", colour="black"):
    return Scene((Thing(shape, colour, "small", place),))


def test_things_on_a_diagonal_have_no_relation(scene_judge):
    [verdict] = judge_scenes(pasted(small("top left"), small("bottom right", "square")), scene_judge)
    assert verdict.count == 2
    assert verdict.scene is None or verdict.scene.relation is None


def test_three_things_are_no_scene(scene_judge):
    picture = pasted(small("top left"), small("top right", "square"), small("bottom", "cross"))
    assert judge_scenes(picture, scene_judge)[0] == Verdict(None, 3, pytest.approx(0.5, abs=0.5))


def test_a_relation_holds_within_35_degrees():
    things = (Thing("circle", "red", "small"), Thing("ring", "blue", "small"))
    for slope, relation in ((0.0, "left of"), (0.69, "left of"), (0.71, None), (1.4, None), (1.5, "above")):
        scene = judges._arrange(things, np.array([[5.0, 5.0], [13.0, 5.0 + 8 * slope]]))
        assert (scene.relation, scene.objects) == (relation, things)
    back = judges._arrange(things, np.array([[13.0, 5.0], [5.0, 5.0]]))
    assert (back.relation, back.objects) == ("left of", things[::-1])


# Digits


def test_digits_that_it_never_saw(digit_judge):
    digits = digit_pictures("train")
    found = judge_digits(digits.tensor(), digit_judge)
    assert (found.digits == digits.labels).mean() >= 0.98
    assert np.array_equal(judge_digits(digits.tensor(channels=1), digit_judge).digits, found.digits)


def test_what_is_no_digit_is_refused(digit_judge):
    for level in (-1.0, 0.0, 1.0):
        assert judge_digits(torch.full((1, 1, 28, 28), level), digit_judge).digits == [-1]
    draw = torch.Generator().manual_seed(2)
    mush = wear.mush(torch.zeros(200, 1, 28, 28), torch.arange(200), draw)
    assert (judge_digits(mush, digit_judge).digits == -1).mean() >= 0.99


def test_two_digits_at_once_are_seldom_taken_for_the_one_that_was_asked_for(digit_judge):
    """By chance, each half of a blend would be named in 10 % of the cases."""
    digits = digit_pictures("train")
    first, second = digits[:600], digits[600:1200]
    differ = first.labels != second.labels
    blends = torch.lerp(first.tensor(1), second.tensor(1), 0.5)[differ]
    found = judge_digits(blends, digit_judge).digits
    assert (found == first.labels[differ]).mean() <= 0.1
    assert (found == -1).mean() >= 0.75


def test_worn_digits_are_read(digit_judge):
    digits = digit_pictures("train")[:400]
    worn = wear.wear(digits.tensor(1), torch.Generator().manual_seed(3))
    assert (judge_digits(worn, digit_judge).digits == digits.labels).mean() >= 0.96


# In and out


def test_features_are_one_row_a_picture_whatever_the_batch(scene_judge, digit_judge, monkeypatch):
    pictures = scene_pictures(7, SEED).tensor()
    for judge in (scene_judge, digit_judge):
        whole = judges.features(pictures, judge)
        monkeypatch.setattr(judges, "BATCH_SIZE", 3)
        assert whole.shape == (7, judges.FEATURES)
        assert np.allclose(judges.features(pictures, judge), whole, atol=1e-5)
        assert not np.allclose(whole[0], whole[1])


def test_a_judge_in_training_mode_answers_as_in_evaluation_mode(scene_judge):
    pictures = scene_pictures(5, SEED).tensor()
    before = judge_scenes(pictures, scene_judge)
    scene_judge.train()
    try:
        assert judge_scenes(pictures, scene_judge) == before
        assert scene_judge.training
    finally:
        scene_judge.eval()


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (np.zeros((1, 28, 28, 3), np.uint8), "to_tensor"),
        (torch.zeros(1, 3, 28, 28, dtype=torch.uint8), "to_tensor"),
        (torch.zeros(1, 28, 28, 3), "shape"),
        (torch.zeros(3, 28, 28), "shape"),
        (torch.full((1, 3, 28, 28), float("nan")), "diverged"),
        (torch.zeros(0, 3, 28, 28), "no pictures"),
    ],
)
def test_what_are_no_pictures_is_refused(pictures, message, scene_judge):
    with pytest.raises(LabkitError, match=message):
        judge_scenes(pictures, scene_judge)


def test_missing_and_foreign_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    with pytest.raises(LabkitError, match="labkit train scene-judge"):
        judges.load_scene_judge()
    with pytest.raises(LabkitError, match="not the weights of a DigitJudge"):
        judges.restore(judges.DigitJudge(), judges.rounded(judges.SceneJudge()))


def test_both_are_written_with_their_cards(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    monkeypatch.setattr(judge_training, "TRIED_SCENES", 10)
    tiny = Budget(pictures=20, steps=2, batch_size=8)
    monkeypatch.setattr(judge_training, "SCENE_BUDGET", tiny)
    monkeypatch.setattr(judge_training, "DIGIT_BUDGET", tiny)
    for path in judge_training.train_judges(seed=5):
        tensors, card = weights.load(path)
        assert card.seed == 5
        assert all(tensor.dtype == torch.float16 for tensor in tensors.values())
    assert isinstance(judges.load_scene_judge(), judges.SceneJudge)
    assert isinstance(judges.load_digit_judge(), judges.DigitJudge)
