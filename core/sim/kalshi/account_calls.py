"""The member as an API user: limits and tier, keys, and what endpoints cost."""

from __future__ import annotations

from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import WireError
from core.sim.kalshi.shapes import Wire

_LATEST = 100
"""Orders looked at before a tier is raised."""


def limits(call: Call) -> Answer:
    tier = call.venue.limiter.tier_of(call.member)
    grant = {"exchange_instance": "event_contract", "level": tier.word, "source": "simulated"}
    return Answer(
        {"usage_tier": tier.word, "read": _budget(tier.read), "write": _budget(tier.write), "grants": [grant]}
    )


def upgrade(call: Call) -> Answer:
    """The advanced tier for good, for whoever placed one of the latest orders here with an id of its own."""
    account = call.account
    orders = sorted((*account.working.values(), *account.finished.values()), key=lambda order: order.number)
    if not any(order.client_order_id for order in orders[-_LATEST:]):
        raise WireError(403, "forbidden", "no API-created order among your latest 100 orders")
    call.venue.limiter.upgrade(call.member)
    return Answer(None, 201)


def list_keys(call: Call) -> Answer:
    """Every key with its scopes and lock, and until when the account's location is attested."""
    rows: list[Wire] = []
    for key in call.venue.keys.of(call.member):
        row: Wire = {"api_key_id": key.key_id, "name": key.name, "scopes": list(key.scopes)}
        if key.subaccount is not None:
            row["subaccount"] = key.subaccount
        rows.append(row)
    shape: Wire = {"api_keys": rows}
    if (until_s := call.venue.keys.regions.get(call.member)) is not None:
        shape["api_key_region_expiration_ts"] = until_s
    return Answer(shape)


def _budget(of: tuple[int, int]) -> Wire:
    return {"refill_rate": of[0], "bucket_capacity": of[1]}
