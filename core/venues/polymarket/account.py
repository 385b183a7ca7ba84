"""Reads of one account: orders, trades, balances, and what the late indexer knows.

Trades are never filtered by market: the venue's filter looks at the taker's order, and a fill of ours that
met the other outcome would be missing. What is held is the CLOB's balance of each token; the Data API only
says which tokens to ask about and what can be redeemed (Polymarket reference, sections 4.8, 4.11, 4.14).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from core.domain.order import Fill, Outcome
from core.domain.text import clean_text
from core.domain.units import Money, Quantity
from core.venues.exchange import Cash
from core.venues.limiter import Priority
from core.venues.polymarket import endpoints as ep
from core.venues.polymarket import reports
from core.venues.polymarket.account_wire import (
    BalanceWire,
    OrderWire,
    PositionWire,
    TradeWire,
    micro_units,
    shares,
)
from core.venues.polymarket.catalog import Catalog
from core.venues.polymarket.reports import Heard, Owner, WhoseToken
from core.venues.polymarket.tokens import Version
from core.venues.polymarket.wallets import SignatureType
from core.venues.reader import Reader
from core.venues.venue import (
    Incomplete,
    OrderReport,
    PositionReport,
    Redeemable,
    ReportStatus,
    TradeReport,
)
from core.venues.wire import Odd, WireError, decode

PAGE: Final = 100
EARLIER_S: Final = 5
"""Clocks differ: so much before the moment asked for is read as well."""
ALLOWANCES_MAX: Final = 16
DOLLARS: Final = ""
"""In place of a token: the collateral."""
AT_ONCE: Final = 10
"""Balances asked for side by side."""

Learn = Callable[[Iterable[str]], Awaitable[Incomplete | None]]
"""Learn the markets these tokens are of; those that cannot be understood stay unknown. ``Incomplete`` where
they could not be asked about: what is called otherwise today than tomorrow would count as two things."""

W = TypeVar("W")

_raw = msgspec.json.Decoder(msgspec.Raw)
_orders = msgspec.json.Decoder(OrderWire)
_fields = msgspec.json.Decoder(dict[str, object] | None)
_trades = msgspec.json.Decoder(TradeWire)
_balance = msgspec.json.Decoder(BalanceWire)


class _Pagination(msgspec.Struct, frozen=True):
    next_cursor: str | None = None
    has_more: bool = False


class _PositionsPage(msgspec.Struct, frozen=True):
    data: list[PositionWire]
    pagination: _Pagination = _Pagination()


_positions = msgspec.json.Decoder(_PositionsPage)


class _Standing(msgspec.Struct, frozen=True):
    closed_only: bool


_standing = msgspec.json.Decoder(_Standing)


class Balance(msgspec.Struct, frozen=True):
    """Micro units held, and what each of the venue's contracts may move of them."""

    amount: int
    allowances: Mapping[str, int]


class Held(msgspec.Struct, frozen=True):
    """A row of the late witness."""

    token: str
    condition: str
    quantity: Quantity
    redeemable: bool


