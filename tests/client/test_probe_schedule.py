"""How often the room's clock is asked."""

from midipool_client.probe_schedule import ProbeSchedule

MS, SECOND = 1_000_000, 1_000_000_000


def gaps(schedule: ProbeSchedule, until_ns: int) -> list[tuple[int, int]]:
    now_ns, found = schedule.started_ns, []
    while now_ns < until_ns:
        later_ns = schedule.next_after(now_ns)
        found.append((now_ns, later_ns - now_ns))
        now_ns = later_ns
    return found


def test_a_burst_then_twenty_a_second_then_ten() -> None:
    found = gaps(ProbeSchedule(0), 20 * SECOND)
    assert [gap for _, gap in found[:19]] == [15 * MS] * 19
    assert {gap for at, gap in found[19:] if at < 12 * SECOND} == {50 * MS}
    assert {gap for at, gap in found if at >= 12 * SECOND} == {100 * MS}


def test_a_calm_link_is_asked_four_times_a_second_while_it_answers() -> None:
    schedule = ProbeSchedule(0, sent=100)
    for sent_ns, jitter_ns, answered_ns, gap_ns in (
        (20 * SECOND, 20_000, 19 * SECOND, 250 * MS),
        (21 * SECOND, 20_000, 20 * SECOND + MS, 250 * MS),
        (22 * SECOND, 5 * MS, 21 * SECOND + MS, 100 * MS),
        (23 * SECOND, 20_000, 22 * SECOND + MS, 250 * MS),
        (24 * SECOND, 20_000, 22 * SECOND + MS, 100 * MS),
    ):
        schedule.udp_answered_ns = answered_ns
        assert schedule.next_after(sent_ns, jitter_ns) == sent_ns + gap_ns


def test_a_new_clock_is_known_within_a_third_of_a_second() -> None:
    assert len([at for at, _ in gaps(ProbeSchedule(0), SECOND // 3)]) >= 20


def test_a_server_without_udp_is_asked_by_websocket_from_the_first_probe_on() -> None:
    assert not ProbeSchedule(0, by_udp=False).udp_answers(1)


def test_udp_is_trusted_at_first_and_while_it_answers() -> None:
    schedule = ProbeSchedule(SECOND)
    assert schedule.udp_answers(SECOND)
    assert schedule.udp_answers(SECOND + 399 * MS)
    assert not schedule.udp_answers(SECOND + 400 * MS)
    schedule.udp_answered_ns = 5 * SECOND
    assert schedule.udp_answers(6 * SECOND - 1)
    assert not schedule.udp_answers(6 * SECOND)
