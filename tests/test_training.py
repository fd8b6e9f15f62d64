"""labkit.training: the loop against a bare PyTorch loop; checkpoints against kills, damage and other runs."""

from __future__ import annotations

import copy
import errno
import json
import math
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.optim import lr_scheduler

from labkit import progress, training
from labkit.common import LabkitError, set_seed
from labkit.training import CHECKPOINT_NAME, ArrayBatches, History, SupervisedTask, fit, pack, unpack
from tests.training_worker import digest, survive

ROWS, INPUTS, CLASSES = 50, 6, 4


def digits_like(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.randn(ROWS, INPUTS, generator=torch.Generator().manual_seed(seed))
    return inputs, inputs[:, :CLASSES].argmax(dim=1)


def small_model(hidden: int = 8) -> nn.Module:
    return nn.Sequential(nn.Linear(INPUTS, hidden), nn.Tanh(), nn.Dropout(0.3), nn.Linear(hidden, CLASSES))


def small_task(optimizer=None, schedule=None, hidden: int = 8, **options) -> SupervisedTask:
    """A fresh task, as a fresh process would build it: seeded, so always the same."""
    set_seed(0)
    model = small_model(hidden)
    made = (optimizer or (lambda p: torch.optim.Adam(p, 1e-2)))(model.parameters())
    scheduler = schedule(made) if schedule else None
    return SupervisedTask(model, nn.functional.cross_entropy, made, scheduler, **options)


def small_batches(seed: int = 0, batch_size: int = 16) -> ArrayBatches:
    return ArrayBatches(*digits_like(), batch_size=batch_size, seed=seed)


def everything(task, history: History) -> dict[str, str]:
    """Digests of all that a run leaves behind, and of what the random generators say next."""
    return {
        "task": digest(task.state_dict()),
        "train": digest(history.train),
        "evaluations": digest(history.evaluations),
        "python": digest(random.random()),
        "numpy": digest(np.random.random(2)),  # noqa: NPY002
        "torch": digest(torch.rand(2)),
    }


class Stop(Exception):
    """Raised where a run is cut off within this process."""


def stop_at(last: int):
    def stop(step: int, figures) -> None:
        if step == last:
            raise Stop

    return stop


class Scripted:
    """A task without a model: counts its steps and returns the figures that it was given."""

    def __init__(self, *figures: dict[str, float]):
        self.figures = figures or ({"loss": 1.0},)
        self.steps = 0

    def step(self, batch):
        self.steps += 1
        return self.figures[min(self.steps, len(self.figures)) - 1]

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


# The loop itself


def test_fit_equals_a_bare_loop_bit_for_bit() -> None:
    task = small_task(
        lambda p: torch.optim.SGD(p, 0.5, momentum=0.9),
        lambda o: lr_scheduler.StepLR(o, 5, gamma=0.5),
        clip_norm=0.1,
    )
    history = fit(task, small_batches(), 23)

    set_seed(0)
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), 0.5, momentum=0.9)
    batches = small_batches()
    losses, norms = [], []
    for step in range(23):
        for group in optimizer.param_groups:
            group["lr"] = 0.5 * 0.5 ** (step // 5)
        inputs, targets = batches(step)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.1).item())
        optimizer.step()
        losses.append(loss.item())

    assert history.steps == list(range(1, 24))
    assert history.train["loss"] == losses
    assert history.train["gradient_norm"] == norms
    assert history.train["learning_rate"] == [0.5 * 0.5 ** (step // 5) for step in range(23)]
    assert max(norms) > 0.1  # or clipping was never tried
    for ours, bare in zip(task.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, bare)


def test_fit_learns() -> None:
    history = fit(small_task(), small_batches(), 400)
    assert np.mean(history.train["loss"][-20:]) < 0.6 * np.mean(history.train["loss"][:20])


def test_evaluation_runs_at_its_interval_and_at_the_end() -> None:
    task = Scripted()
    history = fit(task, lambda step: None, 10, evaluate=lambda: {"seen": task.steps}, evaluate_every=4)
    assert history.evaluations == {"seen": [(4, 4.0), (8, 8.0), (10, 10.0)]}
    task = Scripted()
    assert fit(task, lambda step: None, 3, evaluate=lambda: {"seen": task.steps}).evaluations == {
        "seen": [(3, 3.0)]
    }


def test_callbacks_see_every_step() -> None:
    seen = []
    fit(
        Scripted({"loss": 3.0}, {"loss": 2.0}), lambda s: None, 3, callbacks=[lambda *both: seen.append(both)]
    )
    assert seen == [(1, {"loss": 3.0}), (2, {"loss": 2.0}), (3, {"loss": 2.0})]


def test_predict_evaluates_in_parts_and_training_goes_on_in_training_mode() -> None:
    task = small_task()
    inputs, _ = digits_like()
    outputs = task.predict(inputs, batch_size=7)
    assert not task.model.training
    assert not outputs.requires_grad
    torch.testing.assert_close(outputs, task.model(inputs), rtol=1e-6, atol=1e-6)
    task.step(small_batches()(0))
    assert all(module.training for module in task.model.modules())


def scripted_run(values: list[float], **options) -> tuple[Scripted, History]:
    task, figures = Scripted(), iter(values)
    history = fit(
        task,
        lambda step: None,
        len(values),
        evaluate=lambda: {"error": next(figures), "other": 0.0},
        evaluate_every=1,
        monitor="error",
        **options,
    )
    return task, history


def test_early_stop_after_patience_evaluations_without_a_new_best() -> None:
    task, history = scripted_run([5, 3, 4, 3, 3.5, 1, 0], patience=3)
    assert (task.steps, history.stopped_early, history.best) == (5, True, (2, 3.0))
    task, history = scripted_run([5, 3, 4, 2, 3.5, 1, 0], patience=3)
    assert (task.steps, history.stopped_early, history.best) == (7, False, (7, 0.0))
    task, history = scripted_run([1, 2, 1.5, 1.9, 9], patience=2, minimize=False)
    assert (task.steps, history.stopped_early, history.best) == (4, True, (2, 2.0))
    task, history = scripted_run([1, 2, 3], patience=2)  # out of patience, but at the end anyway
    assert (task.steps, history.stopped_early, history.best) == (3, False, (1, 1.0))
    nan = math.nan
    task, history = scripted_run([nan, nan, nan], patience=2)
    assert (task.steps, history.stopped_early, history.best) == (2, True, None)
    task, history = scripted_run([nan, 1, nan, 2, 3, 4], patience=3)
    assert (task.steps, history.stopped_early, history.best) == (5, True, (2, 1.0))


def test_restore_best_puts_the_task_back() -> None:
    assert scripted_run([5, 3, 4, 3], restore_best=True)[0].steps == 2
    assert scripted_run([5, 3, 4, 3], restore_best=False)[0].steps == 4
    assert scripted_run([5, 3, 4, 3, 7], restore_best=True, minimize=False)[0].steps == 5


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_at_its_step(value: float) -> None:
    task = Scripted({"loss": 1.0, "other": 2.0}, {"loss": 1.0, "other": value})
    with pytest.raises(LabkitError, match=rf"other is {value} at step 2\b.*learning rate"):
        fit(task, lambda step: None, 5)
    assert task.steps == 2
    history = fit(Scripted({"loss": value}), lambda step: None, 5, allow_nonfinite=True)
    assert digest(history.train["loss"]) == digest([value] * 5)


def test_figures_must_stay_the_same() -> None:
    with pytest.raises(LabkitError, match=r"Step 2 returned the figures \['other'\].*\['loss'\]"):
        fit(Scripted({"loss": 1.0}, {"other": 1.0}), lambda step: None, 5)


def generate():
    yield None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": -3}, "steps is -3"),
        ({"steps": 2.5}, r"steps is 2\.5"),
        ({"steps": True}, "steps is True"),
        ({"evaluate_every": 2}, "no evaluate function"),
        ({"evaluate_every": -1, "evaluate": dict}, "evaluate_every is -1"),
        ({"checkpoint_every": 2}, "the folder to write to"),
        ({"checkpoint_every": 1.5}, r"checkpoint_every is 1\.5"),
        ({"monitor": "accuracy"}, "no evaluate function"),
        ({"patience": 2, "evaluate": dict}, "need monitor"),
        ({"restore_best": True, "evaluate": dict}, "need monitor"),
        ({"patience": 0, "evaluate": dict, "monitor": "a"}, "patience is 0"),
        (
            {"evaluate": lambda: {"b": 1.0}, "monitor": "a"},
            r"monitor is 'a', but evaluate\(\) returned \['b'\]",
        ),
        ({"task": Scripted({})}, "Step 1 returned no figures"),
        ({"batches": generate}, r"generator function generate.*batches=generate\(\)"),
        ({"batches": 5}, "batches is a int"),
        ({"batches": []}, "batches is empty"),
        ({"batches": iter([])}, "ran out after 0 steps"),
        ({"batches": torch.utils.data.DataLoader([])}, "batches is empty"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict, message: str) -> None:
    with pytest.raises(LabkitError, match=message):
        fit(**{"task": Scripted(), "batches": lambda step: None, "steps": 3} | arguments)


def test_supervised_task_refuses_what_it_cannot_do() -> None:
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(LabkitError, match="clip_norm is 0"):
        SupervisedTask(model, nn.functional.mse_loss, optimizer, clip_norm=0)
    with pytest.raises(LabkitError, match="ReduceLROnPlateau"):
        SupervisedTask(model, nn.functional.mse_loss, optimizer, lr_scheduler.ReduceLROnPlateau(optimizer))
    other = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(LabkitError, match="another optimizer"):
        SupervisedTask(model, nn.functional.mse_loss, optimizer, lr_scheduler.StepLR(other, 1))


# Batches


def drawn(batches, steps: int) -> list:
    seen = []
    task = Scripted()
    task.step = lambda batch: seen.append(batch) or {"loss": 0.0}
    fit(task, batches, steps)
    return seen


def test_lists_and_loaders_start_over_and_iterators_run_out() -> None:
    assert drawn(["a", "b", "c"], 7) == list("abcabca")
    assert drawn({"a": 1, "b": 2}, 3) == list("aba")  # re-iterable, not a sequence
    loader = torch.utils.data.DataLoader(torch.arange(5), batch_size=2)
    assert [batch.tolist() for batch in drawn(loader, 4)] == [[0, 1], [2, 3], [4], [0, 1]]
    assert drawn((letter for letter in "abc"), 3) == list("abc")
    with pytest.raises(LabkitError, match="ran out after 3 steps"):
        drawn((letter for letter in "abc"), 4)


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_an_epoch_of_array_batches_holds_every_row_once(rows, batch_size, seed, epoch) -> None:
    batches = ArrayBatches(torch.arange(rows), np.arange(rows) * 10.0, batch_size=batch_size, seed=seed)
    first = epoch * batches.steps_per_epoch
    parts = [batches(step) for step in range(first, first + batches.steps_per_epoch)]
    assert all(len(part[0]) == batch_size for part in parts[:-1])
    order, values = (torch.cat(column) for column in zip(*parts, strict=True))
    assert sorted(order.tolist()) == list(range(rows))
    assert torch.equal(order * 10.0, values)


def test_array_batches_depend_on_seed_and_step_alone() -> None:
    forward = [small_batches()(step) for step in range(12)]
    batches = small_batches()
    for step in (11, 0, 5, 5, 3, 10):
        assert digest(batches(step)) == digest(forward[step])
    assert digest(forward[0]) != digest(small_batches(seed=1)(0))
    assert digest(forward[0]) != digest(forward[batches.steps_per_epoch])  # the next epoch has another order
    assert torch.rand(1) != torch.rand(1)  # and nothing touched the global generator's place
    set_seed(0)
    before = torch.get_rng_state()
    small_batches()(0)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ((), {}, "no arrays"),
        ((torch.zeros(3), torch.zeros(2)), {}, r"different lengths: \[3, 2\]"),
        ((torch.zeros(0, 4), torch.zeros(0)), {}, "without rows"),
        ((torch.zeros(3),), {"batch_size": 0}, "batch_size is 0"),
        ((torch.zeros(3),), {"batch_size": 2.0}, r"batch_size is 2\.0"),
    ],
)
def test_array_batches_refuse(arrays, options, message) -> None:
    with pytest.raises(LabkitError, match=message):
        ArrayBatches(*arrays, **{"batch_size": 2} | options)


