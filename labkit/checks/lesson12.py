"""Checks of lesson 12: ROUGE-N, common subsequence, a step of TextRank, labels by greed, copying, unsupported figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from labkit.checks.core import Exercise, Mistake, Text

Words = Sequence[str]
Scores = tuple[float, float, float]


def _split(text: str) -> list[str]:
    return text.split()


# ---------------------------------------------------------------------------------------------------------------
# 12.1 ROUGE-N


def _grams(words: Words, n: int) -> list[tuple]:
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def _scores(shared: float, ours: int, theirs: int) -> Scores:
    precision, recall = shared / max(ours, 1), shared / max(theirs, 1)
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0


def _rouge_reference(summary: Words, reference: Words, n: int) -> Scores:
    """Another way than counting: each n-gram of the reference is struck out once it has been found."""
    ours, left = _grams(summary, n), _grams(reference, n)
    theirs, shared = len(left), 0
    for gram in ours:
        if gram in left:
            left.remove(gram)
            shared += 1
    return _scores(shared, len(ours), theirs)


def _rouge_inputs() -> list[tuple]:
    return [
        (["snow", "fell"], ["snow", "fell", "today"], 1),
        (["the", "the", "the", "the"], ["the", "cat"], 1),
        (_split("the new bridge was opened by the mayor"), _split("the mayor opened the new bridge"), 1),
        (_split("the new bridge was opened by the mayor"), _split("the mayor opened the new bridge"), 2),
        (list("新桥由镇长剪彩"), list("镇长为新桥剪彩"), 2),
        (["rain"], ["sun", "wind"], 1),
        (["rain"], ["rain"], 2),
    ]


def _by_sets(summary: Words, reference: Words, n: int) -> Scores:
    ours, theirs = set(_grams(summary, n)), set(_grams(reference, n))
    return _scores(len(ours & theirs), len(ours), len(theirs))


def _without_clipping(summary: Words, reference: Words, n: int) -> Scores:
    ours, theirs = _grams(summary, n), _grams(reference, n)
    return _scores(sum(gram in theirs for gram in ours), len(ours), len(theirs))


def _swapped(summary: Words, reference: Words, n: int) -> Scores:
    precision, recall, f1 = _rouge_reference(summary, reference, n)
    return recall, precision, f1


def _plain_mean(summary: Words, reference: Words, n: int) -> Scores:
    precision, recall, _ = _rouge_reference(summary, reference, n)
    return precision, recall, (precision + recall) / 2


def _words_only(summary: Words, reference: Words, n: int) -> Scores:
    shared = (Counter(_grams(summary, n)) & Counter(_grams(reference, n))).total()
    return _scores(shared, len(summary), len(reference))


ROUGE_N = Exercise(
    id="12.1",
    title=Text("ROUGE-N", "ROUGE-N 指标"),
    difficulty=2,
    minutes=10,
    reference=_rouge_reference,
    inputs=_rouge_inputs,
    mistakes=[
        Mistake(
            Text("Sets forget how often", "集合不记次数"),
            _by_sets,
            Text(
                "the, the, the, the is four words, and a set holds one. Count the n-grams with Counter.",
                "the 出现四次是四个词，集合里却只剩一个。请用 Counter 计数。",
            ),
        ),
        Mistake(
            Text("A repeated word counts too often", "重复的词多算了"),
            _without_clipping,
            Text(
                "Whoever writes the four times would be right four times. An n-gram counts at most as often as it "
                "is in the reference: the smaller of both counts.",
                "写四遍 the 就得四次分。一个 n 元组最多只能算参考摘要里出现的次数：两边取较小者。",
            ),
        ),
        Mistake(
            Text("Precision and recall are swapped", "精确率与召回率写反了"),
            _swapped,
            Text(
                "Precision divides by what the summary has, recall by what the reference has.",
                "精确率除以摘要的 n 元组总数，召回率除以参考摘要的。",
            ),
        ),
        Mistake(
            Text("The plain mean instead of F1", "把 F1 算成了算术平均"),
            _plain_mean,
            Text(
                "F1 is the harmonic mean 2PR / (P + R): it is small as soon as one of both is.",
                "F1 是调和平均 2PR / (P + R)：只要有一个小，它就小。",
            ),
        ),
        Mistake(
            Text("Divided by words, not by n-grams", "分母用了词数，不是 n 元组数"),
            _words_only,
            Text(
                "A text of 6 words has 5 pairs. Two equal texts must score 1 for n = 2 as well.",
                "6 个词只有 5 个二元组。两段相同的文本，n = 2 时也应得 1。",
            ),
        ),
    ],
    hints=[
        Text(
            "Make both lists of n-grams, then two Counters. What does the operator & of two Counters give?",
            "先列出两边的 n 元组，各做一个 Counter。两个 Counter 做 & 运算得到什么？",
        ),
        Text(
            "shared = (Counter(ours) & Counter(theirs)).total(); no n-gram in common gives 0, 0, 0.",
            "shared = (Counter(ours) & Counter(theirs)).total()；没有共同的 n 元组时三个数都是 0。",
        ),
        Text(
            "With the two lists of n-grams: precision = shared / len(ours), recall = shared / len(theirs), "
            "f1 = 2 * shared / (len(ours) + len(theirs))",
            "用两边的 n 元组列表：precision = shared / len(ours)，recall = shared / len(theirs)，f1 = 2 * shared / (len(ours) + len(theirs))",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 12.2 the longest common subsequence


def _lcs_reference(one: Words, other: Words) -> int:
    """From the definition: the longest choice of places of the one that stands in the other in this order."""
    for size in range(min(len(one), len(other)), 0, -1):
        for places in combinations(range(len(one)), size):
            rest = iter(other)
            if all(one[place] in rest for place in places):
                return size
    return 0


def _lcs_inputs() -> list[tuple]:
    return [
        (["a", "b"], ["b", "a"]),
        (["a", "b", "c"], ["a", "x", "b", "y", "c"]),
        (["a", "a", "b"], ["a", "b"]),
        (_split("the new bridge was opened by the mayor"), _split("the mayor opened the new bridge")),
        (list("新桥由镇长剪彩"), list("镇长为新桥剪彩")),
        (["x", "a", "b", "c"], ["a", "b", "c", "x"]),
        (["a", "b", "c"], ["a", "b", "d"]),
        ([], ["a"]),
    ]


def _in_one_piece(one: Words, other: Words) -> int:
    pieces = {tuple(other[i:j]) for i in range(len(other)) for j in range(i + 1, len(other) + 1)}
    lengths = [
        j - i for i in range(len(one)) for j in range(i + 1, len(one) + 1) if tuple(one[i:j]) in pieces
    ]
    return max(lengths, default=0)


def _without_order(one: Words, other: Words) -> int:
    return (Counter(one) & Counter(other)).total()


def _greedy(one: Words, other: Words) -> int:
    found, start = 0, 0
    for word in one:
        if word in other[start:]:
            start = list(other).index(word, start) + 1
            found += 1
    return found


def _both_ways(one: Words, other: Words) -> int:
    """The table where a match adds to the larger neighbour instead of to the diagonal."""
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    for i, word in enumerate(one):
        for j, candidate in enumerate(other):
            table[i + 1, j + 1] = max(table[i, j + 1], table[i + 1, j]) + (word == candidate)
    return int(table[-1, -1])


def _last_cell_lost(one: Words, other: Words) -> int:
    return _lcs_reference(one[:-1], other[:-1])


LCS = Exercise(
    id="12.2",
    title=Text("The longest common subsequence", "最长公共子序列"),
    difficulty=3,
    minutes=15,
    reference=_lcs_reference,
    inputs=_lcs_inputs,
    mistakes=[
        Mistake(
            Text("In one piece only", "只算了连续的一段"),
            _in_one_piece,
            Text(
                "A subsequence keeps the order but may leave gaps: a x b y c holds a b c.",
                "子序列保持次序，但中间可以有间隔：a x b y c 里含有 a b c。",
            ),
        ),
        Mistake(
            Text("The order is ignored", "没有管次序"),
            _without_order,
            Text(
                "a b and b a have two words in common, but only one in the same order. That is ROUGE-1.",
                "a b 与 b a 有两个词相同，次序一致的却只有一个。你算的是 ROUGE-1。",
            ),
        ),
        Mistake(
            Text("The first match is taken at once", "一见匹配就取"),
            _greedy,
            Text(
                "x a b c against a b c x: whoever takes x first has nothing left. Compare both: take, or leave out.",
                "x a b c 对 a b c x：先取了 x，后面就什么也取不到了。取与不取都要比较。",
            ),
        ),
        Mistake(
            Text("A match builds on a neighbour, not on the diagonal", "匹配时没有从对角线加一"),
            _both_ways,
            Text(
                "When both words are equal, both are used up: add 1 to the field diagonally before, or one word is "
                "matched twice.",
                "两个词相同，两边就各用掉一个：应当在左上角的值上加 1，否则同一个词会被匹配两次。",
            ),
        ),
        Mistake(
            Text("The last words are left out", "漏了最后一个词"),
            _last_cell_lost,
            Text(
                "The table has one row and one column more than there are words. The answer is in its last field.",
                "表的行数、列数都比词数多 1，答案在最后一格。",
            ),
        ),
    ],
    hints=[
        Text(
            "Let table[i][j] be the answer for the first i and the first j words. What is it where the last two "
            "words are equal, and where not?",
            "设 table[i][j] 是前 i 个词与前 j 个词的答案。最后两个词相同时是什么？不同时呢？",
        ),
        Text(
            "Equal: table[i][j] + 1 for the next field. Not equal: the larger of the field above and the field to the left.",
            "相同：左上角的值加 1。不同：上方与左方两格中较大的那个。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 12.3 one step of TextRank

Matrix = NDArray[np.float64]


def _step_reference(scores: Matrix, weights: Matrix, damping: float) -> Matrix:
    """Vote by vote."""
    size = len(scores)
    following = np.full(size, (1 - damping) / size)
    for giver in range(size):
        total = weights[giver].sum()
        for taker in range(size):
            share = weights[giver, taker] / total if total else 1 / size
            following[taker] += damping * share * scores[giver]
    return following


def _step_inputs() -> list[tuple]:
    chain = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    alone = np.array([[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    rng = np.random.default_rng(0)
    random = rng.random((5, 5))
    random = np.triu(random, 1) + np.triu(random, 1).T
    return [
        (np.full(3, 1 / 3), chain, 0.85),
        (np.array([0.2, 0.5, 0.3]), chain, 0.85),
        (np.array([0.5, 0.25, 0.25]), alone, 0.8),
        (rng.dirichlet(np.ones(5)), random, 0.6),
        (np.array([0.7, 0.3]), np.array([[0.0, 3.0], [3.0, 0.0]]), 0.5),
    ]


def _shares(weights: Matrix, empty: float) -> Matrix:
    totals = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, totals, out=np.full_like(weights, empty), where=totals > 0)


def _votes(scores: Matrix, weights: Matrix) -> Matrix:
    return _shares(weights, 1 / len(scores)).T @ scores


STEP = Exercise(
    id="12.3",
    title=Text("One step of TextRank", "TextRank 的一步"),
    difficulty=2,
    minutes=12,
    reference=_step_reference,
    inputs=_step_inputs,
    mistakes=[
        Mistake(
            Text("The votes of a sentence are not shared out", "一句的票没有分摊"),
            lambda p, w, d: (1 - d) / len(p) + d * w.T @ p,
            Text(
                "A sentence has its own score to give, no more: divide each row by its sum, so that p goes on adding up to 1.",
                "一个句子能投出去的只有它自己的得分：每行要除以该行之和，p 的总和才保持为 1。",
            ),
        ),
        Mistake(
            Text("Givers and takers are swapped", "投票与得票弄反了"),
            lambda p, w, d: (1 - d) / len(p) + d * _shares(w, 1 / len(p)) @ p,
            Text(
                "This gives each sentence the mean score of those that it resembles. Row i says what i gives away: use "
                "the transposed matrix.",
                "这样得到的是“与它相似的句子得分的平均”。第 i 行是 i 投出去的票，要用转置矩阵。",
            ),
        ),
        Mistake(
            Text("What all get is not divided by S", "公共部分没有除以 S"),
            lambda p, w, d: (1 - d) + d * _votes(p, w),
            Text(
                "1 - d is shared by all S sentences: (1 - d) / S each.",
                "1 - d 由 S 个句子平分：每句 (1 - d) / S。",
            ),
        ),
        Mistake(
            Text("d and 1 - d are swapped", "d 与 1 - d 写反了"),
            lambda p, w, d: d / len(p) + (1 - d) * _votes(p, w),
            Text(
                "With d = 0 nobody votes and all are equal. So d stands with the votes.",
                "d = 0 时没人投票，大家相等。所以 d 要乘在票数上。",
            ),
        ),
        Mistake(
            Text("The vote of a sentence that resembles none is lost", "与谁都不相似的句子，它的票丢了"),
            lambda p, w, d: (1 - d) / len(p) + d * _shares(w, 0.0).T @ p,
            Text(
                "Its row is all zeros, and then p no longer adds up to 1. Such a sentence gives 1 / S to all.",
                "它那一行全是 0，p 的总和就不到 1 了。这样的句子给每句投 1 / S。",
            ),
        ),
    ],
    hints=[
        Text(
            "First make the matrix of shares: each row of the weights divided by its sum. What about a row of zeros?",
            "先求分摊矩阵：权重的每一行除以该行之和。全为 0 的行怎么办？",
        ),
        Text(
            "Then (1 - damping) / S + damping * shares.T @ scores.",
            "然后是 (1 - damping) / S + damping * shares.T @ scores。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 12.4 labels by greed

Sentences = Sequence[Words]


def _joined_f1(sentences: Sentences, chosen: Sequence[int], reference: Words) -> float:
    words = [word for place in sorted(chosen) for word in sentences[place]]
    return _rouge_reference(words, reference, 1)[2]


def _best_next(
    sentences: Sentences, chosen: Sequence[int], value: Callable[[list[int]], float]
) -> tuple[float, int]:
    left = [place for place in range(len(sentences)) if place not in chosen]
    return max(((value([*chosen, place]), -place) for place in left), default=(-1.0, 0))


def _choose(
    sentences: Sentences, value: Callable[[list[int]], float], stop: Callable[[float, float], bool]
) -> list[int]:
    chosen: list[int] = []
    best = 0.0
    while len(chosen) < len(sentences):
        score, place = _best_next(sentences, chosen, value)
        if stop(score, best):
            break
        chosen.append(-place)
        best = score
    return chosen


def _choose_reference(sentences: Sentences, reference: Words) -> list[int]:
    return sorted(
        _choose(
            sentences, lambda chosen: _joined_f1(sentences, chosen, reference), lambda new, old: new <= old
        )
    )


def _choose_inputs() -> list[tuple]:
    news = _split("tom reed won the race and got a silver cup")
    cup, race = _split("he got a silver cup"), _split("tom reed won the race and cheered")
    return [
        ([["it", "rained"], ["tom", "won"]], ["tom", "won"]),
        ([["it", "rained"], race, cup, ["people", "clapped"]], news),
        ([cup, ["it", "rained"], race], news),
        ([_split("tom reed won the race"), _split("tom reed won the race again"), cup], news),
        ([["a", "b"], ["c"], ["a", "x", "y", "z", "v", "w"], ["d", "x", "y", "z", "u", "w"]], list("abcd")),
        ([["x"], ["y"]], ["a"]),
    ]


def _by_recall(sentences: Sentences, reference: Words) -> list[int]:
    def recall(chosen: list[int]) -> float:
        return _rouge_reference([w for p in sorted(chosen) for w in sentences[p]], reference, 1)[1]

    return sorted(_choose(sentences, recall, lambda new, old: new <= old))


def _never_stops(sentences: Sentences, reference: Words) -> list[int]:
    return sorted(
        _choose(sentences, lambda chosen: _joined_f1(sentences, chosen, reference), lambda new, old: False)
    )


def _one_only(sentences: Sentences, reference: Words) -> list[int]:
    score, place = _best_next(sentences, [], lambda chosen: _joined_f1(sentences, chosen, reference))
    return [-place] if score > 0 else []


def _each_alone(sentences: Sentences, reference: Words) -> list[int]:
    alone = [_joined_f1(sentences, [place], reference) for place in range(len(sentences))]
    chosen: list[int] = []
    best = 0.0
    for place in sorted(range(len(sentences)), key=lambda place: (-alone[place], place)):
        score = _joined_f1(sentences, [*chosen, place], reference)
        if score <= best:
            break
        chosen, best = [*chosen, place], score
    return sorted(chosen)


def _as_chosen(sentences: Sentences, reference: Words) -> list[int]:
    return _choose(
        sentences, lambda chosen: _joined_f1(sentences, chosen, reference), lambda new, old: new <= old
    )


LABELS = Exercise(
    id="12.4",
    title=Text("Labels from a summary", "由摘要造标签"),
    difficulty=3,
    minutes=15,
    reference=_choose_reference,
    inputs=_choose_inputs,
    mistakes=[
        Mistake(
            Text("It goes on although nothing is gained", "没有增益还继续加"),
            _never_stops,
            Text(
                "In the end every sentence is chosen. Stop as soon as the best next one does not raise F1.",
                "这样最后全都选上了。最好的下一句也不能提高 F1 时，就该停。",
            ),
        ),
        Mistake(
            Text("Recall instead of F1", "用了召回率而不是 F1"),
            _by_recall,
            Text(
                "A sentence with one new word of the summary and five others raises recall, and makes the summary worse.",
                "一句话只带来一个有用的词、五个没用的词，召回率也会上升，摘要却变差了。",
            ),
        ),
        Mistake(
            Text("Each sentence is judged alone", "逐句单独打分"),
            _each_alone,
            Text(
                "The second best sentence may say the same as the best. Judge what is already chosen together with "
                "each candidate, anew in every round.",
                "第二好的句子可能和第一句说的是同一件事。每一轮都要把已选的和候选合在一起重新打分。",
            ),
        ),
        Mistake(
            Text("One sentence only", "只选了一句"),
            _one_only,
            Text("Go on as long as another sentence raises F1.", "只要再加一句还能提高 F1，就继续加。"),
        ),
        Mistake(
            Text("In the order of choice", "按选中的先后排列"),
            _as_chosen,
            Text(
                "A summary keeps the order of the article: sort the places.",
                "摘要要保持原文的次序：请把位置排序。",
            ),
        ),
    ],
    hints=[
        Text(
            "A loop: try each sentence that is not chosen yet together with those that are, and keep the best.",
            "循环：把每个未选的句子与已选的合在一起试，留下最好的。",
        ),
        Text(
            "rouge_n(words, reference, 1).f1 gives the score of a list of words; break when the best score is not "
            "higher than before.",
            "rouge_n(words, reference, 1).f1 给出一列词的得分；最高分不比原来高时 break。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 12.5 generate or copy


def _mixture_reference(
    p_gen: float, vocabulary: Matrix, attention: Matrix, ids: NDArray[np.int64], size: int
) -> Matrix:
    """With matrices: the one-hot rows of the article's words, added up."""
    both = np.pad(vocabulary, (0, size - len(vocabulary)))
    return p_gen * both + (1 - p_gen) * attention @ np.eye(size)[ids]


