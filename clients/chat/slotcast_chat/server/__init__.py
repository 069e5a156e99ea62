"""The chat page's server: conversations, and what of them changes by itself."""
