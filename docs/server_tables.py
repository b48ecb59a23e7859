"""The table of the server's settings, from where they are declared."""

from midipool_server.settings.declared import ALL


def settings() -> str:
    """One row a setting: its three names, rule, default, what it does."""
    rows = [
        f"| `{name}` | `{s.variable}` | {_flag(s.flag, s.is_switch) if not s.secret else '–'} "
        f"| {s.rule} | {s.shown(s.default)} | {s.text} |"
        for name, s in ALL.items()
    ]
    head = [
        "| in the file | in the environment | flag | what it must be | default | what it does |"
    ]
    return "\n".join([*head, "| --- | --- | --- | --- | --- | --- |", *rows])


def _flag(flag: str, is_switch: bool) -> str:
    return f"`{flag}`, `--no-{flag[2:]}`" if is_switch else f"`{flag}`"
