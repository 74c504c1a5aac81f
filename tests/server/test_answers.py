"""What the addresses answer."""

from __future__ import annotations

from tests.server.conftest import Server, write_notebook


def test_the_version_and_the_stores(server: Server) -> None:
    import hpo_lab

    assert server.get("") == {"version": hpo_lab.__version__, "stores": [str(server.store)]}


def test_an_experiment_at_a_glance_and_whole(server: Server, parabola: str) -> None:
    (glance,) = [
        each for each in server.get("/experiments")["experiments"] if each["uid"] == parabola
    ]
    assert (glance["title"], glance["state"], glance["trials"]) == (
        "parabola",
        "Succeeded",
        {"Succeeded": 4},
    )
    asked = server.get("/experiments", uid=["0" * 32, parabola])["experiments"]
    # The clock runs until the runner has gone.
    assert [each | {"elapsedSeconds": 0} for each in asked] == [glance | {"elapsedSeconds": 0}]
    assert (glance["file"], glance["place"]) == (None, "local")
    assert glance["created"] < glance["ended"] < glance["created"] + 300
    shown = server.get(f"/experiments/{parabola}")
    assert [each["name"] for each in shown["parameters"]] == ["x"]
    assert [each["type"] for each in shown["conditions"]][-1] == "Succeeded"
    assert shown["lastFailure"] is None


def test_trials_come_in_pages_and_later_those_that_changed(server: Server, parabola: str) -> None:
    path = f"/experiments/{parabola}/trials"
    first = server.get(path, limit=3)
    assert [each["number"] for each in first["trials"]] == [0, 1, 2]
    assert first["more"]
    rest = server.get(path, limit=3, after=2)
    assert [each["number"] for each in rest["trials"]] == [3]
    assert not rest["more"]
    assert server.get(path, since=first["revision"])["trials"] == []
    assert len(server.get(path, since=1)["trials"]) == 4
    # A store that was restored from a backup has smaller revisions.
    assert len(server.get(path, since=10**9)["trials"]) == 4
    written = first["trials"][0]
    assert written["parameters"] == {"x": 0.5}
    assert written["values"]["score"] == 2 - (0.5 - 0.3) ** 2


def test_a_trial_with_its_files(server: Server, parabola: str) -> None:
    path = f"/experiments/{parabola}/trials/1"
    trial = server.get(path)
    assert {"note"} <= {each["name"] for each in trial["artifacts"]}
    assert trial["notebook"]["served"] is None  # the store is not below the served folder
    x = trial["parameters"]["x"]
    assert server.get(f"{path}/code") == {"code": f"x = {x!r}"}
    assert f"x is {x}" in server.get(f"{path}/log")["text"]
    assert len(server.get(f"{path}/log", tail=3)["text"]) == 3
    assert server.get(f"{path}/notebook")["nbformat"] == 4
    note = server.ask("GET", f"{path}/artifacts/note")
    assert note.json == {"x": x}
    assert note.headers["Content-Disposition"].startswith("attachment")
    assert note.headers["X-Content-Type-Options"] == "nosniff"


def test_curves_and_figures(server: Server, parabola: str) -> None:
    path = f"/experiments/{parabola}"
    curves = server.get(f"{path}/curves", trial=[0, 2])
    assert [each["trial"] for each in curves["curves"]] == [0, 2]
    assert [step for step, _ in curves["curves"][0]["points"]] == [0, 1, 2]
    useful = {each["name"]: each["isOfUse"] for each in server.get(f"{path}/figures")["figures"]}
    assert useful["pareto"] and not useful["lineage"]
    figure = server.get(f"{path}/figures/slices", theme="dark", focus=["x"])
    assert server.ask("GET", f"{path}/figures/slices?theme=pink").status == 400
    assert figure["data"] and figure["text"]


def test_the_way_to_the_best_in_a_few_steps(server: Server, parabola: str) -> None:
    trace = server.get(f"/experiments/{parabola}/trace")
    values = [value for _, value in trace["steps"]]
    assert trace["steps"][0] == [0, 2 - (0.5 - 0.3) ** 2]
    assert values == sorted({*values})
    assert trace["length"] == 4
    assert trace["front"] == len(server.get(f"/experiments/{parabola}")["paretoFront"])


