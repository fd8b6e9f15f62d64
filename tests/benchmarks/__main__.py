"""Measure what the project promises, write benchmarks.json, print the table: python -m tests.benchmarks [NAME ...]"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from labkit.common import LabkitError
from labkit.files import atomic_write_text
from labkit.report import text_table
from tests.benchmarks import (
    bench_course,
    bench_dialogue,
    bench_finetuning,
    bench_generation,
    bench_images,
    bench_models,
    bench_prompts,
    bench_service,
    bench_speech,
    bench_summaries,
    bench_text,
    bench_town,
    bench_training,
)
from tests.pins import ROOT
from tests.readme import README, rendered

BENCHMARKS = ROOT / "benchmarks.json"
MIB = 2**20


@dataclass(frozen=True)
class Figure:
    """One measured figure beside what was promised: at most, or at least."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool:
        """Whether the promise holds."""
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    def row(self) -> tuple[str, ...]:
        """The figure as a line of the table."""
        limit = f"<= {self.at_most:g}" if self.at_most is not None else f">= {self.at_least:g}"
        return (self.name, f"{self.value:.3g} {self.unit}".strip(), limit, "met" if self.met else "NOT MET")


def start_figures() -> list[Figure]:
    """Import, help, and the second use of a make target."""
    seconds = bench_course.start_seconds()
    return [
        Figure("import labkit", round(seconds["import"], 4), "s", at_most=0.1),
        Figure("labkit --help", round(seconds["help"], 3), "s", at_most=0.5),
        Figure("make, second use, until work starts", round(seconds["make"], 3), "s", at_most=2),
    ]


def training_figures() -> list[Figure]:
    """fit beside a bare loop, and kills survived."""
    found = bench_training.run()
    kills = found["resume_kills"]
    return [
        Figure("fit, overhead per step", round(found["fit_overhead_percent"], 2), "%", at_most=5),
        Figure(f"resume kills survived of {kills}", found["resume_kills_survived"], "", at_least=kills),
    ]


def generation_figures() -> list[Figure]:
    """The key-value cache beside transformers' generate on the same weights, and beside no cache."""
    found = bench_generation.run()
    of = "speed of generate, times transformers'"
    return [
        Figure(f"{of}, one prompt", found["transformers_1"], "x", at_least=1.7),
        Figure(f"{of}, 8 prompts", found["transformers_8"], "x", at_least=1.7),
        Figure("1,024 tokens, times labkit without a cache", found["without_cache"], "x", at_least=8),
    ]


def text_figures() -> list[Figure]:
    """Tiny Shakespeare beside nanoGPT's recipe for a CPU, and a training step beside a bare loop."""
    found = bench_text.run()
    shakespeare = "Tiny Shakespeare"
    over = "time over nanoGPT's whole run"
    return [
        Figure(f"{shakespeare}, parameters", round(found["parameters"] / 1e6, 3), "M", at_most=0.81),
        Figure(f"{shakespeare}, nanoGPT's recipe, loss", round(found["peer_loss"], 3), "nats", at_most=1.92),
        Figure(f"{shakespeare}, quick, loss", round(found["quick_loss"], 3), "nats", at_most=1.88),
        Figure(f"{shakespeare}, quick, {over}", round(found["quick_time"], 3), "x", at_most=0.333),
        Figure(f"{shakespeare}, loss", round(found["full_loss"], 3), "nats", at_most=1.62),
        Figure(f"{shakespeare}, {over}", round(found["full_time"], 3), "x", at_most=1),
        Figure("text, fit, overhead per step", round(found["fit_overhead_percent"], 2), "%", at_most=5),
    ]


def finetuning_figures() -> list[Figure]:
    """The shipped GPT on small labelled tasks: beside from scratch on each of five seeds, and LoRA beside full."""
    found = bench_finetuning.run()
    figures = []
    for task, of in found.items():
        for size, ways in of.items():
            means = {way: sum(values) / len(values) for way, values in ways.items()}
            listed = ", ".join(f"{way} {mean:.3f}" for way, mean in means.items())
            print(f"  {task}, {size} labels, mean accuracy of five seeds: {listed}", flush=True)
        most = max(of)
        means = {way: sum(values) / len(values) for way, values in of[most].items()}
        for way, name in (("full", "full fine-tuning"), ("lora", "LoRA")):
            gain = bench_finetuning.smallest_gain(of[most], way)
            name = f"{task}, {most} labels, {name} above from scratch, least of 5 seeds"
            figures.append(Figure(name, round(100 * gain, 1), "points", at_least=10))
        gap = round(100 * (means["full"] - means["lora"]), 1)
        figures.append(
            Figure(f"{task}, {most} labels, LoRA behind full, mean of 5 seeds", gap, "points", at_most=5)
        )
    return figures


