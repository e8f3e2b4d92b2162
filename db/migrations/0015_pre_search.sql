-- Merchandising, the language of the index, models that take turns, and result lists that stay as they were.

-- Raised in the transaction of the change itself: what a process has read before is known to be old.
CREATE TABLE search_versions (
    name text PRIMARY KEY CHECK (name IN ('catalogue', 'merchandising')),
    version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
    changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO search_versions (name) VALUES ('catalogue'), ('merchandising');

-- Which vectors there are. One model answers; a new one is `building` until every product has its vector, then it
-- answers and the former is `retired` until its vectors are deleted.
CREATE TABLE search_models (
    version text PRIMARY KEY CHECK (length(version) BETWEEN 1 AND 80),
    model text NOT NULL CHECK (length(model) BETWEEN 1 AND 60),
    -- sha256 of the weights, in hex; empty for vectors from before it was kept.
    checksum text NOT NULL CHECK (checksum ~ '^([0-9a-f]{64})?$'),
    text_version text NOT NULL CHECK (length(text_version) <= 20),
    state text NOT NULL CHECK (state IN ('building', 'active', 'retired')),
    added_at timestamptz NOT NULL DEFAULT now(),
    active_since timestamptz,
    retired_at timestamptz,
    CHECK (state = 'building' OR active_since IS NOT NULL),
    CHECK ((state = 'retired') = (retired_at IS NOT NULL))
);
CREATE UNIQUE INDEX search_models_one_active ON search_models (state) WHERE state = 'active';

-- The version whose vectors are most is the one that has been answering.
INSERT INTO search_models (version, model, checksum, text_version, state, active_since, retired_at)
SELECT found.version, split_part(found.version, '/', 1), '', split_part(found.version, '/', 2),
       CASE found.place WHEN 1 THEN 'active' ELSE 'retired' END, now(), CASE found.place WHEN 1 THEN NULL ELSE now() END
  FROM (SELECT model_version AS version, row_number() OVER (ORDER BY count(*) DESC, model_version) AS place
          FROM product_embeddings GROUP BY model_version) found;

ALTER TABLE product_embeddings ADD CONSTRAINT product_embeddings_model
    FOREIGN KEY (model_version) REFERENCES search_models (version) NOT VALID;

-- The Snowball stemmer of queries and of what is imported. While products are put over to another one, queries look
-- under both: `former_language` until the last product is over.
ALTER TABLE search_corpus
    ADD COLUMN language text NOT NULL DEFAULT 'english' CHECK (length(language) <= 20),
    ADD COLUMN former_language text CHECK (length(former_language) <= 20);
ALTER TABLE search_documents ADD COLUMN language text NOT NULL DEFAULT 'english' CHECK (length(language) <= 20);

-- equal: each of the terms finds the others too. one_way: who asks for the first finds the others, not the reverse.
CREATE TABLE search_synonyms (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    kind text NOT NULL CHECK (kind IN ('equal', 'one_way')),
    terms text[] NOT NULL CHECK (cardinality(terms) BETWEEN 2 AND 20),
    -- What was learned from searches is suggested, and applied only when a person made it active.
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('suggested', 'active', 'dismissed')),
    source text NOT NULL DEFAULT 'admin' CHECK (source IN ('admin', 'learned')),
    -- Of a learned one: how often, where from.
    evidence jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(evidence) = 'object'),
    -- In lower case and in order: the same synonyms are kept once.
    folded text NOT NULL CHECK (length(folded) <= 2000),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, folded)
);
CREATE INDEX search_synonyms_state ON search_synonyms (state, id);

CREATE TABLE search_pins (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    query text NOT NULL CHECK (length(query) BETWEEN 1 AND 500),
    -- As queries are compared: one writing of the same words.
    normalised text NOT NULL UNIQUE CHECK (length(normalised) BETWEEN 1 AND 500),
    product_ids text[] NOT NULL CHECK (cardinality(product_ids) BETWEEN 1 AND 50),
    starts_at timestamptz,
    ends_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (ends_at > starts_at)
);

-- The whole order of a search that has further pages, so that these neither repeat nor skip whatever changes
-- meanwhile. Losing it in a crash of the server costs a shopper's place, nothing else.
CREATE UNLOGGED TABLE search_lists (
    search_id text PRIMARY KEY CHECK (length(search_id) <= 40),
    made_at timestamptz NOT NULL DEFAULT now(),
    product_ns integer[] NOT NULL,
    scores real[] NOT NULL,
    -- 1 by meaning, 2 by words, 4 pinned, added up.
    marks smallint[] NOT NULL,
    told jsonb NOT NULL,
    CHECK (cardinality(product_ns) = cardinality(scores) AND cardinality(product_ns) = cardinality(marks))
);
CREATE INDEX search_lists_made ON search_lists (made_at);
