"""Settings: which source wins, what stops a start, and what is never shown."""

from pathlib import Path

import pytest

from node.errors import Misconfigured
from node.settings import FILE_NAME, HIDDEN, Settings, load
from node.settings.fields import fits


def write(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text)
    return folder


def test_the_command_line_wins_over_environment_over_file_over_default(tmp_path: Path) -> None:
    write(tmp_path, 'port = 1001\nworkers = 2\npage_size = 50\nname = "Espoo"')
    environ = {"CITYNODE_PORT": "1002", "CITYNODE_WORKERS": "3"}
    settings = load(environ=environ, data=tmp_path, overrides={"port": 1003, "host": None})
    assert (settings.port, settings.workers, settings.page_size, settings.host) == (1003, 3, 50, "127.0.0.1")
    given = {shown.key: shown.given_by for shown in settings.show()}
    assert (given["port"], given["workers"], given["page_size"], given["host"]) == (
        "command line",
        "environment",
        FILE_NAME,
        "default",
    )


def test_the_data_folder_comes_from_the_command_line_else_from_the_environment(tmp_path: Path) -> None:
    assert load(environ={"CITYNODE_DATA": str(tmp_path)}).data == tmp_path
    assert load(environ={"CITYNODE_DATA": "/elsewhere"}, data=tmp_path).data == tmp_path


@pytest.mark.parametrize(
    ("base_url", "port"),
    [
        ("http://127.0.0.1:8100", 8100),
        ("http://localhost:8100/city", 8100),
        ("http://[::1]:8100", 8100),
        ("http://127.0.0.1", 8000),
        ("https://127.0.0.1:8443", 8000),  # something in front of the node speaks TLS
        ("http://10.0.0.7:8100", 8000),
        ("https://data.city.example:8443", 8000),
    ],
)
def test_a_node_of_this_machine_alone_listens_where_its_links_lead(tmp_path: Path, base_url: str, port: int) -> None:
    write(tmp_path, f'base_url = "{base_url}"')
    assert load(environ={}, data=tmp_path).port == port
    given = {one.key: one.given_by for one in load(environ={}, data=tmp_path).show()}
    assert given["port"] == ("base_url" if port != 8000 else "default")
    assert load(environ={"CITYNODE_PORT": "8200"}, data=tmp_path).port == 8200, "whoever says a port means it"
    assert load(environ={}, data=tmp_path, overrides={"port": 8300}).port == 8300


@pytest.mark.parametrize("name", ["CITYNODE_PROT", "CITYNODE_BASEURL", "CITYNODE_port_", "CITYNODE_"])
def test_an_unknown_variable_stops_the_start(name: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="Did you mean CITYNODE_"):
        load(environ={name: "1"}, data=tmp_path)


def test_an_unknown_key_names_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"CITYNODE_PROT is no setting.*CITYNODE_PORT"):
        load(environ={"CITYNODE_PROT": "1"}, data=tmp_path)
    with pytest.raises(Misconfigured, match=r"prot is no setting.*port"):
        load(environ={}, data=write(tmp_path, "prot = 1"))
    with pytest.raises(Misconfigured, match=r"--prot is no setting.*--port"):
        load(environ={}, data=tmp_path / "none", overrides={"prot": 1})


def test_what_container_platforms_inject_is_left_alone(tmp_path: Path) -> None:
    injected = {
        "CITYNODE_SERVICE_HOST": "10.0.0.1",
        "CITYNODE_SERVICE_PORT_HTTP": "80",
        "CITYNODE_PORT": "tcp://10.0.0.1:80",
        "CITYNODE_PORT_80_TCP": "tcp://10.0.0.1:80",
        "CITYNODE_PORT_80_TCP_PROTO": "tcp",
        "CITYNODE_PORT_80_TCP_ADDR": "10.0.0.1",
        "CITYNODE_TEST_DATA": "anything",
    }
    assert load(environ=injected, data=tmp_path).port == 8000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", "0"),
        ("port", "99999"),
        ("port", "http"),
        ("workers", "0"),
        ("base_url", "ftp://x"),
        ("base_url", "https://"),
        ("base_url", "https://user@host"),
        ("base_url", "https://host/?q"),
        ("languages", ""),
        ("languages", "english"),
        ("accent", "blue"),
        ("place", "Helsinki"),
        ("place", "60.17"),
        ("place", "91,0"),
        ("place", "0,-181"),
        ("place", "1e3,0"),
        ("place", "nan,0"),
        ("place", "60.17,24.94,3"),
        ("log_format", "xml"),
        ("private_origins", "10.0.0.1"),
        ("private_origins", "http://10.0.0.1/path"),
        ("database_url", "mysql://x/y"),
        ("contact_mailbox", "nobody"),
        ("withdraw_threshold_percent", "101"),
    ],
)
def test_a_value_that_does_not_fit_stops_the_start_and_is_named(key: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=f"CITYNODE_{key.upper()}: "):
        load(environ={f"CITYNODE_{key.upper()}": value}, data=tmp_path)


