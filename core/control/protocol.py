"""The language between the engine and whoever attaches to it, version by version.

Length-prefixed msgpack over one Unix socket. The first frame of a connection is ``Hello`` and makes
it a command or a state connection; the engine answers ``Welcome`` or ``Refused``. Commands carry an
id the client made, so sending one twice is harmless, and get one ``Reply`` each. A state connection
receives ``Frame`` values: the first complete in parts, then changed rows only. The rows themselves
are in ``core/control/tables``.
"""

from __future__ import annotations

import re

import msgspec

from core.control.tables.account import JournalRow, ReadingRow
from core.control.tables.cards import ProposalRow
from core.control.tables.markets import MarketRow, MarketStatic, PairRow
from core.control.tables.models import EventRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.safety import AlarmRow, FlattenRow, LimitRow
from core.control.tables.status import StatusRow
from core.domain.drawn import Drawn
from core.domain.units import contracts

VERSION = 4
COMMAND_BYTES_MAX = 64 * 1024
FRAME_BYTES_MAX = 1024 * 1024
ALARM_DIGITS_MAX = 12
PAIR_QUANTITY = contracts(10)
"""What a linked pair compares unless somebody says how many."""


# --- opening ------------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    version: int
    role: str
    """``command`` or ``state``."""
    client: str
    """``console`` or ``cli``."""
    pid: int
    session: str
    """Joins the command and the state connection of one console."""
    view_only: bool = False
    take: bool = False


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    version: int
    engine_id: str
    profile: str
    controls: bool
    pid: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The connection or command is not taken; ``reason`` is a sentence for a person."""

    reason: str


# --- commands -----------------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True):
    """Common part. ``id`` is unique per client; a repeated id gets the first answer again."""

    id: str


class Approve(Command, frozen=True, tag="approve"):
    proposal_id: str
    fingerprint: str
    shown_ns: int = 0
    """When the newest frame the operator saw was made; 0 from the CLI."""
    drawn: Drawn | None = None
    """What the screen showed; ``None`` from the CLI."""


class Veto(Command, frozen=True, tag="veto"):
    """Ends the card although it may read differently by now."""

    proposal_id: str
    fingerprint: str
    reason: str = ""
    """``price``, ``data``, ``news``, ``size``, ``other`` or words of one's own; of a card that was vetoed
    already the reason is told afterwards."""
    drawn: Drawn | None = None


class Defer(Command, frozen=True, tag="defer"):
    proposal_id: str
    fingerprint: str


class Edit(Command, frozen=True, tag="edit"):
    """Smaller or better only; makes a new fingerprint."""

    proposal_id: str
    fingerprint: str
    price: int
    """Price in terms of the outcome named on the card."""
    quantity: int


class CancelOrder(Command, frozen=True, tag="cancel"):
    client_order_id: str


class CancelMarket(Command, frozen=True, tag="cancel_market"):
    ticker: str


class Propose(Command, frozen=True, tag="propose"):
    """Make a card of an order a person asks for; only its approval sends it."""

    ticker: str
    side: str
    """``yes`` or ``no`` is bought, ``sell`` sells what is held."""
    price: int = 0
    """In terms of the outcome; 0 of a sale: at the touch."""
    quantity: int = 0
    """0 of a sale: all that can be sold."""
    style: str = "post-only"
    """``post-only``, ``limit`` or ``ioc``."""


class Amend(Command, frozen=True, tag="amend"):
    """Cancel a resting order, and make a card of what is left of it once its end is proved."""

    order: str
    price: int = 0
    """In terms of its outcome; 0 keeps it."""
    quantity: int = 0
    """0 keeps what is left of it."""


class Pause(Command, frozen=True, tag="pause"):
    """Stop entries of one strategy, or of all with an empty name. Instant."""

    strategy: str = ""


class Unpause(Command, frozen=True, tag="unpause"):
    strategy: str = ""
    confirm: str = ""
    """Typed word, ``unpause``."""
    reason: str = ""
    """For the journal; it may be empty."""


class Reenable(Command, frozen=True, tag="reenable"):
    """Switch on again what switched itself off: a market by its ticker, ``automatic``, or ``drawdown``."""

    name: str
    confirm: str = ""
    """Typed word, ``enable``."""
    reason: str = ""


class SetMode(Command, frozen=True, tag="mode"):
    mode: str
    """``semi`` at once; ``auto`` with the typed word ``automatic``."""
    confirm: str = ""
    reason: str = ""


class Halt(Command, frozen=True, tag="halt"):
    """Stop entries and cancel every order of ours. Durable."""

    reason: str = ""


class Resume(Command, frozen=True, tag="resume"):
    """Lift a halt after a clean reconcile; comes up semi-automatic with entries paused."""

    confirm: str = ""
    """Typed word, ``resume``."""
    reason: str = ""
    scope: str = ""
    """``desk``, ``KAL``, an event or a market; empty lifts every halt."""


class Arm(Command, frozen=True, tag="arm"):
    """Let entries leave with real money; asks for the profile's phrase, a reason and a clean doctor."""

    confirm: str = ""
    reason: str = ""


