"""Playing together in MIDI: what our DAW plays goes to the others, and theirs to our port."""
