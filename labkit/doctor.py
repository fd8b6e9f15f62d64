"""Whether this machine can run the course: one finding a question, each with what to do."""

from __future__ import annotations

import html
import json
import locale
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from labkit.common import LabkitError, cache_dir, course_dir, say

GOOD, WARNING, WRONG = "good", "warning", "wrong"
PYTHONS = ((3, 11), (3, 13))  # oldest and newest that the lock was resolved for
NEEDED_MEMORY, ENOUGH_MEMORY = 0.7e9, 1.5e9  # a lesson takes up to 1 GB
NEEDED_DISK, ENOUGH_DISK = 0.2e9, 1.0e9
NAMED_AT_MOST = 6
CJK_FONTS = (
    "Noto Sans CJK", "Noto Serif CJK", "Noto Sans SC", "Source Han", "WenQuanYi", "PingFang", "Hiragino Sans GB",
    "Heiti", "STHeiti", "Songti", "Microsoft YaHei", "SimHei", "SimSun", "Droid Sans Fallback", "Arial Unicode",
    "AR PL", "LXGW",
)  # fmt: skip
FONT_ADVICE = {
    "Linux": "Install one: sudo apt install fonts-noto-cjk (Fedora: sudo dnf install google-noto-sans-cjk-fonts).",
    "Darwin": "macOS has PingFang; rebuild matplotlib's font list: delete the folder ~/.matplotlib.",
    "Windows": "Add a language: Settings, Time & language, Language, Chinese (Simplified): it brings Microsoft YaHei.",
}
KERNEL_PROBE = (
    "import sys, importlib.util; print(sys.prefix); print(importlib.util.find_spec('labkit') is not None)"
)


@dataclass(frozen=True)
class Finding:
    """The answer to one question: good, warning or wrong, and what to do unless it is good."""

    name: str
    status: str
    detail: str
    advice: str = ""


