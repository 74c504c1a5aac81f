"""A TensorBoard that ends with the kernel: `tensorboard_server KERNEL FOLDER OPTION...`.

It has a process group of its own: an interrupt of the kernel is none of it, and a kernel that
ends waits for the processes of its group.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time

_EVERY = 0.5


def _end_with(kernel: int, folder: str) -> None:
    """Remove *folder* and end when this process is no longer a child of *kernel*."""
    while os.getppid() == kernel:
        time.sleep(_EVERY)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def main() -> None:
    """Serve until the kernel ends."""
    os.setpgid(0, 0)
    kernel, folder, *options = sys.argv[1:]
    threading.Thread(target=_end_with, args=[int(kernel), folder], daemon=True).start()
    sys.argv = ["tensorboard", *options]
    from tensorboard.main import run_main

    run_main()


if __name__ == "__main__":
    main()
