"""Verbs of trading by hand: an order as a card, a sale of what is held, a change, a market's cancels.

Nothing is sent by them: a card is printed with the id under which ``pmconsole approve`` sends it.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from core.control import protocol
from core.domain.units import UnitError, parse_price, parse_quantity
from tui import verbs
from tui.cli_options import place_of, with_profile

_STYLE = click.Choice(["post-only", "limit", "ioc"])


@click.command()
@click.argument("market")
@click.argument("side", metavar="yes|no", type=click.Choice(["yes", "no"]))
@click.argument("size")
@click.argument("price")
@click.option("--style", type=_STYLE, default="post-only", help="post-only unless said otherwise.")
@with_profile
def order(market: str, side: str, size: str, price: str, style: str) -> None:
    """Make a card that buys SIZE contracts of MARKET's YES or NO at PRICE (dollars, such as 0.35).

    It is sent by approving it: pmconsole approve, with the id that is printed.
    """
    verbs.command(
        place_of(), protocol.Propose(verbs.new_id(), market, side, _price(price), _size(size), style)
    )


@click.command()
@click.argument("market")
@click.option("--size", default=None, help="Contracts; all that can be sold unless said otherwise.")
@click.option("--price", default=None, help="Dollars, such as 0.35; the best bid unless said otherwise.")
@click.option(
    "--rest", is_flag=True, help="Let it rest at its price; without, it sells at once or not at all."
)
@with_profile
def close(market: str, size: str | None, price: str | None, rest: bool) -> None:
    """Make a card that sells what is held in MARKET.

    It is sent by approving it: pmconsole approve, with the id that is printed.
    """
    if rest and price is None:
        raise click.UsageError("--rest needs a --price to rest at")
    at, count = _price(price) if price is not None else 0, _size(size) if size is not None else 0
    style = "post-only" if rest else "ioc"
    verbs.command(place_of(), protocol.Propose(verbs.new_id(), market, "sell", at, count, style))


@click.command()
@click.argument("order")
@click.option("--size", default=None, help="Contracts that are to be left of it.")
@click.option("--price", default=None, help="Dollars, such as 0.35, of the outcome it names.")
@with_profile
def amend(order: str, size: str | None, price: str | None) -> None:
    """Change ORDER (our id): make it smaller, or cancel it and make a card of what is left of it.

    A smaller size at the same price keeps its place in the queue where the venue can do that, and needs no
    card. With any other change the place is lost; the card comes once the order is proved gone, and is
    listed by pmconsole proposals.
    """
    if size is None and price is None:
        raise click.UsageError("give --size, --price or both")
    at, count = _price(price) if price is not None else 0, _size(size) if size is not None else 0
    verbs.command(place_of(), protocol.Amend(verbs.new_id(), order, at, count))


@click.command("cancel-market")
@click.argument("market")
@with_profile
def cancel_market(market: str) -> None:
    """Cancel every order of MARKET."""
    verbs.command(place_of(), protocol.CancelMarket(verbs.new_id(), market))


def _price(text: str) -> int:
    return _more_than_nothing(parse_price, text)


def _size(text: str) -> int:
    return _more_than_nothing(parse_quantity, text)


def _more_than_nothing(parse: Callable[[str], int], text: str) -> int:
    try:
        figure = parse(text)
    except UnitError as error:
        raise click.UsageError(str(error)) from error
    if figure <= 0:
        raise click.UsageError(f"{text[:40]!r} is not more than nothing")
    return figure


VERBS = (order, close, amend, cancel_market)
