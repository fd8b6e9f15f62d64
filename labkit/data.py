"""Data sets by name: from scikit-learn, from a local folder, or from their public origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Digits(NamedTuple):
    """Handwritten digits, split: inputs float32 in [0, 1], labels int64 in 0..9."""

    train_x: Tensor  # (N, 64), or (N, 1, 8, 8) as images
    train_y: Tensor  # (N,)
    test_x: Tensor
    test_y: Tensor


def load_digits(seed: int = 0, test_size: int | float = 0.2, as_images: bool = False) -> Digits:
    """The 1,797 real handwritten digits of scikit-learn, 8x8 pixels, split by ``seed``, every digit in
    proportion in both parts.

    ``test_size`` is a number of images or a share; the default leaves 1,437 images for training and 360 for
    the test. Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository (1998), https://doi.org/10.24432/C50P49, its test part; CC BY 4.0.
    """
    import torch
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    pixels, labels = datasets.load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels / 16.0, labels, test_size=test_size, random_state=seed, stratify=labels
    )
    shape = (-1, 1, 8, 8) if as_images else (-1, 64)

    def inputs(values) -> Tensor:
        return torch.tensor(values, dtype=torch.float32).reshape(shape)

    def targets(values) -> Tensor:
        return torch.tensor(values, dtype=torch.int64)

    return Digits(inputs(train_x), targets(train_y), inputs(test_x), targets(test_y))
