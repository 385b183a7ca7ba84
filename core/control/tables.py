"""The rows a desk is shown as: what stands in the tables of a ``Frame`` and in the answer to a query.

Rows are arrays on the wire: positions are the format, so a field is added at the end or the version is
raised. Prices are ten-thousandths of a dollar, quantities millionths of a contract, money millionths of a
dollar (``core/domain/units.py``). ``_ns`` is the machine's clock that only goes forward (``machine_ns``),
which both sides share; ``wall_ms`` is real, ``world_ms`` is world time, both Unix milliseconds. Ages are
computed by whoever draws, so a quiet desk sends nothing.
"""

from __future__ import annotations

import msgspec


class BeatRow(msgspec.Struct, frozen=True, array_like=True):
    """The dead-man switch of a venue that ends our orders when it hears no beat of ours."""

    ends_ns: int | None
    """When it cancels everything at the earliest without a further beat; ``None``: it is not armed."""
    missed: int
    """Beats in a row it has not accepted."""
    why: str
    """Why nothing is opened there; empty while the switch is armed and beats arrive."""


class LinkRow(msgspec.Struct, frozen=True, array_like=True):
    """A venue and its connection. ``state``: ``ok``, ``DOWN``, ``connecting``, ``PAUSED``."""

    venue: str
    state: str
    heartbeat_ns: int
    detail: str
    retry_at_ns: int | None
    sequence: int = 0
    """Number of the last book message applied."""
    lag_ms: int | None = None
    """From the venue's edge into the book, 99th percentile of the last second."""
    opens_wall_ms: int | None = None
    """``PAUSED``: when the venue says that it takes orders again."""
    beat: BeatRow | None = None
    """``None`` where resting orders end by their own expiry."""
    settles_later: bool = False
    """Whether what is bought there can be sold only once its trade is confirmed."""
    halt: str = ""
    """What holds this venue alone back, level and cause; empty for nothing."""


class BudgetRow(msgspec.Struct, frozen=True, array_like=True):
    """One quota of a provider."""

    left: int
    most: int
    unit: str
    """``calls`` or ``credits``."""
    per: str
    """``second``, ``minute``, ``hour``, ``day`` or ``month``."""
    whole_world_ms: int
    """When all of it is there again."""


class FeedRow(msgspec.Struct, frozen=True, array_like=True):
    """A source. ``state``: ``ok``, ``closed``, ``WAITING``, ``STALE``, ``DOWN``, ``AUTH``, ``SPENT`` or
    ``OFF``."""

    name: str
    state: str
    newest_world_ms: int | None
    received_ns: int | None
    stale_after_s: int
    retry_at_ns: int | None
    detail: str
    """Its last error, or what is awaited or old; of one that is off why, and what turns it on."""
    source: str = ""
    """Its name in the configuration and on the command line."""
    family: str = ""
    latency_ms: int | None = None
    """Of its last answer; of one that tells by itself from the value's own time to its receipt."""
    budget: tuple[BudgetRow, ...] = ()
    unchanged: int = 0
    """Answers in a row that said nothing new."""
    apart_bp: float | None = None
    """How far its quotes are from the nearest other source's of the same name, at worst; ``None``: nobody
    else has one."""
    too_far: bool = False
    """More than two honest sources of a currency pair differ."""


class FixtureRow(msgspec.Struct, frozen=True, array_like=True):
    """A market of this desk and the game it is about, or may be."""

    ticker: str
    source: str
    game: str
    """The source's id of it."""
    home: str
    away: str
    starts_world_ms: int
    team: str
    """Whose win the market pays; empty where its words leave that open."""
    confirmed: bool
    confidence: float
    """Of a suggestion, 0 to 1."""
    why: str


class ToldRow(msgspec.Struct, frozen=True, array_like=True):
    """One value as a source told it last."""

    source: str
    about: str
    """``EUR/USD``, ``DVOL BTC``, a game or a release."""
    said: str
    event_world_ms: int
    stale_after_s: int
    """0 where it does not grow old."""


