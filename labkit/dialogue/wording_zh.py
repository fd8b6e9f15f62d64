"""Chinese of the dialogues about the town: how one asks, asks further, and is answered."""

QUESTIONS = {
    "job": ["{person}是做什么的？", "{person}的职业是什么？", "{person}干哪一行？"],
    "work": ["{person}在哪儿上班？", "{person}在什么地方工作？", "你知道{person}在哪里工作吗？"],
    "home": ["{person}住在哪儿？", "{person}家在哪条街？", "你知道{person}住哪条街吗？"],
    "age": ["{person}多大年纪？", "{person}今年多少岁？", "你知道{person}几岁了吗？"],
    "likes": ["{person}有什么爱好？", "{person}喜欢做什么？", "{person}平时爱干什么？"],
    "favourite": ["{person}最爱吃什么？", "{person}喜欢吃什么？", "请{person}吃饭该做什么菜？"],
    "pet": ["{person}养宠物吗？", "{person}养了什么？", "{person}家里有什么动物？"],
    "family": ["{person}的{relation}是谁？", "{person}有什么亲友？", "{person}跟谁最亲近？"],
    "street": ["{place}在哪儿？", "{place}在哪条街？", "去{place}怎么走？"],
    "opened": ["{place}是哪年开的？", "{place}什么时候建的？", "{place}有多少年了？"],
    "hours": ["{place}几点开门？", "{place}什么时候开放？", "{place}的开放时间是什么？"],
    "feature": ["{place}有什么特别的？", "{place}是什么样子？", "怎么认出{place}？"],
    "staff": ["谁在{place}上班？", "{place}里有谁？", "到{place}可以找谁？"],
}

FURTHER = {
    "job": ["{he}是做什么的？", "那{he}的职业是什么？"],
    "work": ["{he}在哪儿上班？", "白天在哪儿能找到{he}？"],
    "home": ["{he}住在哪儿？", "那{he}家在哪条街？"],
    "age": ["{he}多大年纪？", "那{he}几岁了？"],
    "likes": ["{he}有什么爱好？", "那{he}平时爱干什么？"],
    "favourite": ["{he}爱吃什么？", "那{he}最喜欢吃什么？"],
    "pet": ["{he}养宠物吗？", "那{he}家里有动物吗？"],
    "family": ["{he}有什么亲友？", "那{he}跟谁最亲近？"],
    "street": ["那它在哪儿？", "在哪条街？"],
    "opened": ["是哪年开的？", "那有多少年了？"],
    "hours": ["几点开门？", "那什么时候开放？"],
    "feature": ["有什么特别的？", "那怎么认出来？"],
    "staff": ["谁在那儿上班？", "那到了可以找谁？"],
}

ANOTHER = {
    "person": ["{person}呢？", "那{person}呢？", "还有{person}呢？"],
    "place": ["{place}呢？", "那{place}呢？", "还有{place}呢？"],
}

ANSWERS = {
    "job": "{person:ref}是{job:a}。",
    "work": "{person:ref}在{place}上班。",
    "home": "{person:ref}住在{street}。",
    "age": "{person:ref}今年{years}岁。",
    "likes": "{person:ref}喜欢{activity}。",
    "favourite": "{person:ref}最爱吃{food}。",
    "pet": "{person:ref}养了{animal:a}，叫“{name}”。",
    "no pet": "{person:ref}没有养宠物。",
    "family": "{other}是{person:refs}{relation}。",
    "street": "{place}在{street}。",
    "opened": "{place}是{year}年开的。",
    "hours": "{place}从{opening}开到{closing}。",
    "feature": "{place}有{feature}。",
    "staff": "{staff}在{place}上班。",
}
WORKS = ("", "")
AND = "和"

UNKNOWN_PERSON = "我不认识叫{name}的人。"
UNKNOWN_PLACE = "镇上好像没有{name}。"
UNKNOWN_PLACES = [
    "机场", "动物园", "大学", "城堡", "赌场", "滑雪场", "歌剧院", "航天馆", "马戏团", "购物中心", "高尔夫球场", "天文馆",
    "大使馆", "赛马场", "溜冰场", "水族馆",
]  # fmt: skip
STRANGE_NAMES = [
    "张伟", "李娜", "王芳", "刘洋", "陈静", "杨帆", "赵磊", "周敏", "吴刚", "徐亮", "孙丽", "马超", "约翰·史密斯",
    "玛丽·琼斯", "伊万·彼得罗夫", "田中由纪", "钱多多",
]  # fmt: skip

OPENINGS = [
    ("你好，能问个事吗？", "当然，你想知道什么？"),
    ("想跟你打听一下镇上的事。", "请问吧，这里我熟。"),
    ("我是外地来的。", "欢迎欢迎！想问什么尽管问。"),
    ("有个问题想请教。", "请讲，我听着呢。"),
]
CLOSINGS = [
    ("谢谢，没别的了。", "不客气，祝你在镇上玩得开心！"),
    ("多谢你帮忙。", "举手之劳，不用谢。"),
    ("好，这下我知道了。", "能帮上忙就好。"),
    ("再见，谢谢啊。", "再见！有事随时来。"),
]
