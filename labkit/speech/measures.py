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
        raise LabkitError(f"The log-mel has the shape {log_mel.shape}. Give (frames, {BANDS}), with at least one frame.")
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
        raise LabkitError(f"The durations have shapes {a.shape} and {b.shape}. Give as many as there are phones.")
    return float(1_000 * HOP / SAMPLE_RATE * np.sqrt(np.mean((a - b) ** 2)))
