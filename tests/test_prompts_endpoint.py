"""labkit.prompts.endpoint against a real server on this machine, which misbehaves in every way that servers do."""

from __future__ import annotations

import _thread
import email.utils
import itertools
import json
import logging
import pickle
import random
import signal
import threading
import time
import traceback
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.prompts import credentials, transport
from labkit.prompts.cache import ReplyCache
from labkit.prompts.credentials import HIDDEN, Redactor, checked_address
from labkit.prompts.endpoint import Endpoint, Prices, Usage
from labkit.prompts.messages import Message, Settings
from labkit.prompts.transport import Limits
from tests.chat_server import (
    DONE,
    ChatServer,
    answer,
    cut_off,
    drip,
    event,
    events,
    hang_up,
    not_http,
    raw,
    slow,
    status,
    stream,
    usage_event,
)

KEY = "sk-test/Zq8+Vw3nRt7yKc5mXb"
FAST = Limits(timeout=10, retries=2, backoff=0.01)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    for name in ("LABKIT_API_BASE", "LABKIT_API_MODEL", "NO_PROXY", "no_proxy", *PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LABKIT_API_KEY", KEY)
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "cache"))


def endpoint(server: ChatServer, **options) -> Endpoint:
    return Endpoint(server.address, "town-1", **{"limits": FAST, **options})


def asking(text: str) -> list[Message]:
    return [Message("user", text)]


def ask(server: ChatServer, text: str = "Hello", settings: Settings = Settings(), **options) -> str:  # noqa: B008
    return endpoint(server, **options).complete([asking(text)], settings)[0].text


def refusal(server: ChatServer, match: str, **options) -> LabkitError:
    with pytest.raises(LabkitError, match=match) as caught:
        ask(server, **options)
    return caught.value


# ---------------------------------------------------------------------------------------------------------------
# Good servers


def test_a_request_is_that_of_chat_completions():
    conversation = [
        Message("system", "Be short. 简短。"),
        Message("user", "a"),
        Message("assistant", "b"),
        Message("user", 'c\u2028"{}'),
    ]
    with ChatServer() as server:
        model = endpoint(server)
        drawn = Settings(temperature=0.7, top_p=0.9, max_tokens=50, stop=("###", "。"), seed=4)
        replies = [model.complete([conversation], settings)[0] for settings in (drawn, Settings())]
    assert [reply.text for reply in replies] == ['You said: c\u2028"{}'] * 2
    first, second = (asked.payload for asked in server.asked)
    assert first == {
        "model": "town-1",
        "messages": [{"role": m.role, "content": m.content} for m in conversation],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 50,
        "stop": ["###", "。"],
        "seed": 4,
    }
    assert "seed" not in second
    assert "stop" not in second
    assert second["temperature"] == 0
    assert {asked.path for asked in server.asked} == {"/v1/chat/completions"}
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}


def test_replies_come_in_the_order_of_their_conversations():
    texts = [f"question {number}" for number in range(12)]
    # The first ones take longest.
    choose = lambda asked: slow(0.1 if asked.payload["messages"][-1]["content"][-1] in "012" else 0)  # noqa: E731
    with ChatServer(choose=choose) as server:
        replies = endpoint(server).complete([asking(text) for text in texts])
    assert [reply.text for reply in replies] == [f"You said: {text}" for text in texts]
    assert [reply.prompt_tokens for reply in replies] == [len(text) for text in texts]
    assert all(reply.seconds > 0 and not reply.cached and reply.finish == "stop" for reply in replies)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_so_many_requests_are_under_way_at_once_and_no_more(concurrency):
    def together(handler) -> None:
        deadline = time.monotonic() + 5
        while server.most_at_once < concurrency and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.02)
        answer()(handler)

    with ChatServer(choose=lambda _: together) as server:
        limits = replace(FAST, concurrency=concurrency)
        endpoint(server, limits=limits).complete([asking(str(number)) for number in range(7)])
    assert server.most_at_once == concurrency


