"""The environment variables by which the replicas of a job find each other.

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


def started(kind: str, replicas: Sequence[Replica]) -> list[Replica]:
    """The replicas to start: all, or an MPIJob's launcher, which starts the other replicas."""
    if kind != "MPIJob":
        return list(replicas)
    return [replica for replica in replicas if replica.role == "launcher"]


def ports_needed(kind: str, replicas: Sequence[Replica]) -> int:
    """The number of free ports that `rendezvous` needs."""
    return 0 if kind in ("Job", "MPIJob") else len(replicas)


def rendezvous(
    job: Mapping[str, Any], replicas: Sequence[Replica], ports: Sequence[int]
) -> list[dict[str, str]]:
    """The environment of each replica of *job*.

    Args:
        job: The job.
        replicas: The job's replicas, by rank.
        ports: A free port for each replica.
    """
    match job.get("kind"):
        case "Job":
            return [{"JOB_COMPLETION_INDEX": str(replica.index)} for replica in replicas]
        case "PyTorchJob":
            return [_pytorch(job, replica, len(replicas), ports[0]) for replica in replicas]
        case "TrainJob":
            trainer = (job.get("spec") or {}).get("trainer") or {}
            processes = str(trainer.get("numProcPerNode") or 1)
            return [
                _torchrun(replica.rank, str(len(replicas)), processes, ports[0])
                for replica in replicas
            ]
        case "TFJob":
            return [_tensorflow(replica, replicas, ports) for replica in replicas]
        case "XGBoostJob":
            return [_xgboost(replica, replicas, ports) for replica in replicas]
        case "JAXJob":
            return [
                {
                    "COORDINATOR_ADDRESS": HOST,
                    "COORDINATOR_PORT": str(ports[0]),
                    "NUM_PROCESSES": str(len(replicas)),
                    "PROCESS_ID": str(replica.rank),
                }
                for replica in replicas
            ]
        case "PaddleJob":
            return [_paddle(job, replica, replicas, ports[0]) for replica in replicas]
        case _:
            return [{} for _ in replicas]


def hostfile(job: Mapping[str, Any], replicas: Sequence[Replica]) -> str:
    """The hosts of an MPIJob: this machine, with a slot for each of its workers' slots."""
    slots = int((job.get("spec") or {}).get("slotsPerWorker") or 1)
    workers = sum(replica.role == "worker" for replica in replicas) or 1
    return f"localhost slots={workers * slots}\n"


def _torchrun(rank: int, nodes: str, processes: str, port: int) -> dict[str, str]:
    return {
        "PET_MASTER_ADDR": HOST,
        "PET_MASTER_PORT": str(port),
        "PET_NNODES": nodes,
        "PET_NODE_RANK": str(rank),
        "PET_NPROC_PER_NODE": processes,
    }


def _pytorch(job: Mapping[str, Any], replica: Replica, count: int, port: int) -> dict[str, str]:
    spec = job.get("spec") or {}
    processes = str(spec.get("nprocPerNode") or 1)
    variables = {
        "MASTER_ADDR": HOST,
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(count * (int(processes) if processes.isdecimal() else 1)),
        "RANK": str(replica.rank),
        **_torchrun(replica.rank, str(count), processes, port),
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


def _tensorflow(own: Replica, replicas: Sequence[Replica], ports: Sequence[int]) -> dict[str, str]:
    if len(replicas) == 1:
        return {}
    cluster: dict[str, list[str]] = {}
    for replica, port in zip(replicas, ports, strict=True):
        # An evaluator is no part of the training cluster.
        if replica.role != "evaluator":
            cluster.setdefault(replica.role, []).append(f"{HOST}:{port}")
    task = {"type": own.role, "index": own.index}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})}


def _xgboost(replica: Replica, replicas: Sequence[Replica], ports: Sequence[int]) -> dict[str, str]:
    variables = {
        "MASTER_ADDR": HOST,
        "MASTER_PORT": str(ports[0]),
        "WORLD_SIZE": str(len(replicas)),
        "RANK": str(replica.rank),
    }
    if len(replicas) > 1:
        variables["WORKER_ADDRS"] = ",".join([HOST] * (len(replicas) - 1))
        variables["WORKER_PORT"] = str(ports[replica.rank] if replica.rank else ports[1])
    return variables


def _paddle(
    job: Mapping[str, Any], replica: Replica, replicas: Sequence[Replica], port: int
) -> dict[str, str]:
    variables = {
        "PADDLE_JOB_ID": job["metadata"]["name"],
        "PADDLE_NNODES": str(len(replicas)),
        "PADDLE_MASTER": f"{HOST}:{port}",
    }
    if replicas[0].role == "master":
        key = "PADDLE_SERVER_NUM" if replica.role == "master" else "PADDLE_TRAINER_NUM"
        variables[key] = "1"
    return variables
