"""`python -m loadtest`."""

if __name__ == "__main__":
    # Each worker process imports this module anew, and has no use for the command.
    from loadtest.cli import app

    app()
