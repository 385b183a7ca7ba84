"""One simulated Polymarket, assembled: its exchange, its crowd, its application, a customer with keys."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from coincurve import PrivateKey
from starlette.applications import Starlette

from core.domain.clock import Clock, WorldClock
from core.domain.units import Money
from core.sim.beliefs import Beliefs
from core.sim.hosting import write_private
from core.sim.polymarket import chain
from core.sim.polymarket.app import build_app
from core.sim.polymarket.call import Venue
from core.sim.polymarket.crowd import Crowd
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.keys import ApiKey, KeyRegistry, Login
from core.sim.polymarket.settlement import Pace
from core.sim.polymarket.stream import Channel, Stream
from core.sim.polymarket.twins import Twins
from core.sim.polymarket.typed_data import SignatureType, address_of
from core.sim.scenarios.loader import SettlementRules
from core.sim.world import Listing, World

CUSTOMER_CASH = Money(500_000_000)
"""In each of the customer's wallets: one for every signature type."""
AUTO_REDEEM_MS = 60_000

_FUNDERS: dict[SignatureType, Callable[[str], str]] = {
    SignatureType.EOA: lambda owner: owner,
    SignatureType.POLY_PROXY: chain.proxy_of,
    SignatureType.POLY_GNOSIS_SAFE: chain.safe_of,
    SignatureType.POLY_1271: chain.deposit_wallet_of,
}


class Customer(msgspec.Struct, frozen=True):
    """Who trades here from outside. The secrets are only in files of mode 0600."""

    address: str
    wallets: dict[int, str]
    """Funder address by signature type."""
    key: str
    """The API key's name."""
    private_key_path: str
    credentials_path: str


class Floor(msgspec.Struct, frozen=True):
    """Everything of one venue."""

    exchange: Exchange
    venue: Venue
    twins: Twins
    crowd: Crowd
    app: Starlette
    stream: Stream
    customer: Customer

    def enter(self, listed: Listing) -> None:
        """List and quote a new event of the world, if it has a twin here."""
        for twin in self.twins.enter(listed):
            self.crowd.enter(twin)

    def step(self) -> None:
        """Bring everything up to now."""
        self.exchange.advance()
        self.twins.step()
        self.crowd.step()

    def trade_with(self, path: str, body: bytes) -> None:
        """Somebody takes the customer's orders that a request names; where it creates one, the newest."""
        resting = self.exchange.open_orders(self.customer.key)
        named = [order for order in resting if order.order_id.encode() in path.encode() + body]
        if not named and path.startswith("/order"):
            named = resting[-1:]
        for order in named:
            self.crowd.meet(order, 1.0)

    def ready(self, host: str) -> dict[str, Any]:
        """What the ready line says of it."""
        http = f"http://{host}"
        return {
            "clob": http,
            "gamma": f"{http}/gamma",
            "data": f"{http}/data-api",
            "ws_market": f"ws://{host}{Channel.MARKET.value}",
            "ws_user": f"ws://{host}{Channel.USER.value}",
            "geoblock": f"{http}/api/geoblock",
            "chain_id": chain.CHAIN_ID,
            "address": self.customer.address,
            "private_key_path": self.customer.private_key_path,
            "credentials_path": self.customer.credentials_path,
            "wallets": self.customer.wallets,
        }


def build_floor(
    clock: Clock,
    world_clock: WorldClock,
    world: World,
    beliefs: Beliefs,
    *,
    ids: Callable[[], str],
    seed: int,
    keys_dir: Path,
) -> Floor:
    """Assemble a venue in a world; its customer's secrets go to ``keys_dir``."""
    moves = world.scenario.script.traders.moves
    exchange = Exchange(clock, world_clock, ids, random.Random(f"{seed} settlement"))
    exchange.auto_redeem_ms = AUTO_REDEEM_MS
    exchange.settlement.pace = _pace(world.scenario.script.settlement)
    venue = Venue(exchange, KeyRegistry(secrets.token_hex()), clock)
    crowd = Crowd(exchange, world, beliefs, clock, random.Random(f"{seed} polymarket"), moves=moves)
    customer = _customer(exchange, venue, keys_dir)
    crowd.customers.add(customer.key)
    app = build_app(venue)
    return Floor(exchange, venue, Twins(exchange, world), crowd, app, app.state.stream, customer)


def _pace(rules: SettlementRules) -> Pace:
    return Pace(
        mined_ms=int(rules.mined_s * 1000),
        confirmed_ms=int(rules.confirmed_s * 1000),
        retry_ms=int(rules.retry_s * 1000),
        fail_share=rules.fail_share,
        retry_share=rules.retry_share,
        reorg_share=rules.reorg_share,
    )


def _customer(exchange: Exchange, venue: Venue, folder: Path) -> Customer:
    """A new wallet key with a funded wallet of every signature type, and its first API key."""
    private = PrivateKey()
    address = address_of(private.public_key)
    wallets = {}
    for kind, funder in _FUNDERS.items():
        wallets[int(kind)] = exchange.open_wallet(funder(address), address, kind, CUSTOMER_CASH).address
    key = venue.keys.create(Login(address, 0))
    key_path, credentials_path = folder / "polymarket.key", folder / "polymarket-credentials.json"
    write_private(key_path, f"0x{private.to_hex()}\n")
    write_private(credentials_path, _credentials(key))
    return Customer(address, wallets, key.key, str(key_path), str(credentials_path))


def _credentials(key: ApiKey) -> str:
    triple = {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}
    return msgspec.json.encode(triple).decode()
