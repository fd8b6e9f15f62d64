# ---
# jupyter:
#   labkit:
#     number: "02"
#     title_en: Activation functions
#     title_zh: 激活函数
#     minutes: 120
# ---

# %% [markdown] lang="en"
# # 02 Activation functions
#
# Between two layers of a network stands a function of one number: the activation function. It looks like a detail.
# It decides whether twenty layers can learn at all.
#
# **After this lesson you can** write down and compute sigmoid, tanh, ReLU and their modern relatives, and softmax;
# derive their slopes and check them in two ways; measure saturation, vanishing gradients and dead units in a network;
# choose an activation function, and say with numbers why; and find a wrong derivative that raises no error.
#
# **Time:** 120 minutes with the exercises. It splits well into two sittings: sections 1 to 10 are the functions,
# sections 11 to 14 are what they do to a network.
# **Before you start:** lesson 00 (network, loss, training step), the derivative of $e^x$, the chain rule.

# %% [markdown] lang="zh"
# # 02 激活函数
#
# 网络的两层之间，夹着一个只看单个数的函数：激活函数。它看起来只是个细节，却决定了二十层的网络到底能不能学。
#
# **学完本课，你能够**：写出并计算 sigmoid、tanh、ReLU 及其现代变体，还有 softmax；推导它们的斜率，并用两种办法检验；
# 在网络里测量饱和、梯度消失和死亡单元；选择激活函数，并用数字说明理由；找出一个不会报错的错误导数。
#
# **时间**：120 分钟（含练习）。可以分两次学完：第 1 到 10 节讲函数本身，第 11 到 14 节讲它们对网络的影响。
# **预备知识**：第 00 课（网络、损失、训练步）、$e^x$ 的导数、链式法则。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import copy
import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from labkit import functions, metrics, plots, results, widgets
from labkit.checks import check, hint, solution
from labkit.common import start
from labkit.data import load_digits
from labkit.training import ArrayBatches, SupervisedTask, fit

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. Why a network needs a bend
#
# A layer multiplies its input by a matrix. What do two layers do that one cannot? Look at the difference between
# them.

# %% [markdown] lang="zh"
# ## 1. 网络为什么需要“弯折”
#
# 一层网络就是把输入乘以一个矩阵。两层能做到一层做不到的事吗？请看两者的差。

# %%
generator = torch.Generator().manual_seed(SEED)
x = torch.randn(5, 3, generator=generator, dtype=torch.float64)
W1 = torch.randn(3, 4, generator=generator, dtype=torch.float64)
W2 = torch.randn(4, 2, generator=generator, dtype=torch.float64)

two_layers = (x @ W1) @ W2
one_layer = x @ (W1 @ W2)
print(f"largest difference: {(two_layers - one_layer).abs().max():.4f}")
assert torch.allclose(two_layers, one_layer)

# %% [markdown] lang="en"
# Nothing. $(xW_1)W_2 = x(W_1W_2)$, and $W_1W_2$ is one matrix. A hundred linear layers are one linear layer, and a
# linear layer draws straight lines only.
#
# Now bend the line. $\max(0, x)$ is straight on both sides and has one corner. Two of them are enough for $|x|$:
# $\max(0, x) + \max(0, -x) = |x|$. The best straight line through $|x|$ on $[-1, 1]$ is the constant $\tfrac12$.
# By hand, its mean squared error is $\int_0^1 (x - \tfrac12)^2\,dx = \tfrac1{12}$, and the root of that is $0.289$.

# %% [markdown] lang="zh"
# 没有差别。$(xW_1)W_2 = x(W_1W_2)$，而 $W_1W_2$ 就是一个矩阵。一百个线性层叠起来还是一个线性层，只能画直线。
#
# 现在把直线折一下。$\max(0, x)$ 两侧都是直的，中间有一个折点。两个这样的函数就能拼出 $|x|$：
# $\max(0, x) + \max(0, -x) = |x|$。而在 $[-1, 1]$ 上，最接近 $|x|$ 的直线是常数 $\tfrac12$。
# 手算：它的均方误差是 $\int_0^1 (x - \tfrac12)^2\,dx = \tfrac1{12}$，开方得 $0.289$。

# %%
inputs = (torch.arange(1000, dtype=torch.float64) - 499.5) / 500  # the middles of 1,000 cells of [-1, 1]
targets = inputs.abs()

design = torch.stack([inputs, torch.ones_like(inputs)], dim=1)  # (1000, 2)
line = design @ torch.linalg.lstsq(design, targets.unsqueeze(1)).solution.squeeze(1)
bent = inputs.clamp(min=0) + (-inputs).clamp(min=0)
for name, guess in {"best straight line": line, "two bent units": bent}.items():
    print(f"{name}: error {((guess - targets) ** 2).mean().sqrt():.3f}")

ax = plots.lines(inputs, {"|x|": targets, "best straight line": line}, xlabel="x", ylabel="y")
plots.show(ax, alt="The absolute value of x is a V; the best straight line through it is flat at one half.")

# %% [markdown] lang="en"
# Two bent units fit exactly what no linear network fits. Every function of this lesson is a way to bend. What they
# differ in is the *slope*: training sends gradients back through it.
#
# ## 2. Sigmoid
#
# $$\sigma(x) = \frac{1}{1 + e^{-x}} \qquad \text{range } (0, 1)$$
#
# It turns any number into something that can be read as a probability.
#
# **By hand.** $e^{-2} = 0.1353$, so $\sigma(2) = 1 / 1.1353 = 0.8808$.
#
# **The slope.** By the quotient rule $\sigma'(x) = e^{-x} / (1 + e^{-x})^2$. One factor is $\sigma(x)$, the other is
# $e^{-x} / (1 + e^{-x}) = 1 - \sigma(x)$:
#
# $$\sigma'(x) = \sigma(x)\,(1 - \sigma(x)) \qquad \text{range } (0, \tfrac14]$$
#
# By hand: $\sigma'(2) = 0.8808 \cdot 0.1192 = 0.1050$. The code must give both numbers.

# %% [markdown] lang="zh"
# 两个折线单元做到了任何线性网络都做不到的事，而且没有误差。本课的每个函数都是一种“弯折”的方式。
# 它们的区别在于*斜率*：训练时，梯度要穿过它往回传。
#
# ## 2. Sigmoid
#
# $$\sigma(x) = \frac{1}{1 + e^{-x}} \qquad \text{值域 } (0, 1)$$
#
# 它能把任意一个数变成可以当作概率来读的数。
#
# **手算**：$e^{-2} = 0.1353$，所以 $\sigma(2) = 1 / 1.1353 = 0.8808$。
#
# **斜率**：由商的求导法则，$\sigma'(x) = e^{-x} / (1 + e^{-x})^2$。拆成两个因子，一个是 $\sigma(x)$，
# 另一个是 $e^{-x} / (1 + e^{-x}) = 1 - \sigma(x)$：
#
# $$\sigma'(x) = \sigma(x)\,(1 - \sigma(x)) \qquad \text{值域 } (0, \tfrac14]$$
#
# 手算：$\sigma'(2) = 0.8808 \cdot 0.1192 = 0.1050$。代码应当给出这两个数。


# %%
def at(x):
    """A number as a float64 tensor."""
    return torch.tensor(float(x), dtype=torch.float64)


# %%
def sigmoid(x):
    return 1 / (1 + torch.exp(-x))


def sigmoid_slope(x):
    return sigmoid(x) * (1 - sigmoid(x))


print(f"sigmoid(2) = {sigmoid(at(2)):.4f}, slope {sigmoid_slope(at(2)):.4f}")
assert round(sigmoid(at(2)).item(), 4) == 0.8808
assert round(sigmoid_slope(at(2)).item(), 4) == 0.1050

# %% [markdown] lang="en"
# > **A misprint, and how to check a figure.** The article that this course grew out of prints $\sigma(2) = 0.8674$.
# > That is wrong. Do not trust us either: check it in three ways that have nothing to do with each other.
# >
# > 1. *By hand.* $e^2 = 7.389$, so $e^{-2} = 1/7.389 = 0.1353$ and $\sigma(2) = 1/1.1353 = 0.8808$.
# > 2. *By code.* The cell above.
# > 3. *By a property.* $\sigma(x) + \sigma(-x) = 1$ for every $x$, and by hand $\sigma(-2) = 1/(1 + 7.389) = 0.1192$.
# >    Or go backwards: $\sigma(x) = p$ means $x = \ln\frac{p}{1-p}$, and this must bring you back to 2.
#
# Look which of the two figures passes the third check.

# %% [markdown] lang="zh"
# > **一处印刷错误，以及怎样核对一个数**：本课程所依据的文章印的是 $\sigma(2) = 0.8674$。这个数是错的。
# > 也不要只听我们说，请用三种互不相干的办法来核对。
# >
# > 1. *手算*：$e^2 = 7.389$，所以 $e^{-2} = 1/7.389 = 0.1353$，$\sigma(2) = 1/1.1353 = 0.8808$。
# > 2. *用代码算*：就是上面的单元格。
# > 3. *用性质检验*：对任意 $x$ 都有 $\sigma(x) + \sigma(-x) = 1$，而手算可得 $\sigma(-2) = 1/(1 + 7.389) = 0.1192$。
# >    也可以倒推：由 $\sigma(x) = p$ 得 $x = \ln\frac{p}{1-p}$，结果应当回到 2。
#
# 请看这两个数中，哪一个通得过第三种检验。

# %%
mirror = sigmoid(at(-2)).item()
for p in (0.8808, 0.8674):
    back = math.log(p / (1 - p))
    print(f"{p}: with sigmoid(-2) = {mirror:.4f} it sums to {p + mirror:.4f}; it belongs to x = {back:.2f}")
assert abs(0.8808 + mirror - 1) < 1e-4 < abs(0.8674 + mirror - 1)

# %% [markdown] lang="en"
# 0.8674 misses the sum of 1 by more than a hundredth, and belongs to $x = 1.88$. From now on no figure goes
# unchecked. The next cell checks any activation function, at 240 points: its value against labkit, and its slope
# against labkit, against autograd (which differentiates our own formula) and against two nearby points,
# $\frac{f(x + h) - f(x - h)}{2h}$, which needs no calculus.

# %% [markdown] lang="zh"
# 0.8674 加上 $\sigma(-2)$ 之后，比 1 差了百分之一还多，它对应的其实是 $x = 1.88$。从现在起，每个数都要核对。
# 下面的单元格可以检验任何激活函数，共取 240 个点：函数值与 labkit 对照；斜率与 labkit 对照，
# 与自动求导对照（对我们自己写的公式求导），还与两个邻近点算出的 $\frac{f(x + h) - f(x - h)}{2h}$ 对照，后者完全不用微积分。

# %%
xs = torch.linspace(-6, 6, 240, dtype=torch.float64)  # without 0, where some functions have a corner


def agrees(name, f, slope):
    """Assert that f and its slope are right, as far as four other ways to compute them can tell."""
    theirs, their_slope = functions.ACTIVATIONS[name]
    leaf = xs.clone().requires_grad_()
    by_autograd = torch.autograd.grad(f(leaf).sum(), leaf)[0]
    by_neighbours = (f(xs + 1e-6) - f(xs - 1e-6)) / 2e-6
    assert torch.allclose(f(xs), theirs(xs), rtol=0, atol=1e-12)
    assert torch.allclose(slope(xs), their_slope(xs), rtol=0, atol=1e-12)
    assert torch.allclose(slope(xs), by_autograd, rtol=0, atol=1e-12)
    assert torch.allclose(slope(xs), by_neighbours, rtol=0, atol=1e-8)
    print(f"{name}: value and slope agree with labkit, autograd and two nearby points")


agrees("sigmoid", sigmoid, sigmoid_slope)

# %% [markdown] lang="en"
# The last tool draws a function with its tangent at the value worked by hand, and its slope beside it. Look where the
# slope of the sigmoid is largest, and what is left of it at $x = 6$.

# %% [markdown] lang="zh"
# 最后一件工具：左边画出函数，以及手算那一点处的切线；右边画出斜率。请看 sigmoid 的斜率在哪里最大，到 $x = 6$ 时还剩多少。


# %%
def two_panels(name, f, slope, x):
    """The function with its tangent at x on the left, its slope on the right."""
    value, steepness = f(at(x)).item(), slope(at(x)).item()
    near = torch.linspace(x - 1.5, x + 1.5, 2, dtype=torch.float64)
    curves = {name: f(xs), f"tangent at {x:g}": value + steepness * (near - x)}
    axes = plots.new_axes(8.0, 3.0, columns=2)
    plots.lines(dict(zip(curves, (xs, near))), curves, xlabel="x", ylabel="value", ax=axes[0])
    plots.lines(xs, {"slope": slope(xs)}, xlabel="x", ylabel="slope", ax=axes[1])
    for ax, height in zip(axes, (value, steepness)):
        ax.plot([x], [height], "ko", markersize=5)
    return axes


