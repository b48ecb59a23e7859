"""The room's song list: what is in it, who may change it, and what loading does."""

import pytest

from midipool.errors import InvalidMessage, InvalidValue, Refused
from midipool.messages import (
    ERROR_CODES,
    MAX_SONGS,
    AddSong,
    ChangeSong,
    Error,
    HandSongs,
    LoadedSong,
    LoadSong,
    MoveSong,
    Ok,
    RemoveSong,
    Say,
    SetMode,
    SetTempo,
    Song,
    SongEdit,
    SongGone,
    SongLoaded,
    SongPut,
    Songs,
    Start,
    Vote,
    decode_client,
    decode_server,
    encode,
)
from midipool.meter import Loop, Meter
from midipool.song_book import SongBook

from .simulation import ANNA, BERT, NAMES, SECOND, Simulation

REMOTE = 9
BLUE = AddSong(
    id=1, name="Blue in Green", bpm=56, meter=Meter(3, 4), key="Dm", notes="# Intro\npiano"
)
WALTZ = AddSong(id=1, name="Waltz", bpm=132.5, meter=Meter(3, 4), loop=Loop(5, 9))


class Band(Simulation):
    """A room whose clients know song lists, and one of them that only listens."""

    def __init__(self) -> None:
        super().__init__()
        self.heard_book = SongBook()

    def enter(self, id: int, name: str, remote: bool = False) -> Songs:
        parts = ["chat", "songs"]
        _, out = self.room.join(self.now_us, id, name, "", remote, f"{id:032x}", parts)
        self.take(out)
        [songs] = [o.message for o in out if isinstance(o.message, Songs)]
        return songs

    def edit(self, edit: SongEdit | HandSongs, id: int = ANNA) -> None:
        if isinstance(edit, HandSongs):
            out = self.room.handle(self.now_us, id, edit)
        else:
            out = self.room.handle(self.now_us, id, edit)
        for told in self.take(out):
            if isinstance(told.message, SongPut | SongGone | SongLoaded):
                self.heard_book.hear(told.message)

    def load(self, song: int, id: int = ANNA) -> Ok:
        out = self.take(self.room.handle(self.now_us, id, LoadSong(id=7, song=song)))
        [ok] = [o.message for o in out if isinstance(o.message, Ok)]
        return ok

    @property
    def songs(self) -> list[Song]:
        return self.room.songs.book.songs

    @property
    def names(self) -> list[str]:
        return [song.name for song in self.songs]


@pytest.fixture
def band() -> Band:
    made = Band()
    for id in (ANNA, BERT):
        made.enter(id, NAMES[id])
    for song in (BLUE, WALTZ):
        made.edit(song)
    return made


def add(name: str, before: int | None = None, notes: str = "") -> AddSong:
    return AddSong(id=1, name=name, bpm=100, before=before, notes=notes)


