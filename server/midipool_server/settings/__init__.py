"""What can be set, declared once in `table`; file, environment and flags follow from it. Pure."""

from midipool_server.settings.effective import Effective, Problem
from midipool_server.settings.table import Settings

__all__ = ["Effective", "Problem", "Settings"]
