"""Who is found is shown; who lies, floods or vanishes crowds nobody out."""

import ipaddress

import pytest

from midipool import PROTOCOL_VERSION
from midipool.lan.announcement import Announcement, Kind
from midipool.lan.finds import MISSED_CHECKS, MOST_FOUND, MOST_OF_ONE_ADDRESS, Finds

LAN = [ipaddress.ip_network("192.168.1.0/24"), ipaddress.ip_network("fe80::/64")]


def said(name: str = "stage", kind: Kind = "server", **more: int) -> Announcement:
    return Announcement(kind=kind, name=name, **more)  # type: ignore[arg-type]


def names(finds: Finds) -> list[str]:
    return [found.said.name for found in finds.shown()]


def test_servers_come_first_and_go_when_they_say_so() -> None:
    finds = Finds(LAN)
    finds.put("1", said("bob", "player"), ["192.168.1.3"], 0)
    finds.put("2", said("Zoo"), ["192.168.1.4"], 8765)
    finds.put("3", said("ark"), ["192.168.1.5"], 8765)
    assert names(finds) == ["ark", "Zoo", "bob"]
    finds.gone("3")
    finds.gone("nobody")
    assert names(finds) == ["Zoo", "bob"]


def test_its_address_is_one_of_this_lan_and_ipv4_comes_first() -> None:
    finds = Finds(LAN)
    addresses = ["fe80::1%eth0", "10.0.0.1", "192.168.1.4", "127.0.0.1", "8.8.8.8", "rubbish"]
    found = finds.put("1", said(), addresses, 8765)
    assert found is not None
    assert found.addresses == ["192.168.1.4", "fe80::1%eth0"]
    assert found.server == "ws://192.168.1.4:8765"
    finds.checked("1", "fe80::1%eth0")
    assert finds.shown()[0].server == "ws://[fe80::1%eth0]:8765"


@pytest.mark.parametrize(
    ("addresses", "port"),
    [(["8.8.8.8"], 80), ([], 8765), (["127.0.0.1"], 8765), (["192.168.1.4"], 0)],
)
def test_who_leads_elsewhere_is_not_believed(addresses: list[str], port: int) -> None:
    finds = Finds(LAN)
    assert finds.put("1", said(), addresses, port) is None
    assert (finds.shown(), finds.left_out) == ([], 1)


def test_a_server_that_ceases_to_answer_is_not_shown_until_it_answers() -> None:
    finds = Finds(LAN)
    finds.put("1", said(), ["192.168.1.4"], 8765)
    assert finds.shown()[0].problem == ""
    finds.checked("1", None)
    assert finds.shown()[0].problem == "does not answer"
    for _ in range(MISSED_CHECKS - 1):
        finds.checked("1", None)
    assert finds.shown() == []
    finds.put("1", said(), ["192.168.1.4"], 8765)  # its old announcement comes once more
    assert finds.shown() == []
    finds.checked("1", "192.168.1.4")
    assert finds.shown()[0].answers


def test_another_version_is_told_of_and_not_joined() -> None:
    finds = Finds(LAN)
    finds.put("1", said(version=PROTOCOL_VERSION + 1), ["192.168.1.4"], 8765)
    assert "update this client" in finds.shown()[0].problem


def test_thousands_from_one_machine_leave_room_for_others() -> None:
    finds = Finds(LAN)
    for number in range(5000):
        finds.put(str(number), said(f"flood {number}"), ["192.168.1.66"], 8765)
    assert len(finds.shown()) == MOST_OF_ONE_ADDRESS
    finds.put("real", said("real"), ["192.168.1.4"], 8765)
    assert "real" in names(finds)


def test_there_is_a_bound_for_all() -> None:
    finds = Finds(LAN)
    for number in range(5000):
        finds.put(str(number), said(f"flood {number}"), [f"192.168.1.{number % 250 + 1}"], 8765)
    assert len(finds.shown()) == MOST_FOUND
    assert finds.left_out == 5000 - MOST_FOUND
