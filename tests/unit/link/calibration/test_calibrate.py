"""From recorded traffic to the framing: it is found where the traffic shows it, and nothing false is called sure."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.link.calibration.calibrate import STEPS, Calibration, calibrate
from pg_bridge.link.calibration.framing_file import framing_text
from pg_bridge.link.calibration.stream import NOT_USED, Piece, Stream
from pg_bridge.link.framing import Frame, FrameReader, Framing
from pg_bridge.link.profile import LinkProfile, read_link_profile
from tests.doubles import framing_file
from tests.doubles.random_framing import LINE_ENDS, different_framings, random_framing, untrue
from tests.doubles.recorded_traffic import Traffic, two_callers

SHIPPED = framing_file.profile()
OTHER = read_link_profile((Path(__file__).parents[3] / "profiles/legacy_b/legacy/framing.toml").read_text("utf-8"))
EIGHT = different_framings(8)
NOISE = (b"", b"\r\n", b"\x00\x00\x00", b"KEEP-ALIVE{", b"{9:", b"\xff}junk\r\n")
#: nothing in these conversations is refused at log-on
UNSEEN = {"value for refused"}


def recorded(profile: LinkProfile, *, sessions: int = 2, seed: int = 1) -> Traffic:
    """Pairs of interleaved sessions, one pair after the other."""
    traffic = Traffic(profile, seed)
    for pair in range(sessions // 2):
        callers = two_callers(profile)
        for caller in callers:
            caller.connection += str(pair)
            caller.session_id = caller.session_id[pair:] + "QJ"[:pair]
        traffic.story(callers)
    return traffic


def found_in(streams: list[Stream], profile: LinkProfile) -> Calibration:
    callers = two_callers(profile)
    names = {"participants": [c.participant for c in callers], "terminals": [c.terminal for c in callers]}
    return calibrate(streams, SHIPPED, **names)


def wrong(calibration: Calibration, truth: LinkProfile) -> list[str]:
    return [text for text in untrue(calibration, truth, only_sure=False) if text.partition(":")[0] not in UNSEEN]


@pytest.mark.parametrize("truth", [SHIPPED, OTHER, *EIGHT], ids=["shipped", "other", *map(str, range(8))])
def test_a_framing_is_found_whole_in_clean_traffic(truth: LinkProfile) -> None:
    calibration = found_in(recorded(truth).streams(), truth)

    assert calibration.profile is not None, calibration.faults
    assert [] == wrong(calibration, truth)
    assert (76, 0, 0) == (calibration.frames, calibration.damaged, calibration.between)


@pytest.mark.parametrize("truth", [SHIPPED, OTHER, *EIGHT], ids=["shipped", "other", *map(str, range(8))])
def test_a_framing_is_found_in_noise_cut_at_both_ends_with_sessions_interleaved(truth: LinkProfile) -> None:
    traffic = recorded(truth, sessions=4)
    calibration = found_in(traffic.streams(noise=NOISE, cut=40, mixed=True), truth)

    assert calibration.profile is not None, calibration.faults
    assert [] == wrong(calibration, truth)
    assert len(traffic.sent) - 4 <= calibration.frames < len(traffic.sent)
    assert calibration.between > 0


@pytest.mark.parametrize("truth", [SHIPPED, OTHER, *EIGHT], ids=["shipped", "other", *map(str, range(8))])
def test_the_framing_found_reads_every_frame_of_the_capture(truth: LinkProfile) -> None:
    traffic = recorded(truth)
    streams = traffic.streams(noise=(b"", b"\r\n"))
    calibration = found_in(streams, truth)
    assert calibration.profile is not None
    framing = Framing(read_link_profile(framing_text(calibration, calibration.profile)))
    frames = [frame for stream in streams for frame in FrameReader(framing).feed(stream.pieces[0].data)]

    assert len(traffic.sent) == len(frames)
    assert [] == [frame for frame in frames if not isinstance(frame, Frame) or frame.faults]


def test_no_two_of_the_framings_agree_in_what_is_asked() -> None:
    names = [spec.template for framing in EIGHT for spec in framing.control.templates.values()]

    assert len(names) == len(set(names))
    assert 8 == len({(f.checksum.algorithm, f.checksum.digits, f.checksum.from_, f.checksum.to) for f in EIGHT})
    assert 8 == len({tuple(block.width for block in f.header) for f in EIGHT})
    assert set(LINE_ENDS) == {f.lines.end for f in EIGHT}
    assert 8 == len({tuple(field.concept for block in f.header for field in block.fields) for f in EIGHT})


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_whatever_is_called_sure_is_true(seed: int) -> None:
    """Any framing, any stretch of its traffic, noise, one direction or both, with names known or not."""
    chance, truth = random.Random(seed), random_framing(seed)
    callers = two_callers(truth)[: chance.choice([1, 2])]
    traffic = Traffic(truth, seed)
    traffic.story(callers, rounds=chance.randrange(1, 3))
    size = chance.randrange(1, len(traffic.sent) + 1)
    start = chance.randrange(len(traffic.sent) - size + 1)
    traffic.sent = traffic.sent[start : start + size]
    if chance.random() < 0.2:
        one = chance.choice(["to_pg", "to_pss"])
        traffic.sent = [sent for sent in traffic.sent if sent.side == one] or traffic.sent
    streams = traffic.streams(
        noise=chance.choice([(b"",), (b"\r\n",), NOISE]), cut=chance.choice([0, 0, 17, 150]),
        timed=chance.random() < 0.5, mixed=chance.random() < 0.3,
    )  # fmt: skip
    calibration = calibrate(
        streams,
        SHIPPED,
        participants=[c.participant for c in callers] if chance.random() < 0.5 else [],
        terminals=[c.terminal for c in callers] if chance.random() < 0.5 else [],
    )

    assert [] == untrue(calibration, truth)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("truth", [SHIPPED, OTHER, *EIGHT[:3]], ids=["shipped", "other", "0", "1", "2"])
def test_one_to_three_frames_are_not_enough_for_anything(truth: LinkProfile, count: int) -> None:
    traffic = recorded(truth)
    traffic.sent = traffic.sent[:count]
    calibration = found_in(traffic.streams(), truth)

    assert not calibration.is_sure
    assert [] == [answer for answer in calibration.answers if answer.grade == "sure"]
    assert all(answer.record for answer in calibration.answers)


def test_clean_traffic_leaves_only_what_did_not_happen_in_doubt() -> None:
    calibration = found_in(recorded(SHIPPED).streams(), SHIPPED)

    assert UNSEEN == {answer.question for answer in calibration.answers if answer.grade != "sure"}


def with_refused_log_ons(traffic: Traffic) -> Traffic:
    """Two connections more, of a user that the PG does not let in."""
    for number in range(2):
        (caller, _) = two_callers(traffic.profile)
        caller.connection = f"refused{number}"
        traffic.refused_log_on(caller)
    return traffic


@pytest.mark.parametrize("truth", [SHIPPED, OTHER], ids=["shipped", "other"])
@pytest.mark.parametrize("has_credentials", [True, False])
def test_where_everything_was_seen_everything_is_sure(truth: LinkProfile, has_credentials: bool) -> None:
    traffic = Traffic(truth)
    traffic.has_credentials = has_credentials
    traffic.story(two_callers(truth), rounds=5)
    calibration = found_in(with_refused_log_ons(traffic).streams(), truth)
    told = {answer.question: answer.answer for answer in calibration.answers}

    assert [] == [(answer.question, answer.grade, answer.rivals) for answer in calibration.answers if answer.record]
    assert calibration.is_sure
    assert [] == untrue(calibration, truth)
    assert told["unsolicited templates"].startswith("at least ")
    assert all(name in told["unsolicited templates"] for name in truth.unsolicited.templates[:2])
    assert (NOT_USED == told["key of the credential"]) != has_credentials


def test_answer_sent_again_and_acknowledged_is_no_unsolicited_template() -> None:
    """An answer that had not left goes out again, marked, and is acknowledged like what comes unasked."""
    traffic = Traffic(SHIPPED)
    callers = two_callers(SHIPPED)
    traffic.story(callers, rounds=5)
    for caller in callers:
        body = b":16R:GENL\r\n:20C::SEME//PG1\r\n:16S:GENL\r\n"
        for _ in range(2):
            number = traffic.frame(caller, "to_pss", "548", "SI51", body, again=True)
            traffic.control(caller, "to_pg", "acknowledge", keys={"sequence": f"{number:06d}"})
    calibration = found_in(traffic.streams(), SHIPPED)
    (answer,) = [answer for answer in calibration.answers if answer.question == "unsolicited templates"]

    assert "sure" == answer.grade
    assert "SI51" not in answer.answer


def test_each_step_is_told_once_in_order() -> None:
    told: list[str] = []
    calibrate(recorded(SHIPPED).streams(), SHIPPED, step=told.append)

    assert STEPS == tuple(told)


def test_without_the_capture_s_times_the_time_zone_and_who_asks_stay_in_doubt() -> None:
    calibration = found_in(recorded(SHIPPED).streams(timed=False), SHIPPED)
    doubtful = {answer.question for answer in calibration.answers if answer.grade != "sure"}

    assert UNSEEN | {"offset from UTC", "template of heartbeat"} == doubtful


def test_streams_whose_direction_is_not_known_are_told_by_their_messages() -> None:
    streams = [stream._replace(side="") for stream in recorded(SHIPPED).streams()]
    calibration = found_in(streams, SHIPPED)

    assert calibration.profile is not None
    assert [] == wrong(calibration, SHIPPED)


@pytest.mark.parametrize("truth", [SHIPPED, OTHER, *EIGHT[:4]], ids=["shipped", "other", "0", "1", "2", "3"])
def test_one_file_of_both_directions_and_both_sessions_gives_the_framing(truth: LinkProfile) -> None:
    data = b"".join(sent.raw for sent in recorded(truth, sessions=4).sent)
    calibration = found_in([Stream("all", "all", "", (Piece(data),))], truth)

    # the time zone stays the default's where the capture has no times
    assert [] == [text for text in wrong(calibration, truth) if not text.startswith("offset from UTC")]


def test_without_names_of_terminals_the_terminal_is_not_sure() -> None:
    traffic = recorded(SHIPPED)
    calibration = calibrate(traffic.streams(), SHIPPED)
    grades = {answer.question: answer.grade for answer in calibration.answers}

    assert ("sure", "likely") == (grades["participant"], grades["terminal"])


def test_without_a_message_sent_again_the_mark_is_open() -> None:
    traffic = recorded(SHIPPED)
    traffic.sent = [sent for sent in traffic.sent if b"Y}{4:" not in sent.raw]
    calibration = found_in(traffic.streams(), SHIPPED)
    (answer,) = [answer for answer in calibration.answers if answer.question == "possible_duplicate"]

    assert ("open", 0) == (answer.grade, answer.agree)
    assert "sent again" in answer.record


def test_damaged_frames_are_told_by_their_checksum_and_left_out() -> None:
    traffic = recorded(SHIPPED)
    for number in (9, 20, 41):
        sent = traffic.sent[number]
        object.__setattr__(sent, "raw", sent.raw.replace(b"\r\n:", b"\r\n;", 1))
    calibration = found_in(traffic.streams(), SHIPPED)

    assert 3 == calibration.damaged
    assert [] == wrong(calibration, SHIPPED)


@pytest.mark.parametrize("end", LINE_ENDS)
def test_line_ends_are_sure_on_the_frames_that_have_lines(end: str) -> None:
    truth = framing_file.profile(('end = "CRLF"', f'end = "{end}"'))
    calibration = found_in(recorded(truth).streams(noise=(b"", b"\r\n", b"\n")), truth)
    (answer,) = [answer for answer in calibration.answers if answer.question == "line ends"]

    assert calibration.profile is not None
    assert (end, "sure", 76, 76) == (answer.answer, answer.grade, answer.agree, answer.frames)
    assert end == calibration.profile.lines.end
    assert [] == wrong(calibration, truth)


def test_line_ends_that_differ_within_texts_are_not_sure() -> None:
    """A copy made without care: some of the lines end in LF."""
    streams = []
    for stream in recorded(SHIPPED).streams():
        data = stream.pieces[0].data.replace(b"\r\n:12:", b"\n:12:").replace(b"\r\n:23G:", b"\n:23G:")
        streams.append(stream._replace(pieces=(Piece(data),)))
    calibration = found_in(streams, SHIPPED)
    (answer,) = [answer for answer in calibration.answers if answer.question == "line ends"]

    assert ("CRLF", "likely") == (answer.answer, answer.grade)
    assert answer.agree < answer.frames
    assert "several in one text" in answer.rivals


def test_a_checksum_that_nothing_known_makes_is_open() -> None:
    chance = random.Random(3)
    streams = []
    for stream in recorded(SHIPPED).streams():
        parts = stream.pieces[0].data.split(b"{5:")
        data = parts[0] + b"".join(b"{5:%010d" % chance.randrange(10**10) + part[10:] for part in parts[1:])
        streams.append(stream._replace(pieces=(Piece(data),)))
    calibration = found_in(streams, SHIPPED)
    (answer,) = [answer for answer in calibration.answers if answer.question == "checksum"]

    assert "open" == answer.grade
    assert calibration.profile is not None
    assert ("none", "ignore") == (calibration.profile.checksum.algorithm, calibration.profile.checksum.mismatch)


@given(
    st.lists(
        st.binary(max_size=200)
        | st.sampled_from([b"{1:a}{4:\r\n-}{5:0}", b"{1:}{4:", b"{1:00}{4:\r\n:16R:\r\n-}{5:1}"])
    )
)
def test_any_bytes_at_all_give_an_answer(pieces: list[bytes]) -> None:
    calibration = calibrate([Stream("raw", "raw", "", (Piece(b"".join(pieces)),))], SHIPPED)

    assert not calibration.is_sure


def test_nothing_gives_no_frame() -> None:
    calibration = calibrate([], SHIPPED)

    assert (0, None) == (calibration.frames, calibration.profile)
    assert calibration.faults
