"""What the journal says the desk was, before the venue is asked what it is."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.engine.account import DayBase
from core.execution.events import LedgerEvent
from core.journal.events import Kind, Row
from core.journal.projections import ORDER_KINDS, Desk, project
from core.models.weather.score import Record
from core.risk.halts import Halt, Halts

_event = msgspec.json.Decoder(LedgerEvent)


class Restored(msgspec.Struct):
    """A desk as its journal left it."""

    desk: Desk
    halts: Halts
    orders: list[tuple[int, str, LedgerEvent]]
    day: DayBase | None = None
    cash_base: int | None = None
    record: Record = Record()

    @property
    def fresh(self) -> bool:
        """Whether no engine has run on this journal before."""
        return Kind.START.value not in self.desk.counts


class _CashBase(msgspec.Struct):
    cash_base: int | None = None


class _Scored(msgspec.Struct):
    record: Record | None = None


def restore(rows: Iterable[Row]) -> Restored:
    """Fold a journal's rows. Raises ``msgspec.MsgspecError`` for a payload of another shape."""
    kept = list(rows)
    desk = project(kept)
    halts = Halts.restored(msgspec.convert(payload, Halt) for payload in desk.halts.values())
    restored = Restored(desk, halts, [])
    for row in kept:
        if row.kind in ORDER_KINDS:
            restored.orders.append((row.seq, row.order_id, _event.decode(row.payload)))
        elif row.kind == Kind.DAY.value:
            restored.day = msgspec.json.decode(row.payload, type=DayBase)
        elif row.kind == Kind.RECONCILE.value:
            base = msgspec.json.decode(row.payload, type=_CashBase).cash_base
            restored.cash_base = base if base is not None else restored.cash_base
        elif row.kind == Kind.FAIR.value:
            record = msgspec.json.decode(row.payload, type=_Scored).record
            restored.record = record if record is not None else restored.record
    return restored
