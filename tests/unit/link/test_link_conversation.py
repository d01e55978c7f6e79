"""Each rule of the conversation and each row of the refusal table, with both ends and time as a value."""

import pytest

from pg_bridge.errors import FramingError, SessionError
from pg_bridge.link import events as e
from pg_bridge.link.framing import FrameReader, Header
from tests.doubles.link_pair import BODY, LinkPair


def of(events: list[e.Event], kind: type) -> list:  # type: ignore[type-arg]
    return [event for event in events if isinstance(event, kind)]


def header(pair: LinkPair, **changes: object) -> Header:
    fresh = Header("B01234", "PSS1", "S000000001", 2, "to_pg", "543", "SI01", "20261123093000", False)
    return fresh._replace(**changes)  # type: ignore[arg-type]


def put(pair: LinkPair, raw: bytes) -> None:
    """Put bytes on the cable as if the PSS had sent them."""
    pair.happened(pair.pg.receive_data(raw, pair.now))
    pair.step()


def put_control(pair: LinkPair, template: str, body: bytes, sequence: int = 2) -> None:
    put(pair, pair.framing.write(header(pair, message_type="598", template=template, sequence=sequence), body))


# --- log-on


def test_log_on_issues_a_session_id_and_numbers_start_at_one() -> None:
    pair = LinkPair().logged_on()

    assert [e.LogOnAsked("B01234", "PSS1", "OPS1", "", "B0123400001")] == of(pair.pg_events, e.LogOnAsked)
    assert [e.LoggedOn("S000000001")] == pair.pss_events
    (answer,) = pair.frames_to_pss()
    assert (answer.sequence, answer.session_id, answer.template) == (1, "S000000001", "LGON")
    assert answer.body == b":20:B0123400001\r\n:12:101\r\n:77E:STAT/ACCP\r\n"


def test_credential_is_in_no_repr() -> None:
    pair = LinkPair()
    pair.pss.log_on("OPS1", "S3CRET", "B0123400001", pair.now)
    pair.step()

    (asked,) = of(pair.pg_events, e.LogOnAsked)
    assert asked.credential == "S3CRET"
    assert "S3CRET" not in repr(asked)


def test_log_on_refused_says_why_and_closes() -> None:
    pair = LinkPair(is_decided=False).logged_on()
    pair.happened(pair.pg.refuse_log_on("unknown user", pair.now))
    pair.step()

    assert of(pair.pss_events, e.LogOnRefused)[0].text == "unknown user"
    assert pair.pg.is_closed
    assert pair.pss.is_closed


@pytest.mark.parametrize("piece", [1, 2, 13, 100])
def test_any_split_gives_the_same_session(piece: int) -> None:
    def events(size: int) -> tuple[list[e.Event], list[e.Event]]:
        pair = LinkPair(piece=size).logged_on()
        pair.answer(pair.request(), "a")
        pair.deliver("d")
        pair.pss.log_off(pair.now)
        pair.step()
        return pair.pg_events, pair.pss_events

    assert events(0) == events(piece)


def test_first_frame_that_is_no_log_on_closes_without_a_refusal_frame() -> None:
    pair = LinkPair()
    put(pair, pair.framing.write(header(pair, sequence=1, session_id=""), BODY))

    assert pair.pg.is_closed
    assert pair.to_pss == b""


def test_garbage_before_the_log_on_closes_without_a_refusal_frame() -> None:
    pair = LinkPair()
    put(pair, b"SSH-2.0-x\r\n")

    assert [refused.meaning for refused in of(pair.pg_events, e.FrameRefused)] == ["frame"]
    assert pair.pg.is_closed
    assert pair.to_pss == b""


def test_silence_before_the_log_on_closes_after_ten_seconds() -> None:
    pair = LinkPair()

    pair.wait(9.9)
    assert not pair.pg.is_closed
    pair.wait(0.1)
    assert pair.pg.is_closed


def test_drops_of_bytes_do_not_put_off_the_log_on() -> None:
    pair = LinkPair()
    for _ in range(20):
        put(pair, b"\r\n")
        pair.wait(5)

    assert pair.pg.is_closed


# --- requests and answers


