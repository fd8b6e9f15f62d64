"""Shop records, policies and the reader that only reads, for the right person only."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.service import database, policies, shop, tasks
from labkit.service.database import Attempts, ShopReader
from labkit.service.policies import Policies, load_policies, money


@pytest.fixture(scope="module", params=["en", "zh"])
def place(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    return shop.build_shop(folder / "shop.db", shop.ShopConfig(request.param, seed=3, num_customers=40))


@pytest.fixture
def rows(place):
    connection = sqlite3.connect(place)
    connection.row_factory = sqlite3.Row
    yield lambda statement, *values: connection.execute(statement, values).fetchall()
    connection.close()


def test_equal_configurations_give_equal_records_and_others_do_not(place, tmp_path):
    reader = ShopReader(place)
    again = shop.build_shop(tmp_path / "a.db", shop.ShopConfig(reader.language, seed=3, num_customers=40))
    other = shop.build_shop(tmp_path / "b.db", shop.ShopConfig(reader.language, seed=4, num_customers=40))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (place, again, other)]
    assert digests[0] == digests[1] != digests[2]
    reader.close()


def test_records_agree_with_each_other_and_with_the_policies(rows, place):
    with ShopReader(place) as reader:
        figures = load_policies(reader.language)
    assert not rows("PRAGMA foreign_key_check")
    for order in rows("SELECT * FROM orders"):
        goods = sum(
            line["quantity"] * line["cents"]
            for line in rows("SELECT * FROM order_lines WHERE order_id = ?", order["id"])
        )
        assert order["total_cents"] == goods + order["fee_cents"]
        free = not order["express"] and goods >= 100 * figures.number("free_from")
        assert (order["fee_cents"] == 0) == free
        sent = rows("SELECT * FROM shipments WHERE order_id = ?", order["id"])
        assert bool(sent) == (order["status"] in ("shipped", "delivered"))
        if sent:
            assert (sent[0]["delivered_on"] is not None) == (order["status"] == "delivered")
            assert (
                order["placed_on"]
                <= sent[0]["sent_on"]
                <= (sent[0]["delivered_on"] or shop.TODAY.isoformat())
            )
    for back in rows("SELECT * FROM returns"):
        days = [back["requested_on"], back["received_on"] or "9", back["refunded_on"] or "9"]
        assert days == sorted(days)
        bought = rows("SELECT product_id FROM order_lines WHERE order_id = ?", back["order_id"])
        assert back["product_id"] in [line["product_id"] for line in bought]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "fr"),
        ("num_customers", 0),
        ("num_customers", 2.5),
        ("orders_each", 21),
        ("orders_each", True),
    ],
)
def test_a_wrong_shop_is_refused_by_its_field(name, value):
    with pytest.raises(LabkitError, match=name):
        shop.ShopConfig(**{name: value})


WRITES = (
    "DELETE FROM orders", "UPDATE products SET cents = 1", "INSERT INTO meta VALUES ('a', 'b')", "DROP TABLE customers",
    "CREATE TABLE x (y)", "ATTACH DATABASE ':memory:' AS other", "PRAGMA query_only = OFF", "VACUUM",
)  # fmt: skip


@pytest.mark.parametrize("statement", WRITES)
def test_nothing_but_reading_is_possible(place, statement):
    before = place.read_bytes()
    with ShopReader(place) as reader, pytest.raises(sqlite3.Error):
        reader._rows(statement)
    assert place.read_bytes() == before


@pytest.mark.parametrize("lock", ["mode", "pragma", "authorizer"])
def test_each_lock_holds_without_the_others(place, lock, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_bytes(place.read_bytes())
    connection = sqlite3.connect(f"file:{copy}?mode={'ro' if lock == 'mode' else 'rw'}", uri=True)
    if lock == "pragma":
        connection.execute("PRAGMA query_only = ON")
    if lock == "authorizer":
        connection.set_authorizer(database._authorize)
    with pytest.raises(sqlite3.Error):
        connection.execute("DELETE FROM orders")
    connection.close()
    assert copy.read_bytes() == place.read_bytes()


def test_only_who_knows_order_and_contact_is_proved(place, rows):
    (order,) = rows(
        "SELECT number, email, phone, customer_id AS owner FROM orders JOIN customers ON customers.id = customer_id LIMIT 1"
    )
    (other,) = rows(
        "SELECT email, number FROM orders JOIN customers ON customers.id = customer_id WHERE customer_id <> ? LIMIT 1",
        order["owner"],
    )
    with ShopReader(place, Attempts(limit=100)) as reader:
        for good in (
            order["email"],
            order["email"].upper(),
            order["phone"],
            order["phone"].replace("-", " "),
        ):
            assert reader.prove(order["number"], good).customer_id == order["owner"]
        for bad in (other["email"], "", "%", "' OR '1'='1", order["email"][:-1], "0", order["number"], "x"):
            assert reader.prove(order["number"], bad) is None
        identity = reader.prove(order["number"], order["email"])
        assert reader.order(identity, order["number"]).number == order["number"]
        assert reader.order(identity, other["number"]) is None
        mine = {
            row["number"] for row in rows("SELECT number FROM orders WHERE customer_id = ?", order["owner"])
        }
        assert set(reader.order_numbers(identity)) == mine


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_proves_anything_or_breaks_the_reader(number, contact):
    place = test_no_text_proves_anything_or_breaks_the_reader.place
    with ShopReader(place) as reader:
        assert reader.prove(number, contact) is None


@pytest.fixture(autouse=True, scope="module")
def _place_for_properties(place):
    test_no_text_proves_anything_or_breaks_the_reader.place = place


def test_an_order_is_locked_after_some_failures_even_for_its_owner(place, rows):
    (order,) = rows("SELECT number, email FROM orders JOIN customers ON customers.id = customer_id LIMIT 1")
    with ShopReader(place, Attempts(limit=3)) as reader:
        for _ in range(2):
            reader.prove(order["number"], "nobody@mail.example")
        assert reader.prove(order["number"], order["email"]) is not None
        reader.prove(order["number"], "nobody@mail.example")
        assert reader.prove(order["number"], order["email"]) is None


def test_a_missing_or_foreign_file_is_refused_in_words(tmp_path):
    with pytest.raises(LabkitError, match="build_shop"):
        ShopReader(tmp_path / "none.db")
    sqlite3.connect(tmp_path / "other.db").executescript(
        "CREATE TABLE t (x); INSERT INTO t VALUES (1);"
    ).close()
    with pytest.raises(LabkitError, match="no shop database"):
        ShopReader(tmp_path / "other.db")


def test_money_and_placeholders():
    assert [money(4.9, "$"), money(60, "$"), money(8, "元"), money(12.5, "元")] == [
        "$4.90",
        "$60",
        "8元",
        "12.50元",
    ]
    english = load_policies("en")
    assert english.fill("{return_days} days, {standard_fee}") == "30 days, $4.90"
    with pytest.raises(LabkitError, match="retrun_days"):
        english.fill("{retrun_days}")
    with pytest.raises(LabkitError, match="not a number"):
        english.number("hours_from")
    for wrong in (-1, True, "soon", None):
        with pytest.raises(LabkitError, match="return_days"):
            Policies("en", "$", {"return_days": wrong})


def case(status, *, language="en", delivered=None, sent=None, expected=None, returnable=True, returned=None):
    shipment = None
    if sent is not None:
        day = lambda ago: None if ago is None else shop.TODAY - dt.timedelta(days=ago)  # noqa: E731
        shipment = database.Shipment("Blue Parcel", "B1", day(sent), day(expected), day(delivered))
    line = database.Line("Pebble kettle", 1, 4200, returnable)
    order = database.Order(
        "LK-123456",
        shop.TODAY - dt.timedelta(days=sent or 0),
        status,
        False,
        0,
        4200,
        "",
        (line,),
        shipment,
        returned,
    )
    return tasks.Case(order, load_policies(language), shop.TODAY, line)


@pytest.mark.parametrize(
    ("task", "given_", "reply", "ticket"),
    [
        ("cancel_order", case("processing"), "cancel_passed", "cancel"),
        ("cancel_order", case("shipped", sent=1, expected=-2), "cancel_shipped", None),
        ("change_order", case("processing"), "change_passed", "change"),
        ("change_order", case("delivered", sent=4, expected=1, delivered=1), "change_delivered", None),
        ("order_status", case("shipped", sent=2, expected=0), "status_shipped", None),
        ("order_status", case("shipped", sent=9, expected=1), "status_overdue", None),
        ("order_status", case("shipped", sent=10, expected=1), "status_lost", "search"),
        ("return_item", case("delivered", sent=34, expected=30, delivered=30), "return_passed", "return"),
        ("return_item", case("delivered", sent=35, expected=31, delivered=31), "return_late", None),
        ("return_item", case("delivered", sent=9, expected=8, delivered=7, language="zh"), "return_passed", "return"),
        ("return_item", case("delivered", sent=9, expected=8, delivered=8, language="zh"), "return_late", None),
        ("return_item", case("delivered", sent=4, expected=1, delivered=1, returnable=False), "return_excluded", None),
        ("return_item", case("shipped", sent=1, expected=-2), "return_undelivered", None),
        ("damaged_item", case("delivered", sent=64, expected=60, delivered=60), "faulty_passed", "faulty"),
        ("damaged_item", case("delivered", sent=65, expected=61, delivered=61), "warranty_passed", "warranty"),
        ("damaged_item", case("delivered", sent=765, expected=761, delivered=761), "warranty_over", None),
        ("missing_parcel", case("delivered", sent=4, expected=1, delivered=1), "missing_passed", "search"),
        ("missing_parcel", case("processing"), "status_processing", None),
        ("refund_status", case("delivered", sent=4, expected=1, delivered=1), "refund_none", None),
    ],
)  # fmt: skip
def test_a_decision_follows_from_the_record_the_policies_and_the_day(task, given_, reply, ticket):
    outcome = tasks.TASKS[task](given_)
    assert (outcome.reply, outcome.ticket) == (reply, ticket)
    assert outcome.why


def test_a_return_of_another_product_does_not_stand_in_the_way():
    back = database.Return("Citrus press", shop.TODAY, None, None, 1990)
    outcome = tasks.return_item(case("delivered", sent=4, expected=1, delivered=1, returned=back))
    assert outcome.reply == "return_passed"
    assert outcome.facts["product"] == "Pebble kettle"
    assert (
        tasks.refund_status(case("delivered", sent=4, expected=1, delivered=1, returned=back)).facts[
            "product"
        ]
        == "Citrus press"
    )


def test_dates_are_said_as_people_say_them():
    assert tasks.day(dt.date(2026, 3, 5), "en") == "5 March"
    assert tasks.day(dt.date(2026, 3, 5), "zh") == "3月5日"


def test_policies_name_every_fee_as_money():
    assert {name for name in policies.FEES if name not in load_policies("en").figures} == set()
