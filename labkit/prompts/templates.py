"""Prompt templates: task, context, style and parameters as parts that compose, filled in by named fields."""

from __future__ import annotations

import difflib
import numbers
import re
import string
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from labkit.common import LANGUAGES, LabkitError
from labkit.prompts.messages import Message
from labkit.prompts.schemas import Schema

PARTS = ("context", "task", "style", "parameters")  # in the order in which a prompt holds them
# With a schema the answer itself is the JSON object; without one, a last line marks it.
THINK = {
    "en": {
        "with schema": "Think step by step first.",
        "alone": 'Think step by step first. Then write the answer on a last line that begins with "Answer:".',
    },
    "zh": {
        "with schema": "请先一步一步地思考。",
        "alone": "请先一步一步地思考，最后另起一行，以“答案：”开头写出答案。",
    },
}
ANSWER_MARK = re.compile(r"^[ \t*#]*(?:answer|答案)[ \t*]*[:：]\**", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """One example of few-shot prompting: what the user asks, and the answer. Both as they are: no fields.

    ``Template.example`` words one with a template.
    """

    request: str
    answer: str

    def __post_init__(self) -> None:
        for name in ("request", "answer"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise LabkitError(
                    f"{name} of an example must be a text that is not empty, and is {getattr(self, name)!r}."
                )


@dataclass(frozen=True)
class Template:
    """A prompt in parts, each a text with places for fields, such as ``{text}``.

    ``task`` is the request itself, ``context`` what the model must know, ``style`` how it should sound,
    ``parameters`` what can be counted (length, format); ``system`` becomes the system message. A brace is
    written ``{{`` or ``}}``; ``literal`` does that for a whole text. ``examples`` come before the request, as
    earlier turns; ``schema`` and ``chain_of_thought`` add their sentence in ``language``.

    >>> template = Template("Summarize: {text}", parameters="At most {count} words.")
    >>> template.render(text="It rained {all day}.", count=5)
    [Message(role='user', content='Summarize: It rained {all day}.\\nAt most 5 words.')]

    Raises LabkitError that names the part or the field.
    """

    task: str
    system: str = ""
    context: str = ""
    style: str = ""
    parameters: str = ""
    examples: tuple[Example, ...] = ()
    schema: Schema | None = None
    chain_of_thought: bool = False
    language: str = "en"

    def __post_init__(self) -> None:
        for part in ("system", *PARTS):
            _pieces(part, getattr(self, part))
        if not self.task.strip():
            raise LabkitError("task is empty. Say what the model should do.")
        if not isinstance(self.examples, tuple) or not all(
            isinstance(example, Example) for example in self.examples
        ):
            raise LabkitError(
                f'examples must be a tuple of Example, as in (Example("2 + 2", "4"),), and is {self.examples!r}.'
            )
        if self.schema is not None and not isinstance(self.schema, Schema):
            raise LabkitError(f"schema must be a Schema or None, and is {self.schema!r}.")
        if not isinstance(self.chain_of_thought, bool):
            raise LabkitError(f"chain_of_thought must be True or False, and is {self.chain_of_thought!r}.")
        if self.language not in LANGUAGES:
            raise LabkitError(f"language is {self.language!r}. Use one of: {', '.join(LANGUAGES)}.")
        if self.schema is not None and self.schema.language != self.language:
            raise LabkitError(
                f"language is {self.language!r}, and that of the schema {self.schema.language!r}. Make them equal."
            )

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields, in the order in which the prompt holds them."""
        pieces = [piece for part in ("system", *PARTS) for piece in _pieces(part, getattr(self, part))]
        return tuple(dict.fromkeys(name for _, name in pieces if name is not None))

    def with_(self, **parts: Any) -> Template:
        """This template with other parts: ``template.with_(style="Write like a poet.")``."""
        names = [field.name for field in fields(Template)]
        for name in parts:
            if name not in names:
                raise LabkitError(f"A template has no part {name!r}. {_suggestion(name, names)}")
        return replace(self, **parts)

    def parts(self, /, **values: Any) -> dict[str, str]:
        """The filled-in parts of the prompt by name, in order, without those that are empty."""
        self._check_fields(values)
        filled = {part: _filled(part, getattr(self, part), values) for part in ("system", *PARTS)}
        if not filled["task"].strip():
            raise LabkitError("task is empty once its fields are filled in. Say what the model should do.")
        if self.chain_of_thought:
            filled["chain_of_thought"] = THINK[self.language]["with schema" if self.schema else "alone"]
        if self.schema is not None:
            filled["schema"] = self.schema.words(alone=not self.chain_of_thought)
        return {part: text for part, text in filled.items() if text}

    def render(self, /, **values: Any) -> list[Message]:
        """The messages, with every ``{field}`` replaced by its value (a text or a number), which stays as it is."""
        parts = self.parts(**values)
        system = parts.pop("system", None)
        messages = [] if system is None else [Message("system", system)]
        for example in self.examples:
            messages += [Message("user", example.request), Message("assistant", example.answer)]
        return [*messages, Message("user", "\n".join(parts.values()))]

    def example(self, answer: str, /, **values: Any) -> Example:
        """An example whose request is worded as this template words it."""
        return Example(self.render(**values)[-1].content, answer)

    def _check_fields(self, values: dict[str, Any]) -> None:
        known = self.fields
        for name, value in values.items():
            if name not in known:
                raise LabkitError(f"The template has no field {name!r}. {_suggestion(name, known)}")
            if isinstance(value, bool) or not isinstance(value, str | numbers.Real):
                raise LabkitError(f"The field {name!r} must be a text or a number, and is {value!r}.")
        missing = [name for name in known if name not in values]
        if missing:
            given = ", ".join(f"{name}=..." for name in missing)
            raise LabkitError(f"The template needs the field {missing[0]!r}. Add: {given}")


def literal(text: str) -> str:
    """``text`` as a part without fields: every brace doubled."""
    return text.replace("{", "{{").replace("}", "}}")


def final_answer(text: str) -> str:
    """What follows the last line that begins with "Answer:" ("答案："); the whole text where no line does.

    For replies to a template with ``chain_of_thought``.
    """
    marks = list(ANSWER_MARK.finditer(text))
    return (text[marks[-1].end() :] if marks else text).strip()


def _pieces(part: str, text: str) -> list[tuple[str, str | None]]:
    """A part as (text, name of the field after it or None)."""
    if not isinstance(text, str):
        raise LabkitError(f"{part} must be a text, and is {text!r}.")
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise LabkitError(
            f"{part} has a single brace ({error}). A field is written {{name}}, and a brace {{{{ or }}}}."
        ) from None
    for _, name, spec, conversion in pieces:
        if name is not None and (not name.isidentifier() or spec or conversion):
            written = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            raise LabkitError(
                f"{part} has the field {{{written}}}. A field is a plain name, such as {{text}}; "
                "a brace is written {{ or }}."
            )
    return [(before, name) for before, name, _, _ in pieces]


def _filled(part: str, text: str, values: dict[str, Any]) -> str:
    return "".join(
        before + ("" if name is None else str(values[name])) for before, name in _pieces(part, text)
    )


def _suggestion(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"There are: {', '.join(known)}." if known else "It has no fields."
