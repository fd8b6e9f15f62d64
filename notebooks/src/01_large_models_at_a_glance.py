# ---
# jupyter:
#   labkit:
#     number: "01"
#     title_en: Large models at a glance
#     title_zh: 大模型概览
#     minutes: 80
# ---

# %% [markdown] lang="en"
# # 01 Large models at a glance
#
# What is a large model, where does it come from, and is it better than what was there before? This lesson answers with
# numbers. It shows seventy years in one figure, counts the parameters of GPT-3 by hand, and lets a small network compete
# with two classical methods on the same data.
#
# **After this lesson you can** count the parameters of a Transformer, say what memory and computation it needs, explain
# four ideas (layers, embeddings, sequence models, attention) by a picture, compare two methods fairly, and notice when
# test data has leaked into training.
#
# **Time:** 80 minutes. **Before you start:** lesson 00.

# %% [markdown] lang="zh"
# # 01 大模型概览
#
# 什么是大模型？它从哪里来？真的比从前的方法好吗？本课用数字来回答：用一张图看七十年的历史，亲手数出 GPT-3 的参数个数，
# 再让一个小网络与两种经典方法在同样的数据上一较高下。
#
# **学完本课，你能够**：数出一个 Transformer 的参数，算出它需要的内存和计算量；用一张图说清四个概念（层、嵌入、序列模型、注意力）；
# 公平地比较两种方法；察觉测试数据泄漏到了训练集里。
#
# **时间**：80 分钟。**预备知识**：第 00 课。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import csv
import math
import time

import numpy as np
import torch
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F

from labkit import metrics, plots, results, widgets
from labkit.checks import check, hint, solution
from labkit.common import data_dir, set_seed, start
from labkit.data import load_digits
from labkit.training import ArrayBatches, SupervisedTask, fit

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. Seventy years in one figure
#
# | year | step | what it brought |
# |---|---|---|
# | 1951 | Shannon predicts letters | language as a guessing game that can be measured: how surprising is the next letter? |
# | 1958 | perceptron | weights that are learned from examples, not written by hand |
# | 1969 | Minsky and Papert: *Perceptrons* | what one layer can never learn; interest fades for years |
# | 1986 | back-propagation | a way to train the layers in between |
# | 1989, 1998 | LeNet | convolution: the same small filter at every place; it reads postcodes and cheques |
# | 1997 | LSTM | a network with a memory for long sequences |
# | 2006 | deep belief nets | pre-training layer by layer makes deep networks trainable |
# | 2012 | AlexNet | a million labelled photographs, two graphics cards; on ImageNet far ahead of all others |
# | 2014 | attention | the decoder looks back at every word of the source |
# | 2017 | Transformer | attention alone, no recurrence: all words at once |
# | 2018 | GPT, BERT | pre-train on plain text once, fine-tune for each task |
# | 2020 | GPT-3 | a task given in the prompt, without any training |
# | 2022 | Chinchilla; chat assistants | smaller models on more text; fine-tuning on human preferences |
# | 2023 to today | Llama, Mixtral, Qwen, DeepSeek, Kimi | open weights; mixtures of experts that use a small part of themselves for each word |
#
# The file `model_history.csv` holds these steps and more, each with its source. Where the paper states a number of
# parameters, the file has it.

# %% [markdown] lang="zh"
# ## 1. 一张图看七十年
#
# | 年份 | 事件 | 带来了什么 |
# |---|---|---|
# | 1951 | 香农预测字母 | 语言成了可以测量的猜谜游戏：下一个字母有多出人意料？ |
# | 1958 | 感知机 | 权重从样本中学来，不再由人写定 |
# | 1969 | 明斯基与佩珀特《感知机》 | 指出单层网络永远学不会什么，研究由此冷清了多年 |
# | 1986 | 反向传播 | 中间各层终于可以训练 |
# | 1989、1998 | LeNet | 卷积：同一个小滤波器用在每个位置；用来读邮政编码和支票 |
# | 1997 | LSTM | 能记住长序列的网络 |
# | 2006 | 深度信念网络 | 逐层预训练，让深层网络可以训练 |
# | 2012 | AlexNet | 上百万张标注照片加两块显卡，在 ImageNet 上遥遥领先 |
# | 2014 | 注意力 | 解码时回头看原文的每个词 |
# | 2017 | Transformer | 只用注意力，不用循环：所有词同时处理 |
# | 2018 | GPT、BERT | 在纯文本上预训练一次，再为各个任务微调 |
# | 2020 | GPT-3 | 任务写在提示词里，不必再训练 |
# | 2022 | Chinchilla；聊天助手 | 模型更小、文本更多；按人的偏好微调 |
# | 2023 至今 | Llama、Mixtral、Qwen、DeepSeek、Kimi | 权重开放；混合专家模型，每个词只用到自身的一小部分 |
#
# 文件 `model_history.csv` 收录了这些以及更多的事件，每一条都有出处。凡是论文写明参数个数的，文件里都有。

# %%
with (data_dir() / "model_history.csv").open(encoding="utf-8", newline="") as file:
    history = list(csv.DictReader(file))
sized = [row for row in history if row["parameters"]]
size = {row["name"]: float(row["parameters"]) for row in sized}
print(f"{len(history)} steps, {len(sized)} with a published number of parameters")

# %% [markdown] lang="en"
# Every point is one published model. Note the vertical axis: each mark is *ten* times the one below. The dotted lines are
# steps that have no size of their own. **Guess first:** how many years does a factor of one thousand take?

# %% [markdown] lang="zh"
# 每个点是一个公开了参数个数的模型。注意纵轴：每一格是下面一格的*十倍*。点线标出的事件本身没有规模可言。
# **先猜一猜**：增长一千倍要用多少年？


# %%
def draw_points(ax, labels, left=()):
    """All sized models by kind, with some names to the right of their points and some to the left."""
    markers = {"language": "o", "vision": "s", "image generation": "D", "speech": "^"}
    for (kind, marker), color in zip(markers.items(), plots.COLORS):
        points = [(int(row["year"]), size[row["name"]]) for row in sized if row["kind"] == kind]
        ax.scatter(*zip(*points), s=28, marker=marker, color=color, label=kind, zorder=3)
    for row in sized:
        name, place = row["name"], (int(row["year"]), size[row["name"]])
        if name in labels:
            shift, side = (-6, "right") if name in left else (6, "left")
            ax.annotate(name, place, (shift, -3), textcoords="offset points", ha=side, fontsize=8)
    ax.set_yscale("log")
    return plots.finish(ax, "year", "parameters", "")


# %%
ax = plots.new_axes(9, 4.8)
early = [row["name"] for row in sized if int(row["year"]) <= 2012] + ["GPT-3", "Kimi K2"]
draw_points(ax, labels=early, left=early[3:7])
for row in history:
    if row["name"] in ("Perceptron", "Neocognitron", "Back-propagation", "Attention"):
        ax.axvline(int(row["year"]), color="grey", linestyle=":", linewidth=1)
        ax.text(int(row["year"]) - 0.4, 1.2e3, row["name"], rotation=90, ha="right", va="bottom", fontsize=8)
ax.set(xlim=(1954, 2032), ylim=(1e3, 4e12))
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.08, 1))
plots.show(ax, alt="Parameter counts on a logarithmic axis: from ten thousand in 1989 to a trillion in 2025.")
print(f"smallest {min(size.values()):,.0f}, largest {max(size.values()):,.0f}")

# %% [markdown] lang="en"
# From ten thousand to a trillion: a factor of a hundred million in 36 years, so on average a thousand in 13 to 14 years.
# The next figure enlarges the years since 2012. A thin line leads down from each mixture of experts to the part that it really uses for one word.

# %% [markdown] lang="zh"
# 从一万到一万亿：36 年增长了一亿倍，平均每十三四年一千倍。下图放大 2012 年以来的部分。每个混合专家模型都有一条细线，向下连到处理一个词时真正用到的参数。

# %%
left = ("T5-11B", "Chinchilla", "Latent diffusion", "PaLM", "ViT-22B")
left += ("Mixtral 8x7B", "Llama 3.1", "DeepSeek-V3")
ax = draw_points(plots.new_axes(9, 5.6), labels=size, left=left)
for row in sized:
    if row["active_parameters"]:
        active, year = float(row["active_parameters"]), int(row["year"])
        ax.plot([year, year], [active, size[row["name"]]], color="grey", marker="_", linewidth=1)
ax.set(xlim=(2011.5, 2027), ylim=(4e7, 2e12))
ax.legend(frameon=False, loc="lower right")
plots.show(
    ax,
    alt="Models since 2012 with their names: AlexNet at 60 million, GPT-3 at 175 billion, Kimi K2 at a trillion.",
)
print("recent open models:", ", ".join(row["name"] for row in sized if int(row["year"]) >= 2024))

# %% [markdown] lang="en"
# From AlexNet (60 million, 2012) to GPT-3 (175 billion, 2020) the size grew by $175{,}000 / 60 \approx 2917 = 2^{11.5}$:
# eleven and a half doublings in 8 years, one every 8 months. The next cell compares this with the time before and after.

