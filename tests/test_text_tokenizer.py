"""Tokenizers: exact round trips, special tokens that cannot be typed, and BPE against a second implementation."""

import itertools
import json
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.text import tokenizer as module
from labkit.text.tokenizer import SPECIAL, BPETokenizer, CharTokenizer, load_tokenizer

ENGLISH = "The baker sells bread at the market. It's 3 o'clock, and the baker's bread costs 12 coins.\n"
CHINESE = "面包师在市场上卖面包。面包三元一个，便宜又好吃！\n"
TEXTS = [
    ENGLISH * 3,
    CHINESE * 3,
    "A nurse lives near the river, and the river floods.\n\n  He can't swim.\n",
]

BPE = BPETokenizer.train(TEXTS, 340)
CHARACTERS = CharTokenizer.from_text(TEXTS)
BOTH = pytest.mark.parametrize("tokenizer", [BPE, CHARACTERS], ids=["bpe", "characters"])

# Any text without surrogates, with much of what breaks tokenizers: controls, look-alikes of special tokens,
# combining signs, blanks of many kinds.
PIECES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(categories=["Cc", "Zs", "Zl", "Zp", "Mn"])),
    st.sampled_from(
        [*SPECIAL, "<|", "|>", "\r\n", "\n\n ", "面包", "Ġ", "Ċ", "\ufeff", "👩‍👩‍👧", "�", "<0xE4>"]
    ),
)
ANY_TEXT = st.lists(PIECES, max_size=8).map("".join)


