"""Whether the venue lets people trade from where this machine is: its own answer, never a list of ours."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from core.domain.text import clean_text
from core.venues.limiter import Priority
from core.venues.polymarket import endpoints as ep
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import Odd

CHECK_AGAIN_S: Final = 3_600.0
"""Also after any refusal with 403."""


class Geoblock(msgspec.Struct, frozen=True):
    """The address the venue saw is left out: it is nobody's business on a screen or in a journal."""

    blocked: bool
    country: str
    region: str

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.country, self.region))) or "an unknown place"
        return f"the venue {'does not let you' if self.blocked else 'lets you'} trade from {place}"


class _Wire(msgspec.Struct, frozen=True):
    blocked: bool
    country: Annotated[str, Meta(max_length=80)] = ""
    region: Annotated[str, Meta(max_length=80)] = ""


_decoder = msgspec.json.Decoder(_Wire)


def _geoblock(wire: _Wire, odd: Odd) -> Geoblock:
    return Geoblock(wire.blocked, clean_text(wire.country, 20), clean_text(wire.region, 20))


async def read_geoblock(reader: Reader) -> Geoblock | Incomplete:
    return await reader.one(ep.GEOBLOCK, "geoblock", Priority.RECONCILE, _decoder, _geoblock)
