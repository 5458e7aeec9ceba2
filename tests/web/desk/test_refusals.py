"""Laws of the desk's "no": in the reader's language, beside the field it is about, and with a page to go on to."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from node.staff.rights import ROLES
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.find_rig import Rig
from tests.web.finding import found_city

pytestmark = pytest.mark.slow
# What nobody has, in the addresses of the desk and of the portal.
ADDRESSES = [
    "/desk/people/zz",
    "/desk/inbox/zz",
    "/desk/runs/999",
    "/desk/runs/999/rows.csv",
    "/desk/sources/zz",
    "/desk/submissions/zz",
    "/desk/peers/zz",
    "/desk/data/pulls/999",
    "/desk/data/transfers/zz",
    "/desk/data/evidence/zz",
    "/desk/agreements/zz",
    "/desk/agreements/new?template=zz&peer=london",
    "/desk/agreements/try?peer=zz&action=read&collection=open-data",
    "/desk/agreements/offers?of=zz",
    "/desk/records/practice/A%20B",
    "/desk/records/zz/x",
    "/desk/records/practice/none/history",
    "/desk/corrections/edit",
    "/desk/corrections/edit?iri=https://nowhere.example/x",
    "/quality/open-data?failing=zz",
    "/quality/open-data?after=1",
    "/sparql?query=zz",
    "/sparql?query=SELECT%20*%20%7B",
    "/collections/open-data?modified_since=zz",
    "/reports/zz",
]
FORMS: list[tuple[str, dict[str, str]]] = [
    ("/desk/inbox/zz/sort", {"kind": "old"}),
    ("/desk/corrections/remove", {"iri": "https://nowhere.example/x"}),
    ("/desk/keys/x/retire", {}),
    ("/desk/keys/x/rotate", {"overlap": "1", "sure": "1"}),
    ("/desk/agreements/new", {"template": "zz", "peer": "london"}),
    ("/desk/agreements/approve", {"name": "zz", "terms": "x"}),
    ("/desk/agreements/comment", {"name": "zz", "said": "x"}),
    ("/desk/agreements/offers", {"target": "zz", "template": "zz"}),
    ("/desk/data/get", {"dataset": "", "purpose": "AcademicResearch"}),
    ("/desk/data/get", {"dataset": "x", "peer": "zz"}),
    ("/desk/data/ask", {"dataset": "x"}),
    ("/desk/data/origins", {"dataset": "zz", "location": "https://data.example/x.csv"}),
    ("/desk/data/origins", {"dataset": "zz", "location": "/etc/passwd"}),
    ("/desk/data/origins/test", {"dataset": "zz"}),
    ("/desk/data/pulls/999/cancel", {}),
    ("/desk/data/withdrawals/zz/erased", {}),
    ("/desk/sources/zz/pause", {}),
    ("/desk/runs/999/stop", {}),
    ("/desk/peers/zz/pause", {}),
    ("/desk/peers/zz/block", {}),
    ("/desk/new-peer", {"invite": "ftp://x", "name": "x"}),
    ("/desk/new-peer", {"invite": "https://x.example", "name": "A B"}),
    ("/desk/peer-table", {"table": "a,b"}),
    ("/desk/records/practice/none/withdraw", {"reason": "x"}),
    ("/desk/records/practice/none/publish", {}),
    ("/desk/submissions/zz/accept", {}),
    ("/desk/people", {"name": "liisa", "roles": "editor"}),
    ("/desk/people/zz/link", {}),
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("refusals"), migrated) as made:
        yield made


@pytest.fixture(scope="module", params=["fi", "sv"])
def reader(rig: Rig, request: pytest.FixtureRequest) -> Iterator[Browser]:
    with at_desk(rig, *ROLES, name="liisa", language=request.param) as made:
        made.get("/desk/account")
        yield made


def says_no_in_english(reply: httpx.Response) -> bool:
    main = reply.text.partition("<main")[2].partition("</main>")[0]
    said = re.findall(r'(?:class="(?:blank|note fail|lint)|role="alert").*?(?:</div>|</ul>)', main, re.DOTALL)
    return any('lang="en"' in each for each in said or [main])


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_nothing_is_refused_in_the_readers_language(reader: Browser, address: str) -> None:
    reply = reader.get(address)
    assert (400 <= reply.status_code < 500) or 'role="alert"' in reply.text, text_of(reply)[:300]
    assert not says_no_in_english(reply), text_of(reply)


@pytest.mark.parametrize(("path", "fields"), FORMS)
def test_a_form_is_refused_in_the_readers_language(reader: Browser, path: str, fields: dict[str, str]) -> None:
    reply = reader.press(path, fields)
    assert 400 <= reply.status_code < 500, (reply.status_code, text_of(reply)[:300])
    assert not says_no_in_english(reply), text_of(reply)


@pytest.mark.parametrize(
    ("path", "fields", "field", "id_"),
    [
        ("/desk/data/get", {"dataset": "", "purpose": "x"}, "dataset", "g-dataset"),
        ("/desk/data/ask", {"dataset": "x"}, "purpose", "g-purpose"),
        ("/desk/data/origins", {"dataset": "zz", "location": "/etc/passwd"}, "location", "o-location"),
        ("/desk/new-peer", {"invite": "https://x.example", "name": "A B"}, "name", "name"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    reader: Browser, path: str, fields: dict[str, str], field: str, id_: str
) -> None:
    reply = reader.press(path, fields)
    (control,) = re.findall(rf'<(?:input|select|textarea)[^>]* name="{field}"[^>]*>', reply.text)
    assert f'aria-describedby="{id_}-h {id_}-flaw" aria-invalid="true"' in control
    assert f'id="{id_}-flaw"' in reply.text


def test_a_no_leads_on_to_where_it_is_mended(reader: Browser) -> None:
    for address, way in (
        ("/desk/people/zz", "/desk/people"),
        ("/desk/peers/zz", "/desk/peers"),
        ("/desk/runs/999", "/desk/runs"),
    ):
        main = reader.get(address).text.partition("<main")[2]
        assert f'href="{way}"' in main, address
