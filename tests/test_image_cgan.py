"""The conditional GAN: losses by their formulas, a discriminator that reads, and the game."""

import math

import pytest
import torch

from labkit.common import LabkitError
from labkit.image.cgan import (
    LOSSES,
    Discriminator,
    GANConfig,
    GANTask,
    Generator,
    discriminator_loss,
    generator_loss,
    sameness,
    shifted,
    twice,
)
from labkit.image.text_encoder import Encoded, TextConfig
from labkit.training import fit

TEXT = TextConfig(6, embedding_size=4, hidden_size=8)
TOKENS = torch.tensor([[2, 3], [4, 0]])


def config(**changes) -> GANConfig:
    return GANConfig(
        **{"text": TEXT, "picture_channels": 1, "noise_size": 4, "channels": 8, "deep_channels": 8, "num_heads": 2}
        | changes
    )  # fmt: skip


def drawn(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def game(shape: GANConfig | None = None, rate: float = 1e-3, **options) -> GANTask:
    torch.manual_seed(0)
    shape = shape or config()
    generator, discriminator = Generator(shape), Discriminator(shape)
    optimizers = [
        torch.optim.Adam(m.parameters(), rate, betas=(0.0, 0.99)) for m in (generator, discriminator)
    ]
    return GANTask(generator, discriminator, *optimizers, **options)


def test_losses_are_their_formulas():
    real, fake = torch.tensor([0.5, -2.0, 3.0]), torch.tensor([-0.3, 1.5, -4.0])
    s = [[1 / (1 + math.exp(-x)) for x in logits.tolist()] for logits in (real, fake)]
    fooled = -sum(math.log(p) + math.log(1 - q) for p, q in zip(*s, strict=True)) / 3
    for kind in ("minimax", "non-saturating"):
        assert float(discriminator_loss(real, fake, kind)) == pytest.approx(fooled)
    assert float(generator_loss(fake, "minimax")) == pytest.approx(sum(math.log(1 - q) for q in s[1]) / 3)
    assert float(generator_loss(fake)) == pytest.approx(-sum(math.log(q) for q in s[1]) / 3)
    assert float(discriminator_loss(real, fake, "hinge")) == pytest.approx((0.5 + 3 + 0 + 0.7 + 2.5 + 0) / 3)
    assert float(generator_loss(fake, "hinge")) == pytest.approx((0.3 - 1.5 + 4) / 3)


def test_where_the_discriminator_is_sure_only_minimax_has_no_slope():
    slopes = {}
    for kind in LOSSES:
        fake = torch.tensor([-8.0], requires_grad=True)
        generator_loss(fake, kind).backward()
        slopes[kind] = float(fake.grad)
    assert all(slope < 0 for slope in slopes.values())  # all of them want a larger logit
    assert slopes["minimax"] == pytest.approx(-1 / (1 + math.exp(8)))
    assert slopes["non-saturating"] == pytest.approx(-1, abs=1e-3)
    assert slopes["hinge"] == -1


@pytest.mark.parametrize("attention", [True, False])
def test_a_generator_draws_by_noise_and_caption(attention):
    torch.manual_seed(0)
    generator = drawn(Generator(config(attention=attention))).eval()
    noise = torch.randn(2, 4)
    pictures = generator(noise, generator.text(TOKENS))
    assert pictures.shape == (2, 1, 28, 28)
    assert pictures.abs().max() < 1
    other_noise = generator(noise + 0.5, generator.text(TOKENS))
    other_words = generator(noise, generator.text(TOKENS.flip(0)))
    for changed in (other_noise, other_words):
        assert (changed - pictures).abs().amax(dim=(1, 2, 3)).min() > 1e-3


def test_without_attention_only_the_mean_of_the_words_is_seen():
    torch.manual_seed(0)
    text = Encoded(torch.randn(2, 8), torch.randn(2, 3, 8), torch.ones(2, 3, dtype=torch.bool))
    turned = text.words[:, [0, 2, 1]] + torch.tensor([0.0, 0.5, -0.5]).view(3, 1)  # with the same mean
    other = Encoded(text.sentence, turned, text.visible)
    noise, pictures = torch.randn(2, 4), torch.randn(2, 1, 28, 28)
    for attention in (True, False):
        shape = config(attention=attention)
        generator, discriminator = drawn(Generator(shape)).eval(), drawn(Discriminator(shape)).eval()
        same = torch.allclose(generator(noise, text), generator(noise, other), atol=1e-5)
        same_logits = torch.allclose(discriminator(pictures, text), discriminator(pictures, other), atol=1e-5)
        assert (same, same_logits) == (not attention, not attention)


def test_the_logit_is_the_projection():
    torch.manual_seed(0)
    discriminator = drawn(Discriminator(config(attention=False, spectral_norm=False))).eval()
    pictures, text = torch.randn(2, 1, 28, 28), discriminator.text(TOKENS)
    layers = torch.nn.functional.leaky_relu
    places = discriminator.layers(torch.nn.functional.pixel_unshuffle(pictures, 2))
    for row, logit in enumerate(discriminator(pictures, text)):
        features = layers(
            discriminator.sum_up.weight @ places[row].flatten() + discriminator.sum_up.bias, 0.2
        )
        count = int((TOKENS[row] != 0).sum())
        caption = text.sentence[row] + text.words[row, 1 : 1 + count].mean(0)
        caption = (caption - caption.mean()) / (caption.var(unbiased=False) + 1e-5).sqrt()
        expected = discriminator.real.weight[0] @ features + discriminator.real.bias[0]
        expected = expected + features @ discriminator.fits.weight @ caption
        assert logit.item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_discriminator_knows_where_things_are():
    torch.manual_seed(0)
    discriminator = drawn(Discriminator(config())).eval()
    picture = torch.full((1, 1, 28, 28), -1.0)
    picture[..., 12:16, 12:16] = 1
    pictures = torch.cat([picture, picture.roll(4, 3)])  # far from the edges, where padding would tell
    logits = discriminator(pictures, discriminator.text(TOKENS[:1].repeat(2, 1)))
    assert (logits[0] - logits[1]).abs() > 1e-3


def test_hidden_words_do_not_count_in_the_match():
    torch.manual_seed(0)
    discriminator = drawn(Discriminator(config())).eval()
    text = discriminator.text(TOKENS)
    words = text.words.clone()
    words[~text.visible] = 5.0
    pictures = torch.randn(2, 1, 28, 28)
    other = Encoded(text.sentence, words, text.visible)
    torch.testing.assert_close(discriminator(pictures, text), discriminator(pictures, other))


def test_spectral_norm_is_the_largest_singular_value():
    torch.manual_seed(0)
    discriminator = Discriminator(config())
    pictures, text = torch.randn(2, 1, 28, 28), discriminator.text(TOKENS)
    for _ in range(30):  # each pass improves the estimate
        discriminator(pictures, text.__class__(text.sentence.detach(), text.words.detach(), text.visible))
    for layer in (discriminator.layers[2], discriminator.fits, discriminator.value):
        assert float(torch.linalg.matrix_norm(layer.weight.flatten(1), 2)) == pytest.approx(1, abs=0.02)
    free = Discriminator(config(spectral_norm=False))
    assert float(torch.linalg.matrix_norm(free.fits.weight, 2)) != pytest.approx(1, abs=0.05)


def test_a_shift_moves_and_repeats_the_edge():
    torch.manual_seed(0)
    pictures = torch.arange(25.0).view(1, 1, 5, 5).repeat(60, 1, 1, 1)
    moved = shifted(pictures, 1)
    frame = torch.nn.functional.pad(pictures[:1], (1, 1, 1, 1), mode="replicate")[0, 0]
    possible = {tuple(frame[i : i + 5, j : j + 5].flatten().tolist()) for i in range(3) for j in range(3)}
    assert {tuple(picture.flatten().tolist()) for picture in moved} == possible
    assert shifted(pictures, 0) is pictures


def test_sameness_compares_two_pictures_of_a_caption():
    assert twice(6).tolist() == [0, 1, 2, 0, 1, 2]
    assert twice(5).tolist() == [0, 1, 2, 0, 1]
    noise = torch.tensor([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0], [2.0, 0.0], [1.0, 3.0]])
    pictures = torch.tensor([0.0, 0.2, 9.0, 0.4, 0.0]).view(5, 1, 1, 1)
    assert sameness(noise, pictures).item() == pytest.approx(1.0 / (0.3 + 1e-3))
    assert sameness(noise, pictures * 0).item() == pytest.approx(1000)  # collapsed
    assert sameness(noise[:1], pictures[:1]).item() == 0


