"""Prepare what `plot` and `report` draw: clouds, moments, tables and the HTML page."""
