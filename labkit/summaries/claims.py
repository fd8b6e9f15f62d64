"""Names, numbers, dates and times that a text states, in a form that compares: "forty" is 40, "3 June" is "June 3"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from labkit.summaries.texts import check_language


def _words(text: str) -> list[str]:
    return text.split()


KINDS = ("name", "number", "date", "time")
HALF_DAY = 12 * 60
_MONTHS = _words("january february march april may june july august september october november december")
_DAYS = _words("monday tuesday wednesday thursday friday saturday sunday")
_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _words(
    "third:3 fourth:4 fifth:5 sixth:6 seventh:7 eighth:8 ninth:9 tenth:10 eleventh:11 twelfth:12 thirteenth:13 "
    "fourteenth:14 fifteenth:15 sixteenth:16 seventeenth:17 eighteenth:18 nineteenth:19 twentieth:20 "
    "thirtieth:30 fortieth:40 fiftieth:50 sixtieth:60 seventieth:70 eightieth:80 ninetieth:90"
)
_WORDS = (
    {word: value for value, word in enumerate(_ONES)}
    | {word: 10 * value for value, word in enumerate(_TENS, start=2)}
    | {word: int(value) for word, value in (entry.split(":") for entry in _ORDINALS)}
)
_SCALES = {
    "hundred": 100,
    "hundredth": 100,
    "thousand": 1000,
    "thousandth": 1000,
    "million": 10**6,
    "billion": 10**9,
}
_HANZI = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_BIG_UNITS = {"万": 10**4, "亿": 10**8}
# Words that begin a sentence with a capital and are no names.
_FUNCTION_WORDS = frozenset(
    _words(
        "a about after all also although an and another any as at because before both but by despite during each "
        "every few for from he her here his however if in instead into it its many more most much no nobody none "
        "not nothing of on one only or our over several she since so some still such than that the their then "
        "there these they this those though three through to today tomorrow two under until up was we were what "
        "when where which while who whoever why will with within without yesterday you"
    )
)
_TITLES = frozenset(_words("mr mrs ms miss dr sir lady professor"))
_FIGURE = r"\d+(?:,\d{3})*(?:\.\d+)?"
_MONTH = "|".join(word.capitalize() for word in _MONTHS)
_NUMBER_WORD = "|".join(sorted([*_WORDS, *_SCALES], key=len, reverse=True))
_HAN_NUMBER = "[零〇一二三四五六七八九十百千万亿两]"
_EN_HOUR = "|".join(_ONES[1:13])
_PART_OF_DAY = "凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里"


@dataclass(frozen=True)
class Claim:
    """What a text states at ``start``: ``kind`` of ``KINDS``, the words, and the value that is compared."""

    kind: str
    text: str
    value: object
    start: int


def claims(text: str, language: str, names: Collection[str] = ()) -> list[Claim]:
    """The claims of a text in their order. Dates and times come before numbers, and no words belong to two claims.

    Names are the ``names`` given, and in English also words with a capital that does not begin a sentence, in
    Chinese also names with a dot (安娜·贝尔) and titles in 《》: Chinese names without a mark must be given.
    ``one`` and 一 alone count nothing ("one of them", 一下), nor do ``first`` and ``second``.
    """
    readers = _ENGLISH if check_language(language) == "en" else _CHINESE
    found: list[Claim] = []
    rest = text
    readers = (("name", lambda part: _given_names(part, names)), *readers)
    for kind, read in readers:
        for start, end, value in list(read(rest)):
            found.append(Claim(kind, text[start:end], value, start))
            rest = f"{rest[:start]}{'#' * (end - start)}{rest[end:]}"  # nothing reads it again
    return sorted(found, key=lambda claim: claim.start)


_Read = Callable[[str], Iterator[tuple[int, int, object]]]


def _given_names(text: str, names: Collection[str]) -> Iterator[tuple[int, int, object]]:
    """The longest of the given names at each place; where letters make words, whole words only."""
    if not names:
        return
    # "Tom" is not named by "Tom Hart": that is another name, to be found as a whole.
    pattern = "|".join(
        rf"\b{re.escape(name)}\b(?! [A-Z])" if name[0].isascii() else re.escape(name)
        for name in sorted(names, key=len, reverse=True)
    )
    for match in re.finditer(pattern, text):
        yield match.start(), match.end(), match.group()


# --- English ---------------------------------------------------------------------------------------------------


def _english_dates(text: str) -> Iterator[tuple[int, int, object]]:
    day = r"(\d{1,2})(?:st|nd|rd|th)?"
    pattern = rf"\b(?:{day} ({_MONTH})|({_MONTH}) {day}(?!\d)|({_MONTH}))\b"
    for match in re.finditer(pattern, text):
        first, month, other, second, alone = match.groups()
        month = _MONTHS.index((month or other or alone).lower()) + 1
        yield match.start(), match.end(), (month, int(first or second or 0))
    for match in re.finditer("|".join(word.capitalize() for word in _DAYS), text):
        yield match.start(), match.end(), match.group().lower()


def _english_times(text: str) -> Iterator[tuple[int, int, object]]:
    yield from _clock_times(text)
    pattern = rf"\b(?:(half|a quarter) (past|to) ({_EN_HOUR})|({_EN_HOUR}|\d{{1,2}}) o['’]clock)\b"
    for match in re.finditer(pattern, text, re.IGNORECASE):
        part, side, hour, full = match.groups()
        hour = (hour or full).lower()
        minutes = 60 * (int(hour) if hour.isdigit() else _ONES.index(hour))
        shift = 0 if part is None else 30 if part.lower() == "half" else 15
        yield match.start(), match.end(), (minutes + (-shift if side == "to" else shift)) % HALF_DAY


def _clock_times(text: str) -> Iterator[tuple[int, int, object]]:
    """18:30 as minutes within half a day; not 1:14:09, a duration."""
    for match in re.finditer(r"(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])", text):
        yield match.start(), match.end(), (60 * int(match[1]) + int(match[2])) % HALF_DAY


def _english_figures(text: str) -> Iterator[tuple[int, int, object]]:
    scale = "|".join(_SCALES)
    for match in re.finditer(rf"({_FIGURE})(?:st|nd|rd|th)?(?: ({scale}))?\b", text):
        value = float(match[1].replace(",", "")) * _SCALES.get(match[2] or "", 1)
        yield match.start(), match.end(), round(value, 6)


def _english_number_words(text: str) -> Iterator[tuple[int, int, object]]:
    word = rf"(?:{_NUMBER_WORD})s?"
    for match in re.finditer(rf"\b(?:a )?{word}(?:(?:-| and | ){word})*\b", text, re.IGNORECASE):
        value = _read_words(match.group().lower())
        if value is not None:
            yield match.start(), match.end(), float(value)


def _read_words(words: str) -> int | None:
    """``two hundred and twelve`` -> 212; None for ``one`` alone."""
    total = current = 0
    for word in re.findall("[a-z]+", words):
        word = word if word in _WORDS or word in _SCALES else word.rstrip("s")
        if word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] >= 1000:
                total, current = total + current, 0
        elif word in _WORDS:
            current += _WORDS[word]
    return None if words == "one" else total + current


def _english_names(text: str) -> Iterator[tuple[int, int, object]]:
    """Runs of words with a capital, as tuples of words, without titles; a single one that begins a sentence is none."""
    for match in re.finditer(r"\b[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*", text):
        words = [(m.group(), match.start() + m.start()) for m in re.finditer(r"\S+", match.group())]
        begins = re.search(r"(?:^|[.!?:][\"”'’]?\s+|[\"“]|\n)$", text[: match.start()]) is not None
        if begins and words[0][0].lower() in _FUNCTION_WORDS:
            words, begins = words[1:], False
        while words and words[0][0].lower() in _TITLES:
            words, begins = words[1:], False
        if not words or (begins and len(words) == 1) or words[0][0] == "I":
            continue
        end = words[-1][1] + len(words[-1][0])
        yield words[0][1], end, (begins, *(re.sub("['’]s?$", "", word) for word, _ in words))


# --- Chinese ---------------------------------------------------------------------------------------------------


def read_hanzi(numeral: str) -> int | None:
    """``三百零五`` -> 305, ``一九二三`` -> 1923; None for what is no number, as 一 alone, 百姓 and 万一."""
    if numeral == "一" or numeral[0] in "百千万亿":
        return None
    if not set(numeral) - set(_HANZI):
        return int("".join(str(_HANZI[digit]) for digit in numeral))
    total = section = digit = 0
    for sign in numeral:
        if sign in _HANZI:
            digit = _HANZI[sign]
        elif sign in _UNITS:
            section += (digit or (1 if sign == "十" else 0)) * _UNITS[sign]
            digit = 0
        else:
            total, section, digit = (total + section + digit) * _BIG_UNITS[sign], 0, 0
    return total + section + digit


def _hanzi_or_digits(text: str) -> int:
    return int(text) if text.isdigit() else read_hanzi(text) or 1


def _chinese_dates(text: str) -> Iterator[tuple[int, int, object]]:
    number = r"(\d{1,2}|[一二三四五六七八九十]{1,3})"
    for match in re.finditer(rf"(?<!个){number}月(?:{number}[日号])?", text):
        yield (
            match.start(),
            match.end(),
            (_hanzi_or_digits(match[1]), _hanzi_or_digits(match[2]) if match[2] else 0),
        )
    for match in re.finditer("(?:星期|周|礼拜)([一二三四五六日天])", text):
        yield match.start(), match.end(), "一二三四五六日".index(match[1].replace("天", "日"))


def _chinese_times(text: str) -> Iterator[tuple[int, int, object]]:
    yield from _clock_times(text)
    number = r"(\d{1,2}|[零一二三四五六七八九十两]{1,3})"
    pattern = rf"({_PART_OF_DAY})?{number}点(?:(半|一刻|三刻)|{number}分?)?"
    for match in re.finditer(pattern, text):
        part, hour, share, minutes = match.groups()
        if part is None and hour == "一" and share is None:
            continue  # 有一点, a little
        extra = {"半": 30, "一刻": 15, "三刻": 45}.get(share or "", 0)
        extra += _hanzi_or_digits(minutes) if minutes else 0
        yield match.start(2), match.end(), (60 * _hanzi_or_digits(hour) + extra) % HALF_DAY


def _chinese_numbers(text: str) -> Iterator[tuple[int, int, object]]:
    for match in re.finditer(rf"({_FIGURE})([百千万亿]?)", text):
        unit = (_UNITS | _BIG_UNITS).get(match[2], 1)
        yield match.start(), match.end(), round(float(match[1].replace(",", "")) * unit, 6)
    for match in re.finditer(rf"{_HAN_NUMBER}+", text):
        value = read_hanzi(match.group())
        adverb = match.group() == "十" and re.match("分(?!钟|之)", text[match.end() :])  # 十分, very
        if value is not None and not adverb:
            yield match.start(), match.end(), float(value)


def _chinese_names(text: str) -> Iterator[tuple[int, int, object]]:
    han = "[\u4e00-\u9fff]"
    for match in re.finditer(rf"《([^》]+)》|{han}{{1,4}}(?:·{han}{{1,4}})+", text):
        yield match.start(), match.end(), match[1] or match.group()


_ENGLISH: tuple[tuple[str, _Read], ...] = (
    ("date", _english_dates),
    ("time", _english_times),
    ("number", _english_figures),
    ("number", _english_number_words),
    ("name", _english_names),
)
_CHINESE: tuple[tuple[str, _Read], ...] = (
    ("date", _chinese_dates),
    ("time", _chinese_times),
    ("name", _chinese_names),
    ("number", _chinese_numbers),
)
