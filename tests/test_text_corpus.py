"""Anyone's text: encodings, kinds of files, errors that help; token files; batches that miss and repeat nothing."""

import json
import os
import random
import sys
import time
import tracemalloc
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.text import corpus
from labkit.text.corpus import (
    ContinuedBatches,
    CorpusWarning,
    PackedBatches,
    detect_encoding,
    load_corpus,
    open_tokens,
    read_texts,
    split_tokens,
    token_file,
    write_tokens,
)
from labkit.text.tokenizer import BPETokenizer, CharTokenizer

ENGLISH = "The baker sells bread at the market.\nIt is three o'clock.\n"
CHINESE = "面包师在市场上卖面包。\n现在是下午三点，街上人很多。\n"
MIXED = "Qwen 是一个语言模型 (language model)。\n"
RUSSIAN = "Пекарь продаёт хлеб на рынке.\n"
JAPANESE = "パン屋は市場でパンを売っています。\n"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Encodings


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, MIXED, RUSSIAN, JAPANESE, ENGLISH + CHINESE * 20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_are_found_out(tmp_path, text, encoding):
    path = write(tmp_path / "text.txt", text.encode(encoding))
    assert read_texts(path) == [text]
    assert detect_encoding(path.read_bytes()) == encoding


@pytest.mark.parametrize("text", [CHINESE, MIXED, ENGLISH * 100 + CHINESE, "你好", "你好，世界！"])
@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "gb2312"])
def test_chinese_encodings_are_found_out(tmp_path, text, encoding):
    content = text.encode(encoding)
    assert detect_encoding(content) == "gb18030"
    assert read_texts(write(tmp_path / "text.txt", content)) == [text]


def test_utf_16_of_hanzi_alone_has_no_zero_bytes_and_is_found_out():
    text = "面包师在市场上卖面包现在是下午三点街上人很多"
    for encoding in ("utf-16-le", "utf-16-be"):
        content = text.encode(encoding)
        assert b"\0" not in content
        assert detect_encoding(content) == encoding


def test_a_character_that_ends_beyond_the_sample_is_no_fault():
    text = CHINESE * 6000
    assert len(text) > corpus.SAMPLE_CHARACTERS
    for encoding in ("utf-8", "gb18030", "utf-16-le"):
        assert detect_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Un café très détaillé, façade naïve à la crème brûlée.\n" * 3),
        ("cp1252", "Straße, Mädchen, größer, Übung.\n"),
        ("cp1251", RUSSIAN * 3),
        ("big5", "這是一個文本生成模型。今天天氣很好，我們去公園散步。\n"),
        ("shift_jis", JAPANESE * 3),
        ("euc_kr", "오늘은 날씨가 좋아서 공원에 갑니다.\n" * 3),
    ],
)
def test_other_encodings_are_refused_with_help_and_read_by_name(tmp_path, encoding, text):
    path = write(tmp_path / "old.txt", text.encode(encoding))
    with pytest.raises(LabkitError) as error:
        read_texts(path)
    for part in ("old.txt", "UTF-8", "UTF-16", "GB18030", "encoding='cp1252'"):
        assert part in str(error.value)
    assert read_texts(path, encoding=encoding) == [text]


def test_a_named_encoding_is_checked(tmp_path):
    path = write(tmp_path / "text.txt", CHINESE.encode("gb18030"))
    with pytest.raises(LabkitError, match="is not utf-8: .* at byte 0"):
        read_texts(path, encoding="utf-8")
    for name in ("klingon", "base64"):
        with pytest.raises(LabkitError, match=f"no encoding '{name}'"):
            read_texts(path, encoding=name)
    marked = write(tmp_path / "marked.txt", "\ufeff" + ENGLISH)
    assert read_texts(marked, encoding="utf-8") == [ENGLISH]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF-1.7\n...", "is a PDF"),
        (b"PK\x03\x04\x14\x00\x06\x00", "Office document"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "PNG"),
        (bytes(range(256)) * 4, "binary"),
        (random.Random(0).randbytes(5000), "binary"),
        (np.arange(500, dtype="<f4").tobytes(), "binary"),
        (b"\x01\x02\x03\x04 abc \x05\x06", "binary"),
        (b"text\0", "binary"),
        (b"", "empty"),
        (b" \n\t \r\n", "too short: 0 characters"),
        (b"\xef\xbb\xbf", "too short"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, message):
    with pytest.raises(LabkitError, match=message) as error:
        read_texts(write(tmp_path / "thing.txt", content))
    assert "thing.txt" in str(error.value)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused(content):
    try:
        encoding = detect_encoding(content)
    except LabkitError:
        return
    content.decode(encoding)


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_in_utf_8_is_utf_8(text):
    assert detect_encoding(text.encode()) == ("utf-8-sig" if text[0] == "\ufeff" else "utf-8")


