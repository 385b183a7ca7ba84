"""The --json answers: exact decimals, UTC times, seconds, null for unknown, and every field explained."""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from core.control.queries.answers import PARTS, QUERIES, TABLES, Rows, answer, documentation
from core.control.queries.fields import Now
from core.control.rows.orders import order_row
from core.control.tables.account import DifferenceRow, JournalRow, LineRow, ReadingRow
from core.control.tables.batch import BatchRow
from core.control.tables.cards import PreviewRow
from core.control.tables.detail import (
    DetailRow,
    EquityRow,
    HistoryRow,
    LevelRow,
    OwnFillRow,
    PointRow,
    QuarantineRow,
    ResultRow,
    TradeRow,
)
from core.control.tables.markets import MarketRow, MarketStatic, PairRow, RulesRow, WayRow
from core.control.tables.models import BracketRow, EventRow, InputRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.payoff import OutcomeRow, PayoffRow
from core.control.tables.safety import AlarmRow, FlattenRow, FlattenVenueRow, LimitRow
from core.control.tables.sources import BudgetRow, FeedRow, SourceRow, ToldRow
from core.control.tables.status import CountsRow, LinkRow, StatusRow
from core.control.tables.system import (
    BucketRow,
    DrillRow,
    HealthRow,
    LayerRow,
    ProcessRow,
    SystemRow,
)
from core.control.tables.vetoes import VetoesRow, VetoRow, WorthRow
from core.domain.market import Venue
from core.domain.order import BookSide, Fill, Order, Purpose
from core.domain.units import Money, Price, contracts
from tests.execution.test_invariants import intent

