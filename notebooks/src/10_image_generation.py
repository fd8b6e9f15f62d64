# ---
# jupyter:
#   labkit:
#     number: "10"
#     title_en: Image generation
#     title_zh: 图像生成
#     minutes: 130
# ---

# %% [markdown] lang="en"
# # 10 Image generation
#
# You write a sentence, and a picture comes out that nobody has drawn before. In this lesson you build the two kinds of
# model that do this, a *generative adversarial network* (GAN) and *flow matching*, on pictures of 28x28 pixels. They are
# small enough to be trained here, and small enough for a judge to say of every picture whether it shows what you asked for.
#
# **After this lesson you can**
#
# - say what a picture is for a network, and what it means to *sample* one;
# - write the losses of a GAN and of flow matching, and play both on a set of points that can be drawn;
# - tell a training curve that means something from one that does not;
# - compare two generators on the same budget by right pictures, Fréchet distance, diversity and copies, beside real pictures;
# - find out by measurement how wording, order and missing words change the picture, and whether a model can compose;
# - recognize mode collapse by its numbers, and a prompt that the model cannot understand.
#
# **Time:** about 130 minutes with the exercises. You can stop after section 7 and go on another day.
#
# **Before:** [03 Loss functions](03_loss_functions.ipynb) (cross-entropy, hinge) and
# [05 Embeddings, sequences, attention](05_embeddings_sequences_attention.ipynb) (words as vectors, attention).

# %% [markdown] lang="zh"
# # 10 图像生成
#
# 写一句话，得到一张谁也没画过的图。本课动手做两类能办到这件事的模型：*生成对抗网络*（GAN）和*流匹配*，图只有 28x28 像素。图小，模型当场就能训练；图小，裁判也能逐张判断画的是不是你要的东西。
#
# **学完本课，你能够**：
#
# - 说清一张图在网络眼里是什么，*采样*一张图是什么意思；
# - 写出 GAN 和流匹配的损失，并在画得出来的点集上把两种方法都玩一遍；
# - 分清哪些训练曲线有意义，哪些没有；
# - 用同样的预算比较两个生成模型：画对的比例、弗雷歇距离、多样性、是否照抄，旁边都放上真图的数字；
# - 用测量回答：措辞、语序和缺词怎样影响画面，模型会不会把学过的东西重新组合；
# - 从数字上认出模式坍缩，也认出模型看不懂的提示词。
#
# **时间**：约 130 分钟（含练习）。可以学完第 7 节先停下，改天继续。
#
# **预备知识**：[03 损失函数](03_loss_functions.ipynb)（交叉熵、合页损失）和 [05 词向量、序列与注意力](05_embeddings_sequences_attention.ipynb)（词变成向量、注意力）。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import math
import time
from dataclasses import replace

import numpy as np
import torch
from scipy import linalg
from torch import nn
from torch.nn import functional as F
from torch.optim import Adam

from labkit import metrics, plots, weights, widgets
from labkit.checks import check, hint, solution
from labkit.common import LabkitError, set_seed, start
from labkit.image import captions, cgan, flow, judges, measures, recipes, shipped
from labkit.image.classification_score import ClassifierBudget, taught_accuracy
from labkit.image.datasets import digit_pictures, scene_pictures, to_tensor, to_uint8
from labkit.image.generation import on_the_arc
from labkit.results import Measure, report
from labkit.training import ArrayBatches, fit

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. A sentence, a picture
#
# The course comes with a model that was trained on drawn scenes with captions in English and Chinese: one or two things, each with
# a shape, a colour, a size and a place. It was *not* trained here: its card says how long that took. Read each prompt, and look
# whether its picture fits.

# %% [markdown] lang="zh"
# ## 1. 一句话，一张图
#
# 课程附带一个模型，它学过许多画出来的小场景，每个场景配一句英文或中文描述：一两件东西，各有形状、颜色、大小和位置。它*不是*在这里现场训练的，训练花了多久，模型卡上写着。先读每句提示词，再看图对不对得上。

# %%
painter = shipped.load_scenes_flow()
prompts = [
    "a large red circle in the middle",
    "a small blue square at the top left",
    "a large green ring left of a small black cross",
    "右下角有一个黄色的小三角形",
    "一个紫色的大方块在一个橙色小圆的上方",
    "一个黑色的大圆环",
]
pictures = painter.generate(prompts, seed=SEED)
plots.show(
    plots.images(list(to_uint8(pictures)), [str(i + 1) for i in range(len(prompts))], columns=6, size=1.4),
    alt="Six small pictures of coloured shapes on a light ground, one for each prompt.",
)

# %% [markdown] lang="en"
# Six good pictures prove nothing. So there is a *judge*: a classifier that was trained on real drawings alone and shares nothing with
# any generator. It says what it sees, or that it sees nothing clear.

# %% [markdown] lang="zh"
# 六张好图证明不了什么。所以要有*裁判*：一个只用真图训练的分类器，与所有生成模型都毫无关系。它会说看到了什么，或者说看不清楚。


# %%
def in_words(scene):
    """What a judge saw, in words."""
    if scene is None:
        return "nothing clear"
    things = [" ".join(word for word in thing.kind if word) for thing in scene.objects]
    between = scene.relation or scene.objects[0].place or "beside"
    return f"{things[0]}, {between}" if len(things) == 1 else f"{things[0]}, {between}, {things[1]}"


scene_judge, digit_judge = judges.load_scene_judge(), judges.load_digit_judge()
for number, verdict in enumerate(judges.judge_scenes(pictures, scene_judge), start=1):
    print(f"{number}: {in_words(verdict.scene)}")
card = weights.read_card(weights.find_shipped("scenes-flow"))
print(f"\n`{card.command}`, {card.seconds:.0f} s: {card.data}")

# %% [markdown] lang="en"
# Now from the beginning.
#
# ## 2. A picture is a list of numbers
#
# A picture file holds bytes: for each pixel red, green and blue, from 0 to 255, in the order height, width, channel. A network wants
# floats around 0, in the order channel, height, width:
#
# $$x = \frac{\text{byte}}{127.5} - 1$$
#
# **By hand.** 0 becomes $-1$ (black), 255 becomes $1$ (white), and 204 becomes $204 / 127.5 - 1 = 0.6$. Here are real handwritten digits, with
# captions: scikit-learn's 1,797, enlarged to 28x28.

# %% [markdown] lang="zh"
# 现在从头讲起。
#
# ## 2. 一张图就是一串数
#
# 图像文件里存的是字节：每个像素有红、绿、蓝三个数，从 0 到 255，顺序是高、宽、通道。网络要的是 0 附近的浮点数，顺序是通道、高、宽：
#
# $$x = \frac{\text{字节}}{127.5} - 1$$
#
# **手算**：0 变成 $-1$（黑），255 变成 $1$（白），204 变成 $204 / 127.5 - 1 = 0.6$。下面是带描述的真实手写数字：scikit-learn 自带的 1,797 张，放大到 28x28。

# %%
digits, test_digits = digit_pictures("train"), digit_pictures("test")
print(digits.pictures.shape, digits.pictures.dtype, "->", tuple(digits.tensor().shape), digits.tensor().dtype)
print("captions:", digits.captions[:5])
byte = np.full((1, 28, 28, 3), 204, dtype=np.uint8)
assert np.isclose(to_tensor(byte)[0, 0, 0, 0], 0.6)
assert np.array_equal(to_uint8(to_tensor(digits.pictures[:10])), digits.pictures[:10])

# %% [markdown] lang="en"
# ### Exercise 10.1: Pixels for a network (★☆☆, 6 minutes)
#
# Bring one picture, bytes (H, W, C), to floats (C, H, W) in $[-1, 1]$. Think of what $2 \cdot 200$ is in a byte, and of the difference
# between changing the *order of axes* and changing the *shape*.

# %% [markdown] lang="zh"
# ### 练习 10.1：把像素交给网络（★☆☆，6 分钟）
#
# 把一张图从字节 (H, W, C) 变成 $[-1, 1]$ 之间的浮点数 (C, H, W)。想一想：字节里的 $2 \cdot 200$ 等于几？*交换坐标轴*和*改变形状*有什么不同？


# %% exercise="10.1"
def pixels_for_network(pixels):
    """Bytes (H, W, C) -> floats (C, H, W) in [-1, 1]."""
    ### BEGIN SOLUTION
    return pixels.permute(2, 0, 1) / 127.5 - 1
    ### END SOLUTION


# %%
check("10.1", pixels_for_network)
# hint("10.1")
# solution("10.1")

# %% [markdown] lang="en"
# ### What it means to sample
#
# Handwritten threes are draws from a *distribution* over 784 numbers. A generator must draw new ones from the same distribution. The simplest
# try: look at each pixel by itself, take its mean and its spread over all threes, and draw it. Before you run it: will that be a three?

# %% [markdown] lang="zh"
# ### 采样是什么意思
#
# 手写的“3”可以看作从一个*分布*里抽出来的，这个分布定义在 784 个数上。生成模型要做的，就是从同一个分布里抽出新的来。最简单的办法：每个像素单独看，算出它在所有“3”上的均值和标准差，再抽一个数。运行之前先想：这样抽出来的会是“3”吗？

# %%
real = digits.tensor(channels=1)  # (N, 1, 28, 28)
labels = torch.as_tensor(digits.labels)
means = torch.stack([real[labels == digit].mean(dim=0) for digit in range(10)])  # (10, 1, 28, 28)
spreads = torch.stack([real[labels == digit].std(dim=0) for digit in range(10)])
asked = torch.arange(lab.pick(40, 320, 1000)) % 10
draws = torch.Generator().manual_seed(SEED)
alone = (means[asked] + spreads[asked] * torch.randn(len(asked), 1, 28, 28, generator=draws)).clamp(-1, 1)
rows = torch.cat([real[labels == 3][:6], alone[asked == 3][:4], means[3:4]])
names = ["real"] * 6 + ["by pixel"] * 4 + ["mean"]
plots.show(
    plots.images(list(to_uint8(rows)), names, columns=11, size=0.8),
    alt="Six real threes, four grainy ones drawn pixel by pixel, and the blurred mean of all threes.",
)

# %%
for name, threes in {"real": real[labels == 3], "by pixel": alone[asked == 3]}.items():
    rest = (threes - means[3]).numpy()  # what differs from the mean
    beside = np.corrcoef(rest[..., :-1].ravel(), rest[..., 1:].ravel())[0, 1]
    print(f"{name:9} correlation of neighbouring pixels, beyond the mean: {abs(beside):.1f}")
print(f"right digits: real {measures.digit_score(real, labels, digit_judge):.2f}, ", end="")
print(f"by pixel {measures.digit_score(alone, asked, digit_judge):.2f}")

