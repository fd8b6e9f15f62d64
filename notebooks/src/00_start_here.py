# ---
# jupyter:
#   labkit:
#     number: "00"
#     title_en: Start here
#     title_zh: 从这里开始
#     minutes: 45
# ---

# %% [markdown] lang="en"
# # 00 Start here
#
# This course teaches you to program large models: networks that write text, hold a conversation, draw pictures,
# speak, and answer customers. You build each of them small enough for an ordinary computer, and you judge each of
# them by a number beside a baseline, never by eye alone.
#
# **After this lesson you can** check that your computer is ready, train a first neural network, read its learning
# curve, make a result repeatable, do an exercise and have it checked, and run lessons in a batch.
#
# **Time:** 45 minutes. **Before you start:** you can read Python: functions, lists, `for`. Nothing else.
#
# **How to read it.** A notebook is made of *cells*. Grey cells hold code. Click on one and press
# <kbd>Shift</kbd>+<kbd>Enter</kbd>: it runs, its result appears under it, and the next cell is chosen. Go from the
# top to the bottom, and leave out no cell.

# %% [markdown] lang="zh"
# # 00 从这里开始
#
# 本课程讲大模型的程序设计：让网络写文章、对话、画图、说话、回答客户的问题。每种模型你都会亲手做一个，规模小到普通电脑就能训练；
# 每种模型都用指标来评判，并且总与一条基线对照，绝不只凭肉眼判断。
#
# **学完本课，你能够**：检查电脑是否就绪，训练第一个神经网络，看懂它的学习曲线，让结果可以重复，完成练习并当场得到批改，
# 以及批量运行各课。
#
# **时间**：45 分钟。**预备知识**：能读懂 Python 的函数、列表和 `for` 循环，此外不需要别的。
#
# **怎样阅读**：笔记本由一个个*单元格*组成，灰底的是代码单元格。点中一个单元格，按 <kbd>Shift</kbd>+<kbd>Enter</kbd>：
# 代码随即运行，结果出现在下方，同时选中下一个单元格。请从上到下依次运行，不要跳过。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %% [markdown] lang="en"
# The cell above stands in every lesson. `MODE` says how long the lesson trains, `SEED` makes its random numbers
# repeatable; section 4 shows both at work. The next cell imports what the lesson needs.

# %% [markdown] lang="zh"
# 上面这个单元格每一课都有：`MODE` 决定训练多久，`SEED` 让随机数可以重复，第 4 节会用到它们。下一个单元格导入本课要用的东西。

# %%
import math

import torch
from torch import nn
from torch.nn import functional as F

from labkit import doctor, metrics, plots, results, widgets
from labkit.checks import check, hint, solution
from labkit.common import Lab, course_dir, set_seed, start
from labkit.data import load_digits
from labkit.lessons import find_lessons
from labkit.training import ArrayBatches, SupervisedTask, fit

lab = start(MODE, SEED)
print(lab)

# %% [markdown] lang="en"
# ## 1. Is this computer ready?
#
# The course needs two processor cores and 1 GB of free memory. It needs no graphics card and, once installed, no
# network. `doctor` examines the computer and says what to do about whatever is not good. Read the first column.

# %% [markdown] lang="zh"
# ## 1. 电脑准备好了吗？
#
# 本课程只要两个处理器核心和 1 GB 空闲内存，不需要显卡；装好以后也不需要网络。`doctor` 会检查这台电脑，凡是有问题的地方，
# 都会告诉你怎样解决。请看第一列。

# %% tags=["nbval-ignore-output"]
findings = doctor.report()
print(str(findings).replace(str(course_dir()), "COURSE"))  # without your own folder's name

# %% [markdown] lang="en"
# `good` needs nothing. `warning` means that something could be better: the line below it says how. `wrong` must be
# mended first. In a terminal, `labkit doctor` prints the same; send it along when you ask for help.
#
# ## 2. A first network, in a minute
#
# Here are 1,797 real handwritten digits, which 13 people wrote. Each is a picture of 8 × 8 pixels with a value from
# 0 (white) to 1 (black). We keep 360 of them aside for the *test*: the network never trains on these, so they show
# what it has understood and not what it has memorized.

# %% [markdown] lang="zh"
# `good` 表示合格；`warning` 表示还可以更好，下一行写着怎么做；`wrong` 必须先解决。在终端里运行 `labkit doctor` 会得到同样的结果，
# 向别人求助时请把它一并附上。
#
# ## 2. 一分钟训练第一个网络
#
# 这里有 1,797 个真实的手写数字，出自 13 个人之手。每个数字是一张 8 × 8 像素的图片，像素值从 0（白）到 1（黑）。
# 我们留出 360 张做*测试*：网络从不用它们训练，所以在它们身上看到的是网络“学懂了多少”，而不是“背下了多少”。

# %%
digits = load_digits(seed=SEED)
print(f"training: {tuple(digits.train_x.shape)}   test: {tuple(digits.test_x.shape)}")

# %% [markdown] lang="en"
# 64 numbers a picture. Look at the first eight test pictures. Would you always know which digit is meant?

