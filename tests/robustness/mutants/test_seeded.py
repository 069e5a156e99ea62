"""Seeded bugs stay what they are while the service changes: each still fits into it."""

import pytest

from tests.robustness.mutants.__main__ import ROOT
from tests.robustness.mutants.seeded import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_piece_that_a_mutant_replaces_stands_once_in_its_file(mutant):
    for edit in mutant.edits:
        assert (ROOT / edit.file).read_text().count(edit.old) == 1, edit.file
        assert edit.new != edit.old


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_is_a_program(mutant):
    for edit in mutant.edits:
        text = (ROOT / edit.file).read_text().replace(edit.old, edit.new)
        compile(text, edit.file, "exec")


def test_mutants_have_names_of_their_own():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