def test_the_panel_is_that_of_the_cell_with_links_from_the_folder(
    server: Server, parabola: str
) -> None:
    path = f"/experiments/{parabola}/panel"
    panel = server.get(path)
    assert panel["isOver"] and panel["revision"] > 0
    assert "parabola" in panel["html"] and "all 4 trials" in panel["html"]
    assert "<img" in panel["html"] and "<script" not in panel["html"]
    # Nothing has changed, and nothing is drawn again.
    assert server.get(path, folder="../..") == {**panel, "html": server.get(path)["html"]}


def test_an_experiment_is_enqueued_to_resumed_and_deleted(server: Server) -> None:
    write_notebook(
        server.root / "short.ipynb",
        "%%tune minimize loss --trials 2 --name short\nx = 1.0  # tune: uniform(0, 2)\nloss = x",
    )
    begun = server.ask("POST", "/experiments", {"path": "short.ipynb", "options": {"trials": 1}})
    assert begun.status == 201, begun.content
    uid = begun.json["uid"]
    assert server.wait(uid)["trials"] == {"Succeeded": 1}
    path = f"/experiments/{uid}"
    complete = server.ask("POST", f"{path}/resume", {})
    assert complete.status == 400
    assert "is complete" in complete.json["message"]
    outlook = server.ask("POST", f"{path}/points", {"points": [{"x": 0.25}]}).json["outlook"]
    assert outlook == (
        "1 point waits to be tried, and the budget of 1 trial leaves room for 0; raise it to 2"
    )
    assert server.ask("POST", f"{path}/resume", {"trials": 2}).status == 202
    assert server.wait(uid)["trials"] == {"Succeeded": 2}
    assert server.get(f"{path}/trials/1")["parameters"] == {"x": 0.25}
    again = server.ask("POST", "/experiments", {"path": "short.ipynb"})
    assert again.json["enrolment"] == "complete"
    assert server.ask("DELETE", path).status == 204
    assert server.ask("GET", path).status == 404


def test_an_experiment_is_stopped(server: Server) -> None:
    cell = "import time\nx = 1.0  # tune: uniform(0, 2)\ntime.sleep(60)\nloss = x"
    write_notebook(server.root / "long.ipynb", f"%%tune minimize loss --name long\n{cell}")
    uid = server.ask("POST", "/experiments", {"path": "long.ipynb"}).json["uid"]
    assert server.ask("POST", f"/experiments/{uid}/stop").status == 202
    assert server.wait(uid)["state"] == "Stopped"


def test_what_a_view_shows_of_an_experiment(server: Server, parabola: str) -> None:
    path = f"/experiments/{parabola}"
    shown = server.get(path)
    assert shown["written"] == {"x": 0.5}
    assert shown["budgets"]["trials"] == 4 and shown["budgets"]["parallel"] == 2
    assert shown["notebook"] is None  # a person chose the name
    assert shown["hints"] == {"bounds": [], "failures": []}
    assert server.get(f"{path}/matches", filter="x = 0.5 state:succ") == {
        "trials": [0],
        "problems": [],
    }
    unfinished = server.get(f"{path}/matches", filter="size <")
    assert unfinished["trials"] == []
    assert "a value is needed" in unfinished["problems"][0]["message"]
    curve = server.get(f"{path}/trials/1/curve", theme="dark")
    assert curve["data"] and "size" not in curve["title"]
    assert server.ask("GET", f"{path}/trials/99/curve").status == 404
    compared = server.get(f"{path}/comparison", other=parabola)
    assert "Best score so far" in compared["text"]


def test_files_to_keep(server: Server, parabola: str) -> None:
    report = server.ask("GET", f"/experiments/{parabola}/report")
    assert report.content.startswith(b"<!doctype html>")
    assert "parabola-report.html" in report.headers["Content-Disposition"]
    table = server.ask("GET", f"/experiments/{parabola}/table").content.decode().splitlines()
    assert len(table) == 5 and table[0].startswith("number,state,x,score,size")
