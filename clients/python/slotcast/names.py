"""Resource names: what is said in full on the wire may be said by its short id here."""

from __future__ import annotations


def last_part(name: str) -> str:
    """Return the short id that a name ends with."""
    return name.rsplit("/", 1)[-1]


class Names:
    """Completes short ids with the client's own business. Full names are left as they are."""

    def __init__(self, business: str | None) -> None:
        """Take the business, `salon` or `businesses/salon`; None: every name is given in full."""
        self._business = f"businesses/{last_part(business)}" if business else None

    def business(self, business: str | None = None) -> str:
        """Return the full name of a business, or of the client's own."""
        if business:
            return f"businesses/{last_part(business)}"
        if self._business is None:
            raise ValueError("No business is named: say Client(..., business=...).")
        return self._business

    def business_holding(self, name: str) -> str:
        """Return the business that a resource belongs to: the one in its name, or the client's."""
        return self.business(name.split("/")[1] if "/" in name else None)

    def calendar(self, calendar: str) -> str:
        """`businesses/*/calendars/*`."""
        return self._within("calendars", calendar)

    def appointment_type(self, appointment_type: str) -> str:
        """`businesses/*/appointmentTypes/*`."""
        return self._within("appointmentTypes", appointment_type)

    def schedule(self, schedule: str) -> str:
        """`businesses/*/schedules/*`."""
        return self._within("schedules", schedule)

    def closure(self, closure: str) -> str:
        """`businesses/*/closures/*`."""
        return self._within("closures", closure)

    def hold(self, hold: str) -> str:
        """`businesses/*/holds/*`."""
        return self._within("holds", hold)

    def booking(self, booking: str) -> str:
        """`businesses/*/bookings/*`."""
        return self._within("bookings", booking)

    def waitlist(self, wish: str) -> str:
        """`businesses/*/waitlist/*`."""
        return self._within("waitlist", wish)

    def delivery(self, delivery: str) -> str:
        """`businesses/*/deliveries/*`."""
        return self._within("deliveries", delivery)

    def webhook(self, webhook: str) -> str:
        """`businesses/*/webhooks/*`."""
        return self._within("webhooks", webhook)

    def _within(self, collection: str, name: str) -> str:
        if not name:
            raise ValueError(f"An empty name is none of {collection}.")
        return name if "/" in name else f"{self.business()}/{collection}/{name}"
