"""The log as witness: it is whole and legal, and all that was answered is in it, once.

What was refused is not. Then its order is that of real time, and what PostgreSQL has in the end is
what the log leads to.
"""

from __future__ import annotations

from collections import Counter

from tests.robustness.checker.alternatives import judge_alternatives
from tests.robustness.checker.claims import BUSY, HOLD, Taken
from tests.robustness.checker.evidence import CLOCK_SLACK, Done, Evidence
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.instants import SECOND, micros, shown
from tests.robustness.checker.offer import merged
from tests.robustness.checker.records import LIVE, TIMED
from tests.robustness.checker.refusals import WAITING_REASONS, Refusals
from tests.robustness.checker.replay import Replay
from tests.robustness.checker.strangers import judge_strangers
from tests.robustness.checker.waiting import judge_unreached, judge_waiting
from tests.robustness.history import INTERNAL_FAULT, Call, Outcome, StoredClaim

NEVER_REASONS = frozenset(
    {
        INTERNAL_FAULT,
        "INTERNAL",
        "UNKNOWN",
        "DATA_LOSS",
        "KEY_MISSING",
        "KEY_INVALID",
        "SCOPE_MISSING",
        "REQUEST_ID_REUSED",
        "BAD_FEED",
        "INVALID_PAGE_TOKEN",
        "NOT_IMPLEMENTED",
        "UNIMPLEMENTED",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
    }
)
"""No request of these tests earns them, but for those that use an id or a page token wrongly."""
REUSED = "REQUEST_ID_REUSED"
FORGOTTEN_REASONS = frozenset({"HANDOFF_ENDED", "HANDOFF_USED"})
ONE_MACHINE_SLACK = SECOND // 10
"""So far the clocks of PostgreSQL and of who asks may differ, as the machine is the same."""
WIRE_REASONS = frozenset({"INTERNAL", "UNKNOWN"})
"""Where the way is cut, gRPC itself may say these. What the service calls its fault is not so."""


def judge_log(evidence: Evidence, findings: Findings) -> None:
    """B1, B4, B7, B8: the log has no gap, and each change is legal where it stands.

    On the way each refusal is compared with the model, and the timeline is written.
    """
    replay, refusals = Replay(evidence.model), Refusals(evidence, findings)
    refusals.look(evidence.model)
    for number, change in enumerate(evidence.witness.changes, 1):
        findings.checks["B4"] += 1
        if change.revision != number:
            findings.add(
                "B4",
                "gap",
                f"revision {change.revision} stands where {number} should",
                revision=number,
            )
            break
        deeds = evidence.deeds[number]
        if change.kind == "catalog_changed" and not deeds:
            # `judge_answers` says so; from here on nobody knows what there is to be booked.
            break
        findings.checks["B1"] += 1 + len(change.added)
        for fault in replay.apply(change, deeds[0] if deeds else None):
            text = f"{change.kind} at {shown(micros(change.at))}: {fault.text}"
            calls = deeds[0].calls if deeds else ()
            findings.add(fault.promise, fault.rule, text, revision=number, calls=calls)
        for deed in evidence.idle[number]:
            for fault in replay.check_idle(deed):
                findings.add(
                    fault.promise, fault.rule, fault.text, revision=number, calls=deed.calls
                )
        evidence.timeline.note(evidence.model, replay.touched, replay.retyped)
        refusals.look(evidence.model)
    refusals.finish()
    evidence.timeline.finish()
    findings.checks.update(replay.counts)


def judge_answers(evidence: Evidence, findings: Findings) -> None:
    """B2, B3: what was answered OK was done once and stored, and what was refused was not done."""
    _judge_stored(evidence, findings)
    for calls in evidence.operations.values():
        if calls[0].request_id:
            _judge_operation(evidence, findings, calls)


def _judge_stored(evidence: Evidence, findings: Findings) -> None:
    """Every change has one stored answer, and every stored answer a request and a change."""
    for (_, request_id), stored in evidence.answers.items():
        findings.checks["B3"] += 1
        if len(stored) > 1 and not _were_forgotten(evidence, stored):
            calls = tuple(number for done in stored for number in done.numbers)
            findings.add("B3", "twice", f"{request_id} has {len(stored)} answers", calls=calls)
        for _, calls_, response in stored:
            calls = tuple(call.number for call in calls_)
            if response is None:
                findings.add("B3", "nobody asked", f"{request_id} was answered, and nobody asked")
            elif not 0 < response.revision <= len(evidence.witness.changes):
                text = (
                    f"{request_id} was answered with revision {response.revision}, not in the log"
                )
                findings.add("B2", "lost", text, revision=response.revision, calls=calls)
    timed = sum(change.kind in TIMED for change in evidence.witness.changes)
    if timed != evidence.timed:
        text = f"the notifier made {timed} changes, and {evidence.timed} were answered"
        findings.add("B3", "of the notifier", text)
    for change in evidence.witness.changes:
        findings.checks["B3"] += 1
        deeds = evidence.deeds[change.revision]
        if change.kind in TIMED:
            continue
        if not deeds:
            text = f"nobody asked for the change {change.kind}, or its answer was not stored"
            findings.add("B3", "nobody asked", text, revision=change.revision)
        elif len(deeds) > 1:
            findings.add(
                "B3",
                "shared",
                f"{', '.join(deed.request_id for deed in deeds)} have one change",
                revision=change.revision,
            )


