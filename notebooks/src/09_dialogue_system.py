# ---
# jupyter:
#   labkit:
#     number: "09"
#     title_en: Dialogue system
#     title_zh: 对话系统
#     minutes: 130
# ---

# %% [markdown] lang="en"
# # 09 Dialogue system
#
# "And how old is she?" Nobody can answer that who has not listened before. In this lesson a network learns to hold a conversation about the small town and about nothing in
# particular: it reads the last turns, and writes the next one. It is measured against a program that only looks things up, which is harder to beat than it looks.
#
# **After this lesson you can**
#
# - say what a reply needs: the turns before, facts, and the courage to say "I do not know";
# - build an encoder, two kinds of attention and a decoder, and show that padding changes nothing;
# - train them by teacher forcing, and say why a number that was measured that way is not the bot's;
# - search for a reply with beams, and know when that helps;
# - measure replies by BLEU, chrF, right facts and variety, beside two baselines;
# - choose, on the right data, the threshold below which the bot keeps quiet.
#
# **Time:** about 130 minutes with the exercises. You can stop after section 5 and go on another day.
#
# **Before:** [05 Embeddings, sequences, attention](05_embeddings_sequences_attention.ipynb) (recurrent networks, attention) and
# [08 Text generation](08_text_generation.ipynb) (decoding, distinct-n).

# %% [markdown] lang="zh"
# # 09 对话系统
#
# “那她多大了？”前面没听的人，谁也答不上来。本课让一个网络学会对话：聊聊小镇，也随便闲聊。它读入最近几句话，写出下一句。与它比较的是一个只会查找的程序；别小看它，要赢它并不容易。
#
# **学完本课，你能够**：
#
# - 说清一句回复需要什么：前面说过的话、事实，以及承认“我不知道”的勇气；
# - 搭出编码器、两种注意力和解码器，并证明填充不影响结果；
# - 用教师强制（teacher forcing）训练，并说清为什么这样测出的数字不是机器人的真实水平；
# - 用束搜索找回复，知道它什么时候有用；
# - 用 BLEU、chrF、事实正确率和多样性评价回复，旁边放两个基线；
# - 在正确的数据上选阈值：把握低于它，就不回答。
#
# **时间**：约 130 分钟（含练习）。可以学完第 5 节先停下，改天继续。
#
# **预备知识**：[05 词向量、序列与注意力](05_embeddings_sequences_attention.ipynb)（循环网络、注意力）和 [08 文本生成](08_text_generation.ipynb)（解码、distinct-n）。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from labkit import common, metrics, plots
from labkit.checks import check, hint, solution
from labkit.common import start
from labkit.dialogue import chat, corpus, gpt_chat, pairs, seq2seq, shipped
from labkit.dialogue.baselines import MostCommonReply, Retrieval
from labkit.dialogue.console import console
from labkit.dialogue.measures import bleu_and_chrf, evaluate, is_right
from labkit.dialogue.talks import Dialogue, Exchange, load_dialogues, talks, turns_of
from labkit.results import Measure, report
from labkit.service import customers
from labkit.text.beams import beam_search
from labkit.text.shipped import load_town_gpt
from labkit.text.town.writer import world

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. A conversation
#
# The course comes with two trained chatbots, one for each language. Before each reply the bot reads the last exchanges. Look at the third question: whose age is asked for? And at the last: nobody
# of that name lives in the town.

# %% [markdown] lang="zh"
# ## 1. 先聊几句
#
# 课程附带两个训练好的聊天机器人，中英文各一个。每次回答之前，它会先读最近的几轮对话。请看第三个问题：问的是谁的年龄？再看最后一个：镇上没有这个人。

# %%
bots = {name: shipped.load_chatbot(name) for name in ("en", "zh")}


def converse(bot, questions):
    """Ask one after the other; each reply joins the history."""
    history = []
    for said in questions:
        history.append((said, bot.reply(said, history).text))
        print("> {}\n  {}".format(*history[-1]))


converse(
    bots["en"], ["Hello!", "Where does Clara Stone work?", "And how old is she?", "What does Bob Miller do?"]
)
converse(bots["zh"], ["你好！", "克拉拉·斯通在哪儿上班？", "她多大年纪？", "张伟是做什么的？"])

# %% [markdown] lang="en"
# Is that true? The town keeps books, and a reply about it can be checked. That is why we practise here: no program can look up so easily whether a sentence about the real world is true.

# %% [markdown] lang="zh"
# 说得对吗？小镇有自己的账本，关于小镇的回复可以逐条核对。我们在这里练习，就是因为这一点：真实世界里一句话对不对，程序可没这么容易查到。

# %%
for kind in ("job", "age"):
    (fact,) = world().about(kind, "clara_stone")
    print(kind, fact.roles)

# %% [markdown] lang="en"
# ## 2. What a reply needs
#
# The corpus has two parts. *Small talk* was written by hand: greetings, food, music, jokes, what are you. *Dialogues about the town* are generated with their facts, in several turns. An exchange is what a person says and the reply to it;
# `expected` are the facts that a right reply names, and `known` is false where the right reply is that nothing is known. No sequence of questions of the held-out dialogues is in the training dialogues, but
# the facts are the same: they are what a bot has to know. Read one dialogue, then look at the counts.

# %% [markdown] lang="zh"
# ## 2. 一句回复需要什么
#
# 语料有两部分。*闲聊*是手写的：问候、吃喝、音乐、笑话、你是谁。*小镇对话*是连同事实一起生成的，有好几轮。一“轮”包括对方说的话和对它的回复；`expected` 是正确回复应当说出的事实；`known` 为假，表示正确的回复就是“不知道”。测试对话里的问题序列都没有在训练对话里出现过，但事实是同样的：机器人要学的正是这些事实。先读一段对话，再看计数。

# %%
train, test = {}, {}
for name in bots:
    train[name] = corpus.mixed_corpus(name, count=lab.pick(300, 12_000, 12_000), seed=SEED)
    test[name] = corpus.mixed_corpus(name, split="test", count=lab.pick(40, 150, 400), seed=SEED + 7)
    exchanges = [one for dialogue in test[name] for one in dialogue.exchanges]
    asked, unknown = sum(bool(one.expected) for one in exchanges), sum(not one.known for one in exchanges)
    print(
        f"{name}: {len(train[name])} dialogues; held out {len(test[name])} with {len(exchanges)} exchanges,"
    )
    print(f"    {asked} of them ask for facts, {unknown} for what is not there")
example = next(one for one in test["en"] if one.topic == "town" and len(one.exchanges) >= 4)
for one in example.exchanges:
    print(f"> {one.said}\n  {one.reply}   {[value for _, value in one.expected] or ''}")

# %% [markdown] lang="en"
# **The turns before.** How many of them must be read? That can be counted without any network. A question can only be answered if the person or place that it is about is named somewhere in what is read. So
# for a memory of 0, 1, 2, ... exchanges: in how many questions of the held-out dialogues is it there? No bot with that memory can do better than this, except by luck.

# %% [markdown] lang="zh"
# **前面说过的话**：要往回读几轮？这不用网络，数一数就知道。只有读到的内容里出现过所问的人或地方，问题才答得出来。那么记忆为 0、1、2……轮时，测试对话里有多少问题满足这一点？记忆有多长，机器人的上限就在哪里，除非靠猜。

# %%
town = world()
named = {name: [corpus.value_surface(kind, value, name) for kind, values in
                (("person", town.people), ("place", town.places)) for value in values] for name in bots}  # fmt: skip


def reachable(dialogues, memory):
    """Share of the questions for facts whose subject is named in what is read: 1 or 0 each."""
    found = []
    for dialogue in dialogues:
        subject = None
        for place, one in enumerate(dialogue.exchanges):
            here = [name for name in named[dialogue.language] if name.lower() in one.said.lower()]
            subject = max(here, key=len) if here else subject
            if one.expected:
                read = " ".join(pairs.history_of(dialogue, place, memory))
                found.append(subject is not None and subject.lower() in read.lower())
    return found


for memory in range(4):
    print(f"memory {memory}:", {name: f"{np.mean(reachable(test[name], memory)):.3f}" for name in bots})

