"""Words of the town: its people, places and things, in English and in Chinese. One line an entry."""

# key (from the English name) | gender | Chinese full name | Chinese given name
PEOPLE = """
Anna Bell|f|安娜·贝尔|安娜
Tom Reed|m|汤姆·里德|汤姆
Clara Stone|f|克拉拉·斯通|克拉拉
Henry Ward|m|亨利·沃德|亨利
Emma Brook|f|艾玛·布鲁克|艾玛
Oscar Field|m|奥斯卡·菲尔德|奥斯卡
Lucy Hart|f|露西·哈特|露西
George Moss|m|乔治·莫斯|乔治
Nora Fox|f|诺拉·福克斯|诺拉
Peter Lane|m|彼得·莱恩|彼得
Julia Rose|f|朱莉娅·罗斯|朱莉娅
Simon Cole|m|西蒙·科尔|西蒙
Alice Ford|f|爱丽丝·福特|爱丽丝
Daniel Park|m|丹尼尔·帕克|丹尼尔
Grace Hill|f|格蕾丝·希尔|格蕾丝
Victor Snow|m|维克托·斯诺|维克托
Helen Marsh|f|海伦·马什|海伦
Martin Wood|m|马丁·伍德|马丁
Irene Vale|f|艾琳·韦尔|艾琳
Paul Rivers|m|保罗·里弗斯|保罗
Sophie Lake|f|索菲·莱克|索菲
Edward Finch|m|爱德华·芬奇|爱德华
Rachel Dale|f|蕾切尔·戴尔|蕾切尔
Walter Pine|m|沃尔特·派恩|沃尔特
Diana Cross|f|黛安娜·克罗斯|黛安娜
Felix North|m|费利克斯·诺思|费利克斯
Molly Green|f|莫莉·格林|莫莉
Arthur Bird|m|阿瑟·伯德|阿瑟
Lin Xiaoyu|f|林晓雨|晓雨
Wang Jianguo|m|王建国|建国
Li Meihua|f|李美华|美华
Zhang Zhiyuan|m|张志远|志远
Chen Yawen|f|陈雅文|雅文
Liu Haoran|m|刘浩然|浩然
Zhao Lihong|f|赵丽红|丽红
Huang Wenbin|m|黄文斌|文斌
Zhou Sining|f|周思宁|思宁
Wu Guoqiang|m|吴国强|国强
Xu Jingyi|f|徐静怡|静怡
Sun Weimin|m|孙为民|为民
Ma Chunlan|f|马春兰|春兰
Zhu Tianyu|m|朱天宇|天宇
Hu Yuqing|f|胡雨晴|雨晴
Guo Dawei|m|郭大伟|大伟
He Shufen|f|何淑芬|淑芬
Gao Junjie|m|高俊杰|俊杰
Luo Xinyi|f|罗欣怡|欣怡
Zheng Haibo|m|郑海波|海波
Liang Huimin|f|梁慧敏|慧敏
Xie Mingzhe|m|谢明哲|明哲
Song Qiaoyun|f|宋巧云|巧云
Tang Shaohua|m|唐绍华|绍华
Feng Xueqin|f|冯雪琴|雪琴
Yu Zhengping|m|于正平|正平
Dong Yulan|f|董玉兰|玉兰
Cheng Liwei|m|程立伟|立伟
Cao Ruoxi|f|曹若溪|若溪
Yuan Hongtao|m|袁洪涛|洪涛
Deng Peishan|f|邓佩珊|佩珊
Han Zixuan|m|韩子轩|子轩
"""