# %% [markdown] lang="zh"
# 每张图片是 64 个数。看看前八张测试图片，你自己都认得准吗？

# %%
first = digits.test_x[:8].reshape(-1, 8, 8)
axes = plots.images(first, titles=[str(int(y)) for y in digits.test_y[:8]])
plots.show(axes, alt="Eight handwritten digits of 8 by 8 pixels, each with its label above it.")
print("labels:", digits.test_y[:8].tolist())

# %% [markdown] lang="en"
# The network has two layers. The first makes 64 new numbers out of the 64 pixels, the second makes 10 out of these:
# one for each digit. The largest of the ten is its answer. How many numbers can it adjust? A layer has one weight for
# each pair of input and output, and one bias for each output:
# $(64 \cdot 64 + 64) + (64 \cdot 10 + 10) = 4160 + 650 = 4810$.

# %% [markdown] lang="zh"
# 这个网络有两层：第一层把 64 个像素变成 64 个新的数，第二层再把它们变成 10 个数，每个数字对应一个，最大的那个就是它的回答。
# 它有多少个可调的数？每一层中，每对输入和输出有一个权重，每个输出有一个偏置：
# $(64 \cdot 64 + 64) + (64 \cdot 10 + 10) = 4160 + 650 = 4810$。


# %%
def new_task(seed):
    """A fresh network with its loss and its optimizer."""
    set_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    return SupervisedTask(model, F.cross_entropy, torch.optim.Adam(model.parameters(), lr=3e-3))


task = new_task(SEED)
parameters = sum(p.numel() for p in task.model.parameters())
assert parameters == (64 * 64 + 64) + (64 * 10 + 10) == 4810
print("parameters:", parameters)

# %% [markdown] lang="en"
# Before any training the network can only guess. The *loss* measures how surprised it is by the right answer. Who
# gives each of ten digits the same chance has the loss $-\ln \frac{1}{10} = \ln 10 = 2.303$. Ours should be near it.

# %% [markdown] lang="zh"
# 训练之前，网络只能瞎猜。*损失*衡量正确答案让它有多“意外”。如果给十个数字同样的概率，损失就是
# $-\ln \frac{1}{10} = \ln 10 = 2.303$。我们的网络应该离它不远。

# %%
loss_before = F.cross_entropy(task.predict(digits.train_x), digits.train_y).item()
assert abs(loss_before - math.log(10)) < 0.15
print(f"loss before training: {loss_before:.1f}   pure guessing: {math.log(10):.3f}")

# %% [markdown] lang="en"
# Now it trains. One *step* shows the network 64 pictures and changes all 4,810 numbers a little, so that the loss on
# these pictures falls. After every 20 steps we ask for its accuracy, the share that is right, on the test pictures. Look at the seconds.

# %% [markdown] lang="zh"
# 现在开始训练。每走一*步*，网络看 64 张图片，然后把 4,810 个数都稍微改一改，让这些图片上的损失变小。
# 每隔 20 步，我们看一次它在测试图片上的正确率（accuracy，也叫准确率）。请留意用了多少秒。

# %% tags=["nbval-ignore-output"]
steps = lab.pick(60, 400, 2000)


def evaluate():
    return {"test accuracy": metrics.accuracy(task.predict(digits.test_x), digits.test_y)}


batches = ArrayBatches(digits.train_x, digits.train_y, batch_size=64, seed=SEED)
history = fit(task, batches, steps, evaluate=evaluate, evaluate_every=20)
print(f"{steps} steps in {history.seconds:.1f} s, {history.evaluations['test accuracy'][-1][1]:.1%} right")

# %% [markdown] lang="en"
# That was your first training run. Its two *learning curves* tell how it went. Where does the loss fall fastest?
# Does the accuracy still rise at the end? The dashed line is the baseline: always answer with the most frequent digit.

# %% [markdown] lang="zh"
# 这就是你的第一次训练。两条*学习曲线*记录了它的过程。损失在哪里下降最快？到最后正确率还在上升吗？
# 虚线是基线：永远回答出现最多的那个数字。

# %%
baseline = digits.test_y.bincount().max().item() / len(digits.test_y)
left, right = plots.new_axes(8, 3.2, columns=2)
plots.lines(history.steps, {"loss": history.train["loss"]}, xlabel="step", ylabel="training loss", ax=left)
at, accuracy = zip(*history.evaluations["test accuracy"])
curves = {"network": accuracy, "baseline": [baseline] * len(at)}
plots.lines(at, curves, xlabel="step", ylabel="test accuracy", ax=right)
plots.show(
    left, alt="Left: the loss falls from 2.3 towards 0. Right: test accuracy rises far above the baseline."
)
assert accuracy[-1] > 3 * baseline
print(f"baseline: {baseline:.3f} of the test digits are right")

# %% [markdown] lang="en"
# The loss falls steeply at first and slowly later. The accuracy passes 90 % after about sixty steps and then gains
# little. The curve of the loss trembles because every step sees other pictures.
#
# A number says *how often* the network is wrong. Its errors say *where*. Here are some: true digit first, then what
# the network said. Which of these would you have got wrong yourself?