class Report:
    """Findings that print as lines and show as a table in a notebook."""

    def __init__(self, findings: Sequence[Finding]):
        self.findings = list(findings)

    @property
    def wrong(self) -> list[Finding]:
        """What keeps the course from running."""
        return [finding for finding in self.findings if finding.status == WRONG]

    @property
    def verdict(self) -> str:
        """One sentence over all findings."""
        warnings = sum(finding.status == WARNING for finding in self.findings)
        if self.wrong:
            return say(
                f"{_count(len(self.wrong), 'thing')} wrong: to be mended first.",
                f"有 {len(self.wrong)} 项不正确，请先解决。",
            )
        if warnings:
            return say(
                f"The course runs here; {_count(warnings, 'thing')} could be better.",
                f"本机可以运行本课程，另有 {warnings} 项可以改进。",
            )
        return say("Everything is in place.", "一切就绪。")

    def __repr__(self) -> str:
        width = max(len(finding.name) for finding in self.findings)
        lines = []
        for finding in self.findings:
            lines.append(f"{finding.status:<7}  {finding.name:<{width}}  {finding.detail}")
            if finding.advice and finding.status != GOOD:
                lines.append(f"{'':<7}  {'':<{width}}  -> {finding.advice}")
        return "\n".join([*lines, self.verdict])

    def _repr_html_(self) -> str:
        signs = {GOOD: "✓", WARNING: "!", WRONG: "✗"}
        head = "".join(
            f"<th>{name}</th>" for name in ("", "", say("found", "结果"), say("what to do", "怎么办"))
        )
        rows = "".join(
            f"<tr><td>{signs[f.status]} {f.status}</td><td>{html.escape(f.name)}</td>"
            f"<td style='text-align:left'>{html.escape(f.detail)}</td>"
            f"<td style='text-align:left'>{html.escape(f.advice if f.status != GOOD else '')}</td></tr>"
            for f in self.findings
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{html.escape(self.verdict)}</p>"


def report() -> Report:
    """Examine this machine; the result prints as lines, and shows as a table in a notebook."""
    return Report(examine())


def examine() -> list[Finding]:
    """All findings, in the order in which one would mend them. A question that fails is itself a finding."""
    questions = (
        ("Python", _python),
        ("packages", _packages),
        ("course folder", _course),
        ("cores", _cores),
        ("memory", _memory),
        ("disk", _disk),
        ("device", _device),
        ("Chinese font", _font),
        ("sound", _sound),
        ("kernel", _kernel),
        ("text encoding", _encoding),
    )
    findings = []
    for name, question in questions:
        try:
            status, detail, advice = question()
        except Exception as error:  # one broken package must not hide the other answers
            status, detail = WARNING, f"could not be examined ({type(error).__name__}: {error})"
            advice = "Install the locked packages anew: pip install -r requirements.lock"
        findings.append(Finding(name, status, detail, advice))
    return findings


def _python() -> tuple[str, str, str]:
    version = sys.version_info[:2]
    bits = 64 if sys.maxsize > 2**32 else 32
    detail = f"{platform.python_version()} ({bits} bit) in {sys.prefix}"
    oldest, newest = (".".join(map(str, bound)) for bound in PYTHONS)
    advice = f"Make a virtual environment with Python {oldest} to {newest} (64 bit), for example: conda create -n course python=3.12"
    if version < PYTHONS[0] or bits == 32:
        return WRONG, detail, advice
    if version > PYTHONS[1]:
        return WARNING, f"{detail}; the course was tested up to {newest}", advice
    return GOOD, detail, ""


def locked(text: str) -> Iterator[tuple[str, str]]:
    """(name, version) of each line ``name==version ; marker`` of a lock that holds on this machine."""
    from packaging.requirements import Requirement

    for line in text.splitlines():
        line = line.partition(" #")[0].strip()
        if not line or line.startswith(("#", "-")):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            for specifier in requirement.specifier:
                if specifier.operator == "==":
                    yield requirement.name, specifier.version


def _packages() -> tuple[str, str, str]:
    lock = course_dir() / "requirements.lock"
    if not lock.exists():
        return (
            WARNING,
            f"no requirements.lock in {lock.parent}",
            "Get the whole course: git clone, not the package alone.",
        )
    wanted = list(locked(lock.read_text(encoding="utf-8")))
    missing, other = [], []
    for name, version in wanted:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append((name, version))
            continue
        if found.partition("+")[0] != version.partition("+")[0]:  # 2.13.0+cpu is 2.13.0
            other.append((name, version, found))
    if not missing and not other:
        return GOOD, f"{len(wanted)} packages, each as in requirements.lock", ""
    parts = []
    if missing:
        parts.append(f"missing: {_listed([f'{name} {version}' for name, version in missing])}")
    if other:
        parts.append(f"other versions: {_listed([f'{n} {have} (lock: {want})' for n, want, have in other])}")
    pins = [f"{name}=={version}" for name, version, *_ in [*missing, *other]]
    command = " ".join(pins) if len(pins) <= NAMED_AT_MOST else f'-r "{lock}"'
    # A package of labkit itself that is missing stops lessons; another version usually does not.
    status = WRONG if {name.lower() for name, _ in missing} & _needed() else WARNING
    return status, "; ".join(parts), f"{Path(sys.executable).name} -m pip install {command}"


def _needed() -> set[str]:
    """The packages without which labkit does not work."""
    from packaging.requirements import Requirement

    try:
        requirements = [Requirement(text) for text in metadata.requires("labkit") or []]
    except metadata.PackageNotFoundError:
        return set()
    kept = {r.name.lower() for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})}
    return kept | {"ipykernel"}


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _course() -> tuple[str, str, str]:
    try:
        folder = course_dir()
    except LabkitError as error:
        return WRONG, "not found", str(error)
    built = len(list((folder / "notebooks").glob("[0-9][0-9]_*.ipynb")))
    sources = len(list((folder / "notebooks" / "src").glob("[0-9][0-9]_*.py")))
    if built < sources:
        return WARNING, f"{folder}: {built} of {sources} lessons built", "Run: labkit build"
    return GOOD, f"{folder}: {_count(built, 'lesson')}", ""


def _cores() -> tuple[str, str, str]:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count < 2:
        return WARNING, "1 core", "Lessons take up to twice their minutes; run batches with --workers 1."
    return GOOD, f"{count} cores", ""


def _memory() -> tuple[str, str, str]:
    import psutil

    free, total = psutil.virtual_memory().available, psutil.virtual_memory().total
    limit = _container_limit()
    if limit is not None and limit[1] < total:  # Binder: the machine's memory is not ours
        free, total = min(free, limit[0]), limit[1]
    detail = f"{free / 1e9:.1f} GB free of {total / 1e9:.1f} GB"
    advice = "Close other programs and other notebooks' kernels; run batches with --workers 1."
    status = WRONG if free < NEEDED_MEMORY else WARNING if free < ENOUGH_MEMORY else GOOD
    return status, detail, "" if status == GOOD else advice


def _container_limit() -> tuple[int, int] | None:
    """(free, limit) in bytes of the control group that we run in, if it has a limit."""
    pairs = (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    )
    for limit_path, used_path in pairs:
        try:
            limit = int(Path(limit_path).read_text(encoding="ascii"))  # "max" is no number
            return max(0, limit - int(Path(used_path).read_text(encoding="ascii"))), limit
        except (OSError, ValueError):
            continue
    return None


