"""Which file types programs can read, and which nobody owns: the two lists that the assessment asks for.

Codes of the EU table of file types. Not proprietary: specified in public and free to implement; the European list, and
what is plainly of that sort beside it (GML, GTFS, Parquet, OpenDocument, …). Machine-interpretable: made of records or
values that a program can take apart, so no pages, pictures of text or archives of who knows what. A media type counts
as the file type it is registered for. Pure: no I/O but the tables of `node.vocab`.
"""

from functools import lru_cache

from node.vocab import lists


def _codes(*texts: str) -> frozenset[str]:
    return frozenset(" ".join(texts).split())


_TABULAR = "CSV TSV ODS PARQUET DBF"
_TREES = "JSON JSON_LD XML YAML GEOJSON SDMX BITS JATS METS IMMC_XML AKN4EU FMX4 ETSI_XML TMX XLIFF"
_LINKED = "RDF RDF_XML RDF_TURTLE RDF_N_TRIPLES RDF_N_QUADS RDF_TRIG RDF_TRIX N3 HDT OWL SKOS_XML RDFA SPARQLQRES"
_PLACES = "GML GMZ KML KMZ GPKG GEOTIFF NETCDF HDF LAS LAZ GRID_ASCII"
_OTHERS = "WFS_SRVC WCS_SRVC ATOM RSS GTFS ICS"
_BOTH = (_TABULAR, _TREES, _LINKED, _PLACES, _OTHERS)

NON_PROPRIETARY = _codes(
    *_BOTH,
    "HTML HTML5 HTML_SIMPL XHTML XHTML5 XHTML_SIMPL TXT RTF ODT ODP ODG ODF EPUB PNG BMP JPEG JPEG2000 TIFF SVG",
    "GZIP ZIP TAR TAR_GZ TAR_XZ XZ BZIP2 7Z WARC WARC_GZ CSS JS SQL SCHEMA_XML XSLT XSLFO DTD_XML WMS_SRVC",
    "PDFA1A PDFA1B PDFA2A PDFA2B PDFA3",
)
MACHINE_INTERPRETABLE = _codes(*_BOTH, "XLS XLSX XLSM XLSB SHP GDB TAB MIF_MID DXF REST ODB MDB")


@lru_cache(maxsize=4096)
def code_of(text: str) -> str:
    """Give the code of the file type that an IRI, a media type or a name stands for; empty if the table has none."""
    concept = lists.FILE_TYPES.by_iri(text) or lists.FILE_TYPES.by_iri(lists.format_of(text))
    return concept.code if concept else ""