class SourceRow(msgspec.Struct, frozen=True, array_like=True):
    """One source in full, asked for: too much for a frame."""

    source: str
    gives: str
    credit: str
    """Who made the data, where its licence asks for it."""
    costs: str
    """What a test of it asks and costs."""
    tests: int
    """How many tests have ended."""
    passed: bool
    """Of the last of them."""
    found: str
    values: tuple[ToldRow, ...]


class ReleaseRow(msgspec.Struct, frozen=True, array_like=True):
    """A kind of economic release. ``state``: ``clear``, ``BLACKOUT``, ``PENDING``, ``UNKNOWN``."""

    kind: str
    state: str
    last_world_ms: int | None
    """When the newest one was due."""
    next_world_ms: int | None
    certainty: str
    """How the next one's time is known: ``stated``, ``usual time`` or ``tentative``."""
    source: str
    """Whose calendar says so."""
    made_world_ms: int | None
    """When the newest calendar that knows the next one was made."""
    detail: str
    """Why no calendar can be relied on; empty where one can."""
    before_s: int
    after_s: int
    """World seconds around its time in which nothing is opened where it moves prices."""
    markets: int
    """Of this desk, that it moves."""


class CountsRow(msgspec.Struct, frozen=True, array_like=True):
    """Orders of the P&L day."""

    placed: int
    filled: int
    cancelled: int
    rejected: int
    unknown: int


class StatusRow(msgspec.Struct, frozen=True, array_like=True):
    """Everything the status bar says, once."""

    profile: str
    mode: str
    """``semi`` or ``auto``."""
    level: str
    """``NORMAL``, ``REDUCE_ONLY``, ``HALTED``, ``FLATTENING`` or ``LOCKED``."""
    level_reason: str
    paused: tuple[str, ...]
    """Paused strategies; ``*`` means all entries."""
    starting: tuple[tuple[str, bool], ...]
    """Start-up checklist with a tick each; empty once ready."""
    links: tuple[LinkRow, ...]
    feeds: tuple[FeedRow, ...]
    unknown: int
    exposure: int
    exposure_limit: int
    open_pnl: int | None
    today_pnl: int | None
    orders: int
    order_limit: int
    controller: str
    """Who has control: ``pid 4711 (uid 1000)``; empty when nobody."""
    controller_session: str
    viewers: int
    cash: int | None
    world_origin_ms: int
    real_origin_ms: int
    speed: float
    world_id: str
    replay: str
    """Original dates of a replayed scenario, empty on real data."""
    counts: CountsRow
    best: str
    """Why there is nothing to decide: the best edge and what it lacks."""
    read_ns: int | None
    """When orders and positions were last read completely from the venue; ``None`` = not yet."""
    problem: str
    """A standing fault of the desk itself, such as ``NO JOURNAL`` or ``CLOCK +2.1s``."""
    unattended_until_ns: int | None
    """Automatic mode without a console goes on until then."""
    armed: bool = True
    """Whether entries may leave; false on a desk with real money until it is armed."""
    arm_phrase: str = ""
    """What arming asks to be typed; empty where nothing has to be armed."""
    groups: str = ""
    """Safety groups at the venue: ``armed``, ``triggered`` or ``not armed``."""
    watchdog: str = ""
    """``ok``, ``GONE`` or ``UNFIT``; empty where none is expected."""
    renewals: str = ""
    """Why resting orders are left to die; empty while they are renewed."""
    releases: tuple[ReleaseRow, ...] = ()


class MarketStatic(msgspec.Struct, frozen=True, array_like=True):
    """What does not tick. ``key`` stands for the market in every other row."""

    key: int
    venue: str
    ticker: str
    event: str
    label: str
    event_label: str
    title: str
    close_world_ms: int
    bands: tuple[tuple[int, int, int], ...]
    """Tick grid: start, end, step."""
    station: str