# %% [markdown] lang="en"
# Without memory more than a third of the questions are hopeless, and the count is generous: *"And the grocery?"* names the subject, but not what is asked. One exchange is not enough either: after *"What is his favourite food?" "He likes fried rice best."* the name is already gone. The shipped bots read two.
#
# ### Exercise 09.1: What is read (★☆☆, 6 minutes)
#
# `exchanges` are (said, reply) pairs so far, the oldest first; `said` is the new turn. Give the list of texts that a bot with this `memory` reads, in the order in which they were said. Think of `memory` = 0.

# %% [markdown] lang="zh"
# 没有记忆，三分之一以上的问题没法答；这还是往宽里算的：“那杂货店呢？”虽然点明了对象，却没说问的是什么。只记一轮也不够：“他最爱吃什么？”“他最爱吃炒饭。”这一轮之后，名字已经不见了。附带的机器人记两轮。
#
# ### 练习 09.1：读入的内容（★☆☆，6 分钟）
#
# `exchanges` 是到目前为止的（说的话，回复）列表，最早的在前；`said` 是新说的一句。给出记忆为 `memory` 轮的机器人读入的文本列表，按说出的先后排列。想一想 `memory` = 0 的情况。


# %% exercise="09.1"
def turns_to_read(exchanges, said, memory):
    """The texts that are read: list of (said, reply), str, int -> list of str."""
    ### BEGIN SOLUTION
    kept = exchanges[max(0, len(exchanges) - memory) :]
    return [text for pair in kept for text in pair] + [said]
    ### END SOLUTION


# %%
check("09.1", turns_to_read)
# hint("09.1")
# solution("09.1")

# %% [markdown] lang="en"
# **Your own dialogues** can be read too: a JSONL file in which each line holds `turns`, the person first. What is wrong with a line is said with its number. Everything below takes such dialogues as well.

# %% [markdown] lang="zh"
# **你自己的对话**也能用：一个 JSONL 文件，每行一个 `turns` 列表，人先说。哪一行有问题，会连行号一起告诉你。下面的一切也都可以用自己的对话来做。

# %%
folder = Path(tempfile.mkdtemp())
lines = [
    {"turns": ["Is the bakery open?", "From seven on.", "And on Sundays?", "Closed."]},
    {"turns": ["Hello?"]},
]
for name, count in (("good.jsonl", 1), ("bad.jsonl", 2)):
    (folder / name).write_text("\n".join(json.dumps(line) for line in lines[:count]), encoding="utf-8")
(own,) = load_dialogues(folder / "good.jsonl", "en")
print([(one.said, one.reply) for one in own.exchanges])
try:
    load_dialogues(folder / "bad.jsonl", "en")
except common.LabkitError as error:
    print("refused:", error)

# %% [markdown] lang="en"
# ## 3. Two baselines, and four measures
#
# Two programs that understand nothing. *Most common* always says what was said most often. *Retrieval* looks for the training turn that is most similar (TF-IDF of words, or in Chinese characters, and of their pairs; earlier turns weigh less) and gives
# the reply to it, word for word. And how do we judge a reply?
#
# - **BLEU** (Papineni et al. 2002) counts what share $p_n$ of the reply's runs of $n$ words (in Chinese: characters) is in the reference, for $n$ from 1 to 4, and takes the geometric mean of the four shares; too short a reply pays: $\mathrm{BLEU} = \min(1, e^{1 - r/c}) \cdot (p_1 p_2 p_3 p_4)^{1/4}$, with $c$ and $r$ the lengths of reply and reference.
# - **chrF** (Popović 2015) compares runs of 1 to 6 characters: what share of the reply's are in the reference, and what share of the reference's are in the reply. So a wrong ending costs less.
# - **Right facts**: does the reply name the values that were asked for, and no other of that kind?
# - **Distinct-n** (lesson 08): how varied are the replies?
#
# **By hand.** Reference `Tom Reed lives in Mill Lane .`, reply `Tom Reed lives in Stone Lane .`: of 7 words (the full stop is one) 6 are there, of 6 pairs 4, of 5 triples 2, of 4 runs of four 1. Equal length costs nothing, so
# $\mathrm{BLEU} = (\frac{6}{7} \cdot \frac{4}{6} \cdot \frac{2}{5} \cdot \frac{1}{4})^{1/4} = 0.0571^{1/4} = 0.489$.

# %% [markdown] lang="zh"
# ## 3. 两个基线，四种指标
#
# 先看两个什么也不懂的程序。*最常见回复*永远说训练语料里出现最多的那句。*检索*找出训练语料里最相似的一句话（词和二元组的 TF-IDF，越早的话权重越小；中文以字代词），把它的回复原样搬过来。那么怎样评价一句回复呢？
#
# - **BLEU**（Papineni 等，2002）：回复里长为 $n$ 的词串（中文是字串），出现在参考回复里的比例记作 $p_n$（$n$ 取 1 到 4），再取四个比例的几何平均；回复太短要罚：$\mathrm{BLEU} = \min(1, e^{1 - r/c}) \cdot (p_1 p_2 p_3 p_4)^{1/4}$，$c$、$r$ 是回复与参考的长度。
# - **chrF**（Popović，2015）：比较的是长为 1 到 6 的字符串：回复里的有多少在参考里，参考里的又有多少在回复里。所以词尾写错扣得少。
# - **事实正确率**：回复是不是说出了所问的值，而且没有说出同类的其他值？
# - **distinct-n**（第 08 课）：回复有多少花样？
#
# **手算**：参考是 `Tom Reed lives in Mill Lane .`，回复是 `Tom Reed lives in Stone Lane .`：7 个词（句点也算一个）里有 6 个出现在参考中，6 个二元组里有 4 个，5 个三元组里有 2 个，4 个四元组里有 1 个。长度相同，不罚。所以 $\mathrm{BLEU} = (\frac{6}{7} \cdot \frac{4}{6} \cdot \frac{2}{5} \cdot \frac{1}{4})^{1/4} = 0.0571^{1/4} = 0.489$。

# %%
reference = "Tom Reed lives in Mill Lane."
for reply in ("Tom Reed lives in Stone Lane.", "He lives in Mill Lane."):
    bleu, chrf = bleu_and_chrf([reply], [reference], "en")
    print(f"BLEU {bleu:.1f}, chrF {chrf:.1f}: {reply}")
by_hand = (6 / 7 * 4 / 6 * 2 / 5 * 1 / 4) ** 0.25
assert np.isclose(100 * by_hand, bleu_and_chrf(["Tom Reed lives in Stone Lane."], [reference], "en")[0])

# %% [markdown] lang="en"
# A false reply gets 49 points, and a right one that says *He* gets 64. BLEU knows no truth. So it stands here beside the facts, never alone. Now the two baselines on the held-out dialogues.

# %% [markdown] lang="zh"
# 错的回复得 49 分；对的回复只是用了 *He*，得 64 分。BLEU 不懂真假，所以它旁边一定要放事实正确率。下面是两个基线在测试对话上的结果。

# %%
MEMORY = bots["en"].memory
scores = {name: {} for name in bots}
for name in bots:
    for system, made in {
        "most common": MostCommonReply(train[name]),
        "retrieval": Retrieval(train[name], memory=MEMORY),
    }.items():
        found = scores[name][system] = evaluate(made, test[name], MEMORY)
        print(
            f"{name} {system:12} BLEU {found.bleu:5.1f}  chrF {found.chrf:5.1f}  right facts {found.right.mean():.3f}"
            f"  distinct-2 {found.distinct_2:.2f}  {found.replies[0]!r}"
        )

# %% [markdown] lang="en"
# Retrieval is good: its sentences are perfect, since a person or the town wrote them, and most questions were asked before in much the same words. When it fails, it fails in a certain way: the last turn fits, and *what came before it* does not, so the reply is about somebody else, or about something else.
# Look at three failures, and how sure they sound.

# %% [markdown] lang="zh"
# 检索相当不错：句子个个通顺，因为本来就是人或小镇写好的；而且大多数问题，训练语料里都有人用差不多的话问过。它出错也有规律：最后一句对得上，*前面的话*却对不上，于是答的是另一个人，或者另一件事。看三个错例，口气还都很肯定。

