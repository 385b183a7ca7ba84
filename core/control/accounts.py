"""Opening a profile's accounts side by side: one that cannot be opened keeps nobody from the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from core.config.secrets import KeyFileError
from core.config.settings import SettingsError
from core.control.ready import ReadyError
from core.venues.address import VenueAddressError

T = TypeVar("T")

UNUSABLE = (KeyFileError, ReadyError, SettingsError, VenueAddressError)
"""What a person may have got wrong about one account: a sentence each."""


class Opened(NamedTuple, Generic[T]):
    accounts: list[T]
    missing: dict[str, str]
    """Why an account of the profile could not be opened, by venue."""


def open_each(openers: Mapping[str, Callable[[], T | None]]) -> Opened[T]:
    """Open what each venue's opener gives; ``None``: the profile has no account there.

    Raises the first venue's error when nothing at all could be opened.
    """
    accounts: list[T] = []
    errors: dict[str, Exception] = {}
    for venue, opener in openers.items():
        try:
            account = opener()
        except UNUSABLE as error:
            errors[venue] = error
        else:
            accounts += [account] if account is not None else []
    if errors and not accounts:
        raise next(iter(errors.values()))
    return Opened(accounts, {venue: str(error) for venue, error in errors.items()})
