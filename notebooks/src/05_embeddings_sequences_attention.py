# ---
# jupyter:
#   labkit:
#     number: "05"
#     title_en: Embeddings, sequences, attention
#     title_zh: 词向量、序列与注意力
#     minutes: 150
# ---

# %% [markdown] lang="en"
# # 05 Embeddings, sequences, attention
#
# A network computes with numbers, and a text is not made of numbers. In this lesson a sentence goes the whole way: into
# tokens, into vectors, through a network that reads in order, and through attention, which looks at everything at once.
# At the end stands the Transformer block, the part of which large models are made.
#
# **After this lesson you can**
#
# - build a byte pair encoding by hand, and get the same merges as a tokenizer library;
# - train word vectors, and say by numbers how good they are;
# - write an RNN cell and an LSTM cell that agree with PyTorch's, and measure how gradients vanish through time;
# - write attention with scaling, mask and heads, and say what each of them is for;
# - say how a model knows the order of its tokens, and build a whole Transformer block;
# - find out whether a language model secretly looks into the future.
#
# **Time:** about 150 minutes with the exercises. You can stop after section 5 and go on another day.
#
# **Before:** [02 Activation functions](02_activation_functions.ipynb), [03 Loss functions](03_loss_functions.ipynb) and
# [04 Neural networks from scratch](04_neural_networks_from_scratch.ipynb).

# %% [markdown] lang="zh"
# # 05 词向量、序列与注意力
#
# 网络只会算数，而文本不是数。本课让一个句子走完全程：先切成词元，再变成向量；先交给按顺序读的网络，再交给能一眼看到全部内容的注意力。终点是 Transformer 块，大模型就是由它一层层搭起来的。
#
# **学完本课，你能够**：
#
# - 亲手实现字节对编码（BPE），得到与分词库完全相同的合并规则；
# - 训练词向量，并用数字说明它好不好；
# - 写出与 PyTorch 结果一致的 RNN 单元和 LSTM 单元，测出梯度如何随时间消失；
# - 写出带缩放、掩码和多头的注意力，说清每一样的用处；
# - 说清模型怎么知道词元的先后顺序，搭出完整的 Transformer 块；
# - 查出一个语言模型是否偷看了未来。
#
# **时间**：约 150 分钟（含练习）。可以学完第 5 节先停下，改天继续。
#
# **预备知识**：[02 激活函数](02_activation_functions.ipynb)、[03 损失函数](03_loss_functions.ipynb) 和 [04 从零实现神经网络](04_neural_networks_from_scratch.ipynb)。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from labkit import metrics, plots, widgets
from labkit.checks import check, hint, solution
from labkit.common import set_seed, start
from labkit.results import Measure, report
from labkit.text import gpt, shipped, town, word_vectors
from labkit.text.town import lexicon

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. Tokens
#
# The first question is where to cut. The pieces are called *tokens*; each different token has a number, its id, and all
# of them together are the *vocabulary*. Look at how many pieces one sentence gives, in English and in Chinese.

# %% [markdown] lang="zh"
# ## 1. 词元
#
# 第一个问题是：在哪里切？切出来的小块叫*词元*（token）；每种词元有一个编号，所有词元合起来叫*词表*。看看同一句话，英文和中文各切成多少块。

# %%
sentence = "The baker sells bread. 面包师卖面包。"
cuts = {"words": sentence.split(), "characters": list(sentence), "bytes": list(sentence.encode("utf-8"))}
for name, pieces in cuts.items():
    print(f"{name:10} {len(pieces):2} tokens, {len(set(pieces)):2} different:", *pieces[-9:])

# %% [markdown] lang="en"
# Three ways, three prices.
#
# - **Words** give short sequences, but there is no end to them: a word that training did not see has no id. And Chinese
#   writes no blanks, so the last "word" is a whole sentence.
# - **Characters** are fewer, but there are still tens of thousands of Chinese ones, and one character says little.
# - **Bytes** (UTF-8) are only 256, and every text of the world can be written with them. But sequences become long: three
#   tokens for one Chinese character.
#
# Large models take a fourth way: begin with bytes or characters, and join what often stands together.
#
# ## 2. Byte pair encoding by hand
#
# *Byte pair encoding* (BPE) learns its vocabulary from a text. Count all pairs of neighbouring tokens inside words. Join
# the most frequent pair to a new token, everywhere. Repeat. First the counting: which pair will win?

# %% [markdown] lang="zh"
# 三种切法，各有代价。
#
# - **按单词切**：序列短，但单词没有穷尽，训练时没见过的词就没有编号。中文又不写空格，最后那个“单词”其实是一整句话。
# - **按字符切**：种类少一些，但汉字仍有几万个，而且单个字符包含的信息很少。
# - **按字节切**（UTF-8）：只有 256 种，世界上任何文本都能表示。但序列会变长：一个汉字要占三个词元。
#
# 大模型走的是第四条路：从字节或字符出发，把经常挨在一起的拼成更长的词元。
#
# ## 2. 亲手实现 BPE
#
# *字节对编码*（BPE）从文本里学出词表：统计单词内部所有相邻词元对，把出现最多的一对合并成新词元，全文替换，如此反复。先来计数：你猜哪一对最多？


# %%
def count_pairs(words, counts):
    """words: tuples of tokens; counts: how often each word occurs."""
    pairs = Counter()
    for tokens, count in zip(words, counts, strict=True):
        for pair in pairwise(tokens):
            pairs[pair] += count
    return pairs


text = "the baker bakes bread and the baker breaks the bread while the butcher baked a big cake"
occurrences = Counter(text.split())
words, counts = [tuple(word) for word in occurrences], list(occurrences.values())
print(count_pairs(words, counts).most_common(6))

# %% [markdown] lang="en"
# By hand: "ak" stands in baker (2 times), bakes, breaks, baked and cake, which makes 6. "he" stands in the (4 times) and in
# butcher. Now the joining, and the loop. Where two pairs are equally frequent, the one whose tokens have the smaller ids
# wins; this is the rule of the `tokenizers` library.

# %% [markdown] lang="zh"
# 手算一下：“ak”出现在 baker（2 次）、bakes、breaks、baked 和 cake 里，共 6 次；“he”出现在 the（4 次）和 butcher 里，共 5 次。下面写出合并和循环。如果两对次数相同，取词元编号较小的一对，`tokenizers` 库就是这样规定的。


# %%
def merge(tokens, pair):
    joined, i = [], 0
    while i < len(tokens):
        found = tokens[i : i + 2] == pair
        joined.append("".join(pair) if found else tokens[i])
        i += 2 if found else 1
    return tuple(joined)


ids = {letter: i for i, letter in enumerate(sorted(set("".join(occurrences))))}
merges = []
while len(ids) < 40:
    pairs = count_pairs(words, counts)
    best = min(pairs, key=lambda pair: (-pairs[pair], ids[pair[0]], ids[pair[1]]))
    words = [merge(tokens, best) for tokens in words]
    merges.append(best)
    ids["".join(best)] = len(ids)

print("first merges:", *("+".join(pair) for pair in merges[:10]))
print("the text now:", *("|".join(tokens) for tokens in words))

# %% [markdown] lang="en"
# Frequent words have become one token, rare ones stay in pieces: `whi` + `le`. On the way the pieces were often meaningful:
# after ten merges, *bakes* was `bake` + `s`, and *baked* was `bake` + `d`. Now the library. Its merges and its ids must be exactly ours.

# %% [markdown] lang="zh"
# 常见的词已经合成一个词元，少见的词仍是几段：`whi` + `le`。合并途中的小段往往有意义：合并十次之后，*bakes* 是 `bake` + `s`，*baked* 是 `bake` + `d`。下面换成库来做，它的合并规则和编号必须与我们的完全相同。

# %%
import json

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

library = Tokenizer(models.BPE())
library.pre_tokenizer = pre_tokenizers.Whitespace()
library.train_from_iterator([text], trainers.BpeTrainer(vocab_size=40, show_progress=False))

their_merges = json.loads(library.to_str())["model"]["merges"]
assert [tuple(pair) for pair in their_merges] == merges
assert library.get_vocab() == ids
print(
    f"{len(merges)} merges and {len(ids)} ids are equal; 'bakers breaded' is",
    library.encode("bakers breaded").tokens,
)

# %% [markdown] lang="en"
# Words that it never saw, "bakers" and "breaded", need no "unknown": they are put together from pieces. Encoding a new
# text means to apply the merges in the order in which they were learned.
#
# ### Exercise 05.1: One step of BPE (★★☆, 10 minutes)
#
# Write one whole step: count, choose, merge. `words` are lists of tokens, `counts` says how often each word occurs. Return
# the pair and the new words. Among equally frequent pairs take the alphabetically first. Think of three things: what a
# frequent word counts, what happens in `["a", "a", "a"]`, and a pair that occurs twice in one word.

# %% [markdown] lang="zh"
# “bakers”和“breaded”都没在训练文本里出现过，却不需要“未知词”：用小段拼出来就行。给新文本编码，就是按学到的先后次序依次应用这些合并规则。
#
# ### 练习 05.1：BPE 的一步（★★☆，10 分钟）
#
# 写出完整的一步：计数、选择、合并。`words` 是若干个词元列表，`counts` 是每个词出现的次数。返回选中的词元对和新的 `words`。次数相同时取字母顺序在前的一对。要想清楚三件事：常见的词该算几次？`["a", "a", "a"]` 怎么合并？一个词里出现两次的词元对怎么办？


# %% exercise="05.1"
def bpe_step(words, counts):
    """words: list of lists of tokens; counts: list of ints -> ((left, right), new words)."""
    ### BEGIN SOLUTION
    pairs = Counter()
    for tokens, count in zip(words, counts, strict=True):
        for pair in pairwise(tokens):
            pairs[pair] += count
    best = min(pairs, key=lambda pair: (-pairs[pair], pair))
    merged = []
    for tokens in words:
        new = []
        for token in tokens:
            if new and (new[-1], token) == best:
                new[-1] += token
            else:
                new.append(token)
        merged.append(new)
    return best, merged
    ### END SOLUTION


# %%
check("05.1", bpe_step)
# hint("05.1")
# solution("05.1")

# %% [markdown] lang="en"
# ## 3. Word vectors
#
# Ids are only names: id 17 is not "more" than id 3. A model therefore begins with a table that has one row of numbers, a
# *vector*, for each id. This table is called the *embedding*. To look up row $i$ is the same as to multiply a one-hot
# vector with the table, only without the zeros. Look at the assertion: it is a linear layer without bias.

# %% [markdown] lang="zh"
# ## 3. 词向量
#
# 编号只是名字：17 号并不比 3 号“大”。所以模型的第一步是查一张表：表中每个编号对应一行数，即一个*向量*。这张表叫*嵌入*（embedding）。取出第 $i$ 行，等于用独热向量去乘整张表，只是省掉了乘 0 的功夫。请看断言：它就是一个没有偏置的线性层。

# %%
table = nn.Embedding(num_embeddings=40, embedding_dim=4)
token_ids = torch.tensor(library.encode("the baker breaks the bread").ids)
rows = table(token_ids)  # (T,) -> (T, D)
one_hot = F.one_hot(token_ids, 40).float()  # (T, V)
assert torch.equal(rows, one_hot @ table.weight)
print("ids", token_ids.tolist(), "-> vectors", tuple(rows.shape))

# %% [markdown] lang="en"
# What should stand in the table? "You shall know a word by the company it keeps" (J. R. Firth, 1957): words that stand
# in the same surroundings should get similar vectors. *Skip-gram with negative sampling* makes this a loss. Each word $w$
# has a vector $u_w$ as a centre, and another one, $v_w$, as a neighbour. For a pair (centre $w$, neighbour $c$) of the
# text, and $K$ words $n_k$ drawn at random:
#
# $$L = -\log \sigma(u_w \cdot v_c) - \sum_{k=1}^{K} \log \sigma(-u_w \cdot v_{n_k})$$
#
# It is the binary cross-entropy of lesson 03: is this a real neighbour, or a random word?
#
# **By hand.** $u_w = (1, 0)$, $v_c = (2, 1)$ and one random word $v_n = (0, 3)$. The products are 2 and 0, so
# $L = -\log\sigma(2) - \log\sigma(0) = 0.1269 + 0.6931 = 0.8201$ (with more digits than shown).

