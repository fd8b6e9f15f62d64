# ---
# jupyter:
#   labkit:
#     number: "04"
#     title_en: Neural networks from scratch
#     title_zh: 从零实现神经网络
#     minutes: 120
# ---

# %% [markdown] lang="en"
# # 04 Neural networks from scratch
#
# Every large model learns by one method: run the network forward, measure the loss, send the gradient back through
# every layer, take a small step. In this lesson you build all of it with arrays and a few lines of code, and then you
# see PyTorch give the same numbers.
#
# **After this lesson you can**
#
# - say what a neuron and a layer compute, and write down the shape of every array;
# - apply the chain rule on a computation graph, by hand and in code;
# - write the backward pass of a network, and prove with a gradient check that it is right;
# - train a network on real handwritten digits with your own gradient descent, to more than 97 % on unseen digits;
# - see in a curve whether the initialization or the learning rate is wrong.
#
# **Time:** about 120 minutes with the exercises. You can stop after section 8 and go on another day.
#
# **Before:** [02 Activation functions](02_activation_functions.ipynb) and
# [03 Loss functions](03_loss_functions.ipynb). You need the derivative of a function of one variable and the product
# of two matrices.

# %% [markdown] lang="zh"
# # 04 从零实现神经网络
#
# 所有大模型都用同一种办法学习：前向计算一遍，算出损失，把梯度逐层传回去，再迈出一小步。本课只用数组和少量代码，把这套办法完整地写出来，再看 PyTorch 是否给出同样的数。
#
# **学完本课，你能够**：
#
# - 说清一个神经元、一层网络在算什么，写出每个数组的形状；
# - 在计算图上使用链式法则，既能手算，也能写成代码；
# - 写出网络的反向传播，并用梯度检验证明它是对的；
# - 用自己写的梯度下降在真实手写数字上训练网络，在没见过的数字上达到 97% 以上的正确率；
# - 从曲线上看出是初始化有问题，还是学习率有问题。
#
# **时间**：约 120 分钟（含练习）。可以学完第 8 节先停下，改天继续。
#
# **预备知识**：[02 激活函数](02_activation_functions.ipynb) 和 [03 损失函数](03_loss_functions.ipynb)。需要会求一元函数的导数，会做矩阵乘法。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import math
import time

import numpy as np
import torch

from labkit import plots, widgets
from labkit.checks import check, hint, solution
from labkit.common import start
from labkit.data import load_digits
from labkit.metrics import accuracy, mean_interval
from labkit.results import Measure, report

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. The task, and a baseline to beat
#
# The data are 1,797 real handwritten digits, 8 by 8 pixels each. Four fifths are for training. The rest is held out:
# the network never sees it while it learns. Look at the shapes first: one picture is one row of 64 numbers between 0
# (white) and 1 (black).

# %% [markdown] lang="zh"
# ## 1. 任务，以及要超过的基线
#
# 数据是 1,797 个真实的手写数字，每个 8 × 8 像素。五分之四用来训练，其余留作测试，学习过程中网络从不接触它们。先看形状：一张图就是一行 64 个数，0 表示白，1 表示黑。

# %%
digits = load_digits(seed=lab.seed)
train_x, test_x = (part.numpy().astype(np.float64) for part in (digits.train_x, digits.test_x))
train_y, test_y = digits.train_y.numpy(), digits.test_y.numpy()
print("training:", train_x.shape, " held out:", test_x.shape, " classes:", len(np.unique(train_y)))

axes = plots.images(train_x[:10].reshape(-1, 8, 8), titles=[str(y) for y in train_y[:10]], columns=10)
plots.show(axes, alt="Ten handwritten digits of 8 by 8 grey pixels, each with its label above it.")

# %% [markdown] lang="en"
# A result is worth something only beside a baseline. The simplest one: average all training pictures of each digit, and
# give a new picture the label of the nearest average. Look at the share that is right.

# %% [markdown] lang="zh"
# 结果要有基线对照才有意义。最简单的基线：把每个数字的训练图片求平均，新图片离哪个平均图最近，就判为哪个数字。看看它的正确率。

# %%
means = np.stack([train_x[train_y == k].mean(axis=0) for k in range(10)])  # (10, 64)
distances = ((test_x[:, None, :] - means) ** 2).sum(axis=2)  # (B, 10)
nearest = distances.argmin(axis=1)
print(f"nearest mean: {accuracy(nearest, test_y):.3f} of the held-out digits are right")

# %% [markdown] lang="en"
# About nine in ten, with no learning at all. A network has to do clearly better than this, or it is not worth its
# trouble.

# %% [markdown] lang="zh"
# 完全没有“学习”，就已经对了大约九成。网络必须明显好于它，才值得费这番功夫。

# %% [markdown] lang="en"
# ## 2. One neuron
#
# A neuron multiplies each input by a weight, adds them up, adds a bias, and applies an activation function:
#
# $$z = \sum_i w_i x_i + b, \qquad a = \mathrm{relu}(z) = \max(0, z)$$
#
# By hand, with $x = (1, 2, 3)$, $w = (0.5, -1, 1)$ and $b = 0.25$: $z = 0.5 - 2 + 3 + 0.25 = 1.75$, so $a = 1.75$.
# With $b = -3$ it is $z = -1.5$, and the neuron stays silent: $a = 0$. The code must give the same.

# %% [markdown] lang="zh"
# ## 2. 一个神经元
#
# 神经元把每个输入乘以权重，加起来，再加上偏置，最后通过激活函数：
#
# $$z = \sum_i w_i x_i + b, \qquad a = \mathrm{relu}(z) = \max(0, z)$$
#
# 手算一次：$x = (1, 2, 3)$，$w = (0.5, -1, 1)$，$b = 0.25$，得 $z = 0.5 - 2 + 3 + 0.25 = 1.75$，所以 $a = 1.75$。若 $b = -3$，则 $z = -1.5$，神经元未被激活：$a = 0$。代码应当给出同样的结果。


# %%
def relu(z):
    return np.maximum(z, 0)


def neuron(x, w, b):
    z = sum(w_i * x_i for w_i, x_i in zip(w, x, strict=True)) + b
    return z, relu(z)


for bias in (0.25, -3):
    z, a = neuron([1, 2, 3], [0.5, -1, 1], bias)
    print(f"b = {bias:5}  z = {z:5.2f}  a = {a:.2f}")
assert neuron([1, 2, 3], [0.5, -1, 1], 0.25) == (1.75, 1.75)

# %% [markdown] lang="en"
# What can one neuron do? A picture $x$ is nearer to the mean 3 than to the mean 8 exactly if
# $\lVert x - m_3\rVert^2 < \lVert x - m_8\rVert^2$. Multiply out, and $\lVert x\rVert^2$ cancels: what is left is a
# neuron with $w = m_3 - m_8$ and $b = (\lVert m_8\rVert^2 - \lVert m_3\rVert^2) / 2$, which says "3" if $z > 0$. Look
# at its weights as a picture: where does ink speak for a 3, and where for an 8?

# %% [markdown] lang="zh"
# 一个神经元能做什么？图片 $x$ 离“平均的 3”比离“平均的 8”近，当且仅当 $\lVert x - m_3\rVert^2 < \lVert x - m_8\rVert^2$。展开后 $\lVert x\rVert^2$ 消去，剩下的正是一个神经元：$w = m_3 - m_8$，$b = (\lVert m_8\rVert^2 - \lVert m_3\rVert^2) / 2$，$z > 0$ 就判为 3。把权重画成图来看：哪里有墨迹支持“3”，哪里有墨迹支持“8”？

# %%
w = means[3] - means[8]  # (64,)
b = (means[8] @ means[8] - means[3] @ means[3]) / 2
rows = np.isin(test_y, [3, 8])
says_three = test_x[rows] @ w + b > 0
print(f"3 or 8? {accuracy(says_three, test_y[rows] == 3):.3f} right, with one neuron")

ax = plots.heatmap(
    w.reshape(8, 8), xlabel="pixel column", ylabel="pixel row", title="weights of the neuron 3 - 8"
)
plots.show(
    ax,
    alt="The weights as 8 by 8 cells: light on the left, where only an 8 has ink.",
)

# %% [markdown] lang="en"
# Light cells are negative weights: ink there speaks for an 8, whose two loops are closed on the left. A neuron is a
# template, and $z$ says how well the input fits it.

# %% [markdown] lang="zh"
# 浅色格子是负权重：那里有墨迹就支持 8，因为 8 的两个圈在左侧是封闭的。神经元就是一个模板，$z$ 表示输入与模板的吻合程度。

# %% [markdown] lang="en"
# ## 3. A layer
#
# A layer is several neurons that see the same input. Put the weights of neuron $j$ into column $j$ of a matrix $W$, and
# one matrix product computes all neurons for all examples of a batch:
#
# $$Z = X W + b \qquad (B, D) \cdot (D, H) + (H,) \to (B, H)$$
#
# $B$ is the batch size, $D$ the number of inputs, $H$ the number of neurons. The bias is added to every row. Look at
# whether two loops over single neurons agree with the one product.

# %% [markdown] lang="zh"
# ## 3. 一层网络
#
# 一层就是若干个接收同一输入的神经元。把第 $j$ 个神经元的权重放进矩阵 $W$ 的第 $j$ 列，一次矩阵乘法就算完一批样本、所有神经元：
#
# $$Z = X W + b \qquad (B, D) \cdot (D, H) + (H,) \to (B, H)$$
#
# $B$ 是批大小，$D$ 是输入个数，$H$ 是神经元个数。偏置加到每一行上。看看逐个神经元的两重循环与一次乘法是否一致。

# %%
rng = np.random.default_rng(lab.seed)
x, W, b = train_x[:32], rng.standard_normal((64, 5)), rng.standard_normal(5)

by_loops = np.array([[neuron(row, W[:, j], b[j])[0] for j in range(5)] for row in x])
at_once = x @ W + b  # (32, 64) @ (64, 5) + (5,) -> (32, 5)
assert np.allclose(by_loops, at_once, rtol=1e-12)
print("x", x.shape, " W", W.shape, " b", b.shape, " -> z", at_once.shape)

# %% [markdown] lang="en"
# The baseline of section 1 is such a layer too, with ten neurons: $W$ holds the ten means as columns, and
# $b_k = -\lVert m_k\rVert^2 / 2$. The largest $z_k$ wins. Watch that not one prediction changes.

# %% [markdown] lang="zh"
# 第 1 节的基线其实也是这样一层，共十个神经元：$W$ 的各列是十个平均图，$b_k = -\lVert m_k\rVert^2 / 2$，$z_k$ 最大者获胜。请看：预测一个也没有变。

# %%
scores = test_x @ means.T - (means**2).sum(axis=1) / 2  # (B, 10)
print("predictions that differ from the nearest mean:", int((scores.argmax(axis=1) != nearest).sum()))
assert (scores.argmax(axis=1) == nearest).all()

# %% [markdown] lang="en"
# So the nearest mean is a network of one layer whose weights somebody chose. From here on, the weights are learned, and
# there is more than one layer.
#
# ### Exercise 04.1: A layer with PyTorch's weights (★☆☆, 5 minutes)
#
# `torch.nn.Linear` stores its weights the other way round: `weight` is `(out, in)`, one **row** for each neuron. Write
# the layer for this layout. Think of the shapes: the result is `(B, out)`.

