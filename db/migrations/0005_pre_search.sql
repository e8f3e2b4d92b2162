-- The catalogue as search knows it, its vectors, its lexical index and the log of searches.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE products (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    -- A small number for the postings, of which a product has about a hundred.
    n integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 2000),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 50000),
    category text NOT NULL DEFAULT '' CHECK (length(category) <= 500),
    brand text NOT NULL DEFAULT '' CHECK (length(brand) <= 200),
    -- Whole minor units. No price: it can be found, not bought.
    price bigint CHECK (price >= 0),
    currency text CHECK (currency ~ '^[a-z]{3}$'),
    -- No stock told: it is not counted, and taken to be available.
    stock integer CHECK (stock >= 0),
    attributes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
    image_url text CHECK (length(image_url) <= 2000),
    rating real CHECK (rating BETWEEN 0 AND 5),
    rating_count integer CHECK (rating_count >= 0),
    active boolean NOT NULL DEFAULT true,
    available boolean NOT NULL GENERATED ALWAYS AS (coalesce(stock, 1) > 0) STORED,
    -- Of everything above: an import leaves a row alone whose hash it knows.
    row_hash bytea NOT NULL CHECK (length(row_hash) = 16),
    -- Of the words alone: only when they change, vector and postings are made anew.
    content_hash bytea NOT NULL CHECK (length(content_hash) = 16),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((price IS NULL) = (currency IS NULL))
);
CREATE INDEX products_category ON products (lower(category)) WHERE active;
CREATE INDEX products_brand ON products (lower(brand)) WHERE active;
CREATE INDEX products_price ON products (price) WHERE active;

-- Prices and stock change often and live in products alone: each update of a row here would be a new graph node.
CREATE TABLE product_embeddings (
    product_id text NOT NULL REFERENCES products ON DELETE CASCADE,
    model_version text NOT NULL CHECK (length(model_version) <= 80),
    content_hash bytea NOT NULL CHECK (length(content_hash) = 16),
    v halfvec(384) NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (product_id, model_version)
);
CREATE INDEX product_embeddings_v ON product_embeddings USING hnsw (v halfvec_ip_ops)
    WITH (m = 16, ef_construction = 128);

-- A few hundred vectors of the catalogue: what an unrelated product looks like to a query.
CREATE TABLE search_sample (
    product_id text NOT NULL REFERENCES products ON DELETE CASCADE,
    model_version text NOT NULL CHECK (length(model_version) <= 80),
    v halfvec(384) NOT NULL,
    PRIMARY KEY (model_version, product_id)
);

CREATE TABLE search_terms (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    term text NOT NULL UNIQUE CHECK (length(term) BETWEEN 1 AND 40),
    documents integer NOT NULL DEFAULT 0 CHECK (documents >= 0)
);

-- The words of one product, counted: from here its postings are taken back and weighed anew.
CREATE TABLE search_documents (
    product_n integer PRIMARY KEY REFERENCES products (n) ON DELETE CASCADE,
    term_ids integer[] NOT NULL,
    counts integer[] NOT NULL,
    length integer NOT NULL CHECK (length >= 0),
    -- The average length its postings were weighed for.
    weighed_for real NOT NULL CHECK (weighed_for > 0),
    CHECK (cardinality(term_ids) = cardinality(counts))
);

-- weight: search_weight() below; the part that belongs to the term, its rarity, is taken at query time.
CREATE TABLE search_postings (
    term_id integer NOT NULL,
    product_n integer NOT NULL,
    weight real NOT NULL,
    PRIMARY KEY (term_id, product_n) INCLUDE (weight)
);

-- The BM25 part that belongs to the product; k1 = 1.2 and b = 0.75 are the usual and the measured values.
CREATE FUNCTION search_weight(count integer, length integer, average_length real) RETURNS real
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / average_length)))::real;

-- One row. average_length is the one the postings were weighed for; the true one is total_length / documents.
CREATE TABLE search_corpus (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    documents bigint NOT NULL DEFAULT 0 CHECK (documents >= 0),
    total_length bigint NOT NULL DEFAULT 0 CHECK (total_length >= 0),
    average_length real NOT NULL DEFAULT 0 CHECK (average_length >= 0)
);
INSERT INTO search_corpus (only_row) VALUES (true);

-- What was handed in through the API and waits for its job. Jobs carry ids, so the rows are kept here.
CREATE TABLE catalogue_batches (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    -- gzip of one JSON object a line
    body bytea NOT NULL CHECK (length(body) <= 16777216),
    products integer NOT NULL CHECK (products BETWEEN 1 AND 1000),
    received_at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz
);
CREATE INDEX catalogue_batches_applied ON catalogue_batches (applied_at);

-- One row a search, written without waiting for the disk: the last moments of a crash may be missing.
CREATE TABLE search_queries (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    searched_at timestamptz NOT NULL DEFAULT now(),
    customer_id text CHECK (length(customer_id) <= 200),
    visitor_id text CHECK (length(visitor_id) <= 64),
    query text NOT NULL CHECK (length(query) <= 500),
    normalised text NOT NULL CHECK (length(normalised) <= 500),
    corrected text CHECK (length(corrected) <= 500),
    interpreted jsonb NOT NULL DEFAULT '{}',
    filters jsonb NOT NULL DEFAULT '{}',
    sort text NOT NULL CHECK (length(sort) <= 20),
    mode text NOT NULL CHECK (mode IN ('hybrid', 'semantic', 'lexical')),
    total integer NOT NULL CHECK (total >= 0),
    total_is_exact boolean NOT NULL,
    first_products text[] NOT NULL DEFAULT '{}',
    ranker text NOT NULL CHECK (length(ranker) <= 40),
    degraded boolean NOT NULL DEFAULT false,
    cached boolean NOT NULL DEFAULT false,
    took_ms real NOT NULL CHECK (took_ms >= 0)
);
CREATE INDEX search_queries_time ON search_queries USING brin (searched_at);
CREATE INDEX search_queries_customer ON search_queries (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX search_queries_visitor ON search_queries (visitor_id) WHERE visitor_id IS NOT NULL;
