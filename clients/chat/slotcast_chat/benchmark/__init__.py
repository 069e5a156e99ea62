"""A benchmark of assistants: scripted conversations, judged by what is booked in the end."""
