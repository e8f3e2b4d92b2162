"""The same questions in ClickHouse's SQL, written another way on purpose: where two ways agree, neither slipped."""