class MarketRow(msgspec.Struct, frozen=True, array_like=True):
    key: int
    bid: int | None
    ask: int | None
    bid_size: int
    ask_size: int
    moved: int
    """Sign of the last change of (bid, ask): -1, 0, +1 packed as bid + 3 * ask, both shifted by one."""
    message_ms: int
    """Monotonic milliseconds of the last message applied to the book."""
    intact: bool
    """Whether the link's heartbeat vouches for the book since then."""
    fair: int | None
    sigma: int | None
    edge: int | None
    edge_word: str
    """``stale``, ``quar``, ``conf`` (it waits for the operator's word on the settlement) or empty."""
    change: int | None
    """Fair value change over the last hour of world time."""
    net: int
    """Our net position, + YES / - NO."""
    mark: str
    """Our best working order ``15b44``, ``card``, or empty."""
    status: str
    """Market status word when it is not ``active``, else empty."""
    model: int | None = None
    """What the model says alone; ``fair`` is both pooled."""
    market: int | None = None
    """What the market says as a forecast; ``None`` where it is not pooled."""
    weight: float | None = None
    """Of the model in the pool."""


class BracketRow(msgspec.Struct, frozen=True, array_like=True):
    key: int
    label: str
    model: int
    """What the model says alone, in ten-thousandths."""
    book: int | None
    """Book mid in ten-thousandths."""
    fair: int | None
    """Model and market pooled; ``None`` while there is no price: ``model`` is what the newest one said."""
    edge: int | None
    sigma: int
    market: int | None = None
    """What the market says as a forecast: the others' mids, normalised; ``None`` where it is not pooled."""


class InputRow(msgspec.Struct, frozen=True, array_like=True):
    name: str
    event_world_ms: int
    stale_after_s: int


class EventRow(msgspec.Struct, frozen=True, array_like=True):
    """One event's distribution against its brackets."""

    event: str
    label: str
    model: str
    version: str
    mean: float | None
    spread: float | None
    close_world_ms: int
    extreme: int | None
    """Running maximum observed, whole degrees."""
    inputs: tuple[InputRow, ...]
    brackets: tuple[BracketRow, ...]
    score: str
    refusal: str
    """Why there is no fair value, empty when there is one."""
    evidence: tuple[str, ...]
    weight: float = 1.0
    """Of the model in the pool."""
    record: str = ""
    """What the model's record is worth, one sentence."""
    unpooled: str = ""
    """Why the model stands alone in one of its markets and is not traded on there."""
    proven: bool = True
    """Whether automatic mode may open on it."""


class BinRow(msgspec.Struct, frozen=True, array_like=True):
    """Contracts of like probability: what was said, how many paid, and the 95 % interval of that share."""

    low: float
    high: float
    contracts: int
    said: float
    paid: float
    paid_low: float
    paid_high: float


class ScoreRow(msgspec.Struct, frozen=True, array_like=True):
    """A model's record on one series, asked for. Losses are in nats an event, each with one standard error
    clustered by day; what cannot be said is ``None``."""

    series: str
    model: str
    simulated: bool
    looks: int
    days: int
    crps: float | None
    crps_se: float | None
    log_loss: tuple[float, float, float]
    """Of the model alone, of the market, and of both pooled."""
    log_loss_se: tuple[float | None, float | None, float | None]
    brier: tuple[float, float, float]
    gain: float
    gain_se: float | None
    cover: tuple[float, ...]
    """Of the central 50, 80 and 90 %; empty where outcomes have no order."""
    pit: tuple[float, ...]
    pit_mean: float | None
    pit_far: float | None
    bins: tuple[BinRow, ...]
    beaten: float | None
    beaten_se: float | None
    verdict: str
    """``proven``, ``insufficient`` or ``worthless``."""
    weight: float
    why: str


class StopRow(msgspec.Struct, frozen=True, array_like=True):
    """Why markets went no further than a stage of the funnel."""

    why: str
    markets: int
    examples: tuple[str, ...]
    """Tickers of the first of them."""


