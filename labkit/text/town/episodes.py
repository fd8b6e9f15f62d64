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
SPORTS = frozenset(
    key(name)
    for name in (
        "swim", "ride a bicycle", "play table tennis", "practise tai chi", "climb the hills", "row on the river",
        "play badminton", "run by the river", "play chess",
    )
)  # fmt: skip
# Events that belong to a part of the year: first and last day.
SEASONS = {
    "spring_fair": (60, 150), "tree_planting_day": (60, 120), "summer_concert": (152, 243), "harvest_festival": (244, 304),
    "lantern_festival": (32, 75), "dragon_boat_race": (140, 180), "winter_market": (325, 360), "open_air_play": (120, 260),
    "boat_parade": (120, 270), "flower_show": (80, 200),
}  # fmt: skip
WINTER_REASONS = frozenset({"heavy_snow"})
CLOSING_REASONS = (
    "a_burst_water_pipe", "a_fallen_tree", "heavy_snow", "road_works", "a_street_parade", "a_flooded_street", "a_landslide",
    "a_damaged_bridge", "a_gas_leak", "a_strong_wind",
)  # fmt: skip
EVENT_REASONS = (
    "a_power_cut", "heavy_snow", "a_strong_wind", "a_leaking_roof", "a_flooded_street", "a_gas_leak", "a_burst_water_pipe",
)  # fmt: skip
DELAY_REASONS = (
    "a_fallen_tree", "heavy_snow", "thick_fog", "a_power_cut", "road_works", "a_broken_signal", "a_street_parade",
    "a_flooded_street", "a_missing_driver", "a_landslide", "a_flat_tyre", "a_herd_of_sheep_on_the_road", "an_empty_tank", "a_jammed_door",
)  # fmt: skip
LATE_REASONS = (
    "a_fallen_tree", "heavy_snow", "thick_fog", "road_works", "a_broken_signal", "a_street_parade", "a_flooded_street",
    "a_flat_tyre", "a_herd_of_sheep_on_the_road", "a_late_train", "a_long_queue", "a_jammed_door",
)  # fmt: skip
RAIL = frozenset({"tram", "train", "night_train"})
NO_TYRES = RAIL | {"ferry"}
HALLS = (
    "town_hall", "park", "market", "theatre", "library", "school", "museum", "harbour", "art_gallery", "sports_hall",
    "stadium", "hotel", "cinema", "music_school", "bookshop", "tea_house",
)  # fmt: skip
STOLEN = (
    "wallet", "watch", "bicycle", "violin", "camera", "suitcase", "phone", "ring", "backpack", "lantern", "radio", "clock",
    "bracelet", "passport", "laptop", "toolbox", "necklace", "accordion", "purse", "telescope", "sewing_machine", "flute",
)  # fmt: skip
BREAKABLE = (
    "umbrella", "watch", "bicycle", "violin", "camera", "suitcase", "pair_of_glasses", "phone", "backpack", "lantern",
    "teapot", "radio", "clock", "flute", "laptop", "kettle", "sewing_machine", "torch", "lamp", "accordion", "telescope",
    "bracelet", "necklace", "chess_set",
)  # fmt: skip
CARRIED = tuple(
    key(name)
    for name, _ in rows(lexicon.OBJECTS)
    if key(name) not in ("sewing_machine", "kettle", "clock", "lamp")
)
OUTDOOR = frozenset(
    key(name)
    for name in ("go fishing", "ride a bicycle", "fly kites", "watch birds", "climb the hills", "row on the river",
                 "run by the river", "take photographs", "paint landscapes")
)  # fmt: skip
FINE = ("sunshine", "clouds")
ROUGH = ("rain", "storms", "fog", "wind")


def pick(rng: Random, type_name: str) -> Value:
    return rng.choice(types()[type_name].values())


def mood(rng: Random, sentiment: str) -> Value:
    return rng.choice([name for name, one in MOOD_SENTIMENT.items() if one == sentiment])


def dish(rng: Random) -> Value:
    """Something that can be cooked."""
    return rng.choice(
        [food for food in types()["food"].values() if food not in ("strawberries", "cheese", "tofu")]
    )


