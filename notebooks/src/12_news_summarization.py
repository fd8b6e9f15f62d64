# ---
# jupyter:
#   labkit:
#     number: "12"
#     title_en: News summarization
#     title_zh: 新闻摘要
#     minutes: 150
# ---

# %% [markdown] lang="en"
# # 12 News summarization
#
# A long report goes in, one sentence comes out. Programs do this in two ways: they *choose* sentences of the report, or they *write* new ones. In this lesson you
# build both, and measure them against a rule that takes no learning at all: the first sentence.
#
# **After this lesson you can**
#
# - say what makes a good summary, and put a number on each part of it;
# - compute ROUGE by hand, for English and Chinese, and show a false summary that it likes;
# - write TextRank, and train a network that chooses sentences;
# - explain how a pointer-generator copies words that it has never seen;
# - fine-tune a small GPT until it writes fluent summaries, and find out which of them are false;
# - compare systems fairly: the same reports, intervals, a paired test, and a set that nobody trained on.
#
# **Time:** about 150 minutes with the exercises. You can stop after section 5 and go on another day.
#
# **Before:** [05 Embeddings, sequences, attention](05_embeddings_sequences_attention.ipynb) (attention) and [08 Text generation](08_text_generation.ipynb) (language models, beam search).

# %% [markdown] lang="zh"
# # 12 新闻摘要
#
# 输入一篇报道，输出一句话。程序有两种做法：从原文里*挑*句子（抽取式），或者*写*新句子（生成式）。本课两种都动手做，并且都要和一条什么也不用学的规则比一比：取第一句。
#
# **学完本课，你能够**：
#
# - 说清好摘要的标准，并给每条标准配一个数字；
# - 手算中英文的 ROUGE，并举出一篇它打高分的假摘要；
# - 写出 TextRank，训练一个挑句子的网络；
# - 讲清指针生成网络怎样复制它从没见过的词；
# - 把一个小 GPT 微调到能写出通顺的摘要，再查出其中哪些是假的；
# - 公平地比较系统：同一批报道、置信区间、配对检验，外加一个没有任何系统用来训练过的测试集。
#
# **时间**：约 150 分钟（含练习）。可以学完第 5 节先停下，改天继续。
#
# **预备知识**：[05 词向量、序列与注意力](05_embeddings_sequences_attention.ipynb)（注意力）和 [08 文本生成](08_text_generation.ipynb)（语言模型、束搜索）。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import re
import textwrap
from collections import Counter

import numpy as np
import torch

from labkit import plots, weights, widgets
from labkit.checks import check, hint, solution
from labkit.common import LabkitError, language, start
from labkit.results import Measure, report
from labkit.summaries import abstractive, extractive, reading, shipped, town_gpt
from labkit.summaries.evaluation import evaluate, score
from labkit.summaries.faithfulness import support
from labkit.summaries.fragments import compression, provenance
from labkit.summaries.gold import gold
from labkit.summaries.lead import lead
from labkit.summaries.reports import reports
from labkit.summaries.rouge import rouge, rouge_n, tokenize
from labkit.summaries.textrank import rank, similarities, textrank
from labkit.summaries.texts import extract, language_of, sentences_of

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. What is a summary?
#
# Here is a report that a person wrote, one in each language, and four attempts to summarize it. Read the report, and choose the best of the four before you look at the numbers.

# %% [markdown] lang="zh"
# ## 1. 什么是摘要？
#
# 下面是人写的报道，中英文各一篇，各配四份摘要。先读报道，选出你认为最好的一份，再看数字。

# %%
stories = {"en": gold("en")[1], "zh": gold("zh")[1]}
invented = {
    "en": "Bus line 7 has been cancelled because of snow; a taxi now stops in Orchard Street every fifteen minutes.",
    "zh": "荷花街拆迁时发现三十册两百多年前的手抄菜谱，房主把它们卖给了图书馆。",
}
attempts = {
    name: {
        "first sentence": lead(story.article, 1).text,
        "first three": lead(story.article, 3).text,
        "by hand": story.summary,
        "invented": invented[name],
    }
    for name, story in stories.items()
}
for name, story in stories.items():
    print(textwrap.fill(story.article, 110 if name == "en" else 55), "\n")
    for kind, text in attempts[name].items():
        print(f"   {kind:15}{text[:90]}")

# %% [markdown] lang="en"
# Three things are asked of a summary. It **keeps** the news. It **saves** words: its *compression* is the length of the article over its own. And it **invents nothing**:
# every name, number and date in it must stand in the article. The last two can be counted at once:

# %% [markdown] lang="zh"
# 对摘要有三项要求。一要**保住**新闻；二要**省字**：*压缩率*是原文长度除以摘要长度；三要**不编造**：里面每个名称、数字、日期都要在原文里找得到。后两项马上就能数出来：

# %%
for name, story in stories.items():
    for kind, text in attempts[name].items():
        missing = [claim.text for claim in support(text, story.article).unsupported]
        times = compression(text, story.article)
        print(f"{name} {kind:15}{times:5.1f} times shorter, not in the article: {missing}")

# %% [markdown] lang="en"
# The first sentence saves words and is true, and you do not learn from it what happened. The invented one sounds like news, and most of its claims come from nowhere. It takes a third number to say
# how much of the *news* is kept. That is section 3.
#
# ## 2. The news and its lead
#
# Journalists learn to put the news first, then the details (the *inverted pyramid*), so that an editor can cut from the end. So the first sentences, the *lead*, are a strong summary: on
# CNN/DailyMail, the data set of most papers, the first three sentences reached ROUGE-1 40.3 and the pointer-generator network with coverage 39.5 (See et al. 2017, table 1).
#
# Our reports come from two sources. *Generated* ones, with the facts behind them, are for training and testing. The main fact of a test report (who gave how much to whom) is in no training report. The *hand-written* ones, 62 a language, are for
# testing only. Many of both open with a scene, and tell the news later. Where does the sentence stand that shares most with the summary?

# %% [markdown] lang="zh"
# 第一句又短又真，可读完还是不知道出了什么事。编造的那句很像新闻，断言却多半没有出处。*新闻*保住了多少，还需要第三个数字，那是第 3 节的内容。
#
# ## 2. 新闻与导语
#
# 记者学的是先写要点、再写细节（*倒金字塔结构*），好让编辑从后往前删。所以开头几句，也就是*导语*，本身就是很强的摘要：在多数论文使用的 CNN/DailyMail 上，前三句的 ROUGE-1 是 40.3，而带覆盖机制的指针生成网络是 39.5（See 等，2017，表 1）。
#
# 我们的报道有两个来源。*生成的*报道带着背后的事实，用来训练和测试；测试报道的主要事实（谁给谁捐了多少）不会出现在训练报道里。*手写的*报道每种语言 62 篇，只用来测试。两种报道里都有许多是先写一个场面，后面才说正事。与摘要重合最多的那一句，排在第几？

# %%
LANGUAGES = ("en", "zh")
count = lab.pick(4, 40, 200)
sets = {
    "generated": {name: list(reports(name, split="test", count=count, seed=SEED)) for name in LANGUAGES},
    "by hand": {name: gold(name)[: lab.pick(4, 62, 62)] for name in LANGUAGES},
}


def best_place(one):
    """Where the sentence stands that shares most words with the summary, from 1."""
    scores = [rouge(sentence, one.summary)["rouge1"].f1 for sentence in sentences_of(one.article)]
    return 1 + int(np.argmax(scores))


# %%
shares = {}
for kind, by_language in sets.items():
    for name, found in by_language.items():
        places = [min(best_place(one), 8) for one in found]
        shares[f"{kind}, {name}"] = np.bincount(places, minlength=9)[1:] / len(places)
        print(f"{kind}, {name}: in {shares[f'{kind}, {name}'][0]:.0%} of {len(places)} the first sentence")
ax = plots.lines(
    range(1, 9), shares, xlabel="sentence (8: or later)", ylabel="share of reports", markers=True
)
plots.show(
    ax,
    alt="Share of reports by the place of the best sentence: high at the first, low at the second, and a hill from the fourth to the sixth.",
)

# %% [markdown] lang="en"
# In two to four of ten reports it is the first sentence, and hardly ever the second: either a report begins with its news, or it takes its time and tells it in the fourth or fifth sentence, or even later. So the lead is a good guess, but wrong more often than right. There is something to gain here.
#
# ## 3. ROUGE: how much of the reference is there?
#
# Somebody has written a *reference* summary. ROUGE counts the n-grams $g$ that summary $S$ and reference $R$ share. Where $g$ occurs $c_S(g)$ times in one and $c_R(g)$ times in the other, the smaller number counts (Lin 2004):
#
# $$P = \frac{\sum_g \min(c_S(g), c_R(g))}{\sum_g c_S(g)}, \quad Q = \frac{\sum_g \min(c_S(g), c_R(g))}{\sum_g c_R(g)}, \quad F_1 = \frac{2 P Q}{P + Q}$$
#
# $P$ is the *precision*, $Q$ the *recall*. ROUGE-1 counts words, ROUGE-2 pairs, and ROUGE-L takes the longest common *subsequence*: words in the same order, with gaps.
#
# **By hand.** Reference: `the mayor opened the new bridge` (6 words). Summary: `the new bridge was opened by the mayor` (8). Shared: *the* twice, *new, bridge, opened, mayor*: 6. So $P = 6/8$, $Q = 6/6$,
# $F_1 = 12/14 = 0.857$. Pairs: *the new, new bridge, the mayor*, 3 of 7 and of 5: $F_1 = 6/12 = 0.5$. In the same order stand three words, *the new bridge*: $F_1 = 6/14 = 0.429$. A Chinese pair is counted in the same way, by hanzi.

