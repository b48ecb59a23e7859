from midipool.messages import Hearing, MediaPath, MemberInfo, MemberStatus
from midipool_client.page.health import health_of

NAMES = ("ada", "bo", "cy")


def status(error_bound_us: float = 100.0, ticks: int = 1000, late_ticks: int = 0) -> MemberStatus:
    return MemberStatus(
        round_trip_us=10_000.0,
        error_bound_us=error_bound_us,
        drift_ppm=0.0,
        jitter_us=50.0,
        offset_us=0.0,
        ticks=ticks,
        late_ticks=late_ticks,
    )


def members(*names: str, away: tuple[str, ...] = ()) -> list[MemberInfo]:
    return [MemberInfo(name, name not in away, status(), 1) for name in names]


def hears(member: str, left: float = 0.0, loss: float = 0.0, path: MediaPath = "direct") -> Hearing:
    return Hearing(member, "jam", 20.0, loss, left, 2.0, 15.0, -20.0, path)


def all_hear(left: dict[tuple[str, str], float]) -> dict[str, list[Hearing]]:
    return {
        name: [hears(other, left.get((name, other), 0.0)) for other in NAMES if other != name]
        for name in NAMES
    }


def test_links_that_are_good_are_said_to_be() -> None:
    health = health_of(members(*NAMES), all_hear({}), "ada")
    assert (health.state, health.words) == ("good", "all links are good")
    assert [(m.state, m.me) for m in health.members] == [("good", n == "ada") for n in NAMES]


def test_an_answer_that_is_no_yes_is_said_with_its_reason() -> None:
    heard = all_hear({})
    reason = "the stream has 8 channels, not 1, 2 or 4"
    heard["bo"][0] = Hearing("ada", "jam", answer="refused", answer_reason=reason)
    health = health_of(members(*NAMES), heard, "ada")
    assert (health.state, health.words) == ("bad", f"bo hears ada: refused: {reason}")
    heard["bo"][0] = Hearing("ada", "jam", answer="failed", answer_reason="no memory")
    words = health_of(members(*NAMES), heard, "ada").words
    assert words == "bo hears ada: failed, and tried again: no memory"


def test_whose_link_it_is_when_all_hear_one_badly() -> None:
    left = {("ada", "cy"): 0.05, ("bo", "cy"): 0.06}
    health = health_of(members(*NAMES), all_hear(left), "ada")
    assert health.state == "bad"
    assert health.words == "cy: 6.0% of the sound is missing"
    assert [m.state for m in health.members] == ["good", "good", "bad"]


def test_whose_link_it_is_when_one_hears_all_badly() -> None:
    left = {("bo", "ada"): 0.005, ("bo", "cy"): 0.004}
    health = health_of(members(*NAMES), all_hear(left), "ada")
    assert health.state == "watch"
    assert health.words == "bo: 0.5% of the sound is missing"


def test_a_single_bad_way_blames_neither_end() -> None:
    health = health_of(members(*NAMES), all_hear({("ada", "bo"): 0.02}), "cy")
    assert [m.state for m in health.members] == ["good"] * 3
    assert health.words == "ada hears bo: 2.0% of the sound is missing"


def test_of_several_bad_ways_the_worst_is_named() -> None:
    left = {("ada", "bo"): 0.02, ("bo", "cy"): 0.2, ("cy", "ada"): 0.03}
    health = health_of(members(*NAMES), all_hear(left), "cy")
    assert health.words == "bo hears cy: 20.0% of the sound is missing"


def test_who_is_not_reached_is_bad_and_who_is_repaired_is_watched() -> None:
    two = members("ada", "bo")
    silent = health_of(two, {"ada": [hears("bo", path="none")]}, "ada")
    assert (silent.state, silent.words) == ("bad", "ada hears bo: nothing comes through")
    lossy = health_of(two, {"ada": [hears("bo", loss=0.08)]}, "ada")
    assert (lossy.state, lossy.words) == ("watch", "ada hears bo: 8.0% is lost, and repaired")


def test_who_is_away_is_said_and_what_it_heard_does_not_count() -> None:
    health = health_of(members("ada", "bo", away=("bo",)), {"bo": [hears("ada", 0.5)]}, "ada")
    assert health.words == "bo: away: the connection is broken"


def test_a_clock_that_is_not_known_well_is_said() -> None:
    unsure = MemberInfo("bo", True, status(error_bound_us=30_000.0), 1)
    health = health_of([*members("ada"), unsure], {}, "ada")
    assert (health.state, health.words) == ("bad", "bo: the clock is known to ±30 ms only")


def test_late_ticks_are_said() -> None:
    late = MemberInfo("bo", True, status(late_ticks=50), 1)
    assert health_of([late], {}, "ada").words == "bo: 5.0% of MIDI ticks were late"
