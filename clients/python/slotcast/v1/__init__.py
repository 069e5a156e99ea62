"""Messages and stubs, generated from `protos/` by `make proto`."""
