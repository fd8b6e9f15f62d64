"""The last look at a reply before it is sent: nobody else's data, and no promise that the policies do not hold."""

from __future__ import annotations

import re
from collections.abc import Collection

from labkit.service.knowledge import BOUNDLESS
from labkit.service.policies import Policies
from labkit.service.text import fold

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_PHONE = re.compile(r"(?<![\w-])(?:555-\d{3}-\d{4}|1\d{10})(?!\d)")
_ORDER = re.compile(r"lk-?\d{6}")
_PERIOD = re.compile(r"(\d+)\s*(?:个)?\s*(working days?|days?|months?|years?|工作日|天|月|年)")
# A period stands for a policy only in its own unit: 24 months of warranty are no 24 days of return.
_UNITS = {"days": ("day", "天", "工作日"), "months": ("month", "月"), "years": ("year", "年")}


def problems(reply: str, policies: Policies, orders: Collection[str] = ()) -> list[str]:
    """What must not be sent; ``orders`` are the numbers that this conversation may mention."""
    text = fold(reply)
    found = [f"a contact: {match}" for pattern in (_EMAIL, _PHONE) for match in pattern.findall(text)]
    allowed = {number.casefold() for number in orders}
    found += [f"a foreign order: {number}" for number in _ORDER.findall(text) if number not in allowed]
    match = BOUNDLESS.search(text)
    if match:
        found.append(f"a promise without a limit: {match.group()}")
    for number, unit in _PERIOD.findall(re.sub(r"\d+月\d+日", "", text)):
        if not _is_policy(int(number), unit, policies):
            found.append(f"a period that no policy holds: {number} {unit}")
    return found


def _is_policy(number: int, unit: str, policies: Policies) -> bool:
    family = next(name for name, words in _UNITS.items() if any(word in unit for word in words))
    return any(
        value == number
        for name, value in policies.figures.items()
        if family in name or (family == "days" and "workdays" in name)
    )
