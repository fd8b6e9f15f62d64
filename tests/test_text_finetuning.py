"""Classifiers over GPT features, LoRA against peft, and the objectives of pre-training."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from labkit.common import LabkitError
from labkit.text.finetuning import (
    EVERY_MATRIX,
    FineTuning,
    LoRALinear,
    SequenceClassifier,
    add_lora,
    count_parameters,
    encode_texts,
    finetune,
    merge_lora,
    pool_last,
    pool_mean,
    pooled_features,
    predict,
    remove_lora,
    train_head,
    training_bytes,
)
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.objectives import MaskedBatches, SpanBatches, corrupt_spans, random_spans
from labkit.text.tokenizer import BPETokenizer
from labkit.text.training import IGNORE

PAD = 1
TINY = GPTConfig(vocab_size=50, hidden_size=16, num_layers=2, num_heads=2, num_kv_heads=1)


def tiny(seed: int = 0, **changes) -> GPT:
    torch.manual_seed(seed)
    return GPT(GPTConfig(**{**vars(TINY), **changes}))


def some_tokens(rows: int = 3, length: int = 7, seed: int = 0) -> torch.Tensor:
    return torch.randint(5, 50, (rows, length), generator=torch.Generator().manual_seed(seed))


def drawn_lora(model: nn.Module, seed: int = 1) -> nn.Module:
    """B away from zero, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


def classifier(pooling: str = "mean", attention: str = "causal") -> SequenceClassifier:
    made = SequenceClassifier(tiny(attention=attention), 3, PAD, pooling)
    torch.manual_seed(5)
    nn.init.normal_(made.head.weight)
    return made


# ---------------------------------------------------------------------------------------------------------------
# Padding and pooling


@pytest.mark.parametrize("attention", ["causal", "full"])
@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(side, pooling, attention):
    model = classifier(pooling, attention)
    texts = [some_tokens(1, n, seed=n) for n in (2, 5, 9)]
    alone = torch.cat([model(text) for text in texts])
    padded = torch.full((3, 12), PAD)
    for row, text in zip(padded, texts, strict=True):
        row[slice(text.shape[1]) if side == "right" else slice(-text.shape[1], None)] = text[0]
    torch.testing.assert_close(model(padded), alone, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(predict(model, padded, batch_size=2), alone, rtol=1e-5, atol=1e-5)
    assert (alone[0] - alone[1]).abs().max() > 0.01


def test_pooling_equals_a_loop():
    features = torch.randn(2, 5, 4)
    real = torch.tensor([[False, True, True, True, False], [True, True, False, False, False]])
    by_loop = torch.stack([rows[keep].mean(0) for rows, keep in zip(features, real, strict=True)])
    torch.testing.assert_close(pool_mean(features, real), by_loop)
    assert torch.equal(pool_last(features, real), torch.stack([features[0, 3], features[1, 1]]))


def test_padding_alone_is_refused():
    tokens = some_tokens()
    tokens[1] = PAD
    with pytest.raises(ValueError, match="text 1 consists of padding alone"):
        classifier()(tokens)


def test_texts_become_rows():
    tokenizer = BPETokenizer.train(["the river and the town, the river again"] * 9, 300)
    texts = ["the river", "the town and the river again"]
    ids = [tokenizer.encode(text) for text in texts]
    right = encode_texts(texts, tokenizer, 100)
    left = encode_texts(texts, tokenizer, 100, side="left")
    assert right[0].tolist() == ids[0] + [tokenizer.pad_id] * (len(ids[1]) - len(ids[0]))
    assert left[0].tolist() == [tokenizer.pad_id] * (len(ids[1]) - len(ids[0])) + ids[0]
    assert encode_texts(texts, tokenizer, 3)[1].tolist() == ids[1][:3]
    assert encode_texts(texts, tokenizer, 3, keep="end")[1].tolist() == ids[1][-3:]
    with pytest.raises(LabkitError, match="Text 1 is empty"):
        encode_texts(["a", ""], tokenizer, 5)


# ---------------------------------------------------------------------------------------------------------------
# LoRA


def test_lora_at_start_changes_nothing():
    model, tokens = tiny(), some_tokens()
    before = model(tokens)
    add_lora(model, 4, 8, EVERY_MATRIX)
    assert torch.equal(model(tokens), before)


def test_merged_equals_unmerged_and_removed_equals_before():
    model, tokens = tiny(), some_tokens()
    before, names = model(tokens), list(model.state_dict())
    drawn_lora(add_lora(model, 4, 8, EVERY_MATRIX))
    unmerged = model(tokens)
    assert (unmerged - before).abs().max() > 0.05
    merged = merge_lora(copy.deepcopy(model))
    torch.testing.assert_close(merged(tokens), unmerged, rtol=1e-5, atol=1e-5)
    assert list(merged.state_dict()) == names  # an ordinary GPT again: it can be saved as one
    assert torch.equal(remove_lora(model)(tokens), before)


@pytest.mark.parametrize(("rank", "alpha"), [(1, 1.0), (4, 16.0)])
def test_lora_equals_peft(rank, alpha):
    peft = pytest.importorskip("peft")
    ours, theirs, tokens = tiny(), tiny(), some_tokens()
    drawn_lora(add_lora(ours, rank, alpha, ("q_proj", "down_proj")))
    config = peft.LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=["q_proj", "down_proj"], lora_dropout=0.0
    )
    peft.inject_adapter_in_model(config, theirs)
    assert count_parameters(theirs) == count_parameters(ours)
    matrices = {n: p for n, p in ours.named_parameters() if "lora_" in n}
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if "lora_" in name:
                parameter.copy_(matrices.pop(name.replace(".default.weight", "")))
    assert not matrices
    a, b = ours(tokens), theirs(tokens)
    torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)
    a.square().sum().backward()
    b.square().sum().backward()
    of = {n: p.grad for n, p in ours.named_parameters() if "lora_" in n}
    for name, parameter in theirs.named_parameters():
        if "lora_" in name:
            torch.testing.assert_close(
                of[name.replace(".default.weight", "")], parameter.grad, rtol=1e-4, atol=1e-4
            )