class Account:
    """The reads of ``VenueGateway`` that concern one account."""

    def __init__(
        self, ours: Reader, witness: Reader, catalog: Catalog, owner: Owner, kind: SignatureType, learn: Learn
    ) -> None:
        self._ours, self._witness, self._catalog = ours, witness, catalog
        self._owner, self._kind, self._learn = owner, kind, learn
        self.touched: set[str] = set()
        """Tokens of our orders and trades: their balances may have changed."""
        self.fresh: set[str] = set()
        """Tokens traded since the venue last looked at the chain for us."""

    # --- orders and trades ------------------------------------------------------------------------

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        """In whatever state; ``None`` when the venue answers that there is no such order."""
        what = f"order {order_id[:12]}"
        found = await self._ours.one(
            ep.ORDER,
            what,
            Priority.FLATTEN,
            _raw,
            _order_or_error,
            path=ep.ORDER.at(order_id=order_id),
            accept=frozenset({404}),
        )
        if found is None or isinstance(found, Incomplete):
            return found
        reported = await self._reported([found], what)
        return reported if isinstance(reported, Incomplete) else reported[0]

    async def orders(
        self, ticker: str | None, status: ReportStatus | None
    ) -> tuple[OrderReport, ...] | Incomplete:
        """Every open order, or those of one market: the venue lists no others."""
        # One market's orders are read to find one whose fate is unknown.
        priority = Priority.RECONCILE if ticker is None else Priority.FLATTEN
        rows = await self._ours.every(ep.ORDERS, "data", priority, {}, _orders, _as_read)
        if isinstance(rows, Incomplete):
            return rows
        reported = await self._reported(rows, "orders")
        if isinstance(reported, Incomplete):
            return reported
        return tuple(
            report
            for report in reported
            if ticker in (None, report.ticker) and status in (None, report.status)
        )

    async def _reported(self, rows: Sequence[OrderWire], what: str) -> tuple[OrderReport, ...] | Incomplete:
        hindered = await self._learn_strange(row.asset_id for row in rows)
        if hindered is not None:
            return hindered
        odd, found = Odd(), list[OrderReport]()
        for row in rows:
            try:
                found.append(reports.order_report(row, self._whose(row, odd), odd))
            except WireError as error:
                return Incomplete(what, f"{row.id[:12]}: {error}")
            self.touched.add(row.asset_id)
        self._ours.report(what, odd)
        return tuple(found)

    async def heard(self, since_ms: int | None) -> tuple[Heard, ...] | Incomplete:
        """Every trade of ours with its stage and fills, failed ones too."""
        query: dict[str, str | int] = {}
        if since_ms is not None:
            query["after"] = max(0, since_ms // 1_000 - EARLIER_S)
        rows = await self._ours.every(ep.TRADES, "data", Priority.RECONCILE, query, _trades, _as_read)
        if isinstance(rows, Incomplete):
            return rows
        hindered = await self._learn_strange(token for row in rows for token in self._ours_of(row))
        if hindered is not None:
            return hindered
        odd, found = Odd(), list[Heard]()
        for row in rows:
            try:
                one = reports.trade(row, self._owner, self._whose(row, odd), self._catalog.known, odd)
            except WireError as error:
                return Incomplete("trades", f"{row.id[:40]}: {error}")
            if one is not None:
                found.append(one)
                self.touch(one.fills)
        self._ours.report("trades", odd)
        return tuple(found)

    def _ours_of(self, row: TradeWire) -> tuple[str, ...]:
        """Tokens of our part of a trade."""
        ours = [m.asset_id for m in row.maker_orders or () if self._owner.has(m.owner, m.maker_address)]
        return row.asset_id, *ours

    async def _learn_strange(self, tokens: Iterable[str]) -> Incomplete | None:
        """Learn the markets of those tokens that no known one has."""
        strange = {token for token in tokens if self._catalog.of_token(token) is None}
        return await self._learn(strange) if strange else None

    def _whose(self, row: OrderWire | TradeWire, odd: Odd) -> WhoseToken:
        def whose(token: str) -> tuple[str, Outcome] | None:
            known = self._catalog.of_token(token)
            if known is None:
                odd.notes.append(f"{row.id[:20]}: its market {row.market[:20]} is not understood")
                known = reports.as_named(row)[token]
            return known

        return whose

    async def fills(self, since_ms: int | None) -> tuple[Fill, ...] | Incomplete:
        found = await self.heard(since_ms)
        if isinstance(found, Incomplete):
            return found
        return tuple(fill for one in found for fill in one.fills)

    async def trades(self, since_ms: int | None) -> tuple[TradeReport, ...] | Incomplete:
        found = await self.heard(since_ms)
        return found if isinstance(found, Incomplete) else tuple(one.report for one in found)

    def touch(self, fills: Iterable[Fill]) -> None:
        """These fills change what is held of both tokens of their market."""
        for fill in fills:
            terms = self._catalog.terms.get(fill.ticker)
            if terms is not None:
                both = {terms.tokens.yes, terms.tokens.no}
                self.touched |= both
                self.fresh |= {*both, DOLLARS}

    async def closed_only(self) -> bool | Incomplete:
        """Whether the venue lets this account do nothing but reduce."""
        return await read_closed_only(self._ours)

    # --- balances ---------------------------------------------------------------------------------

    async def cash(self) -> Cash | Incomplete:
        found = await self.balance("COLLATERAL", DOLLARS)
        return found if isinstance(found, Incomplete) else Cash(Money(found.amount))

    async def balance(self, asset_type: str, token: str) -> Balance | Incomplete:
        """Of dollars or of a token; read from the chain again first where it has just traded."""
        if token in self.fresh:
            told = await refresh_balance(self._ours, self._kind, asset_type, token)
            if told is None:
                self.fresh.discard(token)
        return await read_balance(self._ours, self._kind, asset_type, token)

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        """What the CLOB counts of every token that could be held."""
        known = await self._held_somewhere()
        if isinstance(known, Incomplete):
            return known
        asked = [(ticker, outcome) for ticker in sorted(known) for outcome in Outcome]
        held: dict[tuple[str, Outcome], int] = {}
        for start in range(0, len(asked), AT_ONCE):
            part = asked[start : start + AT_ONCE]
            balances = await asyncio.gather(*(self._held(ticker, outcome) for ticker, outcome in part))
            for key, balance in zip(part, balances, strict=True):
                if isinstance(balance, Incomplete):
                    return balance
                held[key] = balance.amount
        found: list[PositionReport] = []
        for ticker in sorted(known):
            yes, no = held[ticker, Outcome.YES], held[ticker, Outcome.NO]
            if yes or no:
                page = self._catalog.terms[ticker].url if yes and no else ""
                found.append(PositionReport(ticker, Quantity(yes - no), Quantity(min(yes, no)), page))
        return tuple(found)

    async def _held(self, ticker: str, outcome: Outcome) -> Balance | Incomplete:
        terms = self._catalog.terms[ticker]
        kind = "CONDITIONAL" if terms.version is Version.V1 else "CONDITIONAL-V2"
        return await self.balance(kind, terms.token(outcome))

    async def tokens(self) -> set[str] | Incomplete:
        """What could be held: by the late witness and by what has happened since, else by every trade."""
        rows = await self.witnessed()
        if isinstance(rows, Incomplete):
            heard = await self.heard(None)
            if isinstance(heard, Incomplete):
                return Incomplete("positions", f"{rows.reason}; {heard.reason}")
            rows = ()
        tokens = {row.token for row in rows if row.quantity} | self.touched
        hindered = await self._learn_strange(tokens)
        return tokens if hindered is None else hindered

    async def _held_somewhere(self) -> set[str] | Incomplete:
        """Markets of ours that are not over."""
        tokens = await self.tokens()
        if isinstance(tokens, Incomplete):
            return tokens
        owners = [self._catalog.of_token(token) for token in tokens]
        # What is over waits to be redeemed; it is no position any more.
        return {owner[0] for owner in owners if owner is not None and owner[0] in self._catalog.terms}

    async def redeemable(self) -> tuple[Redeemable, ...] | Incomplete:
        rows = await self.witnessed()
        if isinstance(rows, Incomplete):
            return rows
        won = [row for row in rows if row.redeemable and row.quantity]
        hindered = await self._learn_strange(row.token for row in won)
        if hindered is not None:
            return hindered
        found: list[Redeemable] = []
        for row in won:
            owner = self._catalog.of_token(row.token)
            if owner is not None:
                ticker, outcome = owner
                found.append(Redeemable(ticker, outcome, row.quantity, self._catalog.page_of(row.token)))
        return tuple(found)

    async def witnessed(self) -> tuple[Held, ...] | Incomplete:
        """Every position the Data API knows, dust too. It runs seconds to minutes late."""
        found: list[Held] = []
        query: dict[str, str | int] = {
            "user": self._owner.funder,
            "limit": PAGE,
            "filter_amount": 0,
        }
        for _ in range(PAGE):
            page = await self._witness.one(
                ep.POSITIONS, "positions", Priority.BACKGROUND, _positions, _of_positions, query=query
            )
            if isinstance(page, Incomplete):
                return page
            rows, cursor = page
            found.extend(rows)
            if not cursor:
                return tuple(found)
            query = {**query, "cursor": cursor}
        return Incomplete("positions", f"more than {PAGE} pages")


async def read_closed_only(reader: Reader) -> bool | Incomplete:
    """Whether the venue lets the API key's account do nothing but reduce."""
    found = await reader.value(ep.CLOSED_ONLY, "standing of the account", Priority.RECONCILE, _standing)
    return found if isinstance(found, Incomplete) else found.closed_only


async def refresh_balance(
    reader: Reader, kind: SignatureType, asset_type: str, token: str
) -> Incomplete | None:
    """Make the venue look at the chain again; ``None``: it has."""
    query = _asked(kind, asset_type, token)
    return await reader.nothing(ep.REFRESH_BALANCE, "balance update", Priority.RECONCILE, query=query)


async def read_balance(
    reader: Reader, kind: SignatureType, asset_type: str, token: str
) -> Balance | Incomplete:
    """Of the key's wallet of this type, as the venue has it in mind."""
    what, query = f"balance of {token[:12] or 'pUSD'}", _asked(kind, asset_type, token)
    return await reader.one(ep.BALANCE, what, Priority.RECONCILE, _balance, _of_balance, query=query)


def _asked(kind: SignatureType, asset_type: str, token: str) -> dict[str, str | int]:
    query: dict[str, str | int] = {"asset_type": asset_type, "signature_type": int(kind)}
    return query | {"token_id": token} if token else query


def _as_read(row: W, odd: Odd) -> W:
    return row


def _order_or_error(raw: msgspec.Raw, odd: Odd) -> OrderWire | None:
    """An accepted 404 and a null have no order; any other body without one proves nothing."""
    body = decode(raw, _fields, "order")
    if body is None or (set(body) <= {"error", "code"} and "error" in body):
        return None
    return decode(raw, _orders, "order")


def _of_balance(wire: BalanceWire, odd: Odd) -> Balance:
    allowances = list((wire.allowances or {}).items())[:ALLOWANCES_MAX]
    return Balance(
        micro_units(wire.balance, "balance"),
        {clean_text(spender, 42): _allowance(text) for spender, text in allowances},
    )


def _allowance(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 78:
        return int(text)
    raise WireError("allowances: not a number")


def _of_positions(page: _PositionsPage, odd: Odd) -> tuple[list[Held], str]:
    rows = [
        Held(row.token_id, row.condition_id, shares(row.current_size, "current_size"), row.redeemable is True)
        for row in page.data
    ]
    following = page.pagination.next_cursor if page.pagination.has_more else None
    return rows, following or ""
