"""Laws of acts: what can be done at the desk a command can do too, and either way it stands in the audit trail."""

import pytest

from node.cli import acts
from node.web.wording.words import table
from tests.cli.test_contract import commands

# Of pages and of one's own account at the desk; and what is sent once more by whoever looked first.
OF_THE_DESK = {"page.open", "peer.import_look"}
OWN = ("session.", "account.")
COMMANDS = {
    "agreement.draft": "agreements draft",
    "agreement.rewrite": "agreements rewrite",
    "agreement.drop": "agreements revoke",
    "agreement.propose": "agreements propose",
    "agreement.counter": "agreements counter",
    "agreement.approve": "agreements approve",
    "agreement.sign": "agreements sign",
    "agreement.suspend": "agreements suspend",
    "agreement.resume": "agreements resume",
    "agreement.revoke": "agreements revoke",
    "agreement.comment": "agreements comments add",
    "agreement.settle": "agreements comments settle",
    "offer.publish": "offers publish",
    "offer.withdraw": "offers withdraw",
    "transfer.suspend": "data transfers suspend",
    "transfer.resume": "data transfers resume",
    "transfer.terminate": "data transfers terminate",
    "data.get": "data get",
    "data.ask": "data request",
    "pull.resume": "data pulls resume",
    "pull.cancel": "data pulls cancel",
    "origin.add": "data origins add",
    "origin.test": "data origins test",
    "origin.remove": "data origins remove",
    "consent.check": "consent sources check",
    "withdrawal.acknowledge": "data withdrawals acknowledge",
    "withdrawal.erased": "data withdrawals erased",
    "withdrawal.resend": "data withdrawals resend",
    "data.deleted": "data deleted",
    "peer.add": "peers add",
    "peer.test": "peers test",
    "peer.approve": "peers approve",
    "peer.follow": "peers follow",
    "peer.unfollow": "peers unfollow",
    "peer.note": "peers note",
    "peer.pause": "peers pause",
    "peer.resume": "peers resume",
    "peer.block": "peers block",
    "peer.import": "peers import",
    "key.rotate": "keys rotate",
    "key.retire": "keys retire",
    "draft.begin": "drafts save",
    "draft.save": "drafts save",
    "draft.ask": "drafts ask",
    "draft.discard": "drafts discard",
    "draft.restore": "drafts restore",
    "record.publish": "drafts publish",
    "record.withdraw": "drafts withdraw",
    "correction.set": "corrections set",
    "correction.remove": "corrections remove",
    "submission.accept": "submissions accept",
    "submission.refuse": "submissions refuse",
    "collection.make": "collections create",
    "collection.title": "collections set",
    "collection.open": "collections set",
    "collection.restrict": "collections set",
    "source.add": "sources add",
    "source.change": "sources edit",
    "source.pause": "sources pause",
    "source.resume": "sources resume",
    "source.forget": "sources remove",
    "source.withdraw": "sources withdraw",
    "run.start": "harvest run",
    "run.stop": "harvest cancel",
    "run.decide": "harvest approve",
    "report.answer": "reports answer",
    "report.close": "reports close",
    "report.sort": "reports sort",
    "staff.add": "staff add",
    "staff.roles": "staff roles",
    "staff.disable": "staff disable",
    "staff.enable": "staff enable",
    "staff.link": "staff link",
    "staff.phone": "staff forget-phone",
    "staff.revoke": "staff revoke",
    "audit.export": "audit export",
}


def test_every_act_of_the_desk_has_its_command() -> None:
    said = {key.removeprefix("act.") for key in table("en") if key.startswith("act.")}
    assert {act for act in said if not act.startswith(OWN)} - OF_THE_DESK == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(set(COMMANDS.values())))
def test_what_is_written_down_at_the_desk_is_written_down_of_the_command(command: str) -> None:
    assert command in {name for name, _ in commands()}
    assert not acts._reads(command)
