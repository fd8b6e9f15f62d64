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

from labkit.service.intents import OUT_OF_SCOPE
from labkit.service.knowledge import Article
from labkit.service.policies import PLACEHOLDER, Policies
from labkit.service.retrieval import BM25
from labkit.service.text import fold

# The first rule that fits decides. The usual way to begin a service, and the baseline for the classifier.
RULES = {
    "en": (
        ("cancel_order", r"cancel|stop my order"), ("refund_status", r"refund|money back"), ("return_item", r"return|send .*back|exchange"),
        ("missing_parcel", r"delivered|stolen|lost"), ("damaged_item", r"broken|damaged|defect|faulty|work"),
        ("change_order", r"change|address|edit"), ("human", r"human|person|agent"), ("order_status", r"where|order|parcel|package"),
        ("product_info", r"price|cost|stock|how much"), ("complaint", r"complain|terrible|angry"), ("greeting", r"\bhi\b|hello|good "),
        ("thanks", r"thank"), ("goodbye", r"bye"), ("never_mind", r"never mind|forget"), ("yes", r"\byes\b|\bok"), ("no", r"\bno\b"),
    ),
    "zh": (
        ("cancel_order", r"取消|不要了"), ("refund_status", r"退款|退的钱"), ("return_item", r"退货|退|换"), ("missing_parcel", r"签收|丢|没收到"),
        ("damaged_item", r"坏|碎|质量|发错"), ("change_order", r"改|地址"), ("human", r"人工|真人"), ("order_status", r"订单|快递|物流|包裹|发货"),
        ("product_info", r"多少钱|有货|价格"), ("complaint", r"投诉|差评|太差"), ("greeting", r"你好|您好|在吗"), ("thanks", r"谢"),
        ("goodbye", r"再见|拜"), ("never_mind", r"算了|当我没说"), ("yes", r"^是|^好|^对"), ("no", r"^不"),
    ),
}  # fmt: skip


def by_rules(text: str, language: str) -> str:
    """The intent by keywords; ``knowledge`` for a question that no rule knows, else ``out_of_scope``."""
    text = fold(text)
    for intent, pattern in RULES[language]:
        if re.search(pattern, text):
            return intent
    return "knowledge" if re.search(r"\?|how|what|can i|怎么|吗|多久|什么", text) else OUT_OF_SCOPE


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