# %% [markdown] lang="zh"
# 十篇里有两到四篇是第一句，几乎从不是第二句：要么开门见山，要么慢慢道来，到第四、第五句甚至更后面才说。所以猜导语是有道理的，但猜错的时候比猜对的多，这就有了改进的余地。
#
# ## 3. ROUGE：参考摘要保住了多少？
#
# 请人写一份*参考摘要*。ROUGE 数的是摘要 $S$ 与参考 $R$ 共有的 n-gram（n 元词组）$g$；$g$ 在两边各出现 $c_S(g)$ 次和 $c_R(g)$ 次，按较少的算（Lin，2004）：
#
# $$P = \frac{\sum_g \min(c_S(g), c_R(g))}{\sum_g c_S(g)}, \quad Q = \frac{\sum_g \min(c_S(g), c_R(g))}{\sum_g c_R(g)}, \quad F_1 = \frac{2 P Q}{P + Q}$$
#
# $P$ 是*精确率*，$Q$ 是*召回率*。ROUGE-1 数单个的词，ROUGE-2 数相邻的两个词，ROUGE-L 取最长公共*子序列*：次序相同，中间可以有间隔。
#
# **手算**：参考“镇长为新桥剪彩”，摘要“新桥由镇长剪彩”，各 7 个字。中文没有空格，以字为单位。共有的字：镇、长、新、桥、剪、彩，共 6 个，$P = Q = F_1 = 6/7 = 0.857$。相邻两字：新桥、镇长、剪彩，各 6 对中的 3 对，$F_1 = 0.5$。次序一致的有 4 个字（新桥剪彩，或镇长剪彩），$F_1 = 4/7 = 0.571$。英文以词为单位：参考 `the mayor opened the new bridge`（6 个词），摘要 `the new bridge was opened by the mayor`（8 个词），共有 6 个（*the* 算两次），$P = 6/8$，$Q = 6/6$，$F_1 = 12/14 = 0.857$；相邻两词共有 3 对（*the new*、*new bridge*、*the mayor*），两边各有 7 对和 5 对，$F_1 = 6/12 = 0.5$；次序一致的有 3 个（*the new bridge*），$F_1 = 6/14 = 0.429$。

# %%
bridge = ("the new bridge was opened by the mayor", "the mayor opened the new bridge")
ours, theirs = (Counter(text.split()) for text in bridge)
shared = (ours & theirs).total()
print(f"shared {shared}: F1 = {2 * shared / (ours.total() + theirs.total()):.3f}")
for pair in (bridge, ("新桥由镇长剪彩", "镇长为新桥剪彩")):
    print({kind: round(value.f1, 3) for kind, value in rouge(*pair).items()})
assert np.isclose(rouge(*bridge)["rouge1"].f1, 12 / 14)
assert np.isclose(rouge(*bridge)["rouge2"].f1, 0.5)
assert np.isclose(rouge("新桥由镇长剪彩", "镇长为新桥剪彩")["rougeL"].f1, 4 / 7)

# %% [markdown] lang="en"
# ### Exercise 12.1: ROUGE-N (★★☆, 10 minutes)
#
# Write precision, recall and F1 for two lists of words. Think of a summary `the the the the`: how often may *the* count? And of a text that is shorter than $n$.

# %% [markdown] lang="zh"
# ### 练习 12.1：ROUGE-N 指标（★★☆，10 分钟）
#
# 给定两列词，写出精确率、召回率和 F1。想一想摘要是 `the the the the` 的情形：*the* 可以算几次？再想想文本比 $n$ 还短的情形。


# %% exercise="12.1"
def overlap(summary, reference, n):
    """(precision, recall, F1) of the n-grams of two lists of words; all 0 where they share none."""
    ### BEGIN SOLUTION
    ours = Counter(tuple(summary[i : i + n]) for i in range(len(summary) - n + 1))
    theirs = Counter(tuple(reference[i : i + n]) for i in range(len(reference) - n + 1))
    shared = (ours & theirs).total()
    if not shared:
        return 0.0, 0.0, 0.0
    precision, recall = shared / ours.total(), shared / theirs.total()
    return precision, recall, 2 * precision * recall / (precision + recall)
    ### END SOLUTION


# %%
check("12.1", overlap)
# hint("12.1")
# solution("12.1")

# %% [markdown] lang="en"
# ### Exercise 12.2: The longest common subsequence (★★★, 15 minutes)
#
# How many words do two lists share *in the same order*, gaps allowed? Fill a table: field $(i, j)$ holds the answer for the first $i$ and the first $j$ words. What is it when word $i$ and word $j$ are equal, and what when they are not?

# %% [markdown] lang="zh"
# ### 练习 12.2：最长公共子序列（★★★，15 分钟）
#
# 两列词*按相同次序*能对上几个？中间允许有间隔。提示：填一张表，第 $(i, j)$ 格是前 $i$ 个词与前 $j$ 个词的答案。第 $i$ 个与第 $j$ 个词相同时怎么填？不同时呢？


# %% exercise="12.2"
def common_in_order(one, other):
    """Length of the longest common subsequence of two lists of words, an int."""
    ### BEGIN SOLUTION
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    for i, word in enumerate(one, start=1):
        for j, candidate in enumerate(other, start=1):
            if word == candidate:
                table[i, j] = table[i - 1, j - 1] + 1
            else:
                table[i, j] = max(table[i - 1, j], table[i, j - 1])
    return int(table[-1, -1])
    ### END SOLUTION


# %%
check("12.2", common_in_order)
# hint("12.2")
# solution("12.2")

# %% [markdown] lang="en"
# **The same as the package?** `rouge-score` is what most papers use. Its tokens are runs of the letters a to z and of digits. Look at what becomes of *café*.

# %% [markdown] lang="zh"
# **与通用软件包一致吗？** 多数论文用的是 `rouge-score`，它的词元是 a 到 z 的字母和数字连成的串。请看 *café* 成了什么。

# %%
from rouge_score import rouge_scorer
from rouge_score.tokenizers import DefaultTokenizer

package = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
english = [(lead(one.article, 1).text, one.summary) for one in sets["by hand"]["en"]]
plain = [pair for pair in english if "".join(pair).isascii()]
for pair in plain:
    expected = package.score(pair[1], pair[0])
    assert all(np.allclose(value, expected[kind], atol=1e-12) for kind, value in rouge(*pair).items())
cut = DefaultTokenizer(use_stemmer=False).tokenize
print(
    f"equal for {len(plain)} of {len(english)}; 'the café':",
    tokenize("the café"),
    "package:",
    cut("the café"),
)

# %% [markdown] lang="en"
# And in Chinese? Each text below is compared with itself, or with one that says something else.

# %% [markdown] lang="zh"
# 中文呢？下面有的是与自己比，有的是与说另一件事的句子比。

# %%
print("tokens:", tokenize("Anna 买了3斤苹果"), "package:", cut("Anna 买了3斤苹果"))
whole = gold("zh")[0].summary
for pair in ((whole, whole), ("市政厅开会", "市政厅开会"), ("12号楼着火", "12月1日开会")):
    theirs, ours = package.score(*pair)["rouge1"][2], rouge(*pair)["rouge1"].f1
    print(f"package {theirs:.2f}, ours {ours:.2f}: {pair[0][:12]}, {pair[1][:12]}")

# %% [markdown] lang="en"
# In plain English both agree to the last digit; an accent already makes a difference. Of a Chinese text the package sees only figures and Latin letters: its 1.00 comes from equal *digits*, a summary without them scores 0 against itself, and two that have a 12 in common score high. Whoever
# takes over an English measure measures something else, without an error. So a hanzi is a token here. (Others segment the text into words first; then the scores depend on the segmenter. Always say which.)
#
# **What ROUGE does not see.** Three summaries of a report on a football match, in each language. Two are false. Before you run it: which score is highest, and which lowest?

# %% [markdown] lang="zh"
# 纯英文时两者分毫不差；带个重音符号就已经不同。中文里，软件包只看得见数字和拉丁字母：那个 1.00 只是因为*数字*相同；两样都没有的摘要，与自己比也是 0；而两句毫不相干的话，都有个 12 就能得高分。直接搬用英文的指标，测的就是别的东西，还不报错。所以这里以汉字为词元。（也有人先分词，那么得分就取决于分词器。无论如何都要写明。）
#
# **ROUGE 看不见什么**：中英文各一篇足球赛的报道，各有三份摘要，其中两份是假的。运行之前先想：哪份得分最高，哪份最低？