# %% [markdown] lang="zh"
# 损失先是陡降，后来变慢。正确率大约六十步就过了 90%，之后进步不大。损失曲线会抖动，因为每一步看到的图片不同。
#
# 指标只告诉我们网络错了*多少*，要看具体的样本，才知道它错在*哪里*。下面是一些认错的图片，上方先写真实的数字，再写网络的回答。哪些连你也会认错？

# %% tags=["nbval-ignore-output"]
answers = task.predict(digits.test_x).argmax(dim=1)
wrong = (answers != digits.test_y).nonzero().flatten()[:8]
titles = [f"{digits.test_y[i]}, said {answers[i]}" for i in wrong]
axes = plots.images(digits.test_x[wrong].reshape(-1, 8, 8), titles, size=1.05)
plots.show(axes, alt="Test digits that the network got wrong, with the true and the predicted digit above.")
print(f"{(answers != digits.test_y).sum()} of {len(answers)} test digits are wrong")

# %% [markdown] lang="en"
# ## 3. Ask it something harder
#
# Now add noise to the test pictures: a random number to every pixel, larger and larger. The network has never seen
# noise. **Predict first:** at which noise level will it be right half of the time? And when nothing but noise is left
# to see, which accuracy do you expect? Write both numbers down.

# %% [markdown] lang="zh"
# ## 3. 问它更难的问题
#
# 现在给测试图片加噪声：每个像素加上一个随机数，越加越大。网络从没见过噪声。**先预测**：噪声多大时，它只剩一半答对？
# 如果画面上几乎只剩噪声，正确率会是多少？先把这两个数写下来。

# %%
noise = torch.randn(digits.test_x.shape, generator=torch.Generator().manual_seed(SEED))
levels = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 4.0]
noisy = [metrics.accuracy(task.predict(digits.test_x + s * noise), digits.test_y) for s in levels]
curves = {"network": noisy, "baseline": [baseline] * len(levels)}
ax = plots.lines(levels, curves, xlabel="noise (standard deviation)", ylabel="test accuracy", markers=True)
plots.show(ax, alt="Test accuracy falls with the noise, from above 0.9 without noise down to the baseline.")
print({level: round(share, 1) for level, share in zip(levels, noisy)})

# %% [markdown] lang="en"
# The accuracy is halved at a noise of about 0.6. Could you still read the digits there? The panel below shows them. At 4.0 it is near the
# baseline: the network guesses. But does it *know* that it guesses? Move the sliders. Choose a picture, raise the
# noise, and watch the ten probabilities.

# %% [markdown] lang="zh"
# 噪声约为 0.6 时正确率只剩一半左右。这时你自己还认得出那些数字吗？在下面的面板里看一看。到 4.0 时已接近基线：网络在瞎猜。可是它*知道*自己在猜吗？
# 拖动滑块：选一张图片，加大噪声，观察那十个概率。


