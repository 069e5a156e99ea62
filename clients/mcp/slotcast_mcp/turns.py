"""Whose call it is: the conversation's, to be counted as its own, and the turn's, to be done once.

The id of a request is made of what is asked, and of when.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from slotcast import Client
from slotcast_mcp.inputs import InTurn
from slotcast_mcp.memory import with_memory_of

_DIGITS = 48


@dataclass(frozen=True, slots=True)
class TurnOf:
    """One turn of one conversation."""

    conversation: str
    turn: int

    def request_id(self, act: str, *what: object) -> str:
        """Return the id of an act on something: the same for the same, in the same turn.

        What else is said of it, such as the customer, is no part of it: the service refuses a
        second request of the same id that says otherwise, so that nothing is booked twice because
        a name was written in another way.
        """
        whole = json.dumps([self.conversation, self.turn, act, *map(str, what)])
        return f"mcp-{sha256(whole.encode()).hexdigest()[:_DIGITS]}"


def turn_of(asked: InTurn) -> TurnOf:
    """Return the turn in which something is asked."""
    return TurnOf(asked.conversation, asked.turn)


def client_for(client: Client, conversation: str) -> Client:
    """Return a client whose calls the service counts as those of one conversation.

    So no conversation uses up what others of the same key may call. What is asked for none counts
    as the server's own.
    """
    if not conversation:
        return client
    name = sha256(conversation.encode()).hexdigest()[:_DIGITS]
    return with_memory_of(client.with_client_id(f"mcp-{name}"), client)
