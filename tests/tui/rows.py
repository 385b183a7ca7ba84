"""Invented rows that agree with each other: the figures of the Desk's sketches."""

from __future__ import annotations

import msgspec

from core.control.protocol import Frame
from core.control.tables.account import AccountRow, DifferenceRow, JournalRow, ReadingRow
from core.control.tables.cards import BeforeRow, CheckRow, LegRow, PlanRow, ProposalRow, UsedRow
from core.control.tables.markets import MarketRow, MarketStatic
from core.control.tables.models import BracketRow, EventRow, InputRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.safety import AlarmRow, FlattenRow, FlattenVenueRow, LimitRow
from core.control.tables.sources import BudgetRow, FeedRow
from core.control.tables.status import BeatRow, CountsRow, LinkRow, StatusRow
from tui.tables import Now

S = 1_000_000_000
C = 1_000_000
MINUTE_MS = 60_000
WORLD_MS = 1_795_356_137_000
"""2026-11-22 14:02:17 UTC."""

BRACKETS = (
    # label, model, book, fair, sigma, edge
    ("<= 45", 610, 450, 610, 160, 40),
    ("46-47", 2310, 2500, 2310, 270, -90),
    ("48-49", 3820, 3250, 3820, 290, 580),
    ("50-51", 2530, 2550, 2530, 280, -70),
    ("52-53", 660, 800, 660, 170, -190),
    (">= 54", 70, 200, 70, 60, -160),
)

# key, label, event, bsz, bid, ask, asz, fair, sigma, edge, word, net, mark, change, close minutes, age s
MARKETS = (
    (2, "NYC hi Nov23 48-49", "NYC", 120, 31, 34, 160, 3820, 290, 580, "", 0, "card", 150, 897, 0),
    (1, "NYC hi Nov23 46-47", "NYC", 85, 24, 26, 90, 2310, 270, -90, "", 16, "", 30, 897, 1),
    (3, "NYC hi Nov23 50-51", "NYC", 60, 24, 27, 45, 2530, 280, -70, "", 0, "", -80, 897, 0),
    (11, "CHI hi Nov23 41-42", "CHI", 210, 44, 45, 75, 4790, 340, 290, "", 0, "15b44", 200, 957, 2),
    (20, "MIA hi Nov23 82-83", "MIA", 40, 18, 22, 40, None, None, None, "", 0, "", None, 897, 1),
    (30, "AUS hi Nov23 71-72", "AUS", 95, 37, 40, 60, 3600, 310, None, "stale", 8, "", 0, 957, 14),
    (10, "CHI hi Nov23 39-40", "CHI", 150, 28, 30, 110, 2880, 310, -130, "", 30, "", 0, 957, 0),
    (12, "CHI hi Nov23 43-44", "CHI", 90, 17, 19, 130, 1590, 250, -120, "", 0, "", 0, 957, 0),
    (31, "AUS hi Nov23 73-74", "AUS", 55, 22, 25, 70, 2390, 280, -120, "", 0, "", 0, 957, 2),
    (21, "MIA hi Nov23 80-81", "MIA", 35, 41, 46, 35, None, None, None, "", 0, "", 0, 897, 1),
    (40, "NYC hi Nov24 50-51", "NYC24", 30, 26, 31, 25, 3010, 390, 110, "", 0, "", 0, 2337, 0),
    (41, "NYC hi Nov24 52-53", "NYC24", 30, 24, 29, 25, 2560, 380, -150, "", 0, "", 0, 2337, 0),
    (50, "DEN hi Nov23 55-56", "DEN", 70, 33, 35, 65, 3420, 330, 140, "", -4, "16n64", 0, 1017, 1),
    (60, "LAX hi Nov23 70-71", "LAX", 80, 47, 50, 60, 5180, 300, 210, "", 0, "", 0, 1077, 0),
    (70, "PHL hi Nov23 49-50", "PHL", 45, 30, 33, 50, 3070, 300, -110, "", 0, "", 0, 897, 1),
)
EVENT_LABELS = {
    "NYC": "NYC high Nov 23",
    "NYC24": "NYC high Nov 24",
    "CHI": "CHI high Nov 23",
    "MIA": "MIA high Nov 23",
    "AUS": "AUS high Nov 23",
    "DEN": "DEN high Nov 23",
    "LAX": "LAX high Nov 23",
    "PHL": "PHL high Nov 23",
}


