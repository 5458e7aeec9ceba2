"""The ways people walk: a city's team from an empty node to signed agreements, a reader from a question to a file.

Each is walked in three worlds (`world.py`): English with script at a desk, Finnish without script on a phone, Swedish
without script at a desk. They go on from each other where people's work does: what one agrees, another reads.
"""

import itertools
import re
from time import monotonic

import pytest
from playwright.sync_api import expect

from node.testing import City
from tests.browser.chromium import PROGRAM
from tests.browser.towns import CSV, Begun, Towns, until_read
from tests.browser.world import PASSWORD, Visitor, World

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed here (apt install chromium).")
EVERYTHING = ("viewer", "editor", "steward", "approver", "admin")


# What people write in each world: they share two cities, and find their own again.
PRACTICE = {"en": "Where the snow goes", "fi": "Minne lumi viedään", "sv": "Dit snön tar vägen"}
_NTH = itertools.count(1)
REUSE = {"en": "Where can I park?", "fi": "Mihin voin pysäköidä?", "sv": "Var kan jag parkera?"}
AMISS = {"en": "Regent Street is missing.", "fi": "Regent Street puuttuu.", "sv": "Regent Street saknas."}
ANSWER = {"en": "Counted again in June.", "fi": "Laskettu uudelleen kesäkuussa.", "sv": "Räknad på nytt i juni."}


def set_password(who: Visitor, link: str) -> None:
    """Go by a one-time link, choose a password."""
    who.open(link)
    who.page.locator("#password").fill(PASSWORD)
    who.page.locator("#again").fill(PASSWORD)
    who.press(who.t("staff.password.set"))


def sign_in(who: Visitor, name: str) -> None:
    who.open("/desk/sign-in")
    who.page.locator("#name").fill(name)
    who.page.locator("#password").fill(PASSWORD)
    who.press(who.t("staff.sign_in"))


def clerk(world: World, cities: Towns, city: City, name: str) -> Visitor:
    """Send somebody to the desk of a city; with an account, by its link, if they have none yet."""
    who = world.visitor(city)
    if (city.slug, name) not in cities.accounts:
        given = [word for role in EVERYTHING for word in ("--role", role)]
        said = city.say("staff", "add", name, *given)
        set_password(who, next(word for word in said.split() if "/desk/welcome/" in word))
        cities.accounts.add((city.slug, name))
    else:
        sign_in(who, name)
    assert "/desk/sign-in" not in who.page.url, who.main()
    return who


def _until(who: Visitor, said: str, *, within_s: int = 120) -> None:
    """Look at the page again until it says something, as somebody waiting would."""
    until = monotonic() + within_s
    while said not in who.main():
        assert monotonic() < until, (who.page.url, said, who.main())
        who.page.wait_for_timeout(400)
        who.page.reload()
        who.unfold()


# ------------------------------------------------------------ the team


def test_the_first_hour_leads_from_an_empty_node_to_a_published_catalogue(world: World, turku: Begun) -> None:
    who = world.visitor(turku.city)
    set_password(who, turku.first_link)
    if "/desk/sign-in" in who.page.url:
        sign_in(who, "admin")
    who.open("/desk/sources")
    who.follow(who.t("desk.source.add"))
    who.page.locator("#name").fill("portal")
    who.page.locator("#location").fill(turku.portal.address)
    who.page.locator("#kind").select_option("dcat")
    who.press(who.t("desk.source.try"))
    _until(who, "Parking of turku, part 1")
    who.press(who.t("desk.source.resume"))
    who.open("/desk/sources/portal")
    who.page.locator("#how-now").check()
    who.press(who.t("desk.source.begin"))
    until_read(turku.city, "open-data", 6)
    reader = world.visitor(turku.city)
    reader.open("/")
    reader.open("/collections/open-data")
    reader.follow("Kerbside parking in turku")
    assert "Kerbside parking in turku" in reader.main()


def test_a_city_is_added_after_its_key_was_compared(world: World, cities: Towns, turku: Begun) -> None:
    who = world.visitor(turku.city)
    sign_in(who, "admin")
    who.open("/desk/peers")
    who.follow(who.t("desk.peers.add"))
    who.page.locator("#invite").fill(cities.london.base_url)
    who.page.locator("#name").fill("london")
    who.press(who.t("desk.peers.look"))
    print_read = cities.london.say("peers", "invite").splitlines()[0].rpartition("#")[2]
    shown = re.sub(r"\s", "", "".join(who.page.locator(".keyprint").all_inner_texts()))
    assert shown.startswith(print_read)
    who.press(who.t("desk.peers.test"))
    who.page.locator("#same").check()
    who.page.locator("#told_by").fill("Data desk of London")
    who.press(who.t("desk.peers.pin"))
    who.page.locator("#how-all").check()
    who.press(who.t("desk.peers.follow"))
    until_read(turku.city, "london/open-data", 6)
    who.open("/desk/peers/london")
    assert "Data desk of London" in who.main()


