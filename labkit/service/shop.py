"""The shop's records: customers, products, orders, shipments and returns in SQLite, drawn from a seed."""

from __future__ import annotations

import datetime as dt
import json
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.common import LabkitError, data_dir
from labkit.service.policies import Policies, load_policies
from labkit.service.text import check_language

TODAY = dt.date(2026, 3, 16)  # the shop's own calendar stands still, so that answers can be repeated
SCHEMA = """
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, phone TEXT NOT NULL UNIQUE,
    city TEXT NOT NULL, address TEXT NOT NULL
);
CREATE TABLE products (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, category TEXT NOT NULL, cents INTEGER NOT NULL,
    stock INTEGER NOT NULL, returnable INTEGER NOT NULL
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, customer_id INTEGER NOT NULL REFERENCES customers (id),
    placed_on TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('processing', 'shipped', 'delivered', 'cancelled')),
    express INTEGER NOT NULL, fee_cents INTEGER NOT NULL, total_cents INTEGER NOT NULL, note TEXT NOT NULL
);
CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id), product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL, cents INTEGER NOT NULL, PRIMARY KEY (order_id, product_id)
);
CREATE TABLE shipments (
    order_id INTEGER PRIMARY KEY REFERENCES orders (id), carrier TEXT NOT NULL, tracking TEXT NOT NULL UNIQUE,
    sent_on TEXT NOT NULL, expected_on TEXT NOT NULL, delivered_on TEXT
);
CREATE TABLE returns (
    order_id INTEGER PRIMARY KEY REFERENCES orders (id), product_id INTEGER NOT NULL REFERENCES products (id),
    requested_on TEXT NOT NULL, received_on TEXT, refunded_on TEXT, cents INTEGER NOT NULL
);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class ShopConfig:
    """Which shop to draw: its market, its size, its seed."""

    language: str = "en"
    seed: int = 0
    num_customers: int = 120
    orders_each: int = 3  # at most; at least one

    def __post_init__(self) -> None:
        check_language(self.language)
        for name, limit in (("num_customers", 800), ("orders_each", 20)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
                raise LabkitError(f"{name} is {value!r}. Give a whole number from 1 to {limit}.")


def build_shop(path: Path | str, config: ShopConfig | None = None) -> Path:
    """Write the shop's database to ``path``, replacing what is there. Equal configurations give equal records."""
    config = ShopConfig() if config is None else config
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    try:
        connection.executescript(SCHEMA)
        _fill(connection, config)
        connection.commit()
        connection.execute("VACUUM")
    finally:
        connection.close()
    return path


def catalog(language: str) -> dict[str, Any]:
    """Products and the parts of names and addresses, written by hand: ``data/service/catalog_en.json``."""
    path = data_dir() / "service" / f"catalog_{check_language(language)}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabkitError(f"{path} cannot be read: {error}. Get the data folder again.") from error


def _fill(connection: sqlite3.Connection, config: ShopConfig) -> None:
    rng = random.Random(f"shop {config.language} {config.seed}")
    words = catalog(config.language)
    policies = load_policies(config.language)
    put = _writer(connection)
    for name, value in {"language": config.language, "today": TODAY.isoformat()}.items():
        put("meta", name, value)
    for number, (name, category, price, returnable) in enumerate(words["products"], start=1):
        stock = rng.choice([0, 0, 2, 5, 12, 40, 150])
        put("products", number, name, category, round(100 * price), stock, int(returnable))
    numbers = iter(rng.sample(range(100_000, 1_000_000), config.num_customers * config.orders_each))
    phones = iter(rng.sample(range(1_000_000, 10_000_000), config.num_customers))
    taken: set[str] = set()
    order_id = 0
    for customer in range(1, config.num_customers + 1):
        _put_customer(put, rng, words, config.language, customer, next(phones), taken)
        for _ in range(rng.randint(1, config.orders_each)):
            order_id += 1
            _put_order(put, rng, words, policies, order_id, customer, next(numbers))


def _writer(connection: sqlite3.Connection) -> Callable[..., None]:
    def put(table: str, *values: Any) -> None:
        marks = ", ".join("?" * len(values))
        connection.execute(
            f"INSERT INTO {table} VALUES ({marks})", values
        )  # the table's name is never a user's

    return put


