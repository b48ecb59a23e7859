"""Which paths members find, how fast, and that they are never without one."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool.punching import Candidate, Event, Offer, PathChanged, Puncher, Send
from midipool.stun import REQUEST, Address, StunMessage, encode, parse
from tests.midipool.punching.simnet import KINDS, MS, Net

SECOND = 1_000_000
IMPOSSIBLE = {
    ("symmetric", "symmetric"),
    ("symmetric", "port-restricted"),
    ("port-restricted", "symmetric"),
}
PAIRS = list(itertools.product(KINDS, KINDS))


def are_direct(net: Net) -> Callable[[], bool]:
    return lambda: all(member.path is not None for member in net.members.values())


def together(*kinds: str, loss: float = 0.0) -> Net:
    net = Net(*kinds, loss=loss)
    net.meet()
    assert net.run(5 * SECOND, until=are_direct(net))
    return net


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_every_pair_of_routers_is_direct_within_2_s_or_says_why_not(
    kinds: tuple[str, str],
) -> None:
    net = Net(*kinds)
    net.meet()
    direct = net.run(2 * SECOND, until=are_direct(net))
    assert direct == (kinds not in IMPOSSIBLE)
    net.run(8 * SECOND)
    for member in net.members.values():
        word = "direct (203.0.113." if direct else "(symmetric NAT)"
        assert word in member.reason


@pytest.mark.parametrize("seed", range(5))
def test_a_fifth_of_all_datagrams_lost_stops_nobody(seed: int) -> None:
    net = Net("port-restricted", "port-restricted", loss=0.2, seed=seed)
    net.meet()
    assert net.run(3 * SECOND, until=are_direct(net))


def test_two_in_one_home_take_the_way_inside() -> None:
    net = Net("none", "none", delay_us=1 * MS)
    net.meet()
    net.run(SECOND)
    assert net.members["a"].path == net.members["b"].at


def test_the_round_trip_that_is_said_is_that_of_now() -> None:
    net = Net("none", "none", delay_us=80 * MS)  # both sides are busy as they begin
    net.meet()
    assert net.run(SECOND, until=are_direct(net))
    assert net.members["a"].reason.endswith(", 160.0 ms)")
    net.delay_us = 5 * MS
    net.run(3 * SECOND)
    assert net.members["a"].reason.endswith(", 10.0 ms)")


def test_a_path_that_works_is_kept_and_little_is_sent() -> None:
    net = together("full-cone", "port-restricted")
    net.run(2 * SECOND)
    a = net.members["a"]
    changes, sent = len(a.changes), len(a.sent)
    net.run(20 * SECOND)
    assert len(a.changes) == changes
    assert len(a.sent) - sent < 20 * 8  # checks and answers


def test_a_dead_path_gives_way_to_the_relay_and_comes_back() -> None:
    net = together("port-restricted", "port-restricted")
    a, b = net.members.values()
    assert a.path is not None
    a.dead.add(a.path)
    died_us = net.now_us
    assert net.run(4 * SECOND, until=lambda: a.path is None and b.path is None)
    assert net.now_us - died_us < 2 * SECOND
    assert "lost" in a.reason
    a.dead.clear()
    assert net.run(15 * SECOND, until=are_direct(net))


def test_what_the_engine_does_not_hear_goes_by_the_relay_at_once() -> None:
    net = together("none", "none")
    a = net.members["a"]
    events = a.puncher.silent("b", net.now_us)
    (change,) = [event for event in events if isinstance(event, PathChanged)]
    assert change.path is None
    net.do(a, events)
    assert net.run(SECOND, until=are_direct(net))  # it answers, three times


def test_the_path_moves_with_a_member_who_changes_the_network() -> None:
    net = together("full-cone", "port-restricted")
    a, b = net.members.values()
    before = b.path
    a.move("port-restricted")
    net.do(a, a.puncher.addresses_changed([a.at], net.now_us))
    assert net.run(2 * SECOND, until=lambda: b.path not in (None, before))
    assert a.path is not None


def test_other_addresses_leave_a_working_path_alone() -> None:
    net = together("none", "none")
    a = net.members["a"]
    changes = len(a.changes)
    net.do(a, a.puncher.addresses_changed([a.at, ("10.9.9.9", 5000)], net.now_us))
    net.run(5 * SECOND)
    assert len(a.changes) == changes
    assert a.offers[-1].offer.generation > a.offers[0].offer.generation


def test_a_router_that_maps_anew_is_noticed() -> None:
    net = together("port-restricted", "none")
    a, b = net.members.values()
    offers = len(a.offers)
    at = a.at
    a.move("port-restricted")
    a.at = at  # only the outside is another
    assert net.run(15 * SECOND, until=lambda: len(a.offers) > offers)
    assert net.run(3 * SECOND, until=lambda: b.path is not None and b.path[0] == a.router.outside)


@pytest.mark.parametrize("who", ["a", "b", "ab"])
def test_members_who_begin_anew_find_each_other_again(who: str) -> None:
    net = together("port-restricted", "port-restricted")
    for name in who:
        net.members[name].start()
    net.meet()
    assert net.run(4 * SECOND, until=are_direct(net))
    net.run(SECOND)
    assert are_direct(net)()


def test_offers_that_get_lost_are_sent_again() -> None:
    net = Net("full-cone", "none")
    lost = iter([False, False, False])
    net.room_passes = lambda _: next(lost, True)
    net.meet()
    assert net.run(6 * SECOND, until=are_direct(net))


def test_nobody_offers_for_ever() -> None:
    net = Net("symmetric", "symmetric")
    net.meet()
    net.run(100 * SECOND)
    offers = len(net.members["a"].offers)
    net.run(1000 * SECOND)
    assert len(net.members["a"].offers) == offers


def test_an_offer_that_is_over_changes_nothing() -> None:
    net = together("none", "none")
    a, b = net.members.values()
    net.run(2 * SECOND)
    stale = b.offers[0].offer
    old = Offer(stale.generation - 1, "gone", "x" * 22, stale.candidates)
    path = a.path
    assert a.puncher.offer("b", old, net.now_us) == []
    net.run(3 * SECOND)
    assert a.path == path


def test_udp_that_is_blocked_is_said() -> None:
    net = Net("blocked", "none")
    net.meet()
    net.run(10 * SECOND)
    assert net.members["a"].reason == "relay: UDP to others is blocked"
    assert net.members["b"].reason == "relay: no address of the other side answers"


def test_ipv6_is_left_alone_by_who_has_none() -> None:
    net = Net("none", "none")
    a = net.members["a"]
    v6 = Candidate("host", "2001:db8::1", 5000, 9)
    net.do(a, a.puncher.joined("b", net.now_us))
    net.run(SECOND)
    a.puncher.offer("b", Offer(10**9, "ufrag", "p" * 22, (v6,)), net.now_us)
    net.run(5 * SECOND)
    assert ("2001:db8::1", 5000) not in [send.to for _, send in a.sent]


def bad(*candidates: Candidate, ufrag: str = "ufrag", pwd: str = "p" * 22) -> Offer:
    return Offer(1, ufrag, pwd, candidates)


@pytest.mark.parametrize(
    ("offer", "field"),
    [
        (bad(ufrag="x"), "ufrag"),
        (bad(pwd="short"), "pwd"),
        (bad(*[Candidate("host", "192.0.2.1", 1, 1)] * 17), "candidates"),
        (bad(Candidate("host", "name.example", 1, 1)), "address"),
        (bad(Candidate("host", "224.0.0.1", 1, 1)), "address"),
        (bad(Candidate("host", "192.0.2.1", 0, 1)), "port"),
        (bad(Candidate("else", "192.0.2.1", 1, 1)), "kind"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused_with_its_field(offer: Offer, field: str) -> None:
    a = Net("none", "none").members["a"]
    with pytest.raises(InvalidValue, match=field):
        a.puncher.offer("b", offer, 0)


def overheard() -> tuple[Puncher, str]:
    """A puncher, and the user name that a member's checks of it bear."""
    net = Net("none", "none")
    net.meet()
    net.run(SECOND)
    a, b = (member.offers[0].offer.ufrag for member in net.members.values())
    return net.members["a"].puncher, f"{a}:{b}"


