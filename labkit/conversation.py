"""The panel of a conversation: what was said, a field to say more, and panes that explain the last reply."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from labkit.common import say

BOT = "bot"  # of those who speak, the one whose turns have the other colour


class Model(Protocol):
    """The logic behind a panel, which knows no widget; each method gives what ``render`` takes."""

    def send(self, text: str, /) -> Any:
        """Say something, and see what came of it."""

    def reset(self) -> Any:
        """Begin a new conversation."""

    def view(self) -> Any:
        """The present state."""


def bubbles(turns: Iterable[tuple[str, str]], names: Mapping[str, str]) -> str:
    """(who, text) as HTML in which every text is escaped; ``names`` is how each who is called."""
    return "".join(
        f"<div style='margin:4px 0;padding:5px 9px;border-left:4px solid {'#1f4e79' if who == BOT else '#d9822b'}'>"
        f"<b>{html.escape(names[who])}</b> {html.escape(text).replace(chr(10), '<br>')}</div>"
        for who, text in turns
    )


def panel(
    model: Model,
    render: Callable[[Any], Sequence[str]],
    titles: Sequence[str],
    placeholder: str,
    *,
    share: int = 50,
    blanks: bool = False,
) -> Any:
    """Type a message, press Enter or the button; ``render`` gives the HTML of a pane for each of ``titles``.

    The first pane, the conversation, has ``share`` percent of the width. ``blanks`` alone are a message only where
    that is wanted. Nothing is sent by a click right after typing: leaving the field has sent the message.
    """
    import ipywidgets as w

    field = w.Text(placeholder=placeholder, continuous_update=False, layout={"width": "70%"})
    send = w.Button(description=say("send", "发送"))
    fresh = w.Button(description=say("new conversation", "新会话"))
    panes = [w.HTML(layout={"overflow": "auto", "max_height": "28em"}) for _ in titles]

    def show(view: Any) -> None:
        for pane, title, content in zip(panes, titles, render(view), strict=True):
            pane.value = f"<h4 style='margin:2px'>{title}</h4>{content}"

    def on_send(_: Any = None) -> None:
        text = field.value
        if text if blanks else text.strip():
            field.value = ""
            show(model.send(text))

    send.on_click(on_send)
    field.observe(lambda change: on_send() if change["new"] else None, names="value")
    fresh.on_click(lambda _: show(model.reset()))
    show(model.view())
    left = w.VBox([panes[0], w.HBox([field, send, fresh])], layout={"width": f"{share}%"})
    right = w.VBox(panes[1:], layout={"width": f"{100 - share}%"})
    return w.HBox([left, right])
