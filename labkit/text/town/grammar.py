"""Sentence patterns that both write and read: alternation, slots for entities, macros."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from labkit.common import LabkitError

TOKEN = re.compile(r"\[|\]|\||\{[a-z_]+(?::[a-z_]+)?\}|<[a-z_]+>|[^\[\]|{}<>]+")


@dataclass(frozen=True)
class Slot:
    """A place for the value of ``role``, written in ``form`` ("" is the plain one)."""

    role: str
    form: str


@dataclass(frozen=True)
class Choice:
    """One of several sequences; each is as likely as the others."""

    options: tuple[tuple[Node, ...], ...]


Node = str | Slot | Choice

Write = Callable[[str, str], str]  # role, form -> surface
Match = dict[str, list[tuple[str, str]]]  # role -> (form, surface) of each mention


@dataclass(frozen=True)
class Pattern:
    """One construction: ``[a|b|]`` is a choice, ``{role:form}`` a slot, ``<name>`` a macro.

    The same pattern writes a sentence and reads it back, so what the town's grammar can say is exactly what
    its parser accepts.
    """

    source: str
    macros: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False, repr=False)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        tokens = _tokens(self.source, self.macros)
        nodes, rest = _sequence(tokens, 0)
        if rest != len(tokens):
            raise LabkitError(f"Pattern {self.source!r}: a ']' or '|' stands outside of a choice.")
        return nodes

    @cached_property
    def roles(self) -> frozenset[str]:
        """Roles of all slots, those of optional parts included."""
        return frozenset(slot.role for slot in _slots(self.nodes))

    @cached_property
    def anchors(self) -> tuple[str, ...]:
        """Literals that every sentence of this pattern contains, longest first: a cheap test before the costly one."""
        literals = [node for node in self.nodes if isinstance(node, str)]
        first = self.nodes[0]
        if isinstance(first, str) and literals:
            literals = [first[1:], *literals[1:]]  # its first letter may be a capital
        return tuple(sorted((text for text in literals if text), key=len, reverse=True)[:3])

    @cached_property
    def branches(self) -> tuple[tuple[str, ...], ...]:
        """For a choice whose options all have literals: one literal of each, of which a sentence contains one."""
        found = []
        for index, node in enumerate(self.nodes):
            if not isinstance(node, Choice):
                continue
            longest = []
            for option in node.options:
                literals = [part for part in option if isinstance(part, str)]
                if index == 0 and literals and literals[0] is option[0]:
                    literals[0] = literals[0][1:]  # its first letter may be a capital
                longest.append(max(literals, key=len, default=""))
            if all(longest):
                found.append(tuple(longest))
        return tuple(found)

    def may_match(self, text: str) -> bool:
        """A quick test that is never wrong when it says no."""
        for anchor in self.anchors:  # plain loops: this runs for every pattern and sentence
            if anchor not in text:
                return False
        for literals in self.branches:
            for literal in literals:
                if literal in text:
                    break
            else:
                return False
        return True

    def write(self, rng: Random, surface: Write) -> str:
        """A random sentence; ``surface(role, form)`` gives the words of each slot."""
        parts: list[str] = []
        _write(self.nodes, rng, surface, parts)
        return "".join(parts)

    def count(self) -> int:
        """Number of different ways through the choices of this pattern."""
        return _count(self.nodes)

    def compile(self, slot_pattern: Write) -> tuple[re.Pattern[str], tuple[Slot, ...]]:
        """A regular expression with one group for each slot, in order; ``slot_pattern(role, form)`` is a slot's own."""
        slots: list[Slot] = []
        return re.compile(_regex(self.nodes, slot_pattern, slots)), tuple(slots)


def _tokens(source: str, macros: Mapping[str, str], depth: int = 0) -> list[str]:
    if depth > 8:
        raise LabkitError(f"Pattern {source!r}: its macros contain each other.")
    tokens: list[str] = []
    position = 0
    for match in TOKEN.finditer(source):
        if match.start() != position:
            break
        position = match.end()
        token = match.group()
        if token.startswith("<"):
            name = token[1:-1]
            if name not in macros:
                raise LabkitError(f"Pattern {source!r}: there is no macro <{name}>.")
            tokens.extend(_tokens(macros[name], macros, depth + 1))
        else:
            tokens.append(token)
    if position != len(source):
        raise LabkitError(f"Pattern {source!r}: cannot be read from character {position} on.")
    return tokens


def _sequence(tokens: list[str], position: int) -> tuple[tuple[Node, ...], int]:
    nodes: list[Node] = []
    while position < len(tokens):
        token = tokens[position]
        if token in ("]", "|"):
            break
        if token == "[":
            options = []
            while True:
                option, position = _sequence(tokens, position + 1)
                options.append(option)
                if position >= len(tokens):
                    raise LabkitError(f"Pattern {''.join(tokens)!r}: a '[' is not closed.")
                if tokens[position] == "]":
                    break
            nodes.append(Choice(tuple(options)))
        elif token.startswith("{"):
            role, _, form = token[1:-1].partition(":")
            nodes.append(Slot(role, form))
        elif nodes and isinstance(nodes[-1], str):
            nodes[-1] += token  # a literal and that of a macro beside it
        else:
            nodes.append(token)
        position += 1
    return tuple(nodes), position


def _slots(nodes: tuple[Node, ...]) -> list[Slot]:
    found: list[Slot] = []
    for node in nodes:
        if isinstance(node, Slot):
            found.append(node)
        elif isinstance(node, Choice):
            for option in node.options:
                found.extend(_slots(option))
    return found


def _write(nodes: tuple[Node, ...], rng: Random, surface: Write, parts: list[str]) -> None:
    for node in nodes:
        if isinstance(node, str):
            parts.append(node)
        elif isinstance(node, Slot):
            parts.append(surface(node.role, node.form))
        else:
            _write(node.options[int(rng.random() * len(node.options))], rng, surface, parts)


def _count(nodes: tuple[Node, ...]) -> int:
    total = 1
    for node in nodes:
        if isinstance(node, Choice):
            total *= sum(_count(option) for option in node.options)
    return total


def _regex(nodes: tuple[Node, ...], slot_pattern: Write, slots: list[Slot]) -> str:
    parts = []
    for node in nodes:
        if isinstance(node, str):
            parts.append(re.escape(node))
        elif isinstance(node, Slot):
            slots.append(node)
            parts.append(f"({slot_pattern(node.role, node.form)})")
        else:
            parts.append(
                "(?:" + "|".join(_regex(option, slot_pattern, slots) for option in node.options) + ")"
            )
    return "".join(parts)


def trie_regex(words: list[str]) -> str:
    """A regular expression for exactly these words, longest first: shared beginnings are tried once."""
    trie: dict = {}
    for word in words:
        node = trie
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return _trie(trie)


def _trie(node: dict) -> str:
    options = [re.escape(key) + _trie(child) for key, child in node.items() if key]
    if not options:
        return ""
    body = options[0] if len(options) == 1 and "" not in node else "(?:" + "|".join(options) + ")"
    return body + "?" if "" in node else body
