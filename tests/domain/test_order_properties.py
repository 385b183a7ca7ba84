"""Whatever order venue messages arrive in, however often: the same order state (P2, P4, P5, P6)."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.domain.lifecycle import advance, apply_fill, command, report_end
from core.domain.market import Venue
from core.domain.order import (
    Anomaly,
    BookSide,
    CommandEvent,
    Event,
    Fill,
    Life,
    Order,
    OrderIntent,
    Purpose,
    TimeInForce,
)
from core.domain.units import Money, Price, Quantity

Message = Callable[[Order], tuple[Order, Anomaly | None]]


def an_order(quantity: int, life: Life = Life.INTENT) -> Order:
    intent = OrderIntent(
        "pm-1", Venue.KALSHI, "T", BookSide.ASK, Purpose.OPEN, Price(4000), Quantity(quantity),
        TimeInForce.GTC, True, False, 1, 0, Money(0),
    )  # fmt: skip
    return Order(intent, life=life)


def a_fill(number: int, quantity: int) -> Fill:
    return Fill(
        f"t{number}",
        Venue.KALSHI,
        "T",
        "v1",
        BookSide.ASK,
        Price(4000),
        Quantity(quantity),
        Money(0),
        False,
        1,
    )


def facts(order: Order) -> tuple[object, ...]:
    """Everything of an order but the order in which its fills arrived and its stamps."""
    fills = tuple(sorted(order.fills, key=lambda fill: fill.trade_id))
    return order.life, fills, order.order_id, order.venue_filled, order.ending, order.leaves


@st.composite
def stories(draw: st.DrawFn) -> tuple[Order, list[Message]]:
    """One order's true story at the venue and the messages that tell it."""
    sizes = draw(st.lists(st.integers(1, 5).map(lambda n: n * 10_000), max_size=5))
    total = sum(sizes)
    rest = draw(st.integers(0, 3)) * 10_000
    quantity = max(10_000, total + rest)
    messages: list[Message] = [
        lambda order, fill=a_fill(n, size): apply_fill(order, fill) for n, size in enumerate(sizes)
    ]
    messages.append(lambda order: advance(order, Event.ACCEPTED))
    end = Life.FILLED if total >= quantity else draw(st.sampled_from([Life.CANCELLED, Life.EXPIRED, None]))
    if end is not None:
        messages.append(lambda order: report_end(order, end, Quantity(total)))
    return an_order(quantity, draw(st.sampled_from([Life.SENDING, Life.UNKNOWN]))), messages


@settings(max_examples=200, deadline=None)
@given(stories(), st.data())
def test_any_permutation_and_duplication_of_messages_ends_the_same(
    story: tuple[Order, list[Message]], data: st.DataObject
) -> None:
    start, messages = story
    repeated = messages + data.draw(st.lists(st.sampled_from(messages), max_size=5))
    shuffled = data.draw(st.permutations(repeated))
    straight, scrambled = start, start
    for message in messages:
        straight, anomaly = message(straight)
        assert anomaly is None
    for message in shuffled:
        scrambled, anomaly = message(scrambled)
        assert anomaly is None, "the venue said nothing wrong"
    # An order id is only learned from fills here, so both know it or neither.
    assert facts(scrambled) == facts(straight)


class OrderLife(RuleBasedStateMachine):
    """Any events at all: the order never loses a fact, frees nothing early, never goes backwards."""

    def __init__(self) -> None:
        super().__init__()
        self.order = an_order(100_000)
        self.applied: dict[str, Fill] = {}
        self.ended = False
        self.next = 0

    def _take(self, result: tuple[Order, Anomaly | None]) -> Anomaly | None:
        before, (self.order, anomaly) = self.order, result
        if not before.live:
            assert not self.order.live, "an end is an end"
        assert len(self.order.fills) >= len(before.fills)
        if before.live and not self.order.live:
            self.ended = True
        return anomaly

    @rule(event=st.sampled_from([e for e in Event if e is not Event.SEEN_OPEN]))
    def event(self, event: Event) -> None:
        self._take(advance(self.order, event))

    @rule(quantity=st.integers(1, 6).map(lambda n: n * 10_000))
    def fill(self, quantity: int) -> None:
        self.next += 1
        fill = a_fill(self.next, quantity)
        anomaly = self._take(apply_fill(self.order, fill))
        self.applied[fill.trade_id] = fill
        if self.order.filled > self.order.intent.quantity:
            assert anomaly is not None and anomaly.kind == "overfill", "P4 is broken aloud"

    @precondition(lambda self: bool(self.applied))
    @rule(data=st.data())
    def same_fill(self, data: st.DataObject) -> None:
        before = self.order
        assert (
            self._take(apply_fill(self.order, data.draw(st.sampled_from(list(self.applied.values())))))
            is None
        )
        assert self.order == before

    @rule(event=st.sampled_from(CommandEvent))
    def cancel(self, event: CommandEvent) -> None:
        before = self.order
        self._take(command(self.order, event))
        assert (self.order.life, self.order.leaves) == (before.life, before.leaves)

    @rule(
        end=st.sampled_from([Life.CANCELLED, Life.EXPIRED, Life.FILLED]),
        filled=st.integers(0, 10).map(lambda n: n * 10_000),
    )
    def end(self, end: Life, filled: int) -> None:
        self._take(report_end(self.order, end, Quantity(filled)))

    @invariant()
    def fills_are_kept_once(self) -> None:
        assert {fill.trade_id: fill for fill in self.order.fills} == self.applied
        assert len(self.order.fills) == len(self.applied)

    @invariant()
    def a_live_order_may_fill_whatever_is_not_filled(self) -> None:
        order = self.order
        expected = max(0, order.intent.quantity - order.filled) if order.live else 0
        assert order.leaves == expected
        assert order.live or order.ending is None

    @invariant()
    def the_venues_count_is_never_below_ours(self) -> None:
        assert self.order.venue_filled >= self.order.filled


TestOrderLife = OrderLife.TestCase
TestOrderLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
