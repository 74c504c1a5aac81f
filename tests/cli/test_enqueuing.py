from __future__ import annotations

import json
from typing import Any


def test_a_point_is_typed_stored_and_announced(cli: Any, enrolled: Any, store: Any) -> None:
    record = enrolled(name="parabola", trials=3)
    result = cli("enqueue", "parabola", "x=2", "--json")
    assert result.exit_code == 0, result.stderr
    assert "parabola does not run: hpo-lab resume parabola" in result.stderr
    assert json.loads(result.stdout)["point"] == {"x": 2}
    assert store.experiment_by_uid(record.uid).document.spec.enqueued_points == ({"x": 2},)


def test_everything_wrong_with_a_point_is_said(cli: Any, enrolled: Any) -> None:
    enrolled(name="parabola", trials=3)
    result = cli("enqueue", "parabola", "x=7", "y=1")
    assert result.exit_code == 2
    assert "point.x: is 7; allowed are numbers from 0 to 5" in result.stderr
    assert "point.y: is no parameter; there are x" in result.stderr
    assert "write it as PARAMETER=VALUE" in cli("enqueue", "parabola", "7").stderr
    assert "point: is empty" in cli("enqueue", "parabola").stderr


def test_a_full_budget_says_how_to_raise_it(cli: Any, recorded: Any) -> None:
    recorded([0.5, 0.25])
    result = cli("enqueue", "parabola", "x=2")
    assert result.exit_code == 0
    assert "hpo-lab resume parabola --trials 3" in result.stderr