def lesson_figures() -> list[Figure]:
    """Each lesson alone, and the course as make run executes it."""
    figures = figures_of_lessons()
    lessons, seconds = bench_course.run_course(workers=2)
    return [*figures, Figure("make run, all lessons", round(seconds, 1), "s", at_most=60 * len(lessons))]


def figures_of_lessons(numbers: Sequence[str] = ()) -> list[Figure]:
    """Seconds and memory of the lessons with these numbers, one after the other; of all without any."""
    figures = []
    for name, seconds, peak in bench_course.run_course(1, numbers)[0]:
        figures.append(Figure(f"{name}, class mode", seconds, "s", at_most=60))
        figures.append(Figure(f"{name}, peak memory", round(peak / MIB), "MiB", at_most=1000))
    return figures


def town_figures() -> list[Figure]:
    """5 MB a language in time, right by the town's own judge, and how varied beside Tiny Shakespeare."""
    found = bench_town.run()
    play = bench_town.variety(None)
    figures = []
    for language, of in found.items():
        name = f"town:{language}"
        figures += [
            Figure(f"{name}, 5 MB of documents", round(of["seconds"], 1), "s", at_most=20),
            Figure(f"{name}, sentences that parse", round(of["grammatical"], 2), "%", at_least=100),
            Figure(f"{name}, sentences true to their facts", round(of["consistent"], 2), "%", at_least=100),
            Figure(f"{name}, reading a sentence", round(of["milliseconds"], 2), "ms", at_most=2),
            Figure(f"{name}, sentences repeated in 1 MB", round(of["repeated"], 1), "%", at_most=16),
        ]
    ours = found["en"]
    return [
        *figures,
        Figure(
            "town:en, distinct 4-grams over Shakespeare's",
            round(ours["distinct_4"] / play["distinct_4"], 2),
            "x",
            at_least=0.5,
        ),
        Figure(
            "town:en, zlib ratio over Shakespeare's", round(ours["zlib"] / play["zlib"], 2), "x", at_most=1.7
        ),
        Figure(
            "town:en, lzma ratio over Shakespeare's", round(ours["lzma"] / play["lzma"], 2), "x", at_most=2.2
        ),
    ]


def model_figures() -> list[Figure]:
    """GPT, LSTM and n-gram on the town: the same texts and number of tokens, five seeds."""
    found = bench_models.run()
    seeds = len(bench_models.SEEDS)
    bits = "town, bits per character"
    return [
        Figure(f"seeds of {seeds} on which GPT beats LSTM", found["gpt_beats_lstm"], "", at_least=seeds),
        Figure(f"seeds of {seeds} on which LSTM beats n-gram", found["lstm_beats_ngram"], "", at_least=seeds),
        Figure(f"{bits}, GPT", round(found["gpt"], 3), "", at_most=round(found["lstm"], 3)),
        Figure(f"{bits}, LSTM", round(found["lstm"], 3), "", at_most=round(found["ngram"], 3)),
    ]


def writing_figures() -> list[Figure]:
    """How right the sentences are that the shipped GPT writes after held-out notes."""
    figures = []
    for temperature in bench_models.TEMPERATURES:
        for language in bench_models.LANGUAGES:
            found = bench_models.judge(language, temperature)
            name = f"town GPT, {language}, temperature {temperature}, sentences"
            figures += [
                Figure(f"{name} grammatical", round(found["grammatical"], 1), "%", at_least=95),
                Figure(f"{name} true to the notes", round(found["consistent"], 1), "%", at_least=90),
            ]
    return figures


