"""The forms of the bank's desk: a statement with its columns, and a line entered by hand."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

from admin.forms.fields import fen_of
from shop.errors import Invalid, Words
from shop.payments.bank_files import MAX_BYTES, too_large
from shop.payments.bank_rules import MAX_NAME, MAX_REMARK, NAMES, Line, clean, day_of

COLUMN = "column_"
"""Before our name of a column, in the form's fields."""

LONGEST_COLUMN = 100
LONGEST_PACKED = 700_000
"""More than that does not fit into a form; the file is then chosen once more."""


def mapping_of(form: Mapping[str, str]) -> dict[str, str]:
    """Our name -> the file's header, as far as the form says."""
    named = {name: form.get(f"{COLUMN}{name}", "").strip()[:LONGEST_COLUMN] for name in NAMES}
    return {name: text for name, text in named.items() if text}


def upload_of(form: Mapping[str, str], files: Mapping[str, Any]) -> tuple[str, bytes]:
    """(name, bytes) of the file: chosen just now, or carried by the preview.

    Raises:
        Invalid: there is none, or somebody changed what the preview carried.
    """
    file = files.get("file")
    if file is not None and file.filename:
        return clean(file.filename, MAX_NAME), file.read()
    if not form.get("packed"):
        raise Invalid(
            "请选择银行流水文件",
            "Choose the bank's file",
            fields={"file": [Words("请选择文件", "Choose a file")]},
        )
    return clean(form.get("filename", ""), MAX_NAME), _unpacked(form["packed"])


def packed(data: bytes) -> str:
    """A file as a form's field carries it; empty when it is too large for that."""
    text = base64.b64encode(zlib.compress(data)).decode()
    return text if len(text) <= LONGEST_PACKED else ""


def _unpacked(text: str) -> bytes:
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(base64.b64decode(text, validate=True), MAX_BYTES + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise Invalid("表单不完整，请重新选择文件", "Choose the file once more") from error
    if len(data) > MAX_BYTES:
        raise too_large()
    return data


def line_of(form: Mapping[str, str]) -> Line:
    """A line entered by hand: an amount in yuan, and whether it went out.

    Raises:
        Invalid: no day, or no amount.
    """
    booked_on = day_of(form.get("booked_on", ""))
    if booked_on is None:
        words = Words("请填写日期", "A day is needed")
        raise Invalid(words, words.en, fields={"booked_on": [words]})
    fen = fen_of(form, "amount")
    return Line(
        row=0,
        booked_on=booked_on,
        amount_fen=-fen if form.get("out") else fen,
        payer_name=clean(form.get("payer_name", ""), MAX_NAME),
        payer_account=clean(form.get("payer_account", ""), MAX_NAME),
        remark=clean(form.get("remark", ""), MAX_REMARK),
        bank_reference=clean(form.get("bank_reference", ""), MAX_NAME) or None,
    )


def amount_of(form: Mapping[str, str]) -> int | None:
    """The amount of a match in fen; None when the field is empty: as much as fits.

    Raises:
        Invalid: not an amount.
    """
    return fen_of(form, "amount") if form.get("amount", "").strip() else None