def test_lora_with_a_bias():
    layer = nn.Linear(6, 4)
    lora = LoRALinear(copy.deepcopy(layer), rank=2, alpha=3)
    nn.init.normal_(lora.lora_B)
    x = torch.randn(5, 6)
    dense = x @ (layer.weight + 1.5 * lora.lora_B @ lora.lora_A).T + layer.bias
    torch.testing.assert_close(lora(x), dense)
    torch.testing.assert_close(lora.merged()(x), dense)


def test_only_lora_and_head_train():
    made = classifier()
    whole = count_parameters(made)[1]
    history = finetune(made, some_tokens(6), torch.tensor([0, 1, 2] * 2), FineTuning("lora", steps=3, rank=2))
    assert len(history) == 3
    shapes = [(m.lora_A.shape, m.lora_B.shape) for m in made.modules() if isinstance(m, LoRALinear)]
    expected = sum(2 * (a[1] + b[0]) for a, b in shapes)
    assert len(shapes) == 2 * len(EVERY_MATRIX)
    assert count_parameters(made) == (expected + 3 * 16 + 3, whole + expected)
    fresh = tiny().state_dict()
    removed = remove_lora(made.model).state_dict()
    assert all(torch.equal(fresh[name], removed[name]) for name in fresh)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": 0}, "rank is 0"),
        ({"rank": 17}, "rank is 17"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"targets": ("query",)}, "no linear layer named query. It has: down_proj"),
    ],
)
def test_lora_refuses(arguments, message):
    with pytest.raises(LabkitError, match=message):
        add_lora(tiny(), **arguments)


def test_lora_twice_is_refused():
    with pytest.raises(LabkitError, match="has LoRA layers already"):
        add_lora(add_lora(tiny(), 2), 2)


# ---------------------------------------------------------------------------------------------------------------
# Fine-tuning


@pytest.mark.parametrize("method", ["full", "lora", "head"])
def test_first_loss_is_that_of_guessing_and_falls(method):
    made = SequenceClassifier(tiny(), 3, PAD)
    tokens, labels = some_tokens(24), torch.arange(24) % 3
    tokens[:, 2] = 10 + labels  # the token at one place tells the class
    rate = {"full": 1e-2}.get(method)
    history = finetune(made, tokens, labels, FineTuning(method, 60, 24, learning_rate=rate))
    assert history.train["loss"][0] == pytest.approx(math.log(3), abs=1e-5)
    assert history.train["loss"][-1] < 0.5 * math.log(3)


def test_head_alone_leaves_the_model_and_reads_kept_features():
    made = SequenceClassifier(tiny(), 3, PAD)
    tokens, labels = some_tokens(12), torch.arange(12) % 3
    features = pooled_features(made, tokens)
    finetune(made, tokens, labels, FineTuning("head", steps=5))
    assert all(torch.equal(a, b) for a, b in zip(made.model.parameters(), tiny().parameters(), strict=True))
    torch.testing.assert_close(predict(made, tokens), made.head(features))
    assert count_parameters(made)[0] == 3 * 16 + 3
    same = train_head(features, labels, 3, settings=FineTuning("head", steps=5))
    torch.testing.assert_close(same.weight, made.head.weight)


