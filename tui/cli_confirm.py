"""Verbs for what a person must say of the world: that a release has come, which game a market is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from core.control.protocol import ConfirmFixture, ConfirmRelease, ConfirmSource, EnterView
from tui import answers, verbs
from tui.cli_options import Verbs, place_of, print_query, with_fields, with_profile


@click.command("releases")
@with_fields
@with_profile
def releases(as_json: bool, fields: bool) -> None:
    """Economic releases: when the next of each kind is due, and what holds entries back."""
    print_query("releases", as_json=as_json, fields=fields, lines=release_lines)


@click.command("confirm")
@click.argument("kind")
@with_profile
def confirm(kind: str) -> None:
    """Say that the awaited release of KIND (CPI, JOBS, GDP, FOMC) is out: entries it held back go on."""
    verbs.command(place_of(), ConfirmRelease(verbs.new_id(), kind))


@click.command("games")
@with_fields
@with_profile
def games(as_json: bool, fields: bool) -> None:
    """Markets about games: what is confirmed, and what waits for your word."""
    print_query("games", as_json=as_json, fields=fields, lines=game_lines)


@click.command("match")
@click.argument("ticker")
@click.argument("game")
@click.option("--team", default="", help="Whose win it pays, where its own words leave that open.")
@with_profile
def match(ticker: str, game: str, team: str) -> None:
    """Confirm that market TICKER is about GAME (its id, as games lists it), once you have read its rules."""
    verbs.command(place_of(), ConfirmFixture(verbs.new_id(), ticker, game, team))


@click.group("confirm", cls=Verbs)
def confirm_group() -> None:
    """Say what only a person can know of a market, such as that its rules were read."""


@confirm_group.command("source")
@click.argument("series")
@click.argument("mark")
@with_profile
def confirm_source(series: str, mark: str) -> None:
    """Confirm what settles SERIES, once the rules of a market of it were read (pmconsole rules).

    MARK is what that text is shown with: a series that reads differently later asks again.
    """
    verbs.command(place_of(), ConfirmSource(verbs.new_id(), series.upper(), mark))


@click.command("view", context_settings={"ignore_unknown_options": True})
@click.argument("kind")
@click.argument("released", metavar="DATE")
@click.argument("centre")
@click.argument("value")
@click.argument("source")
@click.option("--sd", default="", help="Standard deviation of the figure around it.")
@with_profile
def view(kind: str, released: str, centre: str, value: str, source: str, sd: str) -> None:
    """Enter what figure KIND (CPI, CPI-CORE, CPI-YOY, JOBS, U3, GDP, FOMC) of DATE is expected to be.

    DATE is its release's in New York, or next. CENTRE is consensus, nowcast or own; SOURCE tells where VALUE
    is from. A figure below nought is written as it is: -25.
    A line is added to the profile's release-views.csv; markets on that figure have no price without one.
    """
    verbs.command(place_of(), EnterView(verbs.new_id(), kind, released, centre, value, source, sd))


def release_lines(found: list[dict[str, Any]]) -> Iterable[str]:
    if not found:
        yield "The engine has not looked yet."
    for one in found:
        coming = one["next_in_s"]
        when = "no date known"
        if coming is not None:
            left, made = answers.span(coming), answers.span(one["calendar_age_s"])
            when = f"in {left} ({one['certainty']}, {one['calendar']}), newest calendar {made} old"
        yield f"{one['kind']}: {one['state']}, next {when}; moves {one['markets']} markets here"
        if one["detail"]:
            yield f"  {one['detail']}"
        if one["state"] == "PENDING":
            since = answers.span(one["last_age_s"])
            yield f"  due {since} ago: once it is out, pmconsole feeds confirm {one['kind']}"


def game_lines(found: list[dict[str, Any]]) -> Iterable[str]:
    if not found:
        yield "none"
    for one in found:
        sure = "confirmed" if one["confirmed"] else f"likely {one['confidence']:.2f} ({one['why']})"
        pays = one["team"] or "whose win it pays is open"
        yield f"{one['ticker']}: {one['away']} at {one['home']}, {one['starts']}; {pays}; {sure}"
        if not one["confirmed"]:
            yield f"  pmconsole feeds match {one['ticker']} {one['game']}"


COMMANDS = (releases, confirm, games, match)
VERBS = (confirm_group, view)
