"""Discovery: Gamma's lists, single objects, tags and search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.sim.polymarket import gamma_shapes
from core.sim.polymarket.call import Answer, Call
from core.sim.polymarket.errors import bad, not_found
from core.sim.polymarket.shapes import Wire

PAGE_MAX = 500
PAGE = 20
LIST_FILTER_MAX = 100
"""Values a repeated filter may have."""

_NAMED = {
    "id": "id",
    "slug": "slug",
    "condition_ids": "conditionId",
    "question_ids": "questionID",
}
_SORTS = {
    "volume": "volume",
    "volume_24hr": "volume",
    "liquidity": "liquidity",
    "start_date": "startDate",
    "end_date": "endDate",
    "closed_time": "endDate",
}
"""What a search may be sorted by, largest first; by competition it is left as it is."""
_RANGES = {
    "start_date": "startDate",
    "end_date": "endDate",
    "liquidity_num": "liquidityNum",
    "volume_num": "volumeNum",
    "liquidity": "liquidity",
    "volume": "volume",
}


def markets_keyset(call: Call) -> Answer:
    return Answer(_keyset(call, "markets", _markets(call)))


def events_keyset(call: Call) -> Answer:
    return Answer(_keyset(call, "events", _events(call)))


def markets(call: Call) -> Answer:
    return Answer(_offset(call, _markets(call)))


def events(call: Call) -> Answer:
    return Answer(_offset(call, _events(call)))


def market_by_id(call: Call) -> Answer:
    return Answer(_one(_all_markets(call), "id", call.path["id"]))


def market_by_slug(call: Call) -> Answer:
    return Answer(_one(_all_markets(call), "slug", call.path["slug"]))


def event_by_id(call: Call) -> Answer:
    return Answer(_one(_all_events(call), "id", call.path["id"]))


def event_by_slug(call: Call) -> Answer:
    return Answer(_one(_all_events(call), "slug", call.path["slug"]))


def tags(call: Call) -> Answer:
    found = {tag for event in call.exchange.events.values() for tag in event.tags}
    rows = [{"id": str(number), "label": label, "slug": slug} for number, label, slug in sorted(found)]
    return Answer(rows[:100])


def series(call: Call) -> Answer:
    slugs = sorted({event.series_slug for event in call.exchange.events.values() if event.series_slug})
    return Answer([{"id": str(i), "slug": slug, "ticker": slug} for i, slug in enumerate(slugs, 1)][:50])


def nothing(_: Call) -> Answer:
    """Sports and teams: there are none here."""
    return Answer([])


def search(call: Call) -> Answer:
    words, page = call.text("q").lower(), call.number("page", 1)
    found = [e for e in _all_events(call) if words in f"{e['title']} {e['slug']}".lower()]
    if field := _SORTS.get(call.text("sort")):
        found = sorted(found, key=lambda row: row[field], reverse=True)
    shown = found[(page - 1) * PAGE : page * PAGE]
    pagination = {"hasMore": page * PAGE < len(found), "totalResults": len(found)}
    return Answer({"events": shown, "tags": [], "profiles": [], "pagination": pagination})


def _all_markets(call: Call) -> list[Wire]:
    return [gamma_shapes.market(call.exchange, market) for market in call.exchange.markets.values()]


def _all_events(call: Call) -> list[Wire]:
    return [gamma_shapes.event(call.exchange, event) for event in call.exchange.events.values()]


def _one(rows: list[Wire], name: str, wanted: str) -> Wire:
    found = next((row for row in rows if row[name] == wanted), None)
    if found is None:
        raise not_found("not found")
    return found


def _markets(call: Call) -> list[Wire]:
    rows = _filtered(call, _all_markets(call))
    for name in ("clob_token_ids", "position_ids"):
        wanted = _values(call, name)
        if wanted:
            rows = [r for r in rows if any(token in wanted for token in _tokens(call, r))]
    rows = _tagged(call, rows)
    for name, field in (
        ("version", "version"),
        ("resolution_status", "resolutionStatus"),
        ("uma_resolution_status", "umaResolutionStatus"),
    ):
        if wanted_word := call.text(name):
            rows = [r for r in rows if r.get(field) == wanted_word]
    if call.text("rfq_enabled") == "true" or call.text("game_id"):
        return []
    return _ordered(call, rows)


def _tagged(call: Call, rows: list[Wire]) -> list[Wire]:
    """Markets with any of the wanted tags, or all of them; with their tags where those are asked for."""
    wanted, every = set(_values(call, "tag_id")), call.text("tag_match") == "all"
    found = []
    for row in rows:
        tags_of = call.exchange.markets[row["conditionId"]].event.tags
        known = {str(number) for number, _, _ in tags_of}
        if wanted and not (wanted <= known if every else wanted & known):
            continue
        if call.text("include_tag") == "true":
            row["tags"] = [{"id": str(n), "label": label, "slug": slug} for n, label, slug in tags_of]
        found.append(row)
    return found


def _events(call: Call) -> list[Wire]:
    rows = _filtered(call, _all_events(call))
    title = call.text("title_search").lower()
    rows = [r for r in rows if title in r["title"].lower()]
    if wanted := set(_values(call, "tag_id")):
        rows = [r for r in rows if wanted & {tag["id"] for tag in r["tags"]}]
    if slug := call.text("tag_slug"):
        rows = [r for r in rows if slug in {tag["slug"] for tag in r["tags"]}]
    if unwanted := set(_values(call, "exclude_tag_id")):
        rows = [r for r in rows if not unwanted & {tag["id"] for tag in r["tags"]}]
    if call.text("live") == "true" or call.text("featured") == "true":
        return []
    if call.text("ended") in ("true", "false"):
        rows = [r for r in rows if r["closed"] == (call.text("ended") == "true")]
    return _ordered(call, rows)


def _tokens(call: Call, row: Wire) -> tuple[str, str]:
    return call.exchange.markets[row["conditionId"]].spec.tokens


def _values(call: Call, name: str) -> list[str]:
    """A filter that may be repeated."""
    values = [value for value in call.query.getlist(name) if value]
    if len(values) > LIST_FILTER_MAX:
        raise bad(f"{name} takes at most {LIST_FILTER_MAX} values")
    return values


def _filtered(call: Call, rows: list[Wire]) -> list[Wire]:
    for name, field in _NAMED.items():
        if wanted := set(_values(call, name)):
            rows = [r for r in rows if r.get(field) in wanted]
    for name in ("closed", "active", "archived"):
        if call.text(name) in ("true", "false"):
            rows = [r for r in rows if r[name] == (call.text(name) == "true")]
    for name, field in _RANGES.items():
        low, high = call.text(f"{name}_min"), call.text(f"{name}_max")
        if low:
            rows = [r for r in rows if _within(r.get(field), low, lambda value, end: value >= end)]
        if high:
            rows = [r for r in rows if _within(r.get(field), high, lambda value, end: value <= end)]
    return rows


def _within(value: Any, end: str, compare: Callable[[Any, Any], bool]) -> bool:
    """A date or a number against a limit; what is not there is never within."""
    if isinstance(value, float):
        try:
            return compare(value, float(end))
        except ValueError as wrong:
            raise bad("invalid range") from wrong
    return isinstance(value, str) and compare(value, end)


def _ordered(call: Call, rows: list[Wire]) -> list[Wire]:
    """By a comma list of fields, else as listed; text sorts as text."""
    ascending = call.text("ascending", "true") == "true"
    for field in reversed([word for word in call.text("order").split(",") if word]):
        if any(field not in row for row in rows):
            raise bad(f"order fields are not valid: {field[:40]}")
        rows = sorted(rows, key=lambda row: row[field], reverse=not ascending)
    return rows


def _keyset(call: Call, name: str, rows: list[Wire]) -> Wire:
    """A page after the row the cursor names; no cursor on the last one."""
    limit, after = call.number("limit", PAGE, most=PAGE_MAX), call.text("after_cursor")
    start = 0
    if after:
        start = next((i + 1 for i, row in enumerate(rows) if row["id"] == after), -1)
        if start < 0:
            raise bad("invalid cursor")
    shown = rows[start : start + limit]
    found: Wire = {name: shown}
    if shown and start + limit < len(rows):
        found["next_cursor"] = shown[-1]["id"]
    return found


def _offset(call: Call, rows: list[Wire]) -> list[Wire]:
    start = call.number("offset", 0)
    return rows[start : start + call.number("limit", PAGE, most=PAGE_MAX)]
