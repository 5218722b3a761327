"""The verbs of events: all that can happen to an entry, said the same way by every room."""

from groundswell.errors import InvalidNameError, choices

__all__ = ["COMMIT_VERBS", "VERBS", "check_verb"]

VERBS = {
    "created": "an entry came to be: a group, a view, a run, training data",
    "described": "its description was changed",
    "tagged": "it was given a tag, or another value for one",
    "untagged": "a tag was taken from it",
    "schema changed": "other values were allowed for a tag",
    "required": "a kind of entries was obliged to have a tag",
    "unrequired": "a kind of entries may do without a tag again",
    "defined": "a group's table was made with its columns, by commit 0",
    "inserted": "rows were inserted, by a commit",
    "deleted rows": "rows were deleted by their keys, by a commit",
    "purged": "rows were erased: taken out of every version of a table, by a commit; or out of training data",
    "restored": "a table was brought back to an earlier version, by a commit",
    "evolved": "a table's columns were changed, by a commit",
    "compacted": "rows were moved into fewer files and none was changed, by a commit",
    "vacuumed": "files that only earlier versions need were removed, by a commit",
    "configured": "properties of a table were set, by a commit, or settings of its group",
    "committed": "another tool wrote to a table, by a commit",
    "rewound": "an earlier copy of a table was put in its place",
    "expectations set": "other expectations were put in force for a group",
    "validated": "a batch was held against them",
    "values forgotten": "what rows were was taken out of the reports about batches",
    "rows discarded": "rows of a stream that had broken a rule about batches were dropped",
    "statistics computed": "statistics of a group were computed",
    "published": "the current rows of a group were published as plain files",
    "read for training": "training data was made of a view",
    "pinned": "training data was made of a version of a group, which is kept for it",
    "finished": "a run ended with a result",
    "failed": "a run ended without one, or its process ended before it",
    "registered": "a run's model became a version of a model",
    "alias set": "an alias was pointed to a version of a model",
    "alias removed": "an alias of a version of a model was removed",
    "deployed": "a version of a model was deployed",
    "deleted": "an entry was removed, or a model's files",
}
"""Every verb, with what happened."""

COMMIT_VERBS = {
    "create": "defined",
    "insert": "inserted",
    "delete": "deleted rows",
    "vacuum": "vacuumed",
    "purge": "purged",
    "restore": "restored",
    "schema": "evolved",
    "compaction": "compacted",
    "properties": "configured",
}
"""The verb of each kind of commit; of any other kind it is "committed"."""


def check_verb(verb: str) -> str:
    """Return `verb` if there is such a verb.

    Raises:
        InvalidNameError: there is none.
    """
    if verb not in VERBS:
        raise InvalidNameError(f"{verb!r} is no verb of events.", fix=choices(str(verb), VERBS, "verbs"), verb=verb)
    return verb
