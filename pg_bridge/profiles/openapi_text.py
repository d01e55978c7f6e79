"""An OpenAPI text as a document, with the line of every entry."""

from __future__ import annotations

from typing import Any

import yaml

from pg_bridge.profiles.openapi import YamlLines, YamlLoader

#: YAML's key that lays another mapping under this one
_MERGE = "<<"
#: entries of a document, each counted wherever an alias repeats it: aliases of aliases would be without end
MOST_ENTRIES = 200_000


def _lines(root: Any) -> YamlLines:
    """The lines of every entry. Raises ValueError where aliases make too many."""
    found = YamlLines()
    count = 0

    def walk(node: Any, path: str) -> None:
        nonlocal count
        count += 1
        if count > MOST_ENTRIES:
            raise ValueError(f"it has more than {MOST_ENTRIES} entries, aliases counted")
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == _MERGE:
                    walk(value, path)
                    continue
                below = f"{path}.{key.value}".lstrip(".")
                found.lines.setdefault(below, key.start_mark.line + 1)
                walk(value, below)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                found.lines.setdefault(f"{path}[{number}]", value.start_mark.line + 1)
                walk(value, f"{path}[{number}]")

    walk(root, "")
    return found


def read_openapi_text(text: str) -> tuple[dict[str, Any], YamlLines]:
    """The document and its lines. Raises ValueError that says why it is none, with `line N` where one is known."""
    try:
        document = yaml.load(text, Loader=YamlLoader)  # noqa: S506 - a safe loader
        lines = _lines(yaml.compose(text, Loader=YamlLoader))
    except (yaml.YAMLError, RecursionError, TypeError, AttributeError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    if not isinstance(document, dict):
        raise ValueError("it is no document of named entries")  # noqa: TRY004 - what is wrong is the text
    return document, lines