def image_figures(parts: Sequence[str] = ("digits", "scenes")) -> list[Figure]:
    """Digits from scratch in a minute of one core, three seeds; scenes of the shipped flow on held-out combinations."""
    kinds = {"digits": digit_figures, "scenes": scene_figures}
    if unknown := set(parts) - set(kinds):
        raise LabkitError(f"images has no part {', '.join(unknown)}. There are: {', '.join(kinds)}.")
    return [figure for part in parts for figure in kinds[part]()]


def digit_figures() -> list[Figure]:
    """Digits from scratch by flow matching, and by a GAN in the same seconds, which is shown and not promised."""
    found = bench_images.digit_figures()
    seeds = f"worst of {len(bench_images.SEEDS)} seeds"
    name = f"digits, flow matching from scratch in {bench_images.BUDGET:g} s, {seeds}"
    gan = {part: round(found[f"digits-gan_{part}"], 1) for part in ("right", "gap", "gap_mean")}
    print(f"  the GAN of digits in the same seconds, {seeds}: {gan}", flush=True)
    return [
        Figure(f"{name}, right", round(found["digits-flow_right"], 1), "%", at_least=97),
        Figure(
            f"{name}, accuracy score below real",
            round(found["digits-flow_gap"], 1),
            "points",
            at_most=5,
        ),
        Figure("digits, GAN, pictures a second", round(found["digits-gan_speed"]), "", at_least=1000),
    ]


def scene_figures() -> list[Figure]:
    """The shipped flow: what is right, how fast, and that few steps are as good as many."""
    found = bench_images.scene_figures()
    name = "scenes, shipped flow"
    right = f"{name}, all right, held out"
    # The same quality as 20 steps: within two standard errors of a difference of two shares near 0.9.
    fine = round(found["held_out_2_fine"] - 2.7, 1)
    two = round(found["held_out_2"], 1)
    return [
        Figure(f"{right}, one thing", round(found["held_out_1"], 1), "%", at_least=93),
        Figure(f"{right}, two things", two, "%", at_least=80),
        Figure(f"{name}, pictures a second", round(found["speed"]), "", at_least=100),
        Figure(f"{name}, two things, beside {bench_images.FINE_STEPS} steps", two, "%", at_least=fine),
    ]


def prompt_figures() -> list[Figure]:
    """The shipped model that follows instructions: success by kind of task, and what each part of a prompt is worth."""
    found = bench_prompts.run()
    other = {name: round(value, 1) for name, value in found.items() if not name.startswith("success")}
    print(f"  gains in points, and the low ends of their intervals: {other}", flush=True)
    of = "held-out cases solved with all parts of the prompt"
    figures = [
        Figure(f"{of}, {name.removeprefix('success_')}", round(value, 1), "%", at_least=85)
        for name, value in found.items()
        if name.startswith("success")
    ]
    names = {part: f"the right {part}" for part in bench_prompts.PARTS} | {
        "clear": "a clear prompt, not its vague twin"
    }
    return figures + [
        # "Clear of zero" is more than 0.
        Figure(
            f"gain by {name}, low end of the 95 % interval",
            round(found[f"low_{part}"], 1),
            "points",
            at_least=0.1,
        )
        for part, name in names.items()
    ]


def service_figures() -> list[Figure]:
    """CLINC150 by a linear model; the customer service with simulated customers and attacks of three seeds."""
    found = bench_service.clinc_figures()
    print(f"  CLINC150: { ({name: round(value, 3) for name, value in found.items()}) }", flush=True)
    figures = [
        Figure("CLINC150, in-scope accuracy", round(100 * found["in_scope_accuracy"], 1), "%", at_least=92),
        Figure(
            "CLINC150, out-of-scope recall", round(100 * found["out_of_scope_recall"], 1), "%", at_least=60
        ),
        Figure("CLINC150, training", round(found["processor_seconds"], 1), "s", at_most=300),
    ]
    for language in ("en", "zh"):
        of, name = bench_service.run(language), f"service:{language}"
        figures += [
            Figure(f"{name}, simulated customers served", round(100 * of["served"], 1), "%", at_least=95),
            Figure(f"{name}, of {of['attacks']} attacks got through", of["got_through"], "", at_most=0),
            Figure(f"{name}, an answer, 95th percentile", round(of["milliseconds_95"]), "ms", at_most=200),
            Figure(
                f"{name}, intents right",
                round(100 * of["intents"], 1),
                "%",
                at_least=round(100 * of["intents_by_rules"], 1),
            ),
            Figure(
                f"{name}, right article first",
                round(100 * of["first_article"], 1),
                "%",
                at_least=round(100 * of["nearest_question"], 1),
            ),
        ]
    return figures


