"""The words of English."""

from service.domain.spoken_time.feasts import Feast
from service.domain.spoken_time.vocabulary import Kind, Language, Part, Unit

ENGLISH = Language(
    code="en",
    is_next_the_nearest=False,
    is_month_first=True,
    is_dotted_date=False,
    parts=(
        Part(360, 720, 0, 720),  # 0 morning
        Part(720, 780, 690, 840),  # 1 lunch
        Part(720, 1080, 720, 1140),  # 2 afternoon
        Part(1080, 1440, 960, 1441),  # 3 evening
        Part(1200, 1440, 1080, 1560),  # 4 night
        Part(540, 1020, 540, 1020),  # 5 working hours
        Part(360, 540, 0, 600),  # 6 early morning
        Part(600, 720, 540, 720),  # 7 late morning
        Part(720, 900, 720, 900),  # 8 early afternoon
        Part(900, 1080, 840, 1140),  # 9 late afternoon
        Part(1080, 1200, 960, 1200),  # 10 early evening
        Part(1200, 1440, 1140, 1440),  # 11 late evening
        Part(720, 840, 660, 900),  # 12 midday
    ),
    words={
        Kind.WEEKDAY: {
            0: "monday|mon|mon.",
            1: "tuesday|tue|tues|tue.|tues.",
            2: "wednesday|wed|weds|wed.",
            3: "thursday|thu|thur|thurs|thu.|thurs.",
            4: "friday|fri|fri.",
            5: "saturday|sat|sat.",
            6: "sunday|sun|sun.",
        },
        Kind.WEEKDAYS: {
            0: "mondays",
            1: "tuesdays",
            2: "wednesdays",
            3: "thursdays",
            4: "fridays",
            5: "saturdays",
            6: "sundays",
        },
        Kind.MONTH: {
            1: "january|jan|jan.",
            2: "february|feb|feb.",
            3: "march|mar|mar.",
            4: "april|apr|apr.",
            5: "may",
            6: "june|jun|jun.",
            7: "july|jul|jul.",
            8: "august|aug|aug.",
            9: "september|sep|sept|sep.|sept.",
            10: "october|oct|oct.",
            11: "november|nov|nov.",
            12: "december|dec|dec.",
        },
        Kind.NUMBER: {
            1: "one",
            2: "two|a couple of|couple of",
            3: "three|a few|few",
            4: "four",
            5: "five",
            6: "six",
            7: "seven",
            8: "eight",
            9: "nine",
            10: "ten",
            11: "eleven",
            12: "twelve",
            13: "thirteen",
            14: "fourteen",
            15: "fifteen",
            16: "sixteen",
            17: "seventeen",
            18: "eighteen",
            19: "nineteen",
            20: "twenty",
            21: "twenty one|twenty-one",
            25: "twenty five|twenty-five",
            30: "thirty",
            40: "forty",
            45: "forty five|forty-five",
            60: "sixty",
            90: "ninety",
        },
        Kind.ONE: "a|an",
        Kind.ORDINAL: {
            1: "first",
            2: "second",
            3: "third",
            4: "fourth",
            5: "fifth",
            6: "sixth",
            7: "seventh",
            8: "eighth",
            9: "ninth",
            10: "tenth",
            11: "eleventh",
            12: "twelfth",
            13: "thirteenth",
            14: "fourteenth",
            15: "fifteenth",
            16: "sixteenth",
            17: "seventeenth",
            18: "eighteenth",
            19: "nineteenth",
            20: "twentieth",
            21: "twenty first|twenty-first",
            22: "twenty second|twenty-second",
            23: "twenty third|twenty-third",
            24: "twenty fourth|twenty-fourth",
            25: "twenty fifth|twenty-fifth",
            26: "twenty sixth|twenty-sixth",
            27: "twenty seventh|twenty-seventh",
            28: "twenty eighth|twenty-eighth",
            29: "twenty ninth|twenty-ninth",
            30: "thirtieth",
            31: "thirty first|thirty-first",
        },
        Kind.ORDINAL_SIGN: "st|nd|rd|th",
        Kind.DAY_OFFSET: {
            0: "today|todays|today's",
            1: "tomorrow|tmrw|tmr|tomorow|tommorow|tommorrow|2morrow",
            2: "day after tomorrow|overmorrow|the day after",
            -1: "yesterday",
            -2: "day before yesterday",
        },
        Kind.PART: {
            0: "morning|forenoon|early",
            1: "lunch|lunchtime|lunch time|lunch break|my lunch|my lunch break",
            2: "afternoon|in the afternoon|arvo",
            3: "evening|in the evening|eve",
            4: "night|at night",
            5: "work|working hours|office hours|business hours|my work|my shift",
            6: "early morning",
            7: "late morning|mid-morning|mid morning",
            8: "early afternoon",
            9: "late afternoon|late",
            10: "early evening",
            11: "late evening",
            12: "around midday|around noon|at midday",
        },
        Kind.PARTS: {
            0: "mornings|any morning|every morning",
            2: "afternoons|any afternoon|every afternoon",
            3: "evenings|any evening|every evening",
        },
        Kind.THIS_PART: {3: "tonight|tonite"},
        Kind.FEAST: {
            Feast.NEW_YEAR: "new year|new years|new year's|new year's day|new years day",
            Feast.EPIPHANY: "epiphany",
            Feast.VALENTINE: "valentine's day|valentines day|valentine's",
            Feast.GOOD_FRIDAY: "good friday",
            Feast.EASTER: "easter|easter sunday",
            Feast.EASTER_MONDAY: "easter monday",
            Feast.ASCENSION: "ascension day",
            Feast.PENTECOST: "pentecost|whit sunday",
            Feast.WHIT_MONDAY: "whit monday",
            Feast.MAY_DAY: "may day|labour day",
            Feast.HALLOWEEN: "halloween",
            Feast.CHRISTMAS_EVE: "christmas eve",
            Feast.CHRISTMAS: "christmas|christmas day|xmas",
            Feast.BOXING_DAY: "boxing day",
            Feast.NEW_YEARS_EVE: "new year's eve|new years eve",
        },
        Kind.UNIT: {
            Unit.MINUTE: "minute|minutes|min|mins|minutes'",
            Unit.HOUR: "hour|hours|hr|hrs|hour's|hours'",
            Unit.DAY: "day|days|day's|days'",
            Unit.WEEK: "week|weeks|week's|weeks'|wk",
            Unit.FORTNIGHT: "fortnight|fortnights",
            Unit.MONTH: "month|months|month's|months'",
        },
        Kind.CLOCK_PREFIX: {
            30: "half past|half|half after",
            15: "quarter past|a quarter past|quarter after|a quarter after",
            -15: "quarter to|a quarter to|quarter of|quarter till|a quarter of",
        },
        Kind.CLOCK: {720: "noon|midday|high noon|12 noon|twelve noon", 0: "midnight"},
        Kind.MERIDIEM: {0: "am|a.m.|a.m|a m", 1: "pm|p.m.|p.m|p m"},
        Kind.PAST: {1: "past|after|minutes past|minutes after", -1: "to|till|minutes to"},
        Kind.SPAN_PART: {
            0: "beginning of|start of|early in|beginning|early",
            1: "middle of|mid|mid-|in the middle of",
            2: "end of|late in|end|late|tail end of",
        },
        Kind.SINGLE_DAY: "day",
        Kind.WEEKEND: "weekend|week-end|weekends|week end",
        Kind.WORKDAYS: "weekday|weekdays|workday|workdays|working day|working days|business day",
        Kind.OCLOCK: "o'clock|oclock|h|sharp|o'clock sharp|on the dot",
        Kind.HOUR_SIGN: "h",
        Kind.THIS: "this",
        Kind.NEXT: "next|the following|following",
        Kind.COMING: "coming|this coming|upcoming|the nearest",
        Kind.PREVIOUS: "last|previous|past",
        Kind.AFTER_NEXT: "after next",
        Kind.EVERY: "any|every|each|some|all|any given",
        Kind.AFTER: "after|past|later than",
        Kind.BEFORE: "before|earlier than|prior to|ahead of",
        Kind.UNTIL: "until|till|til|up to|by|no later than|not later than|at the latest by|through",
        Kind.FROM: "from|starting|starting from|starting at|as of|beginning|as from",
        Kind.NOT_BEFORE: "not before|no earlier than|not earlier than|not until|not till|not til"
        "|no sooner than|not sooner than|since",
        Kind.ON: "on|and on",
        Kind.ONWARD: "onward|onwards|or later|and later|or after|and after",
        Kind.BETWEEN: "between|from between|any time between|anytime between",
        Kind.AND: "and|&|and also|as well as",
        Kind.OR: "or|or else|or maybe|or perhaps|alternatively|or alternatively|/|otherwise",
        Kind.NOT: "not|except|except for|excluding|but not|just not|only not|apart from|other than"
        "|besides|never|no",
        Kind.BUT: "but",
        Kind.THANKS: "please|thanks|thank you|,|.",
        Kind.VETO: "doesn't work|does not work|do not work|don't work|won't work|will not work"
        "|not good|not work|not possible|not free|not available|doesn't suit|does not suit|can't"
        "|cannot|can not|could not|couldn't|don't|in the new year|do not|would not|wouldn't",
        Kind.TO: "to|-|until|till|through|thru|up to",
        Kind.AT: "at|@|at about exactly|at exactly|exactly at|exactly",
        Kind.AROUND: "around|about|at about|at around|approximately|roughly|circa|approx|ish"
        "|somewhere around|sometime around",
        Kind.IN: "in|in about|in around",
        Kind.WITHIN: "within|within the next|in the next|over the next|during the next|next"
        "|in the coming|within the coming|in less than",
        Kind.FROM_NOW: "from now|from today|later|hence|time",
        Kind.LENGTH: {
            30: "half an hour|half hour|half-hour|a half hour",
            90: "an hour and a half|hour and a half|one hour and a half|one and a half hours",
            150: "two hours and a half|two and a half hours",
        },
        Kind.ANY_TIME: "any time|anytime|whenever|sometime|some time|any day|some day|any date"
        "|at any time|no preference|when you have time|open|flexible|i am flexible|i'm flexible",
        Kind.SOONEST: "as soon as possible|asap|a.s.a.p.|as early as possible|soonest"
        "|as soon as you can|the soonest possible|soonest possible|earliest possible|soon"
        "|urgently|straight away|right away|immediately|now|right now|first available"
        "|next available"
        "|earliest available|soonest available",
        Kind.FIRST: "first|earliest|soonest|very first|first thing|next",
        Kind.LAST: "last|latest|very last|last thing",
        Kind.SLOT: "slot|appointment|time|opening|slots|appointments|one|free slot|available slot"
        "|free appointment|available appointment|possible appointment|thing|available time"
        "|possible time|possible slot|spot|available|available opening",
        Kind.WEEK_NUMBER: "week|calendar week|week number|cw|wk",
        Kind.WEEK_OF: "week of|week commencing|week beginning|week starting",
        Kind.ARTICLE: "the|on|of|in|at|a|an|for|,|.|during|over",
        Kind.FILLER: "please|i|d|i'd|i would|like|i'd like|i would like|i want|want|i need|need|can"
        "|could|may i|can i|could i|can we|could we|we|me|my|to|book|to book|schedule|make|get|have"
        "|come|come in|to come|an appointment|appointment|appointments|a slot|slot|slots|a time"
        "|time|times|times are|works|work for me|works for me|would work|is fine|is good|would be"
        "|great|would be great|be|is|it|it's|that|that's|there|thanks|thank you|hi|hello|hey|ok"
        "|okay|either"
        "|yes|yeah|yep|well|um|uh|hmm|maybe|perhaps|possibly|preferably|ideally|rather|just|only"
        "|so|then|if possible|if you can|if that works|best|for me|with you|something|anything"
        "|sure|let's|lets|let's say|say|how about|what about|do you have|have you|got|free"
        "|you have|you've got|you|possible"
        "|available|open|are you|is there|are there|anything free|any slot|any slots"
        "|any appointment|any appointments|what|what's|what is|when|which|about|sometime"
        "|some time|around|later|the|on|of|in|at|for|a|an|,|.|;|:|-|during|over|as|also"
        "|good morning|good afternoon|good evening|availability|would|will|should|am|i'm|i am"
        "|looking|looking for|see|find|give|show|try|us|prefer|suits me|suits|does|do|work|and",
    },
)
