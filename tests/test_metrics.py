"""labkit.metrics against scikit-learn, SciPy and closed forms."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn import metrics as sklearn_metrics

from labkit import metrics

# The same inputs in every run: a failure is the code's, never the draw's.
PROPERTY = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@st.composite
def labelled(draw):
    """Labels, targets and the number of classes."""
    num_classes = draw(st.integers(2, 6))  # scikit-learn warns at 1
    size = draw(st.integers(1, 30))
    classes = hnp.arrays(np.int64, size, elements=st.integers(0, num_classes - 1))
    return draw(classes), draw(classes), num_classes


# ---------------------------------------------------------------------------------------------------------------
# Classification


@PROPERTY
@given(case=labelled())
def test_accuracy_and_confusion_matrix_equal_scikit_learn(case):
    labels, targets, num_classes = case
    assert metrics.accuracy(labels, targets) == sklearn_metrics.accuracy_score(targets, labels)
    ours = metrics.confusion_matrix(labels, targets, num_classes)
    expected = sklearn_metrics.confusion_matrix(targets, labels, labels=range(num_classes))
    np.testing.assert_array_equal(ours, expected)
    assert np.trace(ours) / len(targets) == pytest.approx(metrics.accuracy(labels, targets))
    size = max(labels.max(), targets.max()) + 1
    np.testing.assert_array_equal(metrics.confusion_matrix(labels, targets), expected[:size, :size])


def test_rows_are_true_classes():
    """One example of class 0, called 2: transposing is the usual mistake."""
    matrix = metrics.confusion_matrix([2], [0])
    assert matrix.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_small_integer_types_do_not_overflow(dtype):
    labels, targets = np.arange(100, dtype=dtype), np.arange(100, dtype=dtype)
    np.testing.assert_array_equal(metrics.confusion_matrix(labels, targets), np.eye(100))


LOGITS = [[0.1, 2.0, -1.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.5], [9.0, 1.0, 1.0]]


@pytest.mark.parametrize(
    "convert",
    [
        list,
        np.array,
        torch.tensor,
        lambda rows: torch.tensor(rows, requires_grad=True),
        lambda rows: torch.tensor(rows, dtype=torch.bfloat16),
    ],
)
def test_logits_of_every_kind(convert):
    targets = torch.tensor([1, 0, 2, 1])
    assert metrics.accuracy(convert(LOGITS), targets) == 0.75
    assert metrics.confusion_matrix(convert(LOGITS), targets.tolist()).tolist() == [
        [1, 0, 0],
        [1, 1, 0],
        [0, 0, 1],
    ]


def test_names_are_labels_too():
    assert metrics.accuracy(["refund", "order", "order"], ["refund", "order", "hours"]) == pytest.approx(
        2 / 3
    )


# ---------------------------------------------------------------------------------------------------------------
# Calibration


def expected_calibration_error_by_definition(probabilities, targets, bins):
    """Guo et al. 2017, equation 3, as a loop over the bins."""
    confidence, labels = probabilities.max(axis=1), probabilities.argmax(axis=1)
    error = 0.0
    for b in range(bins):
        inside = (confidence > np.linspace(0, 1, bins + 1)[b]) & (
            confidence <= np.linspace(0, 1, bins + 1)[b + 1]
        )
        if inside.any():
            gap = abs((labels == targets)[inside].mean() - confidence[inside].mean())
            error += inside.sum() / len(targets) * gap
    return error


@st.composite
def calibrated(draw):
    size, num_classes = draw(st.integers(1, 40)), draw(st.integers(2, 5))
    weights = draw(
        hnp.arrays(np.float64, (size, num_classes), elements=st.sampled_from([0.0, 0.5, 1, 2, 7, 0.3]))
    )
    weights[:, 0] += 0.1
    targets = draw(hnp.arrays(np.int64, size, elements=st.integers(0, num_classes - 1)))
    return weights / weights.sum(axis=1, keepdims=True), targets


@PROPERTY
@given(case=calibrated(), bins=st.integers(1, 20))
def test_calibration_error_is_its_definition(case, bins):
    probabilities, targets = case
    ours = metrics.expected_calibration_error(probabilities, targets, bins)
    assert ours == pytest.approx(
        expected_calibration_error_by_definition(probabilities, targets, bins), abs=1e-12
    )
    assert 0 <= ours <= 1

    diagram = metrics.reliability_bins(probabilities, targets, bins)
    assert diagram.count.sum() == len(targets)
    assert len(diagram.edges) == bins + 1
    assert np.isnan(diagram.accuracy[diagram.count == 0]).all()
    filled = diagram.count > 0
    accuracy = (diagram.accuracy[filled] * diagram.count[filled]).sum() / len(targets)
    assert accuracy == pytest.approx(metrics.accuracy(probabilities, targets))
    assert (diagram.confidence[filled] <= diagram.edges[1:][filled] + 1e-12).all()
    assert (diagram.confidence[filled] >= diagram.edges[:-1][filled] - 1e-12).all()


def test_calibration_error_by_hand():
    # 0.9 sure and right 1 time in 2: a gap of 0.4. 0.6 sure and right both times: a gap of 0.4 the other way.
    probabilities = [[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]]
    assert metrics.expected_calibration_error(probabilities, [0, 1, 0, 0], bins=10) == pytest.approx(0.4)
    # In one bin the two cancel: 0.75 sure on average, and right 3 times in 4.
    assert metrics.expected_calibration_error(probabilities, [0, 1, 0, 0], bins=1) == pytest.approx(
        0, abs=1e-15
    )
    assert metrics.expected_calibration_error([[1.0, 0.0]], [0]) == 0
    assert metrics.expected_calibration_error([[1.0, 0.0]], [1]) == 1


def test_an_overconfident_model_is_told_from_a_calibrated_one():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5), size=20_000)
    targets = np.array([rng.choice(5, p=row) for row in p])
    overconfident = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert metrics.expected_calibration_error(p, targets) < 0.02
    assert metrics.expected_calibration_error(overconfident, targets) > 0.15


# ---------------------------------------------------------------------------------------------------------------
# Intervals


@PROPERTY
@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12),
    confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_mean_interval_equals_scipy(values, confidence):
    mean, low, high = metrics.mean_interval(values, confidence)
    interval = stats.ttest_1samp(values, 0).confidence_interval(confidence) if np.ptp(values) > 1e-6 else None
    assert mean == pytest.approx(np.mean(values))
    assert low <= mean <= high
    if interval is not None:
        assert (low, high) == pytest.approx((interval.low, interval.high), rel=1e-9, abs=1e-9)


def test_mean_interval_by_hand():
    # mean 2, deviation 1, t(2 degrees, 0.975) = 4.302653
    assert metrics.mean_interval([1, 2, 3]) == pytest.approx(
        (2, 2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5)
    )
    assert metrics.mean_interval(torch.tensor([0.5, 0.5])) == (0.5, 0.5, 0.5)


def coverage(interval, size: int, repeats: int) -> float:
    """How often the interval holds the true mean, 0."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(repeats):
        _, low, high = interval(rng.standard_normal(size))
        inside += low <= 0 <= high
    return inside / repeats