def _judge_operation(evidence: Evidence, findings: Findings, calls: list[Call]) -> None:
    stored = evidence.done(calls[0])
    numbers = tuple(call.number for call in calls)
    done_at = stored[0].response.revision if stored and stored[0].response is not None else 0
    other = evidence.done_otherwise(calls[0])
    for call in calls:
        findings.checks["B3"] += 1
        if other and not stored:
            _judge_reused(evidence, findings, call, other)
        elif call.outcome is Outcome.OK:
            _judge_ok(findings, call, stored, numbers)
        elif (
            done_at
            and _is_refused_after(evidence, call, done_at)
            and not _may_be_forgotten(evidence, call)
        ):
            findings.add(
                "B3",
                "done, then refused",
                f"{call.method} was done at revision {done_at}, then refused: {call.reason}",
                at=call.ended,
                revision=done_at,
                calls=numbers,
            )
    is_idle = calls[0].operation in evidence.idle_operations
    if done_at and not is_idle and _was_done_by_a_refused_one(evidence, calls, done_at):
        findings.add(
            "B6",
            "done by a call that was refused",
            f"{calls[0].method} was done at {done_at}, before any call began that was not refused",
            at=calls[-1].ended,
            revision=done_at,
            calls=numbers,
        )
    if done_at and all(call.outcome is Outcome.REFUSED for call in calls):
        findings.add(
            "B3",
            "refused, but done",
            f"{calls[0].method} was refused with {calls[-1].reason}, and done at {done_at}",
            at=calls[-1].ended,
            revision=done_at,
            calls=numbers,
        )


def _judge_reused(evidence: Evidence, findings: Findings, call: Call, other: int) -> None:
    """An id that was answered for another body: it is said so, and nothing else is told."""
    is_ok = call.outcome is Outcome.OK
    told = "answered OK" if is_ok else f"refused with {call.reason}"
    is_forgotten = _may_be_forgotten(evidence, call)
    is_other = call.reason != REUSED and _is_refused_after(evidence, call, other)
    if is_ok or (is_other and not is_forgotten):
        text = f"{call.method} was {told}, though its id was answered at {other} for another body"
        findings.add(
            "B3", "another body", text, at=call.ended, revision=other, calls=(call.number,)
        )


def _judge_ok(findings: Findings, call: Call, stored: list[Done], numbers: tuple[int, ...]) -> None:
    findings.checks["B2"] += 1
    if not stored:
        text = f"{call.method} was answered OK at revision {call.revision}, and nothing is stored"
        findings.add("B2", "lost", text, at=call.ended, revision=call.revision, calls=numbers)
    elif not any(done.response == call.response for done in stored):
        text = f"{call.method} was answered otherwise than is stored"
        findings.add(
            "B3", "other answer", text, at=call.ended, revision=call.revision, calls=numbers
        )


def _is_refused_after(evidence: Evidence, call: Call, revision: int) -> bool:
    """Say whether a call was refused that began when its operation was known to be done."""
    return (
        call.outcome is Outcome.REFUSED
        and call.reason not in WAITING_REASONS
        and evidence.acknowledged.before(call.began) >= revision
    )


def _were_forgotten(evidence: Evidence, stored: list[Done]) -> bool:
    """Say whether who redeemed may have been answered anew: the answer before was erased."""
    tickets = [
        evidence.model.tickets.get(getattr(calls[0].request, "ticket", ""))
        for _, calls, _ in stored
        if calls
    ]
    return all(ticket is not None and ticket.may_be_erased for ticket in tickets)


def _may_be_forgotten(evidence: Evidence, call: Call) -> bool:
    """Say whether the answer to a call may be gone: that to who redeemed goes with its hold.

    It has what was prefilled. Whether the refusal has a cause is for `Refusals` to say.
    """
    if call.reason not in FORGOTTEN_REASONS or call.ended is None:
        return False
    ticket = evidence.model.tickets.get(call.request.ticket)
    if ticket is None:
        return False
    hold, at = evidence.model.holds[ticket.hold_id], evidence.clocks(call.began, call.ended)[1]
    return ticket.may_be_erased or hold.status != LIVE or hold.expires <= at


