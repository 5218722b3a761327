"""Map-reduce by statistics that a user writes: word count, common friends, sentiment by counting."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import pyarrow as pa
from hypothesis import strategies as st

from groundswell.statistics import Batch, Moments, Statistic, Together, aggregate
from groundswell.testing import StatisticConformance


class WordCount:
    """How often each word occurs in the column `line`."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def zero(self) -> "WordCount":
        return WordCount()

    def update(self, batch: Batch) -> None:
        for line in batch.column("line").to_pylist():
            self.counts.update(line.split())

    def merge(self, other: "WordCount") -> None:
        self.counts += other.counts

    def result(self) -> dict[str, int]:
        return dict(self.counts)


class CommonFriends:
    """The friends that each two friends share, from rows (person, friends)."""

    def __init__(self) -> None:
        self.shared: dict[tuple[str, str], list[frozenset[str]]] = {}

    def zero(self) -> "CommonFriends":
        return CommonFriends()

    def update(self, batch: Batch) -> None:
        rows = zip(batch.column("person").to_pylist(), batch.column("friends").to_pylist(), strict=True)
        for person, friends in rows:
            for friend in friends:
                self.shared.setdefault(min((person, friend), (friend, person)), []).append(frozenset(friends))

    def merge(self, other: "CommonFriends") -> None:
        for pair, sets in list(other.shared.items()):
            self.shared[pair] = self.shared.get(pair, []) + sets

    def result(self) -> dict[tuple[str, str], list[str]]:
        return {pair: sorted(frozenset.intersection(*sets)) for pair, sets in self.shared.items() if len(sets) == 2}


class Sentiment:
    """Positive less negative words of each author."""

    def __init__(self, positive: frozenset[str], negative: frozenset[str]) -> None:
        self.positive, self.negative = positive, negative
        self.scores: Counter[str] = Counter()

    def zero(self) -> "Sentiment":
        return Sentiment(self.positive, self.negative)

    def update(self, batch: Batch) -> None:
        for author, text in zip(batch.column("author").to_pylist(), batch.column("text").to_pylist(), strict=True):
            words = text.lower().split()
            self.scores[author] += sum((w in self.positive) - (w in self.negative) for w in words)

    def merge(self, other: "Sentiment") -> None:
        self.scores.update(other.scores)

    def result(self) -> dict[str, int]:
        return dict(self.scores)


class TestWordCount(StatisticConformance):
    weighted = False

    def statistic(self) -> Statistic[dict[str, int]]:
        return WordCount()

    def batches(self) -> st.SearchStrategy[Batch]:
        lines = st.lists(st.lists(st.sampled_from(["to", "be", "or", "not"])).map(" ".join), max_size=20)
        return lines.map(lambda rows: Batch(columns={"line": pa.array(rows, pa.string())}))


def in_pieces(table: pa.Table, rows: int) -> Iterator[Batch]:
    return (Batch.from_arrow(piece) for piece in table.to_batches(max_chunksize=rows))


def test_word_count() -> None:
    table = pa.table({"line": ["deer bear river", "car car river", "deer car bear"]})
    for rows in (1, 2, 3):
        assert aggregate(in_pieces(table, rows), WordCount()).result() == {"deer": 2, "bear": 2, "river": 2, "car": 3}


def test_common_friends_against_sets() -> None:
    friends = {"A": "BCD", "B": "ACDE", "C": "ABDE", "D": "ABCE", "E": "BCD"}
    table = pa.table({"person": list(friends), "friends": [list(names) for names in friends.values()]})
    expected = {
        (a, b): sorted(set(friends[a]) & set(friends[b])) for a, b in combinations(friends, 2) if b in friends[a]
    }
    for rows in (1, 2, 5):
        assert aggregate(in_pieces(table, rows), CommonFriends()).result() == expected


def test_sentiment_by_counting() -> None:
    statistic = Sentiment(frozenset({"good", "great"}), frozenset({"bad", "awful"}))
    table = pa.table({"author": ["x", "y", "x"], "text": ["Good great day", "awful", "not bad"]})
    for rows in (1, 2, 3):
        assert aggregate(in_pieces(table, rows), statistic).result() == {"x": 1, "y": -1}


def test_the_prototype_stays_empty_and_statistics_of_users_go_together_with_ours() -> None:
    both = Together({"words": WordCount(), "moments": Moments()})
    table = pa.table({"line": ["a b", "a"], "x": [1.0, 3.0]})
    result = aggregate([Batch.from_arrow(table, X=["x"])], both).result()
    assert result["words"] == {"a": 2, "b": 1}
    assert result["moments"].mean.tolist() == [2.0]
    assert both.result()["words"] == {}
