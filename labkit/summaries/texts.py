"""Articles and summaries: what a report is, in which language, and what its sentences are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.common import LANGUAGES, LabkitError
from labkit.text.scores import split_sentences

MAX_CHARACTERS = 200_000  # about eighty pages: what is longer is no news report
# After these a full stop ends no sentence.
ABBREVIATIONS = tuple(
    f"{word}."
    for word in (
        *("mr", "mrs", "ms", "dr", "st", "prof", "gen", "sen", "rep", "gov", "lt", "col", "capt", "no", "vs"),
        *("e.g", "i.e", "u.s", "u.k", "jan", "feb", "mar", "apr", "aug", "sept", "oct", "nov", "dec"),
        *("jr", "sr", "inc", "co", "corp", "approx"),
    )
)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_LAST_WORD = re.compile(r"\S+$")


@dataclass(frozen=True)
class Report:
    """A news report with its reference summary.

    ``facts`` are the names, numbers and dates that a summary of it may state, as the article writes them.
    ``lead_is_summary`` says whether the first sentence tells the news (None: not known).
    """

    article: str
    summary: str
    language: str
    id: str = ""
    topic: str = ""
    facts: tuple[str, ...] = ()
    lead_is_summary: bool | None = None


@dataclass(frozen=True)
class Summary:
    """A summary, and for each of its sentences the article's sentence that it is (None: it is a new one)."""

    sentences: tuple[str, ...]
    sources: tuple[int | None, ...]
    language: str

    @property
    def text(self) -> str:
        return join_sentences(self.sentences, self.language)


def language_of(text: str) -> str:
    """``zh`` where more than a third of the letters are hanzi, else ``en`` for Latin letters, else ``""``.

    A hanzi says about as much as half an English word, so that a few names in the other script change nothing.
    """
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return ""
    han = sum(_HAN.match(character) is not None for character in letters)
    if 3 * han > len(letters):
        return "zh"
    latin = sum("LATIN" in unicodedata.name(character, "") for character in letters[:2000])
    return "en" if 2 * latin > len(letters[:2000]) else ""


def sentences_of(text: str) -> list[str]:
    """The sentences of an article in any script; not cut after "Mr." nor within ``"Stop!" she said.``"""
    found: list[str] = []
    for piece in split_sentences(text):
        if found and (_goes_on(found[-1]) or piece[0].islower()):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return found


def _goes_on(sentence: str) -> bool:
    last = _LAST_WORD.search(sentence)
    return last is not None and last.group().lower() in ABBREVIATIONS


def join_sentences(sentences: Sequence[str], language: str) -> str:
    """Sentences as running text: with blanks between them, except in Chinese."""
    return ("" if language == "zh" else " ").join(sentences)


def check_article(article: object, limit: int = MAX_CHARACTERS) -> str:
    """The article, if it can be summarized; LabkitError where it is no text, empty, without letters, or a book."""
    if not isinstance(article, str):
        raise LabkitError(f"article is a {type(article).__name__}. Give the text of the article.")
    if not article.strip():
        raise LabkitError("article is empty. Paste the text of the report.")
    if not any(character.isalpha() for character in article):
        raise LabkitError("article holds no letters. Paste the text of the report, not figures alone.")
    if len(article) > limit:
        raise LabkitError(
            f"article has {len(article):,} characters, and at most {limit:,} are read. Give one report at a time."
        )
    return article


def check_language(language: str) -> str:
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. It must be one of {', '.join(LANGUAGES)}.")
    return language


def check_count(sentences: object) -> int:
    """How many sentences a summary may have."""
    if isinstance(sentences, bool) or not isinstance(sentences, int) or sentences < 1:
        raise LabkitError(f"sentences is {sentences!r}. Give a whole number from 1.")
    return sentences


def extract(sentences: Sequence[str], chosen: Sequence[int], language: str) -> Summary:
    """The chosen sentences of an article in its order."""
    places = sorted(chosen)
    return Summary(tuple(sentences[place] for place in places), tuple(places), language)
