"""The real-time C of midiPool, as Python sees it."""
