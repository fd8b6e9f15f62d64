"""The shipped summarizers beside the lead and each other, on held-out generated news and on reports by hand."""

from __future__ import annotations

from labkit.common import LANGUAGES, set_threads
from labkit.summaries import shipped
from labkit.summaries.evaluation import Scores, evaluate
from labkit.summaries.gold import gold
from labkit.summaries.lead import lead
from labkit.summaries.reports import reports
from labkit.summaries.texts import Report

TRIED, TRIED_SEED = 300, 27  # held-out reports, none of those of the weights' cards
MEASURE = "rougeL"


def run() -> dict[str, float]:
    """By language: gains in ROUGE-L with their p on generated news, the share of supported claims, what the sets say.

    ``gain_SYSTEM_LANGUAGE`` in points and ``p_SYSTEM_LANGUAGE``: the extractive system above Lead-3, the abstractive one
    above the extractive; ``gold_...``: the same on the reports by hand, where nothing is promised.
    """
    set_threads()
    found: dict[str, float] = {}
    for language in LANGUAGES:
        test = list(reports(language, split="test", count=TRIED, seed=TRIED_SEED))
        for prefix, reports_ in (("", test), ("gold_", gold(language))):
            systems = scores(language, reports_)
            print("  ", prefix or "generated ", language, shown(systems), flush=True)
            for name, rival in (("extractive", "lead, 3"), ("abstractive", "extractive")):
                gain = systems[name].compare(systems[rival], MEASURE)
                found[f"{prefix}gain_{name}_{language}"] = 100 * gain.mean
                found[f"{prefix}p_{name}_{language}"] = gain.p
            found[f"{prefix}supported_{language}"] = 100 * systems["abstractive"].supported_share
    return found


def scores(language: str, tried: list[Report]) -> dict[str, Scores]:
    systems = {
        "lead, 1": lambda article: lead(article, 1),
        "lead, 3": lead,
        "extractive": shipped.load_extractive(language).summarize,
        "abstractive": shipped.load_abstractive(language).summarize,
    }
    return {name: evaluate(name, summarize, tried) for name, summarize in systems.items()}


def shown(systems: dict[str, Scores]) -> dict[str, str]:
    """ROUGE-1, 2, L in percent with the interval of the last, and the supported share."""
    lines = {}
    for name, found in systems.items():
        means = " ".join(f"{100 * found.estimate(kind).mean:.1f}" for kind in ("rouge1", "rouge2", MEASURE))
        _, low, high = found.estimate(MEASURE)
        lines[name] = (
            f"{means} ({100 * low:.1f} to {100 * high:.1f}), supported {100 * found.supported_share:.1f}"
        )
    return lines


if __name__ == "__main__":
    print(run())
