"""Models: the inputs and their ages, the distribution against the brackets, and the evidence behind it."""

from __future__ import annotations

from core.control.tables.models import EventRow
from tui.feed_words import feed_age_s, feed_word, feeds_of, worst_first
from tui.format import UNKNOWN, age, tenths, until
from tui.lines import Line, Span, flow, line
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.widgets.fair_values import (
    bar_room,
    bar_top,
    bracket_header,
    bracket_line,
    inputs,
    measured,
    model_name,
    pool,
    summary,
)
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable, several
from tui.widgets.market_table import venue as market_venue
from tui.widgets.text_pane import TextPane, wrapped

_EVENTS_MAX = 8
_DETAIL_LEAST = 4
_FEEDS_MAX = 6


def _event(scene: Scene, key: Key) -> EventRow:
    return scene.view.events[key]  # type: ignore[index]  # the event table is keyed by event ticker


def _mark(scene: Scene, key: Key) -> Span:
    static = scene.view.statics.get(scene.current) if scene.current is not None else None
    return Span(">" if static is not None and static.event == key else " ", "strong")


def _venue(scene: Scene, key: Key) -> Span:
    """Events of two venues may be about the same; one without prices names none."""
    markets = (row.key for row in _event(scene, key).brackets if row.key in scene.view.statics)
    first = next(markets, None)
    return market_venue(scene, first) if first is not None else Span(" ")


def _label(scene: Scene, key: Key) -> Span:
    return Span(" " + _event(scene, key).label)


def _model(scene: Scene, key: Key) -> Span:
    row = _event(scene, key)
    return Span(f"  {model_name(row)}", "text-muted")


def _mean(scene: Scene, key: Key) -> Span:
    row = _event(scene, key)
    return Span(measured(scene, row, row.mean), "fair")


def _spread(scene: Scene, key: Key) -> Span:
    row = _event(scene, key)
    return Span(measured(scene, row, row.spread), "text-muted")


def _oldest(scene: Scene, key: Key) -> Span:
    world = scene.view.world_ms(scene.now)
    rows = _event(scene, key).inputs
    if not rows:
        return Span(f"  {UNKNOWN}", "text-muted")
    worst = max(rows, key=lambda row: (world - row.event_world_ms) / max(1, row.stale_after_s))
    seconds = (world - worst.event_world_ms) / 1000
    late = seconds > worst.stale_after_s
    return Span(f"  {worst.name} {age(seconds)}" + ("~" if late else ""), "near" if late else "text")


def _close(scene: Scene, key: Key) -> Span:
    row = _event(scene, key)
    return Span(until(scene.view.close_in_s(row.close_world_ms, scene.now)), "text-muted")


def _state(scene: Scene, key: Key) -> Span:
    row = _event(scene, key)
    return Span(f"  {row.refusal or row.score or 'no record yet'}", "near" if row.refusal else "text")


COLUMNS = (
    Column("mark", "", 1, 1, _mark, left=True),
    Column("venue", "V", 1, 1, _venue, left=True, when=several),
    Column("event", " event", 22, 1, _label, left=True),
    Column("mean", "mean", 9, 1, _mean),
    Column("spread", "sigma", 9, 1, _spread),
    Column("close", "close", 7, 3, _close),
    Column("model", "  model", 20, 4, _model, left=True),
    Column("oldest", "  oldest input", 22, 2, _oldest, left=True),
    Column("state", "  score", 17, 2, _state, left=True, grow=True, width_max=90),
)


def feed_lines(scene: Scene) -> list[Line]:
    """The sources that need a look most, each with its state, age and limit."""
    on = [feed for feed in feeds_of(scene) if feed.state != "OFF"]
    rows: list[Line] = []
    for feed in worst_first(on, scene)[:_FEEDS_MAX]:
        word, role = feed_word(feed, scene)
        rows.append(
            line(
                f" {feed.name:14.14}",
                (f"{word:14}", role),
                f"newest {age(feed_age_s(feed, scene)):>5}",
                (f"   stale after {age(feed.stale_after_s):>4}", "text-muted"),
                (f"   {feed.detail}" if feed.detail else "", "text-muted"),
            )
        )
    if len(on) > _FEEDS_MAX:
        feeds = scene.keymap.name("screen.feeds")
        rows.append(note(f"and {len(on) - _FEEDS_MAX} more that are no worse: {feeds} Feeds"))
    return rows


def event_lines(scene: Scene, event: EventRow, width: int, *, current: int | None = None) -> list[Line]:
    """One event: model, inputs, brackets, evidence, and what of it is replayed."""
    rows: list[Line] = []
    joined: list[Span | str] = [" "]
    for group in summary(scene, event):
        joined += [*group, "   "]
    rows.append(line(*joined))
    rows += [line(" ", *row) for row in flow(inputs(scene, event), width - 2, indent=0)]
    for sentence, role in pool(event):
        rows += wrapped(sentence, width - 2, role)
    if event.refusal:
        rows += ((), note(event.refusal, "near"))
    if event.brackets:
        top, bar_width = bar_top(event), bar_room(width)
        rows += ((), bracket_header(top, bar_width))
        rows += [bracket_line(scene, row, top, bar_width, current=current) for row in event.brackets]
        total = sum(row.model for row in event.brackets)
        rows.append(line((" sum       ", "text-muted"), tenths(total).rjust(6)))
    rows.append(line((" score     ", "text-muted"), f" {event.score or 'no record yet'}"))
    if event.evidence:
        rows += ((), line((" evidence", "title")))
        for sentence in event.evidence:
            rows += wrapped(sentence, width - 2, indent=2)
    rows += ((), line((" feeds", "title")), *feed_lines(scene))
    status = scene.view.status
    rows += ((), line((" what is real", "title")))
    replay = status.replay if status is not None else ""
    rows += wrapped(replay or "Live data: nothing here is replayed or generated.", width - 2, indent=2)
    return rows


class ModelsScreen(ConsoleScreen):
    """Arrows choose an event, PgUp and PgDn read what is known about it, Enter opens its model's record."""

    name_in_registry = "models"
    pages_text = True

    def __init__(self) -> None:
        super().__init__()
        self.events = LiveTable(COLUMNS, id="events")
        self.detail = TextPane(id="detail")

    def panes(self) -> list[LinePane]:
        return [self.events, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        top = 2 + min(max(1, len(self.console.view.events)), _EVENTS_MAX if height >= 36 else 3)
        return over(width, height, "events", top, _DETAIL_LEAST)

    def open_cursor(self) -> None:
        event = str(self.events.cursor_key)
        first = next((m for m in self.console.view.statics.values() if m.event == event), None)
        if first is None:
            self.console.show_score()
        else:
            self.console.show_score(first.ticker.partition("-")[0], first.station)

    def draw(self, scene: Scene) -> None:
        view = scene.view
        keys = sorted(view.events, key=lambda key: (view.events[key].close_world_ms, view.events[key].label))
        if self.events.cursor_key is None and scene.current in view.statics:
            self.events.point_at(view.statics[scene.current].event)
        title = line(("MODELS", "title"), (f" {len(keys)} events", "text-muted"))
        self.events.paint_rows(scene, keys, title, empty=[note("Waiting for the first fair value.")])
        event = view.events.get(str(self.events.cursor_key))
        if event is None:
            self.detail.show_text(feed_lines(scene), head("FEEDS"), dim=scene.dim)
            return
        rows = event_lines(scene, event, self.detail.body_size[0])
        self.detail.show_text(rows, head("FAIR VALUES", event.label), dim=scene.dim)