# %% [markdown] lang="zh"
# 可见最近均值分类器就是一个单层网络，只是权重由人来定。从现在起，权重要由网络自己学，而且不止一层。
#
# ### 练习 04.1：使用 PyTorch 权重布局的一层（★☆☆，5 分钟）
#
# `torch.nn.Linear` 存放权重的方式正好相反：`weight` 的形状是 `(out, in)`，每个神经元占一**行**。请为这种布局写出这一层。想清楚形状：结果是 `(B, out)`。


# %% exercise="04.1"
def my_linear(x, weight, bias):
    """x (B, in), weight (out, in), bias (out,) -> (B, out)."""
    ### BEGIN SOLUTION
    return x @ weight.T + bias
    ### END SOLUTION


# %%
check("04.1", my_linear)
# hint("04.1")
# solution("04.1")

# %% [markdown] lang="en"
# ## 4. Two layers, forward
#
# The network of this lesson has one hidden layer between the pixels and the ten scores, which are called logits:
#
# $$z_1 = x W_1 + b_1, \quad a_1 = \mathrm{relu}(z_1), \quad \mathrm{logits} = a_1 W_2 + b_2$$
#
# Why the activation in the middle? Take it away and see: two layers without one are equal to a single layer with the
# matrix $W_1 W_2$.

# %% [markdown] lang="zh"
# ## 4. 两层网络的前向传播
#
# 本课的网络在像素和十个得分（称为 logits）之间有一个隐藏层：
#
# $$z_1 = x W_1 + b_1, \quad a_1 = \mathrm{relu}(z_1), \quad \mathrm{logits} = a_1 W_2 + b_2$$
#
# 中间为什么要有激活函数？去掉它看看：没有激活函数的两层，等于权重为 $W_1 W_2$ 的一层。

# %%
W1, b1 = rng.standard_normal((64, 16)), rng.standard_normal(16)
W2, b2 = rng.standard_normal((16, 10)), rng.standard_normal(10)

without = (x @ W1 + b1) @ W2 + b2
one_layer = x @ (W1 @ W2) + (b1 @ W2 + b2)
print("without activation, equal to one layer:", np.allclose(without, one_layer))
print("with relu, equal to one layer:         ", np.allclose(relu(x @ W1 + b1) @ W2 + b2, one_layer))

# %% [markdown] lang="en"
# Depth without an activation adds nothing. Now the forward pass in code. It keeps $z_1$ and $a_1$, because the way back
# will need them. The weights are scaled by $\sqrt{2 / \text{inputs}}$; section 12 shows why.

# %% [markdown] lang="zh"
# 没有激活函数，层数再多也毫无用处。下面写出前向传播。它要保留 $z_1$ 和 $a_1$，因为往回走时用得到。权重按 $\sqrt{2 / \text{输入个数}}$ 缩放，原因见第 12 节。


# %%
def init_weights(inputs, hidden, classes, seed):
    rng = np.random.default_rng(seed)
    W1 = rng.standard_normal((inputs, hidden)) * np.sqrt(2 / inputs)
    W2 = rng.standard_normal((hidden, classes)) * np.sqrt(2 / hidden)
    return [W1, np.zeros(hidden), W2, np.zeros(classes)]


def forward(x, weights):
    W1, b1, W2, b2 = weights
    z1 = x @ W1 + b1  # (B, H)
    a1 = relu(z1)
    logits = a1 @ W2 + b2  # (B, K)
    return z1, a1, logits


# %% [markdown] lang="en"
# The loss is the mean cross-entropy of lesson 03, with the largest logit subtracted so that no exponential overflows.
# Predict before you run: a network that knows nothing gives each digit about 1/10. What is its loss?

# %% [markdown] lang="zh"
# 损失用第 03 课的平均交叉熵，先减去最大的 logit，避免指数溢出。运行前先想一想：一个一无所知的网络，给每个数字的概率大约是 1/10，它的损失是多少？


# %%
def cross_entropy(logits, targets):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(targets)), targets].mean()


weights = init_weights(64, 128, 10, seed=lab.seed)
z1, a1, logits = forward(train_x, weights)
print("z1", z1.shape, " logits", logits.shape, " weights:", sum(weight.size for weight in weights))
print(f"loss before training {cross_entropy(logits, train_y):.2f}, and ln 10 = {math.log(10):.2f}")

# %% [markdown] lang="en"
# $-\ln(1/10) = \ln 10 = 2.30$. A first loss far above it means that something is wrong before training begins. The
# network has $64 \cdot 128 + 128 + 128 \cdot 10 + 10 = 9{,}610$ weights. In which direction should each of them move?

# %% [markdown] lang="zh"
# 答案是 $-\ln(1/10) = \ln 10 = 2.30$。如果初始损失远大于它，说明训练还没开始就已经出了问题。这个网络有 $64 \cdot 128 + 128 + 128 \cdot 10 + 10 = 9{,}610$ 个权重。每一个该往哪个方向调？

# %% [markdown] lang="en"
# ## 5. The chain rule on a computation graph
#
# Cut a computation into small steps, and the derivative of each step is easy. Take one neuron with a squared error:
#
# $$u = w x, \quad z = u + b, \quad a = \mathrm{relu}(z), \quad e = a - t, \quad L = e^2$$
#
# By hand, with $w = 1.5$, $x = 2$, $b = -1$, $t = 3$. Forward: $u = 3$, $z = 2$, $a = 2$, $e = -1$, $L = 1$.
# Then backward, from $L$ to $w$. Each step multiplies what comes in from the right by its own derivative:
#
# | step | own derivative | gradient |
# |---|---|---|
# | $L = e^2$ | $2e = -2$ | $\partial L/\partial e = -2$ |
# | $e = a - t$ | $1$ | $\partial L/\partial a = -2$ |
# | $a = \mathrm{relu}(z)$ | $1$, because $z > 0$ | $\partial L/\partial z = -2$ |
# | $z = u + b$ | $1$ | $\partial L/\partial u = -2$, and $\partial L/\partial b = -2$ |
# | $u = w x$ | $x = 2$ | $\partial L/\partial w = -2 \cdot 2 = -4$ |
#
# Look for these numbers in the output.

# %% [markdown] lang="zh"
# ## 5. 计算图上的链式法则
#
# 把计算切成小步，每一步的导数都很简单。以一个神经元加平方误差为例：
#
# $$u = w x, \quad z = u + b, \quad a = \mathrm{relu}(z), \quad e = a - t, \quad L = e^2$$
#
# 手算：$w = 1.5$，$x = 2$，$b = -1$，$t = 3$。前向：$u = 3$，$z = 2$，$a = 2$，$e = -1$，$L = 1$。然后从 $L$ 往回走到 $w$。每一步都用这一步的局部导数去乘从右边传来的梯度：
#
# | 步骤 | 局部导数 | 梯度 |
# |---|---|---|
# | $L = e^2$ | $2e = -2$ | $\partial L/\partial e = -2$ |
# | $e = a - t$ | $1$ | $\partial L/\partial a = -2$ |
# | $a = \mathrm{relu}(z)$ | $1$，因为 $z > 0$ | $\partial L/\partial z = -2$ |
# | $z = u + b$ | $1$ | $\partial L/\partial u = -2$，$\partial L/\partial b = -2$ |
# | $u = w x$ | $x = 2$ | $\partial L/\partial w = -2 \cdot 2 = -4$ |
#
# 请在输出里找到这些数。


# %%
def graph(w, b, x=2.0, t=3.0):
    u = w * x  # forward, left to right
    z = u + b
    a = max(z, 0.0)
    e = a - t
    loss = e**2

    de = 2 * e  # backward, right to left
    da = de * 1
    dz = da if z > 0 else 0.0
    du = dz * 1
    return [u, z, a, e, loss], [du, dz, da, de, 1.0], {"w": du * x, "b": dz}


values, slopes, gradient = graph(w=1.5, b=-1.0)
print("forward: ", values)
print("backward:", slopes)
print("gradient:", gradient)
assert gradient == {"w": -4.0, "b": -2.0}

# %% [markdown] lang="en"
# The same as a picture. The numbers above the boxes are computed from left to right, those below from right to left.

# %% [markdown] lang="zh"
# 画成图。方框上方的数从左往右算，下方的数从右往左算。

# %%
ax = plots.new_axes(7.5, 1.9)
ax.set_axis_off()
ax.set(xlim=(-0.9, 4.5), ylim=(-1, 1))
for i, name in enumerate(["u = w x", "z = u + b", "a = relu(z)", "e = a - t", "L = e²"]):
    ax.text(i, 0, name, ha="center", va="center", bbox={"boxstyle": "round", "facecolor": "white"})
    ax.text(i, 0.55, f"{values[i]:g}", ha="center", va="center", color=plots.COLORS[0], fontsize=12)
    ax.text(i, -0.55, f"{slopes[i]:g}", ha="center", va="center", color=plots.COLORS[3], fontsize=12)
    if i:
        ax.annotate("", (i - 0.42, 0), (i - 0.6, 0), arrowprops={"arrowstyle": "->"})
ax.text(-0.9, 0.55, "value →", va="center", color=plots.COLORS[0])
ax.text(-0.9, -0.55, "← ∂L/∂", va="center", color=plots.COLORS[3])
plots.show(
    ax,
    alt="Boxes from u to L: values 3, 2, 2, -1, 1; gradients -2, -2, -2, -2, 1.",
)

# %% [markdown] lang="en"
# A gradient is a promise: if $w$ grows by a little, $L$ changes by $-4$ times as much. Hold it to that. And look at the
# second line: with $b = -5$ the neuron is silent, and no gradient comes through it.

# %% [markdown] lang="zh"
# 梯度是一个承诺：$w$ 增加一点点，$L$ 的变化就是它的 $-4$ 倍。来验证一下。再看第二行：$b = -5$ 时神经元未被激活，梯度也就传不过去。

# %%
change = graph(w=1.5 + 0.001, b=-1.0)[0][-1] - graph(w=1.5, b=-1.0)[0][-1]
print(f"w + 0.001: L changes by {change:.6f}, promised {gradient['w'] * 0.001:.6f}")
print("b = -5:   gradient", graph(w=1.5, b=-5.0)[2])

# %% [markdown] lang="en"
# One more rule. If a value is used in two places, its gradients **add up**. With $L = u + v$, $u = x^2$ and $v = 3x$, the
# path through $u$ gives $2x$ and the path through $v$ gives $3$: at $x = 2$ together $7$. A weight of a network is used
# by every example of the batch, so its gradient is a sum over the batch. Keep this in mind for section 6.

# %% [markdown] lang="zh"
# 还有一条规则：一个值如果被用在两处，梯度要**相加**。设 $L = u + v$，$u = x^2$，$v = 3x$：经过 $u$ 的路径给出 $2x$，经过 $v$ 的路径给出 $3$，在 $x = 2$ 处合计 $7$。网络的权重被批次里的每个样本用到，所以它的梯度是对批次求和。第 6 节要用到这一点。

