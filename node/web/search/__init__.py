"""Search as pages, JSON, Atom and RDF, and the lists of each kind, which are the search with its kind chosen.

`query` reads what was asked, `hits` and `facts` say what was found and why, `hints` what to try instead; `page` puts
them together for people.
"""
