"""The gateway: Envoy, which lets web pages and plain HTTP clients in."""