def is_cold(date: int) -> bool:
    return date < 75 or date > 320


def season_weather(rng: Random, date: int) -> Value:
    """Snow and frost from late November to the middle of March only, heat from June to August."""
    names = [key(noun) for noun, *_ in rows(lexicon.WEATHERS)]
    without = set() if is_cold(date) else {"snow", "frost"}
    if not 152 <= date < 243:
        without.add("heat")
    return rng.choice([name for name in names if name not in without])


def event_day(rng: Random, event: Value) -> int:
    first, last = SEASONS.get(str(event), (0, 364))
    return rng.randrange(first, last + 1)


def reason(rng: Random, reasons: tuple[str, ...], date: int | None = None) -> Value:
    """Snow closes nothing in summer; without a date anything may be."""
    return rng.choice([one for one in reasons if date is None or is_cold(date) or one not in WINTER_REASONS])


def vehicle_reason(rng: Random, vehicle: Value, date: int | None = None) -> Value:
    without = {"a_flat_tyre", "a_herd_of_sheep_on_the_road", "road_works"} if vehicle in NO_TYRES else set()
    if vehicle == "ferry":
        without |= {"a_fallen_tree", "a_broken_signal", "a_street_parade", "a_flooded_street", "a_landslide"}
    elif vehicle not in RAIL:
        without |= {"a_broken_signal"}
    return reason(rng, tuple(one for one in DELAY_REASONS if one not in without), date)


def weather_of(date: int, weather: Value) -> Fact:
    return Fact.of("weather", date=date, weather=weather)


def today(rng: Random, share: float = 0.8) -> list[Fact]:
    """Date and weather that a story may open with."""
    date = random_day(rng)
    return [weather_of(date, season_weather(rng, date))] if rng.random() < share else []


def temperature(rng: Random, date: int, weather: Value) -> Fact:
    if weather in ("snow", "frost"):
        degrees = rng.randrange(-12, 1)
    elif weather == "heat":
        degrees = rng.randrange(29, 38)
    else:
        middle = 3 if is_cold(date) else 21 if 140 <= date < 250 else 12
        degrees = middle + rng.randrange(-4, 6)
        if weather == "drizzle" or weather == "rain":
            degrees = max(degrees, 2)
    return Fact.of("temperature", date=date, degrees=degrees if abs(degrees) != 1 else 2 * degrees)


def introduce(world: World, rng: Random, person: Value, share: float = 0.4) -> list[Fact]:
    """Sometimes one standing fact about a person: where she works, lives, or what she likes."""
    if rng.random() >= share:
        return []
    return world.about(rng.choice(("job", "job", "home", "age")), person)


def feel(rng: Random, person: Value, sentiment: str, share: float = 0.75) -> list[Fact]:
    return [Fact.of("mood", person=person, mood=mood(rng, sentiment))] if rng.random() < share else []


def two(world: World, rng: Random) -> list[Value]:
    return rng.sample(world.people, 2)


def maybe(rng: Random, share: float, *facts: Fact) -> list[Fact]:
    return list(facts) if rng.random() < share else []


def a_price(value: float) -> int:
    return max(100, min(9_995, round(value / 5) * 5))


def held(rng: Random, event: Value) -> Fact:
    hours = (
        (17, 18, 19, 20)
        if event in ("film_night", "poetry_evening", "lantern_festival", "village_dance")
        else range(9, 20)
    )
    return Fact.of(
        "event", event=event, place=rng.choice(HALLS), date=event_day(rng, event),
        time=rng.choice(hours) * 60 + rng.choice((0, 0, 15, 30, 45)),
    )  # fmt: skip


# --- Stories ---------------------------------------------------------------------------------------------------


