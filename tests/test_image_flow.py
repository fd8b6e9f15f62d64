"""Flow matching: lines, guidance, solvers against exact answers, and the training."""

import math

import numpy as np
import pytest
import torch

from labkit.common import LabkitError
from labkit.image import flow
from labkit.image.flow import Flow, FlowConfig, FlowTask, guided, on_the_line, picture_noise, sample, times
from labkit.image.text_encoder import Encoded, TextConfig
from labkit.image.unet import UNetConfig
from labkit.training import fit

TEXT = TextConfig(6, embedding_size=4, hidden_size=8)
UNET = UNetConfig(1, channels=8, deep_channels=8, num_blocks=1, num_heads=2, text_size=8)
PLAIN, FOLDED = FlowConfig(TEXT, UNET), FlowConfig(TEXT, UNET, max_guidance=4.0)
TOKENS = torch.tensor([[2, 3], [4, 0]])


def drawn(config: FlowConfig) -> Flow:
    torch.manual_seed(0)
    model = Flow(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def task(config: FlowConfig = PLAIN, **options) -> FlowTask:
    model = drawn(config)
    return FlowTask(model, torch.optim.AdamW(model.parameters(), 1e-3), **options)


def test_the_line_runs_from_noise_to_picture_at_constant_velocity():
    noise, pictures = torch.randn(3, 1, 2, 2), torch.randn(3, 1, 2, 2)
    start, velocity = on_the_line(noise, pictures, torch.zeros(3))
    end, _ = on_the_line(noise, pictures, torch.ones(3))
    torch.testing.assert_close(start, noise)
    torch.testing.assert_close(end, pictures)
    later, _ = on_the_line(noise, pictures, torch.full((3,), 0.6))
    torch.testing.assert_close(later, noise + 0.6 * velocity)


def test_a_fresh_network_is_the_best_linear_guess():
    """Least squares on many pairs of noise and picture, which knows nothing of the formula."""
    rng = np.random.default_rng(0)
    pictures = flow.PICTURE_SCALE * rng.choice([-1.0, 1.0], 400_000)
    noise = rng.standard_normal(400_000)
    fresh = Flow(PLAIN).eval()
    for t in (0.0, 0.3, 0.8):
        at = (1 - t) * noise + t * pictures
        slope = at @ (pictures - noise) / (at @ at)
        x = torch.randn(2, 1, 28, 28)
        with torch.no_grad():
            v = fresh(x, torch.full((2,), t), torch.ones(2), fresh.text(TOKENS))
        torch.testing.assert_close(v, slope * x, atol=0.02, rtol=0.02)


def test_what_the_network_learns_has_variance_one_everywhere():
    rng = np.random.default_rng(0)
    pictures = torch.from_numpy(flow.PICTURE_SCALE * rng.choice([-1.0, 1.0], (200, 1, 28, 28))).float()
    noise = torch.randn(200, 1, 28, 28)
    model = Flow(PLAIN)
    for t in (0.1, 0.5, 0.9):
        noisy, velocity = on_the_line(noise, pictures, torch.full((200,), t))
        seen = {}

        def network(x, *_, seen=seen):
            seen["input"] = x
            return torch.ones_like(x)

        model.network.forward = network
        one = model(noisy, torch.full((200,), t), torch.ones(200), None)
        model.network.forward = lambda x, *_: torch.zeros_like(x)
        none = model(noisy, torch.full((200,), t), torch.ones(200), None)
        assert float(seen["input"].var()) == pytest.approx(1, abs=0.02)
        assert float(((velocity - none) / (one - none)).var()) == pytest.approx(1, abs=0.02)


def test_guidance_goes_beyond_the_caption():
    plain, without = torch.tensor([3.0]), torch.tensor([1.0])
    assert [float(guided(plain, without, w)) for w in (0, 1, 2.5)] == [1, 3, 6]


def test_times_run_from_noise_to_picture():
    assert times(4).tolist() == [0, 0.25, 0.5, 0.75, 1]
    shifted = times(4, shift=3)
    assert shifted[0] == 0
    assert shifted[-1] == 1
    assert (shifted.diff() > 0).all()
    assert float(shifted[2]) == pytest.approx(0.25)  # half of the steps within a quarter of the time


class Known(Flow):
    """Velocity -x + t + caption: its path is known, x(1) = x0/e + 1/e + caption (1 - 1/e)."""

    def forward(self, noisy, time, guidance, text):
        return -noisy + time.view(-1, 1, 1, 1) + text.sentence[:, :1, None, None]


def exact(x0, caption=0.0):
    return x0 / math.e + 1 / math.e + caption * (1 - 1 / math.e)


@pytest.fixture
def known():
    text = Encoded(torch.zeros(2, 8), torch.zeros(2, 3, 8), torch.ones(2, 3, dtype=torch.bool))
    return Known(PLAIN), text, torch.tensor([0.2, -0.4]).view(2, 1, 1, 1).expand(2, 1, 28, 28)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_the_error_falls_with_the_order_of_the_solver(known, solver, order):
    model, text, noise = known
    errors = []
    for steps in (16, 32):
        # Double precision: the error of a good solver is near that of float32.
        found = sample(model, text, noise.double(), steps, solver=solver)
        errors.append(float((found - exact(noise.double())).abs().max()))
    # heun saves its last look ahead, so that its last step is one of euler, of length 1/32.
    if solver == "heun":
        assert errors[1] < 0.6 * errors[0] < 0.02
    else:
        assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.1)