def test_a_colour_that_is_none_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="CITYNODE_ACCENT: must be a colour: # and six of 0-9 and a-f") as caught:
        load(environ={"CITYNODE_ACCENT": "#12345"}, data=tmp_path)
    assert "pattern" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("page_size", "1 to 1000"),
        ("peer_poll_s", "from 1"),
        ("accent", "`#` and six of 0-9, a-f"),
        ("second_factor", "`everyone`, `deciders`, `optional`"),
        ("metrics", "`true`, `false`"),
        ("name", "at most 80 characters"),
        ("namespaces", "at most 31 of them"),
        ("host", ""),
    ],
)
def test_what_fits_is_said_for_each_setting(key: str, said: str) -> None:
    assert fits(Settings.model_fields[key]) == said


def test_a_list_may_be_written_with_commas_or_as_a_toml_array(tmp_path: Path) -> None:
    assert load(environ={"CITYNODE_LANGUAGES": "fi, sv,fi"}, data=tmp_path).languages == ("fi", "sv")
    assert load(environ={}, data=write(tmp_path, 'languages = ["fi", "sv"]')).languages == ("fi", "sv")


@pytest.mark.parametrize(
    ("said", "point"),
    [("", None), ("60.17,24.94", (60.17, 24.94)), (" -34.6 , -58.38 ", (-34.6, -58.38)), ("0,0", (0.0, 0.0))],
)
def test_a_place_is_a_point_or_none(said: str, point: tuple[float, float] | None, tmp_path: Path) -> None:
    assert load(environ={"CITYNODE_PLACE": said}, data=tmp_path).point == point


def test_the_base_url_loses_its_trailing_slash_and_keeps_its_prefix(tmp_path: Path) -> None:
    assert (
        load(environ={"CITYNODE_BASE_URL": "https://a.example/open/"}, data=tmp_path).base_url
        == "https://a.example/open"
    )


@pytest.mark.parametrize(
    ("base_url", "loopback"),
    [
        ("http://127.0.0.1:8001", True),
        ("http://localhost", True),
        ("http://[::1]:8000", True),
        ("https://data.example.city", False),
        ("http://10.0.0.1", False),
    ],
)
def test_only_this_machine_is_loopback(base_url: str, loopback: bool, tmp_path: Path) -> None:
    assert load(environ={"CITYNODE_BASE_URL": base_url}, data=tmp_path).on_loopback is loopback


def test_a_secret_may_be_a_file_and_is_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("postgresql://city:hunter2@db/node\n")
    settings = load(environ={"CITYNODE_DATABASE_URL_FILE": str(secret)}, data=tmp_path)
    assert settings.database == "postgresql://city:hunter2@db/node"
    assert "hunter2" not in repr(settings) + str(settings.show())
    assert {shown.key: shown.value for shown in settings.show()}["database_url"] == HIDDEN


def test_a_secret_is_not_repeated_when_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        load(environ={"CITYNODE_DATABASE_URL": "mysql://city:hunter2@db"}, data=tmp_path)
    assert "hunter2" not in str(caught.value)


def test_a_secret_given_twice_or_in_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    both = {"CITYNODE_DATABASE_URL": "postgresql://x/y", "CITYNODE_DATABASE_URL_FILE": "/x"}
    with pytest.raises(Misconfigured, match="given twice"):
        load(environ=both, data=tmp_path)
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(environ={"CITYNODE_DATABASE_URL_FILE": str(tmp_path / "none")}, data=tmp_path)
    with pytest.raises(Misconfigured, match="no setting"):
        load(environ={"CITYNODE_PORT_FILE": "/x"}, data=tmp_path)


def test_a_broken_settings_file_says_where(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="line 2"):
        load(environ={}, data=write(tmp_path, 'name = "x"\nport 1'))
    with pytest.raises(Misconfigured, match="cannot be set in the data folder"):
        load(environ={}, data=write(tmp_path, 'data = "/x"'))
    (tmp_path / FILE_NAME).write_bytes(b"\xff")
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(environ={}, data=tmp_path)


def test_every_setting_says_what_it_means_in_a_sentence() -> None:
    for key, field in Settings.model_fields.items():
        assert field.description, key
        assert field.description.endswith("."), key
        assert not field.is_required(), key
