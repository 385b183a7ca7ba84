"""The whole desk at a glance, its venues and what it waits for."""

from __future__ import annotations

from core.control.queries.fields import Field, age, at, money, nested, optional, wait
from core.control.queries.safety import ALARMS, FLATTEN
from core.control.queries.sources import FEEDS, RELEASES

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
    Field("account", "end of the name it knows the desk's account by", lambda r, n: r.account),
    Field("halt", "what holds this venue alone back, empty for nothing", lambda r, n: r.halt),
    Field(
        "word", "while PAUSED: RESTART, POST-ONLY, CXL-ONLY, MAINT or PAUSED, else empty", lambda r, n: r.word
    ),
    Field("traded_age_s", "while PAUSED: since it last traded", lambda r, n: age(r.traded_ns, n)),
    Field("settles_later", "whether only what is confirmed there can be sold", lambda r, n: r.settles_later),
    Field(
        "beat",
        "its dead-man switch, see status.venues.beat; null where orders end by their own expiry",
        lambda r, n: optional(BEAT, r.beat, n),
    ),
)

STATUS: tuple[Field, ...] = (
    Field("profile", "profile name", lambda r, n: r.status.profile),
    Field("mode", "semi or auto", lambda r, n: r.status.mode),
    Field("level", "NORMAL, REDUCE_ONLY, HALTED, FLATTENING or LOCKED", lambda r, n: r.status.level),
    Field("level_reason", "why it is not NORMAL", lambda r, n: r.status.level_reason),
    Field(
        "level_scope",
        "where it holds: desk or a venue, empty at NORMAL",
        lambda r, n: r.status.level_scope,
    ),
    Field("level_by", "who raised it, empty at NORMAL", lambda r, n: r.status.level_by),
    Field("level_since", "when, real time; null at NORMAL", lambda r, n: at(r.status.level_wall_ms)),
    Field("ready", "whether start-up is complete", lambda r, n: not r.status.starting),
    Field("starting", "start-up steps, true when done", lambda r, n: dict(r.status.starting)),
    Field("paused", "paused strategies, * for all entries", lambda r, n: list(r.status.paused)),
    Field("paused_by", "who paused last, empty while nothing is paused", lambda r, n: r.status.paused_by),
    Field("paused_since", "when, real time", lambda r, n: at(r.status.paused_wall_ms)),
    Field("paused_why", "what for, empty for a person's key", lambda r, n: r.status.paused_why),
    Field("venues", "one object a venue, see status.venues", lambda r, n: nested(VENUES, r.status.links, n)),
    Field("feeds", "one object a source, see status.feeds", lambda r, n: nested(FEEDS, r.status.feeds, n)),
    Field(
        "releases",
        "one object a kind, see status.releases",
        lambda r, n: nested(RELEASES, r.status.releases, n),
    ),
    Field("unknown_orders", "orders without proof of their fate", lambda r, n: r.status.unknown),
    Field("unsettled", "fills whose trades may still fail", lambda r, n: r.status.unsettled),
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
    Field("waiting", "markets whose card finds no room in the queue", lambda r, n: r.status.waiting),
    Field("waiting_best", "the best of them with its edge", lambda r, n: r.status.waiting_best),
    Field("problem", "a standing fault of the desk itself", lambda r, n: r.status.problem),
    Field(
        "unattended_left_s",
        "automatic mode without a console goes on so long",
        lambda r, n: wait(r.status.unattended_until_ns, n),
    ),
    Field(
        "flatten",
        "the running or last flatten, see flatten; null when there was none",
        lambda r, n: optional(FLATTEN, r.flatten, n),
    ),
    Field("alarms", "one object an alarm, see status.alarms", lambda r, n: nested(ALARMS, r.alarms, n)),
)
