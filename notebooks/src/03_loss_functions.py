# ---
# jupyter:
#   labkit:
#     number: "03"
#     title_en: Loss functions
#     title_zh: 损失函数
#     minutes: 100
# ---

# %% [markdown] lang="en"
# # 03 Loss functions
#
# A network learns by making one number small: its loss. This lesson takes the losses apart that large models are
# trained with.
#
# **After this lesson you can** compute mean squared error and cross-entropy by hand and in code; say which likelihood
# each of them stands for; derive their gradients and check them; say why a classifier is trained with cross-entropy;
# keep a loss finite; and read two figures that you meet in every report on large models, calibration and perplexity.
#
# **Time:** 100 minutes with the exercises. **Before you start:** lesson 02 (sigmoid and softmax), the derivative of a
# logarithm, and the chain rule.

# %% [markdown] lang="zh"
# # 03 损失函数
#
# 网络学习，就是想办法让一个数变小，这个数叫做损失。本课把训练大模型所用的损失函数逐个拆开来看。
#
# **学完本课，你能够**：手算均方误差和交叉熵，并写出代码；说明它们各自对应哪一种似然；推导并检验它们的梯度；
# 解释分类器为什么用交叉熵训练；让损失保持有限、不溢出；看懂大模型报告里常见的两个指标：校准误差和困惑度。
#
# **时间**：100 分钟（含练习）。**预备知识**：第 02 课（sigmoid 与 softmax）、对数的导数、链式法则。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import copy
import math

import numpy as np
import torch
from scipy.stats import norm
from torch import nn

from labkit import functions, metrics, plots, results, widgets
from labkit.checks import check, hint, solution
from labkit.common import set_seed, start
from labkit.data import load_digits
from labkit.training import ArrayBatches, SupervisedTask, fit

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. One number to be made small
#
# A picture shows the class 1 of the classes 0, 1, 2. Three models answer with three probabilities each. Look at the
# two judgements: right or wrong, and the loss. The loss is here minus the logarithm of the probability that the model
# gave to the true class.

# %% [markdown] lang="zh"
# ## 1. 让一个数变小
#
# 一张图片属于类别 1（类别共有 0、1、2 三个）。三个模型各自给出三个概率。请比较两种评价：对还是错，以及损失是多少。
# 这里的损失，是模型给正确类别的概率取对数再取负。

# %%
answers = {
    "sure and right": [0.02, 0.95, 0.03],
    "unsure": [0.30, 0.40, 0.30],
    "sure and wrong": [0.98, 0.01, 0.01],
}
true_class = 1
for name, p in answers.items():
    right = p.index(max(p)) == true_class
    print(f"{name:15} right: {right!s:5}  loss: {-math.log(p[true_class]):.4f}")

# %% [markdown] lang="en"
# Two models are right, but one of them hardly. Only the loss sees that, and it punishes the model that was sure and
# wrong. There is a second reason to train on a loss. Let a score $z$ for the true class rise from -4 to 4, against a
# score of 0 for one other class. Look at the slopes.

# %% [markdown] lang="zh"
# 有两个模型答对了，但其中一个只是勉强答对。只有损失看得出这个差别，它还会重罚“很自信却答错”的模型。
# 用损失来训练还有第二个理由。设正确类别的得分 $z$ 从 -4 升到 4，另一个类别的得分固定为 0。请看两条曲线的斜率。

# %%
z = torch.linspace(-4, 4, 201)
curves = {"loss": functions.softplus(-z), "accuracy": (z > 0).float()}
ax = plots.lines(z, curves, xlabel="score z of the true class", ylabel="value")
plots.show(ax, alt="The loss falls smoothly as z rises; the accuracy jumps from 0 to 1 at z = 0.")

score = torch.tensor(-2.0, requires_grad=True)
functions.softplus(-score).backward()
print(f"at z = -2: slope of the accuracy 0, slope of the loss {score.grad:.4f}")

# %% [markdown] lang="en"
# The accuracy is flat on both sides of its jump: its slope says nothing about which way to go. The loss has a slope
# everywhere. So we train on the loss, and report the accuracy.
#
# ## 2. Mean squared error
#
# For $n$ predictions $y_i$ and targets $t_i$:
#
# $$\mathrm{MSE} = \frac{1}{n} \sum_{i=1}^{n} (y_i - t_i)^2$$
#
# **By hand.** Predictions (2, 3), targets (1, 4). The errors are 1 and -1, their squares 1 and 1, the mean
# $(1 + 1) / 2 = 1$. The same in code; the last line holds both against labkit.

# %% [markdown] lang="zh"
# 正确率在跳变点两侧都是平的，斜率不会告诉我们该往哪边走；损失处处都有斜率。所以我们用损失来训练，用正确率来报告结果。
#
# ## 2. 均方误差
#
# 对 $n$ 个预测 $y_i$ 和目标 $t_i$：
#
# $$\mathrm{MSE} = \frac{1}{n} \sum_{i=1}^{n} (y_i - t_i)^2$$
#
# **手算**：预测为 (2, 3)，目标为 (1, 4)。误差是 1 和 -1，平方都是 1，平均值是 $(1 + 1) / 2 = 1$。
# 下面用代码再算一遍，最后一行与 labkit 的结果核对。

# %%
predictions, targets = torch.tensor([2.0, 3.0]), torch.tensor([1.0, 4.0])
squares = (predictions - targets) ** 2
loss = squares.sum() / len(squares)
print(f"squares {squares.tolist()}, MSE {loss:.4f}")
assert loss == 1.0 == functions.mse(predictions, targets)

# %% [markdown] lang="en"
# > **A misprint.** The article that this course grew out of prints 0.5 for this example. Where could 0.5 come from?
# > Some authors put a factor 1/2 in front so that the gradient becomes simpler, and *half* the mean squared error is
# > 0.5. Under the formula above it is 1.0. Check the definition first, then the arithmetic. Section 3 has a second one.
#
# **The gradient.** One prediction $y_i$ occurs in one term only, so
#
# $$\frac{\partial\,\mathrm{MSE}}{\partial y_i} = \frac{2}{n}\,(y_i - t_i)$$
#
# By hand: $\frac{2}{2} \cdot 1 = 1$ and $\frac{2}{2} \cdot (-1) = -1$. Autograd must agree. So must a step of
# $\varepsilon$ in both directions, which needs no calculus at all.

# %% [markdown] lang="zh"
# > **一处印刷错误**：本课程所依据的文章把这个例子的结果印成了 0.5。0.5 从何而来？有些作者会在前面加一个系数 1/2，好让梯度更简洁，
# > 那样算出来的*半*均方误差正好是 0.5。按上面的公式，结果是 1.0。核对时先看定义，再看计算。第 3 节还有一处。
#
# **梯度**：每个预测 $y_i$ 只出现在一项里，所以
#
# $$\frac{\partial\,\mathrm{MSE}}{\partial y_i} = \frac{2}{n}\,(y_i - t_i)$$
#
# 手算：$\frac{2}{2} \cdot 1 = 1$，$\frac{2}{2} \cdot (-1) = -1$。自动求导的结果必须与此一致；
# 把 $y_1$ 向两边各移动 $\varepsilon$ 的数值方法也必须一致，而这种方法完全不需要微积分。


# %%
def mse_gradient(predictions, targets):
    """Gradient of the mean squared error by the predictions."""
    return 2 / len(predictions) * (predictions - targets)


leaf = predictions.clone().requires_grad_()
(from_autograd,) = torch.autograd.grad(functions.mse(leaf, targets), leaf)
step = torch.tensor([0.01, 0.0])
numerical = (functions.mse(predictions + step, targets) - functions.mse(predictions - step, targets)) / 0.02

print(f"formula {mse_gradient(predictions, targets).tolist()}, autograd {from_autograd.tolist()}")
print(f"numerical, first component: {numerical:.4f}")
assert torch.equal(mse_gradient(predictions, targets), from_autograd)

# %% [markdown] lang="en"
# **What it assumes.** Suppose the target is the prediction plus noise from a normal distribution of standard deviation
# $\sigma$. The likelihood of the targets is a product; minus its logarithm, divided by $n$, is
#
# $$-\frac{1}{n} \log \prod_i \frac{1}{\sqrt{2\pi\sigma^2}}\, e^{-(t_i - y_i)^2 / 2\sigma^2}
#   = \underbrace{\tfrac{1}{2}\log(2\pi\sigma^2)}_{\text{constant}} + \frac{\mathrm{MSE}}{2\sigma^2}$$
#
# So the least MSE is the greatest likelihood. Five thermometers read the same room. We guess one temperature $\mu$ for
# all, with $\sigma = 1$. Look at where the two curves have their lowest point.

# %% [markdown] lang="zh"
# **它假设了什么**：设目标等于预测加上正态分布的噪声，标准差为 $\sigma$。全部目标的似然是一个连乘积，取对数、取负，再除以 $n$：
#
# $$-\frac{1}{n} \log \prod_i \frac{1}{\sqrt{2\pi\sigma^2}}\, e^{-(t_i - y_i)^2 / 2\sigma^2}
#   = \underbrace{\tfrac{1}{2}\log(2\pi\sigma^2)}_{\text{常数}} + \frac{\mathrm{MSE}}{2\sigma^2}$$
#
# 所以均方误差最小，就是似然最大。五支温度计测量同一个房间的温度，我们用一个温度 $\mu$ 去猜所有读数，取 $\sigma = 1$。
# 请看两条曲线的最低点在哪里。

# %%
readings = np.array([19.1, 20.3, 19.8, 20.6, 20.2])
guesses = np.linspace(18, 22, 401)
squared = ((readings - guesses[:, None]) ** 2).mean(axis=1)
nll = 0.5 * math.log(2 * math.pi) + squared / 2
ax = plots.lines(
    guesses, {"MSE": squared, "negative log-likelihood": nll}, xlabel="guess (°C)", ylabel="loss"
)
plots.show(ax, alt="Two parabolas over the guess; both are lowest at 20.0 degrees.")

print(f"lowest MSE at {guesses[squared.argmin()]:.2f}, lowest NLL at {guesses[nll.argmin()]:.2f}")
print(f"mean of the readings {readings.mean():.2f}, NLL there {nll.min():.4f}")
assert np.isclose(nll.min(), -norm.logpdf(readings, loc=20.0, scale=1.0).mean())

# %% [markdown] lang="en"
# Both are lowest at the mean, 20.00, and SciPy's normal density gives the same likelihood. A model trained with MSE
# learns the *mean* of the targets that go with an input, and it takes noise to be equally strong everywhere.
#
# ### Exercise 03.1: Mean squared error of each example (★☆☆, 5 minutes)
#
# Write the mean squared error of *each example*: predictions and targets are
# (B, D), the answer has the shape (B,). Think of the axis: which one runs over the examples?

