"""The reader's and the writer's laws, and how malformed texts are named without losing a byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.formats.iso15022.writer import fresh, write

X = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ "
CODE = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=4)
NAME = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=8)
TAG = st.from_regex(r"[0-9]{2}[A-Z]?", fullmatch=True).filter(lambda tag: tag not in ("16R", "16S"))
LINE = st.text(X, max_size=35)
NEXT_LINE = LINE.filter(lambda line: not line.startswith(":"))


@st.composite
def value(draw, *, first=LINE):
    return "\r\n".join([draw(first), *draw(st.lists(NEXT_LINE, max_size=3))])


@st.composite
def a_field(draw, path):
    tag = draw(TAG)
    if draw(st.booleans()):
        scheme = draw(st.one_of(st.just(""), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=8)))
        return fresh(tag, draw(CODE), scheme, draw(value()), path)
    return fresh(tag, "", "", draw(value(first=NEXT_LINE)), path)


@st.composite
def fields_below(draw, path="", depth=3):
    made = []
    for _ in range(draw(st.integers(0 if depth < 3 else 1, 3))):
        if depth and draw(st.booleans()):
            name = draw(NAME)
            made.append(fresh("16R", "", "", name, path))
            made += draw(fields_below(f"{path}/{name}" if path else name, depth - 1))
            made.append(fresh("16S", "", "", name, path))
        else:
            made.append(draw(a_field(path)))
    return made


def placed(fields: list[Field]) -> list[Field]:
    """The fields with the lines they have once written."""
    line = 1
    made = []
    for field in fields:
        made.append(field._replace(line=line))
        line += 1 + field.raw.count("\r\n")
    return made


@settings(max_examples=150, deadline=None)
@given(fields_below())
def test_what_is_written_reads_back(fields):
    body = write(fields)

    message = read(body)

    assert placed(fields) == list(message.fields)
    assert message.findings == ()
    assert body == write(message.fields)


SAMPLE = (
    b":16R:GENL\r\n:20C::SEME//B0123400001\r\n:23G:NEWM\r\n:16R:LINK\r\n:20C::POOL//2026\r\n:16S:LINK\r\n:16S:GENL\r\n"
    b":16R:TRADDET\r\n:35B:ISIN HK0005000002\r\n/HK/00005\r\n:70E::SPRO//ONE\r\nTWO\r\n:95R::REAG/CCAS/C00019\r\n"
    b":16S:TRADDET\r\n"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SAMPLE) - 3), st.integers(0, 4), st.binary(max_size=4)), max_size=4))
def test_no_mutation_raises_or_loses_a_byte(mutations):
    """Bytes cut out, put in or changed anywhere before the last line end."""
    read(SAMPLE)
    body = SAMPLE
    for at, length, new in mutations:
        body = body[:at] + new + body[at + length :]
    if not body.endswith(b"\r\n"):
        body += b"\r\n"

    message = read(body)

    assert body == write(message.fields)
    assert read(body) == message


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(body):
    message = read(body)

    assert write(message.fields) in (body, body + b"\r\n")


@settings(max_examples=100, deadline=None)
@given(
    st.text(X, min_size=1, max_size=16), st.text("0123456789,", max_size=15), st.text(X, max_size=60).map(str.lstrip)
)
def test_a_shape_read_before_changes_nothing(reference, number, text):
    """The same shape again and again, with values that look like other shapes: slashes, colons, one line more."""

    def body(reference, number, text):
        return (
            f":16R:GENL\r\n:20C::SEME//{reference}\r\n:95R::REAG/CCAS/{number}\r\n:35B:/{text}\r\n:16S:GENL\r\n"
        ).encode()

    read(body("A", "1,", "B"))

    message = read(body(reference, number, text))

    assert [
        ("16R", "", "", "GENL", "GENL", 1, ""),
        ("20C", "SEME", "", reference, f":SEME//{reference}", 2, "GENL"),
        ("95R", "REAG", "CCAS", number, f":REAG/CCAS/{number}", 3, "GENL"),
        ("35B", "", "", f"/{text}", f"/{text}", 4, "GENL"),
        ("16S", "", "", "GENL", "GENL", 5, ""),
    ] == [tuple(field) for field in message.fields]


def test_a_shape_does_not_hide_another():
    """Texts as long and as deep as one read before, but of another kind at one field."""
    read(b":16R:GENL\r\n:20C::SEME//A\r\n:35B:ONE\r\nTWO\r\n:16S:GENL\r\n")
    other = read(b":16R:GENL\r\n:20C::SEME//A\r\nTWO\r\n:35B:ONE\r\n:16S:GENL\r\n")
    generic = read(b":16R:GENL\r\n:20C::SEME/A/B\r\n:35B::ONEX//A\r\nTWO\r\n:16S:GENL\r\n")
    unclosed = read(b":16R:GENL\r\n:20C::SEME//A\r\n:35B:ONE\r\nTWO\r\n:16S:LINK\r\n")

    assert [field.value for field in other.fields] == ["GENL", "A\r\nTWO", "ONE", "GENL"]
    assert [field.line for field in other.fields] == [1, 2, 4, 5]
    assert generic.fields[1][1:4] == ("SEME", "A", "B")
    assert generic.fields[2][1:4] == ("ONEX", "", "A\r\nTWO")
    assert unclosed.findings


@pytest.mark.parametrize(
    ("raw", "qualifier", "scheme", "rest"),
    [
        (":SEME//B01", "SEME", "", "B01"),
        (":SETT/PEND", "SETT", "", "PEND"),
        (":REAG/CCAS/C00019", "REAG", "CCAS", "C00019"),
        (":REAG/CCAS/A/B", "REAG", "CCAS", "A/B"),
        (":SEME//A/B//C", "SEME", "", "A/B//C"),
        (":SEME///A", "SEME", "", "/A"),
        (":SEME//", "SEME", "", ""),
        (":SEME/", "SEME", "", ""),
        ("NEWM", "", "", "NEWM"),
        ("00001/ONLY", "", "", "00001/ONLY"),
        ("", "", "", ""),
    ],
)
def test_qualifier_scheme_and_value(raw, qualifier, scheme, rest):
    message = read(f":20C:{raw}\r\n".encode())

    assert [(qualifier, scheme, rest, raw)] == [field[1:5] for field in message.fields]
    assert message.findings == ()


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", 0),
        (b":20C::SEME//A", 0),
        (b"STRAY\r\n:20C::SEME//A\r\n", 1),
        (b":16R:GENL\r\n:2XC::SEME//A\r\n:16S:GENL\r\n", 0),
        (b":16R:GENL\r\n:20C:\r\n:16S:LINK\r\n:16S:GENL\r\n", 3),
        (b":16S:GENL\r\n", 1),
        (b":16R:GENL\r\n:23G:NEWM\r\n", 0),
        (b":16R:GENL\r\n:20C::SE//A\r\n:16S:GENL\r\n", 2),
        (b":16R:GENL\r\n:20C:: SEME//A\r\n:16S:GENL\r\n", 2),
        (b":70E::SPRO//CAF\xc9\r\n", 1),
        (b":70E::SPRO//A\r\nB{C\r\n", 1),
        (b":70E::SPRO//A\x00\r\n", 1),
    ],
    ids=[
        "empty", "no_last_line_end", "stray_line", "bad_tag", "closes_another", "closes_nothing", "never_closed",
        "short_qualifier", "no_qualifier", "latin", "brace", "nul",
    ],
)  # fmt: skip
def test_a_malformed_text_is_named(body, line):
    message = read(body)

    assert message.findings
    assert all(finding.severity == "error" and finding.code.startswith("PGB-MSG-01") for finding in message.findings)
    if line:
        assert line in [finding.line for finding in message.findings]


def test_all_faults_are_named_not_the_first():
    message = read(b":16R:GENL\r\n:20C::SE//A\r\n:70E::SPRO//{\r\n:16S:LINK\r\n")

    assert len(message.findings) >= 4


def test_after_a_sequence_that_is_not_closed_the_next_ones_find_their_place():
    message = read(b":16R:A\r\n:16R:B\r\n:20C::SEME//1\r\n:16S:A\r\n:16R:C\r\n:20C::SEME//2\r\n:16S:C\r\n")

    assert [field.path for field in message.fields if field.tag == "20C"] == ["A/B", "C"]


def test_fresh_fields_have_two_slashes():
    assert (
        write(
            [
                fresh("25D", "SETT", "", "PEND", "GENL/STAT"),
                fresh("95R", "REAG", "CCAS", "C00019", "SETPRTY"),
                fresh("23G", "", "", "INST", "GENL"),
            ]
        )
        == b":25D::SETT//PEND\r\n:95R::REAG/CCAS/C00019\r\n:23G:INST\r\n"
    )
