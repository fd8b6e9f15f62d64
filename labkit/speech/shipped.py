"""The voices and judges that come with the course: the training that makes them, what it measured, and loading."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from labkit import data, weights
from labkit.common import LANGUAGES, LabkitError, set_threads
from labkit.speech import corpus, digits, recipes
from labkit.speech.acoustic import AcousticConfig, AcousticModel, Inventory
from labkit.speech.corpus import Utterance
from labkit.speech.measures import mel_cepstral_distortion, phoneme_error_rate
from labkit.speech.recognizer import Recognizer, RecognizerConfig
from labkit.speech.synthesis import Voice
from labkit.speech.vocoder import FEW_ITERATIONS, NeuralVocoder, SpectrumNetwork, VocoderConfig

NAMES = (
    "speech-en",
    "speech-zh",
    "speech-judge-en",
    "speech-judge-zh",
    "speech-vocoder",
    "speech-digits",
    "speech-digits-judge",
)
SENTENCES = 700  # of a voice, and of the vocoder from both languages together
JUDGED = 1_400  # sentences of a judge
TRIED = 60  # sentences for each figure on a card
LONG = recipes.Recipe(steps=5_000)
JUDGE = recipes.Recipe(steps=1_600, frames=3_000)
DIGITS = recipes.Recipe(steps=1_200)
MADE = "float16; a voice of eSpeak NG over the town's sentences. Distortions in dB, errors as shares."
REAL = (
    "float16; trained on recordings of real people by Zohar Jackson and others, CC BY-SA 4.0, "
    "https://github.com/Jakobovski/free-spoken-digit-dataset, and under that licence. Shares recognized."
)
RECORDED = "Free Spoken Digit Dataset v1.0.10, train part, 2,250 recordings"


def load_voice(language: str) -> Voice:
    """The shipped voice of a language, with the shipped vocoder."""
    return Voice(load_acoustic(language), language, load_vocoder())


def load_acoustic(language: str) -> AcousticModel:
    """The shipped acoustic model of a language."""
    return _load(f"speech-{_checked(language)}", _acoustic)


def load_judge(language: str) -> Recognizer:
    """The shipped recognizer of a language."""
    return _load(f"speech-judge-{_checked(language)}", _recognizer)


def load_digit_voice() -> AcousticModel:
    """The shipped voice of the ten digits, in the ways of the five people who recorded them."""
    return _load("speech-digits", _acoustic)


def load_digit_judge() -> Recognizer:
    """The shipped recognizer of whole digits. It heard real recordings only."""
    return _load("speech-digits-judge", _recognizer)


def load_vocoder(iterations: int = FEW_ITERATIONS) -> NeuralVocoder:
    """The shipped vocoder, for both languages."""
    network = _load("speech-vocoder", lambda shape: SpectrumNetwork(VocoderConfig(**shape)))
    return NeuralVocoder(network, iterations)


def train(name: str, seed: int = 0) -> Path:
    """Train the shipped weights of this name and write them with their card."""
    if name not in NAMES:
        raise LabkitError(f"No weights of speech are named {name!r}. There are: {', '.join(NAMES)}.")
    set_threads()
    if name == "speech-vocoder":
        return _train_vocoder(seed)
    if name.startswith("speech-digits"):
        return _train_digit_judge(seed) if "judge" in name else _train_digits(seed)
    language = name[-2:]
    return _train_judge(language, seed) if "judge" in name else _train_acoustic(language, seed)


def error_rate(
    judge: Recognizer, utterances: Sequence[Utterance], mels: Sequence[Tensor | np.ndarray] | None = None
) -> float:
    """Phoneme error rate of the judge on these sentences as they were recorded, or on other ``mels`` of them."""
    mels = [one.mel() for one in utterances] if mels is None else mels
    return phoneme_error_rate([judge.transcribe(mel) for mel in mels], [one.sounds for one in utterances])


def _train_acoustic(language: str, seed: int) -> Path:
    utterances = corpus.spoken(language, "train", SENTENCES, seed)
    start = time.perf_counter()
    model, _ = recipes.train_acoustic(utterances, LONG, seed=seed)
    seconds = time.perf_counter() - start
    figures = {}
    for split in ("held_out", "unseen"):
        tried = corpus.spoken(language, split, TRIED)
        voice = Voice(model, language, lambda mel: np.zeros(1, np.float32))
        pairs = [(voice.speak_phones(one.phones).mel, one.mel()) for one in tried]
        figures[f"distortion_{split}"] = float(np.mean([mel_cepstral_distortion(*pair) for pair in pairs]))
    return _ship(
        f"speech-{language}",
        model,
        _described(model),
        seed,
        f"{SENTENCES} sentences, spoken {language}",
        seconds,
        figures,
    )


def _train_judge(language: str, seed: int) -> Path:
    utterances = corpus.spoken(language, "judge", JUDGED, seed + 1)
    start = time.perf_counter()
    model, _ = recipes.train_recognizer(
        [one.mel() for one in utterances], [one.sounds for one in utterances], JUDGE, seed=seed
    )
    seconds = time.perf_counter() - start
    figures = {
        f"errors_{split}": error_rate(model, corpus.spoken(language, split, TRIED))
        for split in ("held_out", "unseen")
    }
    data = f"{JUDGED} sentences with all words, spoken {language}"
    return _ship(f"speech-judge-{language}", model, asdict(model.config), seed, data, seconds, figures)


def _train_vocoder(seed: int) -> Path:
    utterances = [
        one for language in LANGUAGES for one in corpus.spoken(language, "train", SENTENCES // 2, seed)
    ]
    start = time.perf_counter()
    model, _ = recipes.train_vocoder(utterances, seed=seed)
    seconds = time.perf_counter() - start
    vocoder, distortions = NeuralVocoder(model), []
    for language in LANGUAGES:
        for one in corpus.spoken(language, "held_out", TRIED // 2):
            again = corpus.log_mel(vocoder(one.mel()))
            distortions.append(mel_cepstral_distortion(again, one.mel(), warp=False))
    data = f"{SENTENCES} sentences, spoken en and zh"
    figures = {"distortion_of_true_mel": float(np.mean(distortions))}
    return _ship("speech-vocoder", model, asdict(model.config), seed, data, seconds, figures)


def _train_digit_judge(seed: int) -> Path:
    recordings = data.load("fsdd")
    start = time.perf_counter()
    judge, _ = digits.train_judge(recordings, seed=seed)
    seconds = time.perf_counter() - start
    real = [corpus.log_mel(digits.prepare(one)) for one in recordings.test]
    figures = {"recognized_test": digits.recognized(judge, real, [one.digit for one in recordings.test])}
    return _ship("speech-digits-judge", judge, asdict(judge.config), seed, RECORDED, seconds, figures, REAL)


def _train_digits(seed: int) -> Path:
    recordings = data.load("fsdd")
    start = time.perf_counter()
    model, _ = recipes.train_acoustic(digits.utterances(recordings.train), DIGITS, seed=seed)
    seconds = time.perf_counter() - start
    asked = [(digit, speaker) for digit in range(10) for speaker in model.config.inventory.marks]
    said = [digits.speak(model, *pair) for pair in asked]
    heard = digits.recognized(load_digit_judge(), said, [digit for digit, _ in asked])
    return _ship(
        "speech-digits", model, _described(model), seed, RECORDED, seconds, {"recognized_mel": heard}, REAL
    )


def _described(model: AcousticModel) -> dict[str, Any]:
    return asdict(model.config) | {"inventory": asdict(model.config.inventory)}


def _ship(
    name: str,
    model: torch.nn.Module,
    shape: Mapping[str, Any],
    seed: int,
    data: str,
    seconds: float,
    figures: Mapping[str, float],
    notes: str = MADE,
) -> Path:
    path = weights.shipped_path(name)
    card = weights.Card(
        command=weights.train_command(name),
        seed=seed,
        data=data,
        seconds=round(seconds, 1),
        metrics={key: round(value, 4) for key, value in figures.items()},
        notes=notes,
    )
    weights.save(path, weights.pack(model, shape), card)
    return path


def _load(name: str, build: Callable[[dict[str, Any]], torch.nn.Module]) -> torch.nn.Module:
    shape, state = weights.unpack(weights.load(weights.find_shipped(name))[0], "model of speech")
    model = build(shape)
    model.load_state_dict(state)
    return model.eval()


def _acoustic(shape: dict[str, Any]) -> AcousticModel:
    inventory = Inventory(*(tuple(shape["inventory"][name]) for name in ("symbols", "marks")))
    return AcousticModel(AcousticConfig(**shape | {"inventory": inventory}))


def _recognizer(shape: dict[str, Any]) -> Recognizer:
    return Recognizer(RecognizerConfig(**shape | {"sounds": tuple(shape["sounds"])}))


def _checked(language: str) -> str:
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. Set it to one of: {', '.join(LANGUAGES)}.")
    return language
