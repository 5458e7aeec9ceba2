"""The triple stores: what everyone may query, what partners may, and the questions put to them.

Two stores, each kept level with the shelf by a reading (`keeper`) of its own and served by an engine that is another
process. Everything in them can be thrown away and read again. May use the shelf, its own folder and `outbound.engine`;
nothing of the web, and no RDF library: triples travel as the text that the journals hold.
"""