def _mixture_inputs() -> list[tuple]:
    rng = np.random.default_rng(1)
    return [
        (0.5, np.array([0.75, 0.25]), np.array([1.0]), np.array([2]), 3),
        (0.4, np.array([0.5, 0.2, 0.2, 0.1]), np.array([0.6, 0.05, 0.05, 0.3]), np.array([4, 0, 1, 5]), 6),
        (0.25, np.array([0.5, 0.5]), np.array([0.25, 0.5, 0.25]), np.array([2, 1, 2]), 4),
        (0.7, rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(8)), np.array([6, 1, 7, 1, 6, 3, 8, 6]), 9),
        (1.0, np.array([0.1, 0.9]), np.array([0.5, 0.5]), np.array([2, 0]), 3),
    ]


def _padded(vocabulary: Matrix, size: int) -> Matrix:
    return np.pad(vocabulary, (0, size - len(vocabulary)))


def _assigned(p_gen, vocabulary, attention, ids, size):
    both = p_gen * _padded(vocabulary, size)
    both[ids] += (1 - p_gen) * attention  # of equal ids the last wins
    return both


def _unknown_only(p_gen, vocabulary, attention, ids, size):
    both = p_gen * _padded(vocabulary, size)
    new = ids >= len(vocabulary)
    np.add.at(both, ids[new], (1 - p_gen) * attention[new])
    return both


