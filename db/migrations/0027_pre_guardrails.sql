-- What an experiment's guardrails tolerate is settled before anybody looks.

-- As many rows as there were experiments.
-- squawk-ignore-file constraint-missing-not-valid
ALTER TABLE experiments
    -- So much worse, relative to the control, is still "not worse".
    ADD COLUMN tolerance double precision NOT NULL DEFAULT 0.05,
    ADD CONSTRAINT experiments_tolerance CHECK (tolerance > 0 AND tolerance <= 1);