# %%
def show_function(name, f, slope, x, alt):
    """Show the two panels, and print the slope at three points."""
    plots.show(two_panels(name, f, slope, x), alt=alt)
    ends = [round(slope(at(end)).item(), 4) + 0.0 for end in (-6, 0, 6)]  # + 0.0 makes 0 of -0
    print(f"slope of {name} at -6, 0, 6:", *[f"{end:.4f}" for end in ends])


alt = "Sigmoid rises from 0 to 1 in an S; its slope is a bell with the top 0.25 at 0 and almost 0 at 6."
show_function("sigmoid", sigmoid, sigmoid_slope, 2, alt)

# %% [markdown] lang="en"
# The slope is never more than 0.25, and at $x = 6$ it is a hundredth of that. We say that the unit is **saturated**
# there: its output hardly changes, whatever its input does. Section 11 shows what both facts do to a deep network.
#
# ## 3. tanh
#
# $$\tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}} \qquad \text{range } (-1, 1)$$
#
# Its outputs lie on both sides of 0, so that the next layer gets inputs with a mean near 0.
#
# **By hand.** $e = 2.7183$ and $e^{-1} = 0.3679$, so $\tanh(1) = 2.3504 / 3.0862 = 0.7616$.
#
# **The slope.** The quotient rule gives $\frac{(e^x + e^{-x})^2 - (e^x - e^{-x})^2}{(e^x + e^{-x})^2}$, that is
#
# $$\tanh'(x) = 1 - \tanh^2(x) \qquad \text{range } (0, 1]$$
#
# By hand: $1 - 0.7616^2 = 0.4200$.

# %% [markdown] lang="zh"
# 斜率从不超过 0.25，到 $x = 6$ 时只剩最大值的百分之一。这时我们说该单元**饱和**了：不管输入怎么变，输出几乎不动。
# 第 11 节会测量这两点对深层网络的影响。
#
# ## 3. tanh
#
# $$\tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}} \qquad \text{值域 } (-1, 1)$$
#
# 它的输出分布在 0 的两侧，于是下一层输入的均值接近 0。
#
# **手算**：$e = 2.7183$，$e^{-1} = 0.3679$，所以 $\tanh(1) = 2.3504 / 3.0862 = 0.7616$。
#
# **斜率**：由商的求导法则得 $\frac{(e^x + e^{-x})^2 - (e^x - e^{-x})^2}{(e^x + e^{-x})^2}$，也就是
#
# $$\tanh'(x) = 1 - \tanh^2(x) \qquad \text{值域 } (0, 1]$$
#
# 手算：$1 - 0.7616^2 = 0.4200$。


# %%
def tanh(x):
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


def tanh_slope(x):
    return 1 - tanh(x) ** 2


print(f"tanh(1) = {tanh(at(1)):.4f}, slope {tanh_slope(at(1)):.4f}")
assert round(tanh(at(1)).item(), 4) == 0.7616
assert round(tanh_slope(at(1)).item(), 4) == 0.4200
agrees("tanh", tanh, tanh_slope)

# %% [markdown] lang="en"
# Compare the top of the slope with that of the sigmoid.

# %% [markdown] lang="zh"
# 请把斜率的最大值与 sigmoid 的相比。

# %%
alt = "tanh rises from -1 to 1 in an S that is steeper than sigmoid; its slope is a bell with the top 1 at 0."
show_function("tanh", tanh, tanh_slope, 1, alt)

# %% [markdown] lang="en"
# The top is 1, four times as high. But at 6 nothing is left: tanh saturates sooner than the sigmoid. The two are one
# function in two scales, as you now show.
#
# ### Exercise 02.1: tanh from sigmoid (★☆☆, 5 minutes)
#
# Write tanh with `sigmoid` alone: stretch and shift its input and its output. Think of both ranges.

# %% [markdown] lang="zh"
# 最大值是 1，是 sigmoid 的四倍。但到 6 时什么也不剩：tanh 比 sigmoid 饱和得更早。其实两者是同一个函数，只是尺度不同，请你来证明。
#
# ### 练习 02.1：用 sigmoid 写出 tanh（★☆☆，5 分钟）
#
# 只用 `sigmoid` 写出 tanh：对它的输入和输出做拉伸与平移。想一想两者的值域。


# %% exercise="02.1"
def tanh_from_sigmoid(x):
    """tanh(x), written with sigmoid."""
    ### BEGIN SOLUTION
    return 2 * sigmoid(2 * x) - 1
    ### END SOLUTION


# %%
check("02.1", tanh_from_sigmoid)
# hint("02.1")
# solution("02.1")

# %% [markdown] lang="en"
# ## 4. ReLU
#
# The rectified linear unit keeps what is positive and drops the rest:
#
# $$\mathrm{ReLU}(x) = \max(0, x) \qquad \text{range } [0, \infty)$$
#
# **By hand.** $\mathrm{ReLU}(-2) = \max(0, -2) = 0$, and $\mathrm{ReLU}(3) = 3$.
#
# **The slope** is 1 for $x > 0$ and 0 for $x < 0$. At 0 there is a corner and no derivative; 0 is the usual choice, as in
# PyTorch. In practice an input of exactly 0 hardly ever occurs.

# %% [markdown] lang="zh"
# ## 4. ReLU
#
# 修正线性单元（ReLU）保留正的部分，其余一律变成 0：
#
# $$\mathrm{ReLU}(x) = \max(0, x) \qquad \text{值域 } [0, \infty)$$
#
# **手算**：$\mathrm{ReLU}(-2) = \max(0, -2) = 0$，$\mathrm{ReLU}(3) = 3$。
#
# **斜率**：$x > 0$ 时是 1，$x < 0$ 时是 0。在 0 处有折点，没有导数，通常取 0，PyTorch 也是这样。
# 实际上，输入恰好等于 0 的情形很少出现。


# %%
def relu(x):
    return x.clamp(min=0)


def relu_slope(x):
    return (x > 0).to(x.dtype)


print(f"ReLU(-2) = {relu(at(-2)):.4f}, ReLU(3) = {relu(at(3)):.4f}")
assert relu(at(-2)) == 0
assert relu(at(3)) == 3
assert relu_slope(at(0)) == functions.relu_grad(at(0)) == 0  # the usual choice
agrees("relu", relu, relu_slope)

# %% [markdown] lang="en"
# Look at the right half of the slope, then at the left half.

# %% [markdown] lang="zh"
# 请先看斜率的右半边，再看左半边。

# %%
alt = "ReLU is 0 for negative x and x for positive x; its slope jumps from 0 to 1 at 0."
show_function("ReLU", relu, relu_slope, -2, alt)

# %% [markdown] lang="en"
# On the right the slope is 1 however far you go: ReLU never saturates there. On the left it is exactly 0, not just small.
# A unit that lands there for every input gets no gradient at all. Section 12 kills units in this way, and counts.
#
# ## 5. Leaky ReLU and PReLU
#
# Both let a little through on the left:
#
# $$\mathrm{LeakyReLU}(x) = \begin{cases} x & x > 0 \\ s\,x & x \le 0 \end{cases} \quad s = 0.01
# \qquad\qquad
# \mathrm{PReLU}(x) = \begin{cases} x & x > 0 \\ w\,x & x \le 0 \end{cases} \quad w \text{ is learned}$$
#
# The range is $(-\infty, \infty)$. The slope is 1 on the right and $s$ or $w$ on the left. In PReLU $w$ is a weight like
# any other, and starts at 0.25. So it needs a gradient of its own:
#
# $$\frac{\partial\,\mathrm{PReLU}}{\partial w} = \begin{cases} 0 & x > 0 \\ x & x \le 0 \end{cases}$$
#
# **By hand.** $\mathrm{LeakyReLU}(-2) = 0.01 \cdot (-2) = -0.02$. $\mathrm{PReLU}(-2) = 0.25 \cdot (-2) = -0.5$, and its
# derivative by $w$ is $-2$.

# %% [markdown] lang="zh"
# 右边的斜率始终是 1，走多远都不饱和。左边的斜率是不折不扣的 0，而不只是很小。如果一个单元对所有输入都落在左边，
# 它就完全得不到梯度。第 12 节会让一批单元这样“死掉”，并且数一数。
#
# ## 5. Leaky ReLU 与 PReLU
#
# 这两个函数都让左边透过一点信号：
#
# $$\mathrm{LeakyReLU}(x) = \begin{cases} x & x > 0 \\ s\,x & x \le 0 \end{cases} \quad s = 0.01
# \qquad\qquad
# \mathrm{PReLU}(x) = \begin{cases} x & x > 0 \\ w\,x & x \le 0 \end{cases} \quad w \text{ 由训练得到}$$
#
# 值域是 $(-\infty, \infty)$。右边的斜率是 1，左边是 $s$ 或 $w$。PReLU 里的 $w$ 与其他权重一样参加训练，初值为 0.25，
# 所以它也要有自己的梯度：
#
# $$\frac{\partial\,\mathrm{PReLU}}{\partial w} = \begin{cases} 0 & x > 0 \\ x & x \le 0 \end{cases}$$
#
# **手算**：$\mathrm{LeakyReLU}(-2) = 0.01 \cdot (-2) = -0.02$。$\mathrm{PReLU}(-2) = 0.25 \cdot (-2) = -0.5$，
# 它对 $w$ 的导数是 $-2$。


# %%
def leaky_relu(x, s=0.01):
    return torch.where(x > 0, x, s * x)


def leaky_relu_slope(x, s=0.01):
    return torch.where(x > 0, torch.ones_like(x), s)


print(f"LeakyReLU(-2) = {leaky_relu(at(-2)):.4f}, slope {leaky_relu_slope(at(-2)):.4f}")
assert leaky_relu(at(-2)) == -0.02
agrees("leaky_relu", leaky_relu, leaky_relu_slope)

# %% [markdown] lang="en"
# PReLU is the same formula with another left slope. What is new is the gradient by that slope.

# %% [markdown] lang="zh"
# PReLU 的公式与它相同，只是左边的斜率不同。新的地方在于，还要求出对这个斜率的梯度。


# %%
def prelu(x, w=0.25):
    return leaky_relu(x, w)


def prelu_slope(x, w=0.25):
    return leaky_relu_slope(x, w)


w = at(0.25).requires_grad_()
(by_weight,) = torch.autograd.grad(prelu(at(-2), w), w)
print(f"PReLU(-2) = {prelu(at(-2)):.4f}, by x {prelu_slope(at(-2)):.4f}, by w {by_weight:.4f}")
assert prelu(at(-2)) == -0.5
assert by_weight == -2 == functions.prelu_weight_grad(at(-2))
agrees("prelu", prelu, prelu_slope)

# %% [markdown] lang="en"
# The two figures: compare the left sides.

# %% [markdown] lang="zh"
# 两张图，请比较左半边。

# %%
alt = "Leaky ReLU is x for positive x and nearly flat for negative x; its slope jumps from 0.01 to 1."
show_function("leaky ReLU", leaky_relu, leaky_relu_slope, -2, alt)

# %%
alt = "PReLU with weight 0.25 is x for positive x and falls gently for negative x; its slope jumps from 0.25 to 1."
show_function("PReLU", prelu, prelu_slope, -2, alt)

# %% [markdown] lang="en"
# The slope on the left is 0.01 and 0.25: small, but not 0. A gradient can come back through it.
#
# ### Exercise 02.2: PReLU, backward (★★☆, 10 minutes)
#
# `x` (N,) went through PReLU with one `weight`, and `upstream` (N,) is the gradient of the loss by the outputs. Return the
# gradient by `x` (N,) and the gradient by the weight (one number). Think of the chain rule, and of how often the weight is
# used.

# %% [markdown] lang="zh"
# 左边的斜率分别是 0.01 和 0.25：虽小，但不是 0，梯度可以从这里传回来。
#
# ### 练习 02.2：PReLU 的反向传播（★★☆，10 分钟）
#
# `x`（形状 (N,)）经过 PReLU，权重 `weight` 只有一个；`upstream`（形状 (N,)）是损失对输出的梯度。
# 请返回对 `x` 的梯度（形状 (N,)）和对权重的梯度（一个数）。想一想链式法则，再想一想这个权重被用了几次。


# %% exercise="02.2"
def prelu_backward(x, weight, upstream):
    """(gradient by x (N,), gradient by the weight) of PReLU."""
    ### BEGIN SOLUTION
    dx = upstream * torch.where(x > 0, 1.0, weight)
    dweight = (upstream * x.clamp(max=0)).sum()
    return dx, dweight
    ### END SOLUTION


# %%
check("02.2", prelu_backward)
# hint("02.2")
# solution("02.2")

