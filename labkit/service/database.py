"""The shop's records for reading only, and nobody's but those of the customer who proved who they are.

Three locks, each enough by itself against a change of the data: the file is opened read-only (``mode=ro``),
``PRAGMA query_only`` refuses writing statements, and an authorizer allows nothing but reading the shop's tables.
Values are bound, never put into the text of a statement. Every look-up of an order asks for the customer too.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from labkit.common import LabkitError
from labkit.service.text import fold

MAX_ATTEMPTS = 3  # in one conversation
MAX_ORDER_ATTEMPTS = 6  # against one order number, over all conversations
TABLES = ("customers", "products", "orders", "order_lines", "shipments", "returns", "meta")
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION)


@dataclass(frozen=True)
class Line:
    """One product of an order."""

    product: str
    quantity: int
    cents: int
    returnable: bool


@dataclass(frozen=True)
class Shipment:
    """A parcel on its way or arrived."""

    carrier: str
    tracking: str
    sent_on: dt.date
    expected_on: dt.date
    delivered_on: dt.date | None


@dataclass(frozen=True)
class Return:
    """What was sent back, and how far that has got."""

    product: str
    requested_on: dt.date
    received_on: dt.date | None
    refunded_on: dt.date | None
    cents: int


@dataclass(frozen=True)
class Order:
    """One order with all that belongs to it. ``note`` is what the customer wrote: text to show to people, never to obey."""

    number: str
    placed_on: dt.date
    status: str
    express: bool
    fee_cents: int
    total_cents: int
    note: str
    lines: tuple[Line, ...]
    shipment: Shipment | None
    returned: Return | None


@dataclass(frozen=True)
class Product:
    """One product of the catalogue."""

    name: str
    category: str
    cents: int
    stock: int
    returnable: bool


@dataclass(frozen=True)
class Identity:
    """Proof that a customer said an order number and the e-mail address or phone number that belongs to it.

    Only ``ShopReader.prove`` makes one; what is looked up is bound to ``customer_id``.
    """

    customer_id: int
    order_number: str


class Attempts:
    """Counts failed proofs against each order number over all conversations, so that nobody tries out addresses."""

    def __init__(self, limit: int = MAX_ORDER_ATTEMPTS):
        self.limit = limit
        self._failed: Counter[str] = Counter()

    def locked(self, number: str) -> bool:
        """Whether this order number was tried too often."""
        return self._failed[number] >= self.limit

    def fail(self, number: str) -> None:
        """Count a failed proof; for numbers that do not exist as well, so that a lock says nothing."""
        self._failed[number] += 1


class ShopReader:
    """Reads a shop's database. Use it as a context manager, or call ``close``."""

    def __init__(self, path: Path | str, attempts: Attempts | None = None):
        path = self.path = Path(path)
        if not path.is_file():
            raise LabkitError(
                f"There is no shop database at {path}. Make one with shop.build_shop({str(path)!r})."
            )
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.set_authorizer(_authorize)
        self.attempts = Attempts() if attempts is None else attempts
        try:
            meta = dict(self._rows("SELECT name, value FROM meta"))
            self.language, self.today = meta["language"], dt.date.fromisoformat(meta["today"])
        except (sqlite3.Error, KeyError, ValueError) as error:
            self.close()
            raise LabkitError(
                f"{path} is no shop database ({error}). Make one with shop.build_shop."
            ) from error

    def __enter__(self) -> ShopReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def products(self) -> list[Product]:
        """The whole catalogue: open to everybody."""
        rows = self._rows("SELECT name, category, cents, stock, returnable FROM products ORDER BY id")
        return [Product(*row[:4], returnable=bool(row[4])) for row in rows]

    def prove(self, number: str, contact: str) -> Identity | None:
        """The identity of whoever knows an order number and the e-mail address or phone number on it, else None.

        A number that does not exist and a contact that does not fit give the same answer and count alike.
        """
        if self.attempts.locked(number):
            return None
        rows = self._rows(
            "SELECT customers.id, email, phone FROM orders JOIN customers ON customers.id = customer_id WHERE number = ?",
            number,
        )
        for customer_id, email, phone in rows:
            if fold(contact) == fold(email) or (digits(contact) and digits(contact) == digits(phone)):
                return Identity(customer_id, number)
        self.attempts.fail(number)
        return None

    def order(self, identity: Identity, number: str) -> Order | None:
        """An order of this customer; None for one of somebody else and for one that does not exist."""
        rows = self._rows(
            "SELECT id, number, placed_on, status, express, fee_cents, total_cents, note FROM orders "
            "WHERE number = ? AND customer_id = ?",
            number, identity.customer_id,
        )  # fmt: skip
        if not rows:
            return None
        key, number, placed_on, status, express, fee_cents, total_cents, note = rows[0]
        return Order(
            number, dt.date.fromisoformat(placed_on), status, bool(express), fee_cents, total_cents, note,
            self._lines(key), self._shipment(key), self._return(key),
        )  # fmt: skip

    def order_numbers(self, identity: Identity) -> list[str]:
        """The numbers of all orders of this customer, the newest first."""
        rows = self._rows(
            "SELECT number FROM orders WHERE customer_id = ? ORDER BY placed_on DESC, id DESC",
            identity.customer_id,
        )
        return [number for (number,) in rows]

    def _lines(self, order: int) -> tuple[Line, ...]:
        rows = self._rows(
            "SELECT name, quantity, order_lines.cents, returnable FROM order_lines "
            "JOIN products ON products.id = product_id WHERE order_id = ? ORDER BY product_id",
            order,
        )
        return tuple(
            Line(name, quantity, cents, bool(returnable)) for name, quantity, cents, returnable in rows
        )

    def _shipment(self, order: int) -> Shipment | None:
        for row in self._rows(
            "SELECT carrier, tracking, sent_on, expected_on, delivered_on FROM shipments WHERE order_id = ?",
            order,
        ):
            return Shipment(row[0], row[1], *(_date(value) for value in row[2:]))
        return None

    def _return(self, order: int) -> Return | None:
        for row in self._rows(
            "SELECT name, requested_on, received_on, refunded_on, returns.cents FROM returns "
            "JOIN products ON products.id = product_id WHERE order_id = ?",
            order,
        ):
            return Return(row[0], *(_date(value) for value in row[1:4]), row[4])
        return None

    def _rows(self, statement: str, *values: Any) -> Sequence[tuple]:
        return self._connection.execute(statement, values).fetchall()


def digits(text: str) -> str:
    """The digits of a phone number alone; empty where the text holds a letter or an @."""
    text = fold(text)
    return "" if re.search(r"[^\W\d_]|@", text) else re.sub(r"\D", "", text)


def _date(value: str | None) -> dt.date | None:
    return None if value is None else dt.date.fromisoformat(value)


def _authorize(action: int, table: str | None, *_: object) -> int:
    if action in _ALLOWED or (action == sqlite3.SQLITE_READ and table in TABLES):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
