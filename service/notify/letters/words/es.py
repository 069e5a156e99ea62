"""Spanish."""

from service.notify.letters.facts import LetterKind
from service.notify.letters.words.words import Message, Words

ES = Words(
    language="es",
    customer={
        LetterKind.CONFIRMATION: Message(
            subject="Su cita en {business}: {when}",
            headline="Su cita está reservada",
            intro="Le esperamos.",
        ),
        LetterKind.PENDING: Message(
            subject="Su solicitud a {business}: {when}",
            headline="Hemos recibido su solicitud",
            intro="{business} aún tiene que confirmarla. Hasta entonces le guardamos la hora.",
        ),
        LetterKind.APPROVED: Message(
            subject="Confirmada por {business}: {when}",
            headline="Su cita está confirmada",
            intro="{business} ha confirmado su solicitud. Le esperamos.",
        ),
        LetterKind.DECLINED: Message(
            subject="No es posible en {business}: {when}",
            headline="Su solicitud ha sido rechazada",
            intro="{business} no puede ofrecerle esta cita. Puede elegir otra hora cuando quiera.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="Cambio de hora en {business}: {when}",
            headline="Su cita ha cambiado de hora",
            intro="Ahora tiene lugar a esta hora.",
        ),
        LetterKind.CANCELLED: Message(
            subject="Cancelada en {business}: {when}",
            headline="Su cita está cancelada",
            intro="No tendrá lugar. Puede reservar otra hora cuando quiera.",
        ),
        LetterKind.REMINDER: Message(
            subject="Recordatorio de {business}: {when}",
            headline="Se acerca su cita",
            intro="Le esperamos.",
        ),
        LetterKind.WAITLIST_JOINED: Message(
            subject="En la lista de espera de {business}: {what}",
            headline="Está en la lista de espera",
            intro=(
                "Le escribimos en cuanto haya una hora libre y se la guardamos un rato. Si no la toma a tiempo, se ofrecerá a la"
                " siguiente persona y usted dejará de estar en la lista de espera."
            ),
        ),
        LetterKind.WAITLIST_OFFER: Message(
            subject="Hay un hueco en {business}: {when}",
            headline="Hay un hueco para usted",
            intro=(
                "Se lo guardamos hasta {until}. Si no lo toma antes, se ofrecerá a la siguiente persona y usted dejará de estar"
                " en la lista de espera."
            ),
        ),
    },
    staff={
        LetterKind.CONFIRMATION: Message(
            subject="Nueva: {customer}, {when}",
            headline="Nueva cita",
        ),
        LetterKind.PENDING: Message(
            subject="Por confirmar: {customer}, {when}",
            headline="Una cita por confirmar",
            intro="La hora queda guardada hasta que la confirme o la rechace.",
        ),
        LetterKind.APPROVED: Message(
            subject="Confirmada: {customer}, {when}",
            headline="Cita confirmada",
        ),
        LetterKind.DECLINED: Message(
            subject="Rechazada: {customer}, {when}",
            headline="Cita rechazada",
            intro="La hora vuelve a estar libre.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="Cambio de hora: {customer}, {when}",
            headline="Cita cambiada de hora",
        ),
        LetterKind.CANCELLED: Message(
            subject="Cancelada: {customer}, {when}",
            headline="Cita cancelada",
            intro="La hora vuelve a estar libre.",
        ),
    },
    several=Message(
        subject="Sus citas en {business}",
        headline="Sus citas están reservadas",
        intro="Le esperamos.",
    ),
    several_pending=Message(
        subject="Sus solicitudes a {business}",
        headline="Hemos recibido sus solicitudes",
        intro="{business} aún tiene que confirmarlas. Hasta entonces le guardamos las horas.",
    ),
    staff_several=Message(
        subject="Nuevas: {customer}, varias citas",
        headline="Nuevas citas",
    ),
    what="Qué",
    by="Con",
    where="Dónde",
    phone="Teléfono",
    times="Cuándo",
    name="Nombre",
    email="Correo",
    reason="Motivo",
    was="Antes",
    awaiting="por confirmar",
    other_clock="En {business} serán entonces las {time} ({zone}).",
    day_and_time="{day}, {time}",
    manage="Ver, cambiar o cancelar",
    take="Aceptar esta cita",
    leave="Salir de la lista de espera",
    reply_cancels="Si la rechaza en su calendario, la cita queda cancelada.",
    moved_away="Ha pasado a otro calendario.",
    contact="¿Alguna pregunta? Responda a este correo.",
    why_customer="Recibe este mensaje porque se reservó una cita en {business} con esta dirección.",
    why_staff="Recibe este mensaje porque esta dirección es la de un calendario de {business}.",
    why_waiting="Recibe este mensaje porque esta dirección está en la lista de espera de {business}.",
)