# English | Chinese | what is done there: job English | job Chinese | preposition of the workplace
PLACES = """
bakery|面包店|baker|面包师
library|图书馆|librarian|图书管理员
school|学校|teacher|老师
hospital|医院|nurse|护士
clinic|诊所|doctor|医生
station|火车站|conductor|列车员
post office|邮局|postal worker|邮递员
bookshop|书店|bookseller|书店店员
market|集市|trader|摊主
harbour|码头|fisher|渔民
museum|博物馆|guide|讲解员
theatre|剧院|actor|演员
town hall|市政厅|clerk|办事员
police station|派出所|police officer|警察
fire station|消防站|firefighter|消防员
pharmacy|药店|pharmacist|药剂师
flower shop|花店|florist|花艺师
tea house|茶馆|tea master|茶艺师
noodle shop|面馆|cook|厨师
garage|修车铺|mechanic|修车工
farm|农场|farmer|农民
bank|银行|cashier|柜员
hotel|旅馆|receptionist|接待员
swimming pool|游泳馆|swimming coach|游泳教练
music school|音乐学校|pianist|钢琴师
workshop|木工坊|carpenter|木匠
tailor's shop|裁缝铺|tailor|裁缝
toy shop|玩具店|toy maker|玩具匠
newspaper office|报社|reporter|记者
park|公园|gardener|园丁
grocery|杂货店|grocer|杂货商
cinema|电影院|projectionist|放映员
stadium|体育场|groundskeeper|场地管理员
bus depot|公交总站|bus driver|公交司机
courthouse|法院|judge|法官
kindergarten|幼儿园|kindergarten teacher|幼儿园老师
lighthouse|灯塔|lighthouse keeper|灯塔看守人
water mill|水磨坊|miller|磨坊主
art gallery|美术馆|painter|画家
barber shop|理发店|barber|理发师
butcher's shop|肉铺|butcher|肉铺师傅
animal clinic|宠物医院|vet|兽医
radio station|广播电台|announcer|播音员
pottery|陶艺坊|potter|陶艺师
sports hall|体育馆|trainer|教练
"""