class StageRow(msgspec.Struct, frozen=True, array_like=True):
    """One stage of the funnel, asked for: it is made when somebody looks."""

    stage: str
    """``seen``, ``mapped``, ``modelled``, ``fresh``, ``edge``, ``gated`` or ``proposed``."""
    reached: int
    """Markets that came at least so far."""
    here: int
    """And no further."""
    reasons: tuple[StopRow, ...]
    """Those that came no further are each under one of them."""


class UsedRow(msgspec.Struct, frozen=True, array_like=True):
    """One limit on a card: used now, what this order adds, and the limit (money)."""

    name: str
    used: int
    adds: int
    limit: int


class CheckRow(msgspec.Struct, frozen=True, array_like=True):
    """A gate check that did not pass, or passed with a warning."""

    code: str
    text: str
    clears: str
    blocks: bool


class LegRow(msgspec.Struct, frozen=True, array_like=True):
    """One order of a plan."""

    key: int
    outcome: str
    """Bought."""
    price: int
    """In terms of the outcome."""
    quantity: int


class PlanRow(msgspec.Struct, frozen=True, array_like=True):
    """Orders that are decided on together."""

    kind: str
    legs: tuple[LegRow, ...]
    """In the order in which they leave."""
    pays: int
    """All of it, in the worst outcome with every leg filled."""
    profit: int
    worst: int
    """Most that can be lost, whichever legs fail."""
    cautions: tuple[str, ...]
    """What can still go wrong; the first says what failing legs cost."""


class ProposalRow(msgspec.Struct, frozen=True, array_like=True):
    """One card, in the order of its lines."""

    id: str
    fingerprint: str
    key: int
    strategy: str
    state: str
    """``OPEN``, ``MOVED``, ``BLOCKED``, ``SENT``, ``EXPIRED``, ``VETOED``, ``WITHDRAWN``, ``DEFERRED``."""
    closes: bool
    outcome: str
    """``YES`` or ``NO``; bought, or sold when ``closes``."""
    price: int
    """In terms of the outcome."""
    quantity: int
    style: str
    """``post-only``, ``IOC``."""
    cost: int
    fee: int
    fee_role: str
    max_loss: int
    max_gain: int
    fair: int
    """In terms of the outcome, like ``price``."""
    sigma: int
    bid: int | None
    ask: int | None
    edge: int
    edge_half: int
    kelly_used: float
    kelly_full: float
    """Of the bankroll."""
    shrink: float
    """What is made of it for estimation error, besides ``kelly_used``."""
    bound_by: str
    ahead: int
    """Contracts resting at our price or better."""
    fill: float
    """Share of an entry expected to fill within an hour, by what is ahead of it."""
    spread_ticks: int
    share: float
    """Share of the visible depth this order would take or join."""
    position: int
    position_after: int
    used: tuple[UsedRow, ...]
    """Market, event, venue, total."""
    oldest: InputRow | None
    settles: str
    why: str
    against: str
    created_ns: int
    changed_ns: int
    """When the fingerprint last changed; arming counts from here or from selection."""
    expires_ns: int
    checks: tuple[CheckRow, ...]
    was_price: int | None
    was_quantity: int | None
    large: bool
    """Asks for the outcome's letter before it is sent."""
    evidence: tuple[str, ...]
    model: int | None = None
    """What the model says alone, in terms of the outcome."""
    market: int | None = None
    """What the market says, likewise."""
    weight: float = 1.0
    """Of the model in ``fair``."""
    plan: PlanRow | None = None
    """Where the card is a plan. Market, outcome, price and position above are then of its first leg; cost,
    fee, losses and gains of all of them, and ``edge`` is the profit of a set."""


class OrderRow(msgspec.Struct, frozen=True, array_like=True):
    client_order_id: str
    order_id: str
    key: int
    closes: bool
    outcome: str
    price: int
    quantity: int
    filled: int
    leaves: int
    ahead: int | None
    state: str
    reason: str
    created_ns: int
    expires_wall_ms: int | None
    next_check_ns: int | None
    """UNKNOWN orders: when the venue is asked again."""
    bound: str
    """UNKNOWN orders: the worst it could still do."""
    external: bool
    ended_ns: int | None
    venue: str = ""
    unsettled: int = 0
    """Of what is filled: contracts whose trade may still fail."""
    failed: int = 0
    """Contracts the venue matched and that never were: their trade failed to settle."""
    said: str = ""
    """The venue's own word for a working order that does not simply rest, such as delayed."""


