"""Public agreements for everybody.

`register` lists what was made public and `page` shows one: in sentences, with its signatures checked while the page is
made, its history, and in `allowed` an answer to "may this be done?". `named` writes what clauses name.
"""
