"""Words and patterns by which an English prompt is reviewed, and what is said about them."""

from __future__ import annotations

from labkit.prompts.wording import MATERIAL, Wording

NUMBER = (
    r"(?:\d+(?:[.,]\d+)?(?:\s?[-–]\s?\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|"
    r"twenty|thirty|fifty|(?:a )?hundred|half an?|single|a dozen)"
)
EXACT = NUMBER.replace("|an?|", "|")  # "a page" is a length, "a poem" is no count
UNIT = (
    r"(?:words?|sentences?|paragraphs?|pages?|lines?|characters?|letters|minutes?|seconds?|slides?|bullets?|"
    r"bullet points?|key points?|points|stanzas?|verses?|rows?|steps?|items?|tweets?|liners?|columns?|syllables)"
)
HEAVY = r"(?:exhaustive|detailed|very detailed|in detail|detailed and complete|and complete(?:ly)?|comprehensive|in (?:full|great|every) detail|every (?:single )?\w+|all (?:the )?(?:causes|details)|full\w* detail\w*)"
BRIEF = r"(?:brief|short|(?:one|a|a single|two)(?: \w+)? sentences?|(?:one|two|1|2) lines?|concise|one[- ]sentence|(?:one|a single|two) sentences?|in (?:one|a) word|max(?:imum)? half a page)"
CHILD = r"(?:(?:four|five|six|seven|eight|[4-8])[- ]year[- ]olds?|small children|complete beginners?|simple words)"
NAMES = (
    r"(?:english|german|french|spanish|italian|portuguese|latin|greek|polish|dutch|swedish|norwegian|danish|finnish|"
    r"russian|turkish|arabic|hebrew|hindi|chinese|mandarin|japanese|korean|czech|hungarian|romanian|ukrainian)"
)
DELIVERED = (
    r"(?:arguments|reasons|ideas|questions|exercises|examples|tips|versions|activities|topics|titles|names|problems|headlines|"
    r"slogans|options|suggestions|recipes|dinners|lunches|phrases|facts|causes|mistakes|checks|tests|differences|benefits|"
    r"risks|rules|goals|riddles|stops|courses|pairs|criteria|parts|sections|entries|captions|messages|quotes|clues|lessons|"
    r"sessions|tasks|things|methods|products|books|films|songs|places|tools|categories|hashtags)"
)
OBJECT = (
    r"(?:text|reports?|documents?|files?|articles?|e-?mails?|messages?|essays?|tables?(?!\s+\w+\s*[.(])|figures|data|numbers|code|"
    r"functions?|class|scripts?|query|errors?|bugs?|presentation|slides|minutes|charts?|graph|image|picture|photo|"
    r"recording|list|paragraphs?|review|chat|letter|notes|points|results|survey|draft|version|proposal|spreadsheet|"
    r"attachment|transcript|thread|conversation|backlog|ticket|reply|contract|exercise|worksheet|poem|story)"
)
# Adjectives of praise that end so, except those that name a kind: "a closing line", "the passive voice".
PRAISE = (
    r"\b(?!(?:passive|active|objective|positive|negative|relative|native|alternative|narrative|recursive|possessive|five|"
    r"opening|closing|wedding|welcoming|cleaning|learning|reading|marketing|training|meeting|rhyming|following|existing|"
    r"remaining|fundraising|cooking|running|writing|speaking|evening|morning|building|travelling|sailing|parking)\b)"
    r"\w{3,}(?:ive|ful|ing|ous|able)"
)
LATER = r"(?!\s+\w+\(|\s+card|\s+(?:of|for|about|on|in|that|which|who|from|with|between|below|so|into a)\b)"
TIME = r"(?:week|month|year|morning|afternoon|evening|time|weekend|summer|winter|spring|autumn|term|season|kind|way)"
HEAD = r"(?:^|[.!?;:,\n" + MATERIAL + r"]\s*|\b(?:and|then) )\s*"  # where a task begins
PRONOUN_VERB = (
    r"(?:is|was|are|were|does|do|did|has|have|should|could|would|can|will|means?|works?|sounds?|looks?)"
)

