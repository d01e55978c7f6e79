"""What is learnt from messages: each kind of observation, each verdict, and that nothing confidential is told."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import pytest

from pg_bridge.link.framing import BadFrame
from pg_bridge.link.profile import link_profile_of
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.learning import usage as u
from pg_bridge.mapping.learning.causes import MOST_CAUSES
from pg_bridge.mapping.learning.learner import Learner
from pg_bridge.mapping.learning.lesson import FieldUse, Lesson
from pg_bridge.mapping.learning.references import References, Repeat
from pg_bridge.mapping.learning.sample import LF, Sample
from tests.doubles.mapping_files import DELIVER_FREE, before, changed, crlf, shipped, with_

DELIVER = with_(
    DELIVER_FREE,
    ("B0123400001", "SECRETREF001"),
    ("ISIN HK0005000002", "/HK/00005"),
    ("C00019\n", "C00019\n:97A::SAFE//PRIVATE77777\n"),
    before(":16S:SETDET", ":16R:AMT", ":19A::SETT//HKD98765,43", ":16S:AMT"),
)
UNKNOWN = (":23G:NEWM\n", ":23G:NEWM\n:99B::SETT//HIDDENVALUE\n")
CONTEXT: dict[str, Any] = {
    "reference": "PG1", "participant": "B01234", "terminal": "PSS1", "business_date": "2026-11-23",
    "timestamp": "20261123093000", "snapshot": False, "profile": None,
}  # fmt: skip


@lru_cache(maxsize=1)
def book() -> MappingBook:
    return load(shipped())


def deliver(*changes: tuple[str, str], reference: str = "SECRETREF001") -> Sample:
    text = DELIVER.replace("SECRETREF001", reference)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return Sample("day.bin", 7, "B01234", "SI01", "543", crlf(text))


def learner(**more: Any) -> Learner:
    files = {"SI01": "legacy/templates/SI01.toml"}
    return Learner(book(), link_profile_of(shipped()), "B01234", files, **more)


def learnt(*samples: Sample, is_dated: bool = True, **more: Any) -> Lesson:
    made = learner(**more)
    for sample in samples:
        made.take(sample, CONTEXT, is_dated=is_dated)
    return made.lesson()


def field(lesson: Lesson, place: str) -> FieldUse:
    return next(field for field in lesson.uses[0].fields if field.place == place)


def test_a_faultless_message_would_not_be_refused():
    lesson = learnt(deliver())

    assert (1, 0, 0, ()) == (lesson.messages, lesson.refused, lesson.refused_leniently, lesson.causes)
    assert not lesson.is_lenient_advised


def test_used_and_never_used_fields_and_sequences():
    linked = (":16S:GENL\n", ":16R:LINK\n:20C::POOL//1\n:16S:LINK\n:16S:GENL\n")
    lesson = learnt(deliver(), deliver(linked, (":98A::SETT", ":98A::TRAD//20261123\n:98A::SETT"), reference="R2"))
    (use,) = lesson.uses

    assert (2, 1) == (field(lesson, "GENL/23G").messages, field(lesson, "TRADDET/98A:TRAD").messages)
    assert {"GENL/LINK": 1} == {spec.path: spec.messages for spec in use.sequences if not spec.mandatory}
    assert ("GENL/98A:PREP", "TRADDET/70E:SPRO", "SETDET/22F:RTGS") == use.never_used


def test_a_sequence_that_never_stands_is_named_in_place_of_its_fields():
    assert "GENL/LINK" in learnt(deliver()).uses[0].never_used
    assert "GENL/LINK/20C:POOL" not in learnt(deliver()).uses[0].never_used


def test_codes_are_counted_and_shown():
    lesson = learnt(deliver(), deliver(("NEWM", "PREA"), reference="R2"), deliver(reference="R3"))

    assert {"NEWM": 2, "PREA": 1} == field(lesson, "GENL/23G").codes


def test_widths_lines_and_padding():
    remarks_padded = deliver((":35B:/HK/00005\n", ":35B:/HK/00005\n:70E::SPRO// one\nlonger line \nx \n"))
    lesson = learnt(remarks_padded, deliver(("UNIT/1000,", "UNIT/0001000,"), reference="R2"))
    remarks, account = field(lesson, "TRADDET/70E:SPRO"), field(lesson, "FIAC/97A:SAFE")

    assert 0 == lesson.refused
    assert (12, 3, 1, 1) == (remarks.widest, remarks.most_lines, remarks.leading_spaces, remarks.trailing_spaces)
    assert (8, 2) == (account.widest, account.zero_filled)
    assert 1 == field(lesson, "FIAC/36B:SETT").zero_filled
    assert 0 == field(lesson, "TRADDET/98A:SETT").zero_filled


def test_one_slash_for_two_is_told_and_refuses_nothing():
    lesson = learnt(deliver((":98A::SETT//", ":98A::SETT/")))

    assert (0, 1) == (lesson.refused, field(lesson, "TRADDET/98A:SETT").single_slashes)


def test_line_ends_are_counted():
    lesson = learnt(deliver(), deliver(reference="R2")._replace(line_ends=LF))

    assert {"CRLF": 1, "LF": 1} == lesson.uses[0].line_ends


def test_another_order_is_told_with_what_stands_before():
    lesson = learnt(deliver((":20C::SEME//SECRETREF001\n:23G:NEWM", ":23G:NEWM\n:20C::SEME//SECRETREF001")))
    (order,) = lesson.uses[0].orders

    assert ("GENL/20C:SEME", "GENL/23G", 1) == (order.place, order.behind, order.times)
    assert ["PGB-MSG-025"] == [cause.code for cause in lesson.causes]


def test_an_unknown_field_is_refused_strictly_and_carried_leniently():
    lesson = learnt(deliver(UNKNOWN), deliver(reference="R2"))
    (unknown,) = lesson.uses[0].unknown
    (cause,) = lesson.causes

    assert (1, 0, True) == (lesson.refused, lesson.refused_leniently, lesson.is_lenient_advised)
    assert ("GENL/99B:SETT", 1, 1, 11, ("AAAAAAAAAAA",)) == (
        unknown.name, unknown.times, unknown.carried, unknown.widest, unknown.samples,
    )  # fmt: skip
    assert (cause.place, cause.line, cause.number, cause.file) == ("GENL/99B:SETT", 4, 7, "day.bin")
    assert cause.is_lenient_cured
    assert "lenient = true" in cause.remedy
    assert "legacy/templates/SI01.toml" in cause.remedy
    assert "legacy/templates/SI01.toml" == cause.correct


def test_what_lenient_would_carry_is_what_the_book_carries():
    sample = deliver(UNKNOWN, (":16R:FIAC\n", ":16R:EXTRA\n:70E::ADTX//HIDDENTOO\n:16S:EXTRA\n:16R:FIAC\n"))
    request = book().read_request("SI01", "543", sample.body, CONTEXT, lenient=True)
    carried = {name.removeprefix("unknown:") for name in request.carried if name.startswith("unknown:")}

    assert carried == {unknown.name for unknown in learnt(sample).uses[0].unknown if unknown.carried}


def test_lenient_is_not_advised_where_it_cures_nothing():
    lesson = learnt(deliver(UNKNOWN, ("SETR//TRAD", "SETR//GIFT")))

    assert (1, 1, False) == (lesson.refused, lesson.refused_leniently, lesson.is_lenient_advised)
    assert [0] == [unknown.carried for unknown in lesson.uses[0].unknown]
    assert {"PGB-MSG-024": True, "PGB-MSG-026": False} == {
        cause.code: cause.is_lenient_cured for cause in lesson.causes
    }


def test_a_field_of_another_message_type_is_refused_and_not_unknown():
    receive = (":95R::REAG", ":95R::DEAG")
    lesson = learnt(deliver(receive)._replace(message_type="540"))

    assert {"PGB-MSG-024", "PGB-MSG-027"} >= {cause.code for cause in lesson.causes}
    assert "SETDET/AMT/19A:SETT" not in {f.place for f in lesson.uses[0].fields}


def test_the_most_frequent_cause_comes_first():
    wrong_day = ("SETT//20261125", "SETT//20261331")
    lesson = learnt(deliver(("SETR//TRAD", "SETR//GIFT")), deliver(wrong_day), deliver(wrong_day))

    assert [("PGB-MSG-023", 2), ("PGB-MSG-026", 1)] == [(cause.code, cause.messages) for cause in lesson.causes]


def test_what_the_rules_refuse_is_told_with_their_file():
    (cause,) = learnt(deliver(("HKD98765,43", "EUR98765,43"))).causes

    assert ("PGB-MAP-003", "rules/si-input.toml") == (cause.code, cause.correct)


@pytest.mark.parametrize(("meaning", "refused"), [("length", 1), ("checksum", 1), ("character", 1)])
def test_a_frame_with_a_fault_is_refused_and_learnt_from_all_the_same(meaning: str, refused: int):
    lesson = learnt(deliver()._replace(faults=(meaning,)))

    assert (refused, refused) == (lesson.refused, lesson.refused_leniently)
    assert [("PGB-LRN-002", meaning)] == [(cause.code, cause.place) for cause in lesson.causes]
    assert 1 == field(lesson, "GENL/23G").messages


def test_a_fault_that_the_link_profile_only_warns_of_refuses_nothing():
    files = changed("legacy/framing.toml", 'mismatch = "reject"', 'mismatch = "warn"')
    made = Learner(book(), link_profile_of(files), "B01234", {})
    made.take(deliver()._replace(faults=("length", "checksum")), CONTEXT)

    assert 0 == made.lesson().refused


def test_bytes_that_are_no_frame_count_as_refused():
    made = learner()
    made.take_bad(BadFrame("frame", "a digit of length is due at byte 3, b'S' stands there", b"xxS"), "day.bin", 3)
    (cause,) = made.lesson().causes

    assert ("PGB-LRN-001", "a digit of length is due at byte 3", 3) == (cause.code, cause.text, cause.number)
    assert (1, 1) == (made.lesson().refused, made.lesson().refused_leniently)


def test_a_template_that_is_not_served_is_named():
    (cause,) = learnt(deliver()._replace(template="SI99")).causes

    assert ("PGB-LRN-003", "SI99 543", "legacy/templates/") == (cause.code, cause.place, cause.correct)


def test_what_is_no_request_of_the_participant_is_counted_and_not_judged():
    control = Sample("day.bin", 1, "B01234", "LGON", "598", b":20:A\r\n")
    lesson = learnt(control, deliver()._replace(is_to_pss=True), deliver()._replace(participant="C00019"))

    assert (0, 1, 1, 1) == (lesson.messages, lesson.control, lesson.to_pss, lesson.others)


def test_a_reference_with_the_same_text_is_answered_again():
    lesson = learnt(deliver(), deliver())

    assert (0, 1, 0) == (lesson.refused, lesson.repeats.same, lesson.repeats.other)


def test_a_reference_with_another_text_is_refused_on_the_same_day():
    lesson = learnt(deliver(), deliver(("1000,", "2000,")))
    (cause,) = lesson.causes

    assert (1, 1, 1) == (lesson.refused, lesson.refused_leniently, lesson.repeats.other)
    assert "PGB-XCH-001" == cause.code
    assert "SECRETREF001" not in cause.text


def test_a_reference_may_come_again_on_another_day_or_without_one():
    made = learner()
    made.take(deliver(), CONTEXT, is_dated=True)
    made.take(deliver(("1000,", "2000,")), CONTEXT | {"business_date": "2026-11-24"}, is_dated=True)
    undated = learnt(deliver(), deliver(("1000,", "2000,")), is_dated=False)

    assert (0, 0) == (made.lesson().refused, made.lesson().repeats.other)
    assert (0, 1) == (undated.refused, undated.repeats.undated)


def test_a_message_refused_for_its_form_may_be_sent_again_corrected():
    lesson = learnt(deliver(("SETR//TRAD", "SETR//GIFT")), deliver())

    assert (1, 0) == (lesson.refused, lesson.repeats.other)


def test_a_reference_taken_only_leniently_is_used_for_the_lenient_profile_alone():
    lesson = learnt(deliver(UNKNOWN), deliver())

    assert (1, 1) == (lesson.refused, lesson.refused_leniently)
    assert ["PGB-MSG-024"] == [cause.code for cause in lesson.causes]


def test_references_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pg_bridge.mapping.learning.references.MOST_REFERENCES", 1)
    references = References()
    for name in ("A", "B"):
        references.take("", name, b"x", is_lenient_only=False)

    assert not references.is_whole
    assert [Repeat.SAME, Repeat.FIRST] == [references.judge("", name, b"x", lenient=False) for name in ("A", "B")]


def test_no_value_is_told_unless_asked_for():
    samples = (
        deliver(UNKNOWN, ("HKD98765,43", "HKD98765,432")),
        deliver(("20261125", "20269999"), ("PRIVATE77777", "PRIVATE77777_")),
        deliver((":23G:NEWM", "STRAYSECRET\n:23G:NEWM")),
        deliver(("REAG/CCAS/C00019", "REAG/OTHERSECRET")),
        deliver(), deliver(("1000,", "7654321,")),
    )  # fmt: skip
    masked, plain = (msgspec.json.encode(learnt(*samples, shows_values=shows)).decode() for shows in (False, True))
    secrets = ("SECRETREF", "HIDDENVALUE", "98765", "20269999", "PRIVATE", "STRAYSECRET", "OTHERSECRET", "7654321")

    assert [] == [secret for secret in secrets if secret in masked]
    assert ["SECRETREF", "HIDDENVALUE", "98765"] == [secret for secret in secrets[:3] if secret in plain]


def test_memory_is_bounded_by_causes_and_names():
    made = learner()
    for number in range(MOST_CAUSES + 20):
        name = f"X{number:03d}"
        made.take(deliver((":23G:NEWM\n", f":23G:NEWM\n:99B::{name}//1\n"), reference=name), CONTEXT, is_dated=True)
    lesson = made.lesson()

    assert (MOST_CAUSES, 20) == (len(lesson.causes), lesson.beyond)
    assert u.MOST_NAMES + 1 == len(lesson.uses[0].unknown)
    assert MOST_CAUSES + 20 == sum(unknown.times for unknown in lesson.uses[0].unknown)
