"""Scores of replies: BLEU and chrF, right facts, variety."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labkit.common import LabkitError
from labkit.dialogue.corpus import FORMS, value_surface
from labkit.dialogue.pairs import history_of
from labkit.dialogue.talks import Dialogue, Exchange, turns_of
from labkit.text.scores import distinct_n
from labkit.text.town.values import types


@dataclass(frozen=True)
class DialogueScores:
    """What a system reached on held-out dialogues.

    ``bleu`` and ``chrf`` of all replies together, 0 to 100. ``right`` (N,) of the exchanges that ask for facts: 1 where
    the reply names what was asked and no other value of its kind. ``honest`` (M,) of those about what is not there:
    1 where the reply is the right one. ``distinct_1`` and ``distinct_2``: share of different words and pairs.
    """

    replies: tuple[str, ...]
    bleu: float
    chrf: float
    right: np.ndarray
    honest: np.ndarray
    distinct_1: float
    distinct_2: float


def evaluate(system, dialogues: Sequence[Dialogue], memory: int) -> DialogueScores:
    """Let a system with ``reply_all(histories)`` answer every exchange after the true turns before it."""
    turns = list(turns_of(dialogues))
    if not turns:
        raise LabkitError("There are no dialogues to evaluate on.")
    replies = system.reply_all([history_of(dialogue, place, memory) for dialogue, place in turns])
    exchanges = [dialogue.exchanges[place] for dialogue, place in turns]
    language = turns[0][0].language
    bleu, chrf = bleu_and_chrf(replies, [exchange.reply for exchange in exchanges], language)
    pairs = list(zip(replies, exchanges, strict=True))
    return DialogueScores(
        replies=tuple(replies),
        bleu=bleu,
        chrf=chrf,
        right=np.array([is_right(text, one, language) for text, one in pairs if one.expected], dtype=float),
        honest=np.array([text == one.reply for text, one in pairs if not one.known], dtype=float),
        distinct_1=_variety(replies, 1),
        distinct_2=_variety(replies, 2),
    )


def _variety(replies: Sequence[str], n: int) -> float:
    """Distinct-n of the replies that say something; 0 where none of them has n tokens."""
    try:
        return distinct_n([text for text in replies if text.strip()], n)
    except ValueError:
        return 0.0


def bleu_and_chrf(replies: Sequence[str], references: Sequence[str], language: str) -> tuple[float, float]:
    """BLEU-4 (Papineni et al. 2002) and chrF (Popović 2015) of a corpus, by sacrebleu; Chinese is cut into hanzi."""
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError as error:
        raise LabkitError("BLEU and chrF need the library sacrebleu: pip install sacrebleu.") from error
    bleu = BLEU(tokenize="zh" if language == "zh" else "13a", force=True)  # no warning of many full stops
    found = bleu.corpus_score(list(replies), [list(references)]).score
    return float(found), float(CHRF().corpus_score(list(replies), [list(references)]).score)


def is_right(reply: str, exchange: Exchange, language: str) -> bool:
    """Whether a reply names every expected value, and no other value of a type that was asked for."""
    for value_type in dict.fromkeys(name for name, _ in exchange.expected):
        wanted = {value for name, value in exchange.expected if name == value_type}
        said = set(
            named(exchange.said, value_type, language)
        )  # "Tom Reed" may be named as who was asked about
        found = set(named(reply, value_type, language))
        if not wanted <= found or found - wanted - said:
            return False
    return True


def named(text: str, value_type: str, language: str) -> list:
    """The values of a type of the town that a text names, the longest names first."""
    form = FORMS.get((language, value_type), "")
    values = types()[value_type].forms[language][form]
    surfaces = sorted(
        ((value_surface(value_type, value, language), value) for value in values), key=_by_length
    )
    found = []
    for surface, value in surfaces:
        pattern = re.escape(surface)
        pattern = rf"(?<!\w){pattern}(?!\w)" if language == "en" else rf"(?<!\d){pattern}(?!\d)"
        rest = re.sub(pattern, "#", text, flags=re.IGNORECASE)
        if rest != text:
            found.append(value)
            text = rest
    return found


def _by_length(entry: tuple[str, object]) -> int:
    return -len(entry[0])
