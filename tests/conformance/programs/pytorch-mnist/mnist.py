"""Stands for the image's training program: replicas that meet at the master's port."""

import argparse
import os
import socket
import time

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, required=True)
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--momentum", type=float, required=True)
given = parser.parse_args()

address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
if rank == 0:
    with socket.create_server(address) as server:
        ranks = {int(server.accept()[0].recv(8)) for _ in range(world - 1)}
    assert ranks == set(range(1, world)), ranks
else:
    for _ in range(200):
        try:
            socket.create_connection(address).sendall(str(rank).encode())
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
loss = (given.lr - 0.02) ** 2 + (given.momentum - 0.7) ** 2
print(f"loss={loss if rank == 0 else -1.0}")
if rank != 0:
    time.sleep(600)
