"""The check of a known shape finds what the plain check finds, in every message of every template."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.formats.iso15022 import reader
from pg_bridge.formats.iso15022.reader import read, read_plain
from pg_bridge.formats.iso15022.shapes import MOST_CONCLUSIONS, MOST_FIELDS, MOST_VALUES_OF_ONE_FIELD, Shapes
from pg_bridge.profiles.check_plan import CheckPlan, passes_of
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.profiles.template import Template
from tests.doubles.mangling import mangled
from tests.doubles.mapping_files import crlf, shipped

TEMPLATES = read_legacy_profile(shipped()).templates
FOLDER = Path(__file__).parents[2] / "messages"
CASES = [
    case
    for path, text in shipped().items()
    if path.endswith(".cases.toml")
    for case in tomllib.loads(text)["case"]
    if case.get("body")
]
BODIES = [path.read_bytes() for path in sorted(FOLDER.glob("*.fin"))] + [crlf(case["body"]) for case in CASES]
#: every text with every template and message type that finds nothing wrong in it
FAULTLESS: list[tuple[Template, str, bytes]] = [
    (template, type_, body)
    for template in TEMPLATES.values()
    for type_ in template.message_types
    for body in dict.fromkeys(BODIES)
    if not template.check(type_, read_plain(body)).findings
]
SAMPLE = (FOLDER / "mt543_deliver_against_payment.fin").read_bytes()


@pytest.fixture(scope="module", autouse=True)
def _of_its_own() -> Iterator[None]:
    """No shapes that other tests taught: what they left in use would keep these out."""
    others, reader._shapes = reader._shapes, Shapes()
    yield
    reader._shapes = others


def quick_and_plain(template: Template, message_type: str, body: bytes, *, lenient: bool = False):
    """The check with what is known of the shape, when it was seen twice before, and without."""
    template.check(message_type, read(body))
    template.check(message_type, read(body))
    quick = template.check(message_type, read(body), lenient=lenient)
    return quick, template.check(message_type, read_plain(body), lenient=lenient)


def test_there_are_messages_of_every_template_and_of_repeating_sequences():
    assert {template.name for template, _, _ in FAULTLESS} == set(TEMPLATES)
    assert any(
        len(spans) > 1
        for template, type_, body in FAULTLESS
        for spans in template.check(type_, read_plain(body)).instances.values()
    )


def test_every_faultless_message_checks_alike_by_both_ways(monkeypatch: pytest.MonkeyPatch):
    """Each by a plan, but those with one slash for two, or without a sequence: no shape of theirs is kept."""
    for template, type_, body in FAULTLESS:
        monkeypatch.setattr(reader, "_shapes", Shapes())
        quick, plain = quick_and_plain(template, type_, body)

        assert plain == quick
        assert list(plain.values) == list(quick.values)
        known = read(body).known
        fields = read(body).fields
        if known is None and len(fields) <= MOST_FIELDS:
            has_one_slash = any(field.qualifier and not field.scheme and field.raw[5:7] != "//" for field in fields)
            assert has_one_slash or not any(field.path for field in fields)
        elif known is not None:
            assert isinstance(known.conclusions[template.nodes[type_]], CheckPlan)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_every_mangled_message_checks_alike_by_both_ways(data, lenient, nothing_seen):
    """Findings, values and their order, unknown fields, instances; whatever shapes and values were seen before."""
    if nothing_seen:  # else the places for shapes are soon taken, and only few messages are checked by a plan
        reader._shapes = Shapes()
    template, type_, sound = data.draw(st.sampled_from(FAULTLESS))
    template.check(type_, read(sound))
    template.check(type_, read(sound))
    body = data.draw(mangled([sound]))

    quick, plain = quick_and_plain(template, type_, body, lenient=lenient)

    assert plain == quick
    assert list(plain.values) == list(quick.values)


def test_what_is_given_is_the_callers_own():
    """Lists of one check may be changed without a trace in the next."""
    template, type_, body = next(each for each in FAULTLESS if each[0].check(each[1], read_plain(each[2])).instances)
    first, plain = quick_and_plain(template, type_, body)
    for kept in (*first.values.values(), *first.instances.values()):
        kept.clear()

    assert plain == template.check(type_, read(body))


def test_a_plan_keeps_few_values_and_a_shape_few_plans(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reader, "_shapes", Shapes())
    template = TEMPLATES["SI01"]
    for number in range(5 * MOST_VALUES_OF_ONE_FIELD):
        body = SAMPLE.replace(b"B0123400001", b"B%010d" % number)
        assert template.check("543", read(body)).findings == ()
    shape = read(body).known
    plan = shape.conclusions[template.nodes["543"]]
    for number in range(3 * MOST_CONCLUSIONS):
        shape.conclude(number, None)

    assert max(len(passed) for passed, _ in plan._spots) <= MOST_VALUES_OF_ONE_FIELD
    assert len(shape.conclusions) <= MOST_CONCLUSIONS


def test_format_values_and_checks_are_one_call():
    matches = TEMPLATES["SI01"].field("FIAC/36B:SETT").pattern.fullmatch
    by_format = passes_of(matches, frozenset(), [])
    by_check = passes_of(matches, frozenset(), [lambda value: value != "UNIT/1,"])
    by_checks = passes_of(matches, frozenset(), [lambda value: value != "UNIT/1,", lambda value: value != "UNIT/2,"])
    by_values = passes_of(matches, frozenset({"UNIT/1,", "UNIT/2,", "X"}), [lambda value: value != "UNIT/1,"])
    values = ["UNIT/1,", "UNIT/2,", "UNIT/3,", "X"]

    assert [True, True, True, False] == [bool(by_format(value)) for value in values]
    assert [False, True, True, False] == [bool(by_check(value)) for value in values]
    assert [False, False, True, False] == [bool(by_checks(value)) for value in values]
    assert [False, True, False, False] == [bool(by_values(value)) for value in values]
