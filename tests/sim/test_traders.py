"""The crowd: two-sided books, fills for those who wait, a way out for those who hold."""

import csv
import math
import random
import statistics
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest

from core.domain.units import Price, Quantity, contracts
from core.sim import groups
from core.sim.beliefs import PATIENCE_S
from core.sim.events import BookChanged
from core.sim.exchange import BookSide, OrderRequest, Placed, TimeInForce
from core.sim.groups import Group
from core.sim.orders import Order, OrderStatus
from core.sim.process import CUSTOMER

MakeDesk = Callable[..., Any]
CENT = 100


def check_books(sim: Any) -> None:
    for listed in sim.world.open_listings():
        books = [sim.exchange.book(ticker) for ticker in listed.tickers]
        for book in books:
            assert CENT <= book.best_ask - book.best_bid <= 4 * CENT
            assert sum(size for _, size in book.bids) >= contracts(50)
            assert sum(size for _, size in book.asks) >= contracts(50)
        assert 0.97 <= sum(book.best_bid + book.best_ask for book in books) / 20_000 <= 1.08


def test_books_are_two_sided_from_the_first_moment_and_stay_so(make_desk: MakeDesk) -> None:
    desk = make_desk(seed=4)
    check_books(desk.sim)
    for _ in range(12):
        desk.run(10)
        check_books(desk.sim)
    assert len(desk.sim.exchange.trades) > 20


def test_the_same_seed_walks_the_same_path_and_another_does_not(make_desk: MakeDesk) -> None:
    def path(seed: int) -> list[Any]:
        desk = make_desk(seed=seed)
        changes: list[Any] = []

        def note(event: Any) -> None:
            if isinstance(event, BookChanged):
                changes.append((event.ticker, event.side, event.price, event.delta, event.ts_ms))

        desk.sim.exchange.listeners.append(note)
        desk.sim.story.begin()
        desk.run(40)
        return changes

    first = path(4)
    assert len(first) > 100
    assert path(4) == first
    assert path(5) != first


def test_traders_go_on_over_close_settlement_and_the_next_day(make_desk: MakeDesk) -> None:
    desk = make_desk(seed=2, families=False)
    desk.run(900, step_ms=500)
    days = {listed.day for listed in desk.sim.world.open_listings()}
    assert max(days) == desk.sim.world.first_day + timedelta(days=2)
    check_books(desk.sim)


def test_the_crowd_prices_like_a_client_with_the_same_history(make_desk: MakeDesk) -> None:
    """Bias and spread recomputed here from the shipped history, for a day that has not begun."""
    sim = make_desk("quiet").sim
    world, weather = sim.world, sim.world.weather
    rows = list(
        csv.DictReader(files("core.models.weather").joinpath("data", "history.csv").read_text().splitlines())
    )
    known_until = weather.calendar.original(world.first_day) - timedelta(days=2)
    for listed in (x for x in world.open_listings() if x.day > world.first_day):
        past = [r for r in rows if r["station"] == listed.station and r["day"] <= str(known_until)][-75:]
        errors = [float(r["forecast_high_f"]) - float(r["observed_high_f"]) for r in past]
        mean = weather.forecast_high_f(listed.station, listed.day, world.now_ms()) - statistics.fmean(errors)
        sigma = statistics.stdev(errors) * math.sqrt(1 + 1 / 75)
        normal = statistics.NormalDist(mean, sigma)
        fair = sim.traders.beliefs.fair(listed)
        for ticker, bracket in zip(listed.tickers, listed.brackets, strict=True):
            upper = 1.0 if bracket.high_f is None else normal.cdf(bracket.high_f + 0.5)
            lower = 0.0 if bracket.low_f is None else normal.cdf(bracket.low_f - 0.5)
            assert fair[ticker] == pytest.approx(min(0.995, max(0.005, upper - lower)), abs=0.002)


