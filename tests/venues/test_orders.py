"""What counts as sent and as proof of an order: on a scripted transport and virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.venue import Accepted, NeverSent, Rejected, Unresolved
from tests.venues.scripted import CREATED, Desk, Script, answer

Run = Callable[[Any], Any]


def placed(virtual: Run, clocks: Clocks, script: Script, check: Any = lambda: None) -> Any:
    async def main() -> Any:
        return await Desk(clocks, script).place(check)

    return virtual(main())


def test_an_accepted_order(virtual: Run, virtual_clocks: Clocks) -> None:
    assert isinstance(placed(virtual, virtual_clocks, Script(answer(201, CREATED))), Accepted)


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("refused"), httpx.ConnectTimeout(""), httpx.PoolTimeout("")]
)
def test_a_fault_before_the_bytes_is_never_sent(
    virtual: Run, virtual_clocks: Clocks, fault: Exception
) -> None:
    assert isinstance(placed(virtual, virtual_clocks, Script(answer(), before_bytes=fault)), NeverSent)


@pytest.mark.parametrize(
    "fault", [httpx.ReadTimeout(""), httpx.WriteError(""), httpx.RemoteProtocolError("cut")]
)
def test_a_fault_after_the_bytes_is_unresolved(
    virtual: Run, virtual_clocks: Clocks, fault: Exception
) -> None:
    assert isinstance(placed(virtual, virtual_clocks, Script(fault)), Unresolved)


def test_the_whole_order_has_eight_seconds(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> float:
        outcome = await Desk(virtual_clocks, Script(answer(201, CREATED), delay_s=60)).place()
        assert isinstance(outcome, Unresolved)
        return asyncio.get_running_loop().time()

    assert virtual(main()) == pytest.approx(8.0, abs=0.01)


def test_the_last_check_stops_it_without_a_byte(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(201, CREATED))
    assert placed(virtual, virtual_clocks, script, lambda: "book moved") == NeverSent("book moved")
    assert script.requests == []


def test_an_order_is_never_repeated(virtual: Run, virtual_clocks: Clocks) -> None:
    for reply in (answer(503), answer(408), answer(429), httpx.ReadError("")):
        script = Script(reply)
        placed(virtual, virtual_clocks, script)
        assert len(script.requests) == 1


def test_a_429_slows_the_limiter(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(answer(429, b'{"error":"too many requests"}')))
        assert desk.limiter.entry_free(10, 0)
        assert isinstance(await desk.place(), Rejected)
        assert not desk.limiter.entry_free(10, 0)

    virtual(main())


def test_a_transport_that_hides_the_last_step_is_reported(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(answer(201, CREATED)))
        silent = httpx.MockTransport(lambda request: answer(201, CREATED))
        desk.http.general = httpx.AsyncClient(transport=silent)
        assert isinstance(await desk.place(), Accepted)
        assert desk.anomalies[0][0] == "last check"

    virtual(main())
