"""The Slotcast server."""