# %% [markdown] lang="zh"
# 从 AlexNet（6000 万，2012 年）到 GPT-3（1750 亿，2020 年），规模增长了 $175{,}000 / 60 \approx 2917 = 2^{11.5}$ 倍，
# 也就是 8 年翻了十一番半，每 8 个月翻一番。下一个单元格把它与之前、之后的时期比较。

# %%
year_of = {row["name"]: int(row["year"]) for row in sized}
for old, new in (("LeNet-5", "AlexNet"), ("AlexNet", "GPT-3"), ("GPT-3", "Kimi K2")):
    doublings = math.log2(size[new] / size[old])
    months = 12 * (year_of[new] - year_of[old]) / doublings
    print(f"{old} to {new}: {doublings:.1f} doublings, one in {months:.0f} months")

# %% [markdown] lang="en"
# So the growth was fastest between 2012 and 2020. Since then published models grow more slowly, and in a mixture of experts
# a word uses even less than before: 175 billion in GPT-3, 32 billion in Kimi K2. What has grown instead is the text they are trained
# on: 0.3 trillion words and word pieces for GPT-3, 15 trillion and more for Llama 3.1.
#
# Three such endpoints are an illustration, not a law: other choices give other months, and sizes that were never
# published are missing. Here are all points with their sources.

# %% [markdown] lang="zh"
# 可见 2012 到 2020 年增长最快。此后公开的模型增长放慢；在混合专家模型里，处理一个词实际用到的参数甚至比从前少：GPT-3 是 1750 亿，Kimi K2 是 320 亿。
# 转而增长的是训练文本：GPT-3 用了 3000 亿个词元，Llama 3.1 用了 15 万亿个以上。
#
# 只取这几个端点只能算举例，不是定律：换别的端点就得到别的数，而且从未公布规模的模型也不在其中。下面列出所有的点及其出处。

# %%
from IPython.display import Markdown

lines = ["| year | model | kind | parameters | source |", "|---|---|---|---|---|"]
for row in sized:
    count = f"{size[row['name']]:,.0f}" if size[row["name"]] < 1e7 else f"{size[row['name']] / 1e6:,.0f} M"
    source = f"[{row['source']}]({row['link']})" if row["link"] else row["source"]
    lines.append(f"| {row['year']} | {row['name']} | {row['kind']} | {count} | {source} |")
print(f"{len(sized)} points")
Markdown("\n".join(lines))

# %% [markdown] lang="en"
# ## 2. Count the parameters
#
# Almost all models since 2018 are stacks of the same *Transformer block*. Let $d$ be its width (how many numbers stand for
# one word). A block has
#
# - attention: four matrices from $d$ to $d$, with biases: $4(d^2 + d)$,
# - a feed-forward part: from $d$ to $4d$ and back: $4d^2 + 4d + 4d^2 + d = 8d^2 + 5d$,
# - two normalizations that scale and shift: $2 \cdot 2d = 4d$.
#
# Together $12 d^2 + 13 d$. For $d = 2$, by hand: $4(4+2) + (32 + 10) + 8 = 24 + 42 + 8 = 74$. PyTorch should agree.

# %% [markdown] lang="zh"
# ## 2. 数一数参数
#
# 2018 年以来，几乎所有模型都由同一种 *Transformer 块*堆叠而成。设 $d$ 为宽度（用多少个数表示一个词），每个块包括：
#
# - 注意力：四个从 $d$ 到 $d$ 的矩阵，带偏置：$4(d^2 + d)$；
# - 前馈部分：从 $d$ 到 $4d$ 再回来：$4d^2 + 4d + 4d^2 + d = 8d^2 + 5d$；
# - 两个层归一化，各有缩放和平移：$2 \cdot 2d = 4d$。
#
# 合计 $12 d^2 + 13 d$。取 $d = 2$ 手算：$4(4+2) + (32 + 10) + 8 = 24 + 42 + 8 = 74$。PyTorch 的结果应该一致。


# %%
def block_size(d):
    return 12 * d**2 + 13 * d


assert block_size(2) == 74
for d in (2, 64, 768):
    block = nn.TransformerEncoderLayer(d, nhead=2, dim_feedforward=4 * d)
    assert sum(p.numel() for p in block.parameters()) == block_size(d)
    print(f"width {d:3}: {block_size(d):,} parameters in a block")

# %% [markdown] lang="en"
# A whole model has $L$ blocks, a vector for each of $V$ vocabulary entries, one for each of $C$ places in the text, and
# one last normalization: $L(12d^2 + 13d) + (V + C)d + 2d$. Does this give the sizes that the papers state? Compare the
# last two columns.

# %% [markdown] lang="zh"
# 整个模型有 $L$ 个块，词表中 $V$ 个词元各有一个向量，文本中 $C$ 个位置各有一个向量，最后还有一个层归一化：
# $L(12d^2 + 13d) + (V + C)d + 2d$。这样算出的数与论文写的一致吗？请比较最后两列。


# %%
def transformer_size(blocks, d, vocabulary, context):
    return blocks * block_size(d) + (vocabulary + context) * d + 2 * d


for name, shape, stated in (
    ("GPT", (12, 768, 40478, 512), size["GPT"]),
    ("GPT-2, smallest", (12, 768, 50257, 1024), 117e6),
    ("GPT-2, largest", (48, 1600, 50257, 1024), size["GPT-2"]),
    ("GPT-3", (96, 12288, 50257, 2048), size["GPT-3"]),
):
    counted = transformer_size(*shape)
    print(f"{name:15} counted {counted / 1e6:9,.0f} M   paper {stated / 1e6:9,.0f} M")
assert abs(transformer_size(96, 12288, 50257, 2048) / size["GPT-3"] - 1) < 0.01

# %% [markdown] lang="en"
# Three rows come out within one percent or a little more. The second does not fit: 124 against 117 million. The count is
# right and the paper is wrong; its authors say so in the notes to their code. The paper gives the smallest GPT-2 the size of
# GPT, which has the same blocks but a smaller vocabulary and half as many places. It pays to count.
#
# Depth and width do not count alike. The number of blocks enters once, the width enters squared: twice as deep is twice
# as many parameters in the blocks, twice as wide is four times as many.
#
# ### Exercise 01.1: Count a Transformer block (★★☆, 8 minutes)
#
# Count the parameters of one block when the feed-forward part has `hidden` units instead of $4d$. Does the number of heads
# matter? Think: which layers have a bias, and how many numbers has a normalization?

# %% [markdown] lang="zh"
# 有三行只差百分之一左右。第二行却对不上：1.24 亿对 1.17 亿。数得没错，是论文写错了，作者在代码说明里已经承认。
# 论文给最小的 GPT-2 写的是 GPT 的大小；两者的块完全一样，但 GPT 的词表更小，位置数也只有一半。可见亲手数一数是值得的。
#
# 深度与宽度的作用不同：块数只出现一次方，宽度是平方。深度加倍，各块的参数总数也加倍；宽度加倍，参数变成四倍。
#
# ### 练习 01.1：数一数 Transformer 块的参数（★★☆，8 分钟）
#
# 设前馈部分有 `hidden` 个单元，不再是 $4d$，请数出一个块的参数。头的个数有影响吗？想一想：哪些层有偏置？一个层归一化有多少个数？


# %% exercise="01.1"
def block_parameters(width, heads, hidden):
    """Parameters of a block: attention with output projection, feed-forward part, two normalizations."""
    ### BEGIN SOLUTION
    attention = 4 * (width * width + width)
    feed_forward = (width * hidden + hidden) + (hidden * width + width)
    normalizations = 2 * (2 * width)
    return attention + feed_forward + normalizations
    ### END SOLUTION


# %%
check("01.1", block_parameters)
# hint("01.1")
# solution("01.1")

# %% [markdown] lang="en"
# ## 3. What a size costs
#
# **Memory.** A parameter takes 32, 16, 8 or 4 bits. To *use* a model one needs its weights. To *train* it with the usual
# optimizer (Adam) one needs four numbers for each weight: itself, its gradient, and two running averages.
#
# **Computation.** One word piece (a *token*) passes through every weight once: a multiplication and an addition, so $2N$
# operations for $N$ parameters. The backward pass costs twice as much again. Training on $D$ tokens takes about
#
# $$ 6 \, N \, D $$
#
# operations. For GPT-3, by hand: $6 \cdot 175 \cdot 10^9 \cdot 300 \cdot 10^9 = 3.15 \cdot 10^{23}$. The paper states
# $3.14 \cdot 10^{23}$.

# %% [markdown] lang="zh"
# ## 3. 规模的代价
#
# **内存**：一个参数占 32、16、8 或 4 个比特。*使用*模型只要权重；用常见的优化器（Adam）*训练*，每个权重要存四个数：
# 它自己、它的梯度，以及两个滑动平均值。
#
# **计算**：一个词元经过每个权重一次，各做一次乘法和一次加法，$N$ 个参数就是 $2N$ 次运算；反向传播还要两倍。
# 在 $D$ 个词元上训练，大约需要
#
# $$ 6 \, N \, D $$
#
# 次运算。以 GPT-3 手算：$6 \cdot 175 \cdot 10^9 \cdot 300 \cdot 10^9 = 3.15 \cdot 10^{23}$，论文写的是 $3.14 \cdot 10^{23}$。

