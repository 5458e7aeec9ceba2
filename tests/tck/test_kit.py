"""The verdict on a run of the conformance kit: only exactly our 67 tests, each once and each successful, are a yes."""

import pytest

from tests.tck import kit
from tests.tck.scripts import CONSUMER, CONSUMES, PROVIDER, PROVIDES

YES = {test: ["SUCCESSFUL"] for test in kit.IDS}


def read(text: str) -> kit.Results:
    results, last = kit.Results(), ""
    for line in text.splitlines():
        last = kit._take(line, last, results, {})
    return results


def line(test: str, state: str) -> str:
    return f"JUnit Jupiter > CN_01: Scenarios > {test}: Verify: this, that :: {state}"


def test_there_are_67_ids_and_a_script_for_each_negotiation_and_transfer():
    assert len(kit.IDS) == len(set(kit.IDS)) == 67
    assert {test for test in kit.IDS if test.startswith("TP")} == PROVIDES.keys() | CONSUMES.keys()
    assert {test for test in kit.IDS if test.startswith("CN")} == PROVIDER.keys() | CONSUMER.keys()
    assert len({kit.dataset_of(test) for test in kit.IDS}) == 67


def test_datasets_and_offers_are_called_as_the_kit_has_them_written_in():
    assert kit.dataset_of("CN:01-02") == "ACN0102"
    assert kit.offer_of("CN:01-02") == "CD123:ACN0102:456"
    assert kit.dataset_of("CN_C:03-06") == "ACNC0306"


def test_a_run_in_which_all_passed_has_no_faults():
    results = kit.Results(dict(YES))
    assert (results.faults(), results.passed) == ([], 67)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"CN:01-01": ["FAILED"]}, "CN:01-01 failed"),
        ({"CN:01-01": ["SKIPPED"]}, "CN:01-01 skipped"),
        ({"CN:01-01": []}, "CN:01-01 did not run"),
        ({"CN:01-01": ["SUCCESSFUL", "SUCCESSFUL"]}, "CN:01-01 successful, successful"),
        ({"CN:01-01": ["SUCCESSFUL", "FAILED"]}, "CN:01-01 successful, failed"),
        ({"TP:04-01": ["SUCCESSFUL"]}, "TP:04-01 successful and is none of ours"),
    ],
)
def test_anything_else_is_a_fault(changes: dict[str, list[str]], fault: str):
    assert kit.Results(YES | changes).faults() == [fault]


def test_a_run_that_printed_nothing_has_67_faults():
    assert len(read("Exception in thread main").faults()) == 67


def test_what_the_kit_prints_is_read_with_the_reasons_of_failures(capsys: pytest.CaptureFixture[str]):
    printed = [line("CN:01-01", "STARTED"), "a word of the kit", line("CN:01-01", "SUCCESSFUL")]
    printed += [line("CN_C:01-01", "STARTED"), line("CN_C:01-01", "FAILED"), "\tjava.lang.AssertionError: No", "\tat x"]
    printed += [line("MET:01-01", "STARTED"), "\tnot of the one before", line("MET:01-01", "SUCCESSFUL")]
    results = read("\n".join(printed))
    assert results.said == {"CN:01-01": ["SUCCESSFUL"], "CN_C:01-01": ["FAILED"], "MET:01-01": ["SUCCESSFUL"]}
    assert results.words == {"CN_C:01-01": "\tjava.lang.AssertionError: No\n\tat x\n"}
    assert "CN:01-01   passed" in capsys.readouterr().out


def test_the_kit_waits_seconds_and_knows_what_each_test_is_about():
    said = kit.properties(base_url="b", protocol_url="p", triggers="t", port=1, catalogue={"CAT:01-01": "d"})
    read_back = dict(each.split("=", 1) for each in said.splitlines())
    assert int(read_back["dataspacetck.dsp.default.wait"]) <= 10
    assert read_back["CAT_01_01_DATASETID"] == "d"
    assert read_back["CN_01_02_OFFERID"] == "CD123:ACN0102:456"
    assert read_back["TP_C_01_05_AGREEMENTID"] == "ATPC0105"
    assert read_back["dataspacetck.dsp.connector.transfer.initiate.url"] == "t/transfers"
