"""The one registry of what the operator can do: keys, labels, help, danger and the CLI twin.

The keymap (``tui.keymap``), and with it dispatch, hints and help, and the command line are all made from
``ACTIONS`` and ``COMMANDS``; nothing else in the console knows a key. Keys carry Textual's names.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Danger(Enum):
    """How much harm the key can do; decides what stands between the press and the effect."""

    VIEW = ""
    SAFER = "safer"
    SPEND = "spends"
    STOP = "stops"


class Action(NamedTuple):
    id: str
    keys: tuple[str, ...]
    label: str
    """Word beside the key in the last line; empty keeps it out of there."""
    help: str
    danger: Danger = Danger.VIEW
    screens: tuple[str, ...] = ()
    """Where it works; empty means everywhere outside text fields."""
    card: bool = False
    """Hinted only while a card is up."""
    cli: str = ""
    """Command of the command line that does the same."""


OPENS = (
    "desk",
    "markets",
    "orders",
    "positions",
    "journal",
    "links",
    "models",
    "funnel",
    "palette",
)
DESK = ("desk",)
TRADES = ("desk", "markets", "market", "orders", "positions", "links", "batch")
"""Screens with a market under the cursor."""
SORTED = ("desk", "markets", "orders", "positions", "feeds", "alarms", "links")
"""Screens with a table whose order is the operator's."""
DECIDES = ("desk", "evidence", "batch")
"""Screens that show the selected card whole."""
OPENED = (
    "market",
    "evidence",
    "help",
    "links",
    "rules",
    "score",
    "vetoes",
    "batch",
    "palette",
    "settings",
    "digest",
    "why",
)
"""Screens opened over another one."""

