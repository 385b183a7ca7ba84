"""A small exchange floor on virtual time for tests of the simulator."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.domain.clock import WorldClock
from core.domain.units import Money, Price, Quantity, contracts, parse_money, parse_price, parse_quantity
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.dialect import Dialect
from core.sim.events import ExchangeEvent
from core.sim.exchange import Exchange
from core.sim.families.floor import FamilyFloor
from core.sim.kalshi.auth import KeyRegistry
from core.sim.orders import BookSide, OrderRequest, Placed, Refused, SelfTrade, TimeInForce
from core.sim.process import SimOptions, build

START_MS = 1_795_400_000_000
TICKERS = ("KXHIGHNY-26NOV23-B48.5", "KXHIGHNY-26NOV23-T50")
BID, ASK = BookSide.BID, BookSide.ASK


class FakeClock:
    """Real time that moves only when told."""

    def __init__(self) -> None:
        self.ms = START_MS

    def wall_ms(self) -> int:
        return self.ms

    def mono_ns(self) -> int:
        return self.ms * 1_000_000


class Floor:
    """An exchange with one event of two markets, three rich accounts and everything it said."""

    def __init__(
        self,
        *,
        fee_type: str = "quadratic",
        multiplier: float = 1.0,
        speed: float = 1.0,
        dialect: Dialect | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.world = WorldClock(START_MS, START_MS, speed)
        rng = random.Random(7)
        self.ids: Callable[[], str] = lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self.exchange = Exchange(self.clock, self.world, self.ids, dialect)
        self.events: list[ExchangeEvent] = []
        self.exchange.listeners.append(self.events.append)
        weather = (Source("The Weather Company", "https://weather.example"),)
        self.exchange.list_series(
            SeriesSpec(
                "KXHIGHNY",
                "Highest temperature in New York",
                "Climate and Weather",
                ("Temperature",),
                fee_type=fee_type,
                fee_multiplier=multiplier,
                settlement_sources=weather,
            )
        )
        markets = tuple(
            MarketSpec(
                ticker,
                "KXHIGHNY-26NOV23",
                "KXHIGHNY",
                f"Highest temperature in New York? {ticker}",
                "48° to 49°",
                strike,
                START_MS,
                START_MS + 86_400_000,
                floor_strike=48,
                cap_strike=cap,
                rules_primary="Rules.",
            )
            for ticker, strike, cap in zip(TICKERS, ("between", "greater"), (49, None), strict=True)
        )
        self.exchange.list_event(
            EventSpec(
                "KXHIGHNY-26NOV23",
                "KXHIGHNY",
                "New York high",
                "On Nov 23",
                markets,
                True,
                START_MS + 86_400_000,
                weather,
            )
        )
        for name in ("ann", "bob", "cyd"):
            self.exchange.open_account(name, parse_money("1000"))

    def order(
        self,
        account: str,
        side: BookSide,
        price: str,
        count: str | int,
        tif: TimeInForce = TimeInForce.GTC,
        *,
        ticker: str = TICKERS[0],
        client_order_id: str = "",
        post_only: bool = False,
        reduce_only: bool = False,
        expiration_ms: int | None = None,
        stp: SelfTrade = SelfTrade.TAKER_AT_CROSS,
        cancel_on_pause: bool = False,
        group_id: str = "",
    ) -> Placed | Refused:
        size = contracts(count) if isinstance(count, int) else parse_quantity(count)
        return self.exchange.place(
            OrderRequest(
                account,
                ticker,
                side,
                parse_price(price),
                size,
                tif,
                client_order_id,
                post_only,
                reduce_only,
                expiration_ms,
                stp,
                cancel_on_pause,
                group_id,
            )
        )

    def placed(self, *args: object, **kwargs: object) -> Placed:
        """Like ``order``, where a refusal fails the test."""
        done = self.order(*args, **kwargs)  # type: ignore[arg-type]
        assert isinstance(done, Placed), done
        return done

    def position(self, account: str, ticker: str = TICKERS[0]) -> Quantity:
        return self.exchange.position(account, ticker)

    def cash(self, account: str) -> Money:
        return self.exchange.cash(account)

    def bids(self, ticker: str = TICKERS[0]) -> list[tuple[Price, Quantity]]:
        return self.exchange.book(ticker).bids

    def asks(self, ticker: str = TICKERS[0]) -> list[tuple[Price, Quantity]]:
        return self.exchange.book(ticker).asks

    def said(self, kind: type) -> list[ExchangeEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def later(self, seconds: float) -> None:
        """Move real time on and let the exchange notice."""
        self.clock.ms += int(seconds * 1000)
        self.exchange.advance()


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture(scope="session")
def make_floor() -> type[Floor]:
    """For tests that need another fee schedule or world speed, or many floors."""
    return Floor


class Desk:
    """A whole simulated world, assembled as the process does it, on virtual time."""

    def __init__(
        self, keys_dir: Path, scenario: str, seed: int, speed: float, days_later: int, families: bool
    ) -> None:
        self.clock = FakeClock()
        self.clock.ms += days_later * 86_400_000
        options = SimOptions(scenario=scenario, seed=seed, speed=speed)
        self.sim = build(options, self.clock, f"test-{seed}", keys_dir)
        if not families:
            none = FamilyFloor(self.sim.exchange, (), self.clock, self.sim.world_clock)
            self.sim = msgspec.structs.replace(self.sim, families=none)
        self.sim.step()

    def run(self, seconds: float, step_ms: int = 100) -> None:
        """Let real time pass."""
        until = self.clock.ms + int(seconds * 1000)
        while self.clock.ms < until:
            self.clock.ms += step_ms
            self.sim.step()


@pytest.fixture
def make_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desk]:
    # Making an RSA key takes longer than most of these tests, and none of them signs anything.
    monkeypatch.setattr(KeyRegistry, "generate", lambda *_: [])

    def make(
        scenario: str = "demo",
        seed: int = 1,
        speed: float = 144.0,
        days_later: int = 0,
        families: bool = True,
    ) -> Desk:
        """Without ``families`` it has the weather's markets alone, which walk the same paths for less."""
        return Desk(tmp_path, scenario, seed, speed, days_later, families)

    return make