class PositionRow(msgspec.Struct, frozen=True, array_like=True):
    key: int
    """Negative for a market that is not on the desk."""
    net: int
    average: int | None
    cost: int
    max_loss: int
    open_pnl: int | None
    exit_price: int | None
    fair: int | None
    today: int
    exit_rule: str
    venue_net: int | None
    """What the venue says when it differs from us, else ``None``."""
    ticker: str = ""
    """The venue's name of a market that is not on the desk, else empty."""
    unsettled: int = 0
    """Contracts of it whose trade may still fail: they cannot be sold yet."""
    failed: int = 0
    """Contracts of this market whose trade failed to settle, and that never were."""
    pairs: int = 0
    """YES and NO held together beside ``net``: worth a dollar a pair, to be merged on the venue's page."""
    redeemable: int = 0
    """Winning contracts that wait to be paid out by hand, on the venue's page."""
    page: str = ""
    """That page; empty where nothing is to be done there."""
    venue: str = ""
    sellable: int = 0
    """Contracts an exit may sell now: confirmed, and in no order that sells them already."""
    dust: bool = False
    """Whether all of it is less than the venue's smallest order: it stays until the market resolves."""


class RulesRow(msgspec.Struct, frozen=True, array_like=True):
    """The rules text of one market, sanitised; too long for every frame, so asked for by query."""

    ticker: str
    venue: str
    text: str
    hash: str
    pinned: str
    """Hash of the text that counts on this desk."""
    series: str = ""
    mark: str = ""
    """Of the text as all markets of its series share it: what a confirmation is of."""
    waits: str = ""
    """Why nothing is opened there before a person has confirmed something; empty where nothing waits."""


class WayRow(msgspec.Struct, frozen=True, array_like=True):
    """An outcome of each market of a linked pair, bought together from what both books show."""

    first: str
    """``YES`` or ``NO`` of the first market."""
    second: str
    quantity: int
    """Pairs both books have, at most what the pair compares; 0 when ``why`` says that there is no way."""
    cost: int
    fee: int
    """The most that both venues' takers' fees come to."""
    difference: int | None
    """A contract, net of fees, in ten-thousandths of a dollar; ``None`` when ``why`` says so."""
    why: str


class PairRow(msgspec.Struct, frozen=True, array_like=True):
    """Two markets linked as the same question on two venues. A comparison, never a hedge."""

    first: str
    """The venue's name of the first market."""
    second: str
    first_key: int
    """0 for a market that is not on the desk."""
    second_key: int
    opposite: bool
    """Whether YES of one is NO of the other."""
    state: str
    """``linked`` or ``unpinned``."""
    why: str
    """What unpinned it."""
    quantity: int
    """How many are compared."""
    ways: tuple[WayRow, ...]
    """YES of the first market, then NO; none while it is unpinned."""
    apart: tuple[str, ...]
    """What is known to differ between the two, in words."""
    by: str
    """Who linked them."""
    wall_ms: int
    """And when."""
    first_ms: int
    """Monotonic milliseconds of the last message applied to the book; 0 without one."""
    second_ms: int
    caution: str
    """Why none of it is riskless."""


class LimitRow(msgspec.Struct, frozen=True, array_like=True):
    name: str
    label: str
    rule: str
    unit: str
    """Word of ``core.risk.limits.Unit``: what the integers count."""
    used: int | None
    limit: int
    ceiling: int
    scope: str
    """Market ticker, event ticker, or empty for the whole desk."""
    fills_up: bool = True
    """Whether it has a bar; bounds of one order and readings of health have none."""
    floor: bool = False
    """Whether it is a minimum: higher is tighter."""


