"""Work spread over a real Ray of two nodes, with workers that die."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from realtime import DeviceError, SettingError
from realtime.cluster.connection import connected, import_ray
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
    assert (found["places"], found["nodes"]) == (2, 2)
    results = {name: (error, tries) for name, error, tries in found["results"]}
    assert len(found["results"]) == len(results) == 9, "each file has one result"
    assert [results[name] for name in ("one", "two", "three")] == [("None", 1)] * 3
    assert results["dies once"] == results["long"] == ("None", 2)
    assert results["uncut"] == ("None", 1)
    assert results["fails"] == ("no video (on node test); overwrite=True helps", 1)
    for name in ("poison", "half"):
        error, tries = results[name]
        assert tries == 2
        assert "its worker died 2 times" in error
    # The second try goes on with what the first left.
    written = {name: (tmp_path / name).read_text() for name in results if (tmp_path / name).exists()}
    assert written == {
        "one": "one False",
        "two": "two False",
        "three": "three False",
        "dies once": "dies once True",
        "long": "joined False True False",
        "uncut": "uncut False",
    }


def test_without_ray_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingError, match=r"a cluster needs Ray: install mbllen-realtime\[cluster\]"):
        import_ray()


@pytest.mark.parametrize("fields", [{"cpus_per_worker": 0}, {"cpus_per_worker": -1}, {"workers": 0}])
def test_impossible_settings_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="must be"):
        ClusterOptions(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["nonsense", "localhost", "ray://localhost", "a:b"])
def test_what_is_no_address_is_a_usage_error(address: str) -> None:
    pytest.importorskip("ray", reason="the extra 'cluster' is not installed")
    with pytest.raises(SettingError, match="is neither auto nor HOST:PORT"), connected(ClusterOptions(address=address)):
        pass


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_where_nothing_answers_is_one_line_at_once(scheme: str) -> None:
    pytest.importorskip("ray", reason="the extra 'cluster' is not installed")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(DeviceError, match="no Ray cluster answers at"), connected(ClusterOptions(address=address)):
            pass


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("asked", "given"), [(None, 0), ("7", 7)])
def test_workers_have_the_priority_of_the_command(
    asked: str | None, given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="the extra 'cluster' is not installed")
    monkeypatch.delenv("RAY_worker_niceness", raising=False)
    if asked is not None:
        monkeypatch.setenv("RAY_worker_niceness", asked)
    code = (
        "import os\n"
        "from realtime.cluster.connection import connected\n"
        "from realtime.cluster.tasks import ClusterOptions\n"
        "with connected(ClusterOptions()) as ray:\n"
        "    print(ray.get(ray.remote(lambda: os.nice(0)).remote()) - os.nice(0))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout.splitlines()[-1:] == [str(given)], done.stderr