def test_spread_keeps_two_pictures_of_a_caption_apart():
    """One real picture for each caption: without spread there is no reason to vary."""
    pictures = torch.stack([torch.full((1, 28, 28), value) for value in (-0.5, 0.5)]).repeat(4, 1, 1, 1)
    apart = {}
    for spread in (0.0, 0.5):
        job = game(rate=4e-3, loss="hinge", spread=spread)
        fit(job, lambda step: (pictures, TOKENS.repeat(4, 1)), 30, progress=False)
        drawing, noise = job.generator.eval(), torch.randn(2, 4)
        found = drawing(noise, drawing.text(TOKENS[:1].repeat(2, 1)))
        apart[spread] = (found[0] - found[1]).abs().mean().item()
    assert apart[0.5] > 1.5 * apart[0.0]


def test_a_step_teaches_each_side_alone():
    job = game(mismatch=0.0)
    job.generator_optimizer.step = lambda: None
    before = [p.detach().clone() for p in job.generator.parameters()]
    seen = [p.detach().clone() for p in job.discriminator.parameters()]
    figures = job.step((torch.rand(2, 1, 28, 28) * 2 - 1, TOKENS))
    assert all(a.equal(b) for a, b in zip(before, job.generator.parameters(), strict=True))
    assert any(not a.equal(b) for a, b in zip(seen, job.discriminator.parameters(), strict=True))
    assert set(figures) == {"discriminator", "generator", "real", "fake"}


