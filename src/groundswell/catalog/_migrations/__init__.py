"""Alembic revisions of the catalog, one file each in `versions/`; `groundswell.catalog._upgrade` runs them."""
