"""What a DAW or drum machine says, understood."""