def feed(
    now: Now, name: str, source: str, family: str, age_min: float, limit_s: int, **changes: object
) -> FeedRow:
    values: dict[str, object] = {
        "name": name,
        "state": "ok",
        "newest_world_ms": WORLD_MS - int(age_min * MINUTE_MS),
        "received_ns": now.mono_ns,
        "stale_after_s": limit_s,
        "retry_at_ns": None,
        "detail": "",
        "source": source,
        "family": family,
        "latency_ms": 128,
    }
    return FeedRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def off(now: Now, name: str, source: str, family: str, why: str) -> FeedRow:
    line = f"{why} To turn it on: on = true in [feeds.{source}] of /home/trader/live/config.toml."
    return feed(now, name, source, family, 0, 60, state="OFF", newest_world_ms=None, detail=line)


def twenty(now: Now) -> tuple[FeedRow, ...]:
    """Every family: most live, some not, two families without a live source."""
    minute, month = (
        BudgetRow(79, 100, "calls", "minute", WORLD_MS + 42_000),
        BudgetRow(31, 500, "credits", "month", WORLD_MS + 9 * 86_400_000),
    )
    day = 86_400
    return (
        feed(now, "NWS", "nws-grid", "weather", 38, 6 * 3600),
        feed(
            now, "OBS", "nws-observations", "weather", 12, 80 * 60,
            state="DOWN", retry_at_ns=now.mono_ns + 9 * S, detail="KNYC: HTTP 503",
        ),
        feed(now, "CLI", "nws-reports", "weather", 300, 26 * 3600),
        feed(now, "METEO", "open-meteo", "weather", 90, 12 * 3600, budget=(minute,), unchanged=3),
        feed(now, "ENSEMBLE", "open-meteo-ensemble", "weather", 200, day),
        feed(now, "METAR", "metar", "weather", 30, 80 * 60),
        feed(now, "NBM", "nbm", "weather", 60, 7 * 3600),
        feed(now, "KXTEMP", "kalshi-temperature", "weather", 0.1, 600, latency_ms=4),
        off(now, "TOMORROW", "tomorrow", "weather", "Its terms ask for a licence."),
        off(now, "TWELVE", "twelve-data", "forex", "It needs a key."),
        off(now, "YAHOO", "yahoo", "forex", "Its terms do not name this use."),
        feed(now, "COINBASE", "coinbase", "markets", 0.01, 60, latency_ms=41, apart_bp=0.4),
        feed(now, "KRAKEN", "kraken", "markets", 0.02, 60, latency_ms=62, apart_bp=12.5, too_far=True),
        feed(now, "BINANCE", "binance", "markets", 3, 60, state="STALE", detail="BTC/USD 180s old"),
        feed(now, "DERIBIT", "deribit", "markets", 0.02, 60, latency_ms=88),
        off(now, "CHAIN", "chainlink", "markets", "It asks chain servers that somebody has to name."),
        feed(now, "FRED", "fred", "markets", 900, 4 * day, state="AUTH", detail="the key is refused"),
        feed(
            now, "ODDS", "odds", "sports", 4000, 1800, state="SPENT", budget=(month,),
            retry_at_ns=now.mono_ns + 9 * day * S, detail="nba: the quota is spent",
        ),
        off(now, "BLS", "bls", "calendar", "It is off."),
        feed(now, "FOMC", "fomc", "calendar", 9 * 1440, 35 * day),
    )  # fmt: skip


