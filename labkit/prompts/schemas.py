"""Output schemas: worded into a prompt, found again in an answer, validated by key, with one repair attempt."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labkit.common import LANGUAGES, LabkitError
from labkit.prompts.messages import GREEDY, Backend, Message, Reply, Settings

TYPES = ("str", "int", "float", "bool", "list", "choice")
SHOWN_CHARACTERS = 60  # of a wrong value, in a reason: an answer may hold a novel

# How a type is called, in a prompt and in a reason.
TYPE_WORDS = {
    "en": {
        "str": "a text",
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "list": "a list of texts",
    },
    "zh": {
        "str": "字符串",
        "int": "整数",
        "float": "数值",
        "bool": "true 或 false",
        "list": "字符串列表",
    },
}
WORDS = {
    "en": {
        "request": "Answer with one JSON object{alone} with these keys: {keys}.",
        "alone": " and nothing else,",
        "key": "{name} ({about})",
        "about": ", ",
        "choice": "one of {choices}",
        "optional": "may be left out",
        "join": ", ",
        "missing": "the key {name} is missing",
        "unknown": "there is no key {name} in the schema",
        "wrong": "the key {name} must be {type}, and is {value}",
        "twice": "the key {name} is there twice",
        "no object": "there is no JSON object in the answer",
        "list": "the answer is a list, and must be one JSON object",
        "cut off": "the answer was cut off: it must be shorter",
        "broken": "the JSON breaks at line {line}, column {column}, near {near}",
        "repair": "Your answer cannot be used: {problems}.",
    },
    "zh": {
        "request": "请{alone}输出一个 JSON 对象，包含以下键：{keys}。",
        "alone": "只",
        "key": "{name}（{about}）",
        "about": "，",
        "choice": "{choices} 之一",
        "optional": "可省略",
        "join": "、",
        "missing": "缺少键 {name}",
        "unknown": "要求中没有键 {name}",
        "wrong": "键 {name} 应为{type}，实际为 {value}",
        "twice": "键 {name} 出现了两次",
        "no object": "回答中没有 JSON 对象",
        "list": "回答是一个列表，应为一个 JSON 对象",
        "cut off": "回答过长被截断，请写短一些",
        "broken": "JSON 在第 {line} 行第 {column} 列 {near} 附近有语法错误",
        "repair": "你的回答无法使用：{problems}。",
    },
}
BRACKET = re.compile(r"[{\[]")  # where an object or a list may begin


@dataclass(frozen=True)
class Key:
    """One key of an answer. ``type`` is one of ``TYPES``; a ``list`` holds texts, a ``choice`` is one of ``choices``.

    ``description`` says what the value is, in the language of the prompt. Raises LabkitError naming the field.
    """

    name: str
    type: str = "str"
    description: str = ""
    choices: tuple[str, ...] = ()
    required: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise LabkitError(f"name of a key must be a text that is not empty, and is {self.name!r}.")
        if self.type not in TYPES:
            raise LabkitError(
                f"type of the key {self.name!r} is {self.type!r}. Use one of: {', '.join(TYPES)}."
            )
        if (self.type == "choice") != bool(self.choices):
            raise LabkitError(
                f'choices of the key {self.name!r} go with type="choice", as in choices=("yes", "no").'
            )
        if not isinstance(self.choices, tuple) or not all(isinstance(choice, str) for choice in self.choices):
            raise LabkitError(
                f"choices of the key {self.name!r} must be a tuple of texts, not {self.choices!r}."
            )

    def json_schema(self) -> dict[str, Any]:
        """This key's value in JSON Schema."""
        if self.type == "choice":
            return {"enum": list(self.choices)}
        if self.type == "list":
            return {"type": "array", "items": {"type": "string"}}
        return {"type": {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}[self.type]}

    def type_words(self, language: str) -> str:
        """What the value must be, in words."""
        if self.type == "choice":
            words = WORDS[language]
            return words["choice"].format(choices=words["join"].join(map(_quoted, self.choices)))
        return TYPE_WORDS[language][self.type]


