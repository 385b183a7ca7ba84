"""Verbs of the desk: cards, autonomy, halts, single orders and limits."""

from __future__ import annotations

import click

from core.control import protocol
from tui import verbs
from tui.cli_options import place_of, with_profile, with_reason, with_word


@click.command()
@click.argument("proposal")
@with_profile
def approve(proposal: str) -> None:
    """Approve PROPOSAL (id with fingerprint, as `pmconsole proposals` shows it)."""
    name, mark = verbs.split_id(proposal)
    verbs.command(place_of(), protocol.Approve(verbs.new_id(), name, mark))


@click.command()
@click.argument("proposal")
@with_reason
@with_profile
def veto(proposal: str, reason: str) -> None:
    """Veto PROPOSAL (id with fingerprint). Usual reasons: price, data, news, size, other.

    A card that has moved since is vetoed all the same. Of one that was vetoed already --reason says why
    afterwards.
    """
    name, mark = verbs.split_id(proposal)
    verbs.command(place_of(), protocol.Veto(verbs.new_id(), name, mark, reason))


@click.command()
@click.argument("mode", metavar="semi|auto", type=click.Choice(["semi", "auto"]))
@with_word
@with_reason
@with_profile
def mode(mode: str, confirm: str, reason: str) -> None:
    """Semi-automatic at once; automatic with a typed word."""
    verbs.command(place_of(), protocol.SetMode(verbs.new_id(), mode, confirm, reason))


@click.command()
@click.argument("strategy", default="")
@with_profile
def pause(strategy: str) -> None:
    """Stop entries of STRATEGY, or all."""
    verbs.command(place_of(), protocol.Pause(verbs.new_id(), strategy))


@click.command()
@click.argument("strategy", default="")
@with_word
@with_reason
@with_profile
def unpause(strategy: str, confirm: str, reason: str) -> None:
    """Allow entries of STRATEGY, or all, again; a reason may be given."""
    verbs.command(place_of(), protocol.Unpause(verbs.new_id(), strategy, confirm, reason))


@click.command()
@click.argument("name")
@with_word
@with_reason
@with_profile
def reenable(name: str, confirm: str, reason: str) -> None:
    """Switch NAME on again: a market off for its strategy, a series off, automatic, or drawdown."""
    verbs.command(place_of(), protocol.Reenable(verbs.new_id(), name, confirm, reason))


@click.command()
@with_reason
@with_profile
def halt(reason: str) -> None:
    """Stop entries and cancel every order of ours."""
    verbs.command(place_of(), protocol.Halt(verbs.new_id(), reason))


@click.command()
@click.argument("scope", default="")
@with_word
@with_reason
@with_profile
def resume(scope: str, confirm: str, reason: str) -> None:
    """Lift every halt, or that of SCOPE (desk, KAL, POLY, an event or a market); comes up semi-automatic.

    What covers more than a market leaves entries paused.
    """
    verbs.command(place_of(), protocol.Resume(verbs.new_id(), confirm, reason, scope))


@click.command()
@click.argument("order")
@with_profile
def cancel(order: str) -> None:
    """Cancel ORDER (our id)."""
    verbs.command(place_of(), protocol.CancelOrder(verbs.new_id(), order))


@click.command()
@click.argument("name")
@click.argument("value")
@with_word
@with_reason
@with_profile
def limit(name: str, value: str, confirm: str, reason: str) -> None:
    """Set limit NAME to VALUE: tighter at once, looser up to its ceiling with a typed word."""
    verbs.command(place_of(), protocol.SetLimit(verbs.new_id(), name, value, confirm, reason))


VERBS = (approve, veto, mode, pause, unpause, reenable, halt, resume, cancel, limit)