# %%
tellings = {
    "en": {
        "false, verbs": "A late header by substitute Daniel Ashe lost the match 2:1 and kept the town's team from the cup final on 21 June.",
        "false, a date": "A late header by substitute Daniel Ashe won the match 2:1 and took the town's team to the cup final on 14 June.",
        "true, own words": "Ashe scored shortly before the end, and the footballers will play for the cup.",
    },
    "zh": {
        "false, verbs": "“老伙计”队昨天3比2输掉全省业余足球赛决赛，这是本镇球队第一次丢掉奖杯，决胜球由六十二岁的孙为民打进。",
        "false, a name": "“老伙计”队昨天3比2夺得全省业余足球赛冠军，这是本镇球队第一次捧杯，决胜球由六十二岁的王建国打进。",
        "true, own words": "一支由街坊组成、平均年龄四十九岁的球队在全省决赛中爆冷取胜。",
    },
}
matches = {"en": gold("en")[13].summary, "zh": gold("zh")[6].summary}
for name, reference in matches.items():
    print("reference:", reference)
    for kind, text in tellings[name].items():
        values = rouge(text, reference)
        print(f"   {kind:16}" + "  ".join(f"{which} {value.f1:.2f}" for which, value in values.items()))

# %% [markdown] lang="en"
# A wrong verb, name or date makes the news false and costs little; a good summary in other words gets about a third of ROUGE-1 and hardly any ROUGE-2. **ROUGE says whether the same words are there, not whether the same is said.** It is of use for comparing systems over many reports, and of
# none for judging one summary. Faithfulness needs a measure of its own (section 8).
#
# What is the score of knowing nothing? Give each report the reference of another one:

# %% [markdown] lang="zh"
# 改错动词、名字或日期，新闻就成了假的，得分却掉得很少；换一种说法的好摘要，ROUGE-1 只有三分之一左右，ROUGE-2 几乎是零。**ROUGE 只管用词一不一样，不管意思一不一样。** 它可以用来在许多报道上比较系统，不能用来评判单独一份摘要。忠实与否，要另有指标（第 8 节）。
#
# 一无所知时是多少分？把每篇报道配上另一篇的参考摘要：

# %%
for kind, by_language in sets.items():
    for name, found in by_language.items():
        moved = score("of another report", [one.summary for one in found[1:] + found[:1]], found)
        print(
            f"{kind:10} {name}  ROUGE-1 {moved.estimate('rouge1').mean:.2f}, supported {moved.supported_share:.2f}"
        )

# %% [markdown] lang="en"
# So a ROUGE-1 between 0.1 and 0.2 is worth nothing at all. Keep this number; you will need it in section 11.
#
# Now the table that all systems will stand in: mean F1, compression, and the share of claims (names, numbers, dates, times) that the articles support. The first rows are the baselines.

# %% [markdown] lang="zh"
# 也就是说，ROUGE-1 在 0.1 到 0.2 之间，等于什么也没做到。记住这个数，第 11 节要用。
#
# 下面是以后所有系统都要填的表：平均 F1、压缩率，以及有出处的断言（名称、数字、日期、时间）所占的比例。先填基线。

# %%
results = {}


def measure(name, summarize, languages=LANGUAGES, batched=False):
    """Let a system summarize both sets in these languages; keep its scores and print them."""
    for kind, by_language in sets.items():
        for one in languages:
            articles = [written.article for written in by_language[one]]
            summaries = summarize(articles) if batched else map(summarize, articles)
            found = score(name, [summary.text for summary in summaries], by_language[one])
            results[name, kind, one] = found
            values = [found.values[which].mean() for which in ("rouge1", "rouge2", "rougeL", "compression")]
            row = "".join(f"{value:7.2f}" for value in [*values, found.supported_share])
            print(f"{name:18}{kind:10}{one:3}{row}")


print(f"{'':31}{'R-1':>7}{'R-2':>7}{'R-L':>7}{'compr.':>7}{'supp.':>7}")
measure("lead, 1", lambda article: lead(article, 1))
measure("lead, 3", lead)

# %% [markdown] lang="en"
# One sentence scores more than three: the references are one sentence long, and what is too long loses precision. So a system that beats Lead-3 may only have learned to be *short*. From here on every system stands beside Lead-1 too, and its length is in the table.
#
# ## 4. TextRank: sentences vote
#
# Without any learning: a sentence is important when it resembles other important sentences (Mihalcea and Tarau 2004). The similarity of two sentences is the number of different words that they share, divided by the sum of the logarithms of their lengths $n_i, n_j$:
#
# $$w_{ij} = \frac{|s_i \cap s_j|}{\ln n_i + \ln n_j}$$
#
# Each sentence shares its own score $p_i$ out to the others in proportion to $w_{ij}$. A part $1 - d$ of all scores is shared equally by all $S$ sentences, with $d = 0.85$ as in PageRank:
#
# $$p_j = \frac{1 - d}{S} + d \sum_i \frac{w_{ij}}{\sum_k w_{ik}}\, p_i$$
#
# **By hand.** Three sentences in a chain: 1 resembles 2, 2 resembles 1 and 3, all with $w = 1$. Sentences 1 and 3 give all they have to 2, which gives half to each. From $p = 1/3$ each, after one step:
# $p_2 = 0.05 + 0.85 \cdot 2/3 = 0.617$ and $p_1 = 0.05 + 0.85 \cdot 1/6 = 0.192$. In the end $p_2 = 0.05 + 0.85\,(1 - p_2)$, so $p_2 = 0.9 / 1.85 = 0.486$.

# %% [markdown] lang="zh"
# 一句的得分比三句高：参考摘要只有一句，太长就会损失精确率。所以打败 Lead-3 的系统，也许只是学会了*写短*。从现在起，每个系统旁边都放上 Lead-1，表里也列出长度。
#
# ## 4. TextRank：句子互相投票
#
# 不需要任何学习：与重要的句子相似的句子，也重要（Mihalcea、Tarau，2004）。两句有多像，看共有多少个不同的词，再除以长度 $n_i$、$n_j$ 的对数之和：
#
# $$w_{ij} = \frac{|s_i \cap s_j|}{\ln n_i + \ln n_j}$$
#
# 每个句子把自己的得分 $p_i$ 按 $w_{ij}$ 的比例分给别的句子；全部得分中有 $1 - d$ 由所有 $S$ 个句子平分，$d = 0.85$，与 PageRank 一样：
#
# $$p_j = \frac{1 - d}{S} + d \sum_i \frac{w_{ij}}{\sum_k w_{ik}}\, p_i$$
#
# **手算**：三个句子排成一串，1 与 2 相似，2 与 1、3 相似，$w$ 都是 1。句 1 和句 3 把票全投给句 2，句 2 给它们各投一半。从每句 $1/3$ 出发，走一步：$p_2 = 0.05 + 0.85 \cdot 2/3 = 0.617$，$p_1 = 0.05 + 0.85 \cdot 1/6 = 0.192$。最后 $p_2 = 0.05 + 0.85\,(1 - p_2)$，即 $p_2 = 0.9 / 1.85 = 0.486$。

# %%
chain = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
votes = chain / chain.sum(axis=1, keepdims=True)
p = np.full(3, 1 / 3)
for step in range(1, 81):
    p = 0.15 / 3 + 0.85 * votes.T @ p
    if step in (1, 2, 10, 80):
        print(f"step {step:2}: {p.round(3)}")
assert np.isclose(p[1], 0.9 / 1.85)
assert np.allclose(p, rank(chain))

# %% [markdown] lang="en"
# The end of this walk is an *eigenvector*: $p$ is the vector that the step leaves as it is. NumPy finds it without walking. Here for all hand-written English reports:

# %% [markdown] lang="zh"
# 这样走下去，终点是一个*特征向量*：走一步也不变的 $p$。NumPy 不用一步步走就能求出来。下面对全部英文手写报道核对一遍：


# %%
def by_eigenvector(weights, damping=0.85):
    """The vector that one step of TextRank leaves unchanged (S,), adding up to 1."""
    size = len(weights)
    totals = weights.sum(axis=1, keepdims=True)
    votes = np.divide(weights, totals, out=np.full_like(weights, 1 / size), where=totals > 0)
    values, vectors = np.linalg.eig((1 - damping) / size + damping * votes.T)
    largest = vectors[:, np.argmax(values.real)].real
    return largest / largest.sum()


matrices = [similarities(sentences_of(one.article)) for one in sets["by hand"]["en"]]
worst = max(np.abs(rank(one) - by_eigenvector(one)).max() for one in matrices)
print(f"{len(matrices)} reports, largest difference below 1e-6: {worst < 1e-6}")
assert worst < 1e-6

# %% [markdown] lang="en"
# ### Exercise 12.3: One step of TextRank (★★☆, 12 minutes)
#
# From scores (S,) and weights (S, S) give the scores after one step. Think of two things: what do all scores add up to, before and after? And a sentence that resembles none (a row of zeros) gives its vote to all alike.

# %% [markdown] lang="zh"
# ### 练习 12.3：TextRank 的一步（★★☆，12 分钟）
#
# 已知得分 (S,) 和权重 (S, S)，求走一步之后的得分。想清楚两件事：走之前和走之后，得分的总和各是多少？与谁都不相似的句子（一行全是 0），票由所有句子平分。


# %% exercise="12.3"
def vote(scores, weights, damping):
    """Scores after one step: (S,), (S, S), a number -> (S,)."""
    ### BEGIN SOLUTION
    size = len(scores)
    totals = weights.sum(axis=1, keepdims=True)
    shares = np.divide(weights, totals, out=np.full_like(weights, 1 / size), where=totals > 0)
    return (1 - damping) / size + damping * shares.T @ scores
    ### END SOLUTION


# %%
check("12.3", vote)
# hint("12.3")
# solution("12.3")

