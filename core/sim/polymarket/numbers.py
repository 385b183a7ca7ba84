"""Numbers as the venue writes them: no trailing zeros, whole units without a point."""

from __future__ import annotations

from core.domain.units import MONEY_DECIMALS, PRICE_DECIMALS


def decimal(value: int, decimals: int) -> str:
    """An integer of the given scale as a plain decimal."""
    whole, part = divmod(abs(value), 10**decimals)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{part:0{decimals}}".rstrip("0").rstrip(".")


def price_text(price: int) -> str:
    return decimal(price, PRICE_DECIMALS)


def units_text(amount: int) -> str:
    """Dollars or shares from millionths."""
    return decimal(amount, MONEY_DECIMALS)


def price_number(price: int) -> float:
    """A JSON number, where the venue writes one."""
    return price / 10_000


def units_number(amount: int) -> float:
    return amount / 1_000_000
