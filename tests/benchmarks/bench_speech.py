"""Speech from scratch in a minute, seed by seed, beside real sound; vocoders beside each other; digits of real people."""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import get_context

import numpy as np
from torch import Tensor
from torch.optim import Optimizer

from labkit import data
from labkit.common import set_threads
from labkit.speech import corpus, digits, measures, recipes, shipped
from labkit.speech.acoustic import AcousticModel
from labkit.speech.corpus import Utterance
from labkit.speech.mel import log_mel
from labkit.speech.recognizer import Recognizer
from labkit.speech.synthesis import Voice
from labkit.speech.vocoder import NeuralVocoder, griffin_lim_vocoder
from labkit.training import fit

SEEDS = range(3)
LANGUAGES = ("en", "zh")
# Seconds of one core for a training from scratch, by the clock of its process: other work does not count.
BUDGET = 60.0
SHARE = 0.99  # of the budget; the last step may take a little longer
MOST_STEPS = 100_000
SENTENCES = 600  # of a training
TRIED = 60  # sentences of each split
DIGIT_RECIPE = recipes.Recipe(steps=1_000)

PEAK = "peak_megabytes"
Vocoder = Callable[[Tensor], np.ndarray]


def run(seeds: Sequence[int] = SEEDS) -> dict[str, float]:
    """The worst seed of each figure, with what belongs to no seed. Two processes work side by side."""
    figures: dict[str, float] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        spoken = [pool.submit(measured, spoken_digits, seed) for seed in seeds]
        voices = [[pool.submit(measured, from_scratch, of, seed) for seed in seeds] for of in LANGUAGES]
        copies = [pool.submit(measured, vocoders, language) for language in LANGUAGES]
        for language, jobs in zip(LANGUAGES, voices, strict=True):
            figures |= worst(max, [job.result() for job in jobs], f"{language}_")
        figures |= worst(min, [job.result() for job in spoken])
        for language, job in zip(LANGUAGES, copies, strict=True):
            figures |= worst(max, [job.result()], f"{language}_")
        peaks = [job.result()[PEAK] for job in (*itertools.chain(*voices), *copies, *spoken)]
    return figures | {PEAK: max(peaks)} | start()


def measured(function: Callable[..., dict[str, float]], *arguments) -> dict[str, float]:
    """What ``function`` finds, in a process of its own kind, and the most memory that this process ever had."""
    set_threads()
    row = function(*arguments)
    return row | {PEAK: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024}


def worst(choose: Callable, rows: Sequence[dict[str, float]], prefix: str = "") -> dict[str, float]:
    """The largest or smallest value of each figure over the seeds."""
    return {prefix + name: choose(row[name] for row in rows) for name in rows[0]}


def from_scratch(language: str, seed: int, form: str = "convolutional") -> dict[str, float]:
    """A voice trained in a minute: distortions in dB, errors of the judge in points above those on real sound."""
    model, seconds = train(language, seed, form)
    vocoder = shipped.load_vocoder()
    row = {"training_seconds": seconds}
    for split in ("held_out", "unseen"):
        row |= {f"{split}_{name}": value for name, value in judged(model, language, split, vocoder).items()}
    show({"language": language, "form": form, "seed": seed} | row)
    return row


def judged(model: AcousticModel, language: str, split: str, vocoder: Vocoder) -> dict[str, float]:
    """What the voice makes of the sentences of a split, with its own durations and with the true ones."""
    tried, voice = corpus.spoken(language, split, TRIED), Voice(model, language, vocoder)
    judge = shipped.load_judge(language)
    start = time.process_time()
    said = [voice.speak(one.text) for one in tried]
    seconds = time.process_time() - start
    timed = [voice.speak_phones(one.phones, frames=one.durations) for one in tried]
    real = [one.mel() for one in tried]
    predicted = np.concatenate([model.durations(one.phones).numpy() for one in tried])
    true = np.concatenate([one.durations for one in tried])
    pitch = [
        measures.pitch_error(measures.pitch_track(ours.samples), measures.pitch_track(one.samples))
        for ours, one in zip(timed, tried, strict=True)
    ]
    errors = shipped.error_rate(judge, tried)
    return {
        "distortion": distortion([one.mel for one in said], real),
        "distortion_true_durations": distortion([one.mel for one in timed], real, warp=False),
        "duration_ms": measures.duration_error(predicted, true),
        "pitch_cents": float(np.nanmean([cents for cents, _ in pitch])),
        "errors_real": 100 * errors,
        "errors_above": 100 * (heard(judge, tried, [one.samples for one in said]) - errors),
        "errors_above_true_durations": 100 * (heard(judge, tried, [one.samples for one in timed]) - errors),
        "real_time_factor": seconds / sum(one.seconds for one in said),
    }