def status(now: Now, *, session: str, profile: str = "demo", **changes: object) -> StatusRow:
    values: dict[str, object] = {
        "profile": profile,
        "mode": "semi",
        "level": "NORMAL",
        "level_reason": "",
        "paused": (),
        "starting": (),
        "links": (LinkRow("kalshi", "ok", now.mono_ns - 400_000_000, "", None),),
        "feeds": (
            feed(now, "NWS", "nws-grid", "weather", 38, 90 * 60),
            feed(now, "METEO", "open-meteo", "weather", 12, 8 * 3600),
        ),
        "unknown": 0,
        "exposure": 34_360_000,
        "exposure_limit": 800 * C,
        "open_pnl": 340_000,
        "today_pnl": -3_100_000,
        "orders": 2,
        "order_limit": 20,
        "controller": "pid 4711 (uid 1000)",
        "controller_session": session,
        "viewers": 0,
        "cash": 462_350_000,
        "world_origin_ms": WORLD_MS,
        "real_origin_ms": now.wall_ms,
        "speed": 144.0,
        "world_id": "w1",
        "replay": "Replays 2024-11-18 to 2024-11-21. Real: brackets, observed highs, forecast values. "
        "Generated from the seed: issue times, hourly path, ensemble members.",
        "counts": CountsRow(14, 9, 5, 0, 0),
        "best": "No proposal. Best: NYC hi Nov23 48-49 +1.1c, needs +2.0c. 42 markets, 36 priced, 0 pass.",
        "read_ns": now.mono_ns - 20 * S,
        "problem": "",
        "unattended_until_ns": None,
    }
    return StatusRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def statics() -> tuple[MarketStatic, ...]:
    return tuple(
        MarketStatic(
            key,
            "kalshi",
            f"KXHIGH{event}-26NOV23-B{label[-5:]}",
            event,
            label,
            EVENT_LABELS[event],
            f"Will the high temperature in {event} be {label[-5:]} degrees on Nov 23, 2026?",
            WORLD_MS + minutes * MINUTE_MS,
            ((0, 10_000, 100),),
            "KNYC",
        )
        for key, label, event, *_, minutes, _age in MARKETS
    )


def market(now: Now, row: tuple) -> MarketRow:
    key, _, _, bsz, bid, ask, asz, fair, sigma, edge, word, net, mark, change, _, age_s = row
    moved = {3: 1 + 3 * 2, 11: 0 + 3 * 1}.get(key, 4)
    return MarketRow(
        key,
        bid * 100,
        ask * 100,
        bsz * C,
        asz * C,
        moved,
        (now.mono_ns - age_s * S) // 1_000_000,
        False,
        fair,
        sigma,
        edge,
        word,
        change,
        net * C,
        mark,
        "",
    )


def markets(now: Now) -> tuple[MarketRow, ...]:
    return tuple(market(now, row) for row in MARKETS)


def events() -> tuple[EventRow, ...]:
    keys = {label[-5:]: key for key, label, event, *_ in MARKETS if event == "NYC"}
    nyc = EventRow(
        "NYC",
        "NYC high Nov 23",
        "rolling",
        "v3",
        48.6,
        2.0,
        WORLD_MS + 897 * MINUTE_MS,
        47,
        (
            InputRow("NWS", WORLD_MS - 38 * MINUTE_MS, 90 * 60),
            InputRow("Open-Meteo", WORLD_MS - 12 * MINUTE_MS, 8 * 3600),
            InputRow("KNYC obs", WORLD_MS - 51 * MINUTE_MS, 2 * 3600),
        ),
        tuple(
            BracketRow(keys.get(label, -index), label, model, book, fair, edge, sigma)
            for index, (label, model, book, fair, sigma, edge) in enumerate(BRACKETS)
        ),
        "model 1.79 book 1.68",
        "",
        (
            "NWS OKX forecast 13:31Z: high 49F, was 47F at 07:32Z.",
            "Open-Meteo 12Z: 48.4F, bias -0.6F over 45 days.",
        ),
    )
    chi = EventRow(
        "CHI",
        "CHI high Nov 23",
        "rolling",
        "v3",
        41.2,
        2.4,
        WORLD_MS + 957 * MINUTE_MS,
        None,
        (InputRow("NWS", WORLD_MS - 30 * MINUTE_MS, 90 * 60),),
        (
            BracketRow(10, "39-40", 2880, 2900, 2880, -130, 310),
            BracketRow(11, "41-42", 4790, 4450, 4790, 290, 340),
            BracketRow(12, "43-44", 1590, 1800, 1590, -120, 250),
        ),
        "",
        "",
        (),
    )
    mia = EventRow(
        "MIA",
        "MIA high Nov 23",
        "rolling",
        "v3",
        None,
        None,
        WORLD_MS + 897 * MINUTE_MS,
        None,
        (),
        (),
        "",
        "No model for this market: station not mapped. Prices only.",
        (),
    )
    return nyc, chi, mia


