# ---
# jupyter:
#   labkit:
#     number: "13"
#     title_en: Customer service
#     title_zh: 智能客服
#     minutes: 120
# ---

# %% [markdown] lang="en"
# # 13 Customer service
#
# A chat that sounds helpful is built in an afternoon. A service that finds your order, and only yours, promises nothing that the shop
# does not keep, and knows when to fetch a person takes more. In this lesson a small shop gets such a service, and people who attack it.
#
# **After this lesson you can**
#
# - say what goes wrong when one prompt holds everything, and show it by numbers;
# - train an intent classifier that also refuses, and choose its threshold on the right data;
# - find answers with BM25, and show where they come from;
# - look up records with bound parameters, only for the person who proved who they are;
# - let a language model word a reply without letting it change a fact;
# - test a service with simulated customers and with attacks, judged from outside.
#
# **Time:** about 120 minutes with the exercises. You can stop after section 4 and go on another day.
#
# **Before:** [03 Loss functions](03_loss_functions.ipynb) (classification) and [08 Text generation](08_text_generation.ipynb) (n-gram models).

# %% [markdown] lang="zh"
# # 13 智能客服
#
# 做一个听起来很热心的聊天程序，一个下午就够。可是要让它查得到订单，而且只查你自己的；不许下店里做不到的承诺；该找人的时候知道找人，就没那么容易了。本课给一家小店做这样的客服，再请人来攻击它。
#
# **学完本课，你能够**：
#
# - 说清“一个提示词包办一切”会出什么问题，并用数字证明；
# - 训练一个懂得拒绝的意图分类器，并在正确的数据上选阈值；
# - 用 BM25 检索答案，并给出出处；
# - 用绑定参数查数据库，而且只为通过核验的本人查；
# - 让语言模型润色回复，却改不了事实；
# - 用模拟顾客和攻击来测试客服，由旁观者评判。
#
# **时间**：约 120 分钟（含练习）。可以学完第 4 节先停下，改天继续。
#
# **预备知识**：[03 损失函数](03_loss_functions.ipynb)（分类）和 [08 文本生成](08_text_generation.ipynb)（n-gram 模型）。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import json
import re
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from labkit import common, data, metrics, plots
from labkit.checks import check, hint, solution
from labkit.common import data_dir, start
from labkit.results import Measure, report
from labkit.service import attacks, customers, intents, knowledge, naive, retrieval, shop, utterances, wording
from labkit.service.bot import Bot, BotConfig
from labkit.service.console import console
from labkit.service.database import Attempts, ShopReader
from labkit.service.policies import load_policies

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. One prompt does it all
#
# The quickest design: put everything that may be needed into one context (answers, orders, customers), and let the model take what
# fits the question. Here the part of the model is played by a search that returns the best passage. It is a fair stand-in for what goes wrong: a larger
# model cannot give away more than its context holds, but all of that it may give away. First the shop, with made-up customers; then three questions by a stranger.

# %% [markdown] lang="zh"
# ## 1. 一个提示词包办一切
#
# 最快的做法：把可能用到的东西（答案、订单、顾客资料）统统塞进一个上下文，让模型挑合适的来回答。这里由检索来扮演模型，返回最匹配的一段。用它来说明问题并不冤枉：再大的模型，能泄露的也不过是上下文里的内容，而上下文里的，它都可能泄露。先建一家店，顾客都是虚构的；然后由一个陌生人来问三句。

# %%
folder = Path(tempfile.mkdtemp())
database = shop.build_shop(folder / "shop.db", shop.ShopConfig("en", seed=SEED))
policies = load_policies("en")
articles = knowledge.read_articles(knowledge.folder() / "knowledge_en.jsonl")
quick = naive.NaiveBot(database, articles, policies)
connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
victim, number = connection.execute(
    "SELECT name, number FROM orders JOIN customers ON customers.id = customer_id WHERE status = 'delivered'"
).fetchone()
for question in (
    "How long do I have to return something?",
    f"What is the phone number of {victim}?",
    f"Where is {number}?",
):
    print(f"> {question}\n  {quick.say(question).text}")

# %% [markdown] lang="en"
# The first answer is right. The other two give a stranger somebody's address and phone number. "Do not give out private data" in the prompt is a request,
# not a lock. So the rule for all that follows: **what a user must not see must not be in the context, and what the bot must not do it must not be able to do.**
#
# ## 2. The shop, its records and its promises
#
# Records lie in SQLite. Promises lie in *policies*, as figures, and the answers of the knowledge base take them from there: `{return_days}`.
# Look at an article, at what a customer reads, and at what the check says of an article with a figure of its own.

