import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from groundswell.diagnosis import Diagnosis, Finding, diagnose
from groundswell.errors import CorruptionError


def finding(severity: str = "error", what: str = "It is broken.", **more: object) -> Finding:
    return Finding(severity=severity, what=what, where="a/file", fix="Mend it.", **more)


def test_a_diagnosis_without_findings_is_well() -> None:
    diagnosis = Diagnosis(checked={"catalog": 1, "runs": 3}, findings=())
    assert diagnosis.ok
    assert repr(diagnosis) == "Checked the catalog, 3 runs: all is well."
    assert diagnosis._repr_html_() == "<p>Checked the catalog, 3 runs: all is well.</p>"


@pytest.mark.parametrize(
    ("found", "ok"),
    [
        (finding("error"), False),
        (finding("warning"), False),
        (finding("notice"), True),
        (finding("error", repaired="Done."), True),
    ],
)
def test_only_open_errors_and_warnings_are_problems(found: Finding, ok: bool) -> None:
    assert Diagnosis(checked={}, findings=(found,)).ok is ok


def test_a_diagnosis_counts_shows_and_escapes_its_findings() -> None:
    found = (finding(), finding(what="<b>"), finding("warning", repaired="Made again."))
    diagnosis = Diagnosis(checked={"models": 1}, findings=found)
    assert diagnosis.summary == "Checked 1 model: 2 errors, 1 repaired."
    assert str(diagnosis).splitlines()[1:] == [
        "error: It is broken. [a/file] Mend it.",
        "error: <b> [a/file] Mend it.",
        "warning: It is broken. [a/file] Repaired: Made again.",
    ]
    assert "<td>&lt;b&gt;</td>" in diagnosis._repr_html_()
    assert json.loads(json.dumps(diagnosis.to_dict())) == {
        "ok": False,
        "checked": {"models": 1},
        "findings": [
            {"severity": f.severity, "what": f.what, "where": "a/file", "fix": "Mend it.", "repairable": False}
            | {"repaired": f.repaired}
            for f in found
        ],
    }


def test_repairs_run_one_by_one_while_the_check_waits() -> None:
    world = {"state": "broken"}

    def mend() -> str:
        world["state"] = "whole"
        return "Mended."

    def check() -> Iterator[Finding]:
        yield finding(repair=mend)
        if world["state"] == "broken":
            yield finding(what="It is still broken.")

    assert [f.what for f in diagnose([("things", "a thing", check)]).findings] == [
        "It is broken.",
        "It is still broken.",
    ]
    (only,) = diagnose([("things", "a thing", check)], repair=True).findings
    assert only.repaired == "Mended."


def test_a_repair_that_fails_says_so() -> None:
    def fail() -> str:
        raise PermissionError(13, "Permission denied", "a/file")

    (only,) = diagnose([("things", "a thing", lambda: iter([finding(repair=fail)]))], repair=True).findings
    assert only.is_open
    assert only.fix == "Mend it. The repair failed: [Errno 13] Permission denied: 'a/file'"


def test_a_check_that_raises_ends_with_that_and_the_others_go_on() -> None:
    def corrupt() -> Iterator[Finding]:
        yield finding("notice")
        raise CorruptionError("The file is cut.", why="It is short.", fix="Restore it.", path="b/file")

    def astray() -> Iterator[Finding]:
        raise KeyError("pins")
        yield

    def checks() -> Iterator[tuple[str, str, object]]:
        yield "things", "a thing", corrupt
        yield "things", "another thing", astray
        yield "things", "a third", lambda: iter([finding("warning")])
        raise CorruptionError("The catalog is cut.", fix="Restore it.")

    diagnosis = diagnose(checks())
    assert diagnosis.checked == {"things": 3}
    assert [(f.severity, f.what, f.where) for f in diagnosis.findings] == [
        ("error", "The file is cut. It is short.", "b/file"),
        ("error", "The another thing cannot be examined: KeyError: 'pins'.", "another thing"),
        ("error", "The catalog is cut.", "catalog"),
        ("warning", "It is broken.", "a/file"),
        ("notice", "It is broken.", "a/file"),
    ]


def test_the_same_finding_of_two_checks_is_told_once() -> None:
    check = lambda: iter([finding()])  # noqa: E731
    assert len(diagnose([("things", "one", check), ("things", "two", check)]).findings) == 1
    assert replace(finding(), repair=str) == finding()