def test_mean_interval_holds_the_mean_as_often_as_it_says():
    """Over five runs, as in the lessons. With 1.96 in place of Student's t it holds it 88 % of the time."""
    assert coverage(metrics.mean_interval, 5, 4_000) == pytest.approx(0.95, abs=0.012)  # 3.5 standard errors

    def normal(values):
        half = 1.96 * values.std(ddof=1) / len(values) ** 0.5
        return 0, values.mean() - half, values.mean() + half

    assert coverage(normal, 5, 4_000) < 0.9


def test_bootstrap_interval_is_the_t_interval_on_many_normal_values():
    values = np.random.default_rng(0).standard_normal(400)
    mean, low, high = metrics.bootstrap_interval(values)
    expected = metrics.mean_interval(values)
    assert mean == pytest.approx(expected[0])
    assert (low, high) == pytest.approx(expected[1:], abs=0.005)


def test_bootstrap_interval_holds_the_mean_as_often_as_it_says():
    share = coverage(lambda values: metrics.bootstrap_interval(values, samples=500), 50, 400)
    assert share == pytest.approx(0.94, abs=0.035)


def test_bootstrap_interval_of_a_share_is_binomial():
    """80 right of 100: resampled counts are binomial, so the percentiles are known."""
    values = np.repeat([1.0, 0.0], [80, 20])
    _, low, high = metrics.bootstrap_interval(values)
    expected = stats.binom.ppf([0.025, 0.975], 100, 0.8) / 100
    assert (low, high) == pytest.approx(tuple(expected), abs=0.011)