# %% [markdown] lang="zh"
# 两条曲线都在平均值 20.00 处最低，用 SciPy 的正态密度算出的似然也相同。用均方误差训练的模型，学到的是同一输入所对应目标的*平均值*，
# 并且默认各处的噪声一样大。
#
# ### 练习 03.1：每个样本的均方误差（★☆☆，5 分钟）
#
# 写出*每个样本*的均方误差：预测和目标的形状都是 (B, D)，结果的形状是 (B,)。
# 想一想：哪个轴是样本轴？


# %% exercise="03.1"
def squared_errors(predictions, targets):
    """Mean squared error of each example: (B, D), (B, D) -> (B,)."""
    ### BEGIN SOLUTION
    return ((predictions - targets) ** 2).mean(dim=1)
    ### END SOLUTION


# %%
check("03.1", squared_errors)
# hint("03.1")
# solution("03.1")

# %% [markdown] lang="en"
# ## 3. Cross-entropy
#
# How surprising is an event? Call it $-\log p$: a certain event gives 0, a rare one a lot. With the natural logarithm
# the unit is the *nat*; with base 2 it is the bit, and 1 nat is 1.4427 bits. What does each factor of ten cost?

# %% [markdown] lang="zh"
# ## 3. 交叉熵
#
# 一件事有多出人意料？我们用 $-\log p$ 来衡量：必然的事是 0，罕见的事很大。用自然对数时单位叫*奈特*（nat），
# 以 2 为底时单位是比特，1 奈特等于 1.4427 比特。概率每缩小到十分之一，代价增加多少？

# %%
for p in (1.0, 0.5, 0.1, 0.01, 0.001):
    print(f"p = {p:<6} surprise {abs(math.log(p)):.4f} nats = {abs(math.log2(p)):.4f} bits")

# %% [markdown] lang="en"
# Each factor of ten costs $\ln 10 = 2.3026$ nats. Cross-entropy is the mean surprise: the model says $p$, but the
# classes come with the probabilities $q$ of the target.
#
# $$H(q, p) = -\sum_{k=1}^{K} q_k \log p_k$$
#
# **By hand.** Prediction $p = (0.9, 0.1)$, target $q = (0.1, 0.9)$:
#
# $$H = -(0.1 \ln 0.9 + 0.9 \ln 0.1) = 0.1 \cdot 0.1054 + 0.9 \cdot 2.3026 = 0.0105 + 2.0723 = 2.0829$$
#
# labkit and PyTorch take logits. The logarithms of probabilities are logits of just these probabilities.

# %% [markdown] lang="zh"
# 每缩小到十分之一，代价增加 $\ln 10 = 2.3026$ 奈特。交叉熵就是平均的意外程度：模型给出的概率是 $p$，而类别实际按目标分布 $q$ 出现。
#
# $$H(q, p) = -\sum_{k=1}^{K} q_k \log p_k$$
#
# **手算**：预测 $p = (0.9, 0.1)$，目标 $q = (0.1, 0.9)$：
#
# $$H = -(0.1 \ln 0.9 + 0.9 \ln 0.1) = 0.1 \cdot 0.1054 + 0.9 \cdot 2.3026 = 0.0105 + 2.0723 = 2.0829$$
#
# labkit 和 PyTorch 的交叉熵接收的是 logits。把概率取对数，就得到恰好对应这组概率的 logits。

# %%
p, q = torch.tensor([0.9, 0.1]), torch.tensor([0.1, 0.9])
by_hand = -(q * torch.log(p)).sum()
print(f"cross-entropy {by_hand:.4f}")
assert f"{by_hand:.4f}" == "2.0829"
assert torch.isclose(by_hand, functions.cross_entropy(torch.log(p), q))
assert torch.isclose(by_hand, nn.functional.cross_entropy(torch.log(p), q))

# %% [markdown] lang="en"
# > **The second misprint.** The same article prints 2.1972 here. Three ways to check such a figure, from the quickest:
# >
# > 1. **Bounds.** Cross-entropy is never below the entropy of the target, $H(q) = 0.3251$, and with the target's
# >    weights it lies between the least and the greatest surprise, 0.1054 and 2.3026. Both figures pass this test: a
# >    bound can refuse a figure, but not prove it.
# > 2. **By hand.** $2.1972 = 2 \ln 3 = \ln 9$. Nothing above gives a 9 alone. But $0.9 / 0.1 = 9$: this is the
# >    log-odds of 0.9, the answer to another question.
# > 3. **By code**, in two independent ways, as above.
#
# The next cell does the bounds and the log-odds. It also shows where the entropy comes in.

# %% [markdown] lang="zh"
# > **第二处印刷错误**：同一篇文章把这里的结果印成了 2.1972。检查这样的数字有三种办法，从最快的开始：
# >
# > 1. **看上下界**：交叉熵不会小于目标分布的熵 $H(q) = 0.3251$；它又是各类意外程度的加权平均，所以介于 0.1054 和 2.3026 之间。
# >    两个数都通过了这一关：上下界能否定一个数，却不能证明它。
# > 2. **手算**：$2.1972 = 2 \ln 3 = \ln 9$，而上面的式子里不会单独冒出一个 9。不过 $0.9 / 0.1 = 9$，所以它其实是 0.9 的对数几率，
# >    回答的是另一个问题。
# > 3. **写代码**：像上面那样，用两种互相独立的方法各算一遍。
#
# 下一个单元格计算上下界和对数几率，也让你看到熵出现在哪里。

# %%
entropy = -(q * torch.log(q)).sum()
divergence = functions.kl_divergence(q, p)
print(f"entropy of the target {entropy:.4f} + KL(q ‖ p) {divergence:.4f} = {entropy + divergence:.4f}")
print(f"log-odds of 0.9: ln(0.9 / 0.1) = {math.log(0.9 / 0.1):.4f}, 2 ln 3 = {2 * math.log(3):.4f}")
assert torch.isclose(entropy + divergence, by_hand)
assert entropy <= by_hand <= -torch.log(p.min())

# %% [markdown] lang="en"
# $H(q, p) = H(q) + \mathrm{KL}(q \,\|\, p)$. The entropy belongs to the data and cannot be trained away; training
# makes the second term small. For hard labels, where $q$ is 1 at one class, $H(q) = 0$.
#
# **What it assumes.** The label $t_i$ of each example is drawn with the probabilities that the model gives. The
# likelihood of all labels is the product $\prod_i p_i[t_i]$; minus its logarithm, divided by $n$, *is* the
# cross-entropy with hard labels. Why take the logarithm? Look at the product over 200 labels of probability 0.5.

# %% [markdown] lang="zh"
# $H(q, p) = H(q) + \mathrm{KL}(q \,\|\, p)$。熵属于数据本身，训练消除不了；训练能减小的是第二项。
# 如果标签是硬标签（$q$ 只在一个类别处为 1），则 $H(q) = 0$。
#
# **它假设了什么**：每个样本的标签 $t_i$ 按模型给出的概率抽取。全部标签的似然是连乘积 $\prod_i p_i[t_i]$，
# 取对数、取负，再除以 $n$，*就是*硬标签下的交叉熵。为什么要取对数？请看 200 个概率为 0.5 的标签连乘的结果。

# %%
half = torch.full((200,), 0.5)
print(f"product {half.prod():.4f}, sum of the logarithms {torch.log(half).sum():.4f}")

logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, -1.0]])
labels = torch.tensor([0, 1])
likelihood = torch.distributions.Categorical(logits=logits).log_prob(labels)
print(f"mean negative log-likelihood {-likelihood.mean():.4f}")
assert torch.isclose(-likelihood.mean(), functions.cross_entropy(logits, labels))

# %% [markdown] lang="en"
# The product, $2^{-200}$, is too small for float32 and becomes 0. The sum of the logarithms is an ordinary number. And
# PyTorch's categorical distribution agrees with the cross-entropy.
#
# **The gradient.** Put $p = \mathrm{softmax}(z)$ into the loss of one example with label $t$:
#
# $$L = -\log p_t = -z_t + \log \sum_j e^{z_j}
#   \qquad\Rightarrow\qquad \frac{\partial L}{\partial z_k} = -[k = t] + \frac{e^{z_k}}{\sum_j e^{z_j}} = p_k - q_k$$
#
# Probability minus target: it could hardly be simpler. By hand for $z = (0, 0)$, $t = 0$: $(0.5 - 1,\ 0.5 - 0)$.

# %% [markdown] lang="zh"
# 连乘积是 $2^{-200}$，小到 float32 存不下，变成了 0；对数之和却是一个普通的数。PyTorch 的类别分布给出的结果也与交叉熵一致。
#
# **梯度**：设某个样本的标签为 $t$，把 $p = \mathrm{softmax}(z)$ 代入它的损失：
#
# $$L = -\log p_t = -z_t + \log \sum_j e^{z_j}
#   \qquad\Rightarrow\qquad \frac{\partial L}{\partial z_k} = -[k = t] + \frac{e^{z_k}}{\sum_j e^{z_j}} = p_k - q_k$$
#
# 概率减目标，简单得不能再简单。取 $z = (0, 0)$、$t = 0$ 手算：梯度是 $(0.5 - 1,\ 0.5 - 0)$。

# %%
z = torch.tensor([2.0, 0.0, 1.0])
q = torch.tensor([1.0, 0.0, 0.0])
by_formula = functions.softmax(z) - q

leaf = z.clone().requires_grad_()
(from_autograd,) = torch.autograd.grad(nn.functional.cross_entropy(leaf, q), leaf)
print("formula ", [f"{g:.4f}" for g in by_formula])
print("autograd", [f"{g:.4f}" for g in from_autograd])
assert torch.allclose(by_formula, from_autograd)
assert abs(by_formula.sum()) < 1e-6

# %% [markdown] lang="en"
# The true class is pulled up (a negative gradient: the step goes against it), the others are pushed down, and the
# whole sums to 0. No component is ever outside $[-1, 1]$.
#
# ### Exercise 03.2: Cross-entropy from probabilities (★☆☆, 7 minutes)
#
# Cross-entropy from probabilities and soft targets, both (B, K), as a mean over the
# batch. Think of the sign, the base of the logarithm, and what is summed before what is averaged.

# %% [markdown] lang="zh"
# 正确类别被往上拉（梯度为负，更新沿梯度的反方向走），其余类别被往下压，所有分量之和为 0，而且任何分量都不会超出 $[-1, 1]$。
#
# ### 练习 03.2：由概率计算交叉熵（★☆☆，7 分钟）
#
# 由概率和软目标（形状都是 (B, K)）计算交叉熵，对整批取平均。
# 想一想：符号、对数的底，以及先对什么求和、再对什么取平均。