# %% [markdown] lang="zh"
# 第一个回答是对的；后两个却把别人的地址和电话给了陌生人。在提示词里写“不要泄露隐私”，那只是请求，不是锁。所以下面都遵守一条原则：**用户不该看到的，就不放进上下文；客服不该做的，就让它做不到。**
#
# ## 2. 小店的记录与承诺
#
# 记录存在 SQLite 里。承诺写成*规则*（policies），是一个个数字；知识库的答案从规则里取数：`{return_days}`。请看一篇文章、顾客读到的样子，以及审查程序对自带数字的文章怎么说。

# %%
(article,) = [a for a in articles if a.id == "return-period"]
print(article.answer)
print(policies.fill(article.answer))
altered = knowledge.Article(
    "return-period", "returns", article.questions, "You can return items within 365 days, no questions asked."
)
print(knowledge.audit(altered, policies))
for language in ("en", "zh"):
    figures = load_policies(language)
    served = knowledge.load_knowledge(figures)
    print(
        language,
        len(served.articles),
        "articles; return within",
        figures.text("return_days"),
        "days, shipping",
        figures.text("standard_fee"),
    )

# %% [markdown] lang="en"
# The English and the Chinese shop have policies of their own, so the same question has another answer. An article is served only if its SHA-256 is in a list of
# *approved* ones: who can edit the wiki cannot make the service say something new.
#
# ## 3. What does the customer want?
#
# An *intent* is one of a few things that the service can do: find an order, cancel, return, ... Anything else is *out of scope*, and must be refused, not
# guessed. The baseline is a list of keywords. The classifier is linear: TF-IDF of words, pairs of words and strings of characters, one
# support vector machine an intent. It learns from sentences by hand and from patterns; it is judged on sentences by hand that are in neither.

# %% [markdown] lang="zh"
# 英文店和中文店各有各的规则，所以同一个问题答案不同。文章的 SHA-256 在*已审核*名单里，才会拿出来用：能改知识库的人，并不能让客服说出新话。
#
# ## 3. 顾客想要什么？
#
# *意图*就是客服能办的几件事之一：查订单、取消、退货……除此之外都是*域外*（out of scope），应当拒绝，不能瞎猜。基线是一张关键词表。分类器是线性的：词、词对、字符串的 TF-IDF，每个意图一个支持向量机。训练用的是手写句子和句式展开；评估用的是另外手写的句子，两边都没有出现过。

# %%
models = {language: utterances.train_intents(language, SEED) for language in ("en", "zh")}
for language, model in models.items():
    texts, labels = customers.spoken(language)
    rules = intents.scope_scores([naive.by_rules(text, language) for text in texts], labels)
    ours = model.evaluate(texts, labels)
    print(f"{language}: {len(texts)} sentences, {model.num_parameters / 1000:.0f} k parameters")
    for name, found in {"keywords": rules, "classifier": ours}.items():
        print(
            f"   {name:10} right in scope {found.in_scope_accuracy:.3f}, refused out of scope {found.out_of_scope_recall:.3f}"
        )

# %% [markdown] lang="en"
# A classifier always has a best class. Whether to believe it is decided by a score and a *threshold*. With $z$ the values of the intents and $z_o$ that of "none of
# them": $s = z_{best} - \ln \sum_k e^{z_k} - w z_o$. Below the threshold the text is refused. What does the explanation of one sentence look like?

# %% [markdown] lang="zh"
# 分类器总能给出一个最像的类。信不信它，由得分和*阈值*决定。设各意图的值为 $z$，“都不是”的值为 $z_o$：$s = z_{best} - \ln \sum_k e^{z_k} - w z_o$。得分低于阈值就拒绝。来看一句话的解释。

# %%
for text in ("I'd like to know when my parcel gets here", "What's your opinion on football?"):
    found = models["en"].explain(text)
    print(
        f"{text!r}\n   {found.intent}, best {found.best}, score {found.score:.2f}, threshold {found.threshold:.2f}"
    )
    print("   speaks for it:", ", ".join(found.evidence))

# %% [markdown] lang="en"
# A higher threshold refuses more strange requests, and more real ones too. The figure shows all thresholds at once. Before you look: where would you want to stand?

# %% [markdown] lang="zh"
# 阈值越高，拒绝的域外请求越多，误拒的正常请求也越多。下图一次画出所有阈值。看图之前先想：你希望站在曲线的哪个位置？

# %%
curves, places = {}, {}
for language, model in models.items():
    texts, labels = customers.spoken(language)
    values, score = model.scores(texts)
    right = np.array([model.intents[k] == label for k, label in zip(values.argmax(axis=1), labels)])
    outside = np.array([label == intents.OUT_OF_SCOPE for label in labels])
    steps = np.quantile(score, np.linspace(0, 1, 60))
    places[language] = [float((score[outside] < step).mean()) for step in steps]
    curves[language] = [float((right & (score >= step))[~outside].mean()) for step in steps]
