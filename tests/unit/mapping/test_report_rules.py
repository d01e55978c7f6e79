"""Report files: what they make of OCP's entries, by either OCP, and every way in which they can be wrong."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from pg_bridge.errors import Finding, MappingFailed, MappingInvalid
from pg_bridge.formats.fixed_width.writer import write
from pg_bridge.mapping.book import load
from pg_bridge.mapping.report_rules import ReportRules
from pg_bridge.profiles.entry_reader import EntryReader
from pg_bridge.profiles.market_concepts import Market
from tests.doubles.core import book
from tests.doubles.mapping_files import changed, shipped
from tests.doubles.market_day import Told

PATH = "reports/cclid01.toml"
#: of facts-legacy-pg section 7.2, as a record of CCLID01
VALUES = {
    "traded_stock_code": "00005", "traded_isin": "HK0005000002", "isolation": False, "isolation_reason": None,
    "trade_time": "2026-11-23T09:30:15.123+08:00", "trade_reference": "1001671509000000", "broker_number": "1170",
    "counterparty_broker_number": "0170", "counterparty_clearing_id": "B00001", "traded_quantity": 400,
    "price": "60.500", "value": "24200.00", "direct": False, "accrued_interest": None, "ncp_id": "E00001",
    "sequence": 1,
}  # fmt: skip
CODES = {
    "side": "buy", "trade_currency": "hong_kong_dollar", "trading_method": "automatch", "short_sell": "not_short",
    "origin": "agency", "trade_status": "new",
}  # fmt: skip
LINE = (
    "1100005HK00050000021 B0930100167150900000011700170B0000100000000400000605000000002420000HKDA 0000000000000 NA "
    "00000002480905   "
)


def entry(rules: ReportRules, set_name: str, **changes: object) -> bytes:
    profile = book(set_name).ocp
    tables = {"trade_currency": "currency"}
    codes = {}
    for concept, meaning in CODES.items():
        table = profile.codes(tables.get(concept, concept))
        codes[concept] = next(code for held, code in table.items() if held.value == meaning)
    return json.dumps([profile.write("trade", {**VALUES, **codes, **changes})]).encode()


def written(rules: ReportRules, raw: bytes, set_name: str = "shipped") -> list[str]:
    header = rules.header("B01234", "2026-11-23", Market.HONG_KONG, "2026-11-25")
    rows = [rules.row(list(given)) for given in EntryReader(book(set_name).ocp, "trade", rules.concepts).rows(raw)]
    return b"".join(write(rules.layout, [header, *rows])).decode().splitlines()


@pytest.mark.parametrize("set_name", ["shipped", "ocp_b"])
def test_a_trade_becomes_the_record_that_the_public_example_shows(set_name: str) -> None:
    rules = book(set_name).reports["cclid01"]
    head, line, end = written(rules, entry(rules, set_name), set_name)

    assert LINE == line
    assert head.startswith("0B01234CCLID01INTRADAY TRADESHKMK2026112320261125 ")
    assert "9" + "5".zfill(10) + "400".zfill(17) + "60500".zfill(13) + "2420000".zfill(18) == end[:59]


def test_a_negative_interest_has_its_sign() -> None:
    rules = book().reports["cclid01"]
    (_, line, _) = written(rules, entry(rules, "shipped", accrued_interest="-12.50"))

    assert "0000000001250-" == line[93:107]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"side": "X"}, "side"),
        ({"price": "many"}, "price"),
        ({"price": "1.2345"}, "price"),
        ({"trade_time": "soon"}, "trade_time"),
    ],
)
def test_a_value_that_no_column_takes_is_told_with_its_column(changes: dict[str, object], column: str) -> None:
    rules = book().reports["cclid01"]
    with pytest.raises(MappingFailed, match=column) as caught:
        written(rules, entry(rules, "shipped", **changes))

    assert [PATH] == [finding.path for finding in caught.value.findings]


def test_a_value_too_long_is_told_and_never_cut() -> None:
    rules = book().reports["cclid01"]
    with pytest.raises(MappingFailed) as caught:
        written(rules, entry(rules, "shipped", value="999999999999.99"))

    assert ["detail/value"] == [finding.path for finding in caught.value.findings]


@pytest.mark.parametrize("set_name", ["shipped", "ocp_b"])
def test_a_day_of_the_pretend_ocp_is_written_whole(set_name: str) -> None:
    profile = book(set_name).ocp
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    told = Told(profile, "HKB01234", ["B01234"], now, trades_at_once=300)
    rules = book(set_name).reports["cclid01"]
    trades = told.trades(Market.SHANGHAI, "2026-11-23")
    raw = json.dumps([profile.write("trade", each) for each in trades]).encode()

    assert 302 == len(written(rules, raw, set_name))


def test_reports_of_other_markets_have_ids_of_their_own() -> None:
    rules = book().reports["cclid01"]

    assert ["CCLID01", "CCLID01-MAMK", "CCLID01-SZMK"] == [rules.report_id(market) for market in Market]
    assert (
        date(2026, 11, 25)
        == rules.header("B01234", "2026-11-23", Market.SHANGHAI, "2026-11-25").values["settlement_date"]
    )


def faults(old: str, new: str) -> list[Finding]:
    with pytest.raises(MappingInvalid) as caught:
        load(changed(PATH, old, new))
    return list(caught.value.findings)


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ('layout = "CCLID01"', 'layout = "CCLID02"', "PGB-MAP-030", "CCLID02"),
        ('record = "detail"', 'record = "trailer"', "PGB-MAP-030", "trailer"),
        ('of = "trade" ', 'of = "swap" ', "PGB-MAP-010", "of"),
        ('to = "isin"', 'to = "isn"', "PGB-MAP-032", "isn"),
        ('to = "isin"', 'to = "checksum"', "PGB-MAP-032", "checksum"),
        ('to = "isin", from', 'to = "stock_code", from', "PGB-MAP-038", "stock_code"),
        ('from = "traded_isin"', 'from = "isin"', "PGB-MAP-033", "isin"),
        ('{ to = "price", from = "price" },', "", "PGB-MAP-039", "price"),
        ('{ to = "hedge", from = "hedge"', '{ to = "hedge", constant = "E", from = "hedge"', "PGB-MAP-037", "hedge"),
        (', sell = "S" }', " }", "PGB-MAP-036", "sell"),
        ('sell = "S" }', 'sell = "S", lend = "B" }', "PGB-MAP-036", "lend"),
        ('sell = "S" }', 'sell = "Z" }', "PGB-MAP-041", "'Z'"),
        ('constant = "1"', 'constant = "7"', "PGB-MAP-041", "'7'"),
        ('default = "0"', 'default = "none"', "PGB-MAP-041", "none"),
        ('use = "hours_and_minutes"', 'use = "hours"', "PGB-MAP-010", "hours"),
        ('from = "trade_time", use', 'from = "trade_reference", use', "PGB-MAP-034", "trade_time"),
        ('from = "traded_quantity"', 'from = "value"', "PGB-MAP-041", "quantity"),
        ('trade_status = "only', 'tradestatus = "only', "PGB-MAP-040", "trade_status"),
        ('report = "CCLID01"', 'report = "cclid01/x"', "PGB-MAP-041", "cclid01/x"),
        ('shanghai = "CCLID01-MAMK"', 'shanghai = "CCLID01"', "PGB-MAP-045", "same id"),
        ('shanghai = "CCLID01-MAMK"', 'london = "CCLID01-L"', "PGB-MAP-033", "london"),
    ],
)
def test_a_file_that_does_not_fit_is_told_with_file_and_line(old: str, new: str, code: str, told: str) -> None:
    found = [finding for finding in faults(old, new) if finding.code == code]

    assert found
    assert {PATH} == {finding.path for finding in found}
    assert any(told in finding.text for finding in found)
    assert all(finding.remedy for finding in found)


def test_a_set_without_reports_is_a_set() -> None:
    files = {path: text for path, text in shipped().items() if not path.startswith("reports/")}

    assert {} == load(files).reports