# History

any_float = st.floats(width=64)


@given(
    st.dictionaries(st.text(), st.lists(any_float)),
    st.dictionaries(st.text(), st.lists(st.tuples(st.integers(), any_float))),
)
def test_history_survives_json_with_every_bit(train, evaluations) -> None:
    history = History(train, evaluations, monitor="a", minimize=False, stopped_early=True, seconds=0.1)
    text = history.to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    again = History.from_json(text)
    assert repr(vars(again)) == repr(vars(history))  # repr: NaN equals itself, and 0.0 is not -0.0


def test_history_shows_itself_in_one_line_without_timings() -> None:
    history = History({"loss": [2.345678, 0.123456]}, {"accuracy": [(1, 0.5), (2, 0.9712)]}, seconds=12.3)
    assert repr(history) == "History(2 steps; loss 2.35 -> 0.123; accuracy 0.971 at step 2)"
    assert repr(History()) == "History(0 steps)"
    assert "stopped early" in repr(History(stopped_early=True))


# Packing state

keys = st.one_of(st.text(), st.integers(), st.booleans(), st.tuples(st.integers(), st.text()))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    any_float,
    st.text(),
    arrays.arrays(
        st.sampled_from(["f4", "f8", "i2", "i8", "u1", "?"]), arrays.array_shapes(min_dims=0, min_side=0)
    ),
    st.sampled_from([np.float32(0.1), np.int16(3), torch.tensor(0.5, dtype=torch.bfloat16), torch.eye(3).T]),
)
states = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=20,
)