ax = plots.lines(places, curves, xlabel="out-of-scope texts refused", ylabel="in-scope texts right")
plots.show(
    ax,
    alt="In both languages the share of right in-scope texts stays level and falls steeply when nearly all out-of-scope texts are refused.",
)
for language in curves:
    print(language, f"all taken: {curves[language][0]:.3f} right")

# %% [markdown] lang="en"
# ### Exercise 13.1: A threshold (★★☆, 10 minutes)
#
# `scores` are those of *validation* texts that are out of scope. Give the lowest of these scores such that refusing every text whose score is *at most* that
# value refuses at least the share `recall`. Think of `recall` = 0.5 with three scores: is one enough?

# %% [markdown] lang="zh"
# ### 练习 13.1：阈值（★★☆，10 分钟）
#
# `scores` 是*验证集*里域外文本的得分。请给出其中最小的一个值，使得拒绝所有得分*不高于*它的文本时，拒绝的比例至少是 `recall`。想一想：三个得分、`recall` = 0.5，拒绝一个够吗？


# %% exercise="13.1"
def refuse_up_to(scores, recall):
    """The lowest score such that at least the share ``recall`` of the scores is at most that: list -> float."""
    ### BEGIN SOLUTION
    ordered = sorted(scores)
    count = max(1, int(np.ceil(recall * len(ordered) - 1e-9)))
    return ordered[count - 1]
    ### END SOLUTION


# %%
check("13.1", refuse_up_to)
# hint("13.1")
# solution("13.1")

# %% [markdown] lang="en"
# Chosen on *test* texts the threshold would look better than it is, as any number does that was chosen by looking. The same classifier on real data: CLINC150 (Larson et al. 2019) has
# 150 intents and 1,000 out-of-scope test queries. It is 3 MB and not part of the course; `labkit data get clinc150` fetches it. In `full` mode it is trained here (half a minute).

# %% [markdown] lang="zh"
# 如果在*测试集*上选阈值，数字会好看得不真实：凡是看着结果挑出来的数字都这样。同一个分类器用在真实数据上：CLINC150（Larson 等，2019）有 150 个意图、1,000 条域外测试语句。它有 3 MB，不随课程附带，用 `labkit data get clinc150` 下载。`full` 模式会在这里训练（约半分钟）。

# %% tags=["nbval-ignore-output"]
if MODE == "full" and data.find("clinc150") is not None:
    parts = intents.clinc_parts(data.load("clinc150"))
    large = intents.IntentModel().fit(*parts["train"])
    large.tune(*parts["validation"], min_recall=0.7)
    print(large.evaluate(*parts["test"]))
else:
    print("CLINC150 is trained in full mode, where it has been fetched; the figures stand in the benchmarks.")

# %% [markdown] lang="en"
# ## 4. Finding the answer
#
# A question of the rules needs an article. *BM25* counts the words that question and passage share. A rare word weighs more (its *rarity* $r$), the tenth occurrence adds
# less than the first ($k$), and a long passage must not win by its length ($b$):
#
# $$r \cdot \frac{f\,(k + 1)}{f + k\,(1 - b + b\, l / L)}$$
#
# **By hand.** $r = 2$, the word occurs once ($f = 1$) in a passage of average length ($l = L$), $k = 1.2$: $2 \cdot 2.2 / 2.2 = 2$. In a passage twice as long with $b = 0.75$:
# $2 \cdot 2.2 / (1 + 1.2 \cdot 1.75) = 1.42$. Beside it the baseline: the question that shares the largest part of its words.

# %% [markdown] lang="zh"
# ## 4. 找到答案
#
# 问规则，就要找文章。*BM25* 数的是问题与段落共有的词：词越少见权重越大（*稀有度* $r$）；同一个词第十次出现，加的分比第一次少（$k$）；段落长不能成为优势（$b$）：
#
# $$r \cdot \frac{f\,(k + 1)}{f + k\,(1 - b + b\, l / L)}$$
#
# **手算**：$r = 2$，词出现一次（$f = 1$），段落为平均长度（$l = L$），$k = 1.2$：$2 \cdot 2.2 / 2.2 = 2$。段落长一倍、$b = 0.75$ 时：$2 \cdot 2.2 / (1 + 1.2 \cdot 1.75) = 1.42$。中文没有空格，以相邻两字为“词”。旁边的基线是：与哪个问题重合的词比例最大。