ACTIONS: tuple[Action, ...] = (
    Action(
        "stop",
        ("ctrl+x",),
        "",
        "Emergency flatten: halt, cancel everything, then sell",
        Danger.STOP,
        cli="flatten",
    ),
    Action("card.approve", ("a",), "yes", "Approve the armed card", Danger.SPEND, DECIDES, True, "approve"),
    Action(
        "card.veto",
        ("x",),
        "no",
        "Veto the card; a key says why: p d n s o",
        Danger.SAFER,
        DECIDES,
        True,
        "veto",
    ),
    Action("card.edit", ("e",), "edit", "Edit the card: smaller or better only", Danger.SAFER, DECIDES, True),
    Action("card.defer", ("d",), "defer", "Decide later; the expiry stays", Danger.SAFER, DECIDES, True),
    Action(
        "card.evidence",
        ("v",),
        "why",
        "All the evidence behind the card",
        Danger.VIEW,
        ("desk", "batch"),
        True,
    ),
    Action("card.batch", ("b",), "batch", "All cards of the card's event together", Danger.VIEW, DESK, True),
    Action("card.yes", ("y",), "", "Name the side of a large card: YES", Danger.SPEND, DECIDES, True),
    Action("card.no", ("n",), "", "Name the side of a large card: NO", Danger.SPEND, DECIDES, True),
    Action(
        "card.previous",
        ("left_square_bracket",),
        "",
        "Previous card",
        Danger.VIEW,
        ("desk", "evidence"),
        True,
    ),
    Action("card.next", ("right_square_bracket",), "", "Next card", Danger.VIEW, ("desk", "evidence"), True),
    Action("open", ("enter",), "open", "Open what is under the cursor; never spends", Danger.VIEW, OPENS),
    Action(
        "setting.change",
        ("enter",),
        "change",
        "The next value of the setting under the cursor, or a question for one",
        Danger.VIEW,
        ("settings",),
    ),
    Action(
        "table.filter",
        ("slash",),
        "filter",
        "Show only what has these words: any text, or a column as in venue:poly; markets also card, held,"
        " order and watch; entries kind: market: order:; help",
        Danger.VIEW,
        (*SORTED, "journal", "help"),
    ),
    Action(
        "order.story",
        ("v",),
        "why",
        "The whole story of this order or entry: what led to it and what became of it",
        Danger.VIEW,
        ("orders", "journal"),
    ),
    Action("table.sort", ("o",), "", "Sort this table by its next column", Danger.VIEW, SORTED),
    Action(
        "watch",
        ("asterisk",),
        "",
        "Watch the market under the cursor, marked * in the watchlist and sorted before others, or no longer",
        Danger.VIEW,
        TRADES,
    ),
    Action("table.reverse", ("O",), "", "Turn the order of this table round", Danger.VIEW, SORTED),
    Action(
        "order.cancel",
        ("c",),
        "cancel",
        "Cancel the order under the cursor",
        Danger.SAFER,
        ("orders", "desk", "market"),
        cli="cancel",
    ),
    Action(
        "order.amend",
        ("e",),
        "change",
        "Change the order under the cursor: smaller at its price it keeps its place where the venue can,"
        " else it is cancelled and what is left of it becomes a card",
        Danger.SAFER,
        ("orders", "market"),
        cli="amend",
    ),
    Action(
        "order.cancel_market",
        ("C",),
        "",
        "Cancel every order of the market under the cursor",
        Danger.SAFER,
        TRADES,
        cli="cancel-market",
    ),
    Action(
        "ticket",
        ("t",),
        "trade",
        "An order by hand in the market under the cursor: it becomes a card",
        Danger.VIEW,
        TRADES,
        cli="order",
    ),
    Action(
        "close",
        ("r",),
        "reduce",
        "Sell what is held in the market under the cursor: a card at the touch",
        Danger.VIEW,
        ("desk", "positions", "market"),
        cli="close",
    ),
    Action(
        "pause", ("p",), "pause", "Pause entries of this card's strategy", Danger.SAFER, DESK, cli="pause"
    ),
    Action(
        "pause.all",
        ("P",),
        "pause all",
        "Pause all entries; exits and cancels go on",
        Danger.SAFER,
        cli="pause",
    ),
    Action("mode", ("m",), "", "Semi-automatic at once; automatic asks for a word", Danger.SAFER, cli="mode"),
    Action("halt", ("H",), "halt", "Halt: stop entries and cancel every order", Danger.SAFER, cli="halt"),
    Action(
        "alarm.acknowledge",
        ("space",),
        "",
        "Acknowledge the alarm",
        Danger.SAFER,
        ("desk", "alarms"),
        cli="alarms",
    ),
    Action(
        "links",
        ("l",),
        "",
        "Linked pairs: this market's question on another venue",
        Danger.VIEW,
        ("desk", "markets", "market"),
        cli="links",
    ),
    Action("market.previous", ("left",), "", "The market before this one", Danger.VIEW, ("market",)),
    Action("market.next", ("right",), "", "The market after this one", Danger.VIEW, ("market",)),
    Action("screen.desk", ("1",), "", "Desk"),
    Action("screen.markets", ("2",), "", "Markets"),
    Action("screen.orders", ("3",), "", "Orders"),
    Action("screen.positions", ("4",), "", "Positions and limits"),
    Action("screen.models", ("5",), "", "Models"),
    Action("screen.feeds", ("6",), "", "Feeds", cli="feeds"),
    Action("screen.funnel", ("7",), "", "Funnel: how far each market gets, and what stops it", cli="funnel"),
    Action("screen.journal", ("8",), "", "Journal"),
    Action(
        "screen.system", ("9",), "", "System: processes, delays, rate limits, dead-man layers", cli="system"
    ),
    Action("screen.alarms", ("exclamation_mark",), "", "Alarms"),
    Action("move.down", ("down", "j"), "", "Down"),
    Action("move.up", ("up", "k"), "", "Up"),
    Action("move.page_down", ("pagedown",), "", "Page down"),
    Action("move.page_up", ("pageup",), "", "Page up"),
    Action("move.home", ("home",), "", "First"),
    Action("move.end", ("end",), "", "Last"),
    Action("pane.next", ("tab",), "", "Next pane"),
    Action("pane.previous", ("shift+tab",), "", "Previous pane"),
    Action("back", ("escape",), "", "One level back, or hide the hint; never cancels an order"),
    Action("go", ("g",), "", "Go to a market by any part of its name; Tab completes it"),
    Action("palette", ("ctrl+p",), "", "Palette: every key, command and market by its name"),
    Action("command", ("colon",), "cmd", "Command line"),
    Action("help", ("question_mark",), "help", "Help: what the keys of this screen do, and every command"),
    Action("leave", ("q", "ctrl+q"), "leave", "Leave the console; says what keeps running"),
    Action("copy", ("ctrl+c",), "", "Copy the name of what is under the cursor; never quits"),
)

