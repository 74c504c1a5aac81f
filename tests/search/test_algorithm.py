from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.model import ExperimentSpec, FeasibleSpace, Parameter
from hpo_lab.experiment.trial import Trial
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import Setting, algorithms, get_algorithm, search_problems
from hpo_lab.search.ask import InvalidSuggestion
from hpo_lab.search.random import Random

from .asking import suggest

IMPORT = "from hpo_lab.search.algorithm import Algorithm\n"
LR = Parameter(name="lr", parameter_type="double", feasible_space=FeasibleSpace(min=0.0, max=1.0))


def experiment(algorithm: str, *settings: tuple[str, Any], **fields: Any) -> ExperimentSpec:
    document = {
        "objective": {"type": "minimize", "objectiveMetricName": "loss"},
        "parameters": (LR,),
        "algorithm": {
            "algorithmName": algorithm,
            "algorithmSettings": [{"name": name, "value": value} for name, value in settings],
        },
    }
    return ExperimentSpec.model_validate(document | fields)


def test_the_built_in_algorithms_are_registered() -> None:
    names = {
        "asha",
        "bayesianoptimization",
        "bohb",
        "cmaes",
        "grid",
        "halton",
        "hyperband",
        "multivariate-tpe",
        "pbt",
        "random",
        "sobol",
        "successivehalving",
        "tpe",
    }
    assert names <= set(algorithms())
    assert {get_algorithm(name).name for name in names} == names


KATIB: dict[str, dict[str, str]] = {
    "random": {"random_state": "10"},
    "grid": {"random_state": "10"},
    "tpe": {
        "gamma": "0.25",
        "prior_weight": "1.0",
        "n_EI_candidates": "24",
        "random_state": "10",
    },
    "multivariate-tpe": {
        "n_startup_trials": "10",
        "n_ei_candidates": "24",
        "random_state": "10",
    },
    "bayesianoptimization": {
        "base_estimator": "GBRT",
        "n_initial_points": "10",
        "acq_func": "gp_hedge",
        "acq_optimizer": "lbfgs",
        "random_state": "10",
    },
    "cmaes": {"random_state": "10", "sigma": "0.3", "restart_strategy": "ipop"},
    "sobol": {},
}


@pytest.mark.parametrize("algorithm", KATIB)
def test_the_settings_of_katib_are_known(algorithm: str) -> None:
    found = search_problems(experiment(algorithm, *KATIB[algorithm].items()))
    assert not [problem for problem in found if "algorithm" in problem.where]


def test_cmaes_needs_something_numeric() -> None:
    choice = Parameter(
        name="opt", parameter_type="categorical", feasible_space=FeasibleSpace(list=("a", "b"))
    )
    branch = LR.model_copy(update={"when": 'opt == "a"'})
    (problem,) = search_problems(experiment("cmaes", parameters=(choice, branch)))
    assert problem.where == "spec.parameters"
    assert search_problems(experiment("cmaes", parameters=(choice, LR))) == []


def test_a_sound_experiment_has_no_problems() -> None:
    given = {"n_startup_trials": "5", "multivariate": "false"}
    assert search_problems(experiment("tpe", *given.items())) == []
    assert search_problems(experiment("random", ("random_state", 0))) == []


def test_an_unknown_algorithm_is_answered_with_the_known_ones() -> None:
    (problem,) = search_problems(experiment("radnom"))
    assert problem.where == "spec.algorithm.algorithmName"
    assert "'radnom' is no search algorithm" in problem.message
    assert "grid" in problem.message and "did you mean 'random'?" in problem.message


