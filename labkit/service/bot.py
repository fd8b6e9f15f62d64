"""The service bot: understands a message, decides by rules that can be read, looks up, answers, and says why.

A message goes through the same steps each time: clean, slots, intent, decision, look-up, template, wording, guard.
What a message or a record says is data at every step; nothing in it can change the steps.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labkit.common import LabkitError, data_dir
from labkit.service import guard, wording
from labkit.service.database import MAX_ATTEMPTS, Identity, Line, Order, ShopReader
from labkit.service.handover import Queue, Ticket
from labkit.service.intents import OUT_OF_SCOPE, IntentModel, Prediction
from labkit.service.journal import Entry, Journal
from labkit.service.knowledge import CLOSE, Article, Found, Knowledge
from labkit.service.policies import Policies, money
from labkit.service.slots import Slots, choice, extract
from labkit.service.tasks import ABOUT_ONE_PRODUCT, TASKS, Case
from labkit.service.text import check_language, clean
from labkit.service.utterances import MASKS

FEW = 5  # pieces in stock that are worth a word
SMALL_TALK = ("greeting", "thanks", "goodbye")
NO_NUMBER = re.compile(
    r"(don'?t|do not|cannot|can'?t|lost|no idea|forgot|haven'?t|no longer)\b.{0,40}\b(number|e-?mail)\b"
    r"|(don'?t|do not|can'?t|cannot) (know|find|have|remember) (it|one|that)\b"
    r"|(忘|找不到|不知道|没有|丢|记不|想不起|查不到|删).{0,6}(订单号|号码|单号|号|邮箱)"
    r"|(订单号|号码|单号|那个号|邮箱|短信).{0,6}(忘|找不到|不知道|没有|没了|丢|记不|删)",
    re.IGNORECASE,
)

ABOUT_STAFF = re.compile(r"\b(hours|when|open)\b|几点|时间|什么时候", re.IGNORECASE)


@dataclass(frozen=True)
class BotConfig:
    """How sure the bot must be, and how often it asks before it passes on."""

    min_knowledge_score: float = 4.0  # BM25 score of the best article
    sure_knowledge_score: float = 9.0  # enough even where the classifier is not sure of the intent
    clarify_margin: float = 0.25  # of the two best intents; closer than that it asks
    max_misses: int = 3  # messages in a row that were not understood
    check_replies: bool = True  # the guard; switched off only to measure what it is good for

    def __post_init__(self) -> None:
        if isinstance(self.max_misses, bool) or not isinstance(self.max_misses, int) or self.max_misses < 1:
            raise LabkitError(f"max_misses is {self.max_misses!r}. Give a whole number from 1.")
        for name in ("min_knowledge_score", "sure_knowledge_score", "clarify_margin"):
            if not getattr(self, name) >= 0:
                raise LabkitError(f"{name} is {getattr(self, name)!r}. Give a number from 0.")


@dataclass(frozen=True)
class Reply:
    """What the customer reads: the text, where an answer comes from, and the ticket where a person takes over."""

    text: str
    sources: tuple[str, ...] = ()
    ticket: Ticket | None = None


@dataclass
class State:
    """What a conversation remembers."""

    task: str | None = None
    asked: str | None = None  # order, contact, product, which, intent, article, human
    options: list[str] = field(default_factory=list)
    order: str | None = None
    contact: str | None = None
    product: str | None = None
    identity: Identity | None = None
    failed: int = 0
    misses: int = 0
    no_number: int = 0
    locked: bool = False
    messages: list[str] = field(default_factory=list)
    tickets: dict[tuple[str, str | None], Ticket] = field(default_factory=dict)

    def drop(self) -> None:
        """Forget the task, not the person."""
        self.task = self.asked = self.product = None
        self.options = []


class Bot:
    """One bot for many conversations: ``bot.start()`` opens one."""

    def __init__(
        self, shop: ShopReader, knowledge: Knowledge, intents: IntentModel, *, writer: wording.Writer | None = None,
        queue: Queue | None = None, config: BotConfig | None = None,
    ):  # fmt: skip
        self.shop, self.knowledge, self.intents = shop, knowledge, intents
        self.policies: Policies = knowledge.policies
        if shop.language != self.policies.language:
            raise LabkitError(f"The shop is {shop.language}, the knowledge base {self.policies.language}.")
        self.language = shop.language
        self.writer, self.config = writer, BotConfig() if config is None else config
        self.queue = Queue() if queue is None else queue
        self.replies = load_replies(self.language)
        self.products = {product.name: product for product in shop.products()}

    def start(self, journal: Journal | None = None) -> Conversation:
        """A new conversation with somebody who has proved nothing yet."""
        return Conversation(self, Journal() if journal is None else journal)


class Conversation:
    """One customer's conversation. ``say`` takes a message and gives the reply; the journal holds the reasons."""

    def __init__(self, bot: Bot, journal: Journal):
        self.bot, self.journal, self.state = bot, journal, State()

    def say(self, message: str) -> Reply:
        """The reply to a message, whatever it holds."""
        begin = time.perf_counter()
        text = clean(message)
        entry = Entry(len(self.journal.entries) + 1, text)
        self._entry, self._parts, self._facts, self._ticket = entry, [], [], None
        if text:
            self.state.messages.append(text)
            self._turn(text)
        else:
            self._answer("empty", "the message holds no text")
        reply = self._finish()
        entry.milliseconds = round(1000 * (time.perf_counter() - begin), 2)
        self.journal.add(entry)
        return reply

    # -----------------------------------------------------------------------------------------------------------
    # Understanding

    def _turn(self, text: str) -> None:
        slots = extract(text, list(self.bot.products))
        found = self.bot.intents.explain(slots.request or slots.masked)
        entry = self._entry
        entry.intent, entry.slots = found.intent, slots.found()
        entry.score, entry.threshold, entry.evidence = (
            round(found.score, 3),
            round(found.threshold, 3),
            found.evidence,
        )
        if self._resolve_choice(text, slots, found):
            return
        known = bool(slots.order or slots.contact)
        if self.state.asked in ("order", "contact") and not known and self._has_no_number(text, found):
            return
        if self.state.task and known and self._goes_on(slots, found):
            self._take(slots)
            self._work()
            return
        if self.state.task and self.state.asked == "product" and slots.products:
            self._take(slots)
            self._work()
            return
        self._by_intent(text, slots, found)

    def _goes_on(self, slots: Slots, found: Prediction) -> bool:
        """Whether a message with details belongs to the task: unless it asks for another one in clear words."""
        other = found.intent in TASKS and found.intent != self.state.task
        bare = re.sub("|".join(MASKS.values()), " ", slots.request)
        few = len(bare.split()) <= 4 if self.bot.language == "en" else len(bare) <= 6
        if (
            self.state.asked in ("order", "contact")
            and few
            and found.margin < 2 * self.bot.config.clarify_margin
        ):
            return True  # the detail that was asked for, with mistyped words around it
        return not slots.request or not other or found.margin <= self.bot.config.clarify_margin

    def _take(self, slots: Slots) -> None:
        """Keep what the message holds."""
        state = self.state
        if slots.order and slots.order != state.order:
            state.order = slots.order
            self._entry.decide(f"order {slots.order}", "named in the message")
        if slots.contact:
            state.contact = slots.contact
        if slots.products:
            state.product = slots.products[0] if len(slots.products) == 1 else state.product

    def _resolve_choice(self, text: str, slots: Slots, found: Prediction) -> bool:
        """An answer to a question with options, or to yes or no."""
        state = self.state
        if state.asked == "human":
            if found.intent == "yes":
                self._hand_over("human", "the customer wants a person")
                return True
            if found.intent == "no":
                state.drop()
                self._answer("anything_else", "no person is wanted")
                return True
            return False
        if state.asked not in ("which", "intent", "article") or not state.options:
            return False
        if found.intent in ("never_mind", "human") and found.margin > self.bot.config.clarify_margin:
            return False
        shown = state.options if state.asked != "intent" else [self._label(name) for name in state.options]
        if state.asked == "article":
            shown = [self._article(name).questions[0] for name in state.options]
        place = choice(text, shown)
        if place is None and len(slots.products) == 1 and slots.products[0] in state.options:
            place = state.options.index(slots.products[0])
        if place is None and found.intent == "yes":
            place = 0
        if place is None:
            return False
        picked, asked = state.options[place], state.asked
        state.options, state.asked, state.misses = [], None, 0
        self._entry.decide(f"chose {picked}", f"the answer to a question of {len(shown)} options")
        if asked == "which":
            state.product = picked
            self._work()
        elif asked == "intent":
            self._begin(picked, state.messages[-2] if len(state.messages) > 1 else text, slots)
        else:
            self._serve(self._article(picked), "chosen by the customer")
        return True

    def _has_no_number(self, text: str, found: Prediction) -> bool:
        """A customer without order number or contact: told where it stands once, then passed on."""
        if not NO_NUMBER.search(text) or found.intent in ("human", "complaint", "never_mind"):
            return False
        state = self.state
        state.no_number += 1
        if state.no_number == 1:
            self._answer("where_number", "the customer does not have what was asked")
        else:
            self._hand_over("identity", "the customer cannot prove who they are", reply="handover")
        return True

    def _by_intent(self, text: str, slots: Slots, found: Prediction) -> None:
        """A message that answers no open question."""
        state, config = self.state, self.bot.config
        if not slots.request:
            self._take(slots)
            if state.task:
                self._work()
            else:
                self._answer("details_only", "details without a request")
            return
        if found.intent == OUT_OF_SCOPE:
            self._not_understood(text, slots, found)
            return
        close = (
            found.margin < config.clarify_margin
            and found.second in (*TASKS, "knowledge")
            and found.best in TASKS
        )
        if close and state.misses == 0 and found.second != "knowledge":
            state.misses += 1
            self._ask_intent([found.best, found.second], f"{found.best} and {found.second} are close")
            return
        state.misses = 0
        if state.asked in ("order", "contact") and found.intent in TASKS and found.intent != state.task:
            hits = self.bot.knowledge.search(
                text, count=1
            )  # more often a question in between than another task
            if (
                hits
                and hits[0].score >= 1.5 * config.min_knowledge_score
                and found.margin < 3 * config.clarify_margin
            ):
                pending = state.asked
                self._serve(hits[0].article, f"score {hits[0].score:.1f}, and a task is open")
                self._go_back(state.task, pending)
                return
        self._begin(found.intent, text, slots)

    def _begin(self, intent: str, text: str, slots: Slots) -> None:
        """Start on what is wanted."""
        state, pending = self.state, self.state.asked
        task = state.task
        handlers: dict[str, Callable[[], None]] = {
            "human": lambda: self._ask_for_human(text),
            "complaint": self._complain,
            "never_mind": self._drop_task,
            "product_info": lambda: self._product(text, slots),
            "knowledge": lambda: self._look_up(text),
        }
        if intent in TASKS:
            if intent != task:
                self._entry.decide(f"task {intent}", f"the message asks for it (score {self._entry.score})")
                state.drop()
                state.task = intent
            self._take(slots)
            self._work()
        elif intent in handlers:
            handlers[intent]()
            if intent in ("product_info", "knowledge"):
                self._go_back(task, pending)
        elif intent in SMALL_TALK:
            self._answer(intent, "small talk")
        else:  # yes or no without a question
            self._answer("anything_else", f"{intent} without a question")

    def _go_back(self, task: str | None, pending: str | None) -> None:
        """After a question in between: ask again what the task was waiting for."""
        if task in TASKS and pending in ("order", "contact"):
            self._answer("back", "a question in between")
            self.state.task = task
            self._ask(pending)

    def _not_understood(self, text: str, slots: Slots, found: Prediction) -> None:
        """Nothing certain: an article if it fits very well, else options, and after a few times a person."""
        state, config = self.state, self.bot.config
        hits = self.bot.knowledge.search(text, count=1)
        if hits and hits[0].score >= config.sure_knowledge_score:
            pending = state.asked
            self._serve(hits[0].article, f"score {hits[0].score:.1f}, though the intent is not sure")
            self._go_back(state.task, pending)
            return
        if slots.products:
            self._product(text, slots)
            return
        state.misses += 1
        if state.misses >= config.max_misses:
            self._hand_over("human", f"{state.misses} messages in a row were not understood")
        elif slots.order or slots.contact or state.asked in ("order", "contact"):
            self._take(slots)
            if state.task:
                self._work()
            else:
                self._answer("details_only", "details, and a request that is not clear")
        else:
            self._answer("unknown", f"score {found.score:.2f} is under the threshold {found.threshold:.2f}")

    # -----------------------------------------------------------------------------------------------------------
    # Acting

    def _work(self) -> None:
        """Get on with the task: ask for what is missing, prove the person, decide, answer."""
        state = self.state
        if state.task is None:
            self._answer("anything_else", "no task is open")
            return
        if state.locked:
            self._locked()
            return
        if state.order is None and state.identity is not None:
            state.order = state.identity.order_number
            self._entry.decide(f"order {state.order}", "the order that was proved before")
        if state.order is None:
            self._ask("order")
            return
        order = self._proven()
        if order is None:
            return
        line = self._line(order)
        if state.task in ABOUT_ONE_PRODUCT and line is None:
            state.asked, state.options = "which", [item.product for item in order.lines]
            self._answer(
                "ask_which", "the order holds several products", options=self._numbered(state.options)
            )
            return
        outcome = TASKS[state.task](Case(order, self.bot.policies, self.bot.shop.today, line))
        self._entry.decide(f"{state.task}: {outcome.reply}", outcome.why)
        facts = dict(outcome.facts)
        if outcome.ticket is not None:
            ticket = self._put(outcome.ticket, outcome.why, order, line)
            facts["ticket"] = ticket.id
        self._answer(outcome.reply, outcome.why, **facts)
        self._entry.sources.append(f"orders/{order.number}")
        state.drop()

    def _proven(self) -> Order | None:
        """The order, if this person proved that it is theirs; asks or refuses otherwise."""
        state, shop = self.state, self.bot.shop
        if state.identity is not None:
            order = shop.order(state.identity, state.order)
            if order is not None:
                return order
            self._entry.decide("proof needed", f"{state.order} is not an order of the person who is proved")
        if state.contact is None:
            self._ask("contact")
            return None
        identity = shop.prove(state.order, state.contact)
        if identity is None:
            self._no_match()
            return None
        state.identity = identity
        self._entry.decide("identity proved", f"the contact belongs to {state.order}")
        return shop.order(identity, state.order)

    def _no_match(self) -> None:
        state = self.state
        state.failed += 1
        self._entry.decide(
            f"proof failed ({state.failed} of {MAX_ATTEMPTS})", "order and contact do not belong together"
        )
        state.order = state.contact = None
        if state.failed >= MAX_ATTEMPTS:
            state.locked = True
            self._locked()
        else:
            state.asked = "order"
            self._answer("no_match", "the same words whether the order exists or not")

    def _locked(self) -> None:
        ticket = self._put("identity", "the proof failed too often", None, None)
        self._answer("locked", "too many failed proofs", ticket=ticket.id)
        self.state.drop()

    def _line(self, order: Order) -> Line | None:
        """The product in question: the one that was named, or the only one."""
        named = [line for line in order.lines if line.product == self.state.product]
        if named:
            return named[0]
        return order.lines[0] if len(order.lines) == 1 else None

    def _product(self, text: str, slots: Slots) -> None:
        if not slots.products:
            hits = self.bot.knowledge.search(text, count=1)
            if hits and hits[0].score >= self.bot.config.sure_knowledge_score:
                self._serve(hits[0].article, f"score {hits[0].score:.1f}, and no product was named")
            else:
                self._answer("no_product", "no product of the catalogue was recognized")
            return
        if len(slots.products) > 1:
            self._entry.decide("several products", f"{len(slots.products)} fit the words")
        for name in slots.products[:3]:
            product = self.bot.products[name]
            stock = "sold_out" if product.stock == 0 else "few_left" if product.stock <= FEW else "in_stock"
            said = self.bot.replies[stock].replace("{stock_count}", str(product.stock))
            price = money(product.cents / 100, self.bot.policies.currency)
            self._answer("product", "from the catalogue", product=name, price=price, stock=said)
            self._entry.sources.append(f"products/{name}")

    def _look_up(self, text: str) -> None:
        """The article that answers, a choice between two, or the plain word that there is none."""
        config = self.bot.config
        hits = self.bot.knowledge.search(text, count=3)
        if not hits or hits[0].score < config.min_knowledge_score:
            self.state.misses += 1
            self._answer(
                "no_answer", f"best score {hits[0].score:.1f}" if hits else "no article shares a term"
            )
        elif len(hits) > 1 and hits[1].score >= CLOSE * hits[0].score and self.state.asked != "article":
            self._clarify_article([hit for hit in hits if hit.score >= CLOSE * hits[0].score])
        else:
            self._serve(hits[0].article, f"score {hits[0].score:.1f} for {', '.join(hits[0].shared[:6])}")

    def _clarify_article(self, hits: Sequence[Found]) -> None:
        task = self.state.task
        self.state.drop()
        self.state.task = task
        self.state.asked, self.state.options = "article", [hit.article.id for hit in hits]
        why = " and ".join(f"{hit.article.id} {hit.score:.1f}" for hit in hits)
        shown = self._numbered([hit.article.questions[0] for hit in hits])
        self._answer("ask_which", f"close scores: {why}", options=shown)

    def _serve(self, article: Article, why: str) -> None:
        self.state.misses = 0
        self._parts.append(("knowledge", self.bot.knowledge.answer(article)))
        self._entry.replies.append("knowledge")
        self._entry.decide(f"article {article.id}", why)
        self._entry.sources.append(f"knowledge/{article.id}")

    def _ask_for_human(self, text: str) -> None:
        """A person, unless the words are those of a question about the staff, such as its hours."""
        hits = self.bot.knowledge.search(text, count=1)
        if ABOUT_STAFF.search(text) and hits and hits[0].score >= self.bot.config.min_knowledge_score:
            task, pending = self.state.task, self.state.asked
            self._serve(hits[0].article, f"score {hits[0].score:.1f}: a question, not a wish")
            self._go_back(task, pending)
        else:
            self._hand_over("human", "the customer asked for a person")

    def _complain(self) -> None:
        self.state.asked = "human"
        self._answer("offer_human", "a complaint: a person is offered")

    def _drop_task(self) -> None:
        self.state.drop()
        self._answer("never_mind", "the customer drops it")

    def _hand_over(self, kind: str, why: str, reply: str = "handover") -> None:
        ticket = self._put(kind, why, None, None)
        self._answer(reply, why, ticket=ticket.id)
        self.state.drop()

    def _ask(self, what: str) -> None:
        self.state.asked = what
        facts = {"number": self.state.order or ""}
        self._answer(f"ask_{what}", f"{what} is needed for {self.state.task}", **facts)

    def _ask_intent(self, names: list[str], why: str) -> None:
        self.state.asked, self.state.options = "intent", names
        self._answer("ask_intent", why, options=self._numbered([self._label(name) for name in names]))

    # -----------------------------------------------------------------------------------------------------------
    # Saying

    def _put(self, kind: str, why: str, order: Order | None, line: Line | None) -> Ticket:
        """A ticket; the same wish about the same order has one."""
        state = self.state
        number = order.number if order else state.order
        key = (kind, None if kind in ("human", "identity", "guard") else number)
        if key not in state.tickets:
            verified = state.identity is not None
            parts = [f"{kind}: {why}", f"task {state.task or '-'}", f"order {number or '-'}"]
            parts += [f"verified {'yes' if verified else 'no'}", f"product {line.product if line else '-'}"]
            state.tickets[key] = self.bot.queue.put(
                kind, self.bot.language, "; ".join(parts), state.messages, order=number,
                product=line.product if line else None, verified=verified, note=order.note if order else "",
            )  # fmt: skip
        self._ticket = state.tickets[key]
        self._entry.ticket = self._ticket.id
        return self._ticket

    def _answer(self, name: str, why: str, **facts: str) -> None:
        """Add a reply from its template; every ``{name}`` is a fact given here or a policy."""
        template = self.bot.replies[name]
        names = re.findall(r"\{(\w+)\}", template)
        values = {n: facts[n] if n in facts else self.bot.policies.text(n) for n in names}
        self._parts.append((name, re.sub(r"\{(\w+)\}", lambda match: values[match.group(1)], template)))
        self._facts += [values[n] for n in names]
        self._entry.replies.append(name)
        self._entry.decide(f"reply {name}", why)

    def _finish(self) -> Reply:
        entry = self._entry
        plain = "\n".join(text for _, text in self._parts)
        text, entry.wording = wording.worded(self.bot.writer, plain, entry.replies[0], self._facts)
        orders = {n for n in (self.state.order, entry.slots.get("order")) if n}
        if self.state.identity is not None:
            orders.update(self.bot.shop.order_numbers(self.state.identity))
        orders.update(re.findall(r"LK-\d{6}", " ".join(self.state.messages)))
        wrong = guard.problems(text, self.bot.policies, orders) if self.bot.config.check_replies else []
        if wrong:
            entry.decide("guard: reply held back", "; ".join(wrong))
            self._ticket = self._put("guard", "; ".join(wrong), None, None)
            text = self.bot.policies.fill(self.bot.replies["handover"].replace("{ticket}", self._ticket.id))
            entry.replies.append("handover")
        entry.reply = text
        return Reply(text, tuple(entry.sources), self._ticket)

    def _article(self, name: str) -> Article:
        return next(article for article in self.bot.knowledge.articles if article.id == name)

    def _label(self, intent: str) -> str:
        return self.bot.replies[f"label_{intent}"]

    def _numbered(self, options: Sequence[str]) -> str:
        return "\n".join(f"{number}) {option}" for number, option in enumerate(options, start=1))


def load_replies(language: str) -> Mapping[str, str]:
    """The templates of a language, from ``data/service/replies_en.json``."""
    path = data_dir() / "service" / f"replies_{check_language(language)}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabkitError(f"{path} cannot be read: {error}. Get the data folder again.") from error


def open_bot(
    shop: Path | str | ShopReader,
    *,
    seed: int = 0,
    writer: wording.Writer | None = None,
    config: BotConfig | None = None,
) -> Bot:
    """A bot for a shop's database, with the shipped knowledge base and a classifier trained on the spot (seconds)."""
    from labkit.service.knowledge import load_knowledge
    from labkit.service.policies import load_policies
    from labkit.service.utterances import train_intents

    reader = shop if isinstance(shop, ShopReader) else ShopReader(shop)
    knowledge = load_knowledge(load_policies(reader.language))
    return Bot(reader, knowledge, train_intents(reader.language, seed), writer=writer, config=config)


__all__ = ["MASKS", "Bot", "BotConfig", "Conversation", "Reply", "State", "load_replies", "open_bot"]
