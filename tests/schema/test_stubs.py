"""The committed stubs are what the protos say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "python"
GENERATOR = ROOT / "protos" / "tools" / "generate.py"
OPENAPI = ROOT / "protos" / "tools" / "openapi.py"
FORM_RULES = ROOT / "protos" / "tools" / "form_rules.py"
WEB_GENERATED = ("clients/web/src/gen/**/*.ts", "clients/web/tests/form/descriptors.ts")


def generate(folder):
    subprocess.run([sys.executable, GENERATOR, folder], check=True)


def generated(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for package in ("slotcast", "buf")
        for path in (folder / package).rglob("*_pb2*.py*")
        if path.suffix in {".py", ".pyi"}
    }


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    generate(folder)
    return folder


def test_a_fresh_generation_equals_the_committed_stubs(fresh):
    committed, expected = generated(CLIENT), generated(fresh)

    assert expected
    assert sorted(committed) == sorted(expected), "Run `make proto` and commit what it writes."
    differing = [path for path, content in expected.items() if committed[path] != content]
    assert differing == [], "Run `make proto` and commit what it writes."


def test_stubs_whose_proto_is_gone_are_removed_and_written_code_is_not(fresh, tmp_path):
    stale = tmp_path / "slotcast" / "v1" / "gone_pb2.py"
    written = tmp_path / "slotcast" / "client.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    written.write_text("")

    generate(tmp_path)

    assert not stale.exists()
    assert written.exists()
    assert generated(tmp_path) == generated(fresh)


def test_a_fresh_document_of_the_rest_api_equals_the_committed_one(tmp_path):
    fresh = tmp_path / "openapi.json"
    subprocess.run([sys.executable, OPENAPI, fresh], check=True)

    committed = ROOT / "service" / "gateway" / "openapi.json"
    assert committed.read_text() == fresh.read_text(), "Run `make proto` and commit what it writes."


def generate_web(folder):
    """Do what `make proto` does for the widget; needs what `make web` installs."""
    scripts = Path(sys.executable).parent
    subprocess.run(
        [scripts / "buf", "generate", "--template", "protos/buf.gen.web.yaml", "--output", folder],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
        check=True,
    )
    subprocess.run([sys.executable, FORM_RULES, folder], check=True)


def test_what_is_fresh_for_the_widget_equals_what_is_committed(tmp_path):
    generate_web(tmp_path)

    committed, fresh = (
        {
            path.relative_to(folder): path.read_text()
            for pattern in WEB_GENERATED
            for path in folder.glob(pattern)
        }
        for folder in (ROOT, tmp_path)
    )
    assert len(fresh) > 5
    assert sorted(committed) == sorted(fresh), "Run `make proto` and commit what it writes."
    differing = [path for path, text in fresh.items() if committed[path] != text]
    assert differing == [], "Run `make proto` and commit what it writes."
