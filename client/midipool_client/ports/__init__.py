"""The member's MIDI ports: what goes out on them, what comes in, and when."""

# Here, where the command line can say it without loading the ports.
PORT_WORDS = (
    "NAME[,offset=MS][,clock=off][,notes=off][,lead=off][,share=off][,click=on]"
    "[,song-position=clocks]"
)
