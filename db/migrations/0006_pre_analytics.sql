-- Events, their rollups, trending products and reports.
SELECT 1;
