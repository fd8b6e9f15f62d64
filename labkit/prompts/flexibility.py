"""Flexibility: whether a prompt serves more than one case, and whether its success survives another wording."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labkit.common import LabkitError
from labkit.prompts.findings import STRONG, Finding
from labkit.prompts.reading import FIELDS, read
from labkit.prompts.wording import MATERIAL, Wording, any_of

ALLOWED_SPREAD = 0.1  # between the best wording and the worst
SAMPLES = 2000


@dataclass(frozen=True)
class Flexibility:
    """How the success rate of one request varies over its wordings, measured on the same cases.

    ``rates`` by wording; ``spread`` is best less worst; ``unsteady`` is the share of cases on which the wordings
    disagree. ``p`` is the chance of a spread at least as large if the wording did not matter.
    """

    rates: Mapping[str, float]
    mean: float
    spread: float
    worst: str
    best: str
    unsteady: float
    p: float
    ok: bool
    findings: tuple[Finding, ...]

    @property
    def score(self) -> float:
        """The worst rate as a share of the best, in [0, 1]; 0 where nothing succeeds."""
        return self.rates[self.worst] / self.rates[self.best] if self.rates[self.best] else 0.0


def flexibility_of(
    successes: Mapping[str, Sequence[Any]], wording: Wording, allowed: float, seed: int
) -> Flexibility:
    """See ``principles.flexibility``."""
    names, table = _table(successes)
    if not 0 <= allowed < 1:
        raise LabkitError(f"allowed_spread is {allowed}. Set it to a number from 0 up to, not including, 1.")
    rates = dict(zip(names, (float(rate) for rate in table.mean(axis=1)), strict=True))
    worst, best = min(names, key=rates.__getitem__), max(names, key=rates.__getitem__)
    spread = rates[best] - rates[worst]
    ok = spread <= allowed + 1e-9 and rates[best] > 0
    findings = () if ok else (_matters(names, rates, worst, best, wording),)
    return Flexibility(
        rates=rates,
        mean=float(table.mean()),
        spread=spread,
        worst=worst,
        best=best,
        unsteady=float((table.min(axis=0) != table.max(axis=0)).mean()),
        p=_chance(table, seed),
        ok=ok,
        findings=findings,
    )


def fields_of(prompt: str, wording: Wording) -> tuple[float, list[Finding]]:
    """(share of the changing parts that are fields, a finding for each that is hard-wired).

    What changes from case to case are quotations and data, and names, dates and amounts. Without any field the share
    is 0: the prompt then serves one case.
    """
    reading = read(prompt, wording)
    fields = {found.span() for found in FIELDS.finditer(prompt)}
    runs = [
        found.span()
        for found in re.finditer(rf"{MATERIAL}(?:[{MATERIAL}\s]*{MATERIAL})?", reading.request)
        if not any(start < found.end() and found.start() < end for start, end in fields)
    ]
    values = [found.span() for found in any_of(wording.values).finditer(reading.request)]
    spans = sorted([*runs, *values]) or ([] if fields else [(0, len(prompt))])
    found = [_hard_wired(prompt, start, end, wording) for start, end in spans]
    return len(fields) / (len(fields) + len(spans)), found


def _table(successes: Mapping[str, Sequence[Any]]) -> tuple[list[str], np.ndarray]:
    """(wordings, (wordings, cases) of 0 and 1), or an error that says what is wrong."""
    if not isinstance(successes, Mapping) or len(successes) < 2:
        raise LabkitError("successes must give at least two wordings: {wording: [True, False, ...], ...}.")
    sizes = {len(row) for row in successes.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise LabkitError("successes: try every wording on the same cases, at least one, in the same order.")
    table = np.array([[float(value) for value in row] for row in successes.values()])
    if not np.isin(table, (0, 1)).all():
        raise LabkitError("successes must hold True or False (1 or 0) only, one for each case.")
    return list(successes), table


def _chance(table: np.ndarray, seed: int) -> float:
    """By permutation: within each case the outcomes are dealt to the wordings anew (the wordings are exchangeable)."""
    rng = np.random.default_rng(seed)
    spread = np.ptp(table.mean(axis=1))
    dealt = [np.ptp(rng.permuted(table, axis=0).mean(axis=1)) for _ in range(SAMPLES)]
    return float((np.sum(np.array(dealt) >= spread - 1e-9) + 1) / (SAMPLES + 1))


def _matters(
    names: list[str], rates: Mapping[str, float], worst: str, best: str, wording: Wording
) -> Finding:
    words = f"{rates[best]:.0%} … {rates[worst]:.0%}"
    why, mend = (text.format(words=words) for text in wording.messages["paraphrase_matters"])
    place = names.index(worst)
    return Finding("flexibility", "paraphrase_matters", worst, place, place + 1, why, mend, STRONG)


def _hard_wired(prompt: str, start: int, end: int, wording: Wording) -> Finding:
    own = prompt[start:end]
    shown = own if len(own) <= 40 else own[:37] + "…"
    why, mend = (text.format(words=shown) for text in wording.messages["hard_wired_value"])
    return Finding("flexibility", "hard_wired_value", own, start, end, why, mend, STRONG)
