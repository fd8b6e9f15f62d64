"""Language-model training: against bare loops and closed forms; resumed runs; recipes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from labkit.common import LabkitError
from labkit.text import training
from labkit.text.corpus import ContinuedBatches, PackedBatches
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.lstm import LSTMConfig, LSTMLanguageModel
from labkit.text.recipes import RECIPES, Recipe, find_recipe, make_task, train, train_characters
from labkit.text.training import (
    IGNORE,
    LanguageModelTask,
    WarmupDecay,
    bits_per_character,
    evaluate_loss,
    has_bfloat16,
    make_optimizers,
    make_schedules,
    resolve_precision,
    split_parameters,
)
from labkit.training import fit

V = 11
SMALL = GPTConfig(V, hidden_size=16, num_layers=2, num_heads=2, num_kv_heads=1, max_positions=32)
SMALL_LSTM = LSTMConfig(V, embedding_size=8, hidden_size=12, num_layers=2)


def make_model(config: GPTConfig | LSTMConfig = SMALL) -> nn.Module:
    torch.manual_seed(0)
    return GPT(config) if isinstance(config, GPTConfig) else LSTMLanguageModel(config)


def batch(step: int, rows: int = 4, length: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    tokens = torch.randint(0, V, (rows, length + 1), generator=generator)
    return tokens[:, :-1], tokens[:, 1:]


def make_small_task(config: GPTConfig | LSTMConfig = SMALL, steps: int = 8, **options) -> LanguageModelTask:
    model = make_model(config)
    optimizers = make_optimizers(model)
    return LanguageModelTask(model, optimizers, make_schedules(optimizers, WarmupDecay(steps, 2)), **options)


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


# Optimizers


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, tie_embeddings=False), SMALL_LSTM])
def test_every_parameter_has_one_optimizer(config):
    model = make_model(config)
    for matrices in ("muon", "adamw"):
        optimizers = make_optimizers(model, matrices=matrices)
        held = [id(p) for o in optimizers for group in o.param_groups for p in group["params"]]
        assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_embeddings_and_output_layer_are_not_hidden_matrices():
    model = make_model(replace(SMALL, tie_embeddings=False))
    hidden, others = split_parameters(model)
    names = {id(p): name for name, p in model.named_parameters()}
    assert {names[id(p)].split(".")[-2] for p in hidden} == {
        *("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    }
    assert {"embed_tokens.weight", "lm_head.weight", "norm.weight"} <= {names[id(p)] for p in others}


def test_frozen_parameters_are_left_out():
    model = make_model()
    for parameter in model.layers[0].parameters():
        parameter.requires_grad_(False)
    held = [p for o in make_optimizers(model) for group in o.param_groups for p in group["params"]]
    assert all(p.requires_grad for p in held)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(LabkitError, match="requires_grad"):
        make_optimizers(model)


def test_only_hidden_matrices_decay_and_rates_go_where_they_belong():
    model = make_model()
    [adamw] = make_optimizers(model, 1e-3, 2e-3, 0.3, matrices="adamw")
    assert [(g["lr"], g["weight_decay"]) for g in adamw.param_groups] == [(2e-3, 0.3), (1e-3, 0.0)]
    muon, rest = make_optimizers(model, 1e-3, 2e-3, 0.3, newton_schulz_steps=3)
    group = muon.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["ns_steps"]) == (2e-3, 0.3, 3)
    assert (rest.param_groups[0]["lr"], rest.param_groups[0]["weight_decay"]) == (1e-3, 0.0)


def test_wrong_optimizer_arguments_are_refused_by_name():
    for arguments, name in (
        ({"matrices": "sgd"}, "matrices"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"matrix_learning_rate": -1.0}, "matrix_learning_rate"),
    ):
        with pytest.raises(LabkitError, match=f"^{name} is"):
            make_optimizers(make_model(), **arguments)


# Schedules


def test_warm_up_and_cosine_by_closed_form():
    factor = WarmupDecay(110, warmup=10, final=0.1)
    assert [factor(s) for s in range(10)] == pytest.approx([(s + 1) / 10 for s in range(10)])
    for s in range(10, 110):
        assert factor(s) == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (s - 10) / 100)))
    assert factor(110) == factor(500) == pytest.approx(0.1)


def test_stable_part_then_a_line():
    factor = WarmupDecay(100, warmup=5, decay=20, shape="linear")
    assert [factor(s) for s in (5, 40, 80)] == [1.0, 1.0, 1.0]
    assert [factor(s) for s in (81, 90, 99)] == pytest.approx([0.95, 0.5, 0.05])
    assert WarmupDecay(10, decay=0)(9) == 1.0  # no decay at all


def test_schedules_set_every_group_of_every_optimizer():
    task = make_small_task(steps=4)
    rates = []
    for step in range(4):
        rates.append([o.param_groups[0]["lr"] for o in task.optimizers])
        task.step(batch(step))
    factor = WarmupDecay(4, 2)
    assert rates == [pytest.approx([0.02 * factor(s), 3e-3 * factor(s)]) for s in range(4)]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 5, "warmup": 3, "decay": 3}, "warmup"),
        ({"steps": 5, "shape": "square"}, "shape"),
        ({"steps": 5, "final": 2.0}, "final"),
    ],
)
def test_wrong_schedules_are_refused(arguments, name):
    with pytest.raises(LabkitError, match=name):
        WarmupDecay(**arguments)


# Steps


def test_steps_equal_a_bare_loop():
    task = make_small_task(clip_norm=0.5)
    figures = [task.step(batch(step)) for step in range(6)]

    model = make_model()
    optimizers = make_optimizers(model)
    schedules = make_schedules(optimizers, WarmupDecay(8, 2))
    parameters = [p for one in optimizers for group in one.param_groups for p in group["params"]]
    for step in range(6):
        inputs, targets = batch(step)
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        model.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, 0.5)
        assert figures[step]["loss"] == loss.item()
        assert figures[step]["gradient_norm"] == norm.item()
        for one in (*optimizers, *schedules):
            one.step()
    assert torch.equal(weights(task.model), weights(model))


@pytest.mark.parametrize("matrices", ["muon", "adamw"])
def test_training_learns(matrices):
    tokens = torch.arange(600) % V  # each token follows from the one before
    model = make_model()
    optimizers = make_optimizers(model, 0.02, 0.05 if matrices == "muon" else None, matrices=matrices)
    task = LanguageModelTask(model, optimizers, make_schedules(optimizers, WarmupDecay(80, 4)))
    fit(task, PackedBatches(tokens, 8, 8, seed=1), 80, progress=False)
    assert evaluate_loss(task.model, tokens, 8) < 0.1 < math.log(V)


def gradient(task: LanguageModelTask, one: tuple[torch.Tensor, ...]) -> tuple[float, torch.Tensor]:
    task.model.zero_grad()
    loss = task._backward(task._split(one))
    return loss.item(), torch.cat([p.grad.flatten() for p in task.model.parameters()])


@pytest.mark.parametrize("config", [SMALL, SMALL_LSTM])
@pytest.mark.parametrize("accumulate", [2, 3, 7])
def test_accumulated_gradients_equal_one_big_batch(config, accumulate):
    inputs, targets = batch(0, rows=7)
    mask = torch.rand(7, 8, generator=torch.Generator().manual_seed(1)) < torch.linspace(0.1, 1, 7)[:, None]
    whole = gradient(make_small_task(config), (inputs, targets, mask))
    parts = gradient(make_small_task(config, accumulate=accumulate), (inputs, targets, mask))
    assert parts[0] == pytest.approx(whole[0], abs=1e-6)
    torch.testing.assert_close(parts[1], whole[1], atol=1e-6, rtol=0)

    # What is often done instead, the mean of the parts' means, is another loss where parts count differently.
    pieces = [part.tensor_split(accumulate) for part in (inputs, targets, mask)]
    means = [gradient(make_small_task(config), piece)[0] for piece in zip(*pieces, strict=True)]
    assert abs(np.nanmean(means) - whole[0]) > 1e-4


def test_accumulated_steps_keep_equal_weights():
    tasks = []
    for accumulate in (1, 4):
        model = make_model()
        # Neither Muon (bfloat16) nor Adam (a ratio of tiny numbers), which would enlarge the last bit.
        sgd = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        tasks.append(LanguageModelTask(model, sgd, accumulate=accumulate))
    whole, parts = tasks
    for step in range(5):
        assert parts.step(batch(step))["loss"] == pytest.approx(whole.step(batch(step))["loss"], abs=1e-6)
    torch.testing.assert_close(weights(parts.model), weights(whole.model), atol=1e-6, rtol=0)
    with pytest.raises(LabkitError, match="Lower accumulate"):
        parts.step(batch(0, rows=3))


def test_masked_targets_do_not_count():
    inputs, targets = batch(3)
    mask = torch.zeros_like(targets, dtype=torch.bool)
    mask[:, 5:] = True
    by_mask = make_small_task().step((inputs, targets, mask))["loss"]
    by_id = make_small_task().step((inputs, targets.masked_fill(~mask, IGNORE)))["loss"]
    logits = make_model()(inputs)
    expected = F.cross_entropy(logits[:, 5:].flatten(0, 1), targets[:, 5:].flatten()).item()
    assert by_mask == by_id == pytest.approx(expected, abs=1e-6)
    assert torch.equal(targets, batch(3)[1])  # the caller's batch is left as it was


def test_no_clipping_and_no_schedule_leave_their_figures_out():
    model = make_model()
    task = LanguageModelTask(model, torch.optim.SGD(model.parameters(), 0.1), clip_norm=None)
    assert set(task.step(batch(0))) == {"loss"}


def test_wrong_arguments_of_the_task_are_refused():
    model = make_model()
    optimizers = make_optimizers(model)
    stranger = make_schedules(make_optimizers(make_model()), WarmupDecay(5))
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizers[0])
    for arguments, message in (
        ({"optimizers": []}, "no optimizer"),
        ({"clip_norm": 0}, "clip_norm"),
        ({"accumulate": 0}, "accumulate"),
        ({"accumulate": True}, "accumulate"),
        ({"average": 1.0}, "average"),
        ({"precision": "float16"}, "precision"),
        ({"schedules": stranger}, "another optimizer"),
        ({"schedules": plateau}, "WarmupDecay"),
    ):
        with pytest.raises(LabkitError, match=message):
            LanguageModelTask(**{"model": model, "optimizers": optimizers} | arguments)


# Carried state


def test_carried_state_is_that_of_the_joined_text():
    tokens = torch.randint(0, V, (2 * 3 * 6 + 2,), generator=torch.Generator().manual_seed(4))
    source = ContinuedBatches(tokens, 6, 2)
    batches = [source(step) for step in range(source.steps_per_epoch)]
    model = make_model(SMALL_LSTM)
    still = torch.optim.SGD(model.parameters(), lr=0.0)
    task = LanguageModelTask(model, still, clip_norm=None, carry_state=True)
    carried = [task.step(one)["loss"] for one in batches]
    inputs, targets = (torch.cat(parts, 1) for parts in zip(*batches, strict=True))
    logits, _ = model(inputs)
    losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")  # (B, T)
    assert carried == pytest.approx([part.mean().item() for part in losses.split(6, 1)], abs=1e-6)

    forgetful = LanguageModelTask(model, still, clip_norm=None)
    assert abs(forgetful.step(batches[1])["loss"] - carried[1]) > 1e-5


def test_carried_state_is_cut_off_from_the_graph():
    task = make_small_task(SMALL_LSTM, carry_state=True, accumulate=2)
    for step in range(3):  # without the cut, the second backward fails
        task.step(batch(step))
    assert all(not tensor.requires_grad for state in task.states for tensor in state)


# Checkpoints


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (SMALL, {"average": 0.9, "accumulate": 2}),
        (SMALL, {"precision": "bfloat16"}),
        (replace(SMALL_LSTM, dropout=0.3), {"carry_state": True, "accumulate": 2}),
    ],
)
def test_a_stopped_run_goes_on_bit_by_bit(tmp_path, config, options):
    def one(stop: int | None, folder) -> tuple[LanguageModelTask, list[float]]:
        def interrupt(step: int, _: object) -> None:
            if step == stop:
                raise KeyboardInterrupt

        task = make_small_task(config, **options)
        torch.manual_seed(7)
        history = fit(
            task, batch, 8, checkpoint=folder, checkpoint_every=2, callbacks=[interrupt], progress=False
        )
        return task, history.train["loss"]

    through, losses = one(None, tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        one(5, tmp_path / "b")
    resumed, resumed_losses = one(None, tmp_path / "b")
    assert resumed_losses == losses
    assert torch.equal(weights(resumed.model), weights(through.model))
    if "average" in options:
        assert all(torch.equal(resumed.mean[name], tensor) for name, tensor in through.mean.items())
    if "carry_state" in options:
        for ours, theirs in zip(resumed.states, through.states, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    "other", [{"clip_norm": 0.1}, {"accumulate": 2}, {"average": 0.5}, {"precision": "bfloat16"}]
)
def test_another_configuration_is_refused(tmp_path, other):
    fit(make_small_task(), batch, 4, checkpoint=tmp_path, progress=False)
    [name] = other
    with pytest.raises(LabkitError, match={"average": "no tensor mean"}.get(name, f"{name} was")):
        fit(make_small_task(**other), batch, 4, checkpoint=tmp_path, progress=False)


def test_another_optimizer_or_decay_is_refused(tmp_path):
    fit(make_small_task(), batch, 4, checkpoint=tmp_path, progress=False)
    model = make_model()
    for options in ({"matrices": "adamw"}, {"weight_decay": 0.7}):
        task = LanguageModelTask(model, make_optimizers(model, **options))
        with pytest.raises(LabkitError, match="another run"):
            fit(task, batch, 4, checkpoint=tmp_path, progress=False)


# Mean weights


def test_mean_weights_by_closed_form_and_given_back():
    task = make_small_task(average=0.8)
    seen = []
    for step in range(5):
        task.step(batch(step))
        seen.append(weights(task.model).double())
    shares = torch.tensor([0.8 ** (4 - i) for i in range(5)], dtype=torch.float64)
    expected = sum(share * one for share, one in zip(shares / shares.sum(), seen, strict=True)).float()
    with task.averaged() as model:
        torch.testing.assert_close(weights(model), expected, atol=1e-6, rtol=0)
    assert torch.equal(weights(task.model).double(), seen[-1])
    task.use_average()
    torch.testing.assert_close(weights(task.model), expected, atol=1e-6, rtol=0)
    with pytest.raises(LabkitError, match="average"):
        make_small_task().use_average()


# Precision


def test_bfloat16_products_with_float32_weights_gradients_and_attention(monkeypatch):
    attended = []
    attention = F.scaled_dot_product_attention
    monkeypatch.setattr(
        F,
        "scaled_dot_product_attention",
        lambda q, *args, **kwargs: attended.append(q.dtype) or attention(q, *args, **kwargs),
    )
    exact = gradient(make_small_task(), batch(0))
    rough = gradient(make_small_task(precision="bfloat16"), batch(0))
    assert set(attended) == {torch.float32}
    assert rough[1].dtype == torch.float32
    assert 0 < abs(rough[0] - exact[0]) < 0.02
    assert 0 < (rough[1] - exact[1]).norm() < 0.02 * exact[1].norm()


def test_bfloat16_reaches_biases_too():
    exact = gradient(make_small_task(SMALL_LSTM), batch(0))
    rough = gradient(make_small_task(SMALL_LSTM, precision="bfloat16"), batch(0))
    assert 0 < (rough[1] - exact[1]).norm() < 0.02 * exact[1].norm()


def test_auto_precision_is_what_the_device_has():
    cpu = torch.device("cpu")
    assert resolve_precision("auto", cpu) == ("bfloat16" if has_bfloat16(cpu) else "float32")
    assert resolve_precision("float32", cpu) == "float32"


def test_auto_precision_without_the_instructions(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert resolve_precision("auto", torch.device("cpu")) == "float32"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert resolve_precision("auto", torch.device("cpu")) == "bfloat16"


# Held-out loss


def loss_by_hand(model: nn.Module, tokens: torch.Tensor, length: int, stride: int) -> float:
    """One token at a time, each with the context of the window that scores it."""
    total, scored, start = 0.0, 0, 0
    count = len(tokens) - 1
    while scored < count:
        start = min(start, max(0, count - length))
        end = min(start + length, count)
        for place in range(scored, end):
            output = model(tokens[None, start : place + 1])
            logits = output[0] if isinstance(output, tuple) else output
            total -= logits[0, -1].log_softmax(0)[tokens[place + 1]].item()
        scored, start = end, start + stride
    return total / count


@pytest.mark.parametrize("config", [SMALL, SMALL_LSTM])
@pytest.mark.parametrize(
    ("count", "length", "stride"),
    [(33, 8, 8), (30, 8, 8), (30, 8, 3), (6, 16, 16), (2, 8, 8), (9, 8, 1), (18, 8, 8), (10, 8, 8)],
)
def test_loss_of_every_token_once(config, count, length, stride):
    model = make_model(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # away from a uniform guess, so that contexts matter
    tokens = torch.randint(0, V, (count,), generator=torch.Generator().manual_seed(count))
    expected = loss_by_hand(model, tokens, length, stride)
    for batch_size in (1, 3, 64):
        found = evaluate_loss(model, tokens, length, batch_size, stride=stride)
        assert found == pytest.approx(expected, abs=1e-5)
    assert evaluate_loss(model, tokens.numpy().astype(np.uint16), length, stride=stride) == pytest.approx(
        expected, abs=1e-5
    )


def test_evaluation_is_without_dropout_and_leaves_the_mode():
    model = make_model(replace(SMALL_LSTM, dropout=0.5))
    tokens = torch.arange(40) % V
    for mode in (True, False):
        model.train(mode)
        assert evaluate_loss(model, tokens, 8) == evaluate_loss(model, tokens, 8)
        assert model.training is mode


def test_nothing_to_score_is_refused():
    model = make_model()
    for tokens in ([3], [], [[1, 2], [3, 4]]):
        with pytest.raises(LabkitError, match="nothing to score"):
            evaluate_loss(model, tokens, 8)
    for options in ({"batch_size": 0}, {"stride": 9}, {"stride": 0}):
        with pytest.raises(LabkitError, match="stride"):
            evaluate_loss(model, [1, 2, 3], 8, **options)


def test_bits_per_character():
    assert bits_per_character(math.log(2), 10, 10) == pytest.approx(1.0)
    assert bits_per_character(3 * math.log(2), 20, 60) == pytest.approx(1.0)
    with pytest.raises(LabkitError, match="characters"):
        bits_per_character(1.0, 5, 0)


# Recipes

TEXT = "the cat sat on the mat. " * 40


def small_recipe(**changes) -> Recipe:
    return replace(Recipe(replace(SMALL, vocab_size=65), steps=20, sequence_length=16, warmup=2), **changes)


def test_shakespeare_recipes_keep_to_their_size():
    for name, recipe in RECIPES.items():
        if name.startswith("tiny-shakespeare"):
            assert GPT(recipe.model).num_parameters() <= 810_000
            assert recipe.sequence_length <= 64


def test_training_characters_of_any_text():
    trained = train_characters(TEXT, small_recipe(precision="float32"), progress=False)
    assert trained.model.config.vocab_size == trained.tokenizer.vocab_size == len(set(TEXT))
    assert len(trained.history) == 20
    held_out = trained.tokenizer.encode(TEXT)[-len(TEXT) // 10 :]
    assert trained.validation_loss == pytest.approx(evaluate_loss(trained.model, held_out, 16), abs=0.05)
    assert trained.validation_loss < math.log(trained.tokenizer.vocab_size)


def test_a_recipe_depends_on_its_seed_alone():
    before = torch.get_rng_state()
    tokens = np.arange(200) % V
    recipe = small_recipe(model=SMALL, steps=3)
    first, again, other = (train(recipe, tokens, seed=seed, progress=False)[0] for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


def test_a_recipe_with_mean_weights_ends_with_them():
    tokens = np.arange(200) % V
    recipe = small_recipe(model=SMALL, steps=6)
    plain, _ = train(recipe, tokens, progress=False)
    mean, _ = train(replace(recipe, average=0.9), tokens, progress=False)
    assert not torch.equal(weights(plain), weights(mean))


def test_recipes_for_an_lstm():
    task = make_task(small_recipe(model=SMALL_LSTM, matrices="adamw", learning_rate=3e-3))
    assert isinstance(task.model, LSTMLanguageModel)
    assert len(task.optimizers) == 1


def test_wrong_recipes_are_refused():
    with pytest.raises(LabkitError, match="tiny-shakespeare-quick"):
        find_recipe("tiny")
    with pytest.raises(LabkitError, match="vocabulary"):
        train(small_recipe(model=SMALL), np.arange(100), progress=False)


def test_muon_multiplies_in_float32_where_bfloat16_is_emulated(monkeypatch):
    def stepped(native: bool) -> tuple[torch.Tensor, torch.Tensor]:
        monkeypatch.setattr(training, "has_bfloat16", lambda device: native)
        torch.manual_seed(0)
        layer = nn.Linear(24, 16, bias=False)
        before, gradient = layer.weight.detach().clone(), torch.randn(16, 24)
        layer.weight.grad = gradient.clone()
        make_optimizers(layer, 1e-3, 1.0, weight_decay=0.0, momentum=0.0)[0].step()
        assert torch.equal(layer.weight.grad, gradient)
        return before - layer.weight.detach(), gradient

    wide, gradient = stepped(native=False)
    narrow, _ = stepped(native=True)
    # The iteration in double precision, with the coefficients of Jordan et al. 2024.
    x = gradient.double() / gradient.double().norm()
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    torch.testing.assert_close(wide, x.float(), rtol=0, atol=1e-5)
    assert 1e-3 < (narrow - x.float()).abs().max() < 0.1  # three digits
