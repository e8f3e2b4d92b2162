-- What an experiment's plan settles before anybody looks: how long a visitor counts, and from where money is cut off.

ALTER TABLE experiments
    -- Orders count for so many days after the exposure; 0: for as long as the phase runs, and everybody counts at once.
    ADD COLUMN window_days smallint NOT NULL DEFAULT 0,
    -- So many days more until a visitor is read out, in which refunds come.
    ADD COLUMN settle_days smallint NOT NULL DEFAULT 0,
    -- A visitor's net revenue counts up to here, in whole minor units of the shop's currency. NULL: all of it.
    ADD COLUMN cap_minor bigint;
-- As many rows as there were experiments.
-- squawk-ignore-file constraint-missing-not-valid
ALTER TABLE experiments
    ADD CONSTRAINT experiments_window_days CHECK (window_days BETWEEN 0 AND 90),
    ADD CONSTRAINT experiments_settle_days CHECK (settle_days BETWEEN 0 AND 90),
    ADD CONSTRAINT experiments_cap_minor CHECK (cap_minor > 0);
