"""Every command reaches its engine call with its own values, and only from a hand that may send it."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from core.control import protocol as p
from core.control.commands import CALLS, FOR_EVERYONE, carry_out
from core.engine.operator import VIEWER_REFUSED, Actor, ActorKind, Outcome

CONTROLLER = Actor(ActorKind.CONSOLE, 10, 1000, "s", controls=True)
VIEWER = Actor(ActorKind.CONSOLE, 11, 1000, "t")
CLI = Actor(ActorKind.CLI, 12, 1000)


class Recorder:
    """Stands where the engine stands and remembers the call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def called(*args: Any, **kwargs: Any) -> Outcome:
            self.calls.append((name, args, kwargs))
            return Outcome(accepted=True, text=name)

        return called


SAMPLES: dict[type, tuple[Any, str, tuple[Any, ...]]] = {
    p.Approve: (p.Approve("1", "P1", "f", 9), "approve", ("P1", "f", 9, None)),
    p.ConfirmFixture: (p.ConfirmFixture("1", "T", "9f2c", "A"), "confirm_fixture", ("T", "9f2c", "A")),
    p.ConfirmSource: (p.ConfirmSource("1", "KX", "3f2a"), "confirm_source", ("KX", "3f2a")),
    p.EnterView: (
        p.EnterView("1", "CPI", "next", "own", "0.3", "a survey", "0.1"),
        "enter_view",
        ("CPI", "next", "own", "0.3", "0.1", "a survey"),
    ),
    p.ConfirmRelease: (p.ConfirmRelease("1", "CPI"), "confirm_release", ("CPI",)),
    p.Veto: (p.Veto("1", "P1", "f", "price"), "veto", ("P1", "f", "price", None)),
    p.Defer: (p.Defer("1", "P1", "f"), "defer", ("P1", "f")),
    p.Edit: (p.Edit("1", "P1", "f", 4200, 5), "edit", ("P1", "f", 4200, 5)),
    p.CancelOrder: (p.CancelOrder("1", "pm-1"), "cancel_order", ("pm-1",)),
    p.CancelMarket: (p.CancelMarket("1", "T"), "cancel_market", ("T",)),
    p.Propose: (
        p.Propose("1", "T", "yes", 3200, 5_000_000, "limit"),
        "propose",
        ("T", "yes", 3200, 5_000_000, "limit"),
    ),
    p.Amend: (p.Amend("1", "3ab1", 3100, 7_000_000), "amend", ("3ab1", 3100, 7_000_000)),
    p.Pause: (p.Pause("1", "weather"), "pause", ("weather",)),
    p.Unpause: (p.Unpause("1", "weather", "unpause", "why"), "unpause", ("weather", "unpause", "why")),
    p.Reenable: (p.Reenable("1", "T", "enable", "why"), "reenable", ("T", "enable", "why")),
    p.SetMode: (p.SetMode("1", "auto", "automatic", "why"), "set_mode", ("auto", "automatic", "why")),
    p.Halt: (p.Halt("1", "why"), "halt", ("why",)),
    p.Resume: (p.Resume("1", "resume", "why", "KAL"), "resume", ("resume", "why", "KAL")),
    p.Arm: (p.Arm("1", "arm live 3d4c", "why"), "arm", ("arm live 3d4c", "why")),
    p.Disarm: (p.Disarm("1", "why"), "disarm", ("why",)),
    p.Flatten: (p.Flatten("1", True, 7, True), "flatten", ()),
    p.AbortFlatten: (p.AbortFlatten("1"), "abort_flatten", ()),
    p.SkipWait: (p.SkipWait("1"), "skip_wait", ()),
    p.HurryExits: (p.HurryExits("1"), "hurry_exits", ()),
    p.DrillWatchdog: (p.DrillWatchdog("1"), "drill_watchdog", ()),
    p.RestExit: (p.RestExit("1", "KX-1", 3500), "rest_exit", ("KX-1", 3500)),
    p.SetLimit: (p.SetLimit("1", "n", "5", "raise", "why"), "set_limit", ("n", "5", "raise", "why")),
    p.Acknowledge: (p.Acknowledge("1", 3), "acknowledge", (3,)),
    p.Shelve: (p.Shelve("1", 3, 30, "known"), "shelve", (3, 30, "known")),
    p.Unshelve: (p.Unshelve("1", 3), "unshelve", (3,)),
    p.AcknowledgeAll: (p.AcknowledgeAll("1"), "acknowledge_all", ()),
    p.Reconcile: (p.Reconcile("1"), "reconcile", ()),
    p.Accept: (p.Accept("1", "KX-1", "accept", "why"), "accept", ("KX-1", "accept", "why")),
    p.Resolve: (
        p.Resolve("1", "3ab1", "V-7", "resolve", "why"),
        "resolve",
        ("3ab1", "V-7", "resolve", "why"),
    ),
    p.LinkMarkets: (
        p.LinkMarkets("1", "KX-1", "slug", 10_000_000, opposite=True),
        "link_markets",
        ("KX-1", "slug", 10_000_000),
    ),
    p.UnlinkMarkets: (p.UnlinkMarkets("1", "KX-1", "slug"), "unlink_markets", ("KX-1", "slug")),
    p.StopEngine: (p.StopEngine("1", "why", "keep"), "stop", ("why", "keep")),
    p.TryFeed: (p.TryFeed("1", "nws-grid"), "try_feed", ("nws-grid",)),
}


def test_every_command_of_the_protocol_has_its_call() -> None:
    assert set(CALLS) == set(get_args(p.AnyCommand)) - {p.Query, p.TakeControl, p.TellOutside}
    assert set(SAMPLES) == set(CALLS)


@pytest.mark.parametrize("kind", CALLS, ids=lambda kind: kind.__name__)
def test_values_arrive_in_their_places(kind: type) -> None:
    command, name, values = SAMPLES[kind]
    engine = Recorder()
    assert carry_out(engine, command, CLI).accepted  # type: ignore[arg-type]
    (called, args, kwargs) = engine.calls[0]
    assert called == name
    assert CLI in args
    assert tuple(a for a in args if a is not CLI) == values
    if kind is p.Flatten:
        assert kwargs == {"now": True, "sent_ns": 7, "include_external": True}


@pytest.mark.parametrize("kind", CALLS, ids=lambda kind: kind.__name__)
def test_a_viewer_may_only_make_things_safer(kind: type) -> None:
    engine = Recorder()
    outcome = carry_out(engine, SAMPLES[kind][0], VIEWER)  # type: ignore[arg-type]
    if kind in FOR_EVERYONE:
        assert outcome.accepted
    else:
        assert outcome == VIEWER_REFUSED
        assert engine.calls == []


def test_text_that_could_forge_a_screen_or_a_log_is_cleaned_and_a_halt_is_never_refused_for_it() -> None:
    engine = Recorder()
    hostile = p.Halt("1", "a\x1b[2J\nb" + "x" * 5000)
    assert carry_out(engine, hostile, VIEWER).accepted  # type: ignore[arg-type]
    reason = engine.calls[0][1][0]
    assert len(reason) <= 400
    assert reason.isprintable()
    assert reason.startswith("a[2J b")