# %%
x_value, step = 2.0, 1e-6
by_rule = 2 * x_value + 3
numerically = ((x_value + step) ** 2 + 3 * (x_value + step) - (x_value**2 + 3 * x_value)) / step
print(f"by the rule {by_rule:.4f}, numerically {numerically:.4f}")

# %% [markdown] lang="en"
# ### Exercise 04.2: The chain rule on a graph with tanh (★★☆, 10 minutes)
#
# Now $z = w x + b$, $a = \tanh(z)$, $y = v a$, $L = (y - t)^2$. Return $\partial L/\partial w$, $\partial L/\partial b$
# and $\partial L/\partial v$. Remember $\tanh'(z) = 1 - \tanh^2(z)$. Go forward first, then back one step at a time.

# %% [markdown] lang="zh"
# ### 练习 04.2：在含 tanh 的计算图上用链式法则（★★☆，10 分钟）
#
# 这次 $z = w x + b$，$a = \tanh(z)$，$y = v a$，$L = (y - t)^2$。请返回 $\partial L/\partial w$、$\partial L/\partial b$ 和 $\partial L/\partial v$。别忘了 $\tanh'(z) = 1 - \tanh^2(z)$。先前向，再一步一步往回走。


# %% exercise="04.2"
def my_graph_gradients(w, b, v, x, t):
    """(dL/dw, dL/db, dL/dv) of L = (v * tanh(w * x + b) - t) ** 2."""
    ### BEGIN SOLUTION
    a = np.tanh(w * x + b)
    dy = 2 * (v * a - t)
    dz = dy * v * (1 - a**2)
    return dz * x, dz, dy * a
    ### END SOLUTION


# %%
check("04.2", my_graph_gradients)
# hint("04.2")
# solution("04.2")

# %% [markdown] lang="en"
# ## 6. Backward through two layers
#
# The network is the same kind of graph, with matrices in place of numbers. Write $\delta$ for the gradient at a layer's
# output $z$. It starts at the end. For softmax with cross-entropy, lesson 03 found
#
# $$\delta_2 = \frac{\partial L}{\partial\, \mathrm{logits}} = \frac{p - \text{one-hot}}{B} \qquad (B, K)$$
#
# with $1/B$ because the loss is a mean over the batch. Then from the back to the front:
#
# $$\frac{\partial L}{\partial W_2} = a_1^\top \delta_2 \qquad \frac{\partial L}{\partial b_2} = \sum_{\text{batch}} \delta_2
# \qquad \delta_1 = (\delta_2 W_2^\top) \odot \mathrm{relu}'(z_1)$$
#
# $$\frac{\partial L}{\partial W_1} = x^\top \delta_1 \qquad \frac{\partial L}{\partial b_1} = \sum_{\text{batch}} \delta_1$$
#
# where $\odot$ multiplies element by element. You need not learn these by heart. Each entry is the chain rule: $W_{2,jk}$
# carries $a_{1,j}$ to logit $k$, so its gradient is $a_{1,j}\,\delta_{2,k}$, summed over the batch. And **a gradient has the
# shape of the thing it belongs to**, which leaves only one way to write the product.

# %% [markdown] lang="zh"
# ## 6. 两层网络的反向传播
#
# 网络也是这样一张计算图，只是把数换成了矩阵。用 $\delta$ 表示某一层输出 $z$ 处的梯度，从末端开始。对于 softmax 加交叉熵，第 03 课已经得到
#
# $$\delta_2 = \frac{\partial L}{\partial\, \mathrm{logits}} = \frac{p - \text{one-hot}}{B} \qquad (B, K)$$
#
# 其中的 $1/B$ 来自损失对批次取平均。然后从后往前：
#
# $$\frac{\partial L}{\partial W_2} = a_1^\top \delta_2 \qquad \frac{\partial L}{\partial b_2} = \sum_{\text{batch}} \delta_2
# \qquad \delta_1 = (\delta_2 W_2^\top) \odot \mathrm{relu}'(z_1)$$
#
# $$\frac{\partial L}{\partial W_1} = x^\top \delta_1 \qquad \frac{\partial L}{\partial b_1} = \sum_{\text{batch}} \delta_1$$
#
# $\odot$ 表示逐元素相乘。这些公式不必死记，每一项都只是链式法则：$W_{2,jk}$ 把 $a_{1,j}$ 送到第 $k$ 个 logit，所以它的梯度是 $a_{1,j}\,\delta_{2,k}$，再对批次求和。而且**梯度与它对应的量形状相同**，这样乘积就只剩一种写法。


# %%
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def backward(x, targets, weights):
    z1, a1, logits = forward(x, weights)
    W2 = weights[2]

    delta2 = softmax(logits)  # (B, K)
    delta2[np.arange(len(x)), targets] -= 1
    delta2 /= len(x)
    delta1 = (delta2 @ W2.T) * (z1 > 0)  # (B, H)

    gradients = [x.T @ delta1, delta1.sum(axis=0), a1.T @ delta2, delta2.sum(axis=0)]
    return cross_entropy(logits, targets), gradients


# %% [markdown] lang="en"
# By hand, on a network small enough for paper. One example $x = (1, 2)$ of class 1, two hidden neurons, two classes,
# $W_1 = \begin{pmatrix}1 & 0\\ 0 & -1\end{pmatrix}$, $W_2 = \begin{pmatrix}1 & 0\\ 0 & 1\end{pmatrix}$, biases 0.
#
# - Forward: $z_1 = (1, -2)$, $a_1 = (1, 0)$, logits $= (1, 0)$, $p = \left(\frac{e}{e + 1}, \frac{1}{e + 1}\right) = (0.7311, 0.2689)$.
# - $\delta_2 = p - (0, 1) = (0.7311, -0.7311)$.
# - $\partial L/\partial W_2 = a_1^\top \delta_2 = \begin{pmatrix}0.7311 & -0.7311\\ 0 & 0\end{pmatrix}$.
# - $\delta_1 = (0.7311, -0.7311) \odot (1, 0) = (0.7311, 0)$.
# - $\partial L/\partial W_1 = x^\top \delta_1 = \begin{pmatrix}0.7311 & 0\\ 1.4621 & 0\end{pmatrix}$.
#
# The second hidden neuron was silent, so its column and its row get nothing. Compare.

# %% [markdown] lang="zh"
# 用一个小到能在纸上算的网络手算一遍：一个样本 $x = (1, 2)$，类别为 1；两个隐藏神经元，两个类别，$W_1 = \begin{pmatrix}1 & 0\\ 0 & -1\end{pmatrix}$，$W_2 = \begin{pmatrix}1 & 0\\ 0 & 1\end{pmatrix}$，偏置为 0。
#
# - 前向：$z_1 = (1, -2)$，$a_1 = (1, 0)$，logits $= (1, 0)$，$p = \left(\frac{e}{e + 1}, \frac{1}{e + 1}\right) = (0.7311, 0.2689)$。
# - $\delta_2 = p - (0, 1) = (0.7311, -0.7311)$。
# - $\partial L/\partial W_2 = a_1^\top \delta_2 = \begin{pmatrix}0.7311 & -0.7311\\ 0 & 0\end{pmatrix}$。
# - $\delta_1 = (0.7311, -0.7311) \odot (1, 0) = (0.7311, 0)$。
# - $\partial L/\partial W_1 = x^\top \delta_1 = \begin{pmatrix}0.7311 & 0\\ 1.4621 & 0\end{pmatrix}$。
#
# 第二个隐藏神经元没有激活，所以属于它的那一列和那一行得不到梯度。来对照代码的结果。

# %%
tiny = [np.array([[1.0, 0.0], [0.0, -1.0]]), np.zeros(2), np.eye(2), np.zeros(2)]
loss, gradients = backward(np.array([[1.0, 2.0]]), np.array([1]), tiny)
for name, gradient in zip(["W1", "b1", "W2", "b2"], gradients, strict=True):
    print(name, gradient.round(4).tolist())

p = math.e / (math.e + 1)
assert np.allclose(gradients[0], [[p, 0], [2 * p, 0]])
assert np.allclose(gradients[2], [[p, -p], [0, 0]])

# %% [markdown] lang="en"
# It agrees. On the real network, check the rule of shapes: each line must show the same shape twice.

# %% [markdown] lang="zh"
# 完全一致。再到真正的网络上检查形状规则：每一行的两个形状必须相同。

# %%
loss, gradients = backward(train_x[:32], train_y[:32], weights)
for name, weight, gradient in zip(["W1", "b1", "W2", "b2"], weights, gradients, strict=True):
    print(f"{name}  weight {weight.shape}  gradient {gradient.shape}")
    assert weight.shape == gradient.shape

# %% [markdown] lang="en"
# The right shape does not yet mean the right number. That is the next section's question.
#
# ### Exercise 04.3: Backward through PyTorch's layer (★★☆, 10 minutes)
#
# The layer is that of exercise 04.1: `output = x @ weight.T + bias` with `weight` of shape `(out, in)`. Given
# `delta`, the gradient at the output `(B, out)`, return the gradients of `weight`, `bias` and `x`. The formulas above do
# not fit as they stand: use the rule of shapes.

# %% [markdown] lang="zh"
# 形状对了，数值未必对。这就是下一节的问题。
#
# ### 练习 04.3：PyTorch 线性层的反向传播（★★☆，10 分钟）
#
# 这一层就是练习 04.1 的那一层：`output = x @ weight.T + bias`，`weight` 的形状是 `(out, in)`。已知输出处的梯度 `delta`，形状为 `(B, out)`，请返回 `weight`、`bias` 和 `x` 的梯度。上面的公式不能照搬，请用形状规则来推。


# %% exercise="04.3"
def my_linear_backward(x, weight, delta):
    """x (B, in), weight (out, in), delta (B, out) -> gradients of (weight, bias, x)."""
    ### BEGIN SOLUTION
    return delta.T @ x, delta.sum(axis=0), delta @ weight
    ### END SOLUTION


# %%
check("04.3", my_linear_backward)
# hint("04.3")
# solution("04.3")

# %% [markdown] lang="en"
# ## 7. The gradient check
#
# A wrong gradient seldom stops a program. So test it against the definition of the derivative. Move one weight up and
# down by a small $\varepsilon$ and look at the loss:
#
# $$\frac{\partial L}{\partial w} \approx \frac{L(w + \varepsilon) - L(w - \varepsilon)}{2 \varepsilon}$$
#
# This is a central difference. It needs no calculus and no knowledge of the network. It costs two forward passes for
# **each** weight, so it is for tests on small networks and never for training.

# %% [markdown] lang="zh"
# ## 7. 梯度检验
#
# 梯度写错了，程序一般不会报错。所以要拿导数的定义来检验它：把一个权重上下各移动一个很小的 $\varepsilon$，看损失怎样变：
#
# $$\frac{\partial L}{\partial w} \approx \frac{L(w + \varepsilon) - L(w - \varepsilon)}{2 \varepsilon}$$
#
# 这叫中心差分。它不需要微积分，也不需要了解网络的结构。代价是**每个**权重都要做两次前向计算，所以只用来在小网络上做测试，绝不用来训练。