def test_a_seed_gives_equal_runs_and_leaves_torchs_random_state():
    results = []
    for outside in (1, 2):
        made = SequenceClassifier(tiny(), 2, PAD)
        torch.manual_seed(outside)
        before = torch.get_rng_state()
        finetune(made, some_tokens(8), torch.arange(8) % 2, FineTuning("lora", steps=4, batch_size=4), seed=3)
        assert torch.equal(torch.get_rng_state(), before)
        results.append(predict(made, some_tokens(8)))
    assert torch.equal(*results)


def test_training_bytes_equal_what_adamw_holds():
    made = SequenceClassifier(tiny(), 3, PAD)
    made.model.requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in made.parameters() if p.requires_grad])
    made(some_tokens()).square().sum().backward()
    optimizer.step()
    held = list(made.parameters())
    held += [p.grad for p in made.parameters() if p.grad is not None]
    held += [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    assert training_bytes(made) == sum(tensor.nbytes for tensor in held)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 1]), "3 texts and 2 labels"),
        (torch.tensor([0, 1, 3]), "from 0 to 2"),
        (torch.tensor([0.0, 1.0, 2.0]), "int64"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(LabkitError, match=message):
        finetune(SequenceClassifier(tiny(), 3, PAD), some_tokens(), labels)


# ---------------------------------------------------------------------------------------------------------------
# Objectives


def rows_of(tokens: torch.Tensor):
    return lambda step: (tokens, tokens)


def test_masked_tokens_follow_their_shares():
    tokens = some_tokens(200, 100)
    inputs, targets = MaskedBatches(rows_of(tokens), mask_id=2, vocab_size=50, share=0.2)(0)
    chosen = targets != IGNORE
    assert torch.equal(targets[chosen], tokens[chosen])
    assert torch.equal(inputs[~chosen], tokens[~chosen])
    assert chosen.float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert (inputs[chosen] == 2).float().mean().item() == pytest.approx(0.8 + 0.1 / 50, abs=0.02)
    assert (inputs[chosen] == tokens[chosen]).float().mean().item() == pytest.approx(0.1 + 0.1 / 50, abs=0.02)


def test_spans_by_hand():
    corrupted, told = corrupt_spans([10, 11, 12, 13, 14, 15], [(1, 3), (4, 5)], mask_id=2)
    assert corrupted == [10, 2, 13, 2, 15]
    assert told == [2, 11, 12, 2, 14, 2]


@pytest.mark.parametrize("length", [2, 3, 17, 128])
def test_random_spans_lie_apart_and_have_their_share(length):
    rng = np.random.default_rng(0)
    for _ in range(50):
        spans = random_spans(length, 0.15, 3.0, rng)
        assert sum(end - start for start, end in spans) == min(max(round(0.15 * length), 1), length - 1)
        edges = [0, *(edge for span in spans for edge in span)]
        assert all(a < b for a, b in itertools.pairwise(edges))
        assert edges[-1] <= length


def test_span_batches_can_be_put_together_again():
    tokens = some_tokens(4, 40)
    inputs, targets = SpanBatches(rows_of(tokens), mask_id=2, eos_id=0)(0)
    for row, target, original in zip(inputs.tolist(), targets.tolist(), tokens.tolist(), strict=True):
        cut = row.index(0)
        assert target[:cut] == [IGNORE] * cut
        assert IGNORE not in target[cut:]
        assert target[cut:-1] == row[cut + 1 :]
        told, pieces = target[cut + 1 : -1], [[]]
        for token in told:
            if token == 2:
                pieces.append([])
            else:
                pieces[-1].append(token)
        rebuilt = []
        waiting = iter(pieces)
        for token in row[:cut]:
            rebuilt += next(waiting) if token == 2 else [token]
        assert rebuilt == original
        assert next(waiting, None) is None


@pytest.mark.parametrize("make", [MaskedBatches, SpanBatches])
def test_objectives_are_pure_in_seed_and_step(make):
    second = {MaskedBatches: 50, SpanBatches: 0}[make]
    a, b, c = (make(rows_of(some_tokens(4, 60)), 2, second, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(x, y) for x, y in zip(a(3), b(3), strict=True))
    assert not torch.equal(a(3)[0], a(4)[0])
    assert not torch.equal(a(3)[0], c(3)[0])
