"""Both ends read a row by the places of its fields, so places change with the protocol's version alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import msgspec

from core.control.protocol import VERSION, Frame

LAYOUT = {4: 1448248999}
"""Checksum of every row's fields, by version. Fields added at the end, with a default, keep the version and
get another checksum; whatever else changed here, another version first."""


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
    found = sorted(rows(msgspec.inspect.type_info(Frame), set()), key=lambda row: row.__name__)
    assert {"ProposalRow", "CheckRow", "BeatRow"} <= {row.__name__ for row in found}
    places = "\n".join(f"{row.__name__} {row.__annotations__}" for row in found)
    assert {VERSION: zlib.crc32(places.encode())} == LAYOUT
