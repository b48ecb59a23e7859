"""Playing a recording back into the room, as a participant of its own."""
