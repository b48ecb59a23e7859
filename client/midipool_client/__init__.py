"""A player's end: the session with a room, the clock estimate, and virtual MIDI ports."""
