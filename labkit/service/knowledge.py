"""The knowledge base: answers written by hand, approved one by one, with every figure taken from the policies.

An article is served only if its text is the one that was approved: ``approvals.json`` holds a SHA-256 of each.
Whoever can edit articles (a wiki has many editors) can therefore not make the bot say something new. Before an
article is approved, ``audit`` looks for what an answer must not hold: figures of its own, and orders to a machine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labkit.common import LabkitError, data_dir
from labkit.service.policies import PLACEHOLDER, Policies
from labkit.service.retrieval import BM25
from labkit.service.text import check_language, fold

# Two passages whose scores differ by less cannot be told apart by their words.
CLOSE = 0.8
ORDERS = re.compile(
    r"ignore|disregard|instruction|system\s*:|assistant|prompt|override|you must|reveal|print all|database"
    r"|忽略|无视|指令|系统提示|提示词|你必须|透露|数据库|全部客户|助手"
)
BOUNDLESS = re.compile(
    r"regardless|no matter|no questions asked|unlimited|forever|lifetime|always refund|every refund|full refund|any time|guaranteed"
    r"|无条件|不限时间|永久|终身|随时都能退|全额|包退|一律退|保证退"
)


@dataclass(frozen=True)
class Article:
    """One answer with the questions that it answers. ``answer`` holds figures as ``{return_days}``."""

    id: str
    topic: str
    questions: tuple[str, ...]
    answer: str

    @property
    def sha256(self) -> str:
        """Of all that is served or searched."""
        content = json.dumps([self.id, self.topic, list(self.questions), self.answer], ensure_ascii=False)
        return hashlib.sha256(content.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Found:
    """An article for a question, with its score and what speaks for it."""

    article: Article
    score: float
    shared: tuple[str, ...]


def audit(article: Article, policies: Policies) -> list[str]:
    """What speaks against approving an article; an empty list where nothing does."""
    problems = []
    unknown = [name for name in PLACEHOLDER.findall(article.answer) if name not in policies.figures]
    if unknown:
        problems.append(f"no such policy: {', '.join(unknown)}")
    figures = re.findall(r"\d+", PLACEHOLDER.sub("", fold(article.answer)))
    if figures:
        problems.append(f"figures that no policy holds: {', '.join(figures)}")
    for name, pattern in {"an order to a machine": ORDERS, "a promise without a limit": BOUNDLESS}.items():
        match = pattern.search(fold(article.answer))
        if match:
            problems.append(f"{name}: {match.group()!r}")
    return problems


def folder() -> Path:
    """Where the knowledge base lies."""
    return data_dir() / "service"


def read_articles(path: Path | str) -> list[Article]:
    """The articles of a JSONL file: one object a line with id, topic, questions and answer."""
    articles = []
    for number, line in enumerate(_lines(Path(path)), start=1):
        try:
            row = json.loads(line)
            article = Article(row["id"], row["topic"], tuple(row["questions"]), row["answer"])
        except (ValueError, KeyError, TypeError) as error:
            raise LabkitError(
                f"{path}, line {number}: {error!r}. A line holds id, topic, questions and answer."
            ) from error
        articles.append(article)
    return articles


def read_questions(language: str) -> list[tuple[str, str]]:
    """Held-out questions with the article that answers each: (text, article id). They are in no index."""
    path = folder() / f"questions_{check_language(language)}.jsonl"
    rows = [json.loads(line) for line in _lines(path)]
    return [(row["text"], row["article"]) for row in rows]


def read_approvals() -> frozenset[str]:
    """SHA-256 of every article that was approved, in both languages."""
    path = folder() / "approvals.json"
    return frozenset(json.loads("\n".join(_lines(path)))["approved"])


class Knowledge:
    """Approved articles, ready to be searched. ``refused`` holds the ids of those that were not approved."""

    def __init__(
        self, articles: Sequence[Article], policies: Policies, approved: frozenset[str] | None = None
    ):
        self.policies = policies
        approved = read_approvals() if approved is None else approved
        self.articles = [article for article in articles if article.sha256 in approved]
        self.refused = [article.id for article in articles if article.sha256 not in approved]
        if not self.articles:
            raise LabkitError(
                "No article is approved. Approve them with knowledge.approve(articles, policies)."
            )
        passages, self._owner = [], []
        for number, article in enumerate(self.articles):
            for question in article.questions:
                passages.append(question)
                self._owner.append(number)
        self._questions = BM25(passages)
        self._answers = BM25([article.answer for article in self.articles])

    def search(self, question: str, count: int = 3) -> list[Found]:
        """The articles that fit best: the score of their best question, and a third of that of their answer.

        A question counts in full if all of it was asked, half if next to nothing: the words that the customer did
        not say speak against it.
        """
        scores: dict[int, float] = {}
        shared: dict[int, tuple[str, ...]] = {}
        for hit in self._questions.search(question, count=20):
            number, score = self._owner[hit.index], hit.score * (0.5 + 0.5 * hit.covered)
            if score > scores.get(number, 0.0):
                scores[number], shared[number] = score, hit.shared
        for hit in self._answers.search(question, count=20):
            scores[hit.index] = scores.get(hit.index, 0.0) + hit.score / 3
            shared.setdefault(hit.index, hit.shared)
        best = sorted(scores, key=lambda number: (-scores[number], number))[:count]
        return [Found(self.articles[number], scores[number], shared[number]) for number in best]

    def answer(self, article: Article) -> str:
        """The article's answer with the policies' figures."""
        return self.policies.fill(article.answer)


def approve(articles: Sequence[Article], policies: Policies) -> list[str]:
    """The checksums of articles that pass the audit; refuses the whole list, naming the first that does not."""
    for article in articles:
        problems = audit(article, policies)
        if problems:
            raise LabkitError(f"The article {article.id} cannot be approved: {'; '.join(problems)}.")
    return [article.sha256 for article in articles]


def load_knowledge(policies: Policies) -> Knowledge:
    """The shipped knowledge base of the policies' market."""
    return Knowledge(read_articles(folder() / f"knowledge_{policies.language}.jsonl"), policies)


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise LabkitError(f"{path} cannot be read: {error.strerror}. Get the data folder again.") from error
