"""The town: a small, consistent world that tells of itself in English and Chinese, with the facts behind each text."""

from labkit.text.town.facts import DYNAMIC, KINDS, STATIC, Fact
from labkit.text.town.gold import gold
from labkit.text.town.judge import TownCheck, Verdict, check_text, parse, parse_notes, split_sentences
from labkit.text.town.world import SENTIMENTS, TOPICS, WORLD_SEED, Episode, World
from labkit.text.town.writer import (
    DOCUMENT_KINDS,
    NOTES_SHARE,
    SPLITS,
    Document,
    documents,
    is_held_out,
    tell,
)

__all__ = [
    "DOCUMENT_KINDS", "DYNAMIC", "KINDS", "NOTES_SHARE", "SENTIMENTS", "SPLITS", "STATIC", "TOPICS", "WORLD_SEED",
    "Document", "Episode", "Fact", "TownCheck", "Verdict", "World",
    "check_text", "documents", "gold", "is_held_out", "parse", "parse_notes", "split_sentences", "tell",
]  # fmt: skip
