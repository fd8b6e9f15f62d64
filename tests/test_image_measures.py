"""What is measured of generated pictures: against closed forms, and on planted faults that must show."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from labkit.common import LabkitError
from labkit.image import classification_score as cas
from labkit.image import judges, measures
from labkit.image.classification_score import ClassifierBudget, classification_score
from labkit.image.datasets import digit_pictures, scene_pictures
from labkit.image.measures import BesideReal, compare, summarize_facts
from labkit.image.scenes import CONVERSE, RELATIONS, Scene, Thing

SEED = 999


def normal(rows, columns, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal((rows, columns))


# Facts

RED = Thing("circle", "red", "large")
BLUE = Thing("square", "blue", "small")
PAIR = Scene((RED, BLUE), "left of")


def wrong(seen, asked):
    return sorted(name for name, right in compare(seen, asked) if not right)


@pytest.mark.parametrize("relation", RELATIONS)
def test_the_order_of_two_things_makes_no_difference(relation):
    seen = Scene((RED, BLUE), relation)
    assert wrong(seen, seen) == []
    assert wrong(seen, Scene((BLUE, RED), CONVERSE[relation])) == []
    assert wrong(seen.canonical(), seen) == []
    assert wrong(seen, Scene((BLUE, RED))) == []  # the caption says no relation


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Scene((BLUE, RED), "left of"), ["relation"]),
        (Scene((RED, BLUE), "above"), ["relation"]),
        (Scene((RED, BLUE)), ["relation"]),
        (Scene((dataclasses.replace(RED, colour="green"), BLUE), "left of"), ["colour"]),
        (Scene((RED, dataclasses.replace(BLUE, size="large")), "left of"), ["size"]),
        # attributes change hands: two are wrong, whichever way one looks
        (
            Scene((Thing("circle", "blue", "large"), Thing("square", "red", "small")), "left of"),
            ["colour", "colour"],
        ),
        # one thing is missing, and the other is right
        (Scene((dataclasses.replace(BLUE, place="top"),)), ["colour", "count", "relation", "shape", "size"]),
        (None, ["colour", "colour", "count", "relation", "shape", "shape", "size", "size"]),
    ],
)
def test_what_is_wrong_is_named(seen, expected):
    assert wrong(seen, PAIR) == expected


def test_a_thing_too_many_is_a_wrong_count_alone():
    assert wrong(PAIR, Scene((BLUE,))) == ["count"]
    assert wrong(PAIR, Scene((dataclasses.replace(BLUE, place="left"),))) == ["count", "place"]


def test_what_a_caption_leaves_out_is_not_judged():
    seen = Scene((Thing("ring", "green", "small", "top"),))
    assert [name for name, _ in compare(seen, Scene((Thing(colour="green"),)))] == ["count", "colour"]


def test_shares_count_facts_and_all_counts_pictures():
    outcomes = [[("count", True), ("colour", True), ("colour", False)], [("count", True), ("colour", True)]]
    assert summarize_facts(outcomes) == {"count": 1.0, "colour": pytest.approx(2 / 3), "all": 0.5}


def test_real_drawings_score_full_and_foreign_captions_do_not():
    pictures = scene_pictures(300, SEED, "test", missing=0.2)
    right = measures.attribute_scores(pictures.tensor(), pictures.said)
    assert set(right) == {*measures.FACTS, "all"}
    assert min(right.values()) >= 0.985
    foreign = measures.attribute_scores(pictures.tensor(), pictures.said[1:] + pictures.said[:1])
    assert foreign["all"] < 0.05
    assert foreign["colour"] < 0.4


def test_digits_score_by_their_labels():
    digits = digit_pictures("train")[:200]
    assert measures.digit_score(digits.tensor(), digits.labels) >= 0.97
    assert measures.digit_score(digits.tensor(), (digits.labels + 1) % 10) <= 0.03


def test_one_caption_for_each_picture_is_demanded():
    pictures = scene_pictures(2, SEED)
    with pytest.raises(LabkitError, match="2 pictures and 1 scenes"):
        measures.attribute_scores(pictures.tensor(), pictures.facts[:1])
    with pytest.raises(LabkitError, match="2 pictures and 3 digits"):
        measures.digit_score(pictures.tensor(), [1, 2, 3])


# Fréchet distance


def test_frechet_in_one_dimension_is_the_difference_of_means_and_deviations():
    distance = measures.frechet_between_gaussians(
        np.array([1.0]), np.array([[4.0]]), np.array([4.0]), np.array([[25.0]])
    )
    assert distance == pytest.approx(3.0**2 + (5.0 - 2.0) ** 2)


@given(st.integers(1, 6), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_frechet_agrees_with_the_root_of_scipy(columns, seed):
    rng = np.random.default_rng(seed)
    left = normal(40, columns, seed) @ rng.standard_normal((columns, columns))
    right = normal(50, columns, seed + 1) @ rng.standard_normal((columns, columns)) + 1
    covariances = [np.cov(side.T).reshape(columns, columns) for side in (left, right)]
    root = np.real(sqrtm(covariances[0] @ covariances[1]))
    expected = np.square(left.mean(0) - right.mean(0)).sum() + np.trace(sum(covariances) - 2 * root)
    assert measures.frechet_distance(left, right) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3))
@settings(max_examples=30, deadline=None)
def test_a_shift_alone_adds_its_square(shift):
    features = normal(60, 3)
    distance = measures.frechet_distance(features, features + shift)
    assert distance == pytest.approx(np.square(shift).sum(), abs=1e-9)


def test_equal_sets_have_no_distance_and_order_makes_no_difference():
    left, right = normal(30, 50), normal(40, 50, seed=1)  # fewer rows than columns: no full rank
    assert measures.frechet_distance(left, left[::-1]) == pytest.approx(0, abs=1e-5)
    assert measures.frechet_distance(left, right) == pytest.approx(
        measures.frechet_distance(right, left), rel=1e-6
    )


def test_correlations_count_and_not_only_deviations():
    """Of standard normal numbers with correlations 0.9 and -0.9: tr of the roots is 4 sqrt(1.9 * 0.1)."""
    for sign, expected in ((1, 0.0), (-1, 4 - 4 * (1.9 * 0.1) ** 0.5)):
        covariances = [np.array([[1, r], [r, 1]]) for r in (0.9, 0.9 * sign)]
        zero = np.zeros(2)
        distance = measures.frechet_between_gaussians(zero, covariances[0], zero, covariances[1])
        assert distance == pytest.approx(expected, abs=1e-7)


def test_the_floor_is_what_real_features_reach_among_themselves():
    real = normal(600, 8)
    as_good = measures.frechet_beside_floor(normal(400, 8, seed=2), real)
    assert as_good.ratio == pytest.approx(1, abs=0.25)
    shifted = measures.frechet_beside_floor(normal(400, 8, seed=2) + 1, real)
    assert shifted.generated == pytest.approx(8 + as_good.generated, rel=0.15)
    assert shifted.real == as_good.real
    with_few = measures.frechet_beside_floor(normal(60, 8, seed=2), real)
    assert with_few.real > 2 * as_good.real, "both sides have as few as the smaller one"


def test_halves_in_proportion_have_the_floor_of_a_generator_that_draws_each_group_equally_often():
    """Three groups far apart: without their names the floor holds the chance of how often each fell into a half."""
    groups = np.repeat([0, 1, 2], 200)
    apart = 20 * np.eye(3, 8)
    real, drawn = (normal(600, 8, seed) + apart[groups] for seed in (0, 2))
    named = measures.frechet_beside_floor(drawn, real, repeats=20, groups=(groups.tolist(), groups.tolist()))
    assert named.ratio == pytest.approx(1, abs=0.4)
    assert measures.frechet_beside_floor(drawn, real, repeats=20).real > 2 * named.real


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.integers(0, 99))
@settings(deadline=None)
def test_any_stretch_of_rows_dealt_out_in_proportion_holds_each_group_in_proportion(groups, seed):
    order = measures._in_proportion(np.random.default_rng(seed).permutation(len(groups)), groups)
    assert sorted(order.tolist()) == list(range(len(groups)))
    dealt = np.array(groups)[order]
    for group in set(groups):
        share = groups.count(group) / len(groups)
        within = np.cumsum(dealt == group) - share * np.arange(1, len(groups) + 1)
        assert np.abs(within).max() <= len(set(groups)), "never more than one row of each group off"


def test_groups_of_the_floor_are_one_for_each_feature():
    with pytest.raises(LabkitError, match="600 features and 3 groups"):
        measures.frechet_beside_floor(normal(9, 8), normal(600, 8), groups=([0] * 9, [0, 1, 2]))


def test_collapse_and_softness_lie_above_the_floor_on_a_judges_features():
    digits = digit_pictures("train")
    judge = judges.load_digit_judge()
    real = judges.features(digits.tensor(1), judge)
    once = np.stack([real[digits.labels == d][0] for d in range(10)])
    assert measures.frechet_beside_floor(once[np.arange(700) % 10], real).ratio > 5


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (normal(5, 3), normal(5, 4), "columns"),
        (normal(1, 3), normal(5, 3), "two rows"),
        (normal(5, 3)[0], normal(5, 3), "shape"),
        (normal(5, 3) * np.nan, normal(5, 3), "NaN"),
    ],
)
def test_what_are_no_features_is_refused(left, right, message):
    with pytest.raises(LabkitError, match=message):
        measures.frechet_distance(left, right)


# Diversity


def test_the_mean_distance_of_three_points_by_hand():
    assert measures.mean_pair_distance(np.array([[0.0, 0], [3, 4], [3, 0]])) == pytest.approx((5 + 3 + 4) / 3)


def test_collapse_within_captions_shows_and_variety_between_them_does_not_hide_it():
    groups = ["a"] * 50 + ["b"] * 50
    centres = np.repeat([[0.0] * 4, [100.0] * 4], 50, axis=0)
    real = centres + normal(100, 4)
    varied = measures.diversity(centres + normal(100, 4, seed=1), groups, real, groups)
    assert varied.ratio == pytest.approx(1, abs=0.15)
    collapsed = measures.diversity(centres, groups, real, groups)
    assert collapsed.ratio == 0
    assert collapsed.real == varied.real


def test_one_picture_of_each_digit_again_and_again_is_no_diversity():
    digits = digit_pictures("train")[:300]
    real = judges.features(digits.tensor(1), judges.load_digit_judge())
    labels = digits.labels.tolist()
    first = real[[labels.index(label) for label in labels]]
    assert measures.diversity(first, labels, real, labels).ratio < 1e-6


def test_only_groups_of_both_sides_are_compared():
    left, right = np.array([[0.0], [2.0], [9.0]]), np.array([[0.0], [1.0], [50.0], [70.0]])
    assert measures.diversity(left, ["a", "a", "b"], right, ["a", "a", "c", "c"]) == BesideReal(2.0, 1.0)
    with pytest.raises(LabkitError, match="two pictures or more"):
        measures.diversity(left, ["a", "b", "c"], right, ["a", "a", "c", "c"])
    with pytest.raises(LabkitError, match="One for each|one for each"):
        measures.diversity(left, ["a", "b"], right, ["a", "a", "c", "c"])


# Copies


def test_distances_are_in_pixel_values():
    black, white = torch.full((1, 1, 28, 28), -1.0), torch.full((1, 1, 28, 28), 1.0)
    grey = torch.zeros(1, 1, 28, 28)
    found = measures.nearest_training(torch.cat([grey, white]), torch.cat([black, white]))
    assert found.distances.tolist() == pytest.approx([1.0, 0.0])
    assert found.indices.tolist()[1] == 1


def test_copies_are_found_and_real_pictures_are_none():
    digits, test = digit_pictures("train").tensor(1), digit_pictures("test").tensor(1)[:120]
    training = digits[:600]
    noise = 0.02 * torch.randn(60, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    copies = training[100:160]
    assert measures.distance_to_training(copies, test, training).ratio == 0
    assert measures.distance_to_training(copies + noise, test, training).ratio < 0.15
    assert measures.nearest_training(copies + noise, training).indices.tolist() == list(range(100, 160))
    assert measures.distance_to_training(digits[600:900], test, training).ratio == pytest.approx(1, abs=0.15)


def test_nearest_refuses_nothing_and_other_channels():
    pictures = digit_pictures("test")[:3]
    with pytest.raises(LabkitError, match="channels"):
        measures.nearest_training(pictures.tensor(1), pictures.tensor(3))
    with pytest.raises(LabkitError, match="no pictures"):
        measures.nearest_training(pictures.tensor(1), pictures.tensor(1)[:0])


def test_ratios_of_zero():
    assert BesideReal(0.0, 0.0).ratio == 1
    assert BesideReal(1.0, 0.0).ratio == float("inf")


# Classification accuracy score


@pytest.fixture(scope="module")
def parts():
    train, test = digit_pictures("train"), digit_pictures("test")
    sides = [train[:400], train[400:800], test[:200]]
    return [(side.tensor(channels=1), torch.from_numpy(side.labels)) for side in sides]


BUDGET = ClassifierBudget(steps=60)  # a few seconds in all: a classifier has to learn something


def test_real_pictures_lose_nothing_and_wrong_labels_everything(parts):
    first, second, test = parts
    same = classification_score(first, second, test, seeds=1, budget=BUDGET)
    assert same.real.min() > 0.85
    assert abs(same.gap) < 0.08
    shuffled = (first[0], first[1][torch.randperm(400, generator=torch.Generator().manual_seed(0))])
    mislabelled = classification_score(shuffled, second, test, seeds=1, budget=BUDGET)
    assert mislabelled.generated.max() < 0.4
    assert np.array_equal(mislabelled.real, same.real), "the real side does not depend on the generated one"


def test_collapse_shows_in_the_score(parts):
    """Every picture is the digit that was asked for, and still the classifier learns little."""
    first, second, test = parts
    once = torch.stack([(first[1] == digit).int().argmax() for digit in range(10)])
    collapsed = (first[0][once[first[1]]], first[1])
    assert classification_score(collapsed, second, test, seeds=1, budget=BUDGET).gap > 0.15


def test_both_sides_learn_from_the_same_number_of_pictures(parts, monkeypatch):
    sizes = []
    monkeypatch.setattr(cas, "_accuracy", lambda pictures, *_: float(sizes.append(len(pictures)) or 0.5))
    first, second, test = parts
    found = classification_score((first[0][:70], first[1][:70]), second, test, seeds=3)
    assert sizes == [70] * 6
    assert (len(found.generated), found.gap) == (3, 0.0)


def test_the_score_leaves_the_shared_generator_alone(parts):
    first, second, test = parts
    before = torch.get_rng_state()
    classification_score(first, second, test, seeds=1, budget=ClassifierBudget(steps=2))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": 0}, "seeds is 0"),
        ({"generated": (torch.zeros(2, 1, 28, 28), torch.zeros(3))}, "generated has 2 pictures and 3 labels"),
        ({"real": (torch.zeros(1, 1, 28, 28), torch.tensor([-1]))}, "from 0"),
    ],
)
def test_what_cannot_be_scored_is_refused(parts, change, message):
    arguments = dict(zip(("generated", "real", "test"), parts, strict=True)) | change
    with pytest.raises(LabkitError, match=message):
        classification_score(**arguments)
    with pytest.raises(LabkitError, match="ClassifierBudget.steps"):
        ClassifierBudget(steps=0)
