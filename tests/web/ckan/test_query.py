"""Laws of reading a CKAN question: every condition is asked for, or refused by name; none is dropped."""

import pytest

from node.errors import Malformed
from node.web.ckan.query import Asked, listed, order_of, read

NOW = 1_795_232_400_000


def fq(*texts: str, q: str = "") -> Asked:
    return read(q, texts, now_ms=NOW)


@pytest.mark.parametrize(
    ("text", "facet", "values"),
    [
        ("organization:urban-environment-division", "publisher", ("urban-environment-division",)),
        ("owner_org:Espoo", "publisher", ("espoo",)),
        ("groups:tran", "theme", ("TRAN",)),
        ("groups:(tran OR envi)", "theme", ("TRAN", "ENVI")),
        ('tags:"Street Trees"', "keyword", ("street trees",)),
        ("res_format:csv OR res_format:GeoJSON", "format", ("CSV", "GEOJSON")),
        ("license_id:cc-by-4.0", "licence", ("CC_BY_4_0",)),
        ("license_id:notspecified", "licence", ("none",)),
        ("dataset_type:dataset_series", "kind", ("dataset-series",)),
        ("city:london", "city", ("london",)),
        ("access_rights:public", "access", ("PUBLIC",)),
    ],
)
def test_fields_of_ckan_are_our_facets(text: str, facet: str, values: tuple[str, ...]) -> None:
    assert fq(text).filters == {facet: values}
    assert fq(f"-({text})").excluded == {facet: values}


@pytest.mark.parametrize(
    "text",
    ["", "*:*", "state:active", "+capacity:public", "private:false", "site_id:*", "name:*", "title:[* TO *]",
     "-state:deleted", "entity_type:package +state:active"],
)  # fmt: skip
def test_what_holds_of_every_package_is_no_condition(text: str) -> None:
    assert fq(text) == Asked()


@pytest.mark.parametrize(
    "text", ["state:deleted", "private:true", "-state:active", "-name:*", "-site_id:x", "type:a type:b"]
)
def test_what_holds_of_none_finds_nothing(text: str) -> None:
    assert fq(text).nothing


def test_words_of_programs_are_strict_and_those_of_people_are_not() -> None:
    assert fq("title:park*").texts == ["title:park*"]
    assert fq('notes:"street trees"', "-text:garage").texts == ['description:"street trees"', "-garage"]
    assert fq("title:(a OR b)").texts == ["title:a OR title:b"]
    assert fq("title:a").strict
    for typed in ('parking "garage', "pysäköinti AND", "a OR b -c", "https://example.org/1", "note: this"):
        asked = fq(q=typed)
        assert (asked.texts, asked.strict) == ([typed], False)
    assert fq(q="*:*") == fq(q="") == Asked()


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("parkign~", "fuzzy"),
        ("street parkign~2", "fuzzy"),
        ('"street trees"~3', "fuzzy"),
        ("par*ing", "wildcard"),
        ("*ing", "wildcard"),
        ("(p?rking OR bikes)", "wildcard"),
        ("/par.*ing/", "regular expression"),
    ],
)
def test_what_only_solr_can_is_refused_in_q_too(typed: str, why: str) -> None:
    with pytest.raises(Malformed, match=why) as refused:
        fq(q=typed)
    assert refused.value.fix


@pytest.mark.parametrize(
    "typed", ["park*", "where to park?", '"what * is?"', "and/or", "https://city.example/a?b=1*2", "a * b"]
)
def test_words_of_people_with_odd_signs_stay_words(typed: str) -> None:
    assert fq(q=typed).texts == [typed]


def test_q_that_names_fields_is_read_as_solr() -> None:
    asked = fq(q="tags:parking title:street")
    assert (asked.filters, asked.texts) == ({"keyword": ("parking",)}, ["title:street"])
    assert fq(q="name:trees").called == ("trees",)


def test_packages_are_named_by_name_or_id() -> None:
    assert fq("name:(a OR b)", "id:b").called == ("b",)
    assert fq('name:"a"', "name:b").called == ()


def test_times_of_change_narrow_each_other() -> None:
    asked = fq("metadata_modified:[2026-01-01T00:00:00Z TO *]", "metadata_modified:{NOW-1DAY TO NOW}")
    assert (asked.since_ms, asked.until_ms) == (NOW - 86_400_000 + 1, NOW - 1)
    assert fq("metadata_modified:[NOW TO NOW-1DAY]").nothing


def test_conditions_on_one_field_narrow_each_other_or_are_refused() -> None:
    assert fq("city:(a OR b)", "city:(b OR c)").filters == {"city": ("b",)}
    assert fq("res_format:(CSV OR XML)", "res_format:csv").filters == {"format": ("CSV",)}
    both = fq("tags:a tags:b")
    assert (both.filters, both.texts) == ({"keyword": ("a",)}, ['keyword:"b"'])
    with pytest.raises(Malformed, match="two values of format"):
        fq("res_format:CSV res_format:XML")


def test_whether_there_is_a_licence_can_be_asked() -> None:
    assert fq("license_id:[* TO *]").excluded == {"licence": ("none",)}
    assert fq("-license_id:*").filters == {"licence": ("none",)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("extras_harvest_source_id:x", "no field"),
        ("vocab_geo:x", "no field"),
        ("tags:a OR city:b", "one field only"),
        ("tags:par*", "whole values"),
        ("tags:*", "any value"),
        ("-(tags:a tags:b)", "NOT takes"),
        ("-name:x", "left out"),
        ("tags:[a TO b]", "only metadata_modified"),
        ("metadata_modified:2026", "by a range"),
        ("(tags:a AND city:b) OR (tags:c AND city:d)", "single values"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_fields_there_are(text: str, why: str) -> None:
    for name, asked in (("fq", lambda: fq(text)), ("q", lambda: fq(q=f"({text}) license_id:x"))):
        with pytest.raises(Malformed, match=why) as refused:
            asked()
        assert refused.value.message.startswith(name)
        assert "license_id" in refused.value.fix


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "relevance", False)),
        ("score desc, metadata_modified desc", ("score", "relevance", False)),
        ("metadata_modified desc", ("metadata_modified", "changed", False)),
        ("metadata_modified asc", ("metadata_modified", "changed", True)),
        ("title_string asc", ("title_string", "title", False)),
        ("name desc", ("name", "title", True)),
        ("id asc", ("id", "title", False)),
    ],
)
def test_orders_of_ckan_are_ours(text: str, expected: tuple[str, str, bool]) -> None:
    assert order_of(text) == expected


@pytest.mark.parametrize("text", ["views_recent desc", "title_string upwards", "extras_x asc"])
def test_an_order_that_is_not_kept_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="is not possible"):
        order_of(text)


def test_lists_come_in_many_forms() -> None:
    forms = (["a", "b"], '["a", "b"]', "['a', 'b']", "a,b", "a, b")
    assert [listed(form, "facet.field") for form in forms] == [["a", "b"]] * len(forms)
    for wrong in ("[a", [1], {"a": 1}, 3):
        with pytest.raises(Malformed):
            listed(wrong, "facet.field")
