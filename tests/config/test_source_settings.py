"""The tables ``[feeds.NAME]`` beside the feeds' own keys."""

import pytest

from core.config.settings import SettingsError, parse


def test_a_source_has_a_table_of_its_own_beside_the_feeds_keys() -> None:
    read = parse(
        '[feeds]\nstations = ["KATL"]\n[feeds.yahoo]\non = true\nfollows = ["EUR/USD"]\n', "config.toml"
    )
    assert read.feeds.stations == ("KATL",)
    assert read.feeds.sources["yahoo"].on is True
    assert read.feeds.sources["yahoo"].follows == ("EUR/USD",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[feeds.yahoo]\nonn = true\n",
            "config.toml:2: unknown key 'onn' in [feeds.yahoo]: did you mean 'on'?",
        ),
        ("[feeds.yahoo]\nevery_s = -5\n", "config.toml:2: feeds.yahoo.every_s must be between 1 and 604800"),
        ('[feeds.yahoo]\nurls = ["ftp://x"]\n', "config.toml:2: feeds.yahoo.urls must be up to 8 addresses"),
        ('[feeds.yahoo]\nurls = ["https://x:99999/"]\n', "feeds.yahoo.urls must be up to 8 addresses"),
        ('[feeds.yahoo]\nurls = ["https://[x/"]\n', "feeds.yahoo.urls must be up to 8 addresses"),
        ('[feeds.yahoo]\nurls = ["https://[:::]/"]\n', "feeds.yahoo.urls must be up to 8 addresses"),
        ('[feeds.yahoo]\nurls = ["https://.."]\n', "feeds.yahoo.urls must be up to 8 addresses"),
        ("[feeds.sources]\non = true\n", "unknown key 'sources' in [feeds]"),
    ],
)
def test_a_wrong_key_of_a_source_names_its_place(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(text, "config.toml")
    assert said in str(refused.value)


def test_an_address_may_have_a_port_a_path_a_question_and_be_a_number() -> None:
    urls = ["https://x.example:8443/v2/k3y?a=b", "wss://[::1]:9/", "http://127.0.0.1", "https://n?apikey=k"]
    read = parse(f"[feeds.chainlink]\nurls = {urls}\n", "config.toml")
    assert read.feeds.sources["chainlink"].urls == tuple(urls)


@pytest.mark.parametrize(
    "line",
    [
        'key = "PLANTED4711"',
        "key = 4711",
        'urls = "https://node.example/v3/PLANTED4711"',
        'urls = ["https://no de.example/v3/PLANTED4711"]',
        'key_file = "4711a0b1c2d3e4f5a6b7c8d9"',
    ],
)
def test_a_key_pasted_in_the_place_of_where_it_is_is_not_quoted(line: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(f"[feeds.twelve-data]\n{line}\n", "config.toml")
    assert "4711" not in str(refused.value)
    assert "config.toml:2: feeds.twelve-data." in str(refused.value)
