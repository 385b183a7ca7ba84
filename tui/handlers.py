"""What each action of the registry does on the console: the one table that joins the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.ordering import Ordering
from tui.tables import Now

if TYPE_CHECKING:
    from tui.app import PmConsole


def _edit_card(app: PmConsole, now: Now) -> None:
    from tui.edit_talk import edit

    card = app.operator.card
    if card is not None:
        app.conversation.begin(edit(app.operator, app.clock, card))


def _show_evidence(app: PmConsole, now: Now) -> None:
    from tui.screens.evidence import EvidenceScreen

    if app.operator.card is not None:
        app.push_screen(EvidenceScreen())


def _show_batch(app: PmConsole, now: Now) -> None:
    from tui.screens.batch import BatchScreen

    if app.operator.card is not None:
        app.push_screen(BatchScreen())


def _open_selected(app: PmConsole, now: Now) -> None:
    screen = app.console_screen
    if screen is not None:
        screen.open_cursor()


def _cancel_selected(app: PmConsole, now: Now) -> None:
    from tui.screens.market import MarketScreen

    screen = app.console_screen
    if isinstance(screen, MarketScreen):
        order = screen.order_here()
        if order is None:
            every = app.options.keymap.name("order.cancel_market")
            app.operator.say(
                f"no order of ours at this price; {every} cancels all of this market", "text-muted", now
            )
        else:
            app.operator.cancel_order(order.client_order_id, now)
        return
    app.operator.cancel_order(str(app.selected("orders") or ""), now)


def _step_market(app: PmConsole, now: Now, by: int) -> None:
    from tui.screens.market import MarketScreen

    screen = app.console_screen
    if isinstance(screen, MarketScreen):
        screen.step(by, app.operator.scene(now, app.size.width))


def _amend_selected(app: PmConsole, now: Now) -> None:
    from tui.screens.market import MarketScreen
    from tui.ticket_talks import change

    screen = app.console_screen
    if isinstance(screen, MarketScreen):
        order = screen.order_here()
    else:
        order = app.view.orders.get(str(app.selected("orders") or ""))
    if order is None:
        app.operator.say("no order of ours under the cursor", "text-muted", now)
    else:
        app.conversation.begin(change(app.operator, app.clock, order))


def _market_here(app: PmConsole, now: Now) -> int | None:
    """The market that is looked at: an opened one, that of the row under the cursor, else the current one."""
    from tui.screens.market import MarketScreen

    screen = app.console_screen
    if isinstance(screen, MarketScreen):
        return screen.key
    table = screen.table() if screen is not None else None
    match (table.id, table.cursor_key) if table is not None else (None, None):
        case "markets" | "positions", int(key):
            return key
        case "orders", str(client) if client in app.view.orders:
            return app.view.orders[client].key
        case "links", (str(first), str(second)) if (first, second) in app.view.pairs:
            pair = app.view.pairs[first, second]
            return pair.first_key or pair.second_key
    return app.operator.scene(now, app.size.width).current


def _watch(app: PmConsole, now: Now) -> None:
    app.watching.toggle(_market_here(app, now))


def _cancel_market(app: PmConsole, now: Now) -> None:
    app.operator.cancel_market(_market_here(app, now), now)


def _ticket(app: PmConsole, now: Now) -> None:
    from tui.screens.market import MarketScreen
    from tui.ticket_talks import ticket

    key = _market_here(app, now)
    if key is None or key not in app.view.statics:
        app.operator.say("no market under the cursor", "text-muted", now)
        return
    screen, row = app.console_screen, app.view.markets.get(key)
    doubted = row is not None and row.edge_word == "quar"
    if isinstance(screen, MarketScreen) and doubted and not screen.answered:
        again = f"its evidence is still to come, then {app.options.keymap.name('ticket')} again"
        app.operator.say(f"too good to be true: {again}", "near", now)
    elif isinstance(screen, MarketScreen):
        wanted = screen.quarantined(app.view.step(key))
        at = screen.cursor_price if not wanted else None
        app.conversation.begin(ticket(app.operator, app.clock, key, at, wanted))
    elif doubted:
        app.show_market(key)
        app.operator.say("too good to be true: look at the evidence first", "near", now)
    else:
        app.conversation.begin(ticket(app.operator, app.clock, key))


def _close(app: PmConsole, now: Now) -> None:
    from tui.ticket_talks import close

    key = _market_here(app, now)
    static = app.view.statics.get(key) if key is not None else None
    if key is None or static is None:
        app.operator.say("no market under the cursor", "text-muted", now)
    else:
        close(app.operator, key, static.ticker, now)


def _pause_strategy(app: PmConsole, now: Now) -> None:
    card = app.operator.card
    app.operator.pause(card.strategy if card is not None else "", now)


def _mode(app: PmConsole, now: Now) -> None:
    from tui import commands

    status = app.view.status
    if status is not None and status.mode == "auto":
        app.operator.semi(now)
    else:
        app.conversation.begin(commands.auto(app.operator, app.clock))


def _acknowledge(app: PmConsole, now: Now) -> None:
    alarm_id = app.selected("alarms")
    unread = app.view.unacknowledged()
    selected = app.view.alarms.get(alarm_id)
    shelved = selected is not None and bool(selected.shelved_by)
    if not shelved and not any(row.id == alarm_id for row in unread):
        alarm_id = unread[0].id if unread else None
    app.operator.acknowledge(alarm_id, now)


def _links(app: PmConsole, now: Now) -> None:
    from tui.screens.market import MarketScreen

    screen = app.console_screen
    opened = screen.key if isinstance(screen, MarketScreen) else None
    app.show_links(opened if opened is not None else app.operator.scene(now, app.size.width).current)


def _help(app: PmConsole, now: Now) -> None:
    """Help on the screen; the same key closes it."""
    from tui.screens.help import HelpScreen

    if isinstance(app.console_screen, HelpScreen):
        _back(app, now)
    else:
        app.push_screen(HelpScreen(app.screen_name))


def _filter(app: PmConsole, now: Now) -> None:
    """The field starts empty: what is typed takes the place of the old text, it is not joined to it."""
    from tui.screens.help import HelpScreen
    from tui.screens.journal import JournalScreen

    screen = app.console_screen
    if isinstance(screen, HelpScreen):
        app.conversation.ask("search the help", screen.search)
        return
    if isinstance(screen, JournalScreen):
        app.conversation.ask("filter (kind: market: order: words)", screen.narrow)
        return
    ordering = _ordering(app, now)
    if ordering is not None:
        old = ordering.filter
        app.conversation.ask(f"filter, now {old!r}" if old else "filter", ordering.narrow)


def _ordering(app: PmConsole, now: Now) -> Ordering | None:
    """The order of the rows under the cursor; says so where it is not the operator's."""
    screen = app.console_screen
    ordering = screen.ordering if screen is not None else None
    if ordering is None:
        app.operator.say("this table keeps its own order and shows every row", "text-muted", now)
    return ordering