# places that have goods, and what they sell: English|English with its article|Chinese|low price|high price, in hundredths of a crown
GOODS = """
bakery|loaf of bread|a loaf of bread|面包|200|480
bakery|apple pie|an apple pie|苹果派|450|900
bakery|cheesecake|a cheesecake|芝士蛋糕|900|1800
bookshop|map of the town|a map of the town|小镇地图|300|700
bookshop|detective novel|a detective novel|侦探小说|900|1900
bookshop|dictionary|a dictionary|词典|1500|3200
market|basket of apples|a basket of apples|一篮苹果|400|900
market|jar of honey|a jar of honey|一罐蜂蜜|600|1300
market|carton of eggs|a carton of eggs|一盒鸡蛋|300|650
harbour|fresh fish|fresh fish|鲜鱼|500|1400
harbour|bag of shrimps|a bag of shrimps|一袋虾|700|1600
pharmacy|cough syrup|cough syrup|止咳糖浆|500|1100
pharmacy|hand cream|hand cream|护手霜|400|1000
flower shop|bunch of roses|a bunch of roses|一束玫瑰|800|2000
flower shop|pot of orchids|a pot of orchids|一盆兰花|1500|3500
tea house|pot of green tea|a pot of green tea|一壶绿茶|300|900
tea house|box of black tea|a box of black tea|一盒红茶|1200|2800
noodle shop|bowl of noodles|a bowl of noodles|一碗面|350|800
noodle shop|plate of dumplings|a plate of dumplings|一盘饺子|400|950
toy shop|wooden train|a wooden train|木头小火车|1200|2600
toy shop|kite|a kite|风筝|500|1500
tailor's shop|wool scarf|a wool scarf|羊毛围巾|900|2200
tailor's shop|silk shirt|a silk shirt|丝绸衬衫|2500|6000
farm|bottle of milk|a bottle of milk|一瓶牛奶|150|350
farm|sack of potatoes|a sack of potatoes|一袋土豆|500|1200
workshop|oak chair|an oak chair|橡木椅子|3500|8000
workshop|bird house|a bird house|鸟屋|800|1800
garage|bicycle lamp|a bicycle lamp|自行车灯|700|1600
bakery|seed cake|a seed cake|种子蛋糕|700|1400
bakery|rye bread|rye bread|黑麦面包|250|520
bakery|bag of cinnamon rolls|a bag of cinnamon rolls|一袋肉桂卷|400|900
bookshop|picture book|a picture book|图画书|700|1600
bookshop|book of poems|a book of poems|诗集|800|1700
bookshop|wall calendar|a wall calendar|挂历|500|1100
market|bunch of carrots|a bunch of carrots|一把胡萝卜|150|400
market|wheel of cheese|a wheel of cheese|一块圆奶酪|1500|3500
market|box of cherries|a box of cherries|一盒樱桃|500|1300
market|clay pot|a clay pot|陶罐|700|1900
harbour|bucket of mussels|a bucket of mussels|一桶贻贝|600|1500
harbour|smoked eel|a smoked eel|熏鳗鱼|900|2000
pharmacy|bar of soap|a bar of soap|一块香皂|150|450
pharmacy|box of bandages|a box of bandages|一盒绷带|300|700
flower shop|lavender wreath|a lavender wreath|薰衣草花环|900|2100
flower shop|basket of tulips|a basket of tulips|一篮郁金香|1000|2300
tea house|jasmine tea|jasmine tea|茉莉花茶|400|1100
tea house|porcelain cup|a porcelain cup|瓷杯|900|2400
noodle shop|bowl of wonton soup|a bowl of wonton soup|一碗馄饨|350|850
noodle shop|spring roll|a spring roll|春卷|150|350
toy shop|wooden puzzle|a wooden puzzle|木制拼图|800|1900
toy shop|rag doll|a rag doll|布娃娃|900|2200
toy shop|spinning top|a spinning top|陀螺|200|600
tailor's shop|winter coat|a winter coat|冬大衣|5000|9500
tailor's shop|pair of gloves|a pair of gloves|一副手套|800|2000
farm|goat cheese|goat cheese|羊奶酪|600|1400
farm|bag of onions|a bag of onions|一袋洋葱|250|600
workshop|wooden stool|a wooden stool|木凳|1500|3500
workshop|cutting board|a cutting board|砧板|700|1600
garage|bicycle bell|a bicycle bell|自行车铃|300|800
garage|spare tyre|a spare tyre|备用轮胎|2500|6000
grocery|bag of rice|a bag of rice|一袋大米|600|1500
grocery|bottle of soy sauce|a bottle of soy sauce|一瓶酱油|250|700
grocery|packet of salt|a packet of salt|一包盐|100|250
butcher's shop|smoked ham|a smoked ham|熏火腿|2000|5000
butcher's shop|string of sausages|a string of sausages|一串香肠|500|1300
art gallery|small watercolour|a small watercolour|小幅水彩画|3000|8500
art gallery|set of postcards|a set of postcards|一套明信片|300|800
pottery|blue vase|a blue vase|蓝花瓶|1500|4000
pottery|soup bowl|a soup bowl|汤碗|600|1500
water mill|sack of flour|a sack of flour|一袋面粉|500|1200
museum|museum guidebook|a museum guidebook|博物馆导览手册|500|1200
"""

STREETS = """
Mill Lane|磨坊巷
River Street|河滨街
Station Road|车站路
Church Hill|教堂坡
Market Square|集市广场
Garden Street|花园街
Bridge Street|桥头街
Willow Lane|柳树巷
Harbour Road|码头路
Orchard Street|果园街
Lantern Alley|灯笼胡同
Bamboo Lane|竹林巷
Well Street|古井街
Temple Road|寺前路
Lotus Street|荷花街
Plum Lane|梅花巷
Weaver Street|织工街
Castle Road|城堡路
Clock Street|钟楼街
Pine Avenue|松树大道
Ferry Lane|渡口巷
Stone Alley|石板胡同
North Street|北街
Canal Road|运河路
"""

