"""FEEDS: a row a source below its family: state, age against limit, what may still be asked, last error."""

from __future__ import annotations

from core.control.tables.sources import FeedRow
from tui.feed_names import apart_word
from tui.feed_words import (
    DARK,
    budget_role,
    budget_word,
    by_family,
    family_word,
    feed_age_s,
    feed_word,
    feeds_of,
    live_in,
    tightest,
    took,
)
from tui.format import UNKNOWN, age
from tui.lines import Span, line
from tui.scene import Scene, note
from tui.view_model import ViewModel
from tui.widgets.live_table import Column, Key, LiveTable


def key_of(feed: FeedRow) -> tuple[str, str]:
    """Family and source; a family's own row has no source."""
    return feed.family, feed.source or feed.name


def row_of(view: ViewModel, key: Key) -> FeedRow | None:
    """The source of a row; ``None`` for a family's own."""
    feeds = view.status.feeds if view.status is not None else ()
    return next((feed for feed in feeds if key_of(feed) == key), None)


def _family(key: Key) -> str:
    return key[0] if isinstance(key, tuple) else ""


def family_of(scene: Scene, key: Key) -> list[FeedRow]:
    """The sources of a row's family."""
    return by_family(feeds_of(scene)).get(_family(key), [])


def _name(scene: Scene, key: Key) -> Span:
    feed = row_of(scene.view, key)
    if feed is None:
        return Span(" " + _family(key).upper(), "title")
    return Span(f"   {feed.name}", "text-muted" if feed.state == "OFF" else "text")


def _state(scene: Scene, key: Key) -> Span:
    feed = row_of(scene.view, key)
    word, role = family_word(family_of(scene, key)) if feed is None else feed_word(feed, scene)
    return Span(f"  {word}", role)


def _age(scene: Scene, key: Key) -> Span:
    feed = row_of(scene.view, key)
    if feed is None or feed.state == "OFF":
        return Span("")
    late = feed.state == "STALE"
    text = f"{age(feed_age_s(feed, scene))}{'~' if late else ''}/{age(feed.stale_after_s)}"
    return Span(text, "stale" if late else "text")


def _budget(scene: Scene, key: Key) -> Span:
    feed = row_of(scene.view, key)
    quota = tightest(feed) if feed is not None else None
    if quota is None or (feed is not None and feed.state == "OFF"):
        return Span("")
    return Span(budget_word(quota), budget_role(quota))


def _apart(scene: Scene, key: Key) -> Span:
    feed = row_of(scene.view, key)
    if feed is None or feed.state == "OFF":
        return Span("")
    return Span(apart_word(feed.apart_bp), "near" if feed.too_far else "text-muted")


def _latency(scene: Scene, key: Key) -> Span:
    feed = row_of(scene.view, key)
    return Span("" if feed is None or feed.state == "OFF" else took(feed.latency_ms) or UNKNOWN, "text-muted")


def _detail(scene: Scene, key: Key) -> Span:
    feed = row_of(scene.view, key)
    if feed is None:
        return Span("" if family_of(scene, key) else "  this desk knows no source of it", "text-muted")
    quiet = feed.state in ("ok", "closed", "OFF")
    return Span(f"  {feed.detail}", "text-muted" if quiet else "near")


def _by_name(scene: Scene, key: Key) -> str | None:
    feed = row_of(scene.view, key)
    return None if feed is None else feed.name


def _whose(scene: Scene, key: Key) -> str:
    """A source with its family, which has no row of its own once rows are sorted or narrowed."""
    feed = row_of(scene.view, key)
    return _family(key) if feed is None else f"{feed.name} {feed.source} {feed.family}"


def _by_state(scene: Scene, key: Key) -> tuple[int, str] | None:
    """What fails first, then what is off by choice, then what is well."""
    feed = row_of(scene.view, key)
    if feed is None:
        return None
    return {"OFF": 1, "closed": 2, "ok": 3}.get(feed.state, 0), feed.state


def _by_age(scene: Scene, key: Key) -> float | None:
    """By the share of its limit, the oldest first."""
    feed = row_of(scene.view, key)
    held = None if feed is None or feed.state == "OFF" else feed_age_s(feed, scene)
    return None if feed is None or held is None else -held / max(1, feed.stale_after_s)


COLUMNS = (
    Column("feed", " source", 11, 1, _name, left=True, rank=_by_name, said=_whose),
    Column("state", "  state", 16, 1, _state, left=True, rank=_by_state),
    Column("age", "age/limit", 10, 1, _age, rank=_by_age),
    Column("budget", "left", 14, 2, _budget),
    Column("apart", "apart", 7, 2, _apart),
    Column("took", "took", 6, 3, _latency),
    Column("detail", "  last error, or why it is off", 16, 1, _detail, left=True, grow=True, width_max=300),
)


class FeedTable(LiveTable):
    """The FEEDS pane."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, id="feeds")

    def show(self, scene: Scene) -> None:
        families = by_family(feeds_of(scene))
        ordering = self.ordering
        grouped = ordering is None or ordering.plain
        keys: list[Key] = []
        for family, feeds in families.items():
            keys += [*([(family, "")] if grouped else []), *map(key_of, feeds)]
        keys = self.shown(scene, keys)
        known = scene.view.status is not None
        dark = [family for family, feeds in families.items() if family_word(feeds)[0] == DARK]
        on = [feed for feed in feeds_of(scene) if feed.state != "OFF"]
        live = live_in(on)
        title = line(
            ("FEEDS", "title"),
            (f" {live} of {len(on)} live", "text-muted"),
            (f"  {len(feeds_of(scene)) - len(on)} off", "text-muted"),
            (f"  NONE LIVE: {' '.join(dark)}" if dark and known else "", "near"),
        )
        if self.cursor_key is None and on:
            self.point_at(key_of(on[0]))
        self.paint_rows(
            scene, keys if known else [], title,
            line((":feeds test NAME", "key")),
            empty=[note("Waiting for the engine.")],
        )  # fmt: skip
