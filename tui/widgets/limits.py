"""LIMITS: used against allowed, with what the selected card would add."""

from __future__ import annotations

from collections.abc import Sequence

from core.control.tables.safety import LimitRow
from tui.format import (
    UNKNOWN,
    bar,
    count,
    countdown,
    dollars,
    fit,
    fit_name,
    limit_word,
    short_dollars,
    unknown_bar,
    venue_short,
)
from tui.lines import Line, Span, cut, line, width_of
from tui.scene import Scene, head, note
from tui.view_model import share
from tui.widgets.line_pane import LinePane
from tui.words import beat_word

_ON_CARD = {
    "market_loss_max": "mkt",
    "event_loss_max": "event",
    "venue_loss_max": "venue",
    "total_loss_max": "total",
}
"""Limit to its name on a card."""
_SHORT = {
    "total_loss_max": "total",
    "venue_loss_max": "venue",
    "event_loss_max": "event",
    "market_loss_max": "market",
    "day_loss_max": "loss",
    "drawdown_max": "peak",
    "repeat_hour_max": "repeat",
    "loss_row_max": "losing",
    "loss_hour_max": "losing 1h",
    "rejects_max": "rejects",
    "unknowns_max": "unanswered",
    "open_orders_market_max": "orders mkt",
    "open_orders_total_max": "orders",
    "velocity_15s_max": "15s",
    "velocity_5min_max": "5min",
    "rate_second_max": "1s",
    "rate_minute_max": "1min",
    "rate_hour_max": "1h",
    "correlated_loss_max": "corr",
}
"""Names for the one line of small terminals."""
_TITLE_CELLS = 16
"""Of a pane's title line around the words at its right end."""
_WORD_ROLES = {"NEAR": "near", "CAP": "breach", "": "text"}


def _figure(row: LimitRow, value: int | None) -> str:
    if value is None:
        return "?"
    return dollars(value) if row.unit == "money" else count(value) if row.unit == "contracts" else str(value)


def _bound(row: LimitRow) -> str:
    if row.unit == "percent":
        return f"{row.limit}%"
    return short_dollars(row.limit) if row.unit == "money" else _figure(row, row.limit)


def adds(scene: Scene, row: LimitRow) -> float:
    """Share of the limit the selected card would add."""
    card = scene.card
    if card is None or row.limit <= 0:
        return 0.0
    static = scene.view.statics.get(card.key)
    own = ("", static.ticker, static.event) if static is not None else ("",)
    name = _ON_CARD.get(row.name)
    used = next((used for used in card.used if used.name == name and row.scope in own), None)
    return max(0, used.adds) / row.limit if used is not None else 0.0


def _bar(scene: Scene, row: LimitRow, width: int) -> tuple[str, str, str]:
    """Bar, word and the role of both."""
    part = share(row)
    if part is None:
        return unknown_bar(width), "", "text-muted"
    word = limit_word(part)
    return bar(part, adds(scene, row), width), word, _WORD_ROLES[word]


def limit_line(scene: Scene, row: LimitRow, width: int) -> Line:
    """``total   34.36/800  [----------]  765.64``; a narrow pane goes without the headroom, a wide one says
    what makes room under a limit that is nearly full, and whose rule it is."""
    name_width, bar_width, left_width = _widths(width)
    text, word, role = _bar(scene, row, bar_width)
    used = f"{_figure(row, row.used)}/{_bound(row).ljust(4)}"
    left = UNKNOWN if row.used is None else _figure(row, max(0, row.limit - row.used))
    label = scene.view.limit_label(row)
    shown = line(
        " " + (fit_name if row.scope else fit)(label, name_width),
        (used.rjust(13), role),
        " ",
        (text, role),
        (" " + word.ljust(4), role),
        (left.rjust(left_width) if left_width else "", "text-muted"),
    )
    frees = f"   {_frees(row)}" if word and row.clears else ""
    return line(*shown, (frees, "text-muted")) if width_of(shown) + len(frees) <= width else shown


def limit_lines(scene: Scene, row: LimitRow, width: int) -> list[Line]:
    """The line, and below it, where it has no room for that, what makes room again under a full limit."""
    shown, part = limit_line(scene, row, width), share(row)
    if part is None or limit_word(part) != "CAP" or not row.clears or shown[-1].text.endswith(_frees(row)):
        return [shown]
    return [shown, cut(line((f"   {_frees(row)}", "near")), width)]


def told_limits(scene: Scene, limits: Sequence[LimitRow], width: int, room: int) -> list[Line]:
    """What fits of the limits; what makes room takes none from another limit that is nearly full."""
    filling = [at for at, row in enumerate(limits, 1) if limit_word(share(row) or 0.0)]
    spare = room - max(filling, default=0)
    rows: list[Line] = []
    for row in limits:
        shown, *more = limit_lines(scene, row, width)
        rows += [shown, *more[: max(0, spare)]]
        spare -= len(more)
    return rows[: max(0, room)]


