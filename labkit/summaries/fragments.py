"""Where each part of a summary came from: the fragments that it shares with its article (Grusky et al. 2018)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labkit.common import LabkitError
from labkit.summaries.rouge import TOKEN

Span = tuple[int, int]  # first character, and the one after the last


@dataclass(frozen=True)
class Fragment:
    """A longest run of tokens of the summary that stands in the article; both spans count characters."""

    summary: Span
    article: Span
    tokens: int


@dataclass(frozen=True)
class Provenance:
    """The fragments of a summary and what they amount to (https://arxiv.org/abs/1804.11283, section 4).

    ``coverage`` is the share of its tokens that are in a fragment, ``density`` the mean length of the fragment to
    which a token belongs, ``compression`` the tokens of the article for each one of the summary.
    """

    fragments: tuple[Fragment, ...]
    coverage: float
    density: float
    compression: float


def provenance(summary: str, article: str) -> Provenance:
    """Greedily from the left, the longest match of each place of the summary, the first where several are as long."""
    ours, theirs = _tokens(summary), _tokens(article)
    if not ours or not theirs:
        raise LabkitError("The summary or the article holds no words, so nothing can be compared.")
    places: dict[str, list[int]] = {}
    for place, (token, _) in enumerate(theirs):
        places.setdefault(token, []).append(place)
    fragments = []
    start = 0
    while start < len(ours):
        length, found = _longest(ours, theirs, start, places)
        if length:
            fragments.append(Fragment(_span(ours, start, length), _span(theirs, found, length), length))
        start += max(length, 1)
    return Provenance(
        fragments=tuple(fragments),
        coverage=sum(fragment.tokens for fragment in fragments) / len(ours),
        density=sum(fragment.tokens**2 for fragment in fragments) / len(ours),
        compression=len(theirs) / len(ours),
    )


def compression(summary: str, article: str) -> float:
    """How many tokens of the article there are for each one of the summary."""
    return provenance(summary, article).compression


def _tokens(text: str) -> list[tuple[str, re.Match[str]]]:
    return [(match.group().lower(), match) for match in TOKEN.finditer(text)]


def _longest(ours: list, theirs: list, start: int, places: dict[str, list[int]]) -> tuple[int, int]:
    """(length, place in the article) of the longest run that begins at ``start``."""
    best, found = 0, 0
    for place in places.get(ours[start][0], ()):
        length = 0
        while (
            start + length < len(ours)
            and place + length < len(theirs)
            and ours[start + length][0] == theirs[place + length][0]
        ):
            length += 1
        if length > best:
            best, found = length, place
    return best, found


def _span(tokens: list, start: int, length: int) -> Span:
    return tokens[start][1].start(), tokens[start + length - 1][1].end()
