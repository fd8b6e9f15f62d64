"""How near synthesized speech is to recorded speech: cepstra, pitch, durations, phonemes, intelligibility, speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labkit.common import LabkitError
from labkit.speech.mel import BANDS, HOP, SAMPLE_RATE

CEPSTRA = 13


def mel_cepstra(log_mel: np.ndarray) -> np.ndarray:
    """c_1 .. c_13 (frames, 13) with ln m_b = c_0 + sum_d c_d cos(pi d (b + 1/2) / 80).

    c_d = 2/80 sum_b ln m_b cos(pi d (b + 1/2) / 80). c_0, the loudness, is left out.
    """
    log_mel = np.asarray(log_mel, dtype=np.float64)
    if log_mel.ndim != 2 or log_mel.shape[1] != BANDS or not len(log_mel):
        raise LabkitError(
            f"The log-mel has the shape {log_mel.shape}. Give (frames, {BANDS}), with at least one frame."
        )
    d, b = np.arange(1, CEPSTRA + 1), np.arange(BANDS)
    return log_mel @ np.cos(np.pi * np.outer(b + 0.5, d) / BANDS) * (2 / BANDS)


def mel_cepstral_distortion(ours: np.ndarray, reference: np.ndarray, warp: bool = True) -> float:
    """Mean over frames of (10 / ln 10) sqrt(2 sum_d (c_d - c'_d)^2), in dB, of two log-mel spectrograms.

    Kubichek 1993, Mel-cepstral distance measure for objective speech quality assessment, eq. 3. With the cepstra of
    ``mel_cepstra`` it is the root mean square difference of the two smoothed spectra over the bands. With ``warp`` the
    frames are paired by dynamic time warping and the mean is over the pairs; without, frame k stands beside frame k,
    and what the longer one has more is left out.
    """
    a, b = mel_cepstra(ours), mel_cepstra(reference)
    scale = 10 / np.log(10) * np.sqrt(2)
    if not warp:
        shared = min(len(a), len(b))
        return float(scale * np.linalg.norm(a[:shared] - b[:shared], axis=1).mean())
    distances = np.sqrt(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0))
    path = warping_path(distances)
    return float(scale * distances[path[:, 0], path[:, 1]].mean())


def warping_path(distances: np.ndarray) -> np.ndarray:
    """Pairs (K, 2) from (0, 0) to the last corner with the least sum of distances; steps down, right and across.

    Sakoe and Chiba 1978, Dynamic programming algorithm optimization for spoken word recognition, table I, P = 0 with
    all weights 1. Cells of one anti-diagonal do not depend on each other and are computed at once.
    """
    rows, columns = distances.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0
    for diagonal in range(rows + columns - 1):
        i = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        j = diagonal - i
        best = np.minimum(np.minimum(total[i, j], total[i, j + 1]), total[i + 1, j])
        total[i + 1, j + 1] = distances[i, j] + best
    i, j, pairs = rows, columns, []
    while i and j:
        pairs.append((i - 1, j - 1))
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda cell: total[cell])
    return np.array(pairs[::-1])


def duration_error(ours: Sequence[float], reference: Sequence[float]) -> float:
    """Root mean square difference of the phones' durations, in milliseconds, of durations in frames."""
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if a.shape != b.shape or not a.size:
        raise LabkitError(
            f"The durations have shapes {a.shape} and {b.shape}. Give as many as there are phones."
        )
    return float(1_000 * HOP / SAMPLE_RATE * np.sqrt(np.mean((a - b) ** 2)))


def duration_ratio(ours: Sequence[float], reference: Sequence[float]) -> float:
    """How long ours lasts in all, as a multiple of the reference."""
    return float(np.sum(ours) / np.sum(reference))


def pitch_track(samples: np.ndarray, lowest: float = 60.0, highest: float = 400.0) -> np.ndarray:
    """Pitch in Hz of each frame, NaN where there is none: YIN.

    d(tau) = sum_j (x_j - x_(j + tau))^2 over half a window, divided by its mean up to tau; the first dip below 0.15
    counts, refined by a parabola. de Cheveigne and Kawahara 2002, eq. 6 and 8, step 4 and 5; steps 1 and 6 are left out.
    """
    samples = np.asarray(samples)
    samples = samples / 32_768.0 if samples.dtype == np.int16 else samples.astype(np.float64)
    longest, shortest = int(SAMPLE_RATE / lowest) + 2, int(SAMPLE_RATE / highest)
    width = 1_024
    padded = np.pad(samples, (width // 2, width + longest))
    starts = np.arange(1 + len(samples) // HOP) * HOP
    pitches = np.full(len(starts), np.nan)
    for first in range(0, len(starts), 256):  # a few MB at a time
        frames = padded[starts[first : first + 256, None] + np.arange(width + longest)]
        pitches[first : first + 256] = _yin(frames, width, shortest, longest)
    return pitches


def _yin(frames: np.ndarray, width: int, shortest: int, longest: int, threshold: float = 0.15) -> np.ndarray:
    size = 1 << int(np.ceil(np.log2(frames.shape[1] + width)))
    product = np.fft.rfft(frames, size) * np.conj(np.fft.rfft(frames[:, :width], size))
    correlation = np.fft.irfft(product, size)[:, :longest]  # sum_j x_j x_(j + tau)
    energy = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    energy = energy[:, width : width + longest] - energy[:, :longest]  # sum_j x_(j + tau)^2
    difference = np.maximum(energy[:, :1] + energy - 2 * correlation, 0)
    running = np.cumsum(difference[:, 1:], axis=1) / np.arange(1, longest)
    normal = np.concatenate(
        [np.ones((len(frames), 1)), difference[:, 1:] / np.maximum(running, 1e-12)], axis=1
    )
    inner = normal[:, 1:-1]
    dips = (inner < threshold) & (inner <= normal[:, :-2]) & (inner <= normal[:, 2:])
    dips[:, : shortest - 1] = False
    lag = dips.argmax(axis=1) + 1
    rows = np.arange(len(frames))
    left, middle, right = normal[rows, lag - 1], normal[rows, lag], normal[rows, lag + 1]
    curve = np.maximum(left - 2 * middle + right, 1e-12)
    lags = lag + np.clip(0.5 * (left - right) / curve, -0.5, 0.5)
    voiced = dips.any(axis=1) & (energy[:, 0] / width > 1e-6)
    return np.where(voiced, SAMPLE_RATE / lags, np.nan)


def pitch_error(ours: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """(cents, share): root mean square difference of two pitch tracks where both have a pitch, in hundredths of a
    semitone; and the share of frames in which one has a pitch and the other none.

    A difference of more than half an octave is an error of the tracker, not of the voice, and counts as one without.
    """
    shared = min(len(ours), len(reference))
    a, b = np.asarray(ours)[:shared], np.asarray(reference)[:shared]
    cents = 1_200 * np.log2(a / b)
    one_sided = np.isnan(a) != np.isnan(b)
    wild = np.abs(np.nan_to_num(cents)) > 600
    good = ~np.isnan(cents) & ~wild
    spread = float(np.sqrt(np.mean(cents[good] ** 2))) if good.any() else float("nan")
    return spread, float((one_sided | wild).mean())


def phoneme_error_rate(heard: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> float:
    """(substitutions + deletions + insertions) / sounds said, over all sentences together, in [0, ...)."""
    import jiwer

    if len(heard) != len(said) or not said:
        raise LabkitError(f"There are {len(heard)} transcripts for {len(said)} sentences. Give one for each.")
    if any(not sounds for sounds in said):
        raise LabkitError("A sentence without sounds has no error rate. Leave it out.")
    return float(jiwer.wer([" ".join(sounds) for sounds in said], [" ".join(sounds) for sounds in heard]))


def intelligibility(ours: np.ndarray, reference: np.ndarray) -> float:
    """STOI in [0, 1] of two recordings of the same timing. Taal et al. 2011, https://doi.org/10.1109/TASL.2011.2114881."""
    from pystoi import stoi

    shared = min(len(ours), len(reference))
    a, b = (np.asarray(x)[:shared] for x in (ours, reference))
    a, b = (x / 32_768.0 if x.dtype == np.int16 else x.astype(np.float64) for x in (a, b))
    return float(stoi(b, a, SAMPLE_RATE))
