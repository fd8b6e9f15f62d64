"""One progress bar for everything that takes time, shown only where somebody is watching."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm

DELAY_SECONDS = 2.0  # what is done sooner needs no bar


def progress_bar(
    total: int | None,
    label: str = "",
    *,
    unit: str = "step",
    start: int = 0,
    show: bool = True,
    delay: float | None = None,
) -> tqdm | NoBar:
    """A tqdm bar over ``total`` units that appears after ``delay`` seconds, or never when nobody is watching.

    A notebook's outputs must not depend on how fast the machine is, so a bar is shown in a terminal and in a
    notebook that is open in an editor, never under papermill, nbconvert, nbval or pytest.
    ``LABKIT_PROGRESS=0`` hides it everywhere, ``LABKIT_PROGRESS=1`` shows it everywhere.
    """
    if not (show and watched()):
        return NoBar()
    if in_notebook():
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    scale = unit == "B"
    return tqdm(
        total=total,
        desc=label or None,
        unit=unit,
        unit_scale=scale,
        unit_divisor=1024 if scale else 1000,
        initial=start,
        delay=DELAY_SECONDS if delay is None else delay,
    )


class NoBar:
    """A progress bar that nobody sees."""

    def __enter__(self) -> NoBar:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, n: float = 1) -> None:
        pass

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        pass

    def close(self) -> None:
        pass


def watched() -> bool:
    """Whether somebody sees a progress bar here."""
    setting = os.environ.get("LABKIT_PROGRESS", "").strip().lower()
    if setting:
        return setting not in ("0", "no", "off", "false")
    if "PYTEST_VERSION" in os.environ:  # also in the kernels that nbval starts
        return False
    if in_notebook():
        # Jupyter's server names the notebook that is open, and VS Code itself; papermill, nbclient and
        # nbval start kernels without either.
        return "JPY_SESSION_NAME" in os.environ or "VSCODE_PID" in os.environ
    return sys.stderr is not None and sys.stderr.isatty()


def in_notebook() -> bool:
    """Whether this code runs in a notebook's kernel (and not in IPython's terminal)."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
