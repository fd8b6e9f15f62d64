"""Simulated customers: goals drawn from the shop's records, people who mistype and change their minds, and a judge.

Customer and judge know what the bot says and which tickets it makes, and nothing of how it works: a customer reads
the reply's words as a person would, and the judge compares with the records and policies that it reads itself.
The customers' sentences (``data/service/customers_en.jsonl``) are none that the classifier learned from.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from labkit.common import LabkitError, data_dir
from labkit.service.policies import Policies, load_policies, money
from labkit.service.shop import TODAY
from labkit.service.utterances import mistype

KINDS = (
    "order_status", "cancel_order", "change_order", "return_item", "refund_status", "damaged_item", "missing_parcel",
    "product_info", "knowledge", "human", "cannot_prove",
)  # fmt: skip
MAX_TURNS = 12


class Answer(Protocol):
    """What a bot gives back: at least its text and a ticket or None, as ``bot.Reply`` does."""

    text: str


Say = Callable[[str], Answer]


@dataclass(frozen=True)
class Goal:
    """What a customer wants, and what must be true at the end.

    ``needed`` are texts that the replies must hold, all of them; ``ticket`` is the kind of ticket that must have
    been made about ``order``, or None where none may be: then a hand-over is wrong.
    """

    kind: str
    language: str
    order: str = ""
    contact: str = ""
    product: str = ""
    article: str = ""
    needed: tuple[str, ...] = ()
    ticket: tuple[str, ...] = ()
    question: str = ""


@dataclass
class Talk:
    """A conversation as the judge sees it: (message, reply) pairs and the tickets that came of it."""

    goal: Goal
    turns: list[tuple[str, str]] = field(default_factory=list)
    tickets: list[tuple[str, str | None]] = field(default_factory=list)  # (kind, order)
    milliseconds: list[float] = field(default_factory=list)
    habits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether the goal was reached, or the customer rightly passed on, and why."""

    reached: bool
    why: str


def judge(talk: Talk) -> Verdict:
    """Compare what was said and passed on with what the goal needs."""
    goal, said = talk.goal, "\n".join(reply for _, reply in talk.turns)
    missing = [text for text in goal.needed if text not in said]
    if missing:
        return Verdict(False, f"not said: {missing[0]}")
    kinds = [kind for kind, order in talk.tickets if not goal.order or order in (goal.order, None)]
    if goal.ticket and not set(kinds) & set(goal.ticket):
        return Verdict(False, f"no ticket {' or '.join(goal.ticket)}, but {kinds}")
    wrong = [kind for kind, _ in talk.tickets if kind not in goal.ticket]
    if wrong:
        return Verdict(False, f"passed on without need: {wrong[0]}")
    return Verdict(True, "handed over as it must be" if goal.ticket else "answered")


# ---------------------------------------------------------------------------------------------------------------
# Goals from the records


def draw_goals(database: Path | str, language: str, count: int, seed: int = 0) -> list[Goal]:
    """Goals of all kinds in turn, each with an order or product that suits it."""
    connection = sqlite3.connect(f"file:{Path(database).resolve()}?mode=ro", uri=True)
    try:
        rng = random.Random(f"goals {language} {seed}")
        policies = load_policies(language)
        makers = {kind: _Maker(connection, language, policies, rng) for kind in KINDS}
        return [makers[KINDS[n % len(KINDS)]].goal(KINDS[n % len(KINDS)]) for n in range(count)]
    finally:
        connection.close()


