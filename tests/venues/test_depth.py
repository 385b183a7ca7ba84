"""The depth of JSON, against a decoder that counts it the slow way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.venues.depth import DEPTH_MAX, too_deep


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((depth_of(v) for v in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth_of(v) for v in value), default=0)
    return 0


def nested(levels: int, core: Any = 0, filler: str = "") -> Any:
    for level in range(levels):
        core = {"k" + filler: core} if level % 3 else [filler, core, filler]
    return core


texts = st.text(alphabet='[]{}"\\\n a\u00e9', max_size=6)


@given(st.integers(0, 60), texts)
def test_texts_full_of_brackets_hide_nothing_and_add_nothing(levels: int, filler: str) -> None:
    value = nested(levels, filler=filler)
    assert too_deep(json.dumps(value).encode()) is (depth_of(value) > DEPTH_MAX)


@given(st.recursive(texts | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
def test_what_is_nested_at_all_is_measured_right(value: Any) -> None:
    data = json.dumps([value] * 40).encode()
    assert too_deep(data) is (depth_of(value) + 1 > DEPTH_MAX)


@pytest.mark.parametrize("data", [b"[" * 1_000_000, b'{"a":' * 100_000, b"[" * 40 + b"]" * 40])
def test_a_bottomless_message_is_too_deep(data: bytes) -> None:
    assert too_deep(data)
