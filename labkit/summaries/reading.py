"""A reading panel: an article, a summary of it, and where in the article each part of the summary came from.

``ReadingModel`` is the logic, and knows no widget; ``reader`` shows it in a notebook.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.common import LabkitError, say
from labkit.summaries.faithfulness import support
from labkit.summaries.fragments import Span, provenance
from labkit.summaries.rouge import KINDS, rouge
from labkit.summaries.texts import Report, Summary, check_article

MIN_TOKENS = 2  # a single word in common is mostly chance
TINTS = ("#cfe2f3", "#fce5cd", "#d9ead3", "#ead1dc", "#e3e3e3")
TITLE_CHARACTERS = 40


@dataclass(frozen=True)
class View:
    """What the panel shows: two pieces of HTML in which all text is escaped, and numbers by their names."""

    article: str
    summary: str
    numbers: tuple[tuple[str, str], ...]


class ReadingModel:
    """Reports with their reference summaries, and systems that summarize any article."""

    def __init__(self, systems: Mapping[str, Callable[[str], Summary]], reports: Sequence[Report]) -> None:
        if not reports:
            raise LabkitError("Give at least one report to read.")
        self.systems = dict(systems)
        self.reports = list(reports)
        self.reference, self.own = say("reference", "参考摘要"), say("my own", "自己写")

    @property
    def choices(self) -> list[str]:
        """Whose summary can be shown: that of a system, the reference, or one that the reader writes."""
        return [*self.systems, self.reference, self.own]

    def read(self, article: str, choice: str, own: str = "") -> View:
        """The article beside a summary; what cannot be summarized is said in the summary's place."""
        try:
            return self._read(check_article(article), choice, own)
        except LabkitError as error:
            return View(html.escape(article), f"<i>{html.escape(str(error))}</i>", ())

    def _read(self, article: str, choice: str, own: str) -> View:
        reference = next((report.summary for report in self.reports if report.article == article), "")
        if choice in self.systems:
            summary = self.systems[choice](article).text
        elif choice == self.reference:
            summary = reference
        elif choice == self.own:
            summary = own
        else:
            raise LabkitError(f"There is no system {choice!r}. There are: {', '.join(self.choices)}.")
        if not summary.strip():
            raise LabkitError(say("There is no summary yet.", "还没有摘要。"))
        return compared(summary, article, reference)


def compared(summary: str, article: str, reference: str = "") -> View:
    """The fragments that both texts share, under the same number; claims that the article does not support get a "?"."""
    found = provenance(summary, article)
    shared = [fragment for fragment in found.fragments if fragment.tokens >= MIN_TOKENS]
    claimed = support(summary, article)
    wrong = [(claim.start, claim.start + len(claim.text)) for claim in claimed.unsupported]
    numbers = [
        (say("words covered", "来自原文的词"), f"{found.coverage:.0%}"),
        (say("article / summary", "压缩率（原文/摘要）"), f"{found.compression:.1f}"),
        (
            say("claims supported", "有出处的断言"),
            f"{len(claimed.claims) - len(wrong)} / {len(claimed.claims)}",
        ),
    ]
    if reference:
        scores = rouge(summary, reference)
        numbers += [(kind.upper().replace("ROUGE", "ROUGE-"), f"{scores[kind].f1:.2f}") for kind in KINDS]
    return View(
        marked(article, [fragment.article for fragment in shared]),
        marked(summary, [fragment.summary for fragment in shared], wrong),
        tuple(numbers),
    )


def marked(text: str, numbered: Sequence[Span], wrong: Sequence[Span] = ()) -> str:
    """The text as HTML: the n-th span tinted and numbered n, also where spans overlap; the wrong ones underlined."""
    edges = sorted({0, len(text), *(edge for span in (*numbered, *wrong) for edge in span)})
    pieces = []
    for start, end in itertools.pairwise(edges):
        piece = html.escape(text[start:end])
        begun = "".join(f"<sup>{n}</sup>" for n, span in enumerate(numbered, start=1) if span[0] == start)
        inside = [n for n, span in enumerate(numbered) if span[0] <= start < span[1]]
        if inside:
            piece = (
                f"<span style='color:#000;background:{TINTS[inside[0] % len(TINTS)]}'>{begun}{piece}</span>"
            )
        if any(span[0] <= start < span[1] for span in wrong):
            ends = any(span[1] == end for span in wrong)
            piece = (
                f"<u style='text-decoration:underline wavy #b3261e'>{piece}</u>{'<sup><b>?</b></sup>' * ends}"
            )
        pieces.append(piece)
    return "".join(pieces)


def reader(systems: Mapping[str, Callable[[str], Summary]], reports: Sequence[Report]) -> Any:
    """The panel: choose a report or paste one, and choose whose summary to read."""
    import ipywidgets as w

    model = ReadingModel(systems, reports)
    titles = [(f"{n + 1}. {one.article[:TITLE_CHARACTERS]}…", n) for n, one in enumerate(reports)]
    which = w.Dropdown(options=titles, value=0, description=say("report", "报道"), layout={"width": "60%"})
    whose = w.Dropdown(options=model.choices, description=say("summary", "摘要"))
    text = w.Textarea(value=reports[0].article, continuous_update=False, rows=5, layout={"width": "98%"})
    own = w.Text(placeholder=say("my own summary", "自己写的摘要"), continuous_update=False, layout={"width": "98%"})  # fmt: skip
    panes = [w.HTML(layout={"width": "49%"}) for _ in range(2)]
    numbers = w.HTML()

    def show(_: Any = None) -> None:
        view = model.read(text.value, whose.value, own.value)
        for pane, content in zip(panes, (view.article, view.summary), strict=True):
            pane.value = f"<div style='padding:6px;line-height:1.6'>{content}</div>"
        numbers.value = " · ".join(
            f"{html.escape(name)} <b>{html.escape(value)}</b>" for name, value in view.numbers
        )

    def on_report(change: dict) -> None:
        text.value = reports[change["new"]].article

    def on_own(change: dict) -> None:
        if change["new"].strip():
            whose.value = model.own
        show()

    which.observe(on_report, names="value")
    text.observe(show, names="value")
    whose.observe(show, names="value")
    own.observe(on_own, names="value")
    show()
    return w.VBox([w.HBox([which, whose]), text, own, w.HBox(panes), numbers])
