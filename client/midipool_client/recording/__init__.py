"""Recording: every player, own input and the mix, on the bar, with MIDI and a manifest."""
