from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.dashboard.masking import MASK, masked, masked_source


@pytest.mark.parametrize(
    "source",
    [
        "API_TOKEN = 'hush'",
        "password: str = b'hush'",
        "os.environ['AWS_SECRET'] = 'hush'",
        "login(user='me', api_key='hush')",
        "settings = {'access_key': 'hush', 'lr': 0.1}",
        "self.passwd = f'hush{1}'",
        "é = 'é'; secret = 'hush'; x = 'é'",
        "token = '''hu\nhush'''",
        "engine = create('postgresql://me:hush@host/db')",
        "%load_ext x\nsecret = 'hush'",
    ],
)
def test_what_is_secret_does_not_stay_in_a_source(source: str) -> None:
    shown = masked_source(source)
    assert "hush" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "source",
    [
        "token = tokenizer(text)",
        "key = 'accuracy'",
        "tokens = 'many'",
        "url = 'https://host:8080/path?x=a@b'",
        "secret = None",
    ],
)
def test_what_is_no_secret_stays(source: str) -> None:
    assert masked_source(source) == source


def test_a_password_that_is_cut_off_does_not_stay() -> None:
    assert masked("postgresql://me:hus…") == f"postgresql://me:{MASK}…"


@given(st.text(max_size=60))
def test_any_text_can_be_masked(text: str) -> None:
    assert isinstance(masked_source(text), str)
    assert masked(masked(text)) == masked(text)


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
def test_a_masked_source_is_a_source(text: str) -> None:
    shown = masked_source(f"x = {text!r}\nmy_secret = {text!r}\ny = ({text!r},)")
    assert ast.unparse(ast.parse(shown)) == f"x = {text!r}\nmy_secret = '{MASK}'\ny = ({text!r},)"
