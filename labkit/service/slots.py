"""The facts in a message: order number, e-mail address, phone number, product, and a choice from a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.service.text import CHINESE, clean, close_to, fold
from labkit.service.utterances import MASKS

# LK-483920, lk 483920, LK483920, #483920, 483 920: what people make of an order number.
_ORDER = re.compile(
    r"(?<![a-z0-9_@.-])(?:l\s?k\s?[-_:#]?\s?|#\s?|no\.?\s?|nr\.?\s?)?(\d{3}[\s-]?\d{3})(?![\d@]|[-.\s]\d)",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[a-z0-9._%+-]+\s?@\s?[a-z0-9-]+(?:\s?\.\s?[a-z0-9-]+)+", re.IGNORECASE)
_PHONE = re.compile(r"(?<![a-z0-9_-])(?:\+?\d[\d\s()-]{7,}\d)(?![a-z0-9_])", re.IGNORECASE)
_CLAUSE = re.compile(r"(?<=[.!?;])\s+|[,，。！？；]\s*")
_GREETING = re.compile(
    r"(hi|hello|hey|good (morning|afternoon|evening)|你好|您好|在吗|亲|嗨|哈喽)( there)?[.!?呀啊]*",
    re.IGNORECASE,
)
# Words around a detail that ask for nothing: "my order number is ...", "我留的是 ...".
_FILLER = re.compile(
    r"\b(it|it's|its|is|the|my|your|you|have|on|file|order|number|no|nr|e-?mail|mail|address|phone|contact|should|be|that|this|and|for|"
    r"of|i|gave|under|with|here|sorry|ok|okay|yes|please|are|am|s)\b|订单号|订单|单号|号码|联系方式|联系电话|手机号|电话|手机|邮箱|留的|这一单|那一单|应该|就是|我的|我|是|为|的|号|和|[^\w\u4e00-\u9fff]",
    re.IGNORECASE,
)
_CHOICES = (  # the first that fits: "the second one" is the second
    (r"\b(?:2|2nd|second)\b|^two$|第二|二号|^2", 1),
    (r"\b(?:3|3rd|third)\b|^three$|第三|三号|^3", 2),
    (r"\b(?:last|latter)\b|最后|后面那", -1),
    (r"\b(?:1|1st|first|former)\b|^one$|第一|一号|前面那|^1", 0),
)


@dataclass(frozen=True)
class Slots:
    """What a message holds. ``masked`` is its text with a word in the place of each, for the classifier."""

    order: str | None
    email: str | None
    phone: str | None
    products: tuple[str, ...]  # more than one where the words fit several
    masked: str
    request: (
        str  # what is left for the classifier: clauses that only greet or only give details are taken out
    )

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
    return Slots(
        order, re.sub(r"\s", "", email).lower() if email else None, phone, named, " ".join(masked.split()),
        _request(" ".join(masked.split())),
    )  # fmt: skip


def _request(masked: str) -> str:
    """The clauses that ask for something; empty where the message only gives details."""
    clauses = [clause.strip() for clause in _CLAUSE.split(masked) if clause and clause.strip()]
    kept = [clause for clause in clauses if not _only_details(clause)]
    while len(kept) > 1 and _GREETING.fullmatch(kept[0]):
        kept.pop(0)
    separator = "，" if re.search(rf"[{CHINESE}]", masked) else ", "
    return separator.join(kept) if len(kept) < len(clauses) else masked


def _only_details(clause: str) -> bool:
    """Whether a clause holds an order number or a contact, and apart from it only words that ask for nothing."""
    rest = clause
    for name in ("order", "email", "phone"):
        rest = rest.replace(MASKS[name], " ")
    return rest != clause and not _FILLER.sub("", rest.replace(MASKS["product"], "product"))


def find_products(text: str, products: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The catalogue's products that the words fit best, and the text with the name masked."""
    chinese = any(re.search(rf"[{CHINESE}]", name) for name in products)
    return _find_chinese(text, products) if chinese else _find_english(text, products)


def _find_english(text: str, products: Sequence[str]) -> tuple[tuple[str, ...], str]:
    words = re.findall(r"[a-z]+", fold(text))
    used: dict[str, list[str]] = {}
    for name in products:
        parts = fold(name).split()
        hits = [next((w for w in words if w[0] == part[0] and _same_word(w, part)), None) for part in parts]
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


def _same_word(word: str, part: str) -> bool:
    """The same, its plural, or what a typing error after the first letter makes of it."""
    return word in (part, f"{part}s") or close_to(word, part)


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
    # Words, written as one text so that they can be read.
    "clear quiet swift winter steel mountain glass water moon dark rain trail wooden 套装 口袋 运动 高清 轻快".split()  # noqa: SIM905
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
