"""Which fees hold when: a series' terms, an event's overrides, and the changes announced for both.

Kalshi publishes changes ahead (``/series/fee_changes``, ``/events/fee_changes``) and pushes event overrides
as they happen; each field of an override stands on its own, and null clears it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from core.domain.market import FeeChange, FeeSchedule, FeeType
from core.domain.text import clean_text
from core.venues.kalshi import endpoints as ep
from core.venues.limiter import Priority
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import Name, Odd, WireError, rfc3339_ms

CHANGES_MAX: Final = 1_000
PAGE: Final = 1_000
MULTIPLIER_MAX: Final = 100

_FEES: Final = {kind.value: kind for kind in FeeType if kind is not FeeType.UNKNOWN}


class SeriesTerms(msgspec.Struct, frozen=True):
    """What a series charges unless an event says otherwise."""

    fee_type: object
    fee_multiplier: object


class Override(msgspec.Struct, frozen=True):
    """What an event changes of it; ``None`` changes nothing."""

    fee_type: object = None
    fee_multiplier: object = None


class SeriesChange(msgspec.Struct, frozen=True):
    at_ms: int
    series_ticker: str
    terms: SeriesTerms


class EventChange(msgspec.Struct, frozen=True):
    at_ms: int
    event_ticker: str
    override: Override


class Changes(msgspec.Struct, frozen=True):
    """Everything announced and not yet read back as in force."""

    series: tuple[SeriesChange, ...] = ()
    events: tuple[EventChange, ...] = ()


class SeriesChangeWire(msgspec.Struct, frozen=True):
    series_ticker: Name
    scheduled_ts: str
    fee_type: object = None
    fee_multiplier: object = None


class SeriesChangesWire(msgspec.Struct, frozen=True):
    series_fee_change_arr: list[SeriesChangeWire]


class EventChangeWire(msgspec.Struct, frozen=True):
    event_ticker: Name
    scheduled_ts: str
    fee_type_override: object = None
    fee_multiplier_override: object = None


_series_changes = msgspec.json.Decoder(SeriesChangesWire)
_event_change = msgspec.json.Decoder(EventChangeWire)


def fee_schedule(
    terms: SeriesTerms, override: Override, waived_until_ms: int | None, odd: Odd
) -> FeeSchedule:
    """The fees of one moment. What cannot be computed is ``UNKNOWN``, never a guess."""
    kind = override.fee_type if override.fee_type is not None else terms.fee_type
    number = override.fee_multiplier if override.fee_multiplier is not None else terms.fee_multiplier
    multiplier = odd.number(number, "fee_multiplier")
    known = _FEES.get(kind) if isinstance(kind, str) else None
    if known is None or multiplier is None or not 0 <= multiplier <= MULTIPLIER_MAX:
        named = clean_text(kind, 40) if isinstance(kind, str) else "no fee type"
        odd.notes.append(f"fees: {named!r} times {multiplier} cannot be computed")
        return FeeSchedule(FeeType.UNKNOWN, waived_until_ms=waived_until_ms)
    return FeeSchedule(known, round(multiplier * 1_000_000), waived_until_ms)


def fee_changes(
    terms: SeriesTerms,
    override: Override,
    changes: Sequence[SeriesChange | EventChange],
    waived_until_ms: int | None,
    odd: Odd,
) -> tuple[FeeChange, ...]:
    """What a market's fees will be from each announced moment on; ``changes`` are its series' and event's."""
    made: list[FeeChange] = []
    for change in sorted(changes, key=lambda c: c.at_ms):
        if isinstance(change, SeriesChange):
            terms = change.terms
        else:
            override = change.override
        made.append(FeeChange(change.at_ms, fee_schedule(terms, override, waived_until_ms, odd)))
    return tuple(made)


def concerning(changes: Changes, series: str, event: str) -> list[SeriesChange | EventChange]:
    found: Iterable[SeriesChange | EventChange] = (
        *(c for c in changes.series if c.series_ticker == series),
        *(c for c in changes.events if c.event_ticker == event),
    )
    return list(found)


def _of_series(wire: SeriesChangesWire, odd: Odd) -> tuple[SeriesChange, ...]:
    rows = wire.series_fee_change_arr
    if len(rows) > CHANGES_MAX:
        raise WireError(f"series_fee_change_arr: {len(rows)} changes")
    return tuple(
        SeriesChange(
            rfc3339_ms(row.scheduled_ts, "scheduled_ts"),
            row.series_ticker,
            SeriesTerms(row.fee_type, row.fee_multiplier),
        )
        for row in rows
    )


def _of_event(row: EventChangeWire, odd: Odd) -> EventChange:
    override = Override(row.fee_type_override, row.fee_multiplier_override)
    return EventChange(rfc3339_ms(row.scheduled_ts, "scheduled_ts"), row.event_ticker, override)


async def read_changes(reader: Reader) -> Changes | Incomplete:
    """Every announced change of the venue."""
    series = await reader.one(
        ep.SERIES_FEES, "series fee changes", Priority.BACKGROUND, _series_changes, _of_series
    )
    if isinstance(series, Incomplete):
        return series
    events = await reader.every(
        ep.EVENT_FEES, "event_fee_changes", Priority.BACKGROUND, {"limit": PAGE}, _event_change, _of_event
    )
    return events if isinstance(events, Incomplete) else Changes(series, events)
