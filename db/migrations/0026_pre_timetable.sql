-- What the clock that leads means to do: for people who ask when a job ran last and when it runs next. The clock alone
-- writes it; it decides by its own timetable and by schedule_slots, never by this.
CREATE TABLE timetable (
    schedule text PRIMARY KEY CHECK (length(schedule) <= 80),
    job text NOT NULL CHECK (length(job) <= 80),
    queue text NOT NULL CHECK (length(queue) <= 40),
    cron text NOT NULL CHECK (length(cron) <= 60),
    zone text NOT NULL CHECK (length(zone) <= 60),
    last_slot timestamptz,
    -- The newest job that it staged; its row may be pruned by now.
    last_job_id text CHECK (length(last_job_id) <= 40),
    next_slot timestamptz NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now()
);
