"""Laws of what is told of a run: titles, owners, lines, and nothing that is not so."""

from node.catalog.public_runs import PublicRuns
from node.catalog.story import owner_of, title_of
from node.vocab.ntriples import Triple
from tests.catalog.rig import ID, City, dataset, datasets, turtle

T = "<http://purl.org/dc/terms/title>"
P = "<http://purl.org/dc/terms/publisher>"
N = "<http://xmlns.com/foaf/0.1/name>"
OWNED = '; dct:publisher [ a foaf:Agent ; foaf:name "Parks department" ]'


def told(city: City, number: int) -> list[tuple[str, str, str]]:
    rows = city.node.stories.rows(city.node.runs.get(number))
    return [(row.change, row.title, row.owner) for row in rows]


def test_a_run_is_told_with_titles_and_owners(city: City) -> None:
    city.harvest(turtle(dataset("n1", more=OWNED), dataset("n2"), *(dataset(f"m{n}") for n in range(18))))
    run = city.harvest(
        turtle(
            dataset("n1", "A new title", more=OWNED),
            *(dataset(f"m{n}") for n in range(18)),
            dataset("n3"),
            f"d:bad a dcat:Dataset {OWNED} .",
        )
    )
    assert told(city, run.id) == [
        ("refused", "", "Parks department"),
        ("changed", "A new title", "Parks department"),
        ("added", "Title of n3", ""),
        ("withdrawn", "Title of n2", ""),
    ]
    assert len(told(city, 1)) == 20
    assert {change for change, _, _ in told(city, 1)} == {"added"}


def test_a_run_that_wrote_nothing_has_nothing_to_tell(city: City) -> None:
    city.harvest(datasets(1))
    run = city.harvest(datasets(1))
    assert told(city, run.id) == []
    assert city.node.stories.differences(run) == []


def test_a_change_is_told_line_by_line(city: City) -> None:
    city.harvest(datasets(1, 2))
    run = city.harvest(turtle(dataset("n1", "Better"), dataset("n2"), dataset("n3")))
    (difference,) = city.node.stories.differences(run)
    assert (difference.iri, difference.title) == (ID + "n1", "Better")
    assert difference.removed == (f'<{ID}n1> {T} "Title of n1"@en .',)
    assert difference.added == (f'<{ID}n1> {T} "Better"@en .',)


def test_a_record_that_came_back_is_added_and_not_changed(city: City) -> None:
    city.add(city.write("", "portal.ttl"), threshold_percent=100)
    city.harvest(datasets(1, 2))
    city.harvest(datasets(1))
    run = city.harvest(datasets(1, 2))
    assert told(city, run.id) == [("added", "Title of n2", "")]
    assert city.node.stories.differences(run) == []


def test_long_stories_are_cut_and_ranges_of_many_pages_are_read_to_the_end(city: City) -> None:
    run = city.harvest(datasets(*range(1203)))
    assert len(city.node.stories.rows(run)) == 1203
    assert len(city.node.stories.rows(run, limit=7)) == 7
    titles = {row.title for row in city.node.stories.rows(run)}
    assert len(titles) == 1203


def test_an_erased_entry_is_told_as_erased(city: City) -> None:
    city.harvest(datasets(1))
    run = city.harvest(turtle(dataset("n1", "Second")))
    city.harvest(turtle(dataset("n1", "Third")))
    with city.node.db.write() as tx:
        city.node.journals.erase(tx, "open-data", 2, at_ms=9_000)
    assert told(city, run.id) == [("changed", "(erased)", "")]
    assert city.node.stories.differences(run) == []


def test_the_rows_of_a_dry_run_are_its_story(city: City) -> None:
    run = city.harvest(datasets(1, 2), dry_run=True)
    assert [change for change, _, _ in told(city, run.id)] == ["added", "added"]


def test_a_title_is_the_original_in_the_reader_s_language_else_any_original() -> None:
    def titles(*terms: str) -> list[Triple]:
        return [("<r>", T, term) for term in terms] + [("<x>", T, '"Another\'s"@en')]

    assert title_of(titles('"De"@nl', '"The"@en', '"Le"@fr'), "r") == "The"
    assert title_of(titles('"De"@nl', '"The"@en-t-nl'), "r") == "De"
    assert title_of(titles('"De"@nl', '"The"@en'), "r", "nl") == "De"
    assert title_of(titles('"The"@en-t-nl'), "r") == "The"
    assert title_of(titles(), "r") == "r"


def test_an_owner_is_a_name_else_an_iri_else_nobody() -> None:
    assert owner_of([("<r>", P, "<o>"), ("<o>", N, '"Org"'), ("<x>", N, '"Else"')], "r") == "Org"
    assert owner_of([("<r>", P, "<https://o.example>")], "r") == "https://o.example"
    assert owner_of([("<r>", P, '"Plain"')], "r") == "Plain"
    assert owner_of([("<x>", P, '"Plain"')], "r") == ""


def test_a_publisher_is_named_in_the_language_of_the_desk_as_a_title_is() -> None:
    names = ['"Helsingfors stadsmiljösektor"@sv', '"Helsinki Urban Environment"@en', '"Helsingin kaupunkiympäristö"@fi']
    told = [("<r>", P, "<o>"), *(("<o>", N, name) for name in names)]
    assert owner_of(told, "r") == "Helsinki Urban Environment"
    assert owner_of(told, "r", "fi") == "Helsingin kaupunkiympäristö"
    assert owner_of(told, "r", "sv") == "Helsingfors stadsmiljösektor"


def test_what_the_public_sees_names_no_host_and_no_address_of_the_source(city: City) -> None:
    city.harvest(datasets(1))
    public = PublicRuns(city.node.runs, city.node.stories, city.node.shelf)
    run = public.get(1)
    assert run is not None
    assert (run.state, run.counters["added"], run.stage, run.heartbeat_at is not None) == ("succeeded", 1, "", True)
    assert [each.id for each in public.recent(5)] == [1]
    assert [row.change for row in public.rows(1, limit=5)] == ["added"]
    assert public.get(9) is None
    assert public.rows(9, limit=5) == []
    assert str(city.folder) not in repr(run)
    held = city.node.runs.get(1)
    assert held.holder not in repr(run)


def test_a_public_reason_names_no_path(city: City) -> None:
    city.harvest(datasets(1))
    (city.folder / "portal.ttl").unlink()
    run = city.run()
    assert str(city.folder) in run.reason, "the city's own people see which file"
    public = PublicRuns(city.node.runs, city.node.stories, city.node.shelf).get(run.id)
    assert public is not None
    assert public.state == "failed"


def test_runs_of_a_restricted_collection_are_not_there_for_the_public(city: City) -> None:
    city.node.create_collection("secret", title="Secret", visibility="restricted", at_ms=1)
    city.add(city.write(datasets(2), "hidden.ttl"), "hidden", collection="secret")
    run = city.run("hidden")
    assert run.counters.added == 1
    public = PublicRuns(city.node.runs, city.node.stories, city.node.shelf)
    assert list(public.recent(5)) == []
    assert public.get(run.id) is None
    assert list(public.rows(run.id, limit=5)) == []
    assert city.node.runs.get(run.id).collection == "secret"