# %% [markdown] lang="en"
# ## 6. ELU and SELU
#
# The exponential linear unit bends smoothly and levels off at $-\alpha$:
#
# $$\mathrm{ELU}(x) = \begin{cases} x & x > 0 \\ \alpha\,(e^x - 1) & x \le 0 \end{cases}
# \qquad \mathrm{ELU}'(x) = \begin{cases} 1 & x > 0 \\ \alpha\,e^x & x \le 0 \end{cases}$$
#
# The range is $(-\alpha, \infty)$. With $\alpha = 1$ the slope has no jump at 0. SELU is ELU with two special numbers:
#
# $$\mathrm{SELU}(x) = \lambda\,\mathrm{ELU}(x), \qquad \alpha = 1.6733,\ \lambda = 1.0507 \qquad \text{range } (-1.7581, \infty)$$
#
# **By hand**, with $e^{-1} = 0.3679$: $\mathrm{ELU}(-1) = 0.3679 - 1 = -0.6321$, with slope $0.3679$.
# $\mathrm{SELU}(-1) = 1.0507 \cdot 1.6733 \cdot (-0.6321) = -1.1113$, and $\mathrm{SELU}(1) = 1.0507$.

# %% [markdown] lang="zh"
# ## 6. ELU 与 SELU
#
# 指数线性单元（ELU）平滑地弯下去，最后趋于 $-\alpha$：
#
# $$\mathrm{ELU}(x) = \begin{cases} x & x > 0 \\ \alpha\,(e^x - 1) & x \le 0 \end{cases}
# \qquad \mathrm{ELU}'(x) = \begin{cases} 1 & x > 0 \\ \alpha\,e^x & x \le 0 \end{cases}$$
#
# 值域是 $(-\alpha, \infty)$。取 $\alpha = 1$ 时，斜率在 0 处没有跳变。SELU 就是取了两个特殊常数的 ELU：
#
# $$\mathrm{SELU}(x) = \lambda\,\mathrm{ELU}(x), \qquad \alpha = 1.6733,\ \lambda = 1.0507 \qquad \text{值域 } (-1.7581, \infty)$$
#
# **手算**，用 $e^{-1} = 0.3679$：$\mathrm{ELU}(-1) = 0.3679 - 1 = -0.6321$，斜率为 $0.3679$。
# $\mathrm{SELU}(-1) = 1.0507 \cdot 1.6733 \cdot (-0.6321) = -1.1113$，$\mathrm{SELU}(1) = 1.0507$。


# %%
def elu(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * (torch.exp(x) - 1))


def elu_slope(x, alpha=1.0):
    return torch.where(x > 0, torch.ones_like(x), alpha * torch.exp(x))


print(f"ELU(-1) = {elu(at(-1)):.4f}, slope {elu_slope(at(-1)):.4f}")
assert round(elu(at(-1)).item(), 4) == -0.6321
agrees("elu", elu, elu_slope)

# %% [markdown] lang="en"
# SELU needs its two numbers with all their digits.

# %% [markdown] lang="zh"
# SELU 的两个常数要写全所有位数。

# %%
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


def selu(x):
    return SCALE * elu(x, ALPHA)


def selu_slope(x):
    return SCALE * elu_slope(x, ALPHA)


print(f"SELU(-1) = {selu(at(-1)):.4f}, SELU(1) = {selu(at(1)):.4f}")
assert round(selu(at(-1)).item(), 4) == -1.1113
assert round(selu(at(1)).item(), 4) == 1.0507
agrees("selu", selu, selu_slope)

# %% [markdown] lang="en"
# In the figures look at the slopes at 0: one of them jumps.

# %% [markdown] lang="zh"
# 看图时请留意 0 处的斜率：其中一个有跳变。

# %%
alt = "ELU is x for positive x and levels off at -1 for negative x; its slope rises smoothly to 1 and stays there."
show_function("ELU", elu, elu_slope, -1, alt)

# %%
alt = "SELU levels off at -1.76 on the left; its slope rises to 1.76 at 0, then drops to 1.05 for positive x."
show_function("SELU", selu, selu_slope, -1, alt)

# %% [markdown] lang="en"
# The slope of ELU meets at 1. That of SELU drops from 1.76 to 1.05. Why these numbers? They were solved for, so that inputs
# with mean 0 and variance 1 come out with mean 0 and variance 1. Feed a million normal numbers to four functions, and
# see which one keeps both.

# %% [markdown] lang="zh"
# ELU 的斜率两侧在 1 处接上；SELU 的斜率从 1.76 落到 1.05。为什么取这两个常数？它们是解方程得来的：
# 输入的均值为 0、方差为 1 时，输出仍然是均值 0、方差 1。把一百万个正态分布的数送进四个函数，看谁能同时保住两者。

# %%
normal = torch.randn(1_000_000, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)
print("function   mean   variance")
for name in ("sigmoid", "tanh", "relu", "selu"):
    outputs = functions.ACTIVATIONS[name][0](normal)
    print(f"{name:8} {round(outputs.mean().item(), 2) + 0.0:6.2f}   {outputs.var():6.2f}")

# %% [markdown] lang="en"
# Only SELU keeps 0 and 1. The others need help: weights of the right size (section 11), or a normalization layer.
#
# ## 7. Softplus
#
# $$\mathrm{softplus}(x) = \ln(1 + e^x) \qquad \text{range } (0, \infty)$$
#
# A ReLU with a rounded corner. Its slope is an old acquaintance:
#
# $$\mathrm{softplus}'(x) = \frac{e^x}{1 + e^x} = \sigma(x)$$
#
# **By hand.** $\mathrm{softplus}(0) = \ln 2 = 0.6931$, with slope $\sigma(0) = 0.5$.

# %% [markdown] lang="zh"
# 只有 SELU 保住了 0 和 1。其他函数要靠别的办法：大小合适的权重（第 11 节），或者归一化层。
#
# ## 7. Softplus
#
# $$\mathrm{softplus}(x) = \ln(1 + e^x) \qquad \text{值域 } (0, \infty)$$
#
# 它是折点被磨圆的 ReLU。它的斜率我们早就认识了：
#
# $$\mathrm{softplus}'(x) = \frac{e^x}{1 + e^x} = \sigma(x)$$
#
# **手算**：$\mathrm{softplus}(0) = \ln 2 = 0.6931$，斜率 $\sigma(0) = 0.5$。


# %%
def softplus(x):
    return torch.log(1 + torch.exp(x))


print(f"softplus(0) = {softplus(at(0)):.4f}, slope {sigmoid(at(0)):.4f}")
assert round(softplus(at(0)).item(), 4) == 0.6931
agrees("softplus", softplus, sigmoid)
print(f"softplus(1000) by the plain formula: {softplus(at(1000)):.4f}")

# %% [markdown] lang="en"
# The formula is right and the last line is still wrong: $e^{1000}$ is more than a float64 can hold. You mend it in the
# exercise. The figure first: where is softplus far from ReLU?

# %% [markdown] lang="zh"
# 公式没有错，最后一行的结果却是错的：$e^{1000}$ 超出了 float64 的范围。修好它是下面的练习。
# 先看图：softplus 在哪里与 ReLU 相差最大？

# %%
alt = "Softplus is a ReLU with a rounded corner, 0.69 at 0; its slope is the sigmoid."
show_function("softplus", softplus, sigmoid, 0, alt)
for x in (0, 2, 6):
    print(f"softplus({x}) - ReLU({x}) = {softplus(at(x)) - relu(at(x)):.4f}")

# %% [markdown] lang="en"
# At 0, by $\ln 2$. Far from 0 the two are one.
#
# ### Exercise 02.3: A softplus that survives x = 1000 (★★☆, 8 minutes)
#
# Write softplus so that no exponent is ever above 0. It must hold from -1000 to 1000. Think of taking $e^x$ out of the
# bracket.

# %% [markdown] lang="zh"
# 在 0 处相差最大，为 $\ln 2$。离 0 很远时，两者重合。
#
# ### 练习 02.3：x = 1000 也不溢出的 softplus（★★☆，8 分钟）
#
# 写一个 softplus，让指数永远不大于 0，在 -1000 到 1000 之间都正确。想一想：把 $e^x$ 提到括号外面。


# %% exercise="02.3"
def stable_softplus(x):
    """log(1 + e^x) for any x."""
    ### BEGIN SOLUTION
    return x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))
    ### END SOLUTION


# %%
check("02.3", stable_softplus)
# hint("02.3")
# solution("02.3")

# %% [markdown] lang="en"
# ## 8. GELU and SiLU
#
# Both multiply $x$ by a gate between 0 and 1 that opens as $x$ grows:
#
# $$\mathrm{GELU}(x) = x\,\Phi(x) \qquad\qquad \mathrm{SiLU}(x) = x\,\sigma(x)$$
#
# $\Phi(x) = \frac12\left(1 + \mathrm{erf}(x/\sqrt2)\right)$ is the share of a normal distribution below $x$. By the product
# rule, with $\varphi(x) = e^{-x^2/2}/\sqrt{2\pi}$:
#
# $$\mathrm{GELU}'(x) = \Phi(x) + x\,\varphi(x) \qquad\qquad \mathrm{SiLU}'(x) = \sigma(x) + x\,\sigma(x)\,(1 - \sigma(x))$$
#
# **By hand.** 84.13 % of a normal distribution lie below one standard deviation, so $\mathrm{GELU}(1) = 1 \cdot 0.8413$. Its
# slope is $0.8413 + 0.2420 = 1.0833$. $\mathrm{SiLU}(1) = 1 \cdot \sigma(1) = 1/1.3679 = 0.7311$, with the slope
# $0.7311 + 0.7311 \cdot 0.2689 = 0.9277$.

# %% [markdown] lang="zh"
# ## 8. GELU 与 SiLU
#
# 两者都是把 $x$ 乘上一个 0 到 1 之间的“门”，$x$ 越大，门开得越大：
#
# $$\mathrm{GELU}(x) = x\,\Phi(x) \qquad\qquad \mathrm{SiLU}(x) = x\,\sigma(x)$$
#
# $\Phi(x) = \frac12\left(1 + \mathrm{erf}(x/\sqrt2)\right)$ 是正态分布中小于 $x$ 的比例。由乘积的求导法则，
# 记 $\varphi(x) = e^{-x^2/2}/\sqrt{2\pi}$：
#
# $$\mathrm{GELU}'(x) = \Phi(x) + x\,\varphi(x) \qquad\qquad \mathrm{SiLU}'(x) = \sigma(x) + x\,\sigma(x)\,(1 - \sigma(x))$$
#
# **手算**：标准正态分布有 84.13% 小于 1（一个标准差），所以 $\mathrm{GELU}(1) = 1 \cdot 0.8413$，斜率是 $0.8413 + 0.2420 = 1.0833$。
# $\mathrm{SiLU}(1) = 1 \cdot \sigma(1) = 1/1.3679 = 0.7311$，斜率是 $0.7311 + 0.7311 \cdot 0.2689 = 0.9277$。


# %%
def normal_cdf(x):
    return (1 + torch.erf(x / math.sqrt(2))) / 2


def gelu(x):
    return x * normal_cdf(x)


def gelu_slope(x):
    return normal_cdf(x) + x * torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


print(f"GELU(1) = {gelu(at(1)):.4f}, slope {gelu_slope(at(1)):.4f}")
assert round(gelu(at(1)).item(), 4) == 0.8413
assert round(gelu_slope(at(1)).item(), 4) == 1.0833
agrees("gelu", gelu, gelu_slope)

# %% [markdown] lang="en"
# SiLU, the same way. It is also called Swish.

# %% [markdown] lang="zh"
# SiLU 也照此办理。它还有一个名字叫 Swish。


# %%
def silu(x):
    return x * sigmoid(x)


def silu_slope(x):
    return sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x))


print(f"SiLU(1) = {silu(at(1)):.4f}, slope {silu_slope(at(1)):.4f}")
assert round(silu(at(1)).item(), 4) == 0.7311
assert round(silu_slope(at(1)).item(), 4) == 0.9277
agrees("silu", silu, silu_slope)

# %% [markdown] lang="en"
# Two things are new in these figures. Look left of 0 at the value, and right of 0 at the slope.

# %% [markdown] lang="zh"
# 这两张图有两处与前面不同：请看 0 左侧的函数值，再看 0 右侧的斜率。

# %%
alt = "GELU dips a little below 0 left of 0, then approaches x; its slope dips below 0 and overshoots 1."
show_function("GELU", gelu, gelu_slope, 1, alt)

# %%
alt = "SiLU dips deeper and more widely below 0 than GELU; its slope dips below 0 and overshoots 1 a little."
show_function("SiLU", silu, silu_slope, 1, alt)

# %%
fine = torch.linspace(-6, 6, 12_001, dtype=torch.float64)
for name, f, slope in (("GELU", gelu, gelu_slope), ("SiLU", silu, silu_slope)):
    (lowest, i), (steepest, j) = f(fine).min(dim=0), slope(fine).max(dim=0)
    print(
        f"{name}: lowest value {lowest:.3f} at {fine[i]:.2f}, largest slope {steepest:.3f} at {fine[j]:.2f}"
    )

