"""English of the town: macros, sentences by kind of fact, titles, questions, and sentences that state no fact."""

HEADERS = {
    "notes": "Facts", "story": "Story", "report": "Report", "description": "Description", "qa": "Questions",
    "question": "Q: ", "answer": "A: ",
}  # fmt: skip

MACROS = {
    "then": "[then|after that|soon after|a little later]",
    "morning": "[in the morning|in the afternoon|early that day|late that day|towards evening]",
    "lost": "[lost|left behind|mislaid|could no longer find]",
}

NOTES = {
    "weather": "weather: {date:full}, {weather}",
    "visited": "visited: {person}, {place:the}",
    "lost": "lost: {person}, {object:a}, {place:the}",
    "searched": "searched: {person}, {place:the}",
    "found": "found: {other}, {object:the}, {place:the}",
    "returned": "returned: {other}, {object:the}, to {person}",
    "mood": "mood: {person}, {mood}",
    "job": "job: {person}, {job}, {place:the}",
    "home": "home: {person}, {street}",
    "age": "age: {person}, {years}",
    "likes": "likes: {person}, {activity:ing}",
    "favourite": "favourite food: {person}, {food}",
    "pet": "pet: {person}, {animal:a}, {name}",
    "family": "family: {person}, {relation}, {other}",
}

SENTENCES = {
    "weather": [
        "[it was|that day was] {date:weekday}, {date}, and [it was {weather:adj}|the day was {weather:adj}].",
        "{date:full} was a {weather:adj} day[ in the town|].",
    ],
    "visited": ["{person:ref} [went|walked|came] to {place:the}[ <morning>|]."],
    "lost": [
        "{person:ref} <lost> {person:his} {object} [at|near] {place:the}.",
        "<morning>, {person:ref} <lost> {object:a} at {place:the}.",
    ],
    "searched": ["{person:ref} [searched|looked] [everywhere|] at {place:the}."],
    "found": ["{other:ref} [found|picked up] {object:the} [at|near] {place:the}."],
    "returned": ["<then>, {other:ref} gave {object:the} back to {person:obj}."],
    "mood": ["{person:ref} [was|felt] [very|really|] {mood}."],
    "lost+searched": ["{person:ref} <lost> {person:his} {object} and looked for it."],
    "job": ["{person:ref} [works|has worked for years] as {job:a} at {place:the}."],
    "home": ["{person:ref} lives in {street}."],
    "age": ["{person:ref} is {years} years old."],
    "likes": ["{person:ref} [likes|loves|enjoys] {activity:ing}."],
    "favourite": ["{person:refs} favourite food is {food}."],
    "pet": ["{person:ref} has {animal:a} [called|named] {name}."],
    "family": ["{other} is {person:refs} {relation}."],
}

TITLES = {"lost": ["A lost {object}", "The {object} at {place:the}"], "job": ["{person}", "Who is {person}?"]}

COLOUR = {
    "any": ["nobody [was surprised|said a word].", "[the street|the whole town] was quiet."],
    "positive": ["everyone [smiled|was glad]."],
    "negative": ["it was a bad day for {person:obj}."],
}

QUESTIONS = {
    "lost": [
        (
            "object",
            ["What did {person} lose[ at {place:the}|]?"],
            ["{person:refs} {object}.", "{person:ref} lost {object:a}."],
        ),
        (
            "place",
            ["Where did {person} lose {object:the}?"],
            ["At {place:the}.", "{person:ref} lost it at {place:the}."],
        ),
    ],
    "job": [("job", ["What is {person:s} job?"], ["{person:ref} is {job:a}."])],
}
