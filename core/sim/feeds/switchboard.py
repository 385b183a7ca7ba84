"""What stands before every simulated source: the network and the edge, which fail in their own ways.

A source goes by its provider, the first part of its paths. Nothing here knows what a source says.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from email.utils import formatdate

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from core.domain.clock import Clock


class Fault(enum.Enum):
    """What may be wrong with a provider. What a number means stands with each."""

    DOWN = "down"
    """Answers 503; streams end and none begins."""
    PAGE = "page"
    """Answers 200 with a page for people: a captive portal, a consent page."""
    BUSY = "busy"
    """Answers 429, where the number is not 0 with ``Retry-After`` of so many seconds."""
    HANG = "hang"
    """Takes a question or a handshake and never answers it."""
    HALF_OPEN = "half_open"
    """Half an answer comes and no more; an open stream falls silent for good and is not closed."""
    CLOCK = "clock"
    """``Date`` is so many seconds ahead."""


class Switches(msgspec.Struct):
    """What is wrong for the moment."""

    on: dict[tuple[str, Fault], float] = msgspec.field(default_factory=dict)

    def flip(self, provider: str, fault: Fault, number: float = 0.0) -> None:
        self.on[provider, fault] = number

    def end(self, provider: str, fault: Fault) -> None:
        self.on.pop((provider, fault), None)

    def has(self, provider: str, fault: Fault) -> bool:
        return (provider, fault) in self.on


class Switchboard:
    """Middleware before all sources. ``outages`` are the providers' own words while they are down."""

    def __init__(
        self,
        app: ASGIApp,
        switches: Switches,
        clock: Clock,
        outages: Mapping[str, Callable[[Request], Response]],
    ) -> None:
        self._app, self._switches, self._clock, self._outages = app, switches, clock, outages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        provider = scope["path"].split("/", 2)[1]
        if self._switches.has(provider, Fault.HANG):
            await _gone(receive)
        elif scope["type"] == "websocket":
            await self._stream(provider, scope, receive, send)
        else:
            await self._answer(provider, scope, receive, send)

    async def _answer(self, provider: str, scope: Scope, receive: Receive, send: Send) -> None:
        switches = self._switches
        dated = self._dated(provider, send)
        if switches.has(provider, Fault.DOWN) and provider in self._outages:
            await self._outages[provider](Request(scope, receive))(scope, receive, dated)
        elif (refusal := self._refusal(provider)) is not None:
            await refusal(scope, receive, dated)
        elif switches.has(provider, Fault.HALF_OPEN):
            await self._app(scope, receive, _half(receive, dated))
        else:
            await self._app(scope, receive, dated)

    async def _stream(self, provider: str, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(provider)
        if refusal is not None:
            await WebSocket(scope, receive, send).send_denial_response(refusal)
            return
        line = _Line(provider, self._switches, receive, send)
        await self._app(scope, line.receive, line.send)

    def _refusal(self, provider: str) -> Response | None:
        switches = self._switches
        if switches.has(provider, Fault.DOWN):
            return PlainTextResponse("Service Unavailable", 503)
        if switches.has(provider, Fault.PAGE):
            return HTMLResponse("<!DOCTYPE html><html><body><h1>Before you continue</h1></body></html>")
        if switches.has(provider, Fault.BUSY):
            wait_s = switches.on[provider, Fault.BUSY]
            headers = {"Retry-After": f"{wait_s:.0f}"} if wait_s else {}
            return PlainTextResponse("Too Many Requests", 429, headers)
        return None

    def _dated(self, provider: str, send: Send) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                ahead_s = self._switches.on.get((provider, Fault.CLOCK), 0.0)
                date = formatdate(self._clock.wall_ms() / 1000 + ahead_s, usegmt=True)
                MutableHeaders(scope=message)["Date"] = date
            await send(message)

        return dated


class _Line:
    """One stream between a source and its client."""

    def __init__(self, provider: str, switches: Switches, receive: Receive, send: Send) -> None:
        self._provider, self._switches, self._receive, self._send = provider, switches, receive, send
        self._dead = False

    async def receive(self) -> Message:
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive" or not self._silent():
                return message

    async def send(self, message: Message) -> None:
        if self._silent():
            return
        if self._switches.has(self._provider, Fault.DOWN):
            self._dead = True
            message = {"type": "websocket.close", "code": 1012, "reason": "service restart"}
        await self._send(message)

    def _silent(self) -> bool:
        """A line that was half open stays so after the fault is over, as real ones do."""
        self._dead = self._dead or self._switches.has(self._provider, Fault.HALF_OPEN)
        return self._dead


def _half(receive: Receive, send: Send) -> Send:
    """Sends the first half of a body and waits until the client has had enough."""

    async def half(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await _gone(receive)
        else:
            await send(message)

    return half


async def _gone(receive: Receive) -> None:
    """Return when the other side has left."""
    while True:
        message = await receive()
        if message["type"].endswith(".disconnect"):
            return
