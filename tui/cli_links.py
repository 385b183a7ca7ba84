"""Verbs of linked pairs: the same question on two venues, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from core.control import protocol
from core.domain.units import Quantity, UnitError, parse_quantity, quantity_text
from tui import answers, verbs
from tui.cli_options import Verbs, place_of, print_query, with_fields, with_profile

TEXT_WIDTH = 98
_HASH_SHOWN = 8


@click.command()
@with_fields
@with_profile
def links(as_json: bool, fields: bool) -> None:
    """Pairs linked as the same question on two venues: both ways, net of fees."""
    print_query("links", as_json=as_json, fields=fields, lines=link_lines)


@click.command()
@click.argument("ticker")
@click.option("--json", "as_json", is_flag=True, help="With both hashes.")
@with_profile
def rules(ticker: str, as_json: bool) -> None:
    """What settles TICKER, in its venue's own words as they read now."""
    place = place_of()
    found = verbs.ask(place, "rules", ticker)
    if as_json:
        click.echo(verbs.json_text(found))
        return
    click.echo(f"{found['ticker']} on {found['venue']}, text {found['hash'][:_HASH_SHOWN]}")
    if found["hash"] != found["pinned"]:
        click.echo(f"reads differently: the text that counts here is {found['pinned'][:_HASH_SHOWN]}")
    if found["waits"]:
        click.echo(f"{found['waits']}.")
    if found["mark"]:
        confirm = place.command(f"confirm source {found['series']} {found['mark']}")
        click.echo(f"once you have read it: {confirm}")
    click.echo(click.wrap_text(found["text"] or "The venue gives no text.", TEXT_WIDTH))


@click.group(cls=Verbs)
def link() -> None:
    """Say that two markets on two venues ask the same question."""


def _contracts(_: click.Context, __: click.Parameter, text: str) -> Quantity:
    try:
        return parse_quantity(text)
    except UnitError as error:
        raise click.BadParameter(str(error)) from error


@link.command("add")
@click.argument("first", metavar="TICKER")
@click.argument("second", metavar="TICKER")
@click.option("--opposite", is_flag=True, help="YES of one is NO of the other.")
@click.option(
    "--quantity",
    default=quantity_text(protocol.PAIR_QUANTITY),
    callback=_contracts,
    metavar="N",
    help="Contracts to compare (10).",
)
@with_profile
def link_add(first: str, second: str, opposite: bool, quantity: Quantity) -> None:
    """Link two markets once both texts were read (pmconsole rules): they are pinned as they read now."""
    wanted = protocol.LinkMarkets(verbs.new_id(), first, second, quantity, opposite)
    verbs.command(place_of(), wanted)


@link.command("remove")
@click.argument("first", metavar="TICKER")
@click.argument("second", metavar="TICKER")
@with_profile
def link_remove(first: str, second: str) -> None:
    """Compare two markets no longer."""
    verbs.command(place_of(), protocol.UnlinkMarkets(verbs.new_id(), first, second))


def link_lines(found: list[dict[str, Any]]) -> Iterable[str]:
    """Every pair with both its ways, and that none of them is riskless."""
    if not found:
        yield "none"
        return
    for pair in found:
        opposite = " (opposites)" if pair["opposite"] else ""
        yield f"{pair['first']} and {pair['second']}{opposite}  {pair['state']}"
        if pair["why"]:
            yield f"  {pair['why']}: read both texts and link again, or remove it"
        yield from (f"  {_way(pair, way)}" for way in pair["ways"])
        ages = ", ".join(answers.span(pair[f"{place}_book_age_s"]) for place in ("first", "second"))
        yield f"  books {ages} old; {'; '.join(pair['apart']) or 'times and strikes agree'}"
    yield found[0]["caution"]


def _way(pair: dict[str, Any], way: dict[str, Any]) -> str:
    venues = pair["first_venue"] or "first", pair["second_venue"] or "second"
    bought = f"{way['first']} {venues[0]} and {way['second']} {venues[1]}"
    if way["why"]:
        return f"{bought}: {way['why']}"
    return (
        f"{bought}: {way['quantity']} of {pair['quantity']} cost {way['cost']}, fees up to {way['fee']}, "
        f"difference {way['difference']} each"
    )


VERBS = (links, link, rules)