@given(states)
@settings(deadline=None)
def test_what_is_packed_comes_back_with_its_types_and_bits(state) -> None:
    tensors = {}
    text = json.dumps(pack(state, tensors), allow_nan=False)
    assert exactly(unpack(json.loads(text), tensors)) == exactly(state)


def exactly(value) -> str:
    """A text that differs when anything differs, types and signs of zero included."""
    if isinstance(value, torch.Tensor):
        return f"tensor {value.dtype} {tuple(value.shape)} {value.tolist()}"
    if isinstance(value, np.ndarray | np.generic):
        return f"{type(value).__name__} {value.dtype} {value.shape} {value.tolist()}"
    if isinstance(value, dict):
        return f"{type(value).__name__} {[(exactly(k), exactly(v)) for k, v in value.items()]}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} {[exactly(item) for item in value]}"
    return f"{type(value).__name__} {value!r}"


def test_packing_keeps_apart_what_has_the_same_path() -> None:
    state = {"a": {"b": torch.tensor(1)}, "a/b": torch.tensor(2), "c": Counter({3: 2})}
    tensors = {}
    again = unpack(pack(state, tensors), tensors)
    assert (again["a"]["b"], again["a/b"]) == (1, 2)
    assert list(again["c"].elements()) == [3, 3]


