"""From captions to pictures, for both kinds of models."""

import math

import pytest
import torch

from labkit.common import LabkitError
from labkit.image.captions import Vocabulary
from labkit.image.cgan import GANConfig, Generator
from labkit.image.flow import Flow, FlowConfig
from labkit.image.generation import TextToImage, on_the_arc
from labkit.image.text_encoder import TextConfig
from labkit.image.unet import UNetConfig

VOCABULARY = Vocabulary.from_captions(["a red circle", "a blue square", "红色的圆"])
TEXT = TextConfig(len(VOCABULARY), embedding_size=4, hidden_size=8)


def model(kind: str) -> TextToImage:
    torch.manual_seed(0)
    if kind == "gan":
        inner = Generator(GANConfig(TEXT, 3, noise_size=4, channels=8, deep_channels=8, num_heads=2))
    else:
        shape = UNetConfig(1 if kind == "grey" else 3, 8, 8, num_blocks=1, num_heads=2, text_size=8)
        inner = Flow(FlowConfig(TEXT, shape))
    with torch.no_grad():
        for parameter in inner.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    own = {} if kind == "gan" else {"steps": 2, "guidance": 1.5}
    return TextToImage(inner, VOCABULARY, **own)


@pytest.mark.parametrize("kind", ["gan", "flow", "grey"])
def test_one_picture_for_each_caption(kind):
    drawing = model(kind)
    captions = ["a red circle", "红色的圆", "a blue square"]
    pictures = drawing.generate(captions, seed=3)
    assert pictures.shape == (3, 3, 28, 28)
    assert pictures.dtype == torch.float32
    assert pictures.abs().max() <= 1
    assert pictures.equal(drawing.generate(captions, seed=3))
    assert not pictures.equal(drawing.generate(captions, seed=4))


@pytest.mark.parametrize("kind", ["gan", "flow"])
def test_a_picture_does_not_depend_on_those_beside_it(kind):
    drawing = model(kind)
    captions = ["a red circle", "红色的圆", "a blue square"]
    together = drawing.generate(captions, seed=3)
    torch.testing.assert_close(drawing.generate(captions[:1], seed=3)[0], together[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(drawing.generate(captions, seed=3, batch_size=2), together, atol=1e-5, rtol=0)


def test_what_is_not_said_is_the_models_own():
    drawing = model("flow")
    as_told = drawing.generate(["a red circle"], steps=2, guidance=1.5)
    assert drawing.generate(["a red circle"]).equal(as_told)
    assert not drawing.generate(["a red circle"], steps=3).equal(as_told)
    assert not drawing.generate(["a red circle"], guidance=1.0).equal(as_told)


def test_words_never_seen_are_named():
    drawing = model("gan")
    assert drawing.unknown_words("a red kitten") == ("kitten",)
    drawing.generate(["a red kitten"])  # the others say something
    with pytest.raises(LabkitError, match="never saw any word of.*小, 猫.*It knows"):
        drawing.generate(["小猫"])


@pytest.mark.parametrize(
    ("captions", "options", "message"),
    [
        ("a red circle", {}, "brackets"),
        ([], {}, "no captions"),
        (["  "], {}, "no words"),
        ([7], {}, "A caption is 7"),
        (["a red circle"], {"seed": -1}, "seed is -1"),
        (["a red circle"], {"steps": 3}, "one pass"),
        (["a red circle"], {"guidance": 2.0}, "one pass"),
    ],
)
def test_wrong_requests_are_explained(captions, options, message):
    with pytest.raises(LabkitError, match=message):
        model("gan").generate(captions, **options)


def test_a_vocabulary_of_another_model_is_refused():
    with pytest.raises(LabkitError, match="do not belong together"):
        TextToImage(model("gan").model, Vocabulary(("red",)))


@pytest.mark.parametrize("kind", ["gan", "flow"])
def test_a_walk_passes_through_the_pictures_of_its_seeds(kind):
    drawing = model(kind)
    walk = list(drawing.latent_walk("a red circle", [3, 8, 5], between=4))
    assert len(walk) == 2 * 4 + 1
    for seed, picture in zip((3, 8, 5), walk[::4], strict=True):
        torch.testing.assert_close(
            picture, drawing.generate(["a red circle"], seed=seed)[0], atol=1e-4, rtol=0
        )
    with pytest.raises(LabkitError, match="two seeds"):
        next(drawing.latent_walk("a red circle", [3]))


def test_the_arc_keeps_the_length_and_turns_evenly():
    start, end = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    for share in (0, 0.25, 0.5, 1):
        angle = share * math.pi / 2
        expected = torch.tensor([[2 * math.cos(angle), 2 * math.sin(angle)]])
        torch.testing.assert_close(on_the_arc(start, end, share), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(on_the_arc(start, start, 0.3), start)
