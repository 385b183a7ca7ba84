"""The ``[limits]`` table of a configuration file, and what is refused in it.

An error is one sentence with the place, the key and the remedy; a limit that cannot be meant (zero,
negative, dollars written as cents) stops the start instead of being corrected.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import msgspec

from core.domain.units import UnitError
from core.risk.limits import DEFAULTS, LIMITS, SPEC, Limits, LimitSpec, Unit, limit_text, nearest_name, number

SLIP_FACTOR = 50
"""A value this many times looser than the default is taken for dollars written as cents."""

NESTED = ("order_cost_max", "market_loss_max", "event_loss_max", "venue_loss_max", "total_loss_max")
"""From narrow to wide: a narrower limit above a wider one can never bind, so it is a mistake."""


class LimitsError(ValueError):
    """A limits table that must not be used; the text is one sentence naming place, key and remedy."""


def unset(raw: Mapping[str, object]) -> tuple[str, ...]:
    """Money limits the table does not name: trading real money starts only with all of them set."""
    return tuple(spec.name for spec in LIMITS if spec.unit is Unit.MONEY and spec.name not in raw)


def parse(raw: Mapping[str, object], place: Callable[[str], str]) -> Limits:
    """Ceilings from a file's ``[limits]`` table; what it does not name keeps its default.

    ``place`` gives file and line of a key for errors. Raises ``LimitsError``.
    """
    values = {spec.name: DEFAULTS.value(spec.name) for spec in LIMITS}
    for name, written in raw.items():
        spec = SPEC.get(name)
        if spec is None:
            near = nearest_name(name)
            hint = f"did you mean {near!r}?" if near else "remove it."
            raise LimitsError(f"{place(name)}: [limits] does not know {name[:60]!r}; {hint}")
        try:
            values[name] = _checked(spec, written)
        except UnitError as error:
            raise LimitsError(f"{place(name)}: [limits] {name} = {error}.") from None
    for narrow, wide in itertools.pairwise(NESTED):
        if narrow in raw and values[narrow] > values[wide]:
            raise LimitsError(
                f"{place(narrow)}: [limits] {narrow} = {limit_text(SPEC[narrow], values[narrow])} is above "
                f"{wide} = {limit_text(SPEC[wide], values[wide])}; lower the first or raise the second."
            )
    if values["edge_min"] >= values["edge_max"]:
        key = "edge_min" if "edge_min" in raw else "edge_max"
        raise LimitsError(f"{place(key)}: [limits] edge_min is not below edge_max; no trade could pass.")
    return msgspec.convert(values, Limits)


def _checked(spec: LimitSpec, raw: object) -> int:
    """As ``number``, refusing what cannot be meant; raises ``UnitError``."""
    value = number(spec, raw)
    if value <= 0:
        raise UnitError(f"{limit_text(spec, value)} is not above zero")
    default = DEFAULTS.value(spec.name)
    slipped = value * SLIP_FACTOR < default if spec.floor else value > default * SLIP_FACTOR
    if (
        slipped
        or (spec.unit is Unit.PRICE and value >= 10_000)
        or (spec.unit is Unit.PERCENT and value > 100)
    ):
        raise UnitError(
            f"{limit_text(spec, value)} is far from the usual {limit_text(spec, default)}: "
            f"check the unit ({_UNIT_WORD[spec.unit]})"
        )
    return value


_UNIT_WORD = {
    Unit.MONEY: "dollars",
    Unit.PRICE: "dollars, below 1",
    Unit.CONTRACTS: "contracts",
    Unit.COUNT: "a count",
    Unit.PERCENT: "percent",
    Unit.SECONDS: "seconds",
    Unit.MILLISECONDS: "milliseconds",
    Unit.MEGABYTES: "megabytes",
}
