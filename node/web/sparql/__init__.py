"""SPARQL over what is public.

`request` bounds what was asked, `sparql` sends it to the store, `sending` streams the rows back at the reader's pace,
and `view` is the page on which a query is written.
"""
