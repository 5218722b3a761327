"""Alembic revisions of the catalog, one file each in `versions/`; `groundswell.catalog._upgrade` runs them.

To change the tables: (1) change `_schema.py`; (2) add `versions/v0002_….py` after the example of the file before it,
with the next number as `revision` and the one before as `down_revision`; (3) write in `upgrade` what takes the older
tables, with rows in them, to the new ones, without SQL of one database only; (4) set `HEAD` in `_schema.py`; (5) run
the tests of the catalog, which compare the two. A revision that was released is never changed.
"""
