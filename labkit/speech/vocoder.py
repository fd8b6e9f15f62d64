"""Mel to sound: Griffin and Lim's algorithm, and a small network that knows what the mel leaves out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from labkit.common import LabkitError
from labkit.speech.acoustic import ConvolutionBlock
from labkit.speech.mel import BANDS, BINS, FLOOR, HOP, SAMPLE_RATE, SILENCE, WINDOW, filterbank, istft, stft

ITERATIONS = 32
FEW_ITERATIONS = 8  # are enough from phases that are nearly right
MOMENTUM = 0.99
LOWEST_PITCH, HIGHEST_PITCH = 60.0, 400.0  # Hz
VOICED = 0.5  # of the autocorrelation at lag 0
ENVELOPE = 50  # samples of a cepstrum: before it the throat, from it on the pitch of a voice below 440 Hz
NEARLY = 0.85  # of the best lag's autocorrelation


def check_mel(mel: Tensor | np.ndarray) -> Tensor:
    """A log-mel (T, 80) as float32; LabkitError for another shape, no frames and NaN."""
    mel = torch.as_tensor(mel, dtype=torch.float32)
    if mel.ndim != 2 or mel.shape[1] != BANDS or not len(mel):
        raise LabkitError(f"The log-mel has the shape {tuple(mel.shape)}. Give (frames, {BANDS}).")
    if not torch.isfinite(mel).all():
        raise LabkitError("The log-mel holds NaN or infinite values. Look at the model that made it.")
    return mel


@cache
def inverse_filterbank() -> Tensor:
    """The pseudo-inverse (513, 80) of the mel filterbank: least squares, which may give a negative magnitude."""
    return torch.linalg.pinv(filterbank())


def mel_to_magnitude(mel: Tensor | np.ndarray) -> Tensor:
    """Magnitudes (513, T) of a log-mel (T, 80) by the pseudo-inverse, negative ones set to 0."""
    return (inverse_filterbank() @ check_mel(mel).exp().T).clamp(min=0)


def griffin_lim(
    magnitude: Tensor,
    iterations: int = ITERATIONS,
    momentum: float = MOMENTUM,
    phase: Tensor | None = None,
    corrected: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Samples whose spectrum has nearly these magnitudes (513, T): phases are guessed, and made to agree.

    Repeat: to samples and back, keep the new phases, put the old magnitudes. Griffin and Lim 1984, eq. 6; with
    momentum Perraudin et al. 2013, algorithm 2. ``phase`` is the first guess, complex (513, T); all zero without it.
    Where less is known than all magnitudes, ``corrected`` makes of those that came back the ones to go on with.
    """
    if iterations < 0 or not 0 <= momentum < 1:
        raise LabkitError("iterations must be a whole number from 0, and momentum from 0 to below 1.")
    if phase is None:
        phase = torch.ones_like(magnitude, dtype=torch.complex64)
    spectrum = magnitude * phase
    before = None
    for _ in range(iterations):
        rebuilt = stft(istft(spectrum))
        towards = rebuilt if before is None else rebuilt - momentum / (1 + momentum) * before
        if corrected is not None:
            magnitude = corrected(rebuilt.abs())
        spectrum = magnitude * towards / (towards.abs() + torch.finfo(magnitude.dtype).tiny)
        before = rebuilt
    return istft(spectrum)


def griffin_lim_vocoder(mel: Tensor | np.ndarray, iterations: int = ITERATIONS, seed: int = 0) -> np.ndarray:
    """Samples in [-1, 1] from a log-mel (T, 80) by the pseudo-inverse and Griffin-Lim from random phases."""
    magnitude = mel_to_magnitude(mel)
    draw = torch.Generator().manual_seed(seed)
    angles = 2 * torch.pi * torch.rand(magnitude.shape, generator=draw)
    samples = griffin_lim(magnitude, iterations, phase=torch.polar(torch.ones_like(angles), angles))
    return samples.clamp(-1, 1).numpy()


