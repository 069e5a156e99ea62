"""Webhooks: changes told to addresses that a business names, until they arrive, in their order."""
