"""Fees that change: announced for a series, announced for an event, pushed while we trade."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.domain.clock import Clocks
from core.domain.market import FeeSchedule, FeeType, Market
from core.venues.kalshi.catalog import Catalog
from core.venues.kalshi.fees import (
    Changes,
    EventChange,
    Override,
    SeriesChange,
    SeriesTerms,
    read_changes,
)
from core.venues.kalshi.markets import BandWire, EventFeeWire, EventWire, MarketWire, SeriesWire
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from tests.venues.scripted import Desk, Script, answer

Run = Callable[[Any], Any]
SERIES, EVENT, TICKER = "KXHIGHNY", "KXHIGHNY-26NOV23", "KXHIGHNY-26NOV23-B48.5"
PLAIN = FeeSchedule(FeeType.QUADRATIC, 1_000_000)
HALF = FeeSchedule(FeeType.QUADRATIC, 500_000)
MAKER = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, 1_000_000)
HALF_MAKER = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, 500_000)


def catalog(*changes: SeriesChange | EventChange, override: Override | None = None) -> Catalog:
    known = Catalog(lambda what, detail: None)
    known.series[SERIES] = SeriesWire(SERIES, "quadratic", 1)
    known.events[EVENT] = EventWire(EVENT, SERIES, True)
    known.changes = Changes(
        tuple(c for c in changes if isinstance(c, SeriesChange)),
        tuple(c for c in changes if isinstance(c, EventChange)),
    )
    return known


def learn(known: Catalog) -> Market:
    market = known.learn(
        MarketWire(
            ticker=TICKER,
            event_ticker=EVENT,
            status="active",
            open_time="2026-11-22T15:00:00Z",
            close_time="2026-11-24T04:59:00Z",
            price_ranges=[BandWire("0", "1", "0.01")],
        )
    )
    assert market is not None
    return market


def test_fees_of_a_moment_are_those_announced_for_it() -> None:
    market = learn(
        catalog(
            SeriesChange(2_000, SERIES, SeriesTerms("quadratic", 0.5)),
            SeriesChange(1_000, "KXOTHER", SeriesTerms("quadratic", 0.1)),
            EventChange(3_000, EVENT, Override("quadratic_with_maker_fees", None)),
            EventChange(4_000, EVENT, Override(None, None)),
        )
    )
    assert [market.fees_at(ms) for ms in (0, 1_999, 2_000, 2_999, 3_000, 4_000)] == [
        PLAIN,
        PLAIN,
        HALF,
        HALF,
        HALF_MAKER,  # the type is overridden, the multiplier stays the series'
        HALF,
    ]
    assert market.as_of(1_999) is market
    assert market.as_of(3_500).fees == HALF_MAKER


def test_a_series_change_does_not_touch_what_an_event_overrides() -> None:
    known = catalog(SeriesChange(1_000, SERIES, SeriesTerms("quadratic_with_maker_fees", 0.5)))
    known.events[EVENT] = EventWire(EVENT, SERIES, True, fee_multiplier_override=1)
    assert learn(known).fees_at(1_000) == MAKER


def test_a_pushed_change_overrules_what_was_announced_before_it() -> None:
    known = catalog(
        EventChange(1_000, EVENT, Override("quadratic_with_maker_fees", None)),
        EventChange(9_000, EVENT, Override(None, 0.5)),
    )
    learn(known)
    [market] = known.apply_fees(EventFeeWire(EVENT, None, None), 5_000)
    assert [market.fees_at(ms) for ms in (5_000, 8_999, 9_000)] == [PLAIN, PLAIN, HALF]
    assert learn(known).fees_at(5_000) == PLAIN, "and is not forgotten by the next reading"


def test_fees_nobody_can_compute_are_unknown_from_then_on() -> None:
    market = learn(catalog(SeriesChange(1_000, SERIES, SeriesTerms("flat", 1))))
    assert (market.fees_at(999).type, market.fees_at(1_000).type) == (FeeType.QUADRATIC, FeeType.UNKNOWN)


SERIES_ROW = {
    "id": "1",
    "series_ticker": SERIES,
    "fee_type": "quadratic",
    "fee_multiplier": 0.5,
    "scheduled_ts": "2026-12-01T00:00:00Z",
}
EVENT_ROW = {
    "id": "2",
    "event_ticker": EVENT,
    "series_ticker": SERIES,
    "fee_type_override": None,
    "fee_multiplier_override": None,
    "scheduled_ts": "2026-12-02T00:00:00Z",
}


@pytest.mark.parametrize("broken", [False, True])
def test_what_is_announced_is_read_whole_or_not_at_all(
    virtual: Run, virtual_clocks: Clocks, broken: bool
) -> None:
    rows = [EVENT_ROW | ({"scheduled_ts": "soon"} if broken else {})]
    script = Script(
        answer(body={"series_fee_change_arr": [SERIES_ROW]}),
        answer(body={"event_fee_changes": rows, "cursor": ""}),
    )

    async def main() -> Any:
        desk = Desk(virtual_clocks, script)
        return await read_changes(Reader(desk.http, desk.http.on_anomaly))

    found = virtual(main())
    if broken:
        assert isinstance(found, Incomplete)
        return
    [series], [event] = found.series, found.events
    assert (series.series_ticker, series.terms) == (SERIES, SeriesTerms("quadratic", 0.5))
    assert (event.event_ticker, event.override) == (EVENT, Override())
    assert event.at_ms - series.at_ms == 86_400_000
