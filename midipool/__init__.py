"""What midiPool's server and client share: timeline, MIDI clock, clock sync, messages.

Everything here is pure: no socket, no thread, no clock is read. Time comes in as an argument.
"""

PROTOCOL_VERSION = 1
