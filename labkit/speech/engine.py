"""eSpeak NG, called through its C interface: text to phonemes, and text to sound with the phonemes' times.

The engine comes inside the package ``espeakng-loader`` (library and voices). It is called, not copied: its licence
is GPL-3.0. What it speaks depends a little on what it spoke before, so a corpus is made by a process of its own.
"""

from __future__ import annotations

import ctypes
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.common import LabkitError

if TYPE_CHECKING:
    import numpy as np

VOICES = {"en": "en-us", "zh": "cmn"}
SAMPLE_RATE = 22_050
NORMAL_RATE, NORMAL_PITCH = 175, 50  # the engine's own defaults: words a minute, and a scale of 0 to 99
RATES, PITCHES = (80, 450), (0, 99)
TIMEOUT_SECONDS = 300

# From the engine's header speak_lib.h
_SYNCHRONOUS = 2
_PHONEME_EVENTS, _DO_NOT_EXIT = 1, 0x8000
_UTF8 = 1
_RATE, _PITCH = 1, 3
_END_OF_LIST, _PHONEME = 0, 7
_PUNCTUATION = re.compile("[.,;:?!…。，、；：？！]")
_SEPARATOR = "~"  # between phonemes; no phoneme of the two voices has it in its name


class _Name(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Name),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, eq=False)
class Spoken:
    """What the engine said: int16 samples at 22,050 Hz, and the phonemes by its own names, with their first sample."""

    samples: np.ndarray  # (T,)
    events: tuple[tuple[str, int], ...]


@cache
def engine() -> Engine:
    """The engine of this process; LabkitError where it is missing or broken."""
    return Engine()


def available() -> bool:
    """Whether the engine can be used here."""
    try:
        engine()
    except LabkitError:
        return False
    return True


