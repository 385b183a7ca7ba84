"""Verbs about the truth of the account: what differs, what is unknown, what rang."""

from __future__ import annotations

import sys
import time

import click

from core.control import protocol
from tui import answers, verbs
from tui.cli_options import (
    Verbs,
    left_to_verb,
    place_of,
    print_query,
    with_fields,
    with_profile,
    with_reason,
    with_word,
)

TEST_S = 30.0
"""The engine gives a receiver a third of it."""


@click.group(cls=Verbs, invoke_without_command=True)
@with_fields
@with_profile
@click.pass_context
def reconcile(context: click.Context, as_json: bool, fields: bool) -> None:
    """Read the account now and print what differs, by its row: 0 when it agrees, else 1."""
    if left_to_verb(context):
        return
    if fields:
        print_query("reconcile", as_json=as_json, fields=True)
        return
    found = verbs.reconcile(place_of())
    if as_json:
        click.echo(verbs.json_text(found))
    else:
        click.echo("\n".join(answers.reconcile_lines(found)))
    sys.exit(verbs.DONE if found["agrees"] else verbs.REFUSED)


@reconcile.command("lines")
@with_fields
@with_profile
def reconcile_lines(as_json: bool, fields: bool) -> None:
    """Every order, position and the cash of the last reading: ours, the venue's, whether they agree."""
    print_query("account", as_json=as_json, fields=fields)


@reconcile.command("accept")
@click.argument("what", metavar="MARKET|cash")
@with_word
@with_reason
@with_profile
def reconcile_accept(what: str, confirm: str, reason: str) -> None:
    """Take the venue's count of a position that no fill explains, or of the cash, for the truth."""
    verbs.command(place_of(), protocol.Accept(verbs.new_id(), what, confirm, reason))


@click.group(cls=Verbs, invoke_without_command=True)
@with_fields
@with_profile
@click.pass_context
def orders(context: click.Context, as_json: bool, fields: bool) -> None:
    """Orders and what became of them."""
    if not left_to_verb(context):
        print_query("orders", as_json=as_json, fields=fields)


@orders.command("resolve")
@click.argument("order")
@click.option("--found", default="", metavar="ID", help="It is this order at the venue.")
@with_word
@with_reason
@with_profile
def orders_resolve(order: str, found: str, confirm: str, reason: str) -> None:
    """End the look-up of ORDER, which is UNKNOWN: it never arrived, or it is the venue's --found."""
    verbs.command(place_of(), protocol.Resolve(verbs.new_id(), order, found, confirm, reason))


@click.group(cls=Verbs, invoke_without_command=True)
@with_fields
@with_profile
@click.pass_context
def alarms(context: click.Context, as_json: bool, fields: bool) -> None:
    """What a person must act on or know, and whether somebody has seen it."""
    if not left_to_verb(context):
        print_query("alarms", as_json=as_json, fields=fields)


@alarms.command("ack")
@click.argument("which", metavar="[ID|all]", default="all")
@with_profile
def alarms_ack(which: str) -> None:
    """Say that you have seen alarm ID, or all; their causes stay until they clear."""
    if which == "all":
        verbs.command(place_of(), protocol.AcknowledgeAll(verbs.new_id()))
        return
    verbs.command(place_of(), protocol.Acknowledge(verbs.new_id(), _number(which)))


@alarms.command("shelve")
@click.argument("which", metavar="ID")
@click.argument("time", metavar="TIME")
@with_reason
@with_profile
def alarms_shelve(which: str, time: str, reason: str) -> None:
    """Put alarm ID, a CHECK, aside for TIME (30m, 2h; 8h at most): it is listed and counts nowhere.

    It rings again when the time is over and its cause still stands, when it gets worse, and after a restart.
    """
    minutes = protocol.shelf_minutes(time)
    if minutes is None:
        raise click.UsageError(f"{time[:20]!r} is no time: write it as 30m or 2h")
    verbs.command(place_of(), protocol.Shelve(verbs.new_id(), _number(which), minutes, reason))


@alarms.command("unshelve")
@click.argument("which", metavar="ID")
@with_profile
def alarms_unshelve(which: str) -> None:
    """Let alarm ID ring again before its time is over."""
    verbs.command(place_of(), protocol.Unshelve(verbs.new_id(), _number(which)))


@alarms.command("test")
@with_profile
def alarms_test() -> None:
    """Have the engine send one message to the alarms' webhook, and say whether it arrived."""
    with verbs.open_line(place_of()) as line:
        before = verbs.query(line, "system")["outside"]["tests"]
        reply = verbs.call(line, protocol.TellOutside(verbs.new_id()))
        if not reply.accepted:
            verbs.leave(verbs.REFUSED, reply.text)
        deadline = time.monotonic() + TEST_S
        while time.monotonic() < deadline:
            found = verbs.query(line, "system")["outside"]
            if found["tests"] > before:
                click.echo(f"The test {found['tested']}.")
                sys.exit(verbs.REFUSED if found["state"] == "fails" else verbs.DONE)
            time.sleep(verbs.POLL_S)
    verbs.leave(verbs.REFUSED, f"The test has not ended within {TEST_S:.0f} s; see pmconsole system.")


def _number(text: str) -> int:
    number = protocol.alarm_number(text)
    if number is None:
        raise click.UsageError(f"{text[:40]!r} is no alarm's number (see: pmconsole alarms)")
    return number


GROUPS = (reconcile, orders, alarms)
