"""The key of an endpoint, which is read from the environment and shown nowhere; which addresses may have it."""

from __future__ import annotations

import ipaddress
import logging
import os
from typing import Any
from urllib.parse import urlsplit

from labkit.common import LabkitError

KEY_VARIABLE = "LABKIT_API_KEY"
HIDDEN = "[key]"
# Shorter ones are what people set for servers that want any ("EMPTY", "ollama"): words that a reply may hold.
SECRET_LENGTH = 8
# What logs every request, and with it whatever a server sends back in its headers.
LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def check_key() -> None:
    """Raise LabkitError where the key is set to what no header can hold. The message does not hold it either."""
    if not all("!" <= character <= "~" for character in os.environ.get(KEY_VARIABLE, "").strip()):
        raise LabkitError(
            f"{KEY_VARIABLE} holds blanks, line ends or letters beyond ASCII, which no key has. Set it to the key alone."
        )


def authorize(request: Any) -> Any:
    """Put the key, where there is one, into an httpx request. No object but the request ever holds it."""
    if key := os.environ.get(KEY_VARIABLE, "").strip():
        request.headers["Authorization"] = f"Bearer {key}"
    return request


def redact(text: str) -> str:
    """``text`` with ``[key]`` where the key was: a server may send back what it got."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    return text.replace(key, HIDDEN) if len(key) >= SECRET_LENGTH else text


class Redactor:
    """``redact`` for a text that comes in pieces: holds back an end that may be the beginning of the key."""

    def __init__(self) -> None:
        self._held = ""

    def push(self, piece: str) -> str:
        """What is certain to hold no part of the key."""
        text = redact(self._held + piece)
        key = os.environ.get(KEY_VARIABLE, "").strip()
        longest = min(len(text), len(key) - 1) if len(key) >= SECRET_LENGTH else 0
        keep = next((size for size in range(longest, 0, -1) if text.endswith(key[:size])), 0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return held


class _LogFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        written = record.getMessage()
        if (shown := redact(written)) != written:
            record.msg, record.args = shown, ()
        return True


_LOG_FILTER = _LogFilter()


def guard_logs() -> None:
    """Let no log of the HTTP library show the key; adding the filter again changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_LOG_FILTER)


def checked_address(address: str, allow_http: bool = False) -> str:
    """The base address in one spelling, without a last slash.

    Raises LabkitError for what is no http(s) address; for a user name, a query or the key in it, which would be
    shown with it; for http, which anybody on the way can read, to another machine unless ``allow_http``.
    """
    try:
        parts = urlsplit(address.strip())
        safe = not ("@" in address or parts.query or parts.fragment) and redact(address) == address
        host = parts.hostname if parts.port is None or parts.port else None  # a wrong port raises
    except (ValueError, TypeError, AttributeError):
        safe, host = "@" not in str(address), None
    if not safe:
        raise LabkitError(
            "The base address holds a name, a password, a key or a query, which would be shown with it. "
            f"Give it without, and the key in {KEY_VARIABLE}."
        )
    if not host or parts.scheme not in ("http", "https") or any(c <= " " for c in address.strip()):
        raise LabkitError(
            "The base address is not a web address. Give one such as https://host/v1 (LABKIT_API_BASE)."
        )
    if parts.scheme == "http" and not is_local(host) and not allow_http:
        raise LabkitError(
            f"http://{host} sends key and texts so that anybody on the way can read them. Use https://, "
            "or allow_http=True for a machine on a network that you trust."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    shown_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown_host}{'' if parts.port is None else f':{parts.port}'}{path}"


def is_local(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
