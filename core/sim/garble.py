"""Bodies and frames that arrive changed: one pure function a way of changing them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

OVERSIZE_BYTES = 9 << 20
"""Above what the client takes in one frame (8 MiB)."""
NESTING = 100_000
HOSTILE_TEXT = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\u202e[red]free money[/red]\u200b\x9b31m"
TEXT_CHARS = 1 << 20
NO_NUMBERS = ("NaN", "1e9", "Infinity", "", "0." + "123456789" * 5, "1_000", "\u0661")
BAD_NUMBERS = ("0", "1", "-1", *NO_NUMBERS)


class Garble(enum.Enum):
    """How a body of JSON is changed."""

    EMPTY = "no body at all"
    TRUNCATED = "the end is missing"
    NO_ORDER = "an object without anything in it"
    RENAMED = "one field has another name"
    UNKNOWN_WORD = "a status or side nobody has heard of"
    EMPTY_LIST = "no rows and no further page"
    EMPTY_PAGE = "no rows, the cursor still leads on"
    ROW_OMITTED = "one row of a list is missing"
    OTHER_COUNT = "one contract more than there was"
    BAD_NUMBER = "a price or count that cannot be"
    NOT_A_NUMBER = "a price or count that cannot be read"
    CROSSED = "bids above the asks"
    ONE_SIDED = "a book without bids"
    HOSTILE_TEXT = "titles that write to a terminal"
    OTHER_RULES = "the rules of a market read differently"
    NESTED = "brackets a hundred thousand deep"
    OVERSIZED = "more bytes than anybody takes"


def garbled(body: bytes, how: Garble, pick: float) -> bytes:
    """The body changed; as it was where it holds nothing of that sort. ``pick`` (0 to 1) chooses where."""
    match how:
        case Garble.EMPTY:
            return b""
        case Garble.TRUNCATED:
            return body[: int(len(body) * pick)]
        case Garble.NO_ORDER:
            return b"{}"
        case Garble.NESTED:
            return b'{"msg":' * NESTING
        case Garble.OVERSIZED:
            return b'{"pad":"' + b"x" * OVERSIZE_BYTES + b'"}'
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    _EDITS[how](document, pick)
    return msgspec.json.encode(document)


def _objects(of: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in a document, outermost first."""
    if isinstance(of, dict):
        yield of
        for value in of.values():
            yield from _objects(value)
    elif isinstance(of, list):
        for value in of:
            yield from _objects(value)


