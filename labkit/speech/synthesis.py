"""A voice: text to phones, phones to mel, mel to sound, each part replaceable, with controls that can be measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.speech.acoustic import AcousticModel, whole_frames
from labkit.speech.frontend import PAUSE, Phone, phonemize
from labkit.speech.mel import HOP, SAMPLE_RATE
from labkit.speech.vocoder import ENVELOPE, griffin_lim_vocoder

LEAST, MOST = 0.4, 2.5  # of each control
LARGEST_GAIN = 4.0  # of a logarithm


@dataclass(frozen=True)
class Controls:
    """How to say it: ``rate`` 2 is twice as fast, ``pause`` 2 twice as long between clauses, ``pitch`` 2 an octave up."""

    rate: float = 1.0
    pause: float = 1.0
    pitch: float = 1.0

    def __post_init__(self) -> None:
        for name in ("rate", "pause", "pitch"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not LEAST <= value <= MOST:
                raise LabkitError(f"{name} is {value!r}. Give a number from {LEAST} to {MOST}.")


@dataclass(frozen=True, eq=False)
class Speech:
    """What a voice said: float32 samples in [-1, 1] at 22,050 Hz, and what they were made from."""

    samples: np.ndarray
    mel: Tensor
    phones: tuple[Phone, ...]
    frames: tuple[int, ...]
    rate: int = field(default=SAMPLE_RATE, init=False)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / SAMPLE_RATE

    def times(self) -> list[tuple[str, float, float]]:
        """Each phone with the seconds at which it begins and ends."""
        ends = np.cumsum(self.frames) * HOP / SAMPLE_RATE
        starts = np.concatenate([[0.0], ends[:-1]])
        return [(str(p), float(a), float(b)) for p, a, b in zip(self.phones, starts, ends, strict=True)]


class Voice:
    """An acoustic model and a vocoder that speak one language."""

    def __init__(
        self,
        acoustic: AcousticModel,
        language: str,
        vocoder: Callable[[Tensor], np.ndarray] = griffin_lim_vocoder,
    ) -> None:
        self.acoustic, self.language, self.vocoder = acoustic.eval(), language, vocoder

    def speak(self, text: str, controls: Controls | None = None) -> Speech:
        """The text as sound."""
        return self.speak_phones(phonemize(text, self.language), controls)

    def speak_phones(
        self, phones: Sequence[Phone], controls: Controls | None = None, frames: Sequence[int] | None = None
    ) -> Speech:
        """Phones as sound; ``frames`` puts true durations in the place of predicted ones."""
        controls = controls or Controls()
        phones = tuple(phones)
        if not phones:
            raise LabkitError("There are no phones to speak.")
        if frames is None:
            frames = timed(self.acoustic.durations(phones), phones, controls)
        mel = self.acoustic.mel(phones, frames)
        samples = shift_pitch(self.vocoder(mel), controls.pitch)
        return Speech(samples, mel, phones, tuple(int(count) for count in frames))


def timed(durations: Tensor, phones: Sequence[Phone], controls: Controls) -> Tensor:
    """Whole frames of each phone at this rate and with pauses this long."""
    longer = torch.tensor([controls.pause if phone.symbol == PAUSE else 1.0 for phone in phones])
    frames = whole_frames(durations * longer / controls.rate)
    if int(frames.sum()) == 0:
        frames[0] = 1
    return frames


def shift_pitch(samples: np.ndarray, factor: float, keep_resonances: bool = True) -> np.ndarray:
    """Another pitch at the same speed: the spectrum's frames are moved apart, then the sound is played faster.

    A phase vocoder: each bin's phase goes on at the speed that it had. Flanagan and Golden 1966; Laroche and Dolson
    1999. That shifts the resonances of the throat too, as on a tape, and with them the vowels; so they are put back,
    unless ``keep_resonances`` is off.
    """
    if factor == 1 or len(samples) < 2 * HOP:
        return samples
    from labkit.speech.mel import istft, stft
    from labkit.speech.sounds import resample

    spectrum = stft(torch.from_numpy(samples))  # (513, T)
    at = torch.arange(0, spectrum.shape[1] - 1, 1 / factor)
    low = at.long()
    part = (at - low).float()
    magnitude = (1 - part) * spectrum[:, low].abs() + part * spectrum[:, low + 1].abs()
    advance = spectrum[:, low + 1].angle() - spectrum[:, low].angle()
    phase = torch.cumsum(torch.cat([spectrum[:, :1].angle(), advance[:, :-1]], 1).double(), 1).float()
    stretched = istft(torch.polar(magnitude, phase)).numpy()
    higher = resample(stretched, round(SAMPLE_RATE * factor))
    higher = higher[: len(samples)]
    if keep_resonances:
        higher = with_resonances_of(samples[: len(higher)], higher)
    return np.clip(higher, -1, 1).astype(np.float32)


def with_resonances_of(reference: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """``samples`` with the smooth part of each frame's spectrum replaced by that of ``reference``, which is as long.

    The smooth part is the logarithm of the magnitudes without its fast ripples: the cepstrum up to 1 / 440 s, below
    the period of any voice here. Oppenheim and Schafer 1968, Homomorphic analysis of speech.
    """
    from labkit.speech.mel import istft, stft

    spectrum, wanted = stft(torch.from_numpy(samples)), stft(torch.from_numpy(reference))
    gain = (_envelope(wanted.abs()) - _envelope(spectrum.abs())).clamp(-LARGEST_GAIN, LARGEST_GAIN)
    return istft(spectrum * gain.exp(), length=len(samples)).numpy()


def _envelope(magnitude: Tensor) -> Tensor:
    """The smooth part of ln magnitudes (513, T)."""
    cepstrum = torch.fft.irfft(magnitude.clamp(min=1e-4).log(), dim=0)  # (1024, T)
    cepstrum[ENVELOPE : len(cepstrum) - ENVELOPE + 1] = 0
    return torch.fft.rfft(cepstrum, dim=0).real
