"""What every call passes through, in order."""
