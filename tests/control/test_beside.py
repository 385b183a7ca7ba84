"""The configuration file under a running engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.control.beside import CONFIG_CHECK_S, watch_config
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
