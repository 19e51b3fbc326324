-- %(orders)s paid orders of 2026 after number %(first)s, 1.6 lines each, and refunds of every 33rd line.
-- 40,000 buyers, some far busier than others, of 15 units and of none; five channels; 200 sizes of 67
-- products of 7 cooperatives, the first ones sold far more often.
WITH placed AS MATERIALIZED (
    SELECT
        %(first)s::bigint + n AS number,
        date '2026-01-01' + (365::bigint * (n - 1) / %(orders)s)::int AS day,
        floor(40000 * power(random(), 1.7))::int AS buyer,
        greatest(floor(random() * 10)::int - 5, 0) AS channel,
        1 + floor(random() * random() * 4)::int AS lines,
        random() < 0.03 AS gift,
        gen_random_uuid() AS id
    FROM generate_series(1, %(orders)s) AS n
),
sold AS MATERIALIZED (
    SELECT placed.*, buyer %% 16 AS unit, line, gen_random_uuid() AS line_id,
        floor(200 * power(random(), 2))::int AS size, 1 + floor(random() * 3)::int AS pieces
    FROM placed, generate_series(1, lines) AS line
),
entered AS MATERIALIZED (
    SELECT 'sale' AS kind, 1 AS sign, day AS happened, sold.* FROM sold
    UNION ALL
    SELECT 'refund', -1, least(day + 9, date '2026-12-31'), sold.* FROM sold WHERE random() < 0.03
)
INSERT INTO aid_entry (
    id, kind, at, day, sale_at, sale_day,
    platform_code, platform_name, storefront_code, storefront_name, channel_code, channel_name,
    campaign_code, campaign_name, unit_code, unit_name,
    buyer_kind, buyer_key, purpose, aid_class, rule_set_code, rule_reason,
    cooperative_code, cooperative_name, product_code, product_name, sku_code, sku_name,
    category_code, category_name, aid_certified, quantity, weight_g, goods_fen, freight_fen,
    order_id, order_number, order_line_id, cause_id, reason, recorded_at
)
SELECT
    gen_random_uuid(), kind, happened, happened, day, day,
    'self_mall', '示例助农微商城', 'main', '示例助农微商城', 'channel' || channel, '渠道' || channel,
    campaign, '活动' || campaign,
    CASE WHEN unit < 15 THEN 'unit' || unit END, CASE WHEN unit < 15 THEN '单位' || unit END,
    CASE WHEN unit < 10 THEN 'staff' WHEN unit < 15 THEN 'alumni' ELSE 'public' END,
    'user:' || md5(buyer::text)::uuid,
    CASE WHEN gift THEN 'union_gift' ELSE 'personal' END,
    CASE WHEN size %% 20 = 0 THEN NULL WHEN unit < 10 THEN 'direct_purchase' ELSE 'help_sell' END,
    'aid2026', 'buyer_kind', 'coop' || size %% 7, '合作社' || size %% 7,
    'product' || size / 3, '商品' || size / 3, 'size' || size, '规格' || size,
    'category' || size %% 6, '品类' || size %% 6, true,
    sign * pieces, sign * pieces * 500, sign * pieces * (1000 + size * 37),
    CASE WHEN line = 1 THEN sign * 800 ELSE 0 END,
    id, lpad(number::text, 12, '0'), line_id, gen_random_uuid(), '', happened
FROM entered, LATERAL (
    SELECT CASE extract(month FROM day)
        WHEN 2 THEN 'spring' WHEN 5 THEN 'may' WHEN 9 THEN 'autumn' END AS campaign
) AS running
ORDER BY happened, number
