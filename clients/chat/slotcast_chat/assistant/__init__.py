"""The assistant by rules: a pure dialogue, and what runs it on the tools."""
