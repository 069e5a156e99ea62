"""The words of Spanish."""

from service.domain.spoken_time.feasts import Feast
from service.domain.spoken_time.vocabulary import Kind, Language, Part, Unit

SPANISH = Language(
    code="es",
    is_next_the_nearest=True,
    is_month_first=False,
    is_dotted_date=False,
    meant_days={8: 7, 15: 14},
    parts=(
        Part(360, 720, 0, 780),  # 0 mañana
        Part(780, 900, 720, 960),  # 1 comida
        Part(780, 1200, 720, 1260),  # 2 tarde
        Part(1200, 1440, 1140, 1560),  # 3 noche
        Part(0, 360, 0, 420),  # 4 madrugada
        Part(540, 1080, 540, 1080),  # 5 trabajo
        Part(360, 540, 0, 600),  # 6 primera hora
        Part(600, 720, 540, 780),  # 7 media mañana
        Part(780, 960, 720, 960),  # 8 primera hora de la tarde
        Part(1020, 1200, 960, 1260),  # 9 última hora de la tarde
        Part(720, 840, 690, 900),  # 10 mediodía
        Part(960, 1080, 900, 1140),  # 11 media tarde
    ),
    words={
        Kind.WEEKDAY: {
            0: "lunes|lun|lun.",
            1: "martes|mar.",
            2: "miércoles|mié|mié.",
            3: "jueves|jue|jue.",
            4: "viernes|vie|vie.",
            5: "sábado|sáb|sáb.",
            6: "domingo|dom|dom.",
        },
        Kind.WEEKDAYS: {
            0: "los lunes",
            1: "los martes",
            2: "los miércoles",
            3: "los jueves",
            4: "los viernes",
            5: "los sábados|sábados",
            6: "los domingos|domingos",
        },
        Kind.MONTH: {
            1: "enero|ene|ene.",
            2: "febrero|feb|feb.",
            3: "marzo",
            4: "abril|abr|abr.",
            5: "mayo",
            6: "junio|jun|jun.",
            7: "julio|jul|jul.",
            8: "agosto|ago|ago.",
            9: "septiembre|setiembre|sept|sep|sept.|sep.",
            10: "octubre|oct|oct.",
            11: "noviembre|nov|nov.",
            12: "diciembre|dic|dic.",
        },
        Kind.NUMBER: {
            1: "la una|las una",
            2: "dos|un par de",
            3: "tres|unos|unos pocos",
            4: "cuatro",
            5: "cinco",
            6: "seis",
            7: "siete",
            8: "ocho",
            9: "nueve",
            10: "diez",
            11: "once",
            12: "doce",
            13: "trece",
            14: "catorce",
            15: "quince",
            16: "dieciséis",
            17: "diecisiete",
            18: "dieciocho",
            19: "diecinueve",
            20: "veinte",
            21: "veintiuno|veintiún",
            22: "veintidós",
            23: "veintitrés",
            24: "veinticuatro",
            25: "veinticinco",
            26: "veintiséis",
            27: "veintisiete",
            28: "veintiocho",
            29: "veintinueve",
            30: "treinta",
            31: "treinta y uno",
            40: "cuarenta",
            45: "cuarenta y cinco",
        },
        Kind.ONE: "un|una",
        Kind.ORDINAL: {
            1: "primero|primer|primera",
            2: "segundo|segunda",
            3: "tercero|tercer|tercera",
            4: "cuarto|cuarta",
        },
        Kind.ORDINAL_SIGN: "o|a|.º",
        Kind.DAY_ARTICLE: "el|del|al|día|el día|del día|al día",
        Kind.DAY_OFFSET: {
            0: "hoy|el día de hoy",
            1: "mañana|el día de mañana",
            2: "pasado mañana",
            -1: "ayer",
            -2: "anteayer|antes de ayer",
        },
        Kind.PART: {
            0: "la mañana|por la mañana|en la mañana|de la mañana|por las mañanas|temprano",
            1: "comer|la comida|almorzar|el almuerzo|almuerzo|comida",
            2: "tarde|la tarde|por la tarde|en la tarde|de la tarde",
            3: "noche|la noche|por la noche|en la noche|de la noche",
            4: "madrugada|la madrugada|de la madrugada|de madrugada",
            5: "trabajo|el trabajo|trabajar|la jornada|horario de oficina",
            6: "primera hora|primera hora de la mañana|a primera hora",
            7: "media mañana|a media mañana",
            8: "primera hora de la tarde",
            9: "última hora de la tarde|última hora|a última hora",
            10: "mediodía|el mediodía|del mediodía|medio día",
            11: "media tarde|a media tarde",
        },
        Kind.PARTS: {
            0: "las mañanas|por las mañanas|todas las mañanas|cualquier mañana",
            2: "las tardes|por las tardes|todas las tardes|cualquier tarde",
            3: "las noches|por las noches|todas las noches",
        },
        Kind.THIS_PART: {
            2: "esta tarde",
            3: "esta noche",
            0: "esta mañana",
        },
        Kind.FEAST: {
            Feast.NEW_YEAR: "año nuevo",
            Feast.EPIPHANY: "reyes|el día de reyes|día de reyes",
            Feast.VALENTINE: "san valentín",
            Feast.GOOD_FRIDAY: "viernes santo",
            Feast.EASTER: "domingo de pascua|pascua|domingo de resurrección",
            Feast.EASTER_MONDAY: "lunes de pascua",
            Feast.MAY_DAY: "día del trabajo",
            Feast.ASCENSION: "la ascensión",
            Feast.PENTECOST: "pentecostés",
            Feast.HALLOWEEN: "halloween",
            Feast.CHRISTMAS_EVE: "nochebuena",
            Feast.CHRISTMAS: "navidad|navidades|el día de navidad|día de navidad",
            Feast.NEW_YEARS_EVE: "nochevieja|fin de año",
        },
        Kind.UNIT: {
            Unit.MINUTE: "minuto|minutos|min",
            Unit.HOUR: "hora|horas",
            Unit.DAY: "día|días",
            Unit.WEEK: "semana|semanas",
            Unit.MONTH: "mes|meses",
        },
        Kind.CLOCK_SUFFIX: {
            30: "y media",
            15: "y cuarto",
            -15: "menos cuarto",
        },
        Kind.CLOCK_PREFIX: {-15: "cuarto para las|un cuarto para las"},
        Kind.CLOCK: {0: "medianoche|la medianoche|media noche"},
        Kind.MERIDIEM: {0: "am|a.m.|a. m.", 1: "pm|p.m.|p. m."},
        Kind.PLUS: {1: "y", -1: "menos"},
        Kind.SPAN_PART: {
            0: "principios de|a principios de|comienzos de|a comienzos de|inicio de|principio de"
            "|principios|el principio de|inicios de",
            1: "mediados de|a mediados de|mitad de|la mitad de|mediados",
            2: "finales de|a finales de|fines de|a fines de|final de|el final de|finales",
        },
        Kind.SPAN_END: {52: "fin de mes|fines de mes"},
        Kind.SINGLE_DAY: "día",
        Kind.WEEKEND: "fin de semana|finde|fines de semana",
        Kind.WORKDAYS: "entre semana|días laborables|día laborable|días hábiles|días de semana"
        "|día hábil|laborables|días entre semana",
        Kind.OCLOCK: "en punto|h|hrs|horas|hs",
        Kind.HOUR_SIGN: "h",
        Kind.THIS: "este|esta|estos|estas",
        Kind.NEXT: "próximo|próxima|próximos|próximas|siguiente|que viene|que entra|siguientes",
        Kind.COMING: "próximo más cercano",
        Kind.PREVIOUS: "pasado|pasada|anterior|último|última",
        Kind.AFTER_NEXT: "después de la próxima|de después de la próxima|que viene no la otra"
        "|que sigue a la próxima",
        Kind.EVERY: "cualquier|cada|todos los|todas las|algún|alguna",
        Kind.AFTER: "después de|después del|tras|pasadas|pasada|luego de|más tarde de",
        Kind.BEFORE: "antes de|antes del|más temprano que|antes que",
        Kind.UNTIL: "hasta|como muy tarde|como muy tarde a|a más tardar"
        "|como máximo|no más tarde de|a más tardar a|a más tardar el",
        Kind.FROM: "desde|a partir de|a partir del",
        Kind.NOT_BEFORE: "no antes de|no antes del|no antes que|no hasta",
        Kind.FROM_TO: "de|del",
        Kind.ON: "en adelante",
        Kind.ONWARD: "en adelante|o más tarde|o después|y después",
        Kind.BETWEEN: "entre|de entre",
        Kind.AND: "y|e|y también",
        Kind.OR: "o|u|o bien|o también|o quizás|o quizá|/|o si no",
        Kind.NOT: "no|excepto|menos|salvo|excepto el|sin|pero no|que no sea|que no sean|nunca"
        "|aparte de|a excepción de|ni",
        Kind.VETO: "no puedo|no me va bien|no me viene bien|no va bien|no quiero|no podría",
        Kind.TO: "a|al|hasta|-",
        Kind.AT: "a las|a la|a|@|las|la|exactamente a las",
        Kind.AROUND: "sobre|hacia|alrededor de|más o menos a|aproximadamente a|cerca de|sobre las"
        "|hacia las|a eso de|como a|aproximadamente|más o menos",
        Kind.IN: "en|dentro de|de aquí a|de hoy en|en unos|dentro de unos",
        Kind.WITHIN: "en los próximos|en las próximas|durante los próximos|dentro de los próximos"
        "|en menos de|dentro de las próximas|los próximos|las próximas|en el próximo|en la próxima"
        "|durante las próximas|próximos|próximas",
        Kind.FROM_NOW: "a partir de ahora|desde ahora|desde hoy|a partir de hoy",
        Kind.LENGTH: {
            30: "media hora",
            90: "una hora y media|hora y media",
            150: "dos horas y media",
        },
        Kind.ANY_TIME: "en cualquier momento|cualquier momento|cuando sea|cuando quieras"
        "|cuando pueda|a cualquier hora|cualquier hora|cualquier día|da igual cuándo|me da igual"
        "|flexible|cuando puedan",
        Kind.SOONEST: "lo antes posible|cuanto antes|lo más pronto posible|ya|ahora|ahora mismo"
        "|pronto|urgente|urgentemente|lo más temprano posible|en cuanto se pueda|inmediatamente"
        "|lo más rápido posible|de inmediato",
        Kind.FIRST: "primer|primera|primero|el primer|la primera|próximo|próxima|siguiente"
        "|primer hueco|más temprano|más temprana",
        Kind.LAST: "último|última|el último|la última",
        Kind.SLOT: "cita|citas|hueco|huecos|turno|turnos|hora|hueco libre|hueco disponible"
        "|cita disponible|cita libre|turno libre|turno disponible|hora libre|hora disponible"
        "|espacio|disponible|hora posible|cita posible|momento",
        Kind.WEEK_NUMBER: "semana|semana número",
        Kind.WEEK_OF: "semana del|semana de",
        Kind.ARTICLE: "el|la|los|las|lo|de|del|a|al|en|por|,|.|un|una|durante|para",
        Kind.FILLER: "por favor|y|e|quiero|quisiera|me gustaría|gustaría|necesito|querría|puedo"
        "|podría|podríamos|puede|pueden|puede ser|podría ser|una cita|cita|citas|una hora|un hueco"
        "|hueco|un turno|turno|reservar|pedir|pedir cita|agendar|venir|ir|tener|tienes|tiene|tienen"
        "|tenéis|hay|algo|algo libre|libre|libres|disponible|me|nos|te|le|se|yo|viene bien"
        "|me viene bien|me va bien|va bien|está bien|estaría bien|sería|sería perfecto|perfecto|sea"
        "|ser|es|bien|mejor|preferiblemente|preferible|prefiero|si es posible|si puede ser"
        "|si se puede|pero|sólo|solo|solamente|quizás|quizá|tal vez|a lo mejor|gracias"
        "|muchas gracias"
        "|hola|buenos días|buenas tardes|buenas|buenas noches|sí|vale|ok|okay|pues|entonces|qué tal"
        "|qué|que|cuándo|tal|para|para mí|con|ustedes|vosotros|el|la|los|las|lo|de|del|a|al|en|por"
        "|un|una|durante|también|alguna cita|algún hueco|,|.|;|:|-|más tarde|momento|idealmente"
        "|digamos|como|día|el día",
    },
)
