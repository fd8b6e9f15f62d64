"""A language model for wording only: what it may change is checked, and where it changes a fact the template stands.

The model gets a finished reply and gives another wording. It decides nothing, looks nothing up, and sees no
customer's message, so there is nothing to inject. Its text is used only if ``changes`` finds nothing.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from labkit.common import LabkitError
from labkit.service.text import CHINESE, check_language, fold
from labkit.text.ngram import NGram

Writer = Callable[[str, str], str]  # (reply, its name) -> another wording
_FIGURE = re.compile(r"[a-z]*-?\d[\d.,:/-]*\d|[a-z]?\d")
_DENIAL = re.compile(r"\bnot\b|\bno\b|\bcannot\b|n't\b|\bnever\b|\bnothing\b|\bunless\b|不|没|无|未|别")
_PROMISE = re.compile(
    r"\bfree\b|\brefund|\breplac|\bguarantee|\bpromise|\bgift|\bvoucher|\bdiscount|\bcompensat|\bwill\b|\bcan\b|\bwithout cost"
    r"|免费|退款|赔|换新|保证|一定|赠|券|优惠|补偿|马上|立即|可以"
)
_MODES = re.compile(r"https?:|www\.|[\w.]+@[\w.]+")


def changes(reply: str, worded: str, facts: Sequence[str] = ()) -> list[str]:
    """How the wording alters what the reply says; an empty list where it does not.

    Figures, dates and codes must be the same, every fact must still stand there, denials and words of promise must
    be as many, nothing may link elsewhere, and it must not be much longer.
    """
    before, after = fold(reply), fold(worded)
    found = []
    if Counter(_FIGURE.findall(before)) != Counter(_FIGURE.findall(after)):
        found.append("figures differ")
    found += [f"{fact!r} is gone" for fact in facts if fold(fact) in before and fold(fact) not in after]
    for name, pattern in {"denials": _DENIAL, "words of promise": _PROMISE, "addresses": _MODES}.items():
        if Counter(pattern.findall(before)) != Counter(pattern.findall(after)):
            found.append(f"{name} differ")
    if not 0.7 * len(before) <= len(after) <= 1.6 * len(before) + 60:
        found.append("the length is another")
    return found


def worded(writer: Writer | None, reply: str, name: str, facts: Sequence[str] = ()) -> tuple[str, str]:
    """The reply as the writer words it, or as it was, and which of the two with the reason."""
    if writer is None:
        return reply, "template"
    try:
        candidate = writer(reply, name)
    except Exception as error:  # whatever a model or its connection does, the customer gets an answer
        return reply, f"template: the writer failed with {type(error).__name__}"
    if not isinstance(candidate, str):
        return reply, f"template: the writer gave a {type(candidate).__name__}"
    problems = changes(reply, candidate, facts)
    return (reply, f"template: {'; '.join(problems)}") if problems else (candidate, "worded")


class OpeningWriter:
    """Puts an opening sentence of a small n-gram model before a reply: a new one each time, in the shop's manner.

    The model learned from sentences by hand (``data/service/openings.json``), by words in English and by
    characters in Chinese. It draws up to ``tries`` sentences and takes the first that ends, is new enough and not
    too long; where there is none the reply stays as it is.
    """

    def __init__(
        self, language: str, sentences: dict[str, list[str]], seed: int = 0, order: int = 3, tries: int = 8
    ):
        self.language, self.tries = check_language(language), tries
        self._rng = random.Random(f"openings {language} {seed}")
        self._moods: dict[str, tuple[NGram, list[str]]] = {}
        for mood, lines in sentences.items():
            vocabulary = ["\n", *sorted({unit for line in lines for unit in self._units(line)})]
            ids = {unit: number for number, unit in enumerate(vocabulary)}
            stream = [0] + [ids[unit] for line in lines for unit in [*self._units(line), "\n"]]
            self._moods[mood] = (NGram(order, vocab_size=len(vocabulary)).fit(stream), vocabulary)
        if not self._moods:
            raise LabkitError("There are no sentences to learn openings from.")

    def __call__(self, reply: str, name: str) -> str:
        mood = mood_of(name)
        if mood not in self._moods:
            return reply
        for _ in range(self.tries):
            opening = self._draw(*self._moods[mood])
            if opening is not None:
                joined = f"{opening}{reply}" if self.language == "zh" else f"{opening} {reply}"
                if not changes(reply, joined):
                    return joined
        return reply

    def _draw(self, model: NGram, vocabulary: list[str]) -> str | None:
        context, limit = [0], 24
        while len(context) < limit:
            p = model.next_probabilities(context)
            p = np.where(
                p >= 0.4 * p.max(), p, 0.0
            )  # min-p: what was hardly ever seen makes a broken sentence
            draw = self._rng.random() * p.sum()
            unit = min(int(np.searchsorted(np.cumsum(p), draw, side="right")), len(p) - 1)
            if unit == 0:
                break
            context.append(unit)
        units = [vocabulary[unit] for unit in context[1:]]
        if not 2 <= len(units) < limit - 1 or units[-1] not in {".", "!", "。", "！"}:
            return None
        text = "".join(units) if self.language == "zh" else re.sub(r" ([.,!])", r"\1", " ".join(units))
        return text

    def _units(self, line: str) -> list[str]:
        return re.findall(rf"[{CHINESE}]|[，。！]" if self.language == "zh" else r"[\w']+|[.,!]", line)


def mood_of(name: str) -> str:
    """The mood of a reply by its name: ``sorry``, ``good`` or ``plain``; empty for those that need no opening."""
    if name.startswith(("faulty", "warranty_passed", "missing", "status_lost", "status_overdue")):
        return "sorry"
    if name in (
        "status_delivered",
        "status_shipped",
        "refund_paid",
        "cancel_passed",
        "change_passed",
        "return_passed",
    ):
        return "good"
    if name.startswith(("status", "refund", "cancel", "change", "return", "product", "knowledge")):
        return "plain"
    return ""
