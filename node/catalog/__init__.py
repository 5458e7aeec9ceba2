"""What this city publishes and finds: its sources, their harvest, and the readings of its journals.

`portals/` turns strangers' bytes into descriptions and cannot write; `harvest` is the one writer here; `shelf` follows
the journals. Touches the database and `outbound`; knows nothing of the web, and nothing of peers.
"""
