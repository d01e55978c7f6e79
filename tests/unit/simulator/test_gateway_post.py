"""Who gets what must be acknowledged, by calling the post alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.simulator.gateway_desk import Reply, Unasked
from pg_bridge.simulator.gateway_post import Letter, Post


class Seated:
    """A session with room for so many."""

    def __init__(self, terminal: str, room: int) -> None:
        self.terminal = terminal
        self.size = room
        self.held: list[Letter] = []
        self.got: list[Letter] = []

    @property
    def room(self) -> int:
        return self.size - len(self.held)

    def give(self, letter: Letter) -> None:
        self.held.append(letter)
        self.got.append(letter)


def _unasked(number: int, terminal: str = "", subject: str = "") -> Unasked:
    return Unasked("B01234", terminal, subject, Reply("548", "SI60", str(number).encode()))


@given(
    letters=st.lists(st.tuples(st.sampled_from(["T1", "T2", "T3"]), st.sampled_from(["I1", "I2", "I3", ""]))),
    steps=st.lists(st.sampled_from(["hand", "ack1", "ack2", "lose1", "lose2"]), max_size=40),
)
def test_nothing_is_lost_and_no_subject_is_overtaken_or_in_two_hands(letters, steps) -> None:
    post = Post()
    post.put(_unasked(number, terminal, subject) for number, (terminal, subject) in enumerate(letters))
    seats = {"1": Seated("T1", 2), "2": Seated("T2", 2)}
    done: list[Letter] = []
    for step in [*steps, *["hand", "ack1", "ack2"] * (2 * len(letters) + 4)]:
        if step == "hand":
            post.hand_out("B01234", list(seats.values()))
            subjects = [{letter.subject for letter in seat.held if letter.subject} for seat in seats.values()]
            assert not subjects[0] & subjects[1]
            continue
        seat = seats[step[-1]]
        if step.startswith("ack"):
            for letter in seat.held:
                post.acknowledged(letter, seat)
            done += seat.held
        else:
            for letter in seat.held:
                post.acknowledged(letter, seat)
            post.put_back(seat.held)
        seat.held = []

    assert sorted(range(len(letters))) == sorted(int(letter.reply.body) for letter in done)
    for subject in ("I1", "I2", "I3"):
        numbers = [letter.number for letter in done if letter.subject == subject]
        assert sorted(numbers) == numbers
    assert 0 == len(post)


def test_what_is_put_back_is_marked_and_comes_before_the_rest() -> None:
    post, seat = Post(), Seated("T1", 2)
    post.put(_unasked(number) for number in range(4))
    post.hand_out("B01234", [seat])
    for letter in seat.held:
        post.acknowledged(letter, seat)
    post.put_back(reversed(seat.held))
    seat.held = []
    seat.size = 9
    post.hand_out("B01234", [seat])

    assert [(b"0", True), (b"1", True), (b"2", False), (b"3", False)] == [
        (letter.reply.body, letter.is_copy) for letter in seat.held
    ]