# object English | Chinese
OBJECTS = """
umbrella|雨伞
wallet|钱包
watch|手表
set of keys|钥匙
bicycle|自行车
violin|小提琴
notebook|笔记本
camera|相机
suitcase|行李箱
scarf|围巾
pair of glasses|眼镜
phone|手机
ring|戒指
backpack|背包
letter|信
ticket|车票
lantern|灯笼
teapot|茶壶
radio|收音机
clock|闹钟
hat|帽子
pair of gloves|手套
bracelet|手镯
passport|护照
flute|长笛
laptop|笔记本电脑
toolbox|工具箱
necklace|项链
kettle|水壶
map|地图
sewing machine|缝纫机
torch|手电筒
diary|日记本
football|足球
pocket knife|小刀
lamp|台灯
walking stick|拐杖
sketchbook|速写本
accordion|手风琴
purse|小钱袋
telescope|望远镜
chess set|国际象棋
"""

# activity: base | -ing | past | Chinese
ACTIVITIES = """
play chess|playing chess|played chess|下棋
paint landscapes|painting landscapes|painted landscapes|画风景画
play the violin|playing the violin|played the violin|拉小提琴
bake bread|baking bread|baked bread|烤面包
grow roses|growing roses|grew roses|种玫瑰
go fishing|going fishing|went fishing|钓鱼
sing in the choir|singing in the choir|sang in the choir|唱合唱
write poems|writing poems|wrote poems|写诗
ride a bicycle|riding a bicycle|rode a bicycle|骑自行车
fly kites|flying kites|flew kites|放风筝
take photographs|taking photographs|took photographs|拍照
swim|swimming|swam|游泳
watch birds|watching birds|watched birds|观鸟
practise calligraphy|practising calligraphy|practised calligraphy|写毛笔字
cook noodles|cooking noodles|cooked noodles|做面条
read novels|reading novels|read novels|读小说
make pottery|making pottery|made pottery|做陶器
play table tennis|playing table tennis|played table tennis|打乒乓球
practise tai chi|practising tai chi|practised tai chi|打太极拳
repair old clocks|repairing old clocks|repaired old clocks|修旧钟表
play the flute|playing the flute|played the flute|吹长笛
knit scarves|knitting scarves|knitted scarves|织围巾
collect stamps|collecting stamps|collected stamps|集邮
climb the hills|climbing the hills|climbed the hills|爬山
row on the river|rowing on the river|rowed on the river|在河上划船
cut paper figures|cutting paper figures|cut paper figures|剪纸
play badminton|playing badminton|played badminton|打羽毛球
tell old stories|telling old stories|told old stories|讲老故事
carve wood|carving wood|carved wood|做木雕
make lanterns|making lanterns|made lanterns|做灯笼
run by the river|running by the river|ran by the river|在河边跑步
keep bees|keeping bees|kept bees|养蜂
"""

FOODS = """
apple pie|苹果派
dumplings|饺子
fish soup|鱼汤
noodles|面条
rice porridge|米粥
roast chicken|烤鸡
tomato soup|番茄汤
cheese|奶酪
pancakes|煎饼
tofu|豆腐
strawberries|草莓
mushroom stew|炖蘑菇
fried rice|炒饭
onion soup|洋葱汤
plum cake|李子蛋糕
grilled fish|烤鱼
potato salad|土豆沙拉
steamed buns|馒头
pumpkin soup|南瓜汤
beef noodles|牛肉面
pear tart|梨子挞
bean stew|炖豆子
roast duck|烤鸭
egg pancakes|鸡蛋饼
vegetable curry|蔬菜咖喱
sesame balls|麻团
"""

ANIMALS = """
cat|猫
dog|狗
parrot|鹦鹉
rabbit|兔子
tortoise|乌龟
goat|山羊
pony|小马
goldfish|金鱼
hedgehog|刺猬
canary|金丝雀
hen|母鸡
duck|鸭子
"""

