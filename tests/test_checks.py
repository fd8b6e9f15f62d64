"""Exercise checks: the machinery, then every exercise of every lesson."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import numpy as np
import pytest
import torch

import labkit.checks
from labkit import checks, lessons
from labkit.checks import Exercise, Mistake, Text, core
from labkit.common import LabkitError


def all_exercises() -> list[Exercise]:
    """Every exercise of every lesson, in order."""
    names = sorted(module.name for module in pkgutil.iter_modules(labkit.checks.__path__))
    modules = [
        importlib.import_module(f"labkit.checks.{name}") for name in names if name.startswith("lesson")
    ]
    return [exercise for module in modules for exercise in module.EXERCISES]


EXERCISES = all_exercises()
MISTAKES = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]


def name_of(value: object) -> str:
    return value.id if isinstance(value, Exercise) else value.name.en.replace(" ", "-")[:40]


@pytest.mark.parametrize("exercise", EXERCISES, ids=name_of)
def test_the_lesson_holds_the_exercise_with_its_solution(exercise):
    """That the solution passes is shown by tests/test_solutions.py, which runs it where it stands."""
    code = lessons.solution_source(exercise.id)
    assert "NotImplementedError" not in code
    compile(code, exercise.id, "exec")
    lesson = lessons.find_lessons([exercise.id.partition(".")[0]])[0]
    calls = [
        cell for cell in lessons.edition(lesson, "en").cells if f'check("{exercise.id}", ' in cell.source
    ]
    assert len(calls) == 1


@pytest.mark.parametrize("exercise", EXERCISES, ids=name_of)
def test_the_learners_stub_is_not_attempted(exercise):
    def stub(*_arguments):
        raise NotImplementedError

    assert checks.check(exercise.id, stub).status == core.NOT_ATTEMPTED


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=name_of)
def test_a_wrong_answer_fails_with_its_own_message(exercise, mistake, language, monkeypatch):
    monkeypatch.setenv("LABKIT_LANG", language)
    result = checks.check(exercise.id, mistake.wrong)
    assert result.status == core.FAILED
    assert result.message.startswith(getattr(mistake.name, language)), repr(result)
    assert result.details, "the smallest input that shows it is given"


@pytest.mark.parametrize("exercise", EXERCISES, ids=name_of)
def test_an_exercise_is_complete(exercise):
    assert 1 <= exercise.difficulty <= 3
    assert 1 <= exercise.minutes <= 60
    assert len(exercise.mistakes) >= 2
    assert len(exercise.hints) >= 2
    texts = [exercise.title, *exercise.hints, *(t for m in exercise.mistakes for t in (m.name, m.why))]
    assert all(text.en.strip() and text.zh.strip() for text in texts)
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text.zh) for text in texts)
    assert len({mistake.name.en for mistake in exercise.mistakes}) == len(exercise.mistakes)


def test_numbers_are_unique_and_each_lesson_has_four_or_more():
    ids = [exercise.id for exercise in EXERCISES]
    assert len(ids) == len(set(ids))
    for lesson in lessons.find_lessons():
        assert sum(number.startswith(f"{lesson.number}.") for number in ids) >= 4, lesson.name


# The machinery, on an exercise of its own.

DOUBLE = Exercise(
    id="99.1",
    title=Text("Twice", "两倍"),
    difficulty=1,
    minutes=1,
    reference=lambda x: 2 * x,
    inputs=lambda: [(torch.tensor([0.0]),), (torch.tensor([3.0]),), (torch.tensor([1.0, -4.0]),)],
    mistakes=[
        Mistake(Text("square", "平方"), lambda x: x * x, Text("x * x is not 2 x.", "x * x 不是 2x。")),
        Mistake(Text("halved", "减半"), lambda x: x / 2, Text("Divided.", "除了。")),
    ],
    hints=[Text("first", "一"), Text("second", "二")],
)


@pytest.fixture
def judge(monkeypatch):
    monkeypatch.setattr(core, "find_exercise", lambda _id: DOUBLE)
    core._hints_given.clear()
    return lambda answer: core.check("99.1", answer)


def test_the_misconception_is_named_with_the_smallest_input(judge):
    result = judge(lambda x: x**2)
    assert result.status == core.FAILED
    assert result.message == "square. x * x is not 2 x."
    assert dict(result.details) == {"input": "[3.]", "expected": "[6.]", "received": "[9.]"}
    assert "square" in result._repr_html_()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: None, "returns nothing"),
        (lambda x: x[None] * 2, "The shape is (1, 1), but (1,) is expected"),
        (lambda x: x * float("nan"), "not finite"),
        (lambda x: x + 1, "differs from the expected"),
        (lambda x: "6", "differs from the expected"),
        (lambda x: x @ torch.ones(7), "stops with RuntimeError"),
        (lambda x, y: x, "stops with TypeError"),
        (lambda x: x.mul_(2), "changes its input"),
        (7, "Give the function itself"),
    ],
)
def test_other_faults_are_described(judge, answer, message):
    result = judge(answer)
    assert result.status == core.FAILED
    assert message in result.message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (([1, 2], [4]), "The answer differs from the expected one."),
        (([1, 2],), "The answer has 1 parts, but 2 are expected."),
        (torch.tensor([1.0]), "of another kind than expected"),
    ],
)
def test_a_wrong_answer_of_ragged_parts_is_described_truly(monkeypatch, answer, message):
    ragged = dataclasses.replace(
        DOUBLE, reference=lambda x: ([1, 2], [3]), inputs=lambda: [(torch.zeros(1),)], mistakes=[]
    )
    monkeypatch.setattr(core, "find_exercise", lambda _id: ragged)
    assert message in core.check("99.1", lambda x: answer).message


@pytest.mark.parametrize("answer", [lambda x: 2 * x, lambda x: (x + x).numpy(), lambda x: (2 * x).tolist()])
def test_right_answers_of_any_kind_pass(judge, answer):
    assert judge(answer).passed


def test_an_exercise_may_take_a_function(monkeypatch):
    """A function is equal to itself alone; handing it on unchanged is not changing the input."""
    apply = dataclasses.replace(
        DOUBLE, reference=lambda f, x: f(x), inputs=lambda: [(torch.exp, torch.tensor([0.0]))], mistakes=[]
    )
    monkeypatch.setattr(core, "find_exercise", lambda _id: apply)
    assert core.check("99.1", lambda f, x: f(x)).passed
    assert not core.check("99.1", lambda f, x: x).passed


def test_numbers_that_carry_a_gradient_are_compared_as_numbers():
    leaves = torch.tensor([1.0, 2.0], requires_grad=True)
    assert core.close((leaves[0], leaves[1]), (1.0, 2.0), 1e-6, 0)
    assert not core.close((leaves[0], leaves[1]), (1.0, 3.0), 1e-6, 0)


def test_the_shared_generator_may_be_off_limits():
    def with_its_own(count, seed):
        return torch.randn(count, generator=torch.Generator().manual_seed(seed))

    def with_the_shared_one(count, seed):
        torch.manual_seed(seed)
        return torch.randn(count)

    with torch.random.fork_rng():
        assert checks.check("00.2", with_its_own).passed
        result = checks.check("00.2", with_the_shared_one)
    assert result.status == core.FAILED
    assert "of your own" in result.message


def test_messages_follow_the_language_of_the_notebook(judge, monkeypatch):
    monkeypatch.setenv("LABKIT_LANG", "zh")
    assert judge(lambda x: x * x).message == "平方。x * x 不是 2x。"
    assert judge(lambda x: 2 * x).message == "通过"


def test_hints_come_one_by_one(judge):
    assert [core.hint("99.1") for _ in range(3)] == [
        "1/2  first",
        "2/2  second",
        'No more hints. solution("99.1") shows an answer.',
    ]


def test_an_unknown_number_is_refused():
    with pytest.raises(LabkitError, match="Numbers look like"):
        checks.check("77.1", len)
    if EXERCISES:
        with pytest.raises(LabkitError, match="has no exercise"):
            checks.check(EXERCISES[0].id.partition(".")[0] + ".99", len)


def test_outcomes_are_kept_for_the_report(judge, tmp_path, monkeypatch):
    from labkit import results

    monkeypatch.setenv(results.RESULTS_VARIABLE, str(tmp_path / "results.jsonl"))
    judge(lambda x: 2 * x)
    entries = results.read(tmp_path / "results.jsonl")
    assert entries == [{"kind": "exercise", "exercise": "99.1", "status": "passed"}]


@pytest.mark.parametrize(
    ("received", "expected", "same"),
    [
        (1.0, 1, True),
        (np.float32(0.1), 0.1, True),
        ([1, 2], torch.tensor([1.0, 2.0]), True),
        ((1.0, [2.0, 3.0]), (1, np.array([2, 3])), True),
        ({"a": 1.0}, {"a": torch.tensor(1.0)}, True),
        ({"a": 1.0}, {"b": 1.0}, False),
        ([1.0, 2.0, 3.0], [1.0, 2.0], False),
        ("yes", "yes", True),
        ("yes", "no", False),
        (True, True, True),
        (1, True, False),
        (float("nan"), 1.0, False),
        (None, None, True),
        (object(), 1.0, False),
    ],
)
def test_what_counts_as_equal(received, expected, same):
    assert core.close(received, expected, 1e-5, 1e-7) is same
