"""Any OpenAI-compatible endpoint as a backend: kept replies, several requests at a time, streaming, what it costs.

The address and the model come from LABKIT_API_BASE and LABKIT_API_MODEL, or as arguments; the key from
LABKIT_API_KEY alone, so that no notebook holds it.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labkit.common import LabkitError
from labkit.prompts.cache import ReplyCache, cache_key
from labkit.prompts.credentials import Redactor, check_key, checked_address, redact
from labkit.prompts.messages import Message, Reply, Settings, check_conversation
from labkit.prompts.transport import Limits, Stopped, Transport, encoded

BASE_VARIABLE, MODEL_VARIABLE = "LABKIT_API_BASE", "LABKIT_API_MODEL"
GREEDY = Settings()
LENGTH_REASONS = ("length", "max_tokens")


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, in any currency. Raises LabkitError that names the field."""

    prompt: float
    reply: float

    def __post_init__(self) -> None:
        for name in ("prompt", "reply"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise LabkitError(f"{name} must be the price of a million tokens, from 0, and is {value!r}.")


@dataclass(frozen=True)
class Usage:
    """What an endpoint was asked so far, and what it cost; ``cost`` is None where no prices were given.

    ``sent`` counts requests, retries included; ``answered`` whole replies, ``cached`` those that were kept and cost
    nothing. Where the server does not tell the tokens of a reply it is among ``unreported``, and the cost is too low.
    """

    sent: int = 0
    answered: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    unreported: int = 0
    cost: float | None = None


@dataclass(frozen=True)
class _Request:
    key: str
    payload: dict[str, Any]


class Endpoint:
    """A model behind an address that speaks OpenAI's chat completions.

    ``cache``: True keeps replies in labkit's cache folder, a path in that folder, False none. A kept reply is given
    again for an equal request: address, model, messages, settings and ``extra``. Equal requests in one call are
    sent once. ``extra`` adds fields to every request, and takes fields away where it says None, as in
    ``{"max_tokens": None, "max_completion_tokens": 160}``. At temperature 0 no seed is sent: it changes nothing.

    Raises LabkitError for a missing or unsafe address (see ``credentials.checked_address``) or a missing model.
    """

    def __init__(
        self,
        base_url: str | None = None,
        model: str | None = None,
        *,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        prices: Prices | None = None,
        cache: ReplyCache | Path | str | bool = True,
        extra: Mapping[str, Any] | None = None,
        allow_http: bool = False,
    ) -> None:
        address = base_url or os.environ.get(BASE_VARIABLE, "").strip()
        self.name = model or os.environ.get(MODEL_VARIABLE, "").strip()
        for value, argument, variable in (
            (address, "base_url", BASE_VARIABLE),
            (self.name, "model", MODEL_VARIABLE),
        ):
            if not value:
                raise LabkitError(f"The endpoint's {argument} is missing. Give it, or set {variable}.")
        check_key()
        self.address = checked_address(address, allow_http)
        self.prices = prices
        self.cache = _opened(cache)
        self._extra = dict(extra or {})
        self._transport = Transport(self.address, limits)
        self._usage, self._lock = Usage(), threading.Lock()

    def __repr__(self) -> str:
        return f"Endpoint({urlsplit(self.address).hostname}, {redact(self.name)})"

    @property
    def usage(self) -> Usage:
        """What was asked so far."""
        usage, cost = self._usage, None
        if self.prices is not None:
            cost = (
                usage.prompt_tokens * self.prices.prompt + usage.reply_tokens * self.prices.reply
            ) / 1_000_000
        return replace(usage, sent=self._transport.sent, cost=cost)

    def complete(
        self, conversations: Sequence[Sequence[Message]], settings: Settings = GREEDY
    ) -> list[Reply]:
        """One reply for each conversation, in their order.

        Raises LabkitError, before any request, for a wrong conversation, and when one stays unanswered. Then no more
        are sent; replies that came are kept in the cache, so that the same call goes on from there.
        """
        requests = [self._request(conversation, settings) for conversation in conversations]
        kept = {request.key: self._kept(request) for request in requests}
        missing: dict[str, tuple[int, _Request]] = {}
        for number, request in enumerate(requests):
            if kept[request.key] is None:
                missing.setdefault(request.key, (number, request))
        found = self._ask_all(list(missing.values())) if missing else {}
        replies = []
        for number, request in enumerate(requests):
            reply = kept[request.key] or found[request.key]
            first = request.key in missing and missing[request.key][0] == number
            replies.append(reply if first else replace(reply, cached=True, seconds=0.0))
        self._count(cached=sum(reply.cached for reply in replies))
        return replies

    def stream(self, conversation: Sequence[Message], settings: Settings = GREEDY) -> Iterator[str]:
        """The text of the reply in pieces as it comes; a kept reply is one piece, and a whole one is kept.

        Raises LabkitError, at once for a wrong conversation, and when the connection ends before the reply does.
        """
        request = self._request(conversation, settings)
        reply = self._kept(request)
        if reply is not None:
            self._count(cached=1)
            return iter([reply.text] if reply.text else [])
        return self._streamed(request)

    def _request(self, conversation: Sequence[Message], settings: Settings) -> _Request:
        check_conversation(conversation)
        check_key()
        payload: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": m.role, "content": m.content} for m in conversation],
            "temperature": float(settings.temperature),
            "top_p": float(settings.top_p),
            "max_tokens": settings.max_tokens,
        }
        if settings.stop:
            payload["stop"] = list(settings.stop)
        if settings.temperature > 0:
            payload["seed"] = settings.seed
        payload |= self._extra
        payload = {name: value for name, value in payload.items() if value is not None}
        encoded(payload)  # what cannot be sent is refused before anything is
        return _Request(cache_key({"address": self.address, "payload": payload}), payload)

    def _kept(self, request: _Request) -> Reply | None:
        return None if self.cache is None else self.cache.get(request.key)

    def _ask_all(self, requests: list[tuple[int, _Request]]) -> dict[str, Reply]:
        """The replies by key, from as many threads as requests may be under way. Raises LabkitError."""
        stopped, client = threading.Event(), self._transport.open()
        pool = ThreadPoolExecutor(min(self._transport.limits.concurrency, len(requests)))
        futures = {
            pool.submit(self._ask, client, request, stopped): (n, request.key) for n, request in requests
        }
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:  # an interrupt: what is under way ends by itself, and is kept
            stopped.set()
            threading.Thread(target=_close, args=(pool, client), daemon=True).start()
            raise
        stopped.set()  # nobody waits any longer but where one failed
        _close(pool, client)
        self._raise_first(futures)
        return {key: future.result() for future, (_, key) in futures.items()}

    def _raise_first(self, futures: dict[Future[Reply], tuple[int, str]]) -> None:
        """Raise what made the first conversation fail, with how far the work came."""
        errors = {}
        for future, (number, _) in futures.items():
            error = None if future.cancelled() else future.exception()
            if error is not None and not isinstance(error, Stopped):
                errors[number] = error
        if not errors:
            return
        number = min(errors)
        if not isinstance(errors[number], LabkitError):
            raise errors[number]
        done = sum(not future.cancelled() and future.exception() is None for future in futures)
        progress = f" {done} of {len(futures)} replies came"
        progress += " and are kept: run again to go on from there." if self.cache is not None else "."
        raise LabkitError(
            f"Conversation {number}: {errors[number]}{progress if len(futures) > 1 else ''}"
        ) from None

    def _ask(self, client: Any, request: _Request, stopped: threading.Event) -> Reply:
        started = time.perf_counter()
        try:
            answer = self._transport.post(client, request.payload, stopped)
            choice = _choice(answer, self.address)
            if choice is None:
                raise LabkitError(f"{self.address} sent a reply without choices. Check the model's name.")
            text = _content(choice, "message", self.address)
        except BaseException:
            stopped.set()  # here: the next thread may begin before the first hears of it
            raise
        return self._keep(request, self._finished(text, choice, answer.get("usage"), started))

    def _streamed(self, request: _Request) -> Iterator[str]:
        started, client = time.perf_counter(), self._transport.open()
        payload = request.payload | {"stream": True}
        if self._extra.get("stream_options", True) is not None:  # some servers refuse it
            payload |= {"stream_options": {"include_usage": True}}
        pieces, redactor, last, usage = [], Redactor(), None, None
        try:
            for event in self._transport.events(client, payload):
                usage = event.get("usage") or usage
                choice = _choice(event, self.address)
                if choice is None:  # the event with the usage has none
                    continue
                part = "delta" if "delta" in choice else "message"
                piece = redactor.push(_content(choice, part, self.address, in_part=part == "delta"))
                last = choice if choice.get("finish_reason") or last is None else last
                if piece:
                    pieces.append(piece)
                    yield piece
            if last is None:
                raise LabkitError(f"{self.address} ended the stream without a reply. Check the model's name.")
            if rest := redactor.finish():
                pieces.append(rest)
                yield rest
        finally:
            client.close()
        self._keep(request, self._finished("".join(pieces), last, usage, started))

    def _finished(self, text: str, choice: dict[str, Any], usage: Any, started: float) -> Reply:
        finish = "length" if choice.get("finish_reason") in LENGTH_REASONS else "stop"
        counts = usage if isinstance(usage, dict) else {}
        prompt_tokens, reply_tokens = (counts.get(f"{part}_tokens") for part in ("prompt", "completion"))
        if not (_is_count(prompt_tokens) and _is_count(reply_tokens)):
            prompt_tokens = reply_tokens = 0
            self._count(unreported=1)
        self._count(answered=1, prompt_tokens=prompt_tokens, reply_tokens=reply_tokens)
        return Reply(text, prompt_tokens, reply_tokens, finish, seconds=time.perf_counter() - started)

    def _keep(self, request: _Request, reply: Reply) -> Reply:
        if self.cache is not None:
            self.cache.put(request.key, reply)
        return reply

    def _count(self, **more: int) -> None:
        with self._lock:
            sums = {name: getattr(self._usage, name) + count for name, count in more.items()}
            self._usage = replace(self._usage, **sums)


