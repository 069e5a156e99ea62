"""One readable story per operation: load, decide, write, log."""
