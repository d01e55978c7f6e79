"""What is wrong with framing.toml is found when it is read."""

import pytest

from pg_bridge.errors import MappingInvalid
from pg_bridge.link.framing import Frame, FrameReader, Framing, Header
from pg_bridge.link.profile import read_link_profile
from tests.doubles.link_pair import BODY, framing_text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('concept = "terminal"', 'concept = "terminus"'),
        ('concept = "terminal"', 'concept = "participant"'),
        ('value = "01"', 'value = "1"'),
        ('{ to_pg = "I", to_pss = "O" }', '{ to_pg = "I" }'),
        ('meaning = "busy"', 'meaning = "idle"'),
        ("heartbeat = { template", "pulse = { template"),
        ("digits = 10", "digits = 9"),
        ('["0A", "0D"', '["0A", "XY"'),
        ('from = "frame_open"', 'from = "text_close"'),
        ('mismatch = "reject"', 'mismatch = "perhaps"'),
        ("[limits]", "[limits"),
        ("window = 16", "windows = 16"),
        ("window = 16", "window = -1"),
        ('concept = "checksum", width = 10, kind = "n"', 'concept = "checksum", width = 10, kind = "x"'),
        ("heartbeat_s = 30", "heartbeat_s = 0"),
        ("heartbeat_s = 30", "heartbeat_s = inf"),
        ("heartbeat_s = 30", "heartbeat_s = nan"),
        ("largest = 999999", "largest = 1000000"),
        ("largest = 999999", "largest = 0"),
        ('["0A", "0D", ', "["),
        ('request = "002", ', ""),
        ('template = "LGOF"', 'template = "LGON"'),
        ('text = "TEXT"\n', ""),
        ('text = "TEXT"', 'text = "USER"'),
        ('{ to_pg = "I", to_pss = "O" }', '{ to_pg = "I", to_pss = "I" }'),
        ('concept = "length", width = 6, kind = "n"', 'concept = "length", width = 6, kind = "x"'),
    ],
)
def test_fault_is_found(old: str, new: str) -> None:
    assert old in framing_text()
    with pytest.raises(MappingInvalid) as caught:
        read_link_profile(framing_text().replace(old, new))

    assert caught.value.findings
    assert all(finding.text for finding in caught.value.findings)


def test_all_findings_come_together() -> None:
    text = framing_text().replace('concept = "terminal"', 'concept = "terminus"').replace("digits = 10", "digits = 9")
    with pytest.raises(MappingInvalid) as caught:
        read_link_profile(text)

    assert len(caught.value.findings) >= 3


@pytest.mark.parametrize("algorithm", ["sum", "xor", "crc32", "mod97", "none"])
def test_each_algorithm_reads_what_it_writes(algorithm: str) -> None:
    text = framing_text().replace('algorithm = "sum"', f'algorithm = "{algorithm}"')
    framing = Framing(read_link_profile(text))
    header = Header("B01234", "PSS1", "", 1, "to_pg", "543", "SI01", "20261123093000", False)

    (frame,) = FrameReader(framing).feed(framing.write(header, BODY))

    assert isinstance(frame, Frame)
    assert frame.faults == ()


@pytest.mark.parametrize(("mode", "faults"), [("reject", True), ("ignore", False)])
def test_mismatch_mode_is_obeyed(mode: str, faults: bool) -> None:
    framing = Framing(read_link_profile(framing_text().replace('mismatch = "reject"', f'mismatch = "{mode}"')))
    header = Header("B01234", "PSS1", "", 1, "to_pg", "543", "SI01", "20261123093000", False)
    raw = framing.write(header, BODY)

    (frame,) = FrameReader(framing).feed(raw[:-2] + b"%d}" % ((raw[-2] - 48 + 1) % 10))

    assert isinstance(frame, Frame)
    assert faults == bool(frame.faults)


def test_limit_below_one_is_found() -> None:
    with pytest.raises(MappingInvalid):
        read_link_profile(framing_text().replace("window = 16", "window = 0"))


def test_meaning_bound_twice_is_found() -> None:
    row = next(line for line in framing_text().splitlines() if line.startswith("BUSY = "))
    with pytest.raises(MappingInvalid):
        read_link_profile(framing_text().replace(row, f"{row}\n{row.replace('BUSY', 'WAIT')}"))