PET_NAMES = """
Biscuit|饼干
Pepper|胡椒
Button|纽扣
Cloud|云朵
Ginger|小姜
Snowball|雪球
Dumpling|汤圆
Bamboo|竹子
Lucky|来福
Pearl|珍珠
Shadow|影子
Peanut|花生
Mustard|芥末
Tiger|小虎
Clover|三叶草
Sesame|芝麻
Muffin|松饼
Star|星星
"""

# weather: noun | adjective for a day | Chinese noun | before 的日子 | kind of day | what it does | how one walks in it
WEATHERS = """
rain|rainy|雨|下雨|雨天|下着雨|冒着雨
snow|snowy|雪|下雪|雪天|飘着雪|踏着雪
fog|foggy|雾|有雾|雾天|起了大雾|穿过浓雾
wind|windy|大风|刮风|大风天|刮着大风|顶着大风
sunshine|sunny|晴|晴朗|大晴天|阳光明媚|迎着阳光
clouds|cloudy|多云|多云|阴天|阴云密布|顶着满天阴云
storms|stormy|暴风雨|风雨交加|暴风雨天|风雨大作|冒着狂风大雨
drizzle|damp|毛毛雨|下毛毛雨|毛毛雨天|飘着毛毛雨|冒着细雨
heat|hot|炎热|炎热|大热天|热得厉害|顶着烈日
frost|frosty|霜冻|霜冻|霜冻天|结了一层白霜|踩着白霜
"""

EVENTS = """
spring fair|春季集市
lantern festival|灯会
book fair|书市
summer concert|夏季音乐会
flower show|花展
harvest festival|丰收节
dragon boat race|龙舟赛
science day|科学日
film night|电影之夜
cooking contest|厨艺大赛
charity run|慈善跑
painting exhibition|画展
poetry evening|诗歌晚会
winter market|冬季集市
open-air play|露天话剧
flea market|跳蚤市场
school concert|学校音乐会
tea ceremony|茶会
village dance|乡村舞会
boat parade|游船巡游
history lecture|历史讲座
puppet show|木偶戏
tree-planting day|植树日
bread festival|面包节
"""

CONTESTS = """
chess tournament|象棋赛
baking contest|烘焙赛
spelling contest|拼写比赛
painting contest|绘画比赛
swimming race|游泳赛
cycling race|自行车赛
singing contest|歌唱比赛
kite contest|风筝比赛
calligraphy contest|书法比赛
fishing contest|钓鱼比赛
table tennis final|乒乓球决赛
poetry contest|诗歌比赛
rowing race|划船比赛
cooking contest|烹饪比赛
photography contest|摄影比赛
hill run|登山跑
"""

PRIZES = """
silver cup|银杯
gold medal|金牌
book voucher|购书券
new bicycle|新自行车
basket of fruit|一篮水果
trip to the coast|海边旅行
box of books|一箱书
sewing kit|针线盒
month of free bread|一个月的免费面包
"""

# reason: noun phrase | Chinese
REASONS = """
a burst water pipe|水管爆裂
a fallen tree|树木倒塌
heavy snow|大雪
thick fog|浓雾
a power cut|停电
road works|道路施工
a broken signal|信号故障
a street parade|街头游行
a flooded street|路面积水
a missing driver|司机缺勤
a landslide|山体滑坡
a flat tyre|轮胎漏气
a herd of sheep on the road|羊群挡路
an empty tank|油箱没油
a jammed door|车门卡住
a late train|火车晚点
a leaking roof|屋顶漏水
a damaged bridge|桥梁损坏
a strong wind|大风
a gas leak|燃气泄漏
a long queue|排长队
"""

VEHICLES = """
bus|公共汽车
tram|有轨电车
delivery van|送货车
taxi|出租车
train|火车
ferry|渡船
milk truck|牛奶车
school bus|校车
night train|夜班火车
fire engine|消防车
post van|邮车
motorcycle|摩托车
"""

