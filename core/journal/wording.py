"""One line of text for every kind of event, for the Journal screen and ``journal why``.

Works on stored payloads alone, so that rows of older programs keep a text: a field that is missing
shows as ``?`` and a kind without a phrase as its payload's ``text``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from core.domain.text import clean_text
from core.domain.units import Money, Price, Quantity, complement, money_text, quantity_text
from core.journal.events import Row

TEXT_MAX = 300

Data = Mapping[str, Any]


def text_of(row: Row) -> str:
    """What happened, in one line of at most ``TEXT_MAX`` characters."""
    data = row.data()
    phrase = _PHRASES.get(row.kind)
    text = phrase(data) if phrase is not None and "text" not in data else str(data.get("text", row.payload))
    return clean_text(text, TEXT_MAX)


def clock_text(wall_ms: int) -> str:
    """``14:02:17.123Z``."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3] + "Z"


def _get(data: Data, path: str) -> Any:
    value: Any = data
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return "?" if value is None else value


def _cents(data: Data, path: str) -> str:
    value = _get(data, path)
    return f"{value / 100:.2f}".rstrip("0").rstrip(".") + "c" if isinstance(value, int) else "?"


def _count(data: Data, path: str) -> str:
    value = _get(data, path)
    return quantity_text(Quantity(value)) if isinstance(value, int) else "?"


def _dollars(data: Data, path: str) -> str:
    value = _get(data, path)
    return money_text(Money(value)) if isinstance(value, int) else "?"


def _ends(data: Data, path: str) -> str:
    value = _get(data, path)
    return clock_text(value) if isinstance(value, int) else "?"


def _intent(data: Data) -> str:
    opens, bid = _get(data, "intent.purpose") == "open", _get(data, "intent.side") == "bid"
    yes = bid == opens
    price = _get(data, "intent.price")
    own = price if yes or not isinstance(price, int) else complement(Price(price))
    style = "post-only" if _get(data, "intent.post_only") is True else _get(data, "intent.tif")
    return (
        f"{'BUY' if opens else 'SELL'} {'YES' if yes else 'NO'} {_count(data, 'intent.quantity')} @ "
        f"{_cents({'own': own}, 'own')} {style} in {_get(data, 'intent.ticker')}, reserved "
        f"{_dollars(data, 'intent.reserved')}"
        + (f", ends {_ends(data, 'intent.expires_ms')}" if _get(data, "intent.expires_ms") != "?" else "")
    )


def _send_outcome(data: Data) -> str:
    match _get(data, "outcome.type"):
        case "accepted":
            return (
                f"accepted as {_get(data, 'outcome.order_id')}, filled {_count(data, 'outcome.filled')}, "
                f"resting {_count(data, 'outcome.remaining')}"
            )
        case "rejected":
            return f"rejected: {_get(data, 'outcome.code')} {_get(data, 'outcome.text')}"
        case "never_sent":
            return f"never sent: {_get(data, 'outcome.reason')}"
        case _:
            return f"no answer, the order is UNKNOWN: {_get(data, 'outcome.reason')}"


def _cancel_outcome(data: Data) -> str:
    match _get(data, "outcome.type"):
        case "cancelled":
            return f"cancelled, {_count(data, 'outcome.reduced_by')} were still open"
        case "not_there":
            return f"the venue knows no such resting order ({_get(data, 'outcome.code')})"
        case _:
            return f"no answer to the cancel: {_get(data, 'outcome.reason')}"


def _renewal_outcome(data: Data) -> str:
    match _get(data, "outcome.type"):
        case "renewed":
            return f"renewed, ends {_ends(data, 'outcome.expires_ms')}"
        case "not_renewed":
            return f"not renewed ({_get(data, 'outcome.code')}), the old end holds"
        case _:
            return f"no answer to the renewal: {_get(data, 'outcome.reason')}"


def _reduction_outcome(data: Data) -> str:
    match _get(data, "outcome.type"):
        case "reduced":
            return f"made smaller, {_count(data, 'outcome.remaining')} left open"
        case "not_reduced":
            return f"not made smaller ({_get(data, 'outcome.code')})"
        case _:
            return f"no answer, either size may hold: {_get(data, 'outcome.reason')}"


def _report(data: Data) -> str:
    reason = _get(data, "report.reason")
    return (
        f"the venue says {_get(data, 'report.status')}, filled {_count(data, 'report.filled')}, resting "
        f"{_count(data, 'report.remaining')}"
        + (f" ({reason})" if reason not in ("", "?") else "")
        + f", by {_get(data, 'source')}"
    )


def _fill(data: Data) -> str:
    role = "taker" if _get(data, "fill.is_taker") is True else "maker"
    way = "bought" if _get(data, "fill.side") == "bid" else "sold"
    return (
        f"{way} {_count(data, 'fill.quantity')} at {_cents(data, 'fill.price')} of YES as {role}, fee "
        f"{_dollars(data, 'fill.fee')}, trade {_get(data, 'fill.trade_id')}, by {_get(data, 'source')}"
        f"{', not settled yet' if _get(data, 'fill.final') is False else ''}"
    )


def _settled(data: Data) -> str:
    return (
        f"{_get(data, 'report.ticker')} settled {_get(data, 'report.result')}, "
        f"YES pays {_cents(data, 'report.payout')}"
    )


LEVELS = ("NORMAL", "REDUCE_ONLY", "HALTED", "FLATTENING", "LOCKED")
"""Words of the levels that halts are stored with as numbers."""