# %%
flops = 6 * 175e9 * 300e9
assert abs(flops / 3.14e23 - 1) < 0.01
years = flops / 1e11 / (365 * 24 * 3600)
print(f"{flops:.2e} operations: {years:,.0f} years for a computer with 100 billion operations a second")

# %% [markdown] lang="en"
# A hundred thousand years at that speed, about what one processor core does. So nobody trains such a model at home. The models
# of this course are about a million times smaller, and each lesson measures what they can still show.
#
# **Predict first:** a model has 12 blocks of width 768 and a vocabulary of 50,000. Which makes it larger: twice as many
# blocks, or twice the width? And what share of it are the vectors of the vocabulary?

# %% [markdown] lang="zh"
# 按这个速度（大约是处理器一个核的速度）要算十万年，所以没有人在家里训练这样的模型。本课程的模型大约只有它的百万分之一，
# 它们还能展示什么，由各课实测来回答。
#
# **先预测**：一个模型有 12 个块，宽 768，词表 50,000。块数加倍与宽度加倍，哪个会让模型更大？词表的向量占多大比例？


# %%
def describe(blocks, width, vocabulary):
    total = transformer_size(blocks, width, vocabulary, 2048)
    share = (vocabulary + 2048) * width / total
    return f"{total / 1e6:,.0f} million parameters, {share:.0%} of them for vocabulary and places"


for blocks, width in ((12, 768), (24, 768), (12, 1536)):
    print(f"{blocks} blocks of width {width:4}: {describe(blocks, width, 50_000)}")

# %% [markdown] lang="en"
# Width wins: twice the width gives more than three times the parameters here, twice the depth not even twice, because the
# vocabulary does not grow with depth. Now the memory. How much does training need beside using?

# %% [markdown] lang="zh"
# 宽度的影响更大：这里宽度加倍，参数变成三倍多；深度加倍还不到两倍，因为词表不随深度增长。再来看内存：训练比使用多要多少？


# %%
def draw(blocks, width, vocabulary_thousands):
    total = transformer_size(blocks, width, 1000 * vocabulary_thousands, 2048)
    gigabytes = {f"use, {bits} bit": total * bits / 8e9 for bits in (4, 8, 16, 32)}
    gigabytes["train, 32 bit"] = 4 * total * 4 / 1e9
    ax = plots.bars(gigabytes, ylabel="memory (GB)", ax=plots.new_axes(7, 3.2))
    return ax, describe(blocks, width, 1000 * vocabulary_thousands)


ax, text = draw(blocks=12, width=768, vocabulary_thousands=50)
plots.show(ax, alt="Memory of the model: 0.06 GB in 4 bits, 0.50 GB in 32 bits, 2.00 GB for training.")
print(text)

# %% [markdown] lang="en"
# Now with the sliders: set 96 blocks, width 12,288 and 50 thousand words. That is GPT-3. How many of your computers would
# its training fill?

# %% [markdown] lang="zh"
# 现在用滑块试试：96 个块、宽 12,288、词表 5 万，这就是 GPT-3。训练它要占满多少台像你这样的电脑？

# %% tags=["nbval-ignore-output"]
widgets.explorer(
    draw, blocks=(1, 100, 1, 12), width=(64, 12288, 64, 768), vocabulary_thousands=(1, 256, 1, 50)
)

# %% [markdown] lang="en"
# In a small model the vocabulary takes a third of everything; in GPT-3 it is below one percent. Training takes four times
# the memory of use, 2,794 GB for GPT-3 in 32 bits, and what the layers keep for the backward pass comes on top.
#
# ### Exercise 01.2: Memory of a model (★☆☆, 6 minutes)
#
# Return the memory in GB ($10^9$ bytes) of a model whose numbers take `bits` bits each: the weights alone, or all four
# numbers for each weight when `training`. For 7 billion parameters in 4 bits that is 3.5.

# %% [markdown] lang="zh"
# 小模型里词表占三分之一，在 GPT-3 里不到百分之一。训练要用四倍于使用的内存，GPT-3 用 32 比特就是 2,794 GB；
# 各层为反向传播保存的中间结果还要另算。
#
# ### 练习 01.2：模型占多少内存（★☆☆，6 分钟）
#
# 每个数占 `bits` 比特，请返回模型所占的内存，单位 GB（$10^9$ 字节）：一般只算权重；`training` 为真时，每个权重要算四个数。
# 例如 70 亿参数、4 比特是 3.5。


# %% exercise="01.2"
def memory_gb(parameters, bits, training):
    """Memory in GB: the weights, and in training gradients and Adam's two averages beside them."""
    ### BEGIN SOLUTION
    copies = 4 if training else 1
    return parameters * bits / 8 * copies / 1e9
    ### END SOLUTION


# %%
check("01.2", memory_gb)
# hint("01.2")
# solution("01.2")

# %% [markdown] lang="en"
# ### Exercise 01.3: Computation of a training run (★★☆, 6 minutes)
#
# A mixture of experts has `total` parameters, of which each token uses `active`. Return the operations of training on
# `tokens` tokens. (For an ordinary model the two numbers are equal.)

# %% [markdown] lang="zh"
# ### 练习 01.3：训练一次要多少计算（★★☆，6 分钟）
#
# 混合专家模型共有 `total` 个参数，每个词元只用到其中 `active` 个。请返回在 `tokens` 个词元上训练的运算次数。
# （普通模型的这两个数相等。）


# %% exercise="01.3"
def training_flops(total, active, tokens):
    """Operations of a training run, forward and backward."""
    ### BEGIN SOLUTION
    return 6 * active * tokens
    ### END SOLUTION


# %%
check("01.3", training_flops)
# hint("01.3")
# solution("01.3")

# %% [markdown] lang="en"
# ## 4. Four ideas in four pictures
#
# ### Layers
#
# A layer multiplies its input by a matrix and bends the result: $h = \max(0, W x + b)$. Stacked layers turn what one can
# see into what one wants to know. Below, a network of two layers reads one digit. From left to right: 64 pixels, 32 hidden
# numbers, 10 probabilities.

# %% [markdown] lang="zh"
# ## 4. 四个概念，四张图
#
# ### 层
#
# 一层先把输入乘上矩阵，再“折弯”结果：$h = \max(0, W x + b)$。层层相叠，就把看到的东西变成想知道的东西。
# 下图中，一个两层的网络在读一个数字，从左到右是 64 个像素、32 个隐藏单元的数、10 个概率。

# %%
digits = load_digits(seed=SEED, test_size=397)
set_seed(SEED)
mlp = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
task = SupervisedTask(mlp, F.cross_entropy, torch.optim.Adam(mlp.parameters(), lr=3e-3))
fit(task, ArrayBatches(digits.train_x, digits.train_y, batch_size=64, seed=SEED), lab.pick(20, 300, 300))
image = digits.test_x[:1]
with torch.no_grad():
    hidden, answer = mlp[:2](image), mlp(image).softmax(dim=1)
print(tuple(image.shape), "->", tuple(hidden.shape), "->", tuple(answer.shape))

# %%
axes = plots.new_axes(8, 2.6, columns=3)
for ax, values, title in zip(
    axes, (image.reshape(8, 8), hidden.reshape(4, 8)), ("64 pixels", "32 hidden numbers")
):
    ax.imshow(values, cmap="gray_r")
    ax.set_axis_off()
    ax.set_title(title)
axes[2].bar(range(10), answer[0], color=plots.COLORS[0])
axes[2].set_xticks(range(10))
plots.finish(axes[2], "digit", "probability", "10 probabilities", legend=False)
plots.show(
    axes, alt="Three stages of a network: the pixels of a digit, 32 hidden numbers, ten probabilities."
)
print(f"label: {digits.test_y[0]}")

# %% [markdown] lang="en"
# The hidden numbers look like nothing, and some are exactly zero. Only the last layer is meant to be read by us: its
# highest bar is the answer.
#
# ### Embeddings
#
# A word becomes a vector, so that similar words get similar vectors. Where does the similarity come from? From the words
# around it. We make 180 short sentences, count how often two words stand together, and squeeze the table of counts into
# two numbers for each word.

# %% [markdown] lang="zh"
# 隐藏单元的数看不出名堂，而且有些正好是零。只有最后一层是给人看的：最高的那根柱子就是答案。
#
# ### 嵌入
#
# 把一个词变成一个向量，让相近的词有相近的向量。“相近”从哪里来？从它周围的词来。我们造 180 个短句，数一数两个词一起出现多少次，
# 再把这张计数表压缩成每个词两个数。

