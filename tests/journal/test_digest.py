"""What a person who comes back is told: counts that add up, in few lines, from rows of any age."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.clock import SystemClock
from core.domain.market import Venue
from core.domain.order import BookSide, Fill
from core.domain.units import Money, Price, contracts
from core.execution.events import (
    CancelAnswered,
    MarketSettled,
    OrderAnswered,
    OrderFilled,
    OrderIntended,
    OrderNeverArrived,
    OrderReported,
)
from core.journal import digest as digest_module
from core.journal.digest import (
    ALARMS,
    CHANGES,
    FILLS,
    HANDS,
    KINDS,
    LINES_MAX,
    PARTS,
    SETTLED,
    STOPS,
    Decided,
    Digest,
    Orders,
    digest,
    read_digest,
)
from core.journal.events import Chain, Event, Kind, Row
from core.journal.files import JournalDamagedError, JournalError, connect_read_only
from core.journal.opening import Identity
from core.journal.projections import LimitChanged, ModeChanged, PauseChanged
from core.journal.store import Durability, open_journal
from core.risk.halts import GLOBAL, Halt, Level
from core.venues.venue import (
    EXPIRY_REASON,
    Accepted,
    Cancelled,
    OrderReport,
    Rejected,
    ReportStatus,
    SettlementReport,
    Unresolved,
)
from tests.journal.test_story import an_intent

TICKER = "KXHIGHNY-26NOV23-B48.5"
ME, HER = "console pid 1 (uid 0)", "console pid 2 (uid 0)"


def rows_of(events: Iterable[Event]) -> list[Row]:
    chain = Chain(SystemClock(), "boot", "run")
    return [chain.next(event) for event in events]


def told(*events: Event, known: Any = lambda order: None, own: tuple[str, ...] = (ME,)) -> Digest:
    return digest([row for row in rows_of(events) if row.kind in KINDS], 0, known, own)


def fill(side: BookSide, price: int, quantity: int = 4) -> OrderFilled:
    made = Fill(
        "t1", Venue.KALSHI, TICKER, "v1", side, Price(price), contracts(quantity), Money(20_000), True, 5
    )
    return OrderFilled(made, "stream")


def report(status: ReportStatus, reason: str = "") -> OrderReported:
    left = contracts(0 if status is not ReportStatus.RESTING else 4)
    found = OrderReport(
        "v1", "c", TICKER, BookSide.BID, Price(3200), contracts(4), contracts(4) - left, left, status, reason
    )
    return OrderReported(found, "stream")


def order(client: str, *events: Any) -> list[Event]:
    made = OrderIntended(msgspec.structs.replace(an_intent(), client_order_id=client), "")
    return [Event(Kind(event.__struct_config__.tag), event, client, TICKER) for event in (made, *events)]


def test_nothing_but_cards_that_came_and_went_is_quiet() -> None:
    offered = Event(Kind.PROPOSAL, {"text": "P1 BUY", "proposal_id": "P1"})
    over = Event(Kind.PROPOSAL_STATE, {"text": "P1 EXPIRED BUY", "proposal_id": "P1"})
    found = told(offered, over, Event(Kind.FAIR), Event(Kind.LINK, {"text": "lost"}))
    assert told(offered, Event(Kind.DAY, {"day": "d"})).days == 1 and not found.days
    assert found.quiet and (found.cards.offered, found.cards.expired) == (1, 1)
    assert found.upto == 2


@pytest.mark.parametrize(
    ("opens", "side", "price", "said"),
    [
        (True, BookSide.BID, 3_200, "bought YES 4.00 @ 32c"),
        (True, BookSide.ASK, 3_600, "bought NO 4.00 @ 64c"),
        (False, BookSide.ASK, 4_050, "sold YES 4.00 @ 40.5c"),
        (False, BookSide.BID, 3_600, "sold NO 4.00 @ 64c"),
    ],
)
def test_a_fill_is_told_in_terms_of_what_was_traded_with_its_edge(
    opens: bool, side: BookSide, price: int, said: str
) -> None:
    event = Event(Kind.FILL, fill(side, price), "c1", TICKER)
    found = told(event, known={"c1": Decided(opens, Price(140))}.get)
    (line,) = found.parts[FILLS].lines
    assert line.text == f"{said} {TICKER}, fee 0.02, edge +1.4c"
    assert found.fees == 20_000 and not found.quiet
    (alone,) = told(event).parts[FILLS].lines
    assert alone.text.startswith("bought" if side is BookSide.BID else "sold"), "of an order nobody knows"


def test_orders_are_counted_by_what_they_came_to() -> None:
    found = told(
        *order("a", OrderAnswered(Accepted("v1", contracts(4), contracts(0), 1), 1)),
        *order("b", OrderAnswered(Rejected("x", "no"), 1)),
        *order("c", OrderAnswered(Unresolved("timeout"), 1)),
        *order("d", OrderAnswered(Unresolved("timeout"), 1), OrderNeverArrived(3, 9)),
        *order("e", report(ReportStatus.RESTING), CancelAnswered(Cancelled("v1", contracts(4)))),
        *order("f", report(ReportStatus.CANCELED, EXPIRY_REASON), report(ReportStatus.CANCELED)),
        *order("g", report(ReportStatus.RESTING)),
    )
    assert found.orders == Orders(
        placed=7, alone=0, executed=1, cancelled=1, expired=1, rejected=1, not_sent=1, unknown=1
    )


def test_an_order_from_before_that_ended_meanwhile_counts_too() -> None:
    ended = order("a", report(ReportStatus.EXECUTED))[1:]
    assert told(*ended).orders == Orders(0, 0, 1, 0, 0, 0, 0, 0)


def alarm(level: str, what: str) -> Event:
    return Event(Kind.ALARM, {"text": f"{level} {what}", "effect": ""})


def test_alarms_say_whether_somebody_saw_them_and_notes_are_none() -> None:
    seen = Event(Kind.ACK, {"text": "alarm seen: KAL: lost"}, actor=HER)
    shelved = Event(Kind.ACK, {"text": "alarm shelved 30 min: wind", "reason": "known: wind"}, actor=HER)
    found = told(
        *(alarm("ACT", "KAL: lost"), alarm("CHECK", "book old"), alarm("CHECK", "wind"), seen, shelved),
        alarm("NOTE", "NWS moved"),
    )
    assert [(line.text, line.seen) for line in found.parts[ALARMS].lines] == [
        ("ACT KAL: lost", True), ("CHECK wind", True), ("CHECK book old", False),
    ]  # fmt: skip
    again = told(alarm("ACT", "KAL: lost"), seen, alarm("ACT", "KAL: lost"))
    assert again.parts[ALARMS].count == 2
    assert [line.seen for line in again.parts[ALARMS].lines] == [False], "it came again after it was seen"


def test_a_flood_of_seen_alarms_does_not_push_out_one_that_nobody_saw() -> None:
    flood = [
        event
        for n in range(3 * LINES_MAX)
        for event in (alarm("CHECK", f"n{n}"), Event(Kind.ACK, {"text": f"alarm seen: n{n}"}))
    ]
    found = told(alarm("ACT", "unseen"), *flood)
    assert len(found.parts[ALARMS].lines) == LINES_MAX and not found.parts[ALARMS].lines[-1].seen


def test_halts_settlements_changes_and_other_hands_are_told_with_who() -> None:
    halt = Halt(GLOBAL, Level.HALTED, "lost 75", 1, "engine")
    found = told(
        Event(Kind.HALT, halt),
        Event(Kind.SETTLEMENT, MarketSettled(SettlementReport(TICKER, Price(10_000), "yes", 1)), "", TICKER),
        Event(Kind.MODE, ModeChanged("auto", "going out"), actor=HER),
        Event(Kind.LIMIT, LimitChanged("total_loss_max", 1, 2, 3), actor=ME),
        Event(Kind.PAUSE, PauseChanged("*", True)),
        Event(Kind.COMMAND, {"text": "takes control"}, actor=ME),
        Event(Kind.COMMAND, {"text": f"takes control from {ME}"}, actor=HER),
        Event(Kind.VETO, {"text": "P1 vetoed", "proposal_id": "P1"}, actor=HER),
    )
    text = {part: [line.text for line in found.parts[part].lines] for part in PARTS}
    assert text[STOPS] == ["global HALTED: lost 75, by engine"]
    assert text[SETTLED] == [f"{TICKER} settled yes, YES pays 100c"]
    assert text[CHANGES] == [
        f"mode auto going out  [{HER}]", "limit total_loss_max: 1 to 2", "paused all entries",
    ]  # fmt: skip
    assert text[HANDS] == [f"takes control from {ME}  [{HER}]", f"P1 vetoed  [{HER}]"]
    assert found.cards.vetoed == 1
    assert told(Event(Kind.COMMAND, {"text": "takes control"}, actor=ME)).quiet, "one's own coming is no news"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=200), st.text(max_size=20))
def test_rows_of_any_program_fold_to_bounded_parts(kinds: list[str], text: str) -> None:
    events = [Event(Kind(kind), {"text": text} if n % 2 else {}, "c", TICKER) for n, kind in enumerate(kinds)]
    found = told(*events)
    assert set(found.parts) == set(PARTS)
    for part in found.parts.values():
        assert len(part.lines) <= min(part.count, LINES_MAX)
    assert found.upto == len(kinds)


async def write(path: Path, events: Iterable[Event]) -> None:
    log = open_journal(
        path,
        Identity("w", "demo", "1", "b", "r"),
        SystemClock(),
        durability=Durability.NORMAL,
        on_fault=lambda fault: None,
    )
    last = 0
    for event in events:
        last = log.append(event)
    assert await log.durable(last)
    await log.close()


async def test_a_file_is_read_from_a_row_on_and_knows_older_orders(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    approved = Event(Kind.APPROVAL, {"text": "P1 approved", "proposal_id": "P1", "edge": 580})
    made, *_ = order("c1")
    before = [approved, msgspec.structs.replace(made, cause_seq=1)]
    await write(path, [*before, Event(Kind.FILL, fill(BookSide.BID, 3_200), "c1", TICKER)])
    found = await asyncio.to_thread(read_digest, path, 2)
    assert [line.text for line in found.parts[FILLS].lines] == [
        f"bought YES 4.00 @ 32c {TICKER}, fee 0.02, edge +5.8c"
    ]
    assert (found.orders.placed, found.cards.approved, found.upto) == (0, 0, 3)
    later = read_digest(path, 3)
    assert later.quiet and later.upto == 3


async def test_what_a_fill_was_for_is_found_without_looking_at_every_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, count, steps = tmp_path / "journal.db", 400, list[int]()
    filled = (event for n in range(count) for event in order(f"c{n}", fill(BookSide.BID, 3_200)))
    await write(path, filled)

    def counted(path: Path) -> sqlite3.Connection:
        connection = connect_read_only(path)
        connection.set_progress_handler(lambda: steps.append(1), 100)
        return connection

    monkeypatch.setattr(digest_module, "connect_read_only", counted)
    found = await asyncio.to_thread(read_digest, path, 0)
    assert found.parts[FILLS].count == count and len(found.parts[FILLS].lines) == LINES_MAX
    assert len(steps) < count, "a hundred steps of SQLite an order, not some for each of them a fill"


def test_a_journal_that_is_not_there_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="There is no journal"):
        read_digest(tmp_path / "none.db", 0)
    (tmp_path / "odd.db").write_bytes(b"no journal at all")
    with pytest.raises(JournalDamagedError, match="not a journal"):
        read_digest(tmp_path / "odd.db", 0)
