"""Write the Python stubs, and remove those whose proto is gone.

    python protos/tools/generate.py [FOLDER]

The folder is `clients/python` unless another is named.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "clients" / "python"
    with tempfile.TemporaryDirectory() as folder:
        # buf writes to clients/python below the folder it is given: the template says so.
        _run_buf(Path(folder))
        fresh = Path(folder) / "clients" / "python"
        for stale in sorted({*generated(target)} - {*generated(fresh)}):
            (target / stale).unlink()
        shutil.copytree(fresh, target, dirs_exist_ok=True)


def generated(folder: Path) -> list[Path]:
    """Return the generated files below a folder, relative to it."""
    paths = (path for package in ("slotcast", "buf") for path in (folder / package).rglob("*_pb2*"))
    return sorted(path.relative_to(folder) for path in paths if path.suffix in {".py", ".pyi"})


def _run_buf(out: Path) -> None:
    # The plugins are scripts beside this interpreter, whether or not its environment is active.
    scripts = Path(sys.executable).parent
    search = f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"
    result = subprocess.run(
        [scripts / "buf", "generate", "--template", "protos/buf.gen.yaml", "--output", out],
        cwd=ROOT,
        env={**os.environ, "PATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        sys.exit(f"{result.stdout}{result.stderr}buf generate failed.")


if __name__ == "__main__":
    main()
