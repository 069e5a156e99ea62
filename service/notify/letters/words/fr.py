"""French."""

from service.notify.letters.facts import LetterKind
from service.notify.letters.words.words import Message, Words

FR = Words(
    language="fr",
    customer={
        LetterKind.CONFIRMATION: Message(
            subject="Votre rendez-vous chez {business} : {when}",
            headline="Votre rendez-vous est réservé",
            intro="Au plaisir de vous accueillir.",
        ),
        LetterKind.PENDING: Message(
            subject="Votre demande à {business} : {when}",
            headline="Votre demande est arrivée",
            intro="{business} doit encore la confirmer. D’ici là, l’horaire vous est réservé.",
        ),
        LetterKind.APPROVED: Message(
            subject="Confirmé par {business} : {when}",
            headline="Votre rendez-vous est confirmé",
            intro="{business} a confirmé votre demande. Au plaisir de vous accueillir.",
        ),
        LetterKind.DECLINED: Message(
            subject="Impossible chez {business} : {when}",
            headline="Votre demande a été refusée",
            intro="{business} ne peut pas vous proposer ce rendez-vous. Vous pouvez choisir un autre horaire.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="Déplacé, chez {business} : {when}",
            headline="Votre rendez-vous a été déplacé",
            intro="Il a désormais lieu à cet horaire.",
        ),
        LetterKind.CANCELLED: Message(
            subject="Annulé, chez {business} : {when}",
            headline="Votre rendez-vous est annulé",
            intro="Il n’aura pas lieu. Vous pouvez réserver un autre horaire.",
        ),
        LetterKind.REMINDER: Message(
            subject="Rappel de {business} : {when}",
            headline="Votre rendez-vous approche",
            intro="Au plaisir de vous accueillir.",
        ),
        LetterKind.WAITLIST_JOINED: Message(
            subject="Sur la liste d’attente de {business} : {what}",
            headline="Vous êtes sur la liste d’attente",
            intro=(
                "Nous vous écrivons dès qu’un créneau est libre, et vous le gardons un moment. Si vous ne le prenez pas à temps,"
                " il sera proposé à la personne suivante et vous ne serez plus sur la liste d’attente."
            ),
        ),
        LetterKind.WAITLIST_OFFER: Message(
            subject="Une place s’est libérée chez {business} : {when}",
            headline="Une place s’est libérée pour vous",
            intro=(
                "Elle vous est réservée jusqu’à {until}. Si vous ne l’avez pas prise d’ici là, elle sera proposée à la personne"
                " suivante et vous ne serez plus sur la liste d’attente."
            ),
        ),
    },
    staff={
        LetterKind.CONFIRMATION: Message(
            subject="Nouveau : {customer}, {when}",
            headline="Nouveau rendez-vous",
        ),
        LetterKind.PENDING: Message(
            subject="À confirmer : {customer}, {when}",
            headline="Un rendez-vous à confirmer",
            intro="L’horaire est réservé jusqu’à votre réponse.",
        ),
        LetterKind.APPROVED: Message(
            subject="Confirmé : {customer}, {when}",
            headline="Rendez-vous confirmé",
        ),
        LetterKind.DECLINED: Message(
            subject="Refusé : {customer}, {when}",
            headline="Rendez-vous refusé",
            intro="L’horaire est de nouveau libre.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="Déplacé : {customer}, {when}",
            headline="Rendez-vous déplacé",
        ),
        LetterKind.CANCELLED: Message(
            subject="Annulé : {customer}, {when}",
            headline="Rendez-vous annulé",
            intro="L’horaire est de nouveau libre.",
        ),
    },
    several=Message(
        subject="Vos rendez-vous chez {business}",
        headline="Vos rendez-vous sont réservés",
        intro="Au plaisir de vous accueillir.",
    ),
    several_pending=Message(
        subject="Vos demandes à {business}",
        headline="Vos demandes sont arrivées",
        intro="{business} doit encore les confirmer. D’ici là, les horaires vous sont réservés.",
    ),
    staff_several=Message(
        subject="Nouveau : {customer}, plusieurs rendez-vous",
        headline="Nouveaux rendez-vous",
    ),
    what="Quoi",
    by="Avec",
    where="Où",
    phone="Téléphone",
    times="Quand",
    name="Nom",
    email="E-mail",
    reason="Motif",
    was="Avant",
    awaiting="à confirmer",
    other_clock="Chez {business}, il sera alors {time} ({zone}).",
    day_and_time="{day}, {time}",
    manage="Voir, déplacer ou annuler",
    take="Prendre ce rendez-vous",
    leave="Quitter la liste d’attente",
    reply_cancels="Si vous refusez dans votre agenda, le rendez-vous est annulé.",
    moved_away="Il est passé dans un autre agenda.",
    contact="Une question ? Répondez simplement à cet e-mail.",
    why_customer="Vous recevez ce message car un rendez-vous chez {business} a été pris avec cette adresse.",
    why_staff="Vous recevez ce message car cette adresse est celle d’un agenda de {business}.",
    why_waiting="Vous recevez ce message car cette adresse est sur la liste d’attente de {business}.",
    label="{label} : {value}",
)