# Text files and folders


def test_line_ends_become_one_and_nothing_else_changes(tmp_path):
    path = write(tmp_path / "a.txt", "  one\r\ntwo\rthree \u2028 four\n\n")
    texts = read_texts(str(path))
    assert texts == ["  one\ntwo\nthree \u2028 four\n\n"]
    assert (texts.sources, texts.skipped) == (["a.txt"], [])


def test_too_short_and_missing(tmp_path):
    write(tmp_path / "story.txt", "abc")
    assert read_texts(tmp_path / "story.txt", min_characters=3) == ["abc"]
    with pytest.raises(LabkitError, match="story.txt is too short: 3 characters, and at least 4"):
        read_texts(tmp_path / "story.txt", min_characters=4)
    with pytest.raises(LabkitError, match="no file or folder .*storry.txt. Did you mean story.txt?"):
        read_texts(tmp_path / "storry.txt")
    with pytest.raises(LabkitError, match="Nor is there a folder"):
        read_texts(tmp_path / "none" / "a.txt")
    with pytest.raises(LabkitError, match="min_characters is 0"):
        read_texts(tmp_path, min_characters=0)


def test_a_folder_is_read_in_sorted_order_and_says_what_it_skips(tmp_path):
    write(tmp_path / "b.txt", "text b")
    write(tmp_path / "a" / "2.txt", CHINESE.encode("gb18030"))
    write(tmp_path / "a" / "10.md", ENGLISH.encode("utf-16"))
    write(tmp_path / "c.csv", "id,text\n1,row one\n2,\n3,row three\n")
    write(tmp_path / "picture.png", b"\x89PNG\r\n\x1a\n")
    write(tmp_path / "void.txt", "")
    write(tmp_path / ".git" / "config", "hidden text")
    with pytest.warns(CorpusWarning, match="5 texts were read and 4 skipped: .git hidden; .* and 1 more"):
        texts = read_texts(tmp_path)
    assert texts == [ENGLISH, CHINESE, "text b", "row one", "row three"]
    assert texts.sources == ["a/10.md", "a/2.txt", "b.txt", "c.csv:2", "c.csv:4"]
    assert [s.source for s in texts.skipped] == [".git", "c.csv:3", "picture.png", "void.txt"]
    assert [s.reason for s in texts.skipped][:2] == ["hidden", "has no text"]


def test_a_folder_without_text_says_why(tmp_path):
    with pytest.raises(LabkitError, match="no text in the folder .* It is empty"):
        read_texts(tmp_path)
    write(tmp_path / "void.txt", "")
    with pytest.raises(LabkitError, match="Skipped: void.txt is empty"):
        read_texts(tmp_path)


