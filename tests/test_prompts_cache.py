"""labkit.prompts.cache: what was kept comes back exactly, and what was damaged does not come back at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.prompts.cache import SUFFIX, ReplyCache, cache_key
from labkit.prompts.messages import Reply

REPLY = Reply("面包店八点开门。\u2028 It opens at eight.\n", 21, 9, "stop", seconds=1.5)
KEY = cache_key({"model": "m", "messages": ["a"]})


@pytest.fixture
def cache(tmp_path) -> ReplyCache:
    return ReplyCache(tmp_path / "kept")


def path_of(cache: ReplyCache, key: str = KEY):
    return cache.folder / f"{key}{SUFFIX}"


def test_a_reply_comes_back_marked_as_cached_and_without_its_time(cache):
    assert cache.get(KEY) is None
    cache.put(KEY, REPLY)
    assert cache.get(KEY) == replace(REPLY, seconds=0.0, cached=True)
    assert ReplyCache(cache.folder).get(KEY) == cache.get(KEY)
    cache.put(KEY, replace(REPLY, text="other", finish="length"))
    assert (cache.get(KEY).text, cache.get(KEY).finish) == ("other", "length")
    assert len(cache) == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=4,
)


def canonical(value) -> str:
    """An independent notion of equal content: tagged by type, objects without order."""
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{k!r}:{canonical(v)}" for k, v in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return f"{type(value).__name__}({value!r})"


@hypothesis_settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.text(max_size=2), VALUES, max_size=3),
    st.dictionaries(st.text(max_size=2), VALUES, max_size=3),
)
def test_keys_are_equal_exactly_where_requests_are(one, other):
    reordered = dict(reversed(one.items()))
    assert cache_key(one) == cache_key(reordered)
    assert (cache_key(one) == cache_key(other)) == (canonical(one) == canonical(other))


def test_every_cut_and_every_changed_byte_is_a_miss_without_a_warning(cache):
    cache.put(KEY, REPLY)
    path = path_of(cache)
    whole = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in range(len(whole) - 1):  # without its last line end it is whole still
            path.write_bytes(whole[:size])
            assert cache.get(KEY) is None, size
        for place in range(len(whole) - 1):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            assert cache.get(KEY) is None, place
        for content in (b"null", b"[]", b'{"reply": 1, "sha256": 2}', b"\xff\xfe", b"[" * 100_000):
            path.write_bytes(content)
            assert cache.get(KEY) is None, content
    cache.put(KEY, REPLY)
    assert cache.get(KEY).text == REPLY.text


def test_an_entry_under_another_name_answers_nothing(cache):
    cache.put(KEY, REPLY)
    other = cache_key({"model": "other"})
    path_of(cache).rename(path_of(cache, other))
    assert cache.get(other) is None


def test_a_killed_writer_leaves_the_old_reply(cache):
    cache.put(KEY, REPLY)
    script = (
        "import os, sys\n"
        "from labkit import files\n"
        "from labkit.prompts.cache import ReplyCache\n"
        "from labkit.prompts.messages import Reply\n"
        "files.replace = lambda *paths: os._exit(9)\n"  # the power goes before the new file is in place
        "ReplyCache(sys.argv[1]).put(sys.argv[2], Reply('new', 1, 1, 'stop'))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(cache.folder), KEY], check=False)
    assert done.returncode == 9
    assert cache.get(KEY).text == REPLY.text
    assert len(list(cache.folder.iterdir())) == 2
    assert len(cache) == 1
    assert cache.clear() == 1
    assert list(cache.folder.iterdir()) == []


def test_clear_deletes_replies_and_nothing_else(cache):
    for number in range(3):
        cache.put(cache_key({"n": number}), REPLY)
    mine = cache.folder / "notes.json"
    mine.write_text("{}", encoding="utf-8")
    assert len(cache) == 3
    assert cache.size() == sum(path.stat().st_size for path in cache.folder.glob(f"*{SUFFIX}"))
    assert cache.clear() == 3
    assert (len(cache), cache.size()) == (0, 0)
    assert mine.exists()
    cache.put(KEY, REPLY)
    assert cache.get(KEY).cached


def test_the_replies_that_were_not_read_for_the_longest_time_go(tmp_path):
    reply = replace(REPLY, text="x" * 1000)
    keys = [cache_key({"n": number}) for number in range(12)]
    cache = ReplyCache(tmp_path, max_bytes=10_000)
    for number, key in enumerate(keys[:8]):
        cache.put(key, reply)
        os.utime(path_of(cache, key), (number, number))
    assert cache.get(keys[0]) is not None  # the oldest is read again
    for key in keys[8:]:
        cache.put(key, reply)
        assert cache.size() <= 10_000
    kept = [key for key in keys if cache.get(key) is not None]
    assert keys[0] in kept
    assert keys[1] not in kept
    assert set(keys[8:]) <= set(kept)
    assert len(kept) >= 6

    big = replace(REPLY, text="x" * 20_000)  # more than the whole cache may hold
    cache.put(KEY, big)
    assert cache.size() <= 10_000


def test_writing_the_same_reply_again_does_not_count_twice(tmp_path):
    cache = ReplyCache(tmp_path, max_bytes=3_000)
    other = cache_key({"n": 1})
    cache.put(other, REPLY)
    for _ in range(30):
        cache.put(KEY, REPLY)
    assert cache.get(other) is not None


def test_threads_share_a_cache(cache):
    keys = [cache_key({"n": number}) for number in range(40)]

    def work() -> None:
        for key in keys:
            cache.put(key, REPLY)
            assert cache.get(key) is not None

    failures = []
    monitored = threading.excepthook
    threading.excepthook = lambda arguments: failures.append(arguments.exc_value)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.excepthook = monitored
    assert failures == []
    assert len(cache) == 40


def test_the_folder_is_labkit_s_own_unless_given(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "all"))
    assert ReplyCache().folder == tmp_path / "all" / "prompts"
    assert ReplyCache(tmp_path / "mine").folder == tmp_path / "mine"


def test_a_folder_that_cannot_be_made_is_refused_and_a_full_disk_is_not(tmp_path, cache, monkeypatch):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(LabkitError, match="cannot be kept in .*Choose another folder, or set LABKIT_CACHE"):
        ReplyCache(tmp_path / "file")
    with pytest.raises(LabkitError, match="max_bytes must be an integer from 1"):
        ReplyCache(tmp_path, max_bytes=0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labkit.files.atomic_write_text", full)
    cache.put(KEY, REPLY)
    assert cache.get(KEY) is None


def test_a_file_holds_the_reply_and_not_the_question(cache):
    key = cache_key({"messages": [{"role": "user", "content": "my secret diary"}]})
    cache.put(key, REPLY)
    content = path_of(cache, key).read_text(encoding="utf-8")
    assert "diary" not in content
    assert json.loads(content)["reply"] == [REPLY.text, 21, 9, "stop"]
    assert repr(cache).startswith("ReplyCache(1 replies, ")
    assert str(cache.folder) not in repr(cache)
