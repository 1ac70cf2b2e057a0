"""The search for what changed a metric, over simulated rows: exact oracles first, then noisy ones."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from perfdb.campaigns.bisect import Change, Ends, Found, Side, looks_left, search
from perfdb.campaigns.relation import Relation, relation_of
from perfdb.compare.statistics import mann_whitney_p, ratio_interval


@dataclass
class Exact:
    """Knows the level of each place; None for one that does not run. Two levels are alike or far apart."""

    levels: list[float | None]
    looks: int = 0
    asked: list[int] = field(default_factory=list)

    def relation(self, one: int, other: int) -> Relation:
        return "alike" if self.levels[one] == self.levels[other] else "differ"

    def ends(self, first: int, last: int) -> Ends:
        broken = frozenset(place for place in (first, last) if self.levels[place] is None)
        return Ends("undecided", broken) if broken else Ends(self.relation(first, last))

    def look(self, candidate: int, first: int, last: int) -> Side:
        self.looks += 1
        self.asked.append(candidate)
        if self.levels[candidate] is None:
            return "broken"
        return side(self.relation(first, candidate), self.relation(candidate, last))

    def estimate(self, looks: int) -> None:
        assert looks >= 0


@dataclass
class Noisy(Exact):
    """Samples anew for every question, and decides by the statistics of comparisons, with more samples if need be."""

    noise: float = 0.03
    seed: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def relation(self, one: int, other: int) -> Relation:
        samples: tuple[list[float], list[float]] = ([], [])
        found: Relation = "undecided"
        for _ in range(4):
            for place, values in zip((one, other), samples, strict=True):
                level = self.levels[place]
                assert level is not None
                values += [level * self.random.lognormvariate(0, self.noise) for _ in range(5)]
            found = relation_of(ratio_interval(*samples), mann_whitney_p(*samples))
            if found != "undecided":
                return found
        return found


def side(to_first: Relation, to_last: Relation) -> Side:
    from perfdb.campaigns.relation import side_of

    return side_of(to_first, to_last)


def run(levels: list[float | None], first: int = 0, last: int | None = None) -> tuple[Found, Exact]:
    oracle = Exact(levels)
    return search(len(levels), first, len(levels) - 1 if last is None else last, oracle), oracle


def test_one_lasting_change_is_found_in_as_many_looks_as_halves():
    found, oracle = run([10.0] * 150 + [8.0] * 106)
    assert found.answer == "found"
    assert found.changes == (Change(149, 150),)
    assert found.odd == ()
    # Two more see that the answer lasts.
    assert oracle.looks <= 8 + 2
    assert looks_left(254) == 8


@given(st.integers(2, 60), st.data())
def test_a_change_anywhere_is_found_whichever_way_it_goes(count, data):
    place = data.draw(st.integers(1, count - 1))
    slow = data.draw(st.booleans())
    found, _ = run([10.0 if (index < place) == slow else 8.0 for index in range(count)])
    assert (found.answer, found.changes, found.odd) == ("found", (Change(place - 1, place),), ())


def test_ends_that_are_alike_are_searched_no_further():
    found, oracle = run([10.0, 8.0, 10.0])
    assert (found.answer, oracle.looks) == ("alike", 0)


@given(st.integers(12, 60), st.data())
def test_every_level_that_lasts_three_places_is_found(count, data):
    bounds = sorted(data.draw(st.sets(st.integers(1, count // 3), min_size=2, max_size=3)))
    places = [bound * 3 for bound in bounds if bound * 3 <= count - 2]
    # Every level is another one: 10, 8, 6, 4.
    levels = [10.0 - 2 * sum(index >= place for place in places) for index in range(count)]
    found, _ = run(list[float | None](levels))
    assert {change.after for change in found.changes} == set(places)
    assert not found.odd


@given(st.integers(7, 60), st.data())
def test_what_does_not_run_is_stepped_around_and_the_range_says_so(count, data):
    place = data.draw(st.integers(1, count - 1))
    broken = data.draw(st.sets(st.integers(1, count - 2), max_size=count // 2))
    levels: list[float | None] = [10.0 if index < place else 8.0 for index in range(count)]
    for index in broken:
        levels[index] = None
    found, _ = run(levels)
    (change,) = found.changes
    assert change.before < place <= change.after
    assert change.between == tuple(range(change.before + 1, change.after))
    assert set(change.between) <= broken
    assert set(found.broken) <= broken


def test_ends_that_do_not_run_are_replaced_by_the_next_ones_inside():
    found, _ = run([None, None, 10.0, 10.0, 8.0, None])
    assert (found.first, found.last, found.changes, found.broken) == (2, 4, (Change(3, 4),), (0, 1, 5))


def test_a_row_of_which_nothing_runs_says_so():
    found, _ = run([None, None, 10.0, None])
    assert (found.answer, found.changes) == ("broken", ())


def test_a_lone_slow_one_that_the_search_happens_on_is_odd_and_the_lasting_change_is_found():
    # The middle of 0..16 is 8.
    levels: list[float | None] = [10.0] * 13 + [8.0] * 4
    levels[8] = 8.0
    found, _ = run(levels)
    assert (found.changes, found.odd) == ((Change(12, 13),), (8,))


def test_a_lone_fast_one_among_the_slow_is_odd_too():
    levels: list[float | None] = [10.0] * 4 + [8.0] * 13
    levels[8] = 10.0
    found, _ = run(levels)
    assert (found.changes, found.odd) == ((Change(3, 4),), (8,))


def test_a_lone_one_like_neither_end_is_odd():
    levels: list[float | None] = [10.0] * 13 + [8.0] * 4
    levels[8] = 3.0
    found, _ = run(levels)
    assert (found.changes, found.odd) == ((Change(12, 13),), (8,))


def test_a_bad_end_that_is_odd_among_those_after_it_is_no_change():
    found, _ = run([10.0, 10.0, 10.0, 8.0, 10.0, 10.0], last=3)
    assert (found.answer, found.changes, found.odd) == ("odd", (), (3,))


def test_a_good_end_that_is_odd_among_those_before_it_is_no_change():
    found, _ = run([8.0, 10.0, 8.0, 8.0], first=1)
    assert (found.answer, found.changes, found.odd) == ("odd", (), (1,))


def test_those_after_the_bad_end_that_do_not_run_are_stepped_over():
    found, _ = run([10.0, 10.0, 10.0, 8.0, None, 10.0], last=3)
    assert (found.answer, found.odd) == ("odd", (3,))


def test_a_level_of_a_single_place_between_two_others_is_two_changes():
    found, _ = run([10.0] * 4 + [9.0] + [8.0] * 4)
    assert found.changes == (Change(3, 4), Change(4, 5))


class Slope(Exact):
    """Neighbours can't be told apart."""

    def relation(self, one: int, other: int) -> Relation:
        distance = abs(one - other)
        return "differ" if distance > 8 else "undecided"


