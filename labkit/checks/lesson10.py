"""Checks of lesson 10: pixels, the losses of a GAN, flow matching, guidance, sampling, and how pictures are scored."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 10.1 pixels for a network


def _pixels_reference(pixels: Tensor) -> Tensor:
    height, width, channels = pixels.shape
    values = pixels.tolist()
    return torch.tensor(
        [
            [[2 * values[y][x][c] / 255 - 1 for x in range(width)] for y in range(height)]
            for c in range(channels)
        ]
    )


def _pixels_inputs() -> list[tuple]:
    draw = torch.Generator().manual_seed(0)
    return [
        (torch.tensor([[[0, 255, 128]]], dtype=torch.uint8),),
        (torch.tensor([[[255, 0, 0], [0, 200, 40]]], dtype=torch.uint8),),
        (torch.randint(256, (4, 5, 3), generator=draw).to(torch.uint8),),
    ]


PIXELS = Exercise(
    id="10.1",
    title=Text("Pixels for a network", "把像素交给网络"),
    difficulty=1,
    minutes=6,
    reference=_pixels_reference,
    inputs=_pixels_inputs,
    mistakes=[
        Mistake(
            Text("Whole bytes overflow", "字节溢出了"),
            lambda pixels: (pixels * 2).permute(2, 0, 1) / 255 - 1,
            Text(
                "uint8 holds 0 to 255, and 2 * 200 = 400 becomes 144 without a word. Turn the pixels into floats first.",
                "uint8 只能存 0 到 255，2 * 200 = 400 会悄悄变成 144。请先转成浮点数再计算。",
            ),
        ),
        Mistake(
            Text("The range is [0, 1]", "范围成了 [0, 1]"),
            lambda pixels: pixels.permute(2, 0, 1) / 255,
            Text(
                "The generator ends in tanh, which gives -1 to 1: black must be -1, white 1.",
                "生成器最后一层是 tanh，输出在 -1 到 1 之间：黑色应当是 -1，白色是 1。",
            ),
        ),
        Mistake(
            Text("The range is [0, 2]", "范围成了 [0, 2]"),
            lambda pixels: pixels.permute(2, 0, 1) / 127.5,
            Text("After dividing by 127.5, subtract 1.", "除以 127.5 之后，还要减去 1。"),
        ),
        Mistake(
            Text("The channels stay last", "通道还在最后一维"),
            lambda pixels: pixels / 127.5 - 1,
            Text(
                "Convolutions of PyTorch want (channels, height, width): permute(2, 0, 1).",
                "PyTorch 的卷积要求 (通道, 高, 宽)：用 permute(2, 0, 1) 调换维度。",
            ),
        ),
        Mistake(
            Text("Reshaped, not permuted", "用了 reshape，没有调换维度"),
            lambda pixels: (pixels / 127.5 - 1).reshape(pixels.shape[2], *pixels.shape[:2]),
            Text(
                "reshape keeps the order in memory, so that red, green and blue are mixed up. The axes must change "
                "places: permute(2, 0, 1).",
                "reshape 不改变内存里的顺序，红绿蓝就混在一起了。需要交换坐标轴：permute(2, 0, 1)。",
            ),
        ),
        Mistake(
            Text("The picture lies on its side", "图躺倒了"),
            lambda pixels: pixels.permute(2, 1, 0) / 127.5 - 1,
            Text(
                "permute(2, 1, 0) also exchanges height and width. Only the channels move to the front: permute(2, 0, 1).",
                "permute(2, 1, 0) 把高和宽也对调了。只要把通道移到最前面：permute(2, 0, 1)。",
            ),
        ),
    ],
    hints=[
        Text(
            "Which numbers must 0 and 255 become? And which axis holds the colours before, which after?",
            "0 和 255 应当变成几？颜色原来在哪一维，之后又在哪一维？",
        ),
        Text(
            "pixels.permute(2, 0, 1) / 127.5 - 1: dividing makes floats of the bytes.",
            "pixels.permute(2, 0, 1) / 127.5 - 1：除法会把字节变成浮点数。",
        ),
    ],
    rtol=1e-5,
    atol=1e-6,
)

# ---------------------------------------------------------------------------------------------------------------
# 10.2 the generator's loss


def _generator_reference(fake_logits: Tensor) -> Tensor:
    losses = [math.log1p(math.exp(-abs(z))) + max(-z, 0.0) for z in fake_logits.tolist()]
    return torch.tensor(sum(losses) / len(losses))


def _generator_inputs() -> list[tuple]:
    return [
        (torch.tensor([-2.0]),),
        (torch.tensor([1.5, -0.5, 3.0]),),
        (torch.tensor([-200.0, 0.25]),),  # sigmoid is 0 there, and its logarithm -inf
    ]


GENERATOR = Exercise(
    id="10.2",
    title=Text("The generator's loss", "生成器的损失"),
    difficulty=2,
    minutes=8,
    reference=_generator_reference,
    inputs=_generator_inputs,
    mistakes=[
        Mistake(
            Text("This is the saturating loss", "这是会饱和的损失"),
            lambda fake_logits: -F.softplus(fake_logits).mean(),
            Text(
                "log(1 - D) is flat where the discriminator is sure that the picture is false, that is, at the start: "
                "there the generator learns nothing. Minimize -log D instead.",
                "判别器确信图是假的时（训练之初就是这样），log(1 - D) 几乎是平的，生成器什么也学不到。"
                "应当改为最小化 -log D。",
            ),
        ),
        Mistake(
            Text("The sign of the logits is wrong", "logits 的符号反了"),
            lambda fake_logits: F.softplus(fake_logits).mean(),
            Text(
                "This falls as the discriminator calls the pictures false: the generator would help it. The loss must "
                "fall as the logits rise.",
                "判别器越认定图是假的，这个损失反而越小，生成器成了它的帮手。损失应当随 logits 增大而减小。",
            ),
        ),
        Mistake(
            Text("The logarithm of 0", "对 0 取了对数"),
            lambda fake_logits: -torch.log(torch.sigmoid(fake_logits)).mean(),
            Text(
                "sigmoid(-200) is 0 in float32, and the loss infinite. -log(sigmoid(z)) is softplus(-z), which is exact.",
                "sigmoid(-200) 在 float32 中就是 0，损失变成无穷大。-log(sigmoid(z)) 就是 softplus(-z)，后者不会溢出。",
            ),
        ),
        Mistake(
            Text("Summed, not averaged", "求了和，没有取平均"),
            lambda fake_logits: F.softplus(-fake_logits).sum(),
            Text(
                "The sum grows with the batch, and the learning rate would have to shrink with it. Take the mean.",
                "总和会随批次变大而变大，学习率就得跟着调小。请取平均。",
            ),
        ),
        Mistake(
            Text("This is the generator's loss beside the hinge", "这是与合页损失搭配的生成器损失"),
            lambda fake_logits: -fake_logits.mean(),
            Text(
                "-f has the same slope everywhere and goes on falling for ever. -ln sigmoid(f) grows flat where the picture "
                "is already taken for real.",
                "-f 的斜率处处相同，会一直降下去。-ln sigmoid(f) 在图已经被当成真图的地方会变平。",
            ),
        ),
        Mistake(
            Text("A small number under the logarithm", "在对数里加了一个小数"),
            lambda fake_logits: -torch.log(torch.sigmoid(fake_logits) + 1e-8).mean(),
            Text(
                "Nothing is infinite any more, but at f = -200 the loss is 18 instead of 200, and flat: no gradient comes "
                "through. softplus(-z) is exact.",
                "结果不再是无穷大，可 f = -200 时损失是 18 而不是 200，而且是平的，梯度传不过来。softplus(-z) 才是精确的。",
            ),
        ),
    ],
    hints=[
        Text(
            "The generator wants D = sigmoid(logit) to be 1 for its pictures. Which loss is 0 there, and steep where "
            "D is 0?",
            "生成器希望自己的图得到 D = sigmoid(logit) = 1。什么损失在那里为 0，而在 D 接近 0 时很陡？",
        ),
        Text(
            "-log(sigmoid(z)) = log(1 + exp(-z)): F.softplus(-fake_logits).mean().",
            "-log(sigmoid(z)) = log(1 + exp(-z))，也就是 F.softplus(-z)，再取平均：F.softplus(-fake_logits).mean()。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 10.3 the hinge loss of the discriminator


def _hinge_reference(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    real = [max(0.0, 1 - z) for z in real_logits.tolist()]
    fake = [max(0.0, 1 + z) for z in fake_logits.tolist()]
    return torch.tensor(sum(real) / len(real) + sum(fake) / len(fake))


def _hinge_inputs() -> list[tuple]:
    return [
        (torch.tensor([0.5]), torch.tensor([-0.25])),
        (torch.tensor([2.0, -1.0]), torch.tensor([-3.0, 0.5])),
        (torch.tensor([0.25, 3.0, -0.5]), torch.tensor([1.0, -2.0, -0.75, 0.0, -4.0])),
    ]


HINGE = Exercise(
    id="10.3",
    title=Text("The hinge loss of the discriminator", "判别器的合页损失"),
    difficulty=1,
    minutes=6,
    reference=_hinge_reference,
    inputs=_hinge_inputs,
    mistakes=[
        Mistake(
            Text("Real and false are swapped", "真假弄反了"),
            lambda real_logits, fake_logits: F.relu(1 + real_logits).mean() + F.relu(1 - fake_logits).mean(),
            Text(
                "This pushes real pictures down and false ones up. Real logits must rise above 1, false ones fall below -1.",
                "这样会压低真图、抬高假图。应当让真图的 logits 高于 1，假图的低于 -1。",
            ),
        ),
        Mistake(
            Text("There is no margin", "没有间隔"),
            lambda real_logits, fake_logits: F.relu(-real_logits).mean() + F.relu(fake_logits).mean(),
            Text(
                "A logit just on the right side of 0 costs nothing here, so that the discriminator stops at once. The "
                "hinge demands a distance of 1 from 0.",
                "这样只要刚过 0 就没有损失，判别器马上就不学了。合页损失要求离 0 至少有 1 的间隔。",
            ),
        ),
        Mistake(
            Text("There is no hinge", "没有截断"),
            lambda real_logits, fake_logits: (1 - real_logits).mean() + (1 + fake_logits).mean(),
            Text(
                "Without max(0, ...) the loss falls for ever as the logits grow (that is the Wasserstein loss, which "
                "needs other means to hold it). A picture beyond the margin must cost 0.",
                "没有 max(0, ...)，logits 越大损失越小，没有底（那是 Wasserstein 损失，要靠别的办法来约束）。"
                "越过间隔的图，损失应当是 0。",
            ),
        ),
        Mistake(
            Text("One mean over both batches", "两批放在一起取了平均"),
            lambda real_logits, fake_logits: torch.cat(
                [F.relu(1 - real_logits), F.relu(1 + fake_logits)]
            ).mean(),
            Text(
                "Each batch has its own mean, and the two are added; otherwise the larger batch weighs more.",
                "真假两批各自取平均，再相加；否则数量多的一批权重就更大。",
            ),
        ),
        Mistake(
            Text("Summed, not averaged", "求了和，没有取平均"),
            lambda real_logits, fake_logits: F.relu(1 - real_logits).sum() + F.relu(1 + fake_logits).sum(),
            Text(
                "The sum grows with the batch. Take the mean of each batch, then add the two.",
                "总和会随批次变大而变大。两批各自取平均，再相加。",
            ),
        ),
        Mistake(
            Text("Half of the loss", "损失少了一半"),
            lambda real_logits, fake_logits: (
                (F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()) / 2
            ),
            Text(
                "The formula adds the two means; it does not average them.",
                "公式是把两个平均值相加，不是再取一次平均。",
            ),
        ),
    ],
    hints=[
        Text(
            "A real picture with the logit 0.5: how far is it from where it should be at least? One with 2?",
            "一张真图的 logit 是 0.5，离及格线还差多少？logit 是 2 的呢？",
        ),
        Text(
            "F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean().",
            "两批各自截断、取平均，再相加：F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 10.4 what flow matching learns


def _flow_reference(noise: Tensor, pictures: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    between = [n + t * (p - n) for n, p, t in zip(noise, pictures, times.tolist(), strict=True)]
    return torch.stack(between), pictures - noise


def _flow_inputs() -> list[tuple]:
    draw = torch.Generator().manual_seed(0)
    shape = (3, 3, 4, 5)
    return [
        (torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([[[[4.0, 0.0]]]]), torch.tensor([0.25])),
        (  # as many pictures as columns: a time for each column raises no error
            torch.tensor([[[[0.0, 1.0]]], [[[2.0, 0.0]]]]),
            torch.tensor([[[[4.0, 3.0]]], [[[0.0, 8.0]]]]),
            torch.tensor([0.25, 0.5]),
        ),
        (
            torch.randn(shape, generator=draw),
            torch.randn(shape, generator=draw),
            torch.tensor([0.0, 0.625, 1.0]),
        ),
    ]


def _column(times: Tensor) -> Tensor:
    return times[:, None, None, None]


FLOW = Exercise(
    id="10.4",
    title=Text("What flow matching learns", "流匹配学的是什么"),
    difficulty=2,
    minutes=10,
    reference=_flow_reference,
    inputs=_flow_inputs,
    mistakes=[
        Mistake(
            Text("Each column of pixels has another time", "每一列像素用了不同的时间"),
            lambda noise, pictures, times: (
                (1 - times) * noise + times * pictures,
                pictures - noise,
            ),
            Text(
                "times (B,) is laid along the last axis, the width: where B happens to equal the width nothing complains. "
                "Each picture has one time: times[:, None, None, None].",
                "形状 (B,) 的 times 对齐的是最后一维，也就是宽；B 恰好等于宽时不会报错。"
                "每张图只有一个时间：写成 times[:, None, None, None]。",
            ),
        ),
        Mistake(
            Text("The line runs from the picture to the noise", "从图走向了噪声"),
            lambda noise, pictures, times: (
                (1 - _column(times)) * pictures + _column(times) * noise,
                noise - pictures,
            ),
            Text(
                "Here t = 0 is noise and t = 1 the picture, as sampling starts from noise at 0.",
                "这里 t = 0 是噪声，t = 1 是图：采样时要从 t = 0 的噪声出发。",
            ),
        ),
        Mistake(
            Text("The velocity points backwards", "速度的方向反了"),
            lambda noise, pictures, times: (
                (1 - _column(times)) * noise + _column(times) * pictures,
                noise - pictures,
            ),
            Text(
                "The derivative of (1 - t) noise + t picture with respect to t is picture - noise.",
                "(1 - t) · 噪声 + t · 图，对 t 求导，得到的是“图 - 噪声”。",
            ),
        ),
        Mistake(
            Text("The target is the way that is left", "目标成了剩下的路程"),
            lambda noise, pictures, times: (
                (1 - _column(times)) * noise + _column(times) * pictures,
                pictures - ((1 - _column(times)) * noise + _column(times) * pictures),
            ),
            Text(
                "picture - x_t shrinks on the way. The velocity along a straight line is the same everywhere: picture - noise.",
                "“图 - x_t”会越走越小。沿直线走，速度处处相同，都是“图 - 噪声”。",
            ),
        ),
        Mistake(
            Text("The two results are exchanged", "两个结果的次序反了"),
            lambda noise, pictures, times: (
                pictures - noise,
                (1 - _column(times)) * noise + _column(times) * pictures,
            ),
            Text("First x_t, then the velocity.", "先返回 x_t，再返回速度。"),
        ),
    ],
    hints=[
        Text(
            "Where is the point at t = 0, where at t = 1? What is the derivative of that with respect to t?",
            "t = 0 时在哪里，t = 1 时在哪里？它对 t 的导数是什么？",
        ),
        Text(
            "t = times[:, None, None, None]; (1 - t) * noise + t * pictures, and pictures - noise.",
            "t = times[:, None, None, None]；返回 (1 - t) * noise + t * pictures 和 pictures - noise。",
        ),
    ],
    atol=1e-6,
)

# ---------------------------------------------------------------------------------------------------------------
# 10.5 classifier-free guidance


def _guidance_reference(with_text: Tensor, without_text: Tensor, scale: float) -> Tensor:
    return torch.lerp(without_text, with_text, scale)


def _guidance_inputs() -> list[tuple]:
    draw = torch.Generator().manual_seed(0)
    return [
        (torch.tensor([3.0]), torch.tensor([1.0]), 2.0),
        (torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.0]), 1.0),
        (torch.randn(2, 3, generator=draw), torch.randn(2, 3, generator=draw), 3.5),
    ]


GUIDANCE = Exercise(
    id="10.5",
    title=Text("Classifier-free guidance", "无分类器引导"),
    difficulty=1,
    minutes=6,
    reference=_guidance_reference,
    inputs=_guidance_inputs,
    mistakes=[
        Mistake(
            Text("It leads away from the text", "朝着远离文本的方向走了"),
            lambda with_text, without_text, scale: with_text + scale * (without_text - with_text),
            Text(
                "With a scale of 2 this goes past the answer *without* text. Start there and go towards the answer "
                "with text, and beyond.",
                "scale = 2 时，它越过了*不带*文本的结果。应当从那里出发，朝带文本的结果走，而且走得更远。",
            ),
        ),
        Mistake(
            Text("One step too strong", "强度多了 1"),
            lambda with_text, without_text, scale: with_text + scale * (with_text - without_text),
            Text(
                "The first paper counted so (there a weight of 0 is no guidance). Here, and in most programs, a scale of "
                "1 must give the answer with text, unchanged.",
                "最早的论文采用这种写法（权重为 0 表示不引导）。这里和大多数程序一样，scale = 1 应当原样得到带文本的结果。",
            ),
        ),
        Mistake(
            Text("The answer without text is missing", "没有用上不带文本的结果"),
            lambda with_text, without_text, scale: scale * with_text,
            Text(
                "This makes the velocity longer, and the picture overshoots. Only what the text changed is to be "
                "strengthened: the difference of the two.",
                "这样只是把速度整个放大，生成的图会过头。要放大的只是文本带来的变化，即两者之差。",
            ),
        ),
        Mistake(
            Text("A mean of both", "取了两者的平均"),
            lambda with_text, without_text, scale: (scale * with_text + without_text) / (scale + 1),
            Text(
                "A mean stays between the two. Guidance goes beyond the answer with text as soon as the scale is above 1.",
                "平均值总在两者之间。scale 大于 1 时，引导应当越过带文本的结果。",
            ),
        ),
    ],
    hints=[
        Text(
            "On a line: without text 1, with text 3. Where should a scale of 0 end, where 1, where 2?",
            "在数轴上，不带文本是 1，带文本是 3。scale 为 0、1、2 时，各应落在哪里？",
        ),
        Text(
            "without_text + scale * (with_text - without_text).",
            "从 without_text 出发，加上放大后的差：without_text + scale * (with_text - without_text)。",
        ),
    ],
    atol=1e-6,
)

# ---------------------------------------------------------------------------------------------------------------
# 10.6 sampling in steps


class _Velocity:
    """A velocity with a formula that can be read where the check shows its input."""

    def __init__(self, formula: str, call: Callable[[Tensor, float], Tensor]) -> None:
        self.formula, self.call = formula, call

    def __call__(self, x: Tensor, t: float) -> Tensor:
        return self.call(x, t)

    def __deepcopy__(self, memo: dict) -> _Velocity:
        return self

    def __repr__(self) -> str:
        return f"velocity(x, t) = {self.formula}"


def _euler_reference(velocity: Callable, x: Tensor, steps: int) -> Tensor:
    time = 0.0
    while time < 1 - 0.5 / steps:
        x, time = x + velocity(x, time) / steps, time + 1 / steps
    return x


def _euler_inputs() -> list[tuple]:
    return [
        (_Velocity("t", lambda x, t: x * 0 + t), torch.tensor([0.0]), 2),
        (_Velocity("x", lambda x, t: x), torch.tensor([1.0, -2.0]), 4),
        (_Velocity("3 - x + t", lambda x, t: 3 - x + t), torch.tensor([[0.5, 1.0]]), 5),
    ]


def _euler(
    velocity: Callable, x: Tensor, steps: int, times: Sequence[float], size: float | None = None
) -> Tensor:
    for time in times:
        x = x + (1 / steps if size is None else size) * velocity(x, time)
    return x


EULER = Exercise(
    id="10.6",
    title=Text("Sampling in steps", "一步一步地采样"),
    difficulty=2,
    minutes=10,
    reference=_euler_reference,
    inputs=_euler_inputs,
    mistakes=[
        Mistake(
            Text("The time of the step's end", "用了每步结束时的时间"),
            lambda velocity, x, steps: _euler(velocity, x, steps, [(i + 1) / steps for i in range(steps)]),
            Text(
                "The network is asked where x is *now*: the first time is 0, the last 1 - 1 / steps.",
                "要交给网络的是 x *现在*所处的时间：第一个是 0，最后一个是 1 - 1 / steps。",
            ),
        ),
        Mistake(
            Text("The times reach 1", "时间走到了 1"),
            lambda velocity, x, steps: _euler(velocity, x, steps, torch.linspace(0, 1, steps).tolist()),
            Text(
                "linspace(0, 1, steps) has both ends, so that its gaps are 1 / (steps - 1), but you go 1 / steps at a time. "
                "Step i begins at i / steps.",
                "linspace(0, 1, steps) 包含两端，间隔是 1 / (steps - 1)，而每步只走 1 / steps。第 i 步应当从 i / steps 开始。",
            ),
        ),
        Mistake(
            Text("One step is missing", "少走了一步"),
            lambda velocity, x, steps: _euler(velocity, x, steps, [i / steps for i in range(steps - 1)]),
            Text(
                "The journey ends before t = 1, and some noise is left in the picture. Take `steps` steps.",
                "没到 t = 1 就停了，图里还留着噪声。应当走满 steps 步。",
            ),
        ),
        Mistake(
            Text("The size of a step is missing", "没有乘步长"),
            lambda velocity, x, steps: _euler(velocity, x, steps, [i / steps for i in range(steps)], size=1),
            Text(
                "A velocity is a way per time: multiply it by 1 / steps, or you arrive `steps` times too far.",
                "速度是单位时间走的路程：要乘以 1 / steps，否则会走出 steps 倍远。",
            ),
        ),
        Mistake(
            Text("Every step starts from the noise", "每一步都从噪声出发"),
            lambda velocity, x, steps: x + sum(velocity(x, i / steps) for i in range(steps)) / steps,
            Text(
                "The velocity must be asked at the place where you are by now: x is replaced in each step.",
                "应当在当前的位置上求速度：每一步都要更新 x。",
            ),
        ),
        Mistake(
            Text("One step only", "只走了一步"),
            lambda velocity, x, steps: x + velocity(x, 0.0) / steps,
            Text(
                "After one step of 1 / steps you stand at t = 1 / steps. Repeat it until t = 1, and ask for the velocity anew "
                "each time.",
                "走了长 1 / steps 的一步，才到 t = 1 / steps。要一直走到 t = 1，每一步都重新求速度。",
            ),
        ),
    ],
    hints=[
        Text(
            "With 4 steps: at which times do the steps begin, and how long does each last?",
            "共 4 步时，每步各从什么时间开始，持续多久？",
        ),
        Text(
            "for i in range(steps): x = x + velocity(x, i / steps) / steps.",
            "每步更新一次 x：for i in range(steps): x = x + velocity(x, i / steps) / steps。",
        ),
    ],
    atol=1e-6,
)

# ---------------------------------------------------------------------------------------------------------------
# 10.7 the Fréchet distance


def _frechet_reference(
    mean: np.ndarray, cov: np.ndarray, other_mean: np.ndarray, other_cov: np.ndarray
) -> float:
    # The eigenvalues of C C' are those of C^(1/2) C' C^(1/2): not negative.
    eigenvalues = np.linalg.eigvals(cov @ other_cov).real.clip(min=0)
    apart = sum((a - b) ** 2 for a, b in zip(mean, other_mean, strict=True))
    return float(apart + np.trace(cov) + np.trace(other_cov) - 2 * np.sqrt(eigenvalues).sum())


def _frechet_inputs() -> list[tuple]:
    return [
        (np.array([1.0]), np.array([[4.0]]), np.array([4.0]), np.array([[9.0]])),
        (np.zeros(2), np.array([[1.0, 0.75], [0.75, 1.0]]), np.zeros(2), np.eye(2)),
        (
            np.array([1.0, 2.0, 0.0]),
            np.array([[2.0, 0.5, 0.25], [0.5, 1.0, 0.125], [0.25, 0.125, 3.0]]),
            np.array([0.0, 2.0, 1.5]),
            np.array([[1.0, 0.25, 0.5], [0.25, 2.0, 0.5], [0.5, 0.5, 1.5]]),
        ),
    ]


def _root(matrix: np.ndarray) -> np.ndarray:
    from scipy.linalg import sqrtm

    return np.real(sqrtm(matrix))


FRECHET = Exercise(
    id="10.7",
    title=Text("The Fréchet distance", "弗雷歇距离"),
    difficulty=3,
    minutes=12,
    reference=_frechet_reference,
    inputs=_frechet_inputs,
    mistakes=[
        Mistake(
            Text("Standard deviations only", "只用了标准差"),
            lambda mean, cov, other_mean, other_cov: float(
                np.square(mean - other_mean).sum()
                + np.square(np.sqrt(np.diag(cov)) - np.sqrt(np.diag(other_cov))).sum()
            ),
            Text(
                "This forgets which features go together: a cloud along the diagonal and a round one are no different. "
                "The whole covariance belongs under the root.",
                "这样忽略了特征之间的相关：沿对角线的点云和圆形点云竟然没有区别。根号下要用整个协方差矩阵。",
            ),
        ),
        Mistake(
            Text("The root of each entry", "对每个元素开了方"),
            lambda mean, cov, other_mean, other_cov: float(
                np.square(mean - other_mean).sum()
                + np.trace(cov + other_cov - 2 * np.sqrt(np.abs(cov @ other_cov)))
            ),
            Text(
                "A matrix root R has R @ R = C @ C'. np.sqrt takes the root of each number: use scipy.linalg.sqrtm.",
                "矩阵的平方根 R 满足 R @ R = C @ C'。np.sqrt 只是逐个元素开方：请用 scipy.linalg.sqrtm。",
            ),
        ),
        Mistake(
            Text("The distance of the means is not squared", "均值之差没有平方"),
            lambda mean, cov, other_mean, other_cov: float(
                np.linalg.norm(mean - other_mean) + np.trace(cov + other_cov - 2 * _root(cov @ other_cov))
            ),
            Text(
                "Both parts are squared distances; the first is |m - m'|^2.",
                "两部分都是距离的平方，第一项是 |m - m'|^2。",
            ),
        ),
        Mistake(
            Text("The factor 2 is missing", "漏了系数 2"),
            lambda mean, cov, other_mean, other_cov: float(
                np.square(mean - other_mean).sum() + np.trace(cov + other_cov - _root(cov @ other_cov))
            ),
            Text(
                "Of two equal distributions the distance must be 0: tr(C + C - 2 C) = 0.",
                "两个相同的分布，距离应当是 0：tr(C + C - 2C) = 0。",
            ),
        ),
        Mistake(
            Text("The root of the product of the traces", "先求了迹再开方"),
            lambda mean, cov, other_mean, other_cov: float(
                np.square(mean - other_mean).sum()
                + np.trace(cov)
                + np.trace(other_cov)
                - 2 * np.sqrt(np.trace(cov @ other_cov))
            ),
            Text(
                "The trace comes last: first the root of the matrix, then the sum of its diagonal.",
                "迹要最后求：先求矩阵的平方根，再把对角线相加。",
            ),
        ),
        Mistake(
            Text("The root of the whole", "最后又开了方"),
            lambda mean, cov, other_mean, other_cov: float(
                np.sqrt(
                    np.square(mean - other_mean).sum()
                    + np.trace(cov + other_cov - 2 * _root(cov @ other_cov))
                )
            ),
            Text(
                "What is published as Fréchet distance of pictures is the squared one: no root at the end.",
                "评价图像时所说的弗雷歇距离是平方后的值：最后不要开方。",
            ),
        ),
    ],
    hints=[
        Text(
            "In one dimension it is (m - m')^2 + (s - s')^2. Multiply the second bracket out: which term holds a root?",
            "一维时是 (m - m')^2 + (s - s')^2。把第二个括号展开：哪一项含有根号？",
        ),
        Text(
            "root = scipy.linalg.sqrtm(cov @ other_cov).real; the covariances give np.trace(cov + other_cov - 2 * root).",
            "root = scipy.linalg.sqrtm(cov @ other_cov).real；协方差部分是 np.trace(cov + other_cov - 2 * root)。",
        ),
        Text(
            "float(((mean - other_mean) ** 2).sum() + np.trace(cov + other_cov - 2 * root)).",
            "两部分相加：float(((mean - other_mean) ** 2).sum() + np.trace(cov + other_cov - 2 * root))。",
        ),
    ],
    rtol=1e-4,
    atol=1e-6,
)

# ---------------------------------------------------------------------------------------------------------------
# 10.8 wholly right pictures


def _all_right_reference(seen: Sequence[Mapping], asked: Sequence[Mapping]) -> float:
    wrong = sum(
        len({name for name, value in one.items() if value is not None and value != other[name]}) > 0
        for one, other in zip(asked, seen, strict=True)
    )
    return 1 - wrong / len(asked)


def _facts(shape: str | None, colour: str | None, size: str | None) -> dict[str, str | None]:
    return {"shape": shape, "colour": colour, "size": size}


def _all_right_inputs() -> list[tuple]:
    red, blue = _facts("circle", "red", "large"), _facts("square", "blue", "small")
    return [
        ([red], [_facts("circle", "red", "small")]),
        ([red, blue], [red, _facts("square", None, None)]),
        (
            [red, blue, red, red],
            [red, blue, _facts(None, "blue", "small"), _facts("circle", None, "large")],
        ),
    ]


def _stated(seen: Mapping, asked: Mapping) -> list[bool]:
    return [seen[name] == value for name, value in asked.items() if value is not None]


def _mean(values: Sequence[float]) -> float:
    return float(sum(values) / len(values))


ALL_RIGHT = Exercise(
    id="10.8",
    title=Text("Wholly right pictures", "完全正确的图"),
    difficulty=1,
    minutes=8,
    reference=_all_right_reference,
    inputs=_all_right_inputs,
    mistakes=[
        Mistake(
            Text("Any fact is enough", "有一项对就算对了"),
            lambda seen, asked: _mean([any(_stated(s, a)) for s, a in zip(seen, asked, strict=True)]),
            Text(
                "A small red circle is not the large red circle that was asked for. All stated facts must be right: all(...).",
                "要的是红色的大圆，画成红色的小圆就不对。要求里说到的每一项都要对：用 all(...)。",
            ),
        ),
        Mistake(
            Text("The mean over facts", "对各项取了平均"),
            lambda seen, asked: _mean([r for s, a in zip(seen, asked, strict=True) for r in _stated(s, a)]),
            Text(
                "That is the share of right facts, which is much higher: three facts with 90 % each make only 73 % of "
                "wholly right pictures.",
                "那是“各项正确”的比例，会高出很多：三项各对 90%，完全正确的图只有 73%。",
            ),
        ),
        Mistake(
            Text("What was not said must be missing", "没说的也要求对上"),
            lambda seen, asked: _mean([s == a for s, a in zip(seen, asked, strict=True)]),
            Text(
                "None means that the caption leaves it open: any value is right there.",
                "None 表示描述里没有说，画成什么都算对。",
            ),
        ),
        Mistake(
            Text("Counted, not shared out", "只数了个数，没有算比例"),
            lambda seen, asked: float(sum(all(_stated(s, a)) for s, a in zip(seen, asked, strict=True))),
            Text("Divide by the number of pictures.", "请除以图的张数。"),
        ),
    ],
    hints=[
        Text(
            "Judge one picture first: which of the facts in `asked` have to be compared?",
            "先判断一张图：asked 里的哪些项需要比较？",
        ),
        Text(
            "all(seen[name] == value for name, value in asked.items() if value is not None), and its mean over the pictures.",
            "all(seen[name] == value for name, value in asked.items() if value is not None)，再对所有图取平均。",
        ),
    ],
)

EXERCISES = [PIXELS, GENERATOR, HINGE, FLOW, GUIDANCE, EULER, FRECHET, ALL_RIGHT]
