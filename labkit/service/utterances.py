"""What people write: utterances by hand with their intents, filled with slots, and typed as people type."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.common import LabkitError, data_dir
from labkit.service.intents import OUT_OF_SCOPE, IntentConfig, IntentModel
from labkit.service.knowledge import Article, read_articles
from labkit.service.shop import catalog
from labkit.service.text import check_language

SPLITS = ("train", "validation", "test")
# What stands in a text for a slot that was recognized: the classifier learns what is said of an order, not its number.
MASKS = {"order": "ordernumber", "email": "mailaddress", "phone": "phonenumber", "product": "productname"}
NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl",
    "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb",
    "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
# What a pinyin keyboard offers first when one does not look: same sound, wrong character.
SAME_SOUND = {
    "的": "得", "在": "再", "货": "活", "退": "腿", "订": "定", "单": "担", "到": "道", "快": "块", "递": "第", "查": "茶",
    "款": "宽", "换": "还", "坏": "怀", "收": "手", "买": "卖", "寄": "记", "地": "的", "址": "纸", "想": "响", "要": "药",
    "发": "法", "账": "帐", "号": "好", "钱": "前", "没": "每", "人": "仁", "工": "公", "客": "课", "服": "福", "消": "销",
}  # fmt: skip


@dataclass(frozen=True)
class Utterance:
    """One sentence with its intent; slots stand in it as ``{order}``, ``{product}``, ``{email}``, ``{phone}``.

    ``(where is|what about) my (order|parcel)`` stands for all its readings: one of each bracket.
    """

    text: str
    intent: str
    split: str


def read_utterances(language: str, split: str | None = None) -> list[Utterance]:
    """The sentences written by hand, of one split or of all."""
    path = data_dir() / "service" / f"utterances_{check_language(language)}.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise LabkitError(f"{path} cannot be read: {error}. Get the data folder again.") from error
    if split is not None and split not in SPLITS:
        raise LabkitError(f"split is {split!r}. Choose one of: {', '.join(SPLITS)}.")
    return [Utterance(**row) for row in rows if split in (None, row["split"])]


def mistype(text: str, rng: random.Random, errors: int = 1) -> str:
    """The text with so many typing errors: letters swapped, left out, doubled or their neighbours on the keyboard;
    Chinese characters of the same sound, left out or doubled. Digits, @ and slots are left alone.
    """
    for _ in range(errors):
        places = [
            match.start()
            for match in re.finditer(r"[a-zA-Z\u4e00-\u9fff]", text)
            if not _protected(text, match.start())
        ]
        if not places:
            return text
        at = rng.choice(places)
        letter = text[at]
        if "\u4e00" <= letter <= "\u9fff":
            other = SAME_SOUND.get(letter)
            choices = [other] * 3 if other else []
            replaced = rng.choice([*choices, letter + letter, "" if len(places) > 3 else letter])
        else:
            swapped = text[at + 1] + letter if at + 1 < len(text) and text[at + 1].isalpha() else letter
            if len(swapped) == 2 and rng.random() < 0.3:
                text = text[:at] + swapped + text[at + 2 :]
                continue
            replaced = rng.choice([rng.choice(NEIGHBOURS.get(letter.lower(), letter)), letter + letter, ""])
        text = text[:at] + replaced + text[at + 1 :]
    return text


def _protected(text: str, place: int) -> bool:
    """Whether the letter belongs to a slot, an order number or an address."""
    start = max(text.rfind(" ", 0, place), text.rfind("，", 0, place)) + 1
    end = min((i for i in (text.find(" ", place), text.find("，", place)) if i >= 0), default=len(text))
    if re.search(r"[@\d]", text[start:end]):
        return True
    opened = text.rfind("{", 0, place)
    return opened > text.rfind("}", 0, place)


def reading(text: str, rng: random.Random) -> str:
    """One reading of a text with brackets, blanks in order."""
    while (match := re.search(r"\(([^()]*\|[^()]*)\)", text)) is not None:
        text = text[: match.start()] + rng.choice(match.group(1).split("|")) + text[match.end() :]
    return re.sub(r" ([,.?!])", r"\1", " ".join(text.split()))


def examples(
    utterances: Sequence[Utterance],
    language: str,
    seed: int = 0,
    copies: int = 5,
    readings: int = 100,
    typing_errors: float = 0.3,
) -> tuple[list[str], list[str]]:
    """Texts and intents: of each utterance the text as it is and ``copies`` more, or ``readings`` of one with
    brackets; slots masked, some products named, and a share of the copies mistyped."""
    rng = random.Random(f"examples {language} {seed}")
    products = [row[0] for row in catalog(language)["products"]]
    texts, labels = [], []
    for utterance in utterances:
        for copy in range(readings if "|" in utterance.text else 1 + copies):
            values = dict(MASKS)
            if rng.random() < 0.3:  # a product that nobody recognized stands there by its name
                values["product"] = rng.choice(products).lower()
            text = reading(utterance.text, rng)
            if copy and rng.random() < typing_errors:
                text = mistype(text, rng, rng.choice([1, 1, 2]))
            text = re.sub(r"\{(\w+)\}", lambda match, values=values: values[match.group(1)], text)
            texts.append(text)
            labels.append(utterance.intent)
    return texts, labels


def knowledge_utterances(articles: Sequence[Article]) -> list[Utterance]:
    """The indexed questions as utterances of the intent ``knowledge``."""
    return [Utterance(q, "knowledge", "train") for article in articles for q in article.questions]


def train_intents(language: str, seed: int = 0) -> IntentModel:
    """The bot's own classifier: train split and knowledge questions; threshold by the validation split; seconds."""
    articles = read_articles(data_dir() / "service" / f"knowledge_{language}.jsonl")
    spoken = read_utterances(language, "train")
    texts, labels = examples(spoken, language, seed)
    asked, named = examples(knowledge_utterances(articles), language, seed, copies=1)
    texts, labels = texts + asked, labels + named
    model = IntentModel(IntentConfig(scope_weight=1.0)).fit(texts, labels)
    held = read_utterances(language, "validation")
    model.tune(*examples(held, language, seed + 1, copies=2), min_recall=0.8)
    return model


__all__ = ["OUT_OF_SCOPE", "Utterance", "examples", "mistype", "read_utterances", "train_intents"]
