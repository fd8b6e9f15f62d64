"""Checks of lesson 08: bigrams, bits per character, the shifted loss, temperature, top-p, repetition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 08.1 a bigram model


def _bigrams_reference(tokens: Sequence[int], vocab_size: int, k: float) -> Tensor:
    pairs = list(itertools.pairwise(tokens))
    rows = []
    for first in range(vocab_size):
        seen = [second for one, second in pairs if one == first]
        rows.append([(seen.count(w) + k) / (len(seen) + k * vocab_size) for w in range(vocab_size)])
    return torch.tensor(rows)


def _bigrams_inputs() -> list[tuple]:
    return [
        ([0, 1, 0, 1, 1], 2, 1.0),
        ([0, 1, 2, 0, 1, 0, 1, 2, 2], 3, 0.5),
        ([3, 0, 3, 1, 3, 0, 0, 2, 3, 0], 5, 0.1),
    ]


def _pair_counts(tokens: Sequence[int], vocab_size: int) -> Tensor:
    counts = torch.zeros(vocab_size, vocab_size)
    for first, second in itertools.pairwise(tokens):
        counts[first, second] += 1
    return counts


def _over_first(tokens: Sequence[int], vocab_size: int, k: float) -> Tensor:
    counts = _pair_counts(tokens, vocab_size) + k
    return counts / counts.sum(dim=0, keepdim=True)


def _joint(tokens: Sequence[int], vocab_size: int, k: float) -> Tensor:
    counts = _pair_counts(tokens, vocab_size) + k
    return counts / counts.sum()


def _numerator_only(tokens: Sequence[int], vocab_size: int, k: float) -> Tensor:
    counts = _pair_counts(tokens, vocab_size)
    return (counts + k) / (counts.sum(dim=1, keepdim=True) + k)


def _transposed(tokens: Sequence[int], vocab_size: int, k: float) -> Tensor:
    counts = _pair_counts(tokens, vocab_size).T + k
    return counts / counts.sum(dim=1, keepdim=True)


def _unsmoothed(tokens: Sequence[int], vocab_size: int, k: float) -> Tensor:
    counts = _pair_counts(tokens, vocab_size)
    return counts / counts.sum(dim=1, keepdim=True)


def _last_counted(tokens: Sequence[int], vocab_size: int, k: float) -> Tensor:
    occurrences = torch.bincount(torch.tensor(tokens), minlength=vocab_size)[:, None]
    return (_pair_counts(tokens, vocab_size) + k) / (occurrences + k * vocab_size)


BIGRAMS = Exercise(
    id="08.1",
    title=Text("A bigram model with smoothing", "带平滑的二元模型"),
    difficulty=1,
    minutes=8,
    reference=_bigrams_reference,
    inputs=_bigrams_inputs,
    mistakes=[
        Mistake(
            Text("No smoothing", "没有做平滑"),
            _unsmoothed,
            Text(
                "A pair that was never seen gets the probability 0, and one such pair makes the whole text "
                "impossible. Add k to every count first.",
                "没见过的词对概率为 0，只要出现一个，整段文本的概率就成了 0。请先给每个计数加上 k。",
            ),
        ),
        Mistake(
            Text("k is added once to the denominator", "分母只加了一个 k"),
            _numerator_only,
            Text(
                "Every one of the V words got k, so a row holds k * V more. Its probabilities must add up to 1.",
                "V 个词每个都加了 k，一行里就多了 k * V。每行的概率之和必须等于 1。",
            ),
        ),
        Mistake(
            Text("The last token counts in the denominator", "分母把最后一个词元也算了进去"),
            _last_counted,
            Text(
                "Nothing follows the last token, so it is no first half of a pair. Divide by the sum of the row's counts.",
                "最后一个词元后面没有词，不构成词对。分母应当是该行计数之和。",
            ),
        ),
        Mistake(
            Text("Normalized over the first word", "对前一个词做了归一化"),
            _over_first,
            Text(
                "Each row belongs to one first word, and the row must add up to 1: sum over dim=1.",
                "每一行对应一个“前词”，应当是每行之和为 1：沿 dim=1 求和。",
            ),
        ),
        Mistake(
            Text("Probabilities of pairs, not of the next word", "算成了词对的联合概率"),
            _joint,
            Text(
                "All V * V numbers together add up to 1. Asked is p(second | first): divide each row by its own sum.",
                "现在是全部 V * V 个数加起来为 1。题目要的是 p(后词 | 前词)：每一行除以该行之和。",
            ),
        ),
        Mistake(
            Text("First and second are swapped", "前词和后词写反了"),
            _transposed,
            Text(
                "Row h, column w must hold p(w | h): the word that stands first chooses the row.",
                "第 h 行第 w 列应当是 p(w | h)：由前面的词决定在哪一行。",
            ),
        ),
    ],
    hints=[
        Text(
            "Count the pairs (tokens[i], tokens[i + 1]) into a table with a row for each first word.",
            "把词对 (tokens[i], tokens[i + 1]) 计入一张表，每个前词占一行。",
        ),
        Text(
            "counts[tokens[i], tokens[i + 1]] += 1 for each i; then counts + k, divided by its sum over dim=1 "
            "with keepdim=True.",
            "对每个 i：counts[tokens[i], tokens[i + 1]] += 1；然后 counts + k，"
            "除以它沿 dim=1 的和（keepdim=True）。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 08.2 bits per character


def _bits_reference(nats: Tensor, text: str) -> float:
    return sum(math.log2(math.exp(value)) for value in nats.tolist()) / len(text)


def _bits_inputs() -> list[tuple]:
    ln2 = math.log(2)
    return [
        (torch.tensor([2 * ln2, 4 * ln2]), "bread"),
        (torch.tensor([0.5, 1.5, 3.0]), "the baker"),
        (torch.tensor([2.0, 1.0, 4.0, 0.5]), "面包师卖面包"),
    ]


BITS = Exercise(
    id="08.2",
    title=Text("Bits per character from nats", "由奈特计算每字符比特数"),
    difficulty=1,
    minutes=6,
    reference=_bits_reference,
    inputs=_bits_inputs,
    mistakes=[
        Mistake(
            Text("Divided by the number of tokens", "除以了词元个数"),
            lambda nats, text: float(nats.sum()) / (len(nats) * math.log(2)),
            Text(
                "This is bits per token. A tokenizer with longer tokens would look worse for the same text: divide by "
                "the characters.",
                "这是每词元的比特数。同一段文本，词元切得越长，数字看起来就越差。应当除以字符数。",
            ),
        ),
        Mistake(
            Text("Still nats", "单位仍是奈特"),
            lambda nats, text: float(nats.sum()) / len(text),
            Text(
                "The natural logarithm counts in nats. One bit is ln 2 = 0.6931 nats: divide by it.",
                "自然对数的单位是奈特。1 比特等于 ln 2 = 0.6931 奈特，请除以它。",
            ),
        ),
        Mistake(
            Text("Multiplied by ln 2", "乘了 ln 2"),
            lambda nats, text: float(nats.sum()) * math.log(2) / len(text),
            Text(
                "A bit is smaller than a nat, so there must be more of them: divide by ln 2.",
                "比特比奈特小，换算后数字应当变大：要除以 ln 2。",
            ),
        ),
        Mistake(
            Text("The mean of the tokens is divided by the characters", "先按词元取平均，又除以字符数"),
            lambda nats, text: float(nats.mean()) / (len(text) * math.log(2)),
            Text(
                "The text costs the *sum* over its tokens. Dividing by tokens and by characters divides twice.",
                "整段文本的代价是各词元之*和*。既除以词元数又除以字符数，就除了两次。",
            ),
        ),
        Mistake(
            Text("Bytes instead of characters", "数的是字节，不是字符"),
            lambda nats, text: float(nats.sum()) / (len(text.encode()) * math.log(2)),
            Text(
                "A Chinese character has three bytes in UTF-8. len(text) counts characters.",
                "一个汉字在 UTF-8 里占三个字节。len(text) 数的才是字符。",
            ),
        ),
    ],
    hints=[
        Text(
            "What does the whole text cost in nats? And in bits? Then share it out among its characters.",
            "整段文本的代价一共是多少奈特？合多少比特？再平均分给每个字符。",
        ),
        Text(
            "The sum of nats, divided by math.log(2) and by len(text).",
            "nats 求和，除以 math.log(2)，再除以 len(text)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 08.3 the loss of the next token


def _shift_reference(logits: Tensor, tokens: Tensor) -> Tensor:
    costs = [
        -torch.log_softmax(logits[row, place], dim=0)[tokens[row, place + 1]]
        for row in range(len(tokens))
        for place in range(tokens.shape[1] - 1)
    ]
    return torch.stack(costs).mean()


def _shift_inputs() -> list[tuple]:
    draw = torch.Generator().manual_seed(0)
    return [
        (torch.tensor([[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [3.0, 0.0, 0.0]]]), torch.tensor([[0, 1, 1]])),
        (
            torch.randn(2, 4, 3, generator=draw),
            torch.tensor([[0, 2, 1, 1], [2, 0, 0, 1]]),
        ),
        (torch.randn(3, 6, 5, generator=draw), torch.randint(5, (3, 6), generator=draw)),
    ]


_SAME_END = Text(
    "Position t is still asked for token t, which it has read. Drop the last logits, but the first token.",
    "位置 t 预测的仍是第 t 个词元，而它已经读过了。logits 去掉最后一个位置，词元去掉第一个。",
)

SHIFT = Exercise(
    id="08.3",
    title=Text("The loss of the next token", "下一个词元的损失"),
    difficulty=2,
    minutes=8,
    reference=_shift_reference,
    inputs=_shift_inputs,
    mistakes=[
        Mistake(
            Text("The targets are not shifted", "目标没有错开一位"),
            lambda logits, tokens: F.cross_entropy(logits.flatten(0, 1), tokens.flatten()),
            Text(
                "The model is asked for the token that it has just read. It learns to copy, its loss goes to 0, and it "
                "can write nothing. Position t must predict token t + 1.",
                "这是在问模型“你刚读到的是哪个词元”。它只学会照抄，损失趋于 0，却什么也写不出来。"
                "位置 t 应当预测第 t + 1 个词元。",
            ),
        ),
        Mistake(
            Text("Shifted the wrong way", "错开的方向反了"),
            lambda logits, tokens: F.cross_entropy(logits[:, 1:].flatten(0, 1), tokens[:, :-1].flatten()),
            Text(
                "Position t is asked for token t - 1, which it has read already. Drop the last logits and the first token.",
                "这是让位置 t 预测第 t - 1 个词元，而它早就读过了。应当去掉最后一个位置的 logits 和第一个词元。",
            ),
        ),
        Mistake(
            Text("Both are cut at the front", "两边都去掉了开头"),
            lambda logits, tokens: F.cross_entropy(logits[:, 1:].flatten(0, 1), tokens[:, 1:].flatten()),
            _SAME_END,
        ),
        Mistake(
            Text("Both are cut at the end", "两边都去掉了末尾"),
            lambda logits, tokens: F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, :-1].flatten()),
            _SAME_END,
        ),
        Mistake(
            Text("Flattened before the shift", "先展平，再错位"),
            lambda logits, tokens: F.cross_entropy(logits.flatten(0, 1)[:-1], tokens.flatten()[1:]),
            Text(
                "The last position of each row is now asked for the first token of the next row. Shift along dim=1, then "
                "flatten.",
                "这样每一行的最后一个位置要去预测下一行的第一个词元。应当先沿 dim=1 错位，再展平。",
            ),
        ),
        Mistake(
            Text("Softmax before the cross-entropy", "在交叉熵之前先做了 softmax"),
            lambda logits, tokens: F.cross_entropy(
                logits[:, :-1].softmax(dim=-1).flatten(0, 1), tokens[:, 1:].flatten()
            ),
            Text(
                "F.cross_entropy takes logits and does the softmax itself. Hand it the logits as they are.",
                "F.cross_entropy 接收的是 logits，softmax 由它来做。请直接传入 logits。",
            ),
        ),
        Mistake(
            Text("Divided by T, not by T - 1", "除以了 T，而不是 T - 1"),
            lambda logits, tokens: (
                F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum")
                / tokens.numel()
            ),
            Text(
                "The last position has no target, so a row has T - 1 costs, not T.",
                "最后一个位置没有目标，所以一行只有 T - 1 个代价，不是 T 个。",
            ),
        ),
        Mistake(
            Text("The targets wrap around", "目标首尾相接了"),
            lambda logits, tokens: F.cross_entropy(
                logits.flatten(0, 1), torch.roll(tokens, -1, dims=1).flatten()
            ),
            Text(
                "roll brings the first token to the end: the last position must predict how the text began. It has no "
                "target at all; leave it out.",
                "roll 把第一个词元转到了末尾，最后一个位置就要去猜文本的开头。它根本没有目标，应当去掉。",
            ),
        ),
        Mistake(
            Text("Summed, not averaged", "求了和，没有取平均"),
            lambda logits, tokens: F.cross_entropy(
                logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum"
            ),
            Text(
                "The sum grows with the batch, so that the learning rate would have to shrink with it. Take the mean "
                "over all B * (T - 1) positions.",
                "总和会随批次变大而变大，学习率就得跟着调小。请对全部 B * (T - 1) 个位置取平均。",
            ),
        ),
    ],
    hints=[
        Text(
            "Which token does position 0 predict? And the last position, where is its target?",
            "位置 0 预测的是哪个词元？最后一个位置的目标又在哪里？",
        ),
        Text(
            "F.cross_entropy of logits[:, :-1].flatten(0, 1) and tokens[:, 1:].flatten().",
            "对 logits[:, :-1].flatten(0, 1) 和 tokens[:, 1:].flatten() 求 F.cross_entropy。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 08.4 temperature


def _temperature_reference(logits: Tensor, temperature: float) -> Tensor:
    largest = max(logits.tolist())
    weights = [math.exp((z - largest) / temperature) for z in logits.tolist()]
    return torch.tensor([weight / sum(weights) for weight in weights])


def _temperature_inputs() -> list[tuple]:
    return [
        (torch.tensor([1.0, 0.0]), 0.5),
        (torch.tensor([2.0, 1.0, -1.0]), 2.0),
        (torch.tensor([40.0, 38.0, 0.0, -5.0]), 0.25),  # exp(160) is no float32
    ]


TEMPERATURE = Exercise(
    id="08.4",
    title=Text("Softmax with a temperature", "带温度的 softmax"),
    difficulty=1,
    minutes=6,
    reference=_temperature_reference,
    inputs=_temperature_inputs,
    mistakes=[
        Mistake(
            Text("Multiplied by the temperature", "乘了温度"),
            lambda logits, temperature: torch.softmax(logits * temperature, dim=0),
            Text(
                "Now a low temperature makes the text wild. Divide: a small T must make the differences larger.",
                "这样温度越低，文本反而越乱。应当用除法：T 越小，差距越大。",
            ),
        ),
        Mistake(
            Text("The probabilities are divided", "除的是概率"),
            lambda logits, temperature: torch.softmax(logits, dim=0) / temperature,
            Text(
                "These do not add up to 1, and their ratios are as before. The temperature divides the logits, before softmax.",
                "这样相加不等于 1，比例也没有变。应当先用 logits 除以温度，再做 softmax。",
            ),
        ),
        Mistake(
            Text("Softmax twice", "做了两次 softmax"),
            lambda logits, temperature: torch.softmax(torch.softmax(logits, dim=0) / temperature, dim=0),
            Text(
                "Probabilities lie between 0 and 1, so a softmax over them is nearly flat. Divide the logits instead.",
                "概率都在 0 和 1 之间，对它们再做 softmax 几乎就拉平了。应当用 logits 除以温度。",
            ),
        ),
        Mistake(
            Text("The exponentials overflow", "指数溢出了"),
            lambda logits, temperature: (
                torch.exp(logits / temperature) / torch.exp(logits / temperature).sum()
            ),
            Text(
                "exp of a large logit is inf, and inf / inf is nan. Use torch.softmax, which subtracts the largest first.",
                "很大的 logit 取指数会变成 inf，而 inf / inf 是 nan。请用 torch.softmax，它会先减去最大值。",
            ),
        ),
    ],
    hints=[
        Text(
            "Does the temperature belong before or after the softmax? What should T = 0.01 do to the largest logit?",
            "温度应当放在 softmax 之前还是之后？T = 0.01 时，最大的 logit 应当怎样？",
        ),
        Text(
            "torch.softmax(logits / temperature, dim=0).",
            "先除以温度，再做 softmax：torch.softmax(logits / temperature, dim=0)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 08.5 top-p


def _top_p_reference(probabilities: Tensor, p: float) -> Tensor:
    values = probabilities.tolist()
    kept, total = [], 0.0
    for token in sorted(range(len(values)), key=lambda one: -values[one]):
        kept.append(token)
        total += values[token]
        if total >= p:
            break
    return torch.tensor([values[token] / total if token in kept else 0.0 for token in range(len(values))])


def _top_p_inputs() -> list[tuple]:
    # Sums of powers of two: no rounding decides which token is the last.
    return [
        (torch.tensor([0.25, 0.5, 0.25 / 2, 0.25 / 2]), 0.7),
        (torch.tensor([0.0625, 0.125, 0.5, 0.1875, 0.125]), 0.65),
        (torch.tensor([0.03125, 0.9375, 0.03125]), 0.9),
    ]


def _top_p_sorted(probabilities: Tensor, p: float) -> tuple[Tensor, Tensor, Tensor]:
    ordered, order = probabilities.sort(descending=True)
    return ordered, order, ordered.cumsum(0)


def _keep(probabilities: Tensor, order: Tensor, keep: Tensor, normalize: bool = True) -> Tensor:
    kept = torch.zeros_like(probabilities)
    kept[order[keep]] = probabilities[order[keep]]
    return kept / kept.sum() if normalize else kept


def _without_last(probabilities: Tensor, p: float) -> Tensor:
    _, order, sums = _top_p_sorted(probabilities, p)
    return _keep(probabilities, order, sums <= p)


def _not_normalized(probabilities: Tensor, p: float) -> Tensor:
    ordered, order, sums = _top_p_sorted(probabilities, p)
    return _keep(probabilities, order, sums - ordered < p, normalize=False)


def _unsorted(probabilities: Tensor, p: float) -> Tensor:
    sums = probabilities.cumsum(0)
    return _keep(probabilities, torch.arange(len(probabilities)), sums - probabilities < p)


def _mask_in_sorted_order(probabilities: Tensor, p: float) -> Tensor:
    ordered, _, sums = _top_p_sorted(probabilities, p)
    kept = torch.where(sums - ordered < p, probabilities, torch.zeros(()))
    return kept / kept.sum()


def _without_last_but_one(probabilities: Tensor, p: float) -> Tensor:
    _, order, sums = _top_p_sorted(probabilities, p)
    keep = sums <= p
    keep[0] = True
    return _keep(probabilities, order, keep)


def _left_sorted(probabilities: Tensor, p: float) -> Tensor:
    ordered, _, sums = _top_p_sorted(probabilities, p)
    return _keep(ordered, torch.arange(len(ordered)), sums - ordered < p)


def _threshold(probabilities: Tensor, p: float) -> Tensor:
    return _keep(probabilities, torch.arange(len(probabilities)), probabilities >= p)


def _tail(probabilities: Tensor, p: float) -> Tensor:
    ordered, order, sums = _top_p_sorted(probabilities, p)
    return _keep(probabilities, order, sums - ordered >= p)


TOP_P = Exercise(
    id="08.5",
    title=Text("Top-p", "核采样（top-p）"),
    difficulty=2,
    minutes=12,
    reference=_top_p_reference,
    inputs=_top_p_inputs,
    mistakes=[
        Mistake(
            Text("The token that crosses p is dropped", "丢掉了刚好越过 p 的那个词元"),
            _without_last,
            Text(
                "What is left sums to less than p, and where one token alone is above p nothing is left at all. Keep a "
                "token when the sum *before* it is below p.",
                "这样剩下的概率之和不到 p；要是有一个词元自己就超过 p，就什么也不剩了。"
                "判断标准是：排在它*之前*的概率之和小于 p，就保留它。",
            ),
        ),
        Mistake(
            Text(
                "The token that crosses p is dropped, unless it is the first",
                "丢掉了刚好越过 p 的词元，除非它是第一个",
            ),
            _without_last_but_one,
            Text(
                "What is left sums to less than p. Keep a token when the sum *before* it is below p.",
                "这样剩下的概率之和不到 p。判断标准是：排在它*之前*的概率之和小于 p，就保留它。",
            ),
        ),
        Mistake(
            Text("Each probability is compared with p", "拿每个概率与 p 比较"),
            _threshold,
            Text(
                "p bounds the sum of what is kept, not the single probability: add up from the likeliest on.",
                "p 限定的是保留部分的概率之和，不是单个概率：要从最可能的开始累加。",
            ),
        ),
        Mistake(
            Text("Left in sorted order", "结果还是排序后的顺序"),
            _left_sorted,
            Text(
                "Each probability belongs to its token: put ordered[i] back at place order[i].",
                "每个概率属于它的词元：请把 ordered[i] 放回 order[i] 处。",
            ),
        ),
        Mistake(
            Text("Not normalized", "没有重新归一化"),
            _not_normalized,
            Text(
                "The probabilities that are kept add up to less than 1. Divide them by their sum.",
                "保留下来的概率之和小于 1。请除以它们的和。",
            ),
        ),
        Mistake(
            Text("The sum runs in the order of the ids", "按词元编号的顺序累加了"),
            _unsorted,
            Text(
                "Tokens are numbered by the tokenizer, not by likelihood. Sort first: the likeliest come first.",
                "编号是分词器定的，与概率大小无关。请先排序，概率大的排在前面。",
            ),
        ),
        Mistake(
            Text("The mask stays in sorted order", "掩码没有换回原来的顺序"),
            _mask_in_sorted_order,
            Text(
                "Place i of the sorted list is token order[i], not token i. Carry the mask back through `order`.",
                "排序后的第 i 位是词元 order[i]，不是词元 i。请用 `order` 把掩码换回原来的位置。",
            ),
        ),
        Mistake(
            Text("The tail is kept", "留下的是尾部"),
            _tail,
            Text(
                "This keeps the unlikely tokens and throws the likely ones away. Turn the comparison round.",
                "这样留下的是小概率词元，大概率的反而扔掉了。请把不等号反过来。",
            ),
        ),
    ],
    hints=[
        Text(
            "Sort from likely to unlikely and add up. Which tokens stand before the sum reaches p? Does the one "
            "that crosses it belong to them?",
            "从大到小排序，再累加。在和达到 p 之前有哪些词元？刚好越过 p 的那个算不算？",
        ),
        Text(
            "ordered, order = probabilities.sort(descending=True); keep = ordered.cumsum(0) - ordered < p.",
            "先排序，再看“排在前面的和”：ordered, order = probabilities.sort(descending=True)；keep = ordered.cumsum(0) - ordered < p。",
        ),
        Text(
            "kept = torch.zeros_like(probabilities); kept[order[keep]] = ordered[keep]; then divide by the sum.",
            "kept = torch.zeros_like(probabilities)；kept[order[keep]] = ordered[keep]；最后除以总和。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 08.6 repetition


def _repetition_reference(tokens: Sequence[int], n: int) -> float:
    seen: set[tuple[int, ...]] = set()
    again = total = 0
    for start in range(len(tokens) - n + 1):
        gram = tuple(tokens[start : start + n])
        again += gram in seen
        seen.add(gram)
        total += 1
    return again / total


def _repetition_inputs() -> list[tuple]:
    return [
        ([1, 2, 1, 2, 3], 2),
        ([5, 5, 5, 5], 1),
        ([4, 1, 4, 1, 2, 1, 4, 1], 3),
        ([0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 4], 4),
    ]


def _grams(tokens: Sequence[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]


def _involved(tokens: Sequence[int], n: int) -> float:
    grams = _grams(tokens, n)
    return sum(grams.count(gram) > 1 for gram in grams) / len(grams)


def _disjoint(tokens: Sequence[int], n: int) -> float:
    grams = [tuple(tokens[start : start + n]) for start in range(0, len(tokens), n)]
    return 1 - len(set(grams)) / len(grams)


REPETITION = Exercise(
    id="08.6",
    title=Text("Repetition", "重复率"),
    difficulty=2,
    minutes=8,
    reference=_repetition_reference,
    inputs=_repetition_inputs,
    mistakes=[
        Mistake(
            Text("This is the share of different n-grams", "算成了不同 n 元组的比例"),
            lambda tokens, n: len(set(_grams(tokens, n))) / len(_grams(tokens, n)),
            Text(
                "That is distinct-n. A text that repeats nothing must score 0 here: take 1 minus it.",
                "那是 distinct-n。没有任何重复的文本，这里应当得 0：用 1 减去它。",
            ),
        ),
        Mistake(
            Text("The first occurrence counts too", "把第一次出现也算进去了"),
            _involved,
            Text(
                "Said for the first time, an n-gram is no repetition. Count it from its second time on.",
                "n 元组第一次出现不算重复，从第二次起才算。",
            ),
        ),
        Mistake(
            Text("Each different n-gram counts once", "每种 n 元组只算了一次"),
            lambda tokens, n: (
                sum(_grams(tokens, n).count(gram) > 1 for gram in set(_grams(tokens, n)))
                / len(set(_grams(tokens, n)))
            ),
            Text(
                "Asked is a share of all windows of the text, not of the different n-grams: one that stands there three "
                "times is repeated twice.",
                "题目问的是占全部窗口的比例，而不是占不同 n 元组的比例：出现三次的，就重复了两次。",
            ),
        ),
        Mistake(
            Text("The last n-gram is missing", "漏了最后一个 n 元组"),
            lambda tokens, n: 1 - len(set(_grams(tokens[:-1], n))) / len(_grams(tokens[:-1], n)),
            Text(
                "A list of N tokens has N - n + 1 n-grams: range(len(tokens) - n + 1).",
                "N 个词元有 N - n + 1 个 n 元组：range(len(tokens) - n + 1)。",
            ),
        ),
        Mistake(
            Text("Divided by the number of tokens", "除以了词元个数"),
            lambda tokens, n: 1 - len(set(_grams(tokens, n))) / len(tokens),
            Text(
                "A text of N tokens has N - n + 1 n-grams, not N.",
                "N 个词元的文本有 N - n + 1 个 n 元组，不是 N 个。",
            ),
        ),
        Mistake(
            Text("The n-grams do not overlap", "n 元组没有重叠着取"),
            _disjoint,
            Text(
                "A window begins at every token, not at every n-th one; otherwise a repetition that lies across two "
                "windows is missed.",
                "每个词元处都要开始一个窗口，而不是每隔 n 个才开始，否则跨窗口的重复就漏掉了。",
            ),
        ),
    ],
    hints=[
        Text(
            "Write down all n-grams of [1, 2, 1, 2, 3] for n = 2. Which of them stood there before?",
            "写出 [1, 2, 1, 2, 3] 在 n = 2 时的全部 n 元组。哪些在前面已经出现过？",
        ),
        Text(
            "grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]; compare len(set(grams)) with "
            "len(grams).",
            "grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]；比较 len(set(grams)) 与 len(grams)。",
        ),
    ],
)

EXERCISES = [BIGRAMS, BITS, SHIFT, TEMPERATURE, TOP_P, REPETITION]
