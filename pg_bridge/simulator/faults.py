"""Faults on demand: what the pretend OCP does wrong, by operation and count."""

from __future__ import annotations

from dataclasses import dataclass, field

#: before the work: nothing is done. after: it is done, and the answer does not tell.
CALL_FAULTS = (
    "unauthorised", "throttled", "error", "error_after", "maintenance", "gateway_timeout_after", "cut_before",
    "cut_after", "broken_json", "wrong_schema", "silence_before", "silence_after", "refuse_whole",
)  # fmt: skip
PUSH_FAULTS = ("repeat", "bad_signature", "old_timestamp", "gap", "reorder", "silence")


@dataclass(slots=True)
class Faults:
    """Faults still to be made, first come first made. operation: a concept name, or `push`."""

    waiting: dict[str, list[str]] = field(default_factory=dict)

    def add(self, operation: str, kind: str, count: int = 1) -> None:
        """Make `kind` the next `count` times. Raises ValueError for a kind that does not exist."""
        if kind not in (PUSH_FAULTS if operation == "push" else CALL_FAULTS):
            raise ValueError(f"there is no fault {kind} of {operation}")
        self.waiting.setdefault(operation, []).extend([kind] * count)

    def take(self, operation: str) -> str:
        """The fault of this time, empty for none."""
        kinds = self.waiting.get(operation)
        return kinds.pop(0) if kinds else ""

    def clear(self) -> None:
        """Make no more."""
        self.waiting.clear()
