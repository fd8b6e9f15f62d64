"""The facts in a message: order number, e-mail address, phone number, product, and a choice from a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.service.text import CHINESE, clean, close_to, fold
from labkit.service.utterances import MASKS

# LK-483920, lk 483920, LK483920, #483920, 483 920: what people make of an order number.
_ORDER = re.compile(
    r"(?<![\w@.-])(?:l\s?k\s?[-_:#]?\s?|#\s?|no\.?\s?|nr\.?\s?)?(\d{3}[\s-]?\d{3})(?![\d@]|[-.\s]\d)",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[a-z0-9._%+-]+\s?@\s?[a-z0-9-]+(?:\s?\.\s?[a-z0-9-]+)+", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w-])(?:\+?\d[\d\s()-]{7,}\d)(?!\w)")
_CHOICES = (
    (r"\b(?:1|one|first|former)\b|第一|一号|前面那|^1", 0),
    (r"\b(?:2|two|second)\b|第二|二号|^2", 1),
    (r"\b(?:3|three|third)\b|第三|三号|^3", 2),
    (r"\b(?:last|latter)\b|最后|后面那", -1),
)


@dataclass(frozen=True)
class Slots:
    """What a message holds. ``masked`` is its text with a word in the place of each, for the classifier."""

    order: str | None
    email: str | None
    phone: str | None
    products: tuple[str, ...]  # more than one where the words fit several
    masked: str
    rest: str  # the text without what was found

    @property
    def contact(self) -> str | None:
        """The e-mail address or else the phone number."""
        return self.email or self.phone

    def found(self) -> dict[str, str]:
        """The slots that are there, for the log; addresses and numbers of people are masked."""
        values = {"order": self.order, "email": hide(self.email), "phone": hide(self.phone)}
        values["product"] = " | ".join(self.products) or None
        return {name: value for name, value in values.items() if value}


def extract(message: str, products: Sequence[str]) -> Slots:
    """The slots of a message; ``products`` are the names in the catalogue."""
    text = clean(message)
    email, masked = _take(_EMAIL, text, MASKS["email"])
    phone, masked = _take(_PHONE, masked, MASKS["phone"])
    match = _ORDER.search(masked)
    order = f"LK-{re.sub(r'[^0-9]', '', match.group(1))}" if match else None
    if match:
        masked = f"{masked[: match.start()]} {MASKS['order']} {masked[match.end() :]}"
    named, masked = find_products(masked, products)
    rest = masked
    for mask in MASKS.values():
        rest = rest.replace(mask, " ")
    return Slots(
        order, re.sub(r"\s", "", email).lower() if email else None, phone, named, " ".join(masked.split()),
        " ".join(rest.split()),
    )  # fmt: skip


def find_products(text: str, products: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The catalogue's products that the words fit best, and the text with the name masked."""
    chinese = any(re.search(rf"[{CHINESE}]", name) for name in products)
    return _find_chinese(text, products) if chinese else _find_english(text, products)


def _find_english(text: str, products: Sequence[str]) -> tuple[tuple[str, ...], str]:
    words = re.findall(r"[a-z]+", fold(text))
    used: dict[str, list[str]] = {}
    for name in products:
        parts = fold(name).split()
        hits = [
            next((w for w in words if w == part or w == f"{part}s" or close_to(w, part)), None)
            for part in parts
        ]
        if hits[-1] or (len(parts) > 1 and hits[0] and len(parts[0]) > 4 and parts[0] not in COMMON):
            used[name] = [hit for hit in hits if hit]
    if not used:
        return (), text
    most = max(len(hits) for hits in used.values())
    best = [name for name, hits in used.items() if len(hits) == most]
    masked, first = fold(text), True
    for hit in used[best[0]]:
        masked = re.sub(rf"\b{re.escape(hit)}\b", MASKS["product"] if first else " ", masked)
        first = False
    return tuple(best[:4]), masked


def _find_chinese(text: str, products: Sequence[str]) -> tuple[tuple[str, ...], str]:
    best: list[str] = []
    longest = ""
    for name in products:
        part = _longest_shared(text, name)
        if len(part) < 2 or (part in COMMON):
            continue
        if len(part) > len(longest):
            best, longest = [name], part
        elif len(part) == len(longest):
            best.append(name)
    return tuple(best[:4]), text.replace(longest, MASKS["product"]) if best else text


def _longest_shared(text: str, name: str) -> str:
    for size in range(len(name), 1, -1):
        for start in range(len(name) - size + 1):
            if name[start : start + size] in text:
                return name[start : start + size]
    return ""


# Words that stand in a product's name and in ordinary talk.
COMMON = frozenset(
    "clear quiet swift winter steel mountain glass water moon dark rain trail wooden 套装 口袋 运动 高清 轻快".split()
)


def choice(message: str, options: Sequence[str]) -> int | None:
    """The place in a list that a message names: by its number, or by the words of one option alone."""
    text = fold(message)
    for pattern, place in _CHOICES:
        if re.search(pattern, text) and (place < len(options)):
            return place % len(options)
    shared = [
        sum(len(w) for w in set(re.findall(rf"[a-z]{{3,}}|[{CHINESE}]", fold(o))) if w in text)
        for o in options
    ]
    best = max(range(len(options)), key=shared.__getitem__)
    return best if shared[best] > 1 and shared.count(shared[best]) == 1 else None


def hide(contact: str | None) -> str | None:
    """A contact as a log may keep it: its first and last characters."""
    return None if contact is None else f"{contact[:2]}***{contact[-2:]}"


def _take(pattern: re.Pattern[str], text: str, mask: str) -> tuple[str | None, str]:
    match = pattern.search(text)
    if match is None:
        return None, text
    return match.group(), f"{text[: match.start()]} {mask} {text[match.end() :]}"
