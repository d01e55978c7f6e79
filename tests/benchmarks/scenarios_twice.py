"""Plays every scenario twice, each time in a fresh world of the same seed, and compares all bytes.

    python -m tests.benchmarks.scenarios_twice [--set shipped|ocp_b|legacy_b|both_b] [NAME ...]

Compared are: what each PSS sent and what came to it, connection by connection; every call of OCP in its order, with
method, path, query, headers and body, and the answer's status, headers and body (tokens and signatures in them too);
every try of a push, with headers, signature, body and the bridge's answer. Not compared is what the HTTP library writes
on the wire by itself. Where a set signs by an algorithm with chance in it (ES256, PS256), tokens and signatures differ
and are left out on both sides.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

from pg_bridge import telemetry
from pg_bridge.cli.own_stage import Set
from pg_bridge.cli.scenario_playing import Playing, lacking, play_one
from pg_bridge.cli.scenario_report import name_of
from pg_bridge.cli.simulate_pss import FOLDER, read_scenarios
from pg_bridge.cli.world import mappings_folder, read_mappings
from pg_bridge.simulator.scenario_record import WireRecord
from tests.doubles.mapping_sets import SETS, write_set

_BY_CHANCE = ("ES256", "PS256")
#: a compact JWS, and a signature alone
_SIGNED = re.compile(rb"eyJ[\w-]+\.[\w-]*\.[\w-]+|(?<=[ ,\"])[\w-]{86}(?=[\n\"])")


def main() -> int:
    """0 when all are good and alike."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("names", nargs="*")
    options.add_argument("--set", choices=SETS, default="shipped")
    asked = options.parse_args()
    telemetry.set_up(level="critical")
    with tempfile.TemporaryDirectory() as folder:
        at = write_set(asked.set, Path(folder)) or str(mappings_folder())
        chosen = Set(read_mappings(at), at)
        names = [f"{at}/{FOLDER}/{name}.toml" for name in asked.names] or [f"{at}/{FOLDER}"]
        return _compare(chosen, names, at)


def _compare(chosen: Set, names: list[str], at: str) -> int:
    leaves_out = chosen.ocp.token.algorithm in _BY_CHANCE
    wrong = size = runs = 0
    began = time.perf_counter()
    for scenario in read_scenarios(names, at):
        if why := lacking(scenario, chosen):
            print(f"{name_of(scenario):<36} left out: {why}")
            continue
        playing, records = Playing(), [WireRecord(), WireRecord()]
        for record in records:
            play_one(scenario, chosen, "TWICE1", playing, record=record)
        first, second = (
            {name: _SIGNED.sub(b"", bytes(data)) if leaves_out else bytes(data) for name, data in one.channels.items()}
            for one in records
        )
        unlike = [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)]
        good = all(run["good"] for run in playing.runs)
        wrong += bool(unlike) or not good
        runs += 1
        size += sum(map(len, first.values()))
        told = f"differ: {', '.join(unlike)}" if unlike else f"{sum(map(len, first.values())):>9,} bytes, the same"
        print(f"{name_of(scenario):<36} {told}{'' if good else ', AND NOT AS IT SHOULD BE'}", flush=True)
    took_s = time.perf_counter() - began
    print(f"{runs - wrong} of {runs} scenarios twice alike and good, {size:,} bytes each time, in {took_s:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