def card(now: Now, **changes: object) -> ProposalRow:
    values: dict[str, object] = {
        "id": "4F2A",
        "fingerprint": "fp-1",
        "key": 2,
        "strategy": "maker",
        "state": "OPEN",
        "closes": False,
        "outcome": "YES",
        "price": 3200,
        "quantity": 40 * C,
        "style": "post-only",
        "cost": 12_800_000,
        "fee": 150_000,
        "fee_role": "maker",
        "max_loss": 12_950_000,
        "max_gain": 27_050_000,
        "fair": 3820,
        "sigma": 290,
        "bid": 3100,
        "ask": 3400,
        "edge": 580,
        "edge_half": 580,
        "kelly_used": 0.25,
        "kelly_full": 0.087,
        "shrink": 0.71,
        "bound_by": "depth share (25% of 160)",
        "ahead": 0,
        "fill": 0.83,
        "spread_ticks": 3,
        "share": 0.25,
        "position": 0,
        "position_after": 40 * C,
        "used": (
            UsedRow("mkt", 0, 12_950_000, 100 * C),
            UsedRow("event", 4_020_000, 12_950_000, 200 * C),
            UsedRow("venue", 34_360_000, 12_950_000, 500 * C),
            UsedRow("total", 34_360_000, 12_950_000, 800 * C),
        ),
        "oldest": InputRow("NWS", WORLD_MS - 38 * MINUTE_MS, 90 * 60),
        "settles": "Central Park KNYC, NWS climate day",
        "why": "3 of 4 forecasts moved +1.5F since noon",
        "against": "spread widened from 1t to 3t in 2m",
        "created_ns": now.mono_ns,
        "changed_ns": now.mono_ns,
        "expires_ns": now.mono_ns + 41 * S,
        "checks": (),
        "was": None,
        "large": False,
        "evidence": ("NWS OKX 13:31Z high 49F, was 47F.", "HRRR 12Z 48.9F.", "Open-Meteo 12Z 48.4F."),
    }
    return ProposalRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def before(**changes: int) -> BeforeRow:
    """What a card said before it moved to ``card``."""
    values = {"price": 3200, "quantity": 40 * C, "fair": 3820, "edge": 580, "cost": 12_800_000}
    return BeforeRow(**(values | changes))


def second_card(now: Now, **changes: object) -> ProposalRow:
    values: dict[str, object] = {
        "id": "77C1",
        "fingerprint": "fp-2",
        "key": 40,
        "price": 2700,
        "quantity": 12 * C,
        "edge": 260,
        "expires_ns": now.mono_ns + 58 * S,
    }
    return card(now, **(values | changes))


def plan_card(now: Now, **changes: object) -> ProposalRow:
    """Every YES of one day bought, the cheapest first."""
    keys = (2, 1, 3, 40, 41, 70)
    legs = tuple(
        LegRow(key, "YES", price, 20 * C)
        for key, price in zip(keys, (800, 1200, 1400, 1600, 1800, 2400), strict=True)
    )
    values: dict[str, object] = {
        "id": "P7",
        "fingerprint": "fp-7",
        "strategy": "arbitrage",
        "price": 800,
        "quantity": 20 * C,
        "style": "IOC",
        "cost": 18_400_000,
        "fee": 1_082_400,
        "fee_role": "taker",
        "max_loss": 15_240_000,
        "max_gain": 517_600,
        "edge": 258,
        "edge_half": 258,
        "bound_by": "depth share",
        "fair": None,
        "oldest": None,
        "evidence": (),
        "plan": PlanRow(
            "every YES bought",
            legs,
            20_000_000,
            517_600,
            15_240_000,
            (
                "a leg that fails leaves the others open: up to 15.24 is lost then",
                "a market that is voided or paid at a fair price breaks the set",
                "money is bound until settlement and up to 1 h more",
            ),
        ),
    }
    return card(now, **(values | changes))


