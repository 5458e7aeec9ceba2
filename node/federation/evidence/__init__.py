"""Evidence: what a city can show of data that moved, to a court, an auditor or the other city, years later.

Everything stands in one restricted collection of its own, `evidence`, that is never offered and never mirrored:
receipts that both ends signed, differences, what one end alone can say, streams that were cut, withdrawals and what
followed. Nobody's personal data are in it, and each statement can be erased without breaking the tree.

    statements  one statement as JSON and as a record          proofs  who signed it, in which order, with which key
    receipts    the receipt of a transfer: written, read, compared
    store       the follower that reads the journal into a table, and its questions
    office      writes statements, and brings receipts to both signatures
    bundle      the export that needs no node to be proven     verify  proves it and believes none of it
"""
