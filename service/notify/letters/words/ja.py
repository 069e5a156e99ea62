"""Japanese."""

from service.notify.letters.facts import LetterKind
from service.notify.letters.words.words import Message, Words

JA = Words(
    language="ja",
    customer={
        LetterKind.CONFIRMATION: Message(
            subject="【{business}】ご予約の確認: {when}",
            headline="ご予約を承りました",
            intro="お待ちしております。",
        ),
        LetterKind.PENDING: Message(
            subject="【{business}】ご予約リクエスト: {when}",
            headline="リクエストを受け付けました",
            intro="{business}の確認をお待ちください。それまでこの時間は確保されています。",
        ),
        LetterKind.APPROVED: Message(
            subject="【{business}】ご予約の確定: {when}",
            headline="ご予約が確定しました",
            intro="{business}がリクエストを承認しました。お待ちしております。",
        ),
        LetterKind.DECLINED: Message(
            subject="【{business}】ご予約をお受けできません: {when}",
            headline="リクエストをお受けできませんでした",
            intro="{business}ではこのご予約をお受けできません。別の時間をお選びください。",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="【{business}】ご予約の変更: {when}",
            headline="ご予約の時間が変わりました",
            intro="新しい時間は次のとおりです。",
        ),
        LetterKind.CANCELLED: Message(
            subject="【{business}】ご予約の取り消し: {when}",
            headline="ご予約は取り消されました",
            intro="このご予約はなくなりました。別の時間をご予約いただけます。",
        ),
        LetterKind.REMINDER: Message(
            subject="【{business}】ご予約のお知らせ: {when}",
            headline="ご予約の時間が近づいています",
            intro="お待ちしております。",
        ),
        LetterKind.WAITLIST_JOINED: Message(
            subject="【{business}】キャンセル待ちのご登録: {what}",
            headline="キャンセル待ちに登録しました",
            intro=(
                "時間が空き次第メールでお知らせし、しばらく確保します。その間にお申し込みがない場合は次の方にご案内し、"
                "キャンセル待ちの登録は終了します。"
            ),
        ),
        LetterKind.WAITLIST_OFFER: Message(
            subject="【{business}】空きが出ました: {when}",
            headline="空きが出ました",
            intro=(
                "{until}まで確保しています。それまでにお申し込みがない場合は次の方にご案内し、"
                "キャンセル待ちの登録は終了します。"
            ),
        ),
    },
    staff={
        LetterKind.CONFIRMATION: Message(
            subject="新規: {customer}、{when}",
            headline="新しい予約",
        ),
        LetterKind.PENDING: Message(
            subject="要確認: {customer}、{when}",
            headline="確認待ちの予約",
            intro="承認または辞退されるまで、この時間は確保されます。",
        ),
        LetterKind.APPROVED: Message(
            subject="確定: {customer}、{when}",
            headline="予約が確定しました",
        ),
        LetterKind.DECLINED: Message(
            subject="辞退: {customer}、{when}",
            headline="予約を辞退しました",
            intro="この時間は再び空きました。",
        ),
        LetterKind.RESCHEDULED: Message(
            subject="変更: {customer}、{when}",
            headline="予約の時間が変わりました",
        ),
        LetterKind.CANCELLED: Message(
            subject="取り消し: {customer}、{when}",
            headline="予約が取り消されました",
            intro="この時間は再び空きました。",
        ),
    },
    several=Message(
        subject="【{business}】ご予約の確認",
        headline="ご予約を承りました",
        intro="お待ちしております。",
    ),
    several_pending=Message(
        subject="【{business}】ご予約リクエスト",
        headline="リクエストを受け付けました",
        intro="{business}の確認をお待ちください。それまでこれらの時間は確保されています。",
    ),
    staff_several=Message(
        subject="新規: {customer}、複数の予約",
        headline="新しい予約",
    ),
    what="内容",
    by="担当",
    where="場所",
    phone="電話",
    times="時間",
    name="お名前",
    email="メール",
    reason="理由",
    was="変更前",
    awaiting="確認待ち",
    other_clock="{business}の現地時間では{time}です（{zone}）。",
    day_and_time="{day} {time}",
    manage="確認・変更・取り消し",
    take="この時間を予約する",
    leave="キャンセル待ちを取り消す",
    reply_cancels="カレンダーで辞退すると、ご予約は取り消されます。",
    moved_away="別のカレンダーに移りました。",
    contact="ご不明な点は、このメールにご返信ください。",
    why_customer="このアドレスで{business}のご予約があったため、お送りしています。",
    why_staff="このアドレスが{business}のカレンダーのものであるため、お送りしています。",
    why_waiting="このアドレスが{business}のキャンセル待ちに登録されているため、お送りしています。",
    label="{label}：{value}",
)
