"""Networks that are joined by nothing but a room: in each a player and a DAW with Link.

The player's and the DAW's host are on a switch of their own, behind a router, which passes no
multicast: the sessions on two such networks know nothing of one another.
"""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import CLOCK_PORT
from midipool_demo.tick_meter import TickMeter
from tests.bench.netstage import PORT, NetStage
from tests.netlab import Host, Impairment, Lab
from tests.netlab.namespaces import ip

from .link_daw import LinkDaw

FOUNDED_NS = 700_000_000


@dataclass(frozen=True)
class Lan:
    """A network with a player's host, and a DAW's host beside it."""

    name: str
    jack: JackServer
    player: Host
    beside: Host


class LanStage(NetStage):
    """A server, and networks that reach it over links of one kind."""

    def lan(self, name: str) -> Lan:
        """One more network, with nobody in it yet."""
        lab = self._stack.enter_context(Lab())
        player, beside, router = (lab.host(label) for label in ("player", "daw", "router"))
        for host in (player, beside, router):
            lab.cable(host)
        router.forward()
        if self._impairment is None:
            _wire(router, self.server_host)
        else:
            self._lab.tun_link(router, self.server_host, self._impairment)
        server = self.server_host.address
        player.ip("route", "add", server, "via", router.address)
        self.server_host.ip("route", "add", player.address, "via", router.address)
        self.url = f"ws://{server}:{PORT}/bench"
        jack = self._stack.enter_context(JackServer(period=self._period))
        jack.wait_ready()
        return Lan(name, jack, player, beside)

    def open_daw(self, lan: Lan, bpm: float = 120.0) -> LinkDaw:
        """Start the DAW of a network; it has a session that is older than who comes later.

        Of two sessions less than half a second apart in age, Link lets either win.
        """
        daw = self._stack.enter_context(LinkDaw(lan.beside, bpm))
        daw.wait_until(lambda look: look.host_ns - daw.looks[0].host_ns > FOUNDED_NS)
        return daw

    def bridge(self, lan: Lan, *words: str, skew_ppm: float = 0.0) -> Background:
        """Start the player's client, with `--link`; its host clock may be off."""
        env = dict(lan.jack.env)
        if skew_ppm:
            env["MIDIPOOL_TEST_CLOCK"] = f"12345,{skew_ppm}"
        client = [sys.executable, "-m", "midipool_client", "join", self.url, "--name", lan.name]
        client += ["--no-audio", "--link", *words]
        inside = ["ip", "netns", "exec", lan.player.name, *client]
        return self._stack.enter_context(Background(inside, env))

    def listen(self, lan: Lan) -> TickMeter:
        """A meter on the player's MIDI port."""
        return self._stack.enter_context(TickMeter(lan.jack.env, CLOCK_PORT))


def _wire(a: Host, b: Host) -> None:
    """A plain link between two hosts of different networks."""
    here, there = a.new_device("wan"), b.new_device("wan")
    ends = ("netns", a.name, "type", "veth", "peer", there, "netns", b.name)
    ip("link", "add", here, *ends)
    for end, device, other in ((a, here, b), (b, there, a)):
        end.ip("address", "add", end.address, "peer", other.address, "dev", device)
        end.ip("link", "set", device, "up")


@contextlib.contextmanager
def lan_stage(impairment: Impairment | None = None, period: int = 128) -> Iterator[LanStage]:
    """A stage in labs of its own, with its server running; `period` is JACK's, in frames."""
    with Lab() as lab, contextlib.ExitStack() as stack:
        made = LanStage(lab, stack, impairment, period)
        made.start_server()
        yield made
