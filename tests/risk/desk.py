"""One market, one sound candidate and inputs under which every check passes; tests spoil one thing each."""

from __future__ import annotations

import msgspec

from core.domain.market import CENT_GRID, FeeSchedule, FeeType, Market, Strike, StrikeKind, Venue
from core.domain.order import BookSide, Life, Order, OrderIntent, Purpose, TimeInForce
from core.domain.position import Position
from core.domain.units import Money, Price, Quantity, contracts
from core.risk.exposure import Worst, reservation
from core.risk.facts import BookFacts, FairFacts, FeedAge, GateInputs, Presence, Sent, TradingFacts
from core.risk.halts import Level
from core.risk.releases import ReleaseFacts, Window
from core.strategy.proposal import Candidate, FeeRole, Sizing
from core.venues.venue import OrderReport, ReportStatus

DOLLAR = 1_000_000
SECOND = 1_000_000_000
NOW_NS = 10_000 * SECOND
WORLD_MS = 1_700_000_000_000


def market(ticker: str = "KXHIGHNY-T48", event: str = "KXHIGHNY", **changes: object) -> Market:
    made = Market(
        venue=Venue.KALSHI,
        ticker=ticker,
        event_ticker=event,
        series_ticker="KXHIGHNY",
        label="NYC hi 48-49",
        title="",
        strike=Strike(StrikeKind.BETWEEN, 48, 49),
        grid=CENT_GRID,
        fees=FeeSchedule(FeeType.QUADRATIC),
        open_ms=WORLD_MS - 3_600_000,
        close_ms=WORLD_MS + 3_600_000,
        exclusive=True,
        rules_hash="r1",
        station="KNYC",
        climate_day="2023-11-14",
    )
    return msgspec.structs.replace(made, **changes)


OPEN = Candidate(
    ticker="KXHIGHNY-T48",
    event_ticker="KXHIGHNY",
    strategy="entries",
    side=BookSide.BID,
    purpose=Purpose.OPEN,
    price=Price(3200),
    quantity=contracts(40),
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    fee_role=FeeRole.MAKER,
    fee=Money(150_000),
    edge=Price(580),
    edge_half=Price(580),
    fair=0.382,
    sigma=0.029,
    model="rolling",
    model_version="v3",
    sizing=Sizing(0.087, 0.25, "depth share"),
    why="forecasts moved",
    against="spread widened",
)

CLOSE = msgspec.structs.replace(
    OPEN,
    side=BookSide.ASK,
    purpose=Purpose.CLOSE,
    quantity=contracts(10),
    tif=TimeInForce.IOC,
    post_only=False,
    reduce_only=True,
    fee_role=FeeRole.TAKER,
)


def due(
    kind: str = "CPI",
    *,
    last_s: int | None = None,
    next_s: int | None = 86_400,
    came: bool = True,
    fault: str = "",
) -> ReleaseFacts:
    """A kind of release whose last was due so long ago and whose next is due so far ahead."""
    last_ms = WORLD_MS - last_s * 1000 if last_s is not None else None
    next_ms = WORLD_MS + next_s * 1000 if next_s is not None else None
    return ReleaseFacts(kind, last_ms, next_ms, came, fault, Window(60, 120))


PASSING = GateInputs(
    now_ns=NOW_NS,
    world_ms=WORLD_MS,
    level=Level.NORMAL,
    armed=True,
    reconcile_age_ms=20_000,
    automatic=False,
    trips=(),
    market=market(),
    allowed=True,
    pinned_rules_hash="r1",
    trading=TradingFacts(active=True),
    book=BookFacts(Price(3100), Price(3400), contracts(160), True, 400, 7),
    fair=FairFacts(0.382, 0.385, "v3", 0.380, False, 1.0),
    feeds=(FeedAge("NWS", 2_280, 5_400), FeedAge("METEO", 720, 7_200)),
    releases=(),
    position=Position(),
    orders=(),
    outside=(),
    open_orders=3,
    worst=Worst(
        Money(12_950_000), Money(16_970_000), Money(20_000_000), Money(47 * DOLLAR), Money(47 * DOLLAR)
    ),
    cash=Money(462 * DOLLAR),
    reserved=Money(20 * DOLLAR),
    recent=(),
    repeats=0,
    proposal_used=False,
    filled_15s=Money(0),
    filled_5min=Money(0),
    day_pnl=Money(-3_100_000),
    losses_in_row=1,
    losses_1h=2,
    equity=Money(480 * DOLLAR),
    equity_peak=Money(500 * DOLLAR),
    rejects_1min=0,
    unknowns_1min=0,
    clock_offset_ms=-12,
    clock_stepped=False,
    loop_lag_ms=4,
    sync_p99_ms=8,
    journal_ok=True,
    disk_free_mb=20_000,
    memory_mb=180,
    presence=Presence.PRESENT,
    budget_ok=True,
)

HOLDING = msgspec.structs.replace(
    PASSING, position=Position(net=contracts(16), cost=Money(4 * DOLLAR)), worst=None
)


def order(
    side: BookSide = BookSide.BID,
    purpose: Purpose = Purpose.OPEN,
    price: int = 3000,
    count: int = 10,
    life: Life = Life.WORKING,
    ticker: str = "KXHIGHNY-T48",
    fee: int = 0,
) -> Order:
    quantity = contracts(count)
    return Order(
        OrderIntent(
            client_order_id=f"pm-{side.value}-{price}",
            venue=Venue.KALSHI,
            ticker=ticker,
            side=side,
            purpose=purpose,
            price=Price(price),
            quantity=quantity,
            tif=TimeInForce.GTC,
            post_only=True,
            reduce_only=False,
            expires_ms=1,
            created_ms=0,
            reserved=reservation(side, purpose, Price(price), quantity, Money(fee)),
        ),
        life=life,
    )


def sent(age_s: float, price: int = 3000, quantity: Quantity = contracts(10)) -> Sent:
    return Sent("KXHIGHNY-T48", BookSide.BID, Price(price), quantity, NOW_NS - int(age_s * SECOND))


def outside(side: BookSide = BookSide.ASK, price: int = 9_000, count: int = 10) -> OrderReport:
    """A resting order of the account that this desk did not place."""
    return OrderReport(
        "v1",
        "hand",
        "KXHIGHNY-T48",
        side,
        Price(price),
        contracts(count),
        Quantity(0),
        contracts(count),
        ReportStatus.RESTING,
    )