# %% [markdown] lang="en"
# They fall and rise again, so they are not monotonic, and their slope passes 1. There is no corner anywhere.
#
# Older code, among it GPT-2, computes GELU by a tanh, since erf was slow:
# $\frac{x}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right)\right)$. By hand at 1:
# $\sqrt{2/\pi} \cdot 1.0447 = 0.8336$, and $\frac12(1 + \tanh 0.8336) = 0.8412$. How far apart are the two forms?

# %% [markdown] lang="zh"
# 它们先降后升，所以不是单调函数；斜率还会超过 1。而且处处没有折点。
#
# 早期的代码（包括 GPT-2）因为 erf 太慢，改用 tanh 来计算 GELU：
# $\frac{x}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right)\right)$。在 1 处手算：
# $\sqrt{2/\pi} \cdot 1.0447 = 0.8336$，$\frac12(1 + \tanh 0.8336) = 0.8412$。这两种写法相差多少？


# %%
def gelu_by_tanh(x):
    return x / 2 * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


print(f"GELU(1): exact {gelu(at(1)):.4f}, by tanh {gelu_by_tanh(at(1)):.4f}")
print(f"largest difference on [-6, 6]: {(gelu_by_tanh(xs) - gelu(xs)).abs().max():.4f}")
assert torch.allclose(gelu_by_tanh(xs), functions.gelu_tanh(xs), rtol=0, atol=1e-12)

# %% [markdown] lang="en"
# Half a thousandth. It is small, but weights trained with one form should be run with the same form.
#
# Swish has a dial: $x\,\sigma(\beta x)$. At $\beta = 1$ it is SiLU. Predict what it becomes for a large $\beta$, and for a
# small one, before you look.

# %% [markdown] lang="zh"
# 相差万分之五。差别虽小，但用哪种写法训练的权重，就应当用哪种写法来运行。
#
# Swish 还有一个旋钮：$x\,\sigma(\beta x)$。$\beta = 1$ 时就是 SiLU。先猜一猜：$\beta$ 很大时它变成什么？很小时呢？猜完再看图。

# %%
curves = {f"beta = {beta:g}": xs * sigmoid(beta * xs) for beta in (0.1, 1, 10)}
curves["ReLU"] = relu(xs)
ax = plots.lines(xs, curves, xlabel="x", ylabel="x sigmoid(beta x)")
plots.show(ax, alt="For beta = 0.1 Swish is close to x/2, for beta = 10 it cannot be told from ReLU.")
for beta in (1, 10, 100):
    distance = (fine * sigmoid(beta * fine) - relu(fine)).abs().max()
    print(f"beta = {beta}: largest distance from ReLU {distance:.3f}")

# %% [markdown] lang="en"
# A large $\beta$ makes the gate a switch, and Swish becomes ReLU. A small one leaves the gate half open, and it becomes
# the straight line $x/2$. Between a line and a switch lies the useful part.
#
# ## 9. Softmax
#
# The functions so far look at one number. Softmax looks at a whole row of scores, the **logits**, and makes probabilities
# of them:
#
# $$p_i = \frac{e^{x_i}}{\sum_j e^{x_j}} \qquad \text{range } (0, 1),\ \text{sum } 1$$
#
# **By hand.** For $(2, 1, 0)$ the exponentials are $7.3891, 2.7183, 1$. Their sum is $11.1073$, so
# $p = (0.6652, 0.2447, 0.0900)$.

# %% [markdown] lang="zh"
# $\beta$ 很大时，门变成了开关，Swish 变成 ReLU。$\beta$ 很小时，门总是半开，它变成直线 $x/2$。有用的部分就在直线与开关之间。
#
# ## 9. Softmax
#
# 前面的函数都只看一个数。Softmax 看的是一整行得分（称为 **logits**），并把它们变成概率：
#
# $$p_i = \frac{e^{x_i}}{\sum_j e^{x_j}} \qquad \text{值域 } (0, 1)\text{，总和为 } 1$$
#
# **手算**：对 $(2, 1, 0)$，三个指数是 $7.3891, 2.7183, 1$，总和为 $11.1073$，所以 $p = (0.6652, 0.2447, 0.0900)$。


# %%
def softmax(x):
    e = torch.exp(x)
    return e / e.sum(dim=-1, keepdim=True)


logits = torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64)
p = softmax(logits)
print("p =", [f"{value:.4f}" for value in p.tolist()], f"sum {p.sum():.4f}")
assert [round(value, 4) for value in p.tolist()] == [0.6652, 0.2447, 0.0900]
assert torch.allclose(p, functions.softmax(logits))
assert torch.allclose(p, torch.softmax(logits, dim=-1))

# %% [markdown] lang="en"
# Add the same number $c$ to all logits: $e^{x_i + c} = e^c e^{x_i}$, and $e^c$ cancels. So nothing should change. Look
# what the plain formula says for $c = 1000$, and what labkit says.

# %% [markdown] lang="zh"
# 给所有 logits 加上同一个数 $c$：$e^{x_i + c} = e^c e^{x_i}$，而 $e^c$ 会约掉，所以结果不该变。
# 请看 $c = 1000$ 时，直接套公式得到什么，labkit 又得到什么。

# %%
for name, function in {"plain formula": softmax, "labkit": functions.softmax}.items():
    print(f"{name:13}", [f"{value:.4f}" for value in function(logits + 1000).tolist()])

# %% [markdown] lang="en"
# $e^{1002}$ is infinite for the computer, and $\infty / \infty$ is nan, not a number. labkit subtracts the largest logit
# first, which changes nothing and keeps every exponent at 0 or below.
#
# With two classes, softmax is a sigmoid: $\frac{e^x}{e^x + e^0} = \sigma(x)$. With three it is the same S for the class
# whose logit moves, while the others share what is left. Move the first of $(x, 1, 0)$.

# %% [markdown] lang="zh"
# $e^{1002}$ 对计算机来说是无穷大，而 $\infty / \infty$ 是 nan（不是一个数）。labkit 先减去最大的 logit：
# 结果不变，而且所有指数都不大于 0。
#
# 只有两个类别时，softmax 就是 sigmoid：$\frac{e^x}{e^x + e^0} = \sigma(x)$。有三个类别时，
# logit 在变的那一类仍是一条 S 形曲线，其余各类分掉剩下的概率。让 $(x, 1, 0)$ 的第一个数变化。

# %%
moving = torch.stack([xs, torch.ones_like(xs), torch.zeros_like(xs)], dim=1)  # (240, 3)
shares = functions.softmax(moving)
curves = {"p of x": shares[:, 0], "p of 1": shares[:, 1], "p of 0": shares[:, 2]}
ax = plots.lines(xs, curves, xlabel="first logit x", ylabel="probability")
plots.show(ax, alt="The first probability rises in an S as its logit grows, and the other two fall in step.")
for place in (0, -1):
    print(f"others at x = {xs[place]:.0f}: {shares[place, 1]:.3f} and {shares[place, 2]:.3f}")
assert torch.allclose(functions.softmax(torch.stack([xs, 0 * xs], dim=1))[:, 0], sigmoid(xs))

# %% [markdown] lang="en"
# **The derivative** is a matrix, since every output depends on every input. For $i = j$ the quotient rule gives
# $p_i(1 - p_i)$, as for the sigmoid. For $i \ne j$ only the denominator depends on $x_j$, which gives $-p_i p_j$:
#
# $$\frac{\partial p_i}{\partial x_j} = p_i\,(\delta_{ij} - p_j), \qquad \delta_{ij} = 1 \text{ if } i = j, \text{ else } 0$$
#
# By hand for $(2, 1, 0)$: top left $0.6652 \cdot 0.3348 = 0.2227$, beside it $-0.6652 \cdot 0.2447 = -0.1628$. Look at the
# sums of the rows.

# %% [markdown] lang="zh"
# **导数**是一个矩阵，因为每个输出都依赖每个输入。$i = j$ 时，由商的求导法则得 $p_i(1 - p_i)$，与 sigmoid 相同。
# $i \ne j$ 时，只有分母依赖 $x_j$，得 $-p_i p_j$：
#
# $$\frac{\partial p_i}{\partial x_j} = p_i\,(\delta_{ij} - p_j), \qquad i = j \text{ 时 } \delta_{ij} = 1 \text{，否则为 } 0$$
#
# 对 $(2, 1, 0)$ 手算：左上角 $0.6652 \cdot 0.3348 = 0.2227$，它右边 $-0.6652 \cdot 0.2447 = -0.1628$。请看每一行的和。

# %%
jacobian = torch.diag(p) - p.unsqueeze(1) * p.unsqueeze(0)  # (3, 3)
names = ["2", "1", "0"]
ax = plots.heatmap(jacobian, xlabel="logit", ylabel="probability", xticks=names, yticks=names, digits=4)
plots.show(ax, alt="Softmax's matrix of derivatives: positive on the diagonal, negative off it.")
print("row sums:", [f"{abs(value):.4f}" for value in jacobian.sum(dim=1).tolist()])
assert round(jacobian[0, 0].item(), 4) == 0.2227
assert round(jacobian[0, 1].item(), 4) == -0.1628
assert torch.allclose(jacobian, torch.autograd.functional.jacobian(softmax, logits))
assert torch.allclose(jacobian, functions.softmax_grad(logits))

# %% [markdown] lang="en"
# The rows sum to 0: adding one number to all logits changes nothing, as you saw. Softmax saturates too. Multiply the
# logits by 10 and look at the largest entry that is left.

# %% [markdown] lang="zh"
# 每一行的和都是 0：正如刚才所见，给所有 logits 加同一个数，结果不变。Softmax 也会饱和。
# 把 logits 乘以 10，看看矩阵里最大的数还剩多少。

# %%
for factor in (1, 3, 10):
    probabilities = functions.softmax(factor * logits)
    slope = functions.softmax_grad(factor * logits).abs().max()
    print(f"logits times {factor:2}: largest p {probabilities.max():.4f}, largest slope {slope:.6f}")

# %% [markdown] lang="en"
# A softmax that is sure has almost no slope. That is why attention divides its logits by $\sqrt{d}$ (lesson 05), and why a
# classifier is trained on the logarithm of softmax (lesson 03).
#
# ### Exercise 02.4: Softmax with a temperature (★★☆, 8 minutes)
#
# A language model divides its logits by a temperature $T$ before softmax: $p = \mathrm{softmax}(x / T)$. A large $T$ makes
# the choice more even. Write it for a batch: `logits` (B, K), each row sums to 1. It must hold for logits of 1000. Do not
# call a ready softmax. Think of the axis.

# %% [markdown] lang="zh"
# 已经很有把握的 softmax，斜率几乎为 0。所以注意力机制要先把 logits 除以 $\sqrt{d}$（第 05 课），
# 训练分类器时用的是 softmax 的对数（第 03 课）。
#
# ### 练习 02.4：带温度的 softmax（★★☆，8 分钟）
#
# 语言模型在 softmax 之前先把 logits 除以温度 $T$：$p = \mathrm{softmax}(x / T)$。$T$ 越大，选择越平均。
# 请写出批次版本：`logits` 的形状是 (B, K)，每一行的和为 1，logits 到 1000 也要正确。不要调用现成的 softmax。想一想：该用哪个轴？


# %% exercise="02.4"
def softmax_with_temperature(logits, temperature):
    """softmax(logits / temperature) of each row: (B, K) -> (B, K)."""
    ### BEGIN SOLUTION
    z = logits / temperature
    e = torch.exp(z - z.max(dim=1, keepdim=True).values)
    return e / e.sum(dim=1, keepdim=True)
    ### END SOLUTION


# %%
check("02.4", softmax_with_temperature)
# hint("02.4")
# solution("02.4")

# %% [markdown] lang="en"
# ## 10. The explorer
#
# To compare functions, give saturation a number: the share of its largest slope that a function has lost at $x$,
#
# $$\text{saturation}(x) = 1 - \frac{|f'(x)|}{\max |f'|}$$
#
# so 0 % where it is steepest and 100 % where it is flat. By hand for the sigmoid at 2: $1 - 0.1050/0.25 = 58.0\,\%$.
#
# **Predict first, then move the sliders.** (a) At which $x$ has the sigmoid lost half of its slope? (b) Is tanh sooner or
# later? (c) Where is SiLU fully saturated, although it is not flat to the left or right of that point? (d) Which function
# becomes a straight line when you set its parameter to 1?

# %% [markdown] lang="zh"
# ## 10. 函数探索器
#
# 为了比较各个函数，给“饱和”一个数值：函数在 $x$ 处损失了最大斜率的多大比例，
#
# $$\text{饱和度}(x) = 1 - \frac{|f'(x)|}{\max |f'|}$$
#
# 最陡处为 0%，完全平坦处为 100%。对 sigmoid 在 2 处手算：$1 - 0.1050/0.25 = 58.0\,\%$。
#
# **先预测，再拖动滑块**：（a）sigmoid 在哪个 $x$ 处失去一半斜率？（b）tanh 更早还是更晚？
# （c）SiLU 在哪一点完全饱和，而这一点的左右两侧都不平坦？（d）把参数设为 1 时，哪个函数会变成直线？

