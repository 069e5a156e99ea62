"""What letters say, a file for each language."""
