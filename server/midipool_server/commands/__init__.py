"""What midipool-server does: each file is a command."""
