"""English of the dialogues about the town: how one asks, asks further, and is answered."""

# {person} is written as a name where it is asked for the first time; {person:ref} and {person:refs} are names or pronouns.
QUESTIONS = {
    "job": ["what does {person} do?", "what is {person:s} job?", "what kind of work does {person} do?"],
    "work": ["where does {person} work?", "at which place does {person} work?", "do you know where {person} works?"],
    "home": ["where does {person} live?", "in which street does {person} live?", "do you know where {person} lives?"],
    "age": ["how old is {person}?", "what is {person:s} age?", "do you know how old {person} is?"],
    "likes": ["what does {person} like to do?", "what is {person:s} hobby?", "what does {person} do for fun?"],
    "favourite": ["what does {person} like to eat?", "what is {person:s} favourite food?", "what should I cook for {person}?"],
    "pet": ["does {person} have a pet?", "what pet does {person} have?", "what animal does {person} keep?"],
    "family": ["who is {person:s} {relation}?", "does {person} have any family or friends?", "whom is {person} close to?"],
    "street": ["where is {place:the}?", "in which street is {place:the}?", "how do I find {place:the}?"],
    "opened": ["when did {place:the} open?", "in which year was {place:the} founded?", "how long has there been {place:a}?"],
    "hours": ["when is {place:the} open?", "what are the opening hours of {place:the}?", "from when to when is {place:the} open?"],
    "feature": ["what is special about {place:the}?", "what does {place:the} look like?", "how do I recognise {place:the}?"],
    "staff": ["who works at {place:the}?", "whom do I meet at {place:the}?", "who can help me at {place:the}?"],
}  # fmt: skip

# The same person or place as before, another question.
FURTHER = {
    "job": ["and what does {he} do?", "what is {his} job?"],
    "work": ["and where does {he} work?", "where can I find {him} during the day?"],
    "home": ["and where does {he} live?", "which street does {he} live in?"],
    "age": ["and how old is {he}?", "what is {his} age?"],
    "likes": ["what does {he} like to do?", "does {he} have a hobby?"],
    "favourite": ["and what does {he} like to eat?", "what is {his} favourite food?"],
    "pet": ["does {he} have a pet?", "and has {he} got an animal?"],
    "family": ["does {he} have any family or friends?", "and whom is {he} close to?"],
    "street": ["and where is it?", "which street is it in?"],
    "opened": ["when was it founded?", "and since when has it been there?"],
    "hours": ["when is it open?", "and what are the opening hours?"],
    "feature": ["what is special about it?", "and how do I recognise it?"],
    "staff": ["who works there?", "and whom do I meet there?"],
}

# The same question about another person or place.
ANOTHER = {
    "person": ["and {person}?", "what about {person}?", "and how about {person}?"],
    "place": ["and {place:the}?", "what about {place:the}?", "and how about {place:the}?"],
}

ANSWERS = {
    "job": "{person:ref} is {job:a}.",
    "work": "{person:ref} works at {place:the}.",
    "home": "{person:ref} lives in {street}.",
    "age": "{person:ref} is {years} years old.",
    "likes": "{person:ref} likes {activity:ing}.",
    "favourite": "{person:ref} likes {food} best.",
    "pet": "{person:ref} has {animal:a} called {name}.",
    "no pet": "{person:ref} has no pet.",
    "family": "{other} is {person:refs} {relation}.",
    "street": "{place:the} is in {street}.",
    "opened": "{place:the} opened in {year}.",
    "hours": "{place:the} is open from {opening} to {closing}.",
    "feature": "{place:the} has {feature}.",
    "staff": "{staff} at {place:the}.",
}
WORKS = ("works", "work")
AND = " and "

UNKNOWN_PERSON = "I do not know anybody called {name}."
UNKNOWN_PLACE = "I do not know of any {name} in this town."
UNKNOWN_PLACES = [
    "airport", "zoo", "university", "castle", "casino", "ski school", "opera house", "space museum", "circus", "shopping mall",
    "golf course", "planetarium", "embassy", "racecourse", "ice rink", "aquarium",
]  # fmt: skip
STRANGE_NAMES = [
    "Bob Miller", "Jane Smith", "Ann Clark", "Jack Brown", "Mary Jones", "Carl Weber", "Lena Novak", "Ivan Petrov",
    "Maria Rossi", "Ali Hassan", "Yuki Tanaka", "John Taylor", "Eva Klein", "Max Adams", "Rita Costa", "Li Na", "Zhang Wei",
]  # fmt: skip

OPENINGS = [
    ("hello, may I ask something?", "Of course. What would you like to know?"),
    ("can I ask you about the town?", "Please do, I know it well."),
    ("I am a stranger here.", "Welcome! Ask me whatever you like."),
    ("I have a question.", "Go ahead, I am listening."),
]
CLOSINGS = [
    ("thank you, that is all.", "You are welcome. Enjoy your day in town!"),
    ("thanks for your help.", "It was a pleasure."),
    ("good, now I know.", "I am glad that I could help."),
    ("bye, and thank you.", "Goodbye! Come back any time."),
]
