"""The accounts a profile's watchdog guards, each reached with what can cancel and cannot sign."""

from __future__ import annotations

import logging
import random
import secrets

from core.config.paths import Profile
from core.config.settings import PolymarketSettings
from core.control.accounts import Opened, open_each
from core.control.site import site_of_watchdog, trades_kalshi
from core.control.wallet import wallet_of
from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.venues.kalshi.cancel_only import KalshiCancelOnly
from core.venues.kalshi.traits import TRAITS as KALSHI
from core.venues.polymarket.cancel_only import PolymarketCancelOnly
from core.venues.polymarket.traits import TRAITS as POLYMARKET
from core.venues.strike import CancelOnly

_log = logging.getLogger(__name__)


def guarded(place: Profile, settings: PolymarketSettings, clocks: Clocks) -> Opened[CancelOnly]:
    """Every account that can be opened, and why another cannot. Raises where none can."""

    def kalshi() -> CancelOnly | None:
        if not trades_kalshi(place):
            return None
        site = site_of_watchdog(place)
        return KalshiCancelOnly(
            site.kalshi,
            site.environment,
            site.signer,
            clocks=clocks,
            rng=_rng(),
            on_anomaly=_told,
            subaccount=site.subaccount,
        )

    def polymarket() -> CancelOnly | None:
        site = wallet_of(place, settings)
        if site is None:
            return None
        return PolymarketCancelOnly(
            site.addresses,
            site.environment,
            site.credentials,
            clocks=clocks,
            rng=_rng(),
            on_anomaly=_told,
        )

    return open_each({KALSHI.venue.short: kalshi, POLYMARKET.venue.short: polymarket})


def _rng() -> random.Random:
    return random.Random(secrets.randbits(128))


def _told(what: str, detail: str) -> None:
    _log.warning("%s: %s", what, clean_text(detail))
