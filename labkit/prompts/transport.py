"""One request to an HTTP endpoint and its answer: time-outs, retries with back-off, rate limit, server-sent events."""

from __future__ import annotations

import email.utils
import json
import math
import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit.common import LabkitError
from labkit.prompts.credentials import KEY_VARIABLE, authorize, guard_logs, is_local, redact

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
MAX_BODY_BYTES = 16_000_000
SHOWN_CHARACTERS = 300  # of what a server says about an error
PASSING = {408, 425, 429}  # and 5xx: what may be well a moment later
KEY_REFUSED = (401, 403)
_KEY_REFUSAL = f"refuses the key. Set {KEY_VARIABLE} in the environment to a valid one, and check that it may use the model."
REFUSALS = {
    401: _KEY_REFUSAL,
    403: _KEY_REFUSAL,
    404: "knows no such address or model. Check LABKIT_API_BASE, which mostly ends in /v1, and LABKIT_API_MODEL.",
    429: "has too many requests.",
    # by the first digit
    3: "sends on to another address, which is not followed, because it would get the key. Set the base address to "
    "where the service is.",
    4: "refuses the request. Check model, settings and the length of the conversation.",
    5: "has a fault of its own.",
}
# Not from the seeded generators: a retry must not change what a lesson draws.
_random = random.SystemRandom()


