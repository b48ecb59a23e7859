import math
import struct

from midipool_client.audio.engine_messages import Level, Levels
from midipool_client.page.meters import frame, order_of

LEVELS = Levels(
    [Level(0.5, 0.125), Level(0.25, 0.25)], Level(1.0, 0.125), {"bass": Level(0.75, 0.5)}
)


def test_a_frame_holds_levels_in_the_order_that_was_told() -> None:
    order = order_of(["bass", "gone"], 2)
    assert order == ["input", "master", "input 1", "input 2", "bass", "gone"]
    data = frame(order, 7, 2, LEVELS, 123_456_789)
    assert struct.unpack_from("<BBHd", data) == (1, 6, 7, 123_456_789.0)
    levels = struct.unpack_from("<12f", data, 12)
    assert levels[:4] == (0.5, 0.25, 1.0, 0.125), "input as a whole, and what is heard"
    assert levels[4:] == (0.5, 0.125, 0.25, 0.25, 0.75, 0.5, 0.0, 0.0)
    assert len(data) == 12 + 6 * 8


def test_channels_of_which_nothing_is_known_yet_are_silent() -> None:
    data = frame(order_of(["bass"], 4), 0, 4, LEVELS, 0)
    assert struct.unpack_from("<6f", data, 12 + 4 * 8) == (0.0, 0.0, 0.0, 0.0, 0.75, 0.5)


def test_a_frame_says_when_room_time_is_not_known() -> None:
    (room_us,) = struct.unpack_from("<d", frame(order_of([], 2), 0, 2, LEVELS, None), 4)
    assert math.isnan(room_us)


def test_a_member_called_master_does_not_take_the_masters_meter() -> None:
    levels = Levels(mix=Level(0.5, 0.5), voices={"master": Level(0.25, 0.25)})
    data = frame(order_of(["master"], 0), 0, 0, levels, 0)
    assert struct.unpack_from("<6f", data, 12) == (0.0, 0.0, 0.5, 0.5, 0.25, 0.25)
