"""The room host: rooms over WebSocket, and the clock they run on."""
