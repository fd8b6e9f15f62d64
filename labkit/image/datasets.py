"""Sets of 28x28 pictures with captions: drawn scenes, real digits, MNIST and Fashion-MNIST by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit import data
from labkit.common import LANGUAGES, LabkitError
from labkit.image import captions as words
from labkit.image import scenes as drawing
from labkit.image.scenes import PICTURE_SIZE

if TYPE_CHECKING:
    from torch import Tensor

DIGIT_SPLIT_SEED = 0  # that of labkit.data.load_digits: a digit of the test part is never trained on
PUBLISHED_SPLITS = ("train", "test")


@dataclass(frozen=True, eq=False)
class PictureSet:
    """Pictures with their captions, and what is known of them.

    ``pictures`` is uint8 (N, 28, 28, 3). ``facts`` are the whole facts behind each picture (scenes), ``said`` those
    that its caption states. ``labels`` are int64 (N,) and index ``label_names`` (digits, MNIST). What a set does not
    have is None. Raises LabkitError where lengths or shapes do not fit together.
    """

    pictures: np.ndarray
    captions: list[str]
    facts: list[drawing.Scene] | None = None
    said: list[drawing.Scene] | None = None
    labels: np.ndarray | None = None
    label_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = (len(self.captions), PICTURE_SIZE, PICTURE_SIZE, 3)
        if self.pictures.dtype != np.uint8 or self.pictures.shape != expected:
            found = f"{self.pictures.dtype} {self.pictures.shape}"
            raise LabkitError(f"PictureSet.pictures is {found}, not uint8 {expected}, one for each caption.")
        for name in ("facts", "said", "labels"):
            column = getattr(self, name)
            if column is not None and len(column) != len(self.captions):
                raise LabkitError(f"PictureSet.{name} has {len(column)} entries for {len(self)} pictures.")

    def __len__(self) -> int:
        return len(self.captions)

    def __getitem__(self, index: int | slice | Sequence[int] | np.ndarray) -> PictureSet:
        """The set of the chosen pictures: one by its number, a slice, a list of numbers, or a mask."""
        chosen = np.arange(len(self))[index]
        chosen = chosen.reshape(-1)

        def pick(column: list | None) -> list | None:
            return None if column is None else [column[i] for i in chosen]

        labels = None if self.labels is None else self.labels[chosen]
        captions, facts, said = pick(self.captions), pick(self.facts), pick(self.said)
        return PictureSet(self.pictures[chosen], captions, facts, said, labels, self.label_names)

    def tensor(self, channels: int = 3) -> Tensor:
        """float32 (N, channels, 28, 28) in [-1, 1]. With ``channels=1`` only of pictures without colour."""
        pictures = self.pictures
        if channels not in (1, 3):
            raise LabkitError(f"channels is {channels!r}. Give 3 for RGB, or 1 for grey pictures.")
        if channels == 1 and (pictures != pictures[..., :1]).any():
            raise LabkitError(
                "These pictures have colours: tensor(channels=1) would lose them. Leave it at 3."
            )
        return to_tensor(pictures[..., :channels])


def to_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 (N, 28, 28, C) as float32 (N, C, 28, 28) in [-1, 1]."""
    import torch

    channels_first = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    return torch.from_numpy(channels_first).float().div_(127.5).sub_(1)


def to_uint8(pictures: Tensor) -> np.ndarray:
    """float (N, C, 28, 28) as uint8 (N, 28, 28, 3); what lies outside [-1, 1] is cut off, grey becomes RGB."""
    levels = pictures.detach().cpu().float().clamp(-1, 1).add(1).mul(127.5).round()
    return np.ascontiguousarray(levels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy().astype(np.uint8))


def scene_pictures(
    count: int,
    seed: int,
    split: str = "train",
    language: str = "both",
    objects: int | None = None,
    missing: float = 0.0,
) -> PictureSet:
    """``count`` scenes of ``scenes.sample_scenes``, drawn, with a caption each.

    ``language`` is "en", "zh" or "both" (by chance); captions leave out facts with probability ``missing``.
    """
    _check_language(language)
    facts = drawing.sample_scenes(count, seed, split, objects)
    pictures = drawing.render_scenes(facts, drawing.split_generator(seed, split, "drawings"))
    captions, said = words.write_all(
        facts, language, drawing.split_generator(seed, split, "captions"), missing
    )
    return PictureSet(pictures, captions, facts, said)


