"""PostgreSQL and Valkey from wheels, started and stopped by us."""