# %%
grid = torch.linspace(-6, 6, 241, dtype=torch.float64)  # with 0
PARAMETERS = {"leaky_relu": "slope", "prelu": "weight", "elu": "alpha", "swish": "beta"}


def choose(function, parameter):
    """The function and its slope, with the parameter filled in where there is one."""
    if function == "swish":
        return lambda x: x * functions.sigmoid(parameter * x), lambda x: functions.silu_grad(parameter * x)
    f, slope = functions.ACTIVATIONS[function]
    if function in PARAMETERS:
        return lambda x: f(x, parameter), lambda x: slope(x, parameter)
    return f, slope


# %%
def draw(function, x, parameter):
    """The two panels at x, and the three numbers."""
    f, slope = choose(function, parameter)
    value, steepness = f(at(x)).item(), slope(at(x)).item()
    saturation = 1 - abs(steepness) / slope(grid).abs().max().item()
    used = f"parameter = {PARAMETERS[function]}" if function in PARAMETERS else "the parameter is not used"
    numbers = f"value = {value:.4f}, slope = {steepness:.4f}, saturation = {saturation:.1%}"
    return two_panels(function, f, slope, x), f"{function}({x:.1f}): {numbers} ({used})"


# %% tags=["nbval-ignore-output"]
widgets.explorer(
    draw,
    function=[*functions.ACTIVATIONS, "swish"],
    x=(-6.0, 6.0, 0.1, 2.0),
    parameter=(0.01, 2.0, 0.01, 0.25),
)

# %% [markdown] lang="en"
# For readers on paper: the panel as it opens, then the saturation of five functions.

# %% [markdown] lang="zh"
# 为了方便看纸质版的读者，这里先给出面板打开时的样子，再是五个函数的饱和度曲线。

# %%
axes, numbers = draw("sigmoid", 2.0, 0.25)
print(numbers)
assert "value = 0.8808" in numbers
assert "saturation = 58.0%" in numbers
plots.show(axes, alt="Sigmoid with its tangent at x = 2 on the left, its slope on the right.")

# %%
curves = {}
for name in ("sigmoid", "tanh", "relu", "elu", "silu"):
    slope = functions.ACTIVATIONS[name][1](grid).abs()
    curves[name] = 1 - slope / slope.max()
ax = plots.lines(grid, curves, xlabel="x", ylabel="saturation")
plots.show(
    ax, alt="Sigmoid and tanh saturate on both sides, ReLU and ELU on the left, SiLU with a peak there."
)

# %%
half_sigmoid = math.log(3 + 2 * math.sqrt(2))
print(f"half of the slope is lost: sigmoid at x = {half_sigmoid:.2f}, tanh at x = {half_sigmoid / 2:.2f}")
assert math.isclose(functions.sigmoid_grad(at(half_sigmoid)), 0.125)
assert math.isclose(functions.tanh_grad(at(half_sigmoid / 2)), 0.5)

# %% [markdown] lang="en"
# (a) At 1.76, where $\sigma(1 - \sigma) = \frac18$. (b) Sooner, at 0.88: tanh is the sigmoid with its input doubled.
# (c) At its lowest point, $x = -1.28$. (d) Leaky ReLU and PReLU: both sides then have slope 1.
#
# ## 11. Saturation and vanishing gradients in twenty layers
#
# The chain rule multiplies. In a network with layers $a_l = f(a_{l-1} W_l)$, the gradient at layer 1 has passed through
# every later layer, and got a factor $f'(z_l) \cdot W_l$ at each. So we build 20 hidden layers of 64 units on real
# handwritten digits, and look at the gradient that each layer's weights get before any training.
#
# The weights are random, with standard deviation $\text{gain}/\sqrt{\text{inputs}}$. With gain 1 a linear layer neither
# grows nor shrinks its signals. ReLU drops half of them, and needs a gain of $\sqrt2$ (lesson 04 derives this). The 1.5 for GELU was found by trying.

# %% [markdown] lang="zh"
# （a）在 1.76 处，此时 $\sigma(1 - \sigma) = \frac18$。（b）更早，在 0.88 处：tanh 就是输入翻倍的 sigmoid。
# （c）在最低点 $x = -1.28$。（d）leaky ReLU 和 PReLU：两侧的斜率都变成 1。
#
# ## 11. 二十层网络里的饱和与梯度消失
#
# 链式法则是连乘。在各层为 $a_l = f(a_{l-1} W_l)$ 的网络里，传到第 1 层的梯度穿过了后面的每一层，
# 每过一层就多一个因子 $f'(z_l) \cdot W_l$。我们用真实的手写数字，搭一个有 20 个隐藏层、每层 64 个单元的网络，
# 在训练开始之前，看看每一层的权重得到多大的梯度。
#
# 权重是随机的，标准差为 $\text{gain}/\sqrt{\text{输入个数}}$。gain 取 1 时，线性层既不放大也不缩小信号。
# ReLU 会丢掉一半信号，所以要取 $\sqrt2$（第 04 课会推导）。GELU 的 1.5 是试出来的。

# %%
digits = load_digits(seed=SEED)
mean, deviation = digits.train_x.mean(), digits.train_x.std()
train_x, test_x = (digits.train_x - mean) / deviation, (digits.test_x - mean) / deviation
sample_x, sample_y = train_x[:256].double(), digits.train_y[:256]

DEPTH = 20
SIZES = (64, *[64] * DEPTH, 10)
print(f"{len(train_x)} training images, {len(test_x)} test images, {len(SIZES) - 1} layers of weights")


# %%
def make_weights(sizes, gain, seed, dtype=torch.float32):
    """One matrix (inputs, outputs) a layer, with standard deviation gain / sqrt(inputs)."""
    generator = torch.Generator().manual_seed(seed)
    shapes = pairwise(sizes)
    return [torch.randn(i, o, generator=generator, dtype=dtype) * gain / math.sqrt(i) for i, o in shapes]


weights = make_weights(SIZES, 1.0, SEED)
print(f"{len(weights)} matrices, the first with standard deviation {weights[0].std():.3f}")
assert abs(weights[0].std() - 1 / math.sqrt(64)) < 0.01


# %% [markdown] lang="en"
# Each layer gets one number: the length of the gradient by its weights. **Predict:** a sigmoid's slope is at most 1/4.
# By what factor can the gradient shrink on its way from layer 20 to layer 1?

# %% [markdown] lang="zh"
# 每层得到一个数：损失对该层权重的梯度有多长（范数）。**请先预测**：sigmoid 的斜率最大是 1/4，
# 从第 20 层回到第 1 层，梯度会缩小到几分之一？


# %%
def gradient_by_layer(f, gain, skip=False):
    """Length of the loss gradient by the weights of each hidden layer, the first layer first."""
    weights = [W.requires_grad_() for W in make_weights(SIZES, gain, SEED, torch.float64)]
    a = sample_x
    for W in weights[:-1]:
        a = f(a @ W) + a if skip else f(a @ W)  # (256, 64)
    loss = functions.cross_entropy(a @ weights[-1], sample_y)
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss, weights)[:-1]]


GAINS = {"sigmoid": 1.0, "tanh": 1.0, "relu": math.sqrt(2), "selu": 1.0, "gelu": 1.5}
gradients = {name: gradient_by_layer(functions.ACTIVATIONS[name][0], gain) for name, gain in GAINS.items()}

# %%
layers = range(1, DEPTH + 1)
ax = plots.lines(layers, gradients, xlabel="layer", ylabel="gradient length", log_y=True, markers=True)
ax.set_xticks(range(2, DEPTH + 1, 2))
plots.show(ax, alt="Sigmoid's gradient falls by twelve powers of ten towards layer 1; the others stay level.")
for name, lengths in gradients.items():
    print(f"{name:8} layer 1 gets {lengths[0] / lengths[-1]:.1g} times the gradient of layer 20")
print(f"bound for the sigmoid by hand: 0.25 ** 19 = {0.25**19:.1g}")
assert gradients["sigmoid"][0] / gradients["sigmoid"][-1] < 1e-10

# %% [markdown] lang="en"
# Nineteen factors of at most 1/4 make $4 \cdot 10^{-12}$, and the measured ratio is of that size: weights of gain 1 keep the
# length on average, so the slopes decide. This is the **vanishing
# gradient**: the first layers of a deep sigmoid network are told nothing. For the others, layer 1 gets about as much as
# layer 20, give or take one power of ten.
#
# Is saturation to blame? Count the units that have lost more than 95 % of their slope, layer by layer, for normal weights
# and for large ones.

# %% [markdown] lang="zh"
# 19 个不超过 1/4 的因子相乘，得 $4 \cdot 10^{-12}$，实测的比值正是这个量级：增益为 1 的权重平均来说不改变长度，
# 起决定作用的是斜率。这就是**梯度消失**：
# 在很深的 sigmoid 网络里，最前面的几层得不到任何信息。其他函数中，第 1 层与第 20 层的梯度相差不大，至多约一个数量级。
#
# 是饱和惹的祸吗？逐层数一数：有多少单元失去了 95% 以上的斜率？权重分别取正常大小和很大两种。


# %%
def saturated_by_layer(name, gain):
    """Share of the units of each hidden layer that have lost more than 95 % of the largest slope."""
    f, slope = functions.ACTIVATIONS[name]
    steepest = slope(grid).max()
    a, shares = sample_x, []
    for W in make_weights(SIZES, gain, SEED, torch.float64)[:-1]:
        z = a @ W
        shares.append((slope(z) < 0.05 * steepest).double().mean().item())
        a = f(z)
    return shares


cases = {"tanh, gain 1": ("tanh", 1), "tanh, gain 3": ("tanh", 3)}
cases |= {"sigmoid, gain 1": ("sigmoid", 1), "sigmoid, gain 8": ("sigmoid", 8)}
saturated = {label: saturated_by_layer(*case) for label, case in cases.items()}

# %%
ax = plots.lines(layers, saturated, xlabel="layer", ylabel="share of saturated units", markers=True)
ax.set_xticks(range(2, DEPTH + 1, 2))
ax.set_ylim(-0.03, 1)
plots.show(
    ax, alt="With gain 1 almost no unit is saturated in any layer; with large weights a third and more."
)
for label, shares in saturated.items():
    print(f"{label:15} layer 1: {shares[0]:.2f}, layer 10: {shares[9]:.2f}, layer 20: {shares[-1]:.2f}")

# %% [markdown] lang="en"
# With normal weights no sigmoid unit is saturated, and its gradient vanishes all the same. Each unit is at its best, and
# its best is 1/4. Saturation is a second trouble, which large weights bring on.
#
# Could larger weights make up for the 1/4? A gain of 4 would cancel it, if the units stayed in the middle of the S.

# %% [markdown] lang="zh"
# 权重大小正常时，没有一个 sigmoid 单元饱和，梯度却照样消失。每个单元都处在自己最好的状态，而最好也只有 1/4。
# 饱和是另一个麻烦，它是权重太大带来的。
#
# 那么，把权重放大，能不能补偿这个 1/4？gain 取 4 恰好可以抵消，前提是各单元仍待在 S 形的中段。

# %%
print("gain  layer 1 / layer 20  saturated in layer 20")
for gain in (1, 2, 4, 8, 16):
    lengths = gradient_by_layer(functions.sigmoid, gain)
    share = saturated_by_layer("sigmoid", gain)[-1]
    print(f"{gain:4}  {lengths[0] / lengths[-1]:18.1g}  {share:21.2f}")

# %% [markdown] lang="en"
# They do not stay there. The ratio comes up to 1 only when two thirds of the units are saturated. There is no good gain
# for a deep sigmoid network.
#
# Does it matter for learning? Train the 20 layers with each function, five networks each (two in smoke mode). `Stack` holds several networks of
# one shape: a matrix product of PyTorch does all of them at once. From here on PyTorch's own functions do the work;
# they are the same functions, only faster.

# %% [markdown] lang="zh"
# 可惜它们待不住。要让比值升到 1，就得有三分之二的单元饱和。对很深的 sigmoid 网络来说，没有合适的 gain。
#
# 这对学习有影响吗？用每种函数各训练五个 20 层网络（smoke 模式下是两个）。`Stack` 装着几个同样形状的网络，PyTorch 一次矩阵乘法就能同时算完。
# 从这里起改用 PyTorch 自带的函数：函数是同一个，只是更快。

# %%
FAST = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "gelu": F.gelu, "silu": F.silu}
for name, function in FAST.items():
    assert torch.allclose(function(grid), functions.ACTIVATIONS[name][0](grid), rtol=0, atol=1e-12)