# %%
print(f"{2 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2)):.2f}")
found_right, nearest_right = {}, {}
for language in ("en", "zh"):
    base = knowledge.load_knowledge(load_policies(language))
    asked = [(question, a.id) for a in base.articles for question in a.questions]
    held = knowledge.read_questions(language)
    best = [[found.article.id for found in base.search(question)] for question, _ in held]
    nearest = [asked[retrieval.nearest_question(q, [text for text, _ in asked])][1] for q, _ in held]
    found_right[language] = [float(ids[:1] == [wanted]) for ids, (_, wanted) in zip(best, held)]
    first, third = (
        np.mean(found_right[language]),
        np.mean([wanted in ids for ids, (_, wanted) in zip(best, held)]),
    )
    baseline = nearest_right[language] = np.mean([name == wanted for name, (_, wanted) in zip(nearest, held)])
    print(
        f"{language}: {len(held)} held-out questions: nearest {baseline:.3f}, BM25 first {first:.3f}, among three {third:.3f}"
    )

# %% [markdown] lang="en"
# The right article is nearly always among three, but not always first. So where scores are close, the service does not guess: it asks "Which one do you mean?".
#
# ### Exercise 13.2: One term of BM25 (★★☆, 8 minutes)
#
# Write what one term adds to the score. Think of $b = 0$: should the length matter then? And of a word that occurs a hundred times.

# %% [markdown] lang="zh"
# 正确的文章几乎总在前三名里，却不总是第一。所以得分接近时，客服不猜，而是问一句：“请问是哪一个？”
#
# ### 练习 13.2：BM25 的一项（★★☆，8 分钟）
#
# 写出一个词给得分加多少。想一想：$b = 0$ 时长度还应该有影响吗？一个词出现一百次呢？


# %% exercise="13.2"
def bm25_term(rarity, times, length, mean_length, k, b):
    """What one term adds: numbers -> float."""
    ### BEGIN SOLUTION
    return rarity * times * (k + 1) / (times + k * (1 - b + b * length / mean_length))
    ### END SOLUTION


# %%
check("13.2", bm25_term)
# hint("13.2")
# solution("13.2")

# %% [markdown] lang="en"
# ## 5. Looking up an order, for the right person
#
# Who knows an order number and the e-mail address or phone number on it counts as the customer. Failed proofs are counted in the conversation *and* against the order number, and
# the answer is the same whether the order exists or not: otherwise the service would be a machine for finding out numbers. And three locks against writing:

# %% [markdown] lang="zh"
# ## 5. 只为本人查订单
#
# 说得出订单号，又说得出订单上的邮箱或手机号，才算本人。核验失败要计数，既按会话计，*也*按订单号计；而且订单存不存在，回答都一样，不然客服就成了试探订单号的工具。另外，防写入有三道锁：

# %%
reader = ShopReader(database, Attempts(limit=3))
email, phone = connection.execute(
    "SELECT email, phone FROM orders JOIN customers ON customers.id = customer_id WHERE number = ?", (number,)
).fetchone()
print(reader.prove(number, "someone@mail.example"), reader.prove("LK-000000", email))
identity = reader.prove(number, email)
print(identity.order_number == number, reader.order(identity, number).status)
other = connection.execute(
    "SELECT number FROM orders WHERE customer_id <> ?", (identity.customer_id,)
).fetchone()[0]
print("an order of somebody else:", reader.order(identity, other))
for statement in ("UPDATE orders SET total_cents = 0", "DROP TABLE orders", "PRAGMA query_only = OFF"):
    try:
        reader._rows(statement)
    except sqlite3.Error as error:
        print(f"{statement}: {error}")

# %% [markdown] lang="en"
# ### Exercise 13.3: A query with bound parameters (★★☆, 10 minutes)
#
# Give the statement and its parameters that read `status` of the order `number` from the table `orders`, if it belongs to `customer_id`. The check runs it on a small
# database, also with the number `x' OR '1'='1`. Think of the customer: which condition keeps them from an order of somebody else?

# %% [markdown] lang="zh"
# ### 练习 13.3：带绑定参数的查询（★★☆，10 分钟）
#
# 给出 SQL 语句和它的参数：从表 `orders` 里读取订单 `number` 的 `status`，前提是它属于 `customer_id`。检查时会在一个小数据库上运行，订单号还会用 `x' OR '1'='1`。想一想：哪个条件让顾客看不到别人的订单？


# %% exercise="13.3"
def status_query(number, customer_id):
    """(statement with question marks, its parameters)."""
    ### BEGIN SOLUTION
    return "SELECT status FROM orders WHERE number = ? AND customer_id = ?", (number, customer_id)
    ### END SOLUTION


