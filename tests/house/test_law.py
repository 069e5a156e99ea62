"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 500
NAMELESS = {"util", "utils", "helper", "helpers", "common", "misc"}
# In pieces, so that this file obeys its own rule.
MACHINE_PATH = re.compile(r"(?<![\w.~>$}])/(?:" + "|".join(["work", "root", "tmp"]) + r")(?=/|\b)")
BINARY = {".binpb", ".gif", ".ico", ".jpg", ".png", ".woff2"}
MAP_HEADING = "Map of the house"


def tracked() -> list[Path]:
    """Every file that is committed, or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(ROOT / name for name in listed.stdout.split("\0") if name)


FILES = [path for path in tracked() if path.is_file()]


def is_generated(path: Path) -> bool:
    return "_pb2" in path.name or path.name.endswith("_pb.ts")


def is_ours(path: Path) -> bool:
    return not is_generated(path) and "third_party" not in path.parts


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


WRITTEN = [path for path in FILES if path.suffix == ".py" and is_ours(path)]
SCRIPTS = [path for path in FILES if path.suffix in {".ts", ".tsx"} and is_ours(path)]
TEXTS = [path for path in FILES if path.suffix not in BINARY]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_function_is_longer_than_one_can_keep_in_mind():
    too_long = [
        f"{shown(path)}:{function.lineno} {function.name}"
        for path in WRITTEN
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES_MAX
    ]

    assert too_long == []


def test_no_module_has_grown_past_having_one_job():
    too_long = [
        shown(path)
        for path in WRITTEN + SCRIPTS
        if "tests" not in path.parts and path.read_text().count("\n") > MODULE_LINES_MAX
    ]

    assert too_long == []


def test_every_module_is_named_for_what_it_does():
    nameless = [
        shown(path)
        for path in WRITTEN + SCRIPTS
        if {path.stem, *path.relative_to(ROOT).parts} & NAMELESS
    ]

    assert nameless == []


def test_no_file_names_a_path_of_one_machine():
    named = [
        f"{shown(path)}:{number} {line.strip()[:80]}"
        for path in TEXTS
        if path.name != "uv.lock"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]

    assert named == []


def test_every_file_ends_with_one_newline_and_no_line_with_a_blank():
    broken = [shown(path) for path in TEXTS if not is_generated(path) and is_untidy(path)]

    assert broken == []


def is_untidy(path: Path) -> bool:
    text = path.read_text()
    has_right_end = not text or re.search(r"[^\n]\n\Z", text)
    # What others wrote stays as they wrote it.
    return not has_right_end or (is_ours(path) and bool(re.search(r"(?m)[ \t\r]$", text)))


def test_tests_wait_for_the_thing_and_not_for_a_time():
    sleeping = [
        f"{shown(path)}:{node.lineno}"
        for path in WRITTEN
        if "tests" in path.relative_to(ROOT).parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and is_sleep(node)
    ]

    assert sleeping == []


def is_sleep(call: ast.Call) -> bool:
    """Whether the call waits for a time; asyncio.sleep(0) only lets others run."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    is_zero = bool(call.args) and ast.unparse(call.args[0]) in {"0", "0.0"}
    return name == "sleep" and not is_zero


# Real calendars lie beside the repository, not in it, and Chromium is not for every system: without
# them there is nothing to test.
ALLOWED_SKIPS = {
    "tests/feeds": 'pytest.skip(f"the calendars that programs exported are not at',
    "tests/web": 'pytest.skip(f"no Chromium: {error}")',
}


def test_nothing_is_left_for_later_or_switched_off():
    marks = re.compile(
        r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b"
        r"|pytest\.(?:mark\.)?(?:skip|xfail)|NotImplemented" + "Error"
        r"|\b(?:describe|it|test)\.(?:only|skip|todo)\b"
    )
    left = [
        f"{shown(path)}:{number} {line.strip()[:80]}"
        for path in WRITTEN + SCRIPTS
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if marks.search(line)
        and path != Path(__file__).resolve()
        and ALLOWED_SKIPS.get(shown(path.parent), "\n") not in line
    ]

    assert left == []


def test_every_package_of_the_server_says_what_it_is():
    silent = [
        shown(path)
        for path in WRITTEN
        if path.name == "__init__.py"
        and "service" in path.relative_to(ROOT).parts[:1]
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def mapped_paths(readme: str) -> set[str]:
    """Read the fenced block under the map's heading: a path, then words; indented is inside.

    A line `service/   the server` and below it `  domain/   decisions` name service and
    service/domain.
    """
    section = re.search(
        rf"^#+ {MAP_HEADING}\n.*?^```\w*\n(.*?)^```", readme, re.DOTALL | re.MULTILINE
    )
    if section is None:
        pytest.fail(f"README.md has no fenced block under a heading `{MAP_HEADING}`.")
    paths: set[str] = set()
    above: list[tuple[int, str]] = []
    for line in filter(str.strip, section[1].splitlines()):
        indent, name = len(line) - len(line.lstrip()), line.split()[0].rstrip("/")
        above = [(depth, path) for depth, path in above if depth < indent]
        path = f"{above[-1][1]}/{name}" if above else name
        above.append((indent, path))
        paths.add(path)
    return paths


def test_the_map_in_the_readme_is_the_tree_on_disk():
    mapped = mapped_paths((ROOT / "README.md").read_text())
    names = [path.relative_to(ROOT) for path in FILES]
    top = {name.parts[0] for name in names if len(name.parts) > 1 and name.parts[0][0] != "."}
    inside = {"/".join(name.parts[:2]) for name in names if folder_in(name, "service")}

    unmapped = sorted((top | inside) - mapped)
    gone = sorted(path for path in mapped if not (ROOT / path).exists())
    assert unmapped == [], "Folders that the map in README.md does not show."
    assert gone == [], "Paths in the map in README.md that are not on disk."


def folder_in(name: Path, parent: str) -> bool:
    return name.parts[0] == parent and len(name.parts) > 2
