"""Markets: what does not tick of them, their books, what settles them, and pairs across venues."""

from __future__ import annotations

import msgspec


class MarketStatic(msgspec.Struct, frozen=True, array_like=True):
    """What does not tick. ``key`` stands for the market in every other row."""

    key: int
    venue: str
    ticker: str
    event: str
    label: str
    event_label: str
    title: str
    close_world_ms: int
    bands: tuple[tuple[int, int, int], ...]
    """Tick grid: start, end, step."""
    station: str


class MarketRow(msgspec.Struct, frozen=True, array_like=True):
    key: int
    bid: int | None
    ask: int | None
    bid_size: int
    ask_size: int
    moved: int
    """Sign of the last change of (bid, ask): -1, 0, +1 packed as bid + 3 * ask, both shifted by one."""
    message_ms: int
    """Monotonic milliseconds of the last message applied to the book."""
    intact: bool
    """Whether the link's heartbeat vouches for the book since then."""
    fair: int | None
    sigma: int | None
    edge: int | None
    edge_word: str
    """``stale``, ``quar``, ``conf`` (it waits for the operator's word on the settlement) or empty."""
    change: int | None
    """Fair value change over the last hour of world time."""
    net: int
    """Our net position, + YES / - NO."""
    mark: str
    """Our best working order ``15b44``, ``card``, or empty."""
    status: str
    """Market status word when it is not ``active``, else empty."""
    model: int | None = None
    """What the model says alone; ``fair`` is both pooled."""
    market: int | None = None
    """What the market says as a forecast; ``None`` where it is not pooled."""
    weight: float | None = None
    """Of the model in the pool."""
    volume: int | None = None
    """Traded so far, in millionths of what the venue counts: contracts, or dollars."""


class RulesRow(msgspec.Struct, frozen=True, array_like=True):
    """The rules text of one market, sanitised; too long for every frame, so asked for by query."""

    ticker: str
    venue: str
    text: str
    hash: str
    pinned: str
    """Hash of the text that counts on this desk."""
    series: str = ""
    mark: str = ""
    """Of the text as all markets of its series share it: what a confirmation is of."""
    waits: str = ""
    """Why nothing is opened there before a person has confirmed something; empty where nothing waits."""


class WayRow(msgspec.Struct, frozen=True, array_like=True):
    """An outcome of each market of a linked pair, bought together from what both books show."""

    first: str
    """``YES`` or ``NO`` of the first market."""
    second: str
    quantity: int
    """Pairs both books have, at most what the pair compares; 0 when ``why`` says that there is no way."""
    cost: int
    fee: int
    """The most that both venues' takers' fees come to."""
    difference: int | None
    """A contract, net of fees, in ten-thousandths of a dollar; ``None`` when ``why`` says so."""
    why: str


class PairRow(msgspec.Struct, frozen=True, array_like=True):
    """Two markets linked as the same question on two venues. A comparison, never a hedge."""

    first: str
    """The venue's name of the first market."""
    second: str
    first_key: int
    """0 for a market that is not on the desk."""
    second_key: int
    opposite: bool
    """Whether YES of one is NO of the other."""
    state: str
    """``linked`` or ``unpinned``."""
    why: str
    """What unpinned it."""
    quantity: int
    """How many are compared."""
    ways: tuple[WayRow, ...]
    """YES of the first market, then NO; none while it is unpinned."""
    apart: tuple[str, ...]
    """What is known to differ between the two, in words."""
    by: str
    """Who linked them."""
    wall_ms: int
    """And when."""
    first_ms: int
    """Monotonic milliseconds of the last message applied to the book; 0 without one."""
    second_ms: int
    caution: str
    """Why none of it is riskless."""
