"""Chatbots over five seeds: Seq2Seq with attention beside retrieval and the most common reply; attention removed;
memory of no, one and several exchanges; the town GPT fine-tuned on the same dialogues.

Run by hand, and again after a stop, when it goes on where it was (each training is a line of the file):
``python -m tests.benchmarks.bench_dialogue FILE [en | zh ...] [main | attention | memory | gpt ...] [seed ...] [steps=N]``
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

from labkit import metrics
from labkit.common import LANGUAGES, set_seed, set_threads
from labkit.dialogue import shipped
from labkit.dialogue.baselines import MostCommonReply, Retrieval
from labkit.dialogue.chat import held_out_loss, train_chatbot
from labkit.dialogue.corpus import mixed_corpus
from labkit.dialogue.gpt_chat import finetune_gpt
from labkit.dialogue.measures import DialogueScores, evaluate
from labkit.dialogue.pairs import BLUR
from labkit.dialogue.seq2seq import Seq2SeqConfig
from labkit.text.shipped import load_town_gpt, load_town_tokenizer
from tests.benchmarks.resumed import ledger, measure_once

SEEDS = tuple(range(5))
ABLATED = SEEDS[:1]  # with attention or memory taken away: each such training is as long as a whole one
TRIED, TRIED_SEED = 300, 17  # held-out dialogues, none of those of the weights' card
SEVERAL = shipped.MEMORY  # exchanges
GPT_STEPS = 300
MEASURES = ("bleu", "chrf", "right")
SYSTEMS = ("seq2seq", "retrieval", "most common", "gpt")


@dataclass(frozen=True)
class Training:
    """One system on the dialogues of one seed. ``steps`` is 0 where nothing is trained by steps."""

    system: str
    language: str
    seed: int
    memory: int = SEVERAL
    attention: str = ""
    steps: int = 0


def plan(languages: Iterable[str], parts: Iterable[str], seeds: Iterable[int], steps: int) -> list[Training]:
    """The trainings of the parts, a seed after the other, so that a stopped run has whole seeds."""
    parts, found = set(parts), []
    for seed in seeds:
        for language in languages:
            ours = Training("seq2seq", language, seed, SEVERAL, "additive", steps)
            if "main" in parts:
                found += [Training(name, language, seed) for name in ("most common", "retrieval")] + [ours]
            if "attention" in parts:
                found += [ours, Training("seq2seq", language, seed, SEVERAL, "none", steps)]
            if "memory" in parts:
                found += [
                    Training("seq2seq", language, seed, back, "additive", steps) for back in range(SEVERAL)
                ]
                found += [ours]
            if "gpt" in parts:
                found += [Training("gpt", language, seed, steps=min(steps, GPT_STEPS))]
    return list(dict.fromkeys(found))


def measured(training: Training, dialogues: int = shipped.DIALOGUES, tried: int = TRIED) -> dict[str, float]:
    """Train one system and let it answer the held-out dialogues, greedily."""
    set_seed(training.seed)
    train = corpus(training.language, training.seed, dialogues)
    test = mixed_corpus(training.language, split="test", count=tried, seed=TRIED_SEED)
    start, extra = time.process_time(), {}
    if training.system == "most common":
        system = MostCommonReply(train)
    elif training.system == "retrieval":
        system = Retrieval(train, training.memory)
    elif training.system == "gpt":
        model, tokenizer = load_town_gpt()
        options = {"memory": training.memory, "steps": training.steps, "seed": training.seed}
        system, _ = finetune_gpt(model, tokenizer, train, **options, progress=False)
    else:
        system, _ = train_chatbot(
            train, load_town_tokenizer(), memory=training.memory, steps=training.steps, seed=training.seed,
            attention=training.attention, progress=False, **shipped.TRAINING,
        )  # fmt: skip
        extra = {"loss": held_out_loss(system, test)}
    seconds = time.process_time() - start
    return numbers(evaluate(system, test, training.memory)) | extra | {"seconds": seconds}


@cache
def corpus(language: str, seed: int, dialogues: int):
    return mixed_corpus(language, count=dialogues, seed=seed)


@cache
def recipe(language: str) -> str:
    """Changes when the dialogues, the network or its training do: what was measured before counts no more."""
    sample = mixed_corpus(language, count=200)
    made_of = repr((sample, shipped.DIALOGUES, shipped.TRAINING, Seq2SeqConfig(1), BLUR, TRIED, TRIED_SEED))
    return f"{zlib.crc32(made_of.encode()):08x}"


def numbers(scores: DialogueScores) -> dict[str, float]:
    return {
        "bleu": scores.bleu,
        "chrf": scores.chrf,
        "right": 100 * float(scores.right.mean()),
        "honest": 100 * float(scores.honest.mean()) if len(scores.honest) else 100.0,
        "distinct_1": scores.distinct_1,
        "distinct_2": scores.distinct_2,
    }


def collect(file: Path, trainings: Sequence[Training], **options: int) -> list[dict]:
    """The rows of these trainings; those that are not in the file yet are measured and added to it."""
    rows = []
    for number, training in enumerate(trainings, start=1):
        key = asdict(training) | options | {"recipe": recipe(training.language)}
        found = measure_once(file, key, partial(measured, training, **options))
        shown = {name: round(value, 3) for name, value in found.items()}
        print(f"   {number} of {len(trainings)}: {training} {shown}", flush=True)
        rows.append({"training": asdict(training)} | found)
    return rows


def rows_of(rows: Sequence[dict], **wanted) -> list[dict]:
    """Rows whose training has these fields."""
    return [row for row in rows if all(row["training"][name] == value for name, value in wanted.items())]


def wins(rows: Sequence[dict], language: str) -> int:
    """On how many seeds Seq2Seq with attention and all its memory beats both baselines in every measure."""
    count = 0
    for row in rows_of(rows, language=language, system="seq2seq", attention="additive", memory=SEVERAL):
        same = {"language": language, "seed": row["training"]["seed"]}
        others = rows_of(rows, system="retrieval", **same) + rows_of(rows, system="most common", **same)
        count += len(others) == 2 and all(row[name] > other[name] for other in others for name in MEASURES)
    return count


def summary(rows: Sequence[dict]) -> list[str]:
    """A line for each kind of training: means with their intervals over the seeds."""
    kinds = dict.fromkeys(tuple((k, v) for k, v in row["training"].items() if k != "seed") for row in rows)
    lines = []
    for kind in kinds:
        group = rows_of(rows, **dict(kind))
        shown = []
        for name in (*MEASURES, "honest", "distinct_2"):
            values = [row[name] for row in group]
            mean, low, high = metrics.mean_interval(values) if len(values) > 1 else (values[0],) * 3
            shown.append(f"{name} {mean:.2f} ({low:.2f} to {high:.2f})")
        lines.append(f"{dict(kind)} {len(group)} seeds: " + ", ".join(shown))
    return lines


def run(
    file: Path | None = None, seeds: Sequence[int] = SEEDS, steps: int = shipped.STEPS
) -> dict[str, float]:
    """Seeds won and the least share of right facts, by language; what attention and memory are worth, in points."""
    set_threads()
    trainings = plan(LANGUAGES, ("main",), seeds, steps)
    trainings += plan(LANGUAGES, ("attention", "memory"), [one for one in ABLATED if one in seeds], steps)
    rows = collect(file or ledger("dialogue"), list(dict.fromkeys(trainings)))
    print("\n".join(summary(rows)), flush=True)
    found: dict[str, float] = {}
    for language in LANGUAGES:
        ours = rows_of(rows, language=language, system="seq2seq", attention="additive", memory=SEVERAL)
        right = {row["training"]["seed"]: row["right"] for row in ours}
        found |= {f"wins_{language}": wins(rows, language), f"right_{language}": min(right.values())}
        rivals = {"no attention": {"attention": "none"}} | {
            f"memory {back}": {"attention": "additive", "memory": back} for back in range(SEVERAL)
        }
        for name, fields in rivals.items():
            others = rows_of(rows, language=language, system="seq2seq", **fields)
            found[f"gain over {name}, {language}"] = min(
                right[row["training"]["seed"]] - row["right"] for row in others
            )
    return found


if __name__ == "__main__":
    set_threads()
    place, *words = sys.argv[1:]
    chosen = [int(word) for word in words if word.isdigit()] or list(SEEDS)
    given = {k: int(v) for k, _, v in (word.partition("=") for word in words) if v}
    steps_ = given.pop("steps", shipped.STEPS)
    spoken = [word for word in words if word in LANGUAGES] or list(LANGUAGES)
    wanted = [w for w in words if w in ("main", "attention", "memory", "gpt")] or [
        "main",
        "attention",
        "memory",
        "gpt",
    ]
    found_ = collect(Path(place), plan(spoken, wanted, chosen, steps_), **given)
    print("\n".join(summary(found_)))
    print({language: wins(found_, language) for language in spoken})
