"""What is known of the market, from records: how far its trades were taken, and the reference data that holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from pg_bridge.exchange.kinds.market import ReferenceDataTaken, ReportWritten, TradesTaken
from pg_bridge.mapping.reference import NO_TABLES, ReferenceTables

#: market (its meaning), trade date, hash of the OCP profile that gave the trades their shape
TradeKey = tuple[str, str, str]


@dataclass(slots=True)
class MarketState:
    """Folded from records only. Trades of another OCP profile are taken anew: nothing could read the older ones."""

    #: the last sequence that was taken
    cursors: dict[TradeKey, int] = field(default_factory=dict)
    #: kind of reference data -> what was taken last
    reference: dict[str, ReferenceDataTaken] = field(default_factory=dict)
    #: not folded: the tables of `reference`, and what they were made of
    tables: ReferenceTables = NO_TABLES
    tables_key: tuple[object, ...] = ()
    #: (participant, report id, day) -> the report as it was written last
    reports: dict[tuple[str, str, str], ReportWritten] = field(default_factory=dict)

    def cursor(self, market: str, trade_date: str, ocp_hash: str) -> int:
        """The last sequence taken, 0 when none was."""
        return self.cursors.get((market, trade_date, ocp_hash), 0)

    def take_trades(self, record: TradesTaken) -> None:
        """A page of trades was taken; one that does not go on where the last one ended changes nothing."""
        key = (record.market, record.trade_date, record.ocp_hash)
        if record.first == self.cursors.get(key, 0) + 1:
            self.cursors[key] = record.last

    def take_reference(self, record: ReferenceDataTaken) -> None:
        """Reference data was taken."""
        self.reference[record.topic] = record

    def take_report(self, record: ReportWritten) -> None:
        """A report was written."""
        self.reports[record.participant, record.report, record.day] = record

    def forget(self, before: str) -> None:
        """Let go of cursors and reports of days before `before`."""
        for key in [key for key in self.cursors if key[1] < before]:
            del self.cursors[key]
        for told in [told for told in self.reports if told[2] < before]:
            del self.reports[told]
