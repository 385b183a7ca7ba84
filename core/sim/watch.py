"""Sees what passes on the stream: that a client follows books, and what went out last."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class StreamWatch:
    """ASGI middleware's state. ``on_subscribe`` is called for every order-book subscription."""

    def __init__(self, *, keep_last: bool) -> None:
        self.on_subscribe: list[Callable[[], None]] = []
        self._keep_last = keep_last
        self._last: dict[str, str] = {}

    def last_sent(self) -> list[str]:
        """The newest message of each kind and subscription."""
        return list(self._last.values())

    def saw_command(self, text: str) -> None:
        if '"orderbook_delta"' in text and '"subscribe"' in text:
            for told in self.on_subscribe:
                told()

    def saw_message(self, text: str) -> None:
        if self._keep_last:
            self._last[text.partition(',"seq":')[0][:120]] = text


class WatchedApp:
    """The application with the watch in between; unauthenticated sockets never get to send commands."""

    def __init__(self, app: ASGIApp, watch: StreamWatch) -> None:
        self._app, self._watch = app, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return

        async def watched_receive() -> Message:
            message = await receive()
            self._watch.saw_command(message.get("text") or "")
            return message

        async def watched_send(message: Message) -> None:
            self._watch.saw_message(message.get("text") or "")
            await send(message)

        await self._app(scope, watched_receive, watched_send)
