"""Recorded traffic through another set: the same set gives the same, an edited one exactly what it touches."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from pg_bridge.exchange import events as e
from pg_bridge.exchange.entries import Entry, Kind, Stored
from pg_bridge.exchange.records import ExchangeInDoubt, RequestParked
from pg_bridge.exchange.retranslated import Difference, Retranslated, Way
from pg_bridge.exchange.retranslation import Retranslation
from pg_bridge.exchange.retranslation_tally import MOST_CAUSES, Tally
from pg_bridge.link.framing import Framing, Header
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.mapping.book import MappingBook, load
from tests.doubles.core import Core, book
from tests.doubles.core_day import framed, note, stored, whole_day
from tests.doubles.core_steps import Step, steps, walked
from tests.doubles.mapping_files import changed, shipped
from tests.doubles.stack import deliver

CODES = "legacy/codes.toml"
INPUT = "rules/si-input.toml"
SI01 = "legacy/templates/SI01.toml"
SI60 = "legacy/templates/SI60.toml"
STATUS = "rules/shared/si-status.toml"
FRAMING = Framing(read_link_profile(shipped()[LINK_FILE]))


@pytest.fixture(scope="module")
def day() -> list[Entry]:
    return whole_day().entries


def retranslated(
    entries: Sequence[Entry], new: MappingBook | None = None, framing: Framing | None = None
) -> list[Retranslated]:
    run = Retranslation(new or book(), framing)
    return [*(found for each in stored(list(entries)) for found in run.take(each)), *run.end()]


def different(results: Sequence[Retranslated]) -> list[Retranslated]:
    return [result for result in results if result.differences]


def what(results: Sequence[Retranslated]) -> set[tuple[str, str, str]]:
    return {(each.what, each.was, each.is_) for result in results for each in result.differences}


# --- the same set ----------------------------------------------------------------------------------------------


def test_the_day_holds_every_kind_of_translation(day: list[Entry]) -> None:
    assert set(Way) - {Way.UNREADABLE} == {result.way for result in retranslated(day)}


def test_the_same_set_gives_the_same(day: list[Entry]) -> None:
    results = retranslated(day)

    assert [] == different(results)
    assert {Way.PARKED_REQUEST} == {result.way for result in results if result.not_run}


def test_each_recorded_translation_is_run_once(day: list[Entry]) -> None:
    kinds = Counter(entry.kind for entry in day)
    ways = Counter(result.way for result in retranslated(day))

    assert kinds[Kind.INSTRUCTION_RECEIVED] + kinds[Kind.ENQUIRY_RECEIVED] == ways[Way.REQUEST]
    assert kinds[Kind.MESSAGE_REFUSED] == ways[Way.REFUSAL]
    assert kinds[Kind.REQUEST_PARKED] == ways[Way.PARKED_REQUEST]
    assert kinds[Kind.EXCHANGE_AWAITED] == ways[Way.AWAITED]
    assert kinds[Kind.EXCHANGE_ANSWERED] == ways[Way.ANSWER] + ways[Way.LATE]
    assert kinds[Kind.UPDATE_RECEIVED] == ways[Way.UPDATE] + ways[Way.PARKED_UPDATE]


@settings(max_examples=40, deadline=None)
@given(steps())
def test_whatever_happened_the_same_set_gives_the_same(taken: list[Step]) -> None:
    core = walked(taken)

    assert [] == [result for result in retranslated(core.entries) if result.differences or result.not_run]


def test_a_set_whose_names_differ_only_gives_the_same(day: list[Entry]) -> None:
    files = shipped()
    files["rules/set.toml"] = files["rules/set.toml"].replace("hk-default", "hk-ours")
    files = {
        path: text.replace("market_of_stock", "market_by_stock").replace("si-details", "si-particulars")
        for path, text in files.items()
    }

    assert [] == different(retranslated(day, load(files)))


def test_the_journal_is_read_only(day: list[Entry]) -> None:
    before = copy.deepcopy(day)
    retranslated(day, load(changed(CODES, 'default = "HKMK"', 'default = "MAMK"')))

    assert before == day


# --- an edited set ---------------------------------------------------------------------------------------------


def test_a_code_table_changes_exactly_the_requests_that_used_the_row(day: list[Entry]) -> None:
    results = retranslated(day, load(changed(CODES, 'code = "SZMK"', 'code = "MAMK"')))

    assert {("member market", "SZMK", "MAMK")} == what(results)
    assert ["R3", "R4"] == [result.reference for result in different(results)]
    assert {Way.REQUEST} == {result.way for result in different(results)}


def test_the_rule_that_made_the_new_value_is_named(day: list[Entry]) -> None:
    new = load(changed(CODES, 'code = "SZMK"', 'code = "MAMK"'))
    text = shipped()[INPUT]
    line = text[: text.rindex("[[request.rule]]", 0, text.index('to = "market"'))].count("\n") + 1
    first, *_ = different(retranslated(day, new))

    assert f"si-input.toml:{line}" == first.differences[0].rule


def test_a_reason_of_refusal_changes_answers_late_outcomes_and_refusals(day: list[Entry]) -> None:
    files = changed(
        CODES,
        'unknown_stock = "DSEC", stock_not_eligible = "DSEC"',
        'unknown_stock = "SAFE", stock_not_eligible = "SAFE"',
    )
    results = different(retranslated(day, load(files)))

    assert {("field GENL/STAT/REAS/24B:REJT", "DSEC", "SAFE")} == what(results)
    assert [("R3", Way.ANSWER), ("W2", Way.LATE)] == [(result.reference, result.way) for result in results]


def test_a_status_line_changes_updates_and_enquiries(day: list[Entry]) -> None:
    files = changed(STATUS, 'constant = "MACH"', 'constant = "NMAT"')
    results = different(retranslated(day, load(files)))

    assert {("field GENL/STAT/25D:MTCH", "MACH", "NMAT")} == what(results)
    assert {Way.UPDATE, Way.ANSWER} == {result.way for result in results}


def test_the_words_of_an_awaited_outcome(day: list[Entry]) -> None:
    files = changed(INPUT, 'REAS/24B:PPRC", constant = "NARR"', 'REAS/24B:PPRC", constant = "FUTU"')
    results = retranslated(day, load(files))

    assert {Way.AWAITED, Way.ANSWER} == {result.way for result in different(results)}
    assert 4 == len(different(results))


def narrow(template: str) -> dict[str, str]:
    """The shipped set with no room in a template for more than 99 shares."""
    files = changed(template, 'format = "UNIT/15d"', 'format = "UNIT/3d"')
    files[template] = files[template].replace('sample = "UNIT/1000,"', 'sample = "UNIT/10,"')
    return files


def test_what_was_taken_would_be_refused_with_every_finding(day: list[Entry]) -> None:
    results = different(retranslated(day, load(narrow(SI01))))
    taken = [result for result in results if result.way is Way.REQUEST]

    assert {("the message", "taken", "refused")} <= what(taken)
    assert {"finding PGB-MSG-023 at FIAC/36B:SETT"} == {
        difference.what for result in taken for difference in result.differences[1:]
    }


def test_what_was_refused_would_be_taken() -> None:
    files = changed(SI01, 'checks = ["positive", "whole"]\n', "")
    core = Core()
    core.request("ZERO", quantity="0,")
    (result,) = different(retranslated(core.entries, load(files)))

    assert Way.REFUSAL == result.way
    assert ("the message", "refused", "taken") in what([result])


def test_a_message_type_that_no_rule_serves_any_more(day: list[Entry]) -> None:
    gone = ("rules/si-enquiry.toml", "rules/si-enquiry.cases.toml", "legacy/templates/SI07.toml")
    files = {path: text for path, text in shipped().items() if path not in gone}
    results = [result for result in different(retranslated(day, load(files))) if result.way is Way.REQUEST]

    assert {"not served"} == {each.is_.partition(":")[0] for result in results for each in result.differences}
    assert ["Q1", "Q1", "Q1"] == [result.reference for result in results]


def test_a_repeated_reference_stays_refused_whatever_the_rules(day: list[Entry]) -> None:
    results = retranslated(day, load(changed(SI01, 'checks = ["positive", "whole"]\n', "")))
    repeated = [result for result in results if result.way is Way.REFUSAL and result.reference == "R1"]

    assert [()] == [result.differences for result in repeated]


def test_a_lenient_participant_is_treated_so_again(day: list[Entry]) -> None:
    results = retranslated(day)
    (lenient,) = [result for result in results if result.reference == "L1"]

    assert ((), "") == (lenient.differences, lenient.not_run)


def test_a_name_under_which_a_value_is_carried(day: list[Entry]) -> None:
    files = changed(INPUT, 'carried = "place_of_settlement"', 'carried = "place"')
    results = different(retranslated(day, load(files)))

    assert {Way.REQUEST} == {result.way for result in results}
    assert {"carried place", "carried place_of_settlement"} == {each[0] for each in what(results)}


def test_updates_parked_and_told(day: list[Entry]) -> None:
    files = changed(
        SI60, 'format = "8x"\nmeaning = "own stock account"', 'format = "35x"\nmeaning = "own stock account"'
    )
    (told,) = [result for result in different(retranslated(day, load(files))) if result.way is Way.PARKED_UPDATE]

    assert {("the message", "parked", "told")} == what([told])
    assert "I00000079" == told.reference


def test_updates_that_could_not_be_told_any_more(day: list[Entry]) -> None:
    results = [result for result in different(retranslated(day, load(narrow(SI60)))) if result.way is Way.UPDATE]

    assert ["I00000001", "I00000001", "I00000077", "I00000078"] == [result.reference for result in results]
    assert all(result.differences[0].is_.startswith("parked: ") for result in results)


def test_an_event_that_was_not_told_would_be(day: list[Entry]) -> None:
    files = changed("ocp/profile.toml", 'CREATED = "created"', 'CREATED = "authorised"')
    files["ocp/profile.toml"] = files["ocp/profile.toml"].replace('AUTHORISED = "authorised"', 'AUTHORISED = "created"')
    results = [result for result in different(retranslated(day, load(files))) if result.way is Way.UPDATE]

    assert {("the message", "not told", "told")} == what(results)
    assert ["I00000001", "I00000081"] == [result.reference for result in results]


def frame(body: bytes, message_type: str = "543") -> str:
    header = Header("B01234", "PSS1", "S000000001", 2, "to_pg", message_type, "SI01", "20261124100000", False)
    return FRAMING.write(header, body).decode("ascii")


def parked(body: str) -> list[Entry]:
    core = Core()
    note(core, RequestParked(participant="B01234", session="S1", sequence=2, template="SI01", legacy=body, findings=()))
    return core.entries


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (frame(deliver("P1")), {("the message", "parked", "taken")}),
        (frame(deliver("P1", quantity="0,")), {("the message", "parked", "refused")}),
    ],
)
def test_a_parked_request_would_be_served(body: str, told: set[tuple[str, str, str]]) -> None:
    (result,) = retranslated(parked(body), framing=FRAMING)

    assert told <= what([result])


def test_what_cannot_be_run_again_is_named() -> None:
    core = Core()
    core.request("R1")
    note(core, ExchangeInDoubt(exchange="X1", reference="R1", request_id="", text="x, and cannot be written: y"))
    results = [
        *retranslated(parked(deliver("P1").decode("ascii"))),
        *retranslated(core.entries),
        *retranslated(core.entries[1:]),
        *retranslated([Entry(kind=Kind.MESSAGE_REFUSED, at_us=0, payload=b"{")]),
        *retranslated(whole_day().entries[5:]),
    ]

    assert 5 <= len([result for result in results if result.not_run])
    assert {Way.PARKED_REQUEST, Way.ANSWER, Way.UNREADABLE} <= {result.way for result in results if result.not_run}


def test_the_text_of_a_frame_is_found_whatever_its_framing() -> None:
    entries = []
    for core, text in ((Core(), frame(deliver("R1"))), (Core(), framed(deliver("R1")))):
        core.offer(e.RequestArrived("S1", "B01234", "PSS1", 2, "SI01", "543", text, deliver("R1")))
        entries += core.entries[:1]

    assert [()] * 2 == [result.differences for entry in entries for result in retranslated([entry])]
    assert [""] * 2 == [result.not_run for entry in entries for result in retranslated([entry])]


# --- causes ----------------------------------------------------------------------------------------------------


def test_causes_are_counted_with_examples_of_different_values() -> None:
    tally = Tally(most=2)
    for number in range(9):
        difference = Difference(what="member quantity", was=str(number % 4), is_="x" * 300, rule="a.toml:1")
        tally.add(result(number, (difference,)))
    tally.add(result(9))
    tally.add(result(10, not_run="why"))
    (cause,) = tally.causes()

    assert (10, 1, 9, {(Way.REQUEST, "why"): (1, 10)}) == (tally.run, tally.same, tally.different, tally.not_run)
    assert (9, ["0", "1"]) == (cause.count, [example.differences[0].was for example in cause.examples])
    assert len(cause.examples[0].differences[0].is_) < 250


def result(position: int, differences: tuple[Difference, ...] = (), not_run: str = "") -> Retranslated:
    return Retranslated(
        position=position,
        way=Way.REQUEST,
        function="input_si",
        participant="B01234",
        reference="R",
        exchange="X",
        differences=differences,
        not_run=not_run,
    )


def test_causes_are_told_apart_by_what_differs_and_how_but_not_without_end() -> None:
    tally = Tally()
    for number in range(MOST_CAUSES + 50):
        tally.add(result(number, (Difference(what=f"member m{number}", was="a", is_="b"),)))
        tally.add(result(number, not_run=f"why {number}"))

    assert MOST_CAUSES + 1 == len(tally.causes())
    assert 50 == tally.causes()[0].count
    assert MOST_CAUSES + 1 == len(tally.not_run)


def test_memory_is_kept_to_the_days_that_matter() -> None:
    run = Retranslation(book())
    core = Core()
    for number in range(5):
        core.request(f"R{number}")
        core.now = core.now.replace(day=core.now.day + 1)
    for each in stored(core.entries):
        run.take(Stored(each.position, each.entry))

    assert 2 >= len(run._run.state.uses)
