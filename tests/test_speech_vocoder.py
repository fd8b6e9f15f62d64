"""Griffin-Lim against librosa's, phases and pitch of the neural vocoder on signals that are known."""

import numpy as np
import pytest
import torch

from labkit.common import LabkitError, set_seed
from labkit.speech import recipes, vocoder
from labkit.speech.corpus import Utterance
from labkit.speech.mel import HOP, SAMPLE_RATE, log_mel, stft
from labkit.speech.vocoder import (
    NeuralVocoder,
    SegmentBatches,
    SpectrumNetwork,
    VocoderConfig,
    fit_to_bands,
    griffin_lim,
)


def pulses(hertz=120.0, seconds=0.4):
    """A voice without a mouth: a click every 1 / hertz seconds, softened."""
    cycles = np.floor(np.arange(int(seconds * SAMPLE_RATE)) * hertz / SAMPLE_RATE)
    clicks = np.diff(cycles, prepend=0)
    return torch.from_numpy(0.5 * np.convolve(clicks, np.exp(-np.arange(60) / 12), "same")).float()


def distance(samples, magnitude):
    return ((stft(samples).abs() - magnitude).norm() / magnitude.norm()).item()


@pytest.mark.parametrize("momentum", [0.0, 0.99])
def test_griffin_lim_equals_librosas(momentum):
    import librosa

    magnitude = stft(pulses()).abs()
    ours = griffin_lim(magnitude, 5, momentum).numpy()
    theirs = librosa.griffinlim(
        magnitude.numpy(),
        n_iter=5,
        hop_length=256,
        n_fft=1024,
        momentum=momentum,
        init=None,
        pad_mode="constant",
    )
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    assert np.abs(griffin_lim(magnitude, 4, momentum).numpy() - theirs).max() > 2e-3


def test_griffin_lim_comes_nearer_with_each_iteration():
    magnitude = stft(pulses()).abs()
    away = [distance(griffin_lim(magnitude, count, momentum=0), magnitude) for count in (0, 4, 32)]
    assert away[0] > away[1] > away[2]


def test_magnitudes_are_brought_to_their_bands():
    magnitude = stft(pulses()).abs()
    mel = log_mel(pulses())
    draw = torch.Generator().manual_seed(0)
    guess = magnitude * (0.5 * torch.randn(magnitude.shape, generator=draw)).exp()
    again, before = (
        ((vocoder.filterbank() @ x).clamp(min=1e-5).log().T - mel).abs().mean()
        for x in (vocoder.fit_to_bands(guess, mel), guess)
    )
    assert again < 0.3 * before
    unheard = vocoder.filterbank().sum(0) == 0
    assert unheard.any()
    assert torch.equal(vocoder.fit_to_bands(guess, mel)[unheard], guess[unheard])


def test_true_phases_are_kept():
    samples = pulses()
    spectrum = stft(samples)
    phase = torch.polar(torch.ones_like(spectrum.abs()), spectrum.angle())
    again = griffin_lim(spectrum.abs(), 3, phase=phase)
    torch.testing.assert_close(again, samples[: len(again)], atol=1e-4, rtol=0)


def test_the_mel_survives_the_way_through_magnitudes():
    mel = log_mel(pulses())
    again = (vocoder.filterbank() @ vocoder.mel_to_magnitude(mel)).clamp(min=1e-5).log().T
    assert (again - mel).abs().mean() < 0.3


@pytest.mark.parametrize("hertz", [80.0, 120.0, 211.0, 330.0])
def test_pitch_is_found_in_magnitudes(hertz):
    pitch, voiced = vocoder.spectral_pitch(stft(pulses(hertz)).abs())
    inner = slice(3, -3)
    assert voiced[inner].all()
    assert (pitch[inner] / hertz).log2().abs().max() < 0.03


def test_noise_and_silence_have_no_pitch():
    draw = torch.Generator().manual_seed(0)
    for samples in (0.1 * torch.randn(9_000, generator=draw), torch.zeros(9_000)):
        assert vocoder.spectral_pitch(stft(samples).abs())[1].float().mean() < 0.1


def test_phases_of_pulses_beat_random_ones():
    samples = pulses(130.0)
    magnitude = stft(samples).abs()
    phase = vocoder.pulse_phase(*vocoder.spectral_pitch(magnitude))
    assert phase.shape == magnitude.shape
    torch.testing.assert_close(phase.abs(), torch.ones_like(magnitude), atol=1e-3, rtol=0)
    draw = torch.Generator().manual_seed(0)
    angles = 2 * torch.pi * torch.rand(magnitude.shape, generator=draw)
    guessed = griffin_lim(magnitude, 6, phase=torch.polar(torch.ones_like(angles), angles))
    assert distance(griffin_lim(magnitude, 6, phase=phase), magnitude) < 0.7 * distance(guessed, magnitude)