# %% exercise="03.2"
def cross_entropy_by_hand(predictions, targets):
    """Mean over the batch of -Σ target log(prediction), in nats: (B, K), (B, K) -> ()."""
    ### BEGIN SOLUTION
    return -(targets * torch.log(predictions)).sum(dim=1).mean()
    ### END SOLUTION


# %%
check("03.2", cross_entropy_by_hand)
# hint("03.2")
# solution("03.2")

# %% [markdown] lang="en"
# ### Exercise 03.3: Gradient of cross-entropy by the logits (★★☆, 8 minutes)
#
# The gradient of the *mean* cross-entropy by the logits, without autograd: logits
# (B, K) and class indices (B,) give (B, K). Think of the mean, and of the axis of the softmax.

# %% [markdown] lang="zh"
# ### 练习 03.3：交叉熵对 logits 的梯度（★★☆，8 分钟）
#
# 不用自动求导，写出*平均*交叉熵对 logits 的梯度：由 logits (B, K) 和类别编号 (B,) 得到 (B, K)。
# 想一想：平均会带来什么？softmax 沿哪个轴？


# %% exercise="03.3"
def cross_entropy_gradient(logits, targets):
    """Gradient of the mean cross-entropy by the logits: (B, K), (B,) -> (B, K)."""
    ### BEGIN SOLUTION
    gradient = torch.softmax(logits, dim=1)
    gradient[torch.arange(len(logits)), targets] -= 1
    return gradient / len(logits)
    ### END SOLUTION


# %%
check("03.3", cross_entropy_gradient)
# hint("03.3")
# solution("03.3")

# %% [markdown] lang="en"
# ## 4. Why cross-entropy and not squared error for classes
#
# The squared error of probabilities, $\sum_k (p_k - q_k)^2$, is an honest score too: it is lowest where $p = q$. In
# weather forecasting it is called the Brier score. So what is wrong with training on it? Take two classes, with
# $p = \sigma(z)$ the probability of the true one, and derive both slopes by $z$ with $\sigma' = \sigma(1 - \sigma)$:
#
# $$\frac{d}{dz}(-\log p) = p - 1 \qquad\qquad \frac{d}{dz}(1 - p)^2 = -2\,(1 - p) \cdot p\,(1 - p)$$
#
# **Predict first.** Let $p = 0.01$: the model is sure, and wrong. How many times stronger does cross-entropy push than
# squared error? Write your number down. Then move the slider to 0.01 and choose each loss in turn.

# %% [markdown] lang="zh"
# ## 4. 分类为什么用交叉熵，而不用平方误差
#
# 概率的平方误差 $\sum_k (p_k - q_k)^2$ 也是一个公正的评分：它在 $p = q$ 时最小，气象预报里叫做 Brier 评分。
# 那么，用它来训练有什么问题？设只有两个类别，正确类别的概率为 $p = \sigma(z)$，利用 $\sigma' = \sigma(1 - \sigma)$
# 求两种损失对 $z$ 的导数：
#
# $$\frac{d}{dz}(-\log p) = p - 1 \qquad\qquad \frac{d}{dz}(1 - p)^2 = -2\,(1 - p) \cdot p\,(1 - p)$$
#
# **先预测**：设 $p = 0.01$，也就是模型很自信，却错了。交叉熵的推力是平方误差的多少倍？先把你的答案写下来，
# 再把滑块移到 0.01，依次选择每种损失。

# %%
BINARY_LOSSES = {  # the loss, and its slope by the logit z, where p = σ(z) belongs to the true class
    "cross-entropy": (lambda p: -torch.log(p), lambda p: p - 1),
    "squared error": (lambda p: (1 - p) ** 2, lambda p: -2 * (1 - p) * p * (1 - p)),
    "absolute error": (lambda p: 1 - p, lambda p: -p * (1 - p)),
    "hinge": (
        lambda p: functions.relu(1 - torch.logit(p)),
        lambda p: -functions.relu_grad(1 - torch.logit(p)),
    ),
}
z = torch.tensor([-4.6, -1.0, 0.5, 2.2], dtype=torch.float64, requires_grad=True)
for name, (value, slope) in BINARY_LOSSES.items():
    p = functions.sigmoid(z)
    (from_autograd,) = torch.autograd.grad(value(p).sum(), z)
    assert torch.allclose(slope(p), from_autograd), name
print(f"slopes of {len(BINARY_LOSSES)} losses agree with autograd")

# %% [markdown] lang="en"
# The next cell draws the figure for one loss and one probability; the panel below it moves both.

# %% [markdown] lang="zh"
# 下一个单元格针对一种损失和一个概率画图，再下面的面板可以同时改变这两者。


# %%
def draw(loss, prediction):
    """A loss and its slope over the probability of the true class, with one point marked."""
    value, slope = BINARY_LOSSES[loss]
    p, grid = torch.tensor(prediction), torch.linspace(0.01, 0.99, 197)
    axes = plots.new_axes(7.2, 3.0, columns=2)
    for ax, f, label in zip(axes, (value, slope), ("loss", "gradient by the logit"), strict=True):
        plots.lines(grid, {loss: f(grid)}, xlabel="probability of the true class", ylabel=label, ax=ax)
        ax.plot(prediction, f(p), "o", color="black")
    return axes, f"p = {prediction:.2f}: loss = {value(p):.4f}, gradient = {slope(p):.4f} (by the logit)"


axes, text = draw("cross-entropy", 0.9)
plots.show(
    axes, alt="Cross-entropy falls from 4.6 to 0 as p rises; its gradient rises in a line from -1 to 0."
)
print(text)

# %% tags=["nbval-ignore-output"]
widgets.explorer(draw, loss=list(BINARY_LOSSES), prediction=(0.01, 0.99, 0.01, 0.9))

# %% [markdown] lang="en"
# At $p = 0.01$ the gradients are -0.9900 and -0.0196: cross-entropy pushes 50 times harder. Squared error is nearly
# silent just where the model is most wrong, because the slope of the sigmoid, $p(1-p)$, is a factor of its gradient.
# In cross-entropy the $1/p$ of the logarithm cancels it. For readers on paper, all four in one figure.

# %% [markdown] lang="zh"
# 当 $p = 0.01$ 时，两个梯度分别是 -0.9900 和 -0.0196，交叉熵的推力大约是 50 倍。模型错得最厉害的时候，平方误差几乎一声不吭，
# 因为它的梯度里有一个因子，就是 sigmoid 的斜率 $p(1-p)$；而在交叉熵里，对数求导带来的 $1/p$ 正好抵消了其中的 $p$。
# 为了方便看纸质版的读者，下面把四种损失画在同一张图里。

# %%
grid = torch.linspace(0.01, 0.99, 197)
strengths = {name: slope(grid).abs() for name, (_, slope) in BINARY_LOSSES.items()}
ax = plots.lines(
    grid, strengths, xlabel="probability of the true class", ylabel="size of the gradient by the logit"
)
plots.show(ax, alt="Only cross-entropy and hinge push with full strength where the true class has p near 0.")
for p in (0.01, 0.5, 0.9):
    row = {name: abs(float(slope(torch.tensor(p)))) for name, (_, slope) in BINARY_LOSSES.items()}
    print(f"p = {p:4}  " + "  ".join(f"{name} {size:.4f}" for name, size in row.items()))

# %% [markdown] lang="en"
# **Measured on real digits.** Does this matter in training? The same small network, the same images, the same
# batches; only the loss differs. To be fair, each loss gets the learning rate that suits it best. We keep 300 training
# images aside to choose it (validation), and touch the test images only for the final figures.

# %% [markdown] lang="zh"
# **在真实数字上测量**：这对训练真的有影响吗？同样的小网络、同样的图片、同样的批次，只有损失不同。为了公平，
# 每种损失都用最适合它的学习率。我们从训练图片中留出 300 张（验证集）来挑选学习率，测试图片只用于最后的结果。

# %%
SEEDS = range(SEED, SEED + lab.pick(2, 10, 20))
STEPS = lab.pick(20, 100, 100)


def cross_entropy(logits, targets):
    return functions.cross_entropy(logits, targets)


def squared_error(logits, targets):
    """Sum over the ten classes of (p - q)², mean over the batch: the Brier score."""
    p, q = functions.softmax(logits), functions.smooth_labels(targets, 10, 0.0)
    return ((p - q) ** 2).sum(dim=1).mean()


# %%
def split(seed):
    """1,137 digits to train, 300 to choose, 360 to test."""
    d = load_digits(seed)
    parts = {"train": slice(0, 1137), "validation": slice(1137, None)}
    return {k: (d.train_x[s], d.train_y[s]) for k, s in parts.items()} | {"test": (d.test_x, d.test_y)}


SPLITS = [split(seed) for seed in SEEDS]
print({part: len(labels) for part, (_, labels) in SPLITS[0].items()}, "in each of", len(SEEDS), "splits")


# %% [markdown] lang="en"
# Two starts. *Fresh*: random weights. *Confidently wrong*: a network that was trained on labels that are all one too
# high, 0 as 1 and so on, 9 as 0. This happens when two data sets with different label lists are joined. How sure is
# it, and how long is the gradient by the logits of an image, under each loss, now with the right labels?

# %% [markdown] lang="zh"
# 有两种起点。*全新*：权重是随机的。*自信但错误*：网络先用全部错一位的标签训练过，0 标成 1，依此类推，9 标成 0；
# 把两个标签编号不同的数据集合并时，就会出这种事。这个网络有多自信？换成正确的标签之后，两种损失对一张图片的 logits 的梯度各有多长？


# %%
def network(seed, hidden_size=32):
    set_seed(seed)
    return nn.Sequential(nn.Linear(64, hidden_size), nn.ReLU(), nn.Linear(hidden_size, 10))


