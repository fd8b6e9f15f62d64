"""Schemas: their words, JSON found wherever it stands, reasons by key, and one repair."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.prompts.messages import Message, Reply, Settings
from labkit.prompts.schemas import Key, Schema, ask, ask_all, find_objects, parse, repair_message

PERSON = Schema(
    (
        Key("name", "str", "who it is"),
        Key("age", "int"),
        Key("height", "float", required=False),
        Key("member", "bool"),
        Key("tags", "list"),
        Key("mood", "choice", choices=("glad", "sad")),
    )
)
ANNA = {"name": "Anna", "age": 7, "member": True, "tags": ["a", "b"], "mood": "glad"}
AGE = Schema((Key("age", "int"),))


class Scripted:
    """A backend that says what it is told to, and keeps what it was asked."""

    name = "scripted"

    def __init__(self, *calls):
        self.calls = list(calls)  # for each call of complete: its replies
        self.asked = []

    def complete(self, conversations, settings=None):
        self.asked.append(([list(conversation) for conversation in conversations], settings))
        return [
            reply if isinstance(reply, Reply) else Reply(reply, 10, 5, "stop") for reply in self.calls.pop(0)
        ]


# ---------------------------------------------------------------------------------------------------------------
# Words


def test_english_words():
    assert PERSON.words() == (
        'Answer with one JSON object and nothing else, with these keys: "name" (who it is, a text), '
        '"age" (a whole number), "height" (a number, may be left out), "member" (true or false), '
        '"tags" (a list of texts), "mood" (one of "glad", "sad").'
    )


def test_chinese_words():
    schema = Schema(
        (
            Key("姓名", "str", "客人姓名"),
            Key("年龄", "int"),
            Key("身高", "float", required=False),
            Key("会员", "bool"),
            Key("标签", "list"),
            Key("心情", "choice", choices=("高兴", "难过")),
        ),
        language="zh",
    )
    assert schema.words() == (
        '请只输出一个 JSON 对象，包含以下键："姓名"（客人姓名，字符串）、"年龄"（整数）、"身高"（数值，可省略）、'
        '"会员"（true 或 false）、"标签"（字符串列表）、"心情"（"高兴"、"难过" 之一）。'
    )
    assert schema.problems({"年龄": "七", "会员": True, "标签": [], "心情": "一般", "x": 1}) == (
        '缺少键 "姓名"',
        '键 "年龄" 应为整数，实际为 "七"',
        '键 "心情" 应为"高兴"、"难过" 之一，实际为 "一般"',
        '要求中没有键 "x"',
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "name of a key"),
        ({"name": 3}, "name of a key"),
        ({"name": "a", "type": "text"}, "type of the key 'a' is 'text'"),
        ({"name": "a", "type": "choice"}, "choices of the key 'a'"),
        ({"name": "a", "choices": ("x",)}, "choices of the key 'a'"),
        ({"name": "a", "type": "choice", "choices": ["x"]}, "must be a tuple"),
        ({"name": "a", "type": "choice", "choices": (1, 2)}, "must be a tuple of texts"),
    ],
)
def test_wrong_keys_are_refused(wrong, says):
    with pytest.raises(LabkitError, match=says):
        Key(**wrong)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ((), "keys is empty"),
        ([Key("a")], "tuple of Key"),
        (("a",), "tuple of Key"),
        ((Key("a"), Key("a")), "'a' twice"),
    ],
)
def test_wrong_schemas_are_refused(keys, says):
    with pytest.raises(LabkitError, match=says):
        Schema(keys)


def test_an_unknown_language_is_refused():
    with pytest.raises(LabkitError, match="language is 'de'"):
        Schema((Key("a"),), "de")


# ---------------------------------------------------------------------------------------------------------------
# Validation


def test_what_fits_has_no_problems():
    assert PERSON.problems(ANNA) == ()
    assert PERSON.problems(ANNA | {"height": 1}) == ()
    assert PERSON.problems(ANNA | {"tags": []}) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": 3}, 'the key "name" must be a text, and is 3'),
        ({"name": None}, 'the key "name" must be a text, and is null'),
        ({"age": 7.5}, 'the key "age" must be a whole number, and is 7.5'),
        ({"age": True}, 'the key "age" must be a whole number, and is true'),
        ({"height": "tall"}, 'the key "height" must be a number, and is "tall"'),
        ({"member": "yes"}, 'the key "member" must be true or false, and is "yes"'),
        ({"member": 1}, 'the key "member" must be true or false, and is 1'),
        ({"tags": "a"}, 'the key "tags" must be a list of texts, and is "a"'),
        ({"tags": ["a", 1, 2]}, 'the key "tags" must be a list of texts, and is ["a", 1, 2]'),
        ({"mood": "Glad"}, 'the key "mood" must be one of "glad", "sad", and is "Glad"'),
        ({"color": "red"}, 'there is no key "color" in the schema'),
    ],
)
def test_each_reason_names_its_key(change, reason):
    assert PERSON.problems(ANNA | change) == (reason,)


@pytest.mark.parametrize("name", ["name", "age", "member", "tags", "mood"])
def test_missing_keys_are_named(name):
    value = {key: value for key, value in ANNA.items() if key != name}
    assert PERSON.problems(value) == (f'the key "{name}" is missing',)


def test_reasons_come_in_the_order_of_the_keys_and_are_not_endless():
    reasons = PERSON.problems({"y": 1, "mood": "x" * 1000, "age": "old", "x": 2, "tags": [], "member": False})
    assert [reason.split('"')[1] for reason in reasons] == ["name", "age", "mood", "y", "x"]
    assert max(map(len, reasons)) < 150


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-9, 9),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=4),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=3,
)


def fits(key, value):
    """What a key takes, by Python's types alone."""
    if key.type == "choice":
        return isinstance(value, str) and value in key.choices
    if key.type == "list":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if key.type in ("str", "bool"):
        return isinstance(value, {"str": str, "bool": bool}[key.type])
    whole = key.type == "float" or (isinstance(value, int | float) and value == int(value))
    return isinstance(value, int | float) and not isinstance(value, bool) and whole


