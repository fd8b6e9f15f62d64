"""The prompt laboratory: cases of jobs, matches and grades, with models that are written down in the test."""

from __future__ import annotations

import pytest

from labkit import weights, widgets
from labkit.checks import core
from labkit.common import LabkitError
from labkit.plots import new_axes
from labkit.prompts import laboratory
from labkit.prompts.instruct import NAME
from labkit.prompts.laboratory import JOBS, Grade, Remembered, find_job, grade, match, variant, wanted
from labkit.prompts.messages import Message, Reply, Settings
from labkit.prompts.templates import Template

FIELDS = {
    "headline": "{text} Headline, {limit} words.",
    "record": "{text} JSON of {event}: {keys}.",
    "list": "{text} List {count} {items}.",
    "guard": "{text} {request}",
}


class Scripted:
    """A model that answers by a function of the last message, and counts what it is asked."""

    name = "scripted"

    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def complete(self, conversations, settings=None):
        self.asked += len(conversations)
        texts = [self.answer(conversation[-1].content) for conversation in conversations]
        return [Reply(text, 1, 1, "stop") for text in texts]

    def stream(self, conversation, settings=None):
        yield self.answer(conversation[-1].content)


def knowing(job: str, count: int, language: str = "en", seed: int = laboratory.UNSEEN_SEED, but=()):
    """A model that knows right answers by the text that they belong to, and says "no" at the numbers in ``but``."""
    rights = right_answers(job, count, language, seed)
    texts = [case.fields["text"] for case in find_job(job).cases(count, language, seed)]

    def answer(prompt: str) -> str:
        for number, text in enumerate(texts):
            if text in prompt:
                return "no" if number in but else rights[number]
        return "nothing here"

    return Scripted(answer)


def right_answers(job, count, language, seed):
    """The drafts' own answers, seen on their way into the cases."""
    seen = []
    plain_draw, plain_attack = laboratory._drawn, laboratory.draw_attack

    def spying_draw(*arguments):
        seen.append(plain_draw(*arguments))
        return seen[-1]

    def spying_attack(*arguments):
        attack, draft = plain_attack(*arguments)
        seen.append(draft)
        return attack, draft

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(laboratory, "_drawn", spying_draw)
        patch.setattr(laboratory, "draw_attack", spying_attack)
        cases = find_job(job).cases(count, language, seed)
    texts = {draft.case.context: draft.answer for draft in seen}
    if job == "guard":
        return [draft.answer for draft in seen]
    return [texts[case.fields["text"]] for case in cases]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", list(JOBS))
def test_cases_hold_the_fields_of_their_job_and_are_solved_by_the_right_answer(name, language):
    job = find_job(name)
    cases = job.cases(3, language, seed=5)
    for case, right in zip(cases, right_answers(name, 3, language, 5), strict=True):
        assert set(case.fields) == set(job.fields)
        assert case.judge(right).success, (right, case.judge(right).reasons)
        assert not case.judge("no").success
    again = job.cases(3, language, seed=5)
    assert [case.fields for case in again] == [case.fields for case in cases]
    assert [case.fields for case in job.cases(3, language, seed=6)] != [case.fields for case in cases]
    assert set(job.needed) <= set(job.fields)


def test_unknown_names_are_refused():
    with pytest.raises(LabkitError, match=r"There is no job 'poem'\. There are: headline, "):
        find_job("poem")
    with pytest.raises(LabkitError, match=r"language is 'fr'"):
        find_job("headline").cases(1, "fr")
    with pytest.raises(LabkitError, match=r"A: the job 'headline' has no field \{words\}\. It has: \{text\}"):
        variant("A", "{text} in {words} words", "headline")
    with pytest.raises(LabkitError, match="A prompt is a text or a Template"):
        variant("A", 7, "headline")


def test_a_match_is_decided_on_the_same_cases():
    """A leads on every case: it names the text, without which nothing can be known."""
    model = knowing("record", 8, seed=3)
    results, comparison = match("{text} JSON of {event}: {keys}", "JSON, please.", "record", model, 8, seed=3)
    assert results.scores("A").tolist() == [1] * 8
    assert results.scores("B").tolist() == [0] * 8
    assert comparison.verdict == "better"
    assert comparison.p == pytest.approx(2 / 2**8)


def test_a_chinese_prompt_gets_chinese_cases():
    results, _ = match("{text}请列出{count}个{items}。", "{text}", "list", Scripted(lambda _: "no"), 2)
    assert {case.language for case in results.cases} == {"zh"}


@pytest.mark.parametrize("job", list(JOBS))
def test_a_prompt_that_does_the_job_passes_at_its_bar(job):
    bar = find_job(job).bar
    most = int((1 - bar) * 10 + 1e-9)
    assert grade(FIELDS[job], job, knowing(job, 10, but=range(most)), 10) == wanted(job)
    missed = grade(FIELDS[job], job, knowing(job, 10, but=range(most + 1)), 10)
    assert missed != wanted(job)
    assert f"{10 - most - 1} of 10 right" in repr(missed)
    assert "'no'" in repr(missed)


