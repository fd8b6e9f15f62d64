# ---
# jupyter:
#   labkit:
#     number: "06"
#     title_en: Pre-training and fine-tuning
#     title_zh: 预训练与微调
#     minutes: 120
# ---

# %% [markdown] lang="en"
# # 06 Pre-training and fine-tuning
#
# Labels are rare, and text is not. A model first learns from text alone (pre-training), and then a task from a few
# labels (fine-tuning). This lesson measures what the first gives to the second.
#
# **After this lesson you can** write three self-supervised objectives; fit a scaling curve and say how far it can be
# trusted; turn a language model into a classifier that padding does not disturb; write LoRA and show that it equals
# peft; compare full fine-tuning, LoRA, a head alone and training from scratch; and measure what a model forgets.
#
# **Time:** 120 minutes with the exercises. **Before you start:** lesson 03 (cross-entropy, $\ln K$) and lesson 05
# (tokens, attention, the Transformer block).

# %% [markdown] lang="zh"
# # 06 预训练与微调
#
# 标签稀少，文本却不缺。模型先只靠文本学习（预训练），再用少量标签学会一项任务（微调）。本课要测量前者究竟给了后者多少帮助。
#
# **学完本课，你能够**：写出三种自监督目标；拟合标度律（scaling law）曲线，并说清它能信到什么程度；把语言模型改成分类器，而且不受填充影响；
# 亲手写出 LoRA，并验证它与 peft 一致；比较全量微调、LoRA、只训练分类头和从零训练；测量模型遗忘了多少。
#
# **时间**：120 分钟（含练习）。**预备知识**：第 03 课（交叉熵、$\ln K$）和第 05 课（词元、注意力机制、Transformer 块）。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import copy
import math

import numpy as np
import torch
from scipy.optimize import least_squares
from torch import nn

from labkit import metrics, plots, results, widgets
from labkit.checks import check, hint, solution
from labkit.common import set_seed, start
from labkit.text import finetuning, objectives, shipped, town
from labkit.text import training as text_training
from labkit.text.corpus import PackedBatches
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.tokenizer import BPETokenizer
from labkit.training import fit

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. Questions that a text asks about itself
#
# Self-supervision hides a part of the data and asks for it. Nobody writes labels: the hidden part is the label. Three
# ways to hide are in use. First: **the next token.** Look at the two rows: the target of each position is the token to
# its right.

# %% [markdown] lang="zh"
# ## 1. 文本向自己提问
#
# 自监督学习把数据的一部分藏起来，再让模型把它找出来。不需要人工标注：藏起来的部分就是标签。常用的藏法有三种。
# 第一种是**预测下一个词元**。请看下面两行：每个位置的目标，就是它右边的那个词元。

# %%
tokenizer = shipped.load_town_tokenizer()
sentence = "The ferry was late, so Anna Bell missed the book fair and went home."
ids = torch.tensor([tokenizer.encode(sentence)])


def show_row(tokens):
    return "|".join("_" if t == -100 else tokenizer.token_text(t).strip() for t in tokens.tolist())


print("inputs ", show_row(ids[0, :-1]))
print("targets", show_row(ids[0, 1:]))

# %% [markdown] lang="en"
# Second: **masked tokens** (Devlin et al. 2019). A share of the tokens is chosen; most of them show `<|mask|>`, some a
# random token, some themselves. The model sees both sides (full attention) and must tell the chosen ones. `_` stands for
# the target -100, which the loss skips. Count the targets.

# %% [markdown] lang="zh"
# 第二种是**掩码词元**（Devlin 等，2019）。先选出一部分词元，其中大多数换成 `<|mask|>`，少数换成随机词元，还有少数保持原样。
# 模型两侧都看得见（全注意力），要还原被选中的词元。`_` 代表目标 -100，损失会跳过它。请数一数有几个目标。

# %%
one_row = lambda step: (ids, ids)  # noqa: E731
masked = objectives.MaskedBatches(one_row, tokenizer.mask_id, len(tokenizer), share=0.3, seed=2)
inputs, targets = masked(0)
print("inputs ", show_row(inputs[0]))
print("targets", show_row(targets[0]))
print(f"targets that count: {(targets != -100).sum()} of {targets.numel()}")

# %% [markdown] lang="en"
# Third: **denoising of spans** (Raffel et al. 2020). Whole spans go, one mask stays for each, and the model writes what
# was there after an end token. A causal model can learn this: the question stands on the left of the answer.

# %% [markdown] lang="zh"
# 第三种是**片段去噪**（Raffel 等，2020）。整段词元被挖去，每段只留一个掩码，模型在结束符之后写出原来的内容。
# 因果模型也能学：题目在左边，答案在右边。

# %%
spans = objectives.SpanBatches(one_row, tokenizer.mask_id, tokenizer.eos_id, share=0.3, seed=0)
inputs, targets = spans(0)
print("inputs ", show_row(inputs[0]))
print("targets", show_row(targets[0]))
print(f"targets that count: {(targets != -100).sum()} of {targets.numel()}")

# %% [markdown] lang="en"
# All three use the same cross-entropy. They differ in how many positions a window gives to learn from, and in what the
# model may look at: only the left side, or both.
#
# ### Exercise 06.1: Masked tokens and their targets (★☆☆, 8 minutes)
#
# Given tokens (B, T) and `chosen` (B, T), True where a token is hidden, return inputs and targets. All chosen tokens show
# the mask here. Think of what the loss must not score.

# %% [markdown] lang="zh"
# 三种目标用的是同一个交叉熵。区别在于：一个窗口里有多少位置可供学习，以及模型能看哪一边，只看左边还是两边都看。
#
# ### 练习 06.1：掩码输入与目标（★☆☆，8 分钟）
#
# 给定词元 `tokens` (B, T) 和 `chosen` (B, T)（需要隐藏的位置为 True），返回输入和目标。这里被选中的词元一律换成掩码。
# 想一想：哪些位置不该计入损失？


# %% exercise="06.1"
def mask_tokens(tokens, chosen, mask_id):
    """(inputs, targets), both (B, T); a target that does not count is -100."""
    ### BEGIN SOLUTION
    return torch.where(chosen, mask_id, tokens), torch.where(chosen, tokens, -100)
    ### END SOLUTION


# %%
check("06.1", mask_tokens)
# hint("06.1")
# solution("06.1")

