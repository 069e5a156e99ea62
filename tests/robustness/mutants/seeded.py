"""The seeded bugs, and what must find each. What they change is in `patches`, by their names."""

from __future__ import annotations

from tests.robustness.mutants.mutant import Mutant

ISOLATION = "tests/robustness/isolation/test_isolation.py"
CANCELLATION = "tests/robustness/isolation/test_cancellation.py"
DATABASE = "tests/store/test_database.py"
SUBSCRIPTION = "tests/live/test_subscription.py"
IN_BETWEEN = "tests/robustness/simulation/test_in_between.py"
SEEDS = 1_600

MUTANTS = (
    Mutant(
        "told-before-commit",
        "the hint leaves, and is waited for, before COMMIT: a commit that fails was told",
        breaks={"B4", "W1", "W3", "W4"},
        scenario="database-cut",
    ),
    Mutant(
        "overlaps-ignored",
        "the decision overlooks what else stands there, and no constraint does",
        breaks={"B1"},
        scenario="calm",
    ),
    Mutant(
        "commit-not-awaited",
        "PostgreSQL answers COMMIT before it has written it",
        breaks={"B2"},
        scenario="database-crashed",
    ),
    Mutant(
        "doubt-told-as-refusal",
        "an outcome that is not known is told as one that changed nothing",
        breaks={"B6"},
        tests=(CANCELLATION, "-k", "Lost"),
    ),
    Mutant(
        "answers-forgotten",
        "what was answered is not kept, so that a repetition is decided anew",
        breaks={"B3"},
        scenario="calm",
    ),
    Mutant(
        "any-version-approved",
        "a booking is changed whatever version its caller has seen",
        breaks={"B8"},
        scenario="calm",
    ),
    Mutant(
        "offered-to-the-last",
        "what frees is offered to who has joined last",
        breaks={"B9"},
        scenario="calm",
    ),
    Mutant(
        "freed-not-offered",
        "what frees is open to all until the notifier comes by",
        breaks={"B9"},
        scenario="calm",
    ),
    Mutant(
        "offered-twice",
        "one who is offered a slot is offered another",
        breaks={"B9"},
        scenario="calm",
    ),
    Mutant(
        "never-passed-on",
        "what was not taken in time goes on to nobody",
        breaks={"B9"},
        scenario="calm",
    ),
    Mutant(
        "ticket-redeemed-by-two",
        "a ticket takes the hold from who has redeemed it",
        breaks={"C3"},
        scenario="calm",
    ),
    Mutant(
        "former-holder-keeps-it",
        "a hold that is handed over to another API key stays that of the one before",
        breaks={"C3"},
        scenario="calm",
    ),
    Mutant(
        "consent-not-compared",
        "what was shown is not compared with what is booked",
        breaks={"C1"},
        scenario="calm",
    ),
    Mutant(
        "told-as-it-was",
        "a change tells of a booking's version before it",
        breaks={"B3"},
        scenario="calm",
    ),
    Mutant(
        "reads-unproved",
        "a list is answered from the replica as it is, without asking PostgreSQL",
        breaks={"B4", "W8"},
        scenario="hints-lost",
    ),
    Mutant(
        "heartbeat-from-memory",
        "a heartbeat tells what the server has, not what PostgreSQL has",
        breaks={"W4", "W5", "W9"},
        seeds=SEEDS,
    ),
    Mutant(
        "time-goes-on-unproved",
        "time alone moves a view however long PostgreSQL was not read",
        breaks={"W5"},
        seeds=SEEDS,
    ),
    Mutant(
        "filter-not-compared",
        "a token of another filter is resumed",
        breaks={"W1", "W3"},
        scenario="calm",
    ),
    Mutant(
        "trimmed-gap-resumed",
        "a token older than the log is resumed with what is left of it",
        breaks={"W1", "W3"},
        scenario="log-trimmed",
    ),
    Mutant(
        "client-never-stale",
        "the Python client shows what it has however old it is",
        breaks={"W5"},
        tests=("tests/clients/test_sdk_watch.py",),
    ),
    Mutant("resume-repeats", "a resume repeats what its token has", breaks={"W1"}, seeds=SEEDS),
    Mutant(
        "merge-drops-close",
        "merged for a slow reader, a slot that closed and is not in the last step stays open",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "merge-takes-last-only",
        "a slow reader is given the last step only",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "no-verify-on-resubscribe",
        "after Redis was away nobody looks for what was missed",
        breaks={"W9"},
        seeds=SEEDS,
    ),
    Mutant(
        "out-of-order",
        "changes are applied in the order in which their hints come",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "beat-without-reading",
        "a heartbeat is sent though PostgreSQL could not be read",
        breaks={"W4"},
        seeds=SEEDS,
    ),
    Mutant(
        "beat-overtakes",
        "a heartbeat overtakes the delta before it",
        breaks={"W1", "W4"},
        seeds=SEEDS,
    ),
    Mutant("no-expiry", "nobody is told when a hold expires", breaks={"W1", "W6"}, seeds=SEEDS),
    Mutant(
        "no-passing", "nobody is told when a start has passed", breaks={"W1", "W6"}, seeds=SEEDS
    ),
    Mutant(
        "no-horizon",
        "nobody is told when a day comes within the horizon",
        breaks={"W1", "W6"},
        seeds=SEEDS,
    ),
    Mutant(
        "not-planned-when-read",
        "what time does is not planned anew when PostgreSQL was read",
        breaks={"W6"},
        seeds=SEEDS,
    ),
    Mutant(
        "epoch-unchecked",
        "a token of another life of the business is resumed",
        breaks={"W3"},
        seeds=SEEDS,
    ),
    Mutant(
        "shared-position", "two streams share a position", breaks={"W1", "W4", "W9"}, seeds=SEEDS
    ),
    Mutant("gap-in-log", "a gap in the log is skipped", breaks={"W1"}, seeds=SEEDS),
    Mutant(
        "verify-other-epoch",
        "a business that was made anew is followed on",
        breaks={"W3", "W4", "W9"},
        seeds=SEEDS,
    ),
    Mutant(
        "prove-other-epoch",
        "a list of a business that was made anew is that of the one before",
        breaks={"B5", "W8"},
        seeds=SEEDS,
    ),
    Mutant("unproved-twenty", "time alone may move a view for 20 s", breaks={"W5"}, seeds=SEEDS),
    Mutant(
        "set-back-untold",
        "views go on when the database's clock was set back",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "set-back-unnoticed",
        "the best of the last readings counts, though the clock was set back",
        breaks={"W4", "W5"},
        seeds=SEEDS,
    ),
    Mutant(
        "days-kept-over-set-back",
        "what was derived before the clock was set back is used on",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "min-revision-ignored",
        "nobody waits for the revision that was asked for",
        breaks={"B4", "W8"},
        seeds=SEEDS,
    ),
    Mutant(
        "ahead-not-waited",
        "a token that is ahead of the server is given older slots",
        breaks={"W3"},
        seeds=SEEDS,
    ),
    Mutant("never-beats", "a watch that nothing touches is silent", breaks={"W4"}, seeds=SEEDS),
    Mutant("beat-counts-wrong", "a heartbeat counts wrongly", breaks={"W4"}, seeds=SEEDS),
    Mutant(
        "expiry-not-resumed",
        "who resumes is not told of holds that expired meanwhile",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "renewal-drops-changes",
        "an import drops the bookings before it",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "half-settled-revision",
        "a view that is not settled has the newest revision",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "slow-reader-not-reset",
        "a reader that is too far behind is given what is left",
        breaks={"W1"},
        seeds=SEEDS,
    ),
    Mutant(
        "parts-unmarked", "the parts of a large delta are not marked", breaks={"W1"}, seeds=SEEDS
    ),
    Mutant(
        "goodbye-ahead", "a goodbye's token is ahead of what was sent", breaks={"W1"}, seeds=SEEDS
    ),
    Mutant(
        "last-hint-trusted",
        "nobody asks PostgreSQL whether all hints came",
        breaks={"W4", "W9"},
        seeds=SEEDS,
    ),
    Mutant(
        "gone-untold",
        "the watches of a business that was deleted go on",
        breaks={"W9"},
        seeds=SEEDS,
    ),
    Mutant(
        "read-committed-without-constraint",
        "transactions are READ COMMITTED, and no constraint stands behind them",
        breaks={"B1"},
        tests=(ISOLATION,),
    ),
    Mutant(
        "read-committed-alone",
        "transactions are READ COMMITTED",
        breaks={"B1"},
        tests=(
            ISOLATION,
            "-k",
            "group",
        ),
    ),
    Mutant(
        "sequence",
        "the revision is that of a sequence, not of the business's row",
        breaks={"B4"},
        tests=(ISOLATION,),
    ),
    Mutant(
        "answers-in-another-transaction",
        "answers are kept in a transaction of their own, after the commit",
        breaks={"B3"},
        tests=(CANCELLATION,),
    ),
    Mutant(
        "commit-error-swallowed",
        "a COMMIT that fails is answered as if it had not",
        breaks={"B2"},
        tests=(
            CANCELLATION,
            "-k",
            "Lost",
        ),
    ),
    Mutant(
        "lock-kept-on-cancel",
        "a connection that may hold a business's lock goes back into the pool",
        breaks={"B6"},
        tests=(CANCELLATION,),
    ),
    Mutant(
        "transaction-open-on-cancel",
        "a connection with a hidden open transaction goes back into the pool",
        breaks={"B2"},
        tests=(CANCELLATION,),
    ),
    Mutant(
        "retry-inside-the-transaction",
        "a batch is tried again within the transaction that failed",
        breaks={"B6"},
        tests=(ISOLATION,),
    ),
    Mutant(
        "own-hold-not-cleared",
        "one's own hold stays beside what takes its place",
        breaks={"B7"},
        tests=(
            ISOLATION,
            "-k",
            "a_hold or hold",
        ),
    ),
    Mutant(
        "expired-hold-not-cleared",
        "an expired hold stays beside what takes its place",
        breaks={"B7"},
        tests=(ISOLATION,),
    ),
    Mutant(
        "lock-not-given-back",
        "the lock is not given back after a commit",
        breaks={"B6"},
        tests=(CANCELLATION,),
    ),
    Mutant(
        "lock-after-the-snapshot",
        "the lock is taken inside the transaction",
        breaks={"B6"},
        tests=(
            ISOLATION,
            "-k",
            "with_the_lock",
        ),
    ),
    Mutant(
        "driver-confusion-not-retryable",
        "what the driver does not know is no reason to try again",
        breaks={"B6"},
        tests=(DATABASE,),
    ),
    Mutant(
        "idempotency-not-looked-up",
        "nobody looks whether a request was answered before",
        breaks={"B3"},
        tests=(
            ISOLATION,
            "-k",
            "twice",
        ),
    ),
    Mutant(
        "answer-not-found-again",
        "an answer is not found again for a minute",
        breaks={"B3"},
        tests=(
            CANCELLATION,
            "-k",
            "Lost",
        ),
    ),
    Mutant(
        "lost-connection-goes-back",
        "a connection that is lost goes back into the pool",
        breaks={"B6"},
        tests=(DATABASE,),
    ),
    Mutant(
        "stood-after-the-reading",
        "a heartbeat rests on a reading that was taken before what it tells",
        breaks={"W4"},
        seeds=SEEDS,
    ),
    Mutant(
        "waiting-of-another-epoch",
        "a change that waited is applied to a business that was made anew meanwhile",
        breaks={"W1", "W3"},
        seeds=SEEDS,
    ),
    Mutant(
        "revision-passed-over",
        "a heartbeat tells a revision that the slots were never looked at for",
        breaks={"W4"},
        tests=(IN_BETWEEN,),
    ),
    Mutant(
        "instant-passed-over",
        "a heartbeat tells an instant that the slots were never looked at for",
        breaks={"W4"},
        tests=(IN_BETWEEN,),
    ),
    Mutant(
        "cancelled-once",
        "a server that stops cancels once what listens to Redis, and waits for ever",
        breaks={"W9"},
        tests=(SUBSCRIPTION,),
    ),
    Mutant(
        "watch-never-closed",
        "the watch of a client that has gone is kept",
        breaks={"W7"},
        soak_minutes=2.0,
    ),
)
