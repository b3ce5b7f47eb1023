"""Two processes that train one run, without the command line that a user starts them by, and what it imports."""

import os

from lend.training.child import context_of_children


def start(config):
    """Start two processes that train this run together, as `accelerate launch` starts them."""
    from test_sweeps import free_port  # not in the processes

    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    ranks = [place | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(2)]
    processes = [context_of_children().Process(target=take_part, args=(config, rank)) for rank in ranks]
    for process in processes:
        process.start()
    return processes


def take_part(config, environment):
    """Train with one thread as one of these processes."""
    import torch

    from lend.training import train

    os.environ.update(environment)
    torch.set_num_threads(1)
    train(config, progress=False)
