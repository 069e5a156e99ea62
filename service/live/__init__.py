"""Changes on their way out: replica, follower, watchers."""
