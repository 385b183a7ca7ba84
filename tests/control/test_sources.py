"""Which sources are on, and every sentence that says why one is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.settings import SettingsError, parse
from core.control.site import World
from core.control.sources import chosen, variable_of
from core.feeds import chainlink
from core.feeds.registry import Chosen, declarations

KEYED = next(of for of in declarations() if of.key is not None)
OPEN = next(of for of in declarations() if of.key is None and not of.off and any(of.urls.values()))
OFF = next(of for of in declarations() if of.off and of.key is None and any(of.urls.values()))


@pytest.fixture
def live(tmp_path: Path) -> Profile:
    place = Profile("live", tmp_path)
    paths.prepare(place)
    return place


def choose(place: Profile, text: str = "", served: bool = False) -> dict[str, Chosen]:
    place.config.write_text(text)
    feeds = {of.name: dict(of.urls) for of in declarations()} if served else {}
    world = World(environment=place.environment, feeds=feeds)
    return dict(chosen(place, parse(text, str(place.config)), world))


def keyed(place: Profile, more: str = "") -> Chosen:
    return choose(place, f"[{KEYED.section}]\non = true\n{more}")[KEYED.name]


def test_what_is_on_by_itself_and_the_line_that_turns_the_rest_on(live: Profile) -> None:
    found = choose(live)
    assert found[OPEN.name].on
    choice = found[OFF.name]
    assert not choice.on
    assert choice.why_off == f"{OFF.off} To turn it on: on = true in [{OFF.section}] of {live.config}."
    assert choose(live, f"[{OFF.section}]\non = true\n")[OFF.name].on
    off = choose(live, f"[{OPEN.section}]\non = false\n")[OPEN.name]
    assert off.why_off == f"It is off in {live.config}: set on = true in [{OPEN.section}]."


def test_a_missing_key_turns_a_source_off_with_how_to_get_one(
    live: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert KEYED.key is not None
    choice = keyed(live)
    assert not choice.on and KEYED.key.how in choice.why_off
    assert str(live.feed_key(KEYED.name)) in choice.why_off
    choice = keyed(live, 'key = "env"\n')
    assert f"{variable_of(KEYED)} is not set" in choice.why_off and KEYED.key.how in choice.why_off
    monkeypatch.setenv(variable_of(KEYED), "schlüssel-eines-anbieters")
    assert "must be one word" in keyed(live, 'key = "env"\n').why_off, "no header takes it"
    monkeypatch.setenv(variable_of(KEYED), "abc12345")
    choice = keyed(live, 'key = "env"\n')
    assert choice.on and choice.key is not None and choice.key.text == "abc12345"
    assert not keyed(live, 'key = "env"\n').on, "it is taken out: what is started later must not inherit it"


@pytest.mark.parametrize("content", [b"two words", b"", b"\xff\xfe", b"k" * 201, b"k" * 7])
def test_what_is_no_key_is_refused_without_being_quoted(live: Profile, content: bytes) -> None:
    path = live.feed_key(KEYED.name)
    path.parent.mkdir(mode=0o700)
    path.touch(0o600)
    path.write_bytes(content)
    choice = keyed(live)
    assert not choice.on and choice.why_off
    assert not content or content.decode("latin-1") not in choice.why_off
    path.write_bytes(b"good-key\n")
    choice = keyed(live)
    assert choice.on and choice.key is not None and choice.key.text == "good-key"
    path.chmod(0o644)
    assert not keyed(live).on, "a key others can read is none"


def test_an_unknown_source_and_too_many_addresses_name_file_and_line(live: Profile) -> None:
    with pytest.raises(SettingsError, match=r"config\.toml:1: no source is called .* did you mean"):
        choose(live, f"[feeds.{OPEN.name[:-1]}]\n")
    with pytest.raises(SettingsError, match="known are"):
        choose(live, "[feeds.qqqqqq]\n")
    many = ", ".join(f'"http://x{n}.example"' for n in range(len(OPEN.urls) + 1))
    with pytest.raises(
        SettingsError, match=rf"config\.toml:2: {OPEN.name} takes no more than {len(OPEN.urls)} in"
    ):
        choose(live, f"[{OPEN.section}]\nurls = [{many}]\n")


def test_a_simulated_desk_has_what_its_simulator_serves_and_needs_no_key(tmp_path: Path) -> None:
    demo = Profile("demo", tmp_path)
    assert demo.environment is Environment.SIM
    found = choose(demo, served=True)
    assert all(choice.on for choice in found.values())
    assert found[KEYED.name].key is not None
    assert choose(demo)[OPEN.name].why_off == "The simulator does not serve it."
    nodes = '[feeds.chainlink]\nurls = ["https://a.example", "https://b.example", "https://c.example"]\n'
    demo.config.write_text(nodes)
    world = World(environment=Environment.SIM, feeds={"chainlink": {"rpc": "http://127.0.0.1:1/one"}})
    mixed = chosen(demo, parse(nodes, str(demo.config)), world)["chainlink"]
    assert {role: url for role, url in mixed.urls.items() if url} == {"rpc": "http://127.0.0.1:1/one"}
    assert mixed.urls.keys() == chainlink.DECLARATION.urls.keys()
    older = World(environment=Environment.SIM, feeds={"kraken": {"ws": "ws://127.0.0.1:1/kraken"}})
    urls = chosen(demo, parse("", str(demo.config)), older)["kraken"].urls
    assert urls == {"ws": "ws://127.0.0.1:1/kraken", "api": ""}, "nor is a declared one asked"
