"""Chinese questions and answers of the town: for each kind of fact the roles that can be asked for."""

Entry = tuple[str, list[str], list[str]]  # asked role, questions, answers

QUESTIONS: dict[str, list[Entry]] = {
    "weather": [
        ("weather", ["{date}天气怎么样？", "{date:full}是什么天气？"], ["{weather:adj}。", "那天{weather:does}。", "{date}是{weather:day}。", "{date:full}{weather:does}。", "{date}那天{weather:adj}。"]),
        ("date", ["哪天{weather:adj}？", "{weather:day}是[哪一天|哪天|几月几日]？", "[还记得|你知道][镇上|]哪天{weather:does}吗？", "[镇上|小镇上][哪一天|几月几日|什么时候]{weather:does}？", "{weather:does}的那天是[几月几日|几号|什么日子]？"], ["{date}。", "{date:full}。", "是{date}。"]),
    ],
    "temperature": [("degrees", ["{date}气温[是|有]多少？", "{date:full}有多少度？"], ["{degrees}度。", "气温是{degrees}度。", "那天{degrees}度。"])],
    "visited": [
        ("place", ["{person}去了哪里？", "{person}到过什么地方？"], ["{place}。", "去了{place}。", "{person:ref}去了{place}。"]),
        ("person", ["谁去了{place}？", "到{place}去的是谁？"], ["{person}。", "是{person}。", "去{place}的是{person}。"]),
    ],
    "bought": [
        ("goods", ["{person}在{place}买了什么？", "{person}花{price}买了什么？"], ["{goods:a}。", "买了{goods:a}。", "{person:ref}买了{goods:a}。"]),
        ("price", ["{person}买{goods}花了多少钱？", "{person}在{place}花了多少钱？"], ["{price}。", "花了{price}。", "{person:ref}花了{price}。"]),
        ("place", ["{person}在哪里买的{goods}？", "{goods:a}是{person}在哪里买的？"], ["在{place}。", "是在{place}买的。", "{person:ref}在{place}买的。"]),
        ("person", ["谁在{place}买了{goods:a}？", "花{price}买{goods}的是谁？"], ["{person}。", "是{person}。", "是{person}买的。"]),
    ],
    "price": [
        ("price", ["{place}的{goods}多少钱？", "在{place}买{goods:a}要多少钱？"], ["{price}。", "要{price}。", "卖{price}。"]),
        ("place", ["哪里的{goods}卖{price}？", "花{price}能在哪里买到{goods:a}？"], ["{place}。", "在{place}。", "{place}就有。"]),
    ],
    "price_change": [
        ("price", ["{place}的{goods}现在多少钱？", "{goods}的新价格是多少？"], ["{price}。", "现在卖{price}。", "新价格是{price}。"]),
        ("old_price", ["{place}的{goods}原来多少钱？", "{goods}以前卖多少钱？"], ["{old_price}。", "原来卖{old_price}。", "以前是{old_price}。"]),
    ],
    "gift": [
        ("other", ["{person}把{goods}送给了谁？", "{person}的礼物是给谁的？"], ["{other}。", "送给了{other}。", "是给{other}的。"]),
        ("goods", ["{person}送给{other}什么？", "{other}收到了什么礼物？"], ["{goods:a}。", "是{goods:a}。", "送了{goods:a}。"]),
    ],
    "lost": [
        ("object", ["{person}丢了什么？", "{person}在{place}丢了什么东西？"], ["{object:a}。", "丢了{object:a}。", "{person:ref}丢了{object:a}。"]),
        ("place", ["{person}的{object}是在哪里丢的？", "{person}把{object}丢在了哪里？"], ["在{place}。", "丢在了{place}。", "是在{place}丢的。"]),
        ("person", ["谁丢了{object:a}？", "丢在{place}的{object}是谁的？"], ["{person}。", "是{person}。", "是{person}的。"]),
    ],
    "searched": [("place", ["{person}去哪里找过？", "{person}找了什么地方？"], ["{place}。", "去{place}找过。", "{person:ref}找了{place}。"])],
    "found": [
        ("other", ["谁找到了{object}？", "在{place}发现{object}的是谁？"], ["{other}。", "是{other}。", "是{other}找到的。"]),
        ("place", ["{other}在哪里找到了{object}？", "{object}是在哪里找到的？"], ["在{place}。", "是在{place}找到的。"]),
    ],
    "returned": [
        ("other", ["谁把{object}还给了{person}？", "{person}的{object}是谁送回来的？"], ["{other}。", "是{other}。", "是{other}还的。"]),
        ("person", ["{other}把{object}还给了谁？", "{object}还给了谁？"], ["{person}。", "还给了{person}。"]),
    ],
    "met": [
        ("other", ["{person}在{place}遇见了谁？", "{person}碰到了谁？"], ["{other}。", "{person:ref}遇见了{other:obj}。", "是{other}。"]),
        ("place", ["{person}在哪里遇见了{other}？", "{person}和{other}是在哪里见面的？"], ["在{place}。", "是在{place}。", "两人是在{place}见的面。"]),
    ],
    "helped": [
        ("task", ["{person}帮{other}做什么？", "{person}帮了{other}什么忙？"], ["帮忙{task}。", "{person:ref}帮{other:obj}{task}。"]),
        ("person", ["谁帮{other}{task}？", "帮{other}忙的是谁？"], ["{person}。", "是{person}。", "是{person}帮的忙。"]),
        ("other", ["{person}帮谁{task}？", "{person}帮了谁的忙？"], ["{other}。", "帮了{other}。"]),
    ],
    "repaired": [
        ("person", ["谁修好了{other}的{object}？", "{other}的{object}是谁修的？"], ["{person}。", "是{person}。", "是{person}修好的。"]),
        ("object", ["{person}修好了什么？", "{person}替{other}修了什么？"], ["{object:a}。", "修好了{object:a}。"]),
        ("other", ["{person}修的是谁的{object}？", "{person}修好的{object}是谁的？"], ["{other}的。", "是{other}的。"]),
    ],
    "learned": [
        ("activity", ["{person}跟{other}学会了什么？", "{person}学会了什么？"], ["{activity}。", "学会了{activity}。", "{person:ref}学会了{activity}。"]),
        ("other", ["{person}跟谁学{activity}？", "教{person}{activity}的是谁？"], ["{other}。", "是{other}教的。", "{person:ref}的师傅是{other}。"]),
    ],
    "broke": [
        ("object", ["{other}的什么东西坏了？", "{other}弄坏了什么？"], ["{object:a}。", "{object:a}坏了。"]),
        ("other", ["[谁的|哪一位的]{object}坏了？", "坏了的{object}是[谁的|哪一位的]？"], ["{other}的。", "是{other}的。", "坏的是{other}的{object}。"]),
    ],
    "cooked": [
        ("food", ["{person}给{other}做了什么？", "{person}做了什么吃的？"], ["{food}。", "做了{food}。", "{person:ref}做了{food}。"]),
        ("person", ["谁给{other}做了{food}？", "{food}是谁做的？"], ["{person}。", "是{person}。", "是{person}做的。"]),
        ("other", ["{person}的{food}是给谁做的？", "{person}给谁做了{food}？"], ["{other}。", "给{other}做的。"]),
    ],
    "attended": [
        ("event", ["{person}参加了什么活动？", "{person}去看了什么？"], ["{event}。", "参加了{event}。", "{person:ref}去了{event}。"]),
        ("person", ["谁参加了{event}？", "去{event}的是谁？"], ["{person}。", "是{person}。", "{person}参加了。"]),
    ],
    "late": [
        ("reason", ["{person}为什么迟到？", "{person}参加{event}为什么迟到？"], ["因为{reason}。", "{reason}。", "{person:ref}迟到是因为{reason}。"]),
        ("event", ["{person}参加什么活动迟到了？", "{person}哪个活动去晚了？"], ["{event}。", "是{event}。", "{event}去晚了。"]),
        ("person", ["谁参加{event}迟到了？", "{event}迟到的是谁？"], ["{person}。", "是{person}。", "{person}迟到了。"]),
    ],
    "planned": [
        ("activity", ["{person}{date}打算做什么？", "{person}有什么打算？"], ["打算{activity}。", "{person:ref}想{activity}。", "{person:ref}打算{date}{activity}。"]),
        ("date", ["{person}打算哪天{activity}？", "{person}什么时候去{activity}？"], ["{date}。", "{date:full}。", "是{date}。"]),
    ],
    "mood": [
        ("mood", ["{person}[心情|心里|情绪]怎么样？", "{person}[感觉|心情]如何？", "[那天|当时|事情过后，]{person}[是什么心情|心情怎么样|有什么感受]？"], ["{mood:feels}。", "{person:ref}{mood:feels}。", "{person:ref}[那天|当时]{mood:feels}。", "{person:ref}{mood:look}。"]),
        ("person", ["谁{mood:feels}？", "[谁|哪一位|什么人]{mood:look}？", "[这件事|这一切|那件事][让谁|叫谁|让什么人]{mood:feels}？", "[当时|后来|最后|那天|听到消息，|事情过后，][谁|是谁|哪一位]{mood:feels}？", "{mood:feels}的[是谁|是哪一位|人是谁]？"], ["{person}。", "是{person}。", "{person}{mood:feels}。", "{mood:feels}的是{person}。"]),
    ],
    "event": [
        ("date", ["{event}是哪天？", "{event}什么时候在{place}举行？"], ["{date}。", "{date:full}。", "是{date}。"]),
        ("place", ["{event}在哪里举行？", "去哪里看{event}？"], ["在{place}。", "{place}。", "{event}在{place}举行。"]),
        ("time", ["{event}几点开始？", "{date}的{event}什么时间开始？"], ["{time}。", "{time:words}开始。", "{time:words}。"]),
        ("event", ["{date}{place}有什么活动？", "{place}[要|将要]举行什么活动？"], ["{event}。", "是{event}。", "有{event}。"]),
    ],
    "attendance": [("count", ["{event}来了多少人？", "有多少人参加{event}？"], ["{count}人。", "来了{count}人。", "一共{count}人。"])],
    "cancelled": [
        ("reason", ["{event}为什么取消？", "{event}是因为什么取消的？"], ["因为{reason}。", "{reason}。", "是因为{reason}取消的。"]),
        ("event", ["什么活动因{reason}取消了？", "因为{reason}取消的是什么活动？"], ["{event}。", "是{event}。", "{event}取消了。"]),
    ],
    "won": [
        ("person", ["谁[夺得|得了]{contest}[的|]冠军？", "{contest}的冠军是谁？"], ["{person}。", "是{person}。", "{contest}的冠军是{person}。"]),
        ("prize", ["{person}得到了什么奖品？", "{contest}的奖品是什么？"], ["{prize:a}。", "{person:ref}得到了{prize:a}。", "{contest}的奖品是{prize:a}。"]),
        ("contest", ["{person}赢了什么比赛？", "{person}在什么比赛中得了第一？"], ["{contest}。", "是{contest}。", "{person:ref}赢了{contest}。"]),
    ],
    "runner_up": [
        ("other", ["{contest}第二名是谁？", "谁得了{contest}亚军？"], ["{other}。", "是{other}。", "{contest}第二名是{other}。"]),
        ("contest", ["{other}在什么比赛中得了第二？", "{other}是什么比赛的亚军？"], ["{contest}。", "是{contest}。"]),
    ],
    "match": [
        ("goals", ["{team}对{rival}的比分是多少？", "{team}和{rival}踢成几比几？"], ["{goals}比{rival_goals}。", "比分是{goals}比{rival_goals}。", "踢成了{goals}比{rival_goals}。"]),
        ("rival", ["{team}的对手是[谁|哪个队]？", "{team}[跟|和|与]哪个队比赛？"], ["{rival}。", "是{rival}。", "{team}的对手是{rival}。"]),
    ],
    "road_closed": [
        ("reason", ["{street}为什么封闭？", "{street}不能走，是什么原因？"], ["因为{reason}。", "{reason}。", "{street}封闭是因为{reason}。"]),
        ("date", ["{street}哪天封闭？", "{street}是什么时候封闭的？"], ["{date}。", "{date:full}。", "是{date}。"]),
        ("street", ["{date}哪条街封闭了？", "因为{reason}封闭的是哪条街？"], ["{street}。", "是{street}。", "{street}封闭了。"]),
    ],
    "road_reopened": [
        ("date", ["{street}哪天恢复通行？", "{street}什么时候重新开放？"], ["{date}。", "{date:full}。", "是{date}。"]),
        ("street", ["{date}哪条街恢复通行？", "{date}重新开放的是哪条街？"], ["{street}。", "是{street}。"]),
    ],
    "accident": [
        ("street", ["{vehicle}在哪里出了事故？", "{date}的事故发生在哪里？"], ["{street}。", "在{street}。", "发生在{street}。"]),
        ("date", ["{street}的事故是哪天发生的？", "{vehicle}哪天出了事故？"], ["{date}。", "{date:full}。", "是{date}。"]),
        ("vehicle", ["{street}上出事的是什么车？", "{date}在{street}出事的是什么？"], ["{vehicle:a}。", "是{vehicle:a}。"]),
    ],
    "injured": [("count", ["{vehicle}事故中有[多少|几个]人受伤？", "{vehicle}出事伤了[几个|多少]人？", "{vehicle}事故[造成|导致][几|多少]人受伤？"], ["{count}人。", "有{count}人受伤。", "{vehicle}事故伤了{count}人。"])],
    "theft": [
        ("object", ["{place}被偷了什么？", "{date}{place}丢了什么？"], ["{object:a}。", "是{object:a}。", "被偷的是{object:a}。"]),
        ("place", ["{object}是在哪里被偷的？", "{date}哪里失窃？"], ["{place}。", "在{place}。", "是{place}。"]),
        ("date", ["{place}哪天失窃？", "{object}是哪天被偷的？"], ["{date}。", "{date:full}。", "是{date}。"]),
    ],
    "recovered": [
        ("place", ["被偷的{object}是在哪里找到的？", "警察在哪里找回了{object}？"], ["{place}。", "在{place}。", "是在{place}找到的。"]),
        ("object", ["警察在{place}找回了什么？", "{place}里找到了什么赃物？"], ["{object:a}。", "是{object:a}。", "找回了{object:a}。"]),
    ],
    "delay": [
        ("minutes", ["{vehicle}晚点[多久|多长时间|多少分钟]？", "{vehicle}[晚了|晚到了|误点]多少分钟？"], ["{minutes}分钟。", "{vehicle}晚了{minutes}分钟。"]),
        ("reason", ["{vehicle}为什么[晚点|迟到|误点]？", "{vehicle}晚点[是什么原因|是怎么回事|是因为什么]？"], ["因为{reason}。", "{reason}。", "{vehicle}晚点是因为{reason}。"]),
        ("vehicle", ["什么晚点了{minutes}分钟？", "因为{reason}晚点的是什么？"], ["{vehicle}。", "是{vehicle}。", "{vehicle}晚点了。"]),
    ],
    "council": [
        ("measure", ["镇议会{date}[决定|通过]了什么？", "{date}，镇议会作出了什么决定？"], ["{measure}。", "决定{measure}。", "镇议会决定{measure}。"]),
        ("date", ["镇议会哪天决定{measure}？", "{measure}是哪天定下来的？"], ["{date}。", "{date:full}。", "是{date}。"]),
    ],
    "cost": [
        ("amount", ["{measure}要花多少钱？", "{measure}的费用是多少？"], ["{amount}。", "要花{amount}。", "一共{amount}。"]),
        ("measure", ["什么要花{amount}？", "这{amount}用来做什么？"], ["{measure}。", "用于{measure}。"]),
    ],
    "donation": [
        ("amount", ["{person}捐了多少钱？", "{place}收到{person}捐的多少钱？"], ["{amount}。", "捐了{amount}。", "{person:ref}捐了{amount}。"]),
        ("person", ["谁给{place}捐了{amount}？", "给{place}捐款的是谁？"], ["{person}。", "是{person}捐的。", "给{place}捐款的是{person}。"]),
        ("place", ["{person}把钱捐给了哪里？", "{person}捐的{amount}给了哪里？"], ["{place}。", "捐给了{place}。", "是{place}。"]),
    ],
    "new_shop": [
        ("person", ["谁接手了{place}？", "重新开业的{place}由谁经营？"], ["{person}。", "是{person}。", "由{person}经营。"]),
        ("date", ["{place}哪天重新开业？", "{place}什么时候重新开门？"], ["{date}。", "{date:full}。", "是{date}。"]),
        ("place", ["{person}接手了哪里？", "{date}哪里重新开业？"], ["{place}。", "是{place}。"]),
    ],
    "class": [
        ("count", ["有多少人在{place}学{activity}？", "{place}的{activity}班有多少人？"], ["{count}人。", "有{count}人。", "一共{count}人。"]),
        ("place", ["在哪里可以学{activity}？", "{activity}班开在哪里？"], ["{place}。", "在{place}。", "可以去{place}学。"]),
        ("activity", ["{place}的班教什么？", "大家在{place}学什么？"], ["{activity}。", "教{activity}。", "学{activity}。"]),
    ],
    "job": [
        ("job", ["{person}是做什么工作的？", "{person}的职业是什么？"], ["{job}。", "{person:ref}是{job:a}。", "是{job}。"]),
        ("place", ["{person}在哪里工作？", "{person}在什么地方上班？"], ["{place}。", "{person:ref}在{place}工作。", "{person:ref}在{place}上班。"]),
        ("person", ["{place}的{job}是谁？", "谁在{place}当{job}？"], ["{person}。", "是{person}。", "{place}的{job}是{person}。", "{person}在{place}当{job}。"]),
    ],
    "home": [("street", ["{person}住在哪里？", "{person}的家在哪条街？"], ["{street}。", "{person:ref}家在{street}。", "{person:ref}住在{street}。"])],
    "age": [("years", ["{person}[多大年纪|多大|多大岁数]？", "{person}今年多少岁？"], ["{years}岁。", "{person:ref}{years}岁了。", "{person:ref}今年{years}岁。"])],
    "likes": [
        ("activity", ["{person}喜欢做什么？", "{person}有什么爱好？"], ["{activity}。", "喜欢{activity}。", "{person:ref}喜欢{activity}。"]),
        ("person", ["谁喜欢{activity}？", "爱好{activity}的是谁？"], ["{person}。", "是{person}。", "{person}喜欢。"]),
    ],
    "favourite": [("food", ["{person}最爱吃什么？", "{person}最喜欢的食物是什么？"], ["{food}。", "最爱吃{food}。", "{person:ref}最爱吃{food}。"])],
    "pet": [
        ("animal", ["{person}养了什么？", "{person}的宠物是什么动物？"], ["{animal:a}。", "养了{animal:a}。", "{person:ref}养了{animal:a}。"]),
        ("name", ["{person}的{animal}叫什么名字？", "{person}的宠物叫什么？"], ["{name}。", "叫{name}。", "名叫{name}。"]),
    ],
    "family": [
        ("other", ["{person}的{relation}是谁？", "谁是{person}的{relation}？"], ["{other}。", "是{other}。", "{person:refs}{relation}是{other}。"]),
        ("relation", ["{other}是{person}的什么人？"], ["{relation}。", "是{relation}。", "{other}是{person:refs}{relation}。"]),
    ],
    "where": [
        ("street", ["{place}在哪条街？", "{place}在哪里？"], ["{street}。", "在{street}。", "{place}在{street}。", "{place}就在{street}上。"]),
        ("place", ["{street}上有什么地方？", "[去|走进|路过]{street}，能看到什么地方？", "什么地方[在|位于|坐落在]{street}？"], ["{place}。", "有{place}。", "{street}上有{place}。"]),
    ],
    "opened": [("year", ["{place}是哪年开的？", "{place}什么时候开始[营业|开放]？"], ["{year}年。", "是{year}年。", "{place}是{year}年开的。"])],
    "hours": [
        ("opening", ["{place}几点开门？", "{place}每天什么时候开门？"], ["{opening}。", "{opening:words}。", "{place}{opening:words}开门。"]),
        ("closing", ["{place}几点关门？", "{place}什么时候打烊？"], ["{closing}。", "{closing:words}。", "{place}{closing:words}关门。"]),
    ],
    "sells": [
        ("goods", ["{place}卖什么？", "在{place}能买到什么？"], ["{goods}。", "卖{goods}。", "能买到{goods}。"]),
        ("place", ["哪里卖{goods}？", "在哪里能买到{goods}？"], ["{place}。", "{place}卖{goods}。"]),
    ],
    "feature": [("feature", ["{place}有什么特别的？", "{place}里有什么？"], ["有{feature}。", "{place}有{feature}。"])],
}  # fmt: skip
