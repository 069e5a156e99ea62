"""Calendars of others in, calendars of ours out, as iCalendar."""
