"""`citynode data`: get data from other cities under agreements, and hand out our own.

The group alone; its commands stand in files beside this one, by what they are about: getting, what is under way,
where our own data lie and with which credentials, what residents have withdrawn, and what is to be deleted. Imports
nothing heavy.
"""

import typer

from node.cli import data_credentials, data_deletions, data_get, data_origins, data_transfers, data_withdrawals

app = typer.Typer(no_args_is_help=True, help="Get data of other cities under agreements, and hand out ours.")
app.add_typer(data_origins.app, name="origins")
app.add_typer(data_credentials.app, name="credentials")
app.add_typer(data_withdrawals.app, name="withdrawals")
app.add_typer(data_transfers.app, name="transfers")
app.command("deletions")(data_deletions.deletions)
app.command("deleted")(data_deletions.deleted)
app.command("get")(data_get.get)
app.command("request")(data_get.request)
app.add_typer(data_get.app, name="pulls")
