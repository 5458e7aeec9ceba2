"""What people send in forms.

`forms` reads field by field within bounds; `own` gives a form back with what is wrong beside its field, in the reader's
language and with nothing lost that was written.
"""
