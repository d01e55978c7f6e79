"""Reference data beside a translation: what it fills in where a rule file says so, and what is at odds with it.

OCP judges every instruction itself; this tells the participant, or the journal, before OCP is asked. Nothing is
guessed: an ISIN of several counters names the one in which it settles, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec

from pg_bridge.errors import Finding, Severity
from pg_bridge.mapping.document import ReferenceSection
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.translated import Request
from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.profiles.market_concepts import OPTIONAL_OPERATIONS
from pg_bridge.profiles.ocp import OcpProfile

#: what is done about a request at odds with reference data
Faults = Literal["ignore", "warn", "refuse"]

#: finding codes; the reason told is that of what OCP's refusal would mean
UNKNOWN_STOCK = "PGB-REF-001"
STOCK_AND_ISIN = "PGB-REF-002"
NOT_ELIGIBLE = "PGB-REF-003"
NOT_DOMAIN = "PGB-REF-004"
NO_SETTLEMENT_DAY = "PGB-REF-005"
UNKNOWN_COUNTERPARTY = "PGB-REF-006"


#: the operations whose answers tables are made of
REFERENCE_TOPICS = (Operation.PARTICIPANTS.value, Operation.STOCKS.value, Operation.CALENDAR.value)


class ListedStock(NamedTuple):
    """A stock as OCP lists it. domain: the counter in which it settles, None where not known."""

    isin: str | None
    domain: str | None
    is_eligible: bool


@dataclass(frozen=True, slots=True)
class ReferenceTables:
    """Reference data to look things up in; an empty table knows nothing, and nothing is held against it.

    codes: of an ISIN, the stock code in which it settles; None where that is not one. days: of a market (its meaning)
    and day, whether it settles.
    """

    stocks: Mapping[str, ListedStock] = field(default_factory=dict)
    codes: Mapping[str, str | None] = field(default_factory=dict)
    participants: Mapping[str, bool] = field(default_factory=dict)
    days: Mapping[tuple[str, str], bool] = field(default_factory=dict)


NO_TABLES = ReferenceTables()


def read_tables(profile: OcpProfile, lists: Mapping[str, bytes]) -> ReferenceTables:
    """Tables of what OCP answered: operation to a JSON array of its entries, in this profile's shape."""

    def entries(operation: Operation) -> Iterator[dict[str, Any]]:
        group = OPTIONAL_OPERATIONS[operation.value][-1]
        if operation in profile.operations:
            for entry in msgspec.json.decode(lists.get(operation.value, b"[]")):
                yield profile.read(group, entry)

    stocks = {
        str(each["listed_stock_code"]): ListedStock(each["listed_isin"], each["domain_stock_code"], each["eligible"])
        for each in entries(Operation.STOCKS)
    }
    counters: dict[str, list[str]] = {}
    for code, stock in stocks.items():
        if stock.isin is not None:
            counters.setdefault(stock.isin, []).append(code)
    return ReferenceTables(
        stocks=stocks,
        codes={isin: _domain(codes, stocks) for isin, codes in counters.items()},
        participants={
            str(each["listed_participant_id"]): bool(each["participant_active"])
            for each in entries(Operation.PARTICIPANTS)
        },
        days={
            (str(profile.meaning("market", each["market"])), str(each["calendar_date"])): bool(each["settlement_day"])
            for each in entries(Operation.CALENDAR)
        },
    )


def _domain(codes: list[str], stocks: Mapping[str, ListedStock]) -> str | None:
    """The one counter in which a security settles."""
    if len(codes) == 1:
        return codes[0]
    settle = [code for code in codes if stocks[code].domain == code]
    return settle[0] if len(settle) == 1 else None


