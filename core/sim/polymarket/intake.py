"""A posted order, checked as far as it can be without the book: shape, signer, signature, amounts.

The venue's own order of checks is unpublished; this is the simulator's: shape, owner, standing, market,
signature, duplicate, tick, decimals, size, expiration. What follows (crossing, balance, matching) is the
exchange's.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from core.domain.units import Money, Price, Quantity
from core.sim.polymarket import typed_data
from core.sim.polymarket.call import Call
from core.sim.polymarket.contracts import Market
from core.sim.polymarket.errors import INVALID_PAYLOAD, bad, no_book, not_found
from core.sim.polymarket.numbers import decimal, price_text, units_text
from core.sim.polymarket.orders import OrderRequest, OrderType, Side
from core.sim.polymarket.typed_data import NEG_RISK, STANDARD, V3, SignatureType, SignedFields
from core.sim.polymarket.wallets import Wallet
from core.sim.requests import UnreadableError, decoded

LEAD_MS_MIN = 180_000
"""How far away the end of a GTD order must be."""
VERSION_MISMATCH = "order_version_mismatch"

_Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,78}$")]
_Address = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{40}$")]
_Word = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{64}$")]
_Hex = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]+$", max_length=4096)]
_RETIRED = re.compile(rb'"(?:feeRateBps|nonce|taker)"\s*:')
"""Fields of the first signed struct, which the venue no longer takes."""

_FLAT_DECIMALS = 4
_SHARE_DECIMALS = 2
_BUY_MARKET = (
    "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals, "
    "taker amount a max of 4 decimals"
)
_BUY = (
    "invalid amounts, the buy orders maker amount supports a max accuracy of {} decimals, "
    "taker amount a max of 2 decimals"
)
_SELL = (
    "invalid amounts, the sell orders maker amount supports a max accuracy of 2 decimals, "
    "taker amount a max of {} decimals"
)


class SignedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    salt: Annotated[int, msgspec.Meta(ge=0)]
    maker: _Address
    signer: _Address
    token_id: _Digits
    maker_amount: _Digits
    taker_amount: _Digits
    side: Literal["BUY", "SELL"]
    expiration: _Digits
    signature_type: SignatureType
    timestamp: _Digits
    metadata: _Word
    builder: _Word
    signature: _Hex

    @property
    def fields(self) -> SignedFields:
        return SignedFields(
            self.salt, self.maker, self.signer, int(self.token_id), int(self.maker_amount),
            int(self.taker_amount), self.side == "BUY", self.signature_type,
            int(self.timestamp), self.metadata, self.builder,
        )  # fmt: skip


class PostedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One element of what ``POST /order`` and ``POST /orders`` take."""

    order: SignedOrder
    owner: str
    order_type: OrderType
    defer_exec: bool = False
    post_only: bool = False


def posted(body: bytes | msgspec.Raw) -> PostedOrder:
    """The order of a body; ``WireError`` where it is none, or one of the retired struct."""
    try:
        return decoded(body, PostedOrder)
    except UnreadableError as wrong:
        retired = _RETIRED.search(bytes(body)) is not None
        raise bad(VERSION_MISMATCH if retired else INVALID_PAYLOAD) from wrong


def admitted(call: Call, asked: PostedOrder) -> OrderRequest:
    """The order as the exchange takes it; ``WireError`` for the first check it fails."""
    wallet = _wallet(call, asked)
    market = _market(call, asked)
    order_id = _signed(asked.order, wallet, market)
    if order_id in call.exchange.orders:
        raise bad(f"order {order_id} is invalid. Duplicated.")
    request = _amounts(market, asked, order_id, wallet)
    _check_size(market, request)
    _check_expiration(call, asked)
    return request


def _wallet(call: Call, asked: PostedOrder) -> Wallet:
    """The wallet the order spends from: whose key this is, and whether it may."""
    order, key = asked.order, call.member
    if asked.owner != key.key:
        raise bad("the order owner has to be the owner of the API KEY")
    wallet = call.exchange.wallets.get(_checksummed(call, order.maker))
    if order.signature_type is SignatureType.POLY_1271:
        signs = wallet is not None and _same(order.signer, order.maker) and _same(wallet.owner, key.address)
    else:
        signs = _same(order.signer, key.address)
    if not signs:
        raise bad("the order signer address has to be the address of the API KEY")
    if (
        wallet is None
        or wallet.signature_type is not order.signature_type
        or not _same(wallet.owner, key.address)
    ):
        raise bad("maker address not allowed, please use the deposit wallet flow")
    if wallet.banned:
        raise bad(f"'{wallet.address}' address banned")
    if wallet.closed_only and order.side == "BUY":
        raise bad(f"'{wallet.address}' address in closed only mode")
    return wallet


