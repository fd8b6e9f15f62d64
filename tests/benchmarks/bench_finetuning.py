"""What the pre-trained weights give to a small task: accuracy by number of labels, for four ways, on five seeds."""

from __future__ import annotations

import copy

import numpy as np
import torch

from labkit import metrics
from labkit.common import set_seed, set_threads
from labkit.text import town
from labkit.text.finetuning import (
    FineTuning,
    SequenceClassifier,
    encode_texts,
    finetune,
    pooled_features,
    predict,
    train_head,
)
from labkit.text.gpt import GPT
from labkit.text.shipped import load_town_gpt

SEEDS = range(5)
SIZES = (16, 64)
TASKS = {"topic": (town.TOPICS, "mean", "start"), "sentiment": (town.SENTIMENTS, "last", "end")}
TEST = 200
TOKENS = 48
STEPS, BATCH = 30, 8
# Each way has its own rate; from scratch the better of 1e-3 and 3e-3 for the task.
WAYS = {"full": ("full", 5e-4), "lora": ("lora", 5e-3), "scratch": ("full", None)}
SCRATCH_RATES = {"topic": 1e-3, "sentiment": 3e-3}


def run() -> dict[str, dict[int, dict[str, list[float]]]]:
    """Accuracies on test documents: task -> number of labels -> way (full, lora, head, scratch) -> one a seed.

    English documents. Seed s has its own labelled texts, order and new weights; the test texts are the same for all.
    """
    set_threads()
    base, tokenizer = load_town_gpt()
    found = {}
    for task, (names, _, keep) in TASKS.items():
        numbers = {name: i for i, name in enumerate(names)}

        def encoded(documents, task=task, keep=keep, numbers=numbers):
            tokens = encode_texts([d.text for d in documents], tokenizer, TOKENS, keep=keep)
            return tokens, torch.tensor([numbers[getattr(d, task)] for d in documents])

        test = encoded(list(town.documents("en", split="test", seed=900, count=TEST)))
        found[task] = {size: {way: [] for way in (*WAYS, "head")} for size in SIZES}
        for seed in SEEDS:
            pool = encoded(list(town.documents("en", seed=1000 + seed, count=max(SIZES))))
            for size in SIZES:
                train = (pool[0][:size], pool[1][:size])
                for way, accuracy in one_seed(base, train, test, task, tokenizer, seed).items():
                    found[task][size][way].append(accuracy)
    return found


def one_seed(base: GPT, train, test, task: str, tokenizer, seed: int) -> dict[str, float]:
    """The accuracy of each way on one set of labelled texts."""
    names, pooling, _ = TASKS[task]
    classes, accuracies = len(names), {}
    for way, (method, rate) in WAYS.items():
        set_seed(seed)
        model = GPT(base.config) if way == "scratch" else copy.deepcopy(base)
        classifier = SequenceClassifier(model, classes, tokenizer.pad_id, pooling)
        settings = FineTuning(method, STEPS, BATCH, rate or SCRATCH_RATES[task], precision="auto")
        finetune(classifier, *train, settings, seed)
        accuracies[way] = metrics.accuracy(predict(classifier, test[0]), test[1])
    reader = SequenceClassifier(base, classes, tokenizer.pad_id, pooling)
    head = train_head(pooled_features(reader, train[0]), train[1], classes, seed=seed)
    accuracies["head"] = metrics.accuracy(head(pooled_features(reader, test[0])), test[1])
    return accuracies


def smallest_gain(accuracies: dict[str, list[float]], way: str) -> float:
    """By how much ``way`` is above from scratch, on the seed where it is least."""
    return float(np.min(np.array(accuracies[way]) - np.array(accuracies["scratch"])))
