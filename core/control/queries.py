"""What ``pmconsole status|markets|proposals|orders|positions|limits --json`` answers, field by field.

One table a query: name, meaning, and where the value comes from. The same table makes the JSON and
its documentation. Prices, quantities and money are decimal strings of dollars and contracts, times
are RFC 3339 in UTC, ages and waits are seconds, and what is not known is ``null``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from core.control.tables import (
    AlarmRow,
    FeedRow,
    FixtureRow,
    FlattenRow,
    FlattenVenueRow,
    LimitRow,
    MarketRow,
    MarketStatic,
    OrderRow,
    PairRow,
    PositionRow,
    ProposalRow,
    ReadingRow,
    ReleaseRow,
    RulesRow,
    ScoreRow,
    SourceRow,
    StageRow,
    StatusRow,
    WayRow,
)
from core.domain.units import Money, Price, Quantity, money_text, price_text, quantity_text


class Now(NamedTuple):
    """When the answer is made, and the markets behind the keys."""

    mono_ns: int
    wall_ms: int
    world_ms: int
    statics: dict[int, MarketStatic]


class Field(NamedTuple):
    """One name of the answer."""

    name: str
    meaning: str
    value: Callable[[Any, Now], Any]


class Rows(NamedTuple):
    """The rows of the desk a query may read."""

    status: StatusRow
    markets: Iterable[MarketRow] = ()
    proposals: Iterable[ProposalRow] = ()
    orders: Iterable[OrderRow] = ()
    positions: Iterable[PositionRow] = ()
    limits: Iterable[LimitRow] = ()
    links: Iterable[PairRow] = ()
    rules: RulesRow | None = None
    feeds: Iterable[FeedRow] = ()
    source: SourceRow | None = None
    games: Iterable[FixtureRow] = ()
    funnel: Iterable[StageRow] = ()
    score: Iterable[ScoreRow] = ()
    releases: Iterable[ReleaseRow] = ()
    alarms: Iterable[AlarmRow] = ()
    flatten: FlattenRow | None = None
    reading: ReadingRow | None = None


def price(value: int | None) -> str | None:
    return None if value is None else price_text(Price(value))


def money(value: int | None) -> str | None:
    return None if value is None else money_text(Money(value))


def quantity(value: int | None) -> str | None:
    return None if value is None else quantity_text(Quantity(value))


def at(ms: int | None) -> str | None:
    """Unix milliseconds as RFC 3339, ``null`` when unknown."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age(ns: int | None, now: Now) -> float | None:
    """Seconds since a monotonic time."""
    return None if ns is None else round((now.mono_ns - ns) / 1e9, 3)


def wait(ns: int | None, now: Now) -> float | None:
    """Seconds until a monotonic time, never negative."""
    return None if ns is None else round(max(0, ns - now.mono_ns) / 1e9, 3)


def _world_age(ms: int | None, now: Now) -> float | None:
    return None if ms is None else round((now.world_ms - ms) / 1000, 1)


def _world_wait(ms: int | None, now: Now) -> float | None:
    return None if ms is None else round((ms - now.world_ms) / 1000, 1)


def _limit(row: LimitRow, value: int | None) -> str | int | None:
    text = {"money": money, "contracts": quantity, "price": price}.get(row.unit)
    return text(value) if text else value


def _ticker(row: Any, now: Now) -> str | None:
    static = now.statics.get(row.key)
    return None if static is None else static.ticker


def _label(row: Any, now: Now) -> str | None:
    static = now.statics.get(row.key)
    return None if static is None else static.label


def _side(row: ProposalRow | OrderRow, _: Now) -> str:
    return f"{'sell' if row.closes else 'buy'} {row.outcome}"


def _pause_left(row: FlattenRow | FlattenVenueRow, now: Now) -> float | None:
    until_ms = row.pause_until_wall_ms
    return None if until_ms is None else max(0.0, round((until_ms - now.wall_ms) / 1000, 1))


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _at(values: Sequence[float], at: int) -> float | None:
    return round(values[at], 4) if values else None


def _nested(table: tuple[Field, ...], rows: Iterable[Any], now: Now) -> list[dict[str, Any]]:
    return [_object(table, row, now) for row in rows]


BEAT: tuple[Field, ...] = (
    Field(
        "ends_in_s",
        "until it cancels every order of ours unless it hears a beat; null: not armed",
        lambda r, n: wait(r.ends_ns, n),
    ),
    Field("missed", "beats in a row it has not accepted", lambda r, n: r.missed),
    Field("why", "why nothing is opened there, empty while beats arrive", lambda r, n: r.why),
)

VENUES: tuple[Field, ...] = (
    Field("venue", "short name", lambda r, n: r.venue),
    Field("state", "ok, connecting, DOWN or PAUSED: it takes no orders", lambda r, n: r.state),
    Field("heartbeat_age_s", "since the last answered ping", lambda r, n: age(r.heartbeat_ns or None, n)),
    Field("retry_in_s", "until the next attempt", lambda r, n: wait(r.retry_at_ns, n)),
    Field("sequence", "number of the last book message applied", lambda r, n: r.sequence),
    Field(
        "lag_ms",
        "venue to book, milliseconds, 99th percentile of the last second; null when quiet",
        lambda r, n: r.lag_ms,
    ),
    Field("detail", "in words; what it answers while it is PAUSED", lambda r, n: r.detail),
    Field("opens", "when it says it takes orders again, real time", lambda r, n: at(r.opens_wall_ms)),
    Field("halt", "what holds this venue alone back, empty for nothing", lambda r, n: r.halt),
    Field("settles_later", "whether only what is confirmed there can be sold", lambda r, n: r.settles_later),
    Field(
        "beat",
        "its dead-man switch, see status.venues.beat; null where orders end by their own expiry",
        lambda r, n: None if r.beat is None else _object(BEAT, r.beat, n),
    ),
)

