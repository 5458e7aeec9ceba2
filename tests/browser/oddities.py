"""A catalogue of records that pages stumble over: HTML, machine translations, thirty files, long words, almost nothing.

Written here for these tests; no portal and no city said any of it.
"""

from pathlib import Path

_HEAD = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix locn: <http://www.w3.org/ns/locn#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix spdx: <http://spdx.org/rdf/terms#> . @prefix geo: <http://www.opengis.net/ont/geosparql#> .
@prefix licence: <http://publications.europa.eu/resource/authority/licence/> .
@prefix access: <http://publications.europa.eu/resource/authority/access-right/> .
@prefix type: <http://publications.europa.eu/resource/authority/file-type/> .
@prefix : <https://odd.example/id/> .
:catalogue a dcat:Catalog ; dct:title "Oddities"@en .
"""
_RECORDS = '''
:html a dcat:Dataset ; dct:title "A dataset with HTML"@en ; dct:accessRights access:RESTRICTED ;
  dct:description """<p>First, with <b>bold</b> and a <a href="https://example.org/">link</a>.</p><ul><li>One</li></ul>
    <h2>Head</h2><p>Second <script>alert(1)</script>part.</p><table><tr><td>a</td><td>b</td></tr></table>"""@en ;
  dct:publisher [ a foaf:Organization ; foaf:name "Office"@en, "Virasto"@fi ; foaf:homepage <https://x.example/> ] ;
  dcat:contactPoint [ a vcard:Organization ; vcard:fn "Desk" ; vcard:hasEmail <mailto:desk@example.org> ] ;
  dct:spatial [ a dct:Location ; dcat:bbox "POLYGON((24 60,25 60,25 61,24 61,24 60))"^^geo:wktLiteral ] ;
  dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2019-01-01"^^xsd:date ] ;
  dcat:distribution [ a dcat:Distribution ; dct:title "Data"@en ; dcat:accessURL <https://x.example/a> ;
    dct:format "XLSX" ; dcat:byteSize "1234567"^^xsd:decimal ;
    spdx:checksum [ a spdx:Checksum ; spdx:checksumValue "ab"^^xsd:hexBinary ] ] .
:long a dcat:Dataset ; dct:description "Lyhyt kuvaus."@fi ; dct:title
  "Kaupunkiympäristönsuunnittelutoimialapalvelukokonaisuudenkehittämissuunnitelmat ja niiden vaikutusten arviointi"@fi .
:bare a dcat:Dataset ; dct:title "Nothing but a title" .
:machine a dcat:Dataset ; dct:title "Parkeerzones"@nl, "Parking zones"@en-t-nl ;
  dct:description "Alle zones waar betaald parkeren geldt."@nl, "All zones where parking is paid."@en-t-nl .
:service a dcat:DataService ; dct:title "Streets"@en ; dct:description "Streets as **WFS**."@en ;
  dcat:endpointURL <https://wfs.example/> ; dcat:servesDataset :html ; dct:license licence:CC_BY_4_0 .
:series a dcat:DatasetSeries ; dct:title "Accounts by year"@en ; dct:description "One dataset a year."@en .
:nameless a dcat:Dataset ; dct:description "This has no title and is refused."@en .
:files a dcat:Dataset ; dct:title "Thirty files"@en ; dct:description "One for each year."@en ; dcat:inSeries :series .
'''


def oddities(path: Path) -> Path:
    """Write them down."""
    files = [
        f':files dcat:distribution :f{n} . :f{n} a dcat:Distribution ; dct:title "Year {1990 + n}"@en ;'
        f" dcat:downloadURL <https://odd.example/{n}.csv> ; dcat:accessURL <https://odd.example/{n}> ;"
        f" dct:format type:CSV ; dct:license licence:{'CC0' if n % 2 else 'CC_BY_4_0'} ; dcat:byteSize"
        f' "{n * n * 12_345 + 10}"^^xsd:nonNegativeInteger .'
        for n in range(30)
    ]
    path.write_text(_HEAD + _RECORDS + "\n".join(files))
    return path
