"""Chinese of the generated news: how a summary tells facts, and what stands between the stories of a report."""

# Main kind of fact, with the kinds that a summary tells beside it; a role that two facts share has the kind before it.
SUMMARIES = {
    "event": "{event}将于{date}{time}在{place}举行",
    "event+attendance": "{date}在{place}举行的{event}吸引了{count}人参加",
    "event+cancelled": "原定{date}在{place}举行的{event}因{reason}取消",
    "won": "{person}夺得{contest}冠军，奖品是{prize:a}",
    "won+runner_up": "{person}夺得{contest}冠军，奖品是{prize:a}，{other}获得亚军",
    "match": "(win){team}以{goals}比{rival_goals}战胜{rival}",
    "match(draw)": "(draw){team}与{rival}以{goals}比{rival_goals}战平",
    "road_closed": "因{reason}，{street}从{date}起封闭",
    "road_closed+road_reopened": "因{reason}，{street}于{date}封闭，{road_reopened_date}恢复通行",
    "accident": "{date}，{vehicle:a}在{street}发生事故",
    "accident+injured": "{date}，{vehicle:a}在{street}发生事故，{count}人受伤",
    "theft": "{date}，{place}{object:a}被盗",
    "theft+recovered": "{date}在{place}被盗的{object}已在{recovered_place}找回",
    "delay": "因{reason}，{vehicle}晚点{minutes}分钟",
    "council": "镇议会{date}通过决议：{measure}",
    "council+cost": "镇议会{date}通过决议：{measure}，费用{amount}",
    "donation": "{person}向{place}捐款{amount}",
    "new_shop": "{place}由{person}接手，{date}重新开业",
    "class": "{place}开设{activity}课，{count}人参加",
    "weather": "{date}镇上天气：{weather}",
    "weather+temperature": "{date}镇上天气：{weather}，气温{degrees}度",
    "price_change": "(up){place}的{goods:a}涨价，从{old_price}涨到{price}",
    "price_change(down)": "(down){place}的{goods:a}降价，从{old_price}降到{price}",
}

# What a summary of this main kind adds for one more fact.
SUFFIXES = {
    "event>won": "，{person}夺得{contest}冠军",
    "road_closed>delay": "，{vehicle}晚点{minutes}分钟",
    "weather>cancelled": "，{event}取消",
    "weather>road_closed": "，{street}封闭",
    "weather>delay": "，{vehicle}晚点{minutes}分钟",
    "weather>attendance": "，{event}吸引了{count}人参加",
}

STOP = "。"

# After an opening that is not yet the news.
TURNS = [
    "不过，[大家|街坊们|镇上的人][这两天|]议论的是另一件事。",
    "真正的新闻[还|]在后头。",
    "可是[茶馆里|集市上][说得最多的|人人都在说的]不是这个。",
    "[就在这时|没过多久]，消息传开了。",
    "比起这些，[更受关注|更要紧]的是另一条消息。",
    "直到[后来|这时]，人们才知道出了什么事。",
]

# Before a story that has nothing to do with the news.
OTHERS = [
    "镇上还有别的消息。",
    "另外[还有一件事|还有一条短讯]。",
    "[顺便|]再说一件[事|小事]。",
    "同一天的报纸上还有一条短讯。",
]
