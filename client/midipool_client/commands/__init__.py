"""What `midipool-client` can be told to do, one module a command."""