@dataclass(frozen=True)
class VocoderConfig:
    """Shape of the network of the neural vocoder."""

    hidden_size: int = 128
    layers: int = 3
    kernel_size: int = 5

    def __post_init__(self) -> None:
        for name in ("hidden_size", "layers", "kernel_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"VocoderConfig.{name} is {value!r}. Give a whole number from 1.")
        if self.kernel_size % 2 == 0:
            raise LabkitError(f"VocoderConfig.kernel_size is {self.kernel_size}. Give an odd number.")


class SpectrumNetwork(nn.Module):
    """Log-mel to the logarithms of all 513 magnitudes: 80 bands say where a voice's harmonics must be."""

    def __init__(self, config: VocoderConfig = VocoderConfig()) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(BANDS, config.hidden_size)
        self.blocks = nn.ModuleList(
            ConvolutionBlock(config.hidden_size, config.kernel_size) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.hidden_size)
        self.last = nn.Linear(config.hidden_size, BINS)

    def forward(self, mels: Tensor) -> Tensor:
        """ln magnitudes (B, T, 513) of log-mels (B, T, 80), as a change of the bands spread over the bins."""
        visible = torch.ones(*mels.shape[:2], 1)
        x = self.first((mels - SILENCE) / 4 - 1)
        for block in self.blocks:
            x = block(x, visible)
        spread = (mels.exp() @ inverse_filterbank().T).clamp(min=FLOOR).log()
        return spread + self.last(self.norm(x))


def spectrum_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean difference of ln magnitudes; ``targets`` are magnitudes (B, T, 513)."""
    return (outputs.clamp(min=SILENCE) - targets.clamp(min=FLOOR).log()).abs().mean()


class SegmentBatches:
    """Pairs (log-mel, magnitudes) of random stretches of recordings, computed when they are asked for: they never
    lie in memory all at once. Batch ``step`` depends on ``seed`` and ``step`` alone.
    """

    def __init__(
        self, recordings: Sequence[np.ndarray], frames: int = 64, batch_size: int = 12, seed: int = 0
    ):
        self.length = (frames - 1) * HOP
        self.recordings = [samples for samples in recordings if len(samples) > self.length]
        if not self.recordings:
            raise LabkitError(f"No recording is as long as a segment of {frames} frames.")
        self.batch_size, self.seed = batch_size, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        draw = np.random.default_rng((self.seed, step))
        parts = []
        for row in draw.integers(len(self.recordings), size=self.batch_size):
            samples = self.recordings[row]
            start = draw.integers(len(samples) - self.length)
            parts.append(samples[start : start + self.length])
        samples = torch.from_numpy(np.stack(parts)).float() / 32_768 * 10 ** (draw.uniform(-0.4, 0.2))
        magnitudes = stft(samples).abs()
        mels = (filterbank() @ magnitudes).clamp(min=FLOOR).log()
        return mels.transpose(1, 2), magnitudes.transpose(1, 2)


def fit_to_bands(magnitude: Tensor, mel: Tensor, iterations: int = 3) -> Tensor:
    """Magnitudes (513, T) scaled until their bands are those of the log-mel (T, 80); what no band hears stays.

    x <- x (F^T (m / F x)) / (F^T 1), which lowers the divergence of F x from m and keeps x positive. Lee and Seung 2001,
    Algorithms for non-negative matrix factorization, eq. 5 with one factor given.
    """
    bank, bands = filterbank(), mel.exp().T
    weight = bank.sum(0)[:, None]
    for _ in range(iterations):
        ratio = bands / (bank @ magnitude).clamp(min=1e-8)
        magnitude = torch.where(weight > 0, magnitude * (bank.T @ ratio) / weight.clamp(min=1e-12), magnitude)
    return magnitude


class NeuralVocoder:
    """The network's magnitudes brought to the bands that were asked for, phases of a voice that beats at the pitch which
    they show, and a few steps of Griffin-Lim, which hold the bands and let the rest give way.
    """

    def __init__(self, network: SpectrumNetwork, iterations: int = FEW_ITERATIONS) -> None:
        self.network, self.iterations = network.eval(), iterations

    @torch.no_grad()
    def __call__(self, mel: Tensor | np.ndarray) -> np.ndarray:
        """Samples in [-1, 1] from a log-mel (T, 80)."""
        mel = check_mel(mel)
        logarithms = self.network(mel[None])[0]
        magnitude = torch.where(logarithms > SILENCE + 0.5, logarithms.exp(), 0).T  # (513, T)
        magnitude = fit_to_bands(magnitude, mel)
        phase = pulse_phase(*spectral_pitch(magnitude)) * throat_phase(magnitude)
        samples = griffin_lim(
            magnitude, self.iterations, phase=phase, corrected=lambda rebuilt: fit_to_bands(rebuilt, mel, 1)
        )
        return samples.clamp(-1, 1).numpy()


def throat_phase(magnitude: Tensor, quefrencies: int = ENVELOPE) -> Tensor:
    """Phases (513, T) that a filter with the smooth part of these magnitudes gives a pulse.

    A throat is a minimum-phase filter: the Fourier transform of its cepstrum, folded onto positive times, is ln H, and
    the imaginary part is the phase. Only the first ``quefrencies`` count; the pitch lies behind them. Oppenheim and
    Schafer, Discrete-Time Signal Processing, 3rd ed., section 13.5. Pulses alone are so peaked that they clip.
    """
    cepstrum = torch.fft.irfft(magnitude.T.clamp(min=FLOOR).log(), n=WINDOW)  # (T, 1024)
    cepstrum[:, 1:quefrencies] *= 2
    cepstrum[:, quefrencies:] = 0
    angles = torch.fft.rfft(cepstrum).imag.T
    return torch.polar(torch.ones_like(angles), angles)


def spectral_pitch(magnitude: Tensor) -> tuple[Tensor, Tensor]:
    """Pitch in Hz (T,) and whether there is one (T,), of magnitudes (513, T).

    The autocorrelation is the Fourier transform of the power (Wiener and Khinchin); its largest value between the lags
    of 400 and 60 Hz, beside that at lag 0, tells how periodic a frame is. A lag shorter than the window is favoured by
    it; that is divided out (Boersma 1993, Accurate short-term analysis, eq. 9).
    """
    power = magnitude.T**2  # (T, 513)
    correlation = torch.fft.irfft(power, n=WINDOW)[:, : WINDOW // 2]
    correlation = correlation / correlation[:, :1].clamp(min=1e-12) / _window_correlation()
    shortest, longest = int(SAMPLE_RATE / HIGHEST_PITCH), int(SAMPLE_RATE / LOWEST_PITCH)
    searched = correlation[:, shortest:longest]
    value = searched.amax(1)
    # Two periods are a period too: the shortest lag that is nearly as good as the best one counts.
    peak = (searched >= correlation[:, shortest - 1 : longest - 1]) & (
        searched >= correlation[:, shortest + 1 : longest + 1]
    )
    lag = (peak & (searched >= NEARLY * value[:, None])).int().argmax(1) + shortest
    left, middle, right = (correlation.gather(1, (lag + shift)[:, None])[:, 0] for shift in (-1, 0, 1))
    curve = (left - 2 * middle + right).clamp(max=-1e-9)
    lags = lag + (0.5 * (left - right) / curve).clamp(-0.5, 0.5)  # the top of a parabola through three points
    return SAMPLE_RATE / lags, (value > VOICED) & (power.sum(1) > 1e-4)


@cache
def _window_correlation() -> Tensor:
    """The autocorrelation of Hann's window at lags 0 to 511, 1 at lag 0."""
    spectrum = torch.fft.rfft(torch.hann_window(WINDOW), n=2 * WINDOW).abs() ** 2
    correlation = torch.fft.irfft(spectrum)[: WINDOW // 2]
    return (correlation / correlation[0]).clamp(min=0.1)


def pulse_phase(pitch: Tensor, voiced: Tensor, seed: int = 0) -> Tensor:
    """Phases (513, T) of a pulse train at ``pitch`` (T,) where it is ``voiced`` (T,), of noise elsewhere."""
    length = (len(pitch) - 1) * HOP
    draw = torch.Generator().manual_seed(seed)
    steady = torch.where(voiced, pitch, 0)
    frequency = steady.repeat_interleave(HOP)[HOP // 2 : HOP // 2 + length]  # (T,) in Hz, sample by sample
    cycles = (frequency.double() / SAMPLE_RATE).cumsum(0)
    pulses = torch.diff(cycles.floor(), prepend=torch.zeros(1, dtype=torch.float64)).float()
    noise = 1e-2 * torch.randn(length, generator=draw) * (frequency == 0)
    spectrum = stft(pulses + noise + 1e-6 * torch.randn(length, generator=draw))
    return spectrum / spectrum.abs().clamp(min=1e-9)