@given(st.dictionaries(st.sampled_from([*ANNA, "height", "other"]), VALUES | st.just("sad")))
def test_problems_are_those_of_a_check_by_hand(value):
    known = {key.name: key for key in PERSON.keys}
    expected = {name for name in value if name not in known or not fits(known[name], value[name])}
    expected |= {name for name, key in known.items() if key.required and name not in value}
    assert {reason.split('"')[1] for reason in PERSON.problems(value)} == expected
    assert len(PERSON.problems(value)) == len(expected)


# ---------------------------------------------------------------------------------------------------------------
# Finding JSON in an answer


@pytest.mark.parametrize(
    "text",
    [
        '{"age": 7}',
        '```json\n{"age": 7}\n```',
        'Here you are:\n```\n{\n  "age": 7\n}\n```\nAnything else?',
        'I used {curly} braces [sic] and [1]: {"age": 7}. Good {luck}!',
        '{"age": 6} no, I mean {"age": 7}',
        'The form is {"age": "..."}, so {"age": 7}',
        '{"age": 7} (the form was {"age": "a whole number"})',
        '{"age": } is wrong, {"age": 7} is right',
        '答案是：{"age": 7}。',
        '{"age": 7.0}',
    ],
)
def test_the_answer_is_found(text):
    value, reasons = parse(text, AGE)
    assert (value, reasons) == ({"age": 7}, ())
    assert type(value) is dict
    assert type(value["age"]) is int


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is no JSON object in the answer"),
        ("Seven.", "there is no JSON object in the answer"),
        ("7", "there is no JSON object in the answer"),
        ('{"age": 7', 'the JSON breaks at line 1, column 10, near ""'),
        ('[{"age": 7}]', "the answer is a list, and must be one JSON object"),
        ('[{"age": 7}, {"age": 8}]', "the answer is a list, and must be one JSON object"),
        ('{"person": {"age": 7}}', 'the key "age" is missing'),
        ('{"person": {"age": 7}, oops', 'the JSON breaks at line 1, column 24, near "oops"'),
        ("{'age': 7}", "the JSON breaks at line 1, column 2, near \"'age': 7}\""),
        ('{\n"age": 7,\n}', 'the JSON breaks at line 3, column 1, near "}"'),
        ('{"age": NaN}', 'the JSON breaks at line 1, column 1, near "{\\"age\\": NaN}"'),
        ('{"age": 1e999}', 'the JSON breaks at line 1, column 1, near "{\\"age\\": 1e999}"'),
        ('{"age": 7, "age": 8}', 'the key "age" is there twice'),
    ],
)
def test_what_is_no_answer_gets_its_reason(text, reason):
    value, reasons = parse(text, AGE)
    assert value is None
    assert reasons[0] == reason


@pytest.mark.parametrize(
    "text", ['{"a":' * 100_000, "[" * 100_000, '{"age": ' + "9" * 5000 + "}", "{" * 10_000]
)
def test_hostile_answers_are_refused_quickly(text):
    value, reasons = parse(text, AGE)
    assert value is None
    assert len(reasons[0]) < 150


PROSE = st.text(st.characters(exclude_characters="{}[]", exclude_categories=("Cs",)), max_size=20)


