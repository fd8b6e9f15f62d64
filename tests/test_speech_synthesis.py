"""Voices, their controls, the judge, spoken digits, and shipped weights."""

import ast
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import labkit.speech
from labkit import weights
from labkit.common import LabkitError, set_seed
from labkit.data import Recording, Recordings
from labkit.speech import digits, measures, mel, recipes, shipped, synthesis
from labkit.speech.acoustic import AcousticConfig, AcousticModel, Inventory
from labkit.speech.frontend import Phone, phonemize
from labkit.speech.mel import HOP, SAMPLE_RATE, SILENCE, log_mel
from labkit.speech.recognizer import BLANK, Recognizer, RecognizerConfig, wear
from labkit.speech.synthesis import Controls, Voice

SMALL = {"hidden_size": 16, "layers": 1, "kernel_size": 3}
TEXT = "This is Anna, a baker."


def voice():
    set_seed(0)
    inventory = Inventory.of([phonemize(TEXT, "en")])
    model = AcousticModel(AcousticConfig(inventory, hidden_size=16, encoder_layers=1, decoder_layers=1))
    torch.nn.init.constant_(model.duration_predictor.last.bias, float(np.log(6)))
    model.band_mean.fill_(-5.0)
    return Voice(model, "en", lambda mel: np.zeros((len(mel) - 1) * HOP, np.float32))


def tone(hertz=150.0, seconds=0.6):
    phase = 2 * np.pi * hertz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.2 * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


def test_rate_and_pause_move_what_they_say_they_move():
    speaker = voice()
    plain, fast, paused = (speaker.speak(TEXT, Controls(**c)) for c in ({}, {"rate": 2.0}, {"pause": 2.0}))
    assert sum(fast.frames) == pytest.approx(sum(plain.frames) / 2, abs=1)
    pauses = [i for i, phone in enumerate(plain.phones) if phone.symbol == "_"]
    assert sum(paused.frames[i] for i in pauses) == pytest.approx(
        2 * sum(plain.frames[i] for i in pauses), abs=2
    )
    others = [i for i in range(len(plain.phones)) if i not in pauses]
    assert sum(paused.frames[i] for i in others) == pytest.approx(sum(plain.frames[i] for i in others), abs=2)


def resonance(samples):
    """Hz of the strongest place of a sound's mean spectrum, smoothed over the harmonics."""
    power = mel.stft(torch.from_numpy(samples)).abs()[:, 6:-8].square().mean(1).numpy()
    return np.convolve(power, np.hanning(19), "same").argmax() * SAMPLE_RATE / 1_024


@pytest.mark.parametrize("factor", [0.75, 1.35])
def test_the_throat_stays_where_it_was(factor):
    pulses = np.zeros(SAMPLE_RATE, np.float32)
    pulses[::170] = 1.0
    n = np.arange(400)
    ring = np.exp(-n / 60) * np.sin(2 * np.pi * 1_500 * n / SAMPLE_RATE)
    voiced = 0.4 * np.convolve(pulses, ring, "same").astype(np.float32)
    kept, moved = (synthesis.shift_pitch(voiced, factor, keep) for keep in (True, False))
    assert resonance(voiced) == pytest.approx(1_500, rel=0.04)
    assert resonance(kept) == pytest.approx(1_500, rel=0.08)
    assert resonance(moved) == pytest.approx(1_500 * factor, rel=0.08)
    for samples in (kept, moved):
        track = measures.pitch_track(samples)[6:-8]
        assert np.nanmedian(track) == pytest.approx(SAMPLE_RATE / 170 * factor, rel=0.02)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.4])
def test_pitch_moves_the_pitch_and_not_the_time(factor):
    shifted = synthesis.shift_pitch(tone(), factor)
    assert len(shifted) == pytest.approx(len(tone()), abs=3 * HOP)
    track = measures.pitch_track(shifted)[6:-8]
    assert np.nanmedian(track) == pytest.approx(150 * factor, rel=0.02)


def test_true_durations_can_be_put_in():
    phones = phonemize(TEXT, "en")
    frames = [3] * len(phones)
    said = voice().speak_phones(phones, frames=frames)
    assert said.frames == tuple(frames)
    assert len(said.mel) == sum(frames)
    times = said.times()
    assert times[0][1] == 0
    assert times[-1][2] == pytest.approx(sum(frames) * HOP / SAMPLE_RATE)
    assert all(a[2] == b[1] for a, b in itertools.pairwise(times))


@pytest.mark.parametrize(("name", "value"), [("rate", 0), ("pitch", 3.0), ("pause", "long"), ("rate", True)])
def test_wrong_controls_are_named(name, value):
    with pytest.raises(LabkitError, match=f"{name} is"):
        Controls(**{name: value})


def test_nothing_to_speak_is_refused():
    with pytest.raises(LabkitError, match="no phones"):
        voice().speak_phones([])


# The judge


def test_no_generator_imports_the_judge():
    may = {"shipped", "digits", "recipes", "recognizer"}
    files = sorted(Path(labkit.speech.__path__[0]).glob("*.py"))
    assert {"acoustic", "vocoder", "synthesis"} <= {path.stem for path in files}
    for path in files:
        names = [
            node.module or "" for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        ]  # fmt: skip
        assert path.stem in may or "labkit.speech.recognizer" not in names


def judge_that_says(steps):
    """A recognizer of two sounds whose best path is ``steps``."""
    judge = Recognizer(RecognizerConfig(("a", "b"), frames_per_step=1, **SMALL)).eval()

    def forward(mels, lengths):
        return torch.nn.functional.one_hot(torch.tensor([steps]), 3).float(), lengths

    judge.forward = forward
    return judge


