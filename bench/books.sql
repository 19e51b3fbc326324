-- %(orders)s paid orders, each with one line, wholly refunded: three journal entries each.
-- The first %(today)s were paid and refunded on %(day)s, the others on the day before.
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT n, md5('order' || n)::uuid AS order_id, md5('part' || n)::uuid AS part_id,
    md5('line' || n)::uuid AS line_id, md5('payment' || n)::uuid AS payment_id,
    md5('refund' || n)::uuid AS refund_id, lpad(n::text, 14, '0') AS number,
    1000 + n %% 9000 AS fen,
    %(day)s::date - CASE WHEN n <= %(today)s THEN 0 ELSE 1 END AS day,
    (%(day)s::date - CASE WHEN n <= %(today)s THEN 0 ELSE 1 END)::timestamp
        AT TIME ZONE 'Asia/Shanghai' + (n %% 80000) * interval '1 second' AS at
FROM generate_series(1, %(orders)s) AS n;

INSERT INTO customer_order (id, number, state, buyer_name, buyer_kind, buyer_key, purpose,
    payment_terms, channel_id, platform_id, storefront_id, recipient, phone_encrypted, phone_hash,
    division_code, division_text, address_detail, note, adult_confirmed, language, goods_fen,
    discount_fen, freight_fen, total_fen, placed_at, pay_before, paid_at)
SELECT order_id, number, 'paid', '', 'public', number, 'personal', 'prepay', channel.id,
    platform.id, storefront.id, '', '', '', '310110', '', '', '', false, 'zh', fen, 0, 0, fen, at,
    at, at
FROM made, (SELECT id FROM channel LIMIT 1) AS channel,
    (SELECT id FROM sales_platform LIMIT 1) AS platform,
    (SELECT id FROM storefront LIMIT 1) AS storefront;

INSERT INTO consignment (id, number, order_id, cooperative_id, state, goods_fen, discount_fen,
    freight_fen, total_fen, paid_at)
SELECT part_id, number || '-1', order_id, shop.ids[1 + n %% cardinality(shop.ids)],
    'pending_shipment', fen, 0, 0, fen, at
FROM made, (SELECT array_agg(id ORDER BY code) AS ids FROM cooperative) AS shop;

INSERT INTO order_line (id, order_id, consignment_id, sku_id, position, product_name, sku_name,
    snapshot, unit_price_fen, quantity, shipped_quantity, goods_fen, discount_fen, freight_fen,
    back_goods_fen, weight_g, no_return_confirmed)
SELECT line_id, order_id, part_id, sku.id, 1, '', '', '{}', fen, 1, 0, fen, 0, 0, fen, 500, false
FROM made, (SELECT id FROM sku LIMIT 1) AS sku;

INSERT INTO journal_entry (id, subject, subject_id, event, day, at, payment_id, order_id, note,
    recorded_at)
SELECT md5(subject || event || n)::uuid, subject,
    CASE subject WHEN 'payment' THEN payment_id ELSE refund_id END, event, day, at, payment_id,
    order_id, '', at
FROM made, (VALUES ('payment', 'captured'), ('refund', 'requested'), ('refund', 'succeeded'))
    AS cause (subject, event);

INSERT INTO posting (entry_id, position, account, party, amount_fen)
SELECT md5(subject || event || n)::uuid, leg.position, account,
    CASE account WHEN 'cooperative_payable' THEN cooperative.code ELSE '' END, sign * fen
FROM made JOIN consignment ON consignment.id = part_id
JOIN cooperative ON cooperative.id = cooperative_id, (VALUES
    ('payment', 'captured', 1, 'provider_clearing', 1),
    ('payment', 'captured', 2, 'cooperative_payable', -1),
    ('refund', 'requested', 1, 'refunds_in_flight', -1),
    ('refund', 'requested', 2, 'cooperative_payable', 1),
    ('refund', 'succeeded', 1, 'refunds_in_flight', 1),
    ('refund', 'succeeded', 2, 'provider_clearing', -1)
) AS leg (subject, event, position, account, sign);

INSERT INTO payment (id, order_id, method, state, amount_fen, currency, captured_fen,
    refunded_fen, reference, intent_reference, charge_reference, expires_at, created_at, settled_at)
SELECT payment_id, order_id, 'stripe', 'succeeded', fen, 'CNY', fen, fen, 'cs_' || n, 'pi_' || n,
    'ch_' || n, at, at, at
FROM made;

INSERT INTO refund (id, number, order_id, payment_id, state, cause, amount_fen, goods_fen,
    freight_fen, reason, reference, requested_at, sent_at, settled_at)
SELECT refund_id, number || 'R1', order_id, payment_id, 'succeeded', 'staff', fen, fen, 0, '',
    're_' || n, at, at, at
FROM made;

INSERT INTO refund_line (refund_id, order_line_id, goods_fen, freight_fen, withdrawn, returned)
SELECT refund_id, line_id, fen, 0, 0, 0 FROM made;

INSERT INTO aid_entry (id, kind, at, day, sale_at, sale_day, platform_code, platform_name,
    channel_code, channel_name, buyer_kind, buyer_key, purpose, rule_set_code, rule_reason,
    cooperative_code, cooperative_name, product_code, product_name, sku_code, sku_name,
    category_code, category_name, aid_certified, quantity, weight_g, goods_fen, freight_fen,
    order_id, order_number, order_line_id, cause_id, reason, recorded_at)
SELECT gen_random_uuid(), kind, at, day, at, day, '', '', '', '', 'public', number, 'personal', '',
    '', '', '', '', '', '', '', '', '', true, sign, sign * 500, sign * fen, 0, order_id, number,
    line_id, CASE sign WHEN 1 THEN payment_id ELSE refund_id END, '', at
FROM made, (VALUES ('sale', 1), ('refund', -1)) AS entry (kind, sign);