def test_answers_leave_in_the_order_of_requests() -> None:
    pair = LinkPair().logged_on()
    first, second = pair.request(), pair.request()

    pair.answer(second, "second")
    assert of(pair.pg_events, e.AnswerWritten) == []
    pair.answer(first, "first")
    assert [e.AnswerWritten("first"), e.AnswerWritten("second")] == of(pair.pg_events, e.AnswerWritten)
    assert len(of(pair.pss_events, e.AnswerReceived)) == 2


def test_answers_leave_at_once_where_any_order_will_do() -> None:
    pair = LinkPair(answer_order="any").logged_on()
    pair.request()
    pair.answer(pair.request(), "second")

    assert [e.AnswerWritten("second")] == of(pair.pg_events, e.AnswerWritten)


def test_control_answers_never_wait_behind_business_answers() -> None:
    pair = LinkPair().logged_on()
    pair.request()
    put_control(pair, "HBEA", b":20:H1\r\n:12:003\r\n", 3)

    assert pair.frames_to_pss()[-1].body == b":20:H1\r\n:12:103\r\n"


def test_only_a_request_in_flight_can_be_answered() -> None:
    pair = LinkPair().logged_on()
    with pytest.raises(SessionError):
        pair.answer(2, "none")


def test_reading_stops_at_the_limit_and_goes_on_with_a_free_place() -> None:
    pair = LinkPair(max_in_flight=2).logged_on()
    numbers = [pair.request() for _ in range(3)]

    assert not pair.pg.wants_data
    assert len(of(pair.pg_events, e.RequestReceived)) == 2
    pair.answer(numbers[0], "a")
    assert len(of(pair.pg_events, e.RequestReceived)) == 3


def test_control_frames_are_read_while_the_limit_is_reached_but_not_passed() -> None:
    pair = LinkPair(max_in_flight=1).logged_on()
    pair.request()
    put_control(pair, "HBEA", b":20:H1\r\n:12:003\r\n", 3)

    assert pair.frames_to_pss()[-1].body == b":20:H1\r\n:12:103\r\n"


def test_nothing_is_sent_again_while_we_do_not_read() -> None:
    pair = LinkPair(max_in_flight=1).logged_on()
    pair.request()
    pair.deliver("d")  # acknowledged at once, but the acknowledgement waits behind the limit
    pair.wait(30)

    assert [e.DeliveryWritten("d", 1)] == of(pair.pg_events, e.DeliveryWritten)


def test_time_outs_start_afresh_when_reading_goes_on() -> None:
    pair = LinkPair(max_in_flight=1).logged_on()
    pair.wait(30 - 1)
    first = pair.request()
    pair.pss._acknowledges = False
    pair.deliver("d")
    pair.request()
    assert not pair.pg.wants_data
    assert pair.pg.next_due() is None

    pair.wait(100)
    pair.answer(first, "a")
    pair.wait(29.9)
    assert [e.DeliveryWritten("d", 1)] == of(pair.pg_events, e.DeliveryWritten)
    pair.wait(0.1)
    assert len(of(pair.pg_events, e.DeliveryWritten)) == 2
    assert not pair.pg.is_closed


def test_body_that_no_frame_can_hold_leaves_its_request_in_flight() -> None:
    pair = LinkPair().logged_on()
    first, second = pair.request(), pair.request()
    with pytest.raises(FramingError):
        pair.pg.answer(second, "548", "SI51", b":20:{\r\n", pair.now)
    with pytest.raises(FramingError):
        pair.pg.deliver("d", "548", "SI60", b":20:{\r\n", pair.now)
    pair.answer(second, "second")
    pair.answer(first, "first")

    assert [e.AnswerWritten("first"), e.AnswerWritten("second")] == of(pair.pg_events, e.AnswerWritten)
    assert pair.pg.unacknowledged == ()


# --- deliveries


def test_delivery_is_acknowledged() -> None:
    pair = LinkPair().logged_on()
    pair.deliver("d")

    assert [e.DeliveryWritten("d", 1), e.DeliveryAcknowledged("d")] == pair.pg_events[-2:]
    assert len(of(pair.pss_events, e.UnsolicitedReceived)) == 1
    assert pair.pg.unacknowledged == ()


