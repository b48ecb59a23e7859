"""All kinds of effects with what can be set of them, in one table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from midipool.effects.parameters import Choice, Number, Parameter, Text, Value
from midipool.errors import InvalidValue

# Of a whole note; what is not `off` follows the room's tempo.
SYNC_BEATS: Mapping[str, float] = {
    "off": 0.0,
    "1/1": 4.0,
    "1/2": 2.0,
    "1/4.": 1.5,
    "1/4": 1.0,
    "1/4T": 2 / 3,
    "1/8.": 0.75,
    "1/8": 0.5,
    "1/8T": 1 / 3,
    "1/16": 0.25,
}
CABINETS = ("1x12", "2x12", "4x10", "4x12", "file")
FILTERS = ("low12", "low24", "band12", "band24", "high12", "high24")
MOST_PLUGIN_VALUES = 256


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of effect."""

    id: str
    title: str
    group: str
    parameters: tuple[Parameter, ...]
    free: bool = False
    """It has parameters of its own beside these, which only it knows (a plug-in)."""

    def check(self, name: str, value: Value) -> Value:
        """The value of a parameter, if it can be; raises InvalidValue."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.check(value)
        if self.free and 0 < len(name) <= 128:
            return value
        known = ", ".join(parameter.name for parameter in self.parameters)
        raise InvalidValue(name, f"is nothing that can be set of a {self.title}: {known}")

    def with_defaults(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """All values."""
        return {p.name: p.default for p in self.parameters} | dict(values)


def _db(name: str, default: float, least: float, most: float) -> Number:
    return Number(name, default, least, most, "dB")


def _ms(name: str, default: float, least: float, most: float) -> Number:
    return Number(name, default, least, most, "ms")


def _hz(name: str, default: float, least: float, most: float) -> Number:
    return Number(name, default, least, most, "Hz", 0.01 if most < 100 else 1.0)


def _part(name: str, default: float) -> Number:
    return Number(name, default, 0.0, 1.0, "", 0.01)


_SYNC = Choice("sync", "off", tuple(SYNC_BEATS))
_TONE = (_db("treble", 0, -20, 20), _db("mid", 0, -20, 20), _db("bass", 0, -20, 20))
_DRIVE = (_db("drive", 30, 0, 60), _part("tone", 0.5), _db("level", -6, -60, 12))
_TUBE = (_db("drive", 9, 0, 60), _db("treble", 0, -10, 30), _db("level", -4, -60, 12))


def _envelope(frequency: float) -> tuple[Parameter, ...]:
    return (
        Choice("type", "low", ("low", "band", "high")),
        _hz("frequency", frequency, 1, 2000),
        Number("resonance", 4, 1, 20),
        Number("sensitivity", 50, 0, 100, "%", 1),
        _ms("attack", 20, 2, 100),
        _ms("release", 250, 10, 1000),
        _db("level", 0, -10, 10),
        _db("dry", -80, -80, 0),
    )


_ALL = (
    Kind(
        "gate",
        "noise gate",
        "dynamics",
        (
            _db("threshold", -50, -80, -20),
            _ms("attack", 10, 2, 100),
            _ms("hold", 40, 20, 250),
            _ms("release", 100, 10, 450),
        ),
    ),
    Kind(
        "compressor",
        "compressor",
        "dynamics",
        (
            _db("threshold", -20, -80, 20),
            Number("ratio", 4, 1, 20),
            _db("level", 0, -20, 20),
            _ms("attack", 20, 0.1, 200),
            _ms("release", 120, 10, 1000),
        ),
    ),
    Kind(
        "limiter",
        "limiter",
        "dynamics",
        (_db("threshold", -6, -40, 0), _ms("release", 100, 10, 1000)),
    ),
    Kind("gain", "gain", "dynamics", (_db("gain", 0, -60, 30),)),
    Kind(
        "delay",
        "delay",
        "time",
        (
            Choice("mode", "digital", ("digital", "analog", "highpass")),
            _SYNC,
            _ms("time", 250, 2, 2000),
            _part("feedback", 0.3),
            _part("level", 0.5),
            _db("drift", -42, -60, -12),
            _hz("rate", 1.4, 0.1, 5),
        ),
    ),
    Kind(
        "chorus",
        "chorus",
        "modulation",
        (
            _ms("time", 10, 5, 20),
            _part("depth", 0.25),
            _hz("rate", 2, 0.1, 5),
            Number("feedback", 0, 0, 0.9, "", 0.01),
            _part("mix", 0.5),
        ),
    ),
    Kind(
        "tremolo",
        "tremolo",
        "modulation",
        (
            _part("depth", 0.4),
            _SYNC,
            _hz("rate", 1.2, 0.01, 20),
            Choice("shape", "sine", ("sine", "triangle", "square")),
        ),
    ),
    Kind(
        "phaser",
        "phaser",
        "modulation",
        (
            _hz("rate", 1, 0.05, 10),
            _part("depth", 0.5),
            _hz("centre", 1300, 100, 5000),
            Number("feedback", 0, 0, 0.95, "", 0.01),
            _part("mix", 0.5),
        ),
    ),
    Kind(
        "reverb",
        "reverb",
        "time",
        (
            _part("level", 0.3),
            _part("time", 0.5),
            _part("damping", 0.5),
            _part("width", 1.0),
            _hz("low_cut", 20, 10, 1000),
            _hz("high_cut", 8000, 400, 16000),
        ),
    ),
    Kind(
        "room",
        "room simulator",
        "time",
        (
            Number("side", 10, 1, 20, "m"),
            Number("floor", 10, 1, 20, "m"),
            Number("top", 10, 2, 30, "m"),
            _part("level", 0.4),
        ),
    ),
    Kind("tone_stack", "tone stack", "tone", _TONE),
    Kind(
        "eq",
        "equalizer",
        "tone",
        (
            _hz("low_frequency", 120, 20, 1000),
            _db("low", 0, -24, 24),
            _hz("mid_frequency", 800, 50, 10000),
            Number("mid_q", 0.7, 0.1, 10),
            _db("mid", 0, -24, 24),
            _hz("high_frequency", 4000, 500, 18000),
            _db("high", 0, -24, 24),
        ),
    ),
    Kind(
        "bass_di",
        "bass DI",
        "amplifier",
        (
            _db("volume", 0, -10, 10),
            _db("bass", 0, -35, 35),
            _db("mid", 0, -35, 35),
            _db("treble", 0, -35, 35),
        ),
    ),
    Kind(
        "filter",
        "filter",
        "tone",
        (
            Choice("type", "low12", FILTERS),
            _hz("frequency", 1000, 20, 18000),
            _part("resonance", 0.0),
            Number("drive", 1, 1, 10),
        ),
    ),
    Kind("guitar_envelope", "guitar envelope filter", "tone", _envelope(100)),
    Kind("bass_envelope", "bass envelope filter", "tone", _envelope(40)),
    Kind("tube_drive", "tube overdrive", "drive", _TUBE),
    Kind("soul_drive", "soul drive", "drive", _TUBE),
    Kind(
        "screamer",
        "tube screamer",
        "drive",
        (Number("drive", 25, 1, 120, "", 1), _part("tone", 0.28), Number("output", 1, 0, 2)),
    ),
    Kind("distortion", "distortion", "drive", _DRIVE),
    Kind("metal", "metal distortion", "drive", _DRIVE),
    Kind("fuzz", "fuzz", "drive", _DRIVE),
    Kind("octave_fuzz", "octave fuzz", "drive", _DRIVE),
    Kind("bitcrush", "bit crusher", "drive", (Number("bits", 8, 1, 16),)),
    Kind(
        "champ",
        "Champ amplifier",
        "amplifier",
        (
            _db("gain", 0, -6, 20),
            _db("treble", 0, -20, 20),
            _db("bass", 0, -20, 20),
            _db("master", 0, -10, 10),
        ),
    ),
    Kind(
        "princeton",
        "Princeton amplifier",
        "amplifier",
        (
            Number("volume", 5, 0.01, 10),
            Number("treble", 7, 0, 10),
            Number("bass", 3.5, 0, 10),
            Number("master", 0.5, 0.01, 1, "", 0.01),
        ),
    ),
    Kind(
        "cabinet",
        "cabinet",
        "amplifier",
        (Choice("model", "1x12", CABINETS), Text("file"), _db("level", 0, -20, 20)),
    ),
    Kind(
        "pitch",
        "pitch shift",
        "modulation",
        (Number("semitones", 0, -12, 12, "", 0.01), _part("mix", 1.0)),
    ),
    Kind("plugin", "VST3 plug-in", "plug-in", (Text("file"), Text("name")), free=True),
)
KINDS: Mapping[str, Kind] = {kind.id: kind for kind in _ALL}


def kind_of(id: str) -> Kind:
    """A kind by its id; raises InvalidValue."""
    kind = KINDS.get(id)
    if kind is None:
        raise InvalidValue("kind", f"must be one of {', '.join(KINDS)}, not {id}")
    return kind
