"""Spoken digits of real people: a voice trained on recordings, and a judge of its own that hears recordings only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.data import Recording, Recordings
from labkit.speech import recipes, sounds
from labkit.speech.acoustic import AcousticModel
from labkit.speech.corpus import Utterance
from labkit.speech.frontend import Phone
from labkit.speech.mel import frame_count, log_mel
from labkit.speech.recognizer import Recognizer
from labkit.training import History

RECORDED_RATE = 8_000
PIECES = 8  # of a word: nobody wrote down when its phonemes begin
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LOUDNESS = 0.1  # root mean square that every recording is brought to
JUDGE = recipes.Recipe(steps=2_400)


def phones_of(digit: int, speaker: str) -> tuple[Phone, ...]:
    """A digit as pieces of a word, marked with who says it."""
    if isinstance(digit, bool) or digit not in range(10):
        raise LabkitError(f"The digit is {digit!r}. Give a whole number from 0 to 9.")
    return tuple(Phone(f"{WORDS[digit]}/{piece}", speaker) for piece in range(PIECES))


def equal_parts(frames: int) -> tuple[int, ...]:
    """``frames`` in as equal whole parts as there are pieces."""
    return tuple(int(count) for count in np.diff(np.round(np.linspace(0, frames, PIECES + 1)).astype(int)))


def prepare(recording: Recording) -> np.ndarray:
    """Samples at 22,050 Hz, int16, of one loudness: the microphones of the five people differ."""
    samples = sounds.resample(recording.samples, RECORDED_RATE)
    loudness = float(np.sqrt(np.mean(samples**2)))
    if loudness < 1e-5:
        raise LabkitError(
            f"Recording {recording.index} of {recording.speaker}'s {recording.digit} is silent."
        )
    return (np.clip(samples * LOUDNESS / loudness, -1, 1) * 32_767).astype(np.int16)


def utterances(recordings: Sequence[Recording]) -> list[Utterance]:
    """The recordings as utterances of ``PIECES`` phones that last equally long."""
    made = []
    for recording in recordings:
        samples = prepare(recording)
        phones = phones_of(recording.digit, recording.speaker)
        frames = equal_parts(frame_count(len(samples)))
        made.append(Utterance(WORDS[recording.digit], "en", phones, frames, samples))
    return made


def train_judge(
    recordings: Recordings, recipe: recipes.Recipe = JUDGE, seed: int = 0, progress: bool = True, **shape
) -> tuple[Recognizer, History]:
    """A recognizer of whole words, trained on the real recordings of the train part alone."""
    mels = [log_mel(prepare(one)) for one in recordings.train]
    words = [[WORDS[one.digit]] for one in recordings.train]
    return recipes.train_recognizer(mels, words, recipe, seed, progress, words=True, **shape)


def recognized(judge: Recognizer, mels: Sequence[Tensor], digits: Sequence[int]) -> float:
    """The share of log-mels in which the judge hears this digit and nothing else."""
    right = [judge.transcribe(mel) == [WORDS[digit]] for mel, digit in zip(mels, digits, strict=True)]
    return float(np.mean(right))


def speak(model: AcousticModel, digit: int, speaker: str) -> Tensor:
    """Log-mel of a digit in the voice of ``speaker``, as long as the model finds right."""
    if speaker not in model.config.inventory.marks:
        raise LabkitError(
            f"Nobody is called {speaker!r}. The voices are: {', '.join(model.config.inventory.marks)}."
        )
    phones = phones_of(digit, speaker)
    frames = model.durations(phones).sum().round().clamp(min=PIECES)
    return model.mel(phones, torch.tensor(equal_parts(int(frames))))