# %%
NOUNS = {
    "animal": ["cat", "dog", "horse", "cow"],
    "food": ["bread", "rice", "apples", "soup"],
    "city": ["Paris", "Rome", "Cairo", "Beijing"],
}
rng = np.random.default_rng(SEED)
sentences = []
for _ in range(60):
    animal, food, city = (rng.choice(NOUNS[kind]) for kind in NOUNS)
    sentences.append(["the", animal, rng.choice(["eats", "likes", "wants", "smells"]), food])
    sentences.append(["people", rng.choice(["cook", "buy", "sell", "like"]), food])
    sentences.append(["people", rng.choice(["live", "work", "meet", "stay"]), "in", city])
words = sorted({str(word) for sentence in sentences for word in sentence})
print(len(sentences), "sentences,", len(words), "words, like:", " ".join(sentences[0]))

# %%
counts = np.zeros((len(words), len(words)))
for sentence in sentences:
    for a in sentence:
        for b in sentence:
            counts[words.index(a), words.index(b)] += a != b
print(f"'rice' stands with 'cook' {counts[words.index('rice'), words.index('cook')]:.0f} times")

# %% [markdown] lang="en"
# The weights below (positive pointwise mutual information) ask how much more often two words meet than chance would have
# it. Then a singular value decomposition keeps the two directions in which the nouns differ most. Which nouns lie
# together, although nobody told the computer what an animal is?

# %% [markdown] lang="zh"
# 下面的权重（正点互信息，PPMI）问的是：两个词一起出现的次数，比纯属偶然时多多少？然后用奇异值分解，保留各名词差别最大的两个方向。
# 没有人告诉计算机什么是动物，哪些名词却聚在了一起？

# %%
chance = counts.sum(axis=0) * counts.sum(axis=1, keepdims=True) / counts.sum()
vectors = np.log(np.maximum(counts / chance, 1.0))  # (words, words)
nouns = [noun for group in NOUNS.values() for noun in group]
rows = vectors[[words.index(noun) for noun in nouns]]  # (12, words)
u, s, _ = np.linalg.svd(rows - rows.mean(axis=0))
embedding = u[:, :2] * s[:2]  # (12, 2)

unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
for noun in ("cat", "soup", "Rome"):
    nearest = np.argsort(-unit @ unit[nouns.index(noun)])[1:4]
    print(f"nearest to {noun}: {sorted(nouns[i] for i in nearest)}")

# %%
ax = plots.new_axes(6, 3.8)
for number, (kind, marker) in enumerate(zip(NOUNS, "os^")):
    group = embedding[4 * number : 4 * number + 4]
    ax.scatter(*group.T, marker=marker, color=plots.COLORS[number], label=kind)
    names = "\n".join(NOUNS[kind])
    ax.annotate(names, group.mean(axis=0), (25, 0), textcoords="offset points", va="center", fontsize=8)
ax.margins(x=0.25, y=0.2)
plots.finish(ax, "first direction", "second direction", "")
plots.show(ax, alt="Nouns in the plane: animals, foods and cities form three separate groups.")
distance = np.linalg.norm(embedding[:4].mean(axis=0) - embedding[8:].mean(axis=0))
print(f"from the middle of the animals to the middle of the cities: {distance:.1f}")

# %% [markdown] lang="en"
# Animals lie with animals and cities with cities, because they keep the same company. Lesson 05 learns such vectors by
# gradient descent.
#
# ### Sequence models
#
# A recurrent network reads one word after the other and keeps a state: $h_t = \tanh(W h_{t-1} + U x_t)$. All that it knows
# of the past must fit into $h_t$. How much of the first word is left after twenty? We measure the gradient of the last
# state with respect to each word, in a network with random weights.

# %% [markdown] lang="zh"
# 动物和动物在一起，城市和城市在一起，因为它们有同样的“邻居”。第 05 课用梯度下降来学这样的向量。
#
# ### 序列模型
#
# 循环网络一个词一个词地读，并保存一个状态：$h_t = \tanh(W h_{t-1} + U x_t)$。它对过去所知道的一切，都得装在 $h_t$ 里。
# 读完二十个词，第一个词还剩下多少？我们在一个随机权重的网络里，测量最后的状态对每个词的梯度。

# %%
generator = torch.Generator().manual_seed(SEED)
recurrent, inputs, x = (torch.randn(n, 16, generator=generator).double() for n in (16, 16, 20))
recurrent *= 0.9 / torch.linalg.eigvals(recurrent).abs().max()  # so that its largest eigenvalue is 0.9
x.requires_grad_()
state = torch.zeros(16).double()
for word in x:
    state = torch.tanh(recurrent @ state + 0.3 * inputs @ word)  # (16,)
state.sum().backward()
influence = x.grad.norm(dim=1)
influence = influence / influence[-1]
print(f"the last word counts 1, the tenth {influence[9]:.0e}, the first {influence[0]:.0e}")

# %% [markdown] lang="en"
# The picture has two parts. Left: the network unrolled in time; to get from word 1 to the end, the signal passes through
# every state. Right: the measured influence of each word.

# %% [markdown] lang="zh"
# 图有两部分。左：按时间展开的网络，信号要从第 1 个词走到最后，必须经过每一个状态。右：测得的每个词的影响。

# %%
left, right = plots.new_axes(8.5, 3, columns=2)
for t in range(1, 6):
    left.text(t, 1, f"$h_{t}$", ha="center", va="center", bbox={"boxstyle": "round", "fc": "white"})
    left.text(t, 0, f"$x_{t}$", ha="center", va="center", bbox={"boxstyle": "circle", "fc": "lightgrey"})
    left.annotate("", (t, 0.82), (t, 0.2), arrowprops={"arrowstyle": "->"})
    if t < 5:
        left.annotate("", (t + 0.75, 1), (t + 0.25, 1), arrowprops={"arrowstyle": "->"})
left.set(xlim=(0.5, 5.5), ylim=(-0.4, 1.4))
left.set_axis_off()
plots.lines(range(1, 21), {"influence": influence}, xlabel="word", ylabel="influence", ax=right, log_y=True)
right.set_xticks([1, 5, 10, 15, 20])
plots.show(
    left,
    alt="Left: an unrolled recurrent network. Right: the influence of a word falls the earlier it stands.",
)
print(f"{(influence < 0.01).sum()} of 20 words have less than a hundredth of the last word's influence")

# %% [markdown] lang="en"
# The influence falls by about the same factor with each step, so on a logarithmic axis it is nearly a straight line. LSTM
# slows this forgetting; attention removes its cause.
#
# ### Attention
#
# Attention lets every word look at every other directly. Each word has a query $q$ (what it looks for), a key $k$ (what it
# offers) and a value $v$ (what it passes on):
#
# $$ \text{attention} = \text{softmax}\!\left(\frac{Q K^\top}{\sqrt d}\right) V. $$
#
# We set the numbers by hand so that one can follow: a noun has the key $(2, 0)$, other words have $(0, 0)$, and *it*
# looks for a noun with the query $(2, 0)$. Then *it* scores $4/\sqrt 2 = 2.83$ with the noun and 0 with the five others, and
# looks at the noun with weight $e^{2.83} / (e^{2.83} + 5) = 16.9 / 21.9 = 0.77$.

# %% [markdown] lang="zh"
# 每后退一步，影响大约缩小同样的倍数，所以在对数坐标上近似一条直线。LSTM 让遗忘变慢，注意力则除去了遗忘的根源。
#
# ### 注意力
#
# 注意力让每个词直接看到其他所有的词。每个词有一个查询 $q$（要找什么）、一个键 $k$（能提供什么）和一个值 $v$（要传递什么）：
#
# $$ \text{attention} = \text{softmax}\!\left(\frac{Q K^\top}{\sqrt d}\right) V. $$
#
# 为了看得明白，我们手工设定这些数：名词的键是 $(2, 0)$，其他词是 $(0, 0)$；*it* 要找名词，查询是 $(2, 0)$。于是 *it* 与名词的得分是
# $4/\sqrt 2 = 2.83$，与另外五个词的得分是 0，它看名词的权重就是 $e^{2.83} / (e^{2.83} + 5) = 16.9 / 21.9 = 0.77$。

# %%
text = ["the", "dog", "slept", "because", "it", "was"]
keys = torch.tensor([[2.0, 0.0] if word == "dog" else [0.0, 0.0] for word in text])  # (6, 2)
queries = torch.tensor([[2.0, 0.0] if word == "it" else [0.0, 0.0] for word in text])
weights = (queries @ keys.T / math.sqrt(2)).softmax(dim=1)  # (6, 6)
assert torch.allclose(weights, F.scaled_dot_product_attention(queries, keys, torch.eye(6)))
ax = plots.heatmap(weights, xlabel="looked at", ylabel="looks", xticks=text, yticks=text, digits=2)
plots.show(ax, alt="Attention weights of six words: 'it' looks at 'dog' with 0.77, other rows are even.")
print(f"'it' looks at 'dog' with weight {weights[4, 1]:.4f}")