def test_a_broken_table_in_a_folder_is_an_error_and_not_a_loss(tmp_path):
    write(tmp_path / "a.txt", "text")
    write(tmp_path / "b.jsonl", '{"text": "one"}\n{"text": \n')
    with pytest.raises(LabkitError, match="b.jsonl, line 2"):
        read_texts(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_links_to_folders_are_not_followed(tmp_path):
    write(tmp_path / "a" / "text.txt", "text")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    with pytest.warns(CorpusWarning, match="link to a folder"):
        assert read_texts(tmp_path) == ["text"]


def test_nothing_skipped_means_no_warning(tmp_path):
    write(tmp_path / "a.txt", "text")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_texts(tmp_path) == ["text"]


# JSONL


def test_json_lines(tmp_path):
    rows = [{"id": 1, "text": "one\u2028x"}, {"id": 2, "text": "二"}, {"text": "three", "title": "T"}]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n"
    path = write(tmp_path / "a.jsonl", text)
    assert read_texts(path) == ["one\u2028x", "二", "three"]
    assert read_texts(path).sources == ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3"]
    with pytest.warns(CorpusWarning, match="a.jsonl:1 has no text; a.jsonl:2"):
        assert read_texts(path, column="title") == ["T"]
    assert read_texts(write(tmp_path / "b.jsonl", '"x"\n"y"\n')) == ["x", "y"]
    assert read_texts(write(tmp_path / "c.ndjson", '{"text": "x"}\r\n{"text": "y"}')) == ["x", "y"]


def test_json_lines_that_are_short_or_null_are_reported(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"text": "long enough"}\n{"text": "no"}\n{"text": null}\n{}\n')
    with pytest.warns(CorpusWarning):
        texts = read_texts(path, min_characters=5)
    assert texts == ["long enough"]
    assert [s.source for s in texts.skipped] == ["a.jsonl:2", "a.jsonl:3", "a.jsonl:4"]
    with pytest.raises(LabkitError, match="no row with a text of at least 50 characters \\(4 rows"):
        read_texts(path, min_characters=50)


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ('{"text": "x"}\n{"text": "y"', None, "line 2, is not JSON"),
        ('{"text": "x"}\n\n{"text": 5}', None, "line 3: 'text' is int"),
        ("[1]\n", None, "line 1: the value is list"),
        (
            '{"text": "x", "body2": "y"}',
            "tetx",
            "no column 'tetx'. Its columns: 'text', 'body2'. Did you mean 'text'",
        ),
        ('{"id": 1, "story": "y"}', None, "no column called 'text'.* column='story'"),
    ],
)
def test_json_lines_errors(tmp_path, content, column, message):
    with pytest.raises(LabkitError, match=message) as error:
        read_texts(write(tmp_path / "a.jsonl", content), column=column)
    assert "a.jsonl" in str(error.value)


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_out(tmp_path, delimiter):
    rows = [
        ["id", "text", "label"],
        ["1", f"one{delimiter} with the delimiter", "a"],
        ["2", 'two "quoted"\nover lines', "b"],
        ["3", "three, four; five", "a"],
    ]
    lines = [delimiter.join(f'"{f.replace(chr(34), 2 * chr(34))}"' for f in row) for row in rows]
    texts = read_texts(write(tmp_path / "a.csv", "\r\n".join(lines) + "\r\n"))
    assert texts == [row[1] for row in rows[1:]]
    assert texts.sources == ["a.csv:2", "a.csv:3", "a.csv:5"]


def test_csv_columns(tmp_path):
    path = write(tmp_path / "a.csv", "title, story\nA,first\nB,second\n".encode("utf-8-sig"))
    assert read_texts(path, column="story") == ["first", "second"]
    assert read_texts(path, column="title") == ["A", "B"]
    with pytest.raises(LabkitError, match="no column 'text'. Its columns: 'title', 'story'"):
        read_texts(path, column="text")
    with pytest.raises(LabkitError, match="Say which one holds the texts, as in column='title'"):
        read_texts(path)
    assert read_texts(write(tmp_path / "b.csv", "内容,类\n面包师，卖面包,一\n"), encoding="utf-8") == [
        "面包师，卖面包"
    ]
    assert read_texts(write(tmp_path / "c.csv", "text\nhello, world\nsecond; row\n")) == [
        "hello, world",
        "second; row",
    ]
    assert read_texts(write(tmp_path / "d.tsv", "text\tid\na, b\t1\n")) == ["a, b"]


def test_a_csv_of_one_long_field(tmp_path):
    long = "word " * 50_000
    assert read_texts(write(tmp_path / "a.csv", f'id,text\n1,"{long}"\n')) == [long]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,text\n1,one\n2,two, and more\n", "line 3, has 3 fields, and the first row 2"),
        ('id,text\n1,one\n2,"never closed\n3,three\n', "is broken"),
        ('id,text\n1,"a "word" here"\n', "line 2, is broken"),
        ("id,text\n", "no row with a text"),
        ("A first sentence without a header.\nA second one.\n", "no column called 'text'"),
    ],
)
def test_csv_errors(tmp_path, content, message):
    with pytest.raises(LabkitError, match=message) as error:
        read_texts(write(tmp_path / "a.csv", content))
    assert "a.csv" in str(error.value)


# Corpora by name