def _opened(cache: ReplyCache | Path | str | bool) -> ReplyCache | None:
    if isinstance(cache, bool):
        return ReplyCache() if cache else None
    return cache if isinstance(cache, ReplyCache) else ReplyCache(cache)


def _close(pool: ThreadPoolExecutor, client: Any) -> None:
    pool.shutdown(wait=True, cancel_futures=True)
    client.close()


def _choice(answer: dict[str, Any], address: str) -> dict[str, Any] | None:
    """The first choice, None where there is none. Raises LabkitError for another shape, and a reply held back."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or (choices and not isinstance(choices[0], dict)):
        raise _wrong_shape(address)
    if not choices:
        return None
    if choices[0].get("finish_reason") == "content_filter":
        raise LabkitError(f"The filter of {address} held the reply back. Word the prompt differently.")
    return choices[0]


def _content(choice: dict[str, Any], part: str, address: str, in_part: bool = False) -> str:
    """The text of a choice. A piece of a stream may have none; a whole reply only where the length ended it, as
    with a model that thought all its tokens away."""
    message = choice.get(part)
    if not isinstance(message, dict):
        raise _wrong_shape(address)
    content = message.get("content")
    if content is None and (in_part or choice.get("finish_reason") in LENGTH_REASONS):
        return ""
    if not isinstance(content, str):
        raise _wrong_shape(address)
    # JSON may name half a character; two halves become the whole one.
    return content.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _wrong_shape(address: str) -> LabkitError:
    return LabkitError(
        f"{address} answers in a form that is not that of chat completions. Is the base address right? Most end in /v1."
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
