"""What the venue and our own count still show of a desk that is to be flat."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from core.execution.ladder import UNREAD, Tried, count_text
from core.execution.share import Share
from core.venues.venue import Incomplete, ReportStatus, VenueGateway

READ_TRIES = 4
READ_AGAIN_S = 0.4


async def read_positions(venue: VenueGateway) -> dict[str, int] | None:
    """The venue's own count; ``None`` when it could not be read, then ours alone counts."""
    for _ in range(READ_TRIES):
        reports = await venue.positions()
        if not isinstance(reports, Incomplete):
            return {report.ticker: int(report.net) for report in reports}
        await asyncio.sleep(READ_AGAIN_S)
    return None


async def read_residue(venue: VenueGateway, share: Share) -> dict[str, str] | None:
    """What the venue still has of ours, by ticker; ``None`` when it cannot be read completely."""
    for _ in range(READ_TRIES):
        positions = await venue.positions()
        resting = await venue.orders(status=ReportStatus.RESTING)
        if not isinstance(positions, Incomplete) and not isinstance(resting, Incomplete):
            left = {p.ticker: f"{count_text(p.net)} contracts held" for p in positions if p.net}
            for report in resting:
                whose = "an order" if report.order_id in share.ledger.by_order_id else "a foreign order"
                left[report.ticker] = f"{whose} still rests"
            for order in share.unknown():
                left[order.intent.ticker] = "an order is UNKNOWN"
            return left
        await asyncio.sleep(READ_AGAIN_S)
    return None


def residue(
    share: Share, tried: Mapping[str, Tried], first: dict[str, str] | None, second: dict[str, str] | None
) -> dict[str, str]:
    """What is left by either reading or by our own count, with the reason why it could not be sold."""
    whys = {ticker: market.why for ticker, market in tried.items() if market.why}
    if first is None or second is None:
        return {**whys, UNREAD: "could not be read completely"}
    left = {**first, **second}
    for ticker in share.unsettled_markets():
        left.setdefault(ticker, "a trade is not settled yet")
    for ticker, position in share.held.items():
        left.setdefault(ticker, f"{count_text(position.net)} contracts held by our own count")
    for order in share.live.values():
        left.setdefault(order.intent.ticker, "an order is not proved dead")
    return {t: ", ".join(filter(None, (what, whys.get(t)))) for t, what in left.items()}
