"""Reference data beside a request: what it fills in, what is told, and what is refused before OCP is asked."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import records as r
from pg_bridge.exchange.fold import apply
from pg_bridge.mapping.document import ReferenceSection
from pg_bridge.mapping.reference import ListedStock, ReferenceTables, ReferenceUse, read_tables
from pg_bridge.profiles.ocp import OcpProfile
from tests.doubles.core import Core, book, kinds
from tests.doubles.stack import weekday_after

SETTLES = weekday_after(2).isoformat()


def stock(code: str, isin: str, domain: str, *, eligible: bool = True) -> dict[str, Any]:
    return {
        "listed_stock_code": code,
        "listed_isin": isin,
        "stock_name": "A",
        "board_lot": 100,
        "domain_stock_code": domain,
        "eligible": eligible,
    }


def lists(profile: OcpProfile, *, settles: bool = True, other: str = "C00019", **of_stock: Any) -> dict[str, bytes]:
    """Reference data of a stock, a counterparty and a day, in the profile's shape."""
    told = {"isin": "HK0005000002", "domain": "00005"} | of_stock
    day = {
        "market": next(code for meaning, code in profile.codes("market").items() if meaning.value == "hong_kong"),
        "calendar_date": SETTLES,
        "settlement_day": settles,
    }
    entries = {
        "stocks": [profile.write("stock", stock("00005", **told))],
        "participants": [
            profile.write("participant", {"listed_participant_id": other, "participant_active": True}),
        ],
        "calendar": [profile.write("calendar_day", day)],
    }
    return {topic: msgspec.json.encode(each) for topic, each in entries.items()}


def taken(core: Core, **told: Any) -> Core:
    for topic, raw in lists(core.terms.ocp, **told).items():
        record = r.ReferenceDataTaken(
            topic=topic,
            business_date="2026-11-24",
            hash=hashlib.sha256(raw).hexdigest(),
            count=1,
            ocp_hash="",
            entries=msgspec.Raw(raw),
        )
        apply(core.state, record, 0)
    return core


def findings(decision: a.Decision) -> list[str]:
    return [code for entry in decision.entries for code in entry.findings]


AT_ODDS = [
    ({"eligible": False}, "PGB-REF-003", "DSEC"),
    ({"domain": "80005"}, "PGB-REF-004", "DSEC"),
    ({"settles": False}, "PGB-REF-005", "DDAT"),
    ({"other": "C00020"}, "PGB-REF-006", "DEPT"),
]


def test_what_agrees_is_not_told() -> None:
    assert [] == findings(taken(Core()).request("R1"))


@pytest.mark.parametrize(("told", "code", "reason"), AT_ODDS)
def test_what_is_at_odds_is_told_in_the_journal_and_goes_to_ocp(told: Any, code: str, reason: str) -> None:
    core = taken(Core(), **told)
    decision = core.request("R1")

    assert ["instruction_received"] == kinds(decision)
    assert [code] == findings(decision)
    assert core.call()


@pytest.mark.parametrize(("told", "code", "reason"), AT_ODDS)
def test_or_is_refused_with_the_reason_that_ocp_would_give(told: Any, code: str, reason: str) -> None:
    core = taken(Core(reference_faults="refuse"), **told)
    decision = core.request("R1")
    (answer,) = [action for action in decision.actions if isinstance(action, a.Answer)]

    assert ["message_refused"] == kinds(decision)
    assert [code] == findings(decision)
    assert f":24B::REJT//{reason}" in answer.reply.body
    assert {} == core.state.lanes


def test_a_stock_that_is_not_listed_and_an_isin_of_another_stock_are_told() -> None:
    core = taken(Core())
    decision = core.request("R1", stock="00006")
    (exchange,) = core.state.exchanges.values()
    profile = core.terms.ocp
    both = {**msgspec.json.decode(exchange.document), **profile.write("si", {"stock_code": "00005", "isin": "HK9"})}
    body = core.words.deliver("R2")
    names = core.words.input["template"], core.words.input["deliver"]
    read = core.terms.book.read_request(*names, body, core.terms.context("B01234", "", core.now))
    use = core.terms.book.reference_use(names[0])
    assert use is not None
    tables = read_tables(profile, lists(profile))
    told = use.apply(msgspec.structs.replace(read, document=both), tables, "warn", lambda _: "")

    assert ["PGB-REF-001"] == findings(decision)
    assert ["PGB-REF-002"] == [finding.code for finding in told.findings]


def test_nothing_is_told_where_it_is_to_be_ignored_or_nothing_was_taken() -> None:
    assert [] == findings(taken(Core(reference_faults="ignore"), settles=False).request("R1"))
    assert [] == findings(Core(reference_faults="refuse").request("R1"))


def test_the_same_answers_once_it_was_taken_though_reference_data_came_meanwhile() -> None:
    core = Core(reference_faults="refuse")
    core.request("R1")
    taken(core, settles=False)

    assert ["request_repeated"] == kinds(core.request("R1", sequence=3))


@pytest.mark.parametrize("set_name", ["shipped", "ocp_b"])
def test_a_stock_code_and_an_isin_fill_each_other_in_only_where_the_rules_say_so(set_name: str) -> None:
    mapping = book(set_name)
    profile = mapping.ocp
    tables = read_tables(profile, lists(profile))
    core = Core(set_name)
    core.request("R1")
    (exchange,) = core.state.exchanges.values()
    for absent, value in (("isin", "HK0005000002"), ("stock_code", "00005")):
        document = msgspec.json.decode(exchange.document)
        for concept, held in (("isin", "HK0005000002"), ("stock_code", "00005")):
            profile.place("si", concept).write(document, None if concept == absent else held)
        request = mapping.read_request(
            core.words.input["template"], core.words.input["deliver"], core.words.deliver("R2"),
            core.terms.context("B01234", "", core.now),
        )  # fmt: skip
        request = msgspec.structs.replace(request, document=document, lineage=())
        left = ReferenceUse(ReferenceSection(), profile, "x.toml:1").apply(request, tables, "warn", lambda _: "")

        assert left is request
        assert profile.get("si", absent, request.document) is None
        section = ReferenceSection(fill=[absent])  # type: ignore[list-item]
        filled = ReferenceUse(section, profile, "x.toml:1").apply(request, tables, "warn", lambda _: "")
        assert value == profile.get("si", absent, filled.document)
        assert [("reference.stocks", "x.toml:1", "transformed")] == [
            (told.sources[0], told.rule, told.kind) for told in filled.lineage
        ]


def test_an_isin_of_several_counters_is_the_one_in_which_it_settles_or_none() -> None:
    profile = book().ocp
    both = [stock("00005", "HK1", "00005"), stock("80005", "HK1", "00005")]
    none = [stock("00006", "HK2", "00005"), stock("80006", "HK2", "00005")]
    raw = msgspec.json.encode([profile.write("stock", each) for each in both + none])
    tables = read_tables(profile, {"stocks": raw})

    assert {"HK1": "00005", "HK2": None} == tables.codes
    assert ListedStock("HK1", "00005", True) == tables.stocks["80005"]
    assert ReferenceTables() == read_tables(profile, {})