# %% [markdown] lang="zh"
# 表里该填什么数？“观其伴，知其词”（J. R. Firth，1957）：出现在相似上下文里的词，应当有相似的向量。*带负采样的 skip-gram* 把这个想法写成损失。每个词 $w$ 有两个向量：作中心词时用 $u_w$，作邻近词时用 $v_w$。对文本中的一对（中心词 $w$，邻近词 $c$），再随机抽 $K$ 个词 $n_k$：
#
# $$L = -\log \sigma(u_w \cdot v_c) - \sum_{k=1}^{K} \log \sigma(-u_w \cdot v_{n_k})$$
#
# 这就是第 03 课的二元交叉熵：它是真的邻近词，还是随机抽来的词？
#
# **手算**：$u_w = (1, 0)$，$v_c = (2, 1)$，一个随机词 $v_n = (0, 3)$。内积分别是 2 和 0，所以 $L = -\log\sigma(2) - \log\sigma(0) = 0.1269 + 0.6931 = 0.8201$（计算时多取了几位小数）。

# %%
u, v, n = torch.tensor([1.0, 0.0]), torch.tensor([2.0, 1.0]), torch.tensor([0.0, 3.0])
by_hand = -torch.log(torch.sigmoid(u @ v)) - torch.log(torch.sigmoid(-u @ n))
from_labkit = word_vectors.negative_sampling_loss(u[None], v[None], n[None, None])
print(f"loss {by_hand:.4f}")
assert torch.isclose(by_hand, from_labkit)

# %% [markdown] lang="en"
# ### The text: a small town
#
# The course has its own world: a town with people, jobs, shops and weather, told by a generator in English and in
# Chinese. You meet it again in lessons 06 and 08. Each text carries the facts behind it; here the words are enough. For
# your own text, change the one line that makes `texts`.

# %% [markdown] lang="zh"
# ### 文本：一座小镇
#
# 本课程有自己的小世界：一座小镇，有人、有职业、有商店、有天气，由一个生成器用中英文写成文本。第 06、08 课还会见到它。每篇文本都附有背后的事实，这里只用到文字。想用自己的文本，改 `texts` 那一行就行。

# %%
size = lab.pick(400_000, 1_000_000, 5_000_000)
kinds = ("story", "report", "description")
texts = [d.text for d in town.documents("en", seed=lab.seed, size_bytes=size, kinds=kinds)]

stops = re.compile(r"[.!?]+\s+")
sentences = [re.findall(r"[a-z]+(?:'[a-z]+)?", s.lower()) for text in texts for s in stops.split(text)]
print(texts[0], "\n")
print(f"{len(texts)} texts, {len(sentences)} sentences, {sum(map(len, sentences))} words")

# %% [markdown] lang="en"
# ### Training
#
# `train_word_vectors` slides a window over each sentence, makes the pairs, draws five random words for each, and takes Adam
# steps on the loss above. At the start all products are 0, so each of the six terms costs $\ln 2$. What is the first loss? We train
# two tables: `wide` looks up to four words to each side, `narrow` one word only.

# %% [markdown] lang="zh"
# ### 训练
#
# `train_word_vectors` 用一个窗口滑过每个句子，取出词对，给每一对随机抽五个词，再用 Adam 减小上面的损失。起初所有内积都是 0，六项各为 $\ln 2$。最初的损失是多少？我们训练两张表：`wide` 向两边各看至多四个词，`narrow` 只看紧挨着的一个词。


# %% tags=["nbval-ignore-output"]
def trained_vectors(seed, window=4, show=None):
    config = word_vectors.SkipGramConfig(size=64, window=window, negatives=5, epochs=lab.pick(1, 3, 5))
    return word_vectors.train_word_vectors(sentences, config, seed=seed, on_epoch=show)


print(f"before training: 6 ln 2 = {6 * math.log(2):.3f}")
wide = trained_vectors(lab.seed, show=lambda epoch, loss: print(f"epoch {epoch + 1}: mean loss {loss:.3f}"))
narrow = trained_vectors(lab.seed, window=1)  # neighbours are only the words right beside
print(f"{len(wide)} words that occur at least 5 times, each with {wide.vectors.shape[1]} numbers")

# %% [markdown] lang="en"
# ### Neighbours
#
# How alike are two vectors? The length of a word vector depends on how often the word occurs, so we compare directions: the
# *cosine* $\cos(a, b) = a \cdot b \,/\, (\lVert a\rVert \lVert b\rVert)$. Look at the nearest neighbours in both tables. What kind of
# likeness does each find?

# %% [markdown] lang="zh"
# ### 近邻
#
# 两个向量有多像？词向量的长度与词频有关，所以我们比较方向，即*余弦* $\cos(a, b) = a \cdot b \,/\, (\lVert a\rVert \lVert b\rVert)$。看看两张表里最近的几个词。它们各自找到的是哪一种“像”？

# %% tags=["nbval-ignore-output"]
for word in ("monday", "nurse", "bakery", "rainy"):
    for name, table in {"wide": wide, "narrow": narrow}.items():
        near = " ".join(f"{other} {cosine:.2f}" for other, cosine in table.neighbours(word, 5))
        print(f"{word:7} {name:6}  {near}")

# %% [markdown] lang="en"
# Nobody gave the model a dictionary or a list of weekdays. With the narrow window the nurse is near to other jobs and the bakery to
# other places: words of the same *kind*, which could take each other's place. With the wide window words come near that stand in
# the same texts: rye is near the bakery, a name near the nurse. That is likeness of *topic*, or mere company. Both are "like", and the
# window decides which.
#
# But examples prove nothing: they were chosen. So we count. For each word of a group, what share of its five nearest neighbours is in
# the same group? The baseline is a table of random vectors. Jobs and places are taken from the town's own table.

# %% [markdown] lang="zh"
# 没有人给过模型词典，也没有人告诉它一周有哪几天。窗口窄时，护士的近邻是别的职业，面包店的近邻是别的地点：*同类*的词，可以互相替换。窗口宽时，靠近的是常在同一篇文本里出现的词：黑麦靠近面包店，某个人名靠近护士。这是*话题*相同，或者只是常在一起。两种都叫“像”，由窗口决定是哪一种。
#
# 不过例子证明不了什么，因为例子是挑出来的。所以要计数：对一组里的每个词，最近的五个词中有多大比例属于同一组？基线是一张随机向量表。职业和地点取自小镇自己的表。

# %%
groups = {
    "weekdays": "monday tuesday wednesday thursday friday saturday sunday",
    "months": "january february march april may june july august september october november december",
    "weather": "rainy snowy foggy windy sunny cloudy stormy frosty",
}
groups = {name: words.split() for name, words in groups.items()}
rows = [row.split("|") for row in lexicon.PLACES.strip().splitlines()]  # place | Chinese | job | Chinese
pairs = [(row[2], row[0]) for row in rows if " " not in row[2] + row[0] and row[2] in wide and row[0] in wide]
groups["jobs"], groups["places"] = (list(part) for part in zip(*pairs, strict=True))
chance = word_vectors.WordVectors.random(wide.words, size=64, seed=lab.seed)


def precisions(table):
    return {name: word_vectors.neighbour_precision(table, [group], count=5) for name, group in groups.items()}


# %% tags=["nbval-ignore-output"]
found = {
    name: precisions(table) for name, table in {"narrow": narrow, "wide": wide, "random": chance}.items()
}
ax = plots.bars(found["narrow"], ylabel="share of neighbours in the group", title="narrow window")
plots.show(ax, alt="Bars of the share of neighbours that belong to the same group, for five groups of words.")
for name in groups:
    print(f"{name:9}", *(f"{table} {shares[name]:.2f}" for table, shares in found.items()), sep="   ")

# %% [markdown] lang="en"
# ### A map
#
# 64 dimensions cannot be drawn. *Principal components* are the two directions in which the chosen words differ most. Do the
# groups lie apart? Read the map with care: the printed share says how much of the differences two directions can show.

# %% [markdown] lang="zh"
# ### 一张地图
#
# 64 维画不出来。*主成分*是所选词差异最大的两个方向。各组分开了吗？读图要留心：打印出来的比例说明，两个方向只能显示全部差异的多少。

# %% tags=["nbval-ignore-output"]
points = [(name, word) for name, group in groups.items() for word in group if word in narrow]
rows = np.stack([narrow.unit[narrow.index[word]] for _, word in points])
rows = rows - rows.mean(axis=0)
_, spread, directions = np.linalg.svd(rows, full_matrices=False)
flat = rows @ directions[:2].T  # (N, 2)

ax = plots.new_axes(7, 5)
for number, name in enumerate(groups):
    members = [i for i, (group, _) in enumerate(points) if group == name]
    ax.scatter(*flat[members].T, marker="os^Dv"[number], color=plots.COLORS[number], s=18, label=name)
    for i in members[:4]:  # more labels than these would hide each other
        ax.annotate(points[i][1], flat[i], xytext=(4, 3), textcoords="offset points", fontsize=8)
plots.finish(ax, "first component", "second component", "word vectors, narrow window")
plots.show(ax, alt="Points on a plane, a mark for each group: the points of one group lie together.")
print(f"two directions show {(spread[:2] ** 2).sum() / (spread**2).sum():.0%} of the differences")

# %% [markdown] lang="en"
# ### Analogies
#
# Baker is to bakery as librarian is to what? If the step from a job to its place is about the same for all jobs, then
# `bakery - baker + librarian` should lie near `library`. We ask it for all pairs of pairs. Three baselines: random vectors;
# an empty question (the nearest neighbour of the third word alone); and guessing one of the places.

# %% [markdown] lang="zh"
# ### 类比
#
# 面包师之于面包店，好比图书管理员之于什么？如果从职业到工作地点的“那一步”对所有职业都差不多，那么 `bakery - baker + librarian` 就应当落在 `library` 附近。我们把这些词对两两组合，每一题都问一遍。基线有三个：随机向量；空问题（只取第三个词的最近邻）；在地点里瞎猜。

# %%
questions = [(a, b, c, d) for a, b in pairs for c, d in pairs if a != c]
print(len(questions), "questions, such as:", *questions[0])


def nearest_only(table):
    known = [(c, d) for _, _, c, d in questions if c in table]
    return sum(table.neighbours(c, 1)[0][0] == d for c, d in known) / len(questions)


# %% tags=["nbval-ignore-output"]
print(f"wide window       {word_vectors.analogy_accuracy(wide, questions):.3f}")
print(f"narrow window     {word_vectors.analogy_accuracy(narrow, questions):.3f}")
print(f"random vectors    {word_vectors.analogy_accuracy(chance, questions):.3f}")
print(f"nearest neighbour {nearest_only(wide):.3f}")
print(f"guessing a place  {1 / len(pairs):.3f}")

# %% [markdown] lang="en"
# A job and its place are of one topic, so this time the wide window wins, far above chance. Published figures for large
# corpora leave out the three words of the question from the answers, as we do; Linzen (2016) shows that this flatters the
# method. And vectors learn what the text says, prejudice included (Caliskan et al. 2017).
#
# ### Exercise 05.2: Nearest neighbours by cosine (★☆☆, 8 minutes)
#
# Given vectors (V, D), the index of a word and a count, return the indices of its nearest neighbours, best first. Think of
# what length does to a dot product, and of who is always nearest to a word.

# %% [markdown] lang="zh"
# 职业和它的地点属于同一话题，所以这次是宽窗口胜出，远好于碰运气。文献里在大语料上报告的成绩，也像我们这样，把问题中的三个词排除在答案之外；Linzen（2016）指出，这会让结果虚高。还要记住：文本里说什么，向量就学什么，偏见也包括在内（Caliskan 等，2017）。
#
# ### 练习 05.2：余弦近邻（★☆☆，8 分钟）
#
# 给定向量 (V, D)、一个词的编号和近邻的个数，返回最近邻的编号，最近的排在前面。想一想：向量的长度会怎样影响内积？谁永远离一个词最近？


# %% exercise="05.2"
def nearest(vectors, index, count):
    """vectors (V, D) -> indices (count,) of the highest cosines with row index, best first, without itself."""
    ### BEGIN SOLUTION
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    cosines = unit @ unit[index]  # (V,)
    cosines[index] = -math.inf
    return cosines.argsort(descending=True)[:count]
    ### END SOLUTION


