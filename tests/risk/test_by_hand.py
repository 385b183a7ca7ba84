"""What a person asks for passes every check but those of belief, which warn of it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.units import Price
from core.risk.gate import CHECKS, gate
from core.risk.limits import DEFAULTS
from core.strategy.proposal import MANUAL
from tests.risk.desk import CLOSE, OPEN, PASSING

BELIEFS = {"G09", "G12", "G13", "G37"}
ASKED = msgspec.structs.replace(OPEN, strategy=MANUAL, model_version="")


def test_only_what_judges_by_a_model_is_a_belief() -> None:
    assert {check.code for check in CHECKS if check.belief} == BELIEFS


def test_without_a_model_it_passes_in_silence_and_the_strategys_own_does_not() -> None:
    without = msgspec.structs.replace(PASSING, fair=None, feeds=None)
    assert gate(ASKED, without, DEFAULTS).passed and not gate(ASKED, without, DEFAULTS).warnings
    assert {denial.code for denial in gate(OPEN, without, DEFAULTS).denials} == {"G09", "G12", "G13"}


def test_a_model_that_disagrees_warns_and_a_newer_version_of_it_does_not() -> None:
    fair = msgspec.structs.replace(PASSING.fair, version="v4")
    newer = msgspec.structs.replace(PASSING, fair=fair)
    assert gate(ASKED, newer, DEFAULTS).warnings == ()
    verdict = gate(msgspec.structs.replace(ASKED, edge=Price(-300)), newer, DEFAULTS)
    assert verdict.passed and [warning.code for warning in verdict.warnings] == ["G09"]


@pytest.mark.parametrize("name", sorted({n for check in CHECKS for n in check.needs} - {"fair", "feeds"}))
def test_nothing_else_may_be_unknown(name: str) -> None:
    unknown = msgspec.structs.replace(PASSING, **{name: None})
    asked, own = gate(ASKED, unknown, DEFAULTS), gate(OPEN, unknown, DEFAULTS)
    assert not asked.passed
    assert {d.code for d in asked.denials} == {d.code for d in own.denials} - BELIEFS


@given(
    price=st.integers(1, 9_999),
    contracts=st.integers(1, 10_000),
    edge=st.integers(-3_000, 3_000),
    closes=st.booleans(),
)
def test_it_is_denied_by_whatever_else_denies_the_strategy(
    price: int, contracts: int, edge: int, closes: bool
) -> None:
    order = msgspec.structs.replace(
        CLOSE if closes else OPEN, price=Price(price), quantity=contracts * 1_000_000, edge=Price(edge)
    )
    own = gate(order, PASSING, DEFAULTS)
    asked = gate(msgspec.structs.replace(order, strategy=MANUAL, model_version=""), PASSING, DEFAULTS)
    assert [d for d in own.denials if d.code not in BELIEFS] == list(asked.denials)
    assert {d.code for d in asked.warnings} == {d.code for d in own.denials} & BELIEFS
