"""The one address outside this machine that alarms are posted to: where it comes from, and one post to it.

The whole address is a secret, whoever has it can speak in our name: it is in no log, error, row or
screen. What the receiver answers is never read, kept or followed, only its status is looked at.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from core.config.paths import Profile
from core.config.secrets import WEBHOOK_VARIABLE, KeyFileError, from_keyring, read_key_file
from core.config.settings import AlarmSettings
from core.control.outside.message import Message
from core.venues.address import is_loopback
from core.venues.faults import fault_text
from core.venues.http import network_transport

SETTING: Final = "alarms.webhook"
ADDRESS_MAX: Final = 1_000
TOTAL_S: Final = 10.0
_TIMEOUT: Final = httpx.Timeout(5.0)
_LIMITS: Final = httpx.Limits(max_connections=1, max_keepalive_connections=0)


class Webhook:
    """The address. Its text never shows by accident."""

    __slots__ = ("url",)

    def __init__(self, url: str) -> None:
        self.url = url

    def __repr__(self) -> str:
        return "Webhook(...)"


def read_webhook(place: Profile, settings: AlarmSettings) -> Webhook | None:
    """The address from where the setting says it is, ``None`` when that is off; raises ``KeyFileError``.

    What was in the environment is taken out of it: processes started later must not inherit it.
    """
    match settings.webhook:
        case "off":
            return None
        case "env":
            text = os.environ.pop(WEBHOOK_VARIABLE, "")
            if not text:
                raise KeyFileError(
                    f"{WEBHOOK_VARIABLE} is not set: export the receiver's address in it, or set {SETTING}"
                )
        case "keyring":
            text = from_keyring(f"webhook-{place.name}", SETTING)
        case _:
            path = place.directory / settings.webhook_file if settings.webhook_file else place.webhook
            try:
                text = read_key_file(path, "webhook file").decode("ascii")
            except UnicodeDecodeError:
                raise KeyFileError(
                    f"webhook file {path} is no text: it must hold the address alone"
                ) from None
    return _checked(text.strip(), place)


def webhook_or_why(place: Profile, settings: AlarmSettings) -> tuple[Webhook | None, str]:
    """The address, or why there is none where there should be one."""
    try:
        return read_webhook(place, settings), ""
    except KeyFileError as error:
        return None, str(error)


def _checked(url: str, place: Profile) -> Webhook:
    """Raises ``KeyFileError``; no sentence quotes the address."""
    host = _host(url)
    if host is None:
        raise KeyFileError(
            f"what is configured as {SETTING} is no address: it must be the one https:// address that the "
            "receiver shows, without a name or password before its host"
        )
    if place.simulated and not is_loopback(host):
        raise KeyFileError(
            f"profile {place.name} plays, and rings nowhere but on this machine: {SETTING} may name "
            "127.0.0.1, ::1 or localhost there"
        )
    if not url.lower().startswith("https://") and not is_loopback(host):
        raise KeyFileError(
            f"what is configured as {SETTING} is http: only https goes beyond this machine, or the address "
            "is read on its way"
        )
    return Webhook(url)


def _host(url: str) -> str | None:
    if not (url.isascii() and url.isprintable() and " " not in url and len(url) <= ADDRESS_MAX):
        return None
    try:
        parts, _ = urlsplit(url), httpx.URL(url)
        named = parts.port != 0 and parts.username is None and parts.scheme in ("https", "http")
    except (ValueError, httpx.InvalidURL):
        return None
    return parts.hostname if named else None


def transport() -> httpx.AsyncBaseTransport:
    """The real network: a connection for each post, nothing from the environment, no retries."""
    return network_transport(_LIMITS)


async def post(network: httpx.AsyncBaseTransport, webhook: Webhook, said: Message) -> str:
    """Send once: empty when the receiver took it, else why not, in our own words alone.

    Past the client on purpose: no redirect is followed, no cookie kept, no body read or unpacked.
    """
    request = httpx.Request(
        "POST",
        webhook.url,
        content=msgspec.json.encode(said),
        headers={"content-type": "application/json", "user-agent": "pmconsole"},
        extensions={"timeout": _TIMEOUT.as_dict()},
    )
    try:
        async with asyncio.timeout(TOTAL_S):
            response = await network.handle_async_request(request)
            await response.aclose()
    except (TimeoutError, httpx.TimeoutException):
        return "no answer in time"
    except Exception as error:  # noqa: BLE001 - whatever the other side makes it break on is an outcome
        return _fault(error)
    return _refusal(response.status_code)


def _fault(error: BaseException) -> str:
    """Our words for it: the library's may hold the address, or what the other side has sent."""
    at: BaseException | None = error
    for _ in range(8):
        if isinstance(at, ssl.SSLError):
            return "its certificate or its TLS is not accepted"
        at = at.__cause__ or at.__context__ if at is not None else None
    if isinstance(error, httpx.ConnectError):
        return "it cannot be reached"
    return fault_text(error, lambda _: "") if isinstance(error, httpx.HTTPError) else "the connection broke"


def _refusal(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"HTTP {status}: it sends elsewhere, which is not followed"
    if status in (401, 403, 404, 410):
        return f"HTTP {status}: it does not know this address any more"
    return f"HTTP {status}"
