"""What the journal holds: the kinds of events, one event, one row, and the chain that joins rows."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping

import msgspec

from core.domain.clock import Clock


class Kind(enum.Enum):
    """Every kind of event.

    Payloads of the first group are the structs of ``core/execution/events.py``; those of the second
    are written by the engine and carry their sentence for the screen as ``text``.
    """

    ORDER_INTENT = "ORDER_INTENT"
    ORDER_SENDING = "ORDER_SENDING"
    SEND_OUTCOME = "SEND_OUTCOME"
    ORDER_REPORT = "ORDER_REPORT"
    FILL = "FILL"
    EXTERNAL_FILL = "EXTERNAL_FILL"
    CANCEL_SENT = "CANCEL_SENT"
    CANCEL_OUTCOME = "CANCEL_OUTCOME"
    RENEWAL_SENT = "RENEWAL_SENT"
    RENEWAL_OUTCOME = "RENEWAL_OUTCOME"
    REDUCTION_SENT = "REDUCTION_SENT"
    REDUCTION_OUTCOME = "REDUCTION_OUTCOME"
    NEVER_ARRIVED = "NEVER_ARRIVED"
    WRITTEN_OFF = "WRITTEN_OFF"
    RESURRECTED = "RESURRECTED"
    FEE = "FEE"
    TRADE = "TRADE"
    FILL_PARKED = "FILL_PARKED"
    FILL_DROPPED = "FILL_DROPPED"
    ADJUSTMENT = "ADJUSTMENT"
    SETTLEMENT = "SETTLEMENT"
    STATEMENT = "STATEMENT"

    PROPOSAL = "PROPOSAL"
    PROPOSAL_STATE = "PROPOSAL_STATE"
    APPROVAL = "APPROVAL"
    DENIED = "DENIED"
    VETO = "VETO"
    VETO_OUTCOME = "VETO_OUTCOME"

    HALT = "HALT"
    RESUME = "RESUME"
    MODE = "MODE"
    PAUSE = "PAUSE"
    ARM = "ARM"
    LIMIT = "LIMIT"
    TRIP = "TRIP"
    ENABLE = "ENABLE"
    EQUITY = "EQUITY"
    DAY = "DAY"
    GROUP = "GROUP"
    RULES = "RULES"
    PAIR = "PAIR"
    PLAN = "PLAN"
    RELEASE = "RELEASE"
    FIXTURE = "FIXTURE"
    SOURCE = "SOURCE"
    VIEW = "VIEW"
    DRILL = "DRILL"
    FLATTEN_START = "FLATTEN_START"
    FLATTEN_STEP = "FLATTEN_STEP"
    FLATTEN_END = "FLATTEN_END"

    RECONCILE = "RECONCILE"
    DIFFERENCE = "DIFFERENCE"
    ANOMALY = "ANOMALY"
    LIMITER = "LIMITER"
    ALARM = "ALARM"
    ACK = "ACK"
    COMMAND = "COMMAND"
    LINK = "LINK"
    FEED = "FEED"
    FAIR = "FAIR"
    FORECAST = "FORECAST"
    OUTCOME = "OUTCOME"
    STANDING = "STANDING"
    WORLD = "WORLD"
    START = "START"
    STOP = "STOP"
    SPILL = "SPILL"
    BELIEF = "BELIEF"


class Event(msgspec.Struct, frozen=True):
    """Something that happened. ``payload`` is a struct or a mapping of JSON values; never a secret."""

    kind: Kind
    payload: object = msgspec.field(default_factory=dict)
    order_id: str = ""
    """Client order id."""
    ticker: str = ""
    cause_seq: int | None = None
    actor: str = "engine"


class Row(msgspec.Struct, frozen=True):
    """One event as stored; the columns of ``schema.sql``. ``payload`` is canonical JSON text."""

    seq: int
    ts_wall_ms: int
    ts_mono_ns: int
    boot_id: str
    run_id: str
    actor: str
    kind: str
    order_id: str
    ticker: str
    cause_seq: int | None
    payload: str
    prev_hash: str
    hash: str

    def data(self) -> Mapping[str, object]:
        """The payload as a mapping; raises ``msgspec.DecodeError`` for a damaged row."""
        return msgspec.json.decode(self.payload, type=dict[str, object])


COLUMNS = tuple(Row.__struct_fields__)
GENESIS = "0" * 64
PAYLOAD_BYTES_MAX = 1 << 20

_canonical = msgspec.json.Encoder(order="sorted")


def canonical(payload: object) -> str:
    """The one JSON text of a payload: keys sorted, no spaces. Raises ``ValueError`` beyond 1 MiB."""
    text = _canonical.encode(payload)
    if len(text) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"a journal payload of {len(text)} bytes is over the limit of {PAYLOAD_BYTES_MAX}")
    return text.decode()


def row_hash(prev_hash: str, columns: tuple[object, ...]) -> str:
    """Hash of a row from its predecessor's hash and the columns before ``prev_hash``."""
    return hashlib.sha256(prev_hash.encode() + msgspec.json.encode(columns)).hexdigest()


_Columns = tuple[int, int, int, str, str, str, str, str, str, int | None, str]


class Chain:
    """Numbers, stamps and chains events into rows. The clock is injected, so a replayed run is identical."""

    __slots__ = ("_boot_id", "_clock", "_run_id", "hash", "seq")

    def __init__(self, clock: Clock, boot_id: str, run_id: str, seq: int = 0, head: str = GENESIS) -> None:
        self._clock, self._boot_id, self._run_id = clock, boot_id, run_id
        self.seq, self.hash = seq, head

    def next(self, event: Event) -> Row:
        columns = (
            self.seq + 1,
            self._clock.wall_ms(),
            self._clock.mono_ns(),
            self._boot_id,
            self._run_id,
            event.actor,
            event.kind.value,
            event.order_id,
            event.ticker,
            event.cause_seq,
            canonical(event.payload),
        )
        return self._link(columns)

    def adopt(self, row: Row, cause_seq: int | None) -> Row:
        """A row written elsewhere, at the end of this chain: its number, cause and hashes are new."""
        return self._link(
            (
                self.seq + 1,
                row.ts_wall_ms,
                row.ts_mono_ns,
                row.boot_id,
                row.run_id,
                row.actor,
                row.kind,
                row.order_id,
                row.ticker,
                cause_seq,
                row.payload,
            )
        )

    def _link(self, columns: _Columns) -> Row:
        row = Row(*columns, self.hash, row_hash(self.hash, columns))
        self.seq, self.hash = row.seq, row.hash
        return row


def broken(row: Row, seq: int, head: str) -> str | None:
    """Why a row cannot follow the row ``seq`` with hash ``head``; ``None`` when it does."""
    if row.seq != seq + 1:
        return (
            f"row {seq + 1} is missing (found {row.seq})" if row.seq > seq else f"row {row.seq} is repeated"
        )
    if row.prev_hash != head:
        return f"row {row.seq} does not follow row {seq}: a row before it was changed or replaced"
    columns = msgspec.structs.astuple(row)[:-2]
    if row_hash(row.prev_hash, columns) != row.hash:
        return f"row {row.seq} was changed after it was written"
    return None
