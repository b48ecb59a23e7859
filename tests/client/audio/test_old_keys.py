"""How long a key is good that the room has no more."""

from midipool_client.audio.old_keys import GRACE_NS, OldKeys


def test_the_one_before_is_good_for_a_moment_and_then_forgotten_once() -> None:
    keys = OldKeys()
    keys.changed(7, 0)
    assert keys.over(10 * GRACE_NS) == []
    keys.changed(8, 100)
    assert keys.over(99 + GRACE_NS) == []
    assert keys.over(100 + GRACE_NS) == [7]
    assert keys.over(200 + GRACE_NS) == []


def test_of_several_each_has_its_time_and_the_newest_stays() -> None:
    keys = OldKeys()
    for n, key_id in enumerate((7, 8, 9)):
        keys.changed(key_id, n)
    assert keys.over(10 * GRACE_NS) == [7, 8]


def test_the_same_again_is_no_old_one() -> None:
    keys = OldKeys()
    for key_id in (7, 7, 8, 7):
        keys.changed(key_id, 0)
    assert keys.over(10 * GRACE_NS) == [8]
