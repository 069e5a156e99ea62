"""Times in words, such as "next Tuesday afternoon", read as windows: no I/O, no clock, no chance.

    tokens      a text is cut into folded words, numbers and signs
    sentence    every phrase of a language's table is looked up: what can stand where
    grammar     days, dates, clocks and moments: pieces of time, the same for all languages
    wishes      pieces are put together from left to right, in the likeliest ways
    windows     a wish becomes spans of instants, by the clocks of the zone
    words       and is told back in English

All words must be read, or the text is refused. No library under it does that: those that were tried
give one instant, guess where there are two readings, and pass over what they do not know. See
docs/times.md.
"""

from service.domain.spoken_time.pieces import Pick
from service.domain.spoken_time.resolving import Reading, resolve

__all__ = ["Pick", "Reading", "resolve"]