def _sort(app: PmConsole, now: Now) -> None:
    ordering = _ordering(app, now)
    if ordering is not None:
        ordering.next_sort()


def _reverse(app: PmConsole, now: Now) -> None:
    ordering = _ordering(app, now)
    if ordering is not None:
        ordering.reverse()


def _story(app: PmConsole, now: Now) -> None:
    from tui.screens.journal import JournalScreen
    from tui.screens.why import WhyScreen

    screen = app.console_screen
    if isinstance(screen, JournalScreen):
        app.push_screen(WhyScreen(screen.about))
        return
    table = screen.table() if screen is not None else None
    order = app.view.orders.get(str(table.cursor_key)) if table is not None else None
    app.push_screen(WhyScreen(order.client_order_id if order is not None and not order.external else ""))


def _back(app: PmConsole, now: Now) -> None:
    if app.returning.unread and app.screen_name == "digest":
        app.returning.read(now)
    table = app.console_screen.table() if app.console_screen is not None else None
    if table is not None and table.ordering is not None and table.ordering.filter:
        table.ordering.narrow("")
    elif len(app.screen_stack) > 1:
        app.pop_screen()
    else:
        app.operator.escape()


HANDLERS: dict[str, Callable[[PmConsole, Now], None]] = {
    "card.edit": _edit_card,
    "card.defer": lambda app, now: app.operator.defer(now),
    "card.evidence": _show_evidence,
    "card.batch": _show_batch,
    "card.previous": lambda app, now: app.operator.step_card(-1, now),
    "card.next": lambda app, now: app.operator.step_card(1, now),
    "open": _open_selected,
    "setting.change": _open_selected,
    "table.filter": _filter,
    "table.sort": _sort,
    "table.reverse": _reverse,
    "watch": _watch,
    "order.cancel": _cancel_selected,
    "order.story": _story,
    "order.amend": _amend_selected,
    "order.cancel_market": _cancel_market,
    "market.previous": lambda app, now: _step_market(app, now, -1),
    "market.next": lambda app, now: _step_market(app, now, 1),
    "ticket": _ticket,
    "close": _close,
    "pause": _pause_strategy,
    "pause.all": lambda app, now: app.operator.pause("", now),
    "mode": _mode,
    "halt": lambda app, now: app.operator.halt(now),
    "alarm.acknowledge": _acknowledge,
    "pane.next": lambda app, now: app.action_focus_next(),
    "pane.previous": lambda app, now: app.action_focus_previous(),
    "links": _links,
    "back": _back,
    "palette": lambda app, now: app.show_palette(),
    "go": lambda app, now: app.conversation.ask_market(),
    "command": lambda app, now: app.conversation.ask_command(),
    "help": _help,
    "leave": lambda app, now: app.leave(),
    "copy": lambda app, now: app.copy(),
}