class Clock:
    """Time that passes only where somebody waits for it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return False

    def is_set(self) -> bool:
        return False


def test_requests_keep_their_distance(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(transport, "time", clock)
    pace, times = transport.Pace(requests_per_minute=30), []
    for place in range(6):
        if place == 3:
            clock.now += 5  # nobody asks for a while: what was not used is not made up for
        if place == 5:
            pace.hold(10)
        pace.wait(clock)
        times.append(clock.now - 100)
    assert times == [0, 2, 4, 9, 11, 21]
    unlimited = transport.Pace(None)
    for _ in range(5):
        unlimited.wait(clock)
    assert clock.now == 121


def test_an_endpoint_keeps_to_its_pace():
    with ChatServer() as server:
        limits = replace(FAST, requests_per_minute=1200)  # one in 50 ms, retries and streams too
        model = endpoint(server, limits=limits)
        server.plan = [status(500), status(500)]
        started = time.monotonic()
        model.complete([asking(str(number)) for number in range(2)])
        list(model.stream(asking("a")))
    assert len(server.asked) == 5
    assert time.monotonic() - started >= 4 * 0.05


def test_the_environment_names_address_and_model(monkeypatch):
    with ChatServer() as server:
        monkeypatch.setenv("LABKIT_API_BASE", f" {server.address}/ ")
        monkeypatch.setenv("LABKIT_API_MODEL", "town-2")
        model = Endpoint(limits=FAST)
        assert model.complete([asking("a")])[0].text == "You said: a"
        assert model.name == server.asked[0].payload["model"] == "town-2"
        assert Endpoint(model="town-3").name == "town-3"


def test_extra_fields_are_added_and_taken_away():
    with ChatServer() as server:
        extra = {"max_tokens": None, "max_completion_tokens": 9, "chat_template_kwargs": {"thinking": False}}
        ask(server, extra=extra)
        list(endpoint(server, extra={"stream_options": None}).stream(asking("a")))
    assert "stream_options" not in server.asked[1].payload
    payload = server.asked[0].payload
    assert "max_tokens" not in payload
    assert payload["max_completion_tokens"] == 9
    assert payload["chat_template_kwargs"] == {"thinking": False}


def test_without_a_key_none_is_sent(monkeypatch):
    monkeypatch.delenv("LABKIT_API_KEY")
    with ChatServer() as server:
        ask(server)
    assert "authorization" not in server.asked[0].headers


def test_proxies_of_the_environment_do_not_stand_before_this_machine(monkeypatch):
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody is there
    with ChatServer() as server:
        assert ask(server) == "You said: Hello"
        assert "".join(endpoint(server).stream(asking("b"))) == "You said: b"


def test_a_proxy_that_cannot_be_used_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", f"socks9://user:{KEY}@proxy")
    model = Endpoint("https://example.org/v1", "m")
    with pytest.raises(LabkitError, match="HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE") as caught:
        model.complete([asking("a")])
    holds_no_key(caught.value)


@pytest.mark.parametrize(
    ("finish", "expected"), [("stop", "stop"), ("length", "length"), ("max_tokens", "length"), (None, "stop")]
)
def test_why_a_reply_ended(finish, expected):
    with ChatServer(answer("It", finish=finish)) as server:
        assert endpoint(server).complete([asking("a")])[0].finish == expected


def test_halves_of_a_character_become_the_whole_one():
    body = {"choices": [{"message": {"content": "a\ud83d\ude42b\ud83d"}, "finish_reason": "stop"}]}
    with ChatServer(raw(json.dumps(body).encode())) as server:
        model = endpoint(server)
        assert model.complete([asking("a")])[0].text == "a🙂b\ufffd"
        assert model.complete([asking("a")])[0].cached


# ---------------------------------------------------------------------------------------------------------------
# Streams


def test_a_stream_comes_as_it_is_written():
    pieces = ["It ", "opened", " at eight.\u2028", "八点", "\n\n"]
    with ChatServer(events(event(""), *map(event, pieces), event(finish="stop"), DONE, pause=0.05)) as server:
        times = []
        started = time.monotonic()
        found = []
        for piece in endpoint(server).stream(asking("a")):
            found.append(piece)
            times.append(time.monotonic() - started)
    assert found == pieces
    assert times[-1] - times[0] > 0.05
    assert server.asked[0].payload["stream"] is True
    assert server.asked[0].payload["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_events_are_found_however_they_are_cut_and_written(ending, tmp_path):
    content = (
        b": hello\n\nevent: message\nid: 1\n"
        + event("八点\u2028开门")
        + event("。").replace(b"data: ", b"data:")
    )
    content = (content + event(finish="length") + usage_event() + DONE).replace(b"\n", ending)
    for size in (1, 2, 7, len(content)):
        pieces = [content[place : place + size] for place in range(0, len(content), size)]
        with ChatServer(events(*pieces)) as server:
            model = endpoint(server, cache=tmp_path / str(size))
            assert "".join(model.stream(asking("a"))) == "八点\u2028开门。"
            kept = model.complete([asking("a")])[0]
        assert (kept.finish, kept.prompt_tokens, kept.reply_tokens) == ("length", 7, 5)


def test_a_stream_and_a_reply_are_the_same_text_and_share_the_cache():
    with ChatServer() as server:
        model = endpoint(server)
        streamed = "".join(model.stream(asking("a long question")))
        reply = model.complete([asking("a long question")])[0]
        assert (reply.text, reply.cached) == (streamed, True)
        assert len(server.asked) == 1
        reply = model.complete([asking("another")])[0]
        assert list(model.stream(asking("another"))) == [reply.text]
        assert len(server.asked) == 2


def test_an_abandoned_stream_is_not_kept():
    with ChatServer(
        choose=lambda _: events(event("one "), event("two"), event(finish="stop"), DONE)
    ) as server:
        model = endpoint(server)
        pieces = model.stream(asking("a"))
        assert next(pieces) == "one "
        pieces.close()
        assert len(model.cache) == 0
        assert "".join(model.stream(asking("a"))) == "one two"
        assert len(model.cache) == 1


def test_the_last_line_end_of_a_stream_may_be_missing():
    for content in (event("It", finish="stop").rstrip(), event("It") + DONE.rstrip()):
        with ChatServer(events(content)) as server:
            assert list(endpoint(server).stream(asking("a"))) == ["It"]


def test_a_server_that_does_not_stream_gives_its_reply_in_one_piece():
    body = {"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}], "usage": None}
    with ChatServer(raw(json.dumps(body).encode())) as server:
        assert list(endpoint(server).stream(asking("a"))) == ["whole"]


@pytest.mark.parametrize(
    ("content", "length"),
    [
        ([event("It opened")], None),
        ([event("It opened"), event(" at eight")[:20]], None),
        ([event("It opened")], 10_000),
    ],
)
def test_a_stream_that_is_cut_off_says_so_and_is_not_kept(content, length):
    with ChatServer(events(*content, length=length)) as server:
        model = endpoint(server)
        pieces = model.stream(asking("a"))
        assert next(pieces) == "It opened"
        with pytest.raises(
            LabkitError, match="In the middle of the reply: .* cut the connection off.*Ask again"
        ):
            next(pieces)
        assert len(model.cache) == 0
        assert len(server.asked) == 1, "what was shown cannot be taken back"


def test_a_stream_is_tried_again_before_its_first_piece():
    with ChatServer(status(500), hang_up, events(), slow(0, stream(["fine"]))) as server:
        model = endpoint(server, limits=replace(FAST, retries=3))
        assert "".join(model.stream(asking("a"))) == "fine"
        assert len(server.asked) == 4


def test_faults_of_a_stream_say_what_to_do():
    def refused(behaviour, match: str, **limits) -> None:
        with ChatServer(*[behaviour] * 3) as server:
            model = endpoint(server, limits=replace(FAST, retries=1, **limits))
            with pytest.raises(LabkitError, match=match):
                list(model.stream(asking("a")))

    refused(status(401), "refuses the key")
    refused(raw(b"<html>Welcome</html>", "text/html"), "20 bytes of text/html.*base address right")
    refused(events(b"data: {half\n\n"), "an event that is not JSON")
    refused(events(b'data: {"error": {"message": "overloaded"}}\n\n'), 'It says: "overloaded"')
    refused(events(event("a"), b'data: {"error": {"message": "lost"}}\n\n'), 'In the middle.*It says: "lost"')
    refused(events(b'data: {"choices": 3}\n\n'), "not that of chat completions")
    refused(events(usage_event(), DONE), "without a reply")
    refused(raw(b"{}", "application/json"), "not that of chat completions")
    refused(events(event("a"), *[b": wait\n\n"] * 99, pause=0.05), "In the middle.*within 0.6 s", timeout=0.6)
    refused(events(event("a"), b"", b"", pause=1), "In the middle.*within 0.6 s", timeout=0.6)


# ---------------------------------------------------------------------------------------------------------------
# Bad servers

PASSING = {
    "500": status(500, {"error": {"message": "out of order"}}),
    "503 that is a page": raw(b"<html>busy</html>", "text/html", 503),
    "429": status(429),
    "429 that says when": status(429, Retry_After="0.02"),
    "408": status(408),
    "no answer": hang_up,
    "slow": slow(0.7),
    "dripping": drip(b"x" * 100, 0.05),
    "cut off in the body": cut_off(b'{"choices": [', 5000),
    "cut off without a length": raw(b'{"choices": [{"mess'),
    "no HTTP": not_http,
    "busy gateway": raw(b'{"error": {"code": 502, "message": "upstream"}}'),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again(name):
    limits = replace(FAST, timeout=0.4 if name in ("slow", "dripping") else 10)
    with ChatServer(PASSING[name], PASSING[name]) as server:
        assert ask(server, limits=limits) == "You said: Hello"
        assert len(server.asked) == 3


@pytest.mark.parametrize("name", PASSING)
def test_what_does_not_pass_ends_with_what_to_do(name):
    limits = replace(FAST, timeout=0.4 if name in ("slow", "dripping") else 10, retries=1)
    with ChatServer(choose=lambda _: PASSING[name]) as server:
        error = refusal(server, "Conversation 0: .*Tried 2 times: ask again later", limits=limits)
        assert len(server.asked) == 2
    assert server.address in str(error)
    assert ("out of order" in str(error)) == (name == "500")


FINAL = {
    "400": (
        status(400, {"error": {"message": "too many\n  tokens"}}),
        'the length of .*It says: "too many tokens"',
    ),
    "401": (status(401, {"error": {"message": "sk-te****5mXb"}}), "Set LABKIT_API_KEY in the environment"),
    "403": (status(403), "refuses the key"),
    "404": (status(404, {"detail": "Not Found"}), 'Check LABKIT_API_BASE.*LABKIT_API_MODEL.*"Not Found"'),
    "405": (status(405), "refuses the request"),
    "301": (status(301, Location="https://elsewhere.example/"), "not followed.*Set the base address"),
    "204": (status(204), "gives no answer"),
    "no quota": (status(429, {"error": {"code": "insufficient_quota"}}), "Top it up"),
    "not JSON": (raw(b"<html>Welcome</html>", "text/html; x"), "20 bytes of text/html.*base address right"),
    "a list": (raw(b"[]"), "not a JSON object"),
    "deep": (raw(b"[" * 200_000), "not a JSON object"),
    "not UTF-8": (raw(b"\xff\xfe"), "not a JSON object"),
    "empty body": (raw(b""), "not a JSON object"),
    "other shape": (raw(b'{"answer": 1}'), "not that of chat completions.*base address"),
    "choices of words": (raw(b'{"choices": ["a"]}'), "not that of chat completions"),
    "no message": (raw(b'{"choices": [{}]}'), "not that of chat completions"),
    "no content": (raw(b'{"choices": [{"message": {"content": null}}]}'), "not that of chat completions"),
    "content of numbers": (
        raw(b'{"choices": [{"message": {"content": 3}}]}'),
        "not that of chat completions",
    ),
    "no choices": (raw(b'{"choices": []}'), "without choices"),
    "error object": (
        raw(b'{"error": {"message": "no such model", "code": 404}}'),
        'Check model.*"no such model"',
    ),
    "error text": (raw(b'{"error": "model not found"}'), '"model not found"'),
    "filtered": (answer("", finish="content_filter"), "filter .* held the reply back"),
}


@pytest.mark.parametrize("name", FINAL)
def test_what_is_wrong_for_good_is_not_tried_again(name):
    behaviour, message = FINAL[name]
    with ChatServer(behaviour) as server:
        error = refusal(server, message)
        assert len(server.asked) == 1
        assert "5mXb" not in str(error)
        assert "\n" not in str(error)


def test_a_long_complaint_is_shortened():
    with ChatServer(status(400, {"error": {"message": "x" * 5000}})) as server:
        assert len(str(refusal(server, "xxx..."))) < 600


def test_a_body_without_end_is_not_read_to_it(monkeypatch):
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 10**6)
    with ChatServer(raw(b" " * 3 * 10**6)) as server:
        refusal(server, "sends more than 1 MB")
    with ChatServer(events(b"data: " + b"x" * 3 * 10**6)) as server:
        model = endpoint(server, limits=replace(FAST, retries=0))
        with pytest.raises(LabkitError, match="cut the connection off"):
            list(model.stream(asking("a")))


def test_nobody_there():
    with ChatServer() as server:
        address = server.address
    model = Endpoint(address, "m", limits=replace(FAST, retries=1))
    with pytest.raises(
        LabkitError, match="cannot be reached .*Is there a network, is the server running.*2 times"
    ):
        model.complete([asking("a")])
    with pytest.raises(LabkitError, match="cannot be reached"):
        list(model.stream(asking("a")))


def test_a_model_that_thought_all_its_tokens_away_gave_an_empty_reply():
    body = {"choices": [{"message": {"content": None}, "finish_reason": "length"}]}
    with ChatServer(raw(json.dumps(body).encode())) as server:
        reply = endpoint(server).complete([asking("a")])[0]
    assert (reply.text, reply.finish) == ("", "length")


def test_waiting_grows_and_is_never_the_same():
    clock = Clock()
    sender = transport.Transport("http://127.0.0.1:1/v1", Limits(retries=9, backoff=1.0, max_wait=20))
    for attempt in [0, 1, 2, 3, 8] * 20:
        sender._after(transport.Fault("x", passing=True), attempt, clock)
    for attempt, most in enumerate([1, 2, 4, 8, 20]):
        mine = clock.waits[attempt::5]
        assert most / 2 <= min(mine)
        assert max(mine) <= most
        assert len(set(mine)) == 20


def test_retry_after_is_honoured_by_all_threads():
    def choose(asked):
        return slow(0.1) if len(server.asked) > 1 else status(429, Retry_After="0.5")

    with ChatServer(choose=choose) as server:
        limits = replace(FAST, backoff=0, concurrency=2)
        endpoint(server, limits=limits).complete([asking(str(number)) for number in range(8)])
        times = sorted(asked.time for asked in server.asked)
    assert len(times) == 9
    # What the second thread had under way comes before the wait is over; the others come after it.
    assert sum(moment - times[0] >= 0.45 for moment in times) >= 5


def test_a_wait_that_is_too_long_is_not_waited_for():
    with ChatServer(status(429, Retry_After="3600")) as server:
        started = time.monotonic()
        refusal(server, "asks to wait 3600 s, and max_wait is 120 s: ask again later")
        assert time.monotonic() - started < 20


def test_retry_after_may_be_a_date_or_nonsense():
    ahead = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert 28 < transport._retry_after(ahead) <= 30
    assert transport._retry_after(email.utils.formatdate(time.time() - 30, usegmt=True)) == 0
    assert transport._retry_after("1.5") == 1.5
    assert transport._retry_after("-3") == 0
    for nonsense in (None, "", "soon", "nan", "inf", "Wed, 99 Foo"):
        assert transport._retry_after(nonsense) is None


def test_retries_draw_from_no_seeded_generator():
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    with ChatServer(status(500), status(500)) as server:
        ask(server)
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002


# ---------------------------------------------------------------------------------------------------------------
# What is kept, and what it costs


def test_a_kept_reply_is_given_for_an_equal_request_alone():
    base = [Message("system", "s"), Message("user", "u")]
    requests = [
        (base, Settings(), {}),
        ([Message("user", "u")], Settings(), {}),
        ([Message("system", "s "), base[1]], Settings(), {}),
        ([Message("user", "s"), Message("assistant", "x"), base[1]], Settings(), {}),
        (base, Settings(temperature=0.5), {}),
        (base, Settings(temperature=0.5, seed=1), {}),
        (base, Settings(top_p=0.5), {}),
        (base, Settings(max_tokens=9), {}),
        (base, Settings(stop=("u",)), {}),
        (base, Settings(stop=("u", "v")), {}),
        (base, Settings(), {"model": "town-9"}),
        (base, Settings(), {"extra": {"thinking": True}}),
    ]
    with ChatServer() as server:
        for again in (False, True):
            for conversation, settings, options in requests:
                options = {"model": "town-1", "limits": FAST} | options
                reply = Endpoint(server.address, **options).complete([conversation], settings)[0]
                assert reply.cached == again
                assert (reply.seconds == 0) == again
        assert len(server.asked) == len(requests)
        # What changes nothing asks nothing.
        model = endpoint(server)
        assert model.complete([base], Settings(seed=7, temperature=0))[0].cached
        assert not endpoint(server, cache=False).complete([base])[0].cached
    with ChatServer() as other:  # another address, perhaps another model of the same name
        assert not endpoint(other).complete([base])[0].cached


def test_where_replies_are_kept(tmp_path):
    own = ReplyCache(tmp_path / "own")
    folders = {True: tmp_path / "cache" / "prompts", tmp_path / "a": tmp_path / "a", str(tmp_path): tmp_path}
    for cache, folder in (*folders.items(), (own, own.folder)):
        assert Endpoint("http://localhost/v1", "m", cache=cache).cache.folder == folder
    assert Endpoint("http://localhost/v1", "m", cache=False).cache is None


def test_an_equal_request_is_sent_once():
    with ChatServer() as server:
        model = endpoint(server, cache=False)
        replies = model.complete([asking("a"), asking("b"), asking("a"), asking("a")])
    assert len(server.asked) == 2
    assert [reply.text for reply in replies] == [f"You said: {text}" for text in "abaa"]
    assert [reply.cached for reply in replies] == [False, False, True, True]


def test_what_came_before_a_failure_is_kept():
    texts = [str(number) for number in range(10)]

    def choose(asked):
        return status(400) if asked.payload["messages"][-1]["content"] == "6" else answer()

    with ChatServer(choose=choose) as server:
        limits = replace(FAST, concurrency=1)
        model = endpoint(server, limits=limits)
        with pytest.raises(
            LabkitError, match="Conversation 6: .*6 of 10 replies came and are kept: run again"
        ):
            model.complete([asking(text) for text in texts])
        assert len(server.asked) == 7, "nothing more is sent after a failure"
        assert len(model.cache) == 6
        server.choose = None
        replies = model.complete([asking(text) for text in texts])
        assert len(server.asked) == 7 + 4
        assert [reply.cached for reply in replies] == [True] * 6 + [False] * 4
        assert [reply.text for reply in replies] == [f"You said: {text}" for text in texts]


def test_a_failure_waits_for_what_is_under_way_and_for_nothing_else():
    def bad(handler) -> None:
        deadline = time.monotonic() + 5
        while len(server.asked) < 3 and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.1)  # the other has its 500, and waits
        status(400)(handler)

    def choose(asked):
        text = asked.payload["messages"][-1]["content"]
        return {"bad": bad, "late": slow(0.3)}.get(text, status(500))

    with ChatServer(choose=choose) as server:
        limits = replace(FAST, concurrency=3, backoff=60, retries=5)
        model = endpoint(server, limits=limits)
        started = time.monotonic()
        with pytest.raises(LabkitError, match="Conversation 2: .*1 of 9 replies came"):
            # One waits 30 s or more for its next attempt when the other fails.
            model.complete([asking(text) for text in ("failing", "late", "bad", *"abcdef")])
        assert time.monotonic() - started < 20
        assert model.complete([asking("late")])[0].cached


def test_of_two_failures_that_of_the_first_conversation_is_named():
    both = threading.Barrier(2, timeout=5)

    def choose(asked):
        late = slow(0.1 if asked.payload["messages"][-1]["content"] == "first" else 0, status(400))

        def behave(handler) -> None:
            both.wait()
            late(handler)

        return behave

    with ChatServer(choose=choose) as server:
        model = endpoint(server, limits=replace(FAST, concurrency=2))
        with pytest.raises(LabkitError, match="Conversation 0: .*0 of 2 replies came"):
            model.complete([asking("first"), asking("second")])


@pytest.fixture
def interruptible():
    """A shell starts what runs in the background (as a CI job may) with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads on Windows")
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_does_not_wait_and_keeps_what_was_under_way():
    released = threading.Event()

    def held(handler) -> None:
        if len(server.asked) == 2:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        released.wait(20)
        answer()(handler)

    with ChatServer(choose=lambda _: held) as server:
        model = endpoint(server, limits=replace(FAST, concurrency=2, timeout=30))
        with pytest.raises(KeyboardInterrupt) as caught:
            model.complete([asking(str(number)) for number in range(8)])
        assert not released.is_set()
        holds_no_key(caught.value)
        assert len(model.cache) == 0
        released.set()
        deadline = time.monotonic() + 20
        while len(model.cache) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(model.cache) == len(server.asked) == 2


