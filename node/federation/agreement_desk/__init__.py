"""What people do with agreements and offers, in JSON values: the desk behind commands, API and pages.

`office` acts (draft, propose, counter, approve, end), `acts` on what stands, `offer_office` on offers; `view`,
`readings`, `words`, `finder` and `register` tell; `drafts` owns its table. Deciding is not done here: that is
`negotiations` (who said yes) and `rights` (what a clause permits).
"""
