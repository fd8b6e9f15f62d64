"""What happens in the town: each maker draws one kind of episode, with its facts in order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from labkit.text.town import lexicon
from labkit.text.town.facts import Fact, Value
from labkit.text.town.values import key, rows, types
from labkit.text.town.world import Episode, World, random_day

Make = Callable[[Random], Episode]
MOOD_SENTIMENT = {key(name): sentiment for name, _, sentiment in rows(lexicon.MOODS)}


def pick(rng: Random, type_name: str) -> Value:
    return rng.choice(types()[type_name].values())


def mood(rng: Random, sentiment: str) -> Value:
    return rng.choice([name for name, one in MOOD_SENTIMENT.items() if one == sentiment])


def season_weather(rng: Random, date: int) -> Value:
    """Snow and frost from November to March only."""
    cold = date < 80 or date > 320
    names = [key(noun) for noun, *_ in rows(lexicon.WEATHERS)]
    return rng.choice([name for name in names if cold or name not in ("snow", "frost")])


def today(rng: Random) -> list[Fact]:
    """Date and weather that a story opens with."""
    date = random_day(rng)
    return [Fact.of("weather", date=date, weather=season_weather(rng, date))]


def lost_and_found(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = rng.sample(world.people, 2)
        thing, place = pick(rng, "object"), rng.choice(world.places)
        main = Fact.of("lost", person=person, object=thing, place=place)
        facts = [*today(rng), Fact.of("visited", person=person, place=place), main]
        facts += [Fact.of("searched", person=person, place=rng.choice(world.places))]
        if rng.random() < 0.65:
            facts += [
                Fact.of("found", other=other, object=thing, place=place),
                Fact.of("returned", other=other, object=thing, person=person),
            ]
            sentiment = "positive"
        else:
            sentiment = "negative"
        facts += [Fact.of("mood", person=person, mood=mood(rng, sentiment))]
        return Episode("neighbours", sentiment, main, tuple(facts))

    return make


def person_portrait(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person = rng.choice(world.people)
        facts = [
            fact
            for kind in ("job", "home", "age", "likes", "favourite", "pet", "family")
            for fact in world.about(kind, person)
        ]
        main = facts[0]
        rest = facts[1:]
        rng.shuffle(rest)
        return Episode("neighbours", "neutral", main, (main, *rest[: rng.randrange(3, 6)]))

    return make


# Each kind of document draws from these; see english.py and chinese.py for the words.
MAKERS: dict[str, list[Callable[[World], Make]]] = {
    "story": [lost_and_found],
    "report": [lost_and_found],
    "description": [person_portrait],
    "qa": [lost_and_found, person_portrait],
}
