"""Work spread over a real Ray of two nodes, with workers that die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime import SettingError
from realtime.cluster.driver import import_ray
from realtime.cluster.tasks import ClusterOptions

SCENARIO = Path(__file__).with_name("scenario.py")


@pytest.mark.timeout(240)
def test_every_task_is_done_once_and_dead_workers_cost_a_retry(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra 'cluster' is not installed")
    environment = os.environ | {"RAY_DEDUP_LOGS": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, str(SCENARIO), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    results = found["results"]
    assert found["places"] == 2
    assert [results[name] for name in ("one", "two", "three")] == [[None, 1]] * 3
    assert results["dies once"] == [None, 2]
    assert results["fails"] == ["no video", 1]
    error, tries = results["poison"]
    assert tries == 2
    assert "its worker died 2 times" in error
    # The second try goes on with what the first left.
    assert (tmp_path / "dies once").read_text() == "dies once True"
    assert (tmp_path / "one").read_text() == "one False"


def test_without_ray_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingError, match=r"a cluster needs Ray: install mbllen-realtime\[cluster\]"):
        import_ray()


@pytest.mark.parametrize("fields", [{"cpus_per_worker": 0}, {"cpus_per_worker": -1}, {"workers": 0}])
def test_impossible_settings_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="must be"):
        ClusterOptions(**fields)  # type: ignore[arg-type]