# %% [markdown] lang="en"
# ### Exercise 06.2: Cut spans out, and tell them (★★☆, 12 minutes)
#
# `tokens` is a list of ids, `spans` a list of (start, end) with `end` left out, as in slices, in order and apart. Return the corrupted list, with one
# mask for each span, and the told list: mask and tokens of each span, and one mask as the end.

# %% [markdown] lang="zh"
# ### 练习 06.2：挖去片段，再还原（★★☆，12 分钟）
#
# `tokens` 是编号列表，`spans` 是若干 (start, end)，与切片一样不含 `end`，按顺序排列且互不相邻。返回两个列表：破坏后的文本，每个片段换成一个掩码；
# 还原序列，依次写出每个片段的掩码和词元，最后再加一个掩码表示结束。


# %% exercise="06.2"
def cut_spans(tokens, spans, mask_id):
    """(corrupted, told), two lists of ids."""
    ### BEGIN SOLUTION
    corrupted, told, position = [], [], 0
    for first, end in spans:
        corrupted += [*tokens[position:first], mask_id]
        told += [mask_id, *tokens[first:end]]
        position = end
    return corrupted + tokens[position:], [*told, mask_id]
    ### END SOLUTION


# %%
check("06.2", cut_spans)
# hint("06.2")
# solution("06.2")

# %% [markdown] lang="en"
# ## 2. Same model, same budget
#
# Which objective teaches most? We train one tiny GPT with each: the same size, windows, steps and optimizer. Only the
# objective and, for masked tokens, the attention differ. First the text, without labels.

# %% [markdown] lang="zh"
# ## 2. 同样的模型，同样的预算
#
# 哪种目标教给模型的东西最多？我们用每种目标各训练一个极小的 GPT：大小、窗口、步数和优化器完全相同，不同的只有目标本身；
# 另外，掩码模型用的是全注意力。先准备文本，不带标签。

# %%
size = lab.pick(60_000, 800_000, 3_000_000)
texts = [d.text for d in town.documents("en", seed=SEED, size_bytes=size)]
small = BPETokenizer.train(texts, 2048)
stream = np.array([t for text in texts for t in [small.eos_id, *small.encode(text)]], dtype=np.uint16)
cut = len(stream) * 19 // 20
windows = PackedBatches(stream[:cut], 48, 8, SEED)
print(f"about {round(len(texts), -2)} texts, {round(len(stream), -4):,} tokens of {len(small)} kinds")


