"""The spoken corpus: what is in which split, phones and their times, cache, shipped sentences, folders of recordings."""

from itertools import islice

import numpy as np
import pytest
import torch

from labkit.common import LANGUAGES, LabkitError
from labkit.speech import corpus, sounds
from labkit.speech import engine as voices
from labkit.speech.frontend import PAUSE, Phone, normalize, phonemize
from labkit.speech.mel import HOP, SAMPLE_RATE, SILENCE, frame_count

FEW = 6


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A few training sentences of each language, in a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield {language: corpus.spoken(language, "train", FEW) for language in ("en", "zh")}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_splits_share_no_sentence_and_unseen_words_stay_unseen(language):
    parts = {split: set(islice(corpus.sentences(language, split), 40)) for split in corpus.SPLITS}
    for split in ("held_out", "unseen", "judge"):
        assert not parts["train"] & parts[split] or split == "judge"
    assert not parts["held_out"] & parts["unseen"]
    assert not parts["judge"] & (parts["held_out"] | parts["unseen"])
    assert all(corpus.unseen_words(text, language) for text in parts["unseen"])
    assert not any(corpus.unseen_words(text, language) for text in parts["train"] | parts["held_out"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_durations_cover_the_sound(few, language):
    for one in few[language]:
        assert one.samples.dtype == np.int16
        assert len(one.phones) == len(one.durations)
        assert sum(one.durations) == frame_count(len(one.samples)) == len(one.mel())
        assert min(one.durations) >= 0
        assert one.phones == phonemize(one.text, language)
        assert PAUSE not in "".join(one.sounds)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_long_pauses_lie_where_it_is_quiet_and_vowels_where_it_is_loud(few, language):
    quiet, loud = [], []
    for one in few[language]:
        level = one.mel().mean(1)
        ends = np.cumsum(one.durations)
        for phone, end, frames in zip(one.phones, ends, one.durations, strict=True):
            if frames >= 8:
                (quiet if phone.symbol == PAUSE else loud).append(
                    level[end - frames + 3 : end - 3].mean().item()
                )
    assert max(quiet) < SILENCE + 1 < min(loud)


def test_the_same_sentences_are_spoken_the_same_each_time():
    texts = ["One two.", "Three four."]
    first, second = (voices.speak_all(texts, "en") for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert a.events == b.events
        np.testing.assert_array_equal(a.samples, b.samples)


def test_a_corpus_comes_from_the_cache_and_a_damaged_one_is_made_again(few, monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path))
    made = []

    def make(*arguments):
        made.append(arguments)
        return few["en"]

    monkeypatch.setattr(corpus, "_speak_sentences", make)
    corpus.spoken("en", "train", FEW)
    again = corpus.spoken("en", "train", FEW)
    assert len(made) == 1
    for a, b in zip(few["en"], again, strict=True):
        assert (a.text, a.phones, a.durations, a.pitch) == (b.text, b.phones, b.durations, b.pitch)
        np.testing.assert_array_equal(a.samples, b.samples)
    corpus.spoken("en", "train", FEW, seed=1)
    assert len(made) == 2
    for path in (tmp_path / "speech").iterdir():
        path.write_bytes(path.read_bytes()[:-7])
    corpus.spoken("en", "train", FEW)
    assert len(made) == 3


def test_alignment_refuses_phones_that_were_not_spoken():
    text = normalize("This is Anna.", "en")
    phones, sound = phonemize(text, "en"), voices.engine().speak(text, "en")
    assert corpus.align(phones, sound, "en") is not None
    assert corpus.align(phones[1:], sound, "en") is None
    assert corpus.align((*phones[:-1], Phone("z"), phones[-1]), sound, "en") is None


def test_a_pause_that_is_named_but_not_made_lasts_for_nothing():
    sound = voices.Spoken(np.zeros(20 * HOP, np.int16), (("a", 0), ("b", 5 * HOP)))
    frames = corpus.align((Phone("a"), Phone(PAUSE), Phone("b")), sound, "en")
    assert frames == (5 + corpus.EARLY, 0, 21 - 5 - corpus.EARLY)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fr", "train"), "language"),
        (("en", "test"), "split"),
        (("en", "train", 0), "count"),
        (("en", "train", 2.5), "count"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(LabkitError, match=f"{message} is"):
        corpus.spoken(*arguments)


# Shipped sentences


@pytest.mark.parametrize("language", ["en", "zh"])
def test_shipped_sentences_need_no_engine(language, monkeypatch):
    monkeypatch.setattr(voices, "_load_library", lambda: pytest.fail("the engine was asked for"))
    shipped = corpus.shipped(language)
    assert len(shipped) >= 30
    for one in shipped:
        assert sum(one.durations) == len(one.mel())
        assert one.language == language
    assert 0.1 < np.abs(shipped[0].samples / 32_768).max() <= 1


def test_shipped_sound_is_small():
    assert sum(path.stat().st_size for path in (corpus.data_dir() / "speech").iterdir()) <= 2**20


def test_shipped_sound_is_what_the_engine_says():
    one = corpus.shipped("en")[0]
    again = voices.engine().speak(normalize(one.text, "en"), "en").samples
    assert abs(len(again) - len(one.samples)) < SAMPLE_RATE // 20
    shared = min(len(again), len(one.samples))
    ours, theirs = (torch.from_numpy(x[:shared].astype(np.float32)) for x in (one.samples, again))
    assert (corpus.log_mel(ours / 32_768) - corpus.log_mel(theirs / 32_768)).abs().mean() < 1


# Folders


def write_folder(folder, metadata, names=("a",)):
    (folder / "wavs").mkdir()
    (folder / "metadata.csv").write_text(metadata, encoding="utf-8")
    times = np.arange(4_000) / 8_000
    for name in names:
        sounds.write(folder / "wavs" / f"{name}.wav", 0.3 * np.sin(2 * np.pi * 200 * times), 8_000)


def test_a_folder_like_ljspeechs(tmp_path):
    write_folder(tmp_path, "a|In 1852.|In eighteen fifty-two.\n\nb|你好。\n", ("a", "b"))
    read = list(corpus.read_folder(tmp_path))
    assert [one.text for one in read] == ["In eighteen fifty-two.", "你好。"]
    assert [round(one.sound.seconds, 2) for one in read] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("", "is empty"),
        ("a\n", "Line 1"),
        ("a|Hello.\nb|...\n", "Line 2"),
        ("../a|Hello.\n", "is a path"),
        ("c|Hello.\n", "no sound file"),
    ],
)
def test_a_folder_that_is_not_like_it_is_named(tmp_path, metadata, message):
    write_folder(tmp_path, metadata)
    with pytest.raises(LabkitError, match=message):
        list(corpus.read_folder(tmp_path))


def test_a_folder_without_a_list_is_named(tmp_path):
    with pytest.raises(LabkitError, match="no metadata.csv"):
        list(corpus.read_folder(tmp_path))


def test_without_the_engine_the_shipped_sentences_are_used(monkeypatch):
    monkeypatch.setattr(voices, "available", lambda: False)
    for language in LANGUAGES:
        train, held_out = (
            {one.text for one in corpus.ready(language, split)} for split in ("train", "held_out")
        )
        assert train
        assert held_out
        assert not train & held_out
        assert train | held_out == {one.text for one in corpus.shipped(language)}
        assert len(corpus.ready(language, "unseen", 3)) == 3
    with pytest.raises(LabkitError, match="split"):
        corpus.ready("en", "all")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lessons_own_texts_have_their_phones_without_the_engine(language, monkeypatch):
    texts = [*corpus.LESSON_TEXTS[language], corpus.shipped(language)[0].text]
    by_the_engine = [corpus.phones_of(text, language) for text in texts]
    monkeypatch.setattr(voices, "available", lambda: False)
    assert [corpus.phones_of(text, language) for text in texts] == by_the_engine
    with pytest.raises(LabkitError, match="pip install espeakng-loader"):
        corpus.phones_of("Nobody wrote this down.", language)
