"""How an exercise is judged: against a reference, and against the wrong answers that people really give."""

from __future__ import annotations

import copy
import html
import importlib
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labkit.common import LabkitError, language
from labkit.results import record_exercise


@dataclass(frozen=True)
class Text:
    """A message in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.zh if language() == "zh" else self.en


@dataclass(frozen=True)
class Mistake:
    """A misconception, as the wrong answer that it leads to.

    ``wrong`` is what a learner with this misconception would hand in. The tests run it as an answer and
    demand that it fails with this message and no other.
    """

    name: Text
    wrong: Callable[..., Any]
    why: Text


def close(received: Any, expected: Any, rtol: float, atol: float) -> bool:
    """Equal in structure and shape, and in value within |received - expected| <= atol + rtol |expected|."""
    if received is expected:  # a function among the arguments has no value to compare
        return True
    if isinstance(expected, Mapping):
        return (
            isinstance(received, Mapping)
            and set(received) == set(expected)
            and all(close(received[key], expected[key], rtol, atol) for key in expected)
        )
    if isinstance(expected, str | bool | None):
        return type(received) is type(expected) and received == expected
    if isinstance(expected, tuple | list) and not all(isinstance(e, numbers.Number) for e in expected):
        return (
            isinstance(received, tuple | list)
            and len(received) == len(expected)
            and all(close(r, e, rtol, atol) for r, e in zip(received, expected, strict=True))
        )
    try:
        left, right = to_array(received), to_array(expected)
    except (TypeError, ValueError):
        return False
    if left.dtype == object or left.dtype.kind in "US":
        return False
    return left.shape == right.shape and bool(np.allclose(left, right, rtol=rtol, atol=atol, equal_nan=True))


def to_array(value: Any) -> np.ndarray:
    """Tensors, arrays, lists and numbers as an array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    elif isinstance(value, tuple | list):  # NumPy refuses a list of tensors that require a gradient
        value = [to_array(item) if hasattr(item, "detach") else item for item in value]
    return np.asarray(value)


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    ``inputs()`` gives argument tuples from the smallest to the largest: the first that shows a fault is the one
    that the learner sees. ``reference`` is an answer from elsewhere (PyTorch, a closed form), not the solution.
    ``accept(received, expected, arguments)`` replaces the comparison where many answers are right.
    ``own_randomness`` demands that PyTorch's shared generator is left as it was. ``observe(answer)`` is judged instead
    of the answer where that is only tried out, as a prompt on unseen cases; the reference then gives what it must find.
    """

    id: str
    title: Text
    difficulty: int
    minutes: int
    reference: Callable[..., Any]
    inputs: Callable[[], Sequence[tuple]]
    mistakes: Sequence[Mistake]
    hints: Sequence[Text]
    rtol: float = 1e-5
    atol: float = 1e-7
    accept: Callable[[Any, Any, tuple], bool] | None = field(default=None)
    own_randomness: bool = False
    observe: Callable[[Any], Any] | None = field(default=None)

    def is_right(self, received: Any, expected: Any, arguments: tuple) -> bool:
        """Whether this is the answer for these arguments."""
        if self.accept is not None:
            try:
                return bool(self.accept(received, expected, arguments))
            except Exception:  # an answer of another type than the judge expects is a wrong answer
                return False
        return close(received, expected, self.rtol, self.atol)


NOT_ATTEMPTED, PASSED, FAILED = "not attempted", "passed", "failed"


@dataclass(frozen=True)
class CheckResult:
    """What check() answers; a notebook shows it as a coloured box."""

    exercise: str
    status: str
    message: str
    details: tuple[tuple[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.status == PASSED

    def __repr__(self) -> str:
        mark = {NOT_ATTEMPTED: "○", PASSED: "✔", FAILED: "✘"}[self.status]
        rows = [f"{mark} {self.exercise} {self.message}"]
        return "\n".join(rows + [f"  {label}: {value}" for label, value in self.details])

    def _repr_html_(self) -> str:
        color = {NOT_ATTEMPTED: "#7f7f7f", PASSED: "#2e7d32", FAILED: "#b3261e"}[self.status]
        mark = {NOT_ATTEMPTED: "○", PASSED: "✔", FAILED: "✘"}[self.status]
        rows = "".join(
            f"<tr><td>{html.escape(label)}</td><td style='text-align:left'><code>{html.escape(value)}</code></td></tr>"
            for label, value in self.details
        )
        table = f"<table style='margin:4px 0 0 0'>{rows}</table>" if rows else ""
        return (
            f"<div style='border-left:4px solid {color};padding:4px 10px'>"
            f"<b style='color:{color}'>{mark} {html.escape(self.exercise)}</b> {html.escape(self.message)}{table}</div>"
        )


def find_exercise(exercise_id: str) -> Exercise:
    """The exercise with this number, like ``"02.1"``."""
    lesson = str(exercise_id).partition(".")[0]
    try:
        module = importlib.import_module(f"labkit.checks.lesson{lesson}")
    except ModuleNotFoundError as error:
        if error.name != f"labkit.checks.lesson{lesson}":
            raise
        raise LabkitError(
            f"There is no exercise {exercise_id!r}. Numbers look like 02.1: lesson, dot, exercise."
        ) from None
    known = {exercise.id: exercise for exercise in module.EXERCISES}
    if exercise_id not in known:
        raise LabkitError(
            f"Lesson {lesson} has no exercise {exercise_id!r}. It has: {', '.join(sorted(known))}."
        )
    return known[exercise_id]


def check(exercise_id: str, candidate: Callable[..., Any]) -> CheckResult:
    """Judge an answer: not attempted, passed, or failed with the misconception by name."""
    exercise = find_exercise(exercise_id)
    result = _judge(exercise, candidate)
    record_exercise(exercise_id, result.status)
    return result


def hint(exercise_id: str) -> str | Any:
    """The next hint for an exercise: a nudge first, nearly the answer last."""
    exercise = find_exercise(exercise_id)
    given = _hints_given.get(exercise_id, 0)
    _hints_given[exercise_id] = given + 1
    total = len(exercise.hints)
    if given >= total:
        end = Text(
            f'No more hints. solution("{exercise_id}") shows an answer.',
            f'没有更多提示了。用 solution("{exercise_id}") 查看参考答案。',
        )
        return Shown(str(end))
    return Shown(f"{given + 1}/{total}  {exercise.hints[given]}")


def solution(exercise_id: str) -> Shown:
    """The answer that the course gives, as it stands in the lesson's source."""
    from labkit.lessons import solution_source

    find_exercise(exercise_id)
    return Shown(solution_source(exercise_id))


