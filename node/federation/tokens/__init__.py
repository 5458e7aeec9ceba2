"""Tokens: issued to peers, staff and programs, checked on every request, and asked for at other cities.

OAuth 2 by RFC: client assertions, DPoP, `at+jwt`, metadata. `access` tells who is calling; what a caller may do is
decided in `rights`.
"""
