"""Helper package of the course on programming large models."""

__version__ = "0.1.0"
