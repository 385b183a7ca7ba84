"""The wheel and the editable install carry every data file, opened as the code opens them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "tui", "themes")

READ_ALL = """
import importlib, json, pathlib, site, sys
from importlib import resources
site.addsitedir(sys.argv[1])
sizes, homes = {}, {}
for name in json.loads(sys.argv[2]):
    package, *rest = name.split("/")
    sizes[name] = len(resources.files(package).joinpath(*rest).read_bytes())
    homes[package] = str(pathlib.Path(importlib.import_module(package).__file__).parent)
print(json.dumps([sizes, homes]))
"""


def data_files() -> list[str]:
    found = [
        path.relative_to(CHECKOUT).as_posix()
        for package in PACKAGES
        for path in (CHECKOUT / package).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]
    return sorted(found)


def build(hook: str, into: Path) -> Path:
    """Build with the back end itself: no package index, no isolated environment."""
    script = f"import sys; from hatchling.build import {hook}; print({hook}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(into)],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return into / done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("hook", ["build_wheel", "build_editable"])
def test_every_data_file_is_installed_and_opens(hook: str, tmp_path: Path) -> None:
    wheel = build(hook, tmp_path)
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    names = data_files()
    kinds = {Path(name).suffix for name in names}
    assert {".sql", ".toml", ".csv", ".tcss"} <= kinds, "a kind of data file has no member"

    # -S and -I: neither this environment's packages nor the checkout itself may help.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", READ_ALL, str(target), json.dumps(names)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    sizes, homes = json.loads(done.stdout)
    assert sizes == {name: (CHECKOUT / name).stat().st_size for name in names}
    installed = target if hook == "build_wheel" else CHECKOUT
    assert homes == {package: str(installed / package) for package in {n.split("/")[0] for n in names}}


def test_the_command_is_declared(tmp_path: Path) -> None:
    wheel = build("build_wheel", tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "pmconsole = tui.cli:main" in archive.read(entry).decode()
        assert not [n for n in archive.namelist() if n.startswith("tests/")]
