"""The Python client of Slotcast."""