# %% [markdown] lang="en"
# Each pixel is right by itself, and the whole is not: neighbouring pixels of a real three go together, since a stroke passes through both. **A generator has to learn what goes
# together.** It gets there by a detour: draw something simple, *noise*, and learn a function that turns noise into pictures. New noise, new picture.
#
# ## 3. The game
#
# What would a good loss be for this function? There is no right picture for a given noise. The GAN's answer (Goodfellow et al. 2014): a second network judges.
# The *discriminator* $D$ learns to tell real from generated; the *generator* $G$ learns to be taken for real. With $\sigma$ the sigmoid, and logits $r$ for real and $f$ for generated ones:
#
# $$L_D = \text{mean}\left[-\ln \sigma(r)\right] + \text{mean}\left[-\ln (1 - \sigma(f))\right]$$
#
# For the generator there are several choices. *Minimax* takes the opposite of what $D$ gets, $\ln(1 - \sigma(f))$. *Non-saturating* takes $-\ln \sigma(f)$. Both want $f$ to be high; they differ in the slope.
#
# **By hand.** At the start the discriminator is sure, say $f = -4$, so $\sigma(f) = 0.018$. The slope of the minimax loss is $-\sigma(f) = -0.018$: next to nothing
# to learn from. That of the non-saturating loss is $\sigma(f) - 1 = -0.982$.

# %% [markdown] lang="zh"
# 每个像素单独看都对，合起来却不对：真的“3”，相邻像素是连着变的，因为同一笔穿过它们。**生成模型要学的，就是哪些东西会一起变。** 办法是绕个弯：先抽一个简单的东西，也就是*噪声*，再学一个函数，把噪声变成图。换一份噪声，就是一张新图。
#
# ## 3. 一场博弈
#
# 这个函数该用什么损失？给定一份噪声，并没有“标准答案”。GAN 的办法（Goodfellow 等，2014）是再请一个网络来评判：*判别器* $D$ 学着区分真图和生成的图，*生成器* $G$ 学着让自己的图被当成真的。记 $\sigma$ 为 sigmoid，真图的 logit 为 $r$，生成图的为 $f$：
#
# $$L_D = \text{mean}\left[-\ln \sigma(r)\right] + \text{mean}\left[-\ln (1 - \sigma(f))\right]$$
#
# 生成器的损失有几种选法。*极小极大*（minimax）与 $D$ 完全对着干，取 $\ln(1 - \sigma(f))$；*非饱和*（non-saturating）取 $-\ln \sigma(f)$。两者都希望 $f$ 大，差别在斜率。
#
# **手算**：刚开始时判别器很有把握，比如 $f = -4$，即 $\sigma(f) = 0.018$。极小极大损失的斜率是 $-\sigma(f) = -0.018$，几乎学不到东西；非饱和损失的斜率是 $\sigma(f) - 1 = -0.982$。

# %%
logits = torch.linspace(-6, 6, 121)
slopes = {}
for kind in cgan.LOSSES:
    z = logits.clone().requires_grad_()
    cgan.generator_loss(z, kind).backward()
    slopes[kind] = (z.grad * len(z)).tolist()  # the loss is a mean over all
    print(f"{kind:15} slope at f = -4: {slopes[kind][20]:.3f}, at f = 4: {slopes[kind][100]:.3f}")
assert math.isclose(slopes["minimax"][20], -1 / (1 + math.exp(4)), rel_tol=1e-4)
ax = plots.lines(
    logits, slopes, xlabel="logit of the generated picture", ylabel="slope of the generator's loss"
)
plots.show(
    ax, alt="Minimax is flat on the left, non-saturating is flat on the right, and the hinge is constant."
)

# %% [markdown] lang="en"
# The minimax loss is flat where the generator is bad, the non-saturating one where it is good. That is what you want.
#
# ### Exercise 10.2: The generator's loss (★★☆, 8 minutes)
#
# Write the non-saturating loss, a mean over the logits of generated pictures. One logit of the check is $-200$: what is $\sigma(-200)$ in float32, and its logarithm?

# %% [markdown] lang="zh"
# 极小极大损失在生成器很差的地方是平的，非饱和损失在生成器已经很好的地方才是平的。我们要的正是后者。
#
# ### 练习 10.2：生成器的损失（★★☆，8 分钟）
#
# 写出非饱和损失：对生成图的 logits 取平均。检查时有一个 logit 是 $-200$：float32 里 $\sigma(-200)$ 是几？它的对数呢？


# %% exercise="10.2"
def non_saturating_loss(fake_logits):
    """Mean of -ln sigmoid(f) over the logits (B,) of generated pictures."""
    ### BEGIN SOLUTION
    return F.softplus(-fake_logits).mean()
    ### END SOLUTION


# %%
check("10.2", non_saturating_loss)
# hint("10.2")
# solution("10.2")

# %% [markdown] lang="en"
# The *hinge* loss (Lim and Ye 2017) has no sigmoid. The discriminator wants real logits above $1$ and generated ones below $-1$, and is content beyond:
#
# $$L_D = \text{mean}\left[\max(0, 1 - r)\right] + \text{mean}\left[\max(0, 1 + f)\right], \qquad L_G = -\text{mean}\left[f\right]$$
#
# **By hand.** Real logits $(2, 0.5)$ cost $(0 + 0.5) / 2 = 0.25$; one generated logit of $-0.2$ costs $0.8$. Together $1.05$.

# %% [markdown] lang="zh"
# *合页*（hinge）损失（Lim、Ye，2017）不用 sigmoid。判别器要求真图的 logit 高于 $1$，生成图的低于 $-1$，越过之后就不再计较：
#
# $$L_D = \text{mean}\left[\max(0, 1 - r)\right] + \text{mean}\left[\max(0, 1 + f)\right], \qquad L_G = -\text{mean}\left[f\right]$$
#
# **手算**：真图的 logits 为 $(2, 0.5)$，代价 $(0 + 0.5) / 2 = 0.25$；一张生成图的 logit 为 $-0.2$，代价 $0.8$。合计 $1.05$。

# %%
cost = cgan.discriminator_loss(torch.tensor([2.0, 0.5]), torch.tensor([-0.2]), "hinge")
print(f"hinge loss of the discriminator: {cost:.2f}")
assert math.isclose(cost, 1.05, rel_tol=1e-6)

# %% [markdown] lang="en"
# ### Exercise 10.3: The hinge loss of the discriminator (★☆☆, 6 minutes)
#
# Write it for logits of real and of generated pictures. There may be more of one than of the other.

# %% [markdown] lang="zh"
# ### 练习 10.3：判别器的合页损失（★☆☆，6 分钟）
#
# 给定真图和生成图的 logits，写出这个损失。两边的数量可以不同。


# %% exercise="10.3"
def hinge_loss(real_logits, fake_logits):
    """What the discriminator minimizes: logits (N,), (M,) -> a number."""
    ### BEGIN SOLUTION
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()
    ### END SOLUTION


# %%
check("10.3", hinge_loss)
# hint("10.3")
# solution("10.3")

# %% [markdown] lang="en"
# Now let us play where the whole game can be seen: a "picture" has two numbers, so it is a point. The real points lie near eight spots on a circle. How good is a generator here? Two numbers:
# the share of its points that are **near** a spot, and how many spots it **hits** (with a quarter of their due at least).

# %% [markdown] lang="zh"
# 下面在看得见全局的地方玩这场博弈：一张“图”只有两个数，也就是一个点。真实的点聚在圆周上的八处。生成器好不好，看两个数：有多少点落在某一处**附近**（near），八处当中**命中**了几处（hits，至少得到应得份额的四分之一才算）。


# %%
centres = 2 * torch.stack(
    [f(torch.arange(8) * math.tau / 8) for f in (torch.cos, torch.sin)], dim=1
)  # (8, 2)


def real_points(count):
    """Points near the eight spots: (count, 2)."""
    return centres[torch.randint(8, (count,))] + 0.1 * torch.randn(count, 2)


def near_and_hits(points):
    """The share of points (N, 2) near a spot, and the number of spots that are hit."""
    distance, spot = torch.cdist(points, centres).min(dim=1)
    hits = torch.bincount(spot[distance < 0.4], minlength=8) > len(points) / 8 / 4
    return (distance < 0.4).float().mean().item(), int(hits.sum())


def network(inputs, outputs):
    """Two hidden layers of 64."""
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, outputs)
    )


print(
    f"real points: near {near_and_hits(real_points(1000))[0]:.2f}, hits {near_and_hits(real_points(1000))[1]}"
)


# %% [markdown] lang="en"
# The whole game in one loop. In each round the discriminator takes a step, then the generator. Look at the word `detach`: where does the gradient stop, and why?

# %% [markdown] lang="zh"
# 整场博弈就是一个循环：每一轮先让判别器走一步，再让生成器走一步。注意 `detach`：梯度在哪里停住，为什么？