def vocoders(language: str) -> dict[str, float]:
    """Griffin-Lim and the neural vocoder on the true mel of held-out sentences."""
    tried, judge = corpus.spoken(language, "held_out", TRIED), shipped.load_judge(language)
    figures = {"errors_real": 100 * shipped.error_rate(judge, tried)}
    neural: NeuralVocoder = shipped.load_vocoder()
    for name, vocoder in (("griffin_lim", griffin_lim_vocoder), ("neural", neural)):
        start = time.process_time()
        made = [vocoder(one.mel()) for one in tried]
        seconds = time.process_time() - start
        figures |= {
            f"{name}_stoi": float(
                np.mean(
                    [measures.intelligibility(a, one.samples) for a, one in zip(made, tried, strict=True)]
                )
            ),
            f"{name}_distortion": distortion(
                [log_mel(samples) for samples in made], [one.mel() for one in tried], warp=False
            ),
            f"{name}_errors": 100 * heard(judge, tried, made),
            f"{name}_real_time_factor": seconds / sum(one.seconds for one in tried),
        }
    show({"language": language} | figures)
    return figures


def heard(judge: Recognizer, tried: Sequence[Utterance], made: Sequence[np.ndarray]) -> float:
    return shipped.error_rate(judge, tried, [log_mel(samples) for samples in made])


def distortion(ours: Sequence[Tensor], real: Sequence[Tensor], warp: bool = True) -> float:
    pairs = zip(ours, real, strict=True)
    return float(np.mean([measures.mel_cepstral_distortion(a, b, warp) for a, b in pairs]))


def train(language: str, seed: int, form: str) -> tuple[AcousticModel, float]:
    """A voice from scratch that has learned until the budget was spent, and the seconds that it took."""
    task, batches = recipes.make_acoustic(training_set(language), recipes.MINUTE, form, seed)
    task.schedule = clock = Clock(task.optimizer, recipes.MINUTE)
    with suppress(BudgetSpent):
        fit(task, batches, MOST_STEPS, callbacks=[clock.look], progress=False)
    seconds = clock.used()
    print(f"   {clock.steps} steps in {seconds:.1f} s of one core", flush=True)
    return task.averaged.module.eval(), seconds


class BudgetSpent(Exception):
    """The training has had its seconds."""


class Clock:
    """The recipe's learning rate over the share of the budget that is spent, in the place of the share of the steps."""

    def __init__(self, optimizer: Optimizer, recipe: recipes.Recipe) -> None:
        self.optimizer, self.recipe, self.steps = optimizer, recipe, 0
        self.start = time.process_time()
        self.step()

    def used(self) -> float:
        """Seconds of the process since the training began."""
        return time.process_time() - self.start

    def step(self) -> None:
        left = (1 - self.used() / (SHARE * BUDGET)) / self.recipe.falling
        factor = min((self.steps + 1) / recipes.WARM_UP, 1.0, max(left, 0.0) + recipes.LAST)
        for group in self.optimizer.param_groups:
            group["lr"] = factor * self.recipe.learning_rate
        self.steps += 1

    def look(self, *_) -> None:
        """Stop when the budget is spent."""
        if self.used() > SHARE * BUDGET:
            raise BudgetSpent


@cache
def training_set(language: str) -> list[Utterance]:
    return corpus.spoken(language, "train", SENTENCES)


def spoken_digits(seed: int) -> dict[str, float]:
    """Percent of real test recordings, and of synthesized digits, that a judge of real recordings understands."""
    recordings = data.load("fsdd")
    judge, _ = digits.train_judge(recordings, seed=seed, progress=False)
    real = [log_mel(digits.prepare(one)) for one in recordings.test]
    model, _ = recipes.train_acoustic(
        digits.utterances(recordings.train), DIGIT_RECIPE, seed=seed, progress=False
    )
    vocoder = shipped.load_vocoder()
    asked = [(digit, speaker) for digit in range(10) for speaker in model.config.inventory.marks]
    made = [log_mel(vocoder(digits.speak(model, *pair))) for pair in asked]
    row = {
        "digits_real": 100 * digits.recognized(judge, real, [one.digit for one in recordings.test]),
        "digits_synthesized": 100 * digits.recognized(judge, made, [digit for digit, _ in asked]),
    }
    show({"seed": seed} | row)
    return row


def start() -> dict[str, float]:
    """How many of the heavy libraries are loaded by importing all of speech."""
    code = (
        "import pkgutil, importlib, sys, labkit.speech as s; "
        "[importlib.import_module(f'labkit.speech.{m.name}') for m in pkgutil.iter_modules(s.__path__)]; "
        "print(sum(name in sys.modules for name in ('numba', 'librosa')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {"heavy_imports": float(done.stdout)}


def show(row: dict) -> None:
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}
    print("  ", rounded, flush=True)


if __name__ == "__main__":
    chosen = [int(seed) for seed in sys.argv[1:]] or SEEDS
    show(run(chosen))
