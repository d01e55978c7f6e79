"""Too much of anything is refused at once, whatever it is; findings come by file and line, those of the link too."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pg_bridge.errors import MappingInvalid
from pg_bridge.mapping.book import load
from pg_bridge.mapping.checks.check import check

FRAMING = "legacy/framing.toml"
CODES = "legacy/codes.toml"
INPUT = "rules/si-input.toml"
CASES = "rules/si-input.cases.toml"
SI01 = "legacy/templates/SI01.toml"

RULE = '[[request.rule]]\nfrom = "GENL/20C:SEME"\nto = "requestReference"\n'
FIELD = '[[field]]\npath = "GENL"\ntag = "20C"\nstatus = "O"\nformat = "16x"\nmeaning = ""\nsource = "public"\n'
SEQUENCE = '[[sequence]]\npath = "A"\nstatus = "M"\n'
CASE = '[[case]]\nname = "x"\nkind = "request"\n'
SHARED = (
    'name = "s"\nversion = "1"\nsource = "public"\nblock = [{ at = "GENL", fields = ['
    + '{field = "1"},' * 15_000
    + "] }]"
)

Files = dict[str, str]


def _more(path: str, text: str) -> Callable[[Files], Files]:
    return lambda files: {**files, path: files.get(path, "") + "\n" + text}


def _copies(path: str, count: int, name: str) -> Callable[[Files], Files]:
    """`count` copies of a file beside it, each with its own name."""

    def made(files: Files) -> Files:
        copies = {
            path.replace(".toml", f"-{number}.toml"): files[path].replace(f'name = "{name}"', f'name = "X{number}"')
            for number in range(count)
        }
        return {**files, **copies}

    return made


TOO_MUCH = {
    "rules in a file": _more(INPUT, RULE * 100_000),
    "rules in a file that is small enough": _more(INPUT, RULE * 3_000),
    "rules over files": lambda files: {
        **files,
        **{f"rules/r{number}.toml": files[INPUT] + RULE * 1_000 for number in range(100)},
    },
    "files": lambda files: {**files, **{f"rules/r{number}.toml": "" for number in range(100_000)}},
    "files without rules": lambda files: {**files, **{f"rules/r{number}.toml": "x = 1" for number in range(900)}},
    "copies of a template": _copies(SI01, 90, "SI01"),
    "copies of a template of one name": _copies(SI01, 90, "none"),
    "copies of a rule file of one name": _copies(INPUT, 150, "none"),
    "fields": _more(SI01, FIELD * 100_000),
    "fields that fit": _more(SI01, FIELD * 1_500),
    "sequences": _more(SI01, SEQUENCE * 5_000),
    "sequences within one another": _more(SI01, "".join(SEQUENCE.replace("A", "/".join("A" * n)) for n in range(1, 400))),
    "code rows": _more(CODES, "[t]\nmeaning=''\nsource='public'\n[t.entries]\n" + "".join(f"a{n}='b'\n" for n in range(100_000))),
    "preferred keys": _more(CODES, "[t]\nmeaning=''\nsource='public'\npreferred=[" + "'zz'," * 20_000 + "]\n[t.entries]\n" + "".join(f"a{n}='b'\n" for n in range(10_000))),
    "good code rows": _more(CODES, "[t]\nmeaning=''\nsource='public'\n[t.entries]\n" + "".join(f"a{n}='b'\n" for n in range(20_000))),
    "good code tables": _more(CODES, "".join(f"[t{n}]\nmeaning=''\nsource='public'\nentries={{a='b'}}\n" for n in range(4_000))),
    "cases": _more(CASES, CASE * 100_000),
    "cases that fit": _more(CASES, CASE * 4_000),
    "fields of a block": _more("rules/shared/s.toml", SHARED),
    "nesting": _more(INPUT, "x = " + "[" * 100_000),
    "brackets": _more(INPUT, "x = [" * 40_000),
    "one text": _more(INPUT, "x = '" + "y" * 50_000_000 + "'"),
    "one text that fits": _more(INPUT, "x = '" + "y" * 240_000 + "'"),
    "one name": _more(FRAMING, "y" * 240_000 + " = 1"),
    "one list": _more(FRAMING, "x = [" + "1," * 110_000 + "]"),
    "a path of one step": lambda files: {**files, INPUT: files[INPUT].replace("FIAC/36B:SETT", "F" * 200_000)},
    "a path of many steps": lambda files: {**files, INPUT: files[INPUT].replace("FIAC/36B:SETT", "F/" * 100_000)},
    "a format": lambda files: {**files, SI01: files[SI01].replace('"16x"', '"' + "[1x]" * 50_000 + '"')},
    "a condition": lambda files: {
        **files,
        INPUT: files[INPUT].replace('to = "quantity"', 'to = "quantity"\nwhen = { "FIAC/97A:SAFE" = { shape = "' + "[1x]" * 40 + '" } }'),
    },
    "a byte order mark": lambda files: {**files, INPUT: "\ufeff" + files[INPUT]},
    "a NUL": lambda files: {**files, INPUT: "\0" + files[INPUT]},
    "half a file": lambda files: {**files, INPUT: files[INPUT][:1500]},
}  # fmt: skip


@pytest.mark.parametrize("change", TOO_MUCH.values(), ids=list(TOO_MUCH))
def test_too_much_is_refused_within_seconds(
    request: pytest.FixtureRequest, files: Files, change: Callable[[Files], Files]
) -> None:
    many = change(dict(files))

    began = time.process_time()
    findings = check(many)
    took = time.process_time() - began

    assert bool(findings) != request.node.callspec.id.startswith("good")
    assert len(findings) <= 1_001
    assert all(len(finding.text) < 2_000 and len(finding.path) < 500 for finding in findings)
    # most take a tenth of it; with all cores busy a second of processor time may do half as much work
    assert 3 > took


def test_line_ends_of_windows_change_nothing(files: Files) -> None:
    assert [] == check({path: text.replace("\n", "\r\n") for path, text in files.items()})


def test_the_link_is_checked_with_the_rest_and_refuses_the_set(files: Files) -> None:
    edited = {
        **files,
        FRAMING: files[FRAMING].replace("window = 16", "window = 0").replace('value = "01"', 'value = "1"'),
        CODES: files[CODES].replace('to = "79999"', 'to = "69999"'),
        INPUT: files[INPUT] + "\n[[request.rules]]\n",
    }

    with pytest.raises(MappingInvalid) as caught:
        load(edited)

    at = [(finding.path, finding.line) for finding in caught.value.findings]
    assert sorted(at) == at
    assert [CODES, FRAMING, FRAMING, INPUT] == [path for path, _ in at]
    assert all(line for _, line in at)
    assert check(edited) == list(caught.value.findings)


def test_a_file_that_nobody_reads_is_a_warning(files: Files) -> None:
    (finding,) = check({**files, "legacy/framming.toml": "x = 1"})

    assert ("legacy/framming.toml", "warning") == (finding.path, finding.severity)
    assert "`legacy/framing.toml`" in finding.remedy


def test_a_missing_link_profile_refuses_the_set(files: Files) -> None:
    with pytest.raises(MappingInvalid) as caught:
        load({path: text for path, text in files.items() if path != FRAMING})

    assert [FRAMING] == [finding.path for finding in caught.value.findings]