# %%
def play(kind, rounds, generator_rate=1e-3):
    """The game on points: both networks, and (round, both losses, near, hits, points) at each look."""
    set_seed(lab.seed)
    generator, discriminator = network(2, 2), network(2, 1)
    of_generator = Adam(generator.parameters(), generator_rate, betas=(0.5, 0.99), fused=True)
    of_discriminator = Adam(discriminator.parameters(), 1e-3, betas=(0.5, 0.99), fused=True)
    seen, noise = [], torch.randn(400, 2)
    for number in range(1, rounds + 1):
        fake = generator(torch.randn(128, 2))
        judged = discriminator(torch.cat([real_points(128), fake.detach()]))[:, 0]
        loss = cgan.discriminator_loss(judged[:128], judged[128:], kind)
        of_discriminator.zero_grad(), loss.backward(), of_discriminator.step()
        own_loss = cgan.generator_loss(discriminator(fake)[:, 0], kind)
        of_generator.zero_grad(), own_loss.backward(), of_generator.step()
        if number % max(1, rounds // 30) == 0:
            points = generator(noise).detach()
            seen.append((number, loss.item(), own_loss.item(), *near_and_hits(points), points))
    return discriminator, seen


# %% tags=["nbval-ignore-output"]
discriminator, game = play("non-saturating", lab.pick(30, 540, 6000))
grid = torch.stack(torch.meshgrid(*[torch.linspace(-3, 3, 60)] * 2, indexing="xy"), dim=-1)  # (60, 60, 2)
with torch.no_grad():
    belief = torch.sigmoid(discriminator(grid)[..., 0])
axes = plots.new_axes(9, 3.1, columns=3)
for ax, look in zip(axes, [game[0], game[len(game) // 3], game[-1]], strict=True):
    ax.plot(*centres.T, "x", color=plots.COLORS[1], markersize=9)
    ax.plot(*look[5].T, ".", color=plots.COLORS[0], markersize=2)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", title=f"round {look[0]}")
axes[-1].contour(grid[..., 0], grid[..., 1], belief, levels=[0.3, 0.5, 0.7], colors="grey")
plots.show(
    axes, alt="Generated points go from a streak to a filled disc to a ring through the eight marked spots."
)
for look in (game[0], game[len(game) // 3], game[-1]):
    print(f"round {look[0]}: near {look[3]:.2f}, spots hit {look[4]} of 8")

# %% [markdown] lang="en"
# The points begin as a streak, spread over the disc, and end on a ring through the eight spots: the discriminator punishes whatever lies where no real point is (grey lines: where it believes 0.3, 0.5 and 0.7). Nearly all spots
# are hit, but more than half of the points still lie between them. More rounds would pull them in (`MODE = "full"`). Try the other losses, too: `play("hinge", 540)`.
#
# ## 4. Curves that mean something
#
# Lesson 03 taught you to look at the loss. Let us do so. Three curves of this game: both losses, and the share of points near a spot. Before you look: which of them should fall, as the pictures get better?

# %% [markdown] lang="zh"
# 点起初连成一条，接着散开，最后落到穿过那八处的圆环上：凡是落在没有真点的地方，判别器都会惩罚（灰线是它认为“真”的概率为 0.3、0.5、0.7 的位置）。八处几乎都命中了，不过还有一半多的点落在它们之间，多玩几轮会继续靠拢（`MODE = "full"`）。也可以试试别的损失：`play("hinge", 540)`。
#
# ## 4. 有意义的曲线
#
# 第 03 课教你看损失，那就看看。这场博弈有三条曲线：两个损失，和落在某一处附近的点的比例。先想一想再看：图越来越好，哪一条应当下降？

# %% tags=["nbval-ignore-output"]
rounds, losses, own_losses, near = (np.array([look[i] for look in game], dtype=float) for i in range(4))
axes = plots.new_axes(9, 3, columns=2)
plots.lines(
    rounds,
    {"discriminator": losses, "generator": own_losses},
    xlabel="round",
    ylabel="loss in nats",
    ax=axes[0],
)
plots.lines(rounds, {"near": near}, xlabel="round", ylabel="share of points near a spot", ax=axes[1])
plots.show(
    axes, alt="Left, two losses that wander without a trend; right, the share of points near a spot rises."
)
for name, curve in {"discriminator": losses, "generator": own_losses, "near": near}.items():
    third = max(1, len(curve) // 3)
    print(f"{name:14} first third {curve[:third].mean():.2f}, last third {curve[-third:].mean():.2f}")
print(
    f"where nobody can tell: discriminator 2 ln 2 = {2 * math.log(2):.2f}, generator ln 2 = {math.log(2):.2f}"
)

# %% [markdown] lang="en"
# Both losses wander about and end nearly where they began, while the share of good points rises from next to nothing to more than two fifths. The losses say how the *game* stands: when both players improve together, nothing is seen.
# **A GAN's losses tell you when the game is lost** (the discriminator's goes to 0, and the generator learns nothing any more), **not whether the pictures are good.** For that, measure the pictures.
#
# ## 5. Text into the picture
#
# A prompt is split into words (Chinese: into characters), and each becomes a number. A recurrent network reads the words and gives a vector for each, and one for the whole sentence. The generator gets
# them beside the noise. The *discriminator* must see them too: else a fine three would do for any prompt. Look at two captions with the same words.

# %% [markdown] lang="zh"
# 两个损失来回波动，结束时和开始时差不多，而好点的比例从几乎为零升到了四成以上。损失说的是*局势*：双方一起进步，损失上就什么也看不出来。**GAN 的损失只能告诉你什么时候一边倒**（判别器的损失掉到 0，生成器再也学不到东西），**不能告诉你图好不好。** 要知道图好不好，就得测图。
#
# ## 5. 让文字进入画面
#
# 提示词先切成词（中文按字切），每个词变成一个编号。一个循环网络把它们读一遍，给每个词一个向量，再给整句一个向量。生成器除了噪声，还得到这些向量。*判别器*同样必须看到文字：否则无论要什么，画一个漂亮的“3”都能过关。请看两句用词完全相同的描述。

# %%
pair = ["a red circle left of a blue square", "a blue square left of a red circle"]
tokens = painter.encode(pair)
print(tokens.tolist())
print("the same words:", sorted(tokens[0].tolist()) == sorted(tokens[1].tolist()))
text = painter.read(tokens)
print(f"word vectors {tuple(text.words.shape)}, sentence vectors {tuple(text.sentence.shape)}, ", end="")
print(f"cosine of the two sentences {F.cosine_similarity(*text.sentence, dim=0):.2f}")
for verdict in judges.judge_scenes(painter.generate(pair, seed=SEED), scene_judge):
    print(in_words(verdict.scene))

# %% [markdown] lang="en"
# A bag of words could not tell them apart; a network that reads in order can. How is the discriminator made to read? It is shown three kinds of pairs: a real picture with its caption (should be called real), a generated one
# with its caption (false), and **a real picture with somebody else's caption** (false, too). Without the third, it may forget about the text.
#
# ## 6. Flow matching: a way from noise to pictures
#
# The second kind of model needs no opponent. Take a noise $x_0$ and a picture $x_1$, chosen by chance, and join them by a straight line. The time $t$ runs from 0 to 1:
#
# $$x_t = (1 - t)\, x_0 + t\, x_1, \qquad \frac{dx_t}{dt} = x_1 - x_0$$
#
# A network $v(x_t, t)$ is trained to say the *velocity* $x_1 - x_0$, by the mean squared error (Lipman et al. 2023; Liu et al. 2023). It does not see where a point came from or where it goes; what it learns is the mean of all lines that pass
# through $x_t$ at $t$. To draw a picture, start with noise and follow the velocity.
#
# **By hand.** $x_0 = 1$, $x_1 = 3$, $t = 0.25$: $x_t = 0.75 \cdot 1 + 0.25 \cdot 3 = 1.5$, and the velocity is $2$. From $1.5$ the way that is left, $0.75 \cdot 2$, leads to $3$.

# %% [markdown] lang="zh"
# 只数词的模型分不清这两句，按顺序读的网络就能分清。怎样逼判别器读文字？给它看三种搭配：真图配自己的描述（应当判真），生成图配自己的描述（判假），以及**真图配别人的描述**（也判假）。少了第三种，它可能干脆不看文字。
#
# ## 6. 流匹配：从噪声走到图
#
# 第二类模型不需要对手。随机取一份噪声 $x_0$ 和一张图 $x_1$，用直线连起来，时间 $t$ 从 0 走到 1：
#
# $$x_t = (1 - t)\, x_0 + t\, x_1, \qquad \frac{dx_t}{dt} = x_1 - x_0$$
#
# 训练网络 $v(x_t, t)$ 说出*速度* $x_1 - x_0$，损失是均方误差（Lipman 等，2023；Liu 等，2023）。网络看不到一个点从哪里来、到哪里去，学到的是在时刻 $t$ 经过 $x_t$ 的所有直线的平均。要画图，就从噪声出发，顺着速度走。
#
# **手算**：$x_0 = 1$，$x_1 = 3$，$t = 0.25$：$x_t = 0.75 \cdot 1 + 0.25 \cdot 3 = 1.5$，速度是 $2$。从 $1.5$ 走完剩下的路 $0.75 \cdot 2$，正好到 $3$。

# %%
x_t, velocity = flow.on_the_line(torch.tensor([[1.0]]), torch.tensor([[3.0]]), torch.tensor([0.25]))
print(f"x_t = {x_t.item():.2f}, velocity = {velocity.item():.2f}")
assert x_t.item() == 1.5
assert velocity.item() == 2.0

# %% [markdown] lang="en"
# ### Exercise 10.4: What flow matching learns (★★☆, 10 minutes)
#
# For noise and pictures (B, C, H, W) and times (B,), return $x_t$ and the velocity. Each picture has one time of its own: along which axis does (B,) lie when you just multiply?

# %% [markdown] lang="zh"
# ### 练习 10.4：流匹配学的是什么（★★☆，10 分钟）
#
# 给定噪声和图 (B, C, H, W)，以及时间 (B,)，返回 $x_t$ 和速度。每张图有自己的时间：直接相乘的话，(B,) 会对到哪一维？


# %% exercise="10.4"
def point_and_velocity(noise, pictures, times):
    """x_t and x_1 - x_0, both (B, C, H, W), for times (B,)."""
    ### BEGIN SOLUTION
    t = times[:, None, None, None]
    return (1 - t) * noise + t * pictures, pictures - noise
    ### END SOLUTION


# %%
check("10.4", point_and_velocity)
# hint("10.4")
# solution("10.4")

# %% [markdown] lang="en"
# Flow matching has a finer means. In training the caption is left out now and then, so that the network also knows the velocity *without* text. *Classifier-free guidance* (Ho and Salimans 2022) goes from there past the velocity with text:
#
# $$v = v_{\text{without}} + s\,(v_{\text{with}} - v_{\text{without}})$$
#
# **By hand.** $v_{\text{without}} = 1$, $v_{\text{with}} = 3$: $s = 0$ gives 1, $s = 1$ gives 3, $s = 2$ gives 5.

# %% [markdown] lang="zh"
# 流匹配有更精细的手段。训练时偶尔把描述去掉，网络因此也知道*不带*文字时的速度。*无分类器引导*（Ho、Salimans，2022）从那里出发，越过带文字的速度：
#
# $$v = v_{\text{不带}} + s\,(v_{\text{带}} - v_{\text{不带}})$$
#
# **手算**：$v_{\text{不带}} = 1$，$v_{\text{带}} = 3$：$s = 0$ 得 1，$s = 1$ 得 3，$s = 2$ 得 5。

# %%
for scale in (0, 1, 2):
    print(scale, flow.guided(torch.tensor(3.0), torch.tensor(1.0), scale).item())
assert flow.guided(torch.tensor(3.0), torch.tensor(1.0), 2).item() == 5.0

# %% [markdown] lang="en"
# ### Exercise 10.5: Classifier-free guidance (★☆☆, 6 minutes)
#
# Write it for any two answers. A scale of 1 must change nothing.

# %% [markdown] lang="zh"
# ### 练习 10.5：无分类器引导（★☆☆，6 分钟）
#
# 对任意两个结果写出它。强度为 1 时必须原样不变。


# %% exercise="10.5"
def guide(with_text, without_text, scale):
    """The answer at this scale: two tensors of one shape -> the same shape."""
    ### BEGIN SOLUTION
    return without_text + scale * (with_text - without_text)
    ### END SOLUTION


# %%
check("10.5", guide)
# hint("10.5")
# solution("10.5")

# %% [markdown] lang="en"
# ### Exercise 10.6: Sampling in steps (★★☆, 10 minutes)
#
# The way is followed in small steps of $1 / n$: in each, ask for the velocity *here and now*, and go that far (Euler's method). Write it for any `velocity(x, t)`. At which time does the last step begin?

# %% [markdown] lang="zh"
# ### 练习 10.6：一步一步地采样（★★☆，10 分钟）
#
# 路要一小步一小步地走，步长 $1 / n$：每一步都问*此时此地*的速度，然后走过去（欧拉法）。对任意的 `velocity(x, t)` 写出它。最后一步从什么时刻开始？


# %% exercise="10.6"
def follow(velocity, x, steps):
    """Where x is at t = 1, in steps of 1 / steps from t = 0."""
    ### BEGIN SOLUTION
    for number in range(steps):
        x = x + velocity(x, number / steps) / steps
    return x
    ### END SOLUTION


# %%
check("10.6", follow)
# hint("10.6")
# solution("10.6")

# %% [markdown] lang="en"
# The same points as before. The training loop is an ordinary regression. Its loss is measured on points of its own, too, twice as it learns.

# %% [markdown] lang="zh"
# 还是刚才那些点。训练循环就是普通的回归。学习过程中，也在另取的点上测损失。


# %%
def velocity_loss(model, count):
    """Mean squared error of the velocity on fresh points."""
    noise, points, times = torch.randn(count, 2), real_points(count), torch.rand(count, 1)
    x_t = (1 - times) * noise + times * points
    return F.mse_loss(model(torch.cat([x_t, times], dim=1)), points - noise)


def walk(model, x, steps):
    """All places (steps + 1, N, 2) on the way from noise x (N, 2), in steps of equal time."""
    places = [x]
    for number in range(steps):
        times = torch.full((len(x), 1), number / steps)
        with torch.no_grad():
            x = x + model(torch.cat([x, times], dim=1)) / steps
        places.append(x)
    return torch.stack(places)


# %% tags=["nbval-ignore-output"]
set_seed(lab.seed)
model = network(3, 2)
optimizer = Adam(model.parameters(), 3e-3, fused=True)
fresh_noise, curve = torch.randn(400, 2), []
rounds = lab.pick(60, 900, 6000)
for number in range(1, rounds + 1):
    loss = velocity_loss(model, 128)
    optimizer.zero_grad(), loss.backward(), optimizer.step()
    if number in [rounds // 60, rounds // 16, rounds // 4, rounds // 2, rounds]:
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(SEED + 1)  # the same fresh points at every look
            unseen = velocity_loss(model, 20_000).item()
        curve.append((number, unseen, *near_and_hits(walk(model, fresh_noise, 20)[-1])))
        print(f"step {number:4}: loss {unseen:.2f}, near {curve[-1][2]:.2f}, spots hit {curve[-1][3]} of 8")

# %% [markdown] lang="en"
# Nobody works against this loss, so it means something: on the same fresh points it falls at every look, and the points get better with it. But it does not go to 0, and cannot. Many lines cross at one place, and the network can only say their mean. So the *fall* says something, the value does not:
# a loss of nearly 2 is not bad here. And late gains are small in the loss.
#
# How many steps does it take? **Predict:** with one single step, where do all points end?

# %% [markdown] lang="zh"
# 没有谁跟这个损失作对，所以它是有意义的：在同一批新取的点上，每看一次它都在降，点也随之变好。不过它到不了 0，也不可能到 0：许多直线在同一处相交，网络只能说出它们的平均。所以有意义的是*下降*，不是数值本身：这里接近 2 并不算差。到了后期，图再变好，损失也只降一点点。
#
# 要走多少步？**先预测**：只走一步，所有的点会落在哪里？

# %% tags=["nbval-ignore-output"]
axes = plots.new_axes(9, 3.1, columns=3)
for ax, steps in zip(axes, (1, 4, 20), strict=True):
    places = walk(model, fresh_noise, steps)
    ax.plot(*places[:, :25].permute(2, 0, 1), color=plots.COLORS[4], linewidth=0.6)
    ax.plot(*centres.T, "x", color=plots.COLORS[1], markersize=9)
    ax.plot(*places[-1].T, ".", color=plots.COLORS[0], markersize=2)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", title="1 step" if steps == 1 else f"{steps} steps")
    share, hits = near_and_hits(places[-1])
    print(
        f"{steps:2} steps: near {share:.2f}, hits {hits}, mean distance from the centre {places[-1].norm(dim=1).mean():.2f}"
    )
plots.show(
    axes,
    alt="With one step the points lie in the middle, with four and with twenty on a ring through the spots.",
)

# %% [markdown] lang="en"
# With one step all points end near the middle: at $t = 0$ the network can only point to the *mean* of everything. (For pictures that means: one step gives a blur.) With four steps the paths bend outwards to the ring, and twenty put more of them near a spot.
#
# ## 7. Digits: the same budget for both
#
# Now real pictures. First a question: a digit has 784 pixels, but neighbours go together. How many numbers does it really take to say how one digit differs from another?

# %% [markdown] lang="zh"
# 只走一步，所有的点都落在中间附近：$t = 0$ 时网络只能指向所有东西的*平均*。（对图来说就是：一步走完，画出来是糊的。）走四步，路就弯向圆环；走二十步，落在那八处附近的更多。
#
# ## 7. 手写数字：同样的预算
#
# 现在换成真正的图。先问一个问题：一张数字有 784 个像素，可相邻像素总是一起变。要说清一张和另一张有什么不同，到底需要多少个数？

# %%
rest = (real - real.mean(dim=0)).flatten(1).double()  # (N, 784): how each digit differs from the mean
held = torch.linalg.svdvals(rest).square().cumsum(dim=0)
for number in (8, 16, 32, 64):
    print(f"{number:2} of 784 directions hold {held[number - 1] / held[-1]:.3f} of the differences")

# %% [markdown] lang="en"
# 64 numbers hold nearly everything. So the flow matching model of digits looks at a noisy picture along these 64 directions only (its *principal components*), and says the picture in them: noise in the other 720 directions it need not learn. Large models draw
# in such a smaller space, too; there a network takes the place of the components ("latent diffusion", Rombach et al. 2022).
#
# Both kinds of model are now trained **here**, from scratch, on the same 1,437 digits with the same captions (one wording, so that a few seconds suffice), one thread each, and about the same number of seconds (they are printed). Half-way
# looks at the pictures do not count. The learning rate falls to 0 at the end. What is used for drawing is not the last weights but their running mean: a GAN circles about its goal, and the mean lies nearer to it.

# %% [markdown] lang="zh"
# 64 个数就几乎装下了全部差别。所以画数字的流匹配模型只沿这 64 个方向（*主成分*）看带噪声的图，也只用它们说出图来；另外 720 个方向上的噪声，它根本不用学。大模型也在这样的小空间里画图，只是用网络代替了主成分（“潜在扩散”，Rombach 等，2022）。
#
# 下面两类模型都**在这里**从头训练：同样的 1,437 张数字、同样的描述（只用一种说法，这样几秒钟就够学了），各用一个线程，秒数也差不多（会打印出来）；中途看图的时间不算。学习率到最后降到 0。画图时用的不是最后一步的权重，而是训练过程中权重的滑动平均：GAN 总在目标周围打转，平均值离目标更近。

# %%
names = [f"a handwritten {name}" for name in captions.DIGIT_NAMES["en"]]
plain = replace(digits, captions=[names[digit] for digit in digits.labels])
requests = [names[digit] for digit in asked.tolist()]
vocabulary = captions.Vocabulary.from_captions(plain.captions)
settings = {
    "digits-gan": {"steps": lab.pick(3, 150, 900)},
    "digits-flow": {"steps": lab.pick(3, 300, 2500)},
}
print(len(plain), "pictures,", len(vocabulary.words), "words, for example:", plain.captions[:3])


# %%
def train(name):
    """Train a recipe on the digits: the model, its history, and the seconds without the looks."""
    recipe = replace(recipes.RECIPES[name], **settings[name])
    recipe = recipes.with_vocabulary(recipe, vocabulary)
    values, tokens = recipes.arrays(recipe, plain, vocabulary)
    task, looking = recipes.make_task(recipe, values, seed=lab.seed), [0.0]

    def look():
        begin = time.process_time()
        drawn = recipes.finished(recipe, task, vocabulary).generate(requests[:40], seed=SEED)
        score = measures.digit_score(drawn, asked[:40], digit_judge)
        looking[0] += time.process_time() - begin
        return {"right": score}

    set_seed(lab.seed)
    begin, every = time.process_time(), max(1, recipe.steps // 6)
    batches = ArrayBatches(values, tokens, batch_size=recipe.batch_size, seed=lab.seed)
    history = fit(task, batches, recipe.steps, evaluate=look, evaluate_every=every, progress=False)
    seconds = time.process_time() - begin - looking[0]
    return recipes.finished(recipe, task, vocabulary), history, seconds


# %%
runs = {"GAN": train("digits-gan")}

# %%
runs["flow matching"] = train("digits-flow")

# %% tags=["nbval-ignore-output"]
for name, (made, history, seconds) in runs.items():
    parameters = sum(p.numel() for p in made.model.parameters())
    print(f"{name:14} {parameters} parameters drawing, {len(history)} steps in {seconds:.1f} s")

# %% tags=["nbval-ignore-output"]
drawn = {"real digits": real[:: len(real) // len(asked)][: len(asked)]}
for name, (made, _, _) in runs.items():
    begin = time.process_time()
    drawn[name] = made.generate(requests, seed=SEED)[:, :1]
    print(f"{name}: {len(requests) / (time.process_time() - begin):.0f} pictures a second")
rows = torch.cat([real[:10], *(drawn[name][:20] for name in runs)])
plots.show(
    plots.images(list(to_uint8(rows)), columns=10, size=0.8),
    alt="A row of real digits, then two rows of zero to nine by the GAN and two by flow matching.",
)

# %% [markdown] lang="en"
# First row real, then two rows by the GAN, then two by flow matching. After the same seconds both draw digits in their order from zero to nine. Look at the two rows of each: which model draws the same three, the same four, the same six twice? And whose strokes are softer?
#
# ### The Fréchet distance
#
# Are the pictures right? Are they as *varied* as real ones? To compare two sets, a judge turns each picture into 64 numbers, and each set is taken for a normal distribution, with mean $m$ and covariance $C$:
#
# $$d = |m - m'|^2 + \operatorname{tr}\left(C + C' - 2\,(C\,C')^{1/2}\right)$$
#
# **By hand**, in one dimension, where the root is a plain one: means 1 and 4, standard deviations 2 and 3: $(1 - 4)^2 + 4 + 9 - 2 \cdot \sqrt{4 \cdot 9} = 9 + 1 = 10$.
#
# Two rules. The distance shrinks as the sets grow, so compare sets of one size only. And two sets of *real* pictures have a distance as well: this is the **floor**, and a figure without its floor says nothing. (Published figures,
# called FID, use the features of another network: they must not stand beside these.)

# %% [markdown] lang="zh"
# 第一行是真图，接着两行是 GAN 画的，再下面两行是流匹配画的。花了同样的时间，两个模型都能按要求从零画到九。再各看两行：谁的“3”“4”“6”两遍几乎画得一模一样？谁的笔画更糊一些？
#
# ### 弗雷歇距离
#
# 图画对了吗？和真图一样*多样*吗？比较两组图时，先由裁判把每张图变成 64 个数，再把每组看成一个正态分布，均值 $m$，协方差 $C$：
#
# $$d = |m - m'|^2 + \operatorname{tr}\left(C + C' - 2\,(C\,C')^{1/2}\right)$$
#
# **手算**：一维时，根号就是普通的根号。均值 1 和 4，标准差 2 和 3：$(1 - 4)^2 + 4 + 9 - 2 \cdot \sqrt{4 \cdot 9} = 9 + 1 = 10$。
#
# 两条规矩。图越多距离越小，所以只能比较同样多的图。两组*真图*之间也有距离，这叫**下限**，不报下限的数字没有意义。（论文里的 FID 用的是另一个网络的特征，不能拿来与这里的数字相比。）

# %%
one = [np.array([1.0]), np.array([[4.0]]), np.array([4.0]), np.array([[9.0]])]
print(f"Fréchet distance: {measures.frechet_between_gaussians(*one):.1f}")
root = linalg.sqrtm(np.array([[2.0, 1.0], [1.0, 2.0]]))
print("a matrix root, squared again:", np.round(root @ root, 3).tolist())

# %% [markdown] lang="en"
# ### Exercise 10.7: The Fréchet distance (★★★, 12 minutes)
#
# Write it for two means (D,) and two covariances (D, D). The root is that of a *matrix*: `linalg.sqrtm`, whose result may carry a tiny imaginary part.

# %% [markdown] lang="zh"
# ### 练习 10.7：弗雷歇距离（★★★，12 分钟）
#
# 给定两个均值 (D,) 和两个协方差 (D, D)，写出它。这里的根号是*矩阵*的平方根：用 `linalg.sqrtm`，结果可能带一点点虚部。


# %% exercise="10.7"
def frechet(mean, cov, other_mean, other_cov):
    """The squared Fréchet distance of two normal distributions, a float."""
    ### BEGIN SOLUTION
    root = linalg.sqrtm(cov @ other_cov).real
    return float(((mean - other_mean) ** 2).sum() + np.trace(cov + other_cov - 2 * root))
    ### END SOLUTION


# %%
check("10.7", frechet)
# hint("10.7")
# solution("10.7")

# %% [markdown] lang="en"
# ### The table
#
# - **right**: share of pictures that the judge takes for the digit that was asked for;
# - **Fréchet**: distance from real digits; the row of real digits is the floor;
# - **varied**: mean distance between two pictures of one digit, divided by that of real ones: near 0, the same picture comes again and again;
# - **new**: mean distance to the nearest training picture, divided by that of real digits that nobody trained on: 0 is a copy.
#
# Beside the two stand their elder siblings: the same recipes with a minute of one core and captions in all wordings (they come with the course). And four baselines: real digits, each pixel by itself (section 2), the mean picture of each digit, and a "generator" that hands out **training pictures**. Before you look: which columns will see through the last one?

# %% [markdown] lang="zh"
# ### 对照表
#
# - **right**：裁判认出的数字正是所要求的，占多大比例；
# - **Fréchet**：与真实数字的距离；真实数字那一行就是下限；
# - **varied**：同一个数字的两张图之间的平均距离，除以真图的；接近 0，就是翻来覆去画同一张；
# - **new**：到最近的训练图的平均距离，除以没有参加训练的真图的；0 就是照抄。
#
# 除了这两个模型，还有它们的“师兄”：同样的配方，用一个核训练一分钟，各种说法的描述都学（随课程附带）。另有四个基线：真实数字、逐像素抽取（第 2 节）、每个数字的平均图，以及一个直接拿出**训练图**的“生成器”。先想再看：哪几列能识破最后这一个？

# %%
shuffled = torch.randperm(len(real), generator=torch.Generator().manual_seed(SEED))
by_digit = [shuffled[labels[shuffled] == digit] for digit in range(10)]
for name, load in {"GAN": shipped.load_digits_gan, "flow matching": shipped.load_digits_flow}.items():
    drawn[f"{name}, a minute"] = load().generate(requests, seed=SEED)[:, :1]
drawn["training pictures"] = torch.stack([real[by_digit[d][i // 10]] for i, d in enumerate(asked.tolist())])
drawn["mean pictures"] = means[asked]
drawn["by pixel"] = alone
real_features = judges.features(real, digit_judge)
unseen = test_digits.tensor(channels=1)


def row_of(pictures, digits):
    """The numbers of one set of pictures."""
    seen = judges.features(pictures, digit_judge)
    return {
        "right": measures.digit_score(pictures, digits, digit_judge),
        "Fréchet": measures.frechet_beside_floor(
            seen, real_features, groups=(digits.tolist(), labels.tolist())
        ).generated,
        "varied": measures.diversity(seen, digits.tolist(), real_features, labels.tolist()).ratio,
        "new": measures.distance_to_training(pictures[:100], unseen[:100], real).ratio,
    }


# %% tags=["nbval-ignore-output"]
parts = (labels[: len(asked)].tolist(), labels.tolist())  # every digit in proportion, as it was asked for
floor = measures.frechet_beside_floor(real_features[: len(asked)], real_features, groups=parts).real
table = {name: row_of(pictures, asked) for name, pictures in drawn.items() if name != "real digits"}
table["real digits"] = row_of(unseen, torch.as_tensor(test_digits.labels)) | {"Fréchet": floor}
print(f"{'':23}" + "".join(f"{column:>9}" for column in table["GAN"]))
for name, row in table.items():
    print(f"{name:23}" + "".join(f"{value:9.2f}" for value in row.values()))

# %% [markdown] lang="en"
# Read it by columns.
#
# - **right**: after some seconds the GAN is ahead. The mean pictures are a strong baseline: flow matching does not do much better yet. A minute lets it catch up.
# - **varied**: here it is the other way round. The GAN reaches some two fifths of the variety of real digits, flow matching all of it. More training does not help the GAN here: after a minute its pictures vary *less*. But pixel by pixel there is variety, too: this column is worth nothing without the first.
# - **Fréchet**: it wants both, and so the GAN lies some ten times above the floor, flow matching three to four times, and with a minute it nearly reaches the floor. The training pictures lie even below it, since they are compared with themselves.
# - **new**: only this column sees through the training pictures. They pass all the others. Flow matching with a minute lies somewhat nearer to the training pictures than unseen digits do. Is that a beginning of copying, after well over a hundred rounds through 1,437 pictures? Partly it is smoothness: the mean pictures, which copy nobody, are below 1 as well.
#
# A last measure needs no features at all. Train a small classifier on *generated* digits and let it read real ones: the **classification accuracy score**. What a generator leaves out or gets wrong, its pupil does not learn.

# %% [markdown] lang="zh"
# 一列一列地看。
#
# - **right**：训练几秒，GAN 领先。平均图是个很强的基线，流匹配这时还没比它好多少；给一分钟，就赶上来了。
# - **varied**：这一列正好反过来。GAN 的多样性只有真图的四成左右，流匹配与真图相当。在这一列上，多训练并不能帮到 GAN：一分钟之后，它画得反而更*单调*。不过逐像素抽取也有多样性：不看第一列，这一列毫无意义。
# - **Fréchet**：它两样都要，所以 GAN 大约是下限的十倍，流匹配三四倍，训练一分钟的几乎到了下限。训练图甚至比下限还低，因为那是拿自己和自己比。
# - **new**：只有这一列识破了训练图，其余各列它都能过关。训练了一分钟的流匹配，离训练图比没见过的真图略近一些。1,437 张图来回看了一百多遍，是不是开始照抄了？有一部分只是因为画得平滑：平均图谁也没抄，也低于 1。
#
# 最后一个指标完全不用特征：拿*生成的*数字训练一个小分类器，再让它认真的数字，叫作**分类准确率得分**。生成模型漏掉的、画错的，它的学生就学不会。

# %% tags=["nbval-ignore-output"]
test = (unseen, test_digits.labels)
pupil, taught = ClassifierBudget(steps=lab.pick(3, 50, 250)), {}
teachers = {name: (drawn[name], asked) for name in ("GAN", "flow matching", "flow matching, a minute")}
for name, pictures in {**teachers, "real digits": (real, labels)}.items():
    taught[name] = taught_accuracy(pictures, test, lab.pick(1, 1, 3), pupil, size=len(asked))
    print(f"taught by {name:23} {taught[name].mean():.2f}")

# %% [markdown] lang="en"
# The GAN's pupil reads clearly fewer real digits than one that was taught by real ones, though nearly all of the GAN's digits are right: it has seen too few variants of each. Flow matching is the better teacher, although more of its digits are wrong, and after a minute its pupil is close behind the one that saw the real ones. **Which model is better depends on what for**: to draw one good seven, or to stand for all sevens.
#
# ### The curves once more
#
# For both models: the loss of each step, and the share of right digits at the looks.

# %% [markdown] lang="zh"
# GAN 的数字几乎个个画对了，它教出来的学生认真的数字时却明显不如真图教的：每个数字的写法，它见得太少。流匹配画错的更多，却是更好的老师；训练一分钟之后，它的学生已经接近看真图学出来的。**哪个模型好，要看拿来做什么**：是要画出一个像样的“7”，还是要代表所有的“7”。
#
# ### 再看曲线
#
# 两个模型各看两样：每一步的损失，和中途看图时画对的比例。

# %% tags=["nbval-ignore-output"]
axes = plots.new_axes(9, 3, columns=2)
losses_of = {
    "GAN, generator": runs["GAN"][1].train["generator"],
    "flow matching": runs["flow matching"][1].train["loss"],
}
smooth = {
    name: np.convolve(v, np.ones(10) / 10, "valid") if len(v) > 10 else v for name, v in losses_of.items()
}
plots.lines(
    {name: np.arange(len(v)) for name, v in smooth.items()}, smooth, xlabel="step", ylabel="loss", ax=axes[0]
)
looks = {name: history.evaluations["right"] for name, (_, history, _) in runs.items()}
plots.lines(
    {name: [step for step, _ in pairs] for name, pairs in looks.items()},
    {name: [value for _, value in pairs] for name, pairs in looks.items()},
    xlabel="step",
    ylabel="share of right digits",
    ax=axes[1],
    markers=True,
)
plots.show(axes, alt="Left, the losses over the steps; right, the share of right digits at each look.")

# %% tags=["nbval-ignore-output"]
for name, pairs in looks.items():
    print(f"{name:14} right digits at the looks: {[round(value, 2) for _, value in pairs]}")
for name, values in smooth.items():
    print(f"{name:14} loss half-way {values[len(values) // 2]:.2f}, at the end {values[-1]:.2f}")

# %% [markdown] lang="en"
# In the second half of the training the GAN's loss *rises*, and in just this time the share of right digits climbs from nothing to nearly all. The loss of flow matching falls all the way, as smooth as one could wish; but by far the largest part of its fall is over before a tenth of the digits is right, and while they become right it hardly moves. **Neither curve could have told you.** Look at pictures, by numbers, while you train.
#
# ## 8. Prompts for pictures
#
# Back to the shipped model of scenes. How must a prompt be worded? With a judge this is no matter of taste. First the measure: a picture is *wholly right* if everything that the caption **states** is right.
#
# **By hand.** Three pictures, each with shape, colour and size asked for. One is right, one has the wrong size, one the wrong size and the wrong colour. Right facts: $6 / 9 = 0.67$. Wholly right pictures: $1 / 3$.

# %% [markdown] lang="zh"
# 训练的后一半，GAN 的损失*上升*了，而正是在这段时间里，画对的比例从零升到几乎全对。流匹配的损失一路下降，平滑得无可挑剔；可是画对的还不到一成时，它该降的已经降得差不多了，等到数字真正变对，它又几乎不动了。**两条损失曲线都看不出这些。** 训练时要看图，而且要用数字看。
#
# ## 8. 画图的提示词
#
# 回到课程附带的场景模型。提示词该怎么写？有了裁判，就不必凭感觉。先定指标：描述里**说到**的每一项都对，这张图才算*完全正确*。
#
# **手算**：三张图，各要求了形状、颜色和大小。一张全对，一张大小错了，一张大小和颜色都错。各项正确率 $6 / 9 = 0.67$，完全正确的图只有 $1 / 3$。

# %% [markdown] lang="en"
# ### Exercise 10.8: Wholly right pictures (★☆☆, 8 minutes)
#
# `seen` and `asked` are lists of dictionaries, as in `{"shape": "circle", "colour": "red", "size": None}`. `None` in `asked` means that the caption leaves it open.

# %% [markdown] lang="zh"
# ### 练习 10.8：完全正确的图（★☆☆，8 分钟）
#
# `seen` 和 `asked` 都是字典的列表，例如 `{"shape": "circle", "colour": "red", "size": None}`。`asked` 里的 `None` 表示描述没有说。


# %% exercise="10.8"
def wholly_right(seen, asked):
    """The share of pictures in which every stated fact is right."""
    ### BEGIN SOLUTION
    right = [
        all(one[name] == value for name, value in other.items() if value is not None)
        for one, other in zip(seen, asked, strict=True)
    ]
    return sum(right) / len(right)
    ### END SOLUTION


# %%
check("10.8", wholly_right)
# hint("10.8")
# solution("10.8")

# %% [markdown] lang="en"
# The same scenes, worded in different ways. The first two are the usual wording; then wordings chosen by chance among those of the training text; then three that training **never** had. All pictures of a column start from the same noise. **Predict** the order.

# %% [markdown] lang="zh"
# 同样的场景，换着说法写。前两种是常用的说法；第三种从训练用过的说法里随机挑；后三种训练时**从没**出现过。每种说法都从同样的噪声出发。**先预测**名次。


# %%
def right_pictures(prompts, scenes, seed=SEED, **options):
    """Of each picture, 1 if it is wholly right, else 0: (N,)."""
    verdicts = judges.judge_scenes(painter.generate(prompts, seed=seed, **options), scene_judge)
    outcomes = [measures.compare(v.scene, scene) for v, scene in zip(verdicts, scenes, strict=True)]
    return np.array([all(right for _, right in outcome) for outcome in outcomes], dtype=float)


def place_in(language, thing):
    """The usual words for a place."""
    return captions.NAMES[language]["place"][thing.place][0]


def chinese(kind, value):
    """The usual Chinese word."""
    return captions.NAMES["zh"][kind][value][0]


# %%
singles = scene_pictures(lab.pick(4, 32, 400), SEED, "test", "en", objects=1)
wordings = {
    "English, usual": lambda t: f"a {t.size} {t.colour} {t.shape} {place_in('en', t)}",
    "Chinese, usual": lambda t: f"{place_in('zh', t)}有一个{chinese('colour', t.colour)}的"
    + chinese("size", t.size) + chinese("shape", t.shape),
    "shape first": lambda t: f"{t.shape} {t.colour} {t.size} {place_in('en', t)}",
    "with decoration": lambda t: f"please paint a very nice {t.size} {t.colour} {t.shape} {place_in('en', t)}, thanks",
    "size said last": lambda t: f"a {t.colour} {t.shape} {place_in('en', t)}, it is {t.size}",
}  # fmt: skip
worded = {name: [word(scene.objects[0]) for scene in singles.facts] for name, word in wordings.items()}
worded["English, by chance"] = singles.captions
for name, prompts in worded.items():
    print(f"{name:19} {prompts[0]}")

# %%
scores = {name: right_pictures(prompts, singles.facts) for name, prompts in worded.items()}
for name, values in scores.items():
    mean, low, high = metrics.bootstrap_interval(values, samples=2000)
    print(f"{name:19} wholly right {mean:.2f}, 95 % interval {low:.2f} to {high:.2f}")

# %% [markdown] lang="en"
# English, Chinese, and every wording that training had do equally well. A strange order costs something. What costs most is a size at the end, in a sentence of its own, and *decoration*: "please", "very nice", "thanks" are words that the model has never seen, and they do not leave the others alone. Politeness is no neutral
# addition. **Word a prompt as the training captions are worded**; if you do not know them, measure.
#
# **Order, with two things.** "A left of B" and "B right of A" say the same; "B left of A" says the opposite.

# %% [markdown] lang="zh"
# 英文、中文，以及训练中有过的各种说法，效果都一样好。少见的语序要打些折扣。损失最大的，一是把大小放到最后、另起半句，二是*客套话*：please、very nice、thanks 这些词模型从没见过，还会连累别的词。客气话并不是中性的。**提示词要照训练描述的说法来写**；不知道训练用的是什么说法，那就测。
#
# **两件东西的语序**：“A 在 B 的左边”与“B 在 A 的右边”说的是一回事，“B 在 A 的左边”正好相反。


# %%
def told(first, relation, second):
    """A caption of two things."""
    one, other = (" ".join(thing.kind[i] for i in (2, 1, 0)) for thing in (first, second))
    return f"a {one} {relation} a {other}"


pairs = scene_pictures(lab.pick(4, 32, 400), SEED, "test", "en", objects=2)
converse = captions.CONVERSE
orders = {
    "A left of B": [told(s.objects[0], s.relation, s.objects[1]) for s in pairs.facts],
    "B right of A": [told(s.objects[1], converse[s.relation], s.objects[0]) for s in pairs.facts],
    "B left of A": [told(s.objects[1], s.relation, s.objects[0]) for s in pairs.facts],
}
for name, prompts in orders.items():
    print(f"{name:13} {prompts[0]}")

# %%
order_scores = {name: right_pictures(prompts, pairs.facts) for name, prompts in orders.items()}
for name, values in order_scores.items():
    print(f"{name:13} pictures that show A left of B: {values.mean():.2f}")

# %% [markdown] lang="en"
# The first two say the same, and do equally well; with the words exchanged the picture shows the opposite, as it should. The model reads the order. (Two things are harder than one: see section 9.)
#
# **What is not said.** If the colour is missing, the picture has one all the same. Which? We ask for "a large circle in the middle" many times, and let the judge count.

# %% [markdown] lang="zh"
# 前两种说法意思相同，效果也相同；两件东西的名字一对调，画出来就正好相反，本来也该如此。模型读得懂语序。（画两件比画一件难，见第 9 节。）
#
# **没说的部分**：描述里没有颜色，画出来的图还是有颜色。会是什么颜色？把“a large circle in the middle”要很多遍，让裁判来数。

# %%
open_prompt = ["a large circle in the middle"] * lab.pick(4, 48, 400)
verdicts = judges.judge_scenes(painter.generate(open_prompt, seed=SEED), scene_judge)
seen = [verdict.scene.objects[0] for verdict in verdicts if verdict.scene is not None]
counts = {colour: sum(thing.colour == colour for thing in seen) for colour in judges.COLOURS}
kept = np.mean([(thing.shape, thing.size, thing.place) == ("circle", "large", "centre") for thing in seen])
print(f"{len(open_prompt)} pictures, {len(seen)} clear; what was said is right in {kept:.2f} of them")
plots.show(
    plots.bars(counts, ylabel="pictures", digits=0), alt="Bars: how many of the circles have each colour."
)

# %% [markdown] lang="en"
# What was said is kept. What was not said is *not* chosen evenly: two colours make up most of the circles, though training had no favourite colour. Large black circles are even among the combinations that training never had (section 9). Guidance makes such leanings stronger. **What you leave out, the model fills in by habits that nobody told you of.** Who wants
# a certain colour must say so, and who wants variety must ask for each colour.
#
# ## 9. Composition
#
# Some combinations of shape, colour and size were **held out**: training has large red circles, say, and small red squares, but never a small red circle. A model that has only learned its pictures by heart fails here. One that has understood that
# a colour is one thing and a shape another does not. Beside it a baseline: the same pictures, judged by the captions of *other* pictures.

# %% [markdown] lang="zh"
# 说了的都做到了。没说的却*不是*均匀地选：大多数圆只有两种颜色，而训练数据并不偏爱哪种颜色。黑色的大圆甚至属于训练中从未有过的组合（见第 9 节）。引导会把这类倾向放大。**你没说的，模型按自己的习惯去填，而这些习惯没人告诉过你。** 想要哪种颜色就要说出来；想要多样，就逐个颜色去要。
#
# ## 9. 组合
#
# 有些“形状、颜色、大小”的组合是**特意留出来的**：比如训练时有红色的大圆，有红色的小方块，却从来没有红色的小圆。只会死记硬背的模型在这里要出错；明白颜色归颜色、形状归形状的模型就不会。旁边放一个基线：同样的图，拿*别的图*的描述来评。

# %%
count = lab.pick(4, 48, 500)
composed = {}
for name, split, objects in [
    ("seen, one thing", "test", 1), ("held out, one thing", "held_out", 1),
    ("seen, two things", "test", 2), ("held out, two things", "held_out", 2),
]:  # fmt: skip
    scenes = scene_pictures(count, SEED + 1, split, "both", objects)
    made = painter.generate(scenes.captions, seed=SEED)
    composed[name] = (made, scenes)
    facts = measures.attribute_scores(made, scenes.said, scene_judge)
    chance = measures.attribute_scores(made, scenes.said[1:] + scenes.said[:1], scene_judge)["all"]
    print(
        f"{name:21} "
        + ", ".join(f"{fact} {share:.2f}" for fact, share in facts.items())
        + f" (shuffled {chance:.2f})"
    )

# %%
rows = torch.cat([made[:6] for name, (made, _) in composed.items() if "held out" in name])
plots.show(
    plots.images(list(to_uint8(rows)), [str(i + 1) for i in range(len(rows))], columns=6, size=1.2),
    alt="Pictures of held-out combinations: one thing in the first row, two in the second.",
)
for name, (_, scenes) in composed.items():
    if "held out" in name:
        print(*scenes.captions[:6], sep="\n", end="\n\n")

# %% [markdown] lang="en"
# One thing: combinations that were never seen are drawn as well as the others. The model composes. Two things: more than a tenth is wrong, with seen and unseen combinations alike, so it is not the new combination that is hard but the second thing. The columns say what goes wrong: where `count` is right, nearly everything is. With 48 pictures in each row, differences of some hundredths are chance.
#
# ## 10. Guidance and steps
#
# Two knobs of flow matching that cost no training: the strength of guidance, and the number of steps. The scenes are the held-out pairs. (This model was *told* the strength while it learned, so that one pass does what takes two otherwise.)

# %% [markdown] lang="zh"
# 一件东西：没见过的组合，画得和见过的一样好，模型会组合。两件东西：一成多画错，见过和没见过的都一样，可见难的不是新组合，而是第二件东西。各列说明了错在哪里：只要数目（`count`）对，几乎全对。每行 48 张图，相差百分之几只是偶然。
#
# ## 10. 引导强度和步数
#
# 流匹配有两个旋钮，不用重新训练：引导的强度和步数。场景取留出的两件东西的组合。（这个模型在训练时就被*告知*了强度，所以走一遍就能做到别人要走两遍的事。）

# %%
few = composed["held out, two things"][1][: lab.pick(2, 24, 200)]
knobs = {"guidance": (1.0, 2.0, 3.0, 4.0), "steps": (1, 2, 3, 7)}
sweep = {
    knob: [float(right_pictures(few.captions, few.said, **{knob: value}).mean()) for value in values]
    for knob, values in knobs.items()
}
axes = plots.new_axes(9, 3, columns=2)
for ax, (knob, values) in zip(axes, knobs.items(), strict=True):
    plots.lines(values, {"right": sweep[knob]}, xlabel=knob, ylabel="share wholly right", ax=ax, markers=True)
    ax.set_ylim(0, 1.05)
    print(knob, dict(zip(values, (round(value, 2) for value in sweep[knob]), strict=True)))
plots.show(
    axes, alt="Two curves: the share of right pictures over the guidance, and over the number of steps."
)

# %% [markdown] lang="en"
# Guidance has a best value in the middle. Without it (1) the text is followed too loosely; with too much the pictures are distorted. One step gives nothing at all, as with the points; three give nearly all of it here. (Of 24 pictures one is 0.04: neighbouring values are hardly apart.) The same knobs exist in every large model of this kind; their best values must be measured anew.
#
# ## 11. A walk, and the playground
#
# The noise is what a prompt leaves open. What lies *between* two noises? Go from one to the other along an arc (a straight line would pass through noise that is too weak: the mean of two draws has a smaller spread), and draw on the way. If the model had only stored pictures, the walk would jump.

# %% [markdown] lang="zh"
# 引导强度，中间最好。不引导（1）时，对文字跟得太松；太强，画面就变形。和前面的点一样，只走一步什么也画不出来；这里走三步已经和走七步差不多。（共 24 张图，一张就是 0.04，相邻的值差别不大。）各种大模型里都有这两个旋钮，最合适的值要重新测。
#
# ## 11. 漫游与试验台
#
# 提示词没有说死的，由噪声决定。两份噪声*之间*是什么？沿着一段弧从一份走到另一份（走直线的话，中途的噪声会太弱：两次抽样的平均，波动更小），一路画下来。如果模型只是存了一堆图，中途就会突然跳变。

# %%
walked = torch.stack(
    list(painter.latent_walk("a large ring", [SEED + 1, SEED + 2], between=lab.pick(2, 8, 8)))
)
plots.show(
    plots.images(list(to_uint8(walked)), columns=len(walked), size=1.0),
    alt="Nine pictures of a large ring, changing from the first noise to the second.",
)
apart = (walked[1:] - walked[:-1]).square().mean(dim=(1, 2, 3)).sqrt()
print("change from picture to picture:", [round(value, 2) for value in apart.tolist()])
print(f"from the first to the last: {(walked[-1] - walked[0]).square().mean().sqrt():.2f}")

# %% [markdown] lang="en"
# Each picture differs a little from the one before, and by about the same amount: no jump. The colour, which the prompt leaves open, goes gradually from one end to the other. All the pictures between are rings that nobody has drawn.
#
# Now you. **Predict** first: what will a guidance of 1 change, what one single step, and what a word that the model does not know? The line under the controls says what the judge sees. For readers on paper, the figure shows one prompt with six seeds.

# %% [markdown] lang="zh"
# 每张图都比前一张变了一点点，而且变化的幅度差不多：没有跳变。提示词没说的颜色，从一头慢慢变到另一头。中间这些圆环，谁也没有画过。
#
# 现在轮到你。**先预测**：引导强度调到 1 会怎样，只走一步会怎样，写一个模型不认识的词又会怎样？滑块下面那行字是裁判看到的东西。给读纸质版的同学：图中是同一句提示词、六个种子。


# %% tags=["nbval-ignore-output"]
def describe(prompt, pictures):
    """What the judge sees, and which words the model does not know."""
    found = "; ".join(in_words(verdict.scene) for verdict in judges.judge_scenes(pictures, scene_judge))
    unknown = painter.unknown_words(prompt)
    return f"judge: {found}" + (f" | words it never saw: {' '.join(unknown)}" if unknown else "")


def draw(prompt, guidance, steps, seed):
    pictures = painter.generate([prompt] * 3, seed=seed, guidance=guidance, steps=steps)
    return plots.images(list(to_uint8(pictures)), columns=3, size=1.6), describe(prompt, pictures)


widgets.explorer(
    draw,
    prompt="a small green cross above a large yellow circle",
    guidance=(1.0, 4.0, 0.25, painter.guidance),
    steps=(1, 16, 1, painter.steps),
    seed=(0, 20, 1, 0),
)

# %%
prompt = "a small green cross above a large yellow circle"
six = torch.cat([painter.generate([prompt], seed=seed) for seed in range(6)])
plots.show(
    plots.images(list(to_uint8(six)), columns=6, size=1.2),
    alt="Six drawings of a small green cross above a large yellow circle, each elsewhere in the picture.",
)
agree = sum(
    in_words(v.scene) == "cross green small, above, circle yellow large"
    for v in judges.judge_scenes(six, scene_judge)
)
print(f"{agree} of 6 are what was asked for")


# %% tags=["nbval-ignore-output"]
def stroll(prompt, share, seed, other_seed):
    """The picture at a share of the way from one noise to another."""
    text = painter.read(painter.encode([prompt]))
    noise = on_the_arc(painter.noise(1, seed), painter.noise(1, other_seed), share)
    options = {name: getattr(painter, name) for name in ("steps", "guidance", "shift")}
    picture = painter.draw(text, noise, **options)
    return plots.images(list(to_uint8(picture)), size=2.4), describe(prompt, picture)


widgets.explorer(
    stroll, prompt="a large ring", share=(0.0, 1.0, 0.05, 0.0), seed=(0, 20, 1, 1), other_seed=(0, 20, 1, 2)
)

# %% [markdown] lang="en"
# ## 12. A prompt with words that it never saw
#
# Many a first program hands its model the prompt 一只可爱的小猫在玩耍。 ("A cute little cat is playing."). This model has seen circles and squares, never a cat. What will it do? First ask which words it knows.

# %% [markdown] lang="zh"
# ## 12. 没见过的词
#
# 许多人的第一个画图程序，都会让模型画“一只可爱的小猫在玩耍。”。可这个模型只见过圆和方块，没见过猫。它会怎么办？先问问它认得哪些字。

# %%
cat = "一只可爱的小猫在玩耍。"
unknown = painter.unknown_words(cat)
print("never seen:", *unknown)
print("known:", *[word for word in dict.fromkeys(captions.split_words(cat)) if word not in unknown])
cats = painter.generate([cat] * lab.pick(4, 24, 100), seed=SEED)
plots.show(
    plots.images(list(to_uint8(cats[:8])), columns=8, size=1.0),
    alt="Eight pictures drawn for a sentence about a playing cat: small coloured shapes, and no cat.",
)

# %%
scenes = [verdict.scene for verdict in judges.judge_scenes(cats, scene_judge)]
seen = [thing for scene in scenes if scene is not None for thing in scene.objects]
print(f"{len(scenes)} pictures, {sum(scene is None for scene in scenes)} of them nothing clear")
print(f"things that are small: {np.mean([thing.size == 'small' for thing in seen]):.2f} (training: 0.50)")
print("shapes:", {shape: sum(thing.shape == shape for thing in seen) for shape in judges.SHAPES})

# %% [markdown] lang="en"
# No cat, of course. Most of what is drawn is *small*, for 小 is one of the four words that it knows, and most of it is crosses, in nearly one colour: what the unknown words add up to for this model. In some pictures the judge sees nothing clear, but the others look as tidy as any. **Nothing in them says that six of ten characters were not understood.**
#
# **How it should say so.** Whoever builds a program around a model must not hand out a picture in silence when half of the sentence was not understood. The words tell it *before* anything is drawn. And when no word is known, there is nothing to draw from: labkit refuses.

# %% [markdown] lang="zh"
# 当然没有猫。画出来的东西大多是*小*的，因为它认识的四个字里有“小”；又大多是十字，颜色也几乎一样：对这个模型来说，那些生字凑在一起就成了这个样子。有几张图裁判看不清，其余的和平时一样干净整齐。**从图上一点也看不出，十个字里有六个它没看懂。**
#
# **应当怎样说出来**：给模型套上程序的人，不能在半句话都没看懂的时候，一声不吭地交出一张图。词表在动笔*之前*就能告诉你。要是一个词也不认识，就没有画图的依据，labkit 会直接拒绝。


# %%
def answer(prompt):
    """What a program should say with its picture, in place of silence."""
    try:
        painter.encode([prompt])
    except LabkitError as error:
        return f"refused: {str(error).partition('. It knows')[0]}."
    unknown = painter.unknown_words(prompt)
    if not unknown:
        return "drawn as asked."
    return f"drawn, but I never saw: {' '.join(unknown)}. The picture leaves that out."


for prompt in ("一个红色的小圆", cat, "a red cat", "cats playing"):
    print(f"{prompt}\n   {answer(prompt)}")
assert "refused" in answer("cats playing")
assert answer("一个红色的小圆") == "drawn as asked."

# %% [markdown] lang="en"
# Services that do draw the cat use a model that was trained on hundreds of millions of pictures with captions, cats among them. The method is the one of this lesson; the data and the size are not.
#
# ## 13. Break it
#
# Back to the points of section 3. A colleague finds that the generator learns too slowly, and gives it four times the learning rate. The discriminator, the loss, the seed and the number of rounds stay. Here are the losses of the last third, beside the values at which nobody can
# tell real from generated. Would you take it over?

# %% [markdown] lang="zh"
# 能画出小猫的服务，背后的模型看过上亿张带描述的图，其中就有猫。方法就是本课的方法，差的是数据和规模。
#
# ## 13. 找出故障
#
# 回到第 3 节的点。一位同事嫌生成器学得慢，把它的学习率调到四倍；判别器、损失、种子和轮数都没动。下面是最后三分之一的损失，旁边是真假完全分不出来时的值。你会采用吗？

# %% tags=["nbval-ignore-output"]
_, theirs = play("non-saturating", lab.pick(30, 540, 6000), generator_rate=4e-3)
ideal = (2 * math.log(2), math.log(2))
print(f"{'nobody can tell':16} discriminator {ideal[0]:.2f}, generator {ideal[1]:.2f}")
for name, looks in {"section 3": game, "colleague": theirs}.items():
    late = np.array([look[1:3] for look in looks[-len(looks) // 3 :]])
    print(f"{name:16} discriminator {late[:, 0].mean():.2f}, generator {late[:, 1].mean():.2f}")

# %% [markdown] lang="en"
# By the losses the colleague has won: both stand nearer to the values at which real and generated cannot be told apart. **Before you read on:** which number would show whether the generator draws all that there is? It was printed in section 3.

# %% [markdown] lang="zh"
# 单看损失，同事赢了：两个损失都更接近“真假分不出来”时的值。 **往下读之前**：生成器是不是把该画的都画到了，哪个数字看得出来？第 3 节打印过。

# %% tags=["nbval-ignore-output"]
axes = plots.new_axes(9, 3.1, columns=3)
for ax, look in zip(axes, [theirs[len(theirs) // 2], theirs[-3], theirs[-1]], strict=True):
    ax.plot(*centres.T, "x", color=plots.COLORS[1], markersize=9)
    ax.plot(*look[5].T, ".", color=plots.COLORS[0], markersize=2)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", title=f"round {look[0]}")
plots.show(
    axes,
    alt="The colleague's points lie in one clump or arc, which is elsewhere in each of the three rounds.",
)
for name, looks in {"section 3": game, "colleague": theirs}.items():
    print(f"{name:10} spots hit, at the last ten looks: {[look[4] for look in looks[-10:]]}")

# %% [markdown] lang="en"
# The colleague's generator hits one or two spots of eight at a time, and is somewhere else at each look. It puts all its points where the discriminator is weak just now, and has moved on before the discriminator has learned the place. At no moment can that one tell real from generated, so the losses look perfect. This is **mode collapse**. The mend: let the generator be the slower of the two (the recipe of section 7 gives the
# discriminator three times the rate), and count the modes.
#
# Pictures can be narrowed in the same way, on purpose or not. Many programs draw from *weaker* noise, because the pictures look cleaner ("truncation"). Here is the GAN of section 7 with a fifth of the noise.

# %% [markdown] lang="zh"
# 同事的生成器每次只命中八处中的一两处，而且每次看都换了地方。它把所有的点都放到判别器眼下最弱的地方，等判别器学会了，它已经换了地方。判别器在任何时刻都分不清真假，所以损失看起来完美无缺。这就是**模式坍缩**。修正：让生成器做慢的一方（第 7 节的配方里，判别器的学习率是它的三倍），并且数一数命中了几处。
#
# 画图也会这样变窄，有时是有意的，有时是无意的。不少程序抽噪声时故意把它*减弱*，因为画面显得更干净（叫“截断”）。下面是第 7 节的 GAN，噪声减到五分之一。

# %% tags=["nbval-ignore-output"]
made = runs["GAN"][0]
noise = made.noise(len(requests), SEED)
narrow = made.draw(made.read(made.encode(requests)), 0.2 * noise)[:, :1]
for name, pictures in {"whole noise": drawn["GAN"], "a fifth of it": narrow}.items():
    print(
        f"{name:14}" + "".join(f"  {column} {value:.2f}" for column, value in row_of(pictures, asked).items())
    )
threes = torch.cat([narrow[asked == 3][:8], drawn["GAN"][asked == 3][:8], real[labels == 3][:8]])
plots.show(
    plots.images(list(to_uint8(threes)), columns=8, size=0.9),
    alt="Eight threes from weak noise are nearly the same; those from the whole noise differ more, real ones most.",
)

# %% [markdown] lang="en"
# As many digits are right as before, and there is hardly any variety left: *varied* shows it at once, *right* does not mind. Quality alone says nothing about variety, so measure both. And even with the whole noise the GAN of section 7 has less than half of the variety of real digits: a little collapsed it was from the start.
#
# ## 14. What was measured
#
# The figures of this lesson in one table. The first two rows are about the shipped model of scenes, the others about digits; each model was trained with one seed. The intervals are those of drawing the captions anew.

# %% [markdown] lang="zh"
# 画对的一点没少，多样性却几乎没剩下：*varied* 一眼就看出来，*right* 毫无察觉。光有质量说明不了多样性，所以两样都要测。而且就算用完整的噪声，第 7 节的 GAN 的多样性也不到真图的一半：它从一开始就有点坍缩。
#
# ## 14. 测量结果
#
# 本课的测量结果汇总在一张表里。前两行是课程附带的场景模型，其余是数字；每个模型只用一个种子训练过。区间来自对描述重新抽样。


# %%
def composed_measure(name, metric):
    """All that a caption states is right, beside the same pictures with the captions of others."""
    made, scenes = composed[name]
    verdicts = [verdict.scene for verdict in judges.judge_scenes(made, scene_judge)]
    values = [
        [
            all(right for _, right in measures.compare(v, scene))
            for v, scene in zip(verdicts, said, strict=True)
        ]
        for said in (scenes.said, scenes.said[1:] + scenes.said[:1])
    ]
    mean, low, high = metrics.bootstrap_interval(np.array(values[0], dtype=float))
    return Measure(
        metric, mean, float(np.mean(values[1])), "captions shuffled", interval=(low, high), digits=2
    )


# %% tags=["nbval-ignore-output"]
by_pixel = table["by pixel"]["right"]
report(
    composed_measure("held out, one thing", "scenes wholly right, held out, one thing"),
    composed_measure("held out, two things", "scenes wholly right, held out, two things"),
    Measure("right digits, GAN in place", table["GAN"]["right"], by_pixel, "by pixel", digits=2),
    Measure("right digits, flow matching in place", table["flow matching"]["right"], by_pixel, "by pixel", digits=2),
    Measure("Fréchet distance, GAN in place", table["GAN"]["Fréchet"], floor, "real, floor", False, digits=0),
    Measure("Fréchet distance, flow matching in place", table["flow matching"]["Fréchet"], floor, "real, floor", False, digits=0),
    *(Measure(f"classification accuracy score, {name}", float(taught[name].mean()), float(taught["real digits"].mean()),
              "real digits", digits=2) for name in teachers),
)  # fmt: skip

# %% [markdown] lang="en"
# ## Summary
#
# - To sample a picture is to draw from a distribution over all pixels together. Pixel by pixel it does not work: what matters is what goes together.
# - A GAN is a game: the discriminator tells real from generated, the generator wants to be taken for real. The non-saturating loss is steep where the generator is bad.
# - Flow matching is a regression: learn the velocity from noise to picture, then follow it in steps.
# - A GAN's losses say how the game stands, not how good the pictures are. Measure the pictures.
# - Text comes in as vectors of words; the discriminator must read as well, and guidance strengthens what the text changed.
# - A few directions hold most of a picture. A model that draws in them has less to learn.
# - Right, varied, new: no single number is enough. Put the real pictures' figure beside each, and simple baselines too: copies of training pictures pass all but one.
# - Whether wording, order and gaps in a prompt matter is found out by measuring. What is not said the model chooses.
# - Held-out combinations show whether a model composes or remembers.
# - Mode collapse is invisible in the losses, in a single picture and in the share of right ones. Diversity shows it.
# - A model draws something for any sentence that it half knows. Say which words it never saw.
#
# ## Further reading
#
# - I. Goodfellow et al. (2014), Generative adversarial networks. [arXiv:1406.2661](https://arxiv.org/abs/1406.2661).
# - S. Reed et al. (2016), Generative adversarial text to image synthesis. [arXiv:1605.05396](https://arxiv.org/abs/1605.05396). Real pictures with the wrong caption.
# - J. H. Lim, J. C. Ye (2017), Geometric GAN. [arXiv:1705.02894](https://arxiv.org/abs/1705.02894). The hinge loss.
# - T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida (2018), Spectral normalization for generative adversarial networks. [arXiv:1802.05957](https://arxiv.org/abs/1802.05957).
# - P. Isola, J.-Y. Zhu, T. Zhou, A. Efros (2017), Image-to-image translation with conditional adversarial networks. [arXiv:1611.07004](https://arxiv.org/abs/1611.07004). Section 3: a pixel loss, and a generator that ignores its noise.
# - Y. Lipman et al. (2023), Flow matching for generative modeling. [arXiv:2210.02747](https://arxiv.org/abs/2210.02747).
# - X. Liu, C. Gong, Q. Liu (2023), Flow straight and fast. [arXiv:2209.03003](https://arxiv.org/abs/2209.03003).
# - J. Ho, T. Salimans (2022), Classifier-free diffusion guidance. [arXiv:2207.12598](https://arxiv.org/abs/2207.12598).
# - R. Rombach et al. (2022), High-resolution image synthesis with latent diffusion models. [arXiv:2112.10752](https://arxiv.org/abs/2112.10752). Drawing in a smaller space.
# - M. Heusel et al. (2017), GANs trained by a two time-scale update rule. [arXiv:1706.08500](https://arxiv.org/abs/1706.08500). The Fréchet distance.
# - S. Ravuri, O. Vinyals (2019), Classification accuracy score for conditional generative models. [arXiv:1905.10887](https://arxiv.org/abs/1905.10887).

# %% [markdown] lang="zh"
# ## 小结
#
# - 采样一张图，是从所有像素的联合分布里抽取。逐像素抽是不行的：关键在于哪些东西会一起变。
# - GAN 是一场博弈：判别器区分真图和生成的图，生成器想被当成真的。非饱和损失在生成器差的时候斜率大。
# - 流匹配是回归：学会从噪声到图的速度，再一步步顺着走。
# - GAN 的损失说的是双方的局势，不是图的好坏。要测图。
# - 文字以词向量的形式进入模型；判别器也得读文字，引导则放大文字带来的变化。
# - 少数几个方向就装下了一张图的大部分。模型在这些方向上画，要学的就少。
# - 画得对、够多样、不照抄：单独哪个数字都不够。每个数字旁边都放上真图的，再放上简单的基线：直接拿训练图，除了一项，项项都能过关。
# - 措辞、语序、缺词有没有影响，测了才知道。没说的，模型自己定。
# - 用留出的组合，才看得出模型是会组合，还是在背。
# - 模式坍缩，看损失看不出，看单张图看不出，看画对的比例也看不出，看多样性才看得出。
# - 半懂不懂的句子，模型也照画不误。要说清哪些词它没见过。
#
# ## 延伸阅读
#
# - I. Goodfellow 等（2014）：Generative adversarial networks。[arXiv:1406.2661](https://arxiv.org/abs/1406.2661)。
# - S. Reed 等（2016）：Generative adversarial text to image synthesis。[arXiv:1605.05396](https://arxiv.org/abs/1605.05396)。真图配错误的描述。
# - J. H. Lim、J. C. Ye（2017）：Geometric GAN。[arXiv:1705.02894](https://arxiv.org/abs/1705.02894)。合页损失。
# - T. Miyato、T. Kataoka、M. Koyama、Y. Yoshida（2018）：Spectral normalization for generative adversarial networks。[arXiv:1802.05957](https://arxiv.org/abs/1802.05957)。
# - P. Isola、J.-Y. Zhu、T. Zhou、A. Efros（2017）：Image-to-image translation with conditional adversarial networks。[arXiv:1611.07004](https://arxiv.org/abs/1611.07004)。第 3 节：逐像素的损失，以及不理会噪声的生成器。
# - Y. Lipman 等（2023）：Flow matching for generative modeling。[arXiv:2210.02747](https://arxiv.org/abs/2210.02747)。
# - X. Liu、C. Gong、Q. Liu（2023）：Flow straight and fast。[arXiv:2209.03003](https://arxiv.org/abs/2209.03003)。
# - J. Ho、T. Salimans（2022）：Classifier-free diffusion guidance。[arXiv:2207.12598](https://arxiv.org/abs/2207.12598)。
# - R. Rombach 等（2022）：High-resolution image synthesis with latent diffusion models。[arXiv:2112.10752](https://arxiv.org/abs/2112.10752)。在小空间里画图。
# - M. Heusel 等（2017）：GANs trained by a two time-scale update rule。[arXiv:1706.08500](https://arxiv.org/abs/1706.08500)。弗雷歇距离。
# - S. Ravuri、O. Vinyals（2019）：Classification accuracy score for conditional generative models。[arXiv:1905.10887](https://arxiv.org/abs/1905.10887)。
