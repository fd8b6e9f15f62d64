"""Seed, threads, device, paths, language and MODE: what every lesson sets first."""

from __future__ import annotations

import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

MODES = ("smoke", "class", "full")
LANGUAGES = ("en", "zh")
# One thread a notebook, and two notebooks at a time: threads of two processes that wait for each other on two
# cores made a small network many times slower, and the models of a lesson are too small to gain from a second.
NUM_THREADS = 1
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MAX_SEED = 2**32 - 1

T = TypeVar("T")


class LabkitError(Exception):
    """An error for the person at the keyboard: says what is wrong and what to do.

    The command prints the message alone, and a notebook shows it without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True)
class Lab:
    """What a lesson runs with: its mode, its seed and its device."""

    mode: str
    seed: int
    device: str

    def pick(self, smoke: T, class_: T, full: T) -> T:
        """The value for this run's mode, in the order smoke, class, full."""
        return {"smoke": smoke, "class": class_, "full": full}[self.mode]


def start(mode: str, seed: int) -> Lab:
    """Check MODE and SEED, seed every generator, fix the thread count; return the lesson's ``Lab``.

    Raises LabkitError for an unknown mode or a seed that is not an integer in [0, 2**32 - 1].
    """
    if mode not in MODES:
        raise LabkitError(f"MODE is {mode!r}. Set it to one of: {', '.join(MODES)}.")
    set_seed(seed)
    set_threads()
    return Lab(mode=mode, seed=seed, device=default_device(mode))


def set_seed(seed: int) -> None:
    """Seed Python's, NumPy's and PyTorch's global generators."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise LabkitError(f"SEED is {seed!r}. Set it to an integer from 0 to {MAX_SEED}.")
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (scikit-learn still draws from the global generator)
    torch.manual_seed(seed)


def set_threads(count: int = NUM_THREADS) -> None:
    """Fix the thread count of PyTorch, NumPy and scikit-learn: sums are split by thread, so results depend on it."""
    import threadpoolctl
    import torch

    torch.set_num_threads(count)
    threadpoolctl.threadpool_limits(count)  # what is loaded now
    for name in THREAD_VARIABLES:  # what is loaded later, as SciPy's own algebra is
        os.environ[name] = str(count)


def without_iri_grammar() -> None:
    """For a process of our own that reads notebooks: jsonschema, which checks them, does without checks of IRIs.

    On import it has a parser of IRIs compiled, for a second or two, where the library for that is installed, as it is
    with JupyterLab. The schema of notebooks has no IRI.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # importing it is an ImportError


def default_device(mode: str) -> str:
    """``cpu``, except in full mode where there is a GPU; ``LABKIT_DEVICE`` overrides."""
    asked = os.environ.get("LABKIT_DEVICE")
    if asked:
        return asked
    if mode != "full":
        return "cpu"  # so that a classroom sees the numbers that the notebook shows
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def check_device(name: str) -> str:
    """``name``, if it is a device that this machine has; LabkitError otherwise."""
    import torch

    there = ["cpu"]
    there += ["cuda"] if torch.cuda.is_available() else []
    there += ["mps"] if torch.backends.mps.is_available() else []
    if name not in there:
        raise LabkitError(f"There is no device {name!r} on this machine. It has: {', '.join(there)}.")
    return name


def course_dir() -> Path:
    """The course's folder (with ``notebooks`` and ``data``); ``LABKIT_HOME`` overrides."""
    home = os.environ.get("LABKIT_HOME")
    folder = Path(home).expanduser() if home else Path(__file__).resolve().parent.parent
    if not (folder / "notebooks" / "src").is_dir():
        raise LabkitError(
            f"The course's folder is not at {folder}. Set LABKIT_HOME to the folder that holds "
            "notebooks/ and data/, or install labkit from a clone with: pip install -e ."
        )
    return folder


def notebooks_dir() -> Path:
    """Where the built notebooks are."""
    return course_dir() / "notebooks"


def data_dir() -> Path:
    """Where the data and weights that the project made are."""
    return course_dir() / "data"


def cache_dir() -> Path:
    """Where downloads and generated corpora are kept; ``LABKIT_CACHE`` overrides."""
    asked = os.environ.get("LABKIT_CACHE")
    return Path(asked).expanduser() if asked else Path.home() / ".cache" / "labkit"


def language() -> str:
    """``en`` or ``zh``: ``LABKIT_LANG``, else Chinese in a notebook that lies in a folder ``zh``."""
    asked = os.environ.get("LABKIT_LANG", "").lower()[:2]
    if asked in LANGUAGES:
        return asked
    # Jupyter tells a kernel its notebook's path; editors without that start it in the notebook's folder.
    notebook = Path(os.environ.get("JPY_SESSION_NAME", "."))
    return "zh" if "zh" in (notebook.resolve().parent.name, Path.cwd().name) else "en"


def say(en: str, zh: str) -> str:
    """The text in the language of this notebook."""
    return zh if language() == "zh" else en
