"""Text to phonemes: numbers to words, words to the phonemes of the engine's voice, with stress or tone, and pauses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.common import LANGUAGES, LabkitError
from labkit.speech.engine import engine
from labkit.speech.numbers import spell_out

PAUSE = "_"
PAUSE_MARKS = (".", "?", "!", ",")  # how a clause ends; "" for a pause inside one
LONGEST = 400  # characters of a text
_ENDS = {"。": ".", ".": ".", "？": "?", "?": "?", "！": "!", "!": "!", "…": "."}
_SILENT = re.compile(r"^_[:!|]?|^_\|")  # a pause or a syllable boundary before, or instead of, a phoneme
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_TONE = re.compile(r"[1-5]+$")


@dataclass(frozen=True)
class Phone:
    """One speech sound, or a pause.

    ``symbol`` is the engine's name for it, ``_`` for a pause. ``mark`` is the stress (``'`` first, ``,`` second) and in
    Mandarin the tone behind it (55, 35, 214, 51, 11 for the neutral one); of a pause it is the punctuation.
    """

    symbol: str
    mark: str = ""

    def __str__(self) -> str:
        stress = self.mark[:1] if self.mark[:1] in ("'", ",") and self.symbol != PAUSE else ""
        return f"{stress}{self.symbol}{self.mark.removeprefix(stress)}"

    @property
    def sound(self) -> str:
        """What a listener writes down: the sound with its tone, without stress; nothing for a pause."""
        return "" if self.symbol == PAUSE else self.symbol + self.mark.lstrip("',")


def normalize(text: str, language: str) -> str:
    """The text in one form of Unicode, on one line, with its numbers in words.

    Raises LabkitError for an unknown language, a text that is too long, and one without anything to say.
    """
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. Set it to one of: {', '.join(LANGUAGES)}.")
    if not isinstance(text, str):
        raise LabkitError(f"The text is {text!r}. Give a sentence to speak.")
    text = spell_out(" ".join(unicodedata.normalize("NFC", text).split()), language)
    if len(text) > LONGEST:
        raise LabkitError(
            f"The text has {len(text)} characters. Give at most {LONGEST}: speak it sentence by sentence."
        )
    if not any(character.isalnum() for character in text):
        raise LabkitError(f"There is nothing to say in {text!r}. Give a sentence with words.")
    if language == "en" and _CHINESE.search(text):
        raise LabkitError(
            f"The English voice cannot read {text!r}. Write it in English, or set language to zh."
        )
    if language == "zh":
        # The engine's dictionary takes 玩儿 for one word with a reading it cannot speak.
        text = re.sub(r"(?<=[\u4e00-\u9fff])儿", "·儿", text)
    return text


def phonemize(text: str, language: str) -> tuple[Phone, ...]:
    """The phones of a text. A clause ends with a pause that carries its punctuation."""
    text = normalize(text, language)
    phones: list[Phone] = []
    for clause, punctuation in engine().clauses(text, language):
        phones += _phones(clause, language, text)
        if phones and phones[-1].symbol == PAUSE:
            phones.pop()
        phones.append(Phone(PAUSE, _ENDS.get(punctuation, "," if punctuation else ".")))
    if all(phone.symbol == PAUSE for phone in phones):
        raise LabkitError(f"The voice finds nothing to say in {text!r}. Give a sentence with words.")
    return tuple(phones)


def _phones(names: Sequence[str], language: str, text: str) -> list[Phone]:
    phones: list[Phone] = []
    for name in names:
        if name.startswith("("):
            raise LabkitError(
                f"A part of {text!r} is in a language that this voice does not speak. Write it in "
                f"{'Chinese characters' if language == 'zh' else 'English'}."
            )
        bare = _SILENT.sub("", name)
        if bare != name and not name.startswith("_|") and phones and phones[-1].symbol != PAUSE:
            phones.append(Phone(PAUSE))
        if bare:
            phones.append(_phone(bare, language))
    return phones


def _phone(name: str, language: str) -> Phone:
    stress = name[0] if name[0] in "'," and len(name) > 1 else ""
    symbol = name.removeprefix(stress)
    tone = _TONE.search(symbol) if language == "zh" else None
    if tone is None or tone.start() == 0:
        return Phone(symbol, stress)
    return Phone(symbol[: tone.start()], stress + tone[0])