class _Maker:
    """Draws goals of one kind, and reads from the records what must come out."""

    def __init__(self, connection: sqlite3.Connection, language: str, policies: Policies, rng: random.Random):
        self.connection, self.language, self.policies, self.rng = connection, language, policies, rng

    def goal(self, kind: str) -> Goal:
        if kind == "product_info":
            name, cents = self._one("SELECT name, cents FROM products")
            return Goal(
                kind, self.language, product=name, needed=(name, money(cents / 100, self.policies.currency))
            )
        if kind == "knowledge":
            question, article, answer = self.rng.choice(_questions(self.language))
            return Goal(
                kind, self.language, article=article, needed=(self.policies.fill(answer),), question=question
            )
        if kind == "human":
            return Goal(kind, self.language, ticket=("human",))
        return self._order_goal(kind)

    def _order_goal(self, kind: str) -> Goal:
        where = {"missing_parcel": "status = 'delivered'", "return_item": "status = 'delivered'",
                 "damaged_item": "status = 'delivered'", "cannot_prove": "status = 'shipped'",
                 "refund_status": "orders.id IN (SELECT order_id FROM returns) OR orders.id % 9 = 0"}  # fmt: skip
        number, status, email, phone, order = self._one(
            "SELECT number, status, email, phone, orders.id FROM orders JOIN customers ON customers.id = customer_id "
            f"WHERE {where.get(kind, 'TRUE')}"
        )
        contact = self.rng.choice([email, phone])
        product, returnable = self._one(
            "SELECT name, returnable FROM order_lines JOIN products ON products.id = product_id WHERE order_id = ?",
            order,
        )
        needed, ticket = self._must(kind, order, number, status, product, returnable)
        return Goal(kind, self.language, number, contact, product, needed=needed, ticket=ticket)

    def _must(
        self, kind: str, order: int, number: str, status: str, product: str, returnable: int
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(texts that must be said, kinds of tickets that must be made)."""
        sent = self.connection.execute(
            "SELECT tracking, sent_on, expected_on, delivered_on FROM shipments WHERE order_id = ?", (order,)
        ).fetchone()
        back = self.connection.execute("SELECT * FROM returns WHERE order_id = ?", (order,)).fetchone()
        delivered = sent and sent[3]
        since = (TODAY - dt.date.fromisoformat(delivered)).days if delivered else None
        figure = self.policies.number
        if kind == "cannot_prove":
            return (), ("identity", "human")
        if kind == "order_status" and status == "shipped":
            gone = (TODAY - dt.date.fromisoformat(sent[1])).days
            late = dt.date.fromisoformat(sent[2]) < TODAY and gone >= figure("lost_after_days")
            return (sent[0],), (("search",) if late else ())
        if kind == "order_status":
            return (number, *((sent[0],) if sent else ())), ()
        if kind in ("cancel_order", "change_order"):
            wanted = {"cancel_order": "cancel", "change_order": "change"}[kind]
            return (number,), ((wanted,) if status == "processing" else ())
        if kind == "missing_parcel":
            return (sent[0],), ("search",)
        if kind == "damaged_item":
            return (product,), (("faulty",) if since <= figure("faulty_return_days") else ("warranty",))
        if kind == "return_item":
            open_ = (
                returnable
                and since <= figure("return_days")
                and not (back and self._name(back[1]) == product)
            )
            return (product,), (("return",) if open_ else ())
        if back is None:
            return (number,), ()
        return ((money(back[5] / 100, self.policies.currency),) if back[3] else (self._name(back[1]),)), ()

    def _name(self, product: int) -> str:
        return self.connection.execute("SELECT name FROM products WHERE id = ?", (product,)).fetchone()[0]

    def _one(self, statement: str, *values: object) -> tuple:
        rows = self.connection.execute(statement, values).fetchall()
        if not rows:
            raise LabkitError(f"The shop holds nothing for: {statement}. Draw a larger shop.")
        return self.rng.choice(rows)


def _questions(language: str) -> list[tuple[str, str, str]]:
    """(held-out question, article, answer with its placeholders), read without the bot's code."""
    folder = data_dir() / "service"
    answers = {row["id"]: row["answer"] for row in _rows(folder / f"knowledge_{language}.jsonl")}
    return [
        (r["text"], r["article"], answers[r["article"]])
        for r in _rows(folder / f"questions_{language}.jsonl")
    ]


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# ---------------------------------------------------------------------------------------------------------------
# People

# How a person recognizes what a reply asks for: by its words.
READS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "again": r"do not belong together",
        "contact": r"which e-mail address or phone",
        "order": r"your order number, please",
        "details": r"What shall I do",
        "product": r"Which product do you mean",
        "options": r"(?m)^1\) ",
        "human": r"Shall I pass you on",
        "lost": r"cannot help with|no approved answer|I cannot find that product|What else can I do|in other words",
        "where": r"stands in the subject",
    },
    "zh": {
        "again": r"对不上",
        "contact": r"邮箱或手机号是多少",
        "order": r"提供一下订单号",
        "details": r"您是想查物流",
        "product": r"请问是哪款商品",
        "options": r"(?m)^1\) ",
        "human": r"需要帮您转人工",
        "lost": r"帮不上忙|没有经过审核|没有找到这款商品|还有什么可以帮您|换个说法",
        "where": r"订单号在下单成功的短信里",
    },
}
HABITS = (
    "typing errors",
    "all at once",
    "wrong number first",
    "topic in between",
    "changes their mind",
    "says hello",
    "off topic",
)
WORDS_OF_KIND = {
    "order_status": r"where an order is|物流", "cancel_order": r"^cancel|取消", "change_order": r"^change|修改",
    "return_item": r"^return|退货", "refund_status": r"refund|退款", "damaged_item": r"faulty|质量", "missing_parcel": r"missing|没收到",
    "product_info": r"price|价格", "knowledge": r"rules|规则", "human": r"colleague|人工", "cannot_prove": r"where an order is|物流",
}  # fmt: skip


