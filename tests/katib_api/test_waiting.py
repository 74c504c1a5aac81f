"""An algorithm that waits for results, where Katib takes all suggestions or none."""

from __future__ import annotations

import grpc
import pytest

from hpo_lab.katib_api import katib_pb
from hpo_lab.search import algorithm as registry
from hpo_lab.search import ask as asking
from hpo_lab.search.algorithm import WAIT, Algorithm, Ask, Suggestion, Wait
from tests.katib_api.asking import Client, Controller, ask, experiment, space, values


class Pairs(Algorithm):
    """Lets the first of each two trials end before the second begins."""

    name = "pairs"
    uses_history = True

    def suggest(self, ask: Ask) -> Suggestion | Wait:
        if ask.number % 2 == 0:
            return Suggestion({"x": 0.25}, labels={"rung": "0"})
        if not ask.trials[-1].is_final:
            return WAIT
        assert ask.trials[-1].labels == {"rung": "0"}
        return Suggestion({"x": 0.75}, parent=ask.number - 1, labels={"rung": "1"})


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> katib_pb.Experiment:
    for module in (asking, registry):
        monkeypatch.setattr(module, "get_algorithm", lambda name: Pairs())
    return experiment("pairs", {}, {"x": space("DOUBLE", "0", "1")})


def test_an_algorithm_that_waits_for_a_trial_makes_katib_ask_again(
    client: Client, pairs: katib_pb.Experiment
) -> None:
    controller = Controller(client, pairs)
    controller.begin(1)
    code, reason = client.refusal("GetSuggestions", controller.request(1))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "1 unfinished" in reason
    controller.end(0, 1.0)
    (second,) = controller.begin(1)
    assert values(second) == {"x": "0.75"}


def test_labels_and_the_parent_come_back_with_the_trials(
    client: Client, pairs: katib_pb.Experiment
) -> None:
    controller = Controller(client, pairs)
    controller.begin(1)
    controller.end(0, 1.0)
    (second,) = controller.begin(1)
    assert dict(second.labels) == {
        "hpolab.dev/number": "1",
        "hpolab.dev/parent": "0",
        "hpolab.dev/rung": "1",
    }


def test_no_batch_waits_for_itself(client: Client, pairs: katib_pb.Experiment) -> None:
    # Katib begins none of them before it has all, so waiting would never end.
    first, second = client.suggestions(ask(pairs, count=2))
    assert dict(first.labels)["hpolab.dev/rung"] == "0"
    assert "hpolab.dev/rung" not in second.labels
    assert 0 <= float(values(second)["x"]) <= 1


def test_an_answer_outside_the_space_is_no_answer(
    client: Client, pairs: katib_pb.Experiment
) -> None:
    del pairs.spec.parameter_specs.parameters[:]
    pairs.spec.parameter_specs.parameters.add(name="y", **space("DOUBLE", "0", "1"))
    code, reason = client.refusal("GetSuggestions", ask(pairs))
    assert code is grpc.StatusCode.INTERNAL
    assert "'x' is no parameter" in reason
