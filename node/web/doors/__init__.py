"""Who is calling, and what they may see: the doors that routers stand behind.

`door` asks who it is, `seen` and `sight` what they may read and find, `signed` what a message's signature covers,
`staff` lets the city's own people in. What a clause permits is decided in `node.federation.rights`, never here.
"""
