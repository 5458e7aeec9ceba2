"""Search over everything a node holds, own and mirrored: an index beside the database that can be thrown away.

`schema` says what the index holds, `document` makes one of a record, `keeper` keeps the indexes level with the shelf
and `index` opens them; `query`, `search` and what they lean on answer questions. tantivy is imported here and nowhere
else. Texts are not kept in the index: what is shown of a hit is read from the shelf.
"""