BUDGET: tuple[Field, ...] = (
    Field("per", "second, minute, hour, day or month", lambda r, n: r.per),
    Field("left", "what may still be asked in it", lambda r, n: r.left),
    Field("most", "of how much", lambda r, n: r.most),
    Field("unit", "calls or credits", lambda r, n: r.unit),
    Field("whole", "when all of it is there again, world time", lambda r, n: at(r.whole_world_ms)),
)

FEEDS: tuple[Field, ...] = (
    Field("feed", "short name", lambda r, n: r.name),
    Field("source", "its name in the configuration and for feeds test", lambda r, n: r.source),
    Field("family", "weather, forex, markets, sports or calendar", lambda r, n: r.family),
    Field("state", "ok, closed, WAITING, STALE, DOWN, AUTH, SPENT or OFF", lambda r, n: r.state),
    Field("data_age_s", "world seconds since the newest data", lambda r, n: _world_age(r.newest_world_ms, n)),
    Field("stale_after_s", "world seconds after which entries stop", lambda r, n: r.stale_after_s),
    Field("received_age_s", "since anything was received", lambda r, n: age(r.received_ns, n)),
    Field("retry_in_s", "until the next attempt", lambda r, n: wait(r.retry_at_ns, n)),
    Field("latency_ms", "of its last answer; of a stream from event to receipt", lambda r, n: r.latency_ms),
    Field("unchanged", "answers in a row that said nothing new", lambda r, n: r.unchanged),
    Field("apart_bp", "basis points from the nearest other source, or null", lambda r, n: r.apart_bp),
    Field("too_far", "whether honest sources of a pair differ by less", lambda r, n: r.too_far),
    Field("budget", "one object a quota, see status.feeds.budget", lambda r, n: _nested(BUDGET, r.budget, n)),
    Field(
        "detail",
        "the last error, or what is awaited; of one that is off how to turn it on",
        lambda r, n: r.detail,
    ),
)

TOLD: tuple[Field, ...] = (
    Field("about", "a pair, an index, a game, a release", lambda r, n: r.about),
    Field("said", "the value in words", lambda r, n: r.said),
    Field("event", "the value's own time, world time", lambda r, n: at(r.event_world_ms)),
    Field("age_s", "world seconds since then", lambda r, n: _world_age(r.event_world_ms, n)),
    Field("stale_after_s", "world seconds it may be used, or null", lambda r, n: r.stale_after_s or None),
)

SOURCE: tuple[Field, ...] = (
    Field("source", "its name", lambda r, n: r.source.source),
    Field("gives", "what is known by it", lambda r, n: r.source.gives),
    Field("credit", "who made the data, where its licence asks for it", lambda r, n: r.source.credit),
    Field("costs", "what a test of it asks and costs", lambda r, n: r.source.costs),
    Field("tests", "how many tests have ended", lambda r, n: r.source.tests),
    Field("passed", "whether the last one did", lambda r, n: r.source.passed),
    Field("found", "what it found, in words", lambda r, n: r.source.found),
    Field("values", "one object a value, see source.values", lambda r, n: _nested(TOLD, r.source.values, n)),
)

GAMES: tuple[Field, ...] = (
    Field("ticker", "market of this desk", lambda r, n: r.ticker),
    Field("game", "its source's id of the game", lambda r, n: r.game),
    Field("source", "who tells of it", lambda r, n: r.source),
    Field("home", "team", lambda r, n: r.home),
    Field("away", "team", lambda r, n: r.away),
    Field("starts", "world time", lambda r, n: at(r.starts_world_ms)),
    Field("team", "whose win the market pays; empty: its words leave that open", lambda r, n: r.team),
    Field("confirmed", "whether a person has said so", lambda r, n: r.confirmed),
    Field("confidence", "of a suggestion, 0 to 1", lambda r, n: r.confidence),
    Field("why", "what the suggestion rests on", lambda r, n: r.why),
)

STOPS: tuple[Field, ...] = (
    Field("why", "what keeps them there, in the words of the first", lambda r, n: r.why),
    Field("markets", "how many", lambda r, n: r.markets),
    Field("examples", "their tickers, at most fifty", lambda r, n: list(r.examples)),
)

FUNNEL: tuple[Field, ...] = (
    Field("stage", "seen, mapped, modelled, fresh, edge, gated or proposed", lambda r, n: r.stage),
    Field("reached", "markets that came at least so far", lambda r, n: r.reached),
    Field("here", "and no further", lambda r, n: r.here),
    Field("reasons", "one object a reason, see funnel.reasons", lambda r, n: _nested(STOPS, r.reasons, n)),
)

