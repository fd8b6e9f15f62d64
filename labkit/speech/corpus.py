"""Spoken sentences with phones and their times: made on the spot by the engine, shipped, or the learner's own."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from labkit import files
from labkit.common import LANGUAGES, LabkitError, cache_dir, data_dir
from labkit.speech import engine as voices
from labkit.speech import sounds
from labkit.speech.frontend import PAUSE, Phone, normalize, phonemize
from labkit.speech.mel import HOP, SAMPLE_RATE, frame_count, log_mel

if TYPE_CHECKING:
    from torch import Tensor

SPLITS = ("train", "held_out", "unseen", "judge")
FORMAT = 1  # of the cached corpora; a change makes them anew
LENGTHS = {"en": (18, 75), "zh": (7, 24)}  # characters of a sentence
UNSEEN_SHARE = {"en": 12, "zh": 40}  # one in so many words, or characters, is kept from training
HELD_OUT = 10  # one in so many sentences
EARLY = 1  # the engine's times lie about so many frames before what is heard
_WORDS = {"en": re.compile(r"[a-z]{4,}"), "zh": re.compile(r"[\u4e00-\u9fff]")}
_SPEAKABLE = {
    "en": re.compile(r"[A-Za-z0-9 ,.;:?!'-]+"),
    "zh": re.compile(r"[\u4e00-\u9fff0-9，。？！、；：·]+"),
}


@dataclass(frozen=True, eq=False)
class Utterance:
    """One spoken sentence: its phones, the frames that each lasts, and its int16 samples at 22,050 Hz.

    The durations sum to the number of frames. ``pitch`` is the voice's setting, 0 to 99.
    """

    text: str
    language: str
    phones: tuple[Phone, ...]
    durations: tuple[int, ...]
    samples: np.ndarray
    pitch: int = voices.NORMAL_PITCH

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def sounds(self) -> tuple[str, ...]:
        """What a listener should write down: sounds with tones, without stress and pauses."""
        return tuple(phone.sound for phone in self.phones if phone.symbol != PAUSE)

    def mel(self) -> Tensor:
        """Its log-mel spectrogram, (frames, 80)."""
        return log_mel(self.samples)


def sentences(language: str, split: str, seed: int = 0) -> Iterator[str]:
    """Sentences of the town without end, each once, of one split.

    One sentence in ten is held out, by its letters alone, so that the splits never share one. ``unseen`` are held-out
    sentences with a word (in Chinese a character) that no sentence of ``train`` and ``held_out`` has. The ``judge``
    hears all words, but no held-out sentence.
    """
    from labkit.text import town

    _check(language, split)
    documents = town.documents(
        language, count=10**9, notes_share=0, kinds=("story", "report", "description"), seed=seed
    )
    said = set()
    shortest, longest = LENGTHS[language]
    for document in documents:
        for text in town.split_sentences(document.text, language):
            fits = shortest <= len(text) <= longest and _SPEAKABLE[language].fullmatch(text)
            if fits and text not in said and _belongs(text, language, split):
                said.add(text)
                yield text if text[-1] in ".?!。？！" else text + {"en": ".", "zh": "。"}[language]


def unseen_words(text: str, language: str) -> list[str]:
    """The words of the text, in Chinese its characters, that are kept from training."""
    words = _WORDS[language].findall(text.lower())
    return [word for word in words if zlib.crc32(f"unseen {word}".encode()) % UNSEEN_SHARE[language] == 0]


def _belongs(text: str, language: str, split: str) -> bool:
    held_out = zlib.crc32(text.encode()) % HELD_OUT == 0
    if split == "judge":
        return not held_out
    unseen = bool(unseen_words(text, language))
    return held_out == (split != "train") and unseen == (split == "unseen")


def spoken(
    language: str,
    split: str = "train",
    count: int = 500,
    seed: int = 0,
    pitches: Sequence[int] = (voices.NORMAL_PITCH,),
) -> list[Utterance]:
    """``count`` sentences of the split, spoken by the engine: made in seconds, then kept in labkit's cache.

    The pitches take turns. The same arguments give the same samples, on the same version of the engine.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise LabkitError(f"count is {count!r}. Give a whole number from 1.")
    _check(language, split)
    key = json.dumps([FORMAT, _engine_version(), language, split, count, seed, list(pitches)])
    place = cache_dir() / "speech" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"
    if place.exists():
        try:
            return _load(place)
        except (OSError, ValueError, KeyError, TypeError):
            place.unlink(missing_ok=True)  # damaged: it is made again
    utterances = _speak_sentences(language, split, count, seed, pitches)
    with suppress(OSError):  # a full disk costs the seconds of making it again
        _keep(place, utterances)
    return utterances


