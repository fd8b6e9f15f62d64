"""Faithfulness: does the article say each name, number, date and time that its summary states?"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from labkit.summaries.claims import Claim, claims
from labkit.summaries.texts import check_language, language_of
from labkit.text.town.values import types

# Types of the town whose values are names: people also by one of theirs, places and streets, teams, pets.
NAMED = {"person": ("", "first"), "place": ("",), "street": ("",), "team": ("",), "pet_name": ("",)}


@dataclass(frozen=True)
class Support:
    """The claims of a summary, and those of them that its article does not support."""

    claims: tuple[Claim, ...]
    unsupported: tuple[Claim, ...]

    @property
    def share(self) -> float:
        """Share of the claims that are supported; 1 where there are none."""
        return 1 - len(self.unsupported) / len(self.claims) if self.claims else 1.0


@cache
def town_names(language: str) -> tuple[str, ...]:
    """The names of the town in a language, for ``support``."""
    check_language(language)
    return tuple(
        dict.fromkeys(
            types()[name].write(value, language, form)
            for name, forms in NAMED.items()
            for form in forms
            for value in types()[name].values()
        )
    )


def support(
    summary: str, article: str, language: str | None = None, names: Collection[str] | None = None
) -> Support:
    """What a summary claims and whether its article claims it too.

    ``language`` is by default that of the article, ``names`` those of the town (see ``claims.claims``: Chinese names
    must be known). A month is supported by any date in it, a time by the same time of the other half of the day.
    This tells that a name or number occurs, not that the right thing is said of it.
    """
    language = language or language_of(article) or "en"
    names = town_names(language) if names is None else names
    stated = tuple(claims(summary, language, names))
    said = claims(article, language, names)
    values = {(claim.kind, claim.value) for claim in said}
    months = {claim.value[0] for claim in said if isinstance(claim.value, tuple) and claim.kind == "date"}
    wrong = tuple(claim for claim in stated if not _is_supported(claim, article, values, months))
    return Support(stated, wrong)


def _is_supported(claim: Claim, article: str, values: set, months: set) -> bool:
    if claim.kind == "name":
        return _names(claim.value, article)
    if (claim.kind, claim.value) in values:
        return True
    is_month = claim.kind == "date" and isinstance(claim.value, tuple) and claim.value[1] == 0
    return is_month and claim.value[0] in months


def _names(value: object, article: str) -> bool:
    """A given name occurs as it is; a run of capital words as a run, after the first word of a sentence if need be."""
    if isinstance(value, str):
        return _occurs(value, article)
    begins, *words = value  # type: ignore[misc]
    # "Student Zhao Min" is Zhao Min; "Tom Hart" is not Hart where the article knows a Tom.
    drops = begins and re.search(rf"\b{re.escape(words[0])}\b", article) is None
    runs = [words, words[1:]] if drops else [words]
    return any(_occurs(" ".join(run), article) for run in runs if run)


def _occurs(name: str, article: str) -> bool:
    edge = r"\b" if name[0].isascii() else ""
    return re.search(f"{edge}{re.escape(name)}{edge}", article, re.IGNORECASE) is not None
