"""An order's life by its tables: every legal row, and every other pair is an anomaly."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from core.domain.lifecycle import advance, apply_fill, command, report_end
from core.domain.market import Venue
from core.domain.order import (
    COMMAND,
    LATE,
    LIFE,
    TERMINAL,
    BookSide,
    Command,
    CommandEvent,
    Event,
    Fill,
    Life,
    Order,
    OrderIntent,
    Outcome,
    Purpose,
    TimeInForce,
)
from core.domain.units import Money, Price, Quantity, contracts

INTENT = OrderIntent(
    client_order_id="pm-1",
    venue=Venue.KALSHI,
    ticker="T",
    side=BookSide.BID,
    purpose=Purpose.OPEN,
    price=Price(3200),
    quantity=contracts(10),
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    expires_ms=120_000,
    created_ms=0,
    reserved=Money(3_200_000),
)


def order(life: Life = Life.WORKING, **changes: object) -> Order:
    return msgspec.structs.replace(Order(INTENT, life=life), **changes)


def fill(trade: str, count: int, **changes: object) -> Fill:
    made = Fill(
        "t" + trade, Venue.KALSHI, "T", "v1", BookSide.BID, Price(3200), contracts(count), Money(0), False, 1
    )
    return msgspec.structs.replace(made, **changes)


EXPECTED = """
INTENT         handed_over     SENDING
INTENT         not_sent        NEVER_SENT
INTENT         unanswered      UNKNOWN
SENDING        not_sent        NEVER_SENT
SENDING        accepted        WORKING
SENDING        refused         REJECTED
SENDING        unanswered      UNKNOWN
SENDING        filled_in_part  WORKING
SENDING        filled_in_full  FILLED
SENDING        cancel_proven   CANCELLED
SENDING        expiry_proven   EXPIRED
UNKNOWN        accepted        WORKING
UNKNOWN        refused         REJECTED
UNKNOWN        filled_in_part  WORKING
UNKNOWN        filled_in_full  FILLED
UNKNOWN        cancel_proven   CANCELLED
UNKNOWN        expiry_proven   EXPIRED
UNKNOWN        absence_proven  NEVER_ARRIVED
WORKING        accepted        WORKING
WORKING        filled_in_part  WORKING
WORKING        filled_in_full  FILLED
WORKING        cancel_proven   CANCELLED
WORKING        expiry_proven   EXPIRED
NEVER_SENT     filled_in_part  NEVER_SENT (late)
NEVER_SENT     filled_in_full  FILLED (late)
NEVER_SENT     seen_open       WORKING
REJECTED       filled_in_part  REJECTED (late)
REJECTED       filled_in_full  FILLED (late)
REJECTED       seen_open       WORKING
FILLED         accepted        FILLED
FILLED         filled_in_part  FILLED (late)
FILLED         filled_in_full  FILLED (late)
FILLED         cancel_proven   FILLED
CANCELLED      accepted        CANCELLED
CANCELLED      filled_in_part  CANCELLED (late)
CANCELLED      filled_in_full  FILLED (late)
CANCELLED      expiry_proven   CANCELLED
CANCELLED      seen_open       WORKING
EXPIRED        accepted        EXPIRED
EXPIRED        filled_in_part  EXPIRED (late)
EXPIRED        filled_in_full  FILLED (late)
EXPIRED        cancel_proven   EXPIRED
EXPIRED        seen_open       WORKING
NEVER_ARRIVED  filled_in_part  NEVER_ARRIVED (late)
NEVER_ARRIVED  filled_in_full  FILLED (late)
NEVER_ARRIVED  seen_open       WORKING
"""


def table_text() -> str:
    """The whole transition table as text, one row a line, in the order of the enums."""
    rows = []
    for life, event in itertools.product(Life, Event):
        if (life, event) in LIFE:
            rows.append(f"{life.value:<15}{event.value:<16}{LIFE[life, event].value}")
        elif (life, event) in LATE:
            rows.append(f"{life.value:<15}{event.value:<16}{LATE[life, event].value} (late)")
    return "\n".join(rows)


def test_the_table_is_the_one_written_here() -> None:
    assert table_text() == EXPECTED.strip()


@pytest.mark.parametrize(("life", "event"), list(itertools.product(Life, Event)))
def test_every_pair_follows_the_table_or_is_an_anomaly(life: Life, event: Event) -> None:
    before = order(life)
    after, anomaly = advance(before, event)
    if (life, event) in LIFE:
        assert (after.life, anomaly) == (LIFE[life, event], None)
    else:
        assert after.life is LATE.get((life, event), life)
        assert anomaly is not None and anomaly.kind == (
            "late fill" if (life, event) in LATE else "illegal transition"
        )
        assert event.value in anomaly.detail and life.value in anomaly.detail


def test_life_never_goes_backwards_and_never_leaves_an_end_without_a_fact() -> None:
    rank = {Life.INTENT: 0, Life.SENDING: 1, Life.UNKNOWN: 2, Life.WORKING: 3} | dict.fromkeys(TERMINAL, 4)
    for (life, event), after in (LIFE | LATE).items():
        if event is Event.SEEN_OPEN:  # asked for itself, it rests: the one proof that beats an end
            assert after is Life.WORKING
            continue
        assert rank[after] >= rank[life], (life, event)
        if life in TERMINAL and after is not life:
            assert event is Event.FILLED_IN_FULL, (life, event)


COMMANDS = """
NONE            cancel_requested   CANCEL_SENDING
NONE            renew_requested    RENEW_SENDING
NONE            reduce_requested   REDUCE_SENDING
CANCEL_SENDING  cancel_confirmed   NONE
CANCEL_SENDING  cancel_refused     CANCEL_REFUSED
CANCEL_SENDING  cancel_unanswered  CANCEL_UNKNOWN
CANCEL_UNKNOWN  cancel_requested   CANCEL_SENDING
CANCEL_UNKNOWN  cancel_confirmed   NONE
CANCEL_UNKNOWN  cancel_refused     CANCEL_REFUSED
CANCEL_REFUSED  cancel_requested   CANCEL_SENDING
RENEW_SENDING   cancel_requested   CANCEL_SENDING
RENEW_SENDING   renew_confirmed    NONE
RENEW_SENDING   renew_refused      RENEW_REFUSED
RENEW_SENDING   renew_unanswered   RENEW_UNKNOWN
RENEW_UNKNOWN   cancel_requested   CANCEL_SENDING
RENEW_UNKNOWN   renew_confirmed    NONE
RENEW_REFUSED   cancel_requested   CANCEL_SENDING
REDUCE_SENDING  cancel_requested   CANCEL_SENDING
REDUCE_SENDING  reduce_confirmed   NONE
REDUCE_SENDING  reduce_refused     NONE
REDUCE_SENDING  reduce_unanswered  REDUCE_UNKNOWN
REDUCE_UNKNOWN  cancel_requested   CANCEL_SENDING
REDUCE_UNKNOWN  reduce_confirmed   NONE
"""


def test_the_command_table_is_the_one_written_here() -> None:
    rows = [
        f"{at.value:<16}{event.value:<19}{COMMAND[at, event].value}"
        for at, event in itertools.product(Command, CommandEvent)
        if (at, event) in COMMAND
    ]
    assert "\n".join(rows) == COMMANDS.strip()


@pytest.mark.parametrize(("at", "event"), list(itertools.product(Command, CommandEvent)))
def test_commands_follow_their_table_and_never_move_life(at: Command, event: CommandEvent) -> None:
    before = order(command=at)
    after, anomaly = command(before, event)
    assert after.life is before.life and after.leaves == before.leaves
    if (at, event) in COMMAND:
        assert (after.command, anomaly) == (COMMAND[at, event], None)
    else:
        assert after == before and anomaly is not None and anomaly.kind == "illegal command"


@pytest.mark.parametrize(
    ("side", "purpose", "outcome", "price"),
    [
        (BookSide.BID, Purpose.OPEN, Outcome.YES, 3200),
        (BookSide.ASK, Purpose.OPEN, Outcome.NO, 6800),
        (BookSide.ASK, Purpose.CLOSE, Outcome.YES, 3200),
        (BookSide.BID, Purpose.CLOSE, Outcome.NO, 6800),
    ],
)
def test_side_and_purpose_name_what_a_trader_does(
    side: BookSide, purpose: Purpose, outcome: Outcome, price: int
) -> None:
    intent = msgspec.structs.replace(INTENT, side=side, purpose=purpose)
    assert (intent.outcome, intent.outcome_price) == (outcome, price)


def test_a_fill_before_the_answer_proves_acceptance() -> None:
    for life in (Life.SENDING, Life.UNKNOWN):
        after, anomaly = apply_fill(order(life), fill("1", 4))
        assert (after.life, after.order_id, anomaly) == (Life.WORKING, "v1", None)
        assert after.leaves == contracts(6)


def test_a_trade_is_applied_once_and_a_changed_one_not_at_all() -> None:
    once, _ = apply_fill(order(), fill("1", 4))
    again, anomaly = apply_fill(once, fill("1", 4, at_ms=99, fee=Money(5)))
    assert again == once and anomaly is None, "channels differ in time stamps and fees"
    other, anomaly = apply_fill(once, fill("1", 5))
    assert other == once and anomaly is not None and anomaly.kind == "conflicting fill"


@pytest.mark.parametrize(
    "wrong",
    [{"ticker": "OTHER"}, {"side": BookSide.ASK}, {"quantity": Quantity(0)}, {"quantity": Quantity(-1)}],
    ids=lambda wrong: str(next(iter(wrong))),
)
def test_a_fill_that_cannot_be_of_this_order_is_refused(wrong: dict[str, object]) -> None:
    after, anomaly = apply_fill(order(), fill("1", 4, **wrong))
    assert after == order() and anomaly is not None and anomaly.kind == "foreign fill"


def test_a_final_fill_is_written_as_it_was_before_any_could_fail() -> None:
    known, provisional = fill("T1", 4), fill("T2", 4, final=False)
    assert "final" not in msgspec.to_builtins(known)
    for made in (known, provisional):
        assert msgspec.json.decode(msgspec.json.encode(made), type=Fill) == made


def test_a_late_fill_moves_the_quantity_and_rings() -> None:
    for life in (Life.CANCELLED, Life.EXPIRED, Life.REJECTED, Life.NEVER_ARRIVED, Life.NEVER_SENT):
        part, anomaly = apply_fill(order(life), fill("1", 4))
        assert (part.life, part.filled) == (life, contracts(4))
        assert anomaly is not None and anomaly.kind == "late fill"
        whole, anomaly = apply_fill(part, fill("2", 6))
        assert whole.life is Life.FILLED
        assert anomaly is not None and anomaly.kind == "late fill"


def test_an_overfill_is_applied_and_named() -> None:
    after, anomaly = apply_fill(order(), fill("1", 11))
    assert (after.life, after.filled, after.leaves) == (Life.FILLED, contracts(11), 0)
    assert anomaly is not None and anomaly.kind == "overfill"


def test_an_end_is_believed_only_when_the_fills_add_up() -> None:
    closing, anomaly = report_end(order(), Life.CANCELLED, contracts(7), reason="UserCancel")
    assert (closing.life, closing.ending, anomaly) == (Life.WORKING, Life.CANCELLED, None)
    assert closing.leaves == contracts(10), "the reservation stays until the fills prove the rest"
    still, _ = apply_fill(closing, fill("1", 3))
    assert still.life is Life.WORKING
    done, _ = apply_fill(still, fill("2", 4))
    assert (done.life, done.ending, done.leaves, done.reason) == (Life.CANCELLED, None, 0, "UserCancel")


def test_the_smallest_missing_fill_keeps_the_end_waiting() -> None:
    closing, _ = report_end(order(), Life.CANCELLED, Quantity(contracts(4) + 1))
    almost, _ = apply_fill(closing, fill("1", 4))
    assert (almost.life, almost.ending) == (Life.WORKING, Life.CANCELLED)
    done, _ = apply_fill(almost, fill("2", 0, quantity=Quantity(1)))
    assert (done.life, done.filled) == (Life.CANCELLED, contracts(4) + 1)


def test_an_end_for_an_unknown_order_proves_that_it_arrived() -> None:
    closing, anomaly = report_end(order(Life.UNKNOWN), Life.EXPIRED, contracts(2))
    assert (closing.life, closing.ending, anomaly) == (Life.WORKING, Life.EXPIRED, None)
    done, anomaly = report_end(order(Life.UNKNOWN), Life.EXPIRED, Quantity(0))
    assert (done.life, anomaly) == (Life.EXPIRED, None)


def test_completing_fills_leave_no_end_pending() -> None:
    closing, _ = report_end(order(), Life.FILLED, contracts(10))
    done, _ = apply_fill(closing, fill("1", 10))
    assert (done.life, done.ending) == (Life.FILLED, None)


@pytest.mark.parametrize("life", [Life.CANCELLED, Life.REJECTED, Life.NEVER_ARRIVED])
def test_the_venues_word_filled_does_not_fill_a_finished_order(life: Life) -> None:
    after, anomaly = report_end(order(life), Life.FILLED, Quantity(0))
    assert after.life is life and anomaly is not None


def test_a_cancel_request_frees_nothing() -> None:
    asked, _ = command(order(), CommandEvent.CANCEL_REQUESTED)
    assert (asked.display, asked.leaves, asked.live) == ("CANCELLING", contracts(10), True)


def test_words_for_a_person() -> None:
    part, _ = apply_fill(order(), fill("1", 4))
    assert [order().display, part.display, order(Life.UNKNOWN).display] == ["WORKING", "PARTIAL", "UNKNOWN"]
