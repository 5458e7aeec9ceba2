"""What other nodes read and ask without an agreement.

`identity`, `oauth` and `witness` say and prove who this city is; `feed` and `ldes` hand out collections page by page;
`notices` takes the news that there is more to read at a peer.
"""
