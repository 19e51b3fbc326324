"""The passwords that everybody tries first, and those that this mall suggests by its own names.

Lower case; eight characters and longer, since shorter ones are refused anyway. Passwords of one
repeated character are refused by rule and need no place here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

DIGITS = """
12345678 123456789 1234567890 12345678910 0123456789 01234567 87654321 987654321 0987654321
9876543210 11223344 1122334455 112233445566 12341234 1234512345 123123123 123321123 12344321
123454321 1234567899 123456780 102030405 10203040 13572468 135792468 147258369 147852369
159357258 159753456 741852963 789456123 963852741 12121212 13131313 52013140 5201314520
5201314521 13145200 13141314 52015201 66668888 88886666 11112222 12348765 31415926 314159265
20082008 20202020 20262026 19491001
"""

KEYBOARD = """
qwertyui qwertyuiop qwerty123 qwerty12 qwerty1234 qwer1234 1234qwer qweasdzxc qweasd123
qazwsxedc qazwsx123 1qaz2wsx 1qaz2wsx3edc 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5
zaq12wsx zaq1xsw2 asdfghjk asdfghjkl asdf1234 asdfasdf zxcvbnm123 zxcvbnm1 qwerasdf 1234asdf
qwertyuiop123 1234abcd abcd1234 abcd12345 abc12345 abc123456 abc123abc abcdefgh abcdefg1
abcdefg123 a1b2c3d4 a1234567 a12345678 a123456789 aa123456 aa12345678 1234567a 12345678a
123456789a qq123456 qq123456789 wang1234 zhang123 woaini1314 woaini520 woaini123 woaini521
woainima woaiwojia iloveyou iloveyou1 iloveyou520 5201314a 1314520a
"""

WORDS = """
password password1 password12 password123 password1234 passw0rd passw0rd1 p@ssw0rd p@ssword
p@ssw0rd1 pass1234 passwort administrator admin123 admin1234 admin12345 admin123456 adminadmin
root1234 rootroot test1234 testtest test12345 guest123 welcome1 welcome123 letmein1 letmein123
sunshine princess football baseball superman starwars whatever computer internet samsung1
trustno1 changeme changeme1 default1 secret123 dragon123 monkey123 michael1 jennifer jordan23
master123 shadow12 hello123 helloworld nihao123 user1234 login123 demo1234 demodemo demo12345
zhongguo china123 woaizhongguo beijing1 shanghai
"""

HERE = """
aidmall1 aidmall123 aidmall2026 yongping yongping123 yongping2026 yongpingxian dali1234
xiaoyou123 xiaoyouhui alumni123 alumni2026 student123 gonghui123 bangfu123 xiaofeibangfu
hezuoshe hezuoshe123 cooperative organizer organizer123 finance1 finance123 cooperative1
"""


def _with_endings(words: Iterable[str]) -> Iterator[str]:
    """Each word, and what people add to it when a form wants "one more character"."""
    for word in words:
        yield from (word, f"{word}!", f"{word}.", f"{word}1", f"{word}a")


COMMON: frozenset[str] = frozenset(_with_endings(f"{DIGITS}{KEYBOARD}{WORDS}{HERE}".split()))
