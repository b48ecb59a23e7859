"""Messages as they go over the wire, and what a peer is told who sends something else."""

import contextlib
import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midipool import PROTOCOL_VERSION, messages
from midipool.errors import InvalidMessage, InvalidValue
from midipool.messages import (
    ClientMessage,
    Hello,
    Message,
    ServerMessage,
    check_name,
    decode_client,
    decode_server,
    encode,
)

from .from_types import tag_of, values

CLIENT_TYPES = get_args(ClientMessage)
SERVER_TYPES = get_args(ServerMessage)

few = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def refused(data: str | bytes) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as caught:
        decode_client(data)
    return caught.value


def client_text(**fields: Any) -> str:
    return json.dumps(fields)


class TestRoundTrip:
    @pytest.mark.parametrize("cls", CLIENT_TYPES, ids=tag_of)
    @few
    @given(data=st.data())
    def test_what_a_client_sends_arrives(self, cls: type[Message], data: st.DataObject) -> None:
        message = data.draw(values(cls))
        assert decode_client(encode(message)) == message
        assert decode_client(encode(message).decode()) == message

    @pytest.mark.parametrize("cls", SERVER_TYPES, ids=tag_of)
    @few
    @given(data=st.data())
    def test_what_a_server_sends_arrives(self, cls: type[Message], data: st.DataObject) -> None:
        message = data.draw(values(cls))
        assert decode_server(encode(message)) == message

    def test_hello_is_of_this_version(self) -> None:
        hello = messages.hello("drums")
        assert decode_client(encode(hello)) == Hello(version=PROTOCOL_VERSION, name="drums")

    def test_it_is_json_that_names_its_type(self) -> None:
        data = json.loads(encode(messages.Start(id=7, at="bar")))
        assert data == {"type": "start", "id": 7, "at": "bar"}


BAD: list[tuple[dict[str, Any], str | None, str]] = [
    ({"type": "tempo", "id": 5, "bpm": 19.9}, "bpm", "20"),
    ({"type": "tempo", "id": 5, "bpm": 1e300}, "bpm", "999"),
    ({"type": "tempo", "id": 5, "bpm": "120"}, "bpm", "float"),
    ({"type": "tempo", "id": 5, "bpm": None}, "bpm", "float"),
    ({"type": "tempo", "id": 5}, None, "bpm"),
    ({"type": "tempo", "id": 5, "bpm": 120, "ramp_bars": 1001}, "ramp_bars", "1000"),
    ({"type": "tempo", "id": 5, "bpm": 120, "ramp_bars": 1.5}, "ramp_bars", "int"),
    ({"type": "tempo", "id": 5, "bpm": 120, "bars": 4}, "bars", "unknown field"),
    ({"type": "locate", "id": 5, "position": {"bar": 0}}, "position.bar", "1"),
    ({"type": "locate", "id": 5, "position": {"bar": 10**6}}, "position.bar", "99999"),
    ({"type": "locate", "id": 5, "position": {"bar": 10**30}}, "position.bar", "99999"),
    ({"type": "locate", "id": 5, "position": {"bar": 1, "beat": 65}}, "position.beat", "64"),
    ({"type": "locate", "id": 5, "position": 17}, "position", "object"),
    ({"type": "loop", "id": 5, "loop": {"start_bar": 9, "end_bar": 5}}, "loop", "end after"),
    ({"type": "meter", "id": 5, "meter": {"denominator": 3}}, "meter", "denominator"),
    ({"type": "meter", "id": 5, "meter": {"numerator": 0}}, "meter.numerator", "1"),
    ({"type": "start", "id": 5, "at": "soon"}, "at", "soon"),
    ({"type": "start", "id": 5, "epoch": -1}, "epoch", "0"),
    ({"type": "start", "id": 5, "count_in_bars": 9}, "count_in_bars", "8"),
    ({"type": "continue", "id": 5, "count_in_bars": -1}, "count_in_bars", "0"),
    ({"type": "stop", "id": 5, "count_in_bars": 1}, "count_in_bars", "unknown field"),
    ({"type": "start", "id": 5, "since": 10**17}, "since", "<= 4503599627370496"),
    ({"type": "start", "id": 5, "since": "now"}, "since", "int"),
    ({"type": "mode", "id": 5, "mode": "anarchy"}, "mode", "anarchy"),
    ({"type": "mode", "id": 5, "mode": "leader", "leader": "a\nb"}, "leader", "control"),
    ({"type": "ballot", "id": 5, "vote": 0, "yes": True}, "vote", "1"),
    ({"type": "ballot", "id": 5, "vote": 1, "yes": 1}, "yes", "bool"),
]

