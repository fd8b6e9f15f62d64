"""Small GPTs for tests, with weights that hide no fault."""

from __future__ import annotations

import torch

from labkit.text.gpt import GPT
from labkit.text.gpt_config import GPTConfig


def drawn_gpt(config: GPTConfig, seed: int = 0) -> GPT:
    """A GPT whose norms are not all ones and whose matrices are not small, for evaluation."""
    torch.manual_seed(seed)
    model = GPT(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # Weights of ones would hide a norm that is forgotten; small ones would hide attention.
            scale = 0.3 if parameter.ndim == 1 else 0.05
            parameter.add_(scale * torch.randn_like(parameter))
    return model.eval()
