"""The seeded bugs, each a small change to a copy of the tree."""

from __future__ import annotations

from tests.robustness.mutants.mutant import Edit, Mutant

LANES = "service/actions/lanes.py"
FOLLOWER = "service/live/follower.py"

MUTANTS = (
    Mutant(
        name="told-before-commit",
        about="the hint leaves before COMMIT, so that a commit that fails was told",
        breaks=frozenset({"W1", "W4", "B4"}),
        found_by="scenario database-cut",
        edits=(
            Edit(
                LANES,
                "                return await run_batch("
                "tx, self._catalogs, business_id, submissions)\n",
                "                done = await run_batch("
                "tx, self._catalogs, business_id, submissions)\n"
                "                self._tell(business_id, done)\n"
                "                return done\n",
            ),
        ),
    ),
    Mutant(
        name="overlaps-ignored",
        about="the decision overlooks what else stands there, and no constraint does",
        breaks=frozenset({"B1"}),
        found_by="scenario calm",
        edits=(
            Edit(
                "service/domain/verdict.py",
                "    if taken is None or len(taken) >= wish.type.capacity:\n"
                "        return Verdict(0, refusal=SlotTaken(start))\n",
                "    if taken is not None and len(taken) >= wish.type.capacity:\n"
                "        return Verdict(0, refusal=SlotTaken(start))\n"
                "    taken = taken or set()\n",
            ),
            Edit(
                "service/store/migrations/versions/0005_find_what_overlaps_by_a_hash.py",
                "WHERE (kind <> 'busy')",
                "WHERE (kind = 'none')",
            ),
        ),
    ),
    Mutant(
        name="commit-failure-swallowed",
        about="a COMMIT that fails is answered as if it had not",
        breaks=frozenset({"B2", "B3"}),
        found_by="scenario database-cut",
        edits=(
            Edit(
                LANES,
                "        async with serialized(self._database, business_id) as tx:\n"
                "            if isinstance(submissions[0].command, BookingCommand):\n"
                "                return await run_batch("
                "tx, self._catalogs, business_id, submissions)\n"
                "            return await run_catalog_change(tx, business_id, submissions[0])\n",
                "        done: Done | None = None\n"
                "        try:\n"
                "            async with serialized(self._database, business_id) as tx:\n"
                "                if isinstance(submissions[0].command, BookingCommand):\n"
                "                    done = await run_batch("
                "tx, self._catalogs, business_id, submissions)\n"
                "                else:\n"
                "                    done = await run_catalog_change("
                "tx, business_id, submissions[0])\n"
                "        except Exception:\n"
                "            if done is None:\n"
                "                raise\n"
                "        return done\n",
            ),
        ),
    ),
    Mutant(
        name="commit-not-awaited",
        about="PostgreSQL answers COMMIT before it has written it",
        breaks=frozenset({"B2"}),
        found_by="scenario database-crashed",
        edits=(
            Edit(
                "service/store/database.py",
                '    "jit": "off",\n',
                '    "jit": "off",\n    "synchronous_commit": "off",\n',
            ),
        ),
    ),
    Mutant(
        name="doubt-told-as-refusal",
        about="an outcome that is not known is told as one that changed nothing",
        breaks=frozenset({"B3", "B4", "B6"}),
        found_by="scenario database-cut",
        edits=(
            Edit(
                LANES,
                "            answer.set_exception(TryAgain())\n",
                "            answer.set_exception(Overloaded())\n",
            ),
        ),
    ),
    Mutant(
        name="answers-forgotten",
        about="what was answered is not kept, so that a repetition is decided anew",
        breaks=frozenset({"B3"}),
        found_by="scenario calm",
        edits=(
            Edit(
                "service/store/batch.py",
                "            FROM unnest($5::text[], $6::text[], $7::bytea[], $8::bytea[])\n",
                "            FROM unnest($5::text[], $6::text[], $7::bytea[], $8::bytea[])\n"
                "            WHERE random() < 0.5\n",
            ),
        ),
    ),
    Mutant(
        name="any-version-approved",
        about="a booking is changed whatever version its caller has seen",
        breaks=frozenset({"B8"}),
        found_by="scenario calm",
        edits=(
            Edit(
                "service/domain/decisions.py",
                "    if booking.version != version:\n",
                "    if booking.version < version:\n",
            ),
        ),
    ),
    Mutant(
        name="reads-unproved",
        about="a list is answered from the replica as it is, without asking PostgreSQL",
        breaks=frozenset({"B4", "W8"}),
        found_by="scenario hints-lost",
        edits=(
            Edit(
                FOLLOWER,
                "        head, as_of = await self._heads.head(following.business_id)\n",
                "        known = following.replica\n"
                "        if known is not None and following.is_current:\n"
                "            as_of = self._around.clock.now()\n"
                "            return Fresh(replica=known, revision=known.revision, as_of=as_of)\n"
                "        head, as_of = await self._heads.head(following.business_id)\n",
            ),
        ),
    ),
    Mutant(
        name="heartbeat-from-memory",
        about="a heartbeat tells what the server has, not what PostgreSQL has",
        breaks=frozenset({"W4", "W5", "W9"}),
        found_by="scenario hints-lost",
        edits=(
            Edit(
                FOLLOWER,
                "            head = heads.by_business.get(business_id)\n",
                "            head = heads.by_business.get(business_id)\n"
                "            if head is not None:\n"
                "                head = Head(revision=revision, epoch=replica.epoch)\n",
            ),
        ),
    ),
    Mutant(
        name="time-goes-on-unproved",
        about="time alone moves a view however long PostgreSQL was not read",
        breaks=frozenset({"W5"}),
        found_by="scenario servers-stopped",
        edits=(
            Edit(
                "service/live/clock.py",
                "        return min(self.now(), proved_as_of + UNPROVED_MAX)\n",
                "        return self.now()\n",
            ),
        ),
    ),
    Mutant(
        name="filter-not-compared",
        about="a token of another filter is resumed",
        breaks=frozenset({"W1", "W3"}),
        found_by="scenario calm",
        edits=(
            Edit(
                "service/live/resume.py",
                "    if token.filter_hash != filter_hash:\n",
                "    if not filter_hash:\n",
            ),
        ),
    ),
    Mutant(
        name="trimmed-gap-resumed",
        about="a token older than the log is resumed with what is left of it",
        breaks=frozenset({"W1", "W3"}),
        found_by="scenario log-trimmed",
        edits=(
            Edit(
                FOLLOWER,
                "                if not earlier or earlier[0].revision != revision + 1:\n"
                "                    return ResetReason.COMPACTED\n",
                "                if not earlier:\n                    return None\n",
            ),
            Edit(
                "service/live/replica.py",
                "        if revision < self._done_after:\n            return None\n",
                "",
            ),
        ),
    ),
    Mutant(
        name="client-never-stale",
        about="the Python client shows what it has however old it is",
        breaks=frozenset({"W5"}),
        found_by="scenario servers-stopped",
        edits=(
            Edit(
                "clients/python/slotcast/freshness.py",
                "        return self._good_until - self._clock.monotonic()\n",
                "        return 60.0\n",
            ),
        ),
    ),
)
