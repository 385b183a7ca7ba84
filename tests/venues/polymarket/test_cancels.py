"""Cancels: an outcome for each order, and no acknowledgement taken for more than it says."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.limiter import Capacity, Kind
from core.venues.polymarket.cancels import ACKNOWLEDGED, Cancels
from core.venues.venue import CancelUnresolved, Done, NotThere, Unresolved
from tests.venues.polymarket.scripted import Account
from tests.venues.scripted import Script, answer

Run = Callable[[Any], Any]
GONE = "order can't be found - already canceled or matched"


def ids(count: int) -> list[str]:
    return [f"0x{number:064x}" for number in range(count)]


def cancelled(virtual: Run, clocks: Clocks, script: Script, order_ids: list[str]) -> Any:
    async def main() -> Any:
        return await Cancels(Account(clocks, script).http).cancel(order_ids)

    return virtual(main())


def test_one_order_goes_by_the_single_call(virtual: Run, virtual_clocks: Clocks) -> None:
    (one,) = ids(1)
    script = Script(answer(200, {"canceled": [one], "not_canceled": {}}))
    assert cancelled(virtual, virtual_clocks, script, [one]) == (NotThere(one, ACKNOWLEDGED),)
    sent = script.requests[0]
    assert (sent.method, sent.url.path, json.loads(sent.content)) == ("DELETE", "/order", {"orderID": one})
    assert sent.headers["POLY_API_KEY"]


def test_each_order_of_many_has_its_own_outcome(virtual: Run, virtual_clocks: Clocks) -> None:
    a, b, c, d = ids(4)
    script = Script(answer(200, {"canceled": [a, "0xother"], "not_canceled": {b: GONE, d: 7}}))
    assert cancelled(virtual, virtual_clocks, script, [a, b, c, d]) == (
        NotThere(a, ACKNOWLEDGED),
        NotThere(b, GONE),
        CancelUnresolved(c, "not mentioned in the answer"),
        NotThere(d, "not cancelled"),
    )
    assert script.requests[0].url.path == "/orders" and json.loads(script.requests[0].content) == [a, b, c, d]


def test_more_than_the_bucket_holds_go_in_several_calls(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(200, {"canceled": []}))
    outcomes = cancelled(virtual, virtual_clocks, script, ids(250))
    assert [len(json.loads(sent.content)) for sent in script.requests] == [100, 100, 50]
    assert len(outcomes) == 250 and all(isinstance(o, CancelUnresolved) for o in outcomes)


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, b"<html>"),
        answer(200, {"canceled": "all"}),
        answer(200, {}),
        answer(425),
        answer(429),
        answer(500),
        answer(400, {"error": "context canceled"}),
        answer(401, {"error": "Unauthorized"}),
        httpx.ReadTimeout(""),
    ],
)
def test_what_proves_nothing_is_unresolved(virtual: Run, virtual_clocks: Clocks, reply: Any) -> None:
    outcomes = cancelled(virtual, virtual_clocks, Script(reply), ids(2))
    assert [type(outcome) for outcome in outcomes] == [CancelUnresolved] * 2


def test_a_market_and_everything(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(200, {"canceled": ids(2), "not_canceled": {}}))

    async def main() -> None:
        cancels = Cancels(Account(virtual_clocks, script).http)
        assert await cancels.market("0xcd") == Done()
        assert await cancels.everything() == Done()

    virtual(main())
    sent = [(r.method, r.url.path, r.content) for r in script.requests]
    assert sent == [
        ("DELETE", "/cancel-market-orders", b'{"market":"0xcd"}'),
        ("DELETE", "/cancel-all", b""),
    ]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (answer(200, b"<html>"), Unresolved),
        (answer(503), Unresolved),
        (answer(403, b"<html>"), Unresolved),
        (answer(401, {"error": "Unauthorized"}), Unresolved),
        (httpx.ConnectError(""), Unresolved),
    ],
)
def test_cancelling_everything_is_done_only_when_the_venue_says_so(
    virtual: Run, virtual_clocks: Clocks, reply: Any, outcome: type
) -> None:
    async def main() -> Any:
        return await Cancels(Account(virtual_clocks, Script(reply)).http).everything()

    assert isinstance(virtual(main()), outcome)


def test_what_a_sweeping_cancel_found_is_paid_afterwards(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> float:
        account = Account(virtual_clocks, Script(answer(200, {"canceled": ids(299)})))
        account.limiter.resize(Kind.CANCEL, Capacity(100, 100))
        cancels = Cancels(account.http)
        await cancels.everything()
        begin = asyncio.get_running_loop().time()
        await cancels.everything()
        return asyncio.get_running_loop().time() - begin

    assert virtual(main()) == pytest.approx(2.01, abs=0.02)


def test_neither_keys_nor_orders_are_within_the_cancels_reach() -> None:
    """In a process of its own: nothing that signs or creates an order is even loaded."""
    code = (
        "import sys, core.venues.polymarket.cancels, core.venues.polymarket.http\n"
        "print([m for m in sys.modules if m.split('.')[-1] in "
        "('sign', 'seal', 'orders', 'vendor', 'coincurve', 'wallets', 'py_clob_client_v2')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
