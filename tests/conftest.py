"""For all tests: nothing is judged by the seconds of a shared machine."""

from hypothesis import settings

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