HEARING = {"member": "bert", "profile": "jam"}
BAD_HEARINGS: list[tuple[dict[str, Any], str, str]] = [
    ({"member": "a\nb"}, "member", "control character"),
    ({"member": "b" * 65}, "member", "64"),
    ({"profile": "fast"}, "profile", "fast"),
    ({"latency_ms": -1}, "latency_ms", ">= 0"),
    ({"latency_ms": 1e9}, "latency_ms", "<= 1000000"),
    ({"loss": 1.01}, "loss", "<= 1"),
    ({"residual_loss": -0.1}, "residual_loss", ">= 0"),
    ({"jitter_ms": "1"}, "jitter_ms", "float"),
    ({"level_db": 101}, "level_db", "<= 100"),
    ({"path": "wormhole"}, "path", "wormhole"),
    ({"reason": "a\x1b[31m"}, "reason", "control character"),
    ({"buffer": "b" * 201}, "buffer", "200"),
    ({"volume": 1}, "volume", "unknown field"),
]


class TestRefused:
    @pytest.mark.parametrize(("fields", "field", "rule"), BAD)
    def test_field_and_rule_are_named_and_the_id_is_kept(
        self, fields: dict[str, Any], field: str | None, rule: str
    ) -> None:
        error = refused(client_text(**fields))
        assert error.id == 5
        if field is not None:
            assert error.field == field
            assert field in error.text
        assert rule in error.text

    @pytest.mark.parametrize(("wrong", "field", "rule"), BAD_HEARINGS)
    def test_so_is_the_field_of_a_bad_report(
        self, wrong: dict[str, Any], field: str, rule: str
    ) -> None:
        error = refused(client_text(type="audio_report", hears=[HEARING | wrong]))
        assert error.field is not None
        assert error.field.endswith(field)
        assert rule in error.text
        assert len(error.text) < 300

    def test_a_report_of_more_than_a_room_holds_is_refused(self) -> None:
        assert refused(client_text(type="audio_report", hears=[HEARING] * 65)).field == "hears"

    @pytest.mark.parametrize("id", [-1, 2**53 + 1, "5", None, 5.5, [], 10**40])
    def test_an_id_that_is_none_is_left_out(self, id: object) -> None:
        error = refused(client_text(type="start", id=id))
        assert error.id is None
        assert "id" in error.text

    @pytest.mark.parametrize("type", ["", "welcome", "Start", "nothing", 3, None, [], {}])
    def test_an_unknown_type_is_named(self, type: object) -> None:
        error = refused(client_text(type=type, id=5))
        assert error.field == "type"
        assert error.id == 5

    def test_a_message_without_a_type_is_none(self) -> None:
        assert "type" in refused("{}").text

    @pytest.mark.parametrize(
        "name",
        ["", " a", "a ", "a\nb", "a\x00", "\x1b[31m", "a\u2028b", "\x85", "n" * 65, "n" * 10_000],
    )
    def test_a_bad_name_is_told_the_rule_in_words(self, name: str) -> None:
        error = refused(client_text(type="hello", version=1, name=name))
        assert error.field == "name"
        assert len(error.text) < 300
        assert "regex" not in error.text
        with pytest.raises(InvalidValue, match="control character"):
            check_name(name)

    @pytest.mark.parametrize("name", ["a", "drums", "Jürgen & Søn", "鼓手 1", "🥁", "n" * 64])
    def test_any_other_name_is_welcome(self, name: str) -> None:
        assert check_name(name) == name

    def test_a_name_does_not_end_with_a_newline(self) -> None:
        assert refused(client_text(type="hello", version=1, name="drums\n")).field == "name"

    @pytest.mark.parametrize("token", ["A", "xyz", "0" * 65, "0a\n"])
    def test_a_token_is_hexadecimal(self, token: str) -> None:
        error = refused(client_text(type="hello", version=1, name="a", token=token))
        assert error.field == "token"

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
    def test_only_finite_numbers_are_numbers(self, number: str) -> None:
        refused('{"type":"tempo","id":5,"bpm":' + number + "}")

    @pytest.mark.parametrize("digits", [20, 400, 5_000])
    def test_huge_integers_are_out_of_range(self, digits: int) -> None:
        refused('{"type":"clock_probe","t1_ns":' + "9" * digits + "}")

    @pytest.mark.parametrize("nested", ["[", '{"a":', '{"type":"loop","id":1,"loop":['])
    def test_deep_nesting_is_refused(self, nested: str) -> None:
        refused(nested * 50_000)
        refused(nested * 500 + "]" * 500)

    @pytest.mark.parametrize(
        "data", [b"\xff", b'{"type":"hello","version":1,"name":"\xff"}', b"\xed\xa0\x80"]
    )
    def test_bytes_that_are_no_text_are_refused(self, data: bytes) -> None:
        refused(data)

    @pytest.mark.parametrize("data", ['"\ud800"', '{"type":"\ud800"}', '{"type": "start", "id": 5'])
    def test_broken_json_is_called_that(self, data: str) -> None:
        assert refused(data).text.startswith("not JSON")

    def test_a_takeover_brings_at_least_one_timeline(self) -> None:
        assert refused(client_text(type="takeover", timelines=[])).field == "timelines"

    def test_a_bad_field_deep_inside_is_found(self) -> None:
        error = refused(client_text(type="takeover", timelines=[{}, {"mbpm": 5}]))
        assert error.field is not None
        assert error.field.endswith("mbpm")

    def test_a_server_is_judged_alike(self) -> None:
        with pytest.raises(InvalidMessage) as caught:
            decode_server('{"type":"welcome"}')
        assert "version" in caught.value.text

    @given(st.binary(max_size=200))
    def test_no_bytes_raise_anything_else(self, data: bytes) -> None:
        for decode in (decode_client, decode_server):
            with pytest.raises(InvalidMessage):
                decode(data)

    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=8,
    )

    @given(
        st.sampled_from([tag_of(cls) for cls in (*CLIENT_TYPES, *SERVER_TYPES)]),
        st.dictionaries(
            st.sampled_from(["id", "at", "bpm", "position", "loop", "meter", "timelines", "name"])
            | st.text(max_size=5),
            json_values,
        ),
    )
    @settings(max_examples=100, deadline=None)
    def test_no_json_raises_anything_else(self, tag: str, fields: dict[str, Any]) -> None:
        data = json.dumps({**fields, "type": tag})
        for decode in (decode_client, decode_server):
            with contextlib.suppress(InvalidMessage):
                decode(data)


def test_no_struct_takes_fields_that_it_has_not() -> None:
    for cls in (*CLIENT_TYPES, *SERVER_TYPES):
        assert cls.__struct_config__.forbid_unknown_fields


def test_every_code_that_an_error_can_have_is_explained() -> None:
    assert all(messages.ERROR_CODES.values())
    assert msgspec.json.decode(encode(messages.Error("bad_room", "x")))["code"] == "bad_room"