# %%
def central_differences(loss, weights, epsilon):
    """The gradient of loss(), which reads the arrays in weights, by every weight."""
    slopes = []
    for weight in weights:
        slope = np.zeros_like(weight)
        for place in np.ndindex(weight.shape):
            before = weight[place]
            weight[place] = before + epsilon
            above = loss()
            weight[place] = before - epsilon
            below = loss()
            weight[place] = before  # put it back
            slope[place] = (above - below) / (2 * epsilon)
        slopes.append(slope)
    return slopes


# %% [markdown] lang="en"
# How near is near enough? Compare the difference with the size of the gradients themselves:
#
# $$\text{relative error} = \frac{\lVert g - h \rVert}{\lVert g \rVert + \lVert h \rVert}$$
#
# It is 0 for equal vectors, and 1 for opposite ones. As a rule of thumb in float64: below $10^{-7}$ the gradient is right,
# above $10^{-2}$ it is wrong. Look at each of the four gradients of a small network on 8 real digits.

# %% [markdown] lang="zh"
# 多接近才算够接近？要把差值与梯度本身的大小相比：
#
# $$\text{相对误差} = \frac{\lVert g - h \rVert}{\lVert g \rVert + \lVert h \rVert}$$
#
# 两者相等时为 0，方向相反时为 1。用 float64 时的经验是：小于 $10^{-7}$ 就是对的，大于 $10^{-2}$ 就是错的。取 8 个真实数字和一个小网络，逐个看四个梯度。


# %%
def relative_error(g, h):
    return np.linalg.norm(g - h) / (np.linalg.norm(g) + np.linalg.norm(h))


x, y = train_x[:8], train_y[:8]
small = init_weights(64, 16, 10, seed=lab.seed)
by_hand = backward(x, y, small)[1]
measured = central_differences(lambda: cross_entropy(forward(x, small)[2], y), small, epsilon=1e-6)
for name, g, h in zip(["W1", "b1", "W2", "b2"], by_hand, measured, strict=True):
    print(f"{name}  {g.size:4d} weights  relative error below 1e-7: {relative_error(g, h) < 1e-7}")
    assert relative_error(g, h) < 1e-7

# %% [markdown] lang="en"
# All 1,210 numbers of the backward pass are right. The check took 2,420 forward passes; our code got the same from one
# forward and one backward pass. A model with $10^9$ weights would need $2 \cdot 10^9$ forward passes for a single step. That factor is why
# backpropagation made large models possible.
#
# ### Exercise 04.4: A gradient check with two evaluations (★★☆, 10 minutes)
#
# There is a check that large models can afford. Move **all** weights at once along one direction $v$:
#
# $$\sum_i \frac{\partial f}{\partial w_i} v_i \approx \frac{f(w + \varepsilon v) - f(w - \varepsilon v)}{2 \varepsilon}$$
#
# For a random $v$, a wrong gradient shows up here almost surely. Write the right-hand side. Leave `w` unchanged.

# %% [markdown] lang="zh"
# 反向传播给出的 1,210 个数全部正确。检验用了 2,420 次前向计算，而我们的代码只用一次前向、一次反向，就得到了同样的结果。如果模型有 $10^9$ 个权重，用差分走一步就要 $2 \cdot 10^9$ 次前向计算。正因为省下了这么多倍，反向传播才让大模型成为可能。
#
# ### 练习 04.4：只算两次函数值的梯度检验（★★☆，10 分钟）
#
# 有一种检验连大模型也负担得起：让**所有**权重同时沿一个方向 $v$ 移动：
#
# $$\sum_i \frac{\partial f}{\partial w_i} v_i \approx \frac{f(w + \varepsilon v) - f(w - \varepsilon v)}{2 \varepsilon}$$
#
# 取随机的 $v$，错误的梯度几乎一定会露馅。请写出等式右边，不要改动 `w`。


# %% exercise="04.4"
def my_slope_along(f, w, direction, epsilon):
    """The slope of f at w along direction, by a central difference; w and direction of one shape."""
    ### BEGIN SOLUTION
    above = f(w + epsilon * direction)
    below = f(w - epsilon * direction)
    return (above - below) / (2 * epsilon)
    ### END SOLUTION


# %%
check("04.4", my_slope_along)
# hint("04.4")
# solution("04.4")

# %% [markdown] lang="en"
# ## 8. The same in labkit and in PyTorch
#
# labkit has this network for any number of layers: `labkit.network.MLP`. Give it our weights and compare its gradients
# with ours, number by number. Look at the largest difference.

# %% [markdown] lang="zh"
# ## 8. 与 labkit、PyTorch 对照
#
# labkit 提供了任意层数的同一种网络：`labkit.network.MLP`。把我们的权重交给它，逐个数比较梯度，看最大的差别。

# %%
from labkit.network import MLP

network = MLP((64, 16, 10))
network.weights = [(small[0], small[1]), (small[2], small[3])]
loss, pairs = network.backward(x, y)
from_labkit = [gradient for pair in pairs for gradient in pair]
largest = max(np.abs(g - h).max() for g, h in zip(by_hand, from_labkit, strict=True))
print("labkit's MLP, largest difference below 1e-12:", largest < 1e-12)
assert largest < 1e-12

# %% [markdown] lang="en"
# PyTorch writes down every operation of the forward pass and then walks this record from the end to the start, as you did
# in section 5. This is automatic differentiation, called autograd. We write the forward pass only, and `backward()` does
# the rest. The requirement is agreement within $10^{-10}$.

# %% [markdown] lang="zh"
# PyTorch 会记下前向计算的每一步操作，然后从末尾往回走一遍，就像你在第 5 节所做的那样。这叫自动微分，也叫自动求导（autograd）。我们只写前向传播，其余由 `backward()` 完成。要求两边相差不超过 $10^{-10}$。

# %%
from labkit import functions

leaves = [torch.tensor(weight, requires_grad=True) for weight in small]
t1, c1, t2, c2 = leaves
logits = functions.relu(torch.from_numpy(x) @ t1 + c1) @ t2 + c2
functions.cross_entropy(logits, torch.from_numpy(y)).backward()

largest = max(np.abs(g - leaf.grad.numpy()).max() for g, leaf in zip(by_hand, leaves, strict=True))
print("autograd, largest difference below 1e-10:", largest < 1e-10)
assert largest < 1e-10

# %% [markdown] lang="en"
# Three independent computations, one answer: differences, our backward pass, autograd. From now on we may use any of
# them.

# %% [markdown] lang="zh"
# 三种独立的计算得到同一个答案：差分、我们的反向传播、自动求导。从现在起用哪一个都行。

# %% [markdown] lang="en"
# ## 9. How small should ε be?
#
# Smaller is nearer to the derivative, so why not take $10^{-12}$? Because two errors pull in opposite directions. The
# difference formula itself is off by the order of $\varepsilon^2$ (one-sided: $\varepsilon$). And each loss is rounded at
# about the 16th digit; dividing this by $2\varepsilon$ makes it large. **Predict:** what shape will the error have over
# $\varepsilon$? And what will float32 do, with 7 digits only?
#
# The network here has tanh, which is smooth. labkit has the central difference too; we write the one-sided one.

# %% [markdown] lang="zh"
# ## 9. ε 取多小合适？
#
# 越小越接近导数，那为什么不取 $10^{-12}$？因为有两种误差此消彼长。差分公式本身的误差是 $\varepsilon^2$ 量级（单侧差分是 $\varepsilon$ 量级）；而每个损失值在第 16 位左右被舍入，除以 $2\varepsilon$ 之后就被放大了。**先预测**：误差随 $\varepsilon$ 变化的曲线是什么形状？只有 7 位有效数字的 float32 又会怎样？
#
# 这里的网络用光滑的 tanh。中心差分用 labkit 里的，单侧差分我们自己写。

# %%
from labkit.network import numerical_gradients, relative_difference


def one_sided_differences(network, x, targets, epsilon):
    here = network.loss(x, targets)
    slopes = []
    for pair in network.weights:
        slopes.append(tuple(np.zeros_like(weight) for weight in pair))
        for weight, slope in zip(pair, slopes[-1], strict=True):
            for place in np.ndindex(weight.shape):
                before = weight[place]
                weight[place] = before + epsilon
                slope[place] = (network.loss(x, targets) - here) / epsilon
                weight[place] = before
    return slopes


# %% [markdown] lang="en"
# The true gradient comes from the backward pass in float64. Read the printed lines from left to right: when
# $\varepsilon$ becomes ten times smaller, by how much does each error fall?

# %% [markdown] lang="zh"
# 以 float64 反向传播的结果作为真值。从左往右读每一行：$\varepsilon$ 缩小到十分之一时，各自的误差缩小多少？

# %%
smooth = MLP((8, 6, 3), activation="tanh", seed=lab.seed)
single = MLP((8, 6, 3), activation="tanh", seed=lab.seed, dtype=np.float32)
inputs, labels = rng.standard_normal((8, 8)), rng.integers(0, 3, 8)
truth = smooth.backward(inputs, labels)[1]

epsilons = 10.0 ** -np.arange(1, 13)
methods = {
    "one-sided": lambda e: one_sided_differences(smooth, inputs, labels, e),
    "central": lambda e: numerical_gradients(smooth, inputs, labels, e),
    "central, float32": lambda e: numerical_gradients(single, inputs, labels, e),
}
errors = {name: [relative_difference(truth, by(e)) for e in epsilons] for name, by in methods.items()}
for name in ("one-sided", "central"):
    print(
        f"{name:10s}",
        "  ".join(f"ε {e:.0e}: {error:.1e}" for e, error in zip(epsilons, errors[name][:3], strict=False)),
    )

# %%
ax = plots.lines(epsilons, errors, xlabel="ε", ylabel="relative error", log_x=True, log_y=True, markers=True)
plots.show(
    ax,
    alt="Each curve is a V: the error falls as ε shrinks, then rounding lifts it again.",
)
print("best central below 1e-9:    ", min(errors["central"]) < 1e-9)
print("best one-sided above 1e-9:  ", min(errors["one-sided"]) > 1e-9)
print("float32 never below 1e-6:   ", min(errors["central, float32"]) > 1e-6)

# %% [markdown] lang="en"
# Each curve is a V. On its right arm the formula errs: central falls by 100 when $\varepsilon$ falls by 10, one-sided only
# by 10. On the left arm rounding errs. The central difference is best near $\varepsilon = 10^{-5}$, and there it is
# hundreds of times better than the best one-sided one. In float32 no $\varepsilon$ passes the test of section 7,
# and from $10^{-7}$ down adding $\varepsilon$ hardly changes any weight: **check gradients in float64.**
#
# One more trap. ReLU has a kink at 0. A difference that reaches across it measures neither slope.

# %% [markdown] lang="zh"
# 每条曲线都是 V 形。右臂上是公式的误差：$\varepsilon$ 缩小到 1/10，中心差分的误差就缩小到 1/100，单侧差分只缩小到 1/10。左臂上是舍入误差。中心差分在 $\varepsilon = 10^{-5}$ 附近最好，误差只有单侧差分最好结果的几百分之一。换成 float32，无论 $\varepsilon$ 取多少都通不过第 7 节的标准；而且 $\varepsilon$ 到了 $10^{-7}$ 及更小时，加上它几乎改变不了任何权重：**梯度检验要用 float64。**
#
# 还有一个陷阱：ReLU 在 0 处有一个折点。跨过折点的差分，量到的既不是左边的斜率，也不是右边的斜率。