@dataclass(frozen=True)
class Limits:
    """How patiently and how fast an endpoint is asked.

    ``timeout``: seconds for one attempt; of a stream, between two pieces. ``retries``: attempts after the first.
    Before attempt n+1 come ``backoff`` * 2^(n-1) seconds, times a random number from 0.5 to 1 so that many
    clients do not come back together, or what the server asks for in Retry-After; never more than ``max_wait``.
    ``requests_per_minute`` None is no limit of one's own. ``concurrency``: requests at the same time. Raises
    LabkitError that names the field.
    """

    timeout: float = 60.0
    retries: int = 4
    backoff: float = 1.0
    max_wait: float = 120.0
    requests_per_minute: float | None = None
    concurrency: int = 4

    def __post_init__(self) -> None:
        rate = self.requests_per_minute
        for name, value in (
            ("timeout", self.timeout),
            ("max_wait", self.max_wait),
            ("requests_per_minute", rate),
        ):
            if not (value is None and name == "requests_per_minute") and not (
                _is_number(value) and 0 < value < math.inf
            ):
                raise LabkitError(f"{name} must be a number above 0, and is {value!r}.")
        if not _is_number(self.backoff) or not 0 <= self.backoff < math.inf:
            raise LabkitError(f"backoff must be a number of seconds from 0, and is {self.backoff!r}.")
        for name, value, least in (("retries", self.retries, 0), ("concurrency", self.concurrency, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise LabkitError(f"{name} must be an integer from {least}, and is {value!r}.")


@dataclass(frozen=True)
class Fault:
    """Why an attempt gave no answer. ``passing``: another attempt may; ``wait``: seconds that the server asks for.

    A value and no exception: those of the HTTP library hold the request, and the request holds the key.
    """

    message: str
    passing: bool
    wait: float | None = None


class Stopped(Exception):
    """The work was given up while this request waited for its turn."""


class Pace:
    """When the next request may go: 60 / ``requests_per_minute`` seconds after the last, for all threads together."""

    def __init__(self, requests_per_minute: float | None) -> None:
        self._interval = 60 / requests_per_minute if requests_per_minute else 0.0
        self._free = -math.inf
        self._lock = threading.Lock()

    def wait(self, stopped: threading.Event) -> None:
        """Return when it is this thread's turn; raises Stopped."""
        while True:
            with self._lock:
                now = time.monotonic()
                if now >= self._free:
                    self._free = now + self._interval
                    break
                delay = self._free - now
            if stopped.wait(delay):
                raise Stopped
        if stopped.is_set():
            raise Stopped

    def hold(self, seconds: float) -> None:
        """Let no request go for ``seconds``: a server that refuses one refuses the others too."""
        with self._lock:
            self._free = max(self._free, time.monotonic() + seconds)


class Transport:
    """Sends JSON to one address under ``Limits``, and gives back JSON. Safe to use from several threads."""

    def __init__(self, address: str, limits: Limits) -> None:
        self.address, self.limits = address, limits
        self.pace = Pace(limits.requests_per_minute)
        self.sent = 0
        self._lock = threading.Lock()
        guard_logs()

    def open(self) -> httpx.Client:
        """The connections for a number of requests. Close it after the last."""
        try:
            import httpx
        except ImportError:
            raise LabkitError("Endpoints need the package httpx. Install it: pip install httpx") from None
        # A school's proxy is for other machines: asked for this one, it would look on itself.
        parts, seconds = urlsplit(self.address), self.limits.timeout
        options = {"trust_env": not is_local(parts.hostname), "verify": parts.scheme == "https"}
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS), pool=None)
        with suppress(ImportError, ValueError, OSError, httpx.InvalidURL):
            return httpx.Client(timeout=timeout, **options)
        # Raised out here: the error there names the proxy, and with it perhaps its password.
        raise LabkitError(
            "The proxy or the certificates that the environment names cannot be used. Check HTTPS_PROXY, "
            "ALL_PROXY and SSL_CERT_FILE."
        )

    def post(self, client: httpx.Client, payload: dict[str, Any], stopped: threading.Event) -> dict[str, Any]:
        """The answer to ``payload``. Raises LabkitError when it is refused, or not there after all retries."""
        body = encoded(payload)
        for attempt in range(self.limits.retries + 1):
            self._begin(stopped)
            found = self._attempt(client, body)
            if not isinstance(found, Fault):
                return found
            self._after(found, attempt, stopped)
        raise AssertionError("the last attempt raises")

    def events(self, client: httpx.Client, payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The events of a streamed answer as they come. Retries until the first; errors as in ``post``."""
        body, stopped = encoded(payload), threading.Event()
        for attempt in range(self.limits.retries + 1):
            self._begin(stopped)
            fault, begun = None, False
            for event in self._events(client, body):
                if isinstance(event, Fault):
                    fault = event
                    break
                begun = True
                yield event
            if fault is None:
                return
            if begun:  # what was shown cannot be taken back
                raise LabkitError(f"In the middle of the reply: {fault.message} Ask again.")
            self._after(fault, attempt, stopped)

    def _begin(self, stopped: threading.Event) -> None:
        self.pace.wait(stopped)
        with self._lock:
            self.sent += 1

    def _after(self, fault: Fault, attempt: int, stopped: threading.Event) -> None:
        """Wait before the next attempt; raise LabkitError where there is none."""
        limits = self.limits
        if not fault.passing:
            raise LabkitError(fault.message)
        if fault.wait is not None and fault.wait > limits.max_wait:
            raise LabkitError(
                f"{fault.message} The server asks to wait {fault.wait:.0f} s, and max_wait is {limits.max_wait:.0f} s: "
                "ask again later."
            )
        if attempt == limits.retries:
            raise LabkitError(f"{fault.message} Tried {_times(attempt + 1)}: ask again later.")
        if fault.wait is not None:
            self.pace.hold(fault.wait)
            return  # the pace makes this thread wait as well
        delay = min(limits.max_wait, limits.backoff * 2**attempt) * _random.uniform(0.5, 1)
        if stopped.wait(delay):
            raise Stopped

    def _attempt(self, client: httpx.Client, body: bytes) -> dict[str, Any] | Fault:
        import httpx

        deadline = time.monotonic() + self.limits.timeout
        try:
            with self._request(client, body) as response:
                return self._whole(response, deadline)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return self._broken(error)

    def _events(self, client: httpx.Client, body: bytes) -> Iterator[dict[str, Any] | Fault]:
        import httpx

        fault = None
        try:
            with self._request(client, body) as response:
                kind = response.headers.get("content-type", "").lower()
                if response.status_code == 200 and kind.startswith("text/event-stream"):
                    yield from self._parsed_events(response)
                else:  # refused, or from a server that does not stream
                    yield self._whole(response, time.monotonic() + self.limits.timeout)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            fault = self._broken(error)
        except KeyboardInterrupt:
            fault = KeyboardInterrupt
        if fault is KeyboardInterrupt:  # anew: the frames of the first one hold the request, and so the key
            raise KeyboardInterrupt
        if fault is not None:
            yield fault

    def _whole(self, response: httpx.Response, deadline: float) -> dict[str, Any] | Fault:
        content = self._content(response, deadline)
        return content if isinstance(content, Fault) else self._answer(response, content)

    def _request(self, client: httpx.Client, body: bytes) -> Any:
        headers = {"Content-Type": "application/json"}
        url = f"{self.address}/chat/completions"
        return client.stream("POST", url, content=body, headers=headers, auth=authorize)

    def _content(self, response: httpx.Response, deadline: float) -> bytes | Fault:
        """The whole body; the library's time-out is for each piece of it, this one for all."""
        content = bytearray()
        for piece in response.iter_bytes():
            content += piece
            if time.monotonic() > deadline:
                return self._too_slow()
            if len(content) > MAX_BODY_BYTES:
                return Fault(f"{self.address} sends more than {MAX_BODY_BYTES // 10**6} MB.", passing=False)
        return bytes(content)

    def _parsed_events(self, response: httpx.Response) -> Iterator[dict[str, Any] | Fault]:
        """The JSON of each event up to ``[DONE]``; a Fault where the stream ends before its reply does."""
        ended, last = False, time.monotonic()
        for data in _data_lines(response.iter_bytes()):
            now = time.monotonic()
            if data is None:  # a comment, which keeps the connection open: nothing of the reply
                if now - last > self.limits.timeout:
                    yield self._too_slow()
                    return
                continue
            last = now
            if data == "[DONE]":
                return
            event = _object(data)
            if event is None:
                yield Fault(f"{self.address} sent an event that is not JSON.", passing=False)
                return
            if event.get("error"):
                yield self._error_object(event["error"])
                return
            ended = ended or _names_an_end(event)
            yield event
        if not ended:
            yield Fault(f"{self.address} cut the connection off.", passing=True)

    def _answer(self, response: httpx.Response, content: bytes) -> dict[str, Any] | Fault:
        """The JSON object of a good answer, or what is wrong with another."""
        text = content.decode("utf-8", errors="replace")
        answer = _object(text)
        if response.status_code != 200:
            return self._refused(response, answer)
        if answer is None:
            kind = response.headers.get("content-type", "no type").partition(";")[0]
            return Fault(
                f"{self.address} answers with what is not a JSON object ({len(content)} bytes of {redact(kind)}). "
                "Is the base address right? Most end in /v1.",
                passing=text.lstrip().startswith("{"),  # it was to be one, and is not whole
            )
        if answer.get("error"):
            return self._error_object(answer["error"])
        return answer

    def _refused(self, response: httpx.Response, answer: dict[str, Any] | None) -> Fault:
        status = response.status_code
        meaning = REFUSALS.get(status) or REFUSALS.get(status // 100) or "gives no answer."
        passing = status in PASSING or status >= 500
        # Not what is said about a key: it often shows half of it.
        said = "" if status in KEY_REFUSED else _said(answer or {})
        if status == 429 and _code(answer or {}) == "insufficient_quota":  # waiting does not fill an account
            meaning, passing = "has an account whose quota is used up. Top it up.", False
        wait = _retry_after(response.headers.get("retry-after")) if passing else None
        return Fault(f"{self.address} {meaning} (status {status}){said}", passing, wait)

    def _error_object(self, error: Any) -> Fault:
        """An error that comes with status 200, as gateways send those of the model behind them."""
        code = error.get("code") if isinstance(error, dict) else None
        passing = isinstance(code, int) and (code in PASSING or 500 <= code < 600)
        mend = "" if passing else " Check model and settings."
        return Fault(f"{self.address} answers with an error.{mend}{_said({'error': error})}", passing)

    def _broken(self, error: Exception) -> Fault:
        import httpx

        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
            return Fault(
                f"{self.address} cannot be reached ({type(error).__name__}). Is there a network, is the server running, "
                "and is the base address right?",
                passing=True,
            )
        if isinstance(error, httpx.TimeoutException):
            return self._too_slow()
        # Not its text: a protocol error quotes what the server sent.
        return Fault(f"{self.address} cut the connection off ({type(error).__name__}).", passing=True)

    def _too_slow(self) -> Fault:
        return Fault(
            f"{self.address} gave no answer within {self.limits.timeout:g} s. Raise Limits(timeout=...) if it is slow.",
            passing=True,
        )


def encoded(payload: dict[str, Any]) -> bytes:
    """The body of a request; raises LabkitError for what is no JSON."""
    try:
        return json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):  # a surrogate is a ValueError too
        raise LabkitError(
            "The request cannot be written as JSON: a text holds half a character, or ``extra`` something that JSON has not."
        ) from None


def _data_lines(pieces: Iterator[bytes]) -> Iterator[str | None]:
    """The data of server-sent events; None for a line of any other kind.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, for events of one data
    line each, as JSON is. Lines end in CR, LF or both: a text may hold U+2028, where str.splitlines would cut.
    """
    rest = b""
    for piece in pieces:
        lines = (rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_BODY_BYTES:
            return
        for line in lines:
            yield line[5:].decode("utf-8", errors="replace").strip() if line.startswith(b"data:") else None
    data = rest.removeprefix(b"data:").decode("utf-8", errors="replace").strip()
    if data == "[DONE]" or _object(data) is not None:  # the last line end is often forgotten
        yield data


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that ``text`` is, with nothing in it that is the key; None for anything else."""
    try:
        found = _hidden(json.loads(text))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    if isinstance(value, dict):
        return {redact(name): _hidden(one) for name, one in value.items()}
    return value


def _names_an_end(event: dict[str, Any]) -> bool:
    choices = event.get("choices")
    return isinstance(choices, list) and any(isinstance(c, dict) and c.get("finish_reason") for c in choices)


def _said(answer: dict[str, Any]) -> str:
    """What the server says about an error, in one short line; "" where it says nothing."""
    error = answer.get("error", answer)
    said = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    if not isinstance(said, str) or not said.strip():
        return ""
    said = " ".join(said.split())
    shown = said if len(said) <= SHOWN_CHARACTERS else f"{said[:SHOWN_CHARACTERS]}..."
    return f' It says: "{shown}"'


def _code(answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    return error.get("code") if isinstance(error, dict) else None


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header: a number or a date (RFC 9110, section 10.2.3); None for anything else."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
