"""Agreements as they stand: their text, their signatures, their records, and which are in force at a moment.

`text` is the canonical JSON that is signed, `signing` who signs it, `records` its form in a pair's journal, `follower`
reads the journals into tables, `bindings` compiles what decides; `verifier` proves an export with none of this,
`held` what a journal in it says.
"""
