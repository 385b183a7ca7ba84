"""FAIR VALUES: the current event's distribution against the book, and the inputs it rests on."""

from __future__ import annotations

import re

from core.control.tables.models import BracketRow, EventRow
from tui.format import UNKNOWN, age, signed_tenths, tenths, until
from tui.lines import Line, Span, cut, flow, line
from tui.scene import Scene, head, note
from tui.widgets.line_pane import LinePane

_LABEL_WIDTH = 10
_FIGURES_WIDTH = 45
"""Cells of a bracket's figures; the bar takes the rest."""
_BAR_MIN_WIDTH, _BAR_MAX_WIDTH = 12, 40


_HUNDREDTHS = "hourly-temperature"
"""The model of temperatures that settle in hundredths of a degree."""


def measured(scene: Scene, event: EventRow, value: float | None) -> str:
    """A figure in the unit of what the event is about: degrees, or whatever a price is counted in."""
    if value is None:
        return UNKNOWN
    if event.model == _HUNDREDTHS:
        return f"{value:.2f}F"
    statics = (scene.view.statics.get(row.key) for row in event.brackets)
    weather = any(static.station for static in statics if static is not None)
    if weather:
        return f"{value:.1f}F"
    if abs(value) >= 1_000:
        return f"{value:.1f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.6g}"


_FIELD_NAMES = {"default": "EMOS-t", "emos-t": "EMOS-t alone", "emos": "EMOS"}
_POOL = re.compile(r"\.[0-9a-f]{8}$")
"""End of a version: what the model counts beside the market."""
_MARK_CHARS = 7


def model_name(event: EventRow) -> str:
    """The model by its name in the field, once, and as much of its version as tells two apart."""
    words = _POOL.sub("", event.version).split()
    named = bool(words) and not words[0][0].isdigit()  # the law that stands behind it or in for it
    name, rest = (words[0], words[1:]) if named else (event.model, words)
    return f"{_FIELD_NAMES.get(name, name)} {rest[-1][:_MARK_CHARS] if rest else ''}".strip()


def summary(scene: Scene, event: EventRow) -> list[Line]:
    """Model, mean, sigma and close as groups."""
    left = scene.view.close_in_s(event.close_world_ms, scene.now)
    return [
        line((model_name(event), "strong")),
        line(("mean ", "text-muted"), measured(scene, event, event.mean)),
        line(("sigma ", "text-muted"), measured(scene, event, event.spread)),
        line(("closes in ", "text-muted"), until(left)),
    ]


def pool(event: EventRow) -> list[tuple[str, str]]:
    """What model and market count and what the model's record says of that, as sentences with their role."""
    if event.unpooled:
        first = f"Model alone, not traded: {event.unpooled}", "near"
    else:
        first = f"model counts {event.weight:.0%}, the market {1 - event.weight:.0%}", "text"
    if not event.record:
        return [first]
    stays = "" if event.proven else "automatic mode opens nothing: "
    return [first, (stays + event.record, "text-muted" if event.proven else "near")]


def inputs(scene: Scene, event: EventRow) -> list[Line]:
    """Each input with its age and state, and the running extreme."""
    groups: list[Line] = []
    for row in event.inputs:
        seconds = (scene.view.world_ms(scene.now) - row.event_world_ms) / 1000
        late = seconds > row.stale_after_s
        groups.append(
            line(
                (row.name + " ", "text-muted"),
                (age(seconds) + ("~ STALE" if late else ""), "near" if late else "text"),
                ("" if late else " ok", "good"),
            )
        )
    if event.extreme is not None:
        groups.append(line(("max so far ", "text-muted"), f"{event.extreme}F"))
    return groups


def _bar(row: BracketRow, top: int, width: int) -> list[Span]:
    """``########|``: model as ``#``, the book's mid as ``|``."""
    cells = [" "] * width
    for index in range(min(width, round(row.model / top * width))):
        cells[index] = "#"
    spans = [Span("".join(cells), "fair")]
    if row.book is not None:
        at = min(width - 1, round(row.book / top * width))
        text = "".join(cells)
        spans = [Span(text[:at], "fair"), Span("|", "strong"), Span(text[at + 1 :], "fair")]
    return spans


