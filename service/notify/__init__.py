"""What the change log owes to people and programs outside: letters and webhooks."""
