"""What is said and done about an order: pure decisions from its record, the policies and today's date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from labkit.service.database import Line, Order
from labkit.service.policies import Policies, money

DAYS_A_MONTH = 30.44


@dataclass(frozen=True)
class Outcome:
    """The reply's name, its facts, the kind of ticket that it needs, and why it was decided so."""

    reply: str
    why: str
    ticket: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What a decision rests on. ``line`` is the product in question, where the task is about one."""

    order: Order
    policies: Policies
    today: dt.date
    line: Line | None = None

    def outcome(self, reply: str, why: str, ticket: str | None = None) -> Outcome:
        """An outcome with all facts of the order that a reply may hold."""
        return Outcome(reply, why, ticket, self.facts())

    def facts(self) -> dict[str, str]:
        """The order's facts as a customer reads them."""
        order, language = self.order, self.policies.language
        facts = {"number": order.number, "placed": day(order.placed_on, language)}
        if order.shipment is not None:
            sent = order.shipment
            facts |= {"carrier": sent.carrier, "tracking": sent.tracking, "sent": day(sent.sent_on, language),
                      "expected": day(sent.expected_on, language)}  # fmt: skip
            if sent.delivered_on is not None:
                deadline = sent.delivered_on + dt.timedelta(days=int(self.policies.number("return_days")))
                facts |= {"delivered": day(sent.delivered_on, language), "deadline": day(deadline, language)}
        if self.line is not None:
            facts["product"] = self.line.product
        if order.returned is not None:
            back = order.returned
            facts |= {
                "product": self.line.product if self.line is not None else back.product,
                "amount": money(back.cents / 100, self.policies.currency),
            }
            for name, value in (("requested", back.requested_on), ("received", back.received_on),
                                ("refunded", back.refunded_on)):  # fmt: skip
                if value is not None:
                    facts[name] = day(value, language)
        return facts

    @property
    def since_delivery(self) -> int | None:
        """Days since the parcel arrived."""
        shipment = self.order.shipment
        if shipment is None or shipment.delivered_on is None:
            return None
        return (self.today - shipment.delivered_on).days


def day(date: dt.date, language: str) -> str:
    """``12 March`` or ``3月12日``."""
    months = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
              "November", "December")  # fmt: skip
    return f"{date.month}月{date.day}日" if language == "zh" else f"{date.day} {months[date.month - 1]}"


def order_status(case: Case) -> Outcome:
    """Where the order is; a parcel that is far too late gets a search."""
    order = case.order
    if order.status != "shipped":
        return case.outcome(f"status_{order.status}", f"the order's status is {order.status}")
    if case.today <= order.shipment.expected_on:
        return case.outcome("status_shipped", "on its way, and not late")
    days = (case.today - order.shipment.sent_on).days
    limit = int(case.policies.number("lost_after_days"))
    if days >= limit:
        return case.outcome("status_lost", f"sent {days} days ago, the limit is {limit}", "search")
    return case.outcome("status_overdue", f"late, but sent {days} days ago, under the limit of {limit}")


def cancel_order(case: Case) -> Outcome:
    """Only what has not left can be cancelled, and a person does it."""
    status = case.order.status
    if status == "processing":
        return case.outcome("cancel_passed", "not sent yet: a colleague cancels it", "cancel")
    if status == "cancelled":
        return case.outcome("status_cancelled", "cancelled already")
    return case.outcome(f"cancel_{status}", f"the order is {status}: too late to cancel")


def change_order(case: Case) -> Outcome:
    """Only what is not packed can be changed, and a person does it."""
    status = case.order.status
    if status == "processing":
        return case.outcome("change_passed", "not packed yet: a colleague changes it", "change")
    if status == "cancelled":
        return case.outcome("status_cancelled", "cancelled already")
    return case.outcome(f"change_{status}", f"the order is {status}: too late to change")


def return_item(case: Case) -> Outcome:
    """Within the period, unless the product is excluded or a return is registered."""
    days, limit = case.since_delivery, int(case.policies.number("return_days"))
    if case.order.returned is not None and case.order.returned.product == case.line.product:
        return case.outcome("return_exists", "a return is registered already")
    if case.order.status == "cancelled":
        return case.outcome("status_cancelled", "cancelled: nothing was delivered")
    if days is None:
        return case.outcome("return_undelivered", "not delivered yet")
    if not case.line.returnable:
        return case.outcome("return_excluded", "the product is excluded from returns")
    if days > limit:
        return case.outcome("return_late", f"delivered {days} days ago, the period is {limit} days")
    return case.outcome("return_passed", f"delivered {days} days ago, within {limit} days", "return")


def refund_status(case: Case) -> Outcome:
    """How far the return and its refund have got."""
    back = case.order.returned
    case = replace(case, line=None)  # what was sent back, whatever product was named
    if back is None:
        return case.outcome("refund_none", "no return is registered")
    if back.refunded_on is not None:
        return case.outcome("refund_paid", "the refund was paid")
    if back.received_on is not None:
        return case.outcome("refund_received", "the return has arrived, the refund is not paid yet")
    return case.outcome("refund_requested", "the return has not arrived yet")


def damaged_item(case: Case) -> Outcome:
    """New or money back within the period for faulty goods, then the warranty; a person looks at it."""
    days = case.since_delivery
    if days is None:
        return case.outcome("faulty_undelivered", "faulty, but not marked as delivered", "faulty")
    if days <= case.policies.number("faulty_return_days"):
        return case.outcome("faulty_passed", f"delivered {days} days ago: new one or money back", "faulty")
    if days > DAYS_A_MONTH * case.policies.number("warranty_months"):
        return case.outcome("warranty_over", f"delivered {days} days ago: the warranty is over")
    return case.outcome("warranty_passed", f"delivered {days} days ago: a warranty case", "warranty")


def missing_parcel(case: Case) -> Outcome:
    """Marked as delivered and not there: a search. Anything else is a question of status."""
    if case.order.status == "delivered":
        return case.outcome("missing_passed", "marked as delivered, the customer has nothing", "search")
    return order_status(case)


TASKS: Mapping[str, Callable[[Case], Outcome]] = {
    "order_status": order_status,
    "cancel_order": cancel_order,
    "change_order": change_order,
    "return_item": return_item,
    "refund_status": refund_status,
    "damaged_item": damaged_item,
    "missing_parcel": missing_parcel,
}
ABOUT_ONE_PRODUCT = ("return_item", "damaged_item")
