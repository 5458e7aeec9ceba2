"""The city's own staff at the desk: who they are, what they may do, how they sign in, and what they did.

    rights      roles and what each may do; pure
    people      accounts: invited by a link, a password of argon2id, disabled and never taken away
    links       links by which somebody sets a password, once
    totp second codes of a phone and recovery codes: how they are made, and whose they are
    tries       how often somebody may guess, counted before anything is compared
    signing_in  a password, then a code where there is a phone: the steps to a session
    oidc        the city's own sign-in, OpenID Connect; the only module that imports authlib
    sessions    who is signed in, by a token of which only the hash is kept
    office      what is done with accounts, in plain values, for desk, API and command line alike
    trail       the audit trail: who, what, to what, when, from where, and how it ended; it only grows
    export      the trail as a table or as JSON lines

A person is known by a name of this desk, not by a mailbox; a role and a unit will do. May touch the database, the
sealer of the keys and the errors, nothing of the catalogue or the federation: what an act does is theirs, that it was
done stands here.
"""
