"""Frames: ten a second in the mean, a hurried one at once."""

from __future__ import annotations

import asyncio

import pytest

from core.control.pace import FramePace
from tests.virtual import VirtualLoop, run_virtual


async def _frames(loop: VirtualLoop, pace: FramePace, sent: list[float]) -> None:
    while True:
        await pace.turn()
        sent.append(loop.time())


def _run(hurries: list[float], seconds: float) -> list[float]:
    """When frames went out, from the first one on, if somebody hurries them then."""

    async def main(loop: VirtualLoop) -> list[float]:
        pace, sent = FramePace(), list[float]()
        frames = asyncio.ensure_future(_frames(loop, pace, sent))
        began = loop.time()
        for at_s in hurries:
            loop.call_at(began + at_s, pace.hurry)
        await asyncio.sleep(seconds)
        frames.cancel()
        return [at - began for at in sent]

    return run_virtual(main)


def test_without_hurry_a_frame_goes_out_ten_times_a_second() -> None:
    assert _run([], 0.95) == pytest.approx([n / 10 for n in range(10)])


def test_a_hurried_frame_goes_out_at_once_in_the_place_of_the_next() -> None:
    assert _run([0.13], 0.55) == pytest.approx([0.0, 0.1, 0.13, 0.3, 0.4, 0.5])


def test_two_hurried_frames_in_a_row_go_out_at_once_and_a_third_waits_as_any_change_does() -> None:
    assert _run([0.13, 0.14], 0.45) == pytest.approx([0.0, 0.1, 0.13, 0.14, 0.4])
    assert _run([0.13, 0.14, 0.15], 0.45) == pytest.approx([0.0, 0.1, 0.13, 0.14, 0.2])


@pytest.mark.parametrize("every_s", [0.001, 0.03, 0.07, 0.0999])
def test_whoever_hurries_all_the_time_gets_no_more_than_ten_a_second(every_s: float) -> None:
    hurries = [every_s * n for n in range(int(3 / every_s))]
    sent = _run(hurries, 2.95)
    assert 30 <= len(sent) <= 32
