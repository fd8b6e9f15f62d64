# ---
# jupyter:
#   labkit:
#     number: "08"
#     title_en: Text generation
#     title_zh: 文本生成
#     minutes: 140
# ---

# %% [markdown] lang="en"
# # 08 Text generation
#
# A language model does one thing: it gives a probability to every token that could come next. Everything else, from a
# sentence to a dialogue, comes from asking again and again. In this lesson three kinds of model write about the same
# small town, and no sample is believed before there is a number beside it.
#
# **After this lesson you can**
#
# - build a bigram model by hand, and say what smoothing is for;
# - compare models by bits per character, and say when two perplexities may not be compared;
# - train an n-gram model, an LSTM and a GPT on the same text in the same time, and judge the result fairly;
# - write temperature and top-p yourself, and choose a decoding method by measurement;
# - measure repetition, variety, copying, grammar, and whether a text keeps to given facts;
# - recognize by their numbers the faults that most often spoil such programs.
#
# **Time:** about 140 minutes with the exercises. You can stop after section 6 and go on another day.
#
# **Before:** [03 Loss functions](03_loss_functions.ipynb) (cross-entropy, perplexity) and
# [05 Embeddings, sequences, attention](05_embeddings_sequences_attention.ipynb) (tokens, LSTM, attention).

# %% [markdown] lang="zh"
# # 08 文本生成
#
# 语言模型只做一件事：给每个可能的下一个词元一个概率。从一句话到一段对话，都是一遍遍这样问出来的。本课让三类模型写同一座小镇；每看一段样例，旁边都要有数字，没有数字就不下结论。
#
# **学完本课，你能够**：
#
# - 亲手实现二元（bigram）模型，说清平滑的用处；
# - 用每字符比特数比较模型，说清什么时候两个困惑度不能比；
# - 用同样的文本、同样的时间训练 n-gram 模型、LSTM 和 GPT，并公平地评价结果；
# - 自己写出温度和 top-p，凭测量来选解码方法；
# - 测量重复、多样性、照抄、语法，以及文本是否忠于给定的事实；
# - 从数字上认出这类程序最常见的毛病。
#
# **时间**：约 140 分钟（含练习）。可以学完第 6 节先停下，改天继续。
#
# **预备知识**：[03 损失函数](03_loss_functions.ipynb)（交叉熵、困惑度）和 [05 词向量、序列与注意力](05_embeddings_sequences_attention.ipynb)（词元、LSTM、注意力）。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import itertools
import math
import time

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from labkit import functions, metrics, plots, weights, widgets
from labkit.checks import check, hint, solution
from labkit.common import set_seed, start
from labkit.results import Measure, report
from labkit.text import decoding, scores, shipped, town
from labkit.text.corpus import PackedBatches
from labkit.text.decoding import Sampling
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.lstm import LSTMConfig, LSTMLanguageModel
from labkit.text.ngram import NGram
from labkit.text.tokenizer import BPETokenizer
from labkit.text.training import LanguageModelTask, evaluate_loss, make_optimizers, only_logits

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. A text from notes
#
# The course comes with a GPT that was trained on texts about a made-up town, in English and Chinese. Many of those texts
# open with *notes*, the facts that the text then tells. So we can hand it the notes of a text that it has never seen, and
# let it write. Look at the notes, then at the text: which facts are in it?

# %% [markdown] lang="zh"
# ## 1. 照着资料写
#
# 课程附带一个 GPT，它在一座虚构小镇的中英文短文上训练过。其中许多短文开头带有*资料*，也就是正文要讲的事实。所以我们可以把一篇它没见过的短文的资料交给它，让它来写。先看资料，再看正文：写进去了哪些事实？

# %%
writer, tokenizer = shipped.load_town_gpt()
(example,) = town.documents("en", split="test", seed=SEED + 2, count=1, kinds=["report"], notes_share=1.0)
written = decoding.complete(writer, tokenizer, example.notes + "\n", max_new_tokens=lab.pick(40, 160, 160))
print(example.notes)
print("-----")
print(written)
print("-----\nthe text that the town itself tells of these facts:")
print(example.text)

# %% [markdown] lang="en"
# It reads well. But one good sample proves nothing. The town has its own judge: it knows the whole grammar of the town
# and the facts, and says of each sentence whether it is grammatical, and whether it is true. Look at the two columns on the left.

# %% [markdown] lang="zh"
# 读起来不错。不过一个好样例证明不了什么。小镇有自己的“裁判”：它懂得小镇的全部语法，也知道事实，能逐句判断合不合语法、是不是真的。请看左边两列。

# %%
for verdict in town.check_text(written, example.facts, "en").verdicts:
    print(f"grammatical {verdict.grammatical!s:5}  true {verdict.consistent!s:5}  {verdict.sentence}")

# %% [markdown] lang="en"
# `None` stands for a sentence that states no fact, `False` for one that says what the notes do not say, however well it sounds. A judge like this exists only because the town is made up; for texts of
# the real world nobody has one. That is why we practise here: every measure of this lesson can be checked.
#
# ## 2. The corpus
#
# Two parts: what the models learn from, and what they are judged on. The *main fact* of a held-out text (who lost
# what where) is the main fact of no training text. Look at the sizes.

# %% [markdown] lang="zh"
# `None` 表示这句话没有陈述事实；`False` 表示它说了资料里没有的事，读起来再顺也没用。正因为小镇是虚构的，才会有这样的裁判；真实世界的文本没有。我们在这里练习，就是因为本课的每个指标都可以核对。
#
# ## 2. 语料
#
# 语料分两部分：一部分给模型学，一部分用来评估（验证集）。验证集里每篇短文的*主要事实*（谁在哪里丢了什么）都不会是训练文本的主要事实。请看两部分的大小。

# %%
kilobytes = lab.pick(60, 600, 2_000)
training = [d.full for d in town.documents("en", seed=0, size_bytes=1000 * kilobytes)]
held_out = [d.full for d in town.documents("en", split="test", count=lab.pick(12, 100, 400))]
for name, texts in {"training": training, "held out": held_out}.items():
    print(f"{name:9} {len(texts):5} texts, {sum(map(len, texts)):7} characters")
print(f"held-out texts that are in the training text, word for word: {len(set(held_out) & set(training))}")
assert not set(held_out) & set(training)

# %% [markdown] lang="en"
# ## 3. Counting: the n-gram model
#
# The oldest language model counts. A *bigram* model looks at one token back: how often did $w$ follow $h$? Never is not
# impossible, so $k$ is added to each count (*smoothing*), over a vocabulary of $V$:
#
# $$p(w \mid h) = \frac{c(h\,w) + k}{\sum_{w'} c(h\,w') + k V}$$
#
# **By hand.** The text `the baker sells bread . the baker sleeps .` has $V = 6$ different words. After *baker* came
# *sells* once and *sleeps* once, so with $k = 1$: $p(\text{sells} \mid \text{baker}) = (1 + 1) / (2 + 6) = 0.25$, and
# $p(\text{bread} \mid \text{baker}) = (0 + 1) / (2 + 6) = 0.125$. The same by counting:

# %% [markdown] lang="zh"
# ## 3. 数数：n-gram 模型
#
# 最古老的语言模型就是数数。*二元*（bigram）模型只往回看一个词元：$w$ 跟在 $h$ 后面出现过几次？没出现过不等于不可能，所以给每个计数都加上 $k$（*平滑*），词表大小记为 $V$：
#
# $$p(w \mid h) = \frac{c(h\,w) + k}{\sum_{w'} c(h\,w') + k V}$$
#
# **手算**：文本 `the baker sells bread . the baker sleeps .` 有 $V = 6$ 个不同的词。*baker* 后面出现过一次 *sells*、一次 *sleeps*，取 $k = 1$：$p(\text{sells} \mid \text{baker}) = (1 + 1) / (2 + 6) = 0.25$，$p(\text{bread} \mid \text{baker}) = (0 + 1) / (2 + 6) = 0.125$。再用代码数一遍：

# %%
words = ["the", "baker", "sells", "bread", ".", "the", "baker", "sleeps", "."]
V = len(set(words))
after_baker = [second for first, second in itertools.pairwise(words) if first == "baker"]
for word in ("sells", "bread"):
    print(f"p({word} | baker) = {(after_baker.count(word) + 1) / (len(after_baker) + V):.3f}")
assert (after_baker.count("sells") + 1) / (len(after_baker) + V) == 0.25

# %% [markdown] lang="en"
# ### Exercise 08.1: A bigram model with smoothing (★☆☆, 8 minutes)
#
# Write the whole table: row $h$, column $w$ holds $p(w \mid h)$. Think of two things: what does each *row* add up to, and
# what stands in the row of a token that never had a successor?

# %% [markdown] lang="zh"
# ### 练习 08.1：带平滑的二元模型（★☆☆，8 分钟）
#
# 写出整张表：第 $h$ 行第 $w$ 列是 $p(w \mid h)$。想清楚两件事：每*一行*加起来等于多少？某个词元从来没有后继，它那一行是什么？


# %% exercise="08.1"
def bigram_table(tokens, vocab_size, k):
    """p(w | h) with k added to each count: list of ids -> (V, V), a row for each first token."""
    ### BEGIN SOLUTION
    counts = torch.full((vocab_size, vocab_size), float(k))
    for i in range(len(tokens) - 1):
        counts[tokens[i], tokens[i + 1]] += 1
    return counts / counts.sum(dim=1, keepdim=True)
    ### END SOLUTION


