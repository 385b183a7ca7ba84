"""Sources of data, what one told last, games and economic releases."""

from __future__ import annotations

from core.control.queries.fields import Field, age, at, nested, wait, world_age, world_wait

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
    Field("data_age_s", "world seconds since the newest data", lambda r, n: world_age(r.newest_world_ms, n)),
    Field("stale_after_s", "world seconds after which entries stop", lambda r, n: r.stale_after_s),
    Field("received_age_s", "since anything was received", lambda r, n: age(r.received_ns, n)),
    Field("retry_in_s", "until the next attempt", lambda r, n: wait(r.retry_at_ns, n)),
    Field("latency_ms", "of its last answer; of a stream from event to receipt", lambda r, n: r.latency_ms),
    Field("unchanged", "answers in a row that said nothing new", lambda r, n: r.unchanged),
    Field("apart_bp", "basis points from the nearest other source, or null", lambda r, n: r.apart_bp),
    Field("too_far", "whether honest sources of a pair differ by less", lambda r, n: r.too_far),
    Field("budget", "one object a quota, see status.feeds.budget", lambda r, n: nested(BUDGET, r.budget, n)),
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
    Field("age_s", "world seconds since then", lambda r, n: world_age(r.event_world_ms, n)),
    Field("stale_after_s", "world seconds it may be used, or null", lambda r, n: r.stale_after_s or None),
)

SOURCE: tuple[Field, ...] = (
    Field("source", "its name", lambda r, n: r.source),
    Field("gives", "what is known by it", lambda r, n: r.gives),
    Field("credit", "who made the data, where its licence asks for it", lambda r, n: r.credit),
    Field("costs", "what a test of it asks and costs", lambda r, n: r.costs),
    Field("tests", "how many tests have ended", lambda r, n: r.tests),
    Field("passed", "whether the last one did", lambda r, n: r.passed),
    Field("found", "what it found, in words", lambda r, n: r.found),
    Field("values", "one object a value, see source.values", lambda r, n: nested(TOLD, r.values, n)),
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

RELEASES: tuple[Field, ...] = (
    Field("kind", "CPI, JOBS, GDP or FOMC", lambda r, n: r.kind),
    Field("state", "clear, BLACKOUT, PENDING or UNKNOWN", lambda r, n: r.state),
    Field("last_age_s", "world seconds since the last was due", lambda r, n: world_age(r.last_world_ms, n)),
    Field("next_in_s", "world seconds until the next one", lambda r, n: world_wait(r.next_world_ms, n)),
    Field("certainty", "stated, usual time or tentative", lambda r, n: r.certainty),
    Field("calendar", "whose date that is", lambda r, n: r.source),
    Field("calendar_age_s", "world seconds since it was made", lambda r, n: world_age(r.made_world_ms, n)),
    Field("before_s", "world seconds before it without entries", lambda r, n: r.before_s),
    Field("after_s", "world seconds after it without entries", lambda r, n: r.after_s),
    Field("markets", "how many of this desk it moves", lambda r, n: r.markets),
    Field("detail", "why no calendar can be relied on", lambda r, n: r.detail),
)
