"""Slotcast for AI assistants, as tools of the Model Context Protocol."""