# %%
check("08.1", bigram_table)
# hint("08.1")
# solution("08.1")

# %% [markdown] lang="en"
# Adding $k$ is crude. labkit's `NGram` does it better: *modified Kneser-Ney* takes a little from each count, gives it to
# the shorter context, and asks there not how often a word occurred but after how many *different* words (Chen and Goodman
# 1998). It works on tokens: a byte pair encoding with 512 tokens, learned on the training text only. A document
# begins and ends with a token of its own.

# %% [markdown] lang="zh"
# 加 $k$ 的办法很粗糙。labkit 的 `NGram` 做得更好：*改进的 Kneser-Ney 平滑*从每个计数里扣下一点，分给更短的上下文；在那里问的不是一个词出现过多少次，而是它跟在多少个*不同*的词后面（Chen、Goodman，1998）。它以词元为单位：用的是词表大小为 512 的 BPE，只在训练文本上学习。每篇短文的首尾各有一个专门的词元。


# %%
def encode(tokenizer, text):
    """The document as ids, with the end token before and after it."""
    return [tokenizer.eos_id, *tokenizer.encode(text), tokenizer.eos_id]


small_tokenizer = BPETokenizer.train(training, 512)
tokens = np.concatenate([encode(small_tokenizer, text)[1:] for text in training])
print(f"{len(tokens)} tokens, {sum(map(len, training)) / len(tokens):.2f} characters a token")
print([small_tokenizer.token_text(token) for token in small_tokenizer.encode("The baker sells bread.")])

# %% [markdown] lang="en"
# ## 4. How good is a model? Bits per character
#
# A model reads a held-out text and pays $-\ln p$ for each token, in nats (lesson 03). Divided by the number of *tokens* this gives
# the loss, and $e^{\text{loss}}$ is the *perplexity*. But whoever cuts a text into fewer tokens has fewer to pay for. So we divide by
# what the tokenizer cannot change, the *characters*, and count in bits:
#
# $$\text{bits per character} = \frac{-\sum_t \ln p(w_t \mid w_{<t})}{C \ln 2}$$
#
# **By hand.** Let `bread` be two tokens, with the probabilities 1/4 and 1/16. They cost $2 + 4 = 6$ bits; over 5 characters
# that is 1.2 bits a character. The perplexity is $2^{6/2} = 8$ a token.

# %% [markdown] lang="zh"
# ## 4. 模型有多好？每字符比特数
#
# 模型读一段没见过的文本，每个词元付出 $-\ln p$ 奈特（第 03 课）。除以*词元*数就是损失，$e^{\text{损失}}$ 就是*困惑度*。可是谁把文本切成的词元少，谁付账的次数就少。所以要除以分词器改变不了的东西，也就是*字符*数，并以比特为单位：
#
# $$\text{每字符比特数} = \frac{-\sum_t \ln p(w_t \mid w_{<t})}{C \ln 2}$$
#
# **手算**：设 `bread` 切成两个词元，概率是 1/4 和 1/16。代价是 $2 + 4 = 6$ 比特，分给 5 个字符，每字符 1.2 比特。困惑度是每词元 $2^{6/2} = 8$。

# %%
log_p = np.log([1 / 4, 1 / 16])
by_hand = -log_p.sum() / (len("bread") * math.log(2))
print(f"bits per character {by_hand:.4f}, perplexity {math.exp(-log_p.mean()):.4f}")
assert np.isclose(by_hand, 1.2)
assert np.isclose(by_hand, scores.bits_per_character_from(log_p, "bread"))
assert np.isclose(functions.perplexity(torch.tensor(-log_p.mean())), 8.0)

# %% [markdown] lang="en"
# ### Exercise 08.2: Bits per character from nats (★☆☆, 6 minutes)
#
# `nats` (N,) holds the cost $-\ln p$ of each token of `text`. What does one *character* cost, in bits? Think of a Chinese text: how many
# characters has 面包?

# %% [markdown] lang="zh"
# ### 练习 08.2：由奈特计算每字符比特数（★☆☆，6 分钟）
#
# `nats` 的形状是 (N,)，是 `text` 里每个词元的代价 $-\ln p$。平均每个*字符*的代价是多少比特？想想中文文本：“面包”有几个字符？


# %% exercise="08.2"
def bits_a_character(nats, text):
    """Costs -ln p of the tokens of a text (N,) -> bits per character, a float."""
    ### BEGIN SOLUTION
    return float(nats.sum()) / (len(text) * math.log(2))
    ### END SOLUTION


# %%
check("08.2", bits_a_character)
# hint("08.2")
# solution("08.2")

# %% [markdown] lang="en"
# Now the judge for whole models. Every document is scored *by itself*, from its first token on, so that all models see the same:
# the document so far, and nothing before it. The end of the document counts as a character.

# %% [markdown] lang="zh"
# 下面给整个模型打分。每篇短文*单独*评分，从第一个词元开始，这样所有模型看到的都一样：本篇前面的内容，再往前什么也没有。文末也算一个字符。


# %%
def token_costs(model, ids):
    """-ln p of each token after the first, given all before it: (N - 1,)."""
    if isinstance(model, NGram):
        return -model.log_probabilities(ids)[1:]
    with torch.no_grad():
        logits = only_logits(model(torch.tensor([ids[:-1]])))[0]  # (N - 1, V)
    return F.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none").numpy()


def held_out_bits(model, tokenizer, texts=held_out):
    """Each document's bits, divided by the mean length: their mean is all bits / all characters."""
    bits = [token_costs(model, encode(tokenizer, text)).sum() / math.log(2) for text in texts]
    return np.array(bits) / np.mean([len(text) + 1 for text in texts])


ids = encode(tokenizer, held_out[0])
print(f"the shipped GPT on one held-out text: {token_costs(writer, ids).mean():.2f} nats per token")
assert np.isclose(token_costs(writer, ids).mean(), evaluate_loss(writer, ids, len(ids)), rtol=1e-4)


# %% [markdown] lang="en"
# The n-gram models of order 1 to 5. Two columns: on held-out text, and on the *training* text. Before you run it: which of them
# tells you which order to choose?

# %% [markdown] lang="zh"
# 下面是 1 到 5 阶的 n-gram 模型。有两列数字：验证集上的，和*训练*文本上的。运行之前先想：该看哪一列来选阶数？

# %%
for order in range(1, 6):
    model = NGram(order, vocab_size=small_tokenizer.vocab_size).fit(tokens)
    unseen = held_out_bits(model, small_tokenizer).mean()
    seen = held_out_bits(model, small_tokenizer, training[:100]).mean()
    print(f"order {order}: held out {unseen:.2f} bits per character, on training text {seen:.2f}")
assert MODE == "smoke" or seen < 0.8 * unseen

# %% [markdown] lang="en"
# On its own training text the model looks far better than it is: it has the answers in its tables. **A figure measured on training
# text says nothing about new text**, and it always praises the largest model. The held-out column gains little from order 4 to
# order 5. We keep order 5 as the baseline.
#
# ## 5. LSTM and GPT, in the same time
#
# A network is trained to predict the next token at all positions at once. The text is cut into windows of $T + 1$ tokens, and the
# targets are the inputs *shifted by one*:

# %% [markdown] lang="zh"
# 在自己的训练文本上，模型看起来比实际好得多：答案就在它的表里。**在训练文本上测出的数字，说明不了新文本上的表现**，而且总是偏向最大的模型。验证集那一列，从 4 阶到 5 阶已经改善不多。我们取 5 阶作为基线。
#
# ## 5. 同样的时间，LSTM 和 GPT
#
# 网络在所有位置上同时学习预测下一个词元。文本切成 $T + 1$ 个词元的窗口，目标就是输入*错开一位*：

# %%
batches = PackedBatches(tokens, sequence_length=64, batch_size=8, seed=lab.seed, windows="epoch")
inputs, targets = batches(0)
for name, row in {"inputs ": inputs[0, :9], "targets": targets[0, :9]}.items():
    print(name, [small_tokenizer.token_text(int(token)) for token in row])
assert torch.equal(inputs[:, 1:], targets[:, :-1])

# %% [markdown] lang="en"
# ### Exercise 08.3: The loss of the next token (★★☆, 8 minutes)
#
# Here there is no separate target: `logits` (B, T, V) are the outputs for `tokens` (B, T) themselves. Write the mean cross-entropy
# of the next token. Think of the last position: what is its target?

# %% [markdown] lang="zh"
# ### 练习 08.3：下一个词元的损失（★★☆，8 分钟）
#
# 这里没有单独的目标：`logits` 的形状是 (B, T, V)，就是模型对 `tokens` (B, T) 自身的输出。写出下一个词元的平均交叉熵。想一想最后一个位置：它的目标是什么？


# %% exercise="08.3"
def next_token_loss(logits, tokens):
    """Mean cross-entropy in nats of each next token: (B, T, V), (B, T) -> a number."""
    ### BEGIN SOLUTION
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    ### END SOLUTION


# %%
check("08.3", next_token_loss)
# hint("08.3")
# solution("08.3")

# %% [markdown] lang="en"
# Each network gets the same text, the same tokens, one thread, and the same number of seconds; the learning
# rate falls to 0 as the clock runs out. It is the processor's clock, so that another program on the computer disturbs nobody, and judging in
# between stops it. On a computer that does nothing else, these are seconds of the clock on the wall.

