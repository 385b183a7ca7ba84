"""One Ethereum node, asked by JSON-RPC over HTTP. Nothing of its address but the host is ever shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from core.domain.text import clean_text
from core.feeds.fetch import Body, Failed, Fetcher, decode

LIMIT_EXCEEDED = -32_005
REVERTED = 3


class RpcError(msgspec.Struct, frozen=True):
    code: int
    message: str = ""


class Reply(msgspec.Struct, frozen=True):
    result: Any = None
    error: RpcError | None = None


class Answer(msgspec.Struct, frozen=True):
    """What a call came to, with the body it came in."""

    result: object
    body: Body


class Node:
    """Asks one address. ``host`` is what it is called."""

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        self.host = clean_text(urlsplit(url).hostname or "node", 60)
        self._fetcher = fetcher
        self._ids = 0

    async def ask(self, method: str, params: list[Any]) -> Answer | Failed:
        """One question; every fault is told with the host's name."""
        self._ids += 1
        question = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params}
        body = await self._fetcher.post("", msgspec.json.encode(question))
        if not isinstance(body, Body):
            return self.failed(body if isinstance(body, Failed) else Failed("not modified", 304))
        reply = decode(body, Reply)
        if isinstance(reply, Failed):
            return self.failed(reply)
        if reply.error is not None:
            return self.failed(_refused(reply.error, self._fetcher.hidden(reply.error.message)))
        return Answer(reply.result, body)

    async def call(self, contract: str, selector: str) -> Answer | Failed:
        """A function without arguments of a contract, as of the newest block."""
        return await self.ask("eth_call", [{"to": contract, "data": selector}, "latest"])

    def failed(self, why: Failed) -> Failed:
        return msgspec.structs.replace(why, reason=f"{self.host}: {why.reason}")


def _refused(error: RpcError, message: str) -> Failed:
    if error.code == LIMIT_EXCEEDED:
        return Failed("its limit is exceeded", 429)
    if error.code == REVERTED:
        return Failed("the contract reverts", 200)
    return Failed(f"error {error.code}: {clean_text(message, 100)}", 200)
