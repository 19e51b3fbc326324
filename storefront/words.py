"""What the mall says of itself: short texts, in the reader's language when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

from storefront.texts import _


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with paragraphs, or a table of name and value."""

    title: str = ""
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A page of words."""

    title: str
    sections: tuple[Section, ...]
    contact: bool = False
    """Whether whom to turn to stands below."""


def contact() -> Words:
    """Whom to turn to, and what to have at hand."""
    return Words(
        contact=True,
        title=_("联系客服"),
        sections=(
            Section(
                _("订单与售后"),
                (
                    _(
                        "催发货、改地址、申请售后，请提供订单号；商品有破损、变质、错发、漏发的，"
                        "请一并附上照片。"
                    ),
                ),
            ),
            Section(
                _("忘记密码"),
                (
                    _(
                        "请用注册时的邮箱联系我们。核实后我们会给您一个临时密码，"
                        "用它登录后，先设置自己的新密码就能继续使用。"
                    ),
                    _("没有登录下的订单，用订单号和收货手机号就能查到，不需要密码。"),
                ),
            ),
        ),
    )


def about() -> Words:
    """What this mall is for."""
    return Words(
        _("关于商城"),
        (
            Section(
                paragraphs=(
                    _(
                        "这里卖的是云南永平县村级合作社自己种、自己做的东西：茶叶、核桃、酱菜、"
                        "竹酒、果蔬酵素和当季鲜果。大学的师生校友在这里买，合作社从村里发货。"
                    ),
                ),
            ),
            Section(
                _("钱去了哪里"),
                (
                    _(
                        "货款按订单记到出售商品的合作社名下。运费按各合作社的运费规则收取，"
                        "付给承运快递。"
                    ),
                ),
            ),
            Section(
                _("帮扶数怎样统计"),
                (
                    _(
                        "带“帮扶认证”标记或产自永平的商品，付款时按当日的统计口径计入帮扶数，退款时扣回。"
                        "下单时选了单位或校友会的，同时计入该单位。运费不计入。"
                    ),
                    _("每一个统计数字都能查到背后的订单和退款。"),
                ),
            ),
            Section(
                _("这不是捐赠"),
                (_("购买即消费帮扶：您付钱，收到货。我们不开具捐赠票据，也不接受捐款。"),),
            ),
        ),
    )


def after_sale() -> Words:
    """Freight, delivery, returns."""
    return Words(
        contact=True,
        title=_("运费与售后"),
        sections=(
            Section(
                _("运费"),
                (
                    _(
                        "每家合作社各自发货，运费分开计算。购物车里选好省份就能看到每家的运费，"
                        "满额包邮时会提示还差多少。偏远地区可能加收，个别商品不发往部分地区。"
                    ),
                ),
            ),
            Section(
                _("发货"),
                (
                    _(
                        "付款后由合作社备货，通常两到三个工作日内发出；预售商品以页面写明的日期为准。"
                        "一张订单可能分成几个包裹，单号在订单页可以看到。"
                    ),
                    _("收到后请点“确认收货”；发货十天后系统会自动确认。"),
                ),
            ),
            Section(
                _("退换"),
                (
                    _(
                        "未拆封的商品，签收次日起七日内可以无理由退货，运费由买家承担。"
                        "食品拆封后、鲜活易腐的商品不适用无理由退货，下单时会请您确认。"
                    ),
                    _(
                        "破损、变质、错发、漏发，请在签收后四十八小时内拍照联系我们，由合作社补发或退款。"
                    ),
                ),
            ),
            Section(
                _("取消"),
                (
                    _(
                        "付款前可以随时取消。下单后为您留货三十分钟，逾期未付，订单将自动取消；"
                        "付款后的订单不会被系统自动取消。"
                    ),
                ),
            ),
        ),
    )


def privacy() -> Words:
    """What becomes of a buyer's data."""
    return Words(
        contact=True,
        title=_("隐私政策"),
        sections=(
            Section(
                _("我们收集什么"),
                (
                    _(
                        "收货人、手机号、收货地址和您填写的备注，用于发货；购买身份（教职工、学生、校友、"
                        "社会人士）和所在单位，用于统计帮扶数；注册时的邮箱和密码，用于登录。"
                        "我们不收集身份证号，不做画像，不投广告。"
                    ),
                ),
            ),
            Section(
                _("谁能看到"),
                (
                    _(
                        "出售商品的合作社和承运快递在发货期间能看到收货信息，之后只能看到打了星号的。"
                        "帮扶统计里没有姓名和电话。工作人员查看完整信息会留下记录。"
                    ),
                ),
            ),
            Section(
                _("怎样保存"),
                (
                    _(
                        "手机号加密保存，密码只保存无法还原的摘要。订单和交易信息按法律规定自交易完成之日起"
                        "保存不少于三年。付款在支付平台的页面进行，我们看不到您的银行卡号。"
                    ),
                    _("本站只使用维持登录、购物车和访问来源所必需的 Cookie，三十天后失效。"),
                ),
            ),
            Section(
                _("您的权利"),
                (
                    _(
                        "您可以随时查看、修改、删除地址簿里的地址；要注销账号或索取自己的数据，请联系我们。"
                    ),
                ),
            ),
        ),
    )


def terms() -> Words:
    """What buyer, seller and mall owe each other."""
    return Words(
        _("用户协议"),
        (
            Section(
                _("谁是卖家"),
                (
                    _(
                        "商品由页面标明的合作社出售、发货、开票，并对商品质量负责。"
                        "商城由大学的帮扶工作办公室组织，提供交易平台，协助处理售后。"
                    ),
                ),
            ),
            Section(
                _("下单与付款"),
                (
                    _(
                        "提交订单成功，合同即成立；提交前您可以核对、修改全部内容。价格以提交时页面显示的为准，"
                        "如有变化，会请您重新确认。"
                    ),
                    _("单位采购可使用单位账户下单，付款期限为三十天。"),
                ),
            ),
            Section(
                _("收货"),
                (_("以收货人签收时间为交付时间。运输途中的损毁由卖家承担，签收时请当面检查。"),),
            ),
            Section(
                _("账号"),
                (
                    _(
                        "请如实选择购买身份和单位，它们会影响帮扶数的统计。请保管好密码，"
                        "发现异常请立即修改，其他设备上的登录会同时退出。"
                    ),
                ),
            ),
        ),
    )


def alcohol() -> Words:
    """Who may buy alcohol."""
    return Words(
        _("酒类销售须知"),
        (
            Section(
                paragraphs=(
                    _(
                        "不向未成年人销售酒类。购买酒类商品时，须确认已年满 18 周岁；"
                        "学生身份不能购买。"
                    ),
                    _("收货时快递员可能核对收货人的年龄。请勿将酒转交未成年人。"),
                    _("过量饮酒有害健康，酒后请勿驾车。孕妇、哺乳期妇女请勿饮用。"),
                ),
            ),
        ),
    )
