"""Facts of the town: what kinds there are, and which roles each has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labkit.common import LabkitError

Value = str | int

# kind -> role -> type of value. The first role is what the fact is about.
STATIC: dict[str, dict[str, str]] = {
    "job": {"person": "person", "job": "job", "place": "place"},
    "home": {"person": "person", "street": "street"},
    "age": {"person": "person", "years": "years"},
    "likes": {"person": "person", "activity": "activity"},
    "favourite": {"person": "person", "food": "food"},
    "pet": {"person": "person", "animal": "animal", "name": "pet_name"},
    "family": {"person": "person", "relation": "relation", "other": "person"},  # other is person's relation
    "where": {"place": "place", "street": "street"},
    "opened": {"place": "place", "year": "year"},
    "hours": {"place": "place", "opening": "time", "closing": "time"},
    "sells": {"place": "place", "goods": "goods"},
    "feature": {"place": "place", "feature": "feature"},
}
DYNAMIC: dict[str, dict[str, str]] = {
    "weather": {"date": "date", "weather": "weather"},
    "temperature": {"date": "date", "degrees": "degrees"},
    "visited": {"person": "person", "place": "place"},
    "bought": {"person": "person", "goods": "goods", "place": "place", "price": "price"},
    "price": {"goods": "goods", "place": "place", "price": "price"},
    "price_change": {"goods": "goods", "place": "place", "old_price": "price", "price": "price"},
    "lost": {"person": "person", "object": "object", "place": "place"},
    "searched": {"person": "person", "place": "place"},
    "found": {"other": "person", "object": "object", "place": "place"},
    "returned": {"other": "person", "object": "object", "person": "person"},
    "met": {"person": "person", "other": "person", "place": "place"},
    "helped": {"person": "person", "other": "person", "task": "task"},
    "repaired": {"person": "person", "object": "object", "other": "person"},  # other's object
    "learned": {"person": "person", "activity": "activity", "other": "person"},  # from other
    "broke": {"other": "person", "object": "object"},  # other's object
    "cooked": {"person": "person", "food": "food", "other": "person"},  # for other
    "gift": {"person": "person", "goods": "goods", "other": "person"},  # person gave it to other
    "attended": {"person": "person", "event": "event"},
    "late": {"person": "person", "event": "event", "reason": "reason"},  # late for the event
    "planned": {"person": "person", "activity": "activity", "date": "date"},
    "mood": {"person": "person", "mood": "mood"},
    "event": {"event": "event", "place": "place", "date": "date", "time": "time"},
    "attendance": {"event": "event", "count": "count"},
    "cancelled": {"event": "event", "reason": "reason"},
    "won": {"person": "person", "contest": "contest", "prize": "prize"},
    "runner_up": {"other": "person", "contest": "contest"},
    "match": {"team": "team", "rival": "team", "goals": "goals", "rival_goals": "goals"},
    "road_closed": {"street": "street", "reason": "reason", "date": "date"},
    "road_reopened": {"street": "street", "date": "date"},
    "accident": {"vehicle": "vehicle", "street": "street", "date": "date"},
    "injured": {"vehicle": "vehicle", "count": "count"},
    "theft": {"object": "object", "place": "place", "date": "date"},
    "recovered": {"object": "object", "place": "place"},  # the police found the stolen thing there
    "delay": {"vehicle": "vehicle", "minutes": "minutes", "reason": "reason"},
    "council": {"measure": "measure", "date": "date"},
    "cost": {"measure": "measure", "amount": "amount"},
    "donation": {"person": "person", "amount": "amount", "place": "place"},
    "new_shop": {"place": "place", "person": "person", "date": "date"},  # place reopens under person
    "class": {"activity": "activity", "place": "place", "count": "count"},
}
KINDS = STATIC | DYNAMIC


@dataclass(frozen=True, order=True)
class Fact:
    """One fact: ``Fact.of("lost", person="anna_bell", object="umbrella", place="station")``.

    ``arguments`` are (role, value) in the order of the kind's roles; values are entity keys, or numbers: dates are
    days of the year from 0, times minutes from midnight, prices and amounts hundredths of a crown.
    """

    kind: str
    arguments: tuple[tuple[str, Value], ...]

    @classmethod
    def of(cls, kind: str, **values: Value) -> Fact:
        if kind not in KINDS:
            raise LabkitError(f"There is no kind of fact {kind!r}. There are: {', '.join(KINDS)}.")
        if set(values) != set(KINDS[kind]):
            raise LabkitError(
                f"A fact {kind!r} has the roles {', '.join(KINDS[kind])}, not {', '.join(values)}."
            )
        return cls(kind, tuple((role, values[role]) for role in KINDS[kind]))

    def __getitem__(self, role: str) -> Value:
        return self.roles[role]

    @property
    def roles(self) -> dict[str, Value]:
        return dict(self.arguments)

    def to_json(self) -> dict[str, Value]:
        return {"kind": self.kind, **self.roles}

    @classmethod
    def from_json(cls, record: Mapping[str, Value]) -> Fact:
        values = dict(record)
        return cls.of(str(values.pop("kind")), **values)


def types_of(kinds: tuple[str, ...]) -> dict[str, str]:
    """Role -> type over one or more kinds; a role that two kinds share has one type."""
    types: dict[str, str] = {}
    for kind in kinds:
        for role, kind_type in KINDS[kind].items():
            if types.setdefault(role, kind_type) != kind_type:
                raise LabkitError(f"Role {role!r} has two types in {'+'.join(kinds)}.")
    return types
