"""Chinese sentences of the town that tell two facts at once: ``first+second`` as they follow each other in a text."""

PAIRS: dict[str, list[str]] = {
    # Weather and what happened in it.
    "weather+temperature": [
        "{date:full}，镇上{weather:does}，气温{degrees}度。",
        "{date}是个{weather:day}，温度计上是{degrees}度。",
        "{date:full}，气象站报的是{weather}，气温{degrees}度。",
        "<thatday>是{date}，外面{weather:does}，气温[停在|为]{degrees}度。",
    ],
    "planned+weather": [
        "{person:ref}打算{date}{activity}，那天[镇上|外面]{weather:does}。",
        "(fine){person:ref}计划{date}{activity}，[正好|天公作美，]那天是个{weather:day}。",
        "(rough){person:ref}本打算{date}{activity}，不料那天{weather:does}。",
        "(rough)虽然{person:ref}早就计划{date}{activity}，那天却{weather:does}。",
    ],
    "weather+visited": [
        "{date:full}，{person:ref}{weather:in}[来到|去了|走到]{place}。",
        "{date:full}，镇上{weather:does}，{person:ref}[照例|]去了{place}。",
        "<thatday>是{date}，{person:ref}{weather:in}，一路走到了{place}。",
        "{date}那个{weather:day}，{person:ref}去了{place}。",
    ],
    "weather+job": [
        "{date:full}，镇上{weather:does}，{place}的{job}{person:ref}[照常上班|还是准时到了]。",
        "{date}是个{weather:day}，{person:ref}是{place}的{job}，一早就出了门。",
    ],
    "weather+lost": [
        "{date:full}，镇上{weather:does}，{person:ref}把{object}[忘|落]在了{place}。",
        "{date}那个{weather:day}，{person:ref}在{place}丢了{object:a}。",
        "(rough){date:full}{weather:does}，{person:ref}只顾赶路，把{object}落在了{place}。",
    ],
    "weather+met": [
        "{date:full}，{person:ref}{weather:in}来到{place}，在那里遇见了{other:obj}。",
        "{date}是个{weather:day}，{person:ref}在{place}碰见了{other:obj}。",
    ],
    "weather+helped": [
        "{date:full}，镇上{weather:does}，{person:ref}来帮{other:obj}{task}。",
        "{date}那个{weather:day}，{person:ref}帮{other:obj}{task}。",
    ],
    "weather+bought": [
        "{date:full}，{person:ref}{weather:in}去了{place}，花{price}买了{goods:a}。",
        "{date}是个{weather:day}，{person:ref}在{place}花{price}买下{goods:a}。",
    ],
    "weather+broke": [
        "{date:full}，镇上{weather:does}，{other:refs}{object}偏偏坏了。",
        "{date}那个{weather:day}，{other:refs}{object}坏了。",
    ],
    "weather+won": [
        "{date:full}，镇上{weather:does}，{person:ref}赢得了{contest}，奖品是{prize:a}。",
        "{date}那个{weather:day}，{person:ref}在{contest}中夺冠，得到{prize:a}。",
    ],
    "weather+match": [
        "{date:full}，镇上{weather:does}，{team}与{rival}[踢成|打成]{goals}比{rival_goals}。",
        "{date}是个{weather:day}，{team}对{rival}的比分是{goals}比{rival_goals}。",
        "(win){date:full}，镇上{weather:does}，{team}以{goals}比{rival_goals}战胜了{rival}。",
        "(draw){date:full}，镇上{weather:does}，{team}与{rival}以{goals}比{rival_goals}握手言和。",
    ],
    "weather+event": [
        "{date:full}，镇上{weather:does}，{event}{time:words}在{place}<opens>。",
        "{date}是个{weather:day}，{time:words}，{place}<held>了{event}。",
    ],
    "weather+delay": [
        "{date:full}，镇上{weather:does}，{vehicle}因{reason}晚点{minutes}分钟。",
        "{date}是个{weather:day}，{vehicle}晚了{minutes}分钟，原因是{reason}。",
    ],
    "weather+accident": [
        "{date:full}，镇上{weather:does}，{vehicle:a}在{street}出了事故。",
        "{date}是个{weather:day}，{street}上发生一起事故，涉及{vehicle:a}。",
    ],
    "weather+road_closed": [
        "{date:full}，镇上{weather:does}，{street}因{reason}<stop>。",
        "{date}是个{weather:day}，由于{reason}，{street}<stop>。",
    ],
    # Stories.
    "visited+met": [
        "{person:ref}去了{place}，在那里<meet>了{other:obj}。",
        "{person:ref}刚走到{place}，就<meet>了{other:obj}。",
        "{person:ref}到{place}办事，[没想到|正好]<meet>{other:obj}。",
    ],
    "met+family": [
        "{person:ref}在{place}<meet>了{relation}{other:obj}。",
        "在{place}，{person:ref}<meet>了{other:obj}，那是自己的{relation}。",
        "{person:ref}在{place}见到的{other:obj}，正是自己的{relation}。",
    ],
    "met+planned": [
        "{person:ref}在{place}<meet>了{other:obj}，说起自己打算{date}{activity}。",
        "在{place}见到{other:obj}时，{person:ref}说，{date}要{activity}。",
    ],
    "met+mood": [
        "在{place}<meet>{other:obj}，{person:ref}{mood:feels}。",
        "{person:ref}在{place}和{other:obj}聊了几句，{mood:feels}。",
    ],
    "attended+met": [
        "{person:ref}去看{event}，在{place}<meet>了{other:obj}。",
        "参加{event}的时候，{person:ref}在{place}<meet>了{other:obj}。",
    ],
    "attended+lost": [
        "{person:ref}参加{event}时，把{object}<lose>在了{place}。",
        "看完{event}，{person:ref}才发现{object}<lose>在了{place}。",
    ],
    "visited+bought": [
        "{person:ref}去{place}，花{price}买了{goods:a}。",
        "{person:ref}到{place}转了一圈，[最后|]花{price}买了{goods:a}。",
        "吃过[早饭|午饭]，{person:ref}去了{place}，买了{goods:a}，花了{price}。",
    ],
    "visited+price_change": [
        "{person:ref}来到{place}，[发现|看见]{goods:a}的价格从{old_price}变成了{price}。",
        "(up){person:ref}到了{place}才知道，{goods:a}从{old_price}涨到了{price}。",
        "(down){person:ref}到了{place}才知道，{goods:a}从{old_price}降到了{price}。",
    ],
    "price_change+bought": [
        "{place}的{goods:a}从{old_price}改卖{price}，{person:ref}还是买了。",
        "(up)虽然{place}的{goods:a}从{old_price}涨到了{price}，{person:ref}还是买了。",
        "(down){place}的{goods:a}从{old_price}降到{price}，{person:ref}[马上|赶紧]买了。",
        "(down)因为{place}的{goods:a}从{old_price}降到了{price}，{person:ref}买了下来。",
    ],
    "bought+gift": [
        "{person:ref}在{place}花{price}买了{goods:a}，送给了{other:obj}。",
        "{person:ref}花{price}从{place}买来{goods:a}，当作礼物送给{other:obj}。",
        "{goods:a}是{person:ref}在{place}花{price}买的，[后来|]送给了{other:obj}。",
    ],
    "bought+mood": [
        "{person:ref}在{place}花{price}买了{goods:a}，{mood:feels}。",
        "带着从{place}花{price}买的{goods}，{person:ref}{mood:feels}。",
    ],
    "gift+mood": [
        "{person:ref}把{goods:a}送给{other:obj}，{mood:feels}。",
        "送给{other:obj}{goods:a}以后，{person:ref}{mood:feels}。",
    ],
    "visited+lost": [
        "{person:ref}去了{place}，[却|没想到|谁知]把{object}<lose>在了那里。",
        "{person:ref}去{place}的时候，[不小心|]丢了{object:a}。",
        "当{person:ref}从{place}[出来|回来]时，才发现{object}[不见了|落在了那里]。",
    ],
    "lost+searched": [
        "{person:ref}在{place}丢了{object:a}，<look>也没找到。",
        "{object}<lose>在了{place}，{person:ref}在那里<look>。",
    ],
    "lost+mood": [
        "{person:ref}在{place}丢了{object:a}，{mood:feels}。",
        "因为在{place}丢了{object:a}，{person:ref}{mood:feels}。",
    ],
    "searched+mood": [
        "{person:ref}在{place}<look>，{mood:feels}。",
        "把{place}找了个遍以后，{person:ref}{mood:feels}。",
    ],
    "lost+found": [
        "{person:ref}在{place}[弄丢|遗失]的{object}，被{other:ref}捡到了。",
        "{person:ref}把{object}<lose>在了{place}，[幸好|恰好]被{other:ref}看见了。",
    ],
    "found+returned": [
        "{other:ref}在{place}捡到{object}，[当天|马上|立刻]就<back>了{person:obj}。",
        "{other:ref}在{place}找到了{object:that}，把它送到了{person:refs}<hand>。",
        "在{place}捡到{object}以后，{other:ref}[问了好几个人|一路打听]，把它还给了{person:obj}。",
    ],
    "returned+mood": [
        "拿回{other:ref}送还的{object}，{person:ref}{mood:feels}。",
        "从{other:obj}<hand>接过{object}时，{person:ref}{mood:feels}。",
        "多亏{other:ref}送还了{object}，{person:ref}{mood:feels}。",
    ],
    "broke+repaired": [
        "{other:refs}{object}坏了，{person:ref}[很快|当天]就把它修好了。",
        "{other:refs}{object}坏了，[幸好|多亏]{person:ref}会修，[没多久|不到半天]就修好了。",
        "{other:refs}{object}坏了，是{person:ref}修好的。",
    ],
    "learned+planned": [
        "{person:ref}跟{other:obj}学会了{activity}，打算{date}一显身手。",
        "{person:ref}从{other:obj}那里学会了{activity}，准备{date}就去试试。",
    ],
    "learned+mood": [
        "跟{other:obj}学会了{activity}，{person:ref}{mood:feels}。",
        "终于跟{other:obj}学会了{activity}，{person:ref}{mood:feels}。",
    ],
    "class+learned": [
        "{place}的班上有{count}人学{activity}，{person:ref}就是跟{other:obj}学会的。",
        "{place}开班教{activity}，来了{count}人，{person:ref}也跟{other:obj}学会了。",
    ],
    "likes+planned": [
        "{person:ref}喜欢{activity}，打算{date}好好[过过瘾|享受一天]。",
        "因为喜欢{activity}，{person:ref}早早定下{date}这一天。",
    ],
    "late+mood": [
        "因为{reason}，{person:ref}[参加|去看]{event}迟到了，{person:he}{mood:feels}。",
        "{reason}让{person:ref}没能准时赶到{event}，{person:he}{mood:feels}。",
    ],
    "delay+late": [
        "{reason}使{vehicle}晚了{minutes}分钟，{person:ref}参加{event}也就迟到了。",
        "因为{reason}，{vehicle}晚点{minutes}分钟，{person:ref}没能准时赶到{event}。",
    ],
    "visited+theft": [
        "{date}，{person:ref}去了{place}，正赶上{object:a}在那里<stolen>。",
        "{person:ref}去{place}的那天是{date}，{object:a}在那里被偷了。",
    ],
    "won+runner_up": [
        "{contest}中，{person:ref}[夺冠|得了第一]，获得{prize:a}，{other:ref}得了第二名。",
        "{person:ref}赢得{contest}和{prize:a}，亚军是{other:obj}。",
        "{contest}的冠军{person:ref}领走了{prize:a}，{other:ref}[屈居|名列]第二。",
    ],
    "won+mood": [
        "{person:ref}在{contest}中夺冠，得到{prize:a}，{mood:feels}。",
        "捧着{contest}的奖品，{person:ref}{mood:feels}。",
    ],
    "won+job": [
        "{place}的{job}{person:ref}赢得了{contest}，奖品是{prize:a}。",
        "在{contest}中获得{prize:a}的{person:ref}是{place}的{job}。",
    ],
    # Reports.
    "event+attendance": [
        "{date}{time:words}，{event}在{place}<opens>，来了{count}人。",
        "{event}{date:full}{time:words}在{place}<held>，吸引了{count}人。",
        "{count}人来到{place}参加{event}，[开始的时间是|那是]{date}{time:words}。",
    ],
    "event+attended": [
        "{date}{time:words}，{event}在{place}<opens>，{person:ref}也来了。",
        "{person:ref}参加了{date}{time:words}在{place}<held>的{event}。",
    ],
    "event+cancelled": [
        "原定{date}{time:words}在{place}<held>的{event}，因{reason}取消了。",
        "{event}本来[定在|安排在]{date}{time:words}，地点是{place}，可是因为{reason}取消了。",
    ],
    "event+late": [
        "{event}{date}{time:words}在{place}开始，{person:ref}却因{reason}迟到了。",
        "{date}{time:words}，{event}在{place}准时开始，可是{reason}让{person:ref}迟到了。",
    ],
    "road_closed+delay": [
        "由于{reason}，{street}从{date}起<stop>，{vehicle}晚点{minutes}分钟。",
        "{reason}使{street}{date}<stop>，{vehicle}也晚了{minutes}分钟。",
    ],
    "accident+injured": [
        "{date:full}，{vehicle:a}在{street}[出了事故|发生事故]，{count}人受伤。",
        "{vehicle:a}{date}在{street}出事，[造成|导致]{count}人受伤。",
        "{street}{date}发生事故，{vehicle:a}出事，{count}人受了伤。",
    ],
    "theft+where": [
        "{date}，{object:a}在{place}<stolen>，那里就在{street}。",
        "{street}的{place}{date}失窃，[丢了|被偷的是]{object:a}。",
    ],
    "council+cost": [
        "镇议会{date}决定{measure}，[要花|预计花费]{amount}。",
        "{date}，镇议会通过了{measure}的方案，[费用|预算]是{amount}。",
        "经过[讨论|表决]，镇议会在{date}决定拨出{amount}，用于{measure}。",
    ],
    "new_shop+where": [
        "位于{street}的{place}{date}重新开业，[老板|负责人]是{person:obj}。",
        "{person:ref}接手了{street}上的{place}，{date}重新开门。",
    ],
    "new_shop+hours": [
        "{person:ref}{date}让{place}重新开业，[每天|]{opening:words}开门，{closing:words}关门。",
        "{place}{date}重新开业，由{person:ref}经营，从{opening:words}开到{closing:words}。",
    ],
    "new_shop+sells": [
        "{person:ref}接手的{place}{date}重新开业，店里卖{goods}。",
        "{place}{date}重新开门，[新老板|主人]是{person:obj}，货架上有{goods}。",
    ],
    "sells+price": [
        "{place}卖{goods}，{goods:a}{price}。",
        "在{place}可以买到{goods:a}，价钱是{price}。",
        "{place}的货架上摆着{goods}，{price}就能买{goods:a}。",
    ],
    # Portraits of people.
    "job+home": [
        "{person:ref}是{place}的{job}，住在{street}。",
        "{person:ref}在{place}当{job}，家在{street}。",
        "每天，{person:ref}从{street}的家里出门，到{place}当{job}。",
    ],
    "job+age": [
        "{person:ref}今年{years}岁，是{place}的{job}。",
        "{years}岁的{person:ref}在{place}当{job}。",
        "{person:ref}在{place}当{job}，今年{years}岁。",
    ],
    "job+likes": [
        "{person:ref}是{place}的{job}，[空闲时|下班后]喜欢{activity}。",
        "{person:ref}在{place}当{job}，最大的爱好是{activity}。",
        "除了在{place}当{job}，{person:ref}[还|也]喜欢{activity}。",
    ],
    "job+favourite": [
        "{person:ref}在{place}当{job}，最爱吃{food}。",
        "{person:ref}是{place}的{job}，下班后最想吃的是{food}。",
    ],
    "job+pet": [
        "{person:ref}是{place}的{job}，家里养着{animal:a}，名叫“{name}”。",
        "{person:ref}在{place}当{job}，回家后有{animal:a}作伴，它叫“{name}”。",
    ],
    "job+family": [
        "{person:ref}是{place}的{job}，{relation}是{other}。",
        "{person:ref}在{place}当{job}，{other:ref}是{person:refs}{relation}。",
    ],
    "home+age": [
        "{person:ref}住在{street}，今年{years}岁。",
        "{years}岁的{person:ref}住在{street}。",
    ],
    "age+home": [
        "{person:ref}今年{years}岁，住在{street}。",
        "{years}岁的{person:ref}家在{street}。",
    ],
    "home+likes": [
        "{person:ref}住在{street}，喜欢{activity}。",
        "住在{street}的{person:ref}[一有空就|常常]{activity}，这是{person:his}最大的爱好。",
    ],
    "likes+home": [
        "喜欢{activity}的{person:ref}住在{street}。",
        "{person:ref}爱好{activity}，家在{street}。",
    ],
    "home+favourite": [
        "{person:ref}住在{street}，最爱吃{food}。",
        "{street}是{person:ref}住的地方，{food}是{person:he}最爱吃的。",
    ],
    "favourite+home": [
        "最爱吃{food}的{person:ref}住在{street}。",
        "{person:ref}最爱吃{food}，家在{street}。",
    ],
    "home+pet": [
        "{person:ref}住在{street}，养了{animal:a}，名叫“{name}”。",
        "在{street}的家里，{person:ref}养着{animal:a}，它叫“{name}”。",
    ],
    "pet+home": [
        "{person:ref}和名叫“{name}”的{animal}一起住在{street}。",
        "{person:ref}养了{animal:a}，叫“{name}”，家在{street}。",
    ],
    "home+family": [
        "{person:ref}住在{street}，{other:ref}是{person:his}{relation}。",
        "{person:ref}家在{street}，有个{relation}叫{other}。",
    ],
    "likes+favourite": [
        "{person:ref}喜欢{activity}，最爱吃{food}。",
        "{person:ref}有两样喜好：{activity}和吃{food}。",
        "{activity}是{person:refs}爱好，{food}是{person:he}最爱吃的。",
    ],
    "favourite+likes": [
        "{person:ref}最爱吃{food}，平时喜欢{activity}。",
        "最爱吃{food}的{person:ref}，空闲时喜欢{activity}。",
    ],
    "age+favourite": [
        "{person:ref}今年{years}岁，最爱吃{food}。",
        "{years}岁的{person:ref}最爱吃的是{food}。",
    ],
    "favourite+age": [
        "{person:ref}最爱吃{food}，今年{years}岁。",
        "最爱吃{food}的{person:ref}今年{years}岁。",
    ],
    "age+likes": [
        "{person:ref}今年{years}岁，喜欢{activity}。",
        "{years}岁的{person:ref}有空就{activity}，乐此不疲。",
    ],
    "likes+age": [
        "喜欢{activity}的{person:ref}今年{years}岁。",
        "{person:ref}喜欢{activity}，今年{years}岁了。",
    ],
    "likes+pet": [
        "{person:ref}喜欢{activity}，还养了{animal:a}，名叫“{name}”。",
        "{person:ref}除了{activity}，最喜欢陪自己养的{animal}“{name}”玩。",
    ],
    "pet+likes": [
        "{person:ref}养了{animal:a}，名叫“{name}”，空闲时喜欢{activity}。",
        "{person:ref}除了照顾{animal}“{name}”，还喜欢{activity}。",
    ],
    "age+pet": [
        "{person:ref}今年{years}岁，养了{animal:a}，名叫“{name}”。",
        "{years}岁的{person:ref}养着{animal:a}，它叫“{name}”。",
    ],
    "favourite+pet": [
        "{person:ref}最爱吃{food}，家里养着{animal:a}，名叫“{name}”。",
        "{person:ref}最爱吃{food}，还养了{animal:a}，叫“{name}”。",
    ],
    "pet+favourite": [
        "{person:ref}养了{animal:a}，名叫“{name}”，自己最爱吃的是{food}。",
        "养着{animal}“{name}”的{person:ref}最爱吃{food}。",
    ],
    "family+likes": [
        "{person:ref}有个{relation}叫{other}，自己平时喜欢{activity}。",
        "{person:refs}{relation}是{other}，爱好是{activity}。",
    ],
    "family+age": [
        "{person:ref}今年{years}岁，{relation}是{other}。",
        "{years}岁的{person:ref}有个{relation}，名叫{other}。",
    ],
    "family+home": [
        "{person:ref}住在{street}，{relation}是{other}。",
        "住在{street}的{person:ref}有个{relation}，名叫{other}。",
    ],
    # Portraits of places.
    "where+opened": [
        "{place}在{street}，[建于|创办于]{year}年。",
        "{year}年建成的{place}坐落在{street}。",
        "位于{street}的{place}是{year}年开办的。",
    ],
    "where+hours": [
        "{place}在{street}，{opening:words}开门，{closing:words}关门。",
        "{street}上的{place}[每天|]从{opening:words}开到{closing:words}。",
    ],
    "where+feature": [
        "{place}在{street}，最显眼的是{feature}。",
        "{street}上的{place}有{feature}。",
        "走进{street}，看到{feature}，那就是{place}了。",
    ],
    "where+sells": [
        "{place}在{street}，店里卖{goods}。",
        "想买{goods}，可以到{street}的{place}去。",
    ],
    "where+job": [
        "{place}在{street}，{person:ref}在那里当{job}。",
        "{street}上的{place}有一位{job}，名叫{person}。",
    ],
    "opened+feature": [
        "{place}建于{year}年，有{feature}。",
        "{year}年建成的{place}，最显眼的是{feature}。",
    ],
    "feature+opened": [
        "{place}有{feature}，是{year}年建成的。",
        "有{feature}的{place}建于{year}年。",
    ],
    "opened+hours": [
        "{place}建于{year}年，如今{opening:words}开门，{closing:words}关门。",
        "{year}年开办的{place}[每天|]从{opening:words}开到{closing:words}。",
    ],
    "hours+opened": [
        "{place}{opening:words}开门，{closing:words}关门，[从|自]{year}年[就有了|创办以来生意一直不错]。",
        "[每天|]从{opening:words}开到{closing:words}的{place}建于{year}年。",
    ],
    "hours+feature": [
        "{place}{opening:words}开门，{closing:words}关门，那里有{feature}。",
        "{place}从{opening:words}开到{closing:words}，[去的人都会看到|那里有]{feature}。",
    ],
    "feature+hours": [
        "{place}有{feature}，开放时间是{opening:words}到{closing:words}。",
        "有{feature}的{place}{opening:words}开门，{closing:words}关门。",
    ],
    "opened+job": [
        "{place}建于{year}年，如今{person:ref}在那里当{job}。",
        "{year}年开办的{place}有一位{job}，名叫{person}。",
    ],
    "hours+job": [
        "{place}{opening:words}开门，{closing:words}关门，{person:ref}在那里当{job}。",
        "{person:ref}是{place}的{job}，那里从{opening:words}开到{closing:words}。",
    ],
    "feature+job": [
        "{place}有{feature}，{person:ref}在那里当{job}。",
        "在有{feature}的{place}，{person:ref}当{job}。",
    ],
    "job+opened": [
        "{person:ref}在{place}当{job}，那里建于{year}年。",
        "{person:ref}是{place}的{job}，那里是{year}年开办的。",
    ],
    "job+hours": [
        "{person:ref}在{place}当{job}，那里{opening:words}开门，{closing:words}关门。",
        "{person:ref}是{place}的{job}，那里每天从{opening:words}开到{closing:words}。",
    ],
    "job+feature": [
        "{person:ref}在{place}当{job}，那里有{feature}。",
        "{person:ref}是{place}的{job}，那里最显眼的是{feature}。",
    ],
    "donation+where": [
        "{person:ref}向{street}上的{place}捐了{amount}。",
        "位于{street}的{place}收到{person:ref}捐的{amount}。",
    ],
    "donation+opened": [
        "{person:ref}把{amount}捐给了{year}年[开办|建成]的{place}。",
        "建于{year}年的{place}收到{person:ref}捐的{amount}。",
    ],
    "class+where": [
        "位于{street}的{place}开班教{activity}，来了{count}人。",
        "{count}人到{street}的{place}学{activity}。",
    ],
    # A person or place told of first, then what happens.
    "job+learned": [
        "{place}的{job}{person:ref}跟{other:obj}学会了{activity}。",
        "在{place}当{job}的{person:ref}，又跟{other:obj}学会了{activity}。",
    ],
    "job+helped": [
        "{person:ref}是{place}的{job}，那天来帮{other:obj}{task}。",
        "在{place}当{job}的{person:ref}，一有空就帮{other:obj}{task}。",
    ],
    "job+planned": [
        "{person:ref}在{place}当{job}，打算{date}{activity}。",
        "{place}的{job}{person:ref}早就想好了，{date}{activity}。",
    ],
    "job+won": [
        "{person:ref}是{place}的{job}，在{contest}中夺冠，得到{prize:a}。",
        "{contest}的冠军是{place}的{job}{person:obj}，奖品是{prize:a}。",
    ],
    "age+visited": [
        "{years}岁的{person:ref}去了{place}。",
        "{person:ref}今年{years}岁，<thatday>独自去了{place}。",
    ],
    "age+learned": [
        "{years}岁的{person:ref}跟{other:obj}学会了{activity}。",
        "虽然已经{years}岁，{person:ref}还是跟{other:obj}学会了{activity}。",
    ],
    "age+helped": [
        "{years}岁的{person:ref}帮{other:obj}{task}。",
        "{person:ref}{years}岁了，还来帮{other:obj}{task}。",
    ],
    "age+planned": [
        "{years}岁的{person:ref}打算{date}{activity}。",
        "{person:ref}今年{years}岁，准备{date}{activity}。",
    ],
    "age+won": [
        "{years}岁的{person:ref}赢得了{contest}，奖品是{prize:a}。",
        "{person:ref}今年{years}岁，在{contest}中夺冠，得到{prize:a}。",
    ],
    "won+age": [
        "赢得{contest}和{prize:a}的{person:ref}今年{years}岁。",
        "{contest}的冠军{person:ref}今年{years}岁，奖品是{prize:a}。",
    ],
    "won+home": [
        "赢得{contest}和{prize:a}的{person:ref}住在{street}。",
        "{contest}的冠军是住在{street}的{person:obj}，奖品是{prize:a}。",
    ],
    "home+won": [
        "住在{street}的{person:ref}赢得了{contest}，奖品是{prize:a}。",
        "{person:ref}家在{street}，在{contest}中夺冠，捧回{prize:a}。",
    ],
    "home+visited": [
        "{person:ref}从{street}的家里出来，去了{place}。",
        "住在{street}的{person:ref}<thatday>去了{place}。",
    ],
    "home+lost": [
        "住在{street}的{person:ref}把{object}<lose>在了{place}。",
        "{person:ref}家住{street}，这天在{place}丢了{object:a}。",
    ],
    "home+helped": [
        "住在{street}的{person:ref}来帮{other:obj}{task}。",
        "{person:ref}从{street}赶来，帮{other:obj}{task}。",
    ],
    "donation+age": [
        "{years}岁的{person:ref}向{place}捐了{amount}。",
        "{person:ref}今年{years}岁，把{amount}捐给了{place}。",
    ],
    "donation+home": [
        "住在{street}的{person:ref}把{amount}捐给了{place}。",
        "{person:ref}向{place}捐了{amount}，家就在{street}。",
    ],
    "donation+feature": [
        "{person:ref}把{amount}捐给了{place}，那里有{feature}。",
        "有{feature}的{place}收到{person:ref}捐的{amount}。",
    ],
    "planned+mood": [
        "{person:ref}打算{date}{activity}，说起这事，{mood:feels}。",
        "想到{date}要{activity}，{person:ref}{mood:feels}。",
    ],
    "cooked+mood": [
        "{person:ref}给{other:obj}做了{food}，{mood:feels}。",
        "把{food}端到{other:obj}面前时，{person:ref}{mood:feels}。",
    ],
    "attended+mood": [
        "看完{event}，{person:ref}{mood:feels}。",
        "从{event}回来，{person:ref}{mood:look}。",
    ],
    "job+mood": [
        "{place}的{job}{person:ref}{mood:feels}。",
        "在{place}当{job}的{person:ref}{mood:look}。",
    ],
    "favourite+family": [
        "{person:ref}最爱吃{food}，{relation}是{other}。",
        "最爱吃{food}的{person:ref}有个{relation}，名叫{other}。",
    ],
    "family+favourite": [
        "{person:refs}{relation}是{other}，最爱吃的是{food}。",
        "{person:ref}有个{relation}叫{other}，自己最爱吃{food}。",
    ],
    "likes+family": [
        "{person:ref}喜欢{activity}，{relation}是{other}。",
        "喜欢{activity}的{person:ref}有个{relation}，名叫{other}。",
    ],
    "pet+family": [
        "{person:ref}养了{animal:a}，叫“{name}”，{relation}是{other}。",
        "养着{animal}“{name}”的{person:ref}有个{relation}，名叫{other}。",
    ],
    "family+pet": [
        "{person:ref}有个{relation}叫{other}，家里还养着{animal:a}，叫“{name}”。",
    ],
    "age+family": [
        "{person:ref}今年{years}岁，有个{relation}叫{other}。",
        "{years}岁的{person:ref}管{other:obj}叫{relation}。",
    ],
    "pet+age": [
        "{person:ref}养了{animal:a}，名叫“{name}”，主人今年{years}岁。",
        "养着{animal}“{name}”的{person:ref}今年{years}岁。",
    ],
    "hours+sells": [
        "{place}{opening:words}开门，{closing:words}关门，店里卖{goods}。",
        "想买{goods}，要在{opening:words}到{closing:words}之间去{place}。",
    ],
    "sells+hours": [
        "{place}卖{goods}，{opening:words}开门，{closing:words}关门。",
        "卖{goods}的{place}从{opening:words}开到{closing:words}。",
    ],
    "sells+opened": [
        "{place}卖{goods}，是{year}年开办的。",
        "卖{goods}的{place}建于{year}年。",
    ],
    "opened+sells": [
        "{place}建于{year}年，如今卖{goods}。",
        "{year}年开办的{place}卖{goods}。",
    ],
    "sells+feature": [
        "{place}卖{goods}，那里有{feature}。",
        "卖{goods}的{place}有{feature}。",
    ],
    "feature+sells": [
        "{place}有{feature}，也卖{goods}。",
        "在有{feature}的{place}，可以买到{goods:a}。",
    ],
    "sells+job": [
        "{place}卖{goods}，{person:ref}是那里的{job}。",
        "{place}可以买到{goods:a}，在那里当{job}的是{person:obj}。",
    ],
    "job+sells": [
        "{person:ref}在{place}当{job}，那里卖{goods}。",
        "{person:ref}是{place}的{job}，那里可以买到{goods:a}。",
    ],
    "sells+where": [
        "卖{goods}的{place}在{street}。",
        "{place}卖{goods}，地址是{street}。",
    ],
    "where+price": [
        "在{street}的{place}，{goods:a}卖{price}。",
        "{place}在{street}，那里{goods:a}要{price}。",
    ],
    "price+hours": [
        "{place}的{goods:a}卖{price}，那里{opening:words}开门，{closing:words}关门。",
        "花{price}买{goods:a}，要在{opening:words}到{closing:words}之间去{place}。",
    ],
    "price_change+where": [
        "位于{street}的{place}把{goods:a}的价格从{old_price}改成了{price}。",
        "{place}就在{street}，那里{goods:a}原来卖{old_price}，现在卖{price}。",
    ],
    "delay+road_reopened": [
        "因为{reason}，{vehicle}晚点{minutes}分钟，{street}{date}才<again>。",
        "{reason}让{vehicle}晚了{minutes}分钟，到了{date}，{street}<again>。",
    ],
    "injured+road_reopened": [
        "{vehicle}事故中有{count}人受伤，{street}{date}<again>。",
        "{count}人在{vehicle}事故中受伤，到了{date}，{street}<again>。",
    ],
    "attendance+attended": [
        "有{count}人参加{event}，其中就有{person:obj}。",
        "{event}来了{count}人，{person:ref}也在其中。",
    ],
}
