"""Fills in what pages do not write by hand."""
