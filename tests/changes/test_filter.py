from datetime import UTC, datetime

import pytest

from groundswell.catalog import Event
from groundswell.changes import Filter
from groundswell.errors import CorruptionError, DataError, InvalidNameError


def event(**changes: object) -> Event:
    plain = {"sequence": 1, "at": datetime.now(UTC), "by": "", "verb": "inserted", "entry_id": "e"}
    plain |= {"kind": "feature_group", "name": "weather", "version": 1, "tags": ["owner", "pii"], "detail": {}}
    return Event(**(plain | changes))


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        ({}, True),
        ({"paths": ["feature_group/weather/1"]}, True),
        ({"paths": ["model/*", "*/weather/*"]}, True),
        ({"paths": ["feature_group/weather"]}, False),
        ({"paths": ["feature_group/Weather/1"]}, False),
        ({"kinds": ["model", "feature_group"]}, True),
        ({"kinds": ["model"]}, False),
        ({"verbs": ["inserted"]}, True),
        ({"verbs": ["deleted"]}, False),
        ({"tags": ["pii", "other"]}, True),
        ({"tags": ["other"]}, False),
        ({"kinds": ["feature_group"], "verbs": ["deleted"]}, False),
    ],
)
def test_all_that_is_given_must_hold(given: dict, passes: bool) -> None:
    wanted = Filter(**given)
    assert wanted.passes(event()) is passes
    assert Filter.from_dict(wanted.to_dict()) == wanted


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"kinds": ["modell"]}, InvalidNameError, r"'modell' is none of the kinds of events\. Did you mean 'model'\?"),
        ({"verbs": ["insert"]}, InvalidNameError, r"Did you mean 'inserted'\?"),
        ({"paths": "model/*"}, DataError, r"paths='model/\*' is no list of texts\. .*paths=\['model/\*'\]"),
        ({"tags": [1]}, DataError, r"tags=\[1\] is no list of texts"),
    ],
)
def test_what_can_never_pass_is_refused(given: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Filter(**given)


@pytest.mark.parametrize("stored", [{"kinds": ["shape"]}, {"colors": ["red"]}, {"paths": 3}])
def test_a_stored_filter_that_is_none_is_damage(stored: dict) -> None:
    with pytest.raises(CorruptionError, match=r"is no filter of events .* Remove the consumer and add it again"):
        Filter.from_dict(stored)