BINS: tuple[Field, ...] = (
    Field("low", "from this probability", lambda r, n: r.low),
    Field("high", "to this one", lambda r, n: r.high),
    Field("contracts", "how many were said to be so likely", lambda r, n: r.contracts),
    Field("said", "their mean probability", lambda r, n: round(r.said, 4)),
    Field("paid", "share of them that paid", lambda r, n: round(r.paid, 4)),
    Field("paid_low", "lower end of its 95 % interval", lambda r, n: round(r.paid_low, 4)),
    Field("paid_high", "upper end", lambda r, n: round(r.paid_high, 4)),
)

SCORE: tuple[Field, ...] = (
    Field("series", "whose events were forecast", lambda r, n: r.series),
    Field("model", "by which model", lambda r, n: r.model),
    Field("simulated", "whether all of it happened in a simulated world", lambda r, n: r.simulated),
    Field("looks", "forecasts with an outcome", lambda r, n: r.looks),
    Field("days", "days they are of: what errors are clustered by", lambda r, n: r.days),
    Field("crps", "mean CRPS of the model's law, degrees F; null without one", lambda r, n: _round(r.crps)),
    Field("crps_se", "its standard error", lambda r, n: _round(r.crps_se)),
    Field("log_loss_model", "nats an event, of the model alone", lambda r, n: _round(r.log_loss[0])),
    Field("log_loss_model_se", "its standard error", lambda r, n: _round(r.log_loss_se[0])),
    Field("log_loss_market", "of the market", lambda r, n: _round(r.log_loss[1])),
    Field("log_loss_market_se", "its standard error", lambda r, n: _round(r.log_loss_se[1])),
    Field("log_loss_pooled", "of both pooled, as it was traded on", lambda r, n: _round(r.log_loss[2])),
    Field("log_loss_pooled_se", "its standard error", lambda r, n: _round(r.log_loss_se[2])),
    Field("brier_model", "of an event, of the model alone", lambda r, n: _round(r.brier[0])),
    Field("brier_market", "of the market", lambda r, n: _round(r.brier[1])),
    Field("brier_pooled", "of both pooled", lambda r, n: _round(r.brier[2])),
    Field("gain", "of the pool on the market sharpened alone, out of sample", lambda r, n: _round(r.gain)),
    Field("gain_se", "its standard error", lambda r, n: _round(r.gain_se)),
    Field("cov50", "outcomes in the central half of the law", lambda r, n: _at(r.cover, 0)),
    Field("cov80", "in its central 80 %", lambda r, n: _at(r.cover, 1)),
    Field("cov90", "in its central 90 %", lambda r, n: _at(r.cover, 2)),
    Field("pit", "share of outcomes in each tenth of the law", lambda r, n: [round(p, 4) for p in r.pit]),
    Field("pit_mean", "0.5 without bias", lambda r, n: _round(r.pit_mean)),
    Field("pit_ks", "largest distance from the uniform", lambda r, n: _round(r.pit_far)),
    Field("bins", "reliability of the pooled figures, see score.bins", lambda r, n: _nested(BINS, r.bins, n)),
    Field("clv", "closing-line value of what was bought: mean log ratio", lambda r, n: _round(r.beaten)),
    Field("clv_se", "its standard error", lambda r, n: _round(r.beaten_se)),
    Field("verdict", "proven, insufficient or worthless", lambda r, n: r.verdict),
    Field("weight", "of the model in the pool by this record", lambda r, n: _round(r.weight)),
    Field("why", "what the verdict rests on", lambda r, n: r.why),
)

RELEASES: tuple[Field, ...] = (
    Field("kind", "CPI, JOBS, GDP or FOMC", lambda r, n: r.kind),
    Field("state", "clear, BLACKOUT, PENDING or UNKNOWN", lambda r, n: r.state),
    Field("last_age_s", "world seconds since the last was due", lambda r, n: _world_age(r.last_world_ms, n)),
    Field("next_in_s", "world seconds until the next one", lambda r, n: _world_wait(r.next_world_ms, n)),
    Field("certainty", "stated, usual time or tentative", lambda r, n: r.certainty),
    Field("calendar", "whose date that is", lambda r, n: r.source),
    Field("calendar_age_s", "world seconds since it was made", lambda r, n: _world_age(r.made_world_ms, n)),
    Field("before_s", "world seconds before it without entries", lambda r, n: r.before_s),
    Field("after_s", "world seconds after it without entries", lambda r, n: r.after_s),
    Field("markets", "how many of this desk it moves", lambda r, n: r.markets),
    Field("detail", "why no calendar can be relied on", lambda r, n: r.detail),
)

ALARMS: tuple[Field, ...] = (
    Field("id", "number", lambda r, n: r.id),
    Field("level", "ACT, CHECK or NOTE", lambda r, n: r.level),
    Field("age_s", "since it was raised", lambda r, n: age(r.since_ns, n)),
    Field("what", "the condition", lambda r, n: r.what),
    Field("effect", "effect on trading", lambda r, n: r.effect),
    Field("clears", "what clears it", lambda r, n: r.clears),
    Field("acknowledged", "whether somebody saw it", lambda r, n: r.acknowledged),
    Field("active", "whether the cause still stands", lambda r, n: r.active),
    Field("scope", "what stands still for it, as resume names it", lambda r, n: r.scope),
)

