"""`python -m tasks payments --threads 8`: one worker process for one queue."""

import argparse

from shop.jobs import QUEUES
from tasks.worker import work

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tasks", description=__doc__)
    parser.add_argument("queue", choices=QUEUES)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    work(options.queue, threads=options.threads)