def train(model, loss, rate, pictures, labels, steps, seed, evaluate=None):
    """SGD with a rate that falls to 0; returns the accuracies that ``evaluate`` found every 20 steps."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=steps)
    task = SupervisedTask(model, loss, optimizer, falling)
    batches = ArrayBatches(pictures, labels, batch_size=64, seed=seed)
    every = 20 if evaluate else 0
    history = fit(task, batches, steps, evaluate=evaluate, evaluate_every=every, progress=False)
    return [value for _, value in history.evaluations.get("accuracy", [])]


# %%
STARTS = {kind: [network(seed) for seed in SEEDS] for kind in ("fresh", "confidently wrong")}
for model, parts, seed in zip(STARTS["confidently wrong"], SPLITS, SEEDS, strict=True):
    pictures, labels = parts["train"]
    train(model, cross_entropy, 0.5, pictures, (labels + 1) % 10, 3 * STEPS, seed)

# %% tags=["nbval-ignore-output"]
for kind, models in STARTS.items():
    pictures, labels = SPLITS[0]["train"]
    logits = models[0](pictures).detach().requires_grad_()
    p = functions.softmax(logits)[torch.arange(len(labels)), labels]
    print(f"{kind}: median probability of the true digit {p.median():.5f}")
    for loss in (cross_entropy, squared_error):
        (gradient,) = torch.autograd.grad(loss(logits, labels) * len(labels), logits)
        length = gradient.norm(dim=1).median()
        print(f"  {loss.__name__:13} median length of an image's gradient {length:.4f}")

# %% [markdown] lang="en"
# From the fresh start, squared error pushes about five times less; a larger learning rate can make up for that. From the
# wrong start cross-entropy pushes harder, as it should, and squared error pushes *less than before*. Now the race:
# choose the learning rate on the validation images, then measure on the test images.

# %% [markdown] lang="zh"
# 从全新的起点出发，平方误差的推力大约是交叉熵的五分之一，加大学习率就能弥补。从错误的起点出发，交叉熵推得更用力了，这正是我们想要的；
# 平方误差却*比原来更弱*。现在开始比赛：先用验证集挑选学习率，再在测试集上测量。


# %%
def race(loss, rate, kind, run, part):
    """Accuracy on a part every 20 steps, from a copy of a start."""
    model = copy.deepcopy(STARTS[kind][run])
    pictures, labels = SPLITS[run][part]

    @torch.no_grad()
    def score():
        return {"accuracy": metrics.accuracy(model(pictures), labels)}

    return train(model, loss, rate, *SPLITS[run]["train"], STEPS, SEEDS[run], score)


RATES = lab.pick((1.0, 2.0), (0.25, 0.5, 1.0, 2.0, 4.0), (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0))
TUNING_RUNS = range(lab.pick(1, 3, 10))


def best_rate(loss, kind):
    """The rate with the highest validation accuracy after the last step, mean of some runs."""

    def score(rate):
        return np.mean([race(loss, rate, kind, i, "validation")[-1] for i in TUNING_RUNS])

    return max(RATES, key=score)


# %% tags=["nbval-ignore-output"]
curves = {}
for kind in STARTS:
    for loss in (cross_entropy, squared_error):
        rate = best_rate(loss, kind)
        runs = [race(loss, rate, kind, i, "test") for i in range(len(SEEDS))]
        curves[kind, loss.__name__] = np.array(runs)  # (seeds, evaluations)
        last = curves[kind, loss.__name__][:, -1]
        mean, low, high = metrics.mean_interval(last)
        print(f"{kind}, {loss.__name__}: rate {rate}, worst run {last.min():.3f}")
        print(f"    mean accuracy {mean:.3f} (95 % interval {low:.3f} to {high:.3f})")

# %% [markdown] lang="en"
# This is how far each came within the same number of steps. The figure shows the way there from the wrong start. Below
# it stands the difference between the two losses, run by run, with its interval.

# %% [markdown] lang="zh"
# 上面是同样步数之内各自达到的正确率。下图画出从错误的起点出发的全过程，图下是逐次相减得到的两种损失之差及其置信区间。

# %% tags=["nbval-ignore-output"]
ax = plots.new_axes()
for index, name in enumerate(("cross_entropy", "squared_error")):
    for number, run in enumerate(curves["confidently wrong", name]):
        steps = [20 * (i + 1) for i in range(len(run))]
        label = name.replace("_", " ") if number == 0 else None
        ax.plot(steps, run, color=plots.COLORS[index], linestyle=plots.DASHES[index], label=label)
ax.set_ylim(0, 1)
plots.finish(ax, "training steps", "test accuracy", "confidently wrong start, one line a run")
plots.show(ax, alt="Cross-entropy recovers quickly in every run; squared error is slower and scattered.")

for kind in STARTS:
    ahead = (curves[kind, "cross_entropy"] - curves[kind, "squared_error"])[:, -1]
    mean, low, high = metrics.mean_interval(ahead)
    print(f"{kind}: cross-entropy is ahead by {mean:.3f} (95 % interval {low:.3f} to {high:.3f})")
assert MODE == "smoke" or mean > 0

# %% [markdown] lang="en"
# Read this honestly. From a fresh start, with a learning rate of its own, squared error does as well on this easy task,
# or nearly. It falls behind where the model is sure and wrong, and there a larger learning rate mends only a part: the
# rate that wakes the silent images is too large for the others. Look for a run that stays at 0.1, which is chance: a step
# too large made the network sure of one digit for all images, and squared error does not push it out again. Squared
# error of the *logits*, without a softmax, is another loss, and Hui and Belkin (see the end) found it competitive.
#
# ## 5. Numbers that break
#
# Formulas are exact; float32 is not. It ends near $3.4 \cdot 10^{38}$, so $e^z$ is infinite from $z = 89$. Look at what
# the formula of softmax makes of the scores 100 and 0, and what becomes of the gradient.

# %% [markdown] lang="zh"
# 对结果要实事求是：从全新的起点出发、用各自合适的学习率，在这个简单任务上平方误差几乎不输。它落后的地方，是模型很自信却错了的时候，
# 这时加大学习率也只能补救一部分：足以唤醒那些“沉默”图片的学习率，对其余图片来说又太大了。看看有没有一直停在 0.1（也就是瞎猜）的曲线：
# 某一步走得太大，网络对所有图片都一口咬定是同一个数字，而平方误差再也推不动它。另外，不经过 softmax、直接对 *logits* 求平方误差，
# 是另一种损失，Hui 和 Belkin（见文末）发现它可以与交叉熵相当。
#
# ## 5. 数值稳定性
#
# 公式是精确的，float32 不是。它的上限约为 $3.4 \cdot 10^{38}$，所以从 $z = 89$ 起 $e^z$ 就是无穷大。
# 请看：照 softmax 的公式计算得分 100 和 0，会得到什么？梯度又会怎样？


# %%
def naive_cross_entropy(logits, target):
    """As the formula stands: softmax, then the logarithm."""
    e = torch.exp(logits)
    return -torch.log(e / e.sum())[target]


print(f"e^88 = {torch.exp(torch.tensor(88.0)):.3g}, e^89 = {torch.exp(torch.tensor(89.0))}")
for scores in ([2.0, 0.0], [100.0, 0.0], [-110.0, 0.0]):
    leaf = torch.tensor(scores, requires_grad=True)
    loss = naive_cross_entropy(leaf, 0)
    (gradient,) = torch.autograd.grad(loss, leaf)
    print(f"scores {scores}: loss {loss:.4f}, gradient {[round(g, 4) for g in gradient.tolist()]}")

# %% [markdown] lang="en"
# Ordinary scores work. With 100 the quotient is $\infty / \infty$, not a number. With -110 the probability is rounded
# to 0, and $\log 0 = -\infty$. Either way the gradient is `nan`, and one such step turns every weight into `nan`.
#
# A common patch keeps the probability away from 0. What does the patch do to the loss, and to the gradient?

# %% [markdown] lang="zh"
# 普通的得分没有问题。得分为 100 时出现 $\infty / \infty$，结果不是数；得分为 -110 时概率被舍入成 0，而 $\log 0 = -\infty$。
# 无论哪种情况，梯度都是 `nan`，只要更新一步，所有权重都会变成 `nan`。
#
# 一种常见的补丁是不让概率等于 0。打上补丁之后，损失怎样？梯度又怎样？

# %%
leaf = torch.tensor([-50.0, 0.0], requires_grad=True)
p = functions.softmax(leaf)
patched = -torch.log(p[0].clamp(min=1e-7))
(gradient,) = torch.autograd.grad(patched, leaf)
print(f"true loss 50, patched loss {patched:.4f}, gradient {gradient.tolist()}")

# %% [markdown] lang="en"
# The loss is finite, but wrong, and the gradient is exactly 0: the example that the model gets most wrong teaches it
# nothing. The patch hides the fault. The cure is to change the formula. For any number $m$:
#
# $$\log \sum_j e^{z_j} = \log \Big(e^{m} \sum_j e^{z_j - m}\Big) = m + \log \sum_j e^{z_j - m}$$
#
# Take $m = \max_j z_j$. Then every exponent is at most 0, so nothing overflows; and one of them is 0, so the sum is at
# least 1 and its logarithm is finite. This is called *log-sum-exp*. By hand for (100, 0): $100 + \log(1 + e^{-100})$,
# which is 100, so the loss of class 0 is 0 and that of class 1 is 100.

# %% [markdown] lang="zh"
# 损失有限了，但是错的；梯度恰好是 0，也就是说，模型错得最离谱的样本什么也教不了它。补丁只是把毛病藏了起来。
# 真正的办法是改写公式。对任意的 $m$：
#
# $$\log \sum_j e^{z_j} = \log \Big(e^{m} \sum_j e^{z_j - m}\Big) = m + \log \sum_j e^{z_j - m}$$
#
# 取 $m = \max_j z_j$。这样所有指数都不大于 0，不会上溢；其中一个恰好是 0，所以和至少为 1，对数也有限。
# 这个写法叫做 *log-sum-exp*。取 (100, 0) 手算：$100 + \log(1 + e^{-100})$，也就是 100，所以类别 0 的损失是 0，类别 1 的损失是 100。


# %%
def stable_cross_entropy(logits, target):
    """log-sum-exp minus the true class's logit; no probability is formed."""
    m = logits.max()
    return m + torch.log(torch.exp(logits - m).sum()) - logits[target]


for scores in ([2.0, 0.0], [100.0, 0.0], [-110.0, 0.0], [-1e4, 1e4]):
    leaf = torch.tensor(scores, requires_grad=True)
    loss = stable_cross_entropy(leaf, 0)
    (gradient,) = torch.autograd.grad(loss, leaf)
    print(f"scores {scores}: loss {loss:.4f}, gradient {[round(g, 4) for g in gradient.tolist()]}")
    assert torch.isclose(loss, functions.cross_entropy(leaf, torch.tensor(0)))

# %% [markdown] lang="en"
# Now all four are right, and the wrong answers get the full gradient of -1. This is why libraries want *logits*, not
# probabilities: once the probability has been rounded, nothing brings it back. The same holds for two classes:
# `binary_cross_entropy_with_logits`, and not sigmoid followed by a logarithm.

