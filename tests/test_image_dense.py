"""The network without convolutions, and the flow that it drives."""

import pytest
import torch
from torch import nn

from labkit.common import LabkitError
from labkit.image import flow
from labkit.image.dense import DenseBlock, DenseConfig, DenseNetwork
from labkit.image.flow import Flow, FlowConfig
from labkit.image.text_encoder import Encoded, TextConfig

CONFIG = DenseConfig(1, width=8, num_blocks=2, signal_size=6, text_size=4)
FLOW = FlowConfig(TextConfig(6, embedding_size=4, hidden_size=4), CONFIG)
TOKENS = torch.tensor([[2, 3], [4, 0]])


def drawn(module: nn.Module) -> nn.Module:
    """With weights that hide nothing: layers that begin at zero would."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module.eval()


def inputs() -> list[torch.Tensor]:
    """Pictures, times, guidance and sentences of two captions."""
    torch.manual_seed(1)
    return [torch.randn(2, 1, 28, 28), torch.tensor([0.1, 0.7]), torch.tensor([1.0, 3.0]), torch.randn(2, 4)]


def answer_of(network: DenseNetwork, parts: list[torch.Tensor]) -> torch.Tensor:
    *told, sentence = parts
    return network(*told, Encoded(sentence, torch.zeros(2, 1, 4), torch.ones(2, 1, dtype=torch.bool)))


def test_a_fresh_network_says_a_grey_picture_and_a_fresh_block_changes_nothing():
    answer = answer_of(DenseNetwork(CONFIG), inputs())
    assert answer.shape == (2, 1, 28, 28)
    assert answer.count_nonzero() == 0
    x = torch.randn(3, 8)
    assert DenseBlock(8, 6)(x, torch.randn(3, 6)).equal(x)


@pytest.mark.parametrize("which", range(4), ids=["picture", "time", "guidance", "sentence"])
def test_all_that_it_is_told_matters_and_rows_do_not_mix(which):
    network, parts = drawn(DenseNetwork(CONFIG)), inputs()
    before = answer_of(network, parts)
    parts[which] = parts[which].clone()
    parts[which][0] += 0.4
    after = answer_of(network, parts)
    assert not torch.allclose(after[0], before[0], atol=1e-3)
    torch.testing.assert_close(after[1], before[1])


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_when_it_always_says_one_picture_every_number_of_steps_ends_on_it(steps):
    """The velocity (picture - x) / (1 - t) is that of a straight line, which Euler follows without error."""
    model, picture = Flow(FLOW).eval(), torch.rand(1, 1, 28, 28) * 2 - 1
    model.network.forward = lambda x, *_: picture.expand_as(x)
    with torch.no_grad():
        text = model.text(TOKENS)
    found = flow.sample(model, text, torch.randn(2, 1, 28, 28), steps)
    torch.testing.assert_close(found, picture.expand(2, -1, -1, -1), atol=1e-5, rtol=0)


def test_near_the_end_the_velocity_stays_finite():
    model = drawn(Flow(FLOW))
    with torch.no_grad():
        text = model.text(TOKENS)
        velocity = model(torch.randn(2, 1, 28, 28), torch.ones(2), torch.ones(2), text)
    assert velocity.isfinite().all()


def test_what_it_says_stays_clean_where_a_residual_of_the_noise_would_not():
    """Eight inner numbers cannot carry 784 of noise: what such a network says is the same whatever the noise is off
    its few inputs' directions, and so is where sampling ends."""
    model = drawn(Flow(FLOW))
    weights = model.network.enter.weight  # (8, 784)
    noise = torch.randn(1, 784)
    unseen = noise - noise @ torch.linalg.pinv(weights) @ weights  # what the first layer does not see
    with torch.no_grad():
        text = model.text(TOKENS)
        start = torch.zeros(2, 1, 28, 28)
        ends = [flow.sample(model, text, start + part, 1) for part in (0, unseen.view(1, 1, 28, 28))]
    torch.testing.assert_close(*ends, atol=1e-4, rtol=0)


@pytest.mark.parametrize("field", ["picture_channels", "width", "num_blocks", "signal_size", "text_size"])
def test_wrong_shapes_are_refused_by_name(field):
    with pytest.raises(LabkitError, match=f"{field} is 0"):
        DenseConfig(**{field: 0})


def test_text_of_another_size_is_refused():
    with pytest.raises(LabkitError, match="network.text_size is 4 and text.hidden_size 6"):
        FlowConfig(TextConfig(6, embedding_size=4, hidden_size=6), CONFIG)
