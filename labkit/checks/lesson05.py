"""Checks of lesson 05: BPE, cosine neighbours, a GRU step, attention with padding, masks and heads, rotary positions."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labkit.checks.core import Exercise, Mistake, Text, to_array

Words = list[list[str]]
Pair = tuple[str, str]

# ---------------------------------------------------------------------------------------------------------------
# 05.1 one step of BPE


def _best_pair(words: Words, counts: list[int]) -> Pair:
    """The most frequent pair, the alphabetically first among equals: by sorting, without a Counter's loop."""
    flat = [
        (left, right)
        for tokens, count in zip(words, counts, strict=True)
        for left, right in itertools.pairwise(tokens)
        for _ in range(count)
    ]
    return max(sorted(set(flat)), key=flat.count)


def _join(tokens: list[str], pair: Pair) -> list[str]:
    if len(tokens) < 2:
        return list(tokens)
    if (tokens[0], tokens[1]) == pair:
        return [tokens[0] + tokens[1], *_join(tokens[2:], pair)]
    return [tokens[0], *_join(tokens[1:], pair)]


def _bpe_reference(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    best = _best_pair(words, counts)
    return best, [_join(tokens, best) for tokens in words]


def _bpe_inputs() -> list[tuple]:
    return [
        ([["a", "b"]], [1]),
        ([["b", "a"], ["a", "b"], ["d", "a"], ["c", "a"]], [2, 2, 2, 2]),  # equally frequent
        ([["b", "a"], ["c", "d"], ["d", "c", "d"]], [5, 1, 1]),  # one frequent word against two rare ones
        ([["a", "a", "a"]], [1]),
        ([["x", "y", "z", "x", "y"], ["a", "z"]], [1, 1]),  # twice in one word
        ([["x", "b"], ["a", "x"], ["c", "b"], ["a", "d"]], [1, 1, 1, 1]),  # b, a only across words
        ([["th", "e"], ["th", "e", "n"], ["t", "h"]], [4, 1, 2]),
        ([["h", "e"], ["th", "e", "n"]], [3, 1]),  # th ends in h, and is another token
    ]


def _bpe_answer(words: Words, best: Pair) -> tuple[Pair, Words]:
    return best, [_join(tokens, best) for tokens in words]


def _bpe_without_counts(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    return _bpe_answer(words, _best_pair(words, [1] * len(words)))


def _pair_counts(words: Words, counts: list[int], *, once_a_word: bool = False) -> Counter[Pair]:
    pairs: Counter[Pair] = Counter()
    for tokens, count in zip(words, counts, strict=True):
        found = itertools.pairwise(tokens)
        for pair in set(found) if once_a_word else found:
            pairs[pair] += count
    return pairs


def _bpe_last_of_equals(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    pairs = _pair_counts(words, counts)
    return _bpe_answer(words, max(pairs, key=lambda pair: (pairs[pair], pair)))


def _bpe_first_met(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    pairs = _pair_counts(words, counts)
    return _bpe_answer(words, max(pairs, key=pairs.__getitem__))


def _bpe_once_a_word(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    pairs = _pair_counts(words, counts, once_a_word=True)
    return _bpe_answer(words, min(pairs, key=lambda pair: (-pairs[pair], pair)))


def _bpe_across_words(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    stream = [token for tokens, count in zip(words, counts, strict=True) for token in tokens * count]
    return _bpe_answer(words, _best_pair([stream], [1]))


def _bpe_merge_once(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    best = _best_pair(words, counts)
    merged = []
    for tokens in words:
        at = next((i for i in range(len(tokens) - 1) if (tokens[i], tokens[i + 1]) == best), None)
        merged.append(list(tokens) if at is None else [*tokens[:at], "".join(best), *tokens[at + 2 :]])
    return best, merged


def _bpe_last_token_lost(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    best, merged = _bpe_reference(words, counts)
    return best, [new[:-1] if old[-1] == new[-1] else new for old, new in zip(words, merged, strict=True)]


def _bpe_as_text(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    best = _best_pair(words, counts)
    return best, [" ".join(tokens).replace(" ".join(best), "".join(best)).split() for tokens in words]


def _bpe_overlapping(words: Words, counts: list[int]) -> tuple[Pair, Words]:
    best = _best_pair(words, counts)
    merged = []
    for tokens in words:
        new, used = [], False
        for i, token in enumerate(tokens):
            if i + 1 < len(tokens) and (token, tokens[i + 1]) == best:
                new.append("".join(best))
                used = True
            elif used:
                used = False
            else:
                new.append(token)
        merged.append(new)
    return best, merged


BPE_STEP = Exercise(
    id="05.1",
    title=Text("One step of BPE", "BPE 的一步"),
    difficulty=2,
    minutes=10,
    reference=_bpe_reference,
    inputs=_bpe_inputs,
    mistakes=[
        Mistake(
            Text("Every word counts once", "每个词只算了一次"),
            _bpe_without_counts,
            Text(
                "A pair inside a word that occurs five times occurs five times: add counts[i], not 1.",
                "出现五次的词，其中的词元对也出现五次：应当加 counts[i]，而不是加 1。",
            ),
        ),
        Mistake(
            Text("The last of equally frequent pairs", "次数相同时取了排在后面的一对"),
            _bpe_last_of_equals,
            Text(
                "Take the alphabetically first of them: min with the key (-count, pair).",
                "次数相同时取字母顺序在前的：用 min，键为 (-次数, 词元对)。",
            ),
        ),
        Mistake(
            Text("The first that was met of equally frequent pairs", "次数相同时取了最先遇到的一对"),
            _bpe_first_met,
            Text(
                "max and most_common keep the order of appearance. Take the alphabetically first: min with the key "
                "(-count, pair).",
                "次数相同时，max 和 most_common 按出现的先后取。应当取字母顺序在前的：用 min，键为 (-次数, 词元对)。",
            ),
        ),
        Mistake(
            Text("A pair counts once a word", "同一个词里的词元对只算了一次"),
            _bpe_once_a_word,
            Text(
                "A pair that stands twice in one word counts twice for each occurrence of the word.",
                "一对词元在同一个词里出现两次，这个词每出现一次，就要算两次。",
            ),
        ),
        Mistake(
            Text("Pairs across the border of words", "跨词统计了词元对"),
            _bpe_across_words,
            Text(
                "The last token of a word and the first of the next are no pair. Count inside each word.",
                "前一个词的末尾与后一个词的开头不构成词元对。请在每个词内部计数。",
            ),
        ),
        Mistake(
            Text("Only the first occurrence in a word is joined", "每个词里只合并了第一处"),
            _bpe_merge_once,
            Text(
                "The pair may stand twice in one word. Go on to the word's end.",
                "这一对在同一个词里可能出现两次，要一直处理到词尾。",
            ),
        ),
        Mistake(
            Text("The last token of a word is lost", "词尾的词元丢了"),
            _bpe_last_token_lost,
            Text(
                "The loop ends before the last token. Where it is not joined, it must still be copied.",
                "循环没有走到最后一个词元。它即使不参与合并，也要照抄过去。",
            ),
        ),
        Mistake(
            Text("Joined as text, not as tokens", "按文本合并，没有按词元合并"),
            _bpe_as_text,
            Text(
                "In a string, th e also holds h e. Compare whole tokens, not letters.",
                "在字符串里，th e 也含有 h e。要比较整个词元，而不是字母。",
            ),
        ),
        Mistake(
            Text("One token is joined twice", "同一个词元被合并了两次"),
            _bpe_overlapping,
            Text(
                "In a, a, a only one pair can be joined, from the left: aa, a. After a merge skip both tokens.",
                "a, a, a 里只能从左合并一对，得到 aa, a。合并之后要跳过这两个词元。",
            ),
        ),
        Mistake(
            Text("Nothing is joined", "什么也没有合并"),
            lambda words, counts: (_best_pair(words, counts), words),
            Text(
                "The pair is right, the words are as before. Is a list compared with a tuple? ['a', 'b'] != ('a', 'b').",
                "词元对选对了，但 words 没有变。是不是拿列表和元组比较了？['a', 'b'] != ('a', 'b')。",
            ),
        ),
    ],
    hints=[
        Text(
            "Three parts: a Counter of pairs, one min, and a loop over each word.",
            "分三步：用 Counter 统计词元对；取一次 min；对每个词循环一遍。",
        ),
        Text(
            "min(pairs, key=lambda pair: (-pairs[pair], pair)) finds the most frequent, and the first among equals.",
            "min(pairs, key=lambda pair: (-pairs[pair], pair)) 取出现最多的，次数相同时取排在前面的。",
        ),
        Text(
            "Build the new list token by token: if its last token and this one are the pair, extend the last.",
            "逐个词元构造新列表：如果新列表的最后一个词元与当前词元正好是要合并的一对，就把当前词元接到它后面。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 05.2 nearest neighbours by cosine


def _nearest_reference(vectors: Tensor, index: int, count: int) -> list[int]:
    cosines = F.cosine_similarity(vectors.double(), vectors[index].double()[None], dim=1).tolist()
    others = [i for i in range(len(vectors)) if i != index]
    return sorted(others, key=lambda i: -cosines[i])[:count]


def _nearest_inputs() -> list[tuple]:
    return [
        (torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), 0, 1),
        (torch.tensor([[1.0, 0.0], [0.5, 0.1], [9.0, 9.0], [-1.0, 0.0]]), 0, 3),
        (torch.randn(12, 5, generator=torch.Generator().manual_seed(0)), 3, 4),
    ]


NEAREST = Exercise(
    id="05.2",
    title=Text("Nearest neighbours by cosine", "余弦近邻"),
    difficulty=1,
    minutes=8,
    reference=_nearest_reference,
    inputs=_nearest_inputs,
    mistakes=[
        Mistake(
            Text("The word itself is its nearest neighbour", "把词自己也算成了近邻"),
            lambda v, i, n: F.cosine_similarity(v, v[i][None], dim=1).argsort(descending=True)[:n],
            Text(
                "The cosine of a vector with itself is 1, the largest there is. Leave the word out.",
                "向量与自己的余弦是 1，永远最大。请把这个词排除。",
            ),
        ),
        Mistake(
            Text("The word's own cosine is set to 0", "把词自己的余弦设成了 0"),
            lambda v, i, n: _without(_cosines(v, i), i, 0.0).argsort(descending=True)[:n],
            Text(
                "Cosines go down to -1, so 0 still beats some of the others. Set it to -inf, or leave the word out.",
                "余弦最小是 -1，设成 0 仍会排在一些词前面。请设为 -inf，或者直接排除。",
            ),
        ),
        Mistake(
            Text("The indices have moved", "编号错位了"),
            lambda v, i, n: torch.cat([_cosines(v, i)[:i], _cosines(v, i)[i + 1 :]]).argsort(descending=True)[
                :n
            ],
            Text(
                "With the word's row taken out, all later rows moved up by one. Keep the row, and set its cosine to -inf.",
                "删掉这个词的一行之后，后面各行的编号都少了 1。请保留这一行，把它的余弦设为 -inf。",
            ),
        ),
        Mistake(
            Text("Cosines instead of indices", "返回了余弦，而不是编号"),
            lambda v, i, n: _without(_cosines(v, i), i).sort(descending=True).values[:n],
            Text(
                "Asked is which words are near: the indices that argsort gives, not the cosines themselves.",
                "题目问的是哪些词近：要返回 argsort 给出的编号，而不是余弦本身。",
            ),
        ),
        Mistake(
            Text("The best comes last", "最近的排在了最后"),
            lambda v, i, n: _without(_cosines(v, i), i).argsort()[-n:],
            Text(
                "These are the right words in the wrong order. Turn it round: best first.",
                "词选对了，顺序反了。请倒过来，最近的排在前面。",
            ),
        ),
        Mistake(
            Text("A dot product without lengths", "用了没有除以长度的内积"),
            lambda v, i, n: _without(v @ v[i], i).argsort(descending=True)[:n],
            Text(
                "Long vectors win every dot product. Divide by both lengths, or make all vectors of length 1 first.",
                "长的向量算内积总是占便宜。请除以两者的长度，或者先把所有向量变成单位长度。",
            ),
        ),
        Mistake(
            Text("The distance of the points", "用了两点间的距离"),
            lambda v, i, n: _without(-(v - v[i]).norm(dim=1), i).argsort(descending=True)[:n],
            Text(
                "Euclidean distance depends on the lengths too. The cosine compares directions only.",
                "欧氏距离也受长度影响。余弦只比较方向。",
            ),
        ),
        Mistake(
            Text("The farthest words", "取成了最远的词"),
            lambda v, i, n: _without(-F.cosine_similarity(v, v[i][None], dim=1), i).argsort(descending=True)[
                :n
            ],
            Text(
                "argsort goes from small to large. The nearest word has the largest cosine: descending=True.",
                "argsort 默认从小到大。最近的词余弦最大：要写 descending=True。",
            ),
        ),
    ],
    hints=[
        Text(
            "Divide each row by its norm; then one matrix-vector product gives all cosines.",
            "把每一行除以它的范数，之后一次矩阵与向量的乘法就得到所有余弦。",
        ),
        Text(
            "Set the cosine of the word itself to -inf before you sort.",
            "排序之前，把词自己的余弦设为 -inf。",
        ),
    ],
)


def _cosines(vectors: Tensor, index: int) -> Tensor:
    return F.cosine_similarity(vectors, vectors[index][None], dim=1)


def _without(scores: Tensor, index: int, instead: float = -math.inf) -> Tensor:
    scores = scores.clone()
    scores[index] = instead
    return scores


# ---------------------------------------------------------------------------------------------------------------
# 05.3 one step of a GRU


def _gru_reference(x: Tensor, h: Tensor, W: Tensor, U: Tensor, b_W: Tensor, b_U: Tensor) -> Tensor:
    cell = nn.GRUCell(x.shape[1], h.shape[1], dtype=x.dtype)
    with torch.no_grad():
        for name, value in {"weight_ih": W, "weight_hh": U, "bias_ih": b_W, "bias_hh": b_U}.items():
            getattr(cell, name).copy_(value)
        return cell(x, h)


def _gru_inputs() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)

    def case(B: int, D: int, H: int) -> tuple:
        shapes = [(B, D), (B, H), (3 * H, D), (3 * H, H), (3 * H,), (3 * H,)]
        return tuple(torch.randn(shape, generator=generator) for shape in shapes)

    return [case(1, 1, 1), case(1, 2, 2), case(4, 5, 3)]


def _gru(
    x: Tensor, h: Tensor, W: Tensor, U: Tensor, b_W: Tensor, b_U: Tensor, *,
    reset: str = "after", keep: str = "z", squash: str = "tanh", order: str = "rz",
) -> Tensor:  # fmt: skip
    a, d = (x @ W.T + b_W).chunk(3, dim=1), (h @ U.T + b_U).chunk(3, dim=1)
    first, second = torch.sigmoid(a[0] + d[0]), torch.sigmoid(a[1] + d[1])
    r, z = (first, second) if order == "rz" else (second, first)
    size = h.shape[1]
    inner = {
        "after": r * d[2],
        "before": (r * h) @ U[2 * size :].T + b_U[2 * size :],
        "never": d[2],
        "all": r * (a[2] + d[2]) - a[2],
    }[reset]
    n = torch.tanh(a[2] + inner) if squash == "tanh" else torch.sigmoid(a[2] + inner)
    return (1 - z) * n + z * h if keep == "z" else z * n + (1 - z) * h


GRU_STEP = Exercise(
    id="05.3",
    title=Text("One step of a GRU", "GRU 的一步"),
    difficulty=2,
    minutes=12,
    reference=_gru_reference,
    inputs=_gru_inputs,
    mistakes=[
        Mistake(
            Text("z and 1 - z are swapped", "z 与 1 - z 写反了"),
            lambda *parts: _gru(*parts, keep="1-z"),
            Text(
                "Papers write it both ways. In PyTorch z keeps the old state: (1 - z) · n + z · h.",
                "两种写法文献里都有。在 PyTorch 中，z 保留的是旧状态：(1 - z) · n + z · h。",
            ),
        ),
        Mistake(
            Text("The reset gate comes before the matrix", "重置门乘在了矩阵之前"),
            lambda *parts: _gru(*parts, reset="before"),
            Text(
                "U(r · h) is the form of the first paper. PyTorch multiplies after the matrix: r · (U h + b).",
                "U(r · h) 是原论文的形式。PyTorch 则先乘矩阵，再乘重置门：r · (U h + b)。",
            ),
        ),
        Mistake(
            Text("The reset gate is not used", "没有用重置门"),
            lambda *parts: _gru(*parts, reset="never"),
            Text(
                "r decides how much of the old state the candidate sees: n = tanh(a_n + r · d_n).",
                "r 决定候选值能看到多少旧状态：n = tanh(a_n + r · d_n)。",
            ),
        ),
        Mistake(
            Text("The reset gate cuts the input too", "重置门连输入也乘了"),
            lambda *parts: _gru(*parts, reset="all"),
            Text(
                "r stands before the part of the old state only: tanh(a_n + r · d_n), not tanh(r · (a_n + d_n)).",
                "r 只乘旧状态那一部分：tanh(a_n + r · d_n)，而不是 tanh(r · (a_n + d_n))。",
            ),
        ),
        Mistake(
            Text("The candidate goes through sigmoid", "候选值用了 sigmoid"),
            lambda *parts: _gru(*parts, squash="sigmoid"),
            Text(
                "Gates are between 0 and 1, but the candidate is a new state, between -1 and 1: tanh.",
                "门在 0 到 1 之间，而候选值是新的状态，在 -1 到 1 之间：用 tanh。",
            ),
        ),
        Mistake(
            Text("The order z, r, n", "按 z、r、n 的次序切分了"),
            lambda *parts: _gru(*parts, order="zr"),
            Text(
                "PyTorch stacks reset, update, new: the first third is r.",
                "PyTorch 的次序是重置门、更新门、候选值：前三分之一是 r。",
            ),
        ),
    ],
    hints=[
        Text(
            "Two products, x @ W.T + b_W and h @ U.T + b_U, each cut with .chunk(3, dim=1).",
            "两个乘积：x @ W.T + b_W 和 h @ U.T + b_U，各用 .chunk(3, dim=1) 切成三段。",
        ),
        Text(
            "r and z are sigmoids of sums. For n keep the two thirds apart: tanh(a_n + r * d_n).",
            "r 和 z 是两段之和的 sigmoid。n 要把两段分开处理：tanh(a_n + r * d_n)。",
        ),
    ],
    atol=1e-6,
)

# ---------------------------------------------------------------------------------------------------------------
# 05.4 attention over padded sequences


def _padded_reference(q: Tensor, k: Tensor, v: Tensor, real: Tensor) -> Tensor:
    """Each sentence on its own, cut to its real tokens: no mask at all."""
    rows = [
        F.scaled_dot_product_attention(q[b][None], k[b][real[b]][None], v[b][real[b]][None])[0]
        for b in range(len(q))
    ]
    return torch.stack(rows)


def _padded_inputs() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)

    def case(B: int, T: int, S: int, d: int, e: int, real: list[list[int]]) -> tuple:
        q, k, v = (torch.randn(shape, generator=generator) for shape in ((B, T, d), (B, S, d), (B, S, e)))
        return q, k, v, torch.tensor(real, dtype=torch.bool)

    one = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    keys = torch.tensor([[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], [2.0, 2.0, 0.0, 0.0]]])
    values = torch.tensor([[[10.0], [20.0], [99.0]]])
    return [
        (one, keys, values, torch.tensor([[True, True, False]])),
        case(2, 3, 3, 4, 4, [[1, 1, 1], [1, 1, 0]]),
        case(3, 2, 5, 8, 3, [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [1, 0, 1, 0, 0]]),
    ]


def _scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])


def _mixed(scores: Tensor, v: Tensor, real: Tensor, dim: int = -1) -> Tensor:
    return torch.softmax(scores.masked_fill(~real[:, None], -math.inf), dim=dim) @ v


PADDED = Exercise(
    id="05.4",
    title=Text("Attention over padded sequences", "带填充序列的注意力"),
    difficulty=2,
    minutes=10,
    reference=_padded_reference,
    inputs=_padded_inputs,
    mistakes=[
        Mistake(
            Text("The padding is attended to", "没有排除填充"),
            lambda q, k, v, real: torch.softmax(_scores(q, k), dim=-1) @ v,
            Text(
                "real is not used: the values of the padding are mixed in. Forbid them in the scores.",
                "没有用到 real，填充的值混了进来。请在得分里把它们禁掉。",
            ),
        ),
        Mistake(
            Text("The padding is cut out after the softmax", "在 softmax 之后才清零"),
            lambda q, k, v, real: (torch.softmax(_scores(q, k), dim=-1) * real[:, None]) @ v,
            Text(
                "With weights or values of 0 the other weights stay as they were, and sum to less than 1. Set the scores "
                "to -inf before the softmax.",
                "之后再把权重（或值）置 0，其余权重不变，每行之和就小于 1。应当在 softmax 之前把得分设为 -inf。",
            ),
        ),
        Mistake(
            Text("A score of 0 instead of -inf", "得分设成了 0 而不是 -inf"),
            lambda q, k, v, real: torch.softmax(_scores(q, k) * real[:, None], dim=-1) @ v,
            Text(
                "A score of 0 (or 1e-9) still has e^0 = 1 in the softmax. Only -inf gives 0: masked_fill(~real, -inf).",
                "得分为 0（或 1e-9），softmax 里仍有 e^0 = 1。只有 -inf 才得 0：用 masked_fill(~real, -inf)。",
            ),
        ),
        Mistake(
            Text("No division by the root of d", "没有除以根号 d"),
            lambda q, k, v, real: _mixed(q @ k.transpose(1, 2), v, real),
            Text(
                "Divide the products by sqrt(q.shape[-1]), so that their variance does not grow with d.",
                "内积要除以 sqrt(q.shape[-1])，方差才不会随 d 增大。",
            ),
        ),
        Mistake(
            Text("Divided by d, not by its root", "除以了 d，而不是根号 d"),
            lambda q, k, v, real: _mixed(q @ k.transpose(1, 2) / q.shape[-1], v, real),
            Text(
                "The variance of the products is d, so their spread is the root of it: divide by sqrt(q.shape[-1]).",
                "内积的方差是 d，标准差是根号 d：应当除以 sqrt(q.shape[-1])。",
            ),
        ),
        Mistake(
            Text("Softmax over the queries", "沿查询那一轴做了 softmax"),
            lambda q, k, v, real: _mixed(_scores(q, k), v, real, dim=1),
            Text(
                "Each query shares out its own weights among the keys: softmax over the last axis, dim=-1.",
                "每个查询要把自己的权重分给各个键：沿最后一个轴做 softmax，dim=-1。",
            ),
        ),
        Mistake(
            Text("The mask is turned round", "掩码用反了"),
            lambda q, k, v, real: _mixed(_scores(q, k), v, ~real),
            Text(
                "masked_fill fills where the mask is True. True in real means: keep. Write ~real.",
                "masked_fill 在掩码为 True 处填充，而 real 的 True 表示保留。请写 ~real。",
            ),
        ),
    ],
    hints=[
        Text(
            "The scores are (B, T, S). real is (B, S): which axis is missing? real[:, None, :].",
            "得分是 (B, T, S)，real 是 (B, S)：缺哪个轴？用 real[:, None, :]。",
        ),
        Text(
            "scores.masked_fill(~real[:, None, :], -math.inf), then softmax over the last axis, then @ v.",
            "先 scores.masked_fill(~real[:, None, :], -math.inf)，再沿最后一个轴做 softmax，最后 @ v。",
        ),
    ],
    atol=1e-6,
)

# ---------------------------------------------------------------------------------------------------------------
# 05.5 a causal mask with a past


def _mask_reference(T: int, S: int) -> Tensor:
    query, key = torch.arange(S - T, S), torch.arange(S)
    return key[None, :] <= query[:, None]


def _is_bool_mask(received: object, expected: Tensor, _arguments: tuple) -> bool:
    """Of zeros and ones, PyTorch's attention would add the ones to the scores, without an error."""
    mask = to_array(received)
    return mask.dtype == bool and np.array_equal(mask, to_array(expected))


MASK = Exercise(
    id="05.5",
    title=Text("A causal mask with a past", "带历史的因果掩码"),
    difficulty=2,
    minutes=8,
    reference=_mask_reference,
    inputs=lambda: [(1, 1), (2, 2), (1, 3), (2, 3), (4, 7)],
    mistakes=[
        Mistake(
            Text("The past is not counted", "没有算上历史"),
            lambda T, S: torch.ones(T, S, dtype=torch.bool).tril(),
            Text(
                "Query 0 stands at key S - T, not at key 0. Shift the diagonal: tril(diagonal=S - T).",
                "第 0 个查询对应的是第 S - T 个键，不是第 0 个。要移动对角线：tril(diagonal=S - T)。",
            ),
        ),
        Mistake(
            Text("Numbers instead of True and False", "返回的是数，不是 True 和 False"),
            lambda T, S: _mask_reference(T, S).float(),
            Text(
                "The places are right. But scaled_dot_product_attention adds a mask of numbers to the scores: "
                "use dtype=torch.bool.",
                "位置都对。但 scaled_dot_product_attention 会把数值掩码直接加到得分上：请用 dtype=torch.bool。",
            ),
        ),
        Mistake(
            Text("The diagonal is shifted the wrong way", "对角线移反了方向"),
            lambda T, S: torch.ones(T, S, dtype=torch.bool).tril(T - S),
            Text(
                "A past lets every query see more keys, so the diagonal moves to the right: S - T, not T - S.",
                "有了历史，每个查询能看的键更多，对角线要往右移：是 S - T，不是 T - S。",
            ),
        ),
        Mistake(
            Text("A token does not see itself", "词元看不到自己"),
            lambda T, S: torch.ones(T, S, dtype=torch.bool).tril(S - T - 1),
            Text(
                "The query stands at its own key and may see it; without a past the first row would be empty.",
                "查询可以看到自己位置上的键；否则没有历史时，第一行就是空的。",
            ),
        ),
        Mistake(
            Text("The future is allowed, the past forbidden", "允许了未来，禁止了过去"),
            lambda T, S: torch.ones(T, S, dtype=torch.bool).triu(S - T),
            Text(
                "triu keeps what comes later. The past is the lower triangle: tril.",
                "triu 保留的是后面的。过去是下三角：tril。",
            ),
        ),
        Mistake(
            Text("One token too far", "多看了一个词元"),
            lambda T, S: torch.ones(T, S, dtype=torch.bool).tril(S - T + 1),
            Text(
                "This mask lets each query see the next token, which it should predict.",
                "这个掩码让每个查询看到了下一个词元，也就是它要预测的那个。",
            ),
        ),
        Mistake(
            Text("True means forbidden", "把 True 当成了“禁止”"),
            lambda T, S: ~_mask_reference(T, S),
            Text(
                "Here, as in F.scaled_dot_product_attention, True means allowed. nn.MultiheadAttention has it the other way.",
                "这里与 F.scaled_dot_product_attention 一样，True 表示允许；nn.MultiheadAttention 正好相反。",
            ),
        ),
    ],
    hints=[
        Text(
            "Query t stands at key t + S - T. It may see that key and all before it.",
            "第 t 个查询位于第 t + S - T 个键处，可以看这个键以及它之前的所有键。",
        ),
        Text(
            "torch.ones(T, S, dtype=torch.bool).tril(diagonal=?): with T = 1 all S keys are allowed.",
            "torch.ones(T, S, dtype=torch.bool).tril(diagonal=?)：T = 1 时，S 个键全都允许。",
        ),
    ],
    accept=_is_bool_mask,
)

# ---------------------------------------------------------------------------------------------------------------
# 05.6 into heads


def _heads_reference(x: Tensor, heads: int) -> Tensor:
    return torch.stack(x.chunk(heads, dim=-1), dim=1)


def _heads_inputs() -> list[tuple]:
    return [
        (torch.arange(4.0).reshape(1, 1, 4), 2),
        (torch.arange(8.0).reshape(1, 2, 4), 2),
        (torch.arange(72.0).reshape(2, 3, 12), 4),
    ]


def _heads_view(x: Tensor, heads: int) -> Tensor:
    B, T, D = x.shape
    return x.reshape(B, heads, T, D // heads)


def _heads_interleaved(x: Tensor, heads: int) -> Tensor:
    B, T, D = x.shape
    return x.reshape(B, T, D // heads, heads).permute(0, 3, 1, 2)


def _heads_not_moved(x: Tensor, heads: int) -> Tensor:
    B, T, D = x.shape
    return x.reshape(B, T, heads, D // heads)


def _heads_size(x: Tensor, heads: int) -> Tensor:
    """``heads`` taken for the width of a head."""
    B, T, D = x.shape
    return x.reshape(B, T, D // heads, heads).transpose(1, 2)


HEADS = Exercise(
    id="05.6",
    title=Text("Into heads", "切成多个头"),
    difficulty=2,
    minutes=8,
    reference=_heads_reference,
    inputs=_heads_inputs,
    mistakes=[
        Mistake(
            Text("Tokens are mixed up", "把不同词元混在了一起"),
            _heads_view,
            Text(
                "The shape is right, but one view runs over the tokens: a head gets parts of several tokens. "
                "First (B, T, H, d), then swap T and H.",
                "形状对了，但一次 view 跨过了词元：一个头里混进了几个词元的片段。应先变成 (B, T, H, d)，再交换 T 与 H。",
            ),
        ),
        Mistake(
            Text("Features are dealt out in turn", "特征被轮流分给各头"),
            _heads_interleaved,
            Text(
                "A head gets neighbouring features, not every H-th one: view as (B, T, H, d), not (B, T, d, H).",
                "一个头拿的是相邻的特征，不是每隔 H 个拿一个：应 view 成 (B, T, H, d)，而不是 (B, T, d, H)。",
            ),
        ),
        Mistake(
            Text("The heads stay behind the tokens", "头的轴还在词元轴后面"),
            _heads_not_moved,
            Text(
                "The result is (B, T, H, d). Attention multiplies the last two axes, so T must stand there: transpose(1, 2).",
                "结果是 (B, T, H, d)。注意力用最后两个轴做乘法，T 必须排在其中：transpose(1, 2)。",
            ),
        ),
        Mistake(
            Text("heads is taken for the width of a head", "把头数当成了每头的宽度"),
            _heads_size,
            Text(
                "heads is how many there are; each is D // heads wide.",
                "heads 是头的个数；每个头的宽度是 D // heads。",
            ),
        ),
    ],
    hints=[
        Text(
            "Cut the last axis into two: (B, T, heads, D // heads). Nothing moves in memory.",
            "把最后一个轴分成两个：(B, T, heads, D // heads)，内存里什么都不动。",
        ),
        Text("Then swap two axes with transpose(1, 2).", "然后用 transpose(1, 2) 交换两个轴。"),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 05.7 rotary positions in adjacent pairs


def _rotary_reference(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    """By complex numbers: the pair (a, b) is a + ib, and turning is multiplying by e^(i angle)."""
    d = x.shape[-1]
    speeds = torch.tensor([base ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float64)
    angles = positions.double()[:, None] * speeds
    numbers = torch.view_as_complex(x.double().reshape(len(x), d // 2, 2).contiguous())
    turned = numbers * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(turned).reshape(x.shape).to(x.dtype)


def _rotary_inputs() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.tensor([[1.0, 0.0]]), torch.tensor([0])),
        (torch.tensor([[1.0, 0.0]]), torch.tensor([1])),
        (torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.tensor([2])),
        (torch.randn(3, 8, generator=generator), torch.tensor([0, 3, 5]), 100.0),
    ]


def _turn(
    x: Tensor, positions: Tensor, base: float, *,
    sign: int = 1, halves: bool = False, side_by_side: bool = True, step: int = 2,
) -> Tensor:  # fmt: skip
    d = x.shape[-1]
    angles = sign * positions[:, None] * base ** (-step * torch.arange(d // 2) / d)
    cos, sin = angles.cos(), angles.sin()
    a, b = x.chunk(2, dim=-1) if halves else (x[:, 0::2], x[:, 1::2])
    turned = a * cos - b * sin, a * sin + b * cos
    apart = halves or not side_by_side
    return torch.cat(turned, dim=-1) if apart else torch.stack(turned, dim=-1).flatten(-2)


def _overwritten(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    """The odd features are turned with even ones that are new already: x[:, 0::2] is a view."""
    turned, angles = x.clone(), positions[:, None] * base ** (-torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    even, odd = turned[:, 0::2], turned[:, 1::2]
    turned[:, 0::2] = even * angles.cos() - odd * angles.sin()
    turned[:, 1::2] = even * angles.sin() + odd * angles.cos()
    return turned


def _mirror(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    d = x.shape[-1]
    angles = positions[:, None] * base ** (-torch.arange(0, d, 2) / d)
    a, b = x[:, 0::2], x[:, 1::2]
    return torch.stack(
        [a * angles.cos() + b * angles.sin(), a * angles.sin() + b * angles.cos()], -1
    ).flatten(-2)


ROTARY = Exercise(
    id="05.7",
    title=Text("Rotary positions in adjacent pairs", "相邻配对的旋转位置编码"),
    difficulty=3,
    minutes=12,
    reference=_rotary_reference,
    inputs=_rotary_inputs,
    mistakes=[
        Mistake(
            Text("Features i and i + d/2 are paired", "把特征 i 与 i + d/2 配成了一对"),
            lambda x, p, base=10_000.0: _turn(x, p, base, halves=True),
            Text(
                "That is the pairing of Qwen3 and of the cell above. Here the pairs are 0 and 1, 2 and 3: x[:, 0::2], x[:, 1::2].",
                "这是 Qwen3 和上一个单元格的配对方式。这里是 0 和 1、2 和 3 配对：x[:, 0::2] 与 x[:, 1::2]。",
            ),
        ),
        Mistake(
            Text("Turned clockwise", "按顺时针转了"),
            lambda x, p, base=10_000.0: _turn(x, p, base, sign=-1),
            Text(
                "The minus belongs to the first row: (a cos - b sin, a sin + b cos).",
                "负号在第一行：(a cos - b sin, a sin + b cos)。",
            ),
        ),
        Mistake(
            Text("The exponent lacks the 2", "指数里少了 2"),
            lambda x, p, base=10_000.0: _turn(x, p, base, step=1),
            Text(
                "Pair i turns with base^(-2i/d). torch.arange(0, d, 2) gives the 2i.",
                "第 i 对的速度是 base^(-2i/d)。torch.arange(0, d, 2) 给出的就是 2i。",
            ),
        ),
        Mistake(
            Text("The exponent has the wrong sign", "指数的符号反了"),
            lambda x, p, base=10_000.0: _turn(x, p, base, step=-2),
            Text(
                "Later pairs turn more slowly: base^(-2i/d), with a minus.",
                "越靠后的对转得越慢：base^(-2i/d)，指数带负号。",
            ),
        ),
        Mistake(
            Text("The base is not used", "没有用到 base"),
            lambda x, p, base=10_000.0: _turn(x, p, 10_000.0),
            Text(
                "10,000 is only the default. Take base as it is given.",
                "10000 只是默认值。请使用传入的 base。",
            ),
        ),
        Mistake(
            Text("Put back as two halves", "放回时成了前后两半"),
            lambda x, p, base=10_000.0: _turn(x, p, base, side_by_side=False),
            Text(
                "The numbers are right, their places are not: the results belong at 0, 2, 4, … and at 1, 3, 5, …",
                "数都对，位置不对：结果要放回 0、2、4……和 1、3、5……",
            ),
        ),
        Mistake(
            Text("Overwritten too early", "覆盖得太早"),
            _overwritten,
            Text(
                "x[:, 0::2] is a view: once the even places are written, it holds the new numbers. Write into another tensor.",
                "x[:, 0::2] 是视图：偶数位置一写入，它就变成新值了。请写进另一个张量。",
            ),
        ),
        Mistake(
            Text("Both signs are plus", "两处都写成了加号"),
            _mirror,
            Text(
                "This is no rotation: lengths change. The first row is a cos MINUS b sin.",
                "这不是旋转，长度会改变。第一行应当是 a cos 减去 b sin。",
            ),
        ),
        Mistake(
            Text("Positions count from 1", "位置从 1 数起"),
            lambda x, p, base=10_000.0: _turn(x, p + 1, base),
            Text(
                "Position 0 is not turned at all. Take the positions as they are given.",
                "位置 0 处完全不转。请直接用给定的 positions。",
            ),
        ),
    ],
    hints=[
        Text(
            "angles = positions[:, None] * base ** (-torch.arange(0, d, 2) / d) has the shape (T, d/2).",
            "angles = positions[:, None] * base ** (-torch.arange(0, d, 2) / d)，形状为 (T, d/2)。",
        ),
        Text(
            "even, odd = x[:, 0::2], x[:, 1::2]. Write even*cos - odd*sin and even*sin + odd*cos back to the same places.",
            "even, odd = x[:, 0::2], x[:, 1::2]。把 even*cos - odd*sin 和 even*sin + odd*cos 写回原来的位置。",
        ),
    ],
    rtol=1e-4,
    atol=1e-5,
)

EXERCISES: list[Exercise] = [BPE_STEP, NEAREST, GRU_STEP, PADDED, MASK, HEADS, ROTARY]
