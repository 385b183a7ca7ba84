"""Conversations about the truth of the account: what differs, what is unknown, what rang, how it ends."""

from __future__ import annotations

from core.control.protocol import (
    Accept,
    Acknowledge,
    AcknowledgeAll,
    AnyCommand,
    Reconcile,
    Resolve,
    Resume,
    Shelve,
    StopEngine,
    TellOutside,
    Unshelve,
    alarm_number,
    shelf_minutes,
)
from tui.operator import Operator
from tui.tables import Now
from tui.talks import Clock, Make, Talk, instant, risky

HOWS = ("cancel", "keep", "flatten")


def _resume(operator: Operator, clock: Clock, rest: str) -> Talk:
    def make(command_id: str, typed: str, reason: str) -> AnyCommand:
        return Resume(command_id, typed, reason, rest)

    what = f"the halt of {rest}" if rest else "every halt"
    return risky(operator, clock, "resume", f"Lifts {what} after a clean reconcile.", make)


def _reconcile(operator: Operator, clock: Clock, rest: str) -> Talk:
    verb, _, what = rest.partition(" ")
    if not rest:
        operator.send(Reconcile(operator.next_id()), "reconcile", clock())
        return ""
    if verb != "accept" or not what.strip():
        return "usage: reconcile [accept MARKET|cash]"

    def make(command_id: str, typed: str, reason: str) -> AnyCommand:
        return Accept(command_id, what.strip(), typed, reason)

    why = f"The venue's count of {what.strip()} becomes ours, without a trade."
    return (yield from risky(operator, clock, "reconcile", why, make))


def _orders(operator: Operator, clock: Clock, rest: str) -> Talk:
    words = rest.split()
    if len(words) not in (2, 3) or words[0] != "resolve":
        return "usage: orders [resolve ORDER [VENUE_ID]]"
    order, found = words[1], words[2] if len(words) == 3 else ""

    def make(command_id: str, typed: str, reason: str) -> AnyCommand:
        return Resolve(command_id, order, found, typed, reason)

    what = f"is the venue's {found}" if found else "never arrived; what it reserved is free"
    return (yield from risky(operator, clock, "orders", f"Order {order} {what}.", make))


def _alarms(operator: Operator, now: Now, rest: str) -> str | None:
    made = alarm_command(operator.next_id(), rest)
    if isinstance(made, str):
        return made
    operator.send(made[0], made[1], now)
    return None


def alarm_command(command_id: str, rest: str) -> tuple[AnyCommand, str] | str:
    """What is typed after ``alarms`` as a command with what it is called, or what is wrong with it."""
    words = rest.split(maxsplit=3)
    number = alarm_number(words[1]) if len(words) > 1 else None
    match words:
        case ["ack"] | ["ack", "all"]:
            return AcknowledgeAll(command_id), "acknowledge"
        case ["ack", _] if number is not None:
            return Acknowledge(command_id, number), "acknowledge"
        case ["shelve", _, time, *reason] if number is not None:
            minutes = shelf_minutes(time)
            if minutes is None:
                return f"{time[:20]!r} is no time: type it as 30m or 2h"
            return Shelve(command_id, number, minutes, " ".join(reason)), f"shelve {number}"
        case ["unshelve", _] if number is not None:
            return Unshelve(command_id, number), f"unshelve {number}"
        case ["test"]:
            return TellOutside(command_id), "test outside"
    return "usage: alarms [ack ID|all | shelve ID 30m [REASON] | unshelve ID | test]"


def _engine(operator: Operator, now: Now, rest: str) -> str | None:
    verb, _, how = rest.partition(" ")
    how = how.strip().lstrip("-") or HOWS[0]
    if verb != "stop" or how not in HOWS:
        return f"usage: engine stop [{'|'.join(HOWS)}]"
    operator.send(StopEngine(operator.next_id(), "", how), f"engine stop {how}", now)
    return None


TALKS: dict[str, Make] = {
    "resume": _resume,
    "reconcile": _reconcile,
    "orders": _orders,
    "alarms": instant(_alarms),
    "engine": instant(_engine),
}