# %% [markdown] lang="zh"
# 现在四组都对了，答错的样本也得到了完整的梯度 -1。这就是各种库要你传入 *logits* 而不是概率的原因：概率一旦被舍入，就再也找不回来了。
# 两个类别时也一样：用 `binary_cross_entropy_with_logits`，而不是先 sigmoid 再取对数。

# %%
z, t = torch.tensor([-120.0]), torch.tensor([1.0])
naive = -torch.log(1 / (1 + torch.exp(-z)))
stable = functions.binary_cross_entropy_with_logits(z, t)
print(f"naive {naive.item()}, with logits {stable:.4f}")
assert torch.isclose(stable, nn.functional.binary_cross_entropy_with_logits(z, t))

# %% [markdown] lang="en"
# ### Exercise 03.4: A log-sum-exp that does not overflow (★★☆, 8 minutes)
#
# Write log-sum-exp for a batch: (B, K) gives (B,). It must hold for scores of 1,000
# and of -1,000, in the same batch. Do not call `torch.logsumexp`. Think of whose maximum you subtract.

# %% [markdown] lang="zh"
# ### 练习 03.4：不会溢出的 log-sum-exp（★★☆，8 分钟）
#
# 为一批样本写出 log-sum-exp：由 (B, K) 得到 (B,)。即使同一批里既有 1000 又有 -1000 的得分，也要算对。
# 不要调用 `torch.logsumexp`。想一想：减去的应当是谁的最大值？


# %% exercise="03.4"
def log_sum_exp(logits):
    """log Σ_k e^logit_k of each row, without overflow: (B, K) -> (B,)."""
    ### BEGIN SOLUTION
    m = logits.amax(dim=1, keepdim=True)  # (B, 1)
    return m.squeeze(1) + torch.log(torch.exp(logits - m).sum(dim=1))
    ### END SOLUTION


# %%
check("03.4", log_sum_exp)
# hint("03.4")
# solution("03.4")

# %% [markdown] lang="en"
# ## 6. The relatives
#
# **Absolute error and Huber.** One thermometer is broken and reads 40. Which single guess does each loss prefer? The
# mean absolute error (MAE) adds $|e|$; Huber's loss is $e^2/2$ up to $|e| = \delta$ and a straight line beyond. Predict
# which guess moves most.

# %% [markdown] lang="zh"
# ## 6. 其他常用的损失
#
# **绝对误差与 Huber 损失**：有一支温度计坏了，读数是 40。如果只能猜一个温度，每种损失各偏向哪个值？平均绝对误差（MAE）累加的是 $|e|$；
# Huber 损失在 $|e| \le \delta$ 时是 $e^2/2$，超出之后是直线。先预测一下：哪个猜测值变动最大？

# %%
with_fault = torch.tensor([19.1, 20.3, 19.8, 20.6, 40.0], dtype=torch.float64)
guesses = torch.linspace(15, 30, 1501, dtype=torch.float64)
regression = {"MSE": functions.mse, "MAE": functions.mae, "Huber": functions.huber}
for name, loss in regression.items():
    values = torch.stack([loss(guess.expand(5), with_fault) for guess in guesses])
    print(f"{name:5} prefers {guesses[values.argmin()]:.2f}")
print(f"mean {with_fault.mean():.2f}, median {with_fault.median():.2f}")

# %% [markdown] lang="en"
# MSE follows the broken thermometer to the mean, 23.96, where no reading is near. MAE stays at the median, 20.30. Huber
# takes 20.23, the mean of the three middle readings. The reason is in the slopes: beyond $\delta$ an error of 20 pulls
# no harder than an error of 1, so that the lowest and the highest reading cancel.
#
# **Hinge.** For a label $t = \pm 1$ and a score $s$, hinge is $\max(0, 1 - ts)$. It stops caring once the *margin* $ts$
# is 1; cross-entropy, here $\log(1 + e^{-ts})$, never stops quite. Left the losses of an error, right those of a margin.

# %% [markdown] lang="zh"
# MSE 被坏温度计拉到了平均值 23.96，而那附近一个读数也没有；MAE 留在中位数 20.30；Huber 选了 20.23，也就是中间三个读数的平均。
# 原因在于斜率：超过 $\delta$ 之后，大小为 20 的误差并不比大小为 1 的误差拉得更用力，于是最低和最高的读数互相抵消了。
#
# **Hinge 损失**（合页损失）：标签 $t = \pm 1$，得分为 $s$，损失为 $\max(0, 1 - ts)$。只要*间隔* $ts$ 达到 1，它就不再过问；
# 交叉熵在这里是 $\log(1 + e^{-ts})$，永远不会完全罢休。左图是关于误差的损失，右图是关于间隔的损失。

# %%
axes = plots.new_axes(7.6, 3.2, columns=2)
error, margin = torch.linspace(-3, 3, 301), torch.linspace(-3, 3, 301)
zero, one = torch.zeros(301), torch.ones(301)
errors = {name: loss(error, zero, reduction="none") for name, loss in regression.items()}
plots.lines(error, errors, xlabel="error y - t", ylabel="loss", ax=axes[0])
margins = {
    "hinge": functions.hinge(margin, one, reduction="none"),
    "cross-entropy": functions.binary_cross_entropy_with_logits(margin, one, reduction="none"),
}
plots.lines(margin, margins, xlabel="margin t · s", ylabel="loss", ax=axes[1])
plots.show(
    axes, alt="Left: MSE grows fastest, MAE and Huber become straight. Right: hinge is 0 from margin 1."
)
print("error 3: ", {name: f"{float(values[-1]):.4f}" for name, values in errors.items()})
print("margin 2:", {name: f"{float(values[250]):.4f}" for name, values in margins.items()})

# %% [markdown] lang="en"
# An error of 3 costs 9 in MSE, 3 in MAE and 2.5 in Huber. At margin 2 hinge is 0 and cross-entropy is still 0.1269.
#
# **KL divergence** measures how far $p$ is from $q$: $\mathrm{KL}(p\,\|\,q) = \sum_k p_k \log (p_k / q_k)$. It is the
# surprise that you could have saved. By hand for $p = (0.5, 0.5)$, $q = (0.9, 0.1)$:
# $0.5 \ln \frac{0.5}{0.9} + 0.5 \ln \frac{0.5}{0.1} = -0.2939 + 0.8047 = 0.5108$. Is it the same the other way round?

# %% [markdown] lang="zh"
# 误差为 3 时，MSE 是 9，MAE 是 3，Huber 是 2.5。间隔为 2 时，hinge 是 0，交叉熵还有 0.1269。
#
# **KL 散度**衡量 $p$ 与 $q$ 相差多远：$\mathrm{KL}(p\,\|\,q) = \sum_k p_k \log (p_k / q_k)$，也就是本可以省下的那部分意外。
# 取 $p = (0.5, 0.5)$、$q = (0.9, 0.1)$ 手算：
# $0.5 \ln \frac{0.5}{0.9} + 0.5 \ln \frac{0.5}{0.1} = -0.2939 + 0.8047 = 0.5108$。交换 $p$ 和 $q$，结果一样吗？

# %%
p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])
by_hand = (p * torch.log(p / q)).sum()
assert torch.isclose(by_hand, functions.kl_divergence(p, q))
print(f"KL(p ‖ q) = {by_hand:.4f}, KL(q ‖ p) = {functions.kl_divergence(q, p):.4f}")

# %% [markdown] lang="en"
# No: 0.5108 and 0.3681. KL is not a distance, and the order of the arguments matters.
#
# **InfoNCE** brings matching pairs together, a picture and its caption for example. Row $i$ of $a$ belongs to row $i$
# of $b$. The cosines $s_{ij}$, divided by a temperature $\tau$, are the logits of a classification: which $b_j$ belongs
# to $a_i$? The loss is its cross-entropy. A model that knows nothing pays $\log B$. Look at the diagonal.

# %% [markdown] lang="zh"
# 不一样：一个是 0.5108，一个是 0.3681。KL 不是距离，参数的先后顺序很重要。
#
# **InfoNCE** 把成对的东西拉到一起，例如图片和它的说明文字。$a$ 的第 $i$ 行与 $b$ 的第 $i$ 行是一对。余弦相似度 $s_{ij}$
# 除以温度 $\tau$，当作一个分类问题的 logits：哪个 $b_j$ 与 $a_i$ 配对？它的交叉熵就是损失。一无所知的模型要付出 $\log B$。请看对角线。

# %%
generator = torch.Generator().manual_seed(0)
a = torch.randn(6, 16, generator=generator)
b = a + 0.8 * torch.randn(6, 16, generator=generator)  # what belongs together is alike, not equal
cosines = nn.functional.normalize(a, dim=1) @ nn.functional.normalize(b, dim=1).T
rounded = (10 * cosines).round() / 10 + 0.0  # + 0.0 turns -0.0 into 0.0
ax = plots.heatmap(rounded, xlabel="row of b", ylabel="row of a", digits=1)
plots.show(ax, alt="Six by six cosines; the diagonal is dark, 0.6 and more, and the rest is light.")

by_hand = functions.cross_entropy(cosines / 0.1, torch.arange(6))
assert torch.isclose(by_hand, functions.info_nce(a, b, temperature=0.1), rtol=1e-4)
shifted = functions.info_nce(a, b.roll(1, 0))
print(f"matched {by_hand:.2f}, shifted by one {shifted:.2f}, log 6 = {math.log(6):.2f}")

# %% [markdown] lang="en"
# Matched pairs cost almost nothing. Pairs that are shifted by one cost far more than $\log 6$: sure and wrong again.
#
# ### Exercise 03.5: KL divergence, also where p is 0 (★★☆, 8 minutes)
#
# $\mathrm{KL}(p\,\|\,q)$ of two probability vectors, where $p$ may hold zeros. Think
# of the limit of $x \log x$ for $x \to 0$, and of what the computer finds for $0 \cdot \log 0$.

# %% [markdown] lang="zh"
# 配对正确时损失几乎为零；整体错开一位之后，损失远大于 $\log 6$：又是“自信但错误”。
#
# ### 练习 03.5：KL 散度（允许 p 为 0）（★★☆，8 分钟）
#
# 计算两个概率向量的 $\mathrm{KL}(p\,\|\,q)$，其中 $p$ 可以含有 0。
# 想一想：$x \to 0$ 时 $x \log x$ 的极限是多少？计算机算 $0 \cdot \log 0$ 又会得到什么？


# %% exercise="03.5"
def kl(p, q):
    """Σ p log(p / q) in nats; classes with p = 0 add nothing: (K,), (K,) -> ()."""
    ### BEGIN SOLUTION
    some = p > 0
    return (p[some] * torch.log(p[some] / q[some])).sum()
    ### END SOLUTION