def test_a_practice_is_written_seen_as_readers_will_and_published(world: World, cities: Towns) -> None:
    who = clerk(world, cities, cities.helsinki, "aino")
    who.open("/desk/records")
    who.page.locator("#new-kind").select_option("practice")
    who.page.locator("#new-title").fill(PRACTICE[world.device.language])
    who.press(who.t("desk.records.begin"))
    who.press(who.t("desk.records.publish"))
    assert who.page.locator(".note.fail").is_visible()  # much is missing, and each thing is named
    _fill_practice(who)
    who.press(who.t("desk.records.see"))
    assert PRACTICE[world.device.language] in who.main()
    who.page.go_back()
    who.press(who.t("desk.records.publish"))
    assert who.page.locator(".note.fail").count() == 0, who.page.locator(".note.fail").inner_text()
    reader = world.visitor(cities.helsinki)
    reader.open("/practices")
    _until(reader, PRACTICE[world.device.language])  # the search reads on in its own time after a publication
    reader.follow(PRACTICE[world.device.language])
    assert "210,000 lorry loads" in reader.main()


SNOW = {
    "summary": "Helsinki melts ploughed snow in four places on land, so that sand and litter stay out of the sea.",
    "publisher/name": "City of Helsinki",
    "contact/name": "Street maintenance",
    "problem": "In a snowy winter 210,000 lorry loads leave the streets, and a third of them went into the sea.",
    "approach": "We listed every yard that lies empty from December to April, and melt the snow in four of them.",
    "what_failed": "The first yard drained into a cellar; we had not asked who owns the pipe.",
}


def _fill_practice(who: Visitor) -> None:
    """Write what the form asks for, in the language that is open."""
    for name, text in SNOW.items():
        who.page.locator(f"[name^='/{name}/']").first.fill(text)
    who.page.locator("[name='/contact/email']").fill("streets@hel.example")


def test_held_withdrawals_wait_for_a_person_who_decides(world: World, cities: Towns) -> None:
    portal = cities.portals["helsinki"]
    kept = dict(portal.titles)
    for number in range(1, 4):
        del portal.titles[f"parking-{number}"]
    portal.write()
    cities.helsinki.say("harvest", "run", "own")
    who = clerk(world, cities, cities.helsinki, "aino")
    who.open("/desk")
    assert who.t("run.holding", n=3) in who.main()
    who.follow(who.page.locator(".needs a[href*='/desk/runs/']").first)
    who.keys_to("#d-keep").press("Space")  # all of it with the keyboard alone
    who.keys_to("#why")
    who.page.keyboard.type("A fault at the source")
    who.keys_to("main form button").press("Enter")
    who.settle()
    who.open("/desk")
    assert who.t("run.holding", n=3) not in who.main()
    portal.titles = kept
    portal.write()


def test_a_signing_key_is_replaced_with_overlap(world: World, cities: Towns) -> None:
    who = clerk(world, cities, cities.helsinki, "aino")
    who.open("/desk/keys")
    keys = who.page.locator("#checkpoint span.mono")
    before = keys.first.inner_text()
    who.unfold()
    who.page.locator("#checkpoint-sure").check()
    who.press(who.page.locator("form[action*='/keys/checkpoint/rotate'] button"))
    assert keys.first.inner_text() != before
    assert before in keys.all_inner_texts()  # until other cities have seen the new one, the old one holds too
    cities.helsinki.say("journal", "verify")


def test_two_people_on_two_nodes_make_an_agreement(world: World, cities: Towns) -> None:
    aino = clerk(world, cities, cities.helsinki, "aino")
    aino.open("/desk/agreements/new")
    aino.page.locator("#peer").select_option("london")
    aino.page.locator("input[name=template][value^='open-metadata']").check()
    aino.press(aino.t("desk.agr.fill_in"))
    aino.page.locator("input[name=ours][value$='/open-data']").check()
    aino.press(aino.t("desk.agr.draft_go"))
    title = aino.page.locator("h1").inner_text()
    aino.page.locator("#p-approve").check()
    aino.press(aino.t("desk.agr.propose", city="london"))
    grace = clerk(world, cities, cities.london, "grace")
    grace.open("/desk/agreements")
    grace.follow(grace.page.locator(".needs > li", has_text=title).get_by_role("link").first)
    grace.page.locator("#comment").fill("Read by the legal unit: fine.")
    grace.press(grace.t("desk.agr.comment_go"))
    grace.press(grace.t("desk.agr.approve_go", title=title))
    _until(grace, grace.t("desk.agr.stage.in-force"))
    _until(aino, aino.t("desk.agr.stage.in-force"))
    assert "legal unit" not in aino.main()  # what one city says to itself stays there
    world.kept["agreement"] = title