SEEDS = range(SEED, SEED + lab.pick(2, 5, 10))
print(f"PyTorch's {', '.join(FAST)} equal labkit's; {len(SEEDS)} networks for each function")


# %%
class Stack(nn.Module):
    """Networks of one shape, one for each seed: (B, inputs) -> logits (S, B, outputs)."""

    def __init__(self, sizes, f, gain):
        super().__init__()
        self.f = f
        each = [make_weights(sizes, gain, seed) for seed in SEEDS]
        self.weights = nn.ParameterList([torch.stack(layer) for layer in zip(*each)])  # (S, inputs, outputs)
        self.biases = nn.ParameterList([torch.zeros(len(SEEDS), 1, W.shape[-1]) for W in self.weights])

    def forward(self, a):
        for W, b in zip(self.weights[:-1], self.biases[:-1]):
            a = self.f(a @ W + b)  # (S, B, width)
        return a @ self.weights[-1] + self.biases[-1]


# %% [markdown] lang="en"
# The loss is the sum over the networks, so that each gets the gradient that it would get alone.

# %% [markdown] lang="zh"
# 损失对各个网络求和，这样每个网络得到的梯度与单独训练时相同。


# %%
def stack_loss(logits, targets):
    """Cross-entropy of each network, summed: (S, B, K) and (B,) -> one number."""
    return len(logits) * functions.cross_entropy(logits, targets.expand(len(logits), -1))


def train(model, optimizer, steps, x=train_x):
    """Train all networks of the stack on the digits."""
    batches = ArrayBatches(x, digits.train_y, batch_size=64, seed=SEED)
    return fit(SupervisedTask(model, stack_loss, optimizer), batches, steps)


def accuracies(model, x=test_x):
    """Share of right test digits, for each network of the stack."""
    with torch.no_grad():
        return [metrics.accuracy(labels, digits.test_y) for labels in model(x).argmax(dim=-1)]


# %% [markdown] lang="en"
# Ten classes: who guesses is right in 10 % of the cases. **Predict** the accuracy of each function.

# %% [markdown] lang="zh"
# 一共十个类别，瞎猜的正确率是 10%。**请先预测**每种函数的正确率。

# %% tags=["nbval-ignore-output"]
deep = {}
for name in ("sigmoid", "tanh", "relu", "gelu"):
    model = Stack(SIZES, FAST[name], GAINS[name])
    train(model, torch.optim.Adam(model.parameters(), lr=1e-3), steps=lab.pick(5, 200, 1000))
    deep[name] = metrics.mean_interval(accuracies(model))
    print(f"20 layers, {name:8} accuracy {deep[name][0]:.2f} ({deep[name][1]:.2f} to {deep[name][2]:.2f})")
if lab.mode != "smoke":
    assert deep["sigmoid"][0] < 0.2
    assert min(deep[name][0] for name in ("tanh", "relu", "gelu")) > 0.7

# %% [markdown] lang="en"
# The sigmoid network is at chance after training, the others read about nine digits of ten. (In brackets: 95 % interval
# over the networks, which differ in their first weights.)
#
# A better function is one cure. Another is to let the signal pass by the function: $a_l = a_{l-1} + f(a_{l-1} W_l)$. The
# slope of one layer is then 1 plus something. Look what it does for the sigmoid.

# %% [markdown] lang="zh"
# sigmoid 网络训练之后仍与瞎猜无异，其他网络十个数字大约认得出九个。（括号内是各网络平均值的 95% 置信区间，它们只是初始权重不同。）
#
# 换一个更好的函数是一种解法。另一种是让信号绕过函数：$a_l = a_{l-1} + f(a_{l-1} W_l)$，这样每层的斜率就是 1 加上一点东西。
# 请看它对 sigmoid 有什么作用。

# %%
for skip in (False, True):
    lengths = gradient_by_layer(functions.sigmoid, gain=1.0, skip=skip)
    print(f"sigmoid, skip connection: {skip!s:5}  layer 1 / layer 20: {lengths[0] / lengths[-1]:.1g}")

# %% [markdown] lang="en"
# Eleven powers of ten come back. This is the residual connection, and every Transformer block has two (lesson 05).
#
# ### Exercise 02.5: The slope of a chain (★★★, 12 minutes)
#
# The smallest deep network has one unit a layer and no weights: $y = \sigma(\sigma(\dots\sigma(x)))$, with `depth` sigmoids.
# Return $dy/dx$, without autograd. `x` is a tensor with one number; use `sigmoid` and `sigmoid_slope`. Think of *where* each
# slope is taken.

# %% [markdown] lang="zh"
# 十一个数量级都找回来了。这就是残差连接，每个 Transformer 块里有两处（第 05 课）。
#
# ### 练习 02.5：一串激活函数的斜率（★★★，12 分钟）
#
# 最小的深层网络，每层只有一个单元，没有权重：$y = \sigma(\sigma(\dots\sigma(x)))$，共 `depth` 个 sigmoid。
# 请返回 $dy/dx$，不用自动求导。`x` 是只含一个数的张量，可以使用 `sigmoid` 和 `sigmoid_slope`。想一想：每个斜率该在*哪一点*取？


# %% exercise="02.5"
def chain_slope(x, depth):
    """Derivative by x of sigmoid applied depth times."""
    ### BEGIN SOLUTION
    product = torch.ones_like(x)
    for _ in range(depth):
        product = product * sigmoid_slope(x)
        x = sigmoid(x)
    return product
    ### END SOLUTION


# %%
check("02.5", chain_slope)
# hint("02.5")
# solution("02.5")

# %% [markdown] lang="en"
# ## 12. Dead units
#
# A ReLU unit that outputs 0 for every training image gets the gradient 0 and never changes again. It is **dead**. One
# large step of the optimizer can push a unit there. So train networks with one hidden layer of 100 ReLU units by plain
# gradient descent, turn the learning rate up, and count.

# %% [markdown] lang="zh"
# ## 12. 死亡单元
#
# 如果一个 ReLU 单元对所有训练图片都输出 0，它的梯度就是 0，从此不再变化，这就是**死亡单元**。
# 优化器只要迈出一大步，就可能把单元推到那里。下面用普通的梯度下降训练只有一个隐藏层（100 个 ReLU 单元）的网络，
# 不断调大学习率，数一数死了多少。


# %%
def never_positive(model):
    """Share of hidden units with z <= 0 for all training images, for each network of a one-layer stack."""
    with torch.no_grad():
        z = digits.train_x @ model.weights[0] + model.biases[0]  # (S, N, 100)
    return (z <= 0).all(dim=1).float().mean(dim=1).tolist()


def train_shallow(f, learning_rate):
    """Networks with one hidden layer of 100 units, trained by plain gradient descent."""
    model = Stack((64, 100, 10), f, gain=math.sqrt(2))
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    train(model, optimizer, steps=lab.pick(20, 150, 150), x=digits.train_x)
    return model


# %% [markdown] lang="en"
# **Predict:** at which learning rate are half of the units dead? And what does the accuracy do meanwhile?

# %% [markdown] lang="zh"
# **请先预测**：学习率多大时，有一半单元死亡？与此同时，正确率会怎样？

# %% tags=["nbval-ignore-output"]
rates = (0.1, 0.5, 1.0, 1.5, 2.0, 3.0)
shallow = {rate: train_shallow(F.relu, rate) for rate in rates}
dead = [metrics.mean_interval(never_positive(model)) for model in shallow.values()]
right = [metrics.mean_interval(accuracies(model, digits.test_x)) for model in shallow.values()]
for rate, (share, *_), (accuracy, *_) in zip(rates, dead, right):
    print(f"learning rate {rate}: dead {share:.2f}, accuracy {accuracy:.2f}")
if lab.mode != "smoke":
    assert dead[0][0] < 0.1
    assert dead[4][0] > 0.7

# %%
curves = {"dead units": tuple(zip(*dead)), "accuracy": tuple(zip(*right))}  # mean, low, high
ax = plots.bands(rates, curves, xlabel="learning rate", ylabel="share")
ax.set_ylim(0, 1.05)
plots.show(ax, alt="Below a rate of 1 few units are dead; at 2 nearly all are, and few digits are right.")

# %% [markdown] lang="en"
# At a moderate rate one unit in fifty is dead, at 2 nearly all are. Look at 1.5 as well: most units are gone and the
# accuracy is still high. The loss curve does not show you that more than half of your network is idle. Count.
#
# Can a dead network be saved? Take the networks that the rate 2.0 ruined, go on with a reasonable rate of 0.1, once as
# they are, and once with leaky ReLU (left slope 0.1) in place of ReLU. The weights are the same in both. First, which units
# get any gradient at all, over the whole training set?

# %% [markdown] lang="zh"
# 学习率适中时，五十个单元里大约死一个；到 2 时几乎全部死亡。还请看 1.5：大部分单元已经没了，正确率却仍然不低。
# 损失曲线不会告诉你网络有一大半在闲着，所以要数一数。
#
# 死掉的网络还救得回来吗？取被学习率 2.0 毁掉的那些网络，改用合理的学习率 0.1 继续训练：一份原样不动，
# 另一份把 ReLU 换成 leaky ReLU（左侧斜率 0.1），两份的权重完全相同。先看：在整个训练集上，有多少单元还能得到梯度？


# %%
def leaky(x):
    return F.leaky_relu(x, 0.1)


def swapped(model, f):
    """A copy of the stack with the same weights and another activation function."""
    other = copy.deepcopy(model)
    other.f = f
    return other


def without_gradient(model):
    """Share of hidden units whose weights all get the gradient 0, over the whole training set."""
    loss = stack_loss(model(digits.train_x), digits.train_y)
    (gradient,) = torch.autograd.grad(loss, model.weights[0])  # (S, 64, 100)
    return (gradient == 0).all(dim=1).float().mean().item()


# %% tags=["nbval-ignore-output"]
ruined = shallow[2.0]
for name, f in {"ReLU": F.relu, "leaky ReLU": leaky}.items():
    print(f"{name:10}: units without any gradient {without_gradient(swapped(ruined, f)):.2f}")

# %% [markdown] lang="en"
# Same weights, but now every unit is told something. Train on.

# %% [markdown] lang="zh"
# 权重相同，但现在每个单元都能得到信息了。继续训练。

# %% tags=["nbval-ignore-output"]
rescued = {}
print(f"before    : never positive {dead[4][0]:.2f}, accuracy {right[4][0]:.2f}")
for name, f in {"ReLU": F.relu, "leaky ReLU": leaky}.items():
    model = swapped(ruined, f)
    train(model, torch.optim.SGD(model.parameters(), lr=0.1), lab.pick(20, 300, 300), digits.train_x)
    rescued[name] = metrics.mean_interval(accuracies(model, digits.test_x))
    share = sum(never_positive(model)) / len(SEEDS)
    print(f"{name:10}: never positive {share:.2f}, accuracy {rescued[name][0]:.2f}")
if lab.mode != "smoke":
    assert rescued["leaky ReLU"][0] > rescued["ReLU"][0] + 0.2

# %% [markdown] lang="en"
# With ReLU every dead unit stays dead: it gets no gradient, and the few that live help a little. Leaky ReLU brings the network back to most of its accuracy.
# Notice *how*: most units are still never positive. They work on their left side, with slope 0.1. The leak does not
# wake them up so much as let them work where they lie. The better cure is not to kill them: a smaller learning rate,
# a warm-up, or clipped gradients.
#
# ### Exercise 02.6: The share of dead units (★★☆, 8 minutes)
#
# `z` (N, units) holds the inputs of a ReLU layer for N examples. Return the share of units that are dead on them. Think of
# the difference between a unit that is often silent and one that is always silent.

# %% [markdown] lang="zh"
# 用 ReLU 时，死掉的单元一个也没有活过来：它们得不到梯度，只靠剩下的少数单元略有改善。leaky ReLU 则让网络恢复了大部分正确率。
# 请注意它是*怎样*做到的：大多数单元仍然从不为正，它们在左半边工作，斜率是 0.1。与其说“泄漏”唤醒了它们，
# 不如说让它们躺着也能干活。更好的办法是别把它们弄死：用小一点的学习率、学习率预热，或者梯度裁剪。
#
# ### 练习 02.6：死亡单元的比例（★★☆，8 分钟）
#
# `z`（形状 (N, units)）是某个 ReLU 层对 N 个样本的输入。请返回死亡单元的比例。想一想：“经常输出 0”和“总是输出 0”有什么区别？


# %% exercise="02.6"
def dead_share(z):
    """Share of the units (columns of z) whose ReLU is 0 for every example."""
    ### BEGIN SOLUTION
    return (z <= 0).all(dim=0).double().mean()
    ### END SOLUTION


# %%
check("02.6", dead_share)
# hint("02.6")
# solution("02.6")

