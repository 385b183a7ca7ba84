"""What the journal says the desk was, before the venue is asked what it is."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.domain.market import FIRST_VENUE, Venue
from core.engine.account import DayBase
from core.engine.belief import Mark, Noted
from core.engine.equity import PeakReached
from core.engine.equity import take as take_peak
from core.engine.fixtures import FixtureConfirmed
from core.engine.forecasts import Witnessed
from core.engine.releases import ReleaseCame
from core.engine.rules import RulesPinned
from core.engine.sources import SourceConfirmed
from core.engine.vetoes import VETO_KINDS, VetoBook
from core.execution.events import LedgerEvent
from core.execution.groups import GroupNoted
from core.journal.events import Kind, Row
from core.journal.projections import ORDER_KINDS, Desk, take
from core.risk.halts import GLOBAL, Halt, Halts

MOVING_KINDS = frozenset(
    kind.value
    for kind in (
        Kind.FILL,
        Kind.EXTERNAL_FILL,
        Kind.FEE,
        Kind.TRADE,
        Kind.ADJUSTMENT,
        Kind.SETTLEMENT,
    )
)

FORECAST_KINDS = (Kind.FORECAST.value, Kind.OUTCOME.value)

_event = msgspec.json.Decoder(LedgerEvent)


class Restored(msgspec.Struct):
    """A desk as its journal left it."""

    desk: Desk
    halts: Halts
    orders: list[tuple[int, str, LedgerEvent]]
    day: DayBase | None = None
    moved: dict[str, None] = {}
    """Tickers with a fill or a settlement after ``day``."""
    peaks: dict[str, int] = {}
    """Highest result by world day."""
    cash_base: dict[Venue, int] = {}
    forecasts: Witnessed = msgspec.field(default_factory=Witnessed)
    vetoes: VetoBook = msgspec.field(default_factory=VetoBook)
    groups: list[GroupNoted] = []
    rules: dict[str, str] = {}
    """Hash of the rules text that counts, by ticker."""
    releases: dict[str, int] = {}
    """When the newest release known to be out was due, by kind."""
    fixtures: dict[str, FixtureConfirmed] = {}
    """Games that markets are about, as confirmed, by ticker."""
    sources: list[SourceConfirmed] = []
    """Settlement sources of series, as confirmed."""
    belief: Noted | None = None
    """The newest mark, for the replay to be held against."""
    armed_limits: str = ""
    """Digest of the limits real money was last armed with, empty once somebody resumed the desk after it."""
    last_ms: int = 0
    """Real wall time of the newest row."""

    @property
    def fresh(self) -> bool:
        """Whether no engine has run on this journal before."""
        return self.desk.runs == 0


class _Armed(msgspec.Struct):
    limits: str = ""


class _CashBase(msgspec.Struct):
    cash_base: int | dict[Venue, int] | None = None


def restore(rows: Iterable[Row]) -> Restored:
    """Fold a journal's rows, keeping none. Raises ``msgspec.MsgspecError`` for a payload of another shape."""
    restored = Restored(Desk(), Halts(), [])
    for row in rows:
        take(restored.desk, row)
        restored.last_ms = row.ts_wall_ms
        if row.kind in ORDER_KINDS:
            restored.orders.append((row.seq, row.order_id, _event.decode(row.payload)))
            if row.kind in MOVING_KINDS:
                restored.moved[row.ticker] = None
        elif row.kind == Kind.DAY.value:
            restored.day = msgspec.json.decode(row.payload, type=DayBase)
            restored.moved = {}
        elif row.kind == Kind.BELIEF.value:
            mark = msgspec.json.decode(row.payload, type=Mark)
            restored.belief = Noted(row.seq, mark, _halts(restored.desk).standing)
        elif row.kind == Kind.GROUP.value:
            restored.groups.append(msgspec.json.decode(row.payload, type=GroupNoted))
        elif row.kind == Kind.RULES.value:
            restored.rules[row.ticker] = msgspec.json.decode(row.payload, type=RulesPinned).rules
        elif row.kind == Kind.FIXTURE.value:
            restored.fixtures[row.ticker] = msgspec.json.decode(row.payload, type=FixtureConfirmed)
        elif row.kind == Kind.SOURCE.value:
            restored.sources.append(msgspec.json.decode(row.payload, type=SourceConfirmed))
        elif row.kind == Kind.RELEASE.value:
            came = msgspec.json.decode(row.payload, type=ReleaseCame)
            restored.releases[came.kind] = came.due_ms
        elif row.kind == Kind.EQUITY.value:
            take_peak(restored.peaks, msgspec.json.decode(row.payload, type=PeakReached))
        elif row.kind == Kind.ARM.value:
            armed = msgspec.json.decode(row.payload, type=_Armed)
            restored.armed_limits = armed.limits or restored.armed_limits
        elif row.kind == Kind.RESUME.value:
            if msgspec.json.decode(row.payload, type=Halt).scope == GLOBAL:
                restored.armed_limits = ""
        elif row.kind == Kind.RECONCILE.value:
            base = msgspec.json.decode(row.payload, type=_CashBase).cash_base
            if base is not None:
                restored.cash_base = base if isinstance(base, dict) else {FIRST_VENUE: base}
        elif row.kind in FORECAST_KINDS:
            restored.forecasts.take(row)
        elif row.kind in VETO_KINDS:
            restored.vetoes.take(row)
    restored.halts = _halts(restored.desk)
    return restored


def _halts(desk: Desk) -> Halts:
    return Halts.restored(msgspec.convert(halt, Halt) for halt in desk.halts.values())