def lost_and_found(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = two(world, rng)
        thing = rng.choice(CARRIED)
        place, elsewhere = rng.sample(world.places, 2)
        main = Fact.of("lost", person=person, object=thing, place=place)
        facts = [*today(rng), *introduce(world, rng, person)]
        facts += maybe(rng, 0.6, Fact.of("visited", person=person, place=place))
        facts += [main, *maybe(rng, 0.7, Fact.of("searched", person=person, place=elsewhere))]
        if rng.random() < 0.6:
            facts.append(Fact.of("found", other=other, object=thing, place=place))
            facts += (
                [] if facts[0].kind == "job" else world.about("job", other) if rng.random() < 0.25 else []
            )
            facts.append(Fact.of("returned", other=other, object=thing, person=person))
            sentiment = "positive"
        else:
            sentiment = "negative"
        return Episode("neighbours", sentiment, main, (*facts, *feel(rng, person, sentiment)))

    return make


def shopping(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = two(world, rng)
        place, goods = rng.choice(list(world.prices))
        usual = world.prices[place, goods]
        facts = [*today(rng, 0.6), *introduce(world, rng, person, 0.3)]
        facts += maybe(rng, 0.5, Fact.of("visited", person=person, place=place))
        draw = rng.random()
        sentiment, price = "neutral", usual
        if draw < 0.6:
            sentiment = "positive" if draw < 0.3 else "negative"
            change = rng.uniform(0.1, 0.35)
            price = a_price(usual * (1 - change if sentiment == "positive" else 1 + change))
            if price == usual:
                price, sentiment = usual + 50, "negative"
            facts.append(Fact.of("price_change", goods=goods, place=place, old_price=usual, price=price))
        main = Fact.of("bought", person=person, goods=goods, place=place, price=price)
        facts.append(main)
        facts += maybe(rng, 0.35, Fact.of("gift", person=person, goods=goods, other=other))
        return Episode("market", sentiment, main, (*facts, *feel(rng, person, sentiment)))

    return make


def meeting(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person = rng.choice(world.people)
        family = world.about("family", person)
        other = (
            family[0]["other"] if rng.random() < 0.5 else rng.choice([p for p in world.people if p != person])
        )
        place = rng.choice(world.places)
        main = Fact.of("met", person=person, other=other, place=place)
        facts = [*today(rng), *introduce(world, rng, person, 0.3)]
        facts += maybe(rng, 0.5, Fact.of("visited", person=person, place=place))
        facts.append(main)
        if family[0]["other"] == other:
            facts += family
        elif rng.random() < 0.4:
            facts += world.about("job", other)
        if rng.random() < 0.4:
            facts.append(
                Fact.of("planned", person=person, activity=pick(rng, "activity"), date=random_day(rng))
            )
        elif rng.random() < 0.4:
            facts.append(Fact.of("cooked", person=other, food=dish(rng), other=person))
        sentiment = rng.choice(("positive", "positive", "neutral"))
        return Episode("neighbours", sentiment, main, (*facts, *feel(rng, person, sentiment)))

    return make


def helping(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = two(world, rng)
        date = random_day(rng)
        task = rng.choice(
            [one for one in types()["task"].values() if one != "clear_the_snow" or is_cold(date)]
        )
        main = Fact.of("helped", person=person, other=other, task=task)
        weather = "snow" if task == "clear_the_snow" else season_weather(rng, date)
        facts = [*maybe(rng, 0.6, weather_of(date, weather)), *introduce(world, rng, person, 0.3), main]
        facts += maybe(rng, 0.5, Fact.of("cooked", person=other, food=dish(rng), other=person))
        if rng.random() < 0.2:
            goods = rng.choice(list(world.prices))[1]
            facts.append(Fact.of("gift", person=other, goods=goods, other=person))
        return Episode("neighbours", "positive", main, (*facts, *feel(rng, other, "positive")))

    return make


def learning(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = two(world, rng)
        activity = pick(rng, "activity")
        main = Fact.of("learned", person=person, activity=activity, other=other)
        facts = [*today(rng, 0.4), *introduce(world, rng, person, 0.5)]
        facts += maybe(
            rng, 0.4, Fact.of("class", activity=activity, place=rng.choice(HALLS), count=rng.randrange(4, 25))
        )
        facts.append(main)
        sentiment = rng.choice(("positive", "neutral"))
        if rng.random() < 0.3:
            facts.append(Fact.of("planned", person=person, activity=activity, date=random_day(rng)))
        topic = "sport" if activity in SPORTS else "culture"
        return Episode(topic, sentiment, main, (*facts, *feel(rng, person, sentiment)))

    return make


def repairing(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = two(world, rng)
        thing = rng.choice(BREAKABLE)
        broken = Fact.of("broke", other=other, object=thing)
        facts = [*today(rng, 0.6), *introduce(world, rng, other, 0.3), broken]
        if rng.random() < 0.7:
            main = Fact.of("repaired", person=person, object=thing, other=other)
            facts += [*introduce(world, rng, person, 0.3), main]
            facts += maybe(rng, 0.3, Fact.of("cooked", person=other, food=dish(rng), other=person))
            sentiment = "positive"
        else:
            main, sentiment = broken, "negative"
        return Episode("neighbours", sentiment, main, (*facts, *feel(rng, other, sentiment)))

    return make


def being_late(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person = rng.choice(world.people)
        event = held(rng, pick(rng, "event"))
        date = int(event["date"])
        if rng.random() < 0.5:
            vehicle = rng.choice(("bus", "tram", "train", "ferry", "taxi"))
            why = vehicle_reason(rng, vehicle, date)
            cause = [Fact.of("delay", vehicle=vehicle, minutes=rng.randrange(10, 95, 5), reason=why)]
        else:
            why = reason(rng, LATE_REASONS, date)
            cause = []
        main = Fact.of("late", person=person, event=event["event"], reason=why)
        facts = [*introduce(world, rng, person, 0.3), *maybe(rng, 0.6, event), *cause, main]
        return Episode("transport", "negative", main, (*facts, *feel(rng, person, "negative")))

    return make


def planning(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person = rng.choice(world.people)
        likes = str(world.about("likes", person)[0]["activity"])
        activity = likes if likes in OUTDOOR and rng.random() < 0.5 else rng.choice(sorted(OUTDOOR))
        date = random_day(rng)
        sentiment = rng.choice(("positive", "negative"))
        rough = (*ROUGH, "snow", "frost") if is_cold(date) else ROUGH
        weather = rng.choice(FINE if sentiment == "positive" else rough)
        main = Fact.of("planned", person=person, activity=activity, date=date)
        facts = [*introduce(world, rng, person, 0.4)]
        facts += world.about("likes", person) if likes == activity else []
        facts += [main, weather_of(date, weather)]
        if sentiment == "positive" and rng.random() < 0.4:
            facts.append(
                Fact.of(
                    "met",
                    person=person,
                    other=rng.choice([p for p in world.people if p != person]),
                    place="park",
                )
            )
        return Episode("weather", sentiment, main, (*facts, *feel(rng, person, sentiment, 0.9)))

    return make


def going_out(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = two(world, rng)
        event = held(rng, pick(rng, "event"))
        main = Fact.of("attended", person=person, event=event["event"])
        facts = [*introduce(world, rng, person, 0.3), event, main]
        if rng.random() < 0.6:
            facts.append(Fact.of("met", person=person, other=other, place=event["place"]))
        elif rng.random() < 0.5:
            facts.append(Fact.of("lost", person=person, object=rng.choice(CARRIED), place=event["place"]))
            return Episode("culture", "negative", main, (*facts, *feel(rng, person, "negative", 0.9)))
        sentiment = rng.choice(("positive", "positive", "neutral"))
        return Episode("culture", sentiment, main, (*facts, *feel(rng, person, sentiment)))

    return make


def winning(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = two(world, rng)
        contest = pick(rng, "contest")
        main = Fact.of("won", person=person, contest=contest, prize=pick(rng, "prize"))
        facts = [*today(rng, 0.5), *introduce(world, rng, person, 0.5), main]
        facts += maybe(rng, 0.7, Fact.of("runner_up", other=other, contest=contest))
        return Episode("sport", "positive", main, (*facts, *feel(rng, person, "positive", 0.8)))

    return make


def stolen(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person = rng.choice(world.people)
        thing, place = rng.choice(STOLEN), rng.choice(world.places)
        main = Fact.of("theft", object=thing, place=place, date=random_day(rng))
        facts = [*maybe(rng, 0.7, Fact.of("visited", person=person, place=place)), main]
        sentiment = "negative"
        if rng.random() < 0.45:
            facts.append(
                Fact.of("recovered", object=thing, place=rng.choice([p for p in world.places if p != place]))
            )
            sentiment = "positive"
        return Episode("crime", sentiment, main, (*facts, *feel(rng, person, sentiment, 1)))

    return make


# --- Reports ---------------------------------------------------------------------------------------------------


def festival_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        main = held(rng, pick(rng, "event"))
        event, date = main["event"], int(main["date"])
        if rng.random() < 0.25:
            why = reason(rng, EVENT_REASONS, date)
            facts = [main, Fact.of("cancelled", event=event, reason=why)]
            return Episode("culture", "negative", main, tuple(facts))
        facts = [*maybe(rng, 0.4, weather_of(date, season_weather(rng, date))), main]
        facts.append(Fact.of("attendance", event=event, count=rng.randrange(20, 990)))
        person, other = two(world, rng)
        if rng.random() < 0.45:
            contest = pick(rng, "contest")
            facts.append(Fact.of("won", person=person, contest=contest, prize=pick(rng, "prize")))
            facts += maybe(rng, 0.5, Fact.of("runner_up", other=other, contest=contest))
        elif rng.random() < 0.4:
            facts.append(Fact.of("attended", person=person, event=event))
        return Episode("culture", rng.choice(("positive", "positive", "neutral")), main, tuple(facts))

    return make


def contest_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person, other = two(world, rng)
        contest = pick(rng, "contest")
        main = Fact.of("won", person=person, contest=contest, prize=pick(rng, "prize"))
        facts = [*today(rng, 0.3), main, *introduce(world, rng, person, 0.5)]
        facts += maybe(rng, 0.8, Fact.of("runner_up", other=other, contest=contest))
        return Episode("sport", "positive", main, (*facts, *feel(rng, person, "positive", 0.4)))

    return make


def match_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        team, rival = rng.sample(types()["team"].values(), 2)
        goals = rng.choices(range(7), (2, 4, 5, 4, 2, 1, 1))[0]
        rival_goals = goals if rng.random() < 0.2 else rng.randrange(0, goals + 1)
        main = Fact.of("match", team=team, rival=rival, goals=goals, rival_goals=rival_goals)
        date = random_day(rng)
        facts = [*maybe(rng, 0.6, weather_of(date, season_weather(rng, date))), main]
        sentiment = "neutral"
        if rng.random() < 0.35:
            sentiment = rng.choice(("positive", "negative"))
            facts += feel(rng, rng.choice(world.people), sentiment, 1)
        return Episode("sport", sentiment, main, tuple(facts))

    return make


def road_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        street, date = pick(rng, "street"), rng.randrange(340)
        why = reason(rng, CLOSING_REASONS, date)
        main = Fact.of("road_closed", street=street, reason=why, date=date)
        facts = [*maybe(rng, 0.2, *world_places_in(world, rng, street)), main]
        if rng.random() < 0.6:
            vehicle = rng.choice(("bus", "tram", "school_bus", "delivery_van", "post_van"))
            facts.append(Fact.of("delay", vehicle=vehicle, minutes=rng.randrange(5, 75, 5), reason=why))
        sentiment = "negative"
        if rng.random() < 0.45:
            facts.append(Fact.of("road_reopened", street=street, date=date + rng.randrange(1, 20)))
            sentiment = "positive"
        return Episode("transport", sentiment, main, tuple(facts))

    return make


def world_places_in(world: World, rng: Random, street: Value) -> list[Fact]:
    """One place in the street, if there is any."""
    found = [
        fact for place in world.places for fact in world.about("where", place) if fact["street"] == street
    ]
    return [rng.choice(found)] if found else []


def accident_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        vehicle = rng.choice(
            ("bus", "tram", "delivery_van", "taxi", "milk_truck", "school_bus", "post_van", "motorcycle")
        )
        street, date = pick(rng, "street"), rng.randrange(340)
        main = Fact.of("accident", vehicle=vehicle, street=street, date=date)
        facts = [*maybe(rng, 0.5, weather_of(date, rng.choice(ROUGH)))]
        facts += [main, *maybe(rng, 0.8, Fact.of("injured", vehicle=vehicle, count=rng.randrange(2, 7)))]
        facts += maybe(rng, 0.4, Fact.of("road_reopened", street=street, date=date + rng.randrange(1, 4)))
        return Episode("transport", "negative", main, tuple(facts))

    return make


def theft_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        thing, place = rng.choice(STOLEN), rng.choice(world.places)
        main = Fact.of("theft", object=thing, place=place, date=random_day(rng))
        facts = [main, *(world.about("where", place) if rng.random() < 0.4 else [])]
        sentiment = "negative"
        if rng.random() < 0.5:
            facts.append(
                Fact.of("recovered", object=thing, place=rng.choice([p for p in world.places if p != place]))
            )
            sentiment = "positive"
        return Episode("crime", sentiment, main, tuple(facts))

    return make


def delay_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        vehicle = rng.choice(
            ("bus", "tram", "train", "ferry", "school_bus", "night_train", "milk_truck", "post_van")
        )
        date = random_day(rng)
        main = Fact.of(
            "delay",
            vehicle=vehicle,
            minutes=rng.randrange(5, 125, 5),
            reason=vehicle_reason(rng, vehicle, date),
        )
        facts = [*maybe(rng, 0.5, weather_of(date, season_weather(rng, date))), main]
        if rng.random() < 0.4:
            event = pick(rng, "event")
            facts.append(Fact.of("late", person=rng.choice(world.people), event=event, reason=main["reason"]))
        return Episode("transport", "negative", main, tuple(facts))

    return make


def council_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        measure = pick(rng, "measure")
        main = Fact.of("council", measure=measure, date=random_day(rng))
        facts = [
            main,
            *maybe(rng, 0.85, Fact.of("cost", measure=measure, amount=rng.randrange(9, 99) * 10_000)),
        ]
        if rng.random() < 0.3:
            facts.append(
                Fact.of(
                    "donation",
                    person=rng.choice(world.people),
                    amount=rng.randrange(1, 40) * 10_000,
                    place="town_hall",
                )
            )
        return Episode(
            "council", rng.choice(("neutral", "neutral", "positive", "negative")), main, tuple(facts)
        )

    return make


def donation_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person = rng.choice(world.people)
        place = rng.choice(("library", "school", "hospital", "museum", "fire_station", "park", "music_school", "kindergarten",
                            "animal_clinic", "theatre", "sports_hall"))  # fmt: skip
        main = Fact.of("donation", person=person, amount=rng.randrange(1, 60) * 10_000, place=place)
        facts = [main, *introduce(world, rng, person, 0.6)]
        facts += world.about(rng.choice(("opened", "where", "feature")), place) if rng.random() < 0.6 else []
        return Episode("council", "positive", main, tuple(facts))

    return make


def shop_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        place = rng.choice(sorted({shop for shop, _ in world.prices}))
        main = Fact.of("new_shop", place=place, person=rng.choice(world.people), date=random_day(rng))
        rest = [
            *world.about("where", place),
            *world.about("hours", place),
            *rng.sample(world.about("sells", place), 1),
        ]
        rng.shuffle(rest)
        goods = rest[[fact.kind for fact in rest].index("sells")]["goods"]
        price = Fact.of("price", goods=goods, place=place, price=world.prices[place, goods])
        facts = [main, *rest[: rng.randrange(1, 4)], *maybe(rng, 0.4, price)]
        return Episode("market", rng.choice(("positive", "neutral")), main, tuple(facts))

    return make


def class_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        activity, place = pick(rng, "activity"), rng.choice(HALLS)
        main = Fact.of("class", activity=activity, place=place, count=rng.randrange(4, 40))
        facts = [main, *(world.about("where", place) if rng.random() < 0.4 else [])]
        if rng.random() < 0.5:
            person, other = two(world, rng)
            facts.append(Fact.of("learned", person=person, activity=activity, other=other))
        topic = "sport" if activity in SPORTS else "culture"
        return Episode(topic, rng.choice(("positive", "neutral")), main, tuple(facts))

    return make


def weather_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        date = random_day(rng)
        weather = season_weather(rng, date)
        main = weather_of(date, weather)
        facts = [main, *maybe(rng, 0.85, temperature(rng, date, weather))]
        event = held(rng, rng.choice([e for e in types()["event"].values() if e not in SEASONS]))["event"]
        sentiment = "neutral"
        if weather in ("snow", "storms", "fog", "wind"):
            sentiment = "negative"
            why = {"snow": "heavy_snow", "fog": "thick_fog"}.get(str(weather), "a_strong_wind")
            if rng.random() < 0.5 and weather != "fog":
                facts.append(Fact.of("road_closed", street=pick(rng, "street"), reason=why, date=date))
            elif rng.random() < 0.6:
                facts.append(Fact.of("cancelled", event=event, reason=why))
            else:
                facts.append(Fact.of("delay", vehicle="ferry", minutes=rng.randrange(10, 125, 5), reason=why))
        elif weather == "sunshine" and rng.random() < 0.7:
            sentiment = "positive"
            facts.append(Fact.of("attendance", event=event, count=rng.randrange(100, 990)))
        return Episode("weather", sentiment, main, tuple(facts))

    return make


def price_report(world: World) -> Make:
    def make(rng: Random) -> Episode:
        place = rng.choice(sorted({shop for shop, _ in world.prices}))
        sold = [goods for shop, goods in world.prices if shop == place]
        goods = rng.choice(sold)
        usual = world.prices[place, goods]
        up = rng.random() < 0.5
        price = a_price(usual * (1 + rng.uniform(0.1, 0.4) * (1 if up else -1)))
        if price == usual:
            price += 50
        main = Fact.of("price_change", goods=goods, place=place, old_price=usual, price=price)
        facts = [main]
        others = [one for one in sold if one != goods]
        if others and rng.random() < 0.6:
            second = rng.choice(others)
            facts.append(Fact.of("price", goods=second, place=place, price=world.prices[place, second]))
        facts += world.about(rng.choice(("where", "hours")), place) if rng.random() < 0.4 else []
        return Episode("market", "negative" if price > usual else "positive", main, tuple(facts))

    return make


# --- Portraits -------------------------------------------------------------------------------------------------


def person_portrait(world: World) -> Make:
    def make(rng: Random) -> Episode:
        person = rng.choice(world.people)
        facts = [
            fact
            for kind in ("job", "home", "age", "likes", "favourite", "pet", "family")
            for fact in world.about(kind, person)
        ]
        main, rest = facts[0], facts[1:]
        rng.shuffle(rest)
        facts = [main, *rest[: rng.randrange(3, 7)]]
        sentiment = "neutral"
        if rng.random() < 0.2:
            sentiment = rng.choice(("positive", "negative"))
            facts += feel(rng, person, sentiment, 1)
        return Episode("neighbours", sentiment, main, tuple(facts))

    return make


def place_portrait(world: World) -> Make:
    def make(rng: Random) -> Episode:
        place = rng.choice(world.places)
        main = world.about("where", place)[0]
        rest = [fact for kind in ("opened", "hours", "feature") for fact in world.about(kind, place)]
        sold = world.about("sells", place)
        topic = "market" if sold else "culture" if place in HALLS else "council"
        if sold:
            one = rng.choice(sold)
            rest.append(one)
            price = Fact.of("price", goods=one["goods"], place=place, price=world.prices[place, one["goods"]])
            rest += maybe(rng, 0.5, price)
        workers = [
            fact for person in world.people for fact in world.about("job", person) if fact["place"] == place
        ]
        rest.append(rng.choice(workers))
        rng.shuffle(rest)
        return Episode(topic, "neutral", main, (main, *rest[: rng.randrange(3, 7)]))

    return make


STORIES = [
    lost_and_found, shopping, meeting, helping, learning, repairing, being_late, planning, going_out, winning, stolen,
]  # fmt: skip
REPORTS = [
    festival_report, contest_report, match_report, road_report, accident_report, theft_report, delay_report,
    council_report, donation_report, shop_report, class_report, weather_report, price_report,
]  # fmt: skip
PORTRAITS = [person_portrait, place_portrait]
# Each kind of document draws from these; see english.py and chinese.py for the words.
MAKERS: dict[str, list[Callable[[World], Make]]] = {
    "story": STORIES,
    "report": REPORTS,
    "description": PORTRAITS,
    "qa": [*STORIES, *REPORTS, *PORTRAITS],
}