# %%
def tiny_gpt(width, attention="causal"):
    heads = width // 16
    shape = {"num_layers": 2, "num_heads": heads, "num_kv_heads": max(1, heads // 2)}
    set_seed(SEED)
    return GPT(GPTConfig(len(small), hidden_size=width, attention=attention, max_positions=256, **shape))


def pretrain(model, batches, steps, decay=True, **options):
    optimizers = text_training.make_optimizers(model, 5e-3, 0.02)
    schedule = text_training.WarmupDecay(steps, steps // 10, None if decay else 0)
    schedules = text_training.make_schedules(optimizers, schedule)
    task = text_training.LanguageModelTask(model, optimizers, schedules)
    return fit(task, batches, steps, progress=False, **options)


# %% [markdown] lang="en"
# Each run takes a few seconds. `untrained` stays as it is: what a random network gives is the baseline.

# %% [markdown] lang="zh"
# 每次训练只要几秒。`untrained` 不做任何训练：随机网络能给出的结果就是基线。

# %%
steps = lab.pick(4, 200, 1500)
tiny = {
    "untrained": tiny_gpt(64),
    "next token": tiny_gpt(64),
    "masked": tiny_gpt(64, "full"),
    "spans": tiny_gpt(64),
}
sources = {
    "next token": windows,
    "masked": objectives.MaskedBatches(windows, small.mask_id, len(small), share=0.3),
    "spans": objectives.SpanBatches(windows, small.mask_id, small.eos_id, share=0.3),
}
last_loss = {
    name: np.mean(pretrain(tiny[name], batches, steps).train["loss"][-10:])
    for name, batches in sources.items()
}

# %% [markdown] lang="en"
# The losses cannot be compared: the three ask different questions. So we ask all models the same one, which none was
# trained for: the topic of a text (8 classes). The models stay frozen; a linear head reads the mean of their features,
# and learns from 256 labelled texts. **Predict:** which is best, and does any of them beat the random network?

# %% [markdown] lang="zh"
# 三者的损失不能直接相比，因为题目不同。所以我们给所有模型出同一道它们都没练过的题：判断文本的主题（8 类）。
# 模型全部冻结，线性分类头读取特征的平均值，用 256 篇有标签的文本学习。**先预测**：哪一个最好？有没有哪个能胜过随机网络？

# %%
topic_number = {topic: i for i, topic in enumerate(town.TOPICS)}
count = lab.pick(24, 256, 256)
labelled = list(town.documents("en", seed=SEED + 100, count=3 * count + lab.pick(30, 400, 1000)))
small_x = finetuning.encode_texts([d.text for d in labelled], small, 64)
small_y = torch.tensor([topic_number[d.topic] for d in labelled])
by_objective = {}
for name, model in tiny.items():
    features = finetuning.pooled_features(finetuning.SequenceClassifier(model, 8, small.pad_id), small_x)
    by_objective[name] = []
    for seed in range(3):  # three seeds, each with labelled texts of its own
        rows = slice(seed * count, (seed + 1) * count)
        head = finetuning.train_head(features[rows], small_y[rows], 8, seed=seed)
        by_objective[name].append(metrics.accuracy(head(features[3 * count :]), small_y[3 * count :]))

# %% tags=["nbval-ignore-output"]
summary = {name: metrics.mean_interval(values) for name, values in by_objective.items()}
ax = plots.bars(
    {name: mean for name, (mean, _, _) in summary.items()},
    ylabel="accuracy of the topic",
    intervals={name: (low, high) for name, (_, low, high) in summary.items()},
)
plots.show(ax, alt="Accuracy of the topic by objective, with intervals over three seeds.")
for name, (mean, low, high) in summary.items():
    loss = f"own loss {last_loss[name]:.2f}, " if name in last_loss else ""
    print(f"{name:11} {loss}topic accuracy {mean:.3f} (95 % interval {low:.3f} to {high:.3f})")

# %% [markdown] lang="en"
# With the next token, a few seconds of reading make clearly better features than random weights, though no topic was ever
# named. Masking and spans lie between: they score three positions in ten, not every one, so at this small budget
# they have seen far fewer answers. That is a statement about this budget, not about the objectives: BERT and T5 used
# thousands of times more steps. Where two intervals overlap, three seeds cannot tell which is better.
#
# ## 3. Scaling
#
# How does the loss fall when the model or the text grows? We train a small grid, next token only, and read the held-out
# loss several times in each run. $N$ counts all parameters, $D$ the tokens seen. The learning rate stays constant, so
# that an early reading is not one of an unfinished decay.

# %% [markdown] lang="zh"
# 用“预测下一个词元”只读了几秒文本，特征就明显好于随机权重，尽管从没有人告诉过它什么是主题。掩码和片段去噪介于两者之间：
# 它们只有三成位置计分，而不是每个位置都计分，所以在这么小的预算里，见过的答案少得多。这个结论只针对当前预算，并不是对目标本身的评判：
# BERT 和 T5 的训练步数是这里的几千倍。凡是两个区间重叠的，仅凭三个种子分不出高下。
#
# ## 3. 标度律
#
# 模型变大、文本变多时，损失怎样下降？我们只用“预测下一个词元”训练一个小网格，每次训练中途多次测量验证集上的损失。
# $N$ 是全部参数的个数，$D$ 是见过的词元数。学习率保持不变，否则中途测到的，只是学习率还没衰减完的模型。

# %%
held_out = stream[cut:][: lab.pick(500, 4000, 40_000)]
widths = lab.pick([16, 32], [16, 32, 64], [16, 32, 64, 128, 256])
grid_steps, tokens_a_step = lab.pick(4, 120, 1600), 8 * 48
points = []  # (N, D, loss)
for width in widths:
    model = tiny_gpt(width)
    measured = lambda m=model: {"loss": text_training.evaluate_loss(m, held_out, 48)}  # noqa: E731
    run = pretrain(model, windows, grid_steps, decay=False, evaluate=measured, evaluate_every=grid_steps // 4)
    points += [(model.num_parameters(), step * tokens_a_step, loss) for step, loss in run.evaluations["loss"]]
points = np.array(points)

# %% [markdown] lang="en"
# Hoffmann et al. (2022) fit
#
# $$L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}$$
#
# $E$ is what no model can remove. By hand, with $E = 1$, $A = B = 10$, $\alpha = \beta = 0.5$, $N = D = 100$:
# $L = 1 + 10/10 + 10/10 = 3$. We fit by least squares on $\log L$, and leave out one point, that of the largest model
# with the most tokens. **Predict:** will the curve, which has five numbers of its own, hit the point that it has not seen?

# %% [markdown] lang="zh"
# Hoffmann 等（2022）拟合的是
#
# $$L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}$$
#
# 其中 $E$ 是任何模型都消除不了的部分。手算一例：$E = 1$、$A = B = 10$、$\alpha = \beta = 0.5$、$N = D = 100$ 时，
# $L = 1 + 10/10 + 10/10 = 3$。我们对 $\log L$ 做最小二乘拟合，并留出一个点：最大的模型、最多的词元。
# **先预测**：这条曲线自带五个参数，它能命中没见过的那个点吗？


# %%
def curve(parameters, N, D):
    E, log_a, alpha, log_b, beta = parameters
    return E + np.exp(log_a) / N**alpha + np.exp(log_b) / D**beta


assert np.isclose(curve([1, math.log(10), 0.5, math.log(10), 0.5], 100, 100), 3)
N, D, L = points[:-1].T
residuals = lambda p: np.log(curve(p, N, D)) - np.log(L)  # noqa: E731
limits = ([0, -5, 0.01, -5, 0.01], [5, 20, 2, 20, 2])
fitted = least_squares(residuals, [1, 3, 0.3, 5, 0.5], bounds=limits).x

# %% tags=["nbval-ignore-output"]
tokens_seen = np.unique(points[:, 1])
curves = {f"N = {n:,.0f}": points[points[:, 0] == n, 2] for n in np.unique(points[:, 0])}
finest = curve(fitted, points[-1, 0], tokens_seen)
ax = plots.lines(
    tokens_seen,
    curves | {"fit, largest N": finest},
    xlabel="tokens seen D",
    ylabel="held-out loss (nats a token)",
    log_x=True,
    markers=True,
)
plots.show(ax, alt="Held-out loss falls with the tokens seen, for each model size, beside the fitted curve.")
print("E {:.2f}, log A {:.2f}, alpha {:.2f}, log B {:.2f}, beta {:.2f}".format(*fitted))
print(f"residual (root mean square of log L): {np.sqrt(np.mean(residuals(fitted) ** 2)):.4f}")
print(f"point left out: measured {points[-1, 2]:.3f}, curve {finest[-1]:.3f}")

# %% [markdown] lang="en"
# The loss falls with the tokens in every run, and the small residual only says that five numbers can bend to a few
# points. The point left out is missed by more than the residual, and the fit puts $E$ at its lower limit, 0, though
# no text can be foretold without any loss. $N$ spans less than a factor of ten here and $D$ a factor of four, in the first
# moments of training; $E$, $A$ and $\alpha$ can trade places with hardly any change of the residual. Kaplan et al. (2020)
# and Hoffmann et al. (2022) fit over many powers of ten, and still came to different advice on how to share a budget
# between $N$ and $D$. Do not carry these exponents anywhere.
#
# Move the sliders over the fitted curve. **Predict first:** with ten times the parameters, or ten times the tokens, where
# does the loss fall more? Both lie outside of what was measured: that is what extrapolation means.

# %% [markdown] lang="zh"
# 每次训练中，损失都随词元数下降；残差小，只说明五个参数足够迁就这么几个点。留出的那个点，偏差大于残差；拟合还把 $E$ 压到了下限 0，
# 可是没有哪种文本能毫无损失地预测出来。这里 $N$ 的跨度不到十倍，
# $D$ 只有四倍，而且都处在训练刚开始的阶段；$E$、$A$、$\alpha$ 可以此消彼长，残差却几乎不变。Kaplan 等（2020）和
# Hoffmann 等（2022）的拟合跨越许多个数量级，对于如何在 $N$ 与 $D$ 之间分配预算，两者的建议仍不相同。所以不要把这里的指数用到别处。
#
# 下面用滑块沿着拟合曲线走。**先预测**：参数增加到十倍，与词元增加到十倍，哪个让损失降得更多？这两处都在测量范围之外，
# 这就是外推的含义。


# %% tags=["nbval-ignore-output"]
def draw(times_parameters, times_tokens):
    n, d = points[-1, 0] * times_parameters, points[-1, 1]
    factors = np.geomspace(1, 100, 40)
    over = curve(fitted, n, d * factors)
    ax = plots.lines(d * factors, {"fit": over}, xlabel="tokens D", ylabel="loss (nats a token)", log_x=True)
    ax.axvline(d * times_tokens, color="grey", linestyle=":")
    return ax, f"N = {n:,.0f}, D = {d * times_tokens:,.0f}: L = {curve(fitted, n, d * times_tokens):.3f}"


widgets.explorer(draw, times_parameters=(1, 100, 1, 1), times_tokens=(1, 100, 1, 10))

# %% [markdown] lang="en"
# ### Exercise 06.3: Fit a power law (★★☆, 10 minutes)
#
# With one variable and $E = 0$ the law is $L = A / N^{\alpha}$: a line in logarithms. Return $A$ and $\alpha$ as numbers, by
# least squares. Think of what slope and intercept stand for.

# %% [markdown] lang="zh"
# ### 练习 06.3：拟合幂律（★★☆，10 分钟）
#
# 只有一个变量且 $E = 0$ 时，规律为 $L = A / N^{\alpha}$，取对数后是一条直线。用最小二乘求出 $A$ 和 $\alpha$ 并返回。
# 想一想：斜率和截距各代表什么？


# %% exercise="06.3"
def fit_power_law(sizes, losses):
    """(A, alpha) of L = A / N^alpha; sizes and losses are arrays (n,)."""
    ### BEGIN SOLUTION
    slope, intercept = np.polyfit(np.log(sizes), np.log(losses), 1)
    return float(np.exp(intercept)), float(-slope)
    ### END SOLUTION


# %%
check("06.3", fit_power_law)
# hint("06.3")
# solution("06.3")

# %% [markdown] lang="en"
# ## 4. From a language model to a classifier
#
# Now the model that comes with the course: 4.0 million parameters, trained on both languages of the town to tell the
# next token. It never saw a label. The tasks: the topic of an English text, and its sentiment. Look at the shares of the
# classes: a constant answer already gets the share of the largest.

# %% [markdown] lang="zh"
# ## 4. 从语言模型到分类器
#
# 现在换用课程自带的模型：400 万参数，用小镇的中英文文本训练，目标是预测下一个词元，从没见过标签。任务有两个：
# 判断英文文本的主题，以及情感。请看各类别的占比：永远回答同一类，正确率就已等于最大类的占比。

# %%
gpt, tokenizer = shipped.load_town_gpt()
SENTIMENT = {name: i for i, name in enumerate(town.SENTIMENTS)}
pool_docs = list(town.documents("en", seed=SEED + 200, count=lab.pick(40, 300, 2000)))
test_docs = list(town.documents("en", split="test", seed=SEED + 200, count=lab.pick(24, 160, 1000)))


def encode(documents, task):
    keep = "start" if task == "topic" else "end"  # a title tells the topic, an ending the mood
    tokens = finetuning.encode_texts([d.text for d in documents], tokenizer, 48, keep=keep)
    labels = [topic_number[d.topic] if task == "topic" else SENTIMENT[d.sentiment] for d in documents]
    return tokens, torch.tensor(labels)


print(f"{gpt.num_parameters():,} parameters")

# %%
data = {task: (*encode(pool_docs, task), *encode(test_docs, task)) for task in ("topic", "sentiment")}
majority = {}
for task, (_, train_y, _, test_y) in data.items():
    constant = torch.full_like(test_y, train_y.mode().values)
    majority[task] = metrics.accuracy(constant, test_y)
    print(f"{task:9} {len(train_y.unique())} classes, a constant answer: {majority[task]:.3f}")

# %% [markdown] lang="en"
# A classifier needs one vector a text. Two choices: the feature of the **last real token**, which alone has seen the whole
# text, or the **mean** over the real tokens. Texts of a batch differ in length, so the short ones are filled up with
# `<|pad|>`, on the left or on the right. The filling must not change the answer. Does it?

# %% [markdown] lang="zh"
# 分类器需要用一个向量表示一篇文本。有两种取法：**最后一个真实词元**的特征，只有它看过全文；或者对所有真实词元求**平均**。
# 同一批文本长短不一，短的要用 `<|pad|>` 在左侧或右侧补齐。补齐绝不能改变结果。真的不会吗？

# %%
pair = ["The ferry was late.", "Anna Bell sold a jar of honey at the market on Monday."]
alone = finetuning.encode_texts(pair[:1], tokenizer, 48)
for pooling in ("last", "mean"):
    classifier = finetuning.SequenceClassifier(gpt, 8, tokenizer.pad_id, pooling)
    with torch.no_grad():
        expected = classifier.pool(alone)[0]
        for side in ("left", "right"):
            got = classifier.pool(finetuning.encode_texts(pair, tokenizer, 48, side=side))[0]
            assert torch.allclose(got, expected, atol=1e-4)
naive = gpt.features(finetuning.encode_texts(pair, tokenizer, 48))[0].mean(dim=0).detach()
print(f"naive mean, padding and all: off by more than 0.1: {bool((naive - expected).abs().max() > 0.1)}")

# %% [markdown] lang="en"
# With masks, pooling is the same on either side. The naive mean is not: it takes the features of `<|pad|>` for text.

# %% [markdown] lang="zh"
# 用上掩码之后，填充在哪一侧结果都一样。直接求平均则不行：它把 `<|pad|>` 的特征也当成了文本。

# %% [markdown] lang="en"
# ### Exercise 06.4: The mean over real tokens (★★☆, 8 minutes)
#
# features (B, T, D), real (B, T), True at real tokens: return the means (B, D). Think of what to divide by.

# %% [markdown] lang="zh"
# ### 练习 06.4：只对真实词元求平均（★★☆，8 分钟）
#
# `features` 的形状是 (B, T, D)，`real` 的形状是 (B, T)，真实词元处为 True。返回平均值 (B, D)。想一想：分母应该是什么？


# %% exercise="06.4"
def mean_of_real(features, real):
    """Mean over the real tokens: (B, T, D), (B, T) -> (B, D)."""
    ### BEGIN SOLUTION
    weights = real[..., None].to(features.dtype)
    return (features * weights).sum(dim=1) / weights.sum(dim=1)
    ### END SOLUTION


# %%
check("06.4", mean_of_real)
# hint("06.4")
# solution("06.4")

# %% [markdown] lang="en"
# ## 5. LoRA by hand
#
# Full fine-tuning moves every weight. **Low-rank adaptation** (LoRA, Hu et al. 2021) freezes $W$ and adds the product of
# two thin matrices:
#
# $$y = W x + \frac{\alpha}{r} B A x, \qquad A \in \mathbb{R}^{r \times \text{in}},\; B \in \mathbb{R}^{\text{out} \times r}$$
#
# **By hand**: $W$ the identity, $r = 1$, $\alpha = 2$, $A = (1, 1)$, $B = (1, 0)^\top$, $x = (1, 2)$. $A x = 3$, $B A x = (3, 0)$,
# $y = (1, 2) + 2 \cdot (3, 0) = (7, 2)$.

# %% [markdown] lang="zh"
# ## 5. 亲手写 LoRA
#
# 全量微调会改动每一个权重。**低秩适配**（LoRA，Hu 等，2021）则冻结 $W$，另加两个细长矩阵的乘积：
#
# $$y = W x + \frac{\alpha}{r} B A x, \qquad A \in \mathbb{R}^{r \times \text{in}},\; B \in \mathbb{R}^{\text{out} \times r}$$
#
# **手算**：$W$ 为单位阵，$r = 1$，$\alpha = 2$，$A = (1, 1)$，$B = (1, 0)^\top$，$x = (1, 2)$。则 $A x = 3$，$B A x = (3, 0)$，
# $y = (1, 2) + 2 \cdot (3, 0) = (7, 2)$。


# %%
class HandLoRA(nn.Module):
    def __init__(self, base, rank, alpha):
        super().__init__()
        self.base, self.scale = base.requires_grad_(False), alpha / rank
        self.lora_A = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))  # zero: at first nothing changes

    def forward(self, x):
        return self.base(x) + self.scale * (x @ self.lora_A.T @ self.lora_B.T)


layer = HandLoRA(nn.Linear(2, 2, bias=False), rank=1, alpha=2)
with torch.no_grad():
    layer.base.weight.copy_(torch.eye(2))
    layer.lora_A.fill_(1.0)
    layer.lora_B.copy_(torch.tensor([[1.0], [0.0]]))
print([round(value, 4) for value in layer(torch.tensor([1.0, 2.0])).tolist()])

# %% [markdown] lang="en"
# (7, 2), as by hand. Now labkit's layer with the same matrices: equal, before and after it is merged into one matrix. And
# the whole model: with $B = 0$ nothing changes, bit for bit.

# %% [markdown] lang="zh"
# 得到 (7, 2)，与手算一致。再看 labkit 的实现：矩阵相同，输出就相同，合并成一个矩阵前后都一样。对整个模型来说，$B = 0$ 时输出一个比特都不变。

# %%
set_seed(SEED)
hand = HandLoRA(nn.Linear(6, 4), rank=2, alpha=4)
nn.init.normal_(hand.lora_B)
library = finetuning.LoRALinear(hand.base, rank=2, alpha=4)
library.load_state_dict(hand.state_dict())
x = torch.randn(5, 6)
assert torch.allclose(library(x), hand(x), atol=1e-6)
assert torch.allclose(library.merged()(x), hand(x), atol=1e-6)

with_lora = finetuning.add_lora(copy.deepcopy(gpt), rank=8, alpha=16)
assert torch.equal(with_lora(alone), gpt(alone))
print("by hand = labkit = merged; at the start nothing changes")

# %% [markdown] lang="en"
# People use the library [peft](https://github.com/huggingface/peft). It puts its own layers into our model. With our
# matrices copied into it, the logits must agree.

# %% [markdown] lang="zh"
# 实际工作中大家用的是 [peft](https://github.com/huggingface/peft) 库。它会把自己的层装进我们的模型。把矩阵复制过去之后，logits 必须一致。

# %%
from peft import LoraConfig, inject_adapter_in_model  # only here: it takes seconds to import

theirs = copy.deepcopy(gpt)
config = LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["q_proj", "v_proj"])
inject_adapter_in_model(config, theirs)
ours = dict(with_lora.named_parameters())
with torch.no_grad():
    for name, parameter in theirs.named_parameters():
        if "lora_" in name:
            same = ours[name.replace(".default.weight", "")]
            parameter.copy_(same.normal_(std=0.1))
    assert torch.allclose(theirs(alone), with_lora(alone), atol=1e-4)
    print("changed by LoRA:", not torch.allclose(theirs(alone), gpt(alone), atol=1e-2))
assert finetuning.count_parameters(theirs) == finetuning.count_parameters(with_lora)

# %% [markdown] lang="en"
# Equal, with every $B$ away from zero. What does each method train, and what must the memory hold for it? AdamW keeps a
# gradient and two moments for each number that trains: 16 bytes instead of 4. Activations come on top.

# %% [markdown] lang="zh"
# 两者一致，而且每个 $B$ 都不是零。各种方法训练多少参数，内存里又要放多少？AdamW 为每个可训练的数另存一个梯度和两个矩：
# 每个数从 4 字节变成 16 字节。激活值另算。

# %%
trained = {}
for method in finetuning.METHODS:
    classifier = finetuning.SequenceClassifier(copy.deepcopy(gpt), 8, tokenizer.pad_id)
    finetuning.prepare(classifier, finetuning.FineTuning(method))
    trained[method], total = finetuning.count_parameters(classifier)
    mebibytes = finetuning.training_bytes(classifier) / 2**20
    print(
        f"{method:5} trains {trained[method]:9,} of {total:,} ({trained[method] / total:6.2%}), {mebibytes:5.1f} MiB"
    )
del theirs, with_lora, classifier, ours, parameter, same

# %% [markdown] lang="en"
# LoRA, here around all seven matrices of each block, trains a few percent and needs about a third of the memory. The
# greater gain is elsewhere: one frozen model can serve many tasks, each with a small pair of matrices of its own.

# %% [markdown] lang="zh"
# 这里给每个块的七个矩阵都加上了 LoRA，训练的参数只有百分之几，内存约为三分之一。更大的好处在别处：一个冻结的模型可以服务许多任务，
# 每个任务只带自己的一小组矩阵。

# %% [markdown] lang="en"
# ### Exercise 06.5: The forward pass of LoRA (★★☆, 10 minutes)
#
# x (..., in), W (out, in), A (r, in), B (out, r), alpha: return y. The rank is in the shapes.

# %% [markdown] lang="zh"
# ### 练习 06.5：LoRA 的前向计算（★★☆，10 分钟）
#
# x 的形状是 (..., in)，W 是 (out, in)，A 是 (r, in)，B 是 (out, r)，再加上 alpha。返回 y。秩 r 可以从形状中读出。


# %% exercise="06.5"
def lora_forward(x, W, A, B, alpha):
    """W x + alpha / r B A x for each row of x."""
    ### BEGIN SOLUTION
    return x @ W.T + alpha / A.shape[0] * (x @ A.T @ B.T)
    ### END SOLUTION


# %%
check("06.5", lora_forward)
# hint("06.5")
# solution("06.5")

# %% [markdown] lang="en"
# ### Exercise 06.6: How many numbers LoRA trains (★☆☆, 6 minutes)
#
# `shapes` lists the matrices as (out, in). Return how many numbers all A and B hold together.

# %% [markdown] lang="zh"
# ### 练习 06.6：LoRA 训练多少个参数（★☆☆，6 分钟）
#
# `shapes` 以 (out, in) 的形式列出各个矩阵。返回所有 A 和 B 一共有多少个数。


# %% exercise="06.6"
def lora_size(shapes, rank):
    """Numbers in A and B for all matrices."""
    ### BEGIN SOLUTION
    return sum(rank * (out + inside) for out, inside in shapes)
    ### END SOLUTION


# %%
check("06.6", lora_size)
# hint("06.6")
# solution("06.6")

# %% [markdown] lang="en"
# ## 6. How many labels does it take?
#
# The head alone is cheap: the frozen model reads each text once, and its features are kept. So it gets three seeds and
# several sizes. Each seed draws anew from the same 300 texts; at 256 the three draws are nearly the same, and their
# spread says little.

# %% [markdown] lang="zh"
# ## 6. 需要多少标签？
#
# 只训练分类头很便宜：冻结的模型把每篇文本读一遍，特征就保存下来。所以它可以用三个种子、多种标签数。每个种子都从同样的 300 篇文本中重新抽取；
# 抽 256 篇时，三次抽到的几乎相同，它们之间的差异说明不了什么。

# %%
POOLING = {"topic": "mean", "sentiment": "last"}
label_counts = lab.pick([8, 16], [16, 64, 256], [16, 64, 256, 1024])
head_only, heads = {}, {}
for task, (train_x, train_y, test_x, test_y) in data.items():
    reader = finetuning.SequenceClassifier(gpt, 8, tokenizer.pad_id, POOLING[task])
    kept, asked = (finetuning.pooled_features(reader, x) for x in (train_x, test_x))
    for count in label_counts:
        for seed in range(3):
            rows = np.random.default_rng(seed).permutation(len(train_y))[:count]
            head = finetuning.train_head(kept[rows], train_y[rows], int(train_y.max()) + 1, seed=seed)
            head_only.setdefault((task, count), []).append(metrics.accuracy(head(asked), test_y))
            heads[task] = head

# %% [markdown] lang="en"
# The other three work through the whole network at each step, so class mode does them for the topic, at two sizes and
# with one seed. The benchmark of the course repeats it with five seeds and for both tasks. From scratch has the same
# network and steps, random weights, and the learning rate that suits it better.

# %% [markdown] lang="zh"
# 其余三种方法每一步都要走完整个网络，所以 `class` 模式只做主题任务、两种标签数、一个种子。课程的基准测试用五个种子、两项任务重做了一遍。
# 从零训练用同样的网络和步数，权重随机，学习率取更适合它的值。

# %%
set_seed(SEED)
fresh = GPT(gpt.config)
train_x, train_y, test_x, test_y = data["topic"]
ways = {"full": (gpt, "full", 5e-4), "LoRA": (gpt, "lora", 5e-3), "from scratch": (fresh, "full", 1e-3)}
tuned, accuracy = {}, {}
for count in label_counts[:2]:
    rows = np.random.default_rng(SEED).permutation(len(train_y))[:count]
    for name, (base, method, rate) in ways.items():
        tuned[name] = finetuning.SequenceClassifier(copy.deepcopy(base), 8, tokenizer.pad_id)
        settings = finetuning.FineTuning(method, lab.pick(2, 30, 200), 8, rate, precision="auto")
        finetuning.finetune(tuned[name], train_x[rows], train_y[rows], settings, SEED)
        accuracy[name, count] = metrics.accuracy(finetuning.predict(tuned[name], test_x), test_y)

# %% tags=["nbval-ignore-output"]
mean_of = {key: float(np.mean(values)) for key, values in head_only.items()}
few = label_counts[:2]
lines = {name: [accuracy[name, count] for count in few] for name in ways}
lines |= {f"head, {task}": [mean_of[task, count] for count in label_counts] for task in data}
where = {name: few if name in ways else label_counts for name in lines}
ax = plots.lines(where, lines, xlabel="labelled texts", ylabel="accuracy", log_x=True, markers=True)
ax.set_xticks(label_counts, label_counts)
ax.minorticks_off()
plots.show(ax, alt="Accuracy over the number of labelled texts for full, LoRA, from scratch, and heads.")
for name, values in lines.items():
    print(f"{name:16}", "  ".join(f"{c}: {v:.3f}" for c, v in zip(where[name], values, strict=True)))
print("constant answer ", majority)

# %% [markdown] lang="en"
# Read the figure from left to right. What was learned from text alone makes the difference: from scratch lies far below
# what starts from the pre-trained weights. At either size full
# fine-tuning, LoRA and the head lie close together, LoRA with a few percent of the numbers. With one seed and a small test
# set, differences of about a tenth mean little.
#
# ## 7. What is forgotten
#
# A model that learns a task may lose what it knew: *catastrophic forgetting*. The old skill was to tell the next token, so
# measure bits per character on held-out town text, before and after. The classifiers were tuned on English topics only.
# **Predict:** full, LoRA, and LoRA with its matrices taken out again: in which order, and what about Chinese?

# %% [markdown] lang="zh"
# 请从左往右看图。造成差别的，是模型只靠文本学到的东西：从零训练远远低于从预训练权重出发的方法。无论是 16 个
# 还是 64 个标签，全量微调、LoRA 和分类头都很接近，而 LoRA 只训练了百分之几的参数。只有一个种子，测试集又小，
# 相差 0.1 上下说明不了什么。
#
# ## 7. 遗忘了什么
#
# 模型学会新任务的同时，可能丢掉原来会的东西，这叫*灾难性遗忘*。原来的本领是预测下一个词元，所以我们在留出的小镇文本上测量每字符比特数，
# 比较微调前后。这些分类器只用英文主题微调过。**先预测**：全量微调、LoRA、把 LoRA 矩阵拿掉，三者的顺序如何？中文又会怎样？

# %%
size = lab.pick(1500, 8000, 60_000)
held_texts = {
    language: [d.text for d in town.documents(language, split="test", seed=SEED, size_bytes=size)]
    for language in ("en", "zh")
}


def bits(model):
    return {language: shipped.bits_on(model, tokenizer, texts, 128) for language, texts in held_texts.items()}


# %% tags=["nbval-ignore-output"]
remembered = {"before": bits(gpt), "full": bits(tuned["full"].model), "LoRA": bits(tuned["LoRA"].model)}
finetuning.remove_lora(copy_of := copy.deepcopy(tuned["LoRA"].model))
remembered["LoRA removed"] = bits(copy_of)
for name, of in remembered.items():
    print(f"{name:12} bits per character: English {of['en']:.3f}, Chinese {of['zh']:.3f}")
assert remembered["LoRA removed"] == remembered["before"]

# %% [markdown] lang="en"
# Both methods cost bits, English far more than Chinese: nothing in the new task asks for the old skill. Training fewer
# numbers is no protection. LoRA, whose learning rate is ten times that of full fine-tuning, forgets no less here. But it
# keeps a way back that full fine-tuning does not have: take its matrices out, and the old model is there again, bit for
# bit. (Biderman et al. 2024 find that LoRA forgets less than full fine-tuning, at other sizes and rates.)
#
# ## 8. Texts that a person wrote
#
# All texts so far come from the town's generator, training and test alike. The gold set was written by hand, with the same
# labels, for evaluation only. Look at the difference between the two columns.

# %% [markdown] lang="zh"
# 两种方法都让比特数上升，英文升得远比中文多：新任务并不要求保留旧本领。训练的参数少，并不等于不会遗忘：这里 LoRA 的学习率是全量微调的十倍，
# 忘得一点也不少。但 LoRA 有一条退路，是全量微调没有的：拿掉它的矩阵，原来的模型就回来了，一个比特都不差。
# （Biderman 等（2024）在另外的规模和学习率下发现，LoRA 比全量微调忘得少。）
#
# ## 8. 人写的文本
#
# 到目前为止，训练和测试文本都出自小镇的生成器。评测集则由人逐篇写成，标签种类相同，只用于评测。请看两列之间的差别。

# %% tags=["nbval-ignore-output"]
gold = list(town.gold("en"))[: lab.pick(20, None, None)]
gold_accuracy = {}
for name in ways:
    gold_x, gold_y = encode(gold, "topic")
    gold_accuracy[name] = metrics.accuracy(finetuning.predict(tuned[name], gold_x), gold_y)
    print(f"topic, {name:13} generated {accuracy[name, few[-1]]:.3f}, by hand {gold_accuracy[name]:.3f}")
gold_x, gold_y = encode(gold, "sentiment")
reader = finetuning.SequenceClassifier(gpt, 3, tokenizer.pad_id, "last")
by_hand = metrics.accuracy(heads["sentiment"](finetuning.pooled_features(reader, gold_x)), gold_y)
print(f"sentiment, head      generated {mean_of['sentiment', label_counts[-1]]:.3f}, by hand {by_hand:.3f}")
constants = {task: max(encode(gold, task)[1].bincount()).item() / len(gold) for task in data}
print("constant answer, by hand:", {task: round(value, 3) for task, value in constants.items()})

# %% [markdown] lang="en"
# About half of what was gained is gone, and still those from the pre-trained weights stay above a constant answer. What a person writes differs from what
# the generator writes: other words, other turns, a mood that is not named. The figures by hand are the honest ones for the question "does it understand a text?"; those on generated texts say how well
# it knows the generator.
#
# ## 9. Break it
#
# Somebody fine-tunes the same model on the same 64 texts, and reports this. Nothing fails. Look at the three numbers
# before you go on: what is wrong, and with which figure from above do you notice it?

# %% [markdown] lang="zh"
# 提高的部分丢了大约一半，不过从预训练出发的都仍高于永远答同一类。人写的文本与生成的文本不一样：用词不同，说法不同，情绪也不直接点明。若要问“它到底懂不懂文本”，人写的文本上的数字才算数；
# 生成文本上的数字只说明它对生成器有多熟。
#
# ## 9. 找出故障
#
# 有人在同样的 64 篇文本上微调了同一个模型，报告如下。没有任何报错。先别往下看，盯着这三个数想一想：哪里不对？
# 要拿上面的哪个数来对照才看得出来？

# %% tags=["nbval-ignore-output"]
suspect = finetuning.SequenceClassifier(copy.deepcopy(gpt), 8, tokenizer.pad_id)
settings = finetuning.FineTuning("full", lab.pick(2, 30, 200), 8, 0.05, precision="auto")
history = finetuning.finetune(suspect, train_x[rows], train_y[rows], settings, SEED)
reached = metrics.accuracy(finetuning.predict(suspect, test_x), test_y)
print(f"first loss {history.train['loss'][0]:.3f}, last loss {np.mean(history.train['loss'][-8:]):.3f}")
print(f"accuracy {reached:.3f}")

# %% [markdown] lang="en"
# The first loss is $\ln 8 = 2.079$, as it should be for a head that starts at zero. The last is no better, or hardly,
# and the accuracy is no better than that of a constant answer, far lower than from scratch. So the pre-trained weights did not help at all.
# Are they still there? Ask the old skill.

# %% [markdown] lang="zh"
# 第一个损失是 $\ln 8 = 2.079$，分类头从零开始，本该如此。最后的损失却几乎没降，甚至还高一点；正确率也不比
# 永远答同一类高，更不如从零训练。可见预训练权重一点忙也没帮上。它们还在吗？用旧本领来检验。

# %% tags=["nbval-ignore-output"]
broken = bits(suspect.model)
for name, of in {"before": remembered["before"], "full": remembered["full"], "suspect": broken}.items():
    print(f"{name:8} bits per character, English: {of['en']:.2f}")
print(f"learning rates: full {ways['full'][2]}, suspect {settings.learning_rate}")
assert MODE == "smoke" or broken["en"] > remembered["full"]["en"]

# %% [markdown] lang="en"
# The learning rate is a hundred times too high: a few steps wiped out what the pre-training had written, and the rest trained
# from a worse place than random weights. A pre-trained model needs smaller steps than a new one. Three habits catch it:
# know the loss of a constant answer; keep *from scratch* as a baseline, since falling below it means that the start was
# lost; and measure the old skill.
#
# ## 10. What was measured
#
# The first rows have the baseline from scratch, the others a constant answer. The column *verdict* says *unclear* where
# the baseline lies inside the interval; rows without an interval have one seed, and say little by themselves. The
# five seeds are in the benchmark.

# %% [markdown] lang="zh"
# 学习率大了一百倍：头几步就把预训练学到的东西抹掉了，之后的训练是从比随机权重还差的地方开始的。预训练过的模型，步子要比新模型小。
# 三个习惯能发现这种毛病：记住“永远答同一类”的损失；始终拿*从零训练*作基线，比它还低，就说明起点丢了；再测一测旧本领。
#
# ## 10. 测量结果
#
# 前几行的基线是从零训练，其余是永远答同一类。*verdict* 一列中的 *unclear* 表示基线落在区间之内；没有区间的行只用了一个种子，
# 单独看说明不了多少。五个种子的结果见基准测试。


# %% tags=["nbval-ignore-output"]
def measure(metric, values, baseline, name, seeds=1):
    mean, *interval = metrics.mean_interval(values) if seeds > 1 else (values,)
    return results.Measure(metric, float(mean), baseline, name, True, seeds, tuple(interval) or None)


last = few[-1]
scratch = accuracy["from scratch", last]
results.report(
    measure(f"topic, full, {last} labels", accuracy["full", last], scratch, "from scratch"),
    measure(f"topic, LoRA, {last} labels", accuracy["LoRA", last], scratch, "from scratch"),
    measure(f"topic, head, {last} labels", head_only["topic", last], scratch, "from scratch", 3),
    measure(f"topic, head, {last} labels", head_only["topic", last], majority["topic"], "constant", 3),
    measure(
        f"sentiment, head, {last} labels", head_only["sentiment", last], majority["sentiment"], "constant", 3
    ),
    measure("topic by hand, full", gold_accuracy["full"], constants["topic"], "constant"),
)

# %% [markdown] lang="en"
# ## Summary
#
# - Self-supervision takes its labels from the data. Next token, masked tokens and denoising hide different parts; compare
#   them by a task that none was trained for, at the same budget.
# - A scaling curve describes the range in which it was measured. Leave a point out, print the residual, and do not trust
#   exponents from a factor of ten.
# - Pool over real tokens only. Padding must change nothing, on either side.
# - LoRA adds $\frac{\alpha}{r} B A$ to a frozen matrix. $B = 0$ at the start changes nothing; merged, it costs nothing.
# - With few labels, pre-training decides. Always keep *from scratch* and *a constant answer* as baselines.
# - Fine-tuning forgets. Only LoRA can be taken out again. Measure the old skill.
# - Evaluate on texts from another hand than the training texts.
#
# ## Further reading
#
# - J. Devlin, M.-W. Chang, K. Lee, K. Toutanova (2019), BERT: pre-training of deep bidirectional transformers for language
#   understanding. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805). Section 3.1: masked tokens.
# - C. Raffel et al. (2020), Exploring the limits of transfer learning with a unified text-to-text transformer.
#   [arXiv:1910.10683](https://arxiv.org/abs/1910.10683). Section 3: objectives compared.
# - J. Kaplan et al. (2020), Scaling laws for neural language models. [arXiv:2001.08361](https://arxiv.org/abs/2001.08361).
# - J. Hoffmann et al. (2022), Training compute-optimal large language models.
#   [arXiv:2203.15556](https://arxiv.org/abs/2203.15556).
# - E. Hu et al. (2021), LoRA: low-rank adaptation of large language models.
#   [arXiv:2106.09685](https://arxiv.org/abs/2106.09685).
# - J. Howard, S. Ruder (2018), Universal language model fine-tuning for text classification.
#   [arXiv:1801.06146](https://arxiv.org/abs/1801.06146).
# - D. Biderman et al. (2024), LoRA learns less and forgets less. [arXiv:2405.09673](https://arxiv.org/abs/2405.09673).

# %% [markdown] lang="zh"
# ## 小结
#
# - 自监督学习的标签来自数据本身。预测下一个词元、掩码、去噪，藏起来的部分各不相同；要比较它们，就用谁都没练过的任务、同样的预算。
# - 标度律曲线只描述它被测量过的范围。留出一个点来检验，打印残差，不要相信只跨十倍范围得到的指数。
# - 只对真实词元做池化。填充在哪一侧，都不能改变结果。
# - LoRA 给冻结的矩阵加上 $\frac{\alpha}{r} B A$。$B = 0$ 时起点不变；合并之后没有额外开销。
# - 标签很少时，预训练起决定作用。始终保留*从零训练*和*永远答同一类*两条基线。
# - 微调会遗忘，只有 LoRA 可以撤回。要测量旧本领。
# - 评测所用的文本，应当与训练文本出自不同的人。
#
# ## 延伸阅读
#
# - J. Devlin、M.-W. Chang、K. Lee、K. Toutanova（2019）：BERT: pre-training of deep bidirectional transformers for language
#   understanding。[arXiv:1810.04805](https://arxiv.org/abs/1810.04805)。3.1 节讲掩码词元。
# - C. Raffel 等（2020）：Exploring the limits of transfer learning with a unified text-to-text transformer。
#   [arXiv:1910.10683](https://arxiv.org/abs/1910.10683)。第 3 节比较各种目标。
# - J. Kaplan 等（2020）：Scaling laws for neural language models。[arXiv:2001.08361](https://arxiv.org/abs/2001.08361)。
# - J. Hoffmann 等（2022）：Training compute-optimal large language models。
#   [arXiv:2203.15556](https://arxiv.org/abs/2203.15556)。
# - E. Hu 等（2021）：LoRA: low-rank adaptation of large language models。
#   [arXiv:2106.09685](https://arxiv.org/abs/2106.09685)。
# - J. Howard、S. Ruder（2018）：Universal language model fine-tuning for text classification。
#   [arXiv:1801.06146](https://arxiv.org/abs/1801.06146)。
# - D. Biderman 等（2024）：LoRA learns less and forgets less。[arXiv:2405.09673](https://arxiv.org/abs/2405.09673)。