def test_a_damaged_entry_is_asked_for_again(recwarn):
    with ChatServer() as server:
        model = endpoint(server)
        model.complete([asking("a")])
        (path,) = model.cache.folder.iterdir()
        path.write_text("{", encoding="utf-8")
        assert not model.complete([asking("a")])[0].cached
        assert model.complete([asking("a")])[0].cached
        assert len(server.asked) == 2
    assert not [str(warning.message) for warning in recwarn]


def test_tokens_and_costs_are_counted():
    with ChatServer(status(500)) as server:
        model = endpoint(server, prices=Prices(prompt=2.0, reply=10.0))
        assert model.usage == Usage(cost=0.0)
        model.complete([asking("abc"), asking("de"), asking("abc")])
        size = len("You said: ")
        expected = Usage(3, 2, 1, 5, 2 * size + 5, 0, cost=(5 * 2 + (2 * size + 5) * 10) / 1e6)
        assert model.usage == expected
        model.complete([asking("abc")])
        assert model.usage == replace(expected, cached=2)
        "".join(model.stream(asking("new")))
        streamed = replace(expected, cached=2, sent=4, answered=3, prompt_tokens=12, reply_tokens=30)
        assert model.usage == replace(streamed, cost=(12 * 2 + 30 * 10) / 1e6)
        assert endpoint(server).usage.cost is None


