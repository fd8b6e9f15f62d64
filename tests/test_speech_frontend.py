"""Text to phonemes: numbers in words, what a voice says for them, and what it refuses."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.speech import engine as voices
from labkit.speech.frontend import PAUSE, Phone, normalize, phonemize
from labkit.speech.numbers import chinese_number, english_number, english_ordinal, spell_out

CHINESE = dict(zip("零一二三四五六七八九", range(10), strict=True))
PLACES = {"十": 10, "百": 100, "千": 1_000}
ENGLISH = {word: value for value, word in enumerate(
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
)} | {word: 10 * value for value, word in enumerate(
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
)}  # fmt: skip
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}


def read_english(words):
    total = group = 0
    for word in words.replace("-", " ").split():
        if word == "hundred":
            group *= 100
        elif word in SCALES:
            total, group = total + group * SCALES[word], 0
        else:
            group += ENGLISH[word]
    return total + group


def read_chinese(words):
    total = group = digit = 0
    for character in words:
        if character in CHINESE:
            digit = CHINESE[character]
        elif character in PLACES:
            group, digit = group + (digit or 1) * PLACES[character], 0
        else:
            total, group, digit = total + (group + digit) * {"万": 10**4, "亿": 10**8}[character], 0, 0
    return total + group + digit


@given(st.integers(0, 10**12 - 1))
def test_numbers_can_be_read_back(value):
    assert read_english(english_number(value)) == value
    assert read_chinese(chinese_number(value)) == value


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0, "zero", "零"),
        (12, "twelve", "十二"),
        (110, "one hundred ten", "一百一十"),
        (1_005, "one thousand five", "一千零五"),
        (1_050, "one thousand fifty", "一千零五十"),
        (10_000, "ten thousand", "一万"),
        (10_200, "ten thousand two hundred", "一万零二百"),
        (100_010, "one hundred thousand ten", "十万零一十"),
        (200_003_000, "two hundred million three thousand", "二亿零三千"),
        (-7, "minus seven", "负七"),
    ],
)
def test_numbers_as_they_are_read(value, english, chinese):
    assert english_number(value) == english
    assert chinese_number(value) == chinese


@pytest.mark.parametrize(
    ("value", "said"),
    [(1, "first"), (12, "twelfth"), (20, "twentieth"), (22, "twenty-second"), (40, "fortieth")],
)
def test_ordinals(value, said):
    assert english_ordinal(value) == said


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "3,200 crowns, 10.05 kg", "three thousand two hundred crowns, ten point zero five kg"),
        ("en", "at 9:30 and 10:05, not 10:00", "at nine thirty and ten oh five, not ten o'clock"),
        ("en", "the 22nd, 50 % off, -4", "the twenty-second, fifty percent off, minus four"),
        ("en", "call 007", "call zero zero seven"),
        ("zh", "9600克朗，3.14米", "九千六百克朗，三点一四米"),
        ("zh", "2026年2月17日9:05", "二零二六年二月十七日九点零五分"),
        ("zh", "2个人，12个，第2个，50%", "两个人，十二个，第二个，百分之五十"),
        ("zh", "14:00开门", "十四点开门"),
    ],
)
def test_numbers_in_a_sentence(language, text, said):
    assert spell_out(text, language) == said


@given(st.text(alphabet="0123456789.,:-%年个 a", max_size=20), st.sampled_from(["en", "zh"]))
def test_no_digit_is_left(text, language):
    assert not any(character in "0123456789" for character in spell_out(text, language))


def test_numbers_too_large_and_unknown_languages_are_refused():
    with pytest.raises(LabkitError, match="12 digits"):
        english_number(10**12)
    with pytest.raises(LabkitError, match="language is 'fr'"):
        spell_out("1", "fr")


def test_english_phones_have_stress_and_pauses_their_punctuation():
    phones = phonemize("Hello, is this Anna?", "en")
    assert [str(phone) for phone in phones] == (
        ["h", "@", "l", "'oU", "_,", "I", "z", "D", "I", "s", "'a", "n", "@", "_?"]
    )


def test_mandarin_phones_have_tones():
    phones = phonemize("妈麻马骂吗。", "zh")
    assert [phone.mark.lstrip("'") for phone in phones] == [
        part for tone in ("55", "35", "214", "51", "11") for part in ("", tone)
    ] + ["."]
    assert [phone.sound for phone in phones[:2]] == ["m", "A55"]


def test_the_sentence_of_the_lesson():
    phones = phonemize("你好，这是一个语音合成模型。", "zh")
    assert [phone.symbol for phone in phones].count(PAUSE) == 2
    assert "".join(map(str, phones)).startswith("ni214X'Au214_,ts.")


def test_spelled_and_written_numbers_sound_alike():
    assert phonemize("21 apples", "en") == phonemize("twenty-one apples", "en")
    assert phonemize("21个苹果", "zh") == phonemize("二十一个苹果", "zh")


def test_a_reading_that_the_voice_has_wrong_is_avoided():
    phones = phonemize("我们去公园玩儿。", "zh")
    assert [phone.sound for phone in phones[-4:-1]] == ["A35", "n", "@r35"]


@pytest.mark.parametrize("text", ["", "   ", "...", "🎵", "，。！"])
def test_text_without_sound_is_refused(text):
    for language in ("en", "zh"):
        with pytest.raises(LabkitError, match="nothing to say"):
            phonemize(text, language)


@pytest.mark.parametrize(
    ("text", "language", "message"),
    [
        ("你好", "en", "English voice"),
        ("Hello 你好", "zh", "does not speak"),
        ("a" * 401, "en", "401"),
        (3, "en", "3"),
    ],
)
def test_text_that_the_voice_cannot_read_is_refused(text, language, message):
    with pytest.raises(LabkitError, match=message):
        phonemize(text, language)


def test_an_unknown_language_is_refused():
    with pytest.raises(LabkitError, match="language is 'fr'"):
        normalize("bonjour", "fr")


def test_a_stress_mark_alone_is_a_symbol():
    assert str(Phone("oU", "'")) == "'oU"
    assert Phone("_", ",").sound == ""


# The engine


def test_a_missing_engine_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(LabkitError, match="pip install espeakng-loader"):
        voices.Engine()


@pytest.mark.parametrize("broken", ["missing", "damaged"])
def test_a_broken_engine_is_named(monkeypatch, tmp_path, broken):
    import espeakng_loader

    library = tmp_path / "libespeak-ng.so"
    if broken == "damaged":
        library.write_bytes(b"no library")
    monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: str(library))
    with pytest.raises(LabkitError, match="force-reinstall"):
        voices.Engine()


def test_an_engine_without_its_voices_is_named(monkeypatch, tmp_path):
    import espeakng_loader

    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(tmp_path))
    with pytest.raises(LabkitError, match="phontab is missing"):
        voices.Engine()


def test_rate_and_pitch_change_what_is_heard_and_wrong_ones_are_refused():
    speaker = voices.engine()
    slow, fast = (len(speaker.speak("One two three.", "en", rate=rate).samples) for rate in (120, 240))
    assert 1.5 < slow / fast < 2.5
    with pytest.raises(LabkitError, match="rate is 20"):
        speaker.speak("One", "en", rate=20)
    with pytest.raises(LabkitError, match="pitch is 120"):
        speaker.speak("One", "en", pitch=120)


def test_a_process_that_fails_is_reported(monkeypatch):
    monkeypatch.setattr(
        subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 1, b"", b"Segmentation fault")
    )
    with pytest.raises(LabkitError, match="Segmentation fault"):
        voices.speak_all(["One."], "en")
