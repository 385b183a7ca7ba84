"""Stages of a trade merge so that their order and their number do not matter where it counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.domain.trade import FINAL, MERGE, TradeStage, merged, trade_of

stages = st.lists(st.sampled_from(TradeStage), min_size=1, max_size=12)


def folded(heard: list[TradeStage]) -> TradeStage:
    known = TradeStage.MATCHED
    for stage in heard:
        known = merged(known, stage)
    return known


@given(stages)
def test_the_first_end_heard_stands(heard: list[TradeStage]) -> None:
    ends = [stage for stage in heard if stage in FINAL]
    assert (folded(heard) is ends[0]) if ends else (folded(heard) not in FINAL)


@given(stages)
def test_hearing_a_stage_again_changes_nothing(heard: list[TradeStage]) -> None:
    twice = [stage for stage in heard for _ in range(2)]
    assert folded(twice) is folded(heard)


@given(stages)
def test_nothing_moves_back_to_the_match(heard: list[TradeStage]) -> None:
    assert (folded(heard) is TradeStage.MATCHED) == (set(heard) == {TradeStage.MATCHED})


def test_only_a_retry_may_follow_the_block() -> None:
    after_block = {heard for known, heard in MERGE if known is TradeStage.MINED}
    assert after_block == {TradeStage.RETRYING, *FINAL}


def test_a_fill_names_its_trade() -> None:
    assert trade_of("7f1c-22") == "7f1c-22"
    assert trade_of("7f1c-22:0x26ad") == "7f1c-22"
