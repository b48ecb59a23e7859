"""The MIDI engine: a program of its own with the ports, and the client's side of it."""
