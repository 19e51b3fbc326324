"""The worker's jobs that were given up, and the button that lets one run again."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask_babel import gettext, lazy_gettext

from admin.forms.fields import cut, number_of
from admin.page import again, back_to, pages, show
from shop.context import Ctx
from shop.errors import NotFound, ShopError
from shop.identity.policy import allowed
from shop.jobs import desk
from shop.jobs.commands import retry_job, retry_jobs

PAGE = 24
LARGEST = 2**63 - 1
"""Of the queue's own numbers."""

NAMES: dict[str, Any] = {
    "payments.handle_event": lazy_gettext("处理支付通知"),
    "payments.send_refund": lazy_gettext("提交退款"),
    "payments.close_checkout": lazy_gettext("关闭收银台"),
    "payments.settle_open": lazy_gettext("查询未完成的款项"),
    "payments.fetch_missed": lazy_gettext("补取遗漏的通知"),
    "payments.expire_unpaid": lazy_gettext("关闭超时未付订单"),
    "payments.match_receipts": lazy_gettext("匹配银行流水"),
    "payments.reconcile": lazy_gettext("每日对账"),
    "orders.complete_shipped": lazy_gettext("自动确认收货"),
    "reports.roll_up": lazy_gettext("更新统计"),
    "cart.forget": lazy_gettext("清理购物车"),
    "maintenance.forget": lazy_gettext("清理过期数据"),
}
"""What people call each job; a test names those that are missing."""


@pages.page("/jobs", permission="jobs.read")
def jobs(ctx: Ctx) -> str:
    """Jobs that were tried for the last time, newest first."""
    return _list(ctx)


def _list(ctx: Ctx, *, form: Any = None, error: ShopError | None = None) -> str:
    before = number_of(request.args, "before") if request.args.get("before") else None
    rows, more = cut(desk.failed_jobs(ctx, before=before, limit=PAGE + 1), PAGE)
    return show(
        "jobs.html",
        family="jobs",
        rows=rows,
        more=more,
        names=NAMES,
        may_retry=allowed(ctx.actor, "jobs.retry"),
        form=form or {},
        error=error,
    )


def _refused(ctx: Ctx, *, job_id: str, **refused: Any) -> str:
    del job_id
    return _list(ctx, **refused)


@pages.page(
    "/jobs/<job_id>/retry", permission="jobs.retry", methods=("POST",), retry=again(_refused)
)
def job_retry(ctx: Ctx, job_id: str) -> Any:
    """Let one run again, now."""
    if retry_job(ctx, _number(job_id)):
        flash(gettext("已重新排队，稍后执行。"), "success")
    else:
        flash(gettext("该定时任务的下一次执行已在排队，旧记录已清除。"), "info")
    return back_to("admin.jobs")


@pages.page("/jobs/retry", permission="jobs.retry", methods=("POST",))
def jobs_retry(ctx: Ctx) -> Any:
    """Let all run again, now: what a long failure of something else leaves behind."""
    count = retry_jobs(ctx)
    flash(gettext("已重新排队 %(count)s 个任务。", count=count), "success")
    return back_to("admin.jobs")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(LARGEST)):
        raise NotFound
    return min(int(text), LARGEST)