def test_what_a_reader_submits_is_read_by_a_person_and_then_published(world: World, cities: Towns) -> None:
    # Worlds share a city, and it takes nothing twice.
    nth = next(_NTH)
    title = f"{REUSE[world.device.language]} {nth}"
    who = world.visitor(cities.helsinki)
    who.open("/datasets/kerbs")
    who.unfold()
    who.follow(who.page.locator("main a[href*='/submissions/new']").first)
    who.page.locator("#title").fill(title)
    who.page.locator("#summary").fill("Shows the nearest free kerb, by the hour.")
    who.page.locator("#description").fill("A map of kerbs that are free now, from the city's own counts.")
    who.page.locator("#datasets").fill(cities.portals["helsinki"].iri("kerbs"))
    who.page.locator("#link").fill(f"https://kerb.example/map/{nth}")
    who.page.locator("[name='maker.name']").fill("Kerb & Co")
    who.press(who.t("submit.send"))
    standing = world.kept["submission"] = who.page.url
    assert who.t("submit.standing.waiting") in who.main()
    aino = clerk(world, cities, cities.helsinki, "aino")
    aino.open("/desk/submissions")
    aino.follow(title)
    aino.press(aino.t("desk.submissions.accept"))
    who.open(standing)
    who.follow(who.t("submit.see"))
    assert title in who.main()


# ------------------------------------------------------------ the reader


def test_a_reader_finds_looks_inside_and_downloads(world: World, cities: Towns) -> None:
    who = world.visitor(cities.helsinki)
    who.open("/")
    who.page.locator("main input[name=q]").first.fill("kerbside")
    who.press(who.t("search.go"))
    who.follow("Kerbside parking in helsinki")
    who.unfold()
    _until(who, "Aleksanterinkatu")  # previews are made in their own time after a harvest
    link = who.page.locator("main a[href*='/get/']").first
    with who.page.expect_download() as download:
        link.click()
    assert download.value.path().read_text() == CSV


def test_a_reader_compares_two_cities(world: World, cities: Towns) -> None:
    who = world.visitor(cities.helsinki)
    who.open("/search?q=kerbside")
    assert "Kerbside parking in london" in who.main()
    boxes = who.page.locator("input[name=iri]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    who.press(who.t("search.beside_go"))
    assert "Kerbside parking in london" in who.main()
    assert "Kerbside parking in helsinki" in who.main()


def test_a_reader_reads_an_agreement_and_checks_its_signatures(world: World, cities: Towns) -> None:
    who = world.visitor(cities.london)
    who.open("/agreements")
    who.follow(world.kept["agreement"])
    assert who.page.locator(".sign .say.ok").count() == 2
    who.keys_to("#s-act").press("ArrowDown")  # and asks with the keyboard alone
    who.keys_to("main form button").press("Enter")
    who.settle()
    expect(who.page.locator("#answer strong")).to_contain_text(re.compile(r"\w"))


def test_a_readers_report_reaches_the_city_that_the_record_is_of_and_its_answer_comes_back(
    world: World, cities: Towns
) -> None:
    said, answer = AMISS[world.device.language], ANSWER[world.device.language]
    who = world.visitor(cities.helsinki)
    who.open("/search?q=kerbside")
    who.follow("Kerbside parking in london")
    who.follow(who.t("report.title"))
    who.page.locator("input[name=kind]").first.check()
    who.page.locator("#text").fill(said)
    who.press(who.t("report.send"))
    world.kept["standing"] = who.page.url
    grace = clerk(world, cities, cities.london, "grace")
    grace.open("/desk/inbox")
    _until(grace, said)
    grace.follow(grace.page.locator(".needs > li", has_text=said).get_by_role("link"))
    grace.page.locator("#outcome-mended").check()
    grace.page.locator("#reason").fill(answer)
    grace.press(grace.t("desk.report.close_do"))
    _until(who, answer)
    assert who.t("report.standing.mended") in who.main()