class Shown(str):
    """A text that a notebook shows as it is, without quotes."""

    def __repr__(self) -> str:
        return str(self)


_hints_given: dict[str, int] = {}


@dataclass(frozen=True)
class _Outcome:
    """What calling an answer gave: a value, or the exception."""

    value: Any = None
    error: Exception | None = None


def _call(exercise: Exercise, function: Callable[..., Any], arguments: tuple) -> _Outcome:
    try:
        value = function(*copy.deepcopy(arguments))
        return _Outcome(value=value if exercise.observe is None else exercise.observe(value))
    except NotImplementedError:
        raise
    except Exception as error:  # whatever the learner's code raises is an outcome, not our failure
        return _Outcome(error=error)


def _judge(exercise: Exercise, candidate: Callable[..., Any]) -> CheckResult:
    if not callable(candidate):
        message = Text(
            f"Give the function itself, without calling it: check({exercise.id!r}, name), not name(...).",
            f"请传入函数本身，不要调用它：写 check({exercise.id!r}, 函数名)，而不是 函数名(...)。",
        )
        return CheckResult(exercise.id, FAILED, str(message))
    cases = list(exercise.inputs())
    try:
        outcomes = [_call(exercise, candidate, case) for case in cases]
    except NotImplementedError:
        # Both languages: the editions share their stored outputs.
        return CheckResult(exercise.id, NOT_ATTEMPTED, "not attempted · 尚未作答")
    expected = [exercise.reference(*copy.deepcopy(case)) for case in cases]
    wrong_at = [i for i in range(len(cases)) if not _right(exercise, outcomes[i], expected[i], cases[i])]
    if not wrong_at:
        return _side_effects(exercise, candidate, cases) or CheckResult(
            exercise.id, PASSED, str(Text("passed", "通过"))
        )
    first = wrong_at[0]
    message = _misconception(exercise, cases, outcomes, expected) or _general(
        outcomes[first], expected[first]
    )
    return CheckResult(
        exercise.id, FAILED, str(message), _evidence(cases[first], expected[first], outcomes[first])
    )


def _right(exercise: Exercise, outcome: _Outcome, expected: Any, case: tuple) -> bool:
    return outcome.error is None and exercise.is_right(outcome.value, expected, case)


