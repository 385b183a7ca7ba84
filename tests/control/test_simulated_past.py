"""The record that comes with the demo: of its own world, scored by the same code, and read nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import paths
from core.control.simulated_past import simulated_past
from core.models.calibration import Verdict
from core.models.pooling import Lead, Weights, usual
from core.models.record import Record

USUAL = Weights(0.35, 1.0)
CITIES = ("KXHIGHNY", "KXHIGHCHI", "KXHIGHMIA", "KXHIGHAUS", "KXHIGHDEN")


FAMILIES = {
    ("KXINX", "range-price"): Verdict.PROVEN,
    ("KXEURUSD", "range-price"): Verdict.PROVEN,
    ("KXBTC15M", "range-average"): Verdict.INSUFFICIENT,
    ("KXNBAGAME", "odds-consensus"): Verdict.WORTHLESS,
    ("KXCPI", "release-mixture"): Verdict.WORTHLESS,
}
"""The crowd has hunches where a price will go; of games, quarters and figures it knows what is known."""


def record(name: str, home: Path, *, simulated: bool) -> Record:
    found = Record(simulated=simulated)
    for look, came in simulated_past(paths.Profile(name, home / name)):
        found.add((look,), came)
    return found


def test_in_the_demo_the_fitted_model_is_proven_and_says_that_this_is_simulated(tmp_path: Path) -> None:
    found = record("demo", tmp_path, simulated=True)
    for series in CITIES:
        standing = found.judge(series, "default", USUAL)
        assert standing.verdict is Verdict.PROVEN and standing.weight > 0.8, series
        assert standing.sentence.startswith("SIM: the model adds +")
    # One that knows no more than the crowd adds nothing that could be told from chance.
    verdicts = {found.judge(series, "rolling", USUAL).verdict for series in CITIES}
    assert verdicts <= {Verdict.INSUFFICIENT, Verdict.WORTHLESS}


@pytest.mark.parametrize("known", FAMILIES, ids=lambda known: known[0])
def test_in_the_demo_every_other_family_is_judged_on_its_own_simulated_past(
    tmp_path: Path, known: tuple[str, str]
) -> None:
    alone = usual(1, Lead.OTHER)
    standing = record("demo", tmp_path, simulated=True).judge(*known, alone)
    assert standing.verdict is FAMILIES[known]
    assert standing.sentence.startswith("SIM: ") and " days" in standing.sentence
    assert (standing.weight > 0.3) is (standing.verdict is Verdict.PROVEN)
    # Anywhere else the same model begins without a record, and says so.
    real = record("live", tmp_path, simulated=False).judge(*known, alone)
    assert real.weight == 0.0 and real.doubt == "evidence insufficient: no settled days scored"


@pytest.mark.parametrize("name", ["kalshi-demo", "live"])
def test_no_other_profile_reads_it(tmp_path: Path, name: str) -> None:
    assert not list(simulated_past(paths.Profile(name, tmp_path / name)))


def test_a_record_of_a_world_that_is_not_simulated_does_not_take_it(tmp_path: Path) -> None:
    assert not record("demo", tmp_path, simulated=False).tracks()
