"""What the frames show: every screen of the console, every state of a card, and what stands over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from core.control.tables.account import JournalRow
from core.control.tables.cards import CheckRow
from core.control.tables.safety import AlarmRow
from tests.tui import rows
from tests.tui.frame_desk import TICKER, Stage
from tests.tui.rows import C, S
from tests.tui.test_links import pair
from tests.tui.test_truth import OTHER
from tui.tables import Now
from tui.theme_files import theme_names
from tui.widgets.live_table import LiveTable

Shape = tuple[int, int]
SHAPES: tuple[Shape, ...] = ((80, 24), (120, 40), (160, 45), (200, 60))
NARROW = SHAPES[:2]
"""The narrowest Desk of each kind: one column and two. Where a state's words fit here they fit anywhere."""
PAINTED_IN = ("dark", "light", "high-contrast", "mono")


def _nothing(stage: Stage) -> None: ...


class Picture(NamedTuple):
    """One thing to look at. ``steps`` lead there from the Desk: actions by their id, commands behind a
    colon. ``stage`` says what is so before them, ``last`` what a hand does after."""

    name: str
    screen: str = "desk"
    steps: tuple[str, ...] = ()
    stage: Callable[[Stage], None] = _nothing
    last: Callable[[Stage], None] = _nothing
    wait_s: float = 0.5
    """How long the card has stood there by then."""
    shapes: tuple[Shape, ...] = SHAPES
    painted: tuple[Shape, ...] = ()
    """Shapes whose colours are kept too."""
    themes: tuple[str, ...] = PAINTED_IN
    """Themes in which those are drawn."""
    pane: str = ""
    """Only this pane and the keys below it; all of the screen without."""


def _card(name: str, stage: Callable[[Stage], None] = _nothing, **more: Any) -> Picture:
    return Picture(f"card-{name}", stage=stage, pane="card", shapes=NARROW, **more)


def _desk(name: str, stage: Callable[[Stage], None] = _nothing, **more: Any) -> Picture:
    return Picture(f"desk-{name}", stage=stage, shapes=NARROW, **more)


def _one_venue(stage: Stage) -> None:
    now = stage.clock()
    stage.desk.app.view.apply(rows.snapshot(now, stage.desk.engine.session), now)


def _calm(stage: Stage) -> None:
    """Nothing proposed, nothing held, nothing rests."""
    view = stage.desk.app.view
    stage.tell(
        gone_proposals=tuple(view.proposals),
        gone_orders=tuple(view.orders),
        gone_positions=tuple(view.positions),
        gone_alarms=tuple(view.alarms),
    )


def _real_money(stage: Stage) -> None:
    stage.status(profile="live", speed=1.0, replay="", world_id="")


def _halted(stage: Stage) -> None:
    halt = {
        "level": "HALTED", "level_scope": "desk", "level_reason": "lost 75.12 today", "level_by": "engine",
        "level_wall_ms": stage.clock.wall_ms() - 125_000,
    }  # fmt: skip
    stage.status(**halt)


def _wrong(stage: Stage) -> None:
    """A venue that is gone, an order nobody knows the fate of, limits used up."""
    now = stage.clock()
    down = rows.LinkRow("kalshi", "DOWN", now.mono_ns - 43 * S, "closed 1006", now.mono_ns + 20 * S)
    unknown = rows.order(
        now, client_order_id="pm-u", venue="kalshi", state="UNKNOWN", bound="may cost 6.60",
        next_check_ns=now.mono_ns + 3 * S,
    )  # fmt: skip
    full = msgspec.structs.replace(rows.limits()[4], used=800 * C, clears="less at risk altogether")
    stage.status(links=(down, rows.poly_link(now)), unknown=1)
    stage.tell(orders=(unknown,), limits=(full,), alarms=(_alarm(now, 30),))