# %% [markdown] lang="en"
# ## 13. Why GELU and SiLU?
#
# The first Transformer used ReLU ([Vaswani and others 2017](https://arxiv.org/abs/1706.03762)). BERT uses GELU
# ([Devlin and others 2018](https://arxiv.org/abs/1810.04805)), and so do GPT and GPT-2. LLaMA uses SiLU inside a gated
# layer, SwiGLU ([Touvron and others 2023](https://arxiv.org/abs/2302.13971)). Are these better? Measure where we can, with ReLU as the baseline. First on the digits: four hidden layers, the same first
# weights for each function, and the difference from ReLU network by network.

# %% [markdown] lang="zh"
# ## 13. 为什么用 GELU 和 SiLU？
#
# 最早的 Transformer 用的是 ReLU（[Vaswani 等 2017](https://arxiv.org/abs/1706.03762)）；
# BERT 用 GELU（[Devlin 等 2018](https://arxiv.org/abs/1810.04805)），GPT 和 GPT-2 也是；
# LLaMA 在门控层 SwiGLU 里用 SiLU（[Touvron 等 2023](https://arxiv.org/abs/2302.13971)）。它们真的更好吗？
# 能测的我们就测，以 ReLU 为基线。先在手写数字上比：四个隐藏层，各函数使用相同的随机数来初始化，逐个网络地与 ReLU 相减。

# %% tags=["nbval-ignore-output"]
scores = {}
for name in ("relu", "gelu", "silu"):
    model = Stack((64, 64, 64, 64, 64, 10), FAST[name], gain=math.sqrt(2))
    train(model, torch.optim.Adam(model.parameters(), lr=1e-3), steps=lab.pick(5, 300, 1000))
    scores[name] = accuracies(model)
    mean = metrics.mean_interval(scores[name])[0]
    more, low, high = metrics.mean_interval([a - b for a, b in zip(scores[name], scores["relu"])])
    print(f"{name}: accuracy {mean:.3f}, minus ReLU {more:+.3f} ({low:+.3f} to {high:+.3f})")

# %% [markdown] lang="en"
# The intervals of the differences hold 0. On this task we cannot tell them apart, and this is an honest result: for a
# small classifier the choice among these three hardly matters.
#
# So what is the point of a function without a corner? A ReLU network is a chain of straight pieces, and its slope is a
# staircase. Fit a smooth curve, $\sin 6x$, by networks of one size, and compare both the curve and its slope.

# %% [markdown] lang="zh"
# 差值的置信区间都包含 0。在这个任务上分不出高下，这也是实事求是的结论：对小分类器来说，这三者怎么选都差不多。
#
# 那么，没有折点的函数好在哪里？ReLU 网络由一段段直线拼成，它的斜率是一级级台阶。
# 用同样大小的网络去拟合一条光滑曲线 $\sin 6x$，比较曲线本身，也比较曲线的斜率。


# %%
points = torch.linspace(-1, 1, 128).unsqueeze(1)  # (128, 1)
between = torch.linspace(-1, 1, 1001).unsqueeze(1)


def sine_loss(outputs, targets):
    """Mean squared error of each network, summed: (S, N, 1) and (N, 1) -> one number."""
    return len(outputs) * functions.mse(outputs, targets.expand_as(outputs))


