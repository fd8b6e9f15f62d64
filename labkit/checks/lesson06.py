"""Checks of lesson 06: masking, span corruption, power laws, LoRA and its size, pooling over real tokens."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 06.1 masked tokens and their targets


def _mask_reference(tokens: Tensor, chosen: Tensor, mask_id: int) -> tuple[Tensor, Tensor]:
    pairs = list(zip(tokens.flatten().tolist(), chosen.flatten().tolist(), strict=True))
    inputs = torch.tensor([mask_id if hidden else token for token, hidden in pairs])
    targets = torch.tensor([token if hidden else -100 for token, hidden in pairs])
    return inputs.view(tokens.shape), targets.view(tokens.shape)


def _mask_inputs() -> list[tuple]:
    return [
        (torch.tensor([[5, 6, 7]]), torch.tensor([[False, True, False]]), 2),
        (torch.tensor([[5, 6], [0, 8]]), torch.tensor([[True, False], [True, True]]), 2),
    ]


def _mask_shifted(tokens: Tensor, chosen: Tensor, mask_id: int) -> tuple[Tensor, Tensor]:
    inputs = tokens.masked_fill(chosen, mask_id)
    targets = tokens.masked_fill(~chosen, -100)
    return inputs, targets.roll(-1, dims=1)


MASK = Exercise(
    id="06.1",
    title=Text("Masked tokens and their targets", "掩码输入与目标"),
    difficulty=1,
    minutes=8,
    reference=_mask_reference,
    inputs=_mask_inputs,
    mistakes=[
        Mistake(
            Text("Every token is a target", "所有词元都成了目标"),
            lambda tokens, chosen, mask_id: (tokens.masked_fill(chosen, mask_id), tokens.clone()),
            Text(
                "A token that the model can see is no task: it would learn to copy. Its target is -100.",
                "模型看得见的词元不是题目，否则它只会学到照抄。这些位置的目标应当是 -100。",
            ),
        ),
        Mistake(
            Text("The targets hold the mask", "目标里放的是掩码"),
            lambda tokens, chosen, mask_id: (
                tokens.masked_fill(chosen, mask_id),
                torch.where(chosen, mask_id, -100),
            ),
            Text(
                "The target is the token from before masking. Build targets from tokens, not from the masked inputs.",
                "目标应当是掩码之前的词元。请用 tokens 构造目标，不要用掩码之后的输入。",
            ),
        ),
        Mistake(
            Text("The hidden tokens are the ones left out", "不计入损失的恰好是被遮住的词元"),
            lambda tokens, chosen, mask_id: (
                tokens.masked_fill(chosen, mask_id),
                tokens.masked_fill(chosen, -100),
            ),
            Text(
                "-100 stands where the loss must not look: at the tokens that can be seen. The hidden ones are the task.",
                "-100 表示不计入损失，应当放在看得见的位置。被遮住的词元才是题目。",
            ),
        ),
        Mistake(
            Text("0 instead of -100", "用了 0，而不是 -100"),
            lambda tokens, chosen, mask_id: (
                tokens.masked_fill(chosen, mask_id),
                tokens.masked_fill(~chosen, 0),
            ),
            Text(
                "0 is the id of a token, which the model would then have to tell. The loss skips -100 only.",
                "0 是某个词元的编号，模型就得去猜它。损失只跳过 -100。",
            ),
        ),
        Mistake(
            Text("Seen and hidden are swapped", "可见与隐藏弄反了"),
            lambda tokens, chosen, mask_id: (
                tokens.masked_fill(~chosen, mask_id),
                tokens.masked_fill(chosen, -100),
            ),
            Text(
                "chosen is True where a token is to be hidden. Here the others were hidden.",
                "chosen 为 True 的位置才要遮住，这里遮住的却是其余位置。",
            ),
        ),
        Mistake(
            Text("The targets are shifted by one", "目标错开了一位"),
            _mask_shifted,
            Text(
                "Shifting belongs to the next token. A masked token is told at its own position.",
                "错开一位是“预测下一个词元”的做法。掩码词元要在它自己的位置上还原。",
            ),
        ),
    ],
    hints=[
        Text(
            "Two calls of torch.where: one with mask_id, one with -100.",
            "调用两次 torch.where：一次用 mask_id，一次用 -100。",
        ),
        Text(
            "torch.where(chosen, mask_id, tokens) and torch.where(chosen, tokens, -100).",
            "torch.where(chosen, mask_id, tokens) 和 torch.where(chosen, tokens, -100)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 06.2 span corruption


def _spans_reference(tokens: list[int], spans: list[tuple[int, int]], mask_id: int) -> tuple[list, list]:
    gone = {i for start, end in spans for i in range(start, end)}
    starts = {start for start, _ in spans}
    corrupted, told = [], []
    for i, token in enumerate(tokens):
        if i in starts:
            corrupted.append(mask_id)
            told.append(mask_id)
        (told if i in gone else corrupted).append(token)
    return corrupted, [*told, mask_id]


def _spans_inputs() -> list[tuple]:
    return [
        ([10, 11, 12, 13], [(1, 3)], 2),
        ([10, 11, 12, 13, 14, 15], [(1, 3), (4, 5)], 2),
        ([10, 11, 12, 13, 14, 15, 16], [(0, 2), (4, 7)], 2),
    ]


def _spans_many_masks(tokens: list[int], spans: list[tuple[int, int]], mask_id: int) -> tuple[list, list]:
    corrupted = list(tokens)
    for start, end in spans:
        corrupted[start:end] = [mask_id] * (end - start)
    return corrupted, _spans_reference(tokens, spans, mask_id)[1]


def _spans_no_mask(tokens: list[int], spans: list[tuple[int, int]], mask_id: int) -> tuple[list, list]:
    corrupted, told = _spans_reference(tokens, spans, mask_id)
    return [token for token in corrupted if token != mask_id], told


def _spans_moved(tokens: list[int], spans: list[tuple[int, int]], mask_id: int) -> tuple[list, list]:
    corrupted = list(tokens)
    for start, end in spans:
        corrupted[start:end] = [mask_id]
    return corrupted, _spans_reference(tokens, spans, mask_id)[1]


def _spans_end_included(tokens: list[int], spans: list[tuple[int, int]], mask_id: int) -> tuple[list, list]:
    longer = [(start, min(end + 1, len(tokens))) for start, end in spans]
    return _spans_reference(tokens, longer, mask_id)


def _spans_rest_lost(tokens: list[int], spans: list[tuple[int, int]], mask_id: int) -> tuple[list, list]:
    return _spans_reference(tokens[: spans[-1][1]], spans, mask_id)


def _spans_told_without_masks(
    tokens: list[int], spans: list[tuple[int, int]], mask_id: int
) -> tuple[list, list]:
    corrupted, told = _spans_reference(tokens, spans, mask_id)
    return corrupted, [*(token for token in told if token != mask_id), mask_id]


SPANS = Exercise(
    id="06.2",
    title=Text("Cut spans out, and tell them", "挖去片段，再还原"),
    difficulty=2,
    minutes=12,
    reference=_spans_reference,
    inputs=_spans_inputs,
    mistakes=[
        Mistake(
            Text("One mask for each token", "每个词元都换成了一个掩码"),
            _spans_many_masks,
            Text(
                "A whole span leaves one mask, so that the model must also find out how long it was.",
                "一个片段只留下一个掩码，这样模型还要判断片段有多长。",
            ),
        ),
        Mistake(
            Text("Nothing marks the gap", "空缺处没有标记"),
            _spans_no_mask,
            Text(
                "The corrupted text does not show where something is missing. Put one mask in place of each span.",
                "破坏后的文本看不出哪里缺了内容。请在每个片段的位置放一个掩码。",
            ),
        ),
        Mistake(
            Text("The places have moved", "位置错开了"),
            _spans_moved,
            Text(
                "Once the first span has shrunk to one mask, all later places are off. Build a new list, or go from the "
                "last span to the first.",
                "第一个片段缩成一个掩码之后，后面的位置就都变了。请另建一个列表，或者从最后一个片段往前处理。",
            ),
        ),
        Mistake(
            Text("The end is taken as included", "把 end 也算进了片段"),
            _spans_end_included,
            Text(
                "A span (start, end) holds start to end - 1, as in tokens[start:end].",
                "片段 (start, end) 包含从 start 到 end - 1 的位置，即 tokens[start:end]。",
            ),
        ),
        Mistake(
            Text("What follows the last span is lost", "最后一个片段之后的内容丢了"),
            _spans_rest_lost,
            Text(
                "After the loop, the tokens behind the last span still belong to the corrupted text.",
                "循环结束后，最后一个片段后面的词元还要放进破坏后的文本。",
            ),
        ),
        Mistake(
            Text("The told spans run together", "还原序列里各片段连在了一起"),
            _spans_told_without_masks,
            Text(
                "Where does one span end and the next begin? Put a mask before the tokens of each span.",
                "一个片段到哪里结束，下一个从哪里开始？请在每个片段的词元之前放一个掩码。",
            ),
        ),
        Mistake(
            Text("The end mask is missing", "缺少结尾的掩码"),
            lambda tokens, spans, mask_id: (
                _spans_reference(tokens, spans, mask_id)[0],
                _spans_reference(tokens, spans, mask_id)[1][:-1],
            ),
            Text(
                "After the last span comes one more mask: it says that all spans are told.",
                "最后一个片段之后还要有一个掩码，表示所有片段都已还原。",
            ),
        ),
        Mistake(
            Text("The whole text is told", "把全文都还原了一遍"),
            lambda tokens, spans, mask_id: (
                _spans_reference(tokens, spans, mask_id)[0],
                [*tokens, mask_id],
            ),
            Text(
                "Only what was cut out is told; the rest can be seen already, and would cost steps for copying.",
                "只需还原被挖去的部分。其余内容本来就看得见，再写一遍只是浪费步数去照抄。",
            ),
        ),
    ],
    hints=[
        Text(
            "Go through the spans with a position: what lies before the span goes to the corrupted text.",
            "用一个位置变量依次处理各个片段：片段之前的内容放进破坏后的文本。",
        ),
        Text(
            "For each span: corrupted += [*tokens[position:start], mask_id]; told += [mask_id, *tokens[start:end]].",
            "对每个片段：corrupted += [*tokens[position:start], mask_id]；told += [mask_id, *tokens[start:end]]。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 06.3 a power law is a line in logarithms


def _power_reference(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
    design = np.stack([np.ones_like(sizes), -np.log(sizes)], axis=1)
    (log_a, alpha), *_ = np.linalg.lstsq(design, np.log(losses), rcond=None)
    return float(np.exp(log_a)), float(alpha)


def _power_inputs() -> list[tuple]:
    exact = np.array([1e3, 1e4, 1e5])
    noisy = np.array([2e3, 1.1e4, 9e4, 4e5])
    return [
        (exact, 8.0 * exact**-0.1),
        (exact, 3.0 * exact**-0.25),
        (noisy, np.array([4.1, 3.3, 2.9, 2.2])),
    ]


def _power_swapped(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
    first, second = np.polyfit(np.log(sizes), np.log(losses), 1)
    return float(np.exp(first)), float(-second)


def _power_two_bases(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
    slope, intercept = np.polyfit(np.log10(sizes), np.log10(losses), 1)
    return float(np.exp(intercept)), float(-slope)


def _power_not_in_logarithms(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
    from scipy.optimize import curve_fit  # takes a moment to import, and only this mistake needs it

    start = _power_reference(sizes, losses)
    (scale, alpha), _ = curve_fit(lambda n, a, b: a / n**b, sizes, losses, p0=start)
    return float(scale), float(alpha)


def _power_wrong(slope_sign: float = -1.0, exponentiate: bool = True, log_x: bool = True, log_y: bool = True):
    def fit(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
        x = np.log(sizes) if log_x else sizes
        y = np.log(losses) if log_y else losses
        slope, intercept = np.polyfit(x, y, 1)
        return float(np.exp(intercept) if exponentiate else intercept), float(slope_sign * slope)

    return fit


POWER = Exercise(
    id="06.3",
    title=Text("Fit a power law", "拟合幂律"),
    difficulty=2,
    minutes=10,
    reference=_power_reference,
    inputs=_power_inputs,
    mistakes=[
        Mistake(
            Text("The exponent has the wrong sign", "指数符号反了"),
            _power_wrong(slope_sign=1.0),
            Text(
                "The line falls, its slope is -α. The loss is A / N^α, so α itself is positive.",
                "直线是下降的，斜率等于 -α。损失写成 A / N^α，因此 α 本身是正数。",
            ),
        ),
        Mistake(
            Text("A is still a logarithm", "A 还是对数"),
            _power_wrong(exponentiate=False),
            Text(
                "The intercept of the line is log A. Take the exponential of it.",
                "直线的截距是 log A，还要再取一次指数。",
            ),
        ),
        Mistake(
            Text("Slope and intercept are swapped", "斜率和截距弄反了"),
            _power_swapped,
            Text(
                "np.polyfit returns the highest power first: slope, then intercept.",
                "np.polyfit 先返回最高次项的系数：先斜率，后截距。",
            ),
        ),
        Mistake(
            Text("Two bases of logarithm", "用了两种底的对数"),
            _power_two_bases,
            Text(
                "With log10 the intercept is log10 A: go back with 10**intercept, not with exp.",
                "用 log10 时，截距是 log10 A：要用 10**intercept 还原，而不是 exp。",
            ),
        ),
        Mistake(
            Text("Least squares on L, not on log L", "对 L 而不是 log L 做了最小二乘"),
            _power_not_in_logarithms,
            Text(
                "This weighs large losses more. Asked is the line in logarithms, as in the fit above.",
                "这样较大的损失占的分量更重。题目要的是取对数后的直线，与上面的拟合一样。",
            ),
        ),
        Mistake(
            Text("Only the losses are in logarithms", "只对损失取了对数"),
            _power_wrong(log_x=False),
            Text(
                "log L against N is a line for an exponential, not for a power. Take the logarithm of N too.",
                "log L 对 N 成直线，那是指数函数，不是幂函数。N 也要取对数。",
            ),
        ),
        Mistake(
            Text("Only the sizes are in logarithms", "只对规模取了对数"),
            _power_wrong(log_y=False, exponentiate=False),
            Text(
                "L against log N is a line for a logarithm, not for a power. Take the logarithm of the losses too.",
                "L 对 log N 成直线，那是对数函数，不是幂函数。损失也要取对数。",
            ),
        ),
    ],
    hints=[
        Text(
            "log L = log A - α log N: a line. np.polyfit(x, y, 1) returns slope and intercept.",
            "log L = log A - α log N 是一条直线。np.polyfit(x, y, 1) 返回斜率和截距。",
        ),
        Text(
            "slope, intercept = np.polyfit(np.log(sizes), np.log(losses), 1); then np.exp(intercept) and -slope.",
            "slope, intercept = np.polyfit(np.log(sizes), np.log(losses), 1)；然后取 np.exp(intercept) 和 -slope。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 06.4 the mean over real tokens


def _pool_reference(features: Tensor, real: Tensor) -> Tensor:
    return torch.stack([rows[keep].mean(dim=0) for rows, keep in zip(features, real, strict=True)])


def _pool_inputs() -> list[tuple]:
    small = torch.tensor([[[2.0], [4.0], [9.0]], [[1.0], [2.0], [3.0]]])
    real = torch.tensor([[True, True, False], [True, True, True]])
    wide = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    left = torch.arange(5) >= torch.tensor([[3], [0], [1]])
    return [(small, real), (wide, left), (wide, left.flip(1))]


POOL = Exercise(
    id="06.4",
    title=Text("The mean over real tokens", "只对真实词元求平均"),
    difficulty=2,
    minutes=8,
    reference=_pool_reference,
    inputs=_pool_inputs,
    mistakes=[
        Mistake(
            Text("Padding is averaged too", "把填充也平均了进去"),
            lambda features, real: features.mean(dim=1),
            Text(
                "The answer changes with the padding, that is with the other texts of the batch.",
                "这样结果会随填充而变，也就是会受同一批里其他文本的影响。",
            ),
        ),
        Mistake(
            Text("Divided by the length of the row", "除以了整行的长度"),
            lambda features, real: (features * real[..., None]).mean(dim=1),
            Text(
                "The padding is zero now, but it still counts below the line. Divide by the number of real tokens.",
                "填充虽然变成了 0，分母却仍把它算在内。请除以真实词元的个数。",
            ),
        ),
        Mistake(
            Text("One count for the whole batch", "整批共用了同一个个数"),
            lambda features, real: (features * real[..., None]).sum(dim=1) / (real.sum() / len(real)),
            Text(
                "Each text has its own number of real tokens: sum over dim=1, not over everything.",
                "每个文本的真实词元个数不同：要沿 dim=1 求和，而不是对整批求和。",
            ),
        ),
        Mistake(
            Text("The padding is taken to be on the right", "以为填充总在右侧"),
            lambda features, real: torch.stack(
                [rows[:count].mean(dim=0) for rows, count in zip(features, real.sum(dim=1), strict=True)]
            ),
            Text(
                "The first real.sum() tokens are the real ones only if the padding is on the right. Use real itself.",
                "只有填充在右侧时，前 real.sum() 个才是真实词元。请直接用 real。",
            ),
        ),
        Mistake(
            Text("A sum instead of a mean", "求了和，没有取平均"),
            lambda features, real: (features * real[..., None]).sum(dim=1),
            Text(
                "A long text would get longer vectors. Divide by the number of its real tokens.",
                "这样文本越长，向量就越大。请再除以真实词元的个数。",
            ),
        ),
    ],
    hints=[
        Text(
            "real[..., None] has the shape (B, T, 1) and multiplies features (B, T, D).",
            "real[..., None] 的形状是 (B, T, 1)，可以与 (B, T, D) 的 features 相乘。",
        ),
        Text(
            "(features * real[..., None]).sum(dim=1) / real.sum(dim=1, keepdim=True).",
            "写成 (features * real[..., None]).sum(dim=1) / real.sum(dim=1, keepdim=True)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 06.5 the forward pass of LoRA


def _matrix(rows: int, columns: int, seed: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _lora_reference(x: Tensor, W: Tensor, A: Tensor, B: Tensor, alpha: float) -> Tensor:
    merged = W + alpha / A.shape[0] * torch.einsum("or,ri->oi", B, A)
    return nn.functional.linear(x, merged)


def _lora_inputs() -> list[tuple]:
    two = torch.tensor([[1.0], [0.0]]).double()
    return [
        (
            torch.tensor([[1.0, 2.0]]).double(),
            torch.eye(2).double(),
            torch.tensor([[1.0, 1.0]]).double(),
            two,
            2.0,
        ),
        (_matrix(3, 4, 0), _matrix(4, 4, 1), _matrix(2, 4, 2), _matrix(4, 2, 3), 8.0),
        (_matrix(3, 6, 0), _matrix(5, 6, 1), _matrix(3, 6, 2), _matrix(5, 3, 3), 5.0),
        (
            _matrix(6, 4, 0).view(2, 3, 4),
            _matrix(5, 4, 1),
            _matrix(2, 4, 2),
            _matrix(5, 2, 3),
            8.0,
        ),  # (..., in)
    ]


LORA = Exercise(
    id="06.5",
    title=Text("The forward pass of LoRA", "LoRA 的前向计算"),
    difficulty=2,
    minutes=10,
    reference=_lora_reference,
    inputs=_lora_inputs,
    mistakes=[
        Mistake(
            Text("The scale is alpha alone", "缩放只用了 alpha"),
            lambda x, W, A, B, alpha: x @ W.T + alpha * (x @ A.T @ B.T),
            Text(
                "The scale is alpha / rank, so that another rank needs no other learning rate.",
                "缩放系数是 alpha / rank，这样换一个秩时不必重新调学习率。",
            ),
        ),
        Mistake(
            Text("No scale", "没有缩放"),
            lambda x, W, A, B, alpha: x @ W.T + x @ A.T @ B.T,
            Text(
                "alpha is not used. Multiply the low-rank part by alpha / rank.",
                "没有用到 alpha。低秩部分要乘以 alpha / rank。",
            ),
        ),
        Mistake(
            Text("The rank is read from the wrong axis", "秩取错了轴"),
            lambda x, W, A, B, alpha: x @ W.T + alpha / A.shape[1] * (x @ A.T @ B.T),
            Text(
                "A is (rank, in): its second axis is the width of the input. The rank is A.shape[0].",
                "A 的形状是 (rank, in)，第二个轴是输入的宽度。秩是 A.shape[0]。",
            ),
        ),
        Mistake(
            Text("The frozen part is missing", "漏了冻结的部分"),
            lambda x, W, A, B, alpha: alpha / A.shape[0] * (x @ A.T @ B.T),
            Text(
                "LoRA adds to what the layer does. Add x W^T, the part from pre-training.",
                "LoRA 是加在原有输出上的。请加上 x W^T，也就是预训练得到的那一部分。",
            ),
        ),
        Mistake(
            Text("The frozen part is scaled too", "冻结的部分也乘了缩放"),
            lambda x, W, A, B, alpha: alpha / A.shape[0] * (x @ W.T + x @ A.T @ B.T),
            Text(
                "Only B A is scaled. With B = 0 the layer must do what it did before.",
                "只有 B A 要缩放。当 B = 0 时，这一层必须与原来完全一样。",
            ),
        ),
    ],
    hints=[
        Text(
            "Two thin products: x @ A.T is (..., rank), and @ B.T makes it (..., out).",
            "两次与细长矩阵相乘：x @ A.T 的形状是 (..., rank)，再 @ B.T 得到 (..., out)。",
        ),
        Text(
            "x @ W.T + alpha / A.shape[0] * (x @ A.T @ B.T).",
            "写成 x @ W.T + alpha / A.shape[0] * (x @ A.T @ B.T)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 06.6 how many numbers LoRA trains


def _count_reference(shapes: list[tuple[int, int]], rank: int) -> int:
    pairs = [
        (nn.Linear(inside, rank, bias=False), nn.Linear(rank, out, bias=False)) for out, inside in shapes
    ]
    return sum(p.numel() for pair in pairs for layer in pair for p in layer.parameters())


def _count_inputs() -> list[tuple]:
    return [([(4, 4)], 1), ([(8, 4)], 2), ([(256, 256), (128, 256)], 8), ([(256, 704), (704, 256)] * 4, 4)]


COUNT = Exercise(
    id="06.6",
    title=Text("How many numbers LoRA trains", "LoRA 训练多少个参数"),
    difficulty=1,
    minutes=6,
    reference=_count_reference,
    inputs=_count_inputs,
    mistakes=[
        Mistake(
            Text("The whole matrices are counted", "数成了整个矩阵"),
            lambda shapes, rank: sum(out * inside for out, inside in shapes),
            Text(
                "W is frozen. Only A (rank, in) and B (out, rank) train.",
                "W 是冻结的，训练的只有 A (rank, in) 和 B (out, rank)。",
            ),
        ),
        Mistake(
            Text("B is forgotten", "漏数了 B"),
            lambda shapes, rank: sum(rank * inside for _, inside in shapes),
            Text(
                "This is A alone. Add B with out · rank numbers.", "这只是 A。还要加上 B 的 out · rank 个数。"
            ),
        ),
        Mistake(
            Text("A is forgotten", "漏数了 A"),
            lambda shapes, rank: sum(rank * out for out, _ in shapes),
            Text(
                "This is B alone. Add A with rank · in numbers.", "这只是 B。还要加上 A 的 rank · in 个数。"
            ),
        ),
        Mistake(
            Text("Multiplied where a sum belongs", "该相加的地方相乘了"),
            lambda shapes, rank: sum(rank * out * inside for out, inside in shapes),
            Text(
                "A and B are stored side by side, not multiplied out: rank · (out + in).",
                "A 和 B 是分开存放的，并没有乘开：应为 rank · (out + in)。",
            ),
        ),
    ],
    hints=[
        Text(
            "For one matrix (out, in): how many numbers has A (rank, in), how many B (out, rank)?",
            "对一个 (out, in) 的矩阵：A (rank, in) 有多少个数？B (out, rank) 呢？",
        ),
        Text(
            "The sum of rank * (out + inside) over all shapes.", "对所有形状求 rank * (out + inside) 的和。"
        ),
    ],
)

EXERCISES = [MASK, SPANS, POWER, POOL, LORA, COUNT]
