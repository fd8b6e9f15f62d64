"""What users type, made comparable: one width and case, tokens of both languages, and typing errors told apart."""

from __future__ import annotations

import re
import unicodedata

from labkit.common import LANGUAGES, LabkitError

MAX_CHARACTERS = 1000
CHINESE = r"\u4e00-\u9fff"
_TOKEN = re.compile(rf"[{CHINESE}]|[a-z0-9_]+(?:'[a-z]+)?")
_SENTENCE = re.compile(r"(?<=[.!?。！？；;\n])\s*")


def check_language(language: str) -> str:
    """``language``, if it is one of the course's."""
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. Choose one of: {', '.join(LANGUAGES)}.")
    return language


def clean(text: str) -> str:
    """The text in one width (NFKC), without control characters, one blank between words, at most 1,000 characters.

    What cannot be seen cannot be meant: zero-width characters and marks that turn the direction of writing go.
    """
    text = unicodedata.normalize("NFKC", str(text)[: 4 * MAX_CHARACTERS])
    kept = (" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join("".join(kept).split())[:MAX_CHARACTERS]


def fold(text: str) -> str:
    """The cleaned text in lower case, curly apostrophes straight: for comparing, not for showing."""
    return clean(text).casefold().replace("’", "'")


def tokens(text: str) -> list[str]:
    """Words of Latin letters and digits, and single Chinese characters."""
    return _TOKEN.findall(fold(text))


def terms(text: str) -> list[str]:
    """What a search counts: words, and pairs of neighbouring Chinese characters (Chinese has no blanks).

    A Chinese character without a neighbour stands alone.
    """
    found: list[str] = []
    for run in re.findall(rf"[{CHINESE}]+|[a-z0-9_]+(?:'[a-z]+)?", fold(text)):
        if re.match(rf"[{CHINESE}]", run):
            found += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
        else:
            found.append(run)
    return found


def sentences(text: str) -> list[str]:
    """The text cut after each full stop, question mark or line."""
    return [part for part in _SENTENCE.split(text) if part.strip()]


def distance(left: str, right: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that turn ``left`` into ``right``.

    Optimal string alignment (Damerau 1964): no part is edited twice.
    """
    two_back: list[int] = []
    before = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        row = [i]
        for j, b in enumerate(right, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, two_back[j - 2] + 1)
            row.append(best)
        two_back, before = before, row
    return before[-1]


def close_to(word: str, target: str) -> bool:
    """Whether a typing error turns one into the other: one edit from five letters, two from nine, none below."""
    allowed = 0 if len(target) < 5 else 1 if len(target) < 9 else 2
    if abs(len(word) - len(target)) > allowed:
        return False
    return distance(word, target) <= allowed