FLATTEN_VENUES: tuple[Field, ...] = (
    Field("venue", "short name", lambda r, n: r.venue),
    Field("cancels_sent", "orders asked to cancel", lambda r, n: r.cancels_sent),
    Field("cancels_confirmed", "proved cancelled", lambda r, n: r.cancels_confirmed),
    Field("cancels_unknown", "not answered yet", lambda r, n: r.cancels_unknown),
    Field("exits_sent", "exit orders sent", lambda r, n: r.exits_sent),
    Field("exits_filled", "exit orders filled", lambda r, n: r.exits_filled),
    Field("left", "contracts still held", lambda r, n: quantity(r.left)),
    Field("groups", "safety groups of entries", lambda r, n: r.groups),
    Field("groups_triggered", "of these triggered", lambda r, n: r.groups_triggered),
    Field("exits_resting", "exits the operator lets rest", lambda r, n: r.exits_resting),
    Field("phase", "of this venue alone, see flatten.phase", lambda r, n: r.phase),
    Field("pause", "why it takes no exits now, else empty", lambda r, n: r.pause),
    Field("pause_left_s", "until it says it opens again", _pause_left),
    Field("receipt", "its own closing line", lambda r, n: r.receipt),
)

FLATTEN: tuple[Field, ...] = (
    Field(
        "phase",
        "CANCELLING, COUNTDOWN, EXITING, VERIFYING, FLAT, ABORTED or UNFLATTENED",
        lambda r, n: r.phase,
    ),
    Field("running_s", "since it began", lambda r, n: age(r.started_ns, n)),
    Field("exits_in_s", "until the first exit", lambda r, n: wait(r.exits_at_ns, n)),
    Field("scope", "what it covers", lambda r, n: r.scope),
    Field("by", "who began it", lambda r, n: r.by),
    Field(
        "venues",
        "one object a venue, see flatten.venues",
        lambda r, n: _nested(FLATTEN_VENUES, r.venues, n),
    ),
    Field("residue", "what is left and why", lambda r, n: list(r.residue)),
    Field("pause", "why the venue takes no exits now, else empty", lambda r, n: r.pause),
    Field("pause_left_s", "until it says it opens again", _pause_left),
    Field("urgent", "whether exits reach down to the widest protection", lambda r, n: r.urgent),
    Field("sweep", "asked or done where every order of the account goes", lambda r, n: r.sweep),
    Field(
        "watches", "whether what was left is looked at again and sold when it can be", lambda r, n: r.watches
    ),
    Field("receipt", "the closing line with the cost against mid", lambda r, n: r.receipt),
)

STATUS: tuple[Field, ...] = (
    Field("profile", "profile name", lambda r, n: r.status.profile),
    Field("mode", "semi or auto", lambda r, n: r.status.mode),
    Field("level", "NORMAL, REDUCE_ONLY, HALTED, FLATTENING or LOCKED", lambda r, n: r.status.level),
    Field("level_reason", "why it is not NORMAL", lambda r, n: r.status.level_reason),
    Field("ready", "whether start-up is complete", lambda r, n: not r.status.starting),
    Field("starting", "start-up steps, true when done", lambda r, n: dict(r.status.starting)),
    Field("paused", "paused strategies, * for all entries", lambda r, n: list(r.status.paused)),
    Field("venues", "one object a venue, see status.venues", lambda r, n: _nested(VENUES, r.status.links, n)),
    Field("feeds", "one object a source, see status.feeds", lambda r, n: _nested(FEEDS, r.status.feeds, n)),
    Field(
        "releases",
        "one object a kind, see status.releases",
        lambda r, n: _nested(RELEASES, r.status.releases, n),
    ),
    Field("unknown_orders", "orders without proof of their fate", lambda r, n: r.status.unknown),
    Field("exposure", "worst-case loss of positions and orders", lambda r, n: money(r.status.exposure)),
    Field("exposure_limit", "its limit", lambda r, n: money(r.status.exposure_limit)),
    Field("open_pnl", "at prices we could sell at now", lambda r, n: money(r.status.open_pnl)),
    Field("today_pnl", "of the world's day, open positions included", lambda r, n: money(r.status.today_pnl)),
    Field("cash", "free balance at the venue", lambda r, n: money(r.status.cash)),
    Field("open_orders", "orders that may still fill", lambda r, n: r.status.orders),
    Field("open_orders_limit", "their limit", lambda r, n: r.status.order_limit),
    Field("placed_today", "orders placed on the world's day", lambda r, n: r.status.counts.placed),
    Field("filled_today", "of these filled", lambda r, n: r.status.counts.filled),
    Field("cancelled_today", "of these cancelled", lambda r, n: r.status.counts.cancelled),
    Field("rejected_today", "of these rejected", lambda r, n: r.status.counts.rejected),
    Field("controller", "which console has control", lambda r, n: r.status.controller or None),
    Field("viewers", "consoles without control", lambda r, n: r.status.viewers),
    Field("read_age_s", "since a complete read of the account", lambda r, n: age(r.status.read_ns, n)),
    Field("time", "real time", lambda r, n: at(n.wall_ms)),
    Field("world_time", "time the contracts live in", lambda r, n: at(n.world_ms)),
    Field("speed", "world seconds a real second", lambda r, n: r.status.speed),
    Field("armed", "whether entries may leave with real money", lambda r, n: r.status.armed),
    Field("world_id", "which simulated world, empty on a real venue", lambda r, n: r.status.world_id),
    Field("groups", "safety groups: armed, triggered or not armed", lambda r, n: r.status.groups),
    Field("watchdog", "ok, GONE or UNFIT; empty where none is expected", lambda r, n: r.status.watchdog),
    Field(
        "renewals",
        "why resting orders are left to die; empty while they are renewed",
        lambda r, n: r.status.renewals,
    ),
    Field("best", "why there is nothing to decide", lambda r, n: r.status.best),
    Field("problem", "a standing fault of the desk itself", lambda r, n: r.status.problem),
    Field(
        "unattended_left_s",
        "automatic mode without a console goes on so long",
        lambda r, n: wait(r.status.unattended_until_ns, n),
    ),
    Field(
        "flatten",
        "the running or last flatten, see flatten; null when there was none",
        lambda r, n: None if r.flatten is None else _object(FLATTEN, r.flatten, n),
    ),
    Field("alarms", "one object an alarm, see status.alarms", lambda r, n: _nested(ALARMS, r.alarms, n)),
)

