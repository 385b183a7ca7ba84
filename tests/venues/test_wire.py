"""Kalshi's JSON in and out: exact where it matters, tolerant elsewhere, no other error than ours."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.market import (
    CENT_GRID,
    CityReading,
    FeeSchedule,
    FeeType,
    IndexMean,
    Market,
    MarketStatus,
    Strike,
    StrikeKind,
    Venue,
)
from core.domain.order import BookSide, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, Quantity, contracts, parse_money
from core.venues import wire
from core.venues.kalshi import reports, series
from core.venues.kalshi.answers import (
    batch_cancel_outcomes,
    cancel_outcome,
    place_outcome,
    refusal,
)
from core.venues.kalshi.markets import (
    EventWire,
    LifecycleWire,
    MarketWire,
    SeriesWire,
    apply_lifecycle,
    market,
    settlement,
)
from core.venues.kalshi.orders import create_order
from core.venues.kalshi.reports import FillWire, OrderWire, SettlementWire
from core.venues.venue import (
    Accepted,
    Cancelled,
    CancelUnresolved,
    NotThere,
    Rejected,
    ReportStatus,
    SettlementRecord,
    Unresolved,
)
from core.venues.wire import Odd, WireError, decode, rfc3339_ms

ORDER = {
    "order_id": "o-1",
    "ticker": "KXHIGHNY-26NOV23-B48.5",
    "client_order_id": "c-1",
    "book_side": "ask",
    "status": "canceled",
    "yes_price_dollars": "0.3200",
    "initial_count_fp": "10.00",
    "fill_count_fp": "4.00",
    "remaining_count_fp": "0.00",
    "taker_fees_dollars": "0.012345",
    "expiration_time": "2026-11-23T12:00:00Z",
    "last_update_time": "2026-11-22T15:00:00.123456789Z",
    "last_update_reason": "ExpiryCancel",
    "brand_new_field": {"x": [1]},
}
FILL = {
    "trade_id": "t-1",
    "order_id": "o-1",
    "client_order_id": "c-1",
    "market_ticker": "KXHIGHNY-26NOV23-B48.5",
    "is_taker": True,
    "yes_price_dollars": "0.3200",
    "count_fp": "4.00",
    "fee_cost": "0.060928",
    "book_side": "bid",
    "post_position_fp": "4.00",
    "ts_ms": 1_795_420_011_000,
}
MARKET = {
    "ticker": "KXHIGHNY-26NOV23-B48.5",
    "event_ticker": "KXHIGHNY-26NOV23",
    "market_type": "binary",
    "title": "Highest temperature in \x1b[31mNYC\u202e?",
    "status": "active",
    "open_time": "2026-11-22T15:00:00Z",
    "close_time": "2026-11-24T04:59:00Z",
    "settlement_timer_seconds": 3600,
    "strike_type": "between",
    "floor_strike": 48,
    "cap_strike": 49,
    "result": "",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
    "rules_primary": "The high of Central Park (CLINYC) according to The Weather Company.",
    "rules_secondary": "",
    "exchange_index": 0,
}
EVENT = EventWire("KXHIGHNY-26NOV23", "KXHIGHNY", True)
SERIES = SeriesWire("KXHIGHNY", "quadratic", 1)
LIFECYCLE = {
    "event_type": "close_date_updated",
    "market_ticker": "KXHIGHNY-26NOV23-B48.5",
    "close_ts": 1_795_500_000,
}
SETTLED = {"ticker": "T-1", "market_result": "yes", "settled_time": "2026-11-24T13:00:00Z", "value": 100}


def parsed(body: dict[str, Any], kind: type) -> Any:
    return decode(json.dumps(body).encode(), msgspec.json.Decoder(kind), "test")


def read_market(change: dict[str, Any] | None = None, event: EventWire = EVENT) -> tuple[Any, list[str]]:
    odd = Odd()
    return market(parsed(MARKET | (change or {}), MarketWire), event, SERIES, odd), odd.notes


def test_an_order_keeps_every_figure() -> None:
    odd = Odd()
    report = reports.order_report(parsed(ORDER, OrderWire), odd)
    assert (report.side, report.price, report.quantity) == (BookSide.ASK, 3_200, contracts(10))
    assert (report.filled, report.remaining, report.status) == (contracts(4), 0, ReportStatus.CANCELED)
    assert (report.reason, report.client_order_id) == ("ExpiryCancel", "c-1")
    assert report.expires_ms == 1_795_435_200_000
    assert report.updated_ms == 1_795_359_600_123
    assert odd.notes == []


def test_the_streams_spelling_of_an_order_is_the_same_order() -> None:
    body = {k: v for k, v in ORDER.items() if not k.endswith("_time")}
    body |= {"expiration_ts_ms": 1_795_435_200_000, "last_updated_ts_ms": 1_795_359_600_123}
    report = reports.order_report(parsed(body, OrderWire), Odd())
    assert report == reports.order_report(parsed(ORDER, OrderWire), Odd())


def test_an_odd_optional_field_is_noted_not_fatal() -> None:
    odd = Odd()
    body = ORDER | {"expiration_time": "tomorrow", "last_update_reason": 7, "client_order_id": ["x"]}
    report = reports.order_report(parsed(body, OrderWire), odd)
    assert (report.expires_ms, report.reason, report.client_order_id) == (None, "", "")
    assert len(odd.notes) == 3
    unknown = reports.order_report(parsed(ORDER | {"status": "reviewing"}, OrderWire), Odd())
    assert unknown.status is ReportStatus.UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        {"yes_price_dollars": 0.32},
        {"yes_price_dollars": "0.32001"},
        {"yes_price_dollars": "1.0000"},
        {"yes_price_dollars": "0"},
        {"initial_count_fp": "-1.00"},
        {"book_side": "yes"},
        {"order_id": ""},
        {"order_id": "a b"},
        {"order_id": "a\n"},
        {"ticker": "x" * 200},
        {"remaining_count_fp": None},
    ],
)
def test_what_an_order_rests_on_is_strict(change: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        reports.order_report(parsed(ORDER | change, OrderWire), Odd())


def test_a_fill_from_the_stream_and_from_a_list_is_the_same_fill() -> None:
    live, client_order_id, net = reports.fill(parsed(FILL, FillWire), Odd())
    assert (live.fee, live.quantity, live.price) == (Money(60_928), contracts(4), 3_200)
    assert (client_order_id, net) == ("c-1", contracts(4))
    listed = {
        k: v
        for k, v in FILL.items()
        if k not in ("market_ticker", "ts_ms", "client_order_id", "post_position_fp")
    }
    listed |= {"ticker": FILL["market_ticker"], "created_time": "2026-11-23T07:46:51Z"}
    assert reports.fill(parsed(listed, FillWire), Odd()) == (live, "", None)
    odd = Odd()
    assert reports.fill(parsed(FILL | {"post_position_fp": 4}, FillWire), odd) == (live, "c-1", None)
    assert odd.notes
    with pytest.raises(WireError):
        reports.fill(parsed(FILL | {"ts_ms": None}, FillWire), Odd())


STATEMENT = {
    "yes_count_fp": "3.00",
    "yes_total_cost_dollars": "0.960000",
    "no_count_fp": "0.00",
    "no_total_cost_dollars": "0.000000",
    "revenue": 300,
    "fee_cost": "0.0455",
}


def test_a_settlements_statement_is_taken_whole_and_never_holds_it_up() -> None:
    full = reports.settlement_report(parsed(SETTLED | STATEMENT, SettlementWire), Odd())
    assert full.record == SettlementRecord(
        contracts(3), Money(960_000), Quantity(0), Money(0), Money(3_000_000), Money(45_500)
    )
    for change in ({"fee_cost": 5}, {"revenue": "much"}, {"yes_count_fp": None}):
        odd = Odd()
        lame = reports.settlement_report(parsed(SETTLED | STATEMENT | change, SettlementWire), odd)
        assert (lame.payout, lame.record) == (full.payout, None)


def test_a_settlement_pays_by_result_or_value() -> None:
    assert reports.settlement_report(parsed(SETTLED, SettlementWire), Odd()).payout == 10_000
    assert reports.settlement_report(parsed(SETTLED, SettlementWire), Odd()).record is None
    scalar = SETTLED | {"market_result": "scalar", "value": 37}
    assert reports.settlement_report(parsed(scalar, SettlementWire), Odd()).payout == 3_700
    with pytest.raises(WireError):
        reports.settlement_report(parsed(scalar | {"value": None}, SettlementWire), Odd())


def test_a_market_on_an_index_carries_its_mean_what_is_open_of_it_or_the_doubt() -> None:
    change = {
        "ticker": "KXBTC15M-26NOV221015-15",
        "event_ticker": "KXBTC15M-26NOV221015",
        "close_time": "2026-11-22T15:15:00Z",
        "strike_type": "greater_or_equal",
        "floor_strike": 91250.12,
        "cap_strike": None,
        "rules_primary": "Yes if the average of the 60 seconds of BRTI is at or above 91250.12.",
    }
    event = EventWire("KXBTC15M-26NOV221015", "KXBTC15M", False)
    series = SeriesWire("KXBTC15M", "quadratic", 1)
    odd = Odd()
    found = market(parsed(MARKET | change, MarketWire), event, series, odd)
    assert found.mean == IndexMean("BRTI", 60, found.close_ms, 0.01)
    assert "highest and lowest" in found.unconfirmed and not found.doubt and not odd.notes
    assert found.label == "BTC15 Nov22 10:15 >=91250.12"
    other = MARKET | change | {"rules_primary": "Yes if the last BRTI is at or above 91250.12."}
    found = market(parsed(other, MarketWire), event, series, odd)
    assert found.mean is None and found.doubt in odd.notes and "no mean of 60 seconds" in found.doubt


def test_a_market_on_an_hours_temperature_carries_its_reading_and_one_on_rain_what_it_settles_on() -> None:
    def read(series: str, event: str, close: str, strike: float, rules: str) -> tuple[Market, Odd]:
        change = {
            "ticker": f"{event}-T{strike}",
            "event_ticker": event,
            "close_time": close,
            "strike_type": "greater",
            "floor_strike": strike,
            "cap_strike": None,
            "rules_primary": rules,
        }
        odd = Odd()
        terms = SeriesWire(series, "quadratic", 1)
        return market(parsed(MARKET | change, MarketWire), EventWire(event, series, False), terms, odd), odd

    rules = "Yes if Miami at 3 PM EST is above 81.99 according to the Kalshi Weather Index."
    hour, odd = read("KXTEMPMIAH", "KXTEMPMIAH-26NOV2315", "2026-11-23T20:00:00Z", 81.99, rules)
    assert hour.reading == CityReading("miami", hour.close_ms, 0.01) and hour.underlying == "miami index"
    assert (hour.station, hour.unconfirmed, hour.doubt, odd.notes) == (None, "", "", [])
    other, odd = read("KXTEMPMIAH", "KXTEMPMIAH-26NOV2315", "2026-11-23T20:00:00Z", 81.99, "Yes if warm.")
    assert other.reading is None and other.doubt in odd.notes
    rain, odd = read("KXRAINNYC", "KXRAINNYC-26NOV23", "2026-11-24T05:00:00Z", 0.1, "Yes if it rains.")
    assert "a day's rain" in rain.unpriced and "settles it" in rain.unconfirmed
    assert (rain.underlying, odd.notes) == (None, [])


def test_a_market_is_named_sanitised_and_priced() -> None:
    found, notes = read_market()
    assert notes == []
    assert (found.label, found.title) == ("NYC hi Nov23 48-49", "Highest temperature in [31mNYC?")
    assert found.strike == Strike(StrikeKind.BETWEEN, 48, 49)
    assert (found.grid, found.fees) == (CENT_GRID, FeeSchedule(FeeType.QUADRATIC, 1_000_000))
    assert (found.station, found.climate_day, found.exclusive) == ("KNYC", "2026-11-23", True)
    assert (found.authority, found.doubt) == ("The Weather Company", "")
    assert (found.status, found.settlement_timer_s) == (MarketStatus.ACTIVE, 3_600)
    assert len(found.rules_hash) == 64
    other, _ = read_market({"rules_primary": f"{MARKET['rules_primary']} "})
    assert other.rules_hash != found.rules_hash


def test_event_overrides_win_each_on_its_own() -> None:
    event = EventWire("KXHIGHNY-26NOV23", "KXHIGHNY", True, "quadratic_with_maker_fees", None)
    assert read_market(event=event)[0].fees == FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, 1_000_000)
    event = EventWire("KXHIGHNY-26NOV23", "KXHIGHNY", True, None, 0.5)
    assert read_market(event=event)[0].fees == FeeSchedule(FeeType.QUADRATIC, 500_000)
    waived, _ = read_market({"fee_waiver_expiration_time": "2026-11-23T00:00:00Z"})
    assert waived.fees.waived_until_ms == 1_795_392_000_000


@pytest.mark.parametrize("kind", ["flat", "quadratic_2027", "", 3])
def test_a_fee_type_nobody_knows_is_unknown_not_free(kind: Any) -> None:
    found, notes = read_market(event=EventWire("KXHIGHNY-26NOV23", "KXHIGHNY", True, kind, None))
    assert found.fees.type is FeeType.UNKNOWN
    assert notes


@pytest.mark.parametrize(
    ("rules", "doubt"),
    [
        ("Boston (CLIBOS).", "CLIBOS"),
        ("CLINYC or CLIBOS.", "CLIBOS, CLINYC"),
        ("According to a thermometer. CLIENTS", "no station"),
    ],
)
def test_rules_that_name_another_station_leave_none(rules: str, doubt: str) -> None:
    found, notes = read_market({"rules_primary": rules})
    assert (found.station, found.climate_day) == (None, None)
    assert any(doubt in note for note in notes)


@pytest.mark.parametrize(
    "ranges",
    [
        [],
        [{"start": "0", "end": "1", "step": "0"}],
        [{"start": "0.5", "end": "0.5", "step": "0.01"}],
        [{"start": "0", "end": "2", "step": "0.01"}],
        [{"start": "0", "end": "1", "step": "-0.01"}],
        [{"start": "0", "end": "1", "step": "0.00001"}],
        [{"start": "0", "end": "1", "step": "0.01"}] * 100,
    ],
)
def test_a_market_without_a_usable_grid_is_refused(ranges: list[dict[str, str]]) -> None:
    with pytest.raises(WireError):
        read_market({"price_ranges": ranges})


@pytest.mark.parametrize(
    ("strike", "label"),
    [
        (Strike(StrikeKind.LESS, cap=46), "NYC hi Nov23 <=45"),
        (Strike(StrikeKind.GREATER, floor=53), "NYC hi Nov23 >=54"),
        (Strike(StrikeKind.BETWEEN, 48, 48), "NYC hi Nov23 48"),
        (Strike(StrikeKind.BETWEEN, -3, -2), "NYC hi Nov23 -3--2"),
        (Strike(StrikeKind.OTHER), "KXHIGHNY-26NOV23-X"),
    ],
)
def test_labels(strike: Strike, label: str) -> None:
    assert series.label("KXHIGHNY", "KXHIGHNY-26NOV23", "KXHIGHNY-26NOV23-X", strike) == label


def test_low_series_and_foreign_names() -> None:
    low = series.label("KXLOWTCHI", "KXLOWTCHI-26JAN05", "T", Strike(StrikeKind.BETWEEN, 10, 11))
    assert low == "CHI lo Jan05 10-11"
    for event in ("KXLOWTCHI-26JAN32", "KXLOWTCHI-26FOO01", "KXLOWTCHI-26JAN", "KXLOWTCHI"):
        assert series.event_day(event, "KXLOWTCHI") is None
    cities = [series.temperature_city(s) for s in ("KXHIGHPHIL", "KXLOWTPHIL")]
    assert cities[0] is cities[1] and cities[0] is not None and cities[0].icao == "KPHL"


def test_life_cycle_messages_move_only_what_they_say() -> None:
    found, _ = read_market()

    def after(**change: Any) -> Any:
        return apply_lifecycle(found, parsed(LIFECYCLE | change, LifecycleWire), Odd())

    assert after() == msgspec.structs.replace(found, close_ms=1_795_500_000_000)
    assert after(event_type="deactivated").status is MarketStatus.INACTIVE
    assert after(event_type="determined", result="no").result == "no"
    assert after(event_type="settled") == found
    for beyond_any_date in (10**15, -(10**12), 2**60, 1.5, "soon"):
        assert after(close_ts=beyond_any_date) == found
    assert after(event_type="invented") == found
    finer = [{"start": "0", "end": "1", "step": "0.001"}]
    moved = after(event_type="price_level_structure_updated", price_ranges=finer)
    assert moved.grid.bands[0].step == 10
    broken = after(event_type="price_level_structure_updated", price_ranges="?")
    assert broken.status is MarketStatus.UNKNOWN


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:00:00-10:00", "0001-01-01T00:00:00+10:00", "2026-11-22T15:00:00"]
)
def test_a_time_no_date_can_be_made_of_is_none(text: str) -> None:
    with pytest.raises(WireError, match="close_time"):
        rfc3339_ms(text, "close_time")


def test_only_a_finalized_market_pays() -> None:
    paid = {"status": "finalized", "settlement_value_dollars": "1.0000", "result": "yes"}
    report = settlement(parsed(MARKET | paid, MarketWire), Odd())
    assert report is not None and report.payout == 10_000
    assert settlement(parsed(MARKET | paid | {"status": "determined"}, MarketWire), Odd()) is None
    assert settlement(parsed(MARKET | {"status": "finalized"}, MarketWire), Odd()) is None


def test_the_request_of_an_order() -> None:
    resting = OrderIntent(
        client_order_id="c-1",
        venue=Venue.KALSHI,
        ticker="T-1",
        side=BookSide.ASK,
        purpose=Purpose.OPEN,
        price=Price(6_800),
        quantity=contracts(10),
        tif=TimeInForce.GTC,
        post_only=True,
        reduce_only=False,
        expires_ms=1_795_500_000_999,
        created_ms=0,
        reserved=Money(0),
    )
    assert json.loads(msgspec.json.encode(create_order(resting, 0))) == {
        "ticker": "T-1",
        "client_order_id": "c-1",
        "side": "ask",
        "count": "10.00",
        "price": "0.6800",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
        "post_only": True,
        "cancel_order_on_pause": True,
        "expiration_time": 1_795_500_000,
        "exchange_index": 0,
    }
    exit_ = msgspec.structs.replace(resting, tif=TimeInForce.IOC, post_only=False, reduce_only=True)
    body = json.loads(msgspec.json.encode(create_order(exit_, None)))
    assert body["reduce_only"] is True
    assert not {"expiration_time", "post_only", "cancel_order_on_pause", "exchange_index"} & body.keys()


NESTED = b'{"error":{"code":"invalid_order","message":"invalid order","details":"post only cross"}}'


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (NESTED, "invalid_order", "invalid order: post only cross"),
        (b'{"error":"too many requests"}', "", "too many requests"),
        (b'{"code":"x","message":"flat"}', "x", "flat"),
        (b"<html>\x1b[2Jblocked</html>", "", "<html>[2Jblocked</html>"),
        (b"", "", "empty body"),
        (b"[]", "", "[]"),
        (b'{"error":{"code":5}}', "", "no text"),
    ],
)
def test_error_bodies_of_every_shape(body: bytes, code: str, text: str) -> None:
    assert (refusal(body).code, refusal(body).text) == (code, text)


CREATED = b'{"order_id":"o-1","fill_count":"4.00","remaining_count":"6.00","ts_ms":17,"x":1}'


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (201, CREATED, Accepted("o-1", contracts(4), contracts(6), 17)),
        (200, CREATED, Accepted("o-1", contracts(4), contracts(6), 17)),
        (409, b'{"error":{"code":"order_already_exists"}}', Unresolved("duplicate id: look it up")),
        (400, NESTED, Rejected("invalid_order", "invalid order: post only cross")),
        (429, b'{"error":"too many requests"}', Rejected("http_429", "too many requests")),
        (410, b"gone", Rejected("http_410", "gone")),
    ],
)
def test_what_an_answer_proves(status: int, body: bytes, outcome: Any) -> None:
    assert place_outcome("c-1", status, body) == outcome


@pytest.mark.parametrize("status", [200, 201, 204, 301, 408, 409, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"order_id":""}', b'{"status":"ok"}', b"<html>"])
def test_anything_less_is_unresolved(status: int, body: bytes) -> None:
    assert isinstance(place_outcome("c-1", status, body), Unresolved)


def test_an_answer_about_another_order_proves_nothing() -> None:
    named = CREATED.replace(b'"x":1', b'"client_order_id":"c-1"')
    assert isinstance(place_outcome("c-1", 201, named), Accepted)
    assert isinstance(place_outcome("c-2", 201, named), Unresolved)
    assert isinstance(place_outcome("c-1", 201, named.replace(b'"c-1"', b"[7]")), Unresolved)


def test_killed_fok_is_definite() -> None:
    body = b'{"error":{"code":"fill_or_kill_insufficient_resting_volume","message":"killed"}}'
    assert isinstance(place_outcome("c-1", 409, body), Rejected)


def test_cancels_are_proven_by_their_own_order_id() -> None:
    done = b'{"order_id":"o-1","reduced_by":"6.00","ts_ms":1}'
    assert cancel_outcome("o-1", 200, done) == Cancelled("o-1", contracts(6))
    assert isinstance(cancel_outcome("o-2", 200, done), CancelUnresolved)
    assert cancel_outcome("o-1", 404, b'{"error":{"code":"not_found"}}') == NotThere("o-1", "not_found")
    assert isinstance(cancel_outcome("o-1", 503, b""), CancelUnresolved)
    batch = (
        b'{"orders":[{"order_id":"b","reduced_by":"1.00"},{"order_id":7},'
        b'{"order_id":"a","reduced_by":"0.00","error":{"code":"not_found"}},'
        b'{"order_id":"d","reduced_by":"0.00","error":{"code":"market_inactive"}}]}'
    )
    assert batch_cancel_outcomes(["a", "b", "c", "d"], 200, batch) == (
        NotThere("a", "not_found"),
        Cancelled("b", contracts(1)),
        CancelUnresolved("c", "not mentioned in the answer"),
        CancelUnresolved("d", "market_inactive"),
    )
    assert all(isinstance(o, CancelUnresolved) for o in batch_cancel_outcomes(["a"], 429, b"{}"))
    twice = {"orders": [{"order_id": "a", "reduced_by": count} for count in ("0.00", "1.00")]}
    assert batch_cancel_outcomes(["a"], 200, json.dumps(twice).encode()) == (
        CancelUnresolved("a", "named twice in the answer"),
    )


def test_averages_and_costs_of_six_decimals_are_money() -> None:
    assert wire.money("0.017473", "average_fee_paid") == parse_money("0.017473")


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["0.32", "-1", "1e5", "٣", "2026-11-22T15:00:00Z", "9999-99-99T00:00:00Z", "bid"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
bodies = st.sampled_from([ORDER, FILL, MARKET, LIFECYCLE, SETTLED, SETTLED | STATEMENT])


@settings(max_examples=200, deadline=None)
@given(bodies, st.data())
def test_mutated_objects_raise_nothing_but_wire_errors(body: dict[str, Any], data: st.DataObject) -> None:
    keys = data.draw(st.lists(st.sampled_from(sorted(body)), min_size=1, max_size=4))
    mutated = body | {key: data.draw(junk) for key in keys}
    found, _ = read_market()
    for kind, convert in (
        (OrderWire, reports.order_report),
        (FillWire, reports.fill),
        (SettlementWire, reports.settlement_report),
        (MarketWire, lambda w, odd: market(w, EVENT, SERIES, odd)),
        (MarketWire, settlement),
        (LifecycleWire, lambda w, odd: apply_lifecycle(found, w, odd)),
    ):
        try:
            convert(parsed(mutated, kind), Odd())
        except WireError as error:
            assert len(str(error)) < 500 and "\x1b" not in str(error)


@settings(max_examples=200)
@given(
    st.binary(max_size=200)
    | junk.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [b"[" * 5_000, b'{"error":' * 5_000, b"\xff\xfe", b'{"orders":[{"order_id":"\\ud800"}]}']
    )
)
def test_any_bytes_are_an_outcome(body: bytes) -> None:
    for status in (200, 201, 400, 404, 409, 429, 500, 503):
        place_outcome("c-1", status, body)
        cancel_outcome("o", status, body)
        batch_cancel_outcomes(["o", "p"], status, body)