@pytest.mark.parametrize(
    "usage",
    [None, 3, {}, {"prompt_tokens": 3}, *({"prompt_tokens": n, "completion_tokens": 4} for n in ("3", -3))],
)
def test_tokens_that_are_not_told_are_said_to_be_missing(usage):
    with ChatServer(answer("a", usage=usage)) as server:
        model = endpoint(server)
        assert model.complete([asking("abc")])[0].prompt_tokens == 0
        assert (model.usage.unreported, model.usage.reply_tokens) == (1, 0)


# ---------------------------------------------------------------------------------------------------------------
# The key


def holds_no_key(error: BaseException) -> None:
    """Neither an error nor what led to it, nor what a debugger shows of their frames, holds the key."""
    seen, chain = set(), [error]
    while chain:
        one = chain.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        assert not type(one).__module__.startswith(("httpx", "httpcore", "h11")), type(one)
        shown = "".join(traceback.TracebackException.from_exception(one, capture_locals=True).format())
        assert KEY not in shown, shown
        assert KEY not in repr(one) + repr(vars(one))
        chain += [one.__cause__, one.__context__]


def echoing(code: int, body: str, kind: str = "application/json", cut: int | None = None):
    """A server that sends back the header with the key, in its body, a header and the reason phrase."""

    def behave(handler) -> None:
        got = handler.asked.headers["authorization"]
        content = body.replace("ECHO", got).encode()
        handler.wfile.write(f"HTTP/1.1 {code} Got {got}\r\nX-Echo: {got}\r\nSet-Cookie: k={got}\r\n".encode())
        handler.wfile.write(f"Content-Type: {kind} {got}\r\nRetry-After: {got}\r\n".encode())
        handler.wfile.write(f"Content-Length: {cut or len(content)}\r\nLocation: /{got}\r\n\r\n".encode())
        handler.wfile.write(content)
        handler.hang_up()

    return behave


