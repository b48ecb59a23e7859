"""Plots of the benchmarks."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt


def histograms(runs: dict[str, Any], names: list[str], path: Path) -> None:
    """Distance from the ideal in frames, one row a tempo."""
    figure, rows = plt.subplots(len(runs), 1, figsize=(9, 3.2 * len(runs)), squeeze=False)
    for axes, (bpm, run) in zip(rows[:, 0], runs.items(), strict=True):
        for name in names:
            if "histogram" in run.get(name, {}):
                histogram = run[name]["histogram"]
                total = max(sum(histogram["counts"]), 1)
                shares = [count / total for count in histogram["counts"]]
                axes.stairs(shares, histogram["edges"], label=name, fill=name == "midipool")
        axes.set_yscale("log")
        axes.set_xlabel("frames from the ideal (48 kHz; beyond ±200 counted there)")
        axes.set_ylabel("share of ticks")
        axes.set_title(f"{bpm} BPM, one core fully loaded")
        axes.legend()
    _save(figure, path)


def cumulative(series: dict[str, list[float]], xlabel: str, limit: float, path: Path) -> None:
    """How many of the values stay below x."""
    figure, axes = plt.subplots(figsize=(9, 4))
    for name, values in series.items():
        ordered = sorted(values)
        shares = [(i + 1) / len(ordered) for i in range(len(ordered))]
        axes.plot(ordered, shares, label=name)
    axes.axvline(limit, color="grey", linestyle=":")
    axes.set_xscale("log")
    axes.set_xlabel(xlabel)
    axes.set_ylabel("share")
    axes.legend()
    _save(figure, path)


def over_time(series: dict[str, tuple[list[float], list[float]]], ylabel: str, path: Path) -> None:
    """Values over seconds."""
    figure, axes = plt.subplots(figsize=(9, 4))
    for name, (seconds, values) in series.items():
        axes.plot(seconds, values, label=name, linewidth=0.8)
    axes.set_xlabel("seconds")
    axes.set_ylabel(ylabel)
    axes.legend()
    _save(figure, path)


def bars(groups: dict[str, dict[str, int]], path: Path) -> None:
    """Counts by group, stacked."""
    figure, axes = plt.subplots(figsize=(9, 3))
    left = dict.fromkeys(groups, 0)
    for part in next(iter(groups.values())):
        counts = [group[part] for group in groups.values()]
        axes.barh(list(groups), counts, left=list(left.values()), label=part)
        left = {name: left[name] + group[part] for name, group in groups.items()}
    axes.legend()
    _save(figure, path)


def groups(values: dict[str, dict[str, float]], xlabel: str, path: Path) -> None:
    """A bar for each value, by group."""
    figure, axes = plt.subplots(figsize=(9, max(3, 0.3 * sum(map(len, values.values())))))
    names = [f"{name}, {group}" for group, of in values.items() for name in of]
    axes.barh(names, [value for of in values.values() for value in of.values()])
    axes.invert_yaxis()
    axes.set_xlabel(xlabel)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)
