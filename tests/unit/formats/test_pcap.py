"""Captures: both byte orders, both forms, and what networks do to packets."""

from __future__ import annotations

import random
from typing import Literal

import pytest

from pg_bridge.formats.pcap import is_capture, read_tcp
from tests.doubles.packets import ACK, SYN, ethernet, pcap, pcapng, tcp, tcp6

PSS, PG = ("10.0.0.7", 40001), ("10.0.0.9", 9000)
UP, DOWN = b"ask and ask again", b"an answer"


def conversation() -> list[tuple[float, bytes]]:
    """A connection that the PSS opened, with a few segments each way."""
    packets = [tcp(PSS, PG, 100, flags=SYN), tcp(PG, PSS, 900, flags=SYN | ACK), tcp(PSS, PG, 101)]
    packets += [tcp(PSS, PG, 101 + at, UP[at : at + 5]) for at in range(0, len(UP), 5)]
    packets += [tcp(PG, PSS, 901 + at, DOWN[at : at + 4]) for at in range(0, len(DOWN), 4)]
    return [(1000.5 + number, ethernet(packet)) for number, packet in enumerate(packets)]


def told(data: bytes) -> list[tuple[str, bool | None, list[bytes]]]:
    return [(stream.source, stream.dialled, [run.data for run in stream.runs]) for stream in read_tcp(data)]


WHOLE = [("10.0.0.7:40001", True, [UP]), ("10.0.0.9:9000", False, [DOWN])]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap_of_either_byte_order_is_read(order: Literal["<", ">"], nano: bool) -> None:
    data = pcap(conversation(), order=order, nano=nano)

    assert is_capture(data)
    assert WHOLE == told(data)
    assert (0, 1003.5) == read_tcp(data)[0].runs[0].times[0]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [6, 9])
def test_pcapng_of_either_byte_order_is_read(order: Literal["<", ">"], resolution: int) -> None:
    data = pcapng(conversation(), order=order, resolution=resolution)

    assert is_capture(data)
    assert WHOLE == told(data)
    assert (0, 1003.5) == read_tcp(data)[0].runs[0].times[0]


def test_packets_out_of_order_and_sent_again_make_the_same_streams() -> None:
    for seed in range(30):
        opening, rest = conversation()[:3], conversation()[3:]
        rest += random.Random(seed).choices(rest, k=4)
        random.Random(seed).shuffle(rest)

        assert WHOLE == told(pcap([*opening, *rest]))


def test_a_segment_that_overlaps_what_came_adds_only_what_is_new() -> None:
    packets = [*conversation()[:4], (1010.0, ethernet(tcp(PSS, PG, 101, UP)))]

    assert [("10.0.0.7:40001", True, [UP])] == told(pcap(packets))


def test_a_lost_packet_cuts_the_stream_in_pieces() -> None:
    packets = conversation()
    del packets[4]

    assert ("10.0.0.7:40001", True, [UP[:5], UP[10:]]) == told(pcap(packets))[0]


def test_numbers_go_on_after_the_largest() -> None:
    start = 2**32 - 6
    packets = [(1.0, ethernet(tcp(PSS, PG, start + at, UP[at : at + 4]))) for at in range(0, len(UP), 4)]

    assert [("10.0.0.7:40001", None, [UP])] == told(pcap(packets))


def test_ports_used_again_are_another_connection() -> None:
    again = [tcp(PSS, PG, 70_000, flags=SYN), tcp(PSS, PG, 70_001, b"second")]
    streams = read_tcp(pcap([*conversation(), *((2000.0, ethernet(packet)) for packet in again)]))

    assert [(0, UP), (0, DOWN), (1, b"second")] == [(s.connection, s.runs[0].data) for s in streams]


def test_vlan_ipv6_and_bare_ip_are_read() -> None:
    vlan = pcap([(1.0, ethernet(tcp(PSS, PG, 1, UP), vlan=True))])
    six = pcap([(1.0, ethernet(tcp6(40001, 9000, 1, UP)))])
    bare = pcap([(1.0, tcp(PSS, PG, 1, UP))], link=101)

    assert [UP, UP, UP] == [read_tcp(data)[0].runs[0].data for data in (vlan, six, bare)]
    assert "[0:0:0:0:0:0:0:1]:40001" == read_tcp(six)[0].source


def test_whatever_is_cut_or_broken_is_left_out_and_nothing_raises() -> None:
    for whole in (pcap(conversation()), pcapng(conversation())):
        for size in range(len(whole)):
            read_tcp(whole[:size])
        chance = random.Random(7)
        for _ in range(300):
            broken = bytearray(whole)
            for _ in range(4):
                broken[chance.randrange(4, len(broken))] = chance.randrange(256)
            read_tcp(bytes(broken))


def test_what_is_no_capture_gives_nothing() -> None:
    assert [] == read_tcp(b"{1:01...")
    assert not is_capture(b"{1:01...")
