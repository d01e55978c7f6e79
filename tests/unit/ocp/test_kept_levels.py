"""What is left of a call limit over the end of a process: never more than there was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import ConfigError
from pg_bridge.ocp.kept_levels import KeptLevels
from pg_bridge.ocp.limits import CallLimits, Limit
from tests.doubles.ocp_world import FakeClock

COMPANY = Limit(480, 60)


class Machine:
    """Both clocks of a machine, and the file on its disk."""

    def __init__(self, folder: Path, up_s: float = 1000.0) -> None:
        self.path = folder / "journal.calls"
        self.wall = 1_800_000_000.0
        self.up = FakeClock()
        self.up.forward(up_s - self.up.monotonic())

    def start(self, *limits: Limit) -> CallLimits:
        """A process starts; the one before was killed."""
        return CallLimits(limits or [COMPANY], self.up.monotonic, KeptLevels(self.path, lambda: self.wall))

    def forward(self, seconds: float) -> None:
        self.wall += seconds
        self.up.forward(seconds)


def burst(limits: CallLimits) -> int:
    """How many calls go at once."""
    return sum(1 for _ in range(1000) if limits.try_slot())


def test_a_first_start_has_its_whole_burst(tmp_path: Path) -> None:
    assert 240 == burst(Machine(tmp_path).start())


def test_a_kill_gives_no_second_burst(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert 240 == burst(machine.start())

    assert 0 == burst(machine.start())
    machine.forward(31.0)
    assert 120 == burst(machine.start())
    machine.forward(3600.0)
    assert 240 == burst(machine.start())


@settings(max_examples=50, deadline=None)
@given(steps=st.lists(st.tuples(st.floats(0, 20), st.integers(0, 200), st.booleans()), min_size=5, max_size=40))
def test_no_minute_holds_more_than_the_limit_whoever_is_killed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, int, bool]]
) -> None:
    machine = Machine(tmp_path_factory.mktemp("kept"))
    limits = machine.start()
    went: list[float] = []
    for pause, calls, is_killed in steps:
        machine.forward(pause)
        if is_killed:
            limits = machine.start()
        went += [machine.wall for _ in range(calls) if limits.try_slot()]

    assert all(went[index] - went[index - 480] > 60 - 1e-3 for index in range(480, len(went)))


def test_a_hold_outlives_the_process(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.start().hold(20.0)
    machine.forward(10.0)
    limits = machine.start()

    assert not limits.try_slot()
    machine.forward(10.1)
    assert limits.try_slot()


def test_just_after_the_machine_started_nothing_is_believed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.start().try_slot()
    machine.up = FakeClock()
    machine.up.forward(30.0 - machine.up.monotonic())

    assert 0 == burst(machine.start())


def test_a_wall_clock_that_jumps_gives_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    burst(machine.start())
    machine.wall += 86_400

    assert 0 == burst(machine.start())


def test_other_limits_begin_empty(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.start().try_slot()

    assert 0 == burst(machine.start(Limit(100, 60)))


@pytest.mark.parametrize("spoilt", [0, 1])
def test_a_record_cut_by_a_kill_leaves_the_one_before(spoilt: int, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    limits = machine.start()
    for _ in range(99 + spoilt):
        limits.try_slot()
    content = bytearray(machine.path.read_bytes())
    newest = (99 + spoilt) % 2 * 256
    content[newest + 60] ^= 1
    machine.path.write_bytes(content)

    assert 240 - 98 - spoilt == burst(machine.start())


def test_a_file_that_says_nothing_leaves_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.path.write_bytes(b"what is this?")

    assert 0 == burst(machine.start())


def test_a_file_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="how many calls are left"):
        KeptLevels(tmp_path / "none" / "journal.calls", lambda: 0.0)