def blocked(now: Now, **changes: object) -> ProposalRow:
    check = CheckRow("G11", "book 14 s old, limit 3 s", "Clears with the next book.", True)
    values: dict[str, object] = {
        "id": "AUS1",
        "fingerprint": "fp-3",
        "key": 30,
        "state": "BLOCKED",
        "checks": (check,),
    }
    return card(now, **(values | changes))


def order(now: Now, **changes: object) -> OrderRow:
    values: dict[str, object] = {
        "client_order_id": "pm-91c7",
        "order_id": "91c7",
        "key": 11,
        "closes": False,
        "outcome": "YES",
        "price": 4400,
        "quantity": 15 * C,
        "filled": 0,
        "leaves": 15 * C,
        "ahead": 195 * C,
        "state": "WORKING",
        "reason": "",
        "created_ns": now.mono_ns - 48 * S,
        "expires_wall_ms": now.wall_ms + 72_000,
        "next_check_ns": None,
        "bound": "",
        "external": False,
        "ended_ns": None,
    }
    return OrderRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def orders(now: Now) -> tuple[OrderRow, ...]:
    return (
        order(now),
        order(
            now,
            client_order_id="pm-92d0",
            key=50,
            outcome="NO",
            price=6400,
            quantity=20 * C,
            filled=4 * C,
            leaves=16 * C,
            ahead=60 * C,
            state="PARTIAL",
            created_ns=now.mono_ns - 90 * S,
            expires_wall_ms=now.wall_ms + 111_000,
        ),
        order(
            now,
            client_order_id="pm-80aa",
            key=10,
            filled=15 * C,
            leaves=0,
            state="FILLED",
            average=4_390,
            fee=260_000,
            ended_ns=now.mono_ns - 600 * S,
        ),
    )


def positions() -> tuple[PositionRow, ...]:
    return (
        PositionRow(
            1, 16 * C, 2510, 4_020_000, 4_020_000, -180_000, 2400, 2310, -100_000, "hold to fair", None
        ),
        PositionRow(
            10, 30 * C, 2600, 7_800_000, 7_800_000, 600_000, 2800, 2880, -1_520_000, "hold to fair", None
        ),
        PositionRow(
            30, 8 * C, 3850, 3_080_000, 3_080_000, -120_000, 3700, 3600, -1_480_000, "stale: wait", None
        ),
        PositionRow(50, -4 * C, 6400, 2_560_000, 2_560_000, 40_000, 6500, 6580, 0, "hold to fair", None),
    )


def limits() -> tuple[LimitRow, ...]:
    return (
        LimitRow(
            "market_loss_max", "market", "G05", "money", 0, 100 * C, 100 * C, "KXHIGHNYC-26NOV23-B48-49"
        ),
        LimitRow("event_loss_max", "event", "G06", "money", 4_020_000, 200 * C, 200 * C, "NYC"),
        LimitRow("event_loss_max", "event", "G06", "money", 14_460_000, 200 * C, 200 * C, "CHI"),
        LimitRow("venue_loss_max", "venue", "G07", "money", 34_360_000, 500 * C, 500 * C, ""),
        LimitRow("total_loss_max", "total", "G08", "money", 34_360_000, 800 * C, 800 * C, ""),
        LimitRow("velocity_15s_max", "filled in 15 s", "G23", "money", 84 * C, 100 * C, 100 * C, ""),
        LimitRow("day_loss_max", "loss today", "G24", "money", 3_100_000, 75 * C, 75 * C, ""),
        LimitRow("open_orders_total_max", "open orders", "G10", "count", 2, 20, 20, ""),
    )


def alarms(now: Now) -> tuple[AlarmRow, ...]:
    return (
        AlarmRow(
            1,
            "CHECK",
            WORLD_MS,
            now.mono_ns - 14 * S,
            "AUS hi Nov23 book is 14 s old, limit 3 s.",
            "No new entries there; orders stay.",
            "Clears by itself with the next book.",
            False,
            True,
        ),
        AlarmRow(
            2,
            "NOTE",
            WORLD_MS - 4 * MINUTE_MS,
            now.mono_ns - 200 * S,
            "NWS OKX forecast 13:31Z replaced 07:32Z: mean +1.5F, 6 fair values moved.",
            "",
            "",
            True,
            True,
        ),
    )