def fit_sine(f):
    """Networks with two hidden layers of 32 units, fitted to sin(6x)."""
    model = Stack((1, 32, 32, 1), f, gain=math.sqrt(2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    steps = lab.pick(20, 400, 2000)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    fit(SupervisedTask(model, sine_loss, optimizer, schedule), [(points, torch.sin(6 * points))], steps)
    return model


# %%
def value_and_slope(model):
    """Curve and slope of each network at the 1,001 points, both (S, 1001)."""
    x = between.clone().requires_grad_()
    values = model(x).squeeze(-1)
    slopes = [torch.autograd.grad(curve.sum(), x, retain_graph=True)[0].squeeze(1) for curve in values]
    return values.detach(), torch.stack(slopes)


# %% tags=["nbval-ignore-output"]
true_value, true_slope = torch.sin(6 * between).squeeze(1), 6 * torch.cos(6 * between).squeeze(1)
sine, shown = {}, {}
for name in ("relu", "gelu", "silu"):
    values, slopes = value_and_slope(fit_sine(FAST[name]))
    error = ((values - true_value) ** 2).mean(dim=1).sqrt()
    slope_error = ((slopes - true_slope) ** 2).mean(dim=1).sqrt()
    sine[name], shown[name] = metrics.mean_interval(error), slopes[0]
    interval = f"{sine[name][1]:.3f} to {sine[name][2]:.3f}"
    print(f"{name}: error {sine[name][0]:.3f} ({interval}), error of the slope {slope_error.mean():.2f}")
if lab.mode != "smoke":
    assert sine["gelu"][0] < sine["relu"][0]

# %% tags=["nbval-ignore-output"]
curves = {"true slope": true_slope, "ReLU network": shown["relu"], "GELU network": shown["gelu"]}
ax = plots.lines(between.squeeze(1), curves, xlabel="x", ylabel="slope of the fitted curve")
plots.show(ax, alt="The slope of the ReLU network is a staircase, that of the GELU network a smooth wave.")
for name in ("relu", "gelu"):
    print(f"{name}: largest jump between neighbouring points {shown[name].diff().abs().max():.2f}")

# %% [markdown] lang="en"
# Here GELU wins clearly: with the same number of weights and steps, its error is well below that of ReLU. SiLU's mean is low
# too, with a wide interval. The staircase shows why: a smooth bend follows a smooth curve more closely with the same units.
#
# And the price? Time a million numbers through each function.

# %% [markdown] lang="zh"
# 在这里，GELU 明显胜出：权重数和步数相同，它的误差远低于 ReLU。SiLU 的平均误差也小，只是区间较宽。
# 台阶形的斜率说明了原因：要学的曲线是光滑的，单元数相同时，光滑的弯折贴合得更好。
#
# 代价呢？让一百万个数通过每个函数，计一下时间。

# %% tags=["nbval-ignore-output"]
from torch.utils.benchmark import Timer

million = torch.randn(1000, 1000)
for name in ("relu", "gelu", "silu"):
    timer = Timer("f(x)", globals={"f": FAST[name], "x": million})
    print(f"{name}: {timer.timeit(lab.pick(3, 30, 100)).median * 1e3:.2f} ms")
product = Timer("x @ x", globals={"x": million})
print(f"product of two matrices of this size: {product.timeit(lab.pick(3, 30, 100)).median * 1e3:.2f} ms")

# %% [markdown] lang="en"
# The times differ between computers and from run to run, but all three are of one size. The last line is what stands beside
# them in a Transformer: a matrix product costs far more than any of them. So the price hardly decides.
#
# What have others measured? Shazeer (2020, table 1) compared them in a Transformer of the size of T5 base. GELU and Swish
# came out within 0.015 of ReLU in held-out loss. The gated versions, GEGLU and SwiGLU, were better by 0.04 to 0.06: what
# helps is the gate more than the curve. He offers no explanation.
# Mirzadeh and others (2023) found that ReLU costs large language models almost no quality, while its exact zeros save
# work. So: GELU and SiLU are good defaults, not laws. The table holds what this lesson measured.

# %% [markdown] lang="zh"
# 时间因机器而异，每次运行也不一样，但三个函数的耗时属于同一量级。请看最后一行：在 Transformer 里，它们旁边就是矩阵乘法，
# 一次矩阵乘法比这三个函数都贵得多。所以选哪个函数，几乎不必考虑快慢。
#
# 别人测得怎样？Shazeer（2020，表 1）在 T5 base 大小的 Transformer 里做了比较：GELU 和 Swish 的留出集损失与 ReLU 相差不到 0.015，
# 带门控的 GEGLU 和 SwiGLU 则好 0.04 到 0.06：起作用的主要是门控，而不是曲线的形状。他坦言说不出原因。Mirzadeh 等（2023）发现，
# 大语言模型换用 ReLU 几乎不损失质量，而它输出的大量 0 还能省下计算。
# 所以，GELU 和 SiLU 是不错的默认选择，但不是定律。下表是本课测得的结果。


# %% tags=["nbval-ignore-output"]
def measure(metric, ours, baseline, baseline_name, **options):
    """A row of the table, from two (mean, low, high)."""
    mean, *interval = ours
    interval, seeds = tuple(interval), len(SEEDS)
    return results.Measure(
        metric, mean, baseline[0], baseline_name, interval=interval, seeds=seeds, **options
    )


gelu_score, relu_score = metrics.mean_interval(scores["gelu"]), metrics.mean_interval(scores["relu"])
results.report(
    measure("20 layers: accuracy, GELU", deep["gelu"], deep["sigmoid"], "sigmoid", digits=2),
    measure("4 layers: accuracy, GELU", gelu_score, relu_score, "ReLU", digits=2),
    measure("sin 6x: error, GELU", sine["gelu"], sine["relu"], "ReLU", higher_is_better=False),
    measure("dead network: accuracy, leaky ReLU", rescued["leaky ReLU"], rescued["ReLU"], "ReLU", digits=2),
)

# %% [markdown] lang="en"
# ## 14. Break it
#
# A colleague wrote a classifier of digits by hand: one hidden layer of sigmoids, with its backward pass. It runs without
# an error, the loss falls, and the accuracy is good. One line holds a fault. **Look at the numbers before you read the
# code:** which of them cannot be right? Remember the figure in section 2, and that these first weights are large.

# %% [markdown] lang="zh"
# ## 14. 找出故障
#
# 一位同事手写了一个数字分类器：一个 sigmoid 隐藏层，反向传播也是自己写的。程序不报错，损失在下降，正确率也不错，
# 但有一行藏着毛病。**先别读代码，先看数字**：哪一个不可能是对的？请回想第 2 节的图，并注意这里的初始权重很大。


# %%
def gradient_by_hand(x, y, W1, W2, slope_of):
    """Loss, gradients by W1 and W2, and the slopes that were used."""
    a = functions.sigmoid(x @ W1)  # (B, 32)
    p = functions.softmax(a @ W2)  # (B, 10)
    loss = -p[range(len(y)), y].log().mean()
    above = (p - F.one_hot(y, 10)) / len(y)  # lesson 03 derives this
    slopes = slope_of(a)
    return loss, x.T @ ((above @ W2.T) * slopes), a.T @ above, slopes


# %%
def train_by_hand(slope_of):
    """Gradient descent on all training digits at once; returns the losses and the test accuracy."""
    W1, W2 = make_weights((64, 32), 8.0, SEED)[0], make_weights((32, 10), 1.0, SEED)[0]
    losses = []
    for _ in range(lab.pick(5, 300, 300)):
        loss, grad1, grad2, _ = gradient_by_hand(digits.train_x, digits.train_y, W1, W2, slope_of)
        W1, W2 = W1 - 2.0 * grad1, W2 - 2.0 * grad2
        losses.append(loss.item())
    return losses, metrics.accuracy(functions.sigmoid(digits.test_x @ W1) @ W2, digits.test_y)


# %% tags=["nbval-ignore-output"]
colleague = functions.sigmoid_grad
losses, accuracy = train_by_hand(colleague)
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}, test accuracy {accuracy:.2f}")

# %%
W1, W2 = (
    make_weights((64, 32), 8.0, SEED, torch.float64)[0],
    make_weights((32, 10), 1.0, SEED, torch.float64)[0],
)
x, y = digits.train_x.double(), digits.train_y
z = x @ W1
slopes = gradient_by_hand(x, y, W1, W2, colleague)[3]
print(f"inputs of the hidden units, from {z.min():.1f} to {z.max():.1f}")
print(f"slopes used: smallest {slopes.min():.3f}, median {slopes.median():.3f}, largest {slopes.max():.3f}")

# %% [markdown] lang="en"
# The hidden units get inputs beyond $\pm 6$, where the sigmoid is flat. Yet no slope is below 0.197. That cannot be.
#
# *Stop here and find the line, then read on.*
#
# `slope_of(a)` gets `a`, the **output** of the sigmoid, and `sigmoid_grad` applies the sigmoid to it once more. It computes
# $\sigma'(\sigma(z))$ in place of $\sigma'(z)$. Since $\sigma(z)$ lies in $(0, 1)$, every slope lies between
# $\sigma'(1) = 0.197$ and $\sigma'(0) = 0.25$: there are no saturated units any more. From the output, the slope is
# $a(1 - a)$. Autograd is the judge.

# %% [markdown] lang="zh"
# 隐藏单元的输入超出了 $\pm 6$，那里的 sigmoid 是平的；可是没有一个斜率小于 0.197。这不可能。
#
# *请先停下来，找出是哪一行，再往下读。*
#
# `slope_of(a)` 拿到的 `a` 是 sigmoid 的**输出**，而 `sigmoid_grad` 又对它做了一次 sigmoid，
# 算的是 $\sigma'(\sigma(z))$，而不是 $\sigma'(z)$。因为 $\sigma(z)$ 落在 $(0, 1)$ 里，所以每个斜率都在
# $\sigma'(1) = 0.197$ 与 $\sigma'(0) = 0.25$ 之间：饱和的单元全都“消失”了。由输出来算，斜率应当是 $a(1 - a)$。让自动求导来当裁判。

# %%
leaf = W1.clone().requires_grad_()
loss = functions.cross_entropy(functions.sigmoid(x @ leaf) @ W2, y)
(truth,) = torch.autograd.grad(loss, leaf)
for name, slope_of in {"colleague": colleague, "a (1 - a)": lambda a: a * (1 - a)}.items():
    _, gradient, _, slopes = gradient_by_hand(x, y, W1, W2, slope_of)
    difference = (gradient - truth).norm() / (gradient.norm() + truth.norm())
    print(f"{name}: smallest slope {slopes.min():.3f}, relative difference from autograd {difference:.2f}")
assert difference < 1e-12

# %% [markdown] lang="en"
# Now train the mended version, and compare with the loss above.

# %% [markdown] lang="zh"
# 现在训练修好的版本，与上面的损失比较。

# %% tags=["nbval-ignore-output"]
mended_losses, mended_accuracy = train_by_hand(lambda a: a * (1 - a))
print(f"colleague: loss {losses[-1]:.3f}, test accuracy {accuracy:.2f}")
print(f"mended:    loss {mended_losses[-1]:.3f}, test accuracy {mended_accuracy:.2f}")
if lab.mode != "smoke":
    assert mended_losses[-1] < losses[-1]

# %% [markdown] lang="en"
# The faulty network learned nearly as well. What each image adds to its gradient has the right sign and a wrong size,
# so the loss still fell, only more slowly. Accuracy would never have told you. Two numbers did: the range of the slopes, and the difference from
# autograd. Print them before you trust a derivative of your own.
#
# ## 15. Summary

# %% [markdown] lang="zh"
# 有毛病的网络学得几乎一样好。每张图片对梯度的贡献，符号都对，只是大小不对，所以损失照样下降，只是慢一些。光看正确率，永远发现不了。
# 揭穿它的是两个数：斜率的范围，以及与自动求导的差。自己写的导数，先打印这两个数再信。
#
# ## 15. 小结

# %%
gallery = list(functions.ACTIVATIONS)
axes = plots.new_axes(9.0, 5.6, columns=4, rows=3, sharex=True, sharey=True)
for ax in axes.ravel()[len(gallery) :]:
    ax.set_axis_off()
for ax, name in zip(axes.ravel(), gallery):
    f, slope = functions.ACTIVATIONS[name]
    plots.lines(grid, {"value": f(grid), "slope": slope(grid)}, xlabel="x", ylabel="", title=name, ax=ax)
    ax.get_legend().remove()
    ax.set_ylim(-2, 4)
axes[0, 0].legend(frameon=False)
plots.show(
    axes, alt="Eleven small panels, one for each function of this lesson, with its value and its slope."
)
print(f"{len(gallery)} functions of one number: {', '.join(gallery)}")

# %% [markdown] lang="en"
# | function | formula | range | range of the slope | where you meet it |
# |---|---|---|---|---|
# | sigmoid | $1/(1 + e^{-x})$ | (0, 1) | (0, 0.25] | gates, probabilities of two classes |
# | tanh | $(e^x - e^{-x})/(e^x + e^{-x})$ | (-1, 1) | (0, 1] | LSTM cells, bounded outputs |
# | ReLU | $\max(0, x)$ | [0, ∞) | 0 or 1 | convolutional networks, the first Transformer |
# | leaky ReLU | $x$, left $0.01\,x$ | (-∞, ∞) | 0.01 or 1 | GANs; where units die |
# | PReLU | $x$, left $w\,x$ | (-∞, ∞) | $w$ or 1 | image networks |
# | ELU | $x$, left $\alpha(e^x - 1)$ | (-α, ∞) | (0, 1] for α = 1 | networks without normalization |
# | SELU | $\lambda\,\mathrm{ELU}$ | (-1.76, ∞) | (0, 1.76] | self-normalizing networks |
# | softplus | $\ln(1 + e^x)$ | (0, ∞) | (0, 1) | a positive output, such as a variance |
# | GELU | $x\,\Phi(x)$ | [-0.17, ∞) | [-0.13, 1.13] | BERT, GPT-2 |
# | SiLU | $x\,\sigma(x)$ | [-0.28, ∞) | [-0.10, 1.10] | LLaMA, in SwiGLU |
# | softmax | $e^{x_i}/\sum_j e^{x_j}$ | (0, 1), sum 1 | a matrix | class probabilities, attention |
#
# - Without a bend, many layers are one layer.
# - Gradients multiply along the depth. A slope of at most 1/4 makes a deep sigmoid network deaf in its first layers, even
#   when no unit is saturated.
# - A ReLU unit can die. Count dead units; the loss does not show them.
# - Start hidden layers with ReLU or GELU. Use a sigmoid or softmax where a probability is needed. On a small classifier the
#   choice among ReLU, GELU and SiLU was within the noise; on a smooth curve it was not.
# - Check every derivative by a second way, and every printed figure too.
#
# ## Further reading
#
# - X. Glorot, Y. Bengio (2010): Understanding the difficulty of training deep feedforward neural networks. *AISTATS*, PMLR 9,
#   249–256, [proceedings.mlr.press/v9/glorot10a](https://proceedings.mlr.press/v9/glorot10a.html). Saturation by layer, as in
#   section 11.
# - Y. Bengio, P. Simard, P. Frasconi (1994): Learning long-term dependencies with gradient descent is difficult. *IEEE
#   Transactions on Neural Networks* 5(2), [doi:10.1109/72.279181](https://doi.org/10.1109/72.279181).
# - X. Glorot, A. Bordes, Y. Bengio (2011): Deep sparse rectifier neural networks. *AISTATS*, PMLR 15, 315–323,
#   [proceedings.mlr.press/v15/glorot11a](https://proceedings.mlr.press/v15/glorot11a.html).
# - K. He, X. Zhang, S. Ren, J. Sun (2015): Delving deep into rectifiers,
#   [arXiv:1502.01852](https://arxiv.org/abs/1502.01852). PReLU.
# - D.-A. Clevert, T. Unterthiner, S. Hochreiter (2015): Fast and accurate deep network learning by exponential linear units,
#   [arXiv:1511.07289](https://arxiv.org/abs/1511.07289). ELU.
# - G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter (2017): Self-normalizing neural networks,
#   [arXiv:1706.02515](https://arxiv.org/abs/1706.02515). SELU.
# - D. Hendrycks, K. Gimpel (2016): Gaussian error linear units, [arXiv:1606.08415](https://arxiv.org/abs/1606.08415).
# - S. Elfwing, E. Uchibe, K. Doya (2017): Sigmoid-weighted linear units for neural network function approximation in
#   reinforcement learning, [arXiv:1702.03118](https://arxiv.org/abs/1702.03118). SiLU.
# - P. Ramachandran, B. Zoph, Q. Le (2017): Searching for activation functions,
#   [arXiv:1710.05941](https://arxiv.org/abs/1710.05941). Swish with its β.
# - L. Lu, Y. Shin, Y. Su, G. Karniadakis (2019): Dying ReLU and initialization,
#   [arXiv:1903.06733](https://arxiv.org/abs/1903.06733).
# - N. Shazeer (2020): GLU variants improve Transformer, [arXiv:2002.05202](https://arxiv.org/abs/2002.05202).
# - I. Mirzadeh and others (2023): ReLU strikes back, [arXiv:2310.04564](https://arxiv.org/abs/2310.04564).
# - The digits: E. Alpaydin, C. Kaynak (1998): Optical Recognition of Handwritten Digits. UCI Machine Learning Repository,
#   [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49).

# %% [markdown] lang="zh"
# | 函数 | 公式 | 值域 | 斜率的范围 | 用在哪里 |
# |---|---|---|---|---|
# | sigmoid | $1/(1 + e^{-x})$ | (0, 1) | (0, 0.25] | 门控、二分类的概率 |
# | tanh | $(e^x - e^{-x})/(e^x + e^{-x})$ | (-1, 1) | (0, 1] | LSTM 单元、有界的输出 |
# | ReLU | $\max(0, x)$ | [0, ∞) | 0 或 1 | 卷积网络、最早的 Transformer |
# | leaky ReLU | $x$，左侧 $0.01\,x$ | (-∞, ∞) | 0.01 或 1 | GAN，以及单元容易死亡之处 |
# | PReLU | $x$，左侧 $w\,x$ | (-∞, ∞) | $w$ 或 1 | 图像网络 |
# | ELU | $x$，左侧 $\alpha(e^x - 1)$ | (-α, ∞) | α = 1 时 (0, 1] | 没有归一化层的网络 |
# | SELU | $\lambda\,\mathrm{ELU}$ | (-1.76, ∞) | (0, 1.76] | 自归一化网络 |
# | softplus | $\ln(1 + e^x)$ | (0, ∞) | (0, 1) | 必须为正的输出，例如方差 |
# | GELU | $x\,\Phi(x)$ | [-0.17, ∞) | [-0.13, 1.13] | BERT、GPT-2 |
# | SiLU | $x\,\sigma(x)$ | [-0.28, ∞) | [-0.10, 1.10] | LLaMA 的 SwiGLU |
# | softmax | $e^{x_i}/\sum_j e^{x_j}$ | (0, 1)，总和为 1 | 一个矩阵 | 类别概率、注意力机制 |
#
# - 没有弯折，再多层也只是一层。
# - 梯度沿深度连乘。斜率最大只有 1/4，所以深层 sigmoid 网络最前面的几层得不到任何信息，哪怕没有一个单元饱和。
# - ReLU 单元会死亡。要数一数死亡单元，损失曲线看不出来。
# - 隐藏层先用 ReLU 或 GELU；需要概率的地方用 sigmoid 或 softmax。在小分类器上，ReLU、GELU、SiLU 的差别落在噪声之内；
#   拟合光滑曲线时则不然。
# - 每个导数都要用另一种办法检验，每个印出来的数也一样。
#
# ## 延伸阅读
#
# - X. Glorot、Y. Bengio（2010）：Understanding the difficulty of training deep feedforward neural networks。*AISTATS*，PMLR 9，
#   249–256，[proceedings.mlr.press/v9/glorot10a](https://proceedings.mlr.press/v9/glorot10a.html)。逐层测量饱和，与第 11 节相同。
# - Y. Bengio、P. Simard、P. Frasconi（1994）：Learning long-term dependencies with gradient descent is difficult。*IEEE
#   Transactions on Neural Networks* 5(2)，[doi:10.1109/72.279181](https://doi.org/10.1109/72.279181)。
# - X. Glorot、A. Bordes、Y. Bengio（2011）：Deep sparse rectifier neural networks。*AISTATS*，PMLR 15，315–323，
#   [proceedings.mlr.press/v15/glorot11a](https://proceedings.mlr.press/v15/glorot11a.html)。
# - K. He、X. Zhang、S. Ren、J. Sun（2015）：Delving deep into rectifiers，
#   [arXiv:1502.01852](https://arxiv.org/abs/1502.01852)。提出 PReLU。
# - D.-A. Clevert、T. Unterthiner、S. Hochreiter（2015）：Fast and accurate deep network learning by exponential linear units，
#   [arXiv:1511.07289](https://arxiv.org/abs/1511.07289)。提出 ELU。
# - G. Klambauer、T. Unterthiner、A. Mayr、S. Hochreiter（2017）：Self-normalizing neural networks，
#   [arXiv:1706.02515](https://arxiv.org/abs/1706.02515)。提出 SELU。
# - D. Hendrycks、K. Gimpel（2016）：Gaussian error linear units，[arXiv:1606.08415](https://arxiv.org/abs/1606.08415)。
# - S. Elfwing、E. Uchibe、K. Doya（2017）：Sigmoid-weighted linear units for neural network function approximation in
#   reinforcement learning，[arXiv:1702.03118](https://arxiv.org/abs/1702.03118)。提出 SiLU。
# - P. Ramachandran、B. Zoph、Q. Le（2017）：Searching for activation functions，
#   [arXiv:1710.05941](https://arxiv.org/abs/1710.05941)。带 β 的 Swish。
# - L. Lu、Y. Shin、Y. Su、G. Karniadakis（2019）：Dying ReLU and initialization，
#   [arXiv:1903.06733](https://arxiv.org/abs/1903.06733)。
# - N. Shazeer（2020）：GLU variants improve Transformer，[arXiv:2002.05202](https://arxiv.org/abs/2002.05202)。
# - I. Mirzadeh 等（2023）：ReLU strikes back，[arXiv:2310.04564](https://arxiv.org/abs/2310.04564)。
# - 手写数字：E. Alpaydin、C. Kaynak（1998）：Optical Recognition of Handwritten Digits。UCI Machine Learning Repository，
#   [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)。