def test_a_new_forecast_moves_books_when_a_client_reads_it(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.run(1)
    sim = desk.sim
    listed = sim.world.event("KMDW", 1)
    before = [sim.exchange.book(t).best_bid for t in listed.tickers]
    sim.world.weather.publish("KMDW", listed.day, -3.0, sim.world.now_ms())
    desk.run(PATIENCE_S / 2)
    calm = [sim.exchange.book(t).best_bid for t in listed.tickers]
    assert max(abs(a - b) for a, b in zip(before, calm, strict=True)) <= CENT
    sim.traders.hear(read=True)
    moved = [sim.exchange.book(t).best_bid for t in listed.tickers]
    assert max(abs(a - b) for a, b in zip(before, moved, strict=True)) > 10 * CENT


def test_an_unread_forecast_is_heard_after_a_while(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.run(1)
    sim = desk.sim
    listed = sim.world.event("KMDW", 1)
    before = [sim.exchange.book(t).best_bid for t in listed.tickers]
    sim.world.weather.publish("KMDW", listed.day, -3.0, sim.world.now_ms())
    desk.run(PATIENCE_S + 2)
    after = [sim.exchange.book(t).best_bid for t in listed.tickers]
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) > 10 * CENT


def test_what_the_crowd_holds_of_an_event_is_what_it_would_work_out_now(make_desk: MakeDesk) -> None:
    """While it hears of forecasts and sees reports, which is all that changes its mind."""
    desk = make_desk()
    sim, beliefs = desk.sim, desk.sim.traders.beliefs
    sim.story.begin()
    seen = set()
    for _ in range(60):
        desk.run(1)
        for listed in sim.world.open_listings():
            held, law = beliefs.fair(listed), beliefs._law(listed)
            seen.add((listed.event_ticker, law))
            if not beliefs.lag(listed.event_ticker):
                now = [min(0.995, max(0.005, law.chance(bracket))) for bracket in listed.brackets]
                assert list(held.values()) == now, listed.event_ticker
    assert len(seen) > 2 * len(sim.world.open_listings()), "nothing changed its mind"


def test_quiet_books_never_move(make_desk: MakeDesk) -> None:
    desk = make_desk("quiet")
    check_books(desk.sim)
    changes: list[object] = []
    desk.sim.exchange.listeners.append(
        lambda event: changes.append(event) if isinstance(event, BookChanged) else None
    )
    desk.run(30)
    desk.sim.traders.hear(read=True)
    assert not changes


def test_an_order_that_the_fill_of_another_ended_is_met_by_nobody(make_desk: MakeDesk) -> None:
    desk = make_desk("quiet")
    exchange, traders = desk.sim.exchange, desk.sim.traders
    group = groups.create(exchange, CUSTOMER, contracts(5), 0)
    assert isinstance(group, Group)
    for ticker in desk.sim.world.open_listings()[0].tickers[2:4]:
        price = Price(exchange.book(ticker).best_bid + CENT)
        assert price < exchange.book(ticker).best_ask, "nobody else is there"
        request = OrderRequest(
            CUSTOMER, ticker, BookSide.BID, price, contracts(5), post_only=True, group_id=group.group_id
        )
        assert isinstance(exchange.place(request), Placed)
    first, second = traders.customer_orders()
    for order in (first, second):
        traders.meet(order, 1.0)
    assert (first.status, second.status) == (OrderStatus.EXECUTED, OrderStatus.CANCELED)
    assert exchange.position(CUSTOMER, second.ticker) == 0


class Customer:
    """Rests orders at the touch and buys positions to get out of, as a client would."""

    def __init__(self, desk: Any, seed: int) -> None:
        self.desk, self.sim, self.rng = desk, desk.sim, random.Random(seed)
        self.waits_s: list[float] = []
        self.exits_s: list[float] = []
        self.working: list[tuple[int, Order]] = []
        self.leaving: dict[str, int] = {}

    def place(self, ticker: str, side: BookSide, price: int, count: Quantity, **more: Any) -> Any:
        return self.sim.exchange.place(OrderRequest(CUSTOMER, ticker, side, Price(price), count, **more))

    def some_ticker(self) -> str:
        busy = {order.ticker for _, order in self.working} | set(self.leaving)
        soon = self.sim.world.now_ms() + 40_000 * 144
        free = [
            t for x in self.sim.world.open_listings() if x.close_ms > soon for t in x.tickers if t not in busy
        ]
        return str(self.rng.choice(free))

    def rest(self) -> None:
        ticker, side = self.some_ticker(), self.rng.choice(list(BookSide))
        book = self.sim.exchange.book(ticker)
        price = book.best_bid if side is BookSide.BID else book.best_ask
        if 5 * CENT <= price <= 95 * CENT:
            count = contracts(self.rng.randint(3, 30))
            expires = self.desk.clock.ms + 120_000
            placed = self.place(ticker, side, price, count, post_only=True, expiration_ms=expires)
            assert isinstance(placed, Placed)
            self.working.append((self.desk.clock.ms, placed.order))

    def enter(self) -> None:
        ticker, side = self.some_ticker(), self.rng.choice(list(BookSide))
        if self.sim.exchange.position(CUSTOMER, ticker) == 0:
            limit = 99 * CENT if side is BookSide.BID else CENT
            self.place(ticker, side, limit, contracts(50), tif=TimeInForce.IOC)
            self.leaving[ticker] = self.desk.clock.ms + 3_000

    def look(self) -> None:
        """Once a second: note what filled, sell what is to be left within three cents of the best price."""
        now_ms = self.desk.clock.ms
        for since_ms, order in list(self.working):
            if order.status is not OrderStatus.RESTING:
                done = order.status is OrderStatus.EXECUTED
                self.waits_s.append((now_ms - since_ms) / 1000 if done else math.inf)
                self.working.remove((since_ms, order))
        for ticker, since_ms in list(self.leaving.items()):
            held = self.sim.exchange.position(CUSTOMER, ticker)
            if held == 0:
                self.exits_s.append((now_ms - since_ms) / 1000)
                del self.leaving[ticker]
            elif now_ms >= since_ms:
                assert now_ms - since_ms <= 30_000, f"{ticker}: {held} still held after 30 s"
                side = BookSide.ASK if held > 0 else BookSide.BID
                book = self.sim.exchange.book(ticker)
                best = book.best_bid if held > 0 else book.best_ask
                limit = min(99 * CENT, max(CENT, best - side.opposite.sign * 3 * CENT))
                self.place(ticker, side, limit, Quantity(abs(held)), tif=TimeInForce.IOC, reduce_only=True)


def test_an_order_at_the_touch_fills_within_20_s_and_fifty_contracts_leave_within_30_s(
    make_desk: MakeDesk,
) -> None:
    """Twenty seeds, two and a half minutes each with the story running; figures with ``pytest -s``."""
    waits: list[float] = []
    exits: list[float] = []
    for seed in range(1, 21):
        desk = make_desk(seed=seed, families=False)
        desk.sim.story.begin()
        customer = Customer(desk, seed)
        for second in range(150):
            desk.run(1)
            customer.look()
            if second % 6 == 0:
                customer.rest()
            if second % 11 == 0 and second < 115:
                customer.enter()
        waits += customer.waits_s
        exits += customer.exits_s
        assert statistics.median(customer.waits_s) < 20
    print(
        f"\n{len(waits)} orders at the touch: median {statistics.median(waits):.1f} s, "
        f"90 % within {sorted(waits)[int(0.9 * len(waits))]:.1f} s; "
        f"{len(exits)} positions of 50 left, slowest {max(exits):.1f} s"
    )
    assert len(waits) > 200 and len(exits) > 150
    assert statistics.median(waits) < 20
    assert max(exits) < 30
