"""Log-mel spectrogram against librosa; sound files of all kinds; what is not sound is named."""

import io
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.speech import mel, sounds


def tone(seconds=0.5, rate=mel.SAMPLE_RATE, hertz=220.0, seed=0):
    times = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(size=len(times))
    return (0.3 * np.sin(2 * np.pi * hertz * times) + 0.01 * noise).astype(np.float32)


def librosa_log_mel(samples, **changed):
    import librosa

    settings = {
        "n_fft": 1024,
        "hop_length": 256,
        "n_mels": 80,
        "fmin": 0,
        "fmax": 8000,
        "power": 1.0,
    } | changed
    return np.log(np.maximum(librosa.feature.melspectrogram(y=samples, sr=22_050, **settings), 1e-5)).T


def test_log_mel_equals_librosas():
    samples = np.concatenate([tone(0.3), np.zeros(3_000, np.float32), tone(0.2, hertz=3_000)])
    ours = mel.log_mel(samples).numpy()
    assert ours.shape == (mel.frame_count(len(samples)), 80)
    np.testing.assert_allclose(ours, librosa_log_mel(samples), atol=1e-4)
    # Another scale, and another window, are seen.
    assert np.abs(ours - librosa_log_mel(samples, htk=True)).max() > 0.1
    assert np.abs(ours - librosa_log_mel(samples, window="hamming")).max() > 0.1


def test_filterbank_equals_librosas():
    import librosa

    theirs = librosa.filters.mel(sr=22_050, n_fft=1024, n_mels=80, fmin=0, fmax=8000)
    np.testing.assert_allclose(mel.filterbank().numpy(), theirs, atol=1e-7)


@given(st.floats(0, 11_025))
def test_mel_scale_has_an_inverse(hertz):
    assert mel.mel_to_hertz(mel.hertz_to_mel(hertz)) == pytest.approx(hertz, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5_000), st.integers(0, 9))
def test_spectrum_and_back(length, seed):
    samples = torch.from_numpy(np.random.default_rng(seed).normal(size=length).astype(np.float32))
    spectrum = mel.stft(samples)
    assert spectrum.shape == (513, mel.frame_count(length))
    kept = min(length, (spectrum.shape[1] - 1) * mel.HOP)
    if kept:
        torch.testing.assert_close(mel.istft(spectrum)[:kept], samples[:kept], atol=1e-4, rtol=0)


def test_int16_is_the_same_sound():
    samples = np.round(tone() * 32_768).astype(np.int16)
    torch.testing.assert_close(mel.log_mel(samples), mel.log_mel(samples.astype(np.float32) / 32_768))


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros((2, 9), np.float32)])
def test_what_is_not_one_channel_is_refused(samples):
    with pytest.raises(LabkitError, match="one channel"):
        mel.log_mel(samples)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_files_of_any_rate_mono_and_stereo(tmp_path, rate, channels, suffix):
    import soundfile

    samples = tone(0.4, rate)
    stereo = np.stack([samples, samples], axis=1) if channels == 2 else samples
    soundfile.write(tmp_path / f"a{suffix}", stereo, rate)
    read = sounds.read(tmp_path / f"a{suffix}")
    assert read.seconds == pytest.approx(0.4, abs=0.01)
    spectrum = np.abs(np.fft.rfft(read.samples))
    assert np.fft.rfftfreq(len(read.samples), 1 / 22_050)[spectrum.argmax()] == pytest.approx(220, abs=3)


def test_stereo_that_cancels_is_silent(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.stack([tone(), -tone()], axis=1), 22_050)
    with pytest.raises(LabkitError, match="silent"):
        sounds.read(tmp_path / "a.wav")


BAD = {
    "silent": np.zeros(9_000, np.float32),
    "NaN": np.where(np.arange(9_000) == 5, np.nan, 0.1).astype(np.float32),
    "clipped": np.clip(20 * tone(), -1, 1),
    "length is zero": np.zeros(0, np.float32),
    "lasts 0.000454 s": np.ones(10, np.float32) * 0.1,
    "one channel": np.ones((2, 9_000), np.float32),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_sound_is_named(message):
    with pytest.raises(LabkitError, match=message):
        sounds.from_samples(BAD[message], name="a.wav")


def test_loud_speech_is_not_taken_for_clipped():
    samples = tone()
    sounds.check(samples / np.abs(samples).max())


def test_files_that_are_no_sound_are_named(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    for name in ("a.wav", "empty.wav"):
        with pytest.raises(LabkitError, match=f"{name} cannot be read"):
            sounds.read(tmp_path / name)
    with pytest.raises(LabkitError, match="no sound file"):
        sounds.read(tmp_path / "b.wav")
    with pytest.raises(LabkitError, match="rate of"):
        sounds.from_samples(tone(), rate=5)
    with pytest.raises(LabkitError, match="not a sound file's name"):
        sounds.write(tmp_path / "a.txt", tone())


def test_a_written_file_is_read_again(tmp_path):
    sounds.write(tmp_path / "a.wav", tone())
    np.testing.assert_allclose(sounds.read(tmp_path / "a.wav").samples, tone(), atol=1e-4)


def test_players_are_small_and_hold_the_sound():
    import soundfile

    player = sounds.play(real_sound=tone(2.0), ours=tone(1.0))
    assert repr(player) == "real sound: 2.00 s\nours: 1.00 s"
    page = player._repr_html_()
    assert page.count("<audio controls") == 2
    assert len(page) < 3 * 20_000
    decoded, rate = soundfile.read(io.BytesIO(player.sounds["real sound"]))
    assert rate == 22_050
    assert np.corrcoef(decoded[2_000:40_000], tone(2.0)[2_000:40_000])[0, 1] > 0.9
    with pytest.raises(LabkitError, match="ours is silent"):
        sounds.play(ours=np.zeros(9_000))
    with pytest.raises(LabkitError, match="nothing to play"):
        sounds.play()


def test_importing_speech_imports_neither_numba_nor_librosa():
    modules = "corpus frontend mel sounds acoustic tasks vocoder recognizer measures synthesis recipes shipped digits"
    lines = "; ".join(f"import labkit.speech.{name}" for name in modules.split())
    code = f"{lines}; import sys; print([m for m in ('numba', 'librosa', 'jiwer', 'pystoi') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
