"""Precision: whether a prompt says what is wanted so that an answer can be checked against it."""

from __future__ import annotations

from labkit.prompts.findings import SLIGHT, STRONG, Finding
from labkit.prompts.reading import Reading
from labkit.prompts.wording import MATERIAL, Wording, any_of

# What each kind of task has to state. Where the answer is determined by the question or the material, nothing.
NEEDS = {
    "role": (),
    "speech": ("voice",),
    "image": ("look",),
    "picture": ("look",),
    "translate": ("language",),
    "code": ("code_language",),
    "summarize": ("length",),
    "analyse": ("length",),
    "advice": ("length",),
    "recommend": ("count",),
    "message": ("length",),
    "rework": (),
    "list": ("count",),
    "write": ("length", "audience"),
    "question": (),
    "open_question": ("length",),
    "other": (),
}
WITH_SUBJECT = frozenset(NEEDS) - {"role", "rework", "translate", "summarize"}
DETAILS = 2  # kinds of detail that a picture or a voice needs at least


def kind_of(reading: Reading, wording: Wording) -> str:
    """The kind of task: the first in the wording's list whose pattern occurs in the request."""
    for kind, pattern in wording.kinds:
        if any_of((pattern,)).search(reading.request):
            return kind
    return "other"


def precision(reading: Reading, wording: Wording) -> list[Finding]:
    """What a prompt leaves open that an answer would have to be checked for."""
    kind = kind_of(reading, wording)
    missing: list[tuple[str, str]] = []
    if kind in WITH_SUBJECT and not has_subject(reading, wording):
        missing.append(("missing_subject", ""))
    for need in NEEDS[kind]:
        weakness = _unmet(need, reading, wording)
        if weakness:
            missing.append(weakness)
    return [_finding(weakness, words, reading, wording) for weakness, words in missing]


def has_subject(reading: Reading, wording: Wording) -> bool:
    """Whether anything is left of a prompt without the words that name no subject. Material is one."""
    if reading.has_material:
        return True
    rest = reading.request
    for patterns in (wording.extents, wording.vague, wording.soft, wording.open_choices, wording.empty):
        rest = any_of(patterns).sub(" ", rest)
    return sum(sign.isalpha() for sign in rest) >= wording.subject_signs


def stated(reading: Reading, wording: Wording) -> frozenset[str]:
    """The kinds of requirement that a prompt states: length, count, audience, language, look, voice, material."""
    tests = {
        "length": wording.extents,
        "count": wording.counts,
        "audience": wording.audiences,
        "language": wording.languages,
        "code_language": wording.code_languages,
        "material": (MATERIAL,),
    }
    found = {name for name, patterns in tests.items() if any_of(patterns).search(reading.request)}
    for name, details in (("look", wording.image_details), ("voice", wording.voice_details)):
        if sum(bool(any_of(patterns).search(reading.shown)) for patterns in details.values()) >= DETAILS:
            found.add(name)
    return frozenset(found)


def _unmet(need: str, reading: Reading, wording: Wording) -> tuple[str, str] | None:
    """(weakness, words for its message) where a prompt lacks what its kind of task needs."""
    has = stated(reading, wording)
    forms = {"look": wording.messages["image_form"][0], "voice": wording.messages["voice_form"][0]}
    if need in forms:
        return None if need in has else ("missing_format", forms[need])
    if need == "count":
        return None if has & {"length", "count"} else ("missing_count", "")
    if need == "code_language":
        given = need in has or any_of(wording.code_languages).search(reading.prompt)
        return None if given else ("missing_language", "")
    if need == "language":
        return None if has & {"language", "code_language"} else ("missing_language", "")
    return None if need in has else (f"missing_{need}", "")


def _finding(weakness: str, words: str, reading: Reading, wording: Wording) -> Finding:
    why, mend = (text.format(words=words) for text in wording.messages[weakness])
    weight = SLIGHT if weakness == "missing_audience" else STRONG
    return Finding("precision", weakness, "", 0, len(reading.prompt), why, mend, weight)
