-- Following the Product service, suggestions while typing, words for spelling, and recommendations.

-- One pull of the Product service's catalogue. The cursor is kept after each batch, so that a pull goes on where it was.
CREATE TABLE catalogue_syncs (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    -- NULL: all products; else those that changed since.
    updated_since timestamptz,
    cursor text CHECK (length(cursor) <= 2000),
    seen bigint NOT NULL DEFAULT 0 CHECK (seen >= 0),
    added bigint NOT NULL DEFAULT 0 CHECK (added >= 0),
    changed bigint NOT NULL DEFAULT 0 CHECK (changed >= 0),
    rejected bigint NOT NULL DEFAULT 0 CHECK (rejected >= 0),
    -- The latest change that was seen, by the Product service's clock: where the next pull of changes begins.
    newest timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    -- Why it was given up; the next one begins anew.
    failure text CHECK (length(failure) <= 500),
    CHECK (failure IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX catalogue_syncs_open ON catalogue_syncs (id) WHERE ended_at IS NULL;
CREATE INDEX catalogue_syncs_newest ON catalogue_syncs (newest DESC) WHERE ended_at IS NOT NULL AND failure IS NULL;

-- How far the readers of other tables have come.
CREATE TABLE search_marks (
    name text PRIMARY KEY CHECK (length(name) <= 40),
    at timestamptz NOT NULL
);

-- Products whose words changed since suggestions and spelling were last brought up to date.
CREATE TABLE search_reworded (
    product_id text PRIMARY KEY CHECK (length(product_id) <= 128)
);
INSERT INTO search_reworded (product_id) SELECT id FROM products;

-- Who asked for what, each person once per query; the person is a 64-bit hash.
CREATE TABLE search_askers (
    query text NOT NULL COLLATE "C" CHECK (length(query) <= 80),
    asker bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (query, asker)
);
CREATE INDEX search_askers_last ON search_askers (last_at);

CREATE TABLE search_suggestions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('query', 'product', 'category', 'brand')),
    -- What it is known by: the product's id, else the text in lower case.
    name text NOT NULL COLLATE "C" CHECK (length(name) <= 500),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
    weight real NOT NULL CHECK (weight >= 0),
    -- Of a product: what it was counted under, to be brought up to date when it leaves.
    category text CHECK (length(category) <= 500),
    brand text CHECK (length(brand) <= 200),
    UNIQUE (kind, name)
);

-- What may be typed to get a suggestion: its text from the beginning, and from the beginning of its next words.
CREATE TABLE search_suggestion_keys (
    key text NOT NULL COLLATE "C" CHECK (length(key) BETWEEN 1 AND 32),
    suggestion_id bigint NOT NULL REFERENCES search_suggestions ON DELETE CASCADE,
    weight real NOT NULL,
    PRIMARY KEY (key, suggestion_id) INCLUDE (weight)
);
CREATE INDEX search_suggestion_keys_of ON search_suggestion_keys (suggestion_id);

-- Where so many keys begin alike that they are not read one by one: their best.
CREATE TABLE search_suggestion_tops (
    prefix text PRIMARY KEY COLLATE "C" CHECK (length(prefix) BETWEEN 1 AND 32),
    suggestion_ids bigint[] NOT NULL
);

-- The catalogue's words as they are written, for spelling. How many products have one is known by its stem.
CREATE TABLE search_words (
    word text PRIMARY KEY COLLATE "C" CHECK (length(word) BETWEEN 4 AND 20),
    stem text NOT NULL CHECK (length(stem) <= 40)
);

-- Each word without one of its letters, and as it is: two words that differ by one edit share such a piece.
CREATE TABLE search_word_pieces (
    piece text NOT NULL COLLATE "C" CHECK (length(piece) BETWEEN 3 AND 20),
    word text NOT NULL COLLATE "C" CHECK (length(word) BETWEEN 4 AND 20),
    PRIMARY KEY (piece, word)
);

-- Who was interested in what, once per person and product. The person is `c:` and a customer's id or `v:` and a
-- visitor's. kind: 1 looked at, 2 put into the cart, 3 bought; the strongest counts.
CREATE TABLE user_interests (
    person text NOT NULL CHECK (length(person) <= 210),
    product_id text NOT NULL CHECK (length(product_id) <= 200),
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    last_at timestamptz NOT NULL,
    PRIMARY KEY (person, product_id)
);
CREATE INDEX user_interests_last ON user_interests (last_at);

-- relation: `together` in the same orders, `also` by the same people one after the other. Best first, at most 50.
CREATE TABLE item_neighbours (
    relation text NOT NULL CHECK (relation IN ('together', 'also')),
    product_id text NOT NULL CHECK (length(product_id) <= 200),
    neighbour_ids text[] NOT NULL,
    scores real[] NOT NULL,
    -- People or orders that had the product at all.
    support integer NOT NULL CHECK (support >= 0),
    built_at timestamptz NOT NULL,
    PRIMARY KEY (relation, product_id),
    CHECK (cardinality(neighbour_ids) = cardinality(scores))
);

-- What was worked out ahead for people who were here lately. Everybody else is worked out when asking.
CREATE TABLE user_recommendations (
    person text PRIMARY KEY CHECK (length(person) <= 210),
    product_ids text[] NOT NULL,
    scores real[] NOT NULL,
    reasons text[] NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    CHECK (cardinality(product_ids) = cardinality(scores) AND cardinality(product_ids) = cardinality(reasons))
);
CREATE INDEX user_recommendations_made ON user_recommendations (made_at);
