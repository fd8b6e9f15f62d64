"""What the review of prompts knows of a language: the form that ``wording_en`` and ``wording_zh`` fill in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from labkit.common import LANGUAGES, LabkitError

CLARITY = ("vague_word", "unclear_reference", "several_tasks", "contradiction", "ambiguity")
PRECISION = (
    "missing_subject",
    "missing_length",
    "missing_count",
    "missing_format",
    "missing_audience",
    "missing_language",
)
WEAKNESSES = CLARITY + PRECISION
MATERIAL = "\ufffc"  # stands, sign by sign, where a prompt holds text to work on rather than a request


@dataclass(frozen=True)
class Wording:
    """Patterns and messages of one language. Every pattern is a regular expression; case is ignored.

    A pattern sees the prompt with its material (quotations, code, data) replaced by ``MATERIAL``, place by place.
    """

    language: str
    # reading a prompt
    courtesies: tuple[str, ...]  # greetings and thanks: they ask for nothing
    material_labels: tuple[str, ...]  # "Notes", "Text": what follows their colon is material
    rule_labels: tuple[str, ...]  # "Rules", "Format": what follows their colon is part of the request
    verbs: Mapping[str, tuple[str, ...]]  # families of tasks: family -> verbs; "aside" are parts of a task
    openings: str  # what may stand before the verb of a task
    clause_ends: str  # where the next clause begins
    # clarity
    vague: tuple[str, ...]  # each is enough to leave a request open
    soft: tuple[str, ...]  # vague words that harm only together
    excused: tuple[str, ...]  # where such a word is precise after all
    pronouns: tuple[str, ...]  # fine after something that they can stand for
    antecedents: tuple[str, ...]  # what a pronoun can stand for
    persons: tuple[str, ...]  # pronouns for people: fine after one
    people: tuple[str, ...]
    pointers: tuple[str, ...]  # "the attached report": fine where the prompt holds material
    memories: tuple[str, ...]  # "as last time": what no prompt can hold
    rivals: tuple[str, ...]  # one pronoun, two candidates
    asides: tuple[str, ...]  # "by the way": a new task begins
    opposites: tuple[tuple[str, str], ...]  # pairs that no answer can satisfy together
    most: tuple[str, ...]  # "at most N words": groups number and unit
    least: tuple[str, ...]  # "at least N words"
    units: Mapping[str, tuple[str, float]]  # unit -> its dimension ("words") and its size in it
    open_choices: tuple[str, ...]  # "or something", "as you like"
    # precision
    kinds: tuple[tuple[str, str], ...]  # in this order: kind of task, pattern
    extents: tuple[str, ...]  # lengths, and forms that fix one
    counts: tuple[str, ...]
    audiences: tuple[str, ...]
    languages: tuple[str, ...]  # human languages, as the target of a translation
    code_languages: tuple[str, ...]
    image_details: Mapping[str, tuple[str, ...]]
    voice_details: Mapping[str, tuple[str, ...]]
    rules: tuple[str, ...]  # words of requirements: what holds one is no material
    empty: tuple[str, ...]  # words that name no subject: "write", "a", "poem"
    subject_signs: int  # letters that a subject has at least
    # messages: weakness -> (why, mend), with {words} for the words found
    messages: Mapping[str, tuple[str, str]]
    # sets and templates
    form_names: Mapping[str, str]  # of the requirements in ``precision.stated``; "none" for none
    kind_names: Mapping[str, str]  # of the kinds worth asking for in a set
    values: tuple[str, ...]  # names, dates and amounts, which change from case to case


@lru_cache(maxsize=512)
def any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for all of them; for none, one that never matches."""
    return re.compile("|".join(f"(?:{p})" for p in patterns) if patterns else r"(?!)", re.IGNORECASE)


def wording(language: str) -> Wording:
    """The word lists and messages of a language."""
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. Set it to one of: {', '.join(LANGUAGES)}.")
    if language == "zh":
        from labkit.prompts.wording_zh import CHINESE

        return CHINESE
    from labkit.prompts.wording_en import ENGLISH

    return ENGLISH


def detect(prompt: str) -> str:
    """``zh`` where at least as many Chinese characters as Latin words stand outside of quotations, else ``en``."""
    outside = re.sub(r"```.*?```|`[^`\n]*`|\"[^\"\n]*\"|“[^”]*”", " ", prompt, flags=re.DOTALL)
    for text in (outside, prompt):
        characters = len(re.findall(r"[\u4e00-\u9fff]", text))
        words = len(re.findall(r"[A-Za-z]+", text))
        if characters or words:
            return "zh" if characters >= words else "en"
    return "en"