# %% [markdown] lang="en"
# The assertion shows that PyTorch's own attention gives the same. Between *it* and *dog* lies one step, whatever the
# distance. The price: every word looks at every other, so 1,000 words have a million weights.
#
# ## 5. Classical against neural, measured
#
# Is a neural network better than a classical method? "It depends" is true and useless. We measure on what it depends.
# Three methods read the digits:
#
# - **naive Bayes** takes each pixel on its own and learns its mean and variance for each digit;
# - **SVM** (support vector machine) draws curved borders between digits, as far as possible from the training images;
# - **CNN**, a small convolutional network, learns small filters which it slides over the image.
#
# Each gets 20, 50, ... up to 1,400 training images, the same ones for all three, and the 397 others are the test. Five
# seeds give five splits. The settings are the same for all sizes and were fixed before this comparison, with images held
# out from the training part of other splits; none of the three methods is tuned to its last tenth of a percent.

# %% [markdown] lang="zh"
# 断言表明，PyTorch 自带的注意力得到同样的结果。*it* 与 *dog* 之间只有一步，与距离无关。代价是每个词都要看其他所有的词：
# 1,000 个词就有一百万个权重。
#
# ## 5. 经典方法与神经网络：实测
#
# 神经网络比经典方法好吗？“看情况”这句话没错，却没用。我们来测一测，看的是什么“情况”。三种方法读同样的数字：
#
# - **朴素贝叶斯**：每个像素单独看待，为每个数字学出它的均值和方差；
# - **SVM**（支持向量机）：在数字之间画出弯曲的边界，离训练图片越远越好；
# - **CNN**：一个小型卷积网络，学出一些小滤波器，在图片上滑动。
#
# 训练图片从 20、50 直到 1,400 张，三种方法用的完全相同，其余 397 张做测试。五个种子给出五种划分。各种规模用同样的设置；
# 这些设置在比较之前就定好了，用的是别的划分中从训练部分留出的图片。三种方法都没有精调到最后的千分之一。