STATIC = MarketStatic(
    7,
    "kalshi",
    "KXHIGHNY-26NOV23-B48.5",
    "KXHIGHNY-26NOV23",
    "NYC hi Nov23 48-49",
    "NYC hi Nov23",
    "",
    5,
    (),
    "KNYC",
)
NOW = Now(mono_ns=100_000_000_000, wall_ms=1_700_000_000_123, world_ms=1_700_000_500_000, statics={7: STATIC})
FEED = FeedRow(
    "NWS", "ok", 1_700_000_000_000, None, 7200, None, "", "nws-grid", "weather", 128,
    (BudgetRow(79, 100, "calls", "minute", 1_700_000_560_000),), 3,
)  # fmt: skip
STATUS = StatusRow(
    profile="demo",
    mode="semi",
    level="NORMAL",
    level_reason="",
    paused=("weather",),
    starting=(("venue", True), ("feeds", False)),
    links=(LinkRow("kalshi", "ok", 99_600_000_000, "", None),),
    feeds=(FEED,),
    unknown=1,
    exposure=212_000_000,
    exposure_limit=500_000_000,
    open_pnl=None,
    today_pnl=-3_100_001,
    orders=2,
    order_limit=20,
    controller="",
    controller_session="",
    viewers=0,
    cash=1,
    world_origin_ms=0,
    real_origin_ms=0,
    speed=144.0,
    world_id="w1",
    replay="",
    counts=CountsRow(1, 2, 3, 4, 5),
    best="",
    read_ns=None,
    problem="",
    unattended_until_ns=None,
)
FLATTEN = FlattenRow(
    "COUNTDOWN",
    95_000_000_000,
    102_500_000_000,
    "2 orders",
    "cli",
    (FlattenVenueRow("kalshi", 2, 1, 1, 0, 0, 15_000_000),),
    (),
    "",
    1,
)
MARKET = MarketRow(
    7, 4200, None, 50_500_000, 0, 4, 99_000, True, 4412, 290, -12, "", None, -5_000_000, "", "",
)  # fmt: skip
ORDER = OrderRow(
    "pm-1", "", 7, False, "YES", 4450, 15_000_000, 1_000_000, 14_000_000, None, "UNKNOWN", "",
    88_000_000_000, 1_700_000_000_000, 101_000_000_000, "could buy", False, None,
)  # fmt: skip
POSITION = PositionRow(7, -5_000_000, 5800, 2_900_000, 2_900_000, None, None, None, 0, "hold", 3)
EVENT = EventRow(
    STATIC.event, STATIC.event_label, "weather", "emos-t 1", 48.25, 2.4, 0, 47,
    (InputRow("METEO", 1_700_000_000_000, 43_200),), (BracketRow(7, "48-49", 4_500, None, 4_412, -12, 290),),
    "", "", ("high 51.3F",), 0.6,
)  # fmt: skip
ROWS = Rows(
    status=STATUS,
    markets=(MARKET,),
    orders=(ORDER,),
    positions=(POSITION,),
    limits=(
        LimitRow("total_loss_max", "total", "G18", "money", 212_000_000, 800_000_000, 800_000_000, ""),
        LimitRow("open_orders_total_max", "open orders", "G20", "count", None, 20, 20, ""),
    ),
    links=(
        PairRow(
            STATIC.ticker, "slug", 7, 0, False, "linked", "", 10_000_000,
            (
                WayRow("YES", "NO", 10_000_000, 9_400_000, 298_580, 301, ""),
                WayRow("NO", "YES", 0, 0, 0, None, "slug is not on the desk"),
            ),
            ("station KNYC, unknown",), "cli", 1_700_000_000_000, 99_000, 0, "Not riskless.",
        ),
    ),
    rules=RulesRow(STATIC.ticker, "kalshi", "Settles by the NWS report.", "ab", "ab"),
    feeds=(FEED,),
    source=SourceRow(
        "yahoo", "indices", "", "One call.", 2, True, "It answered.",
        (ToldRow("yahoo", "SPX", "6,812.40", 1_700_000_000_000, 0),),
    ),
    vetoes=VetoesRow(
        (WorthRow("price", 2, 1, 1, -12_950_000, -6_475_000),),
        (
            VetoRow(
                "P1", 1_700_000_000_000, STATIC.label, False, "YES", 3_200, 40_000_000, 1, 580, 0.5, "price",
                "price", "you", True, -12_950_000, False,
            ),
        ),
    ),
    batch=BatchRow(
        STATIC.event, 2, 25_300_000, 300_000, 4_020_000, 29_620_000, 200_000_000, 34_360_000, 59_960_000,
        800_000_000, (OutcomeRow("48-49", 14_050_000), OutcomeRow("none", -25_600_000)),
    ),
    payoff=PayoffRow(
        STATIC.ticker, STATIC.event_label,
        (OutcomeRow("48-49", 14_050_000), OutcomeRow("none", -25_600_000)), (), 290_000, 240_000,
    ),
    system=SystemRow(
        (ProcessRow("engine", 41, "", 60.5, 12.25, 80), ProcessRow("console", 42, "views", None, None, None)),
        (HealthRow("engine lag", 3, 100, "milliseconds", False),), (), (),
        (BucketRow("kalshi", "write", 0, 8_050, 10_000, 10_000, 70, 1),),
        (LayerRow("watchdog", "", "not armed", "it does not answer"),),
        DrillRow(1_700_000_000_000, True, "flat"), 2, 1, 1, 4_711,
    ),
    account=(
        LineRow("kalshi", "order", STATIC.ticker, "pm-1", "WORKING 5.00", "not listed", "moved", None),
    ),
    preview=PreviewRow(3_100, 20_000_000, 6_200_000, 80_000, 6_280_000, 680, 0.7, ""),
    market=DetailRow(
        7, (LevelRow(4_200, 50_500_000),), (LevelRow(4_400, 1_000_000), LevelRow(4_500, 2_000_000)), 99_000,
        True, (TradeRow(1_700_000_000_000, 4_400, 3_000_000, True),), "Central Park KNYC", "If the high",
        MARKET, "edge", "too good to be true", EVENT, (ORDER,), POSITION,
        QuarantineRow("edge 21.4c is too good", "NO", 5_500, "post-only", 2_140, ("high 51.3F",)),
    ),
    history=HistoryRow(
        7, (PointRow(1_700_000_000_000, 4_200, None, 4_412, None),),
        (OwnFillRow(1_700_000_000_000, 4_200, 5_000_000, False),),
    ),
    equity=EquityRow("2023-11-14", (ResultRow(1_700_000_000_000, -3_100_000),)),
    flatten=FLATTEN,
    alarms=(AlarmRow(3, "ACT", 0, 97_000_000_000, "KAL: lost", "halted", "resume", False, True),),
    reconcile=ReadingRow(
        12, 98_000_000_000, True, "periodic", None, "",
        (
            DifferenceRow(
                "R9", "position", 7, "KXHIGHNY-26NOV23-B48.5", "", "8.00", "11.00", 94_000_000_000, 2, True,
                "venue HALTED", (JournalRow(41, 1_700_000_000_000, "FILL", "bought 3 @ 45c", "pm-1"),),
            ),
        ),
    ),
)  # fmt: skip


