"""What stands before every simulated source: the network and the edge, which fail in their own ways.

Sources are named by their provider, the first part of the path. Nothing here knows what a source says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket


class Switches(msgspec.Struct):
    """What is wrong for the moment, by provider."""

    down: set[str] = msgspec.field(default_factory=set)
    """They answer 503 and take no new stream."""


class Switchboard:
    """Middleware before all sources. ``outages`` are the providers' own words while they are down."""

    def __init__(
        self, app: ASGIApp, switches: Switches, outages: Mapping[str, Callable[[Request], Response]]
    ) -> None:
        self._app, self._switches, self._outages = app, switches, outages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        provider = scope["path"].split("/", 2)[1]
        if provider in self._switches.down:
            await self._refuse(provider, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, provider: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(_unavailable())
            return
        words = self._outages.get(provider)
        request = Request(scope, receive)
        await (words(request) if words else _unavailable())(scope, receive, send)


def _unavailable() -> Response:
    return PlainTextResponse("Service Unavailable", 503)