def _speak_sentences(
    language: str, split: str, count: int, seed: int, pitches: Sequence[int]
) -> list[Utterance]:
    chosen: list[tuple[str, tuple[Phone, ...]]] = []
    for text in sentences(language, split, seed):
        try:
            chosen.append((text, phonemize(text, language)))
        except LabkitError:
            continue  # a word of the sentence is one that the voice cannot read
        if len(chosen) >= count + count // 20 + 2:  # a few do not align
            break
    asked = [pitches[i % len(pitches)] for i in range(len(chosen))]
    heard = voices.speak_all([normalize(text, language) for text, _ in chosen], language, pitches=asked)
    made = []
    for (text, phones), pitch, sound in zip(chosen, asked, heard, strict=True):
        durations = align(phones, sound, language)
        if durations is not None:
            made.append(Utterance(text, language, phones, durations, sound.samples, pitch))
    if len(made) < count:
        raise LabkitError(
            f"The engine named other phonemes than it spoke in {len(chosen) - len(made)} sentences."
        )
    return made[:count]


def align(phones: Sequence[Phone], sound: voices.Spoken, language: str) -> tuple[int, ...] | None:
    """Frames of each phone by the engine's events; None where it spoke other phonemes than it named."""
    events = [event for event in sound.events if not event[0].startswith("_|")]
    starts, place = [], 0
    for phone in phones:
        start = events[place][1] if place < len(events) else len(sound.samples)
        while place < len(events) and events[place][0].startswith("_"):
            place += 1
        if phone.symbol != PAUSE:
            if place >= len(events) or _bare(events[place][0]) != phone.symbol:
                return None
            start = events[place][1]
            place += 1
        starts.append(start)  # a pause that is named but not made begins where the next phone does
    if any(not name.startswith("_") for name, _ in events[place:]):
        return None
    return _frames(starts, len(sound.samples))


def _bare(name: str) -> str:
    return name[1:] if len(name) > 1 and name[0] in "'," else name


def _frames(starts: Sequence[int], samples: int) -> tuple[int, ...]:
    edges = np.round(np.array(starts) / HOP).astype(int) + EARLY
    total = frame_count(samples)
    edges = np.minimum(np.concatenate([[0], edges[1:], [total]]), total)
    return tuple(int(frames) for frames in np.diff(edges))


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded sentence with its text, of no known times."""

    text: str
    sound: sounds.Sound


def read_folder(folder: Path | str) -> Iterator[Recording]:
    """The recordings of a folder like LJSpeech's, one at a time: ``metadata.csv`` with lines ``name|text`` or
    ``name|text|text with numbers in words``, and ``wavs/name.wav`` (or .flac) beside it.

    Raises LabkitError for a missing file, a line without text, and sound that cannot be used, with its name.
    """
    folder = Path(folder)
    listed = folder / "metadata.csv"
    if not listed.is_file():
        raise LabkitError(
            f"{folder} has no metadata.csv. Write a line 'name|what is said' for each sound file."
        )
    lines = listed.read_text(encoding="utf-8-sig").splitlines()
    if not any(line.strip() for line in lines):
        raise LabkitError(f"{listed} is empty. Write a line 'name|what is said' for each sound file.")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, *texts = (part.strip() for part in line.split("|"))
        if not name or not texts or not any(character.isalnum() for character in texts[-1]):
            raise LabkitError(f"Line {number} of {listed} is {line!r}. Write it as: name|what is said")
        yield Recording(texts[-1], sounds.read(_sound_file(folder / "wavs", name)))


def _sound_file(folder: Path, name: str) -> Path:
    if Path(name).name != name:
        raise LabkitError(f"{name!r} in metadata.csv is a path. Give the name of a file in {folder}.")
    places = [folder / f"{name}{suffix}" for suffix in sounds.SUFFIXES]
    return next((place for place in places if place.is_file()), places[0])


WRITTEN = 8_192  # samples at a time: more of them at once overflow the encoder's stack
SHIPPED_SENTENCES = 32  # of each language
SHIPPED_FOR_TESTS = 12  # of them; where the engine is missing, the others are what there is to train on
LESSON_TEXTS = {
    "en": (
        "Hello, this is a speech synthesis model.",
        "I have read it. I will read it in the year 2030.",
        "First came the rain, then the wind, then nothing.",
    ),
    "zh": (
        "你好，这是一个语音合成模型。",
        "妈妈骑马，马慢，妈妈骂马。",
        "银行在前面，行人都走得很快。",
    ),
}
SHIPPED_QUALITY = 0.75  # of libsndfile's scale from best (0) to smallest (1)


def shipped(language: str) -> list[Utterance]:
    """The sentences that come with the course, for where the engine is not: enough to look and listen, few to train on."""
    _check(language, "train")
    import soundfile

    folder = data_dir() / "speech"
    try:
        rows = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
        samples, _ = soundfile.read(folder / f"{language}.ogg", dtype="int16")
    except (OSError, ValueError, soundfile.LibsndfileError) as error:
        raise LabkitError(
            f"The sentences in {folder} cannot be read ({error}). Get the course's data again."
        ) from None
    if len(samples) != sum(row["samples"] for row in rows):
        raise LabkitError(
            f"{folder / language}.ogg does not fit {language}.json. Get the course's data again."
        )
    return _unpacked(rows, samples)


def ready(language: str, split: str = "train", count: int = 500) -> list[Utterance]:
    """``spoken`` where the engine can be used; elsewhere up to ``count`` of the shipped sentences, a part of them for
    ``train`` and the others for every other split.
    """
    if voices.available():
        return spoken(language, split, count)
    _check(language, split)
    kept = shipped(language)
    return (kept[SHIPPED_FOR_TESTS:] if split == "train" else kept[:SHIPPED_FOR_TESTS])[:count]


def phones_of(text: str, language: str) -> tuple[Phone, ...]:
    """The phones of a text by the engine; without it, of the lesson's own texts and of the shipped sentences alone."""
    if voices.available():
        return phonemize(text, language)
    _check(language, "train")
    known = {one.text: one.phones for one in shipped(language)}
    rows = json.loads((data_dir() / "speech" / "phones.json").read_text(encoding="utf-8"))[language]
    known |= {row["text"]: tuple(Phone(symbol, mark) for symbol, mark in row["phones"]) for row in rows}
    if text not in known:
        raise LabkitError(
            f"The phones of {text!r} are not known without the engine: pip install espeakng-loader. Known are, among "
            f"others: {', '.join(row['text'] for row in rows)}"
        )
    return known[text]