def test_corpora_by_name(tmp_path):
    english = load_corpus("town:en", size_bytes=3000)
    chinese = load_corpus("town:zh", size_bytes=3000)
    assert sum(len(text.encode()) for text in english) >= 3000
    assert english == load_corpus("town:en", size_bytes=3000)
    assert english != load_corpus("town:en", size_bytes=3000, seed=1)
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese[0])
    assert load_corpus(write(tmp_path / "a.txt", ENGLISH)) == [ENGLISH]
    with pytest.raises(LabkitError, match="town:en and town:zh"):
        load_corpus("town:fr")
    with pytest.raises(LabkitError, match="no corpus, file or folder 'nothing'"):
        load_corpus("nothing")
    with pytest.raises(LabkitError, match="digits is no text corpus"):
        load_corpus("digits")


@pytest.mark.skipif(
    not os.environ.get("LABKIT_DATA"), reason="Tiny Shakespeare is not downloaded in tests: set LABKIT_DATA"
)
def test_tiny_shakespeare():
    (text,) = load_corpus("tinyshakespeare")
    assert len(text) == 1_115_394
    tokenizer = CharTokenizer.from_text(text, byte_fallback=False)
    assert tokenizer.vocab_size == 65
    ids = np.concatenate(list(tokenizer.encode_chunks(text)))
    train, held_out = split_tokens(ids)
    assert (len(train), len(held_out)) == (1_003_854, 111_540)  # nanoGPT's


# Token files

CHARACTERS = CharTokenizer.from_text([ENGLISH, CHINESE])
BPE = BPETokenizer.train([ENGLISH, CHINESE], 300)


@pytest.mark.parametrize("tokenizer", [CHARACTERS, BPE], ids=["characters", "bpe"])
def test_token_files(tmp_path, tokenizer):
    documents = [ENGLISH, CHINESE, "<|endoftext|> é"]
    written = write_tokens(tmp_path / "new" / "train.bin", iter(documents), tokenizer)
    tokens = open_tokens(written.path, tokenizer, verify=True)
    expected = []
    for document in documents:
        expected += [tokenizer.eos_id] * bool(expected) + tokenizer.encode(document)
    assert isinstance(tokens, np.memmap)
    assert (tokens.dtype, tokens.tolist()) == (np.uint16, expected)
    assert np.count_nonzero(tokens == tokenizer.eos_id) == 2
    assert (written.num_documents, written.num_tokens) == (3, len(expected))
    assert written.num_characters == sum(map(len, documents))
    assert token_file(written.path) == written
    assert sorted(p.name for p in written.path.parent.iterdir()) == ["train.bin", "train.bin.json"]
    with pytest.raises(ValueError, match="read-only"):
        tokens[0] = 1


def test_large_vocabularies_take_four_bytes(tmp_path):
    tokenizer = CharTokenizer(map(chr, range(0x4E00, 0x4E00 + 30_000)))
    many = CharTokenizer([chr(code) for code in range(0x20000, 0x20000 + 66_000)])
    assert write_tokens(tmp_path / "a", "一丁", tokenizer).dtype == "<u2"
    written = write_tokens(tmp_path / "b", chr(0x20000 + 65_999), many)
    assert written.dtype == "<u4"
    assert written.open().tolist() == [many.vocab_size - 1]


def test_many_documents_are_written_in_parts(tmp_path, monkeypatch):
    documents = [ENGLISH[: 5 + i % 40] for i in range(500)]
    whole = write_tokens(tmp_path / "a", documents, BPE)
    monkeypatch.setattr(corpus, "WRITE_TOKENS", 64)
    assert write_tokens(tmp_path / "b", documents, BPE).sha256 == whole.sha256


