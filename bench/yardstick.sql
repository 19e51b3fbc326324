\set sku random(1, 1000)
\set other random(1, 1000)
BEGIN;
UPDATE shelf SET on_hand = on_hand - 1 WHERE sku = :sku AND on_hand >= 1;
INSERT INTO purchase (buyer, total_fen, state) VALUES ('guest@example.com', 6180, 'paid') RETURNING id AS purchase \gset
INSERT INTO purchase_line (purchase_id, sku, quantity, unit_price_fen) VALUES (:purchase, :sku, 1, 4800), (:purchase, :other, 1, 1380);
INSERT INTO settlement (purchase_id, method, amount_fen) VALUES (:purchase, 'card', 6180);
COMMIT;
