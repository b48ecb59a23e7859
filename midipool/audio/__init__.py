"""How players hear one another: profiles, buffers, bars, and what each hears of the others."""
