"""VENUES: how each venue's stream, orders, dead man and account stand, in the venue's own words."""

from __future__ import annotations

from core.control.tables.account import AccountRow
from core.control.tables.status import LinkRow
from tui.format import age, countdown, dollars, fine_age, venue_short
from tui.lines import Line, Span, line
from tui.scene import Scene, note
from tui.view_model import ViewModel
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import wrapped
from tui.words import account_word, beat_word


def shows(view: ViewModel) -> bool:
    """A desk of one venue whose orders end by their own expiry says all of it elsewhere."""
    return view.several or any(link.beat is not None for link in _links(view))


def rows_wanted(scene: Scene, width: int) -> int:
    """Header, a row a venue, and the sentences below."""
    return 1 + len(_links(scene.view)) + len(sentences(scene, width))


def _links(view: ViewModel) -> tuple[LinkRow, ...]:
    return view.status.links if view.status is not None else ()


def _row(scene: Scene, key: Key) -> LinkRow:
    return next(link for link in _links(scene.view) if link.venue == key)


def account_of(view: ViewModel, venue: str) -> AccountRow | None:
    accounts = view.reading.accounts if view.reading is not None else ()
    return next((account for account in accounts if account.venue == venue), None)


def _name(scene: Scene, key: Key) -> Span:
    return Span(" " + venue_short(str(key)), "strong")


def _stream(scene: Scene, key: Key) -> Span:
    link = _row(scene, key)
    if scene.down:
        return Span("  ?", "text-muted")
    if link.state in ("ok", "PAUSED"):
        return Span(f"  ok {fine_age(scene.ago_s(link.heartbeat_ns))}", "good")
    retry = "" if link.retry_at_ns is None else f" {countdown(scene.in_s(link.retry_at_ns))}"
    return Span(f"  {link.state}{retry}", "alarm")


def _orders(scene: Scene, key: Key) -> Span:
    link = _row(scene, key)
    if link.state == "PAUSED":
        return Span("  " + _mode(scene, link), "alarm")
    return Span(f"  {link.halt.partition(':')[0]}", "near") if link.halt else Span("  taken", "text-muted")


def _mode(scene: Scene, link: LinkRow) -> str:
    """What the venue answers, and how long it says that holds."""
    opens = link.opens_wall_ms
    left = "" if opens is None else f" {countdown((opens - scene.now.wall_ms) / 1000)}"
    return link.detail + left


def _dead_man(scene: Scene, key: Key) -> Span:
    said = beat_word(scene, _row(scene, key))
    return Span("  own expiry", "text-muted") if said is None else Span(f"  {said[0]}", said[1])


def _account(scene: Scene, key: Key) -> Span:
    account = account_of(scene.view, str(key))
    if account is None:
        return Span("  --", "text-muted")
    word, role = account_word(account)
    ago = f" {age(scene.ago_s(account.at_ns))}" if account.number else ""
    return Span(f"  {word}{ago}", role)


def _cash(scene: Scene, key: Key) -> Span:
    account = account_of(scene.view, str(key))
    return Span(dollars(account.cash if account is not None else None))


COLUMNS = (
    Column("venue", " venue", 6, 1, _name, left=True),
    Column("stream", "  stream", 12, 1, _stream, left=True),
    Column("orders", "  orders", 18, 1, _orders, left=True, grow=True, width_max=40),
    Column("dead", "  dead man", 14, 1, _dead_man, left=True),
    Column("account", "  account", 18, 1, _account, left=True),
    Column("cash", "cash", 11, 2, _cash),
)


def sentences(scene: Scene, width: int) -> list[Line]:
    """What stops something on a venue, whole: its mode, missed beats, what holds it back."""
    rows: list[Line] = []
    for link in _links(scene.view):
        beat = link.beat
        told = [_mode(scene, link)] if link.state != "ok" and link.detail else []
        if beat is not None and beat.why:
            told.append(f"{beat.why}: no entries there, {_ends(scene, beat.ends_ns)}")
        told += [link.halt] if link.halt else []
        for text in told:
            rows += wrapped(f"{venue_short(link.venue)} {text}", width, "near")
    return rows


def _ends(scene: Scene, ends_ns: int | None) -> str:
    """What becomes of the orders of a venue that hears no beat."""
    if ends_ns is None:
        return "orders would outlive this engine"
    left_s = scene.in_s(ends_ns)
    if left_s <= 0:
        return "the venue ends every order of ours now, or has done so"
    return f"the venue ends every order of ours in {countdown(left_s)}"


class VenueTable(LiveTable):
    """The VENUES pane."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, id="venues")
        self.can_focus = False

    def show(self, scene: Scene) -> None:
        links = _links(scene.view)
        title = line(("VENUES", "title"), (f" {len(links)}", "text-muted"))
        self.paint_rows(
            scene,
            [link.venue for link in links],
            title,
            empty=[note("No venue is known yet.")],
            foot=sentences(scene, self.body_size[0]),
        )
