"""Checks of lesson 11: a mel triangle, the length regulator, mel-cepstral distortion, CTC's collapse, a wrong hop."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 11.1 one triangle of the mel filterbank


def _triangle_reference(hertz: np.ndarray, low: float, middle: float, high: float) -> np.ndarray:
    return 2 / (high - low) * np.interp(hertz, [low, middle, high], [0.0, 1.0, 0.0])


def _triangle_inputs() -> list[tuple]:
    return [
        (np.array([50.0, 100.0, 150.0, 200.0, 250.0]), 100.0, 150.0, 200.0),
        (np.array([100.0, 200.0, 300.0, 400.0, 500.0]), 100.0, 200.0, 400.0),
        (np.linspace(0, 8_000, 33), 1_000.0, 1_500.0, 4_000.0),
    ]


def _slopes(hertz: np.ndarray, low: float, middle: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    return (hertz - low) / (middle - low), (high - hertz) / (high - middle)


def _height_one(hertz: np.ndarray, low: float, middle: float, high: float) -> np.ndarray:
    return np.maximum(0, np.minimum(*_slopes(hertz, low, middle, high)))


TRIANGLE = Exercise(
    id="11.1",
    title=Text("One triangle of the filterbank", "滤波器组中的一个三角形"),
    difficulty=2,
    minutes=10,
    reference=_triangle_reference,
    inputs=_triangle_inputs,
    mistakes=[
        Mistake(
            Text("All triangles are equally high", "所有三角形一样高了"),
            _height_one,
            Text(
                "A broad band would then collect more of a hiss that is equally strong everywhere than a narrow one. Each "
                "triangle has the area 1: multiply by 2 / (high - low).",
                "这样一来，面对处处一样强的噪声，宽的频带会比窄的收进更多能量。每个三角形的面积应为 1：再乘以 2 / (high - low)。",
            ),
        ),
        Mistake(
            Text("Negative outside the triangle", "三角形外面成了负数"),
            lambda hertz, low, middle, high: (
                np.minimum(*_slopes(hertz, low, middle, high)) * 2 / (high - low)
            ),
            Text(
                "Outside of low and high the lines go on below zero, and would take energy away. Cut off at 0.",
                "超出 low 和 high 之后，两条直线继续往零以下走，等于倒扣能量。要在 0 处截断。",
            ),
        ),
        Mistake(
            Text("The larger of the two slopes", "取了两条斜边中较大的"),
            lambda hertz, low, middle, high: (
                np.maximum(0, np.maximum(*_slopes(hertz, low, middle, high))) * 2 / (high - low)
            ),
            Text(
                "A triangle lies under both lines: take the smaller of the two at each frequency.",
                "三角形在两条线的下方：每个频率处取两者中较小的。",
            ),
        ),
        Mistake(
            Text("The slopes are multiplied", "把两条斜边相乘了"),
            lambda hertz, low, middle, high: (
                np.prod(np.maximum(0, _slopes(hertz, low, middle, high)), axis=0) * 2 / (high - low)
            ),
            Text(
                "The product is a bent curve, and where the sides differ it does not have its peak at middle. Take the "
                "smaller of the two.",
                "乘积是一条弯的曲线，两边不等宽时，最高点也不在 middle。应取两者中较小的。",
            ),
        ),
        Mistake(
            Text("Both sides are equally steep", "两边用了同样的斜率"),
            lambda hertz, low, middle, high: (
                np.maximum(0, 1 - np.abs(hertz - middle) / ((high - low) / 2)) * 2 / (high - low)
            ),
            Text(
                "In hertz a band's upper side is longer than its lower one. Rise over middle - low, fall over high - middle.",
                "以赫兹计，上边比下边长。上升段用 middle - low，下降段用 high - middle。",
            ),
        ),
        Mistake(
            Text("The area is 1/2", "面积成了 1/2"),
            lambda hertz, low, middle, high: _height_one(hertz, low, middle, high) / (high - low),
            Text(
                "A triangle of width high - low and height h has the area h (high - low) / 2. So h = 2 / (high - low).",
                "底为 high - low、高为 h 的三角形，面积是 h (high - low) / 2，所以 h = 2 / (high - low)。",
            ),
        ),
    ],
    hints=[
        Text(
            "Write the rising line (0 at low, 1 at middle) and the falling line (1 at middle, 0 at high). Which of the two "
            "counts at a given frequency?",
            "先写上升的直线（low 处为 0，middle 处为 1）和下降的直线（middle 处为 1，high 处为 0）。某个频率处该用哪一条？",
        ),
        Text(
            "np.maximum(0, np.minimum(rising, falling)), and then the height 2 / (high - low).",
            "np.maximum(0, np.minimum(上升, 下降))，再乘上高度 2 / (high - low)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 11.2 mel-cepstral distortion

DECIBELS = 10 / math.log(10)


def _distortion_reference(ours: np.ndarray, reference: np.ndarray) -> float:
    total = 0.0
    for a, b in zip(ours.tolist(), reference.tolist(), strict=True):
        total += math.sqrt(2 * sum((x - y) ** 2 for x, y in zip(a[1:], b[1:], strict=True)))
    return 10 / math.log(10) * total / len(ours)


def _distortion_inputs() -> list[tuple]:
    draw = np.random.default_rng(11)
    return [
        (np.array([[0.0, 1.0, 0.0]]), np.array([[2.0, 0.0, 0.0]])),
        (np.array([[1.0, 3.0, 0.0], [1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 4.0], [1.0, 0.0, 1.0]])),
        (draw.normal(size=(6, 14)), draw.normal(size=(6, 14))),
    ]


def _norms(ours: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return np.linalg.norm((ours - reference)[:, 1:], axis=1)


DISTORTION = Exercise(
    id="11.2",
    title=Text("Mel-cepstral distortion", "梅尔倒谱失真"),
    difficulty=2,
    minutes=10,
    reference=_distortion_reference,
    inputs=_distortion_inputs,
    mistakes=[
        Mistake(
            Text("The loudness is compared too", "把响度也比了"),
            lambda ours, reference: DECIBELS * math.sqrt(2) * np.linalg.norm(ours - reference, axis=1).mean(),
            Text(
                "Column 0 holds c_0, how loud a frame is. Turning the volume up must not count as another sound: leave it "
                "out.",
                "第 0 列是 c_0，即这一帧有多响。调大音量不该算作发错了音：请把它去掉。",
            ),
        ),
        Mistake(
            Text("The root is taken over all frames together", "对所有帧合起来开了方"),
            lambda ours, reference: (
                DECIBELS * math.sqrt(2) * math.sqrt(np.mean(_norms(ours, reference) ** 2))
            ),
            Text(
                "Each frame has its distance, and the mean is over these. A root over all of them weighs a few bad frames "
                "more.",
                "每一帧先各自算距离，再取平均。合起来再开方，会让少数很差的帧占更大的分量。",
            ),
        ),
        Mistake(
            Text("The 2 is missing", "漏了 2"),
            lambda ours, reference: DECIBELS * _norms(ours, reference).mean(),
            Text(
                "The mean square of a cosine is 1/2, so the spectrum's difference has a factor 2 under the root.",
                "余弦的均方是 1/2，换算成频谱的差，根号里就有一个因子 2。",
            ),
        ),
        Mistake(
            Text("Not in decibels", "单位不是分贝"),
            lambda ours, reference: math.sqrt(2) * _norms(ours, reference).mean(),
            Text(
                "The cepstra are of natural logarithms. 10 / ln 10 turns them into decibels.",
                "倒谱来自自然对数，要乘以 10 / ln 10 才是分贝。",
            ),
        ),
        Mistake(
            Text("Absolute differences, not squares", "用了绝对值，没有平方"),
            lambda ours, reference: (
                DECIBELS * math.sqrt(2) * np.abs(ours - reference)[:, 1:].sum(axis=1).mean()
            ),
            Text(
                "Within a frame it is the root of the sum of squares: a length in space, not a walk along the axes.",
                "一帧之内是平方和再开方：是空间里的直线距离，不是沿坐标轴走的路程。",
            ),
        ),
        Mistake(
            Text("Summed over the frames", "对各帧求了和"),
            lambda ours, reference: DECIBELS * math.sqrt(2) * _norms(ours, reference).sum(),
            Text(
                "A sentence twice as long would be twice as bad. Take the mean over the frames.",
                "这样句子长一倍，失真就大一倍。应对各帧取平均。",
            ),
        ),
    ],
    hints=[
        Text(
            "One number a frame first: leave out column 0, square, sum over the columns, times 2, root.",
            "先算出每帧一个数：去掉第 0 列，平方，按列求和，乘 2，开方。",
        ),
        Text(
            "10 / np.log(10) * np.sqrt(2 * ((ours - reference)[:, 1:] ** 2).sum(axis=1)).mean()",
            "整行是：10 / np.log(10) * np.sqrt(2 * ((ours - reference)[:, 1:] ** 2).sum(axis=1)).mean()",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 11.3 the length regulator


def _regulate_reference(vectors: Tensor, durations: Sequence[int]) -> Tensor:
    rows = [vector for vector, count in zip(vectors, durations, strict=True) for _ in range(count)]
    return torch.stack(rows)


def _regulate_inputs() -> list[tuple]:
    return [
        (torch.tensor([[1.0, 2.0], [3.0, 4.0]]), [2, 1]),
        (torch.tensor([[1.0], [2.0], [3.0]]), [2, 0, 3]),
        (torch.arange(12.0).reshape(4, 3), [1, 4, 0, 2]),
    ]


REGULATE = Exercise(
    id="11.3",
    title=Text("The length regulator", "长度调节器"),
    difficulty=1,
    minutes=8,
    reference=_regulate_reference,
    inputs=_regulate_inputs,
    mistakes=[
        Mistake(
            Text("The sentence is repeated, not the phone", "重复的是整句，不是音素"),
            lambda vectors, durations: vectors.repeat(-(-sum(durations) // len(vectors)), 1)[
                : sum(durations)
            ],
            Text(
                "repeat puts the whole sequence behind itself: a b a. Each vector must stay beside its copies: a a b.",
                "repeat 是把整个序列接在自己后面：a b a。应当让每个向量和它的副本挨在一起：a a b。",
            ),
        ),
        Mistake(
            Text("A phone without frames gets one", "零帧的音素也给了一帧"),
            lambda vectors, durations: vectors.repeat_interleave(
                torch.tensor([max(1, count) for count in durations]), dim=0
            ),
            Text(
                "A duration of 0 is an answer: a pause that is not made. Then there must be no frame of it.",
                "时长 0 也是一种回答：这个停顿没有停。那就一帧也不该有。",
            ),
        ),
        Mistake(
            Text("Each vector is shared out among its frames", "把向量平摊到了各帧"),
            lambda vectors, durations: torch.stack(
                [
                    vector / count
                    for vector, count in zip(vectors, durations, strict=True)
                    for _ in range(count)
                ]
            ),
            Text(
                "A long vowel is not a quieter one. Every frame gets the vector as it is.",
                "元音拖长了，并不会变轻。每一帧都得到原样的向量。",
            ),
        ),
        Mistake(
            Text("Zeros in place of copies", "该复制的地方填了零"),
            lambda vectors, durations: torch.stack(
                [
                    vector if place == 0 else torch.zeros_like(vector)
                    for vector, count in zip(vectors, durations, strict=True)
                    for place in range(count)
                ]
            ),
            Text(
                "Then only the first frame of a phone knows which phone it is. Copy the vector into all of its frames.",
                "这样只有音素的第一帧知道自己是什么音。要把向量复制到它的每一帧。",
            ),
        ),
        Mistake(
            Text("The components are repeated, not the rows", "重复的是分量，不是行"),
            lambda vectors, durations: vectors.repeat_interleave(max(durations), dim=1),
            Text(
                "A vector has the same number of components before and after. What grows is the number of rows: dim=0.",
                "向量的分量数前后不变，变多的是行数：dim=0。",
            ),
        ),
    ],
    hints=[
        Text(
            "Write the result for vectors a, b, c and durations 2, 0, 3 on paper first.",
            "先在纸上写出向量 a、b、c，时长 2、0、3 时的结果。",
        ),
        Text(
            "torch.repeat_interleave takes the numbers of copies as a tensor.",
            "torch.repeat_interleave 的重复次数可以是一个张量。",
        ),
        Text(
            "In one line: vectors.repeat_interleave(torch.tensor(durations), dim=0)",
            "一行写完：vectors.repeat_interleave(torch.tensor(durations), dim=0)",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 11.4 CTC's collapse


def _collapse_reference(path: Sequence[str]) -> list[str]:
    return [symbol for symbol, _ in groupby(path) if symbol != "-"]


def _collapse_inputs() -> list[tuple]:
    return [
        (list("-aa-b"),),
        (list("l-l"),),
        (list("-hh-e-ll-lo-"),),
        (list("abab--b"),),
        (list("---"),),
        (list("nn-i-i-hh-ao"),),
    ]


def _merged(path: Sequence[str]) -> list[str]:
    return [symbol for place, symbol in enumerate(path) if place == 0 or path[place - 1] != symbol]


def _each_once(path: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(symbol for symbol in path if symbol != "-"))


COLLAPSE = Exercise(
    id="11.4",
    title=Text("From steps to sounds", "从逐步输出到音素"),
    difficulty=2,
    minutes=10,
    reference=_collapse_reference,
    inputs=_collapse_inputs,
    mistakes=[
        Mistake(
            Text("The blanks went first", "先去掉了空白"),
            lambda path: _merged([symbol for symbol in path if symbol != "-"]),
            Text(
                "With the blanks gone, l - l becomes one l: no doubled sound could ever be written. Merge first, then drop "
                "the blanks.",
                "空白先没了，l - l 就并成一个 l，连着的两个相同音永远写不出来。先合并，再去空白。",
            ),
        ),
        Mistake(
            Text("Repeats are not merged", "没有合并重复"),
            lambda path: [symbol for symbol in path if symbol != "-"],
            Text(
                "A sound lasts several steps and is written at each of them. Equal neighbours are one sound.",
                "一个音会持续好几步，每一步都会写一次。相邻的相同符号是同一个音。",
            ),
        ),
        Mistake(
            Text("The blanks stay", "留下了空白"),
            _merged,
            Text(
                "The blank says: nothing new here. It is no sound, so it must go in the end.",
                "空白的意思是“这里没有新的音”。它不是音，最后要去掉。",
            ),
        ),
        Mistake(
            Text("Each sound is kept once only", "每个音只保留了一次"),
            _each_once,
            Text(
                "A sound may come again later in the word. Only *neighbours* are merged.",
                "同一个音后面还可能再出现。要合并的只是*相邻*的。",
            ),
        ),
        Mistake(
            Text("One symbol after a blank only", "空白之后只取了一个符号"),
            lambda path: [
                symbol
                for place, symbol in enumerate(path)
                if symbol != "-" and (place == 0 or path[place - 1] == "-")
            ],
            Text(
                "Different sounds may stand side by side without a blank between them: a b are two.",
                "不同的音可以紧挨着，中间不必有空白：a b 是两个音。",
            ),
        ),
    ],
    hints=[
        Text(
            "Go through the steps and keep a symbol when it differs from the one before. When do the blanks go?",
            "逐步往下看，和前一个不同才保留。空白什么时候去掉？",
        ),
        Text(
            "itertools.groupby(path) gives each run of equal symbols once.",
            "itertools.groupby(path) 会把每一段相同的符号只给一次。",
        ),
        Text(
            'In one line: [symbol for symbol, _ in groupby(path) if symbol != "-"]',
            '一行写完：[symbol for symbol, _ in groupby(path) if symbol != "-"]',
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 11.5 which hop was it?


def _hop_reference(samples: Sequence[int], frames: Sequence[int]) -> int:
    fitting = (
        hop
        for hop in range(1, max(samples) + 2)
        if all(1 + count // hop == number for count, number in zip(samples, frames, strict=True))
    )
    return next(fitting)


def _hop_inputs() -> list[tuple]:
    lengths = {
        256: [10_000, 33_333, 48_123, 61_000],
        200: [4_099, 22_050, 41_999],
        110: [5_000, 12_345, 22_219],
    }
    cases = [([1_024], [5])]
    cases += [(samples, [1 + count // hop for count in samples]) for hop, samples in lengths.items()]
    return cases


def _first_fitting(
    samples: Sequence[int], frames: Sequence[int], rule: Callable[[int, int], int]
) -> int | None:
    pairs = list(zip(samples, frames, strict=True))
    fitting = (h for h in range(1, max(samples) + 2) if all(rule(n, h) == f for n, f in pairs))
    return next(fitting, None)


HOP = Exercise(
    id="11.5",
    title=Text("Which hop was it?", "帧移是多少？"),
    difficulty=3,
    minutes=12,
    reference=_hop_reference,
    inputs=_hop_inputs,
    mistakes=[
        Mistake(
            Text("Only the first recording was looked at", "只看了第一段录音"),
            lambda samples, frames: _hop_reference(samples[:1], frames[:1]),
            Text(
                "Several hops explain one recording. Keep those that explain all of them.",
                "一段录音往往有好几种帧移都说得通。要留下对所有录音都成立的。",
            ),
        ),
        Mistake(
            Text("The first frame was forgotten", "忘了第 0 帧"),
            lambda samples, frames: _first_fitting(samples, frames, lambda n, hop: n // hop),
            Text(
                "Frame 0 has its middle at sample 0, so there is one frame more than whole hops: 1 + samples // hop.",
                "第 0 帧的中点在第 0 个样本，所以帧数比整数个帧移多 1：1 + samples // hop。",
            ),
        ),
        Mistake(
            Text("The largest hop, not the smallest", "给了最大的，不是最小的"),
            lambda samples, frames: max(
                hop
                for hop in range(1, max(samples) + 2)
                if all(1 + count // hop == number for count, number in zip(samples, frames, strict=True))
            ),
            Text(
                "Asked is the smallest hop that explains every recording: search upwards from 1.",
                "题目要的是能解释所有录音的最小帧移：从 1 往上找。",
            ),
        ),
        Mistake(
            Text("A mean of quotients", "取了商的平均"),
            lambda samples, frames: round(
                float(np.mean([count / number for count, number in zip(samples, frames, strict=True)]))
            ),
            Text(
                "The quotient is only near the hop, since the last, incomplete hop is cut off and frame 0 comes on top. Try "
                "the whole numbers and keep the one that gives just these frame counts.",
                "商只是接近帧移：末尾不足一个帧移的部分被舍去了，还多出第 0 帧。请逐个试整数，找出恰好得到这些帧数的那一个。",
            ),
        ),
        Mistake(
            Text("Rounded to the nearest, not cut off", "四舍五入了，没有舍去"),
            lambda samples, frames: _first_fitting(samples, frames, lambda n, hop: 1 + round(n / hop)),
            Text(
                "A hop that has begun and does not end gives no frame. The quotient is cut off: samples // hop.",
                "没走完的帧移不产生新的帧。商要舍去小数：samples // hop。",
            ),
        ),
    ],
    hints=[
        Text(
            "Turn it round: for a given hop you can say how many frames each recording has. Which hops fit all?",
            "反过来想：给定帧移，就能算出每段录音有多少帧。哪些帧移全都符合？",
        ),
        Text(
            "Try hop = 1, 2, 3, ... and return the first with 1 + n // hop == f for every pair.",
            "从 hop = 1、2、3 …… 逐个试，返回第一个让每一对都满足 1 + n // hop == f 的。",
        ),
    ],
)

EXERCISES = [TRIANGLE, DISTORTION, REGULATE, COLLAPSE, HOP]
