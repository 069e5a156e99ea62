"""The seeded bugs, and what must find each. What they change is in `patches`, by their names."""

from __future__ import annotations

from tests.robustness.mutants.mutant import Mutant

ISOLATION = "tests/robustness/isolation/test_isolation.py"
CANCELLATION = "tests/robustness/isolation/test_cancellation.py"
DATABASE = "tests/store/test_database.py"
SIMULATION = "tests/robustness/simulation/test_simulation.py"

MUTANTS = (
    Mutant(
        "told-before-commit",
        "the hint leaves before COMMIT, so that a commit that fails was told",
        breaks={"B4", "W1", "W4"},
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
        breaks={"B3", "B4", "B6"},
        scenario="database-cut",
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
        "reads-unproved",
        "a list is answered from the replica as it is, without asking PostgreSQL",
        breaks={"B4", "W8"},
        scenario="hints-lost",
    ),
    Mutant(
        "heartbeat-from-memory",
        "a heartbeat tells what the server has, not what PostgreSQL has",
        breaks={"W4", "W5", "W9"},
        scenario="hints-lost",
    ),
    Mutant(
        "time-goes-on-unproved",
        "time alone moves a view however long PostgreSQL was not read",
        breaks={"W5"},
        scenario="servers-stopped",
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
        scenario="servers-stopped",
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
)