def test_packing_names_the_place_of_what_it_cannot_hold() -> None:
    with pytest.raises(LabkitError, match="state at /task/names is a set"):
        pack({"task": {"names": {1, 2}}}, {})


# Checkpoints: killed and resumed


def test_twenty_kills_leave_no_trace(tmp_path) -> None:
    report = survive(tmp_path, kills=20)
    assert (report.kills, report.survived) == (20, 20)
    assert set(report.by_moment) == {"step", "start", "half", "written", "replacing", "replaced"}
    assert report.temporary_files >= 6  # half, written, replacing: twice each
    assert len(set(report.steps)) >= 10  # spread over the run
    assert report.differences == []
    left = sorted(path.name for path in (tmp_path / "broken").iterdir())
    assert left == [CHECKPOINT_NAME, "result.json"]


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 1e-2, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, 1e-2, foreach=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, 1e-2),
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "adamax": lambda p: torch.optim.Adamax(p, 1e-2),
    "nadam": lambda p: torch.optim.NAdam(p, 1e-2),
    "radam": lambda p: torch.optim.RAdam(p, 1e-2),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 1e-2, centered=True, momentum=0.5),
    "rprop": lambda p: torch.optim.Rprop(p),
    "asgd": lambda p: torch.optim.ASGD(p),
    "adafactor": lambda p: torch.optim.Adafactor(p),
    "two groups": lambda p: two_groups(list(p)),
}


