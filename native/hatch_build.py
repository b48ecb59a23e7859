"""Builds the C part into the wheel. MIDIPOOL_NATIVE=0 leaves it out: a pure wheel."""

import os
import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativeBuildHook(BuildHookInterface):
    """Compiles midipool_native._rt before files are collected."""

    def initialize(self, version, build_data):
        """Called by hatchling; `version` is "editable" or "standard"."""
        if os.environ.get("MIDIPOOL_NATIVE") == "0":
            return
        sys.path.insert(0, str(Path(self.root, "native")))
        import build_rt

        module = Path(build_rt.build())
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version == "standard":
            build_data["force_include"][str(module)] = f"midipool_native/{module.name}"
