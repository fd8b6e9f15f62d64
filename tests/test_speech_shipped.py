"""The weights of speech that come with the course do what their cards say, on the shipped sentences."""

import pytest

from labkit import weights
from labkit.speech import corpus, digits, shipped
from labkit.speech.measures import intelligibility, mel_cepstral_distortion
from labkit.speech.mel import log_mel
from labkit.speech.vocoder import griffin_lim_vocoder

TRIED = 4  # sentences


def test_all_weights_are_there_and_small():
    paths = [weights.find_shipped(name) for name in shipped.NAMES]
    assert sum(path.stat().st_size for path in paths) <= 8e6
    for name, path in zip(shipped.NAMES, paths, strict=True):
        assert weights.read_card(path).command == f"labkit train {name}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_voice_says_what_the_judge_hears(language):
    """Shipped sound went through Vorbis, which changes quiet frames: the judge does not mind, a distance in dB does."""
    tried = corpus.shipped(language)[:TRIED]
    judge, voice = shipped.load_judge(language), shipped.load_voice(language)
    said = [voice.speak_phones(one.phones) for one in tried]
    assert shipped.error_rate(judge, tried) <= 0.05
    assert shipped.error_rate(judge, tried, [log_mel(one.samples) for one in said]) <= 0.08
    assert shipped.error_rate(judge, tried, [one.mel() for one in tried[1:] + tried[:1]]) > 0.5
    for ours, one, other in zip(said, tried, tried[1:] + tried[:1], strict=True):
        near, far = (mel_cepstral_distortion(ours.mel, real.mel()) for real in (one, other))
        assert near < 0.8 * far


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_neural_vocoder_beats_griffin_lim(language):
    one, vocoder = corpus.shipped(language)[0], shipped.load_vocoder()
    mel = one.mel()
    ours, theirs = vocoder(mel), griffin_lim_vocoder(mel)
    assert intelligibility(ours, one.samples) > intelligibility(theirs, one.samples)
    assert mel_cepstral_distortion(log_mel(ours), mel, warp=False) < mel_cepstral_distortion(
        log_mel(theirs), mel, warp=False
    )


def test_the_digits_are_understood_by_a_judge_of_recordings():
    model, judge = shipped.load_digit_voice(), shipped.load_digit_judge()
    speakers = model.config.inventory.marks
    asked = [(digit, speakers[digit % len(speakers)]) for digit in range(10)]
    said = [digits.speak(model, *pair) for pair in asked]
    assert digits.recognized(judge, said, [digit for digit, _ in asked]) >= 0.9
    assert digits.recognized(judge, said, [(digit + 1) % 10 for digit, _ in asked]) <= 0.1