# %%
turns = list(turns_of(test["en"]))
wrong = [
    (dialogue.exchanges[place].said, reply, dialogue.exchanges[place].reply)
    for (dialogue, place), reply in zip(turns, scores["en"]["retrieval"].replies)
    if dialogue.exchanges[place].expected and not is_right(reply, dialogue.exchanges[place], "en")
]
for said, reply, truth in wrong[:3]:
    print(f"> {said}\n  {reply}   (right: {truth})")

# %% [markdown] lang="en"
# ## 4. Reading: the encoder
#
# A sequence-to-sequence network (*Seq2Seq*; Sutskever et al. 2014) reads token ids $x_1 \ldots x_S$ and writes others, $y_1 \ldots y_T$. The **encoder** is a recurrent network in both directions. The state of place $j$ knows what stands before and after it:
#
# $$h_j = [\overrightarrow{h}_j\,;\,\overleftarrow{h}_j], \qquad \overrightarrow{h}_j = \mathrm{GRU}(x_j, \overrightarrow{h}_{j-1}), \quad \overleftarrow{h}_j = \mathrm{GRU}(x_j, \overleftarrow{h}_{j+1})$$
#
# The **decoder** begins with the last states of both, $s_0 = \tanh(W[\overrightarrow{h}_S; \overleftarrow{h}_1])$. If that is all it gets, every question has to go through this one vector: the *bottleneck*. Follow the shapes of two questions in one batch. What a person says is read without its last mark and with a small first letter, so that "Hello!" and "hello" are read alike: the printed tokens have no question mark.

# %% [markdown] lang="zh"
# ## 4. 读：编码器
#
# 序列到序列网络（*Seq2Seq*；Sutskever 等，2014）读入词元 $x_1 \ldots x_S$，写出另一串 $y_1 \ldots y_T$。**编码器**是双向的循环网络，位置 $j$ 的状态既知道前文，也知道后文：
#
# $$h_j = [\overrightarrow{h}_j\,;\,\overleftarrow{h}_j], \qquad \overrightarrow{h}_j = \mathrm{GRU}(x_j, \overrightarrow{h}_{j-1}), \quad \overleftarrow{h}_j = \mathrm{GRU}(x_j, \overleftarrow{h}_{j+1})$$
#
# **解码器**从两个方向的最后状态出发：$s_0 = \tanh(W[\overrightarrow{h}_S; \overleftarrow{h}_1])$。如果它得到的只有这些，那么不管问题多长，都得挤过这一个向量，这就是*瓶颈*。下面把两个问题放进一个批次，看看形状。人说的话在读入之前会去掉句末标点，首字母改成小写，这样“Hello!”和“hello”读起来就一样了：所以打印出的词元里没有问号。

# %%
bot = bots["en"]
questions = ["How old is Clara Stone?", "And where is the market, please, and when does it open?"]
rows = [pairs.read_ids([text], bot.vocabulary) for text in questions]
print(bot.vocabulary.token_texts(rows[0]))
with torch.no_grad():
    source, state = bot.model.read(seq2seq.padded(rows))
for name, tensor in {"states": source.states, "mask": source.mask, "hidden": state.hidden}.items():
    print(f"{name:7}{tuple(tensor.shape)}")
print("real tokens a row:", source.mask.sum(1).tolist())

# %% [markdown] lang="en"
# The shorter row is filled up with *padding*. Padding must change nothing: not the states, not the attention, not the loss. This is easily claimed, and easily shown: read each question alone, and both together.

# %% [markdown] lang="zh"
# 短的一行用*填充*补齐。填充不该影响任何东西：状态、注意力、损失都不受影响。光说没有用，要检验也容易：单独读一遍，再放在一起读一遍。

# %%
first = torch.tensor([[seq2seq.BOS]] * 2)
with torch.no_grad():
    together = bot.model(seq2seq.padded(rows), first)
    alone = [bot.model(torch.tensor([row]), first[:1]) for row in rows]
    longer = bot.model(F.pad(seq2seq.padded(rows), (0, 30)), first)
print(f"alone and together: {max((a - b).abs().max() for a, b in zip(alone, together)):.0e}")
print(f"30 more padding:    {(longer - together).abs().max():.0e}")
assert all(torch.allclose(a[0], b, atol=1e-4) for a, b in zip(alone, together))
assert torch.allclose(longer, together, atol=1e-4)

# %% [markdown] lang="en"
# ## 5. Looking back: two kinds of attention
#
# Instead of one vector for all, the decoder may look at all $h_j$ anew before each word. A *score* says how well the state $s$ of the decoder fits a place; softmax makes weights of the scores, and the mean of the $h_j$ with these weights is the *context* $c$:
#
# $$\alpha_j = \frac{e^{\mathrm{score}(s, h_j)}}{\sum_k e^{\mathrm{score}(s, h_k)}}, \qquad c = \sum_j \alpha_j h_j$$
#
# Two scores are in use. **Additive** (Bahdanau et al. 2015) and **multiplicative** (Luong et al. 2015):
#
# $$\mathrm{score}(s, h) = v^\top \tanh(W_s s + W_h h) \qquad\qquad \mathrm{score}(s, h) = s^\top W h$$
#
# **By hand.** $s = (0.5, 0)$, $h_1 = (0.5, 0)$, $h_2 = (-0.5, 0.5)$; all matrices are the identity, $v = (1, 1)$. Additive: $\tanh(1) + \tanh(0) = 0.7616$ and $\tanh(0) + \tanh(0.5) = 0.4621$. With $e^{0.7616} = 2.1417$ and $e^{0.4621} = 1.5874$
# the weights are $0.574$ and $0.426$. Multiplicative: $0.25$ and $-0.25$, so $1.2840$ and $0.7788$, weights $0.622$ and $0.378$.

# %% [markdown] lang="zh"
# ## 5. 回头看：两种注意力
#
# 不必把一切挤进一个向量：解码器每写一个词之前，都可以重新看一遍所有的 $h_j$。*得分*表示解码器的状态 $s$ 与某个位置有多匹配；得分经过 softmax 变成权重，$h_j$ 的加权平均就是*上下文向量* $c$：
#
# $$\alpha_j = \frac{e^{\mathrm{score}(s, h_j)}}{\sum_k e^{\mathrm{score}(s, h_k)}}, \qquad c = \sum_j \alpha_j h_j$$
#
# 常用的得分有两种：**加性**（Bahdanau 等，2015）和**乘性**（Luong 等，2015）：
#
# $$\mathrm{score}(s, h) = v^\top \tanh(W_s s + W_h h) \qquad\qquad \mathrm{score}(s, h) = s^\top W h$$
#
# **手算**：$s = (0.5, 0)$，$h_1 = (0.5, 0)$，$h_2 = (-0.5, 0.5)$；矩阵都取单位矩阵，$v = (1, 1)$。加性：$\tanh(1) + \tanh(0) = 0.7616$，$\tanh(0) + \tanh(0.5) = 0.4621$。$e^{0.7616} = 2.1417$，$e^{0.4621} = 1.5874$，权重是 $0.574$ 和 $0.426$。乘性：$0.25$ 和 $-0.25$，取指数得 $1.2840$ 和 $0.7788$，权重是 $0.622$ 和 $0.378$。


# %%
def additive(s, h, w_s, w_h, v):
    """s (H,), h (S, K) -> a score for each place (S,)."""
    return torch.tanh(w_s @ s + h @ w_h.T) @ v


def multiplicative(s, h, w):
    """s (H,), h (S, K), w (H, K) -> (S,)."""
    return h @ (w.T @ s)


s, h = torch.tensor([0.5, 0.0]), torch.tensor([[0.5, 0.0], [-0.5, 0.5]])
one = torch.eye(2)
for name, found in {
    "additive": additive(s, h, one, one, torch.ones(2)),
    "multiplicative": multiplicative(s, h, one),
}.items():
    print(f"{name:15} scores {[f'{x:.4f}' for x in found]}, weights {[f'{x:.3f}' for x in found.softmax(0)]}")