@dataclass(frozen=True)
class Schema:
    """The keys that an answer must have: one flat JSON object, without other keys.

    >>> schema = Schema((Key("name"), Key("age", "int", required=False)))
    >>> schema.problems({"age": "ten"})
    ('the key "name" is missing', 'the key "age" must be a whole number, and is "ten"')

    ``language`` is that of the descriptions, and so of the request and the reasons: ``en`` or ``zh``.
    """

    keys: tuple[Key, ...]
    language: str = "en"

    def __post_init__(self) -> None:
        if not isinstance(self.keys, tuple) or not all(isinstance(key, Key) for key in self.keys):
            raise LabkitError(f'keys must be a tuple of Key, as in (Key("name"),), and is {self.keys!r}.')
        if not self.keys:
            raise LabkitError("keys is empty. A schema needs at least one Key.")
        names = [key.name for key in self.keys]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise LabkitError(f"keys has {twice!r} twice. Give each key its own name.")
        if self.language not in LANGUAGES:
            raise LabkitError(f"language is {self.language!r}. Use one of: {', '.join(LANGUAGES)}.")

    def json_schema(self) -> dict[str, Any]:
        """The schema in JSON Schema (draft 2020-12), as validators and many endpoints take it."""
        return {
            "type": "object",
            "properties": {key.name: key.json_schema() for key in self.keys},
            "required": [key.name for key in self.keys if key.required],
            "additionalProperties": False,
        }

    def words(self, alone: bool = True) -> str:
        """The request for such an answer, as a sentence of a prompt.

        Without ``alone`` other text may stand before the object, as when the model is to think first.
        """
        words = WORDS[self.language]
        keys = []
        for key in self.keys:
            about = [
                key.description,
                key.type_words(self.language),
                "" if key.required else words["optional"],
            ]
            text = words["about"].join(part for part in about if part)
            keys.append(words["key"].format(name=_quoted(key.name), about=text))
        only = words["alone"] if alone else ""
        return words["request"].format(alone=only, keys=words["join"].join(keys))

    def problems(self, value: Any) -> tuple[str, ...]:
        """What is wrong with ``value``, each reason naming its key, in the order of the keys; empty where it fits."""
        import jsonschema  # here: its import takes longer than that of all of labkit.prompts

        words = WORDS[self.language]
        found: dict[str, str] = {}
        for error in jsonschema.Draft202012Validator(self.json_schema()).iter_errors(value):
            if error.path:
                name = str(error.path[0])
                kind = next(key for key in self.keys if key.name == name).type_words(self.language)
                reason = words["wrong"].format(name=_quoted(name), type=kind, value=_shown(value[name]))
                found[name] = reason
            elif error.validator == "required":
                missing = [name for name in error.validator_value if name not in value]
                found |= {name: words["missing"].format(name=_quoted(name)) for name in missing}
            elif error.validator == "additionalProperties":
                unknown = [name for name in value if all(key.name != name for key in self.keys)]
                found |= {name: words["unknown"].format(name=_quoted(name)) for name in unknown}
            else:
                return (words["list" if isinstance(value, list) else "no object"],)
        order = [key.name for key in self.keys if key.name in found]
        return tuple(found[name] for name in [*order, *(name for name in found if name not in order)])


@dataclass(frozen=True)
class Parsed:
    """An answer that was asked for with a schema.

    ``value`` is the object, or None where even the last reply does not fit; ``problems`` are then the reasons,
    else empty. ``replies`` are all of them; ``first_problems`` are what was sent back after the first, and are
    empty where the first reply fitted.
    """

    value: dict[str, Any] | None
    replies: tuple[Reply, ...]
    problems: tuple[str, ...]
    first_problems: tuple[str, ...] = ()

    @property
    def attempts(self) -> int:
        """How many replies it took: 1 or 2."""
        return len(self.replies)


# ---------------------------------------------------------------------------------------------------------------
# From an answer to a value


class _NotJson(ValueError):
    """A value that Python's reader takes and JSON does not have."""


def find_objects(text: str) -> tuple[list[Any], json.JSONDecodeError | None]:
    """All JSON objects and lists in ``text``, in order, wherever they stand (a code fence, between sentences).

    Also the error of the bracket at which reading got furthest before the JSON broke, or None. Objects inside
    others, and inside one that breaks, are not objects of the answer.
    """
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite_float
    )
    found: list[Any] = []
    furthest, reached = None, 0
    place = 0
    while (bracket := BRACKET.search(text, place)) is not None:
        start = bracket.start()
        try:
            value, place = decoder.raw_decode(text, start)
            found.append(value)
        except json.JSONDecodeError as error:
            place = max(start + 1, error.pos)
            if text[start] == "{" and error.pos - start > reached:
                furthest, reached = error, error.pos - start
        except _NotJson as error:
            place = start + 1
            furthest, reached = json.JSONDecodeError(str(error), text, start), len(text)
        except (ValueError, RecursionError):  # a number of thousands of digits, brackets thousands deep
            return found, json.JSONDecodeError("too large", text, start)
    return found, furthest


