import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.crypto import UnreadableError, decrypt, encrypt, keyed_hash

SECRET = "a secret of thirty-two characters"
OTHER = "another one of the same long size"
PHONE = "+8613812341234"


def test_reads_back_what_was_written():
    assert decrypt(encrypt(PHONE, SECRET), SECRET) == PHONE


def test_stored_values_tell_their_version_and_not_their_text():
    stored = encrypt(PHONE, SECRET)
    assert stored.startswith("v1:")
    assert "1381234" not in stored


def test_equal_texts_look_different():
    assert encrypt(PHONE, SECRET) != encrypt(PHONE, SECRET)


def test_another_secret_does_not_open_it():
    with pytest.raises(UnreadableError):
        decrypt(encrypt(PHONE, SECRET), OTHER)


@pytest.mark.parametrize("stored", ["", PHONE, "v1:", "v1:AAAA", "v1:***", "v1:中文", "v2:AAAA"])
def test_what_is_not_ours_is_unreadable(stored):
    with pytest.raises(UnreadableError):
        decrypt(stored, SECRET)


@given(st.integers(0, 55), st.sampled_from("ABCxyz019-_"))
def test_a_changed_character_is_noticed(place, character):
    stored = encrypt(PHONE, SECRET)
    broken = stored[: 3 + place] + character + stored[4 + place :]
    if broken != stored:
        with pytest.raises(UnreadableError):
            decrypt(broken, SECRET)


def test_equal_texts_have_equal_fingerprints_under_one_secret():
    assert keyed_hash(PHONE, SECRET) == keyed_hash(PHONE, SECRET)
    assert keyed_hash(PHONE, SECRET) != keyed_hash(PHONE, OTHER)
    assert keyed_hash(PHONE, SECRET) != keyed_hash(PHONE[:-1] + "5", SECRET)
    assert len(keyed_hash(PHONE, SECRET)) == 64


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_survives(text):
    assert decrypt(encrypt(text, SECRET), SECRET) == text
