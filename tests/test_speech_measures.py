"""Measures of speech against closed forms, librosa and jiwer's own arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.speech import measures
from labkit.speech.mel import SAMPLE_RATE


def bands(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 80))


def glide(low=100.0, high=200.0, seconds=1.0):
    """A rich tone that rises from ``low`` to ``high`` Hz."""
    pitch = np.linspace(low, high, int(seconds * SAMPLE_RATE))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    return 0.2 * sum(np.sin(k * phase) / k for k in range(1, 6)), pitch


def test_distortion_is_the_difference_of_smoothed_spectra_in_decibels():
    # One cosine over the bands: its root mean square in dB is known without any cepstrum.
    ripple = 0.3 * np.cos(2 * np.pi * 3 * (np.arange(80) + 0.5) / 160)
    reference = bands(5)
    expected = 20 / np.log(10) * np.sqrt(np.mean(ripple**2))
    for warp in (False, True):
        assert measures.mel_cepstral_distortion(reference + ripple, reference, warp) == pytest.approx(
            expected
        )


def test_distortion_does_not_hear_loudness_nor_the_finest_ripples():
    reference = bands(4)
    assert measures.mel_cepstral_distortion(reference + 1.5, reference) == pytest.approx(0, abs=1e-6)
    fine = np.cos(np.pi * 40 * (np.arange(80) + 0.5) / 80)
    assert measures.mel_cepstral_distortion(reference + fine, reference, warp=False) == pytest.approx(
        0, abs=1e-6
    )


def test_warping_forgives_tempo():
    reference = np.repeat(bands(6), 4, axis=0)
    slower = np.repeat(bands(6), 6, axis=0)
    assert measures.mel_cepstral_distortion(slower, reference) == pytest.approx(0, abs=1e-6)
    assert measures.mel_cepstral_distortion(slower, reference, warp=False) > 1


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_warping_path_has_the_least_cost(rows, columns, seed):
    distances = np.random.default_rng(seed).random((rows, columns))
    best = np.full((rows, columns), np.inf)
    for i in range(rows):
        for j in range(columns):
            before = (
                [best[i - 1, j]] * (i > 0) + [best[i, j - 1]] * (j > 0) + [best[i - 1, j - 1]] * (i > 0 < j)
            )
            best[i, j] = distances[i, j] + min(before, default=0)
    path = measures.warping_path(distances)
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [rows - 1, columns - 1]
    assert set(map(tuple, np.diff(path, axis=0))) <= {(1, 0), (0, 1), (1, 1)}
    assert distances[path[:, 0], path[:, 1]].sum() == pytest.approx(best[-1, -1])


def test_pitch_of_a_glide():
    samples, pitch = glide()
    track = measures.pitch_track(samples)
    assert len(track) == 1 + len(samples) // 256
    inner = slice(4, -6)
    true = pitch[np.arange(len(track)) * 256]
    assert np.isfinite(track[inner]).all()
    assert np.abs(1_200 * np.log2(track[inner] / true[inner])).max() < 20


def test_pitch_agrees_with_librosas():
    import librosa

    samples, _ = glide(seconds=0.5)
    ours = measures.pitch_track(samples)
    theirs = librosa.yin(samples, fmin=60, fmax=400, sr=SAMPLE_RATE, frame_length=2_048, hop_length=256)
    inner = slice(6, -8)
    assert np.abs(1_200 * np.log2(ours[inner] / theirs[: len(ours)][inner])).mean() < 30


def test_noise_and_silence_have_no_pitch():
    noise = 0.1 * np.random.default_rng(0).normal(size=SAMPLE_RATE // 2)
    assert np.isnan(measures.pitch_track(noise)).mean() > 0.9
    assert np.isnan(measures.pitch_track(np.zeros(9_000))).all()


def test_pitch_error_counts_cents_and_lost_voicing():
    reference = np.array([100.0, 100.0, 100.0, np.nan, np.nan])
    ours = np.array([100 * 2 ** (1 / 12), 100.0, np.nan, np.nan, 100.0])
    assert measures.pitch_error(ours, reference) == pytest.approx((np.sqrt(100**2 / 2), 2 / 5))
    assert measures.pitch_error(reference * 2, reference)[1] == pytest.approx(3 / 5)


def test_duration_error_is_in_milliseconds():
    assert measures.duration_error([3, 5], [4, 4]) == pytest.approx(1_000 * 256 / 22_050)
    with pytest.raises(LabkitError, match="as many"):
        measures.duration_error([3], [4, 4])


def test_phoneme_error_rate_weighs_sentences_by_their_length():
    said = [["a", "b", "c"], ["d"]]
    assert measures.phoneme_error_rate(said, said) == 0
    assert measures.phoneme_error_rate([["a", "x", "c"], ["d"]], said) == pytest.approx(1 / 4)
    assert measures.phoneme_error_rate([["a", "c", "c", "c"], []], said) == pytest.approx(3 / 4)
    with pytest.raises(LabkitError, match="one for each"):
        measures.phoneme_error_rate([["a"]], said)
    with pytest.raises(LabkitError, match="without sounds"):
        measures.phoneme_error_rate([[]], [[]])


def test_intelligibility_falls_with_noise():
    samples, _ = glide(seconds=1.5)
    samples = samples * (1 + np.sin(np.arange(len(samples)) / 900))  # syllables
    noise = np.random.default_rng(0).normal(size=len(samples))
    scores = [measures.intelligibility(samples + level * noise, samples) for level in (0, 0.1, 2)]
    assert scores[0] == pytest.approx(1, abs=1e-3)
    assert scores[0] > scores[1] > scores[2]


@pytest.mark.parametrize("mel", [np.zeros((0, 80)), np.zeros((3, 40)), np.zeros(80)])
def test_what_is_not_a_mel_is_refused(mel):
    with pytest.raises(LabkitError, match="log-mel"):
        measures.mel_cepstral_distortion(mel, bands(2))
