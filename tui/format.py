"""Numbers, prices, times and names as fixed-width text, and outside text made safe to draw.

Pure functions of integers in the units of ``core/domain/units.py``. Unknown is a dash, never a zero.
Every character that leaves ``sanitise`` is exactly one terminal cell wide, so inside the console the
length of a text is its width.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from rich.cells import cell_len

from core.domain.text import DROPPED, SPACES, WHITE

UNKNOWN = "--"
TEXT_MAX = 400
ELLIPSIS = ".."

_DROPPED = DROPPED | {"Mc"}
"""Vowel signs too, which names and journals keep: they have a cell in one terminal and none in another."""
_BAR_NEAR_SHARE = 0.8
_HEIGHTS = "_.-'"
_SPARK_MIN = 300


# --- text from outside --------------------------------------------------------------------------


def sanitise(text: str, limit: int = TEXT_MAX) -> str:
    """One line of plain one-cell characters: no controls, bidi marks, joiners, markup effects or emoji.

    White space collapses to single spaces; a character that is not exactly one cell becomes ``?``.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    kept: list[str] = []
    for char in unicodedata.normalize("NFC", text[: limit * 4]):
        category = unicodedata.category(char)
        if category in SPACES or char in WHITE:
            kept.append(" ")
        elif category not in _DROPPED:
            kept.append(char if _one_cell(char, category) else "?")
    line = " ".join("".join(kept).split())
    return fit(line, limit).rstrip() if len(line) > limit else line


def _one_cell(char: str, category: str) -> bool:
    # Hangul medial jamo combine with the syllable before them, symbols may be drawn as pictures.
    if "\u1100" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff" or char >= "\U00010000":
        return False
    return (
        cell_len(char) == 1
        and unicodedata.east_asian_width(char) not in "WF"
        and (category != "So" or char in "°©®")
    )


def fit(text: str, width: int) -> str:
    """Exactly ``width`` cells, left-aligned, cut with a visible ``..``."""
    if len(text) <= width:
        return text.ljust(width)
    return text[: width - 2] + ELLIPSIS if width > 2 else text[:width]


def fit_name(text: str, width: int) -> str:
    """Like ``fit`` for a market's name, but the strike at its end is never cut. A venue's own name, which
    has no blanks, keeps its end: that is what tells it from its neighbours, and what commands take."""
    if len(text) <= width:
        return text.ljust(width)
    head, blank, strike = text.rpartition(" ")
    if not blank:
        return _name_end(text, width)
    room = width - len(strike) - 1
    if room < 5:
        return fit(text, width)
    return f"{fit(head, room)} {strike}"


def _name_end(text: str, width: int) -> str:
    """``..nov-28-48-49f``: from the first of its words that leaves room for all the others."""
    room = width - len(ELLIPSIS)
    begins = next((at + 1 for at in range(len(text) - room - 1, len(text) - 1) if text[at] == "-"), None)
    if room < 5 or begins is None:
        return fit(text, width)
    return (ELLIPSIS + text[begins:]).ljust(width)


_VENUES = {"kalshi": "KAL", "polymarket": "POLY"}


def venue_short(venue: str) -> str:
    return _VENUES.get(venue.lower(), venue.upper()[:4])


def venue_letter(venue: str) -> str:
    return venue[:1].upper() or "?"


# --- prices and money ---------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def cents(price: int | None, step: int = 100) -> str:
    """Price in cents with the decimals its tick needs: ``31``, ``31.5``, ``31.25``."""
    if price is None:
        return UNKNOWN
    decimals = 0 if step % 100 == 0 and price % 100 == 0 else 1 if price % 10 == 0 else 2
    return f"{price / 100:.{decimals}f}"


@lru_cache(maxsize=4096)
def tenths(price: int | None) -> str:
    """Cents with one decimal, for fair values and probabilities."""
    return UNKNOWN if price is None else f"{price / 100:.1f}"


@lru_cache(maxsize=4096)
def signed_tenths(price: int | None) -> str:
    """Cents with one decimal and always a sign, for edges and changes; exactly zero has none."""
    if price is None:
        return UNKNOWN
    text = f"{price / 100:+.1f}"
    return text[1:] if text in ("+0.0", "-0.0") else text


@lru_cache(maxsize=4096)
def dollars(money: int | None, places: int = 2) -> str:
    """Money in dollars."""
    return UNKNOWN if money is None else f"{money / 1_000_000:.{places}f}"


@lru_cache(maxsize=4096)
def signed_dollars(money: int | None) -> str:
    """Money in dollars with a sign, for profit and loss."""
    if money is None:
        return UNKNOWN
    text = f"{money / 1_000_000:+.2f}"
    return text[1:] if text in ("+0.00", "-0.00") else text