# %% [markdown] lang="zh"
# 每个网络用同样的文本、同样的词元、一个线程和同样多的秒数；时间用完时，学习率正好降到 0。计的是处理器时间，别的程序占用电脑也不影响公平；中途评估时停表。电脑没有别的事做时，它就等于实际经过的秒数。


# %%
def train_for(seconds, model, learning_rate, marks=5):
    """Train until the clock has run for so many seconds: number of steps, and [(seconds, bits per character)]."""
    clock, step, curve = 0.0, 0, []
    optimizers = make_optimizers(model, learning_rate, matrices="adamw")
    rates = [LambdaLR(o, lambda n: min((n + 1) / 10, max(0.0, 1 - clock / seconds))) for o in optimizers]
    task = LanguageModelTask(model, optimizers, rates)
    while clock < seconds:
        begin = time.process_time()
        task.step(batches(step))
        clock, step = clock + time.process_time() - begin, step + 1
        if clock >= (len(curve) + 1) * seconds / marks:
            curve.append((clock, held_out_bits(model.eval(), small_tokenizer).mean()))
    return step, curve


# %% tags=["nbval-ignore-output"]
budget = lab.pick(0.2, 8, 60)  # seconds for each network
size = {"vocab_size": small_tokenizer.vocab_size}
set_seed(lab.seed)
small = {
    "LSTM": LSTMLanguageModel(LSTMConfig(**size, embedding_size=128, hidden_size=256, num_layers=1)),
    "GPT": GPT(GPTConfig(**size, hidden_size=96, num_layers=2, num_kv_heads=2, max_positions=1024)),
}
runs = {name: train_for(budget, model, 6e-3) for name, model in small.items()}
begin = time.process_time()
small["n-gram"] = NGram(5, vocab_size=small_tokenizer.vocab_size).fit(tokens)
counting = time.process_time() - begin
for name, (steps, curve) in runs.items():
    print(f"{name:6} {small[name].num_parameters():7} parameters, {steps:4} steps of {inputs.numel()} tokens")

# %% [markdown] lang="en"
# Before you go on: which is best after these few seconds? Write the order down. Then look at the curves, and at the level line of
# the n-gram model.

# %% [markdown] lang="zh"
# 往下看之前：这么几秒钟之后，谁最好？把你认为的名次写下来。然后看曲线，再看 n-gram 模型那条横线。

# %% tags=["nbval-ignore-output"]
small_bits = {name: held_out_bits(model, small_tokenizer) for name, model in small.items()}
times = {name: [second for second, _ in curve] for name, (_, curve) in runs.items()}
curves = {name: [value for _, value in curve] for name, (_, curve) in runs.items()}
times["n-gram"], curves["n-gram"] = [counting, budget], [small_bits["n-gram"].mean()] * 2
ax = plots.lines(times, curves, xlabel="seconds of training", ylabel="held-out bits per character")
plots.show(
    ax, alt="Bits per character fall with the seconds for LSTM and GPT; the n-gram line lies below both."
)
for name, bits in small_bits.items():
    seconds = counting if name == "n-gram" else budget
    print(f"{name:6} {seconds:6.2f} s  {bits.mean():.2f} bits per character")

# %% [markdown] lang="en"
# Counting wins, and by far: it needs a fraction of a second, and it used the whole text, of which the networks saw only
# a part (how much depends on the processor). The LSTM is ahead of the GPT, step for step too; it has nearly twice as many parameters. **With little text and little time, count.**
# A comparison that leaves this baseline out can make any network look good. The curves of the networks still fall, while the n-gram model
# has nothing left to learn from this text.
#
# ## 6. More time: the shipped models
#
# The shipped GPT and LSTM were trained on 14 MB of each language, the GPT then on more. They are the same kind of model as above, only larger, and
# they share one tokenizer of 4,096 tokens. Their cards say how they were made, on what machine, and in what time:

# %% [markdown] lang="zh"
# 数数赢了，而且遥遥领先：它只花了零点几秒，还用上了全部文本，而两个网络只来得及看一部分（看多少取决于处理器）。LSTM 领先 GPT，按步数比也领先，不过它的参数多了将近一倍。**文本少、时间少的时候，就数数。** 比较时漏掉这个基线，什么网络都能显得很好。不过网络的曲线还在下降，n-gram 模型却已经从这段文本里学不到什么了。
#
# ## 6. 更多的时间：附带的模型
#
# 附带的 GPT 和 LSTM 都用中英文各 14 MB 的文本训练过，GPT 之后又用了更多文本。它们与上面的模型同类，只是更大，并且共用一个词表大小为 4,096 的分词器。模型卡记录了它们是怎样训练的、在什么机器上、用了多长时间：

# %%
reader, _ = shipped.load_town_lstm()
for name, model in {"town-gpt": writer, "town-lstm": reader}.items():
    card = weights.read_card(weights.find_shipped(name))
    print(f"{name}: {model.num_parameters() / 1e6:.1f} M parameters, `{card.command}`, {card.seconds:.0f} s")
    print(f"   {card.data}\n   {card.notes.splitlines()[0]}")

# %% [markdown] lang="en"
# **A note on fairness.** Whoever compares models must say what each of them was given.
#
# | | n-gram | LSTM | GPT |
# |---|---|---|---|
# | tokens, held-out texts | the same | the same | the same |
# | context when scored | the document so far, of which it uses 4 tokens | the document so far, in one state | the document so far, all of it |
# | training text | English, amount below | 14 MB English, 14 MB Chinese | as the LSTM; then more, texts with notes only |
# | training time | a second or so | on its card | on its card |
#
# So the comparison says which of these *models* is better, not which *kind* of model: the GPT had more text and more time than the LSTM. And both
# networks read more text than the n-gram model does here. How much would it gain from more? `MODE = "full"` goes up to the same 14 MB of English.

# %% [markdown] lang="zh"
# **公平性说明**：比较模型，必须说清给了每个模型什么。
#
# | | n-gram | LSTM | GPT |
# |---|---|---|---|
# | 词元、验证集 | 相同 | 相同 | 相同 |
# | 评分时的上下文 | 本篇前文，但只用到 4 个词元 | 本篇前文，压进一个状态 | 本篇前文，全部看得到 |
# | 训练文本 | 英文，数量见下 | 英文 14 MB，中文 14 MB | 与 LSTM 相同；之后再加同样多的、全带资料的短文 |
# | 训练时间 | 一秒左右 | 见模型卡 | 见模型卡 |
#
# 所以这个比较说明的是哪个*模型*更好，而不是哪*类*模型更好：GPT 用的文本和时间都比 LSTM 多。两个网络读的文本也都比这里的 n-gram 模型多。文本再多，n-gram 模型还能好多少？`MODE = "full"` 时会用到同样的 14 MB 英文。