class Customer:
    """One person with a goal and habits; ``next(reply)`` is what they write, or None when they are done."""

    def __init__(self, goal: Goal, seed: int = 0, habits: Sequence[str] | None = None):
        self.goal = goal
        self.rng = random.Random(f"customer {goal} {seed}")
        drawn = [habit for habit in HABITS if self.rng.random() < 0.35]
        self.habits = tuple(drawn if habits is None else habits)
        self.phrases = _phrases(goal.language)
        self._openings = self._ways_to_ask()
        self._plan = self._first_words()
        self._side_done = "topic in between" not in self.habits
        self._wrong_done = "wrong number first" not in self.habits

    def next(self, reply: str | None) -> str | None:
        """The next message; ``reply`` is the bot's last one, None at the beginning."""
        if reply is None or self._plan:
            return self._type(self._plan.pop(0))
        for name, pattern in READS[self.goal.language].items():
            if re.search(pattern, reply):
                message = getattr(self, f"_{name}")(reply)
                return None if message is None else self._type(message)
        return None

    def _ways_to_ask(self) -> list[str]:
        kind = "order_status" if self.goal.kind == "cannot_prove" else self.goal.kind
        if kind == "knowledge":
            others = [q for q, article, _ in _questions(self.goal.language) if article == self.goal.article]
            return [self.goal.question, *[q for q in others if q != self.goal.question]]
        ways = [text.replace("{product}", self.goal.product) for text in self.phrases[kind]]
        self.rng.shuffle(ways)
        return ways

    def _first_words(self) -> list[str]:
        plan = [self._say("hello")] if "says hello" in self.habits else []
        if "off topic" in self.habits:
            plan.append(self._say("out_of_scope"))
        if "changes their mind" in self.habits and self.goal.kind not in ("human", "cannot_prove"):
            other = self.rng.choice(
                [k for k in ("order_status", "cancel_order", "refund_status") if k != self.goal.kind]
            )
            plan += [self._say(other), self._say("forget")]
        opening = self._openings.pop(0)
        if "all at once" in self.habits and self.goal.order and self.goal.kind != "cannot_prove":
            self._wrong_done = True
            opening = (
                self._say("full")
                .replace("{opening}", opening.rstrip("。"))
                .replace("{order}", self._number())
            )
        return [*plan, opening.replace("{contact}", self.goal.contact)]

    def _order(self, _reply: str) -> str:
        if self.goal.kind == "cannot_prove" or not self.goal.order:
            return self._say("cannot_prove")
        if not self._side_done:
            self._side_done = True
            return self.rng.choice(_questions(self.goal.language))[0]
        number = self._number()
        if not self._wrong_done:
            number = number[:-1] + str((int(number[-1]) + 1) % 10)
        return self._say("give_order").replace("{order}", number)

    def _contact(self, _reply: str) -> str:
        if not self.goal.contact:
            return self._say("cannot_prove")
        return self._say("give_contact")

    def _again(self, _reply: str) -> str:
        self._wrong_done = True
        return self._say("give_both").replace("{order}", self._number())

    def _details(self, _reply: str) -> str:
        return self._openings[0] if self._openings else self._say("thanks")

    def _product(self, _reply: str) -> str:
        return self.goal.product

    def _options(self, reply: str) -> str:
        lines = re.findall(r"(?m)^(\d)\) (.*)$", reply)
        asked = _indexed(self.goal.language).get(self.goal.article, ())
        for number, line in lines:
            if (self.goal.product and self.goal.product in line) or line in asked:
                return self.rng.choice([number, line])
        for number, line in lines:
            if re.search(WORDS_OF_KIND[self.goal.kind], line):
                return number
        return self._lost(reply)

    def _human(self, _reply: str) -> str:
        return (
            {"en": "yes please", "zh": "好的"}[self.goal.language]
            if self.goal.kind == "human"
            else self._lost(_reply)
        )

    def _where(self, _reply: str) -> str:
        return self._say("cannot_prove")

    def _lost(self, _reply: str) -> str | None:
        return self._openings.pop(0) if self._openings else None

    def _say(self, use: str) -> str:
        text = self.rng.choice(self.phrases[use]).replace(
            "{product}", self.goal.product or {"en": "kettle", "zh": "茶壶"}[self.goal.language]
        )
        return text.replace("{contact}", self.goal.contact)

    def _number(self) -> str:
        digits = self.goal.order[3:]
        forms = [self.goal.order] * 4 + [f"lk{digits}", f"LK {digits}", f"#{digits}", digits]
        return self.rng.choice(forms)

    def _type(self, message: str) -> str:
        if "typing errors" in self.habits and self.rng.random() < 0.5:
            return mistype(message, self.rng, 1 + (len(message) > 30))
        return message