class TestList:
    def test_everybody_has_the_same_list_whatever_is_done_to_it(self, band: Band) -> None:
        blue, waltz = (song.id for song in band.songs)
        band.edit(add("Opener", before=blue))
        band.edit(add("Closer"), BERT)
        band.edit(MoveSong(id=1, song=waltz, before=blue))
        band.edit(ChangeSong(id=1, song=blue, bpm=60, notes="slower"))
        assert band.names == ["Opener", "Waltz", "Blue in Green", "Closer"]
        changed = band.songs[2]
        assert (changed.bpm, changed.notes, changed.key, changed.revision) == (
            60,
            "slower",
            "Dm",
            2,
        )
        band.edit(MoveSong(id=1, song=waltz))
        band.edit(MoveSong(id=1, song=waltz, before=waltz))
        band.edit(RemoveSong(id=1, song=blue))
        assert band.names == ["Opener", "Closer", "Waltz"]
        assert band.heard_book.songs == band.songs
        assert band.enter(3, "carl").songs == band.songs
        assert [answer.id for answer in band.answers(BERT)] == [1]

    def test_songs_of_one_name_and_at_one_instant_are_told_apart(self, band: Band) -> None:
        band.edit(add("Waltz"))
        assert len({song.id for song in band.songs}) == 3
        with pytest.raises(Refused, match="2 songs are called"):
            band.room.songs.book.which("waltz")

    def test_who_changes_what_somebody_else_just_changed_is_told(self, band: Band) -> None:
        blue = band.songs[0]
        band.edit(ChangeSong(id=1, song=blue.id, revision=1, key="D"))
        with pytest.raises(Refused) as stale:
            band.edit(ChangeSong(id=1, song=blue.id, revision=1, key="C"), BERT)
        assert (stale.value.code, band.songs[0].key) == ("stale_song", "D")

    @pytest.mark.parametrize(
        "edit",
        [
            RemoveSong(id=1, song=5),
            MoveSong(id=1, song=5),
            ChangeSong(id=1, song=5),
            add("x", before=5),
        ],
    )
    def test_a_song_that_is_not_there(self, band: Band, edit: SongEdit) -> None:
        before = band.songs
        with pytest.raises(Refused) as refused:
            band.edit(edit)
        assert refused.value.code == "no_such_song"
        assert refused.value.code in ERROR_CODES
        assert band.songs == before

    def test_the_list_is_bounded(self, band: Band) -> None:
        for n in range(MAX_SONGS - 2):
            band.edit(add(f"song {n}"))
        with pytest.raises(Refused, match="100 songs") as refused:
            band.edit(add("one more"))
        assert refused.value.code == "list_full"

    def test_its_notes_are_bounded_together(self, band: Band) -> None:
        with pytest.raises(Refused, match="256 KiB"):  # noqa: PT012
            for n in range(20):
                band.edit(add(f"song {n}", notes="🎷" * 8_000))
        assert len(band.songs) == 10
        assert len(encode(band.enter(3, "carl"))) < 1 << 20
        with pytest.raises(Refused, match="256 KiB"):
            band.edit(ChangeSong(id=1, song=band.songs[0].id, notes="🎷" * 8_000))
        band.edit(ChangeSong(id=1, song=band.songs[-1].id, notes="short"))

    def test_who_edits_all_the_time_is_stopped(self, band: Band) -> None:
        blue = band.songs[0].id
        for n in range(198):
            band.edit(ChangeSong(id=1, song=blue, bpm=60 + n))
        with pytest.raises(Refused) as refused:
            band.edit(ChangeSong(id=1, song=blue, bpm=99))
        assert refused.value.code == "too_fast"

    @pytest.mark.parametrize(
        ("edit", "words"),
        [
            (add(""), "name"),
            (add("a\nb"), "name"),
            (add("x", notes="\x1b[2J"), "notes.*tab and newline"),
            (add("x", notes="x" * 8_001), "notes"),
            (AddSong(id=1, name="x", bpm=5), "bpm"),
            (AddSong(id=1, name="x", bpm=99, key="\x07"), "key.*16 characters"),
        ],
    )
    def test_what_cannot_be_in_it(self, edit: AddSong, words: str) -> None:
        with pytest.raises(InvalidMessage, match=words):
            decode_client(encode(edit))

    def test_markdown_and_markup_is_text(self) -> None:
        song = add("<script>", notes="# A\n\t**b** <img src=x onerror=alert(1)>\n")
        assert decode_client(encode(song)) == song


