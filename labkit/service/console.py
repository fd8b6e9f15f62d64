"""The service console: the conversation, what was understood, the source of the answer, and the queue of hand-overs.

``ConsoleModel`` is the logic, and knows no widget; ``console`` shows it in a notebook.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from labkit import conversation
from labkit.common import say
from labkit.service.bot import Bot, Conversation
from labkit.service.handover import Ticket


@dataclass(frozen=True)
class View:
    """What the console shows after a message."""

    turns: tuple[tuple[str, str], ...]  # (who, text), the oldest first
    intent: str
    score: str
    slots: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]
    queue: tuple[Ticket, ...]


class ConsoleModel:
    """One bot, one open conversation, and the queue of all."""

    def __init__(self, bot: Bot):
        self.bot = bot
        self.reset()

    def reset(self) -> View:
        """Begin a new conversation; the queue stays."""
        self.conversation: Conversation = self.bot.start()
        self._turns: list[tuple[str, str]] = []
        return self.view()

    def send(self, message: str) -> View:
        """Send a customer's message, and see what came of it."""
        reply = self.conversation.say(message)
        self._turns += [("customer", message), ("bot", reply.text)]
        return self.view()

    def view(self) -> View:
        """The present state; empty fields before the first message."""
        entries = self.conversation.journal.entries
        last = entries[-1] if entries else None
        return View(
            turns=tuple(self._turns),
            intent=last.intent if last else "",
            score=f"{last.score:.2f} ({last.threshold:.2f})" if last else "",
            slots=tuple(last.slots.items()) if last else (),
            sources=tuple(last.sources) if last else (),
            steps=tuple(last.steps) if last else (),
            queue=tuple(self.bot.queue.tickets),
        )


def render(view: View) -> tuple[str, str, str]:
    """Three pieces of HTML: conversation, understanding with sources and decisions, queue. Every text is escaped."""
    names = {"customer": say("customer", "顾客"), "bot": say("service", "客服")}
    talk = conversation.bubbles(view.turns, names)
    rows = [(say("intent", "意图"), view.intent), (say("score (threshold)", "得分（阈值）"), view.score)]
    rows += [(f"{say('slot', '槽位')} {name}", value) for name, value in view.slots]
    rows += [(say("source", "来源"), source) for source in view.sources]
    rows += [(f"{n}. {what}", why) for n, (what, why) in enumerate(view.steps, start=1)]
    understood = _table(rows)
    queue = _table([(f"{t.id} {t.kind} {t.order or ''}", t.summary) for t in view.queue])
    return (
        talk or _empty(say("no message yet", "还没有消息")),
        understood,
        queue or _empty(say("empty", "空")),
    )


def console(bot: Bot) -> Any:
    """The console as a panel: type a message, press Enter or the button."""
    titles = (
        say("Conversation", "对话"),
        say("Understood and decided", "理解与决定"),
        say("Hand-over queue", "转人工队列"),
    )
    return conversation.panel(ConsoleModel(bot), render, titles, say("message of a customer", "顾客的消息"))


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td style='vertical-align:top'><b>{html.escape(a)}</b></td><td style='text-align:left'>{html.escape(b)}</td></tr>"
        for a, b in rows
    )
    return f"<table>{cells}</table>" if rows else ""


def _empty(text: str) -> str:
    return f"<i>{html.escape(text)}</i>"