def test_window_bounds_what_is_unacknowledged() -> None:
    pair = LinkPair(window=2).logged_on()
    pair.is_held = True
    pair.deliver("a")
    pair.deliver("b")

    assert pair.pg.window_free == 0
    with pytest.raises(SessionError):
        pair.deliver("c")
    pair.is_held = False
    pair.step()
    assert pair.pg.window_free == 2


def test_unacknowledged_go_again_in_order_marked_with_new_numbers_and_close_after_three_rounds() -> None:
    pair = LinkPair(acknowledges=False).logged_on()
    pair.deliver("a")
    pair.deliver("b")
    for _ in range(3):
        pair.wait(30)
        assert not pair.pg.is_closed
    pair.wait(30)

    copies = [frame for frame in pair.frames_to_pss() if frame.template == "SI60"]
    assert [frame.possible_duplicate for frame in copies] == [False] * 2 + [True] * 6
    assert len({frame.sequence for frame in copies}) == 8
    assert {BODY} == {frame.body for frame in copies}
    written = [(event.token, event.copies) for event in of(pair.pg_events, e.DeliveryWritten)]
    assert [(token, copy) for copy in range(1, 5) for token in "ab"] == written
    assert pair.pg.is_closed
    assert pair.pg.unacknowledged == ("a", "b")


@pytest.mark.parametrize("copy", [0, 1])
def test_any_copy_may_be_acknowledged(copy: int) -> None:
    pair = LinkPair().logged_on()
    pair.is_cut = True
    pair.deliver("a")
    pair.wait(30)
    numbers = [frame.sequence for frame in pair.frames_to_pss() if frame.template == "SI60"]
    put_control(pair, "ACKN", b":20:K\r\n:12:004\r\n:77E:SEQN/%06d\r\n" % numbers[copy])

    assert [e.DeliveryAcknowledged("a")] == of(pair.pg_events, e.DeliveryAcknowledged)


def test_second_acknowledgement_of_the_same_is_no_fault() -> None:
    pair = LinkPair().logged_on()
    pair.deliver("a")
    put_control(pair, "ACKN", b":20:K\r\n:12:004\r\n:77E:SEQN/000002\r\n", 3)

    assert of(pair.pg_events, e.FrameRefused) == []


def test_acknowledgement_of_what_was_never_delivered_is_told_but_not_answered() -> None:
    pair = LinkPair().logged_on()
    put_control(pair, "ACKN", b":20:K\r\n:12:004\r\n:77E:SEQN/000777\r\n")

    assert [refused.meaning for refused in of(pair.pg_events, e.FrameRefused)] == ["sequence"]
    assert [frame.template for frame in pair.frames_to_pss()] == ["LGON"]
    assert not pair.pg.is_closed


@pytest.mark.parametrize("number", [b"", b"x", b"9" * 5_000])
def test_acknowledgement_of_no_number_is_refused(number: bytes) -> None:
    pair = LinkPair().logged_on()
    put_control(pair, "ACKN", b":20:K\r\n:12:004\r\n:77E:SEQN/%b\r\n" % number)

    assert b"CODE/TMPL" in refusal(pair)


def test_acknowledgement_of_an_answer_marked_as_duplicate_is_no_fault() -> None:
    pair = LinkPair().logged_on()
    number = pair.request()
    pair.happened(pair.pg.answer(number, "548", "SI51", BODY, pair.now, token="a", possible_duplicate=True))
    pair.step()

    assert of(pair.pg_events, e.FrameRefused) == []


# --- heartbeat, half a frame


def test_heartbeat_is_asked_after_thirty_seconds_and_answered() -> None:
    pair = LinkPair().logged_on().wait(30)

    assert pair.frames_to_pss()[-1].template == "HBEA"
    pair.wait(10)
    assert not pair.pg.is_closed
    assert not pair.pss.is_closed


def test_unanswered_heartbeat_closes_after_ten_seconds() -> None:
    pair = LinkPair().logged_on()
    pair.is_cut = True
    pair.wait(30)
    pair.wait(9.9)
    assert not pair.pg.is_closed
    pair.wait(0.1)
    assert pair.pg.is_closed
    assert pair.pss.is_closed