def reading(now: Now, *differences: DifferenceRow) -> ReadingRow:
    return ReadingRow(
        12,
        now.mono_ns - 3 * S,
        True,
        "periodic",
        now.mono_ns - 3 * S if not differences else None,
        "",
        differences,
    )


def difference(now: Now, row: str = "R9", **changes: object) -> DifferenceRow:
    values: dict[str, object] = {
        "row": row,
        "about": "position",
        "key": 10,
        "ticker": "KXHIGHCHI-26NOV23-B41-42",
        "subject": "",
        "ours": "30.00",
        "theirs": "33.00",
        "since_ns": now.mono_ns - 14 * S,
        "reads": 4,
        "acted": True,
        "halts": "venue HALTED",
    }
    return DifferenceRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def journal(now: Now) -> tuple[JournalRow, ...]:
    return (
        JournalRow(101, now.wall_ms - 60_000, "ForecastMoved", "NYC high Nov 23 mean 47.1F -> 48.6F", ""),
        JournalRow(
            102, now.wall_ms - 50_000, "OrderAccepted", "CHI hi Nov23 41-42 BUY YES 15 @ 44c", "pm-91c7"
        ),
        JournalRow(103, now.wall_ms - 9_000, "Proposed", "4F2A NYC hi Nov23 48-49 BUY YES 40 @ 32c", ""),
    )


def flatten(now: Now, **changes: object) -> FlattenRow:
    values: dict[str, object] = {
        "phase": "COUNTDOWN",
        "started_ns": now.mono_ns,
        "exits_at_ns": now.mono_ns + 4 * S,
        "scope": "cancels 2 orders, sells 4 positions worth 17.46",
        "by": "console",
        "venues": (FlattenVenueRow("kalshi", 2, 2, 0, 0, 0, 58 * C),),
        "residue": (),
        "receipt": "",
        "pressed": 1,
    }
    return FlattenRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


# --- both venues ---------------------------------------------------------------------------------

POLY_KEY, PLAIN_KEY, GONE_KEY = 102, 103, -1
SLUG = "highest-temperature-in-nyc-on-november-23-48-49f"
PLAIN_SLUG = "will-the-fed-cut-rates-by-50-bps-after-the-december-2026-meeting"
PAGE = "https://polymarket.com/event/highest-temperature-in-nyc-on-november-23"
HASH = "0x9f3c51e07ab2d4486f0e1c2b3a495867d0c1b2a3948576e5f4a3b2c1d0e9f811"


def beat(now: Now, **changes: object) -> BeatRow:
    values: dict[str, object] = {"ends_ns": now.mono_ns + 8 * S, "missed": 0, "why": ""}
    return BeatRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def poly_link(now: Now, **changes: object) -> LinkRow:
    values: dict[str, object] = {
        "venue": "polymarket",
        "state": "ok",
        "heartbeat_ns": now.mono_ns - 700_000_000,
        "detail": "",
        "retry_at_ns": None,
        "beat": beat(now),
        "settles_later": True,
    }
    return LinkRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def account(now: Now, venue: str, **changes: object) -> AccountRow:
    values: dict[str, object] = {
        "venue": venue,
        "number": 12,
        "at_ns": now.mono_ns - 3 * S,
        "complete": True,
        "reason": "periodic",
        "clean_ns": now.mono_ns - 3 * S,
        "doubt": "",
        "differences": 0,
        "cash": 231_170_000,
    }
    return AccountRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def two_readings(now: Now, *differences: DifferenceRow, **poly: object) -> ReadingRow:
    there = {"differences": len(differences)} | poly
    return msgspec.structs.replace(
        reading(now, *differences),
        accounts=(account(now, "kalshi"), account(now, "polymarket", **there)),
    )


def two_ladders(now: Now, **changes: object) -> FlattenRow:
    """A stop that is over on one venue and waits on the other."""
    kal = FlattenVenueRow("kalshi", 2, 2, 0, 4, 4, 0, phase="FLAT", receipt="FLAT, 4 exits, cost 0.31")
    poly = FlattenVenueRow(
        "polymarket",
        1,
        1,
        0,
        1,
        0,
        10 * C,
        phase="EXITING",
        pause="post-only after a restart",
        pause_until_wall_ms=now.wall_ms + 45_000,
    )
    values = {
        "phase": "EXITING",
        "exits_at_ns": None,
        "venues": (kal, poly),
        "scope": "cancels 3 orders, sells 5 positions worth 20.46",
        "pause": poly.pause,
        "pause_until_wall_ms": poly.pause_until_wall_ms,
    }
    return flatten(now, **(values | changes))