MARKETS: tuple[Field, ...] = (
    Field("ticker", "the venue's name of the market", _ticker),
    Field("label", "short name", _label),
    Field("event", "the venue's name of the event", lambda r, n: n.statics[r.key].event),
    Field("venue", "where it trades", lambda r, n: _venue_of(r.key, n)),
    Field("bid", "best YES bid", lambda r, n: price(r.bid)),
    Field("ask", "best YES ask", lambda r, n: price(r.ask)),
    Field("bid_size", "contracts at the best bid", lambda r, n: quantity(r.bid_size)),
    Field("ask_size", "contracts at the best ask", lambda r, n: quantity(r.ask_size)),
    Field("fair", "fair value of YES: model and market pooled", lambda r, n: price(r.fair)),
    Field("model", "what the model says alone", lambda r, n: price(r.model)),
    Field("market", "what the market says, normalised; null: not pooled", lambda r, n: price(r.market)),
    Field("weight", "of the model in the pool, 0 to 1", lambda r, n: r.weight),
    Field("sigma", "one standard error of fair", lambda r, n: price(r.sigma)),
    Field("edge", "best net edge a contract", lambda r, n: price(r.edge)),
    Field("edge_state", "stale, quar, conf or empty", lambda r, n: r.edge_word),
    Field("change", "change of fair within the world's last hour", lambda r, n: price(r.change)),
    Field("net", "contracts held, positive YES, negative NO", lambda r, n: quantity(r.net)),
    Field("mark", "our best working order, or card", lambda r, n: r.mark),
    Field("book_age_s", "since the last message of this book", lambda r, n: _message_age(r.message_ms, n)),
    Field("intact", "whether no message of this book is missing", lambda r, n: r.intact),
    Field("status", "the venue's word unless active", lambda r, n: r.status or "active"),
    Field("closes", "close of trading, world time", lambda r, n: at(n.statics[r.key].close_world_ms)),
)

LEG: tuple[Field, ...] = (
    Field("ticker", "the venue's name of the market", _ticker),
    Field("outcome", "bought", lambda r, n: r.outcome),
    Field("price", "limit in terms of the outcome", lambda r, n: price(r.price)),
    Field("quantity", "contracts", lambda r, n: quantity(r.quantity)),
)

PLAN: tuple[Field, ...] = (
    Field("kind", "what sort of set", lambda r, n: r.kind),
    Field("pays", "all of it in the worst outcome, every leg filled", lambda r, n: money(r.pays)),
    Field("profit", "that less cost, fees and the charge for two venues", lambda r, n: money(r.profit)),
    Field("worst", "most that can be lost whichever legs fail", lambda r, n: money(r.worst)),
    Field("cautions", "what can still go wrong", lambda r, n: list(r.cautions)),
    Field("legs", "one object each, in the order they leave", lambda r, n: _nested(LEG, r.legs, n)),
)

