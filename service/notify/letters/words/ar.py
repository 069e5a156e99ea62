"""Arabic."""

from service.notify.letters.facts import LetterKind
from service.notify.letters.words.words import Message, Words

AR = Words(
    language="ar",
    direction="rtl",
    customer={
        LetterKind.CONFIRMATION: Message(
            subject="موعدك لدى {business}: {when}",
            headline="تم حجز موعدك",
            intro="نتطلع إلى رؤيتك.",
        ),
        LetterKind.PENDING: Message(
            subject="طلبك لدى {business}: {when}",
            headline="وصل طلبك",
            intro="لا يزال على {business} تأكيده. الوقت محجوز لك حتى ذلك الحين.",
        ),
        LetterKind.APPROVED: Message(
            subject="تأكيد من {business}: {when}",
            headline="تم تأكيد موعدك",
            intro="أكّد {business} طلبك. نتطلع إلى رؤيتك.",
        ),
        LetterKind.DECLINED: Message(
            subject="غير متاح لدى {business}: {when}",
            headline="تم رفض طلبك",
            intro="لا يمكن لـ {business} أن يقدم لك هذا الموعد. يسعدنا أن تختار وقتًا آخر.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="تم تغيير الموعد لدى {business}: {when}",
            headline="تم تغيير موعدك",
            intro="أصبح الموعد في هذا الوقت.",
        ),
        LetterKind.CANCELLED: Message(
            subject="تم الإلغاء لدى {business}: {when}",
            headline="تم إلغاء موعدك",
            intro="لن ينعقد هذا الموعد. يسعدنا أن تحجز وقتًا آخر.",
        ),
        LetterKind.REMINDER: Message(
            subject="تذكير من {business}: {when}",
            headline="اقترب موعدك",
            intro="نتطلع إلى رؤيتك.",
        ),
        LetterKind.WAITLIST_JOINED: Message(
            subject="في قائمة انتظار {business}: {what}",
            headline="أنت في قائمة الانتظار",
            intro=(
                "نراسلك فور توفر وقت، ونحتفظ به لك لفترة. إذا لم تقبله في تلك الفترة يُعرض على من يليك،"
                " ويُرفع اسمك من قائمة الانتظار."
            ),
        ),
        LetterKind.WAITLIST_OFFER: Message(
            subject="مكان شاغر لدى {business}: {when}",
            headline="يوجد مكان شاغر لك",
            intro=(
                "هذا المكان محجوز لك حتى {until}. إذا لم تقبله قبل ذلك يُعرض على من يليك،"
                " ويُرفع اسمك من قائمة الانتظار."
            ),
        ),
    },
    staff={
        LetterKind.CONFIRMATION: Message(
            subject="جديد: {customer}، {when}",
            headline="موعد جديد",
        ),
        LetterKind.PENDING: Message(
            subject="بانتظار التأكيد: {customer}، {when}",
            headline="موعد بانتظار التأكيد",
            intro="يبقى الوقت محجوزًا حتى تؤكده أو ترفضه.",
        ),
        LetterKind.APPROVED: Message(
            subject="مؤكد: {customer}، {when}",
            headline="تم تأكيد الموعد",
        ),
        LetterKind.DECLINED: Message(
            subject="مرفوض: {customer}، {when}",
            headline="تم رفض الموعد",
            intro="أصبح الوقت متاحًا من جديد.",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="تغيير: {customer}، {when}",
            headline="تم تغيير الموعد",
        ),
        LetterKind.CANCELLED: Message(
            subject="ملغى: {customer}، {when}",
            headline="تم إلغاء الموعد",
            intro="أصبح الوقت متاحًا من جديد.",
        ),
    },
    several=Message(
        subject="مواعيدك لدى {business}",
        headline="تم حجز مواعيدك",
        intro="نتطلع إلى رؤيتك.",
    ),
    several_pending=Message(
        subject="طلباتك لدى {business}",
        headline="وصلت طلباتك",
        intro="لا يزال على {business} تأكيدها. الأوقات محجوزة لك حتى ذلك الحين.",
    ),
    staff_several=Message(
        subject="جديد: {customer}، عدة مواعيد",
        headline="مواعيد جديدة",
    ),
    what="الخدمة",
    by="مع",
    where="المكان",
    phone="الهاتف",
    times="متى",
    name="الاسم",
    email="البريد الإلكتروني",
    reason="السبب",
    was="سابقًا",
    awaiting="بانتظار التأكيد",
    other_clock="ستكون الساعة حينها {time} ({zone}) لدى {business}.",
    day_and_time="{day}، {time}",
    manage="عرض الموعد أو تغييره أو إلغاؤه",
    take="قبول هذا الموعد",
    leave="مغادرة قائمة الانتظار",
    reply_cancels="إذا رفضت الدعوة في تقويمك يُلغى الموعد.",
    moved_away="انتقل إلى تقويم آخر.",
    contact="هل لديك سؤال؟ يكفي أن ترد على هذه الرسالة.",
    why_customer="وصلتك هذه الرسالة لأن موعدًا لدى {business} حُجز بهذا العنوان.",
    why_staff="وصلتك هذه الرسالة لأن هذا العنوان يخص تقويمًا لدى {business}.",
    why_waiting="وصلتك هذه الرسالة لأن هذا العنوان مدرج في قائمة انتظار {business}.",
)