def test_two_passes_are_guidance(known):
    """Without a caption the sentence is no_sentence; guidance 3 is as if the caption were three times as far off."""
    model, text, noise = known
    with torch.no_grad():
        model.text.no_sentence.fill_(-0.1)
    text = Encoded(torch.full((2, 8), 0.1), text.words, text.visible)
    found = sample(model, text, noise, 400, guidance=3.0, solver="midpoint")
    torch.testing.assert_close(found, exact(noise, -0.1 + 3 * 0.2), atol=1e-3, rtol=0)


def test_a_folded_network_is_told_the_guidance_in_one_pass():
    model, seen = drawn(FOLDED), []
    forward = model.network.forward
    model.network.forward = lambda x, t, g, text: seen.append((len(x), g.tolist())) or forward(x, t, g, text)
    sample(model, model.text(TOKENS), torch.randn(2, 1, 28, 28), 3, guidance=2.5)
    assert seen == [(2, [2.5, 2.5])] * 3


def test_pictures_on_their_way_can_be_watched(known):
    model, text, noise = known
    seen = []
    last = sample(model, text, noise, 4, watch=lambda *what: seen.append(what))
    assert [(step, t) for step, t, _ in seen] == [(0, 0), (1, 0.25), (2, 0.5), (3, 0.75), (4, 1)]
    assert seen[0][2].equal(noise)
    assert seen[-1][2].clamp(-1, 1).equal(last)


def test_a_picture_has_its_own_noise():
    assert picture_noise(2, 5, first=3).equal(picture_noise(6, 5)[3:5])
    assert not picture_noise(1, 5).equal(picture_noise(1, 6))
    assert picture_noise(40, 0).std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"steps": 0}, "steps"), ({"solver": "rk4"}, "solver"), ({"guidance": -1}, "guidance"), ({"guidance": 9}, "trained for 1 to 4")],
)  # fmt: skip
def test_sampling_refuses_what_it_cannot_do(options, message):
    model = drawn(FOLDED)
    with pytest.raises(LabkitError, match=message):
        sample(model, model.text(TOKENS), torch.randn(2, 1, 28, 28), **options)


