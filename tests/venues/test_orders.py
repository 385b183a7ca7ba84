"""What counts as sent and as proof of an order: on a scripted transport and virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from core.domain.clock import Clocks
from core.domain.order import TimeInForce
from core.domain.units import contracts
from core.venues.kalshi.orders import Decrease, create_order
from core.venues.limiter import Priority
from core.venues.venue import (
    Accepted,
    NeverSent,
    NotReduced,
    Reduced,
    ReduceUnresolved,
    Rejected,
    Unresolved,
)
from tests.venues.scripted import CREATED, INTENT, Desk, Script, answer

Run = Callable[[Any], Any]
AT_MS = 1_795_400_000_000


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


LEGS = [
    {
        "client_order_id": "c-1",
        "order_id": "o-1",
        "fill_count": "0.00",
        "remaining_count": "1.00",
        "ts_ms": 1,
    },
    {"client_order_id": "c-3", "error": {"code": "insufficient_balance", "message": "m"}},
    {"client_order_id": "c-4", "error": {"code": "order_already_exists"}},
    {"client_order_id": "c-5", "fill_count": "0.00"},
    {
        "client_order_id": "c-6",
        "order_id": "o-6",
        "fill_count": "0.00",
        "remaining_count": "1.00",
        "ts_ms": 1,
    },
    {"client_order_id": "c-6", "error": {"code": "invalid_price"}},
    {"error": {"code": "invalid_price"}},
    {"client_order_id": "c-7", "error": "?"},
]


def batch(virtual: Run, clocks: Clocks, script: Script) -> Any:
    orders = [create_order(msgspec.structs.replace(INTENT, client_order_id=f"c-{n}"), 0) for n in range(1, 8)]

    async def main() -> Any:
        return await Desk(clocks, script).orders.place_batch(orders, lambda: None, Priority.ENTRY, 0.0)

    return virtual(main())


def test_each_leg_of_a_batch_is_proved_by_its_own_id(virtual: Run, virtual_clocks: Clocks) -> None:
    """X15: a leg that is missing, named twice or unreadable is unresolved, never rejected."""
    script = Script(answer(201, {"orders": LEGS}))
    outcomes = batch(virtual, virtual_clocks, script)
    assert [type(o) for o in outcomes] == [
        Accepted,
        Unresolved,
        Rejected,
        Unresolved,
        Unresolved,
        Unresolved,
        Unresolved,
    ]
    assert outcomes[2].code == "insufficient_balance"
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(503), Unresolved),
        (answer(201, b"{"), Unresolved),
        (answer(429, b'{"error":"too many requests"}'), Rejected),
        (httpx.ReadTimeout(""), Unresolved),
    ],
)
def test_a_batch_answered_as_a_whole_is_answered_for_each(
    virtual: Run, virtual_clocks: Clocks, reply: Any, kind: type
) -> None:
    assert [type(o) for o in batch(virtual, virtual_clocks, Script(reply))] == [kind] * 7


def test_a_batch_larger_than_the_bucket_is_not_sent(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(answer(201, {"orders": []}))
        orders = [create_order(INTENT, 0)] * 11
        outcomes = await Desk(virtual_clocks, script).orders.place_batch(
            orders, lambda: None, Priority.FLATTEN, 0.0
        )
        assert [type(o) for o in outcomes] == [NeverSent] * 11
        assert script.requests == []

    virtual(main())


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (
            answer(body={"order_id": "o-1", "remaining_count": "2.00", "ts_ms": AT_MS}),
            Reduced("o-1", contracts(2), AT_MS),
        ),
        (
            answer(body={"order_id": "o-2", "remaining_count": "2.00", "ts_ms": AT_MS}),
            ReduceUnresolved,
        ),
        (answer(body={"order_id": "o-1", "ts_ms": AT_MS}), ReduceUnresolved),
        (answer(404, {"error": {"code": "not_found"}}), NotReduced("o-1", "not_found")),
        (answer(500), ReduceUnresolved),
    ],
)
def test_what_a_decrease_proves(virtual: Run, virtual_clocks: Clocks, reply: Any, outcome: Any) -> None:
    async def main() -> None:
        script = Script(reply)
        found = await Desk(virtual_clocks, script).orders.reduce(
            "o-1", Decrease("2.00", "KX-A", 2), lambda: None
        )
        assert found == outcome or type(found) is outcome
        assert script.requests[0].url.path.endswith("/orders/o-1/decrease")
        assert len(script.requests) == 1

    virtual(main())


def test_an_exit_that_found_no_connection_goes_once_more_and_asks_again(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> None:
        exit_ = msgspec.structs.replace(INTENT, reduce_only=True, tif=TimeInForce.IOC, post_only=False)
        for order, tries in ((create_order(exit_, 0), 2), (create_order(INTENT, 0), 1)):
            script = Script(answer(201, CREATED), before_bytes=httpx.ConnectError("refused"))
            desk = Desk(virtual_clocks, script)
            outcome = await desk.orders.place(order, lambda: None, Priority.FLATTEN, 0.0)
            assert isinstance(outcome, NeverSent)
            assert len(desk.signer.signed) == tries

    virtual(main())


def test_a_refused_key_on_an_order_locks_the_venue(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(answer(401, {"error": {"code": "authentication_error"}})))
        assert isinstance(await desk.place(), Rejected)
        assert desk.lockouts
        # A region the key may not trade in is said about one order.
        desk = Desk(virtual_clocks, Script(answer(403, {"error": {"code": "region_not_allowed"}})))
        assert isinstance(await desk.place(), Rejected)
        assert not desk.lockouts

    virtual(main())


def test_a_transport_that_hides_the_last_step_is_reported(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(answer(201, CREATED)))
        silent = httpx.MockTransport(lambda request: answer(201, CREATED))
        desk.http.general = httpx.AsyncClient(transport=silent)
        assert isinstance(await desk.place(), Accepted)
        assert desk.anomalies[0][0] == "last check"

    virtual(main())
