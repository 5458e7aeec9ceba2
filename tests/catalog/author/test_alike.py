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
