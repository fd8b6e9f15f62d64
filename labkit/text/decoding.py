"""From a model's logits to text: greedy, sampling and beam search, stop strings, streaming, batches of prompts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.text.beams import beam_search
from labkit.text.decoders import Prompts, max_positions, open_decoder, vocabulary_size

if TYPE_CHECKING:
    from labkit.text.tokenizer import Tokenizer

REPLACEMENT = "\ufffd"  # what decoding shows for bytes that are no whole character yet
CONTEXT_TOKENS = (
    4  # that TextStream decodes again before a new one: some tokenizers join words only inside a text
)
WINDOW_TOKENS = 32
NOTHING = -1  # no token


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. The steps apply in this order, each to what the one before left:

    1. ``repetition_penalty`` r > 0: the logit z of each token of the prompt or of the text so far becomes z / r
       if z > 0, else z * r (Keskar et al. 2019, arXiv:1909.05858, sec. 4.1; both signs as in transformers).
    2. ``temperature`` t > 0: z / t.
    3. ``top_k``: the k likeliest (Fan et al. 2018, arXiv:1805.04833), and whatever ties with the last of them.
    4. ``top_p`` in (0, 1]: the smallest set of the likeliest whose sum is p or more (Holtzman et al. 2020,
       arXiv:1904.09751, eq. 2-3).
    5. ``min_p`` in [0, 1]: those at least min_p times as likely as the likeliest (Nguyen et al. 2024,
       arXiv:2407.01082).

    Definitions and order are those of transformers. ``top_k=1`` with a penalty is greedy with a penalty.
    Raises LabkitError that names the field.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not _is_number(self.temperature) or not 0 < self.temperature < math.inf:
            raise LabkitError(
                f"temperature must be more than 0, and is {self.temperature!r}. "
                "For the likeliest token each time, use greedy: sampling=None."
            )
        if self.top_k is not None and (not _is_integer(self.top_k) or self.top_k < 1):
            raise LabkitError(f"top_k must be an integer from 1, or None, and is {self.top_k!r}.")
        if self.top_p is not None and not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise LabkitError(f"top_p must be in (0, 1], or None, and is {self.top_p!r}.")
        if self.min_p is not None and not (_is_number(self.min_p) and 0 <= self.min_p <= 1):
            raise LabkitError(f"min_p must be in [0, 1], or None, and is {self.min_p!r}.")
        if not _is_number(self.repetition_penalty) or not 0 < self.repetition_penalty < math.inf:
            raise LabkitError(
                f"repetition_penalty must be more than 0 (1 is none), and is {self.repetition_penalty!r}."
            )


@dataclass(frozen=True)
class Step:
    """One token of a text, as it was chosen.

    ``probability`` is what the token had in the distribution that it was drawn from (greedy: the model's own);
    ``alternatives`` are the likeliest (token, probability) of it, the chosen one mostly among them.
    """

    token: int
    probability: float
    alternatives: tuple[tuple[int, float], ...]


def adjust_logits(logits: Tensor, sampling: Sampling, seen: Tensor | None = None) -> Tensor:
    """Logits (B, V) after the steps of ``Sampling``; what may not be drawn is -inf. A softmax gives the distribution.

    ``seen`` (B, V) is True for tokens that the repetition penalty meets.
    """
    if seen is not None and sampling.repetition_penalty != 1:
        penalty = sampling.repetition_penalty
        logits = torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)
    if sampling.temperature != 1:
        logits = logits / sampling.temperature
    if sampling.top_k is not None and sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if sampling.top_p is not None and sampling.top_p < 1:
        ascending, order = logits.sort(dim=-1)
        unlikely = ascending.softmax(-1).cumsum(-1) <= 1 - sampling.top_p
        unlikely[:, -1] = False  # rounding may let the sum of all stay below
        logits = logits.masked_fill(unlikely.scatter(1, order, unlikely), -torch.inf)
    if sampling.min_p:
        probabilities = logits.softmax(-1)
        least = sampling.min_p * probabilities.amax(-1, keepdim=True)
        logits = logits.masked_fill(probabilities < least, -torch.inf)
    return logits


def generate(
    model: Any,
    prompts: Prompts,
    *,
    max_new_tokens: int,
    sampling: Sampling | None = None,
    num_beams: int = 1,
    length_penalty: float = 1.0,
    stop_ids: Iterable[int] = (),
    seed: int | Sequence[int] = 0,
    use_cache: bool = True,
) -> list[list[int]]:
    """The new tokens after each prompt, at most ``max_new_tokens``; a stop id ends a row and is left out.

    Greedy without ``sampling``; beam search with ``num_beams`` > 1 (see ``beams.beam_search``). ``model`` is a
    labkit GPT, LSTM or n-gram model, or a causal model of transformers; prompts are token ids of any lengths.
    Each row draws from its own generator, of (seed, number of the row), or of its seed where ``seed`` is a
    list: what it becomes does not depend on the other rows, nor on ``max_new_tokens``.

    Raises LabkitError for an empty prompt, ids outside the vocabulary, a prompt that with the new tokens is
    longer than the model's positions, negative ``max_new_tokens``, beams together with sampling.
    """
    prompts = _checked_prompts(model, prompts, max_new_tokens)
    if not _is_integer(num_beams) or num_beams < 1:
        raise LabkitError(f"num_beams must be an integer from 1, and is {num_beams!r}.")
    stop_ids = tuple(stop_ids)
    if max_new_tokens == 0 or not prompts:
        return [[] for _ in prompts]
    with _evaluating(model), torch.inference_mode():
        if num_beams == 1:
            return _generate(model, prompts, max_new_tokens, sampling, stop_ids, seed, use_cache)
        if sampling is not None:
            raise LabkitError(
                "num_beams > 1 searches and does not draw: leave sampling=None, or num_beams=1."
            )
        decoder = open_decoder(model, use_cache)
        return beam_search(decoder, prompts, max_new_tokens, num_beams, length_penalty, stop_ids)


def stream(
    model: Any,
    prompt: Sequence[int],
    *,
    max_new_tokens: int,
    sampling: Sampling | None = None,
    stop_ids: Iterable[int] = (),
    seed: int = 0,
    use_cache: bool = True,
    alternatives: int = 5,
) -> Iterator[Step]:
    """The tokens of ``generate(model, [prompt], ...)`` one by one as they come, each with its probability.

    Errors as there, at once and not at the first step.
    """
    prompts = _checked_prompts(model, [prompt], max_new_tokens)
    if not _is_integer(alternatives) or alternatives < 0:
        raise LabkitError(f"alternatives must be an integer from 0, and is {alternatives!r}.")
    return _stream(model, prompts, max_new_tokens, sampling, set(stop_ids), seed, use_cache, alternatives)


def complete(model: Any, tokenizer: Tokenizer, prompt: str, **options: Any) -> str:
    """The text that follows ``prompt``, which is not repeated. Options as in ``complete_all``."""
    return complete_all(model, tokenizer, [prompt], **options)[0]


def complete_in_batches(
    model: Any, tokenizer: Tokenizer, prompts: Sequence[str], batch_size: int = 16, **options: Any
) -> list[str]:
    """``complete_all`` for any number of prompts: memory is that of ``batch_size`` of them."""
    return [
        text
        for first in range(0, len(prompts), batch_size)
        for text in complete_all(model, tokenizer, prompts[first : first + batch_size], **options)
    ]


def complete_all(
    model: Any,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    *,
    max_new_tokens: int = 100,
    stop: str | Sequence[str] = (),
    stop_ids: Iterable[int] | None = None,
    sampling: Sampling | None = None,
    seed: int | Sequence[int] = 0,
    num_beams: int = 1,
    length_penalty: float = 1.0,
    use_cache: bool = True,
) -> list[str]:
    """The text that follows each prompt, in one batch.

    A text ends before the first string of ``stop`` that is complete, at a stop id (None: the tokenizer's end
    of text), or after ``max_new_tokens``. Special tokens are left out. Other options and errors as in ``generate``.
    """
    encoded = [_encoded(tokenizer, prompt) for prompt in prompts]
    stop_ids = _end_ids(tokenizer, stop_ids)
    texts = [TextStream(tokenizer, stop) for _ in prompts]
    if num_beams > 1 or not texts or not texts[0].stop:
        options = {"sampling": sampling, "num_beams": num_beams, "length_penalty": length_penalty}
        rows = generate(
            model,
            encoded,
            max_new_tokens=max_new_tokens,
            stop_ids=stop_ids,
            seed=seed,
            use_cache=use_cache,
            **options,
        )
        return [text.push(*row) + text.finish() for text, row in zip(texts, rows, strict=True)]

    pieces: list[list[str]] = [[] for _ in prompts]
    ended = [False] * len(prompts)

    def watch(rows: list[int], tokens: list[int]) -> list[bool]:
        for row, token in zip(rows, tokens, strict=True):
            ended[row] = ended[row] or token in stop_ids
            if not ended[row]:
                pieces[row].append(texts[row].push(token))
                ended[row] = texts[row].stopped
        return [ended[row] for row in rows]

    encoded = _checked_prompts(model, encoded, max_new_tokens)
    if max_new_tokens:
        with _evaluating(model), torch.inference_mode():
            _generate(model, encoded, max_new_tokens, sampling, stop_ids, seed, use_cache, watch)
    return ["".join(parts) + text.finish() for parts, text in zip(pieces, texts, strict=True)]


def stream_text(
    model: Any,
    tokenizer: Tokenizer,
    prompt: str,
    *,
    max_new_tokens: int = 100,
    stop: str | Sequence[str] = (),
    stop_ids: Iterable[int] | None = None,
    sampling: Sampling | None = None,
    seed: int = 0,
    use_cache: bool = True,
) -> Iterator[str]:
    """The text of ``complete`` in pieces as it comes. A piece holds whole characters, and nothing of a stop string."""
    text = TextStream(tokenizer, stop)
    steps = stream(
        model,
        _encoded(tokenizer, prompt),
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        stop_ids=_end_ids(tokenizer, stop_ids),
        seed=seed,
        use_cache=use_cache,
        alternatives=0,
    )
    return _pieces(steps, text)


class TextStream:
    """Tokens in, text out: whole characters only, up to the first stop string.

    The bytes of a character may lie in several tokens, and a stop string as well: ``push`` gives back what is
    certain to belong to the text, and holds the rest; ``finish`` gives what was held, so that nothing is lost.
    """

    def __init__(self, tokenizer: Tokenizer, stop: str | Sequence[str] = ()) -> None:
        self.tokenizer = tokenizer
        self.stop = (stop,) if isinstance(stop, str) else tuple(stop)
        if not all(isinstance(one, str) and one for one in self.stop):
            raise LabkitError(f"stop must be strings that are not empty, and is {self.stop!r}.")
        self.stopped = False
        self._window: list[int] = []
        self._taken = 0  # characters of the window's text that were taken already
        self._held = ""

    def push(self, *tokens: int) -> str:
        """The text that is certain after these tokens; "" once a stop string was met."""
        certain = ""
        for token in tokens:
            if self.stopped:
                break
            self._window.append(token)
            text = self._decoded()
            whole = text.rstrip(REPLACEMENT)
            certain += self._passed(whole[self._taken :])
            self._taken = max(self._taken, len(whole))
            if len(self._window) > WINDOW_TOKENS and whole == text:
                del self._window[:-CONTEXT_TOKENS]
                self._taken = len(self._decoded())
        return certain

    def finish(self) -> str:
        """What was held back: the beginning of a stop string that did not come, bytes that became no character."""
        if self.stopped:
            return ""
        rest = self._passed(self._decoded()[self._taken :])
        rest, self._held = rest + self._held, ""
        self._window, self._taken = [], 0
        return rest

    def _decoded(self) -> str:
        return self.tokenizer.decode(self._window, skip_special=True)

    def _passed(self, text: str) -> str:
        self._held += text
        # The stop string that ends first counts, however the text was cut into tokens; of two, the longer.
        found = [(at + len(stop), at) for stop in self.stop if (at := self._held.find(stop)) >= 0]
        if found:
            certain, self._held, self.stopped = self._held[: min(found)[1]], "", True
            return certain
        keep = max((_overlap(self._held, stop) for stop in self.stop), default=0)
        cut = len(self._held) - keep
        certain, self._held = self._held[:cut], self._held[cut:]
        return certain


class _Chooser:
    """The next token of each row."""

    def __init__(
        self,
        sampling: Sampling | None,
        prompts: Prompts,
        count: int,
        seed: int | Sequence[int],
        logits: Tensor,
    ) -> None:
        if logits.isnan().any():
            raise LabkitError(
                "The model's logits are not numbers (NaN): its weights are broken. Train it anew, or load it."
            )
        self.sampling, self.seen = sampling, None
        if sampling is None:
            return
        # 64 bits where the device has them: the sum of a large vocabulary's probabilities must not round.
        self.dtype = torch.float32 if logits.device.type == "mps" else torch.float64
        self.draws = torch.from_numpy(_uniform(seed, len(prompts), count)).to(logits.device, self.dtype)
        if sampling.repetition_penalty != 1:
            self.seen = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
            for row, prompt in enumerate(prompts):
                self.seen[row, torch.tensor(list(prompt), device=logits.device)] = True

    def __call__(self, logits: Tensor, place: int) -> Tensor:
        """Tokens (B,) of logits (B, V); ``place`` counts the new tokens."""
        if self.sampling is None:
            return logits.argmax(-1)
        return self.draw(self.probabilities(logits), place)

    def probabilities(self, logits: Tensor) -> Tensor:
        """The distribution (B, V) that is drawn from."""
        return (logits if self.sampling is None else adjust_logits(logits, self.sampling, self.seen)).softmax(
            -1
        )

    def draw(self, probabilities: Tensor, place: int) -> Tensor:
        """The token at which the running sum passes a uniform number: inverse transform sampling."""
        if self.sampling is None:
            return probabilities.argmax(-1)
        sums = probabilities.to(self.dtype).cumsum(-1)  # (B, V)
        wanted = self.draws[:, place, None] * sums[:, -1:]
        tokens = torch.searchsorted(sums, wanted, right=True).clamp_(max=sums.shape[1] - 1)[:, 0]
        if self.seen is not None:
            self.seen.scatter_(1, tokens[:, None], True)
        return tokens

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only."""
        if self.sampling is not None:
            self.draws = self.draws.index_select(0, rows)
        if self.seen is not None:
            self.seen = self.seen.index_select(0, rows)


Watch = Callable[[list[int], list[int]], list[bool]]


def _generate(
    model: Any,
    prompts: Prompts,
    count: int,
    sampling: Sampling | None,
    stop_ids: tuple[int, ...],
    seed: int | Sequence[int],
    use_cache: bool,
    watch: Watch | None = None,
) -> list[list[int]]:
    """``generate`` without its checks. ``watch(rows, tokens)`` says after each step which rows are to end."""
    decoder = open_decoder(model, use_cache)
    logits = decoder.start(prompts, count)
    choose = _Chooser(sampling, prompts, count, seed, logits)
    found = torch.full((len(prompts), count), NOTHING, device=logits.device)
    stops = _stop_table(stop_ids, logits)
    rows = torch.arange(len(prompts), device=logits.device)  # those still written
    done = torch.zeros_like(rows, dtype=torch.bool)
    for place in range(count):
        tokens = choose(logits, place)
        if len(rows) == len(prompts):
            found[:, place] = tokens
        else:
            found[rows, place] = tokens
        if place + 1 == count:
            break
        if stops is not None:
            done |= stops[tokens]
        if watch is not None:
            done |= torch.tensor(watch(rows.tolist(), tokens.tolist()), device=done.device)
        if stops is not None or watch is not None:
            num_done = int(done.sum())
            if num_done == len(rows):
                break
            if 2 * num_done >= len(rows):  # what is done costs as much as what is not: leave it out
                kept = (~done).nonzero()[:, 0]
                decoder.reorder(kept)
                choose.keep(kept)
                rows, tokens, done = rows[kept], tokens[kept], done[kept]
        logits = decoder.step(tokens)
    if watch is not None and place + 1 == count:
        watch(rows.tolist(), tokens.tolist())
    ends = {NOTHING, *stop_ids}
    return [_before(row, ends) for row in found.tolist()]


@torch.inference_mode()
def _stream(
    model: Any,
    prompts: Prompts,
    count: int,
    sampling: Sampling | None,
    stop_ids: set[int],
    seed: int,
    use_cache: bool,
    alternatives: int,
) -> Iterator[Step]:
    if count == 0:
        return
    with _evaluating(model):
        decoder = open_decoder(model, use_cache)
        logits = decoder.start(prompts, count)
        choose = _Chooser(sampling, prompts, count, seed, logits)
        for place in range(count):
            probabilities = choose.probabilities(logits)
            chosen = choose.draw(probabilities, place)
            token = int(chosen)
            if token in stop_ids:
                return
            best = probabilities[0].topk(min(alternatives, probabilities.shape[1]))
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            likely = tuple((other, chance) for other, chance in pairs if chance > 0)
            yield Step(token, float(probabilities[0, token]), likely)
            if place + 1 < count:
                logits = decoder.step(chosen)


def _pieces(steps: Iterator[Step], text: TextStream) -> Iterator[str]:
    for step in steps:
        if piece := text.push(step.token):
            yield piece
        if text.stopped:
            return
    if rest := text.finish():
        yield rest


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Dropout off; afterwards as it was."""
    was_training = getattr(model, "training", False)
    if was_training:
        model.eval()
    try:
        yield
    finally:
        if was_training:
            model.train()


def _uniform(seed: int | Sequence[int], rows: int, count: int) -> np.ndarray:
    """Numbers (rows, count) in [0, 1), each row from its own generator."""
    if _is_integer(seed):
        seeds: list[Any] = [(seed, row) for row in range(rows)]
    else:
        seeds = [(one, 0) for one in seed]
        if len(seeds) != rows:
            raise LabkitError(
                f"seed must be one number, or one for each prompt: {len(seeds)} for {rows} prompts."
            )
    if not all(_is_integer(number) and number >= 0 for pair in seeds for number in pair):
        raise LabkitError(f"seed must be an integer from 0, and is {seed!r}.")
    numbers = np.stack([np.random.default_rng(pair).random(count) for pair in seeds])
    return np.minimum(
        numbers, 1 - 2.0**-24
    )  # so that its product with a sum stays below the sum, in 32 bits too


def _stop_table(stop_ids: tuple[int, ...], logits: Tensor) -> Tensor | None:
    if not stop_ids:
        return None
    size = logits.shape[1]
    wrong = [one for one in stop_ids if not _is_integer(one) or not 0 <= one < size]
    if wrong:
        raise LabkitError(f"stop_ids holds {wrong[0]!r}, which is no token of a vocabulary of {size}.")
    table = torch.zeros(size, dtype=torch.bool, device=logits.device)
    table[list(stop_ids)] = True
    return table


def _checked_prompts(model: Any, prompts: Prompts, max_new_tokens: int) -> list[list[int]]:
    """The prompts as lists. Raises LabkitError that says which prompt is wrong, and how."""
    if not _is_integer(max_new_tokens) or max_new_tokens < 0:
        raise LabkitError(f"max_new_tokens must be an integer from 0, and is {max_new_tokens!r}.")
    limit, vocabulary = max_positions(model), vocabulary_size(model)
    checked = []
    for number, prompt in enumerate(prompts):
        if isinstance(prompt, str | int | np.integer):
            raise LabkitError(
                "prompts must be lists of token ids, one list a prompt. For text, use complete()."
            )
        tokens = prompt.tolist() if isinstance(prompt, Tensor | np.ndarray) else list(prompt)
        if not tokens:
            raise LabkitError(
                f"Prompt {number} is empty. Begin with a token, such as the tokenizer's eos_id."
            )
        wrong = [
            token
            for token in tokens
            if not _is_integer(token) or token < 0 or token >= (vocabulary or math.inf)
        ]
        if wrong:
            raise LabkitError(
                f"Prompt {number} holds {wrong[0]!r}, which is no token of the model's vocabulary of {vocabulary}: "
                "was it encoded by another tokenizer?"
            )
        if limit is not None and len(tokens) > limit:
            raise LabkitError(
                f"Prompt {number} has {len(tokens)} tokens, and the model sees {limit} at most: shorten it."
            )
        if limit is not None and len(tokens) + max_new_tokens > limit:
            raise LabkitError(
                f"Prompt {number} has {len(tokens)} tokens; with max_new_tokens={max_new_tokens} that is more than "
                f"the {limit} positions of the model. Shorten it, or ask for {limit - len(tokens)} new tokens at most."
            )
        checked.append([int(token) for token in tokens])
    return checked


def _encoded(tokenizer: Tokenizer, prompt: str) -> list[int]:
    if not isinstance(prompt, str):
        raise LabkitError(
            f"prompt must be a text, and is a {type(prompt).__name__}. For token ids, use generate()."
        )
    if not prompt:
        raise LabkitError(
            "The prompt is empty. Write at least one character, or use generate() with the eos_id."
        )
    return tokenizer.encode(prompt)


def _end_ids(tokenizer: Tokenizer, stop_ids: Iterable[int] | None) -> tuple[int, ...]:
    if stop_ids is not None:
        return tuple(stop_ids)
    end = getattr(tokenizer, "eos_id", None)
    return () if end is None else (end,)


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of ``text`` begin ``stop``."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)


def _before(tokens: list[int], ends: set[int]) -> list[int]:
    return tokens[: next((place for place, token in enumerate(tokens) if token in ends), len(tokens))]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