def _market(call: Call, asked: PostedOrder) -> Market:
    market = call.exchange.tokens.get(asked.order.token_id)
    if market is None:
        raise not_found("market not found")
    if market.spec.opens_ms > call.exchange.world.at(call.exchange.clock.wall_ms()):
        raise bad("the market is not yet ready to process new orders")
    if not market.tradeable:
        raise no_book()
    return market


def _signed(order: SignedOrder, wallet: Wallet, market: Market) -> str:
    """The order's hash, once its signature is its wallet's owner's."""
    try:
        fields, domain = order.fields, market.spec.domain
        if not _same(typed_data.order_signer(fields, domain, order.signature), wallet.owner):
            others = (d for d in (STANDARD, NEG_RISK, V3) if d.version != domain.version)
            if any(_same(typed_data.order_signer(fields, d, order.signature), wallet.owner) for d in others):
                raise bad(VERSION_MISMATCH)
            raise bad("invalid signature")
        return typed_data.order_id(fields, domain)
    except ValueError as wrong:
        raise bad(INVALID_PAYLOAD) from wrong


def _amounts(market: Market, asked: PostedOrder, order_id: str, wallet: Wallet) -> OrderRequest:
    """Price and size from the two signed amounts, on the market's grid."""
    order, rests = asked.order, asked.order_type.rests
    maker, taker, buys = int(order.maker_amount), int(order.taker_amount), order.side == "BUY"
    if not maker or not taker:
        raise bad(INVALID_PAYLOAD)
    money, shares = (maker, taker) if buys else (taker, maker)
    tick = market.tick
    nearest = (2 * money * 10_000 + shares * tick) // (2 * shares * tick) * tick
    # Amounts of market orders are rounded, by less than one step of what they are rounded to.
    slack = 0 if rests else (nearest if buys else 10_000) * 10**_FLAT_DECIMALS // 100
    on_grid = abs(money * 10_000 - shares * nearest) <= slack
    if not on_grid or not tick <= nearest <= 10_000 - tick:
        price = decimal(money * 10**8 // shares, 8)
        raise bad(
            f"order {order_id} is invalid. Price ({price}) breaks minimum tick size rule: {price_text(tick)}"
        )
    _check_decimals(maker, taker, tick, buys=buys, rests=rests)
    # Whoever rounds a market BUY's shares up asks for a price a hair below the tick, and misses it.
    limit = money * 10_000 // shares if buys else -(-money * 10_000 // shares)
    return OrderRequest(
        order_id, asked.owner, wallet.address, order.token_id, Side(order.side), asked.order_type,
        Price(nearest if rests else limit), Quantity(shares), None if rests or not buys else Money(money),
        asked.post_only, int(order.expiration),
    )  # fmt: skip


def _check_decimals(maker: int, taker: int, tick: int, *, buys: bool, rests: bool) -> None:
    if not rests and buys:
        if not (_fits(maker, 2) and _fits(taker, _FLAT_DECIMALS)):
            raise bad(_BUY_MARKET)
        return
    allowed = _amount_decimals(tick) if rests else _FLAT_DECIMALS
    money, shares = (maker, taker) if buys else (taker, maker)
    if not (_fits(money, allowed) and _fits(shares, _SHARE_DECIMALS)):
        raise bad((_BUY if buys else _SELL).format(allowed))


def _amount_decimals(tick: int) -> int:
    """Two more than the tick's own."""
    return _SHARE_DECIMALS + len(price_text(tick).partition(".")[2])


def _fits(amount: int, decimals: int) -> bool:
    return amount % int(10 ** (6 - decimals)) == 0


def _check_size(market: Market, request: OrderRequest) -> None:
    """The minimum is taken to be in shares; BUYs counted in dollars have a minimum of their own."""
    if request.spend is None and request.shares < market.spec.min_size:
        raise bad(
            f"order {request.order_id} is invalid. Size ({units_text(request.shares)}) lower than the "
            f"minimum: {units_text(market.spec.min_size)}"
        )


def _check_expiration(call: Call, asked: PostedOrder) -> None:
    expiration_ms = int(asked.order.expiration) * 1000
    if asked.post_only and not asked.order_type.rests:
        raise bad(INVALID_PAYLOAD)
    if asked.order_type is OrderType.GTD:
        if expiration_ms < call.venue.faults.now_ms() + LEAD_MS_MIN:
            raise bad("invalid expiration")
    elif expiration_ms:
        raise bad("invalid expiration")


def _checksummed(call: Call, address: str) -> str:
    """A wallet's name as it was opened, whatever the case it is asked for in."""
    return next((known for known in call.exchange.wallets if _same(known, address)), address)


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()
