"""A record as people and programs see it, and what stands beside it: proof, findings, relations, sets, quality.

`records` and `catalog` have the routers; `view`, `knowledge_view` and `inside` make what the page shows; `touching` and
`related` say what else there is about it.
"""