def test_writing_needs_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "WRITE_TOKENS", 4096)
    documents = (ENGLISH for _ in range(2000))
    tracemalloc.start()
    written = write_tokens(tmp_path / "a", documents, CHARACTERS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written.num_tokens == 2000 * (len(ENGLISH) + 1) - 1  # 0.95 MB as a list of small integers
    assert peak < 4096 * 8 * 8


def test_the_wrong_tokenizer_is_refused(tmp_path):
    written = write_tokens(tmp_path / "a", [ENGLISH], CHARACTERS)
    with pytest.raises(LabkitError, match="another tokenizer"):
        open_tokens(written.path, BPE)
    with pytest.raises(LabkitError, match="another tokenizer"):
        open_tokens(written.path, CharTokenizer.from_text(ENGLISH))
    CHARACTERS.save(tmp_path / "tokenizer.json")
    assert len(open_tokens(written.path, CharTokenizer.load(tmp_path)))


def test_damaged_token_files_are_refused(tmp_path):
    path = write_tokens(tmp_path / "a.bin", [ENGLISH], CHARACTERS).path
    header = tmp_path / "a.bin.json"
    content, text = path.read_bytes(), header.read_text(encoding="utf-8")
    path.write_bytes(content[:-2])
    with pytest.raises(LabkitError, match="bytes, and its header says"):
        open_tokens(path)
    path.write_bytes(b"\x09" + content[1:])
    assert len(open_tokens(path))
    with pytest.raises(LabkitError, match="changed since"):
        open_tokens(path, verify=True)
    for broken in ("{", "[]", "{}", text.replace("labkit-tokens-1", "x"), text.replace('"<u2"', '"<q9"')):
        header.write_text(broken, encoding="utf-8")
        with pytest.raises(LabkitError, match="a.bin.json is damaged"):
            open_tokens(path)
    header.unlink()
    with pytest.raises(LabkitError, match="no header"):
        open_tokens(path)
    with pytest.raises(LabkitError, match="no token file"):
        open_tokens(tmp_path / "none")


def test_a_failed_write_leaves_the_old_tokens_and_no_scraps(tmp_path):
    path = write_tokens(tmp_path / "a.bin", [ENGLISH], CHARACTERS).path
    before = path.read_bytes(), (tmp_path / "a.bin.json").read_bytes()

    def documents():
        yield CHINESE
        raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        write_tokens(path, documents(), CHARACTERS)
    assert (path.read_bytes(), (tmp_path / "a.bin.json").read_bytes()) == before
    assert len(list(tmp_path.iterdir())) == 2


def test_tokens_are_never_read_with_the_header_of_others(tmp_path, monkeypatch):
    path = write_tokens(tmp_path / "a.bin", ["abc"], CHARACTERS).path

    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(corpus.files, "atomic_write_text", killed)  # between tokens and header
    with pytest.raises(KeyboardInterrupt):
        write_tokens(path, ["xyz"], CHARACTERS)
    with pytest.raises(LabkitError, match="no header"):
        open_tokens(path)


def test_write_tokens_refuses(tmp_path):
    with pytest.raises(LabkitError, match="no documents"):
        write_tokens(tmp_path / "a", [], CHARACTERS)
    with pytest.raises(LabkitError, match="Document 1 is empty"):
        write_tokens(tmp_path / "a", ["x", ""], CHARACTERS)
    plain = CharTokenizer.from_text(ENGLISH, byte_fallback=False)
    with pytest.raises(LabkitError, match="no end token"):
        write_tokens(tmp_path / "a", [ENGLISH, ENGLISH], plain)
    assert write_tokens(tmp_path / "a", ENGLISH, plain).num_tokens == len(ENGLISH)


def test_split_tokens():
    tokens = np.arange(1000)
    train, held_out = split_tokens(tokens)
    assert (len(train), len(held_out)) == (900, 100)
    assert np.shares_memory(train, tokens)
    assert np.concatenate([train, held_out]).tolist() == tokens.tolist()
    documents = np.array([5, 5, 0, 5, 5, 5, 5, 0, 5, 5])
    for share, cut in ((0.8, 3), (0.7, 3), (0.6, 8), (0.3, 8), (0.2, 8)):
        train, held_out = split_tokens(documents, share, eos_id=0)
        assert len(train) == cut, share
        assert train[-1] == 0
    for wrong in (0, 1, 1.5, -0.1):
        with pytest.raises(LabkitError, match="held_out is"):
            split_tokens(tokens, wrong)
    with pytest.raises(LabkitError, match="cannot be divided"):
        split_tokens(tokens[:1], 0.5)
    with pytest.raises(LabkitError, match="end of a document"):
        split_tokens(documents, 0.1, eos_id=0)


# Batches


def epoch_of(batches, epoch):
    first = epoch * batches.steps_per_epoch
    return [batches(first + place) for place in range(batches.steps_per_epoch)]


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    length=st.integers(1, 9),
    batch_size=st.integers(1, 6),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 1000),
)
def test_an_epoch_has_every_token_once(data, length, batch_size, seed, epoch):
    size = data.draw(st.integers(length + 1, 80))
    batches = PackedBatches(np.arange(size, dtype=np.uint16), length, batch_size, seed, "epoch")
    seen = epoch_of(batches, epoch)
    for sides in zip(*seen, strict=True):  # inputs, and targets
        assert sorted(torch.cat([side.flatten() for side in sides]).tolist()) == list(range(size))
    for inputs, targets in seen:
        assert torch.equal(targets, (inputs + 1) % size)
        assert torch.equal(inputs[:, 1:], targets[:, :-1])
    shapes = [tuple(inputs.shape) for inputs, _ in seen]
    full, rest = divmod(size, length)
    expected = [(batch_size, length)] * (full // batch_size)
    expected += [(full % batch_size, length)] * (full % batch_size > 0) + [(1, rest)] * (rest > 0)
    assert shapes == expected


def test_epochs_differ_in_phase_and_order():
    batches = PackedBatches(np.arange(640), 64, 2, 0, "epoch")
    starts = [
        [int(row[0]) for inputs, _ in epoch_of(batches, epoch) for row in inputs] for epoch in range(40)
    ]
    phases = {epoch[0] % 64 for epoch in starts}
    assert len(phases) > 15  # of 64, in 40 draws; without a phase it is 1
    order = [tuple((start - epoch[0]) % 640 for start in epoch) for epoch in starts]
    assert len(set(order)) > 38
    firsts = np.bincount([epoch[0] // 64 for epoch in starts], minlength=10)
    assert (firsts > 0).sum() > 7


@pytest.mark.parametrize("windows", ["random", "epoch"])
def test_batches_depend_on_seed_and_step_alone(windows):
    tokens = np.random.default_rng(0).integers(0, 1000, 5000)
    one, other = (PackedBatches(tokens, 16, 4, 7, windows) for _ in range(2))
    steps = [0, 200, 3, 77, 78, 79, 0]
    expected = {step: one(step) for step in sorted(set(steps))}
    for step in steps:
        inputs, targets = other(step)
        assert torch.equal(inputs, expected[step][0])
        assert torch.equal(targets, expected[step][1])
        assert inputs.dtype == targets.dtype == torch.int64
        assert inputs.is_contiguous()
        assert targets.is_contiguous()
    assert not torch.equal(one(0)[0], PackedBatches(tokens, 16, 4, 8, windows)(0)[0])
    assert not torch.equal(one(0)[0], one(1)[0])


def test_a_batch_that_is_changed_does_not_change_the_next():
    tokens = np.arange(100)
    batches = PackedBatches(tokens, 10, 2, 0)
    inputs, targets = batches(0)
    kept = targets.clone()
    inputs.zero_()
    assert torch.equal(targets, kept)
    assert torch.equal(batches(0)[1], kept)
    assert tokens.tolist() == list(range(100))


def test_random_windows_begin_everywhere_and_are_shifted_by_one():
    batches = PackedBatches(np.arange(20), 4, 50, 0)
    starts = set()
    for step in range(20):
        inputs, targets = batches(step)
        assert inputs.shape == (50, 4)
        assert torch.equal(targets, inputs + 1)  # never over the end
        starts |= set(inputs[:, 0].tolist())
    assert starts == set(range(16))  # the last possible window is 15..18 with target 19
    assert batches.steps_per_epoch == 1
    assert PackedBatches(np.arange(1000), 10, 4).steps_per_epoch == 25


def test_batches_of_memory_mapped_tokens(tmp_path):
    written = write_tokens(tmp_path / "a", [ENGLISH * 20], CHARACTERS)
    for windows in ("random", "epoch"):
        mapped = PackedBatches(written.open(), 16, 4, 0, windows)
        loaded = PackedBatches(torch.tensor(written.open().astype(np.int64)), 16, 4, 0, windows)
        assert all(torch.equal(a, b) for a, b in zip(mapped(5), loaded(5), strict=True))
        assert isinstance(mapped.tokens.base, np.memmap)  # nothing was copied


def test_state_refuses_other_settings():
    batches = PackedBatches(np.arange(100), 10, 2, 0)
    batches.load_state_dict(batches.state_dict())
    with pytest.raises(LabkitError, match="seed was 0 and is 1; windows was 'random' and is 'epoch'"):
        PackedBatches(np.arange(100), 10, 2, 1, "epoch").load_state_dict(batches.state_dict())
    with pytest.raises(LabkitError, match="num_tokens was 100 and is 99"):
        PackedBatches(np.arange(99), 10, 2, 0).load_state_dict(batches.state_dict())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.arange(10), 0, 1), "sequence_length is 0"),
        ((np.arange(10), 4, True), "batch_size is True"),
        ((np.arange(10), 4, 1, -1), "seed is -1"),
        ((np.arange(10), 4, 1, 0, "all"), "windows is 'all'"),
        ((np.arange(10), 10, 1), "10 tokens: too few for windows of 10"),
        ((np.arange(10.0), 4, 1), "one row of integers"),
        ((np.zeros((5, 5), dtype=int), 4, 1), "one row of integers"),
    ],
)
def test_batches_refuse(arguments, message):
    with pytest.raises(LabkitError, match=message):
        PackedBatches(*arguments)


