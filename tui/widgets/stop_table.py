"""The stop ladder in progress: a row a venue, a line for each market that resists, the receipt at the end."""

from __future__ import annotations

from textwrap import wrap

from core.control.tables.safety import FlattenRow, FlattenVenueRow
from tui.format import age, count, countdown, fit_name, venue_short
from tui.lines import Line, line
from tui.scene import Scene, head
from tui.widgets.line_pane import LinePane

_COLUMNS = (("groups", 6), ("cancels", 8), ("unk", 4), ("exits", 8), ("rest", 5), ("left", 9))
_NAME = 6
_ENDS = {"FLAT": "good", "ABORTED": "near", "UNFLATTENED": "alarm"}


def shows(scene: Scene) -> bool:
    """While a stop runs, and after it until somebody resumes the locked desk."""
    status, flatten = scene.view.status, scene.view.flatten
    locked = status is not None and status.level == "LOCKED"
    return flatten is not None and (scene.view.stopping or locked)


class StopTable(LinePane):
    """Stands in the card's place: a stopped desk has no cards."""

    def show(self, scene: Scene) -> None:
        flatten = scene.view.flatten
        if flatten is None:
            return
        width = self.body_size[0]
        took = age(scene.ago_s(flatten.started_ns)) if scene.in_ladder else ""
        by = line(f"by {_who(flatten, scene)} {took}".rstrip())
        self.paint(table(flatten, scene, width), head("STOP LADDER"), by, dim=scene.dim)


def table(flatten: FlattenRow, scene: Scene, width: int) -> list[Line]:
    """Phase, venues, what waits, what resists, and the receipt."""
    rows: list[Line] = [
        line((f" {flatten.phase}", _ENDS.get(flatten.phase, "strong")), *_now(flatten, scene))
    ]
    titles = "".join(title.rjust(size) for title, size in _COLUMNS)
    rows.append(line((f" {'':{_NAME}}{titles}", "text-muted")))
    for row in flatten.venues:
        rows.append(_venue(row))
        if len(flatten.venues) > 1:
            rows.append(_own_end(row, scene))
    if flatten.receipt:
        rows.append(_way_on(flatten, scene))
        rows += [line(f" {text}") for text in wrap(flatten.receipt, max(20, width - 2))]
    else:
        rows += [_resists(text, scene, width) for text in flatten.residue]
    return rows


def _who(flatten: FlattenRow, scene: Scene) -> str:
    status = scene.view.status
    own = scene.controls and status is not None and flatten.by == status.controller
    return "you" if own else flatten.by


def _now(flatten: FlattenRow, scene: Scene) -> tuple[str | tuple[str, str], ...]:
    if scene.down:
        return (("   when the engine was lost", "alarm"),)
    if flatten.exits_at_ns is not None:
        return (f"   exits in {countdown(scene.in_s(flatten.exits_at_ns))}",)
    if flatten.pause and len(flatten.venues) == 1:
        return (_pause(flatten.pause, flatten.pause_until_wall_ms, scene),)
    words = ["down to 10c under the bid"] if flatten.urgent else []
    words += [f"whole account {flatten.sweep}"] if flatten.sweep else []
    return (f"   {', '.join(words)}",) if words else ()


def _way_on(flatten: FlattenRow, scene: Scene) -> Line:
    """What ends the stop for good: above its receipt, which may be longer than the pane."""
    if not flatten.watches:
        return line((" The desk is locked: ", "text-muted"), (":resume", "key"), (" goes on", "text-muted"))
    if not scene.controls:
        return line((" It goes on; the console in control ends it", "near"))
    return line(
        (" It goes on until ", "near"), (":flatten keep", "key"), (" or ", "near"), (":resume", "key")
    )


def _venue(row: FlattenVenueRow) -> Line:
    cells = (
        f"{row.groups_triggered}/{row.groups}" if row.groups else "-",
        f"{row.cancels_confirmed}/{row.cancels_sent}",
        str(row.cancels_unknown),
        f"{row.exits_filled}/{row.exits_sent}",
        str(row.exits_resting),
        count(row.left),
    )
    text = "".join(cell.rjust(size) for cell, (_, size) in zip(cells, _COLUMNS, strict=True))
    return line((f" {venue_short(row.venue):{_NAME}}", "strong"), text)


def _own_end(row: FlattenVenueRow, scene: Scene) -> Line:
    """How far one venue's ladder is: none waits for another."""
    where = (f" {'':{_NAME}}  {row.phase}", _ENDS.get(row.phase, "text-muted"))
    return line(where, _pause(row.pause, row.pause_until_wall_ms, scene))


def _pause(what: str, until_ms: int | None, scene: Scene) -> tuple[str, str]:
    """Why a venue takes no exits, and until when if it says so."""
    if not what:
        return "", "alarm"
    left = "" if until_ms is None else f", opens in {countdown((until_ms - scene.now.wall_ms) / 1000)}"
    return f"   {what}{left}", "alarm"


def _resists(text: str, scene: Scene, width: int) -> Line:
    """``TICKER: why``, the ticker by its name where the desk knows one."""
    ticker, _, why = text.partition(": ")
    names = (scene.view.named(key) for key, s in scene.view.statics.items() if s.ticker == ticker)
    return line((f" {fit_name(next(names, ticker), 23)}", "strong"), (f"  {why}", "near"))