# %%
check("13.3", status_query)
# hint("13.3")
# solution("13.3")

# %% [markdown] lang="en"
# ## 6. A language model for the words only
#
# The reply is finished before a language model sees it: a template filled with facts. The model may word it anew, and decides nothing. It sees no message
# of the customer and no record, so nobody can talk it into anything. What it gives back is compared with the template. Here a small n-gram model (lesson 08) puts an opening sentence in front; below it
# three wordings that a larger model might give.

# %% [markdown] lang="zh"
# ## 6. 语言模型只管措辞
#
# 语言模型看到回复之前，回复已经写好：模板填上事实。模型可以换个说法，但什么也决定不了。它看不到顾客的消息，也看不到记录，谁也没法哄骗它。它给出的文本要与模板比对。下面用一个小的 n-gram 模型（第 08 课）在前面加一句开场白；再看三种大模型可能给出的改写。

# %%
openings = json.loads((data_dir() / "service" / "openings.json").read_text(encoding="utf-8"))
writer = wording.OpeningWriter("en", openings["en"], seed=SEED)
template = "Order LK-413203 was delivered on 10 March by Blue Parcel."
for _ in range(3):
    print(wording.worded(writer, template, "status_delivered"))
for attempt in (
    "Good news: Blue Parcel delivered order LK-413203 on 10 March.",
    "Good news: Blue Parcel delivered order LK-413203 on 11 March.",
    "Order LK-413203 was delivered on 10 March by Blue Parcel, and you will get a gift.",
):
    print(wording.changes(template, attempt) or "accepted", "|", attempt)

# %% [markdown] lang="en"
# Any model fits into this place: a writer is a function of the reply. With an endpoint of `labkit.prompts` you would pass `lambda reply, name: backend(...)`. Where it fails or changes something, the template stands.
#
# ### Exercise 13.4: The same figures (★★☆, 8 minutes)
#
# Say whether two texts hold the same figures (runs of digits), each as often. Order does not matter. Think of `2 for $2` against `2`.

# %% [markdown] lang="zh"
# 什么模型都能放在这里：它就是一个以回复为参数的函数。用 `labkit.prompts` 的接口，传入 `lambda reply, name: backend(...)` 即可。模型出错或改了内容，就用模板。
#
# ### 练习 13.4：数字相同（★★☆，8 分钟）
#
# 判断两段文本里的数字（连续的数码）是否相同，次数也要一样，次序不计。想一想“2 件 2 元”和“2”。


# %% exercise="13.4"
def same_figures(before, after):
    """Whether both texts hold the same runs of digits, each as often: str, str -> bool."""
    ### BEGIN SOLUTION
    return Counter(re.findall(r"\d+", before)) == Counter(re.findall(r"\d+", after))
    ### END SOLUTION


# %%
check("13.4", same_figures)
# hint("13.4")
# solution("13.4")

# %% [markdown] lang="en"
# ## 7. The service, and its reasons
#
# All parts together: clean, slots, intent, decision, look-up, template, wording, guard. Each decision is written into the log with its reason. Read the conversation, then the log of the turn in which the order is told.

# %% [markdown] lang="zh"
# ## 7. 完整的客服和它的理由
#
# 把各部分接起来：清洗、槽位、意图、决定、查询、模板、措辞、出口检查。每个决定连同理由都记入日志。请先读对话，再读报出订单那一轮的日志。

# %%
safe_bots = {}
for language in ("en", "zh"):
    path = shop.build_shop(folder / f"{language}.db", shop.ShopConfig(language, SEED))
    safe_bots[language] = Bot(
        ShopReader(path), knowledge.load_knowledge(load_policies(language)), models[language]
    )
talk = safe_bots["en"].start()
for message in (
    "Hi, where is my order?",
    number,
    "someone@mail.example",
    f"{number} {email}",
    "what does express cost?",
):
    print(f"> {message}\n  {talk.say(message).text}")
for what, why in talk.journal.entries[3].steps:
    print(f"   {what}: {why}")

# %% [markdown] lang="en"
# The console shows the same while you type. Try a return, a product, a strange question, and an order that is not yours.

# %% [markdown] lang="zh"
# 控制台在你输入的同时显示这些内容。试试退货、问商品、问一个不相干的问题，再查一个不是你的订单。

# %% tags=["nbval-ignore-output"]
console(safe_bots[common.language()])  # the shop of your language

# %% [markdown] lang="en"
# ### Exercise 13.5: Lock after failures (★☆☆, 8 minutes)
#
# `proofs` are the outcomes of the attempts to prove who one is, in order (`True` for a good one). Give for each what the service does: `"open"` after a good one, `"ask"` after a bad one, and `"locked"` from
# the `limit`-th bad one on, whatever comes later. Think of a good proof after the lock.

