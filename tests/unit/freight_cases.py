"""Freight worked out by hand: the figures below are the truth, not a printout of the code.

Amounts in fen, weights in grams. FT_FREE, FT_WEIGHT and FT_COLD are the demo's templates; SACKS has
what those lack: several thresholds, thresholds of one province, steps of several pieces.
"""

FT_FREE = {
    "code": "FT_FREE",
    "name": "大陆多数省份包邮",
    "charge_by": "piece",
    "default": {"first": 1, "first_fee_fen": 0, "additional": 1, "additional_fee_fen": 0},
    "rules": [
        {
            "provinces": ["65", "54"],
            "first": 1,
            "first_fee_fen": 1500,
            "additional": 1,
            "additional_fee_fen": 800,
        },
        {
            "provinces": ["63", "15", "62", "64", "46"],
            "first": 1,
            "first_fee_fen": 800,
            "additional": 1,
            "additional_fee_fen": 500,
        },
    ],
    "not_deliverable": ["71", "81", "82"],
}
FT_WEIGHT = {
    "code": "FT_WEIGHT",
    "name": "重货按重量",
    "charge_by": "weight_g",
    "default": {"first": 1000, "first_fee_fen": 800, "additional": 1000, "additional_fee_fen": 300},
    "rules": [
        {
            "provinces": ["53"],
            "first": 1000,
            "first_fee_fen": 500,
            "additional": 1000,
            "additional_fee_fen": 150,
        },
        {
            "provinces": ["65", "54"],
            "first": 1000,
            "first_fee_fen": 2200,
            "additional": 1000,
            "additional_fee_fen": 1500,
        },
    ],
    "free_conditions": [{"min_goods_fen": 9900, "provinces": "default"}],
    "not_deliverable": ["71", "81", "82"],
}
FT_COLD = {
    "code": "FT_COLD",
    "name": "冷链(顺丰)",
    "charge_by": "weight_g",
    "default": {
        "first": 2000,
        "first_fee_fen": 2500,
        "additional": 1000,
        "additional_fee_fen": 600,
    },
    "rules": [],
    "not_deliverable": ["65", "54", "71", "81", "82"],
}
SACKS = {
    "code": "SACKS",
    "name": "满额分档",
    "charge_by": "piece",
    "default": {"first": 1, "first_fee_fen": 500, "additional": 3, "additional_fee_fen": 100},
    "rules": [
        {
            "provinces": ["53"],
            "first": 2,
            "first_fee_fen": 300,
            "additional": 2,
            "additional_fee_fen": 50,
        }
    ],
    "free_conditions": [
        {"min_goods_fen": 8000, "provinces": "default"},
        {"min_goods_fen": 5000, "provinces": ["53", "52"]},
        {"min_goods_fen": 20000, "provinces": ["65"]},
    ],
    "not_deliverable": ["54"],
}
TEMPLATES = {data["code"]: data for data in (FT_FREE, FT_WEIGHT, FT_COLD, SACKS)}

ANHUI, BEIJING, SHANGHAI, GUANGDONG, HAINAN = "34", "11", "31", "44", "46"
YUNNAN, GUIZHOU, TIBET, GANSU, QINGHAI, NINGXIA = "53", "52", "54", "62", "63", "64"
XINJIANG, INNER_MONGOLIA, TAIWAN, HONG_KONG, MACAU = "65", "15", "71", "81", "82"