@BOTH
@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT)
def test_round_trip_is_exact_and_never_makes_special_tokens(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode(ids, skip_special=True) == text
    assert all(len(SPECIAL) <= token < tokenizer.vocab_size for token in ids)
    assert b"".join(map(tokenizer.token_bytes, ids)) == text.encode()


@BOTH
@settings(max_examples=100, deadline=None)
@given(text=ANY_TEXT)
def test_special_tokens_are_made_only_on_request(tokenizer, text):
    ids = tokenizer.encode(text, allow_special=True)
    written = re.findall("|".join(map(re.escape, SPECIAL)), text)
    assert [token for token in ids if token < len(SPECIAL)] == [SPECIAL.index(name) for name in written]
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode(ids, skip_special=True) == re.sub("|".join(map(re.escape, SPECIAL)), "", text)
    # One call does not change the next.
    assert not set(tokenizer.encode(text)) & set(range(len(SPECIAL)))


@BOTH
def test_special_ids(tokenizer):
    assert [tokenizer.token_text(i) for i in range(5)] == list(SPECIAL)
    assert (tokenizer.eos_id, tokenizer.pad_id, tokenizer.mask_id) == (0, 1, 2)
    assert tokenizer.special_tokens == SPECIAL
    assert len(tokenizer) == tokenizer.vocab_size


@BOTH
@settings(max_examples=60, deadline=None)
@given(
    text=ANY_TEXT,
    lines=st.lists(st.sampled_from([ENGLISH, CHINESE, "\n", " \n", "\n\t", "x", "。"]), max_size=30),
)
def test_chunks_are_the_whole(tokenizer, text, lines):
    text = text + "".join(lines) + text
    before = module.CHUNK_CHARACTERS
    module.CHUNK_CHARACTERS = 7  # so that there are many cuts
    try:
        chunks = list(tokenizer.encode_chunks(text))
    finally:
        module.CHUNK_CHARACTERS = before
    assert [token for chunk in chunks for token in chunk.tolist()] == tokenizer.encode(text)


def test_long_text_is_taken_apart():
    assert len(list(BPE.encode_chunks(ENGLISH * 2000))) > 1
    assert len(list(CHARACTERS.encode_chunks(ENGLISH * 2000))) > 1


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
@BOTH
def test_decodes_any_kind_of_ids(tokenizer, kind):
    assert tokenizer.decode(kind(tokenizer.encode(ENGLISH))) == ENGLISH


@BOTH
@pytest.mark.parametrize("wrong", [-1, 100_000])
def test_unknown_ids_are_refused(tokenizer, wrong):
    with pytest.raises(LabkitError, match=f"no token {wrong}"):
        tokenizer.decode([5, wrong])
    with pytest.raises(LabkitError, match=f"no token {wrong}"):
        tokenizer.token_text(wrong)


@BOTH
def test_half_characters_are_refused_by_place(tokenizer):
    with pytest.raises(LabkitError, match="U\\+D83D at 2"):
        tokenizer.encode("ab\ud83d")
    with pytest.raises(LabkitError, match="not int"):
        tokenizer.encode(5)


@BOTH
def test_a_cut_character_is_shown_and_not_lost(tokenizer):
    ids = tokenizer.encode("é")  # not in the training text: two bytes
    assert len(ids) == 2
    assert tokenizer.decode(ids[:1]) == "\ufffd"
    assert [tokenizer.token_text(token) for token in ids] == ["\\xc3", "\\xa9"]


@BOTH
def test_saved_and_loaded(tokenizer, tmp_path):
    path = tmp_path / "some-tokenizer.json"
    tokenizer.save(path)
    for loaded in (type(tokenizer).load(path), load_tokenizer(str(path))):
        assert type(loaded) is type(tokenizer)
        assert loaded.fingerprint == tokenizer.fingerprint
        assert (loaded.eos_id, loaded.pad_id, loaded.mask_id) == (0, 1, 2)
        for text in (*TEXTS, "ÿ\x00<|pad|>"):
            assert loaded.encode(text) == tokenizer.encode(text)
    tokenizer.save(tmp_path)
    assert (tmp_path / "tokenizer.json").read_bytes() == path.read_bytes()
    assert load_tokenizer(tmp_path).fingerprint == tokenizer.fingerprint


def test_fingerprints_tell_apart():
    others = [
        BPETokenizer.train(TEXTS, 339),
        BPETokenizer.train(TEXTS[:2], 340),
        CharTokenizer.from_text(TEXTS[0]),
        CharTokenizer.from_text(TEXTS, byte_fallback=False),
    ]
    prints = {tokenizer.fingerprint for tokenizer in (BPE, CHARACTERS, *others)}
    assert len(prints) == 6


def test_load_errors(tmp_path):
    with pytest.raises(LabkitError, match="no tokenizer at"):
        load_tokenizer(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    for content in ("{", "[1]", "{}", '{"format": "labkit-characters"}', '{"model": 3}'):
        broken.write_text(content, encoding="utf-8")
        with pytest.raises(LabkitError, match="broken.json"):
            load_tokenizer(broken)
    BPE.save(broken)
    with pytest.raises(LabkitError, match="no character tokenizer"):
        CharTokenizer.load(broken)
    CHARACTERS.save(broken)
    with pytest.raises(LabkitError, match="a character tokenizer"):
        BPETokenizer.load(broken)


# Characters


def test_characters_alone_are_those_of_the_text_in_order():
    tokenizer = CharTokenizer.from_text("cab\n", byte_fallback=False)
    assert tokenizer.vocab_size == 4
    assert tokenizer.encode("abc\n") == [1, 2, 3, 0]
    assert (tokenizer.eos_id, tokenizer.pad_id, tokenizer.mask_id) == (None, None, None)
    with pytest.raises(LabkitError, match="'é' \\(U\\+00E9, at 1\\)"):
        tokenizer.encode("aé")
    assert tokenizer.encode("") == []


def test_seen_characters_cost_one_token_and_unseen_ones_their_bytes():
    assert len(CHARACTERS.encode(CHINESE)) == len(CHINESE)
    assert len(CHARACTERS.encode("河")) == 3
    assert CHARACTERS.vocab_size == 5 + 256 + len(set("".join(TEXTS)))


def test_characters_refuse_nothing():
    with pytest.raises(LabkitError, match="no characters"):
        CharTokenizer.from_text("", byte_fallback=False)
    with pytest.raises(LabkitError, match="twice"):
        CharTokenizer.from_text("a", special_tokens=["<a>", "<a>"])


# BPE


def merged(tokens, pair):
    """``tokens`` with every occurrence of ``pair`` joined, from left to right."""
    result, place = [], 0
    while place < len(tokens):
        if tuple(tokens[place : place + 2]) == pair:
            result.append(tokens[place] + tokens[place + 1])
            place += 2
        else:
            result.append(tokens[place])
            place += 1
    return result


def slow_merges(words: Counter, count: int) -> list[tuple[bytes, bytes]]:
    """Byte-pair encoding after Sennrich et al. 2016, algorithm 1: the most frequent pair of neighbours, of
    equally frequent ones that of the smaller ids, is joined everywhere; again and again."""
    split = {word: [bytes([value]) for value in word.encode()] for word in words}
    ids = {BPE.token_bytes(token): token for token in range(len(SPECIAL), len(SPECIAL) + 256)}
    learned = []
    for _ in range(count):
        pairs = Counter()
        for word, tokens in split.items():
            for pair in itertools.pairwise(tokens):
                pairs[pair] += words[word]
        best = max(pairs, key=lambda pair: (pairs[pair], -ids[pair[0]], -ids[pair[1]]))
        learned.append(best)
        ids.setdefault(best[0] + best[1], len(SPECIAL) + len(ids))
        split = {word: merged(tokens, best) for word, tokens in split.items()}
    return learned


def cut_into_words(text: str) -> list[str]:
    """The rule of PATTERN for lower-case ASCII letters and single blanks."""
    return re.findall(r" ?[a-z]+", text)


def test_merges_equal_those_of_a_slow_implementation():
    rng = np.random.default_rng(0)
    syllables = ["ba", "ker", "mar", "ket", "ri", "ver", "t", "s"]
    words = ["".join(rng.choice(syllables, rng.integers(1, 4))) for _ in range(300)]
    text = " ".join(words)
    tokenizer = BPETokenizer.train(text, 5 + 256 + 60)
    learned = slow_merges(Counter(cut_into_words(text)), 60)
    assert tokenizer.merges == learned
    # and encoding applies the merges in the order in which they were learned
    unseen = "baker verse marketsriver"
    expected = []
    for word in cut_into_words(unseen):
        tokens = [bytes([value]) for value in word.encode()]
        for pair in learned:
            tokens = merged(tokens, pair)
        expected += tokens
    assert [tokenizer.token_bytes(token) for token in tokenizer.encode(unseen)] == expected


def test_every_byte_has_a_token():
    assert sorted(BPE.token_bytes(token) for token in range(5, 261)) == [bytes([v]) for v in range(256)]


def test_numbers_are_spelled_and_words_do_not_cross_blanks():
    tokens = [BPE.token_text(token) for token in BPE.encode(ENGLISH * 3)]
    assert not [token for token in tokens if sum(map(str.isdigit, token)) > 1]
    assert not [token for token in tokens if " " in token.strip()]
    assert " the" in tokens


def test_small_corpora_give_fewer_tokens_and_say_so():
    tokenizer = BPETokenizer.train("ab ab", 5000)
    assert tokenizer.vocab_size == 5 + 256 + 1 == len(tokenizer)
    assert tokenizer.merges == [(b"a", b"b")]


def test_training_takes_generators_and_other_special_tokens():
    tokenizer = BPETokenizer.train((text for text in TEXTS), 340)
    assert tokenizer.fingerprint == BPE.fingerprint
    plain = BPETokenizer.train(TEXTS, 300, special_tokens=())
    assert (plain.eos_id, plain.token_bytes(0)) == (None, b"!")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TEXTS, 260), "from 261"),
        ((TEXTS, 300.0), "whole number"),
        (([], 300), "got no text"),
        ((["", ""], 300), "got no text"),
        (([b"bytes"], 300), "not bytes"),
        ((["\udc00"], 300), "U\\+DC00"),
        ((TEXTS, 300, ["<a>", "<a>"]), "twice"),
        ((TEXTS, 300, "<a>"), "list of names"),
    ],
)
def test_training_refuses(arguments, message):
    with pytest.raises(LabkitError, match=message):
        BPETokenizer.train(*arguments)


