"""One family of errors. A surface turns them into problem details or a page, by one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self


class Words(str):
    """A Chinese text that knows its English: for a message whose reader is not known yet."""

    __slots__ = ("en",)
    en: str

    def __new__(cls, zh: str, en: str) -> Self:
        """The text in both languages."""
        words = super().__new__(cls, zh)
        words.en = en
        return words


class ShopError(Exception):
    """Something a caller can be told: a stable code, a sentence in Chinese and one in English.

    `extra` (and whatever else is named) is detail for machines and goes into the problem document
    as it is; `fields` names the inputs at fault (field -> messages).
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        zh: str = "",
        en: str = "",
        *,
        code: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
        extra: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.zh = zh or self.default_zh
        self.en = en or self.default_en
        self.error_code = code or self.code
        self.fields = dict(fields or {})
        self.extra: dict[str, Any] = {**(extra or {}), **more}
        super().__init__(f"{self.error_code}: {self.en}")

    default_zh: ClassVar[str] = "操作没有成功"
    default_en: ClassVar[str] = "The request could not be carried out"

    def message(self, language: str) -> str:
        """The sentence in the caller's language (`zh…` or anything else for English)."""
        return self.zh if language.startswith("zh") else self.en

    def field_messages(self, language: str) -> dict[str, list[str]]:
        """What is wrong with which input, as far as it can be said in the caller's language."""
        chinese = language.startswith("zh")
        return {
            name: [one.en if isinstance(one, Words) and not chinese else one for one in messages]
            for name, messages in self.fields.items()
        }


class NotFound(ShopError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not_found"
    default_zh = "没有找到您要的内容"
    default_en = "There is nothing here under that name"


class Forbidden(ShopError):
    """The caller is known (or anonymous) and may not do this."""

    code = "forbidden"
    default_zh = "您没有权限进行此操作"
    default_en = "You are not allowed to do this"


class Unauthenticated(Forbidden):
    """The caller must sign in first, or the credentials are wrong."""

    code = "unauthenticated"
    default_zh = "请先登录"
    default_en = "Please sign in first"


class Invalid(ShopError):
    """The input is readable but means nothing we can act on."""

    code = "invalid"
    default_zh = "提交的内容有误，请检查后重试"
    default_en = "Some of the input is not valid"


class Conflict(ShopError):
    """The state of things does not allow it (sold out, already shipped, key reused)."""

    code = "conflict"
    default_zh = "当前状态不允许此操作"
    default_en = "The current state does not allow this"


class Declined(ShopError):
    """A payment provider said no."""

    code = "payment_declined"
    default_zh = "付款未成功，请更换支付方式重试"
    default_en = "The payment was declined"


class TryAgain(ShopError):
    """Busy or unreachable for a moment; the same request may succeed shortly."""

    code = "try_again"
    default_zh = "系统繁忙，请稍后再试"
    default_en = "Busy, please try again in a moment"
