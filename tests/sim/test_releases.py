"""Releases by seed: on New York's clock, a little late, each repeating what the one before it said."""

from datetime import UTC, date, datetime

from core.sim.new_york import DAY_MS, local_ms
from core.sim.releases import FOMC_DAYS, KINDS, LATE_S_MAX, Releases, Staged

NOW_MS = 1_795_964_700_000


def test_a_year_has_its_releases_at_their_hours() -> None:
    found = Releases(1).between(NOW_MS, NOW_MS + 365 * DAY_MS)
    counted = {kind.name: [x for x in found if x.kind is kind] for kind in KINDS}
    assert [len(counted[name]) for name in ("CPI", "JOBS", "GDP", "FOMC")] == [12, 12, 12, 8]
    for release in found:
        local = datetime.fromtimestamp(local_ms(release.due_ms) / 1000, UTC)
        assert (local.hour, local.minute) == ((14, 0) if release.kind.name == "FOMC" else (8, 30))
        assert local.weekday() < 5
        assert 0 <= release.printed_ms - release.due_ms <= LATE_S_MAX * 1000
    assert date(2026, 12, 9) in FOMC_DAYS
    assert counted["JOBS"][0].due_ms == int(datetime(2026, 12, 4, 13, 30, tzinfo=UTC).timestamp()) * 1000


def test_a_release_repeats_the_one_before_it_wherever_the_question_begins() -> None:
    releases = Releases(4)
    year = releases.between(NOW_MS, NOW_MS + 365 * DAY_MS, "CPI")
    assert [x.previous for x in year[1:]] == [x.value for x in year[:-1]]
    assert releases.between(year[5].due_ms, year[5].due_ms) == (year[5],)
    assert len({x.value for x in year}) > 2


def test_a_scenario_stages_one_more() -> None:
    staged = Staged("CPI", NOW_MS + 60_000)
    found = Releases(1, [staged]).between(NOW_MS, NOW_MS + DAY_MS)
    assert [(x.kind.name, x.due_ms) for x in found] == [("CPI", NOW_MS + 60_000)]
