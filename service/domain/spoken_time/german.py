"""The words of German."""

from service.domain.spoken_time.feasts import Feast
from service.domain.spoken_time.vocabulary import Kind, Language, Part, Unit

GERMAN = Language(
    code="de",
    is_next_the_nearest=True,
    is_month_first=False,
    is_dotted_date=True,
    meant_days={8: 7},
    parts=(
        Part(360, 720, 0, 720),  # 0 Morgen
        Part(720, 780, 690, 840),  # 1 Mittagessen
        Part(720, 1080, 720, 1140),  # 2 Nachmittag
        Part(1080, 1440, 960, 1441),  # 3 Abend
        Part(1200, 1440, 1080, 1560),  # 4 Nacht
        Part(540, 1020, 540, 1020),  # 5 Arbeit
        Part(360, 540, 0, 720),  # 6 früh
        Part(480, 720, 360, 780),  # 7 Vormittag
        Part(720, 900, 720, 900),  # 8 früher Nachmittag
        Part(900, 1080, 840, 1140),  # 9 später Nachmittag
        Part(1080, 1200, 960, 1200),  # 10 früher Abend
        Part(1200, 1440, 1140, 1440),  # 11 später Abend
        Part(720, 840, 660, 900),  # 12 Mittag
        Part(600, 720, 540, 780),  # 13 später Vormittag
        Part(480, 600, 360, 660),  # 14 früher Vormittag
    ),
    words={
        Kind.WEEKDAY: {
            0: "montag|mo|mo.",
            1: "dienstag|di|di.",
            2: "mittwoch|mi|mi.",
            3: "donnerstag|do|do.",
            4: "freitag|fr|fr.",
            5: "samstag|sonnabend|sa|sa.",
            6: "sonntag|so.",
        },
        Kind.WEEKDAYS: {
            0: "montags",
            1: "dienstags",
            2: "mittwochs",
            3: "donnerstags",
            4: "freitags",
            5: "samstags|sonnabends",
            6: "sonntags",
        },
        Kind.MONTH: {
            1: "januar|jänner|jan|jan.",
            2: "februar|feber|feb|feb.",
            3: "märz|maerz|mrz|mrz.|marz",
            4: "april|apr|apr.",
            5: "mai",
            6: "juni|jun|jun.",
            7: "juli|jul|jul.",
            8: "august|aug|aug.",
            9: "september|sept|sep|sept.|sep.",
            10: "oktober|okt|okt.",
            11: "november|nov|nov.",
            12: "dezember|dez|dez.",
        },
        Kind.NUMBER: {
            1: "eins",
            2: "zwei|zwo|ein paar",
            3: "drei|einigen|wenigen",
            4: "vier",
            5: "fünf",
            6: "sechs",
            7: "sieben",
            8: "acht",
            9: "neun",
            10: "zehn",
            11: "elf",
            12: "zwölf",
            13: "dreizehn",
            14: "vierzehn",
            15: "fünfzehn",
            16: "sechzehn",
            17: "siebzehn",
            18: "achtzehn",
            19: "neunzehn",
            20: "zwanzig",
            21: "einundzwanzig",
            22: "zweiundzwanzig",
            25: "fünfundzwanzig",
            30: "dreißig",
            40: "vierzig",
            45: "fünfundvierzig",
        },
        Kind.ONE: "ein|eine|einer|einem|einen",
        Kind.ORDINAL: {
            1: "erste|ersten|erster|erstes",
            2: "zweite|zweiten|zweiter",
            3: "dritte|dritten|dritter",
            4: "vierte|vierten|vierter",
            5: "fünfte|fünften|fünfter",
            6: "sechste|sechsten|sechster",
            7: "siebte|siebten|siebter|siebente|siebenten",
            8: "achte|achten|achter",
            9: "neunte|neunten|neunter",
            10: "zehnte|zehnten|zehnter",
            11: "elfte|elften|elfter",
            12: "zwölfte|zwölften|zwölfter",
            13: "dreizehnte|dreizehnten",
            14: "vierzehnte|vierzehnten",
            15: "fünfzehnte|fünfzehnten",
            16: "sechzehnte|sechzehnten",
            17: "siebzehnte|siebzehnten",
            18: "achtzehnte|achtzehnten",
            19: "neunzehnte|neunzehnten",
            20: "zwanzigste|zwanzigsten",
            21: "einundzwanzigste|einundzwanzigsten",
            22: "zweiundzwanzigste|zweiundzwanzigsten",
            23: "dreiundzwanzigste|dreiundzwanzigsten",
            24: "vierundzwanzigste|vierundzwanzigsten",
            25: "fünfundzwanzigste|fünfundzwanzigsten",
            26: "sechsundzwanzigste|sechsundzwanzigsten",
            27: "siebenundzwanzigste|siebenundzwanzigsten",
            28: "achtundzwanzigste|achtundzwanzigsten",
            29: "neunundzwanzigste|neunundzwanzigsten",
            30: "dreißigste|dreißigsten",
            31: "einunddreißigste|einunddreißigsten",
        },
        Kind.ORDINAL_SIGN: ".|te|ten",
        Kind.DAY_OFFSET: {
            0: "heute|heut|heutigen tag",
            1: "morgen",
            2: "übermorgen",
            3: "überübermorgen",
            -1: "gestern",
            -2: "vorgestern",
        },
        Kind.PART: {
            0: "morgens|am morgen|jenem morgen|frühmorgens",
            1: "mittagessen|mittagspause|dem essen",
            2: "nachmittag|nachmittags|am nachmittag",
            3: "abend|abends|am abend",
            4: "nacht|nachts|in der nacht",
            5: "arbeit|der arbeit|arbeitszeit|feierabend|büro",
            6: "früh|in der früh|morgens früh|in der frühe|am frühen morgen|frühen morgen",
            7: "vormittag|vormittags|am vormittag",
            8: "frühen nachmittag|früher nachmittag",
            9: "späten nachmittag|später nachmittag|spätnachmittag|am spätnachmittag"
            "|spätnachmittags",
            10: "frühen abend|früher abend",
            11: "späten abend|später abend|spätabends",
            12: "mittag|mittags|am mittag|über mittag|zu mittag",
            13: "späten vormittag|später vormittag",
            14: "frühen vormittag|früher vormittag",
        },
        Kind.PART_OF_DAY: {0: "morgen"},
        Kind.PARTS: {
            0: "jeden morgen|immer morgens",
            7: "jeden vormittag|immer vormittags",
            2: "jeden nachmittag|immer nachmittags",
            3: "jeden abend|immer abends",
        },
        Kind.FEAST: {
            Feast.NEW_YEAR: "neujahr|neujahrstag",
            Feast.EPIPHANY: "dreikönig|heilige drei könige|dreikönigstag",
            Feast.VALENTINE: "valentinstag",
            Feast.GOOD_FRIDAY: "karfreitag",
            Feast.EASTER: "ostersonntag",
            Feast.EASTER_DAYS: "ostern",
            Feast.EASTER_MONDAY: "ostermontag",
            Feast.MAY_DAY: "tag der arbeit|maifeiertag",
            Feast.ASCENSION: "himmelfahrt|christi himmelfahrt|vatertag",
            Feast.PENTECOST: "pfingstsonntag",
            Feast.PENTECOST_DAYS: "pfingsten",
            Feast.WHIT_MONDAY: "pfingstmontag",
            Feast.HALLOWEEN: "halloween",
            Feast.CHRISTMAS_EVE: "heiligabend|heiliger abend|heiligen abend",
            Feast.CHRISTMAS_DAYS: "weihnachten|weihnachtstage|weihnachtstagen",
            Feast.CHRISTMAS: "erster weihnachtstag|ersten weihnachtstag|weihnachtstag",
            Feast.BOXING_DAY: "zweiter weihnachtstag|zweiten weihnachtstag|stephanstag",
            Feast.NEW_YEARS_EVE: "silvester|sylvester",
        },
        Kind.UNIT: {
            Unit.MINUTE: "minute|minuten|min|min.",
            Unit.HOUR: "stunde|stunden|std|std.",
            Unit.DAY: "tag|tage|tagen|tages",
            Unit.WEEK: "woche|wochen",
            Unit.MONTH: "monat|monate|monaten|monats",
        },
        Kind.CLOCK_PREFIX: {
            -30: "halb",
            15: "viertel nach|viertel über",
            -15: "viertel vor|dreiviertel|drei viertel",
            -45: "viertel",
        },
        Kind.CLOCK: {720: "zwölf uhr mittags|12 uhr mittags", 0: "mitternacht"},
        Kind.PAST: {1: "nach|minuten nach", -1: "vor|minuten vor"},
        Kind.SPAN_PART: {
            0: "anfang|anfang der|anfangs|beginn|zu beginn|anfang des",
            1: "mitte|mitte der|mitte des",
            2: "ende|ende der|ende des",
        },
        Kind.SPAN_END: {
            30: "wochenanfang|wochenbeginn",
            31: "wochenmitte",
            50: "monatsanfang|monatsbeginn",
            51: "monatsmitte",
            52: "monatsende",
        },
        Kind.SINGLE_DAY: "tag",
        Kind.WEEKEND: "wochenende|wochenenden",
        Kind.WORKDAYS: "werktag|werktags|werktage|werktagen|wochentags|unter der woche|arbeitstag"
        "|arbeitstagen|wochentag|wochentagen",
        Kind.OCLOCK: "uhr|h",
        Kind.HOUR_SIGN: "h",
        Kind.THIS: "diese|diesen|dieser|dieses|diesem",
        Kind.NEXT: "nächste|nächsten|nächster|nächstes|nächstem|folgende|folgenden|darauffolgenden",
        Kind.COMING: "kommende|kommenden|kommender|kommendes|kommendem",
        Kind.PREVIOUS: "letzte|letzten|letzter|letztes|vergangene|vergangenen|vorige|vorigen",
        Kind.AFTER_NEXT: "übernächste|übernächsten|übernächster|übernächstes",
        Kind.EVERY: "jeden|jeder|jede|jedes|irgendeinen|irgendein|irgendeinem|alle|allen",
        Kind.AFTER: "nach|später als|frühestens nach",
        Kind.BEFORE: "vor|früher als|eher als",
        Kind.UNTIL: "bis|bis zum|bis zu|bis spätestens|spätestens|spätestens bis|spätestens um"
        "|spätestens am|nicht später als|bis um",
        Kind.FROM: "ab|frühestens|frühestens ab|frühestens um|frühestens am|erst ab",
        Kind.NOT_BEFORE: "nicht vor|nicht früher als|nicht eher als|seit",
        Kind.FROM_TO: "von|vom|von etwa",
        Kind.ON: "an|ab|aufwärts",
        Kind.ONWARD: "oder später|und später",
        Kind.BETWEEN: "zwischen|irgendwann zwischen|von zwischen",
        Kind.AND: "und|sowie|und auch",
        Kind.OR: "oder|oder auch|oder aber|beziehungsweise|bzw|bzw.|/|alternativ|oder vielleicht",
        Kind.NOT: "nicht|außer|ausser|bis auf|ausgenommen|ohne|kein|keinen|nur nicht|aber nicht"
        "|jedoch nicht|nie|abgesehen von",
        Kind.VETO: "geht nicht|passt nicht|passt mir nicht|kann nicht|kann ich nicht|geht es nicht"
        "|geht leider nicht|kann leider nicht|kann ich leider nicht|möchte nicht|ich möchte nicht",
        Kind.TO: "bis|bis um|bis zum|-|bis zu",
        Kind.AT: "um|@|genau um|punkt|pünktlich um",
        Kind.AROUND: "gegen|ungefähr|ungefähr um|etwa|etwa um|circa|ca|ca.|so um|so gegen|zirka"
        "|rund um",
        Kind.IN: "in|in etwa|in ungefähr|in circa",
        Kind.WITHIN: "innerhalb von|innerhalb der nächsten|in den nächsten|die nächsten|nächsten"
        "|in den kommenden|in der nächsten|innerhalb|binnen|im nächsten|in weniger als"
        "|innerhalb der kommenden|die kommenden",
        Kind.FROM_NOW: "ab jetzt|von jetzt an|ab heute|später",
        Kind.LENGTH: {
            30: "halben stunde|halbe stunde|einer halben stunde|eine halbe stunde",
            90: "anderthalb stunden|eineinhalb stunden|einer stunde und einer halben",
            150: "zweieinhalb stunden",
        },
        Kind.ANY_TIME: "irgendwann|jederzeit|egal wann|wann auch immer|wann immer|beliebig|flexibel"
        "|ich bin flexibel|irgendein tag|zu jeder zeit",
        Kind.SOONEST: "so bald wie möglich|sobald wie möglich|so schnell wie möglich|baldmöglichst"
        "|schnellstmöglich|möglichst bald|möglichst schnell|so früh wie möglich|möglichst früh|bald"
        "|dringend|sofort|jetzt|gleich|umgehend|ehestmöglich|asap|nächstmöglich|nächstmöglichen"
        "|nächstmöglicher|frühestmöglich|frühestmöglichen|ehestmöglichen|schnellstmöglichen",
        Kind.FIRST: "erste|ersten|erster|ersten freien|erster freier|erste freie|frühester"
        "|frühesten|früheste|frühestmögliche|nächste|nächsten|nächster|nächster freier"
        "|nächsten freien|nächste freie|allererste|allerersten|als erstes",
        Kind.LAST: "letzte|letzten|letzter|letzten freien|letzter freier|letzte freie|späteste"
        "|spätesten|spätester|allerletzten|spätestmöglichen",
        Kind.SLOT: "termin|termine|slot|slots|zeitpunkt|möglichkeit|zeitfenster|freier termin"
        "|freien termin|möglicher termin|möglichen termin|verfügbarer termin|verfügbaren termin"
        "|freie termin|platz|uhrzeit",
        Kind.WEEK_NUMBER: "kw|kalenderwoche|woche nummer",
        Kind.WEEK_OF: "woche vom|woche ab|woche mit",
        Kind.ARTICLE: "der|die|das|den|dem|des|am|an|im|in|zum|zur|beim|,|.|über|vom|zu|um|ein"
        "|einen|eine|einem|einer|dann|gegen",
        Kind.FILLER: "bitte|und|entweder|ich|möchte|ich möchte|ich möchte gerne|ich hätte|hätte"
        "|hätte gerne|hätte gern|ich hätte gerne|ich hätte gern|gern|gerne|gerne einen"
        "|ich brauche|brauche|will"
        "|ich will|würde|würde gerne|wäre|wäre gut|wäre super|wäre schön|wäre toll|passt|passt mir"
        "|passt es|mir|mich|uns|es|geht|geht es|ginge|ginge es|ist|sein|kann|kann ich|könnte"
        "|könnte ich|können wir|können|wir|haben|haben sie|habt ihr|hast du|sie|noch|was|wann|gibt"
        "|gibt es|etwas|was frei|frei|freie|freien|freier|einen termin|termin|termine|buchen"
        "|vereinbaren|machen|kommen|vorbeikommen|reservieren|ausmachen|bekommen|aber|nur|doch|mal"
        "|eher|lieber|am liebsten|am besten|bestenfalls|vielleicht|eventuell|möglichst|wenn möglich"
        "|falls möglich|wenn es geht|ja|nein|danke|vielen dank|hallo|guten tag|guten morgen"
        "|guten abend|hi|moin|servus|grüß gott|ok|okay|also|dann|so|wie|wie wäre|wie wäre es"
        "|wie wäre es mit|mit|für|für mich|der|die|das|den|dem|des|am|an|im|in|zum|zur|beim|um|zu"
        "|ein"
        "|eine|einen|einem|einer|irgendwas|irgendetwas|auch|gut|super|toll|da|dort|,|.|;|:|-|über"
        "|dir|ihnen|euch|uhrzeit|zeit|zeiten|verfügbar|möglich|suche|ich suche|nehmen|nehme"
        "|ich nehme|bin|später|irgendwo|ungefähr|sagen wir|sagen wir mal|alles",
    },
)
