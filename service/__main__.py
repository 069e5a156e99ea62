"""`python -m service` is `slotcast`."""

from service.cli import main

main()
