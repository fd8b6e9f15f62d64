"""A real JupyterLab on this machine, and what a learner does in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from labkit.common import LANGUAGES
from labkit.lessons import find_lessons

# Debian's Chromium knows no network here; what it would look up in the background is switched off.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTINGS = {
    # All cells stand in the page, not only those in view: the tests look at each.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


def find_chromium() -> str | None:
    """Where a Chromium is; LABKIT_CHROMIUM overrides."""
    asked = os.environ.get("LABKIT_CHROMIUM")
    return (
        asked or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[tuple[str, str]]:
    """JupyterLab over a copy of the built notebooks in ``folder``; gives its address and token."""
    course = folder / "notebooks"
    (course / "zh").mkdir(parents=True)
    for lesson in find_lessons():
        for language in LANGUAGES:
            target = course / "zh" if language == "zh" else course
            if lesson.notebook(language).exists():
                shutil.copy(lesson.notebook(language), target)
    settings = folder / "settings" / "@jupyterlab"
    for name, content in SETTINGS.items():
        path = settings / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
    command += [
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={course}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    environment = {
        **os.environ,
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
    }
    environment.pop("LABKIT_LANG", None)
    with (folder / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_up(f"{address}/api/status?token={token}", server, folder / "jupyter.log")
            yield address, token
        finally:
            server.terminate()
            server.wait(30)


def wait_until_up(address: str, server: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    """Until the server answers; shows its log if it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.2)
    raise RuntimeError(
        f"JupyterLab did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
    )


class Notebook:
    """One notebook in the page."""

    def __init__(self, page, address: str, token: str, path: str):
        self.page = page
        page.goto(f"{address}/lab/tree/{path}?token={token}&reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        page.get_by_text(re.compile(r"\| Idle$")).wait_for(timeout=60_000)

    def run_all(self, seconds: float = 180) -> None:
        """Run > Run All Cells, until the last code cell has its number."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        done = """() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')]
                .map(e => e.textContent);
            return prompts.length > 0 && prompts.every(text => /\\[\\d+\\]/.test(text));
        }"""
        # The stored numbers stand there until the first cell starts.
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.jp-InputArea-prompt')].some(e => /\\[\\*\\]/.test(e.textContent))",
            timeout=30_000,
        )
        self.page.wait_for_function(done, timeout=seconds * 1000)

    def errors(self) -> list[str]:
        """Tracebacks in the page."""
        return self.page.locator('[data-mime-type="application/vnd.jupyter.error"]').all_inner_texts()

    def panel(self):
        """The first panel of controls."""
        panel = self.page.locator(
            ".jupyter-widgets.widget-vbox", has=self.page.locator(".labkit-readout")
        ).first
        panel.scroll_into_view_if_needed()
        return panel

    def readout(self) -> str:
        """The number that the panel shows."""
        return self.panel().locator(".labkit-readout").inner_text()

    def drag(self, control: str, pixels: int) -> None:
        """Drag the handle of the slider with this label, as a hand does: in small steps."""
        label = self.page.locator(".widget-label", has_text=control).filter(visible=True)
        slider = self.panel().locator(".widget-slider", has=label).first
        box = slider.locator(".noUi-handle").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + pixels, y, steps=12)
        mouse.up()

    def screenshot(self, path: Path) -> None:
        """The window as the learner sees it now."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
