"""What a server is at its start, for standard tools, and towards a second one."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pose_shared import PROTOCOL_VERSION, __version__
from pose_shared.client import Client
from serving import SUPPORT, RunningServer, StartServer


def test_it_says_what_it_is(client: Client) -> None:
    info = client.check_compatible()
    assert info.version == __version__
    assert info.protocol == PROTOCOL_VERSION
    assert info.devices == ("cpu",)
    assert "npz" in info.formats


def test_it_says_which_models_of_detectors_it_has(start_server: StartServer) -> None:
    server = start_server()
    (server.data_dir / "weights").mkdir()
    (server.data_dir / "weights" / "rtmo-s.onnx").write_bytes(b"not read for a list")
    with Client(server.address) as client:
        detectors = {detector.name: detector for detector in client.check_compatible().detectors}
    models = {model.name: model for model in detectors["rtmpose"].models}
    assert (models["rtmo-s"].here, models["rtmo-s"].advice) == (True, "")
    assert (models["rtmo-m"].here, models["rtmo-m"].advice) == (False, "pose-server models fetch rtmo-m")
    assert detectors["blazepose"].models == ()


def test_health_and_reflection_are_there_for_standard_tools(server: RunningServer) -> None:
    with grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "pose.v1.JobService"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        listed = next(reflection.ServerReflectionInfo(iter([request]), timeout=5))
        names = {service.name for service in listed.list_services_response.service}
    assert names >= {f"pose.v1.{name}Service" for name in ("Job", "Motion", "System", "Upload")}


def test_health_says_not_serving_while_it_stops(start_server: StartServer) -> None:
    server = start_server()
    with grpc.insecure_channel(server.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        server.process.terminate()
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert server.process.wait(10) == 0


def test_the_log_is_json_and_names_no_film(start_server: StartServer, film: Path) -> None:
    server = start_server()
    with Client(server.address) as client:
        client.import_clip(film, {})
    server.terminate()
    lines = [json.loads(line) for line in server.read_log().splitlines()]
    assert {"worker_ready", "serving", "job_created", "task_started", "job_ended"} <= {
        line["event"] for line in lines
    }
    assert film.name not in server.read_log()


def refused(start_server: StartServer, **settings: object) -> str:
    server = start_server(**settings)
    assert server.address == ""
    assert server.process.wait(10) == 2
    message = server.read_log().strip().splitlines()[-1]
    assert "Traceback" not in server.read_log()
    assert server.workers() == []
    return message


def test_a_second_server_on_the_port_is_refused(
    server: RunningServer, start_server: StartServer, tmp_path: Path
) -> None:
    port = server.address.rsplit(":", 1)[1]
    message = refused(start_server, PORT=port)
    assert port in message
    assert "--port" in message


def test_a_second_server_on_the_data_is_refused(server: RunningServer, start_server: StartServer) -> None:
    assert "--data-dir" in refused(start_server, data_dir=server.data_dir)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.com", "::"])
def test_it_listens_on_this_machine_only(start_server: StartServer, host: str) -> None:
    assert "ssh -L" in refused(start_server, HOST=host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2"])
def test_other_loopback_names_do(start_server: StartServer, host: str) -> None:
    server = start_server(HOST=host)
    with Client(server.address) as client:
        client.check_compatible()


def test_a_device_that_is_not_there_is_refused(start_server: StartServer) -> None:
    assert "cuda:99" in refused(start_server, DEVICE="cuda:99")


@pytest.mark.parametrize(("name", "value"), [("PORT", "many"), ("DEVICE", "gpu"), ("LOG_LEVEL", "LOUD")])
def test_a_setting_that_cannot_be_is_named(start_server: StartServer, name: str, value: str) -> None:
    message = refused(start_server, **{name: value})
    assert f"POSE_{name}" in message
    assert value in message


def test_a_data_folder_below_a_file_is_refused(start_server: StartServer, film: Path) -> None:
    assert "--data-dir" in refused(start_server, data_dir=film / "data")


def test_a_job_function_that_cannot_be_loaded_stops_the_start(tmp_path: Path) -> None:
    code = f"""
import asyncio
from pathlib import Path
from pose_server.api.server import run_server
from pose_server.settings import Settings
from pose_shared.errors import PoseError
settings = Settings(port=0, device="cpu", data_dir=Path({str(tmp_path)!r}))
try:
    run_server(settings, job_function="fake_jobs:none")
except PoseError as error:
    print(error.reason)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=SUPPORT, capture_output=True, text=True, timeout=30
    )
    assert run.stdout.strip() == "WORKER_START_FAILED"


def test_sigint_stops_it_too(start_server: StartServer) -> None:
    server = start_server()
    server.process.send_signal(2)
    assert server.process.wait(10) == 0
    with pytest.raises(ConnectionRefusedError):
        host, port = server.address.split(":")
        socket.create_connection((host, int(port)), timeout=2).close()
