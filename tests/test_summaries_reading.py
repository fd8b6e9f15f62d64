"""The reading panel: what it marks, what it says of bad input, and that no text becomes markup."""

from __future__ import annotations

import re

import pytest

from labkit.common import LabkitError
from labkit.summaries import reading
from labkit.summaries.lead import lead
from labkit.summaries.texts import Report

ARTICLE = "It rained. Tom Reed won the race on 3 June. He got a cup."
REPORT = Report(ARTICLE, "Tom Reed won the race.", "en")


def plain(markup: str) -> str:
    return re.sub(r"<sup>.*?</sup>|<[^>]*>", "", markup)


def test_the_same_number_marks_the_same_words_in_both_texts():
    view = reading.compared("He got a cup, and Tom Reed won the race.", ARTICLE)
    assert plain(view.article) == ARTICLE
    assert plain(view.summary) == "He got a cup, and Tom Reed won the race."
    for number, words in ((1, "He got a cup"), (2, "Tom Reed won the race")):
        for markup in (view.article, view.summary):
            assert re.search(rf"<sup>{number}</sup>([^<]*)</span>", markup)[1] == words
    assert dict(view.numbers)["words covered"] == "90%"


def test_an_unsupported_claim_is_underlined_and_counted():
    view = reading.compared("Tom Reed won on 4 June.", ARTICLE)
    assert re.search(r"<u [^>]*>(.*?)</u><sup><b>\?", view.summary)
    assert plain(re.search(r"<u .*</u>", view.summary)[0]) == "4 June"
    assert dict(view.numbers)["claims supported"] == "1 / 2"


def test_overlapping_spans_keep_the_text():
    markup = reading.marked("abcdef", [(0, 4), (2, 6), (2, 4)], [(3, 5)])
    assert plain(markup) == "abcdef"
    assert [markup.count(f"<sup>{n}</sup>") for n in (1, 2, 3)] == [1, 1, 1]


def test_text_never_becomes_markup():
    bad = "<script>alert(1)</script> & more. Tom <b>won</b>."
    view = reading.ReadingModel({"lead": lead}, [REPORT]).read(bad, "lead")
    assert "<script" not in view.article + view.summary
    assert "<b>won" not in view.article + view.summary


def test_systems_reference_and_own_summary():
    model = reading.ReadingModel({"lead": lambda article: lead(article, 1)}, [REPORT])
    assert plain(model.read(ARTICLE, "lead").summary) == "It rained."
    known = model.read(ARTICLE, model.reference)
    assert plain(known.summary) == REPORT.summary
    assert dict(known.numbers)["ROUGE-1"] == "1.00"
    assert "ROUGE-1" not in dict(model.read("Another text.", model.own, "Text.").numbers)
    with pytest.raises(LabkitError, match="at least one report"):
        reading.ReadingModel({}, [])


@pytest.mark.parametrize(
    ("article", "choice", "own", "said"),
    [
        ("", "lead", "", "empty"),
        ("123", "lead", "", "no letters"),
        ("Rain.", "my own", " ", "no summary yet"),
        ("Rain.", "reference", "", "no summary yet"),
        ("Rain.", "nobody", "", "no system"),
        ("Rain.", "my own", "...", "no words"),
    ],
)
def test_bad_input_is_answered_in_the_panel(article, choice, own, said):
    assert said in reading.ReadingModel({"lead": lead}, [REPORT]).read(article, choice, own).summary


def test_the_panel_follows_its_controls():
    other = Report("Snow fell. Roads closed.", "Snow.", "en")
    panel = reading.reader({"lead": lambda article: lead(article, 1)}, [REPORT, other])
    (which, whose), text, own, panes = panel.children[0].children, *panel.children[1:4]
    which.value = 1
    assert text.value == other.article
    assert "Snow fell" in plain(panes.children[1].value)
    own.value = "Roads closed"
    assert whose.value == "my own"
    assert plain(panes.children[1].value) == "Roads closed"
    text.value = "今天下雨了。"
    assert "今天下雨了" in plain(panes.children[0].value)
