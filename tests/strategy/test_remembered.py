"""What is remembered of a look: the next look finds exactly what one without a memory finds."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.market import FeeSchedule, FeeType, MarketStatus
from core.domain.order import BookSide
from core.domain.position import Position
from core.domain.units import DOLLAR, Money, Price, contracts
from core.strategy.assess import Assessment, Assessor, assess
from core.strategy.entries import entries
from core.strategy.proposal import Candidate, FeeRole
from core.strategy.rules import EntryRules
from core.strategy.sizing import Sizer
from tests.strategy.conftest import NOW_MS, event_of, fair_of, market_of, room_of, view_of

MARKETS = "ABC"
ON_THE_BOOKS = st.tuples(
    st.sampled_from(MARKETS), st.sampled_from(BookSide), st.integers(20, 45), st.integers(0, 300)
)
ROOM = {
    "bankroll": st.integers(0, 1000), "elsewhere": st.integers(0, 500), "order_cost": st.integers(0, 50),
    "event": st.integers(0, 100), "correlated": st.integers(0, 100), "total": st.integers(0, 100),
    "cash": st.integers(0, 100), "open_orders": st.integers(0, 3),
}  # fmt: skip
FIELDS = {
    "fair": "probability", "sigma": "sigma", "model": "model_probability", "weight": "weight",
    "priced again": "computed_ms",
}  # fmt: skip
RULES = ("kelly", "min_edge", "taker")
TERMS = ("as ever", "dearer", "soon over", "closed")
STEPS = st.one_of(
    st.tuples(st.just("level"), ON_THE_BOOKS),
    st.tuples(st.just("clear"), st.sampled_from(MARKETS)),
    st.tuples(st.just("fair"), st.tuples(st.sampled_from(MARKETS), st.floats(0.25, 0.45))),
    st.tuples(st.just("sigma"), st.tuples(st.sampled_from(MARKETS), st.floats(0.0, 0.1))),
    st.tuples(st.just("model"), st.tuples(st.sampled_from(MARKETS), st.floats(0.0, 1.0))),
    st.tuples(st.just("weight"), st.tuples(st.sampled_from(MARKETS), st.sampled_from([0.0, 1.0]))),
    st.tuples(st.just("priced again"), st.tuples(st.sampled_from(MARKETS), st.integers(0, 10**6))),
    st.tuples(st.just("held"), st.tuples(st.sampled_from(MARKETS), st.integers(-40, 40))),
    st.tuples(st.just("working"), st.tuples(st.sampled_from(MARKETS), st.integers(0, 20))),
    st.tuples(st.just("stale"), st.tuples(st.sampled_from(MARKETS), st.sampled_from(["", "book is old"]))),
    st.tuples(st.just("terms"), st.tuples(st.sampled_from(MARKETS), st.sampled_from(TERMS))),
    st.tuples(st.just("room"), st.sampled_from(list(ROOM)).flatmap(lambda n: st.tuples(st.just(n), ROOM[n]))),
    st.tuples(st.just("rules"), st.tuples(st.sampled_from(RULES), st.integers(1, 3))),
    st.tuples(st.just("time"), st.integers(0, 10**8)),
)  # fmt: skip


class World:
    """All that a look depends on, and how it changes. At first one market is worth an entry, of a size that
    Kelly bounds."""

    def __init__(self) -> None:
        self.views = {t: view_of(t, ((28, 2_000), (27, 50)), ((34, 2_000), (36, 90))) for t in MARKETS}
        self.fairs = {t: fair_of(t, p) for t, p in zip(MARKETS, (0.31, 0.38, 0.3), strict=True)}
        self.room, self.rules, self.now_ms = room_of(order_quantity=contracts(9_000)), EntryRules(), NOW_MS

    def _view(self, ticker: str, **changed: Any) -> None:
        self.views[ticker] = msgspec.structs.replace(self.views[ticker], **changed)

    def step(self, what: str, given: Any) -> None:
        match what:
            case "level":
                ticker, side, cents, size = given
                self.views[ticker].book.set(side, Price(cents * 100), contracts(size))
            case "clear":
                self.views[given].book.clear()
            case "fair" | "sigma" | "model" | "weight" | "priced again":
                self.fairs[given[0]] = msgspec.structs.replace(
                    self.fairs[given[0]], **{FIELDS[what]: given[1]}
                )
            case "held":
                held = Position(contracts(given[1]), Money(abs(given[1]) * 300_000))
                self._view(given[0], position=held if given[1] else Position())
            case "working":
                size = contracts(given[1])
                self._view(given[0], opening_bid=size, opening_cost=Money(size * 3 // 10))
            case "stale":
                self._view(given[0], stale=given[1])
            case "terms":
                market = market_of(given[0], close_ms=NOW_MS + (10**6 if given[1] == "soon over" else 10**8))
                if given[1] == "closed":
                    market = msgspec.structs.replace(market, status=MarketStatus.INACTIVE)
                if given[1] == "dearer":
                    market = msgspec.structs.replace(
                        market, fees=FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES)
                    )
                self._view(given[0], market=market)
            case "room":
                value = given[1] if given[0] == "open_orders" else Money(given[1] * DOLLAR)
                self.room = msgspec.structs.replace(self.room, **{given[0]: value})
            case "rules":
                values = {"kelly": given[1] / 10, "min_edge": Price(given[1] * 50), "taker": given[1] > 1}
                self.rules = msgspec.structs.replace(self.rules, **{given[0]: values[given[0]]})
            case _:
                self.now_ms = NOW_MS + given


Found = tuple[dict[str, Assessment], tuple[Candidate, ...]]


class Memory:
    """Looks as the engine takes them: an assessor a market, a sizer for the event."""

    def __init__(self) -> None:
        self._assessors, self._sizer = {t: Assessor() for t in MARKETS}, Sizer()

    def look(self, world: World) -> Found:
        found = {
            t: self._assessors[t](world.fairs[t], world.views[t], world.rules, world.now_ms) for t in MARKETS
        }
        event = event_of(*world.fairs.values())
        return found, entries(event, world.views, found, world.room, world.rules, world.now_ms, self._sizer)


def fresh(world: World) -> Found:
    found = {t: assess(world.fairs[t], world.views[t], world.rules, world.now_ms) for t in MARKETS}
    event = event_of(*world.fairs.values())
    return found, entries(event, world.views, found, world.room, world.rules, world.now_ms)


@settings(max_examples=80, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_a_look_with_a_memory_proposes_exactly_what_one_without_does(
    steps: list[tuple[str, Any]],
) -> None:
    world, memory = World(), Memory()
    assert memory.look(world) == fresh(world)
    for what, given_ in steps:
        world.step(what, given_)
        assert memory.look(world) == fresh(world), what
        assert memory.look(world) == fresh(world), "asked the same again"


def test_a_price_made_again_that_says_the_same_is_not_looked_at_anew() -> None:
    world, look = World(), Assessor()
    before = look(world.fairs["A"], world.views["A"], world.rules, world.now_ms)
    world.step("priced again", ("A", 5))
    assert look(world.fairs["A"], world.views["A"], world.rules, world.now_ms) is before


def test_a_model_that_counts_for_nothing_any_more_takes_from_no_book() -> None:
    world, look = World(), Assessor()
    world.step("rules", ("taker", 2))
    world.step("fair", ("A", 0.44))
    assert look(world.fairs["A"], world.views["A"], world.rules, world.now_ms).role is FeeRole.TAKER
    world.step("weight", ("A", 0.0))
    assert look(world.fairs["A"], world.views["A"], world.rules, world.now_ms).role is FeeRole.MAKER