def test_half_a_frame_then_ten_seconds_of_silence_closes() -> None:
    pair = LinkPair().logged_on()
    put(pair, pair.framing.write(header(pair), BODY)[:-1])
    pair.wait(9.9)
    assert not pair.pg.is_closed
    pair.wait(0.1)
    assert pair.pg.is_closed


def test_next_due_names_the_next_time_out() -> None:
    pair = LinkPair().logged_on()

    assert (pair.pg.next_due() - pair.now).total_seconds() == 30
    pair.is_cut = True
    pair.wait(30)
    assert (pair.pg.next_due() - pair.now).total_seconds() == 10


# --- refusals


def refusal(pair: LinkPair) -> bytes:
    return pair.frames_to_pss()[-1].body


@pytest.mark.parametrize(
    ("code", "changes", "old", "new"),
    [
        (b"FRAM", {}, b"{1:", b"{9:"),
        (b"SEQN", {"sequence": 3}, b"", b""),
        (b"SESS", {"session_id": "S000000002"}, b"", b""),
        (b"SESS", {"participant": "C00001"}, b"", b""),
    ],
)
def test_refusal_that_closes(code: bytes, changes: dict[str, object], old: bytes, new: bytes) -> None:
    pair = LinkPair().logged_on()
    put(pair, pair.framing.write(header(pair, **changes), BODY).replace(old, new))

    assert b"CODE/" + code in refusal(pair)
    assert pair.pg.is_closed
    assert of(pair.pg_events, e.RequestReceived) == []


def test_text_over_the_limit_is_refused_and_closes() -> None:
    pair = LinkPair().logged_on()
    put(pair, pair.framing.write(header(pair), BODY)[:70] + b"A" * (2 << 20))

    assert b"CODE/SIZE" in refusal(pair)
    assert pair.pg.is_closed


@pytest.mark.parametrize(
    ("code", "changes", "old", "new"),
    [
        (b"LENG", {}, b"", b""),
        (b"CHKS", {}, b"GENL", b"GENM"),
        (b"CHAR", {}, b"GENL", b"GE\xd0L"),
        (b"TMPL", {"template": "XX99"}, b"", b""),
        (b"TMPL", {"template": "SI60"}, b"", b""),
        (b"TMPL", {"message_type": "540"}, b"", b""),
    ],
)
def test_refusal_after_which_the_session_goes_on(
    code: bytes, changes: dict[str, object], old: bytes, new: bytes
) -> None:
    pair = LinkPair().logged_on()
    raw = pair.framing.write(header(pair, **changes), BODY)
    raw = raw[:31] + b"000999" + raw[37:] if code == b"LENG" else raw.replace(old, new)
    body = raw[:-11] + b"%010d}" % sum(raw[: raw.index(b"{5:")]) if code in (b"LENG", b"CHAR") else raw
    put(pair, body)

    assert b"SEQN/000002\r\nCODE/" + code in refusal(pair)
    assert not pair.pg.is_closed
    put(pair, pair.framing.write(header(pair, sequence=3), BODY))
    assert len(of(pair.pg_events, e.RequestReceived)) == 1


def test_busy_refuses_a_request_and_frees_its_place() -> None:
    pair = LinkPair(max_in_flight=1).logged_on()
    number = pair.request()
    pair.happened(pair.pg.refuse_request(number, "busy", "come back", pair.now))
    pair.step()

    assert [e.RequestRefused(number, "BUSY", "come back")] == of(pair.pss_events, e.RequestRefused)
    assert pair.pg.wants_data


def test_refusal_of_what_is_no_frame_names_no_number() -> None:
    pair = LinkPair().logged_on()
    put(pair, b"garbage")

    assert b"SEQN" not in refusal(pair)


def test_another_version_is_no_frame() -> None:
    pair = LinkPair().logged_on()
    raw = pair.framing.write(header(pair), BODY).replace(b"{1:01", b"{1:99")
    put(pair, raw[:-11] + b"%010d}" % sum(raw[: raw.index(b"{5:")]))

    assert b"CODE/FRAM" in refusal(pair)