def test_a_check_without_the_password_gets_nothing() -> None:
    puncher, username = overheard()
    message = StunMessage(REQUEST, bytes(12), {6: username.encode()})
    at: Address = ("192.0.2.66", 1)
    for datagram in (encode(message), encode(message, "wrong")):
        assert to(puncher.datagram(at, datagram, SECOND), at) == 0
    assert puncher.rubbish == 2


def to(events: list[Event], at: Address) -> int:
    """Bytes that are sent to an address."""
    return sum(len(one.datagram) for one in events if isinstance(one, Send) and one.to == at)


def test_an_address_that_nobody_vouches_for_gets_at_most_thrice_what_came_from_it() -> None:
    net = together("none", "none")
    a, b = net.members.values()
    victim = ("192.0.2.66", 1)
    asked = [send.datagram for _, send in b.sent if send.to == a.at and parse(send.datagram)]
    request = parse(next(one for one in asked if parse(one).kind == REQUEST))
    password = a.offers[0].offer.pwd
    attributes = {6: request.attributes[6]}
    fresh = encode(StunMessage(REQUEST, b"another-one!", attributes), password)
    sent = 0
    for _ in range(20):  # replayed, too
        sent += to(a.puncher.datagram(victim, fresh, net.now_us), victim)
        net.now_us += 100 * MS
    for _ in range(100):
        sent += to(a.puncher.tick(net.now_us), victim)
        net.now_us += 100 * MS
    assert 0 < sent <= 3 * len(fresh)


ADDRESSES = st.tuples(st.sampled_from(["192.0.2.9", "203.0.113.12", "2001:db8::1"]), st.just(5000))
HEADS = st.sampled_from([b"", bytes.fromhex("000100002112a442"), bytes.fromhex("010100002112a442")])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(ADDRESSES, HEADS, st.binary(max_size=80)), max_size=50))
def test_rubbish_raises_nothing_and_gets_no_answer(
    datagrams: list[tuple[Address, bytes, bytes]],
) -> None:
    net = Net("none", "none")
    a = net.members["a"]
    net.do(a, a.puncher.joined("b", 0))
    for at, head, rest in datagrams:
        assert to(a.puncher.datagram(at, head + rest, 0), at) == 0


def test_who_finds_a_path_late_does_not_wake_all_the_time() -> None:
    net = Net("symmetric", "symmetric")
    net.meet()
    net.run(8 * SECOND)  # all was tried, and rests
    for member in net.members.values():
        member.move("none")
        net.do(member, member.puncher.addresses_changed([member.at], net.now_us))
    assert net.run(3 * SECOND, until=are_direct(net))
    net.run(20 * SECOND)
    for member in net.members.values():
        member.puncher.tick(net.now_us)
        assert member.puncher.due_us(net.now_us) > net.now_us