@pytest.mark.parametrize("windows", ["random", "epoch"])
def test_batches_are_fast(windows):
    batches = PackedBatches(np.zeros(1_000_000, dtype=np.uint16), 64, 32, 0, windows)
    batches(0)
    best = 1.0
    for repeat in range(5):  # the best of five: the machine is shared
        started = time.perf_counter()
        for step in range(100):
            batches(100 * repeat + step)
        best = min(best, (time.perf_counter() - started) / 100)
    assert best < 0.3e-3


class Reader:
    """A task that notes what it was given."""

    def __init__(self):
        self.total = 0.0

    def step(self, batch):
        inputs, targets = batch
        self.total += float((inputs * targets).sum())
        return {"total": self.total, "first": float(inputs[0, 0])}

    def state_dict(self):
        return {"total": self.total}

    def load_state_dict(self, state):
        self.total = state["total"]


def test_fit_takes_them_and_resumes(tmp_path):
    from labkit.training import fit

    def run(folder, stop_at=None):
        def stop(step, figures):
            if step == stop_at:
                raise KeyboardInterrupt

        batches = PackedBatches(np.arange(2000), 16, 8, 3, "epoch")
        return fit(
            Reader(), batches, 40, checkpoint=folder, checkpoint_every=10, callbacks=[stop], progress=False
        )

    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", stop_at=27)
    assert run(tmp_path / "cut").train == whole.train
    assert len(set(whole.train["first"])) > 30


