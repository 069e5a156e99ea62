"""A chat that books: an assistant by rules, the page that shows it, a benchmark for assistants."""