def _by_position(p_gen, vocabulary, attention, ids, size):
    both = np.zeros(max(size, len(vocabulary) + len(attention)))
    both[: len(vocabulary)] = p_gen * vocabulary
    both[len(vocabulary) : len(vocabulary) + len(attention)] = (1 - p_gen) * attention
    return both[:size]


def _unweighted(p_gen, vocabulary, attention, ids, size):
    both = _padded(vocabulary, size).astype(float)
    np.add.at(both, ids, attention)
    return both


MIXTURE = Exercise(
    id="12.5",
    title=Text("Generate or copy", "生成还是复制"),
    difficulty=2,
    minutes=12,
    reference=_mixture_reference,
    inputs=_mixture_inputs,
    mistakes=[
        Mistake(
            Text("A word that occurs twice is copied once", "出现两次的词只算了一次"),
            _assigned,
            Text(
                "NumPy's both[ids] += values keeps only the last value of equal ids. Use np.add.at, which adds them up; "
                "then the whole adds up to 1.",
                "NumPy 的 both[ids] += values 遇到相同的下标只留最后一个。请用 np.add.at 累加，总和才是 1。",
            ),
        ),
        Mistake(
            Text("p_gen and 1 - p_gen are swapped", "p_gen 与 1 - p_gen 写反了"),
            lambda p_gen, vocabulary, attention, ids, size: _mixture_reference(
                1 - p_gen, vocabulary, attention, ids, size
            ),
            Text(
                "p_gen is the probability of generating: with p_gen = 1 nothing is copied.",
                "p_gen 是生成的概率：p_gen = 1 时什么也不复制。",
            ),
        ),
        Mistake(
            Text("Known words are not copied", "词表里的词没有复制"),
            _unknown_only,
            Text(
                "A word of the vocabulary that stands in the article gets both parts: it can be generated and copied.",
                "词表里的词若也在文章里，两部分都要算：既可以生成，也可以复制。",
            ),
        ),
        Mistake(
            Text("Places instead of words", "按位置放，没有按词放"),
            _by_position,
            Text(
                "Attention belongs to places of the article; ids says which word stands at each. Add it there.",
                "注意力属于文章里的位置，ids 给出各位置是哪个词，要加到那个词上。",
            ),
        ),
        Mistake(
            Text("Both parts count in full", "两部分都没有加权"),
            _unweighted,
            Text(
                "Two distributions add up to 2. Weigh one by p_gen, the other by 1 - p_gen.",
                "两个分布相加，总和是 2。一个乘 p_gen，另一个乘 1 - p_gen。",
            ),
        ),
    ],
    hints=[
        Text(
            "Begin with zeros of the full size. The first V places get p_gen * p_vocabulary.",
            "先建一个长度为 size 的零向量，前 V 个位置放 p_gen * p_vocabulary。",
        ),
        Text(
            "Then np.add.at(both, ids, (1 - p_gen) * attention).",
            "然后 np.add.at(both, ids, (1 - p_gen) * attention)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 12.6 figures that no article supports


def _figures(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _unsupported_reference(summary: str, article: str) -> list[str]:
    """Character by character."""

    def runs(text: str) -> list[str]:
        return "".join(c if c.isdigit() else " " for c in text).split()

    said = runs(article)
    return [figure for figure in runs(summary) if figure not in said]


def _unsupported_inputs() -> list[tuple]:
    return [
        ("12 came", "125 came"),
        ("It cost 40.", "Of 60 people, 40 paid."),
        ("19 people", "9 people, then 1 more"),
        ("7:30 on 3 May, 25 crowns", "At 7:30 on 3 May 52 crowns were paid."),
        ("费用86000元，共3人", "共3人，花了8600元。"),
        ("9 of 8, and 9 again", "8 of 10"),
        ("nobody", "5 people"),
    ]


UNSUPPORTED = Exercise(
    id="12.6",
    title=Text("Figures that nobody gave", "没有出处的数字"),
    difficulty=2,
    minutes=8,
    reference=_unsupported_reference,
    inputs=_unsupported_inputs,
    mistakes=[
        Mistake(
            Text("A part of a number counts as the number", "数字的一部分也算数了"),
            lambda summary, article: [figure for figure in _figures(summary) if figure not in article],
            Text(
                "The characters 12 stand in 125, the number 12 does not. Find the numbers of the article first.",
                "125 里有“12”这两个字符，却没有 12 这个数。请先找出文章里的数字。",
            ),
        ),
        Mistake(
            Text("The other way round", "方向反了"),
            lambda summary, article: [
                figure for figure in _figures(article) if figure not in _figures(summary)
            ],
            Text(
                "A summary may leave figures out; that is its task. It must not bring new ones.",
                "摘要可以省略数字，那正是它的本分；但不能添出新的。",
            ),
        ),
        Mistake(
            Text("Digits instead of numbers", "比的是单个数码"),
            lambda summary, article: [
                digit for digit in re.findall(r"\d", summary) if digit not in re.findall(r"\d", article)
            ],
            Text(
                "25 and 52 hold the same digits. Take runs of digits: \\d+.",
                "25 与 52 的数码相同。要取整段数字：\\d+。",
            ),
        ),
        Mistake(
            Text("Cut at blanks", "按空格切开了"),
            lambda summary, article: [
                word for word in summary.split() if re.search(r"\d", word) and word not in article.split()
            ],
            Text(
                "40. with its full stop is another string than 40, and Chinese has no blanks. Use a regular expression.",
                "带句号的“40.”与“40”不是同一个字符串，中文又没有空格。请用正则表达式。",
            ),
        ),
        Mistake(
            Text("Each only once", "重复的只留了一个"),
            lambda summary, article: list(dict.fromkeys(_unsupported_reference(summary, article))),
            Text(
                "Give a figure as often as the summary states it: each statement is a claim.",
                "摘要说了几次就列几次：每说一次都是一个断言。",
            ),
        ),
    ],
    hints=[
        Text(
            "re.findall finds the runs of digits. In which text do you look for which?",
            "re.findall 能找出整段数字。在哪段文本里找谁的数字？",
        ),
        Text(
            "said = set(re.findall(r'\\d+', article)), then keep the figures of the summary that are not in said.",
            "said = set(re.findall(r'\\d+', article))，再留下摘要里不在 said 中的数字。",
        ),
    ],
)

EXERCISES = [ROUGE_N, LCS, STEP, LABELS, MIXTURE, UNSUPPORTED]