def parse(text: str, schema: Schema) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """(value, ()) for an answer that holds an object of the schema, else (None, reasons).

    Of several objects the last that fits counts: a model that thinks aloud says its answer last. Where none
    fits, the reasons are those against the last.
    """
    words = WORDS[schema.language]
    found, broken = find_objects(text)
    objects = [value for value in found if isinstance(value, dict)]
    for value in reversed(objects):
        if not _repeated(value) and not schema.problems(value):
            return _typed(value, schema), ()
    if objects:
        twice = tuple(words["twice"].format(name=_quoted(name)) for name in _repeated(objects[-1]))
        return None, twice or schema.problems(objects[-1])
    if broken is not None:
        near = _shown(text[broken.pos : broken.pos + 20])
        return None, (words["broken"].format(line=broken.lineno, column=broken.colno, near=near),)
    return None, (words["list" if found else "no object"],)


class _Object(dict):
    """An object of JSON that remembers which keys were written twice (a dict keeps the last value alone)."""

    repeated: tuple[str, ...] = ()


def _unique(pairs: list[tuple[str, Any]]) -> _Object:
    value = _Object(pairs)
    names = [name for name, _ in pairs]
    value.repeated = tuple(name for name in value if names.count(name) > 1)
    return value


def _repeated(value: dict[str, Any]) -> tuple[str, ...]:
    return getattr(value, "repeated", ())


def _no_constant(name: str) -> float:
    raise _NotJson(name)


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NotJson(text)
    return value


def _typed(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """A plain dict in the order of the schema; 3.0 is a whole number to JSON, and 3 is a number."""
    casts = {"int": int, "float": float}
    return {
        key.name: casts.get(key.type, lambda same: same)(value[key.name])
        for key in schema.keys
        if key.name in value
    }


# ---------------------------------------------------------------------------------------------------------------
# Asking a model


def ask(
    backend: Backend,
    messages: Sequence[Message],
    schema: Schema,
    settings: Settings = GREEDY,
) -> Parsed:
    """The model's answer as an object of ``schema``; a reply that does not fit is sent back once, with the reasons.

    The messages are sent as they are: ``schema.words()``, or a template with the schema, belongs in them.
    """
    return ask_all(backend, [messages], [schema], settings)[0]


def ask_all(
    backend: Backend,
    conversations: Sequence[Sequence[Message]],
    schemas: Sequence[Schema],
    settings: Settings = GREEDY,
) -> list[Parsed]:
    """``ask`` for many conversations, each with its schema: one call of the backend, and one for all repairs."""
    if len(schemas) != len(conversations):
        raise LabkitError(f"There are {len(conversations)} conversations and {len(schemas)} schemas.")
    first = replies_of(backend, conversations, settings)
    parsed = [_parsed(reply, schema) for reply, schema in zip(first, schemas, strict=True)]
    wrong = [index for index, answer in enumerate(parsed) if answer.value is None]
    again = [
        [
            *conversations[i],
            Message("assistant", first[i].text),
            repair_message(parsed[i], schemas[i]),
        ]
        for i in wrong
    ]
    for index, reply in zip(wrong, replies_of(backend, again, settings), strict=True):
        second = _parsed(reply, schemas[index])
        parsed[index] = Parsed(second.value, (first[index], reply), second.problems, parsed[index].problems)
    return parsed


def repair_message(parsed: Parsed, schema: Schema) -> Message:
    """What sends an answer back: what is wrong with it, and the request once more."""
    words = WORDS[schema.language]
    separator = "；" if schema.language == "zh" else "; "
    problems = words["repair"].format(problems=separator.join(parsed.problems))
    return Message("user", f"{problems}\n{schema.words()}")


def replies_of(
    backend: Backend, conversations: Sequence[Sequence[Message]], settings: Settings
) -> list[Reply]:
    """The backend's replies, of which there must be as many as conversations; none are asked for none."""
    if not conversations:
        return []
    replies = list(backend.complete(conversations, settings))
    if len(replies) != len(conversations):
        raise LabkitError(
            f"The backend {backend.name!r} gave {len(replies)} replies to {len(conversations)} conversations. "
            "Its complete() must return one for each, in their order."
        )
    return replies


def _parsed(reply: Reply, schema: Schema) -> Parsed:
    value, problems = parse(reply.text, schema)
    if value is None and reply.finish == "length":
        problems = (*problems, WORDS[schema.language]["cut off"])
    return Parsed(value, (reply,), problems)


# ---------------------------------------------------------------------------------------------------------------
# Words


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
