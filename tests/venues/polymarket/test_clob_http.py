"""Who signs what, and a refused signature told apart from a wrong clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.endpoint import Endpoint
from core.venues.limiter import Kind, Priority
from core.venues.polymarket.l2 import RequestSigner
from core.venues.retry import CallClass
from core.venues.venue import Incomplete
from tests.venues.conftest import START_MS
from tests.venues.polymarket.scripted import CREDENTIALS, Account, dated
from tests.venues.scripted import Script, answer

Run = Callable[[Any], Any]

ORDERS = Endpoint("GET", "/data/orders", Kind.READ, 1.0, CallClass.READ, ours=True)
BOOK = Endpoint("GET", "/book", Kind.READ, 1.0, CallClass.METADATA)
UNAUTHORIZED = b'{"error":"Unauthorized/Invalid api key"}'


def read(virtual: Run, clocks: Clocks, script: Script, endpoint: Endpoint = ORDERS) -> tuple[Any, Account]:
    async def main() -> tuple[Any, Account]:
        account = Account(clocks, script)
        return await account.http.read(endpoint, "orders", Priority.RECONCILE, query={"id": "0x1"}), account

    return virtual(main())


def test_what_is_ours_is_signed_without_its_query(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(200, {"data": []}))
    read(virtual, virtual_clocks, script)
    sent = script.requests[0]
    expected = RequestSigner(CREDENTIALS).headers("GET", "/data/orders", b"", START_MS // 1_000)
    assert {name: sent.headers[name] for name in expected} == expected
    assert sent.url.query == b"id=0x1"


def test_what_is_public_carries_no_credentials(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(200, {}))
    read(virtual, virtual_clocks, script, BOOK)
    assert not [name for name in script.requests[0].headers if name.startswith("poly")]


def test_a_signature_refused_for_its_time_is_made_again_in_the_venues(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    venue_ms = START_MS + 90_000
    script = Script(dated(answer(401, UNAUTHORIZED), venue_ms), dated(answer(200, {"data": []}), venue_ms))
    found, account = read(virtual, virtual_clocks, script)
    assert not isinstance(found, Incomplete) and account.lockouts == []
    stamps = [int(sent.headers["POLY_TIMESTAMP"]) for sent in script.requests]
    assert stamps[0] == START_MS // 1_000 and 89 <= stamps[1] - stamps[0] <= 91
    assert account.anomalies[0][0] == "clock"


@pytest.mark.parametrize("date", [True, False])
def test_a_signature_refused_at_the_right_time_is_the_keys_fault(
    virtual: Run, virtual_clocks: Clocks, date: bool
) -> None:
    reply = answer(401, UNAUTHORIZED)
    script = Script(dated(reply, START_MS) if date else reply)
    found, account = read(virtual, virtual_clocks, script)
    assert isinstance(found, Incomplete) and len(script.requests) == 1
    assert account.lockouts == ["the venue does not accept the key: HTTP 401 unauthorized"]


def test_a_clock_that_stays_wrong_ends_as_the_keys_fault(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(dated(answer(401, UNAUTHORIZED), START_MS + 90_000))
    found, account = read(virtual, virtual_clocks, script)
    assert isinstance(found, Incomplete) and len(script.requests) == 2 and len(account.lockouts) == 1


@pytest.mark.parametrize(
    "reply", [answer(403, b"<html>blocked</html>"), answer(400, {"error": "Invalid token id"})]
)
def test_a_refused_read_is_asked_once_and_locks_nothing(
    virtual: Run, virtual_clocks: Clocks, reply: httpx.Response
) -> None:
    script = Script(reply)
    found, account = read(virtual, virtual_clocks, script)
    assert isinstance(found, Incomplete) and len(script.requests) == 1 and account.lockouts == []


@pytest.mark.parametrize("status", [425, 429, 500, 503])
def test_a_venue_in_trouble_is_asked_again(virtual: Run, virtual_clocks: Clocks, status: int) -> None:
    script = Script(answer(status), answer(200, {"data": []}))
    found, _ = read(virtual, virtual_clocks, script)
    assert not isinstance(found, Incomplete) and len(script.requests) == 2


def test_a_list_ends_at_the_venues_last_cursor(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(
        answer(200, {"data": [1], "next_cursor": "MQ=="}), answer(200, {"data": [2], "next_cursor": "LTE="})
    )

    async def main() -> Any:
        return await Account(virtual_clocks, script).http.pages(ORDERS, "data", Priority.RECONCILE, {})

    assert [bytes(row) for row in virtual(main())] == [b"1", b"2"]
    assert script.requests[1].url.params["next_cursor"] == "MQ=="


def test_the_tier_an_answer_names_sets_the_pace_of_orders_and_cancels(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    reply = {"data": []}
    named = ["Silver", "", "gold", "titanium", "titanium"]
    script = Script(*(answer(200, reply, **{"Poly-RateLimit-Tier": word}) for word in named))

    async def main() -> None:
        account = Account(virtual_clocks, script)
        bursts = []
        for _ in named:
            await account.http.read(ORDERS, "orders", Priority.RECONCILE)
            bursts.append(tuple(account.limiter.burst(kind) for kind in (Kind.WRITE, Kind.CANCEL, Kind.READ)))
        assert bursts == [
            (300, 600, 100),
            (300, 600, 100),
            (600, 1_200, 100),
            (60, 120, 100),  # a tier nobody knows is the lowest
            (60, 120, 100),
        ]
        assert [what for what, _ in account.anomalies] == ["rate limits"]

    virtual(main())