def two_groups(parameters: list) -> torch.optim.Optimizer:
    return torch.optim.AdamW([{"params": parameters[:2], "lr": 0.1}, {"params": parameters[2:]}], 0.01)


SCHEDULES = {
    "lambda": lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.95**step),
    "multiplicative": lambda o: lr_scheduler.MultiplicativeLR(o, lambda step: 0.9),
    "step": lambda o: lr_scheduler.StepLR(o, 3),
    "multistep": lambda o: lr_scheduler.MultiStepLR(o, [4, 4, 12], gamma=0.5),
    "constant": lambda o: lr_scheduler.ConstantLR(o, 0.5, 6),
    "linear": lambda o: lr_scheduler.LinearLR(o, 0.1, 1.0, 15),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "polynomial": lambda o: lr_scheduler.PolynomialLR(o, 20, 2.0),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 20),
    "restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 2),
    "cyclic": lambda o: lr_scheduler.CyclicLR(o, 1e-3, 1e-1, 5, mode="triangular2", cycle_momentum=False),
    "one cycle": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=21),
    "sequential": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, 1.0, 5), lr_scheduler.CosineAnnealingLR(o, 15)], [5]
    ),
    "chained": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(o, 0.5, 8), lr_scheduler.ExponentialLR(o, 0.9)]
    ),
}


def cut_and_resumed(tmp_path, cut: int = 11, steps: int = 20, **task_options) -> tuple[dict, dict]:
    """What is left of an unbroken run, and of one that was cut off after step ``cut`` and resumed."""
    whole = small_task(**task_options)
    expected = everything(whole, fit(whole, small_batches(), steps))
    with pytest.raises(Stop):
        fit(
            small_task(**task_options),
            small_batches(),
            steps,
            checkpoint=tmp_path,
            checkpoint_every=4,
            callbacks=[stop_at(cut)],
        )
    resumed = small_task(**task_options)
    history = fit(resumed, small_batches(), steps, checkpoint=tmp_path, checkpoint_every=4)
    return expected, everything(resumed, history)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_resumes_exactly(name: str, tmp_path) -> None:
    expected, found = cut_and_resumed(tmp_path, optimizer=OPTIMIZERS[name])
    assert found == expected


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_resumes_exactly(name: str, tmp_path) -> None:
    expected, found = cut_and_resumed(tmp_path, schedule=SCHEDULES[name])
    assert found == expected


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 19, 20])
def test_a_run_cut_at_any_step_resumes_exactly(cut: int, tmp_path) -> None:
    expected, found = cut_and_resumed(tmp_path, cut=cut)
    assert found == expected


@pytest.mark.parametrize("broken", ["random state", "optimizer", "rounded"])
def test_a_broken_resume_is_noticed(broken: str, tmp_path, monkeypatch) -> None:
    if broken == "random state":
        monkeypatch.setattr(training, "_set_random_state", lambda state: None)
    elif broken == "optimizer":
        load = SupervisedTask.load_state_dict

        def forget(self, state):
            load(self, state | {"optimizer": self.optimizer.state_dict()})

        monkeypatch.setattr(SupervisedTask, "load_state_dict", forget)
    else:
        save = training.files.save_tensors

        def save_rounded(path, tensors, metadata):
            rounded = {
                n: t.bfloat16().to(t.dtype) if t.is_floating_point() else t for n, t in tensors.items()
            }
            save(path, rounded, metadata)

        monkeypatch.setattr(training.files, "save_tensors", save_rounded)
    expected, found = cut_and_resumed(tmp_path)
    assert found["task"] != expected["task"]