def test_continued_batches_go_on_where_the_last_ended_and_begin_again():
    batches = ContinuedBatches(np.arange(41, dtype=np.uint16), sequence_length=5, batch_size=4)
    first, second, third = batches(0), batches(1), batches(2)
    assert first[0].tolist() == [
        [0, 1, 2, 3, 4],
        [10, 11, 12, 13, 14],
        [20, 21, 22, 23, 24],
        [30, 31, 32, 33, 34],
    ]
    assert torch.equal(first[1], first[0] + 1)
    assert torch.equal(second[0], first[0] + 5)
    assert torch.equal(third[0], first[0])
    with pytest.raises(LabkitError, match="too few for 8 rows"):
        ContinuedBatches(np.arange(8), 5, 8)


@settings(max_examples=60, deadline=None)
@given(length=st.integers(2, 60), sequence_length=st.integers(1, 9), batch_size=st.integers(1, 5))
def test_streams_go_on_where_they_ended(length, sequence_length, batch_size):
    tokens = torch.arange(length)
    if (length - 1) // batch_size < 1:
        with pytest.raises(LabkitError, match="too few"):
            ContinuedBatches(tokens, sequence_length, batch_size)
        return
    source = ContinuedBatches(tokens, sequence_length, batch_size)
    batches = [source(step) for step in range(source.steps_per_epoch)]
    inputs, targets = (torch.cat(parts, 1) for parts in zip(*batches, strict=True))
    assert torch.equal(targets, inputs + 1)  # the token after
    assert torch.equal(inputs[:, 1:], inputs[:, :-1] + 1)  # no gap inside a row, none between batches
    used = inputs.flatten()
    assert torch.equal(used, tokens[: len(used)])  # each once
    assert length - 1 - len(used) < batch_size
    assert all(part.shape[1] == sequence_length for part, _ in batches[:-1])


@pytest.mark.parametrize("sizes", [(0, 2), (2, 0), (2.0, 2)])
def test_sizes_of_streams_are_refused_by_name(sizes):
    with pytest.raises(LabkitError, match="sequence_length|batch_size"):
        ContinuedBatches(torch.arange(9), *sizes)