# %%
for z in (1e-3, 1e-7):
    numeric = (relu(z + 1e-5) - relu(z - 1e-5)) / 2e-5
    print(f"z = {z:.0e}: derivative 1, central difference with ε = 1e-5 gives {numeric:.3f}")

# %% [markdown] lang="en"
# At $z = 10^{-7}$ the check cries wolf: the gradient was right. If a check of a ReLU network fails in a few places only, try
# a smaller $\varepsilon$ or other inputs before you search for a fault.

# %% [markdown] lang="zh"
# 在 $z = 10^{-7}$ 处检验误报了：梯度其实是对的。如果 ReLU 网络只有零星几处通不过检验，先换更小的 $\varepsilon$ 或换一批输入，再去找错。

# %% [markdown] lang="en"
# ## 10. Training by hand
#
# The gradient points to where the loss grows, so a step goes the other way: $w \leftarrow w - \eta\, \partial L/\partial w$
# with the learning rate $\eta$. Stochastic gradient descent (SGD) takes such a step after every small batch of examples.
# One pass through all training examples, in a new random order, is an epoch.

# %% [markdown] lang="zh"
# ## 10. 手写训练
#
# 梯度指向损失增大的方向，所以要反着走一步：$w \leftarrow w - \eta\, \partial L/\partial w$，$\eta$ 是学习率。随机梯度下降（SGD）每看一小批样本就走一步。把全部训练样本按新的随机顺序看一遍，叫一轮（epoch）。


# %%
def train_epoch(weights, x, targets, learning_rate, rng, backward=backward, batch_size=32):
    """One epoch of gradient descent; changes weights in place and returns the mean loss."""
    losses = []
    order = rng.permutation(len(x))
    for first in range(0, len(x), batch_size):
        rows = order[first : first + batch_size]
        loss, gradients = backward(x[rows], targets[rows], weights)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= learning_rate * gradient
        losses.append(loss)
    return float(np.mean(losses))


# %% [markdown] lang="en"
# Now the real thing: 128 hidden neurons, learning rate 0.5, batches of 32. These settings were chosen on other splits of
# the data (seeds 100 to 111), not on the digits that judge us here. Watch the held-out accuracy and the clock.

# %% [markdown] lang="zh"
# 正式训练：128 个隐藏神经元，学习率 0.5，批大小 32。这些设置是在别的数据划分（种子 100 到 111）上选定的，没有用到这里的测试数字。请留意测试正确率和所用时间。

# %% tags=["nbval-ignore-output"]
epochs = lab.pick(2, 40, 100)
weights, order_rng = init_weights(64, 128, 10, seed=lab.seed), np.random.default_rng(lab.seed)
losses, correct = [], {"training": [], "held out": []}
started = time.perf_counter()
for epoch in range(1, epochs + 1):
    losses.append(train_epoch(weights, train_x, train_y, 0.5, order_rng))
    correct["training"].append(accuracy(forward(train_x, weights)[2], train_y))
    correct["held out"].append(accuracy(forward(test_x, weights)[2], test_y))
    if epoch in (1, 2, 5, 10, 20, epochs):
        print(f"epoch {epoch:3d}  loss {losses[-1]:.3f}  held out {correct['held out'][-1]:.3f}")
seconds = time.perf_counter() - started
print(f"{seconds:.1f} s for {epochs} epochs")
assert lab.mode == "smoke" or (seconds < 20 and correct["held out"][-1] > 0.95)

# %% tags=["nbval-ignore-output"]
axes = plots.new_axes(8, 3, columns=2)
steps = range(1, epochs + 1)
plots.lines(steps, {"loss": losses}, xlabel="epoch", ylabel="training loss", log_y=True, ax=axes[0])
plots.lines(steps, correct, xlabel="epoch", ylabel="accuracy", ax=axes[1])
plots.show(
    axes,
    alt="The loss falls; training accuracy reaches 1, held-out accuracy stays near 0.98.",
)
print(f"at the end: training {correct['training'][-1]:.3f}, held out {correct['held out'][-1]:.3f}")

# %% [markdown] lang="en"
# In about a second the network passes the nearest mean and goes on to 97 or 98 %. On the training digits it makes no
# mistake any more while it still errs on new ones. This gap is overfitting, here a mild case.
#
# Look at the eight held-out digits that it finds hardest: the smallest probability for the true class.

# %% [markdown] lang="zh"
# 大约一秒钟，网络就超过了最近均值，并升到 97% 至 98%。在训练数字上它已经不再出错，在新数字上仍会错。这个差距就是过拟合，这里程度很轻。
#
# 看看它觉得最难的八个测试数字，也就是给正确类别的概率最小的八个。

# %% tags=["nbval-ignore-output"]
p = softmax(forward(test_x, weights)[2])
hardest = p[np.arange(len(test_y)), test_y].argsort()[:8]
titles = [f"{test_y[i]}, read {p[i].argmax()}" for i in hardest]
axes = plots.images(test_x[hardest].reshape(-1, 8, 8), titles=titles, size=1.0)
plots.show(
    axes,
    alt="The eight hardest held-out digits, each with its true and its predicted label.",
)
wrong = int((p.argmax(axis=1) != test_y).sum())
print(f"{wrong} of {len(test_y)} held-out digits are read wrong")

# %% [markdown] lang="en"
# Which of these would you have read right?
#
# ### How sure are we?
#
# One split holds 360 test digits. If 98 % are right, chance alone moves the result by about
# $1.96 \sqrt{0.98 \cdot 0.02 / 360} = 1.4$ points. So train again on several splits, each with its own initialization, and
# give the mean with its interval, beside two baselines on the same splits: the nearest mean, and logistic regression,
# which is a network without a hidden layer.

# %% [markdown] lang="zh"
# 这里面有哪几个，你自己能认对？
#
# ### 我们有多大把握？
#
# 一次划分只有 360 个测试数字。若正确率为 98%，仅凭偶然就会有 $1.96 \sqrt{0.98 \cdot 0.02 / 360} = 1.4$ 个百分点的波动。所以要在多个划分上各用不同的初始化重新训练，给出平均值和置信区间，并与同样划分上的两个基线比较：最近均值，以及逻辑回归（没有隐藏层的网络）。

# %%
from sklearn.linear_model import LogisticRegression


def nearest_mean(train_x, train_y, test_x):
    means = np.stack([train_x[train_y == k].mean(axis=0) for k in range(10)])
    return (test_x @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)


# %%
def compare_on_split(seed):
    """Held-out accuracy of (our network, logistic regression, nearest mean) on one split."""
    data = load_digits(seed=seed)
    x, new_x = (part.numpy().astype(np.float64) for part in (data.train_x, data.test_x))
    y, new_y = data.train_y.numpy(), data.test_y.numpy()
    weights, rng = init_weights(64, 128, 10, seed), np.random.default_rng(seed)
    for _ in range(epochs):
        train_epoch(weights, x, y, 0.5, rng)
    logistic = LogisticRegression(max_iter=1000).fit(x, y).predict(new_x)
    predictions = forward(new_x, weights)[2], logistic, nearest_mean(x, y, new_x)
    return [accuracy(prediction, new_y) for prediction in predictions]


# %% tags=["nbval-ignore-output"]
seeds = lab.pick(2, 10, 30)
started = time.perf_counter()
ours, logistic, centroid = np.array([compare_on_split(lab.seed + i) for i in range(seeds)]).T
mean, low, high = mean_interval(ours)
gain, gain_low, gain_high = mean_interval(ours - logistic)
print(f"{seeds} splits in {time.perf_counter() - started:.1f} s")
print(f"gain over logistic regression on the same split: {gain:+.4f} ({gain_low:+.4f} to {gain_high:+.4f})")
assert lab.mode == "smoke" or mean >= 0.97

accuracy_row = {"ours": mean, "seeds": seeds, "interval": (low, high), "digits": 4}
report(
    Measure(
        "held-out accuracy", baseline=logistic.mean(), baseline_name="logistic regression", **accuracy_row
    ),
    Measure("held-out accuracy", baseline=centroid.mean(), baseline_name="nearest mean", **accuracy_row),
)

# %% [markdown] lang="en"
# The mean over the splits lies above 97 %, which the cell asserts, and above both baselines. The hidden layer is worth
# about one point: small, but it is there on the same splits. (The splits share their pictures, so the interval is somewhat
# too narrow.)
#
# ### Exercise 04.5: A step with momentum (★★☆, 8 minutes)
#
# Plain SGD forgets the last step. With momentum a velocity remembers: first $v \leftarrow \mu v + g$, then
# $w \leftarrow w - \eta v$. This is PyTorch's convention. Return the new weight and the new velocity; leave the arguments as
# they are.

# %% [markdown] lang="zh"
# 各划分的平均正确率超过 97%（单元格里有断言），也超过两个基线。隐藏层带来约一个百分点的提升：不大，但在相同划分上确实存在。（各划分共用同一批图片，所以这个区间略微偏窄。）
#
# ### 练习 04.5：带动量的一步更新（★★☆，8 分钟）
#
# 普通的 SGD 不记得上一步。带动量时用速度来记忆：先 $v \leftarrow \mu v + g$，再 $w \leftarrow w - \eta v$。这是 PyTorch 的约定。请返回新的权重和新的速度，不要改动传入的参数。


# %% exercise="04.5"
def my_momentum_step(weight, velocity, gradient, learning_rate, momentum):
    """One step of SGD with momentum: (new weight, new velocity)."""
    ### BEGIN SOLUTION
    velocity = momentum * velocity + gradient
    return weight - learning_rate * velocity, velocity
    ### END SOLUTION


# %%
check("04.5", my_momentum_step)
# hint("04.5")
# solution("04.5")

# %% [markdown] lang="en"
# ## 11. The same training in PyTorch
#
# In PyTorch the network is three lines, and `labkit.training.fit` is the loop for every model of this course. It takes a
# task (model, loss, optimizer) and batches. To compare, give both sides the same first weights and the same batches, in
# float64. PyTorch keeps `weight` as `(out, in)`, hence the transpose.

# %% [markdown] lang="zh"
# ## 11. 用 PyTorch 做同样的训练
#
# 在 PyTorch 里，这个网络只要三行；`labkit.training.fit` 是本课程所有模型共用的训练循环，它接收一个任务（模型、损失、优化器）和若干批数据。为了比较，让两边从相同的权重出发，用相同的批次，都用 float64。PyTorch 的 `weight` 是 `(out, in)`，所以要转置。

# %%
from torch import nn

from labkit.training import ArrayBatches, SupervisedTask, fit


def torch_network(weights):
    W1, b1, W2, b2 = (torch.tensor(weight) for weight in weights)
    model = nn.Sequential(nn.Linear(64, len(b1)), nn.ReLU(), nn.Linear(len(b1), 10)).double()
    first, _, second = model
    with torch.no_grad():
        for layer, W, b in ((first, W1, b1), (second, W2, b2)):
            layer.weight.copy_(W.T)
            layer.bias.copy_(b)
    return model