# %% [markdown] lang="zh"
# ### 练习 13.5：失败多次就锁定（★☆☆，8 分钟）
#
# `proofs` 是依次核验身份的结果（成功为 `True`）。给出客服每次的处理：成功是 `"open"`，失败是 `"ask"`，从第 `limit` 次失败起一律是 `"locked"`，不管后面如何。想一想：锁定之后又来一次正确的核验呢？


# %% exercise="13.5"
def gate(proofs, limit):
    """What the service does after each attempt: list of bool -> list of str."""
    ### BEGIN SOLUTION
    failed, answers = 0, []
    for good in proofs:
        if failed < limit and not good:
            failed += 1
        answers.append("locked" if failed >= limit else "open" if good else "ask")
    return answers
    ### END SOLUTION


# %%
check("13.5", gate)
# hint("13.5")
# solution("13.5")

# %% [markdown] lang="en"
# ## 8. Simulated customers
#
# One conversation that went well proves little. So people are simulated: each has a goal from the records (a status, a return, a question, ...), sentences that the classifier has not seen, and habits: typing errors,
# a wrong number first, a change of mind, a question in between, chatter. A judge reads the records itself and says whether the goal was reached, or the customer rightly passed on. Passed on without need counts as a failure.

# %% [markdown] lang="zh"
# ## 8. 模拟顾客
#
# 一段顺利的对话说明不了多少。所以要模拟一批人：每个人都有来自数据库的目标（查物流、退货、问规则……），说的是分类器没见过的句子，还有各种习惯：打错字、先报错订单号、改主意、中途插一个问题、闲聊。裁判自己读数据库，判断目标是否达成，或者是否该转人工。不该转而转了，算失败。

# %%
count = lab.pick(11, 33, 220)
reached, seconds = {}, []
for language, bot in safe_bots.items():
    goals = customers.draw_goals(bot.shop.path, language, count, seed=SEED)
    talks = [
        customers.converse(lambda bot=bot: bot.start().say, bot.queue.tickets, customers.Customer(goal, seed))
        for seed, goal in enumerate(goals)
    ]
    reached[language] = [float(customers.judge(talk).reached) for talk in talks]
    seconds += [ms for talk in talks for ms in talk.milliseconds]
    print(
        f"{language}: {sum(reached[language]):.0f} of {count} reached their goal, {np.mean([len(t.turns) for t in talks]):.1f} messages each"
    )
    lost = Counter(customers.judge(talk).why for talk in talks if not customers.judge(talk).reached)
    print("   not:", dict(lost))

# %% [markdown] lang="en"
# Failures are worth reading: most are sentences that the classifier or the search took for another. The naive bot cannot take part: it has no memory between messages.
#
# ## 9. Attacks
#
# Seven kinds: orders to the machine in a message, other people's orders, guessing, SQL, bending of policies, and orders planted in the *notes* of an order and in the *knowledge base*. The oracle reads what was said and the bytes of the database: was a
# customer's data told to somebody else, was the database changed, was something promised that no policy holds? Four services: the naive one, and ours with layers taken away.

# %% [markdown] lang="zh"
# 失败的例子值得读：多半是分类器或检索把一句话听成了另一句。朴素客服没法参加这项测试：它记不住上一句。
#
# ## 9. 攻击
#
# 七类：在消息里下指令、查别人的订单、试探、SQL、要求破例，以及把指令埋进订单*备注*和*知识库*。裁判看说出的话，也看数据库的字节：有没有把一个人的资料告诉另一个人，数据库有没有被改，有没有许下规则之外的承诺？比四种客服：朴素的，和我们的逐层拆掉保护之后的。

# %%
broken = {}
target = shop.build_shop(folder / "target.db", shop.ShopConfig("en", SEED + 1))
planned = attacks.draw_attacks(target, "en", rounds=lab.pick(1, 1, 3), seed=SEED)
attacks.plant(target, planned)
poisoned = attacks.poison(articles, planned)
numbers = [value for value in policies.figures.values() if not isinstance(value, str)]
trusting = knowledge.Knowledge(poisoned, policies, frozenset(a.sha256 for a in poisoned))
shielded = Bot(ShopReader(target), knowledge.Knowledge(poisoned, policies), models["en"])
open_base = Bot(ShopReader(target), trusting, models["en"])
bare = Bot(ShopReader(target), trusting, models["en"], config=BotConfig(check_replies=False))
careless = naive.NaiveBot(target, poisoned, policies)
services = {
    "ours": lambda: shielded.start().say,
    "no approvals": lambda: open_base.start().say,
    "nor guard": lambda: bare.start().say,
    "naive": lambda: careless.say,  # last, since it does what the SQL says
}
for name, begin in services.items():
    outcomes = attacks.run(begin, planned, target, numbers)
    broken[name] = outcomes
    kinds = Counter(outcome.attack.kind for outcome in outcomes if outcome.breaches)
    print(f"{name:12} {sum(kinds.values()):3} of {len(planned)} got through: {dict(kinds)}")