class Disarm(Command, frozen=True, tag="disarm"):
    """Stop entries and cancel the resting ones. Instant."""

    reason: str = ""


class Flatten(Command, frozen=True, tag="flatten"):
    """Halt, cancel everything, count down, then reduce-only exits. Joins a running flatten."""

    now: bool = False
    sent_ns: int = 0
    include_external: bool = False
    """Also cancel orders of the account that were not placed here: only for whoever is in control."""


class AbortFlatten(Command, frozen=True, tag="abort_flatten"):
    pass


class SkipWait(Command, frozen=True, tag="skip_wait"):
    pass


class HurryExits(Command, frozen=True, tag="hurry_exits"):
    """Exits under way reach down to the widest protection at once."""


class DrillWatchdog(Command, frozen=True, tag="drill_watchdog"):
    """Fall silent until the watchdog cancels everything; leaves the desk halted."""


class RestExit(Command, frozen=True, tag="rest_exit"):
    """Let an exit of everything held in a market wait at a price."""

    ticker: str
    price: int
    """In terms of the outcome held."""


class SetLimit(Command, frozen=True, tag="limit"):
    """Lower at once; raise up to the configured ceiling with the typed word ``raise`` and a reason."""

    name: str
    value: str
    confirm: str = ""
    reason: str = ""


class Acknowledge(Command, frozen=True, tag="ack"):
    alarm_id: int


def alarm_number(text: str) -> int | None:
    """The number of an alarm as a person types it; ``None`` when it cannot be one."""
    return int(text) if text.isdecimal() and len(text) <= ALARM_DIGITS_MAX else None


class Shelve(Command, frozen=True, tag="shelve"):
    """Put a CHECK alarm aside: listed, and counted nowhere, until the time is over or it gets worse."""

    alarm_id: int
    minutes: int
    reason: str = ""


class Unshelve(Command, frozen=True, tag="unshelve"):
    alarm_id: int


_SPAN = re.compile(r"([1-9][0-9]{0,4})([mh])", re.ASCII)


def shelf_minutes(text: str) -> int | None:
    """Minutes of a time as a person types it, such as ``30m`` or ``2h``; ``None`` when it is none."""
    found = _SPAN.fullmatch(text)
    return int(found[1]) * (60 if found[2] == "h" else 1) if found is not None else None


class TellOutside(Command, frozen=True, tag="tell_outside"):
    """Send a test to the webhook of the alarms; the query ``system`` tells what came of it."""


class AcknowledgeAll(Command, frozen=True, tag="ack_all"):
    pass


class Reconcile(Command, frozen=True, tag="reconcile"):
    """Read the account now."""


class Accept(Command, frozen=True, tag="accept"):
    """Take the venue's count of a position that no fill explains, or of the cash, for the truth."""

    what: str
    """Market ticker, or ``cash``."""
    confirm: str = ""
    """Typed word, ``accept``."""
    reason: str = ""


class Resolve(Command, frozen=True, tag="resolve"):
    """End the look-up of an UNKNOWN order by hand: it never arrived, or it is the venue's ``found``."""

    order: str
    found: str = ""
    """The venue's order id; empty: it never arrived."""
    confirm: str = ""
    """Typed word, ``resolve``."""
    reason: str = ""


class LinkMarkets(Command, frozen=True, tag="link_markets"):
    """Two markets on two venues are the same question: pin both rules texts and compare them from now on."""

    first: str
    second: str
    quantity: int
    """How many to compare, in millionths of a contract."""
    opposite: bool = False
    """YES of one is NO of the other."""


