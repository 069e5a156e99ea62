"""For chat backends: one watch of a business that serves thousands of conversations."""

from slotcast.conversations.conversation import Conversation
from slotcast.conversations.conversations import Conversations
from slotcast.conversations.limits import ConversationLimits
from slotcast.conversations.shown import ShownChanged

__all__ = ["Conversation", "ConversationLimits", "Conversations", "ShownChanged"]