PROPOSALS: tuple[Field, ...] = (
    Field("id", "for approve and veto: number and fingerprint", lambda r, n: f"{r.id}-{r.fingerprint}"),
    Field("ticker", "the venue's name of the market", _ticker),
    Field("label", "short name", _label),
    Field("venue", "where it would be sent", lambda r, n: _venue_of(r.key, n)),
    Field(
        "state", "OPEN, MOVED, BLOCKED, SENT, EXPIRED, VETOED, WITHDRAWN or DEFERRED", lambda r, n: r.state
    ),
    Field("side", "buy or sell, and the outcome", _side),
    Field("price", "limit in terms of the outcome", lambda r, n: price(r.price)),
    Field("quantity", "contracts", lambda r, n: quantity(r.quantity)),
    Field("style", "post-only or IOC", lambda r, n: r.style),
    Field("cost", "without fee", lambda r, n: money(r.cost)),
    Field("fee", "at the assumed role", lambda r, n: money(r.fee)),
    Field("fee_role", "maker or taker", lambda r, n: r.fee_role),
    Field("max_loss", "fee included", lambda r, n: money(r.max_loss)),
    Field("max_gain", "fee included", lambda r, n: money(r.max_gain)),
    Field("fair", "in terms of the outcome: model and market pooled", lambda r, n: price(r.fair)),
    Field("model", "what the model says alone", lambda r, n: price(r.model)),
    Field("market", "what the market says; null: not pooled", lambda r, n: price(r.market)),
    Field("weight", "of the model in the pool, 0 to 1", lambda r, n: r.weight),
    Field("sigma", "one standard error of fair", lambda r, n: price(r.sigma)),
    Field("edge", "net edge a contract", lambda r, n: price(r.edge)),
    Field("fill", "share expected to fill within an hour", lambda r, n: round(r.fill, 2)),
    Field("kelly_full", "full Kelly, of the bankroll", lambda r, n: round(r.kelly_full, 4)),
    Field("kelly_used", "what part of it is used", lambda r, n: round(r.kelly_used * r.shrink, 4)),
    Field("bound_by", "what set the size", lambda r, n: r.bound_by),
    Field("position", "contracts held before", lambda r, n: quantity(r.position)),
    Field("position_after", "and after a complete fill", lambda r, n: quantity(r.position_after)),
    Field("why", "the strongest reason for it", lambda r, n: r.why),
    Field("against", "and against it", lambda r, n: r.against),
    Field("checks", "risk checks that block or warn", lambda r, n: [f"{c.code} {c.text}" for c in r.checks]),
    Field("expires_in_s", "until the card expires", lambda r, n: wait(r.expires_ns, n)),
    Field(
        "plan",
        "orders decided on together, see proposals.plan; null for one order alone",
        lambda r, n: None if r.plan is None else _object(PLAN, r.plan, n),
    ),
)

ORDERS: tuple[Field, ...] = (
    Field("id", "our id, for cancel", lambda r, n: r.client_order_id),
    Field("order_id", "the venue's id", lambda r, n: r.order_id or None),
    Field("ticker", "the venue's name of the market", _ticker),
    Field("label", "short name", _label),
    Field("state", "state word", lambda r, n: r.state),
    Field("side", "buy or sell, and the outcome", _side),
    Field("price", "limit in terms of the outcome", lambda r, n: price(r.price)),
    Field("quantity", "contracts ordered", lambda r, n: quantity(r.quantity)),
    Field("filled", "contracts filled", lambda r, n: quantity(r.filled)),
    Field("leaves", "contracts that may still fill", lambda r, n: quantity(r.leaves)),
    Field("ahead", "contracts before us at our price", lambda r, n: quantity(r.ahead)),
    Field("age_s", "since it was intended", lambda r, n: age(r.created_ns, n)),
    Field("expires", "the venue cancels it then, real time", lambda r, n: at(r.expires_wall_ms)),
    Field("next_check_in_s", "until an unknown order is asked for", lambda r, n: wait(r.next_check_ns, n)),
    Field("bound", "the worst an unknown order can still do", lambda r, n: r.bound),
    Field("reason", "why it ended", lambda r, n: r.reason),
    Field("external", "whether it was not placed by this desk", lambda r, n: r.external),
    Field("ended_age_s", "since it ended", lambda r, n: age(r.ended_ns, n)),
    Field("venue", "where it is", lambda r, n: r.venue),
    Field("unsettled", "of what is filled, trades that may still fail", lambda r, n: quantity(r.unsettled)),
    Field("failed", "matched there and reversed: it never was", lambda r, n: quantity(r.failed)),
    Field("said", "the venue's word where it does not simply rest, such as delayed", lambda r, n: r.said),
)

POSITIONS: tuple[Field, ...] = (
    Field("ticker", "the venue's name of the market", lambda r, n: r.ticker or _ticker(r, n)),
    Field("label", "short name", _label),
    Field("net", "contracts held, positive YES, negative NO", lambda r, n: quantity(r.net)),
    Field("average", "price paid, in terms of the outcome held", lambda r, n: price(r.average)),
    Field("cost", "of the open contracts", lambda r, n: money(r.cost)),
    Field("max_loss", "worst case", lambda r, n: money(r.max_loss)),
    Field("open_pnl", "at the price we could sell at now", lambda r, n: money(r.open_pnl)),
    Field("exit_price", "that price", lambda r, n: price(r.exit_price)),
    Field("fair", "of the outcome held", lambda r, n: price(r.fair)),
    Field("today", "P&L of the world's day", lambda r, n: money(r.today)),
    Field("exit_rule", "what would close it", lambda r, n: r.exit_rule),
    Field("venue_net", "the venue's figure where it differs", lambda r, n: quantity(r.venue_net)),
    Field("venue", "where it is held", lambda r, n: r.venue),
    Field("confirmed", "of it, settled for good", lambda r, n: quantity(abs(r.net) - r.unsettled)),
    Field("unsettled", "of it, provisional: the trade may still fail", lambda r, n: quantity(r.unsettled)),
    Field("failed", "traded there and reversed: it never was", lambda r, n: quantity(r.failed)),
    Field("sellable", "confirmed and in no order that sells it already", lambda r, n: quantity(r.sellable)),
    Field("dust", "less than the venue's smallest order: not sellable until resolution", lambda r, n: r.dust),
    Field("pairs", "YES and NO held together, to be merged by hand", lambda r, n: quantity(r.pairs)),
    Field("redeemable", "won and waiting to be paid out by hand", lambda r, n: quantity(r.redeemable)),
    Field("page", "the venue's page where that is done", lambda r, n: r.page),
)

