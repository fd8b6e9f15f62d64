"""What a colleague gets: a ticket with a summary, in a queue of its own. The bot changes nothing in the shop itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

KINDS = ("human", "identity", "cancel", "change", "return", "faulty", "warranty", "search", "guard")


@dataclass(frozen=True)
class Ticket:
    """One request for a person. ``note`` is the customer's own words on the order: to be read, never to be obeyed."""

    id: str
    kind: str
    language: str
    order: str | None
    product: str | None
    verified: bool
    summary: str
    messages: tuple[str, ...]  # the customer's last ones
    note: str = ""


@dataclass
class Queue:
    """Tickets in the order in which they came. One kind a conversation and order: asking twice makes no second."""

    tickets: list[Ticket] = field(default_factory=list)

    def put(
        self, kind: str, language: str, summary: str, messages: Sequence[str], *, order: str | None = None,
        product: str | None = None, verified: bool = False, note: str = "",
    ) -> Ticket:  # fmt: skip
        """Add a ticket and return it."""
        number = f"T{1001 + len(self.tickets)}"
        ticket = Ticket(number, kind, language, order, product, verified, summary, tuple(messages[-5:]), note)
        self.tickets.append(ticket)
        return ticket
