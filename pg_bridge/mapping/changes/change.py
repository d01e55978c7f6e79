"""One change between two mapping sets, in words, and how to collect the changes of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from pg_bridge.mapping.condition_words import clause


class Effect(StrEnum):
    """What a change touches; the weightiest first."""

    OCP_GETS = "what OCP gets"
    WE_TAKE = "messages we take"
    WE_WRITE = "messages we write"
    WE_CONNECT = "how we connect"
    NONE = "no effect"


#: from the weightiest to none
EFFECTS = tuple(Effect)


class Kind(StrEnum):
    """What happened to an entry."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    UNREADABLE = "unreadable"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs. line: in the new file, in the old one if `kind` is removed; 0 where none is known.

    about: what it is of (`template T01 field FIAC/36B:SETT`); text: the sentence that tells it; also: what else it
    touches.
    """

    effect: Effect
    kind: Kind
    file: str
    line: int
    about: str
    text: str
    also: tuple[Effect, ...] = ()


class Located(Protocol):
    """Knows the line of an entry by its path in the document."""

    def of(self, path: str) -> int:
        """The line, 0 where none is known."""
        ...


@dataclass(slots=True)
class Comparison:
    """One file of both sets. old, new: its documents; changes: what was found so far; also: what else it touches."""

    file: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    old_lines: Located
    new_lines: Located
    changes: list[Change]
    old_file: str = ""
    also: tuple[Effect, ...] = ()

    def added(self, effect: Effect, at: str, about: str, text: str) -> None:
        """An entry of the new file that the old one has not."""
        self._add(effect, Kind.ADDED, self.new_lines.of(at), about, text)

    def removed(self, effect: Effect, at: str, about: str, text: str) -> None:
        """An entry of the old file that the new one has not."""
        self._add(effect, Kind.REMOVED, self.old_lines.of(at), about, text)

    def changed(self, effect: Effect, at: str, about: str, text: str) -> None:
        """An entry that both have, unlike."""
        self._add(effect, Kind.CHANGED, self.new_lines.of(at), about, text)

    def moved(self, effect: Effect, at: str, about: str, text: str) -> None:
        """An entry that both have, alike, at another place where the order decides."""
        self._add(effect, Kind.MOVED, self.new_lines.of(at), about, text)

    def _add(self, effect: Effect, kind: Kind, line: int, about: str, text: str) -> None:
        file = self.old_file if kind is Kind.REMOVED and self.old_file else self.file
        also = self.also if effect is not Effect.NONE else ()
        self.changes.append(Change(effect=effect, kind=kind, file=file, line=line, about=about, text=text, also=also))


# --- words -----------------------------------------------------------------------------------------------------

#: how many names a sentence lists before it says how many more there are
MOST_NAMES = 12
#: the name of an entry in these files = the words for it
_WORDS = {
    "from": "source",
    "use": "function",
    "options": "options",
    "codes": "code table",
    "when": "condition",
    "values": "codes allowed",
    "types": "message types",
    "message_types": "message types",
    "message_type": "message type",
    "scheme": "data source scheme",
    "reason": "reason code",
    "to": "target",
    "each": "array",
    "enum": "codes allowed",
    "maxLength": "greatest length",
    "minLength": "least length",
    "maximum": "greatest value",
    "minimum": "least value",
    "maxItems": "greatest number of entries",
    "minItems": "least number of entries",
    "$ref": "kind",
    "most": "most entries of one call",
}


def is_empty(value: Any) -> bool:
    """Nothing is said: such an entry is the same as none."""
    return value is None or value is False or value in ("", [], {})


def same(old: Any, new: Any) -> bool:
    """Both say the same; the kinds count too (1 is not true)."""
    if is_empty(old) and is_empty(new):
        return True
    return type(old) is type(new) and bool(old == new)


def shown(value: Any) -> str:
    """A value for a reader."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(below)}" for name, below in value.items()) or "nothing"
    if isinstance(value, list):
        return listed([shown(below) for below in value])
    text = str(value)
    return f'"{text}"' if not text or text != text.strip() else text


def listed(names: Iterable[str]) -> str:
    """Names with commas; a long list ends in how many more there are."""
    every = list(names)
    more = f" and {len(every) - MOST_NAMES} more" if len(every) > MOST_NAMES else ""
    return (", ".join(every[:MOST_NAMES]) or "nothing") + more


def worded(name: str) -> str:
    """The words for an entry's name."""
    return _WORDS.get(name, name)


def condition(when: Any) -> str:
    """A condition as a clause, sources as the file names them: `ocp.status is MATCHED and ocp.holdOwn is true`."""
    if not isinstance(when, Mapping):
        return shown(when)
    return " and ".join(clause(source, wanted, str) for source, wanted in when.items())


def became(name: str, old: Any, new: Any) -> str:
    """The clause that tells one entry's change: `its format was 15d and is 20d`."""
    label = worded(name)
    show = condition if name == "when" else shown
    if is_names(old) and is_names(new) and name not in ("from", "to"):
        gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
        if not gone and not come:
            return f"the order of its {label} was {shown(old)} and is {shown(new)}"
        parts = [f"{listed(map(shown, come))} added to its {label}"] if come else []
        parts += [f"{listed(map(shown, gone))} removed from its {label}"] if gone else []
        return " and ".join(parts)
    if is_empty(old) and not isinstance(new, bool):
        return f"it has the {label} {show(new)}, it had none"
    if is_empty(new) and not isinstance(old, bool):
        return f"it has no {label} any more, it was {show(old)}"
    old, new = (False if is_empty(old) else old, False if is_empty(new) else new)
    return f"its {label} was {show(old)} and is {show(new)}"


def is_names(value: Any) -> bool:
    """A list that holds at least one value, none of them an entry of its own."""
    return isinstance(value, list) and bool(value) and not any(isinstance(each, dict | list) for each in value)
