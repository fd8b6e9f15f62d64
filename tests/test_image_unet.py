"""The U-Net: shapes, attention against its formula, and that everything it is told matters."""

import math

import pytest
import torch
from torch import nn

from labkit.common import LabkitError
from labkit.image.text_encoder import Encoded
from labkit.image.unet import Look, ResidualBlock, UNet, UNetConfig, WordAttention, waves_of

CONFIG = UNetConfig(3, channels=8, deep_channels=16, num_blocks=1, num_heads=2, text_size=6)


def drawn(module: nn.Module) -> nn.Module:
    """With weights that hide nothing: layers that begin at zero would."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module


@pytest.fixture
def text():
    torch.manual_seed(0)
    visible = torch.tensor([[True, True, True, False], [True, False, False, False]])
    return Encoded(torch.randn(2, 6), torch.randn(2, 4, 6), visible)


@pytest.fixture
def inputs(text):
    return torch.randn(2, 3, 28, 28), torch.tensor([0.1, 0.7]), torch.tensor([1.0, 3.0]), text


def test_a_fresh_network_answers_zero(inputs):
    torch.manual_seed(0)
    answer = UNet(CONFIG)(*inputs)
    assert answer.shape == (2, 3, 28, 28)
    assert answer.count_nonzero() == 0


@pytest.mark.parametrize("changed", ["picture", "time", "guidance", "sentence", "word"])
def test_all_that_it_is_told_matters(inputs, changed):
    torch.manual_seed(1)
    network = drawn(UNet(CONFIG)).eval()
    picture, time, guidance, text = (part for part in inputs)
    before = network(picture, time, guidance, text)
    sentence, words = text.sentence.clone(), text.words.clone()
    if changed == "picture":
        picture = picture + 0.1
    elif changed == "time":
        time = time + 0.1
    elif changed == "guidance":
        guidance = guidance + 0.5
    elif changed == "sentence":
        sentence += 0.5
    else:
        words[:, 0] += 0.5
    after = network(picture, time, guidance, Encoded(sentence, words, text.visible))
    assert (after - before).abs().amax(dim=(1, 2, 3)).min() > 1e-4


def test_a_row_is_answered_alone(inputs):
    torch.manual_seed(1)
    network = drawn(UNet(CONFIG)).eval()
    picture, time, guidance, text = inputs
    alone = network(picture[1:], time[1:], guidance[1:], text[1:])
    torch.testing.assert_close(alone, network(*inputs)[1:], atol=1e-4, rtol=1e-4)


def test_attention_over_words_is_the_formula(text):
    torch.manual_seed(1)
    attention = drawn(WordAttention(8, 6, num_heads=2))
    x = torch.randn(2, 8, 7, 7)
    answer = attention(x, text)
    places = attention.norm(x).flatten(2).transpose(1, 2)  # (B, 49, 8)
    query, (key, value) = attention.query(places), attention.key_value(text.words).chunk(2, 2)
    taken = torch.empty(2, 49, 8)
    for row, count in enumerate((3, 1)):  # of visible words
        for head in (slice(0, 4), slice(4, 8)):
            scores = query[row, :, head] @ key[row, :count, head].T / math.sqrt(4)
            taken[row, :, head] = scores.softmax(1) @ value[row, :count, head]
    expected = x + attention.out(taken).transpose(1, 2).reshape(2, 8, 7, 7)
    torch.testing.assert_close(answer, expected, atol=1e-5, rtol=1e-5)
    weights = attention.weights(x, text)
    torch.testing.assert_close(weights.sum(3), torch.ones(2, 2, 49))
    assert weights[0, :, :, 3].count_nonzero() == 0
    assert (weights[1, :, :, 0] == 1).all()


def test_hidden_words_are_not_seen(text):
    torch.manual_seed(1)
    look = drawn(Look(8, 6, num_heads=2))
    x = torch.randn(2, 8, 7, 7)
    other = text.words.clone()
    other[~text.visible] = 9.0
    torch.testing.assert_close(look(x, text), look(x, Encoded(text.sentence, other, text.visible)))


def test_places_look_at_all_places(text):
    torch.manual_seed(1)
    look = drawn(Look(8, 6, num_heads=2))
    x = torch.randn(2, 8, 7, 7, requires_grad=True)
    look(x, text)[0, :, 0, 0].sum().backward()
    assert (x.grad[0].abs().sum(0) > 0).all()
    assert x.grad[1].count_nonzero() == 0


def test_a_block_is_scaled_and_shifted_by_the_signal():
    torch.manual_seed(1)
    block = drawn(ResidualBlock(8, 16, 5))
    x, signal = torch.randn(2, 8, 7, 7), torch.randn(2, 5)
    scale, shift = block.change(signal)[:, :, None, None].chunk(2, 1)
    hidden = (1 + scale) * block.norm2(block.conv1(nn.functional.silu(block.norm1(x)))) + shift
    expected = block.past(x) + block.conv2(nn.functional.silu(hidden))
    torch.testing.assert_close(block(x, signal), expected, atol=1e-5, rtol=1e-5)


def test_near_times_look_alike_and_far_ones_do_not():
    waves = waves_of(torch.tensor([0.3, 0.3001, 0.9]), 32)
    assert waves.shape == (3, 64)
    near, far = (nn.functional.cosine_similarity(waves[0], waves[i], dim=0) for i in (1, 2))
    assert near > 0.98 > 0.8 > far
    torch.testing.assert_close(waves[:, 0].double(), torch.sin(torch.tensor([300.0, 300.1, 900.0]).double()), atol=1e-4, rtol=0)  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [("channels", 12), ("deep_channels", 0), ("num_heads", 3), ("num_blocks", 1.5)])  # fmt: skip
def test_wrong_shapes_are_named(field, value):
    with pytest.raises(LabkitError, match=field):
        UNetConfig(**{"channels": 8, "deep_channels": 16, "num_heads": 2} | {field: value})
