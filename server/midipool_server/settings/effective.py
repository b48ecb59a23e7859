"""What holds, of all that was said: a flag before the environment before the file. Pure."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from midipool.errors import InvalidValue
from midipool_server.settings import toml_file
from midipool_server.settings.declared import ALL
from midipool_server.settings.table import Settings
from midipool_server.settings.together import conflicts

DEFAULT = "default"


class Problem(NamedTuple):
    """What is wrong, and where: `server.toml:3`, `MIDIPOOL_PORT`, `--port`."""

    where: str
    rule: str

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}"


@dataclass(slots=True)
class Effective:
    """Settings as they are put together, and where each is from."""

    values: dict[str, object] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @staticmethod
    def of(
        file: tuple[str, str] | None, environment: Mapping[str, str], flags: Mapping[str, object]
    ) -> "Effective":
        """What file (its name and text), environment and flags say together."""
        made = Effective()
        if file is not None:
            made._read_file(*file)
        made._read_environment(environment)
        for name, value in flags.items():
            made._put(name, value, ALL[name].flag)
        if not made.problems:
            for names, rule in conflicts(made.settings()):
                where = next((made.origins[n] for n in names if n in made.origins), None)
                made.problems.append(Problem(where or ALL[names[0]].flag, rule))
        return made

    def settings(self) -> Settings:
        """All of them; what is wrong is as if it was not said."""
        return Settings(**self.values)  # type: ignore[arg-type]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Name, value for people, and where it is from."""
        settings = self.settings()
        for name, setting in ALL.items():
            yield name, setting.shown(getattr(settings, name)), self.origins.get(name, DEFAULT)

    def _read_file(self, file: str, text: str) -> None:
        try:
            said = toml_file.parse(text)
        except toml_file.NotToml as error:
            self.problems.append(Problem(f"{file}:{error.line}", error.rule))
            return
        for key, (value, line) in said.items():
            where = f"{file}:{line}"
            if key not in ALL:
                self.problems.append(Problem(where, f"{key}: there is no such setting{_like(key)}"))
                continue
            self._put(key, value, where, is_toml=True)

    def _read_environment(self, environment: Mapping[str, str]) -> None:
        names = {setting.variable: name for name, setting in ALL.items()}
        for variable in sorted(environment):
            if variable in names and environment[variable] == "":
                continue
            if variable in names:
                self._put(names[variable], environment[variable], variable)
            elif variable.startswith("MIDIPOOL_") and (near := _near(variable, names)):
                rule = f"this is not a setting: is {near} meant?"
                self.warnings.append(Problem(variable, rule))

    def _put(self, name: str, value: object, where: str, is_toml: bool = False) -> None:
        setting = ALL[name]
        try:
            if not is_toml and isinstance(value, str):
                self.values[name] = setting.of_text(value)
            else:
                self.values[name] = setting.of_toml(value)
        except InvalidValue as error:
            self.problems.append(Problem(where, str(error)))
        else:
            self.origins[name] = where


def _like(key: str) -> str:
    near = _near(key.replace("-", "_").lower(), ALL)
    return f": is {near} meant?" if near else ""


def _near(word: str, words: Mapping[str, object]) -> str | None:
    return next(iter(difflib.get_close_matches(word, words, 1, 0.8)), None)
