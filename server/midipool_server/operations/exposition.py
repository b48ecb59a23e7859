"""What Prometheus is told. Labels have few values, whoever comes: rooms only where wanted."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Protocol, get_args

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from midipool.messages import ERROR_CODES, ModuleState
from midipool_native.relay import RelayStats
from midipool_server.host import RoomHost
from midipool_server.operations.tally import Buckets

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DROPPED = (
    *("rubbish", "too_long", "unknown_sender", "wrong_address", "forged"),
    *("replayed", "too_fast", "stun_too_fast", "unsent"),
)
"""Counters of the relay that say why a datagram went nowhere."""
Labels = Mapping[str, float]


class Exposition(Collector):
    """Reads the server's state and tally when it is asked."""

    def __init__(
        self, host: RoomHost, by_room: bool = False, udp: "Responder | None" = None
    ) -> None:
        self._host, self._by_room, self._udp = host, by_room, udp
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Every family."""
        yield from self._now()
        yield from self._counted()
        yield from self._histograms()
        yield from self._datagrams()

    # ---- parts ----

    def _now(self) -> Iterator[Metric]:
        host = self._host
        rooms = list(host.lobby.rooms.values())
        everybody = [member for room in rooms for member in room.members.values()]
        here = [m for m in everybody if not m.remote]
        errors_s = [m.status.error_bound_us * 1e-6 for m in here if m.connected and m.status]
        yield _gauge("build_info", "What runs.", {version("midipool"): 1}, "version")
        yield _gauge("rooms", "Rooms with a member, or a place that is kept for one.", len(rooms))
        states = {"connected": sum(m.connected for m in here), "remote": len(everybody) - len(here)}
        states["away"] = len(here) - states["connected"]
        yield _gauge("members", "In rooms, by how they are there.", states, "state")
        yield _gauge("connections", "WebSockets of clients.", host.connected)
        yield _gauge("page_viewers", "Pages that are told what happens.", host.viewers.count)
        yield _gauge("draining", "1 while the server takes no more members.", float(host.draining))
        worst = max(errors_s, default=0.0)
        yield _gauge("clock_error_worst_seconds", "The least well known clock now.", worst)
        fullest = host.fullest_outbox()
        yield _gauge("outbox_fullest_messages", "Unsent to the member that reads least.", fullest)
        yield _gauge("modules", "That rooms list, by how they do.", self._modules(), "state")
        if self._by_room:
            of = {room.name: len(room.places.connected()) for room in rooms}
            yield _gauge("room_members", "Connected members of a room.", of, "room")

    def _modules(self) -> Labels:
        now_us, counts = self._host.now_us(), dict.fromkeys(get_args(ModuleState), 0)
        for room in self._host.lobby.rooms.values():
            for module in room.modules.shown(now_us):
                counts[module.state] += 1
        return counts

    def _counted(self) -> Iterator[Metric]:
        tally = self._host.tally
        yield _counter("joins", "Members and remotes let in.", tally.joined)
        codes = {code: 0 for code in ERROR_CODES} | tally.refused
        yield _counter("joins_refused", "Who was not let in, by why.", codes, "reason")
        yield _counter("messages_received", "From clients.", tally.received, "type")
        yield _counter("messages_refused", "Answered by an error.", tally.errors, "code")
        yield _counter("messages_sent", "Put into outboxes.", tally.sent)
        text = "Processes of modules that were started."
        yield _counter("module_starts", text, tally.modules_started)
        text = "Processes of modules that ended by an error, or had to be killed."
        yield _counter("module_failures", text, tally.modules_failed)
        cuts = {"outbox_full": 0, "too_fast": 0} | tally.cut
        yield _counter("connections_cut", "Ended by the server, by why.", cuts, "reason")

    def _histograms(self) -> Iterator[Metric]:
        tally = self._host.tally
        text = "How long before its instant a bar_sync was sent."
        yield _histogram("bar_sync_lead_seconds", text, tally.bar_sync_lead_s)
        text = "Error bounds of members' clocks, as each reports about once a second."
        yield _histogram("clock_error_seconds", text, tally.clock_error_s)
        yield _histogram(
            "round_trip_seconds", "Members' round trips, likewise.", tally.round_trip_s
        )
        text = "How late the event loop woke up, ten times a second."
        yield _histogram("event_loop_lag_seconds", text, tally.loop_lag_s)

    def _datagrams(self) -> Iterator[Metric]:
        if self._udp is not None:
            answered, rubbish = self._udp.stats()
            yield _counter("clock_probes", "Answered over UDP.", answered)
            yield _counter("clock_rubbish", "Datagrams that were no probes.", rubbish)
        relay = self._host.media
        if relay is None:
            return
        stats = relay.stats()
        packets = {"in": stats.forwarded, "out": stats.copies}
        yield _counter("relay_packets", "Audio's, that were passed on.", packets, "direction")
        yield _counter("relay_bytes", "Of members' audio.", relay.bytes(), "direction")
        yield _counter("relay_dropped", "Audio that went nowhere.", _dropped(stats), "reason")
        yield _counter("relay_hellos", "Members that said where they are.", stats.hellos)
        yield _counter("stun_requests", "That were answered.", stats.stun)


class Responder(Protocol):
    """What answers clock probes over UDP."""

    def stats(self) -> tuple[int, int]:
        """(probes answered, datagrams that were none)."""


def _dropped(stats: RelayStats) -> Labels:
    return {reason: getattr(stats, reason) for reason in DROPPED}


def _gauge(name: str, text: str, value: float | Labels, label: str = "") -> Metric:
    labels = [label] if label else []
    family = GaugeMetricFamily(f"midipool_{name}", text, labels=labels)
    for key, number in _each(value):
        family.add_metric(key, number)
    return family


def _counter(name: str, text: str, value: float | Labels, label: str = "") -> Metric:
    labels = [label] if label else []
    family = CounterMetricFamily(f"midipool_{name}", text, labels=labels)
    for key, number in _each(value):
        family.add_metric(key, number)
    return family


def _each(value: float | Labels) -> Iterator[tuple[list[str], float]]:
    if isinstance(value, Mapping):
        yield from (([key], number) for key, number in value.items())
    else:
        yield [], value


def _histogram(name: str, text: str, of: Buckets) -> Metric:
    family = HistogramMetricFamily(f"midipool_{name}", text)
    below, rows = 0, []
    for bound, count in zip((*map(str, of.bounds), "+Inf"), of.counts, strict=True):
        below += count
        rows.append((bound, float(below)))
    family.add_metric([], rows, of.sum)
    return family
