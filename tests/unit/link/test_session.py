"""The conversation at its edges: shipped limits, time-outs against back-pressure, numbers, and what `next_due` says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.errors import SessionError
from pg_bridge.link import events as e
from pg_bridge.link.framing import Header
from pg_bridge.link.session import Session
from tests.doubles.link_pair import BODY, LinkPair

LOG_ON = b":20:B0123400001\r\n:12:001\r\n:77E:USER/OPS1\r\n"
FIRST = Header("B01234", "PSS1", "", 1, "to_pg", "598", "LGON", "20261123093000", False)


def count(events: list[e.Event], kind: type) -> int:
    return sum(isinstance(event, kind) for event in events)


def put(pair: LinkPair, raw: bytes) -> None:
    """Give the PG these bytes as if the PSS had sent them."""
    pair.happened(pair.pg.receive_data(raw, pair.now))
    pair.step()


def frame(pair: LinkPair, sequence: int, template: str = "SI01", type_: str = "543", body: bytes = BODY) -> bytes:
    header = Header("B01234", "PSS1", "S000000001", sequence, "to_pg", type_, template, "20261123093000", False)
    return pair.framing.write(header, body)


def acknowledge(pair: LinkPair, number: int) -> None:
    pair.pss.acknowledge(number, pair.now)
    pair.step()


def close_reason(events: list[e.Event]) -> str:
    (closed,) = (event for event in events if isinstance(event, e.Closed))
    return closed.reason


# --- log-on --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (FIRST._replace(sequence=2), LOG_ON),
        (FIRST._replace(session_id="S000000001"), LOG_ON),
        (FIRST._replace(direction="to_pss"), LOG_ON),
        (FIRST._replace(message_type="543"), LOG_ON),
        (FIRST._replace(template="HBEA"), b":20:H\r\n:12:003\r\n"),
        (FIRST, LOG_ON.replace(b":12:001", b":12:101")),
        (FIRST, LOG_ON.replace(b":12:001", b":12:009")),
        (FIRST, LOG_ON.replace(b"USER/", b"NAME/")),
        (FIRST, b""),
    ],
)
def test_log_on_that_is_none_closes_without_a_word(header: Header, body: bytes) -> None:
    pair = LinkPair()

    put(pair, pair.framing.write(header, body))

    assert pair.pg.is_closed
    assert pair.to_pss == b""
    assert [e.FrameRefused, e.Closed] == [type(event) for event in pair.pg_events]


def test_log_on_with_a_wrong_checksum_closes() -> None:
    pair = LinkPair()

    put(pair, pair.framing.write(FIRST, LOG_ON).replace(b"OPS1", b"OPS2"))

    assert pair.pg.is_closed
    assert "checksum" in close_reason(pair.pg_events)


def test_credential_is_handed_on() -> None:
    pair = LinkPair()
    pair.pss.log_on("OPS1", "s3cret/with=slash", "R1", pair.now)
    pair.step()

    assert e.LogOnAsked("B01234", "PSS1", "OPS1", "s3cret/with=slash", "R1") == pair.pg_events[0]


def test_requests_sent_before_the_log_on_is_accepted_wait() -> None:
    pair = LinkPair(is_decided=False)
    put(pair, pair.framing.write(FIRST, LOG_ON) + frame(pair, 2))

    assert not pair.pg.wants_data
    assert count(pair.pg_events, e.RequestReceived) == 0
    pair.happened(pair.pg.accept_log_on(pair.now))
    assert count(pair.pg_events, e.RequestReceived) == 1
    assert pair.pg.wants_data


def test_log_on_cannot_be_answered_twice_nor_unasked() -> None:
    pair = LinkPair()

    with pytest.raises(SessionError):
        pair.pg.accept_log_on(pair.now)
    pair.logged_on()
    with pytest.raises(SessionError):
        pair.pg.refuse_log_on("late", pair.now)


def test_log_on_accepted_after_the_close_says_nothing() -> None:
    pair = LinkPair(is_decided=False).logged_on()
    pair.pg.end_of_stream(pair.now)

    assert pair.pg.accept_log_on(pair.now) == []
    assert pair.pg.data_to_send() == b""
    assert not pair.pg.is_logged_on


def test_nothing_can_be_sent_before_the_log_on() -> None:
    pair = LinkPair()

    assert pair.pg.window_free == 0
    with pytest.raises(SessionError):
        pair.pss.send("543", "SI01", BODY, pair.now)
    with pytest.raises(SessionError):
        pair.deliver("d")


@pytest.mark.parametrize("answer", ["SI60", "HBEA"])
def test_pss_closes_when_the_answer_to_its_log_on_is_another_frame(answer: str) -> None:
    pair = LinkPair()
    header = Header("B01234", "PSS1", "S000000001", 1, "to_pss", "598", answer, "20261123093000", False)
    pair.pss_events += pair.pss.receive_data(pair.framing.write(header, BODY), pair.now)

    assert pair.pss.is_closed


# --- requests ------------------------------------------------------------------------------------------------


def test_64_requests_are_taken_and_the_65th_waits() -> None:
    pair = LinkPair().logged_on()
    numbers = [pair.request() for _ in range(64)]

    assert pair.pg.wants_data
    late = pair.request()
    assert not pair.pg.wants_data
    assert count(pair.pg_events, e.RequestReceived) == 64

    pair.answer(numbers[0], "a")
    assert pair.pg.wants_data
    last = pair.pg_events[-1]
    assert isinstance(last, e.RequestReceived)
    assert late == last.frame.sequence


def test_100_requests_in_one_piece_are_given_as_places_come_free() -> None:
    pair = LinkPair().logged_on()
    put(pair, b"".join(frame(pair, number) for number in range(2, 102)))

    assert count(pair.pg_events, e.RequestReceived) == 64
    for number in range(2, 102):
        pair.answer(number, str(number))
    received = [event.frame.sequence for event in pair.pg_events if isinstance(event, e.RequestReceived)]
    written = [event.token for event in pair.pg_events if isinstance(event, e.AnswerWritten)]
    assert list(range(2, 102)) == received
    assert [str(number) for number in range(2, 102)] == written
    assert pair.pg.wants_data


@given(st.permutations(range(2, 10)))
def test_answers_given_in_any_order_leave_in_request_order(order: list[int]) -> None:
    pair = LinkPair().logged_on()
    for _ in range(8):
        pair.request()
    for number in order:
        pair.answer(number, str(number))

    written = [event.token for event in pair.pg_events if isinstance(event, e.AnswerWritten)]
    assert [str(number) for number in range(2, 10)] == written
    assert count(pair.pss_events, e.AnswerReceived) == 8


def test_answer_cannot_be_given_twice() -> None:
    pair = LinkPair().logged_on()
    pair.request()
    second = pair.request()
    pair.answer(second, "a")

    with pytest.raises(SessionError):
        pair.answer(second, "b")


def test_several_answers_of_a_request_leave_in_order_before_the_next_request_s() -> None:
    pair = LinkPair().logged_on()
    first, second = pair.request(), pair.request()
    pair.answer(second, "behind")
    pair.answer(first, "one", is_last=False)
    so_far = [event.token for event in pair.pg_events if isinstance(event, e.AnswerWritten)]
    pair.answer(first, "two")
    written = [event.token for event in pair.pg_events if isinstance(event, e.AnswerWritten)]

    assert ["one"] == so_far
    assert ["one", "two", "behind"] == written
    with pytest.raises(SessionError):
        pair.answer(first, "three")


def test_busy_lets_the_answers_behind_it_go() -> None:
    pair = LinkPair().logged_on()
    first, second = pair.request(), pair.request()
    pair.answer(second, "second")
    pair.happened(pair.pg.refuse_request(first, "busy", "come back", pair.now))
    pair.step()

    assert [item.template for item in pair.frames_to_pss()] == ["LGON", "RJCT", "SI51"]


def test_answer_after_the_close_says_nothing() -> None:
    pair = LinkPair().logged_on()
    number = pair.request()
    pair.pg.end_of_stream(pair.now)

    assert pair.pg.answer(number, "548", "SI51", BODY, pair.now) == []
    assert pair.pg.data_to_send() == b""


# --- back-pressure and time ----------------------------------------------------------------------------------


def test_half_a_frame_does_not_close_while_we_do_not_read() -> None:
    pair = LinkPair(max_in_flight=1).logged_on()
    put(pair, frame(pair, 2) + frame(pair, 3) + frame(pair, 4)[:50])
    assert not pair.pg.wants_data

    pair.wait(20)
    assert not pair.pg.is_closed
    pair.answer(2, "a")
    pair.answer(3, "b")
    pair.wait(9.9)
    assert not pair.pg.is_closed
    put(pair, frame(pair, 4)[50:])
    assert count(pair.pg_events, e.RequestReceived) == 3


def test_half_a_frame_closes_ten_seconds_after_we_read_again() -> None:
    pair = LinkPair(max_in_flight=1).logged_on()
    put(pair, frame(pair, 2) + frame(pair, 3) + frame(pair, 4)[:50])
    pair.wait(20)
    pair.answer(2, "a")
    pair.wait(10)

    assert pair.pg.is_closed


def test_held_session_takes_no_request_and_no_delivery_and_nothing_is_late() -> None:
    pair = LinkPair().logged_on()
    pair.request()
    pair.pg.hold()
    pair.pss.send("543", "SI01", BODY, pair.now)
    pair.step()
    free = pair.pg.window_free
    taken = sum(isinstance(event, e.RequestReceived) for event in pair.pg_events)
    pair.pg.due(pair.now + timedelta(seconds=300))
    is_closed = pair.pg.is_closed
    pair.answer(2, "A1")
    pair.now += timedelta(seconds=300)
    pair.happened(pair.pg.let_go(pair.now))
    pair.happened(pair.pg.due(pair.now))
    taken_then = sum(isinstance(event, e.RequestReceived) for event in pair.pg_events)

    assert (0, 1, False) == (free, taken, is_closed)
    assert 2 == taken_then
    assert pair.pg.wants_data
    assert not pair.pg.is_closed
    assert 0 < pair.pg.window_free


def test_no_heartbeat_is_asked_whose_answer_we_would_not_read() -> None:
    pair = LinkPair(max_in_flight=1).logged_on()
    put(pair, frame(pair, 2) + frame(pair, 3))

    pair.wait(30)
    pair.wait(30)
    assert not pair.pg.is_closed
    assert [item for item in pair.frames_to_pss() if item.template == "HBEA" and item.body.endswith(b"003\r\n")] == []


def test_each_byte_of_a_slow_frame_starts_its_ten_seconds_afresh() -> None:
    pair = LinkPair().logged_on()
    raw = frame(pair, 2)
    for start in range(0, len(raw), 50):
        put(pair, raw[start : start + 50])
        pair.wait(9.9)

    assert count(pair.pg_events, e.RequestReceived) == 1
    assert not pair.pg.is_closed


# --- heartbeats ----------------------------------------------------------------------------------------------


def test_heartbeat_of_the_pss_is_answered_with_its_reference() -> None:
    pair = LinkPair().logged_on()
    pair.now += timedelta(seconds=30)
    pair.pss_events += pair.pss.due(pair.now)
    pair.step()

    assert pair.frames_to_pss()[-1].body == b":20:HBEA000002\r\n:12:103\r\n"
    pair.now += timedelta(seconds=10)
    assert pair.pss.due(pair.now) == []


def test_any_frame_answers_a_heartbeat() -> None:
    pair = LinkPair().logged_on()
    pair.now += timedelta(seconds=30)
    assert pair.pg.due(pair.now) == []
    assert b"HBEA" in pair.pg.data_to_send()
    put(pair, frame(pair, 2))
    pair.now += timedelta(seconds=10)

    assert pair.pg.due(pair.now) == []
    assert not pair.pg.is_closed


def test_traffic_puts_the_heartbeat_off() -> None:
    pair = LinkPair().logged_on().wait(20)
    pair.answer(pair.request(), "a")
    pair.wait(20)

    assert "HBEA" not in {item.template for item in pair.frames_to_pss()}


# --- deliveries ----------------------------------------------------------------------------------------------


def test_16_deliveries_may_be_unacknowledged() -> None:
    pair = LinkPair(acknowledges=False).logged_on()
    for number in range(16):
        pair.deliver(f"d{number}")

    assert pair.pg.window_free == 0
    with pytest.raises(SessionError):
        pair.deliver("d16")
    acknowledge(pair, 5)
    assert pair.pg.window_free == 1
    assert "d3" not in pair.pg.unacknowledged


def test_delivery_is_sent_again_after_30_s_though_others_are_acknowledged() -> None:
    pair = LinkPair(acknowledges=False).logged_on()
    pair.deliver("lost")
    for sequence in (2, 3):
        pair.wait(14)
        pair.deliver(f"d{sequence}")
        acknowledge(pair, sequence + 1)
    pair.wait(2)

    assert pair.pg_events[-1] == e.DeliveryWritten("lost", 2)


def test_acknowledgement_starts_the_rounds_afresh() -> None:
    pair = LinkPair(acknowledges=False).logged_on()
    pair.deliver("a")
    pair.deliver("b")
    for _ in range(3):
        pair.wait(30)
    acknowledge(pair, 2)
    for _ in range(3):
        pair.wait(30)
        assert not pair.pg.is_closed
    pair.wait(30)

    assert pair.pg.is_closed
    assert pair.pg.unacknowledged == ("b",)


def test_pss_acknowledges_every_copy_and_hands_it_on() -> None:
    pair = LinkPair().logged_on()
    pair.happened(pair.pg.deliver("d", "548", "SI60", BODY, pair.now, possible_duplicate=True))
    number = pair.request()
    pair.happened(pair.pg.answer(number, "548", "SI51", BODY, pair.now, possible_duplicate=True))
    pair.step()

    assert [
        event.frame.possible_duplicate for event in pair.pss_events if isinstance(event, e.UnsolicitedReceived)
    ] == [True, True]
    assert count(pair.pss_events, e.AnswerReceived) == 0
    assert pair.pg.unacknowledged == ()


def test_deliveries_left_at_a_break_are_named_in_order() -> None:
    pair = LinkPair(acknowledges=False).logged_on()
    for token in "abc":
        pair.deliver(token)
    acknowledge(pair, 3)
    pair.pg.end_of_stream(pair.now)

    assert pair.pg.unacknowledged == ("a", "c")
    assert pair.pg.window_free == 0


# --- numbers -------------------------------------------------------------------------------------------------


def test_both_ends_wrap_and_old_numbers_name_nothing() -> None:
    pair = LinkPair(acknowledges=False).logged_on()
    pair.pg._sent_sequence = 999_998
    pair.pss._next_received = 999_999
    pair.deliver("a")
    pair.deliver("b")
    acknowledge(pair, 1)
    acknowledge(pair, 999_999)

    assert [item.sequence for item in pair.frames_to_pss()[-2:]] == [999_999, 1]
    assert [e.DeliveryAcknowledged("b"), e.DeliveryAcknowledged("a")] == pair.pg_events[-2:]


@pytest.mark.parametrize("number", [0, 1, 3, 999_999])
def test_wrong_number_is_told_and_closes(number: int) -> None:
    pair = LinkPair().logged_on()
    put(pair, frame(pair, number))

    assert b"SEQN/%06d\r\nCODE/SEQN" % number in pair.frames_to_pss()[-1].body
    assert close_reason(pair.pg_events).startswith("SEQN")
    assert pair.pss.is_closed is False
    assert e.RequestRefused(number, "SEQN", f"sequence number 2 is due, {number} came") == pair.pss_events[-1]


def test_second_log_on_in_a_session_is_refused_and_the_session_goes_on() -> None:
    pair = LinkPair().logged_on()
    put(pair, frame(pair, 2, "LGON", "598", LOG_ON))

    assert b"CODE/TMPL" in pair.frames_to_pss()[-1].body
    assert not pair.pg.is_closed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b":20:K\r\n",
        b":20:K\r\n:12:004\r\n",
        b":20:K\r\n:12:004\r\n:77E:SEQN/x\r\n",
        b":20:K\r\n:12:004\r\n:77E:N/1\r\n",
    ],
)
def test_acknowledgement_that_names_no_number_is_refused(body: bytes) -> None:
    pair = LinkPair().logged_on()
    put(pair, frame(pair, 2, "ACKN", "598", body))

    assert b"CODE/TMPL" in pair.frames_to_pss()[-1].body
    assert not pair.pg.is_closed


# --- the end -------------------------------------------------------------------------------------------------


def test_drain_without_requests_closes_at_once() -> None:
    pair = LinkPair().logged_on()
    pair.happened(pair.pg.drain(pair.now))

    assert pair.pg.is_closed


def test_drain_waits_for_deliveries_under_way() -> None:
    pair = LinkPair(acknowledges=False).logged_on()
    pair.deliver("D1")
    pair.deliver("D2")
    pair.happened(pair.pg.drain(pair.now))
    is_closed = [pair.pg.is_closed]
    for sequence in (2, 3):
        pair.pss.acknowledge(sequence, pair.now)
        pair.step()
        is_closed.append(pair.pg.is_closed)

    assert [False, False, True] == is_closed
    assert e.Closed("the PG stops") == pair.pg_events[-1]


def test_half_a_frame_in_a_drain_does_not_lose_the_answers_in_flight() -> None:
    pair = LinkPair().logged_on()
    number = pair.request()
    pair.happened(pair.pg.drain(pair.now))
    pair.answer(number, "a")

    assert count(pair.pss_events, e.AnswerReceived) == 1
    assert pair.pg.is_closed


def test_log_off_names_its_reference() -> None:
    pair = LinkPair().logged_on()
    pair.pss.log_off(pair.now, "BYE1")
    pair.step()

    assert pair.frames_to_pss()[-1].body == b":20:BYE1\r\n:12:102\r\n"
    assert count(pair.pss_events, e.LoggedOff) == 1


# --- next_due ------------------------------------------------------------------------------------------------

_steps = st.lists(
    st.sampled_from(["request", "answer", "deliver", "half", "cut", "drain", "log off", "time"]), max_size=12
)


@given(_steps, st.booleans(), st.booleans())
def test_due_does_nothing_before_next_due_and_something_then(steps: list[str], is_on: bool, acknowledges: bool) -> None:
    pair = LinkPair(acknowledges=acknowledges, max_in_flight=2)
    if is_on:
        pair.logged_on()
    open_: list[int] = []
    for step in steps:
        if pair.pg.is_closing or pair.pss.is_closing:
            break
        if step == "time":
            pair.wait(7)
        elif step == "half":
            put(pair, frame(pair, pair.pg._next_received)[:40])
            break
        elif step == "cut":
            pair.is_cut = True
        elif is_on and step == "request":
            open_.append(pair.request())
        elif is_on and step == "answer" and open_ and not pair.is_cut and open_[0] in pair.pg._in_flight:
            pair.answer(open_.pop(0), "t")
        elif is_on and step == "deliver" and pair.pg.window_free:
            pair.deliver(f"d{pair.pg._sent_sequence}")
        elif is_on and step == "drain":
            pair.happened(pair.pg.drain(pair.now))
        elif is_on and step == "log off":
            pair.pss.log_off(pair.now)
            pair.step()
    sessions: tuple[Session, ...] = (pair.pg, pair.pss)

    for session in sessions:
        session.data_to_send()
        at = session.next_due()
        if at is None:
            assert session.due(pair.now + timedelta(hours=1)) == []
            assert session.data_to_send() == b""
            continue
        assert session.due(at - timedelta(microseconds=1)) == []
        assert session.data_to_send() == b""
        assert session.due(at) or session.data_to_send()
