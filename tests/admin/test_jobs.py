"""Jobs that were given up, as the platform's administrator sees them and lets them run again."""

from __future__ import annotations

import re

import pytest

from admin.jobs import NAMES
from shop import worker
from shop.jobs.registry import JOBS
from tests.jobs import fail_job, waiting

REFUND = "01900000-0000-7000-8000-000000000001"


@pytest.fixture
def ada(desk_of):
    return desk_of("ada")


@pytest.fixture
def job(transactions) -> int:
    with transactions.begin() as ctx:
        return fail_job(ctx, "payments.send_refund", refund=REFUND, phone="15400000001")


def test_the_first_page_leads_there(ada, job):
    ada.get("/")
    assert "有 1 个后台任务执行失败。" in ada.plain
    assert 'href="/admin/jobs"' in ada.text


def test_the_first_page_is_silent_when_none_failed_or_for_others(ada, desk_of, job, transactions):
    olga = desk_of("olga")
    olga.get("/")
    ada.get("/jobs")
    ada.post(f"/jobs/{job}/retry")
    ada.get("/")
    assert ["后台任务执行失败" in desk.plain for desk in (ada, olga)] == [False, False]


def test_a_failed_job_is_shown_and_retried(ada, job, transactions):
    ada.get("/jobs")
    assert "提交退款 payments.send_refund" in ada.plain
    assert (f"refund {REFUND}" in ada.plain, "15400000001" in ada.plain) == (True, False)
    assert ada.post(f"/jobs/{job}/retry").status_code == 303
    assert waiting(transactions) == [
        ("payments.send_refund", {"refund": REFUND, "phone": "15400000001"})
    ]
    ada.follow()
    assert ada.notes == ["已重新排队，稍后执行。"]
    assert "没有失败的任务。" in ada.plain
    ada.get("/audit?action=job.retry")
    assert f"后台任务 {job} 任务： payments.send_refund" in ada.plain


def test_all_are_retried(ada, job, transactions):
    ada.get("/jobs")
    assert "全部重试" in ada.plain
    ada.post("/jobs/retry")
    ada.follow()
    assert ada.notes == ["已重新排队 1 个任务。"]
    assert ("全部重试" in ada.plain, len(waiting(transactions))) == (False, 1)


def test_a_second_click_is_told_so(ada, job, transactions):
    ada.get("/jobs")
    ada.post(f"/jobs/{job}/retry")
    assert ada.post(f"/jobs/{job}/retry").status_code == 409
    assert ada.notes[-1] == "该任务正在排队或执行，无需重试"
    assert len(waiting(transactions)) == 1


@pytest.mark.parametrize("name", ["olga", "fiona", "bob", "alice"])
def test_nobody_else_sees_or_retries(desk_of, name, job, transactions):
    desk = desk_of(name)
    assert desk.get("/jobs").status_code == 403
    desk.get("/")
    assert desk.post(f"/jobs/{job}/retry").status_code == 403
    assert desk.post("/jobs/retry").status_code == 403
    assert waiting(transactions) == []


@pytest.mark.parametrize("number", ["x", "-1", "0", "9" * 19, "9" * 20, "٣"])
def test_a_job_that_is_not_there(ada, number):
    ada.get("/jobs")
    assert ada.post(f"/jobs/{number}/retry").status_code == 404


def test_older_ones_are_on_the_next_page(ada, transactions):
    with transactions.begin() as ctx:
        numbers = [fail_job(ctx, "cart.forget") for _ in range(25)]
    ada.get("/jobs")
    assert len(re.findall(r"/jobs/\d+/retry", ada.text)) == 24
    assert f"/admin/jobs?before={numbers[1]}" in ada.text
    ada.get(f"/jobs?before={numbers[1]}")
    assert re.findall(r"/jobs/(\d+)/retry", ada.text) == [str(numbers[0])]
    assert ada.get("/jobs?before=x").status_code == 422


def test_every_job_has_a_name():
    assert worker.HANDLERS
    assert set(NAMES) == {name for name in JOBS if not name.startswith("test.")}


def test_in_english(ada, job):
    ada.get("/jobs", headers={"Accept-Language": "en"})
    assert re.findall(r"[\u3400-\u9fff]+", ada.plain.replace("中文", "")) == []
    assert "Send a refund" in ada.plain
