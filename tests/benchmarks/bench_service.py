"""Figures of the customer service: intents (its own and CLINC150), search, simulated customers, attacks, time.

Run by hand: ``LABKIT_DATA=FOLDER python -m tests.benchmarks.bench_service [clinc | service] [seed ...]``
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from labkit import data, metrics
from labkit.common import set_threads
from labkit.service import attacks, customers, intents, knowledge, naive, retrieval, shop, utterances
from labkit.service.bot import Bot
from labkit.service.database import ShopReader
from labkit.service.policies import load_policies

SEEDS = (11, 12, 13)  # none that the service was mended on
CUSTOMERS = 220  # a language and seed
ROUNDS = 3  # of 69 attacks a language


def clinc_figures(min_recall: float = 0.7) -> dict[str, float]:
    """CLINC150 with the threshold from its validation part: accuracy in scope and recall out of scope on the test part."""
    parts = intents.clinc_parts(data.load("clinc150"))
    begin, cpu = time.perf_counter(), time.process_time()
    model = intents.IntentModel().fit(*parts["train"])
    threshold = model.tune(*parts["validation"], min_recall=min_recall)
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    found = model.evaluate(*parts["test"])
    held = model.evaluate(*parts["validation"])
    return {
        "in_scope_accuracy": found.in_scope_accuracy, "out_of_scope_recall": found.out_of_scope_recall,
        "validation_accuracy": held.in_scope_accuracy, "validation_recall": held.out_of_scope_recall,
        "threshold": threshold, "parameters": model.num_parameters, "seconds": wall, "processor_seconds": cpu,
    }  # fmt: skip


def service_figures(language: str, seed: int) -> dict[str, object]:
    """One shop, one classifier, customers and attacks of this seed."""
    with tempfile.TemporaryDirectory() as folder:
        policies = load_policies(language)
        model = utterances.train_intents(language, seed)
        texts, labels = customers.spoken(language)
        own, rules = model.evaluate(texts, labels), [naive.by_rules(text, language) for text in texts]
        base = knowledge.load_knowledge(policies)
        asked = [(question, article.id) for article in base.articles for question in article.questions]
        held = knowledge.read_questions(language)
        first = [base.search(question)[0].article.id == wanted for question, wanted in held]
        nearest = [asked[retrieval.nearest_question(q, [t for t, _ in asked])][1] == w for q, w in held]
        place = shop.build_shop(Path(folder) / "shop.db", shop.ShopConfig(language, seed))
        served, kinds, spent = _customers(Bot(ShopReader(place), base, model), place, language, seed)
        broken = _attacks(Path(folder) / "target.db", policies, model, seed)
        return {
            "language": language, "seed": seed, "intents": own.in_scope_accuracy, "refused": own.out_of_scope_recall,
            "intents_by_rules": intents.scope_scores(rules, labels).in_scope_accuracy,
            "first_article": float(np.mean(first)), "nearest_question": float(np.mean(nearest)),
            "served": metrics.bootstrap_interval(served), "not_served": kinds,
            "milliseconds_95": float(np.percentile(spent, 95)), "milliseconds_50": float(np.median(spent)), **broken,
        }  # fmt: skip


def _customers(
    bot: Bot, place: Path, language: str, seed: int
) -> tuple[list[float], dict[str, int], list[float]]:
    served, kinds, spent = [], Counter(), []
    for number, goal in enumerate(customers.draw_goals(place, language, CUSTOMERS, seed)):
        customer = customers.Customer(goal, 1000 * seed + number)
        talk = customers.converse(lambda: bot.start().say, bot.queue.tickets, customer)
        reached = customers.judge(talk).reached
        served.append(float(reached))
        spent += talk.milliseconds
        if not reached:
            kinds[goal.kind] += 1
    return served, dict(kinds), spent


def _attacks(place: Path, policies, model, seed: int) -> dict[str, object]:
    """Attacks on the service and on the naive one, each in the same shop."""
    language = policies.language
    shop.build_shop(place, shop.ShopConfig(language, seed))
    planned = attacks.draw_attacks(place, language, ROUNDS, seed)
    attacks.plant(place, planned)
    articles = knowledge.read_articles(knowledge.folder() / f"knowledge_{language}.jsonl")
    poisoned = attacks.poison(articles, planned)
    figures = [value for value in policies.figures.values() if not isinstance(value, str)]
    bot = Bot(ShopReader(place), knowledge.Knowledge(poisoned, policies), model)
    ours = attacks.run(lambda: bot.start().say, planned, place, figures)
    careless = naive.NaiveBot(place, poisoned, policies)
    theirs = attacks.run(lambda: careless.say, planned, place, figures)
    return {
        "attacks": len(planned),
        "got_through": [[o.attack.kind, o.breaches] for o in ours if o.breaches],
        "got_through_naive": dict(Counter(o.attack.kind for o in theirs if o.breaches)),
    }


def run(language: str) -> dict[str, float]:
    """The customers and attacks of all seeds together; intents, search and time as means over the seeds."""
    set_threads()
    rows = [service_figures(language, seed) for seed in SEEDS]
    for row in rows:
        print("  ", json.dumps(row, ensure_ascii=False), flush=True)
    means = ("intents", "intents_by_rules", "refused", "first_article", "nearest_question", "milliseconds_95")
    return {name: float(np.mean([row[name] for row in rows])) for name in means} | {
        "served": float(np.mean([row["served"][0] for row in rows])),
        "attacks": sum(row["attacks"] for row in rows),
        "got_through": sum(len(row["got_through"]) for row in rows),
    }


if __name__ == "__main__":
    set_threads()
    wanted = [name for name in sys.argv[1:] if not name.isdigit()] or ["clinc", "service"]
    seeds = [int(name) for name in sys.argv[1:] if name.isdigit()] or list(SEEDS)
    if "clinc" in wanted:
        print(json.dumps(clinc_figures()), flush=True)
    if "service" in wanted:
        for seed_ in seeds:
            for language_ in ("en", "zh"):
                print(json.dumps(service_figures(language_, seed_), ensure_ascii=False), flush=True)