def test_a_slow_slide_ends_as_a_range_after_few_undecided_looks():
    oracle = Slope([10.0] * 10)
    found = search(10, 0, 9, oracle)
    assert oracle.looks == 3
    assert found.changes == (Change(0, 9, (3, 4, 5)),)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([10.0, 8.0, 6.0, None]), min_size=2, max_size=24), st.integers(0, 1000))
def test_any_row_comes_to_an_end_with_changes_that_are_there(levels, seed):
    found = search(len(levels), 0, len(levels) - 1, Noisy(list(levels), seed=seed))
    for change in found.changes:
        assert change.before < change.after
        assert levels[change.before] is not None
        assert levels[change.after] is not None
    assert not set(found.odd) & {change.after for change in found.changes if change.before in found.odd}


def test_noise_of_three_per_cent_hides_no_change_of_fifteen():
    """Of 60 rows of 40 places with one change, seeded."""
    right = 0
    for seed in range(60):
        place = random.Random(seed).randint(1, 39)
        levels = [10.0 if index < place else 8.5 for index in range(40)]
        found = search(40, 0, 39, Noisy(list[float | None](levels), seed=seed))
        right += [change.after for change in found.changes] == [place]
    assert right >= 57


def test_noise_alone_is_no_change():
    """Of 60 rows without any, seeded."""
    found = [search(20, 0, 19, Noisy([10.0] * 20, seed=seed)).answer for seed in range(60)]
    assert "found" not in found
    assert "odd" not in found
    assert found.count("alike") >= 50
