"""What the shop promises, as figures: the one place from which every answer takes its days, fees and limits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from labkit.common import LabkitError, data_dir
from labkit.service.text import check_language

PLACEHOLDER = re.compile(r"\{(\w+)\}")
FEES = ("return_fee", "standard_fee", "express_fee", "free_from", "instalments_from", "points_value",
        "birthday_voucher", "business_from")  # fmt: skip


@dataclass(frozen=True)
class Policies:
    """The figures of one market by name. ``figures["return_days"]`` is a number, ``text("return_days")`` how it is said."""

    language: str
    currency: str
    figures: Mapping[str, float | int | str]

    def __post_init__(self) -> None:
        check_language(self.language)
        for name, value in self.figures.items():
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise LabkitError(f"The policy {name} is {value!r}. Give a number, or a time such as 14:00.")
            if not isinstance(value, str) and value < 0:
                raise LabkitError(f"The policy {name} is {value!r}. Give a number that is not negative.")
            if isinstance(value, str) and not re.fullmatch(r"\d{1,2}:\d\d", value):
                raise LabkitError(f"The policy {name} is {value!r}. Give a number, or a time such as 14:00.")

    def number(self, name: str) -> int | float:
        """A figure to count with."""
        value = self._get(name)
        if isinstance(value, str):
            raise LabkitError(f"The policy {name} is the time {value}, not a number.")
        return value

    def text(self, name: str) -> str:
        """A figure as a customer reads it: ``$4.90``, ``8元``, ``30``, ``14:00``."""
        value = self._get(name)
        return money(float(value), self.currency) if name in FEES else str(value)

    def fill(self, text: str) -> str:
        """The text with every ``{name}`` replaced by its figure; refuses a name that is no policy."""
        return PLACEHOLDER.sub(lambda match: self.text(match.group(1)), text)

    def _get(self, name: str) -> float | int | str:
        if name not in self.figures:
            raise LabkitError(f"There is no policy {name!r}. Known: {', '.join(sorted(self.figures))}.")
        return self.figures[name]


def money(amount: float, currency: str) -> str:
    """``$4.90`` or ``8元``: dollars keep their cents unless there are none, yuan stand before their sign."""
    number = f"{amount:.0f}" if amount == round(amount) else f"{amount:.2f}"
    return f"{currency}{number}" if currency == "$" else f"{number}{currency}"


def load_policies(language: str) -> Policies:
    """The policies of a market, from ``data/service/policies.json``."""
    check_language(language)
    path = data_dir() / "service" / "policies.json"
    try:
        figures = dict(json.loads(path.read_text(encoding="utf-8"))[language])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabkitError(
            f"The policies {path} cannot be read: {error}. Get the data folder again."
        ) from error
    return Policies(language, figures.pop("currency", ""), figures)