def _alarm(now: Now, number: int, **changes: Any) -> AlarmRow:
    row = AlarmRow(
        number, "ACT", rows.WORLD_MS, now.mono_ns - 9 * S, "KAL is gone: closed 1006",
        "no entries there; orders rest until they expire", "its next heartbeat", False, True,
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def _differs(stage: Stage) -> None:
    now = stage.clock()
    fill = rows.difference(
        now, "R2", about="fill", subject="T-99182ab", ours="15.00", theirs="no such fill", acted=False
    )
    told = tuple(JournalRow(n, now.wall_ms, "FILL", f"bought {n} @ 45c", "pm-1") for n in range(101, 105))
    stage.tell(reading=rows.two_readings(now, rows.difference(now, events=told), fill))


def _other_side(stage: Stage) -> None:
    now = stage.clock()
    stage.tell(
        reading=rows.two_readings(now, rows.difference(now, **OTHER)),
        alarms=(_alarm(now, 31, what="desk: position", effect="the desk is halted", scope="desk"),),
    )


def _stopping(**changes: Any) -> Callable[[Stage], None]:
    def stage(stage: Stage) -> None:
        stage.tell(flatten=rows.flatten(stage.clock(), **changes))

    return stage


def _engine_gone(stage: Stage) -> None:
    stage.desk.app.view.connected = False
    stage.desk.app.view.closed_reason = "the engine closed the connection"


def _no_control(stage: Stage) -> None:
    stage.status(controller="pid 9 (uid 0)", controller_session="other")


def _warned(stage: Stage) -> None:
    why = CheckRow(
        "AUTO", "not sent by automatic mode: no record of this model yet", "a record", blocks=False
    )
    stage.card(checks=(why,), model=3_900, market=3_250, sharpened=3_310, weight=0.5)


def _moved(stage: Stage) -> None:
    now = stage.clock()
    was = rows.before(price=3_100, fair=4_010, edge=810, cost=12_400_000)
    stage.card(state="MOVED", was=was, changed_ns=now.mono_ns, fingerprint="fp-9")


def _paired(stage: Stage) -> None:
    stage.tell(pairs=(pair(second=rows.SLUG, second_key=rows.POLY_KEY),))


def _at_coinbase(stage: Stage) -> None:
    stage.desk.app.screen.query_one("#feeds", LiveTable).point_at(("markets", "coinbase"))


def _typed(text: str) -> Callable[[Stage], None]:
    def last(stage: Stage) -> None:
        screen = stage.desk.app.console_screen
        assert screen is not None
        screen.command_line.value = text

    return last


PICTURES = (
    # First: it opens by itself, before any card arms.
    Picture("digest", "digest"),
    Picture("desk", painted=(SHAPES[0], SHAPES[2]), themes=(*theme_names(),)),
    _desk("one-venue", _one_venue),
    _desk("calm", _calm),
    _desk("real-money", _real_money),
    _desk("halted", _halted),
    _desk("wrong", _wrong),
    _desk("read-only", _no_control),
    _desk("view-lag", wait_s=2),
    _desk("engine-down", _engine_gone),
    Picture("markets", "markets", ("screen.markets",)),
    Picture("orders", "orders", ("screen.orders",)),
    Picture("orders-differ", "orders", ("screen.orders",), _differs),
    Picture("positions", "positions", ("screen.positions",)),
    Picture("models", "models", ("screen.models",)),
    Picture("feeds", "feeds", ("screen.feeds",)),
    Picture("feeds-source", "feeds", ("screen.feeds",), last=_at_coinbase, shapes=NARROW),
    Picture("funnel", "funnel", ("screen.funnel",)),
    Picture("journal", "journal", ("screen.journal",)),
    Picture("journal-entry", "journal", ("screen.journal", "open")),
    Picture("system", "system", ("screen.system",)),
    Picture("alarms", "alarms", ("screen.alarms",), _wrong),
    Picture("market", "market", (f":go {TICKER}",)),
    Picture("evidence", "evidence", ("card.evidence",)),
    Picture("batch", "batch", ("card.batch",)),
    Picture("help", "help", ("help",)),
    Picture("links", "links", (":links",), _paired),
    Picture("palette", "palette", ("palette",), last=_typed("li")),
    Picture("settings", "settings", (":settings",)),
    Picture("score", "score", (":score",)),
    Picture("vetoes", "vetoes", (":vetoes",)),
    Picture("why", "why", ("screen.journal", "order.story")),
    Picture("rules", "rules", (f":rules {TICKER}",)),
    Picture("command", steps=("command",), last=_typed("limit total_loss_max ")),
    Picture("ticket", "market", (f":go {TICKER}", "ticket"), last=_typed("yes 20 @ 31")),
    Picture("edit", steps=("card.edit",), last=_typed("20 @ 31"), shapes=NARROW),
    Picture("veto", steps=("card.veto",), shapes=NARROW),
    Picture("takeover", stage=_other_side),
    Picture("stop", stage=_stopping(), painted=SHAPES[:1]),
    Picture(
        "stop-exits", stage=lambda stage: stage.tell(flatten=rows.two_ladders(stage.clock())), shapes=NARROW
    ),
    Picture(
        "stop-over",
        stage=_stopping(
            phase="UNFLATTENED", receipt="Not flat after 30 s.", residue=("AUS hi 71-72 8",), exits_at_ns=None
        ),
        shapes=NARROW,
    ),
    _card("armed"),
    _card("arming", wait_s=0),
    _card("moved", _moved, wait_s=0, painted=SHAPES[:1]),
    _card("confirm", lambda stage: stage.card(large=True), steps=("card.approve",)),
    _card("blocked", lambda stage: stage.card(rows.blocked), painted=SHAPES[:1]),
    _card("warned", _warned),
    _card("deferred", lambda stage: stage.card(state="DEFERRED"), steps=("card.previous",)),
    _card("sent", lambda stage: stage.card(state="SENT")),
    _card("expired", lambda stage: stage.card(expires_ns=stage.clock.mono_ns())),
    _card("reduces", lambda stage: stage.card(closes=True, key=10)),
    _card("by-hand", lambda stage: stage.card(strategy="manual", by_hand=True, fair=None, sigma=0)),
    _card("plan", lambda stage: stage.card(rows.plan_card)),
    _card("lag", wait_s=2),
    _card("down", _engine_gone),
    _card("viewer", _no_control),
)