def _put_customer(
    put: Callable[..., None],
    rng: random.Random,
    words: dict,
    language: str,
    number: int,
    phone: int,
    taken: set[str],
) -> None:
    given, family = rng.choice(words["given"]), rng.choice(words["family"])
    street, city = rng.choice(words["streets"]), rng.choice(words["cities"])
    if language == "zh":
        name, address = family + given, f"{street}{rng.randint(1, 199)}号"
        local = rng.choice(["user", "hi", "love", "mail", "sun", "lucky"]) + str(rng.randint(1000, 99999))
        shown = f"12{phone % 10}{rng.randint(1000, 9999)}{phone % 10_000:04d}"  # 12x is given to no mobile network
    else:
        name, address = f"{given} {family}", f"{rng.randint(1, 199)} {street}"
        local = f"{given}.{family}{rng.randint(1, 999)}".lower()
        shown = f"555-{phone // 10_000:03d}-{phone % 10_000:04d}"
    while local in taken or shown in taken:
        local, shown = f"{local}x", shown[:-1] + str((int(shown[-1]) + 1) % 10)
    taken.update((local, shown))
    put("customers", number, name, f"{local}@mail.example", shown, city, address)


def _put_order(
    put: Callable[..., None],
    rng: random.Random,
    words: dict,
    policies: Policies,
    order: int,
    customer: int,
    number: int,
) -> None:
    lines = rng.sample(range(len(words["products"])), rng.choice([1, 1, 1, 2, 2, 3]))
    bought = [
        (index + 1, rng.choice([1, 1, 1, 2]), round(100 * words["products"][index][2])) for index in lines
    ]
    goods = sum(quantity * cents for _, quantity, cents in bought)
    express = rng.random() < 0.25
    fee = policies.number("express_fee") if express else policies.number("standard_fee")
    fee_cents = 0 if not express and goods >= 100 * policies.number("free_from") else round(100 * fee)
    status = rng.choices(["processing", "shipped", "delivered", "cancelled"], [3, 4, 8, 1])[0]
    age = {"processing": rng.randint(0, 1), "shipped": rng.randint(1, 14), "cancelled": rng.randint(2, 60)}
    placed = TODAY - dt.timedelta(
        days=age.get(status, rng.choice([5, 6, 8, 9, 12, 14, 20, 25, 33, 45, 70, 120]))
    )
    put("orders", order, f"LK-{number}", customer, placed.isoformat(), status, int(express), fee_cents,
        goods + fee_cents, rng.choice(words["notes"]))  # fmt: skip
    for product, quantity, cents in bought:
        put("order_lines", order, product, quantity, cents)
    if status in ("shipped", "delivered"):
        _put_shipment(put, rng, words, policies, order, placed, express, status)
    if status == "delivered" and rng.random() < 0.35:
        _put_return(put, rng, order, placed, *rng.choice(bought))


def _put_shipment(
    put: Callable[..., None], rng: random.Random, words: dict, policies: Policies, order: int, placed: dt.date,
    express: bool, status: str,
) -> None:  # fmt: skip
    sent = min(placed + dt.timedelta(days=1), TODAY)
    days = policies.number("express_days") if express else policies.number("standard_days_max")
    expected = sent + dt.timedelta(days=int(days))
    arrived = min(sent + dt.timedelta(days=max(1, int(days) - rng.randint(0, 1))), TODAY)
    tracking = f"{rng.choice('BNPT')}{rng.randrange(10**9, 10**10)}"
    put("shipments", order, rng.choice(words["carriers"]), tracking, sent.isoformat(), expected.isoformat(),
        arrived.isoformat() if status == "delivered" else None)  # fmt: skip


def _put_return(
    put: Callable[..., None],
    rng: random.Random,
    order: int,
    placed: dt.date,
    product: int,
    quantity: int,
    cents: int,
) -> None:
    asked = placed + dt.timedelta(days=rng.randint(4, 6))
    if asked >= TODAY:
        return
    received = asked + dt.timedelta(days=rng.randint(2, 4))
    refunded = received + dt.timedelta(days=rng.randint(1, 4))
    dates = [day.isoformat() if day <= TODAY else None for day in (received, refunded)]
    put("returns", order, product, asked.isoformat(), *dates, quantity * cents)