class TestRights:
    def test_who_may_change_the_room_may_change_the_list(self, band: Band) -> None:
        band.enter(REMOTE, "remote", remote=True)
        band.edit(add("from a shell"), REMOTE)
        band.command(SetMode(id=1, mode="leader", leader="anna"))
        band.edit(add("the leader's"))
        for id in (BERT, REMOTE):
            with pytest.raises(Refused, match="anna leads"):
                band.edit(add("another's"), id)
            with pytest.raises(Refused, match="anna leads"):
                band.load(band.songs[0].id, id)
        band.command(SetMode(id=1, mode="locked"))
        with pytest.raises(Refused, match="locked"):
            band.edit(add("too late"))

    def test_a_vote_is_on_what_plays_not_on_the_list(self, band: Band) -> None:
        band.command(SetMode(id=1, mode="vote"))
        band.edit(add("Another"), BERT)
        waltz = band.songs[1].id
        band.take(band.room.handle(band.now_us, ANNA, LoadSong(id=7, song=waltz)))
        assert band.heard(Vote)[-1].text == "song Waltz (132.5 BPM, 3/4)"
        assert band.room.songs.book.loaded is None
        band.take(band.room.handle(band.now_us, BERT, Say(id=1, text="/yes")))
        assert band.room.songs.book.loaded == LoadedSong(waltz, "anna", band.now_us + 150_000)
        assert band.room.chain.last.mbpm == 132_500

    def test_a_song_that_went_while_they_voted(self, band: Band) -> None:
        band.command(SetMode(id=1, mode="vote"))
        waltz = band.songs[1].id
        band.take(band.room.handle(band.now_us, ANNA, LoadSong(id=7, song=waltz)))
        band.edit(RemoveSong(id=1, song=waltz))
        before = band.room.chain.last
        band.take(band.room.handle(band.now_us, BERT, Say(id=1, text="/yes")))
        answer = band.answers(ANNA)[-1]
        assert isinstance(answer, Error)
        assert answer.code == "no_such_song"
        assert band.room.chain.last == before


