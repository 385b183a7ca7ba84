"""Protocol commands to engine calls: one table, and the permission check in front of it.

The engine never sees the protocol. A viewer may make things safer (halt, flatten) and read; every
other command is refused here, whatever the console that sent it believes about itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core.control.protocol import (
    AbortFlatten,
    Accept,
    Acknowledge,
    AcknowledgeAll,
    Amend,
    AnyCommand,
    Approve,
    Arm,
    CancelMarket,
    CancelOrder,
    ConfirmFixture,
    ConfirmRelease,
    ConfirmSource,
    Defer,
    Disarm,
    DrillWatchdog,
    Edit,
    EnterView,
    Flatten,
    Halt,
    HurryExits,
    LinkMarkets,
    Pause,
    Propose,
    Reconcile,
    Reenable,
    Resolve,
    RestExit,
    Resume,
    SetLimit,
    SetMode,
    Shelve,
    SkipWait,
    StopEngine,
    TryFeed,
    UnlinkMarkets,
    Unpause,
    Unshelve,
    Veto,
)
from core.domain.text import clean_text
from core.domain.units import Price, Quantity
from core.engine.engine import Engine
from core.engine.operator import VIEWER_REFUSED, Actor, Outcome, refused

FOR_EVERYONE = (Halt, Flatten)
"""What a console without control may send: only what makes the desk safer."""

_Call = Callable[[Engine, Any, Actor], Outcome]

CALLS: dict[type, _Call] = {
    Approve: lambda e, c, who: e.approve(c.proposal_id, c.fingerprint, c.shown_ns, who, c.drawn),
    Veto: lambda e, c, who: e.veto(c.proposal_id, c.fingerprint, c.reason, who, c.drawn),
    Defer: lambda e, c, who: e.defer(c.proposal_id, c.fingerprint, who),
    Edit: lambda e, c, who: e.edit(c.proposal_id, c.fingerprint, Price(c.price), Quantity(c.quantity), who),
    CancelOrder: lambda e, c, who: e.cancel_order(c.client_order_id, who),
    CancelMarket: lambda e, c, who: e.cancel_market(c.ticker, who),
    Propose: lambda e, c, who: e.propose(
        c.ticker, c.side, Price(c.price), Quantity(c.quantity), c.style, who
    ),
    Amend: lambda e, c, who: e.amend(c.order, Price(c.price), Quantity(c.quantity), who),
    Pause: lambda e, c, who: e.pause(c.strategy, who),
    Unpause: lambda e, c, who: e.unpause(c.strategy, c.confirm, who, c.reason),
    Reenable: lambda e, c, who: e.reenable(c.name, c.confirm, c.reason, who),
    SetMode: lambda e, c, who: e.set_mode(c.mode, c.confirm, c.reason, who),
    Halt: lambda e, c, who: e.halt(c.reason, who),
    Resume: lambda e, c, who: e.resume(c.confirm, c.reason, who, c.scope),
    Arm: lambda e, c, who: e.arm(c.confirm, c.reason, who),
    Disarm: lambda e, c, who: e.disarm(c.reason, who),
    Flatten: lambda e, c, who: e.flatten(
        who, now=c.now, sent_ns=c.sent_ns, include_external=c.include_external
    ),
    HurryExits: lambda e, _, who: e.hurry_exits(who),
    DrillWatchdog: lambda e, _, who: e.drill_watchdog(who),
    RestExit: lambda e, c, who: e.rest_exit(c.ticker, Price(c.price), who),
    AbortFlatten: lambda e, _, who: e.abort_flatten(who),
    SkipWait: lambda e, _, who: e.skip_wait(who),
    SetLimit: lambda e, c, who: e.set_limit(c.name, c.value, c.confirm, c.reason, who),
    Acknowledge: lambda e, c, who: e.acknowledge(c.alarm_id, who),
    AcknowledgeAll: lambda e, _, who: e.acknowledge_all(who),
    Shelve: lambda e, c, who: e.shelve(c.alarm_id, c.minutes, c.reason, who),
    Unshelve: lambda e, c, who: e.unshelve(c.alarm_id, who),
    Reconcile: lambda e, _, who: e.reconcile(who),
    Accept: lambda e, c, who: e.accept(c.what, c.confirm, c.reason, who),
    Resolve: lambda e, c, who: e.resolve(c.order, c.found, c.confirm, c.reason, who),
    LinkMarkets: lambda e, c, who: e.link_markets(
        c.first, c.second, Quantity(c.quantity), who, opposite=c.opposite
    ),
    UnlinkMarkets: lambda e, c, who: e.unlink_markets(c.first, c.second, who),
    ConfirmFixture: lambda e, c, who: e.confirm_fixture(c.ticker, c.game, c.team, who),
    EnterView: lambda e, c, who: e.enter_view(c.kind, c.released, c.centre, c.value, c.sd, c.source, who),
    ConfirmSource: lambda e, c, who: e.confirm_source(c.series, c.mark, who),
    ConfirmRelease: lambda e, c, who: e.confirm_release(c.kind, who),
    StopEngine: lambda e, c, who: e.stop(c.reason, who, c.how),
    TryFeed: lambda e, c, who: e.try_feed(c.source, who),
}
"""``Query``, ``TakeControl`` and ``TellOutside`` are answered without the engine."""

TEXT_MAX = 400
"""Characters of a reason or name that are kept."""


def carry_out(engine: Engine, command: AnyCommand, actor: Actor) -> Outcome:
    """One command of one actor, in this loop step."""
    call = CALLS.get(type(command))
    if call is None:
        return refused("The engine has no such command.")
    if not actor.may_operate and not isinstance(command, FOR_EVERYONE):
        return VIEWER_REFUSED
    return call(engine, _cleaned(command), actor)


def _cleaned(command: AnyCommand) -> AnyCommand:
    """Words an operator typed end on screens and in logs; a stop is never refused for its wording."""
    texts = {name: getattr(command, name) for name in command.__struct_fields__}
    changed = {
        name: clean_text(text, TEXT_MAX)
        for name, text in texts.items()
        if isinstance(text, str) and not (len(text) <= TEXT_MAX and text.isascii() and text.isprintable())
    }
    return msgspec.structs.replace(command, **changed) if changed else command