class ReferenceUse:
    """How the requests of one rule file use reference data. rule: `file:line` of the section."""

    def __init__(self, section: ReferenceSection, profile: OcpProfile, rule: str) -> None:
        self._profile = profile
        self._rule = rule
        self._fill = [self._FILLS[concept] for concept in section.fill]
        self._checks = [self._CHECKS[what] for what in section.checks]

    def apply(
        self, request: Request, tables: ReferenceTables, faults: Faults, reason_of: Callable[[str], str]
    ) -> Request:
        """The request, filled in, with what is at odds as findings: warnings, or errors where it is to be refused.

        reason_of: the legacy reason code of what a refusal means.
        """
        said = self._profile.read("si", request.document)
        told: list[Lineage] = []
        for fill in self._fill:
            fill(self, request, said, tables, told)
        severity: Severity = "error" if faults == "refuse" else "warning"
        findings = tuple(
            Finding(code, severity, "", text, reason=reason_of(meaning.value))
            for check in (self._checks if faults != "ignore" else ())
            for code, meaning, text in check(self, said, tables)
        )
        if not findings and not told:
            return request
        return msgspec.structs.replace(
            request, findings=(*request.findings, *findings), lineage=(*request.lineage, *told)
        )

    # --- filling in ----------------------------------------------------------------------------------------

    def _isin(self, request: Request, said: dict[str, Any], tables: ReferenceTables, told: list[Lineage]) -> None:
        stock = tables.stocks.get(said["stock_code"])
        if said["isin"] is None and stock is not None and stock.isin is not None:
            self._filled("isin", stock.isin, said["stock_code"], request, said, told)

    def _stock_code(self, request: Request, said: dict[str, Any], tables: ReferenceTables, told: list[Lineage]) -> None:
        code = tables.codes.get(said["isin"])
        if said["stock_code"] is None and code is not None:
            self._filled("stock_code", code, said["isin"], request, said, told)

    def _filled(
        self, concept: str, value: str, before: str, request: Request, said: dict[str, Any], told: list[Lineage]
    ) -> None:
        place = self._profile.place("si", concept)
        place.write(request.document, value)
        said[concept] = value
        source = "reference.stocks"
        told.append(Lineage(".".join(place.members), (source,), before, value, self._rule, "", "transformed"))

    # --- holding against it --------------------------------------------------------------------------------

    def _stock(self, said: dict[str, Any], tables: ReferenceTables) -> Iterator[tuple[str, Refusal, str]]:
        if not tables.stocks:
            return
        code, isin = said["stock_code"], said["isin"]
        stock = tables.stocks.get(code)
        if code is not None and stock is None:
            yield UNKNOWN_STOCK, Refusal.UNKNOWN_STOCK, f"the stock code {code} is not listed"
        elif code is None and isin is not None and isin not in tables.codes:
            yield UNKNOWN_STOCK, Refusal.UNKNOWN_STOCK, f"the ISIN {isin} is not listed"
        elif stock is not None and isin is not None and stock.isin != isin:
            yield STOCK_AND_ISIN, Refusal.UNKNOWN_STOCK, f"the stock code {code} is that of {stock.isin}, not of {isin}"
        found = stock or tables.stocks.get(tables.codes.get(isin) or "")
        if found is not None and not found.is_eligible:
            yield NOT_ELIGIBLE, Refusal.STOCK_NOT_ELIGIBLE, f"the stock {code or isin} is not eligible for settlement"

    def _domain_counter(self, said: dict[str, Any], tables: ReferenceTables) -> Iterator[tuple[str, Refusal, str]]:
        code = said["stock_code"]
        stock = tables.stocks.get(code)
        if stock is not None and stock.domain is not None and stock.domain != code:
            yield NOT_DOMAIN, Refusal.NOT_DOMAIN_COUNTER, f"the stock {code} settles in the counter {stock.domain}"

    def _settlement_day(self, said: dict[str, Any], tables: ReferenceTables) -> Iterator[tuple[str, Refusal, str]]:
        market = self._profile.meaning("market", said["market"])
        if tables.days.get((str(market), str(said["settlement_date"]))) is False:
            text = f"{said['settlement_date']} is no settlement day"
            yield NO_SETTLEMENT_DAY, Refusal.NO_SETTLEMENT_DAY, text

    def _counterparty(self, said: dict[str, Any], tables: ReferenceTables) -> Iterator[tuple[str, Refusal, str]]:
        other = said["counterparty_id"]
        if tables.participants and other is not None and not tables.participants.get(other, False):
            what = "is a participant no longer" if other in tables.participants else "is no participant"
            yield UNKNOWN_COUNTERPARTY, Refusal.UNKNOWN_PARTICIPANT, f"the counterparty {other} {what}"

    _FILLS: ClassVar = {"isin": _isin, "stock_code": _stock_code}
    _CHECKS: ClassVar = {
        "stock": _stock,
        "domain_counter": _domain_counter,
        "settlement_day": _settlement_day,
        "counterparty": _counterparty,
    }
