"""What becomes of files that were fetched under an agreement once it is over: by when they go, and who says they did.

Mirrors a node blanks by itself (`exchange.blanking`); files lie where people put them, and people delete them. `duties`
says what is due, `store` keeps what was said, `post` carries the signed word to the other city, `deletions` is what
commands, API, pages and the other city's door ask.
"""
