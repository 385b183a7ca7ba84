"""Readings of an account, what differs, and what the journal says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.control.tables.account import AccountRow, DifferenceRow, JournalRow, LineRow
from core.engine.seat import Seat
from core.execution.differences import POLICY, About, Difference
from core.journal.events import Row
from core.journal.wording import text_of


def journal_row(row: Row) -> JournalRow:
    return JournalRow(row.seq, row.ts_wall_ms, row.kind, text_of(row), row.order_id, row.ticker)


def account_row(seat: Seat) -> AccountRow:
    """How the last reading of a venue's account went."""
    account = seat.reconciler
    return AccountRow(
        venue=seat.name.value,
        number=account.readings,
        at_ns=account.last.at_ns,
        complete=account.last.complete,
        reason=account.last.reason,
        clean_ns=account.clean_ns,
        doubt=account.doubt,
        differences=len(account.differences),
        cash=account.cash,
    )


def line_rows(seat: Seat) -> Iterator[LineRow]:
    """A venue's account line by line."""
    account = seat.reconciler
    for line in account.lines():
        about, ticker, subject = line.key
        yield LineRow(
            seat.name.value, about.value, ticker, subject, line.ours, line.theirs, line.agreement.value,
            account.read_ns,
        )  # fmt: skip


def difference_row(difference: Difference, seat: Seat, key: int, events: Iterable[Row]) -> DifferenceRow:
    about, ticker, subject = difference.key
    policy = POLICY[difference.row]
    halts = f"{policy.scope.value} {policy.halts.name}" if policy.halts is not None else ""
    return DifferenceRow(
        row=difference.row.value,
        about=about.value,
        key=key,
        ticker=ticker,
        subject=subject,
        ours=difference.ours,
        theirs=difference.theirs,
        since_ns=difference.first_ns,
        reads=difference.reads,
        acted=difference.acted,
        halts=halts,
        events=tuple(journal_row(row) for row in events) if difference.key.about is About.POSITION else (),
        venue=seat.name.value,
    )