@pytest.mark.parametrize("piece", [0, 4_096])
def test_refusal_keeps_at_most_64_kib_and_tells_the_size(piece: int) -> None:
    pair = LinkPair(piece=piece).logged_on()
    pair.corrupt_to_pg = lambda data: data.replace(b"AAAA", b"AAAB", 1)
    pair.pss.send("543", "SI01", b"A" * 100_000 + b"\r\n", pair.now)
    pair.step()

    (refused,) = of(pair.pg_events, e.FrameRefused)
    assert (refused.meaning, len(refused.raw)) == ("checksum", 65_536)
    assert refused.size == len(pair.to_pg) - 128


# --- the end


def test_log_off_is_answered_when_all_in_flight_requests_are() -> None:
    pair = LinkPair().logged_on()
    number = pair.request()
    pair.pss.log_off(pair.now)
    pair.step()
    assert not pair.pg.is_closed

    pair.answer(number, "a")
    assert [frame.template for frame in pair.frames_to_pss()[-2:]] == ["SI51", "LGOF"]
    assert [e.LoggedOff()] == of(pair.pg_events, e.LoggedOff)
    assert pair.pg.is_closed
    assert pair.pss.is_closed


def test_drain_finishes_what_is_in_flight_then_closes() -> None:
    pair = LinkPair().logged_on()
    number = pair.request()
    pair.happened(pair.pg.drain(pair.now))
    assert not pair.pg.is_closed

    pair.answer(number, "a")
    assert [e.AnswerWritten("a")] == of(pair.pg_events, e.AnswerWritten)
    assert pair.pg.is_closed


def test_request_while_draining_is_refused_as_busy() -> None:
    pair = LinkPair().logged_on()
    number = pair.request()
    pair.happened(pair.pg.drain(pair.now))
    late = pair.request()
    pair.answer(number, "a")

    assert [late] == [refused.sequence for refused in of(pair.pss_events, e.RequestRefused)]


def test_request_that_waits_when_draining_begins_is_refused_as_busy() -> None:
    pair = LinkPair(max_in_flight=1).logged_on()
    number, late = pair.request(), pair.request()
    pair.happened(pair.pg.drain(pair.now))
    pair.answer(number, "a")

    assert [late] == [refused.sequence for refused in of(pair.pss_events, e.RequestRefused)]
    assert [e.AnswerWritten("a")] == of(pair.pg_events, e.AnswerWritten)
    assert pair.pg.is_closed


def test_request_behind_a_log_off_is_refused_as_busy() -> None:
    pair = LinkPair().logged_on()
    number = pair.request()
    pair.pss.log_off(pair.now)
    late = pair.request()
    pair.answer(number, "a")

    assert [e.RequestRefused(late, "BUSY", "no more requests are taken")] == of(pair.pss_events, e.RequestRefused)
    assert pair.pss.is_closed


def test_acknowledgement_is_read_while_a_log_off_waits() -> None:
    pair = LinkPair().logged_on()
    pair.request()
    pair.is_held = True
    pair.deliver("d")
    pair.pss.log_off(pair.now)
    pair.is_held = False
    pair.step()

    assert pair.pg.unacknowledged == ()


def test_number_after_the_highest_is_one() -> None:
    pair = LinkPair().logged_on()
    pair.pss._sent_sequence = 999_998
    pair.pg._next_received = 999_999

    assert [pair.request(), pair.request()] == [999_999, 1]
    assert len(of(pair.pg_events, e.RequestReceived)) == 2


def test_end_of_stream_closes_once() -> None:
    pair = LinkPair().logged_on()

    assert len(pair.pg.end_of_stream(pair.now)) == 1
    assert pair.pg.end_of_stream(pair.now) == []
    assert pair.pg.receive_data(b"more", pair.now) == []
    assert pair.pg.next_due() is None


def test_frames_of_both_ends_read_without_a_fault() -> None:
    pair = LinkPair().logged_on()
    pair.answer(pair.request(), "a")
    pair.deliver("d")

    for stream in (pair.to_pg, pair.to_pss):
        assert all(frame.faults == () for frame in FrameReader(pair.framing).feed(stream))  # type: ignore[union-attr]
