import type { ManageWords } from "../words.js";

export const de: ManageWords = {
  title: "Ihr Termin",
  where: "Wo",
  move: "Andere Zeit wählen",
  cancel: "Termin absagen",
  until: "Sie können ihn bis {until} verschieben oder absagen.",
  tooLate: "Er konnte hier bis {until} verschoben oder abgesagt werden.",
  call: "Wenn Sie nicht kommen können, rufen Sie bitte {business} an:",
  write: "Wenn Sie nicht kommen können, schreiben Sie bitte an {business}:",
  contact: "Wenn Sie nicht kommen können, sagen Sie bitte {business} Bescheid.",
  questions: "Fragen? So erreichen Sie {business}:",

  moveQuestion: "Termin verschieben?",
  soFar: "Bisher",
  newTime: "Neue Zeit",
  moveNow: "Termin verschieben",
  moving: "Wird verschoben …",
  moved: "Ihr Termin ist verschoben. Eine E-Mail mit der neuen Zeit ist unterwegs.",

  cancelQuestion: "Termin absagen?",
  reason: "Grund",
  tooLong: "Höchstens {limit} Zeichen.",
  cancelNow: "Ja, absagen",
  cancelling: "Wird abgesagt …",
  keep: "Behalten",
  cancelled: "Ihr Termin ist abgesagt",
  cancelledHint: "Eine E-Mail bestätigt das. Dieser Link gilt damit nicht mehr.",

  offered: "Für Sie ist eine Zeit frei",
  take: "Diese Zeit buchen",
  taking: "Wird gebucht …",
  takenHint:
    "Eine E-Mail mit allem Nötigen ist unterwegs. Dieser Link gilt mit dem Angebot nicht mehr.",
  late: "Ihre Bedenkzeit ist vorbei. Vielleicht ist die Zeit noch frei.",
  decline: "Ablehnen",
  declineQuestion: "Diese Zeit ablehnen?",
  declineHint: "Sie wird der nächsten Person angeboten, und Sie verlassen die Warteliste.",
  declineNow: "Ja, ablehnen",
  declining: "Wird abgelehnt …",

  waiting: "Sie stehen auf der Warteliste",
  waitingHint:
    "Wir schreiben Ihnen, sobald eine Zeit frei ist. Diese Seite muss nicht offen bleiben.",
  leave: "Warteliste verlassen",
  leaveQuestion: "Warteliste verlassen?",
  leaveHint: "Wir schreiben Ihnen dann nicht, wenn eine Zeit frei wird.",
  leaveNow: "Ja, verlassen",
  leaving: "Wird verlassen …",

  changed: "Der Termin wurde inzwischen geändert. Bitte sehen Sie noch einmal nach.",
  unknown:
    "Der Dienst war nicht zu erreichen. Vielleicht ist es schon geschehen; drücken Sie noch einmal, es geschieht nur einmal.",
  stale: "Keine Verbindung: Dies ist vielleicht nicht mehr aktuell.",

  badLink: "Dieser Link funktioniert nicht",
  badLinkHint:
    "Bitte öffnen Sie ihn noch einmal aus der E-Mail. Hilft das nicht, kopieren Sie ihn ganz.",
  goneCancelled: "Dieser Termin wurde abgesagt",
  goneDeclined: "Dieser Termin wurde abgelehnt",
  gonePassed: "Dieser Termin ist vorbei",
  goneTaken: "Sie haben diese Zeit gebucht",
  goneTakenHint: "Den Link zu Ihrem Termin finden Sie in der neuesten E-Mail.",
  goneLeft: "Sie haben die Warteliste verlassen",
  goneLapsed: "Diese Zeit ging an die nächste Person",
  goneExpired: "Dieses Angebot ist vorbei",
  goneOther: "Dieser Link gilt nicht mehr",
  goneHint: "Hier ist nichts weiter zu tun.",
};
