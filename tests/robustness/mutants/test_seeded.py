"""Seeded bugs stay what they are while the service changes: each still fits into it."""

import re
import shutil

import pytest

from tests.robustness.mutants.bench import ROOT
from tests.robustness.mutants.mutant import PATCHES
from tests.robustness.mutants.seeded import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_still_fits_and_is_a_program(mutant, tmp_path):
    changed = re.findall(r"^--- a/(.*)$", mutant.patch.read_text(), re.MULTILINE)
    for name in changed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    mutant.apply(tmp_path)

    for name in changed:
        text = (tmp_path / name).read_text()
        assert text != (ROOT / name).read_text()
        compile(text, name, "exec")


def test_each_patch_is_that_of_a_mutant():
    assert {path.stem for path in PATCHES.iterdir()} == {mutant.name for mutant in MUTANTS}


def test_each_mutant_says_which_promise_it_breaks_and_where_it_is_looked_for():
    for mutant in MUTANTS:
        assert mutant.breaks
        places = (mutant.scenario, mutant.seeds, mutant.soak_minutes, mutant.tests)
        assert sum(map(bool, places)) == 1
