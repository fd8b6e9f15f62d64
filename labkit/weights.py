"""Weights with their card: what they are, how to make them again, and a checksum that is tested on loading."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit import files
from labkit.common import LabkitError, data_dir

if TYPE_CHECKING:
    from torch import Tensor, nn

SUFFIX = ".safetensors"
DESCRIPTION = "description"  # beside the tensors of ``pack``: JSON in bytes


@dataclass(frozen=True)
class Card:
    """Where weights come from and what they are worth.

    ``save`` fills in ``sha256`` (of the weights' file) and ``parameters`` (numbers in all tensors together).
    """

    command: str  # makes these weights again
    seed: int
    data: str  # name of the data set and split
    seconds: float  # wall time of training
    metrics: Mapping[str, float]  # on held-out data
    notes: str = ""
    parameters: int = 0
    sha256: str = ""

    def __post_init__(self) -> None:
        for name in ("command", "data"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise LabkitError(f"The card's {name} is {value!r}. Say it in words.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise LabkitError(f"The card's seed is {self.seed!r}. Give a whole number.")
        if not _is_number(self.seconds) or self.seconds < 0:
            raise LabkitError(f"The card's seconds is {self.seconds!r}. Give the wall time of training.")
        if not isinstance(self.metrics, Mapping) or not self.metrics:
            raise LabkitError(f"The card's metrics is {self.metrics!r}. Name at least one held-out figure.")
        for name, value in self.metrics.items():
            if not _is_number(value):
                raise LabkitError(f"The card's metric {name!r} is {value!r}. Give a finite number.")


def card_path(path: Path | str) -> Path:
    """The card of the weights at ``path``: ``digits.safetensors`` has ``digits.json``."""
    return Path(path).with_suffix(".json")


def train_command(name: str, device: str = "cpu") -> str:
    """The command that makes the weights of this name again, for their card."""
    return f"labkit train {name}" + ("" if device == "cpu" else f" --device {device}")


def shipped_path(name: str, suffix: str = SUFFIX) -> Path:
    """Where the course keeps the weights of this name, whether they are there or not."""
    return data_dir() / "weights" / f"{name}{suffix}"


def find_shipped(name: str, suffix: str = SUFFIX) -> Path:
    """Where the weights of this name are; LabkitError with what to do where they are not."""
    path = shipped_path(name, suffix)
    if not path.exists():
        raise LabkitError(
            f"{path} is not there. Get the course's data folder again, or run: {train_command(name)}"
        )
    return path


def pack(model: nn.Module, described: Mapping[str, Any]) -> dict[str, Tensor]:
    """The model's tensors in float16, and beside them what it takes to build the model again (for JSON)."""
    import torch

    text = json.dumps(described, ensure_ascii=False).encode()
    tensors = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    return tensors | {DESCRIPTION: torch.tensor(list(text), dtype=torch.uint8)}


def unpack(tensors: Mapping[str, Tensor], kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What ``pack`` was given: the description, and the model's state in float32. ``kind`` says of what it should be."""
    if DESCRIPTION not in tensors:
        raise LabkitError(f"These weights have no {DESCRIPTION}: they are not those of a {kind}.")
    described = json.loads(bytes(tensors[DESCRIPTION].tolist()).decode())
    return described, {name: tensor.float() for name, tensor in tensors.items() if name != DESCRIPTION}


def save(path: Path | str, tensors: Mapping[str, Tensor], card: Card) -> Card:
    """Write ``tensors`` to ``path`` (``.safetensors``) and the card beside it; returns the card as written.

    Equal tensors give an equal file. A kill between the two files leaves weights that do not match their
    card; ``load`` then says so.
    """
    path = _checked_path(path)
    if not tensors:
        raise LabkitError(f"There are no tensors to save in {path}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.save_tensors(path, tensors, {})
        parameters = sum(tensor.numel() for tensor in tensors.values())
        card = replace(card, sha256=files.sha256_of(path), parameters=parameters)
        text = json.dumps(asdict(card), ensure_ascii=False, allow_nan=False, indent=2)
        files.atomic_write_text(card_path(path), text + "\n")
    except OSError as error:
        raise LabkitError(f"The weights cannot be written to {path}: {error.strerror or error}.") from error
    return card


def load(path: Path | str) -> tuple[dict[str, Tensor], Card]:
    """The tensors (on the CPU) and the card of the weights at ``path``, after checking one against the other.

    Raises LabkitError when weights or card are missing, damaged, or do not belong together.
    """
    path = _checked_path(path)
    if not path.exists():
        known = sorted(other.name for other in path.parent.glob(f"*{SUFFIX}"))
        there = f"In that folder: {', '.join(known)}." if known else "The folder holds no weights."
        raise LabkitError(f"There are no weights at {path}. {there} Train them instead, or check the name.")
    card = read_card(path)
    again = f"Make the weights again with: {card.command}"
    if files.sha256_of(path) != card.sha256:
        raise LabkitError(
            f"{path} does not match its card (SHA-256): it was changed, or only half of it was fetched (a file of "
            f"a few lines that mentions git-lfs means: git lfs pull). {again}"
        )
    try:
        tensors, _ = files.load_tensors(path)
    except ValueError as error:
        raise LabkitError(f"{path} cannot be used: {error}. {again}") from error
    return tensors, card


def read_card(path: Path | str) -> Card:
    """The card of the weights at ``path``, without loading them."""
    place = card_path(path)
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabkitError(
            f"The weights {path} have no card {place.name}. Without it nobody can tell what they are: fetch it "
            "too, or train the weights again."
        ) from None
    except (OSError, ValueError) as error:
        raise LabkitError(f"The card {place} cannot be read: {error}. Fetch it again.") from error
    names = {f.name for f in fields(Card)}
    if not isinstance(values, dict) or set(values) != names:
        found = sorted(values) if isinstance(values, dict) else type(values).__name__
        raise LabkitError(f"The card {place} should hold {sorted(names)}, and holds {found}. Fetch it again.")
    return Card(**values)


def _checked_path(path: Path | str) -> Path:
    path = Path(path)
    if path.suffix != SUFFIX:
        raise LabkitError(f"Weights are kept in {SUFFIX} files, and {path.name} is not one.")
    return path


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