# %%
check("03.5", kl)
# hint("03.5")
# solution("03.5")

# %% [markdown] lang="en"
# ## 7. Label smoothing and calibration
#
# Hard labels ask for the impossible: $p_t = 1$ needs an infinite logit, so cross-entropy goes on pulling for ever.
# *Label smoothing* asks for less. With $K$ classes and $\varepsilon = 0.1$ the target is
#
# $$q_k = (1 - \varepsilon)\,[k = t] + \varepsilon / K$$
#
# By hand for $K = 10$: $0.9 + 0.01 = 0.91$ at the true class and $0.01$ elsewhere. The lowest possible loss is now the
# entropy of $q$, at a gap between the logits of $\ln (0.91 / 0.01) = 4.51$, not at infinity.

# %% [markdown] lang="zh"
# ## 7. 标签平滑与校准
#
# 硬标签的要求无法达到：$p_t = 1$ 需要无穷大的 logit，所以交叉熵会永远拉下去。*标签平滑*把要求放低一些。
# 设有 $K$ 个类别，$\varepsilon = 0.1$，目标变成
#
# $$q_k = (1 - \varepsilon)\,[k = t] + \varepsilon / K$$
#
# 取 $K = 10$ 手算：正确类别处是 $0.9 + 0.01 = 0.91$，其余各处是 $0.01$。此时损失的最小值等于 $q$ 的熵，
# 在 logit 之差等于 $\ln (0.91 / 0.01) = 4.51$ 处达到，而不在无穷远处。

# %%
q = functions.smooth_labels(torch.tensor([3]), num_classes=10, smoothing=0.1)
print("smoothed label:", [f"{value:.2f}" for value in q[0]])

gaps = torch.linspace(0, 12, 1201)
logits = gaps[:, None] * (torch.arange(10) == 3)  # the true class leads by the gap
labels = torch.full((1201,), 3)
hard = functions.cross_entropy(logits, labels, reduction="none")
smooth = functions.cross_entropy(logits, labels, label_smoothing=0.1, reduction="none")
assert torch.allclose(smooth.mean(), nn.functional.cross_entropy(logits, labels, label_smoothing=0.1))
ax = plots.lines(gaps, {"hard": hard, "smoothed": smooth}, xlabel="lead of the true logit", ylabel="loss")
plots.show(ax, alt="The hard loss keeps falling towards 0; the smoothed loss is lowest at 4.51, then rises.")
print(f"smoothed: lowest {smooth.min():.4f} at a lead of {gaps[smooth.argmin()]:.2f}")
print(f"entropy of the smoothed label {-(q * torch.log(q)).sum():.4f}; hard loss at 12: {hard[-1]:.6f}")

# %% [markdown] lang="en"
# **Calibration.** A model that says "90 % sure" should be right in 90 % of such cases. Group the predictions by their
# confidence (the greatest probability) into bins, and compare the mean confidence with the accuracy in each. The
# *expected calibration error* is the mean gap, weighted with the number of predictions $n_b$:
#
# $$\mathrm{ECE} = \sum_b \frac{n_b}{n}\, \lvert \mathrm{accuracy}_b - \mathrm{confidence}_b \rvert$$
#
# By hand: confidences 0.9, 0.8, 0.9, 0.6; right: yes, no, yes, yes; bins of width 0.25. The last bin holds three, with
# mean confidence 0.8667 and accuracy 0.6667: gap 0.2. The bin before holds one, 0.6 against 1: gap 0.4.
# $\mathrm{ECE} = \frac{3}{4} \cdot 0.2 + \frac{1}{4} \cdot 0.4 = 0.25$.

# %% [markdown] lang="zh"
# **校准**：模型说“有九成把握”，那么这样的回答就应当有 90% 是对的。把预测按置信度（最大的概率）分箱，
# 在每个分箱里比较平均置信度和正确率。*期望校准误差*（expected calibration error，ECE）是差距的加权平均，权重是箱内预测数 $n_b$ 所占的比例：
#
# $$\mathrm{ECE} = \sum_b \frac{n_b}{n}\, \lvert \mathrm{accuracy}_b - \mathrm{confidence}_b \rvert$$
#
# 手算：置信度为 0.9、0.8、0.9、0.6，结果为对、错、对、对，箱宽 0.25。最后一个分箱有三个预测，平均置信度 0.8667，正确率 0.6667，差距 0.2；
# 前一个分箱只有一个预测，0.6 对 1，差距 0.4。$\mathrm{ECE} = \frac{3}{4} \cdot 0.2 + \frac{1}{4} \cdot 0.4 = 0.25$。

# %%
confidence = torch.tensor([0.9, 0.8, 0.9, 0.6])
probabilities = torch.stack([confidence, 1 - confidence], dim=1)  # every prediction is class 0
answers = torch.tensor([0, 1, 0, 0])
error = metrics.expected_calibration_error(probabilities, answers, bins=4)
print(f"expected calibration error {error:.4f}")
assert math.isclose(error, 0.25, abs_tol=1e-6)

# %% [markdown] lang="en"
# **On the digits.** Few images, trained until the network knows them by heart: 150 digits, all in one batch, with Adam.
# Another 150 are kept to tune with, and 1,497 to test. Each network is trained twice: with hard labels, and with
# $\varepsilon = 0.1$. Is the network as often right as it is sure?

# %% [markdown] lang="zh"
# **在数字上测量**：只用很少的图片，一直训练到网络把它们背下来。训练用 150 张数字，每步都以全部图片为一批，优化器是 Adam。
# 另外 150 张用来调参，1,497 张用来测试。每个网络训练两次：一次用硬标签，一次用 $\varepsilon = 0.1$。
# 网络的把握和它的正确率相符吗？


# %%
def train_on_few(seed, smoothing):
    """Logits and labels of the 150 validation and the 1,497 test digits, after training on 150."""
    d = load_digits(seed, test_size=1497)
    model = network(seed, hidden_size=128)

    def loss(logits, targets):
        return functions.cross_entropy(logits, targets, label_smoothing=smoothing)

    task = SupervisedTask(model, loss, torch.optim.Adam(model.parameters(), lr=0.01))
    batches = ArrayBatches(d.train_x[:150], d.train_y[:150], batch_size=150, seed=seed)
    fit(task, batches, lab.pick(20, 300, 300), progress=False)
    return task.predict(d.train_x[150:]), d.train_y[150:], task.predict(d.test_x), d.test_y


# %% tags=["nbval-ignore-output"]
few = {smoothing: [train_on_few(seed, smoothing) for seed in SEEDS] for smoothing in (0.0, 0.1)}
for smoothing, runs in few.items():
    tests = [(functions.softmax(logits), labels) for _, _, logits, labels in runs]
    right = np.mean([metrics.accuracy(p, labels) for p, labels in tests])
    sure = np.mean([float(p.max(dim=1).values.mean()) for p, _ in tests])
    error = np.mean([metrics.expected_calibration_error(p, labels) for p, labels in tests])
    print(f"smoothing {smoothing}: accuracy {right:.3f}, mean confidence {sure:.3f}, ECE {error:.4f}")

# %% [markdown] lang="en"
# With hard labels the mean confidence is above the accuracy: the network is overconfident. With smoothing it is far too
# modest, and its calibration error is larger, not smaller. Smoothing pulls every confidence down towards 0.91, and here
# it pulls too far. Where smoothing was found to improve calibration (Müller, Kornblith and Hinton 2019), the networks
# were large and much too sure.
#
# *Temperature scaling* mends both. Divide all logits by one number $T$, chosen on the validation images so that
# their cross-entropy is lowest. (The training images would not do: the network knows them by heart, and is right to be
# sure of them.) $T > 1$ makes the model humbler, $T < 1$ bolder. The order of the classes stays, and so does the
# accuracy.

# %% [markdown] lang="zh"
# 用硬标签时，平均置信度高于正确率，也就是过于自信；用标签平滑时，它又太谦虚了，校准误差不降反升。平滑把每个置信度都往下拉，拉向 0.91，
# 在这里拉过了头。文献中“平滑能改善校准”的结论（Müller、Kornblith 和 Hinton，2019），针对的是规模大、而且过于自信的网络。
#
# *温度缩放*对两种情况都有效：把全部 logits 除以同一个数 $T$，用验证集挑选 $T$，使那里的交叉熵最小。
# （不能用训练集来挑：网络已经把它背下来了，在那里自信是应该的。）$T > 1$ 让模型更谦虚，$T < 1$ 让模型更大胆。
# 类别的排序不变，所以正确率也不变。


# %%
def best_temperature(logits, targets):
    """The T of a grid from 0.1 to 10 with the lowest cross-entropy of logits / T."""
    grid = torch.logspace(-1, 1, 201)
    return float(grid[torch.stack([functions.cross_entropy(logits / T, targets) for T in grid]).argmin()])


def calibration(run):
    """(temperature, ECE before, ECE after) of one run, the errors on the test images."""
    logits, targets, test_logits, test_targets = run
    T = best_temperature(logits, targets)
    before, after = functions.softmax(test_logits), functions.softmax(test_logits / T)
    assert metrics.accuracy(before, test_targets) == metrics.accuracy(after, test_targets)
    return T, *(metrics.expected_calibration_error(p, test_targets) for p in (before, after))


# %% tags=["nbval-ignore-output"]
calibrated = {smoothing: np.array([calibration(run) for run in runs]) for smoothing, runs in few.items()}
for smoothing, rows in calibrated.items():
    T, before, after = rows.mean(axis=0)
    mean, low, high = metrics.mean_interval(rows[:, 1] - rows[:, 2])
    print(f"smoothing {smoothing}: T = {T:.2f}, ECE {before:.4f} -> {after:.4f}")
    print(f"    gain {mean:.4f} (95 % interval {low:.4f} to {high:.4f})")

# %% [markdown] lang="en"
# $T$ is above 1 for the overconfident network and below 1 for the smoothed one; after scaling both are about equally
# well calibrated. If an interval held 0, these seeds would be too few to be sure of the gain. The *reliability diagram*
# shows one run, with hard labels: on the diagonal the confidence is what it says.

# %% [markdown] lang="zh"
# 对过于自信的网络，$T$ 大于 1；对标签平滑的网络，$T$ 小于 1；缩放之后，两者的校准程度差不多。如果区间包含 0，
# 就说明这些种子还不足以断定确有改善。下面的*可靠性图*画的是用硬标签训练的其中一次：落在对角线上，就表示置信度名副其实。

