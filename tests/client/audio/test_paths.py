"""Where datagrams go, by what two members' paths say to each other on given time."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from midipool.messages import MediaCandidate, MediaOffer, MediaOfferFrom
from midipool_client.audio.engine_messages import Address, Raw, Way, Ways
from midipool_client.audio.paths import OVERLAP_US, SILENT_US, MediaPaths

RELAY = ("192.0.2.1", 8766)
ANNA, BERT = ("198.51.100.1", 5000), ("198.51.100.2", 6000)
STEP_US = 5_000


@dataclass
class Member:
    """One member's paths, and what they had the engine told."""

    name: str
    at: Address
    told: list[Ways] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.paths = MediaPaths([self.at], RELAY, 1, 0)


class Net:
    """Anna and Bert, and the room between them; `passes` says which datagrams arrive."""

    def __init__(self, passes: Callable[[Address, Address], bool] = lambda a, b: True) -> None:
        self.passes = passes
        self.members = {at: Member(name, at) for name, at in (("anna", ANNA), ("bert", BERT))}
        self.now_us = 0
        self._on_the_way: deque[tuple[Member, Raw | Ways | MediaOffer]] = deque()
        for member in self.members.values():
            self.do(member, member.paths.members([o.name for o in self.others(member)], 0))

    def others(self, member: Member) -> list[Member]:
        return [other for other in self.members.values() if other is not member]

    def do(self, member: Member, messages: Iterable[Raw | Ways | MediaOffer]) -> None:
        self._on_the_way.extend((member, message) for message in messages)
        while self._on_the_way:
            sender, message = self._on_the_way.popleft()
            self._pass(sender, message)

    def _pass(self, sender: Member, message: Raw | Ways | MediaOffer) -> None:
        match message:
            case Ways():
                sender.told.append(message)
            case MediaOffer():
                [to] = self.others(sender)
                assert message.to == to.name
                said = (message.generation, message.ufrag, message.pwd, message.candidates)
                offer = MediaOfferFrom(*said, name=sender.name)
                out = to.paths.offered(offer, self.now_us)
                self._on_the_way.extend((to, one) for one in out)
            case Raw(to=at, data=data):
                heard = self.members.get(at)
                if heard is not None and self.passes(sender.at, at):
                    out = heard.paths.came(sender.at, data, self.now_us)
                    self._on_the_way.extend((heard, one) for one in out)

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds * 1e6) // STEP_US):
            self.now_us += STEP_US
            for member in self.members.values():
                self.do(member, member.paths.tick(self.now_us))


def test_at_first_the_relay_is_the_way() -> None:
    assert Member("anna", ANNA).paths.ways() == Ways([Way(RELAY)], RELAY)


def test_members_who_reach_each_other_send_directly_and_leave_the_relay_gently() -> None:
    net = Net()
    net.run(2)
    anna, bert = net.members.values()
    assert anna.told[-1] == Ways([Way(BERT), Way(RELAY, OVERLAP_US)], RELAY)
    assert bert.told[-1] == Ways([Way(ANNA), Way(RELAY, OVERLAP_US)], RELAY)
    assert anna.paths.direct("bert")
    assert anna.paths.reason("bert").startswith("direct (198.51.100.2:6000")


def test_where_nothing_passes_the_relay_stays_the_way_and_it_says_why() -> None:
    net = Net(passes=lambda a, b: False)
    net.run(5)
    for member in net.members.values():
        assert set(map(str, member.told)) <= {str(Ways([Way(RELAY)], RELAY))}
        assert member.paths.ways() == Ways([Way(RELAY)], RELAY)
        [other] = net.others(member)
        assert member.paths.reason(other.name).startswith("relay: ")


def test_as_long_as_one_member_has_no_direct_path_the_relay_is_used_too() -> None:
    net = Net()
    net.run(2)
    anna = net.members[ANNA]
    anna.paths.members(["bert", "carl"], net.now_us)
    assert anna.paths.ways() == Ways([Way(BERT), Way(RELAY)], RELAY)
    [gone] = anna.paths.members(["bert"], net.now_us)
    assert gone == Ways([Way(BERT), Way(RELAY, OVERLAP_US)], RELAY)


def test_who_falls_silent_is_sent_to_by_the_relay_at_once() -> None:
    net = Net()
    net.run(2)
    anna = net.members[ANNA]
    assert anna.paths.heard("bert", SILENT_US - 1, net.now_us) == []
    assert anna.paths.heard("carl", SILENT_US, net.now_us) == []
    told = [m for m in anna.paths.heard("bert", SILENT_US, net.now_us) if isinstance(m, Ways)]
    assert told == [Ways([Way(RELAY)], RELAY)]
    net.run(3)
    assert anna.paths.direct("bert"), "it answers: the direct path is taken again"


def test_silence_from_before_a_path_was_found_is_no_reason_to_leave_it() -> None:
    net = Net()
    anna = net.members[ANNA]
    while not anna.paths.direct("bert"):
        net.run(0.01)
    assert anna.paths.heard("bert", SILENT_US, net.now_us) == []
    net.run(2)
    assert anna.paths.heard("bert", 60_000_000, net.now_us) == []
    assert anna.paths.direct("bert")


def test_a_path_that_dies_is_given_up_and_found_again() -> None:
    net = Net()
    net.run(2)
    net.passes = lambda a, b: False
    net.run(6)
    anna = net.members[ANNA]
    assert anna.told[-1] == Ways([Way(RELAY)], RELAY)
    net.passes = lambda a, b: True
    net.run(30)
    assert anna.paths.direct("bert")


def test_an_offer_that_no_member_of_ours_makes_is_left_out() -> None:
    paths = Member("anna", ANNA).paths
    paths.members(["bert"], 0)
    everybody = [MediaCandidate("host", "224.0.0.1", 5000, 1)]
    offer = MediaOfferFrom(2, "ufragufrag", "p" * 22, everybody, name="bert")
    assert paths.offered(offer, 1) == []


def test_other_addresses_are_told_and_the_same_ones_are_not() -> None:
    net = Net()
    net.run(2)
    anna = net.members[ANNA]
    assert anna.paths.addresses([ANNA], net.now_us) == []
    anna.paths.addresses([("198.51.100.9", 5000)], net.now_us)
    offers = []
    for _ in range(100):
        net.now_us += STEP_US
        offers += [m for m in anna.paths.tick(net.now_us) if isinstance(m, MediaOffer)]
    assert [c.address for c in offers[0].candidates] == ["198.51.100.9"]


def test_who_hears_nothing_is_not_sent_to() -> None:
    net = Net()
    net.run(2)
    anna = net.members[ANNA].paths
    assert anna.send_to(frozenset(("bert",)))
    assert Way(BERT) in anna.ways().ways
    [ways] = anna.send_to(frozenset())
    assert ways == Ways([], RELAY)
    assert anna.send_to(frozenset()) == []
    # Carl has no path yet, and hears us by the relay alone; the path to Bert is kept.
    anna.members(["bert", "carl"], net.now_us)
    anna.send_to(frozenset(("carl",)))
    assert anna.ways() == Ways([Way(RELAY)], RELAY)
    assert anna.direct("bert")