# %%
def subset(targets, size):
    """Rows of the first size / 10 images of each digit; all rows for the full set."""
    if size >= len(targets):
        return torch.arange(len(targets))
    return torch.cat([(targets == digit).nonzero().flatten()[: size // 10] for digit in range(10)])


def new_cnn():
    filters = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1)]
    return nn.Sequential(*filters, nn.ReLU(), nn.Flatten(), nn.Dropout(0.25), nn.Linear(512, 10))


parameters = sum(p.numel() for p in new_cnn().parameters())
assert parameters == (9 * 16 + 16) + (9 * 16 * 32 + 32) + (512 * 10 + 10)
print(f"the CNN has {parameters:,} parameters")

# %% [markdown] lang="en"
# A filter of 3 × 3 pixels has nine weights, wherever it is applied: this is why the convolutional layers are so small.
# Each method becomes a function that trains and returns a predictor.

# %% [markdown] lang="zh"
# 3 × 3 的滤波器无论用在哪里都只有九个权重，所以卷积层很小。下面把每种方法写成一个函数：训练，然后返回预测器。


# %%
def train_cnn(model, x, y, steps, seed):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    task = SupervisedTask(model, F.cross_entropy, optimizer, schedule)
    fit(task, ArrayBatches(x, y, batch_size=64, seed=seed), steps)
    return task.predict


def new_network(x, y, seed):
    set_seed(seed)
    return train_cnn(new_cnn(), x, y, lab.pick(20, 300, 1000), seed)


def classical(model, x, y):
    model.fit(x.flatten(1).numpy(), y.numpy())
    return lambda images: model.predict(images.flatten(1).numpy())


# %% [markdown] lang="en"
# Now all of it: six sizes, five seeds, three methods. We also ask each predictor for the same test images moved one
# pixel to the right, for later. This takes some seconds. **Predict:** who wins with 20 images, who with 1,400, and which is the fastest to train?

# %% [markdown] lang="zh"
# 现在全部运行：六种规模、五个种子、三种方法。我们还让每个预测器去认向右移了一个像素的测试图片，后面要用。这要花一些时间。
# **预测**：20 张图片时谁赢？1,400 张时呢？哪种训练得最快？

# %%
sizes = lab.pick([20, 100], [20, 50, 100, 200, 500, 1400], [20, 50, 100, 200, 500, 1000, 1400])
seeds = range(SEED, SEED + lab.pick(2, 5, 10))
METHODS = {
    "naive Bayes": lambda x, y, seed: classical(GaussianNB(var_smoothing=0.1), x, y),
    "SVM": lambda x, y, seed: classical(SVC(C=10), x, y),
    "CNN": new_network,
}
print(f"{len(sizes)} sizes, {len(seeds)} seeds, {len(METHODS)} methods")

# %% tags=["nbval-ignore-output"]
score, moved, spent = {}, {}, dict.fromkeys(METHODS, 0.0)
for seed in seeds:
    split = load_digits(seed, test_size=397, as_images=True)
    right_by_one = F.pad(split.test_x, (1, 0))[..., :8]
    for number in sizes:
        rows = subset(split.train_y, number)
        for name, train in METHODS.items():
            began = time.perf_counter()
            predict = train(split.train_x[rows], split.train_y[rows], seed)
            spent[name] += time.perf_counter() - began
            score.setdefault((name, number), []).append(metrics.accuracy(predict(split.test_x), split.test_y))
            moved.setdefault((name, number), []).append(metrics.accuracy(predict(right_by_one), split.test_y))
print(
    {name: f"{1000 * seconds / len(seeds) / len(sizes):.0f} ms a training" for name, seconds in spent.items()}
)

# %% [markdown] lang="en"
# The lines are means over the seeds, the bands their 95 % intervals. Read from left to right.

# %% [markdown] lang="zh"
# 线是对各个种子的平均，色带是 95% 置信区间。请从左往右看。

# %% tags=["nbval-ignore-output"]
curves = {}
for name in METHODS:
    intervals = [metrics.mean_interval(score[name, number]) for number in sizes]
    curves[name] = tuple(zip(*intervals))
    print(f"{name:12}", "  ".join(f"{number}: {mean:.3f}" for number, (mean, _, _) in zip(sizes, intervals)))
ax = plots.bands(sizes, curves, xlabel="training images", ylabel="test accuracy", log_x=True)
plots.show(
    ax, alt="Test accuracy against training images: all rise; naive Bayes levels off, SVM and CNN go on."
)

# %% [markdown] lang="en"
# Three things can be seen. Every method gains most from the first hundred images. Naive Bayes stops at about 0.92: it
# cannot see how pixels go together, and more data does not help. SVM and CNN stay close to each other all the way.
#
# Which of the two is better? Both were measured on the *same* splits, so we subtract split by split. If the interval of
# the differences excludes 0, the answer is clear. Otherwise it is not, whatever the means say.

# %% [markdown] lang="zh"
# 可以看出三点：每种方法都从最初的一百张图片中获益最多；朴素贝叶斯停在 0.92 左右，它看不到像素之间的关系，数据再多也没用；
# SVM 与 CNN 一路紧挨着。
#
# 这两个哪个更好？它们是在*同样*的划分上测的，所以应逐个划分相减。如果差值的区间不含 0，答案就是明确的；否则无论平均值怎样，都不明确。

# %% tags=["nbval-ignore-output"]
for number in sizes:
    mean, low, high = metrics.mean_interval(np.subtract(score["CNN", number], score["SVM", number]))
    verdict = "CNN better" if low > 0 else "SVM better" if high < 0 else "unclear"
    print(f"{number:5} images: CNN - SVM = {mean:+.3f} ({low:+.3f} to {high:+.3f})  {verdict}")

# %% [markdown] lang="en"
# The honest verdict: on these small images the network does **not** win. At no size is it ahead by more than chance; from
# 200 images on the SVM is ahead by about one percentage point, at several sizes by more than chance. It also trains many times
# faster. What large models won was not this contest. They won where images are large, data is plentiful, and nobody knows
# which features to compute. (One more grain of salt: the five splits share many images, so these intervals are somewhat
# too narrow; Nadeau and Bengio 2003.)
#
# But a test set answers only the question that it asks. Remember the images moved by one pixel. To us they are the same
# digits. Look at all three bars.

# %% [markdown] lang="zh"
# 实事求是的结论：在这些小图片上，网络**没有**赢。无论哪种规模，它都没有超出偶然误差的领先；200 张以上，SVM 领先约一个百分点，
# 有几种规模超出了偶然，而且它训练起来快很多倍。大模型赢的不是这场比赛。它们赢在图片大、数据多、没人知道该计算什么特征的地方。
# （还要打一点折扣：五种划分有许多共同的图片，所以这些区间偏窄，见 Nadeau 与 Bengio 2003。）
#
# 不过，测试集只回答它所问的问题。还记得那些移动了一个像素的图片吗？在我们看来，它们还是同样的数字。请看下面三根柱子。

# %% tags=["nbval-ignore-output"]
most = sizes[-1]
spreads = {name: metrics.mean_interval(moved[name, most]) for name in METHODS}
heights = {name: mean for name, (mean, _, _) in spreads.items()}
ax = plots.bars(
    heights, ylabel="accuracy, moved by one pixel", intervals={n: s[1:] for n, s in spreads.items()}
)
plots.show(ax, alt="Accuracy on digits moved by one pixel: all three fall far below their former values.")
print({name: f"{np.mean(score[name, most]):.3f} -> {heights[name]:.3f}" for name in METHODS})

# %% [markdown] lang="en"
# One pixel costs three right answers in ten or more. The filters of the CNN do not care where they are, so here the network
# is ahead by far; but its last layer does care, and it loses too. The usual remedy is to train on moved copies too. Whoever reports 0.99 should also say on
# which images.
#
# ### Exercise 01.4: Better, worse or unclear (★★★, 10 minutes)
#
# `ours` and `theirs` are lists of scores on the same splits (higher is better). Return `"better"`, `"worse"` or `"unclear"`, by
# the 95 % interval of the mean difference (with Student's t, as `metrics.mean_interval` computes it). Why is it wrong to ask whether the two intervals overlap?

# %% [markdown] lang="zh"
# 一个像素就让答对的数目少掉三成以上。CNN 的滤波器不在乎自己在哪个位置，所以在这里网络遥遥领先；
# 但它的最后一层在乎，所以也有损失。
# 常用的补救办法是训练时也用移动过的副本。谁要是报告 0.99，还应说明是在什么样的图片上。
#
# ### 练习 01.4：更好、更差，还是看不出（★★★，10 分钟）
#
# `ours` 与 `theirs` 是在同样的划分上得到的两列分数（越高越好）。请根据平均差值的 95% 区间（用 t 分布，即 `metrics.mean_interval` 的算法）
# 返回 `"better"`、`"worse"` 或 `"unclear"`。
# 为什么看两个区间是否重叠是不对的？


# %% exercise="01.4"
def verdict_of(ours, theirs):
    """better, worse or unclear: whether the interval of the paired differences excludes 0."""
    ### BEGIN SOLUTION
    differences = [a - b for a, b in zip(ours, theirs)]
    _, low, high = metrics.mean_interval(differences)
    if low > 0:
        return "better"
    return "worse" if high < 0 else "unclear"
    ### END SOLUTION


# %%
check("01.4", verdict_of)
# hint("01.4")
# solution("01.4")

# %% [markdown] lang="en"
# ## 6. Pre-training and fine-tuning, measured
#
# GPT and BERT changed the recipe: first train on much data of some *other* task, then continue on the little data of your
# own. We can do this with digits. *Pre-training:* a network learns to tell 5, 6, 7, 8, 9 apart, with some 700 images. *Your
# task:* tell 0, 1, 2, 3, 4 apart, with one or five images of each. Three ways:
#
# - **from scratch**: start from random numbers, as in section 5;
# - **fine-tune all**: start from the pre-trained filters, with a new last layer, and train everything;
# - **new head only**: keep the pre-trained filters as they are and train the last layer alone.

# %% [markdown] lang="zh"
# ## 6. 预训练与微调：实测
#
# GPT 和 BERT 改变了做法：先在*别的*任务的大量数据上训练，再用自己任务的少量数据接着训练。用手写数字也能这样做。
# *预训练*：网络用约 700 张图片学会分辨 5、6、7、8、9。*你的任务*：分辨 0、1、2、3、4，每个数字只有一张或五张图片。三种做法：
#
# - **从零训练**（from scratch）：像第 5 节那样从随机数开始；
# - **全部微调**（fine-tune all）：从预训练好的滤波器开始，换上新的最后一层，全部一起训练；
# - **只训练新的输出层**（new head only）：预训练的滤波器保持不变，只训练最后一层。

# %%
WAYS = ("from scratch", "fine-tune all", "new head only")


def few_shot(split, pretrained, per_digit, draw, way):
    first = draw * per_digit
    rows = [(split.train_y == digit).nonzero().flatten()[first : first + per_digit] for digit in range(5)]
    set_seed(draw)
    model = new_cnn()
    if way != "from scratch":
        model[:-1].load_state_dict(pretrained[:-1].state_dict())
    if way == "new head only":
        model[:-1].requires_grad_(False)
    few = torch.cat(rows)
    predict = train_cnn(model, split.train_x[few], split.train_y[few], lab.pick(10, 40, 40), draw)
    low = split.test_y < 5
    return metrics.accuracy(predict(split.test_x[low])[:, :5], split.test_y[low])


# %% [markdown] lang="en"
# Five splits again, with three draws of the few images each. **Predict:** can filters that have never seen a 0 help to know a 0?

# %% [markdown] lang="zh"
# 仍是五种划分，每种抽取三次少量图片。**预测**：从没见过 0 的滤波器，能帮助认出 0 吗？

# %% tags=["nbval-ignore-output"]
transfer, began = {}, time.perf_counter()
for seed in seeds:
    split = load_digits(seed, test_size=397, as_images=True)
    high = split.train_y >= 5
    set_seed(seed)
    pretrained = new_cnn()
    train_cnn(pretrained, split.train_x[high], split.train_y[high], lab.pick(10, 200, 600), seed)
    for per_digit in (1, 5):
        for way in WAYS:
            draws = [few_shot(split, pretrained, per_digit, draw, way) for draw in range(lab.pick(1, 3, 10))]
            transfer.setdefault((way, per_digit), []).append(np.mean(draws))
print(f"{time.perf_counter() - began:.0f} s")

# %% [markdown] lang="en"
# The bars show the means over the splits, with intervals.

# %% [markdown] lang="zh"
# 柱子是对各种划分的平均值，带有区间。

# %% tags=["nbval-ignore-output"]
axes = plots.new_axes(8.5, 3.2, columns=2, sharey=True)
for ax, per_digit in zip(axes, (1, 5)):
    spreads = {way: metrics.mean_interval(transfer[way, per_digit]) for way in WAYS}
    heights = {way: mean for way, (mean, _, _) in spreads.items()}
    title = f"{per_digit} image{'s' * (per_digit > 1)} of each digit"
    plots.bars(
        heights, ylabel="test accuracy", title=title, intervals={w: s[1:] for w, s in spreads.items()}, ax=ax
    )
    print(f"{title}:", ", ".join(f"{way} {mean:.3f}" for way, mean in heights.items()))
plots.show(axes, alt="Accuracy from scratch, fine-tuned, with a new head: pre-training helps in both panels.")

# %% [markdown] lang="en"
# Now split by split, as in section 5. The last line asks whether the gain with one image is larger than the gain with five.

# %% [markdown] lang="zh"
# 再像第 5 节那样逐个划分相减。最后一行问的是：一张图片时的增益，是否比五张时更大？

# %% tags=["nbval-ignore-output"]
head, tuned, scratch = ({n: np.array(transfer[way, n]) for n in (1, 5)} for way in reversed(WAYS))
differences = {f"new head - from scratch, {n} image(s)": head[n] - scratch[n] for n in (1, 5)}
differences |= {f"new head - fine-tune all, {n} image(s)": head[n] - tuned[n] for n in (1, 5)}
differences["gain with 1 image - gain with 5"] = head[1] - scratch[1] - (head[5] - scratch[5])
for name, difference in differences.items():
    mean, low, high = metrics.mean_interval(difference)
    print(f"{name:38} {mean:+.3f} ({low:+.3f} to {high:+.3f})")

# %% [markdown] lang="en"
# It helps: with one image of each digit by about five percentage points, with five by three to four, and both intervals
# exclude 0. Filters learned on a 7 serve for a 1. Two things one would like to add are *not* shown: whether the help is larger
# where data is scarcer, and whether freezing the filters beats training them. Both means point that way, and both intervals
# hold 0. This is transfer, on a small scale; lesson 06 does it with text.
#
# Here is the lesson's table: what was measured, beside what.

# %% [markdown] lang="zh"
# 有帮助：每个数字一张图片时高出约五个百分点，五张时高出三到四个，两个区间都不含 0。在 7 上学到的滤波器，认 1 时也用得上。
# 还有两个结论听起来很顺，这里却*没有*得到证明：数据越少，帮助是否越大；冻结滤波器是否胜过一起训练。
# 平均值都偏向“是”，但两者的区间都含 0。这就是迁移，只是规模很小；第 06 课用文本来做。
#
# 下面是本课的结果表：测了什么，与什么相比。

# %% tags=["nbval-ignore-output"]
rows = []
for number in (sizes[-1], sizes[0]):
    mean, low, high = metrics.mean_interval(score["CNN", number])
    svm = float(np.mean(score["SVM", number]))
    rows.append(
        results.Measure(f"CNN, {number} images", mean, svm, "SVM", seeds=len(seeds), interval=(low, high))
    )
mean, low, high = metrics.mean_interval(transfer["new head only", 1])
scratch = float(np.mean(transfer["from scratch", 1]))
label = "pre-trained, 1 image a digit"
rows.append(results.Measure(label, mean, scratch, "from scratch", seeds=len(seeds), interval=(low, high)))
results.report(*rows)

# %% [markdown] lang="en"
# The column *verdict* says *unclear* where the baseline lies inside the interval. The paired intervals above are sharper:
# they compare on the same training images.
#
# ## 7. Where large models are used, and what is measured there
#
# A field takes a model seriously when it is measured in the field's own coin.
#
# | field | tasks | what is measured | an example, beside its baseline |
# |---|---|---|---|
# | vision | classify, find, cut out, draw | accuracy, mean average precision, Fréchet distance | ViT-H/14 is right on 88.55 % of ImageNet's 1,000 classes; guessing gives 0.1 % (Dosovitskiy 2020) |
# | language | translate, summarize, answer, program | perplexity, BLEU, ROUGE, exact match, passed tests | GPT-3: 43.9 % of the multiple-choice questions of MMLU; guessing gives 25 % (Hendrycks 2020) |
# | speech | recognize, synthesize | word error rate; mean opinion score of listeners | wav2vec 2.0 with ten minutes of labelled speech: 4.8 % word errors on clean LibriSpeech, 1.8 % with all 960 hours (Baevski 2020) |
# | medicine | read images, answer questions, find proteins' shapes | sensitivity, specificity, calibration; harm, judged by doctors | Med-PaLM: 67.6 % of the questions of a licensing exam; doctors still found its answers inferior to theirs (Singhal 2023) |
# | finance | sort news, estimate risk, find fraud | F1 on rare classes, area under the curve, money lost by errors | BloombergGPT was trained half on financial text, and compared with general models of like size on both kinds of task (Wu 2023) |
# | education | tutor, grade, predict mastery | learning gain in a randomized trial; agreement with teachers (weighted kappa) | with help by a model, tutors' students mastered topics 4 percentage points more often, in a trial with 1,800 pupils (Wang 2024) |
#
# Two warnings go with every line. *Who was measured?* A model for X-rays from one hospital may fail in the next, as our
# digits failed one pixel further. *How common is what you look for?* The next exercise shows what this does.
#
# ### Exercise 01.5: What a positive finding means (★★☆, 8 minutes)
#
# A model finds 90 % of the ill (*sensitivity*) and rightly clears 90 % of the healthy (*specificity*). One person in a
# hundred is ill. The model says "ill". What is the chance that it is true? Guess, then write the function. (Bayes' rule,
# or count 10,000 people.)

# %% [markdown] lang="zh"
# *verdict* 一栏中的 *unclear* 表示基线落在区间之内，无法断定。前面成对差值的区间更敏锐，因为比较时用的是同一批训练图片。
#
# ## 7. 大模型用在哪里，又怎样衡量
#
# 只有用一个领域自己的“尺子”来量，那个领域才会认真对待一个模型。
#
# | 领域 | 任务 | 衡量什么 | 一个例子及其基线 |
# |---|---|---|---|
# | 视觉 | 分类、检测、分割、生成图像 | 正确率、平均精度均值（mAP）、弗雷歇距离 | ViT-H/14 在 ImageNet 的 1,000 类上正确率 88.55%；瞎猜是 0.1%（Dosovitskiy 2020） |
# | 语言 | 翻译、摘要、问答、编程 | 困惑度、BLEU、ROUGE、完全匹配率、测试通过率 | GPT-3 在 MMLU 选择题上正确率 43.9%；瞎猜是 25%（Hendrycks 2020） |
# | 语音 | 识别、合成 | 词错误率；听者的平均意见得分（MOS） | wav2vec 2.0 只用十分钟标注语音，在 LibriSpeech 干净语音上词错误率 4.8%；用全部 960 小时是 1.8%（Baevski 2020） |
# | 医疗 | 读片、问答、预测蛋白质形状 | 灵敏度、特异度、校准；由医生评判的危害 | Med-PaLM 答对执业考试题的 67.6%；医生仍认为它的回答不如医生自己的（Singhal 2023） |
# | 金融 | 新闻分类、风险估计、识别欺诈 | 少数类的 F1、曲线下面积（AUC）、错误造成的损失 | BloombergGPT 一半用金融文本训练，在两类任务上与规模相近的通用模型比较（Wu 2023） |
# | 教育 | 辅导、批改、预测掌握程度 | 随机试验中的学习增益；与教师的一致性（加权 kappa） | 在 1,800 名学生的试验中，辅导老师有模型协助时，学生掌握知识点的比例高出 4 个百分点（Wang 2024） |
#
# 每一行都要附上两个提醒。一是*测的是谁*：用一家医院的 X 光片训练的模型，到下一家也许就不灵了，
# 正像我们的数字移动一个像素就认错。二是*要找的东西有多常见*：下面的练习说明这一点的后果。
#
# ### 练习 01.5：阳性意味着什么（★★☆，8 分钟）
#
# 一个模型能查出 90% 的患者（*灵敏度*），也能把 90% 的健康人正确判为阴性（*特异度*）。每一百人中有一人患病。模型说“患病”，
# 这是真的概率有多大？先猜，再写函数。（用贝叶斯公式，或者数一数 10,000 个人。）


# %% exercise="01.5"
def chance_ill(sensitivity, specificity, prevalence):
    """Probability of being ill, given that the model says so."""
    ### BEGIN SOLUTION
    found = sensitivity * prevalence
    false_alarms = (1 - specificity) * (1 - prevalence)
    return found / (found + false_alarms)
    ### END SOLUTION


# %%
check("01.5", chance_ill)
# hint("01.5")
# solution("01.5")

# %% [markdown] lang="en"
# ## 8. Break it
#
# A colleague has only 200 digits. To have more, she adds a little noise and makes five copies of each, shuffles the 1,000
# images, keeps 200 of them for the test, and trains an SVM. The code runs, and the result is wonderful. **Look at it, compare
# it with section 5, and be suspicious before you read on.** Which number is impossible?

# %% [markdown] lang="zh"
# ## 8. 找出故障
#
# 一位同事只有 200 张数字图片。为了多一些，她给图片加一点噪声，每张复制五份，把这 1,000 张打乱，留出 200 张做测试，然后训练 SVM。
# 代码运行正常，结果好极了。**先看结果，与第 5 节比较，带着怀疑再往下读。** 哪个数是不可能的？


# %%
def copies_of(x, y, seed):
    """Five noisy copies of each image, with their labels."""
    x, y = x.repeat(5, 1), y.repeat(5)
    return x + 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)), y


