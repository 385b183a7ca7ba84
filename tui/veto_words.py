"""Vetoes in words and characters: what they were worth by reason, and each with what it would have made.
ASCII alone, for the shell and the console."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec


class Worth(msgspec.Struct, frozen=True):
    """See ``WORTH`` in ``core/control/queries/vetoes.py``."""

    reason: str
    vetoes: int
    settled: int
    right: int
    made: Decimal
    expected: Decimal


class Veto(msgspec.Struct, frozen=True):
    """See ``VETOED`` there."""

    id: str
    at: str
    label: str
    side: str
    price: Decimal
    quantity: Decimal
    orders: int
    edge: Decimal
    reason: str
    said: str
    ended: bool
    made: Decimal | None
    again: bool


class Vetoes(msgspec.Struct, frozen=True):
    worth: tuple[Worth, ...] = ()
    vetoes: tuple[Veto, ...] = ()


Row = tuple[str, ...]
_WORTH_HEAD: Row = ("reason", "vetoes", "settled", "right", "would have made", "by expected fill")
_VETO_HEAD: Row = ("when", "card", "market", "trade", "edge", "reason", "would have made")
_LEFT = ("reason", "when", "card", "market", "trade")
_SAID_MAX = 24


def verdict(vetoes: Vetoes) -> str:
    """What all of them came to, in a sentence."""
    settled = sum(one.settled for one in vetoes.worth)
    if not vetoes.vetoes:
        return "Nothing has been vetoed here yet."
    if not settled:
        return "No vetoed trade has settled yet."
    whole = sum((one.made for one in vetoes.worth), Decimal(0))
    likely = sum((one.expected for one in vetoes.worth), Decimal(0))
    return (
        f"{settled} vetoed {'trade' if settled == 1 else 'trades'} settled: {_saved(whole)} if filled whole, "
        f"{_saved(likely)} by what was expected to fill."
    )


def _saved(would: Decimal) -> str:
    return f"{'saved' if would < 0 else 'cost'} {abs(would):.2f}"


def worth_rows(vetoes: Vetoes) -> list[Row]:
    """Head and a row a reason; none where nothing was vetoed."""
    told = [
        (one.reason or "no reason", str(one.vetoes), str(one.settled), *_came(one)) for one in vetoes.worth
    ]
    return [_WORTH_HEAD, *told] if told else []


def _came(one: Worth) -> tuple[str, str, str]:
    """Of what has settled only."""
    if not one.settled:
        return "-", "-", "-"
    return str(one.right), f"{one.made:+.2f}", f"{one.expected:+.2f}"


def veto_rows(vetoes: Sequence[Veto]) -> list[Row]:
    """Head and a row a veto, the newest first; none where there is none."""
    told = [
        (
            when(veto),
            veto.id,
            veto.label,
            trade(veto),
            edge(veto),
            why(veto),
            made(veto),
        )
        for veto in vetoes
    ]
    return [_VETO_HEAD, *told] if told else []


def when(veto: Veto) -> str:
    """Day and minute, world time."""
    return veto.at[5:16].replace("T", " ")


def edge(veto: Veto) -> str:
    return f"{veto.edge * 100:+.1f}c"


def trade(veto: Veto) -> str:
    more = f" and {veto.orders - 1} more" if veto.orders > 1 else ""
    price = f"{veto.price * 100:.2f}".rstrip("0").rstrip(".")
    return f"{veto.side} {veto.quantity.normalize():f} @ {price}c{more}"


def why(veto: Veto) -> str:
    own = veto.said if veto.said.lower() != veto.reason else ""
    said = own if len(own) <= _SAID_MAX else own[: _SAID_MAX - 2] + ".."
    return f"{veto.reason} {said}".strip() or "-"


def made(veto: Veto) -> str:
    """What it would have made, as far as that is known."""
    again = " again" if veto.again else ""
    if veto.made is not None:
        return f"{veto.made:+.2f}{again}"
    return ("no figure" if veto.ended else "open") + again


def aligned(rows: Sequence[Row]) -> list[str]:
    """Rows of one table with their columns aligned under the first."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    head = rows[0] if rows else ()
    return [
        "  ".join(
            cell.ljust(width) if name in _LEFT else cell.rjust(width)
            for cell, width, name in zip(row, widths, head, strict=True)
        ).rstrip()
        for row in rows
    ]


def veto_lines(vetoes: Vetoes) -> list[str]:
    """All of it for a terminal."""
    said = [verdict(vetoes)]
    for rows in (worth_rows(vetoes), veto_rows(vetoes.vetoes)):
        said += ["", *aligned(rows)] if rows else []
    if any(veto.again for veto in vetoes.vetoes):
        said += ["", "again: the trade had been vetoed before; only the first counts."]
    return said
