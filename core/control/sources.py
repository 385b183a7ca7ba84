"""Which sources a desk asks: what each declares, what the profile allows, and what the operator set.

A source that is off keeps its row and says there how to turn it on; a wrong setting is one clear error.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence

from core.config.paths import Profile
from core.config.secrets import KeyFileError, from_keyring, read_key_file
from core.config.settings import DAILY_HIGHS, Settings, SettingsError, SourceSettings, place_of
from core.control.site import World
from core.feeds.declaration import KEY_CHARACTERS_MIN, Declaration, Key
from core.feeds.registry import Chosen, declarations
from core.feeds.stations import Station, index_station, station_of_series, stations
from core.venues.kalshi.hourly import index_city

SIMULATED_KEY = "simulated"
"""What the simulator takes for every provider's key."""
KEY_CHARACTERS_MAX = 200


def chosen(place: Profile, settings: Settings, world: World) -> Mapping[str, Chosen]:
    """Every source by name. Raises ``SettingsError`` for a section of a source that does not exist."""
    known = {of.name: of for of in declarations()}
    for name in settings.feeds.sources:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean [feeds.{near[0]}]?" if near else f"known are {', '.join(known)}"
            where = place_of(place.config, "", f"feeds.{name}")
            raise SettingsError(f"{where}: no source is called {name[:40]!r}: {remedy}")
    return {
        name: _choice(place, of, settings.feeds.sources.get(name, SourceSettings()), world)
        for name, of in known.items()
    }


def followed(settings: Settings, world: World) -> tuple[str, ...]:
    """Kalshi's series on the desk."""
    return settings.markets.series or world.series or DAILY_HIGHS


def read_stations(place: Profile, settings: Settings, world: World) -> Sequence[Station]:
    """Whose forecasts are read; raises ``SettingsError``."""
    known, named = stations(), settings.feeds.stations
    unknown = [icao for icao in named if icao not in known]
    if unknown:
        raise SettingsError(
            f"{place_of(place.config, 'feeds', 'stations')}: feeds.stations names {unknown[0]}, "
            f"which no forecast is known for: known are {', '.join(sorted(known))}"
        )
    of_series = (_weather_of(series) for series in followed(settings, world))
    found = [station for station in of_series if station is not None]
    return list(dict.fromkeys([*found, *(known[icao] for icao in named)]))


def _weather_of(series: str) -> Station | None:
    hourly = index_city(series)
    return index_station(hourly.city) if hourly is not None else station_of_series(series)


def _choice(place: Profile, of: Declaration, wish: SourceSettings, world: World) -> Chosen:
    _followed(place, of, wish)
    urls = _urls(place, of, wish)
    if wish.on is False:
        return Chosen(False, f"It is off in {place.config}: set on = true in [{of.section}].")
    if place.simulated:
        key = Key(SIMULATED_KEY) if of.key is not None else None
        if of.urls and of.name not in world.feeds:
            return Chosen(False, "The simulator does not serve it.")
        # Nothing real is mixed in, where the simulator has fewer addresses.
        urls = dict.fromkeys(of.urls, "") | dict(world.feeds.get(of.name, {}))
        return Chosen(True, "", urls, float(wish.every_s), key, wish.follows)
    if of.off and wish.on is None:
        return Chosen(False, f"{of.off} To turn it on: on = true in [{of.section}] of {place.config}.")
    if of.urls and not any((dict(of.urls) | urls).values()):
        return Chosen(False, f"{of.off} They stand as urls in [{of.section}] of {place.config}.")
    key = None
    if of.key is not None:
        try:
            key = _key(place, of, wish)
        except KeyFileError as error:
            return Chosen(False, f"{error}. {of.key.how}")
    return Chosen(True, "", urls, float(wish.every_s), key, wish.follows)


def _followed(place: Profile, of: Declaration, wish: SourceSettings) -> None:
    """Raises ``SettingsError`` for a name the source has nothing on."""
    for name in wish.follows:
        if of.offers and name not in of.offers:
            where = place_of(place.config, of.section, "follows")
            raise SettingsError(f"{where}: {of.name} has no {name!r}: it offers {', '.join(of.offers)}")


def _urls(place: Profile, of: Declaration, wish: SourceSettings) -> dict[str, str]:
    """The operator's addresses take the places of the declared ones, in their order."""
    if len(wish.urls) > max(1, len(of.urls)):
        where = place_of(place.config, of.section, "urls")
        raise SettingsError(f"{where}: {of.name} takes no more than {max(1, len(of.urls))} in urls")
    return dict(zip(of.urls, wish.urls, strict=False))


def variable_of(of: Declaration) -> str:
    """The environment variable of a provider's key."""
    return f"PMCONSOLE_{of.name.upper().replace('-', '_')}_KEY"


def _key(place: Profile, of: Declaration, wish: SourceSettings) -> Key:
    """The provider's key from where the operator says it is; raises ``KeyFileError``."""
    if wish.key == "env":
        # Taken out: processes started later must not inherit it.
        text = os.environ.pop(variable_of(of), "")
        if not text:
            raise KeyFileError(f"{variable_of(of)} is not set: export the key of {of.name} in it")
    elif wish.key == "keyring":
        text = from_keyring(of.section, f"{of.section}.key")
    else:
        path = place.feed_key(of.name) if not wish.key_file else place.directory / wish.key_file
        try:
            text = read_key_file(path).decode("ascii").strip()
        except UnicodeDecodeError:
            raise KeyFileError(
                f"key file {path} is no text: it must hold the key of {of.name} alone"
            ) from None
    printable = text.isascii() and text.isprintable() and " " not in text
    if not (printable and KEY_CHARACTERS_MIN <= len(text) <= KEY_CHARACTERS_MAX):
        raise KeyFileError(
            f"what is configured as the key of {of.name} is none: it must be one word of "
            f"{KEY_CHARACTERS_MIN} to {KEY_CHARACTERS_MAX} letters and figures"
        )
    return Key(text)