LIMITS: tuple[Field, ...] = (
    Field("name", "for the limit command", lambda r, n: r.name),
    Field("label", "in words", lambda r, n: r.label),
    Field("scope", "market or event it is counted for, empty for the desk", lambda r, n: r.scope),
    Field("rule", "code of the check", lambda r, n: r.rule),
    Field("unit", "money, price, contracts, count, percent or of time or size", lambda r, n: r.unit),
    Field("used", "now", lambda r, n: _limit(r, r.used)),
    Field("limit", "in force", lambda r, n: _limit(r, r.limit)),
    Field("ceiling", "from the configuration file", lambda r, n: _limit(r, r.ceiling)),
)

WAYS: tuple[Field, ...] = (
    Field("first", "outcome bought on the first market", lambda r, n: r.first),
    Field("second", "and on the second", lambda r, n: r.second),
    Field("quantity", "pairs both books have, at most what is compared", lambda r, n: quantity(r.quantity)),
    Field("cost", "of both, before fees", lambda r, n: _of_way(r, money(r.cost))),
    Field("fee", "the most that both venues' taker fees come to", lambda r, n: _of_way(r, money(r.fee))),
    Field(
        "difference",
        "one dollar less cost and fees, a contract; null where why says so",
        lambda r, n: price(r.difference),
    ),
    Field("why", "why they cannot be bought together now, else empty", lambda r, n: r.why),
)

LINKS: tuple[Field, ...] = (
    Field("first", "the venue's name of the first market", lambda r, n: r.first),
    Field("first_venue", "and its venue", lambda r, n: _venue_of(r.first_key, n)),
    Field("second", "the venue's name of the second market", lambda r, n: r.second),
    Field("second_venue", "and its venue", lambda r, n: _venue_of(r.second_key, n)),
    Field("opposite", "whether YES of one is NO of the other", lambda r, n: r.opposite),
    Field("state", "linked, or unpinned: a text reads differently, link again", lambda r, n: r.state),
    Field("why", "what unpinned it, else empty", lambda r, n: r.why),
    Field("quantity", "how many are compared", lambda r, n: quantity(r.quantity)),
    Field(
        "ways",
        "YES of the first market, then NO, see links.ways; empty while unpinned",
        lambda r, n: _nested(WAYS, r.ways, n),
    ),
    Field("apart", "what is known to differ between the two", lambda r, n: list(r.apart)),
    Field("first_book_age_s", "since its last message", lambda r, n: _message_age(r.first_ms, n)),
    Field(
        "second_book_age_s", "since the last message of its book", lambda r, n: _message_age(r.second_ms, n)
    ),
    Field("caution", "why none of it is riskless", lambda r, n: r.caution),
    Field("by", "who linked them", lambda r, n: r.by),
    Field("linked", "and when, real time", lambda r, n: at(r.wall_ms)),
)

RULES: tuple[Field, ...] = (
    Field("ticker", "the venue's name of the market", lambda r, n: r.rules.ticker),
    Field("venue", "and its venue", lambda r, n: r.rules.venue),
    Field("hash", "of the venue's words as they read now", lambda r, n: r.rules.hash),
    Field("pinned", "hash of the text that counts on this desk", lambda r, n: r.rules.pinned),
    Field("series", "the series it is of", lambda r, n: r.rules.series),
    Field("waits", "why nothing is opened before you confirm something", lambda r, n: r.rules.waits),
    Field("mark", "of the text, for confirm source; empty unless it waits", lambda r, n: r.rules.mark),
    Field("text", "the venue's words on one line, cut where they are very long", lambda r, n: r.rules.text),
)

EVENTS_OF: tuple[Field, ...] = (
    Field("seq", "its number in the journal", lambda r, n: r.seq),
    Field("time", "real time", lambda r, n: at(r.wall_ms)),
    Field("kind", "what kind of event", lambda r, n: r.kind),
    Field("text", "what happened", lambda r, n: r.text),
    Field("order", "our order id, empty without one", lambda r, n: r.order_id),
)

DIFFERENCES: tuple[Field, ...] = (
    Field("row", "its row of the table of differences", lambda r, n: r.row),
    Field("venue", "whose account it is", lambda r, n: r.venue),
    Field("about", "order, fill, position or cash", lambda r, n: r.about),
    Field("ticker", "market, empty for cash", lambda r, n: r.ticker),
    Field("subject", "order or trade id, empty for a position", lambda r, n: r.subject),
    Field("ours", "what our record says", lambda r, n: r.ours),
    Field("theirs", "what the venue says", lambda r, n: r.theirs),
    Field("age_s", "since it was first seen", lambda r, n: age(r.since_ns, n)),
    Field("reads", "complete readings that showed it", lambda r, n: r.reads),
    Field("acted", "whether it has stopped what it stops", lambda r, n: r.acted),
    Field("halts", "what it stops, empty for nothing", lambda r, n: r.halts),
    Field(
        "events",
        "positions: the last ten of orders and fills of that market, see reconcile.differences.events",
        lambda r, n: _nested(EVENTS_OF, r.events, n),
    ),
)

