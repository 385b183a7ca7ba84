"""Sources in words: how one is, which of them need a look first, and how a family stands."""

from __future__ import annotations

from collections.abc import Iterable

from core.control.tables.sources import BudgetRow, FeedRow
from tui.format import age, countdown, until
from tui.scene import Scene

FAMILIES = ("weather", "forex", "markets", "sports", "calendar")
"""In the order of the screen; others follow."""
_WORSE = ("OFF", "closed", "ok", "WAITING", "SPENT", "STALE", "AUTH", "DOWN")
DARK = "NO LIVE SOURCE"
_LOUD = frozenset({"DOWN", "AUTH"})
_NEARLY_SPENT = 0.1
"""Share of a quota below which it is marked."""
_SHORT = {"second": "s", "minute": "min", "hour": "h", "day": "day", "month": "mon"}
_HOUR_S = 3600


def feeds_of(scene: Scene) -> tuple[FeedRow, ...]:
    status = scene.view.status
    return status.feeds if status is not None else ()


def feed_age_s(feed: FeedRow, scene: Scene) -> float | None:
    """World age of a feed's newest reading in seconds."""
    if feed.newest_world_ms is None:
        return None
    return (scene.view.world_ms(scene.now) - feed.newest_world_ms) / 1000


def feed_word(feed: FeedRow, scene: Scene) -> tuple[str, str]:
    """State and role of a source: ``ok``, ``STALE`` with its age, or what the engine says until its next
    attempt."""
    match feed.state:
        case "ok":
            return "ok", "good"
        case "closed":
            return "closed", "text-muted"
        case "OFF":
            return "off", "text-muted"
        case "STALE":
            return f"STALE {age(feed_age_s(feed, scene))}", "near"
        case _:
            left_s = None if feed.retry_at_ns is None else scene.in_s(feed.retry_at_ns)
            retry = "" if left_s is None else f" {until(left_s) if left_s >= _HOUR_S else countdown(left_s)}"
            return feed.state + retry, "alarm" if feed.state in _LOUD else "near"


def badness(feed: FeedRow, scene: Scene) -> tuple[int, float]:
    """How much a source needs a look: its state, then how near it is to its limit."""
    rank = _WORSE.index(feed.state) if feed.state in _WORSE else len(_WORSE)
    return rank, (feed_age_s(feed, scene) or 0.0) / max(1, feed.stale_after_s)


def worst_first(feeds: Iterable[FeedRow], scene: Scene) -> list[FeedRow]:
    return sorted(feeds, key=lambda feed: badness(feed, scene), reverse=True)


def worst_feed(scene: Scene) -> FeedRow | None:
    """The source that needs a look most, of those that are on."""
    on = [feed for feed in feeds_of(scene) if feed.state != "OFF"]
    return next(iter(worst_first(on, scene)), None)


def by_family(feeds: Iterable[FeedRow]) -> dict[str, list[FeedRow]]:
    """Sources in their own order, by family; every family is there, also one without a source."""
    found: dict[str, list[FeedRow]] = {family: [] for family in FAMILIES}
    for feed in feeds:
        found.setdefault(feed.family, []).append(feed)
    return found


def live_in(feeds: Iterable[FeedRow]) -> int:
    """How many of these have data that may be used, by the engine's word: it knows when markets are shut."""
    return sum(feed.state == "ok" for feed in feeds)


def family_word(feeds: Iterable[FeedRow]) -> tuple[str, str]:
    """How many of a family are live. One that has none never reads like one that is well."""
    on = [feed for feed in feeds if feed.state != "OFF"]
    live = live_in(on)
    closed = sum(feed.state == "closed" for feed in on)
    if not live:
        return ("closed", "text-muted") if closed else (DARK, "near")
    return f"{live} of {len(on)} live", "good" if live + closed == len(on) else "near"


def tightest(feed: FeedRow) -> BudgetRow | None:
    """The quota of which the smallest share is left."""
    return min(feed.budget, key=lambda quota: quota.left / max(1, quota.most), default=None)


def budget_word(quota: BudgetRow) -> str:
    """``79/100 min``."""
    return f"{_amount(quota.left)}/{_amount(quota.most)} {_SHORT.get(quota.per, quota.per)}"


def budget_role(quota: BudgetRow) -> str:
    return "near" if quota.left <= quota.most * _NEARLY_SPENT else "text-muted"


def _amount(number: int) -> str:
    return str(number) if number < 10_000 else f"{number // 1000}k"


def took(latency_ms: int | None) -> str:
    """A latency in at most five cells."""
    if latency_ms is None:
        return ""
    if latency_ms < 1000:
        return f"{latency_ms}ms"
    return f"{latency_ms / 1000:.1f}s" if latency_ms < 100_000 else age(latency_ms / 1000)
