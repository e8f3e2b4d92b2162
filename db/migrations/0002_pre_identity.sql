-- The Auth service's public keys: every web process checks tokens against these rows and asks nobody else.
CREATE TABLE signing_keys (
    kid text PRIMARY KEY CHECK (length(kid) BETWEEN 1 AND 200),
    -- Public parts only: neither a shared secret (k) nor the private half of a pair (d) ever has a place here.
    jwk jsonb NOT NULL CHECK (jsonb_typeof(jwk) = 'object' AND NOT jwk ?| ARRAY['d', 'k', 'p', 'q']),
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- One row: when somebody last asked for a fetch (at most once a minute, over all processes) and when one came back.
CREATE TABLE signing_key_fetches (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    asked_at timestamptz,
    fetched_at timestamptz
);

-- The first answer to a request that carried an Idempotency-Key, committed together with what the request made.
CREATE TABLE idempotency_keys (
    caller text NOT NULL CHECK (length(caller) BETWEEN 1 AND 220),
    -- Method and path as asked, so that one key on two orders is two requests.
    route text NOT NULL CHECK (length(route) BETWEEN 1 AND 400),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- SHA-256 of the request's canonical body.
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    status smallint NOT NULL CHECK (status BETWEEN 200 AND 499),
    headers jsonb NOT NULL DEFAULT '{}',
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
