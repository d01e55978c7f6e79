"""Texts of messages mangled at random, for laws that must hold of every text: hypothesis strategies."""

from __future__ import annotations

from hypothesis import strategies as st

#: what values and lines are changed into: good ones, bad ones, and such as look like something else
ODD = (
    "", "A", "/", "//", ":", "-", "\r\n", "\r", "\n", "\t", "\xe9", "UNIT/0,", "UNIT/5,", "UNIT/7,5", "HKD1,", "HKD0,",
    "20261125", "20261131", "ISIN HK0005000002", "ISIN HK0005000003", "NEWM", "PREA", "CCAS", "A\r\nB", "A\r\n:B",
    "A\r\n:16S:GENL", "B0123400002", "X" * 40, "X" * 90,
)  # fmt: skip
NEW_LINES = (
    ":16R:GENL", ":16S:GENL", ":16R:LINK", ":16S:LINK", ":16R:STAT", ":16S:STAT", ":16R:NONE", ":16S:NONE",
    ":20C::SEME//B9", ":20C::SEME/A/B9", ":20C::POOL//1", ":23G:NEWM", ":99B::SETT//003", ":70E::SPRO//A", "LOOSE",
    ":22F::SETR//TRAD", ":95R::REAG//C00019", ":97A::SAFE//00000001",
)  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn, texts: list[bytes]) -> bytes:
    """One of `texts` with up to four changes: a line left out, doubled, moved, put in, or its value another."""
    lines = draw(st.sampled_from(texts)).decode("latin-1").split("\r\n")[:-1]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines) - 1)) if lines else 0
        change = draw(st.sampled_from(["value", "value", "value", "out", "twice", "move", "in"]))
        if change == "in" or not lines:
            lines.insert(at, draw(st.sampled_from(NEW_LINES)))
        elif change == "out":
            del lines[at]
        elif change == "twice":
            lines.insert(at, lines[at])
        elif change == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
        else:
            mark = draw(st.sampled_from(["//", ":", "/"]))
            head, there, _ = lines[at].rpartition(mark)
            lines[at] = head + there + draw(st.sampled_from(ODD))
    end = draw(st.sampled_from(["\r\n", "\r\n", "\r\n", "", "\n"]))
    return ("\r\n".join(lines) + end).encode("latin-1")