def dialogue_figures() -> list[Figure]:
    """Chatbots of five seeds beside retrieval and the most common reply; attention and memory taken away from one."""
    found = bench_dialogue.run()
    figures = []
    for language in bench_dialogue.LANGUAGES:
        name, seeds = f"dialogue:{language}, Seq2Seq with attention", len(bench_dialogue.SEEDS)
        figures += [
            Figure(
                f"{name}, seeds of {seeds} that beat both baselines",
                found[f"wins_{language}"],
                "",
                at_least=seeds,
            ),
            Figure(
                f"{name}, right facts, worst of {seeds} seeds",
                round(found[f"right_{language}"], 1),
                "%",
                at_least=90,
            ),
        ]
    figures += [
        # What is taken away was worth something.
        Figure(f"dialogue, {gain}, right facts", round(value, 1), "points", at_least=0.1)
        for gain, value in found.items()
        if gain.startswith("gain")
    ]
    return figures


def summary_figures() -> list[Figure]:
    """The shipped summarizers on held-out generated news: each better than the one before, and that is no luck."""
    found = bench_summaries.run()
    gold = {name: round(value, 4) for name, value in found.items() if name.startswith("gold")}
    print(f"  reports by hand, where nothing is promised: {gold}", flush=True)
    figures = []
    for language in bench_summaries.LANGUAGES:
        name = f"summaries:{language}, held-out news"
        for system, rival in (("extractive", "Lead-3"), ("abstractive", "extractive")):
            gain, p = (found[f"{kind}_{system}_{language}"] for kind in ("gain", "p"))
            # Which is better, and whether that is luck.
            figures += [
                Figure(f"{name}, {system} above {rival}, ROUGE-L", round(gain, 1), "points", at_least=0.1),
                Figure(f"{name}, {system} above {rival}, p", round(p, 4), "", at_most=0.0099),
            ]
        figures.append(
            Figure(
                f"{name}, names and numbers supported",
                round(found[f"supported_{language}"], 1),
                "%",
                at_least=95,
            )
        )
    return figures


def speech_figures() -> list[Figure]:
    """Voices from scratch in a minute of one core, three seeds; vocoders beside each other; digits of real people."""
    found = {name: round(value, 3) for name, value in bench_speech.run().items()}
    figures = [
        figure
        for language in bench_speech.LANGUAGES
        for figure in (*_voice_figures(found, language), *_vocoder_figures(found, language))
    ]
    digits = f"digits of real people, worst of {len(bench_speech.SEEDS)} seeds"
    return [
        *figures,
        Figure(f"{digits}, real ones the judge hears", found["digits_real"], "%", at_least=95),
        Figure(f"{digits}, synthesized ones it hears", found["digits_synthesized"], "%", at_least=90),
        Figure("speech, peak memory", round(found["peak_megabytes"]), "MiB", at_most=1024),
        Figure("speech, imports of numba and librosa", found["heavy_imports"], "", at_most=0),
    ]


def _voice_figures(found: dict[str, float], language: str) -> list[Figure]:
    """A voice from scratch, its errors above those that the judge makes on real sound."""
    name = f"speech:{language}, from scratch in {bench_speech.BUDGET:g} s, worst of {len(bench_speech.SEEDS)} seeds"
    figures = [Figure(f"{name}, training", round(found[f"{language}_training_seconds"], 1), "s", at_most=60)]
    for split, distortion, errors in (("held_out", 2.4, 1), ("unseen", 3.0, 2)):
        of = f"{language}_{split}"
        part = {"held_out": "held-out sentences", "unseen": "unseen words"}[split]
        real = found[f"{of}_errors_real"]
        figures += [
            Figure(f"{name}, {part}, distortion", found[f"{of}_distortion"], "dB", at_most=distortion),
            Figure(
                f"{name}, {part}, phoneme errors above {real:.2g} % on real sound",
                found[f"{of}_errors_above"],
                "points",
                at_most=2 if language == "zh" else errors,  # tones are judged too
            ),
        ]
    speed = max(found[f"{language}_{split}_real_time_factor"] for split in ("held_out", "unseen"))
    return [*figures, Figure(f"speech:{language}, text to sound, real-time factor", speed, "", at_most=0.05)]