def converse(start: Callable[[], Say], queue: list, customer: Customer, turns: int = MAX_TURNS) -> Talk:
    """One conversation to its end: when the customer has nothing more to say, is passed on, or loses patience.

    ``start`` opens a conversation and gives its ``say``; ``queue`` is the list into which tickets go.
    """
    import time

    say, before, talk = start(), len(queue), Talk(customer.goal, habits=customer.habits)
    reply: str | None = None
    for _ in range(turns):
        message = customer.next(reply)
        if message is None:
            break
        begin = time.perf_counter()
        reply = say(message).text
        talk.milliseconds.append(1000 * (time.perf_counter() - begin))
        talk.turns.append((message, reply))
        talk.tickets = [(ticket.kind, ticket.order) for ticket in queue[before:]]
        if not customer._plan and judge(talk).reached:
            break
    return talk


def spoken(language: str) -> tuple[list[str], list[str]]:
    """What the simulated customers say, by intent, and held-out questions: texts and labels that no model learned
    from, to judge a classifier by. Slots are masked."""
    from labkit.service.utterances import MASKS

    kept = {*KINDS, "out_of_scope", "forget"} - {"cannot_prove", "knowledge"}
    texts, labels = [], []
    for use, lines in _phrases(language).items():
        if use in kept:
            texts += [re.sub(r"\{(\w+)\}", lambda match: MASKS[match.group(1)], line) for line in lines]
            labels += ["never_mind" if use == "forget" else use] * len(lines)
    questions = [question for question, _, _ in _questions(language)]
    return texts + questions, labels + ["knowledge"] * len(questions)


def _phrases(language: str) -> dict[str, list[str]]:
    phrases: dict[str, list[str]] = {}
    for row in _rows(data_dir() / "service" / f"customers_{language}.jsonl"):
        phrases.setdefault(row["use"], []).append(row["text"])
    return phrases


def _indexed(language: str) -> dict[str, list[str]]:
    return {
        row["id"]: row["questions"] for row in _rows(data_dir() / "service" / f"knowledge_{language}.jsonl")
    }
