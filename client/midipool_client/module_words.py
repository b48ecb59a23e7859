"""A room's modules in words for people. Pure."""

from collections.abc import Sequence

from midipool.messages import ModuleOption, ModuleProgram, RoomModule


def module_in_words(module: RoomModule, room_us: int | None = None) -> str:
    """`playing`, or `restarting in 4 s: it ended with code 1`."""
    state = str(module.state)
    if module.again_us is not None and room_us is not None:
        state += f" in {max(module.again_us - room_us, 0) / 1e6:.0f} s"
    return state + (f": {module.why}" if module.why else "")


def modules_in_words(
    modules: Sequence[RoomModule], programs: Sequence[ModuleProgram], room_us: int | None
) -> list[str]:
    """The list, a line each, and what could be added."""
    lines = [_line(module, room_us) for module in modules] or ["no modules"]
    if programs:
        lines += ["can be added:", *(f"  {_program(program)}" for program in programs)]
    return lines


def _line(module: RoomModule, room_us: int | None) -> str:
    said = [f"{name}={_value(value)}" for name, value in module.options.items()]
    of = [module.program] if module.program != module.name else []
    about = f" ({' '.join([*of, *said])})" if of or said else ""
    again = f", started again {module.restarts} times" if module.restarts else ""
    return f"{module.name}{about}: {module_in_words(module, room_us)}{again}"


def _program(program: ModuleProgram) -> str:
    options = "".join(f" [{_option(option)}]" for option in program.options)
    return f"{program.name}{options}" + (f": {program.about}" if program.about else "")


def _option(option: ModuleOption) -> str:
    if option.choices:
        rule = "|".join(map(_value, option.choices))
    elif isinstance(option.default, str):
        rule = "TEXT"
    else:
        ends = ("" if end is None else _value(end) for end in (option.least, option.most))
        rule = "..".join(ends) if (option.least, option.most) != (None, None) else "NUMBER"
    return f"{option.name}={rule}, else {_value(option.default) or 'nothing'}"


def _value(value: float | str) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
