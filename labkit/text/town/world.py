"""The town itself: who lives and works where, what things cost, and what happens, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from random import Random

from labkit.common import LabkitError
from labkit.text.town import lexicon
from labkit.text.town.facts import STATIC, Fact, Value
from labkit.text.town.values import YEAR_DAYS, gender, key, rows, types

WORLD_SEED = 0
TOPICS = ("market", "weather", "transport", "culture", "sport", "crime", "council", "neighbours")
SENTIMENTS = ("positive", "negative", "neutral")


@dataclass(frozen=True)
class Episode:
    """What a text is about: facts in the order in which they happen; ``main`` is what is held out by."""

    topic: str
    sentiment: str
    main: Fact
    facts: tuple[Fact, ...]


class World:
    """One town: ``World(seed).static`` are the facts that hold all year; ``episode(rng, kind)`` draws what happens."""

    def __init__(self, seed: int = WORLD_SEED):
        self.seed = seed
        self.people = types()["person"].values()
        self.places = types()["place"].values()
        self.static: dict[tuple[str, Value], list[Fact]] = {}
        rng = Random(f"town {seed}")
        self._settle(rng)
        self._furnish(rng)
        self.prices = {
            (key(place), key(name)): rng.randrange(int(low), int(high) + 1, 5)
            for place, name, _, _, low, high in rows(lexicon.GOODS)
        }
        for place, goods in self.prices:
            self._hold(Fact.of("sells", place=place, goods=goods))

    def about(self, kind: str, subject: Value) -> list[Fact]:
        """Static facts of a kind about a person or place."""
        if kind not in STATIC:
            raise LabkitError(f"{kind!r} is not a static kind of fact. There are: {', '.join(STATIC)}.")
        return self.static.get((kind, subject), [])

    @cached_property
    def all_static(self) -> frozenset[Fact]:
        return frozenset(fact for facts in self.static.values() for fact in facts)

    @cached_property
    def _makers(self) -> dict[str, list[Callable[[Random], Episode]]]:
        from labkit.text.town.episodes import MAKERS

        return {kind: [maker(self) for maker in makers] for kind, makers in MAKERS.items()}

    def episode(self, rng: Random, kind: str) -> Episode:
        """A random episode for a document of ``kind``: story, report, description or qa."""
        if kind not in self._makers:
            raise LabkitError(f"There is no kind of document {kind!r}. There are: {', '.join(self._makers)}.")
        return rng.choice(self._makers[kind])(rng)

    def _hold(self, fact: Fact) -> None:
        self.static.setdefault((fact.kind, fact.arguments[0][1]), []).append(fact)

    def _settle(self, rng: Random) -> None:
        """Work, homes, ages, tastes, pets and ties of the people."""
        workplaces = [(key(place), key(job)) for place, _, job, _ in rows(lexicon.PLACES)]
        values = {name: one.values() for name, one in types().items()}
        relations: dict[str, list[str]] = {"m": [], "f": []}
        for name, sex, _ in rows(lexicon.RELATIONS):
            relations[sex].append(key(name))
        relations["m"].append("friend")
        relations["f"].append("neighbour")
        order = self.people.copy()
        rng.shuffle(order)
        for index, person in enumerate(order):
            place, job = workplaces[index % len(workplaces)]
            other = rng.choice([one for one in order if one != person])
            self._hold(Fact.of("job", person=person, job=job, place=place))
            self._hold(Fact.of("home", person=person, street=rng.choice(values["street"])))
            self._hold(Fact.of("age", person=person, years=rng.randrange(22, 81)))
            self._hold(Fact.of("likes", person=person, activity=rng.choice(values["activity"])))
            self._hold(Fact.of("favourite", person=person, food=rng.choice(values["food"])))
            self._hold(
                Fact.of("family", person=person, relation=rng.choice(relations[gender(other)]), other=other)
            )
            if rng.random() < 0.6:
                animal, name = rng.choice(values["animal"]), rng.choice(values["pet_name"])
                self._hold(Fact.of("pet", person=person, animal=animal, name=name))

    def _furnish(self, rng: Random) -> None:
        """Streets, years, hours and looks of the places."""
        values = {name: one.values() for name, one in types().items()}
        for place in self.places:
            opening = rng.choice([7, 8, 9, 10]) * 60 + rng.choice([0, 30])
            self._hold(Fact.of("where", place=place, street=rng.choice(values["street"])))
            self._hold(Fact.of("opened", place=place, year=rng.randrange(1860, 2025)))
            self._hold(
                Fact.of("hours", place=place, opening=opening, closing=rng.choice([17, 18, 19, 20, 21]) * 60)
            )
            self._hold(Fact.of("feature", place=place, feature=rng.choice(values["feature"])))


def random_day(rng: Random) -> int:
    return rng.randrange(YEAR_DAYS)