# measure: noun phrase | Chinese
MEASURES = """
a new playground|新建儿童乐园
a bicycle path|修建自行车道
the repair of the old bridge|修缮老桥
new street lamps|安装新路灯
a larger library|扩建图书馆
free bus rides for pupils|学生免费乘车
a second ferry|增开一班渡船
a night market|开办夜市
a water fountain|修建喷泉
a new roof for the school|翻修学校屋顶
a public swimming lake|开放公共游泳湖
a second fire engine|添置第二辆消防车
a wider road to the station|拓宽通往车站的路
a garden for old people|修建老年花园
a recycling yard|建设回收站
a lower speed limit|降低限速
more trees along the river|在河边多种树
a new floor for the sports hall|更换体育馆地板
longer opening hours at the pool|延长游泳馆开放时间
a footbridge over the canal|修建运河人行桥
"""

TEAMS = """
River Rovers|河畔队
Hill United|山丘联队
Harbour Lions|码头雄狮队
Station Stars|车站之星队
Mill Town|磨坊队
Garden Tigers|花园猛虎队
Bridge Eagles|桥头雄鹰队
Orchard Foxes|果园狐狸队
Canal City|运河队
Lighthouse Blues|灯塔蓝队
"""

# mood: adjective | Chinese | sentiment
MOODS = """
happy|高兴|positive
proud|自豪|positive
grateful|感激|positive
relieved|松了一口气|positive
sad|难过|negative
angry|生气|negative
worried|担心|negative
disappointed|失望|negative
tired|疲惫|negative
surprised|惊讶|neutral
cheerful|愉快|positive
thankful|满怀谢意|positive
upset|心烦|negative
lonely|孤单|negative
calm|平静|neutral
thoughtful|若有所思|neutral
"""

# relation of the other person to the first, with the other's gender
RELATIONS = """
brother|m|哥哥
sister|f|姐姐
cousin|m|表哥
aunt|f|姑姑
uncle|m|叔叔
neighbour|m|邻居
friend|f|好友
"""

# task: base | -ing | Chinese
TASKS = """
carry the boxes|carrying the boxes|搬箱子
paint the fence|painting the fence|刷篱笆
move the piano|moving the piano|搬钢琴
clean the kitchen|cleaning the kitchen|打扫厨房
fix the roof|fixing the roof|修屋顶
write a letter|writing a letter|写信
pick apples|picking apples|摘苹果
set up the stall|setting up the stall|搭摊位
find the way home|finding the way home|找回家的路
prepare the dinner|preparing the dinner|准备晚饭
sort the old books|sorting the old books|整理旧书
water the garden|watering the garden|给花园浇水
hang the lanterns|hanging the lanterns|挂灯笼
wash the windows|washing the windows|擦窗户
feed the animals|feeding the animals|喂动物
clear the snow|clearing the snow|扫雪
bake the cake|baking the cake|烤蛋糕
fill in the forms|filling in the forms|填表格
build a shelf|building a shelf|做书架
push the cart|pushing the cart|推车
"""

# feature of a place: English phrase after "has" | Chinese after 有
FEATURES = """
a red door|一扇红门
a tall clock|一座大钟
a quiet garden|一个幽静的花园
large windows|宽大的窗户
a wooden staircase|一道木楼梯
a blue roof|蓝色的屋顶
an old stove|一个老火炉
a stone lion at the gate|一尊守门的石狮子
a painted ceiling|彩绘的天花板
a long bench|一条长椅
a green sign|一块绿色招牌
a narrow balcony|一个窄阳台
a stone floor|石头地面
a brass bell|一口铜钟
two old lamps|两盏旧灯
a glass roof|玻璃屋顶
a small fountain|一座小喷泉
white walls|白色的墙
"""