def _was_done_by_a_refused_one(evidence: Evidence, calls: list[Call], revision: int) -> bool:
    """Say whether a change was made before any call began that may have made it.

    A refusal, be it for want of time, says that its call has changed nothing.
    """
    began = [call.began for call in calls if call.outcome is not Outcome.REFUSED]
    changes = evidence.witness.changes
    if not began or not 0 < revision <= len(changes):
        return False
    first, earliest = min(began), min(call.began for call in calls)
    if earliest == first or not evidence.is_clock_known(earliest, first):
        return False
    return micros(changes[revision - 1].at) < evidence.clock(first) - ONE_MACHINE_SLACK


def judge_order(evidence: Evidence, findings: Findings) -> None:
    """B4: what was asked after an answer has a higher revision than that answer."""
    for calls in evidence.operations.values():
        done = [call for call in calls if call.outcome is Outcome.OK]
        if not done or not calls[0].request_id:
            continue
        findings.checks["B4"] += 1
        first, revision = calls[0], done[0].revision
        known = evidence.acknowledged.before(first.began)
        is_idle = first.operation in evidence.idle_operations
        if revision < known or (revision == known and not is_idle):
            findings.add(
                "B4",
                "order",
                f"{first.method} has revision {revision}, but {known} was answered before it began",
                at=first.began,
                revision=revision,
                calls=tuple(call.number for call in calls),
            )
        if not is_idle:
            _judge_instant(evidence, findings, first, done[0])


def _judge_instant(evidence: Evidence, findings: Findings, first: Call, done: Call) -> None:
    """Every decision has the database's clock, within its call."""
    changes = evidence.witness.changes
    if done.ended is None or not 0 < done.revision <= len(changes):
        return
    if not evidence.is_clock_known(first.began, done.ended):
        return
    at = micros(changes[done.revision - 1].at)
    earliest = evidence.clock(first.began) - CLOCK_SLACK
    latest = evidence.clock(done.ended) + CLOCK_SLACK
    if not earliest <= at <= latest:
        off = (earliest - at if at < earliest else at - latest) / SECOND
        text = f"{first.method} was decided {off:.3f} s outside of its call"
        findings.add(
            "B4", "clock", text, at=done.ended, revision=done.revision, calls=(done.number,)
        )


def judge_reasons(evidence: Evidence, findings: Findings) -> None:
    """B6: a failure has a reason that tells what to do; none that nobody earned."""
    judge_waiting(evidence, findings)
    judge_unreached(evidence, findings)
    judge_alternatives(evidence, findings)
    judge_strangers(evidence, findings)
    for call in evidence.history.calls:
        if call.outcome is Outcome.OK or call.ended is None:
            continue
        findings.checks["B6"] += 1
        if call.reason not in NEVER_REASONS or _is_earned(evidence, call):
            continue
        if call.reason in WIRE_REASONS and evidence.was_cut(call.server, call.began, call.ended):
            continue
        text = f"{call.method} at {call.server} failed with {call.reason}"
        findings.add("B6", "reason", text, at=call.ended, calls=(call.number,))


def _is_earned(evidence: Evidence, call: Call) -> bool:
    """Say whether a call has used a token that is not for it, or an id.

    That may have been answered for another body by then.
    """
    if call.reason == "INVALID_PAGE_TOKEN":
        return bool(call.request.page_token) and evidence.page_before(call) is None
    other = evidence.done_otherwise(call) if call.reason == REUSED else 0
    return call.ended is not None and 0 < other <= evidence.possible_by(call.ended)


def judge_end(evidence: Evidence, findings: Findings) -> None:
    """B2: in the end PostgreSQL has what the log leads to; and nothing was left behind."""
    witness = evidence.witness
    _judge_claims(evidence, findings)
    _judge_bookings(evidence, findings)
    _judge_entries(evidence, findings)
    findings.checks["B1"] += 1
    for overlap in witness.overlaps:
        findings.add("B1", "overlap", f"PostgreSQL has two that overlap: {overlap}")
    findings.checks["C4"] += 1
    for remembered in witness.remembered:
        findings.add("C4", "remembered", f"PostgreSQL has kept what it should not: {remembered}")
    if witness.revision != len(witness.changes):
        text = f"the business is at {witness.revision}, its log at {len(witness.changes)}"
        findings.add("B4", "revision", text, revision=witness.revision)
    kept = witness.log_revisions
    first = kept[0] if kept else witness.revision + 1
    if kept != list(range(first, witness.revision + 1)):
        findings.add("W3", "trimmed log", f"what is left of the log from {first} on has a gap")
    for what, number in (
        ("sessions idle in a transaction", witness.idle_in_transaction),
        ("advisory locks", witness.advisory_locks),
    ):
        findings.checks["liveness"] += 1
        if number:
            findings.add("liveness", "left behind", f"there are {number} {what} in the end")


