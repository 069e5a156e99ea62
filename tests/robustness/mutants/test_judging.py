"""A bug counts as found by who names what it breaks, and has nothing to say where it is not."""

import pytest

from tests.robustness.mutants.__main__ import Found, main, table
from tests.robustness.mutants.judging import Told, judged, promises_named
from tests.robustness.mutants.mutant import Mutant
from tests.robustness.mutants.seeded import MUTANTS

MUTANT = Mutant("a-bug", "it does wrong", breaks={"B1", "B4"}, scenario="calm")
TEST_FILE = '''"""B1 and W3: what the module is about."""

def test_something():
    pass

class TestMore:
    def test_what_has_a_word_of_its_own(self):
        """B6: it is said."""

    async def test_w9_is_in_the_name(self):
        pass
'''


def told(promise, by="scenario calm: twice"):
    return Told(promise, by, "tests.robustness", ("calm",))


def never(_):
    return False


def test_who_names_a_promise_that_the_bug_breaks_has_found_it():
    assert judged(MUTANT, [told("W1"), told("B4")], never)[0] == told("B4")


def test_who_names_another_promise_has_found_it_by_accident():
    assert judged(MUTANT, [told("W1")], never) == (None, ["W1, scenario calm: twice"])


def test_what_is_told_without_the_bug_as_well_has_not_found_it():
    found, accidents = judged(MUTANT, [told("B1"), told("B4")], lambda each: each.promise == "B1")

    assert found == told("B4")
    assert accidents == ["scenario calm: twice, without the bug as well"]


@pytest.mark.parametrize(
    ("test", "promises"),
    [
        ("test_something", ["B1", "W3", ""]),
        ("test_what_has_a_word_of_its_own", ["B6"]),
        ("test_w9_is_in_the_name", ["W9"]),
    ],
)
def test_a_test_speaks_for_the_promises_that_it_names(tmp_path, test, promises):
    file = tmp_path / "test_file.py"
    file.write_text(TEST_FILE)

    assert promises_named(file, test) == promises


FIRST, SECOND, THIRD = MUTANTS[:3]


def test_the_table_tells_a_promise_that_was_named_from_one_that_was_only_declared():
    rows = table(
        [
            Found(FIRST, told("B4"), 12.4),
            Found(SECOND, told("", "the test `test_something`"), 3.0),
            Found(THIRD, None, 100.0),
        ]
    )

    declared = ", ".join(sorted(SECOND.breaks))
    assert rows.splitlines()[2:] == [
        f"| {FIRST.name} | {FIRST.about} | B4 | scenario calm: twice | 12 s |",
        f"| {SECOND.name} | {SECOND.about} | ({declared}) | the test `test_something` | 3 s |",
        f"| {THIRD.name} | {THIRD.about} | | **not found** | 100 s |",
    ]


def test_the_table_keeps_what_was_found_of_those_that_were_not_looked_for_again():
    before = table([Found(FIRST, told("B4"), 12.0), Found(THIRD, None, 100.0)])
    rows = table([Found(SECOND, told("W1"), 5.0), Found(THIRD, told("W2"), 6.0)], before)

    assert rows == table(
        [
            Found(FIRST, told("B4"), 12.0),
            Found(SECOND, told("W1"), 5.0),
            Found(THIRD, told("W2"), 6.0),
        ]
    )


def test_there_is_no_looking_for_a_mutant_that_there_is_not(capsys):
    with pytest.raises(SystemExit):
        main(["no-such-bug"])

    assert "there is no mutant no-such-bug" in capsys.readouterr().err
