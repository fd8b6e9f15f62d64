"""Seed, mode, paths, language; what a lesson measured; figures and panels."""

from __future__ import annotations

import json
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
import torch

from labkit import common, plots, results, widgets
from labkit.common import LabkitError
from labkit.results import Measure

mpl.use("Agg")


def test_start_seeds_everything():
    draws = []
    for _ in range(2):
        common.start("class", 7)
        draws.append((torch.rand(3).tolist(), np.random.rand(3).tolist()))  # noqa: NPY002
    assert draws[0] == draws[1]
    common.start("class", 8)
    assert torch.rand(3).tolist() != draws[0][0]
    assert torch.get_num_threads() == common.NUM_THREADS


def test_libraries_that_are_loaded_later_take_the_thread_count_too():
    code = (
        "from labkit.common import start; start('class', 0)\n"
        "import scipy.linalg, sklearn.linear_model, threadpoolctl\n"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "{1}"


def test_notebooks_are_checked_without_the_grammar_of_iris():
    """Compiling it takes longer than all else that papermill imports."""
    code = (
        "import sys; from labkit.common import without_iri_grammar; without_iri_grammar(); import papermill, nbformat;"
        "assert 'lark' not in sys.modules; nbformat.validate(nbformat.v4.new_notebook());"
        "bad = nbformat.v4.new_notebook(); bad['metadata'] = 3\n"
        "try: nbformat.validate(bad)\n"
        "except nbformat.ValidationError: print('refused')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "refused"


def test_pick_follows_the_mode():
    assert [common.start(mode, 0).pick(1, 2, 3) for mode in common.MODES] == [1, 2, 3]


@pytest.mark.parametrize("mode", ["Class", "", None, "fast"])
def test_an_unknown_mode_is_refused(mode):
    with pytest.raises(LabkitError, match="smoke, class, full"):
        common.start(mode, 0)


@pytest.mark.parametrize("seed", [-1, 1.5, "0", 2**32, True])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(LabkitError, match="SEED is"):
        common.start("class", seed)


def test_the_language_follows_the_notebook(monkeypatch, tmp_path):
    monkeypatch.delenv("LABKIT_LANG", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert common.language() == "en"
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "zh" / "02.ipynb"))
    assert common.language() == "zh"
    assert common.say("yes", "是") == "是"
    monkeypatch.setenv("LABKIT_LANG", "en")
    assert common.language() == "en"
    monkeypatch.delenv("LABKIT_LANG")
    monkeypatch.delenv("JPY_SESSION_NAME")
    (tmp_path / "zh").mkdir()
    monkeypatch.chdir(tmp_path / "zh")
    assert common.language() == "zh"


def test_a_missing_course_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    with pytest.raises(LabkitError, match="Set LABKIT_HOME"):
        common.course_dir()


def test_a_notebook_shows_an_error_for_people_without_traceback():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as S\n"
        "S.instance().run_cell('from labkit.common import start; start(\"fast\", 0)')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    shown = run.stdout + run.stderr
    assert "LabkitError: MODE is 'fast'." in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("measure", "verdict"),
    [
        (Measure("accuracy", 0.97, 0.91), "better"),
        (Measure("loss", 0.97, 0.91, higher_is_better=False), "worse"),
        (Measure("accuracy", 0.9701, 0.9703), "equal"),
        (Measure("accuracy", 0.97), "-"),
        (Measure("accuracy", 0.97, 0.95, interval=(0.94, 0.99)), "unclear"),
        (Measure("accuracy", 0.97, 0.93, interval=(0.94, 0.99)), "better"),
        (Measure("loss", 0.97, 0.93, interval=(0.94, 0.99), higher_is_better=False), "worse"),
    ],
)
def test_verdicts(measure, verdict):
    assert measure.verdict == verdict


def test_a_table_shows_and_keeps_the_measures(tmp_path, monkeypatch):
    path = tmp_path / "results.jsonl"
    monkeypatch.setenv(results.RESULTS_VARIABLE, str(path))
    measure = Measure(
        "accuracy <test>", 97.125, 91.0, "SVM", seeds=5, interval=(96.5, 97.7), unit="%", digits=1
    )
    table = results.report(measure, Measure("loss", 0.1))
    assert repr(table).splitlines()[1].split("  ")[0] == "accuracy <test>"
    assert "91.0 % (SVM)" in repr(table)
    assert "96.5 to 97.7" in repr(table)
    assert "accuracy &lt;test&gt;" in table._repr_html_()
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"kind": "meas')  # the kernel was killed here
    kept = results.read(path)
    assert [entry["metric"] for entry in kept] == ["accuracy <test>", "loss"]
    assert kept[0]["verdict"] == "better"
    assert results.read(tmp_path / "none.jsonl") == []


