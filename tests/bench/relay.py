"""A relay between the engine and one simulated source that notes when each answer left for the engine."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


class Answered(NamedTuple):
    """``at_ns``: monotonic, just before the answer's last byte was written to the engine's socket."""

    target: str
    at_ns: int


class Relay:
    """Forwards HTTP/1.1 without pipelining, a thread for each connection, to where it is told to."""

    def __init__(self) -> None:
        self.behind = ("", 0)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.answers: list[Answered] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            engine, _ = self._listening.accept()
            threading.Thread(target=self._serve, args=(engine,), daemon=True).start()

    def _serve(self, engine: socket.socket) -> None:
        with engine, socket.create_connection(self.behind) as behind, contextlib.suppress(OSError):
            for side in (engine, behind):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = _messages(behind)
            for request in _messages(engine):
                behind.sendall(request)
                answer = next(answers)
                engine.sendall(answer[:-1])
                at_ns = time.monotonic_ns()
                engine.sendall(answer[-1:])
                self.answers.append(Answered(request.split(b" ", 2)[1].decode(), at_ns))


def _messages(source: socket.socket) -> Iterator[bytes]:
    """Whole messages, by their length; ends with the connection."""
    held = b""
    while True:
        while HEAD_END not in held:
            more = source.recv(65536)
            if not more:
                return
            held += more
        head = held.partition(HEAD_END)[0]
        lengths = (line for line in head.lower().split(b"\r\n") if line.startswith(LENGTH))
        whole = len(head) + len(HEAD_END) + int(next(lengths, LENGTH + b"0")[len(LENGTH) :])
        while len(held) < whole:
            more = source.recv(65536)
            if not more:
                return
            held += more
        yield held[:whole]
        held = held[whole:]
