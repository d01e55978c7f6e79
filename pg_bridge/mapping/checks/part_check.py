"""What rules, values and fields are checked for alike: functions, options, code tables, conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Faults
from pg_bridge.mapping.conditions import condition_faults
from pg_bridge.mapping.document import Part
from pg_bridge.mapping.functions import FUNCTIONS, option_faults
from pg_bridge.profiles.legacy import CodeTable
from pg_bridge.profiles.template import FieldSpec

#: What rules may take from the context.
CONTEXT = ("reference", "participant", "terminal", "business_date", "timestamp", "snapshot")

_LENGTH = re.compile(r"([0-9]+)!?[naxzch]")
_LINES = re.compile(r"([0-9]+)\*([0-9]+)[naxzch]")

Tables = Mapping[str, CodeTable]


def part_faults(part: Part, tables: Tables, *, to_ocp: bool) -> Faults:
    """Names that do not exist, functions that do not serve this direction, options and conditions that do not fit."""
    if part.use:
        function = FUNCTIONS.get(part.use)
        if function is None:
            yield Fault(f.WRONG_FUNCTION, f"there is no function {part.use}; there are {', '.join(sorted(FUNCTIONS))}")
        else:
            if (function.to_ocp if to_ocp else function.to_legacy) is None:
                yield Fault(f.WRONG_FUNCTION, f"the function {part.use} does not serve this direction")
            yield from (Fault(f.WRONG_FUNCTION, text) for text in option_faults(part.use, part.options))
            if not to_ocp and function.members > 1 and len(part.sources()) != function.members:
                yield Fault(f.WRONG_FUNCTION, f"the function {part.use} takes {function.members} sources")
    elif part.options:
        yield Fault(f.WRONG_FUNCTION, "options are for a function: say `use`")
    if part.codes and part.codes not in tables:
        text = f"codes.toml has no table {part.codes}; there are {', '.join(sorted(tables))}"
        yield Fault(f.NO_SUCH_TABLE, text)
    if bool(part.constant) == bool(part.sources()):
        yield Fault(f.SAYS_TOO_MUCH, "say one of `from` and `constant`")
    if part.constant and (part.use or part.codes or part.default):
        yield Fault(f.SAYS_TOO_MUCH, "a constant needs no `use`, `codes` or `default`")
    yield from (Fault(f.WRONG_CONDITION, text) for text in condition_faults(part.when))


def is_sound(part: Part, tables: Tables, *, to_ocp: bool) -> bool:
    """Whether further checks of a part make sense."""
    return not any(part_faults(part, tables, to_ocp=to_ocp))


def table_codes(table: CodeTable) -> set[str]:
    """Every code that a table can give for a key."""
    codes = set(table.entries.values()) | {code for _, _, code in table.ranges}
    return codes | ({table.default} if table.default is not None else set())


def legacy_codes(table: CodeTable) -> set[str]:
    """Every legacy code that a table can give for an OCP code."""
    if table.keys == "ocp":
        return table_codes(table)
    return set(table.inverse.values()) | ({table.default} if table.default is not None else set())


def most_characters(spec: FieldSpec) -> int:
    """The most characters of a field's value, 0 where its format does not tell by itself."""
    if spec.values:
        return max(len(value) for value in spec.values)
    lines = _LINES.fullmatch(spec.format)
    if lines is not None:
        return int(lines[1]) * (int(lines[2]) + 1) - 1
    length = _LENGTH.fullmatch(spec.format)
    return int(length[1]) if length is not None else 0
