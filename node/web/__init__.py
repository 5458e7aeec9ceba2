"""How the outside reaches the node: documents for machines, pages for people, marks for operators.

Everything here is a reading, or a form that hands on what somebody said: no router writes. Routers talk to the parts
named in `ports`, never to settings, SQL or the outside world. Bytes travel in this order: `wire.front` (encoded
replies kept warm) → `wire.edge` (request ids, metrics, safety headers) → the FastAPI routers. The rooms, each explained
in its own first lines, and no two of them in a circle (a contract checks it):

    ports                            what the web asks of the parts that assembly built: protocols alone
    wording                          from values to what people read, in three languages; pure
    wire                             bytes in and out: answers, refusals, limits, replies kept warm
    doors                            who is calling, and what they may see
    forms                            what people send in forms
    records, agreements, search      what a reader finds: record pages, the register, search and its lists
    portal                           the other pages of the city: home, cities, numbers, reports, submissions
    ogc, ckan, sparql                the same records for programs of other kinds
    exchange, dsp, data              what other nodes read, ask and tell, negotiate, and are handed
    api, desk                        the city's own staff: over HTTP with a token, and in a browser

What stands beside the rooms is shared by several of them: `addresses`, `reading` (the shelf as the public may see it),
`pages` (templates), `parts` (what every router is given); `assemble` puts the routers together.
"""
