"""A station's history on the disk: only added to, broken nowhere but at its end, refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.market import Extreme
from core.training.archive import HEADER, Archive, ArchiveError, Key, digest_of

HIGH = Key("2026-11-20", Extreme.HIGH, 1, "gfs_seamless")
LOW = Key("2026-11-20", Extreme.LOW, 1, "gfs_seamless")
OUTCOME = Key("2026-11-20", Extreme.HIGH, None, "kalshi")


def test_what_was_added_is_there_after_a_restart_and_is_not_added_again(tmp_path: Path) -> None:
    path = tmp_path / "KNYC.csv"
    Archive(path, "KNYC").add({HIGH: 54.3, LOW: None, OUTCOME: 55.0})
    before = path.read_bytes()
    assert before.decode().splitlines() == [
        HEADER,
        "KNYC,2026-11-20,high,1,gfs_seamless,54.3",
        "KNYC,2026-11-20,low,1,gfs_seamless,",
        "KNYC,2026-11-20,high,,kalshi,55",
    ]
    again = Archive(path, "KNYC")
    again.add({HIGH: 54.3, LOW: None, OUTCOME: 55.0})
    assert path.read_bytes() == before and again.figures[LOW] is None
    again.add({LOW: 41.5})
    assert Archive(path, "KNYC").figures[LOW] == 41.5, "a value takes the place of none"
    with pytest.raises(ValueError, match=r"54\.3 is written down"):
        again.add({HIGH: 54.4})


def test_a_line_broken_off_at_any_byte_is_no_row_and_the_next_writer_cuts_it_off(tmp_path: Path) -> None:
    whole = tmp_path / "whole.csv"
    Archive(whole, "KNYC").add({HIGH: 54.3})
    first = whole.read_bytes()
    Archive(whole, "KNYC").add({LOW: 41.5})
    second = whole.read_bytes()
    for cut in range(0, len(second), 3):
        path = tmp_path / "KNYC.csv"
        path.write_bytes(second[:cut])
        found = Archive(path, "KNYC")
        expected = {HIGH: 54.3} if cut >= len(first) else {}
        assert found.figures == expected, cut
        found.add({HIGH: 54.3, LOW: 41.5})
        assert path.read_bytes() == second, cut


def test_a_broken_line_longer_than_the_next_one_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "KNYC.csv"
    Archive(path, "KNYC").add({HIGH: 54.3})
    whole = path.read_bytes()
    path.write_bytes(whole + b"KNYC,2026-11-20,high,1," + b"a" * 200)
    Archive(path, "KNYC").add({LOW: 41.5})
    assert path.read_bytes() == whole + b"KNYC,2026-11-20,low,1,gfs_seamless,41.5\n"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("KMDW,2026-11-21,high,1,gfs_seamless,50", "station 'KMDW' in the history of KNYC"),
        ("KNYC,2026-11-20,high,1,gfs_seamless,54", "gfs_seamless tells 2026-11-20 high twice"),
        ("KNYC,2026-11-31,high,1,gfs_seamless,54", "cannot be read"),
        ("KNYC,2026-11-21,high,1,gfs_seamless,nan", "is not what stations see"),
        ("KNYC,2026-11-21,high,1,gfs_seamless,312", "is not what stations see"),
        ("KNYC,2026-11-21,high,,gfs_seamless,54", "does not go with lead"),
        ("KNYC,2026-11-21,high,1,kalshi,54", "does not go with lead"),
        ("KNYC,2026-11-21,high,99,gfs_seamless,54", "lead 99"),
        ("KNYC,2026-11-21", "2 fields, 6 needed"),
    ],
)
def test_a_bad_line_is_refused_with_its_place_and_the_remedy(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "KNYC.csv"
    Archive(path, "KNYC").add({HIGH: 54.3})
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ArchiveError) as refused:
        Archive(path, "KNYC")
    assert str(refused.value).startswith(f"{path}:3: ") and fault in str(refused.value)
    assert "pmconsole models update builds it anew" in str(refused.value)


def test_a_file_that_is_no_history_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "KNYC.csv"
    for content in (b"\xff\xfe\n", b"day,f\n2026-11-20,54\n"):
        path.write_bytes(content)
        with pytest.raises(ArchiveError, match=r"KNYC\.csv"):
            Archive(path, "KNYC")


def test_one_hash_tells_several_histories_whatever_their_order(tmp_path: Path) -> None:
    for icao, f in (("KNYC", 54.3), ("KMDW", 50.1)):
        Archive(tmp_path / f"{icao}.csv", icao).add({HIGH: f})
    both = [Archive(tmp_path / f"{icao}.csv", icao) for icao in ("KNYC", "KMDW")]
    assert digest_of(both) == digest_of(reversed(both)) != digest_of(both[:1])