# %%
amounts = lab.pick([100], [500, 1000, 2000], [500, 2000, 14_000])  # kB
stream = town.documents("en", seed=0, size_bytes=1000 * amounts[-1])
corpus = np.concatenate([encode(tokenizer, document.full)[1:] for document in stream])
for amount in amounts:
    part = corpus[: len(corpus) * amount // amounts[-1]]
    counted = NGram(5, vocab_size=tokenizer.vocab_size).fit(part)
    value = held_out_bits(counted, tokenizer).mean()
    print(f"n-gram on {amount:5} kB ({len(part)} tokens): {value:.2f} bits per character")

# %% tags=["nbval-ignore-output"]
models = {"n-gram": counted, "LSTM": reader, "GPT": writer}
large_bits = {name: held_out_bits(model, tokenizer) for name, model in models.items()}
means, spreads = {}, {}
for name, bits in large_bits.items():
    means[name], *spreads[name] = metrics.bootstrap_interval(bits)
ax = plots.bars(means, ylabel="held-out bits per character", intervals=spreads)
plots.show(ax, alt="Bars of bits per character: the n-gram model is the highest, the GPT the lowest.")
num_tokens = sum(len(encode(tokenizer, text)) - 1 for text in held_out)
characters = sum(len(text) + 1 for text in held_out)
for name, mean in means.items():
    perplexity = 2 ** (mean * characters / num_tokens)
    print(f"{name:6} {mean:.3f} bits per character, perplexity {perplexity:.2f} per token")

# %% [markdown] lang="en"
# Now the order is turned round. The intervals come from drawing the documents anew (bootstrap). They are wide, since some documents are
# harder than others, but hard ones are hard for all. So compare the models *document by document*:

# %% [markdown] lang="zh"
# 现在名次倒过来了。区间来自对短文重新抽样（自助法，bootstrap）。区间较宽，因为短文有难有易；但难的对谁都难。所以要*逐篇*比较：

# %% tags=["nbval-ignore-output"]
for left, right in (("GPT", "LSTM"), ("LSTM", "n-gram")):
    difference, low, high, p = metrics.paired_bootstrap(large_bits[left], large_bits[right])
    print(f"{left} - {right}: {difference:+.3f} bits per character, 95 % interval {low:+.3f} to {high:+.3f}")
cost = {
    name: [token_costs(model, encode(tokenizer, text))[:60] for text in held_out if len(text) > 300]
    for name, model in models.items()
}
for name, rows in cost.items():
    rows = np.array([row for row in rows if len(row) == 60])
    print(
        f"{name:6} nats per token, tokens 1-20: {rows[:, :20].mean():.2f}, 41-60: {rows[:, 40:].mean():.2f}"
    )

# %% [markdown] lang="en"
# A perplexity of 2 means: at each token the model is as unsure as between two equally likely ones. Compare perplexities only where the *tokens* are the
# same, as in this table. The small models of section 5 have much shorter tokens; only bits per character may stand beside these.
#
# The last lines show where the gain comes from. Further into a document there is more to look back at: names, places, dates. The GPT, which
# sees all of it, pays much less there than at the beginning. The n-gram model, which sees four tokens, gains next to nothing.
#
# ## 7. From probabilities to text
#
# The model gives a distribution. *Decoding* makes a text of it. Here is the distribution at one place, as the shipped GPT sees it.

# %% [markdown] lang="zh"
# 困惑度是 2，就好比模型每到一个词元，都要在两个同样可能的选项之间犹豫。只有*词元*相同，困惑度才能比，上表就是如此。第 5 节小模型的词元，长度只有这里的一半多一点，能与这里并列的只有每字符比特数。
#
# 最后几行说明了差距从何而来。越往后，可以回头看的东西越多：人名、地名、日期。GPT 全都看得见，后面付出的代价比开头小得多；n-gram 模型只看得见四个词元，几乎没占到便宜。
#
# ## 7. 从概率到文本
#
# 模型给出的是一个分布，*解码*把它变成文本。下面是附带的 GPT 在某一处给出的分布。


# %%
def next_logits(prompt):
    """Logits (V,) of the token after a prompt."""
    with torch.no_grad():
        return writer(torch.tensor([[tokenizer.eos_id, *tokenizer.encode(prompt)]]))[0, -1]


prompt = "The weather was"
p = functions.softmax(next_logits(prompt))
best = p.topk(6)
print(prompt, "...")
for token, probability in zip(best.indices.tolist(), best.values.tolist(), strict=True):
    print(f"   {tokenizer.token_text(token)!r:14} {probability:.2f}")
print(f"tokens that hold 90 %: {int((p.sort(descending=True).values.cumsum(0) < 0.9).sum()) + 1}")

# %% [markdown] lang="en"
# *Greedy decoding* takes the first of them, always, and asks again with the longer text. The whole method is this loop; labkit's must
# give the same tokens (it is quicker, since it keeps the keys and values of what it has read).

# %% [markdown] lang="zh"
# *贪心解码*永远取第一个，接到文本后面再问。整个方法就是下面这个循环；labkit 的实现必须给出相同的词元（它更快，因为读过的键和值都留着）。

# %%
count = lab.pick(5, 20, 20)
begun = [tokenizer.eos_id, *tokenizer.encode(prompt)]
row = list(begun)
with torch.no_grad():
    for _ in range(count):
        row.append(int(writer(torch.tensor([row]))[0, -1].argmax()))
print(tokenizer.decode(row[1:]))
assert row[len(begun) :] == decoding.generate(writer, [begun], max_new_tokens=count)[0]

# %% [markdown] lang="en"
# *Sampling* draws instead. Temperature $T$ divides the logits before the softmax:
#
# $$p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}$$
#
# **By hand.** Logits $(\ln 4, 0)$: at $T = 1$ the probabilities are $4 : 1$, so 0.8 and 0.2. At $T = 0.5$ the logits double, and the odds
# are squared: $16 : 1$, so 0.941 and 0.059. At $T = 2$ they are $2 : 1$.

# %% [markdown] lang="zh"
# *采样*则按概率抽取。logits 先除以温度 $T$，再做 softmax：
#
# $$p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}$$
#
# **手算**：logits 为 $(\ln 4, 0)$。$T = 1$ 时概率之比是 $4 : 1$，即 0.8 和 0.2；$T = 0.5$ 时 logits 翻倍，比例平方，变成 $16 : 1$，即 0.941 和 0.059；$T = 2$ 时是 $2 : 1$。

# %%
z = torch.tensor([math.log(4), 0.0])
for T in (0.5, 1.0, 2.0):
    print(f"T = {T}: {[round(value, 3) for value in functions.softmax(z / T).tolist()]}")
assert torch.allclose(functions.softmax(z / 0.5), torch.tensor([16 / 17, 1 / 17]))
adjusted = decoding.adjust_logits(z[None], Sampling(temperature=0.5)).softmax(dim=-1)[0]
assert torch.allclose(functions.softmax(z / 0.5), adjusted)

# %% [markdown] lang="en"
# ### Exercise 08.4: Softmax with a temperature (★☆☆, 6 minutes)
#
# Turn logits (V,) into probabilities at temperature $T$. One of the inputs has large logits: think of what $e^{160}$ is in float32.

# %% [markdown] lang="zh"
# ### 练习 08.4：带温度的 softmax（★☆☆，6 分钟）
#
# 把 logits (V,) 变成温度 $T$ 下的概率。有一组输入的 logits 很大：想想 float32 里 $e^{160}$ 是什么。


# %% exercise="08.4"
def with_temperature(logits, temperature):
    """Probabilities at a temperature: (V,) -> (V,)."""
    ### BEGIN SOLUTION
    return torch.softmax(logits / temperature, dim=0)
    ### END SOLUTION


# %%
check("08.4", with_temperature)
# hint("08.4")
# solution("08.4")

# %% [markdown] lang="en"
# A vocabulary has thousands of tokens, and nearly all of them are wrong. Each has a tiny probability, but together they have some,
# and a text of 150 tokens meets one sooner or later. *Top-p* cuts this tail: it keeps the smallest set of the likeliest tokens that
# together have the probability $p$ or more (Holtzman et al. 2020). *Top-k* keeps $k$ of them, and *min-p* those that are not much less likely than
# the likeliest.
#
# **By hand.** Probabilities $(0.5, 0.25, 0.125, 0.125)$ with $p = 0.7$: $0.5 < 0.7$, and $0.5 + 0.25 = 0.75 \ge 0.7$. Two stay, and
# become $0.5 / 0.75 = 0.667$ and $0.333$. The same with labkit:

# %% [markdown] lang="zh"
# 词表有几千个词元，几乎个个都是错的。每个错词元的概率微乎其微，加起来却不容忽视；写上 150 个词元，迟早会抽中一个。*核采样*（top-p）砍掉这条尾巴：从最可能的词元开始取，取到概率之和不小于 $p$ 为止，留下最小的一组（Holtzman 等，2020）。*Top-k* 固定留 $k$ 个，*min-p* 留下概率不比最大者小太多的那些。
#
# **手算**：概率 $(0.5, 0.25, 0.125, 0.125)$，$p = 0.7$：$0.5 < 0.7$，而 $0.5 + 0.25 = 0.75 \ge 0.7$。留下两个，变成 $0.5 / 0.75 = 0.667$ 和 $0.333$。用 labkit 再算一遍：

# %%
logits = torch.log(torch.tensor([[0.5, 0.25, 0.125, 0.125]]))
for sampling in (Sampling(top_p=0.7), Sampling(top_k=3), Sampling(min_p=0.3)):
    kept = decoding.adjust_logits(logits, sampling).softmax(dim=-1)[0]
    name = f"top_p={sampling.top_p} top_k={sampling.top_k} min_p={sampling.min_p}"
    print(f"{name:32} {[round(value, 3) for value in kept.tolist()]}")

# %% [markdown] lang="en"
# With `top_k=3` there are four left: the third and the fourth are equally likely, and a tie is not broken by chance.
#
# ### Exercise 08.5: Top-p (★★☆, 12 minutes)
#
# Write top-p for one distribution (V,), with the probabilities that stay adding up to 1, each at its old place. Think of a
# distribution in which one token alone has 0.94: what must be left for $p = 0.9$?

# %% [markdown] lang="zh"
# `top_k=3` 时留下了四个：第三和第四一样大，不能靠碰运气来取舍。
#
# ### 练习 08.5：核采样（★★☆，12 分钟）
#
# 对一个分布 (V,) 写出 top-p：留下的概率之和为 1，各自仍在原来的位置。想一想，某个词元自己就有 0.94，$p = 0.9$ 时应当留下什么？


# %% exercise="08.5"
def top_p_filter(probabilities, p):
    """The smallest set of the likeliest whose sum is p or more, made to add up to 1: (V,) -> (V,)."""
    ### BEGIN SOLUTION
    ordered, order = probabilities.sort(descending=True)
    keep = ordered.cumsum(0) - ordered < p  # what stands before the token is still too little
    kept = torch.zeros_like(probabilities)
    kept[order[keep]] = ordered[keep]
    return kept / kept.sum()
    ### END SOLUTION


# %%
check("08.5", top_p_filter)
# hint("08.5")
# solution("08.5")

# %% [markdown] lang="en"
# ## 8. Repetition, variety, copying
#
# Three measures that need no judge. *Repetition*: the share of n-grams of a text that stood in it before. *Distinct-n*: the share of different
# n-grams in all texts together. *Copied share*: how many windows of $n$ tokens stand in the training text, token by token.
#
# **By hand.** `a b a b c` has the bigrams *ab, ba, ab, bc*. One of the four occurred before: repetition $1/4$. Three are different:
# distinct-2 is $3/4$.

# %% [markdown] lang="zh"
# ## 8. 重复、多样性、照抄
#
# 有三个指标不需要裁判。*重复率*：一篇文本里，前面已经出现过的 n 元组占多大比例。*distinct-n*：全部文本放在一起，不同的 n 元组占多大比例。*照抄率*：在所有 $n$ 个词元的窗口中，有多大比例在训练文本里逐个词元地出现过。
#
# **手算**：`a b a b c` 的二元组是 *ab、ba、ab、bc*。四个里有一个出现过：重复率 $1/4$。不同的有三个：distinct-2 是 $3/4$。

# %%
toy = [["a", "b", "a", "b", "c"]]
print(f"repetition {scores.repetition(toy, 2):.2f}, distinct-2 {scores.distinct_n(toy, 2):.2f}")
print(f"copied from 'x a b c', windows of 2: {scores.copied_share(toy, [['x', 'a', 'b', 'c']], 2):.2f}")
assert scores.repetition(toy, 2) == 0.25
assert scores.distinct_n(toy, 2) == 0.75

# %% [markdown] lang="en"
# ### Exercise 08.6: Repetition (★★☆, 8 minutes)
#
# Write the share of the n-grams of a list of tokens that occurred before in it. Think of *before*: does the first one of two equal n-grams
# count?

# %% [markdown] lang="zh"
# ### 练习 08.6：重复率（★★☆，8 分钟）
#
# 给定一列词元，求前面已经出现过的 n 元组所占的比例。注意“前面”二字：两个相同的 n 元组，第一个算不算？


# %% exercise="08.6"
def repeated_share(tokens, n):
    """Share of the n-grams of a list that occurred before in it, in [0, 1)."""
    ### BEGIN SOLUTION
    grams = [tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]
    return 1 - len(set(grams)) / len(grams)
    ### END SOLUTION


# %%
check("08.6", repeated_share)
# hint("08.6")
# solution("08.6")

# %% [markdown] lang="en"
# ## 9. Decoding, by numbers
#
# The same GPT writes from the notes of held-out documents, by nine methods. Beside it two bounds: the town's own texts of the same facts,
# and the n-gram model of section 6. Here is what each column means:
#
# - **grammar**: share of sentences that the town's grammar accepts; **true**: of the sentences that state facts, the share that agrees with the notes;
# - **distinct**: distinct-2 over all texts; **repeat**: repeated 4-grams within a text (mean); **copied**: windows of 12 tokens found in the
#   part of the training text that section 6 loaded, so a lower bound; **words**: mean length.

# %% [markdown] lang="zh"
# ## 9. 用数字比较解码方法
#
# 同一个 GPT，照着验证集短文的资料，用九种方法写。旁边有两个参照：小镇自己对同一批事实的写法，和第 6 节的 n-gram 模型。各列的含义：
#
# - **grammar**：小镇语法认可的句子比例；**true**：在陈述事实的句子中，与资料相符的比例；
# - **distinct**：全部文本的 distinct-2；**repeat**：一篇之内重复的四元组（平均）；**copied**：12 个词元的窗口在训练文本中出现的比例，只查第 6 节载入的那部分，所以是下界；**words**：平均长度。

# %%
kinds = ["story", "report", "description"]
briefs = list(
    town.documents("en", split="test", seed=5, count=lab.pick(2, 16, 64), kinds=kinds, notes_share=1.0)
)
prompts = [brief.notes + "\n" for brief in briefs]
length = lab.pick(40, 150, 150)
methods = {
    "greedy": {},
    "beam, 4": {"num_beams": 4},
    "temperature 0.7": {"sampling": Sampling(temperature=0.7)},
    "temperature 1": {"sampling": Sampling()},
    "temperature 1.5": {"sampling": Sampling(temperature=1.5)},
    "top-k 20": {"sampling": Sampling(top_k=20)},
    "top-p 0.9": {"sampling": Sampling(top_p=0.9)},
    "min-p 0.1": {"sampling": Sampling(min_p=0.1)},
    "greedy, penalty 1.3": {"sampling": Sampling(top_k=1, repetition_penalty=1.3)},
}


# %%
def judge(texts, briefs=briefs):
    """Of each text: sentences, grammatical ones, those that state facts, true ones: (N, 4)."""
    found = [
        town.check_text(text, brief.facts, brief.language) for text, brief in zip(texts, briefs, strict=True)
    ]
    return np.array([[one.sentences, one.grammatical, one.stating, one.consistent] for one in found])


def row_of(texts, briefs=briefs):
    """The numbers of one method."""
    sentences, grammatical, stating, true = judge(texts, briefs).sum(axis=0)
    texts = [text for text in texts if len(text.split()) >= 4]
    ids = [tokenizer.encode(text) for text in texts]
    return {
        "grammar": grammatical / max(sentences, 1), "true": true / max(stating, 1),
        "distinct": scores.distinct_n(texts, 2), "repeat": scores.repetition(texts, 4),
        "copied": scores.copied_share(ids, corpus, 12), "words": np.mean([len(t.split()) for t in texts]),
    }  # fmt: skip


# %% tags=["nbval-ignore-output"]
def write(model, prompts=prompts, seed=SEED, **options):
    begun = [[tokenizer.eos_id, *tokenizer.encode(prompt)] for prompt in prompts]
    options = {"max_new_tokens": length, "stop_ids": [tokenizer.eos_id], "seed": seed, **options}
    return [tokenizer.decode(row) for row in decoding.generate(model, begun, **options)]


texts = {name: write(writer, **options) for name, options in methods.items()}
texts["n-gram, temperature 1"] = write(models["n-gram"], sampling=Sampling())
texts["the town's own texts"] = [brief.text for brief in briefs]
table = {name: row_of(found) for name, found in texts.items()}
print(f"{'':22}" + "".join(f"{column:>10}" for column in table["greedy"]))
for name, row in table.items():
    print(f"{name:22}" + "".join(f"{value:10.2f}" for value in row.values()))

# %% [markdown] lang="en"
# Read the table by columns. The texts hold some fifty sentences that state facts, so differences of a few hundredths are chance.
#
# - **Temperature** trades: at 1.5 the tail comes in, and grammar and truth fall. Cutting the tail (top-p, min-p) or a lower temperature
#   gives back most of it, and the texts stay nearly as varied.
# - **Greedy and beam** keep to the notes as well as a low temperature or min-p does, and no better. Greedy is the least varied of all:
#   what is likeliest is always the same.
# - **The repetition penalty** has nothing to cure here, for hardly anything is repeated. But the text *must* repeat the names in the notes, and they are
#   punished with the rest: no more sentences are true than without it. A remedy for one task can be a fault in another.
# - **The n-gram model** writes sentences that are right for four tokens at a time. It has forgotten the notes long before it needs them.
# - **copied** must be read beside the town's own new texts: stock phrases occur in every new text too. Copying is
#   what goes *beyond* that.

# %% [markdown] lang="zh"
# 请一列一列地读。这些文本里陈述事实的句子总共五十来句，相差百分之几只是偶然。
#
# - **温度**是一种取舍：到 1.5，尾部混了进来，语法和真实性都下降。砍掉尾部（top-p、min-p）或调低温度，大半能补回来，文本也几乎同样多样。
# - **贪心和束搜索**忠于资料的程度与低温或 min-p 不相上下，但也不更好。贪心最单调：最可能的说法，每次都是同一种。
# - **重复惩罚**在这里无病可治，因为本来就没什么重复。可是正文*必须*重复资料里的名字，它们也跟着受罚：真实的句子并不比不罚时多。治一种任务的药，换一种任务可能就是病。
# - **n-gram 模型**写的句子，只在四个词元以内是通顺的。等要用到资料时，它早就忘了。
# - **copied** 要与小镇自己新写的文本对照着看：套话在任何新文本里都会有。*超出*这个水平的，才算照抄。

# %% [markdown] lang="en"
# One model, two languages. Does it hold in Chinese too? The same with Chinese notes, by top-p 0.9.

# %% [markdown] lang="zh"
# 一个模型，两种语言。中文也成立吗？换成中文资料，用 top-p 0.9 再来一遍。

# %%
options = {"count": lab.pick(2, 16, 64), "kinds": kinds, "notes_share": 1.0}
chinese_briefs = list(town.documents("zh", split="test", seed=5, **options))
chinese_texts = write(writer, [brief.notes + "\n" for brief in chinese_briefs], **methods["top-p 0.9"])
sentences, grammatical, stating, true = judge(chinese_texts, chinese_briefs).sum(axis=0)
print(f"{grammatical} of {sentences} sentences grammatical, {true} of {stating} true to the notes")
print(chinese_briefs[0].notes, chinese_texts[0], sep="\n-----\n")

# %% [markdown] lang="en"
# In Chinese it is much the same: about nine sentences in ten are grammatical, and of those that state facts more are true. (Do not compare *bits per character* between the two
# languages: a Chinese character says as much as several letters.)
#
# ## 10. The playground
#
# Without notes the model is free. Let each method write eight texts from the same two words, and look at how many different ones there are, and how
# alike they are.

# %% [markdown] lang="zh"
# 中文的情形差不多：大约十句里有九句合语法；在陈述事实的句子里，真实的比例更高。（*每字符比特数*不要跨语言比较：一个汉字抵得上好几个字母。）
#
# ## 10. 试验台
#
# 没有资料，模型就自由了。让每种方法都从同样两个词开始写八篇，看看有几篇不同，彼此有多像。

# %%
opening = "The mayor"
for name in ("greedy", "temperature 0.7", "temperature 1", "temperature 1.5", "top-p 0.9"):
    found = write(writer, [opening] * 8, max_new_tokens=lab.pick(12, 60, 60), **methods[name])
    different = len(set(found))
    print(f"{name:16} {different} different texts of 8, distinct-2 {scores.distinct_n(found, 2):.2f}")
print(f"\ngreedy: {opening}{write(writer, [opening], max_new_tokens=lab.pick(12, 60, 60))[0]}")

# %% [markdown] lang="en"
# Greedy has one text for one prompt, forever. Whoever wants variety must draw.
#
# **Predict.** The panel below shows, for each token that was drawn, the probability that it was drawn with (after temperature and top-p). What happens to these bars when the temperature rises from 0.5 to
# 1.5? And which moves more when top-p falls from 1 to 0.5: the high bars or the low ones? For readers on paper, the figure shows three settings.

# %% [markdown] lang="zh"
# 同一个提示词，贪心解码永远只写得出一篇。想要多样，就得随机抽取。
#
# **先预测**：下面的面板显示抽中的每个词元，以及抽它时的概率（温度和 top-p 都已算在内）。温度从 0.5 升到 1.5，这些柱子会怎样变？top-p 从 1 降到 0.5，变得更多的是高柱还是矮柱？给读纸质版的同学：图中画了三种设置。


# %%
def token_bars(steps, title="", ax=None):
    """A bar for each token drawn: what probability it had."""
    ax = plots.new_axes(9, 2.6) if ax is None else ax
    names = [tokenizer.token_text(step.token).replace("\n", "↵").replace(" ", "·") for step in steps]
    font = plots.chinese_font()
    if font is None:  # a Chinese token then stands as its number
        names = [n if max(n) < "\u2e80" else f"#{step.token}" for n, step in zip(names, steps, strict=True)]
    ax.bar(range(len(steps)), [step.probability for step in steps], color=plots.COLORS[0])
    fonts = [font, "DejaVu Sans"] if font else ["DejaVu Sans"]
    ax.set_xticks(range(len(steps)), names, rotation=90, fontsize=8, fontfamily=fonts)
    ax.set_ylim(0, 1)
    return plots.finish(ax, "", "probability", title, legend=False)


# %%
def play(prompt, temperature, top_p, seed=0, count=32):
    """The tokens that follow a prompt, as they come, each with its probability."""
    sampling = Sampling(temperature=temperature, top_p=top_p)
    begun = [tokenizer.eos_id, *tokenizer.encode(prompt)]
    options = {"max_new_tokens": count, "stop_ids": [tokenizer.eos_id], "sampling": sampling, "seed": seed}
    return list(decoding.stream(writer, begun, **options))


# %% tags=["nbval-ignore-output"]
axes = plots.new_axes(9, 6.6, rows=3)
for ax, (temperature, top_p) in zip(axes, [(0.5, 1.0), (1.5, 1.0), (1.5, 0.5)], strict=True):
    steps = play(opening, temperature, top_p)
    mean = np.mean([step.probability for step in steps])
    low = sum(step.probability < 0.1 for step in steps)
    token_bars(steps, f"temperature {temperature}, top-p {top_p}", ax)
    print(
        f"temperature {temperature}, top-p {top_p}: mean {mean:.2f}, {low} of {len(steps)} tokens below 0.1"
    )
plots.show(
    axes,
    alt="Three rows of bars: most are high at 0.5, many are low at 1.5, and top-p 0.5 removes most of the low ones.",
)


# %% tags=["nbval-ignore-output"]
def draw(prompt, temperature, top_p, seed):
    steps = play(prompt, temperature, top_p, seed)
    text = tokenizer.decode([step.token for step in steps], skip_special=True)
    first = ", ".join(f"{tokenizer.token_text(token)!r} {p:.2f}" for token, p in steps[0].alternatives[:4])
    return token_bars(steps), f"{prompt}{text} | first token: {first}"


widgets.explorer(
    draw, prompt=opening, temperature=(0.1, 2.0, 0.1, 1.0), top_p=(0.1, 1.0, 0.05, 1.0), seed=(0, 9, 1, 0)
)

# %% [markdown] lang="en"
# At a low temperature nearly every bar is high: the model takes what it finds likely. At a high one the low bars come. Top-p removes most of the low ones,
# and what stays shares their part: the high bars grow, and a token that stays alone has 1. Text that comes piece by piece, as in a chat, is `stream_text`. A piece holds whole characters only, also where a
# Chinese character lies in two tokens. (Only where the limit of new tokens cuts a character in two, the last piece is �.)

# %% [markdown] lang="zh"
# 温度低时，几乎每根柱子都高：模型专挑自己认为可能的。温度高时，矮柱就多了。top-p 去掉大部分矮柱，它们的份额分给留下的：高柱更高，只剩一个词元时就是 1。要让文本像聊天那样一段段冒出来，就用 `stream_text`。每一段都是完整的字符，哪怕一个汉字跨了两个词元。（只有当新词元的数量到了上限，恰好把一个字切成两半时，最后一段才会是 �。）

# %%
options = {"max_new_tokens": lab.pick(10, 40, 40), "sampling": Sampling(top_p=0.9), "seed": 1}
for start_of_text in ("面包师", "The baker"):
    print(start_of_text, end="")
    for piece in decoding.stream_text(writer, tokenizer, start_of_text, **options):
        print(piece, end="|", flush=True)
    print("\n")

# %% [markdown] lang="en"
# ## 11. A prompt that the town never says
#
# Many a first program asks its model to continue 这是一个文本生成模型。 ("This is a text generation model."). Let us do it. But first look at
# what the model thinks of the *prompt*: what each of its tokens costs, beside sentences of the town itself.

# %% [markdown] lang="zh"
# ## 11. 小镇里从没人说过的提示词
#
# 许多人写的第一个程序，都让模型续写“这是一个文本生成模型。”。我们也来试试。不过先看模型怎么看待这个*提示词*：每个词元的代价是多少，并与小镇自己的句子比较。

# %%
strange = "这是一个文本生成模型。"
chinese = [d.text for d in town.documents("zh", split="test", count=lab.pick(5, 40, 200), notes_share=0.0)]
ids = encode(tokenizer, strange)[:-1]
costs = token_costs(writer, ids) / math.log(2)
for token, cost_in_bits in zip(ids[1:], costs, strict=True):
    print(f"{tokenizer.token_text(token):12} {cost_in_bits:5.1f} bits")
usual = held_out_bits(writer, tokenizer, chinese).mean()
print(
    f"the prompt: {costs.sum() / len(strange):.1f} bits per character; Chinese texts of the town: {usual:.1f}"
)

# %%
town_text = "".join(
    d.full for d in town.documents("zh", seed=0, size_bytes=lab.pick(100_000, 1_000_000, 14_000_000))
)
for word in ("这是", "一个", "文本", "生成", "模型"):
    print(f"{word}: {town_text.count(word)} times in {len(town_text)} characters of the town")
print("characters that the town never uses:", [c for c in strange if c not in town_text])

# %% [markdown] lang="en"
# Apart from 是一个 and some single bytes all of it is a surprise: the words are rare or unknown in the town. Where a character was never seen, the tokenizer still has its
# *bytes*, so nothing is lost, but the model has never learned what follows. Now let it write. Look at how quickly it is back in the town.

# %% [markdown] lang="zh"
# 除了“是一个”和个别字节，提示词里的词元个个出乎意料：这些词在小镇里很少见，或者根本没有。没见过的字，分词器还有它的*字节*，所以不会丢；但模型从没学过后面该接什么。现在让它写。看它多快就回到了小镇。

# %%
begins = [strange, "Once upon a time", "To be, or not to be, that is the question:", "The mayor"]
for prompt in begins:
    prompt_bits = token_costs(writer, encode(tokenizer, prompt)[:-1]).sum() / math.log(2) / len(prompt)
    (text,) = write(writer, [prompt], max_new_tokens=lab.pick(10, 50, 50), sampling=Sampling(top_p=0.9))
    print(f"[{prompt_bits:.1f} bits per character] {prompt} >>> {text!r}\n")

# %% [markdown] lang="en"
# The model does not answer, and does not know that it was asked about itself. It goes on in the only way it knows: it tells of the town. A
# model knows what its training text says, and this text says nothing about models. Programs that print sense after this prompt use a model that has read a large part of the
# Chinese web; a model trained on a few sentences prints these sentences again, or noise. The cost of the prompt, in bits per character, tells you
# *before* you read the sample that you are outside what the model knows.
#
# ## 12. What commonly goes wrong
#
# Six faults that run, and the number that shows each of them:
#
# | fault | what is seen | the number that shows it |
# |---|---|---|
# | text, or `ord` of its characters, put into the embedding instead of the tokenizer's ids | an error, or nothing at all | held-out loss above $\ln V$, the loss of knowing nothing |
# | the LSTM's hidden state treated as one tensor | an error at the second batch, or a state that is silently lost | loss with a carried state is no better than without |
# | the prompt padded with blanks on the right | texts that have little to do with the prompt | the probability of what should come next falls as soon as there is a blank |
# | targets not shifted | training loss goes to 0 within seconds | held-out loss of the *next* token far above the n-gram model's |
# | logits taken at the wrong position | the model repeats what it has read, or stammers | cost of each token at the offsets 0, 1, 2: the least must be at 1 |
# | no evaluation, or on training text | pretty samples | nothing, and that is the fault: no held-out figure, no baseline |
#
# We run them. First **ids that are not ids**. An embedding takes any number below $V$, so the character codes of English run without an error.

# %% [markdown] lang="zh"
# 模型没有回答，也不知道这是在说它自己。它只会按自己的路子往下写：讲小镇的事。模型知道的，就是训练文本里说过的，而那里没有一句话谈到模型。有的程序能接着这个提示词写出像样的内容，是因为用了读过大量中文网页的模型；只在几句话上训练的模型，要么把那几句话再背一遍，要么输出乱码。提示词的每字符比特数，在你读样例*之前*就告诉你：已经超出了模型的见识。
#
# ## 12. 常见的毛病
#
# 六种常见的毛病，以及能暴露它们的数字：
#
# | 毛病 | 看到的现象 | 能暴露它的数字 |
# |---|---|---|
# | 把文本或字符的 `ord` 编码当作词元编号送进嵌入层 | 报错，或者什么异常也没有 | 验证集损失高于 $\ln V$，也就是一无所知时的损失 |
# | 把 LSTM 的隐藏状态当成一个张量 | 第二个批次报错，或者状态悄悄丢了 | 带着状态算的损失并不比不带的好 |
# | 在提示词右边用空格补齐 | 写出来的东西与提示词没多大关系 | 该出现的下一个词元，一补空格概率就掉下来 |
# | 目标没有错开一位 | 训练损失几秒内降到 0 | *下一个*词元的验证集损失远高于 n-gram 模型 |
# | 取错了位置的 logits | 模型重复刚读到的东西，或者结巴 | 在偏移 0、1、2 处算每词元代价：最小的必须在 1 |
# | 不评估，或在训练文本上评估 | 样例很漂亮 | 没有数字，这就是毛病：没有验证集，没有基线 |
#
# 我们来逐个运行。先看**不是编号的编号**。嵌入层接受任何小于 $V$ 的数，所以英文的字符编码送进去也不会报错。

# %%
text = held_out[0]
right = token_costs(writer, encode(tokenizer, text)).mean()
codes = token_costs(writer, [tokenizer.eos_id, *map(ord, text)]).mean()
print(
    f"nats per token: ids {right:.1f}, character codes {codes:.1f}, knowing nothing {math.log(tokenizer.vocab_size):.1f}"
)
assert MODE == "smoke" or right < math.log(tokenizer.vocab_size) < codes
for wrong in (torch.tensor([[0.5, 0.25]]), torch.tensor([[ord(c) for c in "文本"]])):
    try:
        writer(wrong)
    except ValueError as error:
        print("refused:", error)

# %% [markdown] lang="en"
# Chinese codes lie above the vocabulary and are refused. English ones ran, and cost more than knowing nothing. **The state of an LSTM** is a pair, hidden and
# cell. labkit refuses anything else. Does the state carry something? Score the second half of a text with it, and without.

# %% [markdown] lang="zh"
# 中文的编码超出词表，被拒绝了；英文的照样运行，代价却比一无所知还高。**LSTM 的状态**是一对张量：隐藏状态和细胞状态，别的 labkit 一概拒绝。状态里真的存了东西吗？给后半篇打分，一次带上它，一次不带。

# %%
row = torch.tensor([encode(tokenizer, text)])
half = row.shape[1] // 2
with torch.no_grad():
    _, state = reader(row[:, :half])
    for name, given in {"with the state": state, "without": None}.items():
        logits, _ = reader(row[:, half:-1], given)
        print(f"{name:15} {F.cross_entropy(logits[0], row[0, half + 1 :]):.2f} nats per token")
    try:
        reader(row[:, half:], state[0])
    except ValueError as error:
        print("refused:", error)

# %% [markdown] lang="en"
# **Padding.** To put prompts of different lengths into one batch, some programs fill them up with blanks on the right, and then take the last logits.
# These stand after the blanks. labkit pads on the *left* and hides what it put there. Look at the probability of the
# token that is likeliest without blanks.

# %% [markdown] lang="zh"
# **填充**：为了把长短不一的提示词放进一个批次，有的程序在右边补空格，再取最后一个位置的 logits，可那已经在空格后面了。labkit 填充在*左边*，并把填充的部分遮住。不补空格时最可能的那个词元，请看它的概率怎样变。

# %%
prompt = "The post office is in"
expected = int(next_logits(prompt).argmax())
for blanks in (0, 1, 5, 20):
    p = functions.softmax(next_logits(prompt + " " * blanks))
    likeliest = tokenizer.token_text(int(p.argmax()))
    print(f"{blanks:2} blanks: {tokenizer.token_text(expected)!r} {p[expected]:.3f}, likeliest {likeliest!r}")
together = write(writer, [prompt, "On Monday"], max_new_tokens=15)
assert together == [write(writer, [one], max_new_tokens=15)[0] for one in (prompt, "On Monday")]

# %% [markdown] lang="en"
# The last line is the test to write for any batched program: a prompt must give the same text alone and in company.
#
# **The wrong position.** The logits of position $t$ belong to token $t + 1$. Here each token is scored with the logits one place too late (offset 0: they
# have already read it), at the right place, and one too early.

# %% [markdown] lang="zh"
# 最后一行是任何批处理程序都该写的测试：同一个提示词，单独生成和成批生成，结果必须相同。
#
# **取错位置**：位置 $t$ 的 logits 属于第 $t + 1$ 个词元。下面给每个词元打分，一次用晚了一位的 logits（偏移 0：它已经读过这个词元），一次用正确的，一次用早了一位的。

# %%
with torch.no_grad():
    logits = writer(row)[0]  # (N, V)
for offset in (0, 1, 2):
    count = row.shape[1] - offset
    cost_there = F.cross_entropy(logits[:count], row[0, offset:])
    print(f"offset {offset}: {cost_there:.1f} nats per token")

# %% [markdown] lang="en"
# Only one offset has a low cost, and it must be 1. **Targets not shifted**: two equal small GPTs, one trained on `targets`, the other on its own
# `inputs`. Look at the two losses of each: in training, and of the next token on held-out text.

# %% [markdown] lang="zh"
# 只有一个偏移的代价低，而且必须是 1。**目标没有错开**：两个一样的小 GPT，一个按 `targets` 训练，一个按自己的 `inputs` 训练。请看它们各自的两个损失：训练时的，和验证集上下一个词元的。

# %% tags=["nbval-ignore-output"]
test_tokens = np.concatenate([encode(small_tokenizer, text)[1:] for text in held_out[:20]])
copies = {}
for name in ("shifted", "not shifted"):
    set_seed(lab.seed)
    model = GPT(GPTConfig(**size, hidden_size=64, num_layers=2, num_kv_heads=2, max_positions=256))
    task = LanguageModelTask(model, make_optimizers(model, 6e-3, matrices="adamw"))
    for step in range(lab.pick(5, 80, 300)):
        inputs, targets = batches(step)
        loss = task.step((inputs, targets if name == "shifted" else inputs))["loss"]
    copies[name] = evaluate_loss(model, test_tokens, 64)
    text = decoding.complete(model, small_tokenizer, "The baker", max_new_tokens=12)
    print(f"{name:12} training {loss:.2f}, next token held out {copies[name]:.2f} nats, text {text!r}")
print(f"knowing nothing: {math.log(small_tokenizer.vocab_size):.2f} nats")
assert MODE == "smoke" or copies["shifted"] < math.log(small_tokenizer.vocab_size) < copies["not shifted"]

# %% [markdown] lang="en"
# The model without the shift has the better training loss by far, and has learned to copy its input: it stammers, and the next token costs more than
# knowing nothing. (After so few steps the other one repeats itself too: a sample does not tell them apart, the loss does.) A loss that falls to 0 within seconds is an alarm.
#
# ## 13. Break it
#
# A colleague has written the sampling loop anew: temperature 1, nothing cut off, one seed so that the result can be repeated. The texts are judged
# from the same notes beside labkit's own. Read the code, look at the numbers. Would you accept the loop?

# %% [markdown] lang="zh"
# 没有错开的模型，训练损失好得多，学会的却只是照抄输入：它结结巴巴，下一个词元的代价比一无所知还高。（才训练这么几步，另一个模型写的也是重复：单看样例分不出来，要看损失。）损失几秒钟就降到 0，是警报。
#
# ## 13. 找出故障
#
# 一位同事重写了采样循环：温度 1，尾部一点不砍，用一个种子，好让结果能重现。下面用同样的资料，与 labkit 自己的采样一起打分。读代码，看数字。你会收下这个循环吗？


# %%
def sample(model, prompt, count, seed):
    """Draw a text from the model, token by token."""
    tokens = torch.tensor([[tokenizer.eos_id, *tokenizer.encode(prompt)]])
    cache, new = model.new_cache(1, tokens.shape[1] + count), []
    for _ in range(count):
        generator = torch.Generator().manual_seed(seed)
        probabilities = model(tokens, cache)[0, -1].softmax(dim=-1)  # (V,)
        number = torch.rand(1, generator=generator)
        token = torch.searchsorted(probabilities.cumsum(0), number).clamp(max=len(probabilities) - 1)
        if token == tokenizer.eos_id:
            break
        new.append(int(token))
        tokens = token[None]
    return tokenizer.decode(new)


# %%
few = lab.pick(1, 6, 16)
with torch.inference_mode():
    theirs = [sample(writer, prompt, length, SEED) for prompt in prompts[:few]]
for name, found in {"colleague": theirs, "labkit": texts["temperature 1"][:few]}.items():
    sentences, grammatical, stating, true = judge(found, briefs[:few]).sum(axis=0)
    print(f"{name:10} grammatical {grammatical} of {sentences}, true {true} of {stating}")

# %% [markdown] lang="en"
# With so few texts, the differences in grammar and truth are no reason to object, and the texts read well. **Before you read on:** what else must hold for draws from a distribution, and which
# measure of section 8 would show it? Let the loop write several texts from *one* prompt.

# %% [markdown] lang="zh"
# 文本这么少，语法和真实两栏的差别算不上毛病，文本读着也通顺。**往下读之前**：从一个分布里抽样，还应当满足什么？第 8 节的哪个指标看得出来？让这个循环从*同一个*提示词写几篇。

# %%
with torch.inference_mode():
    theirs = [sample(writer, opening, lab.pick(10, 60, 60), SEED) for _ in range(4)]
ours = write(writer, [opening] * 4, max_new_tokens=lab.pick(10, 60, 60), sampling=Sampling())
for name, found in {"colleague": theirs, "labkit": ours}.items():
    print(f"{name:10} {len(set(found))} different of 4, distinct-2 {scores.distinct_n(found, 2):.2f}")
generators = [torch.Generator().manual_seed(SEED) for _ in range(5)]
print("the random numbers of five steps:", [f"{torch.rand(1, generator=g).item():.3f}" for g in generators])
assert len(set(theirs)) == 1

# %% [markdown] lang="en"
# All texts are equal, and so are the random numbers: the generator is made anew *inside the loop*, with the same seed each time. Every token is drawn with the same
# number, here one near the middle. So the loop is a strange sort of greedy decoding, and says temperature 1. Two mends: make the generator once, before the loop; and give each text a seed of its own.
# Nothing in the single text gives it away. It is the *set* of texts that does: the different ones, and distinct-n. Quality alone says nothing
# about variety, so measure both.
#
# ## 14. What was measured
#
# The figures of this lesson in one table. The intervals are those of drawing the held-out documents anew; each model was trained with one seed, so they say nothing about another
# training. The first rows are about the shipped models, the rows *in place* about the models that were trained here in a few seconds.

# %% [markdown] lang="zh"
# 所有文本一模一样，随机数也一样：生成器是*在循环里*新建的，每次都用同一个种子。每个词元都用同一个随机数抽取，这里它恰好接近 0.5。所以这其实是一种古怪的贪心解码，却自称温度 1。修正有两处：生成器在循环之前只建一次；每篇文本用自己的种子。单看一篇，什么破绽也没有；露馅的是*一组*文本：有几篇不同，distinct-n 是多少。质量再好也说明不了多样性，所以两样都要测。
#
# ## 14. 测量结果
#
# 本课的测量结果汇总在一张表里。区间来自对验证集短文重新抽样；每个模型只用一个种子训练过，所以区间不说明重新训练会怎样。前几行是附带的模型，*in place* 的几行是在本课里训练了几秒钟的模型。


# %%
def bits_measure(name, bits, baseline):
    mean, low, high = metrics.bootstrap_interval(bits)
    return Measure(name, mean, baseline.mean(), "n-gram", False, interval=(low, high))


def share(name, right, of):
    """Share of right sentences of top-p 0.9, with an interval over documents; n-gram samples as the baseline."""
    counts, base = judge(texts["top-p 0.9"]), judge(texts["n-gram, temperature 1"])

    def pooled(index, axis=-1, table=counts):
        drawn = table[np.asarray(index, dtype=int)]
        return drawn[..., right].sum(axis) / np.maximum(drawn[..., of].sum(axis), 1)

    value, low, high = metrics.bootstrap_interval(np.arange(len(counts)), pooled)
    return Measure(
        name, value, pooled(range(len(base)), table=base), "n-gram", interval=(low, high), digits=2
    )


# %% tags=["nbval-ignore-output"]
report(
    bits_measure("bits per character, shipped GPT", large_bits["GPT"], large_bits["n-gram"]),
    bits_measure("bits per character, shipped LSTM", large_bits["LSTM"], large_bits["n-gram"]),
    share("sentences true to the notes, GPT, top-p 0.9", 3, 2),
    share("grammatical sentences, GPT, top-p 0.9", 1, 0),
    bits_measure("bits per character, LSTM in place", small_bits["LSTM"], small_bits["n-gram"]),
    bits_measure("bits per character, GPT in place", small_bits["GPT"], small_bits["n-gram"]),
)

# %% [markdown] lang="en"
# ## Summary
#
# - A language model gives probabilities to the next token; a text comes from asking again and again.
# - Compare models by held-out bits per character. Perplexity compares over equal tokens only, and training text compares nothing.
# - Counting is a strong baseline. With seconds of training it wins; with more, the models that see further win.
# - Say what each model was given: text, time, tokens, context.
# - Temperature trades truth against variety; top-p, top-k and min-p cut the tail. A penalty for repetition can do harm. Measure on your own task.
# - Grammar, truth, variety, repetition, copying: no single number is enough, and a sample is none.
# - Outside its training text a model goes on as it has learned. The cost of the prompt warns you.
# - Most faults run without an error. Know the loss of knowing nothing, shift the targets, test batches against single prompts, and distrust what is too good.
#
# ## Further reading
#
# - S. Chen, J. Goodman (1998), An empirical study of smoothing techniques for language modeling. TR-10-98, Harvard University.
# - S. Hochreiter, J. Schmidhuber (1997), Long short-term memory. *Neural Computation* 9,
#   [doi:10.1162/neco.1997.9.8.1735](https://doi.org/10.1162/neco.1997.9.8.1735).
# - A. Vaswani et al. (2017), Attention is all you need. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762).
# - A. Fan, M. Lewis, Y. Dauphin (2018), Hierarchical neural story generation. [arXiv:1805.04833](https://arxiv.org/abs/1805.04833). Top-k sampling.
# - A. Holtzman, J. Buys, L. Du, M. Forbes, Y. Choi (2020), The curious case of neural text degeneration.
#   [arXiv:1904.09751](https://arxiv.org/abs/1904.09751). Top-p sampling, and why the likeliest text is not the best.
# - N. Keskar et al. (2019), CTRL: a conditional transformer language model for controllable generation.
#   [arXiv:1909.05858](https://arxiv.org/abs/1909.05858). Section 4.1: the repetition penalty.
# - S. Welleck et al. (2020), Neural text generation with unlikelihood training. [arXiv:1908.04319](https://arxiv.org/abs/1908.04319).
# - J. Li, M. Galley, C. Brockett, J. Gao, B. Dolan (2016), A diversity-promoting objective function for neural conversation models.
#   [arXiv:1510.03055](https://arxiv.org/abs/1510.03055). Distinct-n.
# - R. T. McCoy et al. (2023), How much do language models copy from their training data? [arXiv:2111.09509](https://arxiv.org/abs/2111.09509).
# - M. Nguyen et al. (2024), Turning up the heat: min-p sampling for creative and coherent LLM outputs. [arXiv:2407.01082](https://arxiv.org/abs/2407.01082).

# %% [markdown] lang="zh"
# ## 小结
#
# - 语言模型给出下一个词元的概率；文本是一遍遍问出来的。
# - 比较模型，用验证集上的每字符比特数。困惑度只有词元相同才能比；训练文本上的数字什么也比不了。
# - 数数是很强的基线。只训练几秒，赢的是它；训练得久，赢的就是看得更远的模型。
# - 说清给了每个模型什么：文本、时间、词元、上下文。
# - 温度在真实与多样之间取舍；top-p、top-k、min-p 砍掉尾部。重复惩罚可能帮倒忙。要在自己的任务上测。
# - 语法、真实、多样、重复、照抄：哪个数字单独都不够，而一个样例连数字都不是。
# - 出了训练文本的范围，模型照样按学过的写下去。提示词的代价会提醒你。
# - 大多数毛病不会报错。记住一无所知时的损失，目标错开一位，用单个提示词去核对批处理，对好得过分的结果保持怀疑。
#
# ## 延伸阅读
#
# - S. Chen、J. Goodman（1998）：An empirical study of smoothing techniques for language modeling。哈佛大学技术报告 TR-10-98。
# - S. Hochreiter、J. Schmidhuber（1997）：Long short-term memory。*Neural Computation* 9，[doi:10.1162/neco.1997.9.8.1735](https://doi.org/10.1162/neco.1997.9.8.1735)。
# - A. Vaswani 等（2017）：Attention is all you need。[arXiv:1706.03762](https://arxiv.org/abs/1706.03762)。
# - A. Fan、M. Lewis、Y. Dauphin（2018）：Hierarchical neural story generation。[arXiv:1805.04833](https://arxiv.org/abs/1805.04833)。top-k 采样的出处。
# - A. Holtzman、J. Buys、L. Du、M. Forbes、Y. Choi（2020）：The curious case of neural text degeneration。[arXiv:1904.09751](https://arxiv.org/abs/1904.09751)。核采样的出处，也讲了最可能的文本为什么不是最好的文本。
# - N. Keskar 等（2019）：CTRL: a conditional transformer language model for controllable generation。[arXiv:1909.05858](https://arxiv.org/abs/1909.05858)。4.1 节：重复惩罚。
# - S. Welleck 等（2020）：Neural text generation with unlikelihood training。[arXiv:1908.04319](https://arxiv.org/abs/1908.04319)。
# - J. Li、M. Galley、C. Brockett、J. Gao、B. Dolan（2016）：A diversity-promoting objective function for neural conversation models。[arXiv:1510.03055](https://arxiv.org/abs/1510.03055)。distinct-n 的出处。
# - R. T. McCoy 等（2023）：How much do language models copy from their training data? [arXiv:2111.09509](https://arxiv.org/abs/2111.09509)。
# - M. Nguyen 等（2024）：Turning up the heat: min-p sampling for creative and coherent LLM outputs。[arXiv:2407.01082](https://arxiv.org/abs/2407.01082)。