# %% [markdown] lang="en"
# Now a real report, one of those that open with a scene. The darker a field, the more alike two sentences are. Which sentence will win?

# %% [markdown] lang="zh"
# 换成真的报道，这是一篇先写场面、后说正事的。格子越深，两句越像。哪一句会胜出？

# %%
opening = gold("en")[8]
found = sentences_of(opening.article)
alike = similarities(found)
names = [str(n) for n in range(1, len(found) + 1)]
ax = plots.heatmap(alike, xlabel="sentence", ylabel="sentence", xticks=names, yticks=names, digits=1)
plots.show(
    ax, alt="Similarities of seven sentences; the fifth has the darkest row, so it resembles most others."
)
for name, value, sentence in zip(names, rank(alike), found):
    print(name, f"{value:.3f}", textwrap.shorten(sentence, 95))
print("reference:", opening.summary)
print("1 and 5 share:", sorted(set(tokenize(found[0])) & set(tokenize(found[4]))))

# %%
measure("TextRank, 1", lambda article: textrank(article, 1))
measure("TextRank, 3", textrank)

# %% [markdown] lang="en"
# Here it finds the news: the fifth sentence resembles most of the others. But look at what the first and the fifth share: all but one are words that stand in any text. They vote as much as *bridge* does. Over all reports there is no clear winner: with one sentence each, TextRank is ahead of the lead on generated English reports, behind on hand-written English and generated Chinese ones, and level on hand-written Chinese ones. Only one of the four is more than luck (section 9): the loss on
# hand-written English. It prefers long sentences (compression is lower than with Lead-1), and what is central in words is not always what is new. **A method that learns nothing cannot learn what news is.**
#
# ## 5. A network that chooses
#
# To learn to choose, a network needs to be told which sentences to choose. Nobody has marked them; but there are summaries. So the labels $y_i$ are made from these, greedily: take the sentence that raises the overlap with the reference most, then the next, until none raises it (Nallapati et al. 2017). The result is called the *oracle*, for it knows the reference.

# %% [markdown] lang="zh"
# 这一篇它找对了：第五句与其他各句最像。可是看看第一句和第五句共有的词：除了一个，都是哪篇文章里都有的虚词，投票的分量却和 *bridge* 一样重。放到全部报道上，没有明显的赢家：同样只取一句，TextRank 在生成的英文报道上领先导语，在手写的英文和生成的中文报道上落后，在手写的中文报道上打平。这四个差别里，只有手写英文上的落后不是运气（第 9 节）。它偏爱长句（压缩率比 Lead-1 低），而用词上处于中心的，不一定就是新鲜事。**什么都不学的方法，也就学不会什么是新闻。**
#
# ## 5. 会挑句子的网络
#
# 要学会挑，就得有人告诉它该挑哪句。没有人标注过句子，但有摘要。于是用贪心法由摘要造出标签 $y_i$：先取让重合度提高最多的句子，再取下一句，直到哪句都不能提高为止（Nallapati 等，2017）。因为用到了参考摘要，这个结果叫作*先知*（oracle）。

# %%
for name in LANGUAGES:
    one = sets["generated"][name][3]
    chosen = extractive.oracle(sentences_of(one.article), one.summary)
    for place, sentence in enumerate(sentences_of(one.article)):
        print("*" if place in chosen else " ", textwrap.shorten(sentence, 120))
    print("reference:", one.summary, "\n")

# %% [markdown] lang="en"
# ### Exercise 12.4: Labels from a summary (★★★, 15 minutes)
#
# `sentences` is a list of lists of words, `reference` a list of words. Choose greedily by the F1 of ROUGE-1, `rouge_n(words, reference, 1).f1`; of equal ones take the earlier. Return the places (counted from 0) in the order of the article. Think of two sentences that say the same: should the second one be chosen too?

# %% [markdown] lang="zh"
# ### 练习 12.4：由摘要造标签（★★★，15 分钟）
#
# `sentences` 是若干列词，`reference` 是一列词。用 ROUGE-1 的 F1，即 `rouge_n(words, reference, 1).f1`，按贪心法挑选；得分相同取靠前的；按原文次序返回位置（从 0 数起）。想一想：两句话说的是同一件事，第二句还该不该选？


# %% exercise="12.4"
def choose(sentences, reference):
    """Places of the sentences chosen by greed, sorted: list of lists of words, list of words -> list of int."""
    ### BEGIN SOLUTION
    chosen, best = [], 0.0
    while len(chosen) < len(sentences):
        scores = {}
        for place in range(len(sentences)):
            if place not in chosen:
                words = [word for one in sorted([*chosen, place]) for word in sentences[one]]
                scores[place] = rouge_n(words, reference, 1).f1
        place = max(scores, key=scores.get)  # of equal ones the first
        if scores[place] <= best:
            break
        chosen, best = [*chosen, place], scores[place]
    return sorted(chosen)
    ### END SOLUTION


# %%
check("12.4", choose)
# hint("12.4")
# solution("12.4")

# %% [markdown] lang="en"
# The network: a sentence is a vector $x_i$, the sum of the vectors of its words and pairs of words, divided by the square root of their number. A GRU (lesson 05) reads the sentences forwards and backwards, so that each knows what stands around it. The probability that sentence $i$ is chosen, and the loss, are
#
# $$q_i = \sigma(u^\top [\overrightarrow{h}_i; \overleftarrow{h}_i; x_i] + b), \quad L = -\frac{1}{S} \sum_i \left( y_i \ln q_i + (1 - y_i) \ln (1 - q_i) \right)$$
#
# **By hand.** Two sentences, $q = (0.9, 0.2)$, and only the first belongs to the summary: $L = -(\ln 0.9 + \ln 0.8) / 2 = (0.105 + 0.223) / 2 = 0.164$. Then the network learns from 300 English reports, in a few seconds:

# %% [markdown] lang="zh"
# 网络是这样的：一个句子表示为 $x_i$，即其中的词和词对的向量之和，除以个数的平方根。GRU（第 05 课）把各句从前往后、从后往前各读一遍，让每句都知道上下文。第 $i$ 句被选中的概率和损失是
#
# $$q_i = \sigma(u^\top [\overrightarrow{h}_i; \overleftarrow{h}_i; x_i] + b), \quad L = -\frac{1}{S} \sum_i \left( y_i \ln q_i + (1 - y_i) \ln (1 - q_i) \right)$$
#
# **手算**：两个句子，$q = (0.9, 0.2)$，只有第一句属于摘要：$L = -(\ln 0.9 + \ln 0.8) / 2 = (0.105 + 0.223) / 2 = 0.164$。下面用 300 篇英文报道训练，只要几秒钟：

# %%
q, y = torch.tensor([0.9, 0.2]), torch.tensor([1.0, 0.0])
print(f"loss {-(y * q.log() + (1 - y) * (1 - q).log()).mean():.3f}")
assert np.isclose(torch.nn.functional.binary_cross_entropy(q, y), 0.1643, atol=1e-4)

# %% tags=["nbval-ignore-output"]
training = list(reports("en", count=lab.pick(20, 300, 3000), seed=SEED))
steps = lab.pick(3, 120, 600)
here, history = extractive.train_extractive(training, steps=steps, batch_size=16, seed=SEED, progress=False)
measure("network, here", here.summarize, ["en"])
best = {
    kind: score("oracle", [
        extract(found, extractive.oracle(found, one.summary) or [0], "en").text
        for one in by_language["en"] for found in [sentences_of(one.article)]
    ], by_language["en"])
    for kind, by_language in sets.items()
}  # fmt: skip
for kind, found in best.items():
    print(f"{'oracle':18}{kind:10}en {found.values['rouge1'].mean():7.2f} (R-1)")
print(f"training loss: first {history.train['loss'][0]:.2f}, last {history.train['loss'][-1]:.2f}")

# %% [markdown] lang="en"
# After some seconds the network chooses nearly as well as the oracle, which is about the best that choosing can reach at all, and leaves the lead far behind: on the *generated* reports. On the *hand-written* ones it is worse than the lead! What does it choose there?

# %% [markdown] lang="zh"
# 几秒钟之后，网络挑得几乎和先知一样好（那大致就是挑句子所能达到的上限），把导语远远甩在后面：这是在*生成的*报道上。可是在*手写的*报道上，它还不如导语！它在那里挑了什么？

# %% tags=["nbval-ignore-output"]
lengths = {"chosen": [], "all": []}
for place, one in enumerate(sets["by hand"]["en"]):
    picked = here.summarize(one.article).text
    lengths["chosen"].append(len(tokenize(picked)))
    lengths["all"] += [len(tokenize(sentence)) for sentence in sentences_of(one.article)]
    if place in (1, 2, 8, 11):
        print("chosen:   ", textwrap.shorten(picked, 110))
        print("reference:", textwrap.shorten(one.summary, 110), "\n")
for name, found in lengths.items():
    print(f"{name:7} {np.mean(found):.1f} words a sentence")

# %% [markdown] lang="en"
# It has learned how the *generator* words its news: short sentences in a handful of patterns. In a report written by a person hardly a sentence looks like these, and it takes what comes closest: short ones, now and then the right one. The test on generated reports did not show this, although no test report was in the training: it came from the same source.
# **A test set from the training's source measures how well the source was learned, not the task.** Only a set from elsewhere tells.
#
# Does more training help? The shipped networks read ten times as many reports, in both languages:

# %% [markdown] lang="zh"
# 它学会的是*生成器*怎样写新闻：短句，就那么几种句式。人写的报道里几乎没有这样的句子，它就挑最像的，也就是短句，只是偶尔挑对。在生成的报道上测试看不出这一点，尽管测试报道都不在训练集里：两者出自同一个来源。**测试集与训练集同源，测出的是“来源学得像不像”，而不是“任务会不会做”。** 只有换一个来源的测试集才说明问题。
#
# 多训练些有用吗？附带的网络读过十倍的报道，两种语言都有：

# %%
extractors = {name: shipped.load_extractive(name) for name in LANGUAGES}
for name in LANGUAGES:
    card = weights.read_card(weights.find_shipped(f"news-extractive-{name}"))
    print(f"`{card.command}`, {card.seconds:.0f} s, {card.data}")
measure("network", lambda article: extractors[language_of(article)].summarize(article))

# %% [markdown] lang="en"
# On generated reports a little better still; on the hand-written ones hardly better than what was trained in seconds, and still below the lead. The fault is not in the amount of training but in what the training text is.
#
# ## 6. Writing: generate or copy
#
# A network that *writes* gives a probability to each word of its vocabulary, again and again (lesson 08). For news that is not enough: tomorrow's names and figures are in no vocabulary. So See et al. (2017) let the network also *copy*. It looks over the article with attention $a_i$ (lesson 05), and decides by $p_{gen}$ how much to trust
# its vocabulary:
#
# $$p(w) = p_{gen}\; p_{vocab}(w) + (1 - p_{gen}) \sum_{i : w_i = w} a_i, \quad p_{gen} = \sigma(v_c^\top c + v_s^\top s + v_x^\top x + b)$$
#
# Here $c$ is the context (the mean of the article's states, weighted by attention), $s$ the state of the decoder, $x$ the last word.
#
# **By hand.** Article: `a bicycle was stolen at the mill`. Let attention be 0.6 on *bicycle*, 0.3 on *mill*, 0.05 each on *was* and *stolen*; $p_{gen} = 0.4$. The vocabulary says *was* 0.5, *stolen* 0.2, *street* 0.2, *closed* 0.1. Then $p(\text{was}) = 0.4 \cdot 0.5 + 0.6 \cdot 0.05 = 0.23$,
# and $p(\text{bicycle}) = 0.6 \cdot 0.6 = 0.36$, although *bicycle* is not in the vocabulary.

# %% [markdown] lang="zh"
# 在生成的报道上又好了一点；在手写的报道上，比训练几秒钟的好不了多少，仍然不如导语。毛病不在训练多少，而在训练的文本是什么。
#
# ## 6. 写句子：生成还是复制
#
# *写*的网络一遍遍给词表里的每个词一个概率（第 08 课）。对新闻来说这还不够：明天的人名和数字，哪个词表里都没有。所以 See 等（2017）让网络还能*复制*：它用注意力 $a_i$（第 05 课）扫视原文，再由 $p_{gen}$ 决定有多信任自己的词表：
#
# $$p(w) = p_{gen}\; p_{vocab}(w) + (1 - p_{gen}) \sum_{i : w_i = w} a_i, \quad p_{gen} = \sigma(v_c^\top c + v_s^\top s + v_x^\top x + b)$$
#
# 其中 $c$ 是上下文向量（原文各状态按注意力加权平均），$s$ 是解码器的状态，$x$ 是上一个词。
#
# **手算**：原文 `a bicycle was stolen at the mill`。设注意力在 *bicycle* 上 0.6，*mill* 上 0.3，*was*、*stolen* 上各 0.05；$p_{gen} = 0.4$。词表给出 *was* 0.5、*stolen* 0.2、*street* 0.2、*closed* 0.1。于是 $p(\text{was}) = 0.4 \cdot 0.5 + 0.6 \cdot 0.05 = 0.23$，$p(\text{bicycle}) = 0.6 \cdot 0.6 = 0.36$，尽管词表里根本没有 *bicycle*。

# %%
words = ["was", "stolen", "street", "closed", "bicycle", "mill"]
p_vocabulary = np.array([0.5, 0.2, 0.2, 0.1, 0.0, 0.0])
attention = {"bicycle": 0.6, "was": 0.05, "stolen": 0.05, "mill": 0.3}
copied = np.array([attention.get(word, 0.0) for word in words])


def mixture_bars(p_gen):
    """Each word's probability in its two parts."""
    ax = plots.new_axes(6.4, 2.8)
    written, taken = p_gen * p_vocabulary, (1 - p_gen) * copied
    ax.bar(words, written, color=plots.COLORS[0], edgecolor="black", label="generated")
    ax.bar(words, taken, bottom=written, color="white", edgecolor="black", hatch="//", label="copied")
    ax.set_ylim(0, 0.65)
    numbers = ", ".join(f"{word} {p:.2f}" for word, p in zip(words, written + taken))
    return plots.finish(ax, "", "probability", f"p_gen = {p_gen:.1f}"), numbers


ax, numbers = mixture_bars(0.4)
plots.show(
    ax, alt="Stacked bars of six words: bicycle and mill are copied only, street and closed generated only."
)
print(numbers)
whole = 0.4 * p_vocabulary + 0.6 * copied
assert np.isclose(whole.sum(), 1)
assert np.isclose(whole[words.index("bicycle")], 0.36)

# %% [markdown] lang="en"
# **Predict.** Which two words vanish at $p_{gen} = 0$, and which two at $p_{gen} = 1$? Then move the slider. (On paper: the hatched parts vanish at 1, the full ones at 0.)

# %% [markdown] lang="zh"
# **先预测**：$p_{gen} = 0$ 时哪两个词会消失？$p_{gen} = 1$ 时又是哪两个？然后拖动滑块。（读纸质版的同学：取 1 时斜线部分消失，取 0 时实心部分消失。）

# %% tags=["nbval-ignore-output"]
widgets.explorer(mixture_bars, p_gen=(0.0, 1.0, 0.1, 0.4))

# %% [markdown] lang="en"
# ### Exercise 12.5: Generate or copy (★★☆, 12 minutes)
#
# Write the mixture for one step: `vocabulary` (V,), `attention` (S,), and `ids` (S,), the number of the word at each place of the article. Words beyond the vocabulary have numbers from V on; `size` is how many numbers there are in all. Think of an article in which a word occurs twice: what must its two attentions do?

# %% [markdown] lang="zh"
# ### 练习 12.5：生成还是复制（★★☆，12 分钟）
#
# 写出一步的混合分布：`vocabulary` (V,)，`attention` (S,)，以及 `ids` (S,)，即原文每个位置上那个词的编号。词表之外的词从 V 开始编号；`size` 是编号的总数。想一想：同一个词在原文里出现两次，两处的注意力该怎么办？


# %% exercise="12.5"
def mixture(p_gen, vocabulary, attention, ids, size):
    """Probabilities of all words: a number, (V,), (S,), (S,), an int -> (size,)."""
    ### BEGIN SOLUTION
    both = np.zeros(size)
    both[: len(vocabulary)] = p_gen * vocabulary
    np.add.at(both, ids, (1 - p_gen) * attention)
    return both
    ### END SOLUTION


# %%
check("12.5", mixture)
# hint("12.5")
# solution("12.5")

# %% [markdown] lang="en"
# The shipped networks have learned this from up to 12,000 reports a language. Their vocabulary is small on purpose: it leaves out every word that the article nearly always has when the summary has it, provided that at most half of all articles have it. These are the names, figures, months and streets, and so they can *only* be copied. With them in its vocabulary a network would write the names that it knows, whatever the report says. First the check that the network computes the formula, on a real article:

# %% [markdown] lang="zh"
# 附带的网络每种语言最多用 12,000 篇报道学成。词表是有意取小的：一个词（中文为字）只要出现在摘要里，就几乎总能在原文里找到，同时至多半数报道里有它，那就不收。人名、数字、月份、街道正是这样的词，所以它们*只能*复制。要是收进词表，网络就会去写自己熟悉的名字，不管报道里说的是谁。先在真的报道上核对：网络算的就是这个公式。

# %%
writers = {name: shipped.load_abstractive(name) for name in LANGUAGES}
one, writer = sets["generated"]["en"][2], writers["en"]
seen = abstractive.Encoded(one.article, writer.vocabulary)
read, extended = (torch.tensor([ids]) for ids in (seen.read, seen.extended))
with torch.no_grad():
    article, state = writer.model.read(read, extended, len(seen.copied))
    step, _ = writer.model.step(torch.tensor([abstractive.BOS]), state, article)
known, p_gen = writer.vocabulary.output_size, step.generate.item()
looked = np.zeros(known + len(seen.copied))
np.add.at(looked, seen.extended, step.attention[0].double().numpy())
assert np.allclose(step.probabilities[0, known:], (1 - p_gen) * looked[known:], atol=1e-6)
assert np.isclose(step.probabilities.sum(), 1, atol=1e-5)
print(f"{len(seen.words)} words, {len(seen.copied)} different ones outside the vocabulary:")
print("".join(seen.copied))

# %% [markdown] lang="en"
# Now let it write. For each word of the summary: with what probability was it copied rather than generated, and from where? Beam search (lesson 08) with four beams looks for the likeliest summary.

