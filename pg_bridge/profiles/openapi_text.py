"""An OpenAPI text as a document, with the line of every entry."""

from __future__ import annotations

from typing import Any

import yaml

from pg_bridge.profiles.openapi import YamlLoader

#: YAML's key that lays another mapping under this one
_MERGE = "<<"
#: entries of a document, each counted wherever an alias repeats it: aliases of aliases would be without end
MOST_ENTRIES = 200_000


class OpenapiLines:
    """In which line of the text an entry stands: `components.schemas.Quantity.maximum`, `servers[0].url`."""

    def __init__(self, root: Any) -> None:
        self._lines: dict[str, int] = {}
        self._count = 0
        self._walk(root, "")

    def _walk(self, node: Any, path: str) -> None:
        self._count += 1
        if self._count > MOST_ENTRIES:
            raise ValueError(f"it has more than {MOST_ENTRIES} entries, aliases counted")
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == _MERGE:
                    self._walk(value, path)
                    continue
                below = f"{path}.{key.value}".lstrip(".")
                self._lines.setdefault(below, key.start_mark.line + 1)
                self._walk(value, below)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                self._lines.setdefault(f"{path}[{number}]", value.start_mark.line + 1)
                self._walk(value, f"{path}[{number}]")

    def of(self, path: str) -> int:
        """The line of an entry, or of the nearest one that holds it; 0 where none is known."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path.rpartition("[")[0] if path.endswith("]") else path.rpartition(".")[0]
        return 0


def read_openapi_text(text: str) -> tuple[dict[str, Any], OpenapiLines]:
    """The document and its lines. Raises ValueError that says why it is none, with `line N` where one is known."""
    try:
        document = yaml.load(text, Loader=YamlLoader)  # noqa: S506 - a safe loader
        lines = OpenapiLines(yaml.compose(text, Loader=YamlLoader))
    except (yaml.YAMLError, RecursionError, TypeError, AttributeError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    if not isinstance(document, dict):
        raise ValueError("it is no document of named entries")  # noqa: TRY004 - what is wrong is the text
    return document, lines
