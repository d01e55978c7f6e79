"""atheris on the readers: `python -m tests.fuzz.reader [libFuzzer options] [CORPUS FOLDER]`; pip install -e '.[fuzz]'.

`-max_total_time=120` ends after two minutes; a crash is written to a file of its own, which may then be named as the
argument. The laws: nothing raises, the frames do not depend on how the bytes were split, and a text block reads the
same whether or not one of its shape was read before, and is written as it was read.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["pg_bridge.link", "pg_bridge.formats"]):
    from pg_bridge.formats.iso15022.reader import read, read_plain
    from pg_bridge.formats.iso15022.writer import write
    from pg_bridge.link.control import Controls
    from pg_bridge.link.framing import BadFrame, Frame, FrameReader, Framing

from tests.doubles.link_pair import shipped_profile
from tests.fuzz.mutations import SAMPLES

_PROFILE = shipped_profile()
_FRAMING = Framing(_PROFILE)
_CONTROLS = Controls(_PROFILE)
_OPENING = SAMPLES[1][: _FRAMING.body_open]


def frames(data: bytes, cut: int) -> list[Frame | BadFrame]:
    """What the reader gives for `data` in two pieces."""
    reader = FrameReader(_FRAMING)
    return reader.feed(data[:cut]) + reader.feed(data[cut:])


def one_input(data: bytes) -> None:
    """Read `data` as a stream, as a text block behind a good opening, and as a text block."""
    cut = data[0] if data else 0
    for stream in (data[1:], _OPENING + data[1:]):
        found = frames(stream, 0)
        assert found == frames(stream, cut), "another split gives other frames"
        for frame in found:
            if isinstance(frame, Frame) and _CONTROLS.name(frame.template):
                _CONTROLS.read(frame.template, frame.body)
    message = read(data[1:])
    assert message == read_plain(data[1:]), "what is kept of a shape changes the message"
    assert message.findings or write(message.fields) == data[1:], "a message is not written as it was read"


def main() -> None:
    """Fuzz until told to stop."""
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