@pytest.mark.parametrize(
    ("steps", "heard"),
    [([1, 1, BLANK, 2, 2], "ab"), ([1, BLANK, 1], "aa"), ([BLANK, BLANK], ""), ([2, 1, 1, 2], "bab")],
)
def test_repeats_are_merged_and_blanks_dropped(steps, heard):
    assert judge_that_says(steps).transcribe(torch.zeros(len(steps), 80)) == list(heard)


def test_padding_does_not_change_what_is_heard():
    set_seed(0)
    judge = Recognizer(RecognizerConfig(("a", "b"), **SMALL)).eval()
    mels = torch.randn(2, 9, 80)
    alone, steps = judge(mels[:1, :5], torch.tensor([5]))
    together, _ = judge(mels, torch.tensor([5, 9]))
    assert steps.tolist() == [3]
    torch.testing.assert_close(together[0, :3], alone[0], atol=1e-5, rtol=1e-5)


def test_a_judge_learns_to_tell_sounds_apart():
    mels, said = [], []
    for i in range(8):
        low, high = torch.full((6, 80), SILENCE), torch.full((6, 80), SILENCE)
        low[:, 5:20], high[:, 40:60] = -2.0, -2.0
        parts = [low, high] if i % 2 else [high, low]
        mels.append(torch.cat([*parts, torch.full((i, 80), SILENCE)]))
        said.append(["a", "b"] if i % 2 else ["b", "a"])
    recipe = recipes.Recipe(steps=120, frames=200, learning_rate=1e-2)
    judge, _ = recipes.train_recognizer(mels, said, recipe, progress=False, **SMALL)
    assert measures.phoneme_error_rate([judge.transcribe(mel) for mel in mels], said) == 0
    with pytest.raises(LabkitError, match="no sounds z"):
        judge.ids(["z"])
    with pytest.raises(LabkitError, match="log-mel"):
        judge.transcribe(torch.zeros(80))


def test_wear_keeps_the_shape_and_the_floor():
    set_seed(0)
    mels = torch.full((3, 20, 80), SILENCE)
    worn = wear(mels)
    assert worn.shape == mels.shape
    assert worn.min() >= SILENCE - 1e-4
    assert not torch.equal(worn, mels)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sounds": ()}, "sounds"),
        ({"sounds": ("a", "a")}, "sounds"),
        ({"layers": 0}, "layers"),
        ({"kernel_size": 4}, "kernel_size"),
    ],
)
def test_wrong_judges_are_named(changed, message):
    with pytest.raises(LabkitError, match=message):
        RecognizerConfig(**{"sounds": ("a",), **changed})


# Digits


def recording(digit, seconds=0.5, index=7):
    times = np.arange(int(seconds * 8_000)) / 8_000
    return Recording(
        (0.2 * np.sin(2 * np.pi * (200 + 150 * digit) * times)).astype(np.float32), digit, "ann", index
    )


def test_recordings_become_utterances_of_equal_parts():
    one = digits.utterances([recording(3)])[0]
    assert sum(one.durations) == len(one.mel())
    assert max(one.durations) - min(one.durations) <= 1
    assert one.phones[0] == Phone("three/0", "ann")
    loudness = np.sqrt(np.mean((one.samples / 32_767) ** 2))
    assert loudness == pytest.approx(digits.LOUDNESS, rel=0.02)


def test_a_voice_of_recordings_is_heard_by_a_judge_of_recordings():
    """Tones in the place of words: the plumbing from recordings to a verdict."""
    made = Recordings([recording(d, 0.3 + 0.02 * i, i) for d in (1, 6) for i in range(4)], [])
    recipe = recipes.Recipe(steps=150, frames=300, learning_rate=1e-2, average=0.9)
    judge, _ = digits.train_judge(
        made, replace(recipe, steps=120), progress=False, **SMALL | {"hidden_size": 32}
    )
    model, _ = recipes.train_acoustic(
        digits.utterances(made.train),
        recipe,
        progress=False,
        hidden_size=16,
        encoder_layers=1,
        decoder_layers=1,
    )
    said = [digits.speak(model, digit, "ann") for digit in (1, 6)]
    assert (
        digits.recognized(judge, [log_mel(digits.prepare(one)) for one in made.train], [1] * 4 + [6] * 4) == 1
    )
    assert digits.recognized(judge, said, [1, 6]) == 1
    assert digits.recognized(judge, said, [6, 1]) == 0


def test_wrong_digits_and_speakers_are_named():
    with pytest.raises(LabkitError, match="digit is 12"):
        digits.phones_of(12, "ann")
    with pytest.raises(LabkitError, match="Nobody is called 'bob'"):
        digits.speak(voice().acoustic, 1, "bob")
    with pytest.raises(LabkitError, match="silent"):
        digits.prepare(Recording(np.zeros(4_000, np.float32), 1, "ann", 0))


# Shipped weights


def test_weights_and_shape_survive(tmp_path, monkeypatch):
    (tmp_path / "weights").mkdir()
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    model = voice().acoustic
    config = shipped.asdict(model.config) | {"inventory": shipped.asdict(model.config.inventory)}
    shipped._ship("speech-en", model, config, 0, "a test", 1.0, {"distortion": 1.0})
    again = shipped.load_acoustic("en")
    assert again.config == model.config
    phones = phonemize(TEXT, "en")
    torch.testing.assert_close(
        again.mel(phones, [3] * len(phones)), model.mel(phones, [3] * len(phones)), atol=0.05, rtol=0
    )


def test_what_is_not_shipped_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    with pytest.raises(LabkitError, match="labkit train speech-judge-zh"):
        shipped.load_judge("zh")
    with pytest.raises(LabkitError, match="language is 'fr'"):
        shipped.load_voice("fr")
    with pytest.raises(LabkitError, match="No weights of speech"):
        shipped.train("speech-fr")
