"""Members on two shards, with groups, pauses, fee changes and settlements: no dollar appears or vanishes."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from core.domain.units import Money, Price, Quantity, parse_money
from core.sim import groups
from core.sim.accounts import requirement
from core.sim.amending import Amendment, amend, decrease
from core.sim.contracts import EventSpec, MarketSpec, MarketStatus
from core.sim.dialect import drawn
from core.sim.events import OrderChanged
from core.sim.fees import MAKER_PPM
from core.sim.orders import BookSide, Order, OrderStatus, Reason, SelfTrade, TimeInForce
from core.sim.transfers import Allocation, Reservation
from tests.sim.conftest import Floor

BID, ASK = BookSide.BID, BookSide.ASK
MARKETS = ("KXHIGHNY-26NOV23-B48.5", "C-1")
MEMBERS = ("ann", "ann#1", "bob", "cyd")
SHARDS = (0, 2)
DEPOSITS = parse_money("4200")
STEPS = 250
_TIFS = {"ioc": TimeInForce.IOC, "reduce": TimeInForce.IOC, "fok": TimeInForce.FOK}


class Walk:
    """Three members and a subaccount at an exchange of drawn dialect, doing one thing after another."""

    def __init__(self, seed: int) -> None:
        self.chance, self.steps = Random(seed), 0
        chance = self.chance
        self.floor = Floor(fee_type=chance.choice(sorted(MAKER_PPM)), dialect=drawn(chance))
        self.exchange = self.floor.exchange
        start = self.floor.clock.ms
        spec = MarketSpec("C-1", "C", "KXHIGHNY", "t", "y", "less", start, start + 10**8, exchange_index=2)
        self.exchange.list_event(EventSpec("C", "KXHIGHNY", "t", "s", (spec,), exchange_index=2))
        self.exchange.open_subaccount("ann")
        for name in MEMBERS:
            self.exchange.deposit(name, parse_money("200"), 2)
        self.exchange.deposit("ann#1", parse_money("400"))
        self.acts = {
            self.place: 60, self.amend: 10, self.take_back: 5, self.open_group: 3, self.change_group: 4,
            self.transfer: 4, self.allocate: 3, self.wait: 5, self.change_fees: 2, self.pause: 2, self.end: 1,
        }  # fmt: skip

    def step(self) -> str:
        """Do something; returns what."""
        self.steps += 1
        act = self.chance.choices(list(self.acts), list(self.acts.values()))[0]
        act(self.chance, self.chance.choice(MEMBERS))
        return act.__name__

    def place(self, chance: Random, account: str) -> None:
        ticker = chance.choice(MARKETS)
        shard = self.exchange.markets[ticker].spec.exchange_index
        kind = chance.choice(("gtc", "gtc", "gtc", "ioc", "fok", "reduce", "post", "expiring", "pausing"))
        named = [
            g.group_id for g in self.exchange.account(account).groups.values() if g.exchange_index == shard
        ]
        self.floor.order(
            account, self._side(account), f"0.{chance.randint(40, 60)}", self._count(),
            _TIFS.get(kind, TimeInForce.GTC), ticker=ticker, stp=chance.choice(list(SelfTrade)),
            post_only=kind == "post", reduce_only=kind == "reduce", cancel_on_pause=kind == "pausing",
            expiration_ms=self.floor.clock.ms + 9_000 if kind == "expiring" else None,
            group_id=chance.choice(["", *named]),
        )  # fmt: skip

    def amend(self, chance: Random, account: str) -> None:
        if (order := self._resting(account)) is not None:
            until = chance.choice((None, 0, self.floor.clock.ms + 4_000))
            count, price = Quantity(chance.randint(1, 40_000) * 10_000), chance.randint(40, 60) * 100
            change = Amendment(order.ticker, order.side, price, count, None, until)
            amend(self.exchange, account, order.order_id, change)

    def take_back(self, chance: Random, account: str) -> None:
        if (order := self._resting(account)) is None:
            return
        match chance.choice(("cancel", "cancel", "decrease", "all")):
            case "cancel":
                self.exchange.cancel(account, order.order_id)
            case "decrease":
                count = Quantity(chance.randrange(order.remaining) // 10_000 * 10_000)
                decrease(self.exchange, account, order.order_id, count)
            case _:
                self.exchange.cancel_all(account)

    def open_group(self, chance: Random, account: str) -> None:
        groups.create(self.exchange, account, Quantity(chance.randint(1, 400) * 10**6), chance.choice(SHARDS))

    def change_group(self, chance: Random, account: str) -> None:
        named = list(self.exchange.account(account).groups.values())
        if not named:
            return
        group = chance.choice(named)
        match chance.choice(("trigger", "reset", "reset", "delete", "limit")):
            case "trigger":
                groups.trigger(self.exchange, group)
            case "reset":
                groups.reset(self.exchange, group)
            case "delete":
                groups.delete(self.exchange, group)
            case _:
                groups.set_limit(self.exchange, group, Quantity(chance.randint(1, 400) * 10**6))

    def transfer(self, chance: Random, account: str) -> None:
        owner = self.exchange.account(account)
        kin = [a for a in self.exchange.accounts.values() if a.member == owner.member]
        amount = Money(chance.randint(1, 300) * 10**6)
        self.exchange.transfers.move(
            owner, chance.choice(SHARDS), chance.choice(kin), chance.choice(SHARDS), amount
        )

    def allocate(self, chance: Random, account: str) -> None:
        allocations, percent = self.exchange.transfers.allocations, chance.randint(0, 100)
        member = self.exchange.account(account).member
        allocations.pop(member, None)
        if chance.random() < 0.7:
            shares = {0: percent, 2: 100 - percent}
            allocations[member] = Allocation(shares, chance.choice(list(Reservation)))

    def wait(self, chance: Random, account: str) -> None:
        self.floor.later(chance.choice((1, 5, 11)))

    def change_fees(self, chance: Random, account: str) -> None:
        event = self.exchange.markets[chance.choice(MARKETS)].spec.event_ticker
        multiplier = chance.choice((None, 0.5, 3.0))
        self.exchange.tariffs.change_event(event, None, multiplier, self.floor.clock.ms)
        self.exchange.advance()

    def pause(self, chance: Random, account: str) -> None:
        ticker = chance.choice(MARKETS)
        if chance.random() < 0.3:
            self.exchange.pause_market(ticker)
            self.exchange.resume_market(ticker)
        else:
            self.exchange.set_trading(False, self.exchange.markets[ticker].spec.exchange_index)
            self.exchange.set_trading(True)

    def end(self, chance: Random, account: str) -> None:
        ticker = chance.choice(MARKETS)
        paid = self.exchange.markets[ticker].status is MarketStatus.FINALIZED
        if self.steps > STEPS * 0.8 and not paid:
            value = Price(chance.randrange(10_001))
            self.exchange.determine(ticker, chance.choice(("yes", "no", "scalar")), value=value)
            self.floor.later(3_600)

    def check(self) -> None:
        """What always holds."""
        exchange, accounts = self.exchange, self.exchange.accounts.values()
        collateral = 0
        for ticker in MARKETS:
            positions = [account.position(ticker) for account in accounts]
            assert sum(positions) == 0
            open_interest = sum(p for p in positions if p > 0)
            assert open_interest == exchange.markets[ticker].open_interest
            collateral += open_interest
            self._check_book(ticker)
        cash = sum(account.cash for account in accounts) + exchange.transfers.in_flight
        assert cash + collateral + exchange.fees_collected == DEPOSITS
        for account in accounts:
            needed: Counter[int] = Counter()
            for ticker in MARKETS:
                kept = requirement(account, ticker, exchange.fees_of(ticker))
                assert account.reserved_by.get(ticker, 0) == kept
                needed[exchange.markets[ticker].spec.exchange_index] += kept
            for index, purse in account.purses.items():
                assert purse.reserved == needed[index]
                assert purse.available >= 0
            for group in account.groups.values():
                members = groups.members(exchange, group)
                assert not (group.triggered and members)
                assert {exchange.markets[o.ticker].spec.exchange_index for o in members} <= {
                    group.exchange_index
                }

    def _check_book(self, ticker: str) -> None:
        resting = [o for account in self.exchange.accounts.values() for o in account.resting(ticker)]
        assert all(o.status is OrderStatus.RESTING and 0 < o.remaining <= o.initial for o in resting)
        book = self.exchange.book(ticker)
        for side, levels in ((BID, book.bids), (ASK, book.asks)):
            by_price: Counter[int] = Counter()
            for order in resting:
                if order.side is side:
                    by_price[order.price] += order.remaining
            assert dict(levels) == by_price
        assert book.best_bid is None or book.best_ask is None or book.best_bid < book.best_ask

    def _resting(self, account: str) -> Order | None:
        working = list(self.exchange.account(account).working.values())
        return self.chance.choice(working) if working else None

    def _side(self, account: str) -> BookSide:
        """Mostly one side each for a while, then the other: alike, they would meet themselves or nobody."""
        lean = (account.startswith("ann")) is (self.steps // 40 % 2 == 0)
        return BID if lean is (self.chance.random() < 0.8) else ASK

    def _count(self) -> str:
        return f"{self.chance.randint(1, 40_000) / 100:.2f}"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
@example(1350)  # an order that rests on every dollar of its shard, filled in part at a rounded-up fee
def test_no_dollar_appears_or_vanishes(seed: int) -> None:
    walk = Walk(seed)
    for step in range(STEPS):
        note(f"{step}: {walk.step()}")
        walk.check()


def test_the_walks_go_everywhere() -> None:
    """The property is only worth what the walks do: every end an order can come to is among them."""
    seen: Counter[Reason | None] = Counter()
    for seed in range(20):
        walk = Walk(seed)
        for _ in range(STEPS):
            walk.step()
        seen.update(event.reason for event in walk.floor.said(OrderChanged))
    assert seen.keys() == {None, *Reason}, seen
    assert seen[Reason.TRADE] > 500
