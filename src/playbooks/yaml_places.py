"""Where in a YAML text something stands, and keys that stand there twice."""

from __future__ import annotations

import yaml


def refuse_repeated_keys(node: yaml.Node | None) -> None:
    """YAML readers take the last of two equal keys; here that would hide what the first one said.

    Raises
    ------
    ValueError
        A key stands twice in one mapping, or is no name; the line is named.
    """
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(f"line {key.start_mark.line + 1}: expected a name before the colon")
            if key.value in seen:
                raise ValueError(f"line {key.start_mark.line + 1}: {key.value!r} stands here for the second time")
            seen.add(key.value)
            refuse_repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            refuse_repeated_keys(value)


def line_of(node: yaml.Node | None, loc: tuple[int | str, ...]) -> int:
    """Line (from 1) of the deepest node on the way to `loc`."""
    line = 1
    for part in loc:
        step: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, step = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            step = node.value[part]
            line = step.start_mark.line + 1
        if step is None:
            return line
        node = step
    return line
