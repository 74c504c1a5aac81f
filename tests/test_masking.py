from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.masking import (
    MASK,
    masked,
    masked_document,
    masked_message,
    masked_places,
    masked_source,
)
from hpo_lab.source_edits import SourceLines


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
        "x = 1\x0c\npassword = 'hush'\n",
        "x = 'a\u2028b'\npassword = 'hush'\n",
        "x = 1\rpassword = 'hush'",
        "def f(lr=0.1, password='hush', *, lr2=1, token='hush'): ...",
        "user, password = 'me', 'hush'",
        "user, *password = 'me', 'hush', 'hush'",
        "user, password = 'me:hush'.split(':')",
        "os.environ.setdefault('DB_PASSWORD', 'hush')",
        "os.environ.get('DB_PASSWORD', 'hush')",
        "setattr(settings, 'password', 'hush')",
        "password = os.environ.get('P') or 'hush'",
        "password = os.environ.get('P', 'hush')",
        "password = 'hu' + 'hush'",
        "password = base64.b64decode('hush').decode()",
        "password = 'hush' if is_test else ''",
        "credentials = {'user': 'hush'}",
        "print(f'{login(password=\"hush\")}')",
        "parser.add_argument('--password', default='hush')",
        "subprocess.run(['mysql', '--password', 'hush'])",
        "url = 'https://host/?password=hush&x=1'",
        "%env DB_PASSWORD=hush",
        "%env DB_PASSWORD hush hush",
        "x = 1\n!mysql --password hush",
        "!mysql \\\n  --password hush\nx = 1",
        "%time password = 'hush'",
        "%%bash\nTOKEN=hush train",
        "out = !mysql --password=hush\ndef f(password='hush'): ...",
        "%matplotlib inline\nuser, password = 'me', 'hush'",
        "    password='hush', lr=0.1)",
        "    password: str = 'hush', lr=0.1)",
        "f(\n    'DB_PASSWORD', 'hush'",
        "f(\ntoken = '''hu\nhush'''",
    ],
)
def test_what_is_secret_does_not_stay_in_a_source(source: str) -> None:
    shown = masked_source(source)
    assert "hush" not in shown
    assert MASK in shown
    assert len([*SourceLines(shown)]) == len([*SourceLines(source)])


@pytest.mark.parametrize(
    "source",
    [
        "password = os.environ['PASSWORD']",
        "password = os.environ.get('PASSWORD')",
        "password = getpass('Password: ')",
        "password = '' if mode == 'test' else read()",
        "def f(token='', name='x'): ...",
        "user, password = 'me', ask()",
        "%env LR=0.1\n!train --lr 0.1",
        "for token in text.split(' '): print('a', token)",
        "token = tokenizer(text)",
        "key = 'accuracy'",
        "tokens = 'many'",
        "url = 'https://host:8080/path?x=a@b'",
        "secret = None",
    ],
)
def test_what_is_no_secret_stays(source: str) -> None:
    assert masked_source(source) == source


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:hus…", f"postgresql://me:{MASK}…"),
        ("postgresql://me:p@ss@host/db", f"postgresql://me:{MASK}@host/db"),
        ("postgresql://me:p/ss@host/db", f"postgresql://me:{MASK}@host/db"),
        ("postgresql://me@corp:hush@host", f"postgresql://me@corp:{MASK}@host"),
        ("https://me:hush@host/a?mail=x@y", f"https://me:{MASK}@host/a?mail=x@y"),
        ("https://host/?password=hush&x=1", f"https://host/?password={MASK}&x=1"),
        ("https://host/?x=1&amp;token=hush", f"https://host/?x=1&amp;token={MASK}"),
        ("run with --api-key='hush hush'", f"run with --api-key={MASK}"),
        ("--token is missing; see http://localhost:8888/a@b", ""),
    ],
)
def test_a_text_has_no_secrets(text: str, shown: str) -> None:
    assert masked(text) == (shown or text)


def test_code_in_a_message_is_masked() -> None:
    message = "cell 1, line 3: `api_token = 'hush5'` now, `api_token = 'hush3'` before"
    shown = f'cell 1, line 3: `api_token = "{MASK}"` now, `api_token = "{MASK}"` before'
    assert masked_message(message) == shown