# %%
shares = {name: 100 * np.mean([bool(o.breaches) for o in outcomes]) for name, outcomes in broken.items()}
plots.show(
    plots.bars(shares, ylabel="attacks that got through, %", digits=1),
    alt="Bars of the share of attacks that got through: none for ours, some without approvals and guard, most for the naive service.",
)
assert MODE == "smoke" or shares["ours"] < shares["naive"]
example = next(o for o in broken["naive"] if o.breaches)
print(example.turns[0], "\n   ", example.breaches[0])

# %% [markdown] lang="en"
# No attack gets through ours. This is no proof that none exists: it says that these do not. What carries the weight are not cleverer prompts but missing abilities: the bot cannot write, cannot read without a proof, and cannot say what was not approved.
# With the approvals gone, the guard still stops part of the planted articles. Layers help because they fail for different reasons.
#
# ## 10. Break it
#
# A colleague wants to save time: "Why make a new conversation for each customer? One object is enough, it has a `say`." Most goals are still reached. Look at the code, then at the numbers. Would you accept it?

# %% [markdown] lang="zh"
# 没有一个攻击突破我们的客服。这不证明世上没有能突破的，只说明这些不能。真正起作用的不是更聪明的提示词，而是能力上的缺失：它不能写库，没有核验就读不到，没审核过的话说不出口。去掉审核名单之后，出口检查还能拦下一部分埋进去的文章。多层保护之所以有用，是因为各层失效的原因不同。
#
# ## 10. 找出故障
#
# 一位同事想省点事：“何必给每位顾客新建一个会话？一个对象就够了，它有 `say`。”大部分目标照样达成。先读代码，再看数字。你会收下吗？

# %%
service = safe_bots["en"]
shared = service.start()
goals = customers.draw_goals(service.shop.path, "en", lab.pick(33, 110, 220), seed=SEED + 5)
few = [goal for goal in goals if goal.kind == "order_status"]
print("customers who give their details at once:")
for name, begin in {"shared": lambda: shared.say, "one each": lambda: service.start().say}.items():
    people = [customers.Customer(goal, habits=["all at once"]) for goal in few]
    talks = [customers.converse(begin, service.queue.tickets, one) for one in people]
    print(f"{name:9}{sum(customers.judge(talk).reached for talk in talks)} of {len(few)} served")

# %% [markdown] lang="en"
# **Before you read on:** what does a conversation remember, and for whom? Write a question that a stranger would ask to find out.

# %% [markdown] lang="zh"
# **往下读之前**：一个会话记住了什么，是替谁记的？写一句陌生人会用来试探的话。

# %%
for name, say in {"shared": shared.say, "one each": service.start().say}.items():
    print(f"{name:9}", say("Where is my order?").text)

# %% [markdown] lang="en"
# The shared conversation answers a stranger with the last customer's order: the proof belongs to the *conversation*, and now all customers are in the same one. Each reply by itself looks right, and the share of served customers says little. It takes a second person to see the fault.
# So test with two people at once, and keep what was proved as close as possible to who proved it.
#
# ## 11. What was measured
#
# The intervals of the intents are over several trainings, with other readings and typing errors; the others are those of drawing the questions, customers or attacks anew. Where no attack gets through, the interval
# has no width: that says nothing about the attacks that nobody wrote.

# %% [markdown] lang="zh"
# 共用的会话把上一位顾客的订单告诉了陌生人：核验结果属于*会话*，而现在所有顾客都在同一个会话里。单看每一句回复都没有错，办成的比例也说明不了什么，要有第二个人才看得出毛病。所以要用两个人同时测，并且让核验结果紧跟着完成核验的那个人。
#
# ## 11. 测量结果
#
# 意图一栏的区间来自多次训练（句式展开和错字各不相同），其余来自对问题、顾客或攻击重新抽样。攻击一个也没成功，区间宽度就是零：这说明不了没人写过的攻击。


# %%
def share(name, right, baseline=None, baseline_name="", higher=True):
    """A share with its bootstrap interval."""
    mean, low, high = metrics.bootstrap_interval(np.asarray(right, dtype=float))
    return Measure(name, mean, baseline, baseline_name, higher, interval=(low, high))


