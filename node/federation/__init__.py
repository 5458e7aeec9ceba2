"""Whom this city exchanges with, under which agreement, and what moves between them.

Beside `catalog`, never importing it; the two meet only in the journal. Strangers are reached through `outbound` alone,
and what speaks to them (`client`) cannot reach the store. The rooms, each explained in its own first lines, and no two
of them in a circle (a contract checks it):

    policy, negotiation, transfer, turns        what decides: pure tables and rules, no database, network, clock or key
    identity, peers, signing, verifier, witness who a city is, who is known here, what is signed and how it is proven
    tokens, dcp, rights                         who is calling, and what an agreement in force lets them do
    feed, exchange, asking, refusals            records between cities: out, in, live, and what was not kept
    agreements, negotiations, agreement_desk    agreements as they stand, as they come about, as people work with them
    dsp, dialogues, transfers                   the Dataspace Protocol's messages and conversations, kept and delivered
    data, pulls, pushes, consent, evidence      bytes under agreement: handed out, brought, residents' choices, proof
    deletions                                   files that must go when an agreement is over, and the word that they did

What stands beside the rooms are values and single offices that several of them share.
"""
