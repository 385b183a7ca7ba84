"""One call a venue offers: where it goes, which bucket pays for it, and what it means when it goes wrong."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from core.venues.limiter import Kind
from core.venues.retry import CallClass


class Endpoint(msgspec.Struct, frozen=True):
    """``path`` is below the API root; ``cost`` is in tokens of the bucket ``kind``."""

    method: str
    path: str
    kind: Kind
    cost: float
    calls: CallClass = CallClass.READ
    """What a call that goes wrong means: the row of the retry table."""
    ours: bool = False
    """Whether its query or its signature says whose account it is about."""

    def at(self, **names: str) -> str:
        """The path with its parameters filled in, quoted."""
        return self.path.format(**{name: quote(value, safe="") for name, value in names.items()})
