"""Who may do what, and which clause says so.

`decisions` is the one decision point: it asks the agreements in force, compiled. `rights` is where every caller of a
collection meets it; doors of data ask `decisions` themselves.
"""