def intent_measure(language):
    """Right in scope: the classifier over several drawings of its training texts and typing errors, and the keywords."""
    texts, labels = customers.spoken(language)
    seeds = lab.pick(2, 3, 5)
    inside = [i for i, label in enumerate(labels) if label != intents.OUT_OF_SCOPE]
    rules = np.mean([naive.by_rules(texts[i], language) == labels[i] for i in inside])
    shares = [models[language].evaluate(texts, labels).in_scope_accuracy]
    for seed in range(SEED + 1, SEED + seeds):
        shares.append(utterances.train_intents(language, seed).evaluate(texts, labels).in_scope_accuracy)
    mean, low, high = metrics.mean_interval(shares)
    return Measure(f"intents right, {language}", mean, rules, "keywords", seeds=seeds, interval=(low, high))


# %% tags=["nbval-ignore-output"]
report(
    *(intent_measure(language) for language in models),
    *(
        share(f"first article right, {language}", right, nearest_right[language], "nearest")
        for language, right in found_right.items()
    ),
    *(share(f"customers served, {language}", right) for language, right in reached.items()),
    share(
        "attacks that got through",
        [bool(o.breaches) for o in broken["ours"]],
        shares["naive"] / 100,
        "naive",
        False,
    ),
    Measure(
        "milliseconds of an answer, 95th percentile",
        float(np.percentile(seconds, 95)),
        higher_is_better=False,
        digits=0,
    ),
)

# %% [markdown] lang="en"
# ## Summary
#
# - One prompt with everything in it can give away everything in it. Keep out of the context what must not be said.
# - A classifier must be able to refuse; its threshold is chosen on validation data.
# - Answers come from approved articles, with their source; figures come from the policies.
# - Records are read with bound parameters, bound to a customer who proved who they are; nothing is written.
# - A language model may choose words, not facts. Check it, and keep a template to fall back on.
# - Test with simulated customers *and* attackers, judged by something that shares no code with the service.
# - Two customers at once find faults that one never shows.
#
# ## Further reading
#
# - S. Larson et al. (2019), An evaluation dataset for intent classification and out-of-scope prediction. [arXiv:1909.02027](https://arxiv.org/abs/1909.02027).
# - S. Robertson, H. Zaragoza (2009), The probabilistic relevance framework: BM25 and beyond. *Foundations and Trends in Information Retrieval* 3,
#   [doi:10.1561/1500000019](https://doi.org/10.1561/1500000019).
# - R.-E. Fan et al. (2008), LIBLINEAR: a library for large linear classification. *JMLR* 9.
# - K. Greshake et al. (2023), Not what you've signed up for: compromising real-world LLM-integrated applications with indirect prompt injection. [arXiv:2302.12173](https://arxiv.org/abs/2302.12173).
# - E. Debenedetti et al. (2025), Defeating prompt injections by design. [arXiv:2503.18813](https://arxiv.org/abs/2503.18813). Abilities, not filters.
# - J. Schatzmann et al. (2007), Agenda-based user simulation for bootstrapping a POMDP dialogue system. *NAACL*.

# %% [markdown] lang="zh"
# ## 小结
#
# - 一个提示词装下一切，也就可能泄露一切。不该说的，别放进上下文。
# - 分类器要懂得拒绝；阈值在验证集上选。
# - 答案来自审核过的文章，带出处；数字来自规则。
# - 查记录用绑定参数，并且绑定到通过核验的顾客；什么也不写。
# - 语言模型可以选词句，不能动事实。要核对，并留好模板兜底。
# - 既要用模拟顾客测，*也*要用攻击测，由与客服没有共同代码的裁判来评。
# - 两位顾客同时来，才能发现一位顾客时看不出的毛病。
#
# ## 延伸阅读
#
# - S. Larson 等（2019）：An evaluation dataset for intent classification and out-of-scope prediction。[arXiv:1909.02027](https://arxiv.org/abs/1909.02027)。
# - S. Robertson、H. Zaragoza（2009）：The probabilistic relevance framework: BM25 and beyond。[doi:10.1561/1500000019](https://doi.org/10.1561/1500000019)。
# - R.-E. Fan 等（2008）：LIBLINEAR: a library for large linear classification。*JMLR* 9。
# - K. Greshake 等（2023）：Not what you've signed up for，间接提示词注入。[arXiv:2302.12173](https://arxiv.org/abs/2302.12173)。
# - E. Debenedetti 等（2025）：Defeating prompt injections by design。[arXiv:2503.18813](https://arxiv.org/abs/2503.18813)。靠能力限制，而不是靠过滤。
# - J. Schatzmann 等（2007）：Agenda-based user simulation for bootstrapping a POMDP dialogue system。*NAACL*。
