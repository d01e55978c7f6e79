"""Operations that an OCP profile may leave out, with what only they need."""

from __future__ import annotations

import tomllib

import pytest

from pg_bridge.errors import MappingInvalid
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.market_concepts import MARKET_CODE_TABLES, MARKET_GROUPS, OPTIONAL_OPERATIONS
from pg_bridge.profiles.ocp import read_ocp_profile
from pg_bridge.profiles.ocp_file import PROFILE_FILE
from tests.doubles.ocp_world import ocp_files


def without(*operations: str, groups: set[str] = frozenset(), tables: set[str] = frozenset()) -> dict[str, str]:  # type: ignore[assignment]
    """The shipped files without lines of these operations, and without these sections."""
    files = ocp_files()
    kept, section = [], ""
    left_out = {f"[binding.{name}]" for name in groups} | {f"[codes.{name}]" for name in tables}
    for line in files[PROFILE_FILE].splitlines():
        if line.startswith("["):
            section = line
        if section in left_out or line.split(" = ")[0] in operations:
            continue
        kept.append(line)
    files[PROFILE_FILE] = "\n".join(kept) + "\n"
    tomllib.loads(files[PROFILE_FILE])
    return files


def test_all_of_them_may_be_left_out_with_their_groups_and_tables() -> None:
    files = without(*OPTIONAL_OPERATIONS, groups=set(MARKET_GROUPS), tables=set(MARKET_CODE_TABLES))
    profile = read_ocp_profile(files)

    assert set(Operation) - {Operation(name) for name in OPTIONAL_OPERATIONS} == set(profile.operations)


@pytest.mark.parametrize("operation", OPTIONAL_OPERATIONS)
def test_one_that_is_there_needs_its_groups(operation: str) -> None:
    others = set(OPTIONAL_OPERATIONS) - {operation}
    with pytest.raises(MappingInvalid) as caught:
        read_ocp_profile(without(*others, groups=set(MARKET_GROUPS)))

    places = {finding.text.split(": ")[0].split(".")[1] for finding in caught.value.findings}
    assert set(OPTIONAL_OPERATIONS[operation]) == places
    assert all(finding.remedy for finding in caught.value.findings)


def test_one_that_is_there_needs_its_codes() -> None:
    with pytest.raises(MappingInvalid) as caught:
        read_ocp_profile(without(tables={"side"}))

    assert {"codes.side"} == {finding.text.split(": ")[0] for finding in caught.value.findings}


def test_a_group_that_is_there_is_whole_or_a_finding_even_where_nobody_needs_it() -> None:
    files = without("trades", "trade_range")
    files[PROFILE_FILE] = files[PROFILE_FILE].replace('hedge = "hedge"\n', "")
    with pytest.raises(MappingInvalid) as caught:
        read_ocp_profile(files)

    assert ["binding.trade.hedge: the concept is not bound"] == [one.text for one in caught.value.findings]
