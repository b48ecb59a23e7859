"""Any program as a member of a room: it hears the mix, and plays, in blocks on the room's clock."""
