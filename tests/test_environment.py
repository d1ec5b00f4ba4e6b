"""One set of dependencies, told in three places: pyproject.toml, environment.yml, requirements.txt."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA: dict[str, Any] = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PINNED = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def of_pip() -> list[str]:
    [listed] = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    return list(listed)


def pins() -> dict[str, list[Requirement]]:
    """Name → its pins; several where the version depends on the machine."""
    found: dict[str, list[Requirement]] = {}
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", PINNED):
        if line := block.partition("\\")[0].strip():
            pin = Requirement(line)
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def test_conda_users_get_the_same_packages_as_everybody() -> None:
    *packages, last = of_pip()
    assert [str(Requirement(entry)) for entry in packages] == [
        str(Requirement(entry)) for entry in PROJECT["project"]["dependencies"]
    ]
    assert last == "--editable ."


def test_conda_users_get_the_same_python() -> None:
    wanted = [entry for entry in CONDA["dependencies"] if str(entry).startswith("python")]
    assert wanted == [f"python{PROJECT['project']['requires-python']}"]
    assert CONDA["name"] == PROJECT["project"]["name"]


def test_every_package_is_pinned_to_one_version_with_a_hash() -> None:
    blocks = [block for block in re.split(r"(?m)^(?=[A-Za-z0-9])", PINNED) if block.strip()]
    assert len(blocks) > 100
    for block in blocks:
        first, *hashes = [line.strip().removesuffix("\\").strip() for line in block.strip().splitlines()]
        assert re.fullmatch(r"[a-z0-9._-]+(\[[a-z,-]+\])?==[^ ]+( ;.+)?", first), first
        assert hashes, f"{first} has no hash"
        assert [line for line in hashes if not re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line)] == []


def test_no_file_names_a_package_index() -> None:
    for name in ("requirements.txt", "environment.yml", "pyproject.toml", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host", text) == [], name


def test_the_pins_are_what_pyproject_allows() -> None:
    known = pins()
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    environment = {str(key): str(value) for key, value in default_environment().items()}
    for entry in map(Requirement, wanted):
        here = [p for p in known[canonicalize_name(entry.name)] if not p.marker or p.marker.evaluate(environment)]
        assert here, f"{entry.name} is not pinned"
        for pin in here:
            [version] = [part.version for part in pin.specifier]
            assert entry.specifier.contains(version), f"{pin} is not {entry}"