_IN_CONTROL = ("ticket", "close")
"""Without danger by themselves, and refused to a console that looks on all the same."""


def for_viewers(action: Action) -> bool:
    """Whether the engine takes it from a console without control: anyone may look, halt and stop."""
    looks = action.danger in (Danger.VIEW, Danger.STOP) and action.id not in _IN_CONTROL
    return looks or action.id == "halt"


LADDER: tuple[tuple[str, str], ...] = (
    ("Esc Esc", "within 2 s: keep the positions, stay halted and cancelled (only the console in control)"),
    ("f", "skip the wait, after 0.8 s without any key"),
    ("^X", "joins the running stop and changes nothing"),
    ("^X u", "once exits are under way: sell down to 10c under the bid"),
    (":", "once exits are under way: the command line, for exit-at"),
    ("other", "swallowed: nothing is sold by typing on"),
)


class CommandSpec(NamedTuple):
    """One verb of the command line, named like its CLI twin."""

    name: str
    usage: str
    help: str
    word: str = ""
    """What must be typed before it happens; empty for commands that make the desk safer."""
    reason: bool = False


COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec("approve", "[CARD]", "select a card; only its key approves it"),
    CommandSpec("veto", "[REASON]", "veto the selected card: price, data, news, size, or in your words"),
    CommandSpec("cancel", "ORDER", "cancel one order"),
    CommandSpec("cancel-market", "MARKET", "cancel every order of a market"),
    CommandSpec(
        "order",
        "MARKET [yes|no|sell] [SIZE] [@CENTS] [post-only|limit|ioc]",
        "an order by hand becomes a card; only its key sends it",
    ),
    CommandSpec("close", "MARKET [SIZE] [@CENTS]", "a card that sells what is held, at the touch by itself"),
    CommandSpec("amend", "ORDER [SIZE] [@CENTS]", "smaller at its price, or cancelled and made a card"),
    CommandSpec("pause", "[STRATEGY]", "pause entries of one strategy, or all"),
    CommandSpec("unpause", "[STRATEGY]", "allow entries again", word="unpause"),
    CommandSpec("reenable", "NAME", "switch on again what tripped", word="enable", reason=True),
    CommandSpec("mode", "semi|auto", "auto sends orders without asking", word="automatic", reason=True),
    CommandSpec("halt", "[REASON]", "stop entries and cancel every order"),
    CommandSpec("resume", "[SCOPE]", "lift a halt after a clean reconcile", word="resume", reason=True),
    CommandSpec(
        "reconcile",
        "[accept MARKET|cash]",
        "read the account now; accept takes the venue's count",
        word="accept",
        reason=True,
    ),
    CommandSpec(
        "orders",
        "[resolve ORDER [VENUE_ID]]",
        "the orders; resolve ends a look-up by hand",
        word="resolve",
        reason=True,
    ),
    CommandSpec(
        "alarms",
        "[ack ID|all | shelve ID 30m [REASON] | unshelve ID | test]",
        "everything that rang; ack: seen; shelve puts a CHECK aside for a time; test rings outside",
    ),
    CommandSpec("engine", "stop [cancel|keep|flatten]", "end the engine; what rests is cancelled"),
    CommandSpec("arm", "", "let entries leave with real money", reason=True),
    CommandSpec("disarm", "[REASON]", "stop entries and cancel the resting ones"),
    CommandSpec(
        "flatten",
        "[external|keep]",
        "halt, cancel, sell; external: hand-placed orders too; keep: sell no more",
    ),
    CommandSpec("exit-at", "MARKET CENTS", "let an exit of all that is held wait at a price"),
    CommandSpec(
        "limit", "NAME VALUE", "lower a limit, or raise it up to its ceiling", word="raise", reason=True
    ),
    CommandSpec(
        "feeds",
        "[test NAME | confirm KIND]",
        "every source; test asks one once, at its own cost; confirm: the awaited release (CPI, ...) is out",
    ),
    CommandSpec("funnel", "", "how far each market gets on its way to a card, and what stops it"),
    CommandSpec("since", "", "what happened on the desk since you left it"),
    CommandSpec("system", "", "processes, delays, rate limits and the dead-man layers, each armed or not"),
    CommandSpec("score", "", "what each model was worth on settled events, with plots"),
    CommandSpec("vetoes", "", "what was vetoed, why, and what it would have made at settlement"),
    CommandSpec("links", "", "pairs linked as the same question on two venues"),
    CommandSpec(
        "link",
        "add|remove MARKET MARKET [opposite] [SIZE]",
        "the same question, both texts read; opposite: YES of one is NO of the other",
    ),
    CommandSpec("rules", "MARKET", "what settles it, in its venue's own words"),
    CommandSpec("confirm", "source SERIES MARK", "what settles a series, its rules read; the mark is there"),
    CommandSpec(
        "view",
        "KIND DATE|next consensus|nowcast|own VALUE [+-SD] SOURCE",
        "what a figure (CPI, JOBS, GDP, FOMC, ...) is expected to be",
    ),
    CommandSpec("take", "", "take control from the other console"),
    CommandSpec("desk", "", "the Desk"),
    CommandSpec("markets", "", "every market"),
    CommandSpec("positions", "", "positions and limits"),
    CommandSpec("models", "", "what the models say of each event"),
    CommandSpec("journal", "", "what happened and was decided"),
    CommandSpec("go", "MARKET", "open a market by any part of its name"),
    CommandSpec("watch", "[LIST]", "go on with a watchlist, a new one too; * marks markets in it"),
    CommandSpec("copy", "", "the name of what is under the cursor, to the terminal's clipboard"),
    CommandSpec("screenshot", "", "this screen as an SVG file in the profile's folder screenshots"),
    CommandSpec("settings", "", "how the console looks and rings; Enter changes one and writes it"),
    CommandSpec("palette", "", "every key, command and market by its name"),
    CommandSpec("filter", "[TEXT]", "show only rows with these words, in the table under the cursor"),
    CommandSpec("theme", "NAME", "change the colours"),
    CommandSpec("low-bandwidth", "on|off", "draw once a second; a slow line does so by itself"),
    CommandSpec("help", "", "the keys of this screen"),
    CommandSpec("quit", "", "leave the console"),
)

NEEDED = (
    "pause",
    "command",
    "help",
    "halt",
    "open",
    "setting.change",
    "table.filter",
    "order.cancel",
    "card.batch",
    "pause.all",
    "leave",
    "ticket",
    "order.amend",
    "close",
    "order.story",
)
"""Actions with a hint, the most needed first; a card's others come before them."""
DIRECT = "flatten --direct"
"""The stop that needs no engine."""


def works_on(action: Action, screen: str) -> bool:
    return not action.screens or screen in action.screens


def needed(name: str) -> int:
    """How many words a command says nothing without."""
    spec = command_spec(name)
    if spec is None or spec.usage.startswith("["):
        return 0
    return sum(word[0] != "[" for word in spec.usage.split())


def command_spec(name: str) -> CommandSpec | None:
    return next((spec for spec in COMMANDS if spec.name == name), None)
