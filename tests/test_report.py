"""The report: records, tables, results.json and grades.csv, from what anybody can write."""

from __future__ import annotations

import json
import math
import re

import pytest
from scipy import stats

from labkit import pages, report
from labkit.report import About, Record
from labkit.runner import Outcome

ABOUT = About(mode="class", language="en", seconds=12.3, exit_code=0)


def measure(metric: str, ours: float, **more) -> dict:
    return {"kind": "measure", "metric": metric, "ours": ours, **more}


def finished(key: str, *entries: dict, **facts) -> Record:
    record = Record(key=key, name=facts.pop("name", key), **facts)
    record.take(Outcome("ok", seconds=3.21, peak_bytes=300_000_000, cell=9, cells=9, entries=list(entries)))
    return record


def sweep_of(values: list[float], **facts) -> list[Record]:
    return [
        finished(f"a-{seed}", measure("accuracy", value, digits=2), name="a", swept={"SEED": seed}, **facts)
        for seed, value in enumerate(values)
    ]


# --- Records ---------------------------------------------------------------------------------------------


def test_a_record_survives_its_file():
    record = finished("a", measure("accuracy", 0.9, baseline=0.8), swept={"SEED": 1}, title="激活函数")
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


@pytest.mark.parametrize("data", [None, [], {}, {"labkit_run": 2}, {"labkit_run": 1, "key": "a"}])
def test_what_is_no_record_is_refused(data):
    with pytest.raises((ValueError, KeyError)):
        Record.from_json(data)


def test_measures_are_checked_since_anybody_can_write_them():
    record = finished(
        "a",
        measure("good", 0.5, baseline=0.4, verdict="a lie"),
        measure("text", "0.5"),
        measure("no interval", 0.5, interval=[1]),
        measure("digits", 0.5, digits="many"),
        {"kind": "measure", "metric": "nothing"},
        {"kind": "else"},
    )
    assert [(m["metric"], m["verdict"]) for m in record.measures] == [("good", "better")]


def test_a_line_for_each_run_and_for_each_fault():
    good = finished("02_a", measure("accuracy", 0.912, baseline=0.85), title="A")
    good.exercises = {"02.1": "passed", "02.2": "failed", "02.3": "not attempted"}
    bad = Record(
        key="b", name="03_b", title="B", status="failed", error={"message": "ValueError in cell [2]: no"}
    )
    lines = report.summary_table([good, bad]).splitlines()
    assert lines[0].split() == ["lesson", "status", "seconds", "memory", "exercises", "main", "metric"]
    assert re.split(r"  +", lines[2]) == [
        "02_a",
        "ok",
        "3.2 s",
        "300 MB",
        "1/3",
        "accuracy 0.912 (baseline 0.850: better)",
    ]
    assert lines[-1] == "03_b: ValueError in cell [2]: no"


def test_chinese_is_two_columns_wide():
    lines = report.text_table(("a", "b"), [("激活", "x"), ("abcd", "y")]).splitlines()
    assert lines[2:] == ["激活  x", "abcd  y"]
    assert lines[0] == "a     b"


# --- Sweeps ----------------------------------------------------------------------------------------------


def test_means_over_seeds_have_students_interval():
    values = [0.91, 0.94, 0.90, 0.97]
    (table,) = report.sweeps(sweep_of(values))
    spread = table["means"][0]["metrics"]["accuracy"]
    low, high = stats.t.interval(0.95, 3, loc=sum(values) / 4, scale=stats.sem(values))
    assert (spread["low"], spread["high"]) == pytest.approx((low, high), rel=1e-12)
    assert spread["mean"] == pytest.approx(0.93)
    assert spread["runs"] == 4


def test_means_are_kept_apart_by_the_other_parameters():
    records = [
        finished(
            f"{rate}{seed}", measure("loss", rate * 10 + seed), name="a", swept={"SEED": seed, "RATE": rate}
        )
        for seed in (0, 1)
        for rate in (0.1, 0.2)
    ]
    (table,) = report.sweeps(records)
    assert [(m["values"], m["metrics"]["loss"]["mean"]) for m in table["means"]] == [
        ({"RATE": 0.1}, 1.5),
        ({"RATE": 0.2}, 2.5),
    ]


def test_a_failed_run_is_in_the_sweep_but_not_in_its_mean():
    records = sweep_of([0.9, 0.92, 0.1])
    records[2].status = "failed"
    (table,) = report.sweeps(records)
    assert len(table["rows"]) == 3
    assert table["means"][0]["metrics"]["accuracy"]["mean"] == pytest.approx(0.91)


def test_a_sweep_over_something_else_has_no_mean():
    records = [
        finished(f"a{rate}", measure("loss", rate), name="a", swept={"RATE": rate}) for rate in (0.1, 0.2)
    ]
    assert report.sweeps(records)[0]["means"] == []


def test_equal_and_missing_values_in_a_sweep():
    spread = report.sweeps(sweep_of([0.5, 0.5]))[0]["means"][0]["metrics"]["accuracy"]
    assert (spread["low"], spread["high"]) == (0.5, 0.5)
    spread = report.sweeps(sweep_of([0.5, math.nan]))[0]["means"][0]["metrics"]["accuracy"]
    assert math.isnan(spread["mean"])


def test_a_sweep_prints_with_the_digits_of_its_metric():
    lines = report.sweep_tables(sweep_of([0.912, 0.934])).splitlines()
    assert lines[0] == "a"
    assert re.split(r"  +", lines[3]) == ["0", "ok", "3.2", "0.91"]
    assert lines[-1].startswith("mean (95 %)")
    assert lines[-1].endswith("0.92 (0.78 to 1.06)")


# --- Files -----------------------------------------------------------------------------------------------


def test_results_are_json_that_every_reader_takes(tmp_path):
    record = finished("a", measure("loss", math.nan), measure("ratio", math.inf))
    report.write(tmp_path, [record], ABOUT)

    def refuse(constant):
        raise AssertionError(constant)

    kept = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert [m["ours"] for m in kept["runs"][0]["measures"]] == [None, None]
    assert (kept["mode"], kept["seconds"], kept["exit_code"]) == ("class", 12.3, 0)


def test_what_we_wrote_is_ours_and_nothing_else_is(tmp_path):
    report.write(tmp_path, [finished("a", submission=True)], ABOUT)
    pages.write_index(tmp_path, [], ABOUT)
    for name in report.FILES:
        assert report.is_ours(tmp_path / name), name
        (tmp_path / name).write_text("something else", encoding="utf-8")
        assert not report.is_ours(tmp_path / name)


def test_grades_are_harmless_in_a_spreadsheet():
    record = finished("a", name="=cmd|' /C calc'!A0.ipynb", submission=True)
    record.exercises = {"@SUM(1)": "+1"}
    text = report.grades([record])
    assert text.startswith("\ufeff")
    assert text.splitlines()[1] == "'=cmd|' /C calc'!A0.ipynb,'@SUM(1),'+1"


def test_only_what_was_handed_in_is_graded(tmp_path):
    report.write(tmp_path, [finished("02_a")], ABOUT)
    assert not (tmp_path / "grades.csv").exists()
