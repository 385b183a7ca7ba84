"""Orders and positions."""

from __future__ import annotations

from core.control.queries.fields import (
    PRICE,
    SIDE,
    Field,
    age,
    at,
    label_of,
    money,
    price,
    quantity,
    ticker_of,
    wait,
)

# What is over or held elsewhere has its market's own name where the desk has none for it.
ANY_TICKER = Field(
    "ticker", "the venue's name of the market", lambda r, n: ticker_of(r, n) or r.ticker or None
)
ANY_LABEL = Field(
    "label", "short name, or the venue's where there is none", lambda r, n: label_of(r, n) or r.ticker or None
)

ORDERS: tuple[Field, ...] = (
    Field("id", "our id, for cancel", lambda r, n: r.client_order_id),
    Field("order_id", "the venue's id", lambda r, n: r.order_id or None),
    ANY_TICKER,
    ANY_LABEL,
    Field("state", "state word", lambda r, n: r.state),
    SIDE,
    PRICE,
    Field("quantity", "contracts, those that have filled too", lambda r, n: quantity(r.quantity)),
    Field("filled", "contracts filled", lambda r, n: quantity(r.filled)),
    Field("leaves", "contracts that may still fill", lambda r, n: quantity(r.leaves)),
    Field("ahead", "contracts before us at our price", lambda r, n: quantity(r.ahead)),
    Field("age_s", "since it was intended", lambda r, n: age(r.created_ns, n)),
    Field("expires", "the venue cancels it then, real time", lambda r, n: at(r.expires_wall_ms)),
    Field("next_check_in_s", "until an unknown order is asked for", lambda r, n: wait(r.next_check_ns, n)),
    Field("bound", "the worst an unknown order can still do", lambda r, n: r.bound),
    Field("reason", "why it ended", lambda r, n: r.reason),
    Field("external", "whether it was not placed by this desk", lambda r, n: r.external),
    Field("ended_age_s", "since it ended", lambda r, n: age(r.ended_ns, n)),
    Field("venue", "where it is", lambda r, n: r.venue),
    Field("unsettled", "of what is filled, trades that may still fail", lambda r, n: quantity(r.unsettled)),
    Field("failed", "matched there and reversed: it never was", lambda r, n: quantity(r.failed)),
    Field("said", "the venue's word where it does not simply rest, such as delayed", lambda r, n: r.said),
    Field(
        "ordered",
        "contracts it was sent with, where its size was changed since",
        lambda r, n: quantity(r.ordered or None),
    ),
    Field("average", "price its fills came to, in terms of the outcome", lambda r, n: price(r.average)),
    Field("fee", "of its fills", lambda r, n: money(r.fee)),
    Field("reduces", "whether a smaller size keeps its place in the queue", lambda r, n: r.reduces),
)

POSITIONS: tuple[Field, ...] = (
    ANY_TICKER,
    ANY_LABEL,
    Field("net", "contracts held, positive YES, negative NO", lambda r, n: quantity(r.net)),
    Field("average", "price paid, in terms of the outcome held", lambda r, n: price(r.average)),
    Field("cost", "of the open contracts", lambda r, n: money(r.cost)),
    Field("max_loss", "worst case", lambda r, n: money(r.max_loss)),
    Field("open_pnl", "at the price we could sell at now", lambda r, n: money(r.open_pnl)),
    Field("exit_price", "that price", lambda r, n: price(r.exit_price)),
    Field("fair", "of the outcome held", lambda r, n: price(r.fair)),
    Field("today", "P&L of the world's day", lambda r, n: money(r.today)),
    Field("exit_rule", "what would close it", lambda r, n: r.exit_rule),
    Field("venue_net", "the venue's figure where it differs", lambda r, n: quantity(r.venue_net)),
    Field("venue", "where it is held", lambda r, n: r.venue),
    Field("confirmed", "of it, settled for good", lambda r, n: quantity(abs(r.net) - r.unsettled)),
    Field("unsettled", "of it, provisional: the trade may still fail", lambda r, n: quantity(r.unsettled)),
    Field("failed", "traded there and reversed: it never was", lambda r, n: quantity(r.failed)),
    Field("sellable", "confirmed and in no order that sells it already", lambda r, n: quantity(r.sellable)),
    Field("dust", "less than the venue's smallest order: not sellable until resolution", lambda r, n: r.dust),
    Field("pairs", "YES and NO held together, to be merged by hand", lambda r, n: quantity(r.pairs)),
    Field("redeemable", "won and waiting to be paid out by hand", lambda r, n: quantity(r.redeemable)),
    Field("page", "the venue's page where that is done", lambda r, n: r.page),
)
