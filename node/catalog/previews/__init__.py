"""Looks inside the files of our open datasets before anybody downloads them: rows, outlines, shapes, pictures.

`candidates` says which files of a dataset are worth a look, `keeper` keeps the list of them (`store`, the table
`preview`) level with the shelf, `rounds` fetches what is due and has it read in a child process (`reading` starts it,
`child` is it), and `folder` keeps what came of it under the digest of its bytes. In the child: `opening` decides by
the bytes what a file is; `delimited`, `sheets`, `columnar` and `objects` read rows, `shapes` GeoJSON (`features` one
by one), `mesh` CityJSON, `pictures` images; `cells` says what is in a column. Never a mirror, never a restricted
collection, never what is flagged as personal data.
"""
