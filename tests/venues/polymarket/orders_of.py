"""Markets and intents the tests of sealing and sending share."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from core.domain.market import Venue
from core.domain.order import BookSide, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, Quantity, contracts
from core.venues.polymarket.seal import Sealer
from core.venues.polymarket.sign import OwnSigner
from core.venues.polymarket.terms import Terms
from core.venues.polymarket.tokens import Tokens, Version
from core.venues.polymarket.wallets import Account, SignatureType, account
from core.venues.venue import Sealed
from tests.venues.polymarket.golden import ADDRESS, KEY, POSITION, TOKEN

NO_TOKEN = "52114319501245915516055106046884209969926127482827954674443846427813813222426"
CREATED_MS = 1_795_000_000_000
OWNER = "0000-api-key"
PLAIN_KEY = account(ADDRESS, SignatureType.EOA, "")
TERMS = Terms(
    ticker="will-it-rain",
    condition_id="0x" + "cd" * 32,
    version=Version.V1,
    tokens=Tokens(TOKEN, NO_TOKEN),
    neg_risk=False,
    tick=Price(100),
    minimum=contracts(5),
)
NEG_RISK_TERMS = msgspec.structs.replace(TERMS, neg_risk=True)
V2_TERMS = msgspec.structs.replace(TERMS, version=Version.V2, tokens=Tokens(POSITION, str(int(POSITION) + 1)))
INTENT = OrderIntent(
    client_order_id="pm-1",
    venue=Venue.POLYMARKET,
    ticker="will-it-rain",
    side=BookSide.BID,
    purpose=Purpose.OPEN,
    price=Price(5_200),
    quantity=contracts(100),
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    expires_ms=None,
    created_ms=CREATED_MS,
    reserved=Money(0),
)


def intent(**changes: Any) -> OrderIntent:
    return msgspec.structs.replace(INTENT, **changes)


def immediate(**changes: Any) -> OrderIntent:
    return intent(**{"tif": TimeInForce.IOC, "post_only": False, **changes})


def sealer(first_salt: int = 479249096354, *, of: Account = PLAIN_KEY, owner: str = OWNER) -> Sealer:
    salts = itertools.count(first_salt)
    return Sealer(OwnSigner(KEY, of), owner, lambda: next(salts))


def sealed(of: OrderIntent, terms: Terms = TERMS, salt: int = 479249096354) -> Sealed:
    made = sealer(salt).seal(of, terms)
    assert isinstance(made, Sealed), made
    return made


def shares(count: float) -> Quantity:
    return Quantity(round(count * 1_000_000))
