"""Types of values that facts have: how each is written in a language, and what a written form can mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from labkit.text.town import lexicon
from labkit.text.town.facts import Value
from labkit.text.town.grammar import trie_regex

LANGUAGES = ("en", "zh")
DAYS_IN_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS_ZH = "一二三四五六日"
YEAR_DAYS = 365  # the town's year starts on a Monday and is not a leap year


@dataclass
class ValueType:
    """A finite set of values; ``forms[language][form][value]`` are the surfaces, the first is the usual one."""

    name: str
    forms: dict[str, dict[str, dict[Value, tuple[str, ...]]]]
    meanings: dict[tuple[str, str], dict[str, frozenset[Value]]] = field(default_factory=dict)
    patterns: dict[tuple[str, str], str] = field(default_factory=dict)

    def values(self) -> list[Value]:
        return list(self.forms["en"][""])

    def write(self, value: Value, language: str, form: str = "") -> str:
        return self.forms[language][form][value][0]

    def pattern(self, language: str, form: str) -> str:
        if (language, form) not in self.patterns:
            self.patterns[language, form] = _shape(list(self._meanings(language, form)), language)
        return self.patterns[language, form]

    def read(self, surface: str, language: str, form: str) -> frozenset[Value]:
        return self._meanings(language, form).get(surface, frozenset())

    def _meanings(self, language: str, form: str) -> dict[str, frozenset[Value]]:
        key = (language, form)
        if key not in self.meanings:
            table: dict[str, set[Value]] = {}
            for value, surfaces in self.forms[language][form].items():
                for surface in surfaces:
                    table.setdefault(surface, set()).add(value)
            self.meanings[key] = {surface: frozenset(values) for surface, values in table.items()}
        return self.meanings[key]


def _shape(surfaces: list[str], language: str) -> str:
    """A regular expression for the surfaces; of numbers and dates it accepts more (``read`` then decides).

    Digits become ``\\d+``; where more than a hundred surfaces are left, their words in any order.
    """
    shapes = (
        sorted({re.sub(r"\d+", "0", surface) for surface in surfaces}) if len(surfaces) > 100 else surfaces
    )
    if len(shapes) <= 100 or any(surface[0].isupper() for surface in surfaces):
        return trie_regex(shapes).replace("0", r"\d+") if shapes is not surfaces else trie_regex(surfaces)
    if language == "zh":
        return f"[{re.escape(''.join(sorted(set(''.join(shapes)))))}]+"
    words = trie_regex(sorted({word for shape in shapes for word in re.split("[ -]", shape)}))
    return f"{words}(?:[ -]{words})*"


def rows(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.strip().splitlines()]


def key(name: str) -> str:
    """Entity key of an English name: ``"Anna Bell"`` -> ``"anna_bell"``."""
    return re.sub(r"[^a-z]+", "_", name.lower()).strip("_")


def with_article(noun: str) -> str:
    """``"umbrella"`` -> ``"an umbrella"``: by sound, as far as the town's words go."""
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def small_number(number: int) -> str:
    """English words for 0 to 9,999: ``"three hundred and five"``."""
    ones = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ]
    tens = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    if number < 20:
        return ones[number]
    if number < 100:
        return tens[number // 10] + (f"-{ones[number % 10]}" if number % 10 else "")
    big, unit, name = (number // 100, 100, "hundred") if number < 1000 else (number // 1000, 1000, "thousand")
    rest = number % unit
    joint = " and " if 0 < rest < 100 else " "
    return f"{small_number(big)} {name}" + (joint + small_number(rest) if rest else "")


def small_number_zh(number: int) -> str:
    """Chinese words for 0 to 9,999: ``"三百零五"``; 2 alone is read 二."""
    digits = "零一二三四五六七八九"
    if number < 10:
        return digits[number]
    text, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += ("零" if gap and text else "") + digits[digit] + name
            gap = False
        else:
            gap = True
    return text[1:] if text.startswith("一十") else text


@cache
def types() -> dict[str, ValueType]:
    """All types by name."""
    built = [
        _people(), _places(), _jobs(), _goods(), _relations(), _verbs("activity", lexicon.ACTIVITIES),
        _verbs("task", lexicon.TASKS), _weather(), _moods(), _dates(), _times(), _money("price"), _money("amount"),
        _plain("street", lexicon.STREETS), _nouns("object", lexicon.OBJECTS), _plain("food", lexicon.FOODS),
        _nouns("animal", lexicon.ANIMALS), _plain("pet_name", lexicon.PET_NAMES), _nouns("event", lexicon.EVENTS),
        _nouns("contest", lexicon.CONTESTS), _nouns("prize", lexicon.PRIZES), _plain("reason", lexicon.REASONS),
        _nouns("vehicle", lexicon.VEHICLES), _plain("measure", lexicon.MEASURES), _plain("team", lexicon.TEAMS),
        _plain("feature", lexicon.FEATURES), _numbers("years", range(6, 96)), _numbers("count", range(2, 1000)),
        _numbers("goals", range(0, 10)), _numbers("degrees", range(-15, 40)), _numbers("minutes", range(5, 181)),
        _plain_numbers("year", range(1850, 2031)),
    ]  # fmt: skip
    return {one.name: one for one in built}


def _table(name: str, items: dict[Value, tuple[dict[str, str], dict[str, str]]]) -> ValueType:
    """From value -> (English form -> surface, Chinese form -> surface); several surfaces are joined by ``;``."""
    forms: dict[str, dict[str, dict[Value, tuple[str, ...]]]] = {"en": {}, "zh": {}}
    for value, (english, chinese) in items.items():
        for language, surfaces in (("en", english), ("zh", chinese)):
            for form, surface in surfaces.items():
                forms[language].setdefault(form, {})[value] = tuple(surface.split(";"))
    return ValueType(name, forms)


def _people() -> ValueType:
    items = {}
    for name, gender, chinese, given in rows(lexicon.PEOPLE):
        he, him, his = ("she", "her", "her") if gender == "f" else ("he", "him", "his")
        is_chinese = "·" not in chinese
        first = name.split()[1] if is_chinese else name.split()[0]
        last = name.split()[0] if is_chinese else name.split()[1]
        family_zh = chinese[0] if is_chinese else chinese.split("·")[1]
        zh = "她" if gender == "f" else "他"
        title = ("Ms" if gender == "f" else "Mr") + f" {last}"
        title_zh = family_zh + ("女士" if gender == "f" else "先生")
        s = "'" if name.endswith("s") else "'s"
        english = {
            "": name, "first": first, "he": he, "him": him, "his": his, "himself": f"{him if gender == 'm' else 'her'}self",
            "title": title, "s": name + s, "ref": f"{name};{first};{he};{title}", "obj": f"{name};{first};{him};{title}",
            "refs": f"{name}{s};{first}'s;{his};{title}'s",
        }  # fmt: skip
        chinese_forms = {
            "": chinese, "first": given, "he": zh, "him": zh, "his": zh, "himself": zh + "自己", "title": title_zh,
            "s": chinese + "的", "ref": f"{chinese};{given};{zh};{title_zh}", "obj": f"{chinese};{given};{zh};{title_zh}",
            "refs": f"{chinese}的;{given}的;{zh}的;{title_zh}的",
        }  # fmt: skip
        items[key(name)] = (english, chinese_forms)
    return _table("person", items)


def gender(person: str) -> str:
    """``"f"`` or ``"m"``."""
    return _genders()[person]


@cache
def _genders() -> dict[str, str]:
    return {key(name): sex for name, sex, _, _ in rows(lexicon.PEOPLE)}


@cache
def _measure_words() -> dict[str, str]:
    return {noun: measure for measure, nouns in rows(lexicon.MEASURE_WORDS) for noun in nouns.split()}


def counted_zh(noun: str) -> tuple[str, str]:
    """Bare noun and measure word: ``"雨伞"`` -> ``("雨伞", "把")``, ``"一篮苹果"`` -> ``("苹果", "篮")``."""
    if noun.startswith("一"):
        return noun[2:], noun[1]
    return noun, _measure_words().get(noun, "个")


def _noun_forms(english: str, chinese: str) -> tuple[dict[str, str], dict[str, str]]:
    """Countable noun: plain, ``a`` (indefinite), ``the``, ``this`` and ``that``."""
    bare, measure = counted_zh(chinese)
    return (
        {
            "": english,
            "a": with_article(english),
            "the": f"the {english}",
            "this": f"this {english}",
            "that": f"that {english}",
        },
        {
            "": bare,
            "a": f"一{measure}{bare}",
            "the": bare,
            "this": f"这{measure}{bare}",
            "that": f"那{measure}{bare}",
        },
    )


def _nouns(name: str, table: str) -> ValueType:
    """Countable nouns: plain, ``a`` (indefinite), ``the``, ``this`` and ``that``."""
    return _table(name, {key(english): _noun_forms(english, chinese) for english, chinese in rows(table)})


def _plain(name: str, table: str) -> ValueType:
    return _table(name, {key(english): ({"": english}, {"": chinese}) for english, chinese in rows(table)})


def _places() -> ValueType:
    items = {}
    measures = {noun: measure for measure, nouns in rows(lexicon.PLACE_MEASURES) for noun in nouns.split()}
    for english, chinese, *_ in rows(lexicon.PLACES):
        measure = measures.get(chinese, "个")
        items[key(english)] = (
            {"": english, "a": with_article(english), "the": f"the {english}"},
            {"": chinese, "a": f"一{measure}{chinese}", "the": chinese},
        )
    return _table("place", items)


def _jobs() -> ValueType:
    items = {}
    for _, _, job, chinese in rows(lexicon.PLACES):
        items[key(job)] = (
            {"": job, "a": with_article(job), "the": f"the {job}"},
            {"": chinese, "a": f"一名{chinese}", "the": chinese},
        )
    return _table("job", items)


def _goods() -> ValueType:
    items = {}
    for _, english, indefinite, chinese, _, _ in rows(lexicon.GOODS):
        forms, forms_zh = _noun_forms(english, chinese)
        items[key(english)] = (forms | {"a": indefinite}, forms_zh)
    return _table("goods", items)


def _relations() -> ValueType:
    return _table("relation", {key(en): ({"": en}, {"": zh}) for en, _, zh in rows(lexicon.RELATIONS)})


def _verbs(name: str, table: str) -> ValueType:
    items = {}
    for line in rows(table):
        base, ing, chinese = line[0], line[1], line[-1]
        english = {"": base, "ing": ing} | ({"past": line[2]} if len(line) == 4 else {})
        items[key(base)] = (english, dict.fromkeys(english, chinese))
    return _table(name, items)


def _weather() -> ValueType:
    """Plain noun, ``adj`` of a day, ``day`` (a rainy day), ``does`` (what the sky does), ``in`` (how one walks)."""
    items = {}
    for noun, adj, zh, adj_zh, day_zh, does_zh, in_zh in rows(lexicon.WEATHERS):
        items[key(noun)] = (
            {"": noun, "adj": adj, "day": f"{with_article(adj)} day", "does": adj, "in": f"in the {noun}"},
            {"": zh, "adj": adj_zh, "day": day_zh, "does": does_zh, "in": in_zh},
        )
    return _table("weather", items)


def _moods() -> ValueType:
    """Plain adjective, ``feels`` (predicate), ``with`` (before a verb) and ``look`` (as others see it)."""
    chinese = {zh: (feels, how, look) for zh, feels, how, look in rows(lexicon.MOODS_ZH)}
    items = {}
    for en, zh, _ in rows(lexicon.MOODS):
        feels, how, look = chinese.get(zh, (f"很{zh}", f"{zh}地", f"神情{zh}"))
        items[key(en)] = (
            dict.fromkeys(("", "feels", "with", "look"), en),
            {"": zh, "feels": feels, "with": how, "look": look},
        )
    return _table("mood", items)


def _dates() -> ValueType:
    items: dict[Value, tuple[dict[str, str], dict[str, str]]] = {}
    day = 0
    for month, length in enumerate(DAYS_IN_MONTHS):
        for number in range(1, length + 1):
            weekday, chinese = WEEKDAYS[day % 7], "星期" + WEEKDAYS_ZH[day % 7]
            date, date_zh = f"{number} {MONTHS[month]}", f"{month + 1}月{number}日"
            items[day] = (
                {"": date, "weekday": weekday, "full": f"{weekday} {date}", "month": MONTHS[month]},
                {
                    "": date_zh,
                    "weekday": chinese,
                    "full": f"{date_zh}（{chinese}）",
                    "month": f"{month + 1}月",
                },
            )
            day += 1
    return _table("date", items)


def _times() -> ValueType:
    """Quarter hours: ``""`` is a clock time, ``words`` how people say it."""
    items: dict[Value, tuple[dict[str, str], dict[str, str]]] = {}
    for minutes in range(5 * 60, 24 * 60, 15):
        hour, minute = divmod(minutes, 60)
        english = small_number((hour - 1) % 12 + 1)
        later = small_number(hour % 12 + 1)
        words = {
            0: f"{english} o'clock",
            15: f"a quarter past {english}",
            30: f"half past {english}",
            45: f"a quarter to {later}",
        }
        part = (
            "早上"
            if hour < 9
            else "上午"
            if hour < 12
            else "中午"
            if hour == 12
            else "下午"
            if hour < 18
            else "晚上"
        )
        hour_zh = (hour - 1) % 12 + 1
        chinese = (
            part
            + ("两" if hour_zh == 2 else small_number_zh(hour_zh))
            + "点"
            + {0: "", 15: "一刻", 30: "半", 45: "三刻"}[minute]
        )
        items[minutes] = (
            {"": f"{hour}:{minute:02d}", "words": words[minute]},
            {"": f"{hour}:{minute:02d}", "words": chinese},
        )
    return _table("time", items)


def _money(name: str) -> ValueType:
    """Hundredths of a crown: prices to 100 crowns in steps of 0.05, amounts in whole hundreds of crowns."""
    items: dict[Value, tuple[dict[str, str], dict[str, str]]] = {}
    if name == "price":
        for value in range(100, 10_000, 5):
            figure = f"{value / 100:.2f}"
            items[value] = ({"": f"{figure} crowns"}, {"": f"{value / 100:g}克朗"})
    else:
        for crowns in range(100, 10_000, 100):
            items[crowns * 100] = (
                {"": f"{crowns:,} crowns", "words": f"{small_number(crowns)} crowns"},
                {"": f"{crowns}克朗", "words": f"{small_number_zh(crowns)}克朗"},
            )
    return _table(name, items)


def _numbers(name: str, values: range) -> ValueType:
    """Whole numbers: in figures, and in words."""

    def words(value: int, write: Callable[[int], str], minus: str) -> str:
        return write(value) if value >= 0 else minus + write(-value)

    return _table(
        name,
        {
            value: (
                {"": str(value), "words": words(value, small_number, "minus ")},
                {"": words(value, str, "零下"), "words": words(value, small_number_zh, "零下")},
            )
            for value in values
        },
    )


def _plain_numbers(name: str, values: range) -> ValueType:
    return _table(name, {value: ({"": str(value)}, {"": str(value)}) for value in values})
