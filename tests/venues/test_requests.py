"""Everything our client can send, judged by the venue's own specifications.

A call of the client that nothing here exercises fails the test, and so does a command of the stream.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import pkgutil
import random
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

import core.venues.kalshi as package
from core.config.paths import Environment
from core.domain.clock import Clocks
from core.domain.market import CENT_GRID
from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.units import Price, parse_quantity
from core.venues.http import LAST_STEP
from core.venues.kalshi import candles, depths, discovery, exchange, fees, history, standing, tape
from core.venues.kalshi.account import Account
from core.venues.kalshi.cancels import CancelEntry
from core.venues.kalshi.candles import Period
from core.venues.kalshi.channel import DESK, Wanted
from core.venues.kalshi.discovery import EventFilter, MarketFilter, Moment, Phase
from core.venues.kalshi.endpoints import Endpoint
from core.venues.kalshi.groups import OrderGroups
from core.venues.kalshi.hosts import Addresses
from core.venues.kalshi.listing import Listing
from core.venues.kalshi.orders import Decrease, create_order, renewal
from core.venues.kalshi.stream import StreamState
from core.venues.kalshi.venue import KalshiConfig, connect
from core.venues.limiter import Priority
from core.venues.reader import Reader, Window
from core.venues.socket import SocketError
from core.venues.venue import ReportStatus, SafetyGroup
from tests.kalshi_requests import COMMANDS, CommandJudge, RequestJudge, command_judge, fresh, request_judge
from tests.kalshi_specs import NO_SPECS
from tests.venues.scripted import INTENT, Desk, FixedSigner, answer

Run = Callable[[Any], Any]
WINDOW = Window(1_795_400_000_000, 1_795_486_400_000)
TICKER, EVENT, SERIES = "KXHIGHNY-26NOV23-B48.5", "KXHIGHNY-26NOV23", "KXHIGHNY"


ANSWERS = {
    "/series/fee_changes": {"series_fee_change_arr": []},
    f"/series/{SERIES}": {"series": {"ticker": SERIES, "fee_type": "quadratic", "fee_multiplier": 1}},
    "/events": {"events": [], "cursor": ""},
}
"""What it takes to be asked the next question; nothing else is known."""


class Judged(httpx.AsyncBaseTransport):
    """Has every request judged."""

    def __init__(self, judge: RequestJudge) -> None:
        self.judge = judge

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if (trace := request.extensions.get("trace")) is not None:
            await trace(LAST_STEP, {})
        body = await request.aread()
        self.judge.request(
            request.method, request.url.raw_path.decode().partition("?")[0], request.url.query.decode(), body
        )
        known = ANSWERS.get(request.url.path.removeprefix("/trade-api/v2"))
        return answer(404, {"error": {"code": "not_found"}}) if known is None else answer(body=known)


@pytest.fixture
def judge() -> RequestJudge:
    found = request_judge()
    if found is None:
        pytest.skip(NO_SPECS)
    return fresh(found)


@pytest.fixture
def commands() -> CommandJudge:
    found = command_judge()
    if found is None:
        pytest.skip(NO_SPECS)
    return fresh(found)


def endpoints() -> dict[tuple[str, str], str]:
    """Every call a module of the client declares, with the name it has there."""
    found: dict[tuple[str, str], str] = {}
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, Endpoint):
                found[value.method, value.path] = f"{info.name}.{name}"
    return found


async def everything(desk: Desk, recorder: Any) -> None:
    reader = Reader(desk.http, desk.http.on_anomaly)
    account = Account(reader)
    await account.order("o/../1")
    for ticker, status, since in itertools.product(
        (None, TICKER), (None, ReportStatus.RESTING), (None, 1_795_400_000_999)
    ):
        await account.orders(ticker, status, since)
    await account.queue_ahead([TICKER] * 101)
    await account.queue_ahead_of("o-1")
    for since in (None, 1_795_400_000_999):
        await account.fills(since)
        await account.settlements(since)
    await account.positions()
    await account.cash()
    await history.read_old_orders(reader, WINDOW, TICKER)
    await history.read_old_fills(reader, WINDOW, TICKER)
    await history.read_old_positions(reader, TICKER)
    await exchange.read_state(reader)
    await exchange.read_schedule(reader)
    await exchange.read_data_as_of_ms(reader)
    await standing.read_keys(reader)
    await standing.read_tier(reader)
    await standing.read_series_shard(reader, SERIES)
    await fees.read_changes(reader)
    await discovery.read_series(reader, category="Climate", tags=["a", "b"], updated_from_ms=1)
    await discovery.read_events(reader, EventFilter(SERIES, (EVENT,), Phase.OPEN, 1_000, 2_000))
    await discovery.read_event(reader, EVENT)
    await discovery.read_settlement_sources(reader, EVENT)
    await discovery.read_cutoff(reader)
    await discovery.read_market(reader, TICKER)
    await discovery.read_market(reader, TICKER, historical=True)
    await discovery.read_markets(reader, MarketFilter(series=SERIES), historical=True)
    for phase in Phase:
        await discovery.read_markets(reader, MarketFilter(SERIES, EVENT, (TICKER,), phase))
    for moment in Moment:
        await discovery.read_markets(reader, MarketFilter(moment=moment, window=WINDOW))
    await depths.read_book(reader, TICKER, 10)
    await depths.read_books(reader, [TICKER, "KX-B"])
    for period in Period:
        await candles.read_candles(reader, SERIES, TICKER, WINDOW, period, leading=True)
        await candles.read_old_candles(reader, TICKER, WINDOW, period)
    await candles.read_candles_of_many(reader, [TICKER, "KX-B"], WINDOW, Period.DAY)
    await candles.read_candles_of_event(reader, SERIES, EVENT, WINDOW, Period.HOUR)
    await tape.read_trades(reader, TICKER, WINDOW)
    await tape.read_trades(reader, TICKER, WINDOW, historical=True)
    listing = Listing(reader, recorder, desk.http.on_anomaly, lambda *_: None, lambda *_: None)
    await listing._refresh(TICKER)
    await listing.markets([SERIES])


async def every_write(desk: Desk) -> None:
    replace = msgspec.structs.replace
    resting = replace(INTENT, ticker=TICKER, expires_ms=1_795_486_400_000, group_id="g-1")
    closing = replace(resting, side=BookSide.ASK, purpose=Purpose.CLOSE, price=Price(9_990))
    taking = replace(closing, post_only=False, reduce_only=True)
    intents = [
        resting,
        replace(resting, quantity=parse_quantity("0.01"), price=Price(1), group_id=""),
        replace(taking, tif=TimeInForce.IOC),
        replace(taking, tif=TimeInForce.FOK, reduce_only=False),
    ]
    for intent, shard in itertools.product(intents, (None, 0, 2)):
        await desk.orders.place(create_order(intent, shard), lambda: None, Priority.EXIT, 0.0)
    made = [create_order(intent, 0) for intent in intents]
    await desk.orders.place_batch(made, lambda: None, Priority.EXIT, 0.0)
    for shard in (None, 2):
        await desk.orders.renew(
            "o-1", renewal(resting, resting.quantity, 1_795_486_400_000, shard), lambda: None, 0.0
        )
        await desk.orders.reduce("o-1", Decrease("2.50", TICKER, shard), lambda: None)
        await desk.cancels.cancel([CancelEntry("o-1", TICKER, shard)])
        await desk.cancels.cancel([CancelEntry("o-1", TICKER, shard), CancelEntry("o-2", TICKER, shard)])
    await desk.cancels.trigger("g-1", 2)
    await desk.cancels.everything()
    await desk.cancels.warm(1)
    groups = OrderGroups(desk.http)
    await groups.listed()
    await groups._create(2, 100)
    group = SafetyGroup("g-1", Purpose.OPEN, "2", 100)
    await groups.reset(group)
    await groups.limit(group, 50)


@pytest.mark.parametrize("subaccount", [0, 7])
def test_every_request_is_one_the_venue_describes(
    virtual: Run, virtual_clocks: Clocks, recorder: Any, judge: RequestJudge, subaccount: int
) -> None:
    async def unreachable(url: str, headers: Any) -> Any:
        raise SocketError("cannot connect")

    async def main() -> None:
        transport = Judged(judge)
        desk = Desk(virtual_clocks, transport, subaccount)
        await everything(desk, recorder)
        await every_write(desk)
        config = KalshiConfig(
            Addresses("http://127.0.0.1:1/trade-api/v2", "ws://127.0.0.1:1/trade-api/ws/v2"),
            Environment.SIM,
            FixedSigner(),
            subaccount,
        )
        venue = connect(
            config,
            clocks=virtual_clocks,
            rng=random.Random(1),
            listener=recorder,
            http_factory=lambda limits: transport,
            ws_factory=unreachable,
        )
        running = asyncio.create_task(venue.run())
        await asyncio.sleep(5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtual(main())
    unused = {name for key, name in endpoints().items() if key not in judge.asked}
    assert not unused


def test_every_command_is_one_the_venue_describes(commands: CommandJudge) -> None:
    state = StreamState(
        (
            *DESK,
            Wanted("ticker", market_tickers=(TICKER,)),
            Wanted("trade", market_tickers=(TICKER,)),
            Wanted("cfbenchmarks_value", index_ids=("BRTI",)),
        )
    )

    def say(message: dict[str, Any]) -> None:
        state.feed(json.dumps(message).encode(), 0)
        for data in state.commands():
            commands.command(data)

    state.watch([(TICKER, CENT_GRID)], 0)
    state.opened(0)
    say({"type": "subscribed", "msg": {"channel": "orderbook_delta", "sid": 1}})
    say({"type": "orderbook_snapshot", "sid": 1, "seq": 1, "msg": {"market_ticker": TICKER}})
    state.watch([("KX-B", CENT_GRID)], 0)
    state.unwatch("KX-B")
    delta = {"market_ticker": TICKER, "price_dollars": "0.31", "delta_fp": "1.00", "side": "yes"}
    for seq in (5, 9):
        say({"type": "orderbook_delta", "sid": 1, "seq": seq, "msg": delta})
    assert commands.asked == set(COMMANDS)