# %% tags=["nbval-ignore-output"]
_, _, logits, labels = few[0.0][0]
T = calibrated[0.0][0, 0]
diagrams = {"before": logits, f"after, T = {T:.2f}": logits / T}
axes = plots.new_axes(7.2, 3.4, columns=2, sharey=True)
for ax, (name, scaled) in zip(axes, diagrams.items(), strict=True):
    bins = metrics.reliability_bins(functions.softmax(scaled), labels, bins=15)
    heights = np.nan_to_num(bins.accuracy)  # an empty bin has none
    ax.bar(bins.edges[:-1], heights, 1 / 15, align="edge", color="lightgrey", edgecolor="black")
    plots.lines([0, 1], {"calibrated": [0, 1]}, xlabel="confidence", ylabel="accuracy", title=name, ax=ax)
    print(f"{name}: predictions per bin {bins.count.tolist()}, ECE {bins.expected_calibration_error:.4f}")
plots.show(axes, alt="Accuracy per confidence bin before and after temperature scaling, beside the diagonal.")

# %% [markdown] lang="en"
# Most predictions are in the last bin; the others hold few, and their bars are noisy. Even a perfectly calibrated model
# does not score 0. We can see how much: draw labels *from the model's own probabilities*. For those labels it is
# calibrated by construction.

# %% [markdown] lang="zh"
# 大多数预测落在最后一个分箱里，其余分箱只有很少的预测，柱子的高度很不可靠。即使是完全校准的模型，得分也不会是 0。
# 究竟会是多少？我们可以*按模型自己的概率*抽取标签：对这些标签来说，模型天然就是校准好的。

# %% tags=["nbval-ignore-output"]
p = functions.softmax(logits / T)
generator = torch.Generator().manual_seed(SEED)
floor = [
    metrics.expected_calibration_error(p, torch.multinomial(p, 1, generator=generator).squeeze(1))
    for _ in range(20)
]
print(f"ECE of a calibrated model on {len(p)} predictions: {np.mean(floor):.4f} on average")
print(f"ECE of ours after temperature scaling: {calibrated[0.0][0, 2]:.4f}")

# %% [markdown] lang="en"
# A part of what remains is chance. Compare calibration errors only at equal numbers of predictions and equal bins.
#
# ### Exercise 03.6: Expected calibration error (★★★, 12 minutes)
#
# Write the expected calibration error yourself: `confidence` (B,), `right` (B,) of
# 0 and 1, and the number of bins of equal width on $[0, 1]$, each $(low, high]$. Think of empty bins.

# %% [markdown] lang="zh"
# 剩下的误差里，有一部分只是偶然。比较校准误差时，预测数和分箱数必须相同。
#
# ### 练习 03.6：期望校准误差（★★★，12 分钟）
#
# 自己写出期望校准误差：`confidence` (B,)，取值 0 或 1 的 `right` (B,)，以及分箱数；
# 各箱在 $[0, 1]$ 上等宽，每个箱是 $(low, high]$。想一想：空的分箱怎么办？


# %% exercise="03.6"
def calibration_error(confidence, right, bins):
    """Σ over bins of (share of the predictions) · |accuracy - mean confidence|."""
    ### BEGIN SOLUTION
    total = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            total += float(inside.float().mean() * gap.abs())
    return total
    ### END SOLUTION


# %%
check("03.6", calibration_error)
# hint("03.6")
# solution("03.6")

# %% [markdown] lang="en"
# ## 8. Perplexity
#
# A language model predicts one token after the other: a classification with thousands of classes. Its loss is the mean
# cross-entropy per token, and its *perplexity* is the exponential of that:
#
# $$\mathrm{PPL} = \exp\Big(-\frac{1}{T} \sum_{i=1}^{T} \log p_i\Big) = \Big(\prod_i p_i\Big)^{-1/T}$$
#
# **By hand.** The model gave the four tokens that came the probabilities 1/2, 1/4, 1/8, 1/8. In bits their surprise is
# 1, 2, 3, 3; the mean is 2.25 bits, and $2^{2.25} = 4.7568$. It is as unsure as if it chose among 4.76 equal tokens.

# %% [markdown] lang="zh"
# ## 8. 困惑度
#
# 语言模型一个接一个地预测词元，这是一个有成千上万个类别的分类问题。它的损失是每个词元的平均交叉熵，
# *困惑度*（perplexity）就是这个损失的指数：
#
# $$\mathrm{PPL} = \exp\Big(-\frac{1}{T} \sum_{i=1}^{T} \log p_i\Big) = \Big(\prod_i p_i\Big)^{-1/T}$$
#
# **手算**：模型给实际出现的四个词元的概率是 1/2、1/4、1/8、1/8。以比特计，意外程度是 1、2、3、3，平均 2.25 比特，
# $2^{2.25} = 4.7568$。它的不确定程度，相当于在 4.76 个等可能的词元里选一个。

# %%
p = torch.tensor([1 / 2, 1 / 4, 1 / 8, 1 / 8])
nll = -torch.log(p).mean()
print(f"mean negative log-likelihood {nll:.4f} nats, perplexity {functions.perplexity(nll):.4f}")
assert math.isclose(functions.perplexity(nll), 2**2.25, rel_tol=1e-6)

uniform = -torch.log(torch.full((50,), 1 / 27)).mean()
print(f"uniform over 27 characters: perplexity {functions.perplexity(uniform):.4f}")

# %% [markdown] lang="en"
# A model that knows nothing of 27 characters has perplexity 27. Knowledge makes it smaller. The next cell counts
# characters in a small text, and then predicts another one: first from the counts alone, then from the character
# before. Which perplexities do you expect?

# %% [markdown] lang="zh"
# 对 27 个字符一无所知的模型，困惑度是 27；知道得越多，困惑度越小。下一个单元格在一小段文字里统计字符，再去预测另一段：
# 先只看各字符出现的次数，再利用前一个字符。你估计困惑度会是多少？

# %%
seen = """the loss is one number and training makes it small the network sees the image and says
how likely each digit is then the loss says how wrong that was and the gradient says which way to go
the step is small and the same thing happens again and again until the loss no longer falls"""
new = "the gradient shows the way and the loss tells how far the network still has to go"
letters = sorted(set("abcdefghijklmnopqrstuvwxyz "))
before, here = (torch.tensor([letters.index(c) for c in " ".join(t.split())]) for t in (seen, new))

single = torch.bincount(before, minlength=27) + 1.0  # add one, so that no character has probability 0
single /= single.sum()
pairs = torch.zeros(27, 27).index_put((before[:-1], before[1:]), torch.tensor(1.0), accumulate=True)
pairs = (pairs + 5 * single) / (pairs.sum(dim=1, keepdim=True) + 5)  # few pairs: lean on the single counts
for name, p in {"single": single[here[1:]], "pairs": pairs[here[:-1], here[1:]]}.items():
    print(f"{name:6} perplexity {functions.perplexity(-torch.log(p).mean()):.2f}")

# %% [markdown] lang="en"
# Each piece of knowledge takes some perplexity away, also on a text that was not counted. Two warnings. One token of
# probability 0 makes the perplexity infinite; that is why 1 was added to each count. And perplexity is *per token*: if
# a model of characters has perplexity 4, five characters in a row cost as much as one word with perplexity
# $4^5 = 1024$. Never compare perplexities over different tokens.
#
# ### Exercise 03.7: Perplexity of a text (★★☆, 6 minutes)
#
# Perplexity from the probabilities (T,) that the tokens got. It must hold for 2,000
# tokens in float32. Think of section 3: what becomes of a long product?

# %% [markdown] lang="zh"
# 每多知道一点，困惑度就降一点，在没有统计过的文字上也是如此。有两点要当心。第一，只要有一个词元的概率为 0，困惑度就是无穷大，
# 所以每个计数都加了 1。第二，困惑度是*每个词元*的：字符模型的困惑度若是 4，连续五个字符就相当于一个困惑度为 $4^5 = 1024$ 的词。
# 词元划分不同，困惑度就不能比较。
#
# ### 练习 03.7：一段文本的困惑度（★★☆，6 分钟）
#
# 由各词元得到的概率 (T,) 计算困惑度，2,000 个词元、float32 也要算对。
# 想一想第 3 节：很长的连乘积会变成什么？


# %% exercise="03.7"
def perplexity_of(probabilities):
    """exp of the mean negative log-likelihood: (T,) -> ()."""
    ### BEGIN SOLUTION
    return torch.exp(-torch.log(probabilities).mean())
    ### END SOLUTION


# %%
check("03.7", perplexity_of)
# hint("03.7")
# solution("03.7")

# %% [markdown] lang="en"
# ## 9. Break it
#
# A classmate shows you this classifier of digits. It runs without an error, it learns, and its accuracy is good. One
# line holds a fault. Look at the numbers before you look at the code: which of them does not fit?

# %% [markdown] lang="zh"
# ## 9. 找出故障
#
# 一位同学给你看了他的数字分类器。它运行时不报错，确实在学习，正确率也不错，但其中一行有毛病。先别看代码，先看输出的数：哪一个对不上？


# %%
def train_classifier(*layers):
    """Training losses and test accuracies, four times on the way."""
    set_seed(SEED)
    d = load_digits(SEED)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), *layers)
    task = SupervisedTask(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.003))
    batches = ArrayBatches(d.train_x, d.train_y, batch_size=64, seed=SEED)
    every = lab.pick(5, 100, 200)
    history = fit(
        task,
        batches,
        4 * every,
        evaluate=lambda: {"accuracy": metrics.accuracy(task.predict(d.test_x), d.test_y)},
        evaluate_every=every,
        progress=False,
    )
    return model, history


# %% tags=["nbval-ignore-output"]
suspect, history = train_classifier(nn.Linear(32, 10), nn.Softmax(dim=1))
print(f"step   1: loss {history.train['loss'][0]:.4f} (ln 10 = {math.log(10):.4f})")
for at, accuracy in history.evaluations["accuracy"]:
    loss = np.mean(history.train["loss"][max(0, at - 20) : at])
    print(f"step {at:3}: loss {loss:.4f}, accuracy {accuracy:.3f}, exp(-loss) = {math.exp(-loss):.3f}")

# %% [markdown] lang="en"
# The loss starts where it should: a model that knows nothing pays $\ln 10$. The accuracy rises. But $e^{-\text{loss}}$
# is the typical probability of the true class, and it stays near 0.22. A classifier that is right in more than nine
# cases of ten, and gives the right answer 22 %? These two figures do not belong to one healthy model. Ask the model:
# what do its outputs, which the loss takes for logits, look like?

# %% [markdown] lang="zh"
# 损失的起点没有问题：一无所知的模型要付出 $\ln 10$。正确率也在上升。但是 $e^{-\text{损失}}$ 大致是正确类别得到的概率，
# 它一直停在 0.22 附近。十次里能答对九次以上的分类器，只给正确答案 22% 的概率？这两个数不会出自同一个健康的模型。
# 问问模型自己：损失函数把它的输出当作 logits，这些输出长什么样？

