"""What a feature group keeps beside its table: reports, statistics, what is online, published, joined and streamed.

All of it is made of the rows and may hold values of them. So whoever deletes a group or erases rows looks there too.
"""

from dataclasses import dataclass

import pyarrow as pa

from groundswell.features._group_table import GroupTable
from groundswell.features._joined_rows import JoinedRows
from groundswell.features._online_copies import OnlineCopies
from groundswell.features._publication import Publication
from groundswell.features.expectations import Validations
from groundswell.features.statistics import StatisticsRecords
from groundswell.features.streaming import OpenStreams

__all__ = ["Attachments"]


@dataclass(frozen=True, kw_only=True)
class Attachments:
    """What goes along with the table of a group.

    Args:
        validations: what rows must be, and the reports that say whether they were.
        statistics: the summaries of commits.
        publication: the current rows as plain files.
        online: brings the newest row of each key into the online store.
        joined: rows from outside that were joined to groups of the project.
        open_streams: the streams that are open in this process.
    """

    validations: Validations
    statistics: StatisticsRecords
    publication: Publication
    online: OnlineCopies
    joined: JoinedRows
    open_streams: OpenStreams

    def remove(self) -> None:
        """Remove reports, statistics and what is published; the online store is told before the table goes."""
        self.publication.remove()
        self.validations.remove()
        self.statistics.remove()

    def forget_values(self, place: GroupTable, keys: pa.Table, version: int) -> None:
        """Take out what rows with certain keys have left; what is published goes as a whole.

        Args:
            place: the group's table.
            keys: what was purged.
            version: the commit that purged it.
        """
        self.joined.erase(place.entry, keys, version)
        self.validations.forget_values()
        self.statistics.forget_values(place.table)
        self.publication.remove()
