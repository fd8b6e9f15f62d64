"""Self-supervised objectives over packed batches: masked tokens and denoising of spans, beside the next token."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.text.training import IGNORE

Batches = Callable[[int], tuple[Tensor, Tensor]]


class MaskedBatches:
    """Masked tokens: of each window ``share`` of the tokens are to be found again (Devlin et al. 2019, section 3.1).

    Of the chosen, 80 % show the mask, 10 % a random token and 10 % themselves; all others have the target -100. For
    a GPT with ``attention="full"``. ``batches(step)`` is (inputs (B, T), targets (B, T)), pure in (seed, step).
    """

    def __init__(self, batches: Batches, mask_id: int, vocab_size: int, share: float = 0.15, seed: int = 0):
        if not 0 < share < 1:
            raise LabkitError(f"share is {share!r}. Give a number between 0 and 1.")
        self.batches, self.mask_id, self.vocab_size = batches, mask_id, vocab_size
        self.share, self.seed = share, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        tokens, _ = self.batches(step)
        rng = np.random.default_rng((self.seed, step))
        chosen = torch.from_numpy(rng.random(tokens.shape) < self.share)
        fate = torch.from_numpy(rng.random(tokens.shape))
        other = torch.from_numpy(rng.integers(self.vocab_size, size=tokens.shape))
        inputs = torch.where(chosen & (fate < 0.8), self.mask_id, tokens)
        inputs = torch.where(chosen & (fate >= 0.9), other, inputs)
        return inputs, tokens.masked_fill(~chosen, IGNORE)


class SpanBatches:
    """Denoising: spans are cut out of a window, and told after it (Raffel et al. 2020, arXiv:1910.10683, section 3.1.4).

    ``share`` of the tokens go, in spans of ``mean_length`` on average. The row reads: text with one mask for each
    span, end token, then for each span a mask and its tokens, and a mask as the end. Only what comes after the end
    token is scored, so that an ordinary causal GPT learns it. ``batches(step)`` is (inputs, targets), both
    (B, T + 2 spans + 1), pure in (seed, step).
    """

    def __init__(
        self,
        batches: Batches,
        mask_id: int,
        eos_id: int,
        share: float = 0.15,
        mean_length: float = 3.0,
        seed: int = 0,
    ):
        if not 0 < share < 1:
            raise LabkitError(f"share is {share!r}. Give a number between 0 and 1.")
        if mean_length < 1:
            raise LabkitError(f"mean_length is {mean_length!r}. Give a number from 1.")
        self.batches, self.mask_id, self.eos_id = batches, mask_id, eos_id
        self.share, self.mean_length, self.seed = share, mean_length, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        tokens, _ = self.batches(step)
        rng = np.random.default_rng((self.seed, step))
        rows = []
        for row in tokens.tolist():
            corrupted, told = corrupt_spans(
                row, random_spans(len(row), self.share, self.mean_length, rng), self.mask_id
            )
            rows.append((len(corrupted), [*corrupted, self.eos_id, *told]))
        whole = torch.tensor([row for _, row in rows])  # (B, T + 2 spans + 2)
        targets = whole[:, 1:].clone()
        for target, (length, _) in zip(targets, rows, strict=True):
            target[:length] = IGNORE
        return whole[:, :-1], targets


def random_spans(
    length: int, share: float, mean_length: float, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Spans (start, end) in 0 ... length: ``share`` of it in all, none touching another, none at the very start."""
    removed = min(max(round(length * share), 1), length - 1)
    count = min(max(round(removed / mean_length), 1), removed, length - removed)
    if count < 1:
        raise LabkitError(f"{length} tokens are too few to cut a span out of.")
    # What is kept lies before each span, at least one token, and after the last, perhaps none.
    kept_parts, removed_parts = _parts(length - removed + 1, count + 1, rng), _parts(removed, count, rng)
    spans, position = [], 0
    for kept, gone in zip(kept_parts[:-1], removed_parts, strict=True):
        spans.append((position + kept, position + kept + gone))
        position += kept + gone
    return spans


def _parts(total: int, count: int, rng: np.random.Generator) -> list[int]:
    """``total`` as a sum of ``count`` whole numbers from 1, each way equally likely."""
    cuts = np.sort(rng.choice(total - 1, count - 1, replace=False)) + 1 if count > 1 else np.array([], int)
    return np.diff([0, *cuts, total]).tolist()


def corrupt_spans(
    tokens: list[int], spans: list[tuple[int, int]], mask_id: int
) -> tuple[list[int], list[int]]:
    """(tokens with a mask in place of each span, mask and tokens of each span, and a mask as the end)."""
    corrupted, told, position = [], [], 0
    for start, end in spans:
        corrupted += [*tokens[position:start], mask_id]
        told += [mask_id, *tokens[start:end]]
        position = end
    return [*corrupted, *tokens[position:]], [*told, mask_id]
