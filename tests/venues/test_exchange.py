"""What the venue says of itself as a whole: shards, pauses, hours, maintenance, cash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.domain.clock import Clocks
from core.domain.units import Money
from core.venues.exchange import Cash, ExchangeState, Maintenance
from core.venues.kalshi import exchange
from core.venues.kalshi.account import Account
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from tests.venues.scripted import Desk, Script, answer

Run = Callable[[Any], Any]
SHARDS = [
    {"exchange_index": 0, "description": "Default", "exchange_active": True, "trading_active": True},
    {"exchange_index": 2, "description": "Crypto", "exchange_active": True, "trading_active": False},
    {"exchange_index": 3, "description": "Tennis", "exchange_active": False, "trading_active": True},
]
STATUS = {
    "exchange_active": True,
    "trading_active": True,
    "exchange_estimated_resume_time": "2026-11-26T10:00:00Z",
    "exchange_index_statuses": SHARDS,
}
DAY = [{"open_time": "00:00", "close_time": "24:00"}]


def read(virtual: Run, clocks: Clocks, script: Script, call: Callable[[Reader], Any]) -> Any:
    async def main() -> Any:
        desk = Desk(clocks, script)
        return await call(Reader(desk.http, desk.http.on_anomaly))

    return virtual(main())


@pytest.mark.parametrize("status", [200, 500, 502, 503, 504])
def test_the_state_is_read_whatever_the_answers_code(
    virtual: Run, virtual_clocks: Clocks, status: int
) -> None:
    script = Script(answer(status, STATUS))
    state = read(virtual, virtual_clocks, script, exchange.read_state)
    assert [state.trades(shard) for shard in (0, 2, 3, 1)] == [True, False, False, None]
    assert state.resumes == "2026-11-26T10:00:00Z"
    assert len(script.requests) == 1


def test_the_flags_at_the_top_speak_for_shard_0_or_for_all() -> None:
    whole = ExchangeState(True, False)
    assert (whole.trades(0), whole.trades(7)) == (False, False)
    wire = exchange.StatusWire(True, True, None, [exchange.ShardWire(2, True, False)])
    state = exchange.exchange_state(wire, exchange.Odd())
    assert [state.trades(shard) for shard in (0, 1, 2)] == [True, None, False]


def test_hours_and_maintenance_are_read(virtual: Run, virtual_clocks: Clocks) -> None:
    week = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2027-01-01T00:00:00Z"}
    body = {
        "schedule": {
            "standard_hours": [week | dict.fromkeys(exchange.WEEK, DAY) | {"thursday": []}],
            "maintenance_windows": [
                {"start_datetime": "2026-12-03T08:00:00Z", "end_datetime": "2026-12-03T10:00:00Z"},
                {"start_datetime": "2026-11-26T03:00:00-05:00", "end_datetime": "2026-11-26T10:00:00Z"},
            ],
        }
    }
    schedule = read(virtual, virtual_clocks, Script(answer(body=body)), exchange.read_schedule)
    first, second = schedule.maintenance
    assert first == Maintenance(1_795_680_000_000, 1_795_687_200_000)
    assert second.start_ms > first.end_ms
    assert schedule.weeks[0].days[2] == (exchange.Hours("00:00", "24:00"),)
    assert schedule.weeks[0].days[3] == ()
    body["schedule"]["maintenance_windows"][0]["end_datetime"] = "2026-12-03T07:00:00Z"  # type: ignore[index]
    assert isinstance(
        read(virtual, virtual_clocks, Script(answer(body=body)), exchange.read_schedule), Incomplete
    )


def test_cash_lies_on_shards(virtual: Run, virtual_clocks: Clocks) -> None:
    parts = [{"exchange_index": 0, "balance": "10.5000"}, {"exchange_index": 2, "balance": "1.2500"}]
    body = {"balance": 1_175, "balance_dollars": "11.7500", "balance_breakdown": parts}
    cash = read(virtual, virtual_clocks, Script(answer(body=body)), lambda r: Account(r).cash())
    assert (cash.total, cash.on(0), cash.on(2), cash.on(3)) == (11_750_000, 10_500_000, 1_250_000, 0)
    assert Cash(Money(5)).on(2) == 5, "a venue that does not part its accounts"


def test_how_fresh_lists_are(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(body={"as_of_time": "2026-11-26T10:00:00.250Z"}))
    assert read(virtual, virtual_clocks, script, exchange.read_data_as_of_ms) == 1_795_687_200_250
