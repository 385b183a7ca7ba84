"""The engine's answers to queries as text for a terminal or a file: lines of plain words, no colours."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

COLUMNS: dict[str, tuple[str, ...]] = {
    "markets": (
        *("label", "bid", "ask", "fair", "edge", "edge_state", "net", "mark", "book_age_s", "status"),
        "ticker",
    ),
    "proposals": ("id", "label", "side", "quantity", "price", "edge", "max_loss", "state", "expires_in_s"),
    "orders": ("id", "label", "side", "price", "quantity", "filled", "state", "age_s", "expires"),
    "account": ("about", "ticker", "subject", "ours", "theirs", "agreement", "age_s"),
    "positions": ("label", "net", "average", "cost", "max_loss", "open_pnl", "exit_price", "today"),
    "alarms": ("id", "level", "age_s", "seen", "active", "shelved", "what", "effect", "clears"),
    "limits": ("name", "scope", "used", "limit", "ceiling", "unit"),
}
SETTLING = ("confirmed", "unsettled", "failed", "sellable")
"""Columns of positions, where something of them is not plainly held."""


def columns_of(what: str, rows: list[dict[str, Any]], *, several: bool) -> tuple[str, ...]:
    """The columns of a table: with the venue on a desk of ``several``, and with how far positions are settled
    where some are not."""
    columns = COLUMNS[what]
    if several and all("venue" in row for row in rows):
        columns = ("venue", *columns)
    if what == "positions" and any(_waits(row) for row in rows):
        at = columns.index("net") + 1
        columns = (*columns[:at], *SETTLING, *columns[at:])
    return columns


def _waits(row: dict[str, Any]) -> list[str]:
    """What of a position cannot be sold, never was, or is done by hand on the venue's page."""
    words = {
        "unsettled": "provisional, not to be sold before they are confirmed",
        "failed": "FAILED to settle and reversed",
        "pairs": "pairs to merge by hand",
        "redeemable": "to redeem by hand",
    }
    told = [f"{row[name]} {text}" for name, text in words.items() if float(row[name])]
    return told + (["under the venue's smallest order, not sellable until resolution"] if row["dust"] else [])


def waiting_lines(rows: list[dict[str, Any]]) -> Iterable[str]:
    """A line a position with something of the kind, the page last so that it can be copied."""
    for row in rows:
        told = _waits(row)
        if told:
            yield f"{row['ticker']}: {'; '.join(told)}" + (f"; {row['page']}" if row["page"] else "")


def plan_lines(rows: list[dict[str, Any]]) -> Iterable[str]:
    """What each plan is, its legs and what can go wrong: its row above is its first leg's."""
    for row in rows:
        plan = row["plan"]
        if plan is not None:
            yield (
                f"{row['id']}: {plan['kind']}, {row['quantity']} sets for {row['cost']} and fees of "
                f"{row['fee']}, pays {plan['pays']}, profit {plan['profit']}, at worst -{plan['worst']}"
            )
            for leg in plan["legs"]:
                yield f"  BUY {leg['outcome']} {leg['quantity']} @ {leg['price']}  {leg['ticker']}"
            yield f"  can go wrong: {'; '.join(plan['cautions'])}"


