"""Tests mirror `node/`; `laws/` holds the house rules, `real/`, `conformance/` and `cluster/` stand apart."""
