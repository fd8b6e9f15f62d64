"""Recipes, and the generators that come with the course."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from labkit import weights
from labkit.common import LabkitError
from labkit.image import recipes, shipped
from labkit.image.captions import Vocabulary, parse_digit
from labkit.image.datasets import PictureSet, digit_pictures, scene_pictures
from labkit.image.dense import DenseConfig
from labkit.image.flow import Flow
from labkit.image.recipes import FlowRecipe, GANRecipe

SCENES = scene_pictures(12, 0)


def tiny(name: str) -> FlowRecipe | GANRecipe:
    """The recipe with the smallest networks and three steps."""
    recipe = recipes.RECIPES[name]
    text = replace(recipe.model.text, embedding_size=4, hidden_size=8)
    if isinstance(recipe, FlowRecipe):
        if isinstance(recipe.model.network, DenseConfig):
            small = {"components": 5, "width": 8, "signal_size": 4}
        else:
            small = {"channels": 8, "deep_channels": 8, "num_heads": 2}
        network = replace(recipe.model.network, num_blocks=1, text_size=8, **small)
        model = replace(recipe.model, text=text, network=network)
    else:
        model = replace(recipe.model, text=text, noise_size=4, channels=8, deep_channels=8, num_heads=2)
    return replace(recipe, model=model, steps=3, batch_size=4)


def coloured(recipe: GANRecipe) -> GANRecipe:
    """The recipe of a GAN that draws in colours and looks at the words one by one."""
    return replace(recipe, model=replace(recipe.model, picture_channels=3, attention=True))


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_every_recipe_trains_and_generates(name):
    pictures = SCENES if name.startswith("scenes") else digit_pictures("train")[:12]
    model, history = recipes.train(tiny(name), pictures, progress=False)
    assert len(history) == 3
    found = model.generate(pictures.captions[:2])
    assert found.shape == (2, 3, 28, 28)
    assert found.isfinite().all()


@pytest.mark.parametrize("name", ["scenes-flow", "digits-gan"])
def test_a_seed_decides_and_the_callers_random_numbers_are_left_alone(name):
    pictures = SCENES if name.startswith("scenes") else digit_pictures("train")[:12]
    torch.manual_seed(7)
    expected = torch.rand(1)
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(7)
        model, _ = recipes.train(tiny(name), pictures, seed=seed, progress=False)
        found.append(model.generate(pictures.captions[:1]))
        assert torch.rand(1).equal(expected)
    assert found[0].equal(found[1])
    assert not found[0].equal(found[2])


def test_a_run_that_was_stopped_goes_on(tmp_path):
    recipe = tiny("scenes-flow")

    class Stop(Exception):
        pass

    def stop(step, _):
        if step == 2:
            raise Stop

    straight, _ = recipes.train(recipe, SCENES, progress=False)
    options = {"checkpoint": tmp_path / "run", "checkpoint_every": 1, "progress": False}
    with pytest.raises(Stop):
        recipes.train(recipe, SCENES, callbacks=[stop], **options)
    again, _ = recipes.train(recipe, SCENES, **options)
    assert again.generate(SCENES.captions[:2]).equal(straight.generate(SCENES.captions[:2]))


def test_what_is_trained_is_what_is_averaged():
    recipe = tiny("scenes-flow")
    task = recipes.make_task(recipe)
    task.step((torch.rand(4, 3, 28, 28), Vocabulary.standard().encode(SCENES.captions[:4])))
    model = recipes.finished(recipe, task, Vocabulary.standard()).model
    expected = task.averaged.module.state_dict()
    assert all(value.equal(expected[name]) for name, value in model.state_dict().items())
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_rates_rise_stay_and_fall_to_zero():
    task = recipes.make_task(replace(tiny("scenes-flow"), steps=20, warmup=4, decay=0.5))
    rates = [task.schedule.lr_lambdas[0](step) for step in range(21)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1]
    assert rates[4:11] == [1] * 7
    assert rates[20] == 0
    assert np.allclose(np.diff(rates[10:]), -0.1)


def test_captions_with_other_words_bring_their_own_vocabulary():
    pictures = PictureSet(SCENES.pictures[:4], ["a cat", "a dog", "a red cat", "猫"])
    assert recipes.vocabulary_of(SCENES.captions) == Vocabulary.standard()
    model, _ = recipes.train(coloured(tiny("digits-gan")), pictures, progress=False)
    assert model.unknown_words("a dog and 猫") == ("and",)


def test_colours_are_not_thrown_away():
    with pytest.raises(LabkitError, match="picture_channels is 1"):
        recipes.train(tiny("digits-gan"), SCENES, progress=False)


def test_principal_components_are_those_of_the_training_and_are_not_forgotten():
    with pytest.raises(LabkitError, match="give make_task the pictures"):
        recipes.make_task(tiny("digits-flow"))
    pictures = digit_pictures("train")[:12]
    model, _ = recipes.train(tiny("digits-flow"), pictures, progress=False)
    torch.testing.assert_close(model.model.network.mean, pictures.tensor(1).mean(0).flatten())


def test_names_that_are_not_there():
    with pytest.raises(LabkitError, match="no recipe 'scenes'"):
        recipes.find_recipe("scenes")
    with pytest.raises(LabkitError, match="no pictures for 'cats-gan'"):
        recipes.training_pictures("cats-gan")
    with pytest.raises(LabkitError, match="No model 'town-gpt'"):
        shipped.load("town-gpt")


# Shipped


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    monkeypatch.setattr(shipped, "TRIED", 4)
    return tmp_path / "weights"


@pytest.mark.parametrize("name", shipped.NAMES)
def test_what_is_shipped_comes_back(name, home, monkeypatch):
    recipe = tiny(name)
    monkeypatch.setitem(recipes.RECIPES, name, recipe)
    monkeypatch.setattr(shipped, "_figures", lambda *_: {"right": 0.5})
    pictures = SCENES if name.startswith("scenes") else digit_pictures("train")[:12]
    model, _ = recipes.train(recipe, pictures, progress=False)
    path = shipped.ship(name, model, 3, 1.25)
    again = shipped.load(name)
    assert path.parent == home
    assert again.vocabulary == model.vocabulary
    assert (again.steps, again.guidance) == (model.steps, model.guidance)
    found, expected = again.generate(pictures.captions[:3]), model.generate(pictures.captions[:3])
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)
    card = weights.read_card(path)
    assert card.command == f"labkit train {name}"
    assert card.seed == 3


def test_missing_weights_say_how_to_make_them(home):
    loads = ("load_scenes_flow", "load_digits_gan", "load_digits_flow")
    for load in (getattr(shipped, name) for name in loads):
        with pytest.raises(LabkitError, match="labkit train (scenes|digits)-"):
            load()


def test_weights_of_another_shape_are_refused():
    recipe = tiny("scenes-flow")
    tensors = shipped.rounded(recipes.wrapped(recipe, Flow(recipe.model), Vocabulary.standard()))
    other = replace(recipe, model=replace(recipe.model, network=replace(recipe.model.network, num_blocks=2)))
    with pytest.raises(LabkitError, match="network.blocks.1"):
        shipped.restore(other, tensors)
    with pytest.raises(LabkitError, match="have no vocabulary"):
        shipped.restore(recipe, {name: t for name, t in tensors.items() if name != "vocabulary"})


def test_captions_ask_for_each_digit_in_both_languages():
    captions, digits = shipped.digit_captions(40, seed=1)
    assert [parse_digit(caption) for caption in captions] == digits.tolist()
    assert np.bincount(digits).tolist() == [4] * 10
    assert [any("\u4e00" <= c <= "\u9fff" for c in caption) for caption in captions] == [False, True] * 20


class Copies:
    """Draws a real picture of each caption, or of a shuffled one."""

    def __init__(self, pictures: PictureSet, wrong: int = 0) -> None:
        self.pictures, self.wrong = pictures, wrong

    def generate(self, captions, seed, **_):
        assert captions == self.pictures.captions
        return self.pictures.tensor().roll(self.wrong, 0)


def test_right_scenes_are_counted(monkeypatch):
    real = scene_pictures(8, 5, "held_out", objects=1)
    assert shipped.right_scenes(Copies(real), "held_out", 1, count=8, seed=5) >= 7 / 8
    assert shipped.right_scenes(Copies(real, wrong=1), "held_out", 1, count=8, seed=5) <= 1 / 8
