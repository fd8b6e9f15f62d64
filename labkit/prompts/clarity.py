"""Clarity: whether a prompt can be read in one way only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.prompts.findings import SLIGHT, STRONG, Finding
from labkit.prompts.reading import Reading, clauses, family
from labkit.prompts.wording import Wording, any_of

MANY_TASKS = 3  # of different families, without steps or a common object
NUMBERS = {"one": 1, "a": 1, "an": 1, "half a": 0.5, "一": 1, "两": 2, "二": 2, "三": 3, "半": 0.5}


def clarity(reading: Reading, wording: Wording) -> list[Finding]:
    """What makes a prompt unclear, in the order of the prompt."""
    found = [
        *_vague(reading, wording),
        *_references(reading, wording),
        *_tasks(reading, wording),
        *_contradictions(reading, wording),
        *_open_choices(reading, wording),
    ]
    return sorted(found, key=lambda finding: finding.start)


def _finding(
    wording: Wording,
    weakness: str,
    reading: Reading,
    start: int,
    end: int,
    words: str = "",
    weight: float = STRONG,
) -> Finding:
    own = reading.prompt[start:end]
    why, mend = (text.format(words=words or own) for text in wording.messages[weakness])
    return Finding("clarity", weakness, own, start, end, why, mend, weight)


def _vague(reading: Reading, wording: Wording) -> Iterator[Finding]:
    excused = [found.span() for found in any_of(wording.excused).finditer(reading.request)]
    for patterns, weight in ((wording.vague, STRONG), (wording.soft, SLIGHT)):
        for found in any_of(patterns).finditer(reading.request):
            if not any(start < found.end() and found.start() < end for start, end in excused):
                yield _finding(wording, "vague_word", reading, *found.span(), weight=weight)


def _references(reading: Reading, wording: Wording) -> Iterator[Finding]:
    """References to what the prompt does not hold; one finding for each place."""
    taken: list[tuple[int, int]] = []

    def free(found: re.Match[str]) -> bool:
        if any(start < found.end() and found.start() < end for start, end in taken):
            return False
        taken.append(found.span())
        return True

    request = reading.request
    groups: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(wording.memories, ()), (wording.rivals, ())]
    if not reading.has_material:
        groups += [(wording.pointers, ())]
        groups += [(wording.persons, wording.people), (wording.pronouns, wording.antecedents)]
    for patterns, antecedents in groups:
        for found in any_of(patterns).finditer(request):
            if not any_of(antecedents).search(request[: found.start()]) and free(found):
                yield _finding(wording, "unclear_reference", reading, *found.span())


def _tasks(reading: Reading, wording: Wording) -> Iterator[Finding]:
    """Tasks of several families; two are enough where a word like "also" opens another one."""
    heads = [(start, clause, family(clause, wording)) for start, clause in clauses(reading.request, wording)]
    heads = [head for head in heads if head[2] not in (None, "aside")]
    if not heads:
        return
    families = {name for _, _, name in heads}
    opened = any_of(wording.asides).search(reading.request, heads[0][0] + 1)
    if len(families) >= MANY_TASKS or (opened and len(families) >= MANY_TASKS - 1):
        last_start, last_clause, _ = heads[-1]
        end = last_start + len(last_clause.rstrip())
        words = " … ".join(clause.strip(" ,;.，。；、")[:24] for _, clause, _ in heads)
        yield _finding(wording, "several_tasks", reading, heads[0][0], end, words)


def _contradictions(reading: Reading, wording: Wording) -> Iterator[Finding]:
    joint = wording.messages["and"][0]
    for one, other in wording.opposites:
        first = any_of((one,)).search(reading.request)
        if first and "@" in other:  # the same word again: "without loops ... with a loop"
            other = other.replace("@", re.escape(first[1]))
        seconds = any_of((other,)).finditer(reading.request) if first else ()
        second = next((found for found in seconds if not _overlap(first, found)), None)
        if second:
            start, end = min(first.start(), second.start()), max(first.end(), second.end())
            words = joint.join(f'"{reading.prompt[slice(*found.span())]}"' for found in (first, second))
            yield _finding(wording, "contradiction", reading, start, end, words)
            return
    for most in any_of(wording.most).finditer(reading.request):
        for least in any_of(wording.least).finditer(reading.request):
            upper, lower = (_amount(found, wording) for found in (most, least))
            if upper and lower and upper[0] == lower[0] and upper[1] < lower[1]:
                start, end = min(most.start(), least.start()), max(most.end(), least.end())
                yield _finding(
                    wording,
                    "contradiction",
                    reading,
                    start,
                    end,
                    joint.join((f'"{most[0]}"', f'"{least[0]}"')),
                )
                return


def _overlap(first: re.Match[str], second: re.Match[str]) -> bool:
    return first.start() < second.end() and second.start() < first.end()


def _amount(found: re.Match[str], wording: Wording) -> tuple[str, float] | None:
    """(dimension, amount) of a limit such as "at most 50 words"."""
    number, unit = [group for group in found.groups() if group][:2]
    for name, (dimension, size) in wording.units.items():
        if unit.lower().startswith(name):
            return dimension, float(NUMBERS.get(number.lower()) or number) * size
    return None


def _open_choices(reading: Reading, wording: Wording) -> Iterator[Finding]:
    for found in any_of(wording.open_choices).finditer(reading.request):
        yield _finding(wording, "ambiguity", reading, *found.span())
