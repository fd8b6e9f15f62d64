"""The chat panel: the conversation, how sure the bot was, and where it looked for each token of its last reply.

``ChatModel`` is the logic, and knows no widget; ``console`` shows it in a notebook.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labkit import conversation
from labkit.common import say
from labkit.dialogue.chat import Chatbot, Reply

SHOWN_CHARACTERS = 400  # of a turn; the bot reads more than the panel shows
NAMED_WEIGHT = 0.2  # from here on the weight stands in its cell as a number


@dataclass(frozen=True)
class View:
    """What the panel shows after a turn: (who, text), the oldest first, and the last reply (None before the first)."""

    turns: tuple[tuple[str, str], ...]
    reply: Reply | None


class ChatModel:
    """A bot and one open conversation.

    Only what the bot really answered becomes history: it has never learned to go on after "I cannot read that".
    """

    def __init__(self, bot: Chatbot) -> None:
        self.bot = bot
        self.reset()

    def reset(self) -> View:
        """Begin a new conversation."""
        self._turns: list[tuple[str, str]] = []
        self._history: list[tuple[str, str]] = []
        self._reply: Reply | None = None
        return self.view()

    def send(self, said: str) -> View:
        """Say something, and see what the bot answers."""
        self._reply = self.bot.reply(said, self._history)
        if not self._reply.reason:
            self._history.append((said, self._reply.text))
        self._turns += [("person", said), ("bot", self._reply.text)]
        return self.view()

    def view(self) -> View:
        return View(tuple(self._turns), self._reply)


def render(view: View) -> tuple[str, str]:
    """Two pieces of HTML, in which every text is escaped: the conversation, and the attention of the last reply."""
    names = {"person": say("you", "你"), "bot": say("bot", "机器人")}
    talk = conversation.bubbles([(who, _shortened(text)) for who, text in view.turns], names)
    return talk or _remark(say("nothing was said yet", "还没有人说话")), _understood(view.reply)


def attention_table(reply: Reply) -> str:
    """A row for each token written, a column for each token read; dark where the bot looked, with the larger weights."""
    head = "".join(
        f"<th scope='col' style='writing-mode:vertical-rl;font-weight:normal;text-align:left'>{_token(one)}</th>"
        for one in reply.read
    )
    rows = "".join(
        f"<tr><th scope='row' style='font-weight:normal;text-align:right'>{_token(token)}</th>{_cells(row)}</tr>"
        for token, row in zip(reply.written, reply.attention, strict=True)
    )
    return f"<table style='border-collapse:collapse;font-size:0.8em'><tr><th></th>{head}</tr>{rows}</table>"


def console(bot: Chatbot) -> Any:
    """The panel: type a message, press Enter or the button. Blanks are a message too: the bot has an answer to them."""
    titles = (
        say("Conversation", "对话"),
        say("Where it looked (rows: written, columns: read)", "它看了哪里（行：写出，列：读入）"),
    )
    return conversation.panel(
        ChatModel(bot), render, titles, say("your message", "请输入"), share=45, blanks=True
    )


def _understood(reply: Reply | None) -> str:
    if reply is None:
        return _remark(say("nothing yet", "暂无"))
    if reply.reason:
        reasons = {
            "empty": say("Nothing was read.", "没有读到任何内容。"),
            "strange": say(
                "Most of it never occurred in training, so the network was not asked.",
                "大部分内容训练时没有出现过，所以没有交给网络。",
            ),
            "doubt": say(
                f"The network was not sure: mean ln p {reply.confidence:.2f}.",
                f"网络没有把握：平均 ln p 为 {reply.confidence:.2f}。",
            ),
        }
        return _remark(reasons[reply.reason])
    sure = say("confidence, mean ln p", "置信度（平均 ln p）")
    return f"<p style='margin:2px'>{sure}: {reply.confidence:.2f}</p>{attention_table(reply)}"


def _cells(row: Sequence[float]) -> str:
    cells = []
    for weight in row:
        color = "white" if weight > 0.5 else "black"
        number = f"{weight:.1f}" if weight >= NAMED_WEIGHT else ""
        style = f"background:rgba(31,78,121,{weight:.2f});color:{color};min-width:1.4em;text-align:center"
        cells.append(f"<td style='{style}' title='{weight:.3f}'>{number}</td>")
    return "".join(cells)


def _token(text: str) -> str:
    return html.escape(text.replace("\n", "↵").strip()) or "·"


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _remark(text: str) -> str:
    return f"<i>{html.escape(text)}</i>"