class AlarmRow(msgspec.Struct, frozen=True, array_like=True):
    id: int
    level: str
    """``ACT``, ``CHECK`` or ``NOTE``."""
    since_world_ms: int
    since_ns: int
    what: str
    effect: str
    clears: str
    acknowledged: bool
    active: bool
    scope: str = ""
    """What stands still for it, as ``resume`` names it: ``desk``, a venue, an event or a market."""


class JournalRow(msgspec.Struct, frozen=True, array_like=True):
    seq: int
    wall_ms: int
    kind: str
    text: str
    order_id: str


class DifferenceRow(msgspec.Struct, frozen=True, array_like=True):
    """Something our record and the venue's disagree on, both sides in words."""

    row: str
    """Its row of the table of differences, ``R1`` to ``R18``."""
    about: str
    """``order``, ``fill``, ``position`` or ``cash``."""
    key: int
    """Market; 0 for cash and markets that are not on the desk."""
    ticker: str
    subject: str
    """Order or trade id; empty for a position."""
    ours: str
    theirs: str
    since_ns: int
    reads: int
    """Complete readings that showed it."""
    acted: bool
    halts: str
    """What it stops once it is acted on, such as ``venue HALTED``; empty for nothing."""
    events: tuple[JournalRow, ...] = ()
    """Positions: what happened last to orders and fills of that market, oldest first."""
    venue: str = ""


class AccountRow(msgspec.Struct, frozen=True, array_like=True):
    """The last reading of one venue's account."""

    venue: str
    number: int
    """0 before the first."""
    at_ns: int
    complete: bool
    reason: str
    clean_ns: int | None
    doubt: str
    differences: int
    cash: int | None


class ReadingRow(msgspec.Struct, frozen=True, array_like=True):
    """The last reading of every account, as one: as old as the oldest, complete where all are."""

    number: int
    at_ns: int
    complete: bool
    reason: str
    """What started it, or what could not be read."""
    clean_ns: int | None
    """End of the last one in which everything agreed."""
    doubt: str
    """Why no entries leave before a clean one; empty when they may."""
    differences: tuple[DifferenceRow, ...]
    accounts: tuple[AccountRow, ...] = ()
    """One a venue."""


class FlattenVenueRow(msgspec.Struct, frozen=True, array_like=True):
    venue: str
    cancels_sent: int
    cancels_confirmed: int
    cancels_unknown: int
    exits_sent: int
    exits_filled: int
    left: int
    """Contracts still held."""
    groups: int = 0
    """Safety groups of entries."""
    groups_triggered: int = 0
    exits_resting: int = 0
    """Exits the operator lets rest."""
    phase: str = ""
    """Of this venue's own ladder; none waits for another."""
    pause: str = ""
    """Why this venue takes no exits now."""
    pause_until_wall_ms: int | None = None
    receipt: str = ""
    """Its own end; empty while it goes on."""


class FlattenRow(msgspec.Struct, frozen=True, array_like=True):
    """Progress of the stop ladder. ``phase``: ``CANCELLING``, ``COUNTDOWN``, ``EXITING``,
    ``VERIFYING``, ``FLAT``, ``ABORTED``, ``UNFLATTENED``."""

    phase: str
    started_ns: int
    exits_at_ns: int | None
    """End of the countdown."""
    scope: str
    by: str
    venues: tuple[FlattenVenueRow, ...]
    residue: tuple[str, ...]
    receipt: str
    """The final line, with the cost against mid."""
    pressed: int
    pause: str = ""
    """Why the venue takes no exits now, such as ``trading paused``."""
    pause_until_wall_ms: int | None = None
    urgent: bool = False
    """Exits reach down to the widest protection."""
    sweep: str = ""
    """``asked`` or ``done`` where every order of the account is cancelled; else empty."""
    can_abort: bool = False
    """Whether the positions can still be kept."""
    watches: bool = False
    """Whether the engine goes on looking at what an ``UNFLATTENED`` ladder left."""