# (template, province, pieces, grams, goods of the cooperative, freight or None for "not there")
CASES = [
    # FT_FREE, by piece: most of the mainland pays nothing, whatever the number.
    ("FT_FREE", SHANGHAI, 1, 180, 4800, 0),
    ("FT_FREE", BEIJING, 9999, 1799820, 47995200, 0),
    ("FT_FREE", YUNNAN, 3, 540, 14400, 0),
    ("FT_FREE", GUANGDONG, 12, 2160, 57600, 0),
    # Xinjiang and Tibet: 15 yuan, each further piece 8.
    ("FT_FREE", XINJIANG, 1, 180, 4800, 1500),
    ("FT_FREE", XINJIANG, 2, 360, 9600, 2300),
    ("FT_FREE", XINJIANG, 3, 540, 14400, 3100),
    ("FT_FREE", XINJIANG, 10, 1800, 48000, 8700),
    ("FT_FREE", TIBET, 1, 650, 12800, 1500),
    ("FT_FREE", TIBET, 200, 36000, 960000, 160700),
    # The other far provinces: 8 yuan, each further piece 5. No threshold makes FT_FREE free.
    ("FT_FREE", QINGHAI, 1, 180, 4800, 800),
    ("FT_FREE", QINGHAI, 2, 360, 9600, 1300),
    ("FT_FREE", INNER_MONGOLIA, 4, 720, 19200, 2300),
    ("FT_FREE", GANSU, 3, 540, 14400, 1800),
    ("FT_FREE", NINGXIA, 1, 180, 999900, 800),
    ("FT_FREE", HAINAN, 1, 180, 4800, 800),
    ("FT_FREE", HAINAN, 11, 1980, 52800, 5800),
    ("FT_FREE", TAIWAN, 1, 180, 4800, None),
    ("FT_FREE", HONG_KONG, 1, 180, 4800, None),
    ("FT_FREE", MACAU, 1, 180, 4800, None),
    # FT_WEIGHT by default: 8 yuan the first kilogram, 3 each further one, begun or full.
    ("FT_WEIGHT", SHANGHAI, 1, 1, 1000, 800),
    ("FT_WEIGHT", SHANGHAI, 1, 999, 1000, 800),
    ("FT_WEIGHT", SHANGHAI, 1, 1000, 1000, 800),
    ("FT_WEIGHT", SHANGHAI, 1, 1001, 1000, 1100),
    ("FT_WEIGHT", SHANGHAI, 1, 2000, 1000, 1100),
    ("FT_WEIGHT", SHANGHAI, 1, 2001, 1000, 1400),
    ("FT_WEIGHT", ANHUI, 2, 3600, 5900, 1700),
    ("FT_WEIGHT", BEIJING, 1, 5300, 7500, 2300),
    ("FT_WEIGHT", GUANGDONG, 3, 10000, 9000, 3500),
    ("FT_WEIGHT", HAINAN, 1, 3600, 5900, 1700),
    # Free from 99 yuan, and 99 yuan itself is enough.
    ("FT_WEIGHT", SHANGHAI, 1, 3600, 9898, 1700),
    ("FT_WEIGHT", SHANGHAI, 1, 3600, 9899, 1700),
    ("FT_WEIGHT", SHANGHAI, 1, 3600, 9900, 0),
    ("FT_WEIGHT", SHANGHAI, 1, 3600, 9901, 0),
    ("FT_WEIGHT", HAINAN, 400, 2000000, 3000000, 0),
    ("FT_WEIGHT", QINGHAI, 1, 3600, 9900, 0),
    # Yunnan has a rule of its own, so the default's threshold is not for it.
    ("FT_WEIGHT", YUNNAN, 1, 900, 4990, 500),
    ("FT_WEIGHT", YUNNAN, 1, 1000, 4990, 500),
    ("FT_WEIGHT", YUNNAN, 1, 1001, 4990, 650),
    ("FT_WEIGHT", YUNNAN, 1, 3600, 5900, 950),
    ("FT_WEIGHT", YUNNAN, 2, 3600, 9900, 950),
    ("FT_WEIGHT", YUNNAN, 10, 36000, 59000, 5750),
    # Xinjiang and Tibet: 22 yuan the first kilogram, 15 each further one, never free.
    ("FT_WEIGHT", XINJIANG, 1, 1000, 5900, 2200),
    ("FT_WEIGHT", XINJIANG, 1, 1001, 5900, 3700),
    ("FT_WEIGHT", XINJIANG, 1, 3000, 5900, 5200),
    ("FT_WEIGHT", XINJIANG, 1, 3001, 5900, 6700),
    ("FT_WEIGHT", XINJIANG, 1, 3600, 5900, 6700),
    ("FT_WEIGHT", XINJIANG, 1, 4000, 5900, 6700),
    ("FT_WEIGHT", XINJIANG, 1, 4001, 5900, 8200),
    ("FT_WEIGHT", XINJIANG, 2, 7200, 11800, 12700),
    ("FT_WEIGHT", XINJIANG, 1, 3600, 9900, 6700),
    ("FT_WEIGHT", TIBET, 1, 3600, 5900, 6700),
    ("FT_WEIGHT", TIBET, 1, 250, 2580, 2200),
    ("FT_WEIGHT", TIBET, 4, 14400, 990000, 23200),
    ("FT_WEIGHT", TAIWAN, 1, 3600, 9900, None),
    ("FT_WEIGHT", HONG_KONG, 1, 3600, 5900, None),
    ("FT_WEIGHT", HONG_KONG, 1, 3600, 9900, None),
    ("FT_WEIGHT", MACAU, 1, 100, 5900, None),
    # FT_COLD: 25 yuan up to two kilograms, 6 each further one; no cold chain to the far west.
    ("FT_COLD", SHANGHAI, 1, 1300, 7900, 2500),
    ("FT_COLD", SHANGHAI, 1, 2000, 7900, 2500),
    ("FT_COLD", SHANGHAI, 1, 2001, 7900, 3100),
    ("FT_COLD", SHANGHAI, 2, 2600, 15800, 3100),
    ("FT_COLD", YUNNAN, 3, 3900, 23700, 3700),
    ("FT_COLD", HAINAN, 10, 13000, 79000, 9100),
    ("FT_COLD", QINGHAI, 1, 3001, 7900, 3700),
    ("FT_COLD", XINJIANG, 1, 1300, 7900, None),
    ("FT_COLD", TIBET, 1, 1300, 7900, None),
    ("FT_COLD", HONG_KONG, 1, 1300, 7900, None),
    # SACKS by default: 5 yuan, each further three pieces, begun or full, 1 yuan; free from 80.
    ("SACKS", SHANGHAI, 1, 100, 1000, 500),
    ("SACKS", SHANGHAI, 2, 200, 2000, 600),
    ("SACKS", SHANGHAI, 4, 400, 4000, 600),
    ("SACKS", SHANGHAI, 5, 500, 5000, 700),
    ("SACKS", SHANGHAI, 7, 700, 7999, 700),
    ("SACKS", SHANGHAI, 8, 800, 8000, 0),
    # Yunnan by its own step, free from 50; Guizhou reaches the lower of its two thresholds.
    ("SACKS", YUNNAN, 2, 200, 2000, 300),
    ("SACKS", YUNNAN, 3, 300, 3000, 350),
    ("SACKS", YUNNAN, 5, 500, 4999, 400),
    ("SACKS", YUNNAN, 5, 500, 5000, 0),
    ("SACKS", GUIZHOU, 5, 500, 4999, 700),
    ("SACKS", GUIZHOU, 5, 500, 5000, 0),
    # Xinjiang has no step of its own here, so both 80 and 200 are open to it.
    ("SACKS", XINJIANG, 5, 500, 7999, 700),
    ("SACKS", XINJIANG, 5, 500, 8000, 0),
    ("SACKS", TIBET, 1, 100, 8000, None),
]