def test_early_stop_and_best_state_resume_exactly(tmp_path) -> None:
    values = [5, 4, 6, 3, 7, 8, 9, 10, 11, 12]

    def run(folder, *callbacks):
        task = small_task()
        history = fit(
            task,
            small_batches(),
            30,
            evaluate=lambda: {"error": values[count["n"] // 3 - 1]},
            evaluate_every=3,
            checkpoint=folder,
            checkpoint_every=5,
            monitor="error",
            patience=4,
            restore_best=True,
            callbacks=[lambda step, figures: count.update(n=step), *callbacks],
        )
        return task, history

    count = {"n": 0}
    whole, history = run(tmp_path / "whole")
    assert (len(history), history.stopped_early, history.best) == (24, True, (12, 3.0))
    expected = everything(whole, history)
    for cut in (11, 14, 23):
        with pytest.raises(Stop):
            run(tmp_path / "cut", stop_at(cut))
    task, history = run(tmp_path / "cut")
    assert everything(task, history) == expected
    task, again = run(tmp_path / "cut")  # stopped early, so it is finished
    assert everything(task, again) == expected
    assert again.seconds == history.seconds


def test_a_finished_run_is_loaded_and_not_trained(tmp_path) -> None:
    first = small_task()
    history = fit(first, small_batches(), 9, checkpoint=tmp_path)
    expected = everything(first, history)
    again = small_task()
    again.step = lambda batch: pytest.fail("it was trained")
    assert everything(again, fit(again, small_batches(), 9, checkpoint=tmp_path)) == expected


def test_resume_false_starts_over(tmp_path) -> None:
    fit(Scripted(), lambda step: None, 5, checkpoint=tmp_path)
    task = Scripted()
    assert len(fit(task, lambda step: None, 3, checkpoint=tmp_path, resume=False)) == 3
    assert task.steps == 3
    task = Scripted()
    fit(task, lambda step: None, 3, checkpoint=tmp_path)  # what is there now is the new run
    assert task.steps == 3


def test_tied_weights_and_odd_layouts_resume_exactly(tmp_path) -> None:
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(INPUTS, INPUTS)
            self.two = nn.Linear(INPUTS, INPUTS)
            self.two.weight = self.one.weight
            self.last = nn.Linear(INPUTS, CLASSES)
            self.register_buffer("view", torch.arange(12.0).reshape(3, 4).T)
            self.register_buffer("empty", torch.zeros(0, 3))

        def forward(self, x):
            return self.last(self.two(torch.tanh(self.one(x))) + self.view.sum())

    def build():
        set_seed(0)
        model = Tied()
        return SupervisedTask(model, nn.functional.cross_entropy, torch.optim.Adam(model.parameters()))

    whole = build()
    expected = everything(whole, fit(whole, small_batches(), 12))
    with pytest.raises(Stop):
        fit(build(), small_batches(), 12, checkpoint=tmp_path, checkpoint_every=5, callbacks=[stop_at(7)])
    task = build()
    assert (
        everything(task, fit(task, small_batches(), 12, checkpoint=tmp_path, checkpoint_every=5)) == expected
    )


def test_the_checkpoint_is_one_plain_safetensors_file(tmp_path) -> None:
    fit(small_task(), small_batches(), 5, checkpoint=tmp_path / "new" / "folder", checkpoint_every=2)
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == [CHECKPOINT_NAME]
    with safe_open(tmp_path / "new" / "folder" / CHECKPOINT_NAME, "pt") as stored:
        assert "task/model/0.weight" in stored.keys()  # noqa: SIM118  (it is not a mapping)
        assert json.loads(json.loads(stored.metadata()["labkit"])["metadata"])


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(tmp_path) -> None:
    leftover = tmp_path / f".{CHECKPOINT_NAME}.123-abcd.tmp"
    other = tmp_path / ".other.123-abcd.tmp"
    for path in (leftover, other):
        path.write_bytes(b"half")
    fit(Scripted(), lambda step: None, 2, checkpoint=tmp_path)
    assert not leftover.exists()
    assert other.exists()


@pytest.mark.parametrize("batches", [iter("abc"), torch.utils.data.DataLoader(torch.arange(4))])
def test_batches_that_cannot_be_resumed_are_refused_at_once(batches, tmp_path) -> None:
    task = Scripted()
    with pytest.raises(LabkitError, match="cannot be resumed"):
        fit(task, batches, 2, checkpoint=tmp_path)
    assert task.steps == 0


def test_a_state_that_cannot_be_saved_is_refused_before_the_first_step(tmp_path) -> None:
    task = Scripted()
    task.state_dict = lambda: {"names": {"a", "b"}}
    with pytest.raises(LabkitError, match="state at /task/names is a set"):
        fit(task, lambda step: None, 2, checkpoint=tmp_path)
    assert task.steps == 0


# Checkpoints: damaged, foreign, or of another run


@pytest.fixture
def finished(tmp_path):
    fit(small_task(), small_batches(), 8, checkpoint=tmp_path, checkpoint_every=4)
    return tmp_path / CHECKPOINT_NAME


def refused(path, match: str, task=None, **options) -> None:
    """The checkpoint is refused with this message and a way out, and the task stays as it was."""
    task = task or small_task()
    before = digest(task.state_dict())
    with pytest.raises(LabkitError, match=match) as caught:
        fit(**{"task": task, "batches": small_batches(), "steps": 8, "checkpoint": path.parent} | options)
    assert "resume=False" in str(caught.value)
    assert CHECKPOINT_NAME in str(caught.value)
    assert digest(task.state_dict()) == before


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.001, 0.1, 0.5, 0.9, 0.9999])
def test_a_cut_off_checkpoint_is_refused(share: float, finished) -> None:
    content = finished.read_bytes()
    finished.write_bytes(content[: int(len(content) * share)])
    refused(finished, "damaged")