# %%
check("05.2", nearest)
# hint("05.2")
# solution("05.2")

# %% [markdown] lang="en"
# ## 4. Networks that read in order
#
# A sentence is more than a bag of words. A *recurrent* network (RNN) reads one token after the other, and keeps what it
# has read in a *hidden state* $h$:
#
# $$h_t = \tanh(W x_t + U h_{t-1} + b)$$
#
# The same $W$, $U$ and $b$ serve at every step. **By hand**, with single numbers: $W = 1$, $U = 0.5$, $b = 0$, $h_0 = 0$
# and the inputs $1, 0, 0$:
# $h_1 = \tanh(1) = 0.7616$, $h_2 = \tanh(0.3808) = 0.3634$, $h_3 = \tanh(0.1817) = 0.1797$. The memory of the first
# input fades. Look for these three numbers.

# %% [markdown] lang="zh"
# ## 4. 按顺序阅读的网络
#
# 句子不只是一袋词。*循环神经网络*（RNN）一个词元接一个词元地读，把读过的内容记在*隐藏状态* $h$ 里：
#
# $$h_t = \tanh(W x_t + U h_{t-1} + b)$$
#
# 每一步用的都是同一组 $W$、$U$、$b$。**手算**（都取单个数）：$W = 1$，$U = 0.5$，$b = 0$，$h_0 = 0$，输入依次为 $1, 0, 0$：$h_1 = \tanh(1) = 0.7616$，$h_2 = \tanh(0.3808) = 0.3634$，$h_3 = \tanh(0.1817) = 0.1797$。对第一个输入的记忆在逐渐淡去。请在输出里找到这三个数。


# %%
def rnn_step(x, h, W, U, b):
    """x (B, D), h (B, H), W (H, D), U (H, H), b (H,) -> the next h (B, H)."""
    return torch.tanh(x @ W.T + h @ U.T + b)


h = torch.zeros(1, 1)
for x in (1.0, 0.0, 0.0):
    h = rnn_step(torch.tensor([[x]]), h, torch.tensor([[1.0]]), torch.tensor([[0.5]]), torch.zeros(1))
    print(f"x = {x:.0f}   h = {h.item():.4f}")
assert abs(h.item() - 0.1797) < 1e-4

# %% [markdown] lang="en"
# PyTorch's `nn.RNN` is this loop. It stores two biases, which are simply added. Give our step its weights, and compare every
# state of a batch.

# %% [markdown] lang="zh"
# PyTorch 的 `nn.RNN` 就是这个循环，只是存了两个偏置，用时相加。把它的权重交给我们的函数，逐个时刻比较整批的状态。

# %%
B, T, D, H = 3, 12, 5, 8
x = torch.randn(B, T, D, generator=torch.Generator().manual_seed(1))
rnn = nn.RNN(D, H, batch_first=True)

h, states = torch.zeros(B, H), []
for t in range(T):
    h = rnn_step(x[:, t], h, rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0 + rnn.bias_hh_l0)
    states.append(h)
by_hand = torch.stack(states, dim=1)  # (B, T, H)
assert torch.allclose(by_hand, rnn(x)[0], atol=1e-6)
print("all states equal within 1e-6:", tuple(by_hand.shape))

# %% [markdown] lang="en"
# ### The LSTM cell
#
# In an RNN every step rewrites the whole state. The *long short-term memory* (LSTM) has a second state beside $h$, the
# *cell* $c$, and three *gates*, numbers between 0 and 1 that open and close:
#
# $$\begin{aligned}
# i, f, o &= \sigma(\ldots) && \text{input, forget and output gate}\\
# g &= \tanh(\ldots) && \text{the candidate, what could be written}\\
# c_t &= f \odot c_{t-1} + i \odot g && \text{keep some, write some}\\
# h_t &= o \odot \tanh(c_t) && \text{show some}
# \end{aligned}$$
#
# Each "$\ldots$" is $W x_t + U h_{t-1} + b$ with weights of its own. PyTorch stacks the four in the order $i, f, g, o$.
# Look at the line of $c$: there is a **sum**, no matrix and no tanh between $c_{t-1}$ and $c_t$. Section 5 shows why that
# matters.

# %% [markdown] lang="zh"
# ### LSTM 单元
#
# 在 RNN 里，每一步都会改写整个状态。*长短期记忆网络*（LSTM）除了 $h$ 还有第二个状态：*细胞状态* $c$，外加三个*门*，取值在 0 到 1 之间，管开管关：
#
# $$\begin{aligned}
# i, f, o &= \sigma(\ldots) && \text{输入门、遗忘门、输出门}\\
# g &= \tanh(\ldots) && \text{候选值：可以写入的内容}\\
# c_t &= f \odot c_{t-1} + i \odot g && \text{保留一部分，写入一部分}\\
# h_t &= o \odot \tanh(c_t) && \text{输出一部分}
# \end{aligned}$$
#
# 每个“$\ldots$”都是 $W x_t + U h_{t-1} + b$，权重各不相同。PyTorch 按 $i, f, g, o$ 的次序把四组权重叠放在一起。请看 $c$ 那一行：从 $c_{t-1}$ 到 $c_t$ 走的是一个**加法**，中间没有矩阵，也没有 tanh。第 5 节会说明这一点为什么重要。


# %%
def lstm_step(x, h, c, W, U, b):
    """x (B, D), h and c (B, H), W (4H, D), U (4H, H), b (4H,) -> the next h and c."""
    i, f, g, o = (x @ W.T + h @ U.T + b).chunk(4, dim=1)  # each (B, H)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


lstm = nn.LSTM(D, H, batch_first=True)
h, c, states = torch.zeros(B, H), torch.zeros(B, H), []
for t in range(T):
    h, c = lstm_step(x[:, t], h, c, lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0 + lstm.bias_hh_l0)
    states.append(h)
expected, (last_h, last_c) = lstm(x)
assert torch.allclose(torch.stack(states, dim=1), expected, atol=1e-6)
assert torch.allclose(c, last_c[0], atol=1e-6)
print("h and c equal PyTorch's within 1e-6; parameters:", sum(p.numel() for p in lstm.parameters()))

# %% [markdown] lang="en"
# ### Exercise 05.3: One step of a GRU (★★☆, 12 minutes)
#
# The *gated recurrent unit* (Cho et al. 2014) has two gates and no cell. With $a = W x + b_W$ and $d = U h + b_U$, each
# split into three parts in the order $r, z, n$ (PyTorch's):
#
# $$r = \sigma(a_r + d_r), \quad z = \sigma(a_z + d_z), \quad n = \tanh(a_n + r \odot d_n), \quad
# h' = (1 - z) \odot n + z \odot h$$
#
# Write it so that it equals `nn.GRUCell`. Think of where $r$ stands, and of which part $z$ keeps.

# %% [markdown] lang="zh"
# ### 练习 05.3：GRU 的一步（★★☆，12 分钟）
#
# *门控循环单元*（GRU，Cho 等，2014）有两个门，没有细胞状态。记 $a = W x + b_W$，$d = U h + b_U$，都按 $r, z, n$ 的次序（PyTorch 的次序）分成三段：
#
# $$r = \sigma(a_r + d_r), \quad z = \sigma(a_z + d_z), \quad n = \tanh(a_n + r \odot d_n), \quad
# h' = (1 - z) \odot n + z \odot h$$
#
# 写出它，使结果与 `nn.GRUCell` 一致。想一想：$r$ 乘在哪里？$z$ 保留的是哪一部分？


# %% exercise="05.3"
def gru_step(x, h, W, U, b_W, b_U):
    """x (B, D), h (B, H), W (3H, D), U (3H, H), b_W and b_U (3H,) -> the next h (B, H)."""
    ### BEGIN SOLUTION
    a_r, a_z, a_n = (x @ W.T + b_W).chunk(3, dim=1)
    d_r, d_z, d_n = (h @ U.T + b_U).chunk(3, dim=1)
    r = torch.sigmoid(a_r + d_r)
    z = torch.sigmoid(a_z + d_z)
    n = torch.tanh(a_n + r * d_n)
    return (1 - z) * n + z * h
    ### END SOLUTION


# %%
check("05.3", gru_step)
# hint("05.3")
# solution("05.3")

# %% [markdown] lang="en"
# ## 5. Gradients through time
#
# To learn that the first word decides about the last one, the gradient must travel back from the last step to the first. By
# the chain rule it is multiplied once for each step. With single numbers, $\partial h_t / \partial h_{t-1} = U (1 - h_t^2)$.
#
# **By hand**, for section 4's numbers: $0.5 \cdot (1 - 0.3634^2) = 0.4340$ and $0.5 \cdot (1 - 0.1797^2) = 0.4839$. Two steps
# back, 0.2100 is left. The cell of an LSTM gives $\partial c_t / \partial c_{t-1} = f$ along its straight way. With a forget
# gate of $\sigma(0) = 0.5$ that is $0.5^{100} \approx 8 \cdot 10^{-31}$ after a hundred steps; with $\sigma(3) = 0.953$ it is
# 0.008.

# %% [markdown] lang="zh"
# ## 5. 梯度穿越时间
#
# 要学会“第一个词决定最后一个词”，梯度就必须从最后一步一路传回第一步。按链式法则，每往回一步就乘一次。都取单个数时，$\partial h_t / \partial h_{t-1} = U (1 - h_t^2)$。
#
# **手算**，用第 4 节的数：$0.5 \cdot (1 - 0.3634^2) = 0.4340$，$0.5 \cdot (1 - 0.1797^2) = 0.4839$。往回两步，只剩 0.2100。LSTM 的细胞状态有一条直通的路，沿这条路 $\partial c_t / \partial c_{t-1} = f$。遗忘门为 $\sigma(0) = 0.5$ 时，一百步之后是 $0.5^{100} \approx 8 \cdot 10^{-31}$；为 $\sigma(3) = 0.953$ 时是 0.008。

# %%
W, U = torch.tensor([[1.0]]), torch.tensor([[0.5]])
first = rnn_step(torch.tensor([[1.0]]), torch.zeros(1, 1), W, U, torch.zeros(1)).detach().requires_grad_()
last = first
for _ in range(2):
    last = rnn_step(torch.zeros(1, 1), last, W, U, torch.zeros(1))
(by_autograd,) = torch.autograd.grad(last, first)
print(f"d h3 / d h1 by autograd: {by_autograd.item():.4f}")
print(f"0.5 ** 100 = {0.5**100:.0e}, sigmoid(3) ** 100 = {(1 / (1 + math.exp(-3))) ** 100:.3f}")

# %% [markdown] lang="en"
# Now real networks, 64 units wide and freshly initialized, 100 steps long. **Predict first:** after 50 steps, what is left of
# the gradient in an RNN: a tenth, a thousandth, or less than a millionth? And in an LSTM whose forget gates start at
# $\sigma(1)$, or at $\sigma(3)$? Measured is the norm of the gradient of the last state by an input `distance` steps
# earlier, as a share of that at distance 0.

# %% [markdown] lang="zh"
# 现在看真正的网络：64 个单元，刚刚初始化，序列长 100 步。**先预测**：往回 50 步，RNN 的梯度还剩多少？十分之一、千分之一，还是不到百万分之一？遗忘门从 $\sigma(1)$ 或 $\sigma(3)$ 起步的 LSTM 呢？测的是最后状态对 `distance` 步之前的输入的梯度范数，与距离为 0 时的比值。


# %%
def gradient_by_distance(network, steps=100):
    """Norm of d(last state) / d(input), by distance from the end, as a share of that at distance 0."""
    generator = torch.Generator().manual_seed(lab.seed)
    x = torch.randn(32, steps, 16, generator=generator, requires_grad=True)
    last = network(x)[0][:, -1]  # (B, H)
    direction = torch.randn(last.shape, generator=generator)
    (gradient,) = torch.autograd.grad((last * direction).sum(), x)
    norms = gradient.norm(dim=2).mean(dim=0).flip(0)  # (T,), distance 0 first
    return (norms / norms[0]).numpy()


