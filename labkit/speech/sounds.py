"""Sound files of any rate, mono or stereo, as checked samples at 22,050 Hz; and samples as files and as players."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labkit.common import LabkitError
from labkit.speech.mel import SAMPLE_RATE

SUFFIXES = (".wav", ".flac", ".ogg")
SHORTEST, LONGEST = 0.05, 60.0  # seconds
QUIETEST = 1e-3  # of full scale; -60 dB
CLIPPED_SHARE = 0.01  # of the samples that may lie at the largest value


@dataclass(frozen=True, eq=False)
class Sound:
    """float32 samples (T,) in [-1, 1] at 22,050 Hz."""

    samples: np.ndarray
    name: str = "this sound"

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / SAMPLE_RATE


def read(path: Path | str) -> Sound:
    """A WAV, FLAC or OGG file, its channels averaged, resampled to 22,050 Hz and checked."""
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise LabkitError(
            f"There is no sound file at {path}. Give a file that ends in {', '.join(SUFFIXES)}."
        )
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise LabkitError(
            f"{path.name} cannot be read as sound ({error}). Save it as WAV or FLAC from a sound editor."
        ) from None
    return from_samples(samples.mean(axis=1) if samples.shape[1] else samples[:, 0], rate, path.name)


def from_samples(samples: np.ndarray, rate: int = SAMPLE_RATE, name: str = "this sound") -> Sound:
    """Checked samples (T,) of any rate, int16 or float, at 22,050 Hz."""
    samples = np.asarray(samples)
    if samples.dtype == np.int16:
        samples = samples.astype(np.float32) / 32_768
    if not isinstance(rate, int | np.integer) or not 1_000 <= rate <= 400_000:
        raise LabkitError(f"The rate of {name} is {rate!r}. Give samples a second, from 1,000 to 400,000.")
    samples = samples.astype(np.float32)
    check(samples, rate, name)
    return Sound(resample(samples, rate), name)


def check(samples: np.ndarray, rate: int = SAMPLE_RATE, name: str = "this sound") -> None:
    """LabkitError that names what is wrong: channels, length, NaN, silence, clipping."""
    if samples.ndim != 1:
        raise LabkitError(f"{name} has the shape {samples.shape}. Give one channel: samples.mean(axis=1).")
    if len(samples) == 0:
        raise LabkitError(f"{name} holds no samples: its length is zero. Record it again.")
    if not np.isfinite(samples).all():
        count = int((~np.isfinite(samples)).sum())
        raise LabkitError(
            f"{name} holds {count} samples that are NaN or infinite. Save it again, or cut them out."
        )
    seconds = len(samples) / rate
    if not SHORTEST <= seconds <= LONGEST:
        raise LabkitError(
            f"{name} lasts {seconds:.3g} s. Give {SHORTEST} to {LONGEST:g} s: cut it into sentences."
        )
    peak = float(np.abs(samples).max())
    if peak < QUIETEST:
        raise LabkitError(
            f"{name} is silent: its largest sample is {peak:.2g} of full scale. Record it louder."
        )
    at_peak = float((np.abs(samples) >= max(peak, 0.98) * 0.999).mean())
    if at_peak > CLIPPED_SHARE:
        raise LabkitError(
            f"{name} is clipped: {100 * at_peak:.0f} % of its samples are as large as samples can be. Record it "
            "less loud."
        )


def resample(samples: np.ndarray, rate: int, to: int = SAMPLE_RATE) -> np.ndarray:
    """The same sound with another number of samples a second; what lies above half of the new rate is taken out."""
    if rate == to:
        return samples
    import soxr

    return soxr.resample(samples, rate, to, quality="HQ").astype(np.float32)


def write(path: Path | str, samples: np.ndarray, rate: int = SAMPLE_RATE) -> Path:
    """Write samples in [-1, 1] as a 16-bit sound file; its suffix says which kind."""
    import soundfile

    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise LabkitError(f"{path.name} is not a sound file's name. End it in {', '.join(SUFFIXES)}.")
    try:
        soundfile.write(path, np.clip(samples, -1, 1), rate)
    except (soundfile.LibsndfileError, OSError) as error:
        raise LabkitError(f"The sound cannot be written to {path}: {error}.") from None
    return path


@dataclass(frozen=True)
class Player:
    """Sounds with their names, as players in the page: MP3 inside the notebook, some 10 KB for each second."""

    sounds: Mapping[str, bytes]
    seconds: tuple[float, ...]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {s:.2f} s" for name, s in zip(self.sounds, self.seconds, strict=True))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td><audio controls preload='metadata' "
            f"aria-label='{html.escape(name, quote=True)}' "
            f"src='data:audio/mpeg;base64,{base64.b64encode(sound).decode()}'></audio></td></tr>"
            for name, sound in self.sounds.items()
        )
        return f"<table>{rows}</table>"


def play(**named: np.ndarray) -> Player:
    """Players for samples in [-1, 1] at 22,050 Hz, one under the other; ``_`` in a name is shown as a space."""
    if not named:
        raise LabkitError("There is nothing to play. Give samples by name: play(ours=samples).")
    encoded, seconds = {}, []
    for name, samples in named.items():
        samples = np.asarray(samples, dtype=np.float32)
        check(samples, name=name)
        encoded[name.replace("_", " ")] = mp3(samples)
        seconds.append(len(samples) / SAMPLE_RATE)
    return Player(encoded, tuple(seconds))


def mp3(samples: np.ndarray) -> bytes:
    """Samples in [-1, 1] at 22,050 Hz as the bytes of a small MP3 file."""
    import soundfile

    stream = io.BytesIO()
    soundfile.write(
        stream,
        np.clip(samples, -1, 1),
        SAMPLE_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=0.7,
    )
    return stream.getvalue()
