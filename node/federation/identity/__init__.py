"""Who a city is: its signed statement and its DID, ours and those of others.

`identity` reads the statement of another node with every bound before it is believed, `did` spells addresses as DIDs,
`own` is what this city says of itself, and `key_office` is the desk of its own keys.
"""