def ship_phones() -> Path:
    """Write the phones of the lesson's own texts into the course's data."""
    rows = {
        language: [{"text": text, "phones": _pairs(phonemize(text, language))} for text in texts]
        for language, texts in LESSON_TEXTS.items()
    }
    place = data_dir() / "speech" / "phones.json"
    files.atomic_write_text(place, json.dumps(rows, ensure_ascii=False) + "\n")
    return place


def ship(language: str) -> Path:
    """Write the first short held-out sentences with their times and sound into the course's data."""
    import soundfile

    chosen = [one for one in spoken(language, "held_out", 3 * SHIPPED_SENTENCES) if one.seconds < 3.2]
    chosen = chosen[:SHIPPED_SENTENCES]
    folder = data_dir() / "speech"
    files.atomic_write_text(folder / f"{language}.json", json.dumps(_rows(chosen), ensure_ascii=False) + "\n")
    place = folder / f"{language}.ogg"
    samples = np.concatenate([one.samples for one in chosen])
    with soundfile.SoundFile(
        place, "w", SAMPLE_RATE, 1, format="OGG", subtype="VORBIS", compression_level=SHIPPED_QUALITY
    ) as stream:
        for first in range(0, len(samples), WRITTEN):
            stream.write(samples[first : first + WRITTEN])
    return place


def _keep(place: Path, utterances: Sequence[Utterance]) -> None:
    import torch

    samples = torch.from_numpy(np.concatenate([one.samples for one in utterances]))
    files.save_tensors(place, {"samples": samples}, {"utterances": _rows(utterances)})


def _rows(utterances: Sequence[Utterance]) -> list[dict]:
    return [
        {
            "text": one.text,
            "language": one.language,
            "phones": _pairs(one.phones),
            "durations": one.durations,
            "samples": len(one.samples),
            "pitch": one.pitch,
        }
        for one in utterances
    ]


def _pairs(phones: Sequence[Phone]) -> list[list[str]]:
    return [[phone.symbol, phone.mark] for phone in phones]


def _load(place: Path) -> list[Utterance]:
    tensors, found = files.load_tensors(place)
    return _unpacked(found["utterances"], tensors["samples"].numpy())


def _unpacked(rows: Sequence[dict], samples: np.ndarray) -> list[Utterance]:
    utterances, first = [], 0
    for row in rows:
        part = samples[first : first + row["samples"]]
        first += len(part)
        phones = tuple(Phone(symbol, mark) for symbol, mark in row["phones"])
        utterances.append(
            Utterance(row["text"], row["language"], phones, tuple(row["durations"]), part, row["pitch"])
        )
    return utterances


def _engine_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("espeakng-loader")
    except PackageNotFoundError:
        return ""


def _check(language: str, split: str) -> None:
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. Set it to one of: {', '.join(LANGUAGES)}.")
    if split not in SPLITS:
        raise LabkitError(f"split is {split!r}. Set it to one of: {', '.join(SPLITS)}.")
