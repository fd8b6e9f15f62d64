"""Processor time in units of a fixed piece of Python work, so that a bound holds on slow and busy machines alike."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

ROUNDS = 5  # the fastest counts: a neighbour on the same processor takes its caches
WORDS = " ".join(f"the shop in lane {number} opens at {number % 12}" for number in range(200))
PATTERN = re.compile(r"(?P<place>\w+ in lane (?P<number>\d+)) opens at (?P<hour>\d+)")


def unit() -> None:
    """Patterns, dictionaries and strings, as most of our Python code has them: about a millisecond."""
    places: dict[str, int] = {}
    for _ in range(4):
        for match in PATTERN.finditer(WORDS):
            places[match["place"]] = places.get(match["place"], 0) + int(match["hour"])
        "".join(sorted(places))


def units_of(work: Callable[[], object]) -> float:
    """How many times as long as ``unit`` the work takes, both in turn and the fastest of each."""
    fastest = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for place, one in enumerate((unit, work)):
            start = time.process_time()
            one()
            fastest[place] = min(fastest[place], time.process_time() - start)
    return fastest[1] / fastest[0]
