"""The network without convolutions, and the flow that it drives."""

import pytest
import torch
from sklearn.decomposition import PCA

from labkit.common import LabkitError
from labkit.image import flow
from labkit.image.dense import DenseBlock, DenseConfig, DenseNetwork
from labkit.image.flow import Flow, FlowConfig
from labkit.image.text_encoder import Encoded, TextConfig

CONFIG = DenseConfig(1, components=5, width=8, num_blocks=2, signal_size=6, text_size=4)
FLOW = FlowConfig(TextConfig(6, embedding_size=4, hidden_size=4), CONFIG)
TOKENS = torch.tensor([[2, 3], [4, 0]])


def drawn(module: Flow | DenseNetwork) -> Flow | DenseNetwork:
    """With weights that hide nothing (layers that begin at zero would), and with the components of some pictures."""
    torch.manual_seed(0)
    (module.network if isinstance(module, Flow) else module).take_components(torch.rand(9, 1, 28, 28))
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


def test_noise_off_the_components_reaches_neither_the_answer_nor_the_end_of_sampling():
    model = drawn(Flow(FLOW))
    directions = model.network.directions  # (5, 784)
    noise = torch.randn(1, 784)
    unseen = (noise - noise @ directions.T @ directions).view(1, 1, 28, 28)
    with torch.no_grad():
        text = model.text(TOKENS)
        start = torch.zeros(2, 1, 28, 28)
        ends = [flow.sample(model, text, start + part, 3) for part in (0, unseen)]
        seen = flow.sample(model, text, start + (noise - unseen.view(1, 784)).view(1, 1, 28, 28), 3)
    torch.testing.assert_close(*ends, atol=1e-4, rtol=0)
    assert not torch.allclose(ends[0], seen, atol=1e-2)


def test_components_are_those_of_scikit_learn():
    torch.manual_seed(2)
    pictures = torch.randn(40, 1, 28, 28) * torch.linspace(0.1, 1, 28)  # no two variances are the same
    network = DenseNetwork(CONFIG)
    network.take_components(pictures)
    known = PCA(5, svd_solver="full").fit(pictures.flatten(1).double().numpy())
    torch.testing.assert_close(network.mean.double(), torch.from_numpy(known.mean_), atol=1e-6, rtol=0)
    agree = (network.directions.double() @ torch.from_numpy(known.components_).T).abs()  # but for the sign
    torch.testing.assert_close(agree, torch.eye(5, dtype=torch.float64), atol=1e-4, rtol=0)


def test_of_few_pictures_there_are_few_components():
    network = DenseNetwork(CONFIG)
    network.take_components(torch.randint(256, (3, 1, 28, 28)).to(torch.uint8))
    lengths = network.directions.norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([1.0, 1, 0, 0, 0]))


@pytest.mark.parametrize(
    "field", ["picture_channels", "components", "width", "num_blocks", "signal_size", "text_size"]
)
def test_wrong_shapes_are_refused_by_name(field):
    with pytest.raises(LabkitError, match=f"{field} is 0"):
        DenseConfig(**{field: 0})


def test_more_components_than_pixels_are_refused():
    with pytest.raises(LabkitError, match="components is 785. A picture has 784"):
        DenseConfig(1, components=785)


def test_text_of_another_size_is_refused():
    with pytest.raises(LabkitError, match="network.text_size is 4 and text.hidden_size 6"):
        FlowConfig(TextConfig(6, embedding_size=4, hidden_size=6), CONFIG)
