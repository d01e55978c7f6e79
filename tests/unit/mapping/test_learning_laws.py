"""Laws of learning, for mangled messages and other sets: it never fails, and its verdict is the book's."""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.link.profile import link_profile_of
from pg_bridge.mapping.learning.learner import Learner
from pg_bridge.mapping.learning.lesson import Lesson
from pg_bridge.mapping.learning.sample import Sample
from pg_bridge.mapping.learning.section import participant_section
from tests.doubles.core import book
from tests.doubles.mangling import mangled
from tests.doubles.mapping_sets import SETS, set_files
from tests.doubles.stack import Words

CONTEXT: dict[str, Any] = {
    "reference": "PG1", "participant": "B01234", "terminal": "PSS1", "business_date": "2026-11-23",
    "timestamp": "20261123093000", "snapshot": False, "profile": None,
}  # fmt: skip


def learner(set_name: str, *, shows_values: bool = False) -> Learner:
    return Learner(book(set_name), link_profile_of(set_files(set_name)), "B01234", {}, shows_values=shows_values)


def refused(set_name: str, key: tuple[str, str], body: bytes, *, lenient: bool) -> bool:
    request = book(set_name).read_request(*key, body, CONTEXT, lenient=lenient)
    return any(finding.severity == "error" for finding in request.findings)


@pytest.mark.parametrize("set_name", SETS)
def test_a_faultless_message_of_every_set_is_learnt_from(set_name: str):
    words = Words(set_name)
    made = learner(set_name)
    made.take(Sample("f", 1, "B01234", words.input["template"], words.input["deliver"], words.deliver("R1")), CONTEXT)
    lesson = made.lesson()

    assert (1, 0) == (lesson.messages, lesson.refused)
    assert 5 < len(lesson.uses[0].fields)


@pytest.mark.parametrize("set_name", ["shipped", "both_b"])
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_verdict_on_every_mangled_message_is_the_books(set_name: str, data: st.DataObject):
    words = Words(set_name)
    key = words.input["template"], words.input["deliver"]
    bodies = data.draw(st.lists(mangled([words.deliver("R1"), words.deliver("R2", stock="00700")]), max_size=4))
    made = learner(set_name)
    for body in bodies:
        made.take(Sample("f", 1, "B01234", *key, body), CONTEXT)
    lesson = made.lesson()

    assert sum(refused(set_name, key, body, lenient=False) for body in bodies) == lesson.refused
    assert sum(refused(set_name, key, body, lenient=True) for body in bodies) == lesson.refused_leniently
    assert bool(lesson.refused) == bool(lesson.causes)
    assert {"B01234"} == set(tomllib.loads(participant_section(lesson, "a set"))["participants"])
    assert lesson == msgspec.json.decode(msgspec.json.encode(lesson), type=Lesson)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("AB12\r\n\"\\#'[]= \xe9\0"), max_size=90), st.booleans())
def test_a_hostile_name_stays_in_its_comment(name: str, shows_values: bool):
    words = Words("shipped")
    text = words.deliver("R1").replace(
        b":16R:TRADDET", f":16R:{name}\r\n:99Z::NEWF//1\r\n:16S:{name}\r\n:16R:TRADDET".encode("latin-1")
    )
    made = learner("shipped", shows_values=shows_values)
    made.take(Sample("f", 1, "B01234", words.input["template"], words.input["deliver"], text), CONTEXT)
    section = tomllib.loads(participant_section(made.lesson(), "a set"))

    assert {"participants": {"B01234": {"addresses": [], "lenient": made.lesson().is_lenient_advised}}} == section


def test_an_odd_participant_id_is_quoted():
    made = learner("shipped")
    made.participant = 'B"]\n=1'

    assert {'B"]\n=1'} == set(tomllib.loads(participant_section(made.lesson(), "a set"))["participants"])
