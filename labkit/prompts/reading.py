"""A prompt taken apart: the request, and the material that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labkit.prompts.wording import MATERIAL, Wording, any_of

# Code, tagged text, and quotations in the signs of both languages. An apostrophe inside a word opens none.
ENCLOSED = re.compile(
    r"```.*?```|<([A-Za-z]\w*)>.*?</\1>|`[^`\n]+`|\"[^\"\n]+\"|“[^”]+”|«[^»]+»|「[^」]+」|『[^』]+』"
    r"|(?<![\w'])'[^'\n]+'(?!\w)|\[[^\]\n]*\]",
    re.DOTALL,
)
TITLES = re.compile(r"《[^》]+》")
FIELDS = re.compile(r"(?<!\{)\{[^\W\d]\w*\}(?!\})")
LABEL = re.compile(
    r"(?:^|(?<=[.!?]\s)|(?<=[。！？\n]))[ \t]*([^\s:：.!?。！？][^:：\n.!?。！？]{0,30})(?:：|:(?=\s|[^\x00-\x7f]))",
    re.M,
)
NUMBERS = re.compile(r"(?<=[?？.。])\s*\d[\d.,，、;；\s%-]{4,}$")  # data that follow a question
COLON = re.compile(r"：|:(?=\s|[^\x00-\x7f])")
TAIL = re.compile(r"[^\n]*?(?=[.!?](?:\s|$)|[。！？\n]|$)")


@dataclass(frozen=True)
class Reading:
    """Three texts of one length. ``request`` has ``MATERIAL`` for every sign that is not part of the request;

    ``shown`` has it for what stands in quotation marks, tags or code only.
    """

    prompt: str
    request: str
    shown: str
    fields: tuple[str, ...]

    @property
    def has_material(self) -> bool:
        """Whether the prompt holds text to work on, or a field that will be filled with it."""
        return MATERIAL in self.request


def read(prompt: str, wording: Wording) -> Reading:
    """Tell the request from what is quoted, coded, tagged, or listed after a colon; courtesies go too."""
    request = prompt
    for pattern in (ENCLOSED, TITLES, FIELDS, NUMBERS):
        request = pattern.sub(_mask, request)
    request = any_of(wording.courtesies).sub(_blank, request)
    shown = request
    for hide in (_labelled, _listed, _lines):
        request = hide(request, wording)
    return Reading(prompt, request, shown, tuple(FIELDS.findall(prompt)))


def clauses(request: str, wording: Wording) -> list[tuple[int, str]]:
    """The clauses of a request with their places."""
    starts = [0, *(found.end() for found in re.finditer(wording.clause_ends, request, re.IGNORECASE))]
    ends = [*starts[1:], len(request)]
    return [
        (start, request[start:end])
        for start, end in zip(starts, ends, strict=True)
        if request[start:end].strip()
    ]


def family(clause: str, wording: Wording) -> str | None:
    """The family of the task that a clause begins with, if it begins with one."""
    head = clause.lstrip(" \t\n,;，、-*•0123456789.)）")
    opening = re.match(wording.openings, head, re.IGNORECASE)
    # "Then write" is writing: the verb behind an opening counts before the opening itself.
    for start in sorted({0, opening.end() if opening else 0}, reverse=True):
        for name, verbs in wording.verbs.items():
            if any_of(verbs).match(head, start):
                return name
    return None


def _mask(found: re.Match[str]) -> str:
    return MATERIAL * len(found[0])


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _hide(request: str, start: int, end: int) -> str:
    return request[:start] + re.sub(r"\S", MATERIAL, request[start:end]) + request[end:]


def _labelled(request: str, wording: Wording) -> str:
    """Hide what follows a label such as "Notes:", to the end of its line, or of its block when it stands alone."""
    for found in LABEL.finditer(request):
        if any_of(wording.material_labels).search(found[1]) and not _is_request(found[1], wording):
            end = request.find("\n", found.end())
            request = _hide(request, found.end(), len(request) if end < 0 else end)
    return request


def _listed(request: str, wording: Wording) -> str:
    """Hide what follows a colon to the end of the sentence, where it is a list of things and not of things to do."""
    for colon in COLON.finditer(request):
        tail = TAIL.match(request, colon.end())
        label = request[: colon.start()].rsplit("\n", 1)[-1]
        if tail and tail[0].strip() and not any_of(wording.rule_labels).search(label[-30:]):
            parts = clauses(tail[0], wording)
            if not any(family(part, wording) for _, part in parts) and not any_of(wording.rules).search(
                tail[0]
            ):
                request = _hide(request, colon.end(), tail.end())
    return request


def _lines(request: str, wording: Wording) -> str:
    """Hide the lines after the first that ask for nothing: minutes, tables, messages to sort."""
    first, *rest = request.split("\n")
    shown, block = [first], _opens_block(first, wording)
    for line in rest:
        if not line.strip():
            shown.append(line)
            continue
        if block or not _is_request(line, wording):
            line = _hide(line, 0, len(line))
        else:
            block = _opens_block(line, wording)
        shown.append(line)
    return "\n".join(shown)


def _opens_block(line: str, wording: Wording) -> bool:
    return line.rstrip().endswith((":", "：")) and not any_of(wording.rule_labels).search(line[-30:])


def _is_request(line: str, wording: Wording) -> bool:
    if any_of(wording.rule_labels).search(line.split(":")[0].split("：")[0]):
        return True
    return any(family(part, wording) for _, part in clauses(line, wording))
