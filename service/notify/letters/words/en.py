"""English."""

from service.notify.letters.facts import LetterKind
from service.notify.letters.words.words import Message, Words

EN = Words(
    language="en",
    customer={
        LetterKind.CONFIRMATION: Message(
            subject="Your appointment at {business}: {when}",
            headline="Your appointment is booked",
            intro="We look forward to seeing you.",
        ),
        LetterKind.PENDING: Message(
            subject="Your request to {business}: {when}",
            headline="Your request has arrived",
            intro="{business} still has to confirm it. Until then the time is kept for you.",
        ),
        LetterKind.APPROVED: Message(
            subject="Confirmed by {business}: {when}",
            headline="Your appointment is confirmed",
            intro="{business} has confirmed your request. We look forward to seeing you.",
        ),
        LetterKind.DECLINED: Message(
            subject="Not possible at {business}: {when}",
            headline="Your request was declined",
            intro="{business} cannot offer you this appointment. You are welcome to choose another time.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="Moved, at {business}: {when}",
            headline="Your appointment has moved",
            intro="This is when it takes place now.",
        ),
        LetterKind.CANCELLED: Message(
            subject="Cancelled, at {business}: {when}",
            headline="Your appointment is cancelled",
            intro="It does not take place. You are welcome to book another time.",
        ),
        LetterKind.REMINDER: Message(
            subject="Reminder from {business}: {when}",
            headline="Your appointment is coming up",
            intro="We look forward to seeing you.",
        ),
        LetterKind.WAITLIST_JOINED: Message(
            subject="On the waiting list of {business}: {what}",
            headline="You are on the waiting list",
            intro=(
                "We write to you as soon as a time is free, and keep it for you for a while. If you do not take it in that"
                " while, it is offered to whoever waits next, and you are off the waiting list."
            ),
        ),
        LetterKind.WAITLIST_OFFER: Message(
            subject="A place is free at {business}: {when}",
            headline="A place is free for you",
            intro=(
                "It is kept for you until {until}. If you have not taken it by then, it is offered to whoever waits next,"
                " and you are off the waiting list."
            ),
        ),
    },
    staff={
        LetterKind.CONFIRMATION: Message(
            subject="New: {customer}, {when}",
            headline="New appointment",
        ),
        LetterKind.PENDING: Message(
            subject="To confirm: {customer}, {when}",
            headline="An appointment to confirm",
            intro="The time is kept until you confirm or decline.",
        ),
        LetterKind.APPROVED: Message(
            subject="Confirmed: {customer}, {when}",
            headline="Appointment confirmed",
        ),
        LetterKind.DECLINED: Message(
            subject="Declined: {customer}, {when}",
            headline="Appointment declined",
            intro="The time is free again.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="Moved: {customer}, {when}",
            headline="Appointment moved",
        ),
        LetterKind.CANCELLED: Message(
            subject="Cancelled: {customer}, {when}",
            headline="Appointment cancelled",
            intro="The time is free again.",
        ),
    },
    several=Message(
        subject="Your appointments at {business}",
        headline="Your appointments are booked",
        intro="We look forward to seeing you.",
    ),
    several_pending=Message(
        subject="Your requests to {business}",
        headline="Your requests have arrived",
        intro="{business} still has to confirm them. Until then the times are kept for you.",
    ),
    staff_several=Message(
        subject="New: {customer}, several appointments",
        headline="New appointments",
    ),
    what="What",
    by="With",
    where="Where",
    phone="Phone",
    times="When",
    name="Name",
    email="E-mail",
    reason="Reason",
    was="Before",
    awaiting="to be confirmed",
    other_clock="At {business} the clock then says {time} ({zone}).",
    day_and_time="{day}, {time}",
    manage="View, move or cancel",
    take="Take this appointment",
    leave="Leave the waiting list",
    reply_cancels="If you decline in your calendar, the appointment is cancelled.",
    moved_away="It has moved to another calendar.",
    contact="Any questions? Just reply to this e-mail.",
    why_customer="You receive this because an appointment at {business} was booked with this address.",
    why_staff="You receive this because this address is the one of a calendar at {business}.",
    why_waiting="You receive this because this address is on the waiting list of {business}.",
)