def utc(wall_ms: int) -> str:
    """``2026-11-28 14:02:17Z``."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(wall_ms / 1000))


def status_lines(status: dict[str, Any]) -> Iterable[str]:
    paused = f", paused {' '.join(status['paused'])}" if status["paused"] else ""
    paused += _since(status, "paused", status["paused_why"]) if paused else ""
    reason = _since(status, "level", status["level_reason"]) if status["level_by"] else ""
    yield f"{status['profile']}  {status['mode']}  {status['level']}{reason}{paused}"
    if not status["ready"]:
        yield "starting  " + "  ".join(
            f"{'x' if done else '.'} {s}" for s, done in status["starting"].items()
        )
    for venue in status["venues"]:
        parts = (venue["venue"], venue["state"], venue["detail"], _beat(venue["beat"]), venue["halt"])
        yield "  ".join(filter(None, parts))
    for feed in status["feeds"]:
        yield f"{feed['feed']}  {feed['state']}  {span(feed['data_age_s'])}  {feed['detail']}".rstrip()
    yield (
        f"exposure {status['exposure']} of {status['exposure_limit']}  today {_shown(status['today_pnl'])}  "
        f"cash {_shown(status['cash'])}  orders {status['open_orders']}  unknown {status['unknown_orders']}"
    )
    held = f"groups {status['groups']}"
    held += f"  watchdog {status['watchdog']}" if status["watchdog"] else ""
    held += f"  orders are left to die: {status['renewals']}" if status["renewals"] else ""
    yield held
    yield f"control {status['controller'] or 'nobody'}  viewers {status['viewers']}"
    yield f"world {status['world_time']} x{status['speed']:g}  {status['world_id']}"
    yield from (text for text in (status["best"], status["problem"]) if text)
    if status["flatten"] is not None:
        yield progress_line(status["flatten"])
    for alarm in status["alarms"]:
        if alarm["active"] and alarm["level"] != "NOTE" and not alarm["shelved_by"]:
            yield f"{alarm['level']}  {span(alarm['age_s'])}  {alarm['what']}: {alarm['effect']}"


def shelved(alarm: dict[str, Any]) -> str:
    """Until when and by whom an alarm is put aside; empty for one that is not."""
    if not alarm["shelved_by"]:
        return ""
    why = f": {alarm['shelved_for']}" if alarm["shelved_for"] else ""
    return f"until {alarm['shelved_until'][11:16]}Z by {alarm['shelved_by']}{why}"


def _since(status: dict[str, Any], what: str, why: str) -> str:
    """Who brought the desk there, when and what for."""
    told = f"by {status[f'{what}_by']} at {status[f'{what}_since']}" + (f": {why}" if why else "")
    return f" ({told})"


def _beat(beat: dict[str, Any] | None) -> str:
    """The dead-man switch of a venue that has one."""
    if beat is None:
        return ""
    if beat["ends_in_s"] is None:
        return f"no beat yet: {beat['why']}, no entries there"
    ends = f"{beat['ends_in_s']:.0f} s"
    return f"NO BEAT {ends}: {beat['why']}, no entries there, orders end" if beat["why"] else f"beat {ends}"


def table_lines(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Iterable[str]:
    """Aligned text: figures to the right, words to the left."""
    if not rows:
        yield "none"
        return
    cells = [[_shown(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, values)) for values in zip(columns, *cells, strict=True)]
    figures = [any(_is_figure(row[column]) for row in rows) for column in columns]

    def line(values: Iterable[str]) -> str:
        return "  ".join(
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, figures, strict=True)
        ).rstrip()

    yield line(columns)
    yield from map(line, cells)


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, str) and value.replace(".", "", 1).lstrip("-").isdigit()
    )


def _shown(value: object) -> str:
    if value is None:
        return "--"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def yes(value: bool) -> str:
    return "yes" if value else "no"


def span(seconds: float | None) -> str:
    """``59s``, ``80m``, ``26h``, ``35d``."""
    if seconds is None:
        return "--"
    for unit, size, least in (("d", 86_400, 4 * 86_400), ("h", 3_600, 3_600), ("m", 60, 60)):
        if seconds >= least:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def progress_line(progress: dict[str, Any]) -> str:
    several = len(progress["venues"]) > 1
    parts = [
        (f"{v['venue']} {v['phase']}: " if several else f"{v['venue']} ")
        + f"cancelled {v['cancels_confirmed']} of {v['cancels_sent']}"
        + (f" ({v['cancels_unknown']} unknown)" if v["cancels_unknown"] else "")
        + f", exits {v['exits_filled']} of {v['exits_sent']}"
        + (f", {v['exits_resting']} resting" if v["exits_resting"] else "")
        + f", left {v['left']}"
        + (f", {v['pause']}" if several and v["pause"] else "")
        for v in progress["venues"]
    ]
    count = f" exits in {progress['exits_in_s']:.0f} s" if progress["phase"] == "COUNTDOWN" else ""
    text = f"{progress['phase']}{count}: {'; '.join(parts)}"
    if progress["pause"]:
        left = progress["pause_left_s"]
        text += f"; {progress['pause']}" + (f", opens in {span(left)}" if left is not None else "")
    return text


def reconcile_lines(found: dict[str, Any]) -> Iterable[str]:
    """A reading as text: what differs by row, or that it agrees."""
    if not found["complete"]:
        yield f"INCOMPLETE: {found['reason']}. Nothing was compared; it is read again."
    several = len(found["accounts"]) > 1
    for account in found["accounts"] if several else ():
        yield f"{account['venue']}: {_account(account)}"
    for d in found["differences"]:
        where = " ".join(filter(None, (d["venue"] if several else "", d["about"], d["ticker"], d["subject"])))
        halts = f"; {'has stopped' if d['acted'] else 'stops'}: {d['halts']}" if d["halts"] else ""
        yield f"{d['row']:<4}{where}: we say {d['ours']}, the venue says {d['theirs']}"
        yield f"    seen {d['reads']} times in {span(d['age_s'])}{halts}"
        for event in d["events"]:
            yield f"      {event['time']} {event['kind']:<16} {event['text']}"
    if found["agrees"]:
        yield "agrees"
    elif found["clean_age_s"] is not None:
        yield f"agreed {span(found['clean_age_s'])} ago"
    if found["doubt"]:
        yield f"no entries before a reading that agrees: {found['doubt']}"


def _account(account: dict[str, Any]) -> str:
    """How the reading of one venue's account went."""
    if not account["complete"]:
        return f"INCOMPLETE, {account['reason']}"
    differ = account["differences"]
    return (f"{differ} differ" if differ else "agrees") + f", read {span(account['age_s'])} ago"
