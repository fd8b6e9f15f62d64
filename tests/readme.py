"""The README's tables, written from the lessons, their outputs and benchmarks.json: python -m tests.readme"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import nbformat

from labkit.lessons import Lesson, find_lessons
from labkit.results import Table
from tests.pins import ROOT

README = ROOT / "README.md"
ABOUT = {
    "00": "a first network on real digits, its curve, its repeatability",
    "01": "parameters of landmark models, each with its source; classical against neural as the data grows",
    "02": "slopes and saturation; gradients by layer in 20 layers; dead units; ReLU against GELU",
    "03": "squared error against cross-entropy; stability; calibration; perplexity",
    "04": "gradient check; by hand against PyTorch; initialization and learning rate",
    "05": "neighbours and analogies of word vectors; gradients through time; recall of RNN, LSTM, attention",
    "06": "three objectives; scaling on a grid; full, LoRA, head only and from scratch by labels; forgetting",
    "08": "bits per character of n-gram, LSTM, GPT; repetition and copying; decoding; faithfulness",
    "09": "right facts, BLEU and chrF of Seq2Seq beside retrieval; attention and memory removed; doubt; the town GPT",
    "10": "scenes by attribute, seen and held out; GAN against flow matching on one budget; wording; mode collapse",
    "11": "distortion and phoneme errors by part, with the truth put in its place; vocoders; controls; real digits",
    "12": "ROUGE and supported claims of lead, TextRank, network, pointer-generator, GPT; generated news and news by hand",
    "13": "intents and out of scope against rules; search against the nearest question; simulated customers; attacks",
}


def lesson_table(lessons: Sequence[Lesson]) -> str:
    """Both editions, minutes, and what is measured."""
    rows = ["| no. | lesson | minutes | what is measured |", "|---|---|---|---|"]
    for lesson in lessons:
        english = f"[{lesson.title_en}](notebooks/{lesson.name}.ipynb)"
        chinese = f"[{lesson.title_zh}](notebooks/zh/{lesson.name}.ipynb)"
        rows.append(
            f"| {lesson.number} | {english} · {chinese} | {lesson.minutes} | {ABOUT[lesson.number]} |"
        )
    return "\n".join(rows)


def measure_table(lessons: Sequence[Lesson]) -> str:
    """Every table that a lesson prints with labkit.results, as it stands in the built notebook."""
    rows = ["| lesson | " + " | ".join(Table.columns) + " |", "|---" * (len(Table.columns) + 1) + "|"]
    for lesson in lessons:
        for cells in printed_measures(lesson):
            rows.append(f"| {lesson.number} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def printed_measures(lesson: Lesson) -> list[list[str]]:
    """The rows of the tables in the lesson's outputs."""
    rows = []
    for cell in nbformat.read(lesson.notebook("en"), as_version=4).cells:
        for output in cell.get("outputs", []):
            lines = output.get("data", {}).get("text/plain", "").splitlines()
            if lines and re.split(r" {2,}", lines[0]) == list(Table.columns):
                rows += [re.split(r" {2,}", line) for line in lines[1:]]
    return rows


def figure_table() -> str:
    """benchmarks.json, figure beside promise."""
    groups = json.loads((ROOT / "benchmarks.json").read_text(encoding="utf-8"))["groups"]
    rows = ["| figure | measured | promised |", "|---|---|---|"]
    for group in groups.values():
        for figure in group["figures"]:
            limit = (
                f"at most {figure['at_most']:g}"
                if figure["at_most"] is not None
                else f"at least {figure['at_least']:g}"
            )
            mark = "" if figure["met"] else " (not met)"
            rows.append(f"| {figure['name']} | {figure['value']:g} {figure['unit']} | {limit}{mark} |")
    return "\n".join(rows)


def rendered(text: str) -> str:
    """The README with its three tables as they should be."""
    lessons = find_lessons()
    tables = {"lessons": lesson_table(lessons), "measures": measure_table(lessons), "figures": figure_table()}
    for name, table in tables.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text, count = re.subn(pattern, lambda m, t=table: m[1] + t + "\n" + m[2], text, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"README.md: the marks <!-- {name} --> ... <!-- end --> are not there once")
    return text


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
