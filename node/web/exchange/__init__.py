"""What other nodes read and ask without an agreement, and what they tell us beside the protocol.

`identity`, `oauth` and `witness` say and prove who this city is; `feed` and `ldes` hand out collections page by page.
`notices` takes the news that there is more to read at a peer; `reports`, `withdrawals` and `deletions` what a peer
says of our records and of data that moved (`hearing`: the last two are signed by a peer that signs messages).
"""
