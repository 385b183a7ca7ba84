"""Which addresses a venue may be reached at: this machine's loopback, nothing else."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


class VenueAddressError(ValueError):
    """An address orders must not go to."""


def check_loopback(url: str, schemes: frozenset[str]) -> None:
    """Refuse ``url`` unless its host is loopback and its scheme one of ``schemes``.

    Raises ``VenueAddressError`` with one sentence.
    """
    shown = url[:120]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise VenueAddressError(f"venue address {shown!r} is not a URL: {error}") from None
    if parts.scheme not in schemes or parts.username is not None:
        raise VenueAddressError(
            f"venue address {shown!r} must be {' or '.join(sorted(schemes))}://host:port without credentials"
        )
    if host is None or not is_loopback(host):
        raise VenueAddressError(
            f"venue address {shown!r} is not on this machine: only 127.0.0.1, ::1 and localhost are allowed"
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, as it is written in an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
