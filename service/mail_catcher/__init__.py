"""A mail server that delivers nothing: it keeps the newest letters and shows them on a page."""