ACCOUNTS: tuple[Field, ...] = (
    Field("venue", "whose account", lambda r, n: r.venue),
    Field("reading", "number of its last reading, 0 before the first", lambda r, n: r.number),
    Field("age_s", "since it ended", lambda r, n: age(r.at_ns or None, n)),
    Field("complete", "whether everything could be read", lambda r, n: r.complete),
    Field("reason", "what started it, or what could not be read", lambda r, n: r.reason),
    Field("differences", "how many", lambda r, n: r.differences),
    Field("clean_age_s", "since the last one that agreed", lambda r, n: age(r.clean_ns, n)),
    Field("doubt", "why no entries leave before one that agrees", lambda r, n: r.doubt),
    Field("cash", "free balance there", lambda r, n: money(r.cash)),
)

RECONCILE: tuple[Field, ...] = (
    Field("reading", "number of the last reading of the account", lambda r, n: r.reading.number),
    Field("age_s", "since it ended", lambda r, n: age(r.reading.at_ns or None, n)),
    Field("complete", "whether everything could be read", lambda r, n: r.reading.complete),
    Field("reason", "what started it, or what could not be read", lambda r, n: r.reading.reason),
    Field(
        "agrees",
        "whether it was complete and nothing differs",
        lambda r, n: r.reading.complete and not r.reading.differences,
    ),
    Field("clean_age_s", "since the last one that agreed", lambda r, n: age(r.reading.clean_ns, n)),
    Field("doubt", "why no entries leave before one that agrees", lambda r, n: r.reading.doubt),
    Field(
        "differences",
        "one object a difference, see reconcile.differences",
        lambda r, n: _nested(DIFFERENCES, r.reading.differences, n),
    ),
    Field(
        "accounts",
        "one object a venue, see reconcile.accounts",
        lambda r, n: _nested(ACCOUNTS, r.reading.accounts, n),
    ),
)

QUERIES: dict[str, tuple[Field, ...]] = {
    "status": STATUS,
    "markets": MARKETS,
    "proposals": PROPOSALS,
    "orders": ORDERS,
    "positions": POSITIONS,
    "limits": LIMITS,
    "reconcile": RECONCILE,
    "alarms": ALARMS,
    "links": LINKS,
    "rules": RULES,
    "feeds": FEEDS,
    "source": SOURCE,
    "games": GAMES,
    "releases": RELEASES,
    "funnel": FUNNEL,
    "score": SCORE,
}
OBJECTS = ("status", "reconcile", "rules", "source")
"""Answered with one object; the others with an array of them."""
PARTS: dict[str, dict[str, tuple[Field, ...]]] = {
    "status": {
        "status.venues": VENUES,
        "status.venues.beat": BEAT,
        "status.feeds": FEEDS,
        "status.feeds.budget": BUDGET,
        "status.releases": RELEASES,
        "status.alarms": ALARMS,
        "flatten": FLATTEN,
        "flatten.venues": FLATTEN_VENUES,
    },
    "proposals": {"proposals.plan": PLAN, "proposals.plan.legs": LEG},
    "links": {"links.ways": WAYS},
    "feeds": {"status.feeds.budget": BUDGET},
    "source": {"source.values": TOLD},
    "funnel": {"funnel.reasons": STOPS},
    "score": {"score.bins": BINS},
    "reconcile": {
        "reconcile.differences": DIFFERENCES,
        "reconcile.differences.events": EVENTS_OF,
        "reconcile.accounts": ACCOUNTS,
    },
}


def answer(what: str, rows: Rows, now: Now) -> bytes:
    """The JSON of one query: an object for those in ``OBJECTS``, else an array of objects."""
    table = QUERIES[what]
    if what in OBJECTS:
        return msgspec.json.encode(_object(table, rows, now))
    return msgspec.json.encode(_nested(table, getattr(rows, what), now))


def feeds_answer(feeds: Iterable[FeedRow]) -> bytes:
    """The JSON of the query ``feeds`` without a desk: of sources nobody asks."""
    return msgspec.json.encode(_nested(FEEDS, feeds, Now(0, 0, 0, {})))


def score_answer(scores: Iterable[ScoreRow]) -> bytes:
    """The JSON of the query ``score`` without a desk: of a journal."""
    return msgspec.json.encode(_nested(SCORE, scores, Now(0, 0, 0, {})))


def documentation(what: str) -> str:
    """The fields of one query, one line each, for ``--help`` and the README."""
    tables = {what: QUERIES[what], **PARTS.get(what, {})}
    width = max(len(field.name) for table in tables.values() for field in table)
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"{name}:"] + [f"  {field.name:<{width}}  {field.meaning}" for field in table]
    return "\n".join(lines)


def _message_age(message_ms: int, now: Now) -> float | None:
    return None if not message_ms else round(now.mono_ns / 1e9 - message_ms / 1000, 3)


def _of_way(row: WayRow, value: str | None) -> str | None:
    return None if row.why else value


def _venue_of(key: int, now: Now) -> str | None:
    static = now.statics.get(key)
    return None if static is None else static.venue


def _object(table: tuple[Field, ...], row: Any, now: Now) -> dict[str, Any]:
    return {field.name: field.value(row, now) for field in table}