# %% [markdown] lang="en"
# First `fit` trains the PyTorch network for 100 steps. Look at the first and the last loss in its history.

# %% [markdown] lang="zh"
# 先用 `fit` 把 PyTorch 网络训练 100 步。看历史记录里第一个和最后一个损失。

# %%
beginning = init_weights(64, 128, 10, seed=lab.seed)
batches = ArrayBatches(train_x, train_y, batch_size=32, seed=lab.seed)
model = torch_network(beginning)
task = SupervisedTask(model, functions.cross_entropy, torch.optim.SGD(model.parameters(), lr=0.5))
history = fit(task, batches, steps=100)
print(history)

# %% [markdown] lang="en"
# Now our own loop over the same batches. Look at whether the two lists of losses agree, step by step.

# %% [markdown] lang="zh"
# 再让我们自己的循环走一遍同样的批次，看两边的损失是否每一步都一致。

# %%
by_hand_losses = []
for step in range(100):
    x, y = (part.numpy() for part in batches(step))
    loss, gradients = backward(x, y, beginning)
    beginning = [weight - 0.5 * gradient for weight, gradient in zip(beginning, gradients, strict=True)]
    by_hand_losses.append(loss)
print(f"{len(by_hand_losses)} steps by hand, loss {by_hand_losses[0]:.3g} -> {by_hand_losses[-1]:.3g}")
gap = np.abs(np.array(history.train["loss"]) - by_hand_losses).max()
print("largest difference in 100 losses below 1e-9:", gap < 1e-9)
assert gap < 1e-9

# %% [markdown] lang="en"
# It is the same training. From here on PyTorch may do the derivatives. The rest of the course looks like the next cell: a
# model, a task, `fit`, a curve. It uses float32, the usual type, and evaluates every 90 steps, which is two epochs.

# %% [markdown] lang="zh"
# 两边的训练完全一样。从此求导就可以交给 PyTorch。课程后面的代码都像下一个单元格：模型、任务、`fit`、曲线。这里用常用的 float32，每 90 步（两轮）评估一次。

# %% tags=["nbval-ignore-output"]
torch.manual_seed(lab.seed)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
task = SupervisedTask(model, functions.cross_entropy, torch.optim.SGD(model.parameters(), lr=0.5))
batches = ArrayBatches(digits.train_x, digits.train_y, batch_size=32, seed=lab.seed)


def evaluate():
    return {"accuracy": accuracy(task.predict(digits.test_x), digits.test_y)}


history = fit(task, batches, steps=epochs * batches.steps_per_epoch, evaluate=evaluate, evaluate_every=90)
print(
    f"{len(history)} steps in {history.seconds:.1f} s, held out {history.evaluations['accuracy'][-1][1]:.3f}"
)
assert lab.mode == "smoke" or history.evaluations["accuracy"][-1][1] > 0.95

# %% tags=["nbval-ignore-output"]
at, score = zip(*history.evaluations["accuracy"], strict=True)
own_steps = np.arange(1, epochs + 1) * batches.steps_per_epoch
curves = {"PyTorch, fit": score, "by hand": correct["held out"]}
ax = plots.lines(
    {"PyTorch, fit": at, "by hand": own_steps}, curves, xlabel="step", ylabel="held-out accuracy"
)
ax.axhline(0.97, color="black", linewidth=0.7)
plots.show(
    ax,
    alt="By hand and in PyTorch, accuracy rises alike to the line at 0.97 or above it.",
)
print(f"at the end: PyTorch {score[-1]:.3f}, by hand {correct['held out'][-1]:.3f}")

# %% [markdown] lang="en"
# Other first weights and another order of the batches, and within chance the same result.

# %% [markdown] lang="zh"
# 初始权重和批次顺序都不同，结果在偶然误差范围内相同。

# %% [markdown] lang="en"
# ## 12. Initialization
#
# Where does training begin? Start with the simplest idea, all weights zero, and the next one, all weights equal.
# **Predict:** what does the network learn in 50 steps?

# %% [markdown] lang="zh"
# ## 12. 初始化
#
# 训练从哪里开始？先试最简单的想法：权重全为零；再试：权重全相等。**先预测**：50 步之后，网络学到了什么？


# %%
def train_mlp(network, steps, learning_rate, x=train_x, targets=train_y, batch_size=32):
    """Train labkit's MLP on random batches and return the losses."""
    rng, losses = np.random.default_rng(lab.seed), []
    with np.errstate(all="ignore"):  # a rate that is too large overflows; that is what we want to see
        for _ in range(steps):
            rows = rng.integers(0, len(x), batch_size)
            loss, gradients = network.backward(x[rows], targets[rows])
            network.step(gradients, learning_rate)
            losses.append(loss)
    return losses


# %%
for value in (0.0, 0.1):
    network = MLP((64, 32, 10), init="zeros", seed=lab.seed)
    for W, _ in network.weights:
        W += value
    last = np.mean(train_mlp(network, 50, learning_rate=0.5)[-20:])
    different = len(np.unique(network.weights[0][0].round(6), axis=1).T)
    print(f"all {value}: loss {last:.1f} after 50 steps, different hidden neurons: {different} of 32")

# %% [markdown] lang="en"
# With zeros the loss stays at $\ln 10 = 2.3$: $a_1 = 0$, so $W_2$ gets no gradient, and $W_2 = 0$ lets none through to
# $W_1$. Only $b_2$ moves. With equal weights, all 32 neurons get the same gradient at every step and stay copies of one.
# Random weights break this symmetry.
#
# But how large should the random numbers be? The sum $z = \sum_i w_i a_i$ has $n$ terms (`fan_in`). With independent
# weights of mean 0, $\mathrm{E}[z^2] = n \cdot \mathrm{Var}(w) \cdot \mathrm{E}[a^2]$. ReLU throws half of it away:
# $\mathrm{E}[a^2] = \mathrm{E}[z^2]/2$. So the signal keeps its size from layer to layer if
#
# $$\mathrm{Var}(w) = \frac{2}{n} \qquad \text{(He et al. 2015)}, \qquad \text{std} = \sqrt{2/n}$$
#
# For tanh, which does not halve, Glorot and Bengio (2010) use $\mathrm{Var}(w) = 2/(n_\text{in} + n_\text{out})$, called
# Xavier. Look at the root mean square of $z$ in a network with four layers, before training, for weights around
# He's choice.

# %% [markdown] lang="zh"
# 全零时损失停在 $\ln 10 = 2.3$：$a_1 = 0$，所以 $W_2$ 没有梯度；$W_2 = 0$，梯度又传不到 $W_1$。只有 $b_2$ 在动。权重全相等时，32 个神经元每一步得到相同的梯度，永远是同一个神经元的副本。随机权重打破了这种对称。
#
# 那么随机数该取多大？和式 $z = \sum_i w_i a_i$ 有 $n$ 项（即 `fan_in`）。权重独立且均值为 0 时，$\mathrm{E}[z^2] = n \cdot \mathrm{Var}(w) \cdot \mathrm{E}[a^2]$。ReLU 丢掉一半：$\mathrm{E}[a^2] = \mathrm{E}[z^2]/2$。因此要让信号逐层保持大小，应取
#
# $$\mathrm{Var}(w) = \frac{2}{n} \qquad \text{（He 等，2015）}, \qquad \text{std} = \sqrt{2/n}$$
#
# tanh 不会让信号减半，Glorot 和 Bengio（2010）取 $\mathrm{Var}(w) = 2/(n_\text{in} + n_\text{out})$，称为 Xavier 初始化。下面看一个四层网络：训练开始前，权重取 He 值的若干倍，各层 $z$ 的均方根是多少？


# %%
def scaled_network(scale, sizes=(64, 64, 64, 64, 10)):
    network = MLP(sizes, seed=lab.seed)  # He
    for W, _ in network.weights:
        W *= scale
    return network


scales = {"zero": 0.0, "too small (0.3 x He)": 0.3, "He": 1.0, "too large (3 x He)": 3.0}
for name, scale in scales.items():
    outputs = scaled_network(scale).trace(train_x)[1]
    print(
        f"{name:21s}",
        "  ".join(f"z{i} {np.sqrt((z**2).mean()):8.3g}" for i, z in enumerate(outputs, start=1)),
    )

# %% [markdown] lang="en"
# With He's choice $z$ keeps its size. With 0.3 of it, each layer shrinks the signal by 0.3; with 3 times, each layer
# makes it 3 times larger. The gradients on the way back do the same. Now train all four and look at the curves.

# %% [markdown] lang="zh"
# 取 He 值时 $z$ 保持大小；取 0.3 倍，每层缩小到 0.3；取 3 倍，每层放大到 3 倍。往回传的梯度也是如此。现在把四个都训练一遍，看曲线。


# %% tags=["nbval-ignore-output"]
def smoothed(losses, window=20):
    return np.convolve(losses, np.ones(window) / window, mode="valid")


steps = lab.pick(60, 900, 3000)
init_curves = {}
for name, scale in scales.items():
    network = scaled_network(scale)
    before = network.weights[0][0].copy()
    init_curves[name] = smoothed(train_mlp(network, steps, learning_rate=0.05))
    moved = np.linalg.norm(network.weights[0][0] - before) / max(np.linalg.norm(before), 1e-12)
    right = accuracy(network.predict(test_x), test_y)
    print(f"{name:21s} loss {init_curves[name][-1]:.3f}  held out {right:.3f}  W1 moved by {moved:.0%}")
ax = plots.lines(np.arange(steps - 19), init_curves, xlabel="step", ylabel="training loss", log_y=True)
plots.show(ax, alt="Zero stays flat, too small waits long, He falls at once, too large starts far higher.")

# %% [markdown] lang="en"
# Zero never starts. Too small waits on a plateau until the layers have grown. He's choice learns from the first step.
# Too large is the treacherous one: it begins with a huge loss, and in the end its *training* loss is as small as He's or
# smaller, but it reads new digits worse. Measured by their size, its weights moved least (last column): it keeps most of
# its random start and fits the training digits on top of that (Chizat et al. 2019 call it lazy training). The deeper the
# network, the more the scale matters: its effect is a power of the depth.
#
# ### Exercise 04.6: The right spread for leaky ReLU (★★☆, 10 minutes)
#
# Leaky ReLU passes negative values too, times `slope`. Repeat the argument: what is $\mathrm{E}[a^2]$ now, and which
# standard deviation keeps $\mathrm{E}[z^2]$ from layer to layer? With slope 0 it must be He's value. What should it be with
# slope 1, where nothing is thrown away?

# %% [markdown] lang="zh"
# 全零永远起不了步。太小的要在平台期停留很久，直到各层的权重长大。He 初始化从第一步起就在学。太大的最容易骗人：一开始损失极高，最后它的**训练**损失与 He 初始化一样低，甚至更低，读新数字却更差。相对于自身大小，它的权重移动得最少（见最后一列）：大部分还是随机的初始值，只是在此之上拟合了训练数字（Chizat 等人 2019 年称之为“懒惰训练”）。网络越深，尺度越要紧：它的影响按层数的幂增长。
#
# ### 练习 04.6：为 leaky ReLU 选合适的权重尺度（★★☆，10 分钟）
#
# leaky ReLU 也让负值通过，只是乘上 `slope`。把上面的推导重做一遍：现在 $\mathrm{E}[a^2]$ 是多少？取多大的标准差能让 $\mathrm{E}[z^2]$ 逐层不变？slope 为 0 时应当回到 He 值；slope 为 1 时什么也没丢掉，又该是多少？


