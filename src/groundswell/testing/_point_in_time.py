"""The conformance suite of the point-in-time join.

Each test states one rule of what a join of groups to labels must give, with the answer written out. An engine passes if
all of them do; whoever writes an engine subclasses the suite in its own tests.
"""

from groundswell.testing._rules_availability import AvailabilityRules
from groundswell.testing._rules_joining import JoiningRules, KeyRules
from groundswell.testing._rules_matching import MatchingRules, VersionRules, WhereRules
from groundswell.testing._rules_values import NameRules, TimeZoneRules, ValueRules

__all__ = ["PointInTimeConformance"]


class PointInTimeConformance(
    MatchingRules,
    VersionRules,
    WhereRules,
    AvailabilityRules,
    JoiningRules,
    KeyRules,
    ValueRules,
    NameRules,
    TimeZoneRules,
):
    """The rules of the point-in-time join (also: as-of join, temporal join) for one engine.

    Implement `join`, name the errors with which the engine refuses null keys and times in groups as `refusals`, and let
    pytest collect the class. Whatever `join` needs, such as a temporary folder, comes from fixtures of the subclass:

        class TestMyEngine(PointInTimeConformance):
            @pytest.fixture(autouse=True)
            def folder(self, tmp_path):
                self.path = tmp_path

            def join(self, groups, labels, event_time):
                return my_engine(self.path).join(groups, labels, event_time)
    """
