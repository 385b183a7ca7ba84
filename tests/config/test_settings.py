"""config.toml: complete without a file, one exact sentence for every mistake."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from core.config.settings import Settings, SettingsError, load, parse


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "config.toml") == Settings()


def test_values_are_read_exactly() -> None:
    settings = parse(
        '[strategy]\nmin_edge = 0.015\nkelly_fraction = 0\n[console]\ntheme = "x"\n[limits]\nany = 1.10\n',
        "f",
    )
    assert settings.strategy.min_edge == Decimal("0.015")
    assert settings.strategy.kelly_fraction == 0
    assert settings.console.theme == "x"
    assert settings.limits == {"any": Decimal("1.10")}
    assert settings.engine == Settings().engine


def test_what_is_followed_and_denied_on_either_venue() -> None:
    slug = "highest-temperature-in-miami-on-november-23-2026"
    followed = f"['tag:weather', 'series:10192', '{slug}']"
    settings = parse(f"[markets]\npolymarket = {followed}\ndeny = ['KXHIGHNY', '{slug}-82-83f']\n", "c.toml")
    assert settings.markets.polymarket == ("tag:weather", "series:10192", slug)
    assert settings.markets.deny == ("KXHIGHNY", f"{slug}-82-83f")
    assert settings.markets.series == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[strategy]\n\nmin_egde = 1\n",
            "c.toml:3: unknown key 'min_egde' in [strategy]: did you mean 'min_edge'?",
        ),
        ("[stratgy]\n", "c.toml:1: unknown key 'stratgy': did you mean 'strategy'?"),
        (
            "[zzz]\n",
            "known are engine, markets, strategy, feeds, releases, console, alarms, polymarket, keys, limits",
        ),
        ("[console]\nzzz = 1\n", "c.toml:2: unknown key 'zzz' in [console]: known are theme"),
        ("strategy = 1\n", "c.toml:1: strategy is a table: write [strategy]"),
        ("[console]\nrepaint_hz = '4'\n", "c.toml:2: console.repaint_hz must be a whole number, not '4'"),
        ("[console]\nrepaint_hz = 99\n", "c.toml:2: console.repaint_hz must be between 1 and 10, not 99"),
        ("[console]\nbell = 'loud'\n", "c.toml:2: console.bell is 'loud': use 'act', 'card' or 'off'"),
        ("[console]\nmouse = 1\n", "c.toml:2: console.mouse must be true or false, not 1"),
        ("[strategy]\nmin_edge = nan\n", "c.toml:2: strategy.min_edge must be between 0 and 1, not NaN"),
        ("[strategy]\nmodel = 'x'\n", "c.toml:2: strategy.model is 'x': use one of 'default', 'emos-t'"),
        ("[console]\nmouse = true\nmouse = false\n", "c.toml: Cannot overwrite a value (at line 3"),
        ("[console\n", "(at line 1"),
        (f"[console]\nrepaint_hz = {'1' * 5000}\n", "c.toml: a number in it is too large"),
        (f"[limits]\nday_loss_max = 1e{'9' * 30}\n", "c.toml: a number in it is too large"),
        (f"[feeds]\nstations = {'[' * 5000}", "c.toml: its lists or tables lie too deep"),
        ("[markets]\nseries = 'KXHIGHNY'\n", "c.toml:2: markets.series must be a list of texts in quotes"),
        ("[markets]\nseries = ['kx/../high']\n", "c.toml:2: markets.series must be up to 100 names"),
        ("[markets]\npolymarket = ['Weather']\n", "c.toml:2: markets.polymarket must be up to 100 of 'tag:"),
        ("[markets]\npolymarket = ['series:x']\n", "c.toml:2: markets.polymarket must be up to 100 of"),
        ("[markets]\ndeny = ['a b']\n", "c.toml:2: markets.deny must be names such as"),
        ("[feeds]\nstations = ['katl']\n", "c.toml:2: feeds.stations must be up to 40 codes such as 'KATL'"),
        ('[feeds]\nuser_agent = "a\\u001b[0m"\n', "c.toml:2: feeds.user_agent must be 1 to 200 printable"),
        ("[releases]\nbefore_s = -1\n", "c.toml:2: releases.before_s must be between 0 and 86400, not -1"),
        ("[releases]\naffects = 'KXINX'\n", "c.toml:2: releases.affects must be a list of texts"),
        ("[polymarket]\nassets_per_socket = 2.0\n", "c.toml:2: polymarket.assets_per_socket must be a whole"),
        ("[polymarket]\nchain_id = 80002\n", "c.toml:2: polymarket.chain_id is 80002: orders are only"),
        ("[polymarket]\nsigner = 'me'\n", "c.toml:2: polymarket.signer is 'me': use 'own' or 'sdk'"),
        ("[polymarket]\nheartbeat_path = 'x'\n", "c.toml:2: polymarket.heartbeat_path must be a path such"),
        ("[polymarket]\nassets_per_socket = 0\n", "c.toml:2: polymarket.assets_per_socket must be between 1"),
    ],
)
def test_a_mistake_is_one_sentence_with_place_and_remedy(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(text, "c.toml")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('webhook = "https://h.example/planted"', "alarms.webhook must be 'off', 'file', 'env' or 'keyring'"),
        ("webhook = ['https://h.example/planted']", "alarms.webhook must be a text in quotes"),
        ('webhook_file = "https://h.example/planted"', "alarms.webhook_file must name a file"),
        ("again_min = 0", "alarms.again_min must be between 1 and 1440, not 0"),
        ('alive_at = "24:00"', "alarms.alive_at is '24:00': write a UTC time of day such as '08:00'"),
        ("alive_at = 08:00:00", "alarms.alive_at must be a text in quotes"),
    ],
)
def test_who_is_called_and_when_and_an_address_pasted_there_is_not_shown(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=r"c\.toml:2: ") as caught:
        parse(f"[alarms]\n{text}\n", "c.toml")
    assert sentence in str(caught.value) and "planted" not in str(caught.value)


@pytest.mark.parametrize("quote", ['"', ""])
@pytest.mark.parametrize("key", ["key", "key_file"])
def test_a_private_key_pasted_into_the_file_is_not_shown(key: str, quote: str) -> None:
    """Without quotes TOML takes it for a number."""
    secret = "0x" + "1234567890abcdef" * 4
    with pytest.raises(SettingsError, match=rf"c\.toml:2: polymarket\.{key} must") as caught:
        parse(f"[polymarket]\n{key} = {quote}{secret}{quote}\n", "c.toml")
    assert "1234567890" not in str(caught.value) and str(int(secret, 16))[:10] not in str(caught.value)


def test_bytes_that_are_no_text_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"[console]\ntheme = '\xff'\n")
    with pytest.raises(SettingsError, match="toml:2: not UTF-8"):
        load(path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"#" * 300_000)
    with pytest.raises(SettingsError, match="no configuration"):
        load(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(0)
    with pytest.raises(SettingsError, match="cannot be read"):
        load(path)


def test_a_directory_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path)
