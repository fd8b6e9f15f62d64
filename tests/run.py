"""All tests, stage by stage: python -m tests.run (make test, after the linters)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
# Only whole files can be given to a worker: the cells of a notebook share a kernel.
PARALLEL = ["-n", "2", "--dist", "loadfile"]


def stages() -> dict[str, list[str]]:
    """name -> command. The browser comes last and alone: it waits on timing more than the others."""
    notebooks = [str(path) for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))]
    nbval = ["-p", "no:python", "--nbval", "--nbval-current-env", "--nbval-cell-timeout", "120"]
    return {
        "unit and rule tests": [*PYTEST, *PARALLEL, "-m", "not browser", "tests"],
        "notebooks through strict nbval": [*PYTEST, *PARALLEL, *nbval, *notebooks],
        "JupyterLab in a browser": [*PYTEST, "-m", "browser", "-rs", "tests/browser"],
    }


def main() -> int:
    """Run every stage, also after a failed one; 0 only if all passed."""
    outcomes = []
    for name, command in stages().items():
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        outcomes.append((name, code, time.monotonic() - started))
    print("\n== summary")
    for name, code, seconds in outcomes:
        print(f"{'passed' if code == 0 else 'FAILED'}  {seconds:6.0f} s  {name}")
    return int(any(code for _, code, _ in outcomes))


if __name__ == "__main__":
    sys.exit(main())