def lstm_with(forget_bias, hidden=64):
    lstm = nn.LSTM(16, hidden, batch_first=True)
    with torch.no_grad():
        lstm.bias_hh_l0[hidden : 2 * hidden] = 0
        lstm.bias_ih_l0[hidden : 2 * hidden] = forget_bias
    return lstm


# %%
set_seed(lab.seed)
fresh = {"RNN": nn.RNN(16, 64, batch_first=True)}
fresh |= {f"LSTM, forget bias {bias}": lstm_with(bias) for bias in (0, 1, 3)}
shares = {name: gradient_by_distance(network) for name, network in fresh.items()}

for name, share in shares.items():
    print(f"{name:20}", *(f"distance {d}: {share[d]:.0e}" for d in (10, 50)), sep="   ")
ax = plots.lines(
    range(100), {n: s.clip(1e-12) for n, s in shares.items()}, xlabel="distance (steps)",
    ylabel="gradient, relative (cut at 1e-12)", log_y=True,
)  # fmt: skip
plots.show(
    ax, alt="On a log scale the RNN falls fastest; the LSTM's line is flatter the larger its forget bias."
)

# %% [markdown] lang="en"
# The gradient of the RNN is gone after 50 steps: what happened there cannot be learned. On a log scale the curves are nearly
# straight lines, since each step multiplies by about the same factor. The LSTM is hardly better if its forget gates are half
# closed. With a bias of 1 (Jozefowicz et al. 2015) its straight way alone has the factor $\sigma(1) = 0.73$; the ways through
# the gates add to it, so that less is lost. With 3 a good part of the gradient arrives. This is the *vanishing gradient*, and
# the LSTM's remedy.
#
# The factor can also be larger than 1. Look at an RNN whose recurrent matrix is twice a rotation, with small inputs.

# %% [markdown] lang="zh"
# 50 步之后，RNN 的梯度已经消失：那里发生的事学不会了。在对数坐标下曲线接近直线，因为每一步乘的因子差不多。如果遗忘门半开半合，LSTM 也好不了多少。偏置取 1 时（Jozefowicz 等，2015），单是那条直路，因子就有 $\sigma(1) = 0.73$，经过各个门的路还要再添一些，所以损失得更少；取 3 时，相当一部分梯度能传到。这就是*梯度消失*，以及 LSTM 的对策。
#
# 因子也可能大于 1。再看一个 RNN：循环矩阵是旋转矩阵的两倍，输入很小。

# %%
wild = nn.RNN(16, 64, batch_first=True, bias=False)
with torch.no_grad():
    nn.init.orthogonal_(wild.weight_hh_l0).mul_(2.0)
    wild.weight_ih_l0.mul_(0.001)
exploding = gradient_by_distance(wild, steps=12)
print(f"10 steps back: about {exploding[10] / 100:.0f} hundred times the gradient; 2 ** 10 = {2**10}")

weight = nn.Parameter(torch.zeros(2))
weight.grad = torch.tensor([300.0, 400.0])
norm_before = nn.utils.clip_grad_norm_([weight], max_norm=1.0)
print(f"norm before {norm_before:.1f}, gradient after", [f"{g:.1f}" for g in weight.grad])

# %% [markdown] lang="en"
# This is an *exploding* gradient. Cutting its length to a maximum (`clip_grad_norm_`, Pascanu et al. 2013) is enough, since the
# direction is kept: (300, 400) becomes (0.6, 0.8). A vanished gradient cannot be repaired that way: nothing times ten is nothing. Better is a shorter
# way. Attention makes it one step long.

# %% [markdown] lang="zh"
# 这就是*梯度爆炸*。给它的长度设一个上限（`clip_grad_norm_`，Pascanu 等，2013）就够了，因为方向不变：(300, 400) 变成 (0.6, 0.8)。消失的梯度却不能这样补救：零乘以十还是零。更好的办法是把路缩短。注意力把它缩短到一步。

# %% [markdown] lang="en"
# ## 6. Attention
#
# Attention is a look-up. A *query* $q$ says what is wanted, every position has a *key* $k$ that says what it offers and a
# *value* $v$ that it hands out. The better a key fits the query, the more of its value is taken:
#
# $$\mathrm{attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{d}}\right) V
#   \qquad (T, d) \cdot (d, S) \to (T, S), \quad (T, S) \cdot (S, d_v) \to (T, d_v)$$
#
# **By hand.** $q = (1, 0)$, the keys are $(1, 0)$, $(0, 1)$, $(1, 1)$, the values 10, 20, 60. The products are 1, 0, 1; divided
# by $\sqrt 2$: 0.7071, 0, 0.7071. Softmax: $e^{0.7071} = 2.0281$, the sum is $2 \cdot 2.0281 + 1 = 5.0562$, so the weights are
# 0.4011, 0.1978, 0.4011. The result is $4.011 + 3.956 + 24.067 = 32.03$.

# %% [markdown] lang="zh"
# ## 6. 注意力
#
# 注意力就是查找。*查询*（query）$q$ 说明想要什么；每个位置有一个*键*（key）$k$，说明自己能提供什么，还有一个*值*（value）$v$，是真正交出去的内容。键与查询越匹配，取走的值就越多：
#
# $$\mathrm{attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{d}}\right) V
#   \qquad (T, d) \cdot (d, S) \to (T, S), \quad (T, S) \cdot (S, d_v) \to (T, d_v)$$
#
# **手算**：$q = (1, 0)$，三个键为 $(1, 0)$、$(0, 1)$、$(1, 1)$，值为 10、20、60。内积是 1、0、1，除以 $\sqrt 2$ 得 0.7071、0、0.7071。再做 softmax：$e^{0.7071} = 2.0281$，总和 $2 \times 2.0281 + 1 = 5.0562$，权重为 0.4011、0.1978、0.4011。结果是 $4.011 + 3.956 + 24.067 = 32.03$。


