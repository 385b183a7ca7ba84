"""Ways of garbling a message: each changes what it says it changes and breaks on nothing."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sim.garble import BAD_NUMBERS, NO_NUMBERS, OVERSIZE_BYTES, Garble, garbled

ORDERS = msgspec.json.encode(
    {
        "orders": [
            {"order_id": "a", "client_order_id": "pm-1", "status": "resting", "fill_count_fp": "1.00"},
            {"order_id": "b", "client_order_id": "pm-2", "status": "executed", "fill_count_fp": "2.00"},
        ],
        "cursor": "next",
    }
)
FILL = msgspec.json.encode({"type": "fill", "msg": {"trade_id": "t", "side": "yes", "count_fp": "5.00"}})
BOOK = msgspec.json.encode(
    {
        "type": "orderbook_snapshot",
        "msg": {"yes_dollars_fp": [["0.4000", "10.00"]], "no_dollars_fp": [["0.5500", "7.00"]]},
    }
)
MARKETS = msgspec.json.encode({"markets": [{"ticker": "K", "title": "High", "rules_primary": "As it was."}]})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["orders", "count_fp", "yes_dollars", "title", "cursor", "status", "order_id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def of(body: bytes, how: Garble, pick: float = 0.0) -> dict:  # type: ignore[type-arg]
    return msgspec.json.decode(garbled(body, how, pick))


def test_lists_lose_rows_pages_and_everything() -> None:
    assert [row["order_id"] for row in of(ORDERS, Garble.ROW_OMITTED)["orders"]] == ["b"]
    assert [row["order_id"] for row in of(ORDERS, Garble.ROW_OMITTED, 0.9)["orders"]] == ["a"]
    assert of(ORDERS, Garble.EMPTY_PAGE) == {"orders": [], "cursor": "next"}
    assert of(ORDERS, Garble.EMPTY_LIST) == {"orders": [], "cursor": ""}


def test_fields_are_renamed_and_words_invented() -> None:
    first = of(ORDERS, Garble.RENAMED)["orders"][0]
    assert "order_id" not in first and first["order_id_v3"] == "a"
    assert of(ORDERS, Garble.UNKNOWN_WORD)["orders"][0]["status"] == "quantum"


def test_numbers_and_books_are_spoiled() -> None:
    assert of(FILL, Garble.OTHER_COUNT)["msg"]["count_fp"] == "6.00"
    assert of(FILL, Garble.NOT_A_NUMBER)["msg"]["count_fp"] in NO_NUMBERS
    assert of(BOOK, Garble.BAD_NUMBER)["msg"]["yes_dollars_fp"][0][0] in BAD_NUMBERS
    assert of(BOOK, Garble.CROSSED)["msg"]["yes_dollars_fp"][-1] == ["0.9900", "10.00"]
    assert set(of(BOOK, Garble.ONE_SIDED)["msg"]) == {"no_dollars_fp"}


def test_texts_turn_hostile_and_rules_change() -> None:
    market = of(MARKETS, Garble.HOSTILE_TEXT)["markets"][0]
    assert "\x1b]52" in market["title"] and "\u202e" in market["title"]
    assert len(of(MARKETS, Garble.HOSTILE_TEXT, 0.95)["markets"][0]["rules_primary"]) > 1 << 20
    assert of(MARKETS, Garble.OTHER_RULES)["markets"][0]["rules_primary"] != "As it was."


def test_bodies_end_early_or_never() -> None:
    assert garbled(ORDERS, Garble.EMPTY, 0.5) == b""
    assert garbled(ORDERS, Garble.TRUNCATED, 0.5) == ORDERS[: len(ORDERS) // 2]
    assert garbled(ORDERS, Garble.NO_ORDER, 0.5) == b"{}"
    assert len(garbled(FILL, Garble.OVERSIZED, 0.5)) > OVERSIZE_BYTES
    with pytest.raises((RecursionError, msgspec.DecodeError)):
        msgspec.json.decode(garbled(FILL, Garble.NESTED, 0.5))


@given(
    json_values,
    st.sampled_from(sorted(set(Garble) - {Garble.OVERSIZED}, key=lambda g: g.name)),
    st.floats(0, 0.999),
)
@settings(max_examples=300, deadline=None)
def test_no_document_breaks_the_garbling(document: object, how: Garble, pick: float) -> None:
    assert isinstance(garbled(msgspec.json.encode(document), how, pick), bytes)


@given(st.binary(max_size=40), st.sampled_from([Garble.RENAMED, Garble.TRUNCATED, Garble.BAD_NUMBER]))
def test_bytes_that_are_no_json_pass(body: bytes, how: Garble) -> None:
    assert isinstance(garbled(body, how, 0.5), bytes)
