"""What `plot` and `report` show: quantities laid out for pictures and for the page."""
