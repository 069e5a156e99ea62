"""How much a process keeps of its conversations."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationLimits:
    """How much is kept of conversations, and what follows where that is too little.

    conversations_max: beyond it, opening one forgets the one that asked for nothing for longest.
    shown_max: beyond so many shown slots of a conversation, the one shown longest ago is forgotten:
        what becomes of it is not told.
    further_durations_max: beyond each type's first duration, slots of so many others are watched at
        once, by one watch each; what becomes of slots of one more is not known.
    idle_seconds_max: a conversation that asked for nothing for so long is forgotten.
    patience_seconds: so long a conversation waits for a view that is fresh, and not older than what
        it did itself; then ViewStale.
    """

    conversations_max: int = 10_000
    shown_max: int = 50
    further_durations_max: int = 4
    idle_seconds_max: float = 3600.0
    patience_seconds: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"{field.name} is {getattr(self, field.name)}, not more than 0.")
