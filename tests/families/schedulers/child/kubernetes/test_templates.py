"""Templates: values are put in as they are, and nothing is ever evaluated."""

from __future__ import annotations

from perfdb.families.schedulers.child.kubernetes.templates import fill, texts

WORDS: dict[str, str | int] = {"job": "perfdb-0123456789-1-7", "nodes": 3}


def test_a_word_alone_becomes_its_value_and_a_number_stays_a_number() -> None:
    assert fill({"minMember": "{nodes}", "name": "{job}"}, WORDS) == {"minMember": 3, "name": "perfdb-0123456789-1-7"}


def test_a_word_among_others_becomes_text() -> None:
    assert fill(["{job}-of-{nodes}"], WORDS) == ["perfdb-0123456789-1-7-of-3"]


def test_what_a_word_stands_for_is_not_filled_again() -> None:
    assert fill("{job}", {"job": "{nodes}", "nodes": 3}) == "{nodes}"


def test_signs_that_mean_something_elsewhere_mean_nothing_here() -> None:
    text = "$(reboot) ${HOME} %s {0} {job!r} {job.__class__} {{job}}"
    assert fill(text, WORDS) == text.replace("{{job}}", "{perfdb-0123456789-1-7}")


def test_keys_and_other_values_are_left_alone() -> None:
    assert fill({"{job}": [True, 1.5, None]}, WORDS) == {"{job}": [True, 1.5, None]}


def test_labels_are_always_text() -> None:
    assert texts({"size": "{nodes}"}, WORDS) == {"size": "3"}