assert torch.allclose(
    additive(s, h, one, one, torch.ones(2)).softmax(0), torch.tensor([0.5743, 0.4257]), atol=1e-4
)

# %% [markdown] lang="en"
# The same with random matrices, against labkit's two modules. From here on we use those.

# %% [markdown] lang="zh"
# 再用随机矩阵，与 labkit 的两个模块对照。此后就用它们。

# %%
torch.manual_seed(SEED)
s, h = torch.randn(5), torch.randn(7, 8)
theirs = seq2seq.AdditiveAttention(5, 8, 6)
w_s, w_h, v = theirs.query.weight, theirs.key.weight, theirs.energy.weight[0]
ours = torch.tanh(w_s @ s + theirs.query.bias + h @ w_h.T) @ v
assert torch.allclose(ours, theirs.scores(s[None], theirs.keys(h[None]))[0], atol=1e-6)
other = seq2seq.MultiplicativeAttention(5, 8)
ours = multiplicative(s, h, other.key.weight)
assert torch.allclose(ours, other.scores(s[None], other.keys(h[None]))[0], atol=1e-6)
for name, module in {"additive": theirs, "multiplicative": other}.items():
    print(f"{name} attention is labkit's; parameters {sum(p.numel() for p in module.parameters())}")

# %% [markdown] lang="en"
# Multiplicative attention is one product of matrices and therefore faster; additive attention has a layer more. In both, $s$ and $h$ may differ in size. Where does a trained bot look? Each row is a token that it wrote; dark is where it looked. Before you look: where should it look when it writes the age?

# %% [markdown] lang="zh"
# 乘性注意力只是一次矩阵乘法，所以更快；加性注意力多一层。两种注意力里，$s$ 与 $h$ 的维数都可以不同。训练好的机器人看哪里？下图每行是它写出的一个词元，颜色深处就是它看的地方。看图之前先想：写年龄的时候，它应该看哪里？

# %%
history = [("Where does Clara Stone work?", bot.reply("Where does Clara Stone work?").text)]
reply = bot.reply("And how old is she?", history, doubt=False)
ax = plots.heatmap(
    reply.attention, xlabel="token read", ylabel="token written",
    xticks=reply.read, yticks=reply.written, ax=plots.new_axes(7.5, 3.4),
)  # fmt: skip
ax.tick_params(axis="x", rotation=90)
plots.show(ax, alt="A row of weights for each token written, over the tokens of the last two turns.")
for token, row in zip(reply.written, np.array(reply.attention)):
    print(f"{token!r:10} looks most at {reply.read[row.argmax()]!r} ({row.max():.2f})")

# %% [markdown] lang="en"
# The pronoun is written with a look at *she*, and the two digits with a look at the first and the last name: the bot goes back a whole exchange for them. Do not read too much into it: a place with a large weight was *used*, but its state $h_j$ has read the whole sentence, not only its own word.
#
# ### Exercise 09.2: The additive score (★★☆, 8 minutes)
#
# Write it for a whole batch: `s` (B, H), `h` (B, S, K), `w_s` (A, H), `w_h` (A, K), `v` (A,). Give the *scores* (B, S). Think of what is added to what, and of where tanh goes.

# %% [markdown] lang="zh"
# 写代词时，它看的是 *she*；写两个数字时，看的是名和姓：为此它回到了上一轮对话。但不要解读过度：权重大，说明那个位置*被用到了*；可那里的状态 $h_j$ 读过整句话，不只是那一个词。
#
# ### 练习 09.2：加性得分（★★☆，8 分钟）
#
# 写出整个批次的版本：`s` 是 (B, H)，`h` 是 (B, S, K)，`w_s` 是 (A, H)，`w_h` 是 (A, K)，`v` 是 (A,)。给出*得分* (B, S)。想一想：什么与什么相加，tanh 放在哪里。


# %% exercise="09.2"
def additive_scores(s, h, w_s, w_h, v):
    """Scores of all places: (B, H), (B, S, K), (A, H), (A, K), (A,) -> (B, S)."""
    ### BEGIN SOLUTION
    query = (s @ w_s.T)[:, None]  # (B, 1, A)
    return torch.tanh(query + h @ w_h.T) @ v
    ### END SOLUTION


# %%
check("09.2", additive_scores)
# hint("09.2")
# solution("09.2")

# %% [markdown] lang="en"
# ## 6. Writing: teacher forcing
#
# The decoder writes one token after the other: $s_t = \mathrm{GRU}([y_{t-1}; c_{t-1}], s_{t-1})$, then it looks, and $p(y_t \mid y_{<t}, x)$ comes from $s_t$, $c_t$ and $y_{t-1}$. In training the token $y_{t-1}$ is not its own but the *true* one (**teacher forcing**): so a mistake at the start does not spoil the rest,
# and all places can be judged at once. Inputs are the reply behind a begin sign, targets the reply before an end sign, so each input has the *next* token as its target:

# %% [markdown] lang="zh"
# ## 6. 写：教师强制
#
# 解码器逐个写词元：$s_t = \mathrm{GRU}([y_{t-1}; c_{t-1}], s_{t-1})$，然后回头看一眼，再由 $s_t$、$c_t$ 和 $y_{t-1}$ 得出 $p(y_t \mid y_{<t}, x)$。训练时，$y_{t-1}$ 不用它自己写的，而用*标准答案*里的（**教师强制**）：这样开头写错不会连累后面，所有位置也可以同时打分。输入是“开始符 + 回复”，目标是“回复 + 结束符”，所以每个输入对应的目标正好是*下一个*词元：

# %%
batches = pairs.PairBatches(test["en"], bot.vocabulary, 4, MEMORY, seed=SEED)
batch = batches(1)
for name, row in {"inputs ": batch.inputs[0], "targets": batch.targets[0]}.items():
    print(name, bot.vocabulary.token_texts(row[row != seq2seq.PAD].tolist()))
print(
    "read",
    tuple(batch.source.shape),
    "inputs",
    tuple(batch.inputs.shape),
    "targets",
    tuple(batch.targets.shape),
)
real = batch.targets != seq2seq.PAD
assert torch.equal(
    batch.inputs[:, 1:][real[:, :-1] & real[:, 1:]], batch.targets[:, :-1][real[:, :-1] & real[:, 1:]]
)

# %% [markdown] lang="en"
# ### Exercise 09.3: The loss of a padded batch (★★☆, 10 minutes)
#
# `logits` (B, T, V), `targets` (B, T), in which 0 is padding. Write the mean of $-\ln p(\text{target})$ over all targets that are *not* padding. Think of two replies, one of 2 tokens and one of 20: does each *reply* count the same, or each *token*?

# %% [markdown] lang="zh"
# ### 练习 09.3：带填充批次的损失（★★☆，10 分钟）
#
# `logits` 是 (B, T, V)，`targets` 是 (B, T)，其中 0 表示填充。写出所有*非填充*目标的 $-\ln p(\text{目标})$ 的平均值。想一想：一句回复 2 个词元，一句 20 个，是每句*回复*一样重，还是每个*词元*一样重？


# %% exercise="09.3"
def padded_loss(logits, targets):
    """Mean of -ln p over the targets that are not 0: (B, T, V), (B, T) -> a number."""
    ### BEGIN SOLUTION
    costs = -logits.log_softmax(-1).gather(2, targets[:, :, None]).squeeze(2)  # (B, T)
    real = targets != 0
    return costs[real].sum() / real.sum()
    ### END SOLUTION


# %%
check("09.3", padded_loss)
# hint("09.3")
# solution("09.3")

# %% [markdown] lang="en"
# Now train, here and now, for some seconds. For that the town is made smaller: only dialogues that ask about five of its sixty people. Two networks, equal but for the attention. Look at the loss on held-out replies, and at retrieval beside them.

# %% [markdown] lang="zh"
# 现在就训练，只用几秒钟。为此把小镇缩小：全镇六十人，只取问到其中五个人的对话。两个网络，除了注意力完全相同。请看测试回复上的损失，以及旁边的检索。


