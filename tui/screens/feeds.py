"""Feeds: every source by family, how it is, what it told last, and what turns on one that is off."""

from __future__ import annotations

import msgspec

from core.control.tables.sources import BudgetRow, FeedRow
from tui.feed_names import apart_word, every
from tui.feed_words import FAMILIES, budget_role, feed_age_s, feed_word
from tui.format import age, countdown, fit, until
from tui.lines import Line, line
from tui.polling import Polling
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.tables import clean
from tui.view_model import ViewModel
from tui.widgets.feed_table import FeedTable, family_of, row_of
from tui.widgets.line_pane import LinePane
from tui.widgets.text_pane import TextPane, wrapped

ASK_EVERY_NS = 1_000_000_000
_DETAIL_LEAST = 8
"""The table takes what it needs of the rest: every source is in sight where there is room."""
_ABOUT_WIDTH = 24
_HOUR_S = 3600


class Value(msgspec.Struct, frozen=True):
    """See ``TOLD`` in ``core/control/queries/sources.py``."""

    about: str
    said: str
    age_s: float
    stale_after_s: int | None


class Source(msgspec.Struct, frozen=True):
    """The engine's answer about one source, see ``SOURCE`` in ``core/control/queries/sources.py``."""

    source: str
    gives: str
    credit: str
    costs: str
    tests: int
    passed: bool
    found: str
    values: tuple[Value, ...]


def read_source(answer: bytes) -> Source:
    """The answer with every text in it safe to draw."""
    return clean(msgspec.json.decode(answer, type=Source))


def _budget_line(scene: Scene, quota: BudgetRow) -> Line:
    left_s = (quota.whole_world_ms - scene.view.world_ms(scene.now)) / 1000
    whole = "" if left_s <= 0 else f", whole in {until(left_s) if left_s >= _HOUR_S else countdown(left_s)}"
    text = f" {quota.left} of {quota.most} {quota.unit} {every(quota.per)} left{whole}"
    return line((text, budget_role(quota)))


def source_lines(scene: Scene, feed: FeedRow, source: Source | None, width: int) -> list[Line]:
    """One source whole: how it is, what may still be asked, what went wrong, and what it told last."""
    word, role = feed_word(feed, scene)
    groups = [(word, role)]
    if feed.state != "OFF":
        newest = feed_age_s(feed, scene)
        heard = "" if feed.received_ns is None else f"   heard {age(scene.ago_s(feed.received_ns))} ago"
        held = "no data yet" if newest is None else f"newest data {age(newest)} old"
        groups += [(f"   {held}, limit {age(feed.stale_after_s)}{heard}", "text")]
        if feed.apart_bp is not None:
            word = f"   {apart_word(feed.apart_bp)} from the nearest other source"
            groups.append((word, "near" if feed.too_far else "text"))
        groups += [(f"   nothing new {feed.unchanged} times", "text-muted")] if feed.unchanged else []
    rows: list[Line] = [line(" ", *groups)]
    if feed.detail:
        rows += wrapped(feed.detail, width, "text-muted" if feed.state in ("ok", "closed", "OFF") else "near")
    rows += [_budget_line(scene, quota) for quota in feed.budget] if feed.state != "OFF" else []
    if source is None:
        return [*rows, note("Asking what it told last.")]
    rows += wrapped(f"Gives {source.gives}. {source.credit}".rstrip(), width, "text-muted")
    if feed.state != "OFF":
        rows += wrapped(f":feeds test {source.source}: {source.costs}", width, "text-muted")
    if source.tests:
        rows += wrapped(f"Last test: {source.found}", width, "good" if source.passed else "near")
    if source.values:
        rows += [(), *(_value_line(value, width) for value in source.values)]
    elif feed.family == "weather" and feed.state != "OFF":
        models = scene.keymap.name("screen.models")
        rows.append(note(f"Its temperatures are inputs of the fair values: {models} Models."))
    elif feed.state != "OFF":
        rows.append(note("It has told nothing yet."))
    return rows


def _value_line(value: Value, width: int) -> Line:
    old = value.stale_after_s is not None and value.age_s > value.stale_after_s
    about = f" {fit(value.about, _ABOUT_WIDTH)} "
    aged = f" {age(value.age_s)}{'~' if old else ''}"
    room = max(1, width - len(about) - 6)
    said = fit(value.said, room), "stale" if old else "text"
    return line((about, "text-muted"), said, (f"{aged:>6}", "text-muted"))


def family_lines(scene: Scene, feeds: list[FeedRow], width: int) -> list[Line]:
    """Every source of a family in whole sentences: what is wrong, and what turns on those that are off."""
    rows: list[Line] = []
    for feed in feeds:
        word, role = feed_word(feed, scene)
        rows.append(line(f" {feed.name:9}", (word, role), (f"   {feed.source}", "text-muted")))
        rows += wrapped(feed.detail, width, "text-muted", indent=3) if feed.detail else []
    return rows or [note("This desk knows no source of it: nothing that rests on it is traded.")]


class FeedsScreen(ConsoleScreen):
    """Arrows choose a source or a family, PgUp and PgDn read what it told."""

    name_in_registry = "feeds"
    pages_text = True

    def __init__(self) -> None:
        super().__init__()
        self.feeds = FeedTable()
        self.detail = TextPane(id="detail")
        self._source: Source | None = None
        self._polling = Polling("source", ASK_EVERY_NS, self._answered)

    def panes(self) -> list[LinePane]:
        return [self.feeds, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return over(width, height, "feeds", 2 + self._rows(self.console.view), _DETAIL_LEAST)

    def _rows(self, view: ViewModel) -> int:
        feeds = view.status.feeds if view.status is not None else ()
        return len(feeds) + len({feed.family for feed in feeds} | {*FAMILIES})

    def draw(self, scene: Scene) -> None:
        self.feeds.show(scene)
        key, width = self.feeds.cursor_key, self.detail.body_size[0]
        feed = row_of(scene.view, key)
        if feed is None:
            family = str(key[0]) if isinstance(key, tuple) else ""
            self.detail.show_text(
                family_lines(scene, family_of(scene, key), width), head("FAMILY", family), dim=scene.dim
            )
            return
        self._polling.ask(self.console.operator, scene.now.mono_ns, feed.source)
        told = self._source if self._source is not None and self._source.source == feed.source else None
        rows = source_lines(scene, feed, told, width)
        self.detail.show_text(rows, head("SOURCE", feed.source or feed.name), dim=scene.dim)

    def _answered(self, answer: bytes) -> None:
        self._source = read_source(answer)