def test_training_is_the_same_in_another_process():
    # Hash tables are seeded anew in each process, so an order taken from one would show.
    code = (
        "import sys, json; from labkit.text.tokenizer import BPETokenizer;"
        "print(BPETokenizer.train(json.loads(sys.argv[1]), 340).fingerprint)"
    )
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", code, json.dumps(TEXTS)], capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == BPE.fingerprint


def test_importing_loads_no_library():
    code = (
        "import sys, labkit.text.tokenizer; print([m for m in ('tokenizers', 'torch') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# Files of other models


def test_transformers_reads_the_file_and_gives_equal_ids(tmp_path):
    from transformers import PreTrainedTokenizerFast

    BPE.save(tmp_path / "tokenizer.json")
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    for text in (*TEXTS, "ÿ é 👩‍👩‍👧 \r\n\x00 12.5%", "  leading and trailing  "):
        ids = BPE.encode(text)
        assert theirs.encode(text) == ids
        assert theirs.decode(ids, clean_up_tokenization_spaces=False) == text
    chat = "<|im_start|>user\nHello<|im_end|>"
    assert theirs.encode(chat) == BPE.encode(chat, allow_special=True)
    assert len(theirs) == BPE.vocab_size


def foreign(tmp_path):
    """A tokenizer.json in the manner of another model, written by the library alone."""
    import tokenizers

    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>", "<end>", "<pad>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # with merges of blanks and line ends, so that a cut at the wrong place shows
    tokenizer.train_from_iterator([*TEXTS, "x.\n \ny \n\n" * 20], trainer)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(tmp_path / "tokenizer.json"))


def test_a_file_that_cuts_pads_and_frames_gives_the_text_alone(tmp_path):
    foreign(tmp_path)
    tokenizer = BPETokenizer.load(tmp_path)
    ids = tokenizer.encode(ENGLISH + "<s>")
    assert tokenizer.decode(ids) == ENGLISH + "<s>"
    assert not set(ids) & {0, 1, 2, 3}
    assert (tokenizer.eos_id, tokenizer.pad_id, tokenizer.mask_id) == (1, 3, None)
    long = (ENGLISH + " \n") * 1500
    chunks = [token for chunk in tokenizer.encode_chunks(long) for token in chunk.tolist()]
    assert chunks == tokenizer.encode(long)


def test_the_configuration_beside_it_names_the_end_token(tmp_path):
    foreign(tmp_path)
    config = {"eos_token": {"content": "<end>"}, "pad_token": "<pad>", "mask_token": None}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    assert BPETokenizer.load(tmp_path).eos_id == 2
    (tmp_path / "tokenizer_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(LabkitError, match="tokenizer_config.json"):
        BPETokenizer.load(tmp_path)
