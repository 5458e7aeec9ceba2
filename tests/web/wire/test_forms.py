"""Laws of forms: what does not fit is told by its field and for its own reason, and what pages show again is whole."""

import pytest

from node.errors import Malformed
from node.web.forms.forms import Form

LONG = "x" * 2_001


@pytest.mark.parametrize(
    ("values", "key", "most"), [(["a", LONG], "desk.form.long", 2_000), (["a", "b", "c"], "desk.form.many", 2)]
)
def test_several_values_are_refused_for_what_is_wrong_with_them(values: list[str], key: str, most: int) -> None:
    with pytest.raises(Malformed) as told:
        Form({"peers": values}).many("peers", most=2)
    assert told.value.said == (key, {"name": "peers", "most": most})
    assert told.value.field == "peers"


def test_what_is_chosen_is_given_whole_to_whoever_judges_it() -> None:
    form = Form({"theme": [" a ", "", LONG, "page\x0cbreak\x00"]})
    assert form.chosen("theme") == ["a", LONG, "page\x0cbreak"]
    assert form.chosen("other") == []