def bracket_line(
    scene: Scene, row: BracketRow, top: int, bar_width: int, *, current: int | None = None
) -> Line:
    """One bracket; the mark is on ``current``, where it is not the desk's own current market."""
    here = row.key == (scene.current if current is None else current)
    market = scene.view.markets.get(row.key)
    role = "edge-trade" if market is not None and market.mark == "card" else "edge-none"
    stale = market is not None and market.edge_word == "stale"
    parts: list[Span | str | tuple[str, str]] = [
        (">" if here else " ", "strong"),
        (row.label.ljust(_LABEL_WIDTH)[:_LABEL_WIDTH], "strong" if here else "text"),
        tenths(row.model).rjust(6),
        (tenths(row.book).rjust(7), "text-muted"),
        (tenths(row.fair).rjust(7), "stale" if stale else "fair"),
        (tenths(row.sigma).rjust(5), "text-muted"),
        (("stale" if stale else signed_tenths(row.edge)).rjust(7), "stale" if stale else role),
    ]
    if bar_width:
        parts += ["  ", *_bar(row, top, bar_width)]
    return line(*parts)


def bracket_header(top: int, bar_width: int) -> Line:
    text = " " + "bracket".ljust(_LABEL_WIDTH) + " model   book   fair  +/-   edge"
    if bar_width:
        text += "  0%" + f"{top // 100}%".rjust(bar_width - 2)
    return line((text, "text-muted"))


def bar_top(event: EventRow) -> int:
    """End of the bar's scale in ten-thousandths, a round number above every bar."""
    highest = max((max(row.model, row.book or 0) for row in event.brackets), default=0)
    return next(top for top in (4000, 6000, 8000, 10_000) if highest <= top or top == 10_000)


def near_brackets(scene: Scene, event: EventRow, rows: int) -> tuple[BracketRow, ...]:
    """As many brackets as fit, centred on the current one."""
    brackets = event.brackets
    if len(brackets) <= rows:
        return brackets
    here = next((i for i, row in enumerate(brackets) if row.key == scene.current), len(brackets) // 2)
    first = min(max(0, here - rows // 2), len(brackets) - rows)
    return brackets[first : first + max(0, rows)]


def bar_room(width: int) -> int:
    """Cells for the distribution's bar in a pane of this width; 0 when it would say nothing."""
    room = min(_BAR_MAX_WIDTH, width - _FIGURES_WIDTH - 1)
    return room if room >= _BAR_MIN_WIDTH else 0


def _sums(event: EventRow) -> Line:
    model = sum(row.model for row in event.brackets)
    books = [row.book for row in event.brackets]
    book = tenths(sum(b for b in books if b is not None)) if None not in books else "--"
    return line(
        (" " + "sum".ljust(_LABEL_WIDTH), "text-muted"),
        tenths(model).rjust(6),
        (book.rjust(7), "text-muted"),
        (f"   score: {event.score or 'no record yet'}", "text-muted"),
    )


def fair_lines(scene: Scene, event: EventRow, width: int, height: int, *, compact: bool) -> list[Line]:
    """The pane's body; compact keeps the header and the current bracket's neighbours."""
    bar_width = bar_room(width)
    top = bar_top(event)
    if compact:
        rows = [bracket_header(top, bar_width)]
        return rows + [
            bracket_line(scene, row, top, bar_width) for row in near_brackets(scene, event, height - 1)
        ]
    rows = [line(" ", *row) for row in flow(summary(scene, event), width - 2, indent=0)]
    rows += [line(" ", *row) for row in flow(inputs(scene, event), width - 2, indent=0)[:2]]
    said = flow([line(sentence) for sentence in pool(event)], width - 2, indent=0)[:2]
    spare = height - len(rows) - 1 - len(event.brackets)
    rows += [line(" ", *cut(row, width - 2)) for row in said[: max(0, spare)]]
    rows.append(bracket_header(top, bar_width))
    room = height - len(rows)
    whole = room > len(event.brackets)
    for row in near_brackets(scene, event, room - 1 if whole else room):
        rows.append(bracket_line(scene, row, top, bar_width))
    if whole:
        rows.append(_sums(event))
    return rows


def no_model(scene: Scene, event: EventRow | None) -> Line:
    if event is not None and event.refusal:
        return note(event.refusal)
    if not scene.view.markets:
        return note("Waiting for the first market.")
    if scene.current is None:
        return note("No market is shown.")
    return note("No model for this market. Prices only.")


class FairValues(LinePane):
    """The FAIR VALUES pane."""

    def show(self, scene: Scene, *, compact: bool) -> None:
        width, height = self.body_size
        event = scene.view.event_of(scene.current)
        if event is None or event.refusal or not event.brackets:
            detail = event.label if event is not None else ""
            self.paint([no_model(scene, event)], head("FAIR VALUES", detail), dim=scene.dim)
            return
        right: Line = ()
        if compact:
            groups = summary(scene, event)[:3]
            right = line(*groups[0], "  ", *groups[1], "  ", *groups[2])
        rows = fair_lines(scene, event, width, height, compact=compact)
        title = head("FAIR VALUES", event.label)
        self.paint([cut(row, width) for row in rows], title, right, dim=scene.dim)
