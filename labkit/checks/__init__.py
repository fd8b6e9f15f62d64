"""Exercise checks that name the misconception: check(), hint(), solution()."""

from labkit.checks.core import CheckResult, Exercise, Mistake, Text, check, hint, solution

__all__ = ["CheckResult", "Exercise", "Mistake", "Text", "check", "hint", "solution"]