def _lists(document: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the lists of objects are."""
    for found in _objects(document):
        for key, value in found.items():
            if isinstance(value, list) and (not value or isinstance(value[0], dict)):
                yield found, key


def _places(document: Any, wanted: Callable[[str, Any], bool]) -> list[tuple[dict[str, Any], str]]:
    return [(o, k) for o in _objects(document) for k, v in o.items() if wanted(k, v)]


def _one_of(places: list[tuple[dict[str, Any], str]], pick: float) -> list[tuple[dict[str, Any], str]]:
    return places[int(len(places) * pick) :][:1]


def _rename(document: Any, pick: float) -> None:
    for found, key in _one_of(_places(document, lambda key, _: "id" in key or key.endswith("_fp")), pick):
        found[f"{key}_v3"] = found.pop(key)


def _unknown_word(document: Any, pick: float) -> None:
    words = {"status", "side", "action", "book_side", "outcome_side"}
    for found, key in _one_of(_places(document, lambda key, _: key in words), pick):
        found[key] = "quantum"


def _empty_list(document: Any, _: float) -> None:
    _empty_page(document, 0)
    for key, last in (("cursor", ""), ("next_cursor", _LAST_PAGE)):
        if isinstance(document, dict) and key in document:
            document[key] = last


def _empty_page(document: Any, _: float) -> None:
    for found, key in list(_lists(document)):
        found[key] = []


def _omit_row(document: Any, pick: float) -> None:
    for found, key in _lists(document):
        if rows := found[key]:
            del rows[int(len(rows) * pick)]
            return


_COUNTS = ("count_fp", "matched_amount")


def _is_count(key: str, value: Any) -> bool:
    return key in _COUNTS and isinstance(value, str) and value.replace(".", "", 1).isdecimal()


def _other_count(document: Any, pick: float) -> None:
    for found, key in _one_of(_places(document, _is_count), pick):
        found[key] = f"{float(found[key]) + 1:.2f}"


_POLYMARKET_NUMBERS = frozenset(
    ("price", "size", "original_size", "size_matched", "matched_amount", "balance", "best_bid", "best_ask")
)
_LAST_PAGE = "LTE="
"""What stands in Polymarket's cursor after the last page."""
_BIDS = ("yes_dollars", "yes_dollars_fp")
_ASKS = ("no_dollars", "no_dollars_fp")


def _is_ladder(key: str, value: Any) -> bool:
    return key in _BIDS + _ASKS and isinstance(value, list) and all(isinstance(v, list) and v for v in value)


def _is_number(key: str, value: Any) -> bool:
    return isinstance(value, str) and (key.endswith(("_dollars", "_fp")) or key in _POLYMARKET_NUMBERS)


def _is_side(key: str, value: Any) -> bool:
    """One side of a Polymarket book: levels are objects and their fields ordinary ones."""
    return key in ("bids", "asks") and isinstance(value, list)


def _write_number(document: Any, pick: float, numbers: tuple[str, ...]) -> None:
    """Into one price or count of a field, and into one level of each book."""
    number = numbers[int(pick * 997) % len(numbers)]
    for found, key in _places(document, _is_ladder):
        for level in found[key][int(len(found[key]) * pick) :][:1]:
            level[0] = number
    for found, key in _one_of(_places(document, _is_number), pick):
        found[key] = number


def _bad_number(document: Any, pick: float) -> None:
    _write_number(document, pick, BAD_NUMBERS)


def _not_a_number(document: Any, pick: float) -> None:
    _write_number(document, pick, NO_NUMBERS)


def _cross(document: Any, _: float) -> None:
    for found, key in _places(document, _is_ladder):
        if key in _BIDS:
            found[key] = [*found[key], ["0.9900", "10.00"]]
    for found, key in _places(document, _is_side):
        if key == "bids":
            found[key] = [*found[key], {"price": "0.999", "size": "10"}]


def _drop_bids(document: Any, _: float) -> None:
    for found, key in [*_places(document, _is_ladder), *_places(document, _is_side)]:
        if key in (*_BIDS, "bids"):
            del found[key]


def _hostile_text(document: Any, pick: float) -> None:
    words = ("title", "subtitle", "sub_title", "yes_sub_title", "rules_primary", "question")
    text = HOSTILE_TEXT + "x" * (TEXT_CHARS if pick > 0.9 else 0)
    for found, key in _one_of(_places(document, lambda key, _: key in words), pick):
        found[key] = text


def _other_rules(document: Any, pick: float) -> None:
    for found, key in _one_of(_places(document, lambda key, _: key == "rules_primary"), pick):
        found[key] = f"{found[key]} Except on days when it does not."


_EDITS: dict[Garble, Callable[[Any, float], None]] = {
    Garble.RENAMED: _rename,
    Garble.UNKNOWN_WORD: _unknown_word,
    Garble.EMPTY_LIST: _empty_list,
    Garble.EMPTY_PAGE: _empty_page,
    Garble.ROW_OMITTED: _omit_row,
    Garble.OTHER_COUNT: _other_count,
    Garble.BAD_NUMBER: _bad_number,
    Garble.NOT_A_NUMBER: _not_a_number,
    Garble.CROSSED: _cross,
    Garble.ONE_SIDED: _drop_bids,
    Garble.HOSTILE_TEXT: _hostile_text,
    Garble.OTHER_RULES: _other_rules,
}