# %%
def small_town(split, count):
    """Dialogues that ask about five people, and about nobody else of the town."""
    people = named["en"][: len(town.people)]
    chosen, others = people[:5], people[5:]
    found = []
    for dialogue in corpus.town_dialogues("en", split=split, count=count, seed=SEED):
        said = " ".join(one.said for one in dialogue.exchanges)
        if any(name in said for name in chosen) and not any(name in said for name in others):
            found.append(dialogue)
    return found


few, few_test = (
    small_town("train", lab.pick(400, 4_000, 4_000)),
    small_town("test", lab.pick(300, 2_000, 2_000)),
)
print(f"{len(few)} dialogues with {len(list(turns_of(few)))} exchanges; held out {len(few_test)}")

# %% tags=["nbval-ignore-output"]
small, losses = {}, {}
shape = {"hidden_size": 64, "embedding_size": 256, "batch_size": 32, "learning_rate": 0.01}
for attention in ("additive", "none"):
    small[attention], history = chat.train_chatbot(
        few,
        bot.vocabulary.tokenizer,
        steps=lab.pick(20, 110, 1_000),
        attention=attention,
        seed=SEED,
        progress=False,
        **shape,
    )
    losses[attention] = history.train["loss"]
    found = evaluate(small[attention], few_test, 1)
    cost = chat.held_out_loss(small[attention], few_test)
    print(
        f"{attention:10} held-out loss {cost:.2f} nats, BLEU {found.bleu:.1f}, right facts {found.right.mean():.3f}"
    )
found = evaluate(Retrieval(few), few_test, 1)
print(f"retrieval  {'':24} BLEU {found.bleu:.1f}, right facts {found.right.mean():.3f}")

# %% tags=["nbval-ignore-output"]
smooth = {
    name: np.convolve(values, np.ones(10) / 10, "valid") if len(values) > 10 else values
    for name, values in losses.items()
}
steps = range(len(smooth["none"]))
ax = plots.lines(steps, smooth, xlabel="step", ylabel="training loss, nats a token (mean of 10)")
plots.show(
    ax,
    alt="Two falling curves of the training loss; the one with attention falls lower than the one without.",
)
print({name: f"{values[-1]:.2f}" for name, values in smooth.items()})

# %% [markdown] lang="en"
# After some ten seconds the network with attention already gets more facts right than retrieval. Without attention it gets far fewer right in the same number of steps, and stays below retrieval: all that the question holds has to come through one vector, and that takes much longer
# to learn. The shipped bots, which have attention, learned the whole town, and small talk; section 8 shows how well.
#
# ### What it never saw in training
#
# Under teacher forcing every input is true. In a conversation the network reads what it wrote itself, and after one wrong token it is in a place that it never saw in training (*exposure bias*). Look at the same network in two ways: the share of the *next tokens* that are right after true ones, and the share of whole *replies* that are right when it writes them itself.

# %% [markdown] lang="zh"
# 练了十来秒，带注意力的网络答对的事实就超过了检索。没有注意力的网络，同样的步数，答对的少得多，也不如检索：问题里的一切都要挤过一个向量，学起来慢得多。附带的机器人带有注意力，学的是整个小镇，还有闲聊；学得怎样，见第 8 节。
#
# ### 训练时没见过的情形
#
# 教师强制之下，每个输入都是对的。真正对话时，网络读到的是自己写的东西，一旦写错一个词元，后面的情形就是它从没见过的（*暴露偏差*）。同一个网络用两种方式看：读着标准答案时，*下一个词元*对的比例；自己写的时候，*整句回复*对的比例。


# %% tags=["nbval-ignore-output"]
@torch.no_grad()
def next_tokens(bot, dialogues, ask=lambda source: source):
    """The likeliest token at each place after the true ones: a list of (reply, truth) as ids."""
    batches, found = pairs.PairBatches(dialogues, bot.vocabulary, 64, bot.memory), []
    for step in range(batches.steps_per_epoch):
        source, inputs, targets = batches(step)
        best = bot.model(ask(source), inputs).argmax(-1)  # (B, T)
        for guess, truth in zip(best, targets):
            real = truth != seq2seq.PAD
            found.append((guess[real].tolist(), truth[real].tolist()))
    return found


guesses = next_tokens(small["additive"], few_test)
right = [a == b for guess, truth in guesses for a, b in zip(guess, truth)]
own = evaluate(small["additive"], few_test, 1).replies
whole = [reply == d.exchanges[place].reply for reply, (d, place) in zip(own, turns_of(few_test))]
print(f"next tokens right {np.mean(right):.3f}, replies right from beginning to end {np.mean(whole):.3f}")

# %% [markdown] lang="en"
# ## 7. Which reply? Greedy and beams
#
# The likeliest token at each step need not lead to the likeliest *reply*. An example small enough to draw: after *It* everything is open, after *She* one word is nearly certain.

# %% [markdown] lang="zh"
# ## 7. 选哪句回复？贪心与束搜索
#
# 每一步都选最可能的词元，得到的未必是最可能的*整句*。看一个小得可以画出来的例子：*It* 后面什么都有可能，*She* 后面的词几乎是确定的。

# %%
words = ["(end)", "It", "She", "is", "was", "has"]
table = torch.full((6, 6), 1e-9)  # row: the word before (0 is also the start); column: the word after
table[0, [1, 2]] = torch.tensor([0.6, 0.4])
table[1, [3, 4, 5]] = torch.tensor([0.4, 0.35, 0.25])
table[2, [3, 4]] = torch.tensor([0.9, 0.1])
table[3:, 0] = 1.0
print(f"greedy: It is {table[0, 1] * table[1, 3]:.2f}; the best: She is {table[0, 2] * table[2, 3]:.2f}")

# %%
ax = plots.new_axes(6, 2.6)
ax.set_axis_off()
line = {"ha": "center", "arrowprops": {"arrowstyle": "-"}}
for first, x in ((1, 0.25), (2, 0.8)):
    ax.annotate(f"{words[first]} {table[0, first]:.2f}", (0.5, 1), (x, 0.55), **line)
    for place, second in enumerate(torch.nonzero(table[first] > 0.01).flatten().tolist()):
        total = table[0, first] * table[first, second]
        label = f"{words[second]} {table[first, second]:.2f}\n= {total:.2f}"
        ax.annotate(label, (x, 0.5), (x - 0.2 + 0.2 * place, 0), **line)
plots.show(
    ax,
    alt="A tree: It 0.6 branches into three words, She 0.4 into two; She is has the largest product, 0.36.",
)

# %% [markdown] lang="en"
# **Beam search** keeps the $k$ likeliest beginnings instead of one ($k$ is the number of beams), extends each by every token, and keeps the best $k$ of all. It adds $\ln p$ and divides by the length, since a long reply would lose by its length alone. labkit's takes anything that gives the logits of the next token:

# %% [markdown] lang="zh"
# **束搜索**保留的不是一个开头，而是最可能的 $k$ 个（$k$ 叫作束宽）：每个都接上所有词元，再从全部结果里留下最好的 $k$ 个。它把 $\ln p$ 相加，再除以长度，否则长句子光凭长就输了。凡是能给出下一个词元 logits 的，labkit 的束搜索都能用：


# %%
class TableDecoder:
    """The next word depends on the last one alone; the interface of labkit.text.decoders."""

    def start(self, prompts, max_new_tokens):
        return table[[0] * len(prompts)].log()

    def step(self, tokens):
        return table[tokens].log()

    def reorder(self, indices):
        """There is no state that goes with a beam."""


for num_beams in (1, 2, 3):
    (found,) = beam_search(TableDecoder(), [[0]], 4, num_beams, 1.0, (0,))
    print(f"{num_beams} beams:", " ".join(words[token] for token in found))

# %% [markdown] lang="en"
# ### Exercise 09.4: One step of beam search (★★☆, 10 minutes)
#
# `scores` (k,) are the sums of $\ln p$ of the running beams, `logits` (k, V) those of their next tokens. Give the best $k$ extensions of all as a list of (beam, token), the best first. Think of a beam whose three best extensions are all better than the best one of another beam.