def ask(what: str) -> object:
    return json.loads(answer(what, ROWS, NOW))


def test_status_speaks_in_decimals_seconds_and_utc() -> None:
    status = ask("status")
    assert isinstance(status, dict)
    assert status["exposure"] == "212.00"
    assert status["today_pnl"] == "-3.100001"
    assert status["cash"] == "0.000001"
    assert status["open_pnl"] is None
    assert status["ready"] is False
    assert status["starting"] == {"venue": True, "feeds": False}
    assert status["time"] == "2023-11-14T22:13:20.123Z"
    assert status["world_time"] == "2023-11-14T22:21:40.000Z"
    assert status["venues"][0]["heartbeat_age_s"] == 0.4
    assert status["feeds"][0]["data_age_s"] == 500.0
    assert status["feeds"][0]["received_age_s"] is None
    assert status["flatten"]["exits_in_s"] == 2.5
    assert status["flatten"]["venues"][0]["left"] == "15.00"


def test_markets_orders_positions_limits() -> None:
    (market,) = ask("markets")  # type: ignore[misc]
    assert (market["ticker"], market["bid"], market["ask"]) == (STATIC.ticker, "0.4200", None)
    assert (market["bid_size"], market["edge"], market["net"]) == ("50.50", "-0.0012", "-5.00")
    assert market["book_age_s"] == 1.0
    (order,) = ask("orders")  # type: ignore[misc]
    assert (order["state"], order["age_s"], order["next_check_in_s"]) == ("UNKNOWN", 12.0, 1.0)
    assert order["expires"] == "2023-11-14T22:13:20.000Z"
    (position,) = ask("positions")  # type: ignore[misc]
    assert position["venue_net"] == "0.000003"
    money, count = ask("limits")  # type: ignore[misc]
    assert (money["used"], money["limit"]) == ("212.00", "800.00")
    assert (count["used"], count["limit"]) == (None, 20)


def test_an_order_in_a_market_that_left_the_desk_is_told_by_the_venues_name() -> None:
    order = Order(intent("pm-2", BookSide.BID, Purpose.OPEN, 3))
    rows = [
        order_row(order, key, ahead=None, offset_ns=0, ended_ns=None, search=None, reduces=False)
        for key in (7, 0)
    ]
    told = json.loads(answer("orders", ROWS._replace(orders=tuple(rows)), NOW))
    assert [(one["ticker"], one["label"]) for one in told] == [
        (STATIC.ticker, STATIC.label),
        (order.intent.ticker, order.intent.ticker),
    ]


def test_an_order_tells_what_its_fills_came_to_by_its_own_outcome() -> None:
    sold = Order(intent("pm-2", BookSide.ASK, Purpose.OPEN, 8))
    fill = Fill("a", Venue.KALSHI, "T", "v", BookSide.ASK, Price(3_300), contracts(5), Money(90_000), True, 0)
    other = replace(fill, trade_id="b", price=Price(3_000), quantity=contracts(3), fee=Money(40_000))
    rows = [
        order_row(order, 7, ahead=None, offset_ns=0, ended_ns=None, search=None, reduces=False)
        for order in (sold, replace(sold, fills=(fill, other)))
    ]
    nothing, some = json.loads(answer("orders", ROWS._replace(orders=tuple(rows)), NOW))
    assert (nothing["average"], nothing["fee"]) == (None, "0.00")
    assert (some["side"], some["average"], some["fee"]) == ("buy NO", "0.6812", "0.13"), "31.875 cents of YES"


def test_what_differs_and_what_rang() -> None:
    found = ask("reconcile")
    assert isinstance(found, dict)
    assert (found["reading"], found["age_s"], found["agrees"], found["clean_age_s"]) == (12, 2.0, False, None)
    (difference,) = found["differences"]
    (event,) = difference["events"]
    assert (event["seq"], event["kind"], event["text"]) == (41, "FILL", "bought 3 @ 45c")
    assert (difference["row"], difference["ours"], difference["theirs"]) == ("R9", "8.00", "11.00")
    assert (difference["age_s"], difference["acted"], difference["halts"]) == (6.0, True, "venue HALTED")
    (alarm,) = ask("alarms")  # type: ignore[misc]
    assert (alarm["id"], alarm["age_s"], alarm["acknowledged"]) == (3, 3.0, False)


