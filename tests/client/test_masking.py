"""Values of secret-looking variables never stand in a text that is sent."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtrail.masking import MASK, Mask, is_secret


@pytest.mark.parametrize(
    "name",
    [
        *(
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "DB_PASSWORD",
            "api_key",
            "APIKEY",
            "SECRET",
            "SIGNING_KEY",
        ),
        *(
            "MYSQL_PWD",
            "NPM_TOKEN",
            "PGPASSWORD",
            "CREDENTIALS",
            "SSH_PASSPHRASE",
            "STRIPE_KEYS",
            "GITLAB_PAT",
        ),
        "RUNTRAIL_TOKEN",
    ],
)
def test_names_that_look_secret(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("PWD", "OLDPWD", "HOME", "PATH", "KEYBOARD", "MONKEY", "SECRET_FILE", "TOKEN_URL", "SSH_KEY_PATH"),
        *("AWS_ACCESS_KEY_ID", "PATTERN", "PASSED", "KEY_NAME"),
    ],
)
def test_names_that_do_not(name):
    assert not is_secret(name)


@given(
    st.text("abcXYZ\"'\\\n ü%+/", min_size=8, max_size=40).filter(lambda text: len(text.strip()) >= 6),
    st.text("0123456789.:", max_size=9),
)
def test_no_form_of_a_secret_stays(secret, around):
    mask = Mask({"API_TOKEN": secret})

    for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret, safe="")):
        assert form not in mask.text(f"{around}{form}{around}")


def test_each_line_of_a_key_is_a_secret():
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    key = f"-----BEGIN PRIVATE KEY-----\n{line}\nBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----\n"

    assert Mask({"SIGNING_KEY": key}).text(f"it says {line} here") == f"it says {MASK} here"


def test_a_secret_within_another_leaves_nothing_of_the_longer():
    mask = Mask({"A_TOKEN": "abcdef", "B_TOKEN": "abcdef-and-more"})

    assert mask.text("abcdef-and-more abcdef") == f"{MASK} {MASK}"


def test_passwords_in_addresses_are_masked():
    assert Mask({"DATABASE_URL": "postgresql://app:hunter2x@db/x"}).text("as hunter2x") == f"as {MASK}"


@pytest.mark.parametrize("value", ["", "1", "true", "abc", "default"])
def test_what_stands_in_every_text_is_left(value):
    assert Mask({"USE_TOKEN": value}).text(f"this is {value}") == f"this is {value}"


def test_variables_set_later_are_learned():
    environment = {"A_TOKEN": "first-value"}
    mask = Mask(environment)
    environment["A_TOKEN"] = "second-value"
    mask.refresh()

    assert mask.text("first-value second-value") == f"{MASK} {MASK}"


def test_names_of_tests_keep_ordinary_words():
    mask = Mask({"PARTITION_KEY": "customer", "API_TOKEN": "ghp_0123456789ab"})

    assert (
        mask.name("tests/test_customer.py::test_a[ghp_0123456789ab]")
        == f"tests/test_customer.py::test_a[{MASK}]"
    )


@pytest.mark.parametrize(
    "typed", ["--password=abc", "--api-key 'a b'", "--github-token=x", "--db-password x"]
)
def test_options_for_secrets_are_masked_on_a_command_line(typed):
    found = Mask({}).arguments(f"-v {typed} -k test")

    assert found.startswith("-v --")
    assert found.endswith(f"{MASK} -k test")
