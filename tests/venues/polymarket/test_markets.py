"""What becomes a market, and what is kept apart with its reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from core.domain.market import Extreme, FeeSchedule, FeeType, MarketStatus, Strike, StrikeKind, Venue
from core.domain.order import Outcome
from core.domain.units import Price, contracts
from core.venues.polymarket import brackets, gamma
from core.venues.polymarket.book_wire import Sums
from core.venues.polymarket.catalog import Catalog, market_decoder
from core.venues.polymarket.gamma import Listed, Quarantined
from core.venues.polymarket.gamma_wire import EventHead
from core.venues.polymarket.tokens import Version, looks_like_position
from core.venues.wire import Odd
from tests.venues.polymarket.bodies import (
    CONDITION,
    EVENT,
    NO,
    POSITION_CONDITION,
    POSITIONS,
    V2,
    YES,
    market_raw,
)


def event(**changes: object) -> EventHead:
    return msgspec.convert({**EVENT, "negRisk": True, **changes}, EventHead)


def catalog() -> tuple[Catalog, list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []
    return Catalog(lambda what, detail: said.append((what, detail))), said


def learnt(**changes: object) -> Listed:
    found = catalog()[0].learn(market_raw(**changes), event(), "weather")
    assert isinstance(found, Listed), found
    return found


def refused(**changes: object) -> Quarantined:
    kept, said = catalog()
    found = kept.learn(market_raw(**changes), event(), "weather")
    assert isinstance(found, Quarantined)
    assert not kept.markets and kept.quarantined == {found.name: found}
    assert said == [("market", f"{found.name}: not traded: {found.reason}")]
    return found


def test_a_market_in_our_terms() -> None:
    found = learnt()
    market, terms = found.market, found.terms
    assert (market.venue, market.ticker) == (
        Venue.POLYMARKET,
        "highest-temperature-in-nyc-on-november-28-48-49f",
    )
    assert (market.event_ticker, market.series_ticker) == (EVENT["slug"], "weather")
    assert market.strike == Strike(StrikeKind.BETWEEN, 48, 49)
    assert market.label == "NYC hi Nov28 48-49"
    assert (market.status, market.exclusive, market.minimum) == (MarketStatus.ACTIVE, True, contracts(5))
    assert market.fees == FeeSchedule(FeeType.TAKER_CURVE, 50_000)
    assert market.close_ms == 1_795_867_200_000
    assert market.grid.valid(Price(100)) and market.grid.valid(Price(9_900))
    assert not market.grid.valid(Price(50)) and not market.grid.valid(Price(10_000))
    assert "KLGA" in market.rules and len(market.rules_hash) == 64
    assert (market.station, market.climate_day) == ("KLGA", "2026-11-28")
    assert (market.extreme, market.source, market.doubt) == (Extreme.HIGH, "Weather Underground", "")
    assert (terms.version, terms.tokens.yes, terms.tokens.no) == (Version.V1, YES, NO)
    assert (terms.token(Outcome.YES), terms.token(Outcome.NO)) == (YES, NO)
    assert terms.condition_id == CONDITION and terms.neg_risk


WUNDERGROUND = "https://www.wunderground.com/history/daily/us"
KMIA = f"{WUNDERGROUND}/fl/miami/KMIA"


@pytest.mark.parametrize(
    ("texts", "station", "doubt"),
    [
        ({"description": f"By the record of Miami Airport (KMIA): {KMIA}."}, "KMIA", ""),
        ({"description": "As the page says.", "resolutionSource": KMIA}, "KMIA", ""),
        ({"description": f"{KMIA} and {KMIA}/date/2026-11-28."}, "KMIA", ""),
        (
            {"description": f"At station KJFK ({KMIA})."},
            None,
            'its text names the stations KJFK and KMIA: "At station KJFK (' + f'{KMIA})."',
        ),
        (
            {"description": "By the highest reading of station KMIA."},
            None,
            "its text does not name a station's page at Weather Underground as its source",
        ),
        (
            {"description": "https://example.org/KMIA"},
            None,
            "its text does not name a station's page at Weather Underground as its source",
        ),
        (
            {"description": f"In °C, by {WUNDERGROUND}/gb/london/EGLC"},
            None,
            "settles in degrees Celsius, which no model here does",
        ),
        (
            {"description": KMIA, "endDate": "2026-12-09T12:00:00Z"},
            None,
            "its name and its end are of different days",
        ),
    ],
)
def test_where_a_temperature_settles_is_read_from_its_text_or_doubted(
    texts: dict[str, str], station: str | None, doubt: str
) -> None:
    market = learnt(**texts).market
    assert (market.station, market.doubt) == (station, doubt)
    assert market.climate_day == ("2026-11-28" if station else None)


def test_the_day_of_an_event_without_its_year_is_the_one_it_ends_on() -> None:
    last = event(slug="highest-temperature-in-miami-on-december-31")
    raw = market_raw(description=KMIA, endDate="2027-01-01T05:00:00Z")
    found = catalog()[0].learn(raw, last, "weather")
    assert isinstance(found, Listed)
    assert (found.market.climate_day, found.market.label) == ("2026-12-31", "MIA hi Dec31 48-49")


def test_another_event_settles_on_no_temperature() -> None:
    found = catalog()[0].learn(market_raw(), event(slug="fed-decision-in-december"), "economy")
    assert isinstance(found, Listed)
    assert (found.market.station, found.market.extreme, found.market.doubt) == (None, None, "")


def test_a_market_of_the_second_generation() -> None:
    found = learnt(**V2)
    assert (found.terms.version, found.terms.tokens.no) == (Version.V2, POSITIONS[1])
    assert found.terms.condition_id == POSITION_CONDITION + "00"
    assert len(found.terms.condition_id) == 66


def test_the_first_outcome_is_yes_whatever_it_is_called_unless_it_says_no() -> None:
    assert learnt(outcomes='["Up", "Down"]').terms.tokens.yes == YES
    turned = learnt(outcomes='["No", "Yes"]')
    assert (turned.terms.tokens.yes, turned.terms.tokens.no) == (NO, YES)


def test_a_market_is_exclusive_only_in_a_set_of_its_event() -> None:
    assert not learnt(negRisk=False).market.exclusive
    alone = catalog()[0].learn(market_raw(), event(negRisk=False), "weather")
    assert isinstance(alone, Listed) and not alone.market.exclusive


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": "v3"}, "neither v1 nor v2"),
        ({"version": None}, "missing"),
        ({"version": 2}, "neither v1 nor v2|missing"),
        ({"clobTokenIds": "[not json"}, "clobTokenIds"),
        ({"clobTokenIds": '{"a": 1}'}, "clobTokenIds"),
        ({"clobTokenIds": json.dumps([YES])}, "1 instead of 2"),
        ({"clobTokenIds": json.dumps([YES, YES])}, "same"),
        ({"clobTokenIds": json.dumps([YES, f"-{NO}"])}, "not a positive"),
        ({"clobTokenIds": json.dumps([YES, "0x12"])}, "not a positive"),
        ({"clobTokenIds": json.dumps([YES, str(2**256)])}, "not a positive"),
        ({"clobTokenIds": json.dumps([1, 2])}, "clobTokenIds"),
        ({"clobTokenIds": json.dumps([YES, POSITIONS[1]])}, "not an id of a v1 market"),
        ({**V2, "positionIds": [YES, NO]}, "not an id of a v2 market"),
        ({**V2, "positionIds": [POSITIONS[1], POSITIONS[0]]}, "not outcome 0"),
        ({**V2, "conditionId": CONDITION[:64]}, "of another condition"),
        ({**V2, "positionIds": [str((9 << 248) | 256), str((9 << 248) | 257)]}, "no known module"),
        ({"conditionId": "0x12"}, "conditionId"),
        ({"conditionId": -5}, "condition_?[iI]d"),
        ({"outcomes": '["Yes"]'}, "outcomes: 1"),
        ({"outcomes": '["Yes", "No", "Maybe"]'}, "outcomes: 3"),
        ({"outcomes": "Yes, No"}, "outcomes"),
        ({"orderPriceMinTickSize": 0.02}, "not a tick size"),
        ({"orderPriceMinTickSize": 0}, "not a tick size"),
        ({"orderPriceMinTickSize": 1e-7}, "orderPriceMinTickSize"),
        ({"orderPriceMinTickSize": None}, "orderPriceMinTickSize"),
        ({"orderMinSize": -5}, "orderMinSize: negative"),
        ({"orderMinSize": "five"}, "orderMinSize"),
        ({"negRisk": "false"}, "negRisk: neither true nor false"),
        ({"closed": "no"}, "closed: neither true nor false"),
        ({"umaResolutionStatus": "vanished"}, "not a known state"),
        ({"resolutionStatus": 7}, "not a known state"),
        ({"endDate": None}, "endDate: missing"),
        ({"endDate": "soon"}, "endDate"),
        ({"slug": "../../etc/passwd"}, "slug|pattern"),
        ({"slug": "Upper-Case"}, "slug|pattern"),
        ({"slug": None}, "slug"),
        ({"question": 5}, "question"),
    ],
)
def test_what_cannot_be_traded_is_kept_apart_with_the_reason(changes: dict[str, object], reason: str) -> None:
    found = refused(**changes)
    assert re.search(reason, found.reason), found.reason
    assert not found.hydrating


def test_a_market_without_tokens_yet_is_only_too_new() -> None:
    kept, _ = catalog()
    for missing in (None, "", "[]"):
        found = kept.learn(market_raw(clobTokenIds=missing), event(), "weather")
        assert isinstance(found, Quarantined) and found.hydrating
    assert isinstance(kept.learn(market_raw(), event(), "weather"), Listed)
    assert not kept.quarantined


def test_a_market_that_turns_bad_is_not_traded_any_more() -> None:
    kept, _ = catalog()
    kept.learn(market_raw(), event(), "weather")
    assert kept.of_token(NO) == ("highest-temperature-in-nyc-on-november-28-48-49f", Outcome.NO)
    kept.learn(market_raw(version="v9"), event(), "weather")
    assert not kept.markets
    assert kept.of_token(NO) == ("highest-temperature-in-nyc-on-november-28-48-49f", Outcome.NO), (
        "its trades are still called what they were"
    )
    renamed = kept.learn(market_raw(slug="a-better-name"), event(), "weather")
    assert isinstance(renamed, Listed), "its ids are free again"
    assert kept.of_token(NO) == ("a-better-name", Outcome.NO)


def test_two_markets_cannot_share_a_token() -> None:
    kept, _ = catalog()
    kept.learn(market_raw(), event(), "weather")
    twin = kept.learn(market_raw(slug="a-twin", conditionId="0x" + "ab" * 32), event(), "weather")
    assert isinstance(twin, Quarantined) and "its ids are those of highest" in twin.reason
    assert list(kept.markets) == ["highest-temperature-in-nyc-on-november-28-48-49f"]


def test_what_has_traded_is_kept_in_dollars_and_an_odd_figure_costs_no_market() -> None:
    kept, said = catalog()
    listed = kept.learn(market_raw(volumeNum=42805542.367599964), event(), "weather")
    assert isinstance(listed, Listed)
    assert kept.volumes == {listed.market.ticker: 42_805_542_367_600}
    assert kept.learn(market_raw(volumeNum="much"), event(), "weather") == listed
    assert kept.volumes == {} and "volumeNum" in said[-1][1]


def test_hostile_texts_are_made_safe() -> None:
    found = learnt(question="Up\x1b[31m or \u202edown\n?", description="x" * 20_000)
    assert "\x1b" not in found.market.title and "\u202e" not in found.market.title
    assert len(found.market.rules) <= gamma.RULES_CHARS_MAX
    bad = refused(slug="\x1b[2J", question="\u202ehi")
    assert bad.name == "[2J" and bad.title == "hi"
    other = catalog()[0].learn(msgspec.Raw(b"[1]"), event(), "weather")
    assert isinstance(other, Quarantined) and other.name == "a market without a name"


def test_an_oddity_is_told_once() -> None:
    kept, said = catalog()
    for _ in range(3):
        kept.learn(market_raw(feeSchedule={"rate": 0.05, "exponent": 1.5, "takerOnly": True}), event(), "w")
    assert len(said) == 1 and "cannot be computed" in said[0][1]


@pytest.mark.parametrize(
    ("changes", "fees"),
    [
        ({"feesEnabled": False, "feeSchedule": None}, FeeSchedule(FeeType.TAKER_CURVE, 0)),
        ({"feesEnabled": None, "feeSchedule": None}, FeeSchedule(FeeType.TAKER_CURVE, 0)),
        ({"feeSchedule": None}, FeeSchedule(FeeType.UNKNOWN)),
        ({"feeSchedule": {"rate": 0.05, "exponent": 1, "takerOnly": False}}, FeeSchedule(FeeType.UNKNOWN)),
        ({"feeSchedule": {"rate": -0.05, "exponent": 1, "takerOnly": True}}, FeeSchedule(FeeType.UNKNOWN)),
        ({"feeSchedule": {"rate": "a", "exponent": 1, "takerOnly": True}}, FeeSchedule(FeeType.UNKNOWN)),
        (
            {"feeSchedule": {"rate": "0.04", "exponent": "2", "takerOnly": True}},
            FeeSchedule(FeeType.TAKER_CURVE, 40_000, exponent=2),
        ),
    ],
)
def test_fees_are_the_published_schedule_or_unknown(changes: dict[str, object], fees: FeeSchedule) -> None:
    assert learnt(**changes).market.fees == fees


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"active": False}, MarketStatus.INITIALIZED),
        ({"acceptingOrders": False}, MarketStatus.INACTIVE),
        ({"enableOrderBook": None}, MarketStatus.INACTIVE),
        ({"archived": True}, MarketStatus.INACTIVE),
        ({"closed": True}, MarketStatus.CLOSED),
        ({"umaResolutionStatus": "proposed"}, MarketStatus.DETERMINED),
        ({"umaResolutionStatus": "disputed"}, MarketStatus.DISPUTED),
        ({"umaResolutionStatus": "requested"}, MarketStatus.ACTIVE),
        ({"closed": True, "umaResolutionStatus": "resolved"}, MarketStatus.DETERMINED),
        (
            {"closed": True, "umaResolutionStatus": "resolved", "outcomePrices": '["1", "0"]'},
            MarketStatus.FINALIZED,
        ),
        (
            {"closed": True, "resolutionStatus": "resolved", "outcomePrices": '["0", "1"]'},
            MarketStatus.FINALIZED,
        ),
    ],
)
def test_resolution_states(changes: dict[str, object], status: MarketStatus) -> None:
    assert learnt(**changes).market.status is status


@pytest.mark.parametrize(
    ("prices", "outcomes", "payout", "word"),
    [
        ('["1", "0"]', '["Yes", "No"]', 10_000, "yes"),
        ('["0", "1"]', '["Up", "Down"]', 0, "no"),
        ('["0", "1"]', '["No", "Yes"]', 10_000, "yes"),
        ('["0.5", "0.5"]', '["Yes", "No"]', 5_000, "split"),
    ],
)
def test_what_a_resolved_market_pays(prices: str, outcomes: str, payout: int, word: str) -> None:
    raw = market_raw(
        closed=True,
        umaResolutionStatus="settled",
        outcomePrices=prices,
        outcomes=outcomes,
        closedTime="2026-11-29 18:00:00+00",
    )
    report = gamma.settlement(market_decoder.decode(raw), Odd())
    assert report is not None
    assert (report.payout, report.result, report.at_ms) == (payout, word, 1_795_975_200_000)


def test_cached_prices_of_a_closed_market_are_no_payout() -> None:
    odd = Odd()
    raw = market_raw(closed=True, umaResolutionStatus="resolved", outcomePrices='["0.9995", "0.0005"]')
    assert gamma.settlement(market_decoder.decode(raw), odd) is None
    assert odd.notes == ["outcomePrices: not a payout yet"]


@pytest.mark.parametrize(
    ("question", "title", "strike"),
    [
        ("be between 48-49°F on November 28?", "48-49°F", Strike(StrikeKind.BETWEEN, 48, 49)),
        ("be 47°F or below on November 28?", "47°F or below", Strike(StrikeKind.LESS_OR_EQUAL, None, 47)),
        ("be 58°F or higher on Nov 2?", "58°F or higher", Strike(StrikeKind.GREATER_OR_EQUAL, 58)),
        ("be 12°C on November 28?", "12°C", Strike(StrikeKind.BETWEEN, 12, 12)),
        ("be -4°C or below on January 2?", "-4°C or below", Strike(StrikeKind.LESS_OR_EQUAL, None, -4)),
        ("be between -3--1°F?", "", Strike(StrikeKind.BETWEEN, -3, -1)),
        ("be between −3 to −1°C?", "-3 – -1°C", Strike(StrikeKind.BETWEEN, -3, -1)),
        ("be what?", "≤ 40°F", Strike(StrikeKind.LESS_OR_EQUAL, None, 40)),
        ("be what?", ">90°F", Strike(StrikeKind.GREATER, 90)),
        ("be above 90°F today?", "", Strike(StrikeKind.GREATER, 90)),
        ("be between 49-48°F?", "", brackets.OTHER),
        ("rise?", "", brackets.OTHER),
        ("be 40°F or 50°F?", "", brackets.OTHER),
    ],
)
def test_brackets_are_read_from_the_words(question: str, title: str, strike: Strike) -> None:
    asked = f"Will the highest temperature in New York City {question}"
    assert brackets.strike(asked, title, Odd()) == strike


def test_two_texts_that_differ_are_no_bracket() -> None:
    odd = Odd()
    question = "Will the lowest temperature in Chicago be 30-31°F on November 2?"
    assert brackets.strike(question, "32-33°F", odd) == brackets.OTHER
    assert odd.notes
    assert brackets.strike("Will BTC be above 48-49°F?", "", Odd()) == brackets.OTHER


@pytest.mark.parametrize("minimum", [5, 5.0, "5", "5.00"])
def test_a_checksum_knows_the_market_in_the_books_own_spelling(minimum: object) -> None:
    kept, _ = catalog()
    kept.learn(market_raw(orderMinSize=minimum), event(), "weather")
    assert kept.sums("highest-temperature-in-nyc-on-november-28-48-49f") == Sums("5", "0.01", True)


def test_a_new_tick_size() -> None:
    kept, _ = catalog()
    ticker = "highest-temperature-in-nyc-on-november-28-48-49f"
    kept.learn(market_raw(), event(), "weather")
    assert kept.retick(ticker, Price(100)) is None
    changed = kept.retick(ticker, Price(10))
    assert changed is not None and changed.grid.valid(Price(9_990)) and kept.terms[ticker].tick == 10
    assert kept.retick("unknown", Price(10)) is None


def test_a_recorded_market(shared: Path) -> None:
    raw = (shared / "data/polymarket/gamma_market_v1_2026-10-05.json").read_bytes()
    found = catalog()[0].learn(msgspec.Raw(raw), event(), "crypto")
    assert isinstance(found, Listed)
    assert found.market.fees == FeeSchedule(FeeType.TAKER_CURVE, 70_000)
    assert found.market.label == found.market.ticker == "btc-updown-15m-1791241200"
    assert not looks_like_position(int(found.terms.tokens.yes))


def test_a_recorded_event(shared: Path) -> None:
    """A set of many exclusive markets from before versions were published, and one of sports."""
    page = json.loads((shared / "data/polymarket/nautilus/gamma_event.json").read_bytes())
    kept, said = catalog()
    head = msgspec.convert(page[0], EventHead)
    for one in page[0]["markets"]:
        kept.learn(msgspec.Raw(json.dumps({**one, "version": "v1"}).encode()), head, "politics")
    assert said == [] and len(kept.markets) == len(page[0]["markets"])
    assert all(market.exclusive for market in kept.markets.values())
