"""How the replicas of a job find each other: the environment their operators set.

Follows the training operator (`pkg/controller.v1/*/envvar.go`, `tensorflow.go`), Kubeflow
Trainer's torch plugin and the MPI operator, with every replica on this machine: names of
services become 127.0.0.1, and each replica has a port of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.workload.replicas import Replica

__all__ = ["HOST", "hostfile", "ports_needed", "rendezvous", "started"]

HOST = "127.0.0.1"


def started(kind: str, found: Sequence[Replica]) -> list[Replica]:
    """The replicas that are started: all, or an MPIJob's launcher, which starts the others."""
    if kind != "MPIJob":
        return list(found)
    return [replica for replica in found if replica.role == "launcher"]


def ports_needed(kind: str, found: Sequence[Replica]) -> int:
    """How many free ports `rendezvous` needs."""
    return 0 if kind in ("Job", "MPIJob") else len(found)


def rendezvous(
    job: Mapping[str, Any], found: Sequence[Replica], ports: Sequence[int]
) -> list[dict[str, str]]:
    """The environment of each replica of *job*.

    Args:
        job: The job.
        found: Its replicas, by rank.
        ports: A free port for each of them.
    """
    match job.get("kind"):
        case "Job":
            return [{"JOB_COMPLETION_INDEX": str(one.index)} for one in found]
        case "PyTorchJob":
            return [_pytorch(job, one, len(found), ports[0]) for one in found]
        case "TrainJob":
            trainer = (job.get("spec") or {}).get("trainer") or {}
            processes = str(trainer.get("numProcPerNode") or 1)
            return [_torchrun(one.rank, str(len(found)), processes, ports[0]) for one in found]
        case "TFJob":
            return [_tensorflow(one, found, ports) for one in found]
        case "XGBoostJob":
            return [_xgboost(one, found, ports) for one in found]
        case "JAXJob":
            return [
                {
                    "COORDINATOR_ADDRESS": HOST,
                    "COORDINATOR_PORT": str(ports[0]),
                    "NUM_PROCESSES": str(len(found)),
                    "PROCESS_ID": str(one.rank),
                }
                for one in found
            ]
        case "PaddleJob":
            return [_paddle(job, one, found, ports[0]) for one in found]
        case _:
            return [{} for _ in found]


def hostfile(job: Mapping[str, Any], found: Sequence[Replica]) -> str:
    """The hosts of an MPIJob: this machine, with a slot for each of its workers' slots."""
    slots = int((job.get("spec") or {}).get("slotsPerWorker") or 1)
    workers = sum(replica.role == "worker" for replica in found) or 1
    return f"localhost slots={workers * slots}\n"


def _torchrun(rank: int, nodes: str, processes: str, port: int) -> dict[str, str]:
    return {
        "PET_MASTER_ADDR": HOST,
        "PET_MASTER_PORT": str(port),
        "PET_NNODES": nodes,
        "PET_NODE_RANK": str(rank),
        "PET_NPROC_PER_NODE": processes,
    }


def _pytorch(job: Mapping[str, Any], one: Replica, count: int, port: int) -> dict[str, str]:
    spec = job.get("spec") or {}
    processes = str(spec.get("nprocPerNode") or 1)
    variables = {
        "MASTER_ADDR": HOST,
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(count * (int(processes) if processes.isdecimal() else 1)),
        "RANK": str(one.rank),
        **_torchrun(one.rank, str(count), processes, port),
    }
    elastic = spec.get("elasticPolicy")
    if elastic is not None:
        variables |= {
            "PET_RDZV_BACKEND": str(elastic.get("rdzvBackend") or "c10d"),
            "PET_RDZV_ENDPOINT": f"{HOST}:{port}",
            "PET_RDZV_ID": str(elastic.get("rdzvId") or job["metadata"]["name"]),
            "PET_NNODES": f"{elastic.get('minReplicas') or count}:{count}",
        }
        if elastic.get("maxRestarts") is not None:
            variables["PET_MAX_RESTARTS"] = str(elastic["maxRestarts"])
    return variables


def _tensorflow(one: Replica, found: Sequence[Replica], ports: Sequence[int]) -> dict[str, str]:
    if len(found) == 1:
        return {}
    cluster: dict[str, list[str]] = {}
    for replica, port in zip(found, ports, strict=True):
        # An evaluator is no part of the training cluster.
        if replica.role != "evaluator":
            cluster.setdefault(replica.role, []).append(f"{HOST}:{port}")
    task = {"type": one.role, "index": one.index}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})}


def _xgboost(one: Replica, found: Sequence[Replica], ports: Sequence[int]) -> dict[str, str]:
    variables = {
        "MASTER_ADDR": HOST,
        "MASTER_PORT": str(ports[0]),
        "WORLD_SIZE": str(len(found)),
        "RANK": str(one.rank),
    }
    if len(found) > 1:
        variables["WORKER_ADDRS"] = ",".join([HOST] * (len(found) - 1))
        variables["WORKER_PORT"] = str(ports[one.rank] if one.rank else ports[1])
    return variables


def _paddle(
    job: Mapping[str, Any], one: Replica, found: Sequence[Replica], port: int
) -> dict[str, str]:
    variables = {
        "PADDLE_JOB_ID": job["metadata"]["name"],
        "PADDLE_NNODES": str(len(found)),
        "PADDLE_MASTER": f"{HOST}:{port}",
    }
    if found[0].role == "master":
        key = "PADDLE_SERVER_NUM" if one.role == "master" else "PADDLE_TRAINER_NUM"
        variables[key] = "1"
    return variables
