"""What the city's own staff does over HTTP with a staff token.

A module for each thing that `citynode` does too, all behind `doors.staff`: who comes in, what the audit trail keeps,
and the same "no" everywhere. No city says anything here: what peers tell is heard in `exchange`.
"""