# Baskets of several cooperatives and templates:
# (province, [(cooperative, template, pieces, price of one, weight of one)],
#  {cooperative: freight}, {cooperative: missing to free freight})
BASKETS = [
    # Two cooperatives, each its own freight; 118 yuan together free nobody.
    (
        SHANGHAI,
        [("C02", "FT_WEIGHT", 1, 5900, 3600), ("C03", "FT_WEIGHT", 1, 5900, 3600)],
        {"C02": 1700, "C03": 1700},
        {"C02": 4000, "C03": 4000},
    ),
    # The same two boxes of one cooperative reach 99 yuan.
    (
        SHANGHAI,
        [("C02", "FT_WEIGHT", 2, 5900, 3600)],
        {"C02": 0},
        {"C02": None},
    ),
    # One template's weight adds up before it is rounded: 600 + 600 g are two kilograms begun.
    (
        SHANGHAI,
        [("C02", "FT_WEIGHT", 1, 2580, 600), ("C02", "FT_WEIGHT", 1, 4990, 600)],
        {"C02": 1100},
        {"C02": 2330},
    ),
    # Two templates in one consignment: each group pays its own, 8 + 25.
    (
        SHANGHAI,
        [("C02", "FT_WEIGHT", 1, 2580, 300), ("C02", "FT_COLD", 1, 6900, 2000)],
        {"C02": 3300},
        {"C02": None},
    ),
    # Both may become free, at 99 and at 80 yuan: only at 99 nothing is charged any more.
    (
        SHANGHAI,
        [("C02", "FT_WEIGHT", 1, 2580, 300), ("C02", "SACKS", 1, 1000, 100)],
        {"C02": 1300},
        {"C02": 6320},
    ),
    # At 80 yuan the one is free already, and 19 more free the other.
    (
        SHANGHAI,
        [("C02", "FT_WEIGHT", 1, 7000, 300), ("C02", "SACKS", 1, 1000, 100)],
        {"C02": 800},
        {"C02": 1900},
    ),
    # The cold box counts towards the 99 yuan of the other template, and still pays for itself.
    (
        SHANGHAI,
        [("C02", "FT_WEIGHT", 1, 2580, 300), ("C02", "FT_COLD", 1, 7900, 1300)],
        {"C02": 2500},
        {"C02": None},
    ),
    # Xinjiang: tea by piece (15 + 8), walnut milk by weight (67).
    (
        XINJIANG,
        [("C01", "FT_FREE", 2, 4800, 180), ("C02", "FT_WEIGHT", 1, 5900, 3600)],
        {"C01": 2300, "C02": 6700},
        {"C01": None, "C02": None},
    ),
    # Tibet: pieces of two teas count together, 15 + 2 x 8.
    (
        TIBET,
        [("C01", "FT_FREE", 1, 4800, 180), ("C01", "FT_FREE", 2, 5800, 180)],
        {"C01": 3100},
        {"C01": None},
    ),
    # Hainan: tea pays the 8 yuan of the far provinces, the rest is free from 99.
    (
        HAINAN,
        [("C01", "FT_FREE", 1, 9800, 290), ("C01", "FT_WEIGHT", 1, 100, 500)],
        {"C01": 800},
        {"C01": None},
    ),
    # Three cooperatives, one shipment each; the union's parcel is free, the fruit is not.
    (
        BEIJING,
        [
            ("C05", "FT_COLD", 4, 7900, 1300),
            ("C01", "FT_FREE", 200, 4800, 180),
            ("C02", "FT_WEIGHT", 200, 7500, 5300),
        ],
        {"C01": 0, "C02": 0, "C05": 4900},
        {"C01": None, "C02": None, "C05": None},
    ),
]
