"""One request from arrival to answer, with everything that takes time: queues, held takers, faults.

The same whether a server or an in-memory transport brings the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator

from core.sim.fates import Answered, Cut, Delivered, Lost
from core.sim.polymarket.errors import WireError
from core.sim.polymarket.rest import Request, Rest, RestAnswer, refused


class ConnectionCutError(Exception):
    """The connection ends here, without an answer."""


class Desk:
    """Serves the requests of one venue."""

    def __init__(self, rest: Rest) -> None:
        self.rest, self._venue = rest, rest.venue

    async def serve(self, request: Request) -> RestAnswer:
        """The answer. Raises ``ConnectionCutError``; waits for ever where a fault loses the answer."""
        faults = self._venue.faults
        match faults.request(request.method, request.raw_path):
            case Cut():
                raise ConnectionCutError("cut before the request was taken")
            case Answered(status=status, body=body):
                return RestAnswer(status, body)
            case Delivered(delay_ms=delay_ms) if delay_ms:
                await asyncio.sleep(delay_ms / 1000)
        answer = await self._perform(request)
        match faults.answer(request.method, request.raw_path):
            case Lost():
                await asyncio.Event().wait()
            case Cut():
                raise ConnectionCutError("cut after the request was carried out")
            case Answered(status=status, body=body):
                return RestAnswer(status, body)
        return answer

    async def _perform(self, request: Request) -> RestAnswer:
        going = steps(self.rest, request)
        while True:
            try:
                wait_ms = next(going)
            except StopIteration as done:
                answer: RestAnswer = done.value
                return answer
            await asyncio.sleep(wait_ms / 1000)


def steps(rest: Rest, request: Request) -> Generator[int, None, RestAnswer]:
    """A request from the venue's door to its answer; yields the milliseconds it waits, wherever it does."""
    try:
        endpoint, _ = rest.endpoint(request)
        wait_ms = rest.venue.edge.enter(endpoint.groups)
        if wait_ms is None:
            raise WireError(429, "Too Many Requests")
    except WireError as error:
        return refused(error)
    if wait_ms:
        yield wait_ms
    hold_ms = rest.hold_ms(request)
    if hold_ms:
        yield hold_ms
    return rest.handle(request, held=bool(hold_ms))