# Chinese nouns by the measure word that counts them: 一把雨伞. Nouns that begin with 一 bring their own.
MEASURE_WORDS = """
把|雨伞 小提琴 茶壶 橡木椅子
个|钱包 针线盒 行李箱 背包 闹钟 面包 苹果派 芝士蛋糕 鸟屋
块|手表
串|钥匙
辆|自行车 公共汽车 有轨电车 送货车 出租车 牛奶车 新自行车
本|笔记本 侦探小说 词典
台|相机 收音机
条|围巾 狗 金鱼 鲜鱼 羊毛围巾
副|眼镜
部|手机
枚|戒指 金牌
封|信
张|车票 小镇地图 购书券
盏|灯笼 自行车灯
只|猫 鹦鹉 兔子 乌龟 山羊 风筝
匹|小马
瓶|止咳糖浆
支|护手霜
列|火车 木头小火车
艘|渡船
件|丝绸衬衫
场|春季集市 灯会 书市 夏季音乐会 花展 龙舟赛 厨艺大赛 慈善跑 画展 诗歌晚会 冬季集市 象棋赛 烘焙赛 拼写比赛 绘画比赛 游泳赛 自行车赛 歌唱比赛 风筝比赛 书法比赛 钓鱼比赛
次|丰收节 科学日 电影之夜 海边旅行
座|银杯
本|图画书 诗集 挂历 博物馆导览手册 日记本 速写本 护照
块|羊奶酪 砧板 香皂
条|烟熏鳗鱼 熏鳗鱼 手镯 项链
个|陶罐 瓷杯 布娃娃 木制拼图 陀螺 花环 蓝花瓶 汤碗 备用轮胎 自行车铃 黑麦面包 种子蛋糕 水壶 工具箱 足球 小钱袋 薰衣草花环
件|冬大衣
张|木凳 地图
顶|帽子
双|手套
支|长笛 手电筒
台|笔记本电脑 缝纫机 望远镜
架|手风琴
把|小刀
盏|台灯
根|拐杖 春卷
副|国际象棋
幅|小幅水彩画
壶|茉莉花茶
只|刺猬 金丝雀 母鸡 鸭子
辆|校车 消防车 邮车 摩托车
列|夜班火车
场|露天话剧 跳蚤市场 学校音乐会 茶会 乡村舞会 游船巡游 历史讲座 木偶戏 乒乓球决赛 诗歌比赛 划船比赛 烹饪比赛 摄影比赛 登山跑
次|植树日 面包节
条|熏火腿
"""

# Chinese places by their measure word: 一家面包店
PLACE_MEASURES = """
家|面包店 医院 诊所 书店 药店 花店 茶馆 面馆 修车铺 银行 旅馆 裁缝铺 玩具店 报社 木工坊
座|图书馆 博物馆 剧院 公园 游泳馆 码头 火车站 农场
所|学校 音乐学校
家|杂货店 电影院 理发店 肉铺 宠物医院 广播电台 陶艺坊 幼儿园 法院
座|体育场 灯塔 水磨坊 美术馆 体育馆 公交总站
个|邮局 集市 市政厅 派出所 消防站
"""

# Chinese mood | as a predicate | before a verb | as others see it
MOODS_ZH = """
高兴|很高兴|高兴地|满脸笑容
自豪|很自豪|自豪地|一脸自豪
感激|满心感激|感激地|满眼感激
松了一口气|松了一口气|如释重负地|神情轻松
难过|很难过|难过地|神情难过
生气|很生气|生气地|满脸怒气
担心|忧心忡忡|担心地|愁眉不展
失望|很失望|失望地|一脸失望
疲惫|疲惫不堪|疲惫地|满脸倦容
惊讶|十分惊讶|惊讶地|一脸惊讶
愉快|十分愉快|愉快地|神情愉快
满怀谢意|满怀谢意|满怀谢意地|满脸谢意
心烦|心烦意乱|心烦地|眉头紧锁
孤单|有些孤单|孤单地|神情落寞
平静|很平静|平静地|神色平静
若有所思|若有所思|若有所思地|一副沉思的样子
"""
