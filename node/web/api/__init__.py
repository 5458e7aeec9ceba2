"""What the city's own staff does over HTTP with a staff token.

A module for each thing that `citynode` does too, all behind `doors.staff`: who comes in, what the audit trail keeps,
and the same "no" everywhere. Where cities say something to each other about the same thing (reports, withdrawals,
deletions), that endpoint stands in the same module, behind `doors.door`: peers alone come in there.
"""