def digit_pictures(split: str = "train", seed: int = 0, language: str = "both") -> PictureSet:
    """scikit-learn's real handwritten digits at 28x28, white on black, each with a caption: 1,437 for training, 360
    for the test. The split is fixed; ``seed`` chooses the wording of the captions only.

    The 8x8 digits are enlarged threefold by cubic interpolation, which leaves a margin of two pixels.
    """
    _check_split(split)
    _check_language(language)
    digits = data.load_digits(seed=DIGIT_SPLIT_SEED)
    inputs, labels = (digits.train_x, digits.train_y) if split == "train" else (digits.test_x, digits.test_y)
    grey = _enlarge_digits(inputs.reshape(-1, 8, 8))
    return _labelled(grey, labels.numpy(), *NAMED["mnist"], seed, split, language)


def named_pictures(
    name: str, split: str = "train", seed: int = 0, language: str = "both", count: int | None = None
) -> PictureSet:
    """MNIST ("mnist") or Fashion-MNIST ("fashion-mnist") with captions, split as published; from ``LABKIT_DATA`` or
    from the public origin, as ``labkit.data.get`` does. ``count`` takes that many, chosen by ``seed``.
    """
    if name not in NAMED:
        raise LabkitError(f"There are no pictures {name!r}. By name there are: {', '.join(NAMED)}.")
    _check_split(split)
    _check_language(language)
    write, label_names = NAMED[name]
    published = data.load(name)
    grey, labels = published[:2] if split == "train" else published[2:]
    if count is not None:
        if (
            isinstance(count, bool)
            or not isinstance(count, int | np.integer)
            or not 0 <= count <= len(labels)
        ):
            raise LabkitError(f"count is {count!r}. Give a whole number from 0 to {len(labels)}.")
        chosen = drawing.split_generator(seed, split, name).choice(len(labels), count, replace=False)
        grey, labels = grey[chosen], labels[chosen]
    return _labelled(grey, labels, write, label_names, seed, split, language)


NAMED: dict[str, tuple[Callable[[int, str, np.random.Generator], str], tuple[str, ...]]] = {
    "mnist": (words.write_digit, words.DIGIT_NAMES["en"]),
    "fashion-mnist": (words.write_clothes, words.CLOTHES_NAMES["en"]),
}


def _labelled(
    grey: np.ndarray,
    labels: np.ndarray,
    write: Callable[[int, str, np.random.Generator], str],
    label_names: tuple[str, ...],
    seed: int,
    split: str,
    language: str,
) -> PictureSet:
    """Grey pictures (N, 28, 28) with captions of their labels."""
    rng = drawing.split_generator(seed, split, "labels")
    languages = [language] * len(labels)
    if language == "both":
        languages = [LANGUAGES[choice] for choice in rng.integers(len(LANGUAGES), size=len(labels))]
    captions = [write(int(label), of, rng) for label, of in zip(labels, languages, strict=True)]
    pictures = np.repeat(grey[..., None], 3, axis=-1)
    return PictureSet(pictures, captions, labels=labels, label_names=label_names)


def _enlarge_digits(digits: Tensor) -> np.ndarray:
    """(N, 8, 8) in [0, 1] as uint8 (N, 28, 28)."""
    from torch.nn import functional

    # Convolution over the nearest 4x4 pixels: empty parts stay empty, where a spline would ripple.
    framed = functional.pad(digits[:, None], (1, 1, 1, 1))  # (N, 1, 10, 10): a stroke at the edge ends softly
    large = functional.interpolate(framed, scale_factor=3, mode="bicubic").clamp(0, 1)  # (N, 1, 30, 30)
    grey = large[:, 0, 1:-1, 1:-1]
    return grey.mul(255).round().numpy().astype(np.uint8)


def _check_split(split: str) -> None:
    if split not in PUBLISHED_SPLITS:
        raise LabkitError(f"split is {split!r}. Set it to one of: {', '.join(PUBLISHED_SPLITS)}.")


def _check_language(language: Any) -> None:
    if language not in (*LANGUAGES, "both"):
        raise LabkitError(f"language is {language!r}. Set it to one of: {', '.join(LANGUAGES)}, both.")
