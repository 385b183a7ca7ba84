"""API keys by wallet login, and what a key may know of itself."""

from __future__ import annotations

import msgspec

from core.sim.polymarket.call import Answer, Call
from core.sim.polymarket.keys import ApiKey, Login
from core.sim.polymarket.shapes import Wire


class _Named(msgspec.Struct, frozen=True):
    key: str


def create(call: Call) -> Answer:
    return Answer(_shape(call.venue.keys.create(_login(call))))


def derive(call: Call) -> Answer:
    return Answer(_shape(call.venue.keys.derive(_login(call))))


def list_keys(call: Call) -> Answer:
    return Answer({"apiKeys": call.venue.keys.of(call.member.address)})


def delete(call: Call) -> Answer:
    call.venue.keys.delete(call.member.key)
    return Answer("OK")


def create_read_only(call: Call) -> Answer:
    return Answer(_shape(call.venue.keys.create_read_only(call.member.address)))


def list_read_only(call: Call) -> Answer:
    return Answer({"readonlyApiKeys": call.venue.keys.of(call.member.address, read_only=True)})


def delete_read_only(call: Call) -> Answer:
    named = call.read(_Named).key
    if named in call.venue.keys.of(call.member.address, read_only=True):
        call.venue.keys.delete(named)
    return Answer("OK")


def closed_only(call: Call) -> Answer:
    wallets = call.exchange.wallets.values()
    owned = [w for w in wallets if w.owner.lower() == call.member.address.lower()]
    return Answer({"closed_only": any(w.closed_only for w in owned)})


def _login(call: Call) -> Login:
    return call.venue.keys.login(call.headers, call.venue.faults.now_ms())


def _shape(key: ApiKey) -> Wire:
    return {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}
