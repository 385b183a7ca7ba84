"""The climate report parser against real products and against anything at all."""

from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.cli_text import parse_cli

EXPECTED = {
    "CLINYC.txt": ("CENTRAL PARK NY", "2013-01-02", True, False, 33, 22),
    "CLIACT.txt": ("WACO", "2014-12-15", False, False, 69, 52),
    "CLICVG_colon.txt": ("CINCINNATI OH", "2021-02-04", True, False, 39, 22),
    "CLIDCA.txt": ("WASHINGTON NATIONAL DC", "2026-06-28", True, False, 76, 72),
    "CLIDSM2.txt": ("DES MOINES IA", "2014-10-12", False, False, 56, 43),
    "CLIEWN.txt": ("NEW BERN NC", "2014-09-28", True, True, 83, 62),
    "CLIFMY.txt": ("FORT MYERS", "2014-12-29", False, False, None, 63),
    "CLIICT.txt": ("WICHITA MID CONTINENT", "2014-12-29", False, False, None, 22),
    "CLISEW.txt": ("SEATTLE WA WFO", "2014-12-29", True, False, 44, 34),
}

OWN = """000
CDUS41 KOKX 220618 CCA
CLINYC
\x01\r
...THE CENTRAL PARK NY CLIMATE SUMMARY FOR NOVEMBER 21 2026...
{valid}
TEMPERATURE (F)
 {heading}
  MAXIMUM         {high}    141 PM  73    1900  52
  MINIMUM         -3    639 AM  17    1879  40
PRECIPITATION (IN)
  MAXIMUM  99
"""


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_real_products(shared: Path, name: str) -> None:
    text = (shared / "data/feeds/nws_text/CLI" / name).read_bytes().decode("latin-1")
    found = parse_cli(text)
    s = found[0]
    assert (s.place, s.day, s.final, s.corrected, s.max_f, s.min_f) == EXPECTED[name]


def test_every_real_product_reads_and_several_places_stay_apart(shared: Path) -> None:
    folder = shared / "data/feeds/nws_text/CLI"
    for path in folder.glob("*.txt"):
        assert parse_cli(path.read_bytes().decode("latin-1")), path.name
    houston = parse_cli((folder / "CLIHOU.txt").read_bytes().decode("latin-1"))
    assert [(s.place, s.max_f) for s in houston] == [
        ("HOUSTON INTERCONTINENTAL", 80),
        ("HOUSTON/HOBBY AIRPORT", 79),
    ]


@pytest.mark.parametrize(
    ("valid", "heading", "high", "final", "max_f"),
    [
        ("", "YESTERDAY", "54", True, 54),
        ("", "YESTERDAY", "54R", True, 54),
        ("", "YESTERDAY", "MM", True, None),
        ("", "TODAY", "54", False, 54),
        ("VALID TODAY AS OF 0500 PM LOCAL TIME.", "YESTERDAY", "54", False, 54),
    ],
)
def test_preliminary_is_never_final(
    valid: str, heading: str, high: str, final: bool, max_f: int | None
) -> None:
    (s,) = parse_cli(OWN.format(valid=valid, heading=heading, high=high))
    assert (s.day, s.final, s.max_f, s.min_f, s.corrected) == ("2026-11-21", final, max_f, -3, True)


@given(st.text(max_size=400), st.integers(0, 200))
def test_any_text_is_read_without_raising(noise: str, cut: int) -> None:
    text = OWN.format(valid="", heading="YESTERDAY", high="54")
    parse_cli(noise)
    parse_cli(text[:cut] + noise + text[cut:])


@pytest.mark.parametrize("blank", [" ", "\n", "\t", " \n"])
@pytest.mark.parametrize(
    "before", ["", "THE", "...THE WACO CLIMATE SUMMARY FOR NOVEMBER 21 2026...\nTEMPERATURE (F)\nMAXIMUM"]
)
def test_a_product_of_blanks_is_refused_at_once(before: str, blank: str) -> None:
    began = process_time()
    parse_cli(before + blank * 30_000)
    assert process_time() - began < 1.0  # minutes, where a gap may be of any length