def test_a_pair_and_a_text() -> None:
    (pair,) = ask("links")  # type: ignore[misc]
    assert (pair["first_venue"], pair["second_venue"]) == ("kalshi", None)
    assert (pair["first_book_age_s"], pair["second_book_age_s"]) == (1.0, None)
    yes, no = pair["ways"]
    assert (yes["cost"], yes["fee"], yes["difference"]) == ("9.40", "0.29858", "0.0301")
    assert (no["cost"], no["fee"], no["difference"]) == (None, None, None), "no way has no figures"
    assert (pair["linked"], pair["caution"]) == ("2023-11-14T22:13:20.000Z", "Not riskless.")
    rules = ask("rules")
    assert isinstance(rules, dict) and rules["text"] == "Settles by the NWS report."


def test_a_source_with_its_budget_and_what_it_tells() -> None:
    (feed,) = ask("feeds")  # type: ignore[misc]
    assert (feed["source"], feed["family"], feed["latency_ms"], feed["unchanged"]) == (
        "nws-grid", "weather", 128, 3,
    )  # fmt: skip
    (budget,) = feed["budget"]
    assert (budget["left"], budget["most"], budget["per"]) == (79, 100, "minute")
    assert budget["whole"] == "2023-11-14T22:22:40.000Z"
    source = ask("source")
    assert isinstance(source, dict) and (source["tests"], source["passed"]) == (2, True)
    (value,) = source["values"]
    assert (value["about"], value["said"], value["age_s"]) == ("SPX", "6,812.40", 500.0)
    assert value["stale_after_s"] is None, "it does not grow old"


def test_the_machinery() -> None:
    system = ask("system")
    assert isinstance(system, dict)
    assert system["buckets"][0] == {
        "venue": "kalshi", "kind": "write", "shard": 0, "left": 80.5, "burst": 100.0, "rate": 100.0,
        "pace": 70, "waiting": 1,
    }  # fmt: skip
    assert system["processes"][1]["memory_mb"] is None, "what the system does not tell is not 0"
    assert system["drill"] == {"at": "2023-11-14T22:13:20.000Z", "passed": True, "said": "flat"}


def test_a_market_from_near_its_past_and_the_days_result() -> None:
    market, history, equity = ask("market"), ask("history"), ask("equity")
    assert isinstance(market, dict) and isinstance(history, dict) and isinstance(equity, dict)
    assert [level["price"] for level in market["asks"]] == ["0.4400", "0.4500"]
    assert (market["ticker"], market["venue"], market["book_age_s"]) == (STATIC.ticker, "kalshi", 1.0)
    assert market["quarantine"] == {
        "reason": "edge 21.4c is too good", "outcome": "NO", "price": "0.5500", "style": "post-only",
        "edge": "0.2140", "evidence": ["high 51.3F"],
    }  # fmt: skip
    assert [market["listed"], *market["orders"], market["position"]] == [
        *ask("markets"), *ask("orders"), *ask("positions"),  # type: ignore[misc]
    ]  # fmt: skip
    assert market["model"]["inputs"] == [{"name": "METEO", "age_s": 500.0, "stale_after_s": 43_200}]
    (bracket,) = market["model"]["brackets"]
    assert (bracket["ticker"], bracket["model"], bracket["book"]) == (STATIC.ticker, "0.4500", None)
    (trade,), (fill,) = market["trades"], history["fills"]
    assert trade == {
        "time": "2023-11-14T22:13:20.000Z", "price": "0.4400", "quantity": "3.00", "buys": True,
    }  # fmt: skip
    assert (fill["price"], fill["buys"]) == ("0.4200", False)
    (point,) = history["points"]
    assert (point["bid"], point["ask"], point["fair"], point["sigma"]) == ("0.4200", None, "0.4412", None)
    assert equity["points"] == [{"time": "2023-11-14T22:13:20.000Z", "made": "-3.10"}]


@pytest.mark.parametrize("what", TABLES)
def test_every_field_is_explained_and_named_once(what: str) -> None:
    text = documentation(what)
    tables = {what: TABLES[what], **PARTS.get(what, {})}
    for name, table in tables.items():
        names = [field.name for field in table]
        assert len(set(names)) == len(names), name
        for field in table:
            assert re.search(rf"^  {field.name} +\S", text, re.MULTILINE)


def test_a_binary_fraction_never_stands_for_money() -> None:
    for what in QUERIES:
        found = json.dumps(ask(what))
        for name in ("price", "bid", "ask", "fair", "cost", "cash", "exposure", "limit", "quantity", "net"):
            assert not re.search(rf'"{name}": -?\d+\.\d', found)
