"""The sample files: each fits the OpenAPI document, says what its name says, and is made by either OCP profile."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pg_bridge.cli.simulate_samples import INDEX, write_samples
from pg_bridge.profiles.concepts import EventType, Operation, Refusal
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from pg_bridge.profiles.openapi import delivery_name, json_schema, resolved
from pg_bridge.simulator.sample_stories import left_out, make_samples
from pg_bridge.simulator.samples import Sample
from tests.doubles.mapping_sets import set_files
from tests.doubles.ocp_caller import shipped_profile

Made = tuple[OcpProfile, list[Sample]]


@pytest.fixture(scope="module", params=["shipped", "ocp_b"])
def made(request: pytest.FixtureRequest) -> Made:
    profile = read_ocp_profile(set_files(request.param))
    return profile, asyncio.run(make_samples(profile))


def _is_shipped(profile: OcpProfile) -> bool:
    """The other document describes answers of 200 only, and no bodies of requests."""
    return profile.name == shipped_profile().name


def _described(profile: OcpProfile, sample: Sample) -> Any:
    return profile.openapi["paths"][sample.request["path"]][sample.request["method"].lower()]


def _answer_faults(profile: OcpProfile, sample: Sample) -> list[str]:
    responses = _described(profile, sample)["responses"]
    assert sample.answer is not None
    if str(sample.status) not in responses:
        return [f"{sample.status} is not described"] if _is_shipped(profile) else []
    response = resolved(profile.openapi, responses[str(sample.status)])
    if "frames" in sample.answer:
        document = profile.write("delivery", {"events": sample.answer["frames"]})
        return profile.faults(delivery_name(profile.openapi), document)
    if not isinstance(sample.answer["body"], dict):
        return [] if {"text/html", "text/event-stream"} & set(response["content"]) else ["it is no JSON"]
    schema = json_schema(profile.openapi, response)
    return profile.faults(schema, sample.answer["body"]) if schema or _is_shipped(profile) else []


def test_each_answer_fits_the_schema_of_its_status(made: Made) -> None:
    profile, samples = made
    faults = {
        f"{one.operation} {one.outcome}": found
        for one in samples
        if one.operation != "delivery" and (found := _answer_faults(profile, one))
    }

    assert {} == faults


def test_each_request_that_is_accepted_fits_its_schema(made: Made) -> None:
    profile, samples = made
    looked = 0
    for one in samples:
        if (
            one.operation in ("token", "delivery")
            or "body" not in one.request
            or not one.outcome.startswith(("accepted", "found", "nothing"))
        ):
            continue
        entries = profile.get("request", "entries", one.request["body"]) if _is_shipped(profile) else None
        spec = profile.operations[Operation(one.operation)]
        for entry in entries if isinstance(entries, list) else [one.request["body"]]:
            assert [] == profile.faults(spec.entry, entry), one
        if _is_shipped(profile):
            name = json_schema(profile.openapi, _described(profile, one)["requestBody"])
            assert [] == profile.faults(name, one.request["body"]), one
        looked += 1

    assert 15 <= looked


def test_a_push_fits_its_schema_and_there_is_one_of_nearly_every_event(made: Made) -> None:
    profile, samples = made
    pushes = [one for one in samples if one.operation == "delivery"]

    assert [[]] * len(pushes) == [profile.faults(delivery_name(profile.openapi), one.request["body"]) for one in pushes]
    assert {kind.value for kind in EventType} - {"purged"} == {one.outcome for one in pushes}


def test_what_is_named_after_a_refusal_has_its_code(made: Made) -> None:
    profile, samples = made
    named = {refusal.value: profile.code("refusal", refusal) for refusal in Refusal}
    if not _is_shipped(profile):
        del named["field_out_of_range"]  # its quantities are texts: one of nothing is malformed
    unlike = [
        (one.operation, one.outcome)
        for one in samples
        if one.outcome in named and named[one.outcome] not in re.findall(r"[\w-]+", json.dumps(one.answer))
    ]
    shown = {one.outcome for one in samples}
    left = {profile.code("refusal", refusal) for refusal in Refusal if refusal.value not in shown}

    assert [] == unlike
    assert left == set(left_out(profile, samples))
    assert "the pretend OCP never refuses so" not in left_out(profile, samples).values()


def test_each_operation_has_a_good_outcome_and_each_way_of_going_wrong(made: Made) -> None:
    profile, samples = made
    outcomes: dict[str, set[str]] = {}
    for one in samples:
        outcomes.setdefault(one.operation, set()).add(one.outcome)
    whole = {"not_granted", "no_token", "token_no_longer_good", "throttled", "broken", "closed", "timed_out"}
    for operation, spec in profile.operations.items():
        found = outcomes[operation.value]
        good = {"found", "accepted", "accepted_fop", "accepted_hold"}
        assert good & found, operation
        if operation is not Operation.HEALTH:
            assert set() == whole - found, operation
        if spec.writes:
            ids = {"request_id_missing", "request_id_repeated", "timestamp_missing", "timestamp_stale", "no_json"}
            assert set() == ids - found, operation


def test_the_same_samples_come_each_time_with_their_signatures(made: Made) -> None:
    profile, samples = made

    assert samples == asyncio.run(make_samples(profile))


def test_every_operation_is_there_and_no_file_twice(made: Made) -> None:
    profile, samples = made
    names = Counter((one.operation, one.outcome) for one in samples)

    assert [] == [name for name, count in names.items() if count > 1]
    assert {one.value for one in profile.operations} == {one.operation for one in samples} - {"token", "delivery"}
    assert not any(
        re.search(r'"(?:Bearer )?eyJ', json.dumps([one.request, one.answer]))
        for one in samples
        if one.operation != "delivery"
    )


def test_the_files_are_pretty_and_the_index_finds_them(made: Made, tmp_path: Path) -> None:
    profile, samples = made
    index = write_samples(tmp_path, samples, profile)
    written = json.loads((tmp_path / INDEX).read_text())
    first = written["samples"][0]

    assert index == written
    assert len(samples) == len(written["samples"])
    assert samples[0].request == json.loads((tmp_path / first["request"]).read_text())
    assert all((tmp_path / one[what]).is_file() for one in written["samples"] for what in ("request", "answer"))
    assert 10 < len((tmp_path / first["request"]).read_text().splitlines())
