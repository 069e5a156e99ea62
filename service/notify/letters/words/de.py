"""German."""

from service.notify.letters.facts import LetterKind
from service.notify.letters.words.words import Message, Words

DE = Words(
    language="de",
    customer={
        LetterKind.CONFIRMATION: Message(
            subject="Ihr Termin bei {business}: {when}",
            headline="Ihr Termin ist gebucht",
            intro="Wir freuen uns auf Sie.",
        ),
        LetterKind.PENDING: Message(
            subject="Ihre Anfrage bei {business}: {when}",
            headline="Ihre Anfrage ist angekommen",
            intro="{business} muss sie noch bestätigen. So lange ist die Zeit für Sie reserviert.",
        ),
        LetterKind.APPROVED: Message(
            subject="Bestätigt von {business}: {when}",
            headline="Ihr Termin ist bestätigt",
            intro="{business} hat Ihre Anfrage bestätigt. Wir freuen uns auf Sie.",
        ),
        LetterKind.DECLINED: Message(
            subject="Nicht möglich bei {business}: {when}",
            headline="Ihre Anfrage wurde abgelehnt",
            intro="{business} kann Ihnen diesen Termin nicht anbieten. Wählen Sie gern eine andere Zeit.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="Verschoben, bei {business}: {when}",
            headline="Ihr Termin wurde verschoben",
            intro="Er findet jetzt zu dieser Zeit statt.",
        ),
        LetterKind.CANCELLED: Message(
            subject="Abgesagt, bei {business}: {when}",
            headline="Ihr Termin ist abgesagt",
            intro="Er findet nicht statt. Buchen Sie gern eine andere Zeit.",
        ),
        LetterKind.REMINDER: Message(
            subject="Erinnerung von {business}: {when}",
            headline="Ihr Termin steht bevor",
            intro="Wir freuen uns auf Sie.",
        ),
        LetterKind.WAITLIST_JOINED: Message(
            subject="Auf der Warteliste von {business}: {what}",
            headline="Sie stehen auf der Warteliste",
            intro=(
                "Wir schreiben Ihnen, sobald eine Zeit frei ist, und halten sie eine Weile für Sie. Nehmen Sie sie nicht"
                " rechtzeitig an, wird sie dem Nächsten angeboten, und Sie stehen nicht mehr auf der Warteliste."
            ),
        ),
        LetterKind.WAITLIST_OFFER: Message(
            subject="Ein Platz ist frei bei {business}: {when}",
            headline="Für Sie ist ein Platz frei",
            intro=(
                "Er ist bis {until} für Sie reserviert. Nehmen Sie ihn bis dahin nicht an, wird er dem Nächsten angeboten,"
                " und Sie stehen nicht mehr auf der Warteliste."
            ),
        ),
    },
    staff={
        LetterKind.CONFIRMATION: Message(
            subject="Neu: {customer}, {when}",
            headline="Neuer Termin",
        ),
        LetterKind.PENDING: Message(
            subject="Zu bestätigen: {customer}, {when}",
            headline="Ein Termin zum Bestätigen",
            intro="Die Zeit bleibt reserviert, bis Sie zusagen oder ablehnen.",
        ),
        LetterKind.APPROVED: Message(
            subject="Bestätigt: {customer}, {when}",
            headline="Termin bestätigt",
        ),
        LetterKind.DECLINED: Message(
            subject="Abgelehnt: {customer}, {when}",
            headline="Termin abgelehnt",
            intro="Die Zeit ist wieder frei.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="Verschoben: {customer}, {when}",
            headline="Termin verschoben",
        ),
        LetterKind.CANCELLED: Message(
            subject="Abgesagt: {customer}, {when}",
            headline="Termin abgesagt",
            intro="Die Zeit ist wieder frei.",
        ),
    },
    several=Message(
        subject="Ihre Termine bei {business}",
        headline="Ihre Termine sind gebucht",
        intro="Wir freuen uns auf Sie.",
    ),
    several_pending=Message(
        subject="Ihre Anfragen bei {business}",
        headline="Ihre Anfragen sind angekommen",
        intro="{business} muss sie noch bestätigen. So lange sind die Zeiten für Sie reserviert.",
    ),
    staff_several=Message(
        subject="Neu: {customer}, mehrere Termine",
        headline="Neue Termine",
    ),
    what="Was",
    by="Bei",
    where="Wo",
    phone="Telefon",
    times="Wann",
    name="Name",
    email="E-Mail",
    reason="Grund",
    was="Vorher",
    awaiting="noch zu bestätigen",
    other_clock="Bei {business} ist es dann {time} Uhr ({zone}).",
    day_and_time="{day}, {time}",
    manage="Ansehen, verschieben, absagen",
    take="Diesen Termin nehmen",
    leave="Warteliste verlassen",
    reply_cancels="Wenn Sie im Kalender ablehnen, ist der Termin abgesagt.",
    moved_away="Er liegt jetzt in einem anderen Kalender.",
    contact="Noch Fragen? Antworten Sie einfach auf diese E-Mail.",
    why_customer="Sie erhalten dies, weil mit dieser Adresse ein Termin bei {business} gebucht wurde.",
    why_staff="Sie erhalten dies, weil diese Adresse zu einem Kalender von {business} gehört.",
    why_waiting="Sie erhalten dies, weil diese Adresse auf der Warteliste von {business} steht.",
)