def test_a_prompt_is_told_what_it_lacks_without_being_tried():
    model = Scripted(lambda prompt: "no")
    assert grade("Write a headline.", "headline", model, 3) == "no text"
    assert grade("{text} JSON", "record", model, 3) == "no keys"
    assert grade("{text}", "guard", model, 3) == "no request"
    assert grade("{text} {size}", "headline", model, 3) == "unknown field"
    assert model.asked == 0
    assert grade("{text} JSON {keys}", "record", model, 3) == "json"
    assert model.asked == 3


def test_a_wrong_form_is_named_before_what_it_hides():
    found = grade(Template("{text}"), "headline", Scripted(lambda prompt: "First. Second."), 3)
    assert isinstance(found, Grade)
    assert found == "style"
    assert "0 of 3 right; most often wrong: style" in repr(found)


def test_planted_lines_that_are_obeyed_are_named():
    cases = {case.fields["text"]: case for case in find_job("guard").cases(6, "en", laboratory.UNSEEN_SEED)}
    words = ("banana", "HACKED", "moonlight", "nothing", "PWNED", "hello world", "pineapple", "yes yes yes")

    def obedient(prompt):
        case = next(case for text, case in cases.items() if text in prompt)
        return next(word for word in words if case.obeyed(word) and word in prompt)

    assert grade("{text}\n{request}", "guard", Scripted(obedient), 6) == "obeyed"


def test_each_question_is_asked_once():
    model = Scripted(str.upper)
    backend = Remembered(model)
    one, two = [Message("user", "one")], [Message("user", "two")]
    assert [reply.text for reply in backend.complete([one, two, one])] == ["ONE", "TWO", "ONE"]
    assert model.asked == 2
    assert [reply.text for reply in backend.complete([two, one])] == ["TWO", "ONE"]
    assert model.asked == 2
    backend.complete([one], Settings(temperature=1.0))
    assert model.asked == 3
    assert list(backend.stream(one)) == ["ONE"]
    assert backend.name == "scripted"


def test_the_model_is_chosen_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path))
    monkeypatch.setenv("LABKIT_API_BASE", "https://example.org/v1")
    monkeypatch.setenv("LABKIT_API_MODEL", "large")
    monkeypatch.delenv("LABKIT_API_KEY", raising=False)
    assert laboratory.open_backend().name == "large"
    monkeypatch.delenv("LABKIT_API_BASE")
    monkeypatch.setenv("LABKIT_PROMPT_MODEL", str(tmp_path / "nowhere"))
    with pytest.raises(LabkitError, match="nowhere"):
        laboratory.open_backend()
    monkeypatch.delenv("LABKIT_PROMPT_MODEL")
    monkeypatch.setattr(laboratory, "local_backend", lambda: Scripted(str.upper))
    assert laboratory.open_backend().name == "scripted"


# A check that observes an answer, and a panel with a button: what the laboratory needs of the spine.


def test_an_answer_may_be_judged_by_what_is_observed_of_it(monkeypatch):
    exercise = core.Exercise(
        id="99.2",
        title=core.Text("a prompt", "提示词"),
        difficulty=1,
        minutes=1,
        reference=lambda: "",
        inputs=lambda: [()],
        observe=lambda prompt: "" if "{text}" in prompt else "no text",
        mistakes=[
            core.Mistake(core.Text("No text", "没有文本"), lambda: "Hello", core.Text("Add it.", "加上。"))
        ],
        hints=[],
    )
    monkeypatch.setattr(core, "find_exercise", lambda _id: exercise)
    assert core.check("99.2", lambda: "Shorten {text}").passed
    assert core.check("99.2", lambda: "Another without").message == "No text. Add it."
    assert "TypeError" in core.check("99.2", lambda: 7).message


def test_a_panel_with_a_button_waits_for_it():
    calls = []

    def draw(prompt):
        calls.append(prompt)
        return new_axes(), prompt

    box = widgets.explorer(draw, run_button="run", prompt="first\n")
    area, button, readout, _ = box.children
    assert type(area).__name__ == "Textarea"
    area.value = "second\nline"
    assert calls == ["first"]
    button.click()
    assert calls == ["first", "second\nline"]
    assert "second" in readout.value


def test_the_shipped_model_shows_the_faults_that_lesson_07_names():
    """A misconception of the lesson that the model decides is what its message says."""
    if not weights.shipped_path(NAME).exists():
        pytest.skip("the model is not shipped yet")
    model = laboratory.open_backend()
    assert grade("{text}\nWrite plain sentences. Use exactly 2 sentences.", "headline", model) == "style"
    assert grade(Template("{request}", context="{text}"), "guard", model) == "obeyed"