def _frees(row: LimitRow) -> str:
    return f"{row.rule} clears with {row.clears}"


def _widths(width: int) -> tuple[int, int, int]:
    """Cells of name, bar and headroom in a pane of this width."""
    bar_width, left_width = (10, 9) if width >= 54 else (6, 0)
    return min(30, width - 22 - bar_width - left_width - (1 if left_width else 0)), bar_width, left_width


def standing_lines(scene: Scene) -> list[Line]:
    """Cash, and who watches."""
    status = scene.view.status
    if status is None:
        return []
    who = "you" if scene.controls else status.controller or "nobody"
    watch = line((" supervised: ", "text-muted"), (who, "text" if who != "nobody" else "near"))
    if status.unattended_until_ns is not None:
        left = countdown(scene.in_s(status.unattended_until_ns))
        watch = line(*watch, (f"   unattended, entries end in {left}", "near"))
    return [line((" free cash ", "text-muted"), dollars(status.cash)), watch, *beat_lines(scene)]


def beat_lines(scene: Scene) -> list[Line]:
    """One line a venue that ends our orders when it hears no beat, with the countdown."""
    rows = []
    for link in scene.view.status.links if scene.view.status is not None else ():
        said = beat_word(scene, link)
        if said is not None and link.beat is not None:
            then = "no entries there" if link.beat.why else "or the venue ends our orders"
            name = f" {venue_short(link.venue)} "
            rows.append(line((name, "text-muted"), said, (f" {then}", "text-muted")))
    return rows


def limits_line(scene: Scene, width: int) -> Line:
    """The one line of small terminals: total, the nearest one, loss, orders."""
    view = scene.view
    wanted = [
        view.limit("total_loss_max"),
        view.nearest_limit(),
        view.limit("day_loss_max"),
        view.limit("open_orders_total_max"),
    ]
    shown: list[LimitRow] = []
    for row in wanted:
        if row is not None and row not in shown:
            shown.append(row)
    for bar_width, gap in ((6, 2), (6, 1), (4, 1), (0, 2), (0, 1)):
        groups = [_short(scene, row, bar_width) for row in shown]
        if sum(map(width_of, groups)) + gap * (len(groups) - 1) <= width:
            break
    parts: list[Span | str] = []
    for index, group in enumerate(groups):
        parts += ([" " * gap] if index else []) + list(group)
    return cut(line(*parts), width)


def _nearest(scene: Scene, row: LimitRow, width: int) -> Line:
    """The limit with the least room left; of a full one what makes room again."""
    part, label = share(row) or 0.0, scene.view.limit_label(row)
    word = limit_word(part)
    if word != "CAP" or not row.clears:
        return line(("nearest: ", "text-muted"), (f"{label} {part:.0%}", _WORD_ROLES[word]))
    until = f": clears with {row.clears}"
    if len(label) + len(word) + len(until) + _TITLE_CELLS > width:
        until = f": {row.clears}"
    return line((f"{label} {word}", _WORD_ROLES[word]), (until, "near"))


def _short(scene: Scene, row: LimitRow, bar_width: int) -> Line:
    text, word, role = _bar(scene, row, bar_width or 6)
    name = _SHORT.get(row.name) or scene.view.limit_label(row)
    scale = 10**6 if row.unit in ("money", "contracts") else 1
    used = "?" if row.used is None else str(row.used // scale)
    bound = str(row.limit // scale)
    with_bar = bar_width and row.name != "open_orders_total_max"
    return line(
        (fit(name, 13).rstrip() + " ", "text-muted"),
        (text + " " if with_bar else "", role),
        (f"{used}/{bound}", role),
        (" " + word if word else "", role),
    )


class Limits(LinePane):
    """The LIMITS pane."""

    def show(self, scene: Scene, *, compact: bool) -> None:
        width, height = self.body_size
        view = scene.view
        if not view.limits:
            self.paint([note("Limits not loaded: entries off.", "near")], head("LIMITS"), dim=scene.dim)
            return
        nearest = view.nearest_limit()
        right = _nearest(scene, nearest, width) if nearest is not None else ()
        if compact:
            self.paint([limits_line(scene, width)], head("LIMITS"), right, dim=scene.dim)
            return
        rows = [self._header(width)]
        foot = standing_lines(scene)
        room = height - len(rows) - len(foot)
        if room < 3:
            foot, room = [], height - len(rows)
        rows += told_limits(scene, view.limit_list(scene.current), width, room)
        rows += [()] * max(0, height - len(rows) - len(foot))
        self.paint([cut(row, width) for row in [*rows, *foot]], head("LIMITS"), right, dim=scene.dim)

    def _header(self, width: int) -> Line:
        name_width, bar_width, left_width = _widths(width)
        text = " " + "limit".ljust(name_width) + "used/limit".rjust(13)
        headroom = "headroom".rjust(bar_width + 8 + left_width) if left_width else ""
        return line((text + headroom, "text-muted"))