def her_experiment(labels):
    x, y = copies_of(digits.train_x[:200], labels, SEED)
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(SEED))
    train, test = order[:800], order[800:]
    predict = classical(SVC(C=10), x[train], y[train])
    return metrics.accuracy(predict(x[test]), y[test]), x[train], x[test]


her_score, her_train, her_test = her_experiment(digits.train_y[:200])
print(f"test accuracy {her_score:.3f} with 200 images")

# %% [markdown] lang="en"
# With 200 images every method of section 5 stayed below 0.97, and with 1,400 below 1. A perfect score from so little is
# the first sign. The second is a test that every experiment should pass: give the images *random* labels. Then there is nothing
# to learn, and an honest test must come out near 0.1.

# %% [markdown] lang="zh"
# 第 5 节里，200 张图片时每种方法都不到 0.97，1,400 张时也不到 1。用这么少的图片得满分，是第一个征兆。第二个征兆来自一个
# 任何实验都应该通过的检验：给图片贴上*随机*的标签。这时没有任何规律可学，可信的测试结果必定在 0.1 左右。

# %%
nonsense = torch.randint(0, 10, (200,), generator=torch.Generator().manual_seed(SEED))
nonsense_score, _, _ = her_experiment(nonsense)
print(f"test accuracy on random labels: {nonsense_score:.3f}, guessing gives 0.1")
assert nonsense_score > 0.9

# %% [markdown] lang="en"
# The impossible number: random labels are predicted without a mistake. The model must have *seen* them. And so it has: of
# each image some copies are in the training set and some in the test set. Measure how far each test image is from its
# nearest training image.

# %% [markdown] lang="zh"
# 这就是那个不可能的数：随机的标签竟然全部猜对，模型一定*见过*它们。的确如此：每张图片的几个副本，有的进了训练集，有的进了测试集。
# 量一量每张测试图片离最近的训练图片有多远。

# %%
leaked = torch.cdist(her_test, her_train).amin(dim=1)
honest = torch.cdist(digits.test_x, digits.train_x[:200]).amin(dim=1)
ax = plots.new_axes(6.5, 3)
ax.hist(leaked, bins=20, label="her test", color=plots.COLORS[1], hatch="//", edgecolor="black")
ax.hist(honest, bins=40, label="fresh images", color=plots.COLORS[0], alpha=0.6, edgecolor="black")
plots.finish(ax, "distance to the nearest training image", "test images", "")
plots.show(
    ax,
    alt="Distances to the nearest training image: hers lie near 0.5 in a narrow peak, fresh ones near 1.4.",
)
print(f"median distance: hers {leaked.median():.2f}, fresh images {honest.median():.2f}")