def _misconception(
    exercise: Exercise, cases: list[tuple], outcomes: list[_Outcome], expected: list[Any]
) -> Text | None:
    """The listed mistake that gives just these answers, on every input."""
    for mistake in exercise.mistakes:
        try:
            wrong = [_call(exercise, mistake.wrong, case) for case in cases]
        except NotImplementedError:
            continue
        if all(_same(a, b, exercise) for a, b in zip(outcomes, wrong, strict=True)):
            return Text(
                f"{mistake.name.en}. {mistake.why.en}",
                f"{mistake.name.zh}。{mistake.why.zh}",
            )
    return None


def _same(left: _Outcome, right: _Outcome, exercise: Exercise) -> bool:
    if left.error is not None or right.error is not None:
        return type(left.error) is type(right.error)
    return close(left.value, right.value, exercise.rtol, exercise.atol)


def _general(outcome: _Outcome, expected: Any) -> Text:
    """What can be said without knowing the misconception."""
    if outcome.error is not None:
        name = type(outcome.error).__name__
        return Text(
            f"Your code stops with {name}: {outcome.error}", f"代码运行出错（{name}）：{outcome.error}"
        )
    if outcome.value is None and expected is not None:
        return Text(
            "The function returns nothing: is a return missing?", "函数没有返回值：是不是漏写了 return？"
        )
    if isinstance(expected, str | Mapping) or isinstance(outcome.value, str | Mapping):
        return Text("The answer differs from the expected one.", "结果与预期不符。")
    try:
        left, right = to_array(outcome.value), to_array(expected)
        finite = np.isfinite(left).all() or not np.isfinite(right).all()
    except (TypeError, ValueError):
        return _general_parts(outcome.value, expected)
    if left.shape != right.shape:
        return Text(
            f"The shape is {left.shape}, but {right.shape} is expected.",
            f"形状是 {left.shape}，应为 {right.shape}。",
        )
    if not finite:
        return Text("The answer is not finite (nan or inf).", "结果中出现了 nan 或 inf。")
    return Text("The answer differs from the expected one.", "结果与预期不符。")


def _general_parts(value: Any, expected: Any) -> Text:
    """The same for what is no array, such as a tuple of lists of several lengths."""
    if not (isinstance(value, tuple | list) and isinstance(expected, tuple | list)):
        return Text("The answer is of another kind than expected.", "返回值的类型与预期不同。")
    if len(value) != len(expected):
        return Text(
            f"The answer has {len(value)} parts, but {len(expected)} are expected.",
            f"结果有 {len(value)} 个部分，应为 {len(expected)} 个。",
        )
    return Text("The answer differs from the expected one.", "结果与预期不符。")


def _side_effects(
    exercise: Exercise, candidate: Callable[..., Any], cases: list[tuple]
) -> CheckResult | None:
    """Right values, but the arguments, or everybody's random numbers, were changed on the way."""
    for case in cases:
        handed = copy.deepcopy(case)
        before = _shared_generator(exercise)
        candidate(*handed)
        if before != _shared_generator(exercise):
            message = Text(
                "The values are right, but the function seeds or uses the random numbers that all code shares. "
                "Draw them from a torch.Generator() of your own.",
                "结果正确，但函数重设或动用了全局共享的随机数生成器。请用自己的 torch.Generator() 取数。",
            )
            return CheckResult(exercise.id, FAILED, str(message))
        if not close(handed, case, 0, 0):
            message = Text(
                "The values are right, but the function changes its input (an in-place operation). Work on a copy.",
                "结果正确，但函数改动了传入的参数（用了原地操作）。请在副本上计算。",
            )
            return CheckResult(exercise.id, FAILED, str(message))
    return None


def _shared_generator(exercise: Exercise) -> bytes | None:
    """The state of PyTorch's shared generator, where the exercise asks for it to be left alone."""
    if not exercise.own_randomness:
        return None
    import torch  # the spine loads no torch at import

    return torch.get_rng_state().numpy().tobytes()


def _evidence(case: tuple, expected: Any, outcome: _Outcome) -> tuple[tuple[str, str], ...]:
    received = repr(outcome.error) if outcome.error is not None else _brief(outcome.value)
    return (
        (str(Text("input", "输入")), ", ".join(_brief(argument) for argument in case) or "()"),
        (str(Text("expected", "预期")), _brief(expected)),
        (str(Text("received", "实际")), received),
    )


def _brief(value: Any, limit: int = 200) -> str:
    """A value on one line, rounded so that digits that do not matter do not distract."""
    if hasattr(value, "detach") or isinstance(value, np.ndarray):
        array = to_array(value)
        text = np.array2string(array, precision=4, threshold=12, separator=", ", suppress_small=False)
        text = " ".join(text.split())
    elif isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, tuple | list):
        inner = ", ".join(_brief(item) for item in value)
        text = f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    else:
        text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