class Engine:
    """The loaded library. One a process: it keeps its state in global variables."""

    def __init__(self) -> None:
        self._library, data = _load_library()
        rate = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, str(data).encode(), _PHONEME_EVENTS | _DO_NOT_EXIT
        )
        if rate != SAMPLE_RATE:
            raise LabkitError(
                f"eSpeak NG does not start with its data in {data} (it answers {rate}, not {SAMPLE_RATE}). {_REMEDY}"
            )
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._samples: list[bytes] = []
        self._events: list[tuple[str, int]] = []
        self._callback = _Callback(self._take)  # kept: the library holds no reference of its own
        self._library.espeak_SetSynthCallback(self._callback)
        self._language = None

    def clauses(self, text: str, language: str) -> list[tuple[list[str], str]]:
        """The phonemes of each clause by the engine's own names, and the punctuation that ends it ("" for none).

        Stress marks stand before a name, tones behind it.
        """
        self._set_voice(language)
        self._check_text(text)
        encoded = text.encode("utf-8")
        rest = ctypes.c_char_p(encoded)
        clauses, done = [], 0
        while rest.value is not None:
            answer = self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, ord(_SEPARATOR) << 8)
            names = [name for name in re.split(rf"[\s{_SEPARATOR}]+", answer.decode("utf-8")) if name]
            end = len(encoded) - len(rest.value or b"")
            # The engine reads up to one word's first letter past the punctuation.
            part = encoded[done:end].decode("utf-8", errors="ignore")[-6:]
            clauses.append((names, "".join(_PUNCTUATION.findall(part)[-1:])))
            done = end
        return clauses

    def speak(self, text: str, language: str, rate: int = NORMAL_RATE, pitch: int = NORMAL_PITCH) -> Spoken:
        """The text as sound. ``rate`` is in words a minute, 80 to 450; ``pitch`` on the engine's scale, 0 to 99."""
        import numpy as np

        for name, value, (low, high) in (("rate", rate, RATES), ("pitch", pitch, PITCHES)):
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise LabkitError(f"{name} is {value!r}. Give a whole number from {low} to {high}.")
        self._set_voice(language)
        self._check_text(text)
        self._library.espeak_SetParameter(_RATE, rate, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._samples.clear()
        self._events.clear()
        encoded = text.encode("utf-8")
        failed = self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
        if failed:
            raise LabkitError(f"eSpeak NG answers {failed} to a text. {_REMEDY}")
        samples = np.frombuffer(b"".join(self._samples), dtype=np.int16)
        return Spoken(samples, tuple(self._events))

    def _take(self, samples, count, events) -> int:
        if samples and count > 0:
            self._samples.append(ctypes.string_at(samples, 2 * count))
        place = 0
        while events[place].type != _END_OF_LIST:
            if events[place].type == _PHONEME:
                self._events.append((events[place].id.string.decode("utf-8"), events[place].sample))
            place += 1
        return 0

    def _set_voice(self, language: str) -> None:
        if language not in VOICES:
            raise LabkitError(f"language is {language!r}. Set it to one of: {', '.join(VOICES)}.")
        if language != self._language:
            if self._library.espeak_SetVoiceByName(VOICES[language].encode()):
                raise LabkitError(f"eSpeak NG has no voice {VOICES[language]}. {_REMEDY}")
            self._language = language

    @staticmethod
    def _check_text(text: str) -> None:
        if not isinstance(text, str) or not text.strip():
            raise LabkitError(f"The text is {text!r}. Give a sentence to speak.")


_REMEDY = "Install it anew: pip install --force-reinstall espeakng-loader"


def _load_library() -> tuple[ctypes.CDLL, Path]:
    try:
        import espeakng_loader
    except ImportError:
        raise LabkitError(
            "The speech engine eSpeak NG is not installed: pip install espeakng-loader. Without it the sentences "
            "that come with the course can be used: labkit.speech.corpus.shipped()."
        ) from None
    library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    for place in (library, data / "phontab"):
        if not place.exists():
            raise LabkitError(f"eSpeak NG is not whole: {place} is missing. {_REMEDY}")
    try:
        return ctypes.CDLL(str(library)), data
    except OSError as error:
        raise LabkitError(f"eSpeak NG cannot be loaded: {error}. {_REMEDY}") from error


def speak_all(
    texts: Sequence[str], language: str, rate: int = NORMAL_RATE, pitches: Sequence[int] | None = None
) -> list[Spoken]:
    """All texts, spoken in this order by a fresh process: the same texts give the same samples, each time."""
    import numpy as np

    asked = {"texts": list(texts), "language": language, "rate": rate}
    asked["pitches"] = [NORMAL_PITCH] * len(texts) if pitches is None else [int(pitch) for pitch in pitches]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "spoken.npz"
        command = [sys.executable, "-m", "labkit.speech.engine", str(place)]
        try:
            done = subprocess.run(
                command, input=json.dumps(asked).encode(), capture_output=True, timeout=TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise LabkitError(
                f"eSpeak NG did not finish within {TIMEOUT_SECONDS} s. Ask for fewer sentences."
            ) from None
        if done.returncode or not place.exists():
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [
                f"exit code {done.returncode}"
            ]
            raise LabkitError(f"eSpeak NG failed: {said[0]}. {_REMEDY}")
        with np.load(place, allow_pickle=False) as stored:
            parts = np.split(stored["samples"], stored["ends"][:-1])
            events = json.loads(stored["events"].tobytes())
    return [
        Spoken(samples, tuple((name, first) for name, first in of))
        for samples, of in zip(parts, events, strict=True)
    ]


def _serve(place: Path) -> None:
    """Speak what standard input asks for, and write it to ``place``."""
    import numpy as np

    asked = json.loads(sys.stdin.buffer.read())
    speaker = engine()
    pairs = zip(asked["texts"], asked["pitches"], strict=True)
    spoken = [speaker.speak(text, asked["language"], asked["rate"], pitch) for text, pitch in pairs]
    events = json.dumps([one.events for one in spoken]).encode()
    np.savez(
        place,
        samples=np.concatenate([one.samples for one in spoken]),
        ends=np.cumsum([len(one.samples) for one in spoken]),
        events=np.frombuffer(events, np.uint8),
    )


if __name__ == "__main__":
    try:
        _serve(Path(sys.argv[1]))
    except LabkitError as error:
        sys.exit(str(error))