# %% exercise="04.6"
def my_he_std(fan_in, fan_out, slope):
    """Standard deviation of the weights of a layer fan_in -> fan_out after leaky ReLU with this slope."""
    ### BEGIN SOLUTION
    return math.sqrt(2 / ((1 + slope**2) * fan_in))
    ### END SOLUTION


# %%
check("04.6", my_he_std)
# hint("04.6")
# solution("04.6")

# %% [markdown] lang="en"
# ## 13. Learning rate
#
# Look at one weight first, with the loss $L(w) = \frac{c}{2} w^2$ and $c = 4$. Its gradient is $c w$, so each step
# multiplies the weight by the same number:
#
# $$w \leftarrow w - \eta c w = (1 - \eta c)\, w$$
#
# By hand from $w = 1$: with $\eta = 0.01$ one step leads to $0.96$, with $\eta = 0.2$ to $0.2$, with $\eta = 0.45$ to
# $-0.8$, with $\eta = 0.55$ to $-1.2$, away from the minimum. It converges exactly if $|1 - \eta c| < 1$, that is for
# $\eta < 2/c = 0.5$. Look for the four cases in the figure.

# %% [markdown] lang="zh"
# ## 13. 学习率
#
# 先看一个权重，损失 $L(w) = \frac{c}{2} w^2$，$c = 4$。梯度是 $c w$，所以每一步都把权重乘上同一个数：
#
# $$w \leftarrow w - \eta c w = (1 - \eta c)\, w$$
#
# 从 $w = 1$ 出发手算一步：$\eta = 0.01$ 到 $0.96$；$\eta = 0.2$ 到 $0.2$；$\eta = 0.45$ 到 $-0.8$；$\eta = 0.55$ 到 $-1.2$，反而离最小值更远。当且仅当 $|1 - \eta c| < 1$，即 $\eta < 2/c = 0.5$ 时收敛。请在图中找到这四种情况。

# %%
paths = {}
for rate in (0.01, 0.2, 0.45, 0.55):
    path = [1.0]
    for _ in range(12):
        path.append(path[-1] - rate * 4 * path[-1])
    paths[f"η = {rate}"] = path
    print(f"η = {rate:4}  after 1 step {path[1]:5.2f}  after 12 steps {path[-1]:6.3f}")
    assert math.isclose(path[12], (1 - rate * 4) ** 12)
ax = plots.lines(range(13), paths, xlabel="step", ylabel="w", markers=True)
plots.show(
    ax,
    alt="0.01 creeps to 0, 0.2 is there soon, 0.45 swings and calms down, 0.55 explodes.",
)

# %% [markdown] lang="en"
# Too small creeps, good arrives, larger swings, too large explodes. A network has thousands of directions with different
# curvature $c$, and the steepest one sets the limit. The same picture on the digits, with the two-layer network:

# %% [markdown] lang="zh"
# 太小就爬得慢，合适就直接到位，再大会来回摆，太大就发散。网络有成千上万个方向，曲率 $c$ 各不相同，最陡的那个方向决定上限。在手写数字上用两层网络看同样的现象：

# %% tags=["nbval-ignore-output"]
rate_curves = {}
for name, rate in {"too small (0.005)": 0.005, "good (0.5)": 0.5, "too large (3)": 3.0}.items():
    network = MLP((64, 128, 10), seed=lab.seed)
    rate_curves[name] = smoothed(train_mlp(network, steps, rate))
    right = accuracy(network.predict(test_x), test_y)
    alive = (network.trace(test_x)[1][0] > 0).mean()
    print(f"{name:18s} loss {rate_curves[name][-1]:.3f}  held out {right:.3f}  z1 > 0 in {alive:.0%}")
ax = plots.lines(np.arange(steps - 19), rate_curves, xlabel="step", ylabel="training loss", log_y=True)
plots.show(ax, alt="Too small falls slowly, good falls fast, too large stays near 2.3 or above it.")

# %% [markdown] lang="en"
# The last column says how it ended: with the rate that is too large, no hidden neuron is active for any digit. The first
# steps threw the weights too far, and from there no gradient brings them back (the dead units of lesson 02).
#
# ### Learning rate and initialization together
#
# **Predict before you look:** can a smaller learning rate save an initialization that is too large? Can a larger one save
# one that is too small? The figure shows the held-out accuracy after 150 steps on 300 digits with 32 hidden neurons, for
# 25 pairs. It is the printed form of the panel below it.

# %% [markdown] lang="zh"
# 最后一列说明了结局：学习率太大时，无论输入哪个数字，都没有一个隐藏神经元还能激活。最初几步把权重甩得太远，梯度再也拉不回来（即第 02 课的死亡单元）。
#
# ### 学习率与初始化的共同作用
#
# **先预测再看图**：初始化太大，减小学习率能救回来吗？初始化太小，加大学习率能救回来吗？图中是 32 个隐藏神经元、300 个训练数字、150 步之后的测试正确率，共 25 种组合。它就是下面交互面板的纸面版。


# %%
def quick_training(learning_rate, scale, hidden):
    network = scaled_network(scale, sizes=(64, hidden, 10))
    losses = train_mlp(network, 150, learning_rate, train_x[:300], train_y[:300])
    with np.errstate(all="ignore"):
        return losses, accuracy(np.nan_to_num(network.forward(test_x)), test_y)


# %% tags=["nbval-ignore-output"]
rates, spreads = (0.003, 0.03, 0.3, 1.0, 10.0), (0.0, 0.01, 0.1, 1.0, 10.0)
grid = [[quick_training(rate, spread, 32)[1] for rate in rates] for spread in spreads]
ax = plots.heatmap(
    grid, xlabel="learning rate", ylabel="weights, times He", xticks=rates, yticks=spreads, digits=2
)
plots.show(
    ax,
    alt="Accuracy is high only for rates 0.3 and 1 with scales from 0.01 to 1.",
)
print(f"best {np.max(grid):.2f}, and {np.mean(np.array(grid) < 0.2):.0%} of the pairs stay near chance")

# %% [markdown] lang="en"
# A larger rate does save small weights here, down to 0.01 of He's, because the network has two layers only. A smaller rate
# does not save weights that are ten times too large, at least not in 150 steps. Nothing saves zero, and nothing saves a rate
# of 10. Now try it yourself: find a pair that reaches the best accuracy, then find out whether more hidden neurons widen
# the field of good learning rates.

# %% [markdown] lang="zh"
# 加大学习率确实救得了太小的权重，小到 He 值的 0.01 倍也行，因为这个网络只有两层。减小学习率却救不了放大到 10 倍的权重，至少 150 步之内不行。全零怎么都救不了，学习率为 10 也怎么都救不了。现在自己动手：找一个正确率最高的组合，再看看增加隐藏神经元能否放宽可用的学习率范围。


# %% tags=["nbval-ignore-output"]
def draw(log10_rate, scale, hidden):
    losses, right = quick_training(10.0**log10_rate, scale, hidden)
    losses = np.nan_to_num(losses, nan=10, posinf=10).clip(1e-3, 10)
    ax = plots.lines(range(1, 151), {"loss": losses}, xlabel="step", ylabel="training loss", log_y=True)
    ax.set_ylim(0.01, 12)
    ax.axhline(math.log(10), color="black", linewidth=0.7)
    last = losses[-10:].mean()
    return ax, f"learning rate {10.0**log10_rate:.3g}: last loss {last:.3f}, held-out accuracy {right:.3f}"


widgets.explorer(
    draw, log10_rate=(-3.0, 1.5, 0.25, -0.5), scale=(0.0, 10.0, 0.25, 1.0), hidden=(2, 64, 2, 32)
)

# %% [markdown] lang="en"
# The thin line is $\ln 10$, the loss of guessing. A curve that lies on it does not learn.

# %% [markdown] lang="zh"
# 细线是 $\ln 10$，即瞎猜的损失。贴着这条线的曲线没有在学习。

# %% [markdown] lang="en"
# ## 14. Break it
#
# A colleague has written a network with three layers, 64-32-32-10. It runs, the loss falls, and it reads most digits. The
# colleague is content. Read the code, train it, look at the numbers. Would you sign it off?

# %% [markdown] lang="zh"
# ## 14. 找出故障
#
# 一位同事写了一个三层网络 64-32-32-10。程序能运行，损失在下降，大多数数字也认得出来，同事很满意。请读代码，训练它，看输出的数。你会签字验收吗？


# %%
def colleague(x, targets, weights):
    W1, b1, W2, b2, W3, b3 = weights
    z1 = x @ W1 + b1
    a1 = relu(z1)
    z2 = a1 @ W2 + b2
    a2 = relu(z2)
    logits = a2 @ W3 + b3

    delta3 = (softmax(logits) - np.eye(10)[targets]) / len(x)
    delta2 = (delta3 @ W3.T) * (z1 > 0)
    delta1 = (delta2 @ W2.T) * (z1 > 0)
    gradients = [x.T @ delta1, delta1.sum(axis=0), a1.T @ delta2, delta2.sum(axis=0)]
    gradients += [a2.T @ delta3, delta3.sum(axis=0)]
    return cross_entropy(logits, targets), gradients


# %% tags=["nbval-ignore-output"]
def train_three_layers(backward, seed):
    flat = [weight.copy() for pair in MLP((64, 32, 32, 10), seed=seed).weights for weight in pair]
    rng = np.random.default_rng(seed)
    losses = [train_epoch(flat, train_x, train_y, 0.1, rng, backward) for _ in range(lab.pick(1, 20, 40))]
    W1, b1, W2, b2, W3, b3 = flat
    logits = relu(relu(test_x @ W1 + b1) @ W2 + b2) @ W3 + b3
    return losses, accuracy(logits, test_y)


falling, right = train_three_layers(colleague, lab.seed)
ax = plots.lines(
    range(1, len(falling) + 1), {"loss": falling}, xlabel="epoch", ylabel="training loss", log_y=True
)
plots.show(ax, alt="The colleague's training loss falls over the epochs as in a healthy network.")
print(f"loss {falling[0]:.3f} -> {falling[-1]:.3f}, held out {right:.3f}")

# %% [markdown] lang="en"
# Nothing looks broken. About 95 % could be called a result. The curve cannot tell whether the gradient is right, but
# section 7 can. **Before you read on:** run the gradient check and say from the table in which line the fault must be.

# %% [markdown] lang="zh"
# 看不出哪里坏了，95% 左右也像个结果。曲线看不出梯度对不对，但第 7 节的办法可以。**往下读之前**：运行梯度检验，从表中判断错误一定出在哪一行。

# %%
flat = [weight.copy() for pair in MLP((64, 32, 32, 10), seed=lab.seed).weights for weight in pair]
network = MLP((64, 32, 32, 10))
network.weights = [(flat[0], flat[1]), (flat[2], flat[3]), (flat[4], flat[5])]
x, y = train_x[:8], train_y[:8]

