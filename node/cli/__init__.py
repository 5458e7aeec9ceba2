"""The command `citynode`: one file per audience, and nothing that is not about asking and telling.

`operate` sets up, runs and examines a node; `sources`, `harvest` and `catalog` are the data team's; `journal` and
`database` are for whoever must prove or rescue something. Commands read settings, call what `assembly` built and
print; what they do is written below. Exit codes: 0 done, 1 refused or refuted, 2 wrong use, 3 try again.
"""