class UnlinkMarkets(Command, frozen=True, tag="unlink_markets"):
    """They are compared no longer. Either may be named first."""

    first: str
    second: str


class ConfirmRelease(Command, frozen=True, tag="confirm_release"):
    """The economic release that the desk awaits is out."""

    kind: str
    """``CPI``, ``JOBS``, ``GDP`` or ``FOMC``."""


class EnterView(Command, frozen=True, tag="enter_view"):
    """What a figure to come is expected to be, as typed."""

    kind: str
    released: str
    """New York's date on which it comes, or ``next``."""
    centre: str
    """``consensus``, ``nowcast`` or ``own``."""
    value: str
    source: str
    sd: str = ""
    """Standard deviation of the figure around it; empty where none is said."""


class ConfirmSource(Command, frozen=True, tag="confirm_source"):
    """The rules of a series were read, and whose word settles its markets is understood."""

    series: str
    mark: str
    """Of the text that was read, see the query ``rules``."""


class ConfirmFixture(Command, frozen=True, tag="confirm_fixture"):
    """A market is about a game of a source, see the query ``games``."""

    ticker: str
    game: str
    """The source's id of it."""
    team: str = ""
    """Whose win the market pays; empty where its own words say so."""


class TakeControl(Command, frozen=True, tag="take"):
    pass


class StopEngine(Command, frozen=True, tag="stop"):
    reason: str = ""
    how: str = "cancel"
    """``cancel`` what rests, ``keep`` it to its expiry, or ``flatten`` first."""


class TryFeed(Command, frozen=True, tag="try_feed"):
    """Ask a source once, now; the query ``source`` tells what came of it."""

    source: str


class Query(Command, frozen=True, tag="query"):
    """One of the queries of ``core/control/queries``; ``Reply.data`` is JSON."""

    what: str
    about: str = ""
    """Ticker of the market or name of the source asked about, where the query is about one."""


AnyCommand = (
    Approve
    | Veto
    | Defer
    | Edit
    | CancelOrder
    | CancelMarket
    | Propose
    | Amend
    | Pause
    | Unpause
    | Reenable
    | SetMode
    | Halt
    | Resume
    | Arm
    | Disarm
    | Flatten
    | AbortFlatten
    | SkipWait
    | HurryExits
    | RestExit
    | DrillWatchdog
    | SetLimit
    | Acknowledge
    | AcknowledgeAll
    | Shelve
    | Unshelve
    | TellOutside
    | Reconcile
    | Accept
    | Resolve
    | LinkMarkets
    | UnlinkMarkets
    | ConfirmRelease
    | ConfirmFixture
    | ConfirmSource
    | EnterView
    | TakeControl
    | StopEngine
    | TryFeed
    | Query
)


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """Answer to the command of the same id. ``text`` is a sentence for a person either way."""

    id: str
    accepted: bool
    text: str
    data: bytes = b""


# --- state --------------------------------------------------------------------------------------


class Frame(msgspec.Struct, frozen=True, tag="frame", omit_defaults=True):
    """Latest values of changed rows. ``full`` frames replace everything, in ``parts`` parts."""

    seq: int
    made_ns: int
    full: bool = False
    part: int = 0
    parts: int = 1
    status: StatusRow | None = None
    statics: tuple[MarketStatic, ...] = ()
    markets: tuple[MarketRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    proposals: tuple[ProposalRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    positions: tuple[PositionRow, ...] = ()
    pairs: tuple[PairRow, ...] = ()
    limits: tuple[LimitRow, ...] = ()
    alarms: tuple[AlarmRow, ...] = ()
    journal: tuple[JournalRow, ...] = ()
    flatten: FlattenRow | None = None
    reading: ReadingRow | None = None
    gone_markets: tuple[int, ...] = ()
    gone_events: tuple[str, ...] = ()
    gone_proposals: tuple[str, ...] = ()
    gone_orders: tuple[str, ...] = ()
    gone_positions: tuple[int, ...] = ()
    gone_pairs: tuple[tuple[str, str], ...] = ()
    gone_limits: tuple[tuple[str, str], ...] = ()
    gone_alarms: tuple[int, ...] = ()


class Bye(msgspec.Struct, frozen=True, tag="bye"):
    """The engine ends the connection on purpose."""

    reason: str


FromEngine = Welcome | Refused | Reply | Frame | Bye
FromClient = Hello | AnyCommand
