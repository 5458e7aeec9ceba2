"""Live search at other cities, for what an agreement lets us read but not copy; nothing that is heard is kept.

`asking` puts one question to several cities at once, each with the same deadline. `askable` says whom one may ask, and
what our token must say for that. `heard` reads the answers as a stranger's words.
"""