def test_the_generator_sends_no_gradient_into_the_discriminator():
    job, grads = game(), []
    step = job.generator_optimizer.step
    job.discriminator_optimizer.step = lambda: job.discriminator_optimizer.zero_grad()
    job.generator_optimizer.step = lambda: (
        grads.extend(p.grad for p in job.discriminator.parameters()) or step()
    )
    job.step((torch.rand(2, 1, 28, 28), TOKENS))
    assert grads
    assert all(grad is None for grad in grads)
    assert all(p.requires_grad for p in job.discriminator.parameters())


def test_a_caption_of_another_picture_counts_as_wrong():
    """Real pictures whose captions are told apart by the discriminator alone: the mismatch must teach it that."""
    job = game(rate=5e-3, loss="hinge", mismatch=1.0)
    pictures = torch.stack([torch.full((1, 28, 28), value) for value in (-0.5, 0.5)]).repeat(8, 1, 1, 1)
    tokens = TOKENS.repeat(8, 1)
    history = fit(job, lambda step: (pictures, tokens), 60, progress=False)
    real, wrong = (sum(history.train[name][-10:]) / 10 for name in ("real", "wrong"))
    assert real > wrong + 0.3


def test_the_game_learns_two_pictures_by_their_captions():
    job = game(rate=4e-3, loss="hinge", average=0.9)
    pictures = torch.stack([torch.full((1, 28, 28), value) for value in (-0.8, 0.8)]).repeat(8, 1, 1, 1)
    tokens = TOKENS.repeat(8, 1)
    fit(job, lambda step: (pictures, tokens), 120, progress=False)
    drawing = job.averaged.module.eval()
    found = drawing(torch.randn(2, 4), drawing.text(TOKENS))
    assert found[1].mean() > found[0].mean() + 0.8


def test_a_run_goes_on_as_if_it_had_not_stopped():
    batch = (torch.rand(4, 1, 28, 28), TOKENS.repeat(2, 1))

    def stepped(job, steps):
        for step in steps:
            torch.manual_seed(step)
            job.step(batch)
        return job

    straight, half, rest = stepped(game(), range(3)), stepped(game(), range(1)), game()
    rest.load_state_dict(half.state_dict())
    for name, value in stepped(rest, range(1, 3)).state_dict()["averaged"].items():
        assert value.equal(straight.state_dict()["averaged"][name]), name


@pytest.mark.parametrize(
    ("options", "message"), [({"loss": "wasserstein"}, "loss"), ({"mismatch": -1}, "mismatch"), ({"spread": "a"}, "spread"), ({"shift": 0.5}, "shift")]
)  # fmt: skip
def test_wrong_settings_are_named(options, message):
    with pytest.raises(LabkitError, match=message):
        game(**options)


@pytest.mark.parametrize(("field", "value"), [("channels", 12), ("noise_size", 0), ("deep_channels", 8.0)])
def test_wrong_shapes_are_named(field, value):
    with pytest.raises(LabkitError, match=field):
        config(**{field: value})


def test_a_run_of_other_settings_is_not_gone_on_with():
    state = game(shift=1).state_dict()
    with pytest.raises(LabkitError, match="shift was 1"):
        game(shift=2).load_state_dict(state)
