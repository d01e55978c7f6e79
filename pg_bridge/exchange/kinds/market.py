"""Records of what OCP tells of the market, trades and reference data, and of the reports that are made of it."""

from __future__ import annotations

import msgspec

from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record


def trades_reference(market: str, trade_date: str) -> str:
    """What every page of trades of a market and day is found by."""
    return f"trades/{market}/{trade_date}"


def reference_data_reference(topic: str) -> str:
    """What every taking of a kind of reference data is found by."""
    return f"reference-data/{topic}"


class TradesTaken(Record, frozen=True, kw_only=True):
    """Entries about trades of one market (its meaning) and trade date, in sequence, without a gap before or in them.

    first, last: their sequences. trades: OCP's documents as they came, of the profile of `ocp_hash`.
    """

    kind = Kind.TRADES_TAKEN
    market: str
    trade_date: str
    first: int
    last: int
    ocp_hash: str
    trades: msgspec.Raw

    def references(self) -> dict[str, str]:
        """The market and day."""
        return {"trades": trades_reference(self.market, self.trade_date)}


class TradeGapFound(Record, frozen=True, kw_only=True):
    """Entries from `first` to `last` are missing, and asked for by range they did not come either; they are again."""

    kind = Kind.TRADE_GAP_FOUND
    market: str
    trade_date: str
    first: int
    last: int

    def references(self) -> dict[str, str]:
        """The market and day."""
        return {"trades": trades_reference(self.market, self.trade_date)}


class ReferenceDataTaken(Record, frozen=True, kw_only=True):
    """One kind of reference data (topic: its operation), whole, where it differs from what was taken before.

    business_date: the first day of which OCP told it so. hash: SHA-256 (hex) of `entries`, OCP's documents of the
    profile of `ocp_hash`.
    """

    kind = Kind.REFERENCE_DATA_TAKEN
    topic: str
    business_date: str
    hash: str
    count: int
    ocp_hash: str
    entries: msgspec.Raw

    def references(self) -> dict[str, str]:
        """The kind of data, and the hash."""
        return {"reference_data": reference_data_reference(self.topic), "hash": self.hash}


class ReportWritten(Record, frozen=True, kw_only=True):
    """A report lies in the folders named. name: of its rules; report: its id; day: YYYY-MM-DD;

    market: of trades (its meaning). records: details in it; entries: of OCP, that it was made of: of trades the last
    sequence; of_hash: of the reference data that it was made of. hash: SHA-256 (hex) of the file.
    """

    kind = Kind.REPORT_WRITTEN
    name: str
    report: str
    day: str
    size: int
    hash: str
    records: int
    entries: int
    market: str = ""
    of_hash: str = ""
    paths: tuple[str, ...]

    def references(self) -> dict[str, str]:
        """The report and its hash."""
        return {"report": self.report, "hash": self.hash}
