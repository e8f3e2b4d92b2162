"""Become one supervised program: the head of its own process group, told to the warden before it runs.

Run as a program, never imported: `python -I -S enlist.py PIPE SHELL_COMMAND`. Telling comes before running, so that
there is no moment in which the supervisor can die and leave a program that nobody knows of.
"""

import os
import sys


def main(pipe: int, command: str) -> None:
    os.setsid()
    os.write(pipe, f"+{os.getpid()}\n".encode())
    os.close(pipe)
    # One command takes the shell's place, as it does under bash on Heroku: then its pid is the program's own.
    line = command if any(sign in command for sign in ";&|\n") else f"exec {command.removeprefix('exec ')}"
    os.execv("/bin/sh", ["/bin/sh", "-c", line])  # noqa: S606 (the Procfile's lines are shell commands)


main(int(sys.argv[1]), sys.argv[2])