PADDING = "x" * (transport.SHOWN_CHARACTERS - 10)  # so that the message is cut in the middle of the key
ECHOES = {
    "400": echoing(400, '{"error": {"message": "bad ECHO"}}'),
    "400, cut in the key": echoing(400, f'{{"error": {{"message": "{PADDING} ECHO"}}}}'),
    "401": echoing(401, '{"error": {"message": "bad ECHO"}}'),
    "404": echoing(404, '{"detail": "ECHO"}'),
    "429": echoing(429, '{"error": "ECHO"}'),
    "500": echoing(500, '{"error": {"message": "ECHO", "code": "ECHO"}}'),
    "302": echoing(302, "ECHO"),
    "200, an error": echoing(200, '{"error": {"message": "ECHO"}}'),
    "200, no JSON": echoing(200, "ECHO", "text/html"),
    "200, cut off": echoing(200, '{"ECHO', cut=9999),
    "200, other shape": echoing(200, '{"choices": "ECHO"}'),
    "illegal header": lambda handler: handler.wfile.write(
        f"HTTP/1.1 200 OK\r\n{handler.asked.headers['authorization']}\x01\r\n\r\n".encode()
    ),
    "no HTTP": lambda handler: handler.wfile.write(
        f"{handler.asked.headers['authorization']}\r\n\r\n".encode()
    ),
}


