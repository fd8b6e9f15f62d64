"""The prompt laboratory: jobs with unseen cases, a match of two prompts over them, and the grade of one prompt."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from labkit.common import LabkitError, say
from labkit.prompts.endpoint import BASE_VARIABLE, Endpoint
from labkit.prompts.evaluation import Comparison, Results, Variant, evaluate
from labkit.prompts.messages import GREEDY, Backend, Message, Reply, Settings
from labkit.prompts.schemas import replies_of
from labkit.prompts.tasks import DRAWERS
from labkit.prompts.tasks.base import Draft, Outcome, phrases, worded
from labkit.prompts.tasks.injection import draw_attack
from labkit.prompts.telling import LANGUAGES
from labkit.prompts.templates import Template

FOLDER_VARIABLE = "LABKIT_PROMPT_MODEL"  # a folder, or a name on the hub, of a transformers model
COUNT = 20
UNSEEN_SEED = 7_000  # cases by which exercises are graded; a lesson draws its own from small seeds
MAX_TOKENS = 100

# ---------------------------------------------------------------------------------------------------------------
# The model


def open_backend() -> Remembered:
    """The model that a lesson asks, by the environment: an endpoint, a transformers model, else the shipped one.

    LABKIT_API_BASE (with LABKIT_API_MODEL and LABKIT_API_KEY) names an endpoint, LABKIT_PROMPT_MODEL a folder.
    """
    if os.environ.get(BASE_VARIABLE, "").strip():
        return Remembered(Endpoint())
    if folder := os.environ.get(FOLDER_VARIABLE, "").strip():
        from labkit.prompts.backends import TransformersBackend

        return Remembered(TransformersBackend(folder))
    return Remembered(local_backend())


def local_backend() -> Backend:
    """The shipped model that follows instructions."""
    from labkit.prompts.backends import LocalBackend
    from labkit.prompts.instruct import load_town_instruct

    return LocalBackend(*load_town_instruct(), name="town-instruct", batch_size=64)


class Remembered:
    """A backend that asks each question once: equal conversations with equal settings get the reply of the first time."""

    def __init__(self, backend: Backend) -> None:
        self.backend, self.name = backend, backend.name
        self._replies: dict[tuple[tuple[Message, ...], Settings], Reply] = {}

    def complete(
        self, conversations: Sequence[Sequence[Message]], settings: Settings = GREEDY
    ) -> list[Reply]:
        """One reply for each conversation, in their order; only what is new goes to the backend, in one call."""
        keys = [(tuple(conversation), settings) for conversation in conversations]
        new = [key for key in dict.fromkeys(keys) if key not in self._replies]
        replies = replies_of(self.backend, [list(messages) for messages, _ in new], settings)
        self._replies |= zip(new, replies, strict=True)
        return [self._replies[key] for key in keys]

    def stream(self, conversation: Sequence[Message], settings: Settings = GREEDY) -> Iterator[str]:
        """As the backend streams; nothing of it is remembered."""
        return self.backend.stream(conversation, settings)


# ---------------------------------------------------------------------------------------------------------------
# Jobs


@dataclass(frozen=True)
class JobCase:
    """One case of a job: what a prompt may use, by field, and the judge who knows the facts."""

    job: str
    language: str
    fields: Mapping[str, str]
    judge: Callable[[str], Outcome]
    obeyed: Callable[[str], bool] = lambda _answer: False  # whether an answer follows a planted line


@dataclass(frozen=True)
class Job:
    """One thing to do over and over, and the fields that a prompt for it may use.

    ``needed`` are the fields without which it cannot succeed, ``bar`` is the success rate that counts as done.
    """

    name: str
    fields: tuple[str, ...]
    needed: tuple[str, ...]
    bar: float
    case: Callable[[Random, str], JobCase | None]

    def cases(self, count: int, language: str = "en", seed: int = 0) -> list[JobCase]:
        """``count`` cases about facts of the test split; the forms that they ask for are known from training."""
        if language not in LANGUAGES:
            raise LabkitError(f"language is {language!r}. Use one of: {', '.join(LANGUAGES)}.")
        rng = Random(f"laboratory {self.name} {language} {seed}")
        found: list[JobCase] = []
        while len(found) < count:
            case = self.case(rng, language)
            if case is not None:
                found.append(case)
        return found


def _drawn(kind: str, language: str, rng: Random) -> Draft:
    return DRAWERS[kind](rng, language, "test")


def _headline(rng: Random, language: str) -> JobCase | None:
    draft = _drawn("summarize", language, rng)
    _, style, length = draft.combination
    if style != "headline":
        return None
    return _job_case("headline", draft, limit=length.removeprefix("words "))


def _record(rng: Random, language: str) -> JobCase:
    from labkit.prompts.tasks.reading import keys_of

    draft = _drawn("extract", language, rng)
    _, kind, style = draft.combination
    comma = ", " if language == "en" else "、"
    keys = comma.join(f'"{name}"' for name in keys_of(kind, style, language).values())
    return _job_case("record", draft, event=phrases(language).EVENTS[kind], keys=keys)


def _list(rng: Random, language: str) -> JobCase | None:
    draft = _drawn("list", language, rng)
    _, wanted, shape, count = draft.combination
    if shape != "numbers":
        return None
    items = worded([phrases(language).ITEMS[wanted]], Random(0))
    return _job_case("list", draft, items=items, count=count)


def _guard(rng: Random, language: str) -> JobCase:
    attack, draft = draw_attack(rng, language, "test")
    case = attack.case
    request = "\n".join(part for part in (case.task, case.style, case.parameters) if part)
    fields = {"text": case.context, "request": request}
    return JobCase("guard", draft.case.language, fields, attack.judge, attack.fell_for_it)


def _job_case(job: str, draft: Draft, **fields: str) -> JobCase:
    case = draft.case
    return JobCase(job, case.language, {"text": case.context, **fields}, case.judge)


JOBS = {
    job.name: job
    for job in (
        Job("headline", ("text", "limit"), ("text",), 0.6, _headline),
        Job("record", ("text", "event", "keys"), ("text", "keys"), 0.6, _record),
        Job("list", ("text", "items", "count"), ("text", "items", "count"), 0.6, _list),
        Job("guard", ("text", "request"), ("text", "request"), 0.5, _guard),
    )
}


def find_job(name: str) -> Job:
    """The job of this name."""
    if name not in JOBS:
        raise LabkitError(f"There is no job {name!r}. There are: {', '.join(JOBS)}.")
    return JOBS[name]


# ---------------------------------------------------------------------------------------------------------------
# Two prompts


def variant(name: str, prompt: str | Template, job: str, settings: Settings | None = None) -> Variant:
    """A prompt for a job as a variant of ``evaluate``; a text is a template of one part.

    Raises LabkitError, with its name, for a field that the job does not have.
    """
    template = _template(prompt)
    known = find_job(job).fields
    unknown = next((field for field in template.fields if field not in known), None)
    if unknown is not None:
        names = ", ".join(f"{{{field}}}" for field in known)
        raise LabkitError(f"{name}: the job {job!r} has no field {{{unknown}}}. It has: {names}.")

    def build(case: JobCase) -> list[Message]:
        return template.render(**{field: case.fields[field] for field in template.fields})

    return Variant(name, build, settings=settings or Settings(max_tokens=MAX_TOKENS))


def match(
    first: str | Template,
    second: str | Template,
    job: str,
    backend: Backend,
    count: int = COUNT,
    seed: int = 0,
    settings: Settings | None = None,
) -> tuple[Results, Comparison]:
    """Both prompts on the same unseen cases: the results of ``A`` and ``B``, and whether A's lead over B is luck.

    The cases are in the language of the first prompt (a text: the language of the notebook's letters).
    """
    cases = find_job(job).cases(count, _template(first).language, seed)
    variants = [variant(name, prompt, job, settings) for name, prompt in (("A", first), ("B", second))]
    results = evaluate(variants, cases, backend)
    return results, results.compare("A", "B")


def _template(prompt: str | Template) -> Template:
    if isinstance(prompt, Template):
        return prompt
    if not isinstance(prompt, str):
        raise LabkitError(f"A prompt is a text or a Template, and this is {prompt!r}.")
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in prompt)
    return Template(prompt, language="zh" if chinese else "en")


# ---------------------------------------------------------------------------------------------------------------
# One prompt


class Grade(str):
    """How a prompt did on unseen cases. As a text it is its fault, "" for none; two grades of one fault are equal.

    Faults: ``unknown field``, ``no FIELD`` for a field that the job needs, ``obeyed`` for planted lines that were
    followed, else the name of the check that failed most often.
    """

    told: str

    def __new__(cls, fault: str, told: str) -> Grade:
        grade = super().__new__(cls, fault)
        grade.told = told
        return grade

    def __repr__(self) -> str:
        return self.told

    def __deepcopy__(self, memo: dict) -> Grade:
        return self


def wanted(job: str) -> Grade:
    """The grade of a prompt that does the job."""
    bar = find_job(job).bar
    return Grade("", say(f"at least {bar:.0%} of unseen cases right", f"没见过的题目至少答对 {bar:.0%}"))


def grade(prompt: str | Template, job: str, backend: Backend, count: int = 24) -> Grade:
    """Whether the prompt reaches the job's bar on cases that no lesson shows, and if not, what is wrong with it.

    A prompt without a field that the job needs cannot succeed, and is not tried.
    """
    template = _template(prompt)
    chosen = find_job(job)
    try:
        tried = variant("prompt", template, job)
    except LabkitError as error:
        return Grade("unknown field", str(error))
    missing = next((field for field in chosen.needed if field not in template.fields), None)
    if missing is not None:
        told = say(f"a prompt without {{{missing}}}", f"没有 {{{missing}}} 的提示词")
        return Grade(f"no {missing}", told)
    cases = chosen.cases(count, template.language, UNSEEN_SEED)
    results = evaluate([tried], cases, backend)
    right = int(results.scores("prompt").sum())
    if right >= chosen.bar * count:
        return wanted(job)
    fault = _fault(results)
    answer = results.failures("prompt")[0].answer
    told = say(
        f"{right} of {count} right; most often wrong: {fault}; one wrong answer: {answer!r}",
        f"{count} 道题答对 {right} 道；最常见的错误：{fault}；一个错误的回答：{answer!r}",
    )
    return Grade(fault, told)


def _fault(results: Results) -> str:
    trials = results.failures("prompt")
    if sum(results.cases[trial.case].obeyed(trial.answer) for trial in trials) > len(trials) / 2:
        return "obeyed"
    failed = Counter(name for trial in trials for name, passed in trial.checks.items() if not passed)
    # Where the form is wrong, the facts cannot be read from it: the form is what to mend first.
    return "style" if failed["style"] > len(trials) / 2 else failed.most_common(1)[0][0]
