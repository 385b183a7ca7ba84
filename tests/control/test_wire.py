"""Both ends read a row by the places of its fields: what is added stands behind them and may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from core.control.protocol import VERSION, Frame

PLACES = Path(__file__).parent / "places.txt"
"""The version, then a row a line with its fields in their places; written anew with every version."""


def rows(kind: Any, seen: set[type]) -> Iterator[type]:
    """Every row of a frame, those inside another too."""
    match kind:
        case msgspec.inspect.StructType() if kind.cls not in seen:
            seen.add(kind.cls)
            if kind.array_like:
                yield kind.cls
            for field in kind.fields:
                yield from rows(field.type, seen)
        case msgspec.inspect.UnionType():
            for one in kind.types:
                yield from rows(one, seen)
        case msgspec.inspect.VarTupleType():
            yield from rows(kind.item_type, seen)


def test_the_places_of_a_frames_rows_are_those_of_the_version() -> None:
    found = {
        row.__name__: msgspec.structs.fields(row) for row in rows(msgspec.inspect.type_info(Frame), set())
    }
    version, *lines = PLACES.read_text().splitlines()
    assert int(version) == VERSION
    for name, *places in map(str.split, lines):
        assert [field.name for field in found[name][: len(places)]] == places, name
        assert not any(field.required for field in found[name][len(places) :]), name