def _halt(data: Data) -> str:
    level = _get(data, "level")
    word = LEVELS[level] if isinstance(level, int) and 0 <= level < len(LEVELS) else "?"
    scope = f"{_get(data, 'scope.kind')} {_get(data, 'scope.name')}".strip()
    seen = " (acknowledged)" if _get(data, "acknowledged") is True else ""
    return f"{scope} {word}: {_get(data, 'cause')}, by {_get(data, 'by')}{seen}"


def _chances(data: Data, path: str) -> str:
    value = _get(data, path)
    return "/".join(f"{100 * one:.0f}" for one in value) + "%" if isinstance(value, list) else "?"


def _paid(data: Data) -> list[tuple[str, Any]]:
    value = _get(data, "paid")
    return list(value.items()) if isinstance(value, Mapping) else []


_PHRASES: dict[str, Callable[[Data], str]] = {
    "ORDER_INTENT": _intent,
    "ORDER_SENDING": lambda data: "handed to the transport",
    "SEND_OUTCOME": _send_outcome,
    "ORDER_REPORT": _report,
    "FILL": _fill,
    "EXTERNAL_FILL": lambda data: f"an order that is not ours {_fill(data)}",
    "CANCEL_SENT": lambda data: f"cancel sent: {_get(data, 'reason')}",
    "CANCEL_OUTCOME": _cancel_outcome,
    "RENEWAL_SENT": lambda data: f"renewal until {_ends(data, 'expires_ms')} sent",
    "RENEWAL_OUTCOME": _renewal_outcome,
    "REDUCTION_SENT": lambda data: f"{_get(data, 'by')} makes it smaller: {_count(data, 'size')} in all",
    "REDUCTION_OUTCOME": _reduction_outcome,
    "NEVER_ARRIVED": lambda data: (
        f"never arrived: not found in {_get(data, 'reads')} complete reads over {_get(data, 'waited_s')} s"
    ),
    "WRITTEN_OFF": lambda data: f"written off by {_get(data, 'by')}: {_get(data, 'reason')}",
    "RESURRECTED": lambda data: (
        f"rests at the venue as {_get(data, 'report.order_id')} although it was over here"
    ),
    "FEE": lambda data: (
        f"trade {_get(data, 'fill.trade_id')} was charged {_dollars(data, 'fill.fee')} by the venue's list"
    ),
    "TRADE": lambda data: f"trade {_get(data, 'report.trade_id')} is {_get(data, 'report.stage')}",
    "FILL_PARKED": lambda data: f"no order known yet: {_fill(data)}",
    "FILL_DROPPED": lambda data: f"trade {_get(data, 'trade_id')} dropped: {_get(data, 'reason')}",
    "ADJUSTMENT": lambda data: (
        f"position {_count(data, 'was')} set to {_count(data, 'net')} by {_get(data, 'by')}: "
        f"{_get(data, 'reason')}"
    ),
    "SETTLEMENT": _settled,
    "STATEMENT": lambda data: (
        f"{_get(data, 'report.ticker')}: the venue paid {_dollars(data, 'report.record.revenue')}, "
        f"fees {_dollars(data, 'report.record.fee')}"
    ),
    "HALT": _halt,
    "RESUME": _halt,
    "MODE": lambda data: f"mode {_get(data, 'mode')} {data.get('reason', '')}".rstrip(),
    "PAUSE": lambda data: (
        f"{'paused' if _get(data, 'paused') is True else 'unpaused'} "
        + ("all entries" if _get(data, "strategy") == "*" else f"strategy {_get(data, 'strategy')}")
        + (f": {data['why']}" if data.get("why") else "")
    ),
    "TRIP": lambda data: f"off: {_get(data, 'ticker')} {_get(data, 'cause')}".replace("  ", " "),
    "ENABLE": lambda data: (
        f"on again: {_get(data, 'ticker')} {_get(data, 'cause')}; {data.get('reason', '')}".replace("  ", " ")
    ),
    "EQUITY": lambda data: (
        f"highest result of {_get(data, 'day')}: {_dollars(data, 'result')}"
        + (", counted anew" if _get(data, "anew") is True else "")
    ),
    "FORECAST": lambda data: (
        f"{_get(data, 'event')} by {_get(data, 'model')} {_get(data, 'version')}, {_get(data, 'moment')}: "
        f"pooled {_chances(data, 'pooled')}, model {_chances(data, 'alone')}, "
        f"market {_chances(data, 'market')}"
    ),
    "OUTCOME": lambda data: (
        f"{_get(data, 'event')} settled"
        + (f" on {_get(data, 'value')}" if "value" in data else "")
        + ": "
        + (", ".join(name for name, yes in _paid(data) if yes) or "none of its markets")
        + " paid YES"
    ),
    "RULES": lambda data: f"the rules text that counts here is {_get(data, 'rules')[:12]}",
    "PAIR": lambda data: (
        f"{_get(data, 'first')} and {_get(data, 'second')} {_get(data, 'state')}"
        + (" as opposites" if _get(data, "opposite") is True else "")
        + (f": {data['why']}" if data.get("why") else "")
    ),
    "PLAN": lambda data: (
        f"plan {_get(data, 'plan')} {_get(data, 'state')}, {_get(data, 'name')}, "
        f"profit {_dollars(data, 'profit')}, at worst -{_dollars(data, 'worst')}"
        + (f": {data['why']}" if data.get("why") else "")
    ),
    "LIMIT": lambda data: (
        f"limit {_get(data, 'name')}: {_get(data, 'before')} to {_get(data, 'after')} "
        f"{data.get('reason', '')}".rstrip()
    ),
    "DAY": lambda data: f"day {_get(data, 'day')} begins at {_dollars(data, 'base')}",
}
