-- A shop reduced to what any honest order must write, so that there is something to compare with.
CREATE TABLE shelf (
    sku integer PRIMARY KEY,
    on_hand integer NOT NULL CHECK (on_hand >= 0)
) WITH (fillfactor = 50);
CREATE TABLE purchase (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    buyer text NOT NULL,
    total_fen bigint NOT NULL,
    state text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE purchase_line (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purchase_id bigint NOT NULL REFERENCES purchase (id),
    sku integer NOT NULL,
    quantity integer NOT NULL,
    unit_price_fen bigint NOT NULL
);
CREATE INDEX ON purchase_line (purchase_id);
CREATE TABLE settlement (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purchase_id bigint NOT NULL REFERENCES purchase (id),
    method text NOT NULL,
    amount_fen bigint NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON settlement (purchase_id);
INSERT INTO shelf SELECT sku, 1000000000 FROM generate_series(1, 1000) AS sku;
