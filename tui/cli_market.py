"""Verbs that look at one market: all that is known of it, how it came to that, what its event comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, zip_longest
from typing import Any, NoReturn

import click

from core.control.client import Line
from tui import answers, verbs
from tui.cli_options import place_of, with_fields, with_profile
from tui.market_names import alike, not_one

_SHOWN = 5
"""Levels of each side and trades of the tape; ``--json`` has all that the engine keeps."""
_POINTS = 20
_WIDTH = 98
_LEVEL = {"price": "", "quantity": ""}
_BOOK = ("bid_size", "bid", "ask", "ask_size")
_BRACKETS = ("label", "model", "book", "fair", "sigma", "edge")
_ORDERS = ("id", "side", "price", "quantity", "leaves", "state", "ahead", "age_s", "expires")
_PAST = ("time", "bid", "ask", "fair", "sigma")
_POSITION = ("net", "average", "cost", "max_loss", "open_pnl", "exit_price", "today", "exit_rule")

_Asked = Callable[[Line, str], Any]


@click.command()
@click.argument("name", nargs=-1, metavar="NAME")
@with_fields
@with_profile
def market(name: tuple[str, ...], as_json: bool, fields: bool) -> None:
    """One market by any part of its name: book, fair value and its inputs, what stops it, orders, rules.

    Five levels and five trades, the beginning of the rules; --json has more, pmconsole rules all of the text.
    """
    _print("market", " ".join(name), _only("market"), market_lines, as_json=as_json, fields=fields)


@click.command()
@click.argument("name", nargs=-1, metavar="NAME")
@with_fields
@with_profile
def history(name: tuple[str, ...], as_json: bool, fields: bool) -> None:
    """What prices and fair value of a market were, and our fills there, by any part of its name.

    The last twenty changes; --json has all that the engine keeps.
    """
    _print("history", " ".join(name), _only("history"), history_lines, as_json=as_json, fields=fields)


@click.command()
@click.argument("name", nargs=-1, metavar="NAME")
@with_fields
@with_profile
def payoff(name: tuple[str, ...], as_json: bool, fields: bool) -> None:
    """What an event comes to each way it may end, by any part of the name of it or of its markets."""
    _print("payoff", " ".join(name), _payoff, payoff_lines, as_json=as_json, fields=fields)


def _print(
    what: str,
    name: str,
    asked: _Asked,
    lines: Callable[[Any], Iterable[str]],
    *,
    as_json: bool,
    fields: bool,
) -> None:
    if fields:
        from core.control.queries.answers import documentation

        click.echo(documentation(what))
        return
    if not name.strip():
        raise click.UsageError("Missing argument 'NAME'.")
    with verbs.open_line(place_of()) as line:
        found = asked(line, name)
    click.echo(verbs.json_text(found) if as_json else "\n".join(lines(found)))


def _only(what: str) -> _Asked:
    """Asks about the one market of the name."""

    def asked(line: Line, name: str) -> Any:
        found = _alike(line, name)
        if len(found) != 1:
            _leave(name, found)
        return verbs.query(line, what, found[0]["ticker"])

    return asked


def _payoff(line: Line, name: str) -> Any:
    """Of an event as a whole any of its markets tells; where each stands alone, only the one of that name."""
    found = _alike(line, name)
    if len({one["event"] for one in found}) != 1:
        _leave(name, found)
    told = verbs.query(line, "payoff", found[0]["ticker"])
    if len(found) > 1 and told["label"] == found[0]["label"]:
        _leave(name, found)
    return told


def _alike(line: Line, name: str) -> list[dict[str, Any]]:
    return alike(name, ((row, row["label"], row["ticker"]) for row in verbs.query(line, "markets")))


def _leave(name: str, found: list[dict[str, Any]]) -> NoReturn:
    labels = [row["label"] for row in found]
    alone = [one if labels.count(one) == 1 else row["ticker"] for one, row in zip(labels, found, strict=True)]
    told = not_one(name, alone)
    verbs.leave(verbs.REFUSED, f"{told[0].upper()}{told[1:]}; {place_of().command('markets')} lists them.")


# --- as text ------------------------------------------------------------------------------------


def market_lines(found: dict[str, Any]) -> Iterator[str]:
    """What Market detail shows, top to bottom."""
    listed = found["listed"]
    yield f"{found['label']}  {found['ticker']}  {found['venue']}  {listed['status']}"
    if found["title"]:
        yield from _told("", found["title"])
    yield f"closes {listed['closes']}, {found['closes']}; traded {listed['volume'] or '--'}"
    vouched = "" if found["intact"] else ", not vouched for"
    yield f"book {answers.span(found['book_age_s'])} old{vouched}"
    yield from _table(_levels(found), _BOOK)
    yield from _fair(listed)
    yield f"stage {found['stage']}: {found['why']}"
    if found["quarantine"] is not None:
        yield from _quarantine(found["quarantine"])
    yield from _model(found["model"], evidence=found["quarantine"] is None)
    if found["position"] is None:
        yield "position none"
    else:
        yield "position"
        yield from _table([found["position"]], _POSITION)
    yield "orders" if found["orders"] else "orders none"
    yield from _table(found["orders"], _ORDERS)
    yield from _told("settles: ", found["settles"])
    yield from _told("rules: ", found["rules"])
    yield "trades" if found["trades"] else "trades none seen yet"
    yield from map(_trade, found["trades"][:_SHOWN])


def _trade(trade: dict[str, Any]) -> str:
    side = "BUY " if trade["buys"] else "SELL"
    return f"  {trade['time']}  {side}  {trade['quantity']} @ {trade['price']}"


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Iterable[str]:
    return [f"  {text}" for text in answers.table_lines(rows, columns)] if rows else ()


def _told(what: str, text: str) -> Iterable[str]:
    told = f"{what}{text or '--'}"
    return click.wrap_text(told, _WIDTH, subsequent_indent="  " if what else "").splitlines()


def _levels(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Both sides beside each other, best first."""
    sides = zip_longest(found["bids"], found["asks"], fillvalue=_LEVEL)
    return [
        {
            "bid_size": bid["quantity"],
            "bid": bid["price"],
            "ask": ask["price"],
            "ask_size": ask["quantity"],
        }
        for bid, ask in islice(sides, _SHOWN)
    ]


