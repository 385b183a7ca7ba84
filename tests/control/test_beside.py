"""What stands beside a running engine: its configuration file, and the memory that its start took."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path

from core.control.beside import CONFIG_CHECK_S, SETTLED_S, settle_memory, watch_config
from tests.execution.bench import running
from tests.virtual import VirtualLoop, run_virtual


def test_a_file_edited_while_the_engine_runs_is_told_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[limits]\nmarket_loss_max = 100\n")

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            before = bench.engine.state.limits

            def told() -> bool:
                standing = bench.engine.state.alarms.values()
                return any(a.active and "configuration file" in a.what for a in standing)

            watching = asyncio.create_task(watch_config(path, bench.engine))
            await asyncio.sleep(CONFIG_CHECK_S + 1)
            assert not told()
            for text in ("[limits]\nmarket_loss_max = 90\n", None):
                path.unlink() if text is None else path.write_text(text)
                await asyncio.sleep(CONFIG_CHECK_S + 1)
                assert told() and bench.engine.state.limits is before
            path.write_text("[limits]\nmarket_loss_max = 100\n")
            await asyncio.sleep(CONFIG_CHECK_S + 1)
            assert not told()
            watching.cancel()

    run_virtual(main)


def test_what_a_start_made_is_looked_through_once_and_never_again() -> None:
    class Ring:
        """Garbage that only a collection finds."""

        def __init__(self) -> None:
            self.itself = self

    async def main(loop: VirtualLoop) -> None:
        kept, gone = [[n] for n in range(1_000)], weakref.ref(Ring())
        before = gc.get_freeze_count()
        settling = asyncio.create_task(settle_memory())
        await asyncio.sleep(SETTLED_S - 1)
        assert gone() is not None and not gc.isenabled()
        await asyncio.sleep(2)
        assert settling.done() and gc.isenabled()
        assert gone() is None and gc.get_freeze_count() >= before + len(kept)

    gc.freeze()  # what the tests made
    gc.disable()
    try:
        run_virtual(main)
    finally:
        gc.unfreeze()
        gc.enable()