# %% [markdown] lang="en"
# Two worlds. Her test images are twins of training images. The rule that mends it: **split first, then make copies, and of
# the training part only.** Here all 200 images and their copies are for training, and the test is on images that have
# no twin. The random labels should give chance again, and the true labels an ordinary score.

# %% [markdown] lang="zh"
# 两个不同的世界：她的测试图片是训练图片的“双胞胎”。补救的规则是：**先划分，再复制，而且只复制训练部分。**
# 下面把 200 张图片及其副本全部用于训练，用没有“双胞胎”的新图片来测试。随机标签应当回到瞎猜的水平，真实标签应当得到一个普通的分数。

# %%
other_nonsense = torch.randint(0, 10, (397,), generator=torch.Generator().manual_seed(SEED + 1))
for name, labels, fresh in (
    ("true", digits.train_y[:200], digits.test_y),
    ("random", nonsense, other_nonsense),
):
    x, y = copies_of(digits.train_x[:200], labels, SEED)
    predict = classical(SVC(C=10), x, y)
    honest_score = metrics.accuracy(predict(digits.test_x), fresh)
    print(f"{name:6} labels, fresh images: {honest_score:.3f}")
assert honest_score < 0.2

# %% [markdown] lang="en"
# The 1.000 was 0.95 in truth. Leakage is common in published work (Kapoor and Narayanan found it in seventeen fields). It comes as copies, as pictures
# of one patient on both sides of the split, as numbers normalized with the test set, and as test questions in the text that
# a language model was trained on.
#
# ### Exercise 01.6: Find leaked test rows (★★★, 10 minutes)
#
# Return the share of test rows that have a training row nearer than `radius`.

# %% [markdown] lang="zh"
# 那个 1.000 其实是 0.95。泄漏在已发表的工作中相当普遍（Kapoor 与 Narayanan 在十七个领域里都发现过）。它有多种样子：复制品；同一位病人的图片分在两边；
# 用测试集算出的均值做归一化；测试题出现在语言模型的训练文本里。
#
# ### 练习 01.6：找出泄漏的测试样本（★★★，10 分钟）
#
# 请返回测试样本中有多大比例，其最近的训练样本比 `radius` 更近。


# %% exercise="01.6"
def leaked_share(train, test, radius):
    """Share of test rows (N, D) whose nearest training row (M, D) is nearer than the radius."""
    ### BEGIN SOLUTION
    distances = torch.cdist(test, train)  # (N, M)
    return (distances.amin(dim=1) < radius).float().mean().item()
    ### END SOLUTION


# %%
check("01.6", leaked_share)
# hint("01.6")
# solution("01.6")

# %% [markdown] lang="en"
# ## 9. Summary
#
# - A large model is a stack of equal blocks with $12d^2 + 13d$ parameters each. Its memory and computation follow from
#   its size: $6ND$ operations to train.
# - From 2012 to 2020 sizes doubled about every eight months; since then data has grown more than size.
# - Layers, embeddings, sequence models, attention: each solved what the one before could not.
# - On small images with little data, a classical method is level or better, and faster. Measure before you choose.
# - Pre-training on another task helped with one and with five images of a digit. Ask of every gain whether its interval excludes 0.
# - Compare on the same splits, with intervals, against a baseline. Random labels must score like guessing.
#
# ### Further reading
#
# - F. Rosenblatt (1958): *The Perceptron*. [doi:10.1037/h0042519](https://doi.org/10.1037/h0042519).
# - D. Rumelhart, G. Hinton, R. Williams (1986): *Learning Representations by Back-propagating Errors*.
#   [doi:10.1038/323533a0](https://doi.org/10.1038/323533a0).
# - G. Hinton, S. Osindero, Y.-W. Teh (2006): *A Fast Learning Algorithm for Deep Belief Nets*.
#   [doi:10.1162/neco.2006.18.7.1527](https://doi.org/10.1162/neco.2006.18.7.1527).
# - Y. LeCun, Y. Bengio, G. Hinton (2015): *Deep Learning*. [doi:10.1038/nature14539](https://doi.org/10.1038/nature14539).
# - A. Vaswani and others (2017): *Attention Is All You Need*. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762).
# - J. Kaplan and others (2020): *Scaling Laws for Neural Language Models*. [arXiv:2001.08361](https://arxiv.org/abs/2001.08361).
#   The count $6ND$.
# - J. Hoffmann and others (2022): *Training Compute-Optimal Large Language Models*.
#   [arXiv:2203.15556](https://arxiv.org/abs/2203.15556).
# - R. Bommasani and others (2021): *On the Opportunities and Risks of Foundation Models*.
#   [arXiv:2108.07258](https://arxiv.org/abs/2108.07258).
# - S. Kapoor, A. Narayanan (2023): *Leakage and the Reproducibility Crisis in Machine-Learning-Based Science*.
#   [doi:10.1016/j.patter.2023.100804](https://doi.org/10.1016/j.patter.2023.100804).
# - C. Nadeau, Y. Bengio (2003): *Inference for the Generalization Error*.
#   [doi:10.1023/A:1024068626366](https://doi.org/10.1023/A:1024068626366).
# - The table of section 7: Dosovitskiy 2020 [arXiv:2010.11929](https://arxiv.org/abs/2010.11929), Hendrycks 2020
#   [arXiv:2009.03300](https://arxiv.org/abs/2009.03300), Baevski 2020 [arXiv:2006.11477](https://arxiv.org/abs/2006.11477),
#   Singhal 2023 [arXiv:2212.13138](https://arxiv.org/abs/2212.13138), Wu 2023
#   [arXiv:2303.17564](https://arxiv.org/abs/2303.17564), Wang 2024 [arXiv:2410.03017](https://arxiv.org/abs/2410.03017).

# %% [markdown] lang="zh"
# ## 9. 小结
#
# - 大模型由同样的块堆叠而成，每块有 $12d^2 + 13d$ 个参数。内存和计算量由规模决定：训练需要 $6ND$ 次运算。
# - 2012 到 2020 年，规模约每八个月翻一番；此后数据比规模增长得更多。
# - 层、嵌入、序列模型、注意力：每一个都解决了前一个解决不了的问题。
# - 图片小、数据少的时候，经典方法持平或更好，而且更快。先测量，再选择。
# - 在别的任务上预训练，对每个数字一张或五张图片都有帮助。对每一个增益都要问：它的区间是否不含 0？
# - 比较要在同样的划分上，带区间，有基线。随机标签的得分必须和瞎猜一样。
#
# ### 延伸阅读
#
# - F. Rosenblatt（1958）：*The Perceptron*。[doi:10.1037/h0042519](https://doi.org/10.1037/h0042519)。
# - D. Rumelhart, G. Hinton, R. Williams（1986）：*Learning Representations by Back-propagating Errors*。
#   [doi:10.1038/323533a0](https://doi.org/10.1038/323533a0)。
# - G. Hinton, S. Osindero, Y.-W. Teh（2006）：*A Fast Learning Algorithm for Deep Belief Nets*。
#   [doi:10.1162/neco.2006.18.7.1527](https://doi.org/10.1162/neco.2006.18.7.1527)。
# - Y. LeCun, Y. Bengio, G. Hinton（2015）：*Deep Learning*。[doi:10.1038/nature14539](https://doi.org/10.1038/nature14539)。
# - A. Vaswani 等（2017）：*Attention Is All You Need*。[arXiv:1706.03762](https://arxiv.org/abs/1706.03762)。
# - J. Kaplan 等（2020）：*Scaling Laws for Neural Language Models*。[arXiv:2001.08361](https://arxiv.org/abs/2001.08361)。
#   公式 $6ND$ 的出处。
# - J. Hoffmann 等（2022）：*Training Compute-Optimal Large Language Models*。
#   [arXiv:2203.15556](https://arxiv.org/abs/2203.15556)。
# - R. Bommasani 等（2021）：*On the Opportunities and Risks of Foundation Models*。
#   [arXiv:2108.07258](https://arxiv.org/abs/2108.07258)。
# - S. Kapoor, A. Narayanan（2023）：*Leakage and the Reproducibility Crisis in Machine-Learning-Based Science*。
#   [doi:10.1016/j.patter.2023.100804](https://doi.org/10.1016/j.patter.2023.100804)。
# - C. Nadeau, Y. Bengio（2003）：*Inference for the Generalization Error*。
#   [doi:10.1023/A:1024068626366](https://doi.org/10.1023/A:1024068626366)。
# - 第 7 节表格的出处：Dosovitskiy 2020 [arXiv:2010.11929](https://arxiv.org/abs/2010.11929)，Hendrycks 2020
#   [arXiv:2009.03300](https://arxiv.org/abs/2009.03300)，Baevski 2020 [arXiv:2006.11477](https://arxiv.org/abs/2006.11477)，
#   Singhal 2023 [arXiv:2212.13138](https://arxiv.org/abs/2212.13138)，Wu 2023
#   [arXiv:2303.17564](https://arxiv.org/abs/2303.17564)，Wang 2024 [arXiv:2410.03017](https://arxiv.org/abs/2410.03017)。
