"""A soak: the plan is carried out, what is seen is judged, and all of it ends with a report."""

import contextlib
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from tests.soak import actors
from tests.soak.actors import Stage
from tests.soak.deeds import Deeds
from tests.soak.hearing import NoteWatch
from tests.soak.looking import Looks
from tests.soak.observer import Observer
from tests.soak.plan import OBSERVER, Action, Course, make_plan
from tests.soak.report import make_report
from tests.soak.state import Options, Soak
from tests.soak.violation import Calm
from tests.soak.watches import Watches

LOOK_S, MEASURE_S = 0.5, 5.0
ENDED_S = 15.0


def soak(options: Options) -> dict[str, Any]:
    """Run it until it is over or interrupted; the report."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        stage = Stage(Path(folder), options.members, options.lasting, options.jack_servers)
        with stage, contextlib.ExitStack() as stack:
            report = _on(stage, stack, options)
        left = actors.wait_gone(stage.mark, ENDED_S)
    if left:
        report["violations"].append(f"no process left: {left} (seed {options.seed})")
    return report


def _on(stage: Stage, stack: contextlib.ExitStack, options: Options) -> dict[str, Any]:
    calm = Calm()
    notes: list[NoteWatch] = []
    observer = Observer(stage.url, OBSERVER, lambda at_us, key: notes[0].play(at_us, key))
    notes.append(NoteWatch(OBSERVER, observer.graph, calm))
    stack.enter_context(observer)
    run = Soak(options, stage, observer, Watches(observer, calm, notes[0]))
    looks = Looks(stack, run)
    can_lose = stage.why_no_loss is None
    course = Course(options.seed, options.minutes * 60, options.members, options.lasting, can_lose)
    run.began_s = time.monotonic()
    _perform(run, looks, make_plan(course))
    return make_report(run, looks.meters)


def _perform(run: Soak, looks: Looks, plan: list[Action]) -> None:
    stopped = threading.Event()
    asking = threading.Thread(target=looks.ask_all, args=(stopped,))
    asking.start()
    try:
        _go_on(run, looks, plan)
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or SIGTERM
        run.say("interrupted")
    except Exception as error:  # what ran until then is worth a report
        run.found("the soak goes on", "soak", "".join(traceback.format_exception(error)[-3:]))
    finally:
        stopped.set()
        asking.join()


def _go_on(run: Soak, looks: Looks, plan: list[Action]) -> None:
    deeds, measured_s = Deeds(run), 0.0
    while (now_s := time.monotonic() - run.began_s) < run.options.minutes * 60:
        while plan and plan[0].at_s <= now_s:
            deeds.carry_out(plan.pop(0))
            looks.look()
        if now_s >= measured_s:
            measured_s = now_s + MEASURE_S
            looks.measure()
        looks.look()
        time.sleep(LOOK_S)