@lru_cache(maxsize=4096)
def dollars_up(money: int) -> str:
    """Whole dollars for what can be lost: never less than it is."""
    return str(-(-money // 1_000_000))


def short_dollars(money: int | None) -> str:
    """Whole dollars without cents, for limits: ``500``; cents only when there are some."""
    if money is None:
        return UNKNOWN
    return f"{money / 1_000_000:.0f}" if money % 1_000_000 == 0 else f"{money / 1_000_000:.2f}"


@lru_cache(maxsize=4096)
def count(quantity: int | None) -> str:
    """Contracts without decimals when whole, with two otherwise."""
    if quantity is None:
        return UNKNOWN
    whole, rest = divmod(abs(quantity), 1_000_000)
    sign = "-" if quantity < 0 else ""
    return f"{sign}{whole}" if rest == 0 else f"{sign}{abs(quantity) / 1_000_000:.2f}"


@lru_cache(maxsize=4096)
def size(quantity: int) -> str:
    """Contracts in at most four cells: ``120``, ``12k``; a fraction of one shows as ``<1``."""
    whole = quantity // 1_000_000
    if whole == 0 and quantity > 0:
        return "<1"
    return (
        str(whole) if whole < 10_000 else f"{whole // 1000}k" if whole < 1_000_000 else f"{whole // 10**6}M"
    )


@lru_cache(maxsize=4096)
def signed_count(quantity: int) -> str:
    """Net contracts with a sign in at most five cells; flat is a dash."""
    if quantity == 0:
        return "-"
    whole = abs(quantity) / 1_000_000
    text = f"{whole:.0f}" if quantity % 1_000_000 == 0 or whole >= 100 else f"{whole:.1f}"
    return ("+" if quantity > 0 else "-") + text


# --- time ---------------------------------------------------------------------------------------


def age(seconds: float | None) -> str:
    """``3s``, ``4m``, ``2h``, ``5d``; never negative."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    if whole < 100:
        return f"{whole}s"
    if whole < 100 * 60:
        return f"{whole // 60}m"
    return f"{whole // 3600}h" if whole < 100 * 3600 else f"{whole // 86400}d"


def fine_age(seconds: float | None) -> str:
    """``0.4s`` below ten seconds, else like ``age``: for connections."""
    if seconds is None:
        return UNKNOWN
    return f"{max(0.0, seconds):.1f}s" if seconds < 10 else age(seconds)


def countdown(seconds: float | None) -> str:
    """``m:ss``, rounded up so that 0:00 means over."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(-(-seconds // 1)))
    return f"{whole // 60}:{whole % 60:02d}"


def until(seconds: float | None) -> str:
    """Time to close in at most five cells: ``14h57``, ``12m``, ``3d04``, ``shut``."""
    if seconds is None:
        return UNKNOWN
    minutes = int(seconds // 60)
    if seconds <= 0:
        return "shut"
    if minutes < 60:
        return f"{minutes}m" if minutes else "<1m"
    hours, rest = divmod(minutes, 60)
    return f"{hours}h{rest:02d}" if hours < 48 else f"{hours // 24}d{hours % 24:02d}"


def utc(ms: int, form: str = "%H:%M:%S") -> str:
    """Unix milliseconds as UTC clock text; a dash for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime(form)
    except (ValueError, OverflowError):
        return UNKNOWN


# --- bars ---------------------------------------------------------------------------------------


def bar(used: float, adds: float = 0.0, width: int = 10) -> str:
    """``[##++------]``: shares of a limit used now and added by the selected card."""
    full = min(width, max(0, int(used * width + 1e-9)))
    after = min(width, max(full, int((used + adds) * width + 1e-9)))
    if adds > 0 and after == full and full < width and used + adds > 0:
        after = full + 1
    return "[" + "#" * full + "+" * (after - full) + "-" * (width - after) + "]"


def spark(values: Sequence[int], least: int = _SPARK_MIN) -> str:
    """A trace in four heights above its lowest; so much or more above it reaches the highest, of prices three
    cents."""
    if not values:
        return ""
    low = min(values)
    top = max(least, max(values) - low)
    return "".join(_HEIGHTS[(value - low) * (len(_HEIGHTS) - 1) // top] for value in values)


def unknown_bar(width: int = 10) -> str:
    """A bar whose reading is not there yet."""
    return "[" + "?" * width + "]"


def limit_word(share: float) -> str:
    """``NEAR`` from 80 %, ``CAP`` at 100 %, else empty."""
    return "CAP" if share >= 1 else "NEAR" if share >= _BAR_NEAR_SHARE else ""
