"""The load tester: it drives a server and checks its promises."""
