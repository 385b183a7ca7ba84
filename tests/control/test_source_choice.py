"""Which sources a desk asks: one on the operator's own addresses, ones that are off, and what they follow."""

from pathlib import Path

import pytest

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.settings import FeedSettings, Settings, SettingsError, SourceSettings
from core.control.site import World
from core.control.sources import chosen
from core.feeds.registry import Chosen

WORLD = World(environment=Environment.DEMO)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    return paths.profile("kalshi-demo")


def chainlink(place: Profile, wish: SourceSettings) -> Chosen:
    settings = Settings(feeds=FeedSettings(sources={"chainlink": wish}))
    return chosen(place, settings, WORLD)["chainlink"]


def test_a_source_of_the_operators_addresses_is_off_until_one_is_named(place: Profile) -> None:
    for wish in (SourceSettings(), SourceSettings(on=True)):
        choice = chainlink(place, wish)
        assert not choice.on
        assert "JSON-RPC addresses" in choice.why_off
        assert f"[feeds.chainlink] of {place.config}" in choice.why_off
    named = chainlink(place, SourceSettings(on=True, urls=("https://node/v2/secret", "https://other/")))
    assert named.on
    assert named.urls == {"rpc": "https://node/v2/secret", "rpc-2": "https://other/"}


def test_nobody_stands_before_an_addresses_host() -> None:
    with pytest.raises(ValueError, match="urls must be"):
        SourceSettings(urls=("https://user:password@node/",))


def test_sources_with_a_key_or_without_terms_are_off_with_the_line_that_turns_them_on(place: Profile) -> None:
    choices = chosen(place, Settings(), WORLD)
    for name in ("twelve-data", "yahoo"):
        assert not choices[name].on
        assert choices[name].why_off.endswith(f"on = true in [feeds.{name}] of {place.config}.")
    wanted = Settings(
        feeds=FeedSettings(sources={n: SourceSettings(on=True) for n in ("twelve-data", "yahoo")})
    )
    choices = chosen(place, wanted, WORLD)
    assert choices["yahoo"].on
    assert not choices["twelve-data"].on
    assert "twelve-data.key" in choices["twelve-data"].why_off
    assert "twelvedata.com" in choices["twelve-data"].why_off


def test_what_a_source_has_nothing_on_cannot_be_followed(place: Profile) -> None:
    wish = SourceSettings(on=True, follows=("EUR/USD", "GBP/USD"))
    with pytest.raises(SettingsError, match="yahoo has no 'GBP/USD': it offers EUR/USD, USD/JPY, SPX"):
        chosen(place, Settings(feeds=FeedSettings(sources={"yahoo": wish})), WORLD)
    only = SourceSettings(on=True, follows=("SPX",))
    choices = chosen(place, Settings(feeds=FeedSettings(sources={"yahoo": only})), WORLD)
    assert choices["yahoo"].follows == ("SPX",)
