"""The exchange itself: its status shard by shard, its hours, how fresh reads are."""

from __future__ import annotations

from core.sim.kalshi import shapes
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.shapes import Wire
from core.sim.shards import Shard

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def status(call: Call) -> Answer:
    """The top-level flags are shard 0's; while that is down, the same body comes with 503."""
    shards = call.exchange.shards
    rows = [
        {"exchange_index": index, "description": shard.description, **_flags(shard)}
        for index, shard in shards.items()
    ]
    body = {
        **_flags(shards[0]),
        "exchange_estimated_resume_time": None,
        "exchange_index_statuses": rows,
    }
    return Answer(body, 200 if shards[0].exchange_active else 503)


def schedule(call: Call) -> Answer:
    hours = {day: [{"open_time": "00:00", "close_time": "24:00"}] for day in _WEEK}
    span = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2099-12-31T00:00:00Z"}
    windows = [
        {"start_datetime": shapes.rfc3339(start_ms), "end_datetime": shapes.rfc3339(end_ms)}
        for start_ms, end_ms in call.exchange.maintenance.windows
    ]
    return Answer({"schedule": {"standard_hours": [{**span, **hours}], "maintenance_windows": windows}})


def user_data_timestamp(call: Call) -> Answer:
    return Answer({"as_of_time": shapes.rfc3339(call.venue.lag.as_of_ms())})


def _flags(shard: Shard) -> Wire:
    return {
        "exchange_active": shard.exchange_active,
        "trading_active": shard.trading_active,
        "intra_exchange_transfers_active": shard.transfers_active,
    }