# %%
outputs = suspect(load_digits(SEED).test_x[:5]).detach()
print("sums of the outputs:", [f"{total:.4f}" for total in outputs.sum(dim=1)])
assert torch.allclose(outputs.sum(dim=1), torch.ones(5))

perfect = torch.eye(10)  # the best that a softmax can give: 1 for the true class, 0 for the others
floor = functions.cross_entropy(perfect, torch.arange(10))
print(f"loss of perfect probabilities, taken for logits: {floor:.4f}")
print(f"ln(1 + 9/e) = {math.log(1 + 9 / math.e):.4f}")

# %% [markdown] lang="en"
# The outputs sum to 1: they are probabilities, and the cross-entropy applies softmax to them *a second time*. Logits
# between 0 and 1 can give the true class at most $e / (e + 9) = 0.232$, so the loss has a floor at 1.4612. Below it
# this model never comes. Leave out `nn.Softmax`, and compare.

# %% [markdown] lang="zh"
# 输出之和都是 1：它们已经是概率，而交叉熵又对它们做了*第二次* softmax。logits 只在 0 到 1 之间时，正确类别的概率最多是
# $e / (e + 9) = 0.232$，所以损失有一个下限 1.4612，这个模型永远到不了它下面。去掉 `nn.Softmax` 再比较。

# %% tags=["nbval-ignore-output"]
healthy, mended = train_classifier(nn.Linear(32, 10))
last_losses = {}
for name, run in {"softmax twice": history, "mended": mended}.items():
    last_losses[name] = np.mean(run.train["loss"][-20:])
    (early, first), *_, (late, last) = run.evaluations["accuracy"]
    print(
        f"{name:13} loss {last_losses[name]:.4f}, accuracy {first:.3f} (step {early}), {last:.3f} (step {late})"
    )
assert MODE == "smoke" or last_losses["mended"] < 0.5 < floor < last_losses["softmax twice"]

# %% [markdown] lang="en"
# The mended model's loss falls far below the floor, and it is quicker. The fault hides well because the *order* of the
# classes survives a second softmax. Three habits catch it: know the loss of a model that knows nothing, $\ln K$; know
# the lowest loss that is possible; and read $e^{-\text{loss}}$ as a probability.
#
# ## 10. What was measured
#
# All figures of this lesson in one table: mean over the seeds, with the 95 % interval. The baseline is squared error
# for the first two rows, and the network without temperature scaling, or without smoothing, for the others. The column
# *verdict* says *unclear* where the baseline lies inside the interval, as it does for the fresh start.

# %% [markdown] lang="zh"
# 改好之后，损失远远低于那个下限，学得也更快。这个故障很隐蔽，因为再做一次 softmax 并不改变类别的*排序*。养成三个习惯就能发现它：
# 记住一无所知的模型的损失 $\ln K$；算出损失可能达到的最小值；把 $e^{-\text{损失}}$ 当作概率来读。
#
# ## 10. 测量结果
#
# 本课的测量结果汇总在一张表里：多个种子的平均值和 95% 置信区间。前两行的基线是平方误差，后两行的基线分别是不做温度缩放、
# 不做标签平滑的网络。*verdict* 一列中的 *unclear* 表示基线落在区间之内，无法断定；全新起点的那一行就是这样。


# %% tags=["nbval-ignore-output"]
def measure(metric, ours, baseline, name, higher_is_better):
    mean, low, high = metrics.mean_interval(ours)
    reference = float(np.mean(baseline))
    return results.Measure(metric, mean, reference, name, higher_is_better, len(ours), (low, high))


def final(kind, loss):
    return curves[kind, loss][:, -1]


hard, smooth = calibrated[0.0], calibrated[0.1]
wrong = [final("confidently wrong", loss) for loss in ("cross_entropy", "squared_error")]
fresh = [final("fresh", loss) for loss in ("cross_entropy", "squared_error")]
results.report(
    measure("accuracy, confidently wrong start, cross-entropy", *wrong, "squared error", True),
    measure("accuracy, fresh start, cross-entropy", *fresh, "squared error", True),
    measure("ECE, temperature scaling", hard[:, 2], hard[:, 1], "none", False),
    measure("ECE, label smoothing 0.1", smooth[:, 1], hard[:, 1], "none", False),
)

# %% [markdown] lang="en"
# ## Summary
#
# - A loss grades every answer and has a slope everywhere; accuracy has neither. Train on the one, report the other.
# - MSE is the negative log-likelihood of normal noise; its gradient is $2(y - t)/n$. Cross-entropy is the negative
#   log-likelihood of a categorical label; its gradient by the logits is $p - q$.
# - For classes, squared error behind a softmax hardly pushes where the model is sure and wrong. Cross-entropy does.
# - Hand *logits* to the loss. Log-sum-exp with the maximum taken out neither overflows nor meets $\log 0$; clamping
#   hides the fault and silences the gradient.
# - Accuracy does not show calibration. Measure it, and mend it with one number, the temperature. Smoothing may help or
#   harm.
# - Perplexity is $e^{\text{loss}}$ per token. Compare it over equal tokens only.
# - Check a printed figure by its definition, by bounds, by hand, and by code.
#
# ## Further reading
#
# - C. Bishop (2006), *Pattern Recognition and Machine Learning*, Springer; sections 1.2 and 4.3 on likelihood and loss.
# - T. Gneiting, A. Raftery (2007), Strictly proper scoring rules, prediction, and estimation. *Journal of the
#   American Statistical Association* 102, [doi:10.1198/016214506000001437](https://doi.org/10.1198/016214506000001437).
# - L. Hui, M. Belkin (2021), Evaluation of neural architectures trained with square loss vs cross-entropy in
#   classification tasks. [arXiv:2006.07322](https://arxiv.org/abs/2006.07322).
# - P. Blanchard, D. Higham, N. Higham (2021), Accurately computing the log-sum-exp and softmax functions. *IMA Journal
#   of Numerical Analysis* 41, [doi:10.1093/imanum/draa038](https://doi.org/10.1093/imanum/draa038).
# - P. Huber (1964), Robust estimation of a location parameter. *Annals of Mathematical Statistics* 35,
#   [doi:10.1214/aoms/1177703732](https://doi.org/10.1214/aoms/1177703732).
# - A. van den Oord, Y. Li, O. Vinyals (2018), Representation learning with contrastive predictive coding.
#   [arXiv:1807.03748](https://arxiv.org/abs/1807.03748). The source of InfoNCE.
# - C. Szegedy et al. (2016), Rethinking the Inception architecture for computer vision.
#   [arXiv:1512.00567](https://arxiv.org/abs/1512.00567). Section 7: label smoothing.
# - C. Guo, G. Pleiss, Y. Sun, K. Weinberger (2017), On calibration of modern neural networks.
#   [arXiv:1706.04599](https://arxiv.org/abs/1706.04599).
# - R. Müller, S. Kornblith, G. Hinton (2019), When does label smoothing help?
#   [arXiv:1906.02629](https://arxiv.org/abs/1906.02629).
# - F. Jelinek, R. Mercer, L. Bahl, J. Baker (1977), Perplexity: a measure of the difficulty of speech recognition
#   tasks. *Journal of the Acoustical Society of America* 62, [doi:10.1121/1.2016299](https://doi.org/10.1121/1.2016299).

# %% [markdown] lang="zh"
# ## 小结
#
# - 损失能区分每个回答的好坏，而且处处有斜率；正确率两者都没有。用损失来训练，用正确率来报告结果。
# - 均方误差是正态噪声下的负对数似然，梯度是 $2(y - t)/n$；交叉熵是类别标签的负对数似然，对 logits 的梯度是 $p - q$。
# - 做分类时，若模型很自信却错了，softmax 之后的平方误差几乎没有推力，而交叉熵有。
# - 交给损失函数的应当是 *logits*。提出最大值的 log-sum-exp 既不会溢出，也不会遇到 $\log 0$；截断只是掩盖毛病，还会让梯度变成 0。
# - 正确率反映不出校准的好坏。要单独测量，再用一个数（温度）来修正。标签平滑可能有益，也可能有害。
# - 困惑度是每个词元的 $e^{\text{损失}}$，只有词元划分相同时才能比较。
# - 核对印出来的数：先看定义，再看上下界，然后手算，最后写代码。
#
# ## 延伸阅读
#
# - C. Bishop（2006）：*Pattern Recognition and Machine Learning*，Springer；1.2 节和 4.3 节讲似然与损失。
# - T. Gneiting, A. Raftery（2007）：Strictly proper scoring rules, prediction, and estimation。*Journal of the
#   American Statistical Association* 102，
#   [doi:10.1198/016214506000001437](https://doi.org/10.1198/016214506000001437)。
# - L. Hui, M. Belkin（2021）：Evaluation of neural architectures trained with square loss vs cross-entropy in
#   classification tasks。[arXiv:2006.07322](https://arxiv.org/abs/2006.07322)。
# - P. Blanchard, D. Higham, N. Higham（2021）：Accurately computing the log-sum-exp and softmax functions。*IMA Journal
#   of Numerical Analysis* 41，[doi:10.1093/imanum/draa038](https://doi.org/10.1093/imanum/draa038)。
# - P. Huber（1964）：Robust estimation of a location parameter。*Annals of Mathematical Statistics* 35，
#   [doi:10.1214/aoms/1177703732](https://doi.org/10.1214/aoms/1177703732)。
# - A. van den Oord, Y. Li, O. Vinyals（2018）：Representation learning with contrastive predictive coding。
#   [arXiv:1807.03748](https://arxiv.org/abs/1807.03748)。InfoNCE 的出处。
# - C. Szegedy 等（2016）：Rethinking the Inception architecture for computer vision。
#   [arXiv:1512.00567](https://arxiv.org/abs/1512.00567)。第 7 节：标签平滑。
# - C. Guo, G. Pleiss, Y. Sun, K. Weinberger（2017）：On calibration of modern neural networks。
#   [arXiv:1706.04599](https://arxiv.org/abs/1706.04599)。
# - R. Müller, S. Kornblith, G. Hinton（2019）：When does label smoothing help?
#   [arXiv:1906.02629](https://arxiv.org/abs/1906.02629)。
# - F. Jelinek, R. Mercer, L. Bahl, J. Baker（1977）：Perplexity: a measure of the difficulty of speech recognition
#   tasks。*Journal of the Acoustical Society of America* 62，[doi:10.1121/1.2016299](https://doi.org/10.1121/1.2016299)。
