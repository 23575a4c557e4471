"""A histogram whose values are handed on in batches: each is counted once, and none is missing when somebody looks."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

# The SDK can be configured only once in a process, so this one is of its own.
_PROGRAM = """
import json, threading
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from statuette.kernel import telemetry

reader = InMemoryMetricReader()
telemetry.configure(otlp_endpoint=None, sampling=0.0, metric_readers=(reader,))

def told():
    data = reader.get_metrics_data()
    metrics = json.loads(data.to_json())["resource_metrics"][0]["scope_metrics"][0]["metrics"] if data else []
    return {m["name"]: {p["attributes"].get("http.route"): p["count"] for p in m["data"]["data_points"]} for m in metrics}

looks = []
for _ in range(3):
    telemetry.http_seconds.record(0.01, {"http.route": "/a"})
looks.append(told())
for _ in range(300):
    telemetry.http_seconds.record(0.01, {"http.route": "/b"})
looks.append(told())

stop = threading.Event()
def look():
    while not stop.is_set():
        told()
looking = threading.Thread(target=look)
looking.start()
for _ in range(20_000):
    telemetry.http_seconds.record(0.01, {"http.route": "/c"})
stop.set()
looking.join()
looks.append(told())
print(json.dumps(looks))
"""


def test_each_value_is_counted_once_whenever_somebody_looks() -> None:
    # Given a few values, many, and very many while somebody looks all the time
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, timeout=60, check=True)
    few, many, watched = (dict[str, Any](look) for look in json.loads(done.stdout))

    # Then what was recorded has been told, and nothing else
    name = "http.server.request.duration"
    assert few == {name: {"/a": 3}}
    assert many == {name: {"/a": 3, "/b": 300}}
    assert watched == {name: {"/a": 3, "/b": 300, "/c": 20_000}}
