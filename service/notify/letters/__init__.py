"""Letters: what a change of the log means to whom, and the mail that tells it."""
