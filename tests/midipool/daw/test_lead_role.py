"""Who leads, who follows, and who yields."""

import pytest

from midipool.daw.lead_role import GRACE_TICKS, LeadRole


def judged(role: LeadRole, clock_is_echo: bool | None, times: int = 1) -> LeadRole:
    for _ in range(times):
        role.judge(clock_is_echo, unprompted=False)
    return role


def with_own_clock() -> LeadRole:
    return judged(LeadRole("auto"), False)


def test_nothing_leads_before_it_is_known_whose_clock_it_is() -> None:
    role = LeadRole("auto")
    role.hear_tempo(97, 0.01)
    judged(role, None).hear_tempo(97, 0.01)
    assert not role.leads


def test_a_clock_of_its_own_leads_a_room_that_nobody_has_changed() -> None:
    role = with_own_clock()
    role.hear_tempo(97, 0.01)
    assert role.steers


def test_a_clock_heard_while_we_sent_none_is_its_own() -> None:
    role = LeadRole("auto")
    role.judge(None, unprompted=True)
    role.take()
    assert role.steers


def test_an_echo_follows_and_its_tempo_is_nothing() -> None:
    role = judged(LeadRole("auto"), True)
    role.hear_tempo(97, 0.01)
    assert (role.follows, role.leads) == (True, False)


def test_an_echo_stays_one_until_it_does_something_of_its_own() -> None:
    role = judged(LeadRole("auto"), True)
    assert judged(role, False).follows
    role.take()
    assert (role.follows, role.leads, role.steers) == (False, True, False)
    assert judged(role, False).steers


def test_who_leads_is_no_echo_although_the_room_ticks_like_it() -> None:
    role = with_own_clock()
    role.take()
    assert judged(role, True, 10 * GRACE_TICKS).steers


def test_an_echo_that_pressed_start_is_one_again_after_some_beats() -> None:
    role = judged(LeadRole("auto"), True)
    role.take()
    assert not judged(role, True, GRACE_TICKS - 1).follows
    assert judged(role, True, 2).follows


def test_who_yielded_leads_again_by_a_new_tempo_of_its_own_only() -> None:
    role = with_own_clock()
    role.take()
    role.give_up(97.0)
    for bpm in (97.0, 97.3, 96.6):
        role.hear_tempo(bpm, 0.01)
        assert not role.leads
    role.hear_tempo(97.6, 0.01)
    assert role.leads


def test_who_yielded_before_its_tempo_was_known_is_compared_with_the_first() -> None:
    role = with_own_clock()
    role.give_up(None)
    role.hear_tempo(97, 0.01)
    assert not role.leads
    role.hear_tempo(98, 0.01)
    assert role.leads


def test_a_tempo_that_may_be_read_wrongly_is_no_new_one() -> None:
    role = with_own_clock()
    role.give_up(97.0)
    role.hear_tempo(97.6, 0.2)
    assert not role.leads


def test_a_clock_that_was_doubted_leads_again_once_it_is_known_to_be_its_own() -> None:
    role = with_own_clock()
    role.take()
    role.give_up(97.0, doubtful=True)
    role.hear_tempo(98, 0.01)
    assert not role.leads
    judged(role, False).hear_tempo(98, 0.01)
    assert role.steers


@pytest.mark.parametrize("clock_is_echo", [None, True, False])
def test_in_mode_lead_every_clock_is_its_own(clock_is_echo: bool | None) -> None:
    role = judged(LeadRole("lead"), clock_is_echo, 500)
    role.hear_tempo(97, 0.01)
    assert role.steers