# %% [markdown] lang="zh"
# ### 练习 09.4：束搜索的一步（★★☆，10 分钟）
#
# `scores` 是 (k,)，各束到目前为止 $\ln p$ 之和；`logits` 是 (k, V)，它们下一个词元的 logits。给出全部扩展里最好的 $k$ 个，写成（束，词元）的列表，最好的在前。想一想：某一束的前三个扩展，可能都好过另一束最好的那个。


# %% exercise="09.4"
def best_extensions(scores, logits):
    """The k best (beam, token) of all, best first: (k,), (k, V) -> list of pairs."""
    ### BEGIN SOLUTION
    k, V = logits.shape
    totals = scores[:, None] + logits.log_softmax(-1)  # (k, V)
    best = totals.flatten().topk(k).indices.tolist()
    return [(index // V, index % V) for index in best]
    ### END SOLUTION


# %%
check("09.4", best_extensions)
# hint("09.4")
# solution("09.4")

# %% [markdown] lang="en"
# Does it help a bot? Compare greedy search and four beams on the first held-out dialogues.

# %% [markdown] lang="zh"
# 它对机器人有帮助吗？在测试对话的前一部分上，比较贪心搜索与束宽为 4 的束搜索。

# %%
part = test["en"][: lab.pick(8, 60, 200)]
for num_beams in (1, 4):
    replies = bot.reply_all(
        [pairs.history_of(d, place, MEMORY) for d, place in turns_of(part)], num_beams=num_beams
    )
    exchanges = [d.exchanges[place] for d, place in turns_of(part)]
    right = [is_right(reply, one, "en") for reply, one in zip(replies, exchanges) if one.expected]
    bleu, _ = bleu_and_chrf(replies, [one.reply for one in exchanges], "en")
    print(f"{num_beams} beams: BLEU {bleu:.1f}, right facts {np.mean(right):.3f}")

# %% [markdown] lang="en"
# Hardly: BLEU rises by about a point, the facts stay. A bot that is sure of nearly every token has little to search for, and where it is unsure of a *fact*, the likeliest reply is not the truest. In translation, with many good wordings, beams matter more.
#
# ## 8. What the trained bots can do
#
# The shipped bots saw the same 12,000 dialogues a language as retrieval did. Beside them, in English only, stands the GPT of lesson 08, which has read a lot about the town, but no conversation: it is fine-tuned here for some seconds on a part of the same dialogues, with the turns as questions and answers, and judged on the first 12 held-out ones. All read the true turns before an exchange, not what they said themselves.

# %% [markdown] lang="zh"
# 几乎没有：BLEU 高了约一分，事实没有变化。机器人对大多数词元都很有把握，没什么可搜的；对某个*事实*没把握时，最可能的回复也不等于最真实的。机器翻译里好译法很多，束搜索的作用要大一些。
#
# ## 8. 训练好的机器人
#
# 附带的机器人和检索用的是同样的 12,000 段对话（每种语言）。旁边再放第 08 课的 GPT（只比英文）：它读过很多关于小镇的短文，却没读过对话，所以在这里用其中一部分对话微调几秒钟，一问一答地排列，并且只在前 12 段测试对话上评判。大家读到的前文都是标准的，不是自己先前写的。

# %% tags=["nbval-ignore-output"]
gpt, gpt_tokenizer = load_town_gpt()
talker, _ = gpt_chat.finetune_gpt(
    gpt, gpt_tokenizer, train["en"][: lab.pick(50, 500, 12_000)], memory=MEMORY, steps=lab.pick(1, 8, 300),
    batch_tokens=lab.pick(256, 512, 4_096), seed=SEED, progress=False,
)  # fmt: skip
scores["en"]["town GPT"] = evaluate(talker, part[:12], MEMORY)
for name in bots:
    scores[name]["Seq2Seq"] = evaluate(bots[name], test[name], MEMORY)
    for system, found in scores[name].items():
        mean, low, high = metrics.bootstrap_interval(found.right)
        print(
            f"{name} {system:12} BLEU {found.bleu:5.1f}  chrF {found.chrf:5.1f}  right facts {mean:.3f} ({low:.3f} to {high:.3f})"
            f"  distinct-2 {found.distinct_2:.2f}"
        )

# %% [markdown] lang="en"
# The network beats both baselines in both languages. It does not copy the reply to a similar question but puts the right value into the sentence: in facts the intervals are far apart. Only in variety (distinct-2) retrieval stays ahead: every sentence of the corpus is at its disposal.
# After so few steps the GPT is far behind; how it does with more is in the benchmarks.
#
# In BLEU and chrF the lead is small. Where is the network weak? Take the small talk in wordings that no training dialogue has, and count the replies that are right word for word.

# %% [markdown] lang="zh"
# 中英文都一样，网络赢了两个基线。它不是照搬相似问题的回复，而是把正确的值填进句子里：事实正确率的区间相距很远。只有多样性（distinct-2）是检索占先：语料里的每句话它都能拿来用。GPT 只练了这么几步，远远落在后面；多练之后怎样，见基准测试。
#
# BLEU 和 chrF 只领先一点。网络弱在哪里？取出训练对话里没有出现过的闲聊说法，数一数一字不差答对的回复。

# %%
for name in bots:
    written = {reply for talk in talks(name) for reply in talk.replies}
    heard = {one.said for dialogue in train[name] for one in dialogue.exchanges}
    exchanges = [dialogue.exchanges[place] for dialogue, place in turns_of(test[name])]
    new = [place for place, one in enumerate(exchanges) if one.reply in written and one.said not in heard]
    for system in ("retrieval", "Seq2Seq"):
        replies = scores[name][system].replies
        right = sum(replies[place] == exchanges[place].reply for place in new)
        print(f"{name} {system:9} {right} of {len(new)} replies to new wordings of small talk")

# %% [markdown] lang="en"
# Here retrieval wins: a single word in common often leads it to the right talk, while a network that has read two wordings of a question does not yet know a third. A larger network, which has read much else, would; that is what lesson 06 calls pre-training.
#
# ### Without memory
#
# What is lost if the bot is told less of what was said before? It is the same bot; only what it reads is cut. Compare with the counts of section 2.

# %% [markdown] lang="zh"
# 这里赢的是检索：只要有一个词对上，往往就能找到那段闲聊；而网络只读过一句话的两种说法，还认不出第三种。读过大量其他文字的大网络就能认出来，第 06 课所说的预训练就是这个道理。
#
# ### 没有记忆会怎样
#
# 如果少告诉它一些前面说过的话，会损失多少？机器人还是同一个，只是读到的变短了。请与第 2 节的计数对照。

# %%
by_memory = {}
for memory in range(MEMORY + 1):
    found = evaluate(bot, part[:40], memory)
    by_memory[f"memory {memory}"] = float(found.right.mean())
    print(
        f"memory {memory}: right facts {found.right.mean():.3f}, possible at most {np.mean(reachable(part[:40], memory)):.3f}"
    )
ax = plots.bars(by_memory, ylabel="right facts, share")
plots.show(
    ax,
    alt="Bars of the share of right facts: lowest without memory, higher with one exchange, highest with two.",
)

# %% [markdown] lang="en"
# Each exchange that is forgotten costs about what the counts said that it would; without any memory even more, since then *"And the grocery?"* does not say what is asked. (Where the bot is a little above the possible share, it guessed.)
#
# ## 9. "I do not know"
#
# A network always writes something. How sure was it? Take the mean of $\ln p$ of the tokens of its reply, its *confidence*; below a *threshold* the bot says that it does not know. The threshold is a choice, and has to be made on the right data: not on training dialogues (there it is always sure), not on the ones that we report on,
# and not only on questions that it can answer. So: one half of thirty held-out dialogues, with questions to the shop of lesson 13 as strangers among them. The other half judges.

# %% [markdown] lang="zh"
# 每少记一轮，损失的大致就是前面数出来的那么多；完全没有记忆时损失更大，因为“那杂货店呢？”没说问的是什么。（有时略高于上限，那是猜中的。）
#
# ## 9. “我不知道”
#
# 网络总会写点什么。它有多大把握？取回复里各词元 $\ln p$ 的平均值作为*置信度*；低于*阈值*，就说不知道。阈值是人定的，要在正确的数据上定：不能用训练对话（在那里它总是很有把握），不能用最后要报告的那部分，也不能只用它答得上来的问题。所以取三十段测试对话的一半，再掺进第 13 课里顾客问那家小店的问题作为“陌生问题”；另一半用来评判。

# %%
strange = [Dialogue((Exchange(text, "", known=False),), "en", "shop") for text in customers.spoken("en")[0]]
count = lab.pick(6, 20, 80)
halves = {
    "to choose": part[:30:2] + strange[::2][:count],
    "to judge": part[1:30:2] + strange[1::2][:count],
}


def answered(dialogues):
    """(confidence, whether the reply may be given, whether it was strange) of each question for facts and each strange one."""
    rows = []
    for dialogue, place in turns_of(dialogues):
        one, before = dialogue.exchanges[place], dialogue.exchanges[:place]
        if one.expected or dialogue.topic == "shop":
            reply = bot.reply(one.said, [(x.said, x.reply) for x in before], num_beams=1, doubt=False)
            good = bool(one.expected) and is_right(reply.text, one, "en")
            rows.append((reply.confidence if not reply.reason else -math.inf, good, dialogue.topic == "shop"))
    return rows


asked = {name: answered(dialogues) for name, dialogues in halves.items()}
for name, rows in asked.items():
    print(
        f"{name}: {len(rows)} questions, {sum(s for *_, s in rows)} strange, {sum(g for _, g, _ in rows)} right without a threshold"
    )

# %%
curve = {"right of those answered": [], "answered of those about the town": []}
places = np.linspace(-2.0, -0.02, 60)
confidence, good, shop = (np.array(column) for column in zip(*asked["to choose"]))
for place in places:
    given = confidence >= place
    curve["right of those answered"].append(good[given].mean() if given.any() else 1.0)
    curve["answered of those about the town"].append(given[~shop].mean())
ax = plots.lines(places, curve, xlabel="threshold of the confidence, mean ln p", ylabel="share")
plots.show(
    ax,
    alt="With a higher threshold a larger share of the answers is right, and fewer questions are answered.",
)
safe = [place for place, share in zip(places, curve["right of those answered"]) if share >= 0.95]
threshold = float(min(safe, default=places[-1]))
print(f"lowest threshold with 95 % right: {threshold:.2f}; labkit's bots use {chat.DOUBT_LIMIT}")

# %%
confidence, good, shop = (np.array(column) for column in zip(*asked["to judge"]))
for name, limit in {"no threshold": -math.inf, "chosen": threshold}.items():
    given = confidence >= limit
    print(
        f"{name:13} right of {given.sum()} answered {good[given].sum() / max(1, given.sum()):.3f}, "
        f"strange ones refused {1 - given[shop].mean():.3f}, town questions refused {1 - given[~shop].mean():.3f}"
    )

# %% [markdown] lang="en"
# The threshold refuses more than nine in ten of the strange questions, and none about the town: here the price is small, since the bot is sure of nearly all that it knows. Small talk pays it: to an unusual wording the bot is less sure, and then keeps quiet although its reply may have been fine, which is why labkit's bots
# use a lower threshold. And a confident mistake still gets through: the confidence says how usual a reply is, not whether it is true.
#
# ### Exercise 09.5: Choose the threshold (★★☆, 10 minutes)
#
# `confidences` and `right` belong to the answers of the choosing half. Give the lowest of these confidences such that of all answers with *at least* that confidence at least the share `wanted` is right; infinity if there is none. Think of what the share is a share *of*.

# %% [markdown] lang="zh"
# 阈值挡住了九成以上的陌生问题，小镇的问题一个也没有挡：机器人对自己知道的几乎都有把握，所以这里代价很小。付出代价的是闲聊：说法一不寻常，把握就小，本来也许不错的回复也就不说了，所以 labkit 的机器人用的阈值更低。自信的错误仍然会漏过去：置信度说明一句回复有多“常见”，并不说明它是真是假。
#
# ### 练习 09.5：选阈值（★★☆，10 分钟）
#
# `confidences` 和 `right` 是用来选择的那一半里各个回答的置信度和对错。给出其中最低的一个置信度，使得*不低于*它的回答里，对的比例至少是 `wanted`；没有就给无穷大。想一想：比例的分母是什么。


# %% exercise="09.5"
def choose_threshold(confidences, right, wanted):
    """The lowest confidence from which on at least the share ``wanted`` is right: lists, float -> float."""
    ### BEGIN SOLUTION
    for limit in sorted(confidences):
        given = [good for confidence, good in zip(confidences, right) if confidence >= limit]
        if sum(given) >= wanted * len(given):
            return limit
    return math.inf
    ### END SOLUTION


# %%
check("09.5", choose_threshold)
# hint("09.5")
# solution("09.5")

# %% [markdown] lang="en"
# ## 10. Talk to it
#
# The panel at the end of this section shows the conversation, and where the bot looked for each token of its last reply. It answers any input. Below, what it says to nothing at all, to emoji, to another script and to a very long text. Before you try: which of these does the network get to read at all?

# %% [markdown] lang="zh"
# ## 10. 和它聊聊
#
# 本节末尾的面板显示对话，还有写最后一句回复的每个词元时它在看哪里。输入什么它都能应付。下面看看它怎样回答空白、表情符号、另一种文字和超长的文本。动手之前先想：其中哪些会真正交给网络去读？

# %%
for said in ("", "😀😀", "你好吗", "Where does Clara Stone work? " * 300, "asdf qwer zxcv"):
    answer = bot.reply(said)
    print(f"{said[:20]!r:24} {answer.reason or 'answered':9} {answer.text}")

# %% tags=["nbval-ignore-output"]
console(bots[common.language()])  # the bot of your language

# %% [markdown] lang="en"
# ## 11. Break it
#
# A colleague evaluates the small network of section 6 faster: one pass of `model(source, inputs)` gives the likeliest token at every place, so no reply has to be written step by step. The code runs, and the BLEU is splendid. Would you report it?

# %% [markdown] lang="zh"
# ## 11. 找出故障
#
# 一位同事想更快地评价第 6 节的小网络：`model(source, inputs)` 一次就给出每个位置最可能的词元，不必一步步写回复。代码能跑，BLEU 也很漂亮。你会报告这个数字吗？


# %% tags=["nbval-ignore-output"]
def colleague(bot, dialogues, ask=lambda source: source):
    """BLEU of the likeliest tokens."""
    found = [tuple(bot.vocabulary.decode(ids) for ids in pair) for pair in next_tokens(bot, dialogues, ask)]
    return bleu_and_chrf(*zip(*found), "en")[0]


def labkits(bot, dialogues, ask=lambda histories: histories):
    """BLEU of the replies that the bot writes itself."""
    turns = list(turns_of(dialogues))
    replies = bot.reply_all(ask([pairs.history_of(d, place, bot.memory) for d, place in turns]))
    return bleu_and_chrf(replies, [d.exchanges[place].reply for d, place in turns], "en")[0]


for name, of in small.items():
    print(f"{name:9} colleague's BLEU {colleague(of, few_test):5.1f}, labkit's {labkits(of, few_test):5.1f}")

# %% [markdown] lang="en"
# **Before you read on:** what does `inputs` hold? Think of an experiment that shows whether a score measures *answering*. One is: ask the bot somebody else's question, and compare its reply with the reference as before. A measure of answering must collapse.

# %% [markdown] lang="zh"
# **往下读之前**：`inputs` 里装的是什么？想一个实验，看看某个分数量的到底是不是*回答问题*的能力。例如：把别人的问题拿来问它，回复仍与原来的参考比较。真正衡量回答能力的指标，这时必然一落千丈。


# %% tags=["nbval-ignore-output"]
def turned(rows):
    """Each gets the question of the one before it."""
    return rows.roll(1, 0) if isinstance(rows, torch.Tensor) else rows[-1:] + rows[:-1]


of = small["additive"]
fell = {}
for name, measure in {"colleague": colleague, "labkit": labkits}.items():
    true, other = measure(of, few_test), measure(of, few_test, turned)
    fell[name] = other / max(true, 1e-9)
    print(
        f"{name:10} own question {true:5.1f}, somebody else's {other:5.1f}: {100 * fell[name]:.0f} % is left"
    )
assert MODE == "smoke" or fell["colleague"] > 2 * fell["labkit"]

# %% [markdown] lang="en"
# Somebody else's question leaves next to nothing of labkit's number, and nearly a third of the colleague's. And the network without attention, which gets most facts wrong, has a handsome BLEU by the colleague's way. `inputs` are the *true* words of the reply: the network is told the beginning of each answer and only goes on by one token, which it often can without any question.
# That is right in training, and misleads as a measure of a conversation, where nobody says the answer first. Write the replies step by step, and keep this test: *a wrong question must cost nearly everything*.
#
# ## 12. What was measured
#
# The intervals are those of drawing the held-out exchanges anew; the bots were trained with one seed, so they say nothing about another training. Five seeds, bots without attention and bots trained with other memories are in the benchmarks.

# %% [markdown] lang="zh"
# 换成别人的问题，labkit 的分数几乎不剩，同事的却还剩近三分之一。再看没有注意力的网络：大多数事实都答错了，按同事的办法 BLEU 却相当体面。原来 `inputs` 里是回复的*标准答案*：网络等于先被告知了每句的开头，只需接下一个词元，这往往不看问题也能做到。训练时这样做没错；作为对话的指标却会误导人，因为真正对话时没有人先把答案说出来。请一步步写出回复再打分，并且留着这个检验：*换了问题，分数必须几乎归零*。
#
# ## 12. 测量结果
#
# 区间来自对测试对话中的各轮重新抽样；机器人只用一个种子训练过，所以区间不说明重新训练会怎样。五个种子、去掉注意力、按不同记忆训练的结果，见基准测试。


# %%
def share(name, system, of, baseline="retrieval"):
    """Right facts with an interval, beside a baseline."""
    mean, low, high = metrics.bootstrap_interval(scores[of][system].right)
    return Measure(name, mean, scores[of][baseline].right.mean(), baseline, interval=(low, high))


def chrf_measure(of):
    """Mean chrF of single replies with an interval, beside retrieval's."""
    truths = [d.exchanges[place].reply for d, place in turns_of(test[of])]
    each = {
        system: [bleu_and_chrf([a], [b], of)[1] for a, b in zip(scores[of][system].replies, truths)]
        for system in ("Seq2Seq", "retrieval")
    }
    mean, low, high = metrics.bootstrap_interval(each["Seq2Seq"])
    return Measure(
        f"chrF of a reply, {of}",
        mean,
        np.mean(each["retrieval"]),
        "retrieval",
        interval=(low, high),
        digits=1,
    )


# %% tags=["nbval-ignore-output"]
measures = []
for name in bots:
    ours, baseline = scores[name]["Seq2Seq"], scores[name]["retrieval"]
    measures += [
        share(f"right facts, {name}", "Seq2Seq", name),
        chrf_measure(name),
        Measure(f"BLEU, {name}", ours.bleu, baseline.bleu, "retrieval", digits=1),
        Measure(f"distinct-2, {name}", ours.distinct_2, baseline.distinct_2, "retrieval"),
    ]
report(*measures)

# %% [markdown] lang="en"
# ## Summary
#
# - A reply needs the turns before, facts, and a way to say that it does not know. How much memory is needed can be counted.
# - Retrieval is a strong baseline: perfect sentences, and wrong names.
# - An encoder reads in both directions; attention lets the decoder look back instead of remembering all in one vector.
# - Padding must change nothing. Show it: alone, together, with more padding.
# - Teacher forcing trains all places at once. A score that was measured that way is not the bot's.
# - Beams find likelier replies, not truer ones.
# - BLEU counts words, chrF counts characters; right facts count truth; distinct-n counts variety. Take all of them, beside a baseline.
# - The threshold for silence is chosen on data that holds what the bot cannot know, and judged on other data.
#
# ## Further reading
#
# - I. Sutskever, O. Vinyals, Q. Le (2014), Sequence to sequence learning with neural networks. [arXiv:1409.3215](https://arxiv.org/abs/1409.3215).
# - D. Bahdanau, K. Cho, Y. Bengio (2015), Neural machine translation by jointly learning to align and translate. [arXiv:1409.0473](https://arxiv.org/abs/1409.0473). Additive attention.
# - M.-T. Luong, H. Pham, C. Manning (2015), Effective approaches to attention-based neural machine translation. [arXiv:1508.04025](https://arxiv.org/abs/1508.04025). Multiplicative attention, input feeding.
# - O. Vinyals, Q. Le (2015), A neural conversational model. [arXiv:1506.05869](https://arxiv.org/abs/1506.05869). Seq2Seq as a chatbot.
# - K. Papineni et al. (2002), BLEU: a method for automatic evaluation of machine translation. *ACL*. M. Popović (2015), chrF: character n-gram F-score for automatic MT evaluation. *WMT*.
# - M. Post (2018), A call for clarity in reporting BLEU scores. [arXiv:1804.08771](https://arxiv.org/abs/1804.08771). sacrebleu.
# - C.-W. Liu et al. (2016), How NOT to evaluate your dialogue system. [arXiv:1603.08023](https://arxiv.org/abs/1603.08023). Why BLEU alone misleads.
# - S. Bengio et al. (2015), Scheduled sampling for sequence prediction with recurrent neural networks. [arXiv:1506.03099](https://arxiv.org/abs/1506.03099). Exposure bias.
# - S. Jain, B. Wallace (2019), Attention is not explanation. [arXiv:1902.10186](https://arxiv.org/abs/1902.10186).

# %% [markdown] lang="zh"
# ## 小结
#
# - 一句回复需要前文、事实，还要会说“不知道”。需要多长的记忆，数一数就知道。
# - 检索是很强的基线：句子无可挑剔，名字却会张冠李戴。
# - 编码器双向阅读；有了注意力，解码器可以回头看，不必把一切记在一个向量里。
# - 填充不能影响结果。要检验：单独读、一起读、再多补一些填充。
# - 教师强制让所有位置同时训练；但这样测出的分数不是机器人的真实水平。
# - 束搜索找到的是更可能的回复，不是更真实的回复。
# - BLEU 数的是词，chrF 数的是字符，事实正确率数的是真假，distinct-n 数的是花样。都要看，旁边还要有基线。
# - 沉默的阈值，要在含有机器人不可能知道的内容的数据上选，在另外的数据上评判。
#
# ## 延伸阅读
#
# - I. Sutskever、O. Vinyals、Q. Le（2014）：Sequence to sequence learning with neural networks。[arXiv:1409.3215](https://arxiv.org/abs/1409.3215)。
# - D. Bahdanau、K. Cho、Y. Bengio（2015）：Neural machine translation by jointly learning to align and translate。[arXiv:1409.0473](https://arxiv.org/abs/1409.0473)。加性注意力。
# - M.-T. Luong、H. Pham、C. Manning（2015）：Effective approaches to attention-based neural machine translation。[arXiv:1508.04025](https://arxiv.org/abs/1508.04025)。乘性注意力、输入馈送（input feeding）。
# - O. Vinyals、Q. Le（2015）：A neural conversational model。[arXiv:1506.05869](https://arxiv.org/abs/1506.05869)。用 Seq2Seq 做聊天机器人。
# - K. Papineni 等（2002）：BLEU: a method for automatic evaluation of machine translation，*ACL*。M. Popović（2015）：chrF: character n-gram F-score for automatic MT evaluation，*WMT*。
# - M. Post（2018）：A call for clarity in reporting BLEU scores。[arXiv:1804.08771](https://arxiv.org/abs/1804.08771)。sacrebleu 的出处。
# - C.-W. Liu 等（2016）：How NOT to evaluate your dialogue system。[arXiv:1603.08023](https://arxiv.org/abs/1603.08023)。为什么只看 BLEU 会误导人。
# - S. Bengio 等（2015）：Scheduled sampling for sequence prediction with recurrent neural networks。[arXiv:1506.03099](https://arxiv.org/abs/1506.03099)。暴露偏差。
# - S. Jain、B. Wallace（2019）：Attention is not explanation。[arXiv:1902.10186](https://arxiv.org/abs/1902.10186)。
