"""Beam search: keep the few likeliest beginnings instead of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.text.decoders import Decoder, Prompts

NEVER = -1e9  # a score that no text has


def beam_search(
    decoder: Decoder,
    prompts: Prompts,
    max_new_tokens: int,
    num_beams: int,
    length_penalty: float = 1.0,
    stop_ids: Sequence[int] = (),
) -> list[list[int]]:
    """The finished text of the highest score for each prompt: sum of log p(token) / length^length_penalty.

    Length counts the new tokens, the stop id included; the stop id is not given back. A positive penalty
    favours long texts, a negative one short ones (Wu et al. 2016, arXiv:1609.08144, sec. 7, with length^alpha
    alone). As transformers does with ``early_stopping=False``: a text that ends among the ``num_beams`` best
    candidates of its step is finished; a row ends when its best running beam, scored at its present length,
    is no better than the worst of ``num_beams`` finished ones. Each row is searched alone.
    """
    logits = decoder.start(prompts, max_new_tokens)
    N, V, k = len(prompts), logits.shape[1], num_beams
    if logits.isnan().any():
        raise LabkitError(
            "The model's logits are not numbers (NaN): its weights are broken. Train it anew, or load it."
        )
    wrong = [one for one in stop_ids if not 0 <= one < V]
    if wrong:
        raise LabkitError(f"stop_ids holds {wrong[0]!r}, which is no token of a vocabulary of {V}.")
    if k > V:
        raise LabkitError(f"num_beams must be at most the vocabulary of {V}, and is {k}.")
    device = logits.device
    first = torch.arange(N, device=device).repeat_interleave(k)
    decoder.reorder(first)
    logits = logits.index_select(0, first)  # (N * k, V)
    ends = torch.zeros(V, dtype=torch.bool, device=device)
    ends[list(stop_ids)] = True
    # Enough candidates that k of them go on, should each beam try every stop id.
    candidates = min(max(2, 1 + len(stop_ids)) * k, k * V)
    offset = torch.arange(N, device=device)[:, None] * k

    running = torch.zeros(N, k, max_new_tokens, dtype=torch.long, device=device)
    running_scores = torch.full((N, k), NEVER, device=device)
    running_scores[:, 0] = 0  # all beams are equal at first: go on from one of them
    texts, lengths = running.clone(), torch.zeros(N, k, dtype=torch.long, device=device)
    scores = torch.full((N, k), NEVER, device=device)
    finished = torch.zeros(N, k, dtype=torch.bool, device=device)
    open_rows = torch.ones(N, 1, dtype=torch.bool, device=device)
    for place in range(max_new_tokens):
        length = place + 1
        totals = logits.float().log_softmax(-1).view(N, k, V) + running_scores[:, :, None]
        best, index = totals.view(N, k * V).topk(candidates)  # (N, candidates)
        beam, token = index // V, index % V
        extended = _rows(running, beam)
        extended[:, :, place] = token
        ended = ends[token] if length < max_new_tokens else torch.ones_like(token, dtype=torch.bool)

        counts = ended & open_rows
        counts[:, k:] = False  # what is worse than the k best is only there to go on with
        merged = torch.cat((scores, torch.where(counts, best / length**length_penalty, NEVER)), 1)
        scores, kept = merged.topk(k)
        texts = _rows(torch.cat((texts, extended), 1), kept)
        lengths = torch.cat((lengths, torch.full_like(token, length)), 1).gather(1, kept)
        finished = torch.cat((finished, counts), 1).gather(1, kept)

        going, kept = torch.where(ended, best + NEVER, best).topk(k)
        running, running_scores = _rows(extended, kept), going
        worst = torch.where(finished, scores.amin(1, keepdim=True), NEVER)
        open_rows = open_rows & (running_scores[:, :1] / length**length_penalty > worst).any(1, keepdim=True)
        if length == max_new_tokens or not open_rows.any():
            break
        decoder.reorder((beam.gather(1, kept) + offset).flatten())
        logits = decoder.step(token.gather(1, kept).flatten())
    found = texts[:, 0].tolist()
    rows = [row[:length] for row, length in zip(found, lengths[:, 0].tolist(), strict=True)]
    return [row[:-1] if row and row[-1] in set(stop_ids) else row for row in rows]


def by_length(
    items: Sequence[Any],
    search: Callable[[list[Any]], Sequence[Any]],
    at_once: int,
    length: Callable[[Any], int] = len,
) -> list[Any]:
    """What ``search`` finds for the items, ``at_once`` of about the same length together: less padding and memory."""
    order = sorted(range(len(items)), key=lambda place: length(items[place]))
    found: dict[int, Any] = {}
    for start in range(0, len(order), at_once):
        places = order[start : start + at_once]
        found |= zip(places, search([items[place] for place in places]), strict=True)
    return [found[place] for place in range(len(items))]


def _rows(tensor: Tensor, indices: Tensor) -> Tensor:
    """(N, beams, T) -> (N, chosen, T)."""
    return tensor.gather(1, indices[:, :, None].expand(-1, -1, tensor.shape[2]))
