"""English of the generated news: how a summary tells facts, and what stands between the stories of a report."""

# Main kind of fact, with the kinds that a summary tells beside it; a role that two facts share has the kind before it.
SUMMARIES = {
    "event": "{event:the} takes place at {place:the} on {date} at {time}",
    "event+attendance": "{count} people came to {event:the} at {place:the} on {date}",
    "event+cancelled": "{event:the} at {place:the} on {date} is cancelled because of {reason}",
    "won": "{person} has won {contest:the} and received {prize:a}",
    "won+runner_up": "{person} has won {contest:the} ahead of {other} and received {prize:a}",
    "match": "(win){team} have beaten {rival} {goals}:{rival_goals}",
    "match(draw)": "(draw){team} and {rival} have drawn {goals}:{rival_goals}",
    "road_closed": "{street} is closed from {date} because of {reason}",
    "road_closed+road_reopened": "{street}, closed on {date} because of {reason}, opened again on {road_reopened_date}",
    "accident": "{vehicle:a} had an accident in {street} on {date}",
    "accident+injured": "{count} people were hurt when {vehicle:a} had an accident in {street} on {date}",
    "theft": "{object:a} was stolen at {place:the} on {date}",
    "theft+recovered": "{object:a} that was stolen at {place:the} on {date} has been found at {recovered_place:the}",
    "delay": "{vehicle:the} was {minutes} minutes late because of {reason}",
    "council": "the council decided on {measure} on {date}",
    "council+cost": "the council decided on {measure} for {amount} on {date}",
    "donation": "{person} has given {amount} to {place:the}",
    "new_shop": "{place:the} opens again under {person} on {date}",
    "class": "{count} people are taking a class in {activity:ing} at {place:the}",
    "weather": "the town had {weather} on {date}",
    "weather+temperature": "the town had {weather} and {degrees} degrees on {date}",
    "price_change": "(up){goods:a} at {place:the} now costs {price}, up from {old_price}",
    "price_change(down)": "(down){goods:a} at {place:the} now costs {price}, down from {old_price}",
}

# What a summary of this main kind adds for one more fact.
SUFFIXES = {
    "event>won": ", where {person} won {contest:the}",
    "road_closed>delay": ", and {vehicle:the} is {minutes} minutes late",
    "weather>cancelled": ", and {event:the} was cancelled",
    "weather>road_closed": ", and {street} was closed",
    "weather>delay": ", and {vehicle:the} was {minutes} minutes late",
    "weather>attendance": ", and {count} people came to {event:the}",
}

STOP = "."

# After an opening that is not yet the news.
TURNS = [
    "but [that was not|none of that was] what people talked about [that day|this week|on the square].",
    "the talk of the town, [however|though], was something else.",
    "then came the news.",
    "the [real|big] news of the [day|week], [however|though], [came later|was another].",
    "what mattered [that day|this week] was something else.",
    "only [then|later] did people hear what had happened.",
]

# Before a story that has nothing to do with the news.
OTHERS = [
    "there was other news, too.",
    "elsewhere in town, [life went on|things happened as well].",
    "and one thing more [happened|is worth a line].",
    "there is also [a short notice|something else] to report.",
]
