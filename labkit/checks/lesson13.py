"""Checks of lesson 13: threshold, one term of BM25, bound parameters, the same figures, locking after failures."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 13.1 a threshold


def _threshold_reference(scores: Sequence[float], recall: float) -> float:
    return min(
        score for score in scores if sum(other <= score for other in scores) >= recall * len(scores) - 1e-9
    )


def _threshold_inputs() -> list[tuple]:
    return [
        ([0.3, -0.5, 0.1], 0.5),
        ([1.0, 2.0, 3.0, 4.0], 0.5),
        ([-1.5, 0.25, -0.75, 2.0, -3.0, 0.5, 1.25], 0.7),
        ([0.5, 0.5, 0.1, 0.9, 0.5, -0.2], 0.6),
        ([4.0, -2.0, 1.0, 3.0, 0.0], 1.0),
    ]


def _count(scores: Sequence[float], recall: float) -> int:
    return max(1, math.ceil(recall * len(scores) - 1e-9))


THRESHOLD = Exercise(
    id="13.1",
    title=Text("A threshold", "阈值"),
    difficulty=2,
    minutes=10,
    reference=_threshold_reference,
    inputs=_threshold_inputs,
    mistakes=[
        Mistake(
            Text("Counted from the top", "从高分数起了"),
            lambda scores, recall: sorted(scores, reverse=True)[_count(scores, recall) - 1],
            Text(
                "What is refused has a low score. Sort upwards, and count from the lowest.",
                "被拒绝的是得分低的。请从小到大排序，从最低的数起。",
            ),
        ),
        Mistake(
            Text("Rounded down", "向下取整了"),
            lambda scores, recall: sorted(scores)[max(0, int(recall * len(scores)) - 1)],
            Text(
                "Of three scores one is a third, less than the half that was asked for. Round the count up.",
                "三个里拒绝一个只有三分之一，不到要求的一半。个数要向上取整。",
            ),
        ),
        Mistake(
            Text("One place too far", "多数了一位"),
            lambda scores, recall: sorted(scores)[min(_count(scores, recall), len(scores) - 1)],
            Text(
                "Lists count from 0: the place of the n-th is n - 1. This refuses one text more than needed.",
                "列表从 0 数起，第 n 个的下标是 n - 1。这样会多拒绝一条。",
            ),
        ),
        Mistake(
            Text("A share of the range, not of the texts", "按数值范围取了比例，而不是按条数"),
            lambda scores, recall: min(scores) + recall * (max(scores) - min(scores)),
            Text(
                "Half way between the lowest and the highest score need not lie half of the texts. Count texts.",
                "最低分与最高分的正中间，两边的条数不一定各占一半。要数条数。",
            ),
        ),
        Mistake(
            Text("The threshold refuses the opposite share", "拒绝的比例取反了"),
            lambda scores, recall: sorted(scores)[_count(scores, 1 - recall) - 1],
            Text(
                "recall is the share that must be refused, not the share that is let through.",
                "recall 是要拒绝的比例，不是放行的比例。",
            ),
        ),
    ],
    hints=[
        Text(
            "Sort the scores. How many of them must be refused, at the least?", "先排序。至少要拒绝多少条？"
        ),
        Text(
            "count = math.ceil(recall * len(scores)); the answer is sorted(scores)[count - 1].",
            "count = math.ceil(recall * len(scores))；答案是 sorted(scores)[count - 1]。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 13.2 one term of BM25


def _bm25_reference(
    rarity: float, times: float, length: float, mean_length: float, k: float, b: float
) -> float:
    relative = length / mean_length
    saturation = k * ((1 - b) + b * relative)
    return rarity * (k + 1) / (1 + saturation / times)


def _bm25_inputs() -> list[tuple]:
    return [
        (2.0, 1, 10, 10, 1.2, 0.75),
        (2.0, 1, 20, 10, 1.2, 0.75),
        (1.5, 4, 30, 12, 1.2, 0.0),
        (0.7, 100, 8, 16, 2.0, 0.5),
        (3.0, 2, 5, 20, 1.5, 1.0),
    ]


BM25_TERM = Exercise(
    id="13.2",
    title=Text("One term of BM25", "BM25 的一项"),
    difficulty=2,
    minutes=8,
    reference=_bm25_reference,
    inputs=_bm25_inputs,
    mistakes=[
        Mistake(
            Text("Repetition without an end", "重复没有上限"),
            lambda rarity, times, length, mean_length, k, b: (
                rarity * times / (1 - b + b * length / mean_length)
            ),
            Text(
                "A word that occurs a hundred times would count a hundredfold. The k in numerator and denominator "
                "lets it approach k + 1.",
                "一个词出现一百次就算一百倍了。分子分母里的 k 让它趋近于 k + 1。",
            ),
        ),
        Mistake(
            Text("The length is upside down", "长度的比值颠倒了"),
            lambda rarity, times, length, mean_length, k, b: (
                rarity * times * (k + 1) / (times + k * (1 - b + b * mean_length / length))
            ),
            Text(
                "Long passages would win by their length. It is the passage's length over the mean.",
                "这样长段落反而占便宜。应当是本段长度除以平均长度。",
            ),
        ),
        Mistake(
            Text("b and 1 - b are swapped", "b 与 1 - b 写反了"),
            lambda rarity, times, length, mean_length, k, b: (
                rarity * times * (k + 1) / (times + k * (b + (1 - b) * length / mean_length))
            ),
            Text(
                "With b = 0 the length must not matter: b stands with the length.",
                "b = 0 时长度不应起作用：b 要乘在长度上。",
            ),
        ),
        Mistake(
            Text("The factor k + 1 is missing", "漏了因子 k + 1"),
            lambda rarity, times, length, mean_length, k, b: (
                rarity * times / (times + k * (1 - b + b * length / mean_length))
            ),
            Text(
                "With it, one occurrence in a passage of mean length counts just the rarity.",
                "有了它，在平均长度的段落里出现一次，得分正好等于稀有度。",
            ),
        ),
        Mistake(
            Text("The brackets around k's part are missing", "k 后面漏了括号"),
            lambda rarity, times, length, mean_length, k, b: (
                rarity * times * (k + 1) / (times + k * (1 - b) + b * length / mean_length)
            ),
            Text(
                "k multiplies the whole of 1 - b + b l / L, not its first part only.",
                "k 乘的是 1 - b + b l / L 这一整项，不只是前半部分。",
            ),
        ),
    ],
    hints=[
        Text("Write the denominator first, with its brackets.", "先写分母，注意括号。"),
        Text(
            "In one line: rarity * times * (k + 1) / (times + k * (1 - b + b * length / mean_length))",
            "一行写完：rarity * times * (k + 1) / (times + k * (1 - b + b * length / mean_length))",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 13.3 bound parameters

ROWS = [("LK-1", 1, "shipped"), ("LK-2", 2, "delivered"), ("LK-3", 1, "cancelled")]


def _run(query: Any) -> Any:
    """What a query gives on a small database: its rows, or the kind of failure."""
    statement, parameters = query
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE orders (number TEXT, customer_id INTEGER, status TEXT)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", ROWS)
        return connection.execute(statement, parameters).fetchall()
    finally:
        connection.close()


def _query_reference(number: str, customer_id: int) -> tuple[str, tuple]:
    return "SELECT status FROM orders WHERE customer_id = ? AND number = ?", (customer_id, number)


def _query_accepts(received: Any, expected: Any, arguments: tuple) -> bool:
    statement, _ = received
    plain = str(arguments[0]) not in statement  # the value must be bound, even where it does no harm
    return plain and _run(received) == _run(expected)


def _query_inputs() -> list[tuple]:
    return [("LK-1", 1), ("LK-2", 1), ("LK-3", 1), ("x' OR '1'='1", 1), ("LK-9", 2)]


QUERY = Exercise(
    id="13.3",
    title=Text("A query with bound parameters", "带绑定参数的查询"),
    difficulty=2,
    minutes=10,
    reference=_query_reference,
    inputs=_query_inputs,
    accept=_query_accepts,
    mistakes=[
        Mistake(
            Text("The value is part of the statement", "值拼进了语句"),
            lambda number, customer_id: (
                f"SELECT status FROM orders WHERE number = '{number}' AND customer_id = {customer_id}",
                (),
            ),
            Text(
                "What a user typed becomes SQL: x' OR '1'='1 changes the condition. Write ? and give the value as a parameter.",
                "用户输入变成了 SQL：x' OR '1'='1 会改变条件。写 ?，把值作为参数传入。",
            ),
        ),
        Mistake(
            Text("Nobody asks whose order it is", "没有问订单是谁的"),
            lambda number, customer_id: ("SELECT status FROM orders WHERE number = ?", (number,)),
            Text(
                "Whoever names a number sees the order. The condition must hold customer_id too.",
                "谁报出订单号谁就看得到。条件里还要有 customer_id。",
            ),
        ),
        Mistake(
            Text("OR instead of AND", "把 AND 写成了 OR"),
            lambda number, customer_id: (
                "SELECT status FROM orders WHERE number = ? OR customer_id = ?",
                (number, customer_id),
            ),
            Text(
                "This gives every order of the customer, and the named one of anybody. Both must hold.",
                "这会返回该顾客的全部订单，再加上任何人的那一单。两个条件要同时成立。",
            ),
        ),
        Mistake(
            Text("The parameters are in another order than the marks", "参数与问号的次序不一致"),
            lambda number, customer_id: (
                "SELECT status FROM orders WHERE number = ? AND customer_id = ?",
                (customer_id, number),
            ),
            Text(
                "The first question mark gets the first parameter. No error appears: the query just finds nothing.",
                "第一个问号取第一个参数。这不会报错，只是什么也查不到。",
            ),
        ),
        Mistake(
            Text("Quotes around the question mark", "问号外面加了引号"),
            lambda number, customer_id: (
                "SELECT status FROM orders WHERE number = '?' AND customer_id = ?",
                (customer_id,),
            ),
            Text(
                "In quotes the question mark is a text with one character, and no parameter.",
                "放进引号里，问号就只是一个字符，不再是参数。",
            ),
        ),
    ],
    hints=[
        Text("A ? stands for each value; two values, two conditions.", "每个值写一个 ?；两个值，两个条件。"),
        Text(
            'The line is: return "SELECT status FROM orders WHERE number = ? AND ...", (number, ...)',
            '整行是：return "SELECT status FROM orders WHERE number = ? AND ...", (number, ...)',
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 13.4 the same figures


def _figures_reference(before: str, after: str) -> bool:
    def runs(text: str) -> list[str]:
        parts = "".join(c if c.isdigit() else " " for c in text).split()
        return sorted(parts)

    return runs(before) == runs(after)


def _figures_inputs() -> list[tuple]:
    return [
        ("2 for $2", "2"),
        ("7", "7, not 8"),
        ("7 and 8", "7"),
        ("within 30 days, fee 4", "fee 4, within 30 days"),
        ("订单 413203，3月10日", "3月10日，订单 413203"),
        ("12 of 3", "1 of 23"),
        ("no figure", "none at all"),
    ]


def _figures(text: str) -> list[str]:
    return re.findall(r"\d+", text)


FIGURES = Exercise(
    id="13.4",
    title=Text("The same figures", "数字相同"),
    difficulty=2,
    minutes=8,
    reference=_figures_reference,
    inputs=_figures_inputs,
    mistakes=[
        Mistake(
            Text("Sets forget how often", "集合不记次数"),
            lambda before, after: set(_figures(before)) == set(_figures(after)),
            Text(
                "{2} and {2, 2} are the same set. Count the figures.", "{2} 与 {2, 2} 是同一个集合。要计数。"
            ),
        ),
        Mistake(
            Text("Only what is gone is noticed", "只检查了有没有丢"),
            lambda before, after: all(after.count(f) >= before.count(f) for f in _figures(before)),
            Text(
                "A figure that was added is a new fact, and passes here. Compare both ways.",
                "凭空多出的数字也是新“事实”，这里却放过了。两个方向都要比。",
            ),
        ),
        Mistake(
            Text("Only what is new is noticed", "只检查了有没有多"),
            lambda before, after: set(_figures(after)) <= set(_figures(before)),
            Text(
                "A figure that is gone passes here. Compare both ways.",
                "丢掉的数字这里放过了。两个方向都要比。",
            ),
        ),
        Mistake(
            Text("The order counts", "比较了次序"),
            lambda before, after: _figures(before) == _figures(after),
            Text(
                "Another wording may turn the sentence round. Count, or sort before comparing.",
                "换个说法，次序可能会变。请计数，或排序后再比。",
            ),
        ),
        Mistake(
            Text("Digits instead of numbers", "比的是单个数码"),
            lambda before, after: sorted(re.findall(r"\d", before)) == sorted(re.findall(r"\d", after)),
            Text(
                "12 of 3 and 1 of 23 hold the same digits. Take runs: \\d+.",
                "“12 和 3”与“1 和 23”的数码相同。要取整段：\\d+。",
            ),
        ),
    ],
    hints=[
        Text(
            "re.findall finds the runs of digits. How do you compare two lists without their order?",
            "re.findall 能找出数字。不计次序怎样比较两个列表？",
        ),
        Text(
            "Compare: Counter(re.findall(r'\\d+', before)) == Counter(...)",
            "比较：Counter(re.findall(r'\\d+', before)) == Counter(...)",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 13.5 locking after failures


def _gate_reference(proofs: Sequence[bool], limit: int) -> list[str]:
    answers = []
    for place, good in enumerate(proofs):
        bad = sum(not earlier for earlier in proofs[: place + 1])
        answers.append("locked" if bad >= limit else "open" if good else "ask")
    return answers


def _gate_inputs() -> list[tuple]:
    return [
        ([False, True], 2),
        ([False, False, True], 2),
        ([True, False, False, False, True], 3),
        ([False, True, False, True, False, True], 3),
        ([False], 1),
    ]


def _gate_forgets(proofs: Sequence[bool], limit: int) -> list[str]:
    failed, answers = 0, []
    for good in proofs:
        failed = 0 if good and failed < limit else failed + (not good)
        answers.append("locked" if failed >= limit else "open" if good else "ask")
    return answers


def _gate_opens_again(proofs: Sequence[bool], limit: int) -> list[str]:
    failed, answers = 0, []
    for good in proofs:
        failed += not good
        answers.append("open" if good else "locked" if failed >= limit else "ask")
    return answers


def _gate_late(proofs: Sequence[bool], limit: int) -> list[str]:
    failed, answers = 0, []
    for good in proofs:
        failed += not good
        answers.append("locked" if failed > limit else "open" if good else "ask")
    return answers


def _gate_counts_all(proofs: Sequence[bool], limit: int) -> list[str]:
    return [
        "locked" if place + 1 >= limit else "open" if good else "ask" for place, good in enumerate(proofs)
    ]


GATE = Exercise(
    id="13.5",
    title=Text("Lock after failures", "失败多次就锁定"),
    difficulty=1,
    minutes=8,
    reference=_gate_reference,
    inputs=_gate_inputs,
    mistakes=[
        Mistake(
            Text("A good proof opens the lock", "一次成功就解了锁"),
            _gate_opens_again,
            Text(
                "Who may go on guessing will guess right at last. After the lock nothing opens.",
                "能一直猜下去，总会猜中。锁定之后什么也不能再打开。",
            ),
        ),
        Mistake(
            Text("A good proof makes the failures forgotten", "成功一次就把失败清零了"),
            _gate_forgets,
            Text(
                "An attacker puts a good proof of their own order in between, and guesses on. Keep counting.",
                "攻击者中间报一次自己的订单，就又能接着猜了。失败次数不能清零。",
            ),
        ),
        Mistake(
            Text("One try too many", "多给了一次机会"),
            _gate_late,
            Text(
                "The limit-th failure locks, not the one after it: >=.",
                "第 limit 次失败就要锁定，不是再下一次：用 >=。",
            ),
        ),
        Mistake(
            Text("Good proofs count as failures", "把成功也算成了失败"),
            _gate_counts_all,
            Text("Only bad ones count.", "只有失败才计数。"),
        ),
    ],
    hints=[
        Text("Keep one number: how many failed so far.", "只需记一个数：到现在失败了几次。"),
        Text(
            "First count, then decide: locked if failed >= limit, else open or ask.",
            "先计数再判断：failed >= limit 就是 locked，否则看成功与否。",
        ),
    ],
)

EXERCISES = [THRESHOLD, BM25_TERM, QUERY, FIGURES, GATE]
