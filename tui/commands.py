"""The command line's verbs as short conversations (``tui.talks``).

Riskier states need a typed word, most of them a reason as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

from core.control.protocol import (
    Arm,
    Reenable,
    SetLimit,
    SetMode,
    TakeControl,
    Unpause,
)
from core.control.tables.safety import LimitRow
from core.domain.units import UnitError, parse_money, parse_price, parse_quantity
from tui import confirm_talks, feed_talks, link_talks, stop_talks, ticket_talks, truth_talks
from tui.actions import COMMANDS, CommandSpec, command_spec, needed
from tui.operator import Operator
from tui.tables import Now
from tui.talks import Clock, Make, Talk, exactly, instant, reason, risky


class Line(NamedTuple):
    """A parsed command line."""

    spec: CommandSpec
    rest: str


def parse(text: str) -> Line | str:
    """The command, or the sentence that says what is wrong with it."""
    name, _, rest = text.strip().lstrip(":").partition(" ")
    spec = command_spec(name)
    if spec is None:
        if not name:
            return ""
        remedy = _nearest(name, [known.name for known in COMMANDS], ": and Tab lists them")
        return f"there is no command {name[:20]!r}; {remedy}"
    rest = rest.strip()
    if len(rest.split()) < needed(spec.name):
        return f"usage: {spec.name} {spec.usage}"
    return Line(spec, rest)


def _nearest(name: str, known: Sequence[str], otherwise: str) -> str:
    """The known name that was probably meant, as a question."""
    starts = [other for other in known if name and other.startswith(name)]
    near = starts or difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def talk(line: Line, operator: Operator, clock: Clock) -> Talk | None:
    """The conversation that carries a command out; ``None`` for commands of the screen itself."""
    make = _TALKS.get(line.spec.name)
    return make(operator, clock, line.rest) if make is not None else None


def _arm(operator: Operator, clock: Clock, rest: str) -> Talk:
    status = operator.view.status
    if status is None or not status.arm_phrase:
        return "arm: this profile has nothing to arm"
    yield from exactly(status.arm_phrase, "Entries will leave with REAL MONEY.")
    because = yield from reason()
    operator.send(Arm(operator.next_id(), status.arm_phrase, because), "arm", clock())
    return ""


def _unpause(operator: Operator, clock: Clock, rest: str) -> Talk:
    return risky(
        operator,
        clock,
        "unpause",
        f"Allows entries of {rest or 'all strategies'}.",
        lambda command_id, word, _: Unpause(command_id, rest, word),
    )


def _reenable(operator: Operator, clock: Clock, rest: str) -> Talk:
    return risky(
        operator,
        clock,
        "reenable",
        f"Switches {rest} on again; what led to it counts no more.",
        lambda command_id, word, reason: Reenable(command_id, rest, word, reason),
    )


def _mode(operator: Operator, clock: Clock, rest: str) -> Talk:
    if rest == "semi":
        operator.semi(clock())
        return ""
    if rest != "auto":
        return "usage: mode semi|auto"
    return (
        yield from risky(
            operator,
            clock,
            "mode",
            "Orders will leave without asking you.",
            lambda command_id, word, reason: SetMode(command_id, "auto", word, reason),
        )
    )


def _limit(operator: Operator, clock: Clock, rest: str) -> Talk:
    name, _, value = rest.partition(" ")
    row = operator.view.limit(name)
    if row is None:
        known = sorted({known for known, _ in operator.view.limits})
        return f"there is no limit {name[:20]!r}; {_nearest(name, known, 'pmconsole limits lists them')}"
    try:
        wanted = _limit_value(row.unit, value.strip())
    except UnitError as error:
        return f"limit {name}: {error}"
    if not _tighter_or_equal(row, wanted, row.ceiling):
        return f"limit {name}: the configured ceiling comes first; edit the file and restart to go beyond it"
    if _tighter_or_equal(row, wanted, row.limit):
        operator.send(SetLimit(operator.next_id(), name, value.strip()), f"limit {name}", clock())
        return ""
    return (
        yield from risky(
            operator,
            clock,
            "limit",
            f"Loosens {name}.",
            lambda command_id, word, reason: SetLimit(command_id, name, value.strip(), word, reason),
        )
    )


def _tighter_or_equal(row: LimitRow, value: int, than: int) -> bool:
    return value >= than if row.floor else value <= than


def _limit_value(unit: str, text: str) -> int:
    if unit == "money":
        return parse_money(text)
    if unit == "contracts":
        return parse_quantity(text)
    if unit == "price":
        return parse_price(text)
    return parse_quantity(text) // 1_000_000


def _approve(operator: Operator, now: Now, rest: str) -> None:
    """A line ends with Enter, which never spends: it selects, and the key approves."""
    wanted = rest.partition("-")[0] or operator.arming.card_id  # the shell names a card with its fingerprint
    if operator.select_card(wanted, now):
        key = operator.keymap.name("card.approve")
        operator.say(f"{wanted} is selected; press {key} once it says ARMED", "near", now)
    else:
        operator.say(f"there is no card {rest[:20]!r}" if rest else "no card to approve", "text-muted", now)


def _veto(operator: Operator, now: Now, rest: str) -> None:
    operator.veto(now, rest)


def _take(operator: Operator, now: Now, rest: str) -> None:
    operator.send(TakeControl(operator.next_id()), "take control", now)


_TALKS: dict[str, Make] = {
    "approve": instant(_approve),
    "veto": instant(_veto),
    "cancel": instant(lambda operator, now, rest: operator.cancel_order(rest, now)),
    "pause": instant(lambda operator, now, rest: operator.pause(rest, now)),
    "halt": instant(lambda operator, now, rest: operator.halt(now, rest)),
    "take": instant(_take),
    **ticket_talks.TALKS,
    **truth_talks.TALKS,
    **stop_talks.TALKS,
    **link_talks.TALKS,
    **feed_talks.TALKS,
    **confirm_talks.TALKS,
    "arm": _arm,
    "disarm": instant(lambda operator, now, rest: operator.disarm(now, rest)),
    "unpause": _unpause,
    "reenable": _reenable,
    "mode": _mode,
    "limit": _limit,
}


def auto(operator: Operator, clock: Clock) -> Talk:
    """The conversation behind the mode key."""
    return _mode(operator, clock, "auto")