def _fair(listed: dict[str, Any]) -> Iterator[str]:
    """The fair value, what it is pooled from, and what an entry would bring."""
    if listed["fair"] is None:
        yield "fair --"
    else:
        parts = f"model {listed['model']}"
        if listed["market"] is None:
            parts += ", market not pooled"
        elif listed["weight"] is not None:
            weight = listed["weight"]
            parts += f" counts {weight:.0%}, market {listed['market']} counts {1 - weight:.0%}"
        change = "" if listed["change"] is None else f"; moved {listed['change']} within an hour"
        yield f"fair {listed['fair']} +/- {listed['sigma'] or '--'}: {parts}{change}"
    yield f"edge {listed['edge'] or '--'} {listed['edge_state']}".rstrip()


def _quarantine(found: dict[str, Any]) -> Iterator[str]:
    order = f"BUY {found['outcome']} @ {found['price']} {found['style']}"
    yield f"quarantined, {found['reason']}: {order} would bring {found['edge']} a contract"
    yield "  presumed a data fault; nothing proposes it. It rests on:"
    yield from (f"  {sentence}" for sentence in found["evidence"])
    yield "  if that holds, order asks for it by hand"


def _model(found: dict[str, Any] | None, *, evidence: bool) -> Iterator[str]:
    """The event's law, what it rests on and how old that is, and every bracket."""
    if found is None or found["refusal"] or not found["brackets"]:
        why = found["refusal"] if found is not None else ""
        yield f"model: {why or 'none for this market, prices only'}"
        return
    law = [f"{word} {found[word]}" for word in ("mean", "spread") if found[word] is not None]
    law += [f"so far {found['extreme']}"] if found["extreme"] is not None else []
    name, version = found["model"], found["version"]
    name = version if version.startswith(name) else f"{name} {version}"
    yield f"model {name}: {', '.join(law)}".rstrip(": ")
    if found["unpooled"]:
        yield f"  alone, not traded: {found['unpooled']}"
    if found["record"]:
        yield from _told("  " if found["proven"] else "  automatic mode opens nothing: ", found["record"])
    for row in found["inputs"]:
        late = "  STALE" if row["age_s"] > row["stale_after_s"] else ""
        yield f"  {row['name']}  {answers.span(row['age_s'])} of {answers.span(row['stale_after_s'])}{late}"
    yield from (f"  {sentence}" for sentence in found["evidence"] if evidence)
    yield from _table(found["brackets"], _BRACKETS)


def history_lines(found: dict[str, Any]) -> Iterator[str]:
    """The newest points and our fills, oldest first."""
    yield found["ticker"]
    yield from _table(found["points"][-_POINTS:], _PAST)
    yield "our fills" if found["fills"] else "our fills none"
    yield from map(_trade, found["fills"][-_POINTS:])


def payoff_lines(found: dict[str, Any]) -> Iterator[str]:
    """Every outcome with what it makes, and with what works filled where something does."""
    yield f"{found['label']} ends with"
    columns = ("outcome", "made", "orders_filled") if found["ordered"] else ("outcome", "made")
    rows = [
        {"outcome": held["label"], "made": held["made"], "orders_filled": ordered["made"]}
        for held, ordered in zip_longest(found["held"], found["ordered"], fillvalue={"made": None})
    ]
    yield from _table(rows, columns)
    yield f"realised {found['realised']}  fees {found['fees']}"


VERBS = (market, history, payoff)
