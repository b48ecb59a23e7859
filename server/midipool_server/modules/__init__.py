"""Programs that the operator lets play in rooms: started, watched, started again, and stopped."""