def test_any_changed_byte_is_noticed(finished) -> None:
    content = finished.read_bytes()
    places = [0, 7, 8, 9, len(content) - 1, *random.Random(0).sample(range(len(content)), 40)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        finished.write_bytes(changed)
        with pytest.raises(LabkitError, match="damaged"):
            fit(small_task(), small_batches(), 8, checkpoint=finished.parent)
    finished.write_bytes(content)
    fit(small_task(), small_batches(), 8, checkpoint=finished.parent)  # whole again, and accepted


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04pickle" * 99, bytes(1000)])
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes, finished) -> None:
    finished.write_bytes(content)
    refused(finished, "damaged or not ours")


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"labkit": "{}"}, {"labkit": "[1]"}])
def test_foreign_safetensors_are_refused(metadata, finished) -> None:
    save_file({"a": torch.zeros(2)}, finished, metadata=metadata)
    refused(finished, "damaged or not ours")


def test_weights_in_the_checkpoints_place_are_refused(finished) -> None:
    training.files.save_tensors(finished, {"a": torch.zeros(2)}, {})
    refused(finished, "damaged or not ours")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 9}, "steps was 8 and is 9"),
        ({"steps": 4}, "steps was 8 and is 4"),
        ({"evaluate": lambda: {"a": 1.0}, "evaluate_every": 3}, "evaluate_every was 0 and is 3"),
        ({"batches": "seed"}, "seed was 0 and is 1"),
        ({"batches": "size"}, "batch_size was 16 and is 5"),
        (
            {"task": {"hidden": 9}},
            r"model/0\.weight was torch\.float32 \(8, 6\) and is torch\.float32 \(9, 6\)",
        ),
        ({"task": {"optimizer": OPTIMIZERS["sgd"]}}, "optimizer was 'Adam' and is 'SGD'"),
        ({"task": {"optimizer": lambda p: torch.optim.Adam(p, 0.5)}}, r"lr was 0\.01 and is 0\.5"),
        ({"task": {"schedule": SCHEDULES["cosine"]}}, "schedule was None and is 'CosineAnnealingLR'"),
        ({"task": {"clip_norm": 2.0}}, r"clip_norm was None and is 2\.0"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused_by_name(change: dict, message: str, finished) -> None:
    change = dict(change)
    batches = {"seed": small_batches(seed=1), "size": small_batches(batch_size=5)}.get(change.get("batches"))
    if batches:
        change["batches"] = batches
    task = small_task(**change.pop("task", {}))
    refused(finished, message, task, **change)


def test_a_smaller_model_is_refused_and_keeps_its_weights(finished) -> None:
    set_seed(1)
    model = nn.Sequential(nn.Linear(INPUTS, 8), nn.Tanh())  # all that it has is in the checkpoint, too
    task = SupervisedTask(model, nn.functional.cross_entropy, torch.optim.Adam(model.parameters(), 1e-2))
    refused(finished, r'Unexpected key.*"3\.weight"', task)


def test_another_kind_of_task_is_refused(finished) -> None:
    refused(finished, "is of another run", Scripted())


def test_a_folder_that_cannot_be_written_stops_the_run_before_its_first_step(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        task = Scripted()
        with pytest.raises(LabkitError, match="could not be written"):
            fit(task, lambda step: None, 3, checkpoint=folder)
        assert task.steps == 0


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path, monkeypatch) -> None:
    write = Path.write_bytes
    calls = []

    def fill_the_disk(path, content):
        calls.append(path)
        if len(calls) == 3:
            write(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    with pytest.raises(LabkitError, match=r"No space left on device.*kept"):
        fit(Scripted(), lambda step: None, 9, checkpoint=tmp_path, checkpoint_every=2)
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_NAME]
    task = Scripted()
    assert len(fit(task, lambda step: None, 9, checkpoint=tmp_path, checkpoint_every=2)) == 9
    assert task.steps == 9
    assert len(calls) == 3 + 4  # resumed at step 2: saved after 4, 6, 8 and 9


# Progress


def test_progress_is_shown_only_where_somebody_watches(monkeypatch, capsys) -> None:
    def run() -> str:
        monkeypatch.setattr(training, "REFRESH_SECONDS", 0.0)
        fit(Scripted(), lambda step: None, 5)
        return capsys.readouterr().err

    monkeypatch.setattr(progress, "DELAY_SECONDS", 0.0)
    monkeypatch.delenv("LABKIT_PROGRESS", raising=False)
    assert run() == ""  # pytest
    monkeypatch.delenv("PYTEST_VERSION")
    assert run() == ""  # no terminal
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert "5/5" in run()
    monkeypatch.setenv("LABKIT_PROGRESS", "0")
    assert run() == ""
    monkeypatch.setenv("LABKIT_PROGRESS", "1")
    assert "loss 1" in run()
    fit(Scripted(), lambda step: None, 5, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("variables", "shown"),
    [({}, False), ({"JPY_SESSION_NAME": "/a.ipynb"}, True), ({"VSCODE_PID": "1"}, True)],
)
def test_a_notebook_shows_progress_only_in_an_editor(variables, shown, monkeypatch) -> None:
    for name in ("LABKIT_PROGRESS", "PYTEST_VERSION", "JPY_SESSION_NAME", "VSCODE_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    assert progress.watched() is shown
    monkeypatch.setenv("PYTEST_VERSION", "9")  # nbval
    assert progress.watched() is False


def test_a_task_is_deep_copied_for_its_best_state() -> None:
    task = small_task()
    errors = iter([1.0, 2.0])
    kept = []
    fit(
        task,
        small_batches(),
        2,
        evaluate=lambda: kept.append(copy.deepcopy(task.state_dict())) or {"error": next(errors)},
        evaluate_every=1,
        monitor="error",
        restore_best=True,
    )
    assert digest(task.state_dict()) == digest(kept[0])
    assert digest(kept[0]) != digest(kept[1])
