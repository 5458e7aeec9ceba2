"""Records for programs of OGC API Records and of STAC: one grammar of questions, two families of documents.

`ask` reads the question, `api` says where everything stands, `record` and `documents` write Records, `stac_documents`
writes STAC.
"""
