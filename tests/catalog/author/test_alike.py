"""Laws of likeness: the same thing under two names is found, a family of names is not, and the work stays small."""

import time

from node.catalog.author.alike import MOST, pairs


def en(**titles: str) -> dict[str, object]:
    return {name: {"en": title} for name, title in titles.items()}


def test_the_same_thing_under_two_names_is_found() -> None:
    titles = en(
        a="NeRo Chatbot - Chatbot for clients of maternity services",
        b="Maternity clinic chatbot NeRo",
        c="Health center chatbot",
        d="Parking chatbot",
        e="Chatbot parking",
        f="Chatbot of the museum",
    )
    assert pairs(titles, {}) == (("a", "b"), ("d", "e"))


def test_words_that_many_titles_have_tell_nothing() -> None:
    assert pairs(en(**{f"n{n}": f"Control and supervision of matter{n}" for n in range(10)}), {}) == ()


def test_what_is_here_already_is_compared_with_what_is_new_and_not_with_itself() -> None:
    held = en(a="Automated parking control", b="Automated control of parking")
    assert pairs(en(c="Parking control, automated"), held) == (("a", "c"), ("b", "c"))
    assert pairs({}, held) == ()
    assert pairs({"x": None, "y": {}}, {}) == ()


def test_many_alike_are_bounded_and_quick() -> None:
    began = time.process_time()
    titles = en(**{f"n{n}": f"same words {n % 3}" for n in range(2_000)})
    assert len(pairs(titles, {})) == MOST
    assert time.process_time() - began < 1


def test_a_family_of_names_stays_one_however_many_other_titles_there_are() -> None:
    rooms = ("Openbare ruimte", "Bouw", "Milieu", "Horeca", "Verkeer", "Haven")
    titles = en(**{room: f"Toezicht en Handhaving {room}" for room in rooms})
    held = en(**{f"n{n}": f"Matter number{n} of department{n}" for n in range(300)})
    assert pairs(titles, {}) == pairs(titles, held) == ()


def test_a_name_that_many_products_begin_with_makes_none_of_them_another() -> None:
    assert pairs(en(a="GOV.UK Chat", b="GOV.UK One Login: liveness check"), {}) == ()
    assert pairs(en(a="DSIT: GOV.UK Chat", b="DSIT: GOV.UK Site Search"), {}) == ()


def test_a_name_that_says_all_of_another_and_little_more_is_found_whatever_their_words() -> None:
    both = en(b="Detection of fraud and crime in the city of Made", a="Detection of fraud and crime")
    many = en(**{f"n{n}": f"{'Crime and fraud' if n % 2 else 'Detection of fraud'} {n}{n}{n}" for n in range(9)})
    many |= en(**{f"m{n}": f"Crime in town{n}" for n in range(9)})
    assert pairs({**many, **both}, {}) == (("b", "a"),)
    family = en(a="Supervision of rooms", **{f"n{n}": f"Supervision of rooms, part{n}" for n in range(9)})
    assert pairs(family, {}) == (), "what many others begin to say is the name of them all"


def test_which_new_ones_are_alike_does_not_depend_on_what_is_held() -> None:
    titles = en(a="Automated parking control", b="Automated control of parking")
    held = en(**{f"n{n}": f"Automated control of parking in district{n}" for n in range(9)})
    assert pairs(titles, {}) == (("a", "b"),)
    assert ("a", "b") in pairs(titles, held)