def _disk() -> tuple[str, str, str]:
    places = {"course": course_dir(), "cache": cache_dir()}
    status, details = GOOD, []
    for name, place in places.items():
        while not place.exists():
            place = place.parent
        free = shutil.disk_usage(place).free
        details.append(f"{free / 1e9:.1f} GB free ({name})")
        if free < ENOUGH_DISK:
            status = WRONG if free < NEEDED_DISK or status == WRONG else WARNING
    advice = "Free some space; LABKIT_CACHE moves downloads to another disk."
    return status, ", ".join(details), "" if status == GOOD else advice


def _device() -> tuple[str, str, str]:
    asked = os.environ.get("LABKIT_DEVICE")
    if find_spec("torch") is None:
        return WRONG, "torch is not installed", "python -m pip install -r requirements.lock"
    import torch

    if torch.cuda.is_available():
        found = f"cuda ({torch.cuda.get_device_name(0)})"
    elif torch.backends.mps.is_available():
        found = "mps (Apple GPU)"
    else:
        found = "cpu"
    use = "the course needs no more" if found == "cpu" else "used in full mode; class mode runs on the cpu"
    if asked and asked.partition(":")[0] not in ("cpu", found.partition(" ")[0]):
        return WRONG, f"{found}, but LABKIT_DEVICE asks for {asked}", "Unset LABKIT_DEVICE."
    return GOOD, f"{found}; torch {torch.__version__}; {use}", ""


def _font() -> tuple[str, str, str]:
    found = _cjk_fonts()
    if found:
        return GOOD, _listed(found[:2]), ""
    advice = FONT_ADVICE.get(platform.system(), FONT_ADVICE["Linux"])
    return WARNING, "none found: Chinese text in figures shows boxes", advice


def _cjk_fonts() -> list[str]:
    if shutil.which("fc-list"):  # faster than matplotlib, which reads every font file the first time
        listed = subprocess.run(
            ["fc-list", ":lang=zh", "family"], capture_output=True, text=True, encoding="utf-8", timeout=10
        )
        families = {line.partition(",")[0].strip() for line in listed.stdout.splitlines() if line.strip()}
        if families:
            return sorted(families)
    from matplotlib import font_manager

    families = {entry.name for entry in font_manager.fontManager.ttflist}
    return sorted(family for family in families if family.startswith(CJK_FONTS))


def _sound() -> tuple[str, str, str]:
    try:
        import soundfile
    except ImportError:
        return WARNING, "soundfile is not installed", "python -m pip install soundfile (lesson 11 needs it)"
    except OSError as error:  # the wheel for this system brings no libsndfile
        advice = "Install libsndfile: sudo apt install libsndfile1, or brew install libsndfile."
        return WARNING, f"soundfile finds no libsndfile ({error})", advice
    return GOOD, f"soundfile {soundfile.__version__}, libsndfile {soundfile.__libsndfile_version__}", ""


def _kernel() -> tuple[str, str, str]:
    if find_spec("ipykernel") is None or find_spec("jupyter_client") is None:
        return WRONG, "ipykernel is not installed", "python -m pip install -r requirements.lock"
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    install = "python -m ipykernel install --sys-prefix --name python3"
    try:
        kernel = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return WRONG, "no kernel named python3", install
    interpreter = kernel.argv[0]
    if interpreter in ("python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        return GOOD, f"python3 in {kernel.resource_dir or sys.prefix}, this interpreter", ""
    return _foreign_kernel(interpreter, json.dumps(kernel.argv[:3]), install)


def _foreign_kernel(interpreter: str, argv: str, install: str) -> tuple[str, str, str]:
    """A kernel that names its interpreter: it may be ours, another with labkit, or none at all."""
    try:
        answer = subprocess.run(
            [interpreter, "-c", KERNEL_PROBE], capture_output=True, text=True, encoding="utf-8", timeout=20
        )
        prefix, has_labkit = answer.stdout.split("\n")[:2]
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return WRONG, f"python3 starts {argv}, which does not run", install
    if has_labkit.strip() != "True":
        return WRONG, f"python3 starts {interpreter}, where labkit is not installed", install
    if Path(prefix.strip()).resolve() != Path(sys.prefix).resolve():
        return WARNING, f"python3 starts {interpreter}, not this Python ({sys.executable})", install
    return GOOD, f"python3 starts {interpreter}", ""


def _encoding() -> tuple[str, str, str]:
    encoding = locale.getpreferredencoding(False)
    screen = getattr(sys.stdout, "encoding", None) or "none"
    detail = f"files {encoding}, screen {screen}"
    if encoding.lower().replace("-", "") == "utf8":
        return GOOD, detail, ""
    how = "set PYTHONUTF8=1" if os.name == "nt" else "export LANG=C.UTF-8"
    return (
        WARNING,
        f"{detail}: your own code may garble Chinese text",
        f"{how} (labkit's own files are always UTF-8)",
    )
