"""The files in the package are what the recorded data beside the checkout gives."""

import importlib.util
from importlib.resources import files
from pathlib import Path

import pytest

_PATH = Path(__file__).with_name("build_scenarios.py")
_SPEC = importlib.util.spec_from_file_location("build_scenarios", _PATH)
assert _SPEC is not None and _SPEC.loader is not None
tool = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tool)


@pytest.mark.parametrize("name", sorted(tool.FILES))
def test_shipped_file_is_the_derived_one(name: str, shared: Path) -> None:
    package, _, file = name.rpartition("/")
    if package.endswith("/data"):
        resource = files("core.models.weather").joinpath("data", file)
    else:
        resource = files(package.replace("/", ".")).joinpath(file)
    assert resource.read_text(encoding="utf-8") == tool.FILES[name](shared / "data" / "feeds")
