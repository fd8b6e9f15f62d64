"""From captions to pictures: a trained model with its vocabulary, whichever kind it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from labkit.common import MAX_SEED, LabkitError
from labkit.image.captions import Vocabulary, split_words
from labkit.image.cgan import Generator
from labkit.image.flow import Flow, picture_noise, sample
from labkit.image.text_encoder import Encoded


@dataclass(frozen=True, eq=False)
class TextToImage:
    """A generator (``Generator`` or ``Flow``) and the words that it was trained on.

    ``steps``, ``guidance`` and ``shift`` are what ``generate`` takes when it is told nothing; a GAN has none.
    """

    model: Generator | Flow
    vocabulary: Vocabulary
    steps: int | None = None
    guidance: float | None = None
    shift: float = 1.0

    def __post_init__(self) -> None:
        size = self.model.config.text.vocab_size
        if len(self.vocabulary) != size:
            raise LabkitError(
                f"The vocabulary has {len(self.vocabulary)} words and the model {size}: they do not belong together."
            )

    def generate(
        self,
        captions: Sequence[str],
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
        *,
        solver: str = "euler",
        shift: float | None = None,
        batch_size: int = 64,
    ) -> Tensor:
        """One picture for each caption: float32 (N, 3, 28, 28) in [-1, 1].

        Picture i of a seed starts from the same noise whatever the captions and however many there are. Raises
        LabkitError for no captions, for one without any word that the model knows, and for ``steps`` and
        ``guidance`` that the model cannot follow. Of a caption with some unknown words it sees that there are
        some (``unknown_words``), and draws by the others.
        """
        tokens = self.encode(captions)
        options = self._options(steps, guidance, solver, shift)
        parts = []
        for first in range(0, len(tokens), batch_size):
            text = self.read(tokens[first : first + batch_size])
            noise = self.noise(len(text), seed, first)
            parts.append(self.draw(text, noise, **options))
        return torch.cat(parts)

    def unknown_words(self, caption: str) -> tuple[str, ...]:
        """The words of a caption that the model never saw."""
        return self.vocabulary.unknown_words(caption)

    def encode(self, captions: Sequence[str]) -> Tensor:
        """Token ids (N, T) of captions that say something to the model."""
        if isinstance(captions, str):
            raise LabkitError("generate takes a list of captions. Put the caption in brackets: [caption].")
        if not len(captions):
            raise LabkitError("There are no captions. Give at least one.")
        for caption in captions:
            self._check(caption)
        return self.vocabulary.encode(list(captions))

    @torch.no_grad()
    def read(self, tokens: Tensor) -> Encoded:
        """The vectors of token ids (B, T)."""
        self.model.eval()
        return self.model.text(tokens.to(self._device))

    def noise(self, count: int, seed: int = 0, first: int = 0) -> Tensor:
        """What the pictures ``first``, ``first`` + 1, ... of a seed start from: (count, Z), or (count, C, 28, 28)."""
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MAX_SEED:
            raise LabkitError(f"seed is {seed!r}. Give an integer from 0 to {MAX_SEED}.")
        config = self.model.config
        shape = (
            (config.noise_size,)
            if isinstance(self.model, Generator)
            else (config.network.picture_channels, 28, 28)
        )
        return picture_noise(count, int(seed), shape, first).to(self._device)

    @torch.no_grad()
    def draw(self, text: Encoded, noise: Tensor, **options) -> Tensor:
        """Pictures (B, 3, 28, 28) of captions' vectors from noise; ``options`` are those of ``flow.sample``."""
        self.model.eval()
        if isinstance(self.model, Generator):
            pictures = self.model(noise, text)
        else:
            pictures = sample(self.model, text, noise, **options)
        return pictures.expand(-1, 3, -1, -1).cpu()

    def latent_walk(
        self, caption: str, seeds: Sequence[int], between: int = 5, **options
    ) -> Iterator[Tensor]:
        """Pictures (3, 28, 28) of one caption, from the noise of one seed to that of the next in ``between`` steps.

        The noise goes along the arc of a great circle (Shoemake 1985), since on the straight line between two
        draws it would be weaker than any draw.
        """
        if len(seeds) < 2:
            raise LabkitError("A walk needs two seeds or more.")
        text = self.read(self.encode([caption]))
        options = self._options(
            **({"steps": None, "guidance": None, "solver": "euler", "shift": None} | options)
        )
        for start, end in pairwise(seeds):
            ends = self.noise(1, start), self.noise(1, end)
            for i in range(between):
                yield self.draw(text, on_the_arc(*ends, i / between), **options)[0]
        yield self.draw(text, self.noise(1, seeds[-1]), **options)[0]

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _check(self, caption: object) -> None:
        if not isinstance(caption, str):
            raise LabkitError(f"A caption is {caption!r}. Give text.")
        words = split_words(caption)
        unknown = set(self.unknown_words(caption))
        if not words:
            raise LabkitError(f"The caption {caption!r} has no words. Say what to draw.")
        if unknown.issuperset(words):
            raise LabkitError(
                f"The model never saw any word of {caption!r}: {', '.join(dict.fromkeys(words))}. It knows "
                f"{len(self.vocabulary.words)} words, among them: {', '.join(self.vocabulary.words[:12])}."
            )

    def _options(self, steps: int | None, guidance: float | None, solver: str, shift: float | None) -> dict:
        if isinstance(self.model, Generator):
            if steps is not None or guidance is not None:
                raise LabkitError("A GAN draws in one pass, without guidance: leave steps and guidance out.")
            return {}
        steps = self.steps if steps is None else steps
        guidance = self.guidance if guidance is None else guidance
        return {
            "steps": 8 if steps is None else steps,
            "guidance": 1 if guidance is None else guidance,
            "solver": solver,
            "shift": self.shift if shift is None else shift,
        }


def on_the_arc(start: Tensor, end: Tensor, share: float) -> Tensor:
    """The noise at ``share`` of the arc from ``start`` to ``end``, both of the same shape (1, ...)."""
    cosine = torch.cosine_similarity(start.flatten(), end.flatten(), dim=0).clamp(-1, 1)
    angle = cosine.arccos()
    if angle < 1e-3:
        return torch.lerp(start, end, share)
    return (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin()
