"""Legacy files of what OCP told of the market: the journal's entries, by a set's report rules, as pieces of a file.

Strategy for trades: two passes over the pages of the day. The first reads of each entry only whose trade it is and
sorts that on disk; the second writes, leaving out what the first found to be superseded or cancelled. Neither holds
more than a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pg_bridge.errors import Finding, MappingMissing, ReportError
from pg_bridge.exchange.kinds.market import ReferenceDataTaken, TradesTaken
from pg_bridge.exchange.records import read_entry
from pg_bridge.formats.fixed_width.layout import Record, Row
from pg_bridge.formats.fixed_width.writer import write
from pg_bridge.journal.market import LastStates, MarketReader
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.report_document import TRADE
from pg_bridge.mapping.report_rules import ReportRules
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.entry_reader import EntryReader
from pg_bridge.profiles.market_concepts import OPTIONAL_OPERATIONS, Market, TradeStatus
from pg_bridge.pss.report_files import Written, write_report

Json = Mapping[str, Any]
_decode_list = msgspec.json.Decoder(list[Any]).decode
#: finding: nothing was taken that the report could be made of
NOTHING_TAKEN = "PGB-RPT-003"
NO_NCP = "PGB-RPT-004"
#: what is told of how far a report is: entries read of all, both passes counted
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report of one participant. day: business date or trade date, YYYY-MM-DD. market: of trades.

    ncps: those whose trades are the participant's; empty: as reference data says.
    """

    name: str
    participant: str
    day: str
    market: Market | None = None
    ncps: tuple[str, ...] = ()


@dataclass(slots=True)
class Made:
    """A report as it was made. records: details in it; entries: of OCP, that it was made of; of_hash: of their list."""

    wanted: Wanted
    report: str
    records: int = 0
    entries: int = 0
    of_hash: str = ""


class MarketReports:
    """Makes reports from a journal by a mapping book. ocp_hash: of the book's OCP profile."""

    def __init__(self, book: MappingBook, journal: Path, ocp_hash: str) -> None:
        self._book = book
        self._journal = journal
        self._ocp_hash = ocp_hash

    def rules(self, name: str) -> ReportRules:
        """A report's rules. Raises MappingMissing."""
        rules = self._book.reports.get(name)
        if rules is None:
            there = ", ".join(self._book.reports) or "none"
            raise MappingMissing(f"the set has no report {name!r} for this OCP profile; it has {there}")
        return rules

    def markets(self, name: str) -> list[Market | None]:
        """The markets that a report is made of, each for itself; one None where it is not of trades."""
        return [*Market] if self.rules(name).is_of_trades else [None]

    def write(self, wanted: Wanted, targets: Sequence[Path], progress: Progress | None = None) -> tuple[Made, Written]:
        """Make a report and write it to every target. Raises ReportError when there is nothing to make it of.

        Raises MappingMissing, MappingFailed (nothing was written), JournalError.
        """
        rules = self.rules(wanted.name)
        made = Made(wanted, rules.report_id(wanted.market))
        with MarketReader(self._journal) as reader:
            making = _Making(self._book, reader, self._ocp_hash, rules, made, progress)
            records = making.of_trades() if rules.is_of_trades else making.of_reference_data()
            return made, write_report(write(rules.layout, records), targets)

    def has_trades(self, market: Market, day: str) -> bool:
        """Whether trades of a market and day were taken. Raises JournalError."""
        with MarketReader(self._journal) as reader:
            return bool(reader.trade_positions(market.value, day))


def topic_of(rules: ReportRules) -> Operation:
    """The operation that answers with the entries of a report."""
    return next(Operation(name) for name, groups in OPTIONAL_OPERATIONS.items() if groups[-1] == rules.file.of)


