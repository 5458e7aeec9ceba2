"""Closed namespaces: what is spelt right is plain text, what is not fails where it is written."""

import copy
import dataclasses

import pytest

from node.vocab import terms
from node.vocab.terms import DCAT, DCATAP, DCT, ODRL, PREFIXES, SH, SPDX, VCARD, Namespace

NAMESPACES = [value for value in vars(terms).values() if isinstance(value, Namespace)]


def test_a_term_is_its_iri_as_plain_text():
    assert DCT.title == "http://purl.org/dc/terms/title"
    assert type(DCT.title) is str
    assert DCATAP.hvdCategory == "http://data.europa.eu/r5r/hvdCategory"
    assert SPDX.checksumAlgorithm_sha256 == "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"


def test_names_that_python_cannot_spell_are_asked_by_key():
    assert VCARD["street-address"] == "http://www.w3.org/2006/vcard/ns#street-address"
    assert ODRL["and"] == "http://www.w3.org/ns/odrl/2/and"


def test_a_term_that_does_not_exist_raises_and_names_the_nearest():
    with pytest.raises(AttributeError, match=r"no term 'accessUrl'; did you mean 'accessURL'"):
        _ = DCAT.accessUrl
    with pytest.raises(KeyError, match="no term 'titel'"):
        _ = DCT["titel"]


def test_a_namespace_cannot_be_added_to():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DCT.newTerm = "http://example.org/"


def test_membership_is_about_whole_iris():
    assert DCT.title in DCT
    assert "http://purl.org/dc/terms/titel" not in DCT
    assert "title" not in DCT
    assert DCT.title in set(DCT)


def test_a_term_may_have_any_name_that_the_vocabulary_gives_it():
    assert SH.IRI == "http://www.w3.org/ns/shacl#IRI"
    assert SH.NS == "http://www.w3.org/ns/shacl#"


def test_python_machinery_is_not_disturbed():
    assert copy.copy(DCT).title == DCT.title


@pytest.mark.parametrize("namespace", NAMESPACES, ids=lambda namespace: namespace.NS)
def test_every_namespace_has_a_prefix_and_no_term_twice(namespace):
    assert namespace.NS in PREFIXES.values()
    assert len(list(namespace)) == len(set(namespace))
    assert all(iri.startswith(namespace.NS) for iri in namespace)


def test_prefixes_are_sorted_and_distinct():
    assert list(PREFIXES) == sorted(PREFIXES)
    assert len(set(PREFIXES.values())) == len(PREFIXES)
