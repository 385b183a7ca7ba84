"""Which sources a desk asks: one that lives on the operator's own addresses."""

from pathlib import Path

import pytest

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.settings import FeedSettings, Settings, SourceSettings
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
