"""Reads the data files that stand beside this module."""

from __future__ import annotations

from importlib import resources

import yaml


def read_data(name: str) -> object:
    """Parse `name`, a YAML file of this package; the C parser is used where PyYAML was built with it."""
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    if yaml.__with_libyaml__:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    return yaml.safe_load(text)
