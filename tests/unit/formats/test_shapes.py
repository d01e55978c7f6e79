"""Shapes make no difference but that of speed, stay bounded, and those in use stay whatever else is sent."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.formats.iso15022 import reader
from pg_bridge.formats.iso15022.model import Field, Message
from pg_bridge.formats.iso15022.reader import read, read_plain
from pg_bridge.formats.iso15022.shapes import (
    LONGEST_VALUE,
    MOST_FIELDS,
    MOST_LINES,
    MOST_OF_ONE_SIZE,
    MOST_SHAPES,
    MOST_VALUES,
    MOST_VALUES_OF_ONE_FIELD,
    PATIENCE,
    Shapes,
)
from tests.doubles.mangling import mangled

MESSAGES = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "messages").glob("*.fin"))]


@settings(max_examples=300, deadline=None)
@given(mangled(MESSAGES), st.booleans())
def test_a_text_reads_as_if_none_of_its_shape_had_been_read_before(body: bytes, nothing_seen: bool):
    """With room for its shape, and with the shapes of whatever was read before."""
    others = reader._shapes
    if nothing_seen:
        reader._shapes = Shapes()
    first, second = read(body), read(body)
    reader._shapes = others

    assert read_plain(body) == first
    assert read_plain(body) == second
    assert [type(field) for field in first.fields] == [Field] * len(first.fields)


def test_a_message_is_the_same_whatever_is_known_of_its_shape():
    fields = read_plain(MESSAGES[0]).fields

    assert Message(fields, ()) == Message(fields, (), object())
    assert hash(Message(fields, ())) == hash(Message(fields, (), object()))
    assert Message(fields, ()) != Message(fields[1:], ())


def text(*fields: str) -> bytes:
    return "\r\n".join([":16R:GENL", *fields, ":16S:GENL", ""]).encode()


def pieces(body: bytes) -> tuple[list[str], int]:
    return body.decode()[1:-2].split("\r\n:"), body.count(b"\r\n")


def taught(shapes: Shapes, body: bytes) -> bool:
    """Read, and learn where the shape is not known; whether it was."""
    if shapes.read(*pieces(body)) is not None:
        return True
    message = read_plain(body)
    assert message.findings == ()
    shapes.learn(message.fields, body.count(b"\r\n"))
    return False


def qualifier(number: int) -> str:
    return f"{number:04d}"


def of_one_size(number: int) -> bytes:
    return text(f":20C::{qualifier(number)}//A", ":23G:NEWM")


def of_many_sizes(number: int) -> bytes:
    return text(f":20C::{qualifier(number)}//A", *[":23G:NEWM"] * (1 + number % 90))


def test_the_shapes_kept_are_bounded():
    shapes, alike = Shapes(), Shapes()

    for number in range(2000):
        taught(shapes, of_many_sizes(number))
        taught(alike, of_one_size(number))

    assert MOST_SHAPES == len(shapes)
    assert MOST_OF_ONE_SIZE == len(alike)


def test_a_shape_in_use_stays_whatever_else_is_sent():
    """As long as it comes once in a while, no sender of ever new shapes drives it out."""
    for other in (of_many_sizes, of_one_size):
        shapes = Shapes()
        own = text(":20C::SEME//A", ":35B:ISIN HK0005000002", ":70E::SPRO//A\r\nB")
        if other is of_one_size:
            own = text(":20C::SEME//A", ":35B:ISIN HK0005000002")
        taught(shapes, own)

        known = [
            taught(shapes, own) for number in range(3000) if not taught(shapes, other(number)) and number % 16 == 0
        ]

        assert all(known)
        assert len(known) > 100


def test_a_shape_out_of_use_makes_room():
    shapes = Shapes()
    for number in range(MOST_OF_ONE_SIZE):
        taught(shapes, of_one_size(number))

    new = of_one_size(9999)
    asked = [taught(shapes, new) for _ in range(MOST_OF_ONE_SIZE * (PATIENCE + 1) + 1)]

    assert not asked[0]
    assert asked[-1]
    assert MOST_OF_ONE_SIZE == len(shapes)


def test_what_a_shape_keeps_of_values_is_bounded():
    for count in (2, 20, MOST_FIELDS - 2):
        shapes = Shapes()
        for number in range(200):
            taught(shapes, text(*[f":20C::SEME//{number}"] * count))
        found = shapes.read(*pieces(text(*[":20C::SEME//A"] * count)))

        assert found is not None
        kept = [len(memo) for _, memo, _ in found[1]._spots]
        assert max(kept) <= MOST_VALUES_OF_ONE_FIELD
        assert sum(kept) <= MOST_VALUES


def test_long_values_and_large_messages_are_not_kept():
    shapes = Shapes()
    long = text(":20C::SEME//A", f":70E::SPRO//{'X' * LONGEST_VALUE}")
    taught(shapes, long)
    found = shapes.read(*pieces(long))
    for body in (text(*[":23G:NEWM"] * MOST_FIELDS), text(":20C::SEME//A", ":70E::SPRO//" + "\r\nA" * MOST_LINES)):
        taught(shapes, body)

    assert found is not None
    assert [1, 0] == [len(memo) for _, memo, _ in found[1]._spots]
    assert len(shapes) == 1
