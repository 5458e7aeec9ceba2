"""Negotiations with other cities, in both roles, stored and decided by approvals.

`negotiations` is what others use; it owns the tables `negotiation` and `message` through `store`. Whose turn it is
says the pure table `node.federation.negotiation`. `wire` stands between the protocol's messages and its steps;
`texts` writes and signs the agreement on the way.
"""