class TestLoading:
    def test_in_a_stopped_room_it_is_at_bar_1_with_all_that_the_song_says(self, band: Band) -> None:
        band.command(SetTempo(id=1, bpm=99))
        waltz = band.songs[1]
        ok = band.load(waltz.id)
        now = band.room.chain.last
        assert (now.mbpm, now.meter, now.loop) == (132_500, Meter(3, 4), Loop(5, 9))
        assert (now.playing, now.origin_beats) == (False, 0)
        assert ok.target_send_timestamp == band.now_us + band.room.conducting.lead_us()
        assert band.heard(SongLoaded)[-1].loaded == LoadedSong(
            waltz.id, "anna", ok.target_send_timestamp
        )
        band.load(band.songs[0].id)
        assert band.room.chain.last.loop is None

    def test_in_a_playing_room_it_begins_on_the_next_bar_line(self, band: Band) -> None:
        started = band.command(Start(id=1)).target_send_timestamp
        band.run(3 * SECOND)
        ok = band.load(band.songs[1].id)
        # Bars of 4/4 at 120 BPM take 2 s.
        assert ok.target_send_timestamp == started + 4 * SECOND
        before, after = (band.timeline_at(started + 4 * SECOND + d) for d in (-1, 0))
        assert (before.mbpm, before.meter) == (120_000, Meter(4, 4))
        assert (after.mbpm, after.meter, after.playing) == (132_500, Meter(3, 4), True)
        assert after.position_at(ok.target_send_timestamp).bar == 1
        assert after.epoch == before.epoch + 1
        assert band.listened().last == after

    def test_a_tempo_that_comes_in_between_moves_the_line_and_not_the_song(
        self, band: Band
    ) -> None:
        band.command(Start(id=1))
        band.run(SECOND // 2)
        late = band.load(band.songs[1].id).target_send_timestamp
        band.command(SetTempo(id=2, bpm=240))
        after = band.room.chain.last
        assert after.origin_time_us < late
        assert after.mbpm == 132_500

    def test_who_loaded_what_is_told_in_changes_chat_and_description(self, band: Band) -> None:
        band.take(band.room.handle(band.now_us, BERT, Say(id=1, text="/song waltz")))
        described = band.room.describe(band.now_us)
        assert described["song"] == "Waltz"
        change = list(band.room.conducting.changes)[-1]
        assert (change.by, change.text) == ("bert", "song Waltz (132.5 BPM, 3/4)")
        assert band.room.floor.chat.message(band.now_us).lines[-1].text == change.text

    @pytest.mark.parametrize("text", ["/song", "/song 3", "/song 0", "/song nobody knows it"])
    def test_a_song_that_chat_does_not_find(self, band: Band, text: str) -> None:
        with pytest.raises((Refused, InvalidValue), match="song"):
            band.room.handle(band.now_us, ANNA, Say(id=1, text=text))

    def test_by_number_by_name_by_its_beginning(self, band: Band) -> None:
        which = band.room.songs.book.which
        assert {which(text).name for text in ("1", "blue in green", "BLUE")} == {"Blue in Green"}

    def test_a_loaded_song_that_is_removed_is_loaded_no_more(self, band: Band) -> None:
        blue = band.songs[0].id
        band.load(blue)
        band.edit(RemoveSong(id=1, song=blue))
        assert band.heard(SongLoaded)[-1].loaded is None
        assert band.room.describe(band.now_us)["song"] is None
        assert band.room.chain.last.mbpm == 56_000


class TestServerAgain:
    OLD = (
        Song(3, 2, "Blue", 60),
        Song(4, 1, "Waltz", 132.5, Meter(3, 4), notes="old"),
        Song(5, 1, "Closer", 90),
    )

    def test_a_member_hands_the_list_over_in_pieces(self) -> None:
        band = Band()
        assert band.enter(ANNA, "anna").hand
        band.edit(add("meanwhile"))
        band.edit(HandSongs(songs=list(self.OLD[:2])))
        band.enter(BERT, "bert")
        band.edit(HandSongs(songs=[Song(9, 1, "forged", 99)]), BERT)
        loaded = LoadedSong(4, "bert", -5)
        band.edit(HandSongs(songs=[self.OLD[2]], loaded=loaded))
        assert band.names == ["meanwhile", "Blue", "Waltz", "Closer"]
        assert band.room.songs.book.loaded == LoadedSong(4, "bert", band.now_us)
        assert band.heard_book.songs == band.songs
        assert band.heard_book.loaded_song() == self.OLD[1]

    @pytest.mark.parametrize("song", [Song(2**53, 1, "Last", 60), Song(7, 2**53, "Often", 60)])
    def test_one_behind_which_there_is_no_other_number_is_left_out(self, song: Song) -> None:
        band = Band()
        band.enter(ANNA, "anna")
        band.edit(HandSongs(songs=[song, self.OLD[0]]))
        band.edit(add("New"))
        assert band.names == ["Blue", "New"]
        for _, out in band.sent:
            decode_server(encode(out.message))

    def test_what_was_removed_does_not_come_back(self) -> None:
        band = Band()
        band.enter(ANNA, "anna")
        band.enter(BERT, "bert")
        band.edit(HandSongs(songs=list(self.OLD)))
        band.edit(RemoveSong(id=1, song=4))
        band.edit(HandSongs(songs=list(self.OLD), loaded=LoadedSong(4, None, 0)))
        assert band.names == ["Blue", "Closer"]
        assert band.room.songs.book.loaded is None

    def test_another_goes_on_where_the_first_one_broke_off(self) -> None:
        band = Band()
        band.enter(ANNA, "anna")
        band.enter(BERT, "bert")
        band.edit(HandSongs(songs=[self.OLD[0]]))
        band.take(band.room.lost(band.now_us, ANNA))
        band.edit(HandSongs(songs=list(self.OLD)), BERT)
        assert band.names == ["Blue", "Waltz", "Closer"]

    def test_not_later_and_not_by_a_remote(self, band: Band) -> None:
        band.enter(REMOTE, "remote", remote=True)
        assert band.room.handle(band.now_us, REMOTE, HandSongs(songs=list(self.OLD))) == []
        band.run(120 * SECOND)
        assert not band.enter(3, "carl").hand
        assert band.room.handle(band.now_us, ANNA, HandSongs(songs=list(self.OLD))) == []