def test_the_loss_is_that_of_the_velocity():
    job = task(drop=0.0)
    pictures = torch.rand(2, 1, 28, 28) * 2 - 1
    job.model.eval()
    torch.manual_seed(3)
    loss = job.loss(pictures, TOKENS)
    torch.manual_seed(3)
    noise = torch.randn(2, 1, 28, 28)
    t = (job.times[0] + job.times[1] * torch.randn(2)).sigmoid()
    way = t[:, None, None, None]
    answer = job.model((1 - way) * noise + way * pictures, t, torch.ones(2), job.model.text(TOKENS))
    torch.testing.assert_close(loss, (answer - (pictures - noise)).pow(2).mean())


def test_the_push_is_what_guidance_adds():
    job = task(FOLDED)
    teacher = job.averaged.module
    noisy, time = torch.randn(2, 1, 28, 28), torch.tensor([0.2, 0.6])
    push = job._push(noisy, time, TOKENS, torch.tensor([1.0, 3.0]))
    one, text = torch.ones(2), teacher.text(TOKENS)
    empty = teacher.text(torch.zeros_like(TOKENS))
    plain, without = teacher(noisy, time, one, text), teacher(noisy, time, one, empty)
    assert push[0].count_nonzero() == 0
    torch.testing.assert_close(push[1], (guided(plain, without, 3.0) - plain)[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("fold_from", "told"), [(0, True), (1, False)])
def test_guidance_is_told_from_the_step_that_was_named(fold_from, told):
    job, seen = task(FOLDED, fold_from=fold_from, drop=0.0), []
    forward = job.model.network.forward
    job.model.network.forward = lambda x, t, g, text: seen.append(g) or forward(x, t, g, text)
    torch.manual_seed(0)
    job.step((torch.rand(8, 1, 28, 28), TOKENS.repeat(4, 1)))
    assert (seen[0] > 1).any() == told
    assert (seen[0] <= 4).all()
    assert (seen[0] >= 1).all()


def test_it_learns_two_pictures_by_their_captions():
    """White for one caption, black for the other."""
    torch.manual_seed(0)
    model = Flow(PLAIN)
    job = FlowTask(model, torch.optim.AdamW(model.parameters(), 1e-2), average=0.9)
    pictures = torch.cat([torch.full((8, 1, 28, 28), value) for value in (-0.8, 0.8)])
    tokens = TOKENS.repeat_interleave(8, 0)
    fit(job, lambda step: (pictures, tokens), 60, progress=False)
    learned = job.averaged.module.eval()
    found = sample(learned, learned.text(TOKENS), picture_noise(2, 0, (1, 28, 28)), 4)
    assert found[1].mean() > found[0].mean() + 0.8


def test_a_run_goes_on_as_if_it_had_not_stopped():
    batch = (torch.rand(4, 1, 28, 28), TOKENS.repeat(2, 1))

    def stepped(job, count):
        for _ in range(count):
            torch.manual_seed(job.steps)
            job.step(batch)
        return job

    straight = stepped(task(FOLDED, fold_from=1), 3)
    half, rest = stepped(task(FOLDED, fold_from=1), 1), task(FOLDED, fold_from=1)
    rest.load_state_dict(half.state_dict())
    for name, value in stepped(rest, 2).state_dict()["averaged"].items():
        assert value.equal(straight.state_dict()["averaged"][name]), name


@pytest.mark.parametrize(
    ("options", "message"),
    [({"drop": 1.0}, "drop"), ({"precision": "half"}, "precision"), ({"fold_from": -1}, "fold_from"), ({"average": 1.0}, "average")],
)  # fmt: skip
def test_wrong_settings_are_named(options, message):
    with pytest.raises(LabkitError, match=message):
        task(**options)


def test_a_run_of_other_settings_is_not_gone_on_with():
    state = task(drop=0.2).state_dict()
    with pytest.raises(LabkitError, match="drop was 0.2"):
        task(drop=0.1).load_state_dict(state)


def test_configurations_that_do_not_fit_are_refused():
    with pytest.raises(LabkitError, match="text_size"):
        FlowConfig(TextConfig(6, hidden_size=10), UNET)
    with pytest.raises(LabkitError, match="max_guidance"):
        FlowConfig(TEXT, UNET, max_guidance=1.0)
