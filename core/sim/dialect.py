"""How this exchange behaves where nobody outside knows how the real one does.

Kalshi API: what is not certain. Each field is one open question, its default what was observed or
documented best. A client must be right under every answer, so a campaign draws them from its seed.
"""

from __future__ import annotations

import enum
from random import Random
from typing import TypeVar, get_type_hints

import msgspec

T = TypeVar("T", bound=enum.Enum)


class GroupRefusal(enum.Enum):
    """An order into a triggered group: HTTP status and code (only the FIX text is known)."""

    FIX_TEXT = (400, "EXCEEDED_ORDER_GROUP_RISK_LIMIT")
    LOWER_CASE = (400, "exceeded_order_group_risk_limit")
    CONFLICT = (409, "order_group_triggered")
    FORBIDDEN = (403, "order_group_triggered")


class GroupReason(enum.Enum):
    """``last_update_reason`` of an order its group cancelled; empty leaves the field out."""

    NONE = ""
    HALT = "HaltCancel"
    UNLISTED = "OrderGroupCancel"


class ReduceOnlyFlat(enum.Enum):
    """An immediate-or-cancel, reduce-only order that finds nothing to reduce."""

    ACCEPTED = "201, nothing filled, nothing left"
    REFUSED = "400 invalid_order"


class ReduceOnlyMisuse(enum.Enum):
    """Reduce-only with another time in force: the 400's code."""

    INVALID_ORDER = "invalid_order"
    INVALID_PARAMETERS = "invalid_parameters"
    OWN_CODE = "reduce_only_requires_ioc"


class BatchOrder(enum.Enum):
    """In which order a batch's answers come."""

    AS_ASKED = "as asked"
    REVERSED = "reversed"
    ERRORS_LAST = "errors last"


class Resubscribed(enum.Enum):
    """What subscribing to a channel twice does."""

    NEW_SID = "a second subscription"
    SAME_SID = "the markets join the first, which answers again"


class UpgradeRefusal(enum.Enum):
    """The body of a 401 on the stream's handshake."""

    NESTED = "nested"
    FLAT = "flat"
    PLAIN = "plain"
    EMPTY = "empty"


class Dialect(msgspec.Struct, frozen=True):
    """One answer to every open question."""

    ioc_unfilled_is_refused: bool = False
    """An IOC that trades nothing: 201, or 409 ``immediate_or_cancel_insufficient_resting_volume``."""
    post_only_cross_is_accepted: bool = False
    """A crossing post-only order: 400, or accepted and cancelled at once (``PostOnlyCrossCancel``)."""
    reduce_only_flat: ReduceOnlyFlat = ReduceOnlyFlat.ACCEPTED
    reduce_only_misuse: ReduceOnlyMisuse = ReduceOnlyMisuse.INVALID_ORDER
    group_refusal: GroupRefusal = GroupRefusal.FIX_TEXT
    group_reason: GroupReason = GroupReason.NONE
    matcher_codes_are_lower_case: bool = False
    """``MARKET_INACTIVE`` and its like in FIX's upper case, or in the case of every other REST code."""
    zero_crossing_is_two_fills: bool = False
    """A fill that closes and opens: one fill, or one each with an id and a fee of its own."""
    rebate_at_exact_grid: bool = True
    """Whether an order's rounding is paid back when it equals the balance grid, or only above it."""
    maker_fee_is_scaled: bool = True
    """Whether a series' fee multiplier applies to its maker fee."""
    balance_has_resting_deducted: bool = True
    """Whether the balance shown is without what resting orders have reserved."""
    settlement_costs_are_of_all_bought: bool = False
    """Costs of a settlement record: of the contracts held at the end, or of all ever bought."""
    scalar_result_is_empty: bool = False
    """Whether a market that settled at a value in between shows ``scalar`` or nothing as its result."""
    traded_counts_closes: bool = False
    """Whether ``total_traded_dollars`` grows with sales that close, too."""
    unfunded_shard_is_unknown_user: bool = True
    """An order on a shard that never held cash: 404 ``user_not_found``, or ``insufficient_balance``."""
    finished_transfer_is_not_found: bool = False
    """Whether the look-up of one finished transfer answers 404, as one user saw."""
    best_level_is_first: bool = False
    """Books list their levels best first as documented, or prices ascending as recorded."""
    batch_order: BatchOrder = BatchOrder.AS_ASKED
    yes_price_is_default: bool = False
    """Whether the announced flip of ``use_yes_price`` has happened."""
    resubscribed: Resubscribed = Resubscribed.NEW_SID
    upgrade_refusal: UpgradeRefusal = UpgradeRefusal.NESTED
    too_many_requests_is_nested: bool = False
    """The body of a 429: the documented plain string, or the nested form also seen."""
    clock_window_s: int = 5
    """How far a signature's time may be off: 10 s passed and 30 s failed, between them nobody measured."""
    unknown_is_sprinkled: bool = False
    """Whether answers and frames carry fields nobody has heard of."""
    deprecated_direction_is_gone: bool = False
    """Whether ``side``, ``action`` and ``is_yes`` have vanished, as announced without a date."""
    executed_id_is_free: bool = False
    """Whether an executed order's client id may be used again, as a cancelled or killed one's may not."""
    cancel_all_lasts_s: int = 60
    """How long a cancel-all takes new resting orders too: "may be cancelled during the minute after"."""
    reads_lag_ms: int = 0
    """How far lists of the account lag behind its writes: "slightly", and a timestamp tells."""


_NUMBERS = {"clock_window_s": (5, 10, 29), "cancel_all_lasts_s": (0, 20, 60), "reads_lag_ms": (0, 400, 2_500)}
_USUAL = 0.6
"""How often a drawn dialect keeps a default: most switches on at once would hide each other."""


def drawn(chance: Random) -> Dialect:
    """A dialect from a seed's stream; every field is drawn, in the order they are written here."""
    chosen = {}
    for name, kind in get_type_hints(Dialect).items():
        usual, pick = chance.random() < _USUAL, chance.random()
        if not usual:
            answers = _NUMBERS.get(name) or ((False, True) if kind is bool else tuple(kind))
            chosen[name] = answers[int(pick * len(answers))]
    return Dialect(**chosen)