class _Making:
    """One report in the making."""

    def __init__(
        self,
        book: MappingBook,
        reader: MarketReader,
        ocp_hash: str,
        rules: ReportRules,
        made: Made,
        progress: Progress | None,
    ) -> None:
        self._profile = book.ocp
        self._reader = reader
        self._ocp_hash = ocp_hash
        self._rules = rules
        self._made = made
        self._progress = progress or (lambda done, of: None)

    # --- reference data ------------------------------------------------------------------------------------

    def of_reference_data(self) -> Iterator[Record | Row]:
        """The records of a list as it was on the day. Raises ReportError at once when none was taken by then."""
        wanted = self._made.wanted
        taken = self._taken(topic_of(self._rules), wanted.day)
        if taken is None:
            raise self._nothing(f"no reference data of {wanted.day} was taken")
        entries = _decode_list(taken.entries)
        self._made.entries, self._made.of_hash = len(entries), taken.hash
        return self._with_header(wanted.day, entries)

    def _taken(self, topic: Operation, day: str, *, is_dated: bool = False) -> ReferenceDataTaken | None:
        """What held on a day: what was taken last on it, or on a day before.

        is_dated: entries say themselves from when to when they hold; then what was taken first after the day will do.
        """
        found = None
        for position in reversed(self._reader.reference_positions(topic.value)):
            record = read_entry(self._reader.read(position).entry)
            if not isinstance(record, ReferenceDataTaken) or record.ocp_hash != self._ocp_hash:
                continue
            if record.business_date <= day:
                return record
            found = record if is_dated else None
        return found

    # --- trades --------------------------------------------------------------------------------------------

    def of_trades(self) -> Iterator[Record | Row]:
        """The records of a market's day: the last state of each trade. Raises ReportError at once."""
        wanted = self._made.wanted
        market = wanted.market or Market.HONG_KONG
        positions = self._reader.trade_positions(market.value, wanted.day)
        if not positions:
            raise self._nothing(f"no trades of {market} on {wanted.day} were taken")
        ncps = self._ncps(market)
        return self._trades(positions, ncps)

    def _trades(self, positions: list[int], ncps: frozenset[str]) -> Iterator[Record | Row]:
        wanted, rules, made = self._made.wanted, self._rules, self._made
        cancelled = self._profile.code("trade_status", TradeStatus.CANCELLED)
        settlement_date = wanted.day
        with LastStates() as states:
            # Those of others, too: a correction may bring a trade to another NCP, or take it away.
            heads = EntryReader(self._profile, TRADE, ("trade_reference", "sequence", "trade_status"))
            for raw in self._pages(positions, 0):
                states.add(heads.rows(raw))
            for raw in self._pages(positions[:1], 0):
                first = _decode_list(raw)[0]
                settlement_date = self._profile.get(TRADE, "settlement_date", first) or wanted.day
            yield rules.header(wanted.participant, wanted.day, wanted.market, settlement_date)
            left_out = states.superseded(cancelled)
            next_out = next(left_out, None)
            entries = EntryReader(self._profile, TRADE, (*rules.concepts, "ncp_id", "sequence"))
            for raw in self._pages(positions, len(positions)):
                for *given, ncp, sequence in entries.rows(raw):
                    made.entries += 1
                    if sequence == next_out:
                        next_out = next(left_out, None)
                    elif ncp in ncps:
                        made.records += 1
                        yield rules.row(given)

    def _pages(self, positions: list[int], done: int) -> Iterator[bytes]:
        """The entries of each page of this OCP profile; the pages of another were taken anew."""
        for number, position in enumerate(positions, done + 1):
            record = read_entry(self._reader.read(position).entry)
            if isinstance(record, TradesTaken) and record.ocp_hash == self._ocp_hash:
                yield bytes(record.trades)
            self._progress(number, 2 * len(positions))

    def _ncps(self, market: Market) -> frozenset[str]:
        """The NCPs whose trades are the participant's. Raises ReportError where nobody has said which."""
        wanted = self._made.wanted
        if wanted.ncps:
            return frozenset(wanted.ncps)
        taken = self._taken(Operation.NCP_GCP_MAPPING, wanted.day, is_dated=True)
        if taken is None:
            text = f"whose trades are {wanted.participant}'s is not known: no NCP/GCP mapping was taken"
            remedy = "Name the NCPs in the participant's section, or let [feeds] reference_data be taken."
            finding = Finding(NO_NCP, "error", wanted.participant, text, remedy=remedy)
            raise ReportError(f"making the report {wanted.name}: {text}", findings=[finding])
        found = {wanted.participant}
        for entry in _decode_list(taken.entries):
            said = self._profile.read("ncp_mapping", entry)
            holds = said["effective_from"] <= wanted.day and wanted.day <= (said["effective_to"] or wanted.day)
            is_here = self._profile.meaning("market", said["market"]) == market
            if holds and is_here and said["gcp_id"] == wanted.participant:
                found.add(said["ncp_id"])
        return frozenset(found)

    # --- both ----------------------------------------------------------------------------------------------

    def _with_header(self, settlement_date: str, entries: list[Any]) -> Iterator[Record | Row]:
        wanted = self._made.wanted
        yield self._rules.header(wanted.participant, wanted.day, None, settlement_date)
        places = [self._profile.place(self._rules.file.of, concept) for concept in self._rules.concepts]
        for number, entry in enumerate(entries, 1):
            self._made.records = number
            yield self._rules.row([place.read(entry) for place in places])
        self._progress(1, 1)

    def _nothing(self, text: str) -> ReportError:
        remedy = "Let the bridge take it ([feeds] of its configuration), or name another day."
        finding = Finding(NOTHING_TAKEN, "error", self._made.wanted.name, text, remedy=remedy)
        return ReportError(f"making the report {self._made.wanted.name}: {text}", findings=[finding])
