"""Checks of lesson 09: what is read, the additive score, the loss of a padded batch, a step of beam search, a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 09.1 what is read

Exchanges = Sequence[tuple[str, str]]


def _read_reference(exchanges: Exchanges, said: str, memory: int) -> list[str]:
    texts = [said]
    for back, (question, reply) in enumerate(reversed(exchanges)):
        if back < memory:
            texts = [question, reply, *texts]
    return texts


def _read_inputs() -> list[tuple]:
    three = [("Hello", "Hi!"), ("Where is Ann?", "At home."), ("And Bo?", "At work.")]
    return [
        ([("Hello", "Hi!")], "Who are you?", 1),
        (three, "And when?", 1),
        (three, "And when?", 0),
        (three, "And when?", 2),
        (three[:2], "And when?", 5),
        ([], "Hello", 3),
    ]


def _turns(pairs: Exchanges) -> list[str]:
    return [text for pair in pairs for text in pair]


READ = Exercise(
    id="09.1",
    title=Text("What is read", "读入的内容"),
    difficulty=1,
    minutes=6,
    reference=_read_reference,
    inputs=_read_inputs,
    mistakes=[
        Mistake(
            Text("A memory of 0 reads everything", "记忆为 0 时读了全部"),
            lambda exchanges, said, memory: [*_turns(exchanges[-memory:]), said],
            Text(
                "exchanges[-0:] is exchanges[0:], the whole list. Count from the front: exchanges[len(exchanges) - memory:], at least from 0.",
                "exchanges[-0:] 就是 exchanges[0:]，也就是整个列表。从前面数：exchanges[len(exchanges) - memory:]，起点不小于 0。",
            ),
        ),
        Mistake(
            Text("Turns were counted, not exchanges", "数的是句，不是轮"),
            lambda exchanges, said, memory: [*(_turns(exchanges)[-memory:] if memory else []), said],
            Text(
                "An exchange is two turns: what was said and the reply. With a memory of 1 both are read.",
                "一轮有两句：说的话和回复。记忆为 1 时两句都要读。",
            ),
        ),
        Mistake(
            Text("The oldest exchanges, not the last", "取了最早的几轮"),
            lambda exchanges, said, memory: [*_turns(exchanges[:memory]), said],
            Text(
                "exchanges[:memory] is how the conversation began. What matters was said just now.",
                "exchanges[:memory] 是对话的开头；要的是刚刚说过的。",
            ),
        ),
        Mistake(
            Text("The newest comes first", "先后次序颠倒了"),
            lambda exchanges, said, memory: [
                said,
                *_turns(list(reversed(exchanges))[:memory]),
            ],
            Text(
                "The network learned to read in the order in which things were said, with the new turn last.",
                "网络学的是按说出的先后来读，新说的一句放在最后。",
            ),
        ),
        Mistake(
            Text("The new turn is missing", "漏了新说的一句"),
            lambda exchanges, said, memory: _turns(exchanges[max(0, len(exchanges) - memory) :]),
            Text(
                "There would be nothing to answer: said comes last.",
                "没有它就没有要回答的问题：said 放在最后。",
            ),
        ),
        Mistake(
            Text("Only what the person said is read", "只读了对方的话"),
            lambda exchanges, said, memory: [
                *(question for question, _ in exchanges[max(0, len(exchanges) - memory) :]),
                said,
            ],
            Text(
                "The replies count as well: the name may be in the reply alone.",
                "回复也要读：名字可能只出现在回复里。",
            ),
        ),
    ],
    hints=[
        Text(
            "Which exchanges are the last `memory` ones? Try your slice for 0, and for more than there are.",
            "最后 memory 轮是哪几轮？用 0 试一试你的切片，再用超过总轮数的值试一试。",
        ),
        Text(
            "kept = exchanges[max(0, len(exchanges) - memory):], then both texts of each, then said.",
            "kept = exchanges[max(0, len(exchanges) - memory):]，依次放入每轮的两句，最后放 said。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 09.2 the additive score


def _score_reference(s: Tensor, h: Tensor, w_s: Tensor, w_h: Tensor, v: Tensor) -> Tensor:
    """Place by place, as the formula stands."""
    rows = [[(v * torch.tanh(w_s @ s[b] + w_h @ place)).sum() for place in h[b]] for b in range(len(h))]
    return torch.stack([torch.stack(row) for row in rows])


def _score_inputs() -> list[tuple]:
    draw = torch.Generator().manual_seed(9)
    cases = [
        (
            torch.tensor([[0.5, 0.0]]),
            torch.tensor([[[0.5, 0.0], [-0.5, 0.5]]]),
            torch.eye(2),
            torch.eye(2),
            torch.tensor([1.0, 1.0]),
        )
    ]
    for B, S, H, K, A in ((1, 3, 2, 4, 3), (3, 5, 4, 6, 2)):
        shapes = ((B, H), (B, S, K), (A, H), (A, K), (A,))
        cases.append(tuple(torch.randn(*shape, generator=draw) for shape in shapes))
    return cases


ADDITIVE = Exercise(
    id="09.2",
    title=Text("The additive score", "加性得分"),
    difficulty=2,
    minutes=8,
    reference=_score_reference,
    inputs=_score_inputs,
    mistakes=[
        Mistake(
            Text("tanh is missing", "漏了 tanh"),
            lambda s, h, w_s, w_h, v: ((s @ w_s.T)[:, None] + h @ w_h.T) @ v,
            Text(
                "Without it the part of s is the same number for every place, and softmax takes it out again: s would not matter.",
                "没有 tanh，s 那一部分对每个位置都是同一个数，经过 softmax 就消掉了：s 等于没用。",
            ),
        ),
        Mistake(
            Text("tanh of each part before they are added", "先各取 tanh 再相加"),
            lambda s, h, w_s, w_h, v: (torch.tanh(s @ w_s.T)[:, None] + torch.tanh(h @ w_h.T)) @ v,
            Text(
                "Then s and h do not meet: the part of s is again the same for every place. Add first, then tanh.",
                "这样 s 与 h 没有相遇，s 的部分对每个位置仍然相同。先相加，再取 tanh。",
            ),
        ),
        Mistake(
            Text("Multiplied instead of added", "相加写成了相乘"),
            lambda s, h, w_s, w_h, v: torch.tanh((s @ w_s.T)[:, None] * (h @ w_h.T)) @ v,
            Text(
                "The product of s and h belongs to multiplicative attention, which has no tanh.",
                "s 与 h 相乘是乘性注意力的做法，那里没有 tanh。",
            ),
        ),
        Mistake(
            Text("Weights instead of scores", "给出的是权重，不是得分"),
            lambda s, h, w_s, w_h, v: (torch.tanh((s @ w_s.T)[:, None] + h @ w_h.T) @ v).softmax(1),
            Text(
                "Softmax comes afterwards, when the padding has been left out.",
                "softmax 在后面做，先要把填充排除掉。",
            ),
        ),
        Mistake(
            Text("v is left out", "漏了 v"),
            lambda s, h, w_s, w_h, v: torch.tanh((s @ w_s.T)[:, None] + h @ w_h.T).sum(-1),
            Text(
                "The sum takes each component once; v says how much each counts.",
                "直接求和等于每个分量一样重；各占多少由 v 决定。",
            ),
        ),
    ],
    hints=[
        Text(
            "s @ w_s.T is (B, A), h @ w_h.T is (B, S, A). What does the first lack to be added?",
            "s @ w_s.T 是 (B, A)，h @ w_h.T 是 (B, S, A)。要相加，前者还缺哪个轴？",
        ),
        Text(
            "In one line: torch.tanh((s @ w_s.T)[:, None] + h @ w_h.T) @ v",
            "一行写完：torch.tanh((s @ w_s.T)[:, None] + h @ w_h.T) @ v",
        ),
    ],
    atol=1e-6,
)

# ---------------------------------------------------------------------------------------------------------------
# 09.3 the loss of a padded batch


def _loss_reference(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)


def _loss_inputs() -> list[tuple]:
    draw = torch.Generator().manual_seed(3)
    targets = ([[2, 0, 0]], [[1, 2, 3, 1], [2, 0, 0, 0]], [[3, 3, 1, 2, 4], [1, 2, 0, 0, 0], [4, 0, 0, 0, 0]])
    return [(torch.randn(len(rows), len(rows[0]), 5, generator=draw), torch.tensor(rows)) for rows in targets]


def _costs(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")


PADDED_LOSS = Exercise(
    id="09.3",
    title=Text("The loss of a padded batch", "带填充批次的损失"),
    difficulty=2,
    minutes=10,
    reference=_loss_reference,
    inputs=_loss_inputs,
    mistakes=[
        Mistake(
            Text("Padding counts as a target", "填充也算进了目标"),
            lambda logits, targets: _costs(logits, targets).mean(),
            Text(
                "The network would be paid for writing padding, and the loss would depend on how long the longest reply of the batch is.",
                "这样网络靠写填充就能得分，而且损失会随批次里最长的回复变化。",
            ),
        ),
        Mistake(
            Text("Divided by all places", "除以了全部位置数"),
            lambda logits, targets: (_costs(logits, targets) * (targets != 0)).sum() / targets.numel(),
            Text(
                "The padding is out of the sum but still in the count. Divide by the number of real targets.",
                "填充从总和里去掉了，却还留在个数里。要除以真实目标的个数。",
            ),
        ),
        Mistake(
            Text("The mean of each reply first", "先对每句求了平均"),
            lambda logits, targets: (
                (_costs(logits, targets) * (targets != 0)).sum(1) / (targets != 0).sum(1)
            ).mean(),
            Text(
                "Then a token of a short reply weighs more than one of a long reply. Here each token counts the same.",
                "这样短句里的词元比长句里的更重。这里要求每个词元一样重。",
            ),
        ),
        Mistake(
            Text("A sum, not a mean", "求了和，没有平均"),
            lambda logits, targets: (_costs(logits, targets) * (targets != 0)).sum(),
            Text(
                "A batch with more tokens would have a larger gradient. Divide by their number.",
                "词元多的批次梯度会更大。要除以词元数。",
            ),
        ),
        Mistake(
            Text("Logits were taken for log p", "把 logits 当成了 log p"),
            lambda logits, targets: -logits.gather(2, targets[:, :, None]).squeeze(2)[targets != 0].mean(),
            Text(
                "Logits are not normalised: take log_softmax over the vocabulary first.",
                "logits 没有归一化：先在词表方向上做 log_softmax。",
            ),
        ),
        Mistake(
            Text("Divided by the number of replies", "除以了句数"),
            lambda logits, targets: (_costs(logits, targets) * (targets != 0)).sum() / len(targets),
            Text(
                "This is the mean cost of a reply, not of a token.",
                "这是每句回复的平均代价，不是每个词元的。",
            ),
        ),
    ],
    hints=[
        Text(
            "First the cost of every place (B, T); then choose those where targets != 0.",
            "先求每个位置的代价 (B, T)，再取 targets != 0 的那些。",
        ),
        Text(
            "costs = -logits.log_softmax(-1).gather(2, targets[:, :, None]).squeeze(2); then costs[targets != 0].mean()",
            "costs = -logits.log_softmax(-1).gather(2, targets[:, :, None]).squeeze(2)；再取 costs[targets != 0].mean()",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 09.4 one step of beam search

Found = list[tuple[int, int]]


def _beam_reference(scores: Tensor, logits: Tensor) -> Found:
    every = []
    for beam, row in enumerate(logits):
        total = row.exp().sum().log()
        every += [(float(scores[beam] + value - total), beam, token) for token, value in enumerate(row)]
    return [(beam, token) for _, beam, token in sorted(every, reverse=True)[: len(scores)]]


def _beam_inputs() -> list[tuple]:
    def case(scores: list[float], probabilities: list[list[float]], shift: float = 0.0) -> tuple:
        shifts = torch.arange(len(scores))[:, None] * shift  # logits are log p up to a number for each row
        return torch.tensor(scores), torch.tensor(probabilities).log() + shifts

    return [
        case([-0.5, -0.9], [[0.4, 0.35, 0.25], [0.9, 0.06, 0.04]]),
        case([-0.1, -3.0], [[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]]),
        case([0.0, -0.8], [[0.6, 0.3, 0.1], [0.9, 0.06, 0.04]]),
        case([-2.0, -0.3], [[0.7, 0.2, 0.1], [0.25, 0.15, 0.6]], shift=-6.0),
        case([-1.0, -1.2, -0.2], [[0.97, 0.01, 0.02], [0.3, 0.4, 0.3], [0.1, 0.45, 0.45 - 1e-3]], shift=5.0),
    ]


def _pairs_of(best: Tensor, V: int) -> Found:
    return [(index // V, index % V) for index in best.flatten().tolist()]


def _each_beam_its_own(scores: Tensor, logits: Tensor) -> Found:
    totals = scores[:, None] + logits.log_softmax(-1)
    best = totals.max(1)
    order = best.values.sort(descending=True).indices.tolist()
    return [(beam, int(best.indices[beam])) for beam in order]


BEAM_STEP = Exercise(
    id="09.4",
    title=Text("One step of beam search", "束搜索的一步"),
    difficulty=2,
    minutes=10,
    reference=_beam_reference,
    inputs=_beam_inputs,
    mistakes=[
        Mistake(
            Text("Each beam keeps its own best extension", "每束各留了自己最好的"),
            _each_beam_its_own,
            Text(
                "That is greedy search done k times. All extensions of all beams compete; one beam may win every place.",
                "这等于做了 k 次贪心。所有束的所有扩展要一起竞争，名额可能被一束全占。",
            ),
        ),
        Mistake(
            Text("The scores so far are forgotten", "忘了此前的得分"),
            lambda scores, logits: _pairs_of(
                logits.log_softmax(-1).flatten().topk(len(scores)).indices, logits.shape[1]
            ),
            Text(
                "A good next word does not make up for a bad beginning. Add scores[:, None].",
                "下一个词再好，也补不了糟糕的开头。要加上 scores[:, None]。",
            ),
        ),
        Mistake(
            Text("Logits of different rows were compared", "直接比较了不同行的 logits"),
            lambda scores, logits: _pairs_of(
                (scores[:, None] + logits).flatten().topk(len(scores)).indices, logits.shape[1]
            ),
            Text(
                "Logits are log p only up to a number that differs from row to row. Take log_softmax first.",
                "logits 与 log p 相差一个常数，每行不同。先做 log_softmax。",
            ),
        ),
        Mistake(
            Text("Probabilities were added to logarithms", "概率与对数相加了"),
            lambda scores, logits: _pairs_of(
                (scores[:, None] + logits.softmax(-1)).flatten().topk(len(scores)).indices, logits.shape[1]
            ),
            Text(
                "scores are sums of ln p, so ln p is what is added: log_softmax, not softmax.",
                "scores 是 ln p 之和，加上去的也应当是 ln p：用 log_softmax，不是 softmax。",
            ),
        ),
        Mistake(
            Text("Beam and token are swapped", "束和词元写反了"),
            lambda scores, logits: [(token, beam) for beam, token in _beam_reference(scores, logits)],
            Text(
                "In a row-major table of width V the place is beam * V + token: // gives the beam, % the token.",
                "宽为 V 的表按行排列，下标是 beam * V + token：// 得束，% 得词元。",
            ),
        ),
    ],
    hints=[
        Text(
            "Make one table (k, V) of the scores of all extensions, and take the k largest of the whole table.",
            "先做一张 (k, V) 的表，放所有扩展的得分，再从整张表里取最大的 k 个。",
        ),
        Text(
            "totals.flatten().topk(k).indices counts through the rows: index // V and index % V.",
            "totals.flatten().topk(k).indices 是按行数下来的下标：index // V 和 index % V。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 09.5 choose the threshold


def _threshold_reference(confidences: Sequence[float], right: Sequence[bool], wanted: float) -> float:
    fitting = []
    for limit in set(confidences):
        outcomes = [good for value, good in zip(confidences, right, strict=True) if value >= limit]
        if sum(outcomes) / len(outcomes) >= wanted:
            fitting.append(limit)
    return min(fitting, default=math.inf)


def _threshold_inputs() -> list[tuple]:
    return [
        ([-0.1, -0.5, -0.9], [True, True, False], 0.9),
        ([-0.2, -0.1, -0.7, -0.4], [True, True, True, False], 0.75),
        ([-1.0, -0.3, -0.6, -0.2, -0.05], [False, True, False, True, True], 0.7),
        ([-0.4, -0.3, -0.2], [True, True, False], 0.6),
        ([-0.4, -0.2], [False, False], 0.5),
        ([-0.8, -0.8, -0.1, -0.5, -1.5, -2.0], [True, False, True, True, False, False], 0.74),
    ]


def _from_the_top(confidences: Sequence[float], right: Sequence[bool], wanted: float) -> float:
    """Stops at the first dip."""
    best = math.inf
    for limit in sorted(set(confidences), reverse=True):
        outcomes = [good for value, good in zip(confidences, right, strict=True) if value >= limit]
        if sum(outcomes) / len(outcomes) < wanted:
            break
        best = limit
    return best


def _of_all(confidences: Sequence[float], right: Sequence[bool], wanted: float) -> float:
    """The share of all questions, not of those that were answered."""
    fitting = [
        limit
        for limit in set(confidences)
        if sum(good for value, good in zip(confidences, right, strict=True) if value >= limit)
        >= wanted * len(right)
    ]
    return min(fitting, default=math.inf)


def _strictly_above(confidences: Sequence[float], right: Sequence[bool], wanted: float) -> float:
    fitting = []
    for limit in set(confidences):
        outcomes = [good for value, good in zip(confidences, right, strict=True) if value > limit]
        if outcomes and sum(outcomes) >= wanted * len(outcomes):
            fitting.append(limit)
    return min(fitting, default=math.inf)


def _highest(confidences: Sequence[float], right: Sequence[bool], wanted: float) -> float:
    fitting = []
    for limit in set(confidences):
        outcomes = [good for value, good in zip(confidences, right, strict=True) if value >= limit]
        if sum(outcomes) >= wanted * len(outcomes):
            fitting.append(limit)
    return max(fitting, default=math.inf)


CHOOSE = Exercise(
    id="09.5",
    title=Text("Choose the threshold", "选阈值"),
    difficulty=2,
    minutes=10,
    reference=_threshold_reference,
    inputs=_threshold_inputs,
    mistakes=[
        Mistake(
            Text("The share of all questions", "分母用了全部问题"),
            _of_all,
            Text(
                "A refused question is not a wrong answer. The share is of those that are answered at this threshold.",
                "拒答的问题不算答错。分母是这个阈值下答了的那些。",
            ),
        ),
        Mistake(
            Text("Answers with just that confidence are left out", "正好等于阈值的没算"),
            _strictly_above,
            Text("At least that confidence is given: >=, not >.", "不低于阈值就要回答：用 >=，不是 >。"),
        ),
        Mistake(
            Text("The highest instead of the lowest", "取了最高的，不是最低的"),
            _highest,
            Text(
                "That bot hardly says anything. The lowest threshold that is good enough answers the most.",
                "这样机器人几乎不开口。够用的阈值里取最低的，才答得最多。",
            ),
        ),
        Mistake(
            Text("The search stopped at the first dip", "第一次掉下去就停了"),
            _from_the_top,
            Text(
                "The share may fall below and rise again further down. Try every confidence.",
                "比例可能先掉下去，再往下又升上来。每个置信度都要试。",
            ),
        ),
    ],
    hints=[
        Text(
            "For one threshold: which answers are given, and what share of those is right?",
            "先看一个阈值：哪些回答会给出？其中对的占多少？",
        ),
        Text(
            "Go through sorted(confidences) from the lowest; return the first for which sum(given) >= wanted * len(given).",
            "从小到大遍历 sorted(confidences)，第一个满足 sum(given) >= wanted * len(given) 的就是答案。",
        ),
    ],
)

EXERCISES = [READ, ADDITIVE, PADDED_LOSS, BEAM_STEP, CHOOSE]