def _judge_claims(evidence: Evidence, findings: Findings) -> None:
    """Compare the table `claims`. The janitor may have removed holds that had expired."""
    model, now = evidence.model, evidence.clock(evidence.history.ended)
    expected: dict[object, Taken] = {
        each.id: each for each in model.calendars.by_id.values() if each.kind != BUSY
    }
    stored: dict[object, StoredClaim] = {
        each.claim_id: each for each in evidence.witness.claims if each.kind != BUSY
    }
    findings.checks["B2"] += len(expected)
    for claim_id in expected.keys() - stored.keys():
        taken = expected[claim_id]
        if taken.kind != HOLD or taken.is_live(now):
            text = f"{taken.kind} {taken.owner} on {taken.calendar} has lost its claim"
            findings.add("B2", "claims", text)
    for claim_id in stored.keys() - expected.keys():
        claim = stored[claim_id]
        text = f"a claim of {claim.kind} {claim.owner_id} is on {claim.calendar_id}, by no change"
        findings.add("B2", "claims", text)
    for claim_id in expected.keys() & stored.keys():
        taken, claim = expected[claim_id], stored[claim_id]
        found = (
            *(claim.calendar_id, claim.kind, claim.owner_id, micros(claim.start)),
            *(micros(claim.end), claim.type_id, claim.seat),
            None if claim.expires_at is None else micros(claim.expires_at),
        )
        told = (
            *(taken.calendar, taken.kind, taken.owner, taken.start),
            *(taken.end, taken.type_id, taken.seat, taken.expires),
        )
        if found != told:
            findings.add("B2", "claims", f"a claim is stored as {found}, not {told}")
    _judge_busy(evidence, findings)


def _judge_busy(evidence: Evidence, findings: Findings) -> None:
    expected = Counter[tuple[str, int, int]]()
    by_feed: dict[str, list[tuple[int, int]]] = {}
    for taken in evidence.model.calendars.by_id.values():
        if taken.kind == BUSY:
            expected[taken.owner, taken.start, taken.end] += 1
    for claim in evidence.witness.claims:
        if claim.kind == BUSY:
            owner = f"feed {claim.calendar_id} {claim.owner_id}"
            by_feed.setdefault(owner, []).append((micros(claim.start), micros(claim.end)))
    # It is stored in pieces.
    found = Counter((owner, *span) for owner, spans in by_feed.items() for span in merged(spans))
    findings.checks["B2"] += 1
    if found != expected:
        odd = sorted((found - expected) + (expected - found))
        findings.add("B2", "busy time", f"busy time differs from what was imported: {odd[:3]}")


def _judge_bookings(evidence: Evidence, findings: Findings) -> None:
    stored = {str(each.booking_id): each for each in evidence.witness.bookings}
    findings.checks["B2"] += len(evidence.model.bookings)
    for booking_id in evidence.model.bookings.keys() ^ stored.keys():
        findings.add("B2", "bookings", f"booking {booking_id} is only in the log, or in the table")
    for booking_id in evidence.model.bookings.keys() & stored.keys():
        booked, row = evidence.model.bookings[booking_id], stored[booking_id]
        found = (
            *(row.type_id, row.calendar_ids, micros(row.start), micros(row.end)),
            *(row.status, row.version),
        )
        told = (
            *(booked.type_id, booked.calendars, booked.first, booked.last),
            *(booked.status, booked.version),
        )
        if found != told:
            text = f"booking {booking_id} is stored as {found}, not {told}"
            findings.add("B2", "bookings", text)


def _judge_entries(evidence: Evidence, findings: Findings) -> None:
    """Compare the table `waitlist`. The janitor may have removed entries that had ended."""
    stored = {str(each.entry_id): each for each in evidence.witness.entries}
    model = evidence.model
    findings.checks["B2"] += len(model.entries)
    for entry_id in stored.keys() - model.entries.keys():
        findings.add("B2", "waitlist", f"entry {entry_id} is in the table, by no change")
    for entry_id in model.queue.keys() - stored.keys():
        findings.add("B2", "waitlist", f"entry {entry_id} waits, and is not in the table")
    for entry_id in model.entries.keys() & stored.keys():
        entry, row = model.entries[entry_id], stored[entry_id]
        found: tuple[object, ...] = (row.status, row.revision)
        told: tuple[object, ...] = (entry.status, entry.number)
        if entry.hold is not None:
            ends = None if row.offer_expires_at is None else micros(row.offer_expires_at)
            found, told = (*found, row.hold_id, ends), (*told, entry.hold.id, entry.ends)
        if found != told:
            text = f"entry {entry_id} is stored as {found}, not {told}"
            findings.add("B2", "waitlist", text)