@pytest.mark.parametrize("pole", [0.5, -0.7])
def test_phases_of_a_throat_are_those_of_its_filter(pole):
    """H = 1 / (1 - pole / z) has its pole inside the circle: it is a minimum-phase filter."""
    turns = torch.exp(-2j * torch.pi * torch.arange(513) / 1_024)
    response = 1 / (1 - pole * turns)
    phase = vocoder.throat_phase(response.abs()[:, None])[:, 0]
    torch.testing.assert_close(phase, response / response.abs(), atol=1e-4, rtol=0)


def test_a_throat_keeps_pulses_from_clipping():
    """The same magnitudes from phases of bare pulses and of pulses in a throat: the second ones are less peaked."""
    samples = pulses(130.0)
    magnitude = stft(samples).abs()
    bare = vocoder.pulse_phase(*vocoder.spectral_pitch(magnitude))
    peaks = [
        float(griffin_lim(magnitude, 0, phase=phase).abs().max())
        for phase in (bare, bare * vocoder.throat_phase(magnitude))
    ]
    assert peaks[1] < 0.9 * peaks[0]


def test_bands_are_held_and_the_rest_gives_way():
    """Magnitudes that do not fit their bands: what is corrected comes nearer to the bands than what is held."""
    samples = pulses(130.0)
    mel = log_mel(samples)
    smooth = vocoder.mel_to_magnitude(mel)
    phase = vocoder.pulse_phase(*vocoder.spectral_pitch(stft(samples).abs()))
    held = griffin_lim(smooth, 8, phase=phase)
    free = griffin_lim(smooth, 8, phase=phase, corrected=lambda rebuilt: fit_to_bands(rebuilt, mel, 1))
    away = [float((log_mel(one)[2:-2] - mel[2:-2]).abs().mean()) for one in (held, free)]
    assert away[1] < 0.8 * away[0]


def test_the_network_learns_where_harmonics_are():
    told = [
        Utterance("", "en", (), (), (pulses(hertz, 1.5).numpy() * 32_767).astype(np.int16))
        for hertz in (110, 150)
    ]
    recipe = recipes.Recipe(steps=60, learning_rate=5e-3)
    network, history = recipes.train_vocoder(
        told, recipe, progress=False, hidden_size=32, layers=1, kernel_size=3
    )
    assert history.train["loss"][-1] < 0.6 * history.train["loss"][0]
    mel = log_mel(told[0].samples)
    speak = NeuralVocoder(network)
    samples = speak(mel)
    assert len(samples) == (len(mel) - 1) * HOP
    assert np.abs(samples).max() <= 1
    np.testing.assert_array_equal(samples, speak(mel))  # no chance in it


def test_segments_depend_on_their_step_alone_and_fit_together():
    recordings = [(pulses(hertz, 1.0).numpy() * 32_767).astype(np.int16) for hertz in (100, 200)]
    batches = SegmentBatches(recordings, frames=16, batch_size=3, seed=1)
    mels, magnitudes = batches(5)
    assert mels.shape == (3, 16, 80)
    assert magnitudes.shape == (3, 16, 513)
    torch.testing.assert_close(
        mels, (magnitudes @ vocoder.filterbank().T).clamp(min=1e-5).log(), atol=1e-4, rtol=1e-4
    )
    assert torch.equal(mels, SegmentBatches(recordings, 16, 3, seed=1)(5)[0])
    assert not torch.equal(mels, batches(6)[0])
    with pytest.raises(LabkitError, match="No recording"):
        SegmentBatches([np.zeros(10, np.int16)])


def test_an_untrained_network_starts_from_the_bands():
    set_seed(0)
    network = SpectrumNetwork(VocoderConfig(hidden_size=8, layers=1, kernel_size=3))
    mel = log_mel(pulses())[None]
    torch.nn.init.zeros_(network.last.weight)
    torch.nn.init.zeros_(network.last.bias)
    torch.testing.assert_close(network(mel)[0].exp().T, vocoder.mel_to_magnitude(mel[0]).clamp(min=1e-5))


@pytest.mark.parametrize(
    "mel", [torch.zeros(80), torch.zeros(0, 80), torch.zeros(5, 40), torch.full((5, 80), torch.nan)]
)
def test_what_is_not_a_mel_is_refused(mel):
    with pytest.raises(LabkitError, match="log-mel"):
        vocoder.griffin_lim_vocoder(mel)


@pytest.mark.parametrize(("field", "value"), [("hidden_size", 0), ("layers", 1.5), ("kernel_size", 4)])
def test_wrong_configurations_are_named(field, value):
    with pytest.raises(LabkitError, match=f"VocoderConfig.{field}"):
        VocoderConfig(**{field: value})
    with pytest.raises(LabkitError, match="iterations"):
        griffin_lim(torch.ones(513, 4), iterations=-1)
