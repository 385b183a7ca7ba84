"""One REST call as its handler sees it: who calls, with which parameters, and pages of lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from core.domain.clock import Clock
from core.sim.accounts import Account
from core.sim.archive import Archive
from core.sim.candles import Candles
from core.sim.exchange import Exchange
from core.sim.faults import Faults
from core.sim.kalshi.auth import ApiKey, KeyRegistry
from core.sim.kalshi.errors import WireError, forbidden, invalid_parameter
from core.sim.kalshi.indices import Indices
from core.sim.kalshi.limits import Limiter
from core.sim.lagging import Lag
from core.sim.orders import Refused
from core.sim.requests import Query
from core.sim.settled import SettledPast

T = TypeVar("T")


class Venue:
    """What every handler works on, and what is kept of the exchange for reads alone."""

    def __init__(
        self, exchange: Exchange, keys: KeyRegistry, clock: Clock, faults: Faults, limiter: Limiter
    ) -> None:
        self.exchange, self.keys, self.clock = exchange, keys, clock
        self.faults, self.limiter = faults, limiter
        self.archive = Archive()
        self.lag = Lag(exchange)
        self.candles = Candles(exchange)
        self.indices = Indices()
        self.past: SettledPast | None = None
        """Markets of the time before the world began."""


class Answer(msgspec.Struct, frozen=True):
    """Status and JSON body of a success; ``lost`` cuts the connection instead of answering."""

    body: Any
    status: int = 200
    lost: bool = False


class Call(msgspec.Struct, frozen=True):
    """``key`` is None on public endpoints."""

    venue: Venue
    key: ApiKey | None
    path: Mapping[str, str]
    query: Query
    body: bytes

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def member(self) -> str:
        assert self.key is not None
        return self.key.account

    @property
    def account(self) -> Account:
        """The account the query names: the primary one, or a subaccount."""
        return self.numbered(self.number("subaccount"))

    def numbered(self, number: int | None) -> Account:
        """The member's account of this number; a key locked to one has no other. None is the usual one."""
        assert self.key is not None
        lock = self.key.subaccount
        if lock is not None and number not in (None, lock):
            raise forbidden(f"this API key is restricted to subaccount {lock}")
        found = self.exchange.subaccount(self.member, lock if lock is not None else number or 0)
        if found is None:
            raise WireError(404, "user_not_found", "subaccount not found")
        return found

    def accounts(self) -> list[Account]:
        """Those a list is about, as lagging reads show them: all of the member's where none is named."""
        assert self.key is not None
        number = self.number("subaccount")
        if number is None and self.key.subaccount is None:
            members = self.exchange.accounts.values()
            return [self.venue.lag.seen(a) for a in members if a.member == self.member]
        return [self.venue.lag.seen(self.numbered(number))]

    def seen(self) -> Account:
        """``account`` as lagging reads show it."""
        return self.venue.lag.seen(self.account)

    def text(self, name: str) -> str:
        return self.query.get(name) or ""

    def flag(self, name: str) -> bool:
        return self.text(name) == "true"

    def words(self, name: str, *, most: int | None = None) -> list[str]:
        """A comma-separated list of at most ``most``."""
        words = [word for word in self.text(name).split(",") if word]
        if most is not None and len(words) > most:
            raise invalid_parameter(f"{name} must name at most {most}")
        return words

    def number(self, name: str) -> int | None:
        text = self.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 16):
            raise invalid_parameter(f"{name} must be a whole number")
        return int(text)

    def shard(self) -> int:
        """The named ``exchange_index``, or -1 to route by ticker."""
        routed = self.text("exchange_index") in ("", "-1")
        return -1 if routed else self.number("exchange_index") or 0

    def choice(self, name: str, allowed: Iterable[str], default: str = "") -> str:
        text = self.text(name) if name in self.query else default
        if text and text not in allowed:
            raise invalid_parameter(f"{name} must be one of {', '.join(allowed)}")
        return text

    def within(self, low: str, high: str, at_ms: int | None) -> bool:
        """Whether a moment lies between two optional parameters of Unix seconds, ends included."""
        first, last = self.number(low), self.number(high)
        if first is None and last is None:
            return True
        return (
            at_ms is not None
            and (first is None or at_ms >= first * 1000)
            and (last is None or at_ms // 1000 <= last)
        )

    def page(
        self, rows: list[T], name_of: Callable[[T], str], *, most: int, default: int
    ) -> tuple[list[T], str]:
        """The rows after the cursor, at most ``limit``, and the next cursor (empty on the last page).

        A cursor names the last row seen, so rows added in front move nothing. One that names no
        row, as garbage does, starts again at the first page. A limit over the maximum is refused.
        """
        limit = self.number("limit")
        if limit is not None and limit > most:
            raise invalid_parameter(f"limit must be at most {most}")
        size, after = limit or default, _opened(self.text("cursor"))
        start = next((i + 1 for i, row in enumerate(rows) if name_of(row) == after), 0) if after else 0
        shown = rows[start : start + size]
        more = start + size < len(rows)
        return shown, _sealed(name_of(shown[-1])) if more else ""

    def refusal(self, refused: Refused) -> WireError:
        """The exchange's no as an error; the letters of the matcher's own codes are an open question."""
        code = refused.code
        if self.exchange.dialect.matcher_codes_are_lower_case:
            code = code.lower()
        return WireError(refused.http, code, refused.message, refused.details)


def _sealed(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _opened(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
