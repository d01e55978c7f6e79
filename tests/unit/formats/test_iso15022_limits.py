"""A hostile text costs no more than its own size, and is named."""

import tracemalloc

from pg_bridge.formats.iso15022.reader import MOST_FINDINGS, MOST_OPEN, read
from pg_bridge.formats.iso15022.writer import write


def test_sequences_opened_without_end_do_not_fill_the_memory():
    """The paths of 60,000 nested sequences would take gigabytes."""
    body = b":16R:AAAAAAAA\r\n" * 60_000
    tracemalloc.start()

    message = read(body)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 * len(body)
    assert max(len(field.path) for field in message.fields) < 9 * MOST_OPEN
    assert body == write(message.fields)


def test_findings_are_counted_beyond_the_limit():
    message = read(b":16S:A\r\n" * (MOST_FINDINGS + 42))

    assert len(message.findings) == MOST_FINDINGS + 1
    assert "42" in message.findings[-1].text


def test_a_lone_line_feed_is_named():
    message = read(b":70E::SPRO//A\nB\r\n")

    assert [finding.code for finding in message.findings] == ["PGB-MSG-017"]
    assert message.findings[0].line == 1


def test_a_tag_without_its_second_colon_is_none_whatever_was_read_before():
    read(b":23G:NEWM\r\n")
    body = b":16R:GENL\r\n:23G\r\n:16S:GENL\r\n"

    message = read(body)

    assert [finding.code for finding in message.findings if finding.code == "PGB-MSG-012"]
    assert body == write(message.fields)
