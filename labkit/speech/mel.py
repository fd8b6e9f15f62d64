"""The log-mel spectrogram: what the acoustic model predicts, the vocoder turns into sound, and the judge listens to."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError

SAMPLE_RATE = 22_050
WINDOW = 1_024  # samples of a frame; also the length of the transform
HOP = 256  # samples from one frame to the next
BINS = WINDOW // 2 + 1
BANDS = 80
LOWEST, HIGHEST = 0.0, 8_000.0  # Hz
FLOOR = 1e-5  # of a band's magnitude, before the logarithm
SILENCE = float(np.log(FLOOR))
FRAMES_PER_SECOND = SAMPLE_RATE / HOP


def frame_count(samples: int) -> int:
    """Frames of a sound of so many samples: the middle of frame k is at sample k * HOP."""
    return 1 + samples // HOP


@cache
def window() -> Tensor:
    """Hann's window, w[n] = (1 - cos(2 pi n / 1024)) / 2."""
    return torch.hann_window(WINDOW)


def stft(samples: Tensor) -> Tensor:
    """Complex spectrum (..., 513, frames) of ``samples`` (..., T); zeros stand before the first and after the last."""
    return torch.stft(
        samples, WINDOW, HOP, window=window(), center=True, pad_mode="constant", return_complex=True
    )


def istft(spectrum: Tensor, length: int | None = None) -> Tensor:
    """The samples (..., T) whose spectrum is nearest to ``spectrum`` (..., 513, frames)."""
    return torch.istft(spectrum, WINDOW, HOP, window=window(), center=True, length=length)


def hertz_to_mel(hertz: np.ndarray) -> np.ndarray:
    """Slaney's mel scale: 3 f / 200 below 1,000 Hz, above it 15 + 27 ln(f / 1000) / ln 6.4.

    Slaney 1998, Auditory Toolbox, technical report 1998-010; the scale that librosa uses.
    """
    hertz = np.asarray(hertz, dtype=np.float64)
    above = 15 + 27 * np.log(np.maximum(hertz, 1e-9) / 1_000) / np.log(6.4)
    return np.where(hertz < 1_000, 3 * hertz / 200, above)


def mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    """The inverse of ``hertz_to_mel``."""
    mel = np.asarray(mel, dtype=np.float64)
    return np.where(mel < 15, 200 * mel / 3, 1_000 * np.exp((mel - 15) * np.log(6.4) / 27))


@cache
def filterbank() -> Tensor:
    """Triangles (80, 513) evenly spaced in mel, each with the same area: row b weighs the bins of band b."""
    edges = mel_to_hertz(np.linspace(hertz_to_mel(LOWEST), hertz_to_mel(HIGHEST), BANDS + 2))
    bins = np.linspace(0, SAMPLE_RATE / 2, BINS)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    return torch.tensor(triangles, dtype=torch.float32)


def log_mel(samples: Tensor | np.ndarray) -> Tensor:
    """ln(max(mel magnitudes, 1e-5)), float32 (frames, 80), of ``samples`` (T,) at 22,050 Hz.

    int16 samples are brought to [-1, 1). Raises LabkitError for another shape, and for no samples.
    """
    samples = to_float(samples)
    if samples.ndim != 1 or not len(samples):
        raise LabkitError(
            f"The samples have shape {tuple(samples.shape)}. Give one channel with at least one sample."
        )
    return compress(stft(samples).abs())


def compress(magnitudes: Tensor) -> Tensor:
    """Log-mel (..., frames, 80) of magnitudes (..., 513, frames)."""
    return (filterbank() @ magnitudes).clamp(min=FLOOR).log().transpose(-1, -2)


def to_float(samples: Tensor | np.ndarray) -> Tensor:
    """Samples as float32; int16 ones divided by 32,768."""
    samples = torch.as_tensor(samples)
    return samples.float() / 32_768 if samples.dtype == torch.int16 else samples.float()
