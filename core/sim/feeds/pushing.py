"""A provider that pushes: what all of them have in common once a client has connected."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

TICK_S = 1.0
"""Real seconds between ticks: however fast the world runs, a client's machine does not."""


class HangUpError(Exception):
    """The provider ends the connection."""

    def __init__(self, reason: str, code: int = 1000) -> None:
        super().__init__(reason)
        self.code = code


class Talk(Protocol):
    """One client's connection as its provider sees it. Both may raise ``HangUpError``."""

    def hear(self, text: str) -> Iterable[bytes]:
        """What is answered to a message."""
        ...

    def tick(self) -> Iterable[bytes]:
        """What is said every ``TICK_S`` without being asked."""
        ...


async def converse(socket: WebSocket, talk: Talk, greeting: Iterable[bytes] = ()) -> None:
    """Accept the connection and keep it until either side ends it."""
    await socket.accept()
    turn = asyncio.Lock()
    try:
        await _say(socket, greeting, turn)
        async with asyncio.TaskGroup() as sides:
            sides.create_task(_listen(socket, talk, turn))
            sides.create_task(_tick(socket, talk, turn))
    except* HangUpError as ended:
        hung = ended.exceptions[0]
        await socket.close(hung.code if isinstance(hung, HangUpError) else 1011, str(hung))
    except* WebSocketDisconnect:
        pass  # the client has gone


async def _listen(socket: WebSocket, talk: Talk, turn: asyncio.Lock) -> None:
    while True:
        text = await socket.receive_text()
        await _say(socket, talk.hear(text), turn)


async def _tick(socket: WebSocket, talk: Talk, turn: asyncio.Lock) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        await _say(socket, talk.tick(), turn)


async def _say(socket: WebSocket, messages: Iterable[bytes], turn: asyncio.Lock) -> None:
    """All of them before anything else is said: they may be numbered."""
    async with turn:
        for message in messages:
            await socket.send_text(message.decode())