def nowhere(caplog, capfd, folder) -> None:
    assert KEY not in caplog.text
    assert all(KEY not in record.getMessage() + repr(vars(record)) for record in caplog.records)
    assert KEY not in "".join(capfd.readouterr())
    for path in folder.rglob("*"):
        assert KEY not in path.name
        assert path.is_dir() or KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", ECHOES)
def test_a_server_that_sends_the_key_back_makes_it_appear_nowhere(name, streamed, caplog, capfd, tmp_path):
    caplog.set_level(logging.DEBUG)
    with ChatServer(choose=lambda _: ECHOES[name]) as server:
        model = endpoint(server, limits=replace(FAST, retries=1))
        with pytest.raises(LabkitError) as caught:
            list(model.stream(asking("a"))) if streamed else model.complete([asking("a")])
    assert f"Bearer {KEY}" == server.asked[0].headers["authorization"]
    holds_no_key(caught.value)
    print(model, repr(model), vars(model), model.usage, caught.value._render_traceback_())
    assert caplog.records
    nowhere(caplog, capfd, tmp_path)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_stream_shows_no_key():
    with ChatServer(events(event("a"), *[b": wait\n\n"] * 500, pause=0.02)) as server:
        pieces = endpoint(server).stream(asking("a"))
        assert next(pieces) == "a"
        threading.Timer(0.1, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt) as caught:
            next(pieces)
    holds_no_key(caught.value)


