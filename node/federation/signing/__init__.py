"""Signatures upon JSON and upon messages; keys are handed in, nothing is stored but what was used once.

`integrity` is Data Integrity (`eddsa-jcs-2022`) over canonical JSON, `signatures` RFC 9421 over the parts of a message,
and `messages` our profile of it: which messages between cities carry a signature, over what, and how fresh.
"""