def test_every_wrong_setting_is_named_with_its_place() -> None:
    spec = experiment(
        "tpe",
        ("n_startup_trials", "many"),
        ("gama", "0.2"),
        ("gamma", "1.0"),
        ("prior_weight", "0"),
        ("n_ei_candidates", "0"),
        ("multivariate", "maybe"),
        ("random_state", "-1"),
    )
    path = "spec.algorithm.algorithmSettings"
    assert [str(problem) for problem in search_problems(spec)] == [
        f"{path}[0].value: n_startup_trials is 'many'; must be an integer of at least 0",
        f"{path}[1].name: 'gama' is no setting of 'tpe', which has gamma, multivariate, "
        "n_EI_candidates, n_ei_candidates, n_startup_trials, prior_weight, random_state; "
        "did you mean 'gamma'?",
        f"{path}[2].value: gamma is '1.0'; must be a number above 0 and below 1",
        f"{path}[3].value: prior_weight is '0'; must be a number above 0",
        f"{path}[4].value: n_ei_candidates is '0'; must be an integer of at least 1",
        f"{path}[5].value: multivariate is 'maybe'; must be true or false",
        f"{path}[6].value: random_state is '-1'; must be an integer of at least 0",
    ]


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400"])
def test_a_setting_is_a_finite_number(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        Setting(float, "any").parse(text)


def test_a_setting_of_named_choices_suggests_the_nearest() -> None:
    setting = Setting(str, "how", choices=("none", "ipop", "bipop"))
    assert setting.parse("ipop") == "ipop"
    with pytest.raises(ValueError, match="one of none, ipop, bipop; did you mean 'bipop'"):
        setting.parse("bippop")


def test_a_setting_in_two_spellings_is_a_problem() -> None:
    spec = experiment("tpe", ("n_EI_candidates", "24"), ("n_ei_candidates", "30"))
    (problem,) = search_problems(spec)
    assert problem.where == "spec.algorithm.algorithmSettings[1].name"


def test_a_grid_needs_steps() -> None:
    whole = Parameter(name="n", parameter_type="int", feasible_space=FeasibleSpace(min=1, max=3))
    (problem,) = search_problems(experiment("grid", parameters=(whole, LR)))
    assert problem.where == "spec.parameters[1].feasibleSpace.step"
    assert "'lr'" in problem.message


PLUGIN = """
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import Algorithm, Setting

class Fixed(Algorithm):
    name = "fixed"
    settings = {"value": Setting(float, "what to suggest", default=0.5)}
    uses_history = False

    def suggest(self, ask):
        return {"lr": ask.settings["value"]}

    def problems(self, spec):
        return [Problem("spec.parameters", "are not one")] if len(spec.parameters) != 1 else []
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme_search.py").write_text(PLUGIN)
    info = tmp_path / "acme_search-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-search\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[hpo_lab.algorithms]\nfixed = acme_search:Fixed\nbroken = acme_missing:Broken\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("acme_search", None)
    get_algorithm.cache_clear()


@pytest.mark.usefixtures("plugin")
def test_an_installed_package_adds_an_algorithm() -> None:
    assert "fixed" in algorithms()
    assert suggest(experiment("fixed"), 0, []) == {"lr": 0.5}
    assert suggest(experiment("fixed", ("value", "0.25")), 0, []) == {"lr": 0.25}
    assert search_problems(experiment("fixed", parameters=())) == [
        Problem("spec.parameters", "are not one")
    ]


@pytest.mark.usefixtures("plugin")
def test_a_broken_package_is_named_and_breaks_nothing_else() -> None:
    (problem,) = search_problems(experiment("broken"))
    assert problem.where == "spec.algorithm.algorithmName"
    assert "'broken' of the package acme-search 1.2 cannot be loaded" in problem.message
    assert "acme_missing" in problem.message
    assert search_problems(experiment("random")) == []


def test_a_misspelt_attribute_is_refused_where_the_class_is_made() -> None:
    with pytest.raises(TypeError, match=r"Hasty\.take_points is no attribute of Algorithm"):

        class Hasty(Random):
            take_points = True


def test_names_of_its_own_are_no_misspellings() -> None:
    class Own(Random):
        draws = 3
        _takes_point = True

    assert not Own().takes_points


NOT_ALGORITHMS = {
    "class Wrong:\n    name = 'wrong'": r"Wrong'> is no class derived from hpo_lab\.search",
    "Wrong = len": "<built-in function len> is no class derived",
    f"{IMPORT}class Wrong(Algorithm):\n    name = 'wrong'\n    suggest = len": "lacks uses_history",
    f"{IMPORT}class Wrong(Algorithm):\n    name = 'wrong'\n    uses_history = False": "abstract",
    f"{IMPORT}class Wrong(Algorithm):\n    uses_histroy = True": "did you mean 'uses_history'",
}


@pytest.mark.parametrize(("source", "message"), NOT_ALGORITHMS.items(), ids=range(5))
def test_what_is_registered_and_no_algorithm_is_named_with_its_package(
    source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_wrong.py").write_text(source)
    info = tmp_path / "acme_wrong-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-wrong\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[hpo_lab.algorithms]\nwrong = acme_wrong:Wrong\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme_wrong", raising=False)
    (problem,) = search_problems(experiment("wrong"))
    assert "'wrong' of the package acme-wrong 1.2 cannot be loaded: TypeError" in problem.message
    assert re.search(message, problem.message)


@pytest.mark.usefixtures("plugin")
def test_an_answer_outside_the_space_is_refused() -> None:
    with pytest.raises(InvalidSuggestion, match=r"'fixed', asked for trial 3: 7.0 is no value"):
        suggest(experiment("fixed", ("value", "7")), 3, [])


@pytest.mark.usefixtures("plugin")
def test_an_algorithm_that_repeats_itself_does_not_keep_a_finite_space_from_ending() -> None:
    halves = Parameter(
        name="lr", parameter_type="double", feasible_space=FeasibleSpace(min=0, max=1, step=0.5)
    )
    spec = experiment("fixed", parameters=(halves,))
    trials: list[Trial] = []
    while (made := suggest(spec, len(trials), trials)) is not None:
        trials.append(Trial(len(trials), made))
    assert sorted(float(str(trial.assignments["lr"])) for trial in trials) == [0.0, 0.5, 1.0]
