"""A catalogue of the Dataspace Protocol is linked data that can be read without fetching anything."""

import json
from pathlib import Path

from node.vocab.parse import Parser
from node.vocab.protocol_contexts import DSP_CONTEXT, EDC_CONTEXT, PROTOCOL_CONTEXTS

CATALOGUE = {
    "@context": [DSP_CONTEXT],
    "@id": "https://a.example/catalog",
    "@type": "Catalog",
    "participantId": "https://a.example",
    "dataset": [
        {
            "@id": "https://a.example/d",
            "@type": "Dataset",
            "dct:title": {"@value": "Plans", "@language": "en"},
            "hasPolicy": [{"@id": "https://a.example/o", "@type": "Offer", "permission": [{"action": "use"}]}],
        }
    ],
}


def test_a_catalogue_of_a_connector_is_read_offline(tmp_path: Path):
    source, lines = tmp_path / "catalogue", tmp_path / "lines"
    source.write_text(json.dumps(CATALOGUE))
    with Parser() as parser:
        parser.rdf_to_lines(
            source, lines, media_type="application/ld+json", base_iri="https://a.example/", timeout_s=30
        )
    found = lines.read_text()
    for said in (
        "<https://a.example/catalog> <http://www.w3.org/ns/dcat#dataset> <https://a.example/d> .",
        '<https://a.example/d> <http://purl.org/dc/terms/title> "Plans"@en .',
        "<https://a.example/d> <http://www.w3.org/ns/odrl/2/hasPolicy> <https://a.example/o> .",
        " <http://www.w3.org/ns/odrl/2/action> <http://www.w3.org/ns/odrl/2/use> .",
    ):
        assert said in found


def test_no_context_that_is_kept_leads_to_another():
    assert set(PROTOCOL_CONTEXTS) == {DSP_CONTEXT, EDC_CONTEXT}
    assert "@import" not in json.dumps(dict(PROTOCOL_CONTEXTS))
