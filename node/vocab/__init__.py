"""How a record is said in linked data: terms, lists, repairs, the canonical payload, its forms and its checks.

RDF libraries live here and nowhere else. No network, no database, no clock: what a function needs comes in as an
argument. Strangers' bytes are parsed in a child process (`parse`, `child`), everything else is text work on triples.
"""