@given(st.text(max_size=60))
def test_any_text_can_be_masked(text: str) -> None:
    assert isinstance(masked_source(text), str)
    assert masked(masked(text)) == masked(text)


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
def test_a_masked_source_is_a_source(text: str) -> None:
    shown = masked_source(f"x = {text!r}\nmy_secret = {text!r}\ny = ({text!r},)")
    assert ast.unparse(ast.parse(shown)) == f"x = {text!r}\nmy_secret = '{MASK}'\ny = ({text!r},)"


def env(name: str, value: object) -> dict[str, object]:
    return {"spec": {"trialTemplate": {"trialSpec": {"env": [{"name": name, "value": value}]}}}}


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "PGPASSWORD",
        "MYSQL_PWD",
        "HF_TOKEN",
        "WANDB_API_KEY",
        "token2",
        "PASS",
        "AWS_SECRET_ACCESS_KEY",
        "aws.credentials",
        "SECRET_KEY",
    ],
)
def test_a_variable_that_is_named_like_a_secret_is_masked(name: str) -> None:
    assert masked_document(env(name, "hush")) == env(name, MASK)
    assert masked_document(env(name, 1234)) == env(name, MASK)
    reference = env(name, "$(OTHER)")
    assert masked_document(reference) == reference


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EPOCHS", "5"),
        ("TOKENIZER", "bert"),
        ("COMPASS", "N"),
        ("KEY", "a"),
        ("BYPASS_CACHE", "1"),
        ("URL", "https://host:80/a?b=c"),
        ("HF_TOKEN", ""),
        ("LR", "${trialParameters.lr}"),
    ],
)
def test_other_variables_stay(name: str, value: str) -> None:
    assert masked_document(env(name, value)) == env(name, value)


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--password=hush"],
        ["train", "--api-key", "hush"],
        ["sh", "-c", "API_TOKEN=hush train --lr 1"],
        ["sh", "-c", "train --token 'hush hush' && echo"],
        ["train", "--url", "https://host/?access_token=hush&x=1"],
        ["train", "--db", "postgresql://me:hush@host/db"],
        ["psql", "host=h password=hush dbname=d"],
    ],
)
def test_no_word_of_a_command_has_a_secret(words: list[str]) -> None:
    document = {"spec": {"trialTemplate": {"trialSpec": {"command": words}}}}
    shown = str(masked_document(document))
    assert ("hush" not in shown and MASK in shown and "train" in shown) or "psql" in shown


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--token", "$(TOKEN)"],
        ["train", "--password=$(PASSWORD)", "--token=${trialParameters.token}"],
        ["train", "--max-tokens=100", "--token", "--lr", "0.1"],
        ["train", "--tokenizer=bert", "--keys", "a"],
    ],
)
def test_references_and_other_words_stay(words: list[str]) -> None:
    document = {"spec": {"trialTemplate": {"trialSpec": {"command": words}}}}
    assert masked_document(document) == document


def test_names_of_parameters_are_no_secrets() -> None:
    points = [{"pad_token": "x", "password": 3}]
    assignments = [{"name": "pad_token", "value": "x"}]
    document = {"spec": {"initialPoints": points}, "status": {"parameterAssignments": assignments}}
    assert masked_document(document) == document


def test_what_kubectl_notes_and_templates_as_text_are_masked() -> None:
    applied = json.dumps({**env("DB_PASSWORD", "hush"), "kind": "Experiment"})
    document = {
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
        "spec": {
            "trialTemplate": {
                "goTemplate": {
                    "rawTemplate": 'env:\n  - name: DB_PASSWORD\n    value: "hush"\n'
                    "  - {name: HF_TOKEN, value: hush}\n  - name: LR\n    value: '1'\n"
                }
            },
            "metricsCollectorSpec": {"custom": env("API_KEY", "hush")["spec"]},
        },
    }
    shown = masked_document(document)
    assert "hush" not in str(shown)
    assert "name: LR\n    value: '1'" in str(
        shown["spec"]["trialTemplate"]["goTemplate"]["rawTemplate"]
    )
    assert len(list(masked_places(shown))) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["env", "name", "value", "trialTemplate", "a"]), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_document_can_be_masked_and_keeps_its_shape(document: object) -> None:
    shown = masked_document(document)
    assert masked_document(shown) == shown
    if isinstance(document, dict):
        assert [*shown] == [*document]
