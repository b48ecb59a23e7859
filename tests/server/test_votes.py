"""Votes: what passes when, whoever comes and goes meanwhile."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.errors import InvalidValue, Refused
from midipool.messages import (
    ERROR_CODES,
    Ballot,
    Error,
    Locate,
    Ok,
    SetLoop,
    SetMeter,
    SetMode,
    SetTempo,
    Start,
    Stop,
    TransportCommand,
    Vote,
    VoteResult,
    decode_server,
    encode,
)
from midipool.messages import Continue as GoOn
from midipool.meter import Loop, Meter, Position
from midipool_server.conducting import MIN_LEAD_US
from midipool_server.in_words import in_words
from midipool_server.voting import VOTE_US

from .simulation import ANNA, BERT, CARL, DORA, NAMES, SECOND, Simulation

FASTER = SetTempo(id=7, bpm=132.5)
REMOTE, ACTING = 8, 9


class Band(Simulation):
    """A room that votes."""

    def propose(self, command: TransportCommand | SetMode = FASTER, id: int = ANNA) -> None:
        self.take(self.room.handle(self.now_us, id, command))

    def vote(self, id: int, yes: bool = True, vote: int = 1) -> None:
        out = self.take(self.room.handle(self.now_us, id, Ballot(50 + id, vote, yes)))
        assert isinstance(out[0].message, Ok)
        assert (out[0].message.id, out[0].to) == (50 + id, id)

    @property
    def running(self) -> Vote | None:
        return self.room.conducting.votes.message(self.room.places.connected())

    def results(self) -> list[tuple[int, bool]]:
        return [(r.vote, r.passed) for r in self.heard(VoteResult)]

    def answer(self, id: int = ANNA, command_id: int = 7) -> Ok | Error | None:
        """What became of a command."""
        answers = [answer for answer in self.answers(id) if answer.id == command_id]
        assert len(answers) <= 1, "answered twice"
        return answers[0] if answers else None


@pytest.fixture
def band() -> Band:
    simulation = Band()
    for id in (ANNA, BERT, CARL, DORA):
        simulation.join(id, NAMES[id])
    simulation.join(REMOTE, "remote", remote=True)
    token = simulation.room.members[BERT].token
    simulation.join(ACTING, "remote", token=token, remote=True)
    simulation.command(SetMode(id=1, mode="vote"))
    simulation.sent.clear()
    return simulation


def refused(band: Band, command: TransportCommand | SetMode, id: int) -> Refused:
    with pytest.raises(Refused) as caught:
        band.propose(command, id)
    assert caught.value.code in ERROR_CODES
    return caught.value


class TestPassing:
    def test_a_command_waits_for_more_than_half(self, band: Band) -> None:
        band.propose()
        [told] = band.heard(Vote)
        assert told == Vote(1, "anna", "tempo 132.5", ["anna"], [], 3, band.now_us + VOTE_US)
        assert decode_server(encode(told)) == told
        band.vote(BERT)
        assert band.heard(Vote)[-1].yes == ["anna", "bert"]
        assert (band.answer(), band.results()) == (None, [])
        band.run(SECOND)
        band.vote(CARL)
        ok = band.answer()
        assert isinstance(ok, Ok)
        assert ok.target_send_timestamp == band.now_us + MIN_LEAD_US
        assert band.room.chain.last.mbpm == 132_500
        assert band.results() == [(1, True)]
        assert band.running is None

    def test_the_members_hear_how_it_stands_and_nothing_twice(self, band: Band) -> None:
        band.propose()
        band.vote(BERT, False)
        band.vote(BERT, False)
        assert [(v.yes, v.no) for v in band.heard(Vote)] == [(["anna"], []), (["anna"], ["bert"])]

    def test_who_is_alone_decides_at_once(self) -> None:
        band = Band()
        band.join()
        band.command(SetMode(id=1, mode="vote"))
        ok = band.command(FASTER)
        assert ok.target_send_timestamp == band.now_us + MIN_LEAD_US
        assert band.heard(Vote) == []
        assert band.heard(VoteResult) == []

    def test_the_same_from_another_is_a_yes_and_is_answered_too(self, band: Band) -> None:
        band.propose()
        band.propose(SetTempo(id=9, bpm=132.5), BERT)
        assert band.running is not None
        assert band.running.yes == ["anna", "bert"]
        band.vote(CARL)
        ok, also = band.answer(), band.answer(BERT, 9)
        assert isinstance(ok, Ok)
        assert isinstance(also, Ok)
        assert ok.revision == also.revision

    def test_a_start_that_two_made_is_the_same(self, band: Band) -> None:
        band.propose(Start(id=7, since=band.now_us - 10))
        band.run(SECOND)
        band.propose(Start(id=7, since=band.now_us), BERT)
        assert band.running is not None
        assert len(band.running.yes) == 2

    def test_how_long_it_takes_does_not_make_a_start_too_old(self, band: Band) -> None:
        since_us = band.now_us - 4 * SECOND
        band.propose(Start(id=7, since=since_us))
        band.run(9 * SECOND)
        band.vote(BERT)
        band.vote(CARL)
        assert isinstance(band.answer(), Ok)
        # Two beats a second: the proposer's DAW has gone on all the while.
        passed_us = band.now_us + MIN_LEAD_US - since_us
        assert band.room.chain.last.origin_beats == 2 * passed_us

    def test_a_mode_is_voted_upon(self, band: Band) -> None:
        band.propose(SetMode(id=7, mode="leader", leader="dora"))
        assert band.room.authority.mode == "vote"
        assert band.heard(Vote)[0].text == "mode leader dora"
        band.vote(BERT)
        band.vote(CARL)
        assert band.room.authority.leader == "dora"
        assert isinstance(band.answer(), Ok)
        assert refused(band, FASTER, ANNA).code == "not_leader"


class TestFailing:
    def test_after_ten_seconds_it_is_over(self, band: Band) -> None:
        band.propose()
        band.vote(BERT)
        assert band.room.next_deadline() == band.now_us + VOTE_US
        band.run(VOTE_US - 1)
        assert band.running is not None
        band.run(1)
        error = band.answer()
        assert isinstance(error, Error)
        assert error.code == "vote_failed"
        assert "2 yes, 0 no, 3 needed within 10 s" in error.message
        assert band.results() == [(1, False)]
        assert band.room.next_deadline() is None

    def test_it_is_over_when_no_majority_is_left(self, band: Band) -> None:
        band.propose()
        band.vote(BERT, False)
        assert band.running is not None
        band.vote(CARL, False)
        assert band.results() == [(1, False)]
        assert isinstance(band.answer(), Error)
        assert band.room.chain.last.mbpm == 120_000

    def test_who_thinks_again_counts_once(self, band: Band) -> None:
        band.propose()
        band.vote(BERT, False)
        band.vote(BERT, True)
        assert band.running is not None
        assert (band.running.yes, band.running.no) == (["anna", "bert"], [])

    def test_the_proposer_can_take_it_back(self, band: Band) -> None:
        band.propose()
        band.vote(ANNA, False)
        band.vote(BERT, False)
        assert band.results() == [(1, False)]

    @pytest.mark.parametrize("how", ["lost", "leave"])
    def test_it_ends_with_its_proposer(self, band: Band, how: str) -> None:
        band.propose()
        band.propose(FASTER, BERT)
        band.take(getattr(band.room, how)(band.now_us, ANNA))
        assert band.results() == [(1, False)]
        error = band.answer(BERT)
        assert isinstance(error, Error)
        assert "anna is gone" in error.message

    def test_what_cannot_be_done_is_not_voted_upon(self, band: Band) -> None:
        wrong: list[TransportCommand | SetMode] = [
            Locate(id=7, position=Position(1, 9)),
            Start(id=7, since=0),
            SetMode(id=7, mode="leader", leader="nobody"),
        ]
        for command in wrong:
            with pytest.raises(InvalidValue):
                band.propose(command)
        assert band.heard(Vote) == []
        assert refused(band, Stop(id=7, epoch=99), ANNA).code == "stale_epoch"

    def test_what_can_be_done_no_more_fails_with_its_reason(self, band: Band) -> None:
        band.propose(SetMode(id=7, mode="leader", leader="dora"))
        band.take(band.room.leave(band.now_us, DORA))
        band.vote(BERT)
        error = band.answer()
        assert isinstance(error, Error)
        assert (error.code, error.field) == ("bad_value", "leader")
        assert band.results() == [(1, False)]
        assert band.room.authority.mode == "vote"


class TestComingAndGoing:
    def test_a_leave_may_let_it_pass(self, band: Band) -> None:
        band.propose()
        band.vote(BERT)
        band.take(band.room.leave(band.now_us, DORA))
        assert band.results() == [(1, True)]

    def test_a_lost_connection_too(self, band: Band) -> None:
        band.propose()
        band.vote(BERT)
        band.take(band.room.lost(band.now_us, DORA))
        assert band.results() == [(1, True)]

    def test_a_ballot_of_one_who_is_gone_does_not_count(self, band: Band) -> None:
        band.propose()
        band.vote(BERT)
        band.take(band.room.lost(band.now_us, BERT))
        assert band.running is not None
        assert (band.running.yes, band.running.needed) == (["anna"], 2)

    def test_it_counts_again_when_that_one_is_back(self, band: Band) -> None:
        band.propose()
        band.vote(BERT)
        token = band.room.members[BERT].token
        band.join(20, "eve")
        band.take(band.room.lost(band.now_us, BERT))
        welcome = band.join(21, "bertie", token=token)
        assert welcome.vote is not None
        assert (welcome.vote.yes, welcome.vote.needed) == (["anna", "bertie"], 3)

    def test_another_of_the_same_name_has_not_voted(self, band: Band) -> None:
        band.propose()
        band.vote(BERT, False)
        band.take(band.room.leave(band.now_us, BERT))
        welcome = band.join(20, "bert")
        assert welcome.vote is not None
        assert welcome.vote.no == []

    def test_who_joins_is_told_and_everybody_that_more_are_needed(self, band: Band) -> None:
        band.propose()
        welcome = band.join(20, "eve")
        assert welcome.vote == band.running
        band.join(21, "finn")
        assert [v.needed for v in band.heard(Vote)] == [3, 4]
        assert decode_server(encode(welcome)) == welcome


class TestWhoVotes:
    def test_a_remote_for_its_member(self, band: Band) -> None:
        band.propose(FASTER, ACTING)
        assert band.running is not None
        assert (band.running.proposer, band.running.yes) == ("bert", ["bert"])
        band.vote(ANNA)
        band.vote(CARL)
        assert isinstance(band.answer(ACTING), Ok)

    def test_a_remote_that_acts_for_nobody_does_not(self, band: Band) -> None:
        error = refused(band, FASTER, REMOTE)
        assert error.code == "not_member"
        assert "join the room, or run this where you joined it" in error.text
        band.propose()
        with pytest.raises(Refused) as caught:
            band.room.handle(band.now_us, REMOTE, Ballot(1, 1, True))
        assert caught.value.code == "not_member"

    def test_nor_for_a_member_who_is_away(self, band: Band) -> None:
        band.take(band.room.lost(band.now_us, BERT))
        assert refused(band, FASTER, ACTING).code == "not_member"
        assert band.running is None
        band.propose()
        with pytest.raises(Refused) as caught:
            band.vote(ACTING)
        assert caught.value.code == "not_member"

    def test_one_vote_at_a_time(self, band: Band) -> None:
        band.propose()
        error = refused(band, Stop(id=7), BERT)
        assert error.code == "vote_running"
        assert "anna's 'tempo 132.5' (vote 1)" in error.text
        assert refused(band, FASTER, ANNA).code == "vote_running"
        assert len(band.heard(Vote)) == 1

    @pytest.mark.parametrize("vote", [1, 2, 2**53])
    def test_a_vote_that_is_none_is_called_that(self, band: Band, vote: int) -> None:
        with pytest.raises(Refused) as caught:
            band.room.handle(band.now_us, BERT, Ballot(1, vote, True))
        assert (caught.value.code, caught.value.field) == ("no_such_vote", "vote")

    def test_the_next_vote_has_another_number(self, band: Band) -> None:
        band.propose()
        band.vote(BERT, False)
        band.vote(CARL, False)
        with pytest.raises(Refused):
            band.vote(DORA)
        band.propose()
        assert band.running is not None
        assert band.running.vote == 2

    def test_the_room_shows_the_vote(self, band: Band) -> None:
        assert band.room.describe(band.now_us)["vote"] is None
        band.propose()
        shown = band.room.describe(band.now_us)["vote"]
        assert isinstance(shown, dict)
        assert (shown["vote"], shown["text"], shown["yes"]) == (1, "tempo 132.5", ["anna"])


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (Start(id=1), "start"),
        (Start(id=1, count_in_bars=2), "start, after 2 bars of count-in"),
        (GoOn(id=1, count_in_bars=1), "continue, after 1 bar of count-in"),
        (Stop(id=1, at="bar"), "stop, on the bar line"),
        (SetTempo(id=1, bpm=120), "tempo 120"),
        (SetTempo(id=1, bpm=133.7004, ramp_bars=4), "tempo 133.7 over 4 bars"),
        (Locate(id=1, position=Position(17, 3)), "locate 17.3"),
        (SetLoop(id=1, loop=Loop(5, 9)), "loop 5-9"),
        (SetLoop(id=1, loop=None), "loop off"),
        (SetMeter(id=1, meter=Meter(7, 8)), "meter 7/8"),
        (SetMode(id=1, mode="locked"), "mode locked"),
    ],
)
def test_a_vote_says_what_it_is_about(command: TransportCommand | SetMode, text: str) -> None:
    assert in_words(command) == text


events = st.one_of(
    st.tuples(st.just("join"), st.integers(2, 7), st.just(True)),
    st.tuples(st.just("lost"), st.integers(2, 7), st.just(True)),
    st.tuples(st.just("leave"), st.integers(2, 7), st.just(True)),
    st.tuples(st.just("vote"), st.integers(1, 7), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 4), st.just(True)),
)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5), st.lists(events, max_size=25))
def test_it_passes_if_and_only_if_more_than_half_of_those_connected_agree(
    begin_with: int, script: list[tuple[str, int, bool]]
) -> None:
    band = Band()
    for id in range(1, begin_with + 1):
        band.join(id, f"m{id}")
    band.command(SetMode(id=1, mode="vote"))
    # The law, told on its own: who is here, and what each last said.
    here, ballots = set(range(1, begin_with + 1)), {1: True}
    ends_us = band.now_us + VOTE_US
    expected: bool | None = None
    band.propose(FASTER, 1)

    def judge() -> bool | None:
        yes = sum(ballots.get(id) is True for id in here)
        no = sum(ballots.get(id) is False for id in here)
        if 2 * yes > len(here):
            return True
        return False if 2 * (len(here) - no) <= len(here) or band.now_us >= ends_us else None

    expected = judge()
    for what, id, yes in script:
        if expected is not None:
            break
        if what == "wait":
            band.run(id * SECOND)
        elif what == "join" and id not in here:
            band.join(id, f"m{id}")
            here.add(id)
        elif what == "lost" and id in here:
            band.take(band.room.lost(band.now_us, id))
            here.discard(id)
        elif what == "leave" and id in here:
            band.take(band.room.leave(band.now_us, id))
            here.discard(id)
            ballots.pop(id, None)
        elif what == "vote" and id in here:
            band.vote(id, yes)
            ballots[id] = yes
        expected = judge()
        assert (band.running is None) == (expected is not None)
    band.run(VOTE_US)
    answer = band.answer(1)
    assert isinstance(answer, Ok if expected else Error)
    assert (band.room.chain.last.mbpm == 132_500) == bool(expected)
    assert band.running is None
    assert band.room.next_deadline() is None or begin_with > 1
    assert len(band.heard(VoteResult)) == (0 if begin_with == 1 else 1)