@given(PROSE, PROSE, st.text(max_size=20), st.booleans())
def test_any_text_comes_back_from_between_any_prose(before, after, text, escaped):
    """Braces, quotes, fences and line ends inside the value included."""
    written = json.dumps({"note": text}, ensure_ascii=escaped)
    value, reasons = parse(f"{before}{written}{after}", Schema((Key("note"),)))
    assert (value, reasons) == ({"note": text}, ())


@settings(max_examples=50)  # whole lists of objects take hypothesis a while
@given(
    st.lists(
        st.tuples(
            PROSE, st.dictionaries(st.text(max_size=3), VALUES, max_size=2) | st.lists(VALUES, max_size=2)
        )
    )
)
def test_objects_and_lists_are_found_in_order_and_none_inside_another(pieces):
    text = "".join(prose + json.dumps(value) for prose, value in pieces)
    assert find_objects(text) == ([value for _, value in pieces], None)


@given(st.text(max_size=30) | st.text(alphabet='{}[]":,a1 \n`', max_size=40))
def test_parse_gives_a_value_or_reasons(text):
    value, reasons = parse(text, AGE)
    assert (value is None) == bool(reasons)


# ---------------------------------------------------------------------------------------------------------------
# Asking


QUESTION = [Message("user", f"How old is Anna? {AGE.words()}")]


def test_an_answer_that_fits_is_not_sent_back():
    backend = Scripted(['{"age": 7}'])
    settings = Settings(temperature=0.5)
    parsed = ask(backend, QUESTION, AGE, settings)
    assert (parsed.value, parsed.attempts, parsed.problems, parsed.first_problems) == ({"age": 7}, 1, (), ())
    assert backend.asked == [([QUESTION], settings)]


def test_an_answer_that_does_not_fit_is_sent_back_once_with_the_reasons():
    backend = Scripted(['{"age": "seven"}'], ['{"age": 7}'])
    parsed = ask(backend, QUESTION, AGE)
    assert (parsed.value, parsed.attempts, parsed.problems) == ({"age": 7}, 2, ())
    assert parsed.first_problems == ('the key "age" must be a whole number, and is "seven"',)
    assert [reply.text for reply in parsed.replies] == ['{"age": "seven"}', '{"age": 7}']
    assert backend.asked[1][0] == [
        [
            *QUESTION,
            Message("assistant", '{"age": "seven"}'),
            Message(
                "user",
                'Your answer cannot be used: the key "age" must be a whole number, and is "seven".\n'
                'Answer with one JSON object and nothing else, with these keys: "age" (a whole number).',
            ),
        ]
    ]


def test_there_is_no_third_attempt():
    backend = Scripted(["seven"], ["seven!"])
    parsed = ask(backend, QUESTION, AGE)
    assert parsed.value is None
    assert parsed.attempts == 2
    assert parsed.problems == ("there is no JSON object in the answer",)
    assert len(backend.asked) == 2


def test_a_cut_off_answer_is_told_to_be_shorter():
    backend = Scripted([Reply('{"age"', 10, 5, "length")], [Reply('{"age": 7} Let me', 10, 5, "length")])
    parsed = ask(backend, QUESTION, AGE)
    assert parsed.first_problems[1] == "the answer was cut off: it must be shorter"
    assert 'near ""; the answer was cut off: it must be shorter.\n' in backend.asked[1][0][0][-1].content
    assert parsed.value == {"age": 7}


def test_chinese_repair():
    schema = Schema((Key("年龄", "int"), Key("姓名")), "zh")
    parsed = ask(Scripted(['{"年龄": "七"}'], ["不知道"]), [Message("user", "安娜几岁？")], schema)
    assert parsed.problems == ("回答中没有 JSON 对象",)
    assert repair_message(parsed, schema).content == (
        '你的回答无法使用：回答中没有 JSON 对象。\n请只输出一个 JSON 对象，包含以下键："年龄"（整数）、"姓名"（字符串）。'
    )


def test_many_are_repaired_in_one_call():
    other = [Message("user", "And Ben?")]
    backend = Scripted(["?", '{"age": 1}', "!"], ['{"age": 2}', "still not"])
    parsed = ask_all(backend, [QUESTION, other, QUESTION], [AGE] * 3)
    assert [answer.value for answer in parsed] == [{"age": 2}, {"age": 1}, None]
    assert [answer.attempts for answer in parsed] == [2, 1, 2]
    assert [conversation[-2].content for conversation in backend.asked[1][0]] == ["?", "!"]


def test_wrong_counts_are_refused():
    with pytest.raises(LabkitError, match="'scripted' gave 1 replies to 2"):
        ask_all(Scripted(["a"]), [QUESTION, QUESTION], [AGE, AGE])
    with pytest.raises(LabkitError, match="2 conversations and 1 schemas"):
        ask_all(Scripted(["a"]), [QUESTION, QUESTION], [AGE])
    assert ask_all(Scripted(), [], []) == []
