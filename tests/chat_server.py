"""A real HTTP server on this machine that speaks chat completions, and misbehaves as it is told."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    payload: dict[str, Any]
    time: float = field(default_factory=time.monotonic)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        server = self.server.owner
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked = Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, payload)
        behaviour = server._next(self.asked)
        try:
            behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            server._left()

    def log_message(self, *_: Any) -> None:
        pass

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.begin(status, kind, content_length=str(len(body)), **headers)
        self.wfile.write(body)

    def begin(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "content_length" not in headers:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def hang_up(self) -> None:
        self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(
            self
        )  # HTTPServer's also asks for the host's name, which can take long
        self.server_name, self.server_port = self.server_address

    def handle_error(self, *_: Any) -> None:
        pass  # a client that hangs up is no error here


class ChatServer:
    """``with ChatServer(status(500), slow(1)) as server``: these behaviours in turn, then good answers.

    ``choose`` may pick the behaviour by what is asked instead.
    """

    def __init__(self, *plan: Behaviour, choose: Callable[[Asked], Behaviour] | None = None) -> None:
        self.plan, self.choose = list(plan), choose
        self.asked: list[Asked] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> ChatServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next(self, asked: Asked) -> Behaviour:
        with self._lock:
            self.asked.append(asked)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if self.plan:
                return self.plan.pop(0)
        return self.choose(asked) if self.choose else answer()

    def _left(self) -> None:
        with self._lock:
            self.at_once -= 1


# ---------------------------------------------------------------------------------------------------------------
# Good answers


def answer(text: str | None = None, finish: str | None = "stop", usage: Any = ..., **more: Any) -> Behaviour:
    """The text, or what the user said last with "You said: " before it; as a stream where one is asked for."""

    def behave(handler: Handler) -> None:
        said = handler.asked.payload["messages"][-1]["content"]
        content = f"You said: {said}" if text is None else text
        counts = {"prompt_tokens": len(said), "completion_tokens": len(content)} if usage is ... else usage
        if handler.asked.payload.get("stream"):
            stream(content[place : place + 3] for place in range(0, len(content), 3))(handler)
            return
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        body = {"object": "chat.completion", "choices": [choice]} | more
        body |= {} if counts is None else {"usage": counts}
        handler.send(200, json.dumps(body, ensure_ascii=False).encode())

    return behave


def event(content: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One server-sent event of a stream."""
    delta = {} if content is None else {"content": content}
    body = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


def usage_event(prompt_tokens: int = 7, completion_tokens: int = 5) -> bytes:
    counts = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    return b"data: " + json.dumps({"choices": [], "usage": counts}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def stream(pieces: Any, finish: str = "stop", done: bytes = DONE) -> Behaviour:
    return events(event(""), *(event(piece) for piece in pieces), event(finish=finish), usage_event(), done)


def events(*content: bytes, pause: float = 0.0, length: int | None = None) -> Behaviour:
    """These bytes as an event stream, each after a pause; with ``length`` promised and perhaps not kept."""

    def behave(handler: Handler) -> None:
        more = {} if length is None else {"content_length": str(length)}
        handler.begin(200, "text/event-stream", **more)
        for piece in content:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)
        handler.hang_up()

    return behave


# ---------------------------------------------------------------------------------------------------------------
# Bad ones


def status(code: int, body: Any = None, **headers: str) -> Behaviour:
    content = b"" if body is None else json.dumps(body).encode()
    return lambda handler: handler.send(code, content, **headers)


def raw(body: bytes, kind: str = "application/json", code: int = 200) -> Behaviour:
    return lambda handler: handler.send(code, body, kind)


def slow(seconds: float, then: Behaviour | None = None) -> Behaviour:
    def behave(handler: Handler) -> None:
        time.sleep(seconds)
        (then or answer())(handler)

    return behave


def drip(body: bytes, pause: float) -> Behaviour:
    """A body byte by byte: never silent for long, and never done."""

    def behave(handler: Handler) -> None:
        handler.begin(200, "application/json", content_length=str(len(body)))
        for place in range(len(body)):
            handler.wfile.write(body[place : place + 1])
            handler.wfile.flush()
            time.sleep(pause)

    return behave


def cut_off(body: bytes, of: int) -> Behaviour:
    """The beginning of a body whose promised length is ``of``."""

    def behave(handler: Handler) -> None:
        handler.begin(200, "application/json", content_length=str(of))
        handler.wfile.write(body)
        handler.hang_up()

    return behave


def hang_up(handler: Handler) -> None:
    """No answer at all."""
    handler.hang_up()


def not_http(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    handler.hang_up()
