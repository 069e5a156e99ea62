"""The lanes of another process, and a look at what they have written."""

from tests.actions.conftest import books, commits, lanes, make_lanes

__all__ = ["books", "commits", "lanes", "make_lanes"]
