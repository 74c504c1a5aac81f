"""Who may not ask, and what may not be asked."""

from __future__ import annotations

import os
import urllib.request
from http.cookiejar import CookieJar
from urllib.parse import urlencode

import pytest

from hpo_lab.server.routes import ROUTES
from tests.server.conftest import Server, write_notebook

OPERATIONS = [(method, route.path) for route in ROUTES for method in route.endpoints]


def _address(path: str, uid: str) -> str:
    return path.replace("{uid}", uid).replace("{number}", "0").replace("{name}", "history")


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nothing_is_answered_without_the_token(
    server: Server, parabola: str, method: str, path: str
) -> None:
    body = {} if method == "POST" else None
    forged = {"Cookie": "_xsrf=2|abc", "X-XSRFToken": "2|abc"}
    for headers in ({}, forged, {"Authorization": "token wrong"}):
        answer = server.ask(method, _address(path, parabola), body, headers=headers)
        assert answer.status == 403, answer.content
    assert server.get(f"/experiments/{parabola}")["state"] == "Succeeded"


def _logged_in(server: Server) -> tuple[str, str]:
    """The cookies of a browser that has logged in, and its `_xsrf` among them."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    # The login's page gives what its form must send.
    opener.open(f"{server.url}login", timeout=60).close()
    xsrf = next(each.value for each in jar if each.name == "_xsrf")
    form = urlencode({"_xsrf": xsrf, "password": server.token}).encode()
    opener.open(f"{server.url}login", form, timeout=60).close()
    cookies = "; ".join(f"{each.name}={each.value}" for each in jar)
    xsrf = next(each.value or "" for each in jar if each.name == "_xsrf")
    return cookies, xsrf


def test_a_page_of_another_site_changes_nothing_with_the_cookie_of_a_person(
    server: Server, parabola: str
) -> None:
    cookies, xsrf = _logged_in(server)
    stop = f"/experiments/{parabola}/stop"
    own = {"Cookie": cookies, "X-XSRFToken": xsrf}
    assert server.ask("POST", stop, {}, headers=own).status == 202
    for forged in ({}, {"X-XSRFToken": "2|abc"}):
        headers = {"Cookie": cookies, **forged}
        for method, path in OPERATIONS:
            if method != "GET":
                body = {} if method == "POST" else None
                answer = server.ask(method, _address(path, parabola), body, headers=headers)
                assert answer.status == 403, (method, path, answer.content)
    assert server.get(f"/experiments/{parabola}")["state"] == "Succeeded"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "body: is no JSON"),
        ([1], "body: found [1]; an object is needed"),
        ({}, "path: is missing in the body"),
        ({"path": "a.ipynb", "pth": 1}, "pth: is no field of the body; did you mean 'path'?"),
        ({"path": ""}, "path: '' is not below the folder"),
        ({"path": "a\0b"}, "path: found 'a\\x00b'"),
        ({"path": "\ud800"}, "path: found '\\ud800'"),
        ({"path": "pipe.ipynb"}, "pipe.ipynb: is no plain file"),
        ({"path": "good.ipynb", "cell": "9"}, "cell: cell '9' does not start with `%%tune`"),
        ({"path": "good.ipynb", "fresh": "yes"}, "fresh: found 'yes'"),
        (b'{"path": NaN}', "body: is no JSON: NaN is no number of JSON"),
        ({"path": "elsewhere.ipynb"}, "store: the file says /nowhere/other.db"),
        ({"path": "../secret.ipynb"}, "path: '../secret.ipynb' is not below the folder"),
        ({"path": "/etc/passwd"}, "path: '/etc/passwd' is not below the folder"),
        ({"path": "bad.ipynb"}, "bad.ipynb, cell 1, line 2: uniform(1, 0)"),
        (
            {"path": "good.ipynb", "options": {"n_trials": 3, "parallel": 0}},
            "n_trials: is no argument; it is called trials here",
        ),
    ],
)
def test_a_wrong_wish_is_refused_with_every_reason(server: Server, body: object, said: str) -> None:
    tuned = "%%tune minimize loss\nk = 1.0  # tune: uniform(0, 1)\nloss = k"
    write_notebook(server.root / "good.ipynb", tuned)
    write_notebook(server.root / "bad.ipynb", tuned.replace("(0, 1)", "(1, 0)"))
    elsewhere = tuned.replace("minimize loss", "minimize loss --store /nowhere/other.db")
    write_notebook(server.root / "elsewhere.ipynb", elsewhere)
    if not (server.root / "pipe.ipynb").exists():
        os.mkfifo(server.root / "pipe.ipynb")
    before = server.get("/experiments")
    answer = server.ask("POST", "/experiments", body)
    assert answer.status == 400, answer.content
    assert said in answer.json["message"]
    assert answer.json["problems"]
    assert len(server.get("/experiments")["experiments"]) == len(before["experiments"])


def test_a_link_out_of_the_served_folder_is_refused(server: Server) -> None:
    outside = write_notebook(
        server.root.parent / "outside.ipynb",
        "%%tune minimize loss\nk = 1.0  # tune: uniform(0, 1)\nloss = k",
    )
    link = server.root / "link.ipynb"
    link.unlink(missing_ok=True)
    link.symlink_to(outside)
    assert server.ask("POST", "/experiments", {"path": "link.ipynb"}).status == 400


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/trials", {"since": -1}, 400),
        ("/trials", {"limit": 1001}, 400),
        ("/trials", {"sinse": 1}, 400),
        ("/trials/99", {}, 404),
        ("/trials/99/log", {}, 404),
        ("/trials/99/code", {}, 404),
        ("/trials/x", {}, 404),
        ("/nothing", {}, 404),
        ("/trials/0/artifacts/nothing", {}, 404),
        ("/trials/0/artifacts/../../../../hpo_lab.db", {}, 404),
        ("/trials/0/artifacts/%2e%2e%2f%2e%2e%2fhpo_lab.db", {}, 404),
        ("/figures/histry", {}, 404),
        ("/figures/history", {"theme": "pink"}, 400),
        ("/figures/history", {"focus": "y"}, 400),
        ("/curves", {"trial": "x"}, 400),
    ],
)
def test_a_wrong_question_is_refused(
    server: Server, parabola: str, path: str, query: dict[str, object], status: int
) -> None:
    answer = server.ask("GET", f"/experiments/{parabola}{path}", **query)
    assert answer.status == status, answer.content
    assert answer.json["message"]


def test_a_file_that_is_not_there_is_not_found(server: Server) -> None:
    answer = server.ask("POST", "/experiments", {"path": "none.ipynb"})
    assert (answer.status, answer.json["message"]) == (404, "there is no file 'none.ipynb'")


@pytest.mark.parametrize("body", [{"trials": True}, {"parallel": "two"}, {"trails": 3}])
def test_a_wrong_budget_is_refused_as_in_python(
    server: Server, parabola: str, body: dict[str, object]
) -> None:
    answer = server.ask("POST", f"/experiments/{parabola}/resume", body)
    assert answer.status == 400
    assert next(iter(body)) in answer.json["message"]


@pytest.mark.parametrize("spoilt", ["pipe", "folder", "link"])
def test_what_a_trial_puts_in_the_place_of_its_log_is_not_read(
    server: Server, parabola: str, spoilt: str
) -> None:
    log = next(server.store.parent.glob(f"*.trials/{parabola}/00003/log.txt"), None)
    log = log or next(server.store.parent.glob(f"*.trials/{parabola}/*3")) / "log.txt"
    if log.is_dir():
        log.rmdir()
    else:
        log.unlink(missing_ok=True)
    if spoilt == "pipe":
        os.mkfifo(log)
    elif spoilt == "folder":
        log.mkdir()
    else:
        log.symlink_to("/etc/passwd")
    assert server.ask("GET", f"/experiments/{parabola}/trials/3/log").status == 404
    assert server.get(f"/experiments/{parabola}")["state"] == "Succeeded"


def test_another_method_is_told_which_are_possible(server: Server) -> None:
    answer = server.ask("DELETE", "/experiments")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")


def test_another_experiment_of_a_chosen_name_is_a_conflict(server: Server, parabola: str) -> None:
    write_notebook(
        server.root / "other.ipynb",
        "%%tune minimize loss --name parabola\nk = 1.0  # tune: uniform(0, 1)\nloss = k",
    )
    answer = server.ask("POST", "/experiments", {"path": "other.ipynb"})
    assert answer.status == 409, answer.content
    assert "ways on" in answer.json["message"]
