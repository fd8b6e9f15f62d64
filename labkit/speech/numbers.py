"""Numbers as words, in English and Mandarin: what a voice says for 1,250, 3.14, 50 % or 9:30."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.common import LabkitError

LARGEST = 10**12 - 1  # more digits are read one by one
ONES = [
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
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SCALES = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred"))
ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
CHINESE_DIGITS = "零一二三四五六七八九"
CHINESE_PLACES = ("", "十", "百", "千")
CHINESE_GROUPS = ("", "万", "亿")

_WHOLE = r"\d{1,3}(?:,\d{3})+|\d+"
_NUMBER = re.compile(rf"(?<![\d.,:：])-?(?:{_WHOLE})(?:\.\d+)?(?!\d)")
_CLOCK = re.compile(r"(?<!\d)([01]?\d|2[0-3])[:：]([0-5]\d)(?!\d)")
_ORDINAL = re.compile(r"(?<![\d.,])(\d+)(st|nd|rd|th)\b")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?=年)")
_LONG = re.compile(r"\d+")


def spell_out(text: str, language: str) -> str:
    """The text with every number, percentage and time of day in words; what is not a number stays."""
    if language == "en":
        return _spell_english(text)
    if language == "zh":
        return _spell_chinese(text)
    raise LabkitError(f"language is {language!r}. Set it to one of: en, zh.")


def english_number(value: int) -> str:
    """A whole number in English words: 1,021 is ``one thousand twenty-one``."""
    _check(value)
    if value < 0:
        return "minus " + english_number(-value)
    if value < 20:
        return ONES[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return TENS[tens] + (f"-{ONES[ones]}" if ones else "")
    size, name = next((size, name) for size, name in SCALES if value >= size)
    count, rest = divmod(value, size)
    return f"{english_number(count)} {name}" + (f" {english_number(rest)}" if rest else "")


def english_ordinal(value: int) -> str:
    """1 is ``first``, 22 is ``twenty-second``."""
    cut = re.match(r"(.*?)([a-z]+)$", english_number(value))
    start, last = cut.groups()
    if last in ORDINALS:
        return start + ORDINALS[last]
    return start + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def chinese_number(value: int) -> str:
    """A whole number as it is read in Mandarin: 1,021 is 一千零二十一, 12 is 十二, 200 is 二百."""
    _check(value)
    if value < 0:
        return "负" + chinese_number(-value)
    if value == 0:
        return CHINESE_DIGITS[0]
    groups = []
    while value:
        value, group = divmod(value, 10_000)
        groups.append(group)
    said, skipped = "", False
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if not group:
            skipped = bool(said)
            continue
        if said and (skipped or group < 1_000):
            said += CHINESE_DIGITS[0]
        said += _chinese_group(group) + CHINESE_GROUPS[place]
        skipped = False
    return said.removeprefix("一") if said.startswith("一十") else said


def _chinese_group(group: int) -> str:
    said, skipped = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit == 0:
            skipped = bool(said)
            continue
        said += (CHINESE_DIGITS[0] if skipped else "") + CHINESE_DIGITS[digit] + CHINESE_PLACES[place]
        skipped = False
    return said


def _spell_english(text: str) -> str:
    text = _CLOCK.sub(lambda match: _english_clock(int(match[1]), int(match[2])), text)
    text = _ORDINAL.sub(lambda match: english_ordinal(int(match[1])), text)
    text = re.sub(r"(?<=\d)\s*%", " percent", text)
    return _numbers(text, english_number, ONES, " ", " point ", "minus ")


def _english_clock(hour: int, minute: int) -> str:
    if minute == 0:
        return f"{english_number(hour)} o'clock" if 1 <= hour <= 12 else f"{english_number(hour)} hundred"
    return f"{english_number(hour)} {'oh ' if minute < 10 else ''}{english_number(minute)}"


def _spell_chinese(text: str) -> str:
    text = _CLOCK.sub(lambda match: _chinese_clock(int(match[1]), int(match[2])), text)
    text = _YEAR.sub(lambda match: "".join(CHINESE_DIGITS[int(digit)] for digit in match[1]), text)
    text = re.sub(rf"(-?(?:{_WHOLE})(?:\.\d+)?)\s*[%％]", r"百分之\1", text)
    # 两 stands before most measure words and 点; 二 stays in a row of digits, behind 第, and before 十, 月, 日, 号 and 楼.
    text = re.sub(r"(?<![\d.第])2(?=[个位只本次条张件把点人天年双辆家间块杯])", "两", text)
    return _numbers(text, chinese_number, list(CHINESE_DIGITS), "", "点", "负")


def _chinese_clock(hour: int, minute: int) -> str:
    hours = "两" if hour == 2 else chinese_number(hour)
    if minute == 0:
        return hours + "点"
    return f"{hours}点{'零' if minute < 10 else ''}{chinese_number(minute)}分"


def _numbers(
    text: str, name: Callable[[int], str], digits: list[str], space: str, point: str, minus: str
) -> str:
    def say(match: re.Match) -> str:
        whole, _, fraction = match[0].replace(",", "").removeprefix("-").partition(".")
        one_by_one = int(whole) > LARGEST or (len(whole) > 1 and whole.startswith("0"))
        said = space.join(digits[int(d)] for d in whole) if one_by_one else name(int(whole))
        if match[0].startswith("-"):
            said = minus + said
        return said + (point + space.join(digits[int(d)] for d in fraction) if fraction else "")

    text = _NUMBER.sub(say, text)
    # What no rule takes (1.2.3, 12:75) is read digit by digit.
    return _LONG.sub(lambda match: space.join(digits[int(d)] for d in match[0]), text)


def _check(value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise LabkitError(f"{value!r} cannot be spelled out. Give a whole number of at most 12 digits.")