ENGLISH = Wording(
    language="en",
    courtesies=(
        r"\b(?:good (?:morning|afternoon|evening|day|night)|hello|hi|hey|dear all)(?: there| everyone)?\b[,!.]?",
        r"\bi hope (?:you|this)\b[^.!?\n]*[.!?]",
        r"\b(?:many )?thanks?(?: you)?(?: so much| very much| a lot)?(?: in advance| for [^.!?,\n]*)?(?:, it was [^.!?\n]*)?[.!]",
        r"\bwould you (?:please )?be so kind as to\b",
        r"\b(?:could|can|would|will) you\b(?: please| kindly)?(?: tell me)?,?(?: if it is not too much trouble,?)?",
        r"\bplease\b,?",
        r"\bi(?:'d| would) (?:like|love) you to\b",
        r"\bi (?:want|need) you to\b",
    ),
    material_labels=(
        r"\b(?:this|these|following|below)$",
        r"\b(?:text|minutes|notes?|data|list|code|messages?|chat|questions?|reviews?|story|context|example|input|"
        r"e-?mail|customer|guest|user|paragraph|sentences?|logs?|table|numbers|figures|values|sales|hours|source|"
        r"document|article|transcript|results|facts)$",
    ),
    rule_labels=(
        r"\b(?:rules?|task|format|length|style|tone|instructions?|output|requirements?|constraints?|steps|do|don't|"
        r"versions?|this)$",
    ),
    verbs={
        "write": (
            r"(?:write|draft|compose|prepare|make (?:a|an|the|me)|create|produce|"
            r"i(?:'d like| would like| want| need) (?:a|an|the|another)|i also need)\b",
        ),
        "translate": (r"translate\b",),
        "explain": (
            r"(?:explain|describe|define|tell \w+ (?:about|what|who|why|how|the)|what (?:is|are|does)\b)",
        ),
        "analyse": (r"(?:analy[sz]e|compare|evaluate|assess|examine)\b",),
        "plan": (r"(?:plan|order|remind|buy|organi[sz]e|schedule|book|set up|arrange)\b",),
        "design": (r"(?:design|draw|paint|sketch|think of|come up with|invent)\b",),
        "repair": (r"(?:fix|repair|refactor|debug|correct|check|proofread|improve)\b",),
        "update": (r"(?:update|upgrade|install|deploy)\b",),
        "find": (r"(?:find|look up|search|research)\b",),
        "summarize": (r"(?:summari[sz]e|shorten|condense)\b",),
        "decide": (r"tell \w+ (?:whether|if|which)\b|(?:recommend|decide)\b",),
        "give": (r"give me (?:a|an|the) (?:recipe|name|list|summary)\b",),
        "aside": (
            r"(?:give|list|name|use|include|add|answer|reply|respond|say|tell|show|return|print|output|sort|order|round|"
            r"compute|calculate|count|convert|turn|change|rewrite|rephrase|paraphrase|rename|reformat|extract|classify|"
            r"label|assign|rate|rank|grade|mark|prove|continue|suggest|propose|put|keep|end|finish|start|begin|stop|"
            r"avoid|mention|cover|apologi[sz]e|offer|ask|confirm|finish|sign|number|do not|don't|never|always|at most|"
            r"speak|read|act|be|try|pause|stress|make|help|provide|generate|record|repeat|wait|greet|announce|"
            r"fill|parse|normali[sz]e|set|format|only|must|first|then|no|each|exactly|under|max)\b",
        ),
    },
    openings=r"(?:please |then |also |now |first |finally |so )*",
    clause_ends=r"[.!?;:,\n]\s*(?:and |then |also |and also |but |oh, )*|\b(?:and then|and also|and|then|also)\s+",
    vague=(
        r"\b(?:stuff|nice(?:ly|r)?|smth|good|great|best|interesting|somehow|whatever|cool|awesome|amazing|stunning|epic|"
        r"beautiful|decent|proper(?:ly)?|suitable|suitably|appropriate(?:ly)?|reasonabl[ey]|relevant|exciting|"
        r"meaningful|high[- ]quality|etc|impressive|elegant|robust|fitting|fun|creative|engaging|catchy|compelling|"
        r"outstanding|excellent|wonderful|lovely|fantastic|brilliant|perfect|ideal|optimal|memorable|inspiring|"
        r"impactful|dreamy|magical|sensible|adequate|satisfactory|classy|stylish|fancy|premium|user-friendly|"
        r"gripping|thrilling|captivating|fascinating|remarkable|noteworthy|notable|charming|cute|impact|original(?= (?:love|idea|poem|story|text|song))|whatever comes to mind|cozy|cosy|powerful|attractive|"
        r"entertaining|delicious|natural(?:ly)?|innovative|state-of-the-art|cutting-edge|fresh|catchy|eye-catching|gorgeous|super|terrific|deep(?= ?[.!]?$)|"
        r"professionally|diplomatically|creatively|effectively|efficiently|elegantly|smartly|thoroughly|sensibly)\b",
        r"\b(?:answer|write|explain|do|respond|reply|work) (?:it |this )?well\b",
        r"\bthings\b(?! that\b)",
        r"\b(?:kind|sort) of\b",
        r"\band so on\b",
        rf"\b(?:an?|the|more|very|really|some|something) {PRAISE} (?:way|manner|fashion|style|story|tale|poem|text|speech|post|"
        r"intro|introduction|title|headline|ending|letter|essay|article|bio|ad|slogan|name|design|picture|image|look)\b",
        r"\b(?:incredible|breathtaking|effective|efficient|useful|helpful|modern|unique|special|mind-blowing|spectacular|"
        r"magnificent|marvel(?:l)?ous|superb|splendid|delightful|pleasing|polished|refined|sophisticated|elevated|"
        r"world-class|top-notch|first-rate|first-class|top-quality|high-end|high-impact|game-changing|next-level|"
        r"killer|viral|trendy|hip|quirky|funky|edgy|vibrant|dynamic|lively|rich|juicy|spicy|"
        r"thought-provoking|insightful|profound|touching|moving(?= (?:story|speech|poem|text|letter|scene))|heartfelt|"
        r"heart-warming|soulful|evocative|immersive|sleek|crisp|tasteful|"
        r"aesthetic(?:ally)?|pretty|lovable|adorable|enjoyable|okay|so-so|passable|presentable|"
        r"comprehensible|understandable|intuitive|seamless|scalable|performant|maintainable|readable|"
        r"well-rounded|holistic|actionable|valuable|worthwhile|beneficial|"
        r"well-designed|well-crafted|well-thought-out|attention-grabbing|hard-hitting|crazy|weird|"
        r"mediocre|smart|clever|punch(?:y|ier)|catchier|neat|handy|solid|snappy|slick|compelling|appealing)\b",
        r"\b(?:as|where|if|when) (?:needed|necessary|possible|required)\b",
        r"\bthe usual\b(?! \w+ (?:of|for)\b)",
        r"\b(?:better|nicer|happier)\b(?! (?:than|known)\b)",
        r"\b(?:make|makes|sound|sounds|look|looks|be|feel)\b[^.!?\n]{0,40}?\b(?:more \w+|\w{2,}[^\W\d]ier|fast(?:er)|"
        r"quicker|cleaner|clearer|strong(?:er))\b(?! than\b)",
        r"\b(?:polish|improve|optimi[sz]e|enhance|tidy up|clean(?: up)?(?= the (?:list|data|text|code|table|file))|spice up|jazz up)\b(?= (?:the|this|that|these|those|it|my|our)\b)",
        r"\bsome (?:ideas|tips|advice|thoughts|analysis|inspiration|feedback|help)\b",
        r"\b(?:pop|wow)(?: more)?$",
        r"\b(?:not|n't) (?:be )?too \w+\b",
    ),
    soft=(
        r"\bsome\b",
        r"\ba (?:bit|little|while|few|lot)\b",
        r"\b(?:several|various|soon|recent(?:ly)?|pleasant|usual|unusual|certain|short|brief|long|"
        r"generally|mostly|well-structured|well-written|clear|fairly|quite|rather|professional|fine|"
        r"normal|simple|basic|clean|most)\b",
    ),
    excused=(
        r"\bbest (?:regards|wishes|man|before|friend)\b",
        r"\bbest[- ]selling\b",
        r"\bas good as\b",
        r"\bgood (?:bye|faith|friday)\b",
        r"\b(?:which|what|who)\b[^.!?\n]{0,30}\bbetter\b",
        r"\bbetter\b[^.!?\n]{0,20}\bthan\b",
        r"\bsome (?:of|\d|(?:prime|integer|number|real)\b)",
        r"\bsome \w+ \w+[^.!?\n]*,\s*(?:and )?(?:some|others?)\b",
        rf"\b{EXACT} (?:\w+ )?things\b",
        rf"\b(?:short|brief|long)\b[^.!?\n]{{0,30}}\b{EXACT}[- ]{UNIT}",
        rf"\b{EXACT}(?: or \w+)? (?:short|brief|long|simple|good)\b",
        r"\b(?:three|most|five|ten|\d+) most\b|\bat most\b|\bthe (?:\w+ )?most (?:common|likely|frequent)\b|\bmost (?:common|likely|frequent|urgent)\b",
        r"\bthe most \w+ (?:of|in)\b",
        r"\bnatural (?:number|logarithm|language|light)s?\b",
        r"\bbest of luck\b",
        r"\b(?:from|by) (?:long|short)\w*(?: to (?:short|long)\w*)?\b|\b(?:rich|lively) in\b|\brich text\b",
        r"\b(?:more|most|less|least|as|how) (?:effective|efficient|useful|readable)\b[^.?!\n]*\b(?:than|as|of)\b|\bspecial (?:character|offer)s?\b",
        r"\bsuitable for\b|\bhow (?:suitable|good|relevant|appropriate|effective)\b",
        r"\bideal (?:gas|weight)\b|\bpresent perfect\b|\b(?:past|future) perfect\b|\bperfect (?:tense|number|square)\b",
        r"\bfresh (?:water|herbs|fruit|bread)\b|\bdeep (?:sea|learning|voice)\b",
        r"\b(?:a|one|two) (?:short|brief) (?:sentence|line|paragraph)s?\b",
        r"\bsimple (?:words|past|present|interest)\b",
        r"\bclean code\b",
        r"\bshort(?:er)? (?:form|of)\b",
    ),
    pronouns=(
        r"(?<!time is )\bit\b(?! \w+er to\b| (?:safe|possible|true|hard|worth|ok|legal|normal) (?:to|that)\b| (?:is|was|gets) (?:noon|midnight|time|late|early|too|possible|best|true|said|raining|\d))",
        r"\b(?:those(?! who)|these)\b",
        r"\b(?:say|do|explain|write|repeat|change|use|try|shorten|translate) (?:that|this)\b(?! (?:the|a|an|we|i|you|is)\b)",
        r"\b(?:is|are|was|were) (?:this|that|these|those)(?= \w+ ?\?)",
        rf"\bthis\b(?! (?:{TIME}|\w+[:{MATERIAL}]))(?=\s*(?:[.,;!?]|$|{PRONOUN_VERB}\b|in |into |to |for |give))",
        rf"\bthat\b(?=\s*(?:[.,;!?]|$|(?:{PRONOUN_VERB}) (?!\w+ing)|and ))",
        r"\bthe (?:first|second|third|other|former|latter|same) (?:one|ones|thing)\b",
    ),
    antecedents=(
        r"\b(?:an?|the|my|our|your|his|each|every|any|no|\d+|two|three|four|five|six)\s+(?!bit\b|few\b|while\b)\w{3,}",
        r"(?-i:(?<=[a-z,] )[A-Z][a-z]+)",
        r"(?-i:^(?!Why|What|How|Who|When|Where|Which|Is|Are|Does|Do|Can|And|But|So|If)[A-Z][a-z]+) (?!this\b|does\b)[a-z]+s\b",
        r"\b(?:mr|mrs|ms|dr)\b",
        r"\b(?:write|list|compare|explain|describe|extract|convert|plan|suggest|draw|paint)\s+(?:\w+ )?\w{4,}",
    ),
    persons=(r"\b(?:they|them|their|he|him|his|she|her)\b",),
    people=(
        r"(?-i:(?<=[a-z,] )[A-Z][a-z]+)|(?-i:^[A-Z][a-z]+) (?:is|was|has|and|wants|says|asks|told)\b",
        r"\b(?:mr|mrs|ms|dr)\b",
        r"\b(?:customer|guest|client|friend|mother|father|mom|mum|dad|brother|sister|son|daughter|wife|husband|aunt|uncle|"
        r"niece|nephew|cousin|grand\w+|boss|colleague|teacher|student|pupil|parent|child|children|baby|girl|boy|man|men|"
        r"woman|women|people|person|someone|somebody|everyone|anybody|neighbour|neighbor|\w+mate|tenant|landlord|patient|doctor|"
        r"intern|team|staff|visitor|reader|writer|user|player|worker|driver|keeper|baker|member|speaker|beginner|twins|"
        r"couple|family|stranger|character|king|queen|prince\w*|knight|artist|scientist|employee|applicant|candidate|"
        r"passenger|developer|examiner|tutor|fisherman|clockmaker|portrait)s?\b",
        r"\b(?:each|every|the|these|those|many|some|all|\d+|two|three|four|five|six) (?:\w+ )?\w{2,}[^s\W]s\b",
        r"\b\w{3,}[^s\W]s (?:that|who|which|do|are|should|ask|buy|in|of|on|for|to)\b",
    ),
    pointers=(
        r"\b(?:the )?(?:attached|enclosed)(?: \w+)?\b",
        r"\bthe (?:above|following)\b",
        rf"\b(?:this|these|those|that) (?:\w+ )?{OBJECT}\b",
        rf"\bthe {OBJECT}\b{LATER}",
        r"\bthe (?:text|document|file|code|e-?mail)\b(?! (?:of|about|that|which|below|from|is|on)\b)",
        r"\bsame (?:style|format|one) (?:as )?above\b",
        rf"{HEAD}(?:check|correct|grade|mark|revise|review|compare|proofread|fix|sort|extract|label|interpret|change|edit|adapt|"
        rf"shorten|rewrite|rework|translate|rank|clean|simplify|merge|convert|look at|comment on) (?:the|this|these|those|that|my|our|his|her) (?-i:[a-z]+"
        rf"(?: [a-z]+)?(?: [a-z]+)?)(?=\s*(?:[.,;!?]|$|(?:and|as|into|to|so that|for|by|from)\b|according\b|again\b|,))",
        r"\baccording to (?:the|my|his|her|their) (?:comments|notes|feedback|remarks|instructions)\b",
        r"\bwhich (?:one|of (?:them|these|those))\b",
    ),
    memories=(
        r"\bas (?:we )?(?:discussed|agreed|mentioned|usual)(?: \w+){0,4}",
        r"\b(?:like|as|than|from|same as|one we had) (?:last time|before|yesterday|the last (?:one|time)|earlier)\b",
        r"\bwe (?:talked|spoke|discussed|agreed|decided|mentioned)(?: (?:about|on|upon))?\b",
        r"\b(?:the|my|it) ?\w* (?:still|again) (?:fails?|does|doesn't|is|won't|crash\w*|give\w*|gives)\b",
        r"\b(?:we|i|you) (?:always|usually|normally) \w+\b",
        r"^\s*and the (?:first|second|third|other|next) one\b",
        r"\b(?:one|two|three|four|five|\d+|some|any) more (?:questions?|examples?|ideas?|lines?|sentences?|versions?|points?|tips?|items?)\b",
        r"\bwhere we (?:left off|stopped)\b",
        r"\bin the last (?:image|picture|message|meeting|version)\b",
        r"\bwe had before\b",
        r"\bthe usual (?:answer|format|way|reply|text)\b",
        r"\b(?:do|record|try|say|write|read) (?:it|that|this|the same)(?: \w+)? again\b",
        r"\bthe (?:previous|earlier|last) (?:one|version|text|answer|email|message)\b",
        r"\bthe other (?:one|thing)\b",
        r"\b(?:as|what|like|than|how) (?:i|we|you|they|he|she) (?:said|told|wrote|sent|promised|did|explained|meant|showed)\b",
        r"^\s*(?:the )?same(?: \w+)?(?=,| but| for| again|$)",
        r"\bsame style as above\b",
    ),
    rivals=(
        r"(?-i:\b[A-Z][a-z]+) (?:told|asked|met|called|thanked|wrote to|informed|showed) (?-i:[A-Z][a-z]+)"
        r"[^.!?\n]{0,12}\b(?:her|his|she|he)\b",
        r"(?-i:\b[A-Z][a-z]+) and (?-i:[A-Z][a-z]+)[^.!?\n]{0,40}\b(?:he|she|his|her)\b",
    ),
    asides=(r"\b(?:by the way|and also|also|oh|another thing|on top of that|while you are at it|plus)\b",),
    opposites=(
        (BRIEF, HEAVY),
        (CHILD, r"\b(?:mathematical formalism|for experts|phd level|technical jargon|full rigou?r)\b"),
        (r"\bformal\b", r"\b(?:slang|casual|colloquial)\b"),
        (
            r"\b(?:only (?:the )?json|nothing else|only the code)\b",
            r"\b(?:then|also|and) (?:explain|comment|describe)\b",
        ),
        (
            rf"\b(?:always|only)\b[^.!?\n]{{0,20}}\bin {NAMES} only|\bonly in {NAMES}",
            rf"\b(?:reply|answer|write)\b[^.!?\n]*\bin (?!english\b){NAMES}(?! only)",
        ),
        (r"\bwithout (?:using )?(?:any )?loops?\b", r"\bwith a (?:for|while) loop\b"),
        (r"\bnever ask\b", r"\bwith a question\b"),
        (r"\b(?:is|are) open\b", r"\b(?:is|are) closed\b"),
        (r"\b(?:is|are) free\b", r"\bcosts? \d"),
        (r"\b(?:is|was) (?:accepted|confirmed)\b", r"\b(?:is|was) (?:rejected|refused|cancelled)\b"),
        (r"\bfull[- ]colou?r\b", r"\bblack[- ]and[- ]white|black and white\b"),
        (r"\bquiet\b", r"\bloud\b"),
        (r"\bfirst person\b", r"\b(?:all-knowing|omniscient|third person)\b"),
        (r"\bpresent tense\b", r"\bpast tense\b"),
        (r"\b(?:funny|humorous|cheerful)\b", r"\b(?:tragic|sad|mournful)\b"),
        (r"\bfree verse\b", r"\brhym(?:e|es|ed|ing)\b"),
        (r"\bmultiple[- ]choice\b", r"\b(?:open questions|answer freely|own answers)\b"),
        (
            r"\b(?:face (?:fully )?visible|facing (?:us|the (?:camera|viewer))|frontal)\b",
            r"\b(?:from behind|back view)\b",
        ),
        (r"\banonymous(?:ly)?\b", r"\bfull names?\b"),
        (r"\bindoors?\b", r"\boutdoors?\b"),
        (r"\bwithout (?:any |using )?(\w{4,6})\w*", r"\b(?:with|in|use|uses|using|an?|the) (?:a |the )?@\w*"),
        (r"\bno (\w{4,})\b", r"\b(?:list|include|mention|add|use|give|show) (?:the |all |full |every )*@\b"),
        (r"\b(?:must|always) (\w{3,})\b", r"\b(?:never|refuse to|do not|don't) @\b"),
        (r"\bnever (\w{3,})\b", r"\b(?:must|always|have to) @\b"),
        (r"\bin (\d+|one|two|three|four|five) (?:sentences?)\b", r"\b(?:ten|\d{2,}) sentences\b"),
        (
            r"\bis (?:approved|possible|allowed)\b",
            r"\b(?:cannot|can't|is not (?:approved|possible|allowed))\b",
        ),
        (r"\b(?:empty|deserted)\b(?! (?:list|string|space|array))", r"\b(?:crowd(?:ed|s)?|full of people)\b"),
        (r"\b(?:black[- ]and[- ]white|monochrome)\b", r"\b(?:vivid|colou?rful|bright (?:red|blue|green))\b"),
        (r"\bslow(?:ly)?\b", r"\b(?:as fast as|quickly|very fast)\b"),
        (r"\b(?:whisper|silent(?:ly)?|quiet(?:ly)?)\b", r"\b(?:loud(?:ly)?|shout(?:ing)?)\b"),
        (r"\b(?:cheap|low[- ]budget)\b", r"\b(?:luxury|luxurious|five-star)\b"),
        (r"\b(?:vegan|vegetarian)\b", r"\b(?:beef|pork|chicken|lamb|ham|steak)\b"),
        (r"\bonly (?:answer )?(?:with )?yes or no\b", r"\b(?:explain|justify|sentences?)\b"),
        (r"\bone[- ]sentence\b|\bin one sentence\b", r"\b(?:two|three|four|five|several|\d+) paragraphs\b"),
        (r"\b(?:haiku|limerick|couplet)\b", r"\bat least \d{2,} words\b"),
        (r"\b(?:day(?:light)?|sunny)\b", r"\b(?:pitch[- ]dark|starless night)\b"),
    ),
    most=(
        rf"\b(?:at most|max\.?|maximum|no more than|under|fewer than|less than|up to|exactly) (\d+|one|half a) ({UNIT})",
        r"\b(one)[- ](page|sentence|paragraph|line)(?:r)?\b",
    ),
    least=(rf"\b(?:at least|min\.?|minimum|no fewer than|more than) (\d+|one) ({UNIT})",),
    units={
        "word": ("words", 1),
        "sentence": ("words", 60),
        "paragraph": ("words", 300),
        "page": ("words", 700),
        "line": ("words", 20),
        "minute": ("seconds", 60),
        "second": ("seconds", 1),
    },
    open_choices=(
        r"\bor (?:something|so|anything|whatever)\b",
        r"\b(?:maybe|perhaps)\b",
        r"\b(?:whichever|whatever)\b",
        r"\bi(?:'m| am) not sure\b",
        r"\b(?:one of (?:those|them)|it doesn't matter|no matter which|or not,)",
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day or (?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
        r"\b(?:write|return|make|create|find|prepare|as) (?:me )?an? \w+ or (?:maybe )?an? \w+\b",
        r"\b(?:i'm open|either is fine|both are fine)\b",
        r"\bi (?:don't|do not) (?:mind|care|know yet)\b",
        r"\b(?:as|if) you (?:like|prefer|wish|want)\b",
        r"\band/or\b|\bor both\b|\bup to you\b|\byou (?:choose|decide)\b|\byour (?:choice|call)\b",
        r"\bdepending on (?:what|your|how)\b",
        r"\baround \d+ or \d+\b",
        r"\b(?:cancelled|moved|postponed) or (?:cancelled|moved|postponed)\b",
    ),
    kinds=(
        (
            "role",
            r"^\s*(?:you are|you're|you (?:write|answer|reply|speak)|act as|never |always |be (?:helpful|a)\b)",
        ),
        (
            "speech",
            r"^\s*(?:speak|say)\b|\b(?:aloud|(?<!passive )(?<!active )voice(?:-over)?|narrate|(?:in)?to (?:speech|audio)|text to speech|speech for|speak as|whisper|audio|read (?:out|this|something|slowly|this in))\b",
        ),
        (
            "image",
            r"^(?![\s\S]*\b(?:write|explain|classify|list|plan|translate|function|describe what)\b)[\s\S]*"
            r"\b(?:watercolou?r|oil painting|an? image|photo(?:realistic)?|illustration|sketch|icon|logo|poster|3d render|render|"
            r"3d model|tattoo design|studio portrait|drawing|picture|draw|paint|fantasy art|ink|gouache|16:9|3:2|4:3)\b"
            r"(?![^.]*\b(?:lesson plan|sql|table of)\b)",
        ),
        ("translate", HEAD + r"translate\b|\btranslation of\b"),
        (
            "code",
            r"\b(?:write|build|create|implement|develop|make(?! (?:this|the|that|it)\b))\b[^.!?\n]{0,30}\b(?:function|program|script|code|app|"
            r"application|regex|regular expression|algorithm|query|class|component|struct|method|macro|formula|module|plugin|workflow|config\w*|yaml|tests?|unit tests|one-liner|api|"
            r"command)\b|\bdockerfile\b|\b(?:solution|program|parser|code) in \w+\b|^\s*code\b|^\s*implement\b|"
            r"\b(?:in|using) (?:python|javascript|typescript|java|golang|rust|haskell|kotlin|swift|ruby|php)\b|"
            r"\b(?:python|javascript|java|rust|go|sql|postgresql|mysql) (?:statement|query|generator|function|method|class|script|program|module|decorator)\b",
        ),
        ("summarize", r"\b(?:summari[sz]e|summary|overview)\b"),
        ("analyse", r"\b(?:analy[sz]e|analysis|insights|interpret|evaluate|comment on|assess)\b"),
        (
            "advice",
            r"\bhow (?:can|could|do|should|would) (?:i|we|you|one)\b|^how to\b|\bany ideas?\b|\bhow i (?:can|could|should)\b|\b(?:tips|advice)\b|\bwhat (?:should|can|could) (?:i|we)\b|"
            r"\bhelp me\b|\bhelp with\b",
        ),
        (
            "recommend",
            r"\b(?:recommend|suggest)\b|\b(?:do you know|are there|^\s*|got) ?(?:any|some)\b|\bwhat (?:\w+ )?\w+s (?:should|could|can|would|might) |"
            r"\bwhat are (?:some|the best|good)\b|^\s*i (?:want|would like|'d like) to (?:watch|read|cook|eat|see|play)\b",
        ),
        (
            "question",
            r"^\s*(?:is|are|does|do|was|were|which|who|when|where|how (?:many|much|long|old|far)|should (?:i|we) \w+ \w+ or)\b[^?\n]*\?|"
            r"\btell me (?:the|which|what|when|where|who|whether|if)\b",
        ),
        (
            "message",
            r"\b(?:reply to|respond to|handle this|answer (?:a|the|my) (?:customer|client|guest|tenant|patient|user|reader|parent)|send (?:a|an)|apologi[sz]e to|write (?:a|an|the)?[^.,;:\n]{0,30}\b(?:e-?mail|letter|message|note|reply|"
            r"reminder|invitation|toast|post|notice|card|announcement|script))\b|\bdraft\b",
        ),
        (
            "rework",
            HEAD
            + r"(?:rewrite|rephrase|paraphrase|rename|convert|turn|change|extract|classify|label|rate|sort|count|reformat|"
            r"assign|decide|calculate|compute|median|prove|shorten|put|polish|tidy|fix|correct|proofread|continue|"
            r"improve|optimi[sz]e|refactor|grade|mark|round|normali[sz]e|find the|fill in|make (?:it|this|the|that|them)|"
            r"replace|merge|remove|delete|detect|identify|split|combine|rank|route|match|solve|simplify|expand|adapt|format|"
            r"clean|revise|edit|review|add|do the same|answer|check|print|parse|give the|judge)\b",
        ),
        (
            "list",
            r"\b(?:give(?: me)?|list|name|find|propose|make|create|prepare|find|need|set|generate)(?: \w+){0,3} (?:ideas|questions|facts|"
            r"exercises|topics|titles|problems|sentences|examples|arguments|reasons|words|names|lines|versions|books|"
            r"places|slogans|tasks|activities|vocabulary list|faq)\b|\bneed (?:better |good |new )?\w+s\b",
        ),
        (
            "write",
            r"\b(?:write|draft|compose|prepare|explain|describe|tell|say|make|create|plan|design|build|propose|essay|"
            r"story|poem|report|article|teach|introduction|overview|idea of|show|discuss|introduce|outline|present)\b",
        ),
        (
            "open_question",
            r"\bhow (?:does|do)\b(?! (?:i|you|we)\b)[^?\n]*\bwork|\bwhat do you think\b|\bwhat(?:'s| is) the best way\b",
        ),
        ("question", r"\?|\b(?:who|when|where|which|what|how)\b"),
        (
            "picture",
            r"^\s*(?:an?|two|three|four)\s|^\s*(?:[\w'-]+ ){1,3}(?:over|in|on|at|under|by|with) [\w' -]{1,25}\.?\s*$",
        ),
    ),
    extents=(
        rf"\b{EXACT}(?: [\w'-]+){{0,5}}? {DELIVERED}\b",
        r"\b(?:commit message|caption|closing line|opening line|motto)\b",
        rf"\b{NUMBER}(?:\s?(?:to|or|-|–)\s?{EXACT})?[- ](?:\w+ ){{0,2}}{UNIT}\b",
        r"\b(?:haiku|limerick|sonnet|villanelle|sestina|quatrain|cinquain|tanka|rondeau|epigram|couplet|tweet|headline|subject line|one-liner)\b",
        rf"\b(?:title|slogan) of {NUMBER}",
        r"\b(?:yes or no|number only|only the (?:json|corrected)|one word)\b",
        r"\bcolumns? \w+",
        r"\btable of \w+ rows\b",
        r"\bhalf a page\b",
        r"(?:^|[.,;?] )(?:just |only )?one (?:command|line|example|number|answer|suggestion|option|name|choice)\b",
        r"\b(?:command|code|number|formula|name|result|table) only\b|\bnumbered steps\b",
        r"\b(?:hour by hour|day by day|for each|step by step)\b|\boutput only\b",
        rf"\b(?:at most|no more than|up to|exactly|under) {EXACT}\b",
    ),
    counts=(rf"(?<!with )(?<!for )\b{EXACT}(?: [\w'-]+){{0,5}} \w+s\b", rf"\b{EXACT}[- ]day\b"),
    audiences=(
        r"\bfor (?:a |an |the |my |our |your |\d+ )?(?:\w+[- ]){0,3}(?:children|pupils?|students?|beginners?|adults?|"
        r"teenagers?|readers?|staff|employees|customers?|guests?|course|class|grade|school|board|experts|people|"
        r"colleagues?|year[- ]olds?|head of \w+|visitors|parents)\b",
        r"\bto (?:a|an|my|our|the|ms|mr|dr|mrs)(?: [\w-]+){0,4}",
        r"\bgrade \d|\blevel [abc][12]\b|\b[abc][12]\b|\b\d+[- ]year[- ]olds?\b|\b(?:\w+)-year-olds\b",
        r"\btell (?:a|my|the)\b",
    ),
    languages=(rf"\b(?:in)?to {NAMES}", rf"\bin {NAMES}\b"),
    code_languages=(
        r"\b(?:python|javascript|typescript|java|go|golang|rust|c\+\+|c#|ruby|php|kotlin|swift|scala|r|matlab|julia|perl|"
        r"bash|shell|powershell|sql|postgresql|mysql|sqlite|html|css|vue|react|pytest|excel|latex|haskell|lua|flask|django|pandas|numpy|docker(?:file)?)(?![\w+#])",
        r"\bc (?:program|function|code)\b|\bin c\b",
    ),
    image_details={
        "style": (
            r"\b(?:watercolou?r|oil (?:painting|on canvas)|photo(?:realistic|graph)?|sketch|vector|3d|ink|gouache|line icon|"
            r"pencil|charcoal|linocut|cyberpunk|fantasy art|minimalist|black[- ]and[- ]white|black and white|illustration|"
            r"isometric|pixel art|vintage|art deco|cartoon|realistic|baroque|impressionist|collage|lithograph|woodcut|engraving|"
            r"tattoo|mosaic|graffiti|line art|low-poly|portrait of|studio|anime|comic|pastel)\b",
        ),
        "light": (r"\b(?:light|lamp|softbox|dusk|dawn|night|noon|shadow|sunset|backlit)\b",),
        "colour": (
            r"\b(?:palette|colou?rs?|red|green|blue|grey|gray|black|white|yellow|gold|pastel|orange|muted|neon|teal|cream|beige|brown|pink|purple|violet|turquoise|silver|monochrome)\b",
        ),
        "view": (
            r"\b(?:seen from|close-up|wide angle|three-quarter|eye level|horizon|view|depth of field|cross-hatching|"
            r"background|empty space|text-free|no people|no text)\b",
        ),
        "size": (
            r"\b(?:(?:16|4|3|2|1|9|5|21):(?:9|3|2|1|4|16|5)|\d+\s?x\s?\d+|a[3-6]|square|portrait format|landscape format|portrait|4k)\b",
        ),
    },
    voice_details={
        "voice": (r"\b(?:female|male|woman|man|child|boy|girl|deep)\b",),
        "speed": (r"\b(?:slow(?:ly)?|fast|speed|words (?:a|per) minute|seconds?)\b",),
        "manner": (
            r"\b(?:calm|warm|cheerful|neutral|friendly|serious|accent|stress|pause|emotion|natural|robot)\b",
        ),
        "language": (rf"\b{NAMES}\b|\b(?:american|british|accent)\b",),
    },
    rules=(
        r"\b(?:at most|exactly|only|never|always|no more than|do not|don't|must|reply with|answer in|answer from|numbered|"
        r"in one sentence|in at most|say|ask one|rules)\b",
        rf"\b{EXACT} {UNIT}\b",
        r"\bone \w+ at a time\b",
    ),
    empty=(
        r"\b(?:write|draft|compose|prepare|make|create|give|tell|say|read|show|produce|generate|build|design|explain|"
        r"describe|apologi[sz]e|respond|reply|help|answer|do|suggest|need|want|can|could|should|would|i|we|you|me|us|my|our|your|"
        r"his|her|it|they|them|the|an?|some|any|and|or|for|to|of|in|with|about|on|at|by|from|is|are|be|was|that|this|these|those|"
        r"aloud|process|quick|new|more|also|or|not|please|maybe|just|so|as|like|another|follow|up|follow-up|whichever)\b",
        r"\b(?:e-?mails?|letters?|poems?|story|stories|sonnets?|limericks?|haikus?|texts?|essays?|articles?|reports?|"
        r"presentations?|slides|speech|message|code|script|program|function|data|logo|company|picture|image|"
        r"illustration|drawing|ideas?|exercises?|questions?|tasks?|tips|class|students?|pupils?|customers?|clients?|"
        r"school|something|thing|things|stuff|voice|robot|funny|blog|post|idea|song)\b",
    ),
    subject_signs=3,
    messages={
        "vague_word": (
            '"{words}" can mean anything: two readers will expect two different answers',
            'replace "{words}" by what you would check: a number, a property that can be seen, or an example',
        ),
        "unclear_reference": (
            '"{words}" points to something that the prompt does not hold; the model sees nothing but the prompt',
            'put what "{words}" stands for into the prompt, or call it by its name',
        ),
        "several_tasks": (
            'several tasks at once ("{words}"): each gets less attention, and none can be checked alone',
            "ask for one thing per prompt, or number the steps and say what each one hands to the next",
        ),
        "contradiction": (
            "{words} cannot both be met",
            "keep one of the two, or say which counts more",
        ),
        "ambiguity": (
            '"{words}" leaves the choice open, so the answer is a matter of luck',
            "decide, and write the one that you want",
        ),
        "missing_subject": (
            "nothing says what it should be about",
            "name the subject: who or what, and the two or three facts that must occur",
        ),
        "missing_length": (
            "no length is stated, so neither a sentence nor ten pages would be wrong",
            "state a length that can be counted, such as: at most 120 words, or three sentences",
        ),
        "missing_count": (
            "it asks for several things without saying how many",
            "state the number, such as: five, one line each",
        ),
        "missing_format": (
            "the form is open: {words}",
            "state two or more of them",
        ),
        "missing_audience": (
            "it does not say who will read it",
            "name the reader, such as: for twelve-year-olds, or for new staff",
        ),
        "missing_language": (
            "it does not say in which language",
            "name the language (for code, the version too)",
        ),
        "image_form": ("style, light, colours, view, size", ""),
        "voice_form": ("voice, speed, manner, language", ""),
        "and": (" and ", ""),
        "hard_wired_value": (
            '"{words}" is fixed in the prompt, so it serves this one case only',
            "put a field such as {{name}} in its place and give the value when the prompt is rendered",
        ),
        "near_duplicate": (
            "prompts {words} say nearly the same",
            "drop one, or change its task, its subject or its form",
        ),
        "few_tasks": ("nearly all prompts ask for the same kind of task", "add other kinds: {words}"),
        "few_subjects": (
            'the prompts share their subject ("{words}")',
            "take subjects from other fields and from other users",
        ),
        "few_lengths": (
            "all prompts are about equally long ({words})",
            "add a one-line prompt and one with context and rules",
        ),
        "few_forms": (
            "the prompts set the same kinds of requirement ({words})",
            "vary them: a length here, a format there, an audience, a quoted text",
        ),
        "paraphrase_matters": (
            "the success rate depends on the wording: {words}",
            "find what the worst wording leaves out, and state it in every wording",
        ),
    },
    form_names={
        "length": "length",
        "count": "number",
        "audience": "reader",
        "language": "language",
        "code_language": "programming language",
        "look": "look",
        "voice": "voice",
        "material": "given text",
        "none": "none",
    },
    kind_names={
        "write": "writing",
        "list": "lists",
        "rework": "rewriting",
        "summarize": "summaries",
        "translate": "translation",
        "question": "questions",
        "advice": "advice",
        "message": "messages",
        "code": "code",
        "image": "images",
        "speech": "speech",
        "role": "a role with rules",
    },
    values=(
        r"(?-i:(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)*)",
        r"\b\d{1,2} (?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*(?: \d{4})?\b|\b\d{4}-\d\d-\d\d\b",
        r"\b\d+(?:[.,]\d+)? (?:euros?|dollars?|crowns|pounds|kg|km|grams|litres?|%)(?!\w)",
    ),
)