# %% tags=["nbval-ignore-output"]
def draw(picture, noise_level):
    x = digits.test_x[picture] + noise_level * noise[picture]
    p = task.predict(x[None]).softmax(dim=1)[0]
    left, right = plots.new_axes(7, 2.8, columns=2)
    left.imshow(x.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    left.set_axis_off()
    right.bar(range(10), p, color=plots.COLORS[0], tick_label=[str(d) for d in range(10)])
    plots.finish(right, "digit", "probability", "", legend=False)
    right.set_ylim(0, 1)
    return left, f"true {digits.test_y[picture]}, said {p.argmax()} with probability {p.max():.2f}"


widgets.explorer(draw, picture=(0, 359, 1, 3), noise_level=(0.0, 4.0, 0.1, 0.0))

# %% [markdown] lang="en"
# For those who read on paper: the same panel in numbers. The next cell prints, for each noise level, the accuracy and
# the mean of the largest probability, which is how sure the network is.

# %% [markdown] lang="zh"
# 为了方便看纸质版的读者，这里把面板上的现象写成数字。下一个单元格列出每个噪声强度下的正确率，以及最大概率的平均值，也就是网络有多“自信”。

# %%
for level, share in zip(levels, noisy):
    sure = task.predict(digits.test_x + level * noise).softmax(dim=1).amax(dim=1).mean().item()
    print(f"noise {level:.1f}: right {share:.1f}, sure {sure:.1f}")

# %% [markdown] lang="en"
# The more noise, the wider the gap: at 4.0 the network is right about one time in ten, and it is at least as sure as it
# was on clean pictures. A probability that a network prints is not yet the chance that it is right. Lesson 03 measures
# this gap (the word is *calibration*) and narrows it.
#
# ## 4. Once is not enough: SEED and MODE
#
# A network starts from random numbers and sees its pictures in random order. The computer makes these numbers from a
# *seed*. The same seed gives the same numbers, and another seed gives others.

# %% [markdown] lang="zh"
# 噪声越大，差距越大：到 4.0 时，网络大约十次才对一次，却至少和看清晰图片时一样自信。网络报出的概率，并不等于它真正答对的可能性。
# 第 03 课会测量这个差距（叫做“校准”），并设法缩小它。
#
# ## 4. 一次不算数：SEED 与 MODE
#
# 网络从随机数出发，看图片的顺序也是随机的。计算机由一个*种子*产生这些随机数：种子相同，数就相同；种子不同，数也不同。

# %%
a, b, c = (torch.rand(3, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
assert torch.equal(a, b)
assert not torch.equal(a, c)
print([round(x, 3) for x in a.tolist()], [round(x, 3) for x in c.tolist()])

# %% [markdown] lang="en"
# So does the accuracy depend on the seed? We train five networks that differ in nothing else. Look at the lowest and
# the highest.

# %% [markdown] lang="zh"
# 那么正确率与种子有关吗？我们训练五个网络，除了种子以外完全相同。看看最低和最高各是多少。

# %% tags=["nbval-ignore-output"]
scores = []
for seed in range(SEED, SEED + lab.pick(2, 5, 5)):
    one = new_task(seed)
    fit(one, ArrayBatches(digits.train_x, digits.train_y, batch_size=64, seed=seed), steps)
    scores.append(metrics.accuracy(one.predict(digits.test_x), digits.test_y))
mean, low, high = metrics.mean_interval(scores)
print([f"{score:.3f}" for score in scores])
results.report(
    results.Measure(
        "test accuracy", mean, baseline, "most frequent digit", seeds=len(scores), interval=(low, high)
    )
)

# %% [markdown] lang="en"
# The best and the worst differ by about one percentage point, by chance alone. So a gain of half a point from a single
# run proves nothing. This is why every measured claim in the course has the form of this table: a baseline, our figure, the number of seeds, and a
# 95 % interval for the mean over seeds. (The interval speaks of other *seeds*. Other *people's* handwriting is another
# question, and a harder one.)
#
# `MODE` sets how long a lesson trains. `lab.pick(smoke, class, full)` chooses one of three values.

# %% [markdown] lang="zh"
# 仅仅因为运气，最好与最差之间就差出约一个百分点。所以只跑一次就“提高了半个百分点”，什么也说明不了。本课程中凡是测得的结论，
# 都写成这张表的样子：基线、我们的数字、种子个数，以及多个种子的平均值的 95% 置信区间。（这个区间只说明换*种子*会怎样；
# 换成*别人*的笔迹会怎样，是另一个问题，而且更难。）
#
# `MODE` 决定一课训练多久，`lab.pick(smoke, class, full)` 从三个值里选一个。

# %%
for mode in ("smoke", "class", "full"):
    other = Lab(mode, SEED, device="cpu")
    print(f"{mode:6}", other.pick("seconds", "at most a minute", "everything, minutes to hours"))

# %% [markdown] lang="en"
# - `smoke` only proves that every cell runs. Its numbers mean nothing.
# - `class` is the default. What does not fit into a minute is loaded, already trained, and the lesson says so.
# - `full` trains everything itself.
#
# Change `MODE` in the first cell, then choose *Run → Restart Kernel and Run All Cells*.
#
# Two habits keep a notebook honest. Cells remember what *ran*, not what is *written*: after you have jumped about, the
# numbers on the page may belong to code that is gone. So restart and run all before you believe a result. And change one
# thing at a time, or you will not know which change did it.
#
# ## 5. Exercises that answer
#
# Each exercise gives you an unfinished function. `raise NotImplementedError` stands where your code goes. The cell after
# it calls `check`, which answers at once in one of three ways: *not attempted*, *passed*, or *failed*. When it fails,
# it shows the smallest input on which you are wrong and, if it knows the mistake, what you were probably thinking.
#
# Here is a wrong answer to the first exercise, on purpose. It should give a percentage.

# %% [markdown] lang="zh"
# - `smoke` 只证明每个单元格都能运行，它的数字没有意义。
# - `class` 是默认值。一分钟内训练不完的模型，就加载事先训练好的，并在正文中说明。
# - `full` 全部从头训练。
#
# 想换 `MODE`，请改第一个代码单元格，然后选菜单 *Run → Restart Kernel and Run All Cells*。
#
# 有两个习惯能让笔记本保持可信。第一，笔记本记住的是*运行过*的代码，而不是页面上*写着*的代码；来回跳着运行之后，页面上的数字可能属于
# 已经不存在的代码。所以在相信一个结果之前，先重启并全部运行一遍。第二，一次只改一处，否则你不知道是哪一处起了作用。
#
# ## 5. 当场批改的练习
#
# 每道练习给你一个没写完的函数，请把 `raise NotImplementedError` 换成你的代码。后面的单元格调用 `check`，当场给出三种回答之一：
# *尚未作答*、*通过*、*未通过*。未通过时，它会给出能暴露错误的最小输入；如果认得出这个错误，还会说出你大概是怎么想的。
#
# 下面故意给第一题一个错误的答案。这个函数本该返回百分数。


# %%
def share_right(predictions, targets):
    return (predictions == targets).float().mean().item()


check(exercise_id="00.1", candidate=share_right)

# %% [markdown] lang="en"
# `hint` helps one step at a time, and `solution` shows an answer. Try for some minutes before you look.

# %% [markdown] lang="zh"
# `hint` 每次只提示一步，`solution` 给出答案。看之前，请先自己试几分钟。

# %%
print(hint("00.1"))
print(hint("00.1"))

# %% [markdown] lang="en"
# Nothing in a lesson depends on your answers, so you can leave an exercise and come back to it. ★ is easy, ★★★ is hard.
#
# ### Exercise 00.1: Percentage of right answers (★☆☆, 3 minutes)
#
# `predictions` and `targets` are tensors of equal length. Return how many percent of the predictions are right, from 0.0
# to 100.0. For `[7, 1, 1]` against `[7, 1, 2]` that is 66.67.

# %% [markdown] lang="zh"
# 后面的内容都不依赖你的答案，所以可以先放下一道题，以后再做。★ 表示容易，★★★ 表示难。
#
# ### 练习 00.1：正确率（百分数）（★☆☆，3 分钟）
#
# `predictions` 与 `targets` 是等长的张量。请返回预测正确的百分数，从 0.0 到 100.0。例如 `[7, 1, 1]` 对 `[7, 1, 2]` 是 66.67。


# %% exercise="00.1"
def percent_right(predictions, targets):
    """Percentage of the predictions that equal their target."""
    ### BEGIN SOLUTION
    return 100 * (predictions == targets).float().mean().item()
    ### END SOLUTION


# %%
check("00.1", percent_right)
# solution("00.1")

# %% [markdown] lang="en"
# ### Exercise 00.2: The same noise for the same seed (★☆☆, 4 minutes)
#
# Return `count` numbers from the normal distribution that depend on `seed` alone. Use a generator of your own,
# `torch.Generator()`, so that nobody else's random numbers change.

# %% [markdown] lang="zh"
# ### 练习 00.2：相同的种子，相同的噪声（★☆☆，4 分钟）
#
# 返回 `count` 个服从正态分布的数，它们只由 `seed` 决定。请用自己的随机数生成器 `torch.Generator()`，这样就不会影响别处的随机数。


# %% exercise="00.2"
def seeded_noise(count, seed):
    """A tensor (count,) of normal numbers, the same for the same seed."""
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, generator=generator)
    ### END SOLUTION


# %%
check("00.2", seeded_noise)
# hint("00.2")
# solution("00.2")

# %% [markdown] lang="en"
# ### Exercise 00.3: Mend a shape error (★★☆, 6 minutes)
#
# Errors are the most useful text that a computer prints. Read the *last* line first: it says what happened. The lines
# above it say where. PyTorch stores the weights of a layer as (outputs, inputs). Watch what happens to a batch of two
# pictures when this is forgotten.

# %% [markdown] lang="zh"
# ### 练习 00.3：读懂并修好一个形状错误（★★☆，6 分钟）
#
# 报错信息是计算机给你的最有用的文字。先看*最后*一行，它说明发生了什么；上面各行说明发生在哪里。PyTorch 把一层的权重存成
# （输出数，输入数）的形状。如果忘了这一点，一批两张图片会怎样？

# %%
x, weight = torch.ones(2, 3), torch.ones(4, 3)  # 2 pictures of 3 pixels; 4 outputs from 3 inputs
try:
    x @ weight
except RuntimeError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown] lang="en"
# It says: a matrix of 2 × 3 cannot be multiplied with one of 4 × 3, since the two inner numbers, 3 and 4, differ. Write
# the layer so that it works: $y = x W^\top + b$. Beware of making the error go away without making the answer right.

# %% [markdown] lang="zh"
# 这条报错是说：2 × 3 的矩阵不能与 4 × 3 的矩阵相乘，因为中间的两个数 3 与 4 不相等。请把这一层写对：$y = x W^\top + b$。
# 当心：让报错消失，不等于让答案正确。


# %% exercise="00.3"
def layer(x, weight, bias):
    """x (B, in), weight (out, in), bias (out,) -> (B, out)."""
    ### BEGIN SOLUTION
    return x @ weight.T + bias
    ### END SOLUTION


# %%
check("00.3", layer)
# hint("00.3")
# solution("00.3")

# %% [markdown] lang="en"
# ### Exercise 00.4: When was the goal first reached? (★☆☆, 5 minutes)
#
# A learning curve comes as two lists: the steps of the evaluations, and the accuracy at each. Return the first step whose
# accuracy is at least `goal`, or `None` if there is none. For the steps `[20, 40, 60]`, the accuracies
# `[0.5, 0.9, 0.95]` and the goal 0.9 that is 40.

# %% [markdown] lang="zh"
# ### 练习 00.4：第一次达标是在第几步？（★☆☆，5 分钟）
#
# 学习曲线是两个列表：各次评估的步数，以及当时的正确率。请返回正确率第一次不小于 `goal` 时的步数；从未达标就返回 `None`。
# 例如步数 `[20, 40, 60]`，正确率 `[0.5, 0.9, 0.95]`，目标 0.9，答案是 40。


# %% exercise="00.4"
def first_step(steps, accuracies, goal):
    """The first of the steps whose accuracy is at least the goal, or None."""
    ### BEGIN SOLUTION
    for step, accuracy in zip(steps, accuracies):
        if accuracy >= goal:
            return step
    return None
    ### END SOLUTION


# %%
check("00.4", first_step)
# hint("00.4")
# solution("00.4")

# %% [markdown] lang="en"
# ### Exercise 00.5: How many steps a MODE takes (★★☆, 6 minutes)
#
# An *epoch* goes through all rows once, in batches; the last batch may be smaller. Return the number of training steps:
# 2 in `"smoke"`, 5 epochs in `"class"`, 50 epochs in `"full"`.

# %% [markdown] lang="zh"
# ### 练习 00.5：每种 MODE 训练多少步（★★☆，6 分钟）
#
# 一*轮*（epoch）就是把所有行分批用过一遍，最后一批可以不满。请返回训练步数：`"smoke"` 为 2 步，`"class"` 为 5 轮，`"full"` 为 50 轮。


# %% exercise="00.5"
def training_steps(mode, rows, batch_size):
    """How many steps a run takes in this mode."""
    ### BEGIN SOLUTION
    if mode == "smoke":
        return 2
    steps_per_epoch = math.ceil(rows / batch_size)
    return {"class": 5, "full": 50}[mode] * steps_per_epoch
    ### END SOLUTION


# %%
check("00.5", training_steps)
# hint("00.5")
# solution("00.5")

# %% [markdown] lang="en"
# ## 6. Break it
#
# Someone shuffled the training data before training, as one should. The code below runs, there is no error and no
# warning, and yet something is badly wrong. **Look at the three numbers before you read on.** What do they remind you of?

# %% [markdown] lang="zh"
# ## 6. 找出故障
#
# 有人在训练前先把数据打乱，这本身没有错。下面的代码能运行，没有报错，也没有警告，可是出了大问题。
# **先看三个数字，再往下读。** 它们让你想起了什么？

# %% tags=["nbval-ignore-output"]
random = torch.Generator().manual_seed(SEED)
shuffled_x = digits.train_x[torch.randperm(1437, generator=random)]
shuffled_y = digits.train_y[torch.randperm(1437, generator=random)]

broken = new_task(SEED)
curve = fit(broken, ArrayBatches(shuffled_x, shuffled_y, batch_size=64, seed=SEED), steps).train["loss"]
broken_accuracy = metrics.accuracy(broken.predict(digits.test_x), digits.test_y)
print(f"loss at first {curve[0]:.2f}, loss at last {curve[-1]:.2f}, test accuracy {broken_accuracy:.2f}")

# %% [markdown] lang="en"
# In section 2 the loss fell to about 0.1. Here it hardly leaves 2.3, and at most one test answer in ten is right. You know
# both numbers: $\ln 10 = 2.303$ and the baseline 0.1. They are what *pure guessing* gives. (What little the loss falls
# is learning wrong pairs by heart.) A network that trains and still guesses has found no link between picture and label.
# Is there one? Look at the data that it was given.

# %% [markdown] lang="zh"
# 第 2 节里损失降到了 0.1 左右，这里却几乎停在 2.3 附近，测试时十个里最多对一个。这两个数都见过：$\ln 10 = 2.303$，
# 基线 0.1，正是*瞎猜*的结果。（损失下降的那一点点，是在死记硬背错误的配对。）一个网络训练了还在瞎猜，说明它没找到图片与标签之间的任何联系。那么联系真的存在吗？看看喂给它的数据。

# %%
axes = plots.images(shuffled_x[:8].reshape(-1, 8, 8), titles=[str(int(y)) for y in shuffled_y[:8]])
plots.show(
    axes, alt="Eight training digits whose labels do not fit: picture and label come from different rows."
)
original = {tuple(x.tolist()): int(y) for x, y in zip(digits.train_x, digits.train_y)}
still_right = sum(original[tuple(x.tolist())] == y for x, y in zip(shuffled_x, shuffled_y.tolist()))
print(f"labels that still fit their picture: {still_right / 1437:.2f}")

# %% [markdown] lang="en"
# The labels do not belong to the pictures. `randperm` was called twice and gave two *different* orders. One order for
# both mends it. In your own work, look at some training examples, with their labels, *after* all preparation.

# %% [markdown] lang="zh"
# 标签和图片对不上。`randperm` 被调用了两次，给出两个*不同*的顺序。让两者共用同一个顺序，就修好了。
# 以后做自己的项目，请在所有预处理*之后*，挑几个训练样本，连同标签一起看一看。

# %%
order = torch.randperm(1437, generator=torch.Generator().manual_seed(SEED))
mended = new_task(SEED)
fit(mended, ArrayBatches(digits.train_x[order], digits.train_y[order], batch_size=64, seed=SEED), steps)
mended_accuracy = metrics.accuracy(mended.predict(digits.test_x), digits.test_y)
assert mended_accuracy > 3 * broken_accuracy
print("mended: far above the baseline again")

# %% [markdown] lang="en"
# Remember the method, for you will need it in every lesson: know what *guessing* scores, and compare.
#
# ## 7. Four ways to work with the course
#
# | way | how | good to know |
# |---|---|---|
# | on your own | `make lab` opens JupyterLab on this notebook | works without a network once installed |
# | on Binder | the badge in the README opens it in a browser, nothing to install | a free place with 1 to 2 GB of memory that is thrown away after some idle minutes: download your notebook (*File → Download*) |
# | in class | each student works in a copy; the teacher runs all copies: `labkit run handed_in/*.ipynb --out grades` | one report over all, and a table of exercises passed |
# | in a batch | `make run`, or `labkit run 02 '0[34]*' -p SEED 0,1,2` | executes lessons through papermill, two at a time, into `reports/latest/index.html` |
#
# `labkit --help` lists the other commands. Keys that save time in JupyterLab: <kbd>Esc</kbd> leaves a cell, then
# <kbd>A</kbd> and <kbd>B</kbd> make a new cell above or below, and <kbd>0</kbd> <kbd>0</kbd> restarts the kernel.
# Inside a call, <kbd>Shift</kbd>+<kbd>Tab</kbd> shows a function's description.
#
# ## 8. The map
#
# | no. | lesson | what you build or measure |
# |---|---|---|
# | 00 | Start here | a first network; how to work |
# | 01 | Large models at a glance | seventy years in one figure; classical against neural methods as the data grows |
# | 02 | Activation functions | sigmoid, ReLU, tanh and their relatives; where gradients vanish |
# | 03 | Loss functions | mean squared error, cross-entropy; calibration |
# | 04 | Neural networks from scratch | forward and backward by hand, then in PyTorch |
# | 05 | Embeddings, sequences, attention | word vectors, RNN, LSTM, a Transformer block |
# | 06 | Pre-training and fine-tuning | full fine-tuning against LoRA against training from scratch |
# | 07 | Prompt design | prompt types and principles, each measured |
# | 08 | Text generation | language models with LSTM and GPT; decoding |
# | 09 | Dialogue system | sequence to sequence with attention; chat |
# | 10 | Image generation | from text to image: conditional GAN and flow matching |
# | 11 | Speech synthesis | text encoder, mel decoder, vocoder |
# | 12 | News summarization | extractive and abstractive; ROUGE and faithfulness |
# | 13 | Customer service | intents, a knowledge base, hand-over, guard rails |
# | 14 | Multimodal learning | images and text in one space |
# | 15 | Model compression | pruning, quantization, distillation |
# | 16 | Model acceleration | parallelism, cheaper algorithms, hardware |
# | 17 | Model deployment | cloud, edge and hybrid serving |
# | 18 | Safety and interpretability | attacks, privacy, probing, attribution |
# | 19 | Applications and trends | medicine, finance, education, driving, service; a final project |
#
# 00 to 04 are the ground for the rest: do them in order. 05 and 06 come before 07 to 14, of which you may choose.
# 15 to 18 make a model small, fast, available and safe. 19 brings all of it together. The next cell looks which lessons
# are in this copy of the course, and links them.

# %% [markdown] lang="zh"
# 记住这个方法，以后每一课都用得上：先弄清*瞎猜*能得多少分，再拿结果与它比较。
#
# ## 7. 四种使用方式
#
# | 方式 | 做法 | 须知 |
# |---|---|---|
# | 自学 | `make lab` 用 JupyterLab 打开本笔记本 | 装好以后不需要网络 |
# | Binder | 点 README 里的徽章，在浏览器里打开，什么都不用装 | 免费，内存 1 到 2 GB；闲置几分钟就会被回收，请及时下载笔记本（*File → Download*） |
# | 课堂 | 学生各用一份副本；教师一次运行所有副本：`labkit run handed_in/*.ipynb --out grades` | 得到一份总报告，以及每人通过练习的表格 |
# | 批量 | `make run`，或 `labkit run 02 '0[34]*' -p SEED 0,1,2` | 通过 papermill 运行各课，一次两个，结果在 `reports/latest/index.html` |
#
# 其他命令见 `labkit --help`。JupyterLab 里省时间的按键：<kbd>Esc</kbd> 退出单元格编辑，之后按 <kbd>A</kbd> 或 <kbd>B</kbd>
# 在上方或下方新建单元格，连按两次 <kbd>0</kbd> 重启内核。光标在函数的括号里时，<kbd>Shift</kbd>+<kbd>Tab</kbd> 显示函数说明。
#
# ## 8. 课程地图
#
# | 编号 | 课 | 你会做出或测出什么 |
# |---|---|---|
# | 00 | 从这里开始 | 第一个网络；怎样使用本课程 |
# | 01 | 大模型概览 | 一张图看七十年；数据增多时，经典方法与神经网络孰优孰劣 |
# | 02 | 激活函数 | sigmoid、ReLU、tanh 及其变体；梯度在哪里消失 |
# | 03 | 损失函数 | 均方误差、交叉熵；校准 |
# | 04 | 从零实现神经网络 | 手写前向与反向传播，再用 PyTorch 重做 |
# | 05 | 词嵌入、序列与注意力 | 词向量、RNN、LSTM、Transformer 块 |
# | 06 | 预训练与微调 | 全量微调、LoRA 与从零训练的比较 |
# | 07 | 提示词设计 | 提示词的类型与原则，逐一测量 |
# | 08 | 文本生成 | LSTM 与 GPT 语言模型；解码 |
# | 09 | 对话系统 | 带注意力的 Seq2Seq；聊天 |
# | 10 | 图像生成 | 由文字生成图像：条件 GAN 与流匹配（flow matching） |
# | 11 | 语音合成 | 文本编码器、梅尔谱解码器、声码器 |
# | 12 | 新闻摘要 | 抽取式与生成式；ROUGE 与忠实度 |
# | 13 | 智能客服 | 意图识别、知识库、转人工、安全护栏 |
# | 14 | 多模态学习 | 图像与文字映射到同一空间 |
# | 15 | 模型压缩 | 剪枝、量化、蒸馏 |
# | 16 | 模型加速 | 并行、更省的算法、硬件 |
# | 17 | 模型部署 | 云端、边缘与混合部署 |
# | 18 | 安全与可解释性 | 攻击、隐私、探针、归因 |
# | 19 | 应用与趋势 | 医疗、金融、教育、驾驶、客服；综合项目 |
#
# 00 到 04 是全课程的基础，请按顺序学。先学 05、06，再学 07 到 14，后者可以挑着学。15 到 18 讲怎样让模型更小、更快、能上线、
# 更安全，19 把所学的内容综合起来。下一个单元格会查看你这份课程里已有哪些课，并给出链接。

# %% tags=["nbval-ignore-output"]
from IPython.display import Markdown

here = find_lessons()
rows = ["| no. | lesson | minutes |", "|---|---|---|"]
for lesson in here:
    link = f"[{lesson.title_en} · {lesson.title_zh}]({lesson.name}.ipynb)"
    rows.append(f"| {lesson.number} | {link} | {lesson.minutes} |")
planned = sorted({f"{number:02d}" for number in range(20)} - {lesson.number for lesson in here})
print(f"{len(here)} of 20 lessons are here; planned: {', '.join(planned) or 'none'}")
Markdown("\n".join(rows))

# %% [markdown] lang="en"
# ## 9. Summary
#
# - A network is a function with adjustable numbers. A step of training changes them so that the loss falls.
# - Test data is never trained on. A score means something only beside a baseline: here 0.1, and $\ln 10$ for the loss.
# - The same seed gives the same run. One run is an anecdote; five with an interval are a measurement.
# - A network can be sure and wrong.
# - Errors are to be read, last line first. The worst faults give no error at all; you find them by comparing numbers.
# - `check` says what is wrong, `hint` helps, `solution` answers.
#
# ### Further reading
#
# - E. Alpaydin and C. Kaynak (1998): *Optical Recognition of Handwritten Digits*. UCI Machine Learning Repository.
#   [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49). Written by 43
#   people; the digits of this lesson, which scikit-learn brings along, are the part that 13 of them wrote.
# - T. Kluyver and others (2016): *Jupyter Notebooks: a publishing format for reproducible computational workflows*.
#   [doi:10.3233/978-1-61499-649-1-87](https://doi.org/10.3233/978-1-61499-649-1-87).
# - A. Paszke and others (2019): *PyTorch: An Imperative Style, High-Performance Deep Learning Library*.
#   [arXiv:1912.01703](https://arxiv.org/abs/1912.01703).
# - J. Pineau and others (2021): *Improving Reproducibility in Machine Learning Research*.
#   [arXiv:2003.12206](https://arxiv.org/abs/2003.12206). Why seeds, baselines and intervals matter.

# %% [markdown] lang="zh"
# ## 9. 小结
#
# - 网络是带有可调数字的函数；每一步训练都改动这些数字，让损失下降。
# - 测试数据绝不用来训练。分数要和基线放在一起才有意义：这里的基线是 0.1，损失则是 $\ln 10$。
# - 种子相同，训练过程就相同。一次运行只是个例，五次运行加上区间才是测量。
# - 网络可以既自信又错误。
# - 报错是给人读的，先读最后一行。最严重的错误往往根本不报错，只有拿数字作比较才能发现。
# - `check` 指出错在哪里，`hint` 给提示，`solution` 给答案。
#
# ### 延伸阅读
#
# - E. Alpaydin, C. Kaynak（1998）：*Optical Recognition of Handwritten Digits*。UCI Machine Learning Repository。
#   [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)。全部数据出自 43 个人，
#   本课所用的（scikit-learn 自带的）是其中 13 个人写的部分。
# - T. Kluyver 等（2016）：*Jupyter Notebooks: a publishing format for reproducible computational workflows*。
#   [doi:10.3233/978-1-61499-649-1-87](https://doi.org/10.3233/978-1-61499-649-1-87)。
# - A. Paszke 等（2019）：*PyTorch: An Imperative Style, High-Performance Deep Learning Library*。
#   [arXiv:1912.01703](https://arxiv.org/abs/1912.01703)。
# - J. Pineau 等（2021）：*Improving Reproducibility in Machine Learning Research*。
#   [arXiv:2003.12206](https://arxiv.org/abs/2003.12206)。为什么种子、基线和区间很重要。