def _vocoder_figures(found: dict[str, float], language: str) -> list[Figure]:
    """The neural vocoder on true mels; what Griffin-Lim makes of them is what is promised."""
    neural, griffin_lim = ({
        part: found[f"{language}_{vocoder}_{part}"] for part in ("stoi", "distortion", "errors")
    } for vocoder in ("neural", "griffin_lim"))  # fmt: skip
    name = f"speech:{language}, neural vocoder beside Griffin-Lim"
    return [
        Figure(f"{name}, STOI", neural["stoi"], "", at_least=griffin_lim["stoi"]),
        Figure(f"{name}, distortion", neural["distortion"], "dB", at_most=griffin_lim["distortion"]),
        Figure(f"{name}, phoneme errors", neural["errors"], "%", at_most=griffin_lim["errors"]),
    ]


GROUPS = {
    "start": start_figures,
    "training": training_figures,
    "text": text_figures,
    "generation": generation_figures,
    "models": model_figures,
    "writing": writing_figures,
    "finetuning": finetuning_figures,
    "town": town_figures,
    "images": image_figures,
    "prompts": prompt_figures,
    "dialogue": dialogue_figures,
    "summaries": summary_figures,
    "service": service_figures,
    "speech": speech_figures,
    "lessons": lesson_figures,
}
PARTS = {
    "lessons": figures_of_lessons,
    "images": image_figures,
}  # groups of which a part can be measured alone


def main(names: list[str]) -> int:
    """Run the named groups (all without a name); 1 if a promise is not met. Other groups keep their figures.

    ``lessons:10,11`` measures these lessons alone and keeps the figures of the others; so does ``images:scenes``.
    """
    chosen = {group: part.split(",") if part else [] for group, _, part in (n.partition(":") for n in names)}
    unknown = set(chosen) - set(GROUPS)
    if unknown or any(part and group not in PARTS for group, part in chosen.items()):
        print(
            f"No benchmark {', '.join(names)}. There are: {', '.join(GROUPS)}; and parts, as lessons:10,11 or "
            "images:scenes.",
            file=sys.stderr,
        )
        return 2
    figures: list[Figure] = []
    missing: list[str] = []
    for name in chosen or GROUPS:
        print(f"measuring: {name}", flush=True)
        try:
            measured = PARTS[name](chosen[name]) if chosen.get(name) else GROUPS[name]()
        except LabkitError as error:  # the others are still measured
            print(f"  not measured: {error}", file=sys.stderr)
            missing.append(name)
            continue
        figures += measured
        keep(name, measured, whole=not chosen.get(name))
    print(text_table(("figure", "measured", "promised", ""), [figure.row() for figure in figures]))
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"written: {BENCHMARKS.name}, and the tables of {README.name}")
    return int(bool(missing) or not all(figure.met for figure in figures))


def keep(name: str, measured: Sequence[Figure], whole: bool) -> None:
    """Write a group's figures; those of a part of it stand beside the group's others, with a date of their own."""
    # Read here, not when the run starts: another run may have written its groups since.
    kept = json.loads(BENCHMARKS.read_text(encoding="utf-8"))["groups"] if BENCHMARKS.exists() else {}
    today = time.strftime("%Y-%m-%d")
    rows = [{**asdict(figure), "met": figure.met} for figure in measured]
    if not whole and name in kept:
        new = {row["name"]: {**row, "measured": today} for row in rows}
        old = {row["name"]: row for row in kept[name]["figures"]}
        # By name, so that the lessons stand in their order and the course comes last.
        kept[name]["figures"] = [row for _, row in sorted((old | new).items())]
    else:
        kept[name] = {
            "measured": today,
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "figures": rows,
        }
    content = {"groups": {group: kept[group] for group in GROUPS if group in kept}}
    atomic_write_text(BENCHMARKS, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
