"""Records of a report that a participant downloads: its bytes, once, and what was read. They change no state."""

from __future__ import annotations

from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record


class ReportPiece(Record, frozen=True, kw_only=True):
    """One piece of a report, as the lines of data that end its part's message; of the exchange that read it first."""

    kind = Kind.REPORT_PIECE
    number: int
    lines: str

    def references(self) -> dict[str, str]:
        """Which piece: known without reading it."""
        return {"piece": str(self.number)}


class ReportRead(Record, frozen=True, kw_only=True):
    """A report was read whole. size: bytes; hash: SHA-256 (hex) of them; day: YYYY-MM-DD.

    copy: the exchange whose pieces hold it; form: how they are cut, so that another download may use them again.
    """

    kind = Kind.REPORT_READ
    name: str
    day: str
    size: int
    hash: str
    copy: str
    form: str
    parts: int

    def references(self) -> dict[str, str]:
        """The report and its hash."""
        return {"report": self.name, "hash": self.hash, "copy": self.copy}
