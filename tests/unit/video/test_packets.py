"""What one pass over the packets finds out, and where decoding may begin."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from pose_server.pipeline.progress import SilentProgress
from pose_server.video.packets import PacketTable, scan_packets
from pose_shared.errors import MediaError


def table(ticks, keys=(), **changes) -> PacketTable:
    values = {
        "ticks": np.array(ticks, dtype=np.int64),
        "frame_count": len(ticks),
        "packet_count": len(ticks),
        "time_base": Fraction(1, 1000),
        "rate": Fraction(25),
        "key_ticks": np.array([tick for tick, _ in keys], dtype=np.int64),
        "key_positions": np.array([position for _, position in keys], dtype=np.int64),
        "is_cut": False,
    }
    return PacketTable(**{**values, **changes})


def test_every_packet_is_counted_without_decoding(make_film) -> None:
    found = scan_packets(make_film("clip.mp4", frames=47, gop=10), SilentProgress())
    assert found.frame_count == found.packet_count == 47 and not found.is_cut
    np.testing.assert_array_equal(np.diff(found.ticks), 512)
    assert found.key_positions.tolist() == [0, 10, 20, 30, 40]
    assert found.rate == 30


@pytest.mark.parametrize(("index", "packet"), [(0, 0), (9, 0), (10, 0), (19, 0), (20, 10), (46, 30)])
def test_decoding_begins_one_key_frame_early(make_film, index, packet) -> None:
    assert scan_packets(make_film("clip.mp4", frames=47, gop=10), SilentProgress()).entry(index) == packet


def test_decoding_never_begins_before_the_first_key_frame() -> None:
    late = table([0, 40, 80, 120, 160], keys=[(80, 2), (160, 4)])
    assert [late.entry(index) for index in range(5)] == [2, 2, 2, 2, 2]
    assert table([0, 40]).entry(1) == 0


@pytest.mark.parametrize(
    ("said", "used"),
    [
        (Fraction(24000, 1001), Fraction(24000, 1001)),
        (Fraction(25), Fraction(25)),
        (None, Fraction(24)),
        (Fraction(90000), Fraction(24)),
        (Fraction(15), Fraction(24)),
        (Fraction(0), Fraction(24)),
    ],
)
def test_the_rate_is_the_headers_unless_the_times_disprove_it(said, used) -> None:
    counted = table([round(i * 1000 / 24) for i in range(25)], rate=said)
    assert counted.timeline("clip").rate == used


def test_without_times_and_rate_there_is_nothing_to_go_by() -> None:
    assert len(table([], frame_count=9).timeline("clip")) == 9
    with pytest.raises(MediaError, match="neither its rate"):
        table([], frame_count=9, rate=None).timeline("clip")


def test_frames_are_known_by_their_ticks() -> None:
    known = table([0, 40, 80, 80, 80, 120])
    assert [known.index(tick, -1) for tick in (0, 40, 80, 120)] == [0, 1, 2, 5]
    assert [known.index(80, previous) for previous in (1, 2, 3, 4)] == [2, 3, 4, 4]
    assert known.index(33, 0) is None and known.index(None, 0) is None and known.index(10**9, 0) is None


def test_without_ticks_frames_are_counted() -> None:
    bare = table([], frame_count=9)
    assert [bare.index(tick, 3) for tick in (None, 7)] == [4, 4]
    assert bare.entry(5) == 0


def test_a_table_begins_with_the_first_picture_there_is() -> None:
    late = table([0, 40, 80, 120], keys=[(80, 2)]).from_first(80)
    assert late.ticks.tolist() == [80, 120] and late.frame_count == 2 and late.index(120, 0) == 1
    for foreign in (None, 33):
        counted = table([0, 40, 80]).from_first(foreign)
        assert counted.frame_count == 3 and not len(counted.ticks)


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.99])
def test_all_frames_that_a_cut_film_counts_have_everything_they_lean_on(make_film, see, share) -> None:
    path = make_film("cut.mp4", frames=80, b_frames=3, container_options={"movflags": "faststart"})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    found = scan_packets(path, SilentProgress())
    assert found.is_cut and 0 < found.frame_count < 80
    np.testing.assert_array_equal(np.diff(found.ticks), 512)