claimed = colleague(x, y, flat)[1]
measured = central_differences(lambda: network.loss(x, y), flat, epsilon=1e-6)
for name, g, h in zip(["W1", "b1", "W2", "b2", "W3", "b3"], claimed, measured, strict=True):
    error = relative_error(g, h)
    print(f"{name}  relative error {'below 1e-7' if error < 1e-7 else f'{error:.2f}'}")

# %% [markdown] lang="en"
# $W_3$ and $b_3$ are right to the last digit. Everything before them is wrong. Backward runs from the end to the start, so
# the fault lies where the errors begin: between $\delta_3$, which is right, and $\delta_2$. There it is:
# `delta2 = (delta3 @ W3.T) * (z1 > 0)` uses the mask of the **wrong layer**. It must be `(z2 > 0)`. Both have the shape
# `(B, 32)`, so nothing complains: a line was copied and not changed.
#
# What did it cost? Compare with labkit's backward pass, from the same first weights on the same batches.

# %% [markdown] lang="zh"
# $W_3$ 和 $b_3$ 完全正确，它们之前的全错。反向传播从后往前走，所以错误就在误差开始出现的地方：$\delta_3$ 对，$\delta_2$ 错。找到了：`delta2 = (delta3 @ W3.T) * (z1 > 0)` 用错了掩码，那是**另一层**的，应当是 `(z2 > 0)`。两者形状都是 `(B, 32)`，所以不会报错：复制了一行，忘了改。
#
# 这个错误的代价有多大？用 labkit 的反向传播对照：初始权重相同，批次也相同。


# %% tags=["nbval-ignore-output"]
def labkit_backward(x, targets, weights):
    network = MLP((64, 32, 32, 10))
    network.weights = list(zip(weights[::2], weights[1::2], strict=True))
    loss, pairs = network.backward(x, targets)
    return loss, [gradient for pair in pairs for gradient in pair]


seeds = [lab.seed + i for i in range(lab.pick(2, 6, 20))]
sound, faulty = (
    np.array([train_three_layers(by, seed)[1] for seed in seeds]) for by in (labkit_backward, colleague)
)
mean, low, high = mean_interval(sound - faulty)
print("without the fault:", sound.round(3), f"mean {sound.mean():.3f}")
print("with the fault:   ", faulty.round(3), f"mean {faulty.mean():.3f}")
print(f"it costs {mean:.3f} ({low:.3f} to {high:.3f})")

# %% [markdown] lang="en"
# One or two points of accuracy, silently. Some faults cost even less. In the next cell the gradient of every bias is summed over
# **both** axes: one number instead of a vector, which NumPy spreads over all biases without a word.

# %% [markdown] lang="zh"
# 悄无声息地丢掉了一两个百分点。有些错误连这点代价都没有。下一个单元格里，每个偏置的梯度都沿**两个**轴求了和：本该是向量，结果是一个数，NumPy 一声不响地把它加到所有偏置上。


# %% tags=["nbval-ignore-output"]
def careless_biases(x, targets, weights):
    loss, gradients = labkit_backward(x, targets, weights)
    return loss, [g.sum() if g.ndim == 1 else g for g in gradients]  # (H,) -> a single number


careless = np.array([train_three_layers(careless_biases, seed)[1] for seed in seeds])
mean, low, high = mean_interval(sound - careless)
print(f"it costs {mean:.3f} ({low:.3f} to {high:.3f})")
claimed = careless_biases(x, y, flat)[1]
print(f"relative error of b1: {relative_error(np.broadcast_to(claimed[1], 32), measured[1]):.2f}")

# %% [markdown] lang="en"
# No accuracy shows this fault; the gradient check shows it at once. A network learns in spite of many faults. So **test the
# gradient, not the curve**, and assert that each gradient has the shape of its weight (`labkit`'s `MLP.step` refuses
# others).

# %% [markdown] lang="zh"
# 正确率看不出这个错误，梯度检验一眼就能看出来。网络带着许多错误照样能学。所以**要检验梯度，而不是看曲线**，并且断言每个梯度与它的权重形状相同（labkit 的 `MLP.step` 会拒绝形状不同的梯度）。

# %% [markdown] lang="en"
# ## 15. The whole thing
#
# ### Exercise 04.7: The whole backward pass, with tanh (★★★, 20 minutes)
#
# Write the backward pass of a two-layer network with tanh in place of ReLU, from an empty page: forward, $\delta_2$,
# $\delta_1$, four gradients. The loss is the mean cross-entropy of softmax. Return `[dW1, db1, dW2, db2]`. Your own gradient
# check may judge it first; `check` compares with autograd.

# %% [markdown] lang="zh"
# ## 15. 从头写一遍
#
# ### 练习 04.7：完整的反向传播：tanh 版本（★★★，20 分钟）
#
# 从一张白纸开始，写出用 tanh 代替 ReLU 的两层网络的反向传播：前向、$\delta_2$、$\delta_1$、四个梯度。损失是 softmax 的平均交叉熵。返回 `[dW1, db1, dW2, db2]`。可以先用你自己的梯度检验来判断；`check` 会与自动求导的结果比较。


# %% exercise="04.7"
def my_tanh_backward(x, targets, weights):
    """x (B, D), targets (B,), weights [W1 (D, H), b1 (H,), W2 (H, K), b2 (K,)] -> their four gradients."""
    W1, b1, W2, b2 = weights
    ### BEGIN SOLUTION
    a1 = np.tanh(x @ W1 + b1)
    logits = a1 @ W2 + b2
    delta2 = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta2 /= delta2.sum(axis=1, keepdims=True)
    delta2[np.arange(len(x)), targets] -= 1
    delta2 /= len(x)
    delta1 = (delta2 @ W2.T) * (1 - a1**2)
    return [x.T @ delta1, delta1.sum(axis=0), a1.T @ delta2, delta2.sum(axis=0)]
    ### END SOLUTION


# %%
check("04.7", my_tanh_backward)
# hint("04.7")
# solution("04.7")

# %% [markdown] lang="en"
# ## Summary
#
# - A neuron is a weighted sum, a bias and an activation. A layer is one matrix product, `x @ W + b`: `(B, D) -> (B, H)`.
# - Backpropagation is the chain rule from the loss to the weights. Each step multiplies the gradient that arrives by its own
#   derivative; where a value is used several times, the gradients add up.
# - A gradient has the shape of its weight. The forward pass keeps what the backward pass needs.
# - A gradient check compares with central differences, in float64, with $\varepsilon$ near $10^{-5}$. It finds faults that no
#   loss curve shows.
# - Autograd computes the same numbers. Our hand-written network reads about 98 % of held-out real digits after a second of
#   training.
# - Weights start random, with standard deviation $\sqrt{2/n}$ for ReLU. The learning rate has a largest value that works;
#   here 0.5 was good and 3 was already too large.
#
# ## Further reading
#
# - D. Rumelhart, G. Hinton, R. Williams (1986): Learning representations by back-propagating errors. *Nature* 323, 533–536,
#   [doi:10.1038/323533a0](https://doi.org/10.1038/323533a0). Four pages; section 6 is in there.
# - A. Baydin, B. Pearlmutter, A. Radul, J. Siskind (2018): Automatic differentiation in machine learning: a survey. *Journal
#   of Machine Learning Research* 18(153), [arXiv:1502.05767](https://arxiv.org/abs/1502.05767).
# - X. Glorot, Y. Bengio (2010): Understanding the difficulty of training deep feedforward neural networks. *AISTATS*, PMLR 9,
#   249–256, [proceedings.mlr.press/v9/glorot10a](https://proceedings.mlr.press/v9/glorot10a.html).
# - K. He, X. Zhang, S. Ren, J. Sun (2015): Delving deep into rectifiers,
#   [arXiv:1502.01852](https://arxiv.org/abs/1502.01852). Section 2.2 derives the factor 2, also for leaky ReLU.
# - L. Chizat, E. Oyallon, F. Bach (2019): On lazy training in differentiable programming. *NeurIPS*,
#   [arXiv:1812.07956](https://arxiv.org/abs/1812.07956). Why a large initialization fits without learning features.
# - L. Bottou, F. Curtis, J. Nocedal (2018): Optimization methods for large-scale machine learning. *SIAM Review* 60(2),
#   223–311, [arXiv:1606.04838](https://arxiv.org/abs/1606.04838).
# - The digits: E. Alpaydin, C. Kaynak (1998): Optical Recognition of Handwritten Digits. UCI Machine Learning Repository,
#   [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49).

# %% [markdown] lang="zh"
# ## 小结
#
# - 神经元是加权和、偏置与激活函数。一层就是一次矩阵乘法 `x @ W + b`：`(B, D) -> (B, H)`。
# - 反向传播就是从损失到权重的链式法则。每一步用局部导数乘以传来的梯度；一个值被多次使用时，梯度相加。
# - 梯度与它的权重形状相同。前向传播要保留反向传播需要的中间结果。
# - 梯度检验把反向传播与中心差分相比，用 float64，$\varepsilon$ 取 $10^{-5}$ 左右。它能发现损失曲线看不出的错误。
# - 自动求导算出的是同样的数。我们手写的网络训练约一秒，就能认对 98% 左右没见过的真实数字。
# - 权重从随机数开始，用 ReLU 时标准差取 $\sqrt{2/n}$。学习率有一个可用的上限：本课中 0.5 很好，3 就已经太大。
#
# ## 延伸阅读
#
# - D. Rumelhart、G. Hinton、R. Williams（1986）：Learning representations by back-propagating errors。*Nature* 323，533–536，[doi:10.1038/323533a0](https://doi.org/10.1038/323533a0)。只有四页，第 6 节的内容就在其中。
# - A. Baydin、B. Pearlmutter、A. Radul、J. Siskind（2018）：Automatic differentiation in machine learning: a survey。*Journal of Machine Learning Research* 18(153)，[arXiv:1502.05767](https://arxiv.org/abs/1502.05767)。
# - X. Glorot、Y. Bengio（2010）：Understanding the difficulty of training deep feedforward neural networks。*AISTATS*，PMLR 9，249–256，[proceedings.mlr.press/v9/glorot10a](https://proceedings.mlr.press/v9/glorot10a.html)。
# - K. He（何恺明）、X. Zhang、S. Ren、J. Sun（2015）：Delving deep into rectifiers，[arXiv:1502.01852](https://arxiv.org/abs/1502.01852)。2.2 节推导了系数 2，也包括 leaky ReLU 的情形。
# - L. Chizat、E. Oyallon、F. Bach（2019）：On lazy training in differentiable programming。*NeurIPS*，[arXiv:1812.07956](https://arxiv.org/abs/1812.07956)。为什么初始化太大时只是拟合，而没有学到特征。
# - L. Bottou、F. Curtis、J. Nocedal（2018）：Optimization methods for large-scale machine learning。*SIAM Review* 60(2)，223–311，[arXiv:1606.04838](https://arxiv.org/abs/1606.04838)。
# - 数据来源：E. Alpaydin、C. Kaynak（1998）：Optical Recognition of Handwritten Digits，UCI Machine Learning Repository，[doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)。
