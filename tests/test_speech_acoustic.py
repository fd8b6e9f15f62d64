"""The acoustic model: length regulator against a plain loop, padding that changes nothing, and that it learns."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError, set_seed
from labkit.speech import recipes
from labkit.speech.acoustic import (
    FORMS,
    AcousticConfig,
    AcousticModel,
    Inventory,
    regulate_length,
    whole_frames,
)
from labkit.speech.corpus import Utterance
from labkit.speech.frontend import Phone
from labkit.speech.mel import HOP, frame_count
from labkit.speech.tasks import UtteranceBatches
from labkit.training import fit

INVENTORY = Inventory(("_", "a", "b"), ("", "'", "."))
PHONES = (Phone("a", "'"), Phone("b"), Phone("_", "."))
SMALL = {"hidden_size": 16, "encoder_layers": 1, "decoder_layers": 1, "kernel_size": 3}


def model_of(form, **changed):
    set_seed(0)
    return AcousticModel(AcousticConfig(INVENTORY, form=form, **SMALL | changed)).eval()


def utterance(hertz, frames=(6, 4, 5), phones=PHONES):
    """A tone of one pitch while the first phone lasts, of another during the second, then silence."""
    length = (sum(frames) - 1) * HOP
    pitch = np.repeat([hertz, 3 * hertz, 0], np.array(frames) * HOP)[:length]
    samples = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / 22_050)
    assert frame_count(length) == sum(frames)
    return Utterance("", "en", phones, frames, (samples * 32_767).astype(np.int16))


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any))
def test_length_regulator_repeats(durations):
    x = torch.arange(1.0, len(durations) + 1)[None, :, None]
    repeated, places = regulate_length(x, torch.tensor([durations]))
    assert repeated[0, :, 0].tolist() == [i + 1 for i, count in enumerate(durations) for _ in range(count)]
    assert places[0, :, 0].tolist() == pytest.approx(
        [(k + 0.5) / count for count in durations for k in range(count)]
    )


def test_length_regulator_pads_with_zeros():
    repeated, places = regulate_length(torch.ones(2, 2, 3), torch.tensor([[1, 1], [3, 2]]))
    assert repeated.shape == (2, 5, 3)
    assert repeated[0, 2:].abs().sum() == places[0, 2:].abs().sum() == 0
    assert repeated[1].min() == 1


@given(st.lists(st.floats(0, 9), min_size=1, max_size=30))
def test_whole_frames_never_drift(durations):
    frames = whole_frames(torch.tensor(durations)).numpy()
    assert frames.min() >= 0
    assert np.abs(np.cumsum(frames) - np.cumsum(durations)).max() <= 0.51


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("frames_per_step", [1, 2])
def test_padding_changes_nothing(form, frames_per_step):
    model = model_of(form, frames_per_step=frames_per_step)
    ids = INVENTORY.ids(PHONES)
    longer = torch.cat([ids, ids])
    phones = torch.nn.utils.rnn.pad_sequence([ids, longer], batch_first=True)
    durations = torch.tensor([[3, 2, 2, 0, 0, 0], [3, 2, 2, 4, 1, 1]])
    together, predicted = model(phones, durations)
    alone, alone_predicted = model(ids[None], durations[:1, :3])
    torch.testing.assert_close(together[0, :7], alone[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(predicted[0, :3], alone_predicted[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_only_a_plain_model_is_deaf_to_neighbours(form):
    model = model_of(form)
    first, second = (model.mel((Phone("a"), Phone(other)), (3, 3)) for other in ("b", "a"))
    assert (first[:3] - second[:3]).abs().max().item() == pytest.approx(0) if form == "plain" else True
    assert form == "plain" or (first[:3] - second[:3]).abs().max() > 1e-4


@pytest.mark.parametrize("form", FORMS)
def test_every_parameter_learns(form):
    model = model_of(form).train()
    bands, durations = model(INVENTORY.ids(PHONES)[None], torch.tensor([[3, 2, 2]]))
    (bands.square().sum() + durations.square().sum()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()] == []


@pytest.mark.parametrize("form", ["recurrent", "convolutional"])
def test_a_model_learns_what_it_is_told(form):
    told = [utterance(300), utterance(300, (4, 7, 3))]
    recipe = recipes.Recipe(steps=150, frames=40, learning_rate=1e-2, average=0.9)
    model, history = recipes.train_acoustic(told, recipe, form, progress=False, **SMALL)
    assert history.train["mel"][-1] < 0.3 * history.train["mel"][0]
    mel = model.mel(told[0].phones, told[0].durations)
    assert (mel - told[0].mel()).abs().mean() < 0.35 * (told[0].mel().mean(0) - told[0].mel()).abs().mean()
    assert np.abs(model.durations(PHONES).numpy() - np.array([5, 5.5, 4])).max() < 2


def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path):
    told = [utterance(300), utterance(200, (4, 7, 3))]
    recipe = recipes.Recipe(steps=6, frames=20)

    def run(steps, **options):
        task, batches = recipes.make_acoustic(told, recipe, **SMALL)
        fit(task, batches, steps, progress=False, **options)
        return task.averaged.module.state_dict()

    whole = run(6)

    class Killed(Exception):
        pass

    def kill(step, figures):
        if step == 4:
            raise Killed

    with pytest.raises(Killed):
        run(6, checkpoint=tmp_path, checkpoint_every=2, callbacks=[kill])
    resumed = run(6, checkpoint=tmp_path, checkpoint_every=2)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_batches_hold_every_utterance_once_an_epoch():
    rows = [(torch.full((n,), n),) for n in (3, 9, 4, 8, 2)]
    batches = UtteranceBatches(rows, [len(row[0]) for row in rows], frames=10)
    seen = sorted(int(row.max()) for step in range(len(batches.groups)) for row in batches(step)[0])
    assert seen == [2, 3, 4, 8, 9]
    assert all(batch[0].numel() <= 12 for batch in map(batches, range(len(batches.groups))))
    assert all(torch.equal(a, b) for a, b in zip(batches(7), batches(7), strict=True))
    with pytest.raises(LabkitError, match="no utterances"):
        UtteranceBatches([], [], 10)


def test_batches_that_mix_lengths_hold_each_row_once_and_stay_small():
    lengths = [10, 11, 12, 13, 20, 21, 22, 23] * 5
    rows = [(torch.full((length,), number),) for number, length in enumerate(lengths)]
    batches = UtteranceBatches(rows, lengths, frames=50, seed=1, spread=0.5)
    assert sorted(row for group in batches.groups for row in group) == list(range(40))
    assert all(batches(step)[0].numel() <= 50 for step in range(len(batches.groups)))
    mixed = [len({lengths[row] >= 20 for row in group}) == 2 for group in batches.groups]
    straight = [
        len({lengths[row] >= 20 for row in group}) == 2
        for group in UtteranceBatches(rows, lengths, frames=50, seed=1).groups
    ]
    assert sum(mixed) > 3 * sum(straight)


def test_an_unknown_phone_is_spoken_and_has_an_id_of_its_own():
    assert INVENTORY.ids([Phone("zz", "9")]).tolist() == [[1, 1]]
    assert model_of("convolutional").mel([Phone("zz")], [4]).shape == (4, 80)
    assert Inventory.of([PHONES]) == Inventory(("_", "a", "b"), ("", "'", "."))


@pytest.mark.parametrize("frames", [[3, 2], [0, 0, 0], [3, -1, 2]])
def test_frames_that_do_not_fit_are_refused(frames):
    with pytest.raises(LabkitError, match="for 3 phones"):
        model_of("plain").mel(PHONES, frames)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("form", "rnn"),
        ("hidden_size", 0),
        ("hidden_size", 7),
        ("kernel_size", 4),
        ("dropout", 1.0),
        ("frames_per_step", 0),
    ],
)
def test_wrong_configurations_are_named(field, value):
    with pytest.raises(LabkitError, match=f"AcousticConfig.{field}"):
        AcousticConfig(INVENTORY, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"), [("steps", 0), ("frames", 1.5), ("learning_rate", 0), ("falling", 0)]
)
def test_wrong_recipes_are_named(field, value):
    with pytest.raises(LabkitError, match=f"Recipe.{field}"):
        recipes.Recipe(**{"steps": 1, field: value})
