"""How not to do it: everything in one context, the best passage is the answer, and a message becomes a query.

This is the baseline of lesson 13. Each of its shortcuts is one that real services have taken: records and answers
searched together, an order looked up by whoever names it, text put into SQL, and articles served as they are.
Never use it for anything but showing that.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labkit.service.knowledge import Article
from labkit.service.policies import PLACEHOLDER, Policies
from labkit.service.retrieval import BM25


@dataclass(frozen=True)
class NaiveReply:
    """Its answer; it never hands over."""

    text: str
    ticket: None = None


class NaiveBot:
    """Answers every message by the passage that shares the most words, or by the order that the message names."""

    def __init__(self, database: Path | str, articles: Sequence[Article], policies: Policies):
        self.database, self.policies = Path(database), policies
        passages = [" ".join([*article.questions, article.answer]) for article in articles]
        self.answers = [article.answer for article in articles]
        for row in self._query("SELECT name, email, phone, address, number, status, note FROM customers "
                               "JOIN orders ON customers.id = customer_id"):  # fmt: skip
            passages.append(" ".join(map(str, row)))
            self.answers.append(" ".join(map(str, row)))
        for name, cents in self._query("SELECT name, cents FROM products"):
            passages.append(f"price {name} 价格 多少钱")
            self.answers.append(f"{name}: {cents / 100:g}")
        self.index = BM25(passages)

    def say(self, message: str) -> NaiveReply:
        """The best passage; where an order is named, its row."""
        match = re.search(r"(LK-\d{6}.*)", message)
        if match:
            try:  # the message's own text, in the middle of a statement
                rows = self._query(
                    "SELECT number, placed_on, status, tracking, delivered_on, name, address FROM orders "
                    "JOIN customers ON customers.id = customer_id LEFT JOIN shipments ON order_id = orders.id "
                    f"WHERE number LIKE '{match.group(1)[:9]}%' OR number = '{match.group(1)}'"
                )
            except sqlite3.Error as error:
                return NaiveReply(f"Database error: {error}")
            if rows:
                return NaiveReply("; ".join(" ".join(map(str, row)) for row in rows[:20]))
        hits = self.index.search(message, count=1)
        answer = self.answers[hits[0].index] if hits else self.answers[0]
        return NaiveReply(PLACEHOLDER.sub(self._figure, answer))

    def _figure(self, match: re.Match[str]) -> str:
        name = match.group(1)
        return self.policies.text(name) if name in self.policies.figures else match.group()

    def _query(self, statement: str) -> list[tuple]:
        connection = sqlite3.connect(self.database)
        try:
            rows = []
            for part in statement.split(";"):  # as a careless driver would run a script
                if part.strip() and not part.strip().startswith("--"):
                    rows += connection.execute(part).fetchall()
            connection.commit()
            return rows
        finally:
            connection.close()