# %%
def attention(q, k, v, mask=None):
    """q (..., T, d), k (..., S, d), v (..., S, e), mask (T, S) True where allowed -> (..., T, e) and weights."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)  # each row sums to 1
    return weights @ v, weights


q, k = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
result, weights = attention(q, k, torch.tensor([[10.0], [20.0], [60.0]]))
print("weights", [f"{w:.4f}" for w in weights[0]], f"result {result.item():.2f}")
assert f"{result.item():.2f}" == "32.03"

# %% [markdown] lang="en"
# The same on a batch, against PyTorch's own function.

# %% [markdown] lang="zh"
# 再用一批数据，与 PyTorch 自带的函数对照。

# %%
generator = torch.Generator().manual_seed(2)
q, k, v = (torch.randn(4, 10, 16, generator=generator) for _ in range(3))  # (B, T, d)
ours, weights = attention(q, k, v)
assert torch.allclose(ours, F.scaled_dot_product_attention(q, k, v), atol=1e-6)
assert torch.allclose(weights.sum(dim=-1), torch.ones(4, 10))
print("equal to F.scaled_dot_product_attention:", tuple(ours.shape))

# %% [markdown] lang="en"
# ### Why divide by $\sqrt d$?
#
# If the components of $q$ and $k$ are independent with mean 0 and variance 1, each product $q_i k_i$ has variance 1, and the
# sum of $d$ of them has variance $d$. Softmax of numbers that far apart is all but one-hot. Look at three columns: the variance
# against $d$, the largest of 32 weights without the division, and with it. The last column is a gradient: the mean slope
# $\partial w / \partial s = w (1 - w)$ of the largest weight without the division.

# %% [markdown] lang="zh"
# ### 为什么要除以 $\sqrt d$？
#
# 如果 $q$、$k$ 的各个分量相互独立，均值为 0，方差为 1，那么每个乘积 $q_i k_i$ 的方差是 1，$d$ 个相加，方差就是 $d$。相差这么远的数做 softmax，结果几乎就是独热向量。请看三列：方差与 $d$ 的关系；不除时 32 个权重里最大的一个；除过之后最大的一个。最后一列是梯度：不除时最大权重的平均斜率 $\partial w / \partial s = w (1 - w)$。

# %%
generator = torch.Generator().manual_seed(lab.seed)
for d in (4, 64, 1024):
    q, k = torch.randn(500, 1, d, generator=generator), torch.randn(500, 32, d, generator=generator)
    scores = (q @ k.transpose(1, 2))[:, 0]  # (500, 32)
    raw, scaled = (torch.softmax(s, dim=1).amax(dim=1) for s in (scores, scores / math.sqrt(d)))
    slope = (raw * (1 - raw)).mean()
    print(f"d = {d:4}  variance {scores.var():6.0f}  largest weight {raw.mean():.2f}, scaled {scaled.mean():.2f}"
          f"  slope {slope:.3f}")  # fmt: skip

# %% [markdown] lang="en"
# Without the division the weights depend on the width of the network, and at $d = 1024$ one position takes nearly all, with
# hardly a slope to learn from: saturation, as in lesson 02. With it, the weights look alike at every width.
#
# ### Exercise 05.4: Attention over padded sequences (★★☆, 10 minutes)
#
# Sentences of a batch differ in length; the short ones are filled up with padding, which nobody may attend to. `real` is
# (B, S), True at real tokens. Write attention that leaves the padding out. Think of where the mask goes: into the scores or
# into the weights, and what the rows must sum to.

# %% [markdown] lang="zh"
# 不做除法，权重就会随网络宽度变化；$d = 1024$ 时一个位置几乎独占全部权重，斜率所剩无几，学不动了：这正是第 02 课的饱和。做了除法，不论多宽，权重都差不多。
#
# ### 练习 05.4：带填充序列的注意力（★★☆，10 分钟）
#
# 一批句子长短不一，短的要用填充补齐，而填充不应被任何位置注意到。`real` 的形状是 (B, S)，真实词元处为 True。写出排除填充的注意力。想一想：掩码用在得分上还是权重上？每行之和应当是多少？


# %% exercise="05.4"
def padded_attention(q, k, v, real):
    """q (B, T, d), k (B, S, d), v (B, S, e), real (B, S) bool -> (B, T, e)."""
    ### BEGIN SOLUTION
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])  # (B, T, S)
    scores = scores.masked_fill(~real[:, None, :], -math.inf)
    return torch.softmax(scores, dim=-1) @ v
    ### END SOLUTION


# %%
check("05.4", padded_attention)
# hint("05.4")
# solution("05.4")

# %% [markdown] lang="en"
# ### The causal mask
#
# A model that predicts the next token must not see it. Query $t$ may look at keys $0 \ldots t$ only: a lower triangle. The
# scores of all other keys become $-\infty$, and $e^{-\infty} = 0$. Look at the weights of five tokens: what does the first one
# attend to?

# %% [markdown] lang="zh"
# ### 因果掩码
#
# 预测下一个词元的模型不许看到它。第 $t$ 个查询只能看第 $0 \ldots t$ 个键：这是一个下三角。其余键的得分变成 $-\infty$，而 $e^{-\infty} = 0$。看看五个词元的权重：第一个词元注意的是谁？

# %%
generator = torch.Generator().manual_seed(3)
x = torch.randn(1, 5, 16, generator=generator)
causal = torch.ones(5, 5, dtype=torch.bool).tril()
masked, weights = attention(x, x, x, causal)
for row in weights[0]:
    print("  ".join(f"{w:.2f}" for w in row))
assert torch.allclose(masked, F.scaled_dot_product_attention(x, x, x, is_causal=True), atol=1e-6)

# %% [markdown] lang="en"
# The first token can attend to itself only. There is a stronger test of a mask than looking at it: **change the future and see
# whether the past changes.** Keep this test in mind; section 11 needs it.

# %% [markdown] lang="zh"
# 第一个词元只能注意自己。检验掩码，有比看图更可靠的办法：**改动未来，看过去变不变。** 记住这个检验，第 11 节要用。

# %%
changed = x.clone()
changed[0, 3] += 1.0  # another fourth token
again = attention(changed, changed, changed, causal)[0]
moved = (again - masked).abs().amax(dim=-1)[0]
print("outputs that moved:", (moved > 0).tolist())
assert torch.equal(moved > 0, torch.tensor([False, False, False, True, True]))

# %% [markdown] lang="en"
# ### Exercise 05.5: A causal mask with a past (★★☆, 8 minutes)
#
# While a model writes, the keys of all earlier tokens are kept, and only the new tokens ask. There are $T$ queries and
# $S \geq T$ keys, and **the last query stands at the last key**. Return the mask (T, S), True where allowed. Think of the
# first of the queries: how many keys may it see?

# %% [markdown] lang="zh"
# ### 练习 05.5：带历史的因果掩码（★★☆，8 分钟）
#
# 模型生成文本时，先前词元的键都保留着，只有新词元在提问。共有 $T$ 个查询、$S \geq T$ 个键，**最后一个查询与最后一个键处在同一位置**。返回掩码 (T, S)，允许看的位置为 True。想一想：第一个查询可以看几个键？


# %% exercise="05.5"
def causal_mask(T, S):
    """True where query t of T may see key s of S -> bool (T, S)."""
    ### BEGIN SOLUTION
    return torch.ones(T, S, dtype=torch.bool).tril(diagonal=S - T)
    ### END SOLUTION


# %%
check("05.5", causal_mask)
# hint("05.5")
# solution("05.5")

# %% [markdown] lang="en"
# ### Heads
#
# One softmax gives one mixture. To look for several things at once, the $D$ features are cut into $H$ *heads* of width $D/H$.
# Each attends on its own, and the results are put side by side and mixed by one more matrix. Queries, keys and values are
# linear layers of the same input; that is *self-attention*. Watch the shapes; then the whole must equal PyTorch's
# `nn.MultiheadAttention` with the same weights.

# %% [markdown] lang="zh"
# ### 多头
#
# 一次 softmax 只给出一种混合。想同时找几样东西，就把 $D$ 个特征切成 $H$ 个*头*，每头宽 $D/H$，各自做注意力，再把结果并排放好，乘一个矩阵混合起来。查询、键、值都由同一输入经线性层得到，这叫*自注意力*；分成多个头，就是*多头注意力*。注意形状的变化；权重相同时，整体必须与 PyTorch 的 `nn.MultiheadAttention` 相等。


# %%
def multi_head_attention(x, W_qkv, b_qkv, W_out, b_out, heads, mask):
    B, T, D = x.shape
    q, k, v = (x @ W_qkv.T + b_qkv).chunk(3, dim=-1)  # each (B, T, D)
    q, k, v = (part.view(B, T, heads, D // heads).transpose(1, 2) for part in (q, k, v))  # (B, H, T, d)
    mixed, _ = attention(q, k, v, mask)  # (B, H, T, d)
    side_by_side = mixed.transpose(1, 2).reshape(B, T, D)
    return side_by_side @ W_out.T + b_out


theirs = nn.MultiheadAttention(embed_dim=16, num_heads=4, batch_first=True)
parts = theirs.in_proj_weight, theirs.in_proj_bias, theirs.out_proj.weight, theirs.out_proj.bias
expected, _ = theirs(x, x, x, attn_mask=~causal, need_weights=False)  # PyTorch's mask is True where forbidden
assert torch.allclose(multi_head_attention(x, *parts, heads=4, mask=causal), expected, atol=1e-6)
print("equal to nn.MultiheadAttention:", tuple(expected.shape))

# %% [markdown] lang="en"
# The mask of `nn.MultiheadAttention` has the opposite meaning: True is forbidden. That is a trap which raises no error.
#
# ### Exercise 05.6: Into heads (★★☆, 8 minutes)
#
# Most errors with heads are errors of `view`: the shape is right and the numbers are in the wrong place. Write the cut:
# (B, T, D) becomes (B, H, T, D/H), where head $h$ gets features $h \cdot D/H$ to $(h + 1) \cdot D/H - 1$ of **its own token**.

# %% [markdown] lang="zh"
# 注意 `nn.MultiheadAttention` 的掩码含义相反：True 表示禁止。这个陷阱不会报错。
#
# ### 练习 05.6：切成多个头（★★☆，8 分钟）
#
# 多头的错误大多出在 `view` 上：形状对了，数却放错了地方。请写出切分：把 (B, T, D) 变成 (B, H, T, D/H)，其中第 $h$ 个头得到**同一个词元**的第 $h \cdot D/H$ 到 $(h + 1) \cdot D/H - 1$ 个特征。


# %% exercise="05.6"
def split_heads(x, heads):
    """x (B, T, D) -> (B, heads, T, D / heads)."""
    ### BEGIN SOLUTION
    B, T, D = x.shape
    return x.reshape(B, T, heads, D // heads).transpose(1, 2)
    ### END SOLUTION


# %%
check("05.6", split_heads)
# hint("05.6")
# solution("05.6")

# %% [markdown] lang="en"
# ## 7. Positions
#
# An RNN knows the order, because it reads in order. Does attention? Shuffle the tokens without a mask, and compare.

# %% [markdown] lang="zh"
# ## 7. 位置编码
#
# RNN 按顺序读，自然知道先后。注意力呢？不加掩码，把词元打乱，比较一下。

# %%
shuffle = torch.tensor([3, 0, 4, 1, 2])
everyone = torch.ones(5, 5, dtype=torch.bool)
plain = multi_head_attention(x, *parts, heads=4, mask=everyone)
of_shuffled = multi_head_attention(x[:, shuffle], *parts, heads=4, mask=everyone)
assert torch.allclose(of_shuffled, plain[:, shuffle], atol=1e-6)
print("shuffled input, the same outputs in the new order: yes")

# %% [markdown] lang="en"
# To attention a sentence **is** a bag of words: "the dog sees the cat" and "the cat sees the dog" give the word "dog" the same
# vector. The position must be put in. Early models added a vector for each position to the input. Most large models of today
# *rotate* queries and keys (Su et al. 2021): at position $m$, the pair of features $(x_1, x_2)$ is turned by the angle $m\theta$:
#
# $$R_m = \begin{pmatrix} \cos m\theta & -\sin m\theta \\ \sin m\theta & \cos m\theta \end{pmatrix},
#   \qquad (R_m q) \cdot (R_n k) = q \cdot (R_{n - m}\, k)$$
#
# Only the distance $n - m$ is left in the product. **By hand**, with $q = k = (1, 0)$, $\theta = 0.5$, $m = 3$, $n = 1$: the
# angle between them is $2 \cdot 0.5 = 1$, and $\cos 1 = 0.5403$. The same must come out for positions 103 and 101.

# %% [markdown] lang="zh"
# 对注意力来说，句子**就是**一袋词：“狗看见猫”和“猫看见狗”里，“狗”得到的向量一模一样。位置信息必须另外加进去。早期的模型给每个位置一个向量，加到输入上。如今的大模型大多改为*旋转*查询和键（RoPE，苏剑林等，2021）：在位置 $m$，把一对特征 $(x_1, x_2)$ 转过角度 $m\theta$：
#
# $$R_m = \begin{pmatrix} \cos m\theta & -\sin m\theta \\ \sin m\theta & \cos m\theta \end{pmatrix},
#   \qquad (R_m q) \cdot (R_n k) = q \cdot (R_{n - m}\, k)$$
#
# 内积里只剩下距离 $n - m$。**手算**：$q = k = (1, 0)$，$\theta = 0.5$，$m = 3$，$n = 1$，两者夹角是 $2 \times 0.5 = 1$，$\cos 1 = 0.5403$。位置换成 103 和 101，结果应当相同。


# %%
def turn(x, position, theta=0.5):
    c, s = math.cos(position * theta), math.sin(position * theta)
    return torch.stack([x[0] * c - x[1] * s, x[0] * s + x[1] * c])


unit = torch.tensor([1.0, 0.0], dtype=torch.float64)
for m, n in ((3, 1), (103, 101), (3, 2)):
    print(f"positions {m:3} and {n:3}: product {(turn(unit, m) @ turn(unit, n)).item():.4f}")

# %% [markdown] lang="en"
# A head of width $d$ has $d/2$ such pairs, and each turns at its own speed $\theta_i = 10000^{-2i/d}$: the first by one radian a
# token, the last hardly at all. Fast pairs tell neighbours apart, slow ones tell far from near. Qwen3, and with it labkit,
# pairs feature $i$ with feature $i + d/2$. Look whether our function equals labkit's, and whether a shift of all positions
# changes the scores.

# %% [markdown] lang="zh"
# 宽为 $d$ 的头有 $d/2$ 对特征，每对以自己的速度 $\theta_i = 10000^{-2i/d}$ 旋转：第一对每个词元转一弧度，最后一对几乎不动。转得快的分辨相邻位置，转得慢的分辨远近。Qwen3（labkit 也一样）把特征 $i$ 与特征 $i + d/2$ 配成一对。看看我们的函数是否与 labkit 的相等，以及所有位置整体平移时得分变不变。


# %%
def rotate(x, positions):
    """x (..., T, d), positions (T,) -> x with feature i and i + d/2 turned by position * 10000^(-2i/d)."""
    half = x.shape[-1] // 2
    speeds = 10_000.0 ** (-torch.arange(half) / half)  # (d/2,)
    angles = positions[:, None] * speeds  # (T, d/2)
    first, second = x[..., :half], x[..., half:]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


generator = torch.Generator().manual_seed(4)
q, k = torch.randn(2, 4, 12, 16, generator=generator)  # each (H, T, d)
here, there = torch.arange(12), torch.arange(12) + 200
scores = rotate(q, here) @ rotate(k, here).transpose(-2, -1)
shifted = rotate(q, there) @ rotate(k, there).transpose(-2, -1)
assert torch.allclose(scores, shifted, atol=1e-4)  # float32 angles near 200 are exact to about 1e-5

cos, sin = gpt.rotary_tables(gpt.GPTConfig(vocab_size=1, hidden_size=64, num_heads=4))
from_labkit = gpt.rotate(q.transpose(0, 1), cos[:12], sin[:12])  # labkit: (T, H, d)
assert torch.allclose(rotate(q, here), from_labkit.transpose(0, 1), atol=1e-6)
print("equal to labkit's; scores at positions 0-11 and 200-211 are equal:", tuple(scores.shape))

# %% [markdown] lang="en"
# Only distances count. Move a key away from a query that is equal to it, and their product falls with the distance, in
# waves. How far does a head see that way? The figure shows the mean of $\cos(m \theta_i)$ over the pairs, the product of two equal vectors at distance $m$.

# %% [markdown] lang="zh"
# 只有距离起作用。把一个键从与它相等的查询旁边逐渐移远，内积会随距离增大而波动下降。这样一个头能看多远？图中是各对特征 $\cos(m \theta_i)$ 的平均值，即两个相同的向量相距 $m$ 时的内积。

# %%
distance = np.arange(0, 200)
curves = {}
for d in (16, 64, 256):
    speeds = 10_000.0 ** (-np.arange(d // 2) / (d // 2))
    curves[f"d = {d}"] = np.cos(distance[:, None] * speeds).mean(axis=1)
ax = plots.lines(distance, curves, xlabel="distance (tokens)", ylabel="product of equal vectors")
plots.show(
    ax,
    alt="From 1 all curves fall, first quickly and then slowly, in waves; the wider the head, the smoother.",
)
print(
    *(f"{name}: {c[1]:.2f} at 1, {c[10]:.2f} at 10, {c[100]:.2f} at 100" for name, c in curves.items()),
    sep="\n",
)

# %% [markdown] lang="en"
# The curves of the figure fall, but not to 0: the slow pairs hardly turn, so that about half of the product is left at 100 tokens.
#
# ### Exercise 05.7: Rotary positions in adjacent pairs (★★★, 12 minutes)
#
# The paper pairs neighbours: features 0 and 1, 2 and 3, and so on. Write this form: pair $i$, that is features $2i$ and
# $2i + 1$, turns by $m \cdot \mathrm{base}^{-2i/d}$, counter-clockwise. (Weights trained with one pairing give nonsense with the
# other, without any error: this happens when checkpoints are converted.)

# %% [markdown] lang="zh"
# 图中的曲线下降，却没有降到 0：慢的那些对几乎没转，所以相距 100 个词元时，内积还剩一半左右。
#
# ### 练习 05.7：相邻配对的旋转位置编码（★★★，12 分钟）
#
# 论文里是相邻特征配对：0 和 1、2 和 3，依次类推。请写出这种形式：第 $i$ 对（特征 $2i$ 和 $2i + 1$）逆时针转过 $m \cdot \mathrm{base}^{-2i/d}$。（用一种配对训练的权重，换成另一种就全乱了，而且不会报错；转换模型检查点时常出这种事。）


# %% exercise="05.7"
def rotary(x, positions, base=10_000.0):
    """x (T, d), positions (T,) -> (T, d), pairs (2i, 2i + 1) turned by position * base^(-2i/d)."""
    ### BEGIN SOLUTION
    d = x.shape[-1]
    angles = positions[:, None] * base ** (-torch.arange(0, d, 2) / d)  # (T, d/2)
    even, odd = x[:, 0::2], x[:, 1::2]
    turned = torch.empty_like(x)
    turned[:, 0::2] = even * angles.cos() - odd * angles.sin()
    turned[:, 1::2] = even * angles.sin() + odd * angles.cos()
    return turned
    ### END SOLUTION


# %%
check("05.7", rotary)
# hint("05.7")
# solution("05.7")

# %% [markdown] lang="en"
# ## 8. The Transformer block
#
# Attention moves information **between** tokens. A feed-forward layer then works on **each** token alone. Around both stand two
# simple things that make depth possible: a norm before, and a residual connection around.
#
# $$x \leftarrow x + \mathrm{attention}(\mathrm{norm}(x)), \qquad x \leftarrow x + \mathrm{feedforward}(\mathrm{norm}(x))$$
#
# The norm of today is RMSNorm, the feed-forward layer SwiGLU, with three matrices:
#
# $$\mathrm{norm}(x) = \frac{x}{\sqrt{\tfrac{1}{D} \sum_i x_i^2 + \varepsilon}} \odot w, \qquad
#   \mathrm{feedforward}(x) = W_3\,\big(\mathrm{silu}(W_1 x) \odot W_2 x\big)$$
#
# **By hand:** $x = (3, 4)$ has the mean square $(9 + 16)/2 = 12.5$ and its root is 3.5355, so $\mathrm{norm}(x) = (0.8485, 1.1314)$.

# %% [markdown] lang="zh"
# ## 8. Transformer 块
#
# 注意力在词元**之间**传递信息，随后前馈层对**每个**词元单独加工。两者还各配有两样简单的东西，深层网络全靠它们：前面的归一化，以及绕过去的*残差连接*。
#
# $$x \leftarrow x + \mathrm{attention}(\mathrm{norm}(x)), \qquad x \leftarrow x + \mathrm{feedforward}(\mathrm{norm}(x))$$
#
# 现在常用的归一化是 RMSNorm，前馈层是含三个矩阵的 SwiGLU：
#
# $$\mathrm{norm}(x) = \frac{x}{\sqrt{\tfrac{1}{D} \sum_i x_i^2 + \varepsilon}} \odot w, \qquad
#   \mathrm{feedforward}(x) = W_3\,\big(\mathrm{silu}(W_1 x) \odot W_2 x\big)$$
#
# **手算**：$x = (3, 4)$ 的均方是 $(9 + 16)/2 = 12.5$，开方得 3.5355，所以 $\mathrm{norm}(x) = (0.8485, 1.1314)$。


# %%
def norm(x, weight, eps=1e-6):
    return x / torch.sqrt((x**2).mean(dim=-1, keepdim=True) + eps) * weight


def feed_forward(x, w):
    gate = F.silu(x @ w["mlp.gate_proj.weight"].T)  # (B, T, wider than D)
    return (gate * (x @ w["mlp.up_proj.weight"].T)) @ w["mlp.down_proj.weight"].T


print("norm of (3, 4):", [f"{value:.4f}" for value in norm(torch.tensor([3.0, 4.0]), torch.ones(2))])

# %% [markdown] lang="en"
# The self-attention of Qwen3, which labkit's GPT follows, adds two refinements. Queries and keys are normed before they are
# turned, so that no score can grow without bound. And there are fewer heads of keys and values than of queries: groups of
# queries share them (*grouped-query attention*), which makes the memory of a writing model smaller. All of it in nine lines:

# %% [markdown] lang="zh"
# labkit 的 GPT 沿用 Qwen3 的自注意力，它还有两处改进：查询和键在旋转之前先归一化，得分就不会无限变大；键和值的头数比查询少，几个查询头共用一组（*分组查询注意力*），模型生成文本时占的内存更小。全部内容只有九行：


# %%
def self_attention(x, w, heads, kv_heads):
    B, T, _ = x.shape
    q, k, v = (x @ w[f"self_attn.{name}_proj.weight"].T for name in "qkv")
    q = q.view(B, T, heads, -1).transpose(1, 2)  # (B, H, T, d)
    k, v = (part.view(B, T, kv_heads, -1).transpose(1, 2) for part in (k, v))
    q = rotate(norm(q, w["self_attn.q_norm.weight"]), torch.arange(T))
    k = rotate(norm(k, w["self_attn.k_norm.weight"]), torch.arange(T))
    k, v = (part.repeat_interleave(heads // kv_heads, dim=1) for part in (k, v))  # shared by a group
    mixed, _ = attention(q, k, v, torch.ones(T, T, dtype=torch.bool).tril())
    return mixed.transpose(1, 2).reshape(B, T, -1) @ w["self_attn.o_proj.weight"].T


def block_by_hand(x, w, heads, kv_heads):
    x = x + self_attention(norm(x, w["input_layernorm.weight"]), w, heads, kv_heads)
    return x + feed_forward(norm(x, w["post_attention_layernorm.weight"]), w)


# %% [markdown] lang="en"
# Does it equal `labkit.text.gpt.Block`, with the same weights? And where do the parameters sit: in attention, or in the
# feed-forward layer?

# %% [markdown] lang="zh"
# 权重相同时，它与 `labkit.text.gpt.Block` 相等吗？参数主要在哪里：注意力，还是前馈层？

# %%
set_seed(lab.seed)
shape = gpt.GPTConfig(vocab_size=100, hidden_size=64, num_layers=24, num_heads=4, num_kv_heads=2)
deep = gpt.GPT(shape)
block, weights = deep.layers[0], dict(deep.layers[0].named_parameters())
x = torch.randn(3, 16, 64)
expected = block(x, deep.cos[:16], deep.sin[:16], mask=None, cache=None)
assert torch.allclose(block_by_hand(x, weights, heads=4, kv_heads=2), expected, atol=1e-5)

sizes = Counter()
for name, weight in weights.items():
    sizes[name.split(".")[0]] += weight.numel()
print("equal to labkit's block; parameters:", dict(sizes))

# %% [markdown] lang="en"
# The feed-forward layer holds most of them. Lessons 06 and 08 use `labkit.text.gpt` from here on.
#
# ### Why residual connections?
#
# Take 24 fresh blocks, with and without the "$x +$". **Predict:** what becomes of 16 different tokens after 24 blocks without
# residual connections? Measured is the mean cosine between the vectors of different tokens (1: all alike), and the gradient of
# the output by the input.

# %% [markdown] lang="zh"
# 大部分参数在前馈层。从这里往后，第 06、08 课都直接用 `labkit.text.gpt`。
#
# ### 为什么需要残差连接？
#
# 取 24 个刚初始化的块，比较有没有“$x +$”。**先预测**：没有残差连接，16 个不同的词元经过 24 个块之后会变成什么样？测两样：不同词元的向量之间的平均余弦（1 表示全都一样），以及输出对输入的梯度。


# %%
def alike_and_gradient(residual):
    """After each of the 24 blocks: mean cosine between tokens, norm of the gradient by the input."""
    generator = torch.Generator().manual_seed(lab.seed)
    x = torch.randn(4, 16, 64, generator=generator, requires_grad=True)
    direction = torch.randn(x.shape, generator=generator)
    cos, sin, h, rows = deep.cos[:16], deep.sin[:16], x, []
    for block in deep.layers:
        h = residual * h + block.self_attn(block.input_layernorm(h), cos, sin, None, None)
        h = residual * h + block.mlp(block.post_attention_layernorm(h))
        (gradient,) = torch.autograd.grad((h * direction).sum(), x, retain_graph=True)
        cosines = F.cosine_similarity(h[:, :, None], h[:, None], dim=-1)  # (B, T, T)
        others = cosines.sum(dim=(1, 2)).mean() - 16  # without the diagonal
        rows.append(((others / (16 * 15)).item(), (gradient.norm() / direction.norm()).item()))
    return np.array(rows)


# %%
with_residual, without = alike_and_gradient(1.0), alike_and_gradient(0.0)
depth = range(1, 25)
ax = plots.lines(
    depth, {"with residual": with_residual[:, 0], "without": without[:, 0]},
    xlabel="blocks", ylabel="mean cosine between tokens",
)  # fmt: skip
plots.show(
    ax,
    alt="Without residual connections the cosine rises to 1 within about 15 blocks; with them it stays low.",
)
for name, rows in {"with residual": with_residual, "without": without}.items():
    print(f"{name:14} cosine after 24 blocks {rows[-1, 0]:.2f}, gradient {rows[-1, 1]:.1e}")

# %% [markdown] lang="en"
# Without residual connections all tokens become the same vector: each block averages over tokens, and nothing keeps the
# differences (Dong et al. 2021). The gradient by the input is not usable either. With them, both stay in order over all 24 blocks:
# here is again a sum that lets the old state pass unchanged, as in the LSTM's cell.
#
# ## 9. What does a head look at?
#
# The weights of attention can be looked at: a row for each query, a column for each key. Here is the GPT that comes with the
# course: four layers of four heads, trained on the town's texts (`labkit train town-gpt`); lesson 08 is about it. It is
# loaded, not trained. **Predict first:** in "Clara Stone has a cat called Snowball. She lives in ..." where should a head
# look from "She"? And from any token, if it only wants to know which token came just before?

# %% [markdown] lang="zh"
# 没有残差连接，所有词元都变成同一个向量：每个块都在词元之间做平均，没有什么来保住差异（Dong 等，2021）。对输入的梯度也不能用了。有了残差连接，24 个块下来，两者都正常：这里又是一个让旧状态原样通过的加法，与 LSTM 的细胞状态如出一辙。
#
# ## 9. 一个头在看什么？
#
# 注意力的权重可以直接看：每行是一个查询，每列是一个键。这里用课程自带的 GPT：四层，每层四个头，在小镇的文本上训练而成（`labkit train town-gpt`），第 08 课专门讲它。这里只加载，不训练。**先预测**：在“Clara Stone has a cat called Snowball. She lives in ...”里，一个头从“She”应当看向哪里？如果只想知道前一个词元是什么，那么从任意一个词元出发，又该看哪里？

# %%
model, tokenizer = shipped.load_town_gpt()
c = model.config
print(
    f"{c.num_layers} layers of {c.num_heads} heads, {model.num_parameters():,} parameters, {tokenizer.vocab_size} tokens"
)

# %% [markdown] lang="en"
# Its weights on one sentence. The printed shares are those of the best head for each of the two questions.

# %% [markdown] lang="zh"
# 看它在一个句子上的权重。打印出来的两个比例，分别取自最擅长回答这两个问题的头。


# %%
@torch.no_grad()
def maps_of(text):
    """The tokens of a text, and the weights of all heads (layers, H, T, T)."""
    token_ids = tokenizer.encode(text)
    maps = gpt.attention_maps(model, torch.tensor([token_ids]))  # a (1, H, T, T) for each layer
    return [tokenizer.token_text(i) for i in token_ids], torch.cat(maps)


# %% tags=["nbval-ignore-output"]
sentence = "Clara Stone has a cat called Snowball. She lives in Market Square."
tokens, weights = maps_of(sentence)
T = len(tokens)
to_previous = weights.diagonal(-1, dim1=2, dim2=3).mean(dim=-1)  # (layers, H)
layer, head = divmod(int(to_previous.argmax()), weights.shape[1])
even = np.mean([1 / (t + 1) for t in range(1, T)])
print(f"on the token before: {to_previous.max():.2f} (layer {layer}, head {head}); even weights: {even:.2f}")

she = next(i for i, token in enumerate(tokens) if "She" in token)
name = next(i for i, token in enumerate(tokens) if "has" in token)  # the tokens before "has"
to_name = weights[:, :, she, :name].sum(dim=-1).max()
print(f"from 'She' to the name: {to_name:.2f}; even weights: {name / (she + 1):.2f}")

ax = plots.attention_map(weights[layer, head], tokens, title=f"layer {layer}, head {head}")
plots.show(ax, alt="A lower triangle of weights; much of the weight lies just left of the diagonal.")

# %% [markdown] lang="en"
# The first head works with position: it prefers the token just before, whatever this is. For the second question compare the share
# with even weights, before you believe in a head. In the panel choose a layer and a head, and write another sentence of the town.

# %% [markdown] lang="zh"
# 第一个头靠的是位置：它偏爱紧挨着的前一个词元，不管那是什么。至于第二个问题，先与均匀权重（even weights）比一比，再决定信不信真有这样的头。在交互面板里选一层和一个头，再写一句关于小镇的话试试。


# %% tags=["nbval-ignore-output"]
def draw(text, layer, head):
    tokens, weights = maps_of(text)
    row = weights[layer, head, -1]
    best = int(row.argmax())
    ax = plots.attention_map(weights[layer, head], tokens, title=f"layer {layer}, head {head}")
    return ax, f"the last token looks most at '{tokens[best]}' (number {best}): {row[best]:.2f}"


widgets.explorer(
    draw, text=sentence, layer=(0, len(weights) - 1, 1, layer), head=(0, weights.shape[1] - 1, 1, head)
)

# %% [markdown] lang="en"
# Two warnings. The weights say where a head looks, not what the model does with it: many heads and layers stand between a weight
# and the output. And a head that looks at the first token often means "nothing to do here": the weights must sum to 1, so they have to go somewhere.

# %% [markdown] lang="zh"
# 有两点要提醒。权重只说明一个头看向哪里，不说明模型拿它做了什么：从一个权重到输出，中间隔着许多头和许多层。另外，一个头盯着第一个词元，往往只表示“这里没事可做”：权重之和必须为 1，总得有个去处。

# %% [markdown] lang="en"
# ## 10. What does memory cost? A measurement
#
# Who remembers better? The task is a look-up: eight pairs (a person, a thing that the person sells), then one of the eight
# persons again. Which thing? The pairs are new each time, so nothing can be learned by heart; they must be read, kept, and found.
#
# ```
# Anna bread | Tom milk | Lin tea | ... | Tom ?   ->  milk
# ```
#
# There are 16 persons and 16 things. Two baselines need no learning: guess among all things (1/16), and say a thing that was
# shown, the most frequent one. Look at the second: it must be beaten.

# %% [markdown] lang="zh"
# ## 10. 记忆的代价：一次测量
#
# 谁的记性更好？任务是查找：先给出八对信息（一个人，和他卖的一样东西），再给出八人之一，问他卖什么。每次的配对都是新的，背不下来，只能读进去、记住、找出来。
#
# ```
# Anna bread | Tom milk | Lin tea | ... | Tom ?   ->  milk
# ```
#
# 一共 16 个人、16 样东西。两个基线不需要学习：在所有东西里瞎猜（1/16）；在出现过的东西里选出现最多的一样。看第二个：模型必须超过它。


# %%
def recall_batch(generator, batch_size, pairs=8, kinds=16):
    """Persons and things (B, pairs + 1): the last thing is a question mark (number 16); answers (B,)."""
    persons = torch.rand(batch_size, kinds, generator=generator).argsort(dim=1)[:, :pairs]
    things = torch.randint(kinds, (batch_size, pairs), generator=generator)
    asked = torch.randint(pairs, (batch_size, 1), generator=generator)
    question_mark = torch.full((batch_size, 1), kinds)
    inputs = torch.cat([persons, persons.gather(1, asked)], 1), torch.cat([things, question_mark], 1)
    return inputs, things.gather(1, asked)[:, 0]


(test_persons, test_things), test_answers = recall_batch(torch.Generator().manual_seed(99), 4000)
frequent = F.one_hot(test_things[:, :-1], 16).sum(dim=1).argmax(dim=1)  # the lowest number among equals
shown_baseline = metrics.accuracy(frequent, test_answers)
print(f"guess: {1 / 16:.3f}   the most frequent thing shown: {shown_baseline:.3f}")

# %% [markdown] lang="en"
# Three models of the same width read the sum of a person's and a thing's embedding at each step. Two are recurrent, the third is
# a single head of attention whose query is the last position. All get the same batches and the same number of steps.

# %% [markdown] lang="zh"
# 三个模型宽度相同，每一步读入人的嵌入与物的嵌入之和。两个是循环网络；第三个只有一个注意力头，查询是最后一个位置。三者用同样的批次，训练同样的步数。


# %%
class Recall(nn.Module):
    def __init__(self, kind, width=64):
        super().__init__()
        self.person, self.thing = nn.Embedding(16, width), nn.Embedding(17, width)
        self.kind, self.answer = kind, nn.Linear(width, 16)
        if kind == "attention":
            self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        else:
            self.reader = {"RNN": nn.RNN, "LSTM": nn.LSTM}[kind](width, width, batch_first=True)

    def forward(self, persons, things):
        x = self.person(persons) + self.thing(things)  # (B, T, D)
        if self.kind == "attention":
            return self.answer(attention(self.q(x[:, -1:]), self.k(x), self.v(x))[0][:, 0])
        return self.answer(self.reader(x)[0][:, -1])


# %%
STEPS, EVERY = lab.pick((20, 10), (500, 50), (4000, 200))


def learn_to_recall(kind, seed):
    """Test accuracy along the training."""
    set_seed(seed)
    model, generator = Recall(kind), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    curve = []
    for step in range(1, STEPS + 1):
        inputs, answers = recall_batch(generator, 128)
        loss = F.cross_entropy(model(*inputs), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % EVERY == 0:
            with torch.no_grad():
                curve.append(metrics.accuracy(model(test_persons, test_things), test_answers))
    return curve


# %% tags=["nbval-ignore-output"]
seeds = [lab.seed + i for i in range(lab.pick(2, 3, 5))]
curves = {kind: np.array([learn_to_recall(kind, s) for s in seeds]) for kind in ("RNN", "LSTM", "attention")}
steps = range(EVERY, STEPS + 1, EVERY)
ax = plots.lines(
    steps, {kind: c.mean(axis=0) for kind, c in curves.items()}, xlabel="step", ylabel="test accuracy"
)
ax.axhline(shown_baseline, color="black", linewidth=0.7)
plots.show(
    ax,
    alt="Attention is at 1 from the first point on, the LSTM rises slowly, the RNN stays under the baseline.",
)
for kind, curve in curves.items():
    print(
        f"{kind:9} accuracy {curve[:, -1].mean():.3f}   parameters {sum(p.numel() for p in Recall(kind).parameters())}"
    )
assert MODE == "smoke" or curves["attention"][:, -1].min() > 0.95 > curves["LSTM"][:, -1].max()

# %% [markdown] lang="en"
# The thin line is the baseline. The recurrent networks must squeeze eight pairs into one state of 64 numbers before they know
# the question. In class mode attention needs fewer than 50 steps, the RNN does not even reach
# the baseline, and the LSTM is slow to learn the task. Attention keeps everything and looks
# it up, and it has no long way for the gradient. The price: it keeps $T$ keys and values where an RNN keeps one state, and
# computes $T^2$ products. For this task it also has its form on its side: look-up is what attention does.
#
# ## 11. Break it
#
# A colleague shows you a small language model of letters. It learned on a part of the town's texts and is judged on texts that
# it did not see. The colleague is proud: after 200 steps it is far better than anything before. Read the code, look at the
# numbers. What do you say?

# %% [markdown] lang="zh"
# 细线是基线。循环网络在知道问题之前，就得把八对信息塞进一个 64 维的状态。在 `class` 模式下，注意力不到 50 步就学会了，RNN 连基线都没达到，LSTM 学得很慢。注意力把一切都留着，用时再查，梯度也没有长路要走。代价是：RNN 只存一个状态，注意力要存 $T$ 个键和值，还要算 $T^2$ 个内积。而且这个任务本就对它有利：查找正是注意力的本行。
#
# ## 11. 找出故障
#
# 一位同事给你看一个字符级的小语言模型。它在小镇的一部分文本上学习，用没见过的文本评估。同事很得意：才训练 200 步，就远远好过以前所有的模型。请读代码，看数字。你怎么说？


# %%
class Reader(nn.Module):
    def __init__(self, vocabulary, width=64, heads=4, length=32):
        super().__init__()
        self.embed, self.position = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, heads, batch_first=True)
        self.think = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 256), nn.GELU(), nn.Linear(256, width)
        )
        self.head = nn.Linear(width, vocabulary)
        self.first_forbidden = 2

    def forward(self, tokens):
        T = tokens.shape[1]
        x = self.embed(tokens) + self.position.weight[:T]
        y = self.norm(x)
        future = torch.ones(T, T, dtype=torch.bool).triu(self.first_forbidden)  # True is forbidden
        x = x + self.attend(y, y, y, attn_mask=future, need_weights=False)[0]
        return self.head(x + self.think(x))


# %%
def windows(ids, generator, count=32, length=32):
    starts = torch.randint(len(ids) - length - 1, (count, 1), generator=generator)
    cut = ids[starts + torch.arange(length + 1)]  # (B, T + 1)
    return cut[:, :-1], cut[:, 1:]


def train_reader(reader, ids, held_out):
    """Losses in nats per token: the last batch, and texts that training never saw."""
    generator = torch.Generator().manual_seed(lab.seed)
    optimizer = torch.optim.Adam(reader.parameters(), lr=0.003)
    for _ in range(lab.pick(20, 200, 1000)):
        inputs, targets = windows(ids, generator)
        loss = F.cross_entropy(reader(inputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    inputs, targets = windows(held_out, torch.Generator().manual_seed(1), count=500)
    with torch.no_grad():
        return loss.item(), F.cross_entropy(reader(inputs).flatten(0, 1), targets.flatten()).item()


# %% tags=["nbval-ignore-output"]
letters = sorted(set("".join(texts)))
ids = torch.tensor([letters.index(c) for c in "".join(texts)[:300_000]])
ids, held_out = ids[:-30_000], ids[-30_000:]

set_seed(lab.seed)
reader = Reader(len(letters))
training, unseen = train_reader(reader, ids, held_out)
frequency = torch.bincount(ids, minlength=len(letters)) / len(ids)
entropy = -(frequency * frequency.clamp(min=1e-9).log()).sum()
print(
    f"guessing by frequency {entropy:.3f} nats, the colleague's model {training:.3f}, on unseen texts {unseen:.3f}"
)
print(f"the next letter gets a probability of about {math.exp(-unseen):.2f}")

# %% [markdown] lang="en"
# The held-out loss is as low as the training loss, so it is not learning by heart. But the model is sure of nearly **every** next
# letter. Among these are letters that nobody can know, such as the first one of the next person's name. A figure that is too good is a finding too.
# **Before you read on:** how could you test it, without reading one line of code?
#
# One way is a text in which nothing can be predicted: throws of a die with 16 faces. No honest model gets below $\ln 16$.

# %% [markdown] lang="zh"
# 没见过的文本上损失一样低，所以不是死记硬背。可是模型对几乎**每一个**下一个字母都有把握，而其中总有谁也不可能知道的，例如下一个人名的首字母。好得过分的数字，本身就是一条线索。**往下读之前**：一行代码都不看，你怎么检验它？
#
# 一个办法是找一种根本无法预测的文本：掷一个 16 面的骰子。任何诚实的模型，损失都不会低于 $\ln 16$。

# %% tags=["nbval-ignore-output"]
dice = torch.randint(16, (100_000,), generator=torch.Generator().manual_seed(lab.seed))
set_seed(lab.seed)
_, on_dice = train_reader(Reader(16), dice[:90_000], dice[90_000:])
print(
    f"loss on unseen throws of the die: {on_dice:.3f}; the lowest that is possible: ln 16 = {math.log(16):.3f}"
)
assert MODE == "smoke" or on_dice < 1.0

# %% [markdown] lang="en"
# It predicts a die: it **sees** the next throw. The other way is the test of section 6: change one token, and see which outputs
# move. An output before that token must not.

# %% [markdown] lang="zh"
# 它连骰子都能预测，说明它**看见**了下一次掷出的点数。另一个办法是第 6 节的检验：改动一个词元，看哪些输出变了。这个词元之前的输出一个都不该变。


# %%
def first_output_that_moves(model, position=10):
    inputs, _ = windows(held_out, torch.Generator().manual_seed(2), count=1)
    other = inputs.clone()
    other[0, position] = (other[0, position] + 1) % len(letters)
    with torch.no_grad():
        moved = (model(inputs) - model(other)).abs().amax(dim=-1)[0] > 0
    return int(moved.nonzero()[0])


print("token 10 changed; the first output that moves is number", first_output_that_moves(reader))

# %% tags=["nbval-ignore-output"]
inputs, targets = windows(held_out, torch.Generator().manual_seed(1), count=500)
with torch.no_grad():
    losses = F.cross_entropy(reader(inputs).transpose(1, 2), targets, reduction="none").mean(dim=0)  # (T,)
print(f"mean loss of the outputs 0 to 30: {losses[:-1].mean():.3f}, of the last output, 31: {losses[-1]:.3f}")

# %% [markdown] lang="en"
# Output 9 moves when token 10 changes, and token 10 is just what output 9 should predict. The fault is one digit:
# `first_forbidden = 2`. The diagonal of `triu` counts from 0, and position $t$ must not see $t + 1$: the first forbidden diagonal
# is number **1**. The second cell shows it by position: nearly the whole loss comes from the last output, after which there is
# nothing to look at. So it would be when the model *writes*: there is no next letter yet. What is the model worth when it is mended?

# %% [markdown] lang="zh"
# 改动第 10 个词元，第 9 个输出就变了，而第 9 个输出要预测的正是第 10 个词元。错误只在一个数字：`first_forbidden = 2`。`triu` 的对角线从 0 数起，位置 $t$ 不许看 $t + 1$，所以第一条禁止的对角线是 **1** 号。第二个单元格按位置来看：损失几乎全部来自最后一个输出，因为它后面已经没有东西可看。模型*生成*文本时正是这样：下一个字母还不存在。改好之后，模型到底有几分本事？

# %% tags=["nbval-ignore-output"]
set_seed(lab.seed)
mended = Reader(len(letters))
mended.first_forbidden = 1
_, honest = train_reader(mended, ids, held_out)
print(f"unseen texts: {honest:.3f} nats, the faulty one {unseen:.3f}, guessing by frequency {entropy:.3f}")
print("token 10 changed; the first output that moves is number", first_output_that_moves(mended))

# %% [markdown] lang="en"
# An honest figure is less pretty, and it is a good one: well below guessing. Three habits find such a leak: know a floor that nobody
# can beat; change the future and watch the past; be more suspicious of a result that is too good than of one that is bad.
#
# ## 12. What was measured
#
# The figures of this lesson in one table: mean over the seeds, with the 95 % interval. *verdict* says *unclear* where the baseline
# lies inside the interval.

# %% [markdown] lang="zh"
# 诚实的数字没那么漂亮，却是个好成绩：明显好于按频率瞎猜。发现这类泄漏要靠三个习惯：知道谁也突破不了的下限；改动未来，看过去变不变；结果好得过分时，要比结果差时更警惕。
#
# ## 12. 测量结果
#
# 本课的测量结果汇总在一张表里：多个种子的平均值和 95% 置信区间。*verdict* 一列中的 *unclear* 表示基线落在区间之内，无法断定。

# %% tags=["nbval-ignore-output"]
tables = [(narrow, wide)] + [(trained_vectors(s, window=1), trained_vectors(s)) for s in seeds[1:]]
precision = [word_vectors.neighbour_precision(table, groups.values()) for table, _ in tables]
analogies = [word_vectors.analogy_accuracy(table, questions) for _, table in tables]


def measure(metric, ours, baseline, name, digits=3):
    mean, low, high = metrics.mean_interval(ours)
    return Measure(metric, mean, float(baseline), name, seeds=len(ours), interval=(low, high), digits=digits)


lstm_accuracy = curves["LSTM"][:, -1]
report(
    measure("recall of 8 pairs, attention", curves["attention"][:, -1], lstm_accuracy.mean(), "LSTM"),
    measure("recall of 8 pairs, LSTM", lstm_accuracy, shown_baseline, "most frequent shown"),
    measure("recall of 8 pairs, RNN", curves["RNN"][:, -1], shown_baseline, "most frequent shown"),
    measure(
        "neighbours in the group, narrow window",
        precision,
        word_vectors.neighbour_precision(chance, groups.values()),
        "random",
    ),
    measure("analogies, job to place, wide window", analogies, nearest_only(wide), "nearest neighbour"),
)

# %% [markdown] lang="en"
# ## Summary
#
# - Text becomes tokens. BPE joins the most frequent pair again and again. Begun with bytes, it never meets an unknown word.
# - An embedding is a table of vectors. Skip-gram with negative sampling makes words with like company neighbours; the window decides which
#   likeness. Judge vectors by counts over whole groups, beside random vectors.
# - An RNN rewrites its state at each step, and its gradient shrinks or grows by a factor at each step. The LSTM's cell is a sum with a
#   forget gate, which keeps the factor near 1 if the gate is open.
# - Attention is a soft look-up: softmax of scaled products, times values. The scaling keeps the variance at 1, the mask keeps the
#   future away, heads look for several things at once.
# - Attention alone does not know the order. Rotary positions turn queries and keys so that only distances count.
# - A block is norm, attention, norm, feed-forward, each added to what was there. Without the residual sum, depth makes all tokens alike.
# - Change the future and see whether the past moves: the test for any causal model.
#
# ## Further reading
#
# - R. Sennrich, B. Haddow, A. Birch (2016): Neural machine translation of rare words with subword units,
#   [arXiv:1508.07909](https://arxiv.org/abs/1508.07909). BPE for text.
# - T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean (2013): Distributed representations of words and phrases and their
#   compositionality, [arXiv:1310.4546](https://arxiv.org/abs/1310.4546). Negative sampling.
# - O. Levy, Y. Goldberg (2014): Neural word embedding as implicit matrix factorization, *NeurIPS*. What the products converge to;
#   labkit's test relies on it.
# - T. Linzen (2016): Issues in evaluating semantic spaces using word analogies,
#   [arXiv:1606.07736](https://arxiv.org/abs/1606.07736).
# - A. Caliskan, J. Bryson, A. Narayanan (2017): Semantics derived automatically from language corpora contain human-like biases.
#   *Science* 356, 183–186, [doi:10.1126/science.aal4230](https://doi.org/10.1126/science.aal4230).
# - S. Hochreiter, J. Schmidhuber (1997): Long short-term memory. *Neural Computation* 9(8), 1735–1780,
#   [doi:10.1162/neco.1997.9.8.1735](https://doi.org/10.1162/neco.1997.9.8.1735).
# - R. Pascanu, T. Mikolov, Y. Bengio (2013): On the difficulty of training recurrent neural networks,
#   [arXiv:1211.5063](https://arxiv.org/abs/1211.5063).
# - R. Jozefowicz, W. Zaremba, I. Sutskever (2015): An empirical exploration of recurrent network architectures. *ICML*, PMLR 37,
#   2342–2350. The forget bias of 1.
# - K. Cho and others (2014): Learning phrase representations using RNN encoder–decoder,
#   [arXiv:1406.1078](https://arxiv.org/abs/1406.1078). The GRU.
# - A. Vaswani and others (2017): Attention is all you need, [arXiv:1706.03762](https://arxiv.org/abs/1706.03762).
# - J. Su and others (2021): RoFormer: enhanced Transformer with rotary position embedding,
#   [arXiv:2104.09864](https://arxiv.org/abs/2104.09864).
# - B. Zhang, R. Sennrich (2019): Root mean square layer normalization, [arXiv:1910.07467](https://arxiv.org/abs/1910.07467).
# - N. Shazeer (2020): GLU variants improve Transformer, [arXiv:2002.05202](https://arxiv.org/abs/2002.05202). SwiGLU.
# - J. Ainslie and others (2023): GQA: training generalized multi-query Transformer models from multi-head checkpoints,
#   [arXiv:2305.13245](https://arxiv.org/abs/2305.13245). Grouped-query attention.
# - Y. Dong, J.-B. Cordonnier, A. Loukas (2021): Attention is not all you need: pure attention loses rank doubly exponentially with
#   depth, [arXiv:2103.03404](https://arxiv.org/abs/2103.03404).

# %% [markdown] lang="zh"
# ## 小结
#
# - 文本先切成词元。BPE 反复合并出现最多的词元对；从字节出发，就不会遇到未知词。
# - 嵌入是一张向量表。带负采样的 skip-gram 让“伴”相似的词成为近邻，窗口宽窄决定是哪一种相似。评价词向量要对整组词计数，并与随机向量对照。
# - RNN 每一步改写整个状态，梯度每往回一步就乘一个因子，不是缩小就是放大。LSTM 的细胞状态是带遗忘门的加法，门开着，因子就接近 1。
# - 注意力是“软”的查找：缩放后的内积做 softmax，再乘以值。缩放让方差保持为 1，掩码挡住未来，多头可以同时找几样东西。
# - 注意力本身不知道先后顺序。旋转位置编码转动查询和键，使得只有距离起作用。
# - 一个块就是：归一化、注意力、归一化、前馈层，每次都加回原来的值。没有残差连接，层数一深，所有词元就变得一样。
# - 改动未来，看过去变不变：任何因果模型都可以这样检验。
#
# ## 延伸阅读
#
# - R. Sennrich、B. Haddow、A. Birch（2016）：Neural machine translation of rare words with subword units，[arXiv:1508.07909](https://arxiv.org/abs/1508.07909)。把 BPE 用于文本。
# - T. Mikolov、I. Sutskever、K. Chen、G. Corrado、J. Dean（2013）：Distributed representations of words and phrases and their compositionality，[arXiv:1310.4546](https://arxiv.org/abs/1310.4546)。负采样的出处。
# - O. Levy、Y. Goldberg（2014）：Neural word embedding as implicit matrix factorization，*NeurIPS*。说明内积会收敛到什么，labkit 的测试就以它为据。
# - T. Linzen（2016）：Issues in evaluating semantic spaces using word analogies，[arXiv:1606.07736](https://arxiv.org/abs/1606.07736)。
# - A. Caliskan、J. Bryson、A. Narayanan（2017）：Semantics derived automatically from language corpora contain human-like biases。*Science* 356，183–186，[doi:10.1126/science.aal4230](https://doi.org/10.1126/science.aal4230)。
# - S. Hochreiter、J. Schmidhuber（1997）：Long short-term memory。*Neural Computation* 9(8)，1735–1780，[doi:10.1162/neco.1997.9.8.1735](https://doi.org/10.1162/neco.1997.9.8.1735)。
# - R. Pascanu、T. Mikolov、Y. Bengio（2013）：On the difficulty of training recurrent neural networks，[arXiv:1211.5063](https://arxiv.org/abs/1211.5063)。
# - R. Jozefowicz、W. Zaremba、I. Sutskever（2015）：An empirical exploration of recurrent network architectures。*ICML*，PMLR 37，2342–2350。遗忘门偏置取 1 的出处。
# - K. Cho 等（2014）：Learning phrase representations using RNN encoder–decoder，[arXiv:1406.1078](https://arxiv.org/abs/1406.1078)。GRU 的出处。
# - A. Vaswani 等（2017）：Attention is all you need，[arXiv:1706.03762](https://arxiv.org/abs/1706.03762)。
# - 苏剑林等（2021）：RoFormer: enhanced Transformer with rotary position embedding，[arXiv:2104.09864](https://arxiv.org/abs/2104.09864)。
# - B. Zhang、R. Sennrich（2019）：Root mean square layer normalization，[arXiv:1910.07467](https://arxiv.org/abs/1910.07467)。RMSNorm 的出处。
# - N. Shazeer（2020）：GLU variants improve Transformer，[arXiv:2002.05202](https://arxiv.org/abs/2002.05202)。SwiGLU 的出处。
# - J. Ainslie 等（2023）：GQA: training generalized multi-query Transformer models from multi-head checkpoints，[arXiv:2305.13245](https://arxiv.org/abs/2305.13245)。分组查询注意力的出处。
# - Y. Dong、J.-B. Cordonnier、A. Loukas（2021）：Attention is not all you need: pure attention loses rank doubly exponentially with depth，[arXiv:2103.03404](https://arxiv.org/abs/2103.03404)。