# %% [markdown] lang="zh"
# 让它写。摘要里的每个词，是复制来的概率有多大，从哪里复制的？用束宽为 4 的束搜索（第 08 课）找最可能的摘要。


# %% tags=["nbval-ignore-output"]
def copy_bars(written, title=""):
    """A bar for each word of a summary: how surely it was copied."""
    ax = plots.new_axes(9, 2.6)
    font = plots.chinese_font()
    names = [w.text if font or w.text.isascii() else f"#{n}" for n, w in enumerate(written)]
    ax.bar(range(len(written)), [w.copied for w in written], color=plots.COLORS[0], edgecolor="black")
    fonts = [font, "DejaVu Sans"] if font else ["DejaVu Sans"]
    ax.set_xticks(range(len(written)), names, rotation=60, fontfamily=fonts)
    ax.set_ylim(0, 1)
    return plots.finish(ax, "", "copied", title, legend=False)


written = writer.explain(one.article)
plots.show(
    copy_bars(written),
    alt="A bar for each word of a summary: high for names and figures, low for words of the house style.",
)
print(textwrap.fill(one.article, 110))
print("written:  ", writer.summarize(one.article).text)
print("reference:", one.summary)
print("copied:   ", [one.article[slice(*w.source)] for w in written if w.copied > 0.5])

# %% [markdown] lang="en"
# Names, places and figures are copied; the words between them, the house style of the summaries, are mostly generated. How good is it?

# %% [markdown] lang="zh"
# 人名、地名、数字是复制的；其间的字句，也就是摘要的固定写法，多半是生成的。总体水平如何？

# %%
measure("pointer-generator", lambda some: writers[language_of(some[0])].summarize_all(some), batched=True)

# %% [markdown] lang="en"
# On the generated reports it beats even the oracle of section 5, for it may write what no sentence of the article says in one piece. On the hand-written ones it fails like the network that chooses, and in Chinese it does still worse: it writes a sentence in the house style about something that the report is not about.
#
# ## 7. A language model that goes on with the summary
#
# Another way to write: take the GPT of the town (lesson 08), put the article in front and the word `Summary:` behind it, and let it go on. First as it is:

# %% [markdown] lang="zh"
# 在生成的报道上，它甚至超过第 5 节的先知，因为它可以写出原文没有任何一句完整说过的话。在手写的报道上，它和挑句子的网络一样失灵，在中文上还更糟：照固定写法写出一句话，说的却不是这篇报道的事。
#
# ## 7. 让语言模型接着写摘要
#
# 另一种写法：用小镇的 GPT（第 08 课），把报道放在前面，后面接上 `Summary:`，让它往下写。先看它本来的样子：

# %%
from labkit.text.shipped import load_town_gpt

gpt, tokenizer = load_town_gpt()
examples = sets["generated"]["en"][:4]
print("...", town_gpt.prompt_of(examples[0].article, gpt, tokenizer)[-60:])
untaught = town_gpt.GPTSummarizer(gpt, tokenizer)
for one, found in zip(examples, untaught.summarize_all([one.article for one in examples])):
    print("->       ", textwrap.shorten(found.text, 110))
    print("reference:", one.summary)

# %% [markdown] lang="en"
# It has never seen a summary, and just goes on with the story. So it is *fine-tuned* (lesson 06): all weights learn to continue articles with their summaries; only the tokens of the summary count in the loss. In this notebook for ten steps:

# %% [markdown] lang="zh"
# 它从没见过摘要，只会接着讲故事。所以要*微调*（第 06 课）：全部权重都参加训练，学着在报道后面接上摘要，损失只算摘要部分的词元。本课只微调十步：