def test_without_a_report_nothing_is_kept(monkeypatch, tmp_path):
    monkeypatch.delenv(results.RESULTS_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    results.report(Measure("loss", 0.1))
    assert list(tmp_path.iterdir()) == []


def draw_everything():
    yield plots.lines([0, 1], {"a": [0, 1], "b": [1, 0]}, xlabel="x", ylabel="y", markers=True)
    yield plots.lines({"a": [1, 10]}, {"a": [1, 2]}, xlabel="x", ylabel="y", log_x=True, log_y=True)
    yield plots.bands([1, 2], {"a": ([1, 2], [0, 1], [2, 3])}, xlabel="x", ylabel="y")
    yield plots.bars({"a": 1.0, "b": 2.0}, ylabel="y", intervals={"a": (0.5, 1.5), "b": (1.9, 2.4)})
    yield plots.heatmap(np.eye(3), xlabel="x", ylabel="y", digits=1, xticks="abc", yticks="abc")
    yield plots.images([np.zeros((8, 8))] * 5, ["0"] * 5, columns=3)


def test_figures_are_drawn_and_closed():
    import matplotlib.pyplot as plt

    open_before = plt.get_fignums()  # by another test of the same process
    for target in draw_everything():
        assert plots.to_png(target).startswith(b"\x89PNG")
    assert plt.get_fignums() == open_before


def test_the_interval_of_a_bar_is_where_it_was_given():
    ax = plots.bars({"a": 1.0}, ylabel="y", intervals={"a": (0.5, 2.0)})
    (segment,) = next(c for c in ax.containers if hasattr(c, "has_yerr")).lines[2][0].get_segments()
    assert segment[:, 1].tolist() == [0.5, 2.0]
    plots.to_png(ax)


def test_a_spectrogram_has_time_to_the_right_and_low_bands_below():
    ax = plots.spectrogram([[1, 2, 3], [4, 5, 6]], seconds=0.5, times=[("a", 0.0, 0.2), ("b", 0.2, 0.2)])
    (picture,) = ax.images
    assert picture.get_array().tolist() == [[1, 4], [2, 5], [3, 6]]
    assert (picture.origin, list(picture.get_extent())) == ("lower", [0.0, 0.5, 0.0, 3.0])
    assert [text.get_text() for text in ax.texts] == ["a"], "what has no length has no room for a name"
    plots.to_png(ax)


def test_show_gives_the_picture_its_text(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **options: shown.append((args, options)))
    plots.show(plots.lines([0, 1], {"a": [0, 1]}, xlabel="x", ylabel="y"), alt="A line that rises evenly.")
    ((bundle,), options) = shown[0]
    assert bundle["text/plain"] == "A line that rises evenly."
    assert options["metadata"]["image/png"]["alt"] == "A line that rises evenly."
    with pytest.raises(ValueError, match="in a sentence"):
        plots.show(plots.new_axes(), alt="plot")


def panel(draw, **controls):
    box = widgets.explorer(draw, **controls)
    *inputs, readout, picture = box.children
    return inputs, readout, picture


def test_a_panel_follows_its_controls_and_survives_errors():
    def draw(slope, kind):
        if slope > 1.5:
            raise ValueError("slope <too> large")
        ax = plots.lines([0, 1], {"y": [0, slope]}, xlabel="x", ylabel="y")
        return ax, f"{kind}: value = {slope:.2f}"

    (slope, kind), readout, picture = panel(draw, slope=(0.0, 2.0, 0.1, 1.0), kind=["a", "b"])
    first = picture.value
    assert "a: value = 1.00" in readout.value
    slope.value = 0.5
    assert "value = 0.50" in readout.value
    assert picture.value != first
    kind.value = "b"
    assert "b: value" in readout.value
    kept = picture.value
    slope.value = 1.8
    assert "ValueError" in readout.value
    assert "&lt;too&gt;" in readout.value
    assert picture.value == kept
    slope.value = 0.2
    assert "value = 0.20" in readout.value


def test_a_panel_with_sound_plays_what_was_drawn_last():
    def draw(pitch):
        return plots.lines([0, 1], {"y": [0, pitch]}, xlabel="x", ylabel="y"), f"{pitch}", bytes([pitch])

    box = widgets.explorer(draw, sound=True, pitch=(0, 9, 1, 3))
    pitch, _, player, _ = box.children
    assert (player.value, player.format, player.autoplay) == (b"\x03", "mp3", False)
    pitch.value = 7
    assert player.value == b"\x07"


def test_controls_by_kind_and_a_bad_one_by_name():
    import ipywidgets

    kinds = [(True, "Checkbox"), ("text", "Text"), (["a"], "Dropdown")]
    kinds += [((0, 5, 1, 2), "IntSlider"), ((0.0, 5.0, 1.0, 2.0), "FloatSlider")]
    for choices, name in kinds:
        assert isinstance(widgets.control("x", choices), getattr(ipywidgets, name))
    with pytest.raises(ValueError, match="learning_rate: give"):
        widgets.control("learning_rate", 3)


def test_results_lines_are_json(tmp_path, monkeypatch):
    monkeypatch.setenv(results.RESULTS_VARIABLE, str(tmp_path / "r.jsonl"))
    results.record_exercise("02.1", "passed")
    assert json.loads((tmp_path / "r.jsonl").read_text(encoding="utf-8"))["exercise"] == "02.1"