def test_bootstrap_interval_of_any_statistic():
    values = np.random.default_rng(0).exponential(size=200)
    median, low, high = metrics.bootstrap_interval(values, np.median)
    assert median == np.median(values)
    assert low < np.log(2) < high  # the median of the exponential distribution
    assert high - low < 0.4

    def without_axis(sample):
        return np.sort(sample)[len(sample) // 2]

    assert metrics.bootstrap_interval(values[:9], without_axis)[0] == np.median(values[:9])


def test_bootstrap_is_the_same_for_a_seed():
    values = np.random.default_rng(0).standard_normal(30)
    first = metrics.bootstrap_interval(values, samples=200, seed=1)
    assert first == metrics.bootstrap_interval(values, samples=200, seed=1)
    assert first != metrics.bootstrap_interval(values, samples=200, seed=2)
    a, b = values, values[::-1]
    assert metrics.paired_bootstrap(a, b, seed=1) == metrics.paired_bootstrap(a, b, seed=1)


def test_no_spread_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.bootstrap_interval([0.5] * 10) == (0.5, 0.5, 0.5)
        assert metrics.paired_bootstrap([0.5] * 10, [0.5] * 10) == (0, 0, 0, 1)
        assert metrics.mean_interval([1, 1, 1]) == (1, 1, 1)


# ---------------------------------------------------------------------------------------------------------------
# Comparisons


@pytest.mark.parametrize("gain", [0.0, 0.1, 0.25, 0.5])
def test_paired_bootstrap_agrees_with_the_paired_t_test(gain):
    rng = np.random.default_rng(3)
    difficulty = rng.standard_normal(200)  # the same examples are hard for both
    a = difficulty + gain + 0.7 * rng.standard_normal(200)
    b = difficulty + 0.7 * rng.standard_normal(200)
    mean, low, high, p = metrics.paired_bootstrap(a, b)
    test = stats.ttest_rel(a, b)
    assert mean == pytest.approx((a - b).mean())
    interval = test.confidence_interval()
    assert (low, high) == pytest.approx((interval.low, interval.high), abs=0.01)
    assert p == pytest.approx(test.pvalue, abs=0.015)
    # Unpaired, the examples' difficulty drowns the difference.
    assert stats.ttest_ind(a, b).pvalue >= test.pvalue - 1e-12 or gain == 0


def test_paired_bootstrap_is_antisymmetric():
    rng = np.random.default_rng(0)
    a, b = rng.random(40) + 0.2, rng.random(40)
    mean, low, high, p = metrics.paired_bootstrap(a, b)
    assert metrics.paired_bootstrap(b, a) == pytest.approx((-mean, -high, -low, p))


def test_p_is_uniform_when_nothing_differs():
    """A test at 5 % cries wolf in 5 % of the cases; the one-sided p that is often reported, in twice as many."""
    rng = np.random.default_rng(0)
    p = [metrics.paired_bootstrap(*rng.standard_normal((2, 60)), samples=400)[3] for _ in range(600)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.055, abs=0.028)
    assert np.mean(p) == pytest.approx(0.5, abs=0.05)


def test_p_is_never_0_and_ties_count():
    assert metrics.paired_bootstrap(np.ones(20), np.zeros(20), samples=999)[3] == 1 / 1000
    # Two examples, 1 and 0: the resampled means are 0, 1/2, 1/2, 1; half of them are 1/2 away from 1/2.
    p = metrics.paired_bootstrap([1, 0], [0, 0], samples=20_000)[3]
    assert p == pytest.approx(0.5, abs=0.015)


def test_p_does_not_depend_on_the_unit():
    """Tenths are not exact in binary; rounding must not decide whether a resampled mean is as far as 0 is."""
    a, b = np.array([3, 1, 2, 2, -1, 0]), np.zeros(6)
    p = metrics.paired_bootstrap(a, b, samples=2_000)[3]
    for unit in (0.1, 0.3, 1e-9, 1e9):
        assert metrics.paired_bootstrap(a * unit, b, samples=2_000)[3] == p


def test_a_large_sample_is_drawn_in_parts():
    a = np.linspace(0, 1, 30_001)
    mean, low, high, _ = metrics.paired_bootstrap(a, 0 * a, samples=101)
    assert low < mean < high
    assert mean == pytest.approx(0.5)


# ---------------------------------------------------------------------------------------------------------------
# Wrong arguments


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.accuracy([], []), ValueError, "^targets"),
        (lambda: metrics.accuracy([0, 1], [0]), ValueError, "^logits or labels"),
        (lambda: metrics.accuracy([0], [[0]]), ValueError, "^targets"),
        (lambda: metrics.accuracy([[[0.0, 1.0]]], [1]), ValueError, "^logits or labels"),
        (lambda: metrics.accuracy([[0.7], [0.2]], [1, 0]), ValueError, "^logits .*each class"),
        (lambda: metrics.accuracy([0.7, 0.2], [1, 0]), TypeError, "^labels .*p > 0.5"),
        (lambda: metrics.accuracy([1, 0], [1.0, 0.0]), TypeError, "^targets"),
        (lambda: metrics.accuracy([[float("nan"), 0.0]], [0]), ValueError, "^logits hold NaN"),
        (lambda: metrics.confusion_matrix([-1], [0]), ValueError, "negative, got -1"),
        (lambda: metrics.confusion_matrix([3], [0], num_classes=3), ValueError, "^num_classes is 3.*label 3"),
        (lambda: metrics.confusion_matrix(["a"], ["b"]), TypeError, "^targets"),
        (lambda: metrics.reliability_bins([[2.0, -1.0]], [0]), ValueError, "^probabilities .*logits"),
        (lambda: metrics.reliability_bins([[0.5, 0.1]], [0]), ValueError, "^probabilities must sum to 1"),
        (lambda: metrics.reliability_bins([0.5], [0]), ValueError, "^probabilities .*shape"),
        (lambda: metrics.reliability_bins([[0.5, 0.5]], [0], bins=0), ValueError, "^bins"),
        (lambda: metrics.expected_calibration_error([[0.5, 0.5]], [0, 1]), ValueError, "^logits or labels"),
        (lambda: metrics.mean_interval([1.0]), ValueError, "^values .*at least 2"),
        (lambda: metrics.mean_interval([1.0, float("nan")]), ValueError, "^values must be finite"),
        (lambda: metrics.mean_interval([1.0, 2.0], confidence=95), ValueError, "^confidence"),
        (lambda: metrics.mean_interval([[1.0, 2.0]]), ValueError, "^values"),
        (lambda: metrics.bootstrap_interval([1.0, 2.0], samples=0), ValueError, "^samples"),
        (lambda: metrics.bootstrap_interval([1.0, 2.0], confidence=1), ValueError, "^confidence"),
        (lambda: metrics.paired_bootstrap([1, 2], [1, 2, 3]), ValueError, "^b must"),
        (lambda: metrics.paired_bootstrap([1], [1]), ValueError, "^a must"),
        (lambda: metrics.paired_bootstrap([1, 2], [1, 2], samples=0), ValueError, "^samples"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()
