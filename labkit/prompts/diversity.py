"""Diversity: how much of the ground a set of prompts covers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from labkit.common import LabkitError
from labkit.prompts.findings import SLIGHT, STRONG, Finding
from labkit.prompts.precision import kind_of, stated
from labkit.prompts.reading import Reading, read
from labkit.prompts.wording import Wording, any_of

NEAR = 0.5  # from this similarity on, two prompts say nearly the same
ENOUGH_KINDS, ENOUGH_FORMS = 4, 4  # as many different ones count as full coverage
ENOUGH_RATIO = 4.0  # the longest prompt is this many times as long as the shortest
LOW = 0.5  # a part of the coverage below this is named as weak
WEIGHTS = {"subjects": 0.35, "tasks": 0.35, "forms": 0.15, "lengths": 0.15}


@dataclass(frozen=True)
class Coverage:
    """How varied a set is, each part in [0, 1], and which pairs are near copies.

    subjects: 1 less the mean similarity of two prompts, stretched so that ``NEAR`` gives 0. tasks and forms: kinds
    of task, and combinations of stated requirements, beyond the first, out of those that count as enough. lengths:
    log(longest / shortest) / log(``ENOUGH_RATIO``).
    """

    subjects: float
    tasks: float
    forms: float
    lengths: float
    near_copies: tuple[tuple[int, int], ...]
    count: int

    @property
    def score(self) -> float:
        """The weighted mean of the four parts, less the share of prompts that nearly repeat an earlier one."""
        mean = sum(weight * getattr(self, part) for part, weight in WEIGHTS.items())
        return max(0.0, mean - self.repeated)

    @property
    def repeated(self) -> float:
        """The share of the prompts that are near copies of an earlier one."""
        return len({later for _, later in self.near_copies}) / self.count


def grams(text: str) -> frozenset[str]:
    """The pairs of neighbouring characters of a Chinese text, the runs of three of another; signs do not count."""
    text = re.sub(r"[\W_]+", " ", text.lower()).strip()
    size = 2 if re.search(r"[\u4e00-\u9fff]", text) else 3
    return frozenset(text[i : i + size] for i in range(max(1, len(text) - size + 1)))


def similarity(one: str, other: str) -> float:
    """The Jaccard index of their character n-grams, in [0, 1]: 1 for equal texts."""
    first, second = grams(one), grams(other)
    return len(first & second) / len(first | second)


def coverage(prompts: Sequence[str], wording: Wording) -> Coverage:
    """Measure a set of at least two prompts."""
    _check(prompts)
    readings = [read(prompt, wording) for prompt in prompts]
    pairs = {(i, j): similarity(prompts[i], prompts[j]) for i, j in combinations(range(len(prompts)), 2)}
    mean = sum(pairs.values()) / len(pairs)
    lengths = [len(grams(prompt)) for prompt in prompts]
    return Coverage(
        subjects=max(0.0, 1 - mean / NEAR),
        tasks=_beyond_first({kind_of(r, wording) for r in readings}, len(prompts), ENOUGH_KINDS),
        forms=_beyond_first({stated(r, wording) for r in readings}, len(prompts), ENOUGH_FORMS),
        lengths=min(1.0, math.log(max(lengths) / min(lengths)) / math.log(ENOUGH_RATIO)),
        near_copies=tuple(pair for pair, value in pairs.items() if value >= NEAR),
        count=len(prompts),
    )


def diversity(prompts: Sequence[str], wording: Wording, measured: Coverage) -> list[Finding]:
    """What makes a set narrow. A finding's place is that of the prompts in the set: first, and one past the last."""
    found = [
        _finding(wording, "near_duplicate", f"{i + 1}, {j + 1}", i, j + 1) for i, j in measured.near_copies
    ]
    readings = [read(prompt, wording) for prompt in prompts]
    everything = (0, len(prompts))
    if measured.tasks < LOW:
        kinds = {kind_of(reading, wording) for reading in readings}
        others = [name for kind, name in wording.kind_names.items() if kind not in kinds]
        found.append(_finding(wording, "few_tasks", ", ".join(others[:4]), *everything))
    if measured.subjects < LOW:
        found.append(_finding(wording, "few_subjects", _common(readings, wording), *everything))
    if measured.forms < LOW:
        forms = sorted(set().union(*(stated(reading, wording) for reading in readings))) or ["none"]
        names = ", ".join(wording.form_names[form] for form in forms)
        found.append(_finding(wording, "few_forms", names, *everything, weight=SLIGHT))
    if measured.lengths < LOW:
        sizes = [len(prompt) for prompt in prompts]
        found.append(
            _finding(wording, "few_lengths", f"{min(sizes)}-{max(sizes)}", *everything, weight=SLIGHT)
        )
    return found


def _check(prompts: Sequence[str]) -> None:
    if isinstance(prompts, str) or len(prompts) < 2:
        raise LabkitError("prompts must be a list of at least two prompts.")
    for number, prompt in enumerate(prompts, start=1):
        if not isinstance(prompt, str) or not prompt.strip():
            raise LabkitError(
                f"prompts: number {number} is empty. Give the text of a prompt, or leave it out."
            )


def _beyond_first(values: set, count: int, enough: int) -> float:
    return min(1.0, (len(values) - 1) / (min(count, enough) - 1))


def _common(readings: list[Reading], wording: Wording) -> str:
    """The words, or pairs of Chinese characters, that most prompts share, apart from those that name no subject."""
    for words_without_subject in (wording.empty, ()):  # where nothing else is shared, those are
        counts: Counter[str] = Counter()
        for reading in readings:
            text = any_of(words_without_subject).sub(" ", reading.prompt.lower())
            counts.update(sorted(set(re.findall(r"[^\W\d_\u4e00-\u9fff]{3,}|[\u4e00-\u9fff]{2}", text))))
        shared = [word for word, count in counts.most_common(3) if count > 1]
        if shared:
            break
    return ", ".join(shared) or wording.form_names["none"]


def _finding(
    wording: Wording, weakness: str, words: str, start: int, end: int, weight: float = STRONG
) -> Finding:
    why, mend = (text.format(words=words) for text in wording.messages[weakness])
    return Finding("diversity", weakness, words, start, end, why, mend, weight)
