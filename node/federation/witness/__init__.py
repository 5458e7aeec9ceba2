"""Cosignatures: ours upon other cities' checkpoints, and theirs upon ours.

`witness` signs what continues the history it has seen (C2SP tlog-witness) and keeps the newest size of each journal;
`cosign` asks peers to do the same for ours.
"""