# %% tags=["nbval-ignore-output"]
options = {"steps": lab.pick(1, 10, 300), "batch_tokens": lab.pick(512, 1024, 4096), "seed": SEED}
tuned, history = town_gpt.finetune_gpt(gpt, tokenizer, training[:200], progress=False, **options)
print("loss:", [round(value, 2) for value in history.train["loss"]][:: max(1, options["steps"] // 6)])
for one, found in zip(examples, tuned.summarize_all([one.article for one in examples])):
    print("->       ", found.text)
    print("reference:", one.summary)
measure("GPT, tuned here", tuned.summarize_all, ["en"], batched=True)

# %% [markdown] lang="en"
# Ten steps are enough for the *form*: one sentence in the house style, mostly fluent. Look at the content again. Is it the right person who gave the money, the right street? The last column gives the share of names and figures that the article supports; of the others it knows nothing. A model that was not made to copy *invents*: what stands in its sentence is
# what often stands there. This is called *hallucination*, and the better the style, the later it is noticed.
#
# ## 8. Is it true?
#
# labkit reads the *claims* of a text: names, numbers, dates, times, in a form that compares: "forty" is 40, "half past six" is 18:30 or 6:30. A claim is *supported* if the article makes it too. Chinese names have no capital letters, so there a list of the town's names is used.

# %% [markdown] lang="zh"
# 十步就学会了*形式*：一句话，写法对，大体通顺。再看内容：捐钱的是那个人吗？是那条街吗？最后一列是名称和数字中有出处的比例，其余的报道里根本没有。不专门学复制的模型会*编*：句子里那个位置上常出现什么，它就填什么。这叫*幻觉*；文笔越好，越晚被发现。
#
# ## 8. 说的是真的吗？
#
# labkit 从文本里读出*断言*：名称、数字、日期、时间，并化成可以比较的形式：“四十”就是 40，“六点半”就是 18:30 或 6:30。原文也有同样的断言，就算*有出处*。中文的专名没有大写字母可认，所以用的是小镇的名称表（人名、地名、街名等）。

# %%
english = "On 3 June at 18:30 Tom Reed beat Lucy Hart at the stadium. He got 40 crowns."
chinese = "6月3日晚上六点半，林晓雨在体育场战胜王建国，奖金40克朗。"
for text, article in (
    ("Tom Reed won forty crowns at half past six on 3 June.", english),
    ("Tom Hart won 40 crowns on 4 June.", english),
    ("Lucy Hart beat Tom Reed on 3 June.", english),
    ("晓雨6月4日获四十克朗。", chinese),
    ("王建国6月3日战胜林晓雨。", chinese),
):
    found = support(text, article)
    print(text, "\n   ", [f"{claim.kind}: {claim.text}" for claim in found.claims])
    print("    not supported:", [claim.text for claim in found.unsupported])

# %% [markdown] lang="en"
# The third summary turns the result round, and so does the last, and nothing is found: the measure says *that* a name occurs, not what is said of it. Nor does it know that 49 is "nearly fifty". It is a net with wide meshes. What it catches is nearly always wrong; what passes may still be wrong. And a summary that names nothing is never caught: read this measure beside ROUGE, never alone.
#
# ### Exercise 12.6: Figures that nobody gave (★★☆, 8 minutes)
#
# Give the figures (runs of digits) of a summary that are not among the figures of the article, in their order, each as often as it stands there. Think of `12` and an article with `125`.

# %% [markdown] lang="zh"
# 第三份和最后一份摘要把胜负说反了，却什么也没查出来：这个指标只管名字*出没出现*，不管说了什么。它也不知道 49 就是“近五十”。这是一张网眼很大的网：网住的几乎都是错的，漏过去的不一定对。什么都不说，当然也不会说错：这个指标要与 ROUGE 一起看，不能单独看。
#
# ### 练习 12.6：没有出处的数字（★★☆，8 分钟）
#
# 找出摘要里有、原文里没有的数字（连续的数码），按出现的次序列出，出现几次列几次。想一想：摘要里是 `12`，原文里是 `125`。


# %% exercise="12.6"
def unsupported_figures(summary, article):
    """Figures of the summary that the article does not give: str, str -> list of str."""
    ### BEGIN SOLUTION
    said = set(re.findall(r"\d+", article))
    return [figure for figure in re.findall(r"\d+", summary) if figure not in said]
    ### END SOLUTION


# %%
check("12.6", unsupported_figures)
# hint("12.6")
# solution("12.6")

# %% [markdown] lang="en"
# Four systems on English reports. What chooses sentences cannot invent. What writes can:

# %% [markdown] lang="zh"
# 四个系统在英文报道上的结果。挑句子的编不出东西，写句子的就难说了：

# %% tags=["nbval-ignore-output"]
systems = ["lead, 1", "network", "pointer-generator", "GPT, tuned here"]
axes = plots.new_axes(9, 3.2, columns=2, sharey=True)
for ax, kind in zip(axes, sets):
    found = {name.replace(", ", ",\n").replace("-", "-\n"): results[name, kind, "en"] for name in systems}
    parts = {name: one.supported_share for name, one in found.items()}
    plots.bars(parts, ylabel="claims supported", title=kind, ax=ax)
    for name in systems:
        one = results[name, kind, "en"]
        print(f"{kind:10}{name:18}{one.supported:4} of {one.claims:4} claims supported")
plots.show(
    axes,
    alt="Shares of supported claims: 1 for what chooses sentences; for the pointer-generator 1 on generated reports and nine tenths on hand-written ones; far less for the GPT.",
)

# %% [markdown] lang="en"
# The pointer-generator, which can only copy names, supports every claim on generated reports, and nine of ten on hand-written ones; the GPT is far from that. The race is not fair: one learned for a quarter of an hour and more, the other for seconds (in `full` mode the GPT gets 300 steps). But it shows what copying is for. It is more than a way round a small vocabulary: it keeps the summary to the article.
#
# ## 9. Side by side
#
# Which differences are luck? Each system summarized the *same* reports, so they are compared report by report: the mean of the differences, its 95 % interval by drawing the reports anew (bootstrap), and $p$, how often such a difference would come by luck alone (lesson 08).

# %% [markdown] lang="zh"
# 指针生成网络的名字只能靠复制，在生成的报道上每条断言都有出处，在手写的报道上十条有九条；GPT 差得远。这场比赛并不公平：一个学了一刻钟以上，一个只学了几秒钟（`full` 模式下 GPT 训练 300 步）。但它说明了复制的用处：不只是词表小的权宜之计，还让摘要不离原文。
#
# ## 9. 放在一起比较
#
# 哪些差别只是运气？各系统摘要的是*同样的*报道，所以逐篇相比：差值的平均、重新抽取报道得到的 95% 区间（自助法），以及 $p$，即单凭运气出现这么大差别的概率（第 08 课）。

# %% tags=["nbval-ignore-output"]
pairs = [("TextRank, 1", "lead, 1"), ("network", "lead, 3"), ("network", "lead, 1")]
pairs += [("pointer-generator", "network")]
for kind in sets:
    for name in LANGUAGES:
        for ours, other in pairs:
            found = results[ours, kind, name].compare(results[other, kind, name])
            spread = f"{found.low:+.3f} to {found.high:+.3f}"
            print(
                f"{kind:10}{name:3} {ours:>17} - {other:8} ROUGE-L {found.mean:+.3f} ({spread}), p {found.p:.4f}"
            )


# %%
def twin_bars(ax, systems, language):
    """ROUGE-L of systems with its intervals: full bars for generated reports, hatched ones for those by hand."""
    for side, (kind, hatch) in ((-0.19, ("generated", "")), (0.19, ("by hand", "//"))):
        found = np.array(
            [results[one, kind, language].estimate("rougeL") for one in systems]
        )  # mean, low, high
        style = {"color": "white" if hatch else plots.COLORS[0], "hatch": hatch, "edgecolor": "black"}
        spread = np.abs(found[:, 1:].T - found[:, 0])
        ax.bar(np.arange(len(systems)) + side, found[:, 0], 0.38, yerr=spread, capsize=3, label=kind, **style)
    ax.set_xticks(range(len(systems)), [one.replace("-", "-\n") for one in systems], rotation=30)
    plots.finish(ax, "", "ROUGE-L", language)


# %% tags=["nbval-ignore-output"]
axes = plots.new_axes(9, 3.4, columns=2, sharey=True)
for ax, name in zip(axes, LANGUAGES):
    twin_bars(ax, ["lead, 3", "lead, 1", "TextRank, 1", "network", "pointer-generator"], name)
plots.show(
    axes,
    alt="ROUGE-L of five systems: on generated reports it rises from lead to pointer-generator, on hand-written ones it falls.",
)
for name in LANGUAGES:
    for kind in sets:
        lead_value, best_value = (
            results[one, kind, name].estimate("rougeL").mean for one in ("lead, 1", "pointer-generator")
        )
        print(f"{name} {kind:10} lead, 1: {lead_value:.2f}, pointer-generator: {best_value:.2f}")

# %% [markdown] lang="en"
# On generated reports each step is real: the network that chooses beats the lead, and what writes beats what chooses. On the hand-written ones the lead is ahead of both, and that is just as real: it has learned nothing, so it has nothing wrong to unlearn. (Of the two networks the one that writes is behind the one that chooses, but only in Chinese is that more than luck.) Which of the two results would you have seen in a paper that measures on one source only?
# Systems that people use learn from hundreds of thousands of reports by many hands; the cure is not a cleverer network but broader text.
#
# ## 10. Read for yourself
#
# Numbers do not replace reading. The panel shows a report and a summary; equal words have equal numbers in both, and a claim that the article does not support is underlined with a question mark. Choose another system, write a summary of your own, or paste your own article.
# Without the panel: where the pieces of two summaries came from, one in each language.

# %% [markdown] lang="zh"
# 在生成的报道上，每一步提高都是真的：挑句子的网络胜过导语，写句子的又胜过挑句子的。到了手写的报道上，导语反而胜过两个网络，而且同样是真的：导语什么也没学，也就没有学偏的东西。（两个网络之间，写句子的落在挑句子的后面，但只有中文上的差别不是运气。）如果一篇论文只在一个来源上测，你会看到哪一种结果？实际使用的系统，学的是几十万篇出自众人之手的报道；药方不是更巧的网络，而是更广的文本。
#
# ## 10. 自己读一读
#
# 数字代替不了阅读。面板并排显示报道和摘要：相同的词句在两边编号相同；没有出处的断言加下划线和问号。可以换系统，自己写一份摘要，也可以贴入自己的文章。不用面板也能看：下面列出中英文各一份摘要的各段来自哪里。

# %%
for one in (sets["by hand"]["en"][0], sets["by hand"]["zh"][0]):
    print(one.summary)
    for fragment in provenance(one.summary, one.article).fragments:
        if fragment.tokens > 1:
            start_at, end_at = fragment.article
            print(f"   {one.article[start_at:end_at]!r} from character {start_at}")

# %% tags=["nbval-ignore-output"]
reading.reader(
    {
        "lead, 3": lead,
        "TextRank": lambda article: textrank(article, 1),
        "network": lambda article: extractors[language_of(article) or "en"].summarize(article),
        "pointer-generator": lambda article: writers[language_of(article) or "en"].summarize(article),
        "GPT": tuned.summarize,
    },
    [*sets["by hand"][language()][:12], *sets["generated"][language()][:8]],
)

# %% [markdown] lang="en"
# People paste anything. A system must give a sensible result or say what is wrong:

# %% [markdown] lang="zh"
# 用户什么都可能贴进来。系统要么给出合理的结果，要么说清哪里不对：

# %%
inputs = {
    "empty": "   ",
    "figures alone": "12:30, 48",
    "one sentence": "The bridge is open.",
    "in Chinese": gold("zh")[0].article,
    "in Russian": "Мост открыт. Дорога закрыта.",
    "very long": " ".join(one.article for one in sets["by hand"]["en"]),
}
tried = {
    "lead": lead,
    "TextRank": textrank,
    "network": extractors["en"].summarize,
    "writer": writers["en"].summarize,
}
for kind, text in inputs.items():
    for name, summarize in tried.items():
        try:
            answer = f"{len(tokenize(summarize(text).text))} words"
        except LabkitError as error:
            answer = f"refused: {textwrap.shorten(str(error), 70)}"
        print(f"{kind:14}{len(tokenize(text)):5} words  {name:9}{answer}")

# %% [markdown] lang="en"
# Nothing breaks. Of a single short sentence the writer makes a longer one: it has never read so short a report. It refuses languages other than its own, for it could only write nonsense there; of a very long text it reads the first 400 words (hanzi in Chinese). That is a decision that a user must be told.
#
# **Your own reports.** One JSON object a line with `article` and `summary` (JSONL). With a network connection and the library `datasets`, `labkit.summaries.sources.cnn_dailymail("test", 100)` gives reports of CNN/DailyMail in the same form.

# %% [markdown] lang="zh"
# 哪个都没有崩溃。只有一个短句时，写句子的网络写出来的反而更长：它从没读过这么短的报道。它拒绝别的语言，因为写出来也只能是胡话；太长的文本它只读前 400 个词（中文为字）。这样的取舍，应当告诉用户。
#
# **用自己的报道**：每行一个 JSON 对象，含 `article` 和 `summary`（JSONL 格式）。如果有网络，并装了 `datasets` 库，`labkit.summaries.sources.cnn_dailymail("test", 100)` 会以同样的形式给出 CNN/DailyMail 的报道。

# %%
import tempfile
from pathlib import Path

from labkit.summaries.sources import load_reports

mine = Path(tempfile.mkdtemp()) / "mine.jsonl"
mine.write_text(
    '{"article": "The bakery was shut for a week. On Monday the new oven came. Bread is sold again from Tuesday.", '
    '"summary": "The bakery has a new oven and sells bread again from Tuesday."}\n'
    '{"article": "面包房停业了一周。星期一新烤炉运到了。星期二起恢复卖面包。", "summary": "面包房换了新烤炉，星期二起恢复营业。"}\n',
    encoding="utf-8",
)
own = load_reports(mine)
for name, summarize in {
    "lead, 1": lambda text: lead(text, 1),
    "TextRank, 1": lambda text: textrank(text, 1),
}.items():
    print(f"{name:12} ROUGE-1 {evaluate(name, summarize, own).estimate('rouge1').mean:.2f}")
mine.write_text('{"article": "The bakery was shut."}', encoding="utf-8")
try:
    load_reports(mine)
except LabkitError as error:
    print("refused:", error)

# %% [markdown] lang="en"
# ## 11. Break it
#
# A colleague wants the evaluation to be faster: "Articles of equal length go well into one batch, so I sort them first." Then they measure on *new* generated reports, and conclude: "The network does not generalize. On new reports it is hardly better than the lead." No error appears. Read the code, then the numbers. Do you agree?

# %% [markdown] lang="zh"
# ## 11. 找出故障
#
# 一位同事想让评估快一点：“长度差不多的文章放在一批里正合适，所以我先排了序。”然后在*新的*生成报道上测量，得出结论：“这个网络不能泛化，在新报道上比导语好不了多少。”没有任何报错。先读代码，再看数字。你同意吗？


# %%
def score_in_batches(name, summarize, found):
    """Summaries are made in the order of length, so that a batch needs little padding."""
    order = sorted(range(len(found)), key=lambda place: len(found[place].article))
    summaries = [summarize(found[place].article).text for place in order]
    return score(name, summaries, found)


fresh = list(reports("en", split="test", count=lab.pick(8, 60, 200), seed=SEED + 9))
tried = {"lead, 1": lambda article: lead(article, 1), "network": extractors["en"].summarize}
theirs = {name: score_in_batches(name, summarize, fresh) for name, summarize in tried.items()}
for name, found in theirs.items():
    print(
        f"{name:10} ROUGE-1 {found.estimate('rouge1').mean:.2f}, ROUGE-L {found.estimate('rougeL').mean:.2f}"
    )

# %% [markdown] lang="en"
# **Before you read on:** the numbers are bad, but not 0. Which measure of this lesson has a value that you know *without measuring*, for a system that only chooses sentences? And what did section 3 say a ROUGE-1 of this size is worth?

# %% [markdown] lang="zh"
# **往下读之前**：数字不好，但也不是 0。对于只挑句子的系统，本课有哪个指标的值是*不用测就知道*的？另外，第 3 节说过，这么大的 ROUGE-1 值多少？

# %%
for name, found in theirs.items():
    print(
        f"{name:10} words that stand in the article {found.estimate('coverage').mean:.2f}, claims supported {found.supported_share:.2f}"
    )
mended = {name: evaluate(name, summarize, fresh) for name, summarize in tried.items()}
for name, found in mended.items():
    print(
        f"{name:10} mended: ROUGE-1 {found.estimate('rouge1').mean:.2f}, words that stand in the article {found.estimate('coverage').mean:.2f}"
    )
assert all(np.allclose(found.values["coverage"], 1) for found in mended.values())
assert MODE == "smoke" or theirs["network"].supported_share < 0.5

# %% [markdown] lang="en"
# A sentence of the article holds words of the article only: coverage must be 1, and all claims must be supported. Both are far below. So the summaries are not those of these articles: they were made in the order of length, and compared in the order of the file. ROUGE gave no alarm, since any two reports share *the*, *on*, *crowns*, and its value is just that
# of another report's summary (section 3). The fix: put the summaries back in their places, or do not sort. The lesson: **measure something whose value you know beforehand**. The reference scored against itself must give 1, what is extracted must be covered, references shuffled among the reports must give the level of chance.
#
# ## 12. What was measured
#
# The intervals come from drawing the reports anew; each network was trained with one seed, so they say nothing about another training.

# %% [markdown] lang="zh"
# 原文里的句子，用的当然都是原文的词：覆盖率必须是 1，断言必须全部有出处。可是两项都低得多。所以这些摘要根本不是这些文章的：做的时候按长度排了序，比的时候却按文件的次序。ROUGE 没有报警，因为任何两篇报道都有 *the*、*on*、*crowns*，它的值恰好就是“别人的摘要”的水平（第 3 节）。改法：把摘要放回原位，或者别排序。教训：**总要测一个事先知道答案的量**。参考摘要与自己比必须是 1；抽取的句子必须被原文覆盖；参考摘要在报道之间打乱，只能得到随机水平。
#
# ## 12. 测量结果
#
# 区间来自对报道重新抽样；每个网络只用一个种子训练过，所以区间不说明重新训练会怎样。


# %%
def rouge_measure(system, kind, one, baseline="lead, 3"):
    """ROUGE-L of a system beside a baseline on the same reports."""
    mean, low, high = results[system, kind, one].estimate("rougeL")
    base = results[baseline, kind, one].estimate("rougeL").mean
    return Measure(f"ROUGE-L, {system}, {kind}, {one}", mean, base, baseline, interval=(low, high))


def truth_measure(kind, one):
    """Claims that the article supports, mean over reports: what writes by copying."""
    mean, low, high = results["pointer-generator", kind, one].estimate("faithful")
    return Measure(f"claims supported, pointer-generator, {kind}, {one}", mean, interval=(low, high))


# %% tags=["nbval-ignore-output"]
report(
    *(rouge_measure("pointer-generator", "generated", one) for one in LANGUAGES),
    *(rouge_measure("network", "generated", one) for one in LANGUAGES),
    *(rouge_measure("pointer-generator", "by hand", one, "lead, 1") for one in LANGUAGES),
    *(rouge_measure("network", "by hand", one, "lead, 1") for one in LANGUAGES),
    *(truth_measure(kind, one) for kind in sets for one in LANGUAGES),
    rouge_measure("network, here", "generated", "en"),
    rouge_measure("GPT, tuned here", "generated", "en"),
)

# %% [markdown] lang="en"
# ## Summary
#
# - A summary keeps the news, saves words, and invents nothing. Each of these has its own number.
# - The first sentence is a strong baseline, since reporters write the news first; it is not always the summary. Give lengths too: where references are short, a short text scores higher.
# - ROUGE counts equal words. It needs a tokenizer that fits the language, has a level of chance above 0, and does not see a lie.
# - TextRank lets sentences vote; its scores are an eigenvector.
# - A network that chooses learns from labels made of summaries. A network that writes must copy names and figures; the mixture of generating and copying is one line.
# - A language model learns the form of summaries in a moment and their truth much later. Count the claims that no article supports.
# - Test on text from elsewhere. On the source that one trained on everything looks good.
# - Measure something whose value you know beforehand; it finds faults that raise no error.
#
# ## Further reading
#
# - C.-Y. Lin (2004), ROUGE: a package for automatic evaluation of summaries. *ACL Workshop*, [aclanthology.org/W04-1013](https://aclanthology.org/W04-1013).
# - R. Mihalcea, P. Tarau (2004), TextRank: bringing order into texts. *EMNLP*, [aclanthology.org/W04-3252](https://aclanthology.org/W04-3252).
# - S. Brin, L. Page (1998), The anatomy of a large-scale hypertextual web search engine. *Computer Networks* 30.
# - R. Nallapati, F. Zhai, B. Zhou (2017), SummaRuNNer: a recurrent neural network based sequence model for extractive summarization. [arXiv:1611.04230](https://arxiv.org/abs/1611.04230).
# - A. See, P. Liu, C. Manning (2017), Get to the point: summarization with pointer-generator networks. [arXiv:1704.04368](https://arxiv.org/abs/1704.04368).
# - M. Grusky, M. Naaman, Y. Artzi (2018), Newsroom. [arXiv:1804.11283](https://arxiv.org/abs/1804.11283). Coverage, density, compression.
# - J. Maynez et al. (2020), On faithfulness and factuality in abstractive summarization. [arXiv:2005.00661](https://arxiv.org/abs/2005.00661).
# - P. Koehn (2004), Statistical significance tests for machine translation evaluation. *EMNLP*, [aclanthology.org/W04-3250](https://aclanthology.org/W04-3250).

# %% [markdown] lang="zh"
# ## 小结
#
# - 摘要要保住新闻、省字、不编造，每一条都有各自的数字。
# - 第一句是很强的基线，因为记者先写要点；但它不总是摘要。还要报告长度：参考摘要短的时候，写得短得分就高。
# - ROUGE 数的是相同的词。分词方式要适合语言；它的随机水平高于 0；它看不出谎话。
# - TextRank 让句子互相投票，得分是一个特征向量。
# - 挑句子的网络靠由摘要造出的标签来学；写句子的网络必须能复制人名和数字，生成与复制的混合只有一行公式。
# - 语言模型一会儿就学会摘要的形式，要说真话还早得很。要数一数没有出处的断言。
# - 要用别处来的文本测试。在训练用的那个来源上，什么都显得很好。
# - 总要测一个事先知道答案的量，不报错的毛病就这样现形。
#
# ## 延伸阅读
#
# - C.-Y. Lin（2004）：ROUGE: a package for automatic evaluation of summaries。*ACL Workshop*，[aclanthology.org/W04-1013](https://aclanthology.org/W04-1013)。
# - R. Mihalcea、P. Tarau（2004）：TextRank: bringing order into texts。*EMNLP*，[aclanthology.org/W04-3252](https://aclanthology.org/W04-3252)。
# - S. Brin、L. Page（1998）：The anatomy of a large-scale hypertextual web search engine。*Computer Networks* 30。
# - R. Nallapati、F. Zhai、B. Zhou（2017）：SummaRuNNer: a recurrent neural network based sequence model for extractive summarization。[arXiv:1611.04230](https://arxiv.org/abs/1611.04230)。
# - A. See、P. Liu、C. Manning（2017）：Get to the point: summarization with pointer-generator networks。[arXiv:1704.04368](https://arxiv.org/abs/1704.04368)。
# - M. Grusky、M. Naaman、Y. Artzi（2018）：Newsroom。[arXiv:1804.11283](https://arxiv.org/abs/1804.11283)。覆盖率、密度、压缩率的出处。
# - J. Maynez 等（2020）：On faithfulness and factuality in abstractive summarization。[arXiv:2005.00661](https://arxiv.org/abs/2005.00661)。
# - P. Koehn（2004）：Statistical significance tests for machine translation evaluation。*EMNLP*，[aclanthology.org/W04-3250](https://aclanthology.org/W04-3250)。