def test_a_reply_that_holds_the_key_shows_and_keeps_it_hidden(caplog, capfd, tmp_path):
    caplog.set_level(logging.DEBUG)
    text = f"Your key is {KEY}, and once more: {KEY}."
    hidden = f"Your key is {HIDDEN}, and once more: {HIDDEN}."
    with ChatServer(answer(text), answer(text)) as server:
        model = endpoint(server)
        print(model.complete([asking("a")]))
        assert model.complete([asking("a")])[0].text == hidden
        pieces = list(model.stream(asking("b")))
        print(pieces, vars(model), vars(model._transport))
        assert "".join(pieces) == hidden
        assert len(pieces) > 5
        assert model.complete([asking("b")])[0].text == hidden
    nowhere(caplog, capfd, tmp_path)


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([KEY, KEY[:5], KEY[:-1], KEY[0] * 3, "a", " ", KEY[5:]]), max_size=6).map(
        "".join
    ),
    st.lists(st.integers(0, 60), max_size=10),
)
def test_a_text_in_pieces_is_hidden_like_the_whole(text, cuts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_API_KEY", KEY)
        redactor = Redactor()
        places = [0, *sorted(cuts), len(text)]
        pieces = [redactor.push(text[start:end]) for start, end in itertools.pairwise(places)]
        joined = "".join([*pieces, redactor.finish()])
        assert joined == credentials.redact(text)
        assert KEY not in joined


def test_a_key_is_hidden_wherever_it_is_cut():
    text = f"a{KEY}b"
    for place in range(len(text) + 1):
        redactor = Redactor()
        pieces = [redactor.push(text[:place]), redactor.push(text[place:]), redactor.finish()]
        assert "".join(pieces) == f"a{HIDDEN}b", place


def test_a_reply_may_end_like_the_beginning_of_the_key():
    with ChatServer() as server:
        model = endpoint(server)
        assert "".join(model.stream(asking(KEY[:7]))) == f"You said: {KEY[:7]}"
        assert model.complete([asking(KEY[:7])])[0].text == f"You said: {KEY[:7]}"


def test_a_placeholder_instead_of_a_key_hides_no_words(monkeypatch):
    monkeypatch.setenv("LABKIT_API_KEY", "EMPTY")
    with ChatServer() as server:
        assert ask(server, "EMPTY rooms") == "You said: EMPTY rooms"
        assert server.asked[0].headers["authorization"] == "Bearer EMPTY"


def test_an_endpoint_holds_no_key_and_takes_the_one_that_is_set_now(monkeypatch):
    with ChatServer() as server:
        model = endpoint(server, cache=False)
        parts = {name: part for name, part in vars(model).items() if name not in ("_lock", "_transport")}
        assert KEY.encode() not in pickle.dumps(parts)
        assert KEY not in repr(vars(model._transport))
        monkeypatch.setenv("LABKIT_API_KEY", "sk-another-key-123")
        model.complete([asking("a")])
    assert server.asked[0].headers["authorization"] == "Bearer sk-another-key-123"


def test_the_key_is_no_part_of_what_is_kept_by(monkeypatch):
    with ChatServer() as server:
        endpoint(server).complete([asking("a")])
        monkeypatch.setenv("LABKIT_API_KEY", "sk-another-key-123")
        assert endpoint(server).complete([asking("a")])[0].cached


@pytest.mark.parametrize("wrong", [f"{KEY}\n{KEY}", f"{KEY} x", f"{KEY}密钥", f"{KEY}\x7f"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(monkeypatch, wrong):
    monkeypatch.setenv("LABKIT_API_KEY", f" {KEY}\n")  # blanks around it are the shell's
    with ChatServer() as server:
        model = endpoint(server)
        model.complete([asking("a")])
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        monkeypatch.setenv("LABKIT_API_KEY", wrong)
        for act in (
            lambda: endpoint(server),
            lambda: model.complete([asking("b")]),
            lambda: model.stream(asking("b")),
        ):
            with pytest.raises(
                LabkitError, match="LABKIT_API_KEY holds blanks, line ends or letters"
            ) as caught:
                act()
            assert KEY not in str(caught.value)
        assert len(server.asked) == 1


# ---------------------------------------------------------------------------------------------------------------
# Addresses and settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://api.example.org/v1/", "https://api.example.org/v1"),
        ("https://API.example.org:8443", "https://api.example.org:8443"),
        ("https://api.example.org/v1/chat/completions", "https://api.example.org/v1"),
        ("http://localhost:11434/v1", "http://localhost:11434/v1"),
        ("http://127.0.0.1/v1", "http://127.0.0.1/v1"),
        ("http://127.9.9.9/v1", "http://127.9.9.9/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_addresses_have_one_spelling(given, expected):
    assert checked_address(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("http://api.example.org/v1", "anybody on the way.*Use https://, or allow_http=True"),
        ("http://localhost.example.org/v1", "anybody on the way"),
        ("http://127.0.0.1.example.org/v1", "anybody on the way"),
        ("http://192.168.0.7/v1", "anybody on the way"),
        ("http://0.0.0.0/v1", "anybody on the way"),
        (f"https://user:{KEY}@api.example.org/v1", "holds a name, a password"),
        (f"https://{KEY[:7]}@api.example.org/v1", "holds a name, a password"),
        (f"https://api.example.org/v1?key={KEY}", "holds a name, a password"),
        (f"https://api.example.org/{KEY}/v1", "holds a name, a password"),
        ("api.example.org/v1", "no web address|not a web address"),
        ("ftp://api.example.org", "not a web address"),
        ("https://", "not a web address"),
        ("https://api.example.org:port/v1", "not a web address"),
        ("https://api.exam ple.org/v1", "not a web address"),
        ("https://[::1/v1", "not a web address"),
    ],
)
def test_unsafe_and_broken_addresses_are_refused(given, message):
    with pytest.raises(LabkitError, match=message) as caught:
        Endpoint(given, "m")
    assert KEY not in str(caught.value)


def test_http_to_another_machine_is_there_for_those_who_ask():
    model = Endpoint("http://192.168.0.7:8000/v1", "m", allow_http=True)
    assert repr(model) == "Endpoint(192.168.0.7, m)"


def test_what_is_missing_is_named():
    with pytest.raises(LabkitError, match="base_url is missing. Give it, or set LABKIT_API_BASE"):
        Endpoint(model="m")
    with pytest.raises(LabkitError, match="model is missing. Give it, or set LABKIT_API_MODEL"):
        Endpoint("http://localhost/v1")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": None}, "timeout"),
        ({"retries": -1}, "retries"),
        ({"retries": 1.5}, "retries"),
        ({"backoff": -1}, "backoff"),
        ({"max_wait": float("inf")}, "max_wait"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
    ],
)
def test_wrong_limits_are_refused_by_name(changes, field):
    with pytest.raises(LabkitError, match=field):
        Limits(**changes)


def test_wrong_prices_and_conversations_are_refused_before_any_request():
    for wrong in (
        {"prompt": -1, "reply": 1},
        {"prompt": 1, "reply": float("nan")},
        {"prompt": 1, "reply": "2"},
    ):
        with pytest.raises(LabkitError, match="price of a million tokens"):
            Prices(**wrong)
    with ChatServer() as server:
        model = endpoint(server)
        assert model.complete([]) == []
        for wrong, message in (
            ([asking("a"), []], "at least one message"),
            (asking("a"), "list of messages"),
            ([asking("a"), [Message("user", "a"), Message("assistant", "b")]], "end with the user's"),
            ([asking("a"), asking("\ud800")], "half a character"),
        ):
            with pytest.raises(LabkitError, match=message):
                model.complete(wrong)
        with pytest.raises(LabkitError, match="``extra``"):
            endpoint(server, extra={"x": object()}).complete([asking("a")])
        assert server.asked == []