def two_venues(now: Now, session: str) -> dict[str, object]:
    """What a frame adds to the snapshot's desk for a second venue: the same question, and one without a
    short name."""
    static = next(row for row in statics() if row.key == 2)
    book = next(row for row in markets(now) if row.key == 2)
    theirs = {"venue": "polymarket", "bands": ((0, 10_000, 100),), "station": ""}
    return {
        "status": status(
            now,
            session=session,
            links=(LinkRow("kalshi", "ok", now.mono_ns - 400_000_000, "", None), poly_link(now)),
        ),
        "statics": (
            msgspec.structs.replace(static, key=POLY_KEY, ticker=SLUG, event="poly-nyc", **theirs),
            msgspec.structs.replace(
                static, key=PLAIN_KEY, ticker=PLAIN_SLUG, label=PLAIN_SLUG, event="poly-fed", **theirs
            ),
        ),
        "markets": (
            msgspec.structs.replace(book, key=POLY_KEY, bid=3000, ask=3300, net=10 * C, mark="", edge=310),
            msgspec.structs.replace(
                book, key=PLAIN_KEY, bid=1200, ask=1300, fair=None, sigma=None, edge=None, mark=""
            ),
        ),
        "orders": (
            *(msgspec.structs.replace(row, venue="kalshi") for row in orders(now)),
            order(
                now,
                client_order_id="pm-p1",
                order_id=HASH,
                key=POLY_KEY,
                venue="polymarket",
                price=3100,
                quantity=20 * C,
                leaves=20 * C,
                ahead=None,
            ),
            order(
                now,
                client_order_id="pm-p2",
                order_id=HASH,
                key=POLY_KEY,
                venue="polymarket",
                state="FILLED",
                filled=10 * C,
                quantity=10 * C,
                leaves=0,
                unsettled=4 * C,
                average=4_400,
                ended_ns=now.mono_ns - 20 * S,
            ),
            order(
                now,
                client_order_id="pm-p3",
                order_id=HASH,
                key=POLY_KEY,
                venue="polymarket",
                state="CANCELLED",
                quantity=3 * C,
                leaves=0,
                failed=3 * C,
                ended_ns=now.mono_ns - 90 * S,
            ),
        ),
        "positions": (
            *(msgspec.structs.replace(r, venue="kalshi", sellable=abs(r.net)) for r in positions()),
            PositionRow(
                POLY_KEY,
                10 * C,
                3050,
                3_050_000,
                3_050_000,
                -50_000,
                3000,
                3820,
                -50_000,
                "hold to fair",
                None,
                venue="polymarket",
                sellable=6 * C,
                unsettled=4 * C,
                failed=3 * C,
            ),
            PositionRow(
                PLAIN_KEY,
                2 * C,
                1250,
                250_000,
                250_000,
                -10_000,
                1200,
                None,
                0,
                "",
                None,
                venue="polymarket",
                sellable=2 * C,
                dust=True,
            ),
            PositionRow(
                GONE_KEY,
                0,
                None,
                0,
                0,
                None,
                None,
                None,
                0,
                "",
                None,
                ticker="highest-temperature-in-nyc-on-november-21-50-51f",
                venue="polymarket",
                pairs=2 * C,
                redeemable=7 * C,
                page=PAGE,
            ),
        ),
        "reading": two_readings(now),
    }


def snapshot(now: Now, session: str, *, seq: int = 1, cards: bool = True, profile: str = "demo") -> Frame:
    """Everything at once, as the first frame of a state connection."""
    return Frame(
        seq,
        now.mono_ns,
        full=True,
        status=status(now, session=session, profile=profile),
        statics=statics(),
        markets=markets(now),
        events=events(),
        proposals=(card(now), second_card(now)) if cards else (),
        orders=orders(now),
        positions=positions(),
        limits=limits(),
        alarms=alarms(now),
        reading=reading(now),
        journal=journal(now),
    )
